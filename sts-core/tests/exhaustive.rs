//! What is small enough to try in full, beyond the unit tests next to the code.

#![cfg(feature = "seal")]

use sts_core::{
    Amount, Class, Commodity, DecoderKey, KeySection, KeyType, Payload, Token, TokenId,
};

/// All amounts, through a sealed token and back, in growing order without a gap in the fields.
#[test]
fn amount_of_every_field_survives_a_token() {
    let key = DecoderKey::sta([0x11; 8]);
    let mut previous = None;
    for field in 0..=u16::MAX {
        let amount = Amount::from_field(field);
        assert!(previous < Some(amount.units()), "{field:#06x}");
        previous = Some(amount.units());
        let tid = TokenId::new(u32::from(field)).unwrap();
        let credit = Payload::Credit { commodity: Commodity::Water, rnd: 5, tid, amount };
        assert_eq!(Token::seal(&credit, &key).open(&key).authenticate(), Ok(credit));
    }
    assert_eq!(previous, Some(Amount::MAX.units()));
}

/// Every class and subclass is read from its bits, and sealed again is the same token: no layout
/// loses a bit, whatever the bits are.
#[test]
fn payload_of_every_subclass_keeps_all_its_bits() {
    const CLASSES: [Class; 3] =
        [Class::Credit, Class::NonMeterSpecificManagement, Class::MeterSpecificManagement];
    const DATA: [u64; 6] =
        [0, 1, (1 << 44) - 1, 0x5_5555_5555_5555 >> 7, 0xAAA_AAAA_AAAA, 0x123_4567_89AB];
    for key in [DecoderKey::sta([0x11; 8]), DecoderKey::misty1([0x11; 16])] {
        for class in CLASSES {
            for subclass in 0..16 {
                for data in DATA {
                    // Let the seal of a payload without a layout make the block and its check.
                    let raw = Payload::Other { class, subclass, data };
                    let plain = |payload: &Payload| Token::seal(payload, &key);
                    let token = if matches!((class, subclass), (Class::Credit, 4..=7)) {
                        let (nibble, value) = (data >> 40, data & 0xFFFF);
                        let amount = sts_core::CurrencyAmount::from_fields(
                            u8::try_from(nibble).unwrap(),
                            u16::try_from(value).unwrap(),
                        );
                        let tid = u32::try_from(data >> 16 & 0xFF_FFFF).unwrap();
                        plain(&Payload::CurrencyCredit {
                            commodity: Commodity::ALL[usize::from(subclass & 3)],
                            tid: TokenId::new(tid).unwrap(),
                            amount,
                        })
                    } else {
                        plain(&raw)
                    };
                    let said = token.open(&key).authenticate().unwrap();
                    assert_eq!(said.kind(), (class, subclass));
                    assert_eq!(plain(&said), token, "{said:?}");
                    let block = token.open(&key).unauthenticated_bits();
                    assert_eq!(block >> 16, u64::from(subclass) << 44 | data, "{said:?}");
                }
            }
        }
    }
}

/// Every value of the small fields of a first section.
#[test]
fn first_section_of_every_field_value_survives_a_token() {
    let key = DecoderKey::sta([0x11; 8]);
    let raw = |data| {
        let class = Class::MeterSpecificManagement;
        let token = Token::seal(&Payload::Other { class, subclass: 3, data }, &key);
        token.open(&key).authenticate().unwrap()
    };
    for head in 0..1_u16 << 12 {
        let Payload::KeySection(KeySection::First {
            ken_high, krn, rollover, three_kct, kt, ..
        }) = raw(u64::from(head) << 32)
        else {
            panic!("{head:#x}")
        };
        let flags = u16::from(rollover) << 3 | u16::from(three_kct) << 2;
        let read = u16::from(ken_high) << 8 | u16::from(krn) << 4 | flags | u16::from(kt.code());
        assert_eq!(read, head);
        assert_eq!(KeyType::from_code(kt.code()), Some(kt));
    }
}

/// Class 3 has no layout, whatever the block.
#[test]
fn class_3_never_authenticates() {
    let key = DecoderKey::sta([0x11; 8]);
    for low in 0..=u16::MAX {
        let token = Token::from_class_and_block(Class::Reserved, u64::from(low));
        assert_eq!(token.open(&key).authenticate(), Err(sts_core::Rejection::ReservedClass));
        assert!(token.open_without_key().is_none());
    }
}
