//! Decoder keys from vending keys.
//!
//! Two functions, so that firmware with one derivation does not carry the hash, or the cipher, of
//! the other.

use core::ffi::c_char;

use sts_core::{BaseDate, MeterPan, VendingKey};

use crate::answer::StsStatus;
use crate::memory::{attempt, fill, shared, slice};
use crate::meter::{algorithm, attributes};

/// What a decoder key is derived for.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StsKeyRequest {
    /// The 18 digits of the meter's primary account number; no zero byte is needed.
    pub pan: *const c_char,
    /// Supply group code, 0 to 999999.
    pub sgc: u32,
    /// Year of the base date: 1993, 2014 or 2035. DKGA02 does not look at it.
    pub base_year: u16,
    /// Encryption algorithm: 7, 9 or 11.
    pub ea: u8,
    /// Key revision number, 0 to 9.
    pub krn: u8,
    /// Tariff index, 0 to 99.
    pub ti: u8,
    /// Key type, 0 to 3.
    pub kt: u8,
}

/// Derives, and writes the key where the caller wants it.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
unsafe fn derive<const N: usize>(
    vending_key: *const u8,
    vending_key_length: usize,
    made: impl FnOnce([u8; N]) -> VendingKey,
    request: *const StsKeyRequest,
    key: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Result<(), StsStatus> {
    // SAFETY: the caller vouches for its pointers.
    let request = unsafe { shared(request) }?;
    // SAFETY: the same.
    let pan = unsafe { slice(request.pan.cast::<u8>(), 18) }?;
    // SAFETY: the same.
    let vending_key = unsafe { slice(vending_key, vending_key_length) }?;
    let vending_key = vending_key.try_into().map_err(|_| StsStatus::KeyLength)?;
    let pan = core::str::from_utf8(pan).map_err(|_| StsStatus::OutOfRange)?;
    let pan = MeterPan::parse(pan).map_err(|_| StsStatus::OutOfRange)?;
    let base = BaseDate::from_year(request.base_year).ok_or(StsStatus::OutOfRange)?;
    let held = attributes(request.sgc, request.krn, request.ti, request.kt, 255)?;
    let ea = algorithm(request.ea)?;
    let derived =
        made(vending_key).derive(&pan, ea, &held, base).map_err(|_| StsStatus::Unsupported)?;
    let bytes = derived.expose_bytes();
    if key.is_null() {
        return Err(StsStatus::Null);
    }
    if capacity < bytes.len() {
        return Err(StsStatus::Space);
    }
    // SAFETY: room for as many was checked, and a key of this function is not in C's memory.
    unsafe { key.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    if !length.is_null() {
        // SAFETY: the caller vouches for it.
        unsafe { fill(length, bytes.len()) }?;
    }
    Ok(())
}

/// Derives a decoder key of 8 bytes by DKGA02, from a vending key of 8 bytes.
///
/// `length` may be null; it is the key's length. `STS_STATUS_UNSUPPORTED` for algorithm 11, which
/// needs DKGA04.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_derive_dkga02(
    vending_key: *const u8,
    vending_key_length: usize,
    request: *const StsKeyRequest,
    key: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> StsStatus {
    let made = VendingKey::dkga02;
    // SAFETY: the caller vouches for its pointers.
    attempt!(unsafe {
        derive(vending_key, vending_key_length, made, request, key, capacity, length)
    });
    StsStatus::Ok
}

/// Derives a decoder key of 8 bytes, or 16 for algorithm 11, by DKGA04, from a vending key of 20
/// bytes.
///
/// `length` may be null; it is the key's length.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_derive_dkga04(
    vending_key: *const u8,
    vending_key_length: usize,
    request: *const StsKeyRequest,
    key: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> StsStatus {
    let made = VendingKey::dkga04;
    // SAFETY: the caller vouches for its pointers.
    attempt!(unsafe {
        derive(vending_key, vending_key_length, made, request, key, capacity, length)
    });
    StsStatus::Ok
}
