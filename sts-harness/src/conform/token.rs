//! What the steps of a case call a token, as digits.

use sts_core::{Class, DecoderKey, EncryptionAlgorithm, Payload, Token};

use super::script::Setup;

/// Makes what is keyed of a step's words. The bits are laid out here as the public texts have
/// them, apart from the core's own layout.
///
/// ```text
/// digits TEXT                        as it is
/// credit SUBCLASS TID FIELD          class 0: RND 5, TID, amount field
/// currency SUBCLASS TID SIGN FIELD   class 0: sign and high exponent, TID, amount field
/// test SUBCLASS CONTROL MFR          class 1
/// set SUBCLASS TID VALUE             class 2 with a TID
/// section NUMBER krn= ti= kt= ken= ro= three= sgc= to=KEY
/// raw CLASS SUBCLASS DATA            the 44 bits between subclass and check
/// ```
///
/// Words at the end: `under=KEY` seals with another key than the meter's, `flip=N` changes digit N
/// (from 1), `cut=N` drops digits at the end, `group=C` puts C between groups of four.
pub(super) fn digits(what: &str, setup: &Setup) -> Result<String, String> {
    if let Some(text) = what.strip_prefix("digits ") {
        return Ok(text.to_owned());
    }
    let (named, plain): (Vec<&str>, Vec<&str>) =
        what.split_ascii_whitespace().partition(|word| word.contains('='));
    let named: Vec<(&str, &str)> = named.iter().filter_map(|word| word.split_once('=')).collect();
    let value = |name: &str| named.iter().find(|(known, _)| *known == name).map(|pair| pair.1);
    let numbers = plain
        .iter()
        .skip(1)
        .map(|word| number(word))
        .collect::<Option<Vec<u64>>>()
        .ok_or_else(|| format!("{what:?}: not a number"))?;
    // Each field: its value and its width.
    let bits = |fields: &[(u64, u32)]| {
        fields.iter().try_fold(0, |data, (value, width)| {
            if value >> width == 0 { Ok(data << width | value) } else { Err(too_large(what)) }
        })
    };
    let (class, subclass, data) = match (plain.first().copied(), numbers.as_slice()) {
        (Some("credit"), [sub, tid, field]) => {
            (0, *sub, bits(&[(5, 4), (*tid, 24), (*field, 16)])?)
        }
        (Some("currency"), [sub, tid, sign, field]) => {
            (0, *sub, bits(&[(*sign, 4), (*tid, 24), (*field, 16)])?)
        }
        (Some("set"), [sub, tid, value]) => (2, *sub, bits(&[(5, 4), (*tid, 24), (*value, 16)])?),
        (Some("test"), [1, control, mfr]) => (1, 1, bits(&[(*control, 28), (*mfr, 16)])?),
        (Some("test"), [sub, control, mfr]) => (1, *sub, bits(&[(*control, 36), (*mfr, 8)])?),
        (Some("raw"), [class, sub, data]) => (*class, *sub, bits(&[(*data, 44)])?),
        (Some("section"), [number]) => {
            let field = |name, usual| value(name).and_then(self::number).unwrap_or(usual);
            let to = key_bytes(value("to").unwrap_or("2222222222222222"))?;
            let word = |place: usize| -> Result<u64, String> {
                let bytes = to.get(place * 4..place * 4 + 4).ok_or("the new key is too short")?;
                Ok(bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
            };
            let last = (to.len() / 4).saturating_sub(1);
            let ken = field("ken", 255);
            let sgc = field("sgc", 123_456);
            match number {
                1 => {
                    let (ro, three) = (field("ro", 0), field("three", 0));
                    let flags = [(ro, 1), (three, 1), (field("kt", 2), 2), (word(0)?, 32)];
                    let flags = bits(&flags)?;
                    (2, 3, bits(&[(ken >> 4, 4), (field("krn", 2), 4), (flags, 36)])?)
                }
                2 => (2, 4, bits(&[(ken & 15, 4), (field("ti", 1), 8), (word(last)?, 32)])?),
                3 if to.len() == 8 => (2, 8, bits(&[(sgc, 24), (0, 20)])?),
                3 => (2, 8, bits(&[(sgc & 0xFFF, 12), (word(1)?, 32)])?),
                4 => (2, 9, bits(&[(sgc >> 12, 12), (word(last.saturating_sub(1))?, 32)])?),
                _ => return Err(format!("section {number}, expected 1 to 4")),
            }
        }
        _ => return Err(format!("{what:?} is no token; see docs/conform.md")),
    };
    let subclass =
        u8::try_from(subclass).ok().filter(|sub| *sub < 16).ok_or_else(|| too_large(what))?;
    let class = [
        Class::Credit,
        Class::NonMeterSpecificManagement,
        Class::MeterSpecificManagement,
        Class::Reserved,
    ]
    .into_iter()
    .find(|known| u64::from(known.bits()) == class)
    .ok_or_else(|| format!("{what:?}: class {class}"))?;
    let key = key(setup, value("under"))?;
    let payload = Payload::Other { class, subclass, data };
    let token = if class == Class::NonMeterSpecificManagement {
        Token::seal_without_key(&payload).ok_or("no class 1 token")?
    } else {
        Token::seal(&payload, &key)
    };
    keyed(&token.to_string(), &value)
}

fn too_large(what: &str) -> String {
    format!("{what:?}: a field is too large")
}

/// The digits as somebody keys them.
fn keyed<'a>(token: &str, value: &impl Fn(&str) -> Option<&'a str>) -> Result<String, String> {
    let mut digits: Vec<u8> = token.bytes().filter(u8::is_ascii_digit).collect();
    if let Some(place) = value("flip") {
        let place = place.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
        let digit = place.and_then(|place| digits.get_mut(place)).ok_or("flip: 1 to 20")?;
        *digit = if *digit == b'9' { b'0' } else { *digit + 1 };
    }
    let cut = value("cut").and_then(|cut| cut.parse().ok()).unwrap_or(0);
    digits.truncate(digits.len().saturating_sub(cut));
    digits.extend(value("more").unwrap_or_default().bytes());
    let between = match value("group") {
        None => "",
        Some("blank") => " ",
        Some(separator) => separator,
    };
    let groups: Vec<String> =
        digits.chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    Ok(groups.join(between))
}

fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

fn key_bytes(hex_key: &str) -> Result<Vec<u8>, String> {
    hex::decode(hex_key).map_err(|_| "a key is not in hex".to_owned())
}

/// The key of a setup, or another one of its algorithm.
fn key(setup: &Setup, other: Option<&str>) -> Result<DecoderKey, String> {
    let ea = setup.value("ea").and_then(EncryptionAlgorithm::from_code).ok_or("ea is unknown")?;
    let bytes = key_bytes(other.or(setup.value("key")).unwrap_or_default())?;
    DecoderKey::from_bytes(ea, &bytes).map_err(|error| error.to_string())
}
