//! Bytes as text: which encoding, and lines of bounded length.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How the bytes of a file are read as text, and how that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextForm {
    encoding: &'static Encoding,
    /// Bytes of a mark in front.
    mark: usize,
    how: &'static str,
    /// Bytes that end a line: a line feed, or a carriage return where there are no line feeds.
    pub(super) line_end: u8,
}

impl TextForm {
    /// From the first bytes of a file, or what the user says.
    pub(super) fn detect(head: &[u8], said: Option<&'static Encoding>) -> Self {
        let (marked, mark) = match Encoding::for_bom(head) {
            Some((encoding, mark)) => (Some(encoding), mark),
            None => (None, 0),
        };
        let (encoding, how) = match (said, marked) {
            (Some(said), _) => (said, "as said"),
            (None, Some(marked)) => (marked, "by its byte order mark"),
            (None, None) => guess(head),
        };
        let mark = if marked == Some(encoding) { mark } else { 0 };
        let mut form = Self { encoding, mark, how, line_end: b'\n' };
        let mut text = Vec::new();
        // Cannot fail: the bytes are in memory.
        let _ = Decoded::new(head, form).read_to_end(&mut text);
        if text.contains(&b'\r') && !text.contains(&b'\n') {
            form.line_end = b'\r';
        }
        form
    }

    /// In words.
    pub(super) fn words(self) -> String {
        format!("{}, {}", self.encoding.name(), self.how)
    }

    /// Whether bytes pass as they are, so that some may be wrong.
    pub(super) fn is_utf8(self) -> bool {
        self.encoding == UTF_8
    }
}

/// An encoding by its label.
///
/// # Errors
///
/// What was found and expected.
pub(super) fn encoding_named(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
        format!("{label:?} is no encoding, expected for example utf-8, utf-16le or windows-1252")
    })
}

/// What bytes without a mark are.
fn guess(head: &[u8]) -> (&'static Encoding, &'static str) {
    // Text of this trade is mostly ASCII: every other byte of UTF-16 is zero.
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let half = head.len() / 2;
    if half > 0 && zeros(1) * 10 >= half * 7 {
        return (UTF_16LE, "by its zero bytes");
    }
    if half > 0 && zeros(0) * 10 >= half * 7 {
        return (UTF_16BE, "by its zero bytes");
    }
    if head.is_ascii() {
        return (UTF_8, "ASCII as far as looked");
    }
    let (mut wrong, mut right, mut rest) = (0_usize, 0_usize, head);
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                right += text.chars().filter(|c| !c.is_ascii()).count();
                break;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                right += good.iter().filter(|byte| **byte >= 0xC0).count();
                // A letter cut off where the look ended is no error.
                let Some(length) = error.error_len() else { break };
                wrong += 1;
                rest = &bad[length..];
            }
        }
    }
    match (wrong, right) {
        (0, _) => (UTF_8, "every letter is"),
        (_, 0) => (WINDOWS_1252, "since some bytes are no UTF-8"),
        _ => (UTF_8, "with bytes that are not: mixed encodings"),
    }
}

/// Bytes of a file as UTF-8.
pub(super) struct Decoded<R> {
    inner: R,
    decoder: Option<Decoder>,
    skip: usize,
    raw: Vec<u8>,
    out: Vec<u8>,
    given: usize,
    ended: bool,
}

/// Bytes decoded at once.
const STEP: usize = 32 * 1024;

impl<R: Read> Decoded<R> {
    pub(super) fn new(inner: R, form: TextForm) -> Self {
        let decoder = (!form.is_utf8()).then(|| form.encoding.new_decoder_without_bom_handling());
        let (raw, out) = (Vec::new(), Vec::new());
        Self { inner, decoder, skip: form.mark, raw, out, given: 0, ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        self.raw.resize(STEP, 0);
        let read = self.inner.read(&mut self.raw)?;
        self.ended = read == 0;
        let room = decoder.max_utf8_buffer_length(read).unwrap_or(STEP * 4);
        self.out.resize(room, 0);
        let (_, _, written, _) =
            decoder.decode_to_utf8(&self.raw[..read], &mut self.out, self.ended);
        self.out.truncate(written);
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.skip > 0 {
            let mut mark = [0; 4];
            let read = self.inner.read(&mut mark[..self.skip.min(4)])?;
            self.skip = if read == 0 { 0 } else { self.skip - read };
        }
        if self.decoder.is_none() {
            return self.inner.read(buffer);
        }
        while self.given == self.out.len() && !self.ended {
            self.fill()?;
        }
        let rest = &self.out[self.given..];
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.given += taken;
        Ok(taken)
    }
}

/// The longest line that is read.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// A line, or how long it would have been.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// Its bytes, without what ends it.
    Whole(Vec<u8>),
    /// Its number of bytes, and the first of them.
    TooLong(u64, Vec<u8>),
}

/// Lines with their numbers, from 1. None is held that is longer than [`LONGEST_LINE`].
pub(super) struct Lines<R> {
    inner: R,
    end: u8,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(inner: R, end: u8) -> Self {
        Self { inner, end, number: 0 }
    }

    /// The next; `None` at the end. `first_only` gives a line up after its first bytes, so that a
    /// file that is one endless line is not read through.
    pub(super) fn next(&mut self, first_only: bool) -> io::Result<Option<(u64, Line)>> {
        let (mut line, mut length, mut any) = (Vec::new(), 0_u64, false);
        loop {
            let held = match self.inner.fill_buf() {
                Ok(held) => held,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if held.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(self.end, held);
            let part = &held[..end.unwrap_or(held.len())];
            length += u64::try_from(part.len()).unwrap_or(u64::MAX);
            let room = LONGEST_LINE.saturating_sub(line.len());
            line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.inner.consume(used);
            let given_up = first_only && length > LONGEST_LINE as u64;
            if end.is_some() || given_up {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if length > LONGEST_LINE as u64 {
            line.truncate(200);
            return Ok(Some((self.number, Line::TooLong(length, line))));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some((self.number, Line::Whole(line))))
    }
}

/// Bytes as text where they are UTF-8, or as Windows-1252, which loses none, and what is wrong.
pub(super) fn words(bytes: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(error) => {
            let place = error.valid_up_to();
            let problem = format!(
                "byte {} of the line (0x{:02X}) is not UTF-8 as the rest of the file (mixed \
                 encodings; the row is given as windows-1252), expected one encoding, or --encoding",
                place + 1,
                bytes.get(place).copied().unwrap_or_default()
            );
            (WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(), Some(problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, String) {
        let form = TextForm::detect(bytes, None);
        let mut text = Vec::new();
        Decoded::new(bytes, form).read_to_end(&mut text).unwrap();
        (form.words(), String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn encodings_are_told_from_the_bytes() {
        let wide = |big: bool, mark: bool, text: &str| -> Vec<u8> {
            let mark = mark.then_some(0xFEFF);
            let units = mark.into_iter().chain(text.encode_utf16());
            units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let text = "meter,café\n1,é\n";
        let cases = [
            (text.as_bytes().to_vec(), "UTF-8, every"),
            (format!("\u{FEFF}{text}").into_bytes(), "UTF-8, by its byte order mark"),
            (wide(false, true, text), "UTF-16LE, by its byte"),
            (wide(true, true, text), "UTF-16BE, by its byte"),
            (wide(false, false, text), "UTF-16LE, by its zero"),
            (wide(true, false, text), "UTF-16BE, by its zero"),
            (b"meter,caf\xE9\n1,\xE9\n".to_vec(), "windows-1252"),
        ];
        for (bytes, says) in cases {
            let (words, read) = read(&bytes);
            assert!(words.starts_with(says), "{words}, expected {says}");
            assert_eq!(read, text, "{words}");
        }
        assert!(read(b"caf\xC3\xA9\ncaf\xE9\n").0.contains("mixed"));
        assert!(read(b"a\n").0.contains("ASCII"));
        assert!(encoding_named("latin-9000").is_err());
    }

    #[test]
    fn lines_are_numbered_and_long_ones_are_not_held() {
        let text = [b"a\r\n\n".to_vec(), vec![b'x'; LONGEST_LINE * 3], b"\nb".to_vec()].concat();
        let mut lines = Lines::new(io::BufReader::new(text.as_slice()), b'\n');
        assert!(matches!(lines.next(false), Ok(Some((1, Line::Whole(line)))) if line == b"a"));
        assert!(matches!(lines.next(false), Ok(Some((2, Line::Whole(line)))) if line.is_empty()));
        let Ok(Some((3, Line::TooLong(length, start)))) = lines.next(false) else { panic!() };
        assert_eq!((length, start.len()), (3 * LONGEST_LINE as u64, 200));
        assert!(matches!(lines.next(false), Ok(Some((4, Line::Whole(line)))) if line == b"b"));
        assert!(matches!(lines.next(false), Ok(None)));
    }

    #[test]
    fn endless_first_line_is_given_up() {
        let mut lines = Lines::new(io::BufReader::new(io::repeat(b'x')), b'\n');
        assert!(matches!(lines.next(true), Ok(Some((1, Line::TooLong(..))))));
    }
}
