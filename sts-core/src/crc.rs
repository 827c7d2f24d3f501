//! The token checksum: CRC and `CRC_C` (clause 6.3.7 and its currency form).
//!
//! CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, reflected, register preset to all ones, no
//! final complement. The low byte of the register is sent first, so the field is the byte-swapped
//! register.
//!
//! A CRC is no signature. Under a wrong key one token in 65 536 passes.

/// The CRC field of a token, as it stands in bits 15 to 0 of `block`.
///
/// It covers 50 bits: the class (`class_bits`, 0 to 3; higher bits are ignored), then bits 63 to 16
/// of the plain `block`. Bits 15 to 0 of `block` do not matter.
///
/// The class stands outside the encrypted block and is covered all the same: altering it makes the
/// CRC fail.
///
/// ```
/// use sts_core::crc::crc;
///
/// assert_eq!(crc(0, 0x0b19_eb23_0100_0000), 0xc207);
/// assert_ne!(crc(2, 0x0b19_eb23_0100_0000), 0xc207);
/// ```
#[must_use]
pub const fn crc(class_bits: u8, block: u64) -> u16 {
    register(class_bits, block).swap_bytes()
}

/// The `CRC_C` field of a currency token (class 0, subclass 4 to 7), as it stands in bits 15 to 0.
///
/// The same as [`crc`] with one byte 0x01 appended to what it covers.
#[must_use]
pub const fn crc_c(class_bits: u8, block: u64) -> u16 {
    feed(register(class_bits, block), 0x01).swap_bytes()
}

/// The register after class and data: 50 bits, padded with zeros on the left to seven bytes.
const fn register(class_bits: u8, block: u64) -> u16 {
    let [b0, b1, b2, b3, b4, b5, ..] = block.to_be_bytes();
    let register = feed(0xffff, class_bits & 3);
    let register = feed(feed(register, b0), b1);
    let register = feed(feed(register, b2), b3);
    feed(feed(register, b4), b5)
}

/// One byte, least significant bit first.
///
/// Eight shifts at once and no table: the polynomial is (x + 1)(x^15 + x + 1), so that the byte
/// leaving the register comes back as its parity and, through x^15 + x + 1, as itself twice.
#[expect(clippy::cast_possible_truncation, reason = "a count of at most 8 bits")]
const fn feed(register: u16, byte: u8) -> u16 {
    let out = register & 0xff ^ byte as u16;
    let parity = 0_u16.wrapping_sub(out.count_ones() as u16 & 1);
    register >> 8 ^ out << 6 ^ out << 7 ^ parity & 0xc001
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The division as it is defined, one bit at a time; 0xa001 is the polynomial reflected.
    #[test]
    fn feed_of_any_byte_is_eight_steps_of_the_division() {
        for register in 0..=u16::MAX {
            let byte = 0x5a;
            let mut divided = register ^ u16::from(byte);
            for _ in 0..8 {
                divided = divided >> 1 ^ if divided & 1 == 1 { 0xa001 } else { 0 };
            }
            assert_eq!(feed(register, byte), divided);
        }
    }

    #[test]
    fn crc_of_the_associations_example_is_as_published() {
        assert_eq!(crc(0, 0x004a_2d90_0ff2_0000), 0x0ffa);
    }

    #[test]
    fn crc_c_of_the_associations_example_is_as_published() {
        assert_eq!(crc_c(0, 0x004a_2d90_0ff2_0000), 0x7bc4);
    }

    #[test]
    fn crc_of_the_standards_credit_token_is_as_printed() {
        assert_eq!(crc(0, 0x0b19_eb23_0100_0000), 0xc207);
    }

    #[test]
    fn crc_of_a_token_of_class_2_covers_the_class() {
        let block = 0x555a_2f58_0000_e5cf;
        assert_eq!(crc(2, block), 0xe5cf);
        assert_ne!(crc(0, block), 0xe5cf);
    }

    #[test]
    fn crc_c_of_a_currency_token_matches_its_field() {
        let block = 0x4152_b13a_78e3_6496;
        assert_eq!(crc_c(0, block), 0x6496);
        assert_ne!(crc(0, block), 0x6496);
    }

    #[test]
    fn crc_with_any_low_16_bits_is_the_same() {
        assert_eq!(crc(0, 0x0b19_eb23_0100_ffff), crc(0, 0x0b19_eb23_0100_0000));
    }

    #[test]
    fn crc_with_one_bit_changed_differs() {
        for bit in 16..64 {
            assert_ne!(crc(0, 1 << bit), crc(0, 0));
        }
    }
}
