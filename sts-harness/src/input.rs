//! What is wrong with an input, where, and what was expected. Values are shown, keys never.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
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

/// A line of an input, and what in it a message is about. Lines that may hold a key are none.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The line, or as much of it as is of use, on one line of a terminal.
    pub line: String,
    /// Characters before what is meant.
    pub start: usize,
    /// Characters of what is meant, at least 1.
    pub width: usize,
}

impl Excerpt {
    /// Characters that are shown of a long line.
    const SHOWN: usize = 90;

    /// The line that a byte range of a text begins in.
    #[must_use]
    pub fn of(text: &str, range: Range<usize>) -> Option<Self> {
        let before = text.get(..range.start)?;
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let rest = text.get(line..)?.lines().next()?;
        let meant = rest.get(range.start - line..)?;
        let length = range.end.saturating_sub(range.start).min(meant.len());
        let width = meant.get(..length)?.trim_end().chars().count();
        let name = rest.split('=').next().unwrap_or_default();
        let names_key = matches!(name.trim_matches([' ', '\t', '"', '\'']), "key" | "sealed");
        if names_key || crate::keys::without_keys(rest) != rest {
            return None;
        }
        Self::cut(rest, before.get(line..)?.chars().count(), width)
    }

    /// A row of a table, and one of its fields.
    #[must_use]
    pub fn of_field(row: &[String], place: usize) -> Option<Self> {
        let width = row.get(place)?.chars().count();
        let start = row.iter().take(place).map(|field| field.chars().count() + 1).sum();
        let line = row.join(",");
        // Tokens have digits alone.
        let may_be_key =
            |run: &str| run.len() >= 16 && run.bytes().any(|byte| byte.is_ascii_alphabetic());
        if line.split(|c: char| !c.is_ascii_hexdigit()).any(may_be_key) {
            return None;
        }
        Self::cut(&line, start, width)
    }

    fn cut(line: &str, start: usize, width: usize) -> Option<Self> {
        let from = if start + width < Self::SHOWN { 0 } else { start.saturating_sub(20) };
        let width = width.clamp(1, Self::SHOWN - 20);
        let line = line.chars().skip(from).take(Self::SHOWN);
        let line: String = line.map(|c| if c.is_control() { ' ' } else { c }).collect();
        (!line.trim().is_empty()).then_some(Self { line, start: start - from, width })
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
    /// The line, where it is at hand and can be shown.
    pub excerpt: Option<Box<Excerpt>>,
    /// What to try.
    pub hint: Option<Box<str>>,
    about_keys: bool,
}

impl InputError {
    /// At a place.
    #[must_use]
    pub fn new(place: Place, problem: impl Into<String>) -> Self {
        Self { place, problem: problem.into(), excerpt: None, hint: None, about_keys: false }
    }

    /// About the file of this name.
    #[must_use]
    pub fn other(file: &str, problem: &str) -> Self {
        Self::new(Place::file(file), problem)
    }

    /// A file that cannot be read. If there is none of this name, one with a name near to it is the
    /// hint.
    #[must_use]
    pub fn unreadable(file: &str, why: &str) -> Self {
        let error = Self::other(file, &format!("cannot be read: {why}"));
        match neighbour(Path::new(file)) {
            Some(near) => error.with_hint(near),
            None => error,
        }
    }

    /// A TOML file with an error.
    #[must_use]
    pub fn toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| Place::line_of(text, span.start));
        let place = Place { file: file.to_owned(), line, field: None };
        let mut found = Self::new(place, error.message());
        found.excerpt = error.span().and_then(|span| Excerpt::of(text, span)).map(Box::new);
        // unknown field `x`, expected one of `a`, `b`
        let mut names = error.message().split('`').skip(1).step_by(2);
        if error.message().starts_with("unknown field")
            && let Some(name) = names.next()
            && let Some(near) = nearest(name, names)
        {
            found.hint = Some(near.into());
        }
        found
    }

    /// The same, with what to try.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
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
        let mut found = Self::new(Place::default(), error.to_string());
        if let crate::profiles::LoadError::Invalid(errors) = error
            && let [only] = errors.as_slice()
        {
            found.place = only.place.clone();
            found.problem.clone_from(&only.problem);
            found.excerpt = only.excerpt.clone().map(Box::new);
        }
        found
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
    let name = letters(name);
    let near = |candidate: &'a str| {
        let most = 1 + candidate.len() / 4;
        let candidate_letters = letters(candidate);
        // A whole file may stand where a name is expected.
        let may_be = name.len().abs_diff(candidate_letters.len()) <= most;
        let apart = may_be.then(|| distance(&name, &candidate_letters))?;
        (apart <= most).then_some((apart, candidate))
    };
    known.into_iter().filter_map(near).min().map(|(_, candidate)| candidate)
}

/// A file beside one that is not there, of a name that is near.
fn neighbour(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if path.exists() {
        return None;
    }
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let near = nearest(name, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}

fn letters(name: &str) -> Vec<char> {
    name.to_lowercase().chars().collect()
}

/// Edits between two words.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
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
