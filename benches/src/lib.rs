//! The straightforward way to open an EA07 token, written as the steps are described: what
//! `sts-core` is measured against. The same answers, no table beyond the algorithm's own.

pub mod measure;
pub mod table;

use sts_core::DecoderKey;

/// A published test token under a key derived from a published test vending key: STS 531-1-07.
pub const TOKEN: &str = "65888845143544128525";
/// That key.
pub const KEY: u64 = 0x8fbf_a995_248b_f7f8;

/// The published token's key, ready for `sts-core`.
#[must_use]
pub fn ready_key() -> DecoderKey {
    DecoderKey::sta(KEY.to_be_bytes())
}

/// What a credit token says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Credit {
    /// 0 to 15.
    pub subclass: u8,
    /// 0 to 15.
    pub rnd: u8,
    /// Minutes.
    pub tid: u32,
    /// The amount as its 16-bit field.
    pub field: u16,
}

#[rustfmt::skip]
const S1: [u8; 16] =
    [14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11];
#[rustfmt::skip]
const S2: [u8; 16] =
    [12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14];
#[rustfmt::skip]
const P: [u8; 64] = [
    55, 42, 10, 18, 24, 21, 44, 35,  2, 22, 56, 43, 27, 58,  9, 50,
     6, 36, 12, 61, 37, 38, 53, 16, 62,  3,  7,  4, 32, 20, 63, 25,
    51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13,  5,
    40, 60, 39, 11, 15, 17,  1,  0, 57, 34, 59,  8, 47, 14, 45, 26,
];

const fn inverse(table: [u8; 16]) -> [u8; 16] {
    let mut inverse = [0; 16];
    let mut at = 0;
    while at < 16 {
        inverse[table[at] as usize] = at as u8;
        at += 1;
    }
    inverse
}

const INVERSES: [[u8; 16]; 2] = [inverse(S2), inverse(S1)];

/// Opens a class 0 token of twenty digits; `None` where it is none or does not authenticate.
#[must_use]
pub fn open(text: &str, key: u64) -> Option<Credit> {
    let mut digits = 0;
    let mut bits = 0_u128;
    for found in text.chars() {
        match found.to_digit(10) {
            Some(digit) => {
                bits = bits * 10 + u128::from(digit);
                digits += 1;
            }
            None if found == ' ' || found == '-' => {}
            None => return None,
        }
        if digits > 20 {
            return None;
        }
    }
    if digits != 20 || bits >> 66 != 0 {
        return None;
    }
    // The class stands in bits 28 and 27; the two bits it displaced are at the top.
    let class = (bits >> 27 & 3) as u8;
    let sealed = (bits & !(3 << 27) | (bits >> 64 & 3) << 27) as u64;
    if class != 0 {
        return None;
    }
    let block = decrypt(key, sealed);
    if crc(class, block) != block as u16 {
        return None;
    }
    Some(Credit {
        subclass: (block >> 60) as u8,
        rnd: (block >> 56 & 15) as u8,
        tid: (block >> 32 & 0xff_ffff) as u32,
        field: (block >> 16) as u16,
    })
}

/// Sixteen rounds: permute back bit by bit, substitute back nibble by nibble, rotate the key.
#[must_use]
pub fn decrypt(mut key: u64, mut block: u64) -> u64 {
    for _ in 0..16 {
        let mut permuted = 0;
        for (bit, from) in P.iter().enumerate() {
            permuted |= (block >> from & 1) << bit;
        }
        block = 0;
        for nibble in 0..16 {
            let table = &INVERSES[(key >> (4 * nibble) & 1) as usize];
            let value = table[(permuted >> (4 * nibble) & 15) as usize];
            block |= u64::from(value) << (4 * nibble);
        }
        key = key.rotate_right(1);
    }
    block
}

/// Seven bytes, bit by bit; the field has the register's bytes swapped.
#[must_use]
pub fn crc(class: u8, block: u64) -> u16 {
    let bytes = ((u64::from(class) << 48) | block >> 16).to_be_bytes();
    let mut register = 0xffff_u16;
    for byte in &bytes[1..] {
        register ^= u16::from(*byte);
        for _ in 0..8 {
            let out = register & 1;
            register >>= 1;
            if out == 1 {
                register ^= 0xa001;
            }
        }
    }
    register.swap_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sts_core::{Payload, Token};

    #[test]
    fn straightforward_form_says_what_the_core_says() {
        let key = ready_key();
        let payload = Token::parse(TOKEN).unwrap().open(&key).authenticate().unwrap();
        let Payload::Credit { commodity, rnd, tid, amount } = payload else { panic!() };
        let expected =
            Credit { subclass: commodity as u8, rnd, tid: tid.get(), field: amount.field() };
        assert_eq!(open(TOKEN, KEY), Some(expected));
        assert_eq!(open(TOKEN, KEY ^ 1), None);
        for block in (0..1000).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            assert_eq!(
                decrypt(KEY ^ block, block),
                sts_core::cipher::sta::DEPLOYED.decrypt(KEY ^ block, block)
            );
            assert_eq!(crc(0, block), sts_core::crc::crc(0, block));
        }
    }
}
