//! The smallest meter: 20 keyed digits and a decoder key in, one code out.
//!
//! It is linked and looked at, and runs wherever the linker script fits. Its panic handler calls a
//! function that nobody defines: if the compiler cannot rule out every panic, it does not link.

#![no_std]
#![no_main]

use core::hint::black_box;

use sts_core::{DecoderKey, Token};

/// 1: authentic, 2: refused, 3: not a token.
fn answer(digits: &[u8], key: [u8; 8]) -> u8 {
    let Ok(text) = core::str::from_utf8(digits) else { return 3 };
    let Ok(token) = Token::parse(text) else { return 3 };
    match token.open(&DecoderKey::sta(key)).authenticate() {
        Ok(_) => 1,
        Err(_) => 2,
    }
}

/// Where the processor starts.
#[unsafe(no_mangle)]
pub extern "C" fn reset() -> ! {
    loop {
        // The keypad and the key store: what is in them, the compiler must not know.
        let code = answer(&black_box([b'0'; 20]), black_box([0x11; 8]));
        #[cfg(feature = "planted-panic")]
        assert!(code < 3, "planted");
        black_box(code);
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: never linked, hence never called; see the top of the file.
    unsafe { a_panic_is_reachable() }
}
