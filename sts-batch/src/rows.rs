//! Rows in, rows out: a key and a block each.

use crate::lanes::{Word, Work};
use crate::transpose::{planes_of_some, rows_of_some};
use crate::{Batch, Cipher, crc, dea, flags, splat};

struct Derive<'a> {
    vending: &'a [u64],
    blocks: &'a [u64],
    keys: &'a mut [u64],
}

impl Work for Derive<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(self) {
        let zero = W::splat(0);
        let (mut vending, mut block, mut key) = ([zero; 64], [zero; 64], [zero; 64]);
        let mut base = 0;
        while base < self.blocks.len() {
            planes_of_some(&self.vending[base..], &mut vending);
            planes_of_some(&self.blocks[base..], &mut block);
            dea::derive(&vending, &block, &mut key);
            rows_of_some(&key, &mut self.keys[base..]);
            base += W::LANES;
        }
    }
}

enum Keys<'a> {
    Own(&'a [u64]),
    One(u64),
}

struct Decrypt<'a> {
    cipher: Cipher,
    keys: Keys<'a>,
    blocks: &'a [u64],
    plain: &'a mut [u64],
}

impl Work for Decrypt<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(self) {
        let zero = W::splat(0);
        let (mut block, mut plain) = ([zero; 64], [zero; 64]);
        let mut key = match self.keys {
            Keys::One(key) => splat(key),
            Keys::Own(_) => [zero; 64],
        };
        let mut base = 0;
        while base < self.blocks.len() {
            if let Keys::Own(keys) = self.keys {
                planes_of_some(&keys[base..], &mut key);
            }
            planes_of_some(&self.blocks[base..], &mut block);
            self.cipher.decrypt(&key, &block, &mut plain);
            rows_of_some(&plain, &mut self.plain[base..]);
            base += W::LANES;
        }
    }
}

struct Open<'a> {
    cipher: Cipher,
    vending: &'a [u64],
    blocks: &'a [u64],
    class_bits: &'a [u8],
    tokens: &'a [u64],
    plain: &'a mut [u64],
    holds: &'a mut [bool],
}

/// The planes of the class bits of up to `LANES` rows.
#[inline(always)]
fn classes<W: Word>(class_bits: &[u8]) -> [W; 2] {
    let class_bits = &class_bits[..class_bits.len().min(W::LANES)];
    let first = class_bits[0];
    // Without an early exit, many are compared at once.
    if class_bits.iter().fold(0, |differs, class| differs | (class ^ first)) & 3 == 0 {
        let bit = |bit: u8| 0_u64.wrapping_sub(u64::from(first >> bit & 1));
        [W::splat(bit(1)), W::splat(bit(0))]
    } else {
        [flags::plane_of(class_bits, 1), flags::plane_of(class_bits, 0)]
    }
}

impl Work for Open<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(self) {
        let zero = W::splat(0);
        let (mut vending, mut block, mut key) = ([zero; 64], [zero; 64], [zero; 64]);
        let mut base = 0;
        while base < self.blocks.len() {
            planes_of_some(&self.vending[base..], &mut vending);
            planes_of_some(&self.blocks[base..], &mut block);
            dea::derive(&vending, &block, &mut key);
            planes_of_some(&self.tokens[base..], &mut block);
            self.cipher.decrypt(&key, &block, &mut vending);
            let holds = crc::holds(classes(&self.class_bits[base..]), &vending);
            flags::rows_of(holds, &mut self.holds[base..]);
            rows_of_some(&vending, &mut self.plain[base..]);
            base += W::LANES;
        }
    }
}

impl Batch {
    /// DKGA02: the key of each row, from its vending key and `PANBlock` xor `CONTROLBlock`.
    ///
    /// # Panics
    ///
    /// Unless all slices are of one length.
    pub fn derive_dkga02(&self, vending: &[u64], blocks: &[u64], keys: &mut [u64]) {
        assert_eq!([vending.len(), keys.len()], [blocks.len(); 2], "rows");
        self.lanes.run(Derive { vending, blocks, keys });
    }

    /// Decrypts each row's block under its own key.
    ///
    /// # Panics
    ///
    /// Unless all slices are of one length.
    pub fn decrypt(&self, cipher: Cipher, keys: &[u64], blocks: &[u64], plain: &mut [u64]) {
        assert_eq!([keys.len(), plain.len()], [blocks.len(); 2], "rows");
        self.lanes.run(Decrypt { cipher, keys: Keys::Own(keys), blocks, plain });
    }

    /// Decrypts each row's block under the same key.
    ///
    /// # Panics
    ///
    /// Unless both slices are of one length.
    pub fn decrypt_under(&self, cipher: Cipher, key: u64, blocks: &[u64], plain: &mut [u64]) {
        assert_eq!(plain.len(), blocks.len(), "rows");
        self.lanes.run(Decrypt { cipher, keys: Keys::One(key), blocks, plain });
    }

    /// The whole way of each row: its key by DKGA02, its token's block decrypted, and whether the
    /// check holds (see [`Question::class_bits`](crate::Question)).
    ///
    /// # Panics
    ///
    /// Unless all slices are of one length.
    #[expect(clippy::too_many_arguments, reason = "columns of one table")]
    pub fn open_rows(
        &self,
        cipher: Cipher,
        vending: &[u64],
        blocks: &[u64],
        class_bits: &[u8],
        tokens: &[u64],
        plain: &mut [u64],
        holds: &mut [bool],
    ) {
        let lengths = [vending.len(), class_bits.len(), tokens.len(), plain.len(), holds.len()];
        assert_eq!(lengths, [blocks.len(); 5], "rows");
        self.lanes.run(Open { cipher, vending, blocks, class_bits, tokens, plain, holds });
    }
}
