//! Single values: what spreadsheets do to digits, decimal commas, words for nothing.

use crate::records::Decimal;

/// What a spreadsheet has done to a number.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Damage {
    /// It stands in exponent form: `1.23E+19`.
    Exponent,
    /// Fifteen digits are kept, and zeros follow.
    FifteenDigits,
    /// It is the nearest number that a double holds.
    Double,
    /// Digits are missing, as after zeros in front were dropped.
    LostZeros,
}

impl Damage {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Exponent => "a spreadsheet put the number in exponent form",
            Self::FifteenDigits => "a spreadsheet kept 15 digits and put zeros for the rest",
            Self::Double => "a spreadsheet rounded the number to the nearest double",
            Self::LostZeros => "a spreadsheet may have dropped zeros in front",
        }
    }

    /// Whether the digits cannot be computed back.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::LostZeros)
    }

    /// Of a token's text.
    #[must_use]
    pub fn of_token(text: &str) -> Option<Self> {
        let digits = ungrouped(text);
        if is_exponent(&digits) {
            return Some(Self::Exponent);
        }
        if !is_digits(&digits) {
            return None;
        }
        match digits.len() {
            17..=20 if digits.ends_with(&"00000"[20 - digits.len()..]) && digits.len() > 17 => {
                Some(Self::FifteenDigits)
            }
            17..=20 if is_double(&digits) => Some(Self::Double),
            15..=19 => Some(Self::LostZeros),
            _ => None,
        }
    }
}

/// Whether the digits are a number that a double holds to the last digit.
fn is_double(digits: &str) -> bool {
    let bits = |number: u128| u128::BITS - number.leading_zeros() - number.trailing_zeros();
    digits.parse().is_ok_and(|number| number > 0 && bits(number) <= f64::MANTISSA_DIGITS)
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a number stands in exponent form.
pub(super) fn is_exponent(text: &str) -> bool {
    let Some((digits, power)) = text.split_once(['E', 'e']) else { return false };
    let power = power.strip_prefix(['+', '-']).unwrap_or(power);
    let digits = digits.replacen(['.', ','], "", 1);
    is_digits(&digits) && is_digits(power)
}

/// A value without what exports wrap it in to keep spreadsheets off, and without words for nothing.
pub(super) fn bare(text: &str) -> &str {
    let text =
        text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{FEFF}' | '\u{200B}'));
    let text = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let text = text.strip_prefix('\'').unwrap_or(text);
    const NOTHING: [&str; 9] = ["null", "none", "nan", "n/a", "#n/a", "na", "nil", "-", "\\n"];
    if NOTHING.iter().any(|nothing| text.eq_ignore_ascii_case(nothing)) { "" } else { text }
}

/// A whole number without the `.0` that some tools write behind it.
pub(super) fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if is_digits(whole) && zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    }
}

/// Digits without the signs that group them; other text as it is.
pub(super) fn ungrouped(text: &str) -> String {
    let text = whole(text);
    let groups = |c: char| c.is_whitespace() || matches!(c, '-' | '.');
    if text.chars().all(|c| c.is_ascii_digit() || groups(c)) {
        return text.chars().filter(char::is_ascii_digit).collect();
    }
    text.to_owned()
}

/// What stands between the whole and the parts of a decimal number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DecimalMark {
    /// 1,234.50
    Point,
    /// 1.234,50
    Comma,
}

impl DecimalMark {
    /// From `point` or `comma`.
    ///
    /// # Errors
    ///
    /// What was found and expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "point" | "." => Ok(Self::Point),
            "comma" | "," => Ok(Self::Comma),
            _ => Err(format!("{text:?}, expected point (45.3) or comma (45,3)")),
        }
    }

    /// As it is said on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Comma => "comma",
        }
    }
}

/// What a value tells about the mark of its column: `Err` where both are possible and differ.
pub(super) fn mark_hint(text: &str) -> Result<Option<DecimalMark>, ()> {
    let (number, _) = amount(text);
    match (number.rfind(','), number.rfind('.')) {
        (Some(comma), Some(point)) if comma > point => Ok(Some(DecimalMark::Comma)),
        (Some(_), Some(_)) => Ok(Some(DecimalMark::Point)),
        (Some(_), None) if number.matches(',').count() > 1 => Ok(Some(DecimalMark::Point)),
        (Some(comma), None)
            if number.len() - comma == 4 && comma <= 3 && !number.starts_with('0') =>
        {
            Err(())
        }
        (Some(_), None) => Ok(Some(DecimalMark::Comma)),
        (None, Some(_)) if number.matches('.').count() > 1 => Ok(Some(DecimalMark::Comma)),
        // A point and three digits are parts of a unit nearly always, thousands in a comma's column.
        (None, Some(point)) if number.len() - point == 4 => Ok(None),
        (None, Some(_)) => Ok(Some(DecimalMark::Point)),
        (None, None) => Ok(None),
    }
}

/// The number in an amount and the letters beside it: a currency, a unit.
fn amount(text: &str) -> (String, String) {
    let is_sign = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-');
    let mut number = String::new();
    let mut letters = String::new();
    let (mut begun, mut ended) = (false, false);
    for c in text.chars() {
        let digit = is_sign(c) && !ended && (begun || c != '.');
        match c {
            c if digit => {
                begun = true;
                number.push(c);
            }
            // Some put blanks or apostrophes between thousands.
            c if c.is_whitespace() || c == '\'' => {}
            c => {
                ended = begun;
                letters.push(c);
            }
        }
    }
    (number, letters)
}

/// A decimal number, exact, without zeros at its end; and the letters beside it.
///
/// # Errors
///
/// What was found and expected.
pub(super) fn decimal(text: &str, mark: DecimalMark) -> Result<(String, String), String> {
    let wrong = || format!("{text:?}, expected a decimal number such as 45.3");
    let exponent = is_exponent(text);
    let (number, letters) = if exponent { (text.to_owned(), String::new()) } else { amount(text) };
    let (thousands, point) = match mark {
        DecimalMark::Point => (',', '.'),
        DecimalMark::Comma => ('.', ','),
    };
    let mut parts = number.split(point);
    let whole: String = {
        let whole = parts.next().unwrap_or_default();
        let groups: Vec<&str> = whole.split(thousands).collect();
        let sound = groups.len() == 1
            || (groups[1..].iter().all(|group| group.len() == 3) && groups[0].len() <= 4);
        if !sound {
            let which = mark.name();
            return Err(format!("{text:?}, expected a number with a decimal {which}"));
        }
        groups.concat()
    };
    let plain = match (parts.next(), parts.next()) {
        (None, _) => whole,
        (Some(part), None) => format!("{whole}.{part}"),
        _ => return Err(wrong()),
    };
    let decimal = Decimal::parse_with_exponent(&plain).map_err(|_| wrong())?;
    Ok((written(decimal), letters))
}

/// The shortest form of an exact decimal number.
fn written(decimal: Decimal) -> String {
    let digits = decimal.units.unsigned_abs().to_string();
    let scale = usize::try_from(decimal.scale).unwrap_or_default();
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = padded.split_at(padded.len() - scale);
    let part = part.trim_end_matches('0');
    let sign = if decimal.units < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// A unit as the files of a case name it.
pub(super) fn unit(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "kwh" => Some("kWh"),
        // A kilolitre is a cubic metre.
        "m3" | "m³" | "kl" | "cbm" => Some("m3"),
        "min" | "mins" | "minute" | "minutes" => Some("min"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_from_the_text() {
        for (text, damage) in [
            ("1.23457E+19", Some(Damage::Exponent)),
            ("1,23E+19", Some(Damage::Exponent)),
            ("12345678901234500000", Some(Damage::FifteenDigits)),
            ("1234567890123450000", Some(Damage::FifteenDigits)),
            ("12345678901234567168", Some(Damage::Double)),
            ("1234567890123456789", Some(Damage::LostZeros)),
            ("12345678901234567891", None),
            ("1234 5678 9012 3456 7891", None),
            ("1234-5678-9012-3456-7891", None),
            ("123", None),
            ("", None),
            ("ABC", None),
        ] {
            assert_eq!(Damage::of_token(text), damage, "{text}");
        }
    }

    #[test]
    fn wrappings_and_words_for_nothing_go() {
        assert_eq!(bare("=\"0123\""), "0123");
        assert_eq!(bare("'0123"), "0123");
        assert_eq!(bare(" NULL "), "");
        assert_eq!(whole("7.0"), "7");
        assert_eq!(whole("7.5"), "7.5");
        assert_eq!(ungrouped("1234-5678.9012 3456"), "1234567890123456");
        assert_eq!(ungrouped("12O4"), "12O4");
    }

    #[test]
    fn amounts_are_exact_under_either_mark() {
        let point = |text: &str| decimal(text, DecimalMark::Point);
        let comma = |text: &str| decimal(text, DecimalMark::Comma);
        assert_eq!(point("R 1,234.50").unwrap(), ("1234.5".into(), "R".into()));
        assert_eq!(comma("1.234,50").unwrap().0, "1234.5");
        assert_eq!(comma("1 234,50 kWh").unwrap(), ("1234.5".into(), "kWh".into()));
        assert_eq!(point("45.30").unwrap().0, "45.3");
        assert_eq!(point("-0.05").unwrap().0, "-0.05");
        assert_eq!(point("1E+2").unwrap().0, "100");
        assert!(point("45,3").unwrap_err().contains("decimal point"));
        assert!(point("").is_err() && point("R").is_err() && point("1.2.3").is_err());
    }

    #[test]
    fn marks_are_told_where_they_show() {
        assert_eq!(mark_hint("45,3"), Ok(Some(DecimalMark::Comma)));
        assert_eq!(mark_hint("1.234,5"), Ok(Some(DecimalMark::Comma)));
        assert_eq!(mark_hint("1,234.5"), Ok(Some(DecimalMark::Point)));
        assert_eq!(mark_hint("1,234"), Err(()));
        assert_eq!(mark_hint("0,234"), Ok(Some(DecimalMark::Comma)));
        assert_eq!(mark_hint("45"), Ok(None));
    }
}
