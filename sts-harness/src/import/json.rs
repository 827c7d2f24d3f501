//! Objects of JSON, one a line or in one array. Nested names are joined with points; an array of
//! objects, such as the tokens of a sale, gives a row for each.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::source::{Each, Flow, RawRow, broken};
use super::text::{LONGEST_LINE, Line, Lines, TextForm, words};
use crate::input::InputError;

/// Objects within objects that are taken apart.
const DEEPEST: usize = 8;
/// Names of columns that a file may have.
const MOST_NAMES: usize = 4096;

/// An object with its values as they are written: numbers keep every digit.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, &'de RawValue>()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// The columns met so far.
struct Names<'a> {
    names: &'a mut Vec<String>,
    places: HashMap<String, usize>,
}

impl Names<'_> {
    fn put(&mut self, cells: &mut Vec<String>, name: &str, value: String) -> Result<(), String> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.names.len() == MOST_NAMES => {
                return Err(format!(
                    "more than {MOST_NAMES} names, expected the columns of a table"
                ));
            }
            None => {
                self.names.push(name.to_owned());
                self.places.insert(name.to_owned(), self.names.len() - 1);
                self.names.len() - 1
            }
        };
        if cells.len() <= place {
            cells.resize(place + 1, String::new());
        }
        if !cells[place].is_empty() {
            return Err(format!("the name {name:?} stands twice, expected once"));
        }
        cells[place] = value;
        Ok(())
    }

    /// The rows of an object: one, or one for each element of its first array.
    fn rows(&mut self, text: &str) -> Result<Vec<Vec<String>>, String> {
        let mut cells = Vec::new();
        let mut several = None;
        self.flatten(text, "", 0, &mut cells, &mut several)?;
        let Some((name, elements)) = several else { return Ok(vec![cells]) };
        let mut rows = Vec::new();
        for element in elements {
            let mut row = cells.clone();
            if element.get().starts_with('{') {
                self.flatten(element.get(), &format!("{name}."), 1, &mut row, &mut None)?;
            } else {
                self.put(&mut row, &name, scalar(element)?)?;
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn flatten<'a>(
        &mut self,
        text: &'a str,
        before: &str,
        depth: usize,
        cells: &mut Vec<String>,
        several: &mut Option<(String, Vec<&'a RawValue>)>,
    ) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("objects in objects, expected at most {DEEPEST} levels"));
        }
        let Object(pairs) = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (name, value) in pairs {
            let name = format!("{before}{name}");
            let written = value.get();
            if written.starts_with('{') {
                self.flatten(written, &format!("{name}."), depth + 1, cells, several)?;
            } else if written.starts_with('[') {
                let elements: Vec<&RawValue> =
                    serde_json::from_str(written).map_err(|error| error.to_string())?;
                if several.is_none() && !elements.is_empty() {
                    *several = Some((name, elements));
                } else {
                    self.put(cells, &name, written.to_owned())?;
                }
            } else {
                self.put(cells, &name, scalar(value)?)?;
            }
        }
        Ok(())
    }
}

/// A value that is no object, as text: numbers as they are written.
fn scalar(value: &RawValue) -> Result<String, String> {
    let written = value.get();
    if written.starts_with('"') {
        return serde_json::from_str(written).map_err(|error| error.to_string());
    }
    Ok(if written == "null" { String::new() } else { written.to_owned() })
}

/// Gives the rows of every object.
pub(super) fn for_each(
    reader: impl BufRead,
    form: TextForm,
    array: bool,
    name: &str,
    names: &mut Vec<String>,
    each: Each<'_>,
) -> Result<(), InputError> {
    let mut names = Names { names, places: HashMap::new() };
    let mut give = |number: u64, bytes: &[u8]| {
        let (text, wrong) = words(bytes);
        let original = Some(text.trim().to_owned());
        let bare = |problem| RawRow {
            line: number,
            problem,
            original: original.clone(),
            ..RawRow::default()
        };
        let rows = match wrong {
            Some(wrong) => Err(wrong),
            None => names.rows(&text).map_err(|why| {
                // The place of a line within a line says nothing.
                let why = why.replace(" at line 1 column", " at character");
                format!("{why}, expected a JSON object")
            }),
        };
        match rows {
            Ok(rows) => {
                for cells in rows {
                    if each(RawRow { cells, ..bare(None) }) == Flow::Stop {
                        return Flow::Stop;
                    }
                }
                Flow::On
            }
            Err(problem) => each(bare(Some((None, problem)))),
        }
    };
    if array {
        return elements(reader, name, &mut give);
    }
    let unreadable = |error: io::Error| InputError::unreadable(name, &error.to_string());
    let mut lines = Lines::new(reader, form.line_end);
    let mut first = true;
    while let Some((number, line)) = lines.next(first).map_err(unreadable)? {
        first = false;
        match line {
            Line::Whole(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => {}
            Line::Whole(bytes) => {
                if give(number, &bytes) == Flow::Stop {
                    break;
                }
            }
            Line::TooLong(length, _) => {
                let problem = format!(
                    "the line has {length} bytes or more, expected an object of at most {LONGEST_LINE}"
                );
                return Err(broken(name, number, problem));
            }
        }
    }
    Ok(())
}

/// The objects of one array, which may be written over any number of lines.
fn elements(
    mut reader: impl BufRead,
    name: &str,
    give: &mut dyn FnMut(u64, &[u8]) -> Flow,
) -> Result<(), InputError> {
    let (mut object, mut depth, mut line, mut started) = (Vec::new(), 0_usize, 1_u64, 1_u64);
    let (mut quoted, mut escaped, mut opened) = (false, false, false);
    loop {
        let held = reader
            .fill_buf()
            .map_err(|error| InputError::unreadable(name, &error.to_string()))?
            .to_vec();
        if held.is_empty() {
            let problem =
                "the file ends within the array, expected a closing bracket: is it cut off?";
            return Err(broken(name, line, problem));
        }
        reader.consume(held.len());
        for byte in held {
            line += u64::from(byte == b'\n');
            if depth == 0 {
                match byte {
                    b'[' if !opened => opened = true,
                    b']' if opened => return Ok(()),
                    b',' if opened => {}
                    b'{' if opened => {
                        (depth, started) = (1, line);
                        object.clear();
                        object.push(byte);
                    }
                    byte if byte.is_ascii_whitespace() => {}
                    byte => {
                        let problem =
                            format!("{:?}, expected an object of the array", char::from(byte));
                        return Err(broken(name, line, problem));
                    }
                }
                continue;
            }
            object.push(byte);
            if object.len() > LONGEST_LINE {
                let problem = format!("an object is longer than {LONGEST_LINE} bytes");
                return Err(broken(name, started, problem));
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' if !quoted => depth += 1,
                b'}' if !quoted => {
                    depth -= 1;
                    if depth == 0 && give(started, &object) == Flow::Stop {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, array: bool) -> (Vec<String>, Vec<RawRow>, Option<String>) {
        let (mut names, mut rows) = (Vec::new(), Vec::new());
        let form = TextForm::detect(text.as_bytes(), None);
        let done = for_each(text.as_bytes(), form, array, "t.json", &mut names, &mut |row| {
            rows.push(row);
            Flow::On
        });
        (names, rows, done.err().map(|error| error.to_string()))
    }

    #[test]
    fn numbers_keep_every_digit_and_names_are_joined() {
        let text = r#"{"meter":{"id":"01"},"token":73786976294838206463,"x":null}"#;
        let (names, rows, _) = rows(text, false);
        assert_eq!(names, ["meter.id", "token", "x"]);
        assert_eq!(rows[0].cells, ["01", "73786976294838206463", ""]);
    }

    #[test]
    fn tokens_of_a_sale_are_rows() {
        let text = "[{\"m\":1,\n\"tokens\":[{\"token\":\"1}\"},{\"token\":\"2\"}]}\n,{\"m\":2}]";
        let (names, rows, error) = rows(text, true);
        assert_eq!((names, error), (vec!["m".to_owned(), "tokens.token".to_owned()], None));
        let cells: Vec<_> = rows.iter().map(|row| row.cells.join("|")).collect();
        assert_eq!(cells, ["1|1}", "1|2", "2"]);
        assert_eq!(rows[2].line, 3);
    }

    #[test]
    fn broken_lines_cost_themselves_alone() {
        let (_, found, _) = rows("{\"a\":1}\n{\"a\":\n{\"a\":1,\"a\":2}\n{\"a\":3}\n", false);
        let bad: Vec<_> = found.iter().filter(|r| r.problem.is_some()).map(|r| r.line).collect();
        assert_eq!(bad, [2, 3]);
        let deep = format!("{}1{}", "{\"a\":".repeat(20), "}".repeat(20));
        let (_, deep, _) = rows(&deep, false);
        assert!(deep[0].problem.as_ref().unwrap().1.contains("levels"));
    }

    #[test]
    fn arrays_that_end_early_say_so() {
        assert!(rows("[{\"a\":1},", true).2.unwrap().contains("cut off"));
        assert!(rows("[1]", true).2.unwrap().contains("expected an object"));
    }
}
