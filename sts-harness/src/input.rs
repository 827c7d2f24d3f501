//! What is wrong with an input, where, and what was expected. Values are shown, keys never.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A place in an input.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The field or column.
    pub field: Option<String>,
}

impl Place {
    /// A whole file.
    #[must_use]
    pub fn file(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// A line of a file.
    #[must_use]
    pub fn line(file: &str, line: u64) -> Self {
        Self { file: file.to_owned(), line: Some(line), field: None }
    }

    /// A field in a line of a file.
    #[must_use]
    pub fn field(file: &str, line: u64, field: &str) -> Self {
        Self { file: file.to_owned(), line: Some(line), field: Some(field.to_owned()) }
    }

    /// A field of no file: an argument.
    #[must_use]
    pub fn of(field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..Self::default() }
    }

    /// What stands in front of a message: the place and a colon, or nothing.
    fn prefix(&self) -> String {
        if self.file.is_empty() { String::new() } else { format!("{self}: ") }
    }

    /// The line that a byte offset of a text lies in, from 1.
    #[must_use]
    pub fn line_of(text: &str, offset: usize) -> u64 {
        let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
        let breaks = before.iter().filter(|byte| **byte == b'\n').count();
        u64::try_from(breaks).unwrap_or_default() + 1
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.field {
            Some(field) => write!(f, ": {field}"),
            None => Ok(()),
        }
    }
}

/// An input that cannot be used as a whole.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{problem}", .place.prefix())]
#[non_exhaustive]
pub struct InputError {
    /// Where.
    pub place: Place,
    /// What was found and what was expected.
    pub problem: String,
    about_keys: bool,
}

impl InputError {
    /// At a place.
    #[must_use]
    pub fn new(place: Place, problem: impl Into<String>) -> Self {
        Self { place, problem: problem.into(), about_keys: false }
    }

    /// About the file of this name.
    #[must_use]
    pub fn other(file: &str, problem: &str) -> Self {
        Self::new(Place::file(file), problem)
    }

    /// A file that cannot be read.
    #[must_use]
    pub fn unreadable(file: &str, why: &str) -> Self {
        Self::other(file, &format!("cannot be read: {why}"))
    }

    /// A TOML file with an error. The source line is not repeated: it may hold a key.
    #[must_use]
    pub fn toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| Place::line_of(text, span.start));
        let place = Place { file: file.to_owned(), line, field: None };
        Self::new(place, error.message())
    }

    /// The same, known to be about keys that are missing, locked or of the wrong purpose.
    #[must_use]
    pub const fn with_keys_at_fault(mut self) -> Self {
        self.about_keys = true;
        self
    }

    /// Whether keys are missing, locked or of the wrong purpose.
    #[must_use]
    pub const fn is_about_keys(&self) -> bool {
        self.about_keys
    }
}

impl From<crate::profiles::LoadError> for InputError {
    /// The error names its own file and lines.
    fn from(error: crate::profiles::LoadError) -> Self {
        Self::new(Place::default(), error.to_string())
    }
}

/// Something a reader should know, that stops nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: String,
}

impl Warning {
    /// At a place.
    #[must_use]
    pub fn new(place: Place, problem: impl Into<String>) -> Self {
        Self { place, problem: problem.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// A row that was not taken: nothing of it is lost.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Rejected {
    /// Where.
    pub place: Place,
    /// Its fields as they were.
    pub row: Vec<String>,
    /// What was found and what was expected.
    pub reason: String,
}

impl Rejected {
    /// A row with its reason.
    #[must_use]
    pub fn new(place: Place, row: Vec<String>, reason: impl Into<String>) -> Self {
        Self { place, row, reason: reason.into() }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// The known name that is nearest to a misspelt one, if one is near.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(apart, candidate)| *apart <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Reads a file through, block by block. How long it is.
pub(crate) fn each_block(path: &Path, mut tell: impl FnMut(&[u8])) -> Result<u64, InputError> {
    let unreadable = |error: std::io::Error| {
        InputError::unreadable(&path.display().to_string(), &error.to_string())
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let (mut block, mut length) = (vec![0; 256 << 10], 0);
    loop {
        match file.read(&mut block).map_err(unreadable)? {
            0 => return Ok(length),
            count => {
                tell(&block[..count]);
                length += count as u64;
            }
        }
    }
}
