//! Every command that the documentation shows is run, and prints what the page says.
//!
//! Pages are all Markdown files of the tree; commands are the lines with `$` of `console` blocks and
//! the code in the text that begins with `sts`, `cargo` or `bash`. Each page has a folder of its own,
//! in which its files stand; a block with a file's name beside its language is written to that file.
//! A `console` block that shows output is compared, `…` on a line of its own standing for any lines.
//! What is not run is in [`NOT_RUN`], with the reason; anything else that fails fails here.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What stands in a command for something of the reader's, and what the test puts there.
const INSTEAD: &[(&str, &str)] = &[
    ("cargo run --release -- ", "sts "),
    ("--meter NUMBER TOKEN", "--meter 01202401012 04434137679179024103"),
    ("--case FOLDER", "--case CASE"),
    ("--keys FILE --meter NUMBER", "--keys keys.toml --case CASE --meter 01202401012"),
    ("--check FILE...", "--check full.csv"),
    ("import FILE...", "import full.csv"),
    ("sts keys FILE", "sts keys keys.toml"),
    ("sts VERB --help", "sts replay --help"),
    // Sizes that take minutes.
    ("--meters 100000 --out utility", "--meters 50 --out smaller"),
    ("--differential 100000", "--differential 200"),
    // A device that answers rightly leaves no sequence behind.
    ("--sequence shortest.txt", "--sequence sequence.txt"),
    // Nothing listens there.
    ("--tcp 192.0.2.7:4059", "--command ./meter"),
    // It serves until it is told to stop, and then ends well.
    ("sts serve ", "timeout --preserve-status 2 sts serve "),
    ("127.0.0.1:8055", "127.0.0.1:0"),
    ("/tmp/", "./tmp/"),
];

/// Commands that are not run here, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("bash .ci/audit", "has a network and tools of its own"),
    ("bash .ci/engine cluster", "builds a query engine"),
    ("bash .ci/page", "has a browser and tools of its own"),
    ("bash .ci/run", "runs this test"),
    ("bash .ci/run --list", "says nothing of the tool"),
    ("bash .ci/run fmt clippy", "the step of that name"),
    ("bash api/check.sh --write", "changes the tree"),
    ("bash benches/instructions.sh --write", "changes the tree"),
    ("bash firmware/run.sh --write", "changes the tree"),
    ("bash sts-capi/header.sh --write", "changes the tree"),
    ("bash sts-python/run.sh", "has a package index and tools of its own"),
    ("cargo build --release", "has built what is tested"),
    ("cargo fmt", "the step of that name"),
    ("cargo install --path sts-cli", "changes what is installed"),
    ("cargo run --release --", "says what `sts` stands for"),
    ("cargo run --release --bin ratios", "measures for minutes"),
    (
        "cargo run --release -p sts-batch --example circuits -- TRIES > sts-batch/src/circuits.rs",
        "searches for hours",
    ),
    (
        "cargo run -p sts-core --features seal --example walk",
        "sts-core/tests/walk.rs compares what it prints",
    ),
    ("cargo run --release -p sts-harness --example quality -- docs/quality", "takes minutes"),
    ("cargo test --workspace", "runs this test"),
    ("sts sql", "a feature: .ci/engine"),
    (
        "sts keys import mine.toml --id g1 --sgc 600457 --krn 1 --kt 2 --dkga 02 --base-date 2014",
        "asks at a terminal: tests/keys.rs",
    ),
    ("sts replay utility --sort --out answers.ndjson --resume", "tests/resume.rs interrupts a run"),
];

/// Pages whose commands another test runs.
const ELSEWHERE: &[(&str, &str)] = &[
    ("docs/beyond.md", "the test below, and sts-cluster/tests/cluster.py"),
    ("docs/firmware.md", "firmware/first/run.sh"),
    ("docs/serve.md", "tests/serve.rs"),
];

/// Pages whose output another test compares: its odds move with each judgement, and are masked there.
const COMPARED_ELSEWHERE: &[(&str, &str)] = &[("docs/explain.md", "tests/explain.rs")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The packaged crate comes without the documentation.
fn is_packaged() -> bool {
    !root().join("docs").exists()
}

/// A command of a page; `shown` is what the page says it prints, `status` its exit status.
#[derive(Debug, Default)]
struct Shown {
    line: usize,
    command: String,
    shown: String,
    status: Option<i32>,
    in_text: bool,
}

/// The commands of a page, in its order.
fn commands(page: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut text = String::new();
    let mut fence: Option<&str> = None;
    for (place, line) in page.lines().enumerate() {
        if let Some(kind) = line.strip_prefix("```") {
            match fence.take() {
                None => {
                    assert!(!["sh", "bash", "shell"].contains(&kind), "{}: say console", place + 1);
                    in_text(&mut text, place, &mut found);
                    fence = Some(kind);
                }
                Some(kind) => {
                    if let Some((_, file)) = kind.split_once(' ') {
                        // What stands there may be a link into the tree.
                        let command = format!("rm -f {file}; cat > {file} <<'END'\n{text}END");
                        found.push(Shown { line: place + 1, command, ..Shown::default() });
                    }
                    text.clear();
                }
            }
        } else if fence == Some("console") {
            match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => {
                    let command = command.to_owned();
                    found.push(Shown { line: place + 1, command, ..Shown::default() });
                }
                (None, Some(last)) if last.command.ends_with('\\') => {
                    last.command.pop();
                    last.command.push_str(line.trim_start());
                }
                (None, Some(last)) => last.shown.push_str(&format!("{}\n", line.trim_end())),
                (None, None) => panic!("{}: output without a command", place + 1),
            }
        } else if fence.is_some() {
            text.push_str(line);
            text.push('\n');
        } else {
            if let Some(status) = line.strip_prefix("Exit status ")
                && let Ok(status) = status.trim_end_matches('.').parse()
                && let Some(last) = found.last_mut()
            {
                last.status = Some(status);
            }
            text.push_str(line);
            text.push(' ');
            if line.is_empty() || line.starts_with('|') {
                in_text(&mut text, place, &mut found);
            }
        }
    }
    in_text(&mut text, page.lines().count(), &mut found);
    found
}

/// Adds the commands among the code of a paragraph, and empties it.
fn in_text(text: &mut String, line: usize, found: &mut Vec<Shown>) {
    for code in text.split('`').skip(1).step_by(2) {
        if ["sts ", "cargo ", "bash "].iter().any(|tool| code.starts_with(tool)) {
            let command = code.to_owned();
            found.push(Shown { line, command, in_text: true, ..Shown::default() });
        }
    }
    text.clear();
}

/// Runs a command in a folder: its exit status and all that it printed.
fn run(folder: &Path, command: &str) -> (Option<i32>, String) {
    let bin = folder.join("bin");
    let path = std::env::var("PATH").unwrap_or_default();
    let done = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", bin.display()))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let mut printed = String::from_utf8_lossy(&done.stdout).into_owned();
    printed.push_str(&String::from_utf8_lossy(&done.stderr));
    (done.status.code(), printed.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}

/// A folder with what the commands of the pages name.
fn folder(page: &str) -> PathBuf {
    let root = root().canonicalize().expect("the tree");
    let name = format!("docs-{}", page.replace('/', "-"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("bin")).expect("a folder");
    fs::create_dir(folder.join("tmp")).expect("a folder");
    let link = |to: &Path, name: &str| symlink(to, folder.join(name)).expect("a link");
    link(Path::new(env!("CARGO_BIN_EXE_sts")), "bin/sts");
    for name in ["examples", "sts-harness", "vectors"] {
        link(&root.join(name), name);
    }
    let explain = root.join("sts-cli/tests/explain");
    link(&explain.join("keys.toml"), "keys.toml");
    link(&explain.join("issue.csv"), "wanted.csv");
    for number in 1..=22 {
        link(&explain.join(format!("F{number:02}")), &format!("F{number:02}"));
    }
    link(&root.join("sts-harness/tests/import/sales.xlsx"), "sales.xlsx");
    for case in ["CASE", "utility"] {
        fs::create_dir(folder.join(case)).expect("a folder");
        for file in ["case.toml", "entries.csv", "keys.toml", "meters.csv"] {
            fs::copy(root.join("examples/mangaung-2024").join(file), folder.join(case).join(file))
                .expect("a copy");
        }
    }
    let slip = "Meter 01202401012\nToken 0443 4137 6791 7902 4103\n10.0 m3\n";
    let sale = "2024-11-01T09:12:00Z,600457,2,01,07,2,2014,04434137679179024103,10";
    for (name, content) in [
        ("slip.txt", slip.to_owned()),
        ("message.txt", slip.to_owned()),
        ("key.txt", "C1A70E5D 3B8692F4\n".to_owned()),
        ("tokens.csv", "id,token\n1,18446744073843772416\n".to_owned()),
        (
            "sales.csv",
            format!(
                "Customer meter,sold_at,sgc,krn,ti,ea,kt,base_date,token,quantity\n01202401012,{sale}\n"
            ),
        ),
        (
            "full.csv",
            format!("drn,sold_at,sgc,krn,ti,ea,kt,base_date,token,quantity\n01202401012,{sale}\n"),
        ),
        ("meter", "#!/bin/sh\nexec sts conform --serve\n".to_owned()),
    ] {
        fs::write(folder.join(name), content).expect("a file");
    }
    let may_run = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.join("meter"), may_run).expect("a program");
    let (_, suites) = run(&folder, "sts conform --list");
    fs::write(folder.join("sequence.txt"), suites).expect("a file");
    for name in ["before.ndjson", "after.ndjson"] {
        let (_, answers) = run(&folder, "sts replay CASE --format ndjson 2>/dev/null");
        fs::write(folder.join(name), answers).expect("a file");
    }
    folder
}

/// Whether `shown` is `printed`, with any lines where it has an ellipsis.
fn is_shown(shown: &str, printed: &str) -> bool {
    let mut rest = printed;
    let parts: Vec<&str> = shown.split("…\n").collect();
    for (place, part) in parts.iter().enumerate() {
        let Some(at) = rest.find(part) else { return false };
        if place == 0 && at != 0 {
            return false;
        }
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || parts.last().is_some_and(|last| last.is_empty())
}

/// The command as it stands in [`NOT_RUN`], if it does.
fn not_run(shown: &Shown) -> Option<&'static str> {
    let bare = shown.command.split("  #").next().unwrap_or_default().trim_end();
    NOT_RUN.iter().map(|(command, _)| *command).find(|command| *command == bare)
}

/// What is wrong with a command, if anything.
fn fault(page: &str, folder: &Path, shown: &Shown) -> Option<String> {
    let mut command = shown.command.clone();
    for (word, instead) in INSTEAD {
        command = command.replace(word, instead);
    }
    // A verb and options without values are no command but their name: they must be there.
    let name = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if shown.in_text && command.split(' ').all(name) {
        let words = command.split(' ').filter(|word| !word.starts_with("--"));
        let (status, help) =
            run(folder, &format!("{} --help", words.collect::<Vec<_>>().join(" ")));
        let known = |option: &str| help.split([' ', '\n', ',']).any(|word| word == option);
        let missing = command.split(' ').find(|word| word.starts_with("--") && !known(word));
        return (status != Some(0) || missing.is_some())
            .then(|| format!("{missing:?} is not in its help, status {status:?}"));
    }
    let (status, printed) = run(folder, &command);
    let fits = match shown.status {
        Some(expected) => status == Some(expected),
        // Accepted or refused; beyond are wrong usage and what cannot be read.
        None => matches!(status, Some(0 | 1)),
    };
    let printed = printed.replace("./tmp/", "/tmp/");
    let compared = !shown.shown.is_empty() && COMPARED_ELSEWHERE.iter().all(|(of, _)| *of != page);
    let lines = |text: &str| format!("{}\n", text.trim_end());
    (!fits || compared && !is_shown(&lines(&shown.shown), &lines(&printed)))
        .then(|| format!("ran {command}\nstatus {status:?}, printed:\n{printed}"))
}

/// Markdown files under a folder, by their path in the tree.
fn pages(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !path.is_symlink() {
            if !name.starts_with('.') && name != "target" {
                pages(&path, found);
            }
        } else if name.ends_with(".md") {
            let inside = path.strip_prefix(root()).expect("a path in the tree");
            found.insert(inside.display().to_string());
        }
    }
}

#[test]
fn commands_of_every_page_run_and_print_what_it_says() {
    if is_packaged() {
        return;
    }
    let mut all = BTreeSet::new();
    pages(&root(), &mut all);
    let mut faults = String::new();
    let mut skipped = BTreeSet::new();
    let mut ran = 0;
    for page in all.iter().filter(|page| ELSEWHERE.iter().all(|(of, _)| of != page)) {
        let found = commands(&fs::read_to_string(root().join(page)).expect("a page"));
        if found.is_empty() {
            continue;
        }
        let folder = folder(page);
        for shown in found {
            if let Some(command) = not_run(&shown) {
                skipped.insert(command);
            } else if let Some(fault) = fault(page, &folder, &shown) {
                faults.push_str(&format!("{page}:{}: {}\n{fault}\n", shown.line, shown.command));
            } else {
                ran += 1;
            }
        }
        let _ = fs::remove_dir_all(&folder);
    }
    assert!(faults.is_empty(), "{faults}");
    assert!(ran > 80, "{ran}");
    let listed: BTreeSet<&str> = NOT_RUN.iter().map(|(command, _)| *command).collect();
    assert_eq!(skipped, listed, "listed as not run, and shown nowhere");
}

/// Queries are run where the tool has them.
#[cfg(feature = "sql")]
#[test]
fn queries_of_the_page_past_one_machine_run_and_print_what_it_says() {
    if is_packaged() {
        return;
    }
    let page = "docs/beyond.md";
    let folder = folder(page);
    let found = commands(&fs::read_to_string(root().join(page)).expect("the page"));
    let queries = found.iter().filter(|shown| shown.command.starts_with("sts sql "));
    let faults: Vec<String> =
        queries.clone().filter_map(|shown| fault(page, &folder, shown)).collect();
    assert!(faults.is_empty(), "{}", faults.concat());
    assert!(queries.count() > 2);
    let _ = fs::remove_dir_all(&folder);
}

#[test]
fn examples_of_every_help_run() {
    if is_packaged() {
        return;
    }
    let first = folder("help");
    let (_, help) = run(&first, "sts --help");
    let (_, verbs) = help.split_once("Commands:\n").expect("the verbs");
    // What goes on in a second line stands further in.
    let verbs = verbs
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .filter(|verb| *verb != "help");
    let mut faults = String::new();
    for verb in verbs {
        let folder = folder("help");
        let (_, help) = run(&folder, &format!("sts {verb} --help"));
        let examples = help.split_once("\nExample").map_or("", |(_, examples)| examples);
        let examples: Vec<&str> = examples
            .lines()
            .flat_map(|line| {
                line.trim_start_matches("s:").trim_start_matches(':').trim().split("    ")
            })
            .filter(|part| part.starts_with("sts "))
            .collect();
        assert!(!examples.is_empty(), "{verb} has no example");
        for command in examples {
            let shown = Shown { command: command.to_owned(), ..Shown::default() };
            if not_run(&shown).is_none()
                && let Some(fault) = fault("help", &folder, &shown)
            {
                faults.push_str(&format!("{verb}: {command}\n{fault}\n"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
    let _ = fs::remove_dir_all(first);
}

/// The name under which a heading can be linked to.
fn anchor(heading: &str) -> String {
    let lower = heading.trim().to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The lines of a page that are no code block.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    page.lines().filter(move |line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

#[test]
fn links_of_every_page_lead_to_a_file_and_a_heading() {
    if is_packaged() {
        return;
    }
    let mut all = BTreeSet::new();
    pages(&root(), &mut all);
    let mut faults = String::new();
    let mut followed = 0;
    for page in &all {
        let file = root().join(page);
        let text = fs::read_to_string(&file).expect("a page");
        let bare: String = prose(&text).flat_map(|line| [line, "\n"]).collect();
        for link in bare.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            let (path, heading) = link.split_once('#').map_or((link, None), |(p, h)| (p, Some(h)));
            let target = match path {
                "" => file.clone(),
                path => file.parent().expect("a folder").join(path),
            };
            let found = match heading {
                None => target.exists(),
                Some(heading) => fs::read_to_string(&target).is_ok_and(|text| {
                    prose(&text)
                        .filter(|line| line.starts_with('#'))
                        .any(|line| anchor(line.trim_start_matches('#')) == heading)
                }),
            };
            if !found {
                faults.push_str(&format!("{page}: {link}\n"));
            }
        }
    }
    assert!(faults.is_empty(), "these lead nowhere:\n{faults}");
    assert!(followed > 80, "{followed}");
}
