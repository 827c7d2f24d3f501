//! A keypad meter on emulated boards.
//!
//! Each feature is an image of its own; `firmware/run.sh` builds, runs and measures them. The images
//! `ea07`, `derive`, `whole` and `saved` are measured: their panic handler (that of `saved` is the
//! library's) calls a function that nobody defines, so that they link only where every panic is ruled
//! out. `vectors` runs all vectors of the project and its example case, and `device`
//! answers `sts conform`.

#![no_std]
#![no_main]

#[cfg_attr(
    any(feature = "device", feature = "vectors"),
    expect(unused, reason = "nothing is measured there")
)]
mod harness;
#[cfg(target_arch = "arm")]
mod memory;

#[cfg(feature = "device")]
#[path = "device.rs"]
mod image;
#[cfg(feature = "derive")]
#[path = "derive.rs"]
mod image;
#[cfg(feature = "ea07")]
#[path = "ea07.rs"]
mod image;
#[cfg(feature = "saved")]
#[path = "saved.rs"]
mod image;
#[cfg(feature = "vectors")]
#[path = "vectors.rs"]
mod image;
#[cfg(feature = "whole")]
#[path = "whole.rs"]
mod image;

/// The start-up code ends here.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".harness")]
extern "C" fn begin() -> ! {
    harness::begin_counting();
    let good = image::run();
    harness::exit(good)
}

#[cfg(not(any(feature = "device", feature = "vectors", feature = "saved")))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: never linked, hence never called; see the top of the file.
    unsafe { a_panic_is_reachable() }
}

#[cfg(any(feature = "device", feature = "vectors"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    harness::say(b"panicked\n\0");
    harness::exit(false)
}
