//! DKGA04 in bulk: decoder keys as HMAC-SHA-256 of a data block of 49 bytes. Clause 6.5.3.5.

use core::fmt;

use sts_core::key::dkga04_data_block;
use sts_core::{BaseDate, EncryptionAlgorithm, KeyAttributes, MeterPan};
use zeroize::Zeroizing;

use crate::lanes::{Word, Work};
use crate::search::{Lie, Opening, Order, TARIFFS};
use crate::sha256::{Block, Engine, HmacKey, block_after_key};
use crate::transpose::planes_of;
use crate::{Batch, Cipher, Hit, KeyPlanes, Question, misty1};

/// A cipher whose keys DKGA04 derives.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Dkga04Cipher {
    /// EA07 with the deployed tables: 64 bits of key.
    #[doc(alias = "EA07")]
    Sta,
    /// EA11: 128 bits of key.
    #[doc(alias = "EA11")]
    Misty1,
}

/// A DKGA04 vending key with the work done that no candidate changes. Wiped when dropped.
#[derive(Clone)]
pub struct Dkga04Key(HmacKey);

impl Dkga04Key {
    /// From its 20 bytes, most significant first.
    #[must_use]
    pub fn new(key: &[u8; 20]) -> Self {
        Self(HmacKey::new(key))
    }
}

impl fmt::Debug for Dkga04Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dkga04Key").finish_non_exhaustive()
    }
}

/// Candidates of DKGA04 that differ in the tariff index alone.
#[derive(Clone, Copy, Debug)]
pub struct Dkga04Group<'a> {
    key: &'a Dkga04Key,
    block: Block,
}

impl<'a> Dkga04Group<'a> {
    /// Of a meter under a vending key; the tariff index of `attributes` does not matter.
    ///
    /// `cipher` and `base_date` are those of the keys derived: both go into them.
    #[must_use]
    pub fn new(
        key: &'a Dkga04Key,
        pan: &MeterPan,
        cipher: Dkga04Cipher,
        attributes: &KeyAttributes,
        base_date: BaseDate,
    ) -> Self {
        let ea = match cipher {
            Dkga04Cipher::Sta => EncryptionAlgorithm::Sta,
            Dkga04Cipher::Misty1 => EncryptionAlgorithm::Misty1,
        };
        let data = dkga04_data_block(pan, ea, attributes, base_date);
        Self::from_data_block(key, &data)
    }

    /// From the data block as the clause lays it out: 49 bytes, of which numbers 11 and 12 are the
    /// digits of the tariff index, whatever they are here.
    #[must_use]
    pub fn from_data_block(key: &'a Dkga04Key, data: &[u8; 49]) -> Self {
        Self { key, block: block_after_key(data) }
    }

    /// The block with the digits of a tariff index below 100.
    fn block_of(&self, ti: usize) -> Block {
        #[expect(clippy::cast_possible_truncation, reason = "digits")]
        let [tens, units] = [ti / 10, ti % 10].map(|digit| u32::from(b'0') + digit as u32);
        let mut block = self.block;
        block[2] = block[2] & !0xff | tens;
        block[3] = block[3] & 0x00ff_ffff | units << 24;
        block
    }
}

/// How many derivations go to the engine at once.
const AT_ONCE: usize = 64;

/// The keys of candidates `base` and following, their first and their last eight bytes. Candidate
/// `100 * n + ti` is tariff index `ti` of group `n`.
fn derive(
    engine: Engine,
    groups: &[Dkga04Group<'_>],
    base: usize,
    high: &mut [u64],
    low: &mut [u64],
) {
    let Some(first) = groups.get(base / TARIFFS) else { return };
    let (mut keys, mut blocks) = ([&first.key.0; AT_ONCE], [first.block; AT_ONCE]);
    let mut digests = [[0; 4]; AT_ONCE];
    let mut candidate = base;
    for (high, low) in high.chunks_mut(AT_ONCE).zip(low.chunks_mut(AT_ONCE)) {
        let count = high.len();
        for at in 0..count {
            let group = &groups[candidate / TARIFFS];
            keys[at] = &group.key.0;
            blocks[at] = group.block_of(candidate % TARIFFS);
            candidate += 1;
        }
        engine.hmac(&keys[..count], &blocks[..count], &mut digests);
        for at in 0..count {
            let [a, b, c, d] = digests[at].map(u64::from);
            high[at] = a << 32 | b;
            low[at] = c << 32 | d;
        }
    }
}

struct Search<'a> {
    groups: &'a [Dkga04Group<'a>],
    engine: Engine,
    cipher: Dkga04Cipher,
    question: &'a Question,
    hits: &'a mut Vec<Hit>,
}

impl Work for Search<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(self) {
        let opening = Opening::<W>::new(self.question);
        let (mut high, mut low) = ([0; 512], [0; 512]);
        let mut key = [[W::splat(0); 64]; 2];
        let total = TARIFFS * self.groups.len();
        let mut base = 0;
        while base < total {
            let count = W::LANES.min(total - base);
            derive(self.engine, self.groups, base, &mut high[..count], &mut low[..count]);
            planes_of(&high, &mut key[0]);
            let lie = Lie { order: Order::Rows, base, count };
            match self.cipher {
                Dkga04Cipher::Sta => opening.open(Cipher::Sta, &key[0], lie, self.hits),
                Dkga04Cipher::Misty1 => {
                    planes_of(&low, &mut key[1]);
                    open_misty1(&opening, &key, lie, self.hits);
                }
            }
            base += W::LANES;
        }
    }
}

#[inline(always)]
fn open_misty1<W: Word>(
    opening: &Opening<W>,
    key: &[crate::Planes<W>; 2],
    lie: Lie,
    hits: &mut Vec<Hit>,
) {
    let mut plain = [W::splat(0); 64];
    misty1::decrypt(key, &opening.block, &mut plain);
    opening.check(&plain, lie, hits);
}

/// DKGA04 keys in planes, ready to be tried on one token after another. Wiped when dropped.
#[derive(Debug)]
pub struct Dkga04Planes {
    /// The first eight bytes of each.
    high: KeyPlanes,
    /// The last eight bytes of keys that have sixteen.
    low: Option<KeyPlanes>,
}

impl Dkga04Planes {
    /// How many keys.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.high.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.high.is_empty()
    }

    /// Opens a token under every key, by the cipher that they were derived for.
    pub fn open(&self, question: &Question, hits: &mut Vec<Hit>) {
        match &self.low {
            None => self.high.open(question, Cipher::Sta, hits),
            Some(low) => {
                self.high.lanes().run(OpenStored { high: &self.high, low, question, hits })
            }
        }
    }
}

struct OpenStored<'a> {
    high: &'a KeyPlanes,
    low: &'a KeyPlanes,
    question: &'a Question,
    hits: &'a mut Vec<Hit>,
}

impl Work for OpenStored<'_> {
    type Output = ();

    #[inline(always)]
    fn run<W: Word>(self) {
        let opening = Opening::<W>::new(self.question);
        let total = self.high.len();
        let mut base = 0;
        while base < total {
            let key = [self.high.batch(base), self.low.batch(base)];
            let lie = Lie { order: Order::Rows, base, count: total - base };
            open_misty1(&opening, &key, lie, self.hits);
            base += W::LANES;
        }
    }
}

impl Batch {
    /// Opens a token under DKGA04 keys of every group and every tariff index 0 to 99.
    ///
    /// The groups are to be made for the same cipher. Hits are appended in order;
    /// [`Hit::tariff`] says which.
    ///
    /// A published test token, key and meter, whose tariff index is looked for:
    ///
    /// ```
    /// use sts_batch::{Batch, Dkga04Cipher, Dkga04Group, Dkga04Key, Hit, Question};
    /// use sts_core::{BaseDate, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType};
    /// use sts_core::{MeterPan, SupplyGroupCode, TariffIndex, Token};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut vending = [0xab; 20];
    /// vending[8..16].fill(0x94);
    /// vending[16..].copy_from_slice(&[0x01, 0x23, 0x45, 0x67]);
    /// let key = Dkga04Key::new(&vending);
    /// let pan = MeterPan::parse("600727000000000009")?;
    /// let attributes = KeyAttributes {
    ///     sgc: SupplyGroupCode::new(201_457)?,
    ///     krn: KeyRevisionNumber::new(1)?,
    ///     ti: TariffIndex::new(0)?,
    ///     kt: KeyType::Unique,
    ///     ken: KeyExpiryNumber::NEVER,
    /// };
    /// let cipher = Dkga04Cipher::Misty1;
    /// let group = Dkga04Group::new(&key, &pan, cipher, &attributes, BaseDate::Y2014);
    ///
    /// let token = Token::parse("23641553665398154702")?;
    /// let question = Question { class_bits: token.class().bits(), block: token.block() };
    /// let mut hits = Vec::new();
    /// Batch::new().search_tariffs_dkga04(&question, cipher, &[group], &mut hits);
    /// assert_eq!(hits, [Hit { index: 1, plain: 0x0564_80de_0100_22f7 }]);
    /// assert_eq!(hits[0].tariff(), (0, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_tariffs_dkga04(
        &self,
        question: &Question,
        cipher: Dkga04Cipher,
        groups: &[Dkga04Group<'_>],
        hits: &mut Vec<Hit>,
    ) {
        let engine = Engine::of(self.lanes());
        self.lanes().run(Search { groups, engine, cipher, question, hits });
    }

    /// The keys that [`search_tariffs_dkga04`](Self::search_tariffs_dkga04) derives, to be tried on
    /// several tokens: deriving is most of a search.
    #[must_use]
    pub fn derive_tariffs_dkga04(
        &self,
        cipher: Dkga04Cipher,
        groups: &[Dkga04Group<'_>],
    ) -> Dkga04Planes {
        let total = TARIFFS * groups.len();
        let (mut high, mut low) = (Zeroizing::new(vec![0; total]), Zeroizing::new(vec![0; total]));
        derive(Engine::of(self.lanes()), groups, 0, &mut high, &mut low);
        Dkga04Planes {
            high: self.key_planes(&high),
            low: (cipher == Dkga04Cipher::Misty1).then(|| self.key_planes(&low)),
        }
    }
}
