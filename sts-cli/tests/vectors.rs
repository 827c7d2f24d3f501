//! Every vector that the command line can express, through `verify`, `issue` and `inspect`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn cases() -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    // The packaged crate comes without the vectors.
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).expect("a vector file");
            let file: Value = serde_json::from_str(&text).expect("JSON");
            file["cases"].as_array().cloned().unwrap_or_default()
        })
        .filter(|case| case["verdict"] == "valid" && !tokens(case).is_empty())
        .filter(|case| case["kind"] != "class-insertion" && case["kind"] != "meter-entry")
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn tokens(case: &Value) -> Vec<String> {
    match &case["expected_tokens"] {
        Value::Array(tokens) => tokens.iter().map(text).collect(),
        _ if case["expected_token"].is_string() => vec![text(&case["expected_token"])],
        _ => Vec::new(),
    }
}

fn run(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(arguments)
        .args(["--format", "ndjson"])
        .output()
        .expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

fn write(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a temporary file");
    path.to_str().expect("UTF-8").to_owned()
}

/// SGC, KRN and key type, with the base date where several may stand beside each other.
type Place = (String, String, String);
/// Base date, key, expiry number and derivation.
type Held = (String, String, String, String);

/// One key file for cases whose keys do not stand in each other's place.
#[derive(Default)]
struct Batch {
    places: BTreeMap<Place, Held>,
    cases: Vec<Value>,
}

impl Batch {
    /// Takes a case unless one of its keys needs a taken place.
    ///
    /// `verify` tells keys of several base dates apart, `issue` asks for one.
    fn take(&mut self, case: &Value, several_dates: bool) -> bool {
        let mut places = self.places.clone();
        for (which, name) in ["key_params", "new_params"].into_iter().enumerate() {
            let params = &case[name];
            if params.is_null() {
                continue;
            }
            let date = if several_dates { text(&params["bdt"]) } else { String::new() };
            let place =
                (text(&params["sgc"]), text(&params["krn"]), text(&params["kt"]) + "/" + &date);
            let year = match text(&params["bdt"]).as_str() {
                "93" => "1993",
                "35" => "2035",
                _ => "2014",
            };
            // The expiry number of a new key is its vending key's; an old key's does not matter.
            let changed = which == 1 && !several_dates;
            let ken = if changed { text(&case["ken"]) } else { "255".to_owned() };
            let key = text(&params["vk"]).to_lowercase();
            let held = (year.to_owned(), key, ken, text(&params["dkga"]));
            match places.get(&place) {
                Some(other) if *other != held => return false,
                _ => places.insert(place, held),
            };
        }
        self.places = places;
        self.cases.push(case.clone());
        true
    }

    fn keys(&self) -> String {
        let mut keys = String::new();
        for (id, ((sgc, krn, kt), (base, key, ken, dkga))) in self.places.iter().enumerate() {
            let kt = &kt[..1];
            writeln!(
                keys,
                "[[vending_key]]\nid = \"k{id}\"\npurpose = \"test\"\nsgc = \"{sgc}\"\nkrn = {krn}\n\
                 kt = {kt}\ndkga = \"{dkga}\"\nbase_date = {base}\nken = {ken}\nkey = \"{key}\""
            )
            .expect("text");
        }
        keys
    }
}

fn batches(cases: &[Value], several_dates: bool) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for case in cases {
        if !batches.iter_mut().any(|batch| batch.take(case, several_dates)) {
            let mut batch = Batch::default();
            assert!(batch.take(case, several_dates), "a case of its own: {case}");
            batches.push(batch);
        }
    }
    batches
}

/// The columns that say which key: empty for a token that needs none.
fn key_columns(case: &Value) -> String {
    let params = &case["key_params"];
    ["pan", "ea", "sgc", "krn", "ti", "kt"].map(|name| text(&params[name])).join(",")
}

#[test]
fn verify_finds_every_vector_authentic() {
    let cases = cases();
    let mut verified = 0;
    for (number, batch) in batches(&cases, true).iter().enumerate() {
        let keys = write(&format!("verify-keys-{number}.toml"), &batch.keys());
        let mut table = "id,pan,ea,sgc,krn,ti,kt,token\n".to_owned();
        for case in &batch.cases {
            for token in tokens(case) {
                writeln!(table, "{},{},{token}", text(&case["id"]), key_columns(case))
                    .expect("text");
            }
        }
        let table = write(&format!("verify-{number}.csv"), &table);
        for object in run(&["verify", "--keys", &keys, "--input", &table]) {
            assert_eq!(object["result"], "Authentic", "{object}");
            let case = batch.cases.iter().find(|case| case["id"] == object["id"]).expect("it");
            if case["kind"] != "key-change-set" {
                assert_eq!(object["subclass"], case["subclass"], "{object}");
            }
            for name in ["tid", "rnd"] {
                if !case[name].is_null() && !object[name].is_null() {
                    assert_eq!(object[name], case[name], "{object}");
                }
            }
            verified += 1;
        }
    }
    let expected: usize = cases.iter().map(|case| tokens(case).len()).sum();
    assert_eq!(verified, expected);
}

/// A row of `issue`, or nothing where the vector is in a form that the table does not have.
fn issue_row(case: &Value) -> Option<String> {
    let field = |name: &str| text(&case[name]);
    let raw = case["field16"].as_u64();
    let subclass = field("subclass");
    let mut row: BTreeMap<&str, String> = BTreeMap::new();
    let mut put = |name: &'static str, value: String| row.insert(name, value);
    let kind = match (field("kind").as_str(), subclass.as_str()) {
        ("credit-token", _) => {
            put("units_raw", field("units"));
            "credit"
        }
        ("currency-token", _) => {
            put("amount", field("amount"));
            "currency"
        }
        ("class1-token", "2") => "extended_read",
        ("class1-token", _) => "test",
        ("key-change-set", _) => {
            let new = &case["new_params"];
            put("to_sgc", text(&new["sgc"]));
            put("to_krn", text(&new["krn"]));
            put("to_ti", text(&new["ti"]));
            put("to_kt", text(&new["kt"]));
            put("rollover", u8::from(field("rollover") == "1").to_string());
            put("three_kct", u8::from(tokens(case).len() == 3).to_string());
            "key_change"
        }
        (_, "0" | "6") => {
            let watts = case["watts"].as_u64().or_else(|| {
                let (exponent, mantissa) = (raw? >> 14, raw? & 0x3FFF);
                let power = 10_u64.pow(u32::try_from(exponent).ok()?);
                Some(power * mantissa + (1 << 14) * ((power - 1) / 9))
            });
            put("watts", watts?.to_string());
            if subclass == "0" { "max_power" } else { "phase_unbalance" }
        }
        (_, "1") => {
            put("register_to_clear", raw?.to_string());
            "clear_credit"
        }
        (_, "10") => {
            put("index", (raw? >> 10).to_string());
            put("value", (raw? & 1023).to_string());
            "extended_write"
        }
        (_, number) => {
            put("value", raw?.to_string());
            match number {
                "2" => "tariff_rate",
                "5" => "clear_tamper",
                _ => "water_factor",
            }
        }
    };
    if field("kind") == "class1-token" {
        put("control", field("control"));
        put("mfr_code", field("mfr_code"));
    }
    let issued_at = field("issue");
    if case["tid"].is_null() && !issued_at.is_empty() {
        put("issued_at", format!("{}Z", issued_at.replace(' ', "T")));
    }
    put("tid", field("tid"));
    put("rnd", field("rnd"));
    put("subclass", if kind.starts_with(['c', 't']) { subclass } else { String::new() });
    let columns = ISSUE.split(',').skip(8).map(|name| row.get(name).cloned().unwrap_or_default());
    let columns: Vec<String> = columns.collect();
    Some(format!("{},{},{kind},{}", field("id"), key_columns(case), columns.join(",")))
}

const ISSUE: &str = "id,pan,ea,sgc,krn,ti,kt,kind,subclass,issued_at,tid,rnd,units_raw,amount,watts,register_to_clear,control,mfr_code,index,value,to_sgc,to_krn,to_ti,to_kt,rollover,three_kct";

#[test]
fn issue_makes_every_vector_again() {
    // A change of base date alone cannot be asked for: the new key would be one of two.
    let expressible = |case: &Value| Batch::default().take(case, false);
    let cases: Vec<Value> =
        cases().into_iter().filter(|case| issue_row(case).is_some() && expressible(case)).collect();
    let mut made = 0;
    for (number, batch) in batches(&cases, false).iter().enumerate() {
        let keys = write(&format!("issue-keys-{number}.toml"), &batch.keys());
        let rows: Vec<String> = batch.cases.iter().filter_map(issue_row).collect();
        let table =
            write(&format!("issue-{number}.csv"), &format!("{ISSUE}\n{}\n", rows.join("\n")));
        for object in run(&["issue", "--keys", &keys, "--input", &table]) {
            let case = batch.cases.iter().find(|case| case["id"] == object["id"]).expect("it");
            let tokens: Vec<Value> = tokens(case).into_iter().map(Value::from).collect();
            assert_eq!(object["tokens"], Value::Array(tokens), "{case}");
            made += 1;
        }
    }
    assert_eq!(made, cases.len());
}

#[test]
fn inspect_reads_every_class_1_vector_and_no_other() {
    for chunk in cases().chunks(50) {
        let tokens: Vec<String> = chunk.iter().flat_map(tokens).collect();
        let mut arguments = vec!["inspect"];
        arguments.extend(tokens.iter().map(String::as_str));
        let kinds: Vec<bool> = chunk.iter().flat_map(tokens_are_clear).collect();
        let objects = run(&arguments);
        assert_eq!(objects.len(), kinds.len());
        for (object, clear) in objects.iter().zip(kinds) {
            let expected = if clear { "Authentic" } else { "Encrypted" };
            assert_eq!(object["result"], expected, "{object}");
        }
    }
}

fn tokens_are_clear(case: &Value) -> Vec<bool> {
    vec![case["kind"] == "class1-token"; tokens(case).len()]
}
