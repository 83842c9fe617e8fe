//! What the outside gives and a test replaces: the clock and randomness.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A moment: milliseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// A moment from its milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment and `duration` more; the end of time at most.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// How long from `earlier` to this moment; zero if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A future that the clock completes.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The time of day and the passing of time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Completes at `moment`, at once if it has passed.
    fn sleep_until(&self, moment: Timestamp) -> Sleep;
}

/// Randomness for jitter and for the order among equal MX hosts; never for secrets.
pub trait Random: Send + Sync + 'static {
    /// Sixty-four random bits.
    fn next(&self) -> u64;

    /// A number below `bound`, zero if `bound` is zero.
    fn below(&self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or_default()
    }
}
