//! Every vector of the project that a meter has a function for, and its example case.

use core::fmt::Write;

use sts_core::{
    BaseDate, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyDerivation, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, ManufacturerCode, Meter, MeterPan, NumberSet, Outcome, Payload,
    Profile, SupplyGroupCode, TariffIndex, Token, TokenId, TokenResult, VendingKey,
};

use crate::harness::{say, say_number};

/// What `sts profiles emit mangaung-2024-reconstruction --rust` prints; a test of the tool compares it.
#[path = "../../../sts-harness/tests/emit/mangaung.rs"]
mod mangaung;

/// The profile of each firmware of the example.
static PROFILES: [(&str, &Profile<'static>); 2] = [
    ("before", &mangaung::MANGAUNG_2024_RECONSTRUCTION_BEFORE),
    ("after", &mangaung::MANGAUNG_2024_RECONSTRUCTION_AFTER),
];

struct Key {
    dkga: u8,
    vending_key: &'static [u8],
    pan: &'static str,
    sgc: u32,
    base: u16,
    ea: u8,
    krn: u8,
    ti: u8,
    kt: u8,
    /// Empty where the case does not state it.
    expected: &'static [u8],
}

struct TokenCase {
    id: &'static str,
    key: Key,
    token: &'static str,
    /// 0 where the case does not state it.
    block: u64,
    class: u8,
    subclass: u8,
    tid: u32,
}

struct ChangeCase {
    id: &'static str,
    before: Key,
    after: Key,
    ken: u8,
    rollover: bool,
    tokens: &'static [&'static str],
}

struct EntryCase {
    id: &'static str,
    key: Key,
    krn: u8,
    kt: u8,
    ken: u8,
    tid_floor: u32,
    mfr_code: u16,
    resources: u64,
    units: [u64; 4],
    currency: [i64; 4],
    tids: &'static [u32],
    before: &'static [(&'static str, &'static str)],
    token: &'static str,
    result: &'static str,
}

enum Step {
    Firmware(&'static str),
    Enter { id: &'static str, at: u64, keyed: &'static str, displayed: &'static str },
}

struct ExampleMeter {
    key: &'static [u8],
    sgc: u32,
    krn: u8,
    ti: u8,
    firmware: &'static str,
    tid_floor: u32,
    water: u64,
    steps: &'static [Step],
}

include!(concat!(env!("OUT_DIR"), "/constants.rs"));

/// A line of text for the emulator.
struct Line {
    text: [u8; 120],
    length: usize,
}

impl Line {
    const fn new() -> Self {
        Self { text: [0; 120], length: 0 }
    }
}

impl Write for Line {
    fn write_str(&mut self, part: &str) -> core::fmt::Result {
        for byte in part.bytes() {
            // The last byte stays zero.
            let room = self.text.len() - 1;
            *self.text[..room].get_mut(self.length).ok_or(core::fmt::Error)? = byte;
            self.length += 1;
        }
        Ok(())
    }
}

/// Whether it holds; says so where it does not.
fn check(holds: bool, id: &str, what: &str) -> bool {
    if !holds {
        let mut line = Line::new();
        let _ = writeln!(line, "{id}: {what}");
        say(&line.text);
    }
    holds
}

fn attributes(key: &Key) -> Option<KeyAttributes> {
    Some(KeyAttributes {
        sgc: SupplyGroupCode::new(key.sgc).ok()?,
        krn: KeyRevisionNumber::new(key.krn).ok()?,
        ti: TariffIndex::new(key.ti).ok()?,
        kt: KeyType::from_code(key.kt)?,
        ken: KeyExpiryNumber::NEVER,
    })
}

fn derived(key: &Key) -> Option<DecoderKey> {
    let dkga = if key.dkga == 2 { KeyDerivation::Dkga02 } else { KeyDerivation::Dkga04 };
    let ea = match key.ea {
        7 => EncryptionAlgorithm::Sta,
        _ => EncryptionAlgorithm::Misty1,
    };
    let pan = MeterPan::parse(key.pan).ok()?;
    let vending = VendingKey::from_bytes(dkga, key.vending_key).ok()?;
    let base = BaseDate::from_year(key.base)?;
    let derived = vending.derive(&pan, ea, &attributes(key)?, base).ok()?;
    let right = key.expected.is_empty() || key.expected == derived.expose_bytes();
    right.then_some(derived)
}

fn token(case: &TokenCase) -> Option<bool> {
    let key = derived(&case.key)?;
    let opened = Token::parse(case.token).ok()?.open(&key);
    let block = opened.unauthenticated_bits();
    let payload = opened.authenticate().ok()?;
    let (class, subclass) = payload.kind();
    let tid = payload.tid()?.get();
    Some(
        (case.block == 0 || block == case.block)
            && (class.bits(), subclass) == (case.class, case.subclass)
            && (case.tid == u32::MAX || case.tid == tid),
    )
}

fn test(&(_, token, subclass, control, mfr_code): &(&str, &str, u8, u64, u16)) -> Option<bool> {
    let said = Token::parse(token).ok()?.open_without_key()?.authenticate().ok()?;
    let fields = match said {
        Payload::MeterTest(test) => (test.subclass, test.control, test.mfr_code),
        Payload::ExtendedRead { control, mfr_code } => (2, control, u16::from(mfr_code)),
        _ => return None,
    };
    Some(fields == (subclass, control, mfr_code))
}

fn change(case: &ChangeCase) -> Option<bool> {
    let (held, next) = (derived(&case.before)?, derived(&case.after)?);
    let before = attributes(&case.before)?;
    let mut expected = attributes(&case.after)?;
    expected.ken = KeyExpiryNumber::new(case.ken).ok()?;
    if case.tokens.len() == 2 {
        expected.sgc = before.sgc;
    }
    let maker = ManufacturerCode::new(0, 2).ok()?;
    let mut good = true;
    for backwards in [false, true] {
        let mut meter: Meter<'_, 50> =
            Meter::new(&Profile::STANDARD, maker, held.clone(), before, TokenId::MAX);
        for step in 0..case.tokens.len() {
            let last = case.tokens.len() - 1;
            let token = case.tokens.get(if backwards { last - step } else { step })?;
            let outcome = meter.enter(token, 0).ok()?.apply();
            good &= match outcome {
                Outcome::KeyChanged { attributes, rollover } => {
                    step == last && attributes == expected && rollover == case.rollover
                }
                Outcome::SectionStored { .. } => step < last,
                _ => false,
            };
        }
        good &= meter.key().same_as(&next);
        good &= meter.tids()[0] == if case.rollover { TokenId::MIN } else { TokenId::MAX };
    }
    Some(good)
}

fn enter(meter: &mut Meter<'_, 50>, keyed: &str, now: u64) -> TokenResult {
    match meter.enter(keyed, now) {
        Ok(admission) => admission.apply().result(),
        Err(refusal) => {
            meter.count_refusal(&refusal, now);
            refusal.result()
        }
    }
}

fn entry(case: &EntryCase) -> Option<bool> {
    let profile = Profile { resources: NumberSet::from_bits(case.resources), ..Profile::STANDARD };
    let attributes = KeyAttributes {
        krn: KeyRevisionNumber::new(case.krn).ok()?,
        kt: KeyType::from_code(case.kt)?,
        ken: KeyExpiryNumber::new(case.ken).ok()?,
        ..attributes(&case.key)?
    };
    let maker = ManufacturerCode::new(case.mfr_code, 4).ok()?;
    let floor = TokenId::new(case.tid_floor).ok()?;
    let mut meter: Meter<'_, 50> =
        Meter::new(&profile, maker, derived(&case.key)?, attributes, floor);
    for tid in case.tids {
        meter.remember(TokenId::new(*tid).ok()?);
    }
    meter.registers_mut().units = case.units;
    meter.registers_mut().currency = case.currency;
    let mut good = true;
    for (token, result) in case.before {
        good &= enter(&mut meter, token, 0).name() == *result;
    }
    Some(good && enter(&mut meter, case.token, 0).name() == case.result)
}

/// How many of its entries showed what they should.
fn example(case: &ExampleMeter) -> Option<u32> {
    let profile = |id| PROFILES.iter().find(|(name, _)| *name == id).map(|(_, profile)| *profile);
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(case.sgc).ok()?,
        krn: KeyRevisionNumber::new(case.krn).ok()?,
        ti: TariffIndex::new(case.ti).ok()?,
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let key = DecoderKey::from_bytes(EncryptionAlgorithm::Sta, case.key).ok()?;
    let maker = ManufacturerCode::new(1, 2).ok()?;
    let floor = TokenId::new(case.tid_floor).ok()?;
    let mut meter: Meter<'_, 50> =
        Meter::new(profile(case.firmware)?, maker, key, attributes, floor);
    meter.registers_mut().units[1] = case.water;
    let mut right = 0;
    for step in case.steps {
        match step {
            Step::Firmware(id) => meter.set_profile(profile(*id)?),
            Step::Enter { id, at, keyed, displayed } => {
                let result = enter(&mut meter, keyed, *at);
                let mut line = Line::new();
                let _ = write!(line, "{}", meter.shown(result, *at));
                let good = &line.text[..line.length] == displayed.as_bytes();
                right += u32::from(check(good, id, "shows something else"));
            }
        }
    }
    Some(right)
}

/// Counts what went well, and says so.
fn all<T>(
    name: &[u8],
    cases: &[T],
    id: impl Fn(&T) -> &str,
    run: impl Fn(&T) -> Option<bool>,
) -> bool {
    let right =
        cases.iter().filter(|case| check(run(*case) == Some(true), id(*case), "is wrong")).count();
    say(name);
    say_number(right as u32);
    say(b" 0\n\0");
    right == cases.len()
}

pub(crate) fn run() -> bool {
    let keys = all(b"keys \0", KEYS, |case| case.0, |case| Some(derived(&case.1).is_some()));
    let tokens = all(b"tokens \0", TOKENS, |case| case.id, token);
    let tests = all(b"tests \0", TESTS, |case| case.0, test);
    let changes = all(b"key-changes \0", CHANGES, |case| case.id, change);
    let entries = all(b"entries \0", ENTRIES, |case| case.id, entry);
    let steps = |case: &ExampleMeter| {
        case.steps.iter().filter(|step| matches!(step, Step::Enter { .. })).count() as u32
    };
    let expected: u32 = EXAMPLE.iter().map(steps).sum();
    let right: u32 = EXAMPLE.iter().map(|case| example(case).unwrap_or(0)).sum();
    say(b"example-entries \0");
    say_number(right);
    say(b" 0\n\0");
    keys && tokens && tests && changes && entries && right == expected && expected > 0
}
