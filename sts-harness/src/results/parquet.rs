//! Verdicts as Parquet. The file gets its name when it is whole: before that nobody can read it.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::replay::Verdict;
use crate::row_file::WriteError;

/// The columns of [`COLUMNS`](super::COLUMNS), with types.
const SCHEMA: &str = "message verdict {
    required int32 schema;
    required binary id (string);
    optional binary result (string);
    optional int32 result_code;
    optional binary display (string);
    optional binary display_basis (string);
    optional binary reproduced (string);
    optional binary cause (string);
    optional double confidence;
    optional binary causes (json);
    required int64 trials;
    required double expected_chance_matches;
    optional binary evidence (string);
    optional binary action (string);
    optional binary advice (string);
    optional binary reason (string);
    optional binary event (string);
    optional binary error (string);
}";

/// Rows that are written together.
const GROUP: usize = 1 << 16;

/// A file being written.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    part: PathBuf,
    writer: SerializedFileWriter<BufWriter<std::fs::File>>,
    columns: Vec<Column>,
    rows: usize,
}

/// The values of a column: those that are there, and which are.
#[derive(Debug)]
struct Column {
    values: Values,
    there: Vec<i16>,
}

#[derive(Debug)]
enum Values {
    Int(Vec<i32>),
    Long(Vec<i64>),
    Double(Vec<f64>),
    Text(Texts),
}

/// Texts one behind the other, and where each ends.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
    }

    fn into_values(self) -> Vec<ByteArray> {
        let all = ByteArray::from(self.bytes);
        let mut start = 0;
        let value = |end| {
            let value = all.slice(start, end - start);
            start = end;
            value
        };
        self.ends.into_iter().map(value).collect()
    }
}

impl File {
    pub(super) fn create(path: &Path) -> Result<Self, WriteError> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let fail = |error: ParquetError| WriteError::new(path, std::io::Error::other(error));
        let file = std::fs::File::create(&part).map_err(|error| WriteError::new(&part, error))?;
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(fail)?);
        let settings = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let settings = Arc::new(settings.build());
        let writer =
            SerializedFileWriter::new(BufWriter::new(file), schema, settings).map_err(fail)?;
        Ok(Self { path: path.to_owned(), part, writer, columns: columns(), rows: 0 })
    }

    pub(super) fn put(&mut self, verdict: &Verdict) -> Result<(), WriteError> {
        let mut columns = self.columns.iter_mut();
        let mut put = |value: Value<'_>| {
            if let Some(column) = columns.next() {
                column.put(value);
            }
        };
        let (causes, evidence) = (verdict.causes_text(), verdict.evidence_text());
        put(Value::Int(Some(verdict.schema.into())));
        put(Value::Text(Some(&verdict.id)));
        put(Value::Text(verdict.result));
        put(Value::Int(verdict.result_code.map(i32::from)));
        put(Value::Text(verdict.display.as_deref()));
        put(Value::Text(verdict.display_basis));
        put(Value::Text(verdict.reproduced.text()));
        put(Value::Text(verdict.cause));
        put(Value::Double(verdict.confidence));
        put(Value::Text(causes.as_deref()));
        put(Value::Long(verdict.trials.into()));
        put(Value::Double(Some(verdict.expected_chance_matches)));
        put(Value::Text(evidence.as_deref()));
        put(Value::Text(verdict.action));
        put(Value::Text(verdict.advice));
        put(Value::Text(verdict.reason.as_deref()));
        put(Value::Text(verdict.event.as_deref()));
        put(Value::Text(verdict.error.as_deref()));
        self.rows += 1;
        if self.rows == GROUP { self.group() } else { Ok(()) }
    }

    fn group(&mut self) -> Result<(), WriteError> {
        self.rows = 0;
        let columns = std::mem::replace(&mut self.columns, columns());
        write_group(&mut self.writer, columns)
            .map_err(|error| WriteError::new(&self.path, std::io::Error::other(error)))
    }

    pub(super) fn finish(mut self) -> Result<PathBuf, WriteError> {
        if self.rows > 0 {
            self.group()?;
        }
        let Self { path, part, writer, .. } = self;
        let done = writer.into_inner().map_err(std::io::Error::other).and_then(|file| {
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.sync_all()?;
            std::fs::rename(&part, &path)
        });
        done.map_err(|error| WriteError::new(&path, error))?;
        Ok(path)
    }
}

enum Value<'a> {
    Int(Option<i32>),
    Long(i64),
    Double(Option<f64>),
    Text(Option<&'a str>),
}

impl Column {
    fn put(&mut self, value: Value<'_>) {
        let there = match value {
            Value::Int(value) => value.is_some(),
            Value::Long(_) => true,
            Value::Double(value) => value.is_some(),
            Value::Text(value) => value.is_some(),
        };
        self.there.push(there.into());
        match (&mut self.values, value) {
            (Values::Int(to), Value::Int(value)) => to.extend(value),
            (Values::Long(to), Value::Long(value)) => to.push(value),
            (Values::Double(to), Value::Double(value)) => to.extend(value),
            (Values::Text(to), Value::Text(Some(value))) => to.push(value),
            _ => {}
        }
    }
}

fn columns() -> Vec<Column> {
    let text = || Values::Text(Texts::default());
    let (int, double) = (|| Values::Int(Vec::new()), || Values::Double(Vec::new()));
    let values = [
        int(),
        text(),
        text(),
        int(),
        text(),
        text(),
        text(),
        text(),
        double(),
        text(),
        Values::Long(Vec::new()),
        double(),
        text(),
        text(),
        text(),
        text(),
        text(),
        text(),
    ];
    values.into_iter().map(|values| Column { values, there: Vec::new() }).collect()
}

fn write_group(
    writer: &mut SerializedFileWriter<BufWriter<std::fs::File>>,
    columns: Vec<Column>,
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let Some(mut to) = group.next_column()? else { break };
        let levels = Some(column.there.as_slice());
        match column.values {
            Values::Int(values) => to.typed::<Int32Type>().write_batch(&values, levels, None)?,
            Values::Long(values) => to.typed::<Int64Type>().write_batch(&values, levels, None)?,
            Values::Double(values) => {
                to.typed::<DoubleType>().write_batch(&values, levels, None)?
            }
            Values::Text(texts) => {
                to.typed::<ByteArrayType>().write_batch(&texts.into_values(), levels, None)?
            }
        };
        to.close()?;
    }
    group.close().map(|_| ())
}
