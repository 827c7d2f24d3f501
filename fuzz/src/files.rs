//! Files that people write: profiles, keys, scripts of `sts conform`.

use sts_core::TokenResult;
use sts_harness::conform::builtin::Builtin;
use sts_harness::conform::{self, Session, script};
use sts_harness::emit;
use sts_harness::keys::{KeyRing, Unlock};
use sts_harness::profiles::ProfileFile;
use sts_harness::zeroize::Zeroizing;

use crate::check;

/// A profile's file: every mistake has a line of the file; one without shows something for every
/// result, and is written for firmware.
pub fn profile_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.lines().count() as u64 + 1;
    let file = match ProfileFile::parse("profile.toml", &text) {
        Ok(file) => file,
        Err(errors) => {
            assert!(!errors.is_empty());
            let told: Vec<_> = errors.iter().filter_map(|error| error.place.line).collect();
            assert!(told.iter().all(|line| (1..=lines).contains(line)), "{told:?} of {lines}");
            assert!(told.is_sorted() && errors.iter().all(|error| !error.to_string().is_empty()));
            return;
        }
    };
    for (place, firmware) in file.firmwares().iter().enumerate() {
        let id = file.firmware_ids()[place];
        assert_eq!(file.firmware_index(id), Some(place), "firmware {id} stands twice");
        assert!(file.firmware(id).is_some_and(|found| std::ptr::eq(found, firmware)));
        let profile = file.compile(place);
        assert!(!profile.framings.is_empty());
        for result in TokenResult::ALL {
            for pending in [false, true] {
                assert!(!profile.shown(result, pending).to_string().is_empty(), "{result}");
            }
        }
    }
    let report = serde_json::to_string(&file.report()).expect("JSON");
    assert!(serde_json::from_str::<serde_json::Value>(&report).is_ok());
    // What is written is code: no line of it may be one of the file's own.
    for code in [emit::rust(&file), emit::c(&file)] {
        assert!(
            code.is_ascii() || code.chars().all(|letter| !letter.is_control() || letter == '\n')
        );
    }
}

/// A key-encryption key that is known, and no passphrase: deriving keys takes seconds.
struct Fixed;

impl Unlock for Fixed {
    fn passphrase(&mut self, _: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn key_encryption_key(&mut self, _: &str) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(vec![0x11; 32]))
    }
}

/// A file of keys: no message shows one.
pub fn key_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match KeyRing::parse("keys.toml", &text, &mut Fixed) {
        Ok(ring) => {
            let vending = ring.vending.iter().map(|entry| &entry.id);
            let mut ids: Vec<&String> =
                vending.chain(ring.decoders.iter().map(|entry| &entry.id)).collect();
            assert_eq!(ring.is_empty(), ids.is_empty());
            assert!(ids.iter().all(|id| ring.position(id) > 0));
            ids.sort_unstable();
            assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an id stands twice");
            shows_no_key(&text, &format!("{ring:?}"));
            ring.warnings.iter().for_each(|warning| shows_no_key(&text, &warning.to_string()));
        }
        Err(error) => {
            let lines = text.lines().count() as u64 + 1;
            assert!(error.place.line.is_none_or(|line| (1..=lines).contains(&line)));
            shows_no_key(&text, &error.to_string());
        }
    }
}

/// Hexadecimal digits that stand once in the file, as a key, are in no text about it.
fn shows_no_key(file: &str, told: &str) {
    for line in file.lines() {
        let Some(value) = line.strip_prefix("key = \"").and_then(|rest| rest.split('"').next())
        else {
            continue;
        };
        let is_key = value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_key && file.matches(value).count() == 1 {
            assert!(!told.contains(value), "{told}");
        }
    }
}

/// A script of cases: what is read is written as it is read, runs, and is told as XML and JSON.
pub fn conform_script(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let cases = match script::parse("script", &text) {
        Ok(cases) => cases,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let written: Vec<String> = cases.iter().map(ToString::to_string).collect();
    let again = script::parse("again", &written.join("\n")).expect("a script that was written");
    assert!(again == cases, "{cases:?} read again as {again:?}");

    let mut device = Builtin::new(&sts_core::Profile::STANDARD);
    let mut session = Session::open(&mut device).expect("the built-in device");
    let mut outcomes = Vec::new();
    for case in &cases {
        let outcome = session.run(case, &sts_core::Profile::STANDARD).expect("an answer");
        let object = conform::object(case, &outcome).to_string();
        assert!(serde_json::from_str::<serde_json::Value>(&object).is_ok());
        outcomes.push((case, outcome));
    }
    let elements = check::well_formed(&conform::junit(&text, &outcomes));
    assert!(elements > outcomes.len());
}
