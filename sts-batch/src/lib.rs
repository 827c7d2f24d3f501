//! Many STS tokens or candidate keys at once: DKGA02, DKGA04, EA07, EA09, EA11 and the token check.
//!
//! Bit `i` of every candidate lies in plane `i`; 64, 256 or 512 candidates go through one chain of
//! logic operations. Of DKGA04 the hashes are done several at a time, one a lane. The answers are
//! those of `sts-core`, bit for bit.
//!
//! ```
//! use sts_batch::{Batch, Cipher, Group, Question};
//!
//! // A token that no key of these two groups made: among 200 candidates, hardly one by chance.
//! let groups = [Group { vending: 0x11, block: 0x22 }, Group { vending: 0x33, block: 0x44 }];
//! let mut hits = Vec::new();
//! let question = Question { class_bits: 0, block: 0x0123_4567_89ab_cdef };
//! Batch::new().search_tariffs(&question, Cipher::Sta, &groups, &mut hits);
//! assert!(hits.iter().all(|hit| hit.index < 200));
//! ```
//!
//! # Security
//!
//! No memory is indexed by bits of a key or of data, so time does not depend on them. Planes and
//! keys on the stack are not wiped; [`KeyPlanes`], [`Dkga04Planes`] and [`Dkga04Key`] are, when
//! dropped.

#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]
#![expect(
    clippy::needless_range_loop,
    clippy::inline_always,
    reason = "iterators over vector words would be compiled without their instructions"
)]

mod circuits;
mod crc;
mod dea;
mod dkga04;
mod flags;
mod lanes;
mod misty1;
mod rows;
mod search;
mod sha256;
mod sta;
mod transpose;

pub use dkga04::{Dkga04Cipher, Dkga04Group, Dkga04Key, Dkga04Planes};
pub use lanes::Lanes;
pub use search::{Group, Hit, KeyPlanes, Question};

use lanes::Word;

/// 64 planes, the first of which is the most significant bit.
type Planes<W> = [W; 64];

/// A cipher with 64-bit keys.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Cipher {
    /// EA07 with the deployed tables.
    #[doc(alias = "EA07")]
    Sta,
    /// EA09.
    #[doc(alias = "EA09")]
    Dea,
}

impl Cipher {
    #[inline(always)]
    fn decrypt<W: Word>(self, key: &Planes<W>, block: &Planes<W>, out: &mut Planes<W>) {
        match self {
            Self::Sta => sta::decrypt(key, block, out),
            Self::Dea => dea::decrypt(key, block, out),
        }
    }
}

/// The same value in every lane.
#[inline(always)]
fn splat<W: Word>(value: u64) -> Planes<W> {
    let mut planes = [W::splat(0); 64];
    for at in 0..64 {
        planes[at] = W::splat(0_u64.wrapping_sub(value >> (63 - at) & 1));
    }
    planes
}

/// Runs batches, by the widest instructions at hand. Several threads may share one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Batch {
    lanes: Lanes,
}

impl Batch {
    /// With the widest lanes of this machine.
    #[must_use]
    pub fn new() -> Self {
        Self { lanes: Lanes::detect() }
    }

    /// With these lanes; `None` where the machine lacks them.
    #[must_use]
    pub fn with_lanes(lanes: Lanes) -> Option<Self> {
        lanes.is_available().then_some(Self { lanes })
    }

    /// The lanes used.
    #[must_use]
    pub const fn lanes(&self) -> Lanes {
        self.lanes
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}
