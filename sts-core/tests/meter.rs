//! What a meter does with a token, scenario by scenario.

#![cfg(feature = "seal")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sts_core::class::{KeySection, key_change};
use sts_core::framing::extend;
use sts_core::{
    Amount, BaseDate, Basis, Class, Commodity, CurrencyAmount, DecoderKey, DisplayRule,
    EncryptionAlgorithm, Framing, FramingSet, KeyAttributes, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, LockoutRule, Meter, MeterPan, MeterTest, NumberSet, Outcome, Payload, Profile,
    RangedField, Rejection, ResultSet, SectionOrder, Setting, SupplyGroupCode, TariffIndex, Token,
    TokenId, TokenResult, VendingKey,
};

const OLD: [u8; 8] = [0x11; 8];
const NEW: [u8; 8] = [0x22; 8];
const OLD_LONG: [u8; 16] = [0x33; 16];
const NEW_LONG: [u8; 16] = [0x44; 16];
/// The TID of the day the meter was made, and one of a later sale.
const FLOOR: u32 = 5_697_240;
const SALE: u32 = 5_698_680;

fn tid(value: u32) -> TokenId {
    TokenId::new(value).unwrap()
}

fn attributes(krn: u8, kt: KeyType) -> KeyAttributes {
    KeyAttributes {
        sgc: SupplyGroupCode::new(123_456).unwrap(),
        krn: KeyRevisionNumber::new(krn).unwrap(),
        ti: TariffIndex::new(1).unwrap(),
        kt,
        ken: KeyExpiryNumber::NEVER,
    }
}

fn meter_with<'p>(profile: &'p Profile<'p>, key: DecoderKey, held: KeyAttributes) -> Meter<'p> {
    let pan = MeterPan::parse("600727000000000009").unwrap();
    Meter::new(profile, pan.manufacturer_code(), key, held, tid(FLOOR))
}

fn meter<'p>(profile: &'p Profile<'p>) -> Meter<'p> {
    meter_with(profile, DecoderKey::sta(OLD), attributes(1, KeyType::Unique))
}

fn seal(payload: &Payload, key: [u8; 8]) -> String {
    Token::seal(payload, &DecoderKey::sta(key)).to_string()
}

fn credit(commodity: Commodity, id: u32, units: u32) -> Payload {
    let amount = Amount::round_up(units).unwrap();
    Payload::Credit { commodity, rnd: 5, tid: tid(id), amount }
}

fn electricity(id: u32) -> Payload {
    credit(Commodity::Electricity, id, 500)
}

fn currency(id: u32, units: i128) -> Payload {
    let amount = CurrencyAmount::round_up(units).unwrap();
    Payload::CurrencyCredit { commodity: Commodity::Water, tid: tid(id), amount }
}

fn setting(setting: Setting, id: u32, value: u16) -> Payload {
    Payload::Set { setting, rnd: 0, tid: tid(id), value }
}

/// Enters a token; a refusal is counted, as the keypad does, and changes nothing else.
fn enter_at(meter: &mut Meter<'_>, keyed: &str, now: u64) -> Result<Outcome, Rejection> {
    let before = meter.clone();
    let refusal = match meter.enter(keyed, now) {
        Ok(admission) => return Ok(admission.apply()),
        Err(refusal) => refusal,
    };
    assert!(*meter == before, "{refusal:?} changed the meter");
    meter.count_refusal(&refusal, now);
    Err(refusal)
}

fn result_at(meter: &mut Meter<'_>, keyed: &str, now: u64) -> &'static str {
    match enter_at(meter, keyed, now) {
        Ok(outcome) => outcome.result().name(),
        Err(refusal) => refusal.code(),
    }
}

fn result(meter: &mut Meter<'_>, keyed: &str) -> &'static str {
    result_at(meter, keyed, 0)
}

fn results(meter: &mut Meter<'_>, tokens: &[String]) -> Vec<&'static str> {
    tokens.iter().map(|token| result(meter, token)).collect()
}

/// The tokens that change `OLD` to `NEW`, or the long ones likewise.
fn change_to(to: &KeyAttributes, rollover: bool, with_sgc: bool) -> Vec<String> {
    key_change(&DecoderKey::sta(NEW), to, rollover, with_sgc)
        .map(|section| seal(&section, OLD))
        .collect()
}

fn long_change_to(to: &KeyAttributes) -> Vec<String> {
    let old = DecoderKey::misty1(OLD_LONG);
    key_change(&DecoderKey::misty1(NEW_LONG), to, true, true)
        .map(|section| Token::seal(&section, &old).to_string())
        .collect()
}

/// The first or second section of a change to `NEW` with one raw number altered.
fn altered(place: usize, alter: impl Fn(&mut KeySection)) -> String {
    let to = attributes(2, KeyType::Unique);
    let mut sections = key_change(&DecoderKey::sta(NEW), &to, true, true);
    let Some(Payload::KeySection(mut section)) = sections.nth(place) else { panic!() };
    alter(&mut section);
    seal(&Payload::KeySection(section), OLD)
}

// -------------------------------------------------------------------------------------- registers

/// 1. A credit adds its raw units, and an amount of zero is taken.
#[test]
fn credit_of_any_amount_adds_raw_units() {
    let mut meter = meter(&Profile::STANDARD);
    let outcome = enter_at(&mut meter, &seal(&electricity(SALE), OLD), 0);
    assert_eq!(outcome, Ok(Outcome::Credited { register: 0, balance: 500 }));
    let zero = credit(Commodity::Electricity, SALE + 1, 0);
    assert_eq!(result(&mut meter, &seal(&zero, OLD)), "Accept");
    let water = credit(Commodity::Water, SALE + 2, 2);
    assert_eq!(result(&mut meter, &seal(&water, OLD)), "Accept");
    assert_eq!(meter.registers().units, [500, 2, 0, 0]);
}

/// 2. A register takes what fits exactly; one unit more is an `OverflowError` (F21).
#[test]
fn credit_beyond_the_register_overflows_and_adds_nothing() {
    let profile = Profile { register_max: Some(1000), ..Profile::STANDARD };
    for (profile, max) in [(&profile, 1000), (&Profile::STANDARD, u64::MAX)] {
        let mut meter = meter(profile);
        meter.registers_mut().units[0] = max - 499;
        let refused = enter_at(&mut meter, &seal(&electricity(SALE), OLD), 0);
        assert_eq!(refused, Err(Rejection::Overflow { register: 0, headroom: 499 }));
        meter.registers_mut().units[0] = max - 500;
        assert_eq!(result(&mut meter, &seal(&electricity(SALE), OLD)), "Accept");
        assert_eq!(meter.registers().units[0], max);
    }
}

/// 3. A currency balance is signed: a debit may take it below zero.
#[test]
fn currency_debit_goes_below_zero() {
    let mut meter = meter(&Profile::STANDARD);
    let outcome = enter_at(&mut meter, &seal(&currency(SALE, -1_000), OLD), 0);
    assert_eq!(outcome, Ok(Outcome::CurrencyCredited { register: 5, balance: -1_000 }));
    meter.registers_mut().currency[1] = i64::MAX - 4;
    let refused = enter_at(&mut meter, &seal(&currency(SALE + 1, 5), OLD), 0);
    assert_eq!(refused, Err(Rejection::Overflow { register: 5, headroom: 4 }));
    assert_eq!(result(&mut meter, &seal(&currency(SALE + 1, 4), OLD)), "Accept");
}

/// 4. `ClearCredit` clears the register it names, and FFFF all of them.
#[test]
fn clear_credit_clears_its_register() {
    let mut full = meter(&Profile::STANDARD);
    full.registers_mut().units = [1, 2, 3, 4];
    full.registers_mut().currency = [5, 6, 7, 8];
    for register in 0..8_u16 {
        let mut meter = full.clone();
        let token = seal(&setting(Setting::ClearCredit, SALE, register), OLD);
        assert_eq!(result(&mut meter, &token), "Accept");
        let held = *meter.registers();
        let mut expected = *full.registers();
        match register {
            0..4 => expected.units[usize::from(register)] = 0,
            _ => expected.currency[usize::from(register) - 4] = 0,
        }
        assert_eq!(held, expected, "register {register}");
    }
    let token = seal(&setting(Setting::ClearCredit, SALE, 0xFFFF), OLD);
    assert_eq!(result(&mut full, &token), "Accept");
    assert_eq!(*full.registers(), sts_core::Registers::default());
}

/// 5. A reserved register of `ClearCredit` is a `RangeError`.
#[test]
fn clear_credit_of_a_reserved_register_is_out_of_range() {
    let mut meter = meter(&Profile::STANDARD);
    for register in [8, 9, 0x7FFF, 0xFFFE] {
        let token = seal(&setting(Setting::ClearCredit, SALE, register), OLD);
        let field = RangedField::RegisterToClear;
        let refused = Rejection::Range { field, found: u32::from(register) };
        assert_eq!(enter_at(&mut meter, &token, 0), Err(refused));
    }
}

/// A register that the meter has no credit for is no function; all registers are always cleared.
#[test]
fn clear_credit_of_a_register_the_meter_lacks_is_no_function() {
    let resources = NumberSet::EMPTY.with(1).with(5);
    let profile = Profile { resources, ..Profile::STANDARD };
    let mut meter = meter(&profile);
    for register in 0..8_u16 {
        let token = seal(&setting(Setting::ClearCredit, SALE + u32::from(register), register), OLD);
        let expected = if [1, 5].contains(&register) { "Accept" } else { "FunctionError" };
        assert_eq!(result(&mut meter, &token), expected, "register {register}");
    }
    let token = seal(&setting(Setting::ClearCredit, SALE + 8, 0xFFFF), OLD);
    assert_eq!(result(&mut meter, &token), "Accept");
}

/// 6. Limits and the tamper condition are kept as the tokens set them; padding is not looked at.
#[test]
fn settings_are_kept() {
    let mut meter = meter(&Profile::STANDARD);
    meter.set_tampered();
    for (payload, what) in [
        (setting(Setting::MaximumPowerLimit, SALE, 0x4000), "power"),
        (setting(Setting::PhaseUnbalanceLimit, SALE + 1, 7), "unbalance"),
        (setting(Setting::ClearTamper, SALE + 2, 0x1234), "tamper"),
    ] {
        assert_eq!(result(&mut meter, &seal(&payload, OLD)), "Accept", "{what}");
    }
    assert_eq!(meter.maximum_power().map(Amount::units), Some(16_384));
    assert_eq!(meter.phase_unbalance().map(Amount::units), Some(7));
    assert!(!meter.is_tampered());
}

// -------------------------------------------------------------------------------------- functions

/// 7. A water meter refuses an electricity token (F19), and one that counts volume refuses
///    currency (F20).
#[test]
fn credit_of_another_resource_is_no_function() {
    let profile = Profile { resources: NumberSet::EMPTY.with(1), ..Profile::STANDARD };
    let mut meter = meter(&profile);
    let refused = enter_at(&mut meter, &seal(&electricity(SALE), OLD), 0);
    assert_eq!(refused, Err(Rejection::Unsupported { class: Class::Credit, subclass: 0 }));
    let refused = enter_at(&mut meter, &seal(&currency(SALE, 100), OLD), 0);
    assert_eq!(refused, Err(Rejection::Unsupported { class: Class::Credit, subclass: 5 }));
    let water = credit(Commodity::Water, SALE, 2);
    assert_eq!(result(&mut meter, &seal(&water, OLD)), "Accept");
}

/// 8. Reserved subclasses of every class are a `FunctionError`, unless the profile has them.
#[test]
fn reserved_subclass_is_no_function_unless_named() {
    let named = Profile { management: NumberSet::range(0, 15), ..Profile::STANDARD };
    let other = |class, subclass| Payload::Other { class, subclass, data: 0 };
    let mut plain = meter(&Profile::STANDARD);
    for subclass in 8..=15 {
        assert_eq!(
            result(&mut plain, &seal(&other(Class::Credit, subclass), OLD)),
            "FunctionError"
        );
    }
    for subclass in 3..=15 {
        let class = Class::NonMeterSpecificManagement;
        let token = Token::seal_without_key(&other(class, subclass)).unwrap().to_string();
        assert_eq!(result(&mut plain, &token), "FunctionError");
    }
    let read = Payload::ExtendedRead { control: 1, mfr_code: 0 };
    assert_eq!(result(&mut plain, &seal(&read, OLD)), "FunctionError");
    let optional = [
        setting(Setting::TariffRate, SALE, 0),
        setting(Setting::WaterFactor, SALE + 1, 0),
        setting(Setting::ExtendedWrite, SALE + 2, 0),
    ];
    let makers = (11..=15).map(|subclass| other(Class::MeterSpecificManagement, subclass));
    for payload in optional.into_iter().chain(makers) {
        let token = seal(&payload, OLD);
        assert_eq!(result(&mut plain, &token), "FunctionError", "{payload:?}");
        assert_eq!(result(&mut meter(&named), &token), "Accept", "{payload:?}");
    }
}

/// 9. Class 3 is a `FunctionError` before the check is looked at.
#[test]
fn class_3_is_no_function() {
    let token = Token::from_class_and_block(Class::Reserved, 0x1234).to_string();
    let refused = enter_at(&mut meter(&Profile::STANDARD), &token, 0);
    assert_eq!(refused, Err(Rejection::ReservedClass));
    assert_eq!(Rejection::ReservedClass.code(), "FunctionError");
}

/// 10. A test is done if the meter knows one of those asked for, and test 0 always.
#[test]
fn test_of_which_none_is_known_is_no_function() {
    let profile = Profile { tests: NumberSet::range(1, 3), ..Profile::STANDARD };
    let mut meter = meter(&profile);
    for (control, expected) in [
        (0xF_FFFF_FFFF, "Accept"),
        (0b100, "Accept"),
        (0b1100, "Accept"),
        (0b1000, "FunctionError"),
        (0, "FunctionError"),
    ] {
        let test = Payload::MeterTest(MeterTest::new(0, control, 0).unwrap());
        assert_eq!(result(&mut meter, &seal(&test, OLD)), expected, "{control:#b}");
    }
}

/// 11. A test carries manufacturer code 0 or the meter's own, in either width; the check of the
///     token comes first.
#[test]
fn test_of_another_maker_is_refused() {
    let pan = MeterPan::parse("000001000000000082").unwrap();
    let own = pan.manufacturer_code().code;
    assert_ne!(own, 0);
    let held = attributes(1, KeyType::Unique);
    let mut meter: Meter<'_> =
        Meter::new(&Profile::STANDARD, pan.manufacturer_code(), DecoderKey::sta(OLD), held, tid(0));
    for subclass in [0, 1] {
        for (code, expected) in [(0, "Accept"), (own, "Accept"), (own + 1, "MfrCodeError")] {
            let Ok(test) = MeterTest::new(subclass, 1, code) else { continue };
            let token = Token::seal_without_key(&Payload::MeterTest(test)).unwrap();
            assert_eq!(result(&mut meter, &token.to_string()), expected);
            let spoilt = Token::from_class_and_block(token.class(), token.block() ^ 1);
            assert_eq!(result(&mut meter, &spoilt.to_string()), "CRCError");
        }
    }
    // A read of the extended set has no function here; another maker's is refused before that.
    for (code, expected) in
        [(0, "FunctionError"), (own, "FunctionError"), (own + 1, "MfrCodeError")]
    {
        let read = Payload::ExtendedRead { control: 1, mfr_code: u8::try_from(code).unwrap() };
        let token = Token::seal_without_key(&read).unwrap();
        assert_eq!(result(&mut meter, &token.to_string()), expected, "{code}");
    }
}

// -------------------------------------------------------------------------------------- validation

/// 12. A token is taken once; again it is used (F08), and one memory serves classes 0 and 2.
#[test]
fn token_entered_twice_is_used() {
    let mut meter = meter(&Profile::STANDARD);
    let token = seal(&electricity(SALE), OLD);
    assert_eq!([result(&mut meter, &token), result(&mut meter, &token)], ["Accept", "UsedError"]);
    let same_minute = seal(&setting(Setting::ClearTamper, SALE, 0), OLD);
    assert_eq!(result(&mut meter, &same_minute), "UsedError");
}

/// 13. Fifty TIDs are remembered and the lowest makes room; what is below the lowest is old.
#[test]
fn tid_below_the_lowest_of_fifty_is_old() {
    let mut meter = meter(&Profile::STANDARD);
    for minute in 0..51 {
        assert_eq!(result(&mut meter, &seal(&electricity(SALE + minute), OLD)), "Accept");
    }
    let refused = enter_at(&mut meter, &seal(&electricity(SALE), OLD), 0).unwrap_err();
    let Rejection::Old { id, oldest_kept, .. } = refused else { panic!("{refused:?}") };
    assert_eq!((id.get(), oldest_kept.get()), (SALE, SALE + 1));
    assert_eq!(result(&mut meter, &seal(&electricity(SALE + 1), OLD)), "UsedError");
}

/// 14. The TID of a token that cannot be executed is not remembered.
#[test]
fn tid_of_a_refused_token_stays_free() {
    let mut meter = meter(&Profile::STANDARD);
    meter.registers_mut().units[0] = u64::MAX;
    let token = seal(&electricity(SALE), OLD);
    assert_eq!(result(&mut meter, &token), "OverflowError");
    meter.registers_mut().units[0] = 0;
    assert_eq!(result(&mut meter, &token), "Accept");
}

/// 15. A TID whose high byte is above the KEN is expired (F15), if the meter checks it.
#[test]
fn tid_past_the_key_expiry_number_is_expired() {
    let unchecked = Profile { checks_expiry: false, ..Profile::STANDARD };
    let last = (0x56 << 16) + 0xFFFF;
    let held = KeyAttributes {
        ken: KeyExpiryNumber::new(0x56).unwrap(),
        ..attributes(1, KeyType::Unique)
    };
    let mut meter = meter_with(&Profile::STANDARD, DecoderKey::sta(OLD), held);
    assert_eq!(result(&mut meter, &seal(&electricity(last), OLD)), "Accept");
    let late = seal(&electricity(last + 1), OLD);
    assert_eq!(result(&mut meter, &late), "KeyExpiredError");
    meter.set_profile(&unchecked);
    assert_eq!(result(&mut meter, &late), "Accept");
}

/// 16. Under a default key there is no credit, but management.
#[test]
fn credit_under_a_default_key_is_refused() {
    let held = attributes(1, KeyType::Default);
    let mut meter = meter_with(&Profile::STANDARD, DecoderKey::sta(OLD), held);
    for payload in [electricity(SALE), currency(SALE, 1)] {
        assert_eq!(result(&mut meter, &seal(&payload, OLD)), "DDTKError");
    }
    let tamper = setting(Setting::ClearTamper, SALE, 0);
    assert_eq!(result(&mut meter, &seal(&tamper, OLD)), "Accept");
}

/// 17. Every check that fails is told, and the first is the result.
#[test]
fn failed_checks_are_told_together() {
    let held = KeyAttributes { ken: KeyExpiryNumber::MIN, ..attributes(1, KeyType::Default) };
    let mut meter = meter_with(&Profile::STANDARD, DecoderKey::sta(OLD), held);
    let mut checks = |payload: Payload| -> Vec<TokenResult> {
        let refused = enter_at(&mut meter, &seal(&payload, OLD), 0).unwrap_err();
        let all: Vec<_> = refused.failed_checks().unwrap().results().collect();
        assert_eq!(all[0], refused.result());
        all
    };
    use TokenResult::{DdtkError, KeyExpiredError, OldError, UsedError};
    assert_eq!(checks(electricity(FLOOR - 1)), [DdtkError, KeyExpiredError, OldError]);
    assert_eq!(checks(electricity(FLOOR)), [DdtkError, KeyExpiredError, UsedError]);
    let tamper = setting(Setting::ClearTamper, FLOOR, 0);
    assert_eq!(checks(tamper), [KeyExpiredError, UsedError]);
    assert_eq!(checks(electricity(0)), [DdtkError, OldError]);
}

/// 18. A sale after the last minute of the base date has a wrapped TID, which is old (F07).
#[test]
fn tid_after_the_last_minute_of_its_base_date_is_old() {
    let mut meter = meter(&Profile::STANDARD);
    let base = BaseDate::Y1993;
    meter.forget_tids(TokenId::at(base.last_unix_minute(), base).unwrap());
    let wrapped = TokenId::at(base.last_unix_minute() + 5, base).unwrap();
    assert_eq!(result(&mut meter, &seal(&electricity(wrapped.get()), OLD)), "OldError");
}

// -------------------------------------------------------------------------------------- key change

/// 19. A credit under the next key is refused before the key change and taken after it (F01).
#[test]
fn credit_under_the_next_key_waits_for_the_key_change() {
    let mut meter = meter(&Profile::STANDARD);
    let later = seal(&electricity(SALE), NEW);
    assert_eq!(result(&mut meter, &later), "CRCError");
    let change = change_to(&attributes(2, KeyType::Unique), true, false);
    assert_eq!(results(&mut meter, &change), ["1stKCT", "Accept"]);
    assert_eq!(result(&mut meter, &later), "Accept");
    assert_eq!(meter.attributes().krn.get(), 2);
}

/// 20. Sections are taken in any order (F02), under either length of key.
#[test]
fn sections_in_any_order_change_the_key() {
    const SECTIONS: [&str; 4] = ["1stKCT", "2ndKCT", "3rdKCT", "4thKCT"];
    let sgc = SupplyGroupCode::new(999_999).unwrap();
    let to = KeyAttributes { sgc, ..attributes(2, KeyType::Unique) };
    let short = (DecoderKey::sta(OLD), DecoderKey::sta(NEW), change_to(&to, true, true));
    let long = (DecoderKey::misty1(OLD_LONG), DecoderKey::misty1(NEW_LONG), long_change_to(&to));
    for (old, new, tokens) in [short, long] {
        for order in orders(tokens.len()) {
            let held = attributes(1, KeyType::Unique);
            let mut meter = meter_with(&Profile::STANDARD, old.clone(), held);
            let (last, first) = order.split_last().unwrap();
            for section in first {
                assert_eq!(result(&mut meter, &tokens[*section]), SECTIONS[*section]);
            }
            assert_eq!(result(&mut meter, &tokens[*last]), "Accept", "{order:?}");
            assert!(meter.key().same_as(&new), "{order:?}");
            assert_eq!(*meter.attributes(), to, "{order:?}");
        }
    }
}

/// Every order of the numbers below `count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![vec![]], |orders, next| {
        let insert = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |place| {
                let mut order = order.clone();
                order.insert(place, next);
                order
            })
        };
        orders.iter().flat_map(insert).collect()
    })
}

/// 21. A meter that is strict about the order answers a later section with `FormatError`, and
///     takes an earlier one again.
#[test]
fn section_out_of_order_is_a_format_error_where_strict() {
    let profile = Profile { section_order: SectionOrder::Strict, ..Profile::STANDARD };
    let change = change_to(&attributes(2, KeyType::Unique), true, true);
    let mut meter = meter(&profile);
    let refused = enter_at(&mut meter, &change[1], 0);
    assert_eq!(refused, Err(Rejection::SectionOrder { expected: 1, found: 2 }));
    let order = [0, 2, 1, 0, 2].map(|section: usize| change[section].clone());
    assert_eq!(
        results(&mut meter, &order),
        ["1stKCT", "FormatError", "2ndKCT", "1stKCT", "Accept"]
    );
}

/// 22. The window counts from the last section taken: its last second still counts, the next does
///     not, and what was entered is forgotten (F03).
#[test]
fn section_one_second_after_the_window_starts_anew() {
    let profile = Profile { section_window_s: Some(600), ..Profile::STANDARD };
    let change = change_to(&attributes(2, KeyType::Unique), true, true);
    let entered = |gap: u64| {
        let mut meter = meter(&profile);
        assert_eq!(result_at(&mut meter, &change[2], 1000), "3rdKCT");
        assert_eq!(result_at(&mut meter, &change[0], 1600), "1stKCT");
        let last = result_at(&mut meter, &change[1], 1600 + gap);
        (last, meter.staged_sections(1600 + gap).collect::<Vec<_>>())
    };
    assert_eq!(entered(600), ("Accept", vec![]));
    assert_eq!(entered(601), ("2ndKCT", vec![2]));
}

/// 23. The same section again replaces the first and answers its number again (F04); after the
///     change it no longer authenticates.
#[test]
fn section_entered_twice_answers_the_same() {
    let mut meter = meter(&Profile::STANDARD);
    let change = change_to(&attributes(2, KeyType::Unique), true, false);
    assert_eq!(result(&mut meter, &change[0]), "1stKCT");
    let staged = meter.clone();
    assert_eq!(result(&mut meter, &change[0]), "1stKCT");
    assert!(meter == staged);
    let other = altered(0, |section| {
        if let KeySection::First { krn, three_kct, .. } = section {
            (*krn, *three_kct) = (7, false);
        }
    });
    assert_eq!(result(&mut meter, &other), "1stKCT");
    assert_eq!(result(&mut meter, &change[1]), "Accept");
    assert_eq!(meter.attributes().krn.get(), 7);
    assert_eq!(result(&mut meter, &change[1]), "CRCError");
}

/// 24. A token of the old key, kept until after the change, does not authenticate (F05).
#[test]
fn credit_under_the_old_key_is_lost_after_the_change() {
    let mut meter = meter(&Profile::STANDARD);
    results(&mut meter, &change_to(&attributes(2, KeyType::Unique), true, false));
    assert_eq!(result(&mut meter, &seal(&electricity(SALE), OLD)), "CRCError");
}

/// 25. With the rollover bit the TID memory is emptied and the balance kept; without it new
///     tokens of a later base date are old (F06).
#[test]
fn tid_memory_without_the_rollover_bit_makes_new_tokens_old() {
    for (rollover, expected) in [(true, "Accept"), (false, "OldError")] {
        let mut meter = meter(&Profile::STANDARD);
        meter.forget_tids(tid(0xFF_0000));
        meter.registers_mut().units[0] = 7;
        let change = change_to(&attributes(2, KeyType::Unique), rollover, false);
        assert_eq!(results(&mut meter, &change), ["1stKCT", "Accept"]);
        assert_eq!(meter.registers().units[0], 7);
        assert_eq!(result(&mut meter, &seal(&electricity(SALE), NEW)), expected);
    }
}

/// 26. A meter that takes sets of two refuses a first or third section of three (F12), and one
///     with a 64-bit key a fourth.
#[test]
fn section_of_a_set_the_meter_lacks_is_no_function() {
    let two = Profile { key_change_sets: NumberSet::EMPTY.with(2), ..Profile::STANDARD };
    let three = Profile { key_change_sets: NumberSet::EMPTY.with(3), ..Profile::STANDARD };
    let to = attributes(2, KeyType::Unique);
    let change = change_to(&to, true, true);
    let expected = ["FunctionError", "2ndKCT", "FunctionError"];
    assert_eq!(results(&mut meter(&two), &change), expected);
    let pair = change_to(&to, true, false);
    assert_eq!(results(&mut meter(&three), &pair), ["FunctionError", "2ndKCT"]);
    let Some(fourth) = key_change(&DecoderKey::misty1(NEW_LONG), &to, true, true).nth(3) else {
        panic!()
    };
    let refused = enter_at(&mut meter(&Profile::STANDARD), &seal(&fourth, OLD), 0);
    assert_eq!(refused, Err(Rejection::UnsupportedSection { section: 4 }));
}

/// 27. Sections for a 128-bit key do not authenticate under a 64-bit one (F16), and a meter
///     without sets of four refuses each of them.
#[test]
fn sections_of_a_long_key_need_a_meter_for_it() {
    let change = long_change_to(&attributes(2, KeyType::Unique));
    assert_eq!(results(&mut meter(&Profile::STANDARD), &change), ["CRCError"; 4]);
    let short = Profile { key_change_sets: NumberSet::range(2, 3), ..Profile::STANDARD };
    let held = attributes(1, KeyType::Unique);
    let mut meter = meter_with(&short, DecoderKey::misty1(OLD_LONG), held);
    assert_eq!(results(&mut meter, &change), ["FunctionError"; 4]);
}

/// 28. A KRN of 0 or above 9, and a tariff index above 99, are judged at their section, and
///     sections stored before stay.
#[test]
fn section_with_a_number_out_of_range_is_refused_alone() {
    let mut meter = meter(&Profile::STANDARD);
    let change = change_to(&attributes(2, KeyType::Unique), true, true);
    assert_eq!(result(&mut meter, &change[2]), "3rdKCT");
    for found in [0, 10, 15] {
        let token = altered(0, |section| {
            if let KeySection::First { krn, .. } = section {
                *krn = found;
            }
        });
        let field = RangedField::KeyRevisionNumber;
        let refused = Rejection::Range { field, found: u32::from(found) };
        assert_eq!(enter_at(&mut meter, &token, 0), Err(refused));
    }
    for found in [100, 255] {
        let token = altered(1, |section| {
            if let KeySection::Second { ti, .. } = section {
                *ti = found;
            }
        });
        let field = RangedField::TariffIndex;
        let refused = Rejection::Range { field, found: u32::from(found) };
        assert_eq!(enter_at(&mut meter, &token, 0), Err(refused));
    }
    let token = altered(2, |section| {
        if let KeySection::ThirdWithSgc { sgc, .. } = section {
            *sgc = 1_000_000;
        }
    });
    assert_eq!(result(&mut meter, &token), "RangeError");
    assert_eq!(meter.staged_sections(0).collect::<Vec<_>>(), [3]);
    assert_eq!(results(&mut meter, &change[..2]), ["1stKCT", "Accept"]);
}

/// The largest revision, tariff index and supply group are in range.
#[test]
fn sections_with_the_largest_numbers_are_taken() {
    let to = KeyAttributes {
        sgc: SupplyGroupCode::MAX,
        krn: KeyRevisionNumber::MAX,
        ti: TariffIndex::MAX,
        ..attributes(1, KeyType::Unique)
    };
    let mut meter = meter(&Profile::STANDARD);
    assert_eq!(results(&mut meter, &change_to(&to, false, true)), ["1stKCT", "2ndKCT", "Accept"]);
    assert_eq!(*meter.attributes(), to);
}

/// 29. The bits of a third section that mean nothing are not looked at.
#[test]
fn section_with_padding_set_is_taken() {
    let token = altered(2, |section| {
        if let KeySection::ThirdWithSgc { pad, .. } = section {
            *pad = 0xF_FFFF;
        }
    });
    assert_eq!(result(&mut meter(&Profile::STANDARD), &token), "3rdKCT");
}

/// 30. The key type is judged when the set is whole: a change that is not allowed is a
///     `KeyTypeError`, and the sections stored before stay.
#[test]
fn key_type_change_that_is_not_allowed_keeps_the_other_sections() {
    const TYPES: [KeyType; 4] =
        [KeyType::Initialization, KeyType::Default, KeyType::Unique, KeyType::Common];
    // From the row's type to the column's.
    const ALLOWED: [[bool; 4]; 4] = [
        [true, true, true, true],
        [false, true, true, true],
        [false, true, true, false],
        [false, true, false, true],
    ];
    for (from, row) in TYPES.into_iter().zip(ALLOWED) {
        for (to, allowed) in TYPES.into_iter().zip(row) {
            let held = attributes(u8::from(from != KeyType::Initialization), from);
            let mut meter = meter_with(&Profile::STANDARD, DecoderKey::sta(OLD), held);
            let change = change_to(&attributes(2, to), false, false);
            assert_eq!(result(&mut meter, &change[0]), "1stKCT");
            let last = enter_at(&mut meter, &change[1], 0);
            assert_eq!(last.is_ok(), allowed, "{from:?} to {to:?}");
            if !allowed {
                assert_eq!(last, Err(Rejection::KeyType { from, to }));
                assert_eq!(meter.staged_sections(0).collect::<Vec<_>>(), [1]);
            }
        }
    }
}

/// 31. Sections carry no TID: neither a default key nor an expired one keeps them out.
#[test]
fn sections_are_not_validated_by_tid() {
    let held = KeyAttributes { ken: KeyExpiryNumber::MIN, ..attributes(1, KeyType::Default) };
    let mut meter = meter_with(&Profile::STANDARD, DecoderKey::sta(OLD), held);
    let change = change_to(&attributes(2, KeyType::Unique), false, false);
    assert_eq!(results(&mut meter, &change), ["1stKCT", "Accept"]);
}

/// 32. A set of two leaves the supply group code as it was; a set of three changes it.
#[test]
fn supply_group_code_stays_after_a_set_of_two() {
    let sgc = SupplyGroupCode::new(654_321).unwrap();
    let to = KeyAttributes { sgc, ..attributes(2, KeyType::Unique) };
    for (with_sgc, expected) in [(false, 123_456), (true, 654_321)] {
        let mut meter = meter(&Profile::STANDARD);
        results(&mut meter, &change_to(&to, false, with_sgc));
        assert_eq!((meter.attributes().krn.get(), meter.attributes().sgc.get()), (2, expected));
    }
}

/// A third section that was stored before belongs to no set of two: its code is not taken.
#[test]
fn supply_group_code_of_another_set_is_not_taken() {
    let mut meter = meter(&Profile::STANDARD);
    let sgc = SupplyGroupCode::new(654_321).unwrap();
    let three = change_to(&KeyAttributes { sgc, ..attributes(3, KeyType::Unique) }, false, true);
    let two = change_to(&attributes(2, KeyType::Unique), false, false);
    let entered = [&three[2], &two[0], &two[1]].map(|section| result(&mut meter, section));
    assert_eq!(entered, ["3rdKCT", "1stKCT", "Accept"]);
    assert_eq!((meter.attributes().krn.get(), meter.attributes().sgc.get()), (2, 123_456));
}

/// 33. Sections of two sets cannot be told apart and leave a key that nobody knows.
#[test]
fn sections_of_two_sets_leave_a_dead_key() {
    let mut meter = meter(&Profile::STANDARD);
    let one = change_to(&attributes(2, KeyType::Unique), false, false);
    let other: Vec<_> =
        key_change(&DecoderKey::sta([0x55; 8]), &attributes(3, KeyType::Unique), false, false)
            .map(|section| seal(&section, OLD))
            .collect();
    assert_eq!(result(&mut meter, &one[0]), "1stKCT");
    assert_eq!(result(&mut meter, &other[1]), "Accept");
    for key in [OLD, NEW, [0x55; 8]] {
        assert_eq!(result(&mut meter, &seal(&electricity(SALE), key)), "CRCError");
    }
}

// ------------------------------------------------------------------------------- keypad and display

const FIVE: Profile<'_> = Profile {
    lockout: Some(LockoutRule { after: 5, durations_s: &[60, 1800] }),
    ..Profile::STANDARD
};

/// 34. The fifth wrong entry gets its own result, the sixth is `Lockout` (F17), and when the time
///     is over the keypad takes entries again.
#[test]
fn entry_after_five_wrong_ones_is_locked_out() {
    let mut meter = meter(&FIVE);
    let good = seal(&electricity(SALE), OLD);
    let wrong = [seal(&electricity(SALE), NEW), "123".to_owned(), "abc".to_owned()];
    let five = [0, 1, 2, 0, 1].map(|entry: usize| result_at(&mut meter, &wrong[entry], 100));
    assert_eq!(five, ["CRCError", "LengthError", "FormatError", "CRCError", "LengthError"]);
    assert_eq!(enter_at(&mut meter, &good, 100), Err(Rejection::Lockout { remaining_s: 60 }));
    assert_eq!(enter_at(&mut meter, "123", 159), Err(Rejection::Lockout { remaining_s: 1 }));
    assert_eq!(result_at(&mut meter, &good, 160), "Accept");
}

/// 35. The second lock-out in a row takes the second duration, and the last repeats.
#[test]
fn lockouts_in_a_row_take_their_durations() {
    let mut meter = meter(&FIVE);
    let mut now = 0;
    for duration in [60, 1800, 1800] {
        for _ in 0..5 {
            assert_eq!(result_at(&mut meter, "1", now), "LengthError");
        }
        let locked = Rejection::Lockout { remaining_s: duration };
        assert_eq!(enter_at(&mut meter, "1", now), Err(locked));
        now += u64::from(duration);
    }
}

/// 36. A token or a section that is taken starts the count anew; a refusal of an authentic token
///     does not count.
#[test]
fn count_of_wrong_entries_starts_anew_with_a_taken_token() {
    let mut meter = meter(&FIVE);
    let section = &change_to(&attributes(2, KeyType::Unique), false, false)[0];
    let token = seal(&electricity(SALE), OLD);
    for taken in [&token, section] {
        for _ in 0..4 {
            assert_eq!(result(&mut meter, "1"), "LengthError");
        }
        assert!(matches!(result(&mut meter, taken), "Accept" | "1stKCT"));
    }
    for _ in 0..4 {
        assert_eq!(result(&mut meter, "1"), "LengthError");
    }
    for _ in 0..9 {
        assert_eq!(result(&mut meter, &token), "UsedError");
    }
    assert_eq!(result(&mut meter, "1"), "LengthError");
    assert_eq!(result(&mut meter, "1"), "Lockout");
}

/// 37. A 24-digit entry must claim what its token turns out to be.
#[test]
fn extended_entry_with_a_wrong_claim_is_a_mismatch() {
    let framings = FramingSet::EMPTY.with(Framing::Sts20).with(Framing::W24Check);
    let profile = Profile { framings, ..Profile::STANDARD };
    let token = Token::seal(&electricity(SALE), &DecoderKey::sta(OLD));
    let entry = |krn, resource| String::from_utf8(extend(token, krn, resource).to_vec()).unwrap();
    let mut meter = meter(&profile);
    for (krn, resource, expected) in [
        (2, 0, Rejection::ExtensionKeyRevision { claimed: 2, held: 1 }),
        (1, 1, Rejection::ExtensionResource { claimed: 1, class: Class::Credit, subclass: 0 }),
        (1, 8, Rejection::ExtensionResource { claimed: 8, class: Class::Credit, subclass: 0 }),
    ] {
        assert_eq!(enter_at(&mut meter, &entry(krn, resource), 0), Err(expected));
        assert_eq!(expected.code(), "ExtensionMismatch");
    }
    let mut spoilt = entry(1, 0).into_bytes();
    spoilt.swap(21, 22);
    let refused = enter_at(&mut meter, str::from_utf8(&spoilt).unwrap(), 0);
    assert!(matches!(refused, Err(Rejection::ExtensionCheck { .. })), "{refused:?}");
    assert_eq!(result(&mut meter, &entry(0, 9)), "Accept");
    let mut plain = meter.clone();
    plain.set_profile(&Profile::STANDARD);
    assert_eq!(result(&mut plain, &entry(1, 0)), "LengthError");
}

/// 38. Twenty digits at or above 2^66 are no token.
#[test]
fn digits_above_the_largest_token_are_a_format_error() {
    let mut meter = meter(&Profile::STANDARD);
    // All ones: class 3.
    assert_eq!(result(&mut meter, "73786976294838206463"), "FunctionError");
    let refused = enter_at(&mut meter, "73786976294838206464", 0);
    assert_eq!(refused, Err(Rejection::OutOfRange));
}

/// 39. A preview that is dropped writes nothing.
#[test]
fn admission_that_is_dropped_changes_nothing() {
    let mut meter = meter(&Profile::STANDARD);
    let before = meter.clone();
    let section = &change_to(&attributes(2, KeyType::Unique), false, false)[0];
    for token in [&seal(&electricity(SALE), OLD), section] {
        assert!(meter.enter(token, 0).is_ok());
        assert!(meter == before);
    }
}

/// 40. What is shown follows the profile's first rule that fits, pending key changes included.
#[test]
fn shown_text_follows_the_first_rule() {
    let crc_error = ResultSet::EMPTY.with(TokenResult::CrcError);
    let rule =
        |on, only_pending, show| DisplayRule { on, only_pending, show, basis: Basis::Hypothesis };
    let display = [rule(crc_error, true, "KCT?"), rule(crc_error, false, "017: {result}")];
    let profile = Profile { display: &display, ..Profile::STANDARD };
    let mut meter = meter(&profile);
    let shown = |meter: &Meter<'_>| meter.shown(TokenResult::CrcError, 0).to_string();
    assert_eq!(shown(&meter), "017: CRCError");
    result(&mut meter, &change_to(&attributes(2, KeyType::Unique), false, false)[0]);
    assert_eq!(shown(&meter), "KCT?");
    assert_eq!(meter.shown(TokenResult::Accept, 0).to_string(), "Accept");
}

/// 41. A DKGA02 key of even parity is used as given, and says that it is one.
#[test]
fn vending_key_of_even_parity_is_used_as_given() {
    let pan = MeterPan::parse("600727000000000009").unwrap();
    let derive = |key: [u8; 8]| {
        let of = attributes(1, KeyType::Unique);
        VendingKey::dkga02(key).derive(&pan, EncryptionAlgorithm::Sta, &of, BaseDate::Y1993)
    };
    let (odd, even) = ([0x01; 8], [0x00; 8]);
    assert!(VendingKey::dkga02(even).has_even_parity());
    assert!(!VendingKey::dkga02(odd).has_even_parity());
    assert!(!derive(odd).unwrap().same_as(&derive(even).unwrap()));
}
