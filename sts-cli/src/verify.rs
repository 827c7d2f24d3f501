//! `sts verify`.

use std::path::Path;

use owo_colors::OwoColorize;
use serde_json::{Map, Value};
use sts_harness::input::Rejected;
use sts_harness::{records, verify};

use crate::args::TableArgs;
use crate::exit::{Done, Exit, Failure};
use crate::keys;
use crate::out::{Out, grouped};

pub(crate) fn run(args: &TableArgs, out: &mut Out) -> Done {
    let ring = keys::ring(&args.keys, out)?;
    let rows = records::read_verify(&args.input)?;
    let mut exit = Exit::Good;
    for row in &rows.rows {
        let object = verify::verify(&ring, row);
        exit = exit.max(match object.get("result").and_then(Value::as_str) {
            Some("Authentic") => Exit::Good,
            Some("KeyMissing") => Exit::Keys,
            _ => Exit::Refused,
        });
        if out.is_text() {
            text(&object, out)?;
        } else {
            out.object(&object)?;
        }
    }
    let rejected = reject(args.rejects.as_deref(), &args.input, &rows.header, &rows.rejected, out)?;
    Ok(exit.max(rejected))
}

fn text(object: &Map<String, Value>, out: &mut Out) -> Result<(), Failure> {
    let get = |name: &str| object.get(name).map(plain).unwrap_or_default();
    let result = get("result");
    let shown =
        if result == "Authentic" { result.green().to_string() } else { result.red().to_string() };
    out.line(format_args!("{:<8} {:<29} {shown}", get("id"), grouped(&get("token"))))?;
    let skip = ["schema", "id", "token", "result", "matches"];
    let said: Vec<String> = object
        .iter()
        .filter(|(name, _)| !skip.contains(&name.as_str()))
        .map(|(name, value)| format!("{name} {}", plain(value)))
        .collect();
    for line in crate::out::wrapped(&said.join(", "), 88) {
        out.line(format_args!("         {}", line.dimmed()))?;
    }
    Ok(())
}

/// A JSON value as people read it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// Tells the rows that were not taken, and writes them where asked, or beside the input.
pub(crate) fn reject(
    to: Option<&Path>,
    input: &Path,
    header: &[String],
    rejected: &[Rejected],
    out: &mut Out,
) -> Done {
    if rejected.is_empty() {
        return Ok(Exit::Good);
    }
    for row in rejected {
        out.error(&row.to_string());
    }
    let beside = if input == Path::new("-") {
        Path::new("stdin.rejects.csv").to_owned()
    } else {
        input.with_extension("rejects.csv")
    };
    let path = to.map_or(beside, Path::to_owned);
    let file = std::fs::File::create(&path)?;
    sts_harness::table::write_rejects(file, header, rejected).map_err(std::io::Error::other)?;
    out.warning(format_args!(
        "{} rows were not taken; they are in {} with their reasons",
        rejected.len(),
        path.display()
    ));
    Ok(Exit::Input)
}
