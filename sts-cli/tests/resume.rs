//! A replay into a file that is interrupted leaves whole lines, and goes on to the same bytes.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

/// Runs the tool; with a limit, files can have so many blocks of 512 bytes and a longer one kills.
fn sts(folder: &Path, arguments: &[&str], limit: Option<usize>) -> Output {
    let limit = limit.map(|blocks| format!("ulimit -c 0; ulimit -f {blocks}; "));
    let script = format!("{}exec \"$0\" \"$@\"", limit.unwrap_or_default());
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_sts")])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("a shell")
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap_or_default()
}

/// A case with rows that are none, and one that is out of order.
fn case(name: &str) -> PathBuf {
    let folder = folder(name);
    assert!(sts(&folder, &["simulate", "small", "--out", "case"], None).status.success());
    let path = folder.join("case/entries.csv");
    let text = std::fs::read_to_string(&path).expect("entries");
    let (head, rows) = text.split_once('\n').expect("a header");
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.reverse();
    rows.insert(7, "bad,yesterday,1,2");
    rows.push("=1+1,worse");
    std::fs::write(&path, format!("{head}\n{}\n", rows.join("\n"))).expect("a file");
    folder
}

#[test]
fn killed_anywhere_and_resumed_is_as_never_killed() {
    for form in ["ndjson", "csv"] {
        let folder = case(&format!("killed-{form}"));
        let (whole, out) = (format!("whole.{form}"), format!("out.{form}"));
        let replay = |out: &str, more: &[&str], limit| {
            let start = ["replay", "case", "--sort", "--rejects", "rejects.csv", "--out", out];
            sts(&folder, &[&start, more].concat(), limit)
        };
        assert_eq!(replay(&whole, &[], None).status.code(), Some(3));
        let (answers, rejects) = (bytes(&folder, &whole), bytes(&folder, "rejects.csv"));
        assert!(answers.len() > 50_000 && rejects.starts_with(b"id,"));
        assert!(!folder.join(format!("{whole}.progress")).exists());
        let blocks = answers.len() / 512;
        for limit in [0, 1, blocks / 3, blocks / 2, blocks * 4 / 5, blocks] {
            let _ = std::fs::remove_file(folder.join(&out));
            assert_eq!(replay(&out, &[], Some(limit)).status.code(), None, "killed at {limit}");
            let torn = bytes(&folder, &out);
            assert!(answers.starts_with(&torn), "{limit}");
            // Killed again further on, and at last left alone.
            let again = replay(&out, &["--resume"], Some(limit + blocks / 10));
            assert!(bytes(&folder, &out).len() >= torn.len(), "{again:?}");
            if again.status.code().is_none() {
                let last = replay(&out, &["--resume"], None);
                assert_eq!(last.status.code(), Some(3), "{last:?}");
            }
            assert!(bytes(&folder, &out) == answers, "{form}, killed at {limit}");
            assert!(bytes(&folder, "rejects.csv") == rejects);
            assert!(!folder.join(format!("{out}.progress")).exists());
        }
    }
}

#[test]
fn other_inputs_are_not_resumed() {
    let folder = case("changed");
    let start = ["replay", "case", "--sort", "--out", "out.ndjson"];
    assert_eq!(sts(&folder, &start, Some(8)).status.code(), None);
    let error = |arguments: &[&str]| {
        let output = sts(&folder, arguments, None);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, said) = error(&start);
    assert!(status == Some(2) && said.contains("--resume"), "{said}");
    let entries = folder.join("case/entries.csv");
    let text = std::fs::read_to_string(&entries).expect("entries");
    std::fs::write(&entries, text.replace("worse", "better")).expect("a file");
    let resume = [&start[..], &["--resume"]].concat();
    let (status, said) = error(&resume);
    assert!(status == Some(3) && said.contains("not those of the run"), "{said}");
    std::fs::write(&entries, text).expect("a file");
    assert_eq!(error(&resume).0, Some(3));
    let (status, said) = error(&resume);
    assert!(status == Some(3) && said.contains("nothing to resume"), "{said}");
    let (status, said) = error(&["replay", "case", "--resume"]);
    assert!(status == Some(2) && said.contains("--out"), "{said}");
}

#[test]
fn spreadsheets_run_no_cell() {
    let folder = case("cells");
    let path = folder.join("case/entries.csv");
    let text = std::fs::read_to_string(&path).expect("entries");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (_, rest) = lines[1].split_once(',').expect("a field");
    lines[1] = format!("\"=1+1,x\",{rest}");
    std::fs::write(&path, lines.join("\n")).expect("a file");
    sts(&folder, &["replay", "case", "--sort", "--out", "out.csv"], None);
    let text = String::from_utf8(bytes(&folder, "out.csv")).expect("UTF-8");
    assert!(text.contains("\"'=1+1,x\""));
    let rejects = String::from_utf8(bytes(&folder, "case/entries.rejects.csv")).expect("UTF-8");
    assert!(rejects.contains("'=1+1") && rejects.contains("2 fields, expected"), "{rejects}");
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_said() {
    let folder = case("full");
    std::os::unix::fs::symlink("/dev/full", folder.join("out.ndjson")).expect("a link");
    let output = sts(&folder, &["replay", "case", "--sort", "--out", "out.ndjson"], None);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("out.ndjson: cannot be written: No space left"), "{said}");
    // All the searches are kept.
    assert!(folder.join("out.ndjson.progress").exists());
}
