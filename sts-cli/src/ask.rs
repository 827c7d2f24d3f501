//! `sts check` and `sts explain`: one token, one meter.

mod screen;

use std::path::Path;

use owo_colors::OwoColorize;
use sts_harness::case::{Case, Overrides};
use sts_harness::fleet::Fleet;
use sts_harness::records::{EntryRow, MeterRow};
use sts_harness::replay::{Replay, Step, meter_of};
use sts_harness::slip::Slip;
use sts_harness::{inspect, slips, time};

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

/// What was asked: the text as given and what a slip tells beside it.
struct Question {
    slip: Slip,
    entries: Vec<String>,
}

fn question(args: &AskArgs) -> Result<Question, Failure> {
    let mut text = match &args.slip {
        Some(path) => read_text(path)?,
        None => String::new(),
    };
    let words = args.text.join(" ");
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
    if args.slip.is_none() && is_one_entry(&args.text) {
        return Ok(Question { slip: Slip::default(), entries: vec![words] });
    }
    let slip = Slip::read(&text);
    let mut entries: Vec<String> = slip.tokens().map(str::to_owned).collect();
    if entries.is_empty() && slip.notes().is_empty() {
        // Not a slip: what was keyed, whatever it is.
        entries.push(text.trim().to_owned());
    }
    Ok(Question { slip, entries })
}

/// Words of digits alone that are one entry at the keypad, whatever its length: not one token with
/// something after it, which a slip would be read as.
fn is_one_entry(words: &[String]) -> bool {
    let is_bare =
        |word: &String| word.bytes().all(|b| b.is_ascii_digit() || b == b' ' || b == b'-');
    let digits = |word: &String| word.bytes().filter(u8::is_ascii_digit).count();
    let count: usize = words.iter().map(digits).sum();
    let holds_tokens = count > 20 && count.is_multiple_of(20);
    let several = words.len() > 1 && words.iter().any(|word| digits(word) >= 20);
    count > 0 && !holds_tokens && !several && words.iter().all(is_bare)
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
        screen::no_token(out)?;
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
    for (index, entered) in question.entries.iter().enumerate() {
        let mut entry = EntryRow::token(&(index + 1).to_string(), row.pan, at, entered);
        let set = |entry: &mut EntryRow, name: &str, value: &str| {
            entry.set_field(name, value).map_err(Failure::Usage)
        };
        for (name, value) in question.slip.entry_fields() {
            set(&mut entry, name, &value)?;
        }
        let given =
            [("sold_at", &args.sold_at), ("quantity", &args.quantity), ("displayed", &args.seen)];
        for (name, value) in given {
            // An empty display says nothing.
            let says = |value: &&str| name != "displayed" || !value.trim().is_empty();
            if let Some(value) = value.as_deref().filter(says) {
                set(&mut entry, name, value)?;
            }
        }
        let before = replay.fleet().find(&row.pan).map(|place| &replay.fleet().meters[place]);
        let state = before.map(screen::state).unwrap_or_default();
        let step = replay.step(&entry);
        exit = exit.max(if step.verdict.result == Some("KeyMissing") {
            Exit::Keys
        } else {
            Exit::of(step.verdict.is_accepted() && step.verdict.cause.is_none())
        });
        if !out.is_text() {
            out.object(&step.verdict)?;
        } else if explaining {
            let place = (index, question.entries.len());
            screen::show(&entry, &step, meter_of(&replay, &step), &state, place, out)?;
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
    let pan = sts_harness::records::meter_pan(number);
    let wrong = |problem: String, near: &str| {
        Failure::Usage(format!("meter number {number:?}: {problem}{near}"))
    };
    let mut case = match &args.case {
        Some(folder) => {
            let (keys, profile) = (args.keys.keys.as_deref(), args.profile.as_deref());
            let overrides = Overrides::new(keys, profile, false);
            Case::load(folder, overrides, &mut FromFiles::new(&args.keys)?)?
        }
        None => {
            // A wrong number is told before any key is asked for.
            pan.as_ref().map_err(|problem| wrong(problem.clone(), ""))?;
            Case::new(keys::ring(&args.keys, out)?)
        }
    };
    let pan = pan.map_err(|problem| wrong(problem, &near_meter(&case.fleet, number)))?;
    for warning in &case.warnings {
        out.warning(warning);
    }
    let given = [
        ("ea", &args.ea),
        ("sgc", &args.sgc),
        ("kt", &args.kt),
        ("krn", &args.krn),
        ("ti", &args.ti),
        ("base_date", &args.base_date),
        ("ken", &args.ken),
        ("tid_floor", &args.tid_floor),
        ("profile", &args.profile),
        ("firmware", &args.firmware),
    ];
    if let Some(place) = case.fleet.find(&pan) {
        // The case has been read with the profile in place of the meters' own.
        let mut others = given.iter().filter(|(name, _)| *name != "profile");
        if let Some((name, _)) = others.find(|(_, value)| value.is_some()) {
            let option = name.replace('_', "-");
            return Err(Failure::Usage(format!(
                "--{option}: meters.csv says this of the meter, expected it there or no --case"
            )));
        }
        let row = case.fleet.meters[place].row.clone();
        return Ok(Some((case, row)));
    }
    if args.case.is_some() {
        let near = near_meter(&case.fleet, pan.drn());
        return Err(Failure::Usage(format!("meter {} is not in meters.csv{near}", pan.drn())));
    }
    if case.keys.is_empty() && args.keys.keys.is_none() && args.sgc.is_none() {
        return Ok(None);
    }
    let with_given = |row: MeterRow| {
        given
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .try_fold(row, |row, (name, value)| row.with_field(name, value))
            .and_then(MeterRow::consistent)
            .map_err(Failure::Usage)
    };
    // What is given must be sound by itself before a key is looked for.
    let wanted = with_given(MeterRow::bare(pan))?;
    let row = with_given(guessed_row(&case, wanted, args)?)?;
    case.add_meter(row.clone(), Path::new(".")).map_err(Failure::Usage)?;
    Ok(Some((case, row)))
}

/// The meter wanted under the first key of the file that fits what is given; as given where no key
/// fits but all of the key is named.
fn guessed_row(case: &Case, wanted: MeterRow, args: &AskArgs) -> Result<MeterRow, Failure> {
    let fits = |entry: &&sts_harness::keys::VendingEntry| {
        (args.sgc.is_none() || entry.sgc == wanted.sgc)
            && (args.krn.is_none() || entry.krn == wanted.krn)
            && (args.kt.is_none() || entry.kt == wanted.kt)
            && (args.base_date.is_none() || entry.base_date == wanted.base_date)
    };
    match case.keys.vending.iter().find(fits) {
        Some(entry) => Ok(MeterRow::under(wanted.pan, entry)),
        None if args.sgc.is_some() && args.krn.is_some() => Ok(wanted),
        None => Err(Failure::Usage(
            "no held key fits this meter: name --sgc, --krn, --ti, --kt and --base-date, or --keys"
                .into(),
        )),
    }
}

/// The meter of the fleet whose number is one slip of the finger away, as the end of a message.
fn near_meter(fleet: &Fleet, number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let is_near = |own: &str| slips::number_variants(&digits).iter().any(|variant| variant == own);
    let mut near = fleet.meters.iter().map(|meter| &meter.row.pan);
    near.find(|pan| is_near(pan.drn()) || is_near(pan.as_str()))
        .map(|pan| format!("; did you mean {}?", pan.drn()))
        .unwrap_or_default()
}

/// No meter and no key: what the digits alone tell.
fn keyless(question: &Question, names_meter: bool, explaining: bool, out: &mut Out) -> Done {
    // A slip without a token is no good answer.
    let mut exit = Exit::of(!question.entries.is_empty());
    if question.entries.is_empty() && explaining && out.is_text() {
        screen::no_token(out)?;
    }
    for (index, entered) in question.entries.iter().enumerate() {
        let inspection = inspect::inspect(entered);
        let value = serde_json::to_value(&inspection).map_err(std::io::Error::from)?;
        let result = value["result"].as_str().unwrap_or_default().to_owned();
        let good = result == "Authentic" || result == "Encrypted";
        exit = exit.max(Exit::of(good));
        if !out.is_text() {
            out.object(&inspection)?;
            continue;
        }
        let meaning = value["meaning"].as_str().unwrap_or("a test token");
        let error = value["error"].as_str().unwrap_or(&result);
        if explaining {
            if index > 0 {
                out.line("")?;
            }
            screen::without_key(entered, names_meter, &result, meaning, error, out)?;
            continue;
        }
        out.line(grouped(entered).bold())?;
        let what = match result.as_str() {
            "Authentic" => meaning,
            "Encrypted" => "a well-formed token; whether a meter takes it needs a key",
            _ => error,
        };
        out.line(format_args!("  what   {what}"))?;
        let now = match result.as_str() {
            "Authentic" => "Any meter answers this token; it can be entered again and again.",
            "Encrypted" => "Name the meter with --meter and a key file with --keys to learn more.",
            _ => "Read the token again from the slip: 20 digits.",
        };
        out.line(format_args!("  now    {now}"))?;
    }
    Ok(exit)
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
