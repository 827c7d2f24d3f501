//! The ciphers and the checksum against published values, the naive oracle and their own inverse.

mod naive;

use naive::StaTables;
use proptest::prelude::*;
use sts_core::cipher::misty1::Misty1;
use sts_core::cipher::sta;
use sts_core::crc::{crc, crc_c};
use sts_core::{
    BaseDate, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyDerivation, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex, VendingKey,
};

/// Key and block of the standard's worked example of EA07.
const STA_KEY: u64 = 0x0abc_12de_f345_6789;
const STA_PLAIN: u64 = 0x0b19_eb23_0100_c207;
const STA_SAMPLE: u64 = 0xc45e_d161_9406_df95;
const STA_DEPLOYED: u64 = 0x9335_c6c9_6b73_52dc;

/// Key of RFC 2994's test data; its blocks, plain and encrypted.
const MISTY1_KEY: u128 = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff;
const MISTY1_BLOCKS: [(u64, u64); 2] = [
    (0x0123_4567_89ab_cdef, 0x8b1d_a5f5_6ab3_d07c),
    (0xfedc_ba98_7654_3210, 0x04b6_8240_b13b_e95d),
];

/// Key (derived from a published test vending key), class, plain block, token: STS 531-1-07.
const EA07_TOKENS: [(u64, u8, u64, &str); 6] = [
    (0x8fbf_a995_248b_f7f8, 0, 0x1500_01e5_0001_c80e, "65888845143544128525"),
    (0x87f3_ecbb_2e46_b48f, 0, 0x2501_4ef6_0001_172f, "17623693525614927277"),
    (0xb06e_35e2_c870_802b, 0, 0x3501_4f23_0001_05bb, "34498403143797502264"),
    (0x87f3_ecbb_2e46_b48f, 0, 0x4152_b13a_78e3_6496, "24081984266066772647"),
    (0x87f3_ecbb_2e46_b48f, 2, 0x555a_2f58_0000_e5cf, "42545072112843780101"),
    (0x87f3_ecbb_2e46_b48f, 2, 0xa578_6586_0000_7f1a, "02905758142350480527"),
];

/// The same for EA11: STS 531-1-11. One key throughout.
const EA11_KEY: u128 = 0x929b_d3a4_15c9_420a_05ec_5ee9_f3ce_91c3;
const EA11_TOKENS: [(u8, u64, &str); 5] = [
    (0, 0x0564_80de_0100_22f7, "23641553665398154702"),
    (0, 0x1564_8128_c000_9039, "12892756012644223549"),
    (0, 0x4b6d_6f9b_ffff_f89f, "61698173458082284427"),
    (2, 0x0552_29fd_03e8_184b, "34494889475378866499"),
    (2, 0x15a4_8a1e_0002_8003, "55265472216845386252"),
];

/// Key, plain, encrypted: FIPS 81, appendix B, and two examples widely reprinted.
const DES_BLOCKS: [(u64, u64, u64); 4] = [
    (0x0123_4567_89ab_cdef, 0x4e6f_7720_6973_2074, 0x3fa4_0e8a_984d_4815),
    (0x0123_4567_89ab_cdef, 0x6865_2074_696d_6520, 0x6a27_1787_ab88_83f9),
    (0x0123_4567_89ab_cdef, 0x666f_7220_616c_6c20, 0x893d_51ec_4b56_3b53),
    (0x1334_5779_9bbc_dff1, 0x0123_4567_89ab_cdef, 0x85e8_1354_0f0a_b405),
];

// ------------------------------------------------------------------------------ published values

#[test]
fn sta_of_the_worked_example_gives_the_printed_block() {
    assert_eq!(sta::SAMPLE.decrypt(STA_KEY, STA_SAMPLE), STA_PLAIN);
    assert_eq!(naive::sta_decrypt(StaTables::Sample, STA_KEY, STA_SAMPLE), STA_PLAIN);
    assert_eq!(naive::sta_encrypt(StaTables::Sample, STA_KEY, STA_PLAIN), STA_SAMPLE);
}

#[test]
fn sta_with_deployed_tables_gives_the_published_block() {
    assert_eq!(sta::DEPLOYED.decrypt(STA_KEY, STA_DEPLOYED), STA_PLAIN);
    assert_eq!(naive::sta_decrypt(StaTables::Deployed, STA_KEY, STA_DEPLOYED), STA_PLAIN);
    assert_eq!(naive::sta_encrypt(StaTables::Deployed, STA_KEY, STA_PLAIN), STA_DEPLOYED);
}

#[test]
fn sta_tokens_of_the_conformance_list_open_to_their_blocks() {
    for (key, class, plain, token) in EA07_TOKENS {
        let (found, block) = naive::extract_class(token).unwrap();
        assert_eq!((found, sta::DEPLOYED.decrypt(key, block)), (class, plain), "{token}");
        assert_eq!(naive::seal(7, &key.to_be_bytes(), class, plain), token);
        assert_eq!(naive::unseal(7, &key.to_be_bytes(), token), Some((class, plain)));
    }
}

#[test]
fn misty1_of_the_rfcs_blocks_gives_the_printed_blocks() {
    let key = MISTY1_KEY.to_be_bytes();
    for (plain, encrypted) in MISTY1_BLOCKS {
        assert_eq!(Misty1::new(&key).decrypt(encrypted), plain);
        assert_eq!(naive::misty1_decrypt(&key, encrypted), plain);
        assert_eq!(naive::misty1_encrypt(&key, plain), encrypted);
    }
}

#[test]
fn misty1_tokens_of_the_conformance_list_open_to_their_blocks() {
    let key = EA11_KEY.to_be_bytes();
    for (class, plain, token) in EA11_TOKENS {
        let (found, block) = naive::extract_class(token).unwrap();
        assert_eq!((found, Misty1::new(&key).decrypt(block)), (class, plain), "{token}");
        assert_eq!(naive::seal(11, &key, class, plain), token);
        assert_eq!(naive::unseal(11, &key, token), Some((class, plain)));
    }
}

#[test]
fn crc_of_published_blocks_is_as_published() {
    for crc in [crc, naive::crc] {
        assert_eq!(crc(0, 0x004a_2d90_0ff2_0000), 0x0ffa);
        assert_eq!(crc(0, 0x0b19_eb23_0100_0000), 0xc207);
    }
    for crc_c in [crc_c, naive::crc_c] {
        assert_eq!(crc_c(0, 0x004a_2d90_0ff2_0000), 0x7bc4);
    }
}

#[test]
fn crc_of_tokens_of_the_conformance_lists_is_their_field() {
    let ea07 = EA07_TOKENS.map(|(_, class, plain, _)| (class, plain));
    let ea11 = EA11_TOKENS.map(|(class, plain, _)| (class, plain));
    for (class, plain) in ea07.into_iter().chain(ea11) {
        let currency = class == 0 && (4..8).contains(&(plain >> 60));
        let field = if currency { crc_c(class, plain) } else { crc(class, plain) };
        assert_eq!(u64::from(field), plain & 0xffff, "{plain:016x}");
    }
}

// ------------------------------------------- the oracle's other parts, which other tests build on

#[test]
fn oracle_des_of_published_blocks_is_as_published() {
    for (key, plain, encrypted) in DES_BLOCKS {
        assert_eq!(naive::des_encrypt(key, plain), encrypted);
        assert_eq!(naive::des_decrypt(key, encrypted), plain);
        assert_eq!(naive::tdes_ede2_encrypt(key, key, plain), encrypted);
    }
}

#[test]
fn oracle_class_insertion_of_the_worked_example_gives_the_printed_token() {
    assert_eq!(naive::insert_class(0, STA_SAMPLE), "51043465443420856213");
    assert_eq!(naive::extract_class("51043465443420856213"), Some((0, STA_SAMPLE)));
    assert_eq!(naive::insert_class(0, STA_DEPLOYED), "29054347139309851356");
}

#[test]
fn oracle_class_extraction_beyond_66_bits_is_refused() {
    assert_eq!(naive::extract_class("73786976294838206463"), Some((3, u64::MAX)));
    assert_eq!(naive::extract_class("73786976294838206464"), None);
    assert_eq!(naive::extract_class("99999999999999999999"), None);
}

#[test]
fn oracle_class_1_tokens_are_not_encrypted() {
    // "Test the load switch", as makers print it.
    let (class, plain) = naive::unseal(7, &[0x11; 8], "00000000000150997584").unwrap();
    assert_eq!((class, plain >> 16), (1, 1 << 8));
    assert_eq!(u64::from(naive::crc(1, plain)), plain & 0xffff);
    assert_eq!(naive::seal(11, &[0x11; 16], 1, plain), "00000000000150997584");
}

#[test]
fn oracle_dkga02_of_the_published_meter_gives_the_published_key() {
    let pan = "600727000000000009";
    assert_eq!(naive::pan_block(pan, 2), 0x0072_7000_0000_0000);
    assert_eq!(naive::control_block(2, "123456", "01", 1), 0x2123_4560_11ff_ffff);
    let key = naive::dkga02(0xabab_abab_abab_abab, pan, 2, "123456", "01", 1);
    assert_eq!(key, 0xe653_341f_9d5b_f36f);
}

/// No published value confirms the withdrawn algorithms: these are of an independent model.
#[test]
fn withdrawn_derivations_are_those_of_an_independent_model() {
    let pan = "600727000000000009";
    let (first, second) = (0xabab_abab_abab_abab, 0x0123_4567_89ab_cdef);
    let of = |vk| naive::dkga01(vk, pan, 2, "123456", "01", 1);
    assert_eq!(of(first), 0x5562_d74d_ac80_72f1);
    assert_eq!(of(0x0022_4466_88aa_ccee), 0x20b0_a5ee_d38c_2b28);
    let key = naive::dkga03(first, second, pan, 2, "123456", "01", 1);
    assert_eq!(key, 0x4459_da61_7eb0_8b73);
}

#[test]
fn oracle_pan_block_of_published_numbers_is_as_printed() {
    assert_eq!(naive::pan_block("123456123456781023", 1), 0x2345_6123_4567_8102);
    assert_eq!(naive::pan_block("123456123456781023", 3), 0x2345_6000_0000_0000);
    assert_eq!(naive::pan_block("000001000000000082", 2), 0x0000_1000_0000_0008);
}

#[test]
fn oracle_amounts_of_the_conformance_list_are_as_published() {
    let published = [
        (1, 1),
        (16_383, 16_383),
        (16_384, 0x4000),
        (20_000, 16_746),
        (180_223, 0x8000),
        (180_224, 0x8000),
        (1_818_623, 0xc000),
        (1_818_624, 0xc000),
        (18_201_624, 0xffff),
    ];
    for (value, field) in published {
        assert_eq!(naive::amount_encode(value), Some(field), "{value}");
    }
    assert_eq!(naive::amount_encode(18_201_625), None);
    assert_eq!(naive::amount_decode(0xffff), 18_201_624);
}

#[test]
fn oracle_luhn_of_published_numbers_is_as_printed() {
    let published = [
        ("0000000000", 0),
        ("1111111111", 5),
        ("010000000000", 8),
        ("1212345678", 7),
        ("60072700000000000", 9),
        ("00000100000000008", 2),
        ("60072711111111115", 3),
        ("7861754265922", 0),
    ];
    for (digits, check) in published {
        assert_eq!(naive::luhn(digits), check, "{digits}");
    }
}

// ------------------------------------------------------------------------------------ properties

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn keys_derived_by_des_are_those_of_the_oracle(
        vk: [u64; 2], sgc in 0..=999_999_u32, krn in 1..=9_u8, ti in 0..=99_u8, kt in 0..=3_u8,
        pan in prop::sample::select(vec!["600727000000000009", "000001000000000082"]),
    ) {
        let attributes = KeyAttributes {
            sgc: SupplyGroupCode::new(sgc).unwrap(),
            krn: KeyRevisionNumber::new(krn).unwrap(),
            ti: TariffIndex::new(ti).unwrap(),
            kt: KeyType::from_code(kt).unwrap(),
            ken: KeyExpiryNumber::new(255).unwrap(),
        };
        let (sgc, ti) = (format!("{sgc:06}"), format!("{ti:02}"));
        let (one, both) = (vk[0].to_be_bytes(), vk.map(u64::to_be_bytes).concat());
        for (dkga, secret, expected) in [
            (KeyDerivation::Dkga01, &one[..], naive::dkga01(vk[0], pan, kt, &sgc, &ti, krn)),
            (KeyDerivation::Dkga02, &one, naive::dkga02(vk[0], pan, kt, &sgc, &ti, krn)),
            (KeyDerivation::Dkga03, &both, naive::dkga03(vk[0], vk[1], pan, kt, &sgc, &ti, krn)),
        ] {
            let vending = VendingKey::from_bytes(dkga, secret).unwrap();
            prop_assert_eq!(vending.dkga(), dkga);
            let pan = MeterPan::parse(pan).unwrap();
            let (ea, base) = (EncryptionAlgorithm::Sta, BaseDate::Y2014);
            let key = vending.derive(&pan, ea, &attributes, base).unwrap();
            prop_assert!(key.same_as(&DecoderKey::sta(expected.to_be_bytes())), "{:?}", dkga);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn sta_decrypt_agrees_with_the_oracle(key: u64, block: u64) {
        prop_assert_eq!(
            sta::DEPLOYED.decrypt(key, block),
            naive::sta_decrypt(StaTables::Deployed, key, block)
        );
        prop_assert_eq!(
            sta::SAMPLE.decrypt(key, block),
            naive::sta_decrypt(StaTables::Sample, key, block)
        );
    }

    #[test]
    fn misty1_decrypt_agrees_with_the_oracle(key: [u8; 16], block: u64) {
        prop_assert_eq!(Misty1::new(&key).decrypt(block), naive::misty1_decrypt(&key, block));
    }

    #[test]
    fn crc_agrees_with_the_oracle(class in 0..4_u8, block: u64) {
        prop_assert_eq!(crc(class, block), naive::crc(class, block));
        prop_assert_eq!(crc_c(class, block), naive::crc_c(class, block));
    }

    #[test]
    fn oracle_unseal_undoes_seal(key: [u8; 16], class in 0..4_u8, plain: u64) {
        for (ea, key) in [(7, &key[..8]), (9, &key[..8]), (11, &key[..])] {
            let token = naive::seal(ea, key, class, plain);
            prop_assert_eq!(naive::unseal(ea, key, &token), Some((class, plain)));
        }
    }
}

#[cfg(feature = "seal")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn sta_encrypt_agrees_with_the_oracle_and_is_undone(key: u64, block: u64) {
        let (deployed, sample) = (&sta::DEPLOYED, &sta::SAMPLE);
        let encrypted = deployed.encrypt(key, block);
        prop_assert_eq!(encrypted, naive::sta_encrypt(StaTables::Deployed, key, block));
        prop_assert_eq!(deployed.decrypt(key, encrypted), block);
        let encrypted = sample.encrypt(key, block);
        prop_assert_eq!(encrypted, naive::sta_encrypt(StaTables::Sample, key, block));
        prop_assert_eq!(sample.decrypt(key, encrypted), block);
    }

    #[test]
    fn sta_with_any_tables_is_undone(
        s1 in Just(sta_identity::<16>()).prop_shuffle(),
        s2 in Just(sta_identity::<16>()).prop_shuffle(),
        p in Just(sta_identity::<64>().to_vec()).prop_shuffle(),
        key: u64,
        block: u64,
    ) {
        let tables = sta::Tables::new(s1, s2, p.try_into().unwrap()).unwrap();
        prop_assert_eq!(tables.decrypt(key, tables.encrypt(key, block)), block);
    }

    #[test]
    fn misty1_encrypt_agrees_with_the_oracle_and_is_undone(key: [u8; 16], block: u64) {
        let cipher = Misty1::new(&key);
        prop_assert_eq!(cipher.encrypt(block), naive::misty1_encrypt(&key, block));
        prop_assert_eq!(cipher.decrypt(cipher.encrypt(block)), block);
    }
}

/// The table that changes nothing, to be shuffled.
#[cfg(feature = "seal")]
fn sta_identity<const N: usize>() -> [u8; N] {
    let mut values = 0..;
    [(); N].map(|()| values.next().unwrap_or_default())
}
