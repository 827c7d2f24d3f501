//! Does one thing a number of times and ends: `sts-counted NAME TIMES`, the names without arguments.
//! `benches/instructions.sh` counts the instructions.

use std::hint::black_box;
use std::process::ExitCode;

use sts_core::framing::Keyed;
use sts_core::{
    BaseDate, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, Meter, MeterPan, Profile, SupplyGroupCode, TariffIndex, Token, TokenId, VendingKey,
};

/// Published test tokens, of STS 531-1-07 and STS 531-1-11, and their keys.
const SHORT: (&str, u64) = ("65888845143544128525", 0x8fbf_a995_248b_f7f8);
const LONG: (&str, u128) = ("23641553665398154702", 0x929b_d3a4_15c9_420a_05ec_5ee9_f3ce_91c3);
const NUMBER: &str = "600727000000000009";

fn attributes() -> KeyAttributes {
    KeyAttributes {
        sgc: SupplyGroupCode::new(123_456).expect("six digits"),
        krn: KeyRevisionNumber::new(1).expect("1 to 9"),
        ti: TariffIndex::new(1).expect("below 100"),
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    }
}

type Case = (&'static str, Box<dyn Fn()>);

fn cases() -> Vec<Case> {
    fn case(name: &'static str, call: impl Fn() + 'static) -> Case {
        (name, Box::new(call))
    }
    let opened = |name, token: &'static str, key: DecoderKey| {
        let token = Token::parse(token).expect("a published token");
        case(name, move || {
            let _ = black_box(black_box(token).open(black_box(&key)).authenticate());
        })
    };
    let derived = |name, key: VendingKey, ea: EncryptionAlgorithm| {
        let pan = MeterPan::parse(NUMBER).expect("a published number");
        case(name, move || {
            let pan = black_box(&pan);
            let _ = black_box(key.derive(pan, ea, black_box(&attributes()), BaseDate::Y2014));
        })
    };
    let (short, long) = (SHORT.1.to_be_bytes(), LONG.1.to_be_bytes());
    let pan = MeterPan::parse(NUMBER).expect("a published number");
    let meter: Meter<'_> = Meter::new(
        &Profile::STANDARD,
        pan.manufacturer_code(),
        DecoderKey::sta(short),
        attributes(),
        TokenId::MIN,
    );
    vec![
        case("parse-token", || {
            let _ = black_box(Token::parse(black_box(SHORT.0)));
        }),
        case("parse-meter-number", || {
            let _ = black_box(MeterPan::parse(black_box(NUMBER)));
        }),
        case("frame", || {
            let framed = Keyed::parse(black_box(SHORT.0)).map(|it| Profile::STANDARD.frame(&it));
            let _ = black_box(framed);
        }),
        opened("open-ea07", SHORT.0, DecoderKey::sta(short)),
        opened("open-ea09", SHORT.0, DecoderKey::dea(short)),
        opened("open-ea11", LONG.0, DecoderKey::misty1(long)),
        derived("derive-dkga02", VendingKey::dkga02([0x11; 8]), EncryptionAlgorithm::Sta),
        derived("derive-dkga04", VendingKey::dkga04([0x11; 20]), EncryptionAlgorithm::Misty1),
        case("enter", move || {
            let mut meter = meter.clone();
            let _ = black_box(meter.enter(black_box(SHORT.0), 0).map(|it| it.outcome()));
        }),
    ]
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let cases = cases();
    match words.as_slice() {
        [] => cases.iter().for_each(|(name, _)| println!("{name}")),
        [wanted, times] => {
            let times: u32 = times.parse().expect("a number of times");
            let case = cases.iter().find(|(name, _)| name == wanted).expect("a name");
            (0..times).for_each(|_| case.1());
        }
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}
