//! What was entered, as people look at it.

use crate::out::grouped;

/// A text rather than a number: no digit at all, or a word.
pub(crate) fn is_prose(entered: &str) -> bool {
    let has_digit = entered.bytes().any(|byte| byte.is_ascii_digit());
    let mut runs = entered.split(|c: char| !c.is_alphabetic());
    !has_digit || runs.any(|run| run.chars().count() >= 3)
}

/// An entry as one line: digits in groups of four, anything else as it stands, cut where it is long.
pub(crate) fn shortened(entered: &str) -> String {
    const LONGEST: usize = 60;
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let line = entered.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().map(visible).collect();
    let separators = |c: char| matches!(c, ' ' | '-' | '.' | '_' | '/');
    let digits = line.chars().filter(char::is_ascii_digit).count();
    // Fewer are no token with a slip, but the number of a meter, a telephone, a PIN.
    let line = if digits >= 15 && line.chars().all(|c| c.is_ascii_digit() || separators(c)) {
        grouped(&line.replace(separators, ""))
    } else {
        line
    };
    if line.chars().count() <= LONGEST {
        return line;
    }
    let start: String = line.chars().take(LONGEST).collect();
    format!("{start}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_shown_on_one_line() {
        assert_eq!(shortened("6385-3003 57726401\n6202"), "6385 3003 5772 6401 6202");
        assert_eq!(shortened("my token\u{1b}[31m fails"), "my token [31m fails");
        assert_eq!(shortened("01202401012"), "01202401012");
        assert!(shortened(&"9".repeat(400)).ends_with("..."));
    }

    #[test]
    fn words_are_told_from_numbers() {
        assert!(is_prose("my token does not work") && is_prose("") && is_prose("meter 5 is off"));
        assert!(!is_prose("1844674407384377241O") && !is_prose("1.23E+19"));
        assert!(!is_prose("1844 6744 0738 4377 241O"));
    }
}
