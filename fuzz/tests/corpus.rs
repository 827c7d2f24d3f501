//! Replays every file of `corpus/<target>/` through its target, without a fuzzer.

use std::fs;
use std::path::Path;

use sts_core::TokenResult;

/// Runs the target over its folder. A folder that is missing or empty is a failure: a replay of
/// nothing proves nothing.
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());

    for file in &files {
        // Shown only if the body panics: the file that did it.
        println!("{}", file.display());
        body(&fs::read(file).expect("a readable file"));
    }
    println!("{target}: {} files", files.len());
}

#[test]
fn open_any_corpus_does_not_panic() {
    replay("open_any", sts_fuzz::open_any);
}

#[test]
fn meter_sequence_corpus_does_not_panic() {
    replay("meter_sequence", sts_fuzz::meter_sequence);
}

/// A corpus that stops reaching an answer no longer tests it.
#[test]
fn meter_sequence_corpus_reaches_every_result() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/meter_sequence");
    let mut reached = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let file = entry.expect("a readable folder").path();
        reached.extend(sts_fuzz::results(&fs::read(file).expect("a readable file")));
    }
    // What only a meter's surroundings can answer.
    let outside = [TokenResult::NotReady];
    let missed: Vec<_> = TokenResult::ALL
        .into_iter()
        .filter(|result| !reached.contains(result) && !outside.contains(result))
        .collect();
    assert!(missed.is_empty(), "never answered: {missed:?}");
}

/// Short inputs of every kind of byte, for what a corpus of good tokens leaves out.
#[test]
fn every_short_input_does_not_panic() {
    for target in [sts_fuzz::open_any, sts_fuzz::meter_sequence] {
        for length in 0..64 {
            for byte in 0..=u8::MAX {
                target(&vec![byte; length]);
            }
        }
    }
}
