//! How the digits on a keypad or a slip become one token.
//!
//! The standard knows twenty digits. A press statement of November 2024 speaks of a 24-digit water
//! token; no specification of one was found. The 24-digit forms here are this project's
//! reconstruction, so that tools can be tested; no vendor is known to use them.

use crate::class::{Class, Payload};
use crate::key::KeyRevisionNumber;
use crate::rejection::Rejection;
use crate::token::Token;

/// The most digits that one framing takes.
const MOST: usize = 24;
/// The digits of a token inside a longer entry.
const TWENTY: usize = crate::token::DIGITS;

/// A way in which digits stand for a token.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Framing {
    /// Twenty digits: the standard's own.
    Sts20,
    /// Twenty digits, a key revision digit, a resource digit, two check digits (ISO 7064
    /// MOD 97-10). This project's definition.
    W24Check,
    /// Twenty digits and four of unknown meaning: always unverified.
    W24Suffix,
    /// Four digits of unknown meaning and twenty: always unverified.
    W24Prefix,
    /// Several tokens one after the other. Report only: a keypad takes one.
    Multi20,
    /// A token with digits after it that make no second one. Report only.
    Runon,
    /// Twenty-four digits of which one group of four stands twice. Report only.
    DupGroup,
}

impl Framing {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Sts20,
        Self::W24Check,
        Self::W24Suffix,
        Self::W24Prefix,
        Self::Multi20,
        Self::Runon,
        Self::DupGroup,
    ];

    /// Its name in profiles and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sts20 => "sts20",
            Self::W24Check => "w24-check",
            Self::W24Suffix => "w24-suffix",
            Self::W24Prefix => "w24-prefix",
            Self::Multi20 => "multi20",
            Self::Runon => "runon",
            Self::DupGroup => "dup-group",
        }
    }

    /// From its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|framing| framing.name() == name)
    }

    /// Whether a meter can take an entry in this form; the others are findings only.
    #[must_use]
    pub const fn is_acceptable(self) -> bool {
        matches!(self, Self::Sts20 | Self::W24Check | Self::W24Suffix | Self::W24Prefix)
    }

    /// Whether nothing vouches for this reading of the digits.
    #[must_use]
    pub const fn is_unverified(self) -> bool {
        matches!(self, Self::W24Suffix | Self::W24Prefix)
    }

    /// Whether an entry of this many digits can have this form.
    const fn takes(self, count: usize) -> bool {
        match self {
            Self::Sts20 => count == TWENTY,
            Self::W24Check | Self::W24Suffix | Self::W24Prefix | Self::DupGroup => count == MOST,
            Self::Multi20 => count > TWENTY && count.is_multiple_of(TWENTY),
            Self::Runon => count > TWENTY && !count.is_multiple_of(TWENTY),
        }
    }
}

impl core::fmt::Display for Framing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// A set of framings.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct FramingSet(u8);

impl FramingSet {
    /// No framing.
    pub const EMPTY: Self = Self(0);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, framing: Framing) -> Self {
        Self(self.0 | 1 << framing as u8)
    }

    /// Whether it holds the framing.
    #[must_use]
    pub const fn contains(self, framing: Framing) -> bool {
        self.0 >> framing as u8 & 1 == 1
    }

    /// Its framings, the standard's own first.
    pub fn iter(self) -> impl Iterator<Item = Framing> {
        Framing::ALL.into_iter().filter(move |framing| self.contains(*framing))
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Framing> for FramingSet {
    fn from_iter<I: IntoIterator<Item = Framing>>(framings: I) -> Self {
        framings.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// A character that is neither a digit nor a separator.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("character {} is {found:?}, expected a digit", .position.saturating_add(1))]
pub struct NonDigit {
    /// Its place from 0, in characters.
    pub position: usize,
    /// The character.
    pub found: char,
}

impl From<NonDigit> for Rejection {
    fn from(at: NonDigit) -> Self {
        let position = u16::try_from(at.position).unwrap_or(u16::MAX);
        Self::NonDigit { position, found: at.found }
    }
}

/// Digits as keyed: separators dropped, their places kept.
///
/// Separators are space, tab, no-break space, hyphen, en dash, dot, underscore, slash, line end.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Keyed {
    digits: [u8; MOST],
    count: usize,
    breaks: u32,
}

impl Keyed {
    /// Reads ASCII digits and separators, of any number.
    ///
    /// # Errors
    ///
    /// [`NonDigit`], digits of other scripts included.
    pub fn parse(text: &str) -> Result<Self, NonDigit> {
        Self::read(text, |found| found.to_digit(10))
    }

    /// Reads full-width, Arabic and other decimal digits too.
    ///
    /// # Errors
    ///
    /// [`NonDigit`].
    pub fn parse_any_script(text: &str) -> Result<Self, NonDigit> {
        Self::read(text, any_script_digit)
    }

    /// From digits as values, without separators; `None` where one is above 9.
    #[must_use]
    pub fn from_digits(values: &[u8]) -> Option<Self> {
        let mut keyed = Self { digits: [0; MOST], count: values.len(), breaks: 0 };
        if values.iter().any(|value| *value > 9) {
            return None;
        }
        for (place, value) in keyed.digits.iter_mut().zip(values) {
            *place = *value;
        }
        Some(keyed)
    }

    fn read(text: &str, digit: impl Fn(char) -> Option<u32>) -> Result<Self, NonDigit> {
        let mut keyed = Self { digits: [0; MOST], count: 0, breaks: 0 };
        for (position, found) in text.chars().enumerate() {
            match digit(found).and_then(|value| u8::try_from(value).ok()) {
                Some(value) => {
                    if let Some(place) = keyed.digits.get_mut(keyed.count) {
                        *place = value;
                    }
                    keyed.count = keyed.count.saturating_add(1);
                }
                None if is_separator(found) => {
                    let place = u32::try_from(keyed.count).unwrap_or(u32::MAX);
                    keyed.breaks |= 1_u32.checked_shl(place).unwrap_or_default();
                }
                None => return Err(NonDigit { position, found }),
            }
        }
        Ok(keyed)
    }

    /// How many digits were keyed.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The digits, values 0 to 9, up to the first 24.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or(&self.digits)
    }

    /// Whether they were written in groups of four throughout, the first 24 at least.
    #[must_use]
    pub const fn is_grouped_in_fours(&self) -> bool {
        // A break before digits 4, 8, 12, 16 (and 20), and nowhere else between digits.
        let inner = self.breaks & 0x00FF_FFFE;
        match self.count {
            20 => inner & 0x000F_FFFE == 0x0001_1110,
            24 => inner == 0x0011_1110,
            _ => false,
        }
    }

    /// Every framing these digits fit, whether a meter takes it or not.
    ///
    /// A form with check digits fits where they are right; one with a token inside, where that
    /// token is below 2^66.
    #[must_use]
    pub fn fitting(&self) -> FramingSet {
        Framing::ALL
            .into_iter()
            .filter(|framing| match framing {
                Framing::Multi20 => framing.takes(self.count),
                Framing::Runon => framing.takes(self.count) && self.token_at(0).is_some(),
                Framing::DupGroup => self.without_doubled_group().is_some(),
                _ => self.frame_as(*framing).is_ok(),
            })
            .collect()
    }

    fn token_at(&self, start: usize) -> Option<Token> {
        let digits = self.digits.get(start..start.saturating_add(TWENTY))?;
        Token::from_digits(digits.try_into().ok()?)
    }

    /// The token that is left when one of two equal neighbouring groups of four is dropped.
    #[must_use]
    pub fn without_doubled_group(&self) -> Option<Token> {
        if !Framing::DupGroup.takes(self.count) {
            return None;
        }
        let groups = self.digits.as_chunks::<4>().0;
        let doubled = groups.windows(2).position(|pair| pair.first() == pair.last())?;
        let mut digits = [0; TWENTY];
        let kept = groups.iter().enumerate().filter(|(place, _)| *place != doubled);
        for (to, (_, from)) in digits.as_chunks_mut::<4>().0.iter_mut().zip(kept) {
            *to = *from;
        }
        Token::from_digits(&digits)
    }

    /// Reads the digits in one framing.
    ///
    /// # Errors
    ///
    /// [`Rejection::Length`] for another number of digits or a framing that no meter takes,
    /// [`Rejection::OutOfRange`], [`Rejection::ExtensionCheck`].
    pub fn frame_as(&self, framing: Framing) -> Result<Framed, Rejection> {
        if !framing.takes(self.count) || !framing.is_acceptable() {
            return Err(self.wrong_length(FramingSet::EMPTY));
        }
        let start = if framing == Framing::W24Prefix { MOST.wrapping_sub(TWENTY) } else { 0 };
        let token = self.token_at(start).ok_or(Rejection::OutOfRange)?;
        let claims = match framing {
            Framing::W24Check => Some(self.checked_claims()?),
            _ => None,
        };
        Ok(Framed { token, framing, claims })
    }

    fn checked_claims(&self) -> Result<Claims, Rejection> {
        let [.., key_revision, resource, tens, units] = self.digits;
        let found = tens.wrapping_mul(10).wrapping_add(units);
        let payload = self.digits.get(..MOST.wrapping_sub(2)).unwrap_or_default();
        let expected = mod_97_10(payload);
        if found != expected {
            return Err(Rejection::ExtensionCheck { expected, found });
        }
        Ok(Claims { key_revision, resource })
    }

    /// The refusal for a number of digits that fits nothing, or more than one form.
    pub(crate) fn wrong_length(&self, fitting: FramingSet) -> Rejection {
        Rejection::Length { digits: u16::try_from(self.count).unwrap_or(u16::MAX), fitting }
    }
}

/// The two check digits of ISO 7064 MOD 97-10: with them the whole number leaves 1.
#[must_use]
pub fn mod_97_10(digits: &[u8]) -> u8 {
    let remainder =
        |carry: u16, digit: u8| carry.wrapping_mul(10).wrapping_add(u16::from(digit)) % 97;
    let carry = digits.iter().fold(0, |carry, digit| remainder(carry, *digit));
    let carry = remainder(remainder(carry, 0), 0);
    u8::try_from(98_u16.wrapping_sub(carry)).unwrap_or_default()
}

const fn is_separator(found: char) -> bool {
    matches!(found, ' ' | '\t' | '\u{A0}' | '-' | '\u{2013}' | '.' | '_' | '/' | '\n' | '\r')
}

/// The value of a decimal digit in the scripts that keyboards and slips bring along.
fn any_script_digit(found: char) -> Option<u32> {
    const ZEROS: [u32; 6] = [0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xFF10];
    ZEROS
        .into_iter()
        .filter_map(|zero| u32::from(found).checked_sub(zero))
        .find(|value| *value < 10)
}

/// What a 24-digit entry says about its token, outside the encryption: claims, no proof.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// Key revision, 1 to 9; 0 is not stated.
    pub key_revision: u8,
    /// Class 0 subclass 0 to 7; 8 is not a credit token; 9 is not stated.
    pub resource: u8,
}

/// One well-formed token and the form it came in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[must_use]
pub struct Framed {
    token: Token,
    framing: Framing,
    claims: Option<Claims>,
}

impl Framed {
    /// The token.
    #[must_use]
    pub const fn token(&self) -> Token {
        self.token
    }

    /// The form it was entered in.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// What the entry claims, in a form that claims anything.
    #[must_use]
    pub const fn claims(&self) -> Option<Claims> {
        self.claims
    }

    /// Compares the claims with what the token turned out to be.
    ///
    /// # Errors
    ///
    /// [`Rejection::ExtensionResource`], [`Rejection::ExtensionKeyRevision`].
    pub fn check_claims(
        &self,
        payload: &Payload,
        held: KeyRevisionNumber,
    ) -> Result<(), Rejection> {
        let Some(claims) = self.claims else { return Ok(()) };
        let (class, subclass) = payload.kind();
        let resource_agrees = match claims.resource {
            9 => true,
            8 => class != Class::Credit,
            claimed => class == Class::Credit && subclass == claimed,
        };
        if !resource_agrees {
            let claimed = claims.resource;
            return Err(Rejection::ExtensionResource { claimed, class, subclass });
        }
        // A class 1 token was opened without a key, so there is none to disagree with.
        let claimed = claims.key_revision;
        if claimed != 0 && class.is_encrypted() && claimed != held.get() {
            return Err(Rejection::ExtensionKeyRevision { claimed, held: held.get() });
        }
        Ok(())
    }
}

/// The 24 digits of `w24-check` for a token, as ASCII.
///
/// `key_revision` is 0 to 9 and `resource` 0 to 9 as in [`Claims`].
#[cfg(feature = "seal")]
#[must_use]
pub fn extend(token: Token, key_revision: u8, resource: u8) -> [u8; MOST] {
    let mut digits = [b'0'; MOST];
    let claims = [key_revision % 10, resource % 10].map(|digit| digit.wrapping_add(b'0'));
    for (to, from) in digits.iter_mut().zip(token.digits().into_iter().chain(claims)) {
        *to = from;
    }
    let mut values = digits.map(|digit| digit.wrapping_sub(b'0'));
    let check = mod_97_10(values.split_at_mut(MOST.wrapping_sub(2)).0);
    let [.., tens, units] = &mut digits;
    *tens = (check / 10).wrapping_add(b'0');
    *units = (check % 10).wrapping_add(b'0');
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w24_check_published_vector_frames() {
        let keyed = Keyed::parse("1844 6744 0738 4377 2416 2819").unwrap();
        assert!(keyed.is_grouped_in_fours());
        let framed = keyed.frame_as(Framing::W24Check).unwrap();
        assert_eq!(framed.token().to_string(), "18446744073843772416");
        assert_eq!(framed.claims().map(|c| (c.key_revision, c.resource)), Some((2, 8)));
        #[cfg(feature = "seal")]
        assert_eq!(&extend(framed.token(), 2, 8), b"184467440738437724162819");
    }

    #[test]
    fn from_digits_is_parse_without_separators() {
        let text = "184467440738437724162819";
        let values: [u8; 24] = core::array::from_fn(|place| text.as_bytes()[place] - b'0');
        assert_eq!(Keyed::from_digits(&values), Keyed::parse(text).ok());
        assert_eq!(Keyed::from_digits(&[1, 10]), None);
    }

    #[test]
    fn fitting_lists_every_form() {
        let names = |text: &str| -> Vec<&str> {
            Keyed::parse(text).unwrap().fitting().iter().map(Framing::name).collect()
        };
        assert_eq!(names("18446744073843772416"), ["sts20"]);
        assert_eq!(
            names("184467440738437724162819"),
            ["w24-check", "w24-suffix", "w24-prefix", "runon"]
        );
        assert!(names("184418446744073843772416").contains(&"dup-group"));
        assert_eq!(names(&"1".repeat(40)), ["multi20"]);
        assert_eq!(names("1234567890123456789"), [""; 0]);
    }

    #[test]
    fn groups_of_four_are_seen_throughout() {
        let grouped = |text: &str| Keyed::parse(text).unwrap().is_grouped_in_fours();
        assert!(grouped("1844 6744 0738 4377 2416"));
        assert!(grouped(" 1844-6744-0738-4377-2416 "));
        assert!(grouped("1844 6744 0738 4377 2416 2819"));
        for other in [
            "18446744073843772416",
            "184467440738437724162819",
            "1844 6744 0738 43772416",
            "1844 6744 0738 4377 241 6",
            "1844 6744 0738 4377 2416 281 9",
            "1844 6744 0738 4377 24162819",
            "1844 6744 0738 4377",
            "1844 6744 0738 4377 2416 2",
        ] {
            assert!(!grouped(other), "{other}");
        }
    }

    #[test]
    fn a_form_takes_what_fits_it_and_no_more() {
        let digits = |count: usize| Keyed::parse(&"1".repeat(count)).unwrap();
        for count in 0..=100 {
            let fits = digits(count).fitting();
            assert_eq!(fits.contains(Framing::Sts20), count == 20);
            assert_eq!(fits.contains(Framing::W24Suffix), count == 24);
            assert_eq!(fits.contains(Framing::W24Prefix), count == 24);
            assert_eq!(fits.contains(Framing::DupGroup), count == 24);
            assert_eq!(fits.contains(Framing::Multi20), [40, 60, 80, 100].contains(&count));
            assert_eq!(fits.contains(Framing::Runon), count > 20 && count % 20 != 0);
            assert_eq!(fits.is_empty(), count < 20);
            for framing in Framing::ALL {
                let framed = digits(count).frame_as(framing);
                assert_eq!(framed.is_ok(), framing.is_acceptable() && fits.contains(framing));
                assert!(framed.is_err() || framed.is_ok_and(|it| it.framing() == framing));
            }
        }
    }

    #[test]
    fn one_of_two_equal_neighbours_is_dropped() {
        let token = Token::parse("18446744073843772416").ok();
        let without = |text: &str| Keyed::parse(text).unwrap().without_doubled_group();
        assert_eq!(without("1844 1844 6744 0738 4377 2416"), token);
        assert_eq!(without("1844 6744 6744 0738 4377 2416"), token);
        assert_eq!(without("1844 6744 0738 4377 2416 2416"), token);
        assert_eq!(without("1844 6744 1844 0738 4377 2416"), None);
        assert_eq!(without("9844 9844 6744 0738 4377 2416"), None, "2^66 or more");
        assert_eq!(without("1844 1844 6744 0738 4377"), None);
    }

    #[test]
    fn other_scripts_are_read_only_when_asked() {
        let text = "１８４４ ٦٧٤٤ 0738 4377 2416";
        assert_eq!(Keyed::parse(text), Err(NonDigit { position: 0, found: '１' }));
        assert_eq!(Keyed::parse_any_script(text).unwrap().count(), 20);
        // Every digit of each script, and neither neighbour.
        for zero in ['0', '٠', '۰', '०', '০', '０'] {
            let neighbour = |by: u32| char::from_u32(u32::from(zero).wrapping_add(by)).unwrap();
            let all: String = (0..10).map(neighbour).collect();
            let keyed = Keyed::parse_any_script(&all).unwrap();
            assert_eq!(keyed.digits(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
            assert!(Keyed::parse_any_script(&neighbour(10).to_string()).is_err());
            let before = neighbour(u32::MAX);
            assert!(is_separator(before) || Keyed::parse_any_script(&before.to_string()).is_err());
        }
    }
}
