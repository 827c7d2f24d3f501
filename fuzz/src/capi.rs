//! The C interface: any calls in any order, with pointers that are null, misaligned or right, beside
//! a meter of the core that is told the same.

#![expect(unsafe_code, reason = "the functions are those that C calls")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use arbitrary::{Arbitrary, Result, Unstructured};
use sts_capi::{
    StsAnswer, StsDisplayRule, StsKeyRequest, StsMeter, StsMeterKey, StsMeterSetup, StsOutcome,
    StsProfile, StsReason, StsRegisters, StsResult, StsStage, StsStatus, StsStorage, StsStore,
    StsToken, sts_derive_dkga02, sts_derive_dkga04, sts_meter_display, sts_meter_enter,
    sts_meter_enter_saved, sts_meter_init, sts_meter_key, sts_meter_preview,
    sts_meter_read_registers, sts_meter_remember, sts_meter_restore, sts_meter_set_tampered,
    sts_meter_wipe, sts_meter_write_registers, sts_open, sts_result_name, sts_store_format,
    sts_store_open, sts_store_save,
};
use sts_core::class::key_change;
use sts_core::{
    Amount, BaseDate, Commodity, DecoderKey, EncryptionAlgorithm, Framing, FramingSet,
    KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType, LockoutRule, ManufacturerCode,
    Meter, MeterPan, NumberSet, Payload, Profile, Registers, SectionOrder, SupplyGroupCode,
    TariffIndex, Token, TokenId, VendingKey,
};

/// How a pointer is given.
#[derive(Arbitrary, Clone, Copy, Debug, Eq, PartialEq)]
enum Pointer {
    Right,
    // Most are right, so that something happens.
    RightToo,
    AlsoRight,
    Null,
    Misaligned,
}

impl Pointer {
    fn of<T>(self, place: *mut T) -> *mut T {
        match self {
            Self::Null => ptr::null_mut(),
            Self::Misaligned if align_of::<T>() > 1 => place.wrapping_byte_add(1),
            _ => place,
        }
    }

    /// What a function says of it, if anything.
    fn status<T>(self) -> Option<StsStatus> {
        match self {
            Self::Null => Some(StsStatus::Null),
            Self::Misaligned if align_of::<T>() > 1 => Some(StsStatus::Misaligned),
            _ => None,
        }
    }
}

/// What is keyed.
#[derive(Arbitrary, Debug)]
enum Entry<'a> {
    Bytes(&'a [u8]),
    /// A token under the meter's own key.
    Credit {
        register: u8,
        tid: u32,
        amount: u16,
        grouped: bool,
    },
    /// One section of a key change to a key of these bytes.
    Section {
        key: u8,
        sgc: u32,
        krn: u8,
        ti: u8,
        kt: u8,
        flags: u8,
        which: u8,
    },
    /// Any block under the meter's own key.
    Plain {
        class: u8,
        subclass: u8,
        data: u64,
    },
}

/// The fields of a structure, as C may fill them.
#[derive(Arbitrary, Debug)]
struct Setup {
    sgc: u32,
    tid_floor: u32,
    manufacturer_code: u16,
    manufacturer_digits: u8,
    numbers: [u8; 5],
    /// Whether all of them are brought into range.
    in_range: bool,
}

#[derive(Arbitrary, Debug)]
enum Call<'a> {
    Init {
        meter: Pointer,
        setup: Setup,
        key: [u8; 16],
        key_length: u8,
        standard: bool,
    },
    Preview {
        meter: Pointer,
        entry: Entry<'a>,
        now: u64,
        answer: Pointer,
    },
    Enter {
        meter: Pointer,
        entry: Entry<'a>,
        now: u64,
        answer: Pointer,
    },
    EnterSaved {
        meter: Pointer,
        store: Pointer,
        entry: Entry<'a>,
        now: u64,
        answer: Pointer,
    },
    Display {
        meter: Pointer,
        result: u8,
        now: u64,
        capacity: u8,
        length: Pointer,
    },
    ReadRegisters {
        meter: Pointer,
        registers: Pointer,
    },
    WriteRegisters {
        meter: Pointer,
        units: [u64; 4],
        currency: [i64; 4],
    },
    Tampered {
        meter: Pointer,
    },
    Remember {
        meter: Pointer,
        tid: u32,
    },
    Key {
        meter: Pointer,
        now: u64,
        key: Pointer,
    },
    Wipe {
        meter: Pointer,
    },
    StoreOpen {
        store: Pointer,
        storage: Pointer,
        area_size: u16,
        without: u8,
    },
    StoreFormat {
        store: Pointer,
        meter: Pointer,
    },
    StoreSave {
        store: Pointer,
        meter: Pointer,
    },
    Restore {
        meter: Pointer,
        store: Pointer,
        code: u16,
        digits: u8,
    },
    /// The storage fails from the call after so many on; 255 is never.
    StorageFails(u8),
    Damage {
        area: u8,
        place: u16,
        byte: u8,
    },
    Open {
        keyed: &'a [u8],
        ea: u8,
        key: [u8; 16],
        key_length: u8,
        token: Pointer,
    },
    Derive {
        long: bool,
        vending: [u8; 20],
        pan: [u8; 18],
        numbers: [u8; 4],
        sgc: u32,
        year: u16,
        capacity: u8,
    },
    ResultName {
        result: u8,
        capacity: u8,
    },
}

const AREA: usize = 1024;

/// The caller's memory, which may fail.
struct Flash {
    areas: [[u8; AREA]; 2],
    left: Option<u8>,
}

impl Flash {
    fn fails(&mut self) -> bool {
        match &mut self.left {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }
}

/// # Safety
///
/// As the header says for `read`, with a `Flash` as context.
unsafe extern "C" fn read(context: *mut c_void, area: u8, offset: u32, bytes: *mut u8) -> c_int {
    // SAFETY: the storage below has a flash as its context.
    let flash = unsafe { &mut *context.cast::<Flash>() };
    if flash.fails() {
        return 1;
    }
    let from = &flash.areas[usize::from(area)][offset as usize..][..8];
    // SAFETY: the caller has room for eight bytes.
    unsafe { bytes.copy_from_nonoverlapping(from.as_ptr(), 8) };
    0
}

/// # Safety
///
/// As the header says for `write`, with a `Flash` as context.
unsafe extern "C" fn write(context: *mut c_void, area: u8, offset: u32, bytes: *const u8) -> c_int {
    // SAFETY: as in `read`.
    let flash = unsafe { &mut *context.cast::<Flash>() };
    if flash.fails() {
        return 1;
    }
    let to = &mut flash.areas[usize::from(area)][offset as usize..][..8];
    // SAFETY: the caller has eight bytes.
    to.copy_from_slice(unsafe { std::slice::from_raw_parts(bytes, 8) });
    0
}

/// # Safety
///
/// As the header says for `erase`, with a `Flash` as context.
unsafe extern "C" fn erase(context: *mut c_void, area: u8) -> c_int {
    // SAFETY: as in `read`.
    let flash = unsafe { &mut *context.cast::<Flash>() };
    if flash.fails() {
        return 1;
    }
    flash.areas[usize::from(area)].fill(0xFF);
    0
}

/// A program of calls, by the layout of the `arbitrary` crate: a profile, then what is called.
pub fn capi(data: &[u8]) {
    // Where the bytes are over, the program is.
    let _ = run(&mut Unstructured::new(data));
}

/// A profile, and the core's of the same meaning.
struct Profiles {
    lockout: Vec<u32>,
    texts: Vec<CString>,
    rules: Vec<StsDisplayRule>,
}

impl Profiles {
    fn read(input: &mut Unstructured<'_>) -> Result<(Self, StsProfile)> {
        let lockout: Vec<u32> = (0..input.int_in_range(0..=3)?)
            .map(|_| input.arbitrary::<u16>().map(u32::from))
            .collect::<Result<_>>()?;
        let mut own = Self { lockout, texts: Vec::new(), rules: Vec::new() };
        for _ in 0..input.int_in_range(0..=3)? {
            let text: &[u8] = input.arbitrary()?;
            let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
            own.texts.push(CString::new(text).expect("no zero inside"));
        }
        for text in &own.texts {
            let show = if input.ratio(1_u8, 16)? { ptr::null() } else { text.as_ptr() };
            let (on, only_pending) = (input.arbitrary()?, input.arbitrary()?);
            own.rules.push(StsDisplayRule { on, only_pending, show });
        }
        let some = |there: bool, pointer| if there { pointer } else { ptr::null() };
        let profile = StsProfile {
            tests: input.arbitrary()?,
            register_max: input.arbitrary()?,
            lockout_s: some(!own.lockout.is_empty(), own.lockout.as_ptr()),
            display: some(!own.rules.is_empty(), own.rules.as_ptr().cast()).cast(),
            section_window_s: input.arbitrary()?,
            display_count: own.rules.len() as u16,
            management: input.arbitrary()?,
            framings: input.arbitrary()?,
            resources: input.arbitrary()?,
            key_change_sets: input.arbitrary()?,
            strict_section_order: input.arbitrary()?,
            checks_expiry: input.arbitrary()?,
            lockout_after: input.int_in_range(0..=6)?,
            lockout_count: own.lockout.len() as u8,
        };
        Ok((own, profile))
    }

    fn core(&self, of: &StsProfile) -> Profile<'_> {
        let forms = [Framing::Sts20, Framing::W24Check, Framing::W24Suffix, Framing::W24Prefix];
        let framings: FramingSet = (0..)
            .zip(forms)
            .filter(|(bit, _)| of.framings >> bit & 1 == 1)
            .map(|(_, form)| form)
            .collect();
        Profile {
            framings,
            resources: NumberSet::from_bits(of.resources.into()),
            tests: NumberSet::from_bits(of.tests),
            management: NumberSet::from_bits(of.management.into()),
            key_change_sets: NumberSet::from_bits(of.key_change_sets.into()),
            section_order: match of.strict_section_order {
                0 => SectionOrder::Any,
                _ => SectionOrder::Strict,
            },
            section_window_s: (of.section_window_s > 0).then_some(of.section_window_s),
            lockout: (of.lockout_after > 0)
                .then_some(LockoutRule { after: of.lockout_after, durations_s: &self.lockout }),
            register_max: (of.register_max > 0).then_some(of.register_max),
            checks_expiry: of.checks_expiry != 0,
            display: &[],
        }
    }
}

const NO_ANSWER: StsAnswer = StsAnswer {
    value: 0,
    found: 0,
    expected: 0,
    tid: 0,
    result: StsResult::None,
    register_number: 0,
    stage: StsStage::None,
    reason: StsReason::None,
    outcome: StsOutcome::None,
    failed_checks: 0,
    token_class: 0,
    subclass: 0,
};

/// What is called, and the core's meter beside it.
struct World<'p> {
    profile: *const StsProfile,
    core_profile: &'p Profile<'p>,
    meter: StsMeter,
    store: StsStore,
    storage: Box<StsStorage>,
    /// What the meter must be; `None` while it is not set up.
    mirror: Option<Meter<'p, 50>>,
    /// What was saved last, where that is known; the profile apart.
    saved: Option<Meter<'p, 50>>,
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let (profiles, profile) = Profiles::read(input)?;
    let core_profile = profiles.core(&profile);
    let mut flash = Flash { areas: [[0xFF; AREA]; 2], left: None };
    let flash: *mut Flash = &raw mut flash;
    let mut world = World {
        profile: &raw const profile,
        core_profile: &core_profile,
        meter: StsMeter::zeroed(),
        store: StsStore::zeroed(),
        storage: Box::new(StsStorage {
            context: flash.cast(),
            read: Some(read),
            write: Some(write),
            erase: Some(erase),
            area_size: AREA as u32,
        }),
        mirror: None,
        saved: None,
    };
    while !input.is_empty() {
        let call: Call<'_> = input.arbitrary()?;
        match call {
            Call::StorageFails(after) => {
                // SAFETY: no function runs that uses it.
                unsafe { (*flash).left = (after != 255).then_some(after) };
            }
            Call::Damage { area, place, byte } => {
                // SAFETY: the same.
                let areas = unsafe { &mut (*flash).areas };
                areas[usize::from(area & 1)][usize::from(place) % AREA] = byte;
                world.saved = None;
            }
            call => world.call(&call),
        }
    }
    Ok(())
}

impl<'p> World<'p> {
    fn entry(&self, entry: &Entry<'_>) -> Vec<u8> {
        let stranger = DecoderKey::sta([0x11; 8]);
        let key = self.mirror.as_ref().map_or(&stranger, Meter::key);
        let sealed = |payload: &Payload| Token::seal(payload, key);
        match entry {
            Entry::Bytes(bytes) => bytes.to_vec(),
            Entry::Credit { register, tid, amount, grouped } => {
                let payload = Payload::Credit {
                    commodity: [
                        Commodity::Electricity,
                        Commodity::Water,
                        Commodity::Gas,
                        Commodity::Time,
                    ][usize::from(register & 3)],
                    rnd: register >> 4,
                    tid: TokenId::new(tid & 0xFF_FFFF).expect("24 bits"),
                    amount: Amount::from_field(*amount),
                };
                let token = sealed(&payload);
                if *grouped { format!("{token:#}") } else { token.to_string() }.into_bytes()
            }
            Entry::Section { key: byte, sgc, krn, ti, kt, flags, which } => {
                let to = match key.ea() {
                    EncryptionAlgorithm::Misty1 => DecoderKey::misty1([*byte; 16]),
                    _ => DecoderKey::sta([*byte; 8]),
                };
                let attributes = attributes(*sgc % 1_000_000, krn % 10, ti % 100, kt & 3, *flags);
                let mut set =
                    key_change(&to, &attributes.expect("in range"), flags & 1 != 0, flags & 2 != 0);
                let section = set.nth(usize::from(which & 3));
                section.map_or_else(Vec::new, |section| sealed(&section).to_string().into_bytes())
            }
            Entry::Plain { class, subclass, data } => {
                let class = [
                    sts_core::Class::Credit,
                    sts_core::Class::NonMeterSpecificManagement,
                    sts_core::Class::MeterSpecificManagement,
                ][usize::from(class % 3)];
                let data = data & 0xFFF_FFFF_FFFF;
                let payload = Payload::Other { class, subclass: subclass & 15, data };
                sealed(&payload).to_string().into_bytes()
            }
        }
    }

    fn call(&mut self, call: &Call<'_>) {
        match call {
            Call::Init { meter, setup, key, key_length, standard } => {
                self.init(*meter, setup, &key[..usize::from(*key_length).min(16)], *standard);
            }
            Call::Preview { meter, entry, now, answer } => {
                self.enter(*meter, entry, *now, *answer, false)
            }
            Call::Enter { meter, entry, now, answer } => {
                self.enter(*meter, entry, *now, *answer, true)
            }
            Call::EnterSaved { meter, store, entry, now, answer } => {
                self.enter_saved([*meter, *store, *answer], entry, *now);
            }
            Call::Display { meter, result, now, capacity, length } => {
                self.display(*meter, *result, *now, usize::from(*capacity), *length);
            }
            Call::ReadRegisters { meter, registers } => self.registers(*meter, *registers),
            Call::WriteRegisters { meter, units, currency } => {
                let registers = StsRegisters { units: *units, currency: *currency };
                let at = meter.of(&raw mut self.meter);
                // SAFETY: pointers are as the header asks for.
                let status = unsafe { sts_meter_write_registers(at, &raw const registers) };
                if let Some(mirror) = self.expect(status, *meter) {
                    *mirror.registers_mut() = Registers { units: *units, currency: *currency };
                }
            }
            Call::Tampered { meter } => {
                // SAFETY: the same.
                let status = unsafe { sts_meter_set_tampered(meter.of(&raw mut self.meter)) };
                self.expect(status, *meter).into_iter().for_each(Meter::set_tampered);
            }
            Call::Remember { meter, tid } => {
                // SAFETY: the same.
                let status = unsafe { sts_meter_remember(meter.of(&raw mut self.meter), *tid) };
                match TokenId::new(*tid) {
                    Err(_) => assert_eq!(status, StsStatus::OutOfRange),
                    Ok(tid) => {
                        self.expect(status, *meter).into_iter().for_each(|it| it.remember(tid));
                    }
                }
            }
            Call::Key { meter, now, key } => self.key(*meter, *now, *key),
            Call::Wipe { meter } => {
                // SAFETY: the same.
                let status = unsafe { sts_meter_wipe(meter.of(&raw mut self.meter)) };
                assert_eq!(status, meter.status::<StsMeter>().unwrap_or(StsStatus::Ok));
                if status == StsStatus::Ok {
                    self.mirror = None;
                }
            }
            Call::StoreOpen { store, storage, area_size, without } => {
                // A size that the memory has; functions that are not there are said to be missing.
                let size = u32::from(*area_size).min(AREA as u32);
                let other_size = std::mem::replace(&mut self.storage.area_size, size) != size;
                self.storage.read = (without & 7 != 1).then_some(read);
                self.storage.write = (without & 7 != 2).then_some(write);
                self.storage.erase = (without & 7 != 3).then_some(erase);
                let at = storage.of(&raw mut *self.storage);
                // SAFETY: the same; the storage outlives the store.
                let status = unsafe { sts_store_open(store.of(&raw mut self.store), at) };
                let opened = [StsStatus::Ok, StsStatus::Null, StsStatus::Misaligned];
                if other_size || !opened.contains(&status) {
                    self.saved = None;
                }
            }
            Call::StoreFormat { store, meter } => {
                let (store, at) = (store.of(&raw mut self.store), meter.of(&raw mut self.meter));
                // SAFETY: the same.
                let status = unsafe { sts_store_format(store, at) };
                self.saved = (status == StsStatus::Ok).then(|| self.mirror.clone()).flatten();
            }
            Call::StoreSave { store, meter } => {
                let (store, at) = (store.of(&raw mut self.store), meter.of(&raw mut self.meter));
                // SAFETY: the same.
                let status = unsafe { sts_store_save(store, at) };
                self.after_save(status);
            }
            Call::Restore { meter, store, code, digits } => {
                self.restore(*meter, *store, *code, *digits);
            }
            Call::StorageFails(_) | Call::Damage { .. } => {}
            Call::Open { keyed, ea, key, key_length, token } => {
                open(keyed, *ea, &key[..usize::from(*key_length).min(16)], *token);
            }
            Call::Derive { long, vending, pan, numbers, sgc, year, capacity } => {
                derive(*long, vending, pan, *numbers, *sgc, *year, usize::from(*capacity));
            }
            Call::ResultName { result, capacity } => result_name(*result, usize::from(*capacity)),
        }
    }

    /// A call that needs a meter and nothing else: what it says, and the meter where it is done.
    fn expect(&mut self, status: StsStatus, meter: Pointer) -> Option<&mut Meter<'p, 50>> {
        let expected = meter.status::<StsMeter>().unwrap_or(match self.mirror {
            Some(_) => StsStatus::Ok,
            None => StsStatus::NotInitialised,
        });
        assert_eq!(status, expected);
        self.mirror.as_mut().filter(|_| status == StsStatus::Ok)
    }

    fn init(&mut self, meter: Pointer, setup: &Setup, key: &[u8], standard: bool) {
        let [mut ea, mut krn, mut ti, mut kt, ken] = setup.numbers;
        let Setup {
            mut sgc, mut tid_floor, mut manufacturer_code, mut manufacturer_digits, ..
        } = *setup;
        let mut key = key.to_vec();
        if setup.in_range {
            ea = [7, 9, 11][usize::from(ea % 3)];
            (krn, ti, kt) = (krn % 10, ti % 100, kt & 3);
            (sgc, tid_floor) = (sgc % 1_000_000, tid_floor & 0xFFFF);
            (manufacturer_code, manufacturer_digits) = (manufacturer_code % 100, 2);
            key.resize(if ea == 11 { 16 } else { 8 }, 0x55);
        }
        let asked = StsMeterSetup {
            sgc,
            tid_floor,
            manufacturer_code,
            manufacturer_digits,
            ea,
            krn,
            ti,
            kt,
            ken,
        };
        let profile = if standard { ptr::null() } else { self.profile };
        let at = meter.of(&raw mut self.meter);
        // SAFETY: pointers are as the header asks for, and the profile outlives the meter.
        let status =
            unsafe { sts_meter_init(at, profile, &raw const asked, key.as_ptr(), key.len()) };
        let ea = EncryptionAlgorithm::from_code(&format!("{ea:02}"));
        let made = || {
            Some(Meter::new(
                if standard { &Profile::STANDARD } else { self.core_profile },
                ManufacturerCode::new(manufacturer_code, manufacturer_digits).ok()?,
                DecoderKey::from_bytes(ea?, &key).ok()?,
                attributes(sgc, krn, ti, kt, ken)?,
                TokenId::new(tid_floor).ok()?,
            ))
        };
        match meter.status::<StsMeter>() {
            Some(expected) => assert_eq!(status, expected),
            None => {
                let made = made();
                assert_eq!(status == StsStatus::Ok, made.is_some(), "{asked:?}: {status:?}");
                // What is refused leaves the meter that was there.
                if made.is_some() {
                    self.mirror = made;
                }
            }
        }
    }

    fn enter(&mut self, meter: Pointer, entry: &Entry<'_>, now: u64, answer: Pointer, apply: bool) {
        let keyed = self.entry(entry);
        let mut said = NO_ANSWER;
        let (at, to) = (meter.of(&raw mut self.meter), answer.of(&raw mut said));
        let (text, length) = (keyed.as_ptr().cast::<c_char>(), keyed.len());
        let call = if apply { sts_meter_enter } else { sts_meter_preview };
        // SAFETY: pointers are as the header asks for.
        let status = unsafe { call(at, text, length, now, to) };
        if let Some(expected) = answer.status::<StsAnswer>() {
            assert_eq!(status, expected);
            return;
        }
        if let Some(mirror) = self.expect(status, meter) {
            same_answer(mirror, &keyed, now, apply, &said);
        }
        self.same_registers();
    }

    fn enter_saved(&mut self, [meter, store, answer]: [Pointer; 3], entry: &Entry<'_>, now: u64) {
        let keyed = self.entry(entry);
        let mut said = NO_ANSWER;
        let (at, to) = (meter.of(&raw mut self.meter), answer.of(&raw mut said));
        let store = store.of(&raw mut self.store);
        let (text, length) = (keyed.as_ptr().cast::<c_char>(), keyed.len());
        // SAFETY: pointers are as the header asks for.
        let status = unsafe { sts_meter_enter_saved(at, store, text, length, now, to) };
        if status == StsStatus::Ok {
            let mirror = self.mirror.as_mut().expect("a meter that was set up");
            same_answer(mirror, &keyed, now, true, &said);
        }
        self.after_save(status);
    }

    /// A save that failed leaves the meter at what was saved, or not set up.
    fn after_save(&mut self, status: StsStatus) {
        match status {
            StsStatus::Ok => self.saved = self.mirror.clone(),
            StsStatus::Storage | StsStatus::Space => {
                // Whether the new state or the old came to be is not known here: either may hold.
                self.saved = None;
                self.mirror_what_is_there();
            }
            _ => {}
        }
        self.same_registers();
    }

    /// Takes over what the meter says of itself, as far as that can be asked: whether it is set up.
    fn mirror_what_is_there(&mut self) {
        let mut key = NO_KEY;
        // SAFETY: both are there.
        let status = unsafe { sts_meter_key(&raw mut self.meter, 0, &raw mut key) };
        if status == StsStatus::NotInitialised {
            self.mirror = None;
            return;
        }
        // SAFETY: the same. What is held now is not known in full: the meter is set up anew.
        assert_eq!(unsafe { sts_meter_wipe(&raw mut self.meter) }, StsStatus::Ok);
        self.mirror = None;
    }

    fn restore(&mut self, meter: Pointer, store: Pointer, code: u16, digits: u8) {
        let (at, from) = (meter.of(&raw mut self.meter), store.of(&raw mut self.store));
        // SAFETY: pointers are as the header asks for.
        let status = unsafe { sts_meter_restore(at, from, self.profile, code, digits) };
        if status != StsStatus::Ok {
            // Whatever was there may be gone.
            if meter.status::<StsMeter>().is_none() {
                self.mirror_what_is_there();
            }
            return;
        }
        let maker = ManufacturerCode::new(code, digits).expect("it was taken");
        if let Some(saved) = &self.saved {
            let attributes = *saved.attributes();
            let mut again =
                Meter::new(self.core_profile, maker, saved.key().clone(), attributes, TokenId::MIN);
            for index in 0..Meter::<50>::WORDS {
                again.set_word(index, saved.word(index)).expect("a word of a meter");
            }
            self.mirror = Some(again);
            self.same_registers();
        } else {
            self.mirror_what_is_there();
        }
    }

    fn same_registers(&mut self) {
        let mut held = StsRegisters { units: [1; 4], currency: [1; 4] };
        // SAFETY: both are there.
        let status = unsafe { sts_meter_read_registers(&raw mut self.meter, &raw mut held) };
        match &self.mirror {
            None => assert_eq!(status, StsStatus::NotInitialised),
            Some(mirror) => {
                let Registers { units, currency } = *mirror.registers();
                assert_eq!(held, StsRegisters { units, currency });
            }
        }
    }

    fn registers(&mut self, meter: Pointer, registers: Pointer) {
        let mut held = StsRegisters { units: [1; 4], currency: [1; 4] };
        let (at, to) = (meter.of(&raw mut self.meter), registers.of(&raw mut held));
        // SAFETY: pointers are as the header asks for.
        let status = unsafe { sts_meter_read_registers(at, to) };
        let there = meter.status::<StsMeter>().is_none() && self.mirror.is_some();
        match registers.status::<StsRegisters>() {
            Some(expected) if there => assert_eq!(status, expected),
            _ => drop(self.expect(status, meter)),
        }
    }

    fn key(&mut self, meter: Pointer, now: u64, key: Pointer) {
        let mut told = NO_KEY;
        let (at, to) = (meter.of(&raw mut self.meter), key.of(&raw mut told));
        // SAFETY: pointers are as the header asks for.
        let status = unsafe { sts_meter_key(at, now, to) };
        let there = meter.status::<StsMeter>().is_none() && self.mirror.is_some();
        if let Some(expected) = key.status::<StsMeterKey>().filter(|_| there) {
            assert_eq!(status, expected);
        } else if let Some(mirror) = self.expect(status, meter) {
            let held = mirror.attributes();
            let sections = mirror.staged_sections(now).fold(0, |bits, n| bits | 1 << (n - 1));
            let expected = StsMeterKey {
                sgc: held.sgc.get(),
                ea: mirror.key().ea().code().parse().expect("two digits"),
                krn: held.krn.get(),
                ti: held.ti.get(),
                kt: held.kt.code(),
                ken: held.ken.get(),
                sections,
            };
            assert_eq!(told, expected);
        }
    }

    fn display(&mut self, meter: Pointer, result: u8, now: u64, capacity: usize, length: Pointer) {
        let mut text: Vec<c_char> = vec![0x55; capacity];
        let mut written = usize::MAX;
        let at = meter.of(&raw mut self.meter);
        let to = match length {
            Pointer::Null => ptr::null_mut(),
            _ => &raw mut written,
        };
        // SAFETY: pointers are as the header asks for.
        let status = unsafe { sts_meter_display(at, result, now, text.as_mut_ptr(), capacity, to) };
        if status == StsStatus::Ok && !to.is_null() {
            assert!(written < capacity && text[written] == 0, "the text is not closed");
            assert!(text[..written].iter().all(|letter| *letter != 0));
        }
    }
}

const NO_KEY: StsMeterKey =
    StsMeterKey { sgc: 0, ea: 0, krn: 0, ti: 0, kt: 0, ken: 0, sections: 0 };

fn attributes(sgc: u32, krn: u8, ti: u8, kt: u8, ken: u8) -> Option<KeyAttributes> {
    Some(KeyAttributes {
        sgc: SupplyGroupCode::new(sgc).ok()?,
        krn: KeyRevisionNumber::new(krn).ok()?,
        ti: TariffIndex::new(ti).ok()?,
        kt: KeyType::from_code(kt)?,
        ken: KeyExpiryNumber::new(ken).ok()?,
    })
}

fn name_of(result: StsResult) -> String {
    let mut text: [c_char; 18] = [0; 18];
    let mut length = 0;
    // SAFETY: there is room for eighteen bytes, which are always enough.
    let status = unsafe { sts_result_name(result as u8, text.as_mut_ptr(), 18, &raw mut length) };
    assert_eq!(status, StsStatus::Ok, "{result:?}");
    text[..length].iter().map(|letter| char::from(letter.cast_unsigned())).collect()
}

fn same_answer(mirror: &mut Meter<'_, 50>, keyed: &[u8], now: u64, apply: bool, said: &StsAnswer) {
    // What is no text has a character that is no digit.
    let text = std::str::from_utf8(keyed).unwrap_or("\u{FFFD}");
    let (result, tid, kind) = match mirror.enter(text, now) {
        Ok(admission) => {
            let payload = *admission.payload();
            let outcome = if apply { admission.apply() } else { admission.outcome() };
            (outcome.result(), payload.tid(), Some(payload.kind()))
        }
        Err(refusal) => {
            if apply {
                mirror.count_refusal(&refusal, now);
            }
            assert_ne!(said.reason, StsReason::None);
            assert_ne!(said.reason, StsReason::Other, "{refusal:?}");
            (refusal.result(), None, None)
        }
    };
    assert_eq!(name_of(said.result), result.name());
    if let Some((class, subclass)) = kind {
        assert_eq!((said.token_class, said.subclass), (class.bits(), subclass));
        assert_eq!(said.tid, tid.map_or(u32::MAX, TokenId::get));
        assert!(said.reason == StsReason::None && said.stage == StsStage::None);
    }
}

fn open(keyed: &[u8], ea: u8, key: &[u8], token: Pointer) {
    let mut answer = NO_ANSWER;
    // SAFETY: numbers and booleans of C alone: every byte is one.
    let mut said: StsToken = unsafe { std::mem::zeroed() };
    let (to, text) = (token.of(&raw mut said), keyed.as_ptr().cast::<c_char>());
    let (bytes, length) = (key.as_ptr(), key.len());
    // SAFETY: pointers are as the header asks for.
    let status = unsafe { sts_open(text, keyed.len(), ea, bytes, length, to, &raw mut answer) };
    if let Some(expected) = token.status::<StsToken>() {
        assert_eq!(status, expected);
    } else if status == StsStatus::Ok && answer.result == StsResult::None {
        let text = std::str::from_utf8(keyed).expect("digits");
        let parsed = Token::parse(text).expect("a token");
        assert_eq!(said.token_class, parsed.class().bits());
    }
}

fn derive(
    long: bool,
    vending: &[u8; 20],
    pan: &[u8; 18],
    [ea, krn, ti, kt]: [u8; 4],
    sgc: u32,
    year: u16,
    capacity: usize,
) {
    let year = match year & 3 {
        0 => 1993,
        1 => 2014,
        2 => 2035,
        _ => year,
    };
    let request = StsKeyRequest { pan: pan.as_ptr().cast(), sgc, base_year: year, ea, krn, ti, kt };
    let (mut key, mut length) = (vec![0; capacity], usize::MAX);
    let (call, count): (unsafe extern "C" fn(_, _, _, _, _, _) -> _, _) =
        if long { (sts_derive_dkga04, 20) } else { (sts_derive_dkga02, 8) };
    let (to, room) = (key.as_mut_ptr(), key.len());
    // SAFETY: pointers are as the header asks for.
    let status =
        unsafe { call(vending.as_ptr(), count, &raw const request, to, room, &raw mut length) };
    let expected = || {
        let own = if long {
            VendingKey::dkga04(*vending)
        } else {
            VendingKey::dkga02(*vending.first_chunk().expect("twenty bytes"))
        };
        let pan = MeterPan::parse(std::str::from_utf8(pan).ok()?).ok()?;
        let ea = EncryptionAlgorithm::from_code(&format!("{ea:02}"))?;
        let held = attributes(sgc, krn, ti, kt, 255)?;
        own.derive(&pan, ea, &held, BaseDate::from_year(year)?).ok()
    };
    match expected() {
        None => assert_ne!(status, StsStatus::Ok),
        Some(expected) => {
            let bytes = expected.expose_bytes();
            if status == StsStatus::Ok {
                assert_eq!(&key[..length], bytes);
            } else {
                assert!(status == StsStatus::Space && capacity < bytes.len(), "{status:?}");
            }
        }
    }
}

fn result_name(result: u8, capacity: usize) {
    let mut text: Vec<c_char> = vec![0x55; capacity];
    let mut length = usize::MAX;
    // SAFETY: pointers are as the header asks for.
    let status = unsafe { sts_result_name(result, text.as_mut_ptr(), capacity, &raw mut length) };
    match status {
        StsStatus::Ok => assert!(length < capacity && text[length] == 0),
        StsStatus::Space => assert!(capacity < 18 && (1..=20).contains(&result)),
        other => assert!(other == StsStatus::OutOfRange && !(1..=20).contains(&result)),
    }
}
