//! What is believed before anything is known of an entry, and what a case has taught.
//!
//! The beliefs are data: `diagnosis.toml`, which a user can change.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use sts_core::Payload;

use crate::cause::Cause;
use crate::input::InputError;

/// How many token identifiers there are.
const TIDS: f64 = 16_777_216.0;
const DAY: i64 = 1440;
/// Minutes to either side of a whole hour that count as that hour.
const NEAR_HOUR: i64 = 15;

/// The beliefs of `diagnosis.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Model {
    schema: u8,
    /// Rows of experience that the beliefs are worth.
    worth: f64,
    /// Candidates tried for one refusal before the search stops.
    pub max_candidates: u64,
    causes: BTreeMap<String, f64>,
    pub(super) space: Space,
    pub(super) stale: Stale,
    sale: Sale,
    entry: Entry,
    quantity: Quantity,
    amount: AmountShares,
    pub(super) records: Records,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Space {
    pub(super) other_in_case: f64,
    pub(super) other_slip: f64,
    pub(super) other_form: f64,
    pub(super) other_stale: f64,
    pub(super) slip_fits: f64,
    pub(super) withdrawn: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stale {
    pub(super) share: f64,
    same_key: f64,
    doubt: f64,
    hides: f64,
    most_doubt: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sale {
    within: Vec<(i64, f64)>,
    whole_hours: f64,
    anywhere: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    within: Vec<(i64, f64)>,
    after: f64,
    anywhere: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quantity {
    exact: f64,
    tenth: f64,
    whole: f64,
    fifth: f64,
    other: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountShares {
    common: f64,
    large: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Records {
    pub(super) believed: f64,
    pub(super) displayed: f64,
}

impl Default for Model {
    /// The beliefs that come with this crate.
    fn default() -> Self {
        let built_in = Self::parse("diagnosis.toml", include_str!("../../diagnosis.toml"));
        built_in.unwrap_or_else(|problem| unreachable!("the built-in model is sound: {problem}"))
    }
}

impl Model {
    /// Reads beliefs from a file.
    ///
    /// # Errors
    ///
    /// [`InputError`]: unreadable, not in the form of `diagnosis.toml`, or shares that are no shares.
    pub fn load(path: &Path) -> Result<Self, InputError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| InputError::unreadable(&name, &error.to_string()))?;
        Self::parse(&name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, InputError> {
        let model: Self =
            toml::from_str(text).map_err(|error| InputError::toml(name, text, &error))?;
        model.check().map_err(|problem| InputError::other(name, &problem))?;
        Ok(model)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != 1 {
            return Err(format!("schema {}, expected 1", self.schema));
        }
        for (name, share) in &self.causes {
            if !Cause::ALL.iter().any(|cause| cause.name() == name) {
                return Err(format!("[causes] {name:?} is no cause"));
            }
            if !share.is_finite() || *share <= 0.0 {
                return Err(format!("[causes] {name:?} is {share}, expected more than 0"));
            }
        }
        if !self.causes.contains_key(Cause::Unknown.name()) {
            return Err("[causes] has no \"unknown\"".into());
        }
        let whole = |table: &str, shares: &[f64]| {
            let sum: f64 = shares.iter().sum();
            let sound = shares.iter().all(|share| *share >= 0.0) && (sum - 1.0).abs() < 0.001;
            if sound {
                Ok(())
            } else {
                Err(format!("[{table}] the shares add up to {sum:.3}, expected 1"))
            }
        };
        let rings = |table: &str, rings: &[(i64, f64)]| {
            let rising = rings.windows(2).all(|pair| pair[0].0 < pair[1].0);
            if rising && rings.iter().all(|ring| ring.0 > 0) {
                Ok(())
            } else {
                Err(format!("[{table}] within: expected rising minutes above 0"))
            }
        };
        rings("sale", &self.sale.within)?;
        rings("entry", &self.entry.within)?;
        let shares = |rings: &[(i64, f64)], others: &[f64]| -> Vec<f64> {
            rings.iter().map(|ring| ring.1).chain(others.iter().copied()).collect()
        };
        let Sale { within, whole_hours, anywhere } = &self.sale;
        whole("sale", &shares(within, &[*whole_hours, *anywhere]))?;
        let Entry { within, after, anywhere } = &self.entry;
        whole("entry", &shares(within, &[*after, *anywhere]))?;
        let Quantity { exact, tenth, whole: unit, fifth, other } = self.quantity;
        whole("quantity", &[exact, tenth, unit, fifth, other])?;
        let AmountShares { common, large } = self.amount;
        whole("amount", &[common, large, (1.0 - common - large).max(0.0)])?;
        let Space { other_in_case, other_slip, other_form, other_stale, .. } = self.space;
        whole("space", &[other_in_case, other_slip, other_form, other_stale])?;
        let shares = [
            ("space", "slip_fits", self.space.slip_fits),
            ("space", "withdrawn", self.space.withdrawn),
            ("stale", "share", self.stale.share),
            ("stale", "same_key", self.stale.same_key),
            ("stale", "doubt", self.stale.doubt),
            ("stale", "hides", self.stale.hides),
            ("stale", "most_doubt", self.stale.most_doubt),
            ("records", "believed", self.records.believed),
            ("records", "displayed", self.records.displayed),
        ];
        for (table, name, share) in shares {
            if !(share > 0.0 && share < 1.0) {
                return Err(format!("[{table}] {name} is {share}, expected between 0 and 1"));
            }
        }
        if self.worth.is_nan() || self.worth < 1.0 {
            return Err(format!("worth is {}, expected at least 1", self.worth));
        }
        Ok(())
    }

    /// How often a display is noted as it was.
    pub(crate) const fn noted_rightly(&self) -> f64 {
        self.records.displayed
    }

    fn share_of(&self, cause: Cause) -> f64 {
        self.causes.get(cause.name()).copied().unwrap_or(0.005)
    }
}

/// The classes of agreement between a token's amount and a receipt's quantity.
const QUANTITY_CLASSES: usize = 5;

/// What the rows of a case have taught so far, beside what is believed anyway.
///
/// Only accepted tokens teach about records: about them there is no doubt. Refusals teach how
/// frequent causes are in this case, each by its probabilities.
#[derive(Clone, Debug)]
pub struct Experience {
    causes: Vec<f64>,
    searched: f64,
    rnd: [f64; 16],
    subclasses: [f64; 16],
    /// Distances between TID and sale, in steps of ten minutes.
    sale: HashMap<i64, f64>,
    sales: f64,
    quantity: [f64; QUANTITY_CLASSES],
    quantities: f64,
    believed_right: f64,
    believed: f64,
    /// Displays that the record of a meter explains, and those that contradict it.
    confirmed: f64,
    contradicted: f64,
}

impl Default for Experience {
    fn default() -> Self {
        Self {
            causes: vec![0.0; Cause::ALL.len()],
            searched: 0.0,
            rnd: [0.0; 16],
            subclasses: [0.0; 16],
            sale: HashMap::new(),
            sales: 0.0,
            quantity: [0.0; QUANTITY_CLASSES],
            quantities: 0.0,
            believed_right: 0.0,
            believed: 0.0,
            confirmed: 0.0,
            contradicted: 0.0,
        }
    }
}

fn step_of(distance: i64) -> i64 {
    distance.div_euclid(10)
}

impl Experience {
    /// Learns how frequent causes are from a refusal that was searched.
    pub(crate) fn learn_causes(&mut self, causes: &[(Cause, f64)]) {
        for (cause, probability) in causes {
            self.causes[*cause as usize] += probability;
        }
        self.searched += 1.0;
    }

    /// Learns whether a display is what the record of its meter says.
    pub(crate) fn learn_record(&mut self, confirmed: bool) {
        let count = if confirmed { &mut self.confirmed } else { &mut self.contradicted };
        *count += 1.0;
    }

    /// Learns from a token that was accepted.
    pub(crate) fn learn_accepted(
        &mut self,
        payload: &Payload,
        from_sale: Option<i64>,
        units: Option<u64>,
        believed: &[bool],
    ) {
        if let Some(distance) = from_sale {
            *self.sale.entry(step_of(distance)).or_default() += 1.0;
            self.sales += 1.0;
        }
        if let Payload::Credit { rnd, amount, .. } = payload {
            self.rnd[usize::from(rnd & 15)] += 1.0;
            if let Some(bought) = units {
                self.quantity[quantity_class(amount.units(), bought)] += 1.0;
                self.quantities += 1.0;
            }
        }
        if let Payload::Credit { .. } | Payload::CurrencyCredit { .. } = payload {
            self.subclasses[usize::from(payload.kind().1 & 15)] += 1.0;
        }
        for right in believed {
            self.believed += 1.0;
            self.believed_right += f64::from(u8::from(*right));
        }
    }
}

/// 0 exact, 1 a tenth off, 2 within a whole unit, 3 within a fifth, 4 other.
fn quantity_class(units: u32, bought: u64) -> usize {
    let apart = u64::from(units).abs_diff(bought);
    let exact = u32::try_from(bought)
        .ok()
        .and_then(|bought| sts_core::Amount::round_up(bought).ok())
        .is_some_and(|rounded| rounded.units() == units);
    match apart {
        _ if exact => 0,
        0..=1 => 1,
        2..=9 => 2,
        _ if apart <= bought / 5 => 3,
        _ => 4,
    }
}

/// Beliefs and experience together: how much better a true candidate explains something than one
/// that passed the check by chance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Likelihood<'a> {
    pub(super) model: &'a Model,
    pub(super) experience: &'a Experience,
}

impl Likelihood<'_> {
    /// Between belief and experience: how loud the second speaks.
    fn learned(&self, rows: f64) -> f64 {
        rows / (rows + self.model.worth)
    }

    /// How frequent a cause is, beside the others.
    pub(super) fn cause(&self, cause: Cause) -> f64 {
        let total: f64 = self.model.causes.values().sum();
        let believed = self.model.share_of(cause) / total;
        let experience = self.experience;
        let learned = self.learned(experience.searched);
        if experience.searched == 0.0 {
            return believed;
        }
        // What was never met may still come.
        let seen = experience.causes[cause as usize] / experience.searched;
        (1.0 - learned) * believed + learned * (0.98 * seen + 0.02 * believed)
    }

    /// Of displays, the share that contradicts its meter's record; `believed` before any was seen.
    fn contradicted(&self, believed: f64) -> f64 {
        let Experience { confirmed, contradicted, .. } = *self.experience;
        let worth = self.model.worth;
        (worth * believed + contradicted) / (worth + confirmed + contradicted)
    }

    /// The odds that a meter holds the very key which a token it refuses was made under, against its
    /// record.
    pub(super) fn stale_odds(&self) -> f64 {
        let Stale { share, same_key, .. } = self.model.stale;
        let share = self.contradicted(share) * same_key;
        share / (1.0 - share)
    }

    /// How probable it is that a wrong record hides another cause than the one found: many wrong
    /// records change nothing of it.
    pub(super) fn doubt(&self) -> f64 {
        let Stale { doubt, hides, most_doubt, .. } = self.model.stale;
        (self.contradicted(doubt / hides) * hides).min(most_doubt)
    }

    /// A TID so many minutes after the recorded sale; against any TID.
    pub(super) fn after_sale(&self, distance: i64) -> f64 {
        let sale = &self.model.sale;
        let mut density = sale.anywhere / TIDS;
        let mut inner = 0;
        for (within, share) in &sale.within {
            // The minutes of this ring on both sides, the middle one counted once.
            let minutes = 2 * (within - inner) + i64::from(inner == 0);
            if distance.abs() <= *within && (distance.abs() > inner || inner == 0) {
                density += share / count(minutes);
            }
            inner = *within;
        }
        let hours = (distance.abs() + NEAR_HOUR).div_euclid(60);
        let near_hour = (distance.abs() - 60 * hours).abs() <= NEAR_HOUR;
        if near_hour && (1..=14).contains(&hours) {
            density += sale.whole_hours / count(28 * (2 * NEAR_HOUR + 1));
        }
        let experience = self.experience;
        if experience.sales > 0.0 {
            let seen = experience.sale.get(&step_of(distance)).copied().unwrap_or_default();
            let seen = 0.9 * seen / experience.sales / 10.0 + 0.1 * density;
            let learned = self.learned(experience.sales);
            density = (1.0 - learned) * density + learned * seen;
        }
        density * TIDS
    }

    /// A TID so many minutes before the entry; against any TID.
    pub(super) fn before_entry(&self, age: i64) -> f64 {
        let entry = &self.model.entry;
        let mut density = entry.anywhere / TIDS;
        if (-DAY..0).contains(&age) {
            density += entry.after / count(DAY);
        }
        let mut inner = 0;
        for (within, share) in &entry.within {
            if (inner..*within).contains(&age) {
                density += share / count(within - inner);
            }
            inner = *within;
        }
        density * TIDS
    }

    /// An amount where a quantity was recorded, in tenths; against any amount.
    pub(super) fn quantity(&self, units: u32, bought: u64) -> f64 {
        let Quantity { exact, tenth, whole, fifth, other } = self.model.quantity;
        let class = quantity_class(units, bought);
        let believed = [exact, tenth, whole, fifth, other];
        let mut share = believed[class];
        let experience = self.experience;
        if experience.quantities > 0.0 {
            let seen = experience.quantity[class] / experience.quantities;
            let learned = self.learned(experience.quantities);
            share = (1.0 - learned) * share + learned * (0.97 * seen + 0.03 * believed[class]);
        }
        #[expect(clippy::cast_precision_loss, reason = "a size, not a count")]
        let wide = (bought.min(AMOUNT_FIRST) as f64) * 0.4;
        // How many of the 65 536 fields are of that class.
        let fields = [1.0, 2.0, 16.0, wide.max(1.0), AMOUNT_FIELDS][class];
        match class {
            4 => share * self.amount(units),
            _ => share * AMOUNT_FIELDS / fields,
        }
    }

    /// An amount of which nothing is recorded; against any amount.
    pub(super) fn amount(&self, units: u32) -> f64 {
        let AmountShares { common, large } = self.model.amount;
        match units {
            0 => 0.02,
            1..=5_000 => common / 5_000.0 * AMOUNT_FIELDS,
            5_001..=16_383 => large / 11_383.0 * AMOUNT_FIELDS,
            _ => (1.0 - common - large) / 49_152.0 * AMOUNT_FIELDS,
        }
    }

    /// Four random bits; against any.
    pub(super) fn rnd(&self, rnd: u8) -> f64 {
        let seen: f64 = self.experience.rnd.iter().sum();
        16.0 * (self.experience.rnd[usize::from(rnd & 15)] + 8.0) / (seen + 128.0)
    }

    /// A credit subclass; against any. `takes` are those the meter takes, the unit of the receipt
    /// counted in.
    pub(super) fn credit_subclass(&self, subclass: u8, takes: impl Fn(u8) -> bool) -> f64 {
        // Electricity and water are most of what is sold; currency tokens are rare.
        const BELIEVED: [f64; 8] = [5.0, 3.0, 1.0, 0.3, 0.3, 0.2, 0.2, 0.1];
        let weight = |subclass: u8| {
            let at = usize::from(subclass & 15);
            let believed = BELIEVED.get(at).copied().unwrap_or(0.01);
            let weight = believed + self.experience.subclasses[at];
            if takes(subclass) { weight } else { weight.min(0.1) * 0.1 }
        };
        let total: f64 = (0..16).map(weight).sum();
        16.0 * weight(subclass) / total
    }

    /// Whether a column of what vending believed agrees with the token, with so many other values.
    pub(super) fn believed(&self, agrees: bool, others: f64) -> f64 {
        let experience = self.experience;
        let believed = self.model.records.believed;
        let right = (experience.believed_right + self.model.worth * believed)
            / (experience.believed + self.model.worth);
        let right = right.clamp(0.5, 0.98);
        if agrees { right } else { (1.0 - right) / others }
    }
}

/// How many values the amount of a token has.
const AMOUNT_FIELDS: f64 = 65_536.0;
/// The amounts that are counted one by one.
const AMOUNT_FIRST: u64 = 16_384;

#[expect(clippy::cast_precision_loss, reason = "minutes, far below 2^52")]
fn count(minutes: i64) -> f64 {
    minutes.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing_seen(model: &Model, experience: &Experience) -> Vec<f64> {
        let likelihood = Likelihood { model, experience };
        (-8_388_608..8_388_608).map(|distance| likelihood.after_sale(distance)).collect()
    }

    #[test]
    fn distances_from_the_sale_add_up_to_one() {
        let ratios = nothing_seen(&Model::default(), &Experience::default());
        let sum: f64 = ratios.iter().sum::<f64>() / TIDS;
        assert!((sum - 1.0).abs() < 0.001, "{sum}");
    }

    #[test]
    fn distances_learned_add_up_to_one_and_favour_what_was_seen() {
        let mut experience = Experience::default();
        let tid = sts_core::TokenId::new(1).unwrap();
        let amount = sts_core::Amount::round_up(10).unwrap();
        let commodity = sts_core::Commodity::Electricity;
        let payload = Payload::Credit { commodity, rnd: 5, tid, amount };
        for _ in 0..300 {
            experience.learn_accepted(&payload, Some(125), Some(10), &[true]);
        }
        let model = Model::default();
        let ratios = nothing_seen(&model, &experience);
        let sum: f64 = ratios.iter().sum::<f64>() / TIDS;
        assert!((sum - 1.0).abs() < 0.001, "{sum}");
        let likelihood = Likelihood { model: &model, experience: &experience };
        assert!(likelihood.after_sale(121) > 3.0 * likelihood.after_sale(0));
        assert!(likelihood.rnd(5) > 5.0 * likelihood.rnd(4));
        assert!(likelihood.credit_subclass(0, |_| true) > likelihood.credit_subclass(1, |_| true));
    }

    #[test]
    fn ages_before_the_entry_add_up_to_one() {
        let (model, experience) = (Model::default(), Experience::default());
        let likelihood = Likelihood { model: &model, experience: &experience };
        let ages = -8_388_608..8_388_608;
        let sum: f64 = ages.map(|age| likelihood.before_entry(age)).sum::<f64>() / TIDS;
        assert!((sum - 1.0).abs() < 0.001, "{sum}");
    }

    #[test]
    fn amounts_add_up_to_one() {
        let (model, experience) = (Model::default(), Experience::default());
        let likelihood = Likelihood { model: &model, experience: &experience };
        let of = |field: u16| likelihood.amount(sts_core::Amount::from_field(field).units());
        let sum: f64 = (0..=u16::MAX).map(of).sum::<f64>() / AMOUNT_FIELDS;
        assert!((sum - 1.0).abs() < 0.01, "{sum}");
    }

    /// A model of round figures, and what is expected of it is computed as its file describes it.
    const ROUND: [(&str, &str); 3] = [
        (
            "[[2, 0.58], [15, 0.20], [60, 0.05], [1440, 0.06], [10_080, 0.03], [131_400, 0.02]]",
            "[[2, 0.5], [15, 0.2], [1440, 0.1]]",
        ),
        ("whole_hours = 0.04\nanywhere = 0.02", "whole_hours = 0.15\nanywhere = 0.05"),
        (
            "[[60, 0.27], [1440, 0.30], [10_080, 0.22], [43_200, 0.12], [525_600, 0.05]]",
            "[[60, 0.5], [1440, 0.3], [10_080, 0.16]]",
        ),
    ];

    fn round() -> Model {
        let text = include_str!("../../diagnosis.toml").to_owned();
        let text = ROUND.iter().fold(text, |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        Model::parse("round.toml", &text).unwrap()
    }

    #[track_caller]
    fn close(found: f64, expected: f64, of: impl std::fmt::Debug) {
        assert!((found - expected).abs() <= 1e-9 * expected, "{of:?}: {found}, not {expected}");
    }

    #[test]
    fn minutes_from_the_sale_share_what_their_ring_has() {
        let (model, experience) = (round(), Experience::default());
        let likelihood = Likelihood { model: &model, experience: &experience };
        // Either side of whole hours, 1 to 14, 15 minutes to both sides of each.
        let near_hour = |apart: i64| {
            (1..=14).any(|hour: i64| (60 * hour - 15..=60 * hour + 15).contains(&apart))
        };
        for distance in -3000..=3000_i64 {
            let ring = match distance.abs() {
                0..=2 => 0.5 / 5.0,
                3..=15 => 0.2 / 26.0,
                16..=1440 => 0.1 / 2850.0,
                _ => 0.0,
            };
            let hours = if near_hour(distance.abs()) { 0.15 / (2.0 * 14.0 * 31.0) } else { 0.0 };
            let expected = (ring + hours) * TIDS + 0.05;
            close(likelihood.after_sale(distance), expected, distance);
        }
    }

    #[test]
    fn minutes_before_the_entry_share_what_their_ring_has() {
        let (model, experience) = (round(), Experience::default());
        let likelihood = Likelihood { model: &model, experience: &experience };
        for age in -2000..=12_000 {
            let ring = match age {
                -1440..=-1 => 0.02 / 1440.0,
                0..=59 => 0.5 / 60.0,
                60..=1439 => 0.3 / 1380.0,
                1440..=10_079 => 0.16 / 8640.0,
                _ => 0.0,
            };
            close(likelihood.before_entry(age), ring * TIDS + 0.02, age);
        }
    }

    #[test]
    fn quantities_are_of_the_class_they_are_nearest_to() {
        for (units, bought, class) in [
            (100, 100, 0),
            (101, 100, 1),
            (99, 100, 1),
            (102, 100, 2),
            (109, 100, 2),
            (91, 100, 2),
            (110, 100, 3),
            (120, 100, 3),
            (80, 100, 3),
            (121, 100, 4),
            (79, 100, 4),
            (0, 0, 0),
            (1, 0, 1),
            (10, 0, 4),
            // Above 1638.3 units amounts are rounded up, to the next ten tenths at first.
            (16_394, 16_385, 0),
            (16_385, 16_385, 1),
            (16_386, u64::MAX, 4),
        ] {
            assert_eq!(quantity_class(units, bought), class, "{units} for {bought}");
        }
    }

    #[test]
    fn amounts_weigh_by_how_many_others_are_as_near() {
        let (model, experience) = (Model::default(), Experience::default());
        let likelihood = Likelihood { model: &model, experience: &experience };
        close(likelihood.quantity(1000, 1000), 0.76 * 65_536.0, "exact");
        close(likelihood.quantity(1001, 1000), 0.07 * 65_536.0 / 2.0, "a tenth");
        close(likelihood.quantity(1005, 1000), 0.08 * 65_536.0 / 16.0, "a unit");
        close(likelihood.quantity(1100, 1000), 0.03 * 65_536.0 / 400.0, "a fifth");
        close(likelihood.quantity(120, 100), 0.03 * 65_536.0 / 40.0, "a fifth of little");
        close(likelihood.quantity(22_004, 20_000), 0.03 * 65_536.0 / 6553.6, "of much");
        close(likelihood.quantity(3000, 1000), 0.06 * likelihood.amount(3000), "other");
        let common = 0.82 / 5000.0 * 65_536.0;
        let large = 0.15 / 11_383.0 * 65_536.0;
        let huge = (1.0 - 0.82 - 0.15) / 49_152.0 * 65_536.0;
        for (units, expected) in [
            (0, 0.02),
            (1, common),
            (5000, common),
            (5001, large),
            (16_383, large),
            (16_384, huge),
            (18_201_624, huge),
        ] {
            close(likelihood.amount(units), expected, units);
        }
    }

    /// A token of `bought` tenths, accepted.
    fn accepted(experience: &mut Experience, bought: u64, sold: i64, believed: &[bool]) {
        let payload = Payload::Credit {
            commodity: sts_core::Commodity::Water,
            rnd: 5,
            tid: sts_core::TokenId::new(1).unwrap(),
            amount: sts_core::Amount::round_up(100).unwrap(),
        };
        experience.learn_accepted(&payload, Some(sold), Some(bought), believed);
    }

    #[test]
    fn rows_speak_as_loud_as_beliefs_once_they_are_as_many() {
        let model = round();
        let mut experience = Experience::default();
        // As many rows as the beliefs are worth, a third of them exact, all sold 20 to 29 minutes before.
        for row in 0..30 {
            accepted(&mut experience, if row < 10 { 100 } else { 105 }, 20 + row % 10, &[row < 15]);
        }
        let nothing = Experience::default();
        let before = Likelihood { model: &model, experience: &nothing };
        let after = Likelihood { model: &model, experience: &experience };
        for distance in [19, 20, 29, 30, -20] {
            let seen = if (20..30).contains(&distance) { TIDS / 10.0 } else { 0.0 };
            let expected = 0.5 * before.after_sale(distance)
                + 0.5 * (0.9 * seen + 0.1 * before.after_sale(distance));
            close(after.after_sale(distance), expected, distance);
        }
        for (units, bought, seen, believed, fields) in [
            (100, 100, 1.0 / 3.0, 0.76, 1.0),
            (105, 100, 2.0 / 3.0, 0.08, 16.0),
            (101, 100, 0.0, 0.07, 2.0),
        ] {
            let share = 0.5 * believed + 0.5 * (0.97 * seen + 0.03 * believed);
            close(after.quantity(units, bought), share * 65_536.0 / fields, units);
        }
        // Sixteen values, each believed in eight times.
        close(after.rnd(5), 16.0 * 38.0 / 158.0, 5);
        close(after.rnd(4), 16.0 * 8.0 / 158.0, 4);
        close(after.believed(true, 4.0), (15.0 + 30.0 * 0.88) / 60.0, true);
        close(after.believed(false, 4.0), (1.0 - (15.0 + 30.0 * 0.88) / 60.0) / 4.0, false);
        close(before.believed(true, 4.0), 0.88, true);
    }

    #[test]
    fn records_are_never_believed_blindly_nor_taken_for_noise() {
        let model = Model::default();
        let (mut right, mut wrong) = (Experience::default(), Experience::default());
        for _ in 0..1000 {
            accepted(&mut right, 100, 0, &[true, true]);
            accepted(&mut wrong, 100, 0, &[false, false]);
        }
        let of = |experience| Likelihood { model: &model, experience }.believed(true, 2.0);
        close(of(&right), 0.98, "right");
        close(of(&wrong), 0.5, "wrong");
    }

    #[test]
    fn subclasses_that_a_meter_does_not_take_are_rare() {
        let model = Model::default();
        let mut experience = Experience::default();
        let likelihood = Likelihood { model: &model, experience: &experience };
        let all = 5.0 + 3.0 + 1.0 + 0.3 + 0.3 + 0.2 + 0.2 + 0.1 + 8.0 * 0.01;
        for (subclass, believed) in [(0, 5.0), (1, 3.0), (7, 0.1), (8, 0.01), (15, 0.01)] {
            close(likelihood.credit_subclass(subclass, |_| true), 16.0 * believed / all, subclass);
        }
        // Of those not taken, a tenth of a tenth at most.
        let only_water = 3.0 + 6.0 * 0.01 + 0.1 * 0.1 + 8.0 * 0.001;
        let takes = |subclass| subclass == 1;
        close(likelihood.credit_subclass(1, takes), 16.0 * 3.0 / only_water, "taken");
        close(likelihood.credit_subclass(0, takes), 16.0 * 0.01 / only_water, "not taken");
        for _ in 0..7 {
            accepted(&mut experience, 100, 0, &[]);
        }
        let likelihood = Likelihood { model: &model, experience: &experience };
        close(likelihood.credit_subclass(1, |_| true), 16.0 * 10.0 / (all + 7.0), "seen");
    }

    #[test]
    fn causes_seen_grow_and_those_never_met_may_still_come() {
        let model = Model::default();
        let mut experience = Experience::default();
        let total: f64 = model.causes.values().sum();
        let before =
            |cause| Likelihood { model: &model, experience: &Experience::default() }.cause(cause);
        close(before(Cause::KrnAhead), 0.14 / total, Cause::KrnAhead);
        // Not in the file.
        let unlisted = Cause::ALL.iter().find(|cause| !model.causes.contains_key(cause.name()));
        close(before(*unlisted.unwrap()), 0.005 / total, unlisted);
        for _ in 0..10 {
            experience.learn_causes(&[(Cause::KrnAhead, 0.75), (Cause::TypedDigit, 0.25)]);
        }
        let likelihood = Likelihood { model: &model, experience: &experience };
        for (cause, seen) in
            [(Cause::KrnAhead, 0.75), (Cause::TypedDigit, 0.25), (Cause::TypedSwap, 0.0)]
        {
            let believed = before(cause);
            let expected = 0.75 * believed + 0.25 * (0.98 * seen + 0.02 * believed);
            close(likelihood.cause(cause), expected, cause);
        }
    }

    #[test]
    fn displays_tell_how_many_records_are_wrong() {
        let model = Model::default();
        let mut experience = Experience::default();
        let before = Likelihood { model: &model, experience: &experience };
        let wrong = 0.04 * 0.6;
        close(before.stale_odds(), wrong / (1.0 - wrong), "believed");
        close(before.doubt(), 0.006, "believed");
        for _ in 0..30 {
            experience.learn_record(true);
        }
        let after = Likelihood { model: &model, experience: &experience };
        let wrong = 0.02 * 0.6;
        close(after.stale_odds(), wrong / (1.0 - wrong), "confirmed");
        close(after.doubt(), 0.003, "confirmed");
        for _ in 0..30 {
            experience.learn_record(false);
        }
        let after = Likelihood { model: &model, experience: &experience };
        let wrong = (30.0 * 0.04 + 30.0) / 90.0 * 0.6;
        close(after.stale_odds(), wrong / (1.0 - wrong), "contradicted");
        close(after.doubt(), 0.012, "at most");
        close(model.noted_rightly(), 0.97, "displays");
    }

    #[test]
    fn model_with_shares_that_are_none_is_refused() {
        let text = include_str!("../../diagnosis.toml");
        let cases = [
            ("exact = 0.76", "exact = 0.96", "[quantity] the shares add up to 1.200"),
            ("\"krn.ahead\" = 0.14", "\"krn.ahaed\" = 0.14", "is no cause"),
            ("\"unknown\" = 0.06", "", "has no \"unknown\""),
            ("[2, 0.58], [15", "[20, 0.58], [15", "expected rising minutes"),
            ("schema = 1", "schema = 2", "schema 2, expected 1"),
            (
                "believed = 0.88",
                "believed = 1.0",
                "[records] believed is 1, expected between 0 and 1",
            ),
            ("displayed = 0.97", "displayed = 0.0", "[records] displayed is 0, expected"),
            ("slip_fits = 0.85", "slip_fits = 1.5", "[space] slip_fits is 1.5, expected"),
            ("withdrawn = 0.15", "withdrawn = nan", "[space] withdrawn is NaN, expected"),
            ("\nshare = 0.04", "\nshare = -0.04", "[stale] share is -0.04, expected"),
            (
                "\"ti.mismatch\" = 0.06",
                "\"ti.mismatch\" = 0.0",
                "\"ti.mismatch\" is 0, expected more",
            ),
            ("\"ti.mismatch\" = 0.06", "\"ti.mismatch\" = inf", "\"ti.mismatch\" is inf, expected"),
            ("exact = 0.76\n", "exact = 0.85\n", "[quantity] the shares add up to 1.090"),
            ("tenth = 0.07", "tenth = -0.07", "[quantity] the shares add up to 0.860"),
            ("after = 0.02", "after = 0.01", "[entry] the shares add up to 0.990"),
            ("whole_hours = 0.04", "whole_hours = 0.03", "[sale] the shares add up to 0.990"),
            ("common = 0.82", "common = 0.86", "[amount] the shares add up to 1.010"),
            ("other_form = 0.02", "other_form = 0.03", "[space] the shares add up to 1.010"),
            ("[[2, 0.58]", "[[0, 0.58]", "[sale] within: expected rising minutes above 0"),
            ("[1440, 0.30]", "[60, 0.30]", "[entry] within: expected rising minutes"),
            ("worth = 30", "worth = 0.5", "worth is 0.5, expected at least 1"),
            ("worth = 30", "worth = nan", "worth is NaN, expected at least 1"),
            ("worth = 30", "wroth = 30", "wroth"),
        ];
        for (from, to, problem) in cases {
            assert!(text.contains(from), "{from}");
            let error = Model::parse("d.toml", &text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        for (from, to) in [("worth = 30", "worth = 1"), ("fifth = 0.03", "fifth = 0.0305")] {
            assert!(text.contains(from), "{from}");
            assert!(Model::parse("d.toml", &text.replace(from, to)).is_ok(), "{to}");
        }
    }
}
