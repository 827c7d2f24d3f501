//! Every word that the core has for something is in names.txt: a change of one is a change of what
//! profiles, reports and scripts say, and is seen here.
//!
//! `STS_WRITE_NAMES=1 cargo test -p sts-core --test names` writes the file anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::path::Path;

use sts_core::{
    BaseDate, Basis, Class, Commodity, EncryptionAlgorithm, FailedChecks, Framing, FramingSet,
    KeyAttributes, KeyDerivation, KeyExpiryNumber, KeyRevisionNumber, KeyType, Outcome, Payload,
    RangedField, Rejection, Setting, SupplyGroupCode, TariffIndex, Token, TokenId, TokenResult,
    class,
};

const CLASSES: [Class; 4] = [
    Class::Credit,
    Class::NonMeterSpecificManagement,
    Class::MeterSpecificManagement,
    Class::Reserved,
];

/// One of each kind.
fn rejections() -> Vec<Rejection> {
    let id = TokenId::new(5_698_080).unwrap();
    let oldest_kept = TokenId::new(12_293_820).unwrap();
    let failed = FailedChecks::default();
    vec![
        Rejection::Lockout { remaining_s: 60 },
        Rejection::NotReady,
        Rejection::NonDigit { position: 4, found: 'x' },
        Rejection::Length { digits: 21, fitting: FramingSet::EMPTY },
        Rejection::OutOfRange,
        Rejection::ExtensionCheck { expected: 7, found: 89 },
        Rejection::ExtensionKeyRevision { claimed: 2, held: 1 },
        Rejection::ExtensionResource { claimed: 1, class: Class::Credit, subclass: 0 },
        Rejection::ReservedClass,
        Rejection::Crc,
        Rejection::MfrCode { found: 12, own: 7 },
        Rejection::DefaultKey { failed },
        Rejection::KeyExpired { id, expiry: 85, failed },
        Rejection::Old { id, oldest_kept, failed },
        Rejection::Used { id, failed },
        Rejection::KeyType { from: KeyType::Unique, to: KeyType::Common },
        Rejection::SectionOrder { expected: 1, found: 2 },
        Rejection::Range { field: RangedField::KeyRevisionNumber, found: 10 },
        Rejection::Range { field: RangedField::TariffIndex, found: 100 },
        Rejection::Range { field: RangedField::SupplyGroupCode, found: 1_000_000 },
        Rejection::Range { field: RangedField::RegisterToClear, found: 8 },
        Rejection::Unsupported { class: Class::MeterSpecificManagement, subclass: 11 },
        Rejection::UnsupportedSection { section: 4 },
        Rejection::UnknownTest,
        Rejection::Overflow { register: 1, headroom: 9 },
    ]
}

fn outcomes() -> Vec<Outcome> {
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(600_457).unwrap(),
        krn: KeyRevisionNumber::new(2).unwrap(),
        ti: TariffIndex::new(7).unwrap(),
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let shown = Token::parse("18446744073843772416").unwrap().open_without_key().unwrap();
    let Ok(Payload::MeterTest(test)) = shown.authenticate() else { panic!("a meter test") };
    let changed = |rollover| Outcome::KeyChanged { attributes, rollover };
    let set = |setting| Outcome::Set { setting, value: 3 };
    let mut outcomes = vec![
        Outcome::Credited { register: 1, balance: 100 },
        Outcome::CurrencyCredited { register: 5, balance: -100 },
        Outcome::Tested(test),
        set(Setting::ClearCredit),
        set(Setting::ClearTamper),
        set(Setting::TariffRate),
        changed(false),
        changed(true),
        Outcome::Own,
    ];
    outcomes.extend((1..=4).map(|section| Outcome::SectionStored { section }));
    outcomes
}

fn names() -> String {
    let mut out = String::new();
    for it in Commodity::ALL {
        writeln!(out, "commodity {} in {}", it.name(), it.unit()).unwrap();
    }
    for it in EncryptionAlgorithm::ALL {
        assert_eq!(EncryptionAlgorithm::from_code(it.code()), Some(it));
        writeln!(out, "ea {}, a key of {} bytes", it.code(), it.key_length()).unwrap();
    }
    for it in KeyDerivation::ALL {
        assert_eq!(KeyDerivation::from_code(it.code()), Some(it));
        let sure = if it.is_unverified() { "unverified" } else { "verified" };
        writeln!(out, "dkga {}, a key of {} bytes, {sure}", it.code(), it.key_length()).unwrap();
    }
    for it in (0..=4).map_while(KeyType::from_code) {
        let to: Vec<&str> = (0..=3)
            .filter_map(KeyType::from_code)
            .filter(|to| it.may_change_to(*to))
            .map(KeyType::name)
            .collect();
        writeln!(out, "key type {} {}, may become {}", it.code(), it.name(), to.join(" ")).unwrap();
    }
    for it in BaseDate::ALL {
        assert_eq!(BaseDate::from_year(it.year()), Some(it));
        let (from, to) = (it.unix_minutes(), it.last_unix_minute());
        let next = it.next().map_or(0, BaseDate::year);
        writeln!(out, "base date {} {}, minutes {from} to {to}, then {next}", it.year(), it.code())
            .unwrap();
    }
    for it in Framing::ALL {
        assert_eq!(Framing::from_name(it.name()), Some(it));
        let accepted = if it.is_acceptable() { "acceptable" } else { "a finding" };
        let sure = if it.is_unverified() { ", unverified" } else { "" };
        writeln!(out, "framing {it}, {accepted}{sure}").unwrap();
    }
    for it in Basis::ALL {
        assert_eq!(Basis::from_name(it.name()), Some(it));
        writeln!(out, "basis {}", it.name()).unwrap();
    }
    for it in TokenResult::ALL {
        assert_eq!(TokenResult::from_name(it.name()), Some(it));
        let register = it.register().map_or("none".into(), |number| number.to_string());
        let taken = if it.is_taken() { ", taken" } else { "" };
        writeln!(out, "result {it}, register {register}{taken}").unwrap();
    }
    for class in CLASSES {
        let secret = if class.is_encrypted() { "encrypted" } else { "plain" };
        writeln!(out, "class {}, {secret}", class.bits()).unwrap();
        for subclass in 0..=15 {
            writeln!(out, "  {subclass} {}", class::name(class, subclass)).unwrap();
        }
    }
    for number in 0..=36 {
        writeln!(out, "test {number} {}", class::test_meaning(number).unwrap_or("none")).unwrap();
    }
    for it in rejections() {
        let register = it.register().map_or("none".into(), |number| number.to_string());
        writeln!(out, "refused {} {register} {:?}: {it}", it.code(), it.stage()).unwrap();
    }
    for it in outcomes() {
        writeln!(out, "outcome {}: {it}", it.result()).unwrap();
    }
    out
}

#[test]
fn names_are_as_they_were() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/names.txt");
    if std::env::var_os("STS_WRITE_NAMES").is_some() {
        std::fs::write(&path, names()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    for (place, (now, then)) in names().lines().zip(written.lines()).enumerate() {
        assert_eq!(now, then, "names.txt:{}", place + 1);
    }
    assert_eq!(names().lines().count(), written.lines().count());
}

#[test]
fn failed_checks_are_reported_in_their_order() {
    let mut failed = FailedChecks::default();
    assert_eq!(failed.results().count(), 0);
    (failed.default_key, failed.key_expired, failed.old, failed.used) = (true, true, true, true);
    let all = ["DDTKError", "KeyExpiredError", "OldError", "UsedError"];
    assert_eq!(failed.results().map(TokenResult::name).collect::<Vec<_>>(), all);
    let refused = Rejection::DefaultKey { failed };
    assert_eq!(refused.failed_checks(), Some(failed));
    assert_eq!(Rejection::Crc.failed_checks(), None);
}
