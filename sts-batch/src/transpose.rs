//! Rows to planes and back: 64 by 64 bits in each word, all words at once.
//!
//! Row `WORDS * i + n` of a batch is bit `i` of word `n`, so that rows are read and written as they
//! lie.

use crate::Planes;
use crate::lanes::{Kernel, Word};

/// Planes of `LANES` rows.
#[inline(always)]
pub(crate) fn planes_of<W: Word>(rows: &[u64], planes: &mut Planes<W>) {
    W::call(ToPlanes { rows, planes });
}

/// The `LANES` rows of planes.
#[inline(always)]
pub(crate) fn rows_of<W: Word>(planes: &Planes<W>, rows: &mut [u64]) {
    W::call(ToRows { planes, rows });
}

/// Planes of up to `LANES` rows; lanes without a row are 0.
#[inline(always)]
pub(crate) fn planes_of_some<W: Word>(rows: &[u64], planes: &mut Planes<W>) {
    if rows.len() >= W::LANES {
        planes_of(rows, planes);
    } else {
        let mut padded = [0; 512];
        padded[..rows.len()].copy_from_slice(rows);
        planes_of(&padded, planes);
    }
}

/// The first rows of planes, up to `LANES`.
#[inline(always)]
pub(crate) fn rows_of_some<W: Word>(planes: &Planes<W>, rows: &mut [u64]) {
    if rows.len() >= W::LANES {
        rows_of(planes, rows);
    } else {
        let mut padded = [0; 512];
        rows_of(planes, &mut padded);
        let count = rows.len();
        rows.copy_from_slice(&padded[..count]);
    }
}

struct ToPlanes<'a, W> {
    rows: &'a [u64],
    planes: &'a mut Planes<W>,
}

impl<W: Word> Kernel<W> for ToPlanes<'_, W> {
    #[inline(always)]
    fn run(self) {
        let rows = &self.rows[..W::LANES];
        // Neighbours first, so that memory is read as it lies.
        for row in 0..8 {
            let mut eight = [W::splat(0); 8];
            for at in 0..8 {
                eight[at] = W::load(&rows[W::WORDS * (8 * row + at)..]);
            }
            eight = narrow(eight);
            for at in 0..8 {
                self.planes[63 - 8 * row - at] = eight[at];
            }
        }
        for column in 0..8 {
            let mut eight = [W::splat(0); 8];
            for at in 0..8 {
                eight[at] = self.planes[63 - 8 * at - column];
            }
            eight = wide(eight);
            for at in 0..8 {
                self.planes[63 - 8 * at - column] = eight[at];
            }
        }
    }
}

struct ToRows<'a, W> {
    planes: &'a Planes<W>,
    rows: &'a mut [u64],
}

impl<W: Word> Kernel<W> for ToRows<'_, W> {
    #[inline(always)]
    fn run(self) {
        let rows = &mut self.rows[..W::LANES];
        for column in 0..8 {
            let mut eight = [W::splat(0); 8];
            for at in 0..8 {
                eight[at] = self.planes[63 - 8 * at - column];
            }
            eight = wide(eight);
            for at in 0..8 {
                eight[at].store(&mut rows[W::WORDS * (8 * at + column)..]);
            }
        }
        for row in 0..8 {
            let mut eight = [W::splat(0); 8];
            for at in 0..8 {
                eight[at] = W::load(&rows[W::WORDS * (8 * row + at)..]);
            }
            eight = narrow(eight);
            for at in 0..8 {
                eight[at].store(&mut rows[W::WORDS * (8 * row + at)..]);
            }
        }
    }
}

/// The exchanges between words 32, 16 and 8 apart: every eighth of the 64.
#[inline(always)]
fn wide<W: Word>(mut eight: [W; 8]) -> [W; 8] {
    for at in 0..4 {
        exchange::<W, 32>(&mut eight, at, at + 4, 0x0000_0000_ffff_ffff);
    }
    for at in 0..4 {
        let at = at / 2 * 4 + at % 2;
        exchange::<W, 16>(&mut eight, at, at + 2, 0x0000_ffff_0000_ffff);
    }
    for at in 0..4 {
        exchange::<W, 8>(&mut eight, 2 * at, 2 * at + 1, 0x00ff_00ff_00ff_00ff);
    }
    eight
}

/// The exchanges between words 4, 2 and 1 apart: eight neighbours of the 64.
#[inline(always)]
fn narrow<W: Word>(mut eight: [W; 8]) -> [W; 8] {
    for at in 0..4 {
        exchange::<W, 4>(&mut eight, at, at + 4, 0x0f0f_0f0f_0f0f_0f0f);
    }
    for at in 0..4 {
        let at = at / 2 * 4 + at % 2;
        exchange::<W, 2>(&mut eight, at, at + 2, 0x3333_3333_3333_3333);
    }
    for at in 0..4 {
        exchange::<W, 1>(&mut eight, 2 * at, 2 * at + 1, 0x5555_5555_5555_5555);
    }
    eight
}

/// The high bits of every group of `2 * N` in one word against the low ones in the other.
#[inline(always)]
fn exchange<W: Word, const N: u32>(words: &mut [W; 8], first: usize, second: usize, low: u64) {
    let (a, b) = (words[first], words[second]);
    let mask = W::splat(low);
    if W::THREE_INPUTS {
        words[first] = mask.choose(a, b.shift_left::<N>());
        words[second] = mask.choose(a.shift_right::<N>(), b);
    } else {
        let differ = a.shift_right::<N>().xor(b).and(mask);
        words[first] = a.xor(differ.shift_left::<N>());
        words[second] = b.xor(differ);
    }
}
