//! Exports in: whatever a vending system or a spreadsheet writes, as the files of a case.
//!
//! CSV and its kin in any usual encoding, JSON, XLSX and logged `XMLVend` messages become
//! `entries.csv` and, where they tell the meters' settings, `meters.csv`. What is read is streamed,
//! so that memory does not grow with the files, but for a few bytes a meter. What was understood is
//! in a [`Report`]; what could not be taken is in `rejects.csv`, row by row, with the reason.

mod cells;
mod columns;
mod convert;
mod dates;
mod delimited;
mod infer;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod plan;
mod run;
mod sheet;
mod source;
mod text;
mod xmlvend;

use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use serde::{Serialize, Serializer};

use crate::input::InputError;
use crate::keys::KeyRing;
use crate::time::Zone;

pub use crate::row_file::WriteError;
pub use cells::{Damage, DecimalMark};
pub use columns::{Field, Mapped};
pub use dates::DateOrder;

/// A value for a field that no column gives, or that a row leaves empty.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Constant {
    /// The field.
    pub field: Field,
    /// Its value, as it would stand in a column.
    pub value: String,
}

impl Constant {
    /// From `field=value`.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .filter(|(_, value)| !value.trim().is_empty())
            .ok_or_else(|| format!("{text:?}, expected field=value"))?;
        let field = columns::field_named(name.trim())?;
        if field.is_unused() {
            return Err(format!("{field} has no place in a case"));
        }
        Ok(Self { field, value: value.trim().to_owned() })
    }
}

/// What becomes of tokens whose digits a spreadsheet has destroyed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Damaged {
    /// They are entries, with a note; a replay finds `format.spreadsheet`.
    #[default]
    Keep,
    /// They are rejected with the reason.
    Reject,
}

/// How many rows may be rejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// So many.
    Rows(u64),
    /// So many of a million, judged when all rows are read.
    PartsPerMillion(u64),
}

impl Limit {
    /// From `100` or `2.5%`.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}, expected a number of rows or a share such as 5%");
        let Some(share) = text.strip_suffix('%') else {
            return text.trim().parse().map(Self::Rows).map_err(|_| wrong());
        };
        let percent = crate::records::Decimal::parse(share.trim()).map_err(|_| wrong())?;
        let parts = percent.rounded_up(4).and_then(|parts| u64::try_from(parts).ok());
        parts.filter(|parts| *parts <= 1_000_000).map(Self::PartsPerMillion).ok_or_else(wrong)
    }

    /// Whether so many of so many rows are too many.
    #[must_use]
    pub fn is_exceeded(self, rejected: u64, rows: u64) -> bool {
        match self {
            Self::Rows(most) => rejected > most,
            Self::PartsPerMillion(parts) => {
                u128::from(rejected) * 1_000_000 > u128::from(parts) * u128::from(rows)
            }
        }
    }
}

/// How exports are read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Columns that the user names.
    pub map: Vec<Mapped>,
    /// Values for all rows.
    pub set: Vec<Constant>,
    /// The zone of times that say none, and its name.
    pub zone: Option<(String, Zone)>,
    /// The order of dates in three numbers; told from the values where absent.
    pub dates: Option<DateOrder>,
    /// The decimal mark; told from the values where absent.
    pub decimal: Option<DecimalMark>,
    /// The delimiter; told from the first lines where absent.
    pub delimiter: Option<u8>,
    /// The sheet of a workbook; the one with most columns known where absent.
    pub sheet: Option<String>,
    /// The line or row of the header, 0 where there is none; the first with known names where
    /// absent.
    pub header: Option<u64>,
    /// What becomes of damaged tokens.
    pub damaged: Damaged,
    /// Whether zeros that a spreadsheet dropped are put back in numbers of meters (where the check
    /// digit agrees), supply group codes, and tokens that were sold.
    pub restore_zeros: bool,
    /// Whether a row that is the same as one before it is left out.
    pub distinct: bool,
    /// How many rows may be rejected; any number where absent.
    pub max_rejects: Option<Limit>,
    /// Whether entries are put in time order.
    pub sort: bool,
    /// Bytes of entries that are sorted in memory; more go through files.
    pub sort_memory: usize,
    /// Keys that tell, through the tokens, what no column tells of a meter.
    pub keys: Option<KeyRing>,
    /// Whether files that are there are written over.
    pub force: bool,
    encoding: Option<&'static Encoding>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            map: Vec::new(),
            set: Vec::new(),
            zone: None,
            dates: None,
            decimal: None,
            delimiter: None,
            sheet: None,
            header: None,
            damaged: Damaged::Keep,
            restore_zeros: false,
            distinct: false,
            max_rejects: None,
            sort: false,
            sort_memory: 256 << 20,
            keys: None,
            force: false,
            encoding: None,
        }
    }
}

impl Options {
    /// Reads text in an encoding, by its label, in place of the one told from the bytes.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn set_encoding(&mut self, label: &str) -> Result<(), String> {
        self.encoding = Some(text::encoding_named(label)?);
        Ok(())
    }

    fn constant(&self, field: Field) -> Option<&str> {
        self.set.iter().find(|set| set.field == field).map(|set| set.value.as_str())
    }
}

/// A column, and what it is taken as.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// The field.
    #[serde(serialize_with = "field_name")]
    pub field: Option<Field>,
    /// Some of its values, as they stand.
    pub examples: Vec<String>,
    /// Why it is not used although its name is that of a field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_for: Option<String>,
}

fn field_name<S: Serializer>(field: &Option<Field>, serializer: S) -> Result<S::Ok, S::Error> {
    field.map(Field::name).serialize(serializer)
}

impl ColumnReport {
    /// Whether its values go into the case.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.field.is_some_and(|field| !field.is_unused())
    }
}

/// What was understood of one export.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// The file or folder.
    pub name: String,
    /// What kind of file.
    pub kind: String,
    /// The encoding, and how it is known; `None` where the kind of file settles it.
    pub encoding: Option<String>,
    /// What stands between fields.
    pub delimiter: Option<char>,
    /// Line or row of the header, where there is one.
    pub header: Option<u64>,
    /// The columns.
    pub columns: Vec<ColumnReport>,
    /// How times are written.
    pub times: Vec<String>,
    /// The order of dates in three numbers, where there are such.
    pub dates: Option<String>,
    /// The decimal mark, where one was seen.
    pub decimal: Option<String>,
    /// Rows below the header that hold something.
    pub rows: u64,
    /// Entries made of them.
    pub entries: u64,
    /// Rows that were not taken.
    pub rejected: u64,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// What keeps its rows from being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What numbers of rows count: lines or rows.
    #[serde(skip)]
    pub counts: &'static str,
}

/// What was understood of all, and what came of it.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Version of this form; 1.
    pub schema: u8,
    /// Each export.
    pub files: Vec<FileReport>,
    /// The zone of times that say none.
    pub zone: Option<String>,
    /// Rows below headers.
    pub rows: u64,
    /// Entries.
    pub entries: u64,
    /// Rows that were not taken.
    pub rejected: u64,
    /// Meters met.
    pub meters: u64,
    /// Meters whose rows say all that `meters.csv` needs.
    pub meters_told: u64,
    /// Meters of which the keys and their tokens tell the rest.
    pub meters_inferred: u64,
    /// Time of the first entry.
    pub first: Option<String>,
    /// Time of the last.
    pub last: Option<String>,
    /// The first rows that were not taken: place and reason.
    pub rejects: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Files written.
    pub written: Vec<PathBuf>,
}

/// Why an import ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// An export could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file of the case could not be written.
    #[error(transparent)]
    Output(#[from] WriteError),
    /// More rows were rejected than may be, or none was taken.
    #[error("{problem}")]
    TooMany {
        /// In words.
        problem: String,
        /// What was understood until then.
        report: Box<Report>,
    },
    /// The folder holds a case already.
    #[error("{} is there already, expected a new folder, or --force to write over it", .0.display())]
    Exists(PathBuf),
}

/// Reads exports and writes nothing: what is understood, and what would come of it.
///
/// A file that is not understood far enough has its problem in its own report.
///
/// # Errors
///
/// [`ImportError::Input`] where a file cannot be read.
pub fn check(files: &[PathBuf], options: &Options) -> Result<Report, ImportError> {
    run::run(files, None, options)
}

/// Reads exports and writes a case into a folder: `entries.csv`, `meters.csv` where the settings of
/// meters are told, `rejects.csv` where rows were not taken.
///
/// # Errors
///
/// [`ImportError`]; where rows were rejected beyond [`Options::max_rejects`] no entries are written.
pub fn write(files: &[PathBuf], folder: &Path, options: &Options) -> Result<Report, ImportError> {
    run::run(files, Some(folder), options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_counts_or_shares() {
        assert_eq!(Limit::parse("5%"), Ok(Limit::PartsPerMillion(50_000)));
        assert_eq!(Limit::parse("0.5 %"), Ok(Limit::PartsPerMillion(5_000)));
        assert_eq!(Limit::parse("7"), Ok(Limit::Rows(7)));
        assert!(Limit::parse("-1").is_err() && Limit::parse("101%").is_err());
        assert!(!Limit::parse("5%").unwrap().is_exceeded(5, 100));
        assert!(Limit::parse("5%").unwrap().is_exceeded(6, 100));
        assert!(Limit::Rows(0).is_exceeded(1, 100));
    }
}
