//! Token identifiers and base dates.
//!
//! A TID counts minutes since 00:00 on 1 January of the base year, in 24 bits (clause 6.3.5).
//! The meter compares TIDs as numbers; only people need the date.

use crate::bounds::bounded;

/// The date from which a vending key's TIDs count.
///
/// An attribute of the vending key, not of the token: nothing in a token tells it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum BaseDate {
    /// 1 January 1993; the last TID is 24 November 2024, 20:15.
    Y1993,
    /// 1 January 2014; the last TID is 24 November 2045, 20:15.
    Y2014,
    /// 1 January 2035; the last TID is 24 November 2066, 20:15.
    Y2035,
}

/// Minutes in a day.
const DAY: u32 = 1440;

impl BaseDate {
    /// All three, oldest first.
    pub const ALL: [Self; 3] = [Self::Y1993, Self::Y2014, Self::Y2035];

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        match self {
            Self::Y1993 => 1993,
            Self::Y2014 => 2014,
            Self::Y2035 => 2035,
        }
    }

    /// From the year, where it is a base date.
    #[must_use]
    pub fn from_year(year: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|base| base.year() == year)
    }

    /// The two digits of the base date in the DKGA04 data block.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Y1993 => "93",
            Self::Y2014 => "14",
            Self::Y2035 => "35",
        }
    }

    /// The next base date, which a rollover leads to.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Y1993 => Some(Self::Y2014),
            Self::Y2014 => Some(Self::Y2035),
            Self::Y2035 => None,
        }
    }

    /// Minutes from 1970-01-01 00:00 to 00:00 on the base date, no leap seconds.
    #[must_use]
    pub const fn unix_minutes(self) -> i64 {
        let days: i64 = match self {
            Self::Y1993 => 8401,
            Self::Y2014 => 16_071,
            Self::Y2035 => 23_741,
        };
        days.wrapping_mul(1440)
    }

    /// The last minute that a TID of this base date can say, as minutes since 1970.
    #[must_use]
    pub const fn last_unix_minute(self) -> i64 {
        self.unix_minutes().wrapping_add(0xFF_FFFF)
    }
}

bounded! {
    /// A token identifier: 24 bits, minutes since the base date. Clause 6.3.5.
    #[doc(alias = "TID")]
    TokenId(u32), "token identifier", 0..=0xFF_FFFF, width 1
}

impl TokenId {
    /// The TID of the minute `unix_minutes` (minutes since 1970-01-01 00:00) as it is, wrapped to
    /// 24 bits once the base date's last minute is over; `None` before the base date.
    #[must_use]
    pub fn at(unix_minutes: i64, base: BaseDate) -> Option<Self> {
        let minutes = unix_minutes.checked_sub(base.unix_minutes())?;
        let minutes = u64::try_from(minutes).ok()?;
        u32::try_from(minutes & 0xFF_FFFF).ok().map(Self)
    }

    /// Minutes since 1970-01-01 00:00 of the first time this TID is reached.
    #[must_use]
    pub fn unix_minutes(self, base: BaseDate) -> i64 {
        base.unix_minutes().wrapping_add(i64::from(self.0))
    }

    /// Whether this is 00:01 of a day, kept for special tokens.
    #[must_use]
    pub const fn is_reserved_minute(self) -> bool {
        self.0 % DAY == 1
    }

    /// This TID, or the next one when it is the reserved minute: what an ordinary token gets.
    #[must_use]
    pub fn skip_reserved_minute(self) -> Self {
        if self.is_reserved_minute() { self.following() } else { self }
    }

    /// The next TID in number, back to 0 after the last.
    #[must_use]
    pub const fn following(self) -> Self {
        Self(self.0.wrapping_add(1) & Self::MAX.0)
    }

    /// The high byte, which a key expiry number is compared with.
    #[must_use]
    pub const fn high_byte(self) -> u8 {
        let [_, high, ..] = self.0.to_be_bytes();
        high
    }

    /// From the low 24 bits of a field.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self((bits & 0xFF_FFFF) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_date_last_minute_is_24_november_20_15() {
        // 1732479300 s is 2024-11-24T20:15:00Z.
        assert_eq!(BaseDate::Y1993.last_unix_minute() * 60, 1_732_479_300);
        assert_eq!(BaseDate::Y1993.next(), Some(BaseDate::Y2014));
    }

    #[test]
    fn tid_after_last_minute_wraps() {
        let base = BaseDate::Y1993;
        let after = base.last_unix_minute() + 1;
        assert_eq!(TokenId::at(after, base), Some(TokenId::MIN));
        assert_eq!(TokenId::at(base.unix_minutes() - 1, base), None);
    }

    #[test]
    fn tid_reserved_minute_moves_on() {
        let reserved = TokenId::new(1441).unwrap();
        assert!(reserved.is_reserved_minute());
        assert_eq!(reserved.skip_reserved_minute().get(), 1442);
        assert_eq!(TokenId::MIN.skip_reserved_minute(), TokenId::MIN);
    }

    #[test]
    fn tid_every_value_round_trips_on_each_base_date() {
        for base in BaseDate::ALL {
            for tid in 0..=TokenId::MAX.get() {
                let tid = TokenId(tid);
                assert_eq!(TokenId::at(tid.unix_minutes(base), base), Some(tid));
            }
        }
    }
}
