//! The entries of a case as a stream: read and parsed on a thread of their own, block by block, so
//! that memory does not grow with the file.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::blocks::{Block, Source, record_end};
use crate::input::{InputError, Rejected};
use crate::records::{self, ENTRY_COLUMNS, EntryLine, EntryRow};
use crate::sort::{Sorted, Sorter};
use crate::table::Table;

/// Entries of one stretch of the file.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Batch {
    /// Good rows, in order.
    pub rows: Vec<EntryRow>,
    /// Rows that were not taken.
    pub rejected: Vec<Rejected>,
    /// How many bytes of the file have been dealt with up to here.
    pub done: u64,
}

/// Entries that are being read. Iterates over them in batches; an error is the last item.
#[derive(Debug)]
pub struct Entries {
    /// The file's name.
    file: String,
    header: Vec<String>,
    length: u64,
    batches: Option<Receiver<Result<Batch, InputError>>>,
    thread: Option<JoinHandle<()>>,
}

/// Batches that wait to be judged.
const AHEAD: usize = 4;
/// Rows that are sorted in memory, in bytes; more go through files.
const SORT_MEMORY: usize = 64 << 20;
/// Sorted rows in a batch.
const SORTED_BATCH: usize = 2048;

impl Entries {
    /// Opens `entries.csv`. With a folder for sorting they come in time order, equal times as in the
    /// file; what does not fit in memory is put in files there, which are gone in the end.
    ///
    /// # Errors
    ///
    /// [`InputError`]: unreadable, empty, or a header that does not fit.
    pub fn open(path: &Path, sort_in: Option<&Path>) -> Result<Self, InputError> {
        Self::open_with(path, sort_in, SORT_MEMORY)
    }

    fn open_with(path: &Path, sort_in: Option<&Path>, memory: usize) -> Result<Self, InputError> {
        let unreadable = |error: std::io::Error| {
            InputError::unreadable(&path.display().to_string(), &error.to_string())
        };
        let input = File::open(path).map_err(unreadable)?;
        let length = input.metadata().map_err(unreadable)?.len();
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let (source, header) = Source::new(&file, input)?;
        let header = Table::header(&file, &header, source.delimiter(), &ENTRY_COLUMNS)?;
        let parser = Parser::new(&file, &header, source.delimiter());
        let mut reader = Reader { source, parser, done: 0 };
        let sorter = sort_in.map(|folder| Sorter::new(folder, memory));
        let (to, batches) = sync_channel(AHEAD);
        let thread = std::thread::spawn(move || {
            let read = match sorter {
                None => reader.read_all(&to),
                Some(sorter) => reader.sort_all(sorter, &to),
            };
            if let Err(Ended::Input(error)) = read {
                let _ = to.send(Err(error));
            }
        });
        Ok(Self { file, header, length, batches: Some(batches), thread: Some(thread) })
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The names of its columns.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// How many bytes the file has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }
}

impl Iterator for Entries {
    type Item = Result<Batch, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Ok(batch) = self.batches.as_ref()?.recv() {
            return Some(batch);
        }
        self.batches = None;
        if let Err(panic) = self.thread.take()?.join() {
            std::panic::resume_unwind(panic);
        }
        None
    }
}

impl Drop for Entries {
    /// Ends the thread, so that its files are gone.
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Why reading stops before the end.
enum Ended {
    Input(InputError),
    /// Nobody wants more.
    Dropped,
}

impl From<InputError> for Ended {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<crate::row_file::WriteError> for Ended {
    fn from(error: crate::row_file::WriteError) -> Self {
        Self::Input(InputError::new(crate::input::Place::default(), error.to_string()))
    }
}

type Sender = SyncSender<Result<Batch, InputError>>;

fn send(to: &Sender, batch: Batch) -> Result<(), Ended> {
    to.send(Ok(batch)).map_err(|_| Ended::Dropped)
}

struct Reader {
    source: Source<File>,
    parser: Parser,
    done: u64,
}

impl Reader {
    /// The next rows, each told to `row`; `None` at the end, else those that were not taken.
    fn read(
        &mut self,
        block: &mut Block,
        row: impl FnMut(EntryRow, Raw<'_>) -> Result<(), Ended>,
    ) -> Result<Option<Vec<Rejected>>, Ended> {
        if !self.source.next(block)? {
            return Ok(None);
        }
        self.done += block.bytes.len() as u64;
        let mut rejected: Vec<Rejected> = block.rejected.take().into_iter().collect();
        self.parser.rows(&block.bytes, block.line, &mut rejected, row)?;
        Ok(Some(rejected))
    }

    fn read_all(&mut self, to: &Sender) -> Result<(), Ended> {
        let mut block = Block::default();
        loop {
            let mut rows = Vec::new();
            let read = self.read(&mut block, |row, _| {
                rows.push(row);
                Ok(())
            })?;
            let Some(rejected) = read else { return Ok(()) };
            send(to, Batch { rows, rejected, done: self.done })?;
        }
    }

    fn sort_all(&mut self, mut sorter: Sorter, to: &Sender) -> Result<(), Ended> {
        let mut block = Block::default();
        loop {
            let delimiter = self.parser.delimiter;
            let read = self.read(&mut block, |row, raw| {
                let line = row.line.to_le_bytes();
                sorter.push(row.entered_at, raw.bytes(&line, delimiter))?;
                Ok(())
            })?;
            match read {
                Some(rejected) => send(to, Batch { rejected, ..Batch::default() })?,
                None => break,
            }
        }
        self.send_sorted(sorter.finish()?, to)
    }

    fn send_sorted(&self, sorted: Sorted, to: &Sender) -> Result<(), Ended> {
        let mut batch = Batch::default();
        for row in sorted {
            let row = row?;
            if let Some((line, raw)) = row.split_first_chunk() {
                batch.done += raw.len() as u64;
                let rows = &mut batch.rows;
                let line = u64::from_le_bytes(*line);
                self.parser.rows(raw, line, &mut batch.rejected, |row, _| {
                    rows.push(row);
                    Ok(())
                })?;
            }
            if batch.rows.len() >= SORTED_BATCH {
                let next = Batch { done: batch.done, ..Batch::default() };
                send(to, std::mem::replace(&mut batch, next))?;
            }
        }
        send(to, batch)
    }
}

/// A row as it stood.
enum Raw<'a> {
    Line(&'a [u8]),
    Fields(&'a [String]),
}

impl Raw<'_> {
    /// Behind a number, a line that is read as the same row.
    fn bytes(&self, number: &[u8; 8], delimiter: u8) -> Box<[u8]> {
        match self {
            Self::Line(line) => [number, *line].concat().into(),
            Self::Fields(fields) => {
                let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
                let fields: Vec<String> = fields.iter().map(quoted).collect();
                let line = fields.join(&char::from(delimiter).to_string());
                [number, line.as_bytes()].concat().into()
            }
        }
    }
}

/// Reads rows: the usual ones without a [`Table`] in between.
struct Parser {
    file: String,
    line: EntryLine,
    delimiter: u8,
    header: Vec<String>,
}

impl Parser {
    fn new(file: &str, header: &[String], delimiter: u8) -> Self {
        let line = EntryLine::new(header, delimiter);
        Self { file: file.to_owned(), line, delimiter, header: header.to_vec() }
    }

    /// Tells whole rows, the first of them in line `number`.
    fn rows(
        &self,
        bytes: &[u8],
        mut number: u64,
        rejected: &mut Vec<Rejected>,
        mut row: impl FnMut(EntryRow, Raw<'_>) -> Result<(), Ended>,
    ) -> Result<(), Ended> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest[..length].strip_suffix(b"\r").unwrap_or(&rest[..length]);
            if let Some(entry) = self.line.entry(line, number) {
                row(entry, Raw::Line(line))?;
                at += length + 1;
                number += 1;
                continue;
            }
            // Rows like it often follow.
            let start = at;
            while at < bytes.len() {
                at = record_end(bytes, at, self.delimiter).unwrap_or(bytes.len());
                if bytes.get(at..).is_some_and(|rest| !rest.starts_with(b"\"")) {
                    break;
                }
            }
            let slow = &bytes[start..at];
            let Self { file, header, delimiter, .. } = self;
            let mut table =
                Table::read_part(file, header, *delimiter, slow, number, &ENTRY_COLUMNS)?;
            for (entry, as_it_stood) in records::entry_rows(&mut table) {
                row(entry, Raw::Fields(&as_it_stood.original))?;
            }
            rejected.append(&mut table.rejected);
            number += memchr::memchr_iter(b'\n', slow).count() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::PathBuf;

    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = format!("sts-entries-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(path);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn file(&self, bytes: &[u8]) -> PathBuf {
            let path = self.0.join("entries.csv");
            std::fs::write(&path, bytes).unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const PAN: &str = "600727000000000009";

    /// Rows and rejected rows as text.
    fn read(entries: Entries) -> (Vec<String>, Vec<String>) {
        let (mut rows, mut rejected) = (Vec::new(), Vec::new());
        for batch in entries {
            let batch = batch.unwrap();
            rows.extend(batch.rows.iter().map(|row| format!("{row:?}")));
            rejected.extend(batch.rejected.iter().map(|row| format!("{row:?}")));
        }
        (rows, rejected)
    }

    /// The same by a table of the whole file.
    fn whole(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
        let read = records::entries_of("entries.csv", bytes).unwrap();
        let rows = read.rows.iter().map(|row| format!("{row:?}")).collect();
        (rows, read.rejected.iter().map(|row| format!("{row:?}")).collect())
    }

    fn field() -> impl proptest::strategy::Strategy<Value = String> {
        proptest::string::string_regex("[a ,;\\t\"\\n\\ré=-]{0,6}").unwrap()
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]

        #[test]
        fn stream_has_the_rows_of_the_whole_file(
            notes in proptest::collection::vec(field(), 1..60),
            delimiter in proptest::sample::select(vec![b',', b';']),
            crlf: bool,
            seed: u64,
        ) {
            let folder = Scratch::new(&format!("prop-{seed}"));
            let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut bytes = Vec::new();
            let mut writer = csv::WriterBuilder::new()
                .flexible(true).delimiter(delimiter).terminator(end).from_writer(&mut bytes);
            writer.write_record(["id", "entered_at", "pan", "entered", "ti", "note"]).unwrap();
            for (place, note) in notes.iter().enumerate() {
                let id = format!("{place}{note}");
                let at = ["2024-11-01T09:00:00Z", "2024-11-01T09:00:00.5+02:00", "x"][place % 3];
                let ti = if note.contains('a') { "100" } else { "7" };
                writer.write_record([&id, at, PAN, note, ti, note]).unwrap();
                if note.contains(' ') {
                    writer.write_record([&id, at, PAN, note, ti]).unwrap();
                }
            }
            drop(writer);
            let path = folder.file(&bytes);
            let streamed = read(Entries::open(&path, None).unwrap());
            proptest::prop_assert_eq!(&streamed, &whole(&bytes));
            let sorted = |memory| Entries::open_with(&path, Some(&folder.0), memory).unwrap();
            let (by_files, rejected) = read(sorted(512));
            proptest::prop_assert_eq!(&by_files, &read(sorted(usize::MAX)).0);
            proptest::prop_assert_eq!((by_files.len(), rejected), (streamed.0.len(), streamed.1));
        }

        #[test]
        fn stream_of_any_bytes_is_as_the_whole_file(
            body in proptest::string::bytes_regex("(?s-u:[a-c,\"\\r\\n\\xE9]{0,60})").unwrap(),
            seed: u64,
        ) {
            let folder = Scratch::new(&format!("any-{seed}"));
            let bytes = [b"id,entered_at,pan,entered\n".as_slice(), &body].concat();
            let streamed = read(Entries::open(&folder.file(&bytes), None).unwrap());
            proptest::prop_assert_eq!(streamed, whole(&bytes));
        }

        #[test]
        fn stream_of_any_header_is_as_the_whole_file(
            header in proptest::sample::select(vec![
                "id,entered_at,pan,entered", "id;entered_at;pan;entered", "\"id\"\tentered_at", "",
                "\u{FEFF}id,entered_at,pan,entered", "\u{FEFF}\u{FEFF}id,entered_at,pan,entered",
            ]),
            more in proptest::string::bytes_regex("(?s-u:[a,;\\t\"\\r\\n\\xE9]{0,20})").unwrap(),
            repeated in 0..400_usize,
            seed: u64,
        ) {
            let folder = Scratch::new(&format!("header-{seed}"));
            let bytes = [header.as_bytes(), &more, &b"1,2;3\r".repeat(repeated), b"\n;;\n"].concat();
            let stream = Entries::open(&folder.file(&bytes), None);
            match (stream, records::entries_of("entries.csv", &bytes)) {
                (Ok(stream), Ok(_)) => proptest::prop_assert_eq!(read(stream), whole(&bytes)),
                (Err(stream), Err(whole)) => {
                    proptest::prop_assert_eq!(stream.to_string(), whole.to_string());
                }
                (stream, whole) => proptest::prop_assert!(false, "{stream:?}\n{whole:?}"),
            }
        }
    }

    fn many(count: usize) -> Vec<u8> {
        let mut text = "id,entered_at,pan,entered\n".to_owned();
        for n in 0..count {
            let (minute, hour) = (n % 60, n % 23);
            let _ = writeln!(text, "{n},2024-11-01T{hour:02}:{minute:02}:00Z,{PAN},123");
        }
        text.into_bytes()
    }

    #[test]
    fn sorting_leaves_no_file_when_nobody_reads_on() {
        let folder = Scratch::new("dropped");
        let path = folder.file(&many(20_000));
        let mut entries = Entries::open_with(&path, Some(&folder.0), 4096).unwrap();
        // Some batches of rejected rows come first.
        assert!(entries.next().is_some());
        drop(entries);
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn sorting_is_stable() {
        let folder = Scratch::new("stable");
        let path = folder.file(&many(5_000));
        let entries = Entries::open_with(&path, Some(&folder.0), 4096).unwrap();
        let rows: Vec<EntryRow> = entries.flat_map(|batch| batch.unwrap().rows).collect();
        assert_eq!(rows.len(), 5_000);
        assert!(rows.is_sorted_by_key(|row| (row.entered_at, row.line)));
    }
}
