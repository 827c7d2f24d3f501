//! What a family of meters accepts and shows, as constant data in C.

use core::ffi::{CStr, c_char};
use core::ptr;

use sts_core::{Framing, FramingSet, LockoutRule, NumberSet, Profile, SectionOrder};

use crate::answer::{StsResult, StsStatus};
use crate::memory::{TextOut, slice};

/// Bit of `framings`: twenty digits, the standard's own.
pub const STS_FRAMING_STS20: u8 = 1;
/// Bit of `framings`: twenty digits, key revision, resource, two check digits.
pub const STS_FRAMING_W24_CHECK: u8 = 2;
/// Bit of `framings`: twenty digits and four that mean nothing.
pub const STS_FRAMING_W24_SUFFIX: u8 = 4;
/// Bit of `framings`: four digits that mean nothing and twenty.
pub const STS_FRAMING_W24_PREFIX: u8 = 8;

/// The framings that a keypad can take, in the order of their bits.
const FRAMINGS: [(u8, Framing); 4] = [
    (STS_FRAMING_STS20, Framing::Sts20),
    (STS_FRAMING_W24_CHECK, Framing::W24Check),
    (STS_FRAMING_W24_SUFFIX, Framing::W24Suffix),
    (STS_FRAMING_W24_PREFIX, Framing::W24Prefix),
];

pub(crate) fn framing_bits(set: FramingSet) -> u8 {
    FRAMINGS
        .iter()
        .fold(0, |bits, (bit, framing)| if set.contains(*framing) { bits | bit } else { bits })
}

/// What the meter shows for some of its results. The first rule that matches wins.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StsDisplayRule {
    /// The results it is for: bit n for the result of number n.
    pub on: u32,
    /// Not 0: only while some, but not all, sections of a key change are stored.
    pub only_pending: u8,
    /// The text, closed by a zero byte; `{result}` stands for the result's name.
    pub show: *const c_char,
}

/// What the firmware accepts and shows. It must stay where it is while a meter uses it.
///
/// A meter that is given none takes `sts_profile_standard`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StsProfile {
    /// Class 1 tests the meter knows: bit n for test n. Test 0 is always known.
    pub tests: u64,
    /// The most that a credit register holds, in its unit; 0 for all 64 bits.
    pub register_max: u64,
    /// Seconds of the first, second and further lock-outs in a row; the last repeats.
    pub lockout_s: *const u32,
    /// What the meter shows; the result's name where no rule matches.
    pub display: *const StsDisplayRule,
    /// Seconds after a section of a key change in which the next must come; 0 for ever.
    pub section_window_s: u32,
    /// Rules that `display` points to.
    pub display_count: u16,
    /// Class 2 subclasses among 2, 7 and 10 to 15 that the meter has: bit n for subclass n.
    pub management: u16,
    /// `STS_FRAMING_` bits: what the keypad takes.
    pub framings: u8,
    /// Class 0 subclasses that the meter takes: bit n for subclass n.
    pub resources: u8,
    /// Sizes of key change that the meter takes: bits 2, 3 and 4.
    pub key_change_sets: u8,
    /// Not 0: sections of a key change are taken from first to last only.
    pub strict_section_order: u8,
    /// Not 0: token identifiers are compared with the key expiry number.
    pub checks_expiry: u8,
    /// Wrong entries that lock the keypad; 0 for no lock-out.
    pub lockout_after: u8,
    /// Numbers that `lockout_s` points to.
    pub lockout_count: u8,
}

// SAFETY: constant data, and so is what it points to.
unsafe impl Sync for StsProfile {}

/// The plain STS meter: twenty digits, all credit, every key change in any order, no window, no
/// lock-out, the result's name on the display.
#[unsafe(no_mangle)]
pub static sts_profile_standard: StsProfile = StsProfile {
    tests: 0x7_FFFF,
    register_max: 0,
    lockout_s: ptr::null(),
    display: ptr::null(),
    section_window_s: 0,
    display_count: 0,
    management: 0,
    framings: STS_FRAMING_STS20,
    resources: 0xFF,
    key_change_sets: 0x1C,
    strict_section_order: 0,
    checks_expiry: 1,
    lockout_after: 0,
    lockout_count: 0,
};

impl StsProfile {
    /// As the core wants it, without the display.
    ///
    /// # Safety
    ///
    /// `lockout_s` is null or points to `lockout_count` numbers.
    pub(crate) unsafe fn as_core(&self) -> Result<Profile<'_>, StsStatus> {
        let mut framings = FramingSet::EMPTY;
        for (bit, framing) in FRAMINGS {
            if self.framings & bit != 0 {
                framings = framings.with(framing);
            }
        }
        // SAFETY: as this function's own.
        let durations_s = unsafe { slice(self.lockout_s, usize::from(self.lockout_count)) }?;
        Ok(Profile {
            framings,
            resources: NumberSet::from_bits(u64::from(self.resources)),
            tests: NumberSet::from_bits(self.tests),
            management: NumberSet::from_bits(u64::from(self.management)),
            key_change_sets: NumberSet::from_bits(u64::from(self.key_change_sets)),
            section_order: match self.strict_section_order {
                0 => SectionOrder::Any,
                _ => SectionOrder::Strict,
            },
            section_window_s: (self.section_window_s != 0).then_some(self.section_window_s),
            lockout: (self.lockout_after != 0)
                .then_some(LockoutRule { after: self.lockout_after, durations_s }),
            register_max: (self.register_max != 0).then_some(self.register_max),
            checks_expiry: self.checks_expiry != 0,
            display: &[],
        })
    }

    /// Writes what is shown for a result.
    ///
    /// # Safety
    ///
    /// `display` is null or points to `display_count` rules, whose texts end with a zero byte.
    pub(crate) unsafe fn show(
        &self,
        result: u8,
        pending: bool,
        out: &mut TextOut<'_>,
    ) -> Result<(), StsStatus> {
        let Some(named) = StsResult::to_core(result) else { return Err(StsStatus::OutOfRange) };
        let name = named.name().as_bytes();
        // SAFETY: as this function's own.
        let rules = unsafe { slice(self.display, usize::from(self.display_count)) }?;
        let rule = rules
            .iter()
            .find(|rule| rule.on >> (result & 31) & 1 != 0 && (pending || rule.only_pending == 0));
        let Some(rule) = rule else { return out.push(name) };
        if rule.show.is_null() {
            return Err(StsStatus::Null);
        }
        // SAFETY: not null, and closed by a zero byte.
        let mut rest = unsafe { CStr::from_ptr(rule.show) }.to_bytes();
        while let [first, after @ ..] = rest {
            rest = match rest.strip_prefix(b"{result}") {
                Some(after) => {
                    out.push(name)?;
                    after
                }
                None => {
                    out.push(&[*first])?;
                    after
                }
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_is_the_standard_of_the_core() {
        // SAFETY: it points to nothing.
        let core = unsafe { sts_profile_standard.as_core() };
        assert_eq!(core, Ok(Profile::STANDARD));
    }
}
