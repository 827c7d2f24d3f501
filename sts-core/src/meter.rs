//! A meter: what it holds, and whether it takes a token.
//!
//! The meter application process of clauses 7.3.6 to 7.3.9. Nothing is written until
//! [`Admission::apply`]; a refusal leaves the meter as it was.

mod words;

use core::fmt;

pub use words::InvalidWord;

use crate::amount::Amount;
use crate::class::{Class, KeyChangeSet, KeySection, KeyWord, MeterTest, Payload, Setting};
use crate::framing::{Framed, Keyed};
use crate::key::{
    DecoderKey, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType, ManufacturerCode,
    SupplyGroupCode, TariffIndex,
};
use crate::profile::{Profile, SectionOrder, Shown};
use crate::rejection::{FailedChecks, RangedField, Rejection, TokenResult};
use crate::tid::TokenId;

/// Seconds on the meter's own steady clock. Only windows and lock-out read it.
pub type Seconds = u64;

/// Token identifiers a meter remembers unless it says otherwise.
pub const TID_PLACES: usize = 50;

/// Credit registers, by class 0 subclass.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the eight subclasses of class 0: complete")]
pub struct Registers {
    /// Electricity, water, gas, time: tenths of kWh, m³, m³, min.
    pub units: [u64; 4],
    /// The same four in currency: 0.000 01 of the base currency, signed.
    pub currency: [i64; 4],
}

/// The sections of a key change that were entered so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Staged {
    sections: [Option<KeySection>; 4],
    last_entry: Seconds,
}

impl Staged {
    fn count(&self) -> usize {
        self.sections.iter().flatten().count()
    }
}

/// Wrong entries in a row, and what came of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct KeypadLock {
    wrong: u8,
    in_a_row: u8,
    until: Seconds,
}

/// A meter. `TIDS` is the number of token identifiers it remembers, 50 by default.
#[derive(Clone, Debug)]
pub struct Meter<'p, const TIDS: usize = TID_PLACES> {
    profile: &'p Profile<'p>,
    manufacturer: ManufacturerCode,
    key: DecoderKey,
    attributes: KeyAttributes,
    tids: [TokenId; TIDS],
    registers: Registers,
    maximum_power: Option<Amount>,
    phase_unbalance: Option<Amount>,
    tampered: bool,
    staged: Staged,
    lock: KeypadLock,
}

impl<const TIDS: usize> PartialEq for Meter<'_, TIDS> {
    /// Every bit of state, the keys compared without an early exit.
    fn eq(&self, other: &Self) -> bool {
        self.key.same_as(&other.key)
            && self.profile == other.profile
            && self.manufacturer == other.manufacturer
            && self.attributes == other.attributes
            && self.tids == other.tids
            && self.registers == other.registers
            && self.maximum_power == other.maximum_power
            && self.phase_unbalance == other.phase_unbalance
            && self.tampered == other.tampered
            && self.staged == other.staged
            && self.lock == other.lock
    }
}

impl<'p, const TIDS: usize> Meter<'p, TIDS> {
    /// A meter as it leaves the maker: its memory filled with the TID of that day.
    #[must_use]
    pub fn new(
        profile: &'p Profile<'p>,
        manufacturer: ManufacturerCode,
        key: DecoderKey,
        attributes: KeyAttributes,
        tid_floor: TokenId,
    ) -> Self {
        Self {
            profile,
            manufacturer,
            key,
            attributes,
            tids: [tid_floor; TIDS],
            registers: Registers::default(),
            maximum_power: None,
            phase_unbalance: None,
            tampered: false,
            staged: Staged::default(),
            lock: KeypadLock::default(),
        }
    }

    /// The profile it works by.
    #[must_use]
    pub const fn profile(&self) -> &'p Profile<'p> {
        self.profile
    }

    /// Goes on under another firmware; all state stays.
    pub const fn set_profile(&mut self, profile: &'p Profile<'p>) {
        self.profile = profile;
    }

    /// The key it holds.
    #[must_use]
    pub const fn key(&self) -> &DecoderKey {
        &self.key
    }

    /// What it knows of its key.
    #[must_use]
    pub const fn attributes(&self) -> &KeyAttributes {
        &self.attributes
    }

    /// Puts another key in, as a maker or a test does; staged sections are dropped.
    pub fn set_key(&mut self, key: DecoderKey, attributes: KeyAttributes) {
        self.key = key;
        self.attributes = attributes;
        self.staged = Staged::default();
    }

    /// Its credit registers.
    #[must_use]
    pub const fn registers(&self) -> &Registers {
        &self.registers
    }

    /// Its credit registers, for metering what is used.
    pub const fn registers_mut(&mut self) -> &mut Registers {
        &mut self.registers
    }

    /// The TIDs it remembers, in no order.
    #[must_use]
    pub const fn tids(&self) -> &[TokenId; TIDS] {
        &self.tids
    }

    /// Remembers a TID in the place of the lowest.
    pub fn remember(&mut self, tid: TokenId) {
        if let Some(lowest) = self.tids.iter_mut().min() {
            *lowest = tid;
        }
    }

    /// Fills the memory with one TID.
    pub const fn forget_tids(&mut self, floor: TokenId) {
        self.tids = [floor; TIDS];
    }

    /// Maximum power limit, where a token has set one.
    #[must_use]
    pub const fn maximum_power(&self) -> Option<Amount> {
        self.maximum_power
    }

    /// Maximum phase power unbalance limit, where a token has set one.
    #[must_use]
    pub const fn phase_unbalance(&self) -> Option<Amount> {
        self.phase_unbalance
    }

    /// Whether the tamper condition stands.
    #[must_use]
    pub const fn is_tampered(&self) -> bool {
        self.tampered
    }

    /// Sets the tamper condition, as the meter's own detection does.
    pub const fn set_tampered(&mut self) {
        self.tampered = true;
    }

    /// The sections of a key change that are stored and still count at `now`.
    pub fn staged_sections(&self, now: Seconds) -> impl Iterator<Item = u8> {
        self.staged_at(now).sections.into_iter().flatten().map(|section| section.number())
    }

    /// What it shows for a result at `now`.
    pub fn shown(&self, result: TokenResult, now: Seconds) -> Shown<'p> {
        self.profile.shown(result, self.staged_at(now).count() > 0)
    }

    /// Takes what was keyed, as far as a preview: lock-out, framing, and all of [`admit`].
    ///
    /// [`admit`]: Self::admit
    ///
    /// # Errors
    ///
    /// The meter's refusal. The meter is as it was; call [`count_refusal`] to count it.
    ///
    /// [`count_refusal`]: Self::count_refusal
    pub fn enter(
        &mut self,
        keyed: &str,
        now: Seconds,
    ) -> Result<Admission<'_, 'p, TIDS>, Rejection> {
        self.check_lock(now)?;
        let framed = self.profile.frame(&Keyed::parse(keyed)?)?;
        self.admit(framed, now)
    }

    /// Decrypts, authenticates and validates a token, and says what applying it would do.
    ///
    /// # Errors
    ///
    /// The meter's refusal. The meter is as it was; call
    /// [`count_refusal`](Self::count_refusal) to count it towards a lock-out.
    pub fn admit(
        &mut self,
        framed: Framed,
        now: Seconds,
    ) -> Result<Admission<'_, 'p, TIDS>, Rejection> {
        self.check_lock(now)?;
        let payload = framed.token().open(&self.key).authenticate()?;
        self.check_manufacturer(&payload)?;
        framed.check_claims(&payload, self.attributes.krn)?;
        self.validate(&payload)?;
        let change = self.execution(&payload, now)?;
        Ok(Admission { meter: self, payload, change })
    }

    /// Counts a refusal towards the lock-out. `CRCError`, `MfrCodeError`, `LengthError` and
    /// `FormatError` count; anything else leaves the count.
    pub fn count_refusal(&mut self, refusal: &Rejection, now: Seconds) {
        let Some(rule) = self.profile.lockout else { return };
        let counts = matches!(
            refusal.result(),
            TokenResult::CrcError
                | TokenResult::MfrCodeError
                | TokenResult::LengthError
                | TokenResult::FormatError
        );
        if !counts || rule.after == 0 {
            return;
        }
        self.lock.wrong = self.lock.wrong.saturating_add(1);
        if self.lock.wrong >= rule.after {
            let place = usize::from(self.lock.in_a_row);
            let duration = rule.durations_s.get(place).or(rule.durations_s.last());
            self.lock.until = now.saturating_add(u64::from(duration.copied().unwrap_or_default()));
            self.lock.in_a_row = self.lock.in_a_row.saturating_add(1);
            self.lock.wrong = 0;
        }
    }

    fn check_lock(&self, now: Seconds) -> Result<(), Rejection> {
        match self.lock.until.checked_sub(now) {
            Some(remaining) if remaining > 0 => {
                let remaining_s = u32::try_from(remaining).unwrap_or(u32::MAX);
                Err(Rejection::Lockout { remaining_s })
            }
            _ => Ok(()),
        }
    }

    /// Clause 7.3.6: a class 1 token carries 0 or the meter's own code.
    fn check_manufacturer(&self, payload: &Payload) -> Result<(), Rejection> {
        let found = match payload {
            Payload::MeterTest(test) => test.mfr_code,
            Payload::ExtendedRead { mfr_code, .. } => u16::from(*mfr_code),
            _ => return Ok(()),
        };
        let own = self.manufacturer.code;
        if found == 0 || found == own { Ok(()) } else { Err(Rejection::MfrCode { found, own }) }
    }

    /// Clause 7.3.7, in the order of this project's choice: DDTK, expiry, old, used.
    fn validate(&self, payload: &Payload) -> Result<(), Rejection> {
        let Some(id) = payload.tid() else { return Ok(()) };
        let oldest_kept = self.tids.iter().min().copied().unwrap_or(TokenId::MIN);
        let expiry = self.attributes.ken;
        let failed = FailedChecks {
            default_key: payload.kind().0 == Class::Credit
                && self.attributes.kt == KeyType::Default,
            key_expired: self.profile.checks_expiry && expiry.is_past(id),
            old: id < oldest_kept,
            used: self.tids.contains(&id),
        };
        if failed.default_key {
            Err(Rejection::DefaultKey { failed })
        } else if failed.key_expired {
            Err(Rejection::KeyExpired { id, expiry: expiry.get(), failed })
        } else if failed.old {
            Err(Rejection::Old { id, oldest_kept, failed })
        } else if failed.used {
            Err(Rejection::Used { id, failed })
        } else {
            Ok(())
        }
    }

    /// Clause 7.3.8: what executing the token would change, or why it cannot be executed.
    fn execution(&self, payload: &Payload, now: Seconds) -> Result<Change, Rejection> {
        let (class, subclass) = payload.kind();
        if !self.profile.has_function(class, subclass) {
            return Err(Rejection::Unsupported { class, subclass });
        }
        match *payload {
            Payload::Credit { commodity, amount, .. } => {
                let register = commodity as u8;
                let max = self.profile.register_max.unwrap_or(u64::MAX);
                let held = self.units(register);
                let headroom = max.saturating_sub(held);
                let added = u64::from(amount.units());
                match held.checked_add(added) {
                    Some(total) if added <= headroom => Ok(Change::Units { register, total }),
                    _ => Err(Rejection::Overflow { register, headroom }),
                }
            }
            Payload::CurrencyCredit { commodity, amount, .. } => {
                let register = commodity as u8;
                let held = i128::from(self.currency(register));
                let max = self.profile.register_max.map_or(i128::from(i64::MAX), i128::from);
                let total = held.saturating_add(amount.units());
                match i64::try_from(total) {
                    Ok(total) if i128::from(total) <= max || amount.units() <= 0 => {
                        Ok(Change::Currency { register, total })
                    }
                    _ => {
                        let room = max.min(i128::from(i64::MAX)).saturating_sub(held).max(0);
                        Err(Rejection::Overflow {
                            register: register | 4,
                            headroom: u64::try_from(room).unwrap_or(u64::MAX),
                        })
                    }
                }
            }
            Payload::MeterTest(test) if test.is_test_zero() => Ok(Change::Test(test)),
            Payload::MeterTest(test) => {
                if test.tests().any(|number| self.profile.tests.contains(number)) {
                    Ok(Change::Test(test))
                } else {
                    Err(Rejection::UnknownTest)
                }
            }
            Payload::Set { setting: Setting::ClearCredit, value, .. } => match value {
                0..=7 if !self.profile.resources.contains(value.to_le_bytes()[0]) => {
                    Err(Rejection::Unsupported { class, subclass })
                }
                0..=7 | u16::MAX => Ok(Change::Set { setting: Setting::ClearCredit, value }),
                _ => Err(Rejection::Range {
                    field: RangedField::RegisterToClear,
                    found: u32::from(value),
                }),
            },
            Payload::Set { setting, value, .. } => Ok(Change::Set { setting, value }),
            Payload::KeySection(section) => self.stage(section, now),
            Payload::ExtendedRead { .. } | Payload::Other { .. } => Ok(Change::Own),
        }
    }

    fn units(&self, register: u8) -> u64 {
        self.registers.units.get(usize::from(register)).copied().unwrap_or_default()
    }

    fn currency(&self, register: u8) -> i64 {
        self.registers.currency.get(usize::from(register)).copied().unwrap_or_default()
    }

    /// The staging as it counts at `now`: nothing once the window is over.
    fn staged_at(&self, now: Seconds) -> Staged {
        match self.profile.section_window_s {
            Some(window) if now.saturating_sub(self.staged.last_entry) > u64::from(window) => {
                Staged::default()
            }
            _ => self.staged,
        }
    }

    /// Clause 7.3.9: keeps a section, or changes the key once the set is whole.
    fn stage(&self, section: KeySection, now: Seconds) -> Result<Change, Rejection> {
        let number = section.number();
        self.check_section(&section)?;
        let mut staged = self.staged_at(now);
        if self.profile.section_order == SectionOrder::Strict {
            let stored = u8::try_from(staged.count()).unwrap_or(u8::MAX);
            let expected = stored.saturating_add(1);
            if number > expected {
                return Err(Rejection::SectionOrder { expected, found: number });
            }
        }
        if let Some(place) = staged.sections.get_mut(usize::from(number).saturating_sub(1)) {
            *place = Some(section);
        }
        staged.last_entry = now;
        match self.complete(&staged)? {
            Some(change) => Ok(change),
            None => Ok(Change::Stage { staged, number }),
        }
    }

    /// Whether the meter takes this section at all, and its numbers are in range.
    fn check_section(&self, section: &KeySection) -> Result<(), Rejection> {
        let long = self.key.ea().has_long_key();
        let takes = |set| self.profile.takes_set(set);
        let supported = match section {
            _ if long => takes(KeyChangeSet::Four),
            KeySection::First { three_kct: true, .. } | KeySection::ThirdWithSgc { .. } => {
                takes(KeyChangeSet::Three)
            }
            KeySection::First { .. } => takes(KeyChangeSet::Two),
            KeySection::Second { .. } => takes(KeyChangeSet::Two) || takes(KeyChangeSet::Three),
            KeySection::Third { .. } | KeySection::Fourth { .. } => false,
        };
        if !supported {
            return Err(Rejection::UnsupportedSection { section: section.number() });
        }
        let range = |field, found| Err(Rejection::Range { field, found });
        match *section {
            KeySection::First { krn, .. } if krn == 0 || krn > KeyRevisionNumber::MAX.get() => {
                range(RangedField::KeyRevisionNumber, u32::from(krn))
            }
            KeySection::Second { ti, .. } if ti > TariffIndex::MAX.get() => {
                range(RangedField::TariffIndex, u32::from(ti))
            }
            KeySection::ThirdWithSgc { sgc, .. } if sgc > SupplyGroupCode::MAX.get() => {
                range(RangedField::SupplyGroupCode, sgc)
            }
            _ => Ok(()),
        }
    }

    /// The key change, once every section of the set is there.
    fn complete(&self, staged: &Staged) -> Result<Option<Change>, Rejection> {
        let [
            Some(KeySection::First { ken_high, krn, rollover, three_kct, kt, word: top }),
            Some(KeySection::Second { ken_low, ti, word: bottom }),
            third,
            fourth,
        ] = staged.sections
        else {
            return Ok(None);
        };
        let none = KeyWord(0);
        let (second, next, sgc) = match (self.key.ea().has_long_key(), third, fourth) {
            (
                true,
                Some(KeySection::Third { sgc_low, word: second }),
                Some(KeySection::Fourth { sgc_high, word: next }),
            ) => (second, next, Some(u32::from(sgc_high) << 12 | u32::from(sgc_low))),
            (true, ..) => return Ok(None),
            (_, Some(KeySection::ThirdWithSgc { sgc, .. }), _) if three_kct => {
                (none, none, Some(sgc))
            }
            (..) if three_kct => return Ok(None),
            // A set of two carries no supply group code: it stays as it was.
            (..) => (none, none, None),
        };
        let from = self.attributes.kt;
        if !from.may_change_to(kt) {
            return Err(Rejection::KeyType { from, to: kt });
        }
        let ranged = |field, found| Rejection::Range { field, found };
        let attributes = KeyAttributes {
            sgc: match sgc {
                Some(sgc) => SupplyGroupCode::new(sgc)
                    .map_err(|_| ranged(RangedField::SupplyGroupCode, sgc))?,
                None => self.attributes.sgc,
            },
            krn: KeyRevisionNumber::new(krn)
                .map_err(|_| ranged(RangedField::KeyRevisionNumber, u32::from(krn)))?,
            ti: TariffIndex::new(ti)
                .map_err(|_| ranged(RangedField::TariffIndex, u32::from(ti)))?,
            kt,
            ken: KeyExpiryNumber::new(ken_high << 4 | ken_low).unwrap_or(KeyExpiryNumber::NEVER),
        };
        let words = [top, second, next, bottom].map(|word| word.0);
        let key = self.key.with_words(words);
        Ok(Some(Change::Key { key, attributes, rollover }))
    }
}

/// What applying a token writes.
#[derive(Clone, Debug)]
enum Change {
    Units { register: u8, total: u64 },
    Currency { register: u8, total: i64 },
    Test(MeterTest),
    Set { setting: Setting, value: u16 },
    Stage { staged: Staged, number: u8 },
    Key { key: DecoderKey, attributes: KeyAttributes, rollover: bool },
    Own,
}

/// What a token does to the meter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// A register of units now holds this.
    Credited {
        /// The class 0 subclass, 0 to 3.
        register: u8,
        /// The new balance, in tenths of the commodity's unit.
        balance: u64,
    },
    /// A register of currency now holds this.
    CurrencyCredited {
        /// The class 0 subclass, 4 to 7.
        register: u8,
        /// The new balance, in 0.000 01 of the base currency.
        balance: i64,
    },
    /// A test or display was asked for.
    Tested(MeterTest),
    /// A setting was changed, or registers or the tamper condition cleared.
    Set {
        /// Which.
        setting: Setting,
        /// The token's 16 bits.
        value: u16,
    },
    /// A section of a key change was stored; the set is not yet whole.
    SectionStored {
        /// 1 to 4.
        section: u8,
    },
    /// The key was changed.
    KeyChanged {
        /// What the new key was made for.
        attributes: KeyAttributes,
        /// Whether the TID memory was cleared: the base date has changed.
        rollover: bool,
    },
    /// A maker's own function, which the profile names.
    Own,
}

impl Outcome {
    /// The standard's result.
    #[must_use]
    pub const fn result(&self) -> TokenResult {
        match self {
            Self::SectionStored { section } => TokenResult::section(*section),
            _ => TokenResult::Accept,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credited { register, balance } => {
                write!(f, "register {register} now holds {balance}")
            }
            Self::CurrencyCredited { register, balance } => {
                write!(f, "register {register} now holds {balance}")
            }
            Self::Tested(_) => f.write_str("test or display"),
            Self::Set { setting: Setting::ClearCredit, .. } => f.write_str("credit cleared"),
            Self::Set { setting: Setting::ClearTamper, .. } => f.write_str("tamper cleared"),
            Self::Set { value, .. } => write!(f, "set to {value}"),
            Self::SectionStored { section } => write!(f, "key change section {section} stored"),
            Self::KeyChanged { attributes, rollover } => {
                write!(f, "key changed to revision {}", attributes.krn)?;
                if *rollover { f.write_str(", token memory cleared") } else { Ok(()) }
            }
            Self::Own => f.write_str("maker's own function"),
        }
    }
}

/// A token that the meter would take. It borrows the meter, so nothing comes between.
///
/// It cannot be applied twice:
///
/// ```compile_fail,E0382
/// # fn twice(meter: &mut sts_core::Meter<'_>) -> Result<(), sts_core::Rejection> {
/// let admission = meter.enter("1844 6744 0738 4377 2416", 0)?;
/// admission.apply();
/// admission.apply();
/// # Ok(())
/// # }
/// ```
///
/// And there is never a second one:
///
/// ```compile_fail,E0499
/// # fn both(meter: &mut sts_core::Meter<'_>) -> Result<(), sts_core::Rejection> {
/// let first = meter.enter("1844 6744 0738 4377 2416", 0)?;
/// let second = meter.enter("1844 6744 0738 4377 2416", 0)?;
/// first.apply();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is written until it is applied"]
pub struct Admission<'m, 'p, const TIDS: usize = TID_PLACES> {
    meter: &'m mut Meter<'p, TIDS>,
    payload: Payload,
    change: Change,
}

impl<const TIDS: usize> Admission<'_, '_, TIDS> {
    /// What the token says.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What applying would do. Nothing is written yet.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match &self.change {
            Change::Units { register, total } => {
                Outcome::Credited { register: *register, balance: *total }
            }
            Change::Currency { register, total } => {
                Outcome::CurrencyCredited { register: *register | 4, balance: *total }
            }
            Change::Test(test) => Outcome::Tested(*test),
            Change::Set { setting, value } => Outcome::Set { setting: *setting, value: *value },
            Change::Stage { number, .. } => Outcome::SectionStored { section: *number },
            Change::Key { attributes, rollover, .. } => {
                Outcome::KeyChanged { attributes: *attributes, rollover: *rollover }
            }
            Change::Own => Outcome::Own,
        }
    }

    /// Executes the token: the only write. Cannot fail, and cannot run twice.
    #[expect(
        clippy::must_use_candidate,
        reason = "the outcome is a report; the write is the point"
    )]
    pub fn apply(self) -> Outcome {
        let outcome = self.outcome();
        let Self { meter, payload, change } = self;
        match change {
            Change::Units { register, total } => {
                if let Some(held) = meter.registers.units.get_mut(usize::from(register)) {
                    *held = total;
                }
            }
            Change::Currency { register, total } => {
                if let Some(held) = meter.registers.currency.get_mut(usize::from(register)) {
                    *held = total;
                }
            }
            Change::Test(_) | Change::Own => {}
            Change::Set { setting, value } => meter.set(setting, value),
            Change::Stage { staged, .. } => meter.staged = staged,
            Change::Key { key, attributes, rollover } => {
                meter.set_key(key, attributes);
                if rollover {
                    meter.forget_tids(TokenId::MIN);
                }
            }
        }
        if let Some(tid) = payload.tid() {
            meter.remember(tid);
        }
        meter.lock = KeypadLock::default();
        outcome
    }
}

impl<const TIDS: usize> Meter<'_, TIDS> {
    fn set(&mut self, setting: Setting, value: u16) {
        match setting {
            Setting::MaximumPowerLimit => self.maximum_power = Some(Amount::from_field(value)),
            Setting::PhaseUnbalanceLimit => self.phase_unbalance = Some(Amount::from_field(value)),
            Setting::ClearTamper => self.tampered = false,
            Setting::ClearCredit if value == u16::MAX => self.registers = Registers::default(),
            Setting::ClearCredit => {
                let register = usize::from(value & 3);
                if value < 4 {
                    if let Some(held) = self.registers.units.get_mut(register) {
                        *held = 0;
                    }
                } else if let Some(held) = self.registers.currency.get_mut(register) {
                    *held = 0;
                }
            }
            // Reserved meanings: the outcome tells the caller, the meter keeps nothing.
            Setting::TariffRate | Setting::WaterFactor | Setting::ExtendedWrite => {}
        }
    }
}
