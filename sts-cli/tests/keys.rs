//! The verbs of `sts keys`: what they make, what they refuse, and that no key is ever seen.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A key of DES, of odd parity, that stands nowhere else.
const KEY: &str = "C1A70E5D3B8692F4";
const ATTRIBUTES: &str = "--id g1 --sgc 600457 --krn 1 --kt 2 --dkga 02 --base-date 2014";
/// A seal that takes no time.
const CHEAP: &str = "schema = 1\n\n[seal]\nkdf = \"argon2id\"\nsalt = \"00112233445566778899aabbccddeeff\"\nmemory_kib = 8192\niterations = 1\nparallelism = 1\n";

struct Said {
    status: i32,
    out: String,
    err: String,
}

/// Runs the words of a shell, in which `sts` is the tool.
fn shell(folder: &Path, words: &str) -> Said {
    shell_with(folder, words, "")
}

fn shell_with(folder: &Path, words: &str, input: &str) -> Said {
    let words = format!("sts() {{ '{}' \"$@\"; }}\n{words}", env!("CARGO_BIN_EXE_sts"));
    let mut child = Command::new("sh")
        .args(["-c", &words])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    // Whoever does not read this is gone by then.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let done = child.wait_with_output().expect("an end");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said {
        status: done.status.code().unwrap_or(-1),
        out: text(&done.stdout),
        err: text(&done.stderr),
    }
}

/// A folder with an empty key file, a key, two key-encryption keys and two passphrases.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    for (file, content) in [
        ("key.txt", format!("{KEY}\n")),
        ("words", "correct horse battery\n".to_owned()),
        ("words2", "staple of another kind\r\n".to_owned()),
        ("cheap.toml", CHEAP.to_owned()),
        ("kek2.bin", "x".repeat(32)),
    ] {
        fs::write(path.join(file), content).expect("a file");
        fs::set_permissions(path.join(file), fs::Permissions::from_mode(0o600)).expect("rights");
    }
    let made = shell(&path, "sts keys new --kek kek.bin && sts keys new mine.toml");
    assert_eq!((made.status, made.err.as_str()), (0, ""), "{}", made.out);
    path
}

fn import(file: &str, by: &str) -> String {
    format!("sts keys import {file} {by} --key-file key.txt {ATTRIBUTES}")
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).expect("a file")
}

#[test]
fn a_key_is_imported_listed_checked_used_and_sealed_anew() {
    let folder = folder("round");
    let done = shell(&folder, &import("mine.toml", "--kek-file kek.bin"));
    assert_eq!((done.status, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(done.out.starts_with("g1  vending key, verify, SGC 600457, KRN 1"), "{}", done.out);
    let fingerprint = done.out.trim().rsplit(' ').next().expect("a word").to_owned();
    assert_eq!(fingerprint.len(), 6);
    let listed = shell(&folder, "sts keys list mine.toml");
    assert!(listed.status == 0 && listed.out.contains("KEN 255, sealed"), "{}", listed.out);
    for words in ["keys", "keys check"] {
        let checked = shell(&folder, &format!("sts {words} mine.toml --kek-file kek.bin"));
        assert_eq!(checked.out, done.out, "{}", checked.err);
        let locked = shell(&folder, &format!("sts {words} mine.toml"));
        assert!(locked.status == 4 && locked.err.contains("mine.toml"), "{}", locked.err);
    }
    fs::write(
        folder.join("t.csv"),
        "id,drn,ea,sgc,krn,ti,kt,token\n1,01202401012,07,600457,1,01,2,04434137679179024103\n",
    )
    .expect("a file");
    let used = "sts verify --keys mine.toml --kek-file kek.bin --input t.csv --format ndjson";
    assert_eq!(shell(&folder, used).status, 1);
    // From a key-encryption key to a passphrase, to another, and back to a file.
    for (from, to) in [
        ("--kek-file kek.bin", "--new-passphrase-file words"),
        ("--passphrase-file words", "--new-passphrase-fd 3 3< words2"),
        ("--passphrase-fd 0 < words2", "--new-kek-file kek2.bin"),
    ] {
        let before = text(&folder, "mine.toml");
        let wrong = shell(
            &folder,
            &format!(
                "sts keys rotate mine.toml --kek-file kek2.bin --passphrase-file key.txt {to}"
            ),
        );
        assert!(wrong.status == 4 && wrong.err.contains("does not open"), "{from}: {}", wrong.err);
        assert_eq!(text(&folder, "mine.toml"), before);
        let done = shell(&folder, &format!("sts keys rotate mine.toml {from} {to}"));
        assert_eq!((done.status, done.err.as_str()), (0, ""), "{from}: {}", done.out);
        assert_ne!(text(&folder, "mine.toml"), before);
    }
    let checked = shell(&folder, "sts keys check mine.toml --kek-file kek2.bin");
    assert!(checked.out.trim().ends_with(&fingerprint), "{}{}", checked.out, checked.err);
    let mode = fs::metadata(folder.join("mine.toml")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_key_comes_by_file_descriptor_or_standard_input() {
    for (place, source) in [
        "--key-file key.txt",
        "--key-file - < key.txt",
        "--key-fd 0 < key.txt",
        "--key-fd 5 5< key.txt",
    ]
    .into_iter()
    .enumerate()
    {
        let folder = folder(&format!("source-{place}"));
        let words = "--kek-file kek.bin";
        let done =
            shell(&folder, &format!("sts keys import mine.toml {words} {ATTRIBUTES} {source}"));
        assert_eq!((done.status, done.err.as_str()), (0, ""), "{source}: {}", done.out);
    }
    let folder = folder("source");
    let asked =
        shell(&folder, &format!("sts keys import mine.toml --kek-file kek.bin {ATTRIBUTES}"));
    assert!(asked.status == 4 && asked.err.contains("--key-file"), "{}", asked.err);
    let asked = shell(&folder, &import("cheap.toml", ""));
    let says = "a new passphrase is asked for at a terminal, and there is none; give --kek-file";
    assert!(asked.status == 4 && asked.err.contains(says), "{}", asked.err);
    assert_eq!(shell(&folder, &import("mine.toml", "--kek-file kek.bin")).status, 0);
    let asked = shell(&folder, "sts keys rotate mine.toml --kek-file kek.bin");
    assert!(asked.status == 4 && asked.err.contains("give --new-kek-file"), "{}", asked.err);
    let asked = shell(&folder, "sts keys check mine.toml");
    assert!(asked.status == 4 && asked.err.ends_with("try: --kek-file FILE\n"), "{}", asked.err);
    let misspelt = shell(&folder, "sts keys chek mine.toml");
    assert!(
        misspelt.status == 2 && misspelt.err.ends_with("try: sts keys check\n"),
        "{}",
        misspelt.err
    );
    let other = import("mine.toml", "--kek-file kek.bin --fingerprint 012345");
    let expected = shell(&folder, &other.replace("g1", "g7").replace("krn 1", "krn 7"));
    assert!(
        expected.status == 4 && expected.err.contains("nothing was changed"),
        "{}",
        expected.err
    );
    assert_eq!(text(&folder, "mine.toml").matches("g1").count(), 1);
}

#[test]
fn fresh_keys_are_for_tests_and_no_file_is_written_over() {
    let folder = folder("new");
    for dkga in ["02", "04"] {
        let words = format!(
            "sts keys new t.toml --id t{dkga} --sgc 123456 --krn 1 --kt 2 --base-date 2014 --dkga {dkga}"
        );
        let words = words.replace("--krn 1", if dkga == "04" { "--krn 2" } else { "--krn 1" });
        let done = shell(&folder, &words);
        assert_eq!((done.status, done.err.as_str()), (0, ""), "{}", done.out);
    }
    let checked = shell(&folder, "sts keys t.toml");
    assert_eq!((checked.status, checked.err.as_str()), (0, ""), "{}", checked.out);
    assert!(checked.out.lines().count() == 2 && checked.out.contains("test"), "{}", checked.out);
    let keys = text(&folder, "t.toml");
    let digits: Vec<usize> = keys
        .lines()
        .filter_map(|line| line.strip_prefix("key = \""))
        .map(|line| line.trim_end_matches('"').len())
        .collect();
    assert_eq!(digits, [16, 40]);
    for file in ["kek.bin", "t.toml"] {
        let mode = fs::metadata(folder.join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let kek = fs::read(folder.join("kek.bin")).expect("a file");
    assert_eq!(kek.len(), 32);
    for words in ["sts keys new --kek kek.bin", "sts keys new t.toml"] {
        let again = shell(&folder, words);
        assert!(again.status == 3 && again.err.contains("exists"), "{}", again.err);
    }
    assert_eq!(fs::read(folder.join("kek.bin")).expect("a file"), kek);
    assert_eq!(text(&folder, "t.toml"), keys);
    let nameless = shell(&folder, "sts keys new t.toml --sgc 123456");
    assert!(nameless.status == 2 && nameless.err.contains("--id"), "{}", nameless.err);
}

#[test]
fn a_file_or_secret_that_others_can_read_is_warned_of() {
    let folder = folder("modes");
    assert_eq!(shell(&folder, &import("mine.toml", "--kek-file kek.bin")).status, 0);
    let open = |file: &str, mode| {
        let rights = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.join(file), rights).expect("rights");
    };
    for file in ["mine.toml", "kek.bin"] {
        open(file, 0o644);
        let checked = shell(&folder, "sts keys check mine.toml --kek-file kek.bin");
        let warned: Vec<&str> = checked.err.lines().filter(|line| line.contains("chmod")).collect();
        assert!(warned.len() == 1 && warned[0].contains(file), "{}", checked.err);
        open(file, 0o600);
    }
}

#[test]
fn a_write_that_fails_or_is_cut_off_leaves_the_old_file() {
    let folder = folder("crash");
    assert_eq!(shell(&folder, &import("mine.toml", "--kek-file kek.bin")).status, 0);
    let before = text(&folder, "mine.toml");
    let rotate = "sts keys rotate mine.toml --kek-file kek.bin --new-kek-file kek2.bin";
    // No room for another file: reported, and nothing is left beside.
    let full = shell(&folder, &format!("trap '' XFSZ; ulimit -f 0; {rotate}"));
    assert!(full.status == 3 && full.err.contains("mine.toml"), "{} {}", full.status, full.err);
    let beside = || {
        let names = fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(".sts-keys")).count()
    };
    assert_eq!((text(&folder, "mine.toml"), beside()), (before.clone(), 0));
    // The process dies while it writes: the old file is whole, and the next run does not mind.
    let killed = shell(&folder, &format!("ulimit -f 0; {rotate}; exit 9"));
    assert!(killed.status != 0);
    assert_eq!(text(&folder, "mine.toml"), before);
    // A folder in which nothing can be made, for those who cannot write everywhere.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).expect("rights");
    let kept_out = fs::write(folder.join("probe"), "").is_err();
    let done = shell(&folder, rotate);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("rights");
    if kept_out {
        assert!(done.status == 3 && done.err.contains("cannot be written"), "{}", done.err);
        assert_eq!(text(&folder, "mine.toml"), before);
        assert_eq!(shell(&folder, rotate).status, 0);
    } else {
        assert_eq!(done.status, 0, "{}", done.err);
    }
}

/// Forms in which a key could be seen.
fn forms() -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = (0..KEY.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&KEY[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let mut bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    bits.extend([0, 0]);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let base64: Vec<u8> = bits
        .chunks(6)
        .map(|six| letters[usize::from(six.iter().fold(0, |sum, bit| sum << 1 | bit))])
        .collect();
    let listed: Vec<String> = bytes.iter().map(u8::to_string).collect();
    // Half a key is as bad.
    vec![
        KEY.as_bytes()[..8].to_vec(),
        KEY.as_bytes()[8..].to_vec(),
        bytes[..4].to_vec(),
        bytes[4..].to_vec(),
        base64[..8].to_vec(),
        listed[..4].join(", ").into_bytes(),
        listed[4..].join(", ").into_bytes(),
        u64::from_be_bytes(bytes.try_into().expect("8 bytes")).to_string().into_bytes(),
    ]
}

fn has_key(content: &[u8]) -> bool {
    let upper = content.to_ascii_uppercase();
    forms().iter().any(|form| {
        [content, &upper].iter().any(|text| text.windows(form.len()).any(|part| part == form))
    })
}

#[test]
fn no_key_is_seen_in_any_output_or_file() {
    assert!(has_key(KEY.to_lowercase().as_bytes()) && has_key(b"\xC1\xA7\x0E\x5D"));
    let folder = folder("unseen");
    let clear = format!(
        "[[vending_key]]\nid = \"c\"\npurpose = \"test\"\nsgc = \"600457\"\nkrn = 1\nkt = 2\ndkga = \"02\"\nbase_date = 2014\nkey = \"{KEY}\"\n"
    );
    let own = |name: &str, content: String| {
        fs::write(folder.join(name), content).expect("a file");
    };
    // Files of the user's own that hold the key; all others must not.
    own("clear.toml", clear.clone());
    own("verify.toml", clear.replace("\"test\"", "\"verify\""));
    own("twice.toml", format!("{clear}{clear}"));
    own("misplaced.toml", clear.replace("\"600457\"", &format!("\"{KEY}\"")));
    own(
        "named.toml",
        clear.replace("\"c\"", &format!("\"{KEY}\""))
            + &clear.replace("\"c\"", &format!("\"{KEY}\"")),
    );
    own("broken.toml", clear.replace(&format!("\"{KEY}\""), KEY));
    own("open.toml", clear.replace(&format!("\"{KEY}\""), &format!("\"{KEY}")));
    own("long.toml", clear.replace(KEY, &format!("{KEY}00")));
    own("letter.toml", clear.replace(KEY, &format!("{KEY}x")));
    own("table.toml", format!("[{KEY}]\n"));
    own("seal.toml", format!("[seal]\nkdf = \"{KEY}\"\n"));
    own("salt.toml", format!("[seal]\nkdf = \"file\"\nsalt = \"{KEY}\"\n"));
    own("cut.txt", format!("{}\n", &KEY[..14]));
    own("wrong.txt", format!("{KEY}G\n"));
    own("spaced.txt", format!("{} {}\n", &KEY[..8], &KEY[8..]));
    let owned: Vec<String> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    fs::write(folder.join("t.csv"), "id,drn,ea,sgc,krn,ti,kt,token,kind,subclass,issued_at,tid,units_raw\n1,01202401012,07,600457,1,01,2,04434137679179024103,credit,0,,5,5\n").expect("a file");
    let mut words: Vec<String> = Vec::new();
    for by in ["--kek-file kek.bin", "--passphrase-file words"] {
        let to = if by.starts_with("--kek") { "mine.toml" } else { "cheap.toml" };
        words.push(import(to, by));
        words.push(import(to, by));
        words.push(import(to, by).replace("g1", "g2"));
        words.push(
            import(to, by)
                .replace("key.txt", "spaced.txt")
                .replace("krn 1", "krn 2")
                .replace("g1", "g3"),
        );
        words.push(format!("sts keys check {to} {by}"));
        words.push(format!("sts keys check {to} --kek-file kek2.bin --passphrase-file words2"));
        words.push(format!("sts keys rotate {to} --kek-file kek2.bin --passphrase-file words2 --new-kek-file kek.bin"));
        words.push(format!("sts keys rotate {to} {by} --new-kek-file kek2.bin"));
        words.push(format!("RUST_BACKTRACE=full RUST_LOG=trace sts keys list {to}"));
        words.push(format!("sts verify --keys {to} --kek-file kek2.bin --input t.csv"));
        words.push(format!("sts issue --keys {to} --kek-file kek2.bin --input t.csv"));
    }
    for wrong in [
        import("mine.toml", "--kek-file key.txt"),
        import("mine.toml", "--kek-file kek.bin").replace("key.txt", "cut.txt"),
        import("mine.toml", "--kek-file kek.bin").replace("key.txt", "wrong.txt"),
        import("mine.toml", "--kek-file kek.bin").replace("dkga 02", "dkga 04"),
        import("mine.toml", "--kek-file kek.bin").replace("krn 1", "krn 12"),
        import("mine.toml", "--kek-file kek2.bin --fingerprint 000000").replace("g1", "g9"),
        import("none.toml", "--kek-file kek.bin"),
        // The key where an argument belongs: the shell has it, but we do not repeat it.
        format!("sts keys import mine.toml {KEY}"),
        format!("sts keys import mine.toml --key {KEY}"),
        format!("sts keys import mine.toml --krn {KEY}"),
        format!("sts keys import mine.toml --id x --sgc {KEY}"),
        format!(
            "sts keys import mine.toml --id x --dkga {KEY} --sgc 600457 --krn 1 --kt 2 --base-date 2014"
        ),
        format!("sts keys {KEY}x {KEY}"),
        format!("sts keys new n.toml --base-date {KEY} --id n"),
    ] {
        words.push(wrong);
    }
    for file in &owned {
        words.push(format!("sts keys list {file}"));
        words.push(format!("sts keys check {file} --kek-file kek.bin --passphrase-file words"));
        words.push(format!("sts keys {file} --format json"));
        words.push(format!("sts keys rotate {file} --kek-file kek.bin --new-kek-file kek2.bin"));
        words.push(import(file, "--kek-file kek.bin"));
        words.push(format!("sts verify --keys {file} --input t.csv --format ndjson"));
        words.push(format!("sts issue --keys {file} --input t.csv --format ndjson"));
        words.push(format!("sts explain --keys {file} --meter 01202401012 --ea 07 --sgc 600457 --krn 1 --ti 01 --kt 2 04434137679179024103"));
    }
    for words in words {
        let done = shell(&folder, &words);
        assert!((0..=4).contains(&done.status), "{words}: {} {}", done.status, done.err);
        assert!(!done.err.contains("panicked"), "{words}: {}", done.err);
        for said in [&done.out, &done.err] {
            assert!(!has_key(said.as_bytes()), "{words}\n{said}");
        }
    }
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let made = !owned.contains(&name) || ["mine.toml", "cheap.toml"].contains(&name.as_str());
        if made {
            assert!(!has_key(&fs::read(&path).expect("a file")), "{name}");
        }
    }
}

/// At a terminal, secrets are asked for and not echoed. `script` makes one.
#[test]
fn secrets_are_asked_for_at_a_terminal_and_not_echoed() {
    if !cfg!(target_os = "linux") || Command::new("script").arg("--version").output().is_err() {
        return;
    }
    let folder = folder("terminal");
    let typed = |words: &str, input: &str| {
        let words = words.replace("sts ", &format!("{} ", env!("CARGO_BIN_EXE_sts")));
        // What is typed ahead of the question would be thrown away with the change of the terminal.
        let lines: String =
            input.lines().map(|line| format!("sleep 1; printf '%s\\n' '{line}'; ")).collect();
        shell(&folder, &format!("{{ {lines} sleep 1; }} | script -qec \"{words}\" /dev/null"))
    };
    let words = format!("sts keys import cheap.toml {ATTRIBUTES}");
    let done = typed(&words, &format!("{KEY}\n{KEY}\ncorrect horse\ncorrect horse\n"));
    assert_eq!(done.status, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("Key, 16 hexadecimal digits: "), "{}", done.out);
    assert!(done.out.contains("New passphrase for cheap.toml: "), "{}", done.out);
    assert!(!has_key(done.out.as_bytes()) && !done.out.contains("horse"), "{}", done.out);
    let done = typed("sts keys check cheap.toml", "correct horse\n");
    assert!(done.status == 0 && done.out.contains("fingerprint"), "{}", done.out);
    let wrong = typed("sts keys check cheap.toml", "correct house\n");
    assert!(wrong.status == 4 && wrong.out.contains("does not open"), "{}", wrong.out);
    let differ = typed("sts keys rotate cheap.toml", "correct horse\none\ntwo\n");
    assert!(differ.status == 4 && differ.out.contains("differs"), "{}", differ.out);
    let done = typed("sts keys check cheap.toml", "correct horse\n");
    assert_eq!(done.status, 0, "{}", done.out);
}
