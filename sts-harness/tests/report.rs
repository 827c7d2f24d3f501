//! The report of a replay: right against the truth, silent about meters and tokens, well-formed
//! whatever it is told.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sts_harness::case::{Case, Overrides};
use sts_harness::keys::Locked;
use sts_harness::replay::Replay;
use sts_harness::report::{About, Input, Report};
use sts_harness::simulate::{Scale, Scenario};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mangaung-2024")
}

fn report_of(case: &Case, about: About) -> Report {
    let mut report = Report::new(about);
    let mut replay = Replay::new(case);
    for entry in &case.entries {
        report.add(entry, &replay.step(entry));
    }
    report
}

fn simulated(name: &str, refusals: u64) -> (PathBuf, Case) {
    let folder = std::env::temp_dir().join(format!("sts-report-{name}-{}", std::process::id()));
    let scale = Scale { meters: Some(60), refusals: Some(refusals), ..Scale::default() };
    Scenario::load(name).unwrap().write(scale, &folder, true).unwrap();
    let case = Case::load(&folder, Overrides::default(), &mut Locked).unwrap();
    (folder, case)
}

fn about(case: &Case) -> About {
    let title = case.settings.title.clone();
    About { title, case: "a case".to_owned(), inputs: Vec::new(), rejected: 0 }
}

/// The names of all elements, after a reader of XML has gone through the page.
fn elements(page: &str) -> BTreeSet<String> {
    let mut reader = quick_xml::Reader::from_str(page);
    reader.config_mut().check_end_names = true;
    let (mut names, mut depth) = (BTreeSet::new(), 0_u32);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(start) => {
                depth += 1;
                for attribute in start.attributes() {
                    attribute.unwrap();
                }
                names.insert(start.name().as_ref().to_owned());
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::GeneralRef(entity) => {
                assert!(["amp", "lt", "gt", "quot"].contains(&&*entity), "{entity:?}");
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "elements are left open");
    names
}

#[test]
fn page_holds_no_token_and_no_meter_number() {
    let (folder, case) = simulated("small", 200);
    let page = report_of(&case, about(&case)).page();
    std::fs::remove_dir_all(folder).unwrap();
    // Whatever stands between the digits: only what numbers themselves may be parted by.
    let bare = page.replace(['\u{202f}', ' ', '-'], "");
    for entry in &case.entries {
        let pan = entry.pan.to_string();
        let numbers = [pan.as_str(), entry.pan.drn()];
        for number in numbers {
            assert!(!page.contains(number) && !bare.contains(number), "{number}");
        }
        let digits: String =
            entry.entered.iter().flat_map(|it| it.chars()).filter(char::is_ascii_digit).collect();
        if digits.len() > 8 {
            assert!(!page.contains(&digits) && !bare.contains(&digits), "{digits}");
        }
    }
}

#[test]
fn page_is_the_same_for_the_same_input_and_asks_for_nothing() {
    let case = Case::load(&example(), Overrides::default(), &mut Locked).unwrap();
    let page = report_of(&case, about(&case)).page();
    assert_eq!(page, report_of(&case, about(&case)).page());
    let names = elements(&page);
    assert!(names.contains("svg") && names.contains("table"), "{names:?}");
    for name in ["script", "link", "img", "iframe", "a"] {
        assert!(!names.contains(name), "{name}");
    }
    assert!(!page.contains("http") && !page.contains("url("));
    for said in ["15 of 32 entries were refused", "krn.behind", "vending goes over to KRN 2"] {
        assert!(page.replace('\u{202f}', " ").contains(said), "{said}");
    }
}

#[test]
fn counts_are_those_of_the_truth() {
    let (folder, case) = simulated("quality", 600);
    let report = report_of(&case, about(&case));
    let truth = std::fs::read_to_string(folder.join("truth.ndjson")).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    let mut causes: BTreeMap<String, u64> = BTreeMap::new();
    for line in truth.lines() {
        let truth: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(cause) = truth["cause"].as_str() {
            *causes.entry(cause.to_owned()).or_default() += 1;
        }
    }
    let page = report.page();
    let (mut told, mut apart) = (0, 0);
    for (cause, count) in causes {
        let row = page.split("<tr>").find(|row| row.contains(&format!("<code>{cause}</code>")));
        let cell = row.and_then(|row| row.split("<td class=\"n\">").nth(1)).unwrap_or_default();
        let digits = cell.split("<br/>").next().unwrap_or_default().replace('\u{202f}', "");
        let said: u64 = digits.parse().unwrap_or_default();
        told += count;
        apart += said.abs_diff(count);
    }
    // What is wrongly diagnosed is apart twice; the diagnosis is right in more than 98 of 100.
    assert!(told > 300 && apart * 100 <= told * 4, "{apart} of {told}");
}

#[test]
fn work_list_has_what_is_left_to_do_and_says_that_it_is_confidential() {
    let case = Case::load(&example(), Overrides::default(), &mut Locked).unwrap();
    let mut list = Vec::new();
    report_of(&case, about(&case)).work_list(&mut list).unwrap();
    let list = String::from_utf8(list).unwrap();
    let mut rows = csv::Reader::from_reader(list.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert!(rows.iter().all(|row| &row[0] == "confidential"), "{list}");
    let of = |drn: &str| -> Vec<&str> {
        rows.iter().filter(|row| &row[1] == drn).map(|row| &row[3]).collect()
    };
    assert_eq!(of("01202401020"), ["reissue"]);
    // The token that was mistyped is taken in the end.
    assert!(of("01202401046").is_empty(), "{list}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn page_is_well_formed_whatever_it_is_told(
        title in any::<String>(),
        case_folder in any::<String>(),
        file in any::<String>(),
        ids in proptest::collection::vec(any::<String>(), 32),
        displayed in any::<String>(),
    ) {
        let mut case = Case::load(&example(), Overrides::default(), &mut Locked).unwrap();
        for (entry, id) in case.entries.iter_mut().zip(ids) {
            entry.id = id;
            entry.displayed = Some(displayed.clone());
        }
        let inputs = vec![Input { name: file, sha256: "00".repeat(32) }];
        let about = About { title: Some(title), case: case_folder, inputs, rejected: 3 };
        let report = report_of(&case, about);
        elements(&report.page());
        let mut list = Vec::new();
        report.work_list(&mut list).unwrap();
        for row in csv::Reader::from_reader(list.as_slice()).records() {
            let row = row.unwrap();
            prop_assert!(!row[7].starts_with(['=', '+', '@', '\t', '\r']), "{:?}", &row[7]);
        }
    }
}

#[test]
fn switch_date_is_not_told_by_one_old_slip() {
    let (folder, case) = simulated("mangaung", 60);
    let mut replay = Replay::new(&case);
    let mut report = Report::new(about(&case));
    for (place, entry) in case.entries.iter().enumerate() {
        let step = replay.step(entry);
        // The sales of a day are many, and one token was bought long before.
        (0..20).for_each(|_| report.add(entry, &step));
        if place == 0 {
            let mut old = entry.clone();
            old.sold_at = Some("2023-05-17T10:00:00Z".parse().unwrap());
            old.krn = Some(sts_core::KeyRevisionNumber::new(2).unwrap());
            report.add(&old, &step);
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    let page = report.page();
    assert!(page.contains("vending goes over to KRN 2, 2024-1"), "{page}");
    assert!(!page.contains("KRN 2, 2023"), "{page}");
}
