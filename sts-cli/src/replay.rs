//! `sts replay`.

use std::collections::{BTreeSet, HashMap};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use owo_colors::OwoColorize;
use sts_core::Basis;
use sts_harness::case::{Case, Overrides};
use sts_harness::diagnose::Settings;
use sts_harness::entries::Entries;
use sts_harness::fleet::MeterState;
use sts_harness::input::{InputError, Place, Warning};
use sts_harness::progress::{Origin, Progress, ProgressError};
use sts_harness::records::EntryRow;
use sts_harness::replay::{Notice, Replay, Reproduced, Step, Totals, is_as_expected};
use sts_harness::report::Report;
use sts_harness::results::{Form, Rejects, Results};
use sts_harness::time;

use crate::args::ReplayArgs;
use crate::exit::{Done, Exit, Failure};
use crate::keys::FromFiles;
use crate::out::{Out, grouped, wrapped};
use crate::page;
use crate::search;
use crate::verify::reject;

pub(crate) fn run(args: &ReplayArgs, out: &mut Out) -> Done {
    let form =
        match &args.out {
            Some(path) => Some(Form::of(path).map_err(|problem| {
                Failure::Usage(format!("--out {}: {problem}", path.display()))
            })?),
            None => None,
        };
    let overrides = Overrides::new(args.keys.keys.as_deref(), args.profile.as_deref(), args.sort);
    let (mut case, entries) = Case::open(&args.case, overrides, &mut FromFiles::new(&args.keys))?;
    for warning in &case.warnings {
        out.warning(warning);
    }
    let settings = Settings { alone: args.alone, ..search::settings(&args.search)? };
    let progress = match (&args.out, form) {
        (Some(path), Some(form)) => Some(progress(args, &case, &settings, form, path)?),
        _ => None,
    };
    let page = args.wants_page().then(|| page::start(args, &case)).transpose()?;
    let mut exit = Exit::Good;
    let at_meters = args.rejects.as_ref().map(|path| path.with_extension("meters.csv"));
    for file in std::mem::take(&mut case.rejected) {
        let path = args.case.join(&file.file);
        exit = exit.max(reject(at_meters.as_deref(), &path, &file.header, &file.rows, out)?);
    }
    let about = About::of(&case);
    if out.is_text()
        && let Some(title) = &case.settings.title
    {
        out.line(title.bold())?;
    }
    let mut replay = Replay::taking_meters(&mut case, settings);
    if let Some(progress) = progress {
        replay.keep_progress(progress);
    }
    let results = match (&args.out, form) {
        (Some(path), Some(form)) => Some(Results::open(path, form, args.resume)?),
        _ => None,
    };
    let mut run = Run {
        exit,
        totals: Totals::default(),
        last_meter: None,
        rejects: Rejects::new(&rejects_path(args), entries.header(), args.resume),
        ticker: Ticker::new(results.is_some(), entries.length()),
        results,
        doubled: 0,
        page,
        file: entries.file().to_owned(),
        header: entries.header().to_vec(),
    };
    let ended = run.entries(entries, &mut replay, out);
    run.ticker.clear();
    let Run { mut exit, totals, results, rejects, doubled, page, .. } = run;
    // What is wrong in a line is so again: there is nothing to resume.
    let in_line =
        |failure: &Failure| matches!(failure, Failure::Input(error) if error.place.line.is_some());
    if ended.as_ref().err().is_none_or(in_line) {
        results.map(Results::finish).transpose()?;
        replay.finish_progress()?;
    }
    ended?;
    let rejected = rejects.finish()?;
    if let Some(mut page) = page {
        page.add_rejected(rejected);
        page::write(args, &page)?;
    }
    if out.is_text() {
        summary(&about, &totals, out)?;
    }
    if doubled > 1 {
        out.warning(format_args!("{doubled} rows have the id and time of the row before"));
    }
    if rejected > 0 {
        exit = exit.max(Exit::Input);
        let path = rejects_path(args);
        let path = path.display();
        out.warning(format_args!(
            "{rejected} rows were not taken; they are in {path} with their reasons"
        ));
    }
    Ok(exit)
}

fn rejects_path(args: &ReplayArgs) -> PathBuf {
    let beside = || args.case.join("entries.rejects.csv");
    args.rejects.clone().unwrap_or_else(beside)
}

/// The record of what searches find, beside the output.
fn progress(
    args: &ReplayArgs,
    case: &Case,
    settings: &Settings,
    form: Form,
    output: &Path,
) -> Result<Progress, Failure> {
    let mut origin = Origin::new();
    origin.setting(&(form, &args.profile, args.sort, settings.alone, &settings.model));
    for (name, profile) in case.profiles() {
        origin.setting(&(name, profile));
    }
    for entry in &case.keys.vending {
        origin.setting(&(entry, entry.key.fingerprint()));
    }
    for entry in &case.keys.decoders {
        origin.setting(&(entry, entry.key.fingerprint()));
    }
    for file in ["meters.csv", "entries.csv"] {
        origin.file(&args.case.join(file))?;
    }
    let mut path = output.as_os_str().to_owned();
    path.push(".progress");
    let path = PathBuf::from(path);
    let progress = if args.resume {
        Progress::resume(&path, origin)
    } else if path.exists() {
        return Err(Failure::Usage(format!(
            "{}: a run was interrupted; go on with --resume, or remove this file to start anew",
            path.display()
        )));
    } else {
        Progress::begin(&path, origin)
    };
    progress.map_err(|error| match error {
        ProgressError::Write(error) => error.into(),
        other => InputError::new(Place::default(), other.to_string()).into(),
    })
}

/// A replay on its way from entries to answers.
struct Run {
    exit: Exit,
    totals: Totals,
    last_meter: Option<usize>,
    results: Option<Results>,
    rejects: Rejects,
    ticker: Ticker,
    /// Rows that have the id and the time of their meter's row before.
    doubled: u64,
    /// The page and the work list, where they are asked for.
    page: Option<Report>,
    /// The name of the file of entries.
    file: String,
    /// Its columns.
    header: Vec<String>,
}

/// Rejected rows that are told one by one.
const TOLD: u64 = 20;

impl Run {
    fn entries(
        &mut self,
        entries: Entries,
        replay: &mut Replay<'_>,
        out: &mut Out,
    ) -> Result<(), Failure> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut told = 0;
        for batch in entries {
            let batch = batch?;
            for row in &batch.rejected {
                self.rejects.put(row)?;
                told += 1;
                if told <= TOLD {
                    self.ticker.clear();
                    out.rejected(row, &self.header);
                }
            }
            let steps = replay.steps(&batch.rows, threads);
            // First, so that no search is lost where the answers cannot be written.
            replay.flush_progress()?;
            for (entry, step) in batch.rows.iter().zip(steps) {
                self.step(entry, &step, out)?;
            }
            if let Some(results) = &mut self.results {
                results.flush()?;
            }
            self.rejects.flush()?;
            self.ticker.tick(batch.rows.len(), batch.done);
        }
        Ok(())
    }

    fn step(&mut self, entry: &EntryRow, step: &Step, out: &mut Out) -> Result<(), Failure> {
        let place = |field| Place::field(&self.file, entry.line, field);
        match step.notice {
            Some(Notice::OutOfOrder) => {
                let problem = format!(
                    "{} is before an earlier line's for the same meter, expected time order \
                     (or --sort)",
                    entry.entered_at
                );
                return Err(InputError::new(place("entered_at"), problem).into());
            }
            Some(Notice::Doubled) => {
                self.doubled += 1;
                if self.doubled == 1 {
                    let problem = "the meter's row before has this id and time too";
                    out.warning(Warning::new(place("id"), problem));
                }
            }
            _ => {}
        }
        let verdict = &step.verdict;
        self.exit = self.exit.max(if verdict.error.is_some() {
            Exit::Input
        } else if verdict.result == Some("KeyMissing") {
            Exit::Keys
        } else {
            Exit::of(is_as_expected(verdict))
        });
        self.totals.add(verdict);
        if let Some(page) = &mut self.page {
            page.add(entry, step);
        }
        if let Some(results) = &mut self.results {
            results.put(verdict)?;
        } else if out.is_text() {
            self.report(entry, step, out)?;
        } else {
            out.object(verdict)?;
        }
        Ok(())
    }
}

/// How far a long run is, on a terminal.
struct Ticker {
    shown: bool,
    started: Instant,
    last: Instant,
    rows: usize,
    length: u64,
}

impl Ticker {
    fn new(wanted: bool, length: u64) -> Self {
        let (now, shown) = (Instant::now(), wanted && std::io::stderr().is_terminal());
        Self { shown, started: now, last: now, rows: 0, length }
    }

    fn tick(&mut self, rows: usize, done: u64) {
        self.rows += rows;
        let now = Instant::now();
        if !self.shown || now - self.last < Duration::from_millis(500) {
            return;
        }
        self.last = now;
        let seconds = (now - self.started).as_secs().max(1);
        let left = if done == 0 {
            String::new()
        } else {
            let left = u128::from(seconds) * u128::from(self.length.saturating_sub(done));
            format!(", {} s left", left / u128::from(done))
        };
        let rate = self.rows as u64 / seconds;
        // Nobody is left to tell where this fails.
        let _ = write!(std::io::stderr(), "\r\x1b[K{} rows, {rate} a second{left}", self.rows);
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
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

/// Where the lines below an entry begin.
const INDENT: &str = "                         ";

impl Run {
    /// The entry as people read it.
    fn report(&mut self, entry: &EntryRow, step: &Step, out: &mut Out) -> Result<(), Failure> {
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

/// What a summary says of the meters.
struct About {
    profiles: Vec<String>,
    /// The displays that rest on a hypothesis.
    hypotheses: BTreeSet<String>,
}

impl About {
    fn of(case: &Case) -> Self {
        let families: HashMap<_, _> =
            case.fleet.meters.iter().map(|meter| (meter.family.id(), meter.family)).collect();
        let mut profiles: Vec<String> = families
            .values()
            .map(|family| format!("{} ({})", family.id(), family.status()))
            .collect();
        profiles.sort();
        let rules = case.fleet.meters.iter().flat_map(|meter| meter.profile().display.iter());
        let hypotheses = rules.filter(|rule| rule.basis == Basis::Hypothesis);
        Self { profiles, hypotheses: hypotheses.map(|rule| rule.show.to_owned()).collect() }
    }
}

fn summary(about: &About, totals: &Totals, out: &mut Out) -> Result<(), Failure> {
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
    out.line(format_args!("Profiles: {}", about.profiles.join(", ")))?;
    if !about.hypotheses.is_empty() {
        let shown: Vec<&str> = about.hypotheses.iter().map(String::as_str).collect();
        let line = format!(
            "What such meters show is this project's reconstruction: {} on a hypothesis.",
            match shown.as_slice() {
                [one] => format!("{one} rests"),
                several => format!("{} rest", several.join(", ")),
            }
        );
        out.line(line.dimmed())?;
    }
    Ok(())
}

fn count(number: u64, what: &str) -> String {
    if number == 0 { String::new() } else { format!(", {number} {what}") }
}
