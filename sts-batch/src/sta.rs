//! STA with the deployed tables in bit planes; plane 0 is the most significant bit.
//!
//! The permutation and the rotation of the key cost nothing: they say which plane is meant. What
//! is left are sixteen inverse substitutions a round, each chosen by a plane of the key.

use sts_core::cipher::sta;

use crate::Planes;
use crate::circuits::{three, two};
use crate::lanes::{Kernel, Word};

/// For each bit before the inverse substitution, where it was before the inverse permutation.
const FROM: [usize; 64] = {
    let permutation = sta::DEPLOYED.permutation();
    let mut from = [0; 64];
    let mut bit = 0;
    while bit < 64 {
        from[bit] = 63 - permutation[bit] as usize;
        bit += 1;
    }
    from
};

/// Decrypts each lane's block under the lane's key.
#[inline(always)]
pub(crate) fn decrypt<W: Word>(key: &Planes<W>, block: &Planes<W>, out: &mut Planes<W>) {
    W::call(Rounds { key, block, out });
}

struct Rounds<'a, W> {
    key: &'a Planes<W>,
    block: &'a Planes<W>,
    out: &'a mut Planes<W>,
}

impl<W: Word> Kernel<W> for Rounds<'_, W> {
    #[inline(always)]
    fn run(self) {
        let mut next = [W::splat(0); 64];
        for pair in 0..8 {
            let state = if pair == 0 { self.block } else { &*self.out };
            round(&mut next, state, self.key, 2 * pair);
            round(self.out, &next, self.key, 2 * pair + 1);
        }
    }
}

/// The plane of the key that chooses for the nibble at `BIT` in round `number`, of 16.
#[inline(always)]
const fn chooser<const BIT: usize>(number: usize) -> usize {
    // Only the last nibbles come past the end of the key.
    if BIT + 15 < 64 { 63 - BIT - number } else { (127 - BIT - number) & 63 }
}

#[inline(always)]
fn round<W: Word>(next: &mut Planes<W>, state: &Planes<W>, key: &Planes<W>, number: usize) {
    macro_rules! substitute {
        ($($nibble:literal)*) => { $({
            const BIT: usize = 4 * $nibble;
            let inputs = [
                key[chooser::<BIT>(number)],
                state[FROM[BIT + 3]],
                state[FROM[BIT + 2]],
                state[FROM[BIT + 1]],
                state[FROM[BIT]],
            ];
            let outputs = if W::THREE_INPUTS {
                three::inverse_pair(inputs)
            } else {
                two::inverse_pair(inputs)
            };
            for at in 0..4 {
                next[60 - BIT + at] = outputs[at];
            }
        })* };
    }
    substitute!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Lanes, Work};

    /// All 32 inputs of both circuits, one a lane, against the tables.
    struct Pair;

    impl Work for Pair {
        type Output = ();

        #[inline(always)]
        fn run<W: Word>(self) {
            let mut inputs = [W::splat(0); 5];
            for at in 0..5 {
                let bit = 4 - at;
                let mut plane = 0;
                for x in 0..64_u64 {
                    plane |= (x >> bit & 1) << x;
                }
                inputs[at] = W::splat(plane);
            }
            for outputs in [two::inverse_pair(inputs), three::inverse_pair(inputs)] {
                let mut words = [[0; 8]; 4];
                for at in 0..4 {
                    outputs[at].store(&mut words[at]);
                }
                let [s1, s2] = sta::DEPLOYED.substitutions();
                for x in 0..32_usize {
                    for word in 0..W::WORDS {
                        let value = words.iter().fold(0, |v, row| v << 1 | row[word] >> x & 1);
                        let table = if x >> 4 == 1 { s1 } else { s2 };
                        assert_eq!(usize::from(table[usize::try_from(value).unwrap()]), x & 15);
                    }
                }
            }
        }
    }

    #[test]
    fn circuits_of_every_input_undo_the_substitutions() {
        for lanes in Lanes::ALL {
            lanes.run(Pair);
        }
    }
}
