//! What is keyed, read by the core and by a plainer reader beside it.

use sts_core::framing::extend;
use sts_core::{Framing, FramingSet, Keyed, NonDigit, Profile, Rejection, Token};

const SEPARATORS: &str = " \t\u{A0}-\u{2013}._/\n\r";

/// A keypad takes these.
const ACCEPTABLE: [Framing; 4] =
    [Framing::Sts20, Framing::W24Check, Framing::W24Suffix, Framing::W24Prefix];

/// Any text as it may be keyed: digits, framings and what a profile makes of them.
pub fn digits(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let strange = |letter: &char| !letter.is_ascii_digit() && !SEPARATORS.contains(*letter);
    let bad = text.chars().enumerate().find(|(_, letter)| strange(letter));

    let any_script = Keyed::parse_any_script(&text);
    let keyed = match (Keyed::parse(&text), bad) {
        (Ok(keyed), None) => keyed,
        (Err(NonDigit { position, found, .. }), Some(expected)) => {
            assert_eq!((position, found), expected, "{text:?}");
            other_scripts(any_script);
            return;
        }
        (read, bad) => panic!("{text:?} read as {read:?}, expected {bad:?}"),
    };
    assert_eq!(any_script, Ok(keyed), "ASCII digits read differently: {text:?}");

    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    let values: Vec<u8> = plain.bytes().map(|digit| digit - b'0').collect();
    assert_eq!(keyed.count(), values.len());
    assert_eq!(keyed.digits(), &values[..values.len().min(24)]);
    let groups: Vec<usize> =
        text.split(|letter| SEPARATORS.contains(letter)).map(str::len).filter(|n| *n > 0).collect();
    let in_fours = matches!(values.len(), 20 | 24) && groups.iter().all(|group| *group == 4);
    assert_eq!(keyed.is_grouped_in_fours(), in_fours, "{text:?}");

    forms(&keyed, &plain);
    profiles(&keyed);
    assert_eq!(Token::parse(&text).ok(), keyed.frame_as(Framing::Sts20).ok().map(|it| it.token()));
    if let Some(values) = Keyed::from_digits(&values) {
        assert_eq!((values.digits(), values.count()), (keyed.digits(), keyed.count()));
    }
}

/// Digits of any script are digits: written in ASCII they are read the same.
fn other_scripts(any_script: Result<Keyed, NonDigit>) {
    let Ok(keyed) = any_script else { return };
    let ascii: String = keyed.digits().iter().map(u8::to_string).collect();
    let again = Keyed::parse(&ascii).expect("ASCII digits");
    assert_eq!(again.digits(), keyed.digits());
}

fn number(digits: &str) -> Option<u128> {
    digits.parse().ok().filter(|number| *number < 1 << 66)
}

/// The token that is inside these digits in a form, if they have it.
fn expected(framing: Framing, digits: &str) -> Option<u128> {
    match (framing, digits.len()) {
        (Framing::Sts20, 20) => number(digits),
        (Framing::W24Check, 24) => {
            let all: u128 = digits.parse().ok()?;
            // 97 + 1 is no check that MOD 97-10 computes, and neither is 0 or 1 + 97.
            let right = all % 97 == 1 && (2..=98).contains(&(all % 100));
            number(&digits[..20]).filter(|_| right)
        }
        (Framing::W24Suffix, 24) => number(&digits[..20]),
        (Framing::W24Prefix, 24) => number(&digits[4..]),
        (Framing::Multi20, count) if count > 20 && count % 20 == 0 => Some(0),
        (Framing::Runon, count) if count > 20 && count % 20 != 0 => number(&digits[..20]),
        (Framing::DupGroup, 24) => {
            let doubled = (0..5).find(|n| digits[n * 4..][..4] == digits[n * 4 + 4..][..4])?;
            number(&format!("{}{}", &digits[..doubled * 4], &digits[doubled * 4 + 4..]))
        }
        _ => None,
    }
}

fn forms(keyed: &Keyed, digits: &str) {
    for framing in Framing::ALL {
        let inside = expected(framing, digits);
        assert_eq!(keyed.fitting().contains(framing), inside.is_some(), "{framing} {digits}");
        match keyed.frame_as(framing) {
            Ok(framed) => {
                assert!(framing.is_acceptable());
                assert_eq!(framed.framing(), framing);
                assert_eq!(Some(framed.token().bits()), inside, "{framing} {digits}");
                let claims = framed.claims().map(|claims| [claims.key_revision, claims.resource]);
                let claimed = (framing == Framing::W24Check).then(|| {
                    let digit = |at: usize| digits.as_bytes()[at] - b'0';
                    [digit(20), digit(21)]
                });
                assert_eq!(claims, claimed);
                extends(framed.token(), keyed.digits()[0], keyed.digits()[1]);
            }
            Err(refusal) => {
                assert!(inside.is_none() || !framing.is_acceptable(), "{refusal} {digits}");
                assert!(!refusal.to_string().is_empty());
            }
        }
    }
    let doubled = keyed.without_doubled_group().map(|token| token.bits());
    assert_eq!(doubled, expected(Framing::DupGroup, digits));
}

/// A meter takes an entry where exactly one of its forms fits, whichever forms it has.
fn profiles(keyed: &Keyed) {
    for bits in 0..16_u8 {
        let forms = || ACCEPTABLE.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
        let framings: FramingSet = forms().map(|(_, framing)| framing).collect();
        let read = Profile { framings, ..Profile::STANDARD }.frame(keyed);
        let fits: Vec<_> = forms().filter_map(|(_, form)| keyed.frame_as(form).ok()).collect();
        match fits.as_slice() {
            [one] => assert_eq!(read, Ok(*one)),
            [] => assert!(read.is_err()),
            _ => assert!(matches!(read, Err(Rejection::Length { .. })), "{read:?}"),
        }
    }
}

/// The 24-digit form of a token reads back as what went in.
fn extends(token: Token, key_revision: u8, resource: u8) {
    let digits = extend(token, key_revision, resource);
    let text = std::str::from_utf8(&digits).expect("ASCII digits");
    assert_eq!(expected(Framing::W24Check, text), Some(token.bits()));
    let framed = Keyed::parse(text).expect("digits").frame_as(Framing::W24Check).expect("checks");
    let claims = framed.claims().expect("this form claims");
    let back = (framed.token(), claims.key_revision, claims.resource);
    assert_eq!(back, (token, key_revision, resource));
}
