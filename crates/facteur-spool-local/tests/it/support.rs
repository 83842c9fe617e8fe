//! A clock for tests.

use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};

use facteur_mail::environment::Sleep;
use facteur_mail::{Clock, Timestamp};

/// A clock that the test moves.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(1_795_000_000_000))
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        Box::pin(ready(()))
    }
}
