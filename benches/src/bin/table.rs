//! Writes a table of tokens to verify and its test keys: `tokens.csv` and `keys.toml`.
//!
//! ```text
//! cargo run --release --bin table FOLDER ROWS
//! ```

use std::path::Path;
use std::process::ExitCode;

use sts_benches::table;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rows] = words.as_slice() else {
        eprintln!("usage: table FOLDER ROWS");
        return ExitCode::from(2);
    };
    let (folder, rows) = (Path::new(folder), rows.parse());
    let Ok(rows) = rows else {
        eprintln!("ROWS: expected a number");
        return ExitCode::from(2);
    };
    let files = [
        ("keys.toml", table::keys().into_bytes()),
        ("tokens.csv", table::table(&table::ring(), rows)),
    ];
    for (name, bytes) in files {
        if let Err(error) = std::fs::write(folder.join(name), bytes) {
            eprintln!("{}: {error}", folder.join(name).display());
            return ExitCode::from(3);
        }
    }
    ExitCode::SUCCESS
}
