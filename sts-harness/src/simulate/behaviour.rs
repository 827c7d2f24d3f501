//! What can happen at a keypad: the purchases that go well, and the causes of those that do not.

use serde::{Deserialize, Serialize};

macro_rules! behaviours {
    ($($variant:ident = $name:literal,)*) => {
        /// What somebody does. All but the first two are causes of a refusal, by the names that
        /// causes have everywhere in this project.
        #[derive(
            Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
        )]
        pub(super) enum Behaviour {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl Behaviour {
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

behaviours! {
    Buy = "buy",
    Change = "change",
    Lockout = "lockout",
    NotToken = "not_token",
    NotTokenFault = "not_token_fault",
    FormatNondigit = "format.nondigit",
    FormatSpreadsheet = "format.spreadsheet",
    LengthAhead = "length.ahead",
    LengthBehind = "length.behind",
    ExtensionMismatch = "extension.mismatch",
    TypedDigit = "typed.digit",
    TypedSwap = "typed.swap",
    TypedGroup = "typed.group",
    TypedLength = "typed.length",
    LengthOther = "length.other",
    FormatOutOfRange = "format.out_of_range",
    OtherMeter = "other_meter",
    SgcMismatch = "sgc.mismatch",
    KtMismatch = "kt.mismatch",
    KctIncomplete = "kct.incomplete",
    KrnAhead = "krn.ahead",
    KrnBehind = "krn.behind",
    BdtMismatch = "bdt.mismatch",
    EaMismatch = "ea.mismatch",
    TiMismatch = "ti.mismatch",
    ConfigSeveral = "config.several",
    KctUnsupported = "kct.unsupported",
    KctKeyType = "kct.key_type",
    KeyDefault = "key.default",
    KeyExpired = "key.expired",
    TidUsed = "tid.used",
    TidWrapped = "tid.wrapped",
    RolloverBitMissing = "rollover_bit.missing",
    TidClockOffset = "tid.clock_offset",
    TidOld = "tid.old",
    FunctionResource = "function.resource",
    FunctionOther = "function.other",
    MfrCode = "mfr_code",
    Range = "range",
    Overflow = "overflow",
    RecordStale = "record.stale",
    Unknown = "unknown",
}
