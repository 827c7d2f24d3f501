//! What a family of meters accepts, and what it shows.
//!
//! Borrowed data throughout, so that firmware can keep a profile in flash. Where the public rules
//! end, the choice is a field here, with this project's default in [`Profile::STANDARD`].

use core::fmt;

use crate::class::{Class, KeyChangeSet};
use crate::framing::{Framed, Framing, FramingSet, Keyed};
use crate::rejection::{Rejection, TokenResult};

/// A set of small numbers, 0 to 63.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct NumberSet(u64);

impl NumberSet {
    /// Nothing.
    pub const EMPTY: Self = Self(0);

    /// The numbers of the bits that are set; bit 0 is the lowest.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// `first` to `last`, both included.
    #[must_use]
    pub const fn range(first: u8, last: u8) -> Self {
        let mut set = Self::EMPTY;
        let mut number = first;
        while number <= last && number < 64 {
            set = set.with(number);
            number = number.wrapping_add(1);
        }
        set
    }

    /// This set and one more number, taken modulo 64.
    #[must_use]
    pub const fn with(self, number: u8) -> Self {
        Self(self.0 | 1 << (number & 63))
    }

    /// Whether it holds the number.
    #[must_use]
    pub const fn contains(self, number: u8) -> bool {
        number < 64 && self.0 >> (number & 63) & 1 == 1
    }
}

impl FromIterator<u8> for NumberSet {
    fn from_iter<I: IntoIterator<Item = u8>>(numbers: I) -> Self {
        numbers.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// In which order the sections of a key change are taken.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SectionOrder {
    /// Any.
    #[default]
    Any,
    /// First to last; another section is a `FormatError`.
    Strict,
}

/// How the keypad is locked after wrong entries.
///
/// `CRCError`, `MfrCodeError`, `LengthError` and `FormatError` count; a token that is taken starts
/// the count anew.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "data that profiles write out")]
pub struct LockoutRule<'a> {
    /// Wrong entries that lock: the last of them still gets its own answer.
    pub after: u8,
    /// Seconds of the first, second, … lock-out in a row; the last repeats.
    pub durations_s: &'a [u32],
}

/// How sure it is that a meter shows this.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Basis {
    /// A maker's own text says so.
    Documented,
    /// Taken over from another family's published table.
    Borrowed,
    /// This project's hypothesis.
    Hypothesis,
    /// Made up, so that every result shows something.
    Example,
}

impl Basis {
    /// All of them, surest first.
    pub const ALL: [Self; 4] = [Self::Documented, Self::Borrowed, Self::Hypothesis, Self::Example];

    /// Its name in profiles and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Borrowed => "borrowed",
            Self::Hypothesis => "hypothesis",
            Self::Example => "example",
        }
    }

    /// From its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.name() == name)
    }
}

/// A set of results.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ResultSet(u32);

impl ResultSet {
    /// No result.
    pub const EMPTY: Self = Self(0);
    /// Every result.
    pub const ALL: Self = Self(u32::MAX);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, result: TokenResult) -> Self {
        Self(self.0 | 1 << result as u32)
    }

    /// Whether it holds the result.
    #[must_use]
    pub const fn contains(self, result: TokenResult) -> bool {
        self.0 >> result as u32 & 1 == 1
    }
}

impl FromIterator<TokenResult> for ResultSet {
    fn from_iter<I: IntoIterator<Item = TokenResult>>(results: I) -> Self {
        results.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// What the meter shows for some of its results. The first rule that matches wins.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "data that profiles write out")]
pub struct DisplayRule<'a> {
    /// The results it is for.
    pub on: ResultSet,
    /// Only while some, but not all, sections of a key change are stored.
    pub only_pending: bool,
    /// The text; `{result}` stands for the result's name.
    pub show: &'a str,
    /// How sure it is.
    pub basis: Basis,
}

/// What a meter shows, as `Display`.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Shown<'a> {
    text: &'a str,
    result: TokenResult,
    basis: Basis,
}

impl Shown<'_> {
    /// How sure it is.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        self.basis
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By braces, since a search for one character is short and fast.
        let mut parts = self.text.split('{');
        f.write_str(parts.next().unwrap_or_default())?;
        parts.try_for_each(|part| {
            let (instead, rest) = match part.strip_prefix("result}") {
                Some(rest) => (self.result.name(), rest),
                None => ("{", part),
            };
            f.write_str(instead)?;
            f.write_str(rest)
        })
    }
}

/// What one firmware of a family of meters accepts and shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "data that profiles write out")]
pub struct Profile<'a> {
    /// Framings the keypad takes.
    pub framings: FramingSet,
    /// Class 0 subclasses the meter takes; others are `FunctionError`.
    pub resources: NumberSet,
    /// Class 1 tests the meter knows, by number; test 0 is always known.
    pub tests: NumberSet,
    /// Class 2 subclasses among 2, 7 and 10 to 15 that the meter has.
    pub management: NumberSet,
    /// Sizes of key change the meter takes: 2, 3, 4.
    pub key_change_sets: NumberSet,
    /// In which order.
    pub section_order: SectionOrder,
    /// Seconds after the last section in which the next must come; `None` for ever.
    pub section_window_s: Option<u32>,
    /// How the keypad is locked, if it is.
    pub lockout: Option<LockoutRule<'a>>,
    /// The most a credit register holds, in its unit; `None` for all 64 bits.
    pub register_max: Option<u64>,
    /// Whether the meter compares TIDs with the key expiry number.
    pub checks_expiry: bool,
    /// What it shows; the result's name where no rule matches.
    pub display: &'a [DisplayRule<'a>],
}

impl Profile<'_> {
    /// The plain STS meter: twenty digits, all credit, every key change in any order, no window,
    /// no lock-out, the result's name on the display.
    pub const STANDARD: Profile<'static> = Profile {
        framings: FramingSet::EMPTY.with(Framing::Sts20),
        resources: NumberSet::range(0, 7),
        tests: NumberSet::range(0, 18),
        management: NumberSet::EMPTY,
        key_change_sets: NumberSet::range(2, 4),
        section_order: SectionOrder::Any,
        section_window_s: None,
        lockout: None,
        register_max: None,
        checks_expiry: true,
        display: &[],
    };

    /// Whether the meter takes key changes of this size.
    #[must_use]
    pub const fn takes_set(&self, set: KeyChangeSet) -> bool {
        self.key_change_sets.contains(set as u8)
    }

    /// Whether the meter has this function at all, key sections and tests apart.
    #[must_use]
    pub const fn has_function(&self, class: Class, subclass: u8) -> bool {
        match class {
            Class::Credit => subclass <= 7 && self.resources.contains(subclass),
            Class::MeterSpecificManagement => {
                matches!(subclass, 0 | 1 | 3..=6 | 8 | 9) || self.management.contains(subclass)
            }
            Class::NonMeterSpecificManagement => subclass <= 1,
            Class::Reserved => false,
        }
    }

    /// Makes one token of what was keyed: exactly one framing that the meter takes must fit.
    ///
    /// # Errors
    ///
    /// [`Rejection::Length`] where none has this number of digits or several fit;
    /// [`Rejection::OutOfRange`] or [`Rejection::ExtensionCheck`] where the only ones with this
    /// number of digits do not fit.
    pub fn frame(&self, keyed: &Keyed) -> Result<Framed, Rejection> {
        let mut fits = None;
        let mut refusal = None;
        for framing in self.framings.iter() {
            match keyed.frame_as(framing) {
                Ok(_) if fits.is_some() => return Err(keyed.wrong_length(keyed.fitting())),
                Ok(framed) => fits = Some(framed),
                Err(Rejection::Length { .. }) => {}
                Err(other) => refusal = refusal.or(Some(other)),
            }
        }
        match (fits, refusal) {
            (Some(framed), _) => Ok(framed),
            (None, Some(refusal)) => Err(refusal),
            (None, None) => Err(keyed.wrong_length(keyed.fitting())),
        }
    }

    /// What the meter shows for a result; `pending` while a key change is half entered.
    pub fn shown(&self, result: TokenResult, pending: bool) -> Shown<'_> {
        self.display
            .iter()
            .find(|rule| rule.on.contains(result) && (pending || !rule.only_pending))
            .map_or(Shown { text: "{result}", result, basis: Basis::Documented }, |rule| Shown {
                text: rule.show,
                result,
                basis: rule.basis,
            })
    }
}
