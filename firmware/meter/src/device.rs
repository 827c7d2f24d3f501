//! The meter behind the line protocol of `sts conform`, on the board's first serial port.
//!
//! A device that answers as `docs/conform.md` says. Power is lost for real as far as the meter
//! goes: `reset` saves its words, forgets the meter, and restores a new one.

use core::fmt::Write;
use core::mem::MaybeUninit;

use sts_core::{
    DecoderKey, EncryptionAlgorithm, Framing, FramingSet, KeyAttributes, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, LockoutRule, ManufacturerCode, Meter, NumberSet, Profile,
    SectionOrder, SupplyGroupCode, TariffIndex, TokenId,
};

/// The serial port of the Cortex-M0's board: the nRF51's own.
#[cfg(board = "microbit")]
mod port {
    const START_RX: usize = 0x000;
    const START_TX: usize = 0x008;
    const RX_READY: usize = 0x108;
    const TX_READY: usize = 0x11C;
    const ENABLE: usize = 0x500;
    const RX: usize = 0x518;
    const TX: usize = 0x51C;

    fn read(offset: usize) -> u32 {
        // SAFETY: a register of the port.
        unsafe { ((0x4000_2000 + offset) as *const u32).read_volatile() }
    }

    fn write(offset: usize, value: u32) {
        // SAFETY: the same.
        unsafe { ((0x4000_2000 + offset) as *mut u32).write_volatile(value) }
    }

    pub(super) fn start() {
        write(ENABLE, 4);
        write(START_TX, 1);
        write(START_RX, 1);
    }

    pub(super) fn byte() -> u8 {
        while read(RX_READY) == 0 {}
        write(RX_READY, 0);
        read(RX) as u8
    }

    pub(super) fn put(byte: u8) {
        write(TX_READY, 0);
        write(TX, u32::from(byte));
        while read(TX_READY) == 0 {}
    }
}

/// The serial port of the Cortex-M3's board: a PL011.
#[cfg(board = "lm3s6965evb")]
mod port {
    fn register(offset: usize) -> *mut u32 {
        (0x4000_C000 + offset) as *mut u32
    }

    pub(super) fn start() {}

    pub(super) fn byte() -> u8 {
        // SAFETY: flags and data of the port.
        unsafe {
            while register(0x18).read_volatile() & 0x10 != 0 {}
            register(0).read_volatile() as u8
        }
    }

    pub(super) fn put(byte: u8) {
        // SAFETY: the same.
        unsafe {
            while register(0x18).read_volatile() & 0x20 != 0 {}
            register(0).write_volatile(u32::from(byte));
        }
    }
}

/// The serial port of the RISC-V board: a 16550.
#[cfg(board = "virt")]
mod port {
    fn register(offset: usize) -> *mut u8 {
        (0x1000_0000 + offset) as *mut u8
    }

    pub(super) fn start() {}

    pub(super) fn byte() -> u8 {
        // SAFETY: line status and receive buffer of the port.
        unsafe {
            while register(5).read_volatile() & 1 == 0 {}
            register(0).read_volatile()
        }
    }

    pub(super) fn put(byte: u8) {
        // SAFETY: line status and transmit buffer of the port.
        unsafe {
            while register(5).read_volatile() & 0x20 == 0 {}
            register(0).write_volatile(byte);
        }
    }
}

struct Line;

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.bytes().for_each(port::put);
        Ok(())
    }
}

/// A request of at most this many bytes; the rest of a longer one is dropped.
const LONGEST: usize = 400;

static mut REQUEST: [u8; LONGEST] = [0; LONGEST];
static mut PROFILE: MaybeUninit<Profile<'static>> = MaybeUninit::uninit();
static mut DURATIONS: [u32; 4] = [0; 4];

/// A request without its line end.
fn request() -> &'static str {
    let buffer = &raw mut REQUEST;
    let mut length = 0;
    loop {
        match port::byte() {
            b'\n' => break,
            b'\r' => {}
            byte if length < LONGEST => {
                // SAFETY: within the buffer, which nobody else holds now.
                unsafe { (*buffer)[length] = byte };
                length += 1;
            }
            _ => {}
        }
    }
    // SAFETY: it is written again only when the request was answered.
    let bytes: &'static [u8] = unsafe { &(&*buffer)[..length] };
    core::str::from_utf8(bytes).unwrap_or_default()
}

fn value<'t>(words: &'t str, name: &str) -> Option<&'t str> {
    words.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

fn number<T: core::str::FromStr>(words: &str, name: &str) -> Option<T> {
    value(words, name)?.parse().ok()
}

fn numbers(words: &str, name: &str, usual: NumberSet) -> Option<NumberSet> {
    let Some(list) = value(words, name) else { return Some(usual) };
    list.split(',').map(|word| word.parse().ok()).collect()
}

fn profile(words: &str) -> Option<Profile<'static>> {
    let standard = Profile::STANDARD;
    let framings = match value(words, "framings") {
        None => standard.framings,
        Some(list) => list.split(',').map(Framing::from_name).collect::<Option<FramingSet>>()?,
    };
    let lockout = match value(words, "lockout").map(|text| text.split_once(':')) {
        None => None,
        Some(text) => {
            let (after, list) = text?;
            let durations = &raw mut DURATIONS;
            let mut count = 0;
            for word in list.split(',') {
                // SAFETY: no meter is in use while one is set up.
                *unsafe { (*durations).get_mut(count) }? = word.parse().ok()?;
                count += 1;
            }
            // SAFETY: written again only with the next setup.
            let durations_s: &'static [u32] = unsafe { &(&*durations)[..count] };
            Some(LockoutRule { after: after.parse().ok()?, durations_s })
        }
    };
    Some(Profile {
        framings,
        lockout,
        resources: numbers(words, "resources", standard.resources)?,
        tests: numbers(words, "tests", standard.tests)?,
        management: numbers(words, "management", standard.management)?,
        key_change_sets: numbers(words, "sets", standard.key_change_sets)?,
        section_order: match value(words, "order") {
            Some("strict") => SectionOrder::Strict,
            _ => SectionOrder::Any,
        },
        section_window_s: number(words, "window").filter(|seconds| *seconds > 0),
        register_max: number(words, "max").filter(|max| *max > 0),
        checks_expiry: value(words, "expiry") != Some("0"),
        display: standard.display,
    })
}

fn set_up(words: &str) -> Option<Meter<'static>> {
    let mut key = [0; 16];
    let hex = value(words, "key")?.as_bytes();
    for (byte, pair) in key.iter_mut().zip(hex.chunks(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    let ea = EncryptionAlgorithm::from_code(value(words, "ea")?)?;
    let key = DecoderKey::from_bytes(ea, key.get(..hex.len() / 2)?).ok()?;
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(number(words, "sgc")?).ok()?,
        krn: KeyRevisionNumber::new(number(words, "krn")?).ok()?,
        ti: TariffIndex::new(number(words, "ti")?).ok()?,
        kt: KeyType::from_code(number(words, "kt")?)?,
        ken: KeyExpiryNumber::new(number(words, "ken")?).ok()?,
    };
    let digits = value(words, "mfr")?.len() as u8;
    let maker = ManufacturerCode::new(number(words, "mfr")?, digits).ok()?;
    let floor = TokenId::new(number(words, "tid")?).ok()?;
    let held = &raw mut PROFILE;
    // SAFETY: the meter that borrowed the old one is not used again.
    let profile = unsafe { (*held).write(profile(words)?) };
    Some(Meter::new(profile, maker, key, attributes, floor))
}

/// What is left after a loss of power: a new meter with the saved words.
fn restored(words: &str, meter: &Meter<'static>) -> Option<Meter<'static>> {
    let mut saved = [0; Meter::<'static, 50>::WORDS];
    (0..).zip(&mut saved).for_each(|(place, word)| *word = meter.word(place));
    let mut after = set_up(words)?;
    for (place, word) in saved.into_iter().enumerate() {
        after.set_word(place, word).ok()?;
    }
    Some(after)
}

fn read(meter: &Meter<'static>) -> core::fmt::Result {
    let held = meter.attributes();
    let mut place = 0;
    Line.write_str("ok")?;
    for units in meter.registers().units {
        write!(Line, " r{place}={units}")?;
        place += 1;
    }
    for money in meter.registers().currency {
        write!(Line, " r{place}={money}")?;
        place += 1;
    }
    let (sgc, krn, ti) = (held.sgc.get(), held.krn.get(), held.ti.get());
    write!(Line, " sgc={sgc} krn={krn} ti={ti} kt={} ken={}", held.kt.code(), held.ken.get())?;
    for (name, limit) in [("power", meter.maximum_power()), ("unbalance", meter.phase_unbalance())]
    {
        if let Some(limit) = limit {
            write!(Line, " {name}={}", limit.units())?;
        }
    }
    Line.write_str("\n")
}

pub(crate) fn run() -> bool {
    port::start();
    let mut meter: Option<Meter<'static>> = None;
    // The last setup, which a restored meter gets its profile from.
    let mut kept = [0; LONGEST];
    let mut kept_length = 0;
    let mut now = 0_u64;
    loop {
        let line = request();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let done = match (verb, &mut meter) {
            ("hello", _) => {
                Line.write_str("ok 1 result,reset,advance,read,limits an emulated board\n")
            }
            ("setup", meter) => {
                now = 0;
                *meter = set_up(rest);
                kept_length = rest.len();
                kept[..kept_length].copy_from_slice(rest.as_bytes());
                Line.write_str(if meter.is_some() { "ok\n" } else { "no such meter\n" })
            }
            ("enter", Some(meter)) => {
                let result = match meter.enter(rest, now) {
                    Ok(admission) => admission.apply().result(),
                    Err(refusal) => {
                        meter.count_refusal(&refusal, now);
                        refusal.result()
                    }
                };
                writeln!(Line, "ok {}", result.name())
            }
            ("read", Some(meter)) => read(meter),
            ("reset", Some(held)) => {
                let setup = core::str::from_utf8(&kept[..kept_length]).unwrap_or_default();
                meter = restored(setup, held);
                Line.write_str(if meter.is_some() { "ok\n" } else { "no state was restored\n" })
            }
            ("advance", _) => {
                now = now.saturating_add(rest.parse().unwrap_or_default());
                Line.write_str("ok\n")
            }
            ("quit", _) => return true,
            _ => Line.write_str("no such request, or no meter yet\n"),
        };
        if done.is_err() {
            return false;
        }
    }
}
