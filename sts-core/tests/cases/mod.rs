//! One test case of the vector files, or of any generator that writes the same form.

use serde_json::Value;
use sts_core::amount::{Amount, Commodity, CurrencyAmount};
use sts_core::cipher::misty1::Misty1;
use sts_core::cipher::sta;
use sts_core::key::{control_block, luhn_check_digit, pan_block};
use sts_core::token::Token;
use sts_core::{
    BaseDate, Class, DecoderKey, DecoderReferenceNumber, EncryptionAlgorithm, KeyAttributes,
    KeyDerivation, KeyExpiryNumber, KeyRevisionNumber, KeyType, ManufacturerCode, Meter, MeterPan,
    Outcome, Payload, Profile, Rejection, Setting, SupplyGroupCode, TariffIndex, TokenId,
    TokenResult, VendingKey, crc,
};

// -------------------------------------------------------------------------------- reading a case

pub(crate) fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

pub(crate) fn number(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn small<T: TryFrom<u64>>(case: &Value, field: &str) -> T {
    T::try_from(number(case, field)).unwrap_or_else(|_| panic!("{field} of {case}"))
}

fn hex(case: &Value, field: &str) -> u64 {
    u64::from_str_radix(text(case, field), 16).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn base_date(params: &Value) -> BaseDate {
    let code = text(params, "bdt");
    BaseDate::ALL.into_iter().find(|base| base.code() == code).unwrap()
}

fn attributes(params: &Value, ken: u8) -> KeyAttributes {
    KeyAttributes {
        sgc: SupplyGroupCode::new(text(params, "sgc").parse().unwrap()).unwrap(),
        krn: KeyRevisionNumber::new(small(params, "krn")).unwrap(),
        ti: TariffIndex::new(text(params, "ti").parse().unwrap()).unwrap(),
        kt: KeyType::from_code(small(params, "kt")).unwrap(),
        ken: KeyExpiryNumber::new(ken).unwrap(),
    }
}

fn pan(params: &Value) -> MeterPan {
    MeterPan::parse(text(params, "pan")).unwrap()
}

/// Derives the key that the parameters describe.
fn derived(params: &Value) -> DecoderKey {
    let dkga = KeyDerivation::from_code(text(params, "dkga")).unwrap();
    let ea = EncryptionAlgorithm::from_code(text(params, "ea")).unwrap();
    let vending = VendingKey::from_bytes(dkga, &bytes(text(params, "vk"))).unwrap();
    vending.derive(&pan(params), ea, &attributes(params, 255), base_date(params)).unwrap()
}

/// The key of the case, compared with the one that the case says was derived.
fn checked_key(case: &Value, params: &str, expected: &str) -> DecoderKey {
    let key = derived(&case[params]);
    if let Some(expected) = case[expected].as_str() {
        let expected = DecoderKey::from_bytes(key.ea(), &bytes(expected)).unwrap();
        assert!(key.same_as(&expected), "derived key of {case}");
    }
    key
}

/// Minutes since 1970 of a date and time as `2035-01-01 08:05`.
fn unix_minutes(issue: &str) -> i64 {
    let part = |from: usize, to: usize| issue[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    // A year that starts in March has its leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    (days - 719_469) * 1440 + part(11, 13) * 60 + part(14, 16)
}

fn issued(case: &Value) -> TokenId {
    let base = BaseDate::from_year(small(case, "base_year")).unwrap();
    TokenId::at(unix_minutes(text(case, "issue")), base).unwrap().skip_reserved_minute()
}

fn tid(case: &Value) -> TokenId {
    match case["tid"].as_u64() {
        Some(tid) => TokenId::try_from(u32::try_from(tid).unwrap()).unwrap(),
        None => issued(case),
    }
}

/// A decimal, with an exponent or without, in units of 0.000 01.
fn currency_units(amount: &str) -> i128 {
    let (mantissa, exponent) = amount.split_once(['E', 'e']).unwrap_or((amount, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    let shift = exponent + 5 - i32::try_from(fraction.len()).unwrap();
    let step = 10_i128.pow(shift.unsigned_abs());
    if shift < 0 {
        assert_eq!(digits % step, 0, "{amount} is finer than a unit");
        digits / step
    } else {
        digits * step
    }
}

// ------------------------------------------------------------------------------------- each kind

/// Checks one case, both ways where there are two. `false` where its kind is unknown.
pub(crate) fn check(case: &Value) -> bool {
    match text(case, "kind") {
        "des-ecb" => des(case),
        "misty1-ecb" => misty1(case),
        "sta-block" => sta_block(case),
        "sta-key-align" => sta_key_align(case),
        "crc" => crc_field(case),
        "class-insertion" => class_insertion(case),
        "amount16" => {
            let amount = Amount::round_up(small(case, "units")).unwrap();
            assert_eq!(u64::from(amount.field()), number(case, "expected_field"), "{case}");
            assert!(u64::from(amount.units()) >= number(case, "units"), "{case}");
        }
        "tid" => assert_eq!(u64::from(issued(case).get()), number(case, "expected_tid"), "{case}"),
        "luhn" => {
            let found = luhn_check_digit(text(case, "digits").as_bytes());
            assert_eq!(u64::from(found), number(case, "expected_check_digit"), "{case}");
        }
        "luhn-valid" => {
            let (payload, last) = text(case, "digits").split_at(text(case, "digits").len() - 1);
            let right = luhn_check_digit(payload.as_bytes()) == last.as_bytes()[0] - b'0';
            assert_eq!(Some(right), case["expected_valid"].as_bool(), "{case}");
        }
        "pan-block" => {
            let kt = KeyType::from_code(small(case, "kt")).unwrap();
            let block = pan_block(text(case, "iin"), text(case, "iain"), kt);
            assert_eq!(block, hex(case, "expected_block"), "{case}");
        }
        "control-block" => {
            let block = control_block(&attributes(case, 255));
            assert_eq!(block, hex(case, "expected_block"), "{case}");
        }
        "dkga" => drop(checked_key(case, "key_params", "expected_decoder_key")),
        "credit-token" | "currency-token" | "management-token" | "extended-token" => {
            encrypted_token(case);
        }
        "class1-token" => class_1_token(case),
        "key-change-set" => key_change_set(case),
        "meter-entry" => meter_entry(case),
        _ => return false,
    }
    true
}

/// The core has DES only for tokens, so the block is opened as one.
fn des(case: &Value) {
    let key = DecoderKey::from_bytes(EncryptionAlgorithm::Dea, &bytes(text(case, "key"))).unwrap();
    let token = Token::from_class_and_block(Class::Credit, hex(case, "expected_ciphertext"));
    assert_eq!(token.open(&key).unauthenticated_bits(), hex(case, "plaintext"), "{case}");
}

fn misty1(case: &Value) {
    let cipher = Misty1::new(&bytes(text(case, "key")).try_into().unwrap());
    let (plain, sealed) = (hex(case, "plaintext"), hex(case, "expected_ciphertext"));
    assert_eq!(cipher.decrypt(sealed), plain, "{case}");
    #[cfg(feature = "seal")]
    assert_eq!(cipher.encrypt(plain), sealed, "{case}");
}

fn sta_block(case: &Value) {
    let tables = match text(case, "tables") {
        "real" => &sta::DEPLOYED,
        "sample" => &sta::SAMPLE,
        other => panic!("tables {other}"),
    };
    let key = hex(case, "key");
    let (plain, sealed) = (hex(case, "plaintext"), hex(case, "expected_ciphertext"));
    assert_eq!(tables.decrypt(key, sealed), plain, "{case}");
    let decoder = DecoderKey::sta_with_tables(key.to_be_bytes(), tables);
    let opened = Token::from_class_and_block(Class::Credit, sealed).open(&decoder);
    assert_eq!(opened.unauthenticated_bits(), plain, "{case}");
    #[cfg(feature = "seal")]
    assert_eq!(tables.encrypt(key, plain), sealed, "{case}");
}

fn sta_key_align(case: &Value) {
    assert_eq!(!hex(case, "key"), hex(case, "expected_complement"), "{case}");
    assert_eq!(sta::align(hex(case, "key")), hex(case, "expected_rotated"), "{case}");
}

fn crc_field(case: &Value) {
    let bits = hex(case, "bits50");
    let (class, block) = (u8::try_from(bits >> 48).unwrap(), bits << 16);
    let found = match text(case, "variant") {
        "CRC" => crc::crc(class, block),
        "CRC_C" => crc::crc_c(class, block),
        other => panic!("variant {other}"),
    };
    assert_eq!(u64::from(found), hex(case, "expected_crc"), "{case}");
}

fn class_insertion(case: &Value) {
    let class = [
        Class::Credit,
        Class::NonMeterSpecificManagement,
        Class::MeterSpecificManagement,
        Class::Reserved,
    ][small::<usize>(case, "class")];
    let token = Token::from_class_and_block(class, hex(case, "block64"));
    let bits = u128::from_str_radix(text(case, "expected_bits66"), 16).unwrap();
    assert_eq!(token.bits(), bits, "{case}");
    assert_eq!(token.to_string(), text(case, "expected_token"), "{case}");
    assert_eq!(Token::from_bits(bits), Some(token), "{case}");
    assert_eq!(Token::parse(text(case, "expected_token")), Ok(token), "{case}");
}

// --------------------------------------------------------------------------------------- tokens

/// What a credit or class 2 token is to say.
fn payload(case: &Value) -> Payload {
    let subclass: usize = small(case, "subclass");
    let tid = tid(case);
    match text(case, "kind") {
        "credit-token" => Payload::Credit {
            commodity: Commodity::ALL[subclass],
            rnd: small(case, "rnd"),
            tid,
            amount: Amount::round_up(small(case, "units")).unwrap(),
        },
        "currency-token" => Payload::CurrencyCredit {
            commodity: Commodity::ALL[subclass - 4],
            tid,
            amount: CurrencyAmount::round_up(currency_units(text(case, "amount"))).unwrap(),
        },
        _ => Payload::Set {
            setting: match subclass {
                0 => Setting::MaximumPowerLimit,
                1 => Setting::ClearCredit,
                2 => Setting::TariffRate,
                5 => Setting::ClearTamper,
                6 => Setting::PhaseUnbalanceLimit,
                7 => Setting::WaterFactor,
                10 => Setting::ExtendedWrite,
                other => panic!("subclass {other}"),
            },
            rnd: small(case, "rnd"),
            tid,
            value: match case["field16"].as_u64() {
                Some(field) => u16::try_from(field).unwrap(),
                None => Amount::round_up(small(case, "watts")).unwrap().field(),
            },
        },
    }
}

fn encrypted_token(case: &Value) {
    let key = checked_key(case, "key_params", "derived_decoder_key");
    let expected = payload(case);
    let token = Token::parse(text(case, "expected_token")).unwrap();
    let opened = token.open(&key);
    if case["derived_plain_block"].is_string() {
        assert_eq!(opened.unauthenticated_bits(), hex(case, "derived_plain_block"), "{case}");
    }
    assert_eq!(opened.authenticate(), Ok(expected), "{case}");
    assert_eq!(u64::from(expected.kind().1), number(case, "subclass"), "{case}");
    #[cfg(feature = "seal")]
    assert_eq!(Token::seal(&expected, &key), token, "{case}");
}

fn class_1_token(case: &Value) {
    let token = Token::parse(text(case, "expected_token")).unwrap();
    let said = token.open_without_key().unwrap().authenticate().unwrap();
    let fields = match said {
        Payload::MeterTest(test) => (test.subclass, test.control, test.mfr_code),
        Payload::ExtendedRead { control, mfr_code } => (2, control, u16::from(mfr_code)),
        other => panic!("{other:?} of {case}"),
    };
    let expected = (small(case, "subclass"), hex(case, "control"), small(case, "mfr_code"));
    assert_eq!(fields, expected, "{case}");
    #[cfg(feature = "seal")]
    {
        let (subclass, control, mfr_code) = expected;
        let payload = if subclass == 2 {
            Payload::ExtendedRead { control, mfr_code: small(case, "mfr_code") }
        } else {
            Payload::MeterTest(sts_core::MeterTest::new(subclass, control, mfr_code).unwrap())
        };
        assert_eq!(Token::seal_without_key(&payload), Some(token), "{case}");
    }
}

/// The set is entered forwards into one meter and backwards into another.
fn key_change_set(case: &Value) {
    let (old, new) = (&case["key_params"], &case["new_params"]);
    let held = checked_key(case, "key_params", "derived_decoder_key");
    let next = checked_key(case, "new_params", "derived_new_key");
    let tokens: Vec<_> = case["expected_tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token.as_str().unwrap())
        .collect();
    let rollover = number(case, "rollover") == 1;
    let mut expected = attributes(new, small(case, "ken"));
    #[cfg(feature = "seal")]
    {
        let sections = sts_core::class::key_change(&next, &expected, rollover, tokens.len() == 3);
        let made: Vec<_> =
            sections.map(|section| Token::seal(&section, &held).to_string()).collect();
        assert_eq!(made, tokens, "{case}");
    }
    let before = attributes(old, 255);
    if tokens.len() == 2 {
        expected.sgc = before.sgc;
    }
    let floor = TokenId::new(1000).unwrap();
    let fresh: Meter<'_> =
        Meter::new(&Profile::STANDARD, pan(old).manufacturer_code(), held.clone(), before, floor);
    let last = tokens.len() - 1;
    let mut reversed = tokens.clone();
    reversed.reverse();
    for tokens in [tokens, reversed] {
        let mut meter = fresh.clone();
        for (place, token) in tokens.into_iter().enumerate() {
            let outcome = meter.enter(token, 0).map(sts_core::Admission::apply);
            match outcome {
                Ok(Outcome::KeyChanged { attributes, rollover: cleared }) if place == last => {
                    assert_eq!((attributes, cleared), (expected, rollover), "{case}");
                }
                Ok(Outcome::SectionStored { .. }) if place < last => {}
                other => panic!("section {place} gave {other:?}: {case}"),
            }
        }
        assert!(meter.key().same_as(&next), "new key of {case}");
        assert_eq!(*meter.attributes(), expected, "{case}");
        assert_eq!(meter.staged_sections(0).count(), 0, "{case}");
        assert_eq!(meter.tids()[0], if rollover { TokenId::MIN } else { floor }, "{case}");
    }
}

// ---------------------------------------------------------------------------------------- meters

/// A code of up to four digits, which only a meter number carries.
fn manufacturer(code: u64) -> ManufacturerCode {
    let digits = format!("{code:04}00000000");
    let drn = format!("{digits}{}", luhn_check_digit(digits.as_bytes()));
    let drn = DecoderReferenceNumber::parse(&drn).unwrap();
    MeterPan::from_drn(&drn).manufacturer_code()
}

fn enter(meter: &mut Meter<'_>, token: &str) -> (TokenResult, Vec<TokenResult>) {
    let before = meter.clone();
    match meter.enter(token, 0) {
        Ok(admission) => {
            let result = admission.apply().result();
            (result, vec![result])
        }
        Err(refusal) => {
            assert!(*meter == before, "{refusal:?} changed the meter");
            let all = refusal.failed_checks().map_or_else(Vec::new, |all| all.results().collect());
            let result = refusal.result();
            assert_eq!(result.name(), Rejection::code(&refusal));
            (result, if all.is_empty() { vec![result] } else { all })
        }
    }
}

fn meter_entry(case: &Value) {
    let (params, state) = (&case["key_params"], &case["meter"]);
    let resources = state["resources"].as_array();
    let profile = Profile {
        resources: resources.map_or(Profile::STANDARD.resources, |list| {
            list.iter().map(|subclass| u8::try_from(subclass.as_u64().unwrap()).unwrap()).collect()
        }),
        ..Profile::STANDARD
    };
    let attributes = KeyAttributes {
        krn: KeyRevisionNumber::new(small(state, "krn")).unwrap(),
        kt: KeyType::from_code(small(state, "kt")).unwrap(),
        ..attributes(params, small(state, "ken"))
    };
    let floor = TokenId::new(small(state, "tid_floor")).unwrap();
    let own = manufacturer(state["mfr_code"].as_u64().unwrap_or(0));
    let mut meter: Meter<'_> = Meter::new(&profile, own, derived(params), attributes, floor);
    for tid in state["tids"].as_array().into_iter().flatten() {
        meter.remember(TokenId::new(u32::try_from(tid.as_u64().unwrap()).unwrap()).unwrap());
    }
    for (register, held) in state["credit"].as_object().into_iter().flatten() {
        let register: usize = register.parse().unwrap();
        let held = held.as_str().unwrap();
        let registers = meter.registers_mut();
        match register {
            0..=3 => registers.units[register] = held.parse().unwrap(),
            _ => registers.currency[register - 4] = held.parse().unwrap(),
        }
    }
    for earlier in case["before"].as_array().into_iter().flatten() {
        let (result, _) = enter(&mut meter, text(earlier, "token"));
        assert_eq!(result.name(), text(earlier, "result"), "{earlier} before {case}");
    }
    let (result, all) = enter(&mut meter, text(case, "token"));
    assert_eq!(result.name(), text(case, "result"), "{case}");
    if let Some(expected) = case["results"].as_array() {
        let names: Vec<_> = all.iter().map(|result| result.name()).collect();
        assert_eq!(names, expected.iter().map(|r| r.as_str().unwrap()).collect::<Vec<_>>());
    }
}
