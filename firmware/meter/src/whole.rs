//! The whole meter: everything a profile can ask for, every algorithm, key change.

use core::hint::black_box;
use core::mem::MaybeUninit;

use sts_core::{
    DecoderKey, EncryptionAlgorithm, Framing, FramingSet, KeyAttributes, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, LockoutRule, ManufacturerCode, Meter, NumberSet, Profile,
    SectionOrder, SupplyGroupCode, TariffIndex, TokenId,
};

use crate::harness::{measure, say, say_number, text};

/// In flash.
static PROFILE: Profile<'static> = Profile {
    framings: FramingSet::EMPTY.with(Framing::Sts20).with(Framing::W24Check),
    management: NumberSet::EMPTY.with(2).with(7).with(10),
    section_order: SectionOrder::Any,
    section_window_s: Some(600),
    lockout: Some(LockoutRule { after: 3, durations_s: &[60, 600] }),
    register_max: Some(1_000_000_000),
    ..Profile::STANDARD
};

static mut METER: MaybeUninit<Meter<'static, 50>> = MaybeUninit::uninit();
static mut RESULT: u8 = 0;

/// A meter for the key change of the published list, or for its EA11 token.
#[inline(never)]
fn set_up(ea: EncryptionAlgorithm, key: &[u8]) -> Option<()> {
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(201_457).ok()?,
        krn: KeyRevisionNumber::new(1).ok()?,
        ti: TariffIndex::new(1).ok()?,
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let key = DecoderKey::from_bytes(ea, key).ok()?;
    let maker = ManufacturerCode::new(0, 2).ok()?;
    let meter = Meter::new(black_box(&PROFILE), maker, key, attributes, TokenId::MIN);
    // SAFETY: there is one thread.
    unsafe { (&raw mut METER).write(MaybeUninit::new(meter)) };
    Some(())
}

#[inline(never)]
fn enter(keyed: &str) {
    let meter = &raw mut METER;
    // SAFETY: there is one thread, and `set_up` came first.
    let meter = unsafe { (*meter).assume_init_mut() };
    let now = black_box(0);
    let result = match meter.enter(black_box(keyed), now) {
        Ok(admission) => admission.apply().result(),
        Err(refusal) => {
            meter.count_refusal(&refusal, now);
            refusal.result()
        }
    };
    #[cfg(feature = "planted-panic")]
    assert!(black_box(result as u8) < 30, "planted");
    // SAFETY: the same.
    unsafe { RESULT = result as u8 };
}

fn credit() {
    enter("05691672784029128412");
}

fn wrong() {
    enter("05691672784029128413");
}

#[unsafe(link_section = ".harness")]
fn state(name: &[u8], bytes: usize) {
    say(name);
    say_number(bytes as u32);
    say(text!(b" 0\n\0"));
}

fn answered(result: u8) -> bool {
    // SAFETY: there is one thread.
    unsafe { (&raw const RESULT).read_volatile() == result }
}

#[unsafe(link_section = ".harness")]
pub(crate) fn run() -> bool {
    state(text!(b"state \0"), size_of::<Meter<'static, 50>>());
    state(text!(b"state-20-identifiers \0"), size_of::<Meter<'static, 20>>());
    state(text!(b"state-100-identifiers \0"), size_of::<Meter<'static, 100>>());
    let ea = black_box(EncryptionAlgorithm::Sta);
    let mut good = set_up(ea, black_box(&EA07_KEY)).is_some();
    measure(text!(b"credit-ea07 \0"), credit);
    good &= answered(0);
    measure(text!(b"used-ea07 \0"), credit);
    good &= answered(11);
    measure(text!(b"wrong-ea07 \0"), wrong);
    good &= answered(14);
    #[cfg(feature = "ea11")]
    {
        good &= ea11::run();
    }
    good
}

/// A published test key, as in `ea11`.
static EA07_KEY: [u8; 8] = [0x87, 0xF3, 0xEC, 0xBB, 0x2E, 0x46, 0xB4, 0x8F];

/// A meter under EA11, whose set of a key change has four sections.
#[cfg(feature = "ea11")]
mod ea11 {
    use super::{EncryptionAlgorithm, answered, black_box, enter, measure, set_up, text};

    static KEY: [u8; 16] = [
        0x92, 0x9B, 0xD3, 0xA4, 0x15, 0xC9, 0x42, 0x0A, 0x05, 0xEC, 0x5E, 0xE9, 0xF3, 0xCE, 0x91,
        0xC3,
    ];

    fn credit() {
        enter("23641553665398154702");
    }

    fn section_1() {
        enter("39536809214641544852");
    }

    fn section_2() {
        enter("23263472884016433225");
    }

    fn section_3() {
        enter("45268691985939334940");
    }

    /// The fourth section makes the set whole.
    fn key_change() {
        enter("65389277406881242890");
    }

    #[unsafe(link_section = ".harness")]
    pub(super) fn run() -> bool {
        let mut good = set_up(black_box(EncryptionAlgorithm::Misty1), black_box(&KEY)).is_some();
        measure(text!(b"credit-ea11 \0"), credit);
        good &= answered(0);
        section_1();
        section_2();
        measure(text!(b"key-section-ea11 \0"), section_3);
        good &= answered(3);
        measure(text!(b"key-change-ea11 \0"), key_change);
        good & answered(0)
    }
}
