//! `sts check` and `sts explain`: one token, one meter.

pub(crate) mod entered;
pub(crate) mod explanation;
pub(crate) mod marks;
pub(crate) mod question;
mod screen;

use std::path::Path;

use owo_colors::OwoColorize;
use serde_json::Value;
use sts_harness::case::{Case, Overrides};
use sts_harness::fleet::Fleet;
use sts_harness::inspect::{self, Inspection};
use sts_harness::records::{EntryRow, MeterRow};
use sts_harness::replay::{Replay, Step, meter_of};
use sts_harness::slip::Slip;
use sts_harness::time;

use self::question::{Problem, Question, SETTINGS, Settings, meter_number, unknown_meter};
use crate::args::AskArgs;
use crate::exit::{Done, Exit, Failure};
use crate::keys::{self, FromFiles};
use crate::lookup::read_text;
use crate::out::{Out, grouped, wrapped};
use crate::search;

pub(crate) fn check(args: &AskArgs, out: &mut Out) -> Done {
    ask(args, false, out)
}

pub(crate) fn explain(args: &AskArgs, out: &mut Out) -> Done {
    ask(args, true, out)
}

fn question(args: &AskArgs) -> Result<Question, Failure> {
    let mut text = match &args.slip {
        Some(path) => read_text(path)?,
        None => String::new(),
    };
    let words = args.text.join(" ");
    let is_typed = args.slip.is_none() && words != "-";
    if words == "-" {
        text.push_str(&read_text(Path::new("-"))?);
    } else if !words.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&words);
    }
    if text.trim().is_empty() {
        return Err(Failure::Usage("no token given: name it, or use --slip FILE or -".into()));
    }
    Ok(if is_typed { Question::of_words(&args.text) } else { Question::of_slip(&text) })
}

fn ask(args: &AskArgs, explaining: bool, out: &mut Out) -> Done {
    let question = question(args)?;
    for note in question.slip.notes() {
        out.warning(note);
    }
    let Some((case, row)) = case_of(args, &question.slip, out)? else {
        let names_meter = args.meter.is_some() || question.slip.meter_number().is_some();
        return keyless(&question, names_meter, explaining, out);
    };
    if question.entries.is_empty() && explaining && out.is_text() {
        screen::show(&explanation::no_token(), out)?;
    }
    let mut exit = Exit::of(!question.entries.is_empty());
    let at = match &args.at {
        Some(text) => {
            time::parse(text).map_err(|problem| Failure::Usage(format!("--at: {problem}")))?
        }
        None => time::now(),
    };
    let mut replay = Replay::with_settings(&case, search::settings(&args.search)?);
    let earlier = case.entries.iter().filter(|entry| entry.pan == row.pan && entry.entered_at < at);
    for entry in earlier {
        replay.step(entry);
    }
    let told = [
        ("sold_at", args.sold_at.as_deref()),
        ("quantity", args.quantity.as_deref()),
        ("displayed", args.seen.as_deref()),
    ];
    for place in 0..question.entries.len() {
        let entry = question.entry_row(place, row.pan, at, &told)?;
        let before = replay.fleet().find(&row.pan).map(|place| &replay.fleet().meters[place]);
        let state = before.map(explanation::state).unwrap_or_default();
        let step = replay.step(&entry);
        exit = exit.max(if step.verdict.result == Some("KeyMissing") {
            Exit::Keys
        } else {
            Exit::of(step.verdict.is_accepted() && step.verdict.cause.is_none())
        });
        if !out.is_text() {
            out.object(&step.verdict)?;
        } else if explaining {
            screen::head(&entry, &state, (place, question.entries.len()), out)?;
            let meter = meter_of(&replay, &step);
            screen::show(&explanation::explain(&entry, &step, meter), out)?;
        } else {
            answer(&entry, &step, out)?;
        }
    }
    Ok(exit)
}

/// The meters to ask, and the one meant; `None` where no meter is named at all.
fn case_of(
    args: &AskArgs,
    slip: &Slip,
    out: &mut Out,
) -> Result<Option<(Case, MeterRow)>, Failure> {
    let number = args.meter.as_deref().or(slip.meter_number());
    let Some(number) = number else {
        return match (&args.case, &args.keys.keys) {
            (None, None) => Ok(None),
            _ => Err(Failure::Usage("which meter? name it with --meter NUMBER".into())),
        };
    };
    let mut case = match &args.case {
        Some(folder) => {
            let (keys, profile) = (args.keys.keys.as_deref(), args.profile.as_deref());
            let overrides = Overrides::new(keys, profile, false);
            Case::load(folder, overrides, &mut FromFiles::new(&args.keys))?
        }
        None => {
            // A wrong number is told before any key is asked for.
            meter_number(number, &Fleet::new())?;
            Case::new(keys::ring(&args.keys, out)?)
        }
    };
    let pan = meter_number(number, &case.fleet)?;
    for warning in &case.warnings {
        out.warning(warning);
    }
    let given = [
        &args.ea,
        &args.sgc,
        &args.kt,
        &args.krn,
        &args.ti,
        &args.base_date,
        &args.ken,
        &args.tid_floor,
        &args.profile,
        &args.firmware,
    ];
    let named = SETTINGS.into_iter().zip(given).map(|(name, value)| (name, value.as_deref()));
    let settings = Settings::of(named);
    if let Some(place) = case.fleet.find(&pan) {
        // The case has been read with the profile in place of the meters' own.
        settings.must_be_on_record(&["profile"]).map_err(|problem| {
            let option = problem.field.replace('_', "-");
            Failure::Usage(format!("--{option}: {} or no --case", problem.problem))
        })?;
        let row = case.fleet.meters[place].row.clone();
        return Ok(Some((case, row)));
    }
    if args.case.is_some() {
        return Err(unknown_meter(&pan, &case.fleet).into());
    }
    if case.keys.is_empty() && args.keys.keys.is_none() && args.sgc.is_none() {
        return Ok(None);
    }
    let row = settings.row(&case, pan)?;
    case.add_meter(row.clone(), Path::new(".")).map_err(Failure::Usage)?;
    Ok(Some((case, row)))
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Usage(problem.problem)
    }
}

/// No meter and no key: what the digits alone tell.
fn keyless(question: &Question, names_meter: bool, explaining: bool, out: &mut Out) -> Done {
    // A slip without a token is no good answer.
    let mut exit = Exit::of(!question.entries.is_empty());
    if question.entries.is_empty() && explaining && out.is_text() {
        screen::show(&explanation::no_token(), out)?;
    }
    for (index, entered) in question.entries.iter().enumerate() {
        let inspection = inspect::inspect(entered);
        exit = exit.max(Exit::of(matches!(inspection.result, "Authentic" | "Encrypted")));
        if !out.is_text() {
            out.object(&inspection)?;
            continue;
        }
        if explaining {
            if index > 0 {
                out.line("")?;
            }
            screen::bare_head(entered, out)?;
            screen::show(&explanation::without_key(entered, names_meter, &inspection), out)?;
        } else {
            keyless_answer(entered, &inspection, out)?;
        }
    }
    Ok(exit)
}

/// The short form of `sts check` without a key.
fn keyless_answer(entered: &str, inspection: &Inspection, out: &mut Out) -> Result<(), Failure> {
    let meaning = inspection.fields.get("meaning").and_then(Value::as_str);
    out.line(grouped(entered).bold())?;
    let what = match inspection.result {
        "Authentic" => meaning.unwrap_or("a test token"),
        "Encrypted" => "a well-formed token; whether a meter takes it needs a key",
        result => inspection.error.as_deref().unwrap_or(result),
    };
    out.line(format_args!("  what   {what}"))?;
    let now = match inspection.result {
        "Authentic" => "Any meter answers this token; it can be entered again and again.",
        "Encrypted" => "Name the meter with --meter and a key file with --keys to learn more.",
        _ => "Read the token again from the slip: 20 digits.",
    };
    out.line(format_args!("  now    {now}"))
}

/// The short form of `sts check`.
fn answer(entry: &EntryRow, step: &Step, out: &mut Out) -> Result<(), Failure> {
    let verdict = &step.verdict;
    let entered = grouped(entry.entered.as_deref().unwrap_or_default().trim());
    out.line(format_args!("{}  meter {}", entered.bold(), entry.pan.drn()))?;
    let result = verdict.result.unwrap_or("-");
    let display = verdict.display.as_deref().unwrap_or("nothing that is known");
    let coloured =
        if verdict.is_accepted() { result.green().to_string() } else { result.red().to_string() };
    out.line(format_args!("  what   {coloured}: {}", step.note))?;
    out.line(format_args!(
        "         the meter shows {display} ({})",
        verdict.display_basis.unwrap_or("no rule")
    ))?;
    if let Some(cause) = verdict.cause {
        out.line(format_args!("  why    {}", cause.bold()))?;
    }
    let now = match verdict.advice {
        Some(advice) => advice,
        None if verdict.is_accepted() => "The meter takes this token: enter it.",
        None => "No key is held for this meter: name a key file with --keys.",
    };
    // Seven columns of label and indent before the text.
    for (index, line) in wrapped(now, 71).into_iter().enumerate() {
        let head = if index == 0 { "now " } else { "    " };
        out.line(format_args!("  {head}   {line}"))?;
    }
    Ok(())
}
