//! What people paste: receipts, messages, numbers.

use sts_core::{DecoderReferenceNumber, MeterPan, Token};
use sts_harness::inspect::inspect;
use sts_harness::numbers;
use sts_harness::records::EntryRow;
use sts_harness::slip::Slip;
use sts_harness::slips;
use sts_harness::time;

/// Any text as a slip, a token and a number.
pub fn slip(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let slip = Slip::read(&text);
    let lines = text.lines().count();
    let mut before = 0;
    for token in &slip.tokens {
        assert!((1..=lines).contains(&token.line) && token.line >= before, "{slip:?}");
        assert!(!token.digits.is_empty() && token.digits.bytes().all(|byte| byte.is_ascii_digit()));
        before = token.line;
    }
    if let Some(drn) = &slip.drn {
        assert!(DecoderReferenceNumber::parse(drn).is_ok(), "{drn}");
    }
    if let Some(pan) = &slip.pan {
        assert!(MeterPan::parse(pan).is_ok(), "{pan}");
    }
    // What a slip tells of an entry is what an entry takes.
    let pan = MeterPan::parse("600727000000000009").expect("a number");
    let at = time::parse("2024-11-01T09:00:00Z").expect("a time");
    let mut entry = EntryRow::token("slip", pan, at, "");
    for (field, value) in slip.entry_fields() {
        entry.set_field(field, &value).expect("a value of this field");
    }

    let inspection = inspect(&text);
    assert_eq!(
        inspection.result == "FormatError" || inspection.result == "LengthError",
        Token::parse(text.trim()).is_err()
    );
    assert!(serde_json::to_string(&inspection).is_ok());
    let number = numbers::meter_number(&text);
    assert_eq!(number.valid, number.error.is_none());
    let _ = (numbers::drn(&text), numbers::pan(&text), numbers::tid(&text, Some(1993)));

    let values: Vec<u8> =
        text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    for undone in slips::undo(&values, values.len() == 16) {
        let length = undone.digits.values().len();
        assert!(length == 20 || length == 24, "{undone:?}");
        assert!(undone.digits.values() != values && undone.position > 0);
        assert!(!undone.what().is_empty());
    }
}
