//! The meter: set up, entered into, read.

use core::ffi::c_char;
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;

use sts_core::{
    DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType,
    ManufacturerCode, Meter, OutOfRange, Profile, Registers, Rejection, SupplyGroupCode,
    TariffIndex, TokenId,
};

use crate::answer::{StsAnswer, StsReason, StsStatus};
use crate::memory::{TextOut, attempt, fill, room, shared, slice};
use crate::profile::{StsProfile, sts_profile_standard};

/// Token identifiers that a meter remembers.
pub const STS_TID_PLACES: usize = 50;

/// What a meter of this interface is in the core.
pub(crate) type CoreMeter<'p> = Meter<'p, STS_TID_PLACES>;

/// Storage of a meter. Its contents mean nothing to C.
#[repr(C)]
pub struct StsMeter {
    opaque: [u64; STS_METER_WORDS],
}

/// Words of eight bytes that a meter's storage takes.
pub const STS_METER_WORDS: usize = 54;

/// What is in the storage. It is overwritten and never dropped: `sts_meter_wipe` wipes its key.
struct Inner {
    /// Marks a meter that was set up.
    tag: u32,
    profile: *const StsProfile,
    /// Its profile is the core's standard between calls, and never used.
    meter: CoreMeter<'static>,
}

const TAG: u32 = 0x5354_5331;

const _: () = {
    assert!(size_of::<Inner>() <= size_of::<StsMeter>());
    assert!(align_of::<Inner>() <= align_of::<StsMeter>());
};

impl fmt::Debug for StsMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StsMeter").finish_non_exhaustive()
    }
}

impl StsMeter {
    /// Storage without a meter.
    #[must_use]
    pub const fn zeroed() -> Self {
        Self { opaque: [0; STS_METER_WORDS] }
    }
}

/// What a meter is set up with.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StsMeterSetup {
    /// Supply group code, 0 to 999999.
    pub sgc: u32,
    /// The TID that fills the memory: that of the day the meter was made, 24 bits.
    pub tid_floor: u32,
    /// The maker's code, as a number.
    pub manufacturer_code: u16,
    /// Its digits: 2 or 4.
    pub manufacturer_digits: u8,
    /// Encryption algorithm: 7, 9 or 11.
    pub ea: u8,
    /// Key revision number, 0 to 9.
    pub krn: u8,
    /// Tariff index, 0 to 99.
    pub ti: u8,
    /// Key type, 0 to 3; 2 is a unique key, the usual one.
    pub kt: u8,
    /// Key expiry number; 255 is never.
    pub ken: u8,
}

/// Credit registers, by class 0 subclass.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StsRegisters {
    /// Electricity, water, gas, time: tenths of kWh, m3, m3, min.
    pub units: [u64; 4],
    /// The same four in currency: 0.00001 of the base currency.
    pub currency: [i64; 4],
}

/// What a meter knows of its key. The key itself is not told.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StsMeterKey {
    /// Supply group code.
    pub sgc: u32,
    /// Encryption algorithm: 7, 9 or 11.
    pub ea: u8,
    /// Key revision number.
    pub krn: u8,
    /// Tariff index.
    pub ti: u8,
    /// Key type.
    pub kt: u8,
    /// Key expiry number.
    pub ken: u8,
    /// Sections of a key change that are stored: bit 0 for the first.
    pub sections: u8,
}

fn in_range<T>(value: Result<T, OutOfRange>) -> Result<T, StsStatus> {
    value.map_err(|_| StsStatus::OutOfRange)
}

/// An encryption algorithm by its number.
pub(crate) const fn algorithm(ea: u8) -> Result<EncryptionAlgorithm, StsStatus> {
    match ea {
        7 => Ok(EncryptionAlgorithm::Sta),
        #[cfg(feature = "ea09")]
        9 => Ok(EncryptionAlgorithm::Dea),
        #[cfg(feature = "ea11")]
        11 => Ok(EncryptionAlgorithm::Misty1),
        _ => Err(StsStatus::Unsupported),
    }
}

pub(crate) fn decoder_key(ea: u8, bytes: &[u8]) -> Result<DecoderKey, StsStatus> {
    DecoderKey::from_bytes(algorithm(ea)?, bytes).map_err(|_| StsStatus::KeyLength)
}

pub(crate) fn attributes(
    sgc: u32,
    krn: u8,
    ti: u8,
    kt: u8,
    ken: u8,
) -> Result<KeyAttributes, StsStatus> {
    Ok(KeyAttributes {
        sgc: in_range(SupplyGroupCode::new(sgc))?,
        krn: in_range(KeyRevisionNumber::new(krn))?,
        ti: in_range(TariffIndex::new(ti))?,
        kt: KeyType::from_code(kt).ok_or(StsStatus::OutOfRange)?,
        ken: in_range(KeyExpiryNumber::new(ken))?,
    })
}

/// The profile meant: the standard one where none is given.
fn or_standard(profile: *const StsProfile) -> *const StsProfile {
    if profile.is_null() { &raw const sts_profile_standard } else { profile }
}

/// Puts a meter into storage, whatever was there.
///
/// # Safety
///
/// `place` is null or points to storage; `profile` is null or outlives the meter.
pub(crate) unsafe fn put(
    place: *mut StsMeter,
    profile: *const StsProfile,
    setup: &StsMeterSetup,
    key: &[u8],
) -> Result<(), StsStatus> {
    if place.is_null() {
        return Err(StsStatus::Null);
    }
    if !place.is_aligned() {
        return Err(StsStatus::Misaligned);
    }
    let profile = or_standard(profile);
    // SAFETY: the caller vouches for it. Its numbers are looked at now, so that no later call fails.
    unsafe { shared(profile)?.as_core() }?;
    let maker =
        in_range(ManufacturerCode::new(setup.manufacturer_code, setup.manufacturer_digits))?;
    let key = decoder_key(setup.ea, key)?;
    let held = attributes(setup.sgc, setup.krn, setup.ti, setup.kt, setup.ken)?;
    let floor = in_range(TokenId::new(setup.tid_floor))?;
    let meter = Meter::new(&Profile::STANDARD, maker, key, held, floor);
    // SAFETY: not null and aligned, and the assertions above say that it fits.
    unsafe { place.cast::<Inner>().write(Inner { tag: TAG, profile, meter }) };
    Ok(())
}

/// The meter in storage, working by its profile.
///
/// # Safety
///
/// `place` is null or points to storage that nothing else uses meanwhile; the profile that the
/// meter was set up with is still there.
pub(crate) unsafe fn with<R>(
    place: *mut StsMeter,
    act: impl FnOnce(&mut CoreMeter<'_>, &StsProfile) -> R,
) -> Result<R, StsStatus> {
    let inner = place.cast::<Inner>();
    if inner.is_null() {
        return Err(StsStatus::Null);
    }
    if !place.is_aligned() {
        return Err(StsStatus::Misaligned);
    }
    // SAFETY: not null and aligned; a number may be read whatever is there.
    if unsafe { (&raw const (*inner).tag).read() } != TAG {
        return Err(StsStatus::NotInitialised);
    }
    // SAFETY: the tag says that `put` wrote it, and nothing else uses it meanwhile.
    let inner = unsafe { &mut *inner };
    // SAFETY: the caller vouches for the profile.
    let profile = unsafe { shared(inner.profile) }?;
    // SAFETY: the same.
    let core = unsafe { profile.as_core() }?;
    // A meter lives as long as its profile, so it borrows this one under a shorter lifetime.
    let meter = (&raw mut inner.meter).cast::<CoreMeter<'_>>();
    // SAFETY: only the lifetime differs, and `core`, which it is shortened to, is put out again
    // below. `act` cannot keep it, and no panic comes between.
    let meter = unsafe { &mut *meter };
    meter.set_profile(&core);
    let done = act(meter, profile);
    meter.set_profile(&Profile::STANDARD);
    Ok(done)
}

/// Takes the mark from a meter that holds half a state.
///
/// # Safety
///
/// `place` points to storage of a meter.
pub(crate) unsafe fn spoil(place: *mut StsMeter) {
    // SAFETY: the caller vouches for it.
    unsafe { (&raw mut (*place.cast::<Inner>()).tag).write(0) };
}

/// Sets a meter up, whatever was in its storage.
///
/// `profile` may be null for `sts_profile_standard`. `key` is the decoder key, most significant byte
/// first: 8 bytes for algorithms 7 and 9, 16 for 11.
///
/// # Safety
///
/// Pointers are null or valid for their type and length; `profile` outlives the meter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_init(
    meter: *mut StsMeter,
    profile: *const StsProfile,
    setup: *const StsMeterSetup,
    key: *const u8,
    key_length: usize,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    let setup = attempt!(unsafe { shared(setup) });
    // SAFETY: the same.
    let key = attempt!(unsafe { slice(key, key_length) });
    // SAFETY: the same.
    attempt!(unsafe { put(meter, profile, setup, key) });
    StsStatus::Ok
}

/// What was keyed as text, and where it is none.
fn keyed(bytes: &[u8]) -> (&str, Option<usize>) {
    // What is no UTF-8 has a character that is no digit, and its place is known.
    match core::str::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => ("\u{FFFD}", Some(error.valid_up_to())),
    }
}

/// A refusal of a character, with the place where the text ends to be one.
fn refused(refusal: &Rejection, place: Option<usize>) -> StsAnswer {
    let mut answer = StsAnswer::refused(refusal);
    if let (StsReason::NonDigit, Some(place)) = (answer.reason, place) {
        answer.value = place as u64;
    }
    answer
}

/// Enters what was keyed: executes the token, or counts the refusal.
fn enter(meter: &mut CoreMeter<'_>, bytes: &[u8], now_s: u64) -> StsAnswer {
    let (text, place) = keyed(bytes);
    match meter.enter(text, now_s) {
        Ok(admission) => {
            let payload = *admission.payload();
            StsAnswer::taken(&payload, &admission.apply())
        }
        Err(refusal) => {
            meter.count_refusal(&refusal, now_s);
            refused(&refusal, place)
        }
    }
}

/// [`enter`], its stack free again when it returns.
///
/// # Safety
///
/// As for [`with`].
#[inline(never)]
pub(crate) unsafe fn entered(
    meter: *mut StsMeter,
    bytes: &[u8],
    now_s: u64,
) -> Result<StsAnswer, StsStatus> {
    // SAFETY: the caller vouches for its pointer.
    unsafe { with(meter, |meter, _| enter(meter, bytes, now_s)) }
}

/// Says what entering would answer, and changes nothing.
///
/// `keyed` is ASCII or UTF-8 of `length` bytes; blanks and hyphens between digits are skipped. `now_s`
/// is in seconds of a clock that does not go back, not even over a loss of power; it serves only the
/// lock-out and the window of a key change, and may stay 0 where the profile has neither.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_preview(
    meter: *mut StsMeter,
    keyed: *const c_char,
    length: usize,
    now_s: u64,
    answer: *mut StsAnswer,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    attempt!(unsafe { fill(answer, StsAnswer::NONE) });
    // SAFETY: the same.
    let bytes = attempt!(unsafe { slice(keyed.cast::<u8>(), length) });
    let preview = |meter: &mut CoreMeter<'_>, _: &StsProfile| {
        let (text, place) = self::keyed(bytes);
        match meter.enter(text, now_s) {
            Ok(admission) => StsAnswer::taken(admission.payload(), &admission.outcome()),
            Err(refusal) => refused(&refusal, place),
        }
    };
    // SAFETY: the same.
    let said = attempt!(unsafe { with(meter, preview) });
    // SAFETY: the same.
    attempt!(unsafe { fill(answer, said) });
    StsStatus::Ok
}

/// Enters what was keyed: executes the token, or counts the refusal towards a lock-out.
///
/// Arguments as for `sts_meter_preview`. A loss of power forgets it: see `sts_meter_enter_saved`.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_enter(
    meter: *mut StsMeter,
    keyed: *const c_char,
    length: usize,
    now_s: u64,
    answer: *mut StsAnswer,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers. The answer comes first: a token must not be
    // executed and then find no room for what to say.
    attempt!(unsafe { fill(answer, StsAnswer::NONE) });
    // SAFETY: the same.
    let bytes = attempt!(unsafe { slice(keyed.cast::<u8>(), length) });
    // SAFETY: the same.
    let said = attempt!(unsafe { entered(meter, bytes, now_s) });
    // SAFETY: the same.
    attempt!(unsafe { fill(answer, said) });
    StsStatus::Ok
}

/// Writes what the meter shows for a result, closed by a zero byte.
///
/// `result` is the `result` of an answer. `length` may be null; it is the text's length without the
/// zero. `STS_STATUS_SPACE` where it does not fit: the room then holds a part of it, not closed.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_display(
    meter: *mut StsMeter,
    result: u8,
    now_s: u64,
    text: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    let room: &mut [MaybeUninit<u8>] = attempt!(unsafe { room(text, capacity) });
    let show = |meter: &mut CoreMeter<'_>, profile: &StsProfile| {
        let pending = meter.staged_sections(now_s).next().is_some();
        let mut out = TextOut::new(room);
        // SAFETY: the profile is the caller's constant data.
        unsafe { profile.show(result, pending, &mut out) }?;
        out.finish()
    };
    // SAFETY: the caller vouches for its pointers.
    let written = attempt!(attempt!(unsafe { with(meter, show) }));
    if !length.is_null() {
        // SAFETY: the same.
        attempt!(unsafe { fill(length, written) });
    }
    StsStatus::Ok
}

/// Reads the credit registers.
///
/// # Safety
///
/// Pointers are null or valid for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_read_registers(
    meter: *mut StsMeter,
    registers: *mut StsRegisters,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    let held = attempt!(unsafe { with(meter, |meter, _| *meter.registers()) });
    let held = StsRegisters { units: held.units, currency: held.currency };
    // SAFETY: the same.
    attempt!(unsafe { fill(registers, held) });
    StsStatus::Ok
}

/// Writes the credit registers, as metering does with what was used.
///
/// # Safety
///
/// Pointers are null or valid for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_write_registers(
    meter: *mut StsMeter,
    registers: *const StsRegisters,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    let StsRegisters { units, currency } = *attempt!(unsafe { shared(registers) });
    let write = |meter: &mut CoreMeter<'_>, _: &StsProfile| {
        *meter.registers_mut() = Registers { units, currency };
    };
    // SAFETY: the same.
    attempt!(unsafe { with(meter, write) });
    StsStatus::Ok
}

/// Sets the tamper condition, as the meter's own detection does; a token clears it.
///
/// # Safety
///
/// The pointer is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_set_tampered(meter: *mut StsMeter) -> StsStatus {
    // SAFETY: the caller vouches for its pointer.
    attempt!(unsafe { with(meter, |meter, _| meter.set_tampered()) });
    StsStatus::Ok
}

/// Remembers a token identifier in the place of the lowest, as where a meter takes the memory of
/// another over.
///
/// # Safety
///
/// The pointer is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_remember(meter: *mut StsMeter, tid: u32) -> StsStatus {
    let tid = attempt!(in_range(TokenId::new(tid)));
    // SAFETY: the caller vouches for its pointer.
    attempt!(unsafe { with(meter, |meter, _| meter.remember(tid)) });
    StsStatus::Ok
}

/// Tells what the meter knows of its key.
///
/// # Safety
///
/// Pointers are null or valid for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_key(
    meter: *mut StsMeter,
    now_s: u64,
    key: *mut StsMeterKey,
) -> StsStatus {
    let tell = |meter: &mut CoreMeter<'_>, _: &StsProfile| {
        let held = meter.attributes();
        StsMeterKey {
            sgc: held.sgc.get(),
            ea: meter.key().ea() as u8,
            krn: held.krn.get(),
            ti: held.ti.get(),
            kt: held.kt.code(),
            ken: held.ken.get(),
            sections: meter
                .staged_sections(now_s)
                .fold(0, |bits, section| bits | 1 << (section.wrapping_sub(1) & 7)),
        }
    };
    // SAFETY: the caller vouches for its pointers.
    let told = attempt!(unsafe { with(meter, tell) });
    // SAFETY: the same.
    attempt!(unsafe { fill(key, told) });
    StsStatus::Ok
}

/// Overwrites a meter's storage, its key included.
///
/// # Safety
///
/// The pointer is null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_wipe(meter: *mut StsMeter) -> StsStatus {
    if meter.is_null() {
        return StsStatus::Null;
    }
    if !meter.is_aligned() {
        return StsStatus::Misaligned;
    }
    // SAFETY: not null and aligned. Volatile, as nothing reads it afterwards.
    unsafe { ptr::write_volatile(meter, StsMeter::zeroed()) };
    StsStatus::Ok
}
