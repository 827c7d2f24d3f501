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

use sts_core::{DecoderKey, Token};

/// Any text, under any key: 8 bytes of key, then what was keyed. Nothing may panic, and what
/// authenticates must have come from 20 digits below 2^66.
pub fn open_any(data: &[u8]) {
    let Some((key, keyed)) = data.split_first_chunk::<8>() else { return };
    let Ok(keyed) = std::str::from_utf8(keyed) else { return };
    let Ok(token) = Token::parse(keyed) else { return };

    if token.open(&DecoderKey::sta(*key)).authenticate().is_ok() {
        let digits: String = keyed.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.len(), 20, "authenticated, and is not 20 digits: {keyed:?}");
        assert!(digits.parse::<u128>().is_ok_and(|n| n < 1 << 66), "authenticated above 2^66");
    }
}

/// A stream of entries at one meter: 8 bytes of key, then lines. Whatever came before, the same
/// entry must open the same way.
pub fn meter_sequence(data: &[u8]) {
    let Some((key, keyed)) = data.split_first_chunk::<8>() else { return };
    let Ok(keyed) = std::str::from_utf8(keyed) else { return };
    let key = DecoderKey::sta(*key);

    let answers = || -> Vec<Option<bool>> {
        keyed
            .lines()
            .map(|line| Some(Token::parse(line).ok()?.open(&key).authenticate().is_ok()))
            .collect()
    };
    assert_eq!(answers(), answers(), "the same entries opened differently");
}
