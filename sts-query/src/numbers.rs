//! What can be said of numbers without a key: meters, TIDs, times.

use arrow::array::{
    Array, ArrayRef, AsArray, StringArray, TimestampMicrosecondArray, TimestampSecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use sts_core::{BaseDate, TokenId};
use sts_harness::describe::TidReading;
use sts_harness::records::meter_pan;

use crate::columns::{ColumnError, Text};

/// The zone of every time that is given.
pub const UTC: &str = "+00:00";

/// A meter's 18 digits from any of its numbers: 18 digits, or a DRN of 11 or 13. Null where a check
/// digit is wrong; [`meter_problem`] tells why.
///
/// # Errors
///
/// [`ColumnError`] for a column that is no text.
pub fn meter(numbers: &dyn Array) -> Result<StringArray, ColumnError> {
    each(numbers, |number| Some(meter_pan(number).ok()?.as_str().to_owned()))
}

/// What is wrong with a meter's number; null where nothing is.
///
/// # Errors
///
/// [`ColumnError`] for a column that is no text.
pub fn meter_problem(numbers: &dyn Array) -> Result<StringArray, ColumnError> {
    each(numbers, |number| meter_pan(number).err())
}

fn each(
    numbers: &dyn Array,
    say: impl Fn(&str) -> Option<String>,
) -> Result<StringArray, ColumnError> {
    let text = Text::of("meter", numbers)?;
    Ok((0..numbers.len()).map(|row| say(text.get(row)?.trim())).collect())
}

/// When a token was made, to the minute, from its TID and the base date's year (1993, 2014, 2035).
/// Null where the TID has more than 24 bits, or there is no such base date.
///
/// # Errors
///
/// [`ColumnError`] for columns that are no whole numbers, or not of the same length.
pub fn tid_time(
    tids: &dyn Array,
    base_dates: &dyn Array,
) -> Result<TimestampSecondArray, ColumnError> {
    let tids = whole("tid", tids, &DataType::Int64)?;
    let base_dates = whole("base_date", base_dates, &DataType::Int32)?;
    if base_dates.len() != tids.len() {
        let (found, expected) = (base_dates.len(), tids.len());
        let problem = format!("has {found} rows, expected {expected} as there are TIDs");
        return Err(ColumnError::new("base_date", problem));
    }
    let (tids, base_dates) =
        (tids.as_primitive::<Int64Type>(), base_dates.as_primitive::<Int32Type>());
    let times = tids.iter().zip(base_dates).map(|(tid, base_date): (_, Option<i32>)| {
        let tid = TokenId::new(u32::try_from(tid?).ok()?).ok()?;
        let base_date = BaseDate::from_year(u16::try_from(base_date?).ok()?)?;
        Some(TidReading::new(Some(base_date), None).unix_minutes(tid)? * 60)
    });
    Ok(times.collect::<TimestampSecondArray>().with_timezone(UTC))
}

fn whole(name: &str, array: &dyn Array, as_type: &DataType) -> Result<ArrayRef, ColumnError> {
    if !array.data_type().is_integer() {
        let found = array.data_type();
        return Err(ColumnError::new(name, format!("is {found}, expected whole numbers")));
    }
    cast(array, as_type).map_err(|error| ColumnError::new(name, error.to_string()))
}

/// A time from text, as the files of `sts` have it: it must state its zone. Null where it is none.
///
/// # Errors
///
/// [`ColumnError`] for a column that is no text, and no time with a zone.
pub fn time(texts: &dyn Array) -> Result<TimestampMicrosecondArray, ColumnError> {
    let text = Text::of("time", texts)?;
    let times = (0..texts.len())
        .map(|row| Some(sts_harness::time::parse(text.get(row)?.trim()).ok()?.as_microsecond()));
    Ok(times.collect::<TimestampMicrosecondArray>().with_timezone(UTC))
}
