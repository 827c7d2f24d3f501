//! Two replays compared: which answers changed, and from what to what.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::input::{InputError, Place};

/// The longest line of results that is read.
const LONGEST: u64 = 16 << 20;
/// Probabilities closer than that are the same answer.
const CLOSE: f64 = 0.01;

/// What one replay said of an entry, as far as it is compared or shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Said {
    /// The entry's id.
    pub id: String,
    /// The result's name.
    pub result: Option<String>,
    /// What the meter shows.
    pub display: Option<String>,
    /// Whether `displayed` came out again: true, false, "near" or null.
    pub reproduced: serde_json::Value,
    /// The first-ranked cause.
    pub cause: Option<String>,
    /// Its probability.
    pub confidence: Option<f64>,
    /// What to do.
    pub action: Option<String>,
    /// What speaks for the cause.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// The meter's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why the entry could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Said {
    /// The answer in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let result = self.result.as_deref().unwrap_or("no answer");
        match (&self.display, &self.cause) {
            (Some(display), Some(cause)) if display != result => {
                format!("{result} ({display}), {cause}")
            }
            (_, Some(cause)) => format!("{result}, {cause}"),
            (Some(display), None) if display != result => format!("{result} ({display})"),
            _ => result.to_owned(),
        }
    }

    /// What differs, by the names of the fields.
    fn differs(&self, other: &Self) -> Vec<&'static str> {
        let apart = match (self.confidence, other.confidence) {
            (Some(a), Some(b)) => (a - b).abs() >= CLOSE,
            (a, b) => a.is_some() != b.is_some(),
        };
        [
            ("result", self.result != other.result),
            ("display", self.display != other.display),
            ("reproduced", self.reproduced != other.reproduced),
            ("cause", self.cause != other.cause),
            ("confidence", apart),
            ("action", self.action != other.action),
            ("error", self.error != other.error),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

/// An entry of which the two replays say different things, or one says nothing.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Version of this form.
    pub schema: u8,
    /// The entry.
    pub id: String,
    /// The fields that differ; empty where one replay lacks the entry.
    pub fields: Vec<&'static str>,
    /// What the first replay says.
    pub before: Option<Said>,
    /// What the second says.
    pub after: Option<Said>,
}

/// How many answers went from what to what.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Entries in both.
    pub both: u64,
    /// Of them, those of which something else is said.
    pub changed: u64,
    /// Entries of the first alone, and of the second.
    pub alone: [u64; 2],
    /// Changes of result, of cause and of action: before, after, how many.
    pub turns: BTreeMap<&'static str, BTreeMap<(String, String), u64>>,
}

impl Summary {
    /// Whether the two say the same.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        self.changed == 0 && self.alone[0] == 0 && self.alone[1] == 0
    }

    fn count(&mut self, before: &Said, after: &Said) {
        for (name, from, to) in [
            ("result", &before.result, &after.result),
            ("cause", &before.cause, &after.cause),
            ("action", &before.action, &after.action),
        ] {
            if from != to {
                let named = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
                let turns = self.turns.entry(name).or_default();
                *turns.entry((named(from), named(to))).or_default() += 1;
            }
        }
    }
}

/// Compares two files of results, an object a line as `sts replay` writes them, and gives each
/// change to `tell` as it is found; entries of one file alone come last.
///
/// Entries are matched by id, the first with the first where an id comes again. Where both files
/// have the same order, nothing is held in memory.
///
/// # Errors
///
/// [`InputError`] where a file or a line of it cannot be read; those of `tell`.
pub fn compare<E: From<InputError>>(
    first: &Path,
    second: &Path,
    mut tell: impl FnMut(&Change) -> Result<(), E>,
) -> Result<Summary, E> {
    let mut files = [Results::open(first)?, Results::open(second)?];
    let mut waiting = [Waiting::default(), Waiting::default()];
    let mut summary = Summary::default();
    loop {
        let read = [files[0].next()?, files[1].next()?];
        if read.iter().all(Option::is_none) {
            break;
        }
        for (place, said) in read.into_iter().enumerate() {
            let Some(said) = said else { continue };
            let Some(other) = waiting[1 - place].take(&said.id) else {
                waiting[place].put(said);
                continue;
            };
            let (before, after) = if place == 0 { (said, other) } else { (other, said) };
            summary.both += 1;
            let fields = before.differs(&after);
            if !fields.is_empty() {
                summary.changed += 1;
                summary.count(&before, &after);
                let id = before.id.clone();
                let (before, after) = (Some(before), Some(after));
                tell(&Change { schema: 1, id, fields, before, after })?;
            }
        }
    }
    let [first, second] = waiting.map(Waiting::rest);
    for (place, rest) in [first, second].into_iter().enumerate() {
        for said in rest {
            summary.alone[place] += 1;
            let id = said.id.clone();
            let (before, after) = if place == 0 { (Some(said), None) } else { (None, Some(said)) };
            tell(&Change { schema: 1, id, fields: Vec::new(), before, after })?;
        }
    }
    Ok(summary)
}

/// Answers whose other half has not come yet.
#[derive(Debug, Default)]
struct Waiting {
    said: HashMap<String, VecDeque<(u64, Said)>>,
    count: u64,
}

impl Waiting {
    fn put(&mut self, said: Said) {
        self.said.entry(said.id.clone()).or_default().push_back((self.count, said));
        self.count += 1;
    }

    fn take(&mut self, id: &str) -> Option<Said> {
        let queue = self.said.get_mut(id)?;
        let (_, said) = queue.pop_front()?;
        if queue.is_empty() {
            self.said.remove(id);
        }
        Some(said)
    }

    /// What is left, in the order of the file.
    fn rest(self) -> Vec<Said> {
        let mut rest: Vec<(u64, Said)> = self.said.into_values().flatten().collect();
        rest.sort_by_key(|(place, _)| *place);
        rest.into_iter().map(|(_, said)| said).collect()
    }
}

/// A file of results, line by line.
struct Results {
    name: String,
    lines: BufReader<File>,
    line: u64,
}

impl Results {
    fn open(path: &Path) -> Result<Self, InputError> {
        let name = path.display().to_string();
        let file =
            File::open(path).map_err(|error| InputError::unreadable(&name, &error.to_string()))?;
        Ok(Self { name, lines: BufReader::new(file), line: 0 })
    }

    fn next(&mut self) -> Result<Option<Said>, InputError> {
        let mut text = Vec::new();
        loop {
            text.clear();
            self.line += 1;
            let mut limited = self.lines.by_ref().take(LONGEST);
            let read = limited
                .read_until(b'\n', &mut text)
                .map_err(|error| InputError::unreadable(&self.name, &error.to_string()))?;
            if read == 0 {
                return Ok(None);
            }
            if !text.trim_ascii().is_empty() {
                break;
            }
        }
        let at = Place::line(&self.name, self.line);
        if !text.ends_with(b"\n") && text.len() as u64 == LONGEST {
            return Err(InputError::new(at, "the line is longer than 16 MiB"));
        }
        let said = serde_json::from_slice(&text).map_err(|error| {
            let expected = "expected an object a line, as sts replay --format ndjson writes";
            InputError::new(at, format!("{error}; {expected}"))
        })?;
        Ok(Some(said))
    }
}
