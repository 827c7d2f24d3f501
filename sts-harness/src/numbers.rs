//! Meter numbers and token identifiers, taken apart.

use serde_json::{Map, Value, json};
use sts_core::key::luhn_check_digit;
use sts_core::{BaseDate, DecoderReferenceNumber, MeterPan, TokenId};

use crate::time;

/// A meter's number of 11, 13 or 18 digits: whether it is right, and its parts.
#[must_use]
pub fn meter_number(text: &str) -> Map<String, Value> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let mut object = Map::new();
    object.insert("schema".into(), json!(1));
    object.insert("number".into(), json!(digits));
    let pan = if digits.len() == 18 {
        MeterPan::parse(&digits)
    } else {
        DecoderReferenceNumber::parse(&digits).map(|drn| MeterPan::from_drn(&drn))
    };
    object.insert("valid".into(), json!(pan.is_ok()));
    match pan {
        Ok(pan) => {
            let drn = pan.drn();
            let maker = pan.manufacturer_code();
            let maker_digits = usize::from(maker.digits);
            object.insert("pan".into(), json!(pan.as_str()));
            object.insert("iin".into(), json!(pan.iin()));
            object.insert("drn".into(), json!(drn));
            object.insert("mfr_code".into(), json!(&drn[..maker_digits]));
            object.insert("serial".into(), json!(&drn[maker_digits..drn.len() - 1]));
        }
        Err(error) => {
            object.insert("error".into(), json!(error.to_string()));
            let payload = digits.as_bytes().split_last().map(|(_, payload)| payload);
            if let Some(payload) = payload.filter(|p| p.iter().all(u8::is_ascii_digit)) {
                object.insert("computed_check_digit".into(), json!(luhn_check_digit(payload)));
            }
        }
    }
    object
}

/// A TID as dates, or a time as TIDs, under each base date or the one given.
///
/// # Errors
///
/// What was found and expected.
pub fn tid(text: &str, base_year: Option<u16>) -> Result<Map<String, Value>, String> {
    let bases: Vec<BaseDate> = match base_year {
        None => BaseDate::ALL.to_vec(),
        Some(year) => vec![
            BaseDate::from_year(year)
                .ok_or_else(|| format!("base date {year}, expected 1993, 2014 or 2035"))?,
        ],
    };
    let mut object = Map::new();
    object.insert("schema".into(), json!(1));
    let readings: Vec<Value> = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse().map_err(|_| format!("{text}, expected 0 to 16777215"))?;
        let tid = TokenId::new(number).map_err(|error| error.to_string())?;
        object.insert("tid".into(), json!(tid.get()));
        object.insert("reserved_minute".into(), json!(tid.is_reserved_minute()));
        object.insert("ken_step".into(), json!(tid.high_byte()));
        bases
            .into_iter()
            .map(|base| {
                json!({
                    "base_date": base.year(),
                    "tid_time": time::format_minutes(tid.unix_minutes(base)),
                })
            })
            .collect()
    } else {
        let minutes = time::minutes(time::parse(text)?);
        object.insert("time".into(), json!(time::format_minutes(minutes)));
        bases
            .into_iter()
            .map(|base| match TokenId::at(minutes, base) {
                Some(tid) => json!({
                    "base_date": base.year(),
                    "tid": tid.get(),
                    "issued_as": tid.skip_reserved_minute().get(),
                    "ken_step": tid.high_byte(),
                    "wrapped": minutes > base.last_unix_minute(),
                    "last_minute": time::format_minutes(base.last_unix_minute()),
                }),
                None => json!({ "base_date": base.year(), "error": "before the base date" }),
            })
            .collect()
    };
    object.insert("base_dates".into(), json!(readings));
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meter_numbers_are_taken_apart() {
        let right = meter_number("600727000000000009");
        assert_eq!(right["valid"], true);
        assert_eq!(right["drn"], "00000000000");
        assert_eq!(meter_number("0100000000008")["pan"], "000001000000000082");
        let wrong = meter_number("12345678904");
        assert_eq!(wrong["valid"], false);
        assert_eq!(wrong["computed_check_digit"], 3);
        assert_eq!(meter_number("abc")["valid"], false);
    }

    #[test]
    fn tids_convert_both_ways() {
        let read = tid("85740", Some(2014)).unwrap();
        assert_eq!(read["base_dates"][0]["tid_time"], "2014-03-01T13:00:00Z");
        let made = tid("2014-03-01T13:00:00Z", Some(2014)).unwrap();
        assert_eq!(made["base_dates"][0]["tid"], 85740);
        let after = tid("2024-11-24T20:16:00Z", Some(1993)).unwrap();
        assert_eq!(after["base_dates"][0]["wrapped"], true);
        assert!(tid("16777216", None).is_err() && tid("1", Some(2000)).is_err());
    }
}
