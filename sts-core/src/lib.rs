//! Decodes and validates STS (IEC 62055-41) prepayment tokens exactly as a meter does.
//!
//! An independent implementation, not certified or endorsed by the STS Association or the IEC.
//!
//! ```
//! use sts_core::{DecoderKey, Keyed, Meter, Profile, Rejection, TokenId, TokenResult};
//! # use sts_core::{KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType};
//! # use sts_core::{ManufacturerCode, MeterPan, SupplyGroupCode, TariffIndex};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let pan = MeterPan::parse("600727000000000009")?;
//! # let attributes = KeyAttributes {
//! #     sgc: SupplyGroupCode::new(123_456)?,
//! #     krn: KeyRevisionNumber::new(1)?,
//! #     ti: TariffIndex::new(1)?,
//! #     kt: KeyType::Unique,
//! #     ken: KeyExpiryNumber::NEVER,
//! # };
//! // A published test key.
//! let key = DecoderKey::sta([0xE6, 0x53, 0x34, 0x1F, 0x9D, 0x5B, 0xF3, 0x6F]);
//! let mut meter: Meter<'_> =
//!     Meter::new(&Profile::STANDARD, pan.manufacturer_code(), key, attributes, TokenId::MIN);
//!
//! // One digit of the token is wrong: the meter cannot know which.
//! let refused = meter.enter("7063 0503 4700 2872 6115", 0);
//! assert_eq!(refused.map(|admission| admission.outcome()), Err(Rejection::Crc));
//!
//! // A token that asks to show the key revision needs no key.
//! let admission = meter.enter("1844 6744 0738 4377 2416", 0)?;
//! assert_eq!(admission.outcome().result(), TokenResult::Accept);
//! admission.apply();
//! # Ok(())
//! # }
//! ```
//!
//! Data flows one way, and [`Rejection`] is the only way out:
//!
//! ```text
//! digits -framing-> Token -key,cipher-> Opened -crc-> Payload -profile,meter-> Admission -> Outcome
//! ```
//!
//! * [`token`]: 20 digits, 66 bits, class and block; [`framing`]: 20 or 24 keyed digits.
//! * [`key`]: keys, their attributes and derivation; [`cipher`]: EA07, EA11.
//! * [`class`]: what a token says; [`amount`], [`tid`]: its numbers.
//! * [`meter`]: whether a meter takes it; [`profile`]: what is left to the maker;
//!   [`rejection`]: every refusal.
//!
//! The core reads no clock, no file and no environment, allocates nothing, and does not panic on
//! any token, key or sequence. Table look-ups of the ciphers depend on key bits: nothing here is
//! constant-time.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]

pub mod amount;
mod bounds;
pub mod cipher;
pub mod class;
pub mod crc;
pub mod framing;
pub mod key;
pub mod meter;
pub mod profile;
pub mod rejection;
pub mod tid;
pub mod token;

pub use amount::{Amount, Commodity, CurrencyAmount, CurrencyOverflow};
pub use bounds::OutOfRange;
pub use class::{Class, KeyChangeSet, KeySection, MeterTest, Payload, Setting};
pub use framing::{Claims, Framed, Framing, FramingSet, Keyed, NonDigit};
pub use key::{
    DecoderKey, DecoderReferenceNumber, EncryptionAlgorithm, InvalidKeyLength, InvalidMeterNumber,
    KeyAttributes, KeyDerivation, KeyExpiryNumber, KeyRevisionNumber, KeyType, ManufacturerCode,
    MeterPan, SupplyGroupCode, TariffIndex, Underivable, VendingKey,
};
pub use meter::{Admission, InvalidWord, Meter, Outcome, Registers};
pub use profile::{
    Basis, DisplayRule, LockoutRule, NumberSet, Profile, ResultSet, SectionOrder, Shown,
};
pub use rejection::{FailedChecks, RangedField, Rejection, Stage, TokenResult};
pub use tid::{BaseDate, TokenId};
pub use token::{Opened, ParseTokenError, Token};

/// Runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
