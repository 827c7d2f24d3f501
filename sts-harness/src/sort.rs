//! Rows put in time order: in memory up to a size, beyond it through files of sorted runs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::row_file::WriteError;

/// When a row happened, and where it stood: equal times stay in the order of the file.
type Key = (i64, i32, u64);

fn key(time: Timestamp, place: u64) -> Key {
    (time.as_second(), time.subsec_nanosecond(), place)
}

/// A row of a run, and which.
type First = (Key, usize, Box<[u8]>);

/// Takes rows in any order.
pub(crate) struct Sorter {
    folder: PathBuf,
    memory: usize,
    rows: Vec<(Key, Box<[u8]>)>,
    held: usize,
    runs: Vec<Run>,
    places: u64,
}

/// A file of sorted rows, removed when done with.
struct Run {
    path: PathBuf,
    file: Option<File>,
    /// Whether its name is in the folder still.
    named: bool,
}

impl Run {
    fn create(path: PathBuf) -> Result<Self, WriteError> {
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|error| WriteError::new(&path, error))?;
        // Where a file can be open without a name, none is left whatever ends the run.
        let named = std::fs::remove_file(&path).is_err();
        Ok(Self { path, file: Some(file), named })
    }

    fn failed(&self, error: io::Error) -> WriteError {
        WriteError::new(&self.path, error)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.file.take());
        if self.named {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Sorter {
    /// With files in a folder once the rows take so many bytes of memory.
    pub(crate) fn new(folder: &Path, memory: usize) -> Self {
        let (rows, runs) = (Vec::new(), Vec::new());
        Self { folder: folder.to_owned(), memory, rows, held: 0, runs, places: 0 }
    }

    pub(crate) fn push(&mut self, time: Timestamp, row: Box<[u8]>) -> Result<(), WriteError> {
        self.held += row.len() + size_of::<(Key, Box<[u8]>)>();
        self.rows.push((key(time, self.places), row));
        self.places += 1;
        if self.held >= self.memory { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), WriteError> {
        self.rows.sort_unstable_by_key(|(key, _)| *key);
        let name = format!(".sort-{}-{}.run", std::process::id(), self.runs.len());
        let mut run = Run::create(self.folder.join(name))?;
        if let Some(file) = &mut run.file {
            write_run(file, &self.rows).map_err(|error| WriteError::new(&run.path, error))?;
        }
        self.runs.push(run);
        self.rows.clear();
        self.held = 0;
        Ok(())
    }

    /// The rows in order.
    pub(crate) fn finish(mut self) -> Result<Sorted, WriteError> {
        let files = self.runs.len();
        if files > 0 && !self.rows.is_empty() {
            self.spill()?;
        }
        self.rows.sort_unstable_by_key(|(key, _)| *key);
        let mut sorted =
            Sorted { rows: self.rows.into_iter(), runs: Vec::new(), first: BinaryHeap::new() };
        for (place, mut run) in self.runs.into_iter().enumerate() {
            let Some(file) = run.file.take() else { continue };
            sorted.runs.push((run, BufReader::new(file)));
            sorted.read(place)?;
        }
        Ok(sorted)
    }
}

/// Rows in time order.
pub(crate) struct Sorted {
    /// All of them, where they went through no file.
    rows: std::vec::IntoIter<(Key, Box<[u8]>)>,
    runs: Vec<(Run, BufReader<File>)>,
    /// The first row of each run that is not yet given.
    first: BinaryHeap<Reverse<First>>,
}

impl Sorted {
    /// How many files they went through.
    pub(crate) fn files(&self) -> usize {
        self.runs.len()
    }

    fn read(&mut self, place: usize) -> Result<(), WriteError> {
        let (run, reader) = &mut self.runs[place];
        if let Some((key, row)) = read_row(reader).map_err(|error| run.failed(error))? {
            self.first.push(Reverse((key, place, row)));
        }
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = Result<Box<[u8]>, WriteError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((_, row)) = self.rows.next() {
            return Some(Ok(row));
        }
        let Reverse((_, place, row)) = self.first.pop()?;
        Some(self.read(place).map(|()| row))
    }
}

fn write_run(file: &mut File, rows: &[(Key, Box<[u8]>)]) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    for ((second, nanosecond, place), line) in rows {
        file.write_all(&second.to_le_bytes())?;
        file.write_all(&nanosecond.to_le_bytes())?;
        file.write_all(&place.to_le_bytes())?;
        file.write_all(&u32::try_from(line.len()).map_err(io::Error::other)?.to_le_bytes())?;
        file.write_all(line)?;
    }
    file.flush()?;
    file.seek(SeekFrom::Start(0)).map(|_| ())
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

    #[test]
    fn sorting_through_files_is_sorting_in_memory() {
        let folder = std::env::temp_dir().join(format!("sts-sorter-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let sorted = |memory| {
            let mut sorter = Sorter::new(&folder, memory);
            for n in 0..1000_i64 {
                let time = Timestamp::from_second(n * 7919 % 500).unwrap();
                sorter.push(time, n.to_string().into_bytes().into()).unwrap();
            }
            let sorted = sorter.finish().unwrap();
            (sorted.files(), sorted.collect::<Result<Vec<_>, _>>().unwrap())
        };
        let (none, whole) = sorted(usize::MAX);
        let (several, merged) = sorted(4096);
        assert!(none == 0 && several > 3, "{several}");
        assert_eq!(whole, merged);
        // Equal times in the order they came.
        assert_eq!((&*whole[0], &*whole[1]), (&b"0"[..], &b"500"[..]));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
