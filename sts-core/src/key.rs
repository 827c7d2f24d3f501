//! Keys, what they were made for, and how a decoder key is derived from a vending key.
//!
//! | | clause |
//! |---|---|
//! | `MeterPAN`, decoder reference number | 6.1.2 |
//! | supply group, tariff index, key revision, key type, key expiry | 6.1.5 to 6.1.10, 6.5.2 |
//! | DKGA02, DKGA04 | 6.5.3.3, 6.5.3.5 |
//!
//! No key is ever shown: `Debug` prints the type alone, and a key is named by its
//! [`fingerprint`](VendingKey::fingerprint).

use core::fmt;

#[cfg(not(feature = "compact"))]
use hmac::{Hmac, KeyInit, Mac};
#[cfg(not(feature = "compact"))]
use sha2::Sha256;

use crate::bounds::{bounded, write_ascii};
#[cfg(feature = "ea11")]
use crate::cipher::misty1::Misty1;
use crate::cipher::sta::Tables;
use crate::cipher::{dea, sta};
use crate::tid::{BaseDate, TokenId};

bounded! {
    /// The group of meters that share a vending key, six digits. Clause 6.1.6.
    #[doc(alias = "SGC")]
    SupplyGroupCode(u32), "supply group code", 0..=999_999, width 6
}

bounded! {
    /// The tariff index, two digits. Clause 6.1.7.
    #[doc(alias = "TI")]
    TariffIndex(u8), "tariff index", 0..=99, width 2
}

bounded! {
    /// Which revision of its supply group's vending key: 1 to 9, and 0 only under an
    /// initialisation key (DITK), which has none. Clause 6.1.8.
    #[doc(alias = "KRN")]
    KeyRevisionNumber(u8), "key revision number", 0..=9, width 1
}

bounded! {
    /// Until when a key is good: a TID whose high byte is above it is expired. One step is
    /// 65 536 minutes, about 45.5 days; 255 is never. Clause 6.1.10.
    #[doc(alias = "KEN")]
    KeyExpiryNumber(u8), "key expiry number", 0..=255, width 1
}

impl KeyExpiryNumber {
    /// 255: the key does not expire.
    pub const NEVER: Self = Self::MAX;

    /// Whether a token with this TID comes too late for the key.
    #[must_use]
    pub const fn is_past(self, tid: TokenId) -> bool {
        tid.high_byte() > self.get()
    }
}

/// The type of a decoder key. Clause 6.5.2.2.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a two-bit field: complete")]
#[doc(alias = "KT")]
pub enum KeyType {
    /// Initialisation key, set by the maker.
    #[doc(alias = "DITK")]
    Initialization = 0,
    /// Default key: the meter takes no credit under it.
    #[doc(alias = "DDTK")]
    Default = 1,
    /// Unique key: the usual one.
    #[doc(alias = "DUTK")]
    Unique = 2,
    /// Common key, shared by a group of meters on magnetic cards.
    #[doc(alias = "DCTK")]
    Common = 3,
}

impl KeyType {
    /// From the low two bits of a field.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Initialization,
            1 => Self::Default,
            2 => Self::Unique,
            _ => Self::Common,
        }
    }

    /// From its code, 0 to 3.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        if code <= 3 { Some(Self::from_bits(code as u64)) } else { None }
    }

    /// Its code, 0 to 3.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The standard's abbreviation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initialization => "DITK",
            Self::Default => "DDTK",
            Self::Unique => "DUTK",
            Self::Common => "DCTK",
        }
    }

    /// Whether a key of this type may be changed to one of type `to`. Clause 7.3.1.3.
    ///
    /// The row of the default key is this project's choice: no public text states it.
    #[must_use]
    pub const fn may_change_to(self, to: Self) -> bool {
        match self {
            Self::Initialization => true,
            Self::Default => !matches!(to, Self::Initialization),
            Self::Unique => matches!(to, Self::Unique | Self::Default),
            Self::Common => matches!(to, Self::Common | Self::Default),
        }
    }
}

/// How many algorithms are in this build.
const ALGORITHMS: usize = 1 + cfg!(feature = "ea09") as usize + cfg!(feature = "ea11") as usize;

/// The algorithm that encrypts a token. Clause 6.1.5.
///
/// EA09 and EA11 are there with the feature of their name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[doc(alias = "EA")]
pub enum EncryptionAlgorithm {
    /// STA, 64-bit key.
    #[doc(alias = "EA07")]
    Sta = 7,
    /// DEA, 64-bit key. Withdrawn, and unverified here: no public token is known.
    #[cfg(feature = "ea09")]
    #[doc(alias = "EA09")]
    Dea = 9,
    /// MISTY1, 128-bit key.
    #[cfg(feature = "ea11")]
    #[doc(alias = "EA11")]
    Misty1 = 11,
}

impl EncryptionAlgorithm {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; ALGORITHMS] = [
        Self::Sta,
        #[cfg(feature = "ea09")]
        Self::Dea,
        #[cfg(feature = "ea11")]
        Self::Misty1,
    ];

    /// The two-digit code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sta => "07",
            #[cfg(feature = "ea09")]
            Self::Dea => "09",
            #[cfg(feature = "ea11")]
            Self::Misty1 => "11",
        }
    }

    /// From the two-digit code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ea| ea.code() == code)
    }

    /// Bytes of a decoder key.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::Sta => 8,
            #[cfg(feature = "ea09")]
            Self::Dea => 8,
            #[cfg(feature = "ea11")]
            Self::Misty1 => 16,
        }
    }

    /// Whether a decoder key has 128 bits.
    pub(crate) const fn has_long_key(self) -> bool {
        self.key_length() == 16
    }
}

/// The algorithm that derives decoder keys. Clause 6.5.3.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[doc(alias = "DKGA")]
pub enum KeyDerivation {
    /// Legacy, and unverified here: one source, no public vector.
    Dkga01 = 1,
    /// Single DES, 8-byte vending key.
    Dkga02 = 2,
    /// Withdrawn, and unverified here: one source, no public vector. 16-byte vending key.
    Dkga03 = 3,
    /// HMAC-SHA-256, 20-byte vending key.
    Dkga04 = 4,
}

impl KeyDerivation {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Dkga01, Self::Dkga02, Self::Dkga03, Self::Dkga04];

    /// The two-digit code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Dkga01 => "01",
            Self::Dkga02 => "02",
            Self::Dkga03 => "03",
            Self::Dkga04 => "04",
        }
    }

    /// From the two-digit code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dkga| dkga.code() == code)
    }

    /// Bytes of a vending key.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::Dkga01 | Self::Dkga02 => 8,
            Self::Dkga03 => 16,
            Self::Dkga04 => 20,
        }
    }

    /// Whether no published value confirms this implementation.
    #[must_use]
    pub const fn is_unverified(self) -> bool {
        matches!(self, Self::Dkga01 | Self::Dkga03)
    }
}

/// Why digits are not a decoder reference number or a `MeterPAN`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMeterNumber {
    /// Neither of the lengths allowed.
    #[error("{found} digits, expected {expected}")]
    Length {
        /// Digits found.
        found: usize,
        /// What is allowed, in words.
        expected: &'static str,
    },
    /// A character that is not an ASCII digit.
    #[error("character {} is not a digit", .position.saturating_add(1))]
    NonDigit {
        /// Its place, from 0, in bytes.
        position: usize,
    },
    /// The check digit of the decoder reference number is wrong.
    #[error("the check digit of the DRN is {found}, computed {expected}")]
    DrnCheckDigit {
        /// The digit found.
        found: u8,
        /// The digit computed.
        expected: u8,
    },
    /// The check digit of the `MeterPAN` is wrong.
    #[error("the check digit of the MeterPAN is {found}, computed {expected}")]
    PanCheckDigit {
        /// The digit found.
        found: u8,
        /// The digit computed.
        expected: u8,
    },
    /// The issuer number does not go with the length of the decoder reference number.
    #[error("an IIN of {iin} digits does not go with a DRN of {drn} digits")]
    Issuer {
        /// Digits of the issuer identification number.
        iin: usize,
        /// Digits of the decoder reference number.
        drn: usize,
    },
}

/// The Luhn check digit of ASCII digits. ISO/IEC 7812-1; clauses 6.1.2 and 6.1.3.
#[must_use]
pub fn luhn_check_digit(payload: &[u8]) -> u8 {
    let mut sum = 0_u8;
    let mut double = true;
    for digit in payload.iter().rev() {
        let digit = digit.wrapping_sub(b'0') % 10;
        let value = if double { digit.wrapping_mul(2) } else { digit };
        let value = if value > 9 { value.wrapping_sub(9) } else { value };
        sum = sum.wrapping_add(value) % 10;
        double = !double;
    }
    10_u8.wrapping_sub(sum) % 10
}

fn all_digits(text: &str) -> Result<&[u8], InvalidMeterNumber> {
    match text.bytes().position(|byte| !byte.is_ascii_digit()) {
        Some(position) => Err(InvalidMeterNumber::NonDigit { position }),
        None => Ok(text.as_bytes()),
    }
}

/// Payload digits, the check digit found, and the one computed.
fn check_digits(number: &[u8]) -> Option<(u8, u8)> {
    let (last, payload) = number.split_last()?;
    Some((last.wrapping_sub(b'0'), luhn_check_digit(payload)))
}

/// A decoder reference number: the meter's number, 11 or 13 digits with its check digit.
///
/// Two or four digits of the maker, eight of the serial number, one check digit. Clause 6.1.2.3.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
#[doc(alias = "DRN")]
pub struct DecoderReferenceNumber {
    digits: [u8; 13],
    length: u8,
}

impl DecoderReferenceNumber {
    /// From 11 or 13 digits.
    ///
    /// # Errors
    ///
    /// [`InvalidMeterNumber`]: length, a character that is no digit, check digit.
    pub fn parse(text: &str) -> Result<Self, InvalidMeterNumber> {
        let digits = all_digits(text)?;
        let number = Self::unchecked(digits)?;
        match check_digits(digits) {
            Some((found, expected)) if found != expected => {
                Err(InvalidMeterNumber::DrnCheckDigit { found, expected })
            }
            _ => Ok(number),
        }
    }

    /// From ASCII digits, whose check digit is not looked at.
    fn unchecked(digits: &[u8]) -> Result<Self, InvalidMeterNumber> {
        let mut held = [b'0'; 13];
        let length = match digits.len() {
            11 => 11,
            13 => 13,
            found => {
                return Err(InvalidMeterNumber::Length { found, expected: "11 or 13" });
            }
        };
        for (to, from) in held.iter_mut().zip(digits) {
            *to = *from;
        }
        Ok(Self { digits: held, length })
    }

    /// The digits, check digit included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let digits = self.digits.get(..usize::from(self.length)).unwrap_or_default();
        core::str::from_utf8(digits).unwrap_or_default()
    }
}

impl fmt::Debug for DecoderReferenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecoderReferenceNumber({})", self.as_str())
    }
}

impl fmt::Display for DecoderReferenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The maker's code in a meter's number: two digits in an 11-digit DRN, four in a 13-digit one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ManufacturerCode {
    /// The code as a number, 0 to 9999.
    pub code: u16,
    /// 2 or 4.
    pub digits: u8,
}

impl ManufacturerCode {
    /// A code of two or four digits, for firmware that knows its own.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](crate::OutOfRange) for another number of digits, or a code that needs more.
    pub const fn new(code: u16, digits: u8) -> Result<Self, crate::OutOfRange> {
        let (what, found, max) = match digits {
            2 if code <= 99 => return Ok(Self { code, digits }),
            4 if code <= 9999 => return Ok(Self { code, digits }),
            2 => ("manufacturer code", code as u64, 99),
            4 => ("manufacturer code", code as u64, 9999),
            _ => ("digits of a manufacturer code", digits as u64, 4),
        };
        Err(crate::OutOfRange { what, found, min: 0, max })
    }
}

/// The meter's primary account number, 18 digits: issuer, decoder reference number, check digit.
///
/// Clause 6.1.2.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
#[doc(alias = "PAN")]
pub struct MeterPan {
    digits: [u8; 18],
    drn_length: u8,
}

impl MeterPan {
    /// From 18 digits.
    ///
    /// An issuer number 0000 goes with a 13-digit DRN, 600727 with an 11-digit one; under any
    /// other, the form whose DRN check digit is right is taken.
    ///
    /// # Errors
    ///
    /// [`InvalidMeterNumber`]: length, a character that is no digit, either check digit.
    pub fn parse(text: &str) -> Result<Self, InvalidMeterNumber> {
        let bytes = all_digits(text)?;
        let digits: [u8; 18] = bytes
            .try_into()
            .map_err(|_| InvalidMeterNumber::Length { found: bytes.len(), expected: "18" })?;
        let drn_of = |length: u8| {
            let start = 17_usize.saturating_sub(usize::from(length));
            text.get(start..17).map_or(Ok(()), |drn| DecoderReferenceNumber::parse(drn).map(|_| ()))
        };
        let drn_length = if text.starts_with("0000") {
            13
        } else if text.starts_with("600727") || drn_of(13).is_err() {
            11
        } else {
            13
        };
        drn_of(drn_length)?;
        match check_digits(bytes) {
            Some((found, expected)) if found != expected => {
                Err(InvalidMeterNumber::PanCheckDigit { found, expected })
            }
            _ => Ok(Self { digits, drn_length }),
        }
    }

    /// The `MeterPAN` of a decoder reference number under the usual issuer number: 600727 for 11
    /// digits, 0000 for 13.
    #[must_use]
    pub fn from_drn(drn: &DecoderReferenceNumber) -> Self {
        let iin: &[u8] = if drn.length == 13 { b"0000" } else { b"600727" };
        Self::join(iin, drn)
    }

    /// The `MeterPAN` of a decoder reference number under a given issuer number: six digits with
    /// an 11-digit DRN, four with a 13-digit one.
    ///
    /// # Errors
    ///
    /// [`InvalidMeterNumber::Issuer`] where the lengths do not go together,
    /// [`InvalidMeterNumber::NonDigit`].
    pub fn from_parts(iin: &str, drn: &DecoderReferenceNumber) -> Result<Self, InvalidMeterNumber> {
        let digits = all_digits(iin)?;
        let length = usize::from(drn.length);
        if digits.len().saturating_add(length) != 17 {
            return Err(InvalidMeterNumber::Issuer { iin: digits.len(), drn: length });
        }
        Ok(Self::join(digits, drn))
    }

    fn join(iin: &[u8], drn: &DecoderReferenceNumber) -> Self {
        let mut digits = [b'0'; 18];
        let payload = iin.iter().chain(drn.digits.iter().take(usize::from(drn.length)));
        for (to, from) in digits.iter_mut().zip(payload) {
            *to = *from;
        }
        if let Some((last, payload)) = digits.split_last_mut() {
            *last = luhn_check_digit(payload).wrapping_add(b'0');
        }
        Self { digits, drn_length: drn.length }
    }

    /// The same meter with a DRN one slip away: check digits are not looked at, the `MeterPAN`'s
    /// own is computed anew.
    ///
    /// For finding whose token was typed into a meter; never for making one.
    ///
    /// # Errors
    ///
    /// [`InvalidMeterNumber`]: length or a character that is no digit.
    pub fn with_unchecked_drn(&self, drn: &str) -> Result<Self, InvalidMeterNumber> {
        let drn = DecoderReferenceNumber::unchecked(all_digits(drn)?)?;
        let iin = self.iin().as_bytes();
        if drn.length != self.drn_length {
            return Err(InvalidMeterNumber::Issuer {
                iin: iin.len(),
                drn: usize::from(drn.length),
            });
        }
        Ok(Self::join(iin, &drn))
    }

    /// All 18 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.digits).unwrap_or_default()
    }

    fn iin_length(&self) -> usize {
        17_usize.saturating_sub(usize::from(self.drn_length))
    }

    /// The issuer identification number, 4 or 6 digits.
    #[must_use]
    pub fn iin(&self) -> &str {
        self.as_str().get(..self.iin_length()).unwrap_or_default()
    }

    /// The digits of the decoder reference number, 11 or 13.
    #[must_use]
    pub fn drn(&self) -> &str {
        self.as_str().get(self.iin_length()..17).unwrap_or_default()
    }

    /// Sixteen BCD digits of DKGA01 to DKGA03, see [`pan_block`].
    #[must_use]
    pub fn block(&self, kt: KeyType) -> u64 {
        let (iin, drn) = self.digits.split_at(self.iin_length().min(self.digits.len()));
        pan_digits(iin, drn.get(..usize::from(self.drn_length)).unwrap_or_default(), kt)
    }

    /// The maker's code, the first two or four digits of the DRN.
    #[must_use]
    pub fn manufacturer_code(&self) -> ManufacturerCode {
        let digits = if self.drn_length == 13 { 4 } else { 2 };
        let code = self.drn().bytes().take(usize::from(digits)).fold(0_u16, |code, digit| {
            code.wrapping_mul(10).wrapping_add(u16::from(digit.wrapping_sub(b'0')))
        });
        ManufacturerCode { code, digits }
    }
}

impl fmt::Debug for MeterPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MeterPan({})", self.as_str())
    }
}

impl fmt::Display for MeterPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ascii(f, &self.digits)
    }
}

/// What a decoder key was made for, as far as a meter knows it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the attributes of clause 6.5.2: complete")]
pub struct KeyAttributes {
    /// Supply group code.
    pub sgc: SupplyGroupCode,
    /// Key revision number.
    pub krn: KeyRevisionNumber,
    /// Tariff index.
    pub ti: TariffIndex,
    /// Key type.
    pub kt: KeyType,
    /// Key expiry number. No part of a derivation.
    pub ken: KeyExpiryNumber,
}

/// Sixteen BCD digits of DKGA01 to DKGA03: digits 2 to 17 of the `MeterPAN`. Clause 6.5.3.1.
///
/// Under a common key the DRN is zeros; the `iin` has 4 or 6 digits, the `drn` the rest.
#[must_use]
pub fn pan_block(iin: &str, drn: &str, kt: KeyType) -> u64 {
    pan_digits(iin.as_bytes(), drn.as_bytes(), kt)
}

fn pan_digits(iin: &[u8], drn: &[u8], kt: KeyType) -> u64 {
    let mut block = 0;
    for digit in iin.iter().skip(1) {
        block = block << 4 | u64::from(digit & 15);
    }
    for digit in drn {
        let digit = if kt == KeyType::Common { 0 } else { digit & 15 };
        block = block << 4 | u64::from(digit);
    }
    block
}

/// The BCD digits KT, SGC, TI, KRN and six times F of DKGA01 to DKGA03. Clause 6.5.3.2.
#[must_use]
pub fn control_block(attributes: &KeyAttributes) -> u64 {
    let mut digits = [0; 10];
    derivation_digits(attributes, &mut digits);
    digits.iter().fold(0, |block, digit| block << 4 | u64::from(digit & 15)) << 24 | 0xFF_FFFF
}

/// KT 1, SGC 6, TI 2, KRN 1 as ASCII digits.
fn derivation_digits(attributes: &KeyAttributes, digits: &mut [u8; 10]) {
    let [kt, sgc @ .., ti_high, ti_low, krn] = digits;
    *kt = attributes.kt.code().wrapping_add(b'0');
    write_decimal(attributes.sgc.get(), sgc);
    let mut ti = [0; 2];
    write_decimal(u32::from(attributes.ti.get()), &mut ti);
    [*ti_high, *ti_low] = ti;
    *krn = attributes.krn.get().wrapping_add(b'0');
}

/// Writes a number as ASCII digits with leading zeros.
fn write_decimal(mut value: u32, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        let low = (value % 10) as u8;
        *digit = low.wrapping_add(b'0');
        value /= 10;
    }
}

/// Key bytes: never shown, compared without an early exit, wiped on drop by feature `zeroize`.
#[derive(Clone)]
struct Secret<const N: usize>([u8; N]);

#[cfg(feature = "zeroize")]
impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// The first three bytes of HMAC-SHA-256 under the key over a fixed text: this project's name for
/// a key, since no public key check value covers 160-bit keys.
fn fingerprint(key: &[u8]) -> [u8; 3] {
    leading(&hmac_sha256(key, b"sts-key-fingerprint"))
}

/// HMAC of RFC 2104 on the compression function alone: no key here is longer than a block, and no
/// message longer than what its last block has room for, 55 bytes.
#[cfg(feature = "compact")]
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    /// One pass: a block of the key, and a block of what follows it.
    #[inline(never)]
    fn pass(key: &[u8], pad: u8, message: &[u8], digest: &mut [u8; 32]) {
        let mut state = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        let mut block = [pad; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        sha2::block_api::compress256(&mut state, core::slice::from_ref(&block));
        let end = [0x80].iter().chain(core::iter::repeat(&0));
        for (byte, from) in block.iter_mut().zip(message.iter().chain(end)) {
            *byte = *from;
        }
        // In bits, and at most 119 bytes: two bytes hold it.
        let length = u16::try_from(message.len()).unwrap_or_default();
        let [high, low] = length.wrapping_add(64).wrapping_mul(8).to_be_bytes();
        let [.., last_but_one, last] = &mut block;
        (*last_but_one, *last) = (high, low);
        sha2::block_api::compress256(&mut state, core::slice::from_ref(&block));
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
    }
    let (mut inner, mut outer) = ([0; 32], [0; 32]);
    pass(key, 0x36, message, &mut inner);
    pass(key, 0x5c, &inner, &mut outer);
    outer
}

#[cfg(not(feature = "compact"))]
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key of any length makes an HMAC; the error cannot occur.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().into()
        })
        .unwrap_or_default()
}

/// Key bytes of the wrong number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("a key of {found} bytes, expected {expected}")]
pub struct InvalidKeyLength {
    /// Bytes the algorithm asks for.
    pub expected: usize,
    /// Bytes given.
    pub found: usize,
}

/// The vending key does not give keys for this encryption algorithm.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("DKGA{} gives no key for EA{}", .dkga.code(), .ea.code())]
pub struct Underivable {
    /// The vending key's derivation algorithm.
    pub dkga: KeyDerivation,
    /// The encryption algorithm asked for.
    pub ea: EncryptionAlgorithm,
}

#[derive(Clone)]
enum VendingSecret {
    Dkga01(Secret<8>),
    Dkga02(Secret<8>),
    Dkga03(Secret<16>),
    Dkga04(Secret<20>),
}

/// A vending key: the key of a supply group, from which each meter's decoder key is derived.
#[derive(Clone)]
pub struct VendingKey(VendingSecret);

impl VendingKey {
    /// A DKGA02 key, most significant byte first.
    #[must_use]
    pub const fn dkga02(key: [u8; 8]) -> Self {
        Self(VendingSecret::Dkga02(Secret(key)))
    }

    /// A DKGA04 key.
    #[must_use]
    pub const fn dkga04(key: [u8; 20]) -> Self {
        Self(VendingSecret::Dkga04(Secret(key)))
    }

    /// A key of a withdrawn algorithm; no published value confirms what is derived from it.
    #[must_use]
    pub const fn withdrawn_dkga01(key: [u8; 8]) -> Self {
        Self(VendingSecret::Dkga01(Secret(key)))
    }

    /// A key of a withdrawn algorithm; no published value confirms what is derived from it.
    #[must_use]
    pub const fn withdrawn_dkga03(key: [u8; 16]) -> Self {
        Self(VendingSecret::Dkga03(Secret(key)))
    }

    /// A key of any algorithm, the withdrawn ones included.
    ///
    /// # Errors
    ///
    /// [`InvalidKeyLength`].
    pub fn from_bytes(dkga: KeyDerivation, key: &[u8]) -> Result<Self, InvalidKeyLength> {
        let wrong = InvalidKeyLength { expected: dkga.key_length(), found: key.len() };
        match dkga {
            KeyDerivation::Dkga01 => key.try_into().map(Self::withdrawn_dkga01),
            KeyDerivation::Dkga02 => key.try_into().map(Self::dkga02),
            KeyDerivation::Dkga03 => key.try_into().map(Self::withdrawn_dkga03),
            KeyDerivation::Dkga04 => key.try_into().map(Self::dkga04),
        }
        .map_err(|_| wrong)
    }

    /// How keys are derived from it.
    #[must_use]
    pub const fn dkga(&self) -> KeyDerivation {
        match self.0 {
            VendingSecret::Dkga01(_) => KeyDerivation::Dkga01,
            VendingSecret::Dkga02(_) => KeyDerivation::Dkga02,
            VendingSecret::Dkga03(_) => KeyDerivation::Dkga03,
            VendingSecret::Dkga04(_) => KeyDerivation::Dkga04,
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            VendingSecret::Dkga01(key) | VendingSecret::Dkga02(key) => &key.0,
            VendingSecret::Dkga03(key) => &key.0,
            VendingSecret::Dkga04(key) => &key.0,
        }
    }

    /// The key itself, most significant byte first: only for deriving or decrypting elsewhere.
    ///
    /// What is taken out here is neither redacted nor wiped any more.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.bytes()
    }

    /// Three bytes that name this key without telling it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 3] {
        fingerprint(self.bytes())
    }

    /// Whether this is a DES key with a byte of even parity.
    ///
    /// DES ignores parity, but DKGA02 also adds the key itself to the result, and sources differ
    /// on whether its parity is mended first. With odd parity both readings agree.
    #[must_use]
    pub fn has_even_parity(&self) -> bool {
        self.dkga() != KeyDerivation::Dkga04
            && self.bytes().iter().any(|byte| byte.count_ones().is_multiple_of(2))
    }

    /// The decoder key of a meter.
    ///
    /// `base_date` is the key's: DKGA04 derives from it, the others do not.
    ///
    /// # Errors
    ///
    /// [`Underivable`] where the algorithm gives 64 bits and `ea` asks for 128.
    pub fn derive(
        &self,
        pan: &MeterPan,
        ea: EncryptionAlgorithm,
        attributes: &KeyAttributes,
        base_date: BaseDate,
    ) -> Result<DecoderKey, Underivable> {
        if let VendingSecret::Dkga04(key) = &self.0 {
            return Ok(dkga04(key, pan, ea, attributes, base_date));
        }
        let block = pan.block(attributes.kt) ^ control_block(attributes);
        let key = match &self.0 {
            VendingSecret::Dkga01(key) => {
                let key = odd_parity(u64::from_be_bytes(key.0));
                dea::encrypt(block, key) ^ key
            }
            VendingSecret::Dkga02(key) => {
                let key = u64::from_be_bytes(key.0);
                dea::encrypt(key, block) ^ block ^ key
            }
            VendingSecret::Dkga03(key) => {
                let both = u128::from_be_bytes(key.0);
                #[expect(clippy::cast_possible_truncation, reason = "two halves of 64 bits")]
                let (first, second) = ((both >> 64) as u64, both as u64);
                dea::ede2_encrypt(first, second, block) ^ block
            }
            VendingSecret::Dkga04(_) => 0,
        };
        match ea {
            EncryptionAlgorithm::Sta => Ok(DecoderKey::sta(key.to_be_bytes())),
            #[cfg(feature = "ea09")]
            EncryptionAlgorithm::Dea => Ok(DecoderKey::dea(key.to_be_bytes())),
            #[cfg(feature = "ea11")]
            EncryptionAlgorithm::Misty1 => Err(Underivable { dkga: self.dkga(), ea }),
        }
    }
}

impl fmt::Debug for VendingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VendingKey").field(&self.dkga()).finish_non_exhaustive()
    }
}

fn odd_parity(key: u64) -> u64 {
    let bytes = key
        .to_be_bytes()
        .map(|byte| if byte.count_ones().is_multiple_of(2) { byte ^ 1 } else { byte });
    u64::from_be_bytes(bytes)
}

/// The data block of DKGA04: 49 bytes, each text preceded by its length. Clause 6.5.3.5.
#[must_use]
pub fn dkga04_data_block(
    pan: &MeterPan,
    ea: EncryptionAlgorithm,
    attributes: &KeyAttributes,
    base_date: BaseDate,
) -> [u8; 49] {
    let mut digits = [0; 10];
    derivation_digits(attributes, &mut digits);
    let [kt, sgc @ .., ti_high, ti_low, krn] = &digits;
    let bits: u32 = if ea.has_long_key() { 128 } else { 64 };

    let mut block = [0; 49];
    let mut free = block.iter_mut();
    let mut put = |bytes: &[u8]| bytes.iter().zip(free.by_ref()).for_each(|(from, to)| *to = *from);
    put(&[4, 2]);
    put(b"04\x02");
    put(base_date.code().as_bytes());
    put(&[2]);
    put(ea.code().as_bytes());
    put(&[2, *ti_high, *ti_low]);
    put(&[0, 4, 6]);
    put(sgc);
    put(&[1, *kt, 1, *krn, 18]);
    put(&pan.digits);
    put(&bits.to_be_bytes());
    block
}

fn dkga04(
    key: &Secret<20>,
    pan: &MeterPan,
    ea: EncryptionAlgorithm,
    attributes: &KeyAttributes,
    base_date: BaseDate,
) -> DecoderKey {
    let block = dkga04_data_block(pan, ea, attributes, base_date);
    let digest = hmac_sha256(&key.0, &block);
    match ea {
        EncryptionAlgorithm::Sta => DecoderKey::sta(leading(&digest)),
        #[cfg(feature = "ea09")]
        EncryptionAlgorithm::Dea => DecoderKey::dea(leading(&digest)),
        #[cfg(feature = "ea11")]
        EncryptionAlgorithm::Misty1 => DecoderKey::misty1(leading(&digest)),
    }
}

/// The first bytes of a digest, which is longer than any key.
fn leading<const N: usize>(digest: &[u8; 32]) -> [u8; N] {
    digest.first_chunk().copied().unwrap_or([0; N])
}

#[derive(Clone)]
enum DecoderSecret {
    Sta(Secret<8>, &'static Tables),
    #[cfg(feature = "ea09")]
    Dea(Secret<8>),
    #[cfg(feature = "ea11")]
    Misty1(Secret<16>),
}

/// A meter's key, bound to its encryption algorithm.
#[derive(Clone)]
pub struct DecoderKey(DecoderSecret);

impl DecoderKey {
    /// A key for EA07 with the tables in use, most significant byte first.
    #[must_use]
    pub fn sta(key: [u8; 8]) -> Self {
        Self::sta_with_tables(key, &sta::DEPLOYED)
    }

    /// A key for EA07 with other tables: the standard's sample ones, or one's own.
    #[must_use]
    pub const fn sta_with_tables(key: [u8; 8], tables: &'static Tables) -> Self {
        Self(DecoderSecret::Sta(Secret(key), tables))
    }

    /// A key for EA09, which is withdrawn and unverified here.
    #[cfg(feature = "ea09")]
    #[must_use]
    pub const fn dea(key: [u8; 8]) -> Self {
        Self(DecoderSecret::Dea(Secret(key)))
    }

    /// A key for EA11, most significant byte first.
    #[cfg(feature = "ea11")]
    #[must_use]
    pub const fn misty1(key: [u8; 16]) -> Self {
        Self(DecoderSecret::Misty1(Secret(key)))
    }

    /// A key of any algorithm; EA07 with the tables in use.
    ///
    /// # Errors
    ///
    /// [`InvalidKeyLength`].
    pub fn from_bytes(ea: EncryptionAlgorithm, key: &[u8]) -> Result<Self, InvalidKeyLength> {
        let wrong = InvalidKeyLength { expected: ea.key_length(), found: key.len() };
        match ea {
            EncryptionAlgorithm::Sta => key.try_into().map(Self::sta),
            #[cfg(feature = "ea09")]
            EncryptionAlgorithm::Dea => key.try_into().map(Self::dea),
            #[cfg(feature = "ea11")]
            EncryptionAlgorithm::Misty1 => key.try_into().map(Self::misty1),
        }
        .map_err(|_| wrong)
    }

    /// A key put together from the sections of a key change: two words for a 64-bit key, four for
    /// a 128-bit one, most significant first; the algorithm and tables stay this key's.
    pub(crate) fn with_words(&self, words: [u32; 4]) -> Self {
        let [first, .., last] = words;
        let short = (u64::from(first) << 32 | u64::from(last)).to_be_bytes();
        Self(match self.0 {
            DecoderSecret::Sta(_, tables) => DecoderSecret::Sta(Secret(short), tables),
            #[cfg(feature = "ea09")]
            DecoderSecret::Dea(_) => DecoderSecret::Dea(Secret(short)),
            #[cfg(feature = "ea11")]
            DecoderSecret::Misty1(_) => {
                let long = words.iter().fold(0, |key, word| key << 32 | u128::from(*word));
                DecoderSecret::Misty1(Secret(long.to_be_bytes()))
            }
        })
    }

    /// The words that key sections carry: first and last hold a 64-bit key.
    #[cfg(feature = "seal")]
    pub(crate) fn words(&self) -> [u32; 4] {
        let word = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes);
        match self.expose_bytes().as_chunks::<4>().0 {
            [a, b] => [word(a), 0, 0, word(b)],
            [a, b, c, d] => [word(a), word(b), word(c), word(d)],
            _ => [0; 4],
        }
    }

    /// The encryption algorithm.
    #[must_use]
    pub const fn ea(&self) -> EncryptionAlgorithm {
        match self.0 {
            DecoderSecret::Sta(..) => EncryptionAlgorithm::Sta,
            #[cfg(feature = "ea09")]
            DecoderSecret::Dea(_) => EncryptionAlgorithm::Dea,
            #[cfg(feature = "ea11")]
            DecoderSecret::Misty1(_) => EncryptionAlgorithm::Misty1,
        }
    }

    /// Whether both are the same key of the same algorithm; every byte is looked at.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let bytes = self.expose_bytes().iter().zip(other.expose_bytes());
        self.ea() == other.ea()
            && self.tables().map(core::ptr::from_ref) == other.tables().map(core::ptr::from_ref)
            && bytes.fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }

    /// The tables of an EA07 key.
    const fn tables(&self) -> Option<&'static Tables> {
        match self.0 {
            DecoderSecret::Sta(_, tables) => Some(tables),
            #[cfg(feature = "ea09")]
            DecoderSecret::Dea(_) => None,
            #[cfg(feature = "ea11")]
            DecoderSecret::Misty1(_) => None,
        }
    }

    /// The key itself, most significant byte first: only for deriving or decrypting elsewhere.
    ///
    /// What is taken out here is neither redacted nor wiped any more.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        match &self.0 {
            DecoderSecret::Sta(key, _) => &key.0,
            #[cfg(feature = "ea09")]
            DecoderSecret::Dea(key) => &key.0,
            #[cfg(feature = "ea11")]
            DecoderSecret::Misty1(key) => &key.0,
        }
    }

    /// Three bytes that name this key without telling it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 3] {
        fingerprint(self.expose_bytes())
    }

    pub(crate) fn decrypt(&self, block: u64) -> u64 {
        match &self.0 {
            DecoderSecret::Sta(key, tables) => tables.decrypt(u64::from_be_bytes(key.0), block),
            #[cfg(feature = "ea09")]
            DecoderSecret::Dea(key) => dea::decrypt(u64::from_be_bytes(key.0), block),
            #[cfg(feature = "ea11")]
            DecoderSecret::Misty1(key) => Misty1::new(&key.0).decrypt(block),
        }
    }

    #[cfg(feature = "seal")]
    pub(crate) fn encrypt(&self, block: u64) -> u64 {
        match &self.0 {
            DecoderSecret::Sta(key, tables) => tables.encrypt(u64::from_be_bytes(key.0), block),
            #[cfg(feature = "ea09")]
            DecoderSecret::Dea(key) => dea::encrypt(u64::from_be_bytes(key.0), block),
            #[cfg(feature = "ea11")]
            DecoderSecret::Misty1(key) => Misty1::new(&key.0).encrypt(block),
        }
    }
}

impl fmt::Debug for DecoderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecoderKey").field(&self.ea()).finish_non_exhaustive()
    }
}
