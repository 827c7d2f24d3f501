//! The smallest meter: twenty digits, one algorithm, fifty token identifiers.

use core::hint::black_box;

use sts_core::cipher::sta;
use sts_core::crc::crc;
use sts_core::{Amount, Class, Token, TokenId};

use crate::harness::{measure, text};

/// A credit of units.
struct Credit {
    subclass: u8,
    /// Tenths of the unit.
    units: u32,
}

/// What a token is worth: 0 authentic and new, 1 no token, 2 not authentic, 3 old, 4 used, 5 no credit
/// of units.
///
/// On the parts of the core alone: `authenticate` reads every class, and a meter this small takes one.
#[inline(never)]
fn validate(digits: &[u8; 20], key: u64, tids: &mut [TokenId; 50], said: &mut Credit) -> u8 {
    if digits.iter().any(|digit| *digit > 9) {
        return 1;
    }
    let Some(token) = Token::from_digits(digits) else { return 1 };
    if token.class() != Class::Credit {
        return 5;
    }
    let block = sta::DEPLOYED.decrypt(key, token.block());
    let [c0, c1, v0, v1, t0, t1, t2, top] = block.to_le_bytes();
    if crc(0, block) != u16::from_le_bytes([c0, c1]) {
        return 2;
    }
    let subclass = top >> 4;
    if subclass > 3 {
        return 5;
    }
    let Ok(tid) = TokenId::new(u32::from_le_bytes([t0, t1, t2, 0])) else { return 1 };
    let mut oldest = TokenId::MAX;
    let mut place = 0;
    for (at, kept) in tids.iter().enumerate() {
        if *kept == tid {
            return 4;
        }
        if *kept < oldest {
            (oldest, place) = (*kept, at);
        }
    }
    if tid < oldest {
        return 3;
    }
    if let Some(place) = tids.get_mut(place) {
        *place = tid;
    }
    let units = Amount::from_field(u16::from_le_bytes([v0, v1])).units();
    *said = Credit { subclass, units };
    0
}

static mut TIDS: [TokenId; 50] = [TokenId::MIN; 50];
static mut SAID: Credit = Credit { subclass: 0, units: 0 };
static mut CODE: u8 = 0;

#[inline(never)]
#[unsafe(link_section = ".harness")]
fn once() {
    // A published test key and token: 50.0 kWh.
    #[unsafe(link_section = ".harness.text")]
    static KEY: u64 = 0x87F3_ECBB_2E46_B48F;
    let key = *black_box(&KEY);
    #[unsafe(link_section = ".harness.text")]
    static KEYED: [u8; 20] = [0, 5, 6, 9, 1, 6, 7, 2, 7, 8, 4, 0, 2, 9, 1, 2, 8, 4, 1, 2];
    let keyed = black_box(&KEYED);
    let (tids, said) = (&raw mut TIDS, &raw mut SAID);
    // SAFETY: there is one thread.
    let (tids, said) = unsafe { (&mut *tids, &mut *said) };
    let code = validate(keyed, key, tids, said);
    #[cfg(feature = "planted-panic")]
    assert!(black_box(code) < 6, "planted");
    // SAFETY: the same.
    unsafe { CODE = code };
}

fn answer() -> u8 {
    // SAFETY: there is one thread.
    unsafe { (&raw const CODE).read_volatile() }
}

#[unsafe(link_section = ".harness")]
pub(crate) fn run() -> bool {
    measure(text!(b"validate \0"), once);
    let first = answer();
    once();
    let said = &raw const SAID;
    // SAFETY: there is one thread.
    let said = unsafe { &*said };
    first == 0 && answer() == 4 && said.subclass == 0 && said.units == 500
}
