//! One token under one key, without a meter.

use core::ffi::c_char;

use sts_core::{Framing, FramingSet, KeySection, Keyed, Payload, Profile, Rejection};

use crate::answer::{STS_NO_TID, StsAnswer, StsStatus};
use crate::memory::{attempt, fill, slice};
use crate::meter::decoder_key;

/// What a token says. Fields that its class and subclass do not have are 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StsToken {
    /// The plain block, check included.
    pub block: u64,
    /// Class 0, subclasses 0 to 3: tenths of the unit. Subclasses 4 to 7: 0.00001 of the base currency.
    pub amount: i64,
    /// Class 1: control bits.
    pub control: u64,
    /// Token identifier, 24 bits; `STS_NO_TID` where the layout has none.
    pub tid: u32,
    /// Third section of a 64-bit key change: the supply group code, raw.
    pub sgc: u32,
    /// Class 2 with a token identifier: the 16 bits.
    pub field: u16,
    /// Class 1: manufacturer code.
    pub manufacturer_code: u16,
    /// 0 to 3.
    pub token_class: u8,
    /// 0 to 15.
    pub subclass: u8,
    /// Four random bits.
    pub rnd: u8,
    /// 1: the amount is beyond 64 bits, and `amount` is the nearest.
    pub amount_clipped: u8,
    /// Section of a key change, 1 to 4; else 0.
    pub section: u8,
    /// First section: key revision number, raw.
    pub krn: u8,
    /// First section: key type.
    pub kt: u8,
    /// First section: 1 where the memory of tokens is cleared.
    pub rollover: u8,
    /// First section: 1 where a third section with the supply group code follows.
    pub three_kct: u8,
    /// First and second section: half of the key expiry number.
    pub ken_half: u8,
    /// Second section: tariff index, raw.
    pub ti: u8,
}

impl StsToken {
    const NONE: Self = Self {
        block: 0,
        amount: 0,
        control: 0,
        tid: STS_NO_TID,
        sgc: 0,
        field: 0,
        manufacturer_code: 0,
        token_class: 0,
        subclass: 0,
        rnd: 0,
        amount_clipped: 0,
        section: 0,
        krn: 0,
        kt: 0,
        rollover: 0,
        three_kct: 0,
        ken_half: 0,
        ti: 0,
    };

    fn from_payload(payload: &Payload, block: u64) -> Self {
        let (class, subclass) = payload.kind();
        let token = Self {
            block,
            token_class: class.bits(),
            subclass,
            tid: payload.tid().map_or(STS_NO_TID, sts_core::TokenId::get),
            ..Self::NONE
        };
        match *payload {
            Payload::Credit { rnd, amount, .. } => {
                Self { rnd, amount: i64::from(amount.units()), ..token }
            }
            Payload::CurrencyCredit { amount, .. } => {
                let units = amount.units();
                let limit = if units < 0 { i64::MIN } else { i64::MAX };
                match i64::try_from(units) {
                    Ok(amount) => Self { amount, ..token },
                    Err(_) => Self { amount: limit, amount_clipped: 1, ..token },
                }
            }
            Payload::MeterTest(test) => {
                Self { control: test.control, manufacturer_code: test.mfr_code, ..token }
            }
            Payload::ExtendedRead { control, mfr_code } => {
                Self { control, manufacturer_code: u16::from(mfr_code), ..token }
            }
            Payload::Set { rnd, value, .. } => Self { rnd, field: value, ..token },
            Payload::KeySection(section) => {
                let token = Self { section: section.number(), ..token };
                match section {
                    KeySection::First { ken_high, krn, rollover, three_kct, kt, .. } => Self {
                        ken_half: ken_high,
                        krn,
                        rollover: u8::from(rollover),
                        three_kct: u8::from(three_kct),
                        kt: kt.code(),
                        ..token
                    },
                    KeySection::Second { ken_low, ti, .. } => {
                        Self { ken_half: ken_low, ti, ..token }
                    }
                    KeySection::ThirdWithSgc { sgc, .. } => Self { sgc, ..token },
                    KeySection::Third { .. } | KeySection::Fourth { .. } => token,
                }
            }
            _ => token,
        }
    }
}

/// Opens one token of twenty digits under a key, and authenticates it.
///
/// `ea` is 7, 9 or 11. A token of class 1 needs no key: then `key` may be null, `key_length` and `ea`
/// 0. The `result` of the answer is `STS_RESULT_NONE` for an authentic token, since no meter has judged
/// it; for any other it is the refusal, and `token` says nothing.
///
/// # Safety
///
/// Pointers are null or valid for their type and length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sts_open(
    keyed: *const c_char,
    length: usize,
    ea: u8,
    key: *const u8,
    key_length: usize,
    token: *mut StsToken,
    answer: *mut StsAnswer,
) -> StsStatus {
    // SAFETY: the caller vouches for its pointers.
    attempt!(unsafe { fill(answer, StsAnswer::NONE) });
    // SAFETY: the same.
    attempt!(unsafe { fill(token, StsToken::NONE) });
    // SAFETY: the same.
    let bytes = attempt!(unsafe { slice(keyed.cast::<u8>(), length) });
    // SAFETY: the same.
    let key = attempt!(unsafe { slice(key, key_length) });
    let key = match key {
        [] => None,
        key => Some(attempt!(decoder_key(ea, key))),
    };
    let read = || -> Result<Option<StsToken>, Rejection> {
        let text = core::str::from_utf8(bytes).unwrap_or("\u{FFFD}");
        let plain =
            Profile { framings: FramingSet::EMPTY.with(Framing::Sts20), ..Profile::STANDARD };
        let framed = plain.frame(&Keyed::parse(text)?)?.token();
        let Some(opened) = (match &key {
            Some(key) => Some(framed.open(key)),
            None => framed.open_without_key(),
        }) else {
            return Ok(None);
        };
        let block = opened.unauthenticated_bits();
        Ok(Some(StsToken::from_payload(&opened.authenticate()?, block)))
    };
    match read() {
        // SAFETY: the caller vouches for its pointers.
        Ok(Some(said)) => attempt!(unsafe { fill(token, said) }),
        Ok(None) => return StsStatus::KeyLength,
        // SAFETY: the same.
        Err(refusal) => attempt!(unsafe { fill(answer, StsAnswer::refused(&refusal)) }),
    }
    StsStatus::Ok
}
