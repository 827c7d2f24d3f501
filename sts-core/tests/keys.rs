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

/// What a key leaves in memory when it is dropped.
#[cfg(feature = "zeroize")]
#[test]
fn keys_are_wiped_when_they_are_dropped() {
    use core::mem::MaybeUninit;

    fn left<T>(key: T, bytes: impl Fn(&T) -> &[u8]) -> Vec<u8> {
        let mut place = MaybeUninit::new(key);
        // SAFETY: the key is there until it is dropped, once.
        let held = unsafe { bytes(place.assume_init_ref()) };
        let (length, address) = (held.len(), held.as_ptr().addr());
        assert!(held.iter().all(|byte| *byte == 0xA5) && length >= 8);
        let offset = address - place.as_ptr().addr();
        unsafe { place.assume_init_drop() };
        // SAFETY: the place outlives what was in it, and these bytes of it were written.
        unsafe { core::slice::from_raw_parts(place.as_ptr().cast::<u8>().add(offset), length) }
            .to_vec()
    }

    for ea in EncryptionAlgorithm::ALL {
        let key = DecoderKey::from_bytes(ea, &vec![0xA5; ea.key_length()]).unwrap();
        assert_eq!(left(key, DecoderKey::expose_bytes), vec![0; ea.key_length()], "{ea:?}");
    }
    for dkga in KeyDerivation::ALL {
        let key = VendingKey::from_bytes(dkga, &vec![0xA5; dkga.key_length()]).unwrap();
        assert_eq!(left(key, VendingKey::expose_bytes), vec![0; dkga.key_length()], "{dkga:?}");
    }
}
