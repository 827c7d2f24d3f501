//! One bit of each row: bytes to a plane and back, in the order of [`transpose`](crate::transpose).

use crate::lanes::Word;

/// The lowest bit of each byte.
const LOWEST: u64 = 0x0101_0101_0101_0101;

/// Bit `i` of eight as the lowest of byte `i`.
#[inline(always)]
pub(crate) const fn spread_to_bytes(bits: u64) -> u64 {
    // Byte `i` keeps bit `i` alone, and adding carries it to the top.
    let kept = (bits & 255).wrapping_mul(LOWEST) & 0x8040_2010_0804_0201;
    (kept.wrapping_add(0x7f7f_7f7f_7f7f_7f7f) >> 7) & LOWEST
}

/// The lowest bits of eight bytes.
#[inline(always)]
const fn gather_from_bytes(bytes: u64) -> u64 {
    (bytes & LOWEST).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Each of 16 bits as the lowest of a nibble.
#[inline(always)]
pub(crate) const fn spread_to_nibbles(bits: u64) -> u64 {
    let bits = bits & 0xffff;
    let bits = (bits | bits << 24) & 0x0000_00ff_0000_00ff;
    let bits = (bits | bits << 12) & 0x000f_000f_000f_000f;
    let bits = (bits | bits << 6) & 0x0303_0303_0303_0303;
    (bits | bits << 3) & 0x1111_1111_1111_1111
}

/// The lowest bits of 16 nibbles.
#[inline(always)]
const fn gather_from_nibbles(bits: u64) -> u64 {
    let bits = bits & 0x1111_1111_1111_1111;
    let bits = (bits | bits >> 3) & 0x0303_0303_0303_0303;
    let bits = (bits | bits >> 6) & 0x000f_000f_000f_000f;
    let bits = (bits | bits >> 12) & 0x0000_00ff_0000_00ff;
    (bits | bits >> 24) & 0xffff
}

/// The plane of a bit of up to `LANES` rows, whose bytes hold it as their lowest; lanes without a
/// row are 0.
#[inline(always)]
pub(crate) fn plane_of<W: Word>(rows: &[u8], shift: u32) -> W {
    // Bit `i` of word `n` here is row `64 * n + i`.
    let mut in_order = [0_u64; 8];
    for (word, rows) in in_order.iter_mut().zip(rows.chunks(64)).take(W::WORDS) {
        let (eights, rest) = rows.as_chunks();
        for (at, eight) in eights.iter().enumerate() {
            *word |= gather_from_bytes(u64::from_le_bytes(*eight) >> shift) << (8 * at);
        }
        for (at, row) in rest.iter().enumerate() {
            *word |= u64::from(row >> shift & 1) << (8 * eights.len() + at);
        }
    }
    let mut words = [0; 8];
    match W::WORDS {
        4 => {
            for at in 0..4 {
                for part in 0..4 {
                    words[at] |= gather_from_nibbles(in_order[part] >> at) << (16 * part);
                }
            }
        }
        8 => {
            for at in 0..8 {
                for part in 0..8 {
                    words[at] |= gather_from_bytes(in_order[part] >> at) << (8 * part);
                }
            }
        }
        _ => words = in_order,
    }
    W::load(&words)
}

/// The bit of each of up to `LANES` rows, from its plane.
#[inline(always)]
pub(crate) fn rows_of<W: Word>(plane: W, rows: &mut [bool]) {
    let mut words = [0; 8];
    plane.store(&mut words);
    let mut in_order = [0_u64; 8];
    match W::WORDS {
        4 => {
            for part in 0..4 {
                for at in 0..4 {
                    in_order[part] |= spread_to_nibbles(words[at] >> (16 * part)) << at;
                }
            }
        }
        8 => {
            for part in 0..8 {
                for at in 0..8 {
                    in_order[part] |= spread_to_bytes(words[at] >> (8 * part)) << at;
                }
            }
        }
        _ => in_order = words,
    }
    for (word, rows) in in_order.iter().zip(rows.chunks_mut(64)).take(W::WORDS) {
        let (eights, rest) = rows.as_chunks_mut::<8>();
        for (at, row) in rest.iter_mut().enumerate() {
            *row = word >> (8 * eights.len() + at) & 1 == 1;
        }
        for (at, eight) in eights.iter_mut().enumerate() {
            let bytes = spread_to_bytes(word >> (8 * at)).to_le_bytes();
            for row in 0..8 {
                eight[row] = bytes[row] != 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Lanes, Work};

    #[test]
    fn spread_and_gather_undo_each_other() {
        for bits in 0..=0xffff_u64 {
            let nibbles = spread_to_nibbles(bits);
            assert_eq!(gather_from_nibbles(nibbles), bits);
            assert!((0..16).all(|at| nibbles >> (4 * at) & 15 == bits >> at & 1));
            let bytes = spread_to_bytes(bits);
            assert_eq!(gather_from_bytes(bytes), bits & 255);
            assert!((0..8).all(|at| bytes >> (8 * at) & 255 == bits >> at & 1));
        }
    }

    /// A plane of rows is in the order of the transposition, and comes back as it went.
    struct Round;

    impl Work for Round {
        type Output = ();

        #[inline(always)]
        fn run<W: Word>(self) {
            for count in [1, 7, 8, 63, 64, 65, 200, 256, 500, 512] {
                let bit = |row: usize| row.wrapping_mul(0x9e37_79b9) >> 13 & 1 == 1;
                let bytes: Vec<u8> = (0..count).map(|row| u8::from(bit(row)) << 3 | 7).collect();
                let plane = plane_of::<W>(&bytes, 3);
                let mut words = [0; 8];
                plane.store(&mut words);
                for row in 0..count.min(W::LANES) {
                    let found = words[row % W::WORDS] >> (row / W::WORDS) & 1 == 1;
                    assert_eq!(found, bit(row), "row {row} of {count}");
                }
                let mut rows = vec![false; count];
                rows_of(plane, &mut rows);
                for row in 0..count.min(W::LANES) {
                    assert_eq!(rows[row], bit(row), "row {row} of {count}");
                }
            }
        }
    }

    #[test]
    fn planes_of_every_width_are_in_the_order_of_rows() {
        for lanes in Lanes::ALL {
            lanes.run(Round);
        }
    }
}
