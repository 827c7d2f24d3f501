//! Cases as text: the form of the built-in suites, and of the files that a difference leaves.
//!
//! ```text
//! suite tid
//! case same-token-twice
//! source IEC 62055-41 7.3.7
//! setup kt=2
//! enter credit 0 5698680 500 -> Accept
//! enter credit 0 5698680 500 -> UsedError
//! read r0=500
//! ```
//!
//! `->` is what the public rules ask for, `~>` the choice of this project whose number `choice`
//! gives. A text in quotes after the result is what must be shown. `reset` and `advance SECONDS`
//! are steps as well; `credits COUNT FIRST_TID` enters that many.

use std::fmt;

use sts_core::TokenResult;

use super::token;
use crate::input::Place;

/// What is wrong with a line of cases.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {problem}")]
#[non_exhaustive]
pub struct ScriptError {
    /// The file and line.
    pub place: Place,
    /// What was found and what was expected.
    pub problem: String,
}

/// What a meter is set up with: names and values, as they go over the wire.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Setup(Vec<(String, String)>);

/// Names that every setup has, with the values of the suites' meter. The key is a dummy.
const BASE: [(&str, &str); 9] = [
    ("ea", "07"),
    ("key", "1111111111111111"),
    ("sgc", "123456"),
    ("krn", "1"),
    ("ti", "1"),
    ("kt", "2"),
    ("ken", "255"),
    ("mfr", "00"),
    ("tid", "5697240"),
];

/// What differs from the plain STS meter.
pub(super) const OPTIONS: [&str; 10] = [
    "framings",
    "resources",
    "tests",
    "management",
    "sets",
    "order",
    "window",
    "lockout",
    "max",
    "expiry",
];

impl Default for Setup {
    fn default() -> Self {
        Self(BASE.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Setup {
    /// The suites' meter, but for what the words say.
    ///
    /// # Errors
    ///
    /// The word that is no `NAME=VALUE`, or has an unknown name.
    pub fn parse(words: &str) -> Result<Self, String> {
        let mut setup = Self::default();
        for word in words.split_ascii_whitespace() {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| format!("{word:?}, expected NAME=VALUE in a setup"))?;
            if !BASE.iter().any(|(known, _)| *known == name) && !OPTIONS.contains(&name) {
                return Err(format!("setup has no {name:?}"));
            }
            setup.set(name, value);
        }
        Ok(setup)
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, held)) => value.clone_into(held),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The value of a name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&pairs(&self.0))
    }
}

pub(super) fn pairs(pairs: &[(String, String)]) -> String {
    let words: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.join(" ")
}

/// What a device should answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Expected {
    /// The result.
    pub result: TokenResult,
    /// What is shown, where that matters.
    pub display: Option<String>,
    /// Whether this project chose it, because the public rules are open.
    pub choice: bool,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.result.name())?;
        self.display.iter().try_for_each(|display| write!(f, " {display:?}"))
    }
}

/// A step of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Something is keyed in.
    Enter {
        /// As it is said in words; empty where the digits are all there is.
        what: String,
        /// What is keyed.
        digits: String,
        /// The answer; any where absent.
        expected: Option<Expected>,
    },
    /// State is compared.
    Read(Vec<(String, String)>),
    /// Power is lost and comes back.
    Reset,
    /// Seconds go by.
    Advance(u64),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enter { what, digits, expected } => {
                write!(f, "enter digits {digits}")?;
                if let Some(expected) = expected {
                    let arrow = if expected.choice { "~>" } else { "->" };
                    write!(f, " {arrow} {expected}")?;
                }
                if what.is_empty() { Ok(()) } else { write!(f, "   # {what}") }
            }
            Self::Read(wanted) => write!(f, "read {}", pairs(wanted)),
            Self::Reset => f.write_str("reset"),
            Self::Advance(seconds) => write!(f, "advance {seconds}"),
        }
    }
}

/// A case: a meter, and what happens to it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Case {
    /// Its area.
    pub suite: String,
    /// Its name, unique in the suite.
    pub name: String,
    /// The clause or text it rests on.
    pub source: String,
    /// The open rule whose choice its `~>` steps check, by its number in `DESIGN.md`.
    pub choice: Option<u8>,
    /// The meter.
    pub setup: Setup,
    /// What happens.
    pub steps: Vec<Step>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "suite {}\ncase {}\nsource {}", self.suite, self.name, self.source)?;
        if let Some(choice) = self.choice {
            writeln!(f, "choice {choice}")?;
        }
        writeln!(f, "setup {}", self.setup)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// A line up to its comment, which begins with a `#` at the start or behind a blank.
fn without_comment(line: &str) -> &str {
    let begins = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let comment = line.match_indices('#').map(|(at, _)| at).find(begins);
    comment.map_or(line, |at| &line[..at])
}

/// Reads cases.
///
/// # Errors
///
/// [`ScriptError`] for the first line that means nothing.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, ScriptError> {
    let mut cases: Vec<Case> = Vec::new();
    let mut suite = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let error = |problem: String| ScriptError { place: Place::line(file, number), problem };
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        if verb == "suite" {
            rest.clone_into(&mut suite);
            continue;
        }
        if verb == "case" {
            if cases.iter().any(|case| case.suite == suite && case.name == rest) {
                return Err(error(format!("{suite} has a case {rest:?} already")));
            }
            cases.push(Case {
                suite: suite.clone(),
                name: rest.to_owned(),
                source: String::new(),
                choice: None,
                setup: Setup::default(),
                steps: Vec::new(),
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            return Err(error(format!("{verb:?} before the first case")));
        };
        match verb {
            "source" => rest.clone_into(&mut case.source),
            "choice" => {
                let choice = rest.parse().map_err(|_| error(format!("choice {rest:?}")))?;
                case.choice = Some(choice);
            }
            "setup" if case.steps.is_empty() => case.setup = Setup::parse(rest).map_err(error)?,
            "reset" => case.steps.push(Step::Reset),
            "advance" => {
                let seconds = rest.parse().map_err(|_| error(format!("seconds {rest:?}")))?;
                case.steps.push(Step::Advance(seconds));
            }
            "read" => {
                let wanted = rest
                    .split_ascii_whitespace()
                    .map(|word| {
                        let (name, value) = word.split_once('=')?;
                        Some((name.to_owned(), value.to_owned()))
                    })
                    .collect::<Option<_>>()
                    .ok_or_else(|| error(format!("{rest:?}, expected NAME=NUMBER")))?;
                case.steps.push(Step::Read(wanted));
            }
            "enter" | "credits" => {
                let (what, expected) = split_expected(rest).map_err(error)?;
                if expected.as_ref().is_some_and(|e| e.choice) && case.choice.is_none() {
                    return Err(error("~> in a case that names no choice".into()));
                }
                let wanted = if verb == "enter" {
                    vec![what.to_owned()]
                } else {
                    several(what).ok_or_else(|| error(format!("{what:?}, expected COUNT TID")))?
                };
                for what in wanted {
                    let digits = token::digits(&what, &case.setup).map_err(error)?;
                    let what = if what.starts_with("digits ") { String::new() } else { what };
                    case.steps.push(Step::Enter { what, digits, expected: expected.clone() });
                }
            }
            _ => {
                return Err(error(format!(
                    "{verb:?}, expected one of: suite, case, source, choice, setup (first), enter, \
                     credits, read, reset, advance"
                )));
            }
        }
    }
    Ok(cases)
}

/// `COUNT FIRST_TID` as so many credits of one unit.
fn several(what: &str) -> Option<Vec<String>> {
    let (count, first) = what.split_once(' ')?;
    let (count, first) = (count.parse::<u8>().ok()?, first.parse::<u32>().ok()?);
    Some(
        (0..u32::from(count))
            .map(|place| format!("credit 0 {} 1", first.saturating_add(place)))
            .collect(),
    )
}

fn split_expected(rest: &str) -> Result<(&str, Option<Expected>), String> {
    let (what, answer, choice) = if let Some((what, answer)) = rest.split_once(" -> ") {
        (what, answer, false)
    } else if let Some((what, answer)) = rest.split_once(" ~> ") {
        (what, answer, true)
    } else {
        return Ok((rest, None));
    };
    let (name, display) = answer.trim().split_once(' ').unwrap_or((answer.trim(), ""));
    let result =
        TokenResult::from_name(name).ok_or_else(|| format!("{name:?} is no result's name"))?;
    let display = match display.trim() {
        "" => None,
        quoted => Some(
            serde_json::from_str(quoted)
                .map_err(|_| format!("{quoted}, expected text in quotes"))?,
        ),
    };
    Ok((what.trim(), Some(Expected { result, display, choice })))
}
