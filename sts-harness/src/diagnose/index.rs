//! What one search after another draws on: counts of the case, and the keys of its meters.

use std::collections::HashMap;
use std::sync::OnceLock;

use sts_batch::Batch;
use sts_core::{DecoderKey, Payload, TariffIndex, Token};

use super::trial::{Configuration, KeyBundle};
use crate::fleet::{Fleet, TrackedMeter};
use crate::keys::{KeyRing, VendingEntry};

/// What does not change from entry to entry, unless a meter takes another key.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) batch: Batch,
    /// How many meters have each tariff index.
    tariffs: Vec<f64>,
    /// How many meters are in the supply group of each held key.
    group_meters: Vec<f64>,
    meters: f64,
    /// The key of each meter.
    own: KeyBundle,
    /// The keys of each meter's group, made when they are first asked for.
    of_group: OnceLock<GroupKeys>,
}

/// For each meter, the held keys of its group and key type: some of them its record does not say.
#[derive(Debug)]
struct GroupKeys {
    /// The place of the meter, rising, and that of the vending key.
    slots: Vec<(usize, usize)>,
    keys: KeyBundle,
}

impl GroupKeys {
    fn new(batch: Batch, ring: &KeyRing, fleet: &Fleet) -> Self {
        let mut slots = Vec::new();
        for (place, meter) in fleet.meters.iter().enumerate() {
            slots.extend(keys_of_group(ring, meter).map(|at| (place, at)));
        }
        let key = |(place, at): &(usize, usize)| {
            let meter = &fleet.meters[*place];
            in_group(&ring.vending[*at], meter).key(&meter.row.pan)
        };
        let keys = KeyBundle::new(batch, slots.iter().map(key));
        Self { slots, keys }
    }

    /// Takes on what has changed in a meter; `false` where it went to another group.
    fn follow(&mut self, ring: &KeyRing, place: usize, meter: &TrackedMeter) -> bool {
        let first = self.slots.partition_point(|slot| slot.0 < place);
        let count = self.slots[first..].iter().take_while(|slot| slot.0 == place).count();
        let slots = &self.slots[first..first + count];
        if !slots.iter().map(|slot| slot.1).eq(keys_of_group(ring, meter)) {
            return false;
        }
        for (slot, (_, at)) in (first..).zip(slots) {
            if let Some(key) = in_group(&ring.vending[*at], meter).key(&meter.row.pan) {
                self.keys.set(slot, key);
            }
        }
        true
    }
}

impl Index {
    pub(super) fn new(ring: &KeyRing, fleet: &Fleet, batch: Batch) -> Self {
        let mut tariffs = vec![0.0; 100];
        for meter in &fleet.meters {
            tariffs[usize::from(meter.row.ti.get()).min(99)] += 1.0;
        }
        let mut by_group = HashMap::new();
        for meter in &fleet.meters {
            *by_group.entry(meter.row.sgc).or_insert(0.0) += 1.0;
        }
        let of = |entry: &VendingEntry| by_group.get(&entry.sgc).copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a number of meters")]
        let meters = fleet.meters.len() as f64;
        let group_meters = ring.vending.iter().map(of).collect();
        let own = KeyBundle::new(batch, fleet.meters.iter().map(own_key));
        Self { batch, tariffs, group_meters, meters, own, of_group: OnceLock::new() }
    }

    /// A meter's key or settings are others now.
    pub(super) fn meter_changed(&mut self, ring: &KeyRing, place: usize, meter: &TrackedMeter) {
        if let Some(key) = own_key(meter) {
            self.own.set(place, key);
        }
        if self.of_group.get_mut().is_some_and(|keys| !keys.follow(ring, place, meter)) {
            self.of_group = OnceLock::new();
        }
    }

    /// How probable a tariff index is for a token made for another one than `own`.
    pub(super) fn tariff(&self, ti: TariffIndex, own: TariffIndex) -> f64 {
        // Every index may be met; those in use are met more.
        let weight = |ti: usize| self.tariffs[ti] + 0.02 * self.meters + 0.1;
        let total: f64 = (0..100).map(weight).sum();
        weight(usize::from(ti.get())) / (total - weight(usize::from(own.get())))
    }

    /// How much more than another a held key is met: groups that the case's meters are in are met
    /// more than keys that are merely held.
    pub(super) fn key(&self, at: usize) -> f64 {
        1.0 + 20.0 * self.group_meters[at] / self.meters.max(1.0)
    }

    /// The meters whose key opens a token.
    pub(super) fn meters(&self, fleet: &Fleet, token: Token) -> Vec<(usize, Payload)> {
        let open = |place: usize| {
            let meter = fleet.meters.get(place).filter(|meter| meter.has_key)?;
            Some((place, token.open(meter.meter.key()).authenticate().ok()?))
        };
        self.own.propose(token).into_iter().filter_map(open).collect()
    }

    /// How many keys [`meters_under_other_keys`](Self::meters_under_other_keys) tries.
    pub(super) fn other_keys(&self, ring: &KeyRing, fleet: &Fleet) -> usize {
        self.of_group(ring, fleet).slots.len()
    }

    /// The meters for which a key of their group opens a token that is not the one of their
    /// record: each with the place of the vending key.
    pub(super) fn meters_under_other_keys(
        &self,
        ring: &KeyRing,
        fleet: &Fleet,
        token: Token,
    ) -> Vec<(usize, usize, Payload)> {
        let of_group = self.of_group(ring, fleet);
        let open = |slot: usize| {
            let (place, at) = of_group.slots[slot];
            let (meter, entry) = (&fleet.meters[place], &ring.vending[at]);
            if !is_other_key(entry, meter) {
                return None;
            }
            let key = in_group(entry, meter).key(&meter.row.pan)?;
            Some((place, at, token.open(&key).authenticate().ok()?))
        };
        of_group.keys.propose(token).into_iter().filter_map(open).collect()
    }

    fn of_group(&self, ring: &KeyRing, fleet: &Fleet) -> &GroupKeys {
        self.of_group.get_or_init(|| GroupKeys::new(self.batch, ring, fleet))
    }
}

fn own_key(meter: &TrackedMeter) -> Option<DecoderKey> {
    meter.has_key.then(|| meter.meter.key().clone())
}

/// A meter's settings under another key of its group.
fn in_group<'r>(entry: &'r VendingEntry, meter: &TrackedMeter) -> Configuration<'r> {
    Configuration { entry, ti: meter.meter.attributes().ti, ea: meter.ea() }
}

/// The held keys of a meter's group and key type.
fn keys_of_group<'r>(
    ring: &'r KeyRing,
    meter: &'r TrackedMeter,
) -> impl Iterator<Item = usize> + 'r {
    let own = meter.meter.attributes();
    (0..ring.vending.len()).filter(move |at| {
        let entry = &ring.vending[*at];
        entry.sgc == own.sgc && entry.kt == own.kt
    })
}

/// Whether a key of a meter's group is not the one of its record.
pub(super) fn is_other_key(entry: &VendingEntry, meter: &TrackedMeter) -> bool {
    entry.krn != meter.meter.attributes().krn || entry.base_date != meter.base_date
}

/// The held keys of a meter's group and key type that are not its own.
pub(super) fn other_keys_of<'r>(
    ring: &'r KeyRing,
    meter: &'r TrackedMeter,
) -> impl Iterator<Item = usize> + 'r {
    keys_of_group(ring, meter).filter(|at| is_other_key(&ring.vending[*at], meter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::fixture::{case, credit};

    /// What an index finds for tokens under every key of every meter.
    fn answers(index: &Index, case: &Case) -> Vec<String> {
        let mut found = vec![index.other_keys(&case.keys, &case.fleet).to_string()];
        for meter in &case.fleet.meters {
            for entry in &case.keys.vending {
                for ti in 0..3 {
                    let ti = TariffIndex::new(ti).unwrap();
                    let configuration = Configuration { entry, ti, ea: meter.ea() };
                    let token = Token::seal(&credit(), &configuration.key(&meter.row.pan).unwrap());
                    let own = index.meters(&case.fleet, token);
                    let other = index.meters_under_other_keys(&case.keys, &case.fleet, token);
                    let drn = meter.row.pan.drn();
                    found.push(format!("{drn} {} {ti}: {own:?} {other:?}", entry.id));
                }
            }
        }
        found
    }

    #[test]
    fn index_that_follows_a_change_answers_as_a_new_one() {
        let mut case = case();
        let mut index = Index::new(&case.keys, &case.fleet, Batch::new());
        let fresh = |case: &Case| Index::new(&case.keys, &case.fleet, Batch::new());
        let before = answers(&index, &case);
        assert_eq!(before[0], "8", "four meters, two keys of their group");
        assert!(before.iter().any(|found| found.contains("krn1 01: [(2, ")), "{before:?}");
        assert!(before.iter().any(|found| found.contains("krn2 01: [] [(2, 1, ")), "{before:?}");
        // The keys of a group stay those of its meters until one of them goes to another.
        for (changes, stays) in [
            (&[("krn", "2"), ("base_date", "2014")][..], true),
            (&[("ti", "02")], true),
            (&[("sgc", "600999")], false),
        ] {
            for place in 0..case.fleet.meters.len() {
                let mut row = case.fleet.meters[place].current_row();
                for (name, value) in changes {
                    row = row.with_field(name, value).unwrap();
                }
                let meter = case.meter(row).unwrap();
                case.fleet.meters[place] = meter;
                index.meter_changed(&case.keys, place, &case.fleet.meters[place]);
                assert_eq!(index.of_group.get().is_some(), stays, "{changes:?} at {place}");
                assert_eq!(answers(&index, &case), answers(&fresh(&case), &case), "{changes:?}");
            }
        }
    }

    #[test]
    fn keys_that_a_record_does_not_say_differ_in_revision_or_base_date() {
        let case = case();
        let (meter, ring) = (&case.fleet.meters[0], &case.keys);
        assert_eq!(keys_of_group(ring, meter).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(other_keys_of(ring, meter).collect::<Vec<_>>(), [1]);
        let [own, later, other_group] = [0, 1, 2].map(|at| ring.vending[at].clone());
        let redated = VendingEntry { base_date: later.base_date, ..own.clone() };
        let revised = VendingEntry { krn: later.krn, ..own.clone() };
        let differ = [own, later, other_group, redated, revised];
        assert_eq!(
            differ.map(|entry| is_other_key(&entry, meter)),
            [false, true, false, true, true]
        );
    }

    #[test]
    fn what_is_met_more_weighs_more() {
        let mut case = case();
        let row = case.fleet.meters[3].row.clone();
        case.fleet.meters[3] = case.meter(row.with_field("ti", "7").unwrap()).unwrap();
        let index = Index::new(&case.keys, &case.fleet, Batch::new());
        let [own, used, unused] = [1, 7, 8].map(|ti| TariffIndex::new(ti).unwrap());
        // Three meters have the one, one has the other, and 2 % of four meters and a tenth for each.
        let others = 1.18 + 98.0 * 0.18;
        assert!((index.tariff(used, own) - 1.18 / others).abs() < 1e-12);
        assert!((index.tariff(unused, own) - 0.18 / others).abs() < 1e-12);
        assert_eq!([0, 1, 2].map(|at| index.key(at)), [21.0, 21.0, 1.0]);
    }
}
