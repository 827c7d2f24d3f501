//! How much better a true candidate explains what is known of an entry than chance does.

use sts_core::key::{EncryptionAlgorithm, KeyAttributes};
use sts_core::{Amount, KeySection, Payload, SupplyGroupCode};

use super::model::Likelihood;
use super::{Believed, Sighting, WEEK, duration};
use crate::describe::TidReading;
use crate::fleet::TrackedMeter;
use crate::keys::KeyRing;

/// What a candidate that passed the check is worth, and why.
#[derive(Debug)]
pub(super) struct Weight {
    /// The likelihood of what the token says, against that of noise.
    pub(super) ratio: f64,
    /// In words.
    pub(super) evidence: Vec<String>,
    /// Whether the time of sale or the quantity speaks for it.
    pub(super) supported: bool,
}

/// Weighs what tokens say against what is known of an entry at a meter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scales<'a> {
    pub(super) likelihood: Likelihood<'a>,
    pub(super) sighting: &'a Sighting,
    pub(super) meter: &'a TrackedMeter,
    pub(super) ring: &'a KeyRing,
}

impl Scales<'_> {
    /// Weighs a payload, its TID read under `reading`.
    pub(super) fn weigh(&self, payload: &Payload, reading: &TidReading) -> Weight {
        let mut weight = Weight { ratio: 1.0, evidence: Vec::new(), supported: false };
        self.weigh_tid(payload, reading, &mut weight);
        match payload {
            Payload::Credit { rnd, amount, .. } => {
                weight.ratio *= self.subclass(payload) * self.likelihood.rnd(*rnd);
                self.weigh_amount(*amount, &mut weight);
            }
            Payload::CurrencyCredit { .. } => weight.ratio *= self.subclass(payload),
            Payload::KeySection(section) => {
                weight.ratio *= 3.0 * self.section_fits(section, &mut weight.evidence);
            }
            Payload::Set { .. } => weight.ratio *= 0.3,
            Payload::MeterTest(_) => weight.ratio *= 0.1,
            _ => weight.ratio *= 0.01,
        }
        weight
    }

    fn subclass(&self, payload: &Payload) -> f64 {
        let (class, subclass) = payload.kind();
        let unit = self.sighting.unit.as_deref();
        let of_unit = |subclass: u8| match (unit, subclass) {
            (Some("kWh"), 0) | (Some("m3"), 1 | 2) | (Some("min"), 3) | (None, _) => true,
            (Some(_), 4..) => true,
            (Some(_), _) => false,
        };
        let profile = self.meter.profile();
        let takes = |subclass| of_unit(subclass) && profile.has_function(class, subclass);
        self.likelihood.credit_subclass(subclass, takes)
    }

    fn weigh_amount(&self, amount: Amount, weight: &mut Weight) {
        let Some(bought) = self.sighting.units else {
            weight.ratio *= self.likelihood.amount(amount.units());
            return;
        };
        weight.ratio *= self.likelihood.quantity(amount.units(), bought);
        let apart = u64::from(amount.units()).abs_diff(bought);
        let rounded = u32::try_from(bought).ok().and_then(|units| Amount::round_up(units).ok());
        if rounded == Some(amount) {
            weight.supported = true;
            weight.evidence.push("the quantity is that of the receipt".into());
        } else if apart <= 9 {
            weight.evidence.push("the quantity is nearly that of the receipt".into());
        } else {
            weight.evidence.push("the quantity is not that of the receipt".into());
        }
    }

    fn weigh_tid(&self, payload: &Payload, reading: &TidReading, weight: &mut Weight) {
        let Some(minutes) = payload.tid().and_then(|tid| reading.unix_minutes(tid)) else { return };
        let entered = self.sighting.entered_at.map(|entered| entered - minutes);
        let by_entry = entered.map_or(1.0, |age| self.likelihood.before_entry(age));
        if let Some(sold) = self.sighting.sold_at {
            let apart = minutes - sold;
            weight.evidence.push(match apart {
                0 => "TID is the minute of the sale".into(),
                _ if apart < 0 => format!("TID is {} before the sale", duration(apart)),
                _ => format!("TID is {} after the sale", duration(apart)),
            });
            weight.supported |= apart.abs() <= WEEK;
            // Where the record of the sale is wrong altogether, the time of entry still speaks.
            weight.ratio *= self.likelihood.after_sale(apart) + 0.01 * by_entry;
        } else if let Some(age) = entered {
            weight.evidence.push(if age >= 0 {
                format!("TID is {} before the entry", duration(age))
            } else {
                format!("TID is {} after the entry", duration(age))
            });
            weight.ratio *= by_entry;
        }
    }

    /// What vending believed against what a token was made for; against a token of which nothing
    /// is known.
    pub(super) fn believed(
        &self,
        made_for: &KeyAttributes,
        ea: EncryptionAlgorithm,
        evidence: &mut Vec<String>,
    ) -> f64 {
        let Believed { sgc, krn, ti, kt, ea: believed_ea } = self.sighting.believed;
        let own = self.meter.meter.attributes();
        let mut ratio = 1.0;
        let mut weigh = |name: &str, agrees: Option<(bool, bool)>, others: f64| {
            let Some((with_token, with_meter)) = agrees else { return };
            let of_token = self.likelihood.believed(with_token, others);
            // A token of an unknown key was often made for a meter that is recorded well.
            let of_unknown = 0.5 * self.likelihood.believed(with_meter, others) + 0.5 / others;
            ratio *= of_token / of_unknown;
            if with_token && !with_meter {
                evidence.push(format!("the vending record says the same {name}"));
            }
        };
        weigh("SGC", sgc.map(|sgc| (sgc == made_for.sgc, sgc == own.sgc)), 6.0);
        weigh("KRN", krn.map(|krn| (krn == made_for.krn, krn == own.krn)), 4.0);
        weigh("TI", ti.map(|ti| (ti == made_for.ti, ti == own.ti)), 8.0);
        weigh("key type", kt.map(|kt| (kt == made_for.kt, kt == own.kt)), 3.0);
        weigh("EA", believed_ea.map(|other| (other == ea, other == self.meter.ea())), 2.0);
        ratio
    }

    /// A section of a key change carries part of the new key: of one that is held, most often.
    fn section_fits(&self, section: &KeySection, evidence: &mut Vec<String>) -> f64 {
        let (krn, kt, ti) = match *section {
            KeySection::First { krn, kt, .. } => {
                if !(1..=9).contains(&krn) {
                    return 0.01;
                }
                (Some(krn), Some(kt), None)
            }
            KeySection::Second { ti, .. } => {
                if ti > 99 {
                    return 0.01;
                }
                (None, None, Some(ti))
            }
            // A bare supply group code of six digits and twenty zeros: by chance one in twenty million
            // looks so, and known groups are likely.
            KeySection::ThirdWithSgc { sgc, pad } => {
                if pad != 0 || sgc > SupplyGroupCode::MAX.get() {
                    return 1e-4;
                }
                let held = self.ring.vending.iter().any(|entry| entry.sgc.get() == sgc);
                return if held { 1e6 } else { 1e4 };
            }
            _ => (None, None, None),
        };
        let fitting = self.ring.vending.iter().filter(|entry| {
            krn.is_none_or(|krn| entry.krn.get() == krn) && kt.is_none_or(|kt| entry.kt == kt)
        });
        let mut tried = 0_u32;
        for entry in fitting.take(MOST_NEW_KEYS) {
            for new_ti in 0..=sts_core::TariffIndex::MAX.get() {
                if ti.is_some_and(|ti| ti != new_ti) {
                    continue;
                }
                let Ok(new_ti) = sts_core::TariffIndex::new(new_ti) else { continue };
                let attributes = crate::fleet::attributes_with(
                    KeyAttributes {
                        sgc: entry.sgc,
                        krn: entry.krn,
                        kt: entry.kt,
                        ..*self.meter.meter.attributes()
                    },
                    new_ti,
                );
                let (pan, ea) = (&self.meter.row.pan, self.meter.ea());
                let Ok(key) = entry.key.derive(pan, ea, &attributes, entry.base_date) else {
                    continue;
                };
                tried += 1;
                let carried =
                    sts_core::class::key_change(&key, &attributes, false, false).any(|of_key| {
                        matches!(of_key, Payload::KeySection(of_key)
                            if of_key.number() == section.number() && of_key.word() == section.word())
                    });
                if carried {
                    evidence
                        .push(format!("it carries a part of the key {} of this meter", entry.id));
                    return 0.8 * 4_294_967_296.0 / f64::from(tried.max(100));
                }
            }
        }
        0.3
    }
}

/// Held keys that a section is compared with.
const MOST_NEW_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use sts_core::TariffIndex;
    use sts_core::key::KeyType;

    use super::super::model::{Experience, Model};
    use super::super::trial::Configuration;
    use super::*;
    use crate::case::Case;
    use crate::fixture;
    use crate::keys::VendingEntry;

    /// With a common key beside those of single meters.
    fn case() -> Case {
        let mut case = fixture::case();
        let (id, kt) = ("common".into(), KeyType::Common);
        let common = VendingEntry { id, kt, ..case.keys.vending[2].clone() };
        case.keys.vending.push(common);
        case
    }

    /// What a section is worth at the first meter, and what is said of it.
    fn fits(section: &KeySection) -> (f64, Vec<String>) {
        let case = case();
        let (model, experience) = (Model::default(), Experience::default());
        let scales = Scales {
            likelihood: Likelihood { model: &model, experience: &experience },
            sighting: &Sighting::default(),
            meter: &case.fleet.meters[0],
            ring: &case.keys,
        };
        let mut evidence = Vec::new();
        (scales.section_fits(section, &mut evidence), evidence)
    }

    /// The two sections of a change of the first meter to a held key, under a tariff index.
    fn change_to(key: usize, ti: u8) -> [KeySection; 2] {
        let case = case();
        let (meter, entry) = (&case.fleet.meters[0], &case.keys.vending[key]);
        let configuration =
            Configuration { entry, ti: TariffIndex::new(ti).unwrap(), ea: meter.ea() };
        let key = configuration.key(&meter.row.pan).unwrap();
        let mut sections =
            sts_core::class::key_change(&key, &configuration.attributes(), false, false);
        [(); 2].map(|()| match sections.next() {
            Some(Payload::KeySection(section)) => section,
            other => panic!("{other:?}"),
        })
    }

    const KNOWN: f64 = 0.8 * 4_294_967_296.0;

    #[test]
    fn section_that_carries_a_held_key_says_so() {
        let said = |id| vec![format!("it carries a part of the key {id} of this meter")];
        // A first section does not say the tariff index: the hundred of each key that fits are tried.
        for (key, id, ti, tried) in [
            (0, "krn1", 1, 100.0),
            (1, "krn2", 0, 100.0),
            (1, "krn2", 99, 100.0),
            (2, "other-group", 7, 108.0),
            (3, "common", 99, 100.0),
        ] {
            let [first, second] = change_to(key, ti);
            assert_eq!(fits(&first), (KNOWN / tried, said(id)), "{first:?}");
            assert_eq!(fits(&second), (KNOWN / 100.0, said(id)), "{second:?}");
        }
    }

    #[test]
    fn section_must_carry_the_part_that_is_its_own() {
        let [first, second] = change_to(1, 1);
        let (KeySection::First { word, .. }, KeySection::Second { word: bottom, .. }) =
            (first, second)
        else {
            panic!("{first:?}, {second:?}");
        };
        let first = |krn, kt, word| {
            let (ken_high, rollover, three_kct) = (15, false, false);
            fits(&KeySection::First { ken_high, krn, rollover, three_kct, kt, word })
        };
        let second = |ti, word| fits(&KeySection::Second { ken_low: 15, ti, word });
        let nothing = (0.3, vec![]);
        assert_eq!(first(2, KeyType::Unique, word).0, KNOWN / 100.0);
        assert_eq!(first(1, KeyType::Unique, word), nothing, "another revision");
        assert_eq!(first(2, KeyType::Common, word), nothing, "another type");
        assert_eq!(first(2, KeyType::Unique, bottom), nothing, "another section");
        assert_eq!(second(1, bottom).0, KNOWN / 100.0);
        assert_eq!(second(2, bottom), nothing, "another tariff index");
        assert_eq!(second(1, word), nothing, "another section");
    }

    #[test]
    fn section_with_values_out_of_range_is_noise() {
        let [first, second] = change_to(1, 1);
        let (KeySection::First { word, .. }, KeySection::Second { .. }) = (first, second) else {
            panic!("{first:?}, {second:?}");
        };
        for (krn, worth) in [(0, 0.01), (3, 0.3), (9, 0.3), (10, 0.01), (15, 0.01)] {
            let kt = KeyType::Unique;
            let (ken_high, rollover, three_kct) = (15, false, false);
            let section = KeySection::First { ken_high, krn, rollover, three_kct, kt, word };
            assert_eq!(fits(&section).0, worth, "KRN {krn}");
        }
        for (ti, worth) in [(98, 0.3), (99, 0.3), (100, 0.01), (255, 0.01)] {
            assert_eq!(fits(&KeySection::Second { ken_low: 15, ti, word }).0, worth, "TI {ti}");
        }
        let highest = SupplyGroupCode::MAX.get();
        for (sgc, pad, worth) in [
            (600_457, 0, 1e6),
            (600_458, 0, 1e4),
            (600_457, 1, 1e-4),
            (highest, 0, 1e4),
            (highest + 1, 0, 1e-4),
        ] {
            assert_eq!(fits(&KeySection::ThirdWithSgc { sgc, pad }).0, worth, "SGC {sgc}, {pad}");
        }
    }
}
