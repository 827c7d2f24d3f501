//! A token taken apart: its 66 bits, and the fields inside where a held key opens it.

use serde::Serialize;
use serde_json::{Map, Value};
use sts_core::{KeySection, Payload, Token};
use sts_harness::case::Case;
use sts_harness::describe::{self, TidReading};
use sts_harness::fleet::TrackedMeter;
use sts_harness::replay::Verdict;

use crate::verify::plain;

#[derive(Debug, Serialize)]
pub(super) struct Anatomy {
    token: String,
    class: u8,
    is_encrypted: bool,
    /// The 64 bits below the class, as they are in the token: the highest first.
    block: String,
    opened: Option<Inside>,
}

/// What is in the block.
#[derive(Debug, Serialize)]
struct Inside {
    name: &'static str,
    /// Whose key opened it: `meter`, the id of a vending key, or null where it needs none.
    key: Option<String>,
    /// The 64 bits, the highest first; those of a new key are points.
    block: String,
    fields: Vec<Part>,
}

/// A run of bits, from the highest down.
#[derive(Debug, Serialize)]
struct Part {
    name: &'static str,
    bits: u32,
    /// Empty where it is not to be seen.
    value: String,
    /// What it stands for, where that is more than the number.
    means: Option<String>,
}

/// The token that an entry holds, under the meter's own key.
pub(super) fn of(entered: &str, meter: &TrackedMeter) -> Option<Anatomy> {
    let token = meter.framed(entered).or_else(|| bare(entered))?;
    let own = meter.has_key.then(|| token.open(meter.meter.key()).authenticate().ok()).flatten();
    let reading = TidReading::new(Some(meter.base_date), None);
    let opened = if token.class().is_encrypted() {
        own.map(|payload| {
            inside(
                token.open(meter.meter.key()).unauthenticated_bits(),
                &payload,
                &reading,
                Some("meter".into()),
            )
        })
    } else {
        without_key(token)
    };
    Some(anatomy(token, opened))
}

/// The same where no meter is asked.
pub(super) fn of_bare(entered: &str) -> Option<Anatomy> {
    let token = bare(entered)?;
    Some(anatomy(token, without_key(token)))
}

impl Anatomy {
    /// Opens what the meter's key did not: under the held key that the cause of the refusal names.
    pub(super) fn open_as_found(&mut self, verdict: &Verdict, case: &Case, meter: &TrackedMeter) {
        let named = verdict.causes.first().filter(|first| first.probability >= 0.9);
        let (Some(first), None, true) = (named, &self.opened, self.is_encrypted) else { return };
        let is_under = |name: &str, own: String| {
            first.detail.get(name).is_none_or(|value| plain(value) == own)
        };
        let Ok(token) = Token::parse(&self.token) else { return };
        let names_key =
            ["krn", "sgc", "kt", "base_date"].iter().any(|name| first.detail.contains_key(*name));
        if !names_key {
            return;
        }
        for entry in &case.keys.vending {
            if !is_under("krn", entry.krn.to_string())
                || !is_under("sgc", entry.sgc.to_string())
                || !is_under("kt", entry.kt.code().to_string())
                || !is_under("base_date", entry.base_date.year().to_string())
            {
                continue;
            }
            let mut attributes = *meter.meter.attributes();
            (attributes.sgc, attributes.krn, attributes.kt) = (entry.sgc, entry.krn, entry.kt);
            let derived =
                entry.key.derive(&meter.row.pan, meter.ea(), &attributes, entry.base_date);
            let Ok(key) = derived else { continue };
            if let Ok(payload) = token.open(&key).authenticate() {
                let reading = TidReading::new(Some(entry.base_date), entry.tid_zone.clone());
                let bits = token.open(&key).unauthenticated_bits();
                self.opened = Some(inside(bits, &payload, &reading, Some(entry.id.clone())));
                return;
            }
        }
    }
}

/// Twenty digits, however they are grouped.
fn bare(entered: &str) -> Option<Token> {
    let digits: String = entered.chars().filter(char::is_ascii_digit).collect();
    Token::parse(&digits).ok()
}

fn without_key(token: Token) -> Option<Inside> {
    let payload = token.open_without_key()?.authenticate().ok()?;
    Some(inside(token.block(), &payload, &TidReading::default(), None))
}

fn anatomy(token: Token, opened: Option<Inside>) -> Anatomy {
    Anatomy {
        token: token.to_string(),
        class: token.class().bits(),
        is_encrypted: token.class().is_encrypted(),
        block: format!("{:064b}", token.block()),
        opened,
    }
}

fn inside(block: u64, payload: &Payload, reading: &TidReading, key: Option<String>) -> Inside {
    let said = describe::fields(payload, reading);
    let mut bits: Vec<char> = format!("{block:064b}").chars().collect();
    let mut below = 64;
    let fields = layout(payload)
        .iter()
        .map(|(name, width)| {
            below -= width;
            let is_secret = *name == "key";
            if is_secret {
                let first = usize::try_from(64 - below - width).unwrap_or_default();
                bits.iter_mut().skip(first).take(*width as usize).for_each(|bit| *bit = '·');
            }
            let value = block >> below & (u64::MAX >> (64 - width));
            Part {
                name,
                bits: *width,
                value: if is_secret { String::new() } else { shown(name, value, *width) },
                means: means(name, payload, &said),
            }
        })
        .collect();
    Inside { name: payload.name(), key, block: bits.into_iter().collect(), fields }
}

/// Codes in hex, numbers in decimals.
fn shown(name: &str, value: u64, width: u32) -> String {
    match name {
        "check" | "control" | "data" | "pad" => {
            format!("{value:0width$x}", width = width.div_ceil(4) as usize)
        }
        _ => value.to_string(),
    }
}

/// What a field stands for, as far as a schema names it.
fn means(name: &str, payload: &Payload, said: &Map<String, Value>) -> Option<String> {
    let of = |name: &str| said.get(name).map(plain);
    match name {
        "subclass" => Some(payload.name().to_owned()),
        "tid" => of("tid_time"),
        "amount" => Some(match (of("quantity"), of("unit")) {
            (Some(quantity), Some(unit)) => format!("{quantity} {unit}"),
            _ => of("amount")?,
        }),
        "value" => of("watts").map(|watts| format!("{watts} W")),
        "control" => of("meaning"),
        _ => None,
    }
}

/// Names and widths of the fields, from the highest bit down: 64 together.
fn layout(payload: &Payload) -> &'static [(&'static str, u32)] {
    match payload {
        Payload::Credit { .. } => {
            &[("subclass", 4), ("rnd", 4), ("tid", 24), ("amount", 16), ("check", 16)]
        }
        Payload::CurrencyCredit { .. } => {
            &[("subclass", 4), ("scale", 4), ("tid", 24), ("amount", 16), ("check", 16)]
        }
        Payload::Set { .. } => {
            &[("subclass", 4), ("rnd", 4), ("tid", 24), ("value", 16), ("check", 16)]
        }
        Payload::MeterTest(test) if test.width() == 36 => {
            &[("subclass", 4), ("control", 36), ("mfr_code", 8), ("check", 16)]
        }
        Payload::ExtendedRead { .. } => {
            &[("subclass", 4), ("control", 36), ("mfr_code", 8), ("check", 16)]
        }
        Payload::MeterTest(_) => {
            &[("subclass", 4), ("control", 28), ("mfr_code", 16), ("check", 16)]
        }
        Payload::KeySection(KeySection::First { .. }) => &[
            ("subclass", 4),
            ("ken_high", 4),
            ("krn", 4),
            ("rollover", 1),
            ("three_kct", 1),
            ("kt", 2),
            ("key", 32),
            ("check", 16),
        ],
        Payload::KeySection(KeySection::Second { .. }) => {
            &[("subclass", 4), ("ken_low", 4), ("ti", 8), ("key", 32), ("check", 16)]
        }
        Payload::KeySection(KeySection::ThirdWithSgc { .. }) => {
            &[("subclass", 4), ("sgc", 24), ("pad", 20), ("check", 16)]
        }
        Payload::KeySection(KeySection::Third { .. } | KeySection::Fourth { .. }) => {
            &[("subclass", 4), ("sgc_half", 12), ("key", 32), ("check", 16)]
        }
        _ => &[("subclass", 4), ("data", 44), ("check", 16)],
    }
}

#[cfg(test)]
mod tests {
    use sts_core::class::{Setting, key_change};
    use sts_core::{Amount, Commodity, DecoderKey, MeterTest, TokenId};

    use super::*;

    fn parts(payload: &Payload) -> Vec<(&'static str, String)> {
        let key = DecoderKey::sta([0x11; 8]);
        let block = Token::seal(payload, &key).open(&key).unauthenticated_bits();
        let inside = inside(block, payload, &TidReading::default(), None);
        assert_eq!(inside.fields.iter().map(|part| part.bits).sum::<u32>(), 64, "{payload:?}");
        assert_eq!(inside.block.chars().count(), 64);
        inside.fields.into_iter().map(|part| (part.name, part.value)).collect()
    }

    fn value<'p>(parts: &'p [(&'static str, String)], name: &str) -> &'p str {
        &parts.iter().find(|(own, _)| *own == name).expect("such a field").1
    }

    #[test]
    fn the_fields_of_the_picture_are_those_of_the_payload() {
        let tid = TokenId::new(16_252_745).expect("in range");
        let (rnd, amount) = (5, Amount::from_field(453));
        let credit = parts(&Payload::Credit { commodity: Commodity::Water, rnd, tid, amount });
        for (name, expected) in
            [("subclass", "1"), ("rnd", "5"), ("tid", "16252745"), ("amount", "453")]
        {
            assert_eq!(value(&credit, name), expected, "{name}");
        }
        let setting = Setting::WaterFactor;
        let set = parts(&Payload::Set { setting, rnd: 9, tid, value: 771 });
        assert_eq!((value(&set, "tid"), value(&set, "value")), ("16252745", "771"));
        let test = MeterTest::new(0, 0x8_1234_5678, 7).expect("in range");
        let test = parts(&Payload::MeterTest(test));
        assert_eq!((value(&test, "control"), value(&test, "mfr_code")), ("812345678", "7"));
        let control = 0xF_0000_0001;
        let read = parts(&Payload::ExtendedRead { control, mfr_code: 3 });
        assert_eq!((value(&read, "control"), value(&read, "mfr_code")), ("f00000001", "3"));
    }

    #[test]
    fn a_new_key_is_not_shown() {
        let attributes = sts_core::KeyAttributes {
            sgc: sts_core::SupplyGroupCode::new(600_457).expect("in range"),
            krn: sts_core::KeyRevisionNumber::new(2).expect("in range"),
            ti: sts_core::TariffIndex::new(7).expect("in range"),
            kt: sts_core::KeyType::Unique,
            ken: sts_core::KeyExpiryNumber::NEVER,
        };
        let next = DecoderKey::sta([0xFF; 8]);
        for section in key_change(&next, &attributes, true, true) {
            let old = DecoderKey::sta([0x11; 8]);
            let block = Token::seal(&section, &old).open(&old).unauthenticated_bits();
            let inside = inside(block, &section, &TidReading::default(), None);
            let json = serde_json::to_string(&inside).expect("JSON");
            assert!(!json.contains(&"1".repeat(20)) && !json.contains("4294967295"), "{json}");
            let parts = parts(&section);
            match section.kind().1 {
                3 => assert_eq!((value(&parts, "krn"), value(&parts, "rollover")), ("2", "1")),
                4 => assert_eq!(value(&parts, "ti"), "7"),
                _ => assert_eq!(value(&parts, "sgc"), "600457"),
            }
        }
    }
}
