//! All rows of all exports, from the first to the last.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sts_core::MeterPan;

use super::cells::Damage;
use super::columns::Field;
use super::convert::{ENTRY_HEADER, Entry, METER_HEADER, Mended, Reading, Settings, exchanged};
use super::infer::{self, Inferred, Sample};
use super::plan::{Plan, look};
use super::source::{Flow, RawRow, Source};
use super::{FileReport, ImportError, Limit, Options, Report};
use crate::input::Place;
use crate::keys::KeyRing;
use crate::row_file::{RowFile, WriteError, csv_line};
use crate::sort::Sorter;
use crate::table::guarded;

/// Rejects that a report shows.
const SHOWN: usize = 10;
/// Rows among which the same row is looked for.
const WINDOW: usize = 1_000_000;

pub(super) fn run(
    paths: &[PathBuf],
    folder: Option<&Path>,
    options: &Options,
) -> Result<Report, ImportError> {
    let mut sources = Source::all(paths, options)?;
    let mut plans = Vec::new();
    let mut report = Report {
        schema: 1,
        zone: options.zone.as_ref().map(|(name, _)| name.clone()),
        ..Report::default()
    };
    for source in &mut sources {
        let (file, plan) = look(source, options)?;
        report.files.push(file);
        match plan {
            Ok(plan) => plans.push(Some(plan)),
            Err(problem) if folder.is_some() => return Err(problem.into()),
            Err(problem) => {
                if let Some(file) = report.files.last_mut() {
                    file.problem = Some(problem.to_string());
                }
                plans.push(None);
            }
        }
    }
    let out = folder.map(|folder| Out::create(folder, options)).transpose()?;
    let mut run = Run {
        options,
        out,
        report,
        meters: Meters::default(),
        doubles: Doubles::default(),
        order: Order::default(),
        mended: Mended::default(),
        damaged: HashMap::new(),
        last_id: (String::new(), 0),
        failed: None,
        stopped: false,
    };
    for (place, (source, plan)) in sources.iter_mut().zip(&plans).enumerate() {
        let Some(plan) = plan else { continue };
        run.file(place, source, plan)?;
        if run.stopped {
            break;
        }
    }
    run.finish()
}

/// A run under way.
struct Run<'a> {
    options: &'a Options,
    out: Option<Out>,
    report: Report,
    meters: Meters,
    doubles: Doubles,
    order: Order,
    mended: Mended,
    damaged: HashMap<Damage, u64>,
    /// The last name of an entry, and how often it came in a row.
    last_id: (String, u64),
    failed: Option<WriteError>,
    stopped: bool,
}

/// Columns that hold each other's values, and in which rows.
#[derive(Debug, Default)]
struct Exchanged(Vec<((usize, usize), u64, u64, u64)>);

impl Exchanged {
    fn add(&mut self, own: usize, other: usize, line: u64) {
        match self.0.iter_mut().find(|(pair, ..)| *pair == (own, other)) {
            Some((_, _, last, count)) => {
                *last = line;
                *count += 1;
            }
            None => self.0.push(((own, other), line, line, 1)),
        }
    }
}

impl Run<'_> {
    fn file(&mut self, place: usize, source: &mut Source, plan: &Plan) -> Result<(), ImportError> {
        let name = source.name.clone();
        let (short, delimiter) = (source.may_be_short(), source.delimiter());
        let mut exchanged = Exchanged::default();
        source.for_each(&mut |row| {
            if row.line <= plan.header {
                return Flow::On;
            }
            self.report.files[place].rows += 1;
            self.report.rows += 1;
            let taken = self.row(place, &name, &row, plan, short, delimiter, &mut exchanged);
            if let Err(error) = taken {
                self.failed = Some(error);
            }
            if self.failed.is_some() || self.stopped { Flow::Stop } else { Flow::On }
        })?;
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        let FileReport { counts, columns, notes, .. } = &mut self.report.files[place];
        notes.append(&mut source.notes);
        for ((own, other), first, last, count) in exchanged.0 {
            if count > 1 {
                let names = &plan.mapping.names;
                notes.push(format!(
                    "columns {:?} and {:?} hold each other's values in {count} rows, from {counts} \
                     {first} to {last}",
                    names[own], names[other]
                ));
            }
        }
        let known = columns.len();
        if source.names.len() > known {
            let late: Vec<&str> =
                source.names[known..].iter().map(String::as_str).take(20).collect();
            notes.push(format!("names that come late and are not read: {}", late.join(", ")));
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "what is known of the file, passed on once")]
    fn row(
        &mut self,
        place: usize,
        name: &str,
        row: &RawRow,
        plan: &Plan,
        short: bool,
        delimiter: Option<char>,
        exchanged_columns: &mut Exchanged,
    ) -> Result<(), WriteError> {
        let width = plan.mapping.names.len();
        let surplus = row.cells.iter().skip(width).any(|cell| !cell.trim().is_empty());
        let (column, reason) = if let Some((column, reason)) = &row.problem {
            (column.clone(), reason.clone())
        } else if surplus || (!short && row.cells.len() < width) {
            let found = row.cells.len();
            (None, format!("{found} fields, expected {width} as in the header"))
        } else {
            if self.doubles.is_double(row) {
                self.doubles.count(name, row.line);
                if self.options.distinct {
                    return Ok(());
                }
            }
            let reading = Reading::new(row, plan, self.options, &mut self.mended);
            match reading.entries() {
                Ok((entries, settings)) => {
                    for entry in entries {
                        self.entry(place, name, row, &entry, &settings)?;
                    }
                    return Ok(());
                }
                Err(fault) => {
                    let column = fault.field.map(|field| column_of(field, plan));
                    let other = fault.field.and_then(|field| exchanged(row, field, plan));
                    let mut reason = fault.reason;
                    if let Some((other, own)) =
                        other.zip(fault.field.and_then(|field| plan.mapping.place(field)))
                    {
                        exchanged_columns.add(own, other, row.line);
                        reason = format!(
                            "{reason}; column {:?} holds what would do: have columns changed places?",
                            plan.mapping.names[other]
                        );
                    }
                    (column, reason)
                }
            }
        };
        self.reject(place, name, row, column, &reason, delimiter)
    }

    fn entry(
        &mut self,
        place: usize,
        name: &str,
        row: &RawRow,
        entry: &Entry,
        settings: &Settings,
    ) -> Result<(), WriteError> {
        self.report.files[place].entries += 1;
        self.report.entries += 1;
        let base = entry.id.clone().unwrap_or_else(|| self.report.entries.to_string());
        let id = if self.last_id.0 == base {
            // Tokens of one receipt: each gets a name of its own.
            self.last_id.1 += 1;
            format!("{base}-{}", self.last_id.1)
        } else {
            self.last_id = (base.clone(), 1);
            base
        };
        if let Some(damage) = entry.damage {
            *self.damaged.entry(damage).or_default() += 1;
        }
        let file = row.file.as_deref().unwrap_or(name);
        self.order.see(entry.at, file, row.line);
        let shown = || Place::line(file, row.line).to_string();
        self.meters.see(entry, settings, self.options.keys.is_some(), shown);
        let Some(out) = &mut self.out else { return Ok(()) };
        out.entry(entry.at, entry.line(&id))
    }

    fn reject(
        &mut self,
        place: usize,
        name: &str,
        row: &RawRow,
        column: Option<String>,
        reason: &str,
        delimiter: Option<char>,
    ) -> Result<(), WriteError> {
        self.report.files[place].rejected += 1;
        self.report.rejected += 1;
        let file = row.file.as_deref().unwrap_or(name);
        if self.report.rejects.len() < SHOWN {
            let field = column.clone();
            let mut at = Place::line(file, row.line);
            at.field = field;
            self.report.rejects.push(format!("{at}: {reason}"));
        }
        if let Some(Limit::Rows(most)) = self.options.max_rejects
            && self.report.rejected > most
        {
            self.stopped = true;
        }
        let Some(out) = &mut self.out else { return Ok(()) };
        let original = row.original.clone().unwrap_or_else(|| original(row, delimiter));
        out.reject([file, &row.line.to_string(), &column.unwrap_or_default(), reason, &original])
    }

    fn finish(mut self) -> Result<Report, ImportError> {
        let inferred = self.meters.inferred(self.options.keys.as_ref());
        self.notes(&inferred);
        let Self { options, out, mut report, meters, .. } = self;
        report.meters = u64::try_from(meters.seen.len()).unwrap_or_default();
        report.meters_told = meters.told;
        report.meters_inferred = inferred.found();
        let mut problem = None;
        if let Some(limit) = options.max_rejects
            && limit.is_exceeded(report.rejected, report.rows)
        {
            let most = match limit {
                Limit::Rows(most) => format!("{most} rows"),
                Limit::PartsPerMillion(parts) => {
                    let percent = parts.to_string();
                    let padded = format!("{percent:0>5}");
                    let (whole, part) = padded.split_at(padded.len() - 4);
                    let part = part.trim_end_matches('0');
                    let point = if part.is_empty() { "" } else { "." };
                    format!("{whole}{point}{part} %")
                }
            };
            problem = Some(format!(
                "{} of {} rows read were rejected, expected at most {most}; no entries are written",
                report.rejected, report.rows
            ));
        } else if report.entries == 0 && out.is_some() {
            let problem_of = if report.rows == 0 {
                "there is no row below the header"
            } else {
                "no row could be taken"
            };
            problem = Some(format!("{problem_of}; no entries are written"));
        }
        if let Some(mut out) = out {
            if problem.is_none() {
                meters.lines(&inferred).try_for_each(|line| out.meter(&line))?;
                inferred.lines().try_for_each(|line| out.inferred(&line))?;
            }
            report.written = match &problem {
                None => out.finish(&mut report)?,
                Some(_) => out.abandon()?,
            };
        }
        match problem {
            Some(problem) => Err(ImportError::TooMany { problem, report: Box::new(report) }),
            None => Ok(report),
        }
    }

    fn notes(&mut self, inferred: &AllInferred) {
        let notes = &mut self.report.notes;
        let mut damaged: Vec<_> = self.damaged.iter().collect();
        damaged.sort();
        for (damage, count) in damaged {
            let what = if damage.is_final() {
                "the digits cannot be computed back: export again with the column as text"
            } else {
                "--restore-zeros puts them back in tokens that were sold"
            };
            let tokens = counted(*count, "token is", "tokens are");
            notes.push(format!("{tokens} kept damaged: {}; {what}", damage.words()));
        }
        let Mended { zeros, twice, days } = self.mended;
        if zeros > 0 {
            let numbers = counted(zeros, "number", "numbers");
            notes.push(format!("{numbers} got zeros back in front"));
        }
        if twice > 0 {
            let times = counted(twice, "time is", "times are");
            notes.push(format!(
                "{times} in an hour that the clocks showed twice: the first is taken"
            ));
        }
        if days > 0 {
            let times = counted(days, "time says", "times say");
            notes.push(format!("{times} no time of day: midnight is taken"));
        }
        self.doubles.note(self.options.distinct, notes);
        self.order.note(self.options.sort, notes);
        self.meters.note(self.options, inferred, notes);
        self.report.first = self.order.first.map(|time| time.to_string());
        self.report.last = self.order.last.map(|time| time.to_string());
    }
}

/// A number and what is counted.
fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn column_of(field: Field, plan: &Plan) -> String {
    plan.mapping.name(field).map_or_else(|| field.to_string(), str::to_owned)
}

/// A row as it was written, near enough.
fn original(row: &RawRow, delimiter: Option<char>) -> String {
    let Some(delimiter) = delimiter.filter(|delimiter| *delimiter != ',') else {
        let line = csv_line(row.cells.iter().map(String::as_str));
        return String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
    };
    row.cells.join(&delimiter.to_string())
}

/// The files of the case, under other names until they are whole.
struct Out {
    folder: PathBuf,
    entries: RowFile<File>,
    sorter: Option<Sorter>,
    meters: Option<RowFile<File>>,
    /// Whether a `meters.csv` that is there already is left alone.
    keeps_meters: bool,
    rejects: Option<RowFile<File>>,
    inferred: Option<RowFile<File>>,
}

const REJECT_HEADER: [&str; 5] = ["file", "line", "column", "reason", "row"];

impl Out {
    fn create(folder: &Path, options: &Options) -> Result<Self, ImportError> {
        let entries = folder.join("entries.csv");
        if entries.exists() && !options.force {
            return Err(ImportError::Exists(entries));
        }
        std::fs::create_dir_all(folder).map_err(|error| WriteError::new(folder, error))?;
        // Those of a run before would be taken for this one's.
        for old in ["rejects.csv", "inferred.csv"] {
            let _ = std::fs::remove_file(folder.join(old));
        }
        let sorter = options.sort.then(|| Sorter::new(folder, options.sort_memory));
        Ok(Self {
            folder: folder.to_owned(),
            entries: RowFile::create(&folder.join("entries.csv.part"), csv_line(ENTRY_HEADER))?,
            sorter,
            meters: None,
            keeps_meters: folder.join("meters.csv").exists() && !options.force,
            rejects: None,
            inferred: None,
        })
    }

    fn entry(&mut self, at: Timestamp, line: Vec<u8>) -> Result<(), WriteError> {
        match &mut self.sorter {
            Some(sorter) => sorter.push(at, line.into()),
            None => self.entries.push(&line),
        }
    }

    fn meter(&mut self, line: &[u8]) -> Result<(), WriteError> {
        if self.keeps_meters {
            return Ok(());
        }
        if self.meters.is_none() {
            let path = self.folder.join("meters.csv.part");
            self.meters = Some(RowFile::create(&path, csv_line(METER_HEADER))?);
        }
        self.meters.as_mut().map_or(Ok(()), |meters| meters.push(line))
    }

    fn inferred(&mut self, line: &[u8]) -> Result<(), WriteError> {
        if self.inferred.is_none() {
            let path = self.folder.join("inferred.csv");
            self.inferred = Some(RowFile::create(&path, csv_line(infer::HEADER))?);
        }
        self.inferred.as_mut().map_or(Ok(()), |inferred| inferred.push(line))
    }

    fn reject(&mut self, [file, line, column, reason, row]: [&str; 5]) -> Result<(), WriteError> {
        if self.rejects.is_none() {
            let path = self.folder.join("rejects.csv");
            self.rejects = Some(RowFile::create(&path, csv_line(REJECT_HEADER))?);
        }
        // What a spreadsheet would run as a formula gets an apostrophe in front.
        let fields = [&guarded(file), line, &guarded(column), &guarded(reason), &guarded(row)];
        let line = csv_line(fields);
        self.rejects.as_mut().map_or(Ok(()), |rejects| rejects.push(&line))
    }

    /// Puts the files in place.
    fn finish(self, report: &mut Report) -> Result<Vec<PathBuf>, WriteError> {
        let Self { mut entries, sorter, meters, keeps_meters, rejects, inferred, .. } = self;
        if let Some(sorter) = sorter {
            let sorted = sorter.finish()?;
            if sorted.files() > 0 {
                report.notes.push(format!("sorted through {} files", sorted.files()));
            }
            for line in sorted {
                entries.push(&line?)?;
            }
        }
        if keeps_meters {
            let note = "meters.csv is there already and is left as it is; --force writes it anew";
            report.notes.push(note.to_owned());
        }
        let mut written = Vec::new();
        for file in [Some(entries), meters].into_iter().flatten() {
            let part = file.finish()?;
            let whole = part.with_extension("");
            std::fs::rename(&part, &whole).map_err(|error| WriteError::new(&whole, error))?;
            written.push(whole);
        }
        for file in [inferred, rejects].into_iter().flatten() {
            written.push(file.finish()?);
        }
        Ok(written)
    }

    /// Leaves the rejects alone.
    fn abandon(self) -> Result<Vec<PathBuf>, WriteError> {
        let Self { folder, entries, sorter, meters, rejects, .. } = self;
        drop((entries, sorter, meters));
        for part in ["entries.csv.part", "meters.csv.part"] {
            let _ = std::fs::remove_file(folder.join(part));
        }
        rejects.map(RowFile::finish).transpose().map(|path| path.into_iter().collect())
    }
}

/// Rows that were there before.
#[derive(Debug, Default)]
struct Doubles {
    seen: HashSet<u64>,
    turn: VecDeque<u64>,
    count: u64,
    first: Option<String>,
}

impl Doubles {
    fn is_double(&mut self, row: &RawRow) -> bool {
        let mut hasher = DefaultHasher::new();
        for cell in &row.cells {
            cell.trim().hash(&mut hasher);
        }
        let hash = hasher.finish();
        if !self.seen.insert(hash) {
            return true;
        }
        self.turn.push_back(hash);
        if self.turn.len() > WINDOW
            && let Some(oldest) = self.turn.pop_front()
        {
            self.seen.remove(&oldest);
        }
        false
    }

    fn count(&mut self, file: &str, line: u64) {
        self.count += 1;
        self.first.get_or_insert_with(|| Place::line(file, line).to_string());
    }

    fn note(&self, dropped: bool, notes: &mut Vec<String>) {
        if let Some(first) = &self.first {
            let what = if dropped {
                "left out"
            } else {
                "kept, and a replay finds such tokens used; --distinct leaves them out"
            };
            let rows = counted(self.count, "row is", "rows are");
            notes.push(format!("{rows} the same as one before, the first at {first}: {what}"));
        }
    }
}

/// The times of entries, in the order they came.
#[derive(Debug, Default)]
struct Order {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    before: Option<Timestamp>,
    backwards: u64,
    example: Option<String>,
}

impl Order {
    fn see(&mut self, at: Timestamp, file: &str, line: u64) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        if let Some(before) = self.before
            && at < before
        {
            self.backwards += 1;
            self.example.get_or_insert_with(|| {
                format!("{} from {before} to {at}", Place::line(file, line))
            });
        }
        self.before = Some(at);
    }

    fn note(&self, sorted: bool, notes: &mut Vec<String>) {
        if let Some(example) = &self.example {
            let what = if sorted { "entries are sorted" } else { "rows are kept in their order" };
            let times = counted(self.backwards, "time", "times");
            notes.push(format!(
                "time goes back {times}, first at {example} (another order of rows, or a clock that \
                 was put back): {what}"
            ));
        }
    }
}

/// A meter, as far as met.
#[derive(Debug)]
struct Seen {
    /// Which of the meters it is, in the order they were met.
    place: usize,
    first: Timestamp,
    last: Timestamp,
    /// Its entries.
    entries: u64,
    /// Its settings in the row last read that told all, by their number.
    latest: Option<u32>,
    /// Those of its earliest row that told all, and what the earliest told where none did.
    earliest: Option<(Timestamp, u32)>,
    partly: Option<(Timestamp, u32)>,
    /// Its earliest tokens, where its settings are not told.
    samples: Vec<Sample>,
}

#[derive(Debug, Default)]
struct Meters {
    seen: HashMap<MeterPan, Seen>,
    /// Settings that are met, few as a rule, by their number.
    kinds: Vec<Settings>,
    numbers: HashMap<[String; 10], u32>,
    told: u64,
    early: u64,
    first_early: Option<String>,
    changed: u64,
    first_changed: Option<String>,
}

impl Meters {
    fn see(
        &mut self,
        entry: &Entry,
        settings: &Settings,
        with_samples: bool,
        place: impl Fn() -> String,
    ) {
        let kind = if let Some(kind) = self.numbers.get(&settings.0) {
            *kind
        } else {
            let next = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
            self.kinds.push(settings.clone());
            *self.numbers.entry(settings.0.clone()).or_insert(next)
        };
        let (met, at) = (self.seen.len(), entry.at);
        let seen = self.seen.entry(entry.pan).or_insert_with(|| Seen {
            place: met,
            first: at,
            last: at,
            entries: 0,
            latest: None,
            earliest: None,
            partly: None,
            samples: Vec::new(),
        });
        seen.entries += 1;
        seen.first = seen.first.min(at);
        if at < seen.last {
            self.early += 1;
            self.first_early.get_or_insert_with(&place);
        } else {
            seen.last = at;
        }
        let whole = settings.are_whole();
        let earliest = if whole { &mut seen.earliest } else { &mut seen.partly };
        if earliest.is_none_or(|(known, _)| at < known) {
            *earliest = Some((at, kind));
        }
        if !whole {
            if with_samples && seen.earliest.is_none() {
                infer::keep(&mut seen.samples, at, entry.entered());
            }
            return;
        }
        seen.samples = Vec::new();
        match seen.latest.replace(kind) {
            None => self.told += 1,
            Some(known) if known == kind => {}
            Some(_) => {
                self.changed += 1;
                self.first_changed.get_or_insert_with(place);
            }
        }
    }

    fn settings(&self, kind: u32) -> Option<&Settings> {
        self.kinds.get(usize::try_from(kind).ok()?)
    }

    /// What the keys tell of meters whose settings no row tells.
    fn inferred(&self, keys: Option<&KeyRing>) -> AllInferred {
        let Some(ring) = keys else { return AllInferred::default() };
        let open = self.seen.iter().filter(|(_, seen)| seen.earliest.is_none());
        let mut open: Vec<(&MeterPan, &Seen)> = open.collect();
        open.sort_unstable_by_key(|(_, seen)| seen.place);
        let apart = self.minutes_apart();
        let nothing = Settings(Default::default());
        let one = |(pan, seen): &(&MeterPan, &Seen)| {
            let told = seen.partly.and_then(|(_, kind)| self.settings(kind)).unwrap_or(&nothing);
            (seen.place, **pan, infer::infer(ring, pan, told, &seen.samples, apart))
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = open.len().div_ceil(threads).max(1);
        let found = std::thread::scope(|scope| {
            let running: Vec<_> = open
                .chunks(share)
                .map(|share| scope.spawn(|| share.iter().map(one).collect::<Vec<_>>()))
                .collect();
            let joined = running.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.flatten().collect()
        });
        AllInferred(found)
    }

    /// Minutes between two entries of a meter, on average; `None` where too few are known.
    fn minutes_apart(&self) -> Option<i64> {
        const ENOUGH: u64 = 20;
        let (minutes, gaps) = self.seen.values().fold((0, 0), |(minutes, gaps), seen| {
            let span = seen.last.duration_since(seen.first).as_secs() / 60;
            (minutes + span, gaps + seen.entries - 1)
        });
        (gaps >= ENOUGH).then(|| minutes / i64::try_from(gaps).unwrap_or(i64::MAX))
    }

    /// The lines of `meters.csv`, in the order the meters were met.
    fn lines<'a>(&'a self, inferred: &'a AllInferred) -> impl Iterator<Item = Vec<u8>> {
        let told = self
            .seen
            .iter()
            .filter_map(|(pan, seen)| Some((seen.place, *pan, self.settings(seen.earliest?.1)?)));
        let found = inferred
            .0
            .iter()
            .filter_map(|(place, pan, found)| Some((*place, *pan, &found.as_ref().ok()?.settings)));
        let mut all: Vec<(usize, MeterPan, &Settings)> = told.chain(found).collect();
        all.sort_unstable_by_key(|(place, ..)| *place);
        all.into_iter().map(|(_, pan, settings)| settings.line(&pan.to_string()))
    }

    fn note(&self, options: &Options, inferred: &AllInferred, notes: &mut Vec<String>) {
        if let Some(first) = self.first_early.as_ref().filter(|_| !options.sort) {
            let entries = counted(self.early, "entry is", "entries are");
            notes.push(format!(
                "{entries} before an earlier one of the same meter, the first at {first}: replay \
                 with --sort, or import with it"
            ));
        }
        if let Some(first) = &self.first_changed {
            let times = counted(self.changed, "time", "times");
            notes.push(format!(
                "settings of meters change {times}, first at {first}: meters.csv has those of each \
                 meter's earliest row"
            ));
        }
        let met = u64::try_from(self.seen.len()).unwrap_or_default();
        let found = inferred.found();
        if found > 0 {
            let meters = counted(found, "meter are", "meters are");
            notes.push(format!(
                "settings of {meters} inferred from the keys held: inferred.csv says from what"
            ));
        }
        let lacking = met - self.told - found;
        if lacking > 0 {
            let of = counted(met, "meter", "meters");
            let why = match inferred.first_open() {
                Some((pan, why)) => {
                    format!("the keys held do not tell it; of {}, the first: {why}", pan.drn())
                }
                None => "give what no column has, for example --set kt=2 --set \
                         base_date=1:1993,2:2014, or --keys with the keys to try"
                    .to_owned(),
            };
            notes.push(format!(
                "meters.csv lacks {lacking} of {of}, since it needs ea, sgc, krn, ti, kt and \
                 base_date of each: {why}"
            ));
        }
    }
}

/// What was inferred of each meter that no row tells: its place among those met, its number.
#[derive(Debug, Default)]
struct AllInferred(Vec<(usize, MeterPan, Result<Inferred, String>)>);

impl AllInferred {
    fn found(&self) -> u64 {
        let found = self.0.iter().filter(|(.., found)| found.is_ok()).count();
        u64::try_from(found).unwrap_or_default()
    }

    fn first_open(&self) -> Option<(&MeterPan, &str)> {
        self.0.iter().find_map(|(_, pan, found)| Some((pan, found.as_ref().err()?.as_str())))
    }

    /// The lines of `inferred.csv`.
    fn lines(&self) -> impl Iterator<Item = Vec<u8>> {
        self.0.iter().map(|(_, pan, found)| infer::line(pan, found))
    }
}
