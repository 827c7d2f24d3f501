//! The journal for C: the storage is three functions of the caller.

use core::ffi::{c_char, c_int, c_void};
use core::fmt;

use crate::answer::{StsAnswer, StsStatus};
use crate::journal::{Journal, JournalError, Storage};
use crate::memory::{attempt, fill, shared, slice};
use crate::meter::{self, STS_TID_PLACES, StsMeter, StsMeterSetup};
use crate::profile::StsProfile;

type CoreJournal = Journal<STS_TID_PLACES>;

/// The caller's memory: two areas, 0 and 1, of `area_size` bytes each.
///
/// The functions return 0 where they succeed. `offset` is in bytes from the area's start and a
/// multiple of 8; a word is always 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StsStorage {
    /// Given to the functions as it is.
    pub context: *mut c_void,
    /// Reads 8 bytes.
    pub read: Option<
        unsafe extern "C" fn(context: *mut c_void, area: u8, offset: u32, bytes: *mut u8) -> c_int,
    >,
    /// Writes 8 bytes that are erased. Once it returns, they outlast a loss of power.
    pub write: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            area: u8,
            offset: u32,
            bytes: *const u8,
        ) -> c_int,
    >,
    /// Erases an area: every byte reads 0xFF afterwards.
    pub erase: Option<unsafe extern "C" fn(context: *mut c_void, area: u8) -> c_int>,
    /// Bytes of an area: at least 360; 1024 and more write less. What is above 524280 is not used.
    pub area_size: u32,
}

/// The memory failed.
#[derive(Clone, Copy, Debug)]
struct Failed;

struct Callbacks<'a>(&'a StsStorage);

fn offset(place: u16) -> u32 {
    u32::from(place).wrapping_mul(8)
}

impl Storage for Callbacks<'_> {
    type Error = Failed;

    fn read(&mut self, area: u8, place: u16) -> Result<u64, Failed> {
        let read = self.0.read.ok_or(Failed)?;
        let mut bytes = [0; 8];
        // SAFETY: the caller's function, with room for the 8 bytes that it writes.
        let code = unsafe { read(self.0.context, area, offset(place), bytes.as_mut_ptr()) };
        if code == 0 { Ok(u64::from_le_bytes(bytes)) } else { Err(Failed) }
    }

    fn write(&mut self, area: u8, place: u16, word: u64) -> Result<(), Failed> {
        let write = self.0.write.ok_or(Failed)?;
        let bytes = word.to_le_bytes();
        // SAFETY: the caller's function, with the 8 bytes that it reads.
        let code = unsafe { write(self.0.context, area, offset(place), bytes.as_ptr()) };
        if code == 0 { Ok(()) } else { Err(Failed) }
    }

    fn erase(&mut self, area: u8) -> Result<(), Failed> {
        let erase = self.0.erase.ok_or(Failed)?;
        // SAFETY: the caller's function.
        let code = unsafe { erase(self.0.context, area) };
        if code == 0 { Ok(()) } else { Err(Failed) }
    }
}

/// Where in the storage the saved state is. Its contents mean nothing to C.
#[repr(C)]
pub struct StsStore {
    opaque: [u64; STS_STORE_WORDS],
}

/// Words of eight bytes that a store takes.
pub const STS_STORE_WORDS: usize = 16;

struct Inner {
    /// Marks a store that was opened, and whether there is a state in it.
    tag: u32,
    storage: *const StsStorage,
    journal: Option<CoreJournal>,
}

const TAG: u32 = 0x5354_5332;

const _: () = {
    assert!(size_of::<Inner>() <= size_of::<StsStore>());
    assert!(align_of::<Inner>() <= align_of::<StsStore>());
    assert!(!core::mem::needs_drop::<Inner>());
};

impl fmt::Debug for StsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StsStore").finish_non_exhaustive()
    }
}

impl StsStore {
    /// Storage without a store.
    #[must_use]
    pub const fn zeroed() -> Self {
        Self { opaque: [0; STS_STORE_WORDS] }
    }
}

fn status(error: JournalError<Failed>) -> StsStatus {
    match error {
        JournalError::Storage(Failed) | JournalError::Worn => StsStatus::Storage,
        JournalError::TooSmall => StsStatus::Space,
        JournalError::Empty => StsStatus::Empty,
        JournalError::Unreadable => StsStatus::Unreadable,
    }
}

fn area_words(storage: &StsStorage) -> u16 {
    u16::try_from(storage.area_size / 8).unwrap_or(u16::MAX)
}

/// The store in its storage.
///
/// # Safety
///
/// `place` is null or points to storage that nothing else uses meanwhile; the callbacks that it was
/// opened with are still there.
unsafe fn with<R>(
    place: *mut StsStore,
    act: impl FnOnce(&mut Option<CoreJournal>, &mut Callbacks<'_>) -> Result<R, StsStatus>,
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
    // SAFETY: the tag says that `sts_store_open` wrote it, and nothing else uses it meanwhile.
    let inner = unsafe { &mut *inner };
    // SAFETY: the caller vouches for its callbacks.
    let storage = unsafe { shared(inner.storage) }?;
    act(&mut inner.journal, &mut Callbacks(storage))
}

/// Finds the saved state. Nothing is written.
///
/// `STS_STATUS_EMPTY`: a meter as it leaves the maker; set it up and call `sts_store_format`.
/// `STS_STATUS_UNREADABLE`: the storage holds something else, or another version; to format it would
/// let tokens be used again.
///
/// # Safety
///
/// Pointers are null or valid for their type; `storage` outlives the store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_store_open(
    store: *mut StsStore,
    storage: *const StsStorage,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    let callbacks = attempt!(unsafe { shared(storage) });
    if callbacks.read.is_none() || callbacks.write.is_none() || callbacks.erase.is_none() {
        return StsStatus::Null;
    }
    let found = CoreJournal::open(&mut Callbacks(callbacks), area_words(callbacks));
    let (journal, said) = match found {
        Ok(journal) => (Some(journal), StsStatus::Ok),
        Err(error) => (None, status(error)),
    };
    let inner = Inner { tag: TAG, storage, journal };
    // SAFETY: the assertions above say that it fits, and alignment is checked.
    attempt!(unsafe { fill_store(store, inner) });
    said
}

/// # Safety
///
/// As for [`fill`].
unsafe fn fill_store(store: *mut StsStore, inner: Inner) -> Result<(), StsStatus> {
    if store.is_null() {
        return Err(StsStatus::Null);
    }
    if !store.is_aligned() {
        return Err(StsStatus::Misaligned);
    }
    // SAFETY: not null, aligned, and large enough.
    unsafe { store.cast::<Inner>().write(inner) };
    Ok(())
}

/// Erases the storage and saves a first state, for a meter that leaves the maker.
///
/// Done again where power failed meanwhile.
///
/// # Safety
///
/// Pointers are null or valid for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_store_format(store: *mut StsStore, meter: *mut StsMeter) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    let done = unsafe {
        with(store, |journal, callbacks| {
            *journal = None;
            let words = area_words(callbacks.0);
            let format = |meter: &mut meter::CoreMeter<'_>, _: &StsProfile| {
                CoreJournal::format(callbacks, words, meter)
            };
            *journal = Some(meter::with(meter, format)?.map_err(status)?);
            Ok(())
        })
    };
    attempt!(done);
    StsStatus::Ok
}

/// Sets a meter up with the saved state, after a loss of power.
///
/// The profile, which may be null for the standard one, and the maker's code are the firmware's.
///
/// # Safety
///
/// Pointers are null or valid for their type; `profile` outlives the meter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_restore(
    meter: *mut StsMeter,
    store: *mut StsStore,
    profile: *const StsProfile,
    manufacturer_code: u16,
    manufacturer_digits: u8,
) -> StsStatus {
    let setup = StsMeterSetup {
        sgc: 0,
        tid_floor: 0,
        manufacturer_code,
        manufacturer_digits,
        ea: 7,
        krn: 0,
        ti: 0,
        kt: 0,
        ken: 0,
    };
    // SAFETY: the caller vouches for its pointers. The key is put in below, with the rest.
    attempt!(unsafe { meter::put(meter, profile, &setup, &[0; 8]) });
    // SAFETY: the same.
    let done = unsafe { with(store, |journal, callbacks| restore(journal, callbacks, meter)) };
    if let Err(status) = done {
        // SAFETY: it was set up above.
        unsafe { meter::spoil(meter) };
        return status;
    }
    StsStatus::Ok
}

/// # Safety
///
/// `meter` is storage of a meter that nothing else uses meanwhile.
unsafe fn restore(
    journal: &Option<CoreJournal>,
    callbacks: &mut Callbacks<'_>,
    meter: *mut StsMeter,
) -> Result<(), StsStatus> {
    let journal = journal.as_ref().ok_or(StsStatus::NotInitialised)?;
    let restore = |meter: &mut meter::CoreMeter<'_>, _: &StsProfile| {
        journal.restore(callbacks, meter).map_err(status)
    };
    // SAFETY: the caller vouches for it.
    unsafe { meter::with(meter, restore) }?
}

/// Saves what changed; where that fails, the meter goes back to what is saved.
///
/// # Safety
///
/// `meter` is storage of a meter that nothing else uses meanwhile.
unsafe fn save(
    journal: &mut Option<CoreJournal>,
    callbacks: &mut Callbacks<'_>,
    meter: *mut StsMeter,
) -> Result<(), StsStatus> {
    let held = journal.as_mut().ok_or(StsStatus::NotInitialised)?;
    let write = |meter: &mut meter::CoreMeter<'_>, _: &StsProfile| held.save(callbacks, meter);
    // SAFETY: the caller vouches for it.
    let Err(error) = unsafe { meter::with(meter, write) }? else { return Ok(()) };
    // Whether the record is whole is not known: what can be read decides.
    *journal = CoreJournal::open(callbacks, area_words(callbacks.0)).ok();
    // SAFETY: the same.
    if unsafe { restore(journal, callbacks, meter) }.is_err() {
        // SAFETY: `with` above has seen that it is a meter.
        unsafe { meter::spoil(meter) };
    }
    Err(status(error))
}

/// Saves what of a meter's state changed: registers after metering, the tamper condition.
///
/// Writes nothing where nothing changed. `STS_STATUS_STORAGE`: the meter holds what was saved last, or is no
/// longer set up.
///
/// # Safety
///
/// Pointers are null or valid for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_store_save(store: *mut StsStore, meter: *mut StsMeter) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    attempt!(unsafe { saved(store, meter) });
    StsStatus::Ok
}

/// Whether there is a state to save to.
///
/// # Safety
///
/// As for [`with`].
#[inline(never)]
unsafe fn ready(store: *mut StsStore) -> Result<(), StsStatus> {
    // SAFETY: the caller vouches for its pointer.
    unsafe {
        with(store, |journal, _| match journal {
            Some(_) => Ok(()),
            None => Err(StsStatus::NotInitialised),
        })
    }
}

/// [`save`], its stack free again when it returns.
///
/// # Safety
///
/// As for [`with`] and [`save`].
#[inline(never)]
unsafe fn saved(store: *mut StsStore, meter: *mut StsMeter) -> Result<(), StsStatus> {
    // SAFETY: the caller vouches for its pointers.
    unsafe { with(store, |journal, callbacks| save(journal, callbacks, meter)) }
}

/// Enters what was keyed and saves the new state, before it says so.
///
/// Arguments as for `sts_meter_preview`. An answer is given only with `STS_STATUS_OK`, and then
/// outlasts a loss of power: show it only then. With `STS_STATUS_STORAGE`, or after a loss of power
/// meanwhile, the token counts either wholly or not at all; entered again, a credit is
/// `STS_RESULT_USED_ERROR` in the first case.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_meter_enter_saved(
    meter: *mut StsMeter,
    store: *mut StsStore,
    keyed: *const c_char,
    length: usize,
    now_s: u64,
    answer: *mut StsAnswer,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    attempt!(unsafe { fill(answer, StsAnswer::NONE) });
    // SAFETY: the same.
    let bytes = attempt!(unsafe { slice(keyed.cast::<u8>(), length) });
    // SAFETY: the same. Nothing is entered that could not be saved.
    attempt!(unsafe { ready(store) });
    // SAFETY: the same.
    let said = attempt!(unsafe { meter::entered(meter, bytes, now_s) });
    // SAFETY: the same.
    attempt!(unsafe { saved(store, meter) });
    // SAFETY: the same.
    attempt!(unsafe { fill(answer, said) });
    StsStatus::Ok
}
