//! What is understood of an export before its rows are taken: header, columns, times, numbers.

use super::cells::{Damage, DecimalMark, bare, is_digits, mark_hint, ungrouped};
use super::columns::{Field, Mapping, names_known};
use super::dates::{self, DateOrder, Form, Hint};
use super::source::{Flow, RawRow, Source};
use super::{ColumnReport, FileReport, Options};
use crate::input::{InputError, Place};

/// Rows that are looked at to understand a file.
pub(super) const SAMPLE: usize = 2000;
/// Rows among which a header is looked for.
const START: usize = 50;
/// Examples of a column's values.
const EXAMPLES: usize = 3;

/// How the rows of a file are read.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) mapping: Mapping,
    /// The header's line; rows up to it are no rows. 0 where rows carry their names.
    pub(super) header: u64,
    pub(super) order: DateOrder,
    pub(super) mark: DecimalMark,
    /// Whether so many tokens are doubles that it is no chance.
    pub(super) doubles: bool,
}

/// Fields that hold times.
pub(super) const TIMES: [Field; 3] = [Field::EnteredAt, Field::SoldAt, Field::SoldDate];
const NUMBERS: [Field; 2] = [Field::Quantity, Field::Paid];

/// Looks at a file. The report says what was understood, also where that is not enough for a plan.
pub(super) fn look(
    source: &mut Source,
    options: &Options,
) -> Result<(FileReport, Result<Plan, InputError>), InputError> {
    let mut sample: Vec<RawRow> = Vec::new();
    source.for_each(&mut |row| {
        sample.push(row);
        if sample.len() == SAMPLE { Flow::Stop } else { Flow::On }
    })?;
    let mut report = FileReport {
        name: source.name.clone(),
        kind: source.kind_words(),
        encoding: source.encoding_words(),
        delimiter: source.delimiter(),
        counts: source.counts(),
        ..FileReport::default()
    };
    let (names, header) = if source.is_named() {
        (source.names.clone(), 0)
    } else {
        match header_of(&sample, options) {
            Some(found) => found,
            None => {
                let problem = match options.header.filter(|line| *line > 0) {
                    Some(line) => format!("no header in {} {line}", report.counts),
                    None => "no row holds anything, expected a header and rows".to_owned(),
                };
                return Ok((report, Err(InputError::other(&source.name, &problem))));
            }
        }
    };
    report.header = (header > 0).then_some(header);
    sample.retain(|row| row.line > header && row.problem.is_none());
    report.columns = columns(&names, &sample);
    let place = || match header {
        0 => Place::file(&source.name),
        line => Place::line(&source.name, line),
    };
    let mapping = match Mapping::new(&names, &options.map) {
        Ok(mapping) => mapping,
        Err(problem) => return Ok((report, Err(InputError::new(place(), problem)))),
    };
    for (place, column) in report.columns.iter_mut().enumerate() {
        column.field = mapping.fields[place];
        column.unused_for.clone_from(&mapping.unused_for[place]);
    }
    if let Err(problem) = enough(&mapping, options) {
        return Ok((report, Err(InputError::new(place(), problem))));
    }
    let plan = settle(source, mapping, header, &sample, options, &mut report);
    Ok((report, plan))
}

/// The row that names the columns, and its line.
fn header_of(sample: &[RawRow], options: &Options) -> Option<(Vec<String>, u64)> {
    let rows = || sample.iter().filter(|row| row.problem.is_none());
    let named =
        |row: &RawRow| -> Vec<String> { row.cells.iter().map(|cell| bare_name(cell)).collect() };
    match options.header {
        // Columns without names are called by their places.
        Some(0) => {
            let width = rows().map(|row| row.cells.len()).max()?;
            return Some(((1..=width).map(|n| format!("#{n}")).collect(), 0));
        }
        Some(line) => {
            return rows().find(|row| row.line == line).map(|row| (named(row), row.line));
        }
        None => {}
    }
    let start: Vec<&RawRow> = rows().take(START).collect();
    let wanted = |row: &RawRow| {
        let names = named(row);
        let by_name = options.map.iter().filter(|mapped| !mapped.column.starts_with('#'));
        let said = by_name.filter(|mapped| names.contains(&mapped.column)).count();
        names_known(&names) + said
    };
    let found = start
        .iter()
        .find(|row| wanted(row) >= 2)
        .or_else(|| start.iter().find(|row| wanted(row) == 1))
        .or_else(|| start.first())?;
    let mut names = named(found);
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    Some((names, found.line))
}

fn bare_name(cell: &str) -> String {
    cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}').replace(['\n', '\r'], " ")
}

fn columns(names: &[String], sample: &[RawRow]) -> Vec<ColumnReport> {
    let examples = |place: usize| {
        let mut examples: Vec<String> = Vec::new();
        let cells = sample.iter().filter_map(|row| row.cells.get(place));
        for cell in cells.map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
            if examples.len() == EXAMPLES {
                break;
            }
            let shown: String = cell.chars().take(40).collect();
            if !examples.contains(&shown) {
                examples.push(shown);
            }
        }
        examples
    };
    let column = |(place, name): (usize, &String)| ColumnReport {
        name: name.clone(),
        field: None,
        examples: examples(place),
        unused_for: None,
    };
    names.iter().enumerate().map(column).collect()
}

/// Whether there is a meter, a time and a token.
fn enough(mapping: &Mapping, options: &Options) -> Result<(), String> {
    let has = |field: Field| mapping.has(field) || options.set.iter().any(|set| set.field == field);
    let any = |fields: &[Field]| fields.iter().any(|field| has(*field));
    let mut missing = Vec::new();
    if !any(&[Field::Pan, Field::Drn]) {
        missing.push("a meter (drn or pan)");
    }
    if !any(&TIMES) {
        missing.push("a time (sold_at or entered_at)");
    }
    let tokens = [Field::Entered, Field::Token, Field::Kct1, Field::Kct2, Field::Kct3, Field::Kct4];
    if !any(&tokens) {
        missing.push("a token (token or entered)");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> =
        mapping.names.iter().take(40).map(|name| format!("{name:?}")).collect();
    Err(format!(
        "no column is known for {}; there are: {}; say which with --map column=field",
        missing.join(", "),
        names.join(", ")
    ))
}

/// Evidence met for one of two readings, with where.
#[derive(Debug)]
struct Evidence<T> {
    found: Vec<(T, u64, String)>,
    either: Option<(u64, String)>,
}

impl<T: Copy + PartialEq> Evidence<T> {
    const fn new() -> Self {
        Self { found: Vec::new(), either: None }
    }

    fn add(&mut self, reading: T, line: u64, text: &str) {
        if !self.found.iter().any(|(known, ..)| *known == reading) {
            self.found.push((reading, line, text.to_owned()));
        }
    }

    fn is_open(&self) -> bool {
        self.found.is_empty() && self.either.is_some()
    }
}

struct Look {
    orders: Evidence<DateOrder>,
    marks: Evidence<DecimalMark>,
}

impl Look {
    fn at(&mut self, row: &RawRow, mapping: &Mapping) {
        let value = |field: Field| {
            let place = mapping.place(field)?;
            Some(bare(row.cells.get(place)?)).filter(|value| !value.is_empty())
        };
        for text in TIMES.into_iter().filter_map(value) {
            match dates::hint(text) {
                Hint::Only(order) => self.orders.add(order, row.line, text),
                Hint::Either if self.orders.either.is_none() => {
                    self.orders.either = Some((row.line, text.to_owned()));
                }
                _ => {}
            }
        }
        for text in NUMBERS.into_iter().filter_map(value) {
            match mark_hint(text) {
                Ok(Some(mark)) => self.marks.add(mark, row.line, text),
                Err(()) if self.marks.either.is_none() => {
                    self.marks.either = Some((row.line, text.to_owned()));
                }
                _ => {}
            }
        }
    }
}

fn settle(
    source: &mut Source,
    mapping: Mapping,
    header: u64,
    sample: &[RawRow],
    options: &Options,
    report: &mut FileReport,
) -> Result<Plan, InputError> {
    let mut look = Look { orders: Evidence::new(), marks: Evidence::new() };
    for row in sample {
        look.at(row, &mapping);
    }
    let open = |look: &Look| {
        (options.dates.is_none() && look.orders.is_open())
            || (options.decimal.is_none() && look.marks.is_open())
    };
    if open(&look) && sample.len() + 1 >= SAMPLE {
        // What the first rows leave open, a later one may settle.
        source.for_each(&mut |row| {
            if row.line > header && row.problem.is_none() {
                look.at(&row, &mapping);
            }
            if open(&look) { Flow::On } else { Flow::Stop }
        })?;
    }
    let at = |line: u64, problem: String| InputError::new(Place::line(&source.name, line), problem);
    let order = match (options.dates, look.orders.found.as_slice(), &look.orders.either) {
        (Some(order), ..) => order,
        (None, [(a, first, one), (_, second, other), ..], _) => {
            return Err(at(
                *second,
                format!(
                    "{other:?} and {one:?} in {} {first} are dates in different orders, expected \
                     one: say --dates dmy or --dates mdy ({} was first)",
                    report.counts,
                    a.name()
                ),
            ));
        }
        (None, [(order, ..)], _) => *order,
        (None, [], Some((line, text))) => {
            return Err(at(
                *line,
                format!(
                    "{text:?} is a date with the day first or with the month first, and no row says \
                     which: say --dates dmy or --dates mdy"
                ),
            ));
        }
        (None, [], None) => DateOrder::DayFirst,
    };
    let mark = match (options.decimal, look.marks.found.as_slice(), &look.marks.either) {
        (Some(mark), ..) => mark,
        (None, [(_, first, one), (_, second, other), ..], _) => {
            return Err(at(
                *second,
                format!(
                    "{other:?} and {one:?} in {} {first} have different decimal marks, expected \
                     one: say --decimal point or --decimal comma",
                    report.counts
                ),
            ));
        }
        (None, [(mark, ..)], _) => *mark,
        (None, [], Some((line, text))) => {
            return Err(at(
                *line,
                format!(
                    "{text:?} has a comma for thousands or for decimals, and no row says which: say \
                     --decimal point or --decimal comma"
                ),
            ));
        }
        (None, [], None) => DecimalMark::Point,
    };
    if !look.orders.found.is_empty() || look.orders.either.is_some() {
        report.dates = Some(order.name().to_owned());
    }
    if !look.marks.found.is_empty() || options.decimal.is_some() {
        report.decimal = Some(mark.name().to_owned());
    }
    let plan = Plan { mapping, header, order, mark, doubles: false };
    let doubles = doubles(sample, &plan.mapping);
    let plan = Plan { doubles, ..plan };
    zones(source, sample, &plan, options, report)?;
    Ok(plan)
}

/// Whether more tokens are doubles than chance gives: about one in four thousand.
fn doubles(sample: &[RawRow], mapping: &Mapping) -> bool {
    let fields = Field::ALL.iter().filter(|field| field.is_token() || **field == Field::Entered);
    let (mut tokens, mut doubles) = (0_usize, 0_usize);
    for place in fields.filter_map(|field| mapping.place(*field)) {
        for row in sample {
            let digits = ungrouped(bare(row.cells.get(place).map_or("", String::as_str)));
            if !is_digits(&digits) || !(17..=20).contains(&digits.len()) {
                continue;
            }
            tokens += 1;
            doubles += usize::from(Damage::of_token(&digits) == Some(Damage::Double));
        }
    }
    doubles > 0 && doubles * 10 >= tokens
}

/// Whether each time says its zone, or the user does.
fn zones(
    source: &Source,
    sample: &[RawRow],
    plan: &Plan,
    options: &Options,
    report: &mut FileReport,
) -> Result<(), InputError> {
    let mut forms: Vec<Form> = Vec::new();
    let mut without = None;
    for field in TIMES {
        let Some(place) = plan.mapping.place(field) else { continue };
        for row in sample {
            let text = bare(row.cells.get(place).map_or("", String::as_str));
            let Ok(written) = dates::read(text, plan.order) else { continue };
            if !forms.contains(&written.form) {
                forms.push(written.form);
            }
            if written.offset.is_none() && without.is_none() {
                without = Some((row.line, place, text.to_owned()));
            }
        }
    }
    forms.sort_unstable();
    report.times = forms.iter().map(|form| form.words().to_owned()).collect();
    match (without, &options.zone) {
        (Some((line, place, text)), None) => {
            let column = &plan.mapping.names[place];
            let problem = format!(
                "{text:?} has no zone, expected one to be stated: for example --tz \
                 Africa/Johannesburg or --tz +02:00"
            );
            Err(InputError::new(Place::field(&source.name, line, column), problem))
        }
        _ => Ok(()),
    }
}
