//! `sts verify`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use owo_colors::OwoColorize;
use serde_json::{Map, Value};
use sts_harness::input::{InputError, Rejected};
use sts_harness::verify::{Bulk, Form, Lines, Verdict, Writer};

use crate::args::VerifyArgs;
use crate::exit::{Done, Exit, Failure};
use crate::keys;
use crate::out::{Out, grouped};

pub(crate) fn run(args: &VerifyArgs, out: &mut Out) -> Done {
    let form = match &args.out {
        Some(path) => Some(form_of(path)?),
        None if out.is_ndjson() => Some(Form::Ndjson),
        None => None,
    };
    let ring = keys::ring(&args.table.keys, out)?;
    let (name, input) = open(&args.table.input)?;
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok());
    let table = Verifying {
        bulk: &Bulk::new(&ring),
        name: &name,
        threads: threads.unwrap_or(NonZeroUsize::MIN),
    };
    let mut exit = Exit::Good;
    let mut rejected = Vec::new();
    let header = if let Some(form) = form {
        let writer = Writer::new(form, &ring);
        let failed = |error: io::Error| match &args.out {
            Some(path) => Failure::in_file(path, &error),
            None => error.into(),
        };
        let mut to: Box<dyn Write + Send> = match &args.out {
            Some(path) => Box::new(File::create(path).map_err(failed)?),
            None => Box::new(io::stdout()),
        };
        to.write_all(writer.header().as_bytes()).map_err(failed)?;
        let put = |verdict: &Verdict<'_>, lines: &mut Lines| writer.put(verdict, lines);
        let header = table.run(input, &mut rejected, &mut exit, put, |lines| {
            to.write_all(lines.as_bytes()).map_err(failed)?;
            lines.clear();
            Ok(())
        })?;
        to.flush().map_err(failed)?;
        header
    } else {
        let put = |verdict: &Verdict<'_>, objects: &mut Vec<_>| objects.push(verdict.object());
        table.run(input, &mut rejected, &mut exit, put, |objects| {
            for object in objects.drain(..) {
                if out.is_text() { text(&object, out)? } else { out.object(&object)? }
            }
            Ok(())
        })?
    };
    let told = reject(args.table.rejects.as_deref(), &args.table.input, &header, &rejected, out)?;
    Ok(exit.max(told))
}

struct Verifying<'a> {
    bulk: &'a Bulk<'a>,
    name: &'a str,
    threads: NonZeroUsize,
}

impl Verifying<'_> {
    /// Verifies the table, and says its header. Every part of the output is made by `put` and
    /// taken, in order, by `write`.
    fn run<T: Default>(
        &self,
        input: impl Read + Send,
        rejected: &mut Vec<Rejected>,
        exit: &mut Exit,
        put: impl Fn(&Verdict<'_>, &mut T) + Sync,
        mut write: impl FnMut(&mut T) -> Result<(), Failure> + Send,
    ) -> Result<Vec<String>, Failure> {
        let each = |verdict: &Verdict<'_>, (part, worst): &mut (T, Option<Exit>)| {
            let status = match verdict.result() {
                "Authentic" => Exit::Good,
                "KeyMissing" => Exit::Keys,
                _ => Exit::Refused,
            };
            *worst = (*worst).max(Some(status));
            put(verdict, part);
        };
        self.bulk.run(self.name, input, self.threads, each, |(part, worst), rows| {
            *exit = (*exit).max(worst.take().unwrap_or(Exit::Good));
            rejected.extend(rows);
            write(part)
        })
    }
}

/// The form that a file's name asks for.
fn form_of(path: &Path) -> Result<Form, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(Form::Csv),
        Some("ndjson") => Ok(Form::Ndjson),
        _ => Err(Failure::Usage(format!(
            "--out {}: expected a name that ends in .csv or .ndjson",
            path.display()
        ))),
    }
}

/// A file's name and its bytes; standard input for `-`.
fn open(path: &Path) -> Result<(String, Box<dyn Read + Send>), Failure> {
    if path == Path::new("-") {
        return Ok(("stdin".to_owned(), Box::new(io::stdin())));
    }
    if path.extension().is_some_and(|ending| ending == "parquet") {
        return parquet(path);
    }
    let file = File::open(path)
        .map_err(|error| InputError::unreadable(&path.display().to_string(), &error.to_string()))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok((name, Box::new(file)))
}

#[cfg(feature = "parquet")]
fn parquet(path: &Path) -> Result<(String, Box<dyn Read + Send>), Failure> {
    let table = sts_harness::verify::ParquetTable::open(path)?;
    Ok((path.display().to_string(), Box::new(table)))
}

#[cfg(not(feature = "parquet"))]
fn parquet(path: &Path) -> Result<(String, Box<dyn Read + Send>), Failure> {
    let problem = "this build has no Parquet (feature `parquet`)";
    Err(InputError::other(&path.display().to_string(), problem).into())
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
        out.rejected(row, header);
    }
    let beside = if input == Path::new("-") {
        Path::new("stdin.rejects.csv").to_owned()
    } else {
        input.with_extension("rejects.csv")
    };
    let path = to.map_or(beside, Path::to_owned);
    let failed = |error: io::Error| Failure::in_file(&path, &error);
    let file = File::create(&path).map_err(failed)?;
    sts_harness::table::write_rejects(file, header, rejected)
        .map_err(|error| failed(error.into()))?;
    out.warning(format_args!(
        "{} rows were not taken; they are in {} with their reasons",
        rejected.len(),
        path.display()
    ));
    Ok(Exit::Input)
}
