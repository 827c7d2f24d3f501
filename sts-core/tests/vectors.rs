//! Every case of the vector files at the root of the repository, both ways.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// How many cases there are of each kind: a case that is lost or skipped is noticed.
const COUNTS: [(&str, usize); 20] = [
    ("amount16", 9),
    ("class-insertion", 1),
    ("class1-token", 134),
    ("control-block", 1),
    ("crc", 3),
    ("credit-token", 122),
    ("currency-token", 85),
    ("des-ecb", 4),
    ("dkga", 6),
    ("extended-token", 2),
    ("key-change-set", 101),
    ("luhn", 4),
    ("luhn-valid", 8),
    ("management-token", 110),
    ("meter-entry", 63),
    ("misty1-ecb", 2),
    ("pan-block", 4),
    ("sta-block", 2),
    ("sta-key-align", 1),
    ("tid", 6),
];

#[test]
fn vectors_every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: the vectors are in the repository, not in the packaged crate");
        return;
    };
    let mut counts = BTreeMap::new();
    let mut failed = Vec::new();
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.extension().is_none_or(|it| it != "json") || name == "schema.json" {
            continue;
        }
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(file["schema"], 1, "{name}");
        for case in file["cases"].as_array().unwrap() {
            match std::panic::catch_unwind(|| cases::check(case)) {
                Ok(true) => {}
                Ok(false) => failed.push(format!("{}: unknown kind", cases::text(case, "id"))),
                Err(_) => failed.push(cases::text(case, "id").to_owned()),
            }
            *counts.entry(cases::text(case, "kind").to_owned()).or_insert(0) += 1;
        }
    }
    assert!(failed.is_empty(), "{} cases failed: {failed:#?}", failed.len());
    let expected = COUNTS.map(|(kind, count)| (kind.to_owned(), count)).into();
    assert_eq!(counts, expected);
}
