//! What a token says, in parts that other tests see only as a whole.

#![cfg(feature = "seal")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sts_core::class::{extended_parts, key_change};
use sts_core::{
    DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeySection,
    KeyType, MeterTest, Payload, SupplyGroupCode, TariffIndex, TokenId,
};

fn tests(subclass: u8, control: u64) -> Vec<u8> {
    MeterTest::new(subclass, control, 0).unwrap().tests().collect()
}

#[test]
fn bit_k_asks_for_test_k_plus_1() {
    for (subclass, width) in [(0, 36), (1, 28)] {
        for bit in 0..64 {
            let asked = if bit < width { vec![bit + 1] } else { vec![] };
            assert_eq!(tests(subclass, 1 << bit), asked, "{subclass} {bit}");
        }
        assert_eq!(tests(subclass, 0), []);
        assert_eq!(tests(subclass, 0b1011), [1, 2, 4]);
        let all = (1 << width) - 1;
        assert_eq!(tests(subclass, all), [0]);
        assert_eq!(tests(subclass, u64::MAX), [0], "bits above the width are dropped");
        assert_eq!(tests(subclass, all - 1), (2..=width).collect::<Vec<_>>());
    }
}

#[test]
fn a_request_that_has_no_place_is_refused() {
    let refused = |subclass, code| MeterTest::new(subclass, 1, code).unwrap_err().to_string();
    assert_eq!(refused(2, 0), "subclass of a test 2 is not in 0 to 1");
    assert_eq!(refused(0, 256), "manufacturer code 256 is not in 0 to 255");
    assert_eq!(MeterTest::new(0, 1, 255).unwrap().mfr_code, 255);
    assert_eq!(MeterTest::new(1, 1, u16::MAX).unwrap().mfr_code, u16::MAX);
}

#[test]
fn an_extended_write_is_six_bits_and_ten() {
    assert_eq!(extended_parts(0), (0, 0));
    assert_eq!(extended_parts(0x03FF), (0, 1023));
    assert_eq!(extended_parts(0x0400), (1, 0));
    assert_eq!(extended_parts(0xFC01), (63, 1));
}

/// The fields of each set of sections, and what is shown of them: never the key.
#[test]
fn sections_carry_the_attributes_and_hide_the_key() {
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(0x0A_BCDE).unwrap(),
        krn: KeyRevisionNumber::new(9).unwrap(),
        ti: TariffIndex::new(7).unwrap(),
        kt: KeyType::Common,
        ken: KeyExpiryNumber::new(0x5E).unwrap(),
    };
    for ea in EncryptionAlgorithm::ALL {
        let key = DecoderKey::from_bytes(ea, &vec![0xA5; ea.key_length()]).unwrap();
        let long = ea.key_length() == 16;
        for (rollover, with_sgc) in [(false, false), (true, false), (false, true), (true, true)] {
            let sections: Vec<KeySection> = key_change(&key, &attributes, rollover, with_sgc)
                .map(|payload| {
                    assert_eq!(payload.tid(), None);
                    let Payload::KeySection(section) = payload else { panic!("{payload:?}") };
                    section
                })
                .collect();
            let [
                KeySection::First { ken_high, krn, rollover: rolls, three_kct, kt, .. },
                KeySection::Second { ken_low, ti, .. },
                rest @ ..,
            ] = &*sections
            else {
                panic!("{sections:?}")
            };
            assert_eq!((*ken_high, *krn, *rolls, *kt), (5, 9, rollover, KeyType::Common));
            assert_eq!((*ken_low, *ti), (14, 7));
            assert_eq!(*three_kct, with_sgc && !long);
            match rest {
                [] => assert!(!long && !with_sgc),
                [KeySection::ThirdWithSgc { sgc, pad }] => {
                    assert!(!long && with_sgc);
                    assert_eq!((*sgc, *pad), (0x0A_BCDE, 0));
                }
                [KeySection::Third { sgc_low, .. }, KeySection::Fourth { sgc_high, .. }] => {
                    assert!(long);
                    assert_eq!((*sgc_low, *sgc_high), (0xCDE, 0xAB));
                }
                _ => panic!("{rest:?}"),
            }
            for (at, section) in (1..).zip(&sections) {
                assert_eq!(section.number(), at);
                let without_key = matches!(section, KeySection::ThirdWithSgc { .. });
                assert_eq!(section.word().is_none(), without_key);
                let shown = format!("{section:?}");
                assert_eq!(shown.contains("KeyWord(..)"), !without_key, "{shown}");
                assert!(!shown.contains("A5") && !shown.contains("2779096485"), "{shown}");
            }
        }
    }
}

#[test]
fn only_layouts_with_a_tid_have_one() {
    let tid = TokenId::new(77).unwrap();
    let set = Payload::Set { setting: sts_core::Setting::WaterFactor, rnd: 0, tid, value: 0 };
    assert_eq!(set.tid(), Some(tid));
    assert_eq!(Payload::MeterTest(MeterTest::new(0, 1, 0).unwrap()).tid(), None);
    assert_eq!(Payload::ExtendedRead { control: 1, mfr_code: 0 }.tid(), None);
}
