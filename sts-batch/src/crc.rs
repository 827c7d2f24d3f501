//! The token checksums in bit planes: linear, hence exclusive ors alone. See [`sts_core::crc`].

use crate::Planes;
use crate::lanes::Word;

/// The lanes whose plain block carries the right check.
///
/// `class` is the planes of the two class bits, the more significant first. Class 0 with subclass
/// 4 to 7 carries `CRC_C`, all others `CRC`; nothing of class 3 holds.
#[inline(always)]
pub(crate) fn holds<W: Word>(class: [W; 2], plain: &Planes<W>) -> W {
    let [high, low] = class;
    let ones = W::splat(u64::MAX);
    let mut register = [ones; 16];
    let mut byte = [W::splat(0); 8];
    byte[0] = low;
    byte[1] = high;
    feed(&mut register, &byte);
    for from in 0..6 {
        for bit in 0..8 {
            byte[bit] = plain[8 * from + 7 - bit];
        }
        feed(&mut register, &byte);
    }
    let wrong = differs(&register, plain);
    byte = [W::splat(0); 8];
    byte[0] = ones;
    feed(&mut register, &byte);
    let wrong_currency = differs(&register, plain);
    // Subclass 4 to 7 begins with 01.
    let currency = plain[1].and_not(plain[0]).and_not(high.or(low));
    currency.choose(wrong_currency, wrong).or(high.and(low)).not()
}

/// One byte, its planes from the least significant; the register's likewise.
#[inline(always)]
fn feed<W: Word>(register: &mut [W; 16], byte: &[W; 8]) {
    let mut out = [W::splat(0); 8];
    for bit in 0..8 {
        out[bit] = register[bit].xor(byte[bit]);
    }
    let parity = out[0].xor3(out[1], out[2]).xor3(out[3], out[4]).xor3(out[5], out[6]).xor(out[7]);
    for bit in 0..8 {
        register[bit] = register[bit + 8];
    }
    register[0] = register[0].xor(parity);
    register[6] = register[6].xor(out[0]);
    register[7] = register[7].xor3(out[0], out[1]);
    for bit in 1..7 {
        register[bit + 7] = out[bit].xor(out[bit + 1]);
    }
    register[14] = out[7].xor(parity);
    register[15] = parity;
}

/// The lanes in which the field is not the register with its bytes swapped.
#[inline(always)]
fn differs<W: Word>(register: &[W; 16], plain: &Planes<W>) -> W {
    let mut differs = W::splat(0);
    for bit in 0..16 {
        // Bit `bit` of the register stands at this bit of the block.
        let field = plain[63 - (bit + 8) % 16];
        differs = differs.or(register[bit].xor(field));
    }
    differs
}
