//! One token, many candidate keys.

use core::fmt;

use zeroize::Zeroize;

use crate::flags::spread_to_nibbles;
use crate::lanes::{Lanes, Word, Work};
use crate::{Batch, Cipher, Planes, crc, dea, splat, transpose};

/// A token to be opened: its class and its encrypted block.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a token has no more")]
pub struct Question {
    /// 0 to 3; higher bits are ignored. Nothing of class 3 authenticates.
    pub class_bits: u8,
    /// As it stands in the token.
    pub block: u64,
}

/// Candidates that differ in the tariff index alone.
#[derive(Clone, Copy, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "all that DKGA02 takes")]
pub struct Group {
    /// The vending key, most significant byte first.
    pub vending: u64,
    /// `PANBlock` xor `CONTROLBlock` for tariff index 00.
    pub block: u64,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("block", &self.block).finish_non_exhaustive()
    }
}

/// A candidate under which the token authenticates: rightly, or by the chance of 1 in 65 536.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "which one, and what comes out")]
pub struct Hit {
    /// Which candidate, from 0; for groups see [`tariff`](Self::tariff).
    pub index: usize,
    /// The block decrypted.
    pub plain: u64,
}

impl Hit {
    /// The group and the tariff index of a candidate of groups: 100 candidates each.
    #[must_use]
    pub const fn tariff(&self) -> (usize, u8) {
        #[expect(clippy::cast_possible_truncation, reason = "below 100")]
        (self.index / TARIFFS, (self.index % TARIFFS) as u8)
    }
}

/// How many tariff indices there are.
pub(crate) const TARIFFS: usize = 100;

/// The lowest bit of the tariff index, two BCD digits, in the block.
const TARIFF_BIT: usize = 28;

/// Bit `k` of the tariff index of lane `i`, for `i` from 0 on, over and over.
static STREAM: [[u64; 11]; 8] = {
    let mut stream = [[0; 11]; 8];
    let mut at = 0;
    while at < 704 {
        let ti = at % TARIFFS;
        let digits = ((ti / 10) << 4) | (ti % 10);
        let mut bit = 0;
        while bit < 8 {
            stream[bit][at / 64] |= ((digits >> bit & 1) as u64) << (at % 64);
            bit += 1;
        }
        at += 1;
    }
    stream
};

/// Lanes from `from` to below `to`.
#[inline(always)]
fn between<W: Word>(from: usize, to: usize) -> W {
    let mut words = [0; 8];
    for at in 0..W::WORDS {
        let below = |end: usize| match end.saturating_sub(64 * at) {
            bits @ 0..64 => (1_u64 << bits) - 1,
            _ => u64::MAX,
        };
        words[at] = below(to) & !below(from);
    }
    W::load(&words)
}

/// Planes of values that are constant in each group: up to four groups choose one of sixteen sets
/// of lanes.
#[inline(always)]
fn fill<W: Word>(values: [u64; 4], sets: &[W; 16], planes: &mut Planes<W>) {
    for quarter in 0..4 {
        let shift = 48 - 16 * quarter;
        let mut nibbles = 0;
        for at in 0..4 {
            nibbles |= spread_to_nibbles(values[at] >> shift) << at;
        }
        for at in 0..16 {
            let place = 16 * quarter + at;
            let set = sets[(nibbles >> (60 - 4 * at) & 15) as usize];
            planes[place] = planes[place].or(set);
        }
    }
}

/// Candidates `base` and following, straight in planes. Lane `i` is candidate `base + i`.
#[inline(always)]
fn enumerate<W: Word>(
    groups: &[Group],
    base: usize,
    vending: &mut Planes<W>,
    block: &mut Planes<W>,
) {
    *vending = [W::splat(0); 64];
    *block = [W::splat(0); 64];
    let mut first = base / TARIFFS;
    while first < groups.len() && first * TARIFFS < base + W::LANES {
        let (mut keys, mut blocks) = ([0; 4], [0; 4]);
        let mut sets = [W::splat(0); 16];
        for at in 0..4 {
            let Some(group) = groups.get(first + at) else { break };
            keys[at] = group.vending;
            blocks[at] = group.block;
            let start = (first + at) * TARIFFS;
            let lanes =
                between::<W>(start.saturating_sub(base), (start + TARIFFS).saturating_sub(base));
            let one = 1 << at;
            for set in 0..one {
                sets[one + set] = sets[set].or(lanes);
            }
        }
        fill(keys, &sets, vending);
        fill(blocks, &sets, block);
        first += 4;
    }
    let offset = base % TARIFFS;
    for bit in 0..8 {
        let mut words = [0; 8];
        for at in 0..W::WORDS {
            let from = offset + 64 * at;
            let (word, shift) = (from / 64, from % 64);
            let both = u128::from(STREAM[bit][word + 1]) << 64 | u128::from(STREAM[bit][word]);
            #[expect(clippy::cast_possible_truncation, reason = "the low word")]
            let low = (both >> shift) as u64;
            words[at] = low;
        }
        let place = 63 - TARIFF_BIT - bit;
        block[place] = block[place].xor(W::load(&words));
    }
}

/// What one token asks of every batch of keys.
pub(crate) struct Opening<W> {
    class: [W; 2],
    pub(crate) block: Planes<W>,
}

impl<W: Word> Opening<W> {
    #[inline(always)]
    pub(crate) fn new(question: &Question) -> Self {
        let bit = |bit: u8| 0_u64.wrapping_sub(u64::from(question.class_bits >> bit & 1));
        let class = [W::splat(bit(1)), W::splat(bit(0))];
        Self { class, block: splat(question.block) }
    }

    /// Opens under a batch of keys.
    #[inline(always)]
    pub(crate) fn open(&self, cipher: Cipher, key: &Planes<W>, lie: Lie, hits: &mut Vec<Hit>) {
        let mut plain = [W::splat(0); 64];
        cipher.decrypt(key, &self.block, &mut plain);
        self.check(&plain, lie, hits);
    }

    /// The hits among a batch of decrypted blocks.
    #[inline(always)]
    pub(crate) fn check(&self, plain: &Planes<W>, lie: Lie, hits: &mut Vec<Hit>) {
        let mut mask = [0; 8];
        crc::holds(self.class, plain).store(&mut mask);
        if mask == [0; 8] {
            return;
        }
        let mut words = [[0; 8]; 64];
        for at in 0..64 {
            plain[at].store(&mut words[at]);
        }
        collect(&mask, &words, W::WORDS, lie, hits);
    }
}

/// The hits of a batch, in the order of their candidates.
#[cold]
fn collect(
    mask: &[u64; 8],
    words: &[[u64; 8]; 64],
    count_words: usize,
    lie: Lie,
    hits: &mut Vec<Hit>,
) {
    let before = hits.len();
    for word in 0..count_words {
        let mut left = mask[word];
        while left != 0 {
            let bit = left.trailing_zeros() as usize;
            left &= left - 1;
            let lane = lie.order.row(word, bit, count_words);
            if lane < lie.count {
                let plain = words.iter().fold(0, |plain, row| plain << 1 | row[word] >> bit & 1);
                hits.push(Hit { index: lie.base + lane, plain });
            }
        }
    }
    hits[before..].sort_unstable();
}

/// Which candidates of a batch lie where.
#[derive(Clone, Copy)]
pub(crate) struct Lie {
    pub(crate) order: Order,
    /// The number of the first.
    pub(crate) base: usize,
    /// How many there are from there on; lanes beyond hold none.
    pub(crate) count: usize,
}

/// How candidates of a batch lie in the words of a plane.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    /// Candidate `64 * n + i` is bit `i` of word `n`.
    Stream,
    /// Candidate `WORDS * i + n` is bit `i` of word `n`.
    Rows,
}

impl Order {
    const fn row(self, word: usize, bit: usize, words: usize) -> usize {
        match self {
            Self::Stream => 64 * word + bit,
            Self::Rows => words * bit + word,
        }
    }
}

// ---------------------------------------------------------------------------------- stored keys

/// Keys in planes, ready to be tried on one token after another. Wiped when dropped.
pub struct KeyPlanes {
    /// For each batch its 64 planes; begins at `offset`, where a cache line begins.
    words: Vec<u64>,
    offset: usize,
    lanes: Lanes,
    count: usize,
    order: Order,
}

impl KeyPlanes {
    fn empty(lanes: Lanes, count: usize, order: Order) -> Self {
        let length = count.div_ceil(lanes.width()) * lanes.width();
        let words = vec![0; length + 7];
        let offset = words.as_ptr().align_offset(64).min(7);
        Self { words, offset, lanes, count, order }
    }

    /// The planes of the batch that begins with key number `base`.
    #[inline(always)]
    pub(crate) fn batch<W: Word>(&self, base: usize) -> Planes<W> {
        let words = &self.words[self.offset..];
        let mut key = [W::splat(0); 64];
        for at in 0..64 {
            key[at] = W::load(&words[base + at * W::WORDS..]);
        }
        key
    }

    /// The lanes it was made for.
    pub(crate) const fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// How many keys.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Puts another key in the place of one.
    ///
    /// # Panics
    ///
    /// Unless `index` is below [`len`](Self::len).
    pub fn set(&mut self, index: usize, key: u64) {
        assert!(index < self.count, "key {index} of {}", self.count);
        let (width, words) = (self.lanes.width(), self.lanes.width() / 64);
        let (batch, lane) = (index / width, index % width);
        let (word, bit) = match self.order {
            Order::Stream => (lane / 64, lane % 64),
            Order::Rows => (lane % words, lane / words),
        };
        for at in 0..64 {
            let place = self.offset + (64 * batch + at) * words + word;
            let plane = &mut self.words[place];
            *plane = *plane & !(1 << bit) | (key >> (63 - at) & 1) << bit;
        }
    }

    /// Opens a token under every key.
    pub fn open(&self, question: &Question, cipher: Cipher, hits: &mut Vec<Hit>) {
        self.lanes.run(OpenStored { keys: self, question, cipher, hits });
    }
}

impl Drop for KeyPlanes {
    fn drop(&mut self) {
        self.words.zeroize();
    }
}

impl fmt::Debug for KeyPlanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPlanes").field("len", &self.count).finish_non_exhaustive()
    }
}

struct OpenStored<'a> {
    keys: &'a KeyPlanes,
    question: &'a Question,
    cipher: Cipher,
    hits: &'a mut Vec<Hit>,
}

impl Work for OpenStored<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(self) {
        let opening = Opening::<W>::new(self.question);
        let (count, order) = (self.keys.count, self.keys.order);
        let mut base = 0;
        while base < count {
            let lie = Lie { order, base, count: count - base };
            opening.open(self.cipher, &self.keys.batch(base), lie, self.hits);
            base += W::LANES;
        }
    }
}

/// Where keys of groups go: into planes, or at once on the token.
enum Use<'a> {
    Store(&'a mut [u64]),
    Open(&'a Question, Cipher, &'a mut Vec<Hit>),
}

struct Tariffs<'a> {
    groups: &'a [Group],
    used: Use<'a>,
}

impl Work for Tariffs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(mut self) {
        let zero = W::splat(0);
        let (mut vending, mut block, mut key) = ([zero; 64], [zero; 64], [zero; 64]);
        let opening = match &self.used {
            Use::Open(question, ..) => Opening::<W>::new(question),
            Use::Store(_) => Opening::new(&Question { class_bits: 0, block: 0 }),
        };
        let count = TARIFFS * self.groups.len();
        let mut base = 0;
        while base < count {
            enumerate(self.groups, base, &mut vending, &mut block);
            dea::derive(&vending, &block, &mut key);
            match &mut self.used {
                Use::Open(_, cipher, hits) => {
                    let lie = Lie { order: Order::Stream, base, count: count - base };
                    opening.open(*cipher, &key, lie, hits);
                }
                Use::Store(words) => {
                    for at in 0..64 {
                        key[at].store(&mut words[base + at * W::WORDS..]);
                    }
                }
            }
            base += W::LANES;
        }
    }
}

struct Blocks<'a> {
    /// Vending keys and blocks, or ready keys.
    vending: Option<&'a [u64]>,
    rows: &'a [u64],
    used: Use<'a>,
}

impl Work for Blocks<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(mut self) {
        let zero = W::splat(0);
        let (mut vending, mut block, mut key) = ([zero; 64], [zero; 64], [zero; 64]);
        let opening = match &self.used {
            Use::Open(question, ..) => Opening::<W>::new(question),
            Use::Store(_) => Opening::new(&Question { class_bits: 0, block: 0 }),
        };
        let count = self.rows.len();
        let mut base = 0;
        while base < count {
            transpose::planes_of_some(&self.rows[base..], &mut block);
            if let Some(keys) = self.vending {
                transpose::planes_of_some(&keys[base..], &mut vending);
                dea::derive(&vending, &block, &mut key);
            } else {
                key = block;
            }
            match &mut self.used {
                Use::Open(_, cipher, hits) => {
                    let lie = Lie { order: Order::Rows, base, count: count - base };
                    opening.open(*cipher, &key, lie, hits);
                }
                Use::Store(words) => {
                    for at in 0..64 {
                        key[at].store(&mut words[base + at * W::WORDS..]);
                    }
                }
            }
            base += W::LANES;
        }
    }
}

impl Batch {
    /// Opens a token under DKGA02 keys of every group and every tariff index 0 to 99.
    ///
    /// Hits are appended in order; [`Hit::tariff`] says which.
    pub fn search_tariffs(
        &self,
        question: &Question,
        cipher: Cipher,
        groups: &[Group],
        hits: &mut Vec<Hit>,
    ) {
        self.lanes.run(Tariffs { groups, used: Use::Open(question, cipher, hits) });
    }

    /// The keys that [`search_tariffs`](Self::search_tariffs) derives, to be tried on several
    /// tokens.
    #[must_use]
    pub fn derive_tariffs(&self, groups: &[Group]) -> KeyPlanes {
        let mut keys = KeyPlanes::empty(self.lanes, TARIFFS * groups.len(), Order::Stream);
        let offset = keys.offset;
        self.lanes.run(Tariffs { groups, used: Use::Store(&mut keys.words[offset..]) });
        keys
    }

    /// Opens a token under the DKGA02 key of each row: a vending key and `PANBlock` xor
    /// `CONTROLBlock`.
    ///
    /// # Panics
    ///
    /// Unless there are as many blocks as vending keys.
    pub fn search_blocks(
        &self,
        question: &Question,
        cipher: Cipher,
        vending: &[u64],
        blocks: &[u64],
        hits: &mut Vec<Hit>,
    ) {
        assert_eq!(vending.len(), blocks.len(), "vending keys and blocks");
        let used = Use::Open(question, cipher, hits);
        self.lanes.run(Blocks { vending: Some(vending), rows: blocks, used });
    }

    /// Opens a token under each of many keys.
    pub fn open_under_many(
        &self,
        question: &Question,
        cipher: Cipher,
        keys: &[u64],
        hits: &mut Vec<Hit>,
    ) {
        let used = Use::Open(question, cipher, hits);
        self.lanes.run(Blocks { vending: None, rows: keys, used });
    }

    /// Keys in planes, as those of a fleet's meters.
    #[must_use]
    pub fn key_planes(&self, keys: &[u64]) -> KeyPlanes {
        let mut planes = KeyPlanes::empty(self.lanes, keys.len(), Order::Rows);
        let offset = planes.offset;
        let used = Use::Store(&mut planes.words[offset..]);
        self.lanes.run(Blocks { vending: None, rows: keys, used });
        planes
    }
}
