//! Words of many lanes: bit `i` of a word belongs to candidate `i`.
//!
//! Everything above is written once, for any [`Word`]. Three kinds exist: 64 lanes in a machine
//! word (everywhere), 256 with AVX2, 512 with AVX-512. Which one works is decided at run time, in
//! [`Lanes::run`].
//!
//! # Safety
//!
//! Unsafe code is in this file and in that of SHA-256. The vector words compile to instructions that not
//! every machine has. They cannot be named outside this file, so that only [`Lanes::run`] brings
//! them in, and it asks the machine first.
//!
//! A function with vector words in it must be `#[inline(always)]` all the way up to an entry with
//! `#[target_feature]` below: closures and iterators over words would be compiled without the
//! feature, and every operation would become a call.

#![allow(unsafe_code, reason = "vector instructions")]

use core::fmt;

/// How many candidates go through at once, and by which instructions.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Lanes {
    /// 64, in a machine word: everywhere.
    Portable,
    /// 256, with AVX2.
    Avx2,
    /// 512, with AVX-512.
    Avx512,
}

impl Lanes {
    /// All of them, from narrow to wide, whether this machine has them or not.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The widest that this machine has.
    #[must_use]
    pub fn detect() -> Self {
        Self::ALL.into_iter().rev().find(|lanes| lanes.is_available()).unwrap_or(Self::Portable)
    }

    /// Whether this machine has the instructions.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => std::arch::is_x86_feature_detected!("avx512f"),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// How many lanes.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Portable => 64,
            Self::Avx2 => 256,
            Self::Avx512 => 512,
        }
    }

    /// What to call it: `portable`, `avx2`, `avx512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Does the work with words of this width; with portable ones where the machine lacks them.
    pub(crate) fn run<K: Work>(self, work: K) -> K::Output {
        match self {
            // SAFETY: the machine has AVX2.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 if self.is_available() => unsafe { x86::enter_avx2(work) },
            // SAFETY: the machine has AVX-512F.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 if self.is_available() => unsafe { x86::enter_avx512(work) },
            _ => work.run::<u64>(),
        }
    }
}

impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Work written for any width. `run` must be `#[inline(always)]`.
pub(crate) trait Work {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<W: Word>(self) -> Self::Output;
}

/// A piece of work on words of one width that is large enough for a function of its own; see
/// [`Word::call`]. `run` must be `#[inline(always)]`.
pub(crate) trait Kernel<W: Word> {
    /// Does it.
    fn run(self);
}

/// As many bits as there are lanes.
///
/// `u64` words of it are numbered; lane `64 * n + i` is bit `i` of word `n`.
pub(crate) trait Word: Copy {
    /// How many `u64` words it has.
    const WORDS: usize;
    /// How many lanes it has.
    const LANES: usize = 64 * Self::WORDS;
    /// Whether [`lut`](Self::lut) is one instruction, so that circuits of such gates are better.
    const THREE_INPUTS: bool = false;

    /// The same 64 bits in every word: 0 or all ones for a constant plane.
    fn splat(bits: u64) -> Self;
    /// From its words, `WORDS` of them.
    fn load(words: &[u64]) -> Self;
    /// To its words, `WORDS` of them.
    fn store(self, words: &mut [u64]);

    /// `self & other`.
    fn and(self, other: Self) -> Self;
    /// `self & !other`.
    fn and_not(self, other: Self) -> Self;
    /// `self | other`.
    fn or(self, other: Self) -> Self;
    /// `self ^ other`.
    fn xor(self, other: Self) -> Self;
    /// `!self`.
    fn not(self) -> Self;

    /// `self ^ b ^ c`: one instruction where there is one.
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }
    /// `a` where `self` is set, else `b`.
    #[inline(always)]
    fn choose(self, a: Self, b: Self) -> Self {
        a.xor(b).and(self).xor(b)
    }
    /// The gate with this truth table: bit `4a + 2b + c` of `TABLE`.
    #[inline(always)]
    fn lut<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
        let (zero, one) = (constant::<Self>(TABLE, 0), constant::<Self>(TABLE, 1));
        let (two, three) = (constant::<Self>(TABLE, 2), constant::<Self>(TABLE, 3));
        let (four, five) = (constant::<Self>(TABLE, 4), constant::<Self>(TABLE, 5));
        let (six, seven) = (constant::<Self>(TABLE, 6), constant::<Self>(TABLE, 7));
        let set = b.choose(c.choose(seven, six), c.choose(five, four));
        a.choose(set, b.choose(c.choose(three, two), c.choose(one, zero)))
    }
    /// Each 64-bit word shifted left.
    fn shift_left<const N: u32>(self) -> Self;
    /// Each 64-bit word shifted right.
    fn shift_right<const N: u32>(self) -> Self;

    /// Runs a kernel as a function of its own with this word's instructions: code that is used
    /// more than once stays once in the instruction cache.
    fn call<K: Kernel<Self>>(kernel: K);
}

/// A constant plane from one bit of a truth table.
#[inline(always)]
fn constant<W: Word>(table: i32, row: u32) -> W {
    W::splat(if table >> row & 1 == 1 { u64::MAX } else { 0 })
}

impl Word for u64 {
    const WORDS: usize = 1;

    #[inline(always)]
    fn splat(bits: u64) -> Self {
        bits
    }

    #[inline(always)]
    fn load(words: &[u64]) -> Self {
        words[0]
    }

    #[inline(always)]
    fn store(self, words: &mut [u64]) {
        words[0] = self;
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self & !other
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn not(self) -> Self {
        !self
    }

    #[inline(always)]
    fn shift_left<const N: u32>(self) -> Self {
        self << N
    }

    #[inline(always)]
    fn shift_right<const N: u32>(self) -> Self {
        self >> N
    }

    #[inline(never)]
    fn call<K: Kernel<Self>>(kernel: K) {
        kernel.run();
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{
        __m256i, __m512i, _mm_cvtsi64_si128, _mm256_and_si256, _mm256_andnot_si256,
        _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi64x, _mm256_sll_epi64,
        _mm256_srl_epi64, _mm256_storeu_si256, _mm256_xor_si256, _mm512_and_si512,
        _mm512_andnot_si512, _mm512_loadu_si512, _mm512_or_si512, _mm512_set1_epi64,
        _mm512_slli_epi64, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_ternarylogic_epi64,
        _mm512_xor_si512,
    };

    use super::{Kernel, Word, Work};

    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub(super) struct Avx2(__m256i);

    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub(super) struct Avx512(__m512i);

    /// The machine must have AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) fn enter_avx2<K: Work>(work: K) -> K::Output {
        work.run::<Avx2>()
    }

    /// The machine must have AVX-512F.
    #[target_feature(enable = "avx512f")]
    pub(super) fn enter_avx512<K: Work>(work: K) -> K::Output {
        work.run::<Avx512>()
    }

    #[target_feature(enable = "avx2")]
    #[inline(never)]
    fn call_avx2<K: Kernel<Avx2>>(kernel: K) {
        kernel.run();
    }

    #[target_feature(enable = "avx512f")]
    #[inline(never)]
    fn call_avx512<K: Kernel<Avx512>>(kernel: K) {
        kernel.run();
    }

    /// What the machine is known to have, since the word's type is there at all.
    macro_rules! detected {
        ($call:expr) => {{
            // SAFETY: `Lanes::run` alone brings this word in, after it asked the machine.
            unsafe { $call }
        }};
    }

    impl Word for Avx2 {
        const WORDS: usize = 4;

        #[inline(always)]
        fn splat(bits: u64) -> Self {
            Self(detected!(_mm256_set1_epi64x(bits.cast_signed())))
        }

        #[inline(always)]
        fn load(words: &[u64]) -> Self {
            let words = &words[..Self::WORDS];
            // SAFETY: as above; the pointer is to as many bytes as are read, of any alignment.
            Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
        }

        #[inline(always)]
        fn store(self, words: &mut [u64]) {
            let words = &mut words[..Self::WORDS];
            // SAFETY: as above; the pointer is to as many bytes as are written, of any alignment.
            unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        fn and(self, other: Self) -> Self {
            Self(detected!(_mm256_and_si256(self.0, other.0)))
        }

        #[inline(always)]
        fn and_not(self, other: Self) -> Self {
            Self(detected!(_mm256_andnot_si256(other.0, self.0)))
        }

        #[inline(always)]
        fn or(self, other: Self) -> Self {
            Self(detected!(_mm256_or_si256(self.0, other.0)))
        }

        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            Self(detected!(_mm256_xor_si256(self.0, other.0)))
        }

        #[inline(always)]
        fn not(self) -> Self {
            self.xor(Self::splat(u64::MAX))
        }

        #[inline(always)]
        fn shift_left<const N: u32>(self) -> Self {
            Self(detected!(_mm256_sll_epi64(self.0, _mm_cvtsi64_si128(i64::from(N)))))
        }

        #[inline(always)]
        fn shift_right<const N: u32>(self) -> Self {
            Self(detected!(_mm256_srl_epi64(self.0, _mm_cvtsi64_si128(i64::from(N)))))
        }

        #[inline(always)]
        fn call<K: Kernel<Self>>(kernel: K) {
            detected!(call_avx2(kernel));
        }
    }

    impl Word for Avx512 {
        const WORDS: usize = 8;
        const THREE_INPUTS: bool = true;

        #[inline(always)]
        fn splat(bits: u64) -> Self {
            Self(detected!(_mm512_set1_epi64(bits.cast_signed())))
        }

        #[inline(always)]
        fn load(words: &[u64]) -> Self {
            let words = &words[..Self::WORDS];
            // SAFETY: as above; the pointer is to as many bytes as are read, of any alignment.
            Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
        }

        #[inline(always)]
        fn store(self, words: &mut [u64]) {
            let words = &mut words[..Self::WORDS];
            // SAFETY: as above; the pointer is to as many bytes as are written, of any alignment.
            unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        fn and(self, other: Self) -> Self {
            Self(detected!(_mm512_and_si512(self.0, other.0)))
        }

        #[inline(always)]
        fn and_not(self, other: Self) -> Self {
            Self(detected!(_mm512_andnot_si512(other.0, self.0)))
        }

        #[inline(always)]
        fn or(self, other: Self) -> Self {
            Self(detected!(_mm512_or_si512(self.0, other.0)))
        }

        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            Self(detected!(_mm512_xor_si512(self.0, other.0)))
        }

        #[inline(always)]
        fn not(self) -> Self {
            Self::lut::<0x0f>(self, self, self)
        }

        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            Self::lut::<0x96>(self, b, c)
        }

        #[inline(always)]
        fn choose(self, a: Self, b: Self) -> Self {
            Self::lut::<0xca>(self, a, b)
        }

        #[inline(always)]
        fn lut<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
            Self(detected!(_mm512_ternarylogic_epi64::<TABLE>(a.0, b.0, c.0)))
        }

        #[inline(always)]
        fn shift_left<const N: u32>(self) -> Self {
            Self(detected!(_mm512_slli_epi64::<N>(self.0)))
        }

        #[inline(always)]
        fn shift_right<const N: u32>(self) -> Self {
            Self(detected!(_mm512_srli_epi64::<N>(self.0)))
        }

        #[inline(always)]
        fn call<K: Kernel<Self>>(kernel: K) {
            detected!(call_avx512(kernel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on words filled with different bits against the same on `u64`.
    struct Operations;

    impl Work for Operations {
        type Output = ();

        #[inline(always)]
        fn run<W: Word>(self) {
            let mut a = [0; 8];
            let mut b = [0; 8];
            let mut c = [0; 8];
            for at in 0..8 {
                a[at] = 0x0123_4567_89ab_cdef_u64.rotate_left(7 * u32::try_from(at).unwrap());
                b[at] = 0x9e37_79b9_7f4a_7c15_u64.rotate_left(5 * u32::try_from(at).unwrap());
                c[at] = 0xd134_2543_de82_ef95_u64.rotate_left(3 * u32::try_from(at).unwrap());
            }
            let (va, vb, vc) = (W::load(&a), W::load(&b), W::load(&c));
            let mut found = [[0; 8]; 12];
            va.and(vb).store(&mut found[0]);
            va.and_not(vb).store(&mut found[1]);
            va.or(vb).store(&mut found[2]);
            va.xor(vb).store(&mut found[3]);
            va.not().store(&mut found[4]);
            va.xor3(vb, vc).store(&mut found[5]);
            va.choose(vb, vc).store(&mut found[6]);
            va.shift_left::<7>().store(&mut found[7]);
            va.shift_right::<9>().store(&mut found[8]);
            W::splat(42).store(&mut found[9]);
            W::lut::<0x1e>(va, vb, vc).store(&mut found[10]);
            W::lut::<0xca>(va, vb, vc).store(&mut found[11]);
            for at in 0..W::WORDS {
                let (a, b, c) = (a[at], b[at], c[at]);
                let expected = [
                    a & b,
                    a & !b,
                    a | b,
                    a ^ b,
                    !a,
                    a ^ b ^ c,
                    a & b | !a & c,
                    a << 7,
                    a >> 9,
                    42,
                    a ^ (b | c),
                    a & b | !a & c,
                ];
                assert_eq!(found.map(|words| words[at]), expected, "word {at} of {}", W::WORDS);
            }
        }
    }

    #[test]
    fn operations_of_every_width_are_those_of_one_word() {
        for lanes in Lanes::ALL {
            lanes.run(Operations);
        }
    }

    #[test]
    fn detect_is_available_and_nothing_wider_is() {
        let best = Lanes::detect();
        assert!(best.is_available());
        assert!(Lanes::ALL.iter().all(|lanes| *lanes <= best || !lanes.is_available()));
    }
}
