//! DEA in bit planes. [FIPS 46-3]; plane 0 is the most significant bit of all blocks and keys.
//!
//! Permutations cost nothing: they say which plane is meant. Of the rounds there is one body, so
//! that the code stays in the instruction cache. The halves of the key stand twice in a row: the
//! key of a round is then what the second choice takes of 28 planes from the round's shift on.
//!
//! [FIPS 46-3]: https://csrc.nist.gov/pubs/fips/46-3/final

use crate::Planes;
use crate::circuits::{three, two};
use crate::lanes::{Kernel, Word};

// ---------------------------------------------------------------------------------------- tables

#[rustfmt::skip]
const INITIAL: [u8; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4,
    62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
    57, 49, 41, 33, 25, 17,  9, 1, 59, 51, 43, 35, 27, 19, 11, 3,
    61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];

#[rustfmt::skip]
const PERMUTATION: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17,  1, 15, 23, 26,  5, 18, 31, 10,
     2, 8, 24, 14, 32, 27,  3,  9, 19, 13, 30,  6, 22, 11,  4, 25,
];

#[rustfmt::skip]
const CHOICE_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17,  9,  1, 58, 50, 42, 34, 26, 18,
    10,  2, 59, 51, 43, 35, 27, 19, 11,  3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15,  7, 62, 54, 46, 38, 30, 22,
    14,  6, 61, 53, 45, 37, 29, 21, 13,  5, 28, 20, 12,  4,
];

#[rustfmt::skip]
const CHOICE_2: [u8; 48] = [
    14, 17, 11, 24,  1,  5,  3, 28, 15,  6, 21, 10,
    23, 19, 12,  4, 26,  8, 16,  7, 27, 20, 13,  2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48,
    44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

const SHIFTS: [usize; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];

/// Where output `4 * box + bit` goes in a half.
const PLACES: [usize; 32] = {
    let mut places = [0; 32];
    let mut to = 0;
    while to < 32 {
        places[PERMUTATION[to] as usize - 1] = to;
        to += 1;
    }
    places
};

/// How far the halves of the key have been shifted in each round.
const SHIFTED: [usize; 16] = {
    let mut shifted = SHIFTS;
    let mut round = 1;
    while round < 16 {
        shifted[round] += shifted[round - 1];
        round += 1;
    }
    shifted
};

/// Circuits of two-input gates leave some outputs complemented, hence planes of a half after an
/// odd number of rounds that added to it. The complement of the key's plane makes up for it, and in
/// the end every plane was complemented eight times.
///
/// Which of the 48 box inputs come from such planes.
const INVERTED: [bool; 48] = {
    let mut inverted = [false; 48];
    let mut input = 0;
    while input < 48 {
        let from = PERMUTATION[expanded(input / 6, input % 6)] as usize - 1;
        inverted[input] = two::OUTPUTS_INVERTED[from / 4] >> (3 - from % 4) & 1 == 1;
        input += 1;
    }
    inverted
};

/// Which plane of a half is input `at` of box `number`.
const fn expanded(number: usize, at: usize) -> usize {
    (4 * number + 31 + at) % 32
}

// ------------------------------------------------------------------------------------ the cipher

/// DKGA02: encrypts each lane's block under the lane's key, and adds both.
#[inline(always)]
pub(crate) fn derive<W: Word>(key: &Planes<W>, block: &Planes<W>, out: &mut Planes<W>) {
    W::call(Rounds::<W, true> { key, block, out });
}

/// Decrypts each lane's block under the lane's key.
#[inline(always)]
pub(crate) fn decrypt<W: Word>(key: &Planes<W>, block: &Planes<W>, out: &mut Planes<W>) {
    W::call(Rounds::<W, false> { key, block, out });
}

struct Rounds<'a, W, const DERIVES: bool> {
    key: &'a Planes<W>,
    block: &'a Planes<W>,
    out: &'a mut Planes<W>,
}

/// An array written out, as one filled first and overwritten then costs twice.
macro_rules! array {
    ($at:ident => $value:expr; $($number:literal)*) => {
        [$({ let $at = $number; $value }),*]
    };
}

macro_rules! array28 {
    ($at:ident => $value:expr) => {
        array!($at => $value; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25
            26 27)
    };
}

macro_rules! array32 {
    ($at:ident => $value:expr) => {
        array!($at => $value; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25
            26 27 28 29 30 31)
    };
}

/// Both halves of the key, each of them twice.
type Key<W> = [[[W; 28]; 2]; 2];

impl<W: Word, const DERIVES: bool> Kernel<W> for Rounds<'_, W, DERIVES> {
    #[inline(always)]
    fn run(self) {
        let first = array28!(at => self.key[CHOICE_1[at] as usize - 1]);
        let second = array28!(at => self.key[CHOICE_1[28 + at] as usize - 1]);
        let key: Key<W> = [[first; 2], [second; 2]];
        let complement: Key<W> = if W::THREE_INPUTS {
            key
        } else {
            let (first, second) =
                (array28!(at => first[at].not()), array28!(at => second[at].not()));
            [[first; 2], [second; 2]]
        };
        let mut left = array32!(at => self.block[INITIAL[at] as usize - 1]);
        let mut right = array32!(at => self.block[INITIAL[32 + at] as usize - 1]);
        // The halves stay in memory: as values of one long body they would be moved about.
        for number in 0..16 {
            let shifted = SHIFTED[if DERIVES { number } else { 15 - number }];
            let usual = windows(&key, shifted);
            let inverted = if matches!(number % 4, 1 | 2) && !W::THREE_INPUTS {
                windows(&complement, shifted)
            } else {
                usual
            };
            let (to, from) =
                if number % 2 == 0 { (&mut left, &right) } else { (&mut right, &left) };
            round(to, from, usual, inverted);
        }
        for at in 0..32 {
            for (half, from) in [(0, &right), (32, &left)] {
                let place = INITIAL[half + at] as usize - 1;
                self.out[place] = if DERIVES {
                    from[at].xor3(self.key[place], self.block[place])
                } else {
                    from[at]
                };
            }
        }
    }
}

/// The halves of the key as a round has them.
#[inline(always)]
fn windows<W: Word>(key: &Key<W>, shifted: usize) -> [&[W]; 2] {
    let [first, second] = key;
    [&first.as_flattened()[shifted..shifted + 28], &second.as_flattened()[shifted..shifted + 28]]
}

#[inline(always)]
fn round<W: Word>(left: &mut [W; 32], right: &[W; 32], usual: [&[W]; 2], inverted: [&[W]; 2]) {
    macro_rules! substitute {
        ($number:literal, $circuit:ident) => {{
            let mut inputs = [W::splat(0); 6];
            for at in 0..6 {
                let input = 6 * $number + at;
                let key = if INVERTED[input] { inverted } else { usual };
                let choice = CHOICE_2[input] as usize - 1;
                inputs[at] = right[expanded($number, at)].xor(key[choice / 28][choice % 28]);
            }
            let outputs =
                if W::THREE_INPUTS { three::$circuit(inputs) } else { two::$circuit(inputs) };
            for at in 0..4 {
                let place = PLACES[4 * $number + at];
                left[place] = left[place].xor(outputs[at]);
            }
        }};
    }
    substitute!(0, s1);
    substitute!(1, s2);
    substitute!(2, s3);
    substitute!(3, s4);
    substitute!(4, s5);
    substitute!(5, s6);
    substitute!(6, s7);
    substitute!(7, s8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Lanes, Work};

    #[rustfmt::skip]
    const BOXES: [[u8; 64]; 8] = [
        [
            14,  4, 13,  1,  2, 15, 11,  8,  3, 10,  6, 12,  5,  9,  0,  7,
             0, 15,  7,  4, 14,  2, 13,  1, 10,  6, 12, 11,  9,  5,  3,  8,
             4,  1, 14,  8, 13,  6,  2, 11, 15, 12,  9,  7,  3, 10,  5,  0,
            15, 12,  8,  2,  4,  9,  1,  7,  5, 11,  3, 14, 10,  0,  6, 13,
        ],
        [
            15,  1,  8, 14,  6, 11,  3,  4,  9,  7,  2, 13, 12,  0,  5, 10,
             3, 13,  4,  7, 15,  2,  8, 14, 12,  0,  1, 10,  6,  9, 11,  5,
             0, 14,  7, 11, 10,  4, 13,  1,  5,  8, 12,  6,  9,  3,  2, 15,
            13,  8, 10,  1,  3, 15,  4,  2, 11,  6,  7, 12,  0,  5, 14,  9,
        ],
        [
            10,  0,  9, 14,  6,  3, 15,  5,  1, 13, 12,  7, 11,  4,  2,  8,
            13,  7,  0,  9,  3,  4,  6, 10,  2,  8,  5, 14, 12, 11, 15,  1,
            13,  6,  4,  9,  8, 15,  3,  0, 11,  1,  2, 12,  5, 10, 14,  7,
             1, 10, 13,  0,  6,  9,  8,  7,  4, 15, 14,  3, 11,  5,  2, 12,
        ],
        [
             7, 13, 14,  3,  0,  6,  9, 10,  1,  2,  8,  5, 11, 12,  4, 15,
            13,  8, 11,  5,  6, 15,  0,  3,  4,  7,  2, 12,  1, 10, 14,  9,
            10,  6,  9,  0, 12, 11,  7, 13, 15,  1,  3, 14,  5,  2,  8,  4,
             3, 15,  0,  6, 10,  1, 13,  8,  9,  4,  5, 11, 12,  7,  2, 14,
        ],
        [
             2, 12,  4,  1,  7, 10, 11,  6,  8,  5,  3, 15, 13,  0, 14,  9,
            14, 11,  2, 12,  4,  7, 13,  1,  5,  0, 15, 10,  3,  9,  8,  6,
             4,  2,  1, 11, 10, 13,  7,  8, 15,  9, 12,  5,  6,  3,  0, 14,
            11,  8, 12,  7,  1, 14,  2, 13,  6, 15,  0,  9, 10,  4,  5,  3,
        ],
        [
            12,  1, 10, 15,  9,  2,  6,  8,  0, 13,  3,  4, 14,  7,  5, 11,
            10, 15,  4,  2,  7, 12,  9,  5,  6,  1, 13, 14,  0, 11,  3,  8,
             9, 14, 15,  5,  2,  8, 12,  3,  7,  0,  4, 10,  1, 13, 11,  6,
             4,  3,  2, 12,  9,  5, 15, 10, 11, 14,  1,  7,  6,  0,  8, 13,
        ],
        [
             4, 11,  2, 14, 15,  0,  8, 13,  3, 12,  9,  7,  5, 10,  6,  1,
            13,  0, 11,  7,  4,  9,  1, 10, 14,  3,  5, 12,  2, 15,  8,  6,
             1,  4, 11, 13, 12,  3,  7, 14, 10, 15,  6,  8,  0,  5,  9,  2,
             6, 11, 13,  8,  1,  4, 10,  7,  9,  5,  0, 15, 14,  2,  3, 12,
        ],
        [
            13,  2,  8,  4,  6, 15, 11,  1, 10,  9,  3, 14,  5,  0, 12,  7,
             1, 15, 13,  8, 10,  3,  7,  4, 12,  5,  6, 11,  0, 14,  9,  2,
             7, 11,  4,  1,  9, 12, 14,  2,  0,  6, 10, 13, 15,  3,  5,  8,
             2,  1, 14,  7,  4, 10,  8, 13, 15, 12,  9,  0,  3,  5,  6, 11,
        ],
    ];

    /// All 64 inputs of all circuits, one a lane, against the tables.
    struct All;

    impl Work for All {
        type Output = ();

        #[inline(always)]
        fn run<W: Word>(self) {
            let mut inputs = [W::splat(0); 6];
            for at in 0..6 {
                let bit = 5 - at;
                let mut plane = 0;
                for x in 0..64_u64 {
                    plane |= (x >> bit & 1) << x;
                }
                inputs[at] = W::splat(plane);
            }
            macro_rules! check {
                ($($number:literal $circuit:ident)*) => { $(
                    let inverted = two::OUTPUTS_INVERTED[$number];
                    compare($number, inverted, two::$circuit(inputs));
                    compare($number, 0, three::$circuit(inputs));
                )* };
            }
            check!(0 s1 1 s2 2 s3 3 s4 4 s5 5 s6 6 s7 7 s8);
        }
    }

    #[inline(always)]
    fn compare<W: Word>(number: usize, inverted: u8, outputs: [W; 4]) {
        let mut words = [[0; 8]; 4];
        for at in 0..4 {
            outputs[at].store(&mut words[at]);
        }
        for x in 0..64_usize {
            let (row, column) = (x >> 4 & 2 | x & 1, x >> 1 & 15);
            for word in 0..W::WORDS {
                let value = words.iter().fold(0, |v, row| v << 1 | row[word] >> x & 1);
                let expected = BOXES[number][16 * row + column] ^ inverted;
                assert_eq!(value, u64::from(expected), "box {number}, input {x}");
            }
        }
    }

    #[test]
    fn circuits_of_every_input_are_the_tables() {
        for lanes in Lanes::ALL {
            lanes.run(All);
        }
    }
}
