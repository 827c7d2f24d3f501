//! What a call and what a meter can answer.

use core::ffi::c_char;

use sts_core::{Class, Outcome, Payload, RangedField, Rejection, Stage, TokenResult};

use crate::memory::{TextOut, attempt, fill, room};

/// Whether a call could be carried out. A refused token is a call that could.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StsStatus {
    /// It was.
    Ok = 0,
    /// A pointer is null.
    Null = 1,
    /// A pointer is not aligned for its type.
    Misaligned = 2,
    /// A structure was not set up, or its set-up failed.
    NotInitialised = 3,
    /// A key has another length than its algorithm asks for.
    KeyLength = 4,
    /// A number is outside the range of its field, or a text is not what it should be.
    OutOfRange = 5,
    /// The algorithm is not known, or does not give what was asked for.
    Unsupported = 6,
    /// The room for the answer is too small.
    Space = 7,
    /// The storage failed. The meter holds what was saved last, or is no longer set up.
    Storage = 8,
    /// Both areas of the storage are erased: a meter as it leaves the maker.
    Empty = 9,
    /// The storage is not empty and holds no state that this version can read.
    Unreadable = 10,
}

/// What a meter answers. 1 to 16 are the numbers of one maker's published result register.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StsResult {
    /// No answer, or a token that was only opened.
    None = 0,
    /// Executed.
    Accept = 1,
    /// First section of a key change stored.
    FirstKct = 2,
    /// Second section stored.
    SecondKct = 3,
    /// No room in the credit register.
    OverflowError = 4,
    /// Change of key type not allowed.
    KeyTypeError = 5,
    /// No digit, above the largest token, or a section out of order.
    FormatError = 6,
    /// A field outside its range.
    RangeError = 7,
    /// The meter lacks the function.
    FunctionError = 8,
    /// Older than all the meter remembers.
    OldError = 9,
    /// Taken before.
    UsedError = 10,
    /// Past the key's expiry number.
    KeyExpiredError = 11,
    /// Credit under a default key.
    DdtkError = 12,
    /// Does not authenticate.
    CrcError = 13,
    /// Another maker's test token.
    MfrCodeError = 14,
    /// The keypad is locked.
    Lockout = 15,
    /// The meter takes nothing now.
    NotReady = 16,
    /// Third section stored.
    ThirdKct = 17,
    /// Fourth section stored.
    FourthKct = 18,
    /// A number of digits that this meter does not take.
    LengthError = 19,
    /// Check or claims of a 24-digit entry are wrong.
    ExtensionMismatch = 20,
}

impl StsResult {
    pub(crate) const fn from_core(result: TokenResult) -> Self {
        match result {
            TokenResult::Accept => Self::Accept,
            TokenResult::FirstKct => Self::FirstKct,
            TokenResult::SecondKct => Self::SecondKct,
            TokenResult::ThirdKct => Self::ThirdKct,
            TokenResult::FourthKct => Self::FourthKct,
            TokenResult::OverflowError => Self::OverflowError,
            TokenResult::KeyTypeError => Self::KeyTypeError,
            TokenResult::FormatError => Self::FormatError,
            TokenResult::RangeError => Self::RangeError,
            TokenResult::FunctionError => Self::FunctionError,
            TokenResult::OldError => Self::OldError,
            TokenResult::UsedError => Self::UsedError,
            TokenResult::KeyExpiredError => Self::KeyExpiredError,
            TokenResult::DdtkError => Self::DdtkError,
            TokenResult::CrcError => Self::CrcError,
            TokenResult::MfrCodeError => Self::MfrCodeError,
            TokenResult::Lockout => Self::Lockout,
            TokenResult::NotReady => Self::NotReady,
            TokenResult::LengthError => Self::LengthError,
            TokenResult::ExtensionMismatch => Self::ExtensionMismatch,
            _ => Self::None,
        }
    }

    /// The result of the core with this number.
    pub(crate) fn to_core(number: u8) -> Option<TokenResult> {
        TokenResult::ALL
            .into_iter()
            .find(|result| Self::from_core(*result) as u8 == number && number != 0)
    }
}

/// Where in the meter's work a token was refused.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StsStage {
    /// It was not.
    None = 0,
    /// The keypad took nothing.
    Keypad = 1,
    /// The digits are no token.
    Framing = 2,
    /// The token is not shown to be for this meter.
    Authentication = 3,
    /// The token is for this meter but not valid.
    Validation = 4,
    /// The token is valid and cannot be executed.
    Application = 5,
}

/// Why a token was refused, and what `found`, `expected` and `value` of the answer mean.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StsReason {
    /// It was not.
    None = 0,
    /// `value`: seconds until the keypad is free.
    Lockout = 1,
    /// The meter takes nothing now.
    NotReady = 2,
    /// `found`: the character's code point; `value`: its place from 0.
    NonDigit = 3,
    /// `found`: digits entered; `value`: `STS_FRAMING_` bits of the forms they would fit.
    Length = 4,
    /// At or above 2^66.
    TooLarge = 5,
    /// Check digits `found` and `expected`.
    ExtensionCheck = 6,
    /// Key revision claimed is `found`, the meter's is `expected`.
    ExtensionKeyRevision = 7,
    /// Resource claimed is `found`; class and subclass are the token's.
    ExtensionResource = 8,
    /// Class 3.
    ReservedClass = 9,
    /// The check does not hold: another key, another meter, a wrong digit.
    Crc = 10,
    /// Manufacturer code `found`, the meter's is `expected`.
    MfrCode = 11,
    /// The meter holds a default key.
    DefaultKey = 12,
    /// `tid` is past the key expiry number `expected`.
    KeyExpired = 13,
    /// `tid` is below `expected`, the oldest kept.
    Old = 14,
    /// `tid` was taken before.
    Used = 15,
    /// Key type `found` may not follow key type `expected`.
    KeyType = 16,
    /// Section `found` came where `expected` should.
    SectionOrder = 17,
    /// `found` is out of range; `expected`: 0 key revision, 1 tariff index, 2 supply group, 3 register
    /// to clear.
    Range = 18,
    /// The meter lacks class and subclass.
    Unsupported = 19,
    /// The meter does not take section `found` of such a key change.
    UnsupportedSection = 20,
    /// The meter knows none of the tests.
    UnknownTest = 21,
    /// Register `found` has room for `value` more.
    Overflow = 22,
    /// A refusal that this header does not know; `result` names it.
    Other = 255,
}

/// What a taken token does, and what `found` and `value` of the answer mean.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StsOutcome {
    /// Nothing: it was refused.
    None = 0,
    /// Register `found` (0 to 3) now holds `value` tenths of its unit.
    Credited = 1,
    /// Register `found` (4 to 7) now holds `value` as `int64_t`, in 0.00001 of the base currency.
    CurrencyCredited = 2,
    /// `value`: control bits, bit k for test k + 1, all for test 0; `found`: manufacturer code.
    Tested = 3,
    /// The setting of the token's subclass; `value`: its 16 bits.
    Set = 4,
    /// Section `found` of a key change is stored.
    SectionStored = 5,
    /// The key was changed, to revision `found`; `value` 1: the memory of tokens was cleared.
    KeyChanged = 6,
    /// A maker's own function, of the token's class and subclass.
    Own = 7,
}

/// For `tid` where there is none.
pub const STS_NO_TID: u32 = 0xFFFF_FFFF;
/// For `token_class` and `subclass` where they are not known.
pub const STS_NO_CLASS: u8 = 0xFF;

/// Bit of `failed_checks`: credit under a default key.
pub const STS_FAILED_DEFAULT_KEY: u8 = 1;
/// Bit of `failed_checks`: the key has expired for this token.
pub const STS_FAILED_KEY_EXPIRED: u8 = 2;
/// Bit of `failed_checks`: older than all that the meter remembers.
pub const STS_FAILED_OLD: u8 = 4;
/// Bit of `failed_checks`: taken before.
pub const STS_FAILED_USED: u8 = 8;

/// What the meter says to an entry.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StsAnswer {
    /// Detail; see `sts_reason` and `sts_outcome`. 0 where nothing is said.
    pub value: u64,
    /// Detail; see `sts_reason` and `sts_outcome`. 0 where nothing is said.
    pub found: u32,
    /// Detail; see `sts_reason`. 0 where nothing is said.
    pub expected: u32,
    /// The token identifier, 24 bits; `STS_NO_TID` where there is none or it is not authentic.
    pub tid: u32,
    /// The result.
    pub result: StsResult,
    /// 1 to 16, the number in one maker's published register; 0 where it has none.
    pub register_number: u8,
    /// Where it was refused.
    pub stage: StsStage,
    /// Why it was refused.
    pub reason: StsReason,
    /// What a taken token does.
    pub outcome: StsOutcome,
    /// `STS_FAILED_` bits: every check of the validation that failed, not only the one reported.
    pub failed_checks: u8,
    /// Class, 0 to 3, where it is known and authentic; else `STS_NO_CLASS`.
    pub token_class: u8,
    /// Subclass, 0 to 15, likewise.
    pub subclass: u8,
}

impl StsAnswer {
    pub(crate) const NONE: Self = Self {
        value: 0,
        found: 0,
        expected: 0,
        tid: STS_NO_TID,
        result: StsResult::None,
        register_number: 0,
        stage: StsStage::None,
        reason: StsReason::None,
        outcome: StsOutcome::None,
        failed_checks: 0,
        token_class: STS_NO_CLASS,
        subclass: STS_NO_CLASS,
    };

    fn of(result: TokenResult) -> Self {
        let result = StsResult::from_core(result);
        let number = result as u8;
        let register_number = if number <= StsResult::NotReady as u8 { number } else { 0 };
        Self { result, register_number, ..Self::NONE }
    }

    fn with_kind(self, class: Class, subclass: u8) -> Self {
        Self { token_class: class.bits(), subclass, ..self }
    }

    pub(crate) fn taken(payload: &Payload, outcome: &Outcome) -> Self {
        let (class, subclass) = payload.kind();
        let answer = Self {
            tid: payload.tid().map_or(STS_NO_TID, sts_core::TokenId::get),
            ..Self::of(outcome.result()).with_kind(class, subclass)
        };
        let (outcome, found, value) = match *outcome {
            Outcome::Credited { register, balance } => {
                (StsOutcome::Credited, u32::from(register), balance)
            }
            Outcome::CurrencyCredited { register, balance } => {
                (StsOutcome::CurrencyCredited, u32::from(register), balance.cast_unsigned())
            }
            Outcome::Tested(test) => (StsOutcome::Tested, u32::from(test.mfr_code), test.control),
            Outcome::Set { value, .. } => (StsOutcome::Set, 0, u64::from(value)),
            Outcome::SectionStored { section } => {
                (StsOutcome::SectionStored, u32::from(section), 0)
            }
            Outcome::KeyChanged { attributes, rollover } => {
                (StsOutcome::KeyChanged, u32::from(attributes.krn.get()), u64::from(rollover))
            }
            _ => (StsOutcome::Own, 0, 0),
        };
        Self { outcome, found, value, ..answer }
    }

    pub(crate) fn refused(refusal: &Rejection) -> Self {
        let failed_checks = refusal.failed_checks().map_or(0, |failed| {
            let bit = |failed, bit| if failed { bit } else { 0 };
            bit(failed.default_key, STS_FAILED_DEFAULT_KEY)
                | bit(failed.key_expired, STS_FAILED_KEY_EXPIRED)
                | bit(failed.old, STS_FAILED_OLD)
                | bit(failed.used, STS_FAILED_USED)
        });
        let stage = match refusal.stage() {
            Stage::Keypad => StsStage::Keypad,
            Stage::Framing => StsStage::Framing,
            Stage::Authentication => StsStage::Authentication,
            Stage::Validation => StsStage::Validation,
            _ => StsStage::Application,
        };
        let answer = Self { failed_checks, stage, ..Self::of(refusal.result()) };
        let reason = |reason| Self { reason, ..answer };
        let compared = |why, found: u8, expected: u8| Self {
            found: u32::from(found),
            expected: u32::from(expected),
            ..reason(why)
        };
        match *refusal {
            Rejection::Lockout { remaining_s } => {
                Self { value: u64::from(remaining_s), ..reason(StsReason::Lockout) }
            }
            Rejection::NotReady => reason(StsReason::NotReady),
            Rejection::NonDigit { position, found } => Self {
                found: u32::from(found),
                value: u64::from(position),
                ..reason(StsReason::NonDigit)
            },
            Rejection::Length { digits, fitting } => Self {
                found: u32::from(digits),
                value: u64::from(crate::profile::framing_bits(fitting)),
                ..reason(StsReason::Length)
            },
            Rejection::OutOfRange => reason(StsReason::TooLarge),
            Rejection::ExtensionCheck { expected, found } => {
                compared(StsReason::ExtensionCheck, found, expected)
            }
            Rejection::ExtensionKeyRevision { claimed, held } => {
                compared(StsReason::ExtensionKeyRevision, claimed, held)
            }
            Rejection::ExtensionResource { claimed, class, subclass } => {
                compared(StsReason::ExtensionResource, claimed, 0).with_kind(class, subclass)
            }
            Rejection::ReservedClass => reason(StsReason::ReservedClass),
            Rejection::Crc => reason(StsReason::Crc),
            Rejection::MfrCode { found, own } => Self {
                found: u32::from(found),
                expected: u32::from(own),
                ..reason(StsReason::MfrCode)
            },
            Rejection::DefaultKey { .. } => reason(StsReason::DefaultKey),
            Rejection::KeyExpired { id, expiry, .. } => {
                Self { tid: id.get(), ..compared(StsReason::KeyExpired, 0, expiry) }
            }
            Rejection::Old { id, oldest_kept, .. } => {
                Self { tid: id.get(), expected: oldest_kept.get(), ..reason(StsReason::Old) }
            }
            Rejection::Used { id, .. } => Self { tid: id.get(), ..reason(StsReason::Used) },
            Rejection::KeyType { from, to } => compared(StsReason::KeyType, to.code(), from.code()),
            Rejection::SectionOrder { expected, found } => {
                compared(StsReason::SectionOrder, found, expected)
            }
            Rejection::Range { field, found } => {
                let expected = match field {
                    RangedField::KeyRevisionNumber => 0,
                    RangedField::TariffIndex => 1,
                    RangedField::SupplyGroupCode => 2,
                    _ => 3,
                };
                Self { found, expected, ..reason(StsReason::Range) }
            }
            Rejection::Unsupported { class, subclass } => {
                reason(StsReason::Unsupported).with_kind(class, subclass)
            }
            Rejection::UnsupportedSection { section } => {
                compared(StsReason::UnsupportedSection, section, 0)
            }
            Rejection::UnknownTest => reason(StsReason::UnknownTest),
            Rejection::Overflow { register, headroom } => {
                Self { value: headroom, ..compared(StsReason::Overflow, register, 0) }
            }
            _ => reason(StsReason::Other),
        }
    }
}

/// Writes the standard's own name of a result, as `CRCError`, closed by a zero byte.
///
/// `length` may be null; it is the text's length without the zero. 18 bytes are always enough.
///
/// # Safety
///
/// `text` has room for `capacity` bytes; pointers are null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_result_name(
    result: u8,
    text: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> StsStatus {
    // SAFETY: the caller vouches for the room.
    let room = attempt!(unsafe { room(text, capacity) });
    let name = StsResult::to_core(result).map_or("", TokenResult::name);
    if name.is_empty() {
        return StsStatus::OutOfRange;
    }
    let mut out = TextOut::new(room);
    attempt!(out.push(name.as_bytes()));
    let written = attempt!(out.finish());
    if !length.is_null() {
        // SAFETY: the caller vouches for what is not null.
        attempt!(unsafe { fill(length, written) });
    }
    StsStatus::Ok
}
