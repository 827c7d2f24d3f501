//! The bodies of the fuzz targets, as plain functions: a fuzzer calls them with what it invents,
//! `tests/corpus.rs` with what is in `corpus/`.
//!
//! With the fuzzer (no nightly compiler needed):
//!
//! ```text
//! cargo install --locked cargo-fuzz
//! mkdir -p fuzz/corpus-run/open_any
//! cargo fuzz run --sanitizer none --features libfuzzer open_any \
//!     fuzz/corpus-run/open_any fuzz/corpus/open_any
//! ```
//!
//! The first folder takes what the fuzzer finds; the second is only read. A file goes into
//! `corpus/` under a name that says what it is.

#![forbid(unsafe_code)]

mod model;
mod sequence;

pub use sequence::{meter_sequence, results};

use sts_core::cipher::sta;
use sts_core::framing::extend;
use sts_core::{Class, DecoderKey, Framing, FramingSet, Keyed, Payload, Profile, Token};

/// Any text, under any key: 8 bytes of key, then what was keyed.
///
/// Nothing may panic; every reading agrees with every other; what authenticates is 20 digits
/// below 2^66 and seals to itself.
pub fn open_any(data: &[u8]) {
    let Some((key, keyed)) = data.split_first_chunk::<8>() else { return };
    let text = String::from_utf8_lossy(keyed);

    let digits = read(&text);
    let token = match Token::parse(&text) {
        Ok(token) => token,
        Err(error) => {
            // Messages are made for people, of whatever was keyed.
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits, Some(20), "a token, and is not 20 digits: {text:?}");
    let number: u128 = plain.parse().expect("twenty ASCII digits");
    assert!(number < 1 << 66, "a token above 2^66: {text:?}");

    assert_eq!(token.bits(), number);
    assert_eq!(token.to_string(), plain);
    assert_eq!(Token::parse(&format!("{token:#}")), Ok(token));
    assert_eq!(Token::from_bits(number), Some(token));
    assert_eq!(Token::from_bits(number + (1 << 66)), None);
    assert_eq!(Token::from_class_and_block(token.class(), token.block()), token);
    extends(token, key[0] % 10, key[1] % 10);

    let long = std::array::from_fn(|place| key[place % 8]);
    let keys = [
        DecoderKey::sta(*key),
        DecoderKey::sta_with_tables(*key, &sta::SAMPLE),
        DecoderKey::dea(*key),
        DecoderKey::misty1(long),
    ];
    for key in keys {
        opens(token, &key);
    }
}

/// Reads the text in every way; gives the number of digits.
fn read(text: &str) -> Option<usize> {
    let any_script = Keyed::parse_any_script(text);
    let keyed = match Keyed::parse(text) {
        Ok(keyed) => keyed,
        Err(at) => {
            assert!(text.chars().nth(at.position) == Some(at.found), "{at} in {text:?}");
            return None;
        }
    };
    assert_eq!(any_script, Ok(keyed), "ASCII digits read differently: {text:?}");
    assert!(keyed.digits().len() <= keyed.count() && keyed.digits().iter().all(|d| *d < 10));
    let _ = keyed.is_grouped_in_fours();

    let fitting = keyed.fitting();
    for framing in Framing::ALL {
        match keyed.frame_as(framing) {
            Ok(framed) => {
                assert!(fitting.contains(framing) && framing.is_acceptable());
                assert_eq!(framed.framing(), framing);
            }
            Err(refusal) => {
                assert!(!fitting.contains(framing) || !framing.is_acceptable());
                assert!(!refusal.to_string().is_empty());
            }
        }
        // A meter that takes one form alone agrees with the form.
        let alone = Profile { framings: FramingSet::EMPTY.with(framing), ..Profile::STANDARD };
        assert_eq!(alone.frame(&keyed).is_ok(), keyed.frame_as(framing).is_ok());
    }
    Some(keyed.count())
}

/// The 24-digit form of a token reads back as what went in.
fn extends(token: Token, key_revision: u8, resource: u8) {
    let digits = extend(token, key_revision, resource);
    let text = std::str::from_utf8(&digits).expect("ASCII digits");
    let framed = Keyed::parse(text).expect("digits").frame_as(Framing::W24Check).expect("checks");
    let claims = framed.claims().expect("this form claims");
    assert_eq!(
        (framed.token(), claims.key_revision, claims.resource),
        (token, key_revision, resource)
    );
    assert_eq!(text.parse::<u128>().expect("digits") % 97, 1);
}

/// Opens and authenticates; what authenticates seals to the same token.
fn opens(token: Token, key: &DecoderKey) {
    let opened = token.open(key);
    assert_eq!(format!("{opened:?}"), format!("Opened {{ class: {:?}, .. }}", token.class()));
    let Ok(payload) = opened.authenticate() else {
        return;
    };
    let (class, subclass) = payload.kind();
    assert_eq!(class, token.class());
    assert_ne!(class, Class::Reserved);
    assert!(subclass < 16 && !payload.name().is_empty());
    assert_eq!(payload.tid().is_some(), tid_expected(&payload));
    assert_eq!(Token::seal(&payload, key), token, "sealed differently: {payload:?}");
    if let Some(bare) = token.open_without_key() {
        assert_eq!(bare.authenticate(), Ok(payload));
        assert_eq!(Token::seal_without_key(&payload), Some(token));
    }
}

/// Whether the layout of this class and subclass has a TID, by clause 6.2.
fn tid_expected(payload: &Payload) -> bool {
    match payload.kind() {
        (Class::Credit, subclass) => subclass < 8,
        (Class::MeterSpecificManagement, subclass) => matches!(subclass, 0..=2 | 5..=7 | 10),
        _ => false,
    }
}
