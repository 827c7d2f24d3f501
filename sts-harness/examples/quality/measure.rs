//! A replay against the truth.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use sts_harness::case::{Case, Overrides};
use sts_harness::keys::Locked;
use sts_harness::replay::Replay;

/// Causes that follow from no result alone: what is measured here.
const SEARCHED: [&str; 18] = [
    "format.spreadsheet",
    "typed.digit",
    "typed.swap",
    "typed.group",
    "typed.length",
    "length.other",
    "format.out_of_range",
    "other_meter",
    "sgc.mismatch",
    "kt.mismatch",
    "kct.incomplete",
    "krn.ahead",
    "krn.behind",
    "bdt.mismatch",
    "ea.mismatch",
    "ti.mismatch",
    "config.several",
    "unknown",
];

/// Which of time of sale and quantity an entry tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Evidence {
    Both,
    One,
    Neither,
}

/// One refusal: what was said, and what is true.
#[derive(Debug)]
struct Row {
    evidence: Evidence,
    truth: String,
    said: String,
    /// `None` where no cause is told: the meter takes the entry by its record.
    confidence: Option<f64>,
    chance: f64,
}

/// What was measured of one case.
#[derive(Debug)]
pub(crate) struct Quality {
    rows: Vec<Row>,
    /// Wrong answers in words, the surest first.
    pub(crate) mistakes: Vec<String>,
}

/// Bins of the stated probability.
const BINS: usize = 20;

/// Stated and observed, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bin {
    pub(crate) stated: f64,
    pub(crate) observed: f64,
    pub(crate) rows: usize,
}

impl Quality {
    pub(crate) fn measure(folder: &Path) -> Result<Self, String> {
        let truths = read_truth(&folder.join("truth.ndjson"))?;
        let case = Case::load(folder, Overrides::default(), &mut Locked)
            .map_err(|error| error.to_string())?;
        let mut replay = Replay::new(&case);
        let mut rows = Vec::new();
        let mut mistakes = Vec::new();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let steps = replay.steps(&case.entries, threads);
        for (entry, step) in case.entries.iter().zip(steps) {
            let verdict = step.verdict;
            let Some(truth) = truths.get(&entry.id) else { continue };
            let Some(cause) = truth["cause"].as_str() else { continue };
            if !SEARCHED.contains(&cause) {
                continue;
            }
            let evidence = match (entry.sold_at.is_some(), entry.quantity.is_some()) {
                (true, true) => Evidence::Both,
                (false, false) => Evidence::Neither,
                _ => Evidence::One,
            };
            let said = verdict.cause.unwrap_or("(accepted)").to_owned();
            let confidence = verdict.confidence;
            if said != cause {
                let confidence = confidence.unwrap_or(0.0);
                let first = serde_json::to_string(&verdict.causes).unwrap_or_default();
                mistakes.push((
                    confidence,
                    format!(
                        "{confidence:.4} said {said} true {cause} {evidence:?} entry {} {} | truth {truth} | {first} {:?}",
                        entry.id,
                        verdict.result.unwrap_or("-"),
                        verdict.evidence,
                    ),
                ));
            }
            let chance = verdict.expected_chance_matches;
            rows.push(Row { evidence, truth: cause.to_owned(), said, confidence, chance });
        }
        mistakes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mistakes = mistakes.into_iter().map(|(_, text)| text).collect();
        Ok(Self { rows, mistakes })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The share whose first-ranked cause is right, and of how many.
    pub(crate) fn first_right(&self, evidence: Evidence) -> (f64, usize) {
        let of: Vec<&Row> = self.rows.iter().filter(|row| row.evidence == evidence).collect();
        let right = of.iter().filter(|row| row.said == row.truth).count();
        (share(right, of.len()), of.len())
    }

    /// Of the claims of at least 99 %, how many are wrong.
    pub(crate) fn sure_and_wrong(&self) -> (usize, usize) {
        let sure: Vec<&Row> = self.rows.iter().filter(|row| row.confidence >= Some(0.99)).collect();
        (sure.iter().filter(|row| row.said != row.truth).count(), sure.len())
    }

    /// Refusals that the meters take by their records, where no display or entry says otherwise.
    pub(crate) fn taken(&self) -> usize {
        self.rows.iter().filter(|row| row.confidence.is_none()).count()
    }

    pub(crate) fn bins(&self) -> [Bin; BINS] {
        let mut bins = [Bin::default(); BINS];
        for row in &self.rows {
            let Some(confidence) = row.confidence else { continue };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 20")]
            let at = ((confidence * BINS as f64) as usize).min(BINS - 1);
            bins[at].stated += confidence;
            bins[at].observed += f64::from(u8::from(row.said == row.truth));
            bins[at].rows += 1;
        }
        for bin in &mut bins {
            bin.stated /= bin.rows.max(1) as f64;
            bin.observed /= bin.rows.max(1) as f64;
        }
        bins
    }

    pub(crate) fn calibration_error(&self) -> f64 {
        let apart = self
            .bins()
            .map(|bin| bin.rows as f64 * (bin.stated - bin.observed).abs())
            .iter()
            .sum::<f64>();
        apart / (self.rows.len() - self.taken()).max(1) as f64
    }

    /// How many candidates are expected to pass the check by chance, on average.
    pub(crate) fn chance_matches(&self) -> f64 {
        self.rows.iter().map(|row| row.chance).sum::<f64>() / self.rows.len().max(1) as f64
    }

    pub(crate) fn confusion(&self) -> (Vec<String>, BTreeMap<(String, String), usize>) {
        let mut counts = BTreeMap::new();
        let mut causes = BTreeSet::new();
        for row in &self.rows {
            *counts.entry((row.truth.clone(), row.said.clone())).or_insert(0) += 1;
            causes.extend([row.truth.clone(), row.said.clone()]);
        }
        (causes.into_iter().collect(), counts)
    }
}

fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

fn read_truth(path: &Path) -> Result<HashMap<String, serde_json::Value>, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.lines()
        .map(|line| {
            let truth: serde_json::Value = serde_json::from_str(line)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let id = truth["id"].as_str().unwrap_or_default().to_owned();
            Ok((id, truth))
        })
        .collect()
}
