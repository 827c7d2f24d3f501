//! Every function of every width against `sts-core`, row by row.
//!
//! `STS_BATCH_ROWS` asks for another number of random rows than the usual, as in
//!
//! ```text
//! STS_BATCH_ROWS=10000000 cargo test --release -p sts-batch --test scalar random_rows
//! ```

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::cast_possible_truncation, reason = "numbers kept small")]

use sts_batch::{Batch, Cipher, Dkga04Cipher, Dkga04Group, Dkga04Key, Group, Hit, Lanes, Question};
use sts_core::cipher::misty1::Misty1;
use sts_core::cipher::sta::DEPLOYED;
use sts_core::{BaseDate, Class, DecoderKey, EncryptionAlgorithm, KeyAttributes};
use sts_core::{KeyExpiryNumber, KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode};
use sts_core::{TariffIndex, Token, VendingKey, crc};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn many(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.next()).collect()
    }
}

fn rows() -> usize {
    std::env::var("STS_BATCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(100_000)
}

/// Random rows are checked so many at a time: not a whole number of batches.
const CHUNK: usize = 20_011;

fn chunks() -> impl Iterator<Item = usize> {
    (0..rows()).step_by(CHUNK).map(|from| CHUNK.min(rows() - from))
}

fn batches() -> impl Iterator<Item = Batch> {
    Lanes::ALL.into_iter().filter_map(Batch::with_lanes)
}

/// Single DES through the core: of an EA09 token of class 0, opened.
fn decrypt(cipher: Cipher, key: u64, block: u64) -> u64 {
    match cipher {
        Cipher::Dea => Token::from_class_and_block(Class::Credit, block)
            .open(&DecoderKey::dea(key.to_be_bytes()))
            .unauthenticated_bits(),
        _ => DEPLOYED.decrypt(key, block),
    }
}

fn holds(class: u8, plain: u64) -> bool {
    let check = match (class & 3, plain >> 60) {
        (3, _) => return false,
        (0, 4..=7) => crc::crc_c(class, plain),
        _ => crc::crc(class, plain),
    };
    u64::from(check) == plain & 0xffff
}

/// Rows whose derivation is known: DKGA02 undone. `DES(vending, x) = key ^ x ^ vending`.
fn derivation_is_right(vending: u64, block: u64, key: u64) -> bool {
    decrypt(Cipher::Dea, vending, key ^ block ^ vending) == block
}

#[test]
fn decrypt_of_random_rows_is_that_of_the_core() {
    let mut random = Random(1);
    for count in chunks() {
        let (keys, blocks) = (random.many(count), random.many(count));
        for cipher in [Cipher::Sta, Cipher::Dea] {
            let expected: Vec<u64> =
                keys.iter().zip(&blocks).map(|(&k, &b)| decrypt(cipher, k, b)).collect();
            let under: Vec<u64> =
                blocks.iter().take(1000).map(|&b| decrypt(cipher, keys[0], b)).collect();
            for batch in batches() {
                let mut plain = vec![0; count];
                batch.decrypt(cipher, &keys, &blocks, &mut plain);
                assert!(plain == expected, "{cipher:?} {}", batch.lanes());
                let mut plain = vec![0; under.len()];
                batch.decrypt_under(cipher, keys[0], &blocks[..under.len()], &mut plain);
                assert!(plain == under, "{cipher:?} {}", batch.lanes());
            }
        }
    }
}

#[test]
fn decrypt_of_any_number_of_rows_reads_and_writes_those_alone() {
    let mut random = Random(2);
    for batch in batches() {
        for count in [0, 1, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1025] {
            let (keys, blocks) = (random.many(count), random.many(count));
            let mut plain = vec![0; count];
            batch.decrypt(Cipher::Sta, &keys, &blocks, &mut plain);
            for row in 0..count {
                assert_eq!(plain[row], DEPLOYED.decrypt(keys[row], blocks[row]));
            }
        }
    }
}

#[test]
fn open_rows_of_random_rows_is_the_chain_of_the_core() {
    let mut random = Random(3);
    for (number, count) in chunks().enumerate() {
        let (vending, blocks, noise) = (random.many(count), random.many(count), random.many(count));
        // Each chunk of one class and each of all classes: they take different ways.
        let classes: Vec<u8> = match number % 4 {
            0 => vec![0; count],
            1 => vec![2; count],
            _ => noise.iter().map(|noise| (noise >> 40 & 3) as u8).collect(),
        };
        let mut keys = vec![0; count];
        Batch::with_lanes(Lanes::Portable).unwrap().derive_dkga02(&vending, &blocks, &mut keys);
        for row in 0..count {
            assert!(derivation_is_right(vending[row], blocks[row], keys[row]));
        }
        for cipher in [Cipher::Sta, Cipher::Dea] {
            // Every other token is right: what comes out of noise, with its check mended, as
            // encrypting is the core's alone for STA; DEA rows are all noise.
            let mut tokens = noise.clone();
            if matches!(cipher, Cipher::Sta) {
                for row in (0..count).step_by(2) {
                    tokens[row] = DEPLOYED.encrypt(keys[row], mended(classes[row], noise[row]));
                }
            }
            let expected: Vec<u64> =
                keys.iter().zip(&tokens).map(|(&k, &t)| decrypt(cipher, k, t)).collect();
            for batch in batches() {
                let mut derived = vec![0; count];
                batch.derive_dkga02(&vending, &blocks, &mut derived);
                assert!(derived == keys, "{}", batch.lanes());
                let (mut plain, mut found) = (vec![0; count], vec![true; count]);
                batch.open_rows(
                    cipher, &vending, &blocks, &classes, &tokens, &mut plain, &mut found,
                );
                assert!(plain == expected, "{cipher:?} {}", batch.lanes());
                for row in 0..count {
                    assert_eq!(found[row], holds(classes[row], plain[row]), "row {row}");
                    if matches!(cipher, Cipher::Sta) && row % 2 == 0 {
                        assert_eq!(found[row], classes[row] != 3);
                    }
                }
            }
        }
    }
}

/// Noise as a plain block whose check holds, unless it is of class 3.
fn mended(class: u8, noise: u64) -> u64 {
    let data = noise & !0xffff;
    let currency = class == 0 && (4..8).contains(&(data >> 60));
    let check = if currency { crc::crc_c(0, data) } else { crc::crc(class, data) };
    data | u64::from(check)
}

/// Keys of groups through the core's own derivation.
#[test]
fn search_tariffs_finds_what_a_loop_over_the_core_finds() {
    let mut random = Random(4);
    let pan = MeterPan::parse("600727000000000009").unwrap();
    for count in [0, 1, 2, 3, 5, 7, 64, 600] {
        let vending = random.many(count);
        let attributes = |ti: u8, group: usize| KeyAttributes {
            sgc: SupplyGroupCode::new(100_000 + u32::try_from(group).unwrap()).unwrap(),
            krn: KeyRevisionNumber::new(1 + u8::try_from(group % 9).unwrap()).unwrap(),
            ti: TariffIndex::new(ti).unwrap(),
            kt: KeyType::Unique,
            ken: KeyExpiryNumber::NEVER,
        };
        let block = |ti, group| {
            pan.block(KeyType::Unique) ^ sts_core::key::control_block(&attributes(ti, group))
        };
        let groups: Vec<Group> = vending
            .iter()
            .enumerate()
            .map(|(group, &vending)| Group { vending, block: block(0, group) })
            .collect();
        for (ea, cipher) in
            [(EncryptionAlgorithm::Sta, Cipher::Sta), (EncryptionAlgorithm::Dea, Cipher::Dea)]
        {
            let sealed = random.next();
            let token = Token::from_class_and_block(Class::Credit, sealed);
            let mut expected = Vec::new();
            let (mut keys, mut rows) = (Vec::new(), Vec::new());
            for (group, key) in vending.iter().enumerate() {
                let key = VendingKey::dkga02(key.to_be_bytes());
                for ti in 0..100 {
                    let derived = key.derive(&pan, ea, &attributes(ti, group), BaseDate::Y1993);
                    let derived = derived.unwrap();
                    let plain = token.open(&derived).unauthenticated_bits();
                    keys.push(u64::from_be_bytes(derived.expose_bytes().try_into().unwrap()));
                    rows.push(block(ti, group));
                    if holds(0, plain) {
                        expected.push(Hit { index: 100 * group + usize::from(ti), plain });
                    }
                }
            }
            let mut all_vending = Vec::new();
            for key in &vending {
                all_vending.extend([*key; 100]);
            }
            let question = Question { class_bits: 0, block: sealed };
            for batch in batches() {
                let mut hits = Vec::new();
                batch.search_tariffs(&question, cipher, &groups, &mut hits);
                assert_eq!(hits, expected);
                hits.clear();
                batch.derive_tariffs(&groups).open(&question, cipher, &mut hits);
                assert_eq!(hits, expected);
                hits.clear();
                batch.search_blocks(&question, cipher, &all_vending, &rows, &mut hits);
                assert_eq!(hits, expected);
                hits.clear();
                batch.open_under_many(&question, cipher, &keys, &mut hits);
                assert_eq!(hits, expected);
                hits.clear();
                let mut planes = batch.key_planes(&vec![0; keys.len()]);
                for (index, &key) in keys.iter().enumerate() {
                    planes.set(index, key);
                }
                planes.open(&question, cipher, &mut hits);
                assert_eq!(hits, expected);
            }
        }
    }
}

/// A token made for one candidate of many is found there, wherever that lies in a batch.
#[test]
fn search_tariffs_finds_every_place() {
    let mut random = Random(5);
    let groups: Vec<Group> =
        (0..13).map(|_| Group { vending: random.next(), block: random.next() }).collect();
    let bcd = |ti: u64| (((ti / 10) << 4) | (ti % 10)) << 28;
    for batch in batches() {
        for index in 0..1300_usize {
            let (group, ti) = (groups[index / 100], index as u64 % 100);
            let mut key = [0];
            batch.derive_dkga02(&[group.vending], &[group.block ^ bcd(ti)], &mut key);
            let plain = mended(0, random.next());
            let block = DEPLOYED.encrypt(key[0], plain);
            let mut hits = Vec::new();
            let question = Question { class_bits: 0, block };
            batch.search_tariffs(&question, Cipher::Sta, &groups, &mut hits);
            assert!(hits.contains(&Hit { index, plain }), "{index} of {}", batch.lanes());
        }
    }
}

// --------------------------------------------------------------------------------------- DKGA04

/// What a group of DKGA04 is made from.
struct Source {
    vending: [u8; 20],
    pan: MeterPan,
    attributes: KeyAttributes,
    base_date: BaseDate,
}

impl Source {
    fn random(random: &mut Random) -> Self {
        let mut vending = [0; 20];
        for byte in &mut vending {
            *byte = random.next() as u8;
        }
        let mut below = |end: u64| random.next() % end;
        let mut serial = format!("{:010}", below(10_000_000_000));
        serial.push(char::from(b'0' + sts_core::key::luhn_check_digit(serial.as_bytes())));
        let drn = sts_core::DecoderReferenceNumber::parse(&serial).unwrap();
        let attributes = KeyAttributes {
            sgc: SupplyGroupCode::new(below(1_000_000) as u32).unwrap(),
            krn: KeyRevisionNumber::new(below(10) as u8).unwrap(),
            ti: TariffIndex::new(below(100) as u8).unwrap(),
            kt: KeyType::from_code(below(4) as u8).unwrap(),
            ken: KeyExpiryNumber::NEVER,
        };
        let base_date = BaseDate::ALL[below(3) as usize];
        Self { vending, pan: MeterPan::from_drn(&drn), attributes, base_date }
    }

    /// The core's keys for every tariff index.
    fn keys(&self, ea: EncryptionAlgorithm) -> Vec<Vec<u8>> {
        let vending = VendingKey::dkga04(self.vending);
        (0..100)
            .map(|ti| {
                let attributes =
                    KeyAttributes { ti: TariffIndex::new(ti).unwrap(), ..self.attributes };
                let key = vending.derive(&self.pan, ea, &attributes, self.base_date).unwrap();
                key.expose_bytes().to_vec()
            })
            .collect()
    }
}

enum Opener {
    Sta(u64),
    Misty1(Box<Misty1>),
}

impl Opener {
    fn new(key: &[u8]) -> Self {
        match key.try_into() {
            Ok(key) => Self::Sta(u64::from_be_bytes(key)),
            Err(_) => Self::Misty1(Box::new(Misty1::new(key.try_into().unwrap()))),
        }
    }

    fn decrypt(&self, block: u64) -> u64 {
        match self {
            Self::Sta(key) => DEPLOYED.decrypt(*key, block),
            Self::Misty1(cipher) => cipher.decrypt(block),
        }
    }

    fn encrypt(&self, block: u64) -> u64 {
        match self {
            Self::Sta(key) => DEPLOYED.encrypt(*key, block),
            Self::Misty1(cipher) => cipher.encrypt(block),
        }
    }
}

/// One row in ten of the others, as each is a derivation and MISTY1 of the core.
#[test]
fn search_tariffs_dkga04_of_random_rows_is_a_loop_over_the_core() {
    let mut random = Random(6);
    let mut left = rows() / 10;
    let mut count = 1;
    while left > 0 {
        let sources: Vec<Source> = (0..count).map(|_| Source::random(&mut random)).collect();
        let vending: Vec<Dkga04Key> =
            sources.iter().map(|source| Dkga04Key::new(&source.vending)).collect();
        for (ea, cipher) in [
            (EncryptionAlgorithm::Sta, Dkga04Cipher::Sta),
            (EncryptionAlgorithm::Misty1, Dkga04Cipher::Misty1),
        ] {
            let keys: Vec<Opener> = sources
                .iter()
                .flat_map(|source| source.keys(ea))
                .map(|key| Opener::new(&key))
                .collect();
            let groups: Vec<Dkga04Group<'_>> = sources
                .iter()
                .zip(&vending)
                .map(|(source, key)| {
                    let Source { pan, attributes, base_date, .. } = source;
                    Dkga04Group::new(key, pan, cipher, attributes, *base_date)
                })
                .collect();
            for class_bits in [0, 2] {
                // Right under one candidate, and tried under all.
                let index = random.next() as usize % keys.len();
                let plain = mended(class_bits, random.next());
                let block = keys[index].encrypt(plain);
                let question = Question { class_bits, block };
                let expected: Vec<Hit> = keys
                    .iter()
                    .enumerate()
                    .map(|(index, key)| Hit { index, plain: key.decrypt(block) })
                    .filter(|hit| holds(class_bits, hit.plain))
                    .collect();
                assert!(expected.contains(&Hit { index, plain }));
                for batch in batches() {
                    let mut hits = Vec::new();
                    batch.search_tariffs_dkga04(&question, cipher, &groups, &mut hits);
                    assert_eq!(hits, expected, "{cipher:?} {}", batch.lanes());
                    hits.clear();
                    let planes = batch.derive_tariffs_dkga04(cipher, &groups);
                    assert_eq!(planes.len(), keys.len());
                    planes.open(&question, &mut hits);
                    assert_eq!(hits, expected, "{cipher:?} {}", batch.lanes());
                }
            }
        }
        left = left.saturating_sub(100 * count);
        count = count % 23 + 1;
    }
}

/// Every key itself, and not only its answers: a token made under each candidate is found there.
#[test]
fn search_tariffs_dkga04_finds_every_place() {
    let mut random = Random(7);
    let sources: Vec<Source> = (0..7).map(|_| Source::random(&mut random)).collect();
    let vending: Vec<Dkga04Key> =
        sources.iter().map(|source| Dkga04Key::new(&source.vending)).collect();
    for (ea, cipher) in [
        (EncryptionAlgorithm::Sta, Dkga04Cipher::Sta),
        (EncryptionAlgorithm::Misty1, Dkga04Cipher::Misty1),
    ] {
        let groups: Vec<Dkga04Group<'_>> = sources
            .iter()
            .zip(&vending)
            .map(|(it, key)| Dkga04Group::new(key, &it.pan, cipher, &it.attributes, it.base_date))
            .collect();
        let keys: Vec<Vec<u8>> = sources.iter().flat_map(|source| source.keys(ea)).collect();
        for batch in batches() {
            let planes = batch.derive_tariffs_dkga04(cipher, &groups);
            for (index, key) in keys.iter().enumerate() {
                let plain = mended(0, random.next());
                let question = Question { class_bits: 0, block: Opener::new(key).encrypt(plain) };
                let mut hits = Vec::new();
                planes.open(&question, &mut hits);
                let hit = Hit { index, plain };
                assert!(hits.contains(&hit), "{index} of {}", batch.lanes());
                assert_eq!(hit.tariff(), (index / 100, (index % 100) as u8));
            }
        }
    }
}

#[test]
fn search_tariffs_dkga04_of_no_groups_finds_nothing() {
    for batch in batches() {
        let mut hits = Vec::new();
        let question = Question { class_bits: 0, block: 0 };
        batch.search_tariffs_dkga04(&question, Dkga04Cipher::Misty1, &[], &mut hits);
        assert!(hits.is_empty());
        assert!(batch.derive_tariffs_dkga04(Dkga04Cipher::Misty1, &[]).is_empty());
    }
}

#[test]
fn debug_of_dkga04_keys_shows_none_of_them() {
    let key = Dkga04Key::new(&[0x11; 20]);
    assert_eq!(format!("{key:?}"), "Dkga04Key { .. }");
    let group = Dkga04Group::from_data_block(&key, &[0; 49]);
    assert!(format!("{group:?}").starts_with("Dkga04Group { key: Dkga04Key { .. }"));
}
