//! Files of rows, written so that what is there is valid at any moment.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A line of CSV, its end included.
pub(crate) fn csv_line<'a>(fields: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
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
    pub(crate) fn new(path: &Path, why: io::Error) -> Self {
        Self { path: path.to_owned(), why, kept: String::new() }
    }
}

/// What rows are written to.
pub(crate) trait Target: Write {
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
#[derive(Debug)]
pub(crate) struct RowFile<T> {
    path: PathBuf,
    target: T,
    held: Vec<u8>,
    rows_held: u64,
    /// Bytes and rows that are in the file for good.
    length: u64,
    rows: u64,
}

impl RowFile<File> {
    /// A new file that begins with a line, or with none.
    pub(crate) fn create(path: &Path, header: Vec<u8>) -> Result<Self, WriteError> {
        let file = File::create(path).map_err(|error| WriteError::new(path, error))?;
        Ok(Self::new(path, file, header))
    }

    /// The file of a run that was interrupted and is repeated: the same rows are written over it, so
    /// that it is never shorter than it was.
    pub(crate) fn write_over(path: &Path, header: Vec<u8>) -> Result<Self, WriteError> {
        let file = File::options().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| WriteError::new(path, error))?;
        Ok(Self::new(path, file, header))
    }

    /// Writes what is held, and sees that it is on disk.
    pub(crate) fn finish(mut self) -> Result<PathBuf, WriteError> {
        self.flush()?;
        let Self { path, target, length, .. } = self;
        let finished = target.metadata().and_then(|of| {
            // Devices have neither a length nor a disk.
            if !of.is_file() {
                return Ok(());
            }
            if of.len() > length {
                target.set_len(length)?;
            }
            target.sync_all()
        });
        finished.map_err(|error| WriteError::new(&path, error))?;
        Ok(path)
    }
}

impl<T: Target> RowFile<T> {
    pub(crate) fn new(path: &Path, target: T, header: Vec<u8>) -> Self {
        let held = header;
        Self { path: path.to_owned(), target, held, rows_held: 0, length: 0, rows: 0 }
    }

    /// One more row, its line end included.
    pub(crate) fn push(&mut self, line: &[u8]) -> Result<(), WriteError> {
        self.held.extend_from_slice(line);
        self.rows_held += 1;
        if self.held.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// Writes what is held.
    pub(crate) fn flush(&mut self) -> Result<(), WriteError> {
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
        let mut file = RowFile::new(Path::new("e.csv"), disk, csv_line(["a", "b"]));
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
}
