//! A clock that stands still until a test moves it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use facteur_mail::environment::Sleep;
use facteur_mail::{Clock, Timestamp};

/// Monday 2026-01-05 00:00 UTC: where a new clock stands.
const START: Timestamp = Timestamp::from_millis(1_767_571_200_000);

/// A clock that a test moves. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    next_sleeper: u64,
    /// Who sleeps until when; the number tells sleepers of one moment apart.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl ManualClock {
    /// A clock that stands at 2026-01-05 00:00 UTC.
    #[must_use]
    pub fn new() -> Self {
        Self::at(START)
    }

    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            next_sleeper: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    /// Moves the clock on, and wakes everybody whose time has come.
    pub fn advance(&self, by: Duration) {
        let now = self.state().now.after(by);
        self.set(now);
    }

    /// Moves the clock to the first moment that somebody sleeps for, and returns it; `None` if nobody
    /// sleeps. A task that has not been polled yet does not sleep yet.
    pub fn advance_to_next(&self) -> Option<Timestamp> {
        let next = self.next_wake()?;
        self.set(next);
        Some(next)
    }

    /// Sets the clock, also back, as a wrong clock is set.
    pub fn set(&self, now: Timestamp) {
        let mut state = self.state();
        state.now = now;
        let later = state.sleepers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut state.sleepers, later);
        // A waker may run its task at once, which asks this clock.
        drop(state);
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// The first moment that somebody sleeps for.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.state()
            .sleepers
            .keys()
            .next()
            .map(|(moment, _)| *moment)
    }

    /// How many sleep.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    /// Lets the other tasks run until `count` sleep, so that [`ManualClock::advance_to_next`] misses nobody.
    pub async fn until_sleeping(&self, count: usize) {
        while self.sleepers() < count {
            tokio::task::yield_now().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn sleep_until(&self, moment: Timestamp) -> Sleep {
        let mut state = self.state();
        let number = state.next_sleeper;
        state.next_sleeper += 1;
        drop(state);
        Box::pin(Sleeper {
            clock: self.clone(),
            key: (moment, number),
        })
    }
}

struct Sleeper {
    clock: ManualClock,
    key: (Timestamp, u64),
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.now >= self.key.0 {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_come() {
        let clock = ManualClock::new();
        let hour = Duration::from_secs(3600);
        let due = clock.now().after(hour);
        let sleeper = tokio::spawn(clock.sleep_until(due));
        clock.until_sleeping(1).await;
        assert_eq!(clock.next_wake(), Some(due));

        clock.advance(hour - Duration::from_millis(1));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());

        assert_eq!(clock.advance_to_next(), Some(due));
        sleeper.await.unwrap();
        assert_eq!((clock.now(), clock.sleepers()), (due, 0));
    }

    #[tokio::test]
    async fn a_moment_that_has_passed_is_not_waited_for() {
        let clock = ManualClock::new();
        clock.sleep_until(clock.now()).await;
        clock.sleep_until(Timestamp::default()).await;
    }

    #[tokio::test]
    async fn a_dropped_sleeper_is_forgotten() {
        let clock = ManualClock::new();
        let mut sleep = clock.sleep_until(clock.now().after(Duration::from_secs(1)));
        std::future::poll_fn(|context| {
            assert!(sleep.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(clock.sleepers(), 1);
        drop(sleep);
        assert_eq!(clock.advance_to_next(), None);
    }
}
