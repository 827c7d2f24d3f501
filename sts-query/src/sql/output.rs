//! Answers into files and onto screens.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use futures::StreamExt;

/// Rows that are shown on a screen.
const SHOWN: usize = 40;

/// A form that answers are written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// A table for people, of the first rows.
    Text,
    /// A line each, with the columns' names above.
    Csv,
    /// One array of objects.
    Json,
    /// An object a line.
    Ndjson,
    /// Columns with types.
    Parquet,
}

impl Form {
    /// The form that a file's name ends in.
    ///
    /// # Errors
    ///
    /// [`DataFusionError`]: another.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            Some("ndjson") => Ok(Self::Ndjson),
            Some("parquet") => Ok(Self::Parquet),
            _ => exec_err!(
                "{}: expected a name that ends in .parquet, .csv, .json or .ndjson",
                path.display()
            ),
        }
    }
}

/// Writes answers to a file, which has its name only once it is whole. Says how many rows.
///
/// # Errors
///
/// [`DataFusionError`]: of the query, or of the file.
pub async fn to_file(answers: SendableRecordBatchStream, path: &Path) -> Result<u64> {
    let form = Form::of(path)?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let failed = |error: std::io::Error| {
        DataFusionError::Execution(format!("{}: cannot be written: {error}", path.display()))
    };
    let file = BufWriter::new(File::create(&part).map_err(failed)?);
    let written = to(answers, form, file).await;
    match written {
        Ok(rows) => {
            std::fs::rename(&part, path).map_err(failed)?;
            Ok(rows)
        }
        Err(error) => {
            // What is wrong is said; that a part is left over would say less.
            let _ = std::fs::remove_file(&part);
            Err(error)
        }
    }
}

/// Writes answers, and says how many rows.
///
/// # Errors
///
/// [`DataFusionError`]: of the query, or of writing.
pub async fn to(
    mut answers: SendableRecordBatchStream,
    form: Form,
    mut to: impl Write + Send,
) -> Result<u64> {
    let mut sink = Sink::new(form, answers.schema(), &mut to)?;
    let mut rows = 0;
    while let Some(batch) = answers.next().await {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        sink.put(&batch)?;
    }
    sink.finish(rows)?;
    to.flush()?;
    Ok(rows)
}

enum Sink<W: Write + Send> {
    Text { to: W, shown: Vec<RecordBatch>, left: usize },
    Csv(Box<arrow::csv::Writer<W>>),
    Json(arrow::json::ArrayWriter<W>),
    Ndjson(arrow::json::LineDelimitedWriter<W>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> Sink<W> {
    fn new(form: Form, schema: SchemaRef, to: W) -> Result<Self> {
        Ok(match form {
            Form::Text => {
                Self::Text { to, shown: vec![RecordBatch::new_empty(schema)], left: SHOWN }
            }
            Form::Csv => Self::Csv(Box::new(arrow::csv::Writer::new(to))),
            Form::Json => Self::Json(arrow::json::ArrayWriter::new(to)),
            Form::Ndjson => Self::Ndjson(arrow::json::LineDelimitedWriter::new(to)),
            Form::Parquet => {
                let properties =
                    WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                Self::Parquet(Box::new(ArrowWriter::try_new(to, schema, Some(properties))?))
            }
        })
    }

    fn put(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Text { shown, left, .. } => {
                let rows = batch.num_rows().min(*left);
                if rows > 0 {
                    shown.push(batch.slice(0, rows));
                    *left -= rows;
                }
            }
            Self::Csv(to) => to.write(&flat(batch)?)?,
            Self::Json(to) => to.write(batch)?,
            Self::Ndjson(to) => to.write(batch)?,
            Self::Parquet(to) => to.write(batch)?,
        }
        Ok(())
    }

    fn finish(self, rows: u64) -> Result<()> {
        match self {
            Self::Text { mut to, shown, .. } => {
                writeln!(to, "{}", pretty_format_batches(&shown)?)?;
                let more = rows.saturating_sub(SHOWN as u64);
                if more > 0 {
                    writeln!(to, "and {more} more rows: --out FILE or --format ndjson has all")?;
                }
            }
            Self::Csv(_) => {}
            Self::Json(mut to) => to.finish()?,
            Self::Ndjson(mut to) => to.finish()?,
            Self::Parquet(to) => {
                to.close()?;
            }
        }
        Ok(())
    }
}

/// A struct in a column as columns: CSV has no structs.
fn flat(batch: &RecordBatch) -> Result<RecordBatch> {
    let is_struct = |field: &arrow::datatypes::FieldRef| field.data_type().is_nested();
    if batch.schema_ref().fields().iter().any(is_struct) {
        return Ok(batch.normalize(".", None)?);
    }
    Ok(batch.clone())
}
