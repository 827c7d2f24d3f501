//! Every function of every width against `sts-core`, row by row.
//!
//! `STS_BATCH_ROWS` asks for another number of rows than the usual.

use sts_batch::{Batch, Cipher, Group, Hit, Lanes, Question};
use sts_core::cipher::sta::DEPLOYED;
use sts_core::{Class, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber};
use sts_core::{KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex, Token};
use sts_core::{VendingKey, crc};

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
    let (keys, blocks) = (random.many(rows()), random.many(rows()));
    for cipher in [Cipher::Sta, Cipher::Dea] {
        let expected: Vec<u64> =
            keys.iter().zip(&blocks).map(|(&k, &b)| decrypt(cipher, k, b)).collect();
        let under: Vec<u64> =
            blocks.iter().take(5000).map(|&b| decrypt(cipher, keys[0], b)).collect();
        for batch in batches() {
            let mut plain = vec![0; rows()];
            batch.decrypt(cipher, &keys, &blocks, &mut plain);
            assert!(plain == expected, "{cipher:?} {}", batch.lanes());
            let mut plain = vec![0; under.len()];
            batch.decrypt_under(cipher, keys[0], &blocks[..under.len()], &mut plain);
            assert!(plain == under, "{cipher:?} {}", batch.lanes());
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
    let (vending, blocks, noise) = (random.many(rows()), random.many(rows()), random.many(rows()));
    for cipher in [Cipher::Sta, Cipher::Dea] {
        for mixed in [false, true] {
            let classes: Vec<u8> =
                noise.iter().map(|noise| if mixed { (noise >> 40 & 3) as u8 } else { 0 }).collect();
            for batch in batches() {
                let mut keys = vec![0; rows()];
                batch.derive_dkga02(&vending, &blocks, &mut keys);
                // Every other token is right: what comes out of noise, with its check mended, as
                // encrypting is the core's alone for STA; DEA rows are all noise.
                let mut tokens = noise.clone();
                if matches!(cipher, Cipher::Sta) {
                    for row in (0..rows()).step_by(2) {
                        let class = classes[row];
                        let data = noise[row] & !0xffff;
                        let currency = class == 0 && (4..8).contains(&(data >> 60));
                        let check =
                            if currency { crc::crc_c(0, data) } else { crc::crc(class, data) };
                        tokens[row] = DEPLOYED.encrypt(keys[row], data | u64::from(check));
                    }
                }
                let (mut plain, mut found) = (vec![0; rows()], vec![true; rows()]);
                batch.open_rows(
                    cipher, &vending, &blocks, &classes, &tokens, &mut plain, &mut found,
                );
                for row in 0..rows() {
                    assert!(derivation_is_right(vending[row], blocks[row], keys[row]));
                    assert_eq!(plain[row], decrypt(cipher, keys[row], tokens[row]), "row {row}");
                    assert_eq!(found[row], holds(classes[row], plain[row]), "row {row}");
                    if matches!(cipher, Cipher::Sta) && row % 2 == 0 {
                        assert_eq!(found[row], classes[row] != 3);
                    }
                }
            }
        }
    }
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
            sts_core::key::pan_block(pan.iin(), pan.drn(), KeyType::Unique)
                ^ sts_core::key::control_block(&attributes(ti, group))
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
                    let derived =
                        key.derive(&pan, ea, &attributes(ti, group), sts_core::BaseDate::Y1993);
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
            let data = random.next() << 16;
            let currency = (4..8).contains(&(data >> 60));
            let check = if currency { crc::crc_c(0, data) } else { crc::crc(0, data) };
            let plain = data | u64::from(check);
            let block = DEPLOYED.encrypt(key[0], plain);
            let mut hits = Vec::new();
            let question = Question { class_bits: 0, block };
            batch.search_tariffs(&question, Cipher::Sta, &groups, &mut hits);
            assert!(hits.contains(&Hit { index, plain }), "{index} of {}", batch.lanes());
        }
    }
}
