//! The utility as it truly is: keys, meters, tills.

use std::collections::HashMap;

use sts_core::key::luhn_check_digit;
use sts_core::{
    BaseDate, DecoderKey, DecoderReferenceNumber, EncryptionAlgorithm, KeyAttributes,
    KeyDerivation, KeyExpiryNumber, KeyRevisionNumber, KeyType, Meter, MeterPan, SupplyGroupCode,
    TariffIndex, Token, TokenId, VendingKey,
};

use super::behaviour::Behaviour;
use super::random::{Random, Stream};
use super::scenario::{Group, Plan, Read};
use crate::profiles::ProfileFile;

/// A vending key; the user of the case holds it or does not.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) sgc: SupplyGroupCode,
    pub(super) krn: KeyRevisionNumber,
    pub(super) kt: KeyType,
    pub(super) base: BaseDate,
    pub(super) ken: KeyExpiryNumber,
    pub(super) dkga: KeyDerivation,
    pub(super) bytes: Vec<u8>,
    pub(super) key: VendingKey,
    pub(super) held: bool,
}

/// The configuration a token is made in, or a meter is in. `key` is a place in the list of keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Made {
    pub(super) pan: MeterPan,
    pub(super) key: usize,
    pub(super) ti: TariffIndex,
    pub(super) ea: EncryptionAlgorithm,
}

/// A key that a meter held before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    pub(super) made: Made,
    /// Seconds since 1970.
    pub(super) until: i64,
}

/// A token that was sold: what the till knows, and what is true.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    /// When, truly, in seconds since 1970.
    pub(super) at: i64,
    /// What the record says.
    pub(super) stamp: i64,
    pub(super) tid: Option<TokenId>,
    /// In tenths.
    pub(super) units: Option<u32>,
    pub(super) unit: &'static str,
    /// In whole units of the currency.
    pub(super) paid: Option<u32>,
    pub(super) made: Made,
    pub(super) token: Token,
    pub(super) kind: &'static str,
    /// Where the token changes a key: to what.
    pub(super) to: Option<Made>,
}

/// A till: its clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Till {
    /// The clock that makes TIDs less true time.
    pub(super) clock: i64,
    /// The zone mistake of its stamps.
    pub(super) stamp: i64,
}

#[derive(Clone, Debug)]
pub(super) struct SimMeter {
    pub(super) group: usize,
    pub(super) firmware: usize,
    pub(super) meter: Meter<'static>,
    /// The meter as meters.csv says, where that is wrong.
    pub(super) recorded: Option<Box<Meter<'static>>>,
    pub(super) made: Made,
    /// Place in the group's chain of keys.
    pub(super) generation: usize,
    pub(super) past: Vec<Past>,
    pub(super) since: i64,
    /// TIDs given to this meter, so that no two of its tokens share one.
    pub(super) given: Vec<(BaseDate, TokenId)>,
    /// TIDs it took.
    pub(super) taken: Vec<(BaseDate, TokenId)>,
    /// The last sales it took under its present key.
    pub(super) recent: Vec<Sale>,
    /// Keys that accepted sections were for, since the last change.
    pub(super) sections: Vec<usize>,
    pub(super) kept_tids: bool,
    /// Holds a key that nobody knows: a mixed set of sections.
    pub(super) dead: bool,
    pub(super) near_full: bool,
    pub(super) busy_until: i64,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) families: Vec<&'static ProfileFile>,
    pub(super) keys: Vec<Key>,
    /// Keys of each group's chain.
    pub(super) chains: Vec<Vec<usize>>,
    /// Keys that the user does not hold: one for each group first, then foreign ones.
    pub(super) unheld: Vec<usize>,
    pub(super) meters: Vec<SimMeter>,
    owners: HashMap<MeterPan, usize>,
    pub(super) tills: Vec<Till>,
    pub(super) seed: u64,
}

const DAY: i64 = 86_400;

/// A configuration with the attributes of its key; `ken` is the key's.
pub(super) fn attributes(keys: &[Key], made: &Made) -> KeyAttributes {
    let key = &keys[made.key];
    KeyAttributes { sgc: key.sgc, krn: key.krn, ti: made.ti, kt: key.kt, ken: key.ken }
}

pub(super) fn decoder(keys: &[Key], made: &Made) -> Option<DecoderKey> {
    let key = &keys[made.key];
    key.key.derive(&made.pan, made.ea, &attributes(keys, made), key.base).ok()
}

pub(super) fn tid_at(seconds: i64, base: BaseDate) -> TokenId {
    TokenId::at(seconds.div_euclid(60), base).unwrap_or(TokenId::MIN).skip_reserved_minute()
}

fn narrow(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// A number as a field's type; scenario files hold nothing out of range.
fn tariff(ti: u8) -> TariffIndex {
    TariffIndex::new(ti).unwrap_or(TariffIndex::MIN)
}

struct KeyMaker {
    seed: u64,
    keys: Vec<Key>,
}

impl KeyMaker {
    fn bytes(&self, dkga: KeyDerivation, index: usize) -> Vec<u8> {
        let index = u64::try_from(index).unwrap_or_default();
        let mut random = Random::new(self.seed, Stream::Keys, index);
        let byte = |random: &mut Random| narrow(random.next());
        match dkga {
            // Odd parity, as a DES key should have: sources differ on what to do with even.
            KeyDerivation::Dkga02 => (0..8)
                .map(|_| {
                    let byte = byte(&mut random) & 0xFE;
                    byte | u8::from(byte.count_ones().is_multiple_of(2))
                })
                .collect(),
            _ => (0..20).map(|_| byte(&mut random)).collect(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a key's record: one argument for each field")]
    fn add(
        &mut self,
        sgc: SupplyGroupCode,
        krn: KeyRevisionNumber,
        kt: KeyType,
        base: BaseDate,
        ken: KeyExpiryNumber,
        dkga: KeyDerivation,
        held: bool,
        same_as: Option<usize>,
    ) -> Option<usize> {
        let taken = |key: &Key| (key.sgc, key.krn, key.kt, key.base) == (sgc, krn, kt, base);
        if self.keys.iter().any(taken) {
            return None;
        }
        let place = self.keys.len();
        let bytes = match same_as {
            Some(other) => self.keys[other].bytes.clone(),
            None => self.bytes(dkga, place),
        };
        let key = VendingKey::from_bytes(dkga, &bytes).ok()?;
        let id = format!("{sgc}-{krn}-{}-{}", kt.code(), base.year());
        self.keys.push(Key { id, sgc, krn, kt, base, ken, dkga, bytes, key, held });
        Some(place)
    }
}

impl World {
    pub(super) fn new(read: Read, seed: u64, meters: usize) -> Result<Self, String> {
        let Read { plan, families } = read;
        let mut maker = KeyMaker { seed, keys: Vec::new() };
        let mut chains = Vec::new();
        for group in &plan.group {
            chains.push(chain(&mut maker, group.get_ref())?);
        }
        let unheld = strangers(&mut maker, &plan, seed);
        let tills = (0..plan.vending.tills.max(1))
            .map(|place| till(&plan, seed, u64::try_from(place).unwrap_or_default()))
            .collect();
        let mut world = Self {
            plan,
            families,
            keys: maker.keys,
            chains,
            unheld,
            meters: Vec::new(),
            owners: HashMap::new(),
            tills,
            seed,
        };
        for index in 0..meters {
            let meter = world.meter(index)?;
            world.owners.insert(meter.made.pan, index);
            world.meters.push(meter);
        }
        Ok(world)
    }

    pub(super) fn group(&self, meter: usize) -> &Group {
        self.plan.group[self.meters[meter].group].get_ref()
    }

    pub(super) fn family(&self, meter: usize) -> &'static ProfileFile {
        self.families[self.meters[meter].group]
    }

    pub(super) fn key(&self, made: &Made) -> &Key {
        &self.keys[made.key]
    }

    /// Another key that differs from a configuration's in what the closure asks for.
    pub(super) fn keys_where(&self, fits: impl Fn(&Key) -> bool) -> Vec<usize> {
        (0..self.keys.len()).filter(|place| fits(&self.keys[*place])).collect()
    }

    fn meter(&self, index: usize) -> Result<SimMeter, String> {
        let serial = u64::try_from(index).unwrap_or_default();
        let mut random = Random::new(self.seed, Stream::Meter, serial);
        let weights = self.plan.group.iter().map(|group| group.get_ref().meters);
        // A lot of meters goes to one group, so that neighbours in number are neighbours in key.
        let lot = u64::from(self.plan.fleet.lot.max(1));
        let mut by_lot = Random::new(self.seed, Stream::Meter, (1 << 40) + serial / lot);
        let place = by_lot.weighted(weights);
        let group = self.plan.group[place].get_ref();
        let maker = by_lot.pick(&group.makers).map_or("07", String::as_str);
        let mut number = by_lot.below(80_000) * 1000 + 1_000_000 + serial;
        let mut pan = pan_of(maker, number)?;
        while self.owners.contains_key(&pan) {
            number += 1;
            pan = pan_of(maker, number)?;
        }
        let fleet = &self.plan.fleet;
        let from = self.plan.from.0;
        let generation =
            if group.start.is_empty() { 0 } else { random.weighted(group.start.iter().copied()) };
        let ti = tariff(group.tariffs[random.weighted(group.tariffs.iter().map(|t| t.1))].0.0);
        let chain = &self.chains[place];
        let mut made = Made { pan, key: chain[generation], ti, ea: group.ea.0 };
        let mut past = Vec::new();
        let mut since = i64::MIN;
        for earlier in &chain[..generation] {
            since = from - random.between(20, 200) * DAY;
            past.push(Past { made: Made { key: *earlier, ..made }, until: since });
        }
        past.sort_by_key(|past| past.until);
        since = past.last().map_or(since, |past| past.until);
        let key = &self.keys[made.key];
        if random.chance(fleet.default_key.0) {
            let (sgc, krn, base) = (key.sgc, key.krn, key.base);
            let default = self.keys_where(|key| {
                (key.sgc, key.krn, key.base, key.kt) == (sgc, krn, base, KeyType::Default)
            });
            if let Some(default) = default.first() {
                made.key = *default;
            }
        }
        let key = &self.keys[made.key];
        let mut attributes = attributes(&self.keys, &made);
        if random.chance(fleet.expired.0) {
            let now = tid_at(from, key.base).high_byte();
            let ken = now.saturating_sub(1).saturating_add(narrow(random.below(4)));
            attributes.ken = KeyExpiryNumber::new(ken).unwrap_or(KeyExpiryNumber::NEVER);
        }
        let rolled = generation > 0 && self.keys[chain[generation - 1]].base != key.base;
        let made_on = from - random.between(30, 400) * DAY;
        let floor = if rolled { TokenId::MIN } else { tid_at(made_on, key.base) };
        let firmware = match random.pick(&group.firmware) {
            Some(id) => self.families[place].firmware_index(id).unwrap_or_default(),
            None => 0,
        };
        let profile = self.families[place].compile(firmware);
        let decoder = decoder(&self.keys, &made)
            .ok_or_else(|| format!("key {} gives no key for EA{}", key.id, made.ea.code()))?;
        let mut meter = Meter::new(profile, pan.manufacturer_code(), decoder, attributes, floor);
        if random.chance(0.4) {
            // What it took in the weeks before.
            for weeks in [4, 3, 1] {
                let taken = from - weeks * 7 * DAY + random.between(0, 6 * DAY);
                let taken = taken.max(since.saturating_add(DAY));
                meter.remember(tid_at(taken, key.base).max(floor));
            }
        }
        let mut near_full = false;
        let register = group.commodity.0 as usize;
        let mut credit = random.below(3000);
        if let Some(max) = profile.register_max
            && random.chance(fleet.near_full.0)
        {
            credit = max.saturating_sub(random.below(60));
            near_full = true;
        }
        meter.registers_mut().units[register] = credit;
        let recorded = if random.chance(fleet.stale.0) {
            self.stale(&mut random, &made, chain, group, &meter)
        } else {
            None
        };
        Ok(SimMeter {
            group: place,
            firmware,
            meter,
            recorded,
            made,
            generation,
            past,
            since,
            given: Vec::new(),
            taken: Vec::new(),
            recent: Vec::new(),
            sections: Vec::new(),
            kept_tids: false,
            dead: false,
            near_full,
            busy_until: i64::MIN,
        })
    }

    /// The meter as a wrong record has it: another key of the chain, or another tariff.
    fn stale(
        &self,
        random: &mut Random,
        made: &Made,
        chain: &[usize],
        group: &Group,
        meter: &Meter<'static>,
    ) -> Option<Box<Meter<'static>>> {
        let others: Vec<usize> = chain.iter().copied().filter(|key| *key != made.key).collect();
        let mut wrong = *made;
        match random.pick(&others) {
            Some(key) if random.chance(0.75) => wrong.key = *key,
            _ => {
                let others: Vec<u8> = group.tariffs.iter().map(|ti| ti.0.0).collect();
                wrong.ti = tariff(*random.pick(&others)?);
            }
        }
        if wrong == *made {
            return None;
        }
        let mut recorded = meter.clone();
        recorded.set_key(decoder(&self.keys, &wrong)?, attributes(&self.keys, &wrong));
        let base = self.keys[wrong.key].base;
        if base != self.keys[made.key].base {
            recorded.forget_tids(tid_at(self.plan.from.0 - 200 * DAY, base));
        }
        Some(Box::new(recorded))
    }
}

fn pan_of(maker: &str, serial: u64) -> Result<MeterPan, String> {
    let payload = format!("{maker}{:08}", serial % 100_000_000);
    let drn = format!("{payload}{}", luhn_check_digit(payload.as_bytes()));
    let drn = DecoderReferenceNumber::parse(&drn).map_err(|error| error.to_string())?;
    Ok(MeterPan::from_drn(&drn))
}

fn chain(maker: &mut KeyMaker, group: &Group) -> Result<Vec<usize>, String> {
    let mut chain = Vec::new();
    for plan in &group.key {
        let (sgc, krn, dkga) = (group.sgc.0, plan.krn.0, plan.dkga.0);
        let (base, ken) = (plan.base_date.0, plan.ken.0);
        let unique = KeyType::Unique;
        let main = maker.add(sgc, krn, unique, base, ken, dkga, true, None).ok_or_else(|| {
            format!("two keys of SGC {sgc}, KRN {krn}, base date {}", base.year())
        })?;
        for kt in &plan.also_kt {
            maker.add(sgc, krn, kt.0, base, ken, dkga, true, None);
        }
        for other in &plan.also_base_date {
            maker.add(sgc, krn, unique, other.0, ken, dkga, true, Some(main));
        }
        chain.push(main);
    }
    Ok(chain)
}

/// Keys of other supply groups, held and not, and one for each group that is not held.
fn strangers(maker: &mut KeyMaker, plan: &Plan, seed: u64) -> Vec<usize> {
    let mut random = Random::new(seed, Stream::Keys, 1 << 40);
    let never = KeyExpiryNumber::NEVER;
    let mut unheld = Vec::new();
    for group in &plan.group {
        let group = group.get_ref();
        let Some(last) = group.key.last() else { continue };
        let krn = KeyRevisionNumber::new(last.krn.0.get() % 9 + 1).unwrap_or(last.krn.0);
        let (base, dkga) = (last.base_date.0, last.dkga.0);
        let key = maker.add(group.sgc.0, krn, KeyType::Unique, base, never, dkga, false, None);
        unheld.extend(key);
    }
    let count = plan.fleet.extra_keys + 6;
    let mut made = 0;
    while made < count {
        let sgc = u32::try_from(100_000 + random.below(899_999)).unwrap_or_default();
        let sgc = SupplyGroupCode::new(sgc).unwrap_or(SupplyGroupCode::MIN);
        let krn =
            KeyRevisionNumber::new(1 + narrow(random.below(3))).unwrap_or(KeyRevisionNumber::MAX);
        let kt = match random.below(20) {
            0 => KeyType::Default,
            1 => KeyType::Common,
            _ => KeyType::Unique,
        };
        let old = krn.get() == 1;
        let base = if old { BaseDate::Y1993 } else { BaseDate::Y2014 };
        let dkga = if old { KeyDerivation::Dkga02 } else { KeyDerivation::Dkga04 };
        let held = made >= 6;
        if let Some(place) = maker.add(sgc, krn, kt, base, never, dkga, held, None) {
            if !held {
                unheld.push(place);
            }
            made += 1;
        }
    }
    unheld
}

fn till(plan: &Plan, seed: u64, place: u64) -> Till {
    let mut random = Random::new(seed, Stream::Tills, place);
    let vending = &plan.vending;
    let zone = vending.zone.0;
    let clock = random.offset(&vending.clock);
    let local_tids = random.chance(vending.local_tids.0);
    let local_stamps = random.chance(vending.local_stamps.0);
    Till {
        clock: clock + if local_tids { zone } else { 0 },
        stamp: if local_stamps { zone } else { 0 },
    }
}

impl World {
    /// What two configurations differ in, as a cause; `None` where nothing differs.
    ///
    /// The vocabulary's own definitions, on what the simulator knows: the configuration that the
    /// token was made in, and the meter's.
    pub(super) fn difference(&self, made: &Made, meter: usize) -> Option<Behaviour> {
        let held = &self.meters[meter];
        if !self.keys[made.key].held {
            return Some(Behaviour::Unknown);
        }
        if made.pan != held.made.pan {
            let same = Made { pan: held.made.pan, ..*made } == held.made;
            let owner = self.owners.get(&made.pan).map(|place| &self.meters[*place]);
            let owner = owner.is_some_and(|owner| owner.made == *made);
            return Some(if same || owner { Behaviour::OtherMeter } else { Behaviour::Unknown });
        }
        if *made == held.made {
            return None;
        }
        let (theirs, own) = (&self.keys[made.key], &self.keys[held.made.key]);
        let sgc = theirs.sgc != own.sgc;
        let kt = theirs.kt != own.kt;
        let base = theirs.base != own.base;
        let krn = !sgc && theirs.krn != own.krn;
        let date_alone = !sgc && !krn && base;
        let (ea, ti) = (made.ea != held.made.ea, made.ti != held.made.ti);
        let several = [sgc, kt, krn, ea, ti, date_alone].into_iter().filter(|d| *d).count();
        Some(match several {
            0 => return None,
            1 if sgc => Behaviour::SgcMismatch,
            1 if kt => Behaviour::KtMismatch,
            1 if ea => Behaviour::EaMismatch,
            1 if ti => Behaviour::TiMismatch,
            1 if date_alone => Behaviour::BdtMismatch,
            1 => {
                let ahead = if base {
                    theirs.base > own.base
                } else {
                    let steps = i16::from(theirs.krn.get()) - i16::from(own.krn.get());
                    (1..=4).contains(&steps.rem_euclid(9))
                };
                match ahead {
                    true if held.sections.contains(&made.key) => Behaviour::KctIncomplete,
                    true => Behaviour::KrnAhead,
                    false => Behaviour::KrnBehind,
                }
            }
            _ => Behaviour::ConfigSeveral,
        })
    }
}
