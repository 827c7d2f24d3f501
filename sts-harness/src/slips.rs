//! What fingers and eyes do to twenty digits: the slips that an entry may hold, undone.

use crate::cause::Cause;

/// An entry with one slip undone.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Undone {
    /// Which kind of slip.
    pub cause: Cause,
    /// The digits as they would have been, values 0 to 9.
    pub digits: Vec<u8>,
    /// Where it is, counted from 1: the digit, or the group of four.
    pub position: usize,
    /// What happened there, in words.
    pub what: String,
}

/// Lengths that a framing may take.
const LENGTHS: [usize; 2] = [20, 24];

/// Every entry from which one slip makes `digits`. Deterministic, likely kinds first.
#[must_use]
pub fn undo(digits: &[u8], with_lost_groups: bool) -> Vec<Undone> {
    let length = digits.len();
    let mut undone = Vec::new();
    if LENGTHS.contains(&length) {
        changed_digits(digits, &mut undone);
        swapped_neighbours(digits, &mut undone);
        swapped_groups(digits, &mut undone);
    }
    for target in LENGTHS {
        if length == target + 1 {
            doubled_digits(digits, &mut undone);
        } else if length + 1 == target {
            lost_digits(digits, &mut undone);
        } else if length == target + 4 {
            doubled_groups(digits, &mut undone);
        } else if length + 4 == target && with_lost_groups && target == 20 {
            lost_groups(digits, &mut undone);
        }
    }
    undone
}

fn push(undone: &mut Vec<Undone>, cause: Cause, digits: Vec<u8>, position: usize, what: String) {
    undone.push(Undone { cause, digits, position, what });
}

fn changed_digits(digits: &[u8], undone: &mut Vec<Undone>) {
    for (place, &found) in digits.iter().enumerate() {
        for right in (0..10).filter(|digit| *digit != found) {
            let mut fixed = digits.to_vec();
            fixed[place] = right;
            let what = format!("digit {} is {found}, should be {right}", place + 1);
            push(undone, Cause::TypedDigit, fixed, place + 1, what);
        }
    }
}

fn swapped_neighbours(digits: &[u8], undone: &mut Vec<Undone>) {
    for place in 1..digits.len() {
        if digits[place - 1] != digits[place] {
            let mut fixed = digits.to_vec();
            fixed.swap(place - 1, place);
            let what = format!("digits {place} and {} are swapped", place + 1);
            push(undone, Cause::TypedSwap, fixed, place, what);
        }
    }
}

fn swapped_groups(digits: &[u8], undone: &mut Vec<Undone>) {
    let groups = digits.len() / 4;
    for first in 0..groups {
        for second in first + 1..groups {
            let (a, b) = (4 * first, 4 * second);
            if digits[a..a + 4] != digits[b..b + 4] {
                let mut fixed = digits.to_vec();
                for offset in 0..4 {
                    fixed.swap(a + offset, b + offset);
                }
                let what = format!("groups {} and {} are swapped", first + 1, second + 1);
                push(undone, Cause::TypedGroup, fixed, first + 1, what);
            }
        }
    }
}

fn doubled_digits(digits: &[u8], undone: &mut Vec<Undone>) {
    for place in 1..digits.len() {
        let starts_run = place < 2 || digits[place - 2] != digits[place];
        if digits[place - 1] == digits[place] && starts_run {
            let mut fixed = digits.to_vec();
            fixed.remove(place);
            let what = format!("digit {} is doubled", place);
            push(undone, Cause::TypedLength, fixed, place, what);
        }
    }
}

fn lost_digits(digits: &[u8], undone: &mut Vec<Undone>) {
    for place in 0..=digits.len() {
        for lost in 0..10 {
            // Before an equal digit it is the same entry as after it.
            if place < digits.len() && digits[place] == lost {
                continue;
            }
            let mut fixed = digits.to_vec();
            fixed.insert(place, lost);
            let what = format!("digit {}, {lost}, was left out", place + 1);
            push(undone, Cause::TypedLength, fixed, place + 1, what);
        }
    }
}

fn doubled_groups(digits: &[u8], undone: &mut Vec<Undone>) {
    for group in 1..digits.len() / 4 {
        let start = 4 * group;
        if digits[start - 4..start] == digits[start..start + 4] {
            let mut fixed = digits.to_vec();
            fixed.drain(start..start + 4);
            push(undone, Cause::TypedGroup, fixed, group, format!("group {group} is doubled"));
        }
    }
}

fn lost_groups(digits: &[u8], undone: &mut Vec<Undone>) {
    for group in 0..=digits.len() / 4 {
        for lost in 0..10_000_u16 {
            let mut fixed = digits.to_vec();
            let lost_digits = format!("{lost:04}");
            let at = 4 * group;
            fixed.splice(at..at, lost_digits.bytes().map(|digit| digit - b'0'));
            let what = format!("group {}, {lost_digits}, was left out", group + 1);
            push(undone, Cause::TypedGroup, fixed, group + 1, what);
        }
    }
}

/// The numbers one slip away from a meter's number: one digit changed, or two neighbours swapped.
#[must_use]
pub fn number_variants(number: &str) -> Vec<String> {
    let digits: Vec<u8> = number.bytes().map(|digit| digit.wrapping_sub(b'0')).collect();
    let mut undone = Vec::new();
    changed_digits(&digits, &mut undone);
    swapped_neighbours(&digits, &mut undone);
    undone.into_iter().map(|slip| text(&slip.digits)).collect()
}

/// Digit values as text.
#[must_use]
pub fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit % 10)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_of_any_slip_finds_the_entry() {
        let right: Vec<u8> = (0..20).map(|place| (place * 7 + 3) % 10).collect();
        let finds = |entry: &[u8], cause| {
            undo(entry, true).iter().any(|slip| slip.digits == right && slip.cause == cause)
        };
        for place in 0..20 {
            let mut entry = right.clone();
            entry[place] = (entry[place] + 1) % 10;
            assert!(finds(&entry, Cause::TypedDigit), "digit {place}");

            let mut entry = right.clone();
            entry.insert(place, right[place]);
            assert!(finds(&entry, Cause::TypedLength), "doubled {place}");

            let mut entry = right.clone();
            entry.remove(place);
            assert!(finds(&entry, Cause::TypedLength), "lost {place}");
        }
        let mut entry = right.clone();
        entry.swap(4, 5);
        assert!(finds(&entry, Cause::TypedSwap));
        let mut entry = right.clone();
        entry.rotate_left(4);
        assert!(!finds(&entry, Cause::TypedGroup));
        let mut entry = right.clone();
        (0..4).for_each(|offset| entry.swap(offset, 8 + offset));
        assert!(finds(&entry, Cause::TypedGroup));
        let mut entry = right.clone();
        entry.splice(4..4, right[0..4].to_vec());
        assert!(finds(&entry, Cause::TypedGroup));
        let mut entry = right.clone();
        entry.drain(8..12);
        assert!(finds(&entry, Cause::TypedGroup));
    }
}
