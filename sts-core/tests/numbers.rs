//! Numbers of meters: decoder reference number, `MeterPAN`, manufacturer code. Every way in which
//! one can be wrong is its own refusal.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sts_core::key::luhn_check_digit;
use sts_core::{DecoderReferenceNumber, InvalidMeterNumber, KeyType, ManufacturerCode, MeterPan};

/// Luhn's sum digit by digit as ISO/IEC 7812-1 has it, from the right.
fn sum(number: &str) -> u32 {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let digits = number.chars().rev().map(|digit| digit.to_digit(10).unwrap());
    digits
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { doubled(digit) } else { digit })
        .sum()
}

fn with_check_digit(payload: &str) -> String {
    let number = format!("{payload}{}", luhn_check_digit(payload.as_bytes()));
    assert_eq!(sum(&number) % 10, 0, "{number}");
    number
}

#[test]
fn check_digits_are_luhn() {
    assert_eq!(luhn_check_digit(b"7992739871"), 3);
    for payload in ["0000000000", "0100000000", "9999999999", "000100000000", "123456789012"] {
        let number = with_check_digit(payload);
        let drn = DecoderReferenceNumber::parse(&number).unwrap();
        assert_eq!(drn.as_str(), number);
        assert_eq!(format!("{drn} {drn:?}"), format!("{number} DecoderReferenceNumber({number})"));
        for wrong in 0..=9 {
            let expected = luhn_check_digit(payload.as_bytes());
            let read = DecoderReferenceNumber::parse(&format!("{payload}{wrong}"));
            let refusal = InvalidMeterNumber::DrnCheckDigit { found: wrong, expected };
            assert_eq!(read, if wrong == expected { Ok(drn) } else { Err(refusal) });
        }
    }
}

#[test]
fn a_drn_has_11_or_13_digits() {
    for found in (0..30).filter(|length| ![11, 13].contains(length)) {
        assert_eq!(
            DecoderReferenceNumber::parse(&"0".repeat(found)),
            Err(InvalidMeterNumber::Length { found, expected: "11 or 13" })
        );
    }
    assert_eq!(
        DecoderReferenceNumber::parse("0100000 000"),
        Err(InvalidMeterNumber::NonDigit { position: 7 })
    );
}

#[test]
fn a_pan_is_its_parts() {
    let parts = [("600727", "0100000000"), ("0000", "000100000000"), ("123456", "7992739871")];
    for (iin, payload) in parts {
        let drn = DecoderReferenceNumber::parse(&with_check_digit(payload)).unwrap();
        let pan = MeterPan::from_parts(iin, &drn).unwrap();
        let number = with_check_digit(&format!("{iin}{drn}"));
        assert_eq!((pan.as_str(), pan.iin(), pan.drn()), (number.as_str(), iin, drn.as_str()));
        assert_eq!(format!("{pan} {pan:?}"), format!("{number} MeterPan({number})"));
        assert_eq!(MeterPan::parse(&number), Ok(pan));
        assert_eq!(MeterPan::from_drn(&drn) == pan, iin != "123456");
        assert_eq!(pan.with_unchecked_drn(drn.as_str()), Ok(pan));
    }
}

#[test]
fn a_pan_that_is_wrong_says_where() {
    let read = MeterPan::parse;
    let length = |found| Err(InvalidMeterNumber::Length { found, expected: "18" });
    assert_eq!(read("60072700000000000"), length(17));
    assert_eq!(read("6007270000000000090"), length(19));
    assert_eq!(read("60072700000000000x"), Err(InvalidMeterNumber::NonDigit { position: 17 }));
    assert_eq!(
        read("600727000000000008"),
        Err(InvalidMeterNumber::PanCheckDigit { found: 8, expected: 9 })
    );
    let of_drn = Err(InvalidMeterNumber::DrnCheckDigit { found: 1, expected: 0 });
    assert_eq!(read("600727000000000019"), of_drn);
    assert_eq!(read("000000000000000019"), of_drn);
    // Under another issuer the DRN is read in both lengths, and the shorter one is told.
    assert_eq!(read("700727000000000019"), of_drn);
}

#[test]
fn an_issuer_goes_with_one_length() {
    let long = DecoderReferenceNumber::parse("0000000000000").unwrap();
    let short = DecoderReferenceNumber::parse("00000000000").unwrap();
    let issuer = |iin, drn| Err(InvalidMeterNumber::Issuer { iin, drn });
    assert_eq!(MeterPan::from_parts("600727", &long), issuer(6, 13));
    assert_eq!(MeterPan::from_parts("0000", &short), issuer(4, 11));
    assert_eq!(
        MeterPan::from_parts("60072x", &short),
        Err(InvalidMeterNumber::NonDigit { position: 5 })
    );
    assert_eq!(MeterPan::from_drn(&short).with_unchecked_drn(long.as_str()), issuer(6, 13));
    assert_eq!(
        MeterPan::from_drn(&short).with_unchecked_drn("123"),
        Err(InvalidMeterNumber::Length { found: 3, expected: "11 or 13" })
    );
}

/// A slip of the DRN alone: the check digit of the whole is mended, so that keys can be derived.
#[test]
fn an_unchecked_drn_makes_a_pan_of_its_own() {
    let pan = MeterPan::parse("600727000000000009").unwrap();
    let slip = pan.with_unchecked_drn("00000000001").unwrap();
    assert_eq!(slip.drn(), "00000000001");
    assert_eq!(sum(slip.as_str()) % 10, 0);
    assert_ne!(slip.block(KeyType::Unique), pan.block(KeyType::Unique));
}

#[test]
fn manufacturer_codes_have_two_or_four_digits() {
    let of = |number: &str| MeterPan::parse(number).unwrap().manufacturer_code();
    let drn = |payload| DecoderReferenceNumber::parse(&with_check_digit(payload)).unwrap();
    let made = |code, digits| ManufacturerCode::new(code, digits).unwrap();
    assert_eq!(of(MeterPan::from_drn(&drn("9900000000")).as_str()), made(99, 2));
    assert_eq!(of(MeterPan::from_drn(&drn("999900000000")).as_str()), made(9999, 4));
    assert_ne!(made(7, 2), made(7, 4));

    let refused = |code, digits| ManufacturerCode::new(code, digits).unwrap_err().to_string();
    assert_eq!(refused(100, 2), "manufacturer code 100 is not in 0 to 99");
    assert_eq!(refused(10_000, 4), "manufacturer code 10000 is not in 0 to 9999");
    assert_eq!(refused(1, 3), "digits of a manufacturer code 3 is not in 0 to 4");
}
