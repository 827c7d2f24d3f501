//! Sessions, and files as their tables.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::FunctionRegistry;
use datafusion::prelude::{CsvReadOptions, ParquetReadOptions, SessionConfig, SessionContext};

use super::functions::{scalar_functions, window_functions};
use super::holders::Holders;

/// A session on this machine, with the functions; on so many threads, or as many as there are cores.
///
/// # Errors
///
/// [`DataFusionError`] where a function cannot be registered.
pub fn session(holders: &Holders, threads: Option<usize>) -> Result<SessionContext> {
    let mut settings = SessionConfig::new().with_information_schema(true);
    if let Some(threads) = threads {
        settings = settings.with_target_partitions(threads);
    }
    let context = SessionContext::new_with_config(settings);
    register(&mut *context.state_ref().write(), holders)?;
    Ok(context)
}

/// Adds the functions to what has others.
///
/// # Errors
///
/// [`DataFusionError`] where one cannot be added.
pub fn register(registry: &mut dyn FunctionRegistry, holders: &Holders) -> Result<()> {
    for function in scalar_functions(holders) {
        registry.register_udf(function)?;
    }
    for function in window_functions(holders) {
        registry.register_udwf(function)?;
    }
    Ok(())
}

/// The name of a file's table: the file's own, without its ending.
///
/// # Errors
///
/// [`DataFusionError`] for a path without a name.
pub fn table_name(path: &Path) -> Result<String> {
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some(stem) => Ok(stem.to_owned()),
        None => exec_err!("{}: has no name, expected a file", path.display()),
    }
}

/// Makes a file a table: Parquet with its own types, CSV (`,`, `;` or tabs, a header) as text
/// throughout, so that numbers of tokens and meters keep their zeros.
///
/// # Errors
///
/// [`DataFusionError`]: no such file, another form, a header that is no text.
pub async fn open(context: &SessionContext, name: &str, path: &Path) -> Result<()> {
    let text = path.display().to_string();
    if !path.exists() {
        return exec_err!("{text}: cannot be read: there is no such file");
    }
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => {
            context.register_parquet(name, &text, ParquetReadOptions::default()).await
        }
        Some(ending @ ("csv" | "tsv")) => {
            let (delimiter, schema) = header(path)?;
            let options = CsvReadOptions::new()
                .has_header(true)
                .delimiter(delimiter)
                .newlines_in_values(true)
                .schema(&schema)
                .file_extension(ending);
            context.register_csv(name, &text, options).await
        }
        _ if path.is_dir() => {
            context.register_parquet(name, &text, ParquetReadOptions::default()).await
        }
        _ => exec_err!(
            "{text}: expected a name that ends in .parquet, .csv or .tsv, or a folder of \
                        Parquet files"
        ),
    }
}

/// A header longer than this is none.
const LONGEST_HEADER: u64 = 1 << 20;

/// What stands between fields, and the columns, all of them text.
fn header(path: &Path) -> Result<(u8, Schema)> {
    let failed = |problem: &dyn std::fmt::Display| {
        DataFusionError::Execution(format!("{}: {problem}", path.display()))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST_HEADER))
        .read_until(b'\n', &mut line)
        .map_err(|error| failed(&error))?;
    let line = String::from_utf8(line)
        .map_err(|_| failed(&"the first line is no UTF-8, expected the names of the columns"))?;
    let line = line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    let count = |delimiter: &char| line.matches(*delimiter).count();
    let delimiter = [',', ';', '\t'].into_iter().rev().max_by_key(count).unwrap_or(',');
    let names = line.split(delimiter).map(|name| name.trim().trim_matches('"'));
    let fields: Vec<Field> = names.map(|name| Field::new(name, DataType::Utf8, true)).collect();
    if fields.iter().any(|field| field.name().is_empty()) {
        return Err(failed(&"the first line has an empty name, expected the names of the columns"));
    }
    let delimiter = u8::try_from(delimiter).unwrap_or(b',');
    Ok((delimiter, Schema::new(fields)))
}
