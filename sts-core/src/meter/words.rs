//! What a meter keeps over a loss of power, as 64-bit words.
//!
//! Each word stands for itself, so that only those that changed need to be written. How words reach
//! the memory, and what happens when power fails meanwhile, is the caller's business.
//!
//! | word | bits from the lowest |
//! |---|---|
//! | 0 | SGC 24, KRN 8, TI 8, KT 8, KEN 8, EA 8 |
//! | 1, 2 | the key, most significant byte in the highest bits; 2 is 0 for a 64-bit key |
//! | 3 | maximum power 16, phase unbalance 16, whether each is set 1 + 1, tampered 1, 5 unused, wrong entries 8, lock-outs in a row 8, 8 unused |
//! | 4 | second at which the keypad is free again |
//! | 5 | second of the last key section |
//! | 6 to 9 | stored key sections 1 to 4, as in the token without its check; 0 for none |
//! | 10 to 13 | registers of units |
//! | 14 to 17 | registers of currency, two's complement |
//! | 18 and on | token identifiers, two to a word: 24 bits and 8 unused, twice |
//!
//! The profile and the maker's code are not among them: they belong to the firmware. The key is:
//! whoever reads the memory has it.

use super::Meter;
use crate::amount::Amount;
use crate::class::{read_section, section_bits};
use crate::key::{
    DecoderKey, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType, SupplyGroupCode,
    TariffIndex,
};
use crate::tid::TokenId;

/// Where each part of the state begins.
mod place {
    pub(super) const ATTRIBUTES: usize = 0;
    pub(super) const KEY_HIGH: usize = 1;
    pub(super) const KEY_LOW: usize = 2;
    pub(super) const SETTINGS: usize = 3;
    pub(super) const LOCK_UNTIL: usize = 4;
    pub(super) const LAST_SECTION: usize = 5;
    pub(super) const SECTIONS: usize = 6;
    pub(super) const UNITS: usize = 10;
    pub(super) const CURRENCY: usize = 14;
    pub(super) const TIDS: usize = 18;
}

const POWER_IS_SET: u64 = 1 << 32;
const UNBALANCE_IS_SET: u64 = 1 << 33;
const TAMPERED: u64 = 1 << 34;

/// A saved word that no meter of this kind can have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("saved word {index} says nothing that this meter can hold")]
pub struct InvalidWord {
    /// Its number, from 0.
    pub index: usize,
}

impl<const TIDS: usize> Meter<'_, TIDS> {
    /// How many words the state of such a meter has.
    pub const WORDS: usize = place::TIDS.wrapping_add(TIDS.div_ceil(2));

    /// One word of the state; 0 past the last.
    ///
    /// ```
    /// # use sts_core::{DecoderKey, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType};
    /// # use sts_core::{ManufacturerCode, Meter, Profile, SupplyGroupCode, TariffIndex, TokenId};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let attributes = KeyAttributes {
    /// #     sgc: SupplyGroupCode::new(123_456)?,
    /// #     krn: KeyRevisionNumber::new(1)?,
    /// #     ti: TariffIndex::new(1)?,
    /// #     kt: KeyType::Unique,
    /// #     ken: KeyExpiryNumber::NEVER,
    /// # };
    /// # let maker = ManufacturerCode::new(0, 2)?;
    /// # let made = |key| -> Meter<'_> {
    /// #     Meter::new(&Profile::STANDARD, maker, key, attributes, TokenId::MIN)
    /// # };
    /// let mut meter = made(DecoderKey::sta([0x11; 8]));
    /// meter.registers_mut().units[0] = 500;
    ///
    /// let mut after_power_loss = made(DecoderKey::sta([0x22; 8]));
    /// for index in 0..Meter::<50>::WORDS {
    ///     after_power_loss.set_word(index, meter.word(index))?;
    /// }
    /// assert!(after_power_loss == meter);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn word(&self, index: usize) -> u64 {
        match index {
            place::ATTRIBUTES => {
                let held = &self.attributes;
                u64::from(held.sgc.get())
                    | u64::from(held.krn.get()) << 24
                    | u64::from(held.ti.get()) << 32
                    | u64::from(held.kt.code()) << 40
                    | u64::from(held.ken.get()) << 48
                    | (self.key.ea() as u64) << 56
            }
            place::KEY_HIGH => key_half(&self.key, 0),
            place::KEY_LOW => key_half(&self.key, 1),
            place::SETTINGS => {
                let limit = |amount: Option<Amount>, is_set| {
                    amount.map_or((0, 0), |amount| (u64::from(amount.field()), is_set))
                };
                let (power, power_is_set) = limit(self.maximum_power, POWER_IS_SET);
                let (unbalance, unbalance_is_set) = limit(self.phase_unbalance, UNBALANCE_IS_SET);
                power
                    | unbalance << 16
                    | power_is_set
                    | unbalance_is_set
                    | if self.tampered { TAMPERED } else { 0 }
                    | u64::from(self.lock.wrong) << 40
                    | u64::from(self.lock.in_a_row) << 48
            }
            place::LOCK_UNTIL => self.lock.until,
            place::LAST_SECTION => self.staged.last_entry,
            place::SECTIONS..place::UNITS => {
                let section = self.staged.sections.get(index.wrapping_sub(place::SECTIONS));
                section.copied().flatten().map_or(0, |section| section_bits(&section))
            }
            place::UNITS..place::CURRENCY => {
                let units = self.registers.units.get(index.wrapping_sub(place::UNITS));
                units.copied().unwrap_or_default()
            }
            place::CURRENCY..place::TIDS => {
                let currency = self.registers.currency.get(index.wrapping_sub(place::CURRENCY));
                currency.copied().unwrap_or_default().cast_unsigned()
            }
            _ => {
                let first = index.wrapping_sub(place::TIDS).wrapping_mul(2);
                let tid = |place: usize| self.tids.get(place).map_or(0, |tid| u64::from(tid.get()));
                tid(first) | tid(first.wrapping_add(1)) << 32
            }
        }
    }

    /// Takes a word of a saved state back. Words are given in the order of their numbers: what
    /// words 1 and 2 and the key sections mean depends on word 0.
    ///
    /// # Errors
    ///
    /// [`InvalidWord`] past the last, or for a value that no field has; the meter is as it was.
    pub fn set_word(&mut self, index: usize, word: u64) -> Result<(), InvalidWord> {
        self.read_word(index, word).ok_or(InvalidWord { index })
    }

    fn read_word(&mut self, index: usize, word: u64) -> Option<()> {
        match index {
            place::ATTRIBUTES => {
                let [s0, s1, s2, krn, ti, kt, ken, ea] = word.to_le_bytes();
                let attributes = KeyAttributes {
                    sgc: SupplyGroupCode::new(u32::from_le_bytes([s0, s1, s2, 0])).ok()?,
                    krn: KeyRevisionNumber::new(krn).ok()?,
                    ti: TariffIndex::new(ti).ok()?,
                    kt: KeyType::from_code(kt)?,
                    ken: KeyExpiryNumber::new(ken).ok()?,
                };
                if ea != self.key.ea() as u8 {
                    self.key = match ea {
                        7 => DecoderKey::sta([0; 8]),
                        #[cfg(feature = "ea09")]
                        9 => DecoderKey::dea([0; 8]),
                        #[cfg(feature = "ea11")]
                        11 => DecoderKey::misty1([0; 16]),
                        _ => return None,
                    };
                }
                self.attributes = attributes;
            }
            place::KEY_HIGH => self.key = with_key_half(&self.key, 0, word),
            place::KEY_LOW if self.key.ea().has_long_key() => {
                self.key = with_key_half(&self.key, 1, word);
            }
            place::KEY_LOW if word != 0 => return None,
            place::KEY_LOW => {}
            place::SETTINGS => {
                let [p0, p1, u0, u1, flags, wrong, in_a_row, unused] = word.to_le_bytes();
                if flags > 7 || unused != 0 {
                    return None;
                }
                let limit = |is_set: u64, bytes| match u16::from_le_bytes(bytes) {
                    field if word & is_set != 0 => Some(Some(Amount::from_field(field))),
                    0 => Some(None),
                    _ => None,
                };
                let (power, unbalance) =
                    (limit(POWER_IS_SET, [p0, p1])?, limit(UNBALANCE_IS_SET, [u0, u1])?);
                (self.maximum_power, self.phase_unbalance) = (power, unbalance);
                self.tampered = word & TAMPERED != 0;
                self.lock.wrong = wrong;
                self.lock.in_a_row = in_a_row;
            }
            place::LOCK_UNTIL => self.lock.until = word,
            place::LAST_SECTION => self.staged.last_entry = word,
            place::SECTIONS..place::UNITS => {
                let at = index.wrapping_sub(place::SECTIONS);
                let section = match word {
                    0 => None,
                    _ => {
                        let long_key = self.key.ea().has_long_key();
                        let [.., top] = word.to_le_bytes();
                        let section = read_section(top >> 4, word, long_key)?;
                        let in_place = usize::from(section.number()) == at.wrapping_add(1);
                        if !in_place || section_bits(&section) != word {
                            return None;
                        }
                        Some(section)
                    }
                };
                *self.staged.sections.get_mut(at)? = section;
            }
            place::UNITS..place::CURRENCY => {
                *self.registers.units.get_mut(index.wrapping_sub(place::UNITS))? = word;
            }
            place::CURRENCY..place::TIDS => {
                let at = index.wrapping_sub(place::CURRENCY);
                *self.registers.currency.get_mut(at)? = word.cast_signed();
            }
            _ => {
                let first = index.wrapping_sub(place::TIDS).wrapping_mul(2);
                let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
                let low = TokenId::new(u32::from_le_bytes([a, b, c, d])).ok()?;
                let high = TokenId::new(u32::from_le_bytes([e, f, g, h])).ok()?;
                match self.tids.get_mut(first..)? {
                    [] => return None,
                    [last] if high == TokenId::MIN => *last = low,
                    [_] => return None,
                    [one, other, ..] => (*one, *other) = (low, high),
                }
            }
        }
        Some(())
    }
}

/// Eight bytes of a key; zeros where it has none.
fn key_half(key: &DecoderKey, half: usize) -> u64 {
    let halves = key.expose_bytes().as_chunks::<8>().0;
    halves.get(half).map_or(0, |half| u64::from_be_bytes(*half))
}

fn with_key_half(key: &DecoderKey, half: usize, word: u64) -> DecoderKey {
    let words = match half {
        0 => [word, key_half(key, 1)],
        _ => [key_half(key, 0), word],
    };
    let [high, low] = words.map(|word| [(word >> 32) as u32, (word & 0xFFFF_FFFF) as u32]);
    let ([a, b], [c, d]) = (high, low);
    // A 64-bit key is put together from the first word and the last.
    key.with_words(if key.ea().has_long_key() { [a, b, c, d] } else { [a, 0, 0, b] })
}
