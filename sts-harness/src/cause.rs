//! The closed set of causes, and what to do about each.
//!
//! A cause is what a meter cannot know: someone holding candidate keys can.

/// Declares the causes in their order of precedence, each with its name and action, its title, and
/// its sentences: why, what to do, what to tell the customer.
macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $action:literal,
        $title:literal, $why:literal, $next:literal, $customer:literal;)*) => {
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

            /// What is to be done, in sentences for people: [`why`](Self::why), then
            /// [`next_step`](Self::next_step).
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => concat!($why, " ", $next),)* }
            }

            /// The cause in a few plain words, to stand in a list: no capital, no full stop.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What is the matter, in a sentence.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Self::$variant => $why,)* }
            }

            /// What the operator does next.
            #[must_use]
            pub const fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next,)* }
            }

            /// What to say to the customer: plain words, no codes.
            #[must_use]
            pub const fn customer(self) -> &'static str {
                match self { $(Self::$variant => $customer,)* }
            }

            /// Whether it is a slip of the fingers, which can be undone.
            #[must_use]
            pub const fn is_slip(self) -> bool {
                matches!(
                    self,
                    Self::TypedDigit | Self::TypedSwap | Self::TypedGroup | Self::TypedLength
                )
            }

            /// Whether it takes the meter to hold the key that its record says.
            #[must_use]
            pub const fn rests_on_record(self) -> bool {
                use Cause::*;
                matches!(
                    self,
                    KrnAhead | KrnBehind | KctIncomplete | TiMismatch | SgcMismatch | KtMismatch
                        | EaMismatch | BdtMismatch | ConfigSeveral | TidUsed | TidOld | TidWrapped
                        | TidClockOffset | RolloverBitMissing | Overflow | Range | Unknown
                )
            }

            /// From its name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|cause| cause.name() == name)
            }
        }
    };
}

causes! {
    /// The keypad was locked.
    Lockout = "lockout", "wait",
        "the keypad is locked",
        "The keypad is locked after wrong entries.",
        "Wait until the keypad takes digits again, then enter the token once more.",
        "Your meter has stopped taking digits for a while, because several wrong entries were made. Please wait, then enter your token once more; it is not lost.";
    /// The digits are something else: a meter number, a telephone number, a PIN, zeros.
    NotToken = "not_token", "find-original",
        "not a token",
        "These digits are not a token.",
        "Find the slip or message with the 20 digits that were bought.",
        "The number you entered is not the token. Please look for the 20 digits on your slip or in your message, and enter those.";
    /// The display speaks of a fault of the meter.
    NotTokenFault = "not_token_fault", "repair",
        "a fault of the meter",
        "The display reports a fault of the meter, not of the token.",
        "Have the meter seen to; the token stays good.",
        "Your meter reports a fault, which has nothing to do with the token. Please keep the token until the meter has been seen to.";
    /// A character that is no digit.
    FormatNondigit = "format.nondigit", "read-again",
        "something that is not a digit",
        "The entry holds something that is not a digit.",
        "Read the token again and enter digits only.",
        "One of the characters is not a digit. Please read the token again: it has digits only.";
    /// A spreadsheet has damaged the number.
    FormatSpreadsheet = "format.spreadsheet", "find-original",
        "changed by a spreadsheet",
        "A spreadsheet has changed this number.",
        "Take the 20 digits from the original slip or message; digits that were rounded away cannot be computed back.",
        "The number has been changed on its way to you. Please use the token on your original slip or message, or ask for it to be sent again.";
    /// A later firmware takes this form.
    LengthAhead = "length.ahead", "update-firmware",
        "a form that only a later firmware takes",
        "This token is in a form that only a later firmware of the meter takes.",
        "Update the meter, or have the token reissued in 20 digits.",
        "Your token is good, but your meter cannot take one of this length yet. Please keep it: either your meter is updated, or you get a shorter token in its place.";
    /// An earlier firmware took this form.
    LengthBehind = "length.behind", "reissue",
        "a form that only an earlier firmware took",
        "This token is in a form that only an earlier firmware of the meter took.",
        "Have it reissued in the form the meter takes now.",
        "Your meter has been updated and no longer takes a token of this length. You will be given a new token in its place.";
    /// The digits around the token do not agree with it.
    ExtensionMismatch = "extension.mismatch", "read-again",
        "the added digits do not agree",
        "The digits added to the token do not agree with it.",
        "Read all digits again.",
        "One of the digits is wrong. Please read all of them again from your slip and enter them with care.";
    /// One digit is wrong.
    TypedDigit = "typed.digit", "read-again",
        "one digit mistyped",
        "One digit was mistyped.",
        "Read the token again and enter it with care.",
        "One digit was entered wrong. Please enter the token again, slowly; nothing is lost.";
    /// Two neighbouring digits are swapped.
    TypedSwap = "typed.swap", "read-again",
        "two neighbouring digits swapped",
        "Two neighbouring digits were swapped.",
        "Read the token again and enter it with care.",
        "Two digits next to each other were swapped. Please enter the token again, slowly; nothing is lost.";
    /// A group of four is swapped, doubled or lost.
    TypedGroup = "typed.group", "read-again",
        "a group of four swapped, doubled or left out",
        "A group of four digits was swapped, doubled or left out.",
        "Read the token again group by group.",
        "A block of four digits was entered in the wrong place, twice, or not at all. Please enter the token again, block by block; nothing is lost.";
    /// A digit is doubled or lost.
    TypedLength = "typed.length", "read-again",
        "a digit doubled or left out",
        "A digit was doubled or left out.",
        "Read the token again and count 20 digits.",
        "A digit was entered twice or left out. Please enter the token again, slowly, and count 20 digits; nothing is lost.";
    /// Another number of digits, for which no slip was found.
    LengthOther = "length.other", "read-again",
        "the wrong number of digits",
        "The number of digits is wrong.",
        "Read the token again and count 20 digits.",
        "That is not the right number of digits. Please read the token again and count 20 digits.";
    /// At or above 2^66.
    FormatOutOfRange = "format.out_of_range", "read-again",
        "a number too large for a token",
        "No token is as large as this number, so at least one digit is wrong.",
        "Read the token again.",
        "At least one digit is wrong. Please read the token again from your slip.";
    /// The token is for another meter.
    OtherMeter = "other_meter", "check-meter-number",
        "sold for another meter",
        "The token was sold for another meter.",
        "Compare the meter number on the slip with the one on the meter.",
        "This token was bought for another meter. Please read me the meter number on your slip, and the one on your meter.";
    /// Another supply group.
    SgcMismatch = "sgc.mismatch", "correct-record-reissue",
        "made for another supply group",
        "The token was made for another supply group.",
        "Correct the meter's record at the vendor and reissue.",
        "This token was made with a wrong setting on our side, so your meter cannot take it. We have to put that right and give you a new token.";
    /// Another key type.
    KtMismatch = "kt.mismatch", "correct-record-reissue",
        "made for another key type",
        "The token was made for another key type.",
        "Correct the meter's record at the vendor and reissue.",
        "This token was made with a wrong setting on our side, so your meter cannot take it. We have to put that right and give you a new token.";
    /// A key change was begun and not finished.
    KctIncomplete = "kct.incomplete", "enter-missing-sections",
        "a key change not finished",
        "The key change was begun and not finished.",
        "Enter all the key-change tokens within the time allowed, then this token; it is not spent.",
        "Your token is good and it is not lost. Your meter needs its update codes first, and not all of them have gone in. Enter all the codes one after the other, without a long pause, and then this token.";
    /// The token is under a later key than the meter holds.
    KrnAhead = "krn.ahead", "enter-key-change-first",
        "made under a newer key",
        "The token was made under a newer key than the meter holds.",
        "Enter the key-change tokens first, then this token; it is not spent.",
        "Your token is good and it is not lost. Your meter needs its update codes first. Enter the codes, and then this token once more.";
    /// The token is under an earlier key than the meter holds.
    KrnBehind = "krn.behind", "reissue",
        "made under an older key",
        "The token was made under an older key than the meter holds.",
        "It can never be used on this meter: it must be reissued under the new key.",
        "Your meter has been updated, and this token was made for it as it was before. It cannot be used any more; you need a new token in its place.";
    /// Another base date.
    BdtMismatch = "bdt.mismatch", "correct-record-reissue",
        "made under another base date",
        "The token counts its time from another base date.",
        "Correct the key's base date at the vendor and reissue.",
        "This token was made with a wrong setting on our side, so your meter cannot take it. We have to put that right and give you a new token.";
    /// Another encryption algorithm.
    EaMismatch = "ea.mismatch", "correct-record-reissue",
        "made with another algorithm",
        "The token was made with another encryption algorithm.",
        "Correct the meter's record at the vendor and reissue.",
        "This token was made with a wrong setting on our side, so your meter cannot take it. We have to put that right and give you a new token.";
    /// Another tariff index.
    TiMismatch = "ti.mismatch", "correct-record-reissue",
        "made for another tariff index",
        "The token was made for another tariff index.",
        "Correct the meter's record at the vendor and reissue.",
        "This token was made with a wrong setting on our side, so your meter cannot take it. We have to put that right and give you a new token.";
    /// Two or more attributes differ.
    ConfigSeveral = "config.several", "correct-record-reissue",
        "made under several other settings",
        "The token was made for a meter with several other settings.",
        "Correct the meter's record at the vendor and reissue.",
        "This token was made with a wrong setting on our side, so your meter cannot take it. We have to put that right and give you a new token.";
    /// A key-change section or set that this meter cannot take.
    KctUnsupported = "kct.unsupported", "reissue-key-change",
        "a key change this meter cannot take",
        "This meter cannot take such a key change.",
        "Have the key change reissued in the form and order that the meter takes; a meter that takes none has to be replaced.",
        "Your meter cannot take this update code. Please do not try it again; we have to give you other codes, or change the meter.";
    /// A change of key type that is not allowed.
    KctKeyType = "kct.key_type", "reissue-key-change",
        "a change of key type that is not allowed",
        "This change of key type is not allowed.",
        "Have the key change reissued for the meter's present key type.",
        "Your meter cannot take this update code. Please do not try it again; we have to give you other codes.";
    /// The meter holds a default key.
    KeyDefault = "key.default", "enter-key-change-first",
        "the meter holds a default key",
        "The meter still holds a default key, which takes no credit.",
        "Enter the key-change tokens first, then this token.",
        "Your meter has not been set up fully yet. Enter its update codes first, and then this token; it is not lost.";
    /// The token is past the key's expiry.
    KeyExpired = "key.expired", "enter-key-change-first",
        "the meter's key has expired",
        "The meter's key has expired for this token.",
        "Enter the key-change tokens first; if the token is refused still, have it reissued.",
        "Your meter has to be updated before it can take this token. Enter the update codes first, and then this token. If it is refused even then, you need a new token.";
    /// The token was accepted before.
    TidUsed = "tid.used", "already-credited",
        "used before",
        "This token was used before: its credit is on the meter already.",
        "Compare the balance with the customer; there is nothing left to enter.",
        "This token has been used already: what you bought is on the meter. Please look at the balance on your meter.";
    /// Sold after the last minute of the meter's base date.
    TidWrapped = "tid.wrapped", "enter-key-change-first",
        "sold after the meter's time range ended",
        "The token was sold after the meter's time range ended (TID rollover).",
        "Enter the key-change tokens first and have the token reissued.",
        "Your meter missed an update that was due before you bought this token. Enter its update codes first; you also need a new token in place of this one.";
    /// The base date was changed without clearing the memory.
    RolloverBitMissing = "rollover_bit.missing", "reissue-key-change",
        "the memory was not cleared at the key change",
        "The base date was changed without clearing the meter's memory of tokens.",
        "Have the key change reissued with the rollover bit.",
        "Your meter was updated, but not completely, through no fault of yours. You need new update codes, and after them this token.";
    /// The vending clock was off.
    TidClockOffset = "tid.clock_offset", "correct-clock-reissue",
        "a wrong vending clock",
        "The token's time does not agree with its sale: the vending clock was wrong.",
        "Correct the clock and reissue.",
        "The clock was wrong where your token was made, so your meter takes it for another time. You need a new token in its place.";
    /// Older than everything the meter remembers.
    TidOld = "tid.old", "reissue",
        "older than all the meter remembers",
        "The token is older than everything the meter remembers.",
        "Have it reissued.",
        "This token is too old for your meter: newer ones have gone in since. You need a new token in its place.";
    /// Credits what the meter does not measure.
    FunctionResource = "function.resource", "correct-record-reissue",
        "credit for something the meter does not measure",
        "The token credits something that this meter does not measure.",
        "Correct the meter's record at the vendor and reissue.",
        "This token is not for this kind of meter, so it cannot be used here. We have to put your record right and give you a new token.";
    /// Asks for a function the meter lacks.
    FunctionOther = "function.other", "correct-record-reissue",
        "a function the meter does not have",
        "The token asks for a function that this meter does not have.",
        "Correct the meter's record at the vendor.",
        "Your meter cannot do what this token asks of it. Please do not try it again; we will look into it.";
    /// Another maker's code.
    MfrCode = "mfr_code", "maker-token",
        "another maker's code",
        "The token carries another maker's code.",
        "Use the token of this meter's maker.",
        "This token is for a meter of another make. It does nothing on yours, and no credit is lost.";
    /// A field out of range.
    Range = "range", "reissue",
        "a field out of range",
        "A field of the token is out of range.",
        "Have the token reissued.",
        "This token was not made properly. You need a new one in its place.";
    /// The register is full.
    Overflow = "overflow", "use-credit-first",
        "no room for the credit",
        "The meter has no room for this credit.",
        "Use some of the credit first, then enter the token again; it is not spent.",
        "Your token is good and it is not lost. Your meter is too full to take it. Use some of what is on the meter first, then enter the token again.";
    /// The meter is in another state than the records say.
    RecordStale = "record.stale", "check-meter-state",
        "the records do not say how the meter is",
        "The meter is in another state than the records say.",
        "Read the meter's key revision (enter 1844 6744 0738 4377 2416) and correct the record.",
        "What your meter does is not what our records say. Please read me what it shows, and we will put the record right.";
    /// Nothing explains it.
    Unknown = "unknown", "escalate",
        "not known",
        "Nothing held explains this refusal.",
        "Pass it on with the slip, the meter number and what the display showed.",
        "I cannot see yet why your meter refuses this token. Please keep the slip; we will pass this on and come back to you.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_says_what_it_is_what_to_do_and_what_to_tell() {
        for cause in Cause::ALL.iter().copied() {
            assert_eq!(Cause::from_name(cause.name()), Some(cause));
            for sentence in [cause.why(), cause.next_step(), cause.customer()] {
                assert!(sentence.ends_with('.'), "{}: {sentence}", cause.name());
            }
            assert!(!cause.title().ends_with('.'), "{}", cause.name());
        }
    }

    #[test]
    fn customers_hear_no_jargon() {
        for cause in Cause::ALL {
            let said = cause.customer().to_lowercase();
            for word in ["key ", "krn", "tid", "sgc", "tariff", "authentic", "base date", "_"] {
                assert!(!said.contains(word), "{}: {word:?}", cause.name());
            }
        }
    }
}
