//! Every object the tool writes is as its published schema says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a verb and holds each line against the schema; gives the number of lines.
fn check(schema: &str, arguments: &[&str]) -> usize {
    let path = root().join("docs/schemas").join(schema);
    // The packaged crate comes without the schemas, and without the example.
    if !root().join("examples").exists() {
        return usize::MAX;
    }
    let text = std::fs::read_to_string(&path).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let output = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(arguments)
        .args(["--format", "ndjson"])
        .current_dir(root())
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for line in text.lines() {
        let object: Value = serde_json::from_str(line).expect("one object a line");
        let errors: Vec<String> =
            validator.iter_errors(&object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}\n{errors:?}");
    }
    text.lines().count()
}

#[test]
fn config_objects_fit_their_schema() {
    assert_eq!(check("config.schema.json", &["config", "show"]).min(8), 8);
}

#[test]
fn keys_objects_fit_their_schema() {
    assert!(check("keys.schema.json", &["keys", "list", KEYS]) >= 2);
    assert!(check("keys.schema.json", &["keys", KEYS]) >= 2);
    let pan = "600727000000000009";
    let meter = format!(
        "[[decoder_key]]\nid = \"d\"\npurpose = \"test\"\npan = \"{pan}\"\nea = \"07\"\nti = \"01\"\ntid_zone = \"+02:00\"\nkey = \"abababababababab\"\n[[vending_key]]\nid = \"s\"\npurpose = \"verify\"\nsgc = \"123456\"\nkrn = 1\nkt = 2\ndkga = \"02\"\nbase_date = 2014\nsealed = \"00\"\n"
    );
    let meter = temporary("meter-keys.toml", &meter);
    assert_eq!(check("keys.schema.json", &["keys", "list", meter.to_str().expect("UTF-8")]), 2);
}

const KEYS: &str = "examples/mangaung-2024/keys.toml";

fn temporary(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a temporary file");
    path
}

#[test]
fn inspect_objects_fit_their_schema() {
    let entries = [
        "18446744073843772416",
        "56493153725450313471",
        "02305843009347914912",
        "04434137679179024103",
        "184467440738437724162819",
        "184418446744073843772416",
        "73786976294838206464",
        "18446744073843772417",
        "1.23E+19",
        "0000000000000000",
    ];
    let mut arguments = vec!["inspect"];
    arguments.extend(entries);
    assert!(check("inspect.schema.json", &arguments) >= entries.len());
}

#[test]
fn replay_objects_fit_their_schema() {
    assert!(check("replay.schema.json", &["replay", "examples/mangaung-2024"]) >= 32);
    let keyless = temporary("no-keys.toml", "schema = 1\n");
    let keyless = keyless.to_str().expect("UTF-8");
    let arguments = ["replay", "examples/mangaung-2024", "--keys", keyless];
    assert!(check("replay.schema.json", &arguments) >= 32);
}

#[test]
fn issue_and_verify_objects_of_every_kind_fit_their_schema() {
    let head = "id,drn,ea,sgc,krn,ti,kt,kind,subclass,tid,units_raw,amount,watts,register_to_clear,control,index,value,to_krn,rollover,three_kct\n";
    let meter = "01202401012,07,600457,1,01,2";
    let rows = [
        "credit,1,16742880,100,,,,,,,,,",
        "currency,5,16742881,,-12.5,,,,,,,,",
        "test,0,,,,,,8,,,,,",
        "max_power,,16742882,,,5000,,,,,,,",
        "clear_credit,,16742883,,,,65535,,,,,,",
        "clear_tamper,,16742884,,,,,,,,,,",
        "phase_unbalance,,16742885,,,200,,,,,,,",
        "tariff_rate,,16742886,,,,,,,7,,,",
        "water_factor,,16742887,,,,,,,7,,,",
        "extended_read,,,,,,,,3,,,,",
        "extended_write,,16742888,,,,,,0,123,,,",
        "key_change,,,,,,,,,,2,1,1",
    ];
    let wanted: String =
        rows.iter().enumerate().map(|(id, row)| format!("{id},{meter},{row}\n")).collect();
    let wanted = temporary("wanted.csv", &format!("{head}{wanted}"));
    let wanted = wanted.to_str().expect("UTF-8");
    let arguments = ["issue", "--keys", KEYS, "--input", wanted];
    assert!(check("issue.schema.json", &arguments) >= rows.len());

    let output = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(arguments)
        .args(["--format", "ndjson"])
        .current_dir(root())
        .output()
        .expect("the binary runs");
    let mut table = "id,drn,ea,sgc,krn,ti,kt,token\n".to_owned();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let object: Value = serde_json::from_str(line).expect("one object a line");
        for token in object["tokens"].as_array().expect("tokens") {
            let token = token.as_str().expect("digits");
            table.push_str(&format!("{},{meter},{token}\n", object["id"]));
        }
    }
    table.push_str("x,01202401012,07,600457,1,01,2,123\ny,,,,,,,04434137679179024103\n");
    let table = temporary("made.csv", &table);
    let table = table.to_str().expect("UTF-8");
    let lines = check("verify.schema.json", &["verify", "--keys", KEYS, "--input", table]);
    assert!(lines >= rows.len() + 2);
}
