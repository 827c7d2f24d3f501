//! What fingers and eyes do to twenty digits: the slips that an entry may hold, undone.

use sts_core::MeterPan;

use crate::cause::Cause;

/// The longest entry that slips are undone in.
const LONGEST: usize = 24;

/// Up to 24 digit values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Digits {
    values: [u8; LONGEST],
    length: usize,
}

impl Digits {
    /// The values, 0 to 9.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values[..self.length]
    }

    pub(crate) fn from_parts<const N: usize>(parts: [&[u8]; N]) -> Self {
        let mut values = [0; LONGEST];
        let mut length = 0;
        for digit in parts.into_iter().flatten().take(LONGEST) {
            values[length] = *digit;
            length += 1;
        }
        Self { values, length }
    }
}

/// What the fingers did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Slip {
    Digit { found: u8, right: u8 },
    Swapped,
    GroupsSwapped { other: usize },
    Doubled,
    Lost { digit: u8 },
    GroupDoubled,
    GroupLost { digits: u16 },
}

/// An entry with one slip undone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Undone {
    /// The digits as they would have been.
    pub digits: Digits,
    /// Where the slip is, counted from 1: the digit, or the group of four.
    pub position: usize,
    slip: Slip,
}

impl Undone {
    /// Which kind of slip it was.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self.slip {
            Slip::Digit { .. } => Cause::TypedDigit,
            Slip::Swapped => Cause::TypedSwap,
            Slip::GroupsSwapped { .. } | Slip::GroupDoubled | Slip::GroupLost { .. } => {
                Cause::TypedGroup
            }
            Slip::Doubled | Slip::Lost { .. } => Cause::TypedLength,
        }
    }

    /// What happened there, in words.
    #[must_use]
    pub fn what(&self) -> String {
        let at = self.position;
        match self.slip {
            Slip::Digit { found, right } => format!("digit {at} is {found}, should be {right}"),
            Slip::Swapped => format!("digits {at} and {} are swapped", at + 1),
            Slip::GroupsSwapped { other } => format!("groups {at} and {other} are swapped"),
            Slip::Doubled => format!("digit {at} is doubled"),
            Slip::Lost { digit } => format!("digit {at}, {digit}, was left out"),
            Slip::GroupDoubled => format!("group {at} is doubled"),
            Slip::GroupLost { digits } => format!("group {at}, {digits:04}, was left out"),
        }
    }
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

fn changed_digits(digits: &[u8], undone: &mut Vec<Undone>) {
    for (place, &found) in digits.iter().enumerate() {
        for right in (0..10).filter(|digit| *digit != found) {
            let digits = Digits::from_parts([&digits[..place], &[right], &digits[place + 1..]]);
            let slip = Slip::Digit { found, right };
            undone.push(Undone { digits, position: place + 1, slip });
        }
    }
}

fn swapped_neighbours(digits: &[u8], undone: &mut Vec<Undone>) {
    for place in 1..digits.len() {
        let (a, b) = (digits[place - 1], digits[place]);
        if a != b {
            let digits = Digits::from_parts([&digits[..place - 1], &[b, a], &digits[place + 1..]]);
            undone.push(Undone { digits, position: place, slip: Slip::Swapped });
        }
    }
}

fn swapped_groups(digits: &[u8], undone: &mut Vec<Undone>) {
    let groups = digits.len() / 4;
    for first in 0..groups {
        for second in first + 1..groups {
            let (a, b) = (4 * first, 4 * second);
            if digits[a..a + 4] != digits[b..b + 4] {
                let digits = Digits::from_parts([
                    &digits[..a],
                    &digits[b..b + 4],
                    &digits[a + 4..b],
                    &digits[a..a + 4],
                    &digits[b + 4..],
                ]);
                let slip = Slip::GroupsSwapped { other: second + 1 };
                undone.push(Undone { digits, position: first + 1, slip });
            }
        }
    }
}

fn doubled_digits(digits: &[u8], undone: &mut Vec<Undone>) {
    for place in 1..digits.len() {
        let starts_run = place < 2 || digits[place - 2] != digits[place];
        if digits[place - 1] == digits[place] && starts_run {
            let digits = Digits::from_parts([&digits[..place], &digits[place + 1..]]);
            undone.push(Undone { digits, position: place, slip: Slip::Doubled });
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
            let digits = Digits::from_parts([&digits[..place], &[lost], &digits[place..]]);
            undone.push(Undone { digits, position: place + 1, slip: Slip::Lost { digit: lost } });
        }
    }
}

fn doubled_groups(digits: &[u8], undone: &mut Vec<Undone>) {
    for group in 1..digits.len() / 4 {
        let start = 4 * group;
        if digits[start - 4..start] == digits[start..start + 4] {
            let digits = Digits::from_parts([&digits[..start], &digits[start + 4..]]);
            undone.push(Undone { digits, position: group, slip: Slip::GroupDoubled });
        }
    }
}

fn lost_groups(digits: &[u8], undone: &mut Vec<Undone>) {
    for group in 0..=digits.len() / 4 {
        let (before, after) = digits.split_at(4 * group);
        for lost in 0..10_000_u16 {
            let place = |power: u16| u8::try_from(lost / power % 10).unwrap_or_default();
            let group_digits = [place(1000), place(100), place(10), place(1)];
            let digits = Digits::from_parts([before, &group_digits, after]);
            let slip = Slip::GroupLost { digits: lost };
            undone.push(Undone { digits, position: group + 1, slip });
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
    undone.into_iter().map(|slip| text(slip.digits.values())).collect()
}

/// The meters whose numbers are one slip away from a meter's, check digits aside.
#[must_use]
pub fn neighbours(pan: &MeterPan) -> Vec<MeterPan> {
    let variants = number_variants(pan.drn());
    variants.iter().filter_map(|drn| pan.with_unchecked_drn(drn).ok()).collect()
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
            undo(entry, true)
                .iter()
                .any(|slip| slip.digits.values() == right && slip.cause() == cause)
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
