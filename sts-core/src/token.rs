//! Twenty digits, 66 bits, class and block; opening and authenticating.
//!
//! Clauses 6.4.2 (class insertion and transposition), 6.4.3 (decimal form) and 7.3.3 to 7.3.5.

use core::fmt;

use crate::class::{Class, Payload, check_holds};
use crate::key::{DecoderKey, EncryptionAlgorithm};
use crate::rejection::Rejection;

/// Digits of a token.
pub const DIGITS: usize = 20;

/// Why a text is not a token.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTokenError {
    /// Not twenty digits.
    #[error("{found} digits, expected 20")]
    Length {
        /// Digits found.
        found: usize,
    },
    /// A character that is neither a digit nor a separator.
    #[error("character {} is {found:?}, expected a digit", .position.saturating_add(1))]
    NonDigit {
        /// Its place from 0, in characters.
        position: usize,
        /// The character.
        found: char,
    },
    /// At or above 2^66.
    #[error("above 73786976294838206463, the largest token")]
    OutOfRange,
}

/// A well-formed token: 66 bits, as class and 64-bit block. Nothing is said of its contents.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Token {
    class: Class,
    block: u64,
}

/// Where the class stands in the 66 bits; the two block bits it displaces go to the top.
const CLASS_SHIFT: u32 = 27;
const CLASS_MASK: u64 = 3 << CLASS_SHIFT;

impl Token {
    /// Reads twenty digits, with the separators of [`Keyed`](crate::Keyed) anywhere between.
    ///
    /// # Errors
    ///
    /// [`ParseTokenError`].
    ///
    /// ```
    /// # use sts_core::{ParseTokenError, Token};
    /// assert!(Token::parse("1844 6744 0738 4377 2416").is_ok());
    /// assert_eq!(Token::parse("73786976294838206464"), Err(ParseTokenError::OutOfRange));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ParseTokenError> {
        // What programs hand over has no separators to look for.
        if let Ok(ascii) = <&[u8; DIGITS]>::try_from(text.as_bytes())
            && ascii.iter().all(u8::is_ascii_digit)
        {
            let digits = ascii.map(|digit| digit & 15);
            return Self::from_digits(&digits).ok_or(ParseTokenError::OutOfRange);
        }
        let keyed = crate::Keyed::parse(text)
            .map_err(|at| ParseTokenError::NonDigit { position: at.position, found: at.found })?;
        match keyed.digits().try_into() {
            Ok(digits) => Self::from_digits(digits).ok_or(ParseTokenError::OutOfRange),
            Err(_) => Err(ParseTokenError::Length { found: keyed.count() }),
        }
    }

    /// From twenty digits of value 0 to 9; `None` at or above 2^66.
    #[must_use]
    pub fn from_digits(digits: &[u8; DIGITS]) -> Option<Self> {
        let [first @ .., last] = digits;
        // Nineteen digits fit 64 bits, as two runs that do not wait for each other; the last step
        // may carry into the top two bits.
        let number = |digits: &[u8]| {
            digits.iter().fold(0_u64, |n, digit| n.wrapping_mul(10).wrapping_add(u64::from(*digit)))
        };
        let (left, right) = first.split_at(10);
        let low = number(left).wrapping_mul(1_000_000_000).wrapping_add(number(right));
        let (eight, two) = (low << 3, low << 1);
        let (sum, carry) = eight.overflowing_add(two);
        let (sum, carry_again) = sum.overflowing_add(u64::from(*last));
        let high = (low >> 61)
            .wrapping_add(low >> 63)
            .wrapping_add(u64::from(carry))
            .wrapping_add(u64::from(carry_again));
        (high <= 3).then(|| Self::from_parts(high, sum))
    }

    fn from_parts(high: u64, low: u64) -> Self {
        Self {
            class: Class::from_bits(low >> CLASS_SHIFT),
            block: low & !CLASS_MASK | high << CLASS_SHIFT,
        }
    }

    fn parts(self) -> (u64, u64) {
        let high = (self.block & CLASS_MASK) >> CLASS_SHIFT;
        let low = self.block & !CLASS_MASK | u64::from(self.class.bits()) << CLASS_SHIFT;
        (high, low)
    }

    /// The 66 bits as a number.
    #[must_use]
    pub fn bits(self) -> u128 {
        let (high, low) = self.parts();
        u128::from(high) << 64 | u128::from(low)
    }

    /// From 66 bits; `None` where there are more.
    #[must_use]
    pub fn from_bits(bits: u128) -> Option<Self> {
        let high = u64::try_from(bits >> 64).ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "the low 64 bits are meant")]
        let low = bits as u64;
        (high <= 3).then(|| Self::from_parts(high, low))
    }

    /// From class and block, encrypted where the class is.
    #[must_use]
    pub const fn from_class_and_block(class: Class, block: u64) -> Self {
        Self { class, block }
    }

    /// The twenty digits, as ASCII.
    #[must_use]
    pub fn digits(self) -> [u8; DIGITS] {
        let mut bits = self.bits();
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            let low = (bits % 10) as u8;
            *digit = low.wrapping_add(b'0');
            bits /= 10;
        }
        digits
    }

    /// The class, which is never encrypted.
    #[must_use]
    pub const fn class(self) -> Class {
        self.class
    }

    /// The block as it stands in the token: encrypted in classes 0 and 2.
    #[must_use]
    pub const fn block(self) -> u64 {
        self.block
    }

    /// Decrypts the block where its class is encrypted. Nothing is checked yet.
    pub fn open(self, key: &DecoderKey) -> Opened {
        let block = if self.class.is_encrypted() { key.decrypt(self.block) } else { self.block };
        Opened { class: self.class, block, long_key: key.ea().has_long_key() }
    }

    /// The token with its block as decrypted elsewhere, as in a batch of many, by the algorithm
    /// `ea`. Nothing is checked yet.
    pub const fn opened_elsewhere(self, block: u64, ea: EncryptionAlgorithm) -> Opened {
        Opened { class: self.class, block, long_key: ea.has_long_key() }
    }

    /// The block of a class 1 token, which needs no key; `None` for any other class.
    #[must_use]
    pub fn open_without_key(self) -> Option<Opened> {
        (self.class == Class::NonMeterSpecificManagement).then_some(Opened {
            class: self.class,
            block: self.block,
            long_key: false,
        })
    }

    /// Makes the token that says `payload`, encrypted where its class is.
    #[cfg(feature = "seal")]
    #[must_use]
    pub fn seal(payload: &Payload, key: &DecoderKey) -> Self {
        let (class, block) = payload.block();
        let block = if class.is_encrypted() { key.encrypt(block) } else { block };
        Self { class, block }
    }

    /// Makes a class 1 token, which needs no key; `None` for a payload of another class.
    #[cfg(feature = "seal")]
    #[must_use]
    pub fn seal_without_key(payload: &Payload) -> Option<Self> {
        let (class, block) = payload.block();
        (class == Class::NonMeterSpecificManagement).then_some(Self { class, block })
    }
}

impl core::str::FromStr for Token {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Twenty digits; in five groups of four with `{:#}`.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        if !f.alternate() {
            return crate::bounds::write_ascii(f, &digits);
        }
        for (index, group) in digits.chunks(4).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            crate::bounds::write_ascii(f, group)?;
        }
        Ok(())
    }
}

/// A decrypted block that nothing vouches for yet.
///
/// A 16-bit check under a 64-bit block cipher is no signature: one wrong key in 65 536 passes it.
///
/// It is authenticated once, and cannot be kept beside its payload:
///
/// ```compile_fail,E0599
/// let token = sts_core::Token::parse("1844 6744 0738 4377 2416")?;
/// let opened = token.open(&sts_core::DecoderKey::sta([0x11; 8]));
/// let kept = opened.clone();
/// # Ok::<(), sts_core::ParseTokenError>(())
/// ```
#[must_use]
pub struct Opened {
    class: Class,
    block: u64,
    long_key: bool,
}

impl Opened {
    /// Checks the block's CRC and gives what the token says.
    ///
    /// # Errors
    ///
    /// [`Rejection::ReservedClass`] for class 3, [`Rejection::Crc`].
    pub fn authenticate(self) -> Result<Payload, Rejection> {
        if self.class == Class::Reserved {
            return Err(Rejection::ReservedClass);
        }
        if !check_holds(self.class, self.block) {
            return Err(Rejection::Crc);
        }
        Ok(Payload::read(self.class, self.block, self.long_key))
    }

    /// The block as decrypted: noise unless the key is right. For teaching and tests.
    #[must_use]
    pub const fn unauthenticated_bits(&self) -> u64 {
        self.block
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("class", &self.class).finish_non_exhaustive()
    }
}
