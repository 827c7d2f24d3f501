//! A second, plainer meter: key, TID memory, registers, lock-out, key sections, display. It shares
//! no rule with the first.

use sts_core::{
    Class, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber,
    KeySection, KeyType, Meter, MeterTest, Payload, Profile, Rejection, SectionOrder, Setting,
    SupplyGroupCode, TariffIndex, TokenResult,
};

/// What the model holds. Numbers are wide, so that nothing wraps unseen.
#[derive(Debug)]
pub(crate) struct Model {
    key: Vec<u8>,
    attributes: KeyAttributes,
    /// Sorted, lowest first.
    pub(crate) tids: Vec<u32>,
    pub(crate) units: [i128; 4],
    pub(crate) currency: [i128; 4],
    power: Option<u16>,
    unbalance: Option<u16>,
    pub(crate) tampered: bool,
    wrong: u8,
    in_a_row: usize,
    until: u64,
    /// Sections stored, by number, and when the last came.
    sections: Vec<KeySection>,
    /// The plain block of each number.
    blocks: [u64; 4],
    last_section: u64,
}

impl Model {
    pub(crate) fn new(
        places: usize,
        floor: u32,
        key: &DecoderKey,
        attributes: KeyAttributes,
    ) -> Self {
        Self {
            key: key.expose_bytes().to_vec(),
            attributes,
            tids: vec![floor; places],
            units: [0; 4],
            currency: [0; 4],
            power: None,
            unbalance: None,
            tampered: false,
            wrong: 0,
            in_a_row: 0,
            until: 0,
            sections: Vec::new(),
            blocks: [0; 4],
            last_section: 0,
        }
    }

    /// Seconds for which the keypad takes nothing.
    pub(crate) fn locked_for(&self, now: u64) -> u64 {
        self.until.saturating_sub(now)
    }

    /// What the meter shows.
    pub(crate) fn shown<const TIDS: usize>(
        &self,
        meter: &Meter<'_, TIDS>,
        result: TokenResult,
        now: u64,
    ) -> String {
        let pending = !self.kept(meter, now).is_empty();
        for rule in meter.profile().display {
            if rule.on.contains(result) && (pending || !rule.only_pending) {
                return rule.show.replace("{result}", result.name());
            }
        }
        result.name().to_owned()
    }

    /// What the meter must answer to an authentic payload.
    pub(crate) fn expected<const TIDS: usize>(
        &self,
        meter: &Meter<'_, TIDS>,
        payload: &Payload,
        manufacturer: u16,
        now: u64,
    ) -> TokenResult {
        let profile = meter.profile();
        let (class, subclass) = payload.kind();
        if let Payload::MeterTest(MeterTest { mfr_code: code, .. }) = payload
            && ![0, manufacturer].contains(code)
        {
            return TokenResult::MfrCodeError;
        }
        if let Payload::ExtendedRead { mfr_code, .. } = payload {
            let known = [0, manufacturer].contains(&u16::from(*mfr_code));
            return if known { TokenResult::FunctionError } else { TokenResult::MfrCodeError };
        }
        if let Some(id) = payload.tid() {
            let id = id.get();
            if class == Class::Credit && meter.attributes().kt == KeyType::Default {
                return TokenResult::DdtkError;
            }
            if profile.checks_expiry && id / 65_536 > u32::from(meter.attributes().ken.get()) {
                return TokenResult::KeyExpiredError;
            }
            if id < self.tids[0] {
                return TokenResult::OldError;
            }
            if self.tids.contains(&id) {
                return TokenResult::UsedError;
            }
        }
        match payload {
            Payload::Credit { .. } | Payload::CurrencyCredit { .. }
                if !profile.resources.contains(subclass) =>
            {
                TokenResult::FunctionError
            }
            Payload::Credit { amount, .. } => {
                let after = self.units[usize::from(subclass)] + i128::from(amount.units());
                fits(after <= i128::from(profile.register_max.unwrap_or(u64::MAX)))
            }
            Payload::CurrencyCredit { amount, .. } => {
                let after = self.currency[usize::from(subclass - 4)] + amount.units();
                let over = profile.register_max.is_some_and(|max| after > i128::from(max));
                let range = i128::from(i64::MIN)..=i128::from(i64::MAX);
                fits(range.contains(&after) && (amount.units() <= 0 || !over))
            }
            Payload::MeterTest(test) => {
                let width = if subclass == 0 { 36 } else { 28 };
                let known =
                    |k: u32| test.control >> k & 1 == 1 && profile.tests.contains(k as u8 + 1);
                let zero = test.control.count_ones() == width;
                if zero || (0..width).any(known) {
                    TokenResult::Accept
                } else {
                    TokenResult::FunctionError
                }
            }
            Payload::Set { .. } if matches!(subclass, 2 | 7 | 10) => own(profile, subclass),
            Payload::Set { setting: Setting::ClearCredit, value, .. } => match value {
                0..=7 if !profile.resources.contains(*value as u8) => TokenResult::FunctionError,
                0..=7 | 0xFFFF => TokenResult::Accept,
                _ => TokenResult::RangeError,
            },
            Payload::Set { .. } => TokenResult::Accept,
            Payload::Other { class: Class::MeterSpecificManagement, .. } => own(profile, subclass),
            Payload::KeySection(section) => self.section(meter, section, now),
            _ => TokenResult::FunctionError,
        }
    }

    /// The sections that still count.
    fn kept<const TIDS: usize>(&self, meter: &Meter<'_, TIDS>, now: u64) -> Vec<KeySection> {
        let window = meter.profile().section_window_s.map_or(u64::MAX, u64::from);
        if now - self.last_section > window { Vec::new() } else { self.sections.clone() }
    }

    fn section<const TIDS: usize>(
        &self,
        meter: &Meter<'_, TIDS>,
        section: &KeySection,
        now: u64,
    ) -> TokenResult {
        let profile = meter.profile();
        let takes = |size| profile.key_change_sets.contains(size);
        let long = meter.key().ea() == EncryptionAlgorithm::Misty1;
        let number = section.number();
        let (known, in_range) = match section {
            KeySection::First { krn, three_kct, .. } => (
                takes(if long {
                    4
                } else if *three_kct {
                    3
                } else {
                    2
                }),
                (1..10).contains(krn),
            ),
            KeySection::Second { ti, .. } => {
                (if long { takes(4) } else { takes(2) || takes(3) }, *ti < 100)
            }
            KeySection::ThirdWithSgc { sgc, .. } => (!long && takes(3), *sgc < 1_000_000),
            KeySection::Third { .. } | KeySection::Fourth { .. } => (long && takes(4), true),
        };
        if !known {
            return TokenResult::FunctionError;
        }
        if !in_range {
            return TokenResult::RangeError;
        }
        let mut stored = self.kept(meter, now);
        if profile.section_order == SectionOrder::Strict && usize::from(number) > stored.len() + 1 {
            return TokenResult::FormatError;
        }
        stored.retain(|other| other.number() != number);
        stored.push(*section);
        let first = stored.iter().find_map(|section| match section {
            KeySection::First { three_kct, kt, .. } => Some((*three_kct, *kt)),
            _ => None,
        });
        let Some((three_kct, to)) = first else { return TokenResult::section(number) };
        let size = if long {
            4
        } else if three_kct {
            3
        } else {
            2
        };
        if !(1..=size).all(|n| stored.iter().any(|section| section.number() == n)) {
            return TokenResult::section(number);
        }
        // Clause 7.3.1.3, spelt out.
        let allowed = match (meter.attributes().kt, to) {
            (KeyType::Initialization, _) | (_, KeyType::Default) => true,
            (KeyType::Default, to) => to != KeyType::Initialization,
            (from, to) => from == to,
        };
        let sgc = stored.iter().fold(0, |sgc, section| match section {
            KeySection::Third { sgc_low, .. } => sgc + u32::from(*sgc_low),
            KeySection::Fourth { sgc_high, .. } => sgc + u32::from(*sgc_high) * 4096,
            _ => sgc,
        });
        if !allowed {
            TokenResult::KeyTypeError
        } else if sgc > 999_999 {
            TokenResult::RangeError
        } else {
            TokenResult::Accept
        }
    }

    /// The payload was taken; `block` is what it was read from.
    pub(crate) fn apply<const TIDS: usize>(
        &mut self,
        before: &Meter<'_, TIDS>,
        payload: &Payload,
        block: u64,
        result: TokenResult,
        now: u64,
    ) {
        let subclass = usize::from(payload.kind().1);
        match payload {
            Payload::Credit { amount, .. } => self.units[subclass] += i128::from(amount.units()),
            Payload::CurrencyCredit { amount, .. } => self.currency[subclass - 4] += amount.units(),
            Payload::Set { setting, value, .. } => match (setting, value) {
                (Setting::MaximumPowerLimit, _) => self.power = Some(*value),
                (Setting::PhaseUnbalanceLimit, _) => self.unbalance = Some(*value),
                (Setting::ClearTamper, _) => self.tampered = false,
                (Setting::ClearCredit, 0xFFFF) => (self.units, self.currency) = ([0; 4], [0; 4]),
                (Setting::ClearCredit, 0..=3) => self.units[usize::from(*value)] = 0,
                (Setting::ClearCredit, _) => self.currency[usize::from(*value) - 4] = 0,
                _ => {}
            },
            _ => {}
        }
        if let Payload::KeySection(section) = payload {
            self.sections = self.kept(before, now);
            self.sections.retain(|other| other.number() != section.number());
            self.sections.push(*section);
            self.blocks[usize::from(section.number()) - 1] = block;
            self.last_section = now;
            if result == TokenResult::Accept {
                self.change_key();
            }
        }
        if let Some(tid) = payload.tid() {
            self.tids.remove(0);
            self.tids.push(tid.get());
            self.tids.sort_unstable();
        }
        (self.wrong, self.in_a_row, self.until) = (0, 0, 0);
    }

    /// Clause 6.2.8, from the bits of the plain blocks: the key that the sections carry, and what
    /// they say of it.
    fn change_key(&mut self) {
        let [first, second, third, fourth] = self.blocks;
        let bits = |block: u64, from: u32, count: u32| (block >> from & ((1 << count) - 1)) as u32;
        let long = self.key.len() == 16;
        let (words, sgc) = if long {
            let sgc = bits(fourth, 48, 12) << 12 | bits(third, 48, 12);
            (vec![first, third, fourth, second], Some(sgc))
        } else {
            (vec![first, second], (bits(first, 50, 1) == 1).then(|| bits(third, 36, 24)))
        };
        self.key = words.iter().flat_map(|word| bits(*word, 16, 32).to_be_bytes()).collect();
        let held = &mut self.attributes;
        if let Some(sgc) = sgc {
            held.sgc = SupplyGroupCode::new(sgc).expect("a code in range");
        }
        held.krn = KeyRevisionNumber::new(bits(first, 52, 4) as u8).expect("a revision in range");
        held.ti = TariffIndex::new(bits(second, 48, 8) as u8).expect("an index in range");
        held.kt = KeyType::from_code(bits(first, 48, 2) as u8).expect("two bits");
        let ken = bits(first, 56, 4) << 4 | bits(second, 56, 4);
        held.ken = KeyExpiryNumber::new(ken as u8).expect("eight bits");
        if bits(first, 51, 1) == 1 {
            self.tids.fill(0);
        }
        self.sections.clear();
    }

    pub(crate) fn count(&mut self, profile: &Profile<'_>, refusal: &Rejection, now: u64) {
        let counted = ["CRCError", "MfrCodeError", "LengthError", "FormatError"];
        let Some(rule) = profile.lockout.filter(|_| counted.contains(&refusal.code())) else {
            return;
        };
        self.wrong += 1;
        if self.wrong == rule.after {
            let last = rule.durations_s.len() - 1;
            self.until = now.saturating_add(u64::from(rule.durations_s[self.in_a_row.min(last)]));
            self.in_a_row += 1;
            self.wrong = 0;
        }
    }

    /// The meter holds what the model holds.
    pub(crate) fn compare<const TIDS: usize>(&self, meter: &Meter<'_, TIDS>, now: u64) {
        assert_eq!(meter.key().expose_bytes(), self.key, "key");
        assert_eq!(*meter.attributes(), self.attributes, "attributes of the key");
        let mut kept: Vec<u8> = self.kept(meter, now).iter().map(KeySection::number).collect();
        kept.sort_unstable();
        assert_eq!(meter.staged_sections(now).collect::<Vec<_>>(), kept, "sections");
        let mut tids: Vec<u32> = meter.tids().iter().map(|tid| tid.get()).collect();
        tids.sort_unstable();
        assert_eq!(tids, self.tids, "TID memory");
        assert_eq!(meter.registers().units.map(i128::from), self.units, "units");
        assert_eq!(meter.registers().currency.map(i128::from), self.currency, "currency");
        assert_eq!(meter.maximum_power().map(|limit| limit.field()), self.power, "power limit");
        assert_eq!(meter.phase_unbalance().map(|limit| limit.field()), self.unbalance, "unbalance");
        assert_eq!(meter.is_tampered(), self.tampered, "tamper");
    }
}

fn fits(fits: bool) -> TokenResult {
    if fits { TokenResult::Accept } else { TokenResult::OverflowError }
}

fn own(profile: &Profile<'_>, subclass: u8) -> TokenResult {
    if profile.management.contains(subclass) {
        TokenResult::Accept
    } else {
        TokenResult::FunctionError
    }
}
