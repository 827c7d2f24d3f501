//! Times in files: RFC 3339, with a zone. TIDs count minutes.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// A time zone in which a vending side counted TIDs.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// A fixed offset such as `+02:00`, or an IANA name such as `Africa/Johannesburg`.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "UTC" || text == "Z" {
            return Ok(Self(TimeZone::UTC));
        }
        if text.starts_with(['+', '-']) {
            let seconds = format!("1970-01-01T00:00:00{text}")
                .parse::<Timestamp>()
                .map(|time| -time.as_second())
                .map_err(|_| format!("zone {text:?}, expected an offset such as +02:00"))?;
            let seconds = i32::try_from(seconds).map_err(|error| error.to_string())?;
            let offset = Offset::from_seconds(seconds).map_err(|error| error.to_string())?;
            return Ok(Self(TimeZone::fixed(offset)));
        }
        TimeZone::get(text).map(Self).map_err(|_| {
            format!("zone {text:?} is not known, expected UTC, +02:00 or an IANA name")
        })
    }

    pub(crate) const fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    /// Minutes since 1970 in local time as minutes since 1970 UTC.
    #[must_use]
    pub fn to_utc_minutes(&self, local: i64) -> i64 {
        let guess = self.offset_minutes(local);
        // Once more from the instant found: right outside the hour of a change.
        local - self.offset_minutes(local - guess)
    }

    /// Minutes since 1970 UTC as minutes since 1970 in local time.
    #[must_use]
    pub fn to_local_minutes(&self, utc: i64) -> i64 {
        utc + self.offset_minutes(utc)
    }

    fn offset_minutes(&self, utc: i64) -> i64 {
        Timestamp::from_second(utc * 60)
            .map(|time| i64::from(self.0.to_offset(time).seconds()) / 60)
            .unwrap_or_default()
    }
}

/// A time with its zone.
///
/// # Errors
///
/// What is wrong and what was expected, in words.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    if let Some(time) = usual(text.as_bytes()) {
        return Ok(time);
    }
    text.parse().map_err(|_| {
        let as_utc = format!("{}Z", text.replace(' ', "T"));
        if as_utc.parse::<Timestamp>().is_ok() {
            format!("{text:?} has no zone, expected for example 2024-11-01T08:00:00Z or +02:00")
        } else {
            format!("{text:?} is no time, expected for example 2024-11-01T08:00:00Z")
        }
    })
}

/// A time such as `2024-11-01T08:00:00Z`, as jiff reads it; `None` where it stands in another form.
fn usual(text: &[u8]) -> Option<Timestamp> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'Z',
    ] = text
    else {
        return None;
    };
    let pair = |tens: &u8, ones: &u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        let pair = || i8::try_from(tens * 10 + ones).ok();
        if tens <= 9 && ones <= 9 { pair() } else { None }
    };
    let year = i16::from(pair(y1, y2)?) * 100 + i16::from(pair(y3, y4)?);
    let (month, day) = (pair(m1, m2)?, pair(d1, d2)?);
    let (hour, minute, second) = (pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?);
    let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Now.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Whole minutes since 1970, UTC.
#[must_use]
pub fn minutes(time: Timestamp) -> i64 {
    time.as_second().div_euclid(60)
}

/// Minutes since 1970 as RFC 3339.
#[must_use]
pub fn format_minutes(minutes: i64) -> String {
    Timestamp::from_second(minutes * 60).map(|time| time.to_string()).unwrap_or_default()
}

/// To the minute, for people: `2024-11-01 08:00`, UTC.
#[must_use]
pub fn format_short(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_without_zone_says_so() {
        assert!(parse("2024-11-01T08:00:00").unwrap_err().contains("no zone"));
        assert!(parse("2024-11-01 08:00").unwrap_err().contains("no zone"));
        assert!(parse("1 Nov").unwrap_err().contains("no time"));
        let utc = parse("2024-11-01T08:00:00Z").unwrap();
        assert_eq!(parse("2024-11-01T10:00:00+02:00").unwrap(), utc);
        assert_eq!(format_minutes(minutes(utc)), "2024-11-01T08:00:00Z");
    }

    #[test]
    fn usual_form_is_read_as_jiff_reads_it() {
        let two = |digits: i64| format!("{digits:02}");
        for year in [0, 1, 1582, 1899, 1900, 1970, 2000, 2023, 2024, 2100, 9999] {
            for (month, day) in (0..14).flat_map(|month| (0..33).map(move |day| (month, day))) {
                for clock in
                    ["00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:00:60", "1a:00:00"]
                {
                    let text = format!("{year:04}-{}-{}T{clock}Z", two(month), two(day));
                    let by_jiff = text.parse::<Timestamp>().ok();
                    assert_eq!(parse(&text).ok(), by_jiff, "{text}");
                    if !clock.ends_with("60") {
                        assert_eq!(usual(text.as_bytes()), by_jiff, "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn zone_converts_both_ways() {
        for name in ["+02:00", "Africa/Johannesburg"] {
            let zone = Zone::parse(name).unwrap();
            assert_eq!(zone.to_local_minutes(1000), 1120, "{name}");
            assert_eq!(zone.to_utc_minutes(1120), 1000, "{name}");
        }
        assert!(Zone::parse("Africa/Nowhere").is_err());
        assert!(Zone::parse("+2").is_err());
    }
}
