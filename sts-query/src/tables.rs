//! Tables with columns by name, as the arrays that [`Functions`](crate::Functions) takes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, NullArray, StringArray, StructArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{Field, FieldRef};
use sts_core::MeterPan;
use sts_harness::records::{EntryRow, MeterRow, meter_named};

use crate::columns::{ColumnError, Table};
use crate::functions::VERIFY_COLUMNS;

/// The columns that say a token and its key, for [`verify`](crate::Functions::verify) and
/// [`decode`](crate::Functions::decode). The table must have `token`, and may have the others of
/// [`VERIFY_COLUMNS`]; the meter is in `meter`, or in `pan`, `drn` and `iin`.
///
/// # Errors
///
/// [`ColumnError`] for a column that is missing or cannot be used.
pub fn verify_columns(rows: &StructArray) -> Result<[ArrayRef; VERIFY_COLUMNS.len()], ColumnError> {
    expect("rows", rows, &[&["token"]])?;
    let silent = || -> ArrayRef { Arc::new(NullArray::new(rows.len())) };
    let mut columns =
        VERIFY_COLUMNS.map(|name| rows.column_by_name(name).map_or_else(silent, Arc::clone));
    if rows.column_by_name("meter").is_none() {
        columns[1] = meter_column(rows)?;
    }
    Ok(columns)
}

/// The meter of each row by the columns `pan`, `drn` and `iin`.
fn meter_column(rows: &StructArray) -> Result<ArrayRef, ColumnError> {
    let table = Table::of(rows, names_meter)?;
    let column = |name| rows.column_by_name(name).map(Arc::clone);
    match (column("pan"), column("drn"), column("iin")) {
        (Some(only), None, _) | (None, Some(only), None) => Ok(only),
        (None, None, _) => Ok(Arc::new(NullArray::new(rows.len()))),
        _ => {
            let meters =
                (0..rows.len()).map(|row| match meter_named(|name| table.get(name, row)) {
                    Ok(pan) => pan.map(|pan| pan.as_str().to_owned()),
                    // What is no meter stays what it is, and its row one that cannot be read.
                    Err(_) => {
                        let numbers = ["pan", "iin", "drn"].map(|name| table.get(name, row));
                        Some(numbers.into_iter().flatten().collect::<Vec<_>>().join("/"))
                    }
                });
            Ok(Arc::new(meters.collect::<StringArray>()))
        }
    }
}

/// Whether a column is one of those that [`meter_named`] reads.
fn names_meter(column: &str) -> bool {
    matches!(column, "pan" | "drn" | "iin")
}

/// The meter of each entry, for [`replay`](crate::Functions::replay) and
/// [`diagnose`](crate::Functions::diagnose): the rows of a table with the columns of `meters.csv`, put
/// beside those of one with the columns of `entries.csv`. Null where `meters` does not have the meter;
/// where it has it twice, the first row counts.
///
/// # Errors
///
/// [`ColumnError`] for a column that is missing or cannot be used.
pub fn meters_of(entries: &StructArray, meters: &StructArray) -> Result<StructArray, ColumnError> {
    expect("entries", entries, EntryRow::required_columns())?;
    expect("meters", meters, MeterRow::required_columns())?;
    let (named, known) = (Table::of(entries, names_meter)?, Table::of(meters, names_meter)?);
    let meter = |table: &Table<'_>, row| meter_named(|name| table.get(name, row)).ok().flatten();
    let mut places: HashMap<MeterPan, u64> = HashMap::with_capacity(meters.len());
    for (row, place) in (0..meters.len()).zip(0..) {
        if let Some(meter) = meter(&known, row) {
            places.entry(meter).or_insert(place);
        }
    }
    let rows: UInt64Array =
        (0..entries.len()).map(|row| places.get(&meter(&named, row)?).copied()).collect();
    let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = (meters.fields().iter())
        .zip(meters.columns())
        .filter(|(field, _)| MeterRow::is_column(field.name()))
        .map(|(field, column)| {
            let column = take(column, &rows, None)
                .map_err(|error| ColumnError::new(field.name(), error.to_string()))?;
            let field: FieldRef =
                Arc::new(Field::new(field.name(), column.data_type().clone(), true));
            Ok((field, column))
        })
        .collect::<Result<Vec<_>, ColumnError>>()?
        .into_iter()
        .unzip();
    Ok(StructArray::new(fields.into(), columns, rows.nulls().cloned()))
}

/// Refuses a table that has no column of a group.
fn expect(name: &str, table: &StructArray, required: &[&[&str]]) -> Result<(), ColumnError> {
    for group in required {
        if !group.iter().any(|column| table.column_by_name(column).is_some()) {
            return Err(ColumnError::new(
                &group.join(" or "),
                format!("is missing from the {name}"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use sts_harness::records::meter_pan;

    use super::*;

    fn table(columns: &[(&str, &[Option<&str>])]) -> StructArray {
        let columns = columns.iter().map(|(name, texts)| {
            let array: ArrayRef = Arc::new(texts.iter().copied().collect::<StringArray>());
            (Arc::new(Field::new(*name, array.data_type().clone(), true)), array)
        });
        StructArray::from(columns.collect::<Vec<_>>())
    }

    const DRN: Option<&str> = Some("01202401012");
    const OTHER: Option<&str> = Some("01202401020");

    #[test]
    fn verify_columns_by_name_absent_are_silent() {
        let rows = table(&[("note", &[None]), ("drn", &[DRN]), ("token", &[Some("1")])]);
        let columns = verify_columns(&rows).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(columns[0].as_string::<i32>().value(0), "1");
        assert_eq!(columns[1].as_string::<i32>().value(0), "01202401012");
        assert!(columns[2..].iter().all(|column| column.data_type().is_null()));
    }

    #[test]
    fn verify_columns_without_token_is_refused() {
        let error = verify_columns(&table(&[("drn", &[DRN])])).err();
        assert_eq!(
            error.map(|error| error.to_string()).as_deref(),
            Some("column token: is missing from the rows")
        );
    }

    #[test]
    fn verify_columns_meter_by_each_of_its_numbers() {
        let pan = meter_pan("01202401012").unwrap_or_else(|error| panic!("{error}"));
        let rows = table(&[
            ("token", &[None; 4]),
            ("pan", &[Some(pan.as_str()), None, None, Some(pan.as_str())]),
            ("drn", &[None, DRN, None, OTHER]),
        ]);
        let columns = verify_columns(&rows).unwrap_or_else(|error| panic!("{error}"));
        let meters: Vec<_> = columns[1].as_string::<i32>().iter().collect();
        assert_eq!(meters[..3], [Some(pan.as_str()), Some(pan.as_str()), None]);
        assert!(meters[3].is_some_and(|numbers| meter_pan(numbers).is_err()), "{meters:?}");
    }

    /// Meters with all columns that they must have, and a place to tell them by.
    fn meters(drn: &[Option<&str>], firmware: &[Option<&str>]) -> StructArray {
        let silent = vec![None; drn.len()];
        table(&[
            ("drn", drn),
            ("ea", &silent),
            ("sgc", &silent),
            ("krn", &silent),
            ("ti", &silent),
            ("kt", &silent),
            ("base_date", &silent),
            ("firmware", firmware),
            ("colour", &silent),
        ])
    }

    #[test]
    fn meters_of_entries_first_counts_unknown_is_null() {
        let pan = meter_pan("01202401020").unwrap_or_else(|error| panic!("{error}"));
        let silent: &[_] = &[None; 4];
        let entries = table(&[
            ("id", silent),
            ("entered_at", silent),
            ("entered", silent),
            ("pan", &[Some(pan.as_str()), None, Some(pan.as_str()), Some("17")]),
        ]);
        let meters = meters(
            &[None, DRN, OTHER, OTHER],
            &[Some("none"), Some("a"), Some("first"), Some("second")],
        );
        let joined = meters_of(&entries, &meters).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            joined.nulls().map(|nulls| nulls.iter().collect()),
            Some(vec![true, false, true, false])
        );
        let firmware = joined.column_by_name("firmware").map(|column| column.as_string::<i32>());
        assert!(
            firmware.is_some_and(|column| column.value(0) == "first" && column.value(2) == "first")
        );
        assert!(joined.column_by_name("colour").is_none());
    }

    #[test]
    fn meters_of_entries_bad_columns_are_named() {
        let none: &[Option<&str>] = &[];
        let (entries, bare) = (table(&[("id", none)]), table(&[("drn", none)]));
        let said =
            |entries, meters| meters_of(entries, meters).err().map(|error| error.to_string());
        let entries_whole =
            table(&[("id", none), ("entered_at", none), ("entered", none), ("drn", none)]);
        assert_eq!(
            said(&entries, &bare).as_deref(),
            Some("column entered_at: is missing from the entries")
        );
        assert_eq!(
            said(&entries_whole, &bare).as_deref(),
            Some("column ea: is missing from the meters")
        );
        let number: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
        let field = Arc::new(Field::new("drn", number.data_type().clone(), true));
        let mut columns = vec![(field, number)];
        columns.extend(["ea", "sgc", "krn", "ti", "kt", "base_date"].map(|name| {
            let array: ArrayRef = Arc::new(StringArray::from(Vec::<&str>::new()));
            (Arc::new(Field::new(name, array.data_type().clone(), true)), array)
        }));
        assert_eq!(said(&entries_whole, &StructArray::from(columns)), None, "empty says nothing");
    }
}
