//! Meters that may not be what their records say.
//!
//! A record may be stale: the meter holds another key than meters.csv has. Once an entry points to
//! one, the meter is followed twice, as recorded and as suspected. What displays showed decides
//! between the two, and causes are found under both.

use sts_core::Rejection;

use crate::cause::Cause;
use crate::diagnose::{Diagnosis, MadeUnder, Ranked};
use crate::fleet::{Answer, TrackedMeter};
use crate::keys::KeyRing;
use crate::records::MeterRow;

/// A meter as its record would have to read.
#[derive(Clone, Debug)]
pub(crate) struct Suspicion {
    meter: TrackedMeter,
    /// How probable it is, beside the record.
    odds: f64,
    /// The entry that raised it.
    since: String,
}

/// How a suspected meter answers an entry.
#[derive(Clone, Debug)]
pub(crate) struct Shade {
    pub(crate) meter: TrackedMeter,
    pub(crate) answer: Answer,
    /// How probable it is that this meter is the true one.
    pub(crate) probability: f64,
    since: String,
}

/// An entry as both meters are told it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyed<'a> {
    pub(crate) entered: &'a str,
    /// Seconds since 1970.
    pub(crate) at: u64,
    pub(crate) id: &'a str,
    pub(crate) displayed: Option<&'a str>,
}

impl Suspicion {
    /// That `meter` holds the key which a token was made under.
    pub(crate) fn new(
        meter: &TrackedMeter,
        made: &MadeUnder,
        odds: f64,
        since: &str,
        ring: &KeyRing,
    ) -> Option<Self> {
        let entry = &ring.vending[made.key];
        let mut row = MeterRow {
            sgc: entry.sgc,
            krn: entry.krn,
            kt: entry.kt,
            ken: entry.ken,
            base_date: entry.base_date,
            ti: made.ti,
            ea: made.ea,
            ..meter.current_row()
        };
        // What it has taken meanwhile, by its record, it has not taken.
        (row.tid_floor, row.tids) = (meter.row.tid_floor, meter.row.tids.clone());
        if entry.base_date != meter.row.base_date {
            (row.tid_floor, row.tids) = (sts_core::TokenId::MIN, Vec::new());
        }
        let meter = TrackedMeter::new(row, meter.family, ring).ok().filter(|it| it.has_key)?;
        Some(Self { meter, odds, since: since.to_owned() })
    }

    /// Enters a token at the suspected meter; `recorded` is the answer of the recorded one.
    pub(crate) fn enter(
        &mut self,
        keyed: Keyed<'_>,
        recorded: &Answer,
        noted_rightly: f64,
        ring: &KeyRing,
    ) -> Shade {
        let answer = self.meter.enter(keyed.entered, keyed.at, keyed.id, ring);
        if let Some(displayed) = keyed.displayed {
            let shows = |answer: &Answer| {
                let shown = answer.shown.as_ref().map(|shown| shown.text.as_str());
                if shown == Some(displayed.trim()) {
                    noted_rightly
                } else {
                    (1.0 - noted_rightly) / OTHER_DISPLAYS
                }
            };
            self.odds *= shows(&answer) / shows(recorded);
        } else {
            let taken = |answer: &Answer| matches!(answer.rejection, Some(Rejection::Used { .. }));
            if taken(&answer) && !taken(recorded) {
                self.odds *= ENTERED_AGAIN;
            }
        }
        self.odds = self.odds.clamp(LEAST, MOST);
        Shade {
            meter: self.meter.clone(),
            answer,
            probability: self.odds / (1.0 + self.odds),
            since: self.since.clone(),
        }
    }

    /// Whether it is the less probable of the two.
    pub(crate) const fn is_less_probable_than(&self, other: &Self) -> bool {
        self.odds < other.odds
    }

    /// Whether it has been refuted.
    pub(crate) const fn is_refuted(&self) -> bool {
        self.odds < REFUTED
    }

    /// Whether it is more probable than the record.
    pub(crate) const fn is_believed(&self) -> bool {
        self.odds > 1.0
    }
}

/// What else a display may show, where it was noted wrongly: few texts are common.
const OTHER_DISPLAYS: f64 = 2.0;
/// How much rarer a token is entered again that was taken than one that was refused.
const ENTERED_AGAIN: f64 = 0.15;
/// Displays can be noted wrongly again and again.
const LEAST: f64 = 1e-6;
const MOST: f64 = 1e4;
const REFUTED: f64 = 1e-4;

impl Shade {
    /// Whether it is worth a second search.
    pub(crate) const fn matters(&self) -> bool {
        self.probability > 0.02
    }

    /// What is found under the record and under the suspicion, each by its probability.
    pub(crate) fn mix(
        &self,
        recorded: Option<Diagnosis>,
        suspected: Option<Diagnosis>,
    ) -> Option<Diagnosis> {
        let contradicted = |found: &Option<Diagnosis>| {
            found
                .as_ref()
                .is_some_and(|found| !found.searched && found.first().cause == Cause::RecordStale)
        };
        // The display tells that the record is wrong: that says it all.
        if contradicted(&recorded) {
            return recorded;
        }
        let p = self.probability;
        let holds = self.holds();
        let suspected = suspected.unwrap_or_else(|| {
            let evidence = format!("{holds}; that meter takes the token");
            Diagnosis::certain(Cause::RecordStale, evidence)
        });
        let trials = suspected.trials + recorded.as_ref().map_or(0, |found| found.trials);
        let searched = suspected.searched || recorded.as_ref().is_some_and(|it| it.searched);
        let mut causes: Vec<Ranked> = suspected.causes;
        for ranked in &mut causes {
            ranked.probability *= p;
            if ranked.cause != Cause::RecordStale {
                ranked.evidence.push(holds.clone());
            }
        }
        // Taken by the record: no cause, unless the suspicion is the likelier.
        if recorded.is_none() && !(p > 0.5 && causes[0].cause != Cause::RecordStale) {
            return None;
        }
        for mut ranked in recorded.map(|found| found.causes).unwrap_or_default() {
            ranked.probability *= 1.0 - p;
            match causes.iter_mut().find(|other| other.cause == ranked.cause) {
                Some(same) if same.probability >= ranked.probability => {
                    same.probability += ranked.probability;
                }
                Some(same) => {
                    ranked.probability += same.probability;
                    *same = ranked;
                }
                None => causes.push(ranked),
            }
        }
        causes.retain(|ranked| ranked.probability >= 0.0005);
        causes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Some(Diagnosis { causes, trials, searched })
    }

    fn holds(&self) -> String {
        let attributes = self.meter.meter.attributes();
        format!(
            "since entry {} the meter seems to hold KRN {} of SGC {}, TI {}, base date {}, not \
             what its record says",
            self.since,
            attributes.krn,
            attributes.sgc,
            attributes.ti,
            self.meter.base_date.year()
        )
    }
}
