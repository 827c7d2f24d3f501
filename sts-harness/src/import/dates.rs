//! Times as exports write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset};

use crate::time::Zone;

/// Whether the day or the month comes first in a date such as 03/04/2024.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DateOrder {
    /// The day: 31/12/2024.
    DayFirst,
    /// The month: 12/31/2024.
    MonthFirst,
}

impl DateOrder {
    /// From `dmy` or `mdy`.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "dmy" => Ok(Self::DayFirst),
            "mdy" => Ok(Self::MonthFirst),
            _ => Err(format!("{text:?}, expected dmy (31/12/2024) or mdy (12/31/2024)")),
        }
    }

    /// As it is said on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DayFirst => "dmy",
            Self::MonthFirst => "mdy",
        }
    }
}

/// How a value writes its time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Form {
    Iso,
    Compact,
    Numbers,
    MonthName,
    Serial,
    Unix,
}

impl Form {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Iso => "year first",
            Self::Compact => "digits alone, year first",
            Self::Numbers => "three numbers",
            Self::MonthName => "the month by its name",
            Self::Serial => "a spreadsheet's days since 1900",
            Self::Unix => "seconds or milliseconds since 1970",
        }
    }
}

/// A time as it stands, before a zone is put on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Written {
    pub(super) form: Form,
    pub(super) local: DateTime,
    /// Its distance from UTC, where it says so.
    pub(super) offset: Option<Offset>,
    /// Whether it says a time of day.
    pub(super) has_time: bool,
}

/// What is known of the order of a date in three numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hint {
    /// It is a date in one order alone.
    Only(DateOrder),
    /// Both are dates, and differ.
    Either,
    /// It says nothing about orders.
    Nothing,
}

/// What a value tells about the order of its column.
pub(super) fn hint(text: &str) -> Hint {
    match (read(text, DateOrder::DayFirst), read(text, DateOrder::MonthFirst)) {
        (Ok(day), Ok(month)) if day == month => Hint::Nothing,
        (Ok(_), Ok(_)) => Hint::Either,
        (Ok(_), Err(_)) => Hint::Only(DateOrder::DayFirst),
        (Err(_), Ok(_)) => Hint::Only(DateOrder::MonthFirst),
        (Err(_), Err(_)) => Hint::Nothing,
    }
}

const EXPECTED: &str = "expected for example 2024-11-01 08:00:00";

/// Reads a time.
///
/// # Errors
///
/// What was found and expected.
pub(super) fn read(text: &str, order: DateOrder) -> Result<Written, String> {
    let none = || format!("{text:?} is no time, {EXPECTED}");
    let trimmed = text.trim();
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if !trimmed.is_empty()
        && trimmed.bytes().all(is_number)
        && let Some(written) = number(trimmed)
    {
        return written.ok_or_else(none);
    }
    let (date, time) = halves(trimmed);
    let (form, date) = day(date, order).ok_or_else(none)?;
    let (time, offset, has_time) = match time {
        "" => (Time::midnight(), None, false),
        time => {
            let (time, offset) = time_of_day(time).map_err(|why| format!("{text:?}: {why}"))?;
            (time, offset, true)
        }
    };
    // Prepayment tokens count from 1993.
    if !(1993..=2100).contains(&date.year()) {
        return Err(format!("{text:?} is in {}, expected a year of 1993 to 2100", date.year()));
    }
    Ok(Written { form, local: date.to_datetime(time), offset, has_time })
}

/// Where the date ends and the time of day begins.
fn halves(text: &str) -> (&str, &str) {
    let is_time = |rest: &str| {
        let rest = rest.trim_start();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        (1..=2).contains(&digits) && rest.as_bytes().get(digits) == Some(&b':')
    };
    for (place, c) in text.char_indices() {
        let rest = &text[place + c.len_utf8()..];
        if matches!(c, 'T' | 't' | ' ' | ',') && is_time(rest) {
            return (text[..place].trim_end_matches([',', ' ']), rest.trim());
        }
    }
    (text, "")
}

/// Digits alone, by their number: `None` where they are none of it, so that something else may be.
fn number(text: &str) -> Option<Option<Written>> {
    let local = |form, local: Option<DateTime>, has_time| {
        Some(local.map(|local| Written { form, local, offset: None, has_time }))
    };
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
    let year = || text.get(..4)?.parse::<i16>().ok();
    let compact = |seconds: bool| {
        let second = if seconds { part(12, 14)? } else { 0 };
        DateTime::new(year()?, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, second, 0)
            .ok()
    };
    let whole = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        14 if whole => local(Form::Compact, compact(true), true),
        12 if whole => local(Form::Compact, compact(false), true),
        8 if whole => {
            let date = || Date::new(year()?, part(4, 6)?, part(6, 8)?).ok();
            local(Form::Compact, date().map(|date| date.to_datetime(Time::midnight())), false)
        }
        10 | 13 if whole => {
            let number: i64 = text.parse().ok()?;
            let milliseconds = if text.len() == 13 { number } else { number * 1000 };
            let time = Timestamp::from_millisecond(milliseconds).ok()?;
            let local = Offset::UTC.to_datetime(time);
            let (offset, has_time) = (Some(Offset::UTC), true);
            Some(Some(Written { form: Form::Unix, local, offset, has_time }))
        }
        _ => {
            let (days, part) = text.split_once('.').unwrap_or((text, ""));
            let sound = days.len() == 5 && part.len() <= 15 && !part.contains('.');
            sound.then(|| {
                let local = serial(text)?;
                Some(Written {
                    form: Form::Serial,
                    local,
                    offset: None,
                    has_time: !part.is_empty(),
                })
            })
        }
    }
}

/// A spreadsheet's days since the end of 1899, to the millisecond.
pub(super) fn serial(text: &str) -> Option<DateTime> {
    let (days, part) = text.split_once('.').unwrap_or((text, ""));
    let days: i32 = days.parse().ok()?;
    // In integers: a part of a day has at most 15 digits.
    let kept = part.get(..part.len().min(15))?;
    let fraction: u128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    let scale = 10_u128.pow(u32::try_from(kept.len()).ok()?);
    let milliseconds = (fraction * 86_400_000 * 2 + scale) / (scale * 2);
    let base = Date::new(1899, 12, 30).ok()?;
    let day = base.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    let start = day.to_datetime(Time::midnight());
    let span = jiff::Span::new().try_milliseconds(i64::try_from(milliseconds).ok()?).ok()?;
    start.checked_add(span).ok()
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn month_named(text: &str) -> Option<i8> {
    let start = text.to_lowercase();
    let start = start.get(..3)?;
    let place = MONTHS.iter().position(|month| *month == start)?;
    let letters = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    letters.then(|| i8::try_from(place + 1).ok()).flatten()
}

fn day(text: &str, order: DateOrder) -> Option<(Form, Date)> {
    let parts: Vec<&str> =
        text.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
    // A weekday in front says nothing more.
    let parts = match parts.as_slice() {
        [weekday, rest @ ..]
            if rest.len() == 3 && weekday.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
        {
            rest
        }
        parts => parts,
    };
    let &[a, b, c] = parts else { return None };
    let small = |text: &str| -> Option<i8> {
        let digits = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let year = |text: &str| -> Option<i16> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number: i16 = digits.then(|| text.parse().ok()).flatten()?;
        match text.len() {
            4 => Some(number),
            2 => Some(2000 + number),
            _ => None,
        }
    };
    let (form, date) = if a.len() == 4 {
        let month = small(b).or_else(|| month_named(b))?;
        (Form::Iso, Date::new(year(a)?, month, small(c)?))
    } else if let Some(month) = month_named(b) {
        (Form::MonthName, Date::new(year(c)?, month, small(a)?))
    } else if let Some(month) = month_named(a) {
        (Form::MonthName, Date::new(year(c)?, month, small(b)?))
    } else {
        let (day, month) = match order {
            DateOrder::DayFirst => (small(a)?, small(b)?),
            DateOrder::MonthFirst => (small(b)?, small(a)?),
        };
        (Form::Numbers, Date::new(year(c)?, month, day))
    };
    Some((form, date.ok()?))
}

fn time_of_day(text: &str) -> Result<(Time, Option<Offset>), String> {
    let none = || format!("{text:?} is no time of day, expected for example 08:00:00");
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ',')))
        .unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let mut rest = rest.trim();
    let mut parts = clock.split(':');
    let mut two = || -> Option<i8> {
        let part = parts.next()?;
        (part.len() <= 2).then(|| part.parse().ok()).flatten()
    };
    let (hour, minute) = (two().ok_or_else(none)?, two().ok_or_else(none)?);
    let (mut second, mut nanosecond) = (0, 0);
    if let Some(seconds) = parts.next() {
        let (whole, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
        second = whole.parse().map_err(|_| none())?;
        let digits = fraction.get(..fraction.len().min(9)).unwrap_or_default();
        nanosecond = format!("{digits:0<9}").parse().map_err(|_| none())?;
    }
    if parts.next().is_some() {
        return Err(none());
    }
    let mut hour = hour;
    let half = rest.get(..2).map(str::to_lowercase);
    if let Some(half) = half.filter(|half| matches!(half.as_str(), "am" | "pm")) {
        if !(1..=12).contains(&hour) {
            return Err(none());
        }
        hour = hour % 12 + if half == "pm" { 12 } else { 0 };
        rest = rest[2..].trim_start();
    }
    let time = Time::new(hour, minute, second, nanosecond).map_err(|_| none())?;
    Ok((time, offset(rest)?))
}

fn offset(text: &str) -> Result<Option<Offset>, String> {
    let none = || {
        format!("zone {text:?} is not read here, expected Z or an offset such as +02:00, or --tz")
    };
    // The offset in front says all that a name in brackets repeats.
    let text = text.split_once('[').map_or(text, |(offset, _)| offset.trim_end());
    if text.is_empty() {
        return Ok(None);
    }
    if matches!(text, "Z" | "z" | "UTC" | "GMT") {
        return Ok(Some(Offset::UTC));
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return Err(none()),
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(none());
    }
    let hours: i32 = digits[..2].parse().map_err(|_| none())?;
    let minutes: i32 = digits[2..].parse().unwrap_or_default();
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).map(Some).map_err(|_| none())
}

/// An instant, and whether the clocks showed it twice.
pub(super) fn instant(written: Written, zone: Option<&Zone>) -> Result<(Timestamp, bool), String> {
    let far = |error: jiff::Error| error.to_string();
    if let Some(offset) = written.offset {
        return Ok((offset.to_timestamp(written.local).map_err(far)?, false));
    }
    let Some(zone) = zone else {
        return Err("has no zone, expected one in the value, or --tz".to_owned());
    };
    let local = zone.time_zone().to_ambiguous_timestamp(written.local);
    let twice = match local.offset() {
        AmbiguousOffset::Unambiguous { .. } => false,
        AmbiguousOffset::Fold { .. } => true,
        AmbiguousOffset::Gap { .. } => {
            return Err(format!(
                "{} is no time in the zone: clocks were put forward over it",
                written.local
            ));
        }
    };
    // The first of two: what came later is found out of order.
    Ok((local.compatible().map_err(far)?, twice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> String {
        match read(text, DateOrder::DayFirst) {
            Ok(written) => {
                let offset = written.offset.map(|o| o.to_string()).unwrap_or_default();
                format!("{}{offset}", written.local)
            }
            Err(error) => error,
        }
    }

    #[test]
    fn forms_of_exports_are_read() {
        for (text, expected) in [
            ("2024-11-01T08:00:00Z", "2024-11-01T08:00:00+00"),
            ("2024-11-01 08:00", "2024-11-01T08:00:00"),
            ("2024/11/01 08:00:05.250", "2024-11-01T08:00:05.25"),
            ("2024-11-01T08:00:00+02:00", "2024-11-01T08:00:00+02"),
            ("2024-11-01T08:00:00+02:00[Africa/Johannesburg]", "2024-11-01T08:00:00+02"),
            ("20241101080005", "2024-11-01T08:00:05"),
            ("202411010800", "2024-11-01T08:00:00"),
            ("20241101", "2024-11-01T00:00:00"),
            ("01/11/2024 8:00 PM", "2024-11-01T20:00:00"),
            ("1.11.24 12:05 am", "2024-11-01T00:05:00"),
            ("01-Nov-2024 08:00", "2024-11-01T08:00:00"),
            ("Fri, 1 November 2024 08:00", "2024-11-01T08:00:00"),
            ("Nov 1, 2024, 08:00", "2024-11-01T08:00:00"),
            ("45597.3333333333", "2024-11-01T08:00:00"),
            ("45597", "2024-11-01T00:00:00"),
            ("1730448000", "2024-11-01T08:00:00+00"),
            ("1730448000123", "2024-11-01T08:00:00.123+00"),
        ] {
            assert_eq!(local(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_what_was_expected() {
        for text in
            ["", "yesterday", "2024-13-01", "32/01/2024", "2024-11-01 25:00", "1e5", "....."]
        {
            assert!(local(text).contains("expected"), "{text}: {}", local(text));
        }
        assert!(local("1899-12-30").contains("1993"));
        assert!(local("2024-11-01 08:00 SAST").contains("SAST"));
    }

    #[test]
    fn order_is_told_where_it_shows() {
        assert_eq!(hint("13/01/2024"), Hint::Only(DateOrder::DayFirst));
        assert_eq!(hint("01/13/2024"), Hint::Only(DateOrder::MonthFirst));
        assert_eq!(hint("02/01/2024"), Hint::Either);
        assert_eq!(hint("02/02/2024"), Hint::Nothing);
        assert_eq!(hint("2024-01-02"), Hint::Nothing);
    }

    #[test]
    fn clocks_put_back_and_forward() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let at = |text| instant(read(text, DateOrder::DayFirst).unwrap(), Some(&zone));
        let (time, twice) = at("2024-10-27 02:30").unwrap();
        assert_eq!((time.to_string().as_str(), twice), ("2024-10-27T00:30:00Z", true));
        assert!(at("2024-03-31 02:30").unwrap_err().contains("put forward"));
        assert!(!at("2024-11-01 02:30").unwrap().1);
        let bare = read("2024-11-01 02:30", DateOrder::DayFirst).unwrap();
        assert!(instant(bare, None).unwrap_err().contains("--tz"));
    }
}
