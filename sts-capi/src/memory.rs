//! From C's pointers to references: the only assumptions of this crate about its caller.

use core::ffi::c_char;
use core::mem::MaybeUninit;

use crate::answer::StsStatus;

/// What a pointer points to.
///
/// # Safety
///
/// The pointer is null, or points to a `T` that nothing writes while the reference lives.
pub(crate) unsafe fn shared<'a, T>(pointer: *const T) -> Result<&'a T, StsStatus> {
    if !pointer.is_aligned() {
        return Err(StsStatus::Misaligned);
    }
    // SAFETY: aligned, and the caller vouches for the rest.
    unsafe { pointer.as_ref() }.ok_or(StsStatus::Null)
}

/// Fills what a pointer points to, whatever was there.
///
/// # Safety
///
/// The pointer is null, or points to memory for a `T` that nothing else uses meanwhile.
pub(crate) unsafe fn fill<T>(pointer: *mut T, value: T) -> Result<(), StsStatus> {
    if pointer.is_null() {
        return Err(StsStatus::Null);
    }
    if !pointer.is_aligned() {
        return Err(StsStatus::Misaligned);
    }
    // SAFETY: not null and aligned; the caller vouches for the rest.
    unsafe { pointer.write(value) };
    Ok(())
}

/// A slice; null with length 0 is the empty one.
///
/// # Safety
///
/// The pointer is null, or points to `length` values that nothing writes while the slice lives.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, length: usize) -> Result<&'a [T], StsStatus> {
    if length == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(StsStatus::Null);
    }
    if !pointer.is_aligned() {
        return Err(StsStatus::Misaligned);
    }
    // More than any of this crate's inputs has, and far below what a slice may span.
    if length > 0xFFFF {
        return Err(StsStatus::OutOfRange);
    }
    // SAFETY: not null, aligned, of a length in bounds; the caller vouches for the rest.
    Ok(unsafe { core::slice::from_raw_parts(pointer, length) })
}

/// Memory to write into, its contents unknown.
///
/// # Safety
///
/// The pointer is null, or points to `length` values that nothing else uses while the slice lives.
pub(crate) unsafe fn room<'a>(
    pointer: *mut c_char,
    length: usize,
) -> Result<&'a mut [MaybeUninit<u8>], StsStatus> {
    if pointer.is_null() {
        return Err(StsStatus::Null);
    }
    // SAFETY: not null; bytes have no alignment and may be uninitialised; a longer room than a slice
    // may span is cut; the caller vouches for the rest.
    Ok(unsafe { core::slice::from_raw_parts_mut(pointer.cast(), length.min(0xFFFF)) })
}

/// A text for C in memory of fixed size.
pub(crate) struct TextOut<'a> {
    free: core::slice::IterMut<'a, MaybeUninit<u8>>,
    length: usize,
}

impl<'a> TextOut<'a> {
    pub(crate) fn new(room: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { free: room.iter_mut(), length: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), StsStatus> {
        for byte in bytes {
            self.free.next().ok_or(StsStatus::Space)?.write(*byte);
            self.length = self.length.wrapping_add(1);
        }
        Ok(())
    }

    /// Closes the text with a zero byte and says how long it is without it.
    pub(crate) fn finish(mut self) -> Result<usize, StsStatus> {
        let length = self.length;
        self.push(&[0])?;
        Ok(length)
    }
}

/// `?` in a function that returns a status.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(status) => return status,
        }
    };
}
pub(crate) use attempt;
