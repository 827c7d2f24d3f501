//! Numbers of the trade taken apart: meter numbers, token identifiers.

use jiff::Timestamp;
use serde::Serialize;
use sts_core::key::luhn_check_digit;
use sts_core::{BaseDate, DecoderReferenceNumber, MeterPan, TokenId};

use crate::time;

/// A meter's number, taken apart.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MeterNumber {
    /// Version of the form; 1.
    pub schema: u8,
    /// The digits, without spaces and dashes.
    pub number: String,
    /// `drn` for 11 or 13 digits, `pan` for 18.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Whether length and check digits are right.
    pub valid: bool,
    /// Issuer identification number, 4 or 6 digits; the usual one for a DRN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iin: Option<String>,
    /// Manufacturer code, 2 or 4 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfr_code: Option<String>,
    /// Serial number, 8 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Check digit of the DRN as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drn_check_digit: Option<u8>,
    /// The one computed, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drn_check_digit_computed: Option<u8>,
    /// Check digit of the `MeterPAN` as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pan_check_digit: Option<u8>,
    /// The one computed, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pan_check_digit_computed: Option<u8>,
    /// The DRN, where it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drn: Option<String>,
    /// The `MeterPAN`, where all is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pan: Option<String>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Takes a meter number apart, whichever it is: 11 or 13 digits are a DRN, 18 a `MeterPAN`.
#[must_use]
pub fn meter_number(text: &str) -> MeterNumber {
    let number = bare(text);
    match number.len() {
        18 => pan(&number),
        _ => drn(&number),
    }
}

/// Takes a decoder reference number apart, and gives its usual `MeterPAN`.
#[must_use]
pub fn drn(text: &str) -> MeterNumber {
    let mut report = MeterNumber { schema: 1, number: bare(text), ..MeterNumber::default() };
    let number = report.number.clone();
    let problem = match DecoderReferenceNumber::parse(&number) {
        Ok(drn) => {
            let pan = MeterPan::from_drn(&drn);
            report.iin = Some(pan.iin().to_owned());
            report.pan = Some(pan.as_str().to_owned());
            None
        }
        Err(error) => Some(error.to_string()),
    };
    if is_digits(&number) && matches!(number.len(), 11 | 13) {
        report.kind = Some("drn");
        report.take_drn(&number);
    }
    report.valid = problem.is_none();
    report.error = problem;
    report
}

/// Takes a `MeterPAN` apart, and gives its DRN.
#[must_use]
pub fn pan(text: &str) -> MeterNumber {
    let mut report = MeterNumber { schema: 1, number: bare(text), ..MeterNumber::default() };
    let number = report.number.clone();
    let parsed = MeterPan::parse(&number);
    if is_digits(&number) && number.len() == 18 {
        report.kind = Some("pan");
        // The same choice as in a valid number: an unknown issuer goes with the shorter form.
        let iin_length = match &parsed {
            Ok(pan) => pan.iin().len(),
            Err(_) if number.starts_with("0000") => 4,
            Err(_) => 6,
        };
        report.iin = Some(number[..iin_length].to_owned());
        report.take_drn(&number[iin_length..17]);
        let (found, computed) = check_digits(&number);
        report.pan_check_digit = Some(found);
        report.pan_check_digit_computed = (found != computed).then_some(computed);
    }
    match parsed {
        Ok(pan) => {
            report.valid = true;
            report.pan = Some(pan.as_str().to_owned());
        }
        Err(error) => report.error = Some(error.to_string()),
    }
    report
}

impl MeterNumber {
    /// Maker, serial number and check digit of 11 or 13 digits.
    fn take_drn(&mut self, number: &str) {
        let maker = number.len() - 9;
        self.mfr_code = Some(number[..maker].to_owned());
        self.serial = Some(number[maker..number.len() - 1].to_owned());
        let (found, computed) = check_digits(number);
        self.drn_check_digit = Some(found);
        self.drn_check_digit_computed = (found != computed).then_some(computed);
        self.drn = (found == computed).then(|| number.to_owned());
    }
}

/// Without the spaces and dashes that numbers are written with.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The last digit of ASCII digits, and the one computed from the others.
fn check_digits(number: &str) -> (u8, u8) {
    number
        .as_bytes()
        .split_last()
        .map_or((0, 0), |(last, payload)| (last - b'0', luhn_check_digit(payload)))
}

/// A token identifier under one base date.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TidUnderBase {
    /// 1993, 2014 or 2035.
    pub base_date: u16,
    /// The TID.
    pub tid: u32,
    /// The TID, six hexadecimal digits.
    pub hex: String,
    /// The minute it says, UTC.
    pub time: String,
    /// Whether it is 00:01 of a day, kept for special tokens.
    pub reserved_minute: bool,
    /// What an ordinary token of that minute gets, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_tid: Option<u32>,
    /// Its high byte: the lowest key expiry number under which it is good.
    pub ken: u8,
    /// The last minute of that key expiry number.
    pub ken_until: String,
    /// The last minute of the base date.
    pub last_minute: String,
    /// Whether the time asked for is past the last minute, so that the count began anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<bool>,
}

/// A token identifier, or a time, under each base date that fits.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TidReport {
    /// Version of the form; 1.
    pub schema: u8,
    /// The TID that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tid: Option<u32>,
    /// The time that was asked for, UTC, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// One for each base date; a time has none under a later one.
    pub readings: Vec<TidUnderBase>,
}

/// Converts a TID (decimal, or hexadecimal after `0x`) to times, or a time (RFC 3339) to TIDs;
/// under one base date where one is given.
///
/// # Errors
///
/// What was found and expected, in words: neither a number nor a time, a TID above 24 bits, a
/// year that is no base date, a time before the base date.
pub fn tid(text: &str, base_date: Option<u16>) -> Result<TidReport, String> {
    let bases = match base_date {
        None => BaseDate::ALL.to_vec(),
        Some(year) => vec![
            BaseDate::from_year(year)
                .ok_or_else(|| format!("{year} is no base date, expected 1993, 2014 or 2035"))?,
        ],
    };
    let text = text.trim();
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => Some(
            u64::from_str_radix(hex, 16)
                .map_err(|_| format!("{text:?} is no hexadecimal number"))?,
        ),
        None if !text.is_empty() && is_digits(text) => {
            Some(text.parse().map_err(|_| too_large(text))?)
        }
        None => None,
    };
    if let Some(number) = number {
        let tid = u32::try_from(number)
            .ok()
            .and_then(|number| TokenId::new(number).ok())
            .ok_or_else(|| too_large(text))?;
        let readings = bases.into_iter().map(|base| reading(tid, base)).collect();
        return Ok(TidReport { schema: 1, tid: Some(tid.get()), time: None, readings });
    }
    at_time(time::parse(text)?, &bases)
}

fn too_large(text: &str) -> String {
    format!("token identifier {text} is not in {} to {}", TokenId::MIN, TokenId::MAX)
}

fn at_time(at: Timestamp, bases: &[BaseDate]) -> Result<TidReport, String> {
    let minutes = time::minutes(at);
    let asked = time::format_minutes(minutes);
    let readings: Vec<TidUnderBase> = bases
        .iter()
        .filter_map(|base| {
            let tid = TokenId::at(minutes, *base)?;
            let mut reading = reading(tid, *base);
            reading.time.clone_from(&asked);
            reading.wrapped = Some(minutes > base.last_unix_minute());
            Some(reading)
        })
        .collect();
    if readings.is_empty() {
        let years: Vec<String> = bases.iter().map(|base| base.year().to_string()).collect();
        return Err(format!("{asked} is before the base date {}", years.join(", ")));
    }
    Ok(TidReport { schema: 1, tid: None, time: Some(asked), readings })
}

fn reading(tid: TokenId, base: BaseDate) -> TidUnderBase {
    let issued = tid.skip_reserved_minute();
    let step_end = base.unix_minutes() + i64::from(tid.get() | 0xFFFF);
    TidUnderBase {
        base_date: base.year(),
        tid: tid.get(),
        hex: format!("{:06X}", tid.get()),
        time: time::format_minutes(tid.unix_minutes(base)),
        reserved_minute: tid.is_reserved_minute(),
        issued_tid: (issued != tid).then_some(issued.get()),
        ken: tid.high_byte(),
        ken_until: time::format_minutes(step_end),
        last_minute: time::format_minutes(base.last_unix_minute()),
        wrapped: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drn_valid_gives_its_parts_and_pan() {
        let report = meter_number("0100 0000 0000 8");
        assert!(report.valid && report.error.is_none());
        assert_eq!(report.kind, Some("drn"));
        assert_eq!(report.mfr_code.as_deref(), Some("0100"));
        assert_eq!(report.serial.as_deref(), Some("00000000"));
        assert_eq!(report.pan.as_deref(), Some("000001000000000082"));
        assert_eq!(report.iin.as_deref(), Some("0000"));
        assert_eq!(drn("00000000000").pan.as_deref(), Some("600727000000000009"));
    }

    #[test]
    fn drn_wrong_check_digit_is_computed() {
        for (number, found, computed) in [("12345678904", 4, 3), ("11111111113", 3, 5)] {
            let report = drn(number);
            assert!(!report.valid && report.pan.is_none() && report.drn.is_none());
            assert_eq!(report.drn_check_digit, Some(found), "{number}");
            assert_eq!(report.drn_check_digit_computed, Some(computed), "{number}");
            assert!(report.error.unwrap().contains("computed"));
        }
    }

    #[test]
    fn pan_valid_gives_its_drn_and_back() {
        for (number, drn_digits) in [
            ("600727000000000009", "00000000000"),
            ("600727111111111153", "11111111115"),
            ("000001000000000082", "0100000000008"),
        ] {
            let report = meter_number(number);
            assert!(report.valid, "{report:?}");
            assert_eq!(report.drn.as_deref(), Some(drn_digits));
            assert_eq!(drn(drn_digits).pan.as_deref(), Some(number));
        }
    }

    #[test]
    fn pan_wrong_check_digits_are_told_apart() {
        let outer = pan("600727111111111154");
        assert_eq!(outer.pan_check_digit_computed, Some(3));
        assert_eq!(outer.drn.as_deref(), Some("11111111115"));
        assert!(!outer.valid);
        let inner = pan("600727111111111133");
        assert_eq!(inner.drn_check_digit_computed, Some(5));
        assert!(!inner.valid);
    }

    #[test]
    fn meter_number_of_no_length_says_what_is_expected() {
        let report = meter_number("1234567890");
        assert!(!report.valid && report.kind.is_none());
        assert!(report.error.unwrap().contains("11 or 13"));
        assert!(meter_number("0412345678x").error.unwrap().contains("character 11"));
        assert!(!meter_number("").valid);
        assert!(!meter_number("٠٤١٢٣٤٥٦٧٨٩").valid);
    }

    #[test]
    fn tid_is_read_under_each_base_date() {
        let report = tid("0xFF79E0", None).unwrap();
        assert_eq!(report.tid, Some(16_742_880));
        let times: Vec<&str> = report.readings.iter().map(|r| r.time.as_str()).collect();
        assert_eq!(times[0], "2024-11-01T00:00:00Z");
        assert_eq!(report.readings[0].ken, 255);
        assert_eq!(report.readings[0].last_minute, "2024-11-24T20:15:00Z");
        assert_eq!(report.readings.len(), 3);
        let expiry = tid("11141120", Some(2014)).unwrap();
        assert_eq!(expiry.readings[0].ken, 170);
        assert_eq!(expiry.readings[0].ken_until, "2035-04-23T09:35:00Z");
    }

    #[test]
    fn time_gives_the_tid_of_each_base_date_reached() {
        let report = tid("2024-11-01T02:00:00+02:00", None).unwrap();
        let tids: Vec<(u16, u32)> = report.readings.iter().map(|r| (r.base_date, r.tid)).collect();
        assert_eq!(tids, [(1993, 16_742_880), (2014, 5_698_080)]);
        let late = tid("2024-11-24T20:16:00Z", Some(1993)).unwrap();
        assert_eq!((late.readings[0].tid, late.readings[0].wrapped), (0, Some(true)));
        let reserved = tid("2014-01-02T00:01:30Z", Some(2014)).unwrap();
        assert!(reserved.readings[0].reserved_minute);
        assert_eq!(reserved.readings[0].issued_tid, Some(1442));
    }

    #[test]
    fn tid_refuses_what_is_neither() {
        assert!(tid("16777216", None).unwrap_err().contains("16777215"));
        assert!(tid("99999999999999999999999", None).unwrap_err().contains("16777215"));
        assert!(tid("1", Some(2015)).unwrap_err().contains("2035"));
        assert!(tid("2013-12-31T23:59:00Z", Some(2014)).unwrap_err().contains("before"));
        assert!(tid("2024-11-01 08:00", None).unwrap_err().contains("no zone"));
        assert!(tid("", None).is_err() && tid("0x", None).is_err());
    }
}
