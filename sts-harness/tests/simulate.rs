//! The simulator: reproducible, true to the core's meter, and clear about bad scenarios.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is the failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use sts_harness::case::{Case, Overrides};
use sts_harness::keys::Locked;
use sts_harness::replay::{Replay, Verdict};
use sts_harness::simulate::{Scale, Scenario, SimulateError, Summary};

/// A folder of its own, removed when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sts-simulate-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn simulate(name: &str, scale: Scale, folder: &Path) -> Summary {
    Scenario::load(name).unwrap().write(scale, folder, false).unwrap()
}

fn truth(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("truth.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn run_same_seed_gives_same_bytes() {
    let folders = ["first", "second", "other"].map(Folder::new);
    let [first, second, other] = &folders;
    let scale = Scale { refusals: Some(300), ..Scale::default() };
    simulate("quality", scale, &first.0);
    simulate("quality", scale, &second.0);
    simulate("quality", Scale { seed: Some(8), ..scale }, &other.0);
    assert!(files(&first.0) == files(&second.0));
    assert!(files(&first.0) != files(&other.0));
}

/// Replays the written files with meters of the core, and compares each answer with the truth.
fn replay_agrees(name: &str, scale: Scale) {
    let folder = Folder::new(&format!("replay-{name}"));
    let summary = simulate(name, scale, &folder.0);
    let case = Case::load(&folder.0, Overrides::default(), &mut Locked).unwrap();
    assert!(case.rejected.is_empty(), "{name}: {:?}", case.rejected);
    assert!(case.warnings.is_empty(), "{name}: {:?}", case.warnings);
    let truth = truth(&folder.0);
    assert_eq!(truth.len(), case.entries.len());
    assert_eq!(u64::try_from(truth.len()).unwrap(), summary.entries);
    let mut replay = Replay::new(&case);
    for (entry, truth) in case.entries.iter().zip(&truth) {
        let verdict = replay.answer(entry);
        assert_eq!(truth["id"], entry.id.as_str());
        // Where the record is stale, the replay starts from the record.
        let expected = truth.get("recorded_result").unwrap_or(&truth["result"]);
        assert_eq!(verdict, *expected, "{name}, entry {}: {truth}", entry.id);
        let accepted = ["Accept", "1stKCT", "2ndKCT", "3rdKCT", "4thKCT"]
            .iter()
            .any(|result| truth["result"] == *result);
        let special = ["record.stale", "not_token_fault"].iter().any(|c| truth["cause"] == *c);
        assert_eq!(truth["cause"].is_null(), accepted && !special, "{truth}");
    }
}

/// The replay's result alone.
trait Answer {
    fn answer(&mut self, entry: &sts_harness::records::EntryRow) -> String;
}

impl Answer for Replay<'_> {
    fn answer(&mut self, entry: &sts_harness::records::EntryRow) -> String {
        let verdict = self.step(entry).verdict;
        assert_eq!(verdict.error, None);
        verdict.result.unwrap().to_owned()
    }
}

#[test]
fn small_replays_without_bad_rows_as_the_truth_says() {
    replay_agrees("small", Scale::default());
}

#[test]
fn other_scenarios_replay_as_the_truth_says() {
    let some = |refusals, meters| Scale { seed: None, meters, refusals: Some(refusals) };
    replay_agrees("quality", some(700, Some(300)));
    replay_agrees("quality-shifted", some(400, Some(300)));
    replay_agrees("mangaung", some(300, Some(200)));
}

#[test]
fn quality_has_every_cause() {
    let folder = Folder::new("causes");
    let scale = Scale { refusals: Some(6000), ..Scale::default() };
    let summary = simulate("quality", scale, &folder.0);
    let causes: BTreeSet<&str> = summary.causes.keys().copied().collect();
    let vocabulary: BTreeSet<&str> =
        sts_harness::cause::Cause::ALL.iter().map(|cause| cause.name()).collect();
    assert_eq!(causes, vocabulary);
    assert_eq!(summary.refusals(), 6000);
}

/// The hard mix in small: what was planted in each entry, and the verdict on it.
fn hard_mix() -> &'static [(Option<String>, Verdict)] {
    static TOLD: OnceLock<Vec<(Option<String>, Verdict)>> = OnceLock::new();
    TOLD.get_or_init(|| {
        let folder = Folder::new("verdicts");
        let scale = Scale { seed: Some(17), meters: Some(300), refusals: Some(600) };
        simulate("quality-hard", scale, &folder.0);
        let case = Case::load(&folder.0, Overrides::default(), &mut Locked).unwrap();
        let mut replay = Replay::new(&case);
        let planted = |truth: &Value| truth["cause"].as_str().map(str::to_owned);
        case.entries
            .iter()
            .zip(&truth(&folder.0))
            .map(|(entry, truth)| (planted(truth), replay.step(entry).verdict))
            .collect()
    })
}

/// The causes found are those that the simulator planted: nearly all, and a revision before the meter's
/// is never told as one after it. There are groups that change both their revision and their base date,
/// and groups that change the revision alone.
#[test]
fn causes_found_are_those_of_the_truth() {
    let mut found: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for (planted, verdict) in hard_mix() {
        if let Some(planted) = planted {
            let cause = verdict.cause.unwrap_or("none");
            *found.entry(planted).or_default().entry(cause).or_default() += 1;
        }
    }
    let right = |planted: &str| found[planted].get(planted).copied().unwrap_or_default();
    let (mut all, mut all_right) = (0, 0);
    for (planted, causes) in &found {
        let cases: u32 = causes.values().sum();
        all += cases;
        all_right += right(planted);
        assert!(cases < 20 || right(planted) * 10 >= cases * 8, "{planted}: {causes:?}");
    }
    assert!(all_right * 100 >= all * 96, "{all_right} of {all}: {found:#?}");
    for (planted, other) in [("krn.ahead", "krn.behind"), ("krn.behind", "krn.ahead")] {
        assert!(right(planted) >= 20 && !found[planted].contains_key(other), "{found:#?}");
    }
}

/// What is told of each refusal, to four decimals, and what speaks for it, is in verdicts.txt: a change
/// of a weight is a change of what people are told, and is seen here.
///
/// `STS_WRITE_VERDICTS=1 cargo test -p sts-harness --test simulate` writes the file anew.
#[test]
fn verdicts_are_those_told_before() {
    let mut said = String::new();
    for (_, verdict) in hard_mix() {
        if verdict.causes.is_empty() {
            continue;
        }
        let Verdict { id, result, trials, action, evidence, .. } = verdict;
        let (result, action) = (result.unwrap_or("-"), action.unwrap_or("-"));
        write!(said, "{id} {result} {action} {trials}").unwrap();
        for ranked in &verdict.causes {
            write!(said, " {} {:.4}", ranked.cause, ranked.probability).unwrap();
        }
        writeln!(said, " | {}", evidence.join("; ")).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts.txt");
    if std::env::var_os("STS_WRITE_VERDICTS").is_some() {
        fs::write(path, said).unwrap();
        return;
    }
    let before = fs::read_to_string(path).unwrap();
    let changed = said.lines().zip(before.lines()).filter(|(now, before)| now != before);
    for (now, before) in changed.clone().take(5) {
        println!("was {before}\nnow {now}");
    }
    assert_eq!(said.lines().count(), before.lines().count());
    assert_eq!(changed.count(), 0);
}

#[test]
fn entries_are_in_time_order_and_ids_are_unique() {
    let folder = Folder::new("order");
    simulate("quality", Scale { refusals: Some(500), ..Scale::default() }, &folder.0);
    let text = fs::read_to_string(folder.0.join("entries.csv")).unwrap();
    let times: Vec<&str> =
        text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert!(times.is_sorted());
    let ids: BTreeSet<&str> =
        text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ids.len(), times.len());
}

#[test]
fn more_noise_in_the_records_changes_no_entry() {
    let folders = ["quiet", "noisy"].map(Folder::new);
    let text = include_str!("../scenarios/small.toml");
    let noisy = format!("{text}\n[records]\nsold_at_missing = 0.9\ndisplayed = 0.1\n");
    for (text, folder) in [text.to_owned(), noisy].iter().zip(&folders) {
        let scenario = Scenario::parse("noise.toml", text).unwrap();
        scenario.write(Scale::default(), &folder.0, false).unwrap();
    }
    let [quiet, noisy] = folders.map(|folder| {
        truth(&folder.0).iter().map(|truth| truth["tid"].clone()).collect::<Vec<_>>()
    });
    assert!(quiet == noisy);
}

#[test]
fn scenario_mistakes_name_the_line() {
    let small = include_str!("../scenarios/small.toml");
    let line_of =
        |needle: &str| 1 + small.lines().position(|line| line.starts_with(needle)).unwrap();
    for (from, to, at, says) in [
        ("buy = 60", "bye = 60", line_of("buy"), "bye"),
        ("meters = 24", "metres = 24", line_of("meters = 24"), "metres"),
        ("krn = 2\nbase_date = 2014", "krn = 2\nbase_date = 2013", line_of("krn = 2") + 1, "2014"),
        ("sgc = \"201457\"", "sgc = \"1457\"", line_of("sgc"), "six digits"),
        ("start = [7, 3]", "start = [7]", line_of("[[group]]"), "one for each key"),
        ("\"waterwatch-ciu\"", "\"waterwatch\"", line_of("sgc = \"600457\"") - 1, "waterwatch"),
        ("until = \"2025", "until = \"2023", line_of("until"), "not after"),
        ("lot = 6", "stale = 1.5", line_of("lot"), "0 to 1"),
    ] {
        assert!(small.contains(from), "{from}");
        let text = small.replacen(from, to, 1);
        let error = Scenario::parse("bad.toml", &text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("bad.toml:{at}:")), "{to}: {error}");
        assert!(error.contains(says), "{to}: {error}");
    }
    assert!(Scenario::load("nowhere").unwrap_err().to_string().contains("quality"));
}

#[test]
fn builtin_scenarios_are_sound() {
    let names: Vec<&str> = Scenario::builtin().map(|(name, _)| name).collect();
    let known = ["small", "quality", "quality-shifted", "quality-hard", "mangaung", "utility"];
    assert_eq!(names, known);
    for name in names {
        Scenario::load(name).unwrap();
    }
}

#[test]
fn folder_with_a_case_is_left_alone() {
    let folder = Folder::new("occupied");
    let scale = Scale { refusals: Some(5), ..Scale::default() };
    simulate("small", scale, &folder.0);
    let scenario = Scenario::load("small").unwrap();
    let again = scenario.write(scale, &folder.0, false);
    assert!(matches!(again, Err(SimulateError::Occupied(_))));
    scenario.write(scale, &folder.0, true).unwrap();
}
