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

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use sts_core::key::EncryptionAlgorithm;
    use sts_core::{BaseDate, TariffIndex, Token, TokenId};

    use super::*;
    use crate::case::Case;
    use crate::fixture::{case, credit};

    fn made(key: usize) -> MadeUnder {
        MadeUnder { key, ti: TariffIndex::new(7).unwrap(), ea: EncryptionAlgorithm::Sta }
    }

    /// That the first meter holds a key, even odds.
    fn suspicion(case: &Case, key: usize) -> Suspicion {
        Suspicion::new(&case.fleet.meters[0], &made(key), 1.0, "e7", &case.keys).unwrap()
    }

    #[test]
    fn suspected_meter_is_the_record_but_for_its_key() {
        let mut case = case();
        let mut row = case.fleet.meters[0].row.clone();
        row.tid_floor = TokenId::new(1_000).unwrap();
        case.fleet.meters[0] = case.meter(row).unwrap();
        // Taken by the recorded meter, and not by the suspected one.
        case.fleet.meters[0].meter.remember(TokenId::new(2_000).unwrap());
        let of = |key| suspicion(&case, key).meter;
        let other = of(2);
        let own = other.meter.attributes();
        assert_eq!((own.sgc.get(), own.krn.get(), own.ti.get()), (600_999, 1, 7));
        assert_eq!((other.row.tid_floor.get(), other.row.tids.len()), (1_000, 0));
        let later = of(1);
        assert_eq!((later.base_date, later.meter.attributes().krn.get()), (BaseDate::Y2014, 2));
        assert_eq!(later.row.tid_floor, TokenId::MIN, "under another base date");
        let misty1 = MadeUnder { ea: EncryptionAlgorithm::Misty1, ..made(0) };
        let (meter, ring) = (&case.fleet.meters[0], &case.keys);
        assert!(Suspicion::new(meter, &misty1, 1.0, "e7", ring).is_none(), "no such key");
    }

    /// Enters a token made for the suspected key at both meters, and tells the odds that come of it.
    fn odds_after(displayed: impl Fn(&str) -> Option<String>) -> f64 {
        let mut case = case();
        let mut suspicion = suspicion(&case, 1);
        let token = Token::seal(&credit(), suspicion.meter.meter.key()).to_string();
        let mut enter = |displayed: Option<&str>| {
            let keyed = Keyed { entered: &token, at: 1_700_000_000, id: "e8", displayed };
            let recorded =
                case.fleet.meters[0].enter(keyed.entered, keyed.at, keyed.id, &case.keys);
            let before = suspicion.clone().meter.enter(&token, keyed.at, keyed.id, &case.keys);
            let shown = |answer: &Answer| answer.shown.as_ref().unwrap().text.clone();
            (shown(&before), shown(&recorded), suspicion.enter(keyed, &recorded, 0.97, &case.keys))
        };
        let (suspected, recorded, _) = enter(None);
        assert_ne!(suspected, recorded);
        let displayed = displayed(&recorded);
        let (suspected, recorded, shade) = enter(displayed.as_deref());
        assert_ne!(suspected, recorded);
        assert!((shade.probability - suspicion.odds / (1.0 + suspicion.odds)).abs() < 1e-12);
        assert_eq!(shade.meter.meter.attributes().krn.get(), 2);
        suspicion.odds
    }

    #[test]
    fn displays_decide_between_record_and_suspicion() {
        let close = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-9 * expected, "{found}, not {expected}");
        };
        let wrongly = 0.03 / 2.0;
        close(odds_after(|recorded| Some(format!(" {recorded} "))), wrongly / 0.97);
        close(odds_after(|_| Some("what neither shows".into())), 1.0);
        // The second time it is a token that the suspected meter has taken.
        close(odds_after(|_| None), 0.15);
    }

    #[test]
    fn odds_stay_where_displays_can_turn_them() {
        let case = case();
        let suspected = || suspicion(&case, 1);
        let token = Token::seal(&credit(), suspected().meter.meter.key()).to_string();
        let answers = |displayed_by_record: bool| {
            let mut suspicion = suspected();
            let mut record = case.fleet.meters[0].clone();
            for _ in 0..20 {
                let recorded = record.enter(&token, 1_700_000_000, "e8", &case.keys);
                let mut other = suspicion.meter.clone();
                let other = other.enter(&token, 1_700_000_000, "e8", &case.keys);
                let shown = if displayed_by_record { &recorded } else { &other };
                let displayed = shown.shown.as_ref().map(|shown| shown.text.clone());
                let displayed = displayed.as_deref();
                let keyed = Keyed { entered: &token, at: 1_700_000_000, id: "e8", displayed };
                suspicion.enter(keyed, &recorded, 0.97, &case.keys);
            }
            suspicion
        };
        let (refuted, believed) = (answers(true), answers(false));
        assert_eq!((refuted.odds, believed.odds), (1e-6, 1e4));
        assert!(refuted.is_refuted() && !refuted.is_believed());
        assert!(believed.is_believed() && !believed.is_refuted());
        assert!(refuted.is_less_probable_than(&believed));
        assert!(!believed.is_less_probable_than(&refuted));
        assert!(!believed.is_less_probable_than(&believed.clone()));
        let even = suspected();
        assert!(!even.is_believed() && !even.is_refuted());
        let least = Suspicion { odds: REFUTED, ..suspected() };
        assert!(!least.is_refuted(), "at the limit it is kept");
    }

    fn ranked(cause: Cause, probability: f64) -> Ranked {
        let (detail, evidence) = (Map::new(), vec!["seen".to_owned()]);
        Ranked { cause, probability, detail, evidence, made: None }
    }

    fn found(causes: &[(Cause, f64)], trials: u32, searched: bool) -> Diagnosis {
        let causes = causes.iter().map(|(cause, probability)| ranked(*cause, *probability));
        Diagnosis { causes: causes.collect(), trials, searched }
    }

    /// A suspicion of this probability, as an entry sees it.
    fn shade(probability: f64) -> Shade {
        let case = case();
        let mut suspicion = suspicion(&case, 1);
        let mut record = case.fleet.meters[0].clone();
        let keyed = Keyed { entered: "1", at: 1_700_000_000, id: "e8", displayed: None };
        let recorded = record.enter(keyed.entered, keyed.at, keyed.id, &case.keys);
        Shade { probability, ..suspicion.enter(keyed, &recorded, 0.97, &case.keys) }
    }

    fn told(diagnosis: Option<Diagnosis>) -> Vec<(Cause, f64, usize)> {
        let causes = diagnosis.map(|found| found.causes).unwrap_or_default();
        let told =
            |it: &Ranked| (it.cause, (it.probability * 1e6).round() / 1e6, it.evidence.len());
        causes.iter().map(told).collect()
    }

    #[test]
    fn causes_under_both_add_up_by_how_probable_each_is() {
        let (ahead, digit, swap) = (Cause::KrnAhead, Cause::TypedDigit, Cause::TypedSwap);
        let recorded = found(&[(digit, 0.9), (ahead, 0.0996), (swap, 0.0004)], 3, true);
        let suspected = found(&[(ahead, 0.6), (digit, 0.4)], 4, false);
        let mixed = shade(0.25).mix(Some(recorded.clone()), Some(suspected.clone())).unwrap();
        assert_eq!((mixed.trials, mixed.searched), (7, true));
        // Of each cause the words of the likelier; what is found under the suspicion says so.
        assert_eq!(told(Some(mixed)), [(digit, 0.775, 1), (ahead, 0.2247, 2)]);
        let mixed = shade(0.6).mix(Some(recorded.clone()), Some(suspected)).unwrap();
        assert_eq!(told(Some(mixed)), [(digit, 0.6, 1), (ahead, 0.39984, 2)]);
        // A meter that takes the token: the record is what is wrong.
        let mixed = shade(0.25).mix(Some(recorded), None).unwrap();
        assert_eq!((mixed.trials, mixed.searched), (3, true));
        let stale = (Cause::RecordStale, 0.25, 1);
        assert_eq!(told(Some(mixed)), [(digit, 0.675, 1), stale, (ahead, 0.0747, 1)]);
        let mixed = shade(0.25).mix(Some(found(&[(digit, 1.0)], 0, false)), None).unwrap();
        assert!(!mixed.searched);
        let suspected = found(&[(ahead, 1.0)], 2, true);
        let mixed = shade(0.25).mix(Some(found(&[(digit, 1.0)], 0, false)), Some(suspected));
        assert!(mixed.unwrap().searched);
    }

    #[test]
    fn display_that_contradicts_the_record_says_it_all() {
        let stale = found(&[(Cause::RecordStale, 1.0)], 0, false);
        let suspected = || Some(found(&[(Cause::KrnAhead, 1.0)], 2, true));
        assert_eq!(told(shade(0.9).mix(Some(stale), suspected())), [(Cause::RecordStale, 1.0, 1)]);
        let searched = found(&[(Cause::RecordStale, 1.0)], 9, true);
        assert_eq!(told(shade(0.9).mix(Some(searched), suspected())).len(), 2);
        let other = found(&[(Cause::KrnAhead, 1.0)], 0, false);
        assert_eq!(told(shade(0.9).mix(Some(other), suspected())), [(Cause::KrnAhead, 1.0, 2)]);
    }

    #[test]
    fn token_that_the_record_takes_has_a_cause_only_under_a_likelier_suspicion() {
        let suspected =
            || Some(found(&[(Cause::KrnAhead, 0.9), (Cause::RecordStale, 0.1)], 2, true));
        assert!(shade(0.5).mix(None, suspected()).is_none());
        assert!(shade(0.9).mix(None, None).is_none());
        let stale = Some(found(&[(Cause::RecordStale, 1.0)], 2, true));
        assert!(shade(0.9).mix(None, stale).is_none());
        let told = told(shade(0.8).mix(None, suspected()));
        assert_eq!(told, [(Cause::KrnAhead, 0.72, 2), (Cause::RecordStale, 0.08, 1)]);
    }

    #[test]
    fn suspicion_says_since_when_and_what() {
        assert_eq!(
            shade(0.5).holds(),
            "since entry e7 the meter seems to hold KRN 2 of SGC 600457, TI 07, base date 2014, \
             not what its record says"
        );
        assert!(shade(0.021).matters() && !shade(0.02).matters());
    }
}
