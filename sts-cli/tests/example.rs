//! The shipped case, through the binary: what the README promises.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/mangaung-2024")
}

fn sts(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(arguments)
        .current_dir(example())
        .output()
        .expect("the binary runs")
}

fn objects(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

/// The packaged crate comes without the examples.
fn is_packaged() -> bool {
    !example().exists()
}

#[test]
fn replay_reproduces_every_display_and_names_each_cause() {
    if is_packaged() {
        return;
    }
    let output = sts(&["replay", ".", "--format", "ndjson"]);
    assert_eq!(output.status.code(), Some(0));
    let verdicts = objects(&output);
    let cause = |id: &str| {
        let verdict = verdicts.iter().find(|verdict| verdict["id"] == id).expect("the entry");
        verdict["cause"].as_str().unwrap_or("none").to_owned()
    };
    for verdict in &verdicts {
        assert!(verdict["reproduced"] == true || verdict["event"] == "firmware", "{verdict}");
    }
    for (id, expected) in [
        ("1", "none"),
        ("2", "krn.ahead"),
        ("3", "length.ahead"),
        ("4c", "kct.incomplete"),
        ("5c", "none"),
        ("7", "none"),
        ("8", "tid.used"),
        ("9", "krn.behind"),
        ("10e", "krn.behind"),
        ("10i", "none"),
        ("11d", "rollover_bit.missing"),
        ("12e", "typed.digit"),
        ("12f", "lockout"),
        ("12g", "none"),
    ] {
        assert_eq!(cause(id), expected, "entry {id}");
    }
}

#[test]
fn replay_gives_one_object_an_entry_in_order() {
    if is_packaged() {
        return;
    }
    let verdicts = objects(&sts(&["replay", ".", "--format", "ndjson"]));
    let entries = std::fs::read_to_string(example().join("entries.csv")).expect("entries");
    let ids: Vec<&str> =
        entries.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let told: Vec<&str> = verdicts.iter().filter_map(|verdict| verdict["id"].as_str()).collect();
    assert_eq!(told, ids);
}

/// The summary counts what `entries.csv` holds: a line of the table for each entry, events apart.
#[test]
fn replay_summary_counts_the_entries_of_the_case() {
    if is_packaged() {
        return;
    }
    let entries = std::fs::read_to_string(example().join("entries.csv")).expect("entries");
    let keyed = entries.lines().skip(1).filter(|line| {
        let event = line.split(',').nth(9).expect("ten columns");
        event.is_empty() || event == "token"
    });
    let output = sts(&["replay", "."]);
    let text = String::from_utf8_lossy(&output.stdout);
    let shown = text.lines().find(|line| line.contains(" entries: ")).expect("a summary");
    let count = shown.split_once(' ').and_then(|(count, _)| count.parse().ok());
    assert_eq!(count, Some(keyed.count()), "{shown}");
    let parts: usize =
        shown.split([' ', ',']).skip(2).filter_map(|word| word.parse::<usize>().ok()).sum();
    assert_eq!(Some(parts), count, "accepted and refused are all: {shown}");
}

#[test]
fn issue_makes_the_tokens_of_the_case_again() {
    if is_packaged() {
        return;
    }
    let output =
        sts(&["issue", "--keys", "keys.toml", "--input", "issue.csv", "--format", "ndjson"]);
    assert_eq!(output.status.code(), Some(0));
    let made: BTreeSet<String> = objects(&output)
        .iter()
        .flat_map(|object| object["tokens"].as_array().cloned().unwrap_or_default())
        .filter_map(|token| token.as_str().map(str::to_owned))
        .collect();
    let entries = std::fs::read_to_string(example().join("entries.csv")).expect("entries");
    for line in entries.lines().skip(1).filter(|line| !line.starts_with("12")) {
        let entered = line.split(',').nth(3).expect("four columns").replace(' ', "");
        if !entered.is_empty() {
            assert!(made.contains(&entered[..20]), "{line}");
        }
    }
}

#[test]
fn inspect_of_the_key_revision_token_is_the_published_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(["inspect", "18446744073843772416", "--format", "ndjson"])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        r#"{"schema":1,"token":"18446744073843772416","result":"Authentic","token_class":1,"subclass":0,"name":"InitiateMeterTest/Display","control":"000000008","mfr_code":0,"tests":[4],"meaning":"show key revision number and key type"}"#
    );
}

#[test]
fn check_and_explain_ask_the_meter_as_it_was_at_the_time() {
    if is_packaged() {
        return;
    }
    let token = "04434137679179024103";
    let ask = |verb: &str, at: &str| {
        let arguments = [
            verb,
            "--case",
            ".",
            "--meter",
            "01202401012",
            "--at",
            at,
            token,
            "--format",
            "ndjson",
        ];
        let output = sts(&arguments);
        (output.status.code(), objects(&output)[0]["cause"].clone())
    };
    assert_eq!(ask("explain", "2024-11-01T10:00:00Z"), (Some(1), "krn.ahead".into()));
    assert_eq!(ask("check", "2024-11-02T10:29:00Z"), (Some(0), Value::Null));
    assert_eq!(ask("check", "2024-11-02T12:00:00Z"), (Some(1), "tid.used".into()));
}

#[test]
fn colour_is_for_terminals_and_on_demand() {
    if is_packaged() {
        return;
    }
    let plain = sts(&["replay", "."]);
    assert!(!plain.stdout.contains(&0x1B));
    let coloured = sts(&["replay", ".", "--color", "always"]);
    assert!(coloured.stdout.contains(&0x1B));
}
