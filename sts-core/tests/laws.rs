//! Laws that hold for any token, key and sequence.

#![cfg(feature = "seal")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;

use proptest::prelude::*;
use sts_core::class::key_change;
use sts_core::framing::{extend, mod_97_10};
use sts_core::{
    Amount, Class, Commodity, CurrencyAmount, DecoderKey, Framing, FramingSet, KeyAttributes,
    KeyExpiryNumber, KeyRevisionNumber, KeyType, Keyed, LockoutRule, Meter, MeterPan, MeterTest,
    NumberSet, Outcome, Payload, Profile, Rejection, SectionOrder, Setting, SupplyGroupCode,
    TariffIndex, Token, TokenId, TokenResult,
};

// -------------------------------------------------------------------------------------- any values

fn any_tid() -> impl Strategy<Value = TokenId> {
    (0..=TokenId::MAX.get()).prop_map(|tid| TokenId::new(tid).unwrap())
}

fn any_attributes() -> impl Strategy<Value = KeyAttributes> {
    (0..=999_999_u32, 1..=9_u8, 0..=99_u8, 0..=3_u8, any::<u8>()).prop_map(
        |(sgc, krn, ti, kt, ken)| KeyAttributes {
            sgc: SupplyGroupCode::new(sgc).unwrap(),
            krn: KeyRevisionNumber::new(krn).unwrap(),
            ti: TariffIndex::new(ti).unwrap(),
            kt: KeyType::from_code(kt).unwrap(),
            ken: KeyExpiryNumber::new(ken).unwrap(),
        },
    )
}

fn any_key() -> impl Strategy<Value = DecoderKey> {
    prop_oneof![
        any::<[u8; 8]>().prop_map(DecoderKey::sta),
        any::<[u8; 8]>().prop_map(DecoderKey::dea),
        any::<[u8; 16]>().prop_map(DecoderKey::misty1),
    ]
}

fn any_commodity() -> impl Strategy<Value = Commodity> {
    (0..4_usize).prop_map(|at| Commodity::ALL[at])
}

fn any_setting() -> impl Strategy<Value = Setting> {
    prop_oneof![
        Just(Setting::MaximumPowerLimit),
        Just(Setting::ClearCredit),
        Just(Setting::TariffRate),
        Just(Setting::ClearTamper),
        Just(Setting::PhaseUnbalanceLimit),
        Just(Setting::WaterFactor),
        Just(Setting::ExtendedWrite),
    ]
}

/// Any payload but a key section, whose layout goes with the key.
fn any_payload() -> impl Strategy<Value = Payload> {
    let currency = (0..16_u8, any::<u16>())
        .prop_map(|(nibble, field)| CurrencyAmount::from_fields(nibble, field));
    prop_oneof![
        (any_commodity(), 0..16_u8, any_tid(), any::<u16>()).prop_map(
            |(commodity, rnd, tid, field)| {
                Payload::Credit { commodity, rnd, tid, amount: Amount::from_field(field) }
            }
        ),
        (any_commodity(), any_tid(), currency).prop_map(|(commodity, tid, amount)| {
            Payload::CurrencyCredit { commodity, tid, amount }
        }),
        (0..2_u8, any::<u64>(), any::<u8>()).prop_map(|(subclass, control, code)| {
            Payload::MeterTest(MeterTest::new(subclass, control, u16::from(code)).unwrap())
        }),
        (0..1_u64 << 36, any::<u8>())
            .prop_map(|(control, mfr_code)| Payload::ExtendedRead { control, mfr_code }),
        (any_setting(), 0..16_u8, any_tid(), any::<u16>())
            .prop_map(|(setting, rnd, tid, value)| Payload::Set { setting, rnd, tid, value }),
        (8..16_u8, 0..1_u64 << 44).prop_map(|(subclass, data)| Payload::Other {
            class: Class::Credit,
            subclass,
            data
        }),
        (11..16_u8, 0..1_u64 << 44).prop_map(|(subclass, data)| Payload::Other {
            class: Class::MeterSpecificManagement,
            subclass,
            data
        }),
    ]
}

// ---------------------------------------------------------------------------------------- one token

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn digits_of_any_66_bits_come_back(bits in 0..1_u128 << 66) {
        let token = Token::from_bits(bits).unwrap();
        prop_assert_eq!(token.bits(), bits);
        prop_assert_eq!(token.to_string().parse::<u128>().unwrap(), bits);
        prop_assert_eq!(Token::parse(&token.to_string()), Ok(token));
        prop_assert_eq!(Token::parse(&format!("{token:#}")), Ok(token));
        prop_assert_eq!(Token::from_class_and_block(token.class(), token.block()), token);
    }

    #[test]
    fn bits_above_66_are_no_token(bits in 1_u128 << 66..10_u128.pow(20)) {
        prop_assert_eq!(Token::from_bits(bits), None);
        prop_assert!(Token::parse(&bits.to_string()).is_err());
    }

    #[test]
    fn any_text_parses_or_is_refused(text in "\\PC{0,48}") {
        let _ = Token::parse(&text);
        if let Ok(keyed) = Keyed::parse_any_script(&text) {
            let _ = keyed.fitting();
        }
    }

    #[test]
    fn payload_sealed_and_opened_is_the_same(payload in any_payload(), key in any_key()) {
        let token = Token::seal(&payload, &key);
        prop_assert_eq!(token.open(&key).authenticate(), Ok(payload));
    }

    #[test]
    fn section_sealed_and_opened_is_the_same(
        old in any_key(), new in any::<[u8; 16]>(), to in any_attributes(), flags in any::<[bool; 2]>(),
    ) {
        let key = DecoderKey::from_bytes(old.ea(), &new[..old.ea().key_length()]).unwrap();
        for section in key_change(&key, &to, flags[0], flags[1]) {
            let token = Token::seal(&section, &old);
            prop_assert_eq!(token.open(&old).authenticate(), Ok(section));
        }
    }

    /// One digit wrong: never the same payload, and refused but for one in 65 536.
    #[test]
    fn digit_changed_never_says_the_same(
        payload in any_payload(), key in any_key(), place in 0..20_usize, by in 1..10_u8,
    ) {
        let mut digits = Token::seal(&payload, &key).digits().map(|digit| digit - b'0');
        digits[place] = (digits[place] + by) % 10;
        if let Some(token) = Token::from_digits(&digits) {
            prop_assert_ne!(token.open(&key).authenticate(), Ok(payload));
        }
    }

    /// MOD 97-10 finds every single wrong digit and every swap of neighbours.
    #[test]
    fn digit_changed_in_a_checked_entry_is_found(
        bits in 0..1_u128 << 66, krn in 0..10_u8, resource in 0..10_u8,
        place in 0..24_usize, by in 1..10_u8,
    ) {
        let mut digits = extend(Token::from_bits(bits).unwrap(), krn, resource);
        let entry = |digits: [u8; 24]| {
            Keyed::parse(str::from_utf8(&digits).unwrap()).unwrap().frame_as(Framing::W24Check)
        };
        prop_assert!(entry(digits).is_ok());
        // The whole leaves 1, so its own check digits would be 98 - 100 * 1 mod 97.
        prop_assert_eq!(mod_97_10(&digits.map(|digit| digit - b'0')), 95);
        let mut swapped = digits;
        swapped.swap(place, (place + 1) % 24);
        if place < 23 && swapped != digits {
            prop_assert!(entry(swapped).is_err());
        }
        digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
        prop_assert!(entry(digits).is_err());
    }

    #[test]
    fn amount_rounds_up_to_the_next_that_can_be_written(units in 0..=18_201_624_u32) {
        let amount = Amount::round_up(units).unwrap();
        prop_assert!(amount.units() >= units);
        if let Some(field) = amount.field().checked_sub(1) {
            prop_assert!(Amount::from_field(field).units() < units);
        }
    }

    #[test]
    fn currency_amount_rounds_towards_plus_infinity(units in -(1_i128 << 116)..1_i128 << 116) {
        let amount = CurrencyAmount::round_up(units).unwrap();
        prop_assert!(amount.units() >= units);
        let relative = (amount.units() - units).unsigned_abs() * 1000;
        prop_assert!(relative <= units.unsigned_abs());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn sections_in_any_order_give_the_same_key(
        old in any_key(), new in any::<[u8; 16]>(), to in any_attributes(),
        flags in any::<[bool; 2]>(), order in Just([0, 1, 2, 3]).prop_shuffle(),
        repeated in 0..4_usize,
    ) {
        let new = DecoderKey::from_bytes(old.ea(), &new[..old.ea().key_length()]).unwrap();
        let from = KeyAttributes { kt: KeyType::Initialization, ..to };
        let mut meter = new_meter(&Profile::STANDARD, old.clone(), from);
        let tokens: Vec<_> = key_change(&new, &to, flags[0], flags[1])
            .map(|section| Token::seal(&section, &old).to_string())
            .collect();
        let order: Vec<_> = order.into_iter().filter(|section| *section < tokens.len()).collect();
        let last = order.len() - 1;
        for section in &order[..last] {
            prop_assert!(meter.enter(&tokens[*section], 0).unwrap().apply().result().is_taken());
        }
        meter.enter(&tokens[order[repeated % last]], 0).unwrap().apply();
        let outcome = meter.enter(&tokens[order[last]], 0).unwrap().apply();
        prop_assert_eq!(outcome, Outcome::KeyChanged { attributes: to, rollover: flags[0] });
        prop_assert!(meter.key().same_as(&new));
    }
}

// --------------------------------------------------------------------------------------- one meter

fn new_meter<'p>(profile: &'p Profile<'p>, key: DecoderKey, held: KeyAttributes) -> Meter<'p> {
    let pan = MeterPan::parse("600727000000000009").unwrap();
    Meter::new(profile, pan.manufacturer_code(), key, held, TokenId::new(100).unwrap())
}

proptest! {
    /// A register is filled to its last unit, and refuses the one that is too much; what it is told to
    /// have room for is what it takes.
    #[test]
    fn register_takes_what_it_has_room_for_and_no_more(
        commodity in any_commodity(),
        field in 1_u16..,
        max in prop_oneof![Just(None), (18_201_624..=i64::MAX.cast_unsigned()).prop_map(Some)],
        over in any::<bool>(),
        currency in any::<bool>(),
        held in any_attributes(),
    ) {
        let profile = Profile { register_max: max, ..Profile::STANDARD };
        let held = KeyAttributes { kt: KeyType::Unique, ken: KeyExpiryNumber::NEVER, ..held };
        let mut meter = new_meter(&profile, DecoderKey::sta([7; 8]), held);
        let tid = TokenId::new(1000).unwrap();
        let place = commodity as usize;
        let (payload, units) = if currency {
            // Small exponents, so that a register has room for it.
            let amount = CurrencyAmount::from_fields(field.to_be_bytes()[0] & 1, field);
            (Payload::CurrencyCredit { commodity, tid, amount }, u64::try_from(amount.units()).unwrap())
        } else {
            let amount = Amount::from_field(field);
            (Payload::Credit { commodity, rnd: 0, tid, amount }, u64::from(amount.units()))
        };
        prop_assume!(units > 0);
        let most = if currency { i64::MAX.cast_unsigned() } else { u64::MAX };
        let most = max.unwrap_or(most);
        prop_assume!(units <= most);
        let before = most - units + u64::from(over);
        if currency {
            meter.registers_mut().currency[place] = before.cast_signed();
        } else {
            meter.registers_mut().units[place] = before;
        }
        let token = Token::seal(&payload, meter.key()).to_string();
        let answer = meter.enter(&token, 0).map(|admission| admission.outcome());
        let register = u8::try_from(place).unwrap() | if currency { 4 } else { 0 };
        let expected = match (over, currency) {
            (true, _) => Err(Rejection::Overflow { register, headroom: units - 1 }),
            (false, true) => Ok(Outcome::CurrencyCredited { register, balance: most.cast_signed() }),
            (false, false) => Ok(Outcome::Credited { register, balance: most }),
        };
        prop_assert_eq!(answer, expected);
    }
}

/// What comes to the meter.
#[derive(Clone, Debug)]
enum Step {
    /// A payload sealed under the meter's key, or a wrong one.
    Token { payload: Payload, wrong_key: bool },
    /// A section of a change to a key that `seed` gives.
    Section { seed: u8, place: usize, three: bool, to: KeyAttributes, rollover: bool },
    /// A token that was entered before.
    Again(prop::sample::Index),
    /// Digits of no meaning.
    Junk(String),
    /// A bit flipped in a token that was entered before.
    Spoilt(prop::sample::Index, u32),
    /// In the other framing, with claims.
    Extended { payload: Payload, krn: u8, resource: u8 },
    /// Time passes.
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    // A few TIDs, so that they meet each other; most tokens are good.
    let tid = (90..400_u32).prop_map(|tid| TokenId::new(tid).unwrap());
    let credit = (any_commodity(), tid, any::<u16>(), any::<bool>()).prop_map(
        |(commodity, tid, field, currency)| {
            if currency {
                let amount = CurrencyAmount::from_fields(field.to_be_bytes()[0] & 8, field);
                Payload::CurrencyCredit { commodity, tid, amount }
            } else {
                Payload::Credit { commodity, rnd: 0, tid, amount: Amount::from_field(field) }
            }
        },
    );
    let credit = credit.boxed();
    prop_oneof![
        6 => credit.clone().prop_map(|payload| Step::Token { payload, wrong_key: false }),
        2 => any_payload().prop_map(|payload| Step::Token { payload, wrong_key: false }),
        1 => credit.clone().prop_map(|payload| Step::Token { payload, wrong_key: true }),
        4 => (0..2_u8, 0..4_usize, any::<bool>(), any_attributes(), any::<bool>()).prop_map(
            |(seed, place, three, to, rollover)| Step::Section { seed, place, three, to, rollover }
        ),
        3 => any::<prop::sample::Index>().prop_map(Step::Again),
        1 => "[0-9]{0,26}".prop_map(Step::Junk),
        1 => "[0-9 x-]{18,24}".prop_map(Step::Junk),
        1 => (any::<prop::sample::Index>(), 0..66_u32)
            .prop_map(|(at, bit)| Step::Spoilt(at, bit)),
        1 => (credit, 0..10_u8, 0..10_u8)
            .prop_map(|(payload, krn, resource)| Step::Extended { payload, krn, resource }),
        2 => prop_oneof![0..3_u64, 0..2000_u64].prop_map(Step::Wait),
    ]
}

fn any_profile() -> impl Strategy<Value = Profile<'static>> {
    let framings = FramingSet::EMPTY.with(Framing::Sts20);
    (
        prop_oneof![Just(None), Just(Some(600))],
        prop_oneof![
            2 => Just(None),
            1 => Just(Some(LockoutRule { after: 3, durations_s: &[60, 600] })),
        ],
        any::<[bool; 4]>(),
        prop_oneof![Just(None), Just(Some(40_000_u64))],
    )
        .prop_map(move |(section_window_s, lockout, flags, register_max)| {
            let [strict, checks_expiry, checked, all] = flags;
            Profile {
                framings: if checked { framings.with(Framing::W24Check) } else { framings },
                resources: NumberSet::range(0, if all { 7 } else { 5 }),
                management: if all { NumberSet::range(0, 15) } else { NumberSet::EMPTY },
                section_order: if strict { SectionOrder::Strict } else { SectionOrder::Any },
                section_window_s,
                lockout,
                register_max,
                checks_expiry,
                ..Profile::STANDARD
            }
        })
}

/// What is keyed for a step, if anything.
fn keyed(step: &Step, meter: &Meter<'_>, entered: &[String]) -> Option<String> {
    let key = meter.key();
    Some(match step {
        Step::Token { payload, wrong_key: false } => Token::seal(payload, key).to_string(),
        Step::Token { payload, wrong_key: true } => {
            let wrong = vec![0x77; key.ea().key_length()];
            let wrong = DecoderKey::from_bytes(key.ea(), &wrong).unwrap();
            Token::seal(payload, &wrong).to_string()
        }
        Step::Section { seed, place, three, to, rollover } => {
            let next = vec![*seed + 1; key.ea().key_length()];
            let next = DecoderKey::from_bytes(key.ea(), &next).unwrap();
            // Mostly a change that the meter may make.
            let to =
                if *place == 0 { *to } else { KeyAttributes { kt: meter.attributes().kt, ..*to } };
            let mut sections = key_change(&next, &to, *rollover, *three);
            Token::seal(&sections.nth(*place)?, key).to_string()
        }
        Step::Again(at) if !entered.is_empty() => entered[at.index(entered.len())].clone(),
        Step::Spoilt(at, bit) if !entered.is_empty() => {
            let token = Token::parse(&entered[at.index(entered.len())]).ok()?;
            Token::from_bits(token.bits() ^ 1 << bit)?.to_string()
        }
        Step::Junk(text) => text.clone(),
        Step::Extended { payload, krn, resource } => {
            String::from_utf8(extend(Token::seal(payload, key), *krn, *resource).to_vec()).unwrap()
        }
        Step::Again(_) | Step::Spoilt(..) | Step::Wait(_) => return None,
    })
}

/// Walks a meter through the steps and checks, at each, what must hold whatever comes.
fn walk(profile: &Profile<'_>, key: DecoderKey, held: KeyAttributes, steps: &[Step]) {
    let mut meter = new_meter(profile, key, held);
    let mut entered = Vec::new();
    let mut now = 1000;
    // TIDs credited since the memory was last emptied: within it none may be credited twice.
    let mut credited = HashSet::new();
    let mut wrong_in_a_row = 0;
    let mut locked_until = None;
    for step in steps {
        if let Step::Wait(seconds) = step {
            now += seconds;
        }
        let Some(text) = keyed(step, &meter, &entered) else { continue };
        let before = meter.clone();
        let preview = meter.enter(&text, now).map(|admission| admission.outcome());
        assert!(meter == before, "a preview that was dropped changed the meter");
        let refusal = match meter.enter(&text, now) {
            Ok(admission) => {
                let payload = *admission.payload();
                let outcome = admission.apply();
                assert_eq!(preview, Ok(outcome));
                taken(&before, &meter, &payload, &outcome);
                if let Some(tid) = payload.tid() {
                    assert!(credited.insert(tid), "{tid:?} was taken twice");
                }
                if matches!(outcome, Outcome::KeyChanged { rollover: true, .. }) {
                    credited.clear();
                }
                wrong_in_a_row = 0;
                None
            }
            Err(refusal) => Some(refusal),
        };
        if let Some(refusal) = refusal {
            assert_eq!(preview, Err(refusal));
            assert!(meter == before, "{refusal:?} changed the meter");
            let locked = locked_until.is_some_and(|until| now < until);
            assert_eq!(matches!(refusal, Rejection::Lockout { .. }), locked, "{refusal:?}");
            meter.count_refusal(&refusal, now);
            let counts = matches!(
                refusal.result(),
                TokenResult::CrcError
                    | TokenResult::MfrCodeError
                    | TokenResult::LengthError
                    | TokenResult::FormatError
            );
            if let Some(rule) = profile.lockout
                && counts
            {
                wrong_in_a_row += 1;
                if wrong_in_a_row == rule.after {
                    wrong_in_a_row = 0;
                    let refused = meter.enter(&text, now).map(|admission| admission.outcome());
                    let Err(Rejection::Lockout { remaining_s }) = refused else {
                        panic!("{refused:?} after {} wrong entries", rule.after)
                    };
                    locked_until = Some(now + u64::from(remaining_s));
                }
            } else {
                assert!(meter == before, "{refusal:?} was counted");
            }
        }
        entered.push(text);
    }
}

/// What a token that was taken may have changed, and nothing else.
fn taken(before: &Meter<'_>, after: &Meter<'_>, payload: &Payload, outcome: &Outcome) {
    let mut registers = *before.registers();
    match *outcome {
        Outcome::Credited { register, balance } => {
            let Payload::Credit { amount, .. } = payload else { panic!("{payload:?}") };
            registers.units[usize::from(register)] += u64::from(amount.units());
            assert_eq!(registers.units[usize::from(register)], balance);
            assert!(after.profile().register_max.is_none_or(|max| balance <= max));
        }
        Outcome::CurrencyCredited { register, balance } => {
            let Payload::CurrencyCredit { amount, .. } = payload else { panic!("{payload:?}") };
            let held = i128::from(registers.currency[usize::from(register & 3)]);
            assert_eq!(held + amount.units(), i128::from(balance));
            registers.currency[usize::from(register & 3)] = balance;
        }
        Outcome::Set { setting: Setting::ClearCredit, .. } => registers = *after.registers(),
        _ => {}
    }
    assert_eq!(*after.registers(), registers);
    if !matches!(outcome, Outcome::KeyChanged { .. }) {
        assert!(after.key().same_as(before.key()));
        assert_eq!(after.attributes(), before.attributes());
    }
    match payload.tid() {
        Some(tid) => {
            assert!(!before.tids().contains(&tid) && after.tids().contains(&tid));
            assert!(tid > *before.tids().iter().min().unwrap());
        }
        None if matches!(outcome, Outcome::KeyChanged { rollover: true, .. }) => {
            assert!(after.tids().iter().all(|tid| *tid == TokenId::MIN));
        }
        None => assert_eq!(after.tids(), before.tids()),
    }
}

proptest! {
    // 2000 walks of 200 steps, of which one in ten waits: 360 000 entries.
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn meter_in_any_sequence_keeps_its_laws(
        profile in any_profile(),
        key in any_key(),
        held in any_attributes(),
        never in any::<bool>(),
        steps in prop::collection::vec(any_step(), 200),
    ) {
        let ken = if never { KeyExpiryNumber::NEVER } else { held.ken };
        walk(&profile, key, KeyAttributes { ken, ..held }, &steps);
    }
}
