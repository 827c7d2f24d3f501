//! Logged messages of `XMLVend` 2.1: each token of each response is a row.
//!
//! Read as a stream, by local names, attributes and elements alike, since servers differ. Nothing
//! is expanded: a document type is refused, and an entity that is not one of XML's own five is an
//! error.

use std::io::{self, BufRead, Read};
use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::source::{Each, Flow, RawRow, broken};
use crate::input::InputError;

/// One tag, or one run of text, in bytes.
const LONGEST: usize = 1 << 20;
/// One value, in bytes.
const LONGEST_VALUE: usize = 4096;
const DEEPEST: usize = 64;
/// Tokens in one message.
const MOST_TOKENS: usize = 1000;

/// The columns, by their names in the messages.
const NAMES: [&str; 12] = [
    "respDateTime",
    "receiptNo",
    "msno",
    "sgc",
    "krn",
    "ti",
    "at",
    "tt",
    "stsCipher",
    "units",
    "siUnit",
    "amt",
];

pub(super) fn names() -> Vec<String> {
    NAMES.map(str::to_owned).to_vec()
}

/// Messages that hold no sale.
#[derive(Debug, Default)]
pub(super) struct Passed {
    requests: u64,
    faults: u64,
    repeats: u64,
    empty: u64,
}

impl Passed {
    pub(super) fn notes(&self) -> Vec<String> {
        [
            (self.requests, "requests"),
            (self.faults, "faults"),
            (
                self.repeats,
                "responses that repeat or only try a sale (reprint, advice, trial, verify)",
            ),
            (self.empty, "responses without a token"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("passed over: {count} {what}"))
        .collect()
    }
}

/// A reader that counts lines, and gives up on what is too long to be held.
struct Metered<R> {
    inner: R,
    left: usize,
    line: u64,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let held = self.fill_buf()?;
        let taken = held.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&held[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            let problem = format!("a tag or text is longer than {LONGEST} bytes");
            return Err(io::Error::other(problem));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is held already: nothing is read here.
        if let Ok(held) = self.inner.fill_buf() {
            let breaks = held.iter().take(amount).filter(|byte| **byte == b'\n').count();
            self.line += u64::try_from(breaks).unwrap_or_default();
        }
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}

/// What a meter is said to be.
#[derive(Clone, Debug, Default)]
struct Meter {
    msno: String,
    sgc: String,
    krn: String,
    ti: String,
    at: String,
    tt: String,
}

/// An element that issues tokens.
#[derive(Debug, Default)]
struct Issue {
    line: u64,
    meter: Meter,
    tokens: Vec<String>,
    units: String,
    unit: String,
    is_credit: bool,
    paid: String,
    receipt: String,
}

/// A response.
#[derive(Debug)]
struct Message {
    name: String,
    line: u64,
    /// How many elements it is in.
    depth: usize,
    /// Whether its tokens are no sale of their own.
    repeats: bool,
    time: String,
    receipt: String,
    paid: String,
    meter: Meter,
    issues: Vec<Issue>,
    open: Option<Issue>,
    /// Where the issues of the transaction at hand begin.
    transaction: usize,
    transaction_paid: String,
    transaction_receipt: String,
}

/// What is being read.
struct Log<'a> {
    name: &'a str,
    passed: &'a mut Passed,
    stack: Vec<String>,
    text: String,
    message: Option<Message>,
}

/// Gives a row for each token of each response.
pub(super) fn for_each(
    reader: impl BufRead,
    name: &str,
    each: Each<'_>,
    passed: &mut Passed,
) -> Result<Flow, InputError> {
    let mut reader = Reader::from_reader(Metered { inner: reader, left: LONGEST, line: 1 });
    // Lines of a log around the messages may hold any sign.
    reader.config_mut().allow_dangling_amp = true;
    let mut log = Log { name, passed, stack: Vec::new(), text: String::new(), message: None };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().left = LONGEST;
        let event = reader.read_event_into(&mut buffer);
        let line = reader.get_ref().line;
        match event {
            Err(error) => {
                let problem = format!("is no well-formed XML ({error}), expected whole messages");
                return Err(broken(name, line, problem));
            }
            Ok(Event::Eof) => break,
            Ok(Event::DocType(_)) => {
                let problem = "a document type (DOCTYPE), expected none: entities are not expanded";
                return Err(broken(name, line, problem));
            }
            Ok(Event::Start(start)) => {
                log.open(&start, line)?;
                log.attributes(&start, line)?;
            }
            Ok(Event::Empty(start)) => {
                log.open(&start, line)?;
                log.attributes(&start, line)?;
                if log.close(line, each)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
            Ok(Event::End(_)) => {
                if log.close(line, each)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
            Ok(Event::Text(text)) => log.add(text.as_ref(), line)?,
            Ok(Event::CData(text)) => log.add(text.as_ref(), line)?,
            Ok(Event::GeneralRef(entity)) => {
                let own = match entity.as_ref() {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "apos" => Some('\''),
                    "quot" => Some('"'),
                    _ => entity.resolve_char_ref().ok().flatten(),
                };
                match own {
                    Some(c) => log.add(c.encode_utf8(&mut [0; 4]), line)?,
                    None if log.message.is_none() => {}
                    None => {
                        let problem = format!(
                            "the entity \"&{};\", expected text: entities are not expanded",
                            entity.as_ref()
                        );
                        return Err(broken(name, line, problem));
                    }
                }
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
        }
    }
    let line = reader.get_ref().line;
    match (&log.message, log.stack.last()) {
        (Some(message), _) => {
            let problem = format!(
                "ends within <{}> of line {}, expected its end: is it cut off?",
                message.name, message.line
            );
            Err(broken(name, line, problem))
        }
        (None, Some(open)) => {
            let problem = format!("ends within <{open}>, expected its end: is it cut off?");
            Err(broken(name, line, problem))
        }
        (None, None) => Ok(Flow::On),
    }
}

impl Log<'_> {
    fn open(&mut self, start: &BytesStart<'_>, line: u64) -> Result<(), InputError> {
        let name = start.local_name().as_ref().to_owned();
        if self.stack.len() == DEEPEST {
            let problem = format!("<{name}> is {DEEPEST} elements deep, expected messages");
            return Err(broken(self.name, line, problem));
        }
        self.text.clear();
        let depth = self.stack.len();
        match &mut self.message {
            None if name.ends_with("Req") => self.passed.requests += 1,
            None if name.ends_with("FaultResp") => self.passed.faults += 1,
            None if name.ends_with("Resp") => {
                let repeats = ["reprint", "advice", "trial", "verify"];
                let repeats = repeats.iter().any(|start| name.starts_with(start));
                self.message = Some(Message {
                    name: name.clone(),
                    line,
                    depth,
                    repeats,
                    time: String::new(),
                    receipt: String::new(),
                    paid: String::new(),
                    meter: Meter::default(),
                    issues: Vec::new(),
                    open: None,
                    transaction: 0,
                    transaction_paid: String::new(),
                    transaction_receipt: String::new(),
                });
            }
            Some(message) if name.ends_with("TokenIssue") => {
                let is_credit = !name.starts_with("kc");
                message.open = Some(Issue { line, is_credit, ..Issue::default() });
            }
            Some(message) if name == "tx" => {
                message.transaction = message.issues.len();
                message.transaction_paid.clear();
                message.transaction_receipt.clear();
            }
            _ => {}
        }
        self.stack.push(name);
        Ok(())
    }

    fn attributes(&mut self, start: &BytesStart<'_>, line: u64) -> Result<(), InputError> {
        if self.message.is_none() {
            return Ok(());
        }
        for attribute in start.attributes() {
            let problem = |error: &dyn std::fmt::Display| {
                let problem =
                    format!("an attribute cannot be read ({error}), expected name=\"value\"");
                broken(self.name, line, problem)
            };
            let attribute = attribute.map_err(|error| problem(&error))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| problem(&error))?;
            if value.len() <= LONGEST_VALUE {
                let value = value.into_owned();
                self.value(attribute.key.local_name().as_ref(), &value);
            }
        }
        Ok(())
    }

    fn add(&mut self, text: &str, line: u64) -> Result<(), InputError> {
        if self.message.is_none() {
            return Ok(());
        }
        self.text.push_str(text);
        if self.text.len() > LONGEST {
            let problem = format!("a text is longer than {LONGEST} bytes");
            return Err(broken(self.name, line, problem));
        }
        Ok(())
    }

    /// A value of the innermost element, named in it or by it.
    fn value(&mut self, name: &str, value: &str) {
        let of_sale = self.is_amount_of_sale();
        let Some(message) = &mut self.message else { return };
        let value = value.trim();
        let parent = self.stack.last().map_or("", String::as_str);
        // An element's own text is named by the element, and lies in the one around it.
        let around =
            if parent == name { self.stack.iter().rev().nth(1) } else { self.stack.last() };
        let around = around.map_or("", String::as_str);
        let in_transaction = self.stack.iter().any(|element| element == "tx");
        let meter = match &mut message.open {
            Some(issue) => &mut issue.meter,
            None => &mut message.meter,
        };
        let place = match (around, name) {
            ("meterDetail", "msno") => &mut meter.msno,
            ("meterDetail", "sgc") => &mut meter.sgc,
            ("meterDetail", "krn") => &mut meter.krn,
            ("meterDetail", "ti") => &mut meter.ti,
            ("meterType", "at") => &mut meter.at,
            ("meterType", "tt") => &mut meter.tt,
            ("amt", "value") | (_, "amt") if !of_sale => return,
            ("amt", "value") | (_, "amt") if in_transaction => &mut message.transaction_paid,
            ("amt", "value") | (_, "amt") => &mut message.paid,
            (_, "respDateTime") => &mut message.time,
            (_, "receiptNo") if in_transaction => &mut message.transaction_receipt,
            (_, "receiptNo") => &mut message.receipt,
            _ => {
                let Some(issue) = &mut message.open else { return };
                match (around, name) {
                    ("units", "value") => &mut issue.units,
                    (_, "units") => &mut issue.units,
                    ("units", "siUnit") => &mut issue.unit,
                    (_, "stsCipher") if !value.is_empty() => {
                        issue.tokens.push(value.to_owned());
                        return;
                    }
                    _ => return,
                }
            }
        };
        if !value.is_empty() {
            value.clone_into(place);
        }
    }

    /// Whether the amount at hand is that of a transaction or message, not of a step of a tariff.
    fn is_amount_of_sale(&self) -> bool {
        let at = self.stack.iter().rposition(|element| element == "amt");
        let around = at.and_then(|at| at.checked_sub(1)).and_then(|at| self.stack.get(at));
        around.is_some_and(|around| around == "tx" || around.ends_with("Resp"))
    }

    fn close(&mut self, line: u64, each: Each<'_>) -> Result<Flow, InputError> {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() && text.len() <= LONGEST_VALUE {
            let name = self.stack.last().cloned().unwrap_or_default();
            self.value(&name, &text);
        }
        let Some(name) = self.stack.pop() else { return Ok(Flow::On) };
        let Some(message) = &mut self.message else { return Ok(Flow::On) };
        if name.ends_with("TokenIssue")
            && let Some(issue) = message.open.take()
        {
            message.issues.push(issue);
            let tokens: usize = message.issues.iter().map(|issue| issue.tokens.len()).sum();
            if tokens > MOST_TOKENS || message.issues.len() > MOST_TOKENS {
                let problem = format!("a message with more than {MOST_TOKENS} tokens");
                return Err(broken(self.name, line, problem));
            }
        }
        if name == "tx" {
            for issue in &mut message.issues[message.transaction..] {
                issue.receipt.clone_from(&message.transaction_receipt);
                if issue.is_credit {
                    issue.paid.clone_from(&message.transaction_paid);
                }
            }
        }
        if self.stack.len() != message.depth {
            return Ok(Flow::On);
        }
        let Some(message) = self.message.take() else { return Ok(Flow::On) };
        Ok(self.give(message, each))
    }

    fn give(&mut self, message: Message, each: Each<'_>) -> Flow {
        if message.repeats {
            self.passed.repeats += 1;
            return Flow::On;
        }
        if message.issues.iter().all(|issue| issue.tokens.is_empty()) {
            self.passed.empty += 1;
            return Flow::On;
        }
        let file: Rc<str> = Rc::from(self.name);
        for issue in message.issues {
            let or =
                |own: String, shared: &str| if own.is_empty() { shared.to_owned() } else { own };
            let (meter, shared) = (issue.meter, &message.meter);
            let paid = if issue.is_credit { or(issue.paid, &message.paid) } else { issue.paid };
            let cells = [
                message.time.clone(),
                or(issue.receipt, &message.receipt),
                or(meter.msno, &shared.msno),
                or(meter.sgc, &shared.sgc),
                or(meter.krn, &shared.krn),
                or(meter.ti, &shared.ti),
                or(meter.at, &shared.at),
                or(meter.tt, &shared.tt),
                String::new(),
                issue.units,
                issue.unit,
                paid,
            ];
            for token in issue.tokens {
                let mut cells = cells.to_vec();
                cells[8] = token;
                let row = RawRow {
                    file: Some(file.clone()),
                    line: issue.line,
                    cells,
                    ..RawRow::default()
                };
                if each(row) == Flow::Stop {
                    return Flow::Stop;
                }
            }
        }
        Flow::On
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALE: &str = r#"<?xml version="1.0"?>
<soap:Envelope xmlns:soap="s"><soap:Body>
<q1:creditVendResp xmlns:q1="r"><respDateTime>2024-11-01T09:12:00</respDateTime>
<creditVendReceipt receiptNo="R7"><transactions>
<tx><kcTokenIssue><meterDetail msno="01202401012" sgc="600457" krn="1" ti="01"/>
<token><set1stMeterKey><stsCipher>11</stsCipher></set1stMeterKey><set2ndMeterKey><stsCipher>22</stsCipher></set2ndMeterKey></token></kcTokenIssue></tx>
<tx><amt value="100.00" symbol="R"/><creditTokenIssue><meterDetail msno="01202401012"><sgc>600457</sgc><meterType at="07" tt="02"/></meterDetail>
<token><stsCipher>33 &#x34;4</stsCipher></token><units value="10.0" siUnit="m3"/></creditTokenIssue>
<tariffBreakdown><amt value="5"/></tariffBreakdown></tx>
</transactions></creditVendReceipt></q1:creditVendResp></soap:Body></soap:Envelope>"#;

    fn rows(text: &str) -> (Vec<String>, Vec<String>, Option<String>) {
        let (mut rows, mut passed) = (Vec::new(), Passed::default());
        let done = for_each(
            text.as_bytes(),
            "t.xml",
            &mut |row| {
                rows.push(row.cells.join("|"));
                Flow::On
            },
            &mut passed,
        );
        (rows, passed.notes(), done.err().map(|error| error.to_string()))
    }

    #[test]
    fn tokens_of_a_response_are_rows() {
        let (rows, notes, error) = rows(SALE);
        assert_eq!((notes, error), (vec![], None));
        assert_eq!(
            rows,
            [
                "2024-11-01T09:12:00|R7|01202401012|600457|1|01|||11|||",
                "2024-11-01T09:12:00|R7|01202401012|600457|1|01|||22|||",
                "2024-11-01T09:12:00|R7|01202401012|600457|||07|02|33 44|10.0|m3|100.00",
            ]
        );
    }

    #[test]
    fn lines_of_a_log_and_other_messages_are_passed_over() {
        let log = format!(
            "2024-11-01 INFO a & b\n<creditVendReq/>\n{SALE}\nmore\n<xmlvendFaultResp/><reprintResp>\
             <creditTokenIssue><stsCipher>1</stsCipher></creditTokenIssue></reprintResp><loginResp/>"
        );
        let (rows, notes, error) = rows(&log);
        assert_eq!((rows.len(), error), (3, None));
        assert_eq!(notes.len(), 4, "{notes:?}");
    }

    #[test]
    fn entities_types_and_ends_are_refused_with_their_line() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<creditVendResp/>";
        assert!(rows(bomb).2.unwrap().contains("t.xml:1: a document type"));
        let entity = SALE.replace("&#x34;", "&b;");
        assert!(rows(&entity).2.unwrap().contains("\"&b;\""));
        let cut = |before: &str| rows(&SALE[..SALE.find(before).unwrap()]).2.unwrap();
        assert!(cut("<units").contains("cut off"), "{}", cut("<units"));
        assert!(cut("symbol").contains("well-formed"), "{}", cut("symbol"));
        assert!(rows("<a><b></a>").2.unwrap().contains("t.xml:1"));
        let deep = "<a>".repeat(100);
        assert!(rows(&deep).2.unwrap().contains("deep"));
    }

    #[test]
    fn endless_text_is_given_up() {
        let endless = io::BufReader::new("<creditVendResp>".as_bytes().chain(io::repeat(b'x')));
        let error =
            for_each(endless, "t.xml", &mut |_| Flow::On, &mut Passed::default()).unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");
    }
}
