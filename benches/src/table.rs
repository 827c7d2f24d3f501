//! A table of tokens to verify: credit tokens, each of a meter and so a key of its own; one in
//! sixteen does not authenticate.

use sts_core::key::{EncryptionAlgorithm, KeyAttributes, luhn_check_digit};
use sts_core::{
    Amount, Commodity, DecoderReferenceNumber, KeyExpiryNumber, MeterPan, Payload, TariffIndex,
    Token, TokenId,
};
use sts_harness::keys::{KeyRing, Locked};

/// Vending keys.
const KEYS: usize = 8;

fn mixed(at: u64) -> u64 {
    let at = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (at ^ at >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// Each byte's last bit is set or cleared so that its ones are odd in number.
fn odd_parity(key: u64) -> u64 {
    let byte = |byte: u8| byte & 0xfe | u8::from((byte & 0xfe).count_ones().is_multiple_of(2));
    u64::from_be_bytes(key.to_be_bytes().map(byte))
}

/// Some test keys, as a key file.
#[must_use]
pub fn keys() -> String {
    let key = |at: usize| {
        format!(
            "[[vending_key]]\nid = \"key-{at}\"\npurpose = \"test\"\nsgc = \"{:06}\"\nkrn = 1\nkt = 2\n\
             dkga = \"02\"\nbase_date = 2014\nkey = \"{:016x}\"\n",
            600_000 + at,
            odd_parity(mixed(at as u64)),
        )
    };
    (0..KEYS).map(key).collect()
}

/// The same, read.
///
/// # Panics
///
/// Never: they are good.
#[must_use]
pub fn ring() -> KeyRing {
    KeyRing::parse("keys", &keys(), &mut Locked).expect("good keys")
}

/// The first line.
pub const HEADER: &str = "id,pan,ea,sgc,krn,ti,kt,token,note\n";

/// The table, as CSV.
///
/// # Panics
///
/// Never: what it is made of is good.
#[must_use]
pub fn table(ring: &KeyRing, rows: u64) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    for row in 0..rows {
        let bits = mixed(row);
        let serial = format!("{:010}", bits % 9_999_999_999);
        let drn = format!("{serial}{}", luhn_check_digit(serial.as_bytes()));
        let pan = MeterPan::from_drn(&DecoderReferenceNumber::parse(&drn).expect("a check digit"));
        let entry = &ring.vending[bits as usize % KEYS];
        let ti = TariffIndex::new((bits >> 20) as u8 % 100).expect("below 100");
        let (sgc, krn, kt) = (entry.sgc, entry.krn, entry.kt);
        let attributes = KeyAttributes { sgc, krn, ti, kt, ken: KeyExpiryNumber::NEVER };
        let ea = EncryptionAlgorithm::Sta;
        let key = entry.key.derive(&pan, ea, &attributes, entry.base_date).expect("64 bits");
        let payload = Payload::Credit {
            commodity: Commodity::Electricity,
            rnd: (bits >> 24) as u8 & 15,
            tid: TokenId::new((bits >> 28) as u32 % 6_000_000).expect("24 bits"),
            amount: Amount::from_field((bits >> 52) as u16),
        };
        let token = Token::seal(&payload, &key);
        let spoilt = Token::from_class_and_block(token.class(), token.block() ^ 1);
        let token = if row % 16 == 0 { spoilt } else { token };
        let (ea, kt) = (ea.code(), kt.code());
        text += &format!("{row},{pan},{ea},{sgc},{krn},{ti},{kt},{token},{:020}\n", bits);
    }
    text.into_bytes()
}
