//! Start-up, measuring and semihosting: in sections of their own, so that they are not counted.

use core::arch::{asm, global_asm};

#[cfg(target_arch = "arm")]
global_asm!(
    ".section .harness.start, \"ax\"",
    ".global reset",
    ".thumb_func",
    "reset:",
    "bl begin",
);

#[cfg(target_arch = "riscv32")]
global_asm!(
    ".section .harness.start, \"ax\"",
    ".global start",
    "start:",
    "la sp, stack_top",
    "j begin",
);

/// Asks the emulator for something.
///
/// # Safety
///
/// `argument` is what the operation asks for.
#[inline(never)]
#[unsafe(link_section = ".harness")]
unsafe fn ask(operation: u32, argument: usize) {
    // SAFETY: the call of semihosting; the emulator reads memory and changes the first register.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!("bkpt 0xAB", inout("r0") operation => _, in("r1") argument, options(nostack));
    }
    // SAFETY: the same.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!(
            ".balign 16",
            ".option push",
            ".option norvc",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inout("a0") operation => _,
            in("a1") argument,
            options(nostack),
        );
    }
}

/// Prints a text that ends with a zero byte.
#[inline(never)]
#[unsafe(link_section = ".harness")]
pub(crate) fn say(text: &[u8]) {
    // SAFETY: SYS_WRITE0 reads up to the zero byte, which all callers put there.
    unsafe { ask(4, text.as_ptr() as usize) }
}

/// Prints a number in hexadecimal: a decimal one would need a division.
#[inline(never)]
#[unsafe(link_section = ".harness")]
pub(crate) fn say_number(number: u32) {
    let mut shift = 32;
    while shift > 0 {
        shift -= 4;
        let digit = (number >> shift & 15) as u8;
        let text = [digit + if digit < 10 { b'0' } else { b'A' - 10 }, 0];
        say(&text);
    }
}

/// Ends the emulation, with status 0 or 1.
#[inline(never)]
#[unsafe(link_section = ".harness")]
pub(crate) fn exit(good: bool) -> ! {
    // ADP_Stopped_ApplicationExit, or an error.
    let reason = if good { 0x2_0026 } else { 0x2_0023 };
    // SAFETY: SYS_EXIT takes the reason itself.
    unsafe { ask(0x18, reason) };
    loop {
        core::hint::spin_loop();
    }
}

#[inline(always)]
pub(crate) fn begin_counting() {
    #[cfg(target_arch = "arm")]
    // SAFETY: the registers of the SysTick timer: reload value, value, control.
    unsafe {
        (0xE000_E014 as *mut u32).write_volatile(0xFF_FFFF);
        (0xE000_E018 as *mut u32).write_volatile(0);
        (0xE000_E010 as *mut u32).write_volatile(5);
    }
}

/// Ticks that grow: run.sh knows how many there are to an instruction.
#[inline(always)]
fn ticks() -> u32 {
    #[cfg(target_arch = "arm")]
    // SAFETY: the value of the SysTick timer, which counts down in 24 bits.
    return 0xFF_FFFF - unsafe { (0xE000_E018 as *const u32).read_volatile() };
    #[cfg(target_arch = "riscv32")]
    {
        let count: u32;
        // SAFETY: reads the counter of instructions.
        unsafe { asm!("csrr {}, minstret", out(reg) count, options(nomem, nostack)) };
        count
    }
}

const PAINTED: usize = 6144;
const PAINT: u32 = 0xA5A5_A5A5;

/// Runs once, and prints ticks and the deepest byte of stack that was written.
#[inline(never)]
#[unsafe(link_section = ".harness")]
pub(crate) fn measure(name: &[u8], work: fn()) {
    let top: usize;
    // SAFETY: reads the stack pointer.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("mov {}, sp", out(reg) top, options(nomem, nostack));
        #[cfg(target_arch = "riscv32")]
        asm!("mv {}, sp", out(reg) top, options(nomem, nostack));
    }
    let bottom = top - PAINTED;
    let mut at = bottom;
    while at < top {
        // SAFETY: below the stack pointer, where nothing lives, and above what is static.
        unsafe { (at as *mut u32).write_volatile(PAINT) };
        at += 4;
    }
    let start = ticks();
    work();
    let end = ticks();
    at = bottom;
    // SAFETY: as above.
    while at < top && unsafe { (at as *const u32).read_volatile() } == PAINT {
        at += 4;
    }
    say(name);
    #[cfg(target_arch = "arm")]
    let spent = end.wrapping_sub(start) & 0xFF_FFFF;
    #[cfg(target_arch = "riscv32")]
    let spent = end.wrapping_sub(start);
    say_number(spent);
    say(&[b' ', 0]);
    say_number((top - at) as u32);
    say(&[b'\n', 0]);
}

/// A text in the harness's own section.
macro_rules! text {
    ($text:literal) => {{
        #[unsafe(link_section = ".harness.text")]
        static TEXT: [u8; $text.len()] = *$text;
        &TEXT
    }};
}
pub(crate) use text;
