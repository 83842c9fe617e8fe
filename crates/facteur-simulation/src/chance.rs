//! Chance, from the seed alone. Everybody has dice of their own, so that a change to one moves the others little.

use std::time::Duration;

use facteur_mail::Random as _;
use facteur_testkit::SeededRandom;

/// Somebody's dice.
#[derive(Debug)]
pub(crate) struct Chance(SeededRandom);

impl Chance {
    /// Dice from a seed, for somebody with this number.
    pub(crate) fn new(seed: u64, who: u64) -> Self {
        let mixed = SeededRandom::new(seed ^ who.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self(SeededRandom::new(mixed.next()))
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.next()
    }

    /// A number below `bound`.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    /// True so many times in a thousand.
    pub(crate) fn per_mille(&self, chances: u64) -> bool {
        self.0.below(1_000) < chances
    }

    /// Some size from `low` to `high`, small ones as often as large ones.
    pub(crate) fn size(&self, low: u64, high: u64) -> usize {
        let doublings = high.checked_div(low).map_or(0, u64::ilog2);
        let top = low << self.below(u64::from(doublings) + 1);
        usize::try_from(self.between(low, top.min(high))).unwrap_or_default()
    }

    pub(crate) fn seconds(&self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low * 1_000, high * 1_000))
    }

    pub(crate) fn millis(&self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// One of these; none if there is none.
    pub(crate) fn pick<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(all.len()).unwrap_or_default();
        all.get(usize::try_from(self.below(count)).unwrap_or_default())
    }
}
