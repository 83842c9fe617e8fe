//! How often something may happen: so many a minute, without a list of what has happened.
//!
//! The generic cell rate algorithm: one moment is kept, the one at which the next event would come if all came evenly.
//! Whoever is ahead of it by more than is tolerated waits. Time is a parameter.

use std::num::NonZeroU32;

use crate::environment::Timestamp;

/// The time in which a limit's count may happen.
const MINUTE: u64 = 60_000_000;

/// Even events may be ahead of their time by this much, so that nobody is woken for each of a thousand a second.
const SLACK: u64 = 100_000;

/// A limit of so many events a minute, and how much of it is used. Times in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    per_minute: NonZeroU32,
    spread: Spread,
    /// When the next event would come if all came evenly, since 1970.
    next: u64,
    /// The latest moment seen: a clock that is set back takes `next` with it.
    seen: u64,
}

/// How the events of a minute may lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// One after the other, with equal waits.
    Even,
    /// All at once, if nothing came before.
    Bucket,
}

impl Pace {
    /// Events at equal distances: what a receiver who counts is never surprised by. In any minute there are no more than
    /// `per_minute`, and where these are more than 600, what a tenth of a second holds.
    #[must_use]
    pub const fn even(per_minute: NonZeroU32) -> Self {
        Self::new(per_minute, Spread::Even)
    }

    /// A minute's events at once, then one for each that the time gives back: for those whom we count. In any minute
    /// there are fewer than twice `per_minute`.
    #[must_use]
    pub const fn bucket(per_minute: NonZeroU32) -> Self {
        Self::new(per_minute, Spread::Bucket)
    }

    const fn new(per_minute: NonZeroU32, spread: Spread) -> Self {
        Self {
            per_minute,
            spread,
            next: 0,
            seen: 0,
        }
    }

    /// The limit.
    #[must_use]
    pub const fn per_minute(&self) -> NonZeroU32 {
        self.per_minute
    }

    /// From when on the next event may come; `now` or earlier if it may come now. It may be of any size: what is too
    /// much is owed afterwards.
    #[must_use]
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        let earliest = self.next_at(micros(now)).saturating_sub(self.tolerance());
        Timestamp::from_millis(earliest.div_ceil(1_000))
    }

    /// Whether the next event may come now.
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.free_at(now) <= now
    }

    /// Counts events.
    pub fn spend(&mut self, events: u32, now: Timestamp) {
        let at = micros(now);
        let next = self.next_at(at).max(at);
        self.next = next.saturating_add(self.interval().saturating_mul(events.into()));
        self.seen = at;
    }

    /// Takes back events that did not come after all.
    pub const fn give_back(&mut self, events: u32) {
        let earned = self.interval().saturating_mul(events as u64);
        self.next = self.next.saturating_sub(earned);
    }

    /// Sets another limit; what is owed stays owed, event for event.
    pub fn change(&mut self, per_minute: NonZeroU32, now: Timestamp) {
        let at = micros(now);
        let owed = self.next_at(at).saturating_sub(at) / self.interval().max(1);
        self.per_minute = per_minute;
        self.next = at.saturating_add(owed.saturating_mul(self.interval()));
        self.seen = at;
    }

    /// Whether nothing is owed: then a new limit of the same size is the same.
    #[must_use]
    pub fn is_rested(&self, now: Timestamp) -> bool {
        let at = micros(now);
        self.next_at(at) <= at
    }

    /// `next`, moved with a clock that was set back.
    const fn next_at(&self, at: u64) -> u64 {
        self.next.saturating_sub(self.seen.saturating_sub(at))
    }

    const fn interval(&self) -> u64 {
        MINUTE / self.per_minute.get() as u64
    }

    const fn tolerance(&self) -> u64 {
        let most = match self.spread {
            Spread::Even => SLACK,
            Spread::Bucket => MINUTE,
        };
        most.saturating_sub(self.interval())
    }
}

fn micros(moment: Timestamp) -> u64 {
    moment.as_millis().saturating_mul(1_000)
}

/// How many events there were in about the last minute: this minute's, and of the one before as much as still counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    minute: u64,
    events: u32,
    before: u32,
}

impl Tally {
    /// Counts events.
    pub fn count(&mut self, events: u32, now: Timestamp) {
        self.turn_to(now);
        self.events = self.events.saturating_add(events);
    }

    /// Takes back events that did not come after all.
    pub const fn take_back(&mut self, events: u32) {
        self.events = self.events.saturating_sub(events);
    }

    /// How many there were in the last minute, as if those of the minute before had come evenly.
    #[must_use]
    pub fn in_last_minute(&self, now: Timestamp) -> u32 {
        let mut at = self.clone();
        at.turn_to(now);
        let into = now.as_millis() % 60_000;
        let still = u64::from(at.before) * (60_000 - into) / 60_000;
        at.events
            .saturating_add(u32::try_from(still).unwrap_or(u32::MAX))
    }

    fn turn_to(&mut self, now: Timestamp) {
        let minute = now.as_millis() / 60_000;
        if minute == self.minute {
            return;
        }
        let follows = minute == self.minute.saturating_add(1);
        self.before = if follows { self.events } else { 0 };
        self.events = 0;
        self.minute = minute;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_767_571_200_000 + millis)
    }

    fn many(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    /// When each of `count` events comes that never waits longer than it must.
    fn events(mut pace: Pace, count: u32) -> Vec<u64> {
        let mut now = at(0);
        let next = |_| {
            now = now.max(pace.free_at(now));
            pace.spend(1, now);
            now.since(at(0)).as_millis().try_into().unwrap()
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn even_events_come_at_equal_distances() {
        assert_eq!(events(Pace::even(many(20)), 4), [0, 3_000, 6_000, 9_000]);
    }

    #[test]
    fn a_bucket_gives_a_minutes_worth_at_once() {
        let times = events(Pace::bucket(many(4)), 6);
        assert_eq!(times, [0, 0, 0, 0, 15_000, 30_000]);
    }

    #[test]
    fn what_is_too_much_is_owed_afterwards() {
        let mut pace = Pace::even(many(60));
        pace.spend(1_000, at(0));
        assert_eq!(pace.free_at(at(0)), at(1_000_000));
        assert!(!pace.is_rested(at(999_999)) && pace.is_rested(at(1_000_000)));
        pace.give_back(990);
        assert_eq!(pace.free_at(at(0)), at(10_000));
    }

    #[test]
    fn another_limit_keeps_what_is_owed() {
        let mut pace = Pace::even(many(60));
        pace.spend(10, at(0));
        pace.change(many(600), at(0));
        assert_eq!(pace.free_at(at(0)), at(1_000));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_for_it() {
        let mut pace = Pace::even(many(60));
        pace.spend(1, at(3_600_000));
        assert_eq!(pace.free_at(at(0)), at(1_000));
        pace.spend(1, at(0));
        assert_eq!(pace.free_at(at(0)), at(2_000));
    }

    #[test]
    fn a_tally_knows_the_last_minute() {
        let mut tally = Tally::default();
        tally.count(60, at(0));
        assert_eq!(tally.in_last_minute(at(59_999)), 60);
        assert_eq!(tally.in_last_minute(at(90_000)), 30);
        tally.count(1, at(90_000));
        assert_eq!(tally.in_last_minute(at(120_000)), 1);
        assert_eq!(tally.in_last_minute(at(300_000)), 0);
    }

    proptest! {
        #[test]
        fn prop_no_minute_holds_more_than_the_limit(limit in 1_u32..5_000, waits in prop::collection::vec(0_u64..20_000, 1..400)) {
            let mut pace = Pace::even(many(limit));
            let mut now = at(0);
            let mut times = Vec::new();
            for wait in waits {
                now = now.after(Duration::from_millis(wait / u64::from(limit)));
                now = now.max(pace.free_at(now));
                pace.spend(1, now);
                times.push(now.as_millis());
            }
            let most = usize::try_from(limit + limit / 600 + 1).unwrap();
            for (first, start) in times.iter().enumerate() {
                let within = times.iter().skip(first).take_while(|time| **time < start + 60_000).count();
                prop_assert!(within <= most, "{within} in a minute");
            }
        }

        #[test]
        fn prop_a_bucket_never_holds_twice_the_limit(limit in 1_u32..500, waits in prop::collection::vec(0_u64..2_000, 1..400)) {
            let mut pace = Pace::bucket(many(limit));
            let mut now = at(0);
            let mut times = Vec::new();
            for wait in waits {
                now = now.after(Duration::from_millis(wait));
                if pace.is_free(now) {
                    pace.spend(1, now);
                    times.push(now.as_millis());
                }
            }
            for (first, start) in times.iter().enumerate() {
                let within = times.iter().skip(first).take_while(|time| **time < start + 60_000).count();
                prop_assert!(within <= usize::try_from(2 * limit).unwrap());
            }
        }

        #[test]
        fn prop_it_is_free_when_it_says_so(limit in 1_u32..100_000, spent in 1_u32..1_000) {
            let mut pace = Pace::even(many(limit));
            pace.spend(spent, at(0));
            let free = pace.free_at(at(0));
            prop_assert!(pace.is_free(free));
            if free > at(0) {
                prop_assert!(!pace.is_free(Timestamp::from_millis(free.as_millis() - 1)));
            }
        }
    }
}
