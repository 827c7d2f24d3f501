//! What `sts explain` has to say about one entry at one meter, whoever shows it: what happened, why,
//! what to tell the customer, what to do.

use serde::Serialize;
use serde_json::{Map, Value};
use sts_core::{Payload, Rejection, TokenResult};
use sts_harness::cause::Cause;
use sts_harness::fleet::TrackedMeter;
use sts_harness::inspect::Inspection;
use sts_harness::records::EntryRow;
use sts_harness::replay::{CauseVerdict, Reproduced, Step};

use super::entered::is_prose;
use super::marks::Marks;
use crate::texts::Said;
use crate::verify::plain;

/// Below this the first cause is not taken as found, and all that fit are listed.
const LIKELY: f64 = 0.75;
/// From here on nothing else is worth a word.
const ALMOST_CERTAIN: f64 = 0.99;
/// Characters of a display text that are repeated.
const LONGEST_DISPLAY: usize = 40;
/// Below this a cause is not named beside the first.
const WORTH_NAMING: f64 = 0.01;

/// The whole answer, in the order in which it is read.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Explanation {
    /// Whether the meter takes it; `None` where that cannot be told.
    pub(crate) taken: Option<bool>,
    /// Begins with whether it is taken, where that can be told.
    pub(crate) happened: Vec<Said>,
    /// The result by its name, with the values compared.
    pub(crate) result: Option<String>,
    pub(crate) why: Option<Why>,
    pub(crate) customer: Said,
    pub(crate) todo: Vec<Said>,
    /// What was keyed and what it would be without the slip, where it is one.
    pub(crate) readings: Option<Readings>,
    /// All causes that fit, where none is found.
    pub(crate) candidates: Vec<Candidate>,
    /// What would help, if it were known.
    pub(crate) wanted: Option<Said>,
    /// What to do, as a fixed word.
    pub(crate) action: Option<&'static str>,
}

impl Explanation {
    /// What should have been keyed, where that is proven.
    #[cfg(feature = "serve")]
    pub(crate) fn proven(&self) -> Option<&str> {
        let [only] = self.readings.as_ref()?.fitting.as_slice() else { return None };
        only.is_proven.then_some(only.token.as_str())
    }
}

/// The cause, and what speaks for it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Why {
    pub(crate) sentence: Said,
    pub(crate) sure: Said,
    /// What else may be, with its odds.
    pub(crate) also: Vec<Also>,
    pub(crate) points: Vec<Said>,
    pub(crate) cause: &'static str,
    pub(crate) trials: u32,
    /// How many of the trials are expected to match by chance.
    pub(crate) chance: String,
}

/// Another cause that is worth naming.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Also {
    pub(crate) title: Said,
    pub(crate) odds: String,
}

/// What was keyed, beside what it may have been.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Readings {
    pub(crate) intro: Option<Said>,
    pub(crate) keyed: String,
    pub(crate) fitting: Vec<Reading>,
}

/// The entry without a slip.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reading {
    pub(crate) token: String,
    pub(crate) says: Option<String>,
    pub(crate) odds: String,
    /// The time of sale or the quantity speaks for it.
    pub(crate) is_proven: bool,
    /// Where it differs from what was keyed.
    pub(crate) marks: Marks,
}

/// One of several causes that fit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Candidate {
    pub(crate) odds: String,
    pub(crate) title: Said,
    /// The token it would be.
    pub(crate) token: Option<String>,
    /// In what the settings differ.
    pub(crate) what: Option<String>,
}

/// One entry at one meter, as it was before the entry and after.
pub(crate) fn explain(entry: &EntryRow, step: &Step, meter: Option<&TrackedMeter>) -> Explanation {
    Answer { entry, step, meter }.explanation()
}

/// One entry, and no key to ask a meter with: what its digits alone tell.
pub(crate) fn without_key(
    entered: &str,
    names_meter: bool,
    inspection: &Inspection,
) -> Explanation {
    let error = inspection.error.as_deref().unwrap_or(inspection.result);
    let meaning = inspection.fields.get("meaning").and_then(Value::as_str);
    let (happened, customer, todo) = match inspection.result {
        "Authentic" => (
            Said::new("happened.test_token").with("meaning", meaning.unwrap_or("a test token")),
            "customer.test_token",
            "todo.test_token",
        ),
        "Encrypted" if names_meter => {
            (Said::new("happened.well_formed_meter"), "customer.cannot_see", "todo.name_keys")
        }
        "Encrypted" => {
            (Said::new("happened.well_formed"), "customer.meter_number", "todo.name_meter")
        }
        _ if is_prose(entered) => return no_token(),
        _ => (
            Said::new("happened.not_a_token").with("error", error),
            "customer.incomplete",
            "todo.take_down",
        ),
    };
    bare(happened, customer, todo)
}

/// A text in which there is nothing that could be keyed.
pub(crate) fn no_token() -> Explanation {
    bare(Said::new("happened.no_token"), "customer.read_token", "todo.paste")
}

fn bare(happened: Said, customer: &str, todo: &str) -> Explanation {
    Explanation {
        taken: None,
        happened: vec![happened],
        result: None,
        why: None,
        customer: Said::new(customer),
        todo: vec![Said::new(todo)],
        readings: None,
        candidates: Vec::new(),
        wanted: None,
        action: None,
    }
}

/// How a meter stands, in a few words.
pub(crate) fn state(meter: &TrackedMeter) -> String {
    let attributes = meter.meter.attributes();
    let mut state = format!(
        "key revision {} ({}), profile {}",
        attributes.krn,
        meter.base_date.year(),
        meter.family.id()
    );
    if meter.family.firmware_ids().len() > 1 {
        state += &format!(", firmware {}", meter.family.firmware_ids()[meter.firmware]);
    }
    state
}

/// What was asked, and what came of it.
struct Answer<'a> {
    entry: &'a EntryRow,
    step: &'a Step,
    meter: Option<&'a TrackedMeter>,
}

impl<'a> Answer<'a> {
    fn explanation(&self) -> Explanation {
        let known = self.result().is_some() && self.step.verdict.error.is_none();
        Explanation {
            taken: known.then(|| self.is_accepted()),
            happened: self.happened(),
            result: self.result_line(),
            why: self.cause().map(|cause| self.why(cause)),
            customer: self.customer(),
            todo: self.todo(),
            readings: self.readings_shown(),
            candidates: self.candidates(),
            wanted: self.wanted(),
            // The fixed word speaks of the cause alone: it is left out where more is known.
            action: self
                .step
                .verdict
                .action
                .filter(|_| !self.is_spent_update_code() && !self.is_out_of_order()),
        }
    }

    fn entered(&self) -> &'a str {
        self.entry.entered.as_deref().unwrap_or_default().trim()
    }

    fn causes(&self) -> &'a [CauseVerdict] {
        &self.step.verdict.causes
    }

    fn cause(&self) -> Option<Cause> {
        Cause::from_name(self.step.verdict.cause?)
    }

    fn result(&self) -> Option<TokenResult> {
        TokenResult::from_name(self.step.verdict.result?)
    }

    fn is_accepted(&self) -> bool {
        self.step.verdict.is_accepted()
    }

    fn confidence(&self) -> f64 {
        self.step.verdict.confidence.unwrap_or(1.0)
    }

    /// Whether the first cause is taken as found.
    fn is_found(&self) -> bool {
        self.confidence() >= LIKELY && self.cause() != Some(Cause::Unknown)
    }

    /// A text where a token should be.
    fn is_prose(&self, cause: Cause) -> bool {
        cause == Cause::FormatNondigit && is_prose(self.entered())
    }

    fn keyed(&self) -> String {
        self.entered().chars().filter(char::is_ascii_digit).collect()
    }

    /// What the entry would be without the slip that explains it, best first.
    fn readings(&self) -> Vec<Reading> {
        self.causes().first().map(|first| readings_of(first, &self.keyed())).unwrap_or_default()
    }

    /// The same digits were taken by this meter before.
    fn was_taken_before(&self) -> bool {
        let digits = self.keyed();
        self.meter.is_some_and(|meter| {
            meter.taken.last(|taken| digits == taken.token.to_string()).is_some()
        })
    }

    /// An update code that the meter took before, and cannot read again since its key is changed.
    fn is_spent_update_code(&self) -> bool {
        self.cause() == Some(Cause::KrnBehind) && self.is_update_code() && self.was_taken_before()
    }

    /// A section of a key change out of the order that this meter asks for.
    fn is_out_of_order(&self) -> bool {
        self.cause() == Some(Cause::KctUnsupported)
            && self.result() == Some(TokenResult::FormatError)
    }

    /// What the token says, as far as the first cause has read it in one way.
    fn says(&self) -> Option<String> {
        let detail = &self.causes().first()?.detail;
        let own = detail.get("says").and_then(Value::as_str).map(str::to_owned);
        own.or_else(|| match self.readings().as_slice() {
            [only] => only.says.clone(),
            _ => None,
        })
    }

    fn is_update_code(&self) -> bool {
        self.says().is_some_and(|says| says.starts_with("key change"))
    }

    fn seconds(&self) -> u64 {
        u64::try_from(self.entry.entered_at.as_second()).unwrap_or_default()
    }

    fn happened(&self) -> Vec<Said> {
        let verdict = &self.step.verdict;
        if let Some(problem) = &verdict.error {
            return vec![Said::new("happened.error").with("problem", problem)];
        }
        let Some(result) = self.result() else { return vec![Said::new("happened.no_key")] };
        let taken = self.is_accepted();
        let mut lines = if taken && self.cause().is_some() {
            vec![Said::new("happened.taken_by_record"), self.taken_as(result)]
        } else if taken {
            vec![Said::new("happened.taken"), self.taken_as(result)]
        } else if self.is_out_of_order() {
            vec![Said::new("happened.refused"), Said::new("happened.out_of_order")]
        } else {
            vec![Said::new("happened.refused"), Said::new(format!("refused.{}", result.name()))]
        };
        if let Some(display) = &verdict.display {
            let basis = verdict.display_basis.unwrap_or("example");
            lines.push(
                Said::new(format!("display.{basis}")).with("display", display.escape_debug()),
            );
        }
        lines.extend(self.what_was_seen());
        lines
    }

    fn result_line(&self) -> Option<String> {
        let verdict = &self.step.verdict;
        let result = self.result().filter(|_| verdict.error.is_none())?;
        Some(match &verdict.reason {
            Some(reason) => format!("{}: {reason}", result.name()),
            None => result.name().to_owned(),
        })
    }

    /// What the meter does with a token that it takes.
    fn taken_as(&self, result: TokenResult) -> Said {
        let stored = |number: u8| Said::new("happened.keeps_code").with("number", number);
        let note = |id: &str| Said::new(id).with("what", &self.step.note);
        match (result, self.step.payload) {
            (TokenResult::FirstKct, _) => stored(1),
            (TokenResult::SecondKct, _) => stored(2),
            (TokenResult::ThirdKct, _) => stored(3),
            (TokenResult::FourthKct, _) => stored(4),
            (_, Some(Payload::KeySection(_))) => note("happened.completes"),
            (_, Some(Payload::Credit { .. } | Payload::CurrencyCredit { .. })) => {
                note("happened.adds")
            }
            _ => note("happened.says"),
        }
    }

    /// Whether what the customer saw fits the profile.
    fn what_was_seen(&self) -> Option<Said> {
        let whole = self.entry.displayed.as_deref().map(str::trim)?;
        let seen: String = whole.chars().take(LONGEST_DISPLAY).collect();
        let said = match self.step.verdict.reproduced {
            Reproduced::Yes => Said::new("seen.fits"),
            Reproduced::Near => Said::new("seen.near"),
            _ if self.meter.is_some_and(|meter| meter.family.is_fault_text(whole)) => {
                Said::new("seen.fault")
            }
            _ => {
                let stands_for = self.results_shown_as(whole);
                if stands_for.is_empty() {
                    Said::new("seen.unknown")
                } else if stands_for.iter().all(|name| is_taken(name)) {
                    Said::new("seen.taken")
                } else {
                    Said::new("seen.other").with("results", stands_for.join(" or "))
                }
            }
        };
        Some(said.with("seen", seen.escape_debug()))
    }

    /// The results for which the meter shows a text.
    fn results_shown_as(&self, seen: &str) -> Vec<&'static str> {
        let Some(meter) = self.meter else { return Vec::new() };
        let shows = |result| {
            [false, true]
                .into_iter()
                .any(|pending| meter.profile().shown(result, pending).to_string() == seen)
        };
        TokenResult::ALL
            .into_iter()
            .filter(|result| shows(*result))
            .map(TokenResult::name)
            .collect()
    }

    fn why(&self, cause: Cause) -> Why {
        let verdict = &self.step.verdict;
        let sentence = if self.is_spent_update_code() {
            Said::new("why.spent_code")
        } else if self.is_prose(cause) {
            Said::new("happened.no_token")
        } else if self.is_out_of_order() {
            Said::new("why.out_of_order")
        } else {
            Said::of_cause(cause, "why")
        };
        let others: Vec<(Cause, f64)> = self
            .causes()
            .iter()
            .skip(1)
            .filter_map(|other| Some((Cause::from_name(other.cause)?, other.probability)))
            .collect();
        let (sure, also) = how_sure(cause, self.confidence(), &others);
        Why {
            sentence,
            sure,
            also,
            points: self.points(cause),
            cause: cause.name(),
            trials: verdict.trials,
            chance: few(verdict.expected_chance_matches),
        }
    }

    fn points(&self, cause: Cause) -> Vec<Said> {
        let verdict = &self.step.verdict;
        // The meter's own reason stands above, the number of trials and the sections kept below.
        let trials = format!("{} candidate", verdict.trials);
        let evidence = verdict.evidence.iter().filter(|line| {
            Some(*line) != verdict.reason.as_ref()
                && !line.starts_with(&trials)
                && !line.starts_with("sections [")
                && !is_prose(self.entered())
        });
        let mut points: Vec<Said> = evidence.map(Said::plainly).collect();
        if let Some(first) = self.causes().first() {
            let compared = self.compared(&first.detail);
            points.extend(compared.map(|what| Said::new("point.differs").with("what", what)));
        }
        if let Some(state) = self.causes().first().and_then(|first| first.detail.get("state")) {
            points.push(Said::new("point.state").with("what", plain(state)));
        }
        if cause == Cause::KctIncomplete {
            points.extend(self.sections_kept());
        }
        points.extend(self.says().map(|says| Said::new("point.says").with("what", says)));
        points
    }

    /// In which attributes the token's key differs from the meter's, as one line.
    fn compared(&self, detail: &Map<String, Value>) -> Option<String> {
        let meter = self.meter?;
        let own = meter.meter.attributes();
        let held = [
            ("sgc", "supply group", own.sgc.to_string()),
            ("krn", "key revision", own.krn.to_string()),
            ("base_date", "base date", meter.base_date.year().to_string()),
            ("ti", "tariff index", own.ti.to_string()),
            ("kt", "key type", own.kt.code().to_string()),
            ("ea", "algorithm", meter.ea().code().to_owned()),
        ];
        let differing: Vec<String> = held
            .iter()
            .filter_map(|(name, words, own)| {
                let found = plain(detail.get(*name)?);
                (found != *own).then(|| format!("{words} (token {found}, meter {own})"))
            })
            .collect();
        (!differing.is_empty()).then(|| differing.join(", "))
    }

    /// Which update codes the meter has now, and which it has forgotten.
    fn sections_kept(&self) -> Option<Said> {
        let meter = self.meter?;
        let kept: Vec<u8> = meter.meter.staged_sections(self.seconds()).collect();
        let mut forgotten = meter.sections_accepted.clone();
        forgotten.retain(|section| !kept.contains(section));
        forgotten.sort_unstable();
        forgotten.dedup();
        let list = |sections: &[u8]| {
            let sections: Vec<String> = sections.iter().map(u8::to_string).collect();
            if sections.is_empty() { "none".to_owned() } else { sections.join(", ") }
        };
        let id = if forgotten.is_empty() { "point.kept" } else { "point.forgotten" };
        Some(Said::new(id).with("kept", list(&kept)).with("forgotten", list(&forgotten)))
    }

    fn customer(&self) -> Said {
        let name = match self.cause() {
            Some(cause) if self.is_prose(cause) => "customer.read_token",
            Some(_) if self.is_out_of_order() => "customer.out_of_order",
            Some(_) if self.is_spent_update_code() => "customer.spent_code",
            Some(cause) if self.is_found() || cause == Cause::Unknown => {
                return Said::of_cause(cause, "customer");
            }
            Some(_) => "customer.not_sure",
            None if self.is_accepted() => match self.step.payload {
                Some(Payload::KeySection(_)) if self.result() == Some(TokenResult::Accept) => {
                    "customer.last_code"
                }
                Some(Payload::KeySection(_)) => "customer.code",
                Some(Payload::Credit { .. } | Payload::CurrencyCredit { .. }) => "customer.good",
                _ => "customer.enter",
            },
            None => "customer.cannot_see",
        };
        Said::new(name)
    }

    fn todo(&self) -> Vec<Said> {
        let Some(cause) = self.cause() else { return self.todo_without_cause() };
        let mut todo = vec![if self.is_spent_update_code() {
            Said::new("todo.spent_code")
        } else if self.is_prose(cause) {
            Said::new("todo.paste")
        } else if self.is_out_of_order() {
            Said::new("todo.out_of_order")
        } else if self.is_found() || cause == Cause::Unknown {
            Said::of_cause(cause, "next")
        } else {
            Said::new("todo.not_proven")
        }];
        todo.extend(self.how_long(cause));
        todo
    }

    fn todo_without_cause(&self) -> Vec<Said> {
        if self.step.verdict.error.is_some() {
            return vec![Said::new("todo.check_input")];
        }
        if !self.is_accepted() {
            let Some(meter) = self.meter else { return vec![Said::new("todo.name_keys")] };
            let own = meter.meter.attributes();
            return vec![
                Said::new("todo.name_key")
                    .with("sgc", own.sgc)
                    .with("krn", own.krn)
                    .with("kt", own.kt.code())
                    .with("base_date", meter.base_date.year()),
            ];
        }
        let mut todo = vec![Said::new("todo.have_entered")];
        if self.entry.displayed.is_none() {
            todo.push(Said::new("todo.if_refused"));
        }
        todo
    }

    /// How long a half-entered key change is kept, and how long the keypad stays locked.
    fn how_long(&self, cause: Cause) -> Vec<Said> {
        let Some(meter) = self.meter else { return Vec::new() };
        match cause {
            Cause::KctIncomplete => {
                let window = meter
                    .profile()
                    .section_window_s
                    .map(|seconds| Said::new("todo.window").with("minutes", seconds.div_ceil(60)));
                window.into_iter().chain([Said::new("todo.whole_set")]).collect()
            }
            Cause::Lockout => match meter.meter.clone().enter("", self.seconds()) {
                Err(Rejection::Lockout { remaining_s }) => {
                    vec![Said::new("todo.locked").with("minutes", remaining_s.div_ceil(60))]
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// What was keyed, and what it would be without the slip.
    fn readings_shown(&self) -> Option<Readings> {
        let fitting = self.readings();
        let first = fitting.first()?;
        let intro = if fitting.len() > 1 {
            Some(Said::new("readings.several"))
        } else {
            (!first.is_proven).then(|| Said::new("readings.one"))
        };
        Some(Readings { intro, keyed: self.keyed(), fitting })
    }

    /// Whether everything that fits is listed.
    fn has_several(&self) -> bool {
        self.causes().len() > 1 && !self.is_found()
    }

    /// Everything that fits, where nothing is found.
    fn candidates(&self) -> Vec<Candidate> {
        let worth = self.causes().iter().filter(|other| other.probability >= WORTH_NAMING);
        worth
            .filter(|_| self.has_several())
            .map(|other| {
                let reading = readings_of(other, &self.keyed()).into_iter().next();
                Candidate {
                    odds: percent(other.probability),
                    title: Cause::from_name(other.cause).map_or_else(
                        || Said::plainly(other.cause),
                        |cause| Said::of_cause(cause, "title"),
                    ),
                    what: match reading {
                        None => self.compared(&other.detail),
                        Some(_) => None,
                    },
                    token: reading.map(|reading| reading.token),
                }
            })
            .collect()
    }

    /// What the slip may tell beside the token, where that would help.
    fn wanted(&self) -> Option<Said> {
        let cause = self.cause()?;
        let digits = self.entered().bytes().filter(u8::is_ascii_digit).count();
        if cause == Cause::LengthOther && digits == 16 && self.entry.sold_at.is_none() {
            return Some(Said::new("todo.lost_digits"));
        }
        let is_proven = self.readings().iter().all(|reading| reading.is_proven);
        let sure = self.confidence() >= ALMOST_CERTAIN && is_proven;
        // An update code carries neither.
        let would_help = !sure
            && !self.is_accepted()
            && !self.is_update_code()
            && (cause != Cause::Unknown || self.has_several());
        let name = match (self.entry.sold_at.is_some(), self.entry.quantity.is_some()) {
            (false, false) => "todo.settle",
            (false, true) => "todo.settle_sold_at",
            (true, false) => "todo.settle_quantity",
            (true, true) => return None,
        };
        would_help.then(|| Said::new(name))
    }
}

fn is_taken(result: &str) -> bool {
    TokenResult::from_name(result).is_some_and(TokenResult::is_taken)
}

/// How sure the first cause is, and what else may be.
fn how_sure(cause: Cause, confidence: f64, others: &[(Cause, f64)]) -> (Said, Vec<Also>) {
    let also: Vec<Also> = others
        .iter()
        .filter(|(_, odds)| *odds >= WORTH_NAMING)
        .map(|(other, odds)| Also { title: Said::of_cause(*other, "title"), odds: percent(*odds) })
        .take(3)
        .collect();
    let (name, names_others) = match confidence {
        _ if cause == Cause::Unknown && also.is_empty() => ("sure.none", false),
        _ if cause == Cause::Unknown => ("sure.nothing", true),
        1.0.. => ("sure.certain", false),
        ALMOST_CERTAIN.. => ("sure.almost", false),
        0.9.. => ("sure.very", true),
        LIKELY.. => ("sure.likely", true),
        _ => ("sure.not", true),
    };
    let sure = Said::new(name).with("odds", percent(confidence));
    (sure, if names_others { also } else { Vec::new() })
}

/// The readings of a cause: the one that the evidence supports, or several with their odds.
fn readings_of(cause: &CauseVerdict, keyed: &str) -> Vec<Reading> {
    let reading = |of: &Map<String, Value>, probability, is_proven| {
        let token = of.get("token")?.as_str()?.to_owned();
        Some(Reading {
            says: of.get("says").and_then(Value::as_str).map(str::to_owned),
            odds: percent(probability),
            is_proven,
            marks: Marks::between(keyed, &token),
            token,
        })
    };
    if let Some(only) = reading(&cause.detail, cause.probability, true) {
        return vec![only];
    }
    let readings = cause.detail.get("readings").and_then(Value::as_array);
    readings
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .enumerate()
        .filter_map(|(place, of)| {
            let probability = of.get("probability").and_then(Value::as_f64).unwrap_or_default();
            let is_told = place == 0 || probability >= WORTH_NAMING;
            is_told.then(|| reading(of, probability, false)).flatten()
        })
        .collect()
}

/// A probability for people: never rounded up to certainty.
pub(super) fn percent(probability: f64) -> String {
    let percent = probability * 100.0;
    if percent >= 99.0 {
        format!("{:.1} %", (percent * 10.0).floor() / 10.0)
    } else if percent >= 1.0 {
        format!("{percent:.0} %")
    } else {
        "under 1 %".to_owned()
    }
}

/// A small expectation with as many places as tell something.
fn few(expected: f64) -> String {
    match expected {
        0.01.. => format!("{expected:.2}"),
        0.0001.. => format!("{expected:.4}"),
        _ => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::screen::sureness;

    #[test]
    fn how_sure_is_said_in_words_and_odds() {
        let others = [(Cause::OtherMeter, 0.31), (Cause::Unknown, 0.002)];
        let of = |cause, confidence, others: &[(Cause, f64)]| {
            let (sure, also) = how_sure(cause, confidence, others);
            sureness(&sure, &also)
        };
        let said = |confidence| of(Cause::TypedDigit, confidence, &others);
        assert!(said(1.0).starts_with("Certain"));
        assert_eq!(said(0.9999), "Almost certain (99.9 %).");
        assert_eq!(said(0.87), "Likely (87 %); also possible: sold for another meter (31 %).");
        assert_eq!(said(0.52), "Not sure (52 %); also possible: sold for another meter (31 %).");
        assert_eq!(of(Cause::KrnAhead, 0.93, &[]), "Very likely (93 %).");
        let unknown = of(Cause::Unknown, 0.7, &others);
        assert!(unknown.starts_with("Nothing fits well (70 %); also"), "{unknown}");
        assert!(!of(Cause::Unknown, 1.0, &[]).contains('%'));
    }

    #[test]
    fn odds_are_never_rounded_to_certainty() {
        assert_eq!(percent(0.9999), "99.9 %");
        assert_eq!(percent(0.9949), "99.4 %");
        assert_eq!(percent(0.87), "87 %");
        assert_eq!(percent(0.002), "under 1 %");
    }
}
