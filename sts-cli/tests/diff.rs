//! `sts diff`: two replays compared.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sts(arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_sts");
    Command::new(binary).args(arguments).current_dir(root()).output().expect("the binary runs")
}

fn file(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("a temporary file");
    path.display().to_string()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The example as it was, and under a profile that shows other texts.
fn replays(test: &str) -> (String, String) {
    let replay = |more: &[&str]| {
        let words = ["replay", "examples/mangaung-2024", "--format", "ndjson"];
        sts(&[&words, more].concat()).stdout
    };
    let (before, after) = (replay(&[]), replay(&["--profile", "standard"]));
    (file(&format!("before-{test}.ndjson"), before), file(&format!("after-{test}.ndjson"), after))
}

#[test]
fn same_results_are_no_change() {
    let (before, _) = replays("same");
    let done = sts(&["diff", &before, &before]);
    assert_eq!(done.status.code(), Some(0));
    assert!(text(&done.stdout).starts_with("33 entries in both, 0 changed"), "{done:?}");
}

#[test]
fn changes_are_told_with_what_they_come_to() {
    let (before, after) = replays("changed");
    let done = sts(&["diff", &before, &after]);
    assert_eq!(done.status.code(), Some(1));
    let said = text(&done.stdout);
    assert!(said.contains("2  CRCError (017), krn.ahead -> CRCError, krn.ahead"), "{said}");
    assert!(said.contains("LengthError"), "{said}");

    let schema = root().join("docs/schemas/diff.schema.json");
    let schema = std::fs::read_to_string(schema).expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let done = sts(&["diff", &before, &after, "--format", "ndjson"]);
    let lines = text(&done.stdout);
    assert!(lines.lines().count() > 15);
    for line in lines.lines() {
        let object = serde_json::from_str(line).expect("an object a line");
        assert!(schema.is_valid(&object), "{line}");
    }
}

#[test]
fn order_and_missing_entries_are_no_change_of_the_others() {
    let (before, _) = replays("order");
    let lines = std::fs::read_to_string(&before).expect("results");
    let mut other: Vec<&str> = lines.lines().rev().collect();
    let gone = other.remove(3);
    let other = file("other.ndjson", other.join("\n"));
    let done = sts(&["diff", &before, &other, "--format", "ndjson"]);
    let said = text(&done.stdout);
    assert_eq!((done.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    let change: serde_json::Value = serde_json::from_str(&said).expect("an object");
    let gone: serde_json::Value = serde_json::from_str(gone).expect("an object");
    assert_eq!((&change["id"], &change["after"]), (&gone["id"], &serde_json::Value::Null));
}

#[test]
fn what_is_no_result_is_named_by_its_line() {
    let (before, _) = replays("lines");
    let lines = std::fs::read_to_string(&before).expect("results");
    for (name, bytes) in [
        ("cut.ndjson", format!("{}\n{{\"id\":\"x\",", lines.lines().next().unwrap_or_default())),
        ("other.txt", "\nnot a result\n".to_owned()),
    ] {
        let bad = file(name, bytes);
        let done = sts(&["diff", &bad, &before]);
        assert_eq!(done.status.code(), Some(3), "{name}");
        let said = text(&done.stderr);
        assert!(said.contains(&format!("{name}:2")) && said.contains("an object a line"), "{said}");
    }
    let done = sts(&["diff", "nowhere.ndjson", &before]);
    assert_eq!(done.status.code(), Some(3));
}
