//! Two algorithms and the derivation of keys.

use core::hint::black_box;

use sts_core::cipher::misty1::Misty1;
use sts_core::cipher::sta;
use sts_core::crc::crc;
use sts_core::{
    Amount, BaseDate, Class, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex, Token, TokenId, VendingKey,
};

use crate::harness::{measure, text};

/// The key, of which EA07 has the first half. Apart from `open`, so that its stack is free again.
#[inline(never)]
fn derive(long: bool, pan: &str, vending_key: &[u8; 20]) -> Option<[u8; 16]> {
    let ea = if long { EncryptionAlgorithm::Misty1 } else { EncryptionAlgorithm::Sta };
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(201_457).ok()?,
        krn: KeyRevisionNumber::new(1).ok()?,
        ti: TariffIndex::new(1).ok()?,
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let pan = MeterPan::parse(pan).ok()?;
    let vending_key = VendingKey::dkga04(*vending_key);
    let derived = vending_key.derive(&pan, ea, &attributes, BaseDate::Y2014).ok()?;
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(derived.expose_bytes()) {
        *to = *from;
    }
    Some(key)
}

/// A credit of units.
struct Credit {
    tid: TokenId,
    amount: Amount,
}

/// Opens a credit under a key of one of the two algorithms: the others are not linked.
///
/// On the parts of the core, as the image `ea07` does.
#[inline(never)]
fn open(long: bool, keyed: &[u8; 20], key: &[u8; 16]) -> Option<Credit> {
    let token = Token::from_digits(keyed)?;
    if token.class() != Class::Credit {
        return None;
    }
    let block = if long {
        Misty1::new(key).decrypt(token.block())
    } else {
        let [a, b, c, d, e, f, g, h, ..] = *key;
        sta::DEPLOYED.decrypt(u64::from_be_bytes([a, b, c, d, e, f, g, h]), token.block())
    };
    let [c0, c1, v0, v1, t0, t1, t2, top] = block.to_le_bytes();
    let good = crc(0, block) == u16::from_le_bytes([c0, c1]) && top >> 4 <= 3;
    let tid = TokenId::new(u32::from_le_bytes([t0, t1, t2, 0])).ok()?;
    good.then_some(Credit { tid, amount: Amount::from_field(u16::from_le_bytes([v0, v1])) })
}

static mut GOOD: u8 = 0;

#[unsafe(link_section = ".harness.text")]
static VENDING_KEY: [u8; 20] = [
    0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0xAB, 0x94, 0x94, 0x94, 0x94, 0x94, 0x94, 0x94, 0x94,
    0x01, 0x23, 0x45, 0x67,
];

#[inline(never)]
#[unsafe(link_section = ".harness")]
fn with(long: bool, keyed: &[u8; 20]) {
    let pan = black_box("600727000000000009");
    let key = derive(long, pan, black_box(&VENDING_KEY));
    let said = key.and_then(|key| open(long, black_box(keyed), &key));
    let units = said.map_or(0, |said| said.amount.units() + (said.tid.get() >> 24));
    let good = u8::from(units > 0);
    #[cfg(feature = "planted-panic")]
    assert!(black_box(good) < 2, "planted");
    // SAFETY: there is one thread.
    unsafe { GOOD += good };
}

fn ea07() {
    #[unsafe(link_section = ".harness.text")]
    static KEYED: [u8; 20] = [0, 5, 6, 9, 1, 6, 7, 2, 7, 8, 4, 0, 2, 9, 1, 2, 8, 4, 1, 2];
    with(black_box(false), &KEYED);
}

fn ea11() {
    #[unsafe(link_section = ".harness.text")]
    static KEYED: [u8; 20] = [2, 3, 6, 4, 1, 5, 5, 3, 6, 6, 5, 3, 9, 8, 1, 5, 4, 7, 0, 2];
    with(black_box(true), &KEYED);
}

#[unsafe(link_section = ".harness")]
pub(crate) fn run() -> bool {
    measure(text!(b"derive-open-ea07 \0"), ea07);
    measure(text!(b"derive-open-ea11 \0"), ea11);
    // SAFETY: there is one thread.
    unsafe { (&raw const GOOD).read_volatile() == 2 }
}
