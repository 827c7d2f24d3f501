//! The files of a case, written so that what is there is valid at any moment.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// A line of CSV, its end included.
pub(super) fn csv_line<'a>(fields: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            line.push(b',');
        }
        if field.contains([',', '"', '\n', '\r']) || field.trim().len() != field.len() {
            line.push(b'"');
            line.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            line.push(b'"');
        } else {
            line.extend_from_slice(field.as_bytes());
        }
    }
    line.push(b'\n');
    line
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written: {why}{kept}", .path.display())]
#[non_exhaustive]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: io::Error,
    /// What of it is there, in words.
    kept: String,
}

impl WriteError {
    pub(super) fn new(path: &Path, why: io::Error) -> Self {
        Self { path: path.to_owned(), why, kept: String::new() }
    }
}

/// What rows are written to.
pub(super) trait Target: Write {
    /// Cuts off what stands behind so many bytes.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Target for File {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// Rows are written so many bytes at once.
const BLOCK: usize = 256 * 1024;

/// Whole rows on their way to a file.
pub(super) struct RowFile<T> {
    path: PathBuf,
    target: T,
    held: Vec<u8>,
    rows_held: u64,
    /// Bytes and rows that are in the file for good.
    length: u64,
    rows: u64,
}

impl RowFile<File> {
    pub(super) fn create(path: &Path, header: &[&str]) -> Result<Self, WriteError> {
        let file = File::create(path).map_err(|error| WriteError::new(path, error))?;
        Ok(Self::new(path, file, header))
    }

    /// Writes what is held, and sees that it is on disk.
    pub(super) fn finish(mut self) -> Result<PathBuf, WriteError> {
        self.flush()?;
        let Self { path, target, .. } = self;
        target.sync_all().map_err(|error| WriteError::new(&path, error))?;
        Ok(path)
    }
}

impl<T: Target> RowFile<T> {
    fn new(path: &Path, target: T, header: &[&str]) -> Self {
        let held = csv_line(header.iter().copied());
        Self { path: path.to_owned(), target, held, rows_held: 0, length: 0, rows: 0 }
    }

    /// One more row, its line end included.
    pub(super) fn push(&mut self, line: &[u8]) -> Result<(), WriteError> {
        self.held.extend_from_slice(line);
        self.rows_held += 1;
        if self.held.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        if let Err(why) = self.target.write_all(&self.held).and_then(|()| self.target.flush()) {
            // Half a row at the end would be taken for a row.
            let kept = match self.target.cut(self.length) {
                Ok(()) => format!("; what is there is valid: the first {} rows", self.rows),
                Err(_) => "; its last row may be cut off".to_owned(),
            };
            return Err(WriteError { path: self.path.clone(), why, kept });
        }
        self.length += u64::try_from(self.held.len()).unwrap_or_default();
        self.rows += std::mem::take(&mut self.rows_held);
        self.held.clear();
        Ok(())
    }
}

/// When a row happened, and where it stood.
type Key = (i64, i32, u64);

fn key(time: Timestamp, place: u64) -> Key {
    (time.as_second(), time.subsec_nanosecond(), place)
}

/// Rows put in time order: in memory up to a size, beyond it through files of sorted runs.
pub(super) struct Sorter {
    folder: PathBuf,
    memory: usize,
    rows: Vec<(Key, Box<[u8]>)>,
    held: usize,
    runs: Vec<Run>,
    places: u64,
}

/// A file of sorted rows, removed when done with.
struct Run(PathBuf);

impl Drop for Run {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Sorter {
    pub(super) fn new(folder: &Path, memory: usize) -> Self {
        let (rows, runs) = (Vec::new(), Vec::new());
        Self { folder: folder.to_owned(), memory, rows, held: 0, runs, places: 0 }
    }

    pub(super) fn push(&mut self, time: Timestamp, line: Vec<u8>) -> Result<(), WriteError> {
        self.held += line.len() + size_of::<(Key, Box<[u8]>)>();
        self.rows.push((key(time, self.places), line.into_boxed_slice()));
        self.places += 1;
        if self.held >= self.memory { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), WriteError> {
        self.rows.sort_unstable_by_key(|(key, _)| *key);
        let name = format!(".import-{}-{}.run", std::process::id(), self.runs.len());
        let run = Run(self.folder.join(name));
        write_run(&run.0, &self.rows).map_err(|error| WriteError::new(&run.0, error))?;
        self.runs.push(run);
        self.rows.clear();
        self.held = 0;
        Ok(())
    }

    /// Writes all rows in order. How many files they went through.
    pub(super) fn finish<T: Target>(mut self, file: &mut RowFile<T>) -> Result<usize, WriteError> {
        if self.runs.is_empty() {
            self.rows.sort_unstable_by_key(|(key, _)| *key);
            for (_, line) in &self.rows {
                file.push(line)?;
            }
            return Ok(0);
        }
        if !self.rows.is_empty() {
            self.spill()?;
        }
        let fail = |run: &Run, error| WriteError::new(&run.0, error);
        let mut readers = Vec::new();
        let mut first = BinaryHeap::new();
        for (place, run) in self.runs.iter().enumerate() {
            let opened = File::open(&run.0).map_err(|error| fail(run, error))?;
            let mut reader = BufReader::new(opened);
            if let Some((key, line)) = read_row(&mut reader).map_err(|error| fail(run, error))? {
                first.push(Reverse((key, place, line)));
            }
            readers.push(reader);
        }
        while let Some(Reverse((_, place, line))) = first.pop() {
            file.push(&line)?;
            let next = read_row(&mut readers[place]);
            if let Some((key, line)) = next.map_err(|error| fail(&self.runs[place], error))? {
                first.push(Reverse((key, place, line)));
            }
        }
        Ok(self.runs.len())
    }
}

fn write_run(path: &Path, rows: &[(Key, Box<[u8]>)]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for ((second, nanosecond, place), line) in rows {
        file.write_all(&second.to_le_bytes())?;
        file.write_all(&nanosecond.to_le_bytes())?;
        file.write_all(&place.to_le_bytes())?;
        file.write_all(&u32::try_from(line.len()).map_err(io::Error::other)?.to_le_bytes())?;
        file.write_all(line)?;
    }
    file.flush()
}

fn read_row(reader: &mut impl Read) -> io::Result<Option<(Key, Box<[u8]>)>> {
    let mut head = [0; 24];
    match reader.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (mut second, mut nanosecond, mut place, mut length) = ([0; 8], [0; 4], [0; 8], [0; 4]);
    second.copy_from_slice(&head[..8]);
    nanosecond.copy_from_slice(&head[8..12]);
    place.copy_from_slice(&head[12..20]);
    length.copy_from_slice(&head[20..]);
    let mut line = vec![0; usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?];
    reader.read_exact(&mut line)?;
    let key =
        (i64::from_le_bytes(second), i32::from_le_bytes(nanosecond), u64::from_le_bytes(place));
    Ok(Some((key, line.into_boxed_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk of so many bytes.
    struct Small(Vec<u8>, usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = (self.1 - self.0.len()).min(bytes.len());
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend_from_slice(&bytes[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Target for Small {
        fn cut(&mut self, length: u64) -> io::Result<()> {
            self.0.truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    #[test]
    fn full_disk_leaves_whole_rows() {
        let disk = Small(Vec::new(), BLOCK + 50_001);
        let mut file = RowFile::new(Path::new("e.csv"), disk, &["a", "b"]);
        let row = csv_line(["1234567890", "x,y"]);
        let error = (0..).find_map(|_| file.push(&row).err()).unwrap();
        assert!(error.to_string().starts_with("e.csv: cannot be written"), "{error}");
        let text = String::from_utf8(file.target.0).unwrap();
        assert!(text.starts_with("a,b\n") && text.ends_with("1234567890,\"x,y\"\n"));
        let rows = text.lines().count() - 1;
        assert!(error.to_string().ends_with(&format!("the first {rows} rows")), "{error}");
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let line = csv_line(["", "a", "b,c", "say \"x\"", " d", ""]);
        assert_eq!(String::from_utf8(line).unwrap(), ",a,\"b,c\",\"say \"\"x\"\"\",\" d\",\n");
        assert_eq!(csv_line(["", "", "x"]), b",,x\n");
    }

    #[test]
    fn sorting_through_files_is_sorting_in_memory() {
        let folder = std::env::temp_dir().join(format!("sts-sorter-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let sorted = |memory| {
            let mut sorter = Sorter::new(&folder, memory);
            for n in 0..1000_i64 {
                let time = Timestamp::from_second(n * 7919 % 500).unwrap();
                sorter.push(time, csv_line([n.to_string().as_str()])).unwrap();
            }
            let disk = Small(Vec::new(), usize::MAX);
            let mut file = RowFile::new(Path::new("e.csv"), disk, &["n"]);
            let runs = sorter.finish(&mut file).unwrap();
            file.flush().unwrap();
            (runs, file.target.0)
        };
        let (none, whole) = sorted(usize::MAX);
        let (several, merged) = sorted(4096);
        assert!(none == 0 && several > 3, "{several}");
        assert_eq!(whole, merged);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
