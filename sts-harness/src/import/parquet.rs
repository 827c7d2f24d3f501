//! Tables in Parquet, row by row; columns within columns are given as one text.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use parquet::basic::{LogicalType, TimeUnit, TimestampType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::sheet::number_text;
use super::source::{Each, Flow, RawRow, open_file};
use crate::input::{InputError, Place};

/// One group of rows, unpacked, in bytes: a page of it is held.
const LARGEST: i64 = 4 << 30;

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
    let reader = SerializedFileReader::new(open_file(path)?).map_err(|error| fail(0, &error))?;
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
    let rows = reader.get_row_iter(None).map_err(|error| fail(0, &error))?;
    for (line, row) in (1..).zip(rows) {
        let row = row.map_err(|error| fail(line, &error))?;
        let cells = row.get_column_iter().zip(&times);
        let cells = cells.map(|((_, value), time)| text(value, time.as_ref())).collect();
        if each(RawRow { line, cells, ..RawRow::default() }) == Flow::Stop {
            break;
        }
    }
    Ok(())
}

fn text(value: &Field, time: Option<&TimestampType>) -> String {
    let nanoseconds = |number: i64, step: i128| instant(i128::from(number) * step, time);
    match (value, time) {
        (Field::Null, _) => String::new(),
        (Field::Str(text), _) => text.clone(),
        (Field::Bytes(bytes), _) => String::from_utf8_lossy(bytes.data()).into_owned(),
        (Field::Double(number), _) => number_text(*number),
        (Field::TimestampMillis(number), _) => nanoseconds(*number, 1_000_000),
        (Field::TimestampMicros(number), _) => nanoseconds(*number, 1_000),
        (Field::Long(number), Some(TimestampType { unit: TimeUnit::NANOS, .. })) => {
            nanoseconds(*number, 1)
        }
        (Field::Date(days), _) => {
            let span = jiff::Span::new().try_days(*days);
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

    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
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
}
