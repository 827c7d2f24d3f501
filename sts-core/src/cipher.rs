//! The encryption algorithms, on 64-bit blocks.
//!
//! Bit 0 is the least significant bit of a block; byte 0 of a key is its most significant byte.
//! These modules know nothing of tokens or key attributes: see [`DecoderKey`](crate::DecoderKey).

pub(crate) mod dea;
pub mod misty1;
pub mod sta;
