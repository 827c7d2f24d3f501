//! A second meter, as plain as can be, with faults that can be switched on.
//!
//! Written from the public texts alone: lists, copies and a bit-by-bit CRC. It shares the ciphers with
//! the core, and nothing else.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "plain on purpose: fields are cut out of wider numbers, and a test fails by panicking"
)]

use std::collections::BTreeMap;

use sts_core::{Class, DecoderKey, EncryptionAlgorithm, Token};
use sts_harness::conform::{Device, DeviceError};

macro_rules! faults {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Fault { $($name),* }
        impl Fault {
            pub(crate) const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];
        }
    };
}

faults! {
    CrcByteOrder, CurrencyCrcIsPlain, CrcNotChecked, NoRolloverReset, RolloverAlways,
    UsedCheckMissing, OldCheckMissing, OldIsInclusive, SignIgnored, ExponentHighBitsIgnored,
    AmountBandOffsetMissing, KeyPartsSwapped, LongKeyMiddleSwapped, WindowIgnored, WindowFromFirst,
    LockoutMissing, LockoutNotReset, LockoutLostAtReset, ExpiryIgnored, ExpiryInclusive,
    MemoryOf49, HighestReplaced, RememberedOnRefusal, CreditedOnRefusal, StateLostAtReset,
    KeyLostAtReset, SectionsLostAtReset, DoubleAfterReset, RangeCheckMissing, TariffUnchecked,
    KeyTypeUnchecked, RepeatedSectionCounts, ThreeTakenAfterTwo, DefaultKeyCredits, MakerIgnored,
    ClassThreeTaken, ReservedCreditTaken, SeparatorsRefused, ClearAllClearsOne, RegisterUnchecked,
    GroupNotStored, KenHalvesSwapped, TestsAreUsedOnce, ManagementNotRemembered, ResourceIgnored,
    OldKeyKept, MemoryLostAtReset,
}

#[derive(Clone, Default)]
struct Section {
    data: u64,
}

#[derive(Clone)]
struct State {
    key: Vec<u8>,
    sgc: u64,
    krn: u64,
    ti: u64,
    kt: u64,
    ken: u64,
    registers: [i128; 8],
    tids: Vec<u64>,
    limits: [Option<u64>; 2],
    sections: BTreeMap<u64, Section>,
    staged_at: u64,
    wrong: u64,
    locks: usize,
    locked_until: u64,
    tests_seen: Vec<u64>,
}

pub(crate) struct Naive {
    fault: Option<Fault>,
    pub(crate) display_only: bool,
    options: BTreeMap<String, String>,
    now: u64,
    state: Option<State>,
    first: Option<State>,
    double: bool,
}

impl Naive {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        let options = BTreeMap::new();
        Self {
            fault,
            display_only: false,
            options,
            now: 0,
            state: None,
            first: None,
            double: false,
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.options.get(name).and_then(|text| text.parse().ok())
    }

    fn list(&self, name: &str, usual: &[u64]) -> Vec<u64> {
        self.options.get(name).map_or_else(
            || usual.to_vec(),
            |text| text.split(',').filter_map(|word| word.parse().ok()).collect(),
        )
    }

    fn setup(&mut self, words: &str) {
        self.options = words
            .split(' ')
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let number = |name: &str| self.number(name).unwrap();
        let places = if self.has(Fault::MemoryOf49) { 49 } else { 50 };
        let state = State {
            key: hex::decode(&self.options["key"]).unwrap(),
            sgc: number("sgc"),
            krn: number("krn"),
            ti: number("ti"),
            kt: number("kt"),
            ken: number("ken"),
            registers: [0; 8],
            tids: vec![number("tid"); places],
            limits: [None; 2],
            sections: BTreeMap::new(),
            staged_at: 0,
            wrong: 0,
            locks: 0,
            locked_until: 0,
            tests_seen: Vec::new(),
        };
        self.first = Some(state.clone());
        self.state = Some(state);
        self.now = 0;
        self.double = false;
    }

    fn reset(&mut self) {
        let first = self.first.clone().unwrap();
        let lockout = self.has(Fault::LockoutLostAtReset);
        let (all, key, sections, memory) = (
            self.has(Fault::StateLostAtReset),
            self.has(Fault::KeyLostAtReset),
            self.has(Fault::SectionsLostAtReset),
            self.has(Fault::MemoryLostAtReset),
        );
        self.double = self.has(Fault::DoubleAfterReset);
        let state = self.state.as_mut().unwrap();
        if lockout {
            (state.wrong, state.locks, state.locked_until) = (0, 0, 0);
        }
        if key {
            state.key = first.key.clone();
        }
        if sections {
            state.sections.clear();
        }
        if memory {
            state.tids = first.tids.clone();
        }
        if all {
            *state = first;
        }
    }

    fn enter(&mut self, keyed: &str) -> &'static str {
        let lockout = self.options.get("lockout").and_then(|text| {
            let (after, durations) = text.split_once(':')?;
            let durations: Vec<u64> =
                durations.split(',').filter_map(|word| word.parse().ok()).collect();
            Some((after.parse::<u64>().ok()?, durations))
        });
        let now = self.now;
        if now < self.state.as_ref().unwrap().locked_until {
            return "Lockout";
        }
        let result = self.judge(keyed);
        let kept = self.has(Fault::LockoutNotReset);
        let none = self.has(Fault::LockoutMissing);
        let state = self.state.as_mut().unwrap();
        match result {
            "Accept" | "1stKCT" | "2ndKCT" | "3rdKCT" | "4thKCT" if !kept => {
                (state.wrong, state.locks, state.locked_until) = (0, 0, 0);
            }
            "CRCError" | "MfrCodeError" | "LengthError" | "FormatError" if !none => {
                if let Some((after, durations)) = lockout {
                    state.wrong += 1;
                    if state.wrong >= after {
                        let place = state.locks.min(durations.len() - 1);
                        state.locked_until = now + durations[place];
                        state.locks += 1;
                        state.wrong = 0;
                    }
                }
            }
            _ => {}
        }
        result
    }

    fn judge(&mut self, keyed: &str) -> &'static str {
        let mut digits = String::new();
        for found in keyed.chars() {
            match found {
                '0'..='9' => digits.push(found),
                ' ' | '-' if !self.has(Fault::SeparatorsRefused) => {}
                _ => return "FormatError",
            }
        }
        if digits.len() != 20 {
            return "LengthError";
        }
        let value: u128 = digits.parse().unwrap();
        if value >= 1 << 66 {
            return "FormatError";
        }
        // The class stands in bits 28 and 27; what it displaced is on top.
        let class = (value >> 27 & 3) as u64;
        let low = (value & u128::from(u64::MAX)) as u64;
        let block = low & !(3 << 27) | ((value >> 64) as u64) << 27;
        if class == 3 {
            return if self.has(Fault::ClassThreeTaken) { "Accept" } else { "FunctionError" };
        }
        let plain = if class == 1 { block } else { self.decrypt(class, block) };
        if !self.has(Fault::CrcNotChecked) && !self.check(class, plain) {
            return "CRCError";
        }
        let subclass = plain >> 60;
        match class {
            1 => self.test(subclass, plain),
            0 => self.credit(subclass, plain),
            _ if matches!(subclass, 3 | 4 | 8) => self.section(subclass, plain),
            _ if subclass == 9 => self.section(subclass, plain),
            _ => self.manage(subclass, plain),
        }
    }

    fn decrypt(&self, class: u64, block: u64) -> u64 {
        let ea = EncryptionAlgorithm::from_code(&self.options["ea"]).unwrap();
        let key = DecoderKey::from_bytes(ea, &self.state.as_ref().unwrap().key).unwrap();
        let class = if class == 0 { Class::Credit } else { Class::MeterSpecificManagement };
        Token::from_class_and_block(class, block).open(&key).unauthenticated_bits()
    }

    fn check(&self, class: u64, plain: u64) -> bool {
        let mut bytes: Vec<u8> = Vec::new();
        // Six zero bits, the class, 48 bits.
        bytes.push(class as u8);
        bytes.extend(&plain.to_be_bytes()[..6]);
        if class == 0 && (4..8).contains(&(plain >> 60)) && !self.has(Fault::CurrencyCrcIsPlain) {
            bytes.push(1);
        }
        let mut crc = 0xFFFF_u16;
        for byte in bytes {
            crc ^= u16::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
            }
        }
        let field = plain as u16;
        if self.has(Fault::CrcByteOrder) { field == crc } else { field == crc.swap_bytes() }
    }

    fn test(&mut self, subclass: u64, plain: u64) -> &'static str {
        let (control, width, maker) = match subclass {
            0 | 2 => (plain >> 24 & 0xF_FFFF_FFFF, 36, plain >> 16 & 0xFF),
            1 => (plain >> 32 & 0xFFF_FFFF, 28, plain >> 16 & 0xFFFF),
            _ => return "FunctionError",
        };
        let own = self.number("mfr").unwrap();
        if maker != 0 && maker != own && !self.has(Fault::MakerIgnored) {
            return "MfrCodeError";
        }
        if subclass == 2 {
            return "FunctionError";
        }
        let all = control == (1 << width) - 1;
        if !all && control & 0x3_FFFF == 0 {
            return "FunctionError";
        }
        if self.has(Fault::TestsAreUsedOnce) {
            let state = self.state.as_mut().unwrap();
            if state.tests_seen.contains(&plain) {
                return "UsedError";
            }
            state.tests_seen.push(plain);
        }
        "Accept"
    }

    fn valid(&mut self, credit: bool, tid: u64) -> Option<&'static str> {
        let expires = self.options.get("expiry").is_none_or(|text| text != "0");
        let state = self.state.as_ref().unwrap();
        let lowest = *state.tids.iter().min().unwrap();
        let past = if self.has(Fault::ExpiryInclusive) {
            state.ken < 255 && tid >> 16 >= state.ken
        } else {
            tid >> 16 > state.ken
        };
        let old = if self.has(Fault::OldIsInclusive) { tid <= lowest } else { tid < lowest };
        if credit && state.kt == 1 && !self.has(Fault::DefaultKeyCredits) {
            Some("DDTKError")
        } else if expires && past && !self.has(Fault::ExpiryIgnored) {
            Some("KeyExpiredError")
        } else if old && !self.has(Fault::OldCheckMissing) {
            Some("OldError")
        } else if state.tids.contains(&tid) && !self.has(Fault::UsedCheckMissing) {
            Some("UsedError")
        } else {
            None
        }
    }

    fn remember(&mut self, tid: u64) {
        let highest = self.has(Fault::HighestReplaced);
        let tids = &mut self.state.as_mut().unwrap().tids;
        tids.sort_unstable();
        let place = if highest { tids.len() - 1 } else { 0 };
        tids[place] = tid;
    }

    fn amount(&self, exponent: u32, mantissa: u64) -> i128 {
        let mut total = 10_i128.pow(exponent) * i128::from(mantissa);
        if !self.has(Fault::AmountBandOffsetMissing) {
            for n in 1..=exponent {
                total += (1 << 14) * 10_i128.pow(n - 1);
            }
        }
        total
    }

    fn credit(&mut self, subclass: u64, plain: u64) -> &'static str {
        let (tid, field) = (plain >> 32 & 0xFF_FFFF, plain >> 16 & 0xFFFF);
        if subclass > 7 {
            let taken = self.has(Fault::ReservedCreditTaken);
            return if taken { "Accept" } else { "FunctionError" };
        }
        if let Some(refusal) = self.valid(true, tid) {
            if self.has(Fault::CreditedOnRefusal) && refusal == "UsedError" {
                self.state.as_mut().unwrap().registers[subclass as usize] += 1;
            }
            return refusal;
        }
        let resources = self.list("resources", &[0, 1, 2, 3, 4, 5, 6, 7]);
        if !resources.contains(&subclass) && !self.has(Fault::ResourceIgnored) {
            return "FunctionError";
        }
        let mut exponent = (field >> 14) as u32;
        let mut negative = false;
        if subclass > 3 {
            if !self.has(Fault::ExponentHighBitsIgnored) {
                exponent |= ((plain >> 56 & 7) as u32) << 2;
            }
            negative = plain >> 59 & 1 == 1 && !self.has(Fault::SignIgnored);
        }
        let amount = self.amount(exponent, field & 0x3FFF);
        let amount = if negative { -amount } else { amount };
        let usual = if subclass > 3 { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
        let most = self.number("max").map_or(usual, i128::from);
        let times = if std::mem::take(&mut self.double) { 2 } else { 1 };
        let register = &mut self.state.as_mut().unwrap().registers[subclass as usize];
        let total = *register + amount * times;
        let fits = if subclass > 3 {
            total >= i128::from(i64::MIN) && (total <= most || amount <= 0)
        } else {
            total <= most
        };
        if !fits {
            if self.has(Fault::RememberedOnRefusal) {
                self.remember(tid);
            }
            return "OverflowError";
        }
        *register = total;
        self.remember(tid);
        "Accept"
    }

    fn manage(&mut self, subclass: u64, plain: u64) -> &'static str {
        let (tid, value) = (plain >> 32 & 0xFF_FFFF, plain >> 16 & 0xFFFF);
        let known =
            matches!(subclass, 0 | 1 | 5 | 6) || self.list("management", &[]).contains(&subclass);
        // Those from 11 have no TID that is known of.
        if subclass <= 10
            && let Some(refusal) = self.valid(false, tid)
        {
            return refusal;
        }
        if !known {
            return "FunctionError";
        }
        let amount = self.amount((value >> 14) as u32, value & 0x3FFF).unsigned_abs() as u64;
        let resources = self.list("resources", &[0, 1, 2, 3, 4, 5, 6, 7]);
        let (unchecked, one) =
            (self.has(Fault::RegisterUnchecked), self.has(Fault::ClearAllClearsOne));
        let state = self.state.as_mut().unwrap();
        match (subclass, value) {
            (0, _) => state.limits[0] = Some(amount),
            (6, _) => state.limits[1] = Some(amount),
            (1, 0..8) if !resources.contains(&value) => return "FunctionError",
            (1, 0..8) => state.registers[value as usize] = 0,
            (1, 0xFFFF) if one => state.registers[0] = 0,
            (1, 0xFFFF) => state.registers = [0; 8],
            (1, _) if !unchecked => return "RangeError",
            _ => {}
        }
        if subclass <= 10 && !self.has(Fault::ManagementNotRemembered) {
            self.remember(tid);
        }
        "Accept"
    }

    fn section(&mut self, subclass: u64, plain: u64) -> &'static str {
        let long = self.options["ea"] == "11";
        let sets = self.list("sets", &[2, 3, 4]);
        let data = plain >> 16;
        let three = data >> 34 & 1 == 1;
        let place = match subclass {
            3 => 1,
            4 => 2,
            8 => 3,
            _ => 4,
        };
        let taken = match place {
            _ if long => sets.contains(&4),
            1 if three => sets.contains(&3),
            1 => sets.contains(&2),
            2 => sets.contains(&2) || sets.contains(&3),
            3 => sets.contains(&3),
            _ => false,
        };
        if !taken {
            return "FunctionError";
        }
        let (range, tariff) =
            (self.has(Fault::RangeCheckMissing), self.has(Fault::TariffUnchecked));
        let revision = data >> 36 & 15;
        if place == 1 && !(1..=9).contains(&revision) && !range {
            return "RangeError";
        }
        if place == 2 && data >> 32 & 0xFF > 99 && !tariff {
            return "RangeError";
        }
        if place == 3 && !long && data >> 20 & 0xFF_FFFF > 999_999 {
            return "RangeError";
        }
        let window = self.number("window").filter(|_| !self.has(Fault::WindowIgnored));
        let strict = self.options.get("order").is_some_and(|order| order == "strict");
        let from_first = self.has(Fault::WindowFromFirst);
        let now = self.now;
        let state = self.state.as_mut().unwrap();
        let mut sections = state.sections.clone();
        if window.is_some_and(|window| now - state.staged_at > window) {
            sections.clear();
        }
        if strict && place > sections.len() as u64 + 1 {
            return "FormatError";
        }
        let began = sections.is_empty();
        let again = sections.insert(place, Section { data }).is_some();
        let repeated = again && self.has(Fault::RepeatedSectionCounts);
        match self.change(&sections, long, repeated) {
            Some("") | None => {
                let state = self.state.as_mut().unwrap();
                state.sections = sections;
                if began || !from_first {
                    state.staged_at = now;
                }
                ["1stKCT", "2ndKCT", "3rdKCT", "4thKCT"][place as usize - 1]
            }
            Some(result) => result,
        }
    }

    /// Changes the key if the sections are a whole set; the result, or nothing.
    fn change(
        &mut self,
        sections: &BTreeMap<u64, Section>,
        long: bool,
        repeated: bool,
    ) -> Option<&'static str> {
        let data = |place: u64| sections.get(&place).map(|section| section.data);
        let (first, second) = if repeated {
            (data(1).or(data(2))?, data(2).or(data(1))?)
        } else {
            (data(1)?, data(2)?)
        };
        let three = first >> 34 & 1 == 1 && !self.has(Fault::ThreeTakenAfterTwo);
        let word = |data: u64| (data as u32).to_be_bytes();
        let (key, sgc) = if long {
            let (third, fourth) = (data(3)?, data(4)?);
            let middle = if self.has(Fault::LongKeyMiddleSwapped) {
                [word(fourth), word(third)]
            } else {
                [word(third), word(fourth)]
            };
            let words = [word(first), middle[0], middle[1], word(second)];
            (words.concat(), Some((fourth >> 32 & 0xFFF) << 12 | third >> 32 & 0xFFF))
        } else {
            let words = if self.has(Fault::KeyPartsSwapped) {
                [word(second), word(first)]
            } else {
                [word(first), word(second)]
            };
            (words.concat(), if three { Some(data(3)? >> 20 & 0xFF_FFFF) } else { None })
        };
        let (from, to) = (self.state.as_ref().unwrap().kt, first >> 32 & 3);
        let allowed = match from {
            0 => true,
            1 => to != 0,
            2 => to == 1 || to == 2,
            _ => to == 1 || to == 3,
        };
        if !allowed && !self.has(Fault::KeyTypeUnchecked) {
            return Some("KeyTypeError");
        }
        if sgc.is_some_and(|sgc| sgc > 999_999) {
            return Some("RangeError");
        }
        let rollover = first >> 35 & 1 == 1;
        let clears =
            (rollover || self.has(Fault::RolloverAlways)) && !self.has(Fault::NoRolloverReset);
        let (high, low) = (first >> 40 & 15, second >> 40 & 15);
        let swapped = self.has(Fault::KenHalvesSwapped);
        let group = !self.has(Fault::GroupNotStored);
        let old_key = self.has(Fault::OldKeyKept);
        let state = self.state.as_mut().unwrap();
        if !old_key {
            state.key = key;
        }
        state.krn = first >> 36 & 15;
        state.ti = second >> 32 & 0xFF;
        state.kt = to;
        state.ken = if swapped { low << 4 | high } else { high << 4 | low };
        if group {
            state.sgc = sgc.unwrap_or(state.sgc);
        }
        if clears {
            let places = state.tids.len();
            state.tids = vec![0; places];
        }
        state.sections.clear();
        Some("Accept")
    }

    fn read(&self) -> String {
        let state = self.state.as_ref().unwrap();
        let mut words: Vec<String> =
            state.registers.iter().enumerate().map(|(n, held)| format!("r{n}={held}")).collect();
        words.push(format!("sgc={} krn={} ti={}", state.sgc, state.krn, state.ti));
        words.push(format!("kt={} ken={}", state.kt, state.ken));
        for (name, limit) in [("power", state.limits[0]), ("unbalance", state.limits[1])] {
            words.extend(limit.map(|limit| format!("{name}={limit}")));
        }
        words.join(" ")
    }
}

impl Device for Naive {
    fn ask(&mut self, request: &str) -> Result<String, DeviceError> {
        let (verb, rest) = request.split_once(' ').unwrap_or((request, ""));
        Ok(match verb {
            "hello" if self.display_only => "ok 1 display,reset,advance a display".to_owned(),
            "hello" => "ok 1 result,reset,advance,read,limits the naive meter".to_owned(),
            "setup" => {
                self.setup(rest);
                "ok".to_owned()
            }
            "enter" if self.display_only => format!("ok - {}", self.enter(rest)),
            "enter" => format!("ok {}", self.enter(rest)),
            "read" => format!("ok {}", self.read()),
            "reset" => {
                self.reset();
                "ok".to_owned()
            }
            _ => {
                self.now += rest.parse::<u64>().unwrap();
                "ok".to_owned()
            }
        })
    }
}
