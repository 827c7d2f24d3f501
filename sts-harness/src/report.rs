//! What a replay found, as one page to hand on and a list of work to do.
//!
//! The page holds no token and no meter number; the list of work holds meter numbers and is
//! confidential. Memory grows with the meters that refused something and with the days, never
//! with the entries.

mod page;
mod text;
mod work_list;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::records::EntryRow;
use crate::replay::{Step, Totals};
use crate::row_file::WriteError;

/// Ids kept for each meter and for each cause.
const IDS: usize = 8;

/// What kinds of sale and meter the page tells apart before it stops adding new ones.
const KINDS: usize = 200;

/// How sure causes are, by the words of the page.
const CLASSES: [&str; 5] = ["99 % and more", "90 to 99 %", "50 to 90 %", "below 50 %", "not known"];

/// An input of the replay, by its content.
#[derive(Clone, Debug)]
struct Input {
    name: String,
    sha256: String,
}

/// What a meter needs.
#[derive(Clone, Debug)]
struct Work {
    pseudonym: usize,
    drn: String,
    /// Refusals.
    count: u64,
    /// The surest cause: its name, its action, its advice, its probability.
    best: Option<(&'static str, &'static str, &'static str, f64)>,
    ids: Vec<String>,
}

/// What one cause came to.
#[derive(Clone, Debug, Default)]
struct Finding {
    count: u64,
    /// The sum of the probabilities.
    weight: f64,
    ids: Vec<String>,
}

/// What changed at a meter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Change {
    Krn,
    BaseDate,
    Firmware,
}

/// Settings of a meter whose changes are shown.
#[derive(Clone, Copy, Debug)]
struct Seen {
    krn: u8,
    base_date: u16,
    firmware: usize,
}

/// Gathers what a replay says, entry after entry.
#[derive(Debug, Default)]
pub struct Report {
    title: String,
    inputs: Vec<Input>,
    totals: Totals,
    results: BTreeMap<&'static str, u64>,
    findings: BTreeMap<&'static str, Finding>,
    bases: BTreeMap<&'static str, u64>,
    classes: [u64; 5],
    /// Judged and refused by day since 1970.
    days: BTreeMap<i64, (u64, u64)>,
    changes: BTreeMap<(i64, Change), u64>,
    /// When vending first used a key revision.
    vended: BTreeMap<(String, u8), i64>,
    /// Refusals by the meter's key revision and the one that the token was made under.
    revisions: BTreeMap<(u8, Option<u8>), u64>,
    seen: HashMap<usize, Seen>,
    work: HashMap<usize, Work>,
}

impl Report {
    /// An empty report under a title.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Names an input and its SHA-256.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn input(&mut self, path: &Path) -> io::Result<()> {
        let mut hash = Sha256::new();
        let mut file = std::fs::File::open(path)?;
        let mut block = vec![0; 1 << 16];
        loop {
            let read = io::Read::read(&mut file, &mut block)?;
            if read == 0 {
                break;
            }
            hash.update(&block[..read]);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.inputs.push(Input { name, sha256: hex::encode(hash.finalize()) });
        Ok(())
    }

    /// Counts one more entry.
    pub fn add(&mut self, entry: &EntryRow, step: &Step) {
        let verdict = &step.verdict;
        self.totals.add(verdict);
        let day = entry.entered_at.as_second().div_euclid(86_400);
        self.note_changes(day, step);
        if verdict.error.is_some() || verdict.event.is_some() {
            return;
        }
        if let (Some(krn), Some(sgc)) = (entry.krn, entry.sgc) {
            let sold = entry.sold_at.map_or(day, |at| at.as_second().div_euclid(86_400));
            let key = (sgc.to_string(), krn.get());
            if self.vended.len() < KINDS || self.vended.contains_key(&key) {
                let first = self.vended.entry(key).or_insert(sold);
                *first = sold.min(*first);
            }
        }
        *self.results.entry(verdict.result.unwrap_or("not known")).or_default() += 1;
        if let Some(basis) = verdict.display_basis {
            *self.bases.entry(basis).or_default() += 1;
        }
        let of_day = self.days.entry(day).or_default();
        of_day.0 += 1;
        if verdict.is_accepted() || verdict.result == Some("KeyMissing") {
            return;
        }
        of_day.1 += 1;
        let class = match verdict.confidence {
            Some(sure) if sure >= 0.99 => 0,
            Some(sure) if sure >= 0.9 => 1,
            Some(sure) if sure >= 0.5 => 2,
            Some(_) => 3,
            None => 4,
        };
        self.classes[class] += 1;
        if let Some(before) = &step.before {
            let made = verdict.causes.first().and_then(|cause| cause.detail.get("krn"));
            let made = made.and_then(serde_json::Value::as_u64);
            let made = made.and_then(|krn| u8::try_from(krn).ok());
            *self.revisions.entry((before.attributes.krn.get(), made)).or_default() += 1;
        }
        let sure = verdict.confidence.unwrap_or_default();
        if let Some(cause) = verdict.cause {
            let finding = self.findings.entry(cause).or_default();
            finding.count += 1;
            finding.weight += sure;
            if finding.ids.len() < IDS {
                finding.ids.push(verdict.id.clone());
            }
        }
        let Some(place) = step.meter else { return };
        let pseudonym = self.work.len() + 1;
        let work = self.work.entry(place).or_insert_with(|| Work {
            pseudonym,
            drn: entry.pan.drn().to_string(),
            count: 0,
            best: None,
            ids: Vec::new(),
        });
        work.count += 1;
        if work.ids.len() < IDS {
            work.ids.push(verdict.id.clone());
        }
        if let (Some(cause), Some(action), Some(advice)) =
            (verdict.cause, verdict.action, verdict.advice)
            && work.best.is_none_or(|best| sure > best.3)
        {
            work.best = Some((cause, action, advice, sure));
        }
    }

    fn note_changes(&mut self, day: i64, step: &Step) {
        let (Some(place), Some(before)) = (step.meter, &step.before) else { return };
        let now = Seen {
            krn: before.attributes.krn.get(),
            base_date: before.base_date.year(),
            firmware: before.firmware,
        };
        let Some(last) = self.seen.insert(place, now) else { return };
        for (change, differs) in [
            (Change::Krn, last.krn != now.krn),
            (Change::BaseDate, last.base_date != now.base_date),
            (Change::Firmware, last.firmware != now.firmware),
        ] {
            if differs {
                *self.changes.entry((day, change)).or_default() += 1;
            }
        }
    }

    /// The page: HTML that is XML as well, without scripts and without requests.
    #[must_use]
    pub fn page(&self) -> String {
        page::page(self)
    }

    /// The list of work: CSV, one row for each meter that refused something. Confidential.
    #[must_use]
    pub fn work_list(&self) -> String {
        work_list::csv(self)
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn write_page(&self, path: &Path) -> Result<(), WriteError> {
        std::fs::write(path, self.page()).map_err(|why| WriteError::new(path, why))
    }

    /// Writes the list of work.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn write_work_list(&self, path: &Path) -> Result<(), WriteError> {
        std::fs::write(path, self.work_list()).map_err(|why| WriteError::new(path, why))
    }

    /// Causes, the most frequent first.
    fn ranked(&self) -> Vec<(&'static str, &Finding)> {
        let mut ranked: Vec<_> = self.findings.iter().map(|(name, found)| (*name, found)).collect();
        ranked.sort_by_key(|(name, found)| (std::cmp::Reverse(found.count), *name));
        ranked
    }

    fn sgcs(&self) -> BTreeSet<&str> {
        self.vended.keys().map(|(sgc, _)| sgc.as_str()).collect()
    }
}

/// A day since 1970 as a date.
fn date(day: i64) -> String {
    let at = Timestamp::from_second(day.saturating_mul(86_400));
    at.map_or_else(|_| "-".into(), |at| at.to_string().chars().take(10).collect())
}

#[cfg(test)]
mod tests;
