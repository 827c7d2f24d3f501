//! A program of bytes at one meter. See [`meter_sequence`] for its code.

use std::collections::HashSet;

use sts_core::class::key_change;
use sts_core::framing::extend;
use sts_core::key::luhn_check_digit;
use sts_core::{
    Amount, Class, Commodity, CurrencyAmount, DecoderKey, DisplayRule, Framing, FramingSet,
    KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType, LockoutRule, ManufacturerCode,
    Meter, MeterPan, MeterTest, NumberSet, Outcome, Payload, Profile, Rejection, ResultSet,
    SectionOrder, Setting, SupplyGroupCode, TariffIndex, Token, TokenId, TokenResult,
};

use crate::model::Model;

const MAKER: u16 = 17;

static PROFILES: [Profile<'static>; 3] = [
    Profile::STANDARD,
    // Everything that can be strict is.
    Profile {
        section_order: SectionOrder::Strict,
        section_window_s: Some(300),
        lockout: Some(LockoutRule { after: 3, durations_s: &[10, 60] }),
        management: NumberSet::EMPTY.with(2).with(10).with(12),
        ..Profile::STANDARD
    },
    // A water meter with the 24-digit form, small registers and few functions.
    Profile {
        framings: FramingSet::EMPTY.with(Framing::Sts20).with(Framing::W24Check),
        resources: NumberSet::EMPTY.with(1).with(5),
        tests: NumberSet::range(0, 4),
        management: NumberSet::EMPTY,
        key_change_sets: NumberSet::EMPTY.with(2).with(4),
        section_order: SectionOrder::Any,
        section_window_s: Some(60),
        lockout: Some(LockoutRule { after: 5, durations_s: &[1] }),
        register_max: Some(30_000_000),
        checks_expiry: false,
        display: &[DisplayRule {
            on: ResultSet::ALL,
            only_pending: true,
            show: "pend {result}",
            basis: sts_core::Basis::Example,
        }],
    },
];

/// The bytes not yet read; zeros once they are over.
struct Program<'a>(&'a [u8]);

impl Program<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    fn key(&mut self, long: bool) -> DecoderKey {
        let bytes: [u8; 8] = std::array::from_fn(|_| self.byte());
        if long {
            DecoderKey::misty1(std::array::from_fn(|place| bytes[place % 8] ^ (place / 8) as u8))
        } else {
            DecoderKey::sta(bytes)
        }
    }
}

/// Three bytes of meter (profile modulo 3; bits 0 and 1 key type, 2 EA11, 3 short expiry; floor
/// of the TID memory), 8 of key, then steps:
///
/// | byte mod 12 | step | then |
/// |---|---|---|
/// | 0 | credit | subclass, TID low (2), amount (2), how |
/// | 1 | currency | subclass, TID low (2), amount (2), exponent, how |
/// | 2 | setting | which, TID low (2), value (2), how |
/// | 3 | test | subclass, control (2), maker, how |
/// | 4 | key change | key (8), KRN and type, flags, sections and order |
/// | 5 | an earlier entry again | which, how |
/// | 6 | an earlier entry mangled | which, where, what |
/// | 7 | time | seconds (2) |
/// | 8 | text as it is | length, text |
/// | 9 | consumption | register, units (2) |
/// | 10 | tamper | |
/// | 11 | any plain block | class, subclass, data (2), how |
///
/// `how`: bit 0 another key, bit 1 24 digits, bit 2 only a preview, bit 3 grouped in fours,
/// or in 24 digits a claim of revision 9,
/// bits 4 to 7 TID high.
pub fn meter_sequence(data: &[u8]) {
    let _ = results(data);
}

/// Runs the program at a meter that remembers 4 TIDs and one that remembers 50; what both
/// answered, in turn.
///
/// # Panics
///
/// Where a meter breaks one of its promises.
#[must_use]
pub fn results(data: &[u8]) -> Vec<TokenResult> {
    let mut results = run::<4>(data);
    results.extend(run::<50>(data));
    results
}

struct Run<'p, const TIDS: usize> {
    meter: Meter<'p, TIDS>,
    model: Model,
    now: u64,
    entries: Vec<String>,
    /// Tokens taken since the TID memory was last cleared.
    taken: HashSet<u128>,
    results: Vec<TokenResult>,
}

fn run<const TIDS: usize>(data: &[u8]) -> Vec<TokenResult> {
    if data.len() < 11 {
        return Vec::new();
    }
    let mut program = Program(data);
    let profile = &PROFILES[usize::from(program.byte() % 3)];
    let flags = program.byte();
    let floor = TokenId::new(u32::from(program.byte())).expect("24 bits");
    let key = program.key(flags & 4 != 0);
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::MIN,
        krn: KeyRevisionNumber::new(1).expect("a revision"),
        ti: TariffIndex::new(1).expect("an index"),
        kt: KeyType::from_code(flags & 3).expect("two bits"),
        ken: if flags & 8 == 0 { KeyExpiryNumber::NEVER } else { KeyExpiryNumber::MIN },
    };
    let maker = maker();
    let mut run = Run {
        model: Model::new(TIDS, floor.get(), &key, attributes),
        meter: Meter::<TIDS>::new(profile, maker, key, attributes, floor),
        now: 0,
        entries: Vec::new(),
        taken: HashSet::new(),
        results: Vec::new(),
    };
    while !program.0.is_empty() {
        run.step(&mut program);
        run.model.compare(&run.meter, run.now);
    }
    run.survives_a_loss_of_power();
    run.results
}

impl<const TIDS: usize> Run<'_, TIDS> {
    fn step(&mut self, program: &mut Program<'_>) {
        match program.byte() % 12 {
            0 => {
                let commodity = commodity(program.byte());
                let (low, field) = (program.word(), program.word());
                let how = program.byte();
                let amount = Amount::from_field(field);
                let payload =
                    Payload::Credit { commodity, rnd: how >> 4, tid: tid(how, low), amount };
                self.issue(&payload, how);
            }
            1 => {
                let commodity = commodity(program.byte());
                let (low, field, exponent) = (program.word(), program.word(), program.byte());
                let how = program.byte();
                let amount = CurrencyAmount::from_fields(exponent & 15, field);
                let payload = Payload::CurrencyCredit { commodity, tid: tid(how, low), amount };
                self.issue(&payload, how);
            }
            2 => {
                let setting = [
                    Setting::MaximumPowerLimit,
                    Setting::ClearCredit,
                    Setting::TariffRate,
                    Setting::ClearTamper,
                    Setting::PhaseUnbalanceLimit,
                    Setting::WaterFactor,
                    Setting::ExtendedWrite,
                ][usize::from(program.byte() % 7)];
                let (low, value) = (program.word(), program.word());
                let how = program.byte();
                let payload = Payload::Set { setting, rnd: 5, tid: tid(how, low), value };
                self.issue(&payload, how);
            }
            3 => {
                let subclass = program.byte() & 1;
                let control = u64::from(program.word());
                // All sixteen bits stand for test 0.
                let control = if control == 0xFFFF { u64::MAX } else { control };
                let maker = u16::from(program.byte());
                let test = MeterTest::new(subclass, control, maker).expect("in range");
                let how = program.byte();
                self.issue(&Payload::MeterTest(test), how);
            }
            4 => self.change_key(program),
            5 => {
                let (which, how) = (program.byte(), program.byte());
                if let Some(entry) = self.entry(which) {
                    self.enter(&entry, how & 4 != 0);
                }
            }
            6 => {
                let (which, place, what) = (program.byte(), program.byte(), program.byte());
                let Some(entry) = self.entry(which) else { return };
                let mut entry: Vec<char> = entry.chars().collect();
                let place = usize::from(place) % entry.len();
                match what {
                    0..=9 => entry[place] = char::from(b'0' + what),
                    10 => drop(entry.remove(place)),
                    11 if place > 0 => entry.swap(place - 1, place),
                    _ => entry.insert(place, char::from(what)),
                }
                let entry: String = entry.into_iter().collect();
                self.enter(&entry, false);
            }
            7 => {
                self.now = self.now.saturating_add(match program.word() {
                    0xFFFF => u64::MAX / 2,
                    seconds => u64::from(seconds),
                })
            }
            8 => {
                let length = usize::from(program.byte()).min(program.0.len());
                let (text, rest) = program.0.split_at(length);
                program.0 = rest;
                self.enter(&String::from_utf8_lossy(text), false);
            }
            9 => {
                let (register, units) = (usize::from(program.byte() & 7), program.word());
                let registers = self.meter.registers_mut();
                if register < 4 {
                    let held = &mut registers.units[register];
                    *held = held.saturating_sub(units.into());
                    self.model.units[register] = i128::from(*held);
                } else {
                    let held = &mut registers.currency[register - 4];
                    *held = held.saturating_sub(units.into());
                    self.model.currency[register - 4] = i128::from(*held);
                }
            }
            10 => {
                self.meter.set_tampered();
                self.model.tampered = true;
            }
            _ => {
                let (class, subclass) = (program.byte(), program.byte());
                let (data, how) = (u64::from(program.word()), program.byte());
                let class = if class & 1 == 0 {
                    Class::NonMeterSpecificManagement
                } else {
                    Class::MeterSpecificManagement
                };
                self.issue(&Payload::Other { class, subclass: subclass & 15, data }, how);
            }
        }
    }

    fn entry(&self, which: u8) -> Option<String> {
        let place = usize::from(which).checked_rem(self.entries.len())?;
        self.entries.get(place).cloned()
    }

    /// Seals under the meter's key, or another, and enters it.
    fn issue(&mut self, payload: &Payload, how: u8) {
        let stranger = DecoderKey::sta([0x11; 8]);
        let own = how & 1 == 0;
        let token = Token::seal(payload, if own { self.meter.key() } else { &stranger });
        if own {
            let back = token.open(self.meter.key()).authenticate();
            // A raw block may be read by its subclass.
            let same = matches!(payload, Payload::Other { .. }) || back == Ok(*payload);
            assert!(back.is_ok() && same, "sealed {payload:?}, opened {back:?}");
        }
        let entry = if how & 2 != 0 {
            let (class, subclass) = payload.kind();
            let resource = if class == Class::Credit { subclass } else { 8 };
            let revision = self.meter.attributes().krn.get();
            let digits = extend(token, if how & 8 == 0 { revision } else { 9 }, resource);
            String::from_utf8_lossy(&digits).into_owned()
        } else if how & 8 != 0 {
            format!("{token:#}")
        } else {
            token.to_string()
        };
        self.enter(&entry, how & 4 != 0);
        self.entries.push(entry);
    }

    /// Issues a key change and enters its sections: bits 0 to 3 which, bit 4 last first, bit 5
    /// the last of them twice, bits 6 and 7 minutes of waiting in between.
    fn change_key(&mut self, program: &mut Program<'_>) {
        let long = self.meter.key().ea() == sts_core::EncryptionAlgorithm::Misty1;
        let key = program.key(long);
        let (kind, flags, sections) = (program.byte(), program.byte(), program.byte());
        let attributes = KeyAttributes {
            sgc: SupplyGroupCode::new(u32::from(flags) * 3000).expect("six digits"),
            krn: KeyRevisionNumber::new((kind >> 2) % 10).expect("one digit"),
            ti: TariffIndex::new(flags % 100).expect("two digits"),
            kt: KeyType::from_code(kind & 3).expect("two bits"),
            ken: KeyExpiryNumber::new(flags | 15).expect("eight bits"),
        };
        let under = self.meter.key().clone();
        let set = key_change(&key, &attributes, flags & 1 != 0, flags & 2 != 0);
        let mut entries: Vec<String> = (0..4_u8)
            .zip(set)
            .filter(|(place, _)| sections >> place & 1 == 1)
            .map(|(_, payload)| Token::seal(&payload, &under).to_string())
            .collect();
        if sections & 16 != 0 {
            entries.reverse();
        }
        if sections & 32 != 0 {
            entries.extend(entries.last().cloned());
        }
        for entry in entries {
            self.enter(&entry, false);
            self.now = self.now.saturating_add(u64::from(sections >> 6) * 60);
            self.entries.push(entry);
        }
    }

    /// What the model expects.
    fn expected(&self, entry: &str) -> (Option<Token>, TokenResult) {
        if self.model.locked_for(self.now) > 0 {
            return (None, TokenResult::Lockout);
        }
        let separators = " \t\u{A0}-\u{2013}._/\n\r";
        let digits: String = entry.chars().filter(|c| !separators.contains(*c)).collect();
        if digits.chars().any(|c| !c.is_ascii_digit()) {
            return (None, TokenResult::FormatError);
        }
        let long_form = self.meter.profile().framings.contains(Framing::W24Check);
        let (claims, digits) = match digits.len() {
            20 => (None, digits.as_str()),
            24 if long_form => (Some(&digits[20..22]), &digits[..20]),
            _ => return (None, TokenResult::LengthError),
        };
        let number: u128 = digits.parse().expect("twenty digits");
        let Some(token) = Token::from_bits(number) else {
            return (None, TokenResult::FormatError);
        };
        if claims.is_some() {
            let all: u128 =
                entry.chars().filter_map(|c| c.to_digit(10)).fold(0, |n, d| n * 10 + u128::from(d));
            // 99 and 98 leave the same as 2 and 1, and are no check that MOD 97-10 computes.
            if all % 97 != 1 || !(2..=98).contains(&(all % 100)) {
                return (Some(token), TokenResult::ExtensionMismatch);
            }
        }
        let payload = match token.open(self.meter.key()).authenticate() {
            Ok(payload) => payload,
            Err(refusal) => return (Some(token), refusal.result()),
        };
        let expected = self.model.expected(&self.meter, &payload, MAKER, self.now);
        if let Some(claims) = claims
            && expected != TokenResult::MfrCodeError
        {
            let [revision, resource] = [0, 1].map(|at| claims.as_bytes()[at] - b'0');
            let (class, subclass) = payload.kind();
            let credit = class == Class::Credit;
            let resource_wrong = match resource {
                9 => false,
                8 => credit,
                _ => !credit || resource != subclass,
            };
            let revision_wrong = class != Class::NonMeterSpecificManagement
                && revision != 0
                && revision != self.meter.attributes().krn.get();
            if resource_wrong || revision_wrong {
                return (Some(token), TokenResult::ExtensionMismatch);
            }
        }
        (Some(token), expected)
    }

    /// Enters one text, and holds the meter to its promises.
    fn enter(&mut self, entry: &str, only_preview: bool) {
        let (token, expected) = self.expected(entry);
        let before = self.meter.clone();
        let pending: Vec<u8> = before.staged_sections(self.now).collect();

        let (payload, outcome) = match self.meter.enter(entry, self.now) {
            Err(refusal) => {
                self.results.push(refusal.result());
                assert!(refusal.result() == expected, "{refusal:?}, {expected:?}");
                assert!(self.meter == before, "a refusal changed the meter: {refusal:?}");
                self.refused(&before, &refusal);
                return;
            }
            Ok(admission) => {
                let (payload, preview) = (*admission.payload(), admission.outcome());
                if only_preview {
                    drop(admission);
                    assert!(self.meter == before, "a preview changed the meter: {preview:?}");
                    return;
                }
                let outcome = admission.apply();
                assert_eq!(outcome, preview);
                (payload, outcome)
            }
        };
        let result = outcome.result();
        self.results.push(result);
        assert!(result.is_taken() && result == expected, "{result}, {expected:?}");
        assert!(!outcome.to_string().is_empty());

        let token = token.expect("what was taken is a token");
        let block = token.open(before.key()).unauthenticated_bits();
        self.model.apply(&before, &payload, block, result, self.now);
        self.taken(&before, &payload, &outcome, &pending);
        self.shows(result);
        // What is not a key change leaves the key alone.
        let changed = matches!(outcome, Outcome::KeyChanged { .. });
        assert!(changed || self.meter.key().same_as(before.key()));
        if payload.tid().is_some() {
            assert!(self.taken.insert(token.bits()), "taken twice: {token}");
        }
    }

    fn refused(&mut self, before: &Meter<'_, TIDS>, refusal: &Rejection) {
        assert!(!refusal.result().is_taken() && !refusal.to_string().is_empty());
        if let Rejection::Lockout { remaining_s } = refusal {
            let left = self.model.locked_for(self.now);
            assert_eq!(*remaining_s, u32::try_from(left).unwrap_or(u32::MAX));
        }
        self.shows(refusal.result());
        self.meter.count_refusal(refusal, self.now);
        self.model.count(self.meter.profile(), refusal, self.now);
        assert!(self.meter.key().same_as(before.key()));
        let staged = |meter: &Meter<'_, TIDS>| meter.staged_sections(self.now).collect::<Vec<_>>();
        assert_eq!(staged(&self.meter), staged(before));
    }

    fn shows(&self, result: TokenResult) {
        let shown = self.meter.shown(result, self.now).to_string();
        assert_eq!(shown, self.model.shown(&self.meter, result, self.now));
    }

    /// Another meter that is given the words of this one is this one.
    fn survives_a_loss_of_power(&self) {
        let (profile, key) = (self.meter.profile(), DecoderKey::dea([0x55; 8]));
        let attributes = *self.meter.attributes();
        let mut again = Meter::<TIDS>::new(profile, maker(), key, attributes, TokenId::MAX);
        for index in 0..Meter::<TIDS>::WORDS {
            again.set_word(index, self.meter.word(index)).expect("a word of a meter");
        }
        assert!(again == self.meter, "a saved state is another when it is loaded");
    }

    fn taken(
        &mut self,
        before: &Meter<'_, TIDS>,
        payload: &Payload,
        outcome: &Outcome,
        pending: &[u8],
    ) {
        let (old, new) = (before.registers(), self.meter.registers());
        match (payload, outcome) {
            (Payload::Credit { .. }, _) => {
                assert!(new.units.iter().zip(old.units).all(|(new, old)| *new >= old));
                assert_eq!(new.currency, old.currency);
            }
            (Payload::CurrencyCredit { amount, .. }, _) => {
                let grew = new.currency.iter().zip(old.currency).all(|(new, old)| *new >= old);
                assert!(grew || amount.units() < 0);
                assert_eq!(new.units, old.units);
            }
            (Payload::KeySection(section), Outcome::SectionStored { section: stored }) => {
                assert_eq!(section.number(), *stored);
                let now: Vec<u8> = self.meter.staged_sections(self.now).collect();
                assert!(now.contains(stored) && pending.iter().all(|kept| now.contains(kept)));
            }
            (Payload::KeySection(_), Outcome::KeyChanged { attributes, rollover }) => {
                assert_eq!(self.meter.attributes(), attributes);
                assert!(before.attributes().kt.may_change_to(attributes.kt));
                assert!(attributes.krn.get() > 0);
                assert_eq!(self.meter.staged_sections(self.now).count(), 0);
                assert!(!pending.is_empty(), "one section changed the key");
                if *rollover {
                    self.taken.clear();
                    return;
                }
            }
            (Payload::KeySection(_), _) => panic!("a section did {outcome}"),
            _ => {}
        }
        assert!(self.meter.tids().iter().max() >= before.tids().iter().max(), "highest TID lost");
    }
}

/// The code [`MAKER`], from a meter number that has it.
fn maker() -> ManufacturerCode {
    let checked = |text: String| format!("{text}{}", luhn_check_digit(text.as_bytes()));
    let drn = checked(format!("{MAKER:02}00000000"));
    MeterPan::parse(&checked(format!("600727{drn}"))).expect("a number").manufacturer_code()
}

fn commodity(byte: u8) -> Commodity {
    [Commodity::Electricity, Commodity::Water, Commodity::Gas, Commodity::Time]
        [usize::from(byte & 3)]
}

fn tid(how: u8, low: u16) -> TokenId {
    TokenId::new(u32::from(how >> 4) << 16 | u32::from(low)).expect("24 bits")
}
