//! Tables in Parquet: flat ones column by column, some rows at a time; where columns lie within columns,
//! row by row, and those are given as one text.

mod pages;

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, TimestampType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::ColumnDescPtr;

use self::pages::Checked;
use super::sheet::number_text;
use super::source::{Each, Flow, RawRow, open_file};
use crate::input::{InputError, Place};

/// One group of rows, unpacked, in bytes: a page of it is held.
const LARGEST: i64 = 4 << 30;
/// Rows that are read at once.
const BATCH: usize = 256;

/// Gives every row, numbered from 1.
pub(super) fn for_each(
    path: &Path,
    names: &mut Vec<String>,
    each: Each<'_>,
) -> Result<(), InputError> {
    let name = path.display().to_string();
    let fail = |row: u64, error: &dyn std::fmt::Display| {
        let place = if row == 0 { Place::file(&name) } else { Place::line(&name, row) };
        InputError::new(
            place,
            format!("cannot be read as Parquet ({error}), expected a whole file"),
        )
    };
    let file = SerializedFileReader::new(open_file(path)?).map_err(|error| fail(0, &error))?;
    let reader = Checked(file);
    let metadata = reader.metadata();
    if metadata.row_groups().iter().any(|group| group.total_byte_size() > LARGEST) {
        let problem = format!("a group of rows unpacks to more than {LARGEST} bytes: not opened");
        return Err(InputError::other(&name, &problem));
    }
    let schema = metadata.file_metadata().schema_descr_ptr();
    let columns = schema.root_schema().get_fields();
    let times: Vec<Option<TimestampType>> = columns
        .iter()
        .map(|column| match column.get_basic_info().logical_type_ref() {
            Some(LogicalType::Timestamp(time)) => Some(time.clone()),
            _ => None,
        })
        .collect();
    names.extend(columns.iter().map(|column| column.name().to_owned()));
    if columns.is_empty() {
        return Err(InputError::other(&name, "holds no column, expected some"));
    }
    let is_flat = schema
        .columns()
        .iter()
        .all(|column| column.path().parts().len() == 1 && column.max_rep_level() == 0);
    if !is_flat {
        let rows = reader.get_row_iter(None).map_err(|error| fail(0, &error))?;
        for (row, line) in rows.zip(1..) {
            let columns = row.map_err(|error| fail(line, &error))?.into_columns();
            let cells = columns.into_iter().zip(&times);
            let cells = cells.map(|((_, value), time)| text(value, time.as_ref())).collect();
            if each(RawRow { line, cells, ..RawRow::default() }) == Flow::Stop {
                break;
            }
        }
        return Ok(());
    }
    let mut line = 0;
    for group in 0..reader.num_row_groups() {
        let mut group = reader
            .get_row_group(group)
            .and_then(|group| Group::new(&*group, &times))
            .map_err(|error| fail(line + 1, &error))?;
        while group.left > 0 {
            let batch = group.next().map_err(|error| fail(line + 1, &error))?;
            let rows = batch.first().map_or(0, Vec::len);
            let mut columns: Vec<_> = batch.into_iter().map(Vec::into_iter).collect();
            for _ in 0..rows {
                let cells = columns.iter_mut().map(|column| column.next().unwrap_or_default());
                let cells = cells.collect();
                line += 1;
                if each(RawRow { line, cells, ..RawRow::default() }) == Flow::Stop {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// A group of rows that is being read.
struct Group<'a> {
    columns: Vec<(ColumnReader, ColumnDescPtr, Option<&'a TimestampType>)>,
    /// Rows not yet read.
    left: usize,
}

impl<'a> Group<'a> {
    fn new(
        group: &dyn RowGroupReader,
        times: &'a [Option<TimestampType>],
    ) -> Result<Self, ParquetError> {
        let about = group.metadata();
        let left = usize::try_from(about.num_rows())
            .map_err(|error| ParquetError::General(error.to_string()))?;
        let columns = times.iter().enumerate().map(|(place, time)| {
            Ok((
                group.get_column_reader(place)?,
                about.column(place).column_descr_ptr(),
                time.as_ref(),
            ))
        });
        Ok(Self { columns: columns.collect::<Result<_, ParquetError>>()?, left })
    }

    /// The next rows, column by column.
    fn next(&mut self) -> Result<Vec<Vec<String>>, ParquetError> {
        let rows = self.left.min(BATCH);
        self.left -= rows;
        let read = |(reader, about, time): &mut (ColumnReader, ColumnDescPtr, _)| {
            let about = &*about;
            macro_rules! cells {
                ($reader:expr, $convert:expr) => {
                    cells($reader, about, rows, |value| Ok(text($convert(about, value), *time)))
                };
            }
            match reader {
                ColumnReader::BoolColumnReader(it) => cells!(it, Field::convert_bool),
                ColumnReader::Int32ColumnReader(it) => cells!(it, Field::convert_int32),
                ColumnReader::Int64ColumnReader(it) => cells!(it, Field::convert_int64),
                ColumnReader::Int96ColumnReader(it) => cells!(it, Field::convert_int96),
                ColumnReader::FloatColumnReader(it) => cells!(it, Field::convert_float),
                ColumnReader::DoubleColumnReader(it) => cells!(it, Field::convert_double),
                ColumnReader::ByteArrayColumnReader(it)
                    if about.converted_type() == ConvertedType::UTF8 =>
                {
                    cells(it, about, rows, |value| Ok(value.as_utf8()?.to_owned()))
                }
                ColumnReader::ByteArrayColumnReader(it) => cells(it, about, rows, |value| {
                    Ok(text(Field::convert_byte_array(about, value)?, *time))
                }),
                ColumnReader::FixedLenByteArrayColumnReader(it) => {
                    cells(it, about, rows, |value| {
                        Ok(text(Field::convert_byte_array(about, value.into())?, *time))
                    })
                }
            }
        };
        self.columns.iter_mut().map(read).collect()
    }
}

/// The next values of a column as text; empty where there is none.
fn cells<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    about: &ColumnDescPtr,
    rows: usize,
    text: impl Fn(T::T) -> Result<String, ParquetError>,
) -> Result<Vec<String>, ParquetError> {
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::new());
    let (read, ..) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    if read < rows {
        let problem = format!("column {:?} has fewer values than there are rows", about.name());
        return Err(ParquetError::General(problem));
    }
    let mut values = values.into_iter();
    let most = about.max_def_level();
    if most == 0 {
        return values.map(text).collect();
    }
    let there = |level: &i16| if *level == most { values.next().map(&text) } else { None };
    levels.iter().map(there).map(|cell| cell.unwrap_or_else(|| Ok(String::new()))).collect()
}

fn text(value: Field, time: Option<&TimestampType>) -> String {
    let nanoseconds = |number: i64, step: i128| instant(i128::from(number) * step, time);
    match (value, time) {
        (Field::Null, _) => String::new(),
        (Field::Str(text), _) => text,
        (Field::Bytes(bytes), _) => String::from_utf8_lossy(bytes.data()).into_owned(),
        (Field::Double(number), _) => number_text(number),
        (Field::TimestampMillis(number), _) => nanoseconds(number, 1_000_000),
        (Field::TimestampMicros(number), _) => nanoseconds(number, 1_000),
        (Field::Long(number), Some(TimestampType { unit: TimeUnit::NANOS, .. })) => {
            nanoseconds(number, 1)
        }
        (Field::Date(days), _) => {
            let span = jiff::Span::new().try_days(days);
            let day = span.and_then(|span| Date::constant(1970, 1, 1).checked_add(span));
            day.map_or_else(|_| days.to_string(), |day| day.to_string())
        }
        (other, _) => other.to_string(),
    }
}

/// A time with `Z`, or without where the file says that it is local.
fn instant(nanoseconds: i128, time: Option<&TimestampType>) -> String {
    let Ok(instant) = Timestamp::from_nanosecond(nanoseconds) else {
        return nanoseconds.to_string();
    };
    let text = instant.to_string();
    match time {
        Some(time) if !time.is_adjusted_to_u_t_c => text.trim_end_matches('Z').to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    #[test]
    fn rows_come_as_text_and_local_times_without_a_zone() {
        let path = std::env::temp_dir().join(format!("sts-{}.parquet", std::process::id()));
        let schema = "message sales {
            REQUIRED BYTE_ARRAY token (STRING);
            REQUIRED INT64 sold (TIMESTAMP(MICROS,false));
            REQUIRED INT64 keyed (TIMESTAMP(NANOS,true));
            REQUIRED DOUBLE units;
        }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let file = std::fs::File::create(&path).unwrap();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let second = 1_730_448_000_i64;
        let mut column = group.next_column().unwrap().unwrap();
        let token = ByteArray::from("69422342762654887585");
        column.typed::<ByteArrayType>().write_batch(&[token], None, None).unwrap();
        column.close().unwrap();
        for step in [1_000_000, 1_000_000_000] {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(&[second * step], None, None).unwrap();
            column.close().unwrap();
        }
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[45.3], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();

        let (mut names, mut rows) = (Vec::new(), Vec::new());
        let mut take = |row: RawRow| {
            rows.push(row.cells);
            Flow::On
        };
        for_each(&path, &mut names, &mut take).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let cut = for_each(&path, &mut Vec::new(), &mut |_| Flow::On).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(names, ["token", "sold", "keyed", "units"]);
        let expected =
            ["69422342762654887585", "2024-11-01T08:00:00", "2024-11-01T08:00:00Z", "45.3"];
        assert_eq!(rows, [expected]);
        assert!(cut.to_string().contains("expected a whole file"), "{cut}");
    }

    #[test]
    fn columns_within_columns_are_one_text() {
        let path = std::env::temp_dir().join(format!("sts-nested-{}.parquet", std::process::id()));
        let schema = "message sales { OPTIONAL group meter { REQUIRED INT32 krn; } }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let file = std::fs::File::create(&path).unwrap();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&[1, 2], Some(&[1, 0, 1]), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        let mut rows = Vec::new();
        let mut take = |row: RawRow| {
            rows.push(row.cells.concat());
            Flow::On
        };
        for_each(&path, &mut Vec::new(), &mut take).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(rows, ["{krn: 1}", "", "{krn: 2}"]);
    }
}
