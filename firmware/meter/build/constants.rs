//! Vectors and example as constants: what the structures in `src/vectors.rs` hold.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sts_core::{
    BaseDate, EncryptionAlgorithm, KeyAttributes, KeyDerivation, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex, VendingKey,
};

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn number(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// A `Key`: how it is derived, and what must come out, where the case says so.
fn key(params: &Value, expected: Option<&str>) -> String {
    let base = match text(params, "bdt") {
        "93" => 1993,
        "14" => 2014,
        _ => 2035,
    };
    let plain = |field| text(params, field).parse::<u32>().unwrap();
    format!(
        "Key {{ dkga: {}, vending_key: &{:?}, pan: {:?}, sgc: {}, base: {base}, ea: {}, krn: {}, ti: {}, kt: {}, expected: &{:?} }}",
        plain("dkga"),
        bytes(text(params, "vk")),
        text(params, "pan"),
        plain("sgc"),
        plain("ea"),
        number(params, "krn"),
        plain("ti"),
        number(params, "kt"),
        expected.map_or_else(Vec::new, bytes),
    )
}

fn strings(list: Option<&Vec<Value>>) -> String {
    let list: Vec<&str> = list.into_iter().flatten().map(|it| it.as_str().unwrap()).collect();
    format!("&{list:?}")
}

#[derive(Default)]
struct Tables {
    keys: String,
    tokens: String,
    tests: String,
    changes: String,
    entries: String,
}

impl Tables {
    fn add(&mut self, case: &Value) {
        let id = text(case, "id");
        let params = &case["key_params"];
        let stated = |field: &str| case[field].as_str();
        match text(case, "kind") {
            "dkga" => {
                let key = key(params, stated("expected_decoder_key"));
                writeln!(self.keys, "({id:?}, {key}),").unwrap();
            }
            "credit-token" | "currency-token" | "management-token" | "extended-token" => {
                let class = if text(case, "kind").starts_with('c') { 0 } else { 2 };
                let block = stated("derived_plain_block").unwrap_or("0");
                writeln!(
                    self.tokens,
                    "TokenCase {{ id: {id:?}, key: {}, token: {:?}, block: 0x{block}, class: {class}, subclass: {}, tid: {} }},",
                    key(params, stated("derived_decoder_key")),
                    text(case, "expected_token"),
                    number(case, "subclass"),
                    case["tid"].as_u64().map_or("u32::MAX".into(), |tid| tid.to_string()),
                )
                .unwrap();
            }
            "class1-token" => writeln!(
                self.tests,
                "({id:?}, {:?}, {}, 0x{}, {}),",
                text(case, "expected_token"),
                number(case, "subclass"),
                text(case, "control"),
                number(case, "mfr_code"),
            )
            .unwrap(),
            "key-change-set" => writeln!(
                self.changes,
                "ChangeCase {{ id: {id:?}, before: {}, after: {}, ken: {}, rollover: {}, tokens: {} }},",
                key(params, stated("derived_decoder_key")),
                key(&case["new_params"], stated("derived_new_key")),
                number(case, "ken"),
                number(case, "rollover") == 1,
                strings(case["expected_tokens"].as_array()),
            )
            .unwrap(),
            "meter-entry" => self.entry(case),
            _ => {}
        }
    }

    fn entry(&mut self, case: &Value) {
        let meter = &case["meter"];
        let resources = meter["resources"].as_array().map_or(0xFF, |list| {
            list.iter().fold(0, |bits, subclass| bits | 1_u64 << subclass.as_u64().unwrap())
        });
        let mut credit = ["0"; 8];
        for (register, held) in meter["credit"].as_object().into_iter().flatten() {
            credit[register.parse::<usize>().unwrap()] = held.as_str().unwrap();
        }
        let tids: Vec<u64> =
            meter["tids"].as_array().into_iter().flatten().map(|it| it.as_u64().unwrap()).collect();
        let before: Vec<(&str, &str)> = case["before"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| (text(entry, "token"), text(entry, "result")))
            .collect();
        writeln!(
            self.entries,
            "EntryCase {{ id: {:?}, key: {}, krn: {}, kt: {}, ken: {}, tid_floor: {}, mfr_code: {}, resources: {resources}, units: [{}], currency: [{}], tids: &{tids:?}, before: &{before:?}, token: {:?}, result: {:?} }},",
            text(case, "id"),
            key(&case["key_params"], None),
            number(meter, "krn"),
            number(meter, "kt"),
            number(meter, "ken"),
            number(meter, "tid_floor"),
            meter["mfr_code"].as_u64().unwrap_or(0),
            credit[..4].join(", "),
            credit[4..].join(", "),
            text(case, "token"),
            text(case, "result"),
        )
        .unwrap();
    }
}

/// The columns of a file whose last column alone may be quoted.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let width = lines.next().unwrap().split(',').count();
    lines.map(|line| line.splitn(width, ',').map(str::to_owned).collect()).collect()
}

/// Seconds since 1970 of a time as `2024-11-01T09:20:00Z`.
fn seconds(time: &str) -> i64 {
    let part = |from: usize, to: usize| time[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    // A year that starts in March has its leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    (days - 719_469) * 86_400 + part(11, 13) * 3600 + part(14, 16) * 60 + part(17, 19)
}

/// The key that a meter of the example holds before the first entry.
fn held_key(keys: &toml::Table, row: &[String]) -> Vec<u8> {
    let krn: i64 = row[3].parse().unwrap();
    let vending = keys["vending_key"].as_array().unwrap();
    let vending = vending.iter().find(|key| key["krn"].as_integer() == Some(krn)).unwrap();
    let dkga = KeyDerivation::from_code(vending["dkga"].as_str().unwrap()).unwrap();
    let secret = VendingKey::from_bytes(dkga, &bytes(vending["key"].as_str().unwrap())).unwrap();
    let attributes = KeyAttributes {
        sgc: SupplyGroupCode::new(row[2].parse().unwrap()).unwrap(),
        krn: KeyRevisionNumber::new(u8::try_from(krn).unwrap()).unwrap(),
        ti: TariffIndex::new(row[4].parse().unwrap()).unwrap(),
        kt: KeyType::from_code(row[5].parse().unwrap()).unwrap(),
        ken: KeyExpiryNumber::NEVER,
    };
    let drn = sts_core::DecoderReferenceNumber::parse(&row[0]).unwrap();
    let ea = EncryptionAlgorithm::from_code(&row[1]).unwrap();
    let base = BaseDate::from_year(row[6].parse().unwrap()).unwrap();
    let key = secret.derive(&MeterPan::from_drn(&drn), ea, &attributes, base).unwrap();
    key.expose_bytes().to_vec()
}

fn example(root: &Path, out: &mut String) {
    let folder = root.join("examples/mangaung-2024");
    for name in ["keys.toml", "meters.csv", "entries.csv"] {
        println!("cargo::rerun-if-changed={}", folder.join(name).display());
    }
    let keys: toml::Table = fs::read_to_string(folder.join("keys.toml")).unwrap().parse().unwrap();
    let entries = rows(&folder.join("entries.csv"));
    let mut meters = String::new();
    for row in rows(&folder.join("meters.csv")) {
        assert_eq!(row[8], "mangaung-2024-reconstruction", "another profile than the image has");
        let mut steps = String::new();
        for entry in entries.iter().filter(|entry| entry[2] == row[0]) {
            let at = seconds(&entry[1]);
            match &*entry[9] {
                "firmware" => write!(steps, "Step::Firmware({:?}), ", entry[10]).unwrap(),
                _ => write!(
                    steps,
                    "Step::Enter {{ id: {:?}, at: {at}, keyed: {:?}, displayed: {:?} }}, ",
                    entry[0], entry[3], entry[8]
                )
                .unwrap(),
            }
        }
        writeln!(
            meters,
            "ExampleMeter {{ key: &{:?}, sgc: {}, krn: {}, ti: {}, firmware: {:?}, tid_floor: {}, water: {}, steps: &[{steps}] }},",
            held_key(&keys, &row),
            row[2].parse::<u32>().unwrap(),
            row[3],
            row[4].parse::<u8>().unwrap(),
            row[9],
            row[10],
            row[11],
        )
        .unwrap();
    }
    writeln!(out, "static EXAMPLE: &[ExampleMeter] = &[{meters}];").unwrap();
}

pub(crate) fn write(root: &Path, path: &Path) {
    let folder = root.join("vectors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let mut tables = Tables::default();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".json") || name == "schema.json" {
            continue;
        }
        let file: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            tables.add(case);
        }
    }
    let mut out = String::new();
    for (name, kind, rows) in [
        ("KEYS", "(&str, Key)", &tables.keys),
        ("TOKENS", "TokenCase", &tables.tokens),
        ("TESTS", "(&str, &str, u8, u64, u16)", &tables.tests),
        ("CHANGES", "ChangeCase", &tables.changes),
        ("ENTRIES", "EntryCase", &tables.entries),
    ] {
        writeln!(out, "static {name}: &[{kind}] = &[\n{rows}];").unwrap();
    }
    example(root, &mut out);
    fs::write(path, out).unwrap();
}
