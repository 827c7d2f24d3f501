//! Tables as people export them: CSV with a header, whatever its delimiter and line ends.

use std::io::Write;
use std::path::Path;

use crate::input::{InputError, Place, Rejected, nearest};

/// The columns of a kind of table.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "written out where a table is read")]
pub struct Columns {
    /// At least one name of each group must be there.
    pub required: &'static [&'static [&'static str]],
    /// These may be.
    pub optional: &'static [&'static str],
}

impl Columns {
    pub(crate) fn known(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().copied().flatten().chain(self.optional).copied()
    }
}

/// A table read whole: good rows and those that are no rows of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Table {
    /// The file's name.
    pub file: String,
    /// The names of the columns, as they stand.
    pub header: Vec<String>,
    /// Good rows.
    pub rows: Vec<Row>,
    /// Rows with too few or too many fields, or bytes that are not UTF-8.
    pub rejected: Vec<Rejected>,
}

/// A row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// Its line, from 1.
    pub line: u64,
    /// Its fields as they stand.
    pub original: Vec<String>,
    header: std::rc::Rc<[String]>,
}

impl Row {
    /// A field, trimmed; `None` where the column is absent or the field empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A field as it stands.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        let place = self.header.iter().position(|column| column == name)?;
        self.original.get(place).map(String::as_str)
    }
}

impl Table {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// [`InputError`]: unreadable, empty, or a header that does not fit.
    pub fn read_file(path: &Path, columns: &Columns) -> Result<Self, InputError> {
        let name = path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let unreadable = |error: std::io::Error| {
            InputError::unreadable(&path.display().to_string(), &error.to_string())
        };
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
                .map_err(unreadable)?;
            return Self::read("stdin", &bytes, columns);
        }
        Self::read(&name, &std::fs::read(path).map_err(unreadable)?, columns)
    }

    /// Reads a table.
    ///
    /// # Errors
    ///
    /// [`InputError`]: empty, or a header that does not fit.
    pub fn read(file: &str, bytes: &[u8], columns: &Columns) -> Result<Self, InputError> {
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        Self::read_by(delimiter(bytes), file, bytes, columns)
    }

    /// Reads a table with this between fields.
    fn read_by(
        delimiter: u8,
        file: &str,
        bytes: &[u8],
        columns: &Columns,
    ) -> Result<Self, InputError> {
        if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
            return Err(InputError::other(
                file,
                "the file is UTF-16, expected UTF-8: save it as CSV UTF-8",
            ));
        }
        let mut reader = reader(bytes, delimiter);
        let mut records = reader.byte_records();
        let header_record = match records.next() {
            Some(Ok(record)) => record,
            Some(Err(error)) => return Err(InputError::other(file, &error.to_string())),
            None => csv::ByteRecord::new(),
        };
        let header: Vec<String> = header_record
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_owned())
            .collect();
        check_header(file, &header, columns)?;
        let shared: std::rc::Rc<[String]> = header.clone().into();

        let mut lines = Lines { bytes, offset: 0, line: 1 };
        let mut table =
            Self { file: file.to_owned(), header, rows: Vec::new(), rejected: Vec::new() };
        drop(records);
        let mut start = usize::try_from(reader.position().byte()).unwrap_or(bytes.len());
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            start = table.read_rows(rest, start, delimiter, &shared, &mut lines);
        }
        Ok(table)
    }

    /// The names of the columns, of a header that stands alone, without the rows that would tell what
    /// is between its fields.
    pub(crate) fn header(
        file: &str,
        header: &[u8],
        delimiter: u8,
        columns: &Columns,
    ) -> Result<Vec<String>, InputError> {
        Ok(Self::read_by(delimiter, file, header, columns)?.header)
    }

    /// A part of a file, whole rows of it, read behind the file's header; the first of them stands in
    /// line `first`.
    pub(crate) fn read_part(
        file: &str,
        header: &[String],
        delimiter: u8,
        rows: &[u8],
        first: u64,
        columns: &Columns,
    ) -> Result<Self, InputError> {
        let header = header.join(&char::from(delimiter).to_string()) + "\n";
        let bytes = [header.as_bytes(), rows].concat();
        let mut table = Self::read_by(delimiter, file, &bytes, columns)?;
        let real = |line: u64| first + line.saturating_sub(2);
        for row in &mut table.rows {
            row.line = real(row.line);
        }
        for bad in &mut table.rejected {
            bad.place.line = bad.place.line.map(real);
        }
        Ok(table)
    }

    /// Reads rows from byte `start` on, and says where to go on: behind a line whose quote would take
    /// the lines that follow for one field.
    fn read_rows(
        &mut self,
        bytes: &[u8],
        start: usize,
        delimiter: u8,
        header: &std::rc::Rc<[String]>,
        lines: &mut Lines<'_>,
    ) -> usize {
        let table = self;
        let file = table.file.clone();
        let file = file.as_str();
        let end = start + bytes.len();
        for record in reader(bytes, delimiter).byte_records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    table.rejected.push(Rejected::new(
                        Place::line(file, line),
                        Vec::new(),
                        error.to_string(),
                    ));
                    continue;
                }
            };
            let from = record.position().map_or(0, csv::Position::byte);
            let from = usize::try_from(from).unwrap_or_default();
            let line = lines.of(start + from);
            let from = from + blank(bytes.get(from..).unwrap_or_default());
            let raw = bytes.get(from..).unwrap_or_default();
            if is_broken(raw, delimiter) {
                let length = raw.iter().position(|byte| *byte == b'\n').unwrap_or(raw.len());
                let text = words(&raw[..length]);
                let original = text.trim_end_matches('\r').split(char::from(delimiter));
                table.rejected.push(Rejected::new(
                    Place::line(file, line),
                    original.map(str::to_owned).collect(),
                    "a quote is never closed where its field ends, expected a pair",
                ));
                return start + from + length;
            }
            let original: Vec<String> = record.iter().map(words).collect();
            if original.iter().all(|field| field.trim().is_empty()) {
                continue;
            }
            let broken = record.iter().position(|field| std::str::from_utf8(field).is_err());
            let reason = if let Some(place) = broken {
                let name = table.header.get(place).cloned().unwrap_or_default();
                format!("column {name:?} is not UTF-8 (here as Latin-1), expected UTF-8")
            } else if original.len() != table.header.len() {
                format!(
                    "{} fields, expected {} as in the header",
                    original.len(),
                    table.header.len()
                )
            } else {
                table.rows.push(Row { line, original, header: header.clone() });
                continue;
            };
            table.rejected.push(Rejected::new(Place::line(file, line), original, reason));
        }
        end
    }
}

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(bytes)
}

/// The delimiter, and where the header ends.
pub(crate) fn header_end(bytes: &[u8]) -> (u8, usize) {
    let delimiter = delimiter(bytes);
    let mut reader = reader(bytes, delimiter);
    // A slice can always be read, and what is wrong with the header is told when it is used.
    let _ = reader.read_byte_record(&mut csv::ByteRecord::new());
    (delimiter, usize::try_from(reader.position().byte()).unwrap_or(bytes.len()))
}

/// A field as text; what is not UTF-8 as Latin-1, which loses no byte.
fn words(field: &[u8]) -> String {
    match std::str::from_utf8(field) {
        Ok(text) => text.to_owned(),
        Err(_) => field.iter().copied().map(char::from).collect(),
    }
}

/// The number of line ends in front of a record.
fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether a quote that opens a field of the first record is never closed, or is closed by one in
/// the middle of another field.
fn is_broken(bytes: &[u8], delimiter: u8) -> bool {
    let (mut place, mut at_start) = (0, true);
    while let Some(byte) = bytes.get(place) {
        place += 1;
        if at_start && *byte == b'"' {
            loop {
                match (bytes.get(place), bytes.get(place + 1)) {
                    (None, _) => return true,
                    (Some(b'"'), Some(b'"')) => place += 2,
                    (Some(b'"'), next) => {
                        let ends = [delimiter, b'\r', b'\n'];
                        if next.is_some_and(|next| !ends.contains(next)) {
                            return true;
                        }
                        place += 1;
                        break;
                    }
                    _ => place += 1,
                }
            }
            at_start = false;
        } else if matches!(byte, b'\r' | b'\n') {
            return false;
        } else {
            at_start = *byte == delimiter;
        }
    }
    false
}

/// Counts lines up to a record's first byte. The reader's own count is off by one after CRLF.
struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, offset: usize) -> u64 {
        while let Some(byte) = self.bytes.get(self.offset) {
            if self.offset >= offset && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.offset += 1;
        }
        self.line
    }
}

/// In front of UTF-8, as some programs write it.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How far the delimiter is looked for, in bytes; little in tests. The first block of a file must have as
/// many, since a quote may never be closed, and a file in blocks is to be read as one that is whole.
pub(crate) const SNIFFED: usize = if cfg!(test) { 1 << 9 } else { 64 << 10 };

/// The one of `,` `;` and tab that the header has most of, quotes left out.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let (mut quoted, mut named) = (false, false);
    for byte in bytes.iter().take(SNIFFED) {
        named |= !byte.is_ascii_whitespace();
        match byte {
            b'"' => quoted = !quoted,
            // Blank lines in front of the header tell nothing.
            b'\r' | b'\n' if !quoted && counts.iter().any(|(_, count)| *count > 0) => break,
            b'\r' | b'\n' if !quoted && named => break,
            _ if quoted => {}
            _ => {
                for (delimiter, count) in &mut counts {
                    *count += usize::from(byte == delimiter);
                }
            }
        }
    }
    // The first of equals: a comma when there is one column.
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    counts.iter().find(|(_, count)| *count == most).map_or(b',', |(delimiter, _)| *delimiter)
}

/// Characters of a column's name that are shown.
const SHOWN: usize = 60;

fn check_header(file: &str, header: &[String], columns: &Columns) -> Result<(), InputError> {
    let known = || columns.known().collect::<Vec<_>>().join(", ");
    if header.iter().all(String::is_empty) {
        let problem =
            "the file is empty or begins with an empty row, expected a header with columns of";
        return Err(InputError::other(file, &format!("{problem}: {}", known())));
    }
    let place = || Place::line(file, 1);
    for (index, name) in header.iter().enumerate() {
        if header[..index].contains(name) {
            let problem = format!("column {name:?} stands twice, expected once");
            return Err(InputError::new(place(), problem));
        }
        if !columns.known().chain(REJECT).any(|known| known == name) {
            let hint = match nearest(name, columns.known()) {
                Some(near) => format!("is {near:?} meant?"),
                None => format!("expected columns of: {}", known()),
            };
            let mut shown: String = name.chars().take(SHOWN).collect();
            if shown.len() < name.len() {
                shown.push('\u{2026}');
            }
            return Err(InputError::new(place(), format!("unknown column {shown:?}; {hint}")));
        }
    }
    for group in columns.required {
        if !group.iter().any(|name| header.iter().any(|column| column == name)) {
            let problem = format!("no column {:?}, expected in the header", group.join(" or "));
            return Err(InputError::new(place(), problem));
        }
    }
    Ok(())
}

/// The columns that a file of rejected rows has more. They are passed over when it is read again.
const REJECT: [&str; 2] = ["reject_line", "reject_reason"];

/// Writes rows that were not taken, with line and reason behind their own fields.
///
/// A field that a spreadsheet would run as a formula gets an apostrophe in front.
///
/// # Errors
///
/// What the writer says.
pub fn write_rejects(
    writer: impl Write,
    header: &[String],
    rejected: &[Rejected],
) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(writer);
    let longest = rejected.iter().map(|row| row.row.len()).max().unwrap_or(0);
    let (width, columns) = reject_header(header, longest);
    writer.write_record(columns)?;
    for row in rejected {
        writer.write_record(reject_fields(row, width))?;
    }
    writer.flush()?;
    Ok(())
}

/// How many fields of a row have columns in a file of rejected rows, where the longest row has so
/// many, and the names of all columns.
pub(crate) fn reject_header(header: &[String], longest: usize) -> (usize, Vec<String>) {
    let own = header.iter().filter(|name| !REJECT.contains(&name.as_str()));
    let mut columns: Vec<String> = own.cloned().collect();
    columns.extend((columns.len()..longest).map(|n| format!("field_{}", n + 1)));
    let width = columns.len();
    columns.extend(REJECT.map(str::to_owned));
    (width, columns)
}

/// A rejected row: as many of its fields as have columns, line and reason, then the others.
pub(crate) fn reject_fields(row: &Rejected, width: usize) -> Vec<String> {
    let mut fields: Vec<String> = row.row.iter().map(|field| guarded(field)).collect();
    let others = if fields.len() > width { fields.split_off(width) } else { Vec::new() };
    fields.resize(width, String::new());
    fields.push(row.place.line.map(|line| line.to_string()).unwrap_or_default());
    let reason = match &row.place.field {
        Some(field) => format!("{field}: {}", row.reason),
        None => row.reason.clone(),
    };
    fields.push(guarded(&reason));
    fields.extend(others);
    fields
}

pub(crate) fn guarded(field: &str) -> String {
    let runs = field.starts_with(['=', '+', '@', '\t', '\r'])
        || (field.starts_with('-') && field.parse::<f64>().is_err());
    if runs { format!("'{field}") } else { field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns = Columns { required: &[&["id"]], optional: &["token", "note"] };

    fn read(bytes: &[u8]) -> Result<Table, String> {
        Table::read("t.csv", bytes, &COLUMNS).map_err(|error| error.to_string())
    }

    #[test]
    fn read_with_bom_crlf_semicolons_and_quotes() {
        let table = read(b"\xEF\xBB\xBFid;token\r\n1;\"a;b\"\r\n2; c \r\n").unwrap();
        assert_eq!(table.rows[0].get("token"), Some("a;b"));
        assert_eq!(table.rows[1].get("token"), Some("c"));
        assert_eq!(table.rows[1].line, 3);
    }

    #[test]
    fn delimiter_is_that_of_the_header_alone() {
        let rows = read(b"id;token\r1,2,3;x\n").unwrap();
        assert_eq!(rows.header, ["id", "token"]);
        assert_eq!(rows.rows[0].get("id"), Some("1,2,3"));
        assert_eq!(delimiter(b"\r\n\r\nid;token\n1,2,3"), b';');
        let open = [b"\"id;token\"\"".as_slice(), &[b'x'; SNIFFED], b"\";,,"].concat();
        assert_eq!(delimiter(&open), b',', "nothing is told by what stands far behind");
    }

    #[test]
    fn read_of_bad_headers_says_what_was_expected() {
        assert!(read(b"").unwrap_err().contains("empty"));
        assert!(read(b"\t\n1\t2\n").unwrap_err().contains("begins with an empty row"));
        assert!(read(b"\xFF\xFEi\0d\0").unwrap_err().contains("UTF-16"));
        assert!(read(b"token\n1\n").unwrap_err().contains("no column \"id\""));
        assert!(read(b"id,id\n").unwrap_err().contains("stands twice"));
        assert!(read(b"id,tokn\n").unwrap_err().contains("is \"token\" meant?"));
        assert!(read(b"id\n").unwrap().rows.is_empty());
    }

    #[test]
    fn read_of_bad_rows_keeps_the_good_ones() {
        let table = read(b"id,token\n1\n2,\xFF\n3,x\n4,x,y\n").unwrap();
        assert_eq!(table.rows.len(), 1);
        assert_eq!(table.rejected.len(), 3);
        let mut written = Vec::new();
        write_rejects(&mut written, &table.header, &table.rejected).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert!(written.contains("2,\u{FF},,3,"), "{written}");
    }

    #[test]
    fn rejects_guard_formulas() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("-5"), "-5");
    }
}
