//! How long to wait between two tries.

use std::time::Duration;

/// The waits of RFC 5321 §4.5.4.1's spirit: soon at first, every four hours in the end.
const DEFAULT_MINUTES: [u64; 6] = [5, 15, 30, 60, 120, 240];

/// Jitter is this part of a wait, to either side.
const JITTER_PERCENT: u64 = 10;

/// The list of waits; the last one repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    rest: Vec<Duration>,
}

impl Backoff {
    /// A list of waits, none shorter than a second; `None` if it is empty or holds a shorter one.
    #[must_use]
    pub fn new(waits: &[Duration]) -> Option<Self> {
        let (first, rest) = waits.split_first()?;
        let long_enough = waits.iter().all(|wait| *wait >= Duration::from_secs(1));
        long_enough.then(|| Self {
            first: *first,
            rest: rest.to_vec(),
        })
    }

    /// The first wait, without jitter.
    #[must_use]
    pub const fn first(&self) -> Duration {
        self.first
    }

    /// The wait after this many failed tries, moved by up to a tenth to either side as `dice`, any number, says: so
    /// that messages that failed together do not come back together.
    #[must_use]
    pub fn wait(&self, failed: u32, dice: u64) -> Duration {
        let later = failed.checked_sub(2).and_then(|place| {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            self.rest.get(place).or_else(|| self.rest.last())
        });
        let wait = later.copied().unwrap_or(self.first);
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let reach = millis / 100 * JITTER_PERCENT;
        let shift = dice % (reach.saturating_mul(2).saturating_add(1));
        Duration::from_millis((millis - reach).saturating_add(shift))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        let [first, rest @ ..] = DEFAULT_MINUTES.map(|minutes| Duration::from_secs(minutes * 60));
        Self {
            first,
            rest: rest.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_wait_repeats() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let backoff = Backoff::new(&[minutes(5), minutes(10)]).unwrap();
        let middle = |wait: Duration| u64::try_from(wait.as_millis()).unwrap() / 100 * 10;
        for (failed, wait) in [(0, 5), (1, 5), (2, 10), (3, 10), (u32::MAX, 10)] {
            let wait = minutes(wait);
            assert_eq!(backoff.wait(failed, middle(wait)), wait, "{failed}");
        }
        assert_eq!(Backoff::new(&[]), None);
        assert_eq!(Backoff::new(&[Duration::ZERO]), None);
    }

    proptest! {
        #[test]
        fn prop_jitter_is_a_tenth_at_most(failed in 0_u32..50, dice: u64) {
            let backoff = Backoff::default();
            let middle = |failed| backoff.wait(failed, 0).as_secs_f64() / 0.9;
            let wait = backoff.wait(failed, dice).as_secs_f64();
            prop_assert!((wait - middle(failed)).abs() <= middle(failed) * 0.100_01);
        }
    }
}
