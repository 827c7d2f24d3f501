//! Pre-compliance: does a device under test answer as a meter should?
//!
//! A device is anything that answers lines ([`Device`]): a program, a socket, an emulated board, or
//! the meter of the core ([`builtin`]). Suites state what is expected, as data ([`script`]);
//! [`differential`] runs random sequences on two devices and shortens what they disagree on. The
//! protocol is described in `docs/conform.md`.
//!
//! Nothing here certifies: the suites rest on public texts, and say where those end.

pub mod builtin;
pub mod differential;
mod junit;
pub mod script;
mod suites;
mod token;
pub mod wire;

use std::fmt;

use serde_json::{Value, json};
use sts_core::{Profile, TokenResult};

pub use junit::junit;
pub use suites::{builtin_suites, display_suite};

use script::{Case, Expected, Setup, Step};

/// Longest line that a device may answer with, in bytes.
pub const LONGEST_LINE: usize = 1024;

/// Something that answers requests, line by line.
pub trait Device {
    /// The reply to a request; both are one line without its end.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] where there is none.
    fn ask(&mut self, request: &str) -> Result<String, DeviceError>;
}

/// A device that cannot be reached, or that broke the protocol.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The command or the address gave nothing to talk to.
    #[error("{device}: cannot be reached: {why}")]
    Unreachable {
        /// The command or the address.
        device: String,
        /// The system's reason.
        why: String,
    },
    /// No reply came in time.
    #[error("no reply to {request:?} within {seconds} s")]
    Silent {
        /// What was asked.
        request: String,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// The device ended.
    #[error("the device ended before it replied to {request:?}")]
    Gone {
        /// What was asked.
        request: String,
    },
    /// A line without an end.
    #[error("the device sent a line of more than {LONGEST_LINE} bytes")]
    LongLine,
    /// More than one line for a request.
    #[error("the device spoke without being asked: {found:?}")]
    Unasked {
        /// What it said.
        found: String,
    },
    /// A reply that means nothing.
    #[error("reply to {request:?} is {found:?}, expected {expected}")]
    Nonsense {
        /// What was asked.
        request: String,
        /// What it said.
        found: String,
        /// What the protocol has there.
        expected: &'static str,
    },
    /// The device says that it cannot.
    #[error("the device refuses {request:?}: {why}")]
    Refused {
        /// What was asked.
        request: String,
        /// The reason it gives.
        why: String,
    },
}

/// What a device can do beyond being set up and taking digits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent capabilities")]
#[non_exhaustive]
pub struct Capabilities {
    /// Tells the standard's result.
    pub result: bool,
    /// Tells what it shows.
    pub display: bool,
    /// Can lose and regain power.
    pub reset: bool,
    /// Its clock can be put forward.
    pub advance: bool,
    /// Tells its credit registers and what it knows of its key.
    pub read: bool,
    /// Tells its power limits as well.
    pub limits: bool,
}

/// A device that has said hello.
pub struct Session<'d> {
    device: &'d mut dyn Device,
    /// What it calls itself.
    pub name: String,
    /// What it can do.
    pub can: Capabilities,
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("name", &self.name).field("can", &self.can).finish()
    }
}

/// An answer to digits.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The result, where the device tells it.
    pub result: Option<TokenResult>,
    /// What it shows, where it tells that.
    pub display: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.result.map_or("-", TokenResult::name))?;
        self.display.iter().try_for_each(|display| write!(f, " {display:?}"))
    }
}

impl<'d> Session<'d> {
    /// Says hello.
    ///
    /// # Errors
    ///
    /// [`DeviceError`], also where another version of the protocol is spoken.
    pub fn open(device: &'d mut dyn Device) -> Result<Self, DeviceError> {
        let request = "hello 1";
        let mut session = Self { device, name: String::new(), can: Capabilities::default() };
        let reply = session.must(request)?;
        let mut words = reply.splitn(3, ' ');
        let (version, names) = (words.next(), words.next().unwrap_or_default());
        let nonsense = |expected| DeviceError::Nonsense {
            request: request.into(),
            found: reply.clone(),
            expected,
        };
        if version != Some("1") {
            return Err(nonsense("ok 1 CAPABILITIES NAME"));
        }
        for name in names.split(',') {
            match name {
                "result" => session.can.result = true,
                "display" => session.can.display = true,
                "reset" => session.can.reset = true,
                "advance" => session.can.advance = true,
                "read" => session.can.read = true,
                "limits" => session.can.limits = true,
                _ => return Err(nonsense("result, display, reset, advance, read or limits")),
            }
        }
        if !session.can.result && !session.can.display {
            return Err(nonsense("result or display among the capabilities"));
        }
        session.name = words.next().unwrap_or_default().to_owned();
        Ok(session)
    }

    /// What follows `ok`; or the device's reason where it cannot.
    fn ask(&mut self, request: &str) -> Result<Result<String, String>, DeviceError> {
        let reply = self.device.ask(request)?;
        let (verdict, rest) = reply.split_once(' ').unwrap_or((&reply, ""));
        match verdict {
            "ok" => Ok(Ok(rest.to_owned())),
            "no" => Ok(Err(rest.to_owned())),
            _ => Err(DeviceError::Nonsense {
                request: request.into(),
                found: reply,
                expected: "a line that begins with ok or no",
            }),
        }
    }

    fn must(&mut self, request: &str) -> Result<String, DeviceError> {
        self.ask(request)?.map_err(|why| DeviceError::Refused { request: request.into(), why })
    }

    /// Sets the meter up anew; the device's reason where it cannot be such a meter.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub fn setup(&mut self, setup: &Setup) -> Result<Result<(), String>, DeviceError> {
        Ok(self.ask(&format!("setup {setup}"))?.map(|_| ()))
    }

    /// Keys digits in.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub fn enter(&mut self, keyed: &str) -> Result<Answer, DeviceError> {
        let request = format!("enter {keyed}");
        let reply = self.must(&request)?;
        let (name, display) =
            reply.split_once(' ').map_or((&*reply, None), |(name, shown)| (name, Some(shown)));
        let result = TokenResult::from_name(name);
        if (self.can.result || name != "-") && result.is_none() {
            let expected = "ok and a result's name";
            return Err(DeviceError::Nonsense { request, found: reply, expected });
        }
        if self.can.display && display.is_none() {
            let expected = "ok, a result or -, and what is shown";
            return Err(DeviceError::Nonsense { request, found: reply, expected });
        }
        Ok(Answer { result, display: display.map(|text| text.trim().to_owned()) })
    }

    /// The state: pairs of a name and a number.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub fn read(&mut self) -> Result<Vec<(String, String)>, DeviceError> {
        let reply = self.must("read")?;
        reply
            .split_ascii_whitespace()
            .map(|word| {
                let (name, value) = word.split_once('=')?;
                value.parse::<i128>().ok()?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect::<Option<_>>()
            .ok_or(DeviceError::Nonsense {
                request: "read".into(),
                found: reply.clone(),
                expected: "NAME=NUMBER …",
            })
    }

    /// Takes power away and gives it back.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub fn reset(&mut self) -> Result<(), DeviceError> {
        self.must("reset").map(|_| ())
    }

    /// Puts the clock forward by seconds.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub fn advance(&mut self, seconds: u64) -> Result<(), DeviceError> {
        self.must(&format!("advance {seconds}")).map(|_| ())
    }

    /// Why a case cannot be run on this device, if it cannot.
    fn lacks(&self, case: &Case) -> Option<&'static str> {
        case.steps.iter().find_map(|step| match step {
            Step::Reset if !self.can.reset => Some("reset"),
            Step::Advance(_) if !self.can.advance => Some("advance"),
            _ => None,
        })
    }

    fn can_read(&self, name: &str) -> bool {
        if matches!(name, "power" | "unbalance") { self.can.limits } else { self.can.read }
    }

    /// Runs a case. `profile` tells what an expected result looks like on the display, where the
    /// device tells no results.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; what a device answers wrongly is no error but the [`Verdict`].
    pub fn run(&mut self, case: &Case, profile: &Profile<'_>) -> Result<Outcome, DeviceError> {
        let outcome = |verdict| Outcome { verdict, unread: 0 };
        if let Some(missing) = self.lacks(case) {
            return Ok(outcome(Verdict::Skipped(format!("the device has no {missing}"))));
        }
        if let Err(why) = self.setup(&case.setup)? {
            return Ok(outcome(Verdict::Skipped(format!("cannot be set up: {why}"))));
        }
        let mut unread = 0;
        for (place, step) in case.steps.iter().enumerate() {
            let (right, choice, expected, got) = match step {
                Step::Reset => {
                    self.reset()?;
                    continue;
                }
                Step::Advance(seconds) => {
                    self.advance(*seconds)?;
                    continue;
                }
                Step::Enter { digits, expected, .. } => {
                    let answer = self.enter(digits)?;
                    let Some(expected) = expected else { continue };
                    let right = self.fits(&answer, expected, profile);
                    (right, expected.choice, expected.to_string(), answer.to_string())
                }
                Step::Read(wanted) => {
                    let (wanted, not): (Vec<_>, Vec<_>) =
                        wanted.iter().cloned().partition(|(name, _)| self.can_read(name));
                    unread += not.len();
                    if wanted.is_empty() {
                        continue;
                    }
                    let state = self.read()?;
                    let found: Vec<_> = wanted
                        .iter()
                        .map(|(name, _)| {
                            let value = state.iter().find(|(known, _)| known == name);
                            (name.clone(), value.map_or("?".into(), |(_, value)| value.clone()))
                        })
                        .collect();
                    (wanted == found, false, script::pairs(&wanted), script::pairs(&found))
                }
            };
            if right {
                continue;
            }
            let deviation = Deviation { step: place, expected, got };
            let verdict =
                if choice { Verdict::Differs(deviation) } else { Verdict::Failed(deviation) };
            return Ok(Outcome { verdict, unread });
        }
        Ok(Outcome { verdict: Verdict::Passed, unread })
    }

    fn fits(&self, answer: &Answer, expected: &Expected, profile: &Profile<'_>) -> bool {
        let result = answer.result.is_none_or(|result| result == expected.result);
        let display = match (&answer.display, &expected.display) {
            (Some(found), Some(wanted)) => found == wanted,
            // Without a result the display is all there is.
            (Some(found), None) if answer.result.is_none() => {
                [false, true].into_iter().any(|pending| {
                    *found == profile.shown(expected.result, pending).to_string().trim()
                })
            }
            _ => true,
        };
        result && display
    }
}

/// What a device did otherwise than expected.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// Place of the step in its case, from 0.
    pub step: usize,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
}

/// What came of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// As expected.
    Passed,
    /// Otherwise than the public rules ask for.
    Failed(Deviation),
    /// Otherwise than this project chose where the public rules are open: no failure.
    Differs(Deviation),
    /// Not run, and why.
    Skipped(String),
}

impl Verdict {
    /// One word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Differs(_) => "differs",
            Self::Skipped(_) => "skipped",
        }
    }

    /// What was otherwise, if anything.
    #[must_use]
    pub const fn deviation(&self) -> Option<&Deviation> {
        match self {
            Self::Failed(deviation) | Self::Differs(deviation) => Some(deviation),
            _ => None,
        }
    }
}

/// A case that was run.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// What came of it.
    pub verdict: Verdict,
    /// Values that could not be compared because the device does not tell them.
    pub unread: usize,
}

/// The published object of a case.
#[must_use]
pub fn object(case: &Case, outcome: &Outcome) -> Value {
    let mut object = json!({
        "schema": 1,
        "suite": case.suite,
        "case": case.name,
        "verdict": outcome.verdict.name(),
        "source": case.source,
        "choice": case.choice,
        "unread": outcome.unread,
    });
    if let Some(deviation) = outcome.verdict.deviation() {
        object["expected"] = json!(deviation.expected);
        object["got"] = json!(deviation.got);
        let steps: Vec<String> =
            case.steps.iter().take(deviation.step + 1).map(Step::to_string).collect();
        object["setup"] = json!(case.setup.to_string());
        object["steps"] = json!(steps);
    }
    if let Verdict::Skipped(why) = &outcome.verdict {
        object["why"] = json!(why);
    }
    object
}
