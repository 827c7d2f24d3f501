//! Verdicts of a replay in files: NDJSON, CSV, Parquet.

#[cfg(feature = "parquet")]
mod parquet;

use std::path::{Path, PathBuf};

use crate::input::Rejected;
use crate::replay::Verdict;
pub use crate::row_file::WriteError;
use crate::row_file::{RowFile, csv_line};
use crate::table::{guarded, reject_fields, reject_header};

/// The columns of the CSV and Parquet forms: every field that a verdict can have.
#[rustfmt::skip]
pub const COLUMNS: [&str; 18] = [
    "schema", "id", "result", "result_code", "display", "display_basis", "reproduced", "cause",
    "confidence", "causes", "trials", "expected_chance_matches", "evidence", "action", "advice",
    "reason", "event", "error",
];

/// How verdicts are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// An object a line, as `replay.schema.json` has it.
    Ndjson,
    /// A line of [`COLUMNS`] each. What is absent is empty, `causes` is JSON, evidence has `; `
    /// between. Text that a spreadsheet would run as a formula gets an apostrophe in front.
    Csv,
    /// The columns with types; whole only at the end.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Form {
    /// The form that a file's name ends in.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    pub fn of(path: &Path) -> Result<Self, String> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("ndjson") => Ok(Self::Ndjson),
            Some("csv") => Ok(Self::Csv),
            #[cfg(feature = "parquet")]
            Some("parquet") => Ok(Self::Parquet),
            #[cfg(not(feature = "parquet"))]
            Some("parquet") => Err("this build has no Parquet (feature `parquet`)".to_owned()),
            _ => Err("expected a name that ends in .ndjson, .csv or .parquet".to_owned()),
        }
    }
}

/// A file of verdicts. At any moment all of its lines but the last are whole.
#[derive(Debug)]
pub struct Results {
    to: To,
}

#[derive(Debug)]
enum To {
    Lines {
        file: RowFile<std::fs::File>,
        csv: bool,
        line: Vec<u8>,
    },
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::File>),
}

impl Results {
    /// A new file; or the file of a run that was interrupted and is repeated, which is written over.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn open(path: &Path, form: Form, over: bool) -> Result<Self, WriteError> {
        let open = if over { RowFile::write_over } else { RowFile::create };
        let lines = |csv: bool, header| {
            Ok(Self { to: To::Lines { file: open(path, header)?, csv, line: Vec::new() } })
        };
        match form {
            Form::Ndjson => lines(false, Vec::new()),
            Form::Csv => lines(true, csv_line(COLUMNS)),
            #[cfg(feature = "parquet")]
            Form::Parquet => Ok(Self { to: To::Parquet(Box::new(parquet::File::create(path)?)) }),
        }
    }

    /// One more.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn put(&mut self, verdict: &Verdict) -> Result<(), WriteError> {
        match &mut self.to {
            To::Lines { file, csv, line } => {
                line.clear();
                if *csv {
                    *line = csv_line(cells(verdict).iter().map(String::as_str));
                } else {
                    // Serializing into memory does not fail.
                    let _ = serde_json::to_writer(&mut *line, verdict);
                    line.push(b'\n');
                }
                file.push(line)
            }
            #[cfg(feature = "parquet")]
            To::Parquet(file) => file.put(verdict),
        }
    }

    /// Writes what is held.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn flush(&mut self) -> Result<(), WriteError> {
        match &mut self.to {
            To::Lines { file, .. } => file.flush(),
            #[cfg(feature = "parquet")]
            To::Parquet(_) => Ok(()),
        }
    }

    /// Ends the file, and sees that it is on disk.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn finish(self) -> Result<PathBuf, WriteError> {
        match self.to {
            To::Lines { file, .. } => file.finish(),
            #[cfg(feature = "parquet")]
            To::Parquet(file) => file.finish(),
        }
    }
}

fn cells(verdict: &Verdict) -> [String; COLUMNS.len()] {
    let text = |text: Option<&str>| guarded(text.unwrap_or_default());
    let number = |number: Option<f64>| number.map(|it| it.to_string()).unwrap_or_default();
    [
        verdict.schema.to_string(),
        guarded(&verdict.id),
        text(verdict.result),
        verdict.result_code.map(|code| code.to_string()).unwrap_or_default(),
        text(verdict.display.as_deref()),
        text(verdict.display_basis),
        verdict.reproduced.text().unwrap_or_default().to_owned(),
        text(verdict.cause),
        number(verdict.confidence),
        verdict.causes_text().unwrap_or_default(),
        verdict.trials.to_string(),
        verdict.expected_chance_matches.to_string(),
        text(verdict.evidence_text().as_deref()),
        text(verdict.action),
        text(verdict.advice),
        text(verdict.reason.as_deref()),
        text(verdict.event.as_deref()),
        text(verdict.error.as_deref()),
    ]
}

/// A file of rows that were not taken, made once there is one.
#[derive(Debug)]
pub struct Rejects {
    path: PathBuf,
    width: usize,
    header: Vec<u8>,
    over: bool,
    file: Option<RowFile<std::fs::File>>,
    rows: u64,
}

impl Rejects {
    /// For a table with these columns. `over`: as in [`Results::open`].
    #[must_use]
    pub fn new(path: &Path, header: &[String], over: bool) -> Self {
        let (width, columns) = reject_header(header, 0);
        let header = csv_line(columns.iter().map(String::as_str));
        Self { path: path.to_owned(), width, header, over, file: None, rows: 0 }
    }

    /// One more: its fields, the line and the reason, then the fields that it has too many.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn put(&mut self, row: &Rejected) -> Result<(), WriteError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let open = if self.over { RowFile::write_over } else { RowFile::create };
                self.file.insert(open(&self.path, self.header.clone())?)
            }
        };
        self.rows += 1;
        file.push(&csv_line(reject_fields(row, self.width).iter().map(String::as_str)))
    }

    /// Writes what is held.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn flush(&mut self) -> Result<(), WriteError> {
        self.file.as_mut().map_or(Ok(()), RowFile::flush)
    }

    /// Ends the file, if there is one, and says how many rows it has.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn finish(self) -> Result<u64, WriteError> {
        if let Some(file) = self.file {
            file.finish()?;
        }
        Ok(self.rows)
    }
}
