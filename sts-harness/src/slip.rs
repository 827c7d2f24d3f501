//! Reading a pasted slip or SMS: tokens, meter, and what is printed beside them.

use sts_core::{DecoderReferenceNumber, Framing, Keyed, MeterPan};

/// A token found in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SlipToken {
    /// Its digits.
    pub digits: String,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// What a slip tells.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Slip {
    tokens: Vec<SlipToken>,
    meter: Option<String>,
    fields: Vec<(&'static str, String)>,
    notes: Vec<String>,
}

/// Labels in front of a value, in capitals, and the field they stand for.
const LABELS: [(&str, &[&str]); 7] = [
    ("sgc", &["SGC", "SUPPLY GROUP CODE", "SUPPLY GROUP"]),
    ("krn", &["KRN", "KR", "KEY REVISION NUMBER", "KEY REVISION", "KEY REV"]),
    ("ti", &["TI", "TARIFF INDEX"]),
    ("kt", &["KT", "KEY TYPE"]),
    ("ea", &["EA", "ALG", "ALGORITHM"]),
    ("paid", &["AMOUNT PAID", "AMOUNT", "PAID", "TENDERED", "TOTAL"]),
    ("meter", &["METER NUMBER", "METER NO", "METER", "MTR", "MSNO", "DRN"]),
];

impl Slip {
    /// Reads a text. Never fails: what is not understood is left out.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut slip = Self::default();
        for (index, line) in text.lines().enumerate() {
            slip.read_line(line, index + 1);
        }
        slip
    }

    /// The tokens in the order of the text.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| token.digits.as_str())
    }

    /// The meter's number, where a right one is printed.
    #[must_use]
    pub fn meter_number(&self) -> Option<&str> {
        self.meter.as_deref()
    }

    /// What is printed beside the tokens, by the names of entry fields.
    pub fn entry_fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.fields.iter().cloned()
    }

    /// What a reader should know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn read_line(&mut self, line: &str, number: usize) {
        for run in digit_runs(line) {
            let digits: String = run.chars().filter(char::is_ascii_digit).collect();
            if digits.len() == 16 && digits.bytes().all(|digit| digit == b'0') {
                self.notes.push(format!(
                    "line {number}: sixteen zeros are the placeholder of a trial sale, no token"
                ));
            } else if is_token(&digits) {
                for token in split(&digits) {
                    self.tokens.push(SlipToken { digits: token, line: number });
                }
            } else if self.meter.is_none() && is_meter(&digits) {
                self.meter = Some(digits);
            }
        }
        let upper = line.to_uppercase();
        for (field, labels) in LABELS {
            let Some(value) = labels.iter().find_map(|label| value_after(&upper, label)) else {
                continue;
            };
            self.take(field, &value);
        }
        self.read_quantity(&upper);
    }

    fn take(&mut self, field: &'static str, value: &str) {
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        match field {
            "meter" if is_meter(&digits) => {
                self.meter = Some(digits);
            }
            // "1/2" is printed since the rollover: from 1 to 2.
            "krn" => {
                let last = value.split('/').next_back().unwrap_or(value);
                let last: String = last.trim().chars().take_while(char::is_ascii_digit).collect();
                if last.len() == 1 {
                    self.set("krn", last);
                }
            }
            "sgc" if digits.len() == 6 => self.set("sgc", digits),
            "ti" if (1..=2).contains(&digits.len()) => self.set("ti", format!("{digits:0>2}")),
            "kt" if digits.len() == 1 => self.set("kt", digits),
            "ea" if (1..=2).contains(&digits.len()) => self.set("ea", format!("{digits:0>2}")),
            "paid" => {
                let amount: String = value
                    .trim_start_matches(['R', ' '])
                    .chars()
                    .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
                    .collect();
                let amount = amount.replace(',', ".");
                if amount.parse::<f64>().is_ok() {
                    self.set("paid", amount);
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, field: &'static str, value: String) {
        if !self.fields.iter().any(|(name, _)| *name == field) {
            self.fields.push((field, value));
        }
    }

    /// A number with a unit behind it: kWh, kl, m3, litres, minutes.
    fn read_quantity(&mut self, upper: &str) {
        // Longest names first; thousandths turn litres to cubic metres.
        let units = [
            ("KWH", "kWh", 0),
            ("KILOLITRES", "m3", 0),
            ("LITRES", "m3", 3),
            ("LITERS", "m3", 3),
            ("KL", "m3", 0),
            ("M3", "m3", 0),
            ("M³", "m3", 0),
            ("L", "m3", 3),
            ("MIN", "min", 0),
        ];
        for (name, unit, thousandths) in units {
            let Some(at) = find_word(upper, name) else { continue };
            let before = upper[..at].trim_end();
            let start = before
                .rfind(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))
                .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
            let number = before[start..].replace(',', ".");
            if number.is_empty() || number.parse::<f64>().is_err() {
                continue;
            }
            self.set("quantity", shifted(&number, thousandths));
            self.set("unit", unit.to_owned());
            return;
        }
    }
}

/// A decimal number with its point moved left.
fn shifted(number: &str, places: usize) -> String {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if places == 0 {
        return number.trim_end_matches('.').to_owned();
    }
    let padded = format!("{whole:0>width$}", width = places + 1);
    let (head, tail) = padded.split_at(padded.len() - places);
    format!("{head}.{tail}{part}")
}

/// Where a unit stands as a word of its own, digits in front of it allowed.
fn find_word(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        before.is_none_or(|c| !c.is_alphabetic()) && after.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// What follows a label that stands as a word of its own.
fn value_after(upper: &str, label: &str) -> Option<String> {
    let at = upper.match_indices(label).map(|(at, _)| at).find(|at| {
        let before = upper[..*at].chars().next_back();
        let after = upper[at + label.len()..].chars().next();
        before.is_none_or(|c| !c.is_alphanumeric()) && after.is_none_or(|c| !c.is_alphabetic())
    })?;
    let rest = &upper[at + label.len()..];
    let rest = rest.trim_start_matches([' ', ':', '.', '=', '#', '-', '\t']);
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// Runs of digits with single separators between, as tokens are printed.
fn digit_runs(line: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    let mut gap = 0;
    for found in line.chars().chain(['\n']) {
        match found {
            '0'..='9' => {
                run.push(found);
                gap = 0;
            }
            ' ' | '-' | '\u{2013}' | '.' | '\u{A0}' if !run.is_empty() && gap < 2 => {
                run.push(found);
                gap += 1;
            }
            _ => {
                if !run.is_empty() {
                    runs.extend(pieces(&run));
                    run.clear();
                }
                gap = 0;
            }
        }
    }
    runs
}

/// A run as it is where it is a token; else its pieces between blanks.
fn pieces(run: &str) -> Vec<String> {
    let count = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let words: Vec<&str> = run.split([' ', '\u{A0}']).filter(|word| count(word) > 0).collect();
    // "1) 1234 5678 …" and "1. 1234 …": a number of the list in front of whole groups.
    for skip in 0..words.len().min(3) {
        let rest = words[skip..].join(" ");
        let fours = words[skip..].iter().all(|word| count(word) % 4 == 0);
        if matches!(count(&rest), 20 | 24 | 16) && fours {
            let mut found: Vec<String> = words[..skip].iter().map(|w| (*w).to_owned()).collect();
            found.push(rest);
            return found;
        }
    }
    if is_token(&run.chars().filter(char::is_ascii_digit).collect::<String>()) {
        return vec![run.to_owned()];
    }
    words.into_iter().map(str::to_owned).collect()
}

fn is_token(digits: &str) -> bool {
    let length = digits.len();
    length == 20 || length == 24 || (length > 24 && length.is_multiple_of(20))
}

/// One token, or a line of several run together.
fn split(digits: &str) -> Vec<String> {
    let several =
        Keyed::parse(digits).is_ok_and(|keyed| keyed.fitting().contains(Framing::Multi20));
    if !several {
        return vec![digits.to_owned()];
    }
    digits.as_bytes().chunks(20).map(|token| String::from_utf8_lossy(token).into_owned()).collect()
}

fn is_meter(digits: &str) -> bool {
    DecoderReferenceNumber::parse(digits).is_ok() || MeterPan::parse(digits).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        Slip::read(text).tokens().map(str::to_owned).collect()
    }

    #[test]
    fn tokens_are_found_however_they_are_printed() {
        let right = vec!["18446744073843772416".to_owned()];
        for text in [
            "18446744073843772416",
            "Token: 1844 6744 0738 4377 2416",
            "1844-6744-0738-4377-2416",
            "1) 1844-6744-0738-4377-2416",
            "Your token is 18446744073843772416. Thank you",
            "Receipt 123456\nTOKEN 1844 6744 0738 4377 2416\nTel 0515551234",
        ] {
            assert_eq!(tokens(text), right, "{text}");
        }
        assert_eq!(tokens(&"1844 6744 0738 4377 2416\n".repeat(3)).len(), 3);
        assert_eq!(tokens(&"18446744073843772416".repeat(2)).len(), 2);
        assert!(tokens("Call 051 555 1234, receipt 9876543210123").is_empty());
    }

    #[test]
    fn trial_sale_is_no_token() {
        let slip = Slip::read("Token 0000 0000 0000 0000");
        assert_eq!(slip.tokens().count(), 0);
        assert_eq!(slip.notes().len(), 1);
    }

    #[test]
    fn labels_are_picked_out() {
        let slip = Slip::read(
            "Meter No: 00000000000  SGC: 201457 TI 01 KRN 1/2 ALG 07\nUnits 12,5 kWh  Amount R100.00",
        );
        let fields: Vec<(&str, String)> = slip.entry_fields().collect();
        let get = |name: &str| {
            fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(slip.meter_number(), Some("00000000000"));
        assert_eq!(get("sgc"), Some("201457"));
        assert_eq!(get("ti"), Some("01"));
        assert_eq!(get("krn"), Some("2"));
        assert_eq!(get("ea"), Some("07"));
        assert_eq!(get("quantity"), Some("12.5"));
        assert_eq!(get("paid"), Some("100.00"));
    }

    #[test]
    fn litres_become_cubic_metres() {
        let slip = Slip::read("200 l of water");
        assert!(slip.entry_fields().any(|field| field == ("quantity", "0.200".to_owned())));
        assert!(slip.entry_fields().any(|field| field == ("unit", "m3".to_owned())));
    }
}
