//! Bad input: the exit status, and a message that names the place and what was expected.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn sts(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit status"), text(&output.stdout), text(&output.stderr))
}

/// A folder with a small sound case: one meter, one token.
fn case(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (file, text) in [("keys.toml", KEYS), ("meters.csv", METERS), ("entries.csv", ENTRIES)] {
        std::fs::write(folder.join(file), text).expect("a file");
    }
    folder
}

const KEYS: &str = "[[vending_key]]\nid = \"k1\"\npurpose = \"test\"\nsgc = \"123456\"\nkrn = 1\nkt = 2\ndkga = \"02\"\nbase_date = 2014\nkey = \"abababababababab\"\n";
const METERS: &str = "pan,ea,sgc,krn,ti,kt,base_date\n600727000000000009,07,123456,1,01,2,2014\n";
const ENTRIES: &str = "id,entered_at,pan,entered\n1,2014-03-01T13:05:00Z,600727000000000009,4030 5070 3125 2166 2658\n";

/// The sound case with one edit in one file.
fn replay(name: &str, file: &str, from: &str, to: &str) -> (i32, String, String) {
    let folder = case(name);
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).expect("a file");
    let edited = text.replacen(from, to, 1);
    assert_ne!(text, edited, "{name}");
    std::fs::write(path, edited).expect("a file");
    sts(&folder, &["replay", ".", "--format", "ndjson"])
}

#[test]
fn sound_case_is_accepted() {
    let folder = case("sound");
    let (status, out, err) = sts(&folder, &["replay", ".", "--format", "ndjson"]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.contains(r#""result":"Accept""#));
}

#[test]
fn bad_tokens_are_refused_with_their_place() {
    let folder = case("tokens");
    for (token, result, says) in [
        ("1234567890123456789", "LengthError", "19 digits"),
        ("123456789012345678901", "LengthError", "21 digits"),
        ("12345678901234567890123", "LengthError", "23 digits"),
        ("1234567890123456789012345", "LengthError", "25 digits"),
        ("1844674407384377241O", "FormatError", "character 20"),
        ("１8446744073843772416", "FormatError", "character 1"),
        ("١8446744073843772416", "FormatError", "character 1"),
        ("73786976294838206464", "FormatError", "largest token"),
        ("99999999999999999999", "FormatError", "largest token"),
        ("1.84467E+19", "FormatError", "'E'"),
        ("0000000000000000", "LengthError", "16 digits"),
    ] {
        let (status, out, _) = sts(&folder, &["inspect", "--format", "ndjson", token]);
        assert_eq!(status, 1, "{token}");
        assert!(out.contains(result) && out.contains(says), "{token}: {out}");
    }
}

#[test]
fn bad_files_end_with_status_3_and_say_what_was_expected() {
    for (name, file, from, to, says) in [
        ("no-column", "meters.csv", ",ea,", ",note,", "no column \"ea\""),
        ("twice", "meters.csv", ",ea,", ",ea,ea,", "stands twice"),
        ("unknown-column", "entries.csv", ",entered\n", ",enterd\n", "\"entered\""),
        ("pan", "meters.csv", "000009,", "000008,", "check digit"),
        ("sgc", "meters.csv", "123456", "1457", "six digits"),
        ("ti", "meters.csv", ",01,", ",100,", "tariff index"),
        ("krn", "meters.csv", ",1,01", ",10,01", "key revision number"),
        ("kt", "meters.csv", ",2,2014", ",4,2014", "0 to 3"),
        ("ea", "meters.csv", ",07,", ",08,", "07, 09 or 11"),
        ("date", "meters.csv", "2014\n", "2015\n", "1993, 2014 or 2035"),
        ("zone", "entries.csv", "13:05:00Z", "13:05:00", "no zone"),
        ("stranger", "entries.csv", "600727000000000009", "600727111111111153", "meters.csv"),
        ("key-length", "keys.toml", "abababababababab", "abab", "expected 16"),
        ("key-krn", "keys.toml", "krn = 1", "krn = 10", "1 to 9"),
        ("key-name", "keys.toml", "kt = 2", "kt = 2\ncolour = 1", "colour"),
    ] {
        let (status, out, err) = replay(name, file, from, to);
        assert_eq!(status, 3, "{name}: {out}{err}");
        assert!(err.contains(says) || out.contains(says), "{name}: {out}{err}");
        assert!(!err.contains("abab"), "{name} shows a key: {err}");
    }
}

#[test]
fn empty_and_missing_files_are_named() {
    let folder = case("empty");
    std::fs::write(folder.join("entries.csv"), "").expect("a file");
    let (status, _, err) = sts(&folder, &["replay", "."]);
    assert!(status == 3 && err.contains("entries.csv") && err.contains("empty"), "{err}");
    std::fs::remove_file(folder.join("meters.csv")).expect("a file");
    let (status, _, err) = sts(&folder, &["replay", "."]);
    assert!(status == 3 && err.contains("meters.csv") && err.contains("cannot be read"), "{err}");
}

#[test]
fn spreadsheet_exports_are_read() {
    let folder = case("export");
    let text = format!("\u{FEFF}{}", ENTRIES.replace(',', ";").replace('\n', "\r\n"));
    std::fs::write(folder.join("entries.csv"), text).expect("a file");
    assert_eq!(sts(&folder, &["replay", "."]).0, 0);
}

#[test]
fn bad_rows_go_to_a_file_and_good_rows_go_on() {
    let folder = case("rows");
    let mut bytes = ENTRIES.as_bytes().to_vec();
    bytes.extend(
        b"2,yesterday,600727000000000009,1\n3,2014-03-01T14:00:00Z,600727000000000009,\xFF\n",
    );
    std::fs::write(folder.join("entries.csv"), bytes).expect("a file");
    let (status, out, err) = sts(&folder, &["replay", ".", "--format", "ndjson"]);
    assert_eq!((status, out.lines().count()), (3, 1), "{err}");
    let rejects = std::fs::read(folder.join("entries.rejects.csv")).expect("the rejects");
    let rejects = String::from_utf8_lossy(&rejects);
    assert!(rejects.contains("yesterday") && rejects.contains("UTF-8"), "{rejects}");
}

#[test]
fn keys_missing_or_refused_end_with_status_4() {
    let folder = case("keyless");
    std::fs::remove_file(folder.join("keys.toml")).expect("a file");
    let (status, out, err) = sts(&folder, &["replay", ".", "--format", "ndjson"]);
    assert_eq!(status, 4, "{err}");
    assert!(out.contains("KeyMissing") && err.contains("no key file"), "{out}{err}");

    let (status, _, err) = replay("clear", "keys.toml", "\"test\"", "\"verify\"");
    assert!(status == 4 && err.contains("in clear"), "{err}");
}

#[test]
fn doubtful_keys_are_warned_of_and_doubled_ones_refused() {
    let (status, _, err) = replay("parity", "keys.toml", "abababab\"", "abababaa\"");
    assert!(status == 1 && err.contains("parity"), "{err}");
    let folder = case("doubled");
    let both = format!("{KEYS}{}", KEYS.replace("\"k1\"", "\"k2\""));
    std::fs::write(folder.join("keys.toml"), both).expect("a file");
    let (status, _, err) = sts(&folder, &["keys", "keys.toml"]);
    assert!(status == 3 && err.contains("k1 and k2"), "{err}");
}

#[test]
fn bad_profiles_are_named_with_their_line() {
    let folder = case("profiles");
    let sound = "[profile]\nid = \"p\"\nstatus = \"example\"\n[[firmware]]\nid = \"1\"\naccepted_framings = [\"sts20\"]\nkey_change_sets = [2]\n[[display]]\non = [\"CRCError\"]\nshow = \"017\"\nbasis = \"hypothesis\"\n[[display]]\non = \"*\"\nshow = \"Err {result}\"\nbasis = \"example\"\n";
    std::fs::write(folder.join("p.toml"), sound).expect("a file");
    assert_eq!(sts(&folder, &["replay", ".", "--profile", "p.toml"]).0, 0);
    // A path on the command line is from where one stands, not from the case.
    let inside = folder.join("inside");
    std::fs::create_dir_all(&inside).expect("a folder");
    assert_eq!(sts(&inside, &["replay", "..", "--profile", "../p.toml"]).0, 0);
    let (status, _, err) = sts(&inside, &["replay", "..", "--profile", "p.toml"]);
    assert!(status == 3 && err.contains("p.toml: cannot be read"), "{err}");
    for (from, to, says) in [
        ("id = \"p\"", "id = \"p\"\ncolour = 1", "p.toml:3"),
        ("on = \"*\"", "on = [\"OldError\"]", "catch-all"),
        ("on = \"*\"", "on = [\"CRCError\"]", "p.toml:12"),
    ] {
        std::fs::write(folder.join("p.toml"), sound.replacen(from, to, 1)).expect("a file");
        let (status, _, err) = sts(&folder, &["profiles", "p.toml"]);
        assert!(status == 3 && err.contains(says), "{says}: {err}");
    }
    let (status, _, err) = sts(&folder, &["profiles", "standart"]);
    assert!(status == 3 && err.contains("\"standard\""), "{err}");
}

#[test]
fn what_is_wrong_is_underlined_for_people_and_one_thing_to_try_is_named() {
    let folder = case("underlined");
    let write = |file: &str, text: &str| {
        std::fs::write(folder.join(file), text).expect("a file");
    };
    let told = |arguments: &[&str], says: &[&str]| {
        let (_, _, err) = sts(&folder, arguments);
        for part in says {
            assert!(err.contains(part), "{arguments:?}: {part:?} is not in\n{err}");
        }
        assert!(err.matches("try: ").count() <= 1, "{err}");
        err
    };
    write(
        "p.toml",
        "[profile]\nid = \"p\"\ncolour = 1\nstatus = \"example\"\n[[firmware]]\nid = \"1\"\naccepted_framings = [\"sts20\"]\nkey_change_sets = [2]\n[[display]]\non = \"*\"\nshow = \"E\"\nbasis = \"example\"\n",
    );
    told(&["profiles", "p.toml"], &["p.toml:3: ", "  3 | colour = 1\n    | ^^^^^^\n"]);
    write("case.toml", "# The case.\ntitl = \"x\"\n");
    let err = told(
        &["replay", "."],
        &["case.toml:2: unknown field", "  2 | titl = \"x\"\n    | ^^^^\n", "try: title\n"],
    );
    assert!(err.ends_with("try: title\n"), "{err}");
    let (_, _, err) = sts(&folder, &["replay", ".", "--format", "ndjson"]);
    assert!(!err.contains('^'), "{err}");
    std::fs::remove_file(folder.join("case.toml")).expect("a file");
    write("entries.csv", &ENTRIES.replace("2014-03-01T13:05:00Z", "yesterday"));
    let line = "  2 | 1,yesterday,600727000000000009,4030 5070 3125 2166 2658\n    |   ^^^^^^^^^\n";
    told(&["replay", "."], &["entries.csv:2: entered_at: ", line]);
    write("t.csv", "id,pan,krn,token\nä,600727000000000009,77,40305070312521662658\n");
    let line =
        "  2 | ä,600727000000000009,77,40305070312521662658\n    |                      ^^\n";
    told(&["verify", "--keys", "keys.toml", "--input", "t.csv"], &["t.csv:2: krn: ", line]);
    told(&["keys", "check", "keys.tml"], &["keys.tml: cannot be read", "try: keys.toml\n"]);
    told(&["keys", "import", "other", "--id", "x"], &["try: sts keys new other\n"]);
    // A line that may hold a key is not shown, whatever the file is taken for.
    write("k.toml", &format!("{KEYS}key = \"ab\"\nkrn = = 1\n"));
    for arguments in [
        &["keys", "k.toml"][..],
        &["profiles", "k.toml"],
        &["verify", "--keys", "keys.toml", "--input", "k.toml"],
        &["replay", ".", "--model", "k.toml"],
        &["simulate", "k.toml", "--out", "made"],
        &["forecast", "k.toml"],
    ] {
        let (status, out, err) = sts(&folder, arguments);
        assert!(status >= 3, "{arguments:?}: {out}{err}");
        assert!(!err.contains("abab") && !err.contains("\"ab\""), "{arguments:?}: {err}");
    }
}

#[test]
fn entries_out_of_order_ask_for_sort() {
    let folder = case("order");
    let text = format!("{ENTRIES}2,2014-03-01T12:00:00Z,600727000000000009,1\n");
    std::fs::write(folder.join("entries.csv"), text).expect("a file");
    let (status, out, err) = sts(&folder, &["replay", ".", "--format", "ndjson"]);
    assert!(status == 3 && (out.contains("--sort") || err.contains("--sort")), "{out}{err}");
    assert_eq!(sts(&folder, &["replay", ".", "--sort"]).0, 1);
}

#[test]
fn settings_of_a_meter_that_a_case_has_are_not_taken_from_arguments() {
    let folder = case("settings");
    let ask = ["check", "--case", ".", "--meter", "600727000000000009", "--format", "json"];
    let at = ["--at", "2014-03-01T13:05:00Z", "40305070312521662658"];
    let (status, _, err) = sts(&folder, &[&ask[..], &["--krn", "2"], &at].concat());
    assert!(status == 2 && err.contains("--krn: meters.csv says this"), "{err}");
    let (_, out, err) = sts(&folder, &[&ask[..], &["--profile", "waterwatch-ciu"], &at].concat());
    assert!(out.contains("\"display\":\"Err FunctionError\""), "{out}{err}");
}

#[test]
fn digits_beyond_a_token_are_told_and_not_cut() {
    let folder = case("surplus");
    let ask = ["check", "--case", ".", "--meter", "600727000000000009"];
    for (text, status, says) in [
        ("Token: 4030 5070 3125 2166 2658 1", 1, "line 1: 21 digits in a row"),
        ("Token: 403050703125216626581", 1, "line 1: 21 digits in a row"),
        ("Token: 4030 5070 3125 2166 2658 10 kWh", 0, ""),
    ] {
        let at = ["--at", "2014-03-01T13:05:00Z", text];
        let (found, out, err) = sts(&folder, &[&ask[..], &at].concat());
        assert_eq!(found, status, "{text}: {out}{err}");
        assert!(err.contains(says), "{text}: {err}");
    }
}

#[cfg(unix)]
#[test]
fn folders_and_locked_files_in_place_of_files_are_named() {
    let folder = case("unreadable");
    std::fs::create_dir(folder.join("folder")).expect("a folder");
    let locked = folder.join("locked");
    std::fs::write(&locked, ENTRIES).expect("a file");
    let mut rights = std::fs::metadata(&locked).expect("rights").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0);
    std::fs::set_permissions(&locked, rights).expect("rights");
    // Those who may read everything cannot be kept out.
    let is_locked = std::fs::read(&locked).is_err();
    for name in ["folder", "locked"] {
        if name == "locked" && !is_locked {
            continue;
        }
        let keys = ["--keys", "keys.toml"];
        for arguments in [
            &["replay", ".", "--keys", name][..],
            &["replay", ".", "--model", name],
            &[&["verify"], &keys[..], &["--input", name]].concat(),
            &[&["check"], &keys[..], &["--slip", name]].concat(),
            &[&["issue"], &keys[..], &["--input", name]].concat(),
            &["verify", "--keys", name, "--input", "entries.csv"],
            &["inspect", "--input", name],
            &["diff", name, name],
            &["import", "--check", name],
            &["keys", name],
        ] {
            let (status, out, err) = sts(&folder, arguments);
            assert!(status == 3 || status == 4, "{arguments:?}: {status}: {out}{err}");
            assert!(err.contains(name), "{arguments:?}: {err}");
        }
        for (arguments, file) in [
            (&["replay", ".", "--out"][..], "out.ndjson"),
            (&["replay", ".", "--report"], "page.html"),
            (&["replay", ".", "--work-list"], "work.csv"),
            (&["verify", "--keys", "keys.toml", "--input", "tokens.csv", "--out"], "out.csv"),
            (&["forecast", "mangaung", "--meters", "100", "--svg"], "chart.svg"),
        ] {
            let tokens = "id,drn,ea,sgc,krn,ti,kt,token\n";
            std::fs::write(folder.join("tokens.csv"), tokens).expect("a file");
            let there = folder.join(file);
            std::fs::create_dir_all(&there).expect("a folder");
            let (status, out, err) = sts(&folder, &[arguments, &[file]].concat());
            assert_eq!(status, 3, "{arguments:?}: {out}{err}");
            assert!(err.contains(file) && err.contains("directory"), "{arguments:?}: {err}");
        }
    }
    for file in ["entries.csv", "meters.csv", "keys.toml", "case.toml"] {
        let folder = case("folders");
        let _ = std::fs::remove_file(folder.join(file));
        std::fs::create_dir(folder.join(file)).expect("a folder");
        let (status, _, err) = sts(&folder, &["replay", "."]);
        assert!(status == 3 || status == 4, "{file}: {status}: {err}");
        assert!(err.contains(file) && err.contains("cannot be read"), "{file}: {err}");
    }
}

#[test]
fn wrong_usage_ends_with_status_2() {
    let folder = case("usage");
    for arguments in [
        vec!["nosuch"],
        vec!["explain", "--keys", "keys.toml", "40305070312521662658"],
        vec!["check", "--keys", "keys.toml", "--meter", "12345678904", "1"],
        vec!["check", "--keys", "keys.toml", "--meter", "00000000000", "--krn", "12", "1"],
    ] {
        let (status, _, err) = sts(&folder, &arguments);
        assert_eq!(status, 2, "{arguments:?}: {err}");
    }
}
