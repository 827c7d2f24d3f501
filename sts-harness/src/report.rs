//! The report of a replay: one page to defend, and a list of work to do.
//!
//! A [`Report`] is told each entry as it is answered and keeps counts alone, so that its memory grows
//! with days and refused meters, not with entries. [`Report::page`] has pseudonyms in place of meter
//! numbers and no token; [`Report::work_list`] has the real numbers and says that it is confidential.

mod charts;
mod page;
mod redact;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use sts_core::{Payload, TokenResult};

use crate::cause::Cause;
use crate::input::{InputError, each_block};
use crate::records::EntryRow;
use crate::replay::{Step, Totals, Verdict};
use crate::table::guarded;
use crate::time;

/// A file that a replay started from.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever reads the files")]
pub struct Input {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Input {
    /// Reads a file through.
    ///
    /// # Errors
    ///
    /// [`InputError`].
    pub fn of(path: &Path) -> Result<Self, InputError> {
        let mut hash = Sha256::new();
        each_block(path, |bytes| hash.update(bytes))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, sha256: hex::encode(hash.finalize()) })
    }
}

/// What is known of the whole replay beforehand.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever starts a replay")]
pub struct About {
    /// The case's title.
    pub title: Option<String>,
    /// The case's folder, as given, for commands to copy.
    pub case: String,
    /// The files it was read from.
    pub inputs: Vec<Input>,
    /// Rows that were not taken.
    pub rejected: u64,
}

/// Minutes of a day.
const DAY: i64 = 1440;
/// Entries that are named for a piece of work, and more are counted.
const MOST_NAMED: usize = 20;

/// Classes of how sure a cause is: at least so much, in words.
const CLASSES: [(f64, &str); 4] =
    [(0.99, "99 % and more"), (0.9, "90 to 99 %"), (0.5, "50 to 90 %"), (0.0, "less than 50 %")];

#[derive(Debug, Default)]
struct OfCause {
    refusals: u64,
    meters: BTreeSet<usize>,
    /// By the classes of [`CLASSES`].
    sure: [u64; 4],
}

/// A key as its attributes say it: SGC and KRN.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct KeyName {
    sgc: u32,
    krn: u8,
}

/// What is left to do at a meter for one cause.
#[derive(Debug)]
struct Work {
    cause: Cause,
    confidence: f64,
    count: usize,
    /// Hashes of what was keyed, each with the entry's id.
    entries: Vec<(u64, String)>,
}

#[derive(Debug)]
struct OfMeter {
    number: String,
    work: Vec<Work>,
}

/// What a report is made of.
#[derive(Debug, Default)]
pub struct Report {
    about: About,
    totals: Totals,
    /// Refused tokens, each counted once for its meter.
    tokens: u64,
    results: BTreeMap<&'static str, u64>,
    causes: BTreeMap<Cause, OfCause>,
    /// Refusals by day, in days since 1970, and cause.
    days: BTreeMap<i64, BTreeMap<Cause, u64>>,
    /// Key changes by day.
    key_changes: BTreeMap<i64, u64>,
    /// Events of firmware by day.
    firmware: BTreeMap<i64, u64>,
    /// How often vending believed in a key revision, by day of sale.
    believed: BTreeMap<i64, BTreeMap<u8, u64>>,
    /// Refusals by the meter's key and the token's.
    keys: BTreeMap<(KeyName, KeyName), u64>,
    /// Tokens by day of sale and how far their TID is from it, as a place of the scale.
    clocks: BTreeMap<(i64, i32), u64>,
    /// Displays by basis and by profile.
    bases: BTreeMap<&'static str, u64>,
    profiles: BTreeMap<(&'static str, String), u64>,
    meters: HashMap<usize, OfMeter>,
    /// Meters with refusals in the order they appear: a pseudonym's number is the place.
    order: Vec<usize>,
    seen: BTreeSet<usize>,
}

impl Report {
    /// A report that nothing was told yet.
    #[must_use]
    pub fn new(about: About) -> Self {
        Self { about, ..Self::default() }
    }

    /// Counts rows that were not taken.
    pub const fn add_rejected(&mut self, rows: u64) {
        self.about.rejected += rows;
    }

    /// Counts one entry and its answer.
    pub fn add(&mut self, entry: &EntryRow, step: &Step) {
        let verdict = &step.verdict;
        let day = time::minutes(entry.entered_at).div_euclid(DAY);
        self.totals.add(verdict);
        if verdict.error.is_some() {
            return;
        }
        if let Some(event) = &verdict.event {
            if event == "firmware" {
                *self.firmware.entry(day).or_default() += 1;
            }
            return;
        }
        self.seen.extend(step.meter);
        let sold_on = entry.sold_at.map_or(day, |sold| time::minutes(sold).div_euclid(DAY));
        if let Some(krn) = entry.krn {
            *self.believed.entry(sold_on).or_default().entry(krn.get()).or_default() += 1;
        }
        if let Some(basis) = verdict.display_basis {
            *self.bases.entry(basis).or_default() += 1;
        }
        if let Some(before) = &step.before {
            let profile = (before.family.id(), before.family.status().to_string());
            *self.profiles.entry(profile).or_default() += 1;
        }
        *self.results.entry(verdict.result.unwrap_or("-")).or_default() += 1;
        self.clock(entry, step, sold_on);
        if verdict.is_accepted() {
            if let (Some(Payload::KeySection(_)), Some(TokenResult::Accept)) =
                (&step.payload, verdict.result.and_then(TokenResult::from_name))
            {
                *self.key_changes.entry(day).or_default() += 1;
            }
            self.done(entry, step);
        } else if verdict.result != Some("KeyMissing") {
            self.refusal(entry, step, day);
        }
    }

    /// A refusal: its cause, its day, the keys it is between, and the work it makes.
    fn refusal(&mut self, entry: &EntryRow, step: &Step, day: i64) {
        let verdict = &step.verdict;
        let cause = verdict.cause.and_then(Cause::from_name).unwrap_or(Cause::Unknown);
        let confidence = verdict.confidence.unwrap_or_default();
        let of_cause = self.causes.entry(cause).or_default();
        of_cause.refusals += 1;
        let class = CLASSES.iter().position(|(least, _)| confidence >= *least).unwrap_or(3);
        of_cause.sure[class] += 1;
        *self.days.entry(day).or_default().entry(cause).or_default() += 1;
        of_cause.meters.extend(step.meter);
        self.key_of(step);
        let Some(place) = step.meter else { return };
        let of_meter = match self.meters.entry(place) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(slot) => {
                self.order.push(place);
                slot.insert(OfMeter { number: entry.pan.drn().to_owned(), work: Vec::new() })
            }
        };
        // A mistyped token is done with once the right one is taken.
        let meant = verdict.causes.first().and_then(|first| first.detail.get("token")?.as_str());
        let digits = digits_of(meant.or(entry.entered.as_deref()).unwrap_or_default());
        let is_known = |work: &Work| work.entries.iter().any(|(known, _)| *known == digits);
        if !of_meter.work.iter().any(is_known) {
            self.tokens += 1;
        }
        let work = match of_meter.work.iter_mut().find(|work| work.cause == cause) {
            Some(work) => work,
            None => {
                of_meter.work.push(Work { cause, confidence, count: 0, entries: Vec::new() });
                let last = of_meter.work.len() - 1;
                &mut of_meter.work[last]
            }
        };
        work.count += 1;
        work.confidence = work.confidence.max(confidence);
        if work.entries.len() < MOST_NAMED {
            work.entries.push((digits, entry.id.clone()));
        }
    }

    /// A token that is taken in the end needs nothing more.
    fn done(&mut self, entry: &EntryRow, step: &Step) {
        let Some(of_meter) = step.meter.and_then(|place| self.meters.get_mut(&place)) else {
            return;
        };
        let digits = digits_of(entry.entered.as_deref().unwrap_or_default());
        for work in &mut of_meter.work {
            let before = work.entries.len();
            work.entries.retain(|(known, _)| *known != digits);
            work.count -= before - work.entries.len();
        }
    }

    /// The key that a refused token was made under, against the meter's.
    fn key_of(&mut self, step: &Step) {
        let Some(before) = &step.before else { return };
        let Some(first) = step.verdict.causes.first() else { return };
        if !matches!(
            Cause::from_name(first.cause),
            Some(
                Cause::KrnAhead
                    | Cause::KrnBehind
                    | Cause::KctIncomplete
                    | Cause::SgcMismatch
                    | Cause::ConfigSeveral
            )
        ) {
            return;
        }
        let own = before.attributes;
        let own = KeyName { sgc: own.sgc.get(), krn: own.krn.get() };
        let krn = first.detail.get("krn").and_then(serde_json::Value::as_u64);
        let krn = krn.and_then(|krn| u8::try_from(krn).ok()).unwrap_or(own.krn);
        let sgc = first.detail.get("sgc").and_then(serde_json::Value::as_str);
        let sgc = sgc.and_then(|sgc| sgc.parse().ok()).unwrap_or(own.sgc);
        *self.keys.entry((own, KeyName { sgc, krn })).or_default() += 1;
    }

    /// How far a token's TID is from its sale.
    fn clock(&mut self, entry: &EntryRow, step: &Step, sold_on: i64) {
        let Some(sold) = entry.sold_at.map(time::minutes) else { return };
        let Some(made) = made_at(step) else { return };
        *self.clocks.entry((sold_on, charts::scale(made - sold))).or_default() += 1;
    }

    /// The days on which vending went over to a key revision: the first on which a fifth of the
    /// sales are said to be under it, or more. Days with hardly any sale of a long history say nothing.
    fn switches(&self) -> BTreeMap<u8, i64> {
        let mut switches = BTreeMap::new();
        let sales: u64 = self.believed.values().flat_map(BTreeMap::values).sum();
        let fewest = sales / (self.believed.len() as u64).max(1) / 10;
        for (day, revisions) in &self.believed {
            let all: u64 = revisions.values().sum();
            if all < fewest {
                continue;
            }
            for (krn, _) in revisions.iter().filter(|(_, count)| **count * 5 >= all) {
                switches.entry(*krn).or_insert(*day);
            }
        }
        switches
    }

    /// Meters whose refusals still need something done, in the order they appear.
    fn open_work(&self) -> impl Iterator<Item = (usize, &OfMeter, &Work)> {
        self.order
            .iter()
            .enumerate()
            .flat_map(|(number, place)| {
                let of_meter = self.meters.get(place).into_iter();
                of_meter
                    .flat_map(move |meter| meter.work.iter().map(move |work| (number, meter, work)))
            })
            .filter(|(.., work)| work.count > 0 && !needs_nothing(work.cause))
    }

    /// Writes the work list: one line for each meter and cause that needs something done. It has real
    /// meter numbers, and says in its first column that it is confidential.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn work_list(&self, out: impl Write) -> io::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record([
            "confidential",
            "drn",
            "in_report",
            "action",
            "cause",
            "probability",
            "refusals",
            "entries",
            "what_to_do",
        ])?;
        for (number, meter, work) in self.open_work() {
            let mut ids: Vec<&str> = work.entries.iter().map(|(_, id)| id.as_str()).collect();
            if work.count > ids.len() {
                ids.push("...");
            }
            out.write_record([
                "confidential",
                &meter.number,
                &pseudonym(number),
                work.cause.action(),
                work.cause.name(),
                &format!("{:.4}", work.confidence),
                &work.count.to_string(),
                &guarded(&ids.join(" ")),
                work.cause.advice(),
            ])?;
        }
        out.flush()
    }

    /// The page, in HTML: no script, no request, no meter number, no token.
    #[must_use]
    pub fn page(&self) -> String {
        page::write(self)
    }
}

/// A meter's name in the page.
fn pseudonym(number: usize) -> String {
    format!("M{:04}", number + 1)
}

/// Causes after which the customer is told something, and nothing is done.
const fn needs_nothing(cause: Cause) -> bool {
    matches!(cause, Cause::TidUsed | Cause::Lockout)
}

/// Minutes since 1970 at which a token was made, where that is known.
fn made_at(step: &Step) -> Option<i64> {
    if let (Some(payload), Some(before)) = (&step.payload, &step.before) {
        return Some(payload.tid()?.unix_minutes(before.base_date));
    }
    let told = told_time(&step.verdict)?;
    Some(time::minutes(time::parse(told).ok()?))
}

fn told_time(verdict: &Verdict) -> Option<&str> {
    verdict.causes.first()?.detail.get("tid_time")?.as_str()
}

/// A hash of the digits of what was keyed.
fn digits_of(keyed: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    keyed.bytes().filter(u8::is_ascii_digit).for_each(|digit| digit.hash(&mut hasher));
    hasher.finish()
}
