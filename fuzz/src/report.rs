//! What is written about a replay, whatever its files said.

use std::path::Path;
use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use sts_harness::case::{Case, Overrides};
use sts_harness::forecast::Scenario;
use sts_harness::keys::Locked;
use sts_harness::records::EntryRow;
use sts_harness::replay::Replay;
use sts_harness::report::{About, Input, Report};
use sts_harness::results::{Form, Results};
use sts_harness::time;

use crate::{check, scratch};

/// The case of the README: four meters and what was keyed at them.
static CASE: LazyLock<Case> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mangaung-2024");
    Case::load(&folder, Overrides::default(), &mut Locked).expect("a case of this repository")
});

/// What differs in an entry of the case.
#[derive(Arbitrary, Debug)]
struct Entry<'a> {
    which: u8,
    /// Minutes after the entry before.
    later: u16,
    id: Option<&'a str>,
    displayed: Option<&'a str>,
    event: Option<u8>,
    value: Option<&'a str>,
    /// A digit of the token in the place of another.
    mistyped: Option<(u8, u8)>,
    keyed: Option<&'a str>,
}

/// Texts of users, by the layout of the `arbitrary` crate.
#[derive(Arbitrary, Debug)]
struct Told<'a> {
    title: Option<&'a str>,
    case: &'a str,
    inputs: Vec<&'a str>,
    plan: &'a str,
    entries: Vec<Entry<'a>>,
}

/// The page and the charts are well-formed and say no meter number and no token; no table holds a
/// formula.
pub fn report(data: &[u8]) {
    let Ok(told) = Unstructured::new(data).arbitrary::<Told<'_>>() else { return };
    let inputs = told.inputs.iter().take(4);
    let about = About {
        title: told.title.map(str::to_owned),
        case: told.case.to_owned(),
        inputs: inputs
            .map(|name| Input { name: (*name).to_owned(), sha256: "00".repeat(32) })
            .collect(),
        rejected: told.entries.len() as u64,
    };
    let mut report = Report::new(about);
    let mut replay = Replay::new(&CASE);
    let csv = scratch::folder().join("results.csv");
    let ndjson = scratch::folder().join("results.ndjson");
    let mut out = [(&csv, Form::Csv), (&ndjson, Form::Ndjson)]
        .map(|(path, form)| Results::open(path, form, false).expect("a temporary file"));
    let entries: Vec<EntryRow> = rows(&told.entries);
    for entry in &entries {
        let step = replay.step(entry);
        report.add(entry, &step);
        out.iter_mut().for_each(|results| results.put(&step.verdict).expect("a temporary file"));
    }
    for results in out {
        results.finish().expect("a temporary file");
    }

    let page = report.page();
    assert!(check::well_formed(&page) > 10);
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    for entry in &entries {
        for number in [entry.pan.as_str(), entry.pan.drn()] {
            // Commands to copy have the folder as it is.
            let in_folder = told.case.contains(number);
            assert!(in_folder || !page.contains(number), "{number} is in the page");
        }
    }
    let mut work = Vec::new();
    report.work_list(&mut work).expect("memory");
    check::table(&work);
    let rows = check::table(&scratch::read(&csv).expect("as it was written"));
    assert_eq!(rows.len(), entries.len() + 1);
    let lines = String::from_utf8(scratch::read(&ndjson).expect("as it was written"));
    let lines = lines.expect("UTF-8");
    assert_eq!(lines.lines().count(), entries.len());
    for line in lines.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("an object");
    }
    chart(told.title.unwrap_or_default(), told.plan);
}

fn rows(entries: &[Entry<'_>]) -> Vec<EntryRow> {
    let known = &CASE.entries;
    let mut minute = time::minutes(known[0].entered_at);
    let mut rows = Vec::new();
    for entry in entries.iter().take(16) {
        let mut row = known[usize::from(entry.which) % known.len()].clone();
        minute += i64::from(entry.later);
        row.entered_at = time::parse(&time::format_minutes(minute)).expect("a time as written");
        if let Some(id) = entry.id {
            id.clone_into(&mut row.id);
        }
        if let Some(displayed) = entry.displayed {
            row.displayed = Some(displayed.to_owned());
        }
        if let Some(event) = entry.event {
            let names = ["token", "firmware", "replace", "set", "power"];
            row.event = Some(names[usize::from(event) % names.len()].to_owned());
        }
        if let Some(value) = entry.value {
            row.value = Some(value.to_owned());
        }
        if let (Some((place, digit)), Some(keyed)) = (entry.mistyped, &row.entered) {
            let mut letters: Vec<char> = keyed.chars().collect();
            let place = usize::from(place) % letters.len().max(1);
            if let Some(letter) = letters.get_mut(place) {
                *letter = char::from(b'0' + digit % 10);
            }
            row.entered = Some(letters.into_iter().collect());
        }
        if let Some(keyed) = entry.keyed {
            row.entered = Some(keyed.to_owned());
        }
        rows.push(row);
    }
    rows
}

/// A forecast of a few households, under names of any kind.
fn chart(title: &str, plan: &str) {
    let text = format!(
        "title = {title:?}\nfrom = \"2024-11-01\"\ndays = 3\nmeters = 3\nseeds = 1\nbuys_every = 1.0\n\
         tries_again_within = 1.0\nkept = 0.5\nkept_for = 3.0\ncalls = 0.5\nremedies_a_day = 1\n\
         record_lag = 0.0\nreached = 1.0\nset_entered = 1.0\n[[plan]]\nname = {plan:?}\n\
         vending = \"2024-11-02\"\nmeters = \"teams\"\nfrom = \"2024-11-01\"\nuntil = \"2024-11-02\"\n"
    );
    // Texts that are written otherwise in TOML than in Rust are passed over.
    let Ok(scenario) = Scenario::parse("forecast.toml", &text) else { return };
    let forecasts = scenario.run();
    check::well_formed(&scenario.chart(&forecasts));
}
