//! What fingers, eyes and spreadsheets do to digits.

use sts_core::Keyed;

use super::behaviour::Behaviour;
use super::random::Random;

/// Digits after a slip, and where it happened, from 0.
pub(super) type Slipped = (Vec<u8>, usize);

/// The digits of a text, as values.
pub(super) fn values(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).map(|digit| digit & 15).collect()
}

pub(super) fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit % 10)).collect()
}

/// The keys beside each key of a telephone keypad, 0 below 8.
const BESIDE: [&[u8]; 10] = [
    &[8],
    &[2, 4],
    &[1, 3, 5],
    &[2, 6],
    &[1, 5, 7],
    &[2, 4, 6, 8],
    &[3, 5, 9],
    &[4, 8],
    &[5, 7, 9, 0],
    &[6, 8],
];

pub(super) fn wrong_digit(digits: &[u8], random: &mut Random, beside: f64) -> Slipped {
    let mut slipped = digits.to_vec();
    let place = random.place(digits.len());
    let right = slipped[place];
    slipped[place] = match random.pick(BESIDE[usize::from(right % 10)]) {
        Some(beside_it) if random.chance(beside) => *beside_it,
        _ => (right + 1 + u8::try_from(random.below(9)).unwrap_or_default()) % 10,
    };
    (slipped, place)
}

pub(super) fn swapped(digits: &[u8], random: &mut Random) -> Option<Slipped> {
    let places: Vec<usize> =
        (1..digits.len()).filter(|place| digits[*place] != digits[place - 1]).collect();
    let place = *random.pick(&places)?;
    let mut slipped = digits.to_vec();
    slipped.swap(place - 1, place);
    Some((slipped, place - 1))
}

/// One digit doubled or lost.
pub(super) fn wrong_length(digits: &[u8], random: &mut Random) -> Slipped {
    let place = random.place(digits.len());
    let mut slipped = digits.to_vec();
    if random.chance(0.4) {
        slipped.insert(place, digits[place]);
    } else {
        slipped.remove(place);
    }
    (slipped, place)
}

/// Groups of four swapped, one doubled, or one lost.
pub(super) fn wrong_group(digits: &[u8], random: &mut Random) -> Option<Slipped> {
    let mut groups: Vec<&[u8]> = digits.chunks(4).collect();
    let place = random.place(groups.len());
    match random.below(10) {
        0..=4 => {
            let other = if random.chance(0.7) {
                (place + 1) % groups.len()
            } else {
                random.place(groups.len())
            };
            if groups[place] == groups[other] {
                return None;
            }
            groups.swap(place, other);
        }
        5..=6 => groups.insert(place, groups[place]),
        _ => _ = groups.remove(place),
    }
    Some((groups.concat(), place * 4))
}

/// What a spreadsheet makes of twenty digits, in the ways it has.
pub(super) fn damaged(digits: &[u8], random: &mut Random) -> Option<String> {
    let whole = text(digits);
    let number: u128 = whole.parse().ok()?;
    let damaged = match random.below(10) {
        // Shown in exponent form and copied as shown.
        0..=3 => exponent(number, if random.chance(0.5) { 2 } else { 5 + random.place(9) }),
        // Read as a number: fifteen digits are kept, cut or rounded, and zeros follow.
        4 => (number / 100_000 * 100_000).to_string(),
        5 => rounded(number, 100_000).to_string(),
        6..=7 => nearest_double(number).to_string(),
        _ => number.to_string(),
    };
    (damaged != whole).then_some(damaged)
}

fn rounded(number: u128, step: u128) -> u128 {
    (number + step / 2) / step * step
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the nearest double is what is meant, and it is positive"
)]
fn nearest_double(number: u128) -> u128 {
    number as f64 as u128
}

fn exponent(number: u128, places: usize) -> String {
    let digits = number.to_string();
    let step = digits.len().saturating_sub(places + 1);
    let step = 10_u128.saturating_pow(u32::try_from(step).unwrap_or_default());
    let kept = (rounded(number, step) / step).to_string();
    let power = rounded(number, step).to_string().len() - 1;
    let (first, rest) = kept.split_at(1);
    let rest = &rest[..rest.len().min(places)];
    format!("{first}.{rest}E+{power}")
}

/// Whether a slip is what a spreadsheet would have made of the same digits: that comes first in
/// the order of causes.
pub(super) fn looks_damaged(intended: &str, entered: &str) -> bool {
    let Ok(number) = intended.parse::<u128>() else { return false };
    let zeros = intended.len() - intended.trim_start_matches('0').len();
    let lost = intended.len().saturating_sub(entered.len());
    let zeros_lost = (1..=zeros).contains(&lost) && intended.ends_with(entered);
    let made = [rounded(number, 100_000), number / 100_000 * 100_000, nearest_double(number)];
    zeros_lost
        || entered.parse().is_ok_and(|entered: u128| entered != number && made.contains(&entered))
}

/// A character of another kind in the place of a digit, as reading off a slip gives it.
pub(super) fn misread(digits: &[u8], random: &mut Random) -> String {
    let mut read: Vec<char> = text(digits).chars().collect();
    let place = random.place(read.len());
    if random.chance(0.2) {
        read.push(if random.chance(0.5) { '#' } else { '*' });
    } else {
        read[place] = match read[place] {
            '0' => 'O',
            '1' => 'l',
            '2' => 'Z',
            '5' => 'S',
            '6' => 'G',
            '8' => 'B',
            _ => '?',
        };
    }
    read.into_iter().collect()
}

/// Random digits of this number.
pub(super) fn any(count: usize, random: &mut Random) -> Vec<u8> {
    (0..count).map(|_| u8::try_from(random.below(10)).unwrap_or_default()).collect()
}

/// Twenty digits at or above 2^66.
pub(super) fn beyond(random: &mut Random) -> Vec<u8> {
    let limit = 1_u128 << 66;
    let above = u128::from(random.next()) % (100_000_000_000_000_000_000 - limit);
    values(&(limit + above).to_string())
}

/// The cause that a length gives by itself, where another firmware takes these digits.
pub(super) fn framed_elsewhere(
    family: &crate::profiles::ProfileFile,
    firmware: usize,
    entered: &str,
) -> Option<Behaviour> {
    let keyed = Keyed::parse(entered).ok()?;
    let takes = |place: &usize| family.compile(*place).frame(&keyed).is_ok();
    if (firmware + 1..family.firmwares().len()).any(|place| takes(&place)) {
        return Some(Behaviour::LengthAhead);
    }
    (0..firmware).any(|place| takes(&place)).then_some(Behaviour::LengthBehind)
}
