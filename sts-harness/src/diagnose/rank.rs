//! From weights to probabilities.

use serde_json::{Map, Value, json};

use super::model::Likelihood;
use super::{CHANCE, Diagnosis, MadeUnder, Ranked};
use crate::cause::Cause;

/// A candidate that passed the check.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) cause: Cause,
    /// The probability of this very candidate within its cause, before anything is known, times
    /// the likelihood of what is known against that of noise; without the check itself.
    pub(super) weight: f64,
    pub(super) detail: Map<String, Value>,
    pub(super) evidence: Vec<String>,
    /// Whether the time of sale or the quantity speaks for it.
    pub(super) supported: bool,
    /// The configuration it was found in.
    pub(super) made: Option<MadeUnder>,
}

impl Match {
    /// Its weight beside that of an entry that nothing explains.
    pub(super) fn odds(&self, likelihood: Likelihood<'_>) -> f64 {
        self.weight * likelihood.cause(self.cause) / CHANCE
    }
}

/// All matches of a search, and how many candidates there were.
#[derive(Debug)]
pub(super) struct Ranking<'a> {
    pub(super) likelihood: Likelihood<'a>,
    pub(super) found: Vec<Match>,
    pub(super) trials: u64,
    /// How well it explains the rest that nothing was found: 1 unless the display contradicts.
    pub(super) otherwise: f64,
    /// What was left out, in words, where the search was stopped.
    pub(super) stopped: Option<String>,
}

/// The share of stale records under which the meter's true key is not held.
const UNHELD: f64 = 0.1;
/// Nothing that rests on a 16-bit check is certain.
const SUREST: f64 = 0.9999;
/// What is less probable is not told.
const LEAST: f64 = 0.0005;
/// Readings of one cause that are told where none stands out.
const MOST_READINGS: usize = 5;
/// How probable a repair must be to be offered as the right token.
const REPAIRED: f64 = 0.9;

impl Ranking<'_> {
    /// The meter showed that it took the token: either it holds the key that explains the token
    /// and the record is wrong, or the display was noted wrongly.
    pub(super) fn with_stale_record(mut self) -> Self {
        let displayed = self.likelihood.model.records.displayed;
        let mut of_record = Vec::new();
        for found in &mut self.found {
            if is_of_configuration(found.cause) {
                let mut same = found.clone();
                same.cause = Cause::RecordStale;
                same.weight *= displayed;
                same.evidence.push("the display says that the meter took it".into());
                of_record.push(same);
            }
            found.weight *= 1.0 - displayed;
        }
        self.found.extend(of_record);
        // Under a key that nobody holds: then nothing was to be found.
        self.found.push(Match {
            cause: Cause::RecordStale,
            weight: displayed * UNHELD * CHANCE,
            detail: Map::new(),
            evidence: vec!["the display says that the meter took it, under a key not held".into()],
            supported: false,
            made: None,
        });
        self.otherwise *= 1.0 - displayed;
        self
    }

    /// The causes ranked, against the one that holds if nothing was found.
    pub(super) fn or(self, otherwise: Cause, evidence: &str) -> Diagnosis {
        let otherwise_weight = self.otherwise * self.likelihood.cause(otherwise);
        let trials = u32::try_from(self.trials).unwrap_or(u32::MAX);
        let mut weighed: Vec<(f64, Match)> =
            self.found.into_iter().map(|found| (found.odds(self.likelihood), found)).collect();
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
        let total = otherwise_weight + weighed.iter().map(|(weight, _)| weight).sum::<f64>();
        let mut causes: Vec<(Ranked, Vec<(f64, Match)>)> = Vec::new();
        for (weight, found) in weighed {
            let probability = weight / total;
            match causes.iter_mut().find(|(ranked, _)| ranked.cause == found.cause) {
                Some((ranked, readings)) => {
                    ranked.probability += probability;
                    readings.push((probability, found));
                }
                None => {
                    let (detail, evidence) = (found.detail.clone(), found.evidence.clone());
                    let (cause, made) = (found.cause, found.made);
                    let ranked = Ranked { cause, probability, detail, evidence, made };
                    causes.push((ranked, vec![(probability, found)]));
                }
            }
        }
        let nothing_found = causes.is_empty();
        let mut ranked: Vec<Ranked> = causes
            .into_iter()
            .map(
                |(ranked, readings)| {
                    if ranked.cause.is_slip() { repaired(ranked, &readings) } else { ranked }
                },
            )
            .collect();
        let mut reasons: Vec<String> =
            if evidence.is_empty() { Vec::new() } else { vec![evidence.to_owned()] };
        if nothing_found && trials > 0 {
            reasons.push(format!("{trials} candidates tried, none authenticates"));
        }
        let probability = otherwise_weight / total;
        match ranked.iter_mut().find(|ranked| ranked.cause == otherwise) {
            Some(same) => same.probability += probability,
            None => ranked.push(Ranked {
                cause: otherwise,
                probability,
                detail: Map::new(),
                evidence: reasons,
                made: None,
            }),
        }
        ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        ranked[0].evidence.extend(self.stopped);
        if ranked.len() > 1 {
            ranked.retain(|ranked| ranked.probability >= LEAST);
        }
        if !nothing_found {
            for ranked in &mut ranked {
                ranked.probability = ranked.probability.min(SUREST);
            }
        }
        Diagnosis { causes: ranked, trials, searched: true }
    }
}

/// A slip is repaired only where the evidence supports it; else its readings are told with their
/// odds.
fn repaired(mut ranked: Ranked, readings: &[(f64, Match)]) -> Ranked {
    let Some((probability, first)) = readings.first() else { return ranked };
    if first.supported && *probability >= REPAIRED {
        return ranked;
    }
    let told = |name: &str, found: &Match| found.detail.get(name).cloned().unwrap_or(Value::Null);
    let readings: Vec<Value> = readings
        .iter()
        .take(MOST_READINGS)
        .map(|(probability, found)| {
            json!({
                "position": told("position", found),
                "token": told("token", found),
                "says": told("says", found),
                "probability": (probability * 1e4).round() / 1e4,
            })
        })
        .collect();
    ranked.detail = Map::new();
    ranked.detail.insert("readings".into(), Value::Array(readings));
    if !first.supported {
        ranked.evidence.push("neither time of sale nor quantity speaks for it".into());
    }
    ranked
}

/// Whether a cause says that the token was made for other settings of this meter.
const fn is_of_configuration(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::KrnAhead
            | Cause::KrnBehind
            | Cause::KctIncomplete
            | Cause::TiMismatch
            | Cause::SgcMismatch
            | Cause::KtMismatch
            | Cause::EaMismatch
            | Cause::BdtMismatch
            | Cause::ConfigSeveral
    )
}

#[cfg(test)]
mod tests {
    use super::super::model::{Experience, Model};
    use super::*;

    fn matched(cause: Cause, weight: f64) -> Match {
        Match {
            cause,
            weight,
            detail: Map::new(),
            evidence: Vec::new(),
            supported: true,
            made: None,
        }
    }

    /// A ranking of these causes by weight, under beliefs alone.
    fn ranking<T>(found: &[(Cause, f64)], then: impl FnOnce(Ranking<'_>) -> T) -> T {
        let (model, experience) = (Model::default(), Experience::default());
        let likelihood = Likelihood { model: &model, experience: &experience };
        let found = found.iter().map(|(cause, weight)| matched(*cause, *weight)).collect();
        then(Ranking { likelihood, found, trials: 7, otherwise: 1.0, stopped: None })
    }

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs()
    }

    #[test]
    fn display_that_says_accepted_shares_each_weight_between_record_and_note() {
        let displayed = Model::default().records.displayed;
        let noted_wrongly = 1.0 - displayed;
        assert!(noted_wrongly > 0.0 && noted_wrongly < 0.1);
        let weights = [(Cause::KrnAhead, 3.0), (Cause::TypedDigit, 5.0)];
        ranking(&weights, |ranking| {
            let told = ranking.with_stale_record();
            let found: Vec<_> = told.found.iter().map(|it| (it.cause, it.weight)).collect();
            let expected = [
                (Cause::KrnAhead, 3.0 * noted_wrongly),
                (Cause::TypedDigit, 5.0 * noted_wrongly),
                // The key that explains it is the meter's, or nobody's here.
                (Cause::RecordStale, 3.0 * displayed),
                (Cause::RecordStale, displayed * 0.1 / 65_536.0),
            ];
            assert_eq!(found.len(), expected.len());
            for ((cause, weight), (of, expected)) in found.into_iter().zip(expected) {
                assert!(cause == of && close(weight, expected), "{cause:?}: {weight}, {expected}");
            }
            assert!(close(told.otherwise, noted_wrongly));
        });
    }

    #[test]
    fn probabilities_are_shares_of_all_odds() {
        let weights =
            [(Cause::TiMismatch, 4e-5), (Cause::KrnAhead, 2e-5), (Cause::TiMismatch, 1e-5)];
        ranking(&weights, |ranking| {
            let likelihood = ranking.likelihood;
            let odds = |cause, weight: f64| weight * 65_536.0 * likelihood.cause(cause);
            let ti = odds(Cause::TiMismatch, 5e-5);
            let krn = odds(Cause::KrnAhead, 2e-5);
            let unknown = likelihood.cause(Cause::Unknown);
            let total = ti + krn + unknown;
            let mut expected = [
                (Cause::TiMismatch, ti / total),
                (Cause::KrnAhead, krn / total),
                (Cause::Unknown, unknown / total),
            ];
            expected.sort_by(|a, b| b.1.total_cmp(&a.1));
            let told = ranking.or(Cause::Unknown, "evidence");
            assert_eq!((told.trials, told.searched), (7, true));
            assert_eq!(told.causes.len(), expected.len());
            for (ranked, (cause, probability)) in told.causes.iter().zip(expected) {
                assert_eq!(ranked.cause, cause);
                assert!(close(ranked.probability, probability), "{ranked:?}: {probability}");
                let evidence: &[&str] = if cause == Cause::Unknown { &["evidence"] } else { &[] };
                assert_eq!(ranked.evidence, evidence);
            }
        });
    }

    #[test]
    fn cause_that_holds_otherwise_is_told_once() {
        let told = ranking(&[(Cause::Unknown, 1e-5)], |ranking| ranking.or(Cause::Unknown, ""));
        assert_eq!(told.causes.len(), 1);
        assert!(close(told.causes[0].probability, SUREST));
        assert!(told.causes[0].evidence.is_empty());
    }

    #[test]
    fn nothing_is_surer_than_a_check_of_16_bits_and_what_is_improbable_is_not_told() {
        let told = ranking(&[(Cause::KrnAhead, 1e6)], |ranking| ranking.or(Cause::Unknown, ""));
        let causes: Vec<_> = told.causes.iter().map(|it| (it.cause, it.probability)).collect();
        assert_eq!(causes, [(Cause::KrnAhead, SUREST)]);
    }

    #[test]
    fn where_nothing_was_found_the_other_cause_is_certain() {
        let said = |trials| {
            ranking(&[], |mut ranking| {
                ranking.trials = trials;
                ranking.stopped = Some("stopped".into());
                let told = ranking.or(Cause::Unknown, "evidence");
                assert_eq!(told.causes.len(), 1);
                assert!(close(told.causes[0].probability, 1.0));
                told.causes[0].evidence.clone()
            })
        };
        assert_eq!(said(0), ["evidence", "stopped"]);
        assert_eq!(said(9), ["evidence", "9 candidates tried, none authenticates", "stopped"]);
    }

    #[test]
    fn slip_is_repaired_where_one_reading_stands_out_and_is_supported() {
        let told = |weights: &[f64], supported: bool| {
            let found: Vec<_> = weights.iter().map(|weight| (Cause::TypedDigit, *weight)).collect();
            ranking(&found, |mut ranking| {
                for (place, found) in ranking.found.iter_mut().enumerate() {
                    found.supported = supported;
                    found.detail.insert("position".into(), json!(place));
                }
                ranking.or(Cause::Unknown, "").causes[0].clone()
            })
        };
        let unsupported = "neither time of sale nor quantity speaks for it";
        let one = told(&[1.0], true);
        assert_eq!((one.detail["position"].clone(), one.evidence.len()), (json!(0), 0));
        let one = told(&[1.0], false);
        assert!(one.evidence == [unsupported] && one.detail["readings"][0]["position"] == 0);
        // 20 to 1 stands out, 8 to 1 does not.
        assert_eq!(told(&[20.0, 1.0], true).detail["position"], 0);
        let several = told(&[8.0, 1.0], true);
        assert!(several.evidence.is_empty());
        let readings = several.detail["readings"].as_array().unwrap();
        let probabilities: Vec<_> = readings.iter().map(|it| it["probability"].as_f64()).collect();
        assert_eq!(probabilities, [Some(0.8889), Some(0.1111)]);
        // No more than five are told.
        assert_eq!(
            told(&[1.0; 9], true).detail["readings"].as_array().unwrap().len(),
            MOST_READINGS
        );
    }
}
