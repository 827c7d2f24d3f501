//! Amounts as a token carries them: exact integers both ways, no floating point.
//!
//! A 16-bit field holds a 2-bit exponent `e` and a 14-bit mantissa `m` and stands for
//! `10^e * m + 2^14 * (10^e - 1) / 9` (clause 6.3.6); a currency amount spreads a sign and a
//! 5-bit exponent over two fields (clause 6.3.21). Ranges of the exponents do not overlap, so
//! every bit pattern has one value and every value at most one pattern.

use crate::bounds::OutOfRange;

/// What a credit token delivers and a meter measures.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "two bits of the subclass: complete")]
pub enum Commodity {
    /// Counted in 0.1 kWh.
    Electricity = 0,
    /// Counted in 0.1 m³.
    Water = 1,
    /// Counted in 0.1 m³.
    Gas = 2,
    /// Connection time, counted in 0.1 min.
    Time = 3,
}

impl Commodity {
    /// All four, in the order of the subclasses.
    pub const ALL: [Self; 4] = [Self::Electricity, Self::Water, Self::Gas, Self::Time];

    /// The unit in which quantities are written; a token counts tenths of it.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Electricity => "kWh",
            Self::Water | Self::Gas => "m3",
            Self::Time => "min",
        }
    }

    /// The commodity's name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Electricity => "electricity",
            Self::Water => "water",
            Self::Gas => "gas",
            Self::Time => "time",
        }
    }

    /// From the low two bits of a class 0 subclass.
    pub(crate) const fn from_low_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Electricity,
            1 => Self::Water,
            2 => Self::Gas,
            _ => Self::Time,
        }
    }
}

const MANTISSA_BITS: u32 = 14;
const MANTISSA_MAX: u16 = (1 << MANTISSA_BITS) - 1;

/// `2^14 * (1 + 10 + … + 10^(e-1))` and `10^e` for the four exponents of a 16-bit field.
const RANGES: [(u32, u32); 4] = [(0, 1), (16_384, 10), (180_224, 100), (1_818_624, 1000)];

/// An amount as the 16-bit field of a credit, `MaximumPowerLimit` or phase unbalance token.
///
/// In units of 0.1 kWh, 0.1 m³, 0.1 min or 1 W, from 0 to 18 201 624. Clause 6.3.6.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Amount {
    field: u16,
}

impl Amount {
    /// The largest amount, 18 201 624 units.
    pub const MAX: Self = Self { field: u16::MAX };

    /// The amount with this bit pattern; every pattern is one.
    #[must_use]
    pub const fn from_field(field: u16) -> Self {
        Self { field }
    }

    /// The 16 bits: exponent above mantissa.
    #[must_use]
    pub const fn field(self) -> u16 {
        self.field
    }

    /// The number of units.
    #[must_use]
    pub fn units(self) -> u32 {
        let mantissa = u32::from(self.field & MANTISSA_MAX);
        let (offset, step) = match self.field >> MANTISSA_BITS {
            0 => RANGES[0],
            1 => RANGES[1],
            2 => RANGES[2],
            _ => RANGES[3],
        };
        // 1000 * 16383 + 1 818 624 is far below 2^32.
        mantissa.wrapping_mul(step).wrapping_add(offset)
    }

    /// The smallest amount of at least `units`: rounding is up, in the customer's favour.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] above 18 201 624.
    pub fn round_up(units: u32) -> Result<Self, OutOfRange> {
        for (exponent, (offset, step)) in (0_u16..).zip(RANGES) {
            let mantissa = units.saturating_sub(offset).div_ceil(step);
            if let Ok(mantissa) = u16::try_from(mantissa)
                && mantissa <= MANTISSA_MAX
            {
                return Ok(Self { field: exponent << MANTISSA_BITS | mantissa });
            }
        }
        let max = u64::from(Self::MAX.units());
        Err(OutOfRange { what: "amount", found: u64::from(units), min: 0, max })
    }
}

/// A currency amount as a class 0 token of subclass 4 to 7 carries it.
///
/// In units of 0.000 01 of the base currency. A sign, a 5-bit exponent and a 14-bit mantissa:
/// about ±1.8 · 10^35 units. Zero may carry either sign. Clause 6.3.21.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct CurrencyAmount {
    negative: bool,
    exponent: u8,
    mantissa: u16,
}

/// An amount of currency that no token can carry.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("the currency amount is beyond what 31 exponents can carry")]
#[non_exhaustive]
pub struct CurrencyOverflow;

impl CurrencyAmount {
    /// Number of decimals of the base currency that one unit stands for.
    pub const DECIMALS: u32 = 5;

    /// From the sign-and-exponent nibble (block bits 59..56) and the 16-bit field (31..16).
    #[must_use]
    pub fn from_fields(sign_and_exponent: u8, field: u16) -> Self {
        let low = u8::try_from(field >> MANTISSA_BITS).unwrap_or_default();
        Self {
            negative: sign_and_exponent & 8 != 0,
            exponent: (sign_and_exponent & 7) << 2 | low,
            mantissa: field & MANTISSA_MAX,
        }
    }

    /// The sign-and-exponent nibble and the 16-bit field.
    #[must_use]
    pub const fn fields(self) -> (u8, u16) {
        let nibble = (self.negative as u8) << 3 | self.exponent >> 2;
        let field = ((self.exponent & 3) as u16) << MANTISSA_BITS | self.mantissa;
        (nibble, field)
    }

    /// The signed number of units.
    #[must_use]
    pub fn units(self) -> i128 {
        let mut step = 1_i128;
        let mut offset = 0_i128;
        // 118 bits at the most, so nothing wraps.
        for _ in 0..self.exponent {
            offset = offset.wrapping_add(step << MANTISSA_BITS);
            step = step.wrapping_mul(10);
        }
        let magnitude = offset.wrapping_add(step.wrapping_mul(i128::from(self.mantissa)));
        if self.negative { magnitude.wrapping_neg() } else { magnitude }
    }

    /// The nearest amount towards plus infinity: a debit shrinks, a credit grows.
    ///
    /// # Errors
    ///
    /// [`CurrencyOverflow`] beyond the largest exponent.
    pub fn round_up(units: i128) -> Result<Self, CurrencyOverflow> {
        let negative = units < 0;
        let magnitude = i128::try_from(units.unsigned_abs()).map_err(|_| CurrencyOverflow)?;
        let mut step = 1_i128;
        let mut offset = 0_i128;
        for exponent in 0..32 {
            let next = offset.wrapping_add(step << MANTISSA_BITS);
            let above = magnitude.wrapping_sub(offset).max(0);
            let down = above.checked_div(step).unwrap_or_default();
            let exact = down.wrapping_mul(step) == above;
            let mantissa = if negative {
                // What lies in the gap below the next range falls back to the end of this one.
                if magnitude < next { down.min(i128::from(MANTISSA_MAX)) } else { down }
            } else {
                down.wrapping_add(i128::from(!exact))
            };
            if mantissa <= i128::from(MANTISSA_MAX)
                && let Ok(mantissa) = u16::try_from(mantissa)
            {
                return Ok(Self { negative, exponent, mantissa });
            }
            offset = next;
            step = step.wrapping_mul(10);
        }
        Err(CurrencyOverflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_published_examples_round_up() {
        for (units, field, held) in [
            (1, 1, 1),
            (16_383, 0x3FFF, 16_383),
            (16_384, 0x4000, 16_384),
            (20_000, 0x416A, 20_004),
            (180_223, 0x8000, 180_224),
            (1_818_623, 0xC000, 1_818_624),
            (18_201_624, 0xFFFF, 18_201_624),
        ] {
            let amount = Amount::round_up(units).unwrap();
            assert_eq!((amount.field(), amount.units()), (field, held), "{units}");
        }
        assert!(Amount::round_up(18_201_625).is_err());
    }

    #[test]
    fn amount_every_field_round_trips() {
        for field in 0..=u16::MAX {
            let amount = Amount::from_field(field);
            assert_eq!(Amount::round_up(amount.units()), Ok(amount));
        }
    }

    #[test]
    fn currency_rounds_towards_plus_infinity() {
        assert_eq!(CurrencyAmount::round_up(100_000).unwrap().units(), 100_004);
        assert_eq!(CurrencyAmount::round_up(-100_000).unwrap().units(), -99_994);
        assert_eq!(CurrencyAmount::round_up(-180_220).unwrap().units(), -180_214);
        assert_eq!(CurrencyAmount::round_up(0).unwrap().fields(), (0, 0));
        assert!(CurrencyAmount::round_up(i128::MAX).is_err());
        assert!(CurrencyAmount::round_up(i128::MIN).is_err());
    }

    #[test]
    fn currency_every_field_round_trips() {
        for nibble in 0..16 {
            for field in 0..=u16::MAX {
                let amount = CurrencyAmount::from_fields(nibble, field);
                assert_eq!(amount.fields(), (nibble, field));
                let back = CurrencyAmount::round_up(amount.units()).unwrap();
                assert_eq!(back.units(), amount.units());
                // Only minus zero does not come back as it was.
                assert!(back == amount || amount.units() == 0);
            }
        }
    }
}
