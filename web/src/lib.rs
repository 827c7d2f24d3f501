//! What a token says without a key, for a page that no server stands behind.
//!
//! [`look`] gives JSON; a page writes text at [`sts_room`] and calls [`sts_look`]. No answer holds a
//! character of the text: what was not a digit is told by its place and its code point.

use std::cell::UnsafeCell;
use std::fmt::{self, Display, Write};

use sts_core::key::luhn_check_digit;
use sts_core::{
    Class, DecoderReferenceNumber, Framing, Keyed, MeterPan, Opened, ParseTokenError, Payload,
    Token, class,
};

/// The most that can be asked about, in bytes of UTF-8.
const QUESTION: usize = 4096;
const ROOM: usize = 16 * 1024;

struct Room(UnsafeCell<[u8; ROOM]>);

// SAFETY: a page calls from one thread, and one call at a time.
unsafe impl Sync for Room {}

static THE_ROOM: Room = Room(UnsafeCell::new([0; ROOM]));

/// Where the text is to be written, and where the answer will stand: room for 4,096 bytes of text.
#[unsafe(no_mangle)]
pub extern "C" fn sts_room() -> *mut u8 {
    THE_ROOM.0.get().cast()
}

/// Answers the first `length` bytes of the room; the length of the answer that stands there then.
#[unsafe(no_mangle)]
pub extern "C" fn sts_look(length: usize) -> usize {
    // SAFETY: the room is ours alone until this returns; see `Room`.
    let room = unsafe { &mut *THE_ROOM.0.get() };
    let asked = String::from_utf8_lossy(&room[..length.min(QUESTION)]);
    let answer = look(&asked);
    let answer = answer.as_bytes();
    let length = answer.len().min(ROOM);
    room[..length].copy_from_slice(&answer[..length]);
    length
}

/// What can be said of a text as keyed.
#[must_use]
pub fn look(text: &str) -> String {
    let text = text.trim();
    let mut out = Object::new();
    match Token::parse(text) {
        Ok(token) => told(&mut out, token),
        Err(ParseTokenError::NonDigit { position, found }) => {
            out.word("result", "FormatError");
            out.put("position", position + 1);
            out.put("code_point", u32::from(found));
        }
        Err(ParseTokenError::Length { found }) => {
            out.word("result", "LengthError");
            out.put("digits", found);
            if let Ok(keyed) = Keyed::parse(text) {
                number(&mut out, &keyed);
                out.list("framings", keyed.fitting().iter().map(|framing| form(&keyed, framing)));
                out.list("doubled", doubled(&keyed).map(|place| place.to_string()));
            }
        }
        // Twenty digits at or above 2^66.
        Err(_) => out.word("result", "FormatError"),
    }
    out.end()
}

/// Twenty digits that are a token.
fn told(out: &mut Object, token: Token) {
    let opened = token.open_without_key().map(Opened::authenticate);
    let result = match &opened {
        Some(Ok(_)) => "Authentic",
        Some(Err(_)) => "CRCError",
        None if token.class().is_encrypted() => "Encrypted",
        None => "FunctionError",
    };
    out.word("result", result);
    out.word("token", token);
    out.put("token_class", token.class().bits());
    out.word("bits", format_args!("{:066b}", token.bits()));
    match opened {
        Some(Ok(payload)) => contents(out, &payload),
        Some(Err(_)) => {
            out.list("one_slip_away", one_slip_away(token).map(|token| format!("\"{token}\"")));
        }
        None => {}
    }
}

/// What a token of class 1 asks for.
fn contents(out: &mut Object, payload: &Payload) {
    out.put("subclass", payload.kind().1);
    out.word("name", payload.name());
    match *payload {
        Payload::MeterTest(test) => {
            let width = test.width() as usize / 4;
            out.word("control", format_args!("{:0width$x}", test.control));
            out.put("mfr_code", test.mfr_code);
            out.list(
                "tests",
                test.tests().map(|number| {
                    let mut one = Object::new();
                    one.put("number", number);
                    one.word("meaning", class::test_meaning(number).unwrap_or("reserved"));
                    one.end()
                }),
            );
        }
        Payload::ExtendedRead { control, mfr_code } => {
            out.word("control", format_args!("{control:09x}"));
            out.put("mfr_code", mfr_code);
        }
        _ => {}
    }
}

/// Tokens of class 1 that are right and differ in one digit, or by two neighbours that changed places.
fn one_slip_away(token: Token) -> impl Iterator<Item = Token> {
    let digits = token.digits().map(|digit| digit - b'0');
    let changed = (0..digits.len()).flat_map(move |place| {
        (0..=9).map(move |digit| {
            let mut digits = digits;
            digits[place] = digit;
            digits
        })
    });
    let swapped = (1..digits.len()).map(move |place| {
        let mut digits = digits;
        digits.swap(place - 1, place);
        digits
    });
    let is_right = |token: &Token| {
        token.class() == Class::NonMeterSpecificManagement
            && token.open_without_key().is_some_and(|opened| opened.authenticate().is_ok())
    };
    changed.chain(swapped).filter_map(|digits| Token::from_digits(&digits)).filter(is_right)
}

/// Whether it is the number of a meter.
fn number(out: &mut Object, keyed: &Keyed) {
    let digits: String = keyed.digits().iter().map(|digit| char::from(b'0' + digit)).collect();
    if DecoderReferenceNumber::parse(&digits).is_ok() || MeterPan::parse(&digits).is_ok() {
        out.put("meter_number", true);
    } else if keyed.count() == 11 {
        out.put("check_digit", luhn_check_digit(&digits.as_bytes()[..10]));
    }
}

/// What a form of other than twenty digits makes of them.
fn form(keyed: &Keyed, framing: Framing) -> String {
    let framed = keyed.frame_as(framing).ok();
    let token = match framing {
        Framing::DupGroup => keyed.without_doubled_group(),
        Framing::Multi20 | Framing::Runon => {
            keyed.digits().first_chunk().and_then(Token::from_digits)
        }
        _ => framed.map(|framed| framed.token()),
    };
    let mut out = Object::new();
    out.word("framing", framing.name());
    if let Some(token) = token {
        out.word("token", token);
        out.put("token_class", token.class().bits());
    }
    if let Some(claims) = framed.and_then(|framed| framed.claims()) {
        out.put("key_revision", claims.key_revision);
        out.put("resource", claims.resource);
    }
    out.put("unverified", framing.is_unverified() || !framing.is_acceptable());
    out.end()
}

/// Of twenty-one digits, the places (from 1) that repeat the digit before: one may be keyed twice.
fn doubled(keyed: &Keyed) -> impl Iterator<Item = usize> {
    let digits = if keyed.count() == 21 { keyed.digits() } else { &[] };
    digits.windows(2).zip(2..).filter(|(pair, _)| pair[0] == pair[1]).map(|(_, place)| place)
}

/// A JSON object in the making; all text in it is of this project, and plain.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self(String::new())
    }

    /// A number or a truth.
    fn put(&mut self, name: &str, value: impl Display) {
        self.member(name, format_args!("{value}"));
    }

    fn word(&mut self, name: &str, value: impl Display) {
        self.member(name, format_args!("\"{value}\""));
    }

    fn list(&mut self, name: &str, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.collect();
        self.member(name, format_args!("[{}]", items.join(",")));
    }

    fn member(&mut self, name: &str, value: fmt::Arguments<'_>) {
        let comma = if self.0.is_empty() { "" } else { "," };
        write!(self.0, "{comma}\"{name}\":{value}").expect("a string takes all");
    }

    fn end(self) -> String {
        format!("{{{}}}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::look;

    #[test]
    fn class_1_token_says_what_it_shows() {
        let said = look("1844 6744 0738 4377 2416");
        assert!(
            said.starts_with("{\"result\":\"Authentic\",\"token\":\"18446744073843772416\""),
            "{said}"
        );
        assert!(said.contains("\"meaning\":\"show key revision number and key type\""), "{said}");
    }

    #[test]
    fn slip_in_a_class_1_token_is_found() {
        let said = look("18446744073843772417");
        assert!(said.contains("\"result\":\"CRCError\""), "{said}");
        assert!(said.contains("\"one_slip_away\":[\"18446744073843772416\""), "{said}");
    }

    #[test]
    fn text_is_never_repeated() {
        let said = look("1844\"</script>");
        assert_eq!(said, "{\"result\":\"FormatError\",\"position\":5,\"code_point\":34}");
    }

    #[test]
    fn other_lengths_say_what_they_may_be() {
        assert!(look("01202401012").contains("\"meter_number\":true"));
        assert!(look("01202401013").contains("\"check_digit\":"));
        assert!(look("184467440738437724162819").contains("\"framing\":\"w24-check\""));
        assert!(look("118446744073843772416").contains("\"doubled\":[2,"));
        assert_eq!(
            look(""),
            "{\"result\":\"LengthError\",\"digits\":0,\"framings\":[],\"doubled\":[]}"
        );
    }
}
