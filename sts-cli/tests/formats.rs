//! `docs/formats.md` names every field that the tool knows, and no other.
//!
//! What the tool knows it tells itself: an unknown name is an error that lists the known ones, and
//! the tables that it writes have a header.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names in the first columns of the tables of a section.
fn documented(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split(&format!("\n## {heading}\n")).nth(1).expect("the section");
    let section = section.split("\n## ").next().expect("its text");
    let first_cells =
        section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let names = first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.filter(|name| !name.starts_with('[')).map(str::to_owned).collect()
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn sts(folder: &Path, args: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_sts"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the tool runs");
    String::from_utf8(done.stdout).expect("UTF-8") + &String::from_utf8_lossy(&done.stderr)
}

/// The names in the lists of `expected …:` messages.
fn listed(message: &str) -> BTreeSet<String> {
    let lists = message.lines().filter_map(|line| {
        line.split("expected one of").nth(1).or(line.split("expected columns of").nth(1))
    });
    let names = lists.flat_map(|list| list.trim_start_matches(':').split(','));
    names.map(|name| name.trim().trim_matches('`').to_owned()).collect()
}

#[test]
fn page_of_the_formats_names_every_field_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Ok(page) = fs::read_to_string(root.join("docs/formats.md")) else {
        return; // the packaged crate comes without the documentation
    };
    let folder = folder();
    let file = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    let same = |heading: &str, known: BTreeSet<String>| {
        assert_eq!(documented(&page, heading), known, "{heading}");
    };
    let known = |args: &[&str]| listed(&sts(&folder, args));

    let case = root.join("examples/mangaung-2024");
    for name in ["entries.csv", "keys.toml", "meters.csv"] {
        fs::copy(case.join(name), folder.join(name)).expect("a copy");
    }
    let answers = "answers.csv";
    sts(&folder, &["replay", ".", "--out", answers]);
    let answers = fs::read_to_string(folder.join(answers)).expect("the answers");
    let header = answers.lines().next().expect("a header");
    same("Answers", header.split(',').map(str::to_owned).collect());

    file("unknown.csv", "unknown\n1\n");
    let keys = "keys.toml";
    same("Tokens to verify", known(&["verify", "--keys", keys, "--input", "unknown.csv"]));
    same("Tokens to issue", known(&["issue", "--keys", keys, "--input", "unknown.csv"]));

    file("case.toml", "unknown = 1\n");
    same("Case", known(&["replay", "."]));
    fs::remove_file(folder.join("case.toml")).expect("removed");
    for (name, heading) in [("entries.csv", "Entries"), ("meters.csv", "Meters")] {
        let sound = fs::read_to_string(folder.join(name)).expect("a file");
        file(name, "unknown\n1\n");
        same(heading, known(&["replay", "."]));
        file(name, &sound);
    }
    file("keys.toml", "[[vending_key]]\nunknown = 1\n");
    let mut fields = known(&["replay", "."]);
    file("keys.toml", "[seal]\nunknown = 1\n");
    fields.extend(known(&["replay", "."]));
    same("Keys", fields);

    let profile = "[profile]\nunknown = 1\nid = \"x\"\nstatus = \"example\"\n\
                   [[firmware]]\nunknown = 1\nid = \"1\"\naccepted_framings = [\"sts20\"]\n\
                   [rules]\nunknown = 1\n\
                   [[display]]\nunknown = 1\non = \"*\"\nshow = \"{result}\"\nbasis = \"example\"\n";
    file("profile.toml", profile);
    same("Profiles", known(&["profiles", "profile.toml"]));
}
