//! What a meter took, for finding out later why another token was refused.

use sts_core::{BaseDate, Token, TokenId};

/// A token that a meter took.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Taken<'h> {
    /// The token.
    pub token: Token,
    /// Its TID, where it has one.
    pub tid: Option<TokenId>,
    /// The base date it was taken under: a TID says nothing without it.
    pub base_date: BaseDate,
    /// The entry's id.
    pub entry: &'h str,
}

/// The tokens that a meter took, oldest first.
///
/// The replay of a utility remembers ten million of them and looks back for few, so each is one
/// number and the text of its entry's id.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// From the lowest bit: the token in 66, the TID in 24 and whether there is one, the base date in
    /// 2, and in 32 where the entry's id ends in `ids`.
    taken: Vec<u128>,
    /// The ids, one behind the other.
    ids: String,
}

const TID: u32 = 66;
const HAS_TID: u32 = TID + 24;
const BASE_DATE: u32 = HAS_TID + 1;
const ID_END: u32 = BASE_DATE + 2;

impl History {
    /// Remembers one more. Ids behind the first 4 GiB of a meter's are not kept.
    pub fn push(&mut self, taken: Taken<'_>) {
        // By a quarter, not by doubling: what is held in reserve counts a hundred thousand times.
        if self.taken.len() == self.taken.capacity() {
            self.taken.reserve_exact(self.taken.len() / 4 + 2);
        }
        let needed = self.ids.len() + taken.entry.len();
        if needed > self.ids.capacity() {
            self.ids.reserve_exact(self.ids.len() / 4 + taken.entry.len());
        }
        if u32::try_from(needed).is_ok() {
            self.ids.push_str(taken.entry);
        }
        let base_date = BaseDate::ALL.iter().position(|base| *base == taken.base_date);
        self.taken.push(
            taken.token.bits()
                | u128::from(taken.tid.map_or(0, TokenId::get)) << TID
                | u128::from(taken.tid.is_some()) << HAS_TID
                | (base_date.unwrap_or_default() as u128) << BASE_DATE
                | (self.ids.len() as u128) << ID_END,
        );
    }

    /// The last one of which something holds.
    pub fn last(&self, holds: impl Fn(&Taken<'_>) -> bool) -> Option<Taken<'_>> {
        (0..self.taken.len()).rev().filter_map(|place| self.at(place)).find(holds)
    }

    fn at(&self, place: usize) -> Option<Taken<'_>> {
        let part = |packed: u128, from: u32, bits: u32| packed >> from & ((1 << bits) - 1);
        let packed = *self.taken.get(place)?;
        let id_end = |packed| usize::try_from(part(packed, ID_END, 32)).ok();
        let id_start = match place.checked_sub(1) {
            Some(before) => id_end(*self.taken.get(before)?)?,
            None => 0,
        };
        let tid = TokenId::new(u32::try_from(part(packed, TID, 24)).ok()?).ok()?;
        let base_date = usize::try_from(part(packed, BASE_DATE, 2)).ok()?;
        Some(Taken {
            token: Token::from_bits(part(packed, 0, TID))?,
            tid: (part(packed, HAS_TID, 1) == 1).then_some(tid),
            base_date: *BaseDate::ALL.get(base_date)?,
            entry: self.ids.get(id_start..id_end(packed)?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_taken_comes_back(
            taken in prop::collection::vec(
                (0_u128..1 << 66, prop::option::of(0_u32..1 << 24), 0_usize..3, ".{0,12}"), 0..40),
        ) {
            let taken: Vec<Taken<'_>> = taken
                .iter()
                .map(|(bits, tid, base, entry)| Taken {
                    token: Token::from_bits(*bits).unwrap(),
                    tid: tid.map(|tid| TokenId::new(tid).unwrap()),
                    base_date: BaseDate::ALL[*base],
                    entry,
                })
                .collect();
            let mut history = History::default();
            taken.iter().for_each(|taken| history.push(*taken));
            let back: Vec<Taken<'_>> =
                (0..taken.len()).map(|place| history.at(place).unwrap()).collect();
            prop_assert_eq!(back, taken);
        }
    }

    #[test]
    fn the_last_that_fits_is_found() {
        let mut history = History::default();
        for (bits, entry) in [(5, "a"), (6, ""), (5, "c"), (7, "d")] {
            let token = Token::from_bits(bits).unwrap();
            history.push(Taken { token, tid: None, base_date: BaseDate::Y1993, entry });
        }
        let last = |bits| history.last(move |taken| taken.token.bits() == bits);
        assert_eq!(last(5).unwrap().entry, "c");
        assert_eq!(last(6).unwrap().entry, "");
        assert_eq!(last(8), None);
    }
}
