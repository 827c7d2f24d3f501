//! A C interface to [`sts_core`]: a meter that decodes and validates STS (IEC 62055-41) tokens, and
//! the memory in which its state outlasts a loss of power.
//!
//! The header is `include/sts.h`; cbindgen makes it from this crate. What holds for every function:
//!
//! * **Memory is the caller's.** No allocator, no global state. Structures with a field `opaque` are
//!   storage of fixed size and alignment; their contents mean nothing to C. They may be copied and
//!   moved. One that is all zeros is recognised as not set up ([`StsStatus::NotInitialised`]).
//! * **Pointers** are null or point to as much as the type or the length beside them says. Null where
//!   none is allowed gives [`StsStatus::Null`]. Nothing is kept but the pointers to the profile and
//!   to the storage callbacks, which must stay where they are.
//! * **A call does not fail by ending the program.** There is no panic in an optimised build for a
//!   bare-metal target: the linker would ask for `sts_panic_is_reachable`.
//! * **Refusals are answers, not errors.** [`StsStatus`] says whether the call was right, and
//!   [`StsAnswer`] what the meter says.
//! * **One thread at a time** for each structure.
//!
//! Nothing here is constant time, and the saved state holds the meter's key in clear.

#![cfg_attr(target_os = "none", no_std)]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::undocumented_unsafe_blocks
)]
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "layouts that C relies on: an addition is a new version of the header"
)]

mod answer;
pub mod journal;
mod key;
mod memory;
mod meter;
mod profile;
mod store;
mod token;

pub use answer::{
    STS_FAILED_DEFAULT_KEY, STS_FAILED_KEY_EXPIRED, STS_FAILED_OLD, STS_FAILED_USED, STS_NO_CLASS,
    STS_NO_TID, StsAnswer, StsOutcome, StsReason, StsResult, StsStage, StsStatus, sts_result_name,
};
pub use key::{StsKeyRequest, sts_derive_dkga02, sts_derive_dkga04};
pub use meter::{
    STS_METER_WORDS, STS_TID_PLACES, StsMeter, StsMeterKey, StsMeterSetup, StsRegisters,
    sts_meter_display, sts_meter_enter, sts_meter_init, sts_meter_key, sts_meter_preview,
    sts_meter_read_registers, sts_meter_remember, sts_meter_set_tampered, sts_meter_wipe,
    sts_meter_write_registers,
};
pub use profile::{
    STS_FRAMING_STS20, STS_FRAMING_W24_CHECK, STS_FRAMING_W24_PREFIX, STS_FRAMING_W24_SUFFIX,
    StsDisplayRule, StsProfile, sts_profile_standard,
};
pub use store::{
    STS_STORE_WORDS, StsStorage, StsStore, sts_meter_enter_saved, sts_meter_restore,
    sts_store_format, sts_store_open, sts_store_save,
};
pub use token::{StsToken, sts_open};

/// Keeps an image in which a panic can be reached from linking; see the top.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn sts_panic_is_reachable() -> !;
    }
    // SAFETY: nobody defines it, so that no image with this call exists. An unoptimised build, where
    // the compiler proves nothing, may define it as an endless loop.
    unsafe { sts_panic_is_reachable() }
}

/// Runs the examples of the page for firmware.
#[cfg(doctest)]
#[doc = include_str!("../../docs/firmware.md")]
struct Firmware;
