//! Spreadsheets in XLSX. What they unpack to is measured before anything of them is held.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};

use super::columns::names_known;
use super::source::{Each, Flow, RawRow, open_file};
use crate::input::{InputError, Place};

/// All parts of a file together, unpacked.
const LARGEST: u64 = 4 << 30;
/// The parts that are held in memory: the texts of cells, styles, the list of sheets.
const LARGEST_HELD: u64 = 256 << 20;
/// A part is packed to a hundredth at best; bombs are packed to a thousandth.
const TIGHTEST: u64 = 200;
/// Parts below that size are no bombs, however tight.
const SMALL: u64 = 16 << 20;
const MOST_PARTS: usize = 10_000;
/// Rows in which a header is looked for.
const START: usize = 50;

/// What a cell takes of the file at most, packed, with what stands before it. A cell holds 32,767
/// characters.
const LARGEST_CELL: u64 = 128 << 10;
/// Columns of a sheet.
const MOST_COLUMNS: usize = 16_384;

/// A file that is not read on where more of it is asked for at once than may be: cells are held whole,
/// and one could unpack to gigabytes.
struct Metered {
    file: BufReader<File>,
    left: Rc<Cell<u64>>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            let problem = format!("a cell takes more than {LARGEST_CELL} bytes, packed");
            return Err(io::Error::other(problem));
        }
        let read = self.file.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A workbook, and how much of the file may be read on.
struct Book {
    book: Xlsx<Metered>,
    left: Rc<Cell<u64>>,
}

/// The sheet to read, and the others.
pub(super) fn choose(path: &Path, said: Option<&str>) -> Result<(String, Vec<String>), InputError> {
    let name = path.display().to_string();
    measure(path)?;
    let names = open(path)?.book.sheet_names();
    let chosen = match said {
        Some(said) if names.iter().any(|name| name == said) => said.to_owned(),
        Some(said) => {
            let problem = format!("no sheet {said:?}, expected one of: {}", names.join(", "));
            return Err(InputError::other(&name, &problem));
        }
        None => {
            let mut best: Option<(usize, &String)> = None;
            for sheet in &names {
                let mut known = 0;
                let mut left = START;
                // A sheet that cannot be read (a chart, say) is none to choose.
                let _ = for_each(path, sheet, &mut |row| {
                    known = known.max(names_known(&row.cells));
                    left -= 1;
                    if left == 0 { Flow::Stop } else { Flow::On }
                });
                if best.is_none_or(|(most, _)| known > most) {
                    best = Some((known, sheet));
                }
            }
            match best {
                Some((_, sheet)) => sheet.clone(),
                None => return Err(InputError::other(&name, "holds no sheet, expected one")),
            }
        }
    };
    let others = names.into_iter().filter(|name| *name != chosen).collect();
    Ok((chosen, others))
}

/// Refuses a file whose parts are cut off, damaged, or too large to be unpacked.
fn measure(path: &Path) -> Result<(), InputError> {
    let name = path.display().to_string();
    let fail = |problem: &str| InputError::other(&name, problem);
    let mut archive = zip::ZipArchive::new(BufReader::new(open_file(path)?)).map_err(|error| {
        fail(&format!("cannot be opened as XLSX ({error}), expected a whole file: is it cut off?"))
    })?;
    if archive.len() > MOST_PARTS {
        let problem = format!("{} parts, expected at most {MOST_PARTS}", archive.len());
        return Err(fail(&problem));
    }
    let (mut all, mut held) = (0_u64, 0_u64);
    for place in 0..archive.len() {
        let damaged = |error: &dyn std::fmt::Display, part: &str| {
            fail(&format!("part {part:?} cannot be unpacked ({error}): is the file damaged?"))
        };
        let number = format!("#{}", place + 1);
        let part = archive.by_index_data(place).map_err(|error| damaged(&error, &number))?;
        let part_name = part.name().map_or(number, std::borrow::Cow::into_owned);
        let (size, packed) = (part.size(), part.compressed_size());
        let is_sheet = part_name.starts_with("xl/worksheets/");
        all = all.saturating_add(size);
        held = held.saturating_add(if is_sheet { 0 } else { size });
        let bomb = size > SMALL && size / packed.max(1) > TIGHTEST;
        if bomb || all > LARGEST || held > LARGEST_HELD {
            return Err(fail(&format!(
                "part {part_name:?} unpacks from {packed} to {size} bytes, expected at most \
                 {LARGEST_HELD} in memory, {LARGEST} in all, and {TIGHTEST} to one: not opened"
            )));
        }
        // What is declared may be a lie: unpacked once, into nothing.
        let part = archive.by_index(place).map_err(|error| damaged(&error, &part_name))?;
        let real = io::copy(&mut part.take(size + 1), &mut io::sink())
            .map_err(|error| damaged(&error, &part_name))?;
        if real > size {
            let problem = format!(
                "part {part_name:?} unpacks to more than the {size} bytes that it declares"
            );
            return Err(fail(&problem));
        }
    }
    Ok(())
}

fn open(path: &Path) -> Result<Book, InputError> {
    let left = Rc::new(Cell::new(u64::MAX));
    let file = Metered { file: BufReader::new(open_file(path)?), left: left.clone() };
    let book = Xlsx::new(file).map_err(|error| {
        let problem = format!("cannot be read as XLSX ({error}), expected a workbook");
        InputError::other(&path.display().to_string(), &problem)
    })?;
    Ok(Book { book, left })
}

/// Gives every row that holds something.
pub(super) fn for_each(path: &Path, sheet: &str, each: Each<'_>) -> Result<(), InputError> {
    let name = path.display().to_string();
    let Book { mut book, left } = open(path)?;
    let fail = |row: u64, error: calamine::XlsxError| {
        let place = if row == 0 { Place::file(&name) } else { Place::line(&name, row) };
        InputError::new(place, format!("sheet {sheet:?} cannot be read on ({error})"))
    };
    left.set(LARGEST_CELL);
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| fail(0, error))?;
    let mut row = RawRow::default();
    loop {
        left.set(LARGEST_CELL);
        let cell = cells.next_cell().map_err(|error| fail(row.line, error))?;
        let line = cell.as_ref().map(|cell| u64::from(cell.get_position().0) + 1);
        if line != Some(row.line) {
            let full = row.cells.iter().any(|cell| !cell.trim().is_empty());
            if full && each(std::mem::take(&mut row)) == Flow::Stop {
                return Ok(());
            }
            row = RawRow { line: line.unwrap_or_default(), ..RawRow::default() };
        }
        let Some(cell) = cell else { return Ok(()) };
        let column = usize::try_from(cell.get_position().1).unwrap_or_default();
        if column >= MOST_COLUMNS {
            let problem = format!("column {}, expected at most {MOST_COLUMNS}", column + 1);
            return Err(InputError::new(Place::line(&name, row.line), problem));
        }
        if row.cells.len() <= column {
            row.cells.resize(column + 1, String::new());
        }
        row.cells[column] = text(cell.get_value());
    }
}

/// A cell as text, as an export to CSV would have it.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(time) => time_text(time),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A number with all digits that the cell holds: fifteen where it was typed into the sheet, else
/// those of the double, so that the damage is seen for what it is.
pub(super) fn number_text(number: f64) -> String {
    let shortest = number.to_string();
    let kept = shortest.trim_start_matches('-').trim_end_matches('0').len();
    if number.abs() < 1e15 || number.fract() != 0.0 || kept <= 15 {
        shortest
    } else {
        format!("{number:.0}")
    }
}

fn time_text(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let value = time.as_f64();
    let parts = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    let clock = format!("{hour:02}:{minute:02}:{second:02}{parts}");
    if time.is_duration() || (0.0..1.0).contains(&value) {
        return clock;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if value.fract() == 0.0 { date } else { format!("{date} {clock}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_the_sheet_did_to_them() {
        assert_eq!(number_text(45.3), "45.3");
        assert_eq!(number_text(1_202_401_012.0), "1202401012");
        assert_eq!(number_text(1.234_567_890_123_45e19), "12345678901234500000");
        assert_eq!(number_text(1.234_567_890_123_456_7e19), "12345678901234567168");
    }
}
