//! What a payload says, as the fields of the published schemas.

use serde_json::{Map, Value, json};
use sts_core::class::extended_parts;
use sts_core::{
    Amount, BaseDate, Class, CurrencyAmount, KeySection, MeterTest, Payload, Setting, TokenId,
    class,
};

use crate::time::Zone;

/// How a TID is to be read: the key's base date and time zone, where they are known.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TidReading {
    /// The base date of the key.
    pub base_date: Option<BaseDate>,
    /// The zone in which the vending side counted; UTC when absent.
    pub zone: Option<Zone>,
}

impl TidReading {
    /// Under a base date, in UTC or the zone given.
    #[must_use]
    pub const fn new(base_date: Option<BaseDate>, zone: Option<Zone>) -> Self {
        Self { base_date, zone }
    }

    /// Minutes since 1970, UTC, of a TID.
    #[must_use]
    pub fn unix_minutes(&self, tid: TokenId) -> Option<i64> {
        let local = tid.unix_minutes(self.base_date?);
        Some(match &self.zone {
            Some(zone) => zone.to_utc_minutes(local),
            None => local,
        })
    }
}

/// Tenths as a decimal string: 453 is `45.3`.
#[must_use]
pub fn tenths(units: u64) -> String {
    format!("{}.{}", units / 10, units % 10)
}

/// A currency amount as a decimal string with five places.
#[must_use]
pub fn currency(amount: CurrencyAmount) -> String {
    currency_units(amount.units())
}

/// Units of 0.000 01 as a decimal string with five places.
#[must_use]
pub fn currency_units(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let magnitude = units.unsigned_abs();
    format!("{sign}{}.{:05}", magnitude / 100_000, magnitude % 100_000)
}

/// Control bits in hexadecimal, nine digits for 36 bits and seven for 28.
#[must_use]
pub fn control_hex(test: MeterTest) -> String {
    hex_of_width(test.control, test.width())
}

fn hex_of_width(control: u64, bits: u32) -> String {
    let digits = usize::try_from(bits / 4).unwrap_or_default();
    format!("{control:0digits$x}")
}

/// What a test token shows, in words.
#[must_use]
pub fn test_meaning(test: MeterTest) -> String {
    let meanings: Vec<String> = test
        .tests()
        .map(|number| {
            class::test_meaning(number)
                .map_or_else(|| format!("reserved test {number}"), str::to_owned)
        })
        .collect();
    if meanings.is_empty() { "no test".to_owned() } else { meanings.join("; ") }
}

/// The fields of a payload, in the order of the schemas.
#[must_use]
pub fn fields(payload: &Payload, reading: &TidReading) -> Map<String, Value> {
    let (token_class, subclass) = payload.kind();
    let mut map = Map::new();
    map.insert("token_class".into(), json!(token_class.bits()));
    map.insert("subclass".into(), json!(subclass));
    map.insert("name".into(), json!(payload.name()));
    let mut put = |name: &str, value: Value| {
        map.insert(name.into(), value);
    };
    match *payload {
        Payload::Credit { rnd, .. } | Payload::Set { rnd, .. } => put("rnd", json!(rnd)),
        _ => {}
    }
    if let Some(tid) = payload.tid() {
        put("tid", json!(tid.get()));
        if let Some(minutes) = reading.unix_minutes(tid) {
            put("tid_time", json!(crate::time::format_minutes(minutes)));
        }
    }
    match *payload {
        Payload::Credit { commodity, amount, .. } => {
            put("units_raw", json!(amount.units()));
            put("quantity", json!(tenths(u64::from(amount.units()))));
            put("unit", json!(commodity.unit()));
        }
        Payload::CurrencyCredit { amount, .. } => put("amount", json!(currency(amount))),
        Payload::MeterTest(test) => {
            put("control", json!(control_hex(test)));
            put("mfr_code", json!(test.mfr_code));
            put("tests", json!(test.tests().collect::<Vec<_>>()));
            put("meaning", json!(test_meaning(test)));
        }
        Payload::ExtendedRead { control, mfr_code } => {
            put("control", json!(hex_of_width(control, 36)));
            put("mfr_code", json!(mfr_code));
            put("index", json!(control >> 30));
        }
        Payload::Set { setting, value, .. } => match setting {
            Setting::MaximumPowerLimit | Setting::PhaseUnbalanceLimit => {
                put("watts", json!(Amount::from_field(value).units()));
            }
            Setting::ClearCredit => put("register_to_clear", json!(value)),
            Setting::ExtendedWrite => {
                let (index, value) = extended_parts(value);
                put("index", json!(index));
                put("value", json!(value));
            }
            Setting::TariffRate | Setting::ClearTamper | Setting::WaterFactor => {
                put("value", json!(value));
            }
        },
        Payload::KeySection(section) => {
            put("section", json!(section.number()));
            for (name, value) in section_fields(&section) {
                put(name, value);
            }
        }
        Payload::Other { data, .. } => put("data", json!(format!("{data:011x}"))),
        _ => {}
    }
    map
}

/// Every field of a key section but the key bits.
fn section_fields(section: &KeySection) -> Vec<(&'static str, Value)> {
    match *section {
        KeySection::First { ken_high, krn, rollover, three_kct, kt, .. } => vec![
            ("kenho", json!(ken_high)),
            ("krn", json!(krn)),
            ("rollover", json!(rollover)),
            ("three_kct", json!(three_kct)),
            ("kt", json!(kt.code())),
        ],
        KeySection::Second { ken_low, ti, .. } => {
            vec![("kenlo", json!(ken_low)), ("ti", json!(format!("{ti:02}")))]
        }
        KeySection::ThirdWithSgc { sgc, .. } => vec![("sgc", json!(format!("{sgc:06}")))],
        KeySection::Third { sgc_low, .. } => vec![("sgclo", json!(sgc_low))],
        KeySection::Fourth { sgc_high, .. } => vec![("sgcho", json!(sgc_high))],
    }
}

/// A payload in a few words for people.
#[must_use]
pub fn summary(payload: &Payload) -> String {
    match *payload {
        Payload::Credit { commodity, amount, .. } => format!(
            "{} {} of {}",
            tenths(u64::from(amount.units())),
            commodity.unit(),
            commodity.name()
        ),
        Payload::CurrencyCredit { commodity, amount, .. } => {
            format!("{} in currency for {}", currency(amount), commodity.name())
        }
        Payload::MeterTest(test) => test_meaning(test),
        Payload::KeySection(section) => format!("key change section {}", section.number()),
        _ => payload.name().to_owned(),
    }
}

/// Whether a class 0 payload is one of the subclasses given by `takes`.
pub(crate) fn credits(payload: &Payload) -> bool {
    payload.kind().0 == Class::Credit
}
