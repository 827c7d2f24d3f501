//! The state of a meter, taken apart into words and put together again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sts_core::{
    DecoderKey, EncryptionAlgorithm, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber, KeyType,
    LockoutRule, ManufacturerCode, Meter, Profile, Rejection, SupplyGroupCode, TariffIndex,
    TokenId,
};

static PROFILE: Profile<'static> =
    Profile { lockout: Some(LockoutRule { after: 2, durations_s: &[60] }), ..Profile::STANDARD };

fn meter<const TIDS: usize>(key: DecoderKey) -> Meter<'static, TIDS> {
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(600_457).unwrap(),
        krn: KeyRevisionNumber::new(1).unwrap(),
        ti: TariffIndex::new(7).unwrap(),
        kt: KeyType::Unique,
        ken: KeyExpiryNumber::NEVER,
    };
    let maker = ManufacturerCode::new(1, 2).unwrap();
    Meter::new(&PROFILE, maker, key, attributes, TokenId::new(1000).unwrap())
}

/// A meter of another key and nothing else, given every word: the same from each algorithm.
fn restored<const TIDS: usize>(from: &Meter<'static, TIDS>) -> Meter<'static, TIDS> {
    let [one, other, third] = EncryptionAlgorithm::ALL.map(|ea| {
        let other_key = DecoderKey::from_bytes(ea, &vec![0x22; ea.key_length()]).unwrap();
        let mut meter = meter(other_key);
        for index in 0..Meter::<TIDS>::WORDS {
            meter.set_word(index, from.word(index)).unwrap();
        }
        meter
    });
    assert!(one == other && other == third);
    one
}

#[test]
fn words_of_a_fresh_meter_restore_it_under_each_algorithm() {
    for ea in EncryptionAlgorithm::ALL {
        let bytes: Vec<u8> = (1..).take(ea.key_length()).collect();
        let fresh: Meter<'_, 50> = meter(DecoderKey::from_bytes(ea, &bytes).unwrap());
        assert!(restored(&fresh) == fresh, "{ea:?}");
        let odd: Meter<'_, 3> = meter(DecoderKey::from_bytes(ea, &bytes).unwrap());
        assert!(restored(&odd) == odd, "{ea:?}");
    }
}

#[test]
fn words_hold_counters_registers_and_settings() {
    let mut used: Meter<'_, 5> = meter(DecoderKey::sta([0x11; 8]));
    used.registers_mut().units = [1, 2, 3, u64::MAX];
    used.registers_mut().currency = [-1, i64::MIN, i64::MAX, 0];
    assert!(!used.is_tampered());
    used.set_tampered();
    assert!(used.is_tampered());
    for tid in 2000..2004 {
        used.remember(TokenId::new(tid).unwrap());
    }
    for _ in 0..3 {
        used.count_refusal(&Rejection::Crc, 77);
    }
    assert!(restored(&used) == used);
    assert_eq!(used.word(10), 1);
    assert_eq!(used.word(4), 77 + 60);
    assert_eq!(used.word(Meter::<5>::WORDS), 0);
}

/// Sections, limits and a new key, as tokens write them: each state on the way is restored.
#[cfg(feature = "seal")]
#[test]
fn words_hold_every_step_of_a_key_change() {
    use sts_core::class::key_change;
    use sts_core::{Amount, Payload, Setting, Token};

    for ea in [EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1] {
        let bytes: Vec<u8> = (1..).take(ea.key_length()).collect();
        let next: Vec<u8> = (101..).take(ea.key_length()).collect();
        let held = DecoderKey::from_bytes(ea, &bytes).unwrap();
        let next = DecoderKey::from_bytes(ea, &next).unwrap();
        let mut meter: Meter<'_, 50> = meter(held.clone());
        let limit = |setting| Payload::Set {
            setting,
            rnd: 5,
            tid: TokenId::new(5000 + setting as u32).unwrap(),
            value: Amount::round_up(4000).unwrap().field(),
        };
        let attributes = KeyAttributes { ti: TariffIndex::MIN, ..*meter.attributes() };
        let sections = key_change(&next, &attributes, true, true);
        let limits = [Setting::MaximumPowerLimit, Setting::PhaseUnbalanceLimit].map(limit);
        for (step, payload) in limits.into_iter().chain(sections).enumerate() {
            let token = Token::seal(&payload, &held).to_string();
            let _ = meter.enter(&token, step as u64).unwrap().apply();
            assert!(restored(&meter) == meter, "{ea:?}, step {step}");
        }
        assert!(meter.key().same_as(&next));
    }
}

/// The laws rest on this: a meter that differs in one thing is another.
#[test]
fn meters_are_the_same_in_every_word_and_in_what_they_are() {
    let mut before: Meter<'_, 3> = meter(DecoderKey::misty1([0x11; 16]));
    before.registers_mut().units = [1, 2, 3, 4];
    let other = [
        // Group, revision, tariff index, key type, key expiry.
        (0, before.word(0) ^ 1),
        (0, before.word(0) ^ 2 << 24),
        (0, before.word(0) ^ 1 << 32),
        (0, before.word(0) ^ 1 << 40),
        (0, before.word(0) ^ 1 << 48),
        (1, before.word(1) ^ 1),
        (2, before.word(2) ^ 1 << 63),
        // Limits that are set to zero, tampered, wrong entries, lock-outs.
        (3, 1 << 32),
        (3, 1 << 33),
        (3, 1 << 34),
        (3, 7 << 32 | 0x4000_3FFF),
        (3, 1 << 40),
        (3, 1 << 48),
        (4, 1),
        (5, 1),
        (6, 3 << 60 | 1 << 16),
        (7, 4 << 60 | 1 << 16),
        (8, 8 << 60 | 1 << 16),
        (9, 9 << 60 | 1 << 16),
        (10, 0),
        (11, 0),
        (12, 0),
        (13, 0),
        (14, 1),
        (15, 1),
        (16, 1),
        (17, 1),
        (18, before.word(18) ^ 1),
        (18, before.word(18) ^ 1 << 32),
        (19, before.word(19) ^ 1),
    ];
    for (index, word) in other {
        let mut changed = before.clone();
        changed.set_word(index, word).unwrap();
        assert_eq!(changed.word(index), word);
        assert!(changed != before, "{index}: {word:x}");
        let mut untouched = (0..Meter::<3>::WORDS).filter(|at| *at != index);
        assert!(untouched.all(|at| changed.word(at) == before.word(at)), "{index}");
        changed.set_word(index, before.word(index)).unwrap();
        assert!(changed == before, "{index}");
    }
    static OTHER: Profile<'static> = Profile { checks_expiry: false, ..PROFILE };
    let mut changed = before.clone();
    changed.set_profile(&OTHER);
    assert!(changed != before);
    let [one, other] = [1, 2].map(|code| {
        let maker = ManufacturerCode::new(code, 2).unwrap();
        let (key, tid_floor) = (before.key().clone(), TokenId::new(1000).unwrap());
        Meter::<3>::new(&PROFILE, maker, key, *before.attributes(), tid_floor)
    });
    assert!(one != other);
}

#[test]
fn words_that_no_meter_has_are_refused_and_change_nothing() {
    let mut meter: Meter<'_, 3> = meter(DecoderKey::sta([0x11; 8]));
    let before = meter.clone();
    let wrong = [
        (0, 7 << 56 | 1_000_000),
        (0, 7 << 56 | 10 << 24),
        (0, 7 << 56 | 100 << 32),
        (0, 7 << 56 | 4 << 40),
        (0, 8 << 56),
        (2, 1),
        (3, 8 << 32),
        (3, 1 << 56),
        // A limit that is not set, and has a value.
        (3, 1),
        (3, 1 << 16),
        (6, 4 << 60),
        (6, 1),
        // A section with its check: it is kept without.
        (6, 3 << 60 | 1),
        (18, 1 << 24),
        (19, 1 << 32),
        (20, 0),
        (usize::MAX, 0),
    ];
    for (index, word) in wrong {
        assert!(meter.set_word(index, word).is_err(), "{index}: {word:x}");
        assert!(meter == before, "{index}: {word:x}");
    }
}
