//! Meters whose records are wrong: what displays show of them is not forgotten.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use sts_core::key::KeyAttributes;
use sts_core::{
    Amount, BaseDate, Commodity, DecoderReferenceNumber, EncryptionAlgorithm, KeyExpiryNumber,
    MeterPan, Payload, TariffIndex, Token, TokenId,
};
use sts_harness::case::Case;
use sts_harness::diagnose::{Batch, Lanes, Settings};
use sts_harness::keys::{KeyRing, Locked};
use sts_harness::records::{EntryRow, MeterRow};
use sts_harness::replay::{Replay, Verdict};
use sts_harness::time;

const KEYS: &str = r#"
[[vending_key]]
id = "old"
purpose = "test"
sgc = "600457"
krn = 1
kt = 2
dkga = "02"
base_date = 2014
key = "abababababababab"
[[vending_key]]
id = "new"
purpose = "test"
sgc = "600457"
krn = 2
kt = 2
dkga = "04"
base_date = 2014
key = "abababababababab949494949494949401234567"
"#;

fn pan() -> MeterPan {
    MeterPan::from_drn(&DecoderReferenceNumber::parse("01202401012").unwrap())
}

fn token(key: usize, sold: &str) -> String {
    let ring = KeyRing::parse("keys.toml", KEYS, &mut Locked).unwrap();
    let entry = &ring.vending[key];
    let attributes = KeyAttributes {
        sgc: entry.sgc,
        krn: entry.krn,
        ti: TariffIndex::new(1).unwrap(),
        kt: entry.kt,
        ken: KeyExpiryNumber::NEVER,
    };
    let sta = EncryptionAlgorithm::Sta;
    let key = entry.key.derive(&pan(), sta, &attributes, entry.base_date).unwrap();
    let tid = TokenId::at(time::minutes(time::parse(sold).unwrap()), BaseDate::Y2014).unwrap();
    let amount = Amount::round_up(100).unwrap();
    let payload = Payload::Credit { commodity: Commodity::Electricity, rnd: 5, tid, amount };
    Token::seal(&payload, &key).to_string()
}

/// Replays at a meter recorded under the old key: which key each token is made under, and what the
/// meter showed.
fn replay(rows: &[(usize, Option<&str>)], lanes: Lanes) -> Vec<Verdict> {
    let mut case = Case::new(KeyRing::parse("keys.toml", KEYS, &mut Locked).unwrap());
    let row = MeterRow::under(pan(), &case.keys.vending[0]);
    case.add_meter(row, Path::new(".")).unwrap();
    let batch = Batch::with_lanes(lanes).unwrap();
    let mut replay = Replay::with_settings(&case, Settings { batch, ..Settings::default() });
    let mut verdicts = Vec::new();
    for (day, (key, displayed)) in rows.iter().enumerate() {
        let sold = format!("2024-11-{:02}T09:00:00Z", day + 1);
        let when = time::parse(&sold).unwrap();
        let mut entry = EntryRow::token(&day.to_string(), pan(), when, &token(*key, &sold));
        entry.set_field("sold_at", &sold).unwrap();
        entry.set_field("quantity", "10.0").unwrap();
        if let Some(displayed) = displayed {
            entry.set_field("displayed", displayed).unwrap();
        }
        verdicts.push(replay.step(&entry).verdict);
    }
    verdicts
}

fn causes(rows: &[(usize, Option<&str>)]) -> Vec<Option<&'static str>> {
    replay(rows, Lanes::Portable).iter().map(|verdict| verdict.cause).collect()
}

const TAKEN: Option<&str> = Some("Accept");

#[test]
fn token_for_the_recorded_key_is_doubted_once_displays_point_to_another() {
    let found = causes(&[(1, TAKEN), (1, TAKEN), (0, None), (1, None)]);
    // Taken by the record in the third row, but the meter holds the new key.
    let stale = Some("record.stale");
    assert_eq!(found, [stale, stale, Some("krn.behind"), stale]);
}

#[test]
fn record_that_displays_confirm_is_believed() {
    let found = causes(&[(0, TAKEN), (1, Some("CRCError")), (0, TAKEN), (1, None)]);
    assert_eq!(found, [None, Some("krn.ahead"), None, Some("krn.ahead")]);
}

#[test]
fn refusals_without_displays_raise_no_doubt_that_matters() {
    let found = replay(&[(1, None), (1, None), (1, None), (0, None)], Lanes::Portable);
    for verdict in &found[..3] {
        assert_eq!(verdict.cause, Some("krn.ahead"), "{verdict:#?}");
        assert!(verdict.confidence.unwrap() > 0.95, "{verdict:#?}");
    }
    assert_eq!(found[3].cause, None);
}

#[test]
fn every_width_of_lanes_gives_the_same_verdicts() {
    let rows = [(1, TAKEN), (1, None), (0, Some("CRCError")), (1, Some("CRCError"))];
    let text = |lanes| serde_json::to_string(&replay(&rows, lanes)).unwrap();
    for lanes in Lanes::ALL.into_iter().filter(|lanes| lanes.is_available()) {
        assert_eq!(text(lanes), text(Lanes::Portable), "{lanes}");
    }
}
