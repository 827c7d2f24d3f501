//! HMAC-SHA-256 of many short messages at once. FIPS 180-4, RFC 2104.
//!
//! What depends on the key alone is kept in an [`HmacKey`]; a message of at most 55 bytes then
//! takes two compressions. [`Engine`] does them one message per 32-bit lane of a vector, two
//! messages in turn through the SHA instructions (one alone waits for their latency), or one by
//! one.
//!
//! # Safety
//!
//! The vectors and the SHA instructions are not on every machine. [`Engine::of`] asks for them, and
//! an [`Engine`] is made nowhere else. What is generic over `Vector` is `#[inline(always)]` up to
//! an entry with `#[target_feature]`, and has no closures over vectors: see [`crate::lanes`].

#![allow(unsafe_code, reason = "the SHA and vector instructions")]

use core::{array, fmt};

use sha2::block_api::compress256;
use zeroize::Zeroize;

use crate::lanes::Lanes;

/// The words a to h between blocks.
type State = [u32; 8];
/// The 16 words of a message block.
pub(crate) type Block = [u32; 16];
/// The first four words of a digest: more is never asked for.
pub(crate) type Digest = [u32; 4];

/// The state before the first block.
const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// One message, one block.
fn compress(mut state: State, block: &Block) -> State {
    let mut bytes = [0; 64];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(block) {
        *bytes = word.to_be_bytes();
    }
    compress256(&mut state, &[bytes]);
    state
}

/// The only block of a message of `N` bytes, at most 55, that comes after a block of key.
pub(crate) fn block_after_key<const N: usize>(message: &[u8; N]) -> Block {
    const { assert!(N <= 55) };
    let mut bytes = [0; 56];
    bytes[..N].copy_from_slice(message);
    bytes[N] = 0x80;
    let mut block = [0; 16];
    for (word, bytes) in block.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    block[15] = const { length_after_key(N) };
    block
}

/// The length in bits that ends a padded message: a block of key and `bytes` bytes.
#[expect(clippy::cast_possible_truncation, reason = "at most 119 bytes")]
const fn length_after_key(bytes: usize) -> u32 {
    (64 + bytes as u32) * 8
}

/// Words 8 to 15 of the outer block of an HMAC, after the inner digest.
const OUTER_PADDING: [u32; 8] = [0x8000_0000, 0, 0, 0, 0, 0, 0, length_after_key(32)];

/// The outer block of an HMAC.
fn outer_block(inner: &State) -> Block {
    let mut block = [0; 16];
    let (digest, padding) = block.split_at_mut(8);
    digest.copy_from_slice(inner);
    padding.copy_from_slice(&OUTER_PADDING);
    block
}

/// A key of HMAC-SHA-256, its own two compressions done.
#[derive(Clone)]
pub(crate) struct HmacKey {
    inner: State,
    outer: State,
}

impl HmacKey {
    /// A key of `N` bytes, at most 64.
    pub(crate) fn new<const N: usize>(key: &[u8; N]) -> Self {
        const { assert!(N <= 64) };
        let padded = |pad| {
            let mut block = [pad; 64];
            for (byte, key) in block.iter_mut().zip(key) {
                *byte ^= key;
            }
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            state
        };
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey { .. }")
    }
}

// ----------------------------------------------------------------------------------------- lanes

/// One message a lane; not only for vectors of machines, but those alone use it.
#[cfg(any(test, target_arch = "x86_64"))]
mod vector {
    use core::ptr;

    use super::{Block, Digest, HmacKey, OUTER_PADDING};

    /// The words added in the rounds.
    #[rustfmt::skip]
    pub(super) const ROUNDS: [u32; 64] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ];

    /// `N` words of 32 bits, one for each message.
    pub(super) trait Vector<const N: usize>: Copy {
        fn splat(word: u32) -> Self;
        fn load(words: &[u32; N]) -> Self;
        fn store(self) -> [u32; N];
        fn add(self, other: Self) -> Self;
        /// `self ^ b ^ c`.
        fn xor3(self, b: Self, c: Self) -> Self;
        /// `LEFT` is 32 less `RIGHT`.
        fn rotate_right<const RIGHT: u32, const LEFT: u32>(self) -> Self;
        fn shift_right<const BITS: u32>(self) -> Self;
        /// `a` where `self` is set, else `b`.
        fn choose(self, a: Self, b: Self) -> Self;
        /// What two of the three are.
        fn majority(self, b: Self, c: Self) -> Self;
    }

    /// Word `i` of each of `N` rows.
    #[inline(always)]
    fn column<L: Vector<N>, const N: usize, const M: usize>(rows: &[&[u32; M]; N], i: usize) -> L {
        let mut words = [0; N];
        for lane in 0..N {
            words[lane] = rows[lane][i];
        }
        L::load(&words)
    }

    /// The HMACs of `N` messages. `keys` and `blocks` go together.
    #[inline(always)]
    pub(super) fn hmac_lanes<const N: usize, L: Vector<N>>(
        keys: &[&HmacKey; N],
        blocks: &[&Block; N],
    ) -> [Digest; N] {
        let one_key = keys.iter().all(|key| ptr::eq(*key, keys[0]));
        let mut block = [L::splat(0); 16];
        for i in 0..16 {
            block[i] = column(blocks, i);
        }
        let mut state = [L::splat(0); 8];
        for outer in [false, true] {
            let states = keys.map(|key| if outer { &key.outer } else { &key.inner });
            let mut before = state;
            for i in 0..8 {
                before[i] = if one_key { L::splat(states[0][i]) } else { column(&states, i) };
            }
            state = compress_lanes(before, block);
            for i in 0..8 {
                block[i] = state[i];
                block[i + 8] = L::splat(OUTER_PADDING[i]);
            }
        }
        let mut digests = [[0; 4]; N];
        for i in 0..4 {
            let words = state[i].store();
            for lane in 0..N {
                digests[lane][i] = words[lane];
            }
        }
        digests
    }

    #[inline(always)]
    fn compress_lanes<const N: usize, L: Vector<N>>(before: [L; 8], mut block: [L; 16]) -> [L; 8] {
        let mut state = before;
        for (at, words) in ROUNDS.as_chunks::<16>().0.iter().enumerate() {
            if at > 0 {
                schedule(&mut block);
            }
            // Written out: the state then stays in registers.
            macro_rules! rounds {
                ($($i:literal)*) => {
                    $(state = round(state, block[$i].add(L::splat(words[$i])));)*
                };
            }
            rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        }
        for i in 0..8 {
            state[i] = state[i].add(before[i]);
        }
        state
    }

    /// The next 16 words of the message schedule, in place.
    #[inline(always)]
    fn schedule<const N: usize, L: Vector<N>>(w: &mut [L; 16]) {
        for i in 0..16 {
            let (early, late) = (w[(i + 1) & 15], w[(i + 14) & 15]);
            let early = early
                .rotate_right::<7, 25>()
                .xor3(early.rotate_right::<18, 14>(), early.shift_right::<3>());
            let late = late
                .rotate_right::<17, 15>()
                .xor3(late.rotate_right::<19, 13>(), late.shift_right::<10>());
            w[i] = w[i].add(early).add(w[(i + 9) & 15].add(late));
        }
    }

    #[inline(always)]
    fn round<const N: usize, L: Vector<N>>([a, b, c, d, e, f, g, h]: [L; 8], word: L) -> [L; 8] {
        let of_e =
            e.rotate_right::<6, 26>().xor3(e.rotate_right::<11, 21>(), e.rotate_right::<25, 7>());
        let of_a =
            a.rotate_right::<2, 30>().xor3(a.rotate_right::<13, 19>(), a.rotate_right::<22, 10>());
        let sum = h.add(word).add(e.choose(f, g)).add(of_e);
        [sum.add(of_a.add(a.majority(b, c))), a, b, c, d.add(sum), e, f, g]
    }
}

// ------------------------------------------------------------------------------------------- x86

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![expect(
        clippy::inline_always,
        reason = "a method that is not inlined has not the features of its caller"
    )]
    use core::arch::x86_64::{
        __m128i, __m256i, __m512i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16,
        _mm_cvtsi32_si128, _mm_loadu_si128, _mm_setzero_si128, _mm_sha256msg1_epu32,
        _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32, _mm_storeu_si128,
        _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi32,
        _mm256_sll_epi32, _mm256_srl_epi32, _mm256_storeu_si256, _mm256_xor_si256,
        _mm512_add_epi32, _mm512_loadu_si512, _mm512_rorv_epi32, _mm512_set1_epi32,
        _mm512_srli_epi32, _mm512_storeu_si512, _mm512_ternarylogic_epi32,
    };

    use super::vector::{ROUNDS, Vector, hmac_lanes};
    use super::{Block, Digest, HmacKey, State, outer_block};

    /// # Safety
    ///
    /// Its methods may run only on a machine with AVX2.
    #[derive(Clone, Copy)]
    struct Avx2(__m256i);

    // SAFETY of the methods: only `hmac_avx2` uses them, and its callers know of AVX2.
    impl Vector<8> for Avx2 {
        #[inline(always)]
        fn splat(word: u32) -> Self {
            unsafe { Self(_mm256_set1_epi32(word.cast_signed())) }
        }
        #[inline(always)]
        fn load(words: &[u32; 8]) -> Self {
            unsafe { Self(_mm256_loadu_si256(words.as_ptr().cast())) }
        }
        #[inline(always)]
        fn store(self) -> [u32; 8] {
            let mut words = [0; 8];
            unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) };
            words
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            unsafe { Self(_mm256_add_epi32(self.0, other.0)) }
        }
        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            unsafe { Self(_mm256_xor_si256(_mm256_xor_si256(self.0, b.0), c.0)) }
        }
        #[inline(always)]
        fn rotate_right<const RIGHT: u32, const LEFT: u32>(self) -> Self {
            unsafe {
                let left = _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(LEFT.cast_signed()));
                Self(_mm256_or_si256(self.shift_right::<RIGHT>().0, left))
            }
        }
        #[inline(always)]
        fn shift_right<const BITS: u32>(self) -> Self {
            // The compiler folds the count into the instruction.
            unsafe { Self(_mm256_srl_epi32(self.0, _mm_cvtsi32_si128(BITS.cast_signed()))) }
        }
        #[inline(always)]
        fn choose(self, a: Self, b: Self) -> Self {
            unsafe {
                let differ = _mm256_xor_si256(a.0, b.0);
                Self(_mm256_xor_si256(_mm256_and_si256(self.0, differ), b.0))
            }
        }
        #[inline(always)]
        fn majority(self, b: Self, c: Self) -> Self {
            unsafe {
                // `self ^ b` is `b ^ c` of the next round: computed once.
                let (ab, bc) = (_mm256_xor_si256(self.0, b.0), _mm256_xor_si256(b.0, c.0));
                Self(_mm256_xor_si256(_mm256_and_si256(ab, bc), b.0))
            }
        }
    }

    /// # Safety
    ///
    /// Its methods may run only on a machine with AVX-512 F.
    #[derive(Clone, Copy)]
    struct Avx512(__m512i);

    // SAFETY of the methods: only `hmac_avx512` uses them, and its callers know of AVX-512.
    impl Vector<16> for Avx512 {
        #[inline(always)]
        fn splat(word: u32) -> Self {
            unsafe { Self(_mm512_set1_epi32(word.cast_signed())) }
        }
        #[inline(always)]
        fn load(words: &[u32; 16]) -> Self {
            unsafe { Self(_mm512_loadu_si512(words.as_ptr().cast())) }
        }
        #[inline(always)]
        fn store(self) -> [u32; 16] {
            let mut words = [0; 16];
            unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) };
            words
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            unsafe { Self(_mm512_add_epi32(self.0, other.0)) }
        }
        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            unsafe { Self(_mm512_ternarylogic_epi32::<0x96>(self.0, b.0, c.0)) }
        }
        #[inline(always)]
        fn rotate_right<const RIGHT: u32, const LEFT: u32>(self) -> Self {
            // The compiler folds the count into the instruction.
            let count = RIGHT.cast_signed();
            unsafe { Self(_mm512_rorv_epi32(self.0, _mm512_set1_epi32(count))) }
        }
        #[inline(always)]
        fn shift_right<const BITS: u32>(self) -> Self {
            unsafe { Self(_mm512_srli_epi32::<BITS>(self.0)) }
        }
        #[inline(always)]
        fn choose(self, a: Self, b: Self) -> Self {
            unsafe { Self(_mm512_ternarylogic_epi32::<0xca>(self.0, a.0, b.0)) }
        }
        #[inline(always)]
        fn majority(self, b: Self, c: Self) -> Self {
            unsafe { Self(_mm512_ternarylogic_epi32::<0xe8>(self.0, b.0, c.0)) }
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn hmac_avx2(keys: &[&HmacKey; 8], blocks: &[&Block; 8]) -> [Digest; 8] {
        hmac_lanes::<8, Avx2>(keys, blocks)
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn hmac_avx512(keys: &[&HmacKey; 16], blocks: &[&Block; 16]) -> [Digest; 16] {
        hmac_lanes::<16, Avx512>(keys, blocks)
    }

    /// Two messages in turn.
    #[target_feature(enable = "sha,sse4.1")]
    pub(super) fn hmac_sha(keys: &[&HmacKey; 2], blocks: &[&Block; 2]) -> [Digest; 2] {
        let inner = compress_two(keys.map(|key| &key.inner), *blocks);
        let blocks = inner.each_ref().map(outer_block);
        let outer = compress_two(keys.map(|key| &key.outer), blocks.each_ref());
        outer.map(|[a, b, c, d, ..]| [a, b, c, d])
    }

    #[target_feature(enable = "sse4.1")]
    fn load(words: &[u32]) -> [__m128i; 4] {
        let mut vectors = [_mm_setzero_si128(); 4];
        for (vector, words) in vectors.iter_mut().zip(words.as_chunks::<4>().0) {
            // SAFETY: four words are read, and no alignment asked for.
            *vector = unsafe { _mm_loadu_si128(words.as_ptr().cast()) };
        }
        vectors
    }

    /// One block of each of two messages.
    #[target_feature(enable = "sha,sse4.1")]
    fn compress_two(before: [&State; 2], blocks: [&Block; 2]) -> [State; 2] {
        let mut w = blocks.map(|block| load(block));
        let before = before.map(|state| {
            let [dcba, hgfe, ..] = load(state);
            let cdab = _mm_shuffle_epi32::<0xb1>(dcba);
            let efgh = _mm_shuffle_epi32::<0x1b>(hgfe);
            [_mm_alignr_epi8::<8>(cdab, efgh), _mm_blend_epi16::<0xf0>(efgh, cdab)]
        });
        let mut states = before;
        // Written out: the words then stay in registers.
        macro_rules! four_rounds {
            ($($step:literal)*) => {
                $({
                    let words = load(&ROUNDS[4 * $step..4 * $step + 4])[0];
                    for ([abef, cdgh], w) in states.iter_mut().zip(&mut w) {
                        let [w0, w1, w2, w3] = [0, 1, 2, 3].map(|i| w[($step + i) & 3]);
                        let mut now = w0;
                        if $step > 3 {
                            let sum = _mm_sha256msg1_epu32(w0, w1);
                            let sum = _mm_add_epi32(sum, _mm_alignr_epi8::<4>(w3, w2));
                            now = _mm_sha256msg2_epu32(sum, w3);
                            w[$step & 3] = now;
                        }
                        let now = _mm_add_epi32(now, words);
                        *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, now);
                        let now = _mm_shuffle_epi32::<0x0e>(now);
                        *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, now);
                    }
                })*
            };
        }
        four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        let mut after = [[0; 8]; 2];
        for (after, (state, before)) in after.iter_mut().zip(states.into_iter().zip(before)) {
            let abef = _mm_add_epi32(state[0], before[0]);
            let cdgh = _mm_add_epi32(state[1], before[1]);
            let feba = _mm_shuffle_epi32::<0x1b>(abef);
            let dchg = _mm_shuffle_epi32::<0xb1>(cdgh);
            let (low, high) = after.split_at_mut(4);
            // SAFETY: four words are written to each half, and no alignment asked for.
            unsafe {
                _mm_storeu_si128(low.as_mut_ptr().cast(), _mm_blend_epi16::<0xf0>(feba, dchg));
                _mm_storeu_si128(high.as_mut_ptr().cast(), _mm_alignr_epi8::<8>(dchg, feba));
            }
        }
        after
    }
}

// ---------------------------------------------------------------------------------------- engine

/// Which instructions do the work. A value is proof that the machine has them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Engine(Kind);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// 16 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// The SHA instructions.
    #[cfg(target_arch = "x86_64")]
    Sha,
    /// 8 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Engine {
    /// The fastest that goes with these lanes; none that the machine lacks.
    pub(crate) fn of(lanes: Lanes) -> Self {
        let kind = match lanes {
            #[cfg(target_arch = "x86_64")]
            Lanes::Avx512 if is_x86_feature_detected!("avx512f") => Kind::Avx512,
            #[cfg(target_arch = "x86_64")]
            Lanes::Avx2 | Lanes::Avx512 => Self::without_avx512(),
            _ => Kind::Portable,
        };
        Self(kind)
    }

    #[cfg(target_arch = "x86_64")]
    fn without_avx512() -> Kind {
        if is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") {
            Kind::Sha
        } else if is_x86_feature_detected!("avx2") {
            Kind::Avx2
        } else {
            Kind::Portable
        }
    }

    /// The first words of the HMAC of each message: `digests`, `keys` and `blocks` go together,
    /// and the shortest of them counts.
    pub(crate) fn hmac(self, keys: &[&HmacKey], blocks: &[Block], digests: &mut [Digest]) {
        match self.0 {
            // SAFETY: an engine is made only where the machine has its instructions.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => in_groups(keys, blocks, digests, |keys, blocks| unsafe {
                x86::hmac_avx512(keys, blocks)
            }),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Sha => in_groups(keys, blocks, digests, |keys, blocks| unsafe {
                x86::hmac_sha(keys, blocks)
            }),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => in_groups(keys, blocks, digests, |keys, blocks| unsafe {
                x86::hmac_avx2(keys, blocks)
            }),
            Kind::Portable => in_groups(keys, blocks, digests, |[key], [block]| {
                let inner = compress(key.inner, block);
                let [a, b, c, d, ..] = compress(key.outer, &outer_block(&inner));
                [[a, b, c, d]]
            }),
        }
    }
}

/// Calls `hmac` with `N` at a time; the last group is filled with its last message.
#[inline(always)]
fn in_groups<const N: usize>(
    keys: &[&HmacKey],
    blocks: &[Block],
    digests: &mut [Digest],
    hmac: impl Fn(&[&HmacKey; N], &[&Block; N]) -> [Digest; N],
) {
    let groups = keys.chunks(N).zip(blocks.chunks(N)).zip(digests.chunks_mut(N));
    for ((keys, blocks), digests) in groups {
        let last = keys.len().min(blocks.len()).min(digests.len()) - 1;
        let keys: [&HmacKey; N] = array::from_fn(|i| keys[i.min(last)]);
        let blocks: [&Block; N] = array::from_fn(|i| &blocks[i.min(last)]);
        for (to, from) in digests.iter_mut().zip(hmac(&keys, &blocks)) {
            *to = from;
        }
    }
}

// ----------------------------------------------------------------------------------------- tests

#[cfg(test)]
mod tests {
    use super::vector::{Vector, hmac_lanes};
    use super::*;

    /// Plain words in the place of a vector: how the lanes are used, whatever the machine has.
    impl<const N: usize> Vector<N> for [u32; N] {
        fn splat(word: u32) -> Self {
            [word; N]
        }
        fn load(words: &[u32; N]) -> Self {
            *words
        }
        fn store(self) -> [u32; N] {
            self
        }
        fn add(self, other: Self) -> Self {
            array::from_fn(|i| self[i].wrapping_add(other[i]))
        }
        fn xor3(self, b: Self, c: Self) -> Self {
            array::from_fn(|i| self[i] ^ b[i] ^ c[i])
        }
        fn rotate_right<const RIGHT: u32, const LEFT: u32>(self) -> Self {
            const { assert!(RIGHT + LEFT == 32) };
            self.map(|word| word.rotate_right(RIGHT))
        }
        fn shift_right<const BITS: u32>(self) -> Self {
            self.map(|word| word >> BITS)
        }
        fn choose(self, a: Self, b: Self) -> Self {
            array::from_fn(|i| self[i] & a[i] | !self[i] & b[i])
        }
        fn majority(self, b: Self, c: Self) -> Self {
            array::from_fn(|i| self[i] & b[i] | self[i] & c[i] | b[i] & c[i])
        }
    }

    /// Every one that works on this machine.
    fn engines() -> impl Iterator<Item = Engine> {
        #[cfg(target_arch = "x86_64")]
        let vectors = [
            (Kind::Avx512, is_x86_feature_detected!("avx512f")),
            (Kind::Sha, is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1")),
            (Kind::Avx2, is_x86_feature_detected!("avx2")),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let vectors: [(Kind, bool); 0] = [];
        let works = vectors.into_iter().filter_map(|(kind, works)| works.then_some(kind));
        works.chain([Kind::Portable]).map(Engine)
    }

    /// RFC 4231, case 2: a short key, and a message of one block.
    #[test]
    fn hmac_of_the_rfcs_case_is_as_printed_for_every_engine() {
        let key = HmacKey::new(b"Jefe");
        let block = block_after_key(b"what do ya want for nothing?");
        for engine in engines() {
            let mut digests = [[0; 4]; 21];
            engine.hmac(&[&key; 21], &[block; 21], &mut digests);
            let printed = [0x5bdc_c146, 0xbf60_754e, 0x6a04_2426, 0x0895_75c7];
            assert_eq!(digests, [printed; 21], "{engine:?}");
        }
    }

    fn messages() -> (Vec<HmacKey>, Vec<Block>) {
        let keys = (0..37).map(|i| HmacKey::new(&[i / 5; 20])).collect();
        let block = |i: u8| {
            let mut message = [0; 49];
            for (byte, at) in message.iter_mut().zip(0..) {
                *byte = i ^ at << 1;
            }
            block_after_key(&message)
        };
        (keys, (0..37).map(block).collect())
    }

    #[test]
    fn hmac_of_any_number_of_messages_is_the_same_for_every_engine() {
        let (keys, blocks) = messages();
        let keys: Vec<_> = keys.iter().collect();
        let mut expected = vec![[0; 4]; 37];
        Engine(Kind::Portable).hmac(&keys, &blocks, &mut expected);
        for engine in engines() {
            for count in 0..=37 {
                let mut digests = vec![[0; 4]; count];
                engine.hmac(&keys, &blocks, &mut digests);
                assert_eq!(digests, expected[..count], "{engine:?}");
            }
        }
    }

    #[test]
    fn hmac_in_lanes_of_plain_words_is_that_of_the_portable_engine() {
        let (keys, blocks) = messages();
        let keys: Vec<_> = keys.iter().collect();
        let mut expected = vec![[0; 4]; 37];
        Engine(Kind::Portable).hmac(&keys, &blocks, &mut expected);
        let mut digests = vec![[0; 4]; 37];
        in_groups(&keys, &blocks, &mut digests, hmac_lanes::<16, [u32; 16]>);
        assert_eq!(digests, expected);
        in_groups(&[keys[0]; 37], &blocks, &mut digests, hmac_lanes::<16, [u32; 16]>);
        Engine(Kind::Portable).hmac(&[keys[0]; 37], &blocks, &mut expected);
        assert_eq!(digests, expected);
    }

    #[test]
    fn engine_of_any_lanes_works_on_this_machine() {
        for lanes in Lanes::ALL {
            let engine = Engine::of(lanes);
            assert!(engines().any(|works| works == engine), "{engine:?}");
        }
    }

    #[test]
    fn debug_of_a_key_shows_none_of_it() {
        assert_eq!(format!("{:?}", HmacKey::new(&[0x11; 20])), "HmacKey { .. }");
    }
}
