//! Memory functions and division for a Cortex-M0, as small as they can be.
//!
//! Any firmware has these from its C library. The compiler's own are made for speed and take some
//! 1.4 KB, more than a small meter; these take 70 bytes, and are counted.

use core::arch::global_asm;

global_asm!(
    ".section .text.memory, \"ax\"",
    ".syntax unified",
    ".global memcpy, memmove, memset",
    ".global __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8",
    ".global __aeabi_memset, __aeabi_memset4, __aeabi_memset8",
    ".global __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8",
    // From the last byte to the first. Nothing here moves to an overlapping place below.
    ".thumb_func",
    "memcpy:",
    ".thumb_func",
    "__aeabi_memcpy:",
    ".thumb_func",
    "__aeabi_memcpy4:",
    ".thumb_func",
    "__aeabi_memcpy8:",
    "1: subs r2, #1",
    "bcc 2f",
    "ldrb r3, [r1, r2]",
    "strb r3, [r0, r2]",
    "b 1b",
    "2: bx lr",
    ".thumb_func",
    "__aeabi_memclr:",
    ".thumb_func",
    "__aeabi_memclr4:",
    ".thumb_func",
    "__aeabi_memclr8:",
    "movs r2, #0",
    // Arguments of __aeabi_memset: length, then value.
    ".thumb_func",
    "__aeabi_memset:",
    ".thumb_func",
    "__aeabi_memset4:",
    ".thumb_func",
    "__aeabi_memset8:",
    "movs r3, r1",
    "movs r1, r2",
    "movs r2, r3",
    ".thumb_func",
    "memset:",
    "3: subs r2, #1",
    "bcc 2b",
    "strb r1, [r0, r2]",
    "b 3b",
);

global_asm!(
    ".section .text.division, \"ax\"",
    ".syntax unified",
    ".global __aeabi_uidivmod, __aeabi_uidiv",
    // Bit by bit: quotient in r0, remainder in r1.
    ".thumb_func",
    "__aeabi_uidiv:",
    ".thumb_func",
    "__aeabi_uidivmod:",
    "movs r2, #0",
    "movs r3, #32",
    "1: lsls r0, r0, #1",
    "adcs r2, r2",
    "cmp r2, r1",
    "bcc 2f",
    "subs r2, r2, r1",
    "adds r0, #1",
    "2: subs r3, #1",
    "bne 1b",
    "movs r1, r2",
    "bx lr",
);
