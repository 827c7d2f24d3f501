//! `cargo bench`: opening, deriving, admitting.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sts_benches::{KEY, TOKEN, open, ready_key};
use sts_core::{
    BaseDate, DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, Meter, MeterPan, Profile, SupplyGroupCode, TariffIndex, Token, TokenId, VendingKey,
};

/// A published test token of STS 531-1-11 and its key.
const LONG_TOKEN: &str = "23641553665398154702";
const LONG_KEY: u128 = 0x929b_d3a4_15c9_420a_05ec_5ee9_f3ce_91c3;

fn attributes() -> KeyAttributes {
    KeyAttributes {
        sgc: SupplyGroupCode::new(123_456).unwrap(),
        krn: KeyRevisionNumber::new(1).unwrap(),
        ti: TariffIndex::new(1).unwrap(),
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    }
}

fn pan() -> MeterPan {
    MeterPan::parse("600727000000000009").unwrap()
}

fn opening(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("open a token");
    let core = |text: &str, key: &DecoderKey| {
        Token::parse(black_box(text)).map(|token| token.open(black_box(key)).authenticate())
    };
    let key = ready_key();
    group.bench_function("EA07", |bencher| bencher.iter(|| core(TOKEN, &key)));
    group.bench_function("EA07 straightforward", |bencher| {
        bencher.iter(|| open(black_box(TOKEN), black_box(KEY)));
    });
    let key = DecoderKey::misty1(LONG_KEY.to_be_bytes());
    group.bench_function("EA11", |bencher| bencher.iter(|| core(LONG_TOKEN, &key)));
    group.finish();
}

fn deriving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("derive a key");
    let (pan, attributes) = (pan(), attributes());
    for (name, key) in
        [("DKGA02", VendingKey::dkga02([0x11; 8])), ("DKGA04", VendingKey::dkga04([0x11; 20]))]
    {
        group.bench_function(name, |bencher| {
            let ea = EncryptionAlgorithm::Sta;
            bencher.iter(|| key.derive(black_box(&pan), ea, &attributes, BaseDate::Y2014));
        });
    }
    group.finish();
}

fn admitting(criterion: &mut Criterion) {
    let code = pan().manufacturer_code();
    let mut meter: Meter<'_> =
        Meter::new(&Profile::STANDARD, code, ready_key(), attributes(), TokenId::MIN);
    criterion.bench_function("admit EA07", |bencher| {
        bencher.iter(|| meter.enter(black_box(TOKEN), 0).map(|admission| admission.outcome()));
    });
    criterion.bench_function("admit and apply EA07", |bencher| {
        bencher.iter_batched_ref(
            || meter.clone(),
            |meter| meter.enter(black_box(TOKEN), 0).map(|admission| admission.apply()),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, opening, deriving, admitting);
criterion_main!(benches);
