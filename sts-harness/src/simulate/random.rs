//! Random numbers that are the same on every machine and in every version.
//!
//! `SplitMix64` (Steele, Lea, Flood 2014), written out: a generator from a crate may change its
//! output between versions, and a case must come out byte for byte. Floating point is used with
//! the four basic operations alone, which IEEE 754 fixes; `exp` is therefore our own.

use super::scenario::Delay;

/// What a stream of random numbers is for. Each has its own, so that more noise in the records
/// changes no meter and no purchase.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Keys = 1,
    Meter = 2,
    Tills = 3,
    Clock = 4,
    Visit = 5,
    Record = 6,
    Forecast = 7,
}

#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Random {
    /// The stream of one meter, visit or entry.
    pub(crate) const fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let state = mixed(seed.wrapping_add(GOLDEN)) ^ (stream as u64).wrapping_mul(GOLDEN);
        Self(mixed(mixed(state) ^ index.wrapping_mul(GOLDEN)))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// A number below `end`; 0 where that is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// A place in a list of this length.
    pub(super) fn place(&mut self, length: usize) -> usize {
        let end = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or_default()
    }

    /// A number from `first` to `last`, both included.
    pub(super) fn between(&mut self, first: i64, last: i64) -> i64 {
        let width = last.saturating_sub(first).saturating_add(1);
        let step = self.below(u64::try_from(width).unwrap_or_default());
        first.saturating_add(i64::try_from(step).unwrap_or_default())
    }

    /// From 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of a list; `None` of an empty one.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.place(list.len()))
    }

    /// A place by weight; 0 where there is none.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total = weights.clone().map(u64::from).sum();
        let mut left = self.below(total);
        for (place, weight) in weights.enumerate() {
            match left.checked_sub(u64::from(weight)) {
                Some(rest) => left = rest,
                None => return place,
            }
        }
        0
    }

    /// The sum of twelve uniform numbers less six: normal but for tails beyond six sigma.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Seconds from a mixture of log-normal delays; 0 from an empty one.
    pub(super) fn delay(&mut self, mixture: &[Delay]) -> i64 {
        let place = self.weighted(mixture.iter().map(|delay| delay.weight));
        let Some(delay) = mixture.get(place) else { return 0 };
        let seconds = delay.median.0 as f64 * exp(delay.sigma * self.normal());
        #[expect(clippy::cast_possible_truncation, reason = "clamped to ten years")]
        let seconds = seconds.clamp(0.0, 315_360_000.0) as i64;
        seconds
    }

    /// The same with either sign.
    pub(super) fn offset(&mut self, mixture: &[Delay]) -> i64 {
        let delay = self.delay(mixture);
        if self.chance(0.5) { delay } else { -delay }
    }
}

/// e to the power `x`, by halving the range and a series.
fn exp(x: f64) -> f64 {
    let x = x.clamp(-40.0, 40.0);
    let mut series = 1.0;
    // x / 64 is below 0.7: twenty terms are exact to the last bits.
    let small = x / 64.0;
    for term in (1..=20).rev() {
        series = 1.0 + series * small / f64::from(term);
    }
    (0..6).fold(series, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_library() {
        for tenth in -200..200 {
            let x = f64::from(tenth) / 10.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn splitmix_published_values_come_out() {
        // Seed 1234567, as in the reference implementation's own test.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn weighted_never_picks_weight_zero() {
        let mut random = Random::new(1, Stream::Keys, 0);
        for _ in 0..1000 {
            assert_eq!(random.weighted([0, 3, 0].into_iter()), 1);
        }
    }
}
