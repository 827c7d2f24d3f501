//! Replays every file of `corpus/<target>/` through its target, without a fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sts_core::TokenResult;
use sts_fuzz::TARGETS;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .collect()
}

/// Runs the target over its folder. A folder that is missing or empty is a failure: a replay of
/// nothing proves nothing.
fn replay(target: &str) {
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    let folder = folder("corpus").join(target);
    let files = names(&folder);
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in &files {
        // Shown only if the body panics: the file that did it.
        println!("{target}/{file}");
        body(&fs::read(folder.join(file)).expect("a readable file"));
    }
    // Short inputs of every kind of byte, for what a corpus of good files leaves out.
    for length in [0, 1, 2, 3, 7, 8, 9, 20, 28, 32, 63] {
        for byte in (0..=u8::MAX).step_by(if SLOW.contains(&target) { 51 } else { 1 }) {
            body(&vec![byte; length]);
        }
    }
    println!("{target}: {} files", files.len());
}

/// Targets that write files, or of which an execution takes a millisecond.
const SLOW: &[&str] = &[
    "batch",
    "conform_script",
    "entries",
    "import_csv",
    "import_json",
    "import_parquet",
    "import_xlsx",
    "import_xmlvend",
    "report",
];

/// A test a target, so that they run side by side.
macro_rules! replayed {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_has_a_test_a_corpus_and_a_program() {
            let tested: BTreeSet<String> =
                [$(stringify!($target)),*].into_iter().map(str::to_owned).collect();
            let listed: BTreeSet<String> =
                TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(tested, listed);
            assert_eq!(names(&folder("corpus")), listed);
            let programs = names(&folder("fuzz_targets")).into_iter();
            let programs = programs.map(|name| name.trim_end_matches(".rs").to_owned());
            assert_eq!(programs.collect::<BTreeSet<_>>(), listed);
        }
    };
}

replayed! {
    batch capi conform_script digits entries import_csv import_json import_parquet import_xlsx
    import_xmlvend key_file meter_sequence open_any profile_file report saved_state slip
}

/// A corpus that stops reaching an answer no longer tests it.
#[test]
fn meter_sequence_corpus_reaches_every_result() {
    let folder = folder("corpus/meter_sequence");
    let mut reached = Vec::new();
    for name in names(&folder) {
        reached.extend(sts_fuzz::results(&fs::read(folder.join(name)).expect("a readable file")));
    }
    // What only a meter's surroundings can answer.
    let outside = [TokenResult::NotReady];
    let missed: Vec<_> = TokenResult::ALL
        .into_iter()
        .filter(|result| !reached.contains(result) && !outside.contains(result))
        .collect();
    assert!(missed.is_empty(), "never answered: {missed:?}");
}
