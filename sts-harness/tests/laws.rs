//! What holds of every replay, on simulated cases: neither the order in which meters take turns nor
//! how the entries are cut changes an answer, and a report tells no meter and no token.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use sts_harness::case::{Case, Overrides};
use sts_harness::diagnose::Settings;
use sts_harness::fleet::Fleet;
use sts_harness::keys::Locked;
use sts_harness::records::EntryRow;
use sts_harness::replay::{Replay, Step};
use sts_harness::report::{About, Report};
use sts_harness::simulate::{Scale, Scenario};

/// A case folder that is gone with it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn simulated(seed: u64) -> Case {
    // Laws run beside each other, and with the same seeds where those once broke one of them.
    static CASES: AtomicU64 = AtomicU64::new(0);
    let case = CASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("sts-laws-{}-{case}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let scale = Scale { seed: Some(seed), refusals: Some(12), ..Scale::default() };
    Scenario::load("small").unwrap().write(scale, &folder.0, true).unwrap();
    Case::load(&folder.0, Overrides::default(), &mut Locked).unwrap()
}

/// What a meter says of an entry, without what is known beside it.
fn answer(step: &Step) -> String {
    let verdict = &step.verdict;
    format!(
        "{:?} {:?} {:?} {:?}",
        verdict.result, verdict.display, verdict.reproduced, verdict.reason
    )
}

fn answers(case: &Case, entries: &[EntryRow]) -> BTreeMap<String, String> {
    let mut replay = Replay::new(case);
    entries.iter().map(|entry| (entry.id.clone(), answer(&replay.step(entry)))).collect()
}

/// The entries of each meter in their order.
fn by_meter(case: &Case) -> Vec<Vec<EntryRow>> {
    let mut meters: BTreeMap<_, Vec<EntryRow>> = BTreeMap::new();
    for entry in &case.entries {
        meters.entry(entry.pan.as_str().to_owned()).or_default().push(entry.clone());
    }
    meters.into_values().collect()
}

proptest! {
    // Each case replays some twenty entries with their searches. PROPTEST_CASES counts before this.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn meters_that_take_turns_otherwise_answer_the_same(
        seed in any::<u64>(),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 400),
    ) {
        let case = simulated(seed);
        let mut waiting: Vec<_> = by_meter(&case).into_iter().map(Vec::into_iter).collect();
        let mut order = Vec::new();
        for turn in turns.iter().cycle() {
            waiting.retain(|entries| entries.len() > 0);
            if waiting.is_empty() {
                break;
            }
            let place = turn.index(waiting.len());
            order.extend(waiting[place].next());
        }
        prop_assert_eq!(order.len(), case.entries.len());
        prop_assert_eq!(answers(&case, &order), answers(&case, &case.entries));
    }

    #[test]
    fn entries_split_by_meter_and_merged_answer_as_the_whole(
        seed in any::<u64>(),
        parts in 1_usize..5,
    ) {
        let case = simulated(seed);
        let mut merged = BTreeMap::new();
        for part in 0..parts {
            let meters = by_meter(&case).into_iter().skip(part).step_by(parts);
            merged.extend(answers(&case, &meters.flatten().collect::<Vec<_>>()));
        }
        prop_assert_eq!(merged, answers(&case, &case.entries));
    }

    #[test]
    fn meters_judged_alone_give_the_same_verdicts_however_the_case_is_cut(seed in any::<u64>()) {
        let case = simulated(seed);
        let settings = || Settings { alone: true, ..Settings::default() };
        let text = |step: Step| serde_json::to_string(&step.verdict).unwrap();
        let mut whole = Replay::with_settings(&case, settings());
        let mut whole: Vec<String> =
            whole.steps(&case.entries, 2).into_iter().map(text).collect();
        let mut parts = Vec::new();
        for entries in by_meter(&case) {
            let mut meters = Fleet::new();
            let row = case.fleet.find(&entries[0].pan).map(|it| case.fleet.meters[it].row.clone());
            meters.add(case.meter(row.unwrap()).unwrap());
            let mut part = Replay::of_meters(&case, meters, settings());
            parts.extend(part.steps(&entries, 1).into_iter().map(text));
        }
        whole.sort_unstable();
        parts.sort_unstable();
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn entries_cut_anywhere_on_any_threads_give_the_same_verdicts(
        seed in any::<u64>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        threads in 1_usize..4,
    ) {
        let case = simulated(seed);
        let text = |step: Step| serde_json::to_string(&step.verdict).unwrap();
        let mut whole = Replay::new(&case);
        let whole: Vec<String> =
            case.entries.iter().map(|entry| text(whole.step(entry))).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(case.entries.len())).collect();
        cuts.extend([0, case.entries.len()]);
        cuts.sort_unstable();
        let mut replay = Replay::new(&case);
        let mut parts = Vec::new();
        for ends in cuts.windows(2) {
            parts.extend(replay.steps(&case.entries[ends[0]..ends[1]], threads).into_iter().map(text));
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn report_tells_no_meter_and_no_token(seed in any::<u64>()) {
        let case = simulated(seed);
        let mut report = Report::new(About::default());
        let mut replay = Replay::new(&case);
        for entry in &case.entries {
            report.add(entry, &replay.step(entry));
        }
        let page = report.page();
        let runs: Vec<&str> = page
            .split(|it: char| !it.is_ascii_digit())
            .filter(|run| run.len() > 10 && run.len() < 40)
            .collect();
        prop_assert_eq!(runs, Vec::<&str>::new(), "runs of digits as long as a meter number");
        let squeezed: String = page.chars().filter(|it| !matches!(it, ' ' | '-')).collect();
        for entry in &case.entries {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let entered = digits(entry.entered.as_deref().unwrap_or_default());
            if entered.len() > 10 {
                prop_assert!(!squeezed.contains(&entered), "{entered}");
            }
            prop_assert!(!squeezed.contains(entry.pan.drn()), "{}", entry.pan.drn());
        }
    }
}
