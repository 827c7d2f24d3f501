//! The closed set of causes, and what to do about each.
//!
//! A cause is what a meter cannot know: someone holding candidate keys can.

/// Declares the causes in their order of precedence, each with its name, action and advice.
macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $action:literal, $advice:literal;)*) => {
        /// Why an entry was refused. In order of precedence.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Cause {
            $($(#[$doc])* $variant,)*
        }

        impl Cause {
            /// All of them, in order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in every report.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is to be done, as a fixed word.
            #[must_use]
            pub const fn action(self) -> &'static str {
                match self { $(Self::$variant => $action,)* }
            }

            /// What is to be done, in a sentence for people.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

causes! {
    /// The keypad was locked.
    Lockout = "lockout", "wait",
        "The keypad is locked after wrong entries. Wait until it takes digits again, then enter the token once more.";
    /// The digits are something else: a meter number, a telephone number, a PIN, zeros.
    NotToken = "not_token", "find-original",
        "These digits are not a token. Find the slip or message with the 20 digits that were bought.";
    /// The display speaks of a fault of the meter.
    NotTokenFault = "not_token_fault", "repair",
        "The display reports a fault of the meter, not of the token. Have the meter seen to; the token stays good.";
    /// A character that is no digit.
    FormatNondigit = "format.nondigit", "read-again",
        "The entry holds something that is not a digit. Read the token again and enter digits only.";
    /// A spreadsheet has damaged the number.
    FormatSpreadsheet = "format.spreadsheet", "find-original",
        "A spreadsheet has changed this number. Take the 20 digits from the original slip or message; digits that were rounded away cannot be computed back.";
    /// A later firmware takes this form.
    LengthAhead = "length.ahead", "update-firmware",
        "This token is in a form that only a later firmware of the meter takes. Update the meter, or have the token reissued in 20 digits.";
    /// An earlier firmware took this form.
    LengthBehind = "length.behind", "reissue",
        "This token is in a form that only an earlier firmware of the meter took. Have it reissued in the form the meter takes now.";
    /// The digits around the token do not agree with it.
    ExtensionMismatch = "extension.mismatch", "read-again",
        "The digits added to the token do not agree with it. Read all digits again.";
    /// One digit is wrong.
    TypedDigit = "typed.digit", "read-again",
        "One digit was mistyped. Read the token again and enter it with care.";
    /// Two neighbouring digits are swapped.
    TypedSwap = "typed.swap", "read-again",
        "Two neighbouring digits were swapped. Read the token again and enter it with care.";
    /// A group of four is swapped, doubled or lost.
    TypedGroup = "typed.group", "read-again",
        "A group of four digits was swapped, doubled or left out. Read the token again group by group.";
    /// A digit is doubled or lost.
    TypedLength = "typed.length", "read-again",
        "A digit was doubled or left out. Read the token again and count 20 digits.";
    /// Another number of digits, for which no slip was found.
    LengthOther = "length.other", "read-again",
        "The number of digits is wrong. Read the token again and count 20 digits.";
    /// At or above 2^66.
    FormatOutOfRange = "format.out_of_range", "read-again",
        "No token is as large as this number, so at least one digit is wrong. Read the token again.";
    /// The token is for another meter.
    OtherMeter = "other_meter", "check-meter-number",
        "The token was sold for another meter. Compare the meter number on the slip with the one on the meter.";
    /// Another supply group.
    SgcMismatch = "sgc.mismatch", "correct-record-reissue",
        "The token was made for another supply group. Correct the meter's record at the vendor and reissue.";
    /// Another key type.
    KtMismatch = "kt.mismatch", "correct-record-reissue",
        "The token was made for another key type. Correct the meter's record at the vendor and reissue.";
    /// A key change was begun and not finished.
    KctIncomplete = "kct.incomplete", "enter-missing-sections",
        "The key change was begun and not finished. Enter all its tokens within the time allowed, then this token; it is not spent.";
    /// The token is under a later key than the meter holds.
    KrnAhead = "krn.ahead", "enter-key-change-first",
        "The token was made under a newer key than the meter holds. Enter the key-change tokens first, then this token; it is not spent.";
    /// The token is under an earlier key than the meter holds.
    KrnBehind = "krn.behind", "reissue",
        "The token was made under an older key than the meter holds. It can never be used on this meter: it must be reissued under the new key.";
    /// Another base date.
    BdtMismatch = "bdt.mismatch", "correct-record-reissue",
        "The token counts its time from another base date. Correct the key's base date at the vendor and reissue.";
    /// Another encryption algorithm.
    EaMismatch = "ea.mismatch", "correct-record-reissue",
        "The token was made with another encryption algorithm. Correct the meter's record at the vendor and reissue.";
    /// Another tariff index.
    TiMismatch = "ti.mismatch", "correct-record-reissue",
        "The token was made for another tariff index. Correct the meter's record at the vendor and reissue.";
    /// Two or more attributes differ.
    ConfigSeveral = "config.several", "correct-record-reissue",
        "The token was made for a meter with several other settings. Correct the meter's record at the vendor and reissue.";
    /// A key-change section or set that this meter cannot take.
    KctUnsupported = "kct.unsupported", "reissue-key-change",
        "This meter cannot take such a key change. Have the key change reissued in the form and order that the meter takes.";
    /// A change of key type that is not allowed.
    KctKeyType = "kct.key_type", "reissue-key-change",
        "This change of key type is not allowed. Have the key change reissued for the meter's present key type.";
    /// The meter holds a default key.
    KeyDefault = "key.default", "enter-key-change-first",
        "The meter still holds a default key, which takes no credit. Enter the key-change tokens first, then this token.";
    /// The token is past the key's expiry.
    KeyExpired = "key.expired", "enter-key-change-first",
        "The meter's key has expired for this token. Enter the key-change tokens first; if the token is refused still, have it reissued.";
    /// The token was accepted before.
    TidUsed = "tid.used", "already-credited",
        "This token was used before: its credit is on the meter already.";
    /// Sold after the last minute of the meter's base date.
    TidWrapped = "tid.wrapped", "enter-key-change-first",
        "The token was sold after the meter's time range ended (TID rollover). Enter the key-change tokens first and have the token reissued.";
    /// The base date was changed without clearing the memory.
    RolloverBitMissing = "rollover_bit.missing", "reissue-key-change",
        "The base date was changed without clearing the meter's memory of tokens. Have the key change reissued with the rollover bit.";
    /// The vending clock was off.
    TidClockOffset = "tid.clock_offset", "correct-clock-reissue",
        "The token's time does not agree with its sale: the vending clock was wrong. Correct the clock and reissue.";
    /// Older than everything the meter remembers.
    TidOld = "tid.old", "reissue",
        "The token is older than everything the meter remembers. Have it reissued.";
    /// Credits what the meter does not measure.
    FunctionResource = "function.resource", "correct-record-reissue",
        "The token credits something that this meter does not measure. Correct the meter's record at the vendor and reissue.";
    /// Asks for a function the meter lacks.
    FunctionOther = "function.other", "correct-record-reissue",
        "The token asks for a function that this meter does not have. Correct the meter's record at the vendor.";
    /// Another maker's code.
    MfrCode = "mfr_code", "maker-token",
        "The token carries another maker's code. Use the token of this meter's maker.";
    /// A field out of range.
    Range = "range", "reissue",
        "A field of the token is out of range. Have the token reissued.";
    /// The register is full.
    Overflow = "overflow", "use-credit-first",
        "The meter has no room for this credit. Use some of it first, then enter the token again; it is not spent.";
    /// The meter is in another state than the records say.
    RecordStale = "record.stale", "check-meter-state",
        "The meter is in another state than the records say. Read its key revision (enter 1844 6744 0738 4377 2416) and correct the record.";
    /// Nothing explains it.
    Unknown = "unknown", "escalate",
        "Nothing held explains this refusal. Pass it on with the slip, the meter number and what the display showed.";
}
