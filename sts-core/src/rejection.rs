//! Every way a meter refuses, with the values it compared.
//!
//! A [`TokenResult`] is the name a meter gives its answer; a [`Rejection`] is the answer with its
//! reason. Clauses 7.3.6 (authentication), 7.3.7 (validation) and 7.3.8 (execution).

use crate::class::Class;
use crate::framing::FramingSet;
use crate::key::KeyType;
use crate::tid::TokenId;

/// What a meter can know of a token, by the standard's names; the last four are this project's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is documented by its name, clause 7.1, and `Rejection`")]
pub enum TokenResult {
    Accept,
    FirstKct,
    SecondKct,
    ThirdKct,
    FourthKct,
    OverflowError,
    KeyTypeError,
    FormatError,
    RangeError,
    FunctionError,
    OldError,
    UsedError,
    KeyExpiredError,
    DdtkError,
    CrcError,
    MfrCodeError,
    Lockout,
    NotReady,
    LengthError,
    ExtensionMismatch,
}

impl TokenResult {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Accept,
        Self::FirstKct,
        Self::SecondKct,
        Self::ThirdKct,
        Self::FourthKct,
        Self::OverflowError,
        Self::KeyTypeError,
        Self::FormatError,
        Self::RangeError,
        Self::FunctionError,
        Self::OldError,
        Self::UsedError,
        Self::KeyExpiredError,
        Self::DdtkError,
        Self::CrcError,
        Self::MfrCodeError,
        Self::Lockout,
        Self::NotReady,
        Self::LengthError,
        Self::ExtensionMismatch,
    ];

    /// The standard's own name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::FirstKct => "1stKCT",
            Self::SecondKct => "2ndKCT",
            Self::ThirdKct => "3rdKCT",
            Self::FourthKct => "4thKCT",
            Self::OverflowError => "OverflowError",
            Self::KeyTypeError => "KeyTypeError",
            Self::FormatError => "FormatError",
            Self::RangeError => "RangeError",
            Self::FunctionError => "FunctionError",
            Self::OldError => "OldError",
            Self::UsedError => "UsedError",
            Self::KeyExpiredError => "KeyExpiredError",
            Self::DdtkError => "DDTKError",
            Self::CrcError => "CRCError",
            Self::MfrCodeError => "MfrCodeError",
            Self::Lockout => "Lockout",
            Self::NotReady => "NotReady",
            Self::LengthError => "LengthError",
            Self::ExtensionMismatch => "ExtensionMismatch",
        }
    }

    /// From the standard's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.name() == name)
    }

    /// The number in the register of one maker's published table, 1 to 16, where it has one.
    #[must_use]
    pub const fn register(self) -> Option<u8> {
        Some(match self {
            Self::Accept => 1,
            Self::FirstKct => 2,
            Self::SecondKct => 3,
            Self::OverflowError => 4,
            Self::KeyTypeError => 5,
            Self::FormatError => 6,
            Self::RangeError => 7,
            Self::FunctionError => 8,
            Self::OldError => 9,
            Self::UsedError => 10,
            Self::KeyExpiredError => 11,
            Self::DdtkError => 12,
            Self::CrcError => 13,
            Self::MfrCodeError => 14,
            Self::Lockout => 15,
            Self::NotReady => 16,
            Self::ThirdKct | Self::FourthKct | Self::LengthError | Self::ExtensionMismatch => {
                return None;
            }
        })
    }

    /// The answer to a stored key section, by its number from 1.
    #[must_use]
    pub const fn section(number: u8) -> Self {
        match number {
            1 => Self::FirstKct,
            2 => Self::SecondKct,
            3 => Self::ThirdKct,
            _ => Self::FourthKct,
        }
    }

    /// Whether the token was taken: accepted, or stored as a section.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(
            self,
            Self::Accept | Self::FirstKct | Self::SecondKct | Self::ThirdKct | Self::FourthKct
        )
    }
}

impl core::fmt::Display for TokenResult {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// Where in the meter's work a token was refused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Stage {
    /// The keypad took nothing.
    Keypad,
    /// The digits are no token.
    Framing,
    /// The token is not shown to be for this meter. Clause 7.3.6.
    Authentication,
    /// The token is for this meter but not valid. Clause 7.3.7.
    Validation,
    /// The token is valid and cannot be executed. Clause 7.3.8.
    Application,
}

/// Which of the checks of clause 7.3.7 failed, in the order in which they are reported.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FailedChecks {
    /// Credit under a default key.
    pub default_key: bool,
    /// The key has expired for this TID.
    pub key_expired: bool,
    /// The TID is below the lowest kept.
    pub old: bool,
    /// The TID is kept.
    pub used: bool,
}

impl FailedChecks {
    /// The results, in the order in which they are reported.
    pub fn results(self) -> impl Iterator<Item = TokenResult> {
        [
            (self.default_key, TokenResult::DdtkError),
            (self.key_expired, TokenResult::KeyExpiredError),
            (self.old, TokenResult::OldError),
            (self.used, TokenResult::UsedError),
        ]
        .into_iter()
        .filter_map(|(failed, result)| failed.then_some(result))
    }
}

/// A meter's refusal. Ordered by stage.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The keypad is locked after too many wrong entries.
    #[error("the keypad is locked for {remaining_s} more seconds")]
    Lockout {
        /// Seconds until it takes entries again.
        remaining_s: u32,
    },
    /// The meter takes nothing now.
    #[error("the meter is not ready")]
    NotReady,
    /// A character that is neither a digit nor a separator.
    #[error("character {} is {found:?}, expected a digit", .position.saturating_add(1))]
    #[doc(alias = "FormatError")]
    NonDigit {
        /// Its place from 0, in characters.
        position: u16,
        /// The character.
        found: char,
    },
    /// No accepted framing has this number of digits, or more than one fits.
    #[error("{digits} digits fit no single token form that this meter takes")]
    #[doc(alias = "LengthError")]
    Length {
        /// Digits entered.
        digits: u16,
        /// Every framing the digits fit, whether this meter takes it or not.
        fitting: FramingSet,
    },
    /// Twenty digits at or above 2^66.
    #[error("the digits are above 73786976294838206463, the largest token")]
    #[doc(alias = "FormatError")]
    OutOfRange,
    /// The check digits of a 24-digit entry are wrong.
    #[error("the last two digits are {found:02}, computed {expected:02}")]
    #[doc(alias = "ExtensionMismatch")]
    ExtensionCheck {
        /// The check computed.
        expected: u8,
        /// The check found.
        found: u8,
    },
    /// A 24-digit entry claims another key revision than the one that authenticates it.
    #[error("the entry claims key revision {claimed}, the meter holds {held}")]
    #[doc(alias = "ExtensionMismatch")]
    ExtensionKeyRevision {
        /// The digit K.
        claimed: u8,
        /// The key revision of the meter's key.
        held: u8,
    },
    /// A 24-digit entry claims another subclass than its token has.
    #[error("the entry claims resource {claimed}, the token is class {} subclass {subclass}", .class.bits())]
    #[doc(alias = "ExtensionMismatch")]
    ExtensionResource {
        /// The digit R.
        claimed: u8,
        /// The token's class.
        class: Class,
        /// The token's subclass.
        subclass: u8,
    },
    /// Class 3, which has no layout.
    #[error("class 3 is reserved")]
    #[doc(alias = "FunctionError")]
    ReservedClass,
    /// The check does not hold: another key, another meter, or a digit wrong.
    #[error("the token does not authenticate under this key")]
    #[doc(alias = "CRCError")]
    Crc,
    /// A class 1 token with another maker's code.
    #[error("manufacturer code {found}, expected 0 or {own}")]
    #[doc(alias = "MfrCodeError")]
    MfrCode {
        /// The code in the token.
        found: u16,
        /// The meter's own.
        own: u16,
    },
    /// Credit under a default key.
    #[error("the meter holds a default key, which takes no credit")]
    #[doc(alias = "DDTKError")]
    DefaultKey {
        /// Every check that failed.
        failed: FailedChecks,
    },
    /// The TID is past the key's expiry number.
    #[error("token identifier {id} is past the key expiry number {expiry}")]
    #[doc(alias = "KeyExpiredError")]
    KeyExpired {
        /// The token's TID.
        id: TokenId,
        /// The key's expiry number.
        expiry: u8,
        /// Every check that failed.
        failed: FailedChecks,
    },
    /// The TID is below the lowest that the meter remembers.
    #[error("token identifier {id} is below {oldest_kept}, the oldest kept")]
    #[doc(alias = "OldError")]
    Old {
        /// The token's TID.
        id: TokenId,
        /// The lowest in the memory.
        oldest_kept: TokenId,
        /// Every check that failed.
        failed: FailedChecks,
    },
    /// The TID is in the meter's memory: the token was taken before.
    #[error("token identifier {id} was used before")]
    #[doc(alias = "UsedError")]
    Used {
        /// The token's TID.
        id: TokenId,
        /// Every check that failed.
        failed: FailedChecks,
    },
    /// The change of key type is not allowed.
    #[error("a key of type {} may not be changed to {}", .from.name(), .to.name())]
    #[doc(alias = "KeyTypeError")]
    KeyType {
        /// Type of the key held.
        from: KeyType,
        /// Type of the new key.
        to: KeyType,
    },
    /// A key section out of the order this meter asks for.
    #[error("key change section {found} entered, expected {expected}")]
    #[doc(alias = "FormatError")]
    SectionOrder {
        /// The section that should come.
        expected: u8,
        /// The section that came.
        found: u8,
    },
    /// A field outside its range: `KRN`, `TI`, `SGC` of a key section, register of `ClearCredit`.
    #[error("{field} {found} is out of range")]
    #[doc(alias = "RangeError")]
    Range {
        /// The field.
        field: RangedField,
        /// The value found.
        found: u32,
    },
    /// The meter does not have this function.
    #[error("this meter does not take class {} subclass {subclass}", .class.bits())]
    #[doc(alias = "FunctionError")]
    Unsupported {
        /// Class.
        class: Class,
        /// Subclass.
        subclass: u8,
    },
    /// A key change section, or a set of this size, that the meter does not take.
    #[error("this meter does not take section {section} of such a key change")]
    #[doc(alias = "FunctionError")]
    UnsupportedSection {
        /// The section, 1 to 4.
        section: u8,
    },
    /// A test or display request of which the meter knows none.
    #[error("this meter knows none of the tests asked for")]
    #[doc(alias = "FunctionError")]
    UnknownTest,
    /// The credit register would overflow; nothing was added.
    #[error("credit register {register} has no room for the amount; headroom {headroom}")]
    #[doc(alias = "OverflowError")]
    Overflow {
        /// The register, 0 to 7.
        register: u8,
        /// What it could still take, in its unit.
        headroom: u64,
    },
}

/// A field that a meter checks for its range.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RangedField {
    /// Key revision number of a first section: 1 to 9.
    KeyRevisionNumber,
    /// Tariff index of a second section: 0 to 99.
    TariffIndex,
    /// Supply group code of a set: 0 to 999 999.
    SupplyGroupCode,
    /// Register to clear: 0 to 7, or FFFF.
    RegisterToClear,
}

impl core::fmt::Display for RangedField {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::KeyRevisionNumber => "key revision number",
            Self::TariffIndex => "tariff index",
            Self::SupplyGroupCode => "supply group code",
            Self::RegisterToClear => "register to clear",
        })
    }
}

impl Rejection {
    /// The standard's result.
    #[must_use]
    pub const fn result(&self) -> TokenResult {
        match self {
            Self::Lockout { .. } => TokenResult::Lockout,
            Self::NotReady => TokenResult::NotReady,
            Self::NonDigit { .. } | Self::OutOfRange | Self::SectionOrder { .. } => {
                TokenResult::FormatError
            }
            Self::Length { .. } => TokenResult::LengthError,
            Self::ExtensionCheck { .. }
            | Self::ExtensionKeyRevision { .. }
            | Self::ExtensionResource { .. } => TokenResult::ExtensionMismatch,
            Self::Crc => TokenResult::CrcError,
            Self::MfrCode { .. } => TokenResult::MfrCodeError,
            Self::DefaultKey { .. } => TokenResult::DdtkError,
            Self::KeyExpired { .. } => TokenResult::KeyExpiredError,
            Self::Old { .. } => TokenResult::OldError,
            Self::Used { .. } => TokenResult::UsedError,
            Self::KeyType { .. } => TokenResult::KeyTypeError,
            Self::Range { .. } => TokenResult::RangeError,
            Self::ReservedClass
            | Self::Unsupported { .. }
            | Self::UnsupportedSection { .. }
            | Self::UnknownTest => TokenResult::FunctionError,
            Self::Overflow { .. } => TokenResult::OverflowError,
        }
    }

    /// The standard's own name for the result.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.result().name()
    }

    /// The result's number, where one is published.
    #[must_use]
    pub const fn register(&self) -> Option<u8> {
        self.result().register()
    }

    /// Where it was refused.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Lockout { .. } | Self::NotReady => Stage::Keypad,
            Self::NonDigit { .. }
            | Self::OutOfRange
            | Self::Length { .. }
            | Self::ExtensionCheck { .. } => Stage::Framing,
            Self::Crc
            | Self::MfrCode { .. }
            | Self::ReservedClass
            | Self::ExtensionKeyRevision { .. }
            | Self::ExtensionResource { .. } => Stage::Authentication,
            Self::DefaultKey { .. }
            | Self::KeyExpired { .. }
            | Self::Old { .. }
            | Self::Used { .. } => Stage::Validation,
            _ => Stage::Application,
        }
    }

    /// Every check of the validation that failed.
    #[must_use]
    pub const fn failed_checks(&self) -> Option<FailedChecks> {
        match self {
            Self::DefaultKey { failed }
            | Self::KeyExpired { failed, .. }
            | Self::Old { failed, .. }
            | Self::Used { failed, .. } => Some(*failed),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<Rejection>() <= 16);
