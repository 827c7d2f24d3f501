//! What may be a meter number or a token, taken out of a text.

/// Digits in a row, separators between them aside, from which on they are taken out.
const LONGEST: usize = 8;

/// Numbers of nine digits and more are replaced, whatever stands between their digits.
pub(super) fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_numeric()) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let (mut end, mut digits) = (0, 0);
        for (at, letter) in from.char_indices() {
            if letter.is_numeric() {
                digits += 1;
                end = at + letter.len_utf8();
            } else if letter.is_alphabetic() {
                break;
            }
        }
        let (number, after) = from.split_at(end);
        out.push_str(if digits > LONGEST { "[number]" } else { number });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_go_however_they_are_written() {
        assert_eq!(redacted("meter 01202401012 at 10:00"), "meter [number] at 10:00");
        assert_eq!(redacted("0443 4137 6791 7902 4103"), "[number]");
        assert_eq!(redacted("token 0443-4137-6791-7902-4103!"), "token [number]!");
        assert_eq!(redacted("\u{661}\u{662}\u{663}444555666"), "[number]");
        assert_eq!(redacted("Water, 1 November 2024: 017"), "Water, 1 November 2024: 017");
        assert_eq!(redacted("017"), "017");
    }
}
