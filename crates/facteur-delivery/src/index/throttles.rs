//! All throttles, by key; when each is looked at again, and who waits for it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use facteur_mail::{Tally, Timestamp};

use super::Key;
use super::throttle::{Charge, Throttle, Traffic};
use crate::limits::{Limits, Target};

/// The handle of a throttle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ThrottleKey(u32);

#[derive(Debug, Default)]
pub(super) struct Throttles {
    slots: Vec<Option<Throttle>>,
    free: Vec<ThrottleKey>,
    /// Those that destinations share: as many as there are rules for mail servers, at most.
    shared: HashMap<Target, ThrottleKey>,
    /// When to look at which again.
    wakes: BinaryHeap<Reverse<(Timestamp, ThrottleKey)>>,
}

impl Throttles {
    /// A new throttle, under which so much was sent already. Jobs that run are not its own.
    pub(super) fn add(&mut self, limits: Limits, messages: Tally) -> ThrottleKey {
        let mut throttle = Throttle::new(limits);
        throttle.used.messages = messages;
        let key = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            ThrottleKey(u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX))
        });
        if let Some(slot) = self.slot(key) {
            *slot = Some(throttle);
        }
        key
    }

    /// The throttle that destinations with these mail servers share.
    pub(super) fn shared(&mut self, target: Target, limits: Limits) -> ThrottleKey {
        if let Some(key) = self.shared.get(&target) {
            return *key;
        }
        let key = self.add(limits, Tally::default());
        self.shared.insert(target, key);
        key
    }

    /// Other limits for those that destinations share.
    pub(super) fn set_shared(&mut self, limits: impl Fn(&Target) -> Limits, now: Timestamp) {
        for (target, key) in &self.shared {
            let throttle = usize::try_from(key.0)
                .ok()
                .and_then(|at| self.slots.get_mut(at));
            if let Some(throttle) = throttle.and_then(Option::as_mut) {
                throttle.set_limits(limits(target), now);
            }
        }
    }

    /// Whose limits these are, if destinations share them.
    pub(super) fn target(&self, key: ThrottleKey) -> Option<&Target> {
        let mut shared = self.shared.iter();
        shared.find(|(_, it)| **it == key).map(|(target, _)| target)
    }

    pub(super) fn get(&mut self, key: ThrottleKey) -> Option<&mut Throttle> {
        self.slot(key)?.as_mut()
    }

    pub(super) fn set_limits(&mut self, key: ThrottleKey, limits: Limits, now: Timestamp) {
        if let Some(throttle) = self.get(key) {
            throttle.set_limits(limits, now);
        }
    }

    pub(super) fn remove(&mut self, key: ThrottleKey) {
        if let Some(slot) = self.slot(key) {
            *slot = None;
            self.free.push(key);
        }
    }

    /// Whether a throttle lets nothing through now; then the destination stands in its queue.
    pub(super) fn holds(&mut self, key: ThrottleKey, destination: Key, now: Timestamp) -> bool {
        let Some(throttle) = self.get(key) else {
            return false;
        };
        let Err(held) = throttle.check(now) else {
            return false;
        };
        throttle.held.push_back(destination);
        self.look_again(key, held.until);
        true
    }

    /// The destination that a throttle lets through next, if it lets one through.
    pub(super) fn next_through(&mut self, key: ThrottleKey, now: Timestamp) -> Option<Key> {
        let throttle = self.get(key)?;
        if throttle.held.is_empty() {
            return None;
        }
        match throttle.check(now) {
            Ok(()) => throttle.held.pop_front(),
            Err(held) => {
                self.look_again(key, held.until);
                None
            }
        }
    }

    /// A job has ended that went through.
    pub(super) fn ended(
        &mut self,
        key: ThrottleKey,
        charge: Charge,
        traffic: Option<Traffic>,
        now: Timestamp,
    ) {
        if let Some(throttle) = self.get(key) {
            throttle.end(charge, traffic, now);
        }
    }

    /// When the first one is to be looked at.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.peek().map(|Reverse((moment, _))| *moment)
    }

    /// The next one that is to be looked at by now.
    pub(super) fn wake(&mut self, now: Timestamp) -> Option<ThrottleKey> {
        while self.next_wake()? <= now {
            let Reverse((moment, key)) = self.wakes.pop()?;
            // Another moment may have taken its place, or another throttle its key.
            if let Some(throttle) = self.get(key)
                && throttle.wakes_at == Some(moment)
            {
                throttle.wakes_at = None;
                return Some(key);
            }
        }
        None
    }

    /// Nobody stands in a queue any more.
    pub(super) fn release_all(&mut self) {
        self.wakes.clear();
        for throttle in self.slots.iter_mut().flatten() {
            throttle.held.clear();
            throttle.wakes_at = None;
        }
    }

    fn look_again(&mut self, key: ThrottleKey, moment: Option<Timestamp>) {
        let Some(moment) = moment else { return };
        let Some(throttle) = self.get(key) else {
            return;
        };
        if throttle.wakes_at.is_none_or(|known| moment < known) {
            throttle.wakes_at = Some(moment);
            self.wakes.push(Reverse((moment, key)));
        }
    }

    fn slot(&mut self, key: ThrottleKey) -> Option<&mut Option<Throttle>> {
        self.slots.get_mut(usize::try_from(key.0).ok()?)
    }
}
