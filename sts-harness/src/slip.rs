//! Reading a pasted slip or SMS: tokens, meter, and what is printed beside them.
//!
//! Nothing is guessed: where a text allows two readings, the value is left out and a note says so.

use std::iter;
use std::ops::Range;

use sts_core::{DecoderReferenceNumber, EncryptionAlgorithm, InvalidMeterNumber, MeterPan};

use crate::time;

/// A token found in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SlipToken {
    /// Its 20 or 24 digits.
    pub digits: String,
    /// The same as found, with its separators.
    pub text: String,
    /// The line it starts in, from 1.
    pub line: usize,
    /// What the text calls it: `credit`, `key change`, `1st key change` to `4th key change`.
    pub label: Option<String>,
}

/// What a slip tells. Codes are as in files: `sgc` six digits, `ti` and `ea` two.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Slip {
    /// The tokens in the order of the text.
    pub tokens: Vec<SlipToken>,
    /// Decoder reference number, with a right check digit.
    pub drn: Option<String>,
    /// `MeterPAN`, with right check digits.
    pub pan: Option<String>,
    /// Supply group code.
    pub sgc: Option<String>,
    /// Tariff index.
    pub ti: Option<String>,
    /// Key revision number; the new one where two are printed.
    pub krn: Option<String>,
    /// Key type, 0 to 3.
    pub kt: Option<String>,
    /// Encryption algorithm.
    pub ea: Option<String>,
    /// Quantity sold, a decimal number in `unit`.
    pub quantity: Option<String>,
    /// `kWh`, `m3` or `min`; litres and kilolitres are given in `m3`.
    pub unit: Option<String>,
    /// Money paid, a decimal number without its currency.
    pub paid: Option<String>,
    /// Date and time of the sale as printed.
    pub sold_at: Option<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Slip {
    /// Reads a text. Never fails: what is not understood is left out.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.trim_start_matches('\u{FEFF}');
        let lines: Vec<&str> = text.lines().collect();
        let lower: Vec<String> = lines.iter().map(|line| line.to_ascii_lowercase()).collect();
        let mut slip = Self::default();
        slip.read_tokens(&lines, &lower);
        slip.read_columns(&lower);
        for index in 0..lower.len() {
            slip.read_labels(&lower, index);
        }
        slip.read_bare_meter(&lower);
        slip.read_quantity(&lower);
        slip.read_paid(&lower);
        slip.read_date(&lines, &lower);
        slip
    }

    /// The digits of the tokens in the order of the text.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| token.digits.as_str())
    }

    /// The meter's number, where a right one is printed.
    #[must_use]
    pub fn meter_number(&self) -> Option<&str> {
        self.pan.as_deref().or(self.drn.as_deref())
    }

    /// What is printed beside the tokens, by the names of entry fields and in their form. A time
    /// without a zone is none.
    pub fn entry_fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let sold_at = self.sold_at.clone().filter(|text| time::parse(text).is_ok());
        [
            ("sold_at", sold_at),
            ("quantity", self.quantity.clone()),
            ("unit", self.unit.clone()),
            ("paid", self.paid.clone()),
            ("sgc", self.sgc.clone()),
            ("krn", self.krn.clone()),
            ("ti", self.ti.clone()),
            ("kt", self.kt.clone()),
            ("ea", self.ea.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
    }

    /// What a reader should know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn note(&mut self, line: usize, what: &str) {
        self.notes.push(format!("line {line}: {what}"));
    }

    fn read_tokens(&mut self, lines: &[&str], lower: &[String]) {
        let mut heading: Option<&str> = None;
        let mut index = 0;
        while let Some(line) = lines.get(index) {
            let number = index + 1;
            let runs = digit_runs(line);
            let mut found = false;
            let mut label_from = 0;
            for run in &runs {
                let mut tokens = tokens_in(line, run);
                self.note_surplus(line, run, &mut tokens, number);
                for range in tokens {
                    let before = lower[index].get(label_from..range.start).unwrap_or_default();
                    label_from = range.end;
                    found |= self.take_token(&line[range], before, heading, number);
                }
            }
            if runs.iter().any(|run| is_trial(line, run)) {
                found = true;
                self.note(number, "sixteen zeros are the placeholder of a trial sale, no token");
            }
            if !found && let Some(next) = lines.get(index + 1) {
                // A long SMS is broken within a token.
                if let Some(start) = broken_token(line, next) {
                    let text = format!("{} {}", line[start..].trim(), next.trim());
                    let before = lower[index].get(..start).unwrap_or_default();
                    if self.take_token(&text, before, heading, number) {
                        index += 2;
                        continue;
                    }
                }
            }
            if !found && line.chars().any(char::is_alphabetic) {
                heading = Some(&lower[index]);
            }
            index += 1;
        }
    }

    /// Tells of digits too many for a token: what is grouped as one and goes on is none, and is not
    /// cut to one.
    fn note_surplus(
        &mut self,
        line: &str,
        run: &[Range<usize>],
        tokens: &mut Vec<Range<usize>>,
        number: usize,
    ) {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
        let too_long = |count: usize| {
            format!("{count} digits in a row are not taken as a token, expected 20 or 24")
        };
        for group in run.iter().filter(|group| group.len() > 20 && !is_tokens(group.len())) {
            self.note(number, &too_long(group.len()));
        }
        let (Some(token), [.., before, last]) = (tokens.last().cloned(), run) else {
            let total = run.iter().map(Range::len).sum();
            if total > 20 && are_groups(run) {
                self.note(number, &too_long(total));
            }
            return;
        };
        let at_end = line[last.end..].trim_matches(is_separator).is_empty();
        if token.end != before.end || last.len() > 3 || !at_end {
            return;
        }
        let own = run.iter().zip(&run[1..]).find(|(group, _)| group.start >= token.start);
        let own = own.map_or("", |(group, next)| &line[group.end..next.start]);
        if token != *before && own == &line[before.end..last.start] {
            tokens.pop();
            self.note(number, &too_long(digits(&line[token.start..last.end])));
        } else {
            let rest = &line[last.clone()];
            self.note(number, &format!("{rest:?} behind the token is not taken as part of it"));
        }
    }

    /// Keeps a token, or several run together, unless the text calls it something else.
    fn take_token(&mut self, text: &str, before: &str, heading: Option<&str>, line: usize) -> bool {
        const NO_TOKEN: [&str; 6] =
            ["receipt", "invoice", "reference", "ref", "transaction", "order"];
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let other = NO_TOKEN.iter().find(|word| has_word(before, word));
        if let Some(word) = other.filter(|_| !before.contains("token")) {
            let count = digits.len();
            self.note(line, &format!("{count} digits after {word:?} are not taken as a token"));
            return false;
        }
        let label = label_of(before, heading);
        let several = digits.len() > 24;
        if several {
            let count = digits.len() / 20;
            self.note(line, &format!("{count} tokens run together"));
        }
        let step = if several { 20 } else { digits.len() };
        for start in (0..digits.len()).step_by(step) {
            let digits = digits[start..start + step].to_owned();
            let text = if several { digits.clone() } else { text.to_owned() };
            self.tokens.push(SlipToken { digits, text, line, label: label.clone() });
        }
        true
    }

    /// A row of labels above a row of values.
    fn read_columns(&mut self, lower: &[String]) {
        for (index, pair) in lower.windows(2).enumerate() {
            let words = |line: &str| -> Vec<String> {
                line.split([' ', '\t', '|', ';', ','])
                    .filter(|w| !w.is_empty())
                    .map(str::to_owned)
                    .collect()
            };
            let (labels, values) = (words(&pair[0]), words(&pair[1]));
            let fields: Option<Vec<Field>> =
                labels.iter().map(|label| Field::of_label(label)).collect();
            let Some(fields) = fields.filter(|f| f.len() > 1 && f.len() == values.len()) else {
                continue;
            };
            for (field, value) in fields.into_iter().zip(values) {
                self.take(field, &value, index + 2);
            }
        }
    }

    fn read_labels(&mut self, lower: &[String], index: usize) {
        for (field, labels) in LABELS {
            let line = &lower[index];
            for rest in labels.iter().filter_map(|label| value_after(line, label)) {
                // A label alone stands above its value.
                let next = || lower.get(index + 1).map_or("", |next| next.trim());
                let value = if rest.is_empty() { next() } else { rest };
                if self.take(field, value, index + 1) {
                    break;
                }
            }
        }
    }

    /// Takes the value of a label; false where it is none.
    fn take(&mut self, field: Field, value: &str, line: usize) -> bool {
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        match field {
            Field::Meter => return self.take_meter(value, line),
            Field::Sgc if (1..=6).contains(&digits.len()) => {
                set(&mut self.sgc, format!("{digits:0>6}"));
            }
            Field::Ti if (1..=2).contains(&digits.len()) => {
                set(&mut self.ti, format!("{digits:0>2}"));
            }
            Field::Krn => match revisions(value) {
                Some((old, Some(new))) => {
                    if self.krn.is_none() && old != new {
                        self.note(line, &format!("the key revision goes from {old} to {new}"));
                    }
                    set(&mut self.krn, new.to_string());
                }
                Some((only, None)) => set(&mut self.krn, only.to_string()),
                None => return false,
            },
            Field::Kt => {
                let named = ["ditk", "ddtk", "dutk", "dctk"];
                let code = named.iter().position(|name| value.starts_with(name));
                let code = code.map(|code| code.to_string());
                match code
                    .or_else(|| Some(digits).filter(|d| matches!(&**d, "0" | "1" | "2" | "3")))
                {
                    Some(code) => set(&mut self.kt, code),
                    None => return false,
                }
            }
            Field::Ea => {
                let named = [("sta", "07"), ("dea", "09"), ("misty1", "11")];
                let named = named.iter().find(|(name, _)| value.starts_with(name));
                let code =
                    named.map_or_else(|| format!("{digits:0>2}"), |(_, code)| (*code).into());
                if EncryptionAlgorithm::from_code(&code).is_none() {
                    return false;
                }
                set(&mut self.ea, code);
            }
            Field::Sgc | Field::Ti => return false,
        }
        true
    }

    fn take_meter(&mut self, value: &str, line: usize) -> bool {
        let printed: String =
            value.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ' ' | '-')).collect();
        // The number ends where the digits so far make one; else at the first gap.
        let parts: Vec<&str> = printed.split([' ', '-']).filter(|part| !part.is_empty()).collect();
        let joined = |count: usize| parts[..count].concat();
        let number = (1..=parts.len())
            .map(joined)
            .find(|number| matches!(number.len(), 11 | 13 | 18))
            .or_else(|| parts.first().map(|first| (*first).to_owned()));
        let Some(number) = number.filter(|number| number.len() >= 5) else { return false };
        if self.meter_number().is_none() && !self.keep_meter(&number) {
            let problem = match number.len() {
                18 => MeterPan::parse(&number).err(),
                _ => DecoderReferenceNumber::parse(&number).err(),
            };
            let problem = problem.as_ref().map(InvalidMeterNumber::to_string).unwrap_or_default();
            self.note(line, &format!("meter number {number} is not taken: {problem}"));
        }
        true
    }

    fn keep_meter(&mut self, number: &str) -> bool {
        if let Ok(pan) = MeterPan::parse(number) {
            set(&mut self.drn, pan.drn().to_owned());
            set(&mut self.pan, number.to_owned());
        } else if DecoderReferenceNumber::parse(number).is_ok() {
            set(&mut self.drn, number.to_owned());
        } else {
            return false;
        }
        true
    }

    /// A meter number without a label, if nothing else explains the digits.
    fn read_bare_meter(&mut self, lower: &[String]) {
        const OTHERS: [&str; 9] =
            ["tel", "call", "phone", "sms", "cell", "whatsapp", "receipt", "ref", "account"];
        if self.meter_number().is_some() {
            return;
        }
        let taken: Vec<usize> = self.tokens.iter().map(|token| token.line).collect();
        for (index, line) in lower.iter().enumerate() {
            if taken.contains(&(index + 1)) || OTHERS.iter().any(|word| has_word(line, word)) {
                continue;
            }
            for group in digit_runs(line).into_iter().filter(|run| run.len() == 1).flatten() {
                let number = &line[group];
                // One phone number in ten has a right check digit.
                let phone = number.len() == 11 && number.starts_with(['0', '2']);
                if !phone && self.keep_meter(number) {
                    return;
                }
            }
        }
    }

    fn read_quantity(&mut self, lower: &[String]) {
        const OTHERS: [&str; 12] = [
            "rate",
            "per",
            "block",
            "step",
            "tariff",
            "price",
            "balance",
            "average",
            "limit",
            "consumption",
            "arrears",
            "debt",
        ];
        let mut found: Vec<(String, Option<&str>)> = Vec::new();
        for (index, line) in lower.iter().enumerate() {
            if OTHERS.iter().any(|word| has_word(line, word)) {
                continue;
            }
            let labelled = has_word(line, "units") || has_word(line, "quantity");
            for number in numbers_in(line) {
                let after = line[number.end..].trim_start();
                let unit = UNITS.iter().find(|(name, ..)| {
                    after.strip_prefix(name).is_some_and(|rest| {
                        !rest.starts_with(|c: char| c.is_alphanumeric() || c == '/')
                    })
                });
                let minutes = unit.is_some_and(|(_, unit, _)| *unit == "min");
                if minutes && !labelled {
                    continue;
                }
                let (unit, places) = match unit {
                    Some((_, unit, places)) => (Some(*unit), *places),
                    None if labelled
                        && stands_after(line, &["units", "quantity"], number.start) =>
                    {
                        (None, 0)
                    }
                    None => continue,
                };
                match decimal(line, &number) {
                    Some(value) => {
                        let quantity = (moved(&value, places), unit);
                        if !found.contains(&quantity) {
                            found.push(quantity);
                        }
                    }
                    None => {
                        let text = &line[number];
                        self.note(index + 1, &format!("quantity {text} can be read in two ways"));
                    }
                }
            }
        }
        match found.as_slice() {
            [] => {}
            [(quantity, unit)] => {
                self.quantity = Some(quantity.clone());
                self.unit = unit.map(str::to_owned);
            }
            several => {
                let count = several.len();
                self.notes.push(format!("{count} different quantities, none is taken"));
            }
        }
    }

    fn read_paid(&mut self, lower: &[String]) {
        const OTHERS: [&str; 14] = [
            "vat", "fee", "arrears", "debt", "levy", "balance", "rate", "price", "per", "service",
            "change", "tariff", "tax", "block",
        ];
        const LABELLED: [&str; 7] =
            ["amount", "paid", "tendered", "tender", "total", "cost", "cash"];
        let mut unlabelled = Vec::new();
        let mut labelled = Vec::new();
        for line in lower.iter().filter(|line| !OTHERS.iter().any(|word| has_word(line, word))) {
            for number in numbers_in(line) {
                let after = line[number.end..].trim_start();
                if UNITS.iter().any(|(name, ..)| after.starts_with(name)) || after.starts_with('/')
                {
                    continue;
                }
                let Some(value) = decimal(line, &number) else { continue };
                let money = is_money(&line[..number.start]);
                if stands_after(line, &LABELLED, number.start) {
                    labelled.push(value);
                } else if money {
                    unlabelled.push(value);
                }
            }
        }
        let candidates = if labelled.is_empty() { unlabelled } else { labelled };
        self.paid = candidates.into_iter().next();
    }

    fn read_date(&mut self, lines: &[&str], lower: &[String]) {
        let mut date = None;
        for (index, line) in lines.iter().enumerate() {
            if lower[index].contains("expir") || lower[index].contains("until") {
                continue;
            }
            if let Some(found) = date_in(line) {
                date = Some((index, found));
                break;
            }
        }
        let Some((index, (range, has_time))) = date else { return };
        let mut text = lines[index][range].to_owned();
        if !has_time {
            // Date and time in fields of their own.
            let clock =
                lower.iter().enumerate().filter(|(_, line)| has_word(line, "time")).find_map(
                    |(index, line)| {
                        let at = line.find("time")?;
                        clock_in(lines[index].get(at..)?)
                    },
                );
            if let Some(clock) = clock {
                text.push(' ');
                text.push_str(&clock);
            }
        }
        if time::parse(&text).is_err() {
            self.note(
                index + 1,
                &format!("the time of sale {text:?} has no zone and is not compared"),
            );
        }
        self.sold_at = Some(text);
    }
}

/// A value with a label of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    Sgc,
    Krn,
    Ti,
    Kt,
    Ea,
    Meter,
}

/// Labels in lower case, longest first where one begins another.
const LABELS: [(Field, &[&str]); 6] = [
    (Field::Sgc, &["sgc", "supply group code", "supply group"]),
    (Field::Krn, &["krn", "key revision", "key rev", "kr"]),
    (Field::Ti, &["ti", "tariff index"]),
    (Field::Kt, &["kt", "key type"]),
    (Field::Ea, &["ea", "alg", "algorithm"]),
    (Field::Meter, &["meterpan", "meter", "mtr", "msno", "drn", "pan"]),
];

impl Field {
    fn of_label(word: &str) -> Option<Self> {
        let word = word.trim_matches([':', '.', '#']);
        LABELS.iter().find(|(_, labels)| labels.contains(&word)).map(|(field, _)| *field)
    }
}

/// Units in lower case, longest first where one begins another; decimal places to the unit.
const UNITS: [(&str, &str, usize); 17] = [
    ("kwh", "kWh", 0),
    ("kw/h", "kWh", 0),
    ("kw h", "kWh", 0),
    ("kilolitres", "m3", 0),
    ("kilolitre", "m3", 0),
    ("kl", "m3", 0),
    ("litres", "m3", 3),
    ("litre", "m3", 3),
    ("liters", "m3", 3),
    ("liter", "m3", 3),
    ("l", "m3", 3),
    ("m3", "m3", 0),
    ("m\u{b3}", "m3", 0),
    ("cubic met", "m3", 0),
    ("minutes", "min", 0),
    ("mins", "min", 0),
    ("min", "min", 0),
];

fn set(field: &mut Option<String>, value: String) {
    field.get_or_insert(value);
}

/// Whether a word stands in a line by itself.
fn has_word(line: &str, word: &str) -> bool {
    word_at(line, word).is_some()
}

fn word_at(line: &str, word: &str) -> Option<usize> {
    line.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = line[..*at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        before.is_none_or(|c| !c.is_alphanumeric()) && after.is_none_or(|c| !c.is_alphabetic())
    })
}

/// Whether one of the words stands before a place, with no other number between.
fn stands_after(line: &str, words: &[&str], place: usize) -> bool {
    let before = &line[..place];
    words
        .iter()
        .filter_map(|word| word_at(before, word))
        .max()
        .is_some_and(|at| !before[at..].contains(|c: char| c.is_ascii_digit()))
}

/// What follows a label that stands as a word of its own, past "no", "number" and the like.
fn value_after<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    const FILLERS: [&str; 9] = ["number", "no", "nr", "num", "serial", "code", "id", "s/n", "is"];
    let mut rest = line[word_at(line, label)? + label.len()..].trim_start();
    loop {
        let bare = rest.trim_start_matches([' ', '\t', ':', '.', '=', '#', '-', '(', ')', '*']);
        let filler = FILLERS.iter().find(|filler| {
            bare.strip_prefix(**filler).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
        });
        match filler {
            Some(filler) => rest = &bare[filler.len()..],
            None => return Some(bare),
        }
    }
}

/// One revision, or the old and the new one: "1", "1/2", "1 -> 2", "1 to 2".
fn revisions(value: &str) -> Option<(char, Option<char>)> {
    let digit = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let one = digits.trim_start_matches('0');
        let only = one.chars().next().filter(|_| one.len() == 1 && digits.len() <= 2)?;
        Some((only, digits.len()))
    };
    let (first, length) = digit(value)?;
    let rest = value[length..].trim_start();
    let second = ["/", "->", ">", "\u{2192}", "to "]
        .iter()
        .find_map(|arrow| rest.strip_prefix(arrow))
        .and_then(|rest| digit(rest.trim_start()))
        .filter(|(_, length)| *length == 1)
        .map(|(second, _)| second);
    Some((first, second))
}

/// Groups of digits with nothing but separators between; none of them touches a letter.
fn digit_runs(line: &str) -> Vec<Vec<Range<usize>>> {
    let mut runs: Vec<Vec<Range<usize>>> = Vec::new();
    let mut end_of_last = None;
    let mut at = 0;
    while let Some(start) = line[at..].find(|c: char| c.is_ascii_digit()).map(|found| at + found) {
        let end = line[start..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(line.len(), |length| start + length);
        at = end;
        let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        if touches(line[..start].chars().next_back()) || touches(line[end..].chars().next()) {
            end_of_last = None;
            continue;
        }
        let joined = end_of_last
            .is_some_and(|last: usize| !line[last..start].contains(|c| !is_separator(c)));
        match runs.last_mut() {
            Some(run) if joined => run.push(start..end),
            _ => runs.push(iter::once(start..end).collect()),
        }
        end_of_last = Some(end);
    }
    runs
}

const fn is_separator(found: char) -> bool {
    matches!(found, ' ' | '\t' | '\u{A0}' | '-' | '\u{2013}' | '.' | '_' | '/')
}

/// What kind of separator stands between two groups: blanks count only where nothing else does.
fn kind(separator: &str) -> String {
    separator.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether so many digits are a token, or tokens run together.
const fn is_tokens(digits: usize) -> bool {
    digits == 24 || (digits >= 20 && digits.is_multiple_of(20))
}

/// Whether digits are grouped as those of a token are, whatever their number: in equal groups but for
/// the last.
fn are_groups(run: &[Range<usize>]) -> bool {
    let Some((_, others)) = run.split_last() else { return false };
    let size = others.first().map_or(0, Range::len);
    others.len() >= 3 && size <= 8 && others.iter().all(|group| group.len() == size)
}

/// Where tokens stand in a run of groups.
fn tokens_in(line: &str, run: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> =
        run.iter().filter(|group| is_tokens(group.len())).cloned().collect();
    let mut start = 0;
    while start + 1 < run.len() {
        let kind_at = |index: usize| kind(&line[run[index].end..run[index + 1].start]);
        let own = kind_at(start);
        let mut last = start + 1;
        while last + 1 < run.len() && kind_at(last) == own {
            last += 1;
        }
        let goes_on = last + 1 < run.len();
        found.extend(tokens_in_stretch(&run[start..=last], goes_on));
        start = last;
    }
    found.sort_by_key(|range| range.start);
    found.dedup_by(|later, earlier| later.start < earlier.end);
    found
}

/// Where tokens stand among groups with the same separator between.
fn tokens_in_stretch(groups: &[Range<usize>], goes_on: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for fours in groups.chunk_by(|a, b| (a.len() == 4) == (b.len() == 4)) {
        at += fours.len();
        if fours[0].len() != 4 {
            continue;
        }
        // A sixth group that belongs to what follows, such as a date, is no part of the token.
        let tail_is_other = goes_on && at == groups.len();
        let per_token = match fours.len() {
            6 if !tail_is_other => 6,
            5 | 6 => 5,
            count if count.is_multiple_of(5) => 5,
            _ => continue,
        };
        let tokens = fours.chunks_exact(per_token);
        found.extend(tokens.map(|token| token[0].start..token[per_token - 1].end));
    }
    let total: usize = groups.iter().map(Range::len).sum();
    if found.is_empty() && matches!(total, 20 | 24) && is_dictated(groups) {
        found.push(groups[0].start..groups[groups.len() - 1].end);
    }
    found
}

/// Groups as people write them: equal ones, the last perhaps shorter; or fours joined in pairs.
/// Two long numbers beside each other are not one token.
fn is_dictated(groups: &[Range<usize>]) -> bool {
    let Some((last, others)) = groups.split_last() else { return false };
    let size = others.first().map_or(0, Range::len);
    let equal = size <= 6 && last.len() <= size && others.iter().all(|group| group.len() == size);
    equal || groups.iter().all(|group| matches!(group.len(), 4 | 8))
}

/// The sixteen zeros that a trial sale prints.
fn is_trial(line: &str, run: &[Range<usize>]) -> bool {
    let total: usize = run.iter().map(Range::len).sum();
    total == 16 && run.iter().all(|group| line[group.clone()].bytes().all(|byte| byte == b'0'))
}

/// Where a token begins that a line break divides: fours at the end of a line, the rest alone on
/// the next.
fn broken_token(line: &str, next: &str) -> Option<usize> {
    let only_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || is_separator(c));
    let fours = |run: &[Range<usize>]| run.iter().all(|group| group.len() == 4);
    if !only_digits(next.trim()) {
        return None;
    }
    let runs = digit_runs(line);
    let run = runs.last()?;
    let [rest] = &*digit_runs(next) else { return None };
    let at_end = line[run.last()?.end..].trim_matches(is_separator).is_empty();
    let whole = run.len() >= 2 && run.len() + rest.len() == 5 && fours(run) && fours(rest);
    (at_end && whole).then(|| run[0].start)
}

/// What the words before a token, or else the heading above it, call it.
fn label_of(before: &str, heading: Option<&str>) -> Option<String> {
    let own = before.chars().any(char::is_alphabetic);
    let words = if own { before } else { heading? };
    let has = |names: &[&str]| names.iter().any(|name| words.contains(name));
    let key = has(&[
        "key change",
        "key-change",
        "keychange",
        "kct",
        "update code",
        "update token",
        "meter key",
        "meterkey",
        "decoder key",
        "reset code",
    ]);
    let credit = has(&["credit", "recharge", "electricity", "water", "energy", "units", "voucher"]);
    match (key, credit) {
        (true, false) => {
            let ordinal = ordinal_in(before).or_else(|| own.then(|| ordinal_in(words)).flatten());
            Some(ordinal.map_or_else(|| "key change".into(), |n| format!("{n} key change")))
        }
        (false, true) => Some("credit".into()),
        _ => None,
    }
}

/// 1st to 4th, from a word or a digit that stands alone.
fn ordinal_in(words: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 4] =
        [("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th")];
    let named = NAMES.iter().find(|(name, _)| has_word(words, name)).map(|(_, short)| *short);
    named.or_else(|| {
        let digit = words
            .split(|c: char| !c.is_ascii_digit())
            .find(|digits| matches!(*digits, "1" | "2" | "3" | "4"))?;
        NAMES.iter().map(|(_, short)| *short).find(|short| short.starts_with(digit))
    })
}

/// Characters of the longest amount; what is longer is a number of another kind.
const LONGEST: usize = 15;

/// Where numbers stand, with their points and commas; no part of a word.
fn numbers_in(line: &str) -> Vec<Range<usize>> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(start) = line[at..].find(|c: char| c.is_ascii_digit()).map(|found| at + found) {
        let end = line[start..]
            .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))
            .map_or(line.len(), |length| start + length);
        at = end;
        let number = start..start + line[start..end].trim_end_matches(['.', ',']).len();
        let before = line[..start].chars().next_back();
        let in_clock = line[..start]
            .strip_suffix(':')
            .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
        let touches =
            in_clock || before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '-'));
        if number.len() <= LONGEST && (!touches || is_money(&line[..start])) {
            numbers.push(number);
        }
    }
    numbers
}

/// Whether a currency's sign stands right before a number.
fn is_money(before: &str) -> bool {
    let before = before.trim_end();
    ["r", "zar", "ngn", "kes", "ghs", "usd", "\u{20a6}", "$", "\u{20b5}"].iter().any(|sign| {
        before.strip_suffix(sign).is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric()))
    })
}

/// A number with a point before its decimals; `None` where it can be read in two ways.
fn decimal(line: &str, number: &Range<usize>) -> Option<String> {
    let text = &line[number.clone()];
    let whole_digits = text.find(['.', ',']).unwrap_or(text.len());
    // "1 234.5": the blank may part thousands, or two numbers.
    let mut before = line[..number.start].chars().rev();
    let parted = before.next() == Some(' ') && before.next().is_some_and(|c| c.is_ascii_digit());
    let goes_on = line[number.end..]
        .strip_prefix(' ')
        .is_some_and(|rest| rest.bytes().take_while(u8::is_ascii_digit).count() == 3);
    if (parted && whole_digits == 3) || (goes_on && text.len() <= 3 && whole_digits == text.len()) {
        return None;
    }
    let count = |sign: char| text.matches(sign).count();
    match (count(','), count('.')) {
        (0, 0 | 1) => Some(text.to_owned()),
        (1, 0) => {
            let (whole, part) = text.split_once(',')?;
            (part.len() != 3 || whole == "0").then(|| format!("{whole}.{part}"))
        }
        (_, 0) => Some(text.replace(',', "")),
        (_, 1) if text.rfind('.') > text.rfind(',') => Some(text.replace(',', "")),
        (1, _) if text.rfind(',') > text.rfind('.') => {
            Some(text.replace('.', "").replace(',', "."))
        }
        _ => None,
    }
}

/// A decimal number with its point moved left, without needless zeros.
fn moved(number: &str, places: usize) -> String {
    if places == 0 {
        return number.to_owned();
    }
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let padded = format!("{whole:0>width$}", width = places + 1);
    let (head, tail) = padded.split_at(padded.len() - places);
    let tail = format!("{tail}{part}");
    match tail.trim_end_matches('0') {
        "" => head.to_owned(),
        tail => format!("{head}.{tail}"),
    }
}

/// A date in a line, and whether a time of day follows it.
fn date_in(line: &str) -> Option<(Range<usize>, bool)> {
    let starts = line.char_indices().filter(|(at, c)| {
        c.is_ascii_digit()
            && !line[..*at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '-'))
    });
    for (start, _) in starts {
        let Some(length) = date_length(&line[start..]) else { continue };
        let end = start + length;
        let rest = &line[end..];
        let gap = rest.len()
            - rest.trim_start_matches([' ', ',', 'T', 't']).trim_start_matches("at ").len();
        return Some(match clock_length(&rest[gap..]) {
            Some(clock) => (start..end + gap + clock, true),
            None => (start..end, false),
        });
    }
    None
}

/// Digits at the start of a text: their value and how many.
fn leading(text: &str) -> Option<(u32, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length > 4 {
        return None;
    }
    Some((text[..length].parse().ok()?, length))
}

/// How long the date is that a text starts with: year first, day first, or with a month's name.
fn date_length(text: &str) -> Option<usize> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (first, width) = leading(text)?;
    let separator = text[width..].chars().next().filter(|c| matches!(c, '-' | '/' | '.' | ' '))?;
    let rest = &text[width + 1..];
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    if letters >= 3 {
        let is_month = MONTHS.contains(&&*rest[..3].to_ascii_lowercase());
        let after = rest[letters..].strip_prefix([' ', '-', '/', ','])?;
        let blank = after.len() - after.trim_start().len();
        let (_, year) = leading(after.trim_start())?;
        let sound = is_month && width <= 2 && (1..=31).contains(&first) && matches!(year, 2 | 4);
        return sound.then_some(width + 1 + letters + 1 + blank + year);
    }
    if separator == ' ' {
        return None;
    }
    let (second, second_width) = leading(rest)?;
    let (third, third_width) = leading(rest[second_width..].strip_prefix(separator)?)?;
    let month_and_day =
        |a: u32, b: u32| (1..=31).contains(&a) && (1..=31).contains(&b) && (a <= 12 || b <= 12);
    let year_first = width == 4 && (1993..2100).contains(&first) && month_and_day(second, third);
    let year_last = width <= 2
        && second_width <= 2
        && (third_width == 2 || (1993..2100).contains(&third))
        && month_and_day(first, second);
    let sound = (year_first && third_width <= 2) || year_last;
    sound.then_some(width + 1 + second_width + 1 + third_width)
}

/// How long the time of day is that a text starts with, its zone included.
fn clock_length(text: &str) -> Option<usize> {
    let (hour, width) = leading(text)?;
    let after = text[width..].strip_prefix([':', 'h'])?;
    let (minute, two) = leading(after)?;
    if hour > 23 || minute > 59 || two != 2 {
        return None;
    }
    let mut length = width + 3;
    if let Some((_, 2)) = text[length..].strip_prefix(':').and_then(leading) {
        length += 3;
    }
    let rest = &text[length..];
    if rest.starts_with('Z') {
        return Some(length + 1);
    }
    let offset = rest.strip_prefix(['+', '-']).map(str::as_bytes).is_some_and(|zone| {
        matches!(zone, [a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()))
    });
    Some(if offset { length + 6 } else { length })
}

/// The first time of day in a text.
fn clock_in(text: &str) -> Option<String> {
    text.char_indices()
        .filter(|(at, c)| {
            c.is_ascii_digit() && !text[..*at].ends_with(|c: char| c.is_ascii_digit() || c == ':')
        })
        .find_map(|(at, _)| {
            clock_length(&text[at..]).map(|length| text[at..at + length].to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::EntryRow;

    const TOKEN: &str = "18446744073843772416";

    fn tokens(text: &str) -> Vec<String> {
        Slip::read(text).tokens().map(str::to_owned).collect()
    }

    fn labels(slip: &Slip) -> Vec<Option<&str>> {
        slip.tokens.iter().map(|token| token.label.as_deref()).collect()
    }

    /// Every field that a slip gives is one that an entry takes.
    fn assert_fields_fit(slip: &Slip) {
        let pan = MeterPan::parse("600727000000000009").unwrap();
        let mut entry = EntryRow::token("1", pan, time::now(), TOKEN);
        for (name, value) in slip.entry_fields() {
            entry.set_field(name, &value).unwrap();
        }
    }

    #[test]
    fn municipal_slip_with_every_field_is_read() {
        let slip = Slip::read(
            "TAX INVOICE\n\
             Receipt No: 0012345678901\n\
             Date: 2024/11/01  Time: 08:15:09\n\
             Meter No 00000000000\n\
             SGC 201457 TI 01 KRN 2 ALG 07\n\
             Units 12.5 kWh\n\
             Amount R100.00\n\
             VAT 15% R13.04\n\
             1844 6744 0738 4377 2416\n\
             Queries 051 555 0123",
        );
        assert_eq!(slip.tokens().collect::<Vec<_>>(), [TOKEN]);
        assert_eq!(slip.tokens[0].line, 9);
        assert_eq!(slip.tokens[0].text, "1844 6744 0738 4377 2416");
        assert_eq!(slip.drn.as_deref(), Some("00000000000"));
        assert_eq!(slip.sgc.as_deref(), Some("201457"));
        assert_eq!(slip.ti.as_deref(), Some("01"));
        assert_eq!(slip.krn.as_deref(), Some("2"));
        assert_eq!(slip.ea.as_deref(), Some("07"));
        assert_eq!(slip.quantity.as_deref(), Some("12.5"));
        assert_eq!(slip.unit.as_deref(), Some("kWh"));
        assert_eq!(slip.paid.as_deref(), Some("100.00"));
        assert_eq!(slip.sold_at.as_deref(), Some("2024/11/01 08:15:09"));
        assert!(slip.notes.iter().any(|note| note.contains("no zone")));
        assert_fields_fit(&slip);
    }

    #[test]
    fn rollover_notice_has_three_update_codes_and_a_credit() {
        let slip = Slip::read(
            "Enter in this order.\n\
             Update code 1: 1111-2222-3333-4444-0001\n\
             Update code 2: 1111-2222-3333-4444-0002\n\
             Update code 3: 1111-2222-3333-4444-0003\n\
             Water 200 l: 1111-2222-3333-4444-0004\n\
             KRN 1/2",
        );
        let expected = [
            Some("1st key change"),
            Some("2nd key change"),
            Some("3rd key change"),
            Some("credit"),
        ];
        assert_eq!(labels(&slip), expected);
        assert_eq!(slip.krn.as_deref(), Some("2"));
        assert!(slip.notes.iter().any(|note| note.contains("from 1 to 2")));
        assert_eq!(slip.quantity.as_deref(), Some("0.2"));
        assert_eq!(slip.unit.as_deref(), Some("m3"));
        assert_fields_fit(&slip);
    }

    #[test]
    fn numbered_list_under_a_heading_is_labelled() {
        let slip = Slip::read(
            "Key change tokens\n1) 1111-2222-3333-4444-0001\n2) 1111-2222-3333-4444-0002\n\n\
             Credit token\n1111 2222 3333 4444 0003",
        );
        assert_eq!(labels(&slip), [Some("1st key change"), Some("2nd key change"), Some("credit")]);
        assert_eq!(slip.tokens[2].line, 6);
    }

    #[test]
    fn xml_like_export_is_labelled() {
        let slip =
            Slip::read("set1stMeterKey 11112222333344440001; set2ndMeterKey: 11112222333344440002");
        assert_eq!(labels(&slip), [Some("1st key change"), Some("2nd key change")]);
    }

    #[test]
    fn tokens_are_found_however_they_are_printed() {
        for text in [
            TOKEN,
            "Token: 1844 6744 0738 4377 2416",
            "1844-6744-0738-4377-2416",
            "1844 - 6744 - 0738 - 4377 - 2416",
            "1844  6744\t0738 4377 2416",
            "1) 1844-6744-0738-4377-2416",
            "1. 1844 6744 0738 4377 2416",
            "1 1844 6744 0738 4377 2416",
            "18446 74407 38437 72416",
            "184467 440738 437724 16",
            "18446744 0738 43772416",
            "1 8 4 4 6 7 4 4 0 7 3 8 4 3 7 7 2 4 1 6",
            "Your token is 18446744073843772416. Thank you",
            "Dear customer, token 1844-6744-0738-4377-2416, 12.5kWh",
            "Token 1844 6744 0738\n4377 2416",
            "1844 6744 0738 4377 2416 2024/11/01 08:00",
            "\u{FEFF}Receipt 123456\r\nTOKEN 1844 6744 0738 4377 2416\r\nTel 0515550123",
        ] {
            assert_eq!(tokens(text), [TOKEN], "{text}");
        }
    }

    #[test]
    fn several_tokens_run_together_are_parted() {
        let slip = Slip::read(&TOKEN.repeat(3));
        assert_eq!(slip.tokens().collect::<Vec<_>>(), [TOKEN; 3]);
        assert_eq!(slip.notes.len(), 1);
        assert_eq!(tokens("1844 6744 0738 4377 2416 1844 6744 0738 4377 2416"), [TOKEN; 2]);
        assert_eq!(tokens(&"1844 6744 0738 4377 2416\n".repeat(3)).len(), 3);
    }

    #[test]
    fn twenty_four_digits_stay_one_entry() {
        let long = "184467440738437724162819";
        assert_eq!(tokens("1844 6744 0738 4377 2416 2819"), [long]);
        assert_eq!(tokens(long), [long]);
    }

    #[test]
    fn other_numbers_are_no_tokens() {
        for text in [
            "Call 051 555 0123, receipt 9876543210123",
            "Tel 011 555 0123 0860 123 456",
            "0825550123 0125550123",
            "Account 12345678901234567890123",
            "Card 4000 0000 0000 0000",
            "1844 6744 0738 4377 241",
            "Receipt 1234\n5678 9012 3456 7890",
            "Ref AB18446744073843772416",
            "Meter 600727000000000009",
        ] {
            assert!(tokens(text).is_empty(), "{text}: {:?}", tokens(text));
        }
        let slip = Slip::read("Receipt No 00000000001234567890\nToken 18446744073843772416");
        assert_eq!(slip.tokens().collect::<Vec<_>>(), [TOKEN]);
        assert!(slip.notes[0].contains("\"receipt\""));
    }

    #[test]
    fn digits_too_many_are_told_and_not_cut() {
        for (text, count) in [
            ("184467440738437724161", 21),
            ("Token: 1844 6744 0738 4377 2416 1", 21),
            ("Token: 1844-6744-0738-4377-2416-123", 23),
            ("1844 6744 0738 4377 2416 2819 7", 25),
            ("1844 6744 0738 4377 24161", 21),
            ("18446 74407 38437 72416 1", 21),
            ("1844 6744 0738 4377 2416 2819 7777", 28),
            ("1844674407384377241628197", 25),
        ] {
            let slip = Slip::read(text);
            assert!(slip.tokens.is_empty(), "{text}: {:?}", slip.tokens);
            let says = format!("line 1: {count} digits in a row");
            assert!(slip.notes[0].starts_with(&says), "{text}: {:?}", slip.notes);
        }
        // What follows in another column is told, and the token taken.
        for text in ["18446744073843772416 1", "1844-6744-0738-4377-2416 50"] {
            let slip = Slip::read(text);
            assert_eq!(slip.tokens().collect::<Vec<_>>(), [TOKEN], "{text}");
            assert!(slip.notes[0].contains("behind the token"), "{:?}", slip.notes);
        }
        for text in ["1844 6744 0738 4377 2416 10 kWh", "1844 6744 0738 4377 2416 051 555 0123"] {
            let slip = Slip::read(text);
            assert_eq!(slip.tokens().collect::<Vec<_>>(), [TOKEN], "{text}");
        }
    }

    #[test]
    fn trial_sale_is_no_token() {
        for text in ["Token 0000 0000 0000 0000", "Token: 0000000000000000"] {
            let slip = Slip::read(text);
            assert_eq!(slip.tokens().count(), 0);
            assert!(slip.notes[0].contains("trial sale"), "{:?}", slip.notes);
        }
    }

    #[test]
    fn sms_with_decimal_comma_is_read() {
        let slip = Slip::read(
            "Mtr:01-00000-00000-8 Token:1844 6744 0738 4377 2416 TI:1 SGC:1457 R 1,250.50 Units:12,5",
        );
        assert_eq!(slip.tokens().collect::<Vec<_>>(), [TOKEN]);
        assert_eq!(slip.drn.as_deref(), Some("0100000000008"));
        assert_eq!(slip.sgc.as_deref(), Some("001457"));
        assert_eq!(slip.ti.as_deref(), Some("01"));
        assert_eq!(slip.paid.as_deref(), Some("1250.50"));
        assert_eq!((slip.quantity.as_deref(), slip.unit.as_deref()), (Some("12.5"), None));
        assert_fields_fit(&slip);
    }

    #[test]
    fn water_units_become_cubic_metres() {
        for text in ["200 l", "Volume 0.2 m3", "0,2 kl", "0.200 m\u{b3}", "200 litres of water"] {
            let slip = Slip::read(text);
            let quantity = slip.quantity.as_deref().unwrap_or_default().trim_end_matches('0');
            assert_eq!((quantity, slip.unit.as_deref()), ("0.2", Some("m3")), "{text}");
        }
        assert_eq!(Slip::read("1500 l").quantity.as_deref(), Some("1.5"));
        assert_eq!(Slip::read("2000 l").quantity.as_deref(), Some("2"));
    }

    #[test]
    fn doubtful_numbers_are_left_out() {
        for text in ["1,234 kWh", "Units 1 234.5 kWh", "Units 50 kWh\nFree units 10 kWh"] {
            let slip = Slip::read(text);
            assert_eq!(slip.quantity, None, "{text}");
            assert!(!slip.notes.is_empty(), "{text}");
        }
        assert_eq!(Slip::read("Amount R 1 234.50").paid, None);
        assert_eq!(Slip::read("Rate R2.15/kWh, wait 10 minutes").quantity, None);
        assert_eq!(Slip::read("R2.15 per kWh").paid, None);
    }

    #[test]
    fn labels_stand_above_their_values() {
        let slip = Slip::read(
            "SGC    KRN TI KT EA\n201457 2   01 2  11\nMeter Number\n600727 000000000009",
        );
        assert_eq!(slip.sgc.as_deref(), Some("201457"));
        assert_eq!((slip.krn.as_deref(), slip.ti.as_deref()), (Some("2"), Some("01")));
        assert_eq!((slip.kt.as_deref(), slip.ea.as_deref()), (Some("2"), Some("11")));
        assert_eq!(slip.pan.as_deref(), Some("600727000000000009"));
        assert_eq!(slip.meter_number(), Some("600727000000000009"));
    }

    #[test]
    fn meter_number_with_a_wrong_check_digit_is_told() {
        let slip = Slip::read("Meter No. 12345678904");
        assert_eq!(slip.meter_number(), None);
        assert!(slip.notes[0].contains("computed 3"), "{:?}", slip.notes);
        assert!(Slip::read("Meter No 1234567890").notes[0].contains("11 or 13"));
        // A phone number in the form of a DRN is no meter.
        assert_eq!(Slip::read("Call 12345678903").meter_number(), None);
        assert_eq!(Slip::read("12345678903").meter_number(), Some("12345678903"));
    }

    #[test]
    fn key_revisions_and_codes_are_read_in_their_forms() {
        for (text, krn) in [
            ("KRN: 1", "1"),
            ("KRN 1/2", "2"),
            ("KRN 1 -> 2", "2"),
            ("Key Revision Number: 02", "2"),
            ("krn=1 / TI 01", "1"),
            ("KR 1 to 2", "2"),
        ] {
            assert_eq!(Slip::read(text).krn.as_deref(), Some(krn), "{text}");
        }
        let named = Slip::read("Key type DUTK, Algorithm: STA");
        assert_eq!((named.kt.as_deref(), named.ea.as_deref()), (Some("2"), Some("07")));
        let wrong = Slip::read("KRN 10 KT 7 EA 05 SGC 1234567 TI 123");
        assert_eq!(wrong, Slip::default());
    }

    #[test]
    fn times_are_taken_as_printed() {
        for (text, sold_at) in [
            ("Sold 2024-11-01T08:00:00Z", "2024-11-01T08:00:00Z"),
            ("2024-11-01 08:00:00+02:00", "2024-11-01 08:00:00+02:00"),
            ("01/11/2024 at 08:00", "01/11/2024 at 08:00"),
            ("1 Nov 2024, 08:00", "1 Nov 2024, 08:00"),
            ("Time 07:59\nDate 01-Nov-2024", "01-Nov-2024 07:59"),
            ("Expires 2025/01/01\n2024/11/01", "2024/11/01"),
        ] {
            assert_eq!(Slip::read(text).sold_at.as_deref(), Some(sold_at), "{text}");
        }
        let slip = Slip::read("Sold 2024-11-01T08:00:00Z");
        let expected = ("sold_at", "2024-11-01T08:00:00Z".to_owned());
        assert_eq!(slip.entry_fields().collect::<Vec<_>>(), [expected]);
        assert!(slip.notes.is_empty());
        assert_eq!(Slip::read("Meter 00000000000").sold_at, None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn text_of_any_shape_is_read(
            text in "([0-9 .,:/Tt\\n-]{0,12}|[0-9]{1,24}|krn|units|meter no|kwh|nov|R|é|\u{b3}|\\PC){0,12}"
        ) {
            let slip = Slip::read(&text);
            assert_fields_fit(&slip);
            for token in slip.tokens() {
                assert!(matches!(token.len(), 20 | 24), "{token}");
            }
        }
    }

    #[test]
    fn any_text_is_read() {
        for text in
            ["", "\n\n", "\u{1F600} 12\u{b3}", "R", "meter", "12.", "SGC:", "é1844é", "1 nov"]
        {
            let slip = Slip::read(text);
            assert!(slip.tokens.is_empty(), "{text}");
        }
    }
}
