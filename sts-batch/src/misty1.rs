//! EA11, the block cipher MISTY1, in bit planes: each lane has a key and a block of its own.
//!
//! [RFC 2994]; the scalar form is [`sts_core::cipher::misty1`], whose names these are. Plane 0 is
//! the most significant bit of a block (64 planes) and of a key (128 planes), and of everything in
//! between. The S-boxes are circuits of their algebraic normal forms, common sums and factors
//! taken out. No table is indexed here: time does not depend on keys or data.
//!
//! [RFC 2994]: https://www.rfc-editor.org/rfc/rfc2994

use crate::Planes;
use crate::lanes::{Kernel, Word};

/// The planes of 16 bits.
type Half<W> = [W; 16];

// -------------------------------------------------------------------------------------- circuits

/// S7: 84 gates and its constant.
#[inline(always)]
#[rustfmt::skip]
fn s7<W: Word>([x0, x1, x2, x3, x4, x5, x6]: [W; 7]) -> [W; 7] {
    let t0 = x5.and(x6);
    let t1 = t0.xor(x3);
    let t2 = x0.and(x6);
    let t3 = t2.xor(x6);
    let t4 = x2.and(x4);
    let t5 = t3.xor(t4);
    let t6 = x3.and(t5);
    let t7 = t1.xor(t6);
    let t8 = x0.and(x5);
    let t9 = t8.xor(x1);
    let t10 = x4.and(t9);
    let t11 = t7.xor(t10);
    let t12 = x0.and(x4);
    let t13 = t12.xor(x6);
    let t14 = x3.and(x5);
    let t15 = t13.xor(t14);
    let t16 = t15.xor(x3);
    let t17 = x1.and(t16);
    let t18 = t11.xor(t17);
    let t19 = x5.xor(x2);
    let t20 = x0.and(t19);
    let t21 = t18.xor(t20);
    let t22 = x1.and(x6);
    let t23 = x2.and(x5);
    let t24 = t22.xor(t23);
    let t25 = t24.xor(x4);
    let t26 = x4.and(x6);
    let t27 = x5.and(t26);
    let t28 = t27.xor(x5);
    let t29 = x3.and(x6);
    let t30 = t28.xor(t29);
    let t31 = t25.xor(t30);
    let t32 = t31.xor(t3);
    let t33 = x2.and(x6);
    let t34 = t33.xor(t14);
    let t35 = x4.and(t34);
    let t36 = t32.xor(t35);
    let t37 = t1.xor(t12);
    let t38 = x1.and(t37);
    let t39 = t36.xor(t38);
    let t40 = x3.and(t25);
    let t41 = t9.xor(t40);
    let t42 = x4.and(x5);
    let t43 = t42.xor(t20);
    let t44 = t43.xor(x4);
    let t45 = x1.and(t44);
    let t46 = t41.xor(t45);
    let t47 = t46.xor(t33);
    let t48 = t30.xor(t13);
    let t49 = x1.and(t23);
    let t50 = t48.xor(t49);
    let t51 = t34.xor(x1);
    let t52 = x0.and(t51);
    let t53 = t50.xor(t52);
    let t54 = t53.xor(t4);
    let t55 = t43.xor(t24);
    let t56 = x1.and(x3);
    let t57 = t56.xor(t0);
    let t58 = t57.xor(t22);
    let t59 = t58.xor(t12);
    let t60 = x2.and(t59);
    let t61 = t55.xor(t60);
    let t62 = t26.xor(t2);
    let t63 = t62.xor(x0);
    let t64 = x3.and(t63);
    let t65 = t61.xor(t64);
    let t66 = t65.xor(x2);
    let t67 = x0.and(t24);
    let t68 = t63.xor(t67);
    let t69 = t4.xor(x5);
    let t70 = x1.and(t69);
    let t71 = t68.xor(t70);
    let t72 = t12.xor(x2);
    let t73 = t72.xor(x0);
    let t74 = x3.and(t73);
    let t75 = t71.xor(t74);
    let t76 = t75.xor(t33);
    let t77 = x2.and(t29);
    let t78 = t15.xor(t77);
    let t79 = x0.and(t57);
    let t80 = t78.xor(t79);
    let t81 = t19.xor(t62);
    let t82 = x1.and(t81);
    let t83 = t80.xor(t82);
    [t21, t39, t47.not(), t54.not(), t66, t76.not(), t83.not()]
}

/// S9: 98 gates and its constant.
#[inline(always)]
#[rustfmt::skip]
fn s9<W: Word>([x0, x1, x2, x3, x4, x5, x6, x7, x8]: [W; 9]) -> [W; 9] {
    let t0 = x3.and(x8);
    let t1 = x0.and(x5);
    let t2 = t0.xor(t1);
    let t3 = x8.xor(x4);
    let t4 = t2.xor(t3);
    let t5 = x7.xor(x1);
    let t6 = t5.xor(x0);
    let t7 = x8.and(t6);
    let t8 = t4.xor(t7);
    let t9 = x7.xor(x3);
    let t10 = x6.and(t9);
    let t11 = t8.xor(t10);
    let t12 = x5.xor(x0);
    let t13 = t12.xor(x3);
    let t14 = x2.and(t13);
    let t15 = t11.xor(t14);
    let t16 = x4.and(x8);
    let t17 = t9.xor(t16);
    let t18 = x6.xor(x2);
    let t19 = t18.xor(x0);
    let t20 = t19.xor(x8);
    let t21 = x7.and(t20);
    let t22 = t17.xor(t21);
    let t23 = x5.and(t18);
    let t24 = t22.xor(t23);
    let t25 = t3.xor(x2);
    let t26 = x1.and(t25);
    let t27 = t24.xor(t26);
    let t28 = x7.and(t3);
    let t29 = t12.xor(t28);
    let t30 = x1.and(x6);
    let t31 = t29.xor(t30);
    let t32 = x6.xor(x1);
    let t33 = t32.xor(x4);
    let t34 = x3.and(t33);
    let t35 = t31.xor(t34);
    let t36 = t25.xor(x1);
    let t37 = x0.and(t36);
    let t38 = t35.xor(t37);
    let t39 = x8.and(t12);
    let t40 = t32.xor(t39);
    let t41 = x7.xor(x2);
    let t42 = t41.xor(x5);
    let t43 = x4.and(t42);
    let t44 = t40.xor(t43);
    let t45 = x2.and(t5);
    let t46 = t44.xor(t45);
    let t47 = x1.and(t13);
    let t48 = t46.xor(t47);
    let t49 = x8.xor(x3);
    let t50 = t49.xor(x6);
    let t51 = x5.and(t50);
    let t52 = t41.xor(t51);
    let t53 = t33.xor(x3);
    let t54 = x2.and(t53);
    let t55 = t52.xor(t54);
    let t56 = x0.and(t32);
    let t57 = t55.xor(t56);
    let t58 = t57.xor(t0);
    let t59 = x4.xor(x0);
    let t60 = t59.xor(x7);
    let t61 = x6.and(t60);
    let t62 = t49.xor(t61);
    let t63 = x0.and(x4);
    let t64 = t62.xor(t63);
    let t65 = t42.xor(x4);
    let t66 = x3.and(t65);
    let t67 = t64.xor(t66);
    let t68 = x1.and(t41);
    let t69 = t67.xor(t68);
    let t70 = x5.xor(x1);
    let t71 = t70.xor(x8);
    let t72 = x7.and(t71);
    let t73 = t59.xor(t72);
    let t74 = x1.and(x5);
    let t75 = t73.xor(t74);
    let t76 = t50.xor(x5);
    let t77 = x4.and(t76);
    let t78 = t75.xor(t77);
    let t79 = x2.and(t49);
    let t80 = t78.xor(t79);
    let t81 = x8.and(t19);
    let t82 = t70.xor(t81);
    let t83 = x2.and(x6);
    let t84 = t82.xor(t83);
    let t85 = t60.xor(x6);
    let t86 = x5.and(t85);
    let t87 = t84.xor(t86);
    let t88 = x3.and(t59);
    let t89 = t87.xor(t88);
    let t90 = x3.xor(x2);
    let t91 = x7.and(t90);
    let t92 = t2.xor(t91);
    let t93 = t92.xor(t83);
    let t94 = t93.xor(t74);
    let t95 = t94.xor(t63);
    let t96 = t95.xor(t30);
    let t97 = t96.xor(t16);
    [t15.not(), t27.not(), t38.not(), t48, t58, t69, t80, t89.not(), t97.not()]
}

// ------------------------------------------------------------------------------------- functions

/// FI: 16 bits through S9, S7 and S9 again, with 16 bits of key between.
#[inline(always)]
fn fi<W: Word>(input: &Half<W>, key: &Half<W>) -> Half<W> {
    let [a, b, c, d, e, f, g, h, i, s @ ..] = *input;
    let mut nine = s9([a, b, c, d, e, f, g, h, i]);
    let mut seven = s7(s);
    for bit in 0..7 {
        nine[bit + 2] = nine[bit + 2].xor(s[bit]);
        seven[bit] = seven[bit].xor3(nine[bit + 2], key[bit]);
    }
    for bit in 0..9 {
        nine[bit] = nine[bit].xor(key[bit + 7]);
    }
    nine = s9(nine);
    let mut output = *input;
    for bit in 0..7 {
        output[bit] = seven[bit];
        nine[bit + 2] = nine[bit + 2].xor(seven[bit]);
    }
    output[7..].copy_from_slice(&nine);
    output
}

/// The words of a key, K1 to K8, and those derived from them, K'1 to K'8.
struct Schedule<W> {
    key: [Half<W>; 8],
    derived: [Half<W>; 8],
}

impl<W: Word> Schedule<W> {
    #[inline(always)]
    fn new(planes: &[Planes<W>; 2]) -> Self {
        let mut key = [[W::splat(0); 16]; 8];
        for plane in 0..128 {
            key[plane / 16][plane % 16] = planes[plane / 64][plane % 64];
        }
        let mut derived = key;
        for word in 0..8 {
            derived[word] = fi(&key[word], &key[(word + 1) & 7]);
        }
        Self { key, derived }
    }

    /// The inverse of FL number `k`, 0 to 9.
    #[inline(always)]
    fn fl_inverse(&self, halves: &mut [Half<W>; 2], k: usize) {
        let i = k >> 1;
        let (and, or) = if k & 1 == 0 {
            (&self.key[i & 7], &self.derived[(i + 6) & 7])
        } else {
            (&self.derived[(i + 2) & 7], &self.key[(i + 4) & 7])
        };
        for bit in 0..16 {
            let (high, low) = (halves[0][bit], halves[1][bit]);
            let high = high.xor(low.or(or[bit]));
            halves[0][bit] = high;
            halves[1][bit] = low.xor(high.and(and[bit]));
        }
    }

    /// Adds FO of round `k` of `input` to `to`. FI stands in a loop so that its code is there once.
    #[inline(always)]
    fn add_fo(&self, to: &mut [Half<W>; 2], input: &[Half<W>; 2], k: usize) {
        const KEYS: [usize; 3] = [0, 2, 7];
        const DERIVED: [usize; 3] = [5, 1, 3];
        let [mut high, mut low] = *input;
        for step in 0..3 {
            let key = &self.key[(k + KEYS[step]) & 7];
            for bit in 0..16 {
                high[bit] = high[bit].xor(key[bit]);
            }
            let mut next = fi(&high, &self.derived[(k + DERIVED[step]) & 7]);
            for bit in 0..16 {
                next[bit] = next[bit].xor(low[bit]);
            }
            (high, low) = (low, next);
        }
        let key = &self.key[(k + 4) & 7];
        for bit in 0..16 {
            to[0][bit] = to[0][bit].xor3(high[bit], key[bit]);
            to[1][bit] = to[1][bit].xor(low[bit]);
        }
    }
}

// ------------------------------------------------------------------------------------ decryption

/// Decrypts the block of each lane under the key of that lane, its first and its last 64 planes.
#[inline(always)]
pub(crate) fn decrypt<W: Word>(key: &[Planes<W>; 2], block: &Planes<W>, out: &mut Planes<W>) {
    W::call(Rounds { key, block, out });
}

struct Rounds<'a, W> {
    key: &'a [Planes<W>; 2],
    block: &'a Planes<W>,
    out: &'a mut Planes<W>,
}

impl<W: Word> Kernel<W> for Rounds<'_, W> {
    #[inline(always)]
    fn run(self) {
        let schedule = Schedule::new(self.key);
        let zero = [W::splat(0); 16];
        let (mut left, mut right) = ([zero; 2], [zero; 2]);
        for bit in 0..16 {
            right[0][bit] = self.block[bit];
            right[1][bit] = self.block[bit + 16];
            left[0][bit] = self.block[bit + 32];
            left[1][bit] = self.block[bit + 48];
        }
        schedule.fl_inverse(&mut left, 8);
        schedule.fl_inverse(&mut right, 9);
        for round in (0..8).rev() {
            schedule.add_fo(&mut left, &right, round);
            (left, right) = (right, left);
            if round & 1 == 0 {
                schedule.fl_inverse(&mut left, round);
                schedule.fl_inverse(&mut right, round | 1);
            }
        }
        for bit in 0..16 {
            self.out[bit] = left[0][bit];
            self.out[bit + 16] = left[1][bit];
            self.out[bit + 32] = right[0][bit];
            self.out[bit + 48] = right[1][bit];
        }
    }
}

// ----------------------------------------------------------------------------------------- tests

#[cfg(test)]
mod tests {
    use sts_core::cipher::misty1::{Misty1, S7, S9};

    use super::*;
    use crate::lanes::{Lanes, Work};

    /// What a circuit makes of every input, 64 at a time.
    fn outputs<const N: usize>(circuit: fn([u64; N]) -> [u64; N]) -> Vec<usize> {
        (0..1_usize << N)
            .map(|input| {
                let planes = core::array::from_fn(|i| (input >> (N - 1 - i) & 1) as u64);
                circuit(planes).iter().fold(0, |value, plane| value << 1 | (plane & 1) as usize)
            })
            .collect()
    }

    #[test]
    fn circuits_of_every_input_give_the_tables() {
        assert!(outputs(s7::<u64>).into_iter().eq(S7.map(usize::from)));
        assert!(outputs(s9::<u64>).into_iter().eq(S9.map(usize::from)));
    }

    /// Decrypts one block under one key in each lane: keys high half, low half, and blocks.
    struct Decrypt<'a>(&'a [[u64; 3]], &'a mut Vec<u64>);

    impl Work for Decrypt<'_> {
        type Output = ();

        #[inline(always)]
        fn run<W: Word>(self) {
            for rows in self.0.chunks(W::LANES) {
                let plane = |of: usize, bit: usize| {
                    let mut words = vec![0; W::WORDS];
                    for (lane, row) in rows.iter().enumerate() {
                        words[lane / 64] |= (row[of] >> (63 - bit) & 1) << (lane % 64);
                    }
                    W::load(&words)
                };
                let all = [0, 1, 2].map(|of| core::array::from_fn(|bit| plane(of, bit)));
                let [high, low, block]: [Planes<W>; 3] = all;
                let mut plain = block;
                decrypt(&[high, low], &block, &mut plain);
                for lane in 0..rows.len() {
                    let mut block = 0;
                    for plane in plain {
                        let mut words = vec![0; W::WORDS];
                        plane.store(&mut words);
                        block = block << 1 | words[lane / 64] >> (lane % 64) & 1;
                    }
                    self.1.push(block);
                }
            }
        }
    }

    fn decrypted(lanes: Lanes, rows: &[[u64; 3]]) -> Vec<u64> {
        let mut blocks = Vec::new();
        lanes.run(Decrypt(rows, &mut blocks));
        blocks
    }

    #[test]
    fn decrypt_of_the_rfcs_blocks_is_as_printed() {
        let key = [0x0011_2233_4455_6677, 0x8899_aabb_ccdd_eeff];
        let rows =
            [0x8b1d_a5f5_6ab3_d07c, 0x04b6_8240_b13b_e95d].map(|block| [key[0], key[1], block]);
        for lanes in Lanes::ALL.into_iter().filter(|lanes| lanes.is_available()) {
            let plain = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
            assert_eq!(decrypted(lanes, &rows), plain, "{lanes}");
        }
    }

    #[test]
    fn decrypt_under_a_key_in_each_lane_is_that_of_the_core() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state ^ state >> 31
        };
        let rows: Vec<_> = (0..1_000).map(|_| [random(), random(), random()]).collect();
        let expected: Vec<_> = rows
            .iter()
            .map(|&[high, low, block]| {
                let key = u128::from(high) << 64 | u128::from(low);
                Misty1::new(&key.to_be_bytes()).decrypt(block)
            })
            .collect();
        for lanes in Lanes::ALL.into_iter().filter(|lanes| lanes.is_available()) {
            assert_eq!(decrypted(lanes, &rows), expected, "{lanes}");
        }
    }
}
