//! How much faster this project is than the straightforward forms kept beside it: a table for
//! people on the standard output, or JSON for programs. The exit status is 1 where a ratio is under
//! half of what is stated.
//!
//! ```text
//! cargo run --release --bin ratios [--json] [PART OF A TITLE]
//! ```

mod batch;
mod core;
mod verify;

use std::process::ExitCode;

use sts_benches::measure::{Figure, Report};

fn main() -> ExitCode {
    let (options, words): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let mut report = Report { wanted: words.join(" "), ..Report::default() };
    core::measure(&mut report);
    verify::measure(&mut report);
    batch::measure(&mut report);
    match options.as_slice() {
        [] => print!("{}", report.markdown()),
        [option] if option == "--json" => print!("{}", report.json()),
        _ => {
            eprintln!("usage: ratios [--json] [PART OF A TITLE]");
            return ExitCode::from(2);
        }
    }
    let fallen: Vec<&Figure> = report.figures.iter().filter(|figure| !figure.holds()).collect();
    for Figure { title, form, ratio, stated, .. } in &fallen {
        eprintln!("{title}, {form}: {ratio:.1}, under half of {}", stated.unwrap_or_default());
    }
    ExitCode::from(u8::from(!fallen.is_empty()))
}
