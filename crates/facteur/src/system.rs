//! The real clock and real randomness, for the traits that the rest of Facteur sees.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use facteur_mail::environment::Sleep;
use facteur_mail::{Clock, Random, Timestamp};

/// The longest single sleep: the clock is asked again afterwards, so that a clock that was set does not
/// lengthen a wait by more than this.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn sleep_until(&self, moment: Timestamp) -> Sleep {
        Box::pin(async move {
            loop {
                let left = moment.since(Self.now());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
        })
    }
}

/// The system's random numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn next(&self) -> u64 {
        // It orders equal hosts and spreads retries: should the system have none, the clock will do.
        getrandom::u64().unwrap_or_else(|_| SystemClock.now().as_millis())
    }
}
