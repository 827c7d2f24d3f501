//! How good the diagnosis is, measured on simulated refusals whose causes are known.
//!
//! `cargo run --release -p sts-harness --example quality -- docs/quality` simulates the built-in
//! mixes, replays them, and writes the table, the confusion matrices and the reliability diagrams.
//! With `--case FOLDER …` it measures case folders that have a `truth.ndjson` instead.

mod chart;
mod measure;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use measure::{Evidence, Quality};
use sts_harness::simulate::{Scale, Scenario};

/// The mixes that come with the simulator, and what each is for.
const MIXES: [(&str, &str); 3] = [
    ("quality", "every cause that needs a search, with realistic noise"),
    ("quality-shifted", "other proportions of causes, other and larger noise"),
    ("quality-hard", "600 held keys, 5,000 meters, stale records, two settings wrong at once"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, folders)) if first == "--case" => {
            folders.iter().try_for_each(|folder| measure_folder(Path::new(folder)))
        }
        Some((out, [])) => regenerate(Path::new(out)),
        _ => Err("usage: quality OUT-FOLDER, or quality --case FOLDER ...".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure_folder(folder: &Path) -> Result<(), String> {
    let quality = Quality::measure(folder)?;
    println!("{}", folder.display());
    println!("{}", table(&[("case", "", &quality)]));
    println!("{}", confusion(&quality));
    for line in &quality.mistakes {
        println!("{line}");
    }
    Ok(())
}

fn regenerate(out: &Path) -> Result<(), String> {
    std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let mut measured = Vec::new();
    for (name, what) in MIXES {
        let folder = std::env::temp_dir().join(format!("sts-{name}-{}", std::process::id()));
        simulate(name, &folder)?;
        let quality = Quality::measure(&folder);
        // Nothing of a simulation is kept but what is measured of it.
        let _ = std::fs::remove_dir_all(&folder);
        measured.push((name, what, quality?));
    }
    let rows: Vec<(&str, &str, &Quality)> =
        measured.iter().map(|(name, what, quality)| (*name, *what, quality)).collect();
    let mut page = String::from(PREFACE);
    page.push_str(&table(&rows));
    for (name, what, quality) in &measured {
        let chart = format!("{name}.svg");
        write(&out.join(&chart), &chart::reliability(name, &quality.bins()))?;
        let _ = write!(
            page,
            "\n## {name}\n\n{}\n\n![Stated probability against observed frequency: {name}]({chart})\n\n{}",
            capitalised(what),
            confusion(quality)
        );
    }
    write(&out.join("README.md"), &page)?;
    print!("{}", table(&rows));
    Ok(())
}

const PREFACE: &str = "\
# Quality of the diagnosis

Measured on simulated refusals whose true causes are known, *on this mix* each: real incidents have
other proportions. Regenerate with

```console
$ cargo run --release -p sts-harness --example quality -- docs/quality
```

*First right*: the first-ranked cause is the true one; by what is known of the sale. *Sure and
wrong*: of the claims of at least 99 %, how many are wrong. *Calibration error*: the expected
difference between stated probability and observed frequency, over 20 equal bins. *Taken by the
record*: refusals of meters that hold another key than their record says, which the record has no
reason to refuse and no display speaks of: no cause is told, and no probability. They count as wrong
in *first right*, and are no claims.

";

fn table(rows: &[(&str, &str, &Quality)]) -> String {
    let mut text = String::from(
        "| mix | refusals | first right: time and quantity | one of them | neither | sure and wrong | taken by the record | calibration error | passed by chance, a row |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, _, quality) in rows {
        let share = |evidence| {
            let (right, rows) = quality.first_right(evidence);
            format!("{:.2} % of {rows}", 100.0 * right)
        };
        let (wrong, claims) = quality.sure_and_wrong();
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {wrong} of {claims} | {} | {:.4} | {:.2} |",
            quality.rows(),
            share(Evidence::Both),
            share(Evidence::One),
            share(Evidence::Neither),
            quality.taken(),
            quality.calibration_error(),
            quality.chance_matches(),
        );
    }
    text
}

/// True causes down, first-ranked ones across; only what occurs.
fn confusion(quality: &Quality) -> String {
    let (causes, counts) = quality.confusion();
    let mut text = String::from("| true \\ first-ranked |");
    for cause in &causes {
        let _ = write!(text, " {cause} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(causes.len()));
    text.push('\n');
    for truth in &causes {
        let row: Vec<usize> = causes
            .iter()
            .map(|said| counts.get(&(truth.clone(), said.clone())).copied().unwrap_or_default())
            .collect();
        if row.iter().sum::<usize>() == 0 {
            continue;
        }
        let _ = write!(text, "| {truth} |");
        for count in row {
            let _ = if count == 0 { write!(text, " |") } else { write!(text, " {count} |") };
        }
        text.push('\n');
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn write(path: &PathBuf, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn simulate(name: &str, folder: &Path) -> Result<(), String> {
    let scenario = Scenario::load(name).map_err(|error| error.to_string())?;
    scenario.write(Scale::default(), folder, false).map(|_| ()).map_err(|error| error.to_string())
}
