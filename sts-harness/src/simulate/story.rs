//! What people, tills and fingers do: each behaviour as entries at a keypad.

use sts_core::class::key_change;
use sts_core::framing::extend;
use sts_core::{
    Amount, BaseDate, Class, CurrencyAmount, DecoderKey, EncryptionAlgorithm, Framing, KeyType,
    MeterTest, Payload, Setting, TariffIndex, Token, TokenId,
};

use super::behaviour::Behaviour;
use super::digits::{self, Slipped};
use super::random::Random;
use super::world::{Made, Past, Sale, Till, World, attributes, decoder, tid_at};

/// Why the digits of an entry are as they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Intent {
    /// As the token was sold: what is wrong lies in how it was made, or in the meter.
    AsSold,
    /// One slip, or damage, of a token that is fine.
    Slip(Behaviour),
    /// Digits that are no such thing, or wrong in two ways.
    Strange(Behaviour),
}

/// One entry to be made.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) keyed: String,
    pub(super) intent: Intent,
    pub(super) behaviour: Behaviour,
    pub(super) sale: Option<Sale>,
    /// Where the slip is, from 0.
    pub(super) place: Option<usize>,
    /// The digits meant.
    pub(super) meant: Option<String>,
    /// The record of this entry has the display for certain.
    pub(super) display_noted: bool,
    /// The meter has a fault, and shows that.
    pub(super) fault: bool,
    /// Kept in the pocket for another entry once it is taken.
    pub(super) keep: bool,
}

/// Something that waits for its time.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Enter(Box<Entry>),
    Visit(Behaviour),
}

/// What a visit comes to: acts with their times.
pub(super) type Acts = Vec<(i64, Act)>;

const DAY: i64 = 86_400;

/// One visit to one meter.
pub(super) struct Visit<'w> {
    pub(super) world: &'w mut World,
    pub(super) meter: usize,
    pub(super) at: i64,
    pub(super) random: Random,
    pub(super) behaviour: Behaviour,
    pub(super) acts: Acts,
}

impl Visit<'_> {
    /// The entries of this visit; `None` where the meter is not one that this can happen to.
    pub(super) fn plan(mut self) -> Option<Acts> {
        if self.world.meters[self.meter].dead || self.world.meters[self.meter].busy_until > self.at
        {
            return None;
        }
        self.story()?;
        let last = self.acts.iter().map(|act| act.0).max()?;
        // A purchase days later is no reason to leave the meter alone until then.
        self.world.meters[self.meter].busy_until = last.min(self.at + DAY);
        Some(self.acts)
    }

    fn story(&mut self) -> Option<()> {
        use Behaviour as B;
        match self.behaviour {
            B::Buy => self.buy(),
            B::Change => self.change(),
            B::Lockout => self.lockout(),
            B::NotToken => self.not_token(),
            B::NotTokenFault => self.fault(),
            B::FormatNondigit
            | B::FormatSpreadsheet
            | B::TypedDigit
            | B::TypedSwap
            | B::TypedGroup
            | B::TypedLength => self.slip(),
            B::LengthAhead | B::LengthBehind => self.other_framing(),
            B::ExtensionMismatch => self.bad_extension(),
            B::LengthOther => self.other_length(),
            B::FormatOutOfRange => {
                let digits = digits::beyond(&mut self.random);
                self.strange(digits::text(&digits), B::FormatOutOfRange)
            }
            B::OtherMeter => self.other_meter(),
            B::SgcMismatch
            | B::KtMismatch
            | B::BdtMismatch
            | B::EaMismatch
            | B::TiMismatch
            | B::ConfigSeveral
            | B::KrnAhead => self.misconfigured(),
            B::KctIncomplete => self.incomplete(),
            B::KrnBehind => self.behind(),
            B::KctUnsupported => self.unsupported_section(),
            B::KctKeyType => self.wrong_key_type(),
            B::KeyDefault => self.default_key(),
            B::KeyExpired => self.expired(),
            B::TidUsed => self.used(),
            B::TidWrapped => self.wrapped(),
            B::RolloverBitMissing => self.no_rollover_bit(),
            B::TidClockOffset => self.clock_offset(),
            B::TidOld => self.old(),
            B::FunctionResource => self.wrong_resource(),
            B::FunctionOther | B::MfrCode | B::Range => self.odd_function(),
            B::Overflow => self.overflow(),
            B::RecordStale => self.stale(),
            B::Unknown => self.unknown(),
        }
    }

    fn made(&self) -> Made {
        self.world.meters[self.meter].made
    }

    fn base(&self) -> BaseDate {
        self.world.key(&self.made()).base
    }

    /// Whether an ordinary token would be taken now.
    fn is_ordinary(&self) -> bool {
        let meter = &self.world.meters[self.meter];
        let base = self.base();
        let tid = tid_at(self.at, base);
        !meter.kept_tids
            && !meter.near_full
            && meter.meter.attributes().kt != KeyType::Default
            && !meter.meter.attributes().ken.is_past(tid)
            && !is_over(self.at, base)
    }

    fn till(&mut self) -> Till {
        *self.random.pick(&self.world.tills).unwrap_or(&Till { clock: 0, stamp: 0 })
    }

    /// When a token entered now was sold: under the meter's present key.
    fn sale_time(&mut self) -> i64 {
        let delay = self.random.delay(&self.world.plan.people.entry_delay);
        let since = self.world.meters[self.meter].since;
        (self.at - delay).max(since.saturating_add(120)).min(self.at)
    }

    /// A till sells a credit token.
    fn sell(&mut self, made: Made, at: i64) -> Option<Sale> {
        let till = self.till();
        self.sell_at(made, at, till.clock, till.stamp, |_| {})
    }

    fn sell_at(
        &mut self,
        made: Made,
        at: i64,
        clock: i64,
        stamp: i64,
        change: impl FnOnce(&mut Payload),
    ) -> Option<Sale> {
        let group = self.world.group(self.meter);
        let (price, commodity) = (u64::from(group.price), group.commodity.0);
        let payments = &self.world.plan.people.payments;
        let place = self.random.weighted(payments.iter().map(|payment| payment.1));
        let paid = payments.get(place).map_or(50, |payment| payment.0);
        let units = (u64::from(paid) * 1000).div_ceil(price);
        let amount = Amount::round_up(u32::try_from(units).ok()?).ok()?;
        let tid = self.tid(&made, at + clock);
        let rnd = self.random.next().to_le_bytes()[0] & 15;
        let mut payload = Payload::Credit { commodity, rnd, tid, amount };
        change(&mut payload);
        let key = decoder(&self.world.keys, &made)?;
        let posting = self.random.delay(&self.world.plan.vending.posting);
        Some(Sale {
            at,
            stamp: at + stamp + posting,
            tid: payload.tid(),
            units: match payload {
                Payload::Credit { amount, .. } => Some(amount.units()),
                _ => None,
            },
            unit: commodity.unit(),
            paid: Some(paid),
            made,
            token: Token::seal(&payload, &key),
            kind: "credit",
            to: None,
        })
    }

    /// The minute of a sale, or the next that this meter's tokens have not taken.
    fn tid(&mut self, made: &Made, at: i64) -> TokenId {
        let base = self.world.key(made).base;
        let given = &mut self.world.meters[self.meter].given;
        let mut tid = tid_at(at, base);
        while given.contains(&(base, tid)) {
            tid = tid.following().skip_reserved_minute();
        }
        given.push((base, tid));
        tid
    }

    /// Any other token of a class that needs no amount.
    fn seal(&mut self, payload: &Payload, made: Made, kind: &'static str) -> Option<Sale> {
        let key = decoder(&self.world.keys, &made)?;
        let at = self.sale_time();
        let till = self.till();
        let posting = self.random.delay(&self.world.plan.vending.posting);
        Some(Sale {
            at,
            stamp: at + till.stamp + posting,
            tid: payload.tid(),
            units: None,
            unit: "",
            paid: None,
            made,
            token: Token::seal(payload, &key),
            kind,
            to: None,
        })
    }

    fn entry(&self, keyed: String, intent: Intent, sale: Option<Sale>) -> Entry {
        Entry {
            keyed,
            intent,
            behaviour: self.behaviour,
            sale,
            place: None,
            meant: None,
            display_noted: false,
            fault: false,
            keep: true,
        }
    }

    fn enter(&mut self, at: i64, entry: Entry) {
        self.acts.push((at, Act::Enter(Box::new(entry))));
    }

    /// The next moment at the keypad.
    fn moment(&mut self) -> i64 {
        let last = self.acts.last().map_or(self.at - 1, |act| act.0);
        if self.acts.is_empty() {
            return self.at;
        }
        last + self.random.delay(&self.world.plan.people.between).clamp(3, 280)
    }

    fn enter_sold(&mut self, sale: &Sale) {
        let keyed = sale.token.to_string();
        let at = self.moment();
        self.enter(at, self.entry(keyed, Intent::AsSold, Some(sale.clone())));
    }

    /// The same refused token again, as people do.
    fn repeat(&mut self) {
        let share = self.world.plan.people.repeated.0;
        let mut left = 3;
        while left > 0 && self.random.chance(share) {
            let Some((_, Act::Enter(entry))) = self.acts.last() else { return };
            let entry = (**entry).clone();
            let at = self.moment();
            self.enter(at, entry);
            left -= 1;
        }
    }

    fn strange(&mut self, keyed: String, cause: Behaviour) -> Option<()> {
        let sale = if self.random.chance(0.6) && self.is_ordinary() {
            let at = self.sale_time();
            self.sell(self.made(), at)
        } else {
            None
        };
        let at = self.moment();
        self.enter(at, self.entry(keyed, Intent::Strange(cause), sale.clone()));
        self.repeat();
        if let Some(sale) = sale
            && self.random.chance(self.world.plan.people.corrected.0)
        {
            self.enter_sold(&sale);
        }
        Some(())
    }

    /// What vending believes of the meter: its own record where it has switched by itself.
    fn vended(&self, at: i64) -> Made {
        let meter = &self.world.meters[self.meter];
        let chain = &self.world.chains[meter.group];
        match self.world.group(self.meter).vending_switch {
            Some(switch) => {
                let place = usize::from(at >= switch.0).min(chain.len() - 1);
                Made { key: chain[place], ..meter.made }
            }
            None => meter.made,
        }
    }

    fn buy(&mut self) -> Option<()> {
        let switched = self.world.group(self.meter).vending_switch.is_some();
        if !self.is_ordinary() {
            return None;
        }
        let at = if switched {
            self.at - self.random.delay(&self.world.plan.people.entry_delay)
        } else {
            self.sale_time()
        };
        let sale = self.sell(self.vended(at), at)?;
        let firmware = self.world.meters[self.meter].meter.profile();
        if firmware.framings.contains(Framing::W24Check) && self.random.chance(0.3) {
            let keyed = self.extended(&sale, None);
            let at = self.moment();
            self.enter(at, self.entry(keyed, Intent::AsSold, Some(sale)));
            return Some(());
        }
        self.enter_sold(&sale);
        if switched && sale.made != self.made() {
            self.repeat();
        }
        Some(())
    }

    /// The next key in the chain, or the same revision's unique key for a default one.
    fn next_key(&self) -> Option<usize> {
        let meter = &self.world.meters[self.meter];
        let chain = &self.world.chains[meter.group];
        if meter.meter.attributes().kt == KeyType::Default {
            return chain.get(meter.generation).copied();
        }
        chain.get(meter.generation + 1).copied()
    }

    /// The tokens of a key change, first section first.
    fn key_change(&mut self, to: usize, rollover: Option<bool>) -> Option<Vec<Sale>> {
        let from = self.made();
        let to = Made { key: to, ..from };
        let new = decoder(&self.world.keys, &to)?;
        let attributes = attributes(&self.world.keys, &to);
        let changed = self.world.key(&to).base != self.world.key(&from).base;
        let sets = self.world.meters[self.meter].meter.profile().key_change_sets;
        let wanted = self.world.group(self.meter).sections;
        let three = if sets.contains(wanted) { wanted == 3 } else { sets.contains(3) };
        self.sections(&new, &attributes, rollover.unwrap_or(changed), three, to)
    }

    fn sections(
        &mut self,
        new: &DecoderKey,
        attributes: &sts_core::KeyAttributes,
        rollover: bool,
        three: bool,
        to: Made,
    ) -> Option<Vec<Sale>> {
        let payloads: Vec<Payload> = key_change(new, attributes, rollover, three).collect();
        let mut sales = Vec::new();
        for payload in payloads {
            let mut sale = self.seal(&payload, self.made(), "key_change")?;
            sale.to = Some(to);
            if let Some(Sale { at, stamp, .. }) = sales.first() {
                (sale.at, sale.stamp) = (*at, *stamp);
            }
            sales.push(sale);
        }
        Some(sales)
    }

    /// Whether sections lie about that are not for the key that comes next.
    fn has_stray_sections(&self) -> bool {
        let next = self.next_key();
        self.world.meters[self.meter].sections.iter().any(|key| Some(*key) != next)
    }

    fn change(&mut self) -> Option<()> {
        let kept = self.world.meters[self.meter].kept_tids;
        let to = self.next_key()?;
        // A key change that forgot the bit is mended by the next one.
        let mut sections = self.key_change(to, kept.then_some(true))?;
        let strict = self.world.meters[self.meter].meter.profile().section_order
            == sts_core::SectionOrder::Strict;
        if !strict && !self.has_stray_sections() && self.random.chance(0.2) {
            sections.reverse();
        }
        for section in &sections {
            self.enter_sold(section);
        }
        Some(())
    }

    fn lockout(&mut self) -> Option<()> {
        let rule = self.world.meters[self.meter].meter.profile().lockout?;
        if !self.is_ordinary() {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        let right = digits::values(&sale.token.to_string());
        for _ in 0..rule.after {
            let beside = self.world.plan.people.neighbour_key.0;
            let slipped = digits::wrong_digit(&right, &mut self.random, beside);
            self.enter_slip(Behaviour::TypedDigit, slipped, &sale);
        }
        self.enter_sold(&sale);
        self.repeat();
        let first = rule.durations_s.first().copied().unwrap_or_default();
        let at = self.at + i64::from(first) * 3 + 3600;
        self.enter(at, self.entry(sale.token.to_string(), Intent::AsSold, Some(sale)));
        Some(())
    }

    fn enter_slip(&mut self, cause: Behaviour, slipped: Slipped, sale: &Sale) {
        let keyed = digits::text(&slipped.0);
        let mut entry = self.entry(keyed, Intent::Slip(cause), Some(sale.clone()));
        entry.place = Some(slipped.1);
        entry.meant = Some(sale.token.to_string());
        let at = self.moment();
        self.enter(at, entry);
    }

    fn not_token(&mut self) -> Option<()> {
        let own = self.made().pan;
        let keyed = match self.random.below(10) {
            0..=3 => own.drn().to_owned(),
            4 => own.as_str().to_owned(),
            5..=6 => {
                let rest = digits::text(&digits::any(7, &mut self.random));
                let prefix = *self.random.pick(&["082", "073", "061", "079"])?;
                if self.random.chance(0.3) {
                    format!("27{}{rest}", &prefix[1..])
                } else {
                    format!("{prefix}{rest}")
                }
            }
            7..=8 => {
                let length = 4 + self.random.place(3);
                digits::text(&digits::any(length, &mut self.random))
            }
            _ => "0".repeat(20),
        };
        self.strange(keyed, Behaviour::NotToken)
    }

    fn fault(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        self.enter_sold(&sale);
        if let Some((_, Act::Enter(entry))) = self.acts.last_mut() {
            (entry.fault, entry.display_noted) = (true, true);
        }
        Some(())
    }

    fn slip(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        let right = digits::values(&sale.token.to_string());
        let random = &mut self.random;
        match self.behaviour {
            Behaviour::FormatNondigit | Behaviour::FormatSpreadsheet => {
                let keyed = if self.behaviour == Behaviour::FormatNondigit {
                    digits::misread(&right, random)
                } else {
                    digits::damaged(&right, random)?
                };
                let mut entry = self.entry(keyed, Intent::Slip(self.behaviour), Some(sale.clone()));
                entry.meant = Some(sale.token.to_string());
                let at = self.moment();
                self.enter(at, entry);
            }
            cause => {
                let slipped = match cause {
                    Behaviour::TypedDigit => {
                        let beside = self.world.plan.people.neighbour_key.0;
                        digits::wrong_digit(&right, random, beside)
                    }
                    Behaviour::TypedSwap => digits::swapped(&right, random)?,
                    Behaviour::TypedGroup => digits::wrong_group(&right, random)?,
                    _ => digits::wrong_length(&right, random),
                };
                self.enter_slip(cause, slipped, &sale);
                if self.random.chance(0.15) {
                    self.repeat();
                }
            }
        }
        if self.random.chance(self.world.plan.people.corrected.0) {
            self.enter_sold(&sale);
        }
        Some(())
    }

    /// The 24 digits that this project defines; `wrong` spoils one of its claims.
    fn extended(&self, sale: &Sale, wrong: Option<u8>) -> String {
        let krn = self.world.key(&sale.made).krn.get();
        let resource = self.world.group(self.meter).commodity.0 as u8;
        let (krn, resource) = match wrong {
            Some(0) => (krn % 9 + 1, resource),
            Some(_) => (krn, (resource + 1) % 4),
            None => (krn, resource),
        };
        extend(sale.token, krn, resource).map(char::from).into_iter().collect()
    }

    fn other_framing(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        let keyed = self.extended(&sale, None);
        let meter = &self.world.meters[self.meter];
        let cause = digits::framed_elsewhere(self.world.family(self.meter), meter.firmware, &keyed);
        if cause != Some(self.behaviour)
            || meter.meter.profile().framings.contains(Framing::W24Check)
        {
            return None;
        }
        let at = self.moment();
        self.enter(at, self.entry(keyed, Intent::AsSold, Some(sale.clone())));
        self.repeat();
        if self.random.chance(0.4) {
            self.enter_sold(&sale);
        }
        Some(())
    }

    fn bad_extension(&mut self) -> Option<()> {
        let profile = self.world.meters[self.meter].meter.profile();
        if !profile.framings.contains(Framing::W24Check) || !self.is_ordinary() {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        let (keyed, intent) = match self.random.below(4) {
            claim @ 0..=1 => (self.extended(&sale, Some(claim.to_le_bytes()[0])), Intent::AsSold),
            _ => {
                let right = digits::values(&self.extended(&sale, None));
                let slipped = digits::wrong_digit(&right, &mut self.random, 0.6).0;
                (digits::text(&slipped), Intent::Slip(Behaviour::TypedDigit))
            }
        };
        let at = self.moment();
        self.enter(at, self.entry(keyed, intent, Some(sale.clone())));
        if self.random.chance(0.5) {
            self.enter_sold(&sale);
        }
        Some(())
    }

    fn other_length(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        let mut keyed = digits::values(&sale.token.to_string());
        match self.random.below(5) {
            // The entry breaks off.
            0 => keyed.truncate(14 + self.random.place(5)),
            // The next token on the slip runs on, or all of it.
            1 => {
                let next = self.sell(self.made(), sale.at)?;
                let next = digits::values(&next.token.to_string());
                let more = if self.random.chance(0.5) { 20 } else { 4 };
                keyed.extend(&next[..more]);
            }
            // The amount or the step on the slip goes with it.
            2 => keyed.extend(digits::any(2 + self.random.place(2), &mut self.random)),
            3 => {
                let mut before = digits::any(2, &mut self.random);
                before.extend(&keyed);
                keyed = before;
            }
            _ => {
                let first = self.random.place(keyed.len() - 1);
                keyed.remove(first);
                keyed.remove(self.random.place(keyed.len()));
            }
        }
        let text = digits::text(&keyed);
        // What would pass for another kind of number is another story.
        if matches!(keyed.len(), 16 | 19..=21) || sts_core::MeterPan::parse(&text).is_ok() {
            return None;
        }
        let mut entry =
            self.entry(text, Intent::Strange(Behaviour::LengthOther), Some(sale.clone()));
        entry.meant = Some(sale.token.to_string());
        let at = self.moment();
        self.enter(at, entry);
        if self.random.chance(self.world.plan.people.corrected.0) {
            self.enter_sold(&sale);
        }
        Some(())
    }

    fn other_meter(&mut self) -> Option<()> {
        let count = self.world.meters.len();
        let own = self.made();
        let made = if self.random.chance(0.7) {
            let other = if self.random.chance(0.5) {
                (self.meter + 1 + self.random.place(3)) % count
            } else {
                self.random.place(count)
            };
            let other = &self.world.meters[other];
            let usable = !other.dead && other.recorded.is_none() && other.busy_until <= self.at;
            if !usable || other.made.pan == own.pan || other.since + 3600 > self.at {
                return None;
            }
            other.made
        } else {
            let right = digits::values(own.pan.drn());
            let slipped = if self.random.chance(0.6) {
                digits::wrong_digit(&right, &mut self.random, 0.3)
            } else {
                digits::swapped(&right, &mut self.random)?
            };
            let pan = own.pan.with_unchecked_drn(&digits::text(&slipped.0)).ok()?;
            Made { pan, ..own }
        };
        let at = (self.at - self.random.delay(&self.world.plan.people.entry_delay).min(3000))
            .max(self.world.meters[self.meter].since.saturating_add(60));
        let sale = self.sell(made, at)?;
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    /// A configuration that differs from the meter's in one thing.
    fn altered(&mut self, from: Made, in_what: Behaviour) -> Option<Made> {
        let own = self.world.key(&from).clone();
        let ea = from.ea;
        let usable = |key: &super::world::Key| {
            key.held
                && (ea != EncryptionAlgorithm::Misty1
                    || key.dkga == sts_core::KeyDerivation::Dkga04)
        };
        let keys = match in_what {
            Behaviour::SgcMismatch => {
                self.world.keys_where(|key| usable(key) && key.sgc != own.sgc && key.kt == own.kt)
            }
            Behaviour::KtMismatch => self.world.keys_where(|key| {
                usable(key)
                    && (key.sgc, key.krn, key.base) == (own.sgc, own.krn, own.base)
                    && key.kt != own.kt
            }),
            Behaviour::BdtMismatch => self.world.keys_where(|key| {
                usable(key)
                    && (key.sgc, key.krn, key.kt) == (own.sgc, own.krn, own.kt)
                    && key.base != own.base
            }),
            Behaviour::KrnAhead => {
                let meter = &self.world.meters[self.meter];
                let chain = &self.world.chains[meter.group];
                chain.get(meter.generation + 1).copied().into_iter().collect()
            }
            Behaviour::KrnBehind => {
                let meter = &self.world.meters[self.meter];
                meter.past.iter().map(|past| past.made.key).collect()
            }
            Behaviour::TiMismatch => {
                let tariffs = &self.world.group(self.meter).tariffs;
                let places: Vec<(u8, u32)> = tariffs
                    .iter()
                    .filter(|(ti, _)| ti.0 != from.ti.get())
                    .map(|(ti, weight)| (ti.0, *weight))
                    .collect();
                let place = self.random.weighted(places.iter().map(|ti| ti.1));
                let ti = if self.random.chance(0.15) {
                    u8::try_from(self.random.below(100)).ok()?
                } else {
                    places.get(place)?.0
                };
                return Some(Made { ti: TariffIndex::new(ti).ok()?, ..from });
            }
            Behaviour::EaMismatch => {
                let others: &[EncryptionAlgorithm] = match own.dkga {
                    sts_core::KeyDerivation::Dkga04 if ea == EncryptionAlgorithm::Sta => {
                        &[EncryptionAlgorithm::Misty1]
                    }
                    sts_core::KeyDerivation::Dkga02 if ea == EncryptionAlgorithm::Sta => {
                        &[EncryptionAlgorithm::Dea]
                    }
                    _ => &[EncryptionAlgorithm::Sta],
                };
                return Some(Made { ea: *self.random.pick(others)?, ..from });
            }
            _ => return None,
        };
        let key = *self.random.pick(&keys)?;
        Some(Made { key, ..from })
    }

    /// Vending has a wrong record of the meter.
    fn misconfigured(&mut self) -> Option<()> {
        if !self.is_ordinary() && self.behaviour != Behaviour::KrnAhead {
            return None;
        }
        let own = self.made();
        let made = if self.behaviour == Behaviour::ConfigSeveral {
            const WAYS: [Behaviour; 6] = [
                Behaviour::SgcMismatch,
                Behaviour::KtMismatch,
                Behaviour::KrnAhead,
                Behaviour::KrnBehind,
                Behaviour::TiMismatch,
                Behaviour::EaMismatch,
            ];
            let first = *self.random.pick(&WAYS)?;
            let second = *self.random.pick(&WAYS)?;
            let once = self.altered(own, first)?;
            self.altered(once, second)?
        } else {
            self.altered(own, self.behaviour)?
        };
        // DKGA04 came when EA09 had gone.
        let gone = made.ea == EncryptionAlgorithm::Dea
            && self.world.key(&made).dkga == sts_core::KeyDerivation::Dkga04;
        if gone || self.world.difference(&made, self.meter) != Some(self.behaviour) {
            return None;
        }
        if self.behaviour == Behaviour::KrnAhead && self.has_stray_sections() {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(made, at)?;
        self.enter_sold(&sale);
        self.repeat();
        if self.behaviour == Behaviour::KrnAhead {
            // Some find the key-change tokens on the slip, and then the purchase works.
            if self.random.chance(0.1) && self.change().is_some() {
                self.enter_sold(&sale);
            }
        } else if self.random.chance(self.world.plan.vending.wrong_again.0) {
            let at = self.at + self.random.between(1, 9) * DAY + self.random.between(0, 30_000);
            self.acts.push((at, Act::Visit(self.behaviour)));
        }
        Some(())
    }

    fn incomplete(&mut self) -> Option<()> {
        let to = self.next_key()?;
        let own = self.made();
        if self.world.difference(&Made { key: to, ..own }, self.meter).is_none()
            || self.has_stray_sections()
            || self.world.key(&own).kt == KeyType::Default
        {
            return None;
        }
        let mut sections = self.key_change(to, None)?;
        let missing = if self.random.chance(0.6) {
            sections.len() - 1
        } else {
            self.random.place(sections.len())
        };
        let strict = self.world.meters[self.meter].meter.profile().section_order
            == sts_core::SectionOrder::Strict;
        let lost = if strict { sections.len() - 1 } else { missing };
        let last = sections.remove(lost);
        if self.world.meters[self.meter].sections.is_empty() || self.random.chance(0.3) {
            for section in &sections {
                self.enter_sold(section);
            }
        }
        let at = self.sale_time();
        let sale = self.sell(Made { key: to, ..own }, at)?;
        let window = self.world.meters[self.meter].meter.profile().section_window_s;
        if let Some(window) = window
            && self.random.chance(0.5)
        {
            // All of the set, the last after the window has closed.
            let at = self.acts.last().map_or(self.at, |act| act.0) + i64::from(window) + 5;
            self.enter(at, self.entry(last.token.to_string(), Intent::AsSold, Some(last.clone())));
        }
        self.enter_sold(&sale);
        self.repeat();
        if self.random.chance(0.1) {
            for section in sections.iter().chain([&last]) {
                self.enter_sold(section);
            }
            self.enter_sold(&sale);
        }
        Some(())
    }

    fn behind(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let past: Vec<Past> = self.world.meters[self.meter].past.clone();
        let past = *self.random.pick(&past)?;
        if self.world.difference(&past.made, self.meter) != Some(Behaviour::KrnBehind) {
            return None;
        }
        let sale = match self.random.below(10) {
            // A token bought before the change, found again.
            0..=4 => {
                let at = past.until - self.random.delay(&self.world.plan.people.kept);
                self.sell(past.made, at)?
            }
            // The sections of the change that is done.
            5 => {
                let key = self.world.key(&past.made).clone();
                let to = self.made();
                let new = decoder(&self.world.keys, &to)?;
                let rollover = key.base != self.base();
                let to_attributes = attributes(&self.world.keys, &to);
                let payload = key_change(&new, &to_attributes, rollover, false).next()?;
                let mut sale = self.seal(&payload, past.made, "key_change")?;
                sale.at = past.until - self.random.between(600, 10 * DAY);
                sale.stamp = sale.at;
                sale
            }
            // Vending never heard of the change.
            _ => {
                let at = self.sale_time();
                self.sell(past.made, at)?
            }
        };
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn unsupported_section(&mut self) -> Option<()> {
        let made = self.made();
        if made.ea == EncryptionAlgorithm::Misty1 {
            return None;
        }
        let to = self.next_key()?;
        let to = Made { key: to, ..made };
        let sets = self.world.meters[self.meter].meter.profile().key_change_sets;
        let attributes = attributes(&self.world.keys, &to);
        let sections = if !sets.contains(3) {
            // A set of three for a meter that takes two.
            let new = decoder(&self.world.keys, &to)?;
            self.sections(&new, &attributes, false, true, to)?
        } else {
            // The fourth token of a set for 128-bit meters.
            let long = Made { ea: EncryptionAlgorithm::Misty1, ..to };
            let new = decoder(&self.world.keys, &long)?;
            self.sections(&new, &attributes, false, false, to)?
        };
        let refused = if sets.contains(3) { vec![3] } else { vec![0, 2] };
        for place in refused {
            let section = sections.get(place)?.clone();
            self.enter_sold(&section);
        }
        Some(())
    }

    fn wrong_key_type(&mut self) -> Option<()> {
        let made = self.made();
        let own = self.world.key(&made).clone();
        if own.kt != KeyType::Unique || !self.world.meters[self.meter].sections.is_empty() {
            return None;
        }
        let common = self.world.keys_where(|key| {
            (key.sgc, key.krn, key.base, key.kt) == (own.sgc, own.krn, own.base, KeyType::Common)
        });
        let to = *common.first()?;
        for section in &self.key_change(to, None)? {
            self.enter_sold(section);
        }
        self.repeat();
        Some(())
    }

    fn default_key(&mut self) -> Option<()> {
        if self.world.meters[self.meter].meter.attributes().kt != KeyType::Default
            || is_over(self.at, self.base())
        {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        self.enter_sold(&sale);
        self.repeat();
        if self.random.chance(0.04) {
            let later = self.at + self.random.between(1, 10) * DAY;
            self.acts.push((later, Act::Visit(Behaviour::Change)));
        }
        Some(())
    }

    fn expired(&mut self) -> Option<()> {
        let base = self.base();
        let at = self.sale_time();
        let meter = &self.world.meters[self.meter].meter;
        if !meter.attributes().ken.is_past(tid_at(at, base))
            || meter.attributes().kt == KeyType::Default
            || !meter.profile().checks_expiry
        {
            return None;
        }
        let sale = self.sell(self.made(), at)?;
        self.enter_sold(&sale);
        self.repeat();
        if self.random.chance(0.04) {
            let later = self.at + self.random.between(1, 10) * DAY;
            self.acts.push((later, Act::Visit(Behaviour::Change)));
        }
        Some(())
    }

    fn used(&mut self) -> Option<()> {
        let recent = &self.world.meters[self.meter].recent;
        let sale = self.random.pick(recent)?.clone();
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn wrapped(&mut self) -> Option<()> {
        let meter = &self.world.meters[self.meter];
        let at = self.at - 1800;
        if !is_over(at, self.base()) || meter.meter.attributes().kt == KeyType::Default {
            return None;
        }
        let sale = self.sell(self.made(), at)?;
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn no_rollover_bit(&mut self) -> Option<()> {
        if !self.world.meters[self.meter].kept_tids {
            let to = self.next_key()?;
            let new = self.world.keys[to].base;
            if new <= self.base() || !self.is_ordinary() || self.has_stray_sections() {
                return None;
            }
            for section in &self.key_change(to, Some(false))? {
                self.enter_sold(section);
            }
            let sale = self.sell(Made { key: to, ..self.made() }, self.at)?;
            self.enter_sold(&sale);
            return Some(());
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn lowest(&self) -> TokenId {
        self.world.meters[self.meter].meter.tids().iter().min().copied().unwrap_or(TokenId::MIN)
    }

    fn clock_offset(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let base = self.base();
        let at = self.sale_time();
        let wrong = match self.random.below(5) {
            // A clock that lost its battery starts at its first day.
            0 => 946_684_800 + self.random.between(0, 40 * DAY),
            1 => base.unix_minutes() * 60 + self.random.between(0, 40 * DAY),
            2 => at - 366 * DAY,
            3 => at - self.random.between(28, 31) * DAY,
            _ => at - self.random.between(8, 900) * DAY,
        };
        if TokenId::at(wrong.div_euclid(60), base)? >= self.lowest() {
            return None;
        }
        let clock = wrong - at;
        // The record is mostly stamped by another machine.
        let stamp = if self.random.chance(0.08) { clock } else { 0 };
        let sale = self.sell_at(self.made(), at, clock, stamp, |_| {})?;
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn old(&mut self) -> Option<()> {
        let meter = &self.world.meters[self.meter];
        let base = self.base();
        let lowest = self.lowest().unix_minutes(base) * 60;
        if !self.is_ordinary() || self.lowest().get() < 2000 {
            return None;
        }
        let since = meter.since;
        let at = lowest - self.random.delay(&self.world.plan.people.kept) - 7200;
        if at <= since {
            return None;
        }
        let sale = self.sell(self.made(), at)?;
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn wrong_resource(&mut self) -> Option<()> {
        let resources = self.world.meters[self.meter].meter.profile().resources;
        let others: Vec<u8> = (0..8).filter(|number| !resources.contains(*number)).collect();
        if others.is_empty() || !self.is_ordinary() {
            return None;
        }
        let other = *self.random.pick(&others)?;
        let commodity = sts_core::Commodity::ALL[usize::from(other & 3)];
        let at = self.sale_time();
        let till = self.till();
        let money = CurrencyAmount::round_up(i128::from(self.random.between(10, 500)) * 100_000);
        let money = money.ok()?;
        let sale = self.sell_at(self.made(), at, till.clock, till.stamp, |payload| {
            if let Payload::Credit { rnd, tid, amount, .. } = *payload {
                *payload = if other < 4 {
                    Payload::Credit { commodity, rnd, tid, amount }
                } else {
                    Payload::CurrencyCredit { commodity, tid, amount: money }
                };
            }
        })?;
        let sale = Sale { unit: commodity.unit(), ..sale };
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn odd_function(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let made = self.made();
        let at = self.sale_time();
        let payload = match self.behaviour {
            Behaviour::FunctionOther if self.random.chance(0.3) => {
                Payload::ExtendedRead { control: self.random.next() >> 28, mfr_code: 0 }
            }
            Behaviour::FunctionOther => {
                let settings = [Setting::TariffRate, Setting::WaterFactor, Setting::ExtendedWrite];
                let setting = *self.random.pick(&settings)?;
                let tid = self.tid(&made, at);
                let value = u16::try_from(self.random.below(1000)).ok()?;
                Payload::Set { setting, rnd: 5, tid, value }
            }
            Behaviour::MfrCode => {
                let own = made.pan.manufacturer_code().code;
                let code = u16::try_from(1 + self.random.below(98)).ok()?;
                if code == own {
                    return None;
                }
                let control = 1 << self.random.below(18);
                Payload::MeterTest(MeterTest::new(0, control, code).ok()?)
            }
            _ => {
                let value = u16::try_from(8 + self.random.below(60)).ok()?;
                let tid = self.tid(&made, at);
                Payload::Set { setting: Setting::ClearCredit, rnd: 5, tid, value }
            }
        };
        let kind =
            if payload.kind().0 == Class::NonMeterSpecificManagement { "test" } else { "set" };
        let mut sale = self.seal(&payload, made, kind)?;
        sale.at = at;
        self.enter_sold(&sale);
        Some(())
    }

    fn overflow(&mut self) -> Option<()> {
        let meter = &self.world.meters[self.meter];
        if !meter.near_full
            || meter.kept_tids
            || meter.meter.attributes().kt == KeyType::Default
            || is_over(self.at, self.base())
        {
            return None;
        }
        let at = self.sale_time();
        let sale = self.sell(self.made(), at)?;
        self.enter_sold(&sale);
        self.repeat();
        Some(())
    }

    fn stale(&mut self) -> Option<()> {
        self.world.meters[self.meter].recorded.as_ref()?;
        self.buy()?;
        if let Some((_, Act::Enter(entry))) = self.acts.last_mut() {
            entry.display_noted = true;
        }
        Some(())
    }

    fn unknown(&mut self) -> Option<()> {
        if !self.is_ordinary() {
            return None;
        }
        let own = self.made();
        match self.random.below(20) {
            // A key that the user does not hold: the next revision, or another utility's.
            0..=9 => {
                let group = self.world.meters[self.meter].group;
                let unheld = &self.world.unheld;
                let key = match unheld.get(group) {
                    Some(next) if self.random.chance(0.6) => *next,
                    _ => *self.random.pick(unheld)?,
                };
                let at = self.sale_time();
                let sale = self.sell(Made { key, ..own }, at)?;
                self.enter_sold(&sale);
                self.repeat();
                Some(())
            }
            // Something off another slip of paper, or made up.
            10..=13 => {
                let block = self.random.next();
                let token = Token::from_class_and_block(Class::Credit, block);
                self.strange(token.to_string(), Behaviour::Unknown)
            }
            // Wrong in two ways.
            way => {
                let made = if way < 17 { own } else { self.altered(own, Behaviour::KrnAhead)? };
                let at = self.sale_time();
                let sale = self.sell(made, at)?;
                let right = digits::values(&sale.token.to_string());
                let mut wrong = digits::wrong_digit(&right, &mut self.random, 0.5).0;
                if way < 17 {
                    let twice = digits::wrong_digit(&wrong, &mut self.random, 0.5).0;
                    let apart = twice.iter().zip(&right).filter(|(a, b)| a != b).count();
                    if apart < 2 {
                        return None;
                    }
                    wrong = twice;
                }
                // A slip in a token for another key is both, and the slip comes first.
                let intent = if way < 17 {
                    Intent::Strange(Behaviour::Unknown)
                } else {
                    Intent::Slip(Behaviour::TypedDigit)
                };
                let mut entry = self.entry(digits::text(&wrong), intent, Some(sale.clone()));
                entry.meant = Some(sale.token.to_string());
                let at = self.moment();
                self.enter(at, entry);
                Some(())
            }
        }
    }
}

/// Whether the last minute of a base date has passed.
pub(super) fn is_over(seconds: i64, base: BaseDate) -> bool {
    seconds.div_euclid(60) > base.last_unix_minute()
}
