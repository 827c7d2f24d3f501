//! EA09, the Data Encryption Algorithm, on `u64` blocks and keys: the first byte is the most
//! significant.
//!
//! [FIPS 46-3], clauses 6.5.5 and 7.3.4: single DES in ECB mode on one block. It is also the cipher
//! inside DKGA01, DKGA02 and DKGA03. The work is done by the crate `des`; the parity bits of a key
//! do not matter to it.
//!
//! **EA09 is unverified.** No token under EA09 has been published, so the byte order of block and
//! key in such a token is an assumption (the same as under DKGA02, which is verified by tokens).
//! Edition 3 withdraws EA09.
//!
//! # Security
//!
//! A 56-bit key can be searched in days. Whether the work takes constant time is for the crate
//! `des` to say.
//!
//! [FIPS 46-3]: https://csrc.nist.gov/pubs/fips/46-3/final

#[cfg(feature = "ea09")]
use des::cipher::BlockCipherDecrypt;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};

// ------------------------------------------------------------------------------------ encryption

/// Encrypts one block by single DES.
pub(crate) fn encrypt(key: u64, block: u64) -> u64 {
    let mut bytes = block.to_be_bytes().into();
    Des::new(&key.to_be_bytes().into()).encrypt_block(&mut bytes);
    u64::from_be_bytes(bytes.into())
}

/// Encrypts one block by Triple DES: encrypt under `k1`, decrypt under `k2`, encrypt under `k1`.
pub(crate) fn ede2_encrypt(k1: u64, k2: u64, block: u64) -> u64 {
    let mut bytes = block.to_be_bytes().into();
    let key = u128::from(k1) << 64 | u128::from(k2);
    TdesEde2::new(&key.to_be_bytes().into()).encrypt_block(&mut bytes);
    u64::from_be_bytes(bytes.into())
}

// ------------------------------------------------------------------------------------ decryption

/// Decrypts one block by single DES.
#[cfg(feature = "ea09")]
pub(crate) fn decrypt(key: u64, block: u64) -> u64 {
    let mut bytes = block.to_be_bytes().into();
    Des::new(&key.to_be_bytes().into()).decrypt_block(&mut bytes);
    u64::from_be_bytes(bytes.into())
}

// ----------------------------------------------------------------------------------------- tests

#[cfg(test)]
mod tests {
    use super::*;

    /// Key, plain, encrypted: FIPS 81, appendix B, and two examples widely reprinted.
    const PUBLISHED: [(u64, u64, u64); 4] = [
        (0x0123_4567_89ab_cdef, 0x4e6f_7720_6973_2074, 0x3fa4_0e8a_984d_4815),
        (0x0123_4567_89ab_cdef, 0x6865_2074_696d_6520, 0x6a27_1787_ab88_83f9),
        (0x0123_4567_89ab_cdef, 0x666f_7220_616c_6c20, 0x893d_51ec_4b56_3b53),
        (0x1334_5779_9bbc_dff1, 0x0123_4567_89ab_cdef, 0x85e8_1354_0f0a_b405),
    ];

    #[test]
    fn encrypt_of_published_blocks_is_as_published() {
        for (key, plain, encrypted) in PUBLISHED {
            assert_eq!(encrypt(key, plain), encrypted);
        }
    }

    #[test]
    fn decrypt_of_published_blocks_is_as_published() {
        for (key, plain, encrypted) in PUBLISHED {
            assert_eq!(decrypt(key, encrypted), plain);
        }
    }

    #[test]
    fn encrypt_with_other_parity_bits_is_the_same() {
        for (key, plain, encrypted) in PUBLISHED {
            assert_eq!(encrypt(key ^ 0x0101_0101_0101_0101, plain), encrypted);
        }
    }

    #[test]
    fn ede2_encrypt_is_encrypt_decrypt_encrypt() {
        let (k1, k2, plain) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0x1111);
        assert_eq!(ede2_encrypt(k1, k2, plain), encrypt(k1, decrypt(k2, encrypt(k1, plain))));
        assert_eq!(ede2_encrypt(k1, k1, plain), encrypt(k1, plain));
    }
}
