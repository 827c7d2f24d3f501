//! Where two numbers differ.

use serde::Serialize;

/// Places, from 0, at which two numbers differ.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Marks {
    /// In what was keyed.
    pub(crate) keyed: Vec<usize>,
    /// In what it should be, where that has digits which were left out.
    pub(crate) right: Vec<usize>,
}

impl Marks {
    /// Differing digits where the lengths agree; else what is too much in one of them, where the
    /// rest agrees.
    pub(crate) fn between(keyed: &str, right: &str) -> Self {
        let (keyed, right) = (keyed.as_bytes(), right.as_bytes());
        if keyed.len() == right.len() {
            let differing = keyed.iter().zip(right).enumerate();
            let keyed = differing.filter(|(_, (a, b))| a != b).map(|(place, _)| place).collect();
            return Self { keyed, right: Vec::new() };
        }
        let extra = |long: &[u8], short: &[u8]| -> Vec<usize> {
            let start = long.iter().zip(short).take_while(|(a, b)| a == b).count();
            let end = start + long.len() - short.len();
            if long[end..] == short[start..] { (start..end).collect() } else { Vec::new() }
        };
        if keyed.len() > right.len() {
            Self { keyed: extra(keyed, right), right: Vec::new() }
        } else {
            Self { keyed: Vec::new(), right: extra(right, keyed) }
        }
    }
}

/// A line with `^` under the digits at these places, digits standing in groups of four.
pub(super) fn carets(places: &[usize]) -> Option<String> {
    let column = |place: usize| place + place / 4;
    let last = *places.last()?;
    let mut line = vec![b' '; column(last) + 1];
    for place in places {
        line[column(*place)] = b'^';
    }
    String::from_utf8(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_the_digits_that_differ() {
        let pointed = |keyed: &str, right: &str| {
            let marks = Marks::between(keyed, right);
            (carets(&marks.keyed), carets(&marks.right))
        };
        assert_eq!(pointed("63873003", "63853003"), (Some("   ^".into()), None));
        assert_eq!(pointed("63853030", "63853003"), (Some("       ^^".into()), None));
        assert_eq!(pointed("638553003", "63853003"), (Some("     ^".into()), None));
        assert_eq!(pointed("6383003", "63853003"), (None, Some("   ^".into())));
        assert_eq!(pointed("123412345678", "12345678"), (Some("     ^^^^".into()), None));
        assert_eq!(pointed("12349999", "123456789999"), (None, Some("     ^^^^".into())));
        assert_eq!(pointed("12", "2134"), (None, None));
        assert_eq!(pointed("", ""), (None, None));
    }
}
