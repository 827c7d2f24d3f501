//! What the API answers about tokens and meters. Nothing here knows of HTTP.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sts_harness::case::Case;
use sts_harness::diagnose::Settings as Search;
use sts_harness::fleet::TrackedMeter;
use sts_harness::inspect::{self, Inspection};
use sts_harness::records::{EntryRow, MeterRow};
use sts_harness::replay::{Replay, Step, Verdict, meter_of};
use sts_harness::{describe, time};

use super::anatomy::{self, Anatomy};
use super::limits::{TEXT, TOKENS};
use super::problem::Problem;
use crate::ask::entered::shortened;
use crate::ask::explanation::{self, Explanation};
use crate::ask::question::{Question, SETTINGS, Settings, meter_number, unknown_meter};

/// Rows of a meter's timeline: the latest.
const TIMELINE: usize = 500;

/// What this server was started with. It does not change.
pub(super) struct Shelf {
    pub(super) case: Case,
    /// The case's keys and profiles without its meters, for what is not in its records.
    pub(super) closed: Case,
    pub(super) search: Search,
    /// Whether `case` is a folder's, with meters on record.
    pub(super) has_records: bool,
}

/// A question, as it comes in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    text: String,
    meter: Option<String>,
    at: Option<String>,
    sold_at: Option<String>,
    quantity: Option<String>,
    displayed: Option<String>,
    ea: Option<String>,
    sgc: Option<String>,
    kt: Option<String>,
    krn: Option<String>,
    ti: Option<String>,
    base_date: Option<String>,
    ken: Option<String>,
    tid_floor: Option<String>,
    profile: Option<String>,
    firmware: Option<String>,
}

/// The answer to a question: one object a token.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    schema: u8,
    /// The meter that was asked; null where none is known.
    meter: Option<MeterInfo>,
    at: String,
    /// What was noticed in a slip.
    notes: Vec<String>,
    answers: Vec<OfToken>,
}

#[derive(Debug, Serialize)]
struct OfToken {
    entered: String,
    /// The same on one line, digits in groups of four.
    shown: String,
    /// The object of `sts explain`; null where no meter was asked.
    verdict: Option<Verdict>,
    /// What the token tells without a key; null where a meter was asked.
    inspection: Option<Inspection>,
    explanation: Explanation,
    anatomy: Option<Anatomy>,
}

/// A meter as it stands.
#[derive(Debug, Serialize)]
pub(super) struct MeterInfo {
    drn: String,
    pan: String,
    ea: String,
    sgc: String,
    krn: u8,
    ti: String,
    kt: u8,
    base_date: u16,
    profile: String,
    firmware: String,
    has_key: bool,
    /// The key changes that are half entered: numbers of the update codes.
    codes_kept: Vec<u8>,
    /// Registers that are not empty.
    credit: Vec<Credit>,
}

#[derive(Debug, Serialize)]
struct Credit {
    register: usize,
    quantity: String,
}

/// What happened at a meter, in time order.
#[derive(Debug, Serialize)]
pub(super) struct MeterStatus {
    schema: u8,
    meter: MeterInfo,
    at: String,
    /// Rows before those of the timeline.
    earlier: usize,
    timeline: Vec<Happened>,
}

#[derive(Debug, Serialize)]
struct Happened {
    id: String,
    at: String,
    /// `taken`, `code` (of a key change), `key_change` (the set is whole), `refused`, `event`, `unknown`.
    kind: &'static str,
    entered: Option<String>,
    result: Option<&'static str>,
    display: Option<String>,
    cause: Option<&'static str>,
    note: String,
    krn: Option<u8>,
}

/// Answers a question.
pub(super) fn explain(shelf: &Shelf, asked: &Asked) -> Result<Explained, Problem> {
    if asked.text.trim().is_empty() {
        return Err(Problem::bad("text", "empty, expected a token, a slip or a message"));
    }
    if asked.text.chars().count() > TEXT {
        return Err(Problem::bad("text", format!("too long, expected at most {TEXT} characters")));
    }
    let question = Question::read(&asked.text);
    if question.entries.len() > TOKENS {
        let count = question.entries.len();
        return Err(Problem::bad("text", format!("{count} tokens, expected at most {TOKENS}")));
    }
    let at = when(asked.at.as_deref())?;
    let number = asked.meter.as_deref().filter(|number| !number.trim().is_empty());
    let number = number.or(question.slip.meter_number());
    let meter = number.map(|number| meter_of_question(shelf, asked, number)).transpose()?.flatten();
    let mut answers = Vec::with_capacity(question.entries.len());
    let Some(found) = meter else {
        answers
            .extend(question.entries.iter().map(|entered| without_key(entered, number.is_some())));
        if answers.is_empty() {
            answers.push(no_token());
        }
        return Ok(Explained {
            schema: 1,
            meter: None,
            at: at.to_string(),
            notes: question.slip.notes().to_vec(),
            answers,
        });
    };
    let case = found.own.as_ref().unwrap_or(&shelf.case);
    let mut replay = Replay::with_settings(case, shelf.search.clone());
    let earlier =
        case.entries.iter().filter(|entry| entry.pan == found.row.pan && entry.entered_at < at);
    for entry in earlier {
        replay.step(entry);
    }
    let place = case.fleet.find(&found.row.pan);
    let info = place.map(|place| info(&replay.fleet().meters[place], at));
    let told = [
        ("sold_at", asked.sold_at.as_deref()),
        ("quantity", asked.quantity.as_deref()),
        ("displayed", asked.displayed.as_deref()),
    ]
    .map(|(name, value)| (name, value.filter(|value| !value.trim().is_empty())));
    for number in 0..question.entries.len() {
        let entry = question.entry_row(number, found.row.pan, at, &told)?;
        let entered = entry.entered.clone().unwrap_or_default();
        let before = place.map(|place| replay.fleet().meters[place].clone());
        let mut anatomy = before.as_ref().and_then(|meter| anatomy::of(&entered, meter));
        let step = replay.step(&entry);
        if let (Some(anatomy), Some(meter)) = (&mut anatomy, &before) {
            anatomy.open_as_found(&step.verdict, case, meter);
        }
        let explanation = explanation::explain(&entry, &step, meter_of(&replay, &step));
        // Of a token that was mistyped, what it should have been.
        if let (Some(right), Some(meter)) = (explanation.proven(), &before) {
            anatomy = anatomy::of(right, meter);
        }
        answers.push(OfToken {
            shown: shortened(&entered),
            explanation,
            verdict: Some(step.verdict),
            inspection: None,
            anatomy,
            entered,
        });
    }
    if answers.is_empty() {
        answers.push(no_token());
    }
    Ok(Explained {
        schema: 1,
        meter: info,
        at: at.to_string(),
        notes: question.slip.notes().to_vec(),
        answers,
    })
}

/// A meter, and the case it is in where that is not the shelf's.
struct Found {
    row: MeterRow,
    own: Option<Case>,
}

/// The meter of a question; `None` where nothing is known that could be asked.
fn meter_of_question(shelf: &Shelf, asked: &Asked, number: &str) -> Result<Option<Found>, Problem> {
    let pan = meter_number(number, &shelf.case.fleet)?;
    let given = [
        &asked.ea,
        &asked.sgc,
        &asked.kt,
        &asked.krn,
        &asked.ti,
        &asked.base_date,
        &asked.ken,
        &asked.tid_floor,
        &asked.profile,
        &asked.firmware,
    ];
    let named = SETTINGS.into_iter().zip(given).map(|(name, value)| {
        (name, value.as_deref().map(str::trim).filter(|value| !value.is_empty()))
    });
    let settings = Settings::of(named);
    if let Some(place) = shelf.case.fleet.find(&pan) {
        settings.must_be_on_record(&[])?;
        return Ok(Some(Found { row: shelf.case.fleet.meters[place].row.clone(), own: None }));
    }
    if shelf.has_records {
        return Err(unknown_meter(&pan, &shelf.case.fleet).into());
    }
    if shelf.case.keys.is_empty() && !settings.has("sgc") {
        return Ok(None);
    }
    let row = settings.row(&shelf.closed, pan)?;
    let mut own = shelf.closed.closed().map_err(|problem| Problem::bad("profile", problem))?;
    own.add_meter(row.clone(), std::path::Path::new("."))
        .map_err(|problem| Problem::bad("profile", problem))?;
    Ok(Some(Found { row, own: Some(own) }))
}

fn when(at: Option<&str>) -> Result<Timestamp, Problem> {
    match at.map(str::trim).filter(|at| !at.is_empty()) {
        Some(text) => time::parse(text).map_err(|problem| Problem::bad("at", problem)),
        None => Ok(time::now()),
    }
}

fn without_key(entered: &str, names_meter: bool) -> OfToken {
    let inspection = inspect::inspect(entered);
    OfToken {
        entered: entered.to_owned(),
        shown: shortened(entered),
        verdict: None,
        explanation: explanation::without_key(entered, names_meter, &inspection),
        inspection: Some(inspection),
        anatomy: anatomy::of_bare(entered),
    }
}

fn no_token() -> OfToken {
    OfToken {
        entered: String::new(),
        shown: String::new(),
        verdict: None,
        inspection: None,
        explanation: explanation::no_token(),
        anatomy: None,
    }
}

fn info(meter: &TrackedMeter, at: Timestamp) -> MeterInfo {
    let own = meter.meter.attributes();
    let registers = meter.meter.registers();
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let units = registers.units.iter().map(|units| (*units, describe::tenths(*units)));
    let currency = registers.currency.iter();
    let currency =
        currency.map(|units| (u64::from(*units != 0), describe::currency_units((*units).into())));
    MeterInfo {
        drn: meter.row.pan.drn().to_owned(),
        pan: meter.row.pan.as_str().to_owned(),
        ea: meter.ea().code().to_owned(),
        sgc: own.sgc.to_string(),
        krn: own.krn.get(),
        ti: own.ti.to_string(),
        kt: own.kt.code(),
        base_date: meter.base_date.year(),
        profile: meter.family.id().to_owned(),
        firmware: meter.family.firmware_ids()[meter.firmware].to_owned(),
        has_key: meter.has_key,
        codes_kept: meter.meter.staged_sections(seconds).collect(),
        credit: units
            .chain(currency)
            .enumerate()
            .filter(|(_, (units, _))| *units != 0)
            .map(|(register, (_, quantity))| Credit { register, quantity })
            .collect(),
    }
}

/// How a meter on record stands, and what happened to it until then.
pub(super) fn status(
    shelf: &Shelf,
    number: &str,
    at: Option<&str>,
) -> Result<MeterStatus, Problem> {
    let at = when(at)?;
    let found = meter_of_question(shelf, &Asked::default(), number)?;
    let Some(found) = found else { return Err(unknown_meter_without_keys()) };
    let case = found.own.as_ref().unwrap_or(&shelf.case);
    let entries: Vec<&EntryRow> = case
        .entries
        .iter()
        .filter(|entry| entry.pan == found.row.pan && entry.entered_at <= at)
        .collect();
    let mut replay = Replay::with_settings(case, shelf.search.clone());
    let mut timeline: Vec<Happened> = entries
        .iter()
        .map(|entry| {
            let step = replay.step(entry);
            happened(entry, &step, meter_of(&replay, &step))
        })
        .collect();
    let earlier = timeline.len().saturating_sub(TIMELINE);
    timeline.drain(..earlier);
    let place = case.fleet.find(&found.row.pan).ok_or_else(unknown_meter_without_keys)?;
    let meter = info(&replay.fleet().meters[place], at);
    Ok(MeterStatus { schema: 1, meter, at: at.to_string(), earlier, timeline })
}

fn unknown_meter_without_keys() -> Problem {
    Problem::bad("meter", "no record and no key tells of this meter")
}

fn happened(entry: &EntryRow, step: &Step, meter: Option<&TrackedMeter>) -> Happened {
    let verdict = &step.verdict;
    let is_section = matches!(step.payload, Some(sts_core::Payload::KeySection(_)));
    let kind = match verdict.result {
        _ if verdict.event.is_some() => "event",
        Some("Accept") if is_section => "key_change",
        Some(_) if is_section => "code",
        Some("KeyMissing") | None => "unknown",
        Some(_) if verdict.is_accepted() => "taken",
        Some(_) => "refused",
    };
    Happened {
        id: verdict.id.clone(),
        at: entry.entered_at.to_string(),
        kind,
        entered: entry.entered.as_deref().map(shortened),
        result: verdict.result,
        display: verdict.display.clone(),
        cause: verdict.cause,
        note: step.note.clone(),
        krn: meter.map(|meter| meter.meter.attributes().krn.get()),
    }
}
