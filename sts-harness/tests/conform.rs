//! The suites hold for the meter of the core and for a second, naive one, and find planted faults.

#[path = "conform/naive.rs"]
mod naive;

use naive::{Fault, Naive};
use sts_core::Profile;
use sts_harness::conform::builtin::Builtin;
use sts_harness::conform::script::{self, Case};
use sts_harness::conform::{
    Device, Session, Verdict, builtin_suites, differential, display_suite, junit,
};

fn failures(device: &mut dyn Device, cases: &[Case], profile: &Profile<'_>) -> Vec<String> {
    let mut session = Session::open(device).expect("a device");
    let mut found = Vec::new();
    for case in cases {
        let outcome = session.run(case, profile).expect("answers");
        match outcome.verdict {
            Verdict::Passed => {}
            Verdict::Skipped(why) => found.push(format!("{} skipped: {why}", case.name)),
            ref other => found.push(format!("{}/{} {other:?}", case.suite, case.name)),
        }
    }
    found
}

#[test]
fn the_meter_of_the_core_passes_every_case() {
    let found = failures(
        &mut Builtin::new(&Profile::STANDARD),
        &builtin_suites().unwrap(),
        &Profile::STANDARD,
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_naive_meter_passes_every_case() {
    let found = failures(&mut Naive::new(None), &builtin_suites().unwrap(), &Profile::STANDARD);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_device_that_only_shows_is_judged_by_its_display() {
    let cases = builtin_suites().unwrap();
    let mut naive = Naive::new(None);
    naive.display_only = true;
    assert!(failures(&mut naive, &cases, &Profile::STANDARD).is_empty());
    let mut naive = Naive::new(Some(Fault::UsedCheckMissing));
    naive.display_only = true;
    assert!(!failures(&mut naive, &cases, &Profile::STANDARD).is_empty());
}

#[test]
fn every_profile_shows_what_its_file_says() {
    for (name, _) in sts_harness::profiles::builtin() {
        let family = sts_harness::profiles::load(name, std::path::Path::new(".")).unwrap();
        let profile = family.compile(0);
        let cases = display_suite(name, profile).unwrap();
        let found = failures(&mut Builtin::new(profile), &cases, profile);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn every_planted_fault_is_found_by_the_suites() {
    let cases = builtin_suites().unwrap();
    for fault in Fault::ALL {
        let found = failures(&mut Naive::new(Some(fault)), &cases, &Profile::STANDARD);
        println!("{fault:?}: {} cases", found.len());
        assert!(!found.is_empty(), "{fault:?} is not found");
    }
    assert!(Fault::ALL.len() >= 20);
}

#[test]
fn leading_zeros_lost_on_the_display_are_found() {
    struct Lossy(Builtin);
    impl Device for Lossy {
        fn ask(&mut self, request: &str) -> Result<String, sts_harness::conform::DeviceError> {
            Ok(self.0.reply(request).replace(" 017", " 17"))
        }
    }
    let name = "mangaung-2024-reconstruction";
    let family = sts_harness::profiles::load(name, std::path::Path::new(".")).unwrap();
    let profile = family.compile(0);
    let cases = display_suite(name, profile).unwrap();
    let found = failures(&mut Lossy(Builtin::new(profile)), &cases, profile);
    assert!(!found.is_empty());
}

#[test]
fn two_independent_meters_agree_on_random_sequences() {
    let (mut core, mut naive) = (Builtin::new(&Profile::STANDARD), Naive::new(None));
    let mut core = Session::open(&mut core).unwrap();
    let mut naive = Session::open(&mut naive).unwrap();
    let run = differential::run(&mut core, &mut naive, 40_000, 7).unwrap();
    assert!(run.difference.is_none(), "{:#?}", run.difference);
    println!("{:?}", run.results);
    // The sequences reach everything but what the plain framing and the keypad rule out.
    assert!(run.results.len() >= 15, "{:?}", run.results);
}

#[test]
fn a_difference_is_shortened_and_can_be_run_again() {
    for fault in [Fault::UsedCheckMissing, Fault::ThreeTakenAfterTwo, Fault::WindowIgnored] {
        let (mut core, mut naive) = (Builtin::new(&Profile::STANDARD), Naive::new(Some(fault)));
        let mut core = Session::open(&mut core).unwrap();
        let mut naive = Session::open(&mut naive).unwrap();
        let run = differential::run(&mut core, &mut naive, 100_000, 1).unwrap();
        let case = run.difference.expect("a fault is found").case;
        assert!(case.steps.len() <= 8, "{fault:?}: {case}");
        let again = script::parse("again", &case.to_string()).unwrap();
        assert_eq!(again.len(), 1);
        let profile = &Profile::STANDARD;
        assert!(!failures(&mut Naive::new(Some(fault)), &again, profile).is_empty(), "{case}");
        assert!(failures(&mut Builtin::new(profile), &again, profile).is_empty(), "{case}");
    }
}

#[test]
fn junit_is_well_formed_whatever_the_device_says() {
    struct Odd(Builtin);
    impl Device for Odd {
        fn ask(&mut self, request: &str) -> Result<String, sts_harness::conform::DeviceError> {
            let reply = self.0.reply(request);
            Ok(if request.starts_with("enter") {
                format!("ok CRCError <&\"']]>\u{1}\u{7f}{reply}")
            } else {
                reply
            })
        }
    }
    let cases = builtin_suites().unwrap();
    let mut odd = Odd(Builtin::new(&Profile::STANDARD));
    let mut session = Session::open(&mut odd).unwrap();
    let outcomes: Vec<_> =
        cases.iter().map(|case| (case, session.run(case, &Profile::STANDARD).unwrap())).collect();
    let xml = junit("<odd & \"quoted\">", &outcomes);
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut tests = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    attribute.unwrap();
                }
                tests += usize::from(tag.name().as_ref() == "testcase");
            }
            _ => {}
        }
    }
    assert_eq!(tests, cases.len());
}

#[test]
fn scripts_with_mistakes_name_the_line() {
    for (text, line) in [
        ("enter digits 1 -> Accept", 1),
        ("suite a\ncase b\nenter nothing -> Accept", 3),
        ("suite a\ncase b\nenter credit 0 16777216 1 -> Accept", 3),
        ("suite a\ncase b\nenter credit 0 1 1 -> Fine", 3),
        ("suite a\ncase b\nenter credit 0 1 1 ~> Accept", 3),
        ("suite a\ncase b\nsetup colour=red", 3),
        ("suite a\ncase b\ncase b", 3),
        ("suite a\ncase b\nadvance soon", 3),
    ] {
        let error = script::parse("file", text).unwrap_err();
        assert_eq!(error.place.line, Some(line), "{text}: {error}");
    }
}
