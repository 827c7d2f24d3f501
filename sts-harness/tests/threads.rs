//! Searching on several threads gives the answers of one step after another.

use std::path::Path;

use sts_harness::case::{Case, Overrides};
use sts_harness::keys::Locked;
use sts_harness::replay::Replay;

#[test]
fn steps_on_any_number_of_threads_answer_as_single_steps() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mangaung-2024");
    let case = Case::load(&folder, Overrides::default(), &mut Locked).unwrap();
    let text = |step: sts_harness::replay::Step| serde_json::to_string(&step.verdict).unwrap();
    let mut replay = Replay::new(&case);
    let single: Vec<String> = case.entries.iter().map(|entry| text(replay.step(entry))).collect();
    for threads in [1, 2, 5] {
        let mut replay = Replay::new(&case);
        let blocks: Vec<String> =
            replay.steps(&case.entries, threads).into_iter().map(text).collect();
        assert_eq!(blocks, single, "{threads} threads");
    }
}
