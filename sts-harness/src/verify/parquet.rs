//! A table in Parquet, read as the CSV that it would be.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use parquet::basic::ConvertedType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::input::InputError;

/// Rows that are read at once.
const BATCH: usize = 1024;

/// A flat table of text columns in Parquet; its bytes are those of a CSV file with the same rows.
#[expect(missing_debug_implementations, reason = "readers have none")]
pub struct ParquetTable {
    reader: SerializedFileReader<File>,
    /// The next group of rows.
    group: usize,
    columns: Vec<Column>,
    /// Rows left in the group.
    left: usize,
    /// Lines that are read, and how many of their bytes have been given.
    lines: Vec<u8>,
    given: usize,
}

struct Column {
    reader: ColumnReaderImpl<ByteArrayType>,
    /// The definition level of a value that is there.
    there: i16,
    levels: Vec<i16>,
    values: Vec<ByteArray>,
}

impl ParquetTable {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`InputError`]: unreadable, no Parquet, or with a column that is not flat text, as which
    /// numbers of tokens and meters keep their zeros.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let name = path.display().to_string();
        let unreadable = |error: &dyn ToString| InputError::unreadable(&name, &error.to_string());
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let reader = SerializedFileReader::new(file).map_err(|error| {
            let problem = format!("cannot be read as Parquet ({error}), expected a whole file");
            InputError::other(&name, &problem)
        })?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let mut lines = Vec::new();
        for column in schema.columns() {
            let is_text = column.converted_type() == ConvertedType::UTF8;
            if !is_text || column.path().parts().len() > 1 || column.max_rep_level() > 0 {
                let problem = format!(
                    "column {} is no text, expected columns of text: as a number it has lost \
                     zeros (`sts import` takes other tables)",
                    column.path()
                );
                return Err(InputError::other(&name, &problem));
            }
            put(column.name().as_bytes(), &mut lines);
        }
        end_line(&mut lines);
        Ok(Self { reader, group: 0, columns: Vec::new(), left: 0, lines, given: 0 })
    }

    /// Reads the next lines; `false` at the end.
    fn fill(&mut self) -> parquet::errors::Result<bool> {
        while self.left == 0 {
            if self.group == self.reader.num_row_groups() {
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.group)?;
            self.group += 1;
            self.left = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
            self.columns = columns(&*group)?;
        }
        let rows = self.left.min(BATCH);
        self.left -= rows;
        for column in &mut self.columns {
            column.levels.clear();
            column.values.clear();
            let (read, ..) = column.reader.read_records(
                rows,
                Some(&mut column.levels),
                None,
                &mut column.values,
            )?;
            if read < rows {
                let problem = "a column has fewer values than there are rows";
                return Err(parquet::errors::ParquetError::General(problem.to_owned()));
            }
        }
        self.lines.clear();
        self.given = 0;
        let mut taken = vec![0; self.columns.len()];
        for row in 0..rows {
            for (column, taken) in self.columns.iter().zip(&mut taken) {
                // A column that must be there has no levels.
                let value = if column.levels.get(row).is_none_or(|level| *level == column.there) {
                    *taken += 1;
                    column.values.get(*taken - 1)
                } else {
                    None
                };
                put(value.map(ByteArray::data).unwrap_or_default(), &mut self.lines);
            }
            end_line(&mut self.lines);
        }
        Ok(true)
    }
}

fn columns(group: &dyn RowGroupReader) -> parquet::errors::Result<Vec<Column>> {
    let column = |place| match group.get_column_reader(place)? {
        ColumnReader::ByteArrayColumnReader(reader) => {
            let there = group.metadata().column(place).column_descr().max_def_level();
            Ok(Column { reader, there, levels: Vec::new(), values: Vec::new() })
        }
        _ => Err(parquet::errors::ParquetError::General("a column is no text".to_owned())),
    };
    (0..group.num_columns()).map(column).collect()
}

/// A field and the comma behind it.
fn put(field: &[u8], lines: &mut Vec<u8>) {
    if field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        lines.push(b'"');
        for byte in field {
            lines.push(*byte);
            if *byte == b'"' {
                lines.push(b'"');
            }
        }
        lines.push(b'"');
    } else {
        lines.extend_from_slice(field);
    }
    lines.push(b',');
}

fn end_line(lines: &mut Vec<u8>) {
    lines.pop();
    lines.push(b'\n');
}

impl Read for ParquetTable {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.lines.len() {
            if !self.fill().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let length = to.len().min(self.lines.len() - self.given);
        to[..length].copy_from_slice(&self.lines[self.given..][..length]);
        self.given += length;
        Ok(length)
    }
}
