//! The screen of `sts explain`, for someone with a customer on the line: what happened, why, what
//! to tell the customer, what to do.

use owo_colors::OwoColorize;
use serde_json::{Map, Value};
use sts_core::{Payload, Rejection, TokenResult};
use sts_harness::cause::Cause;
use sts_harness::fleet::TrackedMeter;
use sts_harness::records::EntryRow;
use sts_harness::replay::{CauseVerdict, Reproduced, Step};
use sts_harness::time;

use crate::exit::Failure;
use crate::out::{Out, grouped, wrapped};
use crate::verify::plain;

/// Columns of text: 80 less the indent.
const WIDTH: usize = 77;
/// Below this the first cause is not taken as found, and all that fit are listed.
const LIKELY: f64 = 0.75;
/// From here on nothing else is worth a word.
const ALMOST_CERTAIN: f64 = 0.99;
/// Characters of a display text that are repeated.
const LONGEST_DISPLAY: usize = 40;
/// Below this a cause is not named beside the first.
const WORTH_NAMING: f64 = 0.01;

type Shown = Result<(), Failure>;

/// One entry at one meter; `state` is the meter's before it.
pub(super) fn show(
    entry: &EntryRow,
    step: &Step,
    meter: Option<&TrackedMeter>,
    state: &str,
    (place, count): (usize, usize),
    out: &mut Out,
) -> Shown {
    let answer = Answer { entry, step, meter };
    if place > 0 {
        out.line("")?;
        out.line("-".repeat(WIDTH + 2).dimmed())?;
    }
    answer.head(state, (place, count), out)?;
    answer.what_happened(out)?;
    answer.why(out)?;
    answer.tell_the_customer(out)?;
    answer.what_to_do(out)
}

/// How a meter stands, in a few words.
pub(super) fn state(meter: &TrackedMeter) -> String {
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

/// One entry, and no key to ask a meter with: what its digits alone tell.
pub(super) fn without_key(
    entered: &str,
    names_meter: bool,
    result: &str,
    meaning: &str,
    error: &str,
    out: &mut Out,
) -> Shown {
    let (what, customer, next) = match result {
        "Authentic" => (
            format!("A test token, which any meter answers: {meaning}."),
            "This is a test number, not a token with credit. Entering it does no harm.",
            "Nothing to put right. It can be entered again and again.",
        ),
        "Encrypted" if names_meter => (
            "A well-formed token. Whether this meter takes it, no one can tell without its key."
                .into(),
            "I cannot see yet whether your token is good. Please keep the slip.",
            "Name the meter's keys with --keys FILE, or its records with --case FOLDER.",
        ),
        "Encrypted" => (
            "A well-formed token. Whether a meter takes it, the digits alone do not tell.".into(),
            "I need the number of your meter. It is on the meter, and on your slip.",
            "Name the meter with --meter NUMBER, and its keys with --keys FILE or --case FOLDER.",
        ),
        _ if is_prose(entered) => return no_token(out),
        _ => (
            format!("No meter takes this as it stands: {error}."),
            "The number is not complete, or not right. Please read the token again: 20 digits.",
            "Take down the 20 digits once more. With --meter NUMBER and --keys FILE or --case \
             FOLDER, a slip of the finger can be found.",
        ),
    };
    out.line(format_args!("Token {}", shortened(entered).bold()))?;
    heading("What happened", out)?;
    text(&what, out)?;
    heading("Tell the customer", out)?;
    quoted(customer, out)?;
    heading("What to do", out)?;
    text(next, out)
}

/// A text in which there is nothing that could be keyed.
pub(super) fn no_token(out: &mut Out) -> Shown {
    heading("What happened", out)?;
    text("There is no token in this text.", out)?;
    heading("Tell the customer", out)?;
    quoted("Please read me the token: 20 digits, often printed in blocks of four.", out)?;
    heading("What to do", out)?;
    text("Paste the whole slip or message, or the 20 digits alone.", out)
}

/// What was asked, and what came of it.
struct Answer<'a> {
    entry: &'a EntryRow,
    step: &'a Step,
    meter: Option<&'a TrackedMeter>,
}

impl<'a> Answer<'a> {
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

    /// What the entry would be without the slip that explains it, best first.
    fn readings(&self) -> Vec<Reading<'a>> {
        self.causes().first().map(readings_of).unwrap_or_default()
    }

    /// The same digits were taken by this meter before.
    fn was_taken_before(&self) -> bool {
        let digits: String = self.entered().chars().filter(char::is_ascii_digit).collect();
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
    fn says(&self) -> Option<&'a str> {
        let detail = &self.causes().first()?.detail;
        let only = || match self.readings().as_slice() {
            [only] => only.says,
            _ => None,
        };
        detail.get("says").and_then(Value::as_str).or_else(only)
    }

    fn is_update_code(&self) -> bool {
        self.says().is_some_and(|says| says.starts_with("key change"))
    }

    fn seconds(&self) -> u64 {
        u64::try_from(self.entry.entered_at.as_second()).unwrap_or_default()
    }

    fn head(&self, state: &str, (place, count): (usize, usize), out: &mut Out) -> Shown {
        let what = if is_prose(self.entered()) { "Text" } else { "Token" };
        let which = if count > 1 { format!(" {} of {count}:", place + 1) } else { String::new() };
        out.line(format_args!("{what}{which} {}", shortened(self.entered()).bold()))?;
        let at = time::format_short(self.entry.entered_at);
        let mut line = format!("meter {} on {at} UTC", self.entry.pan.drn());
        if !state.is_empty() {
            line += &format!(": {state}");
        }
        for line in wrapped(&line, WIDTH + 2) {
            out.line(line.dimmed())?;
        }
        Ok(())
    }

    fn what_happened(&self, out: &mut Out) -> Shown {
        heading("What happened", out)?;
        let verdict = &self.step.verdict;
        if let Some(problem) = &verdict.error {
            return text(&format!("This entry could not be judged: {problem}."), out);
        }
        let Some(result) = self.result() else {
            return text(
                "No key is held for this meter, so what it answers cannot be worked out.",
                out,
            );
        };
        let taken = self.is_accepted();
        let (verb, rest) = if taken && self.cause().is_some() {
            ("By the records the meter takes this token.", self.taken_as(result))
        } else if taken {
            ("The meter takes this token.", self.taken_as(result))
        } else {
            ("The meter refuses this token.", self.refused_as(result).to_owned())
        };
        let coloured = if taken { verb.green().to_string() } else { verb.red().to_string() };
        for line in wrapped(&format!("{verb} {rest}"), WIDTH) {
            // Colour comes last: it has no width.
            out.line(format_args!("  {}", line.replacen(verb, &coloured, 1)))?;
        }
        if let Some(display) = &verdict.display {
            let sure = match verdict.display_basis {
                Some("documented") => "",
                Some("borrowed") => " (borrowed from another maker's text)",
                Some("hypothesis") => " (a hypothesis: no maker's text is known)",
                _ => " (made up: no text is known)",
            };
            text(&format!("Its display shows {display:?}{sure}."), out)?;
        }
        self.what_was_seen(out)?;
        let reason = match &verdict.reason {
            Some(reason) => format!("result {}: {reason}", result.name()),
            None => format!("result {}", result.name()),
        };
        dim(&reason, out)
    }

    fn refused_as(&self, result: TokenResult) -> &'static str {
        if self.is_out_of_order() {
            "It takes the update codes of a set in their order only."
        } else {
            refused_as(result)
        }
    }

    /// What the meter does with a token that it takes.
    fn taken_as(&self, result: TokenResult) -> String {
        let stored = |number: u8| {
            format!("It keeps update code {number} and waits for the rest of the set.")
        };
        match (result, self.step.payload) {
            (TokenResult::FirstKct, _) => stored(1),
            (TokenResult::SecondKct, _) => stored(2),
            (TokenResult::ThirdKct, _) => stored(3),
            (TokenResult::FourthKct, _) => stored(4),
            (_, Some(Payload::KeySection(_))) => {
                format!("It completes the key change: {}.", self.step.note)
            }
            (_, Some(Payload::Credit { .. } | Payload::CurrencyCredit { .. })) => {
                format!("It adds {}.", self.step.note)
            }
            _ => format!("It says: {}.", self.step.note),
        }
    }

    /// Whether what the customer saw fits the profile.
    fn what_was_seen(&self, out: &mut Out) -> Shown {
        let Some(whole) = self.entry.displayed.as_deref().map(str::trim) else { return Ok(()) };
        let seen: String = whole.chars().take(LONGEST_DISPLAY).collect();
        let said = match self.step.verdict.reproduced {
            Reproduced::Yes => {
                format!("The customer saw {seen:?}: that is what this profile shows here.")
            }
            Reproduced::Near => {
                format!("The customer saw {seen:?}: the same number, with its leading zeros lost.")
            }
            _ if self.meter.is_some_and(|meter| meter.family.is_fault_text(whole)) => {
                format!("The customer saw {seen:?}: that is a fault, not an answer to a token.")
            }
            _ => {
                let stands_for = self.results_shown_as(whole);
                if stands_for.iter().all(|name| is_taken(name)) && !stands_for.is_empty() {
                    format!(
                        "The customer saw {seen:?}: that does not fit. It stands for a token that \
                         was taken, so the meter may be in another state than the records say."
                    )
                } else if stands_for.is_empty() {
                    format!(
                        "The customer saw {seen:?}: no answer of this profile looks like that. \
                         Have it read once more, or ask with another --profile."
                    )
                } else {
                    format!(
                        "The customer saw {seen:?}: that does not fit. In this profile it stands \
                         for {}, so the meter may be in another state than the records say.",
                        stands_for.join(" or ")
                    )
                }
            }
        };
        text(&said, out)
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

    fn why(&self, out: &mut Out) -> Shown {
        let Some(cause) = self.cause() else { return Ok(()) };
        let verdict = &self.step.verdict;
        heading("Why", out)?;
        let sentence = if self.is_spent_update_code() {
            "This update code has done its work: the meter took it before, and has changed its \
             key since."
        } else if cause == Cause::FormatNondigit && is_prose(self.entered()) {
            "There is no token in this text."
        } else if self.is_out_of_order() {
            "This update code came before its turn."
        } else {
            cause.why()
        };
        for line in wrapped(sentence, WIDTH) {
            out.line(format_args!("  {}", line.bold()))?;
        }
        text(&self.how_sure(cause), out)?;
        // The meter's own reason stands above, the number of trials and the sections kept below.
        let trials = format!("{} candidate", verdict.trials);
        let evidence = verdict.evidence.iter().filter(|line| {
            Some(*line) != verdict.reason.as_ref()
                && !line.starts_with(&trials)
                && !line.starts_with("sections [")
                && !is_prose(self.entered())
        });
        let mut points: Vec<String> = evidence.cloned().collect();
        if let Some(first) = self.causes().first() {
            let compared = self.compared(&first.detail);
            points.extend(compared.map(|differing| format!("differs in: {differing}")));
        }
        if let Some(state) = self.causes().first().and_then(|first| first.detail.get("state")) {
            points.push(format!("what would explain it: {}", plain(state)));
        }
        if cause == Cause::KctIncomplete {
            points.extend(self.sections_kept());
        }
        points.extend(self.says().map(|says| format!("the token says: {says}")));
        for point in points {
            for (index, line) in wrapped(&point, WIDTH - 2).into_iter().enumerate() {
                let mark = if index == 0 { "-" } else { " " };
                out.line(format_args!("  {mark} {line}"))?;
            }
        }
        let tried = if verdict.trials > 0 {
            format!(
                "; {} {} tried, {} expected to match by chance",
                verdict.trials,
                if verdict.trials == 1 { "candidate" } else { "candidates" },
                few(verdict.expected_chance_matches)
            )
        } else {
            String::new()
        };
        dim(&format!("cause {}{tried}", cause.name()), out)
    }

    fn how_sure(&self, cause: Cause) -> String {
        let others: Vec<(Cause, f64)> = self
            .causes()
            .iter()
            .skip(1)
            .filter_map(|other| Some((Cause::from_name(other.cause)?, other.probability)))
            .collect();
        how_sure(cause, self.confidence(), &others)
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
    fn sections_kept(&self) -> Option<String> {
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
        let mut line = format!("update codes in the meter now: {}", list(&kept));
        if !forgotten.is_empty() {
            line += &format!("; taken before and forgotten: {}", list(&forgotten));
        }
        Some(line)
    }

    fn tell_the_customer(&self, out: &mut Out) -> Shown {
        heading("Tell the customer", out)?;
        let said = match self.cause() {
            Some(Cause::FormatNondigit) if is_prose(self.entered()) => {
                "Please read me the token: 20 digits, often printed in blocks of four."
            }
            Some(_) if self.is_out_of_order() => {
                "Your meter takes the update codes in their order only. Please begin with the \
                 first one, then the second, and so on."
            }
            Some(_) if self.is_spent_update_code() => {
                "Your meter has taken this code already and is up to date. You do not need it any \
                 more; go on with your next token."
            }
            Some(cause) if self.is_found() || cause == Cause::Unknown => cause.customer(),
            Some(_) => {
                "I am not sure yet what is wrong. Please read me the token once more, slowly, and \
                 the day, the time and the amount on your slip."
            }
            None if self.is_accepted() => match self.step.payload {
                Some(Payload::KeySection(_)) if self.result() == Some(TokenResult::Accept) => {
                    "That is the last of the update codes. When it is in, your meter is up to \
                     date; go on with your next token."
                }
                Some(Payload::KeySection(_)) => {
                    "Your meter takes this update code. Enter the other codes right after it, \
                     without a long pause, and then your token."
                }
                Some(Payload::Credit { .. } | Payload::CurrencyCredit { .. }) => {
                    "Your token is good. Please enter it, all digits, without haste."
                }
                _ => "Your meter takes this number. Please enter it.",
            },
            None => "I cannot see yet whether your token is good. Please keep the slip.",
        };
        quoted(said, out)
    }

    fn what_to_do(&self, out: &mut Out) -> Shown {
        heading("What to do", out)?;
        let Some(cause) = self.cause() else { return self.without_cause(out) };
        if self.is_spent_update_code() {
            text("Nothing to put right: go on with the next token of the slip.", out)?;
        } else if cause == Cause::FormatNondigit && is_prose(self.entered()) {
            text("Paste the whole slip or message, or the 20 digits alone.", out)?;
        } else if self.is_out_of_order() {
            text("Have the set entered again from its first token, one after the other.", out)?;
        } else if self.is_found() || cause == Cause::Unknown {
            text(cause.next_step(), out)?;
        } else {
            text("Nothing here is proven. Do not reissue and do not credit on it yet.", out)?;
        }
        self.how_long(cause, out)?;
        self.point_at_the_slip(out)?;
        self.list_candidates(cause, out)?;
        // The fixed word speaks of the cause alone: it is left out where more is known.
        let action = self.step.verdict.action;
        if let Some(action) =
            action.filter(|_| !self.is_spent_update_code() && !self.is_out_of_order())
        {
            dim(&format!("action {action}"), out)?;
        }
        Ok(())
    }

    fn without_cause(&self, out: &mut Out) -> Shown {
        if self.step.verdict.error.is_some() {
            return text("Check the meter number and the time.", out);
        }
        if !self.is_accepted() {
            let key = self.meter.map(|meter| {
                let own = meter.meter.attributes();
                format!(
                    " for supply group {}, key revision {}, key type {}, base date {}",
                    own.sgc,
                    own.krn,
                    own.kt.code(),
                    meter.base_date.year()
                )
            });
            return text(&format!("Name a key file with --keys{}.", key.unwrap_or_default()), out);
        }
        text("Nothing is wrong with it: have it entered.", out)?;
        if self.entry.displayed.is_none() {
            text(
                "If the meter refuses it all the same, ask what the display shows, and ask again \
                 with --seen.",
                out,
            )?;
        }
        Ok(())
    }

    /// How long a half-entered key change is kept, and how long the keypad stays locked.
    fn how_long(&self, cause: Cause, out: &mut Out) -> Shown {
        let Some(meter) = self.meter else { return Ok(()) };
        match (cause, meter.profile().section_window_s) {
            (Cause::KctIncomplete, window) => {
                if let Some(seconds) = window {
                    let minutes = seconds.div_ceil(60);
                    text(
                        &format!("This meter forgets update codes after {minutes} minutes."),
                        out,
                    )?;
                }
                text("Where one of the set is not on the slip, have the whole set sent again.", out)
            }
            (Cause::Lockout, _) => match meter.meter.clone().enter("", self.seconds()) {
                Err(Rejection::Lockout { remaining_s }) => text(
                    &format!("It takes digits again in {} minutes.", remaining_s.div_ceil(60)),
                    out,
                ),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// What was keyed, and what it would be without the slip.
    fn point_at_the_slip(&self, out: &mut Out) -> Shown {
        let readings = self.readings();
        let Some(first) = readings.first() else { return Ok(()) };
        let keyed: String = self.entered().chars().filter(char::is_ascii_digit).collect();
        out.line("")?;
        if readings.len() > 1 {
            text("These readings fit, and none of them is proven:", out)?;
        } else if !first.is_proven {
            text("One reading fits, and it is not proven:", out)?;
        }
        pointed(&keyed, &readings).iter().try_for_each(|line| out.line(line))
    }

    /// Everything that fits, where nothing is found.
    fn list_candidates(&self, cause: Cause, out: &mut Out) -> Shown {
        let is_proven = self.readings().iter().all(|reading| reading.is_proven);
        let sure = self.confidence() >= ALMOST_CERTAIN && is_proven;
        let several = self.causes().len() > 1 && !self.is_found();
        if several {
            out.line("")?;
            text("What fits, with its odds; none of it is proven:", out)?;
            for other in self.causes().iter().filter(|other| other.probability >= WORTH_NAMING) {
                let title =
                    Cause::from_name(other.cause).map_or(other.cause, |cause| cause.title());
                let mut line = format!("{:>6}  {title}", percent(other.probability));
                if let Some(reading) = readings_of(other).first() {
                    line += &format!(": {}", grouped(reading.token));
                } else if let Some(what) = self.compared(&other.detail) {
                    line += &format!(": {what}");
                }
                for (index, line) in wrapped(&line, WIDTH - 2).into_iter().enumerate() {
                    let indent = if index == 0 { "    " } else { "            " };
                    out.line(format_args!("{indent}{line}"))?;
                }
            }
        }
        let missing: Vec<&str> = [
            ("--sold-at TIME", self.entry.sold_at.is_some()),
            ("--quantity NUMBER", self.entry.quantity.is_some()),
        ]
        .into_iter()
        .filter_map(|(option, given)| (!given).then_some(option))
        .collect();
        // An update code carries neither.
        let would_help = !sure
            && !self.is_accepted()
            && !self.is_update_code()
            && (cause != Cause::Unknown || several);
        let digits = self.entered().bytes().filter(u8::is_ascii_digit).count();
        if cause == Cause::LengthOther && digits == 16 && self.entry.sold_at.is_none() {
            text(
                "Where four digits were left out, the time of the sale helps to find them: ask \
                 again with --sold-at TIME.",
                out,
            )?;
        } else if would_help && !missing.is_empty() {
            text(
                &format!(
                    "What the slip says would settle it: ask again with {}.",
                    missing.join(" and ")
                ),
                out,
            )?;
        }
        Ok(())
    }
}

fn is_taken(result: &str) -> bool {
    TokenResult::from_name(result).is_some_and(TokenResult::is_taken)
}

/// How sure the first cause is, and what else may be.
fn how_sure(cause: Cause, confidence: f64, others: &[(Cause, f64)]) -> String {
    let others: Vec<String> = others
        .iter()
        .filter(|(_, odds)| *odds >= WORTH_NAMING)
        .map(|(other, odds)| format!("{} ({})", other.title(), percent(*odds)))
        .take(3)
        .collect();
    let also = if others.is_empty() {
        ".".to_owned()
    } else {
        format!("; also possible: {}.", others.join(", "))
    };
    let sure = percent(confidence);
    match confidence {
        _ if cause == Cause::Unknown && others.is_empty() => {
            "None of the keys held, and no slip of the finger, fits.".into()
        }
        _ if cause == Cause::Unknown => format!("Nothing fits well ({sure}){also}"),
        1.0.. => "Certain: what was entered and the meter's answer leave nothing else.".into(),
        ALMOST_CERTAIN.. => format!("Almost certain ({sure})."),
        0.9.. => format!("Very likely ({sure}){also}"),
        LIKELY.. => format!("Likely ({sure}){also}"),
        _ => format!("Not sure ({sure}){also}"),
    }
}

/// Both numbers, one above the other, with marks where they differ: under what was keyed, and under
/// each reading where there are several or where it has digits that were left out.
fn pointed(keyed: &str, readings: &[Reading<'_>]) -> Vec<String> {
    let several = readings.len() > 1;
    let row = |name: &str, digits: &str, after: &str| {
        format!("    {name:<7} {digits}{after}").trim_end().to_owned()
    };
    let mut lines = vec![row("keyed", &grouped(keyed), "")];
    for reading in readings {
        let marks = Marks::between(keyed, reading.token);
        let name = match (several, reading.is_proven) {
            (true, _) => percent(reading.probability),
            (false, true) => "right".to_owned(),
            (false, false) => "maybe".to_owned(),
        };
        let says = reading.says.filter(|_| several).map(|says| format!("   {says}"));
        let keyed_marks = carets(&marks.keyed).map(|line| row("", &line.red().to_string(), ""));
        let right_marks = carets(&marks.right).map(|line| row("", &line.green().to_string(), ""));
        let token = grouped(reading.token).bold().to_string();
        let shown = row(&name, &token, &says.unwrap_or_default());
        // With several, the marks stand under each reading, since they differ.
        let (above, below) =
            if several { (None, keyed_marks.or(right_marks)) } else { (keyed_marks, right_marks) };
        lines.extend(above.into_iter().chain([shown]).chain(below));
    }
    lines
}

/// What a refusal means, in plain words.
const fn refused_as(result: TokenResult) -> &'static str {
    match result {
        TokenResult::OverflowError => "It has no room for so much credit.",
        TokenResult::KeyTypeError => "It may not change to that type of key.",
        TokenResult::FormatError => "It cannot take these digits as they stand.",
        TokenResult::RangeError => "A value in the token is out of range.",
        TokenResult::FunctionError => "It knows the token, and cannot do what it asks.",
        TokenResult::OldError => {
            "The token is genuine for this meter, and older than those it remembers."
        }
        TokenResult::UsedError => {
            "The token is genuine for this meter, and the meter has taken it before."
        }
        TokenResult::KeyExpiredError => {
            "The token is genuine for this meter, but the meter's key has expired for it."
        }
        TokenResult::DdtkError => "It still holds a default key, under which it takes no credit.",
        TokenResult::CrcError => {
            "It does not recognise the token: a wrong digit, a token of another meter and one \
             under another key all look the same to it."
        }
        TokenResult::MfrCodeError => "The token is for meters of another maker.",
        TokenResult::Lockout => "The keypad is locked after too many wrong entries.",
        TokenResult::NotReady => "It takes no entries at all just then.",
        TokenResult::LengthError => "It takes no entry of this many digits.",
        TokenResult::ExtensionMismatch => "The digits added to the token do not agree with it.",
        _ => "",
    }
}

/// The entry without a slip.
#[derive(Debug)]
struct Reading<'a> {
    token: &'a str,
    says: Option<&'a str>,
    probability: f64,
    /// The time of sale or the quantity speaks for it.
    is_proven: bool,
}

/// The readings of a cause: the one that the evidence supports, or several with their odds.
fn readings_of(cause: &CauseVerdict) -> Vec<Reading<'_>> {
    if let Some(token) = cause.detail.get("token").and_then(Value::as_str) {
        let says = cause.detail.get("says").and_then(Value::as_str);
        return vec![Reading { token, says, probability: cause.probability, is_proven: true }];
    }
    let readings = cause.detail.get("readings").and_then(Value::as_array);
    readings
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(place, reading)| {
            let probability =
                reading.get("probability").and_then(Value::as_f64).unwrap_or_default();
            let is_told = place == 0 || probability >= WORTH_NAMING;
            is_told.then_some(())?;
            Some(Reading {
                token: reading.get("token")?.as_str()?,
                says: reading.get("says").and_then(Value::as_str),
                probability,
                is_proven: false,
            })
        })
        .collect()
}

/// Places, from 0, at which two numbers differ.
#[derive(Debug, Default, Eq, PartialEq)]
struct Marks {
    keyed: Vec<usize>,
    right: Vec<usize>,
}

impl Marks {
    /// Differing digits where the lengths agree; else what is too much in one of them, where the
    /// rest agrees.
    fn between(keyed: &str, right: &str) -> Self {
        let (keyed, right) = (keyed.as_bytes(), right.as_bytes());
        if keyed.len() == right.len() {
            let differing = keyed.iter().zip(right).enumerate();
            let keyed = differing.filter(|(_, (a, b))| a != b).map(|(place, _)| place).collect();
            return Self { keyed, right: Vec::new() };
        }
        let extra = |long: &[u8], short: &[u8]| -> Vec<usize> {
            let start = long.iter().zip(short).take_while(|(a, b)| a == b).count();
            let end = start + long.len() - short.len();
            if long[end..] == short[start..] { (start..end).collect() } else { Vec::new() }
        };
        if keyed.len() > right.len() {
            Self { keyed: extra(keyed, right), right: Vec::new() }
        } else {
            Self { keyed: Vec::new(), right: extra(right, keyed) }
        }
    }
}

/// A line with `^` under the digits at these places, digits standing in groups of four.
fn carets(places: &[usize]) -> Option<String> {
    let column = |place: usize| place + place / 4;
    let last = *places.last()?;
    let mut line = vec![b' '; column(last) + 1];
    for place in places {
        line[column(*place)] = b'^';
    }
    String::from_utf8(line).ok()
}

/// A probability for people: never rounded up to certainty.
fn percent(probability: f64) -> String {
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

/// A text rather than a number: no digit at all, or a word.
fn is_prose(entered: &str) -> bool {
    let has_digit = entered.bytes().any(|byte| byte.is_ascii_digit());
    let mut runs = entered.split(|c: char| !c.is_alphabetic());
    !has_digit || runs.any(|run| run.chars().count() >= 3)
}

/// An entry as one line: digits in groups of four, anything else as it stands, cut where it is long.
fn shortened(entered: &str) -> String {
    const LONGEST: usize = 60;
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let line = entered.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().map(visible).collect();
    let separators = |c: char| matches!(c, ' ' | '-' | '.' | '_' | '/');
    let digits = line.chars().filter(char::is_ascii_digit).count();
    // Fewer are no token with a slip, but the number of a meter, a telephone, a PIN.
    let line = if digits >= 15 && line.chars().all(|c| c.is_ascii_digit() || separators(c)) {
        grouped(&line.replace(separators, ""))
    } else {
        line
    };
    if line.chars().count() <= LONGEST {
        return line;
    }
    let start: String = line.chars().take(LONGEST).collect();
    format!("{start}...")
}

fn heading(title: &str, out: &mut Out) -> Shown {
    out.line("")?;
    out.line(title.bold().underline())
}

fn text(text: &str, out: &mut Out) -> Shown {
    for line in wrapped(text, WIDTH) {
        out.line(format_args!("  {line}"))?;
    }
    Ok(())
}

fn quoted(said: &str, out: &mut Out) -> Shown {
    text(&format!("\"{said}\""), out)
}

fn dim(said: &str, out: &mut Out) -> Shown {
    for line in wrapped(said, WIDTH) {
        out.line(format_args!("  {}", line.dimmed()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_the_digits_that_differ() {
        let pointed = |keyed: &str, right: &str| {
            let marks = Marks::between(keyed, right);
            (carets(&marks.keyed), carets(&marks.right))
        };
        assert_eq!(pointed("63873003", "63853003"), (Some("   ^".into()), None));
        assert_eq!(pointed("63853030", "63853003"), (Some("       ^^".into()), None));
        assert_eq!(pointed("638553003", "63853003"), (Some("     ^".into()), None));
        assert_eq!(pointed("6383003", "63853003"), (None, Some("   ^".into())));
        assert_eq!(pointed("123412345678", "12345678"), (Some("     ^^^^".into()), None));
        assert_eq!(pointed("12349999", "123456789999"), (None, Some("     ^^^^".into())));
        assert_eq!(pointed("12", "2134"), (None, None));
        assert_eq!(pointed("", ""), (None, None));
    }

    #[test]
    fn a_proven_reading_is_right_and_others_have_their_odds() {
        let reading = |token, probability, is_proven| Reading {
            token,
            says: Some("5.0 m3 of water"),
            probability,
            is_proven,
        };
        let shown = |readings: &[Reading<'_>]| -> Vec<String> {
            let lines = pointed("63873003", readings);
            lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
        };
        assert_eq!(
            shown(&[reading("63853003", 0.9999, true)]),
            ["    keyed   6387 3003", "               ^", "    right   6385 3003"]
        );
        assert_eq!(
            shown(&[reading("63853003", 0.9999, false)]),
            ["    keyed   6387 3003", "               ^", "    maybe   6385 3003"]
        );
        assert_eq!(
            shown(&[reading("63853003", 0.6, false), reading("63873103", 0.3, false)]),
            [
                "    keyed   6387 3003",
                "    60 %    6385 3003   5.0 m3 of water",
                "               ^",
                "    30 %    6387 3103   5.0 m3 of water",
                "                  ^",
            ]
        );
    }

    #[test]
    fn how_sure_is_said_in_words_and_odds() {
        let others = [(Cause::OtherMeter, 0.31), (Cause::Unknown, 0.002)];
        let said = |confidence| how_sure(Cause::TypedDigit, confidence, &others);
        assert!(said(1.0).starts_with("Certain"));
        assert_eq!(said(0.9999), "Almost certain (99.9 %).");
        assert_eq!(said(0.87), "Likely (87 %); also possible: sold for another meter (31 %).");
        assert_eq!(said(0.52), "Not sure (52 %); also possible: sold for another meter (31 %).");
        assert_eq!(how_sure(Cause::KrnAhead, 0.93, &[]), "Very likely (93 %).");
        let unknown = how_sure(Cause::Unknown, 0.7, &others);
        assert!(unknown.starts_with("Nothing fits well (70 %); also"), "{unknown}");
        assert!(!how_sure(Cause::Unknown, 1.0, &[]).contains('%'));
    }

    #[test]
    fn odds_are_never_rounded_to_certainty() {
        assert_eq!(percent(0.9999), "99.9 %");
        assert_eq!(percent(0.9949), "99.4 %");
        assert_eq!(percent(0.87), "87 %");
        assert_eq!(percent(0.002), "under 1 %");
    }

    #[test]
    fn entries_are_shown_on_one_line() {
        assert_eq!(shortened("6385-3003 57726401\n6202"), "6385 3003 5772 6401 6202");
        assert_eq!(shortened("my token\u{1b}[31m fails"), "my token [31m fails");
        assert_eq!(shortened("01202401012"), "01202401012");
        assert!(shortened(&"9".repeat(400)).ends_with("..."));
    }

    #[test]
    fn words_are_told_from_numbers() {
        assert!(is_prose("my token does not work") && is_prose("") && is_prose("meter 5 is off"));
        assert!(!is_prose("1844674407384377241O") && !is_prose("1.23E+19"));
        assert!(!is_prose("1844 6744 0738 4377 241O"));
    }
}
