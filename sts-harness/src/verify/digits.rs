//! Runs of decimal digits, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight ASCII digits as values, the first in the lowest byte; `None` where one is no digit.
fn values(digits: [u8; 8]) -> Option<u64> {
    let values = u64::from_le_bytes(digits) ^ (0x30 * ONES);
    // A digit's value plus 0x76 stays below 0x80; any other byte ends above, or was there before.
    let others = (values.wrapping_add(0x76 * ONES) | values) & (0x80 * ONES);
    (others == 0).then_some(values)
}

/// The number that eight digits say.
fn number(digits: [u8; 8]) -> Option<u64> {
    let pairs = values(digits)?.wrapping_mul(1 + (10 << 8)) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(1 + (100 << 16)) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(1 + (10_000 << 32)) >> 32)
}

/// The number that twenty digits say.
pub(super) fn twenty(digits: &[u8; 20]) -> Option<u128> {
    let (first, rest) = digits.split_first_chunk::<8>()?;
    let (second, last) = rest.split_first_chunk::<8>()?;
    let [a, b, c, d] = *last.first_chunk::<4>()?;
    let high = number(*first)? * 100_000_000 + number(*second)?;
    let low = number([b'0', b'0', b'0', b'0', a, b, c, d])?;
    Some(u128::from(high) * 10_000 + u128::from(low))
}

/// Eight digits as BCD, the last in the lowest four bits.
fn bcd(digits: [u8; 8]) -> Option<u64> {
    let nibbles = values(digits)?.swap_bytes();
    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let words = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    Some((words | words >> 16) & 0xffff_ffff)
}

/// Sixteen digits as BCD.
pub(super) fn bcd_16(digits: &[u8; 16]) -> Option<u64> {
    let (first, second) = digits.split_first_chunk::<8>()?;
    Some(bcd(*first)? << 32 | bcd(*second.first_chunk()?)?)
}

/// Whether a Luhn sum over BCD digits comes out even to ten: those at odd places, counted from 0
/// at the right, are doubled, or those at even places where `shifted`. `more` is added to the sum.
pub(super) fn luhn_holds(bcd: u64, shifted: bool, more: u64) -> bool {
    const EVEN: u64 = 0x0f0f_0f0f_0f0f_0f0f;
    let (doubled, plain, place) =
        if shifted { (bcd, bcd >> 4, 0x0101_0101_0101_0101) } else { (bcd >> 4, bcd, ONES << 4) };
    let sum = |nibbles: u64| (nibbles & EVEN).wrapping_mul(ONES) >> 56;
    // A doubled digit above nine counts nine less.
    let above = bcd.wrapping_add(0x3333_3333_3333_3333) >> 3 & place;
    (2 * sum(doubled) + sum(plain) + more - 9 * u64::from(above.count_ones())).is_multiple_of(10)
}

/// A number below 10^8 as eight digits with leading zeros.
pub(super) const fn eight(number: u32) -> [u8; 8] {
    let number = number as u64;
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = halves.wrapping_mul(5243) >> 19 & 0x0000_007f_0000_007f;
    let pairs = hundreds | halves.wrapping_sub(100 * hundreds) << 16;
    let tens = pairs.wrapping_mul(103) >> 10 & 0x000f_000f_000f_000f;
    let digits = tens | pairs.wrapping_sub(10 * tens) << 8;
    (digits | (0x30 * ONES)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sts_core::key::luhn_check_digit;

    #[test]
    fn number_is_what_the_standard_library_reads() {
        for text in ["00000000", "12345678", "99999999", "10000000", "00000001"] {
            assert_eq!(number(text.as_bytes().try_into().unwrap()), text.parse().ok());
        }
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut digits = *b"12345678";
                digits[place] = byte;
                assert_eq!(number(digits).is_some(), byte.is_ascii_digit(), "{byte}");
            }
        }
        assert_eq!(twenty(b"73786976294838206463"), Some((1 << 66) - 1));
        assert_eq!(twenty(b"7378697629483820646x"), None);
        assert_eq!(bcd_16(b"0123456789012345"), Some(0x0123_4567_8901_2345));
    }

    #[test]
    fn eight_writes_every_number_of_every_length() {
        for number in (0..100_000_000).step_by(997).chain(0..20_000).chain(99_990_000..100_000_000)
        {
            assert_eq!(eight(number), format!("{number:08}").as_bytes());
        }
    }

    #[test]
    fn luhn_holds_where_the_check_digit_is_right() {
        for seed in 0..20_000_u64 {
            let digits =
                format!("{:015}", seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 10_u64.pow(15));
            for check in b'0'..=b'9' {
                let right = luhn_check_digit(digits.as_bytes()) == check - b'0';
                let all = format!("{digits}{}", char::from(check));
                let bcd = bcd_16(all.as_bytes().try_into().unwrap()).unwrap();
                assert_eq!(luhn_holds(bcd, false, 0), right);
                let (rest, check) = (bcd >> 4, bcd & 15);
                assert_eq!(luhn_holds(rest, true, check), right);
            }
        }
    }
}
