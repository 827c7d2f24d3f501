//! A few keys and meters for tests.

use std::path::Path;

use sts_core::{Amount, Commodity, DecoderReferenceNumber, MeterPan, Payload, TokenId};

use crate::case::Case;
use crate::keys::{KeyRing, Locked};
use crate::records::MeterRow;

/// Two revisions of a supply group, and another group.
const KEYS: &str = r#"
[[vending_key]]
id = "krn1"
purpose = "test"
sgc = "600457"
krn = 1
kt = 2
dkga = "02"
base_date = 1993
key = "abababababababab"
[[vending_key]]
id = "krn2"
purpose = "test"
sgc = "600457"
krn = 2
kt = 2
dkga = "04"
base_date = 2014
key = "abababababababab949494949494949401234567"
[[vending_key]]
id = "other-group"
purpose = "test"
sgc = "600999"
krn = 1
kt = 2
dkga = "02"
base_date = 1993
key = "9494949494949494"
"#;

/// Four meters under the first key.
pub(crate) fn case() -> Case {
    let mut case = Case::new(KeyRing::parse("keys.toml", KEYS, &mut Locked).unwrap());
    for drn in ["01202401012", "01202401020", "01202401038", "01202401046"] {
        let pan = MeterPan::from_drn(&DecoderReferenceNumber::parse(drn).unwrap());
        let row = MeterRow::under(pan, &case.keys.vending[0]);
        case.add_meter(row, Path::new(".")).unwrap();
    }
    case
}

/// A token of ten units of water.
pub(crate) fn credit() -> Payload {
    Payload::Credit {
        commodity: Commodity::Water,
        rnd: 5,
        tid: TokenId::new(12_345_678).unwrap(),
        amount: Amount::round_up(100).unwrap(),
    }
}
