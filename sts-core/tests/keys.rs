//! Keys as values: what names them, when two are the same, which lengths they have, and that they are
//! wiped.

use sts_core::cipher::sta::SAMPLE;
use sts_core::{DecoderKey, EncryptionAlgorithm, KeyDerivation, VendingKey};

/// By Python's `hmac`: the first three bytes of HMAC-SHA-256 over `sts-key-fingerprint`.
#[test]
fn fingerprints_are_those_of_another_implementation() {
    let short = [0xab; 8];
    let long: Vec<u8> = (0..16).map(|byte| byte * 0x11).collect();
    let longest = [&[0xab; 8][..], &[0x94; 8], &[0x01, 0x23, 0x45, 0x67]].concat();
    assert_eq!(DecoderKey::sta([0; 8]).fingerprint(), [0xef, 0xd6, 0xcc]);
    assert_eq!(DecoderKey::sta(short).fingerprint(), [0x7b, 0x17, 0xf9]);
    assert_eq!(VendingKey::dkga02(short).fingerprint(), [0x7b, 0x17, 0xf9]);
    let ea11 = DecoderKey::from_bytes(EncryptionAlgorithm::Misty1, &long).unwrap();
    assert_eq!(ea11.fingerprint(), [0x72, 0x5b, 0xf1]);
    let dkga04 = VendingKey::from_bytes(KeyDerivation::Dkga04, &longest).unwrap();
    assert_eq!(dkga04.fingerprint(), [0x47, 0x79, 0x70]);
}

#[test]
fn keys_have_the_length_of_their_algorithm() {
    for length in 0..40 {
        let bytes = vec![7; length];
        for ea in EncryptionAlgorithm::ALL {
            match DecoderKey::from_bytes(ea, &bytes) {
                Ok(key) => assert_eq!((key.ea(), key.expose_bytes()), (ea, &*bytes)),
                Err(wrong) => assert_eq!((wrong.expected, wrong.found), (ea.key_length(), length)),
            }
            assert_eq!(DecoderKey::from_bytes(ea, &bytes).is_ok(), length == ea.key_length());
        }
        for dkga in KeyDerivation::ALL {
            match VendingKey::from_bytes(dkga, &bytes) {
                Ok(key) => assert_eq!((key.dkga(), key.expose_bytes()), (dkga, &*bytes)),
                Err(wrong) => {
                    assert_eq!((wrong.expected, wrong.found), (dkga.key_length(), length))
                }
            }
            assert_eq!(VendingKey::from_bytes(dkga, &bytes).is_ok(), length == dkga.key_length());
        }
    }
}

#[test]
fn keys_are_the_same_in_every_byte_and_in_what_they_are_for() {
    let key = DecoderKey::sta([0x55; 8]);
    assert!(key.same_as(&key.clone()));
    for bit in 0..64 {
        let other = DecoderKey::sta((u64::from_be_bytes([0x55; 8]) ^ 1 << bit).to_be_bytes());
        assert!(!key.same_as(&other) && !other.same_as(&key), "{bit}");
    }
    assert!(!key.same_as(&DecoderKey::dea([0x55; 8])));
    assert!(!key.same_as(&DecoderKey::sta_with_tables([0x55; 8], &SAMPLE)));
    assert!(!DecoderKey::misty1([0x55; 16]).same_as(&key));
}

#[test]
fn parity_is_that_of_des() {
    let of = |key: [u8; 8]| VendingKey::dkga02(key).has_even_parity();
    assert!(!of([0x01; 8]) && !of([0xfe; 8]) && !of([0x07, 1, 1, 1, 1, 1, 1, 0x80]));
    for byte in 0..8 {
        let mut key = [0x01; 8];
        key[byte] = 0x03;
        assert!(of(key), "{byte}");
    }
    assert!(!VendingKey::dkga04([0; 20]).has_even_parity(), "no key of DES");
}

/// What keys leave in memory when they are dropped.
#[cfg(feature = "zeroize")]
#[test]
fn keys_are_wiped_when_they_are_dropped() {
    use core::mem::MaybeUninit;
    use core::ops::Range;

    use sts_core::cipher::misty1::Misty1;

    /// The bytes at some places of a value, before it is dropped and after.
    fn bytes<T>(value: T, places: impl Fn(&T) -> Range<*const u8>) -> [Vec<u8>; 2] {
        let mut place = MaybeUninit::new(value);
        // SAFETY: the value is there until it is dropped, once.
        let Range { start, end } = places(unsafe { place.assume_init_ref() });
        let (offset, length) = (start.addr() - place.as_ptr().addr(), end.addr() - start.addr());
        let read = |from: *const T| {
            // SAFETY: the place outlives what was in it, and these bytes of it were written.
            unsafe { core::slice::from_raw_parts(from.cast::<u8>().add(offset), length) }.to_vec()
        };
        let before = read(place.as_ptr());
        unsafe { place.assume_init_drop() };
        [before, read(place.as_ptr())]
    }

    for ea in EncryptionAlgorithm::ALL {
        let secret = vec![0xA5; ea.key_length()];
        let key = DecoderKey::from_bytes(ea, &secret).unwrap();
        let [before, after] = bytes(key, |key| key.expose_bytes().as_ptr_range());
        assert_eq!((before, after), (secret, vec![0; ea.key_length()]), "{ea:?}");
    }
    for dkga in KeyDerivation::ALL {
        let secret = vec![0xA5; dkga.key_length()];
        let key = VendingKey::from_bytes(dkga, &secret).unwrap();
        let [before, after] = bytes(key, |key| key.expose_bytes().as_ptr_range());
        assert_eq!((before, after), (secret, vec![0; dkga.key_length()]), "{dkga:?}");
    }
    // Words of 16 bits, without padding: the key itself is among them.
    let [before, after] = bytes(Misty1::new(&[0xA5; 16]), |schedule| {
        let Range { start, end } = core::slice::from_ref(schedule).as_ptr_range();
        start.cast()..end.cast()
    });
    assert!(before.windows(16).any(|bytes| bytes == [0xA5; 16]));
    assert!(after.iter().all(|byte| *byte == 0));
}
