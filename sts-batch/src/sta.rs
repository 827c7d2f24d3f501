//! STA with the deployed tables in bit planes; plane 0 is the most significant bit.
//!
//! The permutation and the rotation of the key cost nothing: they say which plane is meant. What
//! is left are sixteen inverse substitutions a round, each chosen by a plane of the key.

use sts_core::cipher::sta;

use crate::Planes;
use crate::circuits::{three, two};
use crate::lanes::{Kernel, Word};

/// Planes of the key from the least significant, and the first twelve once more: round `r` takes
/// those from `r` on.
type Key<W> = [W; 76];

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
        let zero = W::splat(0);
        let mut key: Key<W> = [zero; 76];
        for at in 0..76 {
            key[at] = self.key[63 - at % 64];
        }
        let mut state = *self.block;
        let mut next = [zero; 64];
        for pair in 0..8 {
            round(&mut next, &state, &key, 2 * pair);
            round(&mut state, &next, &key, 2 * pair + 1);
        }
        *self.out = state;
    }
}

#[inline(always)]
fn round<W: Word>(next: &mut Planes<W>, state: &Planes<W>, key: &Key<W>, number: usize) {
    macro_rules! substitute {
        ($($nibble:literal)*) => { $({
            const BIT: usize = 4 * $nibble;
            let inputs = [
                key[number % 16 + BIT],
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
