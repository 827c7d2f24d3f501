//! Batches against the core, row by row, in every width of this machine.

use sts_batch::{Batch, Cipher, Dkga04Cipher, Dkga04Group, Dkga04Key, Group, Hit, Lanes, Question};
use sts_core::cipher::sta::DEPLOYED;
use sts_core::{
    BaseDate, Class, DecoderKey, DecoderReferenceNumber, EncryptionAlgorithm, KeyAttributes,
    KeyExpiryNumber, KeyRevisionNumber, KeyType, MeterPan, Payload, SupplyGroupCode, TariffIndex,
    Token, VendingKey, key,
};

/// Two bytes of how many rows, one of cipher and class, 40 of a group of keys, then words that the
/// rows repeat, each time turned by one bit.
pub fn batch(data: &[u8]) {
    let Some((&[rows, more_rows, kind], data)) = data.split_first_chunk::<3>() else { return };
    let mut bytes = [0; 40];
    let (group, words) = data.split_at(data.len().min(40));
    bytes[..group.len()].copy_from_slice(group);
    let mut words: Vec<u64> = words
        .chunks(8)
        .map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
        .collect();
    words.push(0x0123_4567_89AB_CDEF);
    let count = (usize::from(rows) | usize::from(more_rows) << 8) % 1100;
    let cipher = if kind & 1 == 0 { Cipher::Sta } else { Cipher::Dea };
    rows_as_the_core(&words, count, cipher, kind >> 1);
    if kind & 128 != 0 {
        tariffs_as_the_core(&bytes, words[0], cipher, kind >> 1);
    }
}

fn batches() -> impl Iterator<Item = Batch> {
    Lanes::ALL.into_iter().filter_map(Batch::with_lanes)
}

fn decrypt(cipher: Cipher, key: u64, block: u64) -> u64 {
    match cipher {
        Cipher::Dea => Token::from_class_and_block(Class::Credit, block)
            .open(&DecoderKey::dea(key.to_be_bytes()))
            .unauthenticated_bits(),
        _ => DEPLOYED.decrypt(key, block),
    }
}

/// Whether a plain block of a class authenticates, as the core says.
fn holds(class: u8, plain: u64) -> bool {
    let class = match class & 3 {
        0 => Class::Credit,
        1 => Class::NonMeterSpecificManagement,
        2 => Class::MeterSpecificManagement,
        _ => return false,
    };
    Token::from_class_and_block(class, 0)
        .opened_elsewhere(plain, EncryptionAlgorithm::Sta)
        .authenticate()
        .is_ok()
}

fn rows_as_the_core(words: &[u64], count: usize, cipher: Cipher, kind: u8) {
    let column = |shift: usize| -> Vec<u64> {
        let turned = |at: usize| words[at % words.len()].rotate_left((at / words.len()) as u32);
        (shift..shift + count).map(turned).collect()
    };
    let (vending, blocks, tokens) = (column(0), column(1), column(2));
    let one_class = kind & 4 == 0;
    let classes: Vec<u8> =
        (0..count).map(|at| if one_class { kind & 3 } else { at as u8 & 3 }).collect();
    let mut derived: Option<Vec<u64>> = None;
    for batch in batches() {
        let mut plain = vec![0; count];
        batch.decrypt(cipher, &vending, &tokens, &mut plain);
        for row in 0..count {
            assert_eq!(plain[row], decrypt(cipher, vending[row], tokens[row]), "row {row}");
        }
        batch.decrypt_under(cipher, words[0], &tokens, &mut plain);
        for row in 0..count {
            assert_eq!(plain[row], decrypt(cipher, words[0], tokens[row]), "row {row}");
        }
        let mut keys = vec![0; count];
        batch.derive_dkga02(&vending, &blocks, &mut keys);
        let known = derived.get_or_insert_with(|| keys.clone());
        assert_eq!(*known, keys, "widths differ");
        for row in 0..count {
            // DKGA02 undone: DES under the vending key of key ^ block ^ vending is the block.
            let undone = keys[row] ^ blocks[row] ^ vending[row];
            assert_eq!(decrypt(Cipher::Dea, vending[row], undone), blocks[row], "row {row}");
        }
        let mut found = vec![true; count];
        batch.open_rows(cipher, &vending, &blocks, &classes, &tokens, &mut plain, &mut found);
        for row in 0..count {
            assert_eq!(plain[row], decrypt(cipher, keys[row], tokens[row]), "row {row}");
            assert_eq!(found[row], holds(classes[row], plain[row]), "row {row}");
        }
        let question = Question { class_bits: kind & 3, block: words[0] };
        let mut expected = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let plain = decrypt(cipher, *key, question.block);
            expected.extend(holds(question.class_bits, plain).then_some(Hit { index, plain }));
        }
        let mut hits = Vec::new();
        batch.search_blocks(&question, cipher, &vending, &blocks, &mut hits);
        assert_eq!(hits, expected);
        hits.clear();
        batch.open_under_many(&question, cipher, &keys, &mut hits);
        assert_eq!(hits, expected);
    }
}

/// Every tariff index of a group: the token is sealed for one of them, so that there is a hit.
fn tariffs_as_the_core(bytes: &[u8; 40], word: u64, cipher: Cipher, kind: u8) {
    let drn: String = bytes[20..30].iter().map(|digit| char::from(b'0' + digit % 10)).collect();
    let drn = format!("{drn}{}", key::luhn_check_digit(drn.as_bytes()));
    let pan = MeterPan::from_drn(&DecoderReferenceNumber::parse(&drn).expect("right digits"));
    let number = u32::from_be_bytes([0, bytes[30], bytes[31], bytes[32]]);
    let attributes = |ti: u8| KeyAttributes {
        sgc: SupplyGroupCode::new(number % 1_000_000).expect("six digits"),
        krn: KeyRevisionNumber::new(bytes[33] % 10).expect("one digit"),
        ti: TariffIndex::new(ti).expect("two digits"),
        kt: KeyType::from_code(bytes[34] & 3).expect("two bits"),
        ken: KeyExpiryNumber::NEVER,
    };
    let base = BaseDate::ALL[usize::from(bytes[35] % 3)];
    let (long, _) = bytes.split_first_chunk::<20>().expect("forty bytes");
    let (short, _) = bytes.split_first_chunk::<8>().expect("forty bytes");
    let ti = bytes[36] % 100;
    let class_bits = kind & 3;
    let is_hit =
        |hits: &[Hit]| class_bits & 1 == 1 || hits.iter().any(|hit| hit.index == usize::from(ti));

    // DKGA02.
    let ea = if matches!(cipher, Cipher::Dea) {
        EncryptionAlgorithm::Dea
    } else {
        EncryptionAlgorithm::Sta
    };
    let derived = |ti: u8| {
        let key = VendingKey::dkga02(*short).derive(&pan, ea, &attributes(ti), base);
        u64::from_be_bytes(key.expect("an allowed pair").expose_bytes().try_into().expect("8"))
    };
    let keys: Vec<u64> = (0..100).map(derived).collect();
    let key = DecoderKey::from_bytes(ea, &keys[usize::from(ti)].to_be_bytes()).expect("8 bytes");
    let question = Question { class_bits, block: block_for(&key, word, class_bits) };
    let block = pan.block(attributes(0).kt) ^ key::control_block(&attributes(0));
    let groups = [Group { vending: u64::from_be_bytes(*short), block }];
    let expected: Vec<Hit> = (0..100)
        .map(|index| Hit { index, plain: decrypt(cipher, keys[index], question.block) })
        .filter(|hit| holds(class_bits, hit.plain))
        .collect();
    assert!(is_hit(&expected));
    for batch in batches() {
        let mut hits = Vec::new();
        batch.search_tariffs(&question, cipher, &groups, &mut hits);
        assert_eq!(hits, expected);
        hits.clear();
        batch.derive_tariffs(&groups).open(&question, cipher, &mut hits);
        assert_eq!(hits, expected);
        let mut planes = batch.key_planes(&vec![0; 100]);
        (0..100).for_each(|index| planes.set(index, keys[index]));
        hits.clear();
        planes.open(&question, cipher, &mut hits);
        assert_eq!(hits, expected);
    }

    // DKGA04.
    for (cipher, ea) in [
        (Dkga04Cipher::Sta, EncryptionAlgorithm::Sta),
        (Dkga04Cipher::Misty1, EncryptionAlgorithm::Misty1),
    ] {
        let keys: Vec<DecoderKey> = (0..100)
            .map(|ti| VendingKey::dkga04(*long).derive(&pan, ea, &attributes(ti), base))
            .collect::<Result<_, _>>()
            .expect("an allowed pair");
        let block = block_for(&keys[usize::from(ti)], word, class_bits);
        let question = Question { class_bits, block };
        let expected: Vec<Hit> = keys
            .iter()
            .enumerate()
            .map(|(index, key)| Hit { index, plain: opened(key, question.block) })
            .filter(|hit| holds(class_bits, hit.plain))
            .collect();
        assert!(is_hit(&expected));
        let vending = Dkga04Key::new(long);
        let groups = [Dkga04Group::new(&vending, &pan, cipher, &attributes(0), base)];
        for batch in batches() {
            let mut hits = Vec::new();
            batch.search_tariffs_dkga04(&question, cipher, &groups, &mut hits);
            assert_eq!(hits, expected);
            hits.clear();
            batch.derive_tariffs_dkga04(cipher, &groups).open(&question, &mut hits);
            assert_eq!(hits, expected);
        }
    }
}

/// A block that authenticates under a key, in the classes that are encrypted.
fn block_for(key: &DecoderKey, word: u64, class_bits: u8) -> u64 {
    let class = match class_bits {
        0 => Class::Credit,
        2 => Class::MeterSpecificManagement,
        _ => return word,
    };
    let (subclass, data) = ((word >> 60) as u8, word >> 16 & 0xFFF_FFFF_FFFF);
    Token::seal(&Payload::Other { class, subclass, data }, key).block()
}

fn opened(key: &DecoderKey, block: u64) -> u64 {
    Token::from_class_and_block(Class::Credit, block).open(key).unauthenticated_bits()
}
