//! Delimited text: CSV, TSV and their kin, a record at a time.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::source::{Each, Flow, RawRow, broken};
use super::text::{LONGEST_LINE, Line, Lines, words};
use crate::input::InputError;

/// A quoted field may go over so many lines.
const MOST_LINES: usize = 64;

/// What a line comes to.
enum Parsed {
    Fields(Vec<String>),
    /// A quote is open at its end: the field may go on in the next line.
    Open,
    /// A quote is closed where its field does not end.
    Broken,
}

fn parse(text: &str, delimiter: u8) -> Parsed {
    let delimiter = char::from(delimiter);
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            match rest.split_once(delimiter) {
                Some((field, after)) => {
                    fields.push(field.to_owned());
                    rest = after;
                    continue;
                }
                None => {
                    fields.push(rest.to_owned());
                    return Parsed::Fields(fields);
                }
            }
        };
        let mut field = String::new();
        let mut inside = quoted;
        loop {
            let Some((part, after)) = inside.split_once('"') else { return Parsed::Open };
            field.push_str(part);
            match after.strip_prefix('"') {
                Some(after) => {
                    field.push('"');
                    inside = after;
                }
                None => {
                    inside = after;
                    break;
                }
            }
        }
        fields.push(field);
        match inside.strip_prefix(delimiter) {
            Some(after) => rest = after,
            None if inside.is_empty() => return Parsed::Fields(fields),
            None => return Parsed::Broken,
        }
    }
}

/// The fields of a line that is whole.
pub(super) fn fields_of(line: &str, delimiter: u8) -> Option<Vec<String>> {
    match parse(line, delimiter) {
        Parsed::Fields(fields) => Some(fields),
        _ => None,
    }
}

/// Lines read ahead where a quote was open.
struct Ahead<R> {
    lines: Lines<R>,
    held: VecDeque<(u64, Line)>,
    first: bool,
}

impl<R: BufRead> Ahead<R> {
    fn next(&mut self) -> io::Result<Option<(u64, Line)>> {
        if let Some(line) = self.held.pop_front() {
            return Ok(Some(line));
        }
        let first = std::mem::take(&mut self.first);
        self.lines.next(first)
    }

    /// The line so many behind the next, where it is there.
    fn peek(&mut self, place: usize) -> io::Result<Option<&Line>> {
        while self.held.len() <= place {
            match self.lines.next(false)? {
                Some(line) => self.held.push_back(line),
                None => return Ok(None),
            }
        }
        Ok(self.held.get(place).map(|(_, line)| line))
    }
}

/// Gives every record. Lines that are none come with what is wrong.
pub(super) fn for_each(
    lines: Lines<impl BufRead>,
    delimiter: u8,
    is_utf8: bool,
    name: &str,
    each: Each<'_>,
) -> Result<(), InputError> {
    let unreadable = |error: io::Error| InputError::unreadable(name, &error.to_string());
    let mut ahead = Ahead { lines, held: VecDeque::new(), first: true };
    while let Some((number, line)) = ahead.next().map_err(unreadable)? {
        let bytes = match line {
            Line::Whole(bytes) => bytes,
            Line::TooLong(length, start) if number == 1 => {
                return Err(broken(
                    name,
                    1,
                    format!(
                        "the line has {length} bytes or more and opens with {:?}, expected a header \
                         and rows of at most {LONGEST_LINE} bytes",
                        words(&start[..start.len().min(40)]).0
                    ),
                ));
            }
            Line::TooLong(length, start) => {
                let problem =
                    format!("the line has {length} bytes, expected at most {LONGEST_LINE}");
                let (text, _) = words(&start);
                let row = RawRow {
                    line: number,
                    problem: Some((None, problem)),
                    original: Some(format!("{text}…")),
                    ..RawRow::default()
                };
                if each(row) == Flow::Stop {
                    return Ok(());
                }
                continue;
            }
        };
        let row = record(number, &bytes, delimiter, is_utf8, &mut ahead).map_err(unreadable)?;
        if row.cells.iter().all(|cell| cell.trim().is_empty()) && row.problem.is_none() {
            continue;
        }
        if each(row) == Flow::Stop {
            return Ok(());
        }
    }
    Ok(())
}

/// The record that begins with a line; those that it goes on in are taken.
fn record<R: BufRead>(
    line: u64,
    bytes: &[u8],
    delimiter: u8,
    is_utf8: bool,
    ahead: &mut Ahead<R>,
) -> io::Result<RawRow> {
    let (mut text, mut wrong) = words(bytes);
    if !is_utf8 && text.contains('\u{FFFD}') {
        wrong = Some("holds bytes that are not in the file's encoding".to_owned());
    }
    let mut parsed = parse(&text, delimiter);
    if matches!(parsed, Parsed::Open) {
        let mut joined = text.clone();
        let mut taken = 0;
        while taken < MOST_LINES && joined.len() <= LONGEST_LINE {
            let Some(Line::Whole(next)) = ahead.peek(taken)? else { break };
            joined.push('\n');
            joined.push_str(&words(next).0);
            taken += 1;
            match parse(&joined, delimiter) {
                Parsed::Open => {}
                Parsed::Broken => break,
                fields @ Parsed::Fields(_) => {
                    parsed = fields;
                    ahead.held.drain(..taken);
                    text = joined;
                    break;
                }
            }
        }
    }
    let row = RawRow { line, ..RawRow::default() };
    Ok(match (parsed, wrong) {
        (Parsed::Fields(cells), None) => RawRow { cells, ..row },
        (Parsed::Fields(cells), Some(wrong)) => {
            RawRow { cells, problem: Some((None, wrong)), ..row }
        }
        // The line alone is given up, so that an open quote does not take the rows that follow.
        (Parsed::Open | Parsed::Broken, _) => RawRow {
            problem: Some((
                None,
                "a quote is never closed where its field ends, expected a pair".to_owned(),
            )),
            original: Some(text),
            ..row
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<RawRow> {
        let mut rows = Vec::new();
        let lines = Lines::new(io::BufReader::new(text), b'\n');
        for_each(lines, b',', true, "t.csv", &mut |row| {
            rows.push(row);
            Flow::On
        })
        .unwrap();
        rows
    }

    #[test]
    fn quotes_and_lines_within_them() {
        let rows = rows(b"a,\"b,\"\"c\"\"\"\r\n\n\"x\ny\",z\n1,2\n");
        let cells: Vec<_> = rows.iter().map(|row| row.cells.join("|")).collect();
        assert_eq!(cells, ["a|b,\"c\"", "x\ny|z", "1|2"]);
        let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [1, 3, 5]);
    }

    #[test]
    fn open_quote_costs_its_line_alone() {
        let rows = rows(b"1,\"oops\n2,y\n3,\"a\"b,c\n4,z\n");
        let bad: Vec<_> = rows.iter().filter(|r| r.problem.is_some()).map(|r| r.line).collect();
        assert_eq!((rows.len(), bad), (4, vec![1, 3]));
        assert_eq!(rows[0].original.as_deref(), Some("1,\"oops"));
    }

    #[test]
    fn other_encoding_in_a_line_is_said_and_nothing_is_lost() {
        let rows = rows(b"a,b\ncaf\xE9,1\n");
        assert_eq!(rows[1].cells, ["café", "1"]);
        assert!(rows[1].problem.as_ref().unwrap().1.contains("0xE9"));
    }

    #[test]
    fn endless_line_is_no_table() {
        let lines = Lines::new(io::BufReader::new(io::repeat(b'7')), b'\n');
        let error = for_each(lines, b',', true, "t.csv", &mut |_| Flow::On).unwrap_err();
        assert!(error.to_string().contains("t.csv:1: the line has"), "{error}");
    }
}
