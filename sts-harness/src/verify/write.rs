//! Verdicts as lines of NDJSON or CSV.

use serde_json::{Map, Value};
use sts_core::class::name;
use sts_core::{Class, Commodity, Payload, Rejection};

use super::digits::eight;
use super::{Outcome, Verdict};
use crate::keys::KeyRing;
use crate::table::guarded;
use crate::time;

/// The columns of the CSV form: every field that a verdict can have, in the order of its object.
#[rustfmt::skip]
pub const COLUMNS: [&str; 38] = [
    "schema", "id", "token", "result", "token_class", "subclass", "name", "rnd", "tid", "tid_time",
    "units_raw", "quantity", "unit", "amount", "control", "mfr_code", "tests", "meaning", "index",
    "value", "watts", "register_to_clear", "section", "kenho", "krn", "rollover", "three_kct", "kt",
    "kenlo", "ti", "sgc", "sgclo", "sgcho", "data", "error", "key_id", "trials", "matches",
];

/// How verdicts are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// A line of [`COLUMNS`] each. What is absent is empty; lists have `;` between. Text that a
    /// spreadsheet would run as a formula gets an apostrophe in front.
    Csv,
    /// An object a line.
    Ndjson,
}

/// Lines that are written one after the other, in memory that is kept from block to block.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Longer than what is used, so that short pieces need no length of their own.
    bytes: Vec<u8>,
    used: usize,
}

impl Lines {
    /// The lines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Begins anew.
    pub const fn clear(&mut self) {
        self.used = 0;
    }

    /// Room for so many bytes more, and for as many as the longest piece may be.
    fn make_room(&mut self, length: usize) {
        let needed = self.used + length + LONGEST_PIECE;
        if self.bytes.len() < needed {
            self.bytes.resize(needed.next_power_of_two(), 0);
        }
    }

    /// Appends bytes of a number known beforehand, of which `length` count; there is room.
    #[inline]
    fn put<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        self.bytes[self.used..][..N].copy_from_slice(bytes);
        self.used += length;
    }

    #[inline]
    fn put_piece(&mut self, piece: &Piece) {
        let to = &mut self.bytes[self.used..][..LONGEST_PIECE];
        self.used += piece.length;
        // Most are short, and the rest of the longest one does no harm.
        match piece.length {
            ..=16 => to[..16].copy_from_slice(&piece.bytes[..16]),
            17..=48 => to[..48].copy_from_slice(&piece.bytes[..48]),
            _ => to.copy_from_slice(&piece.bytes),
        }
    }

    fn put_text(&mut self, text: &[u8]) {
        self.make_room(text.len());
        let to = &mut self.bytes[self.used..][..text.len()];
        self.used += text.len();
        // Names are short: two words that overlap are copied faster than a slice.
        match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(first), Some(last)) if text.len() <= 16 => {
                to[..8].copy_from_slice(first);
                to[text.len() - 8..].copy_from_slice(last);
            }
            _ if text.len() < 8 => to.iter_mut().zip(text).for_each(|(to, from)| *to = *from),
            _ => to.copy_from_slice(text),
        }
    }

    /// Appends a number below 10^8.
    fn put_number(&mut self, number: u32) {
        let digits = u64::from_le_bytes(eight(number));
        let zeros = leading_zeros(digits).min(7);
        self.put(&(digits >> (8 * zeros)).to_le_bytes(), 8 - zeros);
    }

    /// Appends a number of tenths below 10^8 as [`describe::tenths`](crate::describe::tenths) says
    /// it.
    fn put_tenths(&mut self, number: u32) {
        let digits = u64::from_le_bytes(eight(number));
        let zeros = leading_zeros(digits).min(6);
        let whole = digits & !(0xff << 56) | u64::from(b'.') << 56;
        self.put(&(whole >> (8 * zeros)).to_le_bytes(), 8 - zeros);
        let [.., tenth] = digits.to_le_bytes();
        self.put(&[tenth], 1);
    }

    /// Appends minutes since 1970 as [`time::format_minutes`] says them.
    fn put_minute(&mut self, minutes: i64) {
        // Four digits of the year: up to 9999.
        let Some(minutes) = u32::try_from(minutes).ok().filter(|minutes| *minutes < 4_223_338_560)
        else {
            self.put_text(time::format_minutes(minutes).as_bytes());
            return;
        };
        let (days, minute) = (minutes / 1440, minutes % 1440);
        let (year, month, day) = date(days);
        let [y1, y2, y3, y4, m1, m2, d1, d2] = eight(year * 10_000 + month * 100 + day);
        let [.., h1, h2, n1, n2] = eight(minute / 60 * 100 + minute % 60);
        let text = [
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', b'0',
            b'0', b'Z',
        ];
        self.put(&text, text.len());
    }
}

/// Bytes of a piece, copied whole.
const LONGEST_PIECE: usize = 96;

/// A piece of a line that is the same for many.
#[derive(Clone, Debug)]
struct Piece {
    bytes: [u8; LONGEST_PIECE],
    length: usize,
}

impl Piece {
    /// `None` where it is too long.
    fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; LONGEST_PIECE];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length: text.len() })
    }
}

/// Writes verdicts; the usual ones of a row without an object in between.
#[derive(Debug)]
pub struct Writer {
    form: Form,
    words: Option<Words>,
    /// The end of a line that one vending key accounts for, by its place in the ring.
    tails: Vec<Option<Piece>>,
}

/// What stands between the values of a unit credit, and in a line that says `CRCError`.
#[derive(Debug)]
struct Words {
    id: Piece,
    token: Piece,
    /// By the subclass.
    rnd: [Piece; 4],
    tid: Piece,
    time: Piece,
    units: Piece,
    quantity: Piece,
    /// By the subclass.
    end: [Piece; 4],
    /// Behind the token, by the class.
    refused: [Piece; 4],
}

impl Writer {
    /// For verdicts under the keys of a ring.
    #[must_use]
    pub fn new(form: Form, ring: &KeyRing) -> Self {
        let words = match form {
            Form::Csv => Words::csv(),
            Form::Ndjson => Words::ndjson(),
        };
        let tail = |id: &str| match form {
            Form::Csv => format!("{0},1,{0}\n", cell(id)),
            Form::Ndjson => {
                format!("\"key_id\":{0},\"trials\":1,\"matches\":[{0}]}}\n", Value::from(id))
            }
        };
        let tails = ring.vending.iter().map(|entry| Piece::new(&tail(&entry.id))).collect();
        Self { form, words, tails }
    }

    /// The first line: the names of the columns in CSV, else nothing.
    #[must_use]
    pub fn header(&self) -> String {
        match self.form {
            Form::Csv => COLUMNS.join(",") + "\n",
            Form::Ndjson => String::new(),
        }
    }

    /// Appends the line of a verdict.
    pub fn put(&self, verdict: &Verdict<'_>, to: &mut Lines) {
        if self.put_usual(verdict, to).is_none() {
            to.put_text(&self.any(&verdict.object()));
        }
    }

    /// The line of a unit credit, or of one that does not authenticate, where one vending key
    /// alone was tried; `None` where it is any other.
    fn put_usual(&self, verdict: &Verdict<'_>, to: &mut Lines) -> Option<()> {
        let words = self.words.as_ref()?;
        let tail = self.tails.get(verdict.only?)?.as_ref()?;
        let token: &[u8; 20] = verdict.token.as_bytes().try_into().ok()?;
        if !is_plain(&verdict.id) {
            return None;
        }
        let (commodity, rnd, tid, amount, reading) = match &verdict.outcome {
            Outcome::Authentic {
                payload: Payload::Credit { commodity, rnd, tid, amount },
                reading,
                ..
            } => (*commodity as usize, *rnd, *tid, amount.units(), reading),
            Outcome::Refused(class, Rejection::Crc) => {
                self.begin(words, verdict, token, to);
                to.put_piece(&words.refused[usize::from(class.bits())]);
                return Some(());
            }
            _ => return None,
        };
        let minutes = reading.unix_minutes(tid)?;
        self.begin(words, verdict, token, to);
        to.put_piece(&words.rnd[commodity]);
        let (tens, units) = (rnd / 10, b'0' + rnd % 10);
        let digits = if tens == 0 { [units, 0] } else { [b'0' + tens, units] };
        to.put(&digits, 1 + usize::from(tens != 0));
        to.put_piece(&words.tid);
        to.put_number(tid.get());
        to.put_piece(&words.time);
        to.put_minute(minutes);
        to.put_piece(&words.units);
        to.put_number(amount);
        to.put_piece(&words.quantity);
        to.put_tenths(amount);
        to.put_piece(&words.end[commodity]);
        to.put_piece(tail);
        Some(())
    }

    fn begin(&self, words: &Words, verdict: &Verdict<'_>, token: &[u8; 20], to: &mut Lines) {
        to.make_room(12 * LONGEST_PIECE + verdict.id.len());
        to.put_piece(&words.id);
        to.put_text(verdict.id.as_bytes());
        to.put_piece(&words.token);
        to.put(token, 20);
    }

    /// The line of any object.
    pub(super) fn any(&self, object: &Map<String, Value>) -> Vec<u8> {
        let line = match self.form {
            Form::Csv => {
                let text = |column: &&str| object.get(*column).map(plain).unwrap_or_default();
                let cells: Vec<String> = COLUMNS.iter().map(|column| cell(&text(column))).collect();
                cells.join(",")
            }
            Form::Ndjson => Value::from(object.clone()).to_string(),
        };
        (line + "\n").into_bytes()
    }
}

impl Words {
    fn csv() -> Option<Self> {
        // Commas from behind one column to in front of another.
        let place =
            |column: &str| COLUMNS.iter().position(|name| *name == column).unwrap_or_default();
        let to = |from: &str, column: &str| ",".repeat(place(column) - place(from));
        Some(Self {
            id: Piece::new("1,")?,
            token: Piece::new(",")?,
            rnd: each(|it| {
                let subclass = it as u8;
                format!(",Authentic,0,{subclass},{},", cell(name(Class::Credit, subclass)))
            })?,
            tid: Piece::new(",")?,
            time: Piece::new(",")?,
            units: Piece::new(",")?,
            quantity: Piece::new(",")?,
            end: each(|it| format!(",{}{}", it.unit(), to("unit", "key_id")))?,
            refused: each(|it| {
                let (class, code) = (it as u8, Rejection::Crc.code());
                format!(",{code},{class}{}1,\n", to("token_class", "trials"))
            })?,
        })
    }

    fn ndjson() -> Option<Self> {
        Some(Self {
            id: Piece::new(r#"{"schema":1,"id":""#)?,
            token: Piece::new(r#"","token":""#)?,
            rnd: each(|it| {
                let (subclass, name) = (it as u8, name(Class::Credit, it as u8));
                let kind = format!(r#""token_class":0,"subclass":{subclass},"name":"{name}""#);
                format!(r#"","result":"Authentic",{kind},"rnd":"#)
            })?,
            tid: Piece::new(r#","tid":"#)?,
            time: Piece::new(r#","tid_time":""#)?,
            units: Piece::new(r#"","units_raw":"#)?,
            quantity: Piece::new(r#","quantity":""#)?,
            end: each(|it| format!(r#"","unit":"{}","#, it.unit()))?,
            refused: each(|it| {
                let (class, code) = (it as u8, Rejection::Crc.code());
                let said = format!(r#"","result":"{code}","token_class":{class}"#);
                said + r#","trials":1,"matches":[]}"# + "\n"
            })?,
        })
    }
}

/// A piece for each of four: of the commodities, whose numbers are subclasses, or of the classes.
fn each(text: impl Fn(Commodity) -> String) -> Option<[Piece; 4]> {
    let [a, b, c, d] = Commodity::ALL.map(|it| Piece::new(&text(it)));
    Some([a?, b?, c?, d?])
}

/// Whether a text stands for itself in either form.
fn is_plain(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    text.bytes().all(plain) && !text.starts_with('-')
}

/// A value as a cell says it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}

/// A text as it stands in a line of CSV.
fn cell(text: &str) -> String {
    let text = guarded(text);
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

/// How many of eight digits, the first in the lowest byte, are zeros in front of another.
const fn leading_zeros(digits: u64) -> usize {
    ((digits ^ 0x3030_3030_3030_3030).trailing_zeros() / 8) as usize
}

/// Year, month and day of a day counted from 1970, by the method of Neri and Schneider: years begin
/// in March, and a division by a year's or a month's length is a multiplication.
const fn date(days: u32) -> (u32, u32, u32) {
    // 1 March 0000 lies 719 468 days before; 146 097 days are 400 years.
    let quarters = 4 * (days + 719_468) + 3;
    let (century, rest) = (quarters / 146_097, quarters % 146_097 / 4);
    let year = 2_939_745 * (4 * rest + 3) as u64;
    let (year, day) = ((year >> 32) as u32, (year & 0xffff_ffff) as u32 / 2_939_745 / 4);
    let month = 2141 * day + 197_913;
    let (month, day) = (month >> 16, (month & 0xffff) / 2141 + 1);
    let after = month > 12;
    let month = if after { month - 12 } else { month };
    (100 * century + year + after as u32, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(put: impl FnOnce(&mut Lines)) -> String {
        let mut lines = Lines::default();
        lines.make_room(0);
        put(&mut lines);
        String::from_utf8(lines.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn minute_is_as_the_calendar_says() {
        // Every day of every base date lies in the first range, and the last day of all in the other.
        for minutes in
            (0..u32::from(u16::MAX) * 1440).step_by(1439).chain(4_223_330_000..4_223_338_560)
        {
            let minutes = i64::from(minutes);
            let text = written(|lines| lines.put_minute(minutes));
            assert_eq!(text, time::format_minutes(minutes));
        }
    }

    #[test]
    fn number_has_no_leading_zeros() {
        for number in [0, 9, 10, 16_777_215, 18_201_624, 99_999_999] {
            assert_eq!(written(|lines| lines.put_number(number)), number.to_string());
            let tenths = crate::describe::tenths(number.into());
            assert_eq!(written(|lines| lines.put_tenths(number)), tenths);
        }
    }

    #[test]
    fn pieces_are_not_too_long() {
        assert!(Words::csv().is_some());
        assert!(Words::ndjson().is_some());
    }
}
