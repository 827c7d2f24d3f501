//! Fresh cases of an independent model: one JSON object a line, in the file that the environment
//! variable `STS_ORACLE_CASES` names, in the form of the vector files. Without it, nothing to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;

use std::collections::BTreeMap;
use std::io::BufRead as _;

#[test]
fn oracle_every_fresh_case_holds() {
    let Some(path) = std::env::var_os("STS_ORACLE_CASES") else {
        println!("skipped: STS_ORACLE_CASES is not set");
        return;
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in std::io::BufReader::new(std::fs::File::open(path).unwrap()).lines() {
        let case = serde_json::from_str(&line.unwrap()).unwrap();
        assert!(cases::check(&case), "unknown kind: {case}");
        *counts.entry(cases::text(&case, "kind").to_owned()).or_default() += 1;
    }
    assert!(!counts.is_empty(), "no cases");
    println!("{counts:?}");
}
