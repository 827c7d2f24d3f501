//! Numbers with a range: stated once, read by the code, the messages and the tests.

use core::fmt;

/// A number that lies outside the range its field allows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("{what} {found} is not in {min} to {max}")]
pub struct OutOfRange {
    /// The field, in the words of the standard.
    pub what: &'static str,
    /// The value found.
    pub found: u64,
    /// The smallest value allowed.
    pub min: u64,
    /// The largest value allowed.
    pub max: u64,
}

/// Declares a newtype over an unsigned integer with an inclusive range.
///
/// `width` is the number of decimal digits it is shown with: the trade's codes keep their
/// leading zeros.
macro_rules! bounded {
    ($(#[$meta:meta])* $name:ident($int:ty), $what:literal, $min:literal..=$max:literal, width $width:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name($int);

        impl $name {
            #[doc = concat!("The smallest ", $what, ".")]
            pub const MIN: Self = Self($min);
            #[doc = concat!("The largest ", $what, ".")]
            pub const MAX: Self = Self($max);
            /// What it is called in messages.
            pub const WHAT: &'static str = $what;

            #[doc = concat!("The ", $what, " `value`, ", $min, " to ", $max, ".")]
            ///
            /// # Errors
            ///
            #[doc = concat!("[`OutOfRange`](crate::OutOfRange) outside ", $min, " to ", $max, ".")]
            #[allow(unused_comparisons, clippy::cast_lossless, clippy::absurd_extreme_comparisons, trivial_numeric_casts,
                reason = "a range may start at 0 or end at the integer's own end; `From` is not const")]
            pub const fn new(value: $int) -> Result<Self, $crate::bounds::OutOfRange> {
                if value < $min || value > $max {
                    return Err($crate::bounds::OutOfRange {
                        what: $what,
                        found: value as u64,
                        min: $min as u64,
                        max: $max as u64,
                    });
                }
                Ok(Self(value))
            }

            /// The plain number.
            #[must_use]
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl TryFrom<$int> for $name {
            type Error = $crate::bounds::OutOfRange;

            fn try_from(value: $int) -> Result<Self, Self::Error> {
                Self::new(value)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!("{:0", $width, "}"), self.0)
            }
        }
    };
}
pub(crate) use bounded;

/// Writes decimal digits held as ASCII bytes.
pub(crate) fn write_ascii(f: &mut fmt::Formatter<'_>, digits: &[u8]) -> fmt::Result {
    f.write_str(core::str::from_utf8(digits).unwrap_or_default())
}
