//! A disk that is full: what cannot be written is named, with status 3, and what is there is whole.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs words of a shell with the tool as `$0` and says status, and what it prints to standard error.
fn shell(folder: &Path, words: &str) -> (i32, String) {
    let done = Command::new("sh")
        .args(["-c", words, env!("CARGO_BIN_EXE_sts")])
        .current_dir(folder)
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    (done.status.code().unwrap_or_else(|| panic!("{words}: killed: {said}")), said)
}

/// A folder with a simulated case, in which one row is none, and a name `full` in every form.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("full-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    assert_eq!(shell(&path, "\"$0\" simulate small --out case").0, 0);
    for ending in ["ndjson", "csv", "html", "svg", "xml", "parquet.part"] {
        std::os::unix::fs::symlink("/dev/full", path.join(format!("full.{ending}")))
            .expect("a link");
    }
    path
}

#[test]
fn every_output_that_cannot_be_written_is_named() {
    let folder = folder("outputs");
    let tokens = "id,drn,ea,sgc,krn,ti,kt,token\n\
                  1,01202401012,07,600457,1,01,2,04434137679179024103\n2,short\n";
    std::fs::write(folder.join("tokens.csv"), tokens).expect("a file");
    let path = folder.join("case/entries.csv");
    let text = std::fs::read_to_string(&path).expect("entries");
    std::fs::write(path, format!("{text}bad,row\n")).expect("a file");
    let verify = "verify --keys case/keys.toml --input tokens.csv";
    for (words, file) in [
        ("replay case --sort --out full.ndjson", "full.ndjson"),
        ("replay case --sort --out full.csv", "full.csv"),
        #[cfg(feature = "parquet")]
        ("replay case --sort --out full.parquet", "full.parquet"),
        ("replay case --sort --report full.html", "full.html"),
        ("replay case --sort --work-list full.csv", "full.csv"),
        ("replay case --sort --rejects full.csv", "full.csv"),
        (&format!("{verify} --out full.csv"), "full.csv"),
        (&format!("{verify} --out full.ndjson"), "full.ndjson"),
        (&format!("{verify} --rejects full.csv"), "full.csv"),
        ("forecast mangaung --meters 100 --svg full.svg", "full.svg"),
        ("conform --suite tid --junit full.xml", "full.xml"),
    ] {
        let (status, said) = shell(&folder, &format!("\"$0\" {words}"));
        assert_eq!(status, 3, "{words}: {said}");
        let error = said.lines().find(|line| line.starts_with("error: ") && line.contains(file));
        assert!(error.is_some_and(|it| it.contains("No space left")), "{words}: {said}");
        let _ = std::fs::remove_file(folder.join(format!("{file}.progress")));
    }
}

#[test]
fn standard_output_that_cannot_be_written_is_said() {
    let folder = folder("stdout");
    for words in [
        "replay case --sort",
        "replay case --sort --format ndjson",
        "import --check case/entries.csv",
        "inspect 18446744073843772416",
        "verify --keys case/keys.toml --input case/meters.csv --format ndjson; \"$0\" tid 5",
        "forecast mangaung --meters 100 --format json",
        "diff case/meters.csv case/meters.csv; \"$0\" profiles",
    ] {
        let (status, said) = shell(&folder, &format!("(\"$0\" {words}) > /dev/full"));
        assert_eq!(status, 3, "{words}: {said}");
        assert!(said.contains("cannot write the output: No space left"), "{words}: {said}");
    }
}

/// A limit to the length of files in place of a small disk: beyond it, nothing can be written.
#[test]
fn import_to_a_disk_that_fills_up_leaves_whole_rows_under_another_name() {
    let folder = folder("import");
    let mut text = "id,entered_at,drn,entered,ea,sgc,krn,ti,kt,base_date\n".to_owned();
    for number in 0..6000 {
        let (hour, minute, second) = (number / 3600, number / 60 % 60, number % 60);
        text += &format!(
            "{number},2024-11-01T{hour:02}:{minute:02}:{second:02}Z,01202401012,\
             6942234276265488{number:04},07,600457,1,01,2,1993\n"
        );
    }
    std::fs::write(folder.join("many.csv"), text).expect("a file");
    let import = |blocks: usize, more: &str| {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; ");
        shell(&folder, &format!("{limit}exec \"$0\" import many.csv --out new {more}"))
    };
    let (status, said) = import(1000, "");
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("new/entries.csv.part: cannot be written: File too large"), "{said}");
    let kept = std::fs::read_to_string(folder.join("new/entries.csv.part")).expect("rows");
    let rows = kept.lines().count() - 1;
    assert!(rows > 1000 && kept.ends_with('\n'), "{rows}");
    assert!(said.contains(&format!("valid: the first {rows} rows")), "{rows}: {said}");
    assert!(!folder.join("new/entries.csv").exists() && !folder.join("new/meters.csv").exists());
    // Sorting goes the same way, and leaves no file of its own.
    let (status, said) = import(1000, "--sort");
    assert!(status == 3 && said.contains("File too large"), "{said}");
    for file in std::fs::read_dir(folder.join("new")).expect("a folder") {
        let name = file.expect("a file").file_name();
        assert!(name.to_string_lossy().ends_with(".csv.part"), "{name:?}");
    }
    // With room again it is done anew, and nothing of the first try is left.
    let (status, said) = import(1 << 20, "");
    assert_eq!(status, 0, "{said}");
    let whole = std::fs::read_to_string(folder.join("new/entries.csv")).expect("rows");
    assert!(whole.starts_with(&kept) && whole.lines().count() == 6001);
    assert!(!folder.join("new/entries.csv.part").exists());
}
