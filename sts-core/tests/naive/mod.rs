//! The slow and obvious oracle: tokens as lists of bits and digits, written from the description.
//!
//! Shares no code with the library. Speed is no aim; that each line can be held against the
//! standard is.

#![allow(dead_code, reason = "each test uses its own part of the oracle")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_lossless,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs,
    reason = "an oracle that stops at a fault of its own is what a test wants"
)]

// ------------------------------------------------------------------------------------------ bits

/// The low `count` bits of `value`, most significant first.
pub fn bits(value: u64, count: usize) -> Vec<bool> {
    (0..count).rev().map(|place| value >> place & 1 == 1).collect()
}

/// The number whose bits these are, most significant first.
pub fn number(bits: &[bool]) -> u64 {
    assert!(bits.len() <= 64);
    bits.iter().fold(0, |number, &bit| number << 1 | bit as u64)
}

fn xor(a: &[bool], b: &[bool]) -> Vec<bool> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

// ------------------------------------------------------------------------------------------- STA

/// Which tables of EA07.
#[derive(Clone, Copy, Debug)]
pub enum StaTables {
    Deployed,
    Sample,
}

impl StaTables {
    fn s1(self) -> [u8; 16] {
        match self {
            Self::Deployed => [14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11],
            Self::Sample => [12, 10, 8, 4, 3, 15, 0, 2, 14, 1, 5, 13, 6, 9, 7, 11],
        }
    }

    fn s2(self) -> [u8; 16] {
        match self {
            Self::Deployed => [12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14],
            Self::Sample => [6, 9, 7, 4, 3, 10, 12, 14, 2, 13, 1, 15, 0, 11, 8, 5],
        }
    }

    fn p(self) -> [usize; 64] {
        match self {
            Self::Deployed => [
                55, 42, 10, 18, 24, 21, 44, 35, 2, 22, 56, 43, 27, 58, 9, 50, 6, 36, 12, 61, 37,
                38, 53, 16, 62, 3, 7, 4, 32, 20, 63, 25, 51, 52, 54, 33, 49, 19, 46, 29, 48, 31,
                23, 30, 41, 28, 13, 5, 40, 60, 39, 11, 15, 17, 1, 0, 57, 34, 59, 8, 47, 14, 45, 26,
            ],
            Self::Sample => [
                29, 27, 34, 9, 16, 62, 55, 2, 40, 49, 38, 25, 33, 61, 30, 23, 1, 41, 21, 57, 42,
                15, 5, 58, 19, 53, 22, 17, 48, 28, 24, 39, 3, 60, 36, 14, 11, 52, 54, 12, 31, 51,
                10, 26, 0, 45, 37, 43, 44, 6, 59, 4, 7, 35, 56, 50, 13, 18, 32, 47, 46, 63, 20, 8,
            ],
        }
    }
}

/// Bits by their number: bit 0 is the least significant.
fn numbered(value: u64) -> Vec<bool> {
    let mut bits = bits(value, 64);
    bits.reverse();
    bits
}

fn from_numbered(mut bits: Vec<bool>) -> u64 {
    bits.reverse();
    number(&bits)
}

pub fn sta_encrypt(tables: StaTables, key: u64, block: u64) -> u64 {
    let mut key: Vec<bool> = numbered(key).into_iter().map(|bit| !bit).collect();
    // To the right: towards the least significant bit, number 0.
    key.rotate_left(12);
    let mut data = numbered(block);
    for _ in 0..16 {
        for nibble in 0..16 {
            let s = if key[4 * nibble + 3] { tables.s2() } else { tables.s1() };
            substitute(&mut data, nibble, s);
        }
        let mut permuted = vec![false; 64];
        for bit in 0..64 {
            permuted[tables.p()[bit]] = data[bit];
        }
        data = permuted;
        key.rotate_right(1);
    }
    from_numbered(data)
}

pub fn sta_decrypt(tables: StaTables, key: u64, block: u64) -> u64 {
    let mut key = numbered(key);
    let mut data = numbered(block);
    for _ in 0..16 {
        let mut permuted = vec![false; 64];
        for bit in 0..64 {
            permuted[bit] = data[tables.p()[bit]];
        }
        data = permuted;
        for nibble in 0..16 {
            let s = if key[4 * nibble] { tables.s1() } else { tables.s2() };
            let mut inverse = [0; 16];
            for value in 0..16 {
                inverse[s[value] as usize] = value as u8;
            }
            substitute(&mut data, nibble, inverse);
        }
        key.rotate_left(1);
    }
    from_numbered(data)
}

fn substitute(data: &mut [bool], nibble: usize, s: [u8; 16]) {
    let bits = &mut data[4 * nibble..4 * nibble + 4];
    let value = (0..4).filter(|&bit| bits[bit]).map(|bit| 1 << bit).sum::<usize>();
    for (bit, to) in bits.iter_mut().enumerate() {
        *to = s[value] >> bit & 1 == 1;
    }
}

// ---------------------------------------------------------------------------------------- MISTY1

/// S7 by its algebraic form, one line for each bit of the result, bit 0 first. A term is the
/// product of the bits of the argument it names; the last term `1` is the constant.
const S7: [&str; 7] = [
    "0 13 034 15 025 45 016 26 056 356 +",
    "02 04 34 15 245 6 06 36 236 146 056 +",
    "12 023 4 14 014 05 045 345 16 36 036 46 246",
    "0 1 012 03 24 145 26 136 046 56 +",
    "23 04 134 5 25 125 035 16 156 456 +",
    "0 1 2 012 03 123 14 024 05 015 35 06 256",
    "01 3 03 234 05 25 35 135 16 126 036 46 256",
];

/// S9 likewise.
const S9: [&str; 9] = [
    "04 05 15 16 26 27 37 38 48 +",
    "02 3 13 23 34 45 06 26 7 08 38 58 +",
    "01 13 4 04 24 34 45 06 56 17 37 8",
    "0 12 24 5 15 35 45 56 17 67 28 48",
    "1 03 23 05 35 6 26 46 56 67 28 78",
    "2 03 14 34 16 46 7 37 57 67 08 78",
    "01 3 14 25 45 27 57 8 08 48 68 78 +",
    "1 01 12 23 04 5 16 36 07 47 67 18 +",
    "0 01 12 4 05 25 36 56 07 08 38 68 +",
];

fn algebraic(formulas: &[&str], argument: u64) -> u64 {
    let product = |term: &str| match term {
        "+" => true,
        _ => term.bytes().all(|digit| argument >> (digit - b'0') & 1 == 1),
    };
    let mut result = 0;
    for (bit, formula) in formulas.iter().enumerate() {
        let terms = formula.split(' ').filter(|term| product(term)).count();
        result |= (terms as u64 % 2) << bit;
    }
    result
}

/// FI: the halves are of nine and seven bits.
fn misty1_fi(input: u64, key: u64) -> u64 {
    let (nine, seven) = (input >> 7, input & 0x7f);
    let nine = algebraic(&S9, nine) ^ seven;
    let seven = algebraic(&S7, seven) ^ (nine & 0x7f);
    let (seven, nine) = (seven ^ key >> 9, nine ^ key & 0x1ff);
    let nine = algebraic(&S9, nine) ^ seven;
    seven << 9 | nine
}

/// K1 to K8 and K'1 to K'8, each asked for by its number 1 to 8, taken round the end.
struct Misty1Key {
    k: Vec<u64>,
    derived: Vec<u64>,
}

impl Misty1Key {
    fn new(key: &[u8]) -> Self {
        assert_eq!(key.len(), 16);
        let k: Vec<u64> = key.chunks(2).map(|b| b[0] as u64 * 256 + b[1] as u64).collect();
        let derived = (0..8).map(|i| misty1_fi(k[i], k[(i + 1) % 8])).collect();
        Self { k, derived }
    }

    fn k(&self, i: usize) -> u64 {
        self.k[(i - 1) % 8]
    }

    fn derived(&self, i: usize) -> u64 {
        self.derived[(i - 1) % 8]
    }

    /// FO number `i`, 1 to 8, with its keys by the standard's table.
    fn fo(&self, i: usize, input: u64) -> u64 {
        let ko = [self.k(i), self.k(i + 2), self.k(i + 7), self.k(i + 4)];
        let ki = [self.derived(i + 5), self.derived(i + 1), self.derived(i + 3)];
        let (mut left, mut right) = (input >> 16, input & 0xffff);
        for j in 0..3 {
            (left, right) = (right, misty1_fi(left ^ ko[j], ki[j]) ^ right);
        }
        (left ^ ko[3]) << 16 | right
    }

    /// The keys of FL number `i`, 1 to 10.
    fn kl(&self, i: usize) -> (u64, u64) {
        if i % 2 == 1 {
            (self.k(i.div_ceil(2)), self.derived(i.div_ceil(2) + 6))
        } else {
            (self.derived(i / 2 + 2), self.k(i / 2 + 4))
        }
    }

    fn fl(&self, i: usize, input: u64) -> u64 {
        let (and, or) = self.kl(i);
        let (left, right) = (input >> 16, input & 0xffff);
        let right = right ^ (left & and);
        let left = left ^ (right | or);
        left << 16 | right
    }

    fn fl_inverse(&self, i: usize, output: u64) -> u64 {
        let (and, or) = self.kl(i);
        let (left, right) = (output >> 16, output & 0xffff);
        let left = left ^ (right | or);
        let right = right ^ (left & and);
        left << 16 | right
    }
}

pub fn misty1_encrypt(key: &[u8], block: u64) -> u64 {
    let key = Misty1Key::new(key);
    let (mut left, mut right) = (block >> 32, block & 0xffff_ffff);
    for round in 1..=8 {
        if round % 2 == 1 {
            left = key.fl(round, left);
            right = key.fl(round + 1, right);
        }
        (left, right) = (right ^ key.fo(round, left), left);
    }
    key.fl(10, right) << 32 | key.fl(9, left)
}

pub fn misty1_decrypt(key: &[u8], block: u64) -> u64 {
    let key = Misty1Key::new(key);
    let mut right = key.fl_inverse(10, block >> 32);
    let mut left = key.fl_inverse(9, block & 0xffff_ffff);
    for round in (1..=8).rev() {
        (left, right) = (right, left ^ key.fo(round, right));
        if round % 2 == 1 {
            left = key.fl_inverse(round, left);
            right = key.fl_inverse(round + 1, right);
        }
    }
    left << 32 | right
}

// ------------------------------------------------------------------------------------------- DES

/// The tables of FIPS 46-3, bits counted from 1 at the left.
const IP: [usize; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, //
    62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8, //
    57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, //
    61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];
const E: [usize; 48] = [
    32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, //
    8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17, //
    16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, //
    24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
];
const P: [usize; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, //
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];
const PC1: [usize; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, //
    10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36, //
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, //
    14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
const PC2: [usize; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, //
    23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, //
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, //
    44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const SHIFTS: [usize; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
/// S1 to S8, four rows each, a hexadecimal digit for each entry.
const DES_S: [[&str; 4]; 8] = [
    ["e4d12fb83a6c5907", "0f74e2d1a6cb9538", "41e8d62bfc973a50", "fc8249175b3ea06d"],
    ["f18e6b34972dc05a", "3d47f28ec01a69b5", "0e7ba4d158c6932f", "d8a13f42b67c05e9"],
    ["a09e63f51dc7b428", "d709346a285ecbf1", "d6498f30b12c5ae7", "1ad069874fe3b52c"],
    ["7de3069a1285bc4f", "d8b56f03472c1ae9", "a690cb7df13e5284", "3f06a1d8945bc72e"],
    ["2c417ab6853fd0e9", "eb2c47d150fa3986", "421bad78f9c5630e", "b8c71e2d6f09a453"],
    ["c1af92680d34e75b", "af427c9561de0b38", "9ef528c3704a1db6", "432c95fabe17608d"],
    ["4b2ef08d3c975a61", "d0b7491ae35c2f86", "14bdc37eaf680592", "6bd814a7950fe23c"],
    ["d2846fb1a93e50c7", "1fd8a374c56b0e92", "7b419ce206adf358", "21e74a8dfc90356b"],
];

fn select(from: &[bool], table: &[usize]) -> Vec<bool> {
    table.iter().map(|&place| from[place - 1]).collect()
}

fn des(key: u64, block: u64, decrypt: bool) -> u64 {
    let chosen = select(&bits(key, 64), &PC1);
    let (mut c, mut d) = (chosen[..28].to_vec(), chosen[28..].to_vec());
    let mut round_keys = Vec::new();
    for shift in SHIFTS {
        c.rotate_left(shift);
        d.rotate_left(shift);
        round_keys.push(select(&[&c[..], &d[..]].concat(), &PC2));
    }
    if decrypt {
        round_keys.reverse();
    }
    let start = select(&bits(block, 64), &IP);
    let (mut left, mut right) = (start[..32].to_vec(), start[32..].to_vec());
    for round_key in round_keys {
        let expanded = xor(&select(&right, &E), &round_key);
        let mut substituted = Vec::new();
        for (six, s) in expanded.chunks(6).zip(DES_S) {
            let row = number(&[six[0], six[5]]) as usize;
            let column = number(&six[1..5]) as usize;
            let value = s[row].as_bytes()[column] as char;
            substituted.extend(bits(value.to_digit(16).unwrap() as u64, 4));
        }
        (left, right) = (right, xor(&left, &select(&substituted, &P)));
    }
    let end = [right, left].concat();
    let mut result = vec![false; 64];
    for (bit, place) in end.into_iter().zip(IP) {
        result[place - 1] = bit;
    }
    number(&result)
}

pub fn des_encrypt(key: u64, block: u64) -> u64 {
    des(key, block, false)
}

pub fn des_decrypt(key: u64, block: u64) -> u64 {
    des(key, block, true)
}

pub fn tdes_ede2_encrypt(k1: u64, k2: u64, block: u64) -> u64 {
    des_encrypt(k1, des_decrypt(k2, des_encrypt(k1, block)))
}

// ------------------------------------------------------------------------------------------- CRC

/// The CRC field over the class and bits 63 to 16 of the block.
pub fn crc(class: u8, block: u64) -> u16 {
    checksum(class, block, &[])
}

/// The `CRC_C` field.
pub fn crc_c(class: u8, block: u64) -> u16 {
    checksum(class, block, &bits(1, 8))
}

fn checksum(class: u8, block: u64, suffix: &[bool]) -> u16 {
    let mut covered = vec![false; 6];
    covered.extend(bits(class as u64, 2));
    covered.extend(&bits(block, 64)[..48]);
    covered.extend(suffix);
    // x^15 first. Bytes come in turn, the bits of a byte from the least significant.
    let mut register = [true; 16];
    for byte in covered.chunks(8) {
        for &bit in byte.iter().rev() {
            let out = register[0] ^ bit;
            register.rotate_left(1);
            register[15] = false;
            for (place, tap) in register.iter_mut().rev().enumerate() {
                *tap ^= out && [15, 2, 0].contains(&place);
            }
        }
    }
    // Reflected: x^15 is bit 0 of the register's value. Low byte first.
    register.reverse();
    let (high, low) = register.split_at(8);
    number(&[low, high].concat()) as u16
}

// --------------------------------------------------------------------------- class, digits, token

/// The 20 digits of a block, encrypted or plain, with the class inserted at bits 28 and 27.
pub fn insert_class(class: u8, block: u64) -> String {
    let mut block = numbered(block);
    let (at_28, at_27) = (block[28], block[27]);
    (block[28], block[27]) = (class & 2 != 0, class & 1 != 0);
    block.push(at_27);
    block.push(at_28);
    let mut digits = vec![0; 20];
    for bit in block.into_iter().rev() {
        let mut carry = bit as u8;
        for digit in digits.iter_mut().rev() {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        assert_eq!(carry, 0);
    }
    digits.into_iter().map(|digit| char::from(b'0' + digit)).collect()
}

/// The class and the block, unless the 20 digits say more than 66 bits.
pub fn extract_class(token: &str) -> Option<(u8, u64)> {
    assert_eq!(token.len(), 20);
    let mut digits: Vec<u8> = token.bytes().map(|digit| digit - b'0').collect();
    let mut block = Vec::new();
    for _ in 0..66 {
        let mut rest = 0;
        for digit in &mut digits {
            let value = rest * 10 + *digit;
            (*digit, rest) = (value / 2, value % 2);
        }
        block.push(rest == 1);
    }
    if digits.iter().any(|&digit| digit != 0) {
        return None;
    }
    let class = number(&[block[28], block[27]]) as u8;
    block[28] = block.pop()?;
    block[27] = block.pop()?;
    Some((class, from_numbered(block)))
}

/// The 20 digits of a plain block under algorithm `ea` (7, 9 or 11); class 1 is never encrypted.
///
/// EA07 with the deployed tables.
pub fn seal(ea: u8, key: &[u8], class: u8, plain: u64) -> String {
    let block = match (class, ea) {
        (1, _) => plain,
        (_, 7) => sta_encrypt(StaTables::Deployed, key_number(key), plain),
        (_, 9) => des_encrypt(key_number(key), plain),
        (_, 11) => misty1_encrypt(key, plain),
        _ => panic!("no EA{ea:02}"),
    };
    insert_class(class, block)
}

/// The class and the plain block of a token, unless the digits say more than 66 bits.
pub fn unseal(ea: u8, key: &[u8], token: &str) -> Option<(u8, u64)> {
    let (class, block) = extract_class(token)?;
    let plain = match (class, ea) {
        (1, _) => block,
        (_, 7) => sta_decrypt(StaTables::Deployed, key_number(key), block),
        (_, 9) => des_decrypt(key_number(key), block),
        (_, 11) => misty1_decrypt(key, block),
        _ => panic!("no EA{ea:02}"),
    };
    Some((class, plain))
}

fn key_number(key: &[u8]) -> u64 {
    assert_eq!(key.len(), 8);
    let bits: Vec<bool> = key.iter().flat_map(|&byte| bits(byte as u64, 8)).collect();
    number(&bits)
}

// -------------------------------------------------------------------------------- key derivation

/// The PANBlock: a digit to each nibble. `pan` is the MeterPAN of 18 digits.
pub fn pan_block(pan: &str, kt: u8) -> u64 {
    assert_eq!(pan.len(), 18);
    let (iin, drn) =
        if pan.starts_with("0000") { pan[..17].split_at(4) } else { pan[..17].split_at(6) };
    let drn = if kt == 3 { "0".repeat(drn.len()) } else { drn.to_owned() };
    let digits = iin.to_owned() + &drn;
    nibbles(&digits[digits.len() - 16..])
}

/// The CONTROLBlock.
pub fn control_block(kt: u8, sgc: &str, ti: &str, krn: u8) -> u64 {
    assert!(sgc.len() == 6 && ti.len() == 2);
    nibbles(&format!("{kt}{sgc}{ti}{krn}FFFFFF"))
}

fn nibbles(digits: &str) -> u64 {
    assert_eq!(digits.len(), 16);
    let nibble = |digit: char| bits(digit.to_digit(16).unwrap() as u64, 4);
    number(&digits.chars().flat_map(nibble).collect::<Vec<bool>>())
}

/// DKGA01, withdrawn: the key enciphers nothing, it is what is enciphered.
pub fn dkga01(vk: u64, pan: &str, kt: u8, sgc: &str, ti: &str, krn: u8) -> u64 {
    let odd = vk.to_be_bytes().map(|byte| match byte.count_ones() % 2 {
        0 => byte ^ 1,
        _ => byte,
    });
    let vk = u64::from_be_bytes(odd);
    des_encrypt(pan_block(pan, kt) ^ control_block(kt, sgc, ti, krn), vk) ^ vk
}

/// DKGA03, withdrawn: DKGA02 with two keys and without the last of its sums.
pub fn dkga03(vk1: u64, vk2: u64, pan: &str, kt: u8, sgc: &str, ti: &str, krn: u8) -> u64 {
    let data = pan_block(pan, kt) ^ control_block(kt, sgc, ti, krn);
    tdes_ede2_encrypt(vk1, vk2, data) ^ data
}

/// DKGA02: the decoder key of a meter from the vending key.
pub fn dkga02(vk: u64, pan: &str, kt: u8, sgc: &str, ti: &str, krn: u8) -> u64 {
    let data = pan_block(pan, kt) ^ control_block(kt, sgc, ti, krn);
    des_encrypt(vk, data) ^ data ^ vk
}

// --------------------------------------------------------------------------------- amounts, Luhn

/// What a 16-bit amount field says: steps of 1, 10, 100, 1000, each range of 2^14 fields beginning
/// where the one before, had it one more field, would go on.
pub fn amount_decode(field: u16) -> u64 {
    let value: u128 = match (field >> 14, u128::from(field & 0x3fff)) {
        (0, m) => m,
        (1, m) => m * 10 + 16_384,
        (2, m) => m * 100 + 16_384 + 163_840,
        (_, m) => m * 1000 + 16_384 + 163_840 + 1_638_400,
    };
    value as u64
}

/// The first field that says at least `value`: amounts are rounded up.
pub fn amount_encode(value: u64) -> Option<u16> {
    (0..=u16::MAX).find(|&field| amount_decode(field) >= value)
}

/// The digit that completes `digits` by ISO/IEC 7812-1.
pub fn luhn(digits: &str) -> u8 {
    let mut sum = 0;
    for (place, digit) in digits.bytes().rev().enumerate() {
        let digit = digit - b'0';
        sum += match place % 2 {
            0 if digit > 4 => 2 * digit as u32 - 9,
            0 => 2 * digit as u32,
            _ => digit as u32,
        };
    }
    (0..10).find(|check| (sum + check) % 10 == 0).unwrap() as u8
}
