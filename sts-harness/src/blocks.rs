//! A table in blocks of whole rows, so that memory is bounded whatever the file.

use std::io::Read;

use crate::input::{InputError, Place, Rejected};
use crate::table::{self, BOM};

/// How much is read at once; little in tests, so that there are many ends.
const BLOCK: usize = if cfg!(test) { 1 << 10 } else { 256 << 10 };

/// A row longer than this is no row.
const LONGEST_ROW: usize = 1 << 20;

/// How much of such a row is shown.
const SHOWN: usize = 1000;

const _: () =
    assert!(BOM.len() + table::SNIFFED <= BLOCK, "a delimiter is found in the first block");

/// Some rows of a table.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Its place, from 0.
    pub(crate) number: u64,
    /// Whole rows, as they stand.
    pub(crate) bytes: Vec<u8>,
    /// The line that it begins with.
    pub(crate) line: u64,
    /// A row in front of it that is too long to be one.
    pub(crate) rejected: Option<Rejected>,
}

/// A table that is being read.
#[derive(Debug)]
pub(crate) struct Source<R> {
    file: String,
    input: R,
    /// What is read and in no block yet.
    rest: Vec<u8>,
    at_end: bool,
    delimiter: u8,
    line: u64,
    number: u64,
}

impl<R: Read> Source<R> {
    /// Reads up to the end of the header, and says the header as it stands.
    pub(crate) fn new(file: &str, input: R) -> Result<(Self, Vec<u8>), InputError> {
        let (file, rest) = (file.to_owned(), Vec::new());
        let mut source =
            Self { file, input, rest, at_end: false, delimiter: b',', line: 1, number: 0 };
        source.fill(BLOCK)?;
        if source.rest.starts_with(BOM) {
            source.rest.drain(..BOM.len());
        }
        let end = loop {
            let (delimiter, end) = table::header_end(&source.rest);
            source.delimiter = delimiter;
            if end < source.rest.len() || source.at_end || end > LONGEST_ROW {
                break end;
            }
            source.fill(end + BLOCK)?;
        };
        if end > LONGEST_ROW {
            let problem = format!(
                "the line has more than {LONGEST_ROW} bytes, expected a header and rows of at most \
                 as many"
            );
            return Err(InputError::new(Place::line(&source.file, 1), problem));
        }
        let header: Vec<u8> = source.rest.drain(..end).collect();
        source.line += lines(&header);
        Ok((source, header))
    }

    /// What stands between fields.
    pub(crate) const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Reads until there are `length` bytes, or no more.
    fn fill(&mut self, length: usize) -> Result<(), InputError> {
        let missing = length.saturating_sub(self.rest.len());
        let limit = u64::try_from(missing).unwrap_or(u64::MAX);
        let count = (&mut self.input)
            .take(limit)
            .read_to_end(&mut self.rest)
            .map_err(|error| InputError::unreadable(&self.file, &error.to_string()))?;
        self.at_end |= count < missing;
        Ok(())
    }

    /// The next block in place of the one given; `false` where there is none.
    pub(crate) fn next(&mut self, block: &mut Block) -> Result<bool, InputError> {
        block.rejected = None;
        block.number = self.number;
        self.number += 1;
        self.fill(BLOCK)?;
        let end = loop {
            match whole_rows(&self.rest, self.delimiter) {
                _ if self.at_end => break self.rest.len(),
                0 if self.rest.len() > LONGEST_ROW => {
                    block.rejected = Some(self.skip_row()?);
                    self.fill(BLOCK)?;
                }
                0 => self.fill(self.rest.len() + BLOCK)?,
                end => break end,
            }
            // One at a time, so that each has its place.
            if block.rejected.is_some() {
                break 0;
            }
        };
        std::mem::swap(&mut block.bytes, &mut self.rest);
        self.rest.clear();
        self.rest.extend_from_slice(&block.bytes[end..]);
        block.bytes.truncate(end);
        block.line = self.line;
        self.line += lines(&block.bytes);
        Ok(end > 0 || block.rejected.is_some())
    }

    /// Passes over a line that is too long.
    fn skip_row(&mut self) -> Result<Rejected, InputError> {
        let beginning = String::from_utf8_lossy(&self.rest[..SHOWN]).into_owned();
        let place = Place::line(&self.file, self.line);
        while !self.at_end {
            match memchr::memchr(b'\n', &self.rest) {
                Some(end) => {
                    self.rest.drain(..=end);
                    break;
                }
                None => {
                    self.rest.clear();
                    self.fill(BLOCK)?;
                }
            }
        }
        self.line += 1;
        let problem = "longer than 1 MiB, expected a row (this is its beginning)";
        Ok(Rejected::new(place, vec![beginning], problem))
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count().try_into().unwrap_or_default()
}

/// Where the last whole row ends.
fn whole_rows(bytes: &[u8], delimiter: u8) -> usize {
    if memchr::memchr(b'"', bytes).is_none() {
        return memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
    }
    let mut end = 0;
    while let Some(next) = record_end(bytes, end, delimiter) {
        end = next;
    }
    end
}

/// Where the rows that begin at `from` end: behind their line, or behind a later line where a quoted
/// field has line ends in it. A carriage return alone ends a row too, and not its line. A quote that is
/// broken ends with its line, as in [`Table::read`](table::Table::read). `None` where the row goes on
/// behind the bytes.
pub(crate) fn record_end(bytes: &[u8], from: usize, delimiter: u8) -> Option<usize> {
    let mut start = from;
    loop {
        let line_end = start + memchr::memchr(b'\n', bytes.get(start..)?)? + 1;
        match quoted_end(bytes, start, line_end, delimiter) {
            End::Line(end) => return Some(end),
            End::Row(end) => start = end,
            End::Open => return None,
        }
    }
}

/// Where a row ends.
enum End {
    /// With a line.
    Line(usize),
    /// Within a line: another row follows.
    Row(usize),
    /// Behind the bytes.
    Open,
}

/// Where the row from `start` on ends, whose first line ends at `line_end`.
fn quoted_end(bytes: &[u8], start: usize, line_end: usize, delimiter: u8) -> End {
    if memchr::memchr(b'"', &bytes[start..line_end]).is_none() {
        return End::Line(line_end);
    }
    let (mut at, mut at_start) = (start, true);
    loop {
        let Some(byte) = bytes.get(at).copied() else { return End::Open };
        at += 1;
        if at_start && byte == b'"' {
            loop {
                let Some(quote) = memchr::memchr(b'"', &bytes[at..]) else {
                    // Never closed, as far as anyone will look.
                    let end = bytes.len() - start > LONGEST_ROW;
                    return if end { End::Line(line_end) } else { End::Open };
                };
                at += quote + 1;
                match bytes.get(at).copied() {
                    None => return End::Open,
                    Some(b'"') => at += 1,
                    Some(b'\r' | b'\n') => break,
                    Some(byte) if byte == delimiter => break,
                    Some(_) => return End::Line(line_end),
                }
            }
            at_start = false;
        } else if byte == b'\n' {
            return End::Line(at);
        } else if byte == b'\r' && bytes.get(at) != Some(&b'\n') {
            return if at < bytes.len() { End::Row(at) } else { End::Open };
        } else {
            at_start = byte == delimiter;
        }
    }
}
