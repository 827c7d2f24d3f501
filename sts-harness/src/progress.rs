//! What searches found, kept beside the output of a replay.
//!
//! A replay gives the same answers each time, and searching for causes is almost all of its work. So
//! one that was interrupted is repeated from the start, its searches answered from this file as far
//! as they had come, and its output is written over what is there: the same bytes.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::cause::Cause;
use crate::diagnose::{Diagnosis, MadeUnder, Ranked};
use crate::input::{InputError, each_block};
use crate::records::{parse_ea, parse_ti};
use crate::row_file::WriteError;

/// All that the answers of a replay follow from, as one hash.
#[derive(Debug, Default)]
pub struct Origin(Sha256);

impl Origin {
    /// Of this version of the crate.
    #[must_use]
    pub fn new() -> Self {
        let mut origin = Self(Sha256::new());
        origin.setting(&env!("CARGO_PKG_VERSION"));
        origin
    }

    /// A setting that decides something. What shows no key in its `Debug` form tells none here.
    pub fn setting(&mut self, setting: &impl Debug) {
        self.0.update(format!("{setting:?}\n"));
    }

    /// A file that is read; one that is not there is none.
    ///
    /// # Errors
    ///
    /// [`InputError`] where it is there and cannot be read.
    pub fn file(&mut self, path: &Path) -> Result<(), InputError> {
        if !path.exists() {
            self.setting(&"none");
            return Ok(());
        }
        let length = each_block(path, |bytes| self.0.update(bytes))?;
        self.setting(&length);
        Ok(())
    }

    fn line(self) -> String {
        format!("{{\"schema\":1,\"replay\":\"{}\"}}\n", hex::encode(self.0.finalize()))
    }
}

/// Why a replay cannot be resumed, or its progress not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgressError {
    /// There is nothing to go on from.
    #[error("{}: cannot be read: {why}; there is nothing to resume", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The run before had other inputs.
    #[error(
        "{}: the case, its keys or the settings are not those of the run that was interrupted; \
         start anew, without --resume", .0.display()
    )]
    Changed(PathBuf),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The file, being read as long as it lasts and then written.
#[derive(Debug)]
pub struct Progress {
    path: PathBuf,
    file: BufReader<File>,
    /// Whether there may be more to read.
    recalls: bool,
    /// Bytes of whole lines that were read.
    valid: u64,
    /// Searches so far.
    searches: u64,
    held: Vec<u8>,
}

impl Progress {
    /// Begins anew.
    ///
    /// # Errors
    ///
    /// [`ProgressError::Write`].
    pub fn begin(path: &Path, origin: Origin) -> Result<Self, ProgressError> {
        Self::begin_with(path, &origin.line())
    }

    /// Goes on from a run that was interrupted.
    ///
    /// # Errors
    ///
    /// [`ProgressError`]: no such run, or one of other inputs.
    pub fn resume(path: &Path, origin: Origin) -> Result<Self, ProgressError> {
        let missing = |why| ProgressError::Missing { path: path.to_owned(), why };
        let file = File::options().read(true).write(true).open(path).map_err(missing)?;
        let mut progress = Self::of(path, file, true);
        let expected = origin.line();
        match progress.line() {
            Some(line) if line == expected.as_bytes() => Ok(progress),
            // Cut off while its first line was written.
            None => Self::begin_with(path, &expected),
            Some(_) => Err(ProgressError::Changed(path.to_owned())),
        }
    }

    fn begin_with(path: &Path, line: &str) -> Result<Self, ProgressError> {
        let fail = |error| WriteError::new(path, error);
        let mut file = File::create(path).map_err(fail)?;
        file.write_all(line.as_bytes()).map_err(fail)?;
        Ok(Self::of(path, file, false))
    }

    fn of(path: &Path, file: File, recalls: bool) -> Self {
        let (path, file) = (path.to_owned(), BufReader::new(file));
        Self { path, file, recalls, valid: 0, searches: 0, held: Vec::new() }
    }

    /// The next line, if it is whole.
    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        self.file.read_until(b'\n', &mut line).ok()?;
        line.ends_with(b"\n").then(|| {
            self.valid += line.len() as u64;
            line
        })
    }

    /// What the next search found in the run before; `None` where it had not come so far.
    pub(crate) fn recall(&mut self) -> Option<Option<Diagnosis>> {
        if !self.recalls {
            return None;
        }
        let before = self.valid;
        let found = self.line().and_then(|line| read(&line, self.searches));
        if found.is_some() {
            self.searches += 1;
        } else {
            (self.recalls, self.valid) = (false, before);
        }
        found
    }

    /// Keeps what a search found.
    pub(crate) fn remember(&mut self, found: Option<&Diagnosis>) {
        self.held.extend_from_slice(written(found, self.searches).to_string().as_bytes());
        self.held.push(b'\n');
        self.searches += 1;
    }

    /// Writes what was found since.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn flush(&mut self) -> Result<(), WriteError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let fail = |error| WriteError::new(&self.path, error);
        let file = self.file.get_mut();
        if self.valid > 0 {
            // A line that was cut off is written over.
            file.set_len(self.valid).map_err(fail)?;
            file.seek(SeekFrom::Start(self.valid)).map_err(fail)?;
            self.valid = 0;
        }
        file.write_all(&self.held).map_err(fail)?;
        self.held.clear();
        Ok(())
    }

    /// Removes the file: the output is whole.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn finish(self) -> Result<(), WriteError> {
        drop(self.file);
        std::fs::remove_file(&self.path).map_err(|error| WriteError::new(&self.path, error))
    }
}

/// A line: probabilities as the bits they are, so that nothing is rounded.
fn written(found: Option<&Diagnosis>, number: u64) -> Value {
    let Some(found) = found else { return json!([number, null]) };
    let made = |made: &MadeUnder| json!([made.key, made.ti.to_string(), made.ea.code()]);
    let cause = |ranked: &Ranked| {
        json!([
            ranked.cause.name(),
            ranked.probability.to_bits(),
            ranked.detail,
            ranked.evidence,
            ranked.made.as_ref().map(made),
        ])
    };
    let causes: Vec<Value> = found.causes.iter().map(cause).collect();
    json!([number, [found.trials, found.searched, causes]])
}

/// The line of a number; `None` where it is none.
fn read(line: &[u8], number: u64) -> Option<Option<Diagnosis>> {
    type Made = (usize, String, String);
    type Causes = Vec<(String, u64, Map<String, Value>, Vec<String>, Option<Made>)>;
    type Line = (u64, Option<(u32, bool, Causes)>);
    let (at, found): Line = serde_json::from_slice(line).ok()?;
    if at != number {
        return None;
    }
    let Some((trials, searched, causes)) = found else { return Some(None) };
    let causes: Option<Vec<Ranked>> = causes
        .into_iter()
        .map(|(cause, bits, detail, evidence, made)| {
            let made = match made {
                Some((key, ti, ea)) => {
                    Some(MadeUnder { key, ti: parse_ti(&ti).ok()?, ea: parse_ea(&ea).ok()? })
                }
                None => None,
            };
            let (cause, probability) = (Cause::from_name(&cause)?, f64::from_bits(bits));
            Some(Ranked { cause, probability, detail, evidence, made })
        })
        .collect();
    Some(Some(Diagnosis { causes: causes.filter(|causes| !causes.is_empty())?, trials, searched }))
}
