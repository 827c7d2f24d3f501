//! The meter as C links it: set up, entered into, and saved before it answers.

use core::ffi::{c_char, c_int, c_void};
use core::hint::black_box;
use core::ptr;

use sts_capi::{
    StsAnswer, StsMeter, StsMeterSetup, StsResult, StsStatus, StsStorage, StsStore,
    sts_meter_enter_saved, sts_meter_init, sts_meter_restore, sts_store_format, sts_store_open,
};

use crate::harness::{measure, say, say_number, text};

const AREA: usize = 1024;

/// Two areas of RAM stand for flash.
static mut AREAS: [[u8; AREA]; 2] = [[0; AREA]; 2];
static mut METER: StsMeter = StsMeter::zeroed();
static mut STORE: StsStore = StsStore::zeroed();
static mut STATUS: StsStatus = StsStatus::Ok;
static mut RESULT: StsResult = StsResult::None;

/// # Safety
///
/// As the header says.
#[unsafe(link_section = ".harness")]
unsafe extern "C" fn read(_: *mut c_void, area: u8, offset: u32, bytes: *mut u8) -> c_int {
    let from = (&raw const AREAS).cast::<u8>().wrapping_add(area as usize * AREA + offset as usize);
    let mut at = 0;
    while at < 8 {
        // SAFETY: within the area, as the library asks.
        unsafe { bytes.add(at).write_volatile(from.add(at).read_volatile()) };
        at += 1;
    }
    0
}

/// # Safety
///
/// As the header says.
#[unsafe(link_section = ".harness")]
unsafe extern "C" fn write(_: *mut c_void, area: u8, offset: u32, bytes: *const u8) -> c_int {
    let to = (&raw mut AREAS).cast::<u8>().wrapping_add(area as usize * AREA + offset as usize);
    let mut at = 0;
    while at < 8 {
        // SAFETY: within the area, as the library asks.
        unsafe { to.add(at).write_volatile(bytes.add(at).read_volatile()) };
        at += 1;
    }
    0
}

/// # Safety
///
/// As the header says.
#[unsafe(link_section = ".harness")]
unsafe extern "C" fn erase(_: *mut c_void, area: u8) -> c_int {
    let to = (&raw mut AREAS).cast::<u8>().wrapping_add(area as usize * AREA);
    let mut at = 0;
    while at < AREA {
        // SAFETY: within the area.
        unsafe { to.add(at).write_volatile(0xFF) };
        at += 1;
    }
    0
}

/// Constant data with a pointer that nobody follows.
#[repr(transparent)]
struct Shared(StsStorage);

// SAFETY: the context is null.
unsafe impl Sync for Shared {}

#[unsafe(link_section = ".harness.text")]
static STORAGE: Shared = Shared(StsStorage {
    context: ptr::null_mut(),
    read: Some(read),
    write: Some(write),
    erase: Some(erase),
    area_size: AREA as u32,
});

#[unsafe(link_section = ".harness.text")]
static SETUP: StsMeterSetup = StsMeterSetup {
    sgc: 201_457,
    tid_floor: 0,
    manufacturer_code: 0,
    manufacturer_digits: 2,
    ea: 7,
    krn: 1,
    ti: 1,
    kt: 2,
    ken: 255,
};

/// A published test key.
#[unsafe(link_section = ".harness.text")]
static KEY: [u8; 8] = [0x87, 0xF3, 0xEC, 0xBB, 0x2E, 0x46, 0xB4, 0x8F];

#[unsafe(link_section = ".harness.text")]
static TOKEN: [u8; 20] = *b"05691672784029128412";

fn format() {
    // SAFETY: there is one thread, and all pointers are to statics.
    unsafe {
        erase(ptr::null_mut(), 0);
        erase(ptr::null_mut(), 1);
        let setup = black_box(&SETUP);
        STATUS = sts_meter_init(&raw mut METER, ptr::null(), setup, KEY.as_ptr(), 8);
        if sts_store_open(&raw mut STORE, &STORAGE.0) == StsStatus::Empty {
            STATUS = sts_store_format(&raw mut STORE, &raw mut METER);
        }
    }
}

fn credit() {
    // SAFETY: as above; the answer is written before it is read.
    unsafe {
        let mut answer = core::mem::MaybeUninit::<StsAnswer>::uninit();
        let digits = black_box(&TOKEN).as_ptr().cast::<c_char>();
        let (meter, store) = (&raw mut METER, &raw mut STORE);
        STATUS = sts_meter_enter_saved(meter, store, digits, 20, 0, answer.as_mut_ptr());
        RESULT = (*answer.as_ptr()).result;
    }
}

fn restore() {
    // SAFETY: as above.
    unsafe {
        METER = StsMeter::zeroed();
        STATUS = sts_store_open(&raw mut STORE, &STORAGE.0);
        if STATUS == StsStatus::Ok {
            STATUS = sts_meter_restore(&raw mut METER, &raw mut STORE, ptr::null(), 0, 2);
        }
    }
}

#[unsafe(link_section = ".harness")]
pub(crate) fn run() -> bool {
    // SAFETY: there is one thread.
    let is = |result: StsResult| unsafe {
        (&raw const STATUS).read_volatile() as u8 == 0
            && (&raw const RESULT).read_volatile() as u8 == result as u8
    };
    say(text!(b"state \0"));
    say_number((size_of::<StsMeter>() + size_of::<StsStore>()) as u32);
    say(text!(b" 0\n\0"));
    measure(text!(b"format \0"), format);
    measure(text!(b"credit \0"), credit);
    let accepted = is(StsResult::Accept);
    measure(text!(b"restore \0"), restore);
    credit();
    accepted && is(StsResult::UsedError)
}
