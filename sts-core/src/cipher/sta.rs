//! EA07, the Standard Transfer Algorithm, on `u64` blocks: bit 0 is the least significant.
//!
//! Clauses 6.5.4 (encryption) and 7.3.3 (decryption). 64-bit block, 64-bit key, 16 rounds of
//! sixteen 4-bit substitutions, a permutation of 64 bits and a rotation of the key. Bit `i` of a
//! nibble `n` is bit `4n + i` of the word.
//!
//! # Security
//!
//! Not constant time: memory is indexed by bits of key and data, so that on a machine with a cache
//! the time taken depends on them. 64-bit keys are within reach of a determined search.

#![expect(clippy::indexing_slicing, reason = "indices are masked to the size of their table")]

use core::fmt;

// ---------------------------------------------------------------------------------------- tables

/// The substitution and permutation tables of the algorithm, ready for use.
///
/// [`DEPLOYED`] is what meters use; [`SAMPLE`] is what the standard prints.
pub struct Tables {
    /// Decryption: for each nibble, 32 words indexed by 16 * key bit + nibble. The word is the
    /// nibble after the inverse substitution, with its bits already where the inverse permutation
    /// of the *next* round takes them. Two nibbles, low and high, to a byte. 4 KiB.
    #[cfg(not(feature = "compact"))]
    merged: [[[u64; 32]; 2]; 8],
    /// Decryption: the inverse substitution alone, for the last round; indexed likewise.
    inverse: [u8; 32],
    /// Encryption: S1 and S2, chosen by the key bit.
    forward: [[u8; 16]; 2],
    /// Encryption: bit `i` moves to bit `permutation[i]`; decryption takes it back.
    #[cfg(any(feature = "seal", feature = "compact"))]
    permutation: [u8; 64],
    name: &'static str,
}

#[cfg(not(feature = "compact"))]
const _: () = assert!(size_of::<[[[u64; 32]; 2]; 8]>() == 4096);

/// A table given to [`Tables::new`] is not a permutation, so decryption would be ambiguous.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_structs, reason = "one question with one bad answer")]
#[error("a substitution or permutation table lacks a value and has another twice")]
pub struct InvalidTables;

/// The tables in deployed meters, the default everywhere.
///
/// The standard does not print them. These are the ones found alike in several open
/// implementations of independent origin, and they reproduce every published EA07 token of the
/// conformance lists (STS 531-1-07).
pub static DEPLOYED: Tables = Tables::build(&DEPLOYED_S1, &DEPLOYED_S2, &DEPLOYED_P, "deployed");

/// The sample tables the standard prints for its worked example; no deployed meter uses them.
///
/// Found alike in several open implementations, and they reproduce its worked example
/// (token 5104 3465 4434 2085 6213). Each of the two substitutions undoes the other.
pub static SAMPLE: Tables = Tables::build(&SAMPLE_S1, &SAMPLE_S2, &SAMPLE_P, "sample");

const _: () = {
    assert!(is_permutation(&DEPLOYED_S1) && is_permutation(&DEPLOYED_S2));
    assert!(is_permutation(&DEPLOYED_P));
    assert!(is_permutation(&SAMPLE_S1) && is_permutation(&SAMPLE_S2));
    assert!(is_permutation(&SAMPLE_P));
};

#[rustfmt::skip]
const DEPLOYED_S1: [u8; 16] =
    [14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11];
#[rustfmt::skip]
const DEPLOYED_S2: [u8; 16] =
    [12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14];
#[rustfmt::skip]
const DEPLOYED_P: [u8; 64] = [
    55, 42, 10, 18, 24, 21, 44, 35,  2, 22, 56, 43, 27, 58,  9, 50,
     6, 36, 12, 61, 37, 38, 53, 16, 62,  3,  7,  4, 32, 20, 63, 25,
    51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13,  5,
    40, 60, 39, 11, 15, 17,  1,  0, 57, 34, 59,  8, 47, 14, 45, 26,
];

#[rustfmt::skip]
const SAMPLE_S1: [u8; 16] =
    [12, 10, 8, 4, 3, 15, 0, 2, 14, 1, 5, 13, 6, 9, 7, 11];
#[rustfmt::skip]
const SAMPLE_S2: [u8; 16] =
    [6, 9, 7, 4, 3, 10, 12, 14, 2, 13, 1, 15, 0, 11, 8, 5];
#[rustfmt::skip]
const SAMPLE_P: [u8; 64] = [
    29, 27, 34,  9, 16, 62, 55,  2, 40, 49, 38, 25, 33, 61, 30, 23,
     1, 41, 21, 57, 42, 15,  5, 58, 19, 53, 22, 17, 48, 28, 24, 39,
     3, 60, 36, 14, 11, 52, 54, 12, 31, 51, 10, 26,  0, 45, 37, 43,
    44,  6, 59,  4,  7, 35, 56, 50, 13, 18, 32, 47, 46, 63, 20,  8,
];

impl Tables {
    /// Tables of one's own: `s1` and `s2` map a nibble, bit `i` moves to bit `p[i]` (all in the
    /// direction of encryption; index 0 of `p` is the least significant bit).
    ///
    /// The value is more than 4 KiB: best kept in a `static`.
    ///
    /// # Errors
    ///
    /// [`InvalidTables`] unless `s1` and `s2` each hold 0 to 15 once and `p` holds 0 to 63 once.
    ///
    /// ```
    /// use sts_core::cipher::sta::{InvalidTables, Tables};
    ///
    /// let constant = [7; 16];
    /// let identity = core::array::from_fn(|bit| bit as u8);
    /// assert_eq!(Tables::new(constant, constant, identity).err(), Some(InvalidTables));
    /// ```
    pub const fn new(s1: [u8; 16], s2: [u8; 16], p: [u8; 64]) -> Result<Self, InvalidTables> {
        if is_permutation(&s1) && is_permutation(&s2) && is_permutation(&p) {
            Ok(Self::build(&s1, &s2, &p, "custom"))
        } else {
            Err(InvalidTables)
        }
    }

    /// Which tables these are: `deployed`, `sample` or `custom`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Encryption moves bit `i` to bit `permutation()[i]`; index 0 is the least significant bit.
    #[cfg(feature = "seal")]
    #[must_use]
    pub const fn permutation(&self) -> &[u8; 64] {
        &self.permutation
    }

    /// The two substitutions of a nibble in the direction of encryption, by the key bit.
    #[must_use]
    pub const fn substitutions(&self) -> &[[u8; 16]; 2] {
        &self.forward
    }

    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "counters stay below 16"
    )]
    const fn build(s1: &[u8; 16], s2: &[u8; 16], p: &[u8; 64], name: &'static str) -> Self {
        // Key bit 1 undoes S1 and key bit 0 undoes S2: the two keys of the two directions are
        // complements of each other.
        let mut inverse = [0; 32];
        let mut value = 0;
        while value < 16 {
            inverse[(s2[value] & 15) as usize] = value as u8;
            inverse[(s1[value] & 15 | 16) as usize] = value as u8;
            value += 1;
        }
        Self {
            #[cfg(not(feature = "compact"))]
            merged: merge(&inverse, p),
            inverse,
            forward: [*s1, *s2],
            #[cfg(any(feature = "seal", feature = "compact"))]
            permutation: *p,
            name,
        }
    }
}

/// The table `merged` of [`Tables`].
#[cfg(not(feature = "compact"))]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "counters stay below 64, indices below 512"
)]
const fn merge(inverse: &[u8; 32], p: &[u8; 64]) -> [[[u64; 32]; 2]; 8] {
    let mut back = [0; 64];
    let mut bit = 0;
    while bit < 64 {
        back[(p[bit] & 63) as usize] = bit as u8;
        bit += 1;
    }
    let mut merged = [[[0; 32]; 2]; 8];
    let mut at = 0;
    while at < 8 * 2 * 32 {
        let (nibble, index) = (at / 32, at % 32);
        let mut bit = 0;
        while bit < 4 {
            let set = (inverse[index] >> bit & 1) as u64;
            merged[nibble / 2][nibble % 2][index] |= set << (back[4 * nibble + bit] & 63);
            bit += 1;
        }
        at += 1;
    }
    merged
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tables({})", self.name)
    }
}

/// Whether `table` holds each of the numbers below its length, at most 64, once.
#[expect(clippy::arithmetic_side_effects, reason = "the counter ends at the table's length")]
const fn is_permutation(table: &[u8]) -> bool {
    let mut seen = 0_u64;
    let mut at = 0;
    while at < table.len() {
        if table[at] as usize >= table.len() {
            return false;
        }
        seen |= 1 << (table[at] & 63);
        at += 1;
    }
    seen.count_ones() as usize == table.len()
}

// -------------------------------------------------------------------------------------- schedule

/// The key as encryption begins with it: complemented, then rotated right by 12.
///
/// Decryption begins with the key as it is.
///
/// ```
/// assert_eq!(sts_core::cipher::sta::align(0x0abc_12de_f345_6789), 0x876f_543e_d210_cba9);
/// ```
#[must_use]
pub const fn align(key: u64) -> u64 {
    (!key).rotate_right(12)
}

// ------------------------------------------------------------------------------------ encryption

impl Tables {
    /// Encrypts one block.
    ///
    /// In the plain form of the standard's text: a vending system makes one token at a time.
    #[cfg(feature = "seal")]
    #[must_use]
    pub fn encrypt(&self, key: u64, block: u64) -> u64 {
        let (mut key, mut block) = (align(key), block);
        for _ in 0..16 {
            let mut substituted = 0;
            for shift in (0..64).step_by(4) {
                let chosen = key >> shift >> 3 & 1;
                let nibble = block >> shift & 15;
                substituted |=
                    u64::from(self.forward[chosen as usize & 1][nibble as usize & 15]) << shift;
            }
            block = 0;
            for (from, to) in (0..64).zip(&self.permutation) {
                block |= (substituted >> from & 1) << (to & 63);
            }
            key = key.rotate_left(1);
        }
        block
    }
}

// ------------------------------------------------------------------------------------ decryption

/// The low nibble of each byte.
#[cfg(not(feature = "compact"))]
const NIBBLES: u64 = 0x0f0f_0f0f_0f0f_0f0f;
/// The bit in front of the low nibble of each byte, where an index has its key bit.
#[cfg(not(feature = "compact"))]
const KEY_BITS: u64 = 0x1010_1010_1010_1010;

impl Tables {
    /// Decrypts one block. Any key and any block decrypt to something.
    ///
    /// Bit by bit, from words of 32 bits: small, and good for a processor with no wider ones.
    #[cfg(feature = "compact")]
    #[expect(clippy::cast_possible_truncation, reason = "the low word is meant")]
    #[must_use]
    pub fn decrypt(&self, key: u64, block: u64) -> u64 {
        let (mut key, mut block) = (key, block);
        for _ in 0..16 {
            let words = [block as u32, (block >> 32) as u32];
            for places in self.permutation.as_chunks::<4>().0.iter().rev() {
                // The key bit of the nibble, then the four bits from where encryption put them.
                key = key.rotate_left(4);
                let mut index = u32::from(key & 1 == 1);
                for place in places.iter().rev() {
                    let word = words[usize::from(place >> 5 & 1)];
                    index = index << 1 | word.rotate_right(u32::from(*place)) & 1;
                }
                block = block << 4 | u64::from(self.inverse[index as usize & 31]);
            }
            key = key.rotate_right(1);
        }
        block
    }

    /// Decrypts one block. Any key and any block decrypt to something.
    #[cfg(not(feature = "compact"))]
    #[must_use]
    pub fn decrypt(&self, key: u64, block: u64) -> u64 {
        // The first inverse permutation stands alone. It goes through the merged tables too, after
        // S2, which is what they undo where the key bit is 0.
        let [_, s2] = &self.forward;
        let mut state = 0;
        for ([even, odd], byte) in self.merged.iter().zip(block.to_le_bytes()) {
            let (low, high) = (s2[usize::from(byte & 15)], s2[usize::from(byte >> 4)]);
            state ^= even[usize::from(low & 31)] ^ odd[usize::from(high & 31)];
        }
        let mut key = key;
        for _ in 0..15 {
            let (low, high) = indices(state, key);
            state = 0;
            // No two words share a bit. `|` halves the chain of `^` that the next round waits for.
            for (([even, odd], low), high) in self.merged.iter().zip(low).zip(high) {
                state ^= even[usize::from(low & 31)] | odd[usize::from(high & 31)];
            }
            key = key.rotate_right(1);
        }
        // The last inverse substitution likewise.
        let (low, high) = indices(state, key);
        let mut bytes = [0; 8];
        for ((byte, low), high) in bytes.iter_mut().zip(low).zip(high) {
            let (low, high) =
                (self.inverse[usize::from(low & 31)], self.inverse[usize::from(high & 31)]);
            *byte = low | high << 4;
        }
        u64::from_le_bytes(bytes)
    }
}

/// For the low and the high nibble of each byte: 16 * key bit + nibble.
#[cfg(not(feature = "compact"))]
#[inline(always)]
const fn indices(state: u64, key: u64) -> ([u8; 8], [u8; 8]) {
    let low = state & NIBBLES | key << 4 & KEY_BITS;
    let high = state >> 4 & NIBBLES | key & KEY_BITS;
    (low.to_le_bytes(), high.to_le_bytes())
}

// ----------------------------------------------------------------------------------------- tests

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u64 = 0x0abc_12de_f345_6789;
    const PLAIN: u64 = 0x0b19_eb23_0100_c207;

    #[test]
    fn align_of_the_worked_example_is_as_printed() {
        assert_eq!(!KEY, 0xf543_ed21_0cba_9876);
        assert_eq!(align(KEY), 0x876f_543e_d210_cba9);
    }

    #[test]
    fn decrypt_with_the_sample_tables_undoes_the_worked_example() {
        assert_eq!(SAMPLE.decrypt(KEY, 0xc45e_d161_9406_df95), PLAIN);
    }

    #[test]
    fn decrypt_with_the_deployed_tables_undoes_the_worked_example() {
        assert_eq!(DEPLOYED.decrypt(KEY, 0x9335_c6c9_6b73_52dc), PLAIN);
    }

    #[cfg(feature = "seal")]
    #[test]
    fn encrypt_of_the_worked_example_is_as_published() {
        assert_eq!(SAMPLE.encrypt(KEY, PLAIN), 0xc45e_d161_9406_df95);
        assert_eq!(DEPLOYED.encrypt(KEY, PLAIN), 0x9335_c6c9_6b73_52dc);
    }

    #[test]
    fn sample_substitutions_undo_each_other() {
        for value in 0..16_u8 {
            assert_eq!(SAMPLE_S2[usize::from(SAMPLE_S1[usize::from(value)])], value);
        }
    }

    #[test]
    fn new_with_the_deployed_tables_decrypts_alike() {
        let own = Tables::new(DEPLOYED_S1, DEPLOYED_S2, DEPLOYED_P).unwrap();
        assert_eq!(own.decrypt(KEY, 1), DEPLOYED.decrypt(KEY, 1));
    }

    #[test]
    fn new_with_a_repeated_or_too_large_value_is_refused() {
        let mut s = DEPLOYED_S1;
        s[0] = s[1];
        assert_eq!(Tables::new(s, DEPLOYED_S2, DEPLOYED_P).err(), Some(InvalidTables));
        assert_eq!(Tables::new(DEPLOYED_S1, s, DEPLOYED_P).err(), Some(InvalidTables));
        s[0] = 16;
        assert_eq!(Tables::new(s, DEPLOYED_S2, DEPLOYED_P).err(), Some(InvalidTables));
        let mut p = DEPLOYED_P;
        p[63] = 64;
        assert_eq!(Tables::new(DEPLOYED_S1, DEPLOYED_S2, p).err(), Some(InvalidTables));
        p[63] = p[0];
        assert_eq!(Tables::new(DEPLOYED_S1, DEPLOYED_S2, p).err(), Some(InvalidTables));
    }

    #[test]
    fn debug_of_tables_names_them_and_shows_no_values() {
        let own = Tables::new(SAMPLE_S1, SAMPLE_S2, SAMPLE_P).unwrap();
        let names = ["deployed", "sample", "custom"];
        for (tables, name) in [&DEPLOYED, &SAMPLE, &own].into_iter().zip(names) {
            assert_eq!(tables.name(), name);
            assert_eq!(format!("{tables:?}"), format!("Tables({name})"));
        }
    }
}
