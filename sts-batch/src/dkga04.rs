//! DKGA04 in bulk: decoder keys as HMAC-SHA-256 of a data block of 49 bytes. Clause 6.5.3.5.

use crate::Planes;
use crate::crc;
use crate::lanes::{Lanes, Word, Work};
use crate::misty1;
use crate::sha256::{Block, Engine, HmacKey, block_after_key};
use crate::transpose::planes_of;

/// A DKGA04 vending key with the work done that no candidate changes.
#[derive(Clone, Debug)]
pub struct Dkga04Key(HmacKey);

impl Dkga04Key {
    /// From its 20 bytes, most significant first.
    #[must_use]
    pub fn new(key: &[u8; 20]) -> Self {
        Self(HmacKey::new(key))
    }
}

/// A vending key and the data block to derive under it.
#[derive(Clone, Copy, Debug)]
pub struct Derivation<'a> {
    key: &'a Dkga04Key,
    block: Block,
}

impl<'a> Derivation<'a> {
    /// From the data block as the clause lays it out.
    #[must_use]
    pub fn new(key: &'a Dkga04Key, data: &[u8; 49]) -> Self {
        Self { key, block: block_after_key(data) }
    }

    /// The same with the two digits of another tariff index, 0 to 99: bytes 11 and 12.
    #[must_use]
    pub fn with_tariff_index(mut self, ti: u8) -> Self {
        let [tens, units] = [ti / 10 % 10, ti % 10].map(|digit| u32::from(digit + b'0'));
        self.block[2] = self.block[2] & !0xff | tens;
        self.block[3] = self.block[3] & 0x00ff_ffff | units << 24;
        self
    }
}

/// How many derivations go to the engine at once.
const GROUP: usize = 64;

/// The keys of many derivations, most significant byte first: an EA07 key is the first 8 bytes of
/// one, an EA11 key all 16.
pub(crate) fn derive<'a>(
    engine: Engine,
    derivations: impl IntoIterator<Item = Derivation<'a>>,
    keys: &mut [[u8; 16]],
) {
    let mut derivations = derivations.into_iter();
    for keys in keys.chunks_mut(GROUP) {
        for (key, [high, low]) in keys.iter_mut().zip(group(engine, &mut derivations).1) {
            *key = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        }
    }
}

/// How many derivations there were, at most [`GROUP`], and their keys as two words.
fn group<'a>(
    engine: Engine,
    derivations: &mut impl Iterator<Item = Derivation<'a>>,
) -> (usize, [[u64; 2]; GROUP]) {
    let mut words = [[0; 2]; GROUP];
    let Some(first) = derivations.next() else { return (0, words) };
    let (mut keys, mut blocks) = ([&first.key.0; GROUP], [first.block; GROUP]);
    let mut count = 1;
    for derivation in derivations.take(GROUP - 1) {
        (keys[count], blocks[count]) = (&derivation.key.0, derivation.block);
        count += 1;
    }
    let mut digests = [[0; 4]; GROUP];
    engine.hmac(&keys[..count], &blocks[..count], &mut digests);
    for (words, digest) in words.iter_mut().zip(digests) {
        let [a, b, c, d] = digest.map(u64::from);
        *words = [a << 32 | b, c << 32 | d];
    }
    (count, words)
}

/// All tariff indices of each derivation, in order: candidate `100 * n + ti`.
pub(crate) fn tariffs<'a>(groups: &[Derivation<'a>]) -> impl Iterator<Item = Derivation<'a>> {
    groups.iter().flat_map(|group| (0..100).map(|ti| group.with_tariff_index(ti)))
}

/// The candidates, by number, under whose EA11 key a token's checksum holds. One in 65 536 does by
/// chance.
pub(crate) fn search_misty1<'a>(
    lanes: Lanes,
    engine: Engine,
    class_bits: u8,
    block: u64,
    candidates: impl Iterator<Item = Derivation<'a>>,
) -> Vec<usize> {
    lanes.run(Search { engine, class_bits, block, candidates })
}

struct Search<I> {
    engine: Engine,
    class_bits: u8,
    block: u64,
    candidates: I,
}

/// A constant bit in each lane.
#[inline(always)]
fn plane<W: Word>(bits: u64, bit: usize) -> W {
    W::splat(0_u64.wrapping_sub(bits >> bit & 1))
}

impl<'a, I: Iterator<Item = Derivation<'a>>> Work for Search<I> {
    type Output = Vec<usize>;

    #[inline(always)]
    fn run<W: Word>(mut self) -> Vec<usize> {
        let zero = W::splat(0);
        let class = u64::from(self.class_bits);
        let class = [plane::<W>(class, 1), plane::<W>(class, 0)];
        let mut block = [zero; 64];
        for (i, to) in block.iter_mut().enumerate() {
            *to = plane(self.block, 63 - i);
        }
        let mut found = Vec::new();
        let mut start = 0;
        loop {
            let (mut high, mut low) = ([0; 512], [0; 512]);
            let mut count = 0;
            while count < W::LANES {
                let (more, words) = group(self.engine, &mut self.candidates);
                for (i, words) in words.iter().enumerate() {
                    [high[count + i], low[count + i]] = *words;
                }
                count += more;
                if more < GROUP {
                    break;
                }
            }
            if count == 0 {
                return found;
            }
            let (mut first, mut last): (Planes<W>, Planes<W>) = ([zero; 64], [zero; 64]);
            planes_of(&high[..W::LANES], &mut first);
            planes_of(&low[..W::LANES], &mut last);
            let mut key = [zero; 128];
            key[..64].copy_from_slice(&first);
            key[64..].copy_from_slice(&last);
            let plain = misty1::decrypt(&key, &block);
            let mut holds = [0; 8];
            crc::holds(class, &plain).store(&mut holds);
            // `planes_of` deals the rows out to the words in turn.
            for row in 0..count {
                if holds[row % W::WORDS] >> (row / W::WORDS) & 1 == 1 {
                    found.push(start + row);
                }
            }
            start += count;
            if count < W::LANES {
                return found;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sts_core::cipher::misty1::Misty1;

    use super::*;

    #[test]
    fn search_of_every_width_and_engine_finds_the_tariff() {
        let key = Dkga04Key::new(&[0x11; 20]);
        let mut data = *b"\x04\x0204\x0293\x0211\x0200\0\x04\x06123456\x012\x011\x12600727000000000009\0\0\0\x80";
        let groups = [Derivation::new(&key, &data), Derivation::new(&key, &data)];
        // The plain block of a published token, its checksum in place.
        let plain = 0x0b19_eb23_0100_c207;
        data[11..13].copy_from_slice(b"42");
        for engine in Engine::available() {
            let mut keys = [[0; 16]; 1];
            derive(engine, [Derivation::new(&key, &data)], &mut keys);
            let misty1 = Misty1::new(&keys[0]);
            let block = misty1.encrypt(plain);
            for lanes in Lanes::ALL.into_iter().filter(|lanes| lanes.is_available()) {
                let found = search_misty1(lanes, engine, 0, block, tariffs(&groups));
                assert!(found.contains(&42) && found.contains(&142), "{lanes} {engine:?}");
            }
        }
    }

    #[test]
    fn search_takes_four_thousand_candidates_as_the_core_does() {
        let key = Dkga04Key::new(&[0x22; 20]);
        let groups: Vec<_> = (0..40).map(|i| Derivation::new(&key, &[i; 49])).collect();
        let mut keys = vec![[0; 16]; 4_000];
        derive(Engine::best(), tariffs(&groups), &mut keys);
        let block = Misty1::new(&keys[3_777]).encrypt(0x0b19_eb23_0100_c207);
        let expected: Vec<_> = (0..4_000)
            .filter(|&i| {
                let plain = Misty1::new(&keys[i]).decrypt(block);
                let currency = plain >> 62 == 1;
                let crc = if currency { sts_core::crc::crc_c } else { sts_core::crc::crc };
                u64::from(crc(0, plain)) == plain & 0xffff
            })
            .collect();
        assert!(expected.contains(&3_777));
        for lanes in Lanes::ALL.into_iter().filter(|lanes| lanes.is_available()) {
            let found = search_misty1(lanes, Engine::best(), 0, block, tariffs(&groups));
            assert_eq!(found, expected, "{lanes}");
        }
    }

    #[test]
    fn derive_of_a_meters_key_is_that_of_the_core() {
        use sts_core::VendingKey;
        use sts_core::{BaseDate, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber};
        use sts_core::{KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex};

        let data = *b"\x04\x0204\x0293\x0211\x0200\0\x04\x06123456\x012\x011\x12600727000000000009\0\0\0\x80";
        let pan = MeterPan::parse("600727000000000009").expect("a meter's number");
        let key = Dkga04Key::new(&[0x11; 20]);
        let mut keys = [[0; 16]; 100];
        derive(Engine::best(), tariffs(&[Derivation::new(&key, &data)]), &mut keys);
        for (ti, key) in keys.into_iter().enumerate() {
            let attributes = KeyAttributes {
                sgc: SupplyGroupCode::new(123_456).expect("in range"),
                krn: KeyRevisionNumber::new(1).expect("in range"),
                ti: TariffIndex::new(ti as u8).expect("in range"),
                kt: KeyType::Unique,
                ken: KeyExpiryNumber::NEVER,
            };
            let core = VendingKey::dkga04([0x11; 20])
                .derive(&pan, EncryptionAlgorithm::Misty1, &attributes, BaseDate::Y1993)
                .expect("DKGA04 gives a key for EA11");
            assert!(DecoderKey::misty1(key).same_as(&core));
        }
    }
}
