//! One token under any key.

use sts_core::cipher::sta;
use sts_core::{BaseDate, Class, DecoderKey, Payload, Token, TokenId};

/// Any text, under any key: 8 bytes of key, then what was keyed; what is no token is taken for class
/// and block of one.
///
/// Nothing may panic; what authenticates is 20 digits below 2^66 and seals to itself; its date is
/// that of the calendar.
pub fn open_any(data: &[u8]) {
    let Some((key, keyed)) = data.split_first_chunk::<8>() else { return };
    let Some(token) = parsed(keyed).or_else(|| drawn(keyed)) else { return };

    let long = std::array::from_fn(|place| key[place % 8]);
    let keys = [
        DecoderKey::sta(*key),
        DecoderKey::sta_with_tables(*key, &sta::SAMPLE),
        DecoderKey::dea(*key),
        DecoderKey::misty1(long),
    ];
    for key in &keys {
        opens(token, key);
        // The same block as what a vendor seals: so every layout is reached, under every key.
        mended(token, key);
    }
}

fn parsed(keyed: &[u8]) -> Option<Token> {
    let text = String::from_utf8_lossy(keyed);
    let token = match Token::parse(&text) {
        Ok(token) => token,
        Err(error) => {
            // Messages are made for people, of whatever was keyed.
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(plain.len(), 20, "a token, and is not 20 digits: {text:?}");
    let number: u128 = plain.parse().expect("twenty ASCII digits");
    assert_eq!((token.bits(), token.to_string()), (number, plain));
    Some(token)
}

/// Class and block from nine bytes; written as digits it is the same token.
fn drawn(keyed: &[u8]) -> Option<Token> {
    let ([class, block @ ..], _) = keyed.split_first_chunk::<9>()?;
    let number = u128::from(class & 3) << 64 | u128::from(u64::from_be_bytes(*block));
    let token = Token::from_bits(number).expect("66 bits");
    assert_eq!(token.bits(), number);
    assert_eq!(Token::parse(&token.to_string()), Ok(token));
    assert_eq!(Token::parse(&format!("{token:#}")), Ok(token));
    assert_eq!(Token::from_bits(number + (1 << 66)), None);
    assert_eq!(Token::from_class_and_block(token.class(), token.block()), token);
    Some(token)
}

/// Opens and authenticates; what authenticates seals to the same token.
fn opens(token: Token, key: &DecoderKey) {
    let opened = token.open(key);
    assert_eq!(format!("{opened:?}"), format!("Opened {{ class: {:?}, .. }}", token.class()));
    let Ok(payload) = opened.authenticate() else { return };
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
    payload.tid().into_iter().for_each(dates);
}

/// Takes the block for the data of a token in clear, seals it, and opens that.
fn mended(token: Token, key: &DecoderKey) {
    let subclass = (token.block() >> 60) as u8;
    let data = token.block() >> 16 & 0xFFF_FFFF_FFFF;
    let payload = Payload::Other { class: token.class(), subclass, data };
    if token.class() != Class::Reserved {
        let sealed = Token::seal(&payload, key);
        assert!(sealed.open(key).authenticate().is_ok(), "does not open: {payload:?}");
        opens(sealed, key);
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

/// A TID counts minutes from the year's first, whichever the year.
fn dates(tid: TokenId) {
    for (base, year) in BaseDate::ALL.into_iter().zip([1993, 2014, 2035]) {
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
        let minute = days * 1440 + i64::from(tid.get());
        assert_eq!((base.year().into(), tid.unix_minutes(base)), (year, minute));
        assert_eq!(TokenId::at(minute, base), Some(tid));
        assert_eq!(TokenId::at(minute + (1 << 24), base), Some(tid));
    }
    let ordinary = tid.skip_reserved_minute();
    let moved = tid.get() % 1440 == 1;
    assert_eq!(ordinary.get(), if moved { tid.get() + 1 } else { tid.get() });
    assert_eq!(tid.is_reserved_minute(), moved);
}
