//! `sts replay`.

use owo_colors::OwoColorize;
use sts_harness::case::{Case, Overrides};
use sts_harness::fleet::MeterState;
use sts_harness::records::EntryRow;
use sts_harness::replay::{Replay, Reproduced, Step, Totals, is_as_expected};
use sts_harness::time;

use crate::args::ReplayArgs;
use crate::exit::{Done, Exit, Failure};
use crate::keys::FromFiles;
use crate::out::{Out, grouped, wrapped};
use crate::search;
use crate::verify::reject;

/// Entries that are replayed before their answers are written.
const BLOCK: usize = 1024;

pub(crate) fn run(args: &ReplayArgs, out: &mut Out) -> Done {
    let overrides = Overrides::new(args.keys.keys.as_deref(), args.profile.as_deref(), args.sort);
    let case = Case::load(&args.case, overrides, &mut FromFiles::new(&args.keys)?)?;
    for warning in &case.warnings {
        out.warning(warning);
    }
    let mut exit = Exit::Good;
    let mut totals = Totals::default();
    let mut replay = Replay::with_settings(&case, search::settings(&args.search)?);
    let mut report = Report { last_meter: None };
    if out.is_text()
        && let Some(title) = &case.settings.title
    {
        out.line(title.bold())?;
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let blocks = case.entries.chunks(BLOCK);
    for (entry, step) in blocks.flat_map(|block| block.iter().zip(replay.steps(block, threads))) {
        exit = exit.max(if step.verdict.error.is_some() {
            Exit::Input
        } else if step.verdict.result == Some("KeyMissing") {
            Exit::Keys
        } else {
            Exit::of(is_as_expected(&step.verdict))
        });
        totals.add(&step.verdict);
        if out.is_text() {
            report.step(entry, &step, out)?;
        } else {
            out.object(&step.verdict)?;
        }
    }
    if out.is_text() {
        summary(&case, &totals, out)?;
    }
    for file in &case.rejected {
        let path = args.case.join(&file.file);
        exit = exit.max(reject(args.rejects.as_deref(), &path, &file.header, &file.rows, out)?);
    }
    Ok(exit)
}

/// A meter's state in a few words.
fn describe(meter: &MeterState) -> String {
    let attributes = meter.attributes;
    format!(
        "KRN {}, base date {}, SGC {}, TI {}, EA{}, firmware {}",
        attributes.krn,
        meter.base_date.year(),
        attributes.sgc,
        attributes.ti,
        meter.ea.code(),
        meter.family.firmware_ids()[meter.firmware],
    )
}

struct Report {
    last_meter: Option<usize>,
}

/// Where the lines below an entry begin.
const INDENT: &str = "                         ";

impl Report {
    fn step(&mut self, entry: &EntryRow, step: &Step, out: &mut Out) -> Result<(), Failure> {
        if step.meter != self.last_meter || step.meter.is_none() {
            self.last_meter = step.meter;
            out.line("")?;
            let state = step.before.as_ref().map(describe);
            let state = state.as_deref().unwrap_or("not in meters.csv");
            out.line(format_args!("{} {}  {state}", "Meter".bold(), entry.pan.drn().bold()))?;
        }
        let verdict = &step.verdict;
        let at = time::format_short(entry.entered_at);
        if let Some(error) = &verdict.error {
            out.line(format_args!("{:<4} {at}    {} {error}", verdict.id, "error".red()))?;
            return Ok(());
        }
        if verdict.event.is_some() {
            out.line(format_args!("{:<4} {at}    {}", verdict.id, step.note.italic()))?;
            return Ok(());
        }
        let entered = grouped(entry.entered.as_deref().unwrap_or_default().trim());
        let display = verdict.display.as_deref().unwrap_or("-");
        let accepted = verdict.is_accepted();
        let padded = format!("{display:<12}");
        let shown = if accepted { padded.green().to_string() } else { padded.red().to_string() };
        let claim = match verdict.reproduced {
            Reproduced::Yes => "reproduced".green().to_string(),
            Reproduced::Near => {
                format!("near: the meter showed {}", seen(entry)).yellow().to_string()
            }
            Reproduced::No => {
                format!("not reproduced: the meter showed {}", seen(entry)).red().bold().to_string()
            }
            _ => "no claim".dimmed().to_string(),
        };
        out.line(format_args!("{:<4} {at}    {entered:<29}  {shown} {claim}", verdict.id))?;
        if accepted {
            out.line(format_args!("{INDENT}{}", step.note.dimmed()))?;
        } else {
            let result = verdict.result.unwrap_or("-");
            let what = format!("what   {} ({result})", step.note);
            out.line(format_args!("{INDENT}{what}"))?;
        }
        if let (Some(cause), Some(confidence)) = (verdict.cause, verdict.confidence) {
            let sure = format!("{:.2} %", confidence * 100.0);
            let evidence = verdict.evidence.join("; ");
            let cause = format!("{} {sure}", cause.bold());
            out.line(format_args!("{INDENT}why    {cause}"))?;
            for line in wrapped(&evidence, 70) {
                out.line(format_args!("{INDENT}       {}", line.dimmed()))?;
            }
        }
        if let Some(advice) = verdict.advice {
            for (index, line) in wrapped(advice, 70).into_iter().enumerate() {
                let head = if index == 0 { "now   " } else { "      " };
                out.line(format_args!("{INDENT}{head} {line}"))?;
            }
        }
        Ok(())
    }
}

fn seen(entry: &EntryRow) -> String {
    entry.displayed.clone().unwrap_or_default()
}

fn summary(case: &Case, totals: &Totals, out: &mut Out) -> Result<(), Failure> {
    out.line("")?;
    out.line(format_args!(
        "{} entries: {} accepted, {} refused{}{}",
        totals.entries.bold(),
        totals.accepted,
        totals.refused,
        count(totals.key_missing, "without a key"),
        count(totals.errors, "in error"),
    ))?;
    out.line(format_args!(
        "Displays: {} reproduced, {} near, {} not reproduced",
        totals.reproduced, totals.near, totals.not_reproduced
    ))?;
    if !totals.causes.is_empty() {
        let causes: Vec<String> =
            totals.causes.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
        out.line(format_args!("Causes: {}", causes.join(", ")))?;
    }
    let mut profiles: Vec<String> = case
        .fleet
        .meters
        .iter()
        .map(|meter| format!("{} ({})", meter.family.id(), meter.family.status()))
        .collect();
    profiles.sort();
    profiles.dedup();
    out.line(format_args!("Profiles: {}", profiles.join(", ")))?;
    let bases: std::collections::BTreeSet<&str> = case
        .fleet
        .meters
        .iter()
        .flat_map(|meter| meter.profile().display.iter().map(|rule| rule.basis.name()))
        .collect();
    if bases.contains("hypothesis") {
        out.line(
            "What such meters show is this project's reconstruction: 017 rests on a hypothesis."
                .dimmed(),
        )?;
    }
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    if number == 0 { String::new() } else { format!(", {number} {what}") }
}
