//! Columns as text, whatever Arrow type they come in.

use arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields};

/// A column that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ColumnError {
    /// The column's name.
    pub column: String,
    /// What was found and expected.
    pub problem: String,
}

impl std::fmt::Display for ColumnError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {}: {}", self.column, self.problem)
    }
}

impl std::error::Error for ColumnError {}

impl ColumnError {
    pub(crate) fn new(column: &str, problem: impl Into<String>) -> Self {
        Self { column: column.to_owned(), problem: problem.into() }
    }
}

/// Columns whose zeros count, and that are lost as a number.
const NUMBERS_OF_DIGITS: [&str; 8] =
    ["token", "entered", "meter", "pan", "drn", "iin", "sgc", "to_sgc"];

/// The text of a column.
pub(crate) enum Text<'a> {
    View(&'a StringViewArray),
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    /// From another type; short integers have two digits where that is how they are written.
    Made(StringArray, Digits),
    /// No row says anything.
    Silent,
}

/// How many digits a number is written with at least.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Digits {
    Any,
    Two,
}

impl<'a> Text<'a> {
    /// The text of a column of this name.
    pub(crate) fn of(name: &str, array: &'a dyn Array) -> Result<Self, ColumnError> {
        let found = array.data_type();
        let made = |digits| {
            let text = cast(array, &DataType::Utf8)
                .map_err(|error| ColumnError::new(name, error.to_string()))?;
            Ok(Self::Made(text.as_string().clone(), digits))
        };
        match found {
            DataType::Utf8View => Ok(Self::View(array.as_string_view())),
            DataType::Utf8 => Ok(Self::Utf8(array.as_string())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string())),
            DataType::Null => Ok(Self::Silent),
            DataType::Dictionary(_, value) if value.is_string() => made(Digits::Any),
            _ if array.null_count() == array.len() => Ok(Self::Silent),
            _ if found.is_numeric() && NUMBERS_OF_DIGITS.contains(&name) => Err(ColumnError::new(
                name,
                format!("is {found}, expected text: as a number it has lost its zeros"),
            )),
            _ if found.is_floating() && !matches!(name, "quantity" | "paid") => {
                Err(ColumnError::new(name, format!("is {found}, expected text or whole numbers")))
            }
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
                Err(ColumnError::new(
                    name,
                    format!("is {found} without a zone, expected a time with one, or text"),
                ))
            }
            _ if found.is_integer() && matches!(name, "ea" | "ti") => made(Digits::Two),
            _ if found.is_primitive() || *found == DataType::Boolean => made(Digits::Any),
            _ => Err(ColumnError::new(name, format!("is {found}, expected text"))),
        }
    }

    /// The text of a row; `None` where it says nothing.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Utf8(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Made(array, digits) => array.is_valid(row).then(|| {
                let text = array.value(row);
                if *digits == Digits::Two { two_digits(text) } else { text }
            }),
            Self::Silent => None,
        }
    }

    /// The same, nothing as an empty text.
    pub(crate) fn or_empty(&self, row: usize) -> &str {
        self.get(row).unwrap_or_default()
    }
}

/// A number from 0 to 9 with its zero in front.
fn two_digits(text: &str) -> &str {
    const WITH_ZERO: [&str; 10] = ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09"];
    match text.as_bytes() {
        [digit @ b'0'..=b'9'] => WITH_ZERO[usize::from(digit - b'0')],
        _ => text,
    }
}

/// The columns of a table of rows, by name.
pub(crate) struct Table<'a> {
    columns: Vec<(&'a str, Text<'a>)>,
    rows: &'a StructArray,
}

impl<'a> Table<'a> {
    /// The columns that are known; others are passed over.
    pub(crate) fn of(
        rows: &'a StructArray,
        known: impl Fn(&str) -> bool,
    ) -> Result<Self, ColumnError> {
        let fields: &Fields = rows.fields();
        let columns = fields.iter().zip(rows.columns()).filter(|(field, _)| known(field.name()));
        let columns = columns
            .map(|(field, array): (_, &ArrayRef)| {
                Ok((field.name().as_str(), Text::of(field.name(), array)?))
            })
            .collect::<Result<_, ColumnError>>()?;
        Ok(Self { columns, rows })
    }

    /// Whether a row is there at all.
    pub(crate) fn is_there(&self, row: usize) -> bool {
        self.rows.is_valid(row)
    }

    /// The text of a row in a column; `None` where there is no such column, or it says nothing.
    pub(crate) fn get(&self, name: &str, row: usize) -> Option<&str> {
        let (_, text) = self.columns.iter().find(|(column, _)| *column == name)?;
        text.get(row)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array, TimestampSecondArray};

    use super::*;

    #[test]
    fn number_of_digits_as_a_number_is_refused() {
        let array = Int64Array::from(vec![12]);
        assert!(Text::of("token", &array).is_err_and(|error| error.problem.contains("zeros")));
        assert!(Text::of("krn", &array).is_ok_and(|text| text.get(0) == Some("12")));
        let array = Int64Array::from(vec![7]);
        assert!(Text::of("ea", &array).is_ok_and(|text| text.get(0) == Some("07")));
        assert!(Text::of("krn", &array).is_ok_and(|text| text.get(0) == Some("7")));
        let array = Float64Array::from(vec![1.0]);
        assert!(Text::of("krn", &array).is_err_and(|error| error.problem.contains("whole")));
        assert!(Text::of("quantity", &array).is_ok_and(|text| text.get(0) == Some("1.0")));
    }

    #[test]
    fn time_without_zone_is_refused() {
        let array = TimestampSecondArray::from(vec![0]);
        assert!(Text::of("entered_at", &array).is_err());
        let array = array.with_timezone("UTC");
        let text = Text::of("entered_at", &array);
        assert!(text.is_ok_and(|text| text.get(0) == Some("1970-01-01T00:00:00Z")));
    }
}
