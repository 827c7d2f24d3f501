//! Writes the project's vectors as a C header, for the test of the C interface.
//!
//! ```console
//! $ cargo run -p sts-capi --example vectors_header > vectors.h
//! ```
//!
//! The types of the tables are in `c/vectors.h`. Kinds that a meter has no function for (ciphers,
//! check digits, amounts one step at a time) are left out and counted.

#![expect(clippy::unwrap_used, reason = "a tool for developers: a wrong vector file ends it")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use sts_core::{Amount, CurrencyAmount};

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn number(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap_or_else(|| panic!("{field} of {case}"))
}

/// A decimal in units of 0.000 01; no case is finer.
fn currency_units(amount: &str) -> i128 {
    let (mantissa, exponent) = amount.split_once(['E', 'e']).unwrap_or((amount, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    let shift = exponent.parse::<i32>().unwrap() + 5 - i32::try_from(fraction.len()).unwrap();
    let step = 10_i128.pow(shift.unsigned_abs());
    if shift < 0 { digits / step } else { digits * step }
}

/// Bytes in braces, and how many.
fn bytes(hex: &str) -> String {
    let pairs: Vec<String> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| format!("0x{}", str::from_utf8(pair).unwrap()))
        .collect();
    format!("{{{}}}, {}", pairs.join(", "), pairs.len())
}

/// `struct key_vector`: how the key is derived, and what must come out.
fn key(params: &Value, expected: &str) -> String {
    let base = match text(params, "bdt") {
        "93" => 1993,
        "14" => 2014,
        _ => 2035,
    };
    let plain = |field| text(params, field).trim_start_matches('0').parse::<u32>().unwrap_or(0);
    format!(
        "{{{}, {}, \"{}\", {}, {base}, {}, {}, {}, {}, {}}}",
        plain("dkga"),
        bytes(text(params, "vk")),
        text(params, "pan"),
        plain("sgc"),
        plain("ea"),
        number(params, "krn"),
        plain("ti"),
        number(params, "kt"),
        bytes(expected),
    )
}

/// What a token of class 0 or 2 with a token identifier carries besides.
fn fields(case: &Value) -> (u64, i64, u64, u64) {
    match text(case, "kind") {
        "credit-token" => {
            let units = u32::try_from(number(case, "units")).unwrap();
            let units = Amount::round_up(units).unwrap().units();
            (number(case, "rnd"), i64::from(units), 0, 0)
        }
        "currency-token" => {
            let units = currency_units(text(case, "amount"));
            let units = CurrencyAmount::round_up(units).unwrap().units();
            let limit = if units < 0 { i64::MIN } else { i64::MAX };
            let clipped = i64::try_from(units).is_err();
            (0, i64::try_from(units).unwrap_or(limit), u64::from(clipped), 0)
        }
        _ => {
            let watts = || {
                let watts = u32::try_from(number(case, "watts")).unwrap();
                u64::from(Amount::round_up(watts).unwrap().field())
            };
            let field = case["field16"].as_u64().unwrap_or_else(watts);
            (number(case, "rnd"), 0, 0, field)
        }
    }
}

/// A 64-bit number as C wants the lowest one.
fn signed(value: i64) -> String {
    if value == i64::MIN { "INT64_MIN".into() } else { format!("INT64_C({value})") }
}

fn failed_checks(case: &Value) -> u8 {
    let bit = |result: &Value| match result.as_str().unwrap() {
        "DDTKError" => 1,
        "KeyExpiredError" => 2,
        "OldError" => 4,
        "UsedError" => 8,
        _ => 0,
    };
    match case["results"].as_array() {
        Some(results) => results.iter().fold(0, |bits, result| bits | bit(result)),
        None => bit(&case["result"]),
    }
}

fn tokens(list: Option<&Vec<Value>>) -> String {
    let quoted: Vec<String> = list
        .into_iter()
        .flatten()
        .map(|token| format!("\"{}\"", token.as_str().unwrap()))
        .collect();
    let count = quoted.len();
    if count == 0 { "{0}, 0".into() } else { format!("{{{}}}, {count}", quoted.join(", ")) }
}

/// The rows of each table.
#[derive(Default)]
struct Tables {
    keys: String,
    tokens: String,
    tests: String,
    changes: String,
    entries: String,
}

fn meter_entry(case: &Value, derived: &str) -> String {
    let meter = &case["meter"];
    let resources = meter["resources"].as_array().map_or(0xFF, |list| {
        list.iter().fold(0, |bits, subclass| bits | 1 << subclass.as_u64().unwrap())
    });
    let mut credit = ["0"; 8];
    for (register, held) in meter["credit"].as_object().into_iter().flatten() {
        credit[register.parse::<usize>().unwrap()] = held.as_str().unwrap();
    }
    let (units, currency) = credit.split_at(4);
    let units: Vec<_> = units.iter().map(|held| format!("UINT64_C({held})")).collect();
    let currency: Vec<_> = currency.iter().map(|held| signed(held.parse().unwrap())).collect();
    let tids: Vec<String> =
        meter["tids"].as_array().into_iter().flatten().map(ToString::to_string).collect();
    let tids = match tids.len() {
        0 => "{0}, 0".into(),
        count => format!("{{{}}}, {count}", tids.join(", ")),
    };
    let before = case["before"].as_array();
    let results: Vec<String> = before
        .into_iter()
        .flatten()
        .map(|entry| format!("\"{}\"", text(entry, "result")))
        .collect();
    let results =
        if results.is_empty() { "{0}".into() } else { format!("{{{}}}", results.join(", ")) };
    let before: Vec<Value> =
        before.into_iter().flatten().map(|entry| entry["token"].clone()).collect();
    format!(
        "{{\"{}\", {}, {}, {}, {}, {}, {}, {resources}, {{{}}}, {{{}}}, {tids}, {}, {results}, \"{}\", \"{}\", {}}},\n",
        text(case, "id"),
        key(&case["key_params"], derived),
        number(meter, "krn"),
        number(meter, "kt"),
        number(meter, "ken"),
        number(meter, "tid_floor"),
        meter["mfr_code"].as_u64().unwrap_or(0),
        units.join(", "),
        currency.join(", "),
        tokens(Some(&before)),
        text(case, "token"),
        text(case, "result"),
        failed_checks(case),
    )
}

impl Tables {
    /// `false` for a kind without a function in C.
    fn add(&mut self, case: &Value) -> bool {
        let id = text(case, "id");
        let params = &case["key_params"];
        match text(case, "kind") {
            "dkga" => {
                let key = key(params, text(case, "expected_decoder_key"));
                writeln!(self.keys, "{{\"{id}\", {key}}},").unwrap();
            }
            "credit-token" | "currency-token" | "management-token" | "extended-token" => {
                let (rnd, amount, clipped, field) = fields(case);
                let class = if text(case, "kind") == "credit-token"
                    || text(case, "kind") == "currency-token"
                {
                    0
                } else {
                    2
                };
                let block = case["derived_plain_block"].as_str().unwrap_or("0");
                writeln!(
                    self.tokens,
                    "{{\"{id}\", {}, \"{}\", UINT64_C(0x{block}), {}, {class}, {}, {rnd}, {}, {clipped}, {field}}},",
                    key(params, &expected_key(case, "key_params", "derived_decoder_key")),
                    text(case, "expected_token"),
                    case["tid"].as_u64().unwrap_or(u64::from_str_radix(block, 16).unwrap() >> 32 & 0xFF_FFFF),
                    number(case, "subclass"),
                    signed(amount),
                )
                .unwrap();
            }
            "class1-token" => writeln!(
                self.tests,
                "{{\"{id}\", \"{}\", {}, UINT64_C(0x{}), {}}},",
                text(case, "expected_token"),
                number(case, "subclass"),
                text(case, "control"),
                number(case, "mfr_code"),
            )
            .unwrap(),
            "key-change-set" => writeln!(
                self.changes,
                "{{\"{id}\", {}, {}, {}, {}, {}}},",
                key(params, &expected_key(case, "key_params", "derived_decoder_key")),
                key(&case["new_params"], &expected_key(case, "new_params", "derived_new_key")),
                number(case, "ken"),
                number(case, "rollover"),
                tokens(case["expected_tokens"].as_array()),
            )
            .unwrap(),
            "meter-entry" => {
                let derived = derived_key(params);
                self.entries.push_str(&meter_entry(case, &derived));
            }
            _ => return false,
        }
        true
    }
}

/// The key as the case states it, else as the core derives it.
fn expected_key(case: &Value, params: &str, expected: &str) -> String {
    case[expected].as_str().map_or_else(|| derived_key(&case[params]), str::to_owned)
}

/// Some cases do not state their key; it is derived here, and in C again.
fn derived_key(params: &Value) -> String {
    use sts_core::{
        BaseDate, EncryptionAlgorithm, KeyAttributes, KeyDerivation, KeyExpiryNumber,
        KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex, VendingKey,
    };
    let vk = text(params, "vk");
    let vk: Vec<u8> = (0..vk.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&vk[at..at + 2], 16).unwrap())
        .collect();
    let dkga = KeyDerivation::from_code(text(params, "dkga")).unwrap();
    let ea = EncryptionAlgorithm::from_code(text(params, "ea")).unwrap();
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(text(params, "sgc").parse().unwrap()).unwrap(),
        krn: KeyRevisionNumber::new(u8::try_from(number(params, "krn")).unwrap()).unwrap(),
        ti: TariffIndex::new(text(params, "ti").parse().unwrap()).unwrap(),
        kt: KeyType::from_code(u8::try_from(number(params, "kt")).unwrap()).unwrap(),
        ken: KeyExpiryNumber::NEVER,
    };
    let base = BaseDate::ALL.into_iter().find(|base| base.code() == text(params, "bdt")).unwrap();
    let pan = MeterPan::parse(text(params, "pan")).unwrap();
    let key = VendingKey::from_bytes(dkga, &vk).unwrap();
    let key = key.derive(&pan, ea, &attributes, base).unwrap();
    key.expose_bytes().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut tables = Tables::default();
    let mut skipped = BTreeMap::new();
    for path in files {
        let is_vectors = path.extension().is_some_and(|it| it == "json")
            && path.file_name().is_some_and(|name| name != "schema.json");
        if !is_vectors {
            continue;
        }
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(file["schema"], 1, "{}", path.display());
        for case in file["cases"].as_array().unwrap() {
            if !tables.add(case) {
                *skipped.entry(text(case, "kind").to_owned()).or_insert(0) += 1;
            }
        }
    }
    println!("/* Made from vectors/ by `cargo run -p sts-capi --example vectors_header`. */");
    println!("/* Without a function in C: {skipped:?} */\n");
    for (kind, name, rows) in [
        ("named_key", "keys", tables.keys),
        ("token_vector", "tokens", tables.tokens),
        ("test_vector", "tests", tables.tests),
        ("change_vector", "changes", tables.changes),
        ("entry_vector", "entries", tables.entries),
    ] {
        println!("static const struct {kind} {name}[] = {{\n{rows}}};\n");
    }
}
