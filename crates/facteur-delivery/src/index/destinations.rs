//! The destinations that the index knows: how they come, which rules hold for them, and when they are forgotten.

use std::cmp::Reverse;
use std::sync::Arc;

use facteur_mail::{Domain, Tally, Timestamp};
use facteur_route::{Destination, Pattern};

use super::state::{Bounds, Site, State};
use super::{Index, Key};

/// The most destinations without a job that are remembered only to be shown.
pub(super) const MAX_REMEMBERED: usize = 10_000;

impl Index {
    /// The destination's mail servers are known from now on, and with them the limits that it shares.
    pub(super) fn learn_hosts(&mut self, key: Key, hosts: Arc<[Domain]>) {
        let shared = self.rules.site_of(&hosts).map(|target| {
            let limits = self.rules.limits_of_site(&target);
            self.throttles.shared(target, limits)
        });
        let paused = {
            let Some(state) = self.state(key) else { return };
            let destination = Arc::clone(&state.destination);
            self.rules.pause_of(&destination, &hosts).is_some()
        };
        if let Some(state) = self.state(key) {
            state.paused = paused;
            state.site = Site::Known(hosts, shared);
        }
    }

    /// The patterns that a job must compare the destination's mail servers with.
    pub(super) fn unsited(&mut self, key: Key) -> Option<Arc<[Pattern]>> {
        match self.state(key)?.site {
            Site::Unknown => self.rules.servers(),
            Site::Known(..) => None,
        }
    }

    pub(super) fn intern(&mut self, destination: Destination) -> Key {
        if let Some(key) = self.keys.get(&destination) {
            return *key;
        }
        let destination = Arc::new(destination);
        let key = self.free.pop().unwrap_or_else(|| {
            self.states.push(None);
            Key(u32::try_from(self.states.len() - 1).unwrap_or(u32::MAX))
        });
        let state = State::new(Arc::clone(&destination), 1);
        if let Some(slot) = self.slot(key) {
            *slot = Some(state);
        }
        self.keys.insert(destination, key);
        self.apply_rules(key, Timestamp::default());
        let first = self.bounds(key).first;
        if let Some(state) = self.state(key) {
            state.window = first;
        }
        key
    }

    /// Gives a destination the throttles and the pause that the rules want for it.
    pub(super) fn apply_rules(&mut self, key: Key, now: Timestamp) {
        let Some(state) = self.state(key) else { return };
        let (destination, own) = (Arc::clone(&state.destination), state.own);
        let hosts = match &state.site {
            Site::Known(hosts, _) => Some(Arc::clone(hosts)),
            Site::Unknown => None,
        };
        let limits = self.rules.limits_of(&destination);
        let paused = self
            .rules
            .pause_of(&destination, hosts.as_deref().unwrap_or_default());
        let paused = paused.is_some();
        let own = match own {
            Some(own) => {
                self.throttles.set_limits(own, limits, now);
                Some(own)
            }
            None if limits.is_empty() => None,
            None => Some(self.throttles.add(limits, Tally::default())),
        };
        if let Some(state) = self.state(key) {
            state.own = own;
            if state.paused && !paused {
                state.forgive();
            }
            state.paused = paused;
        }
        match hosts {
            Some(_) if self.rules.servers().is_none() => {
                if let Some(state) = self.state(key) {
                    state.site = Site::Unknown;
                }
            }
            Some(hosts) => self.learn_hosts(key, hosts),
            None => {}
        }
    }

    /// How many jobs of a destination may run at once.
    pub(super) fn bounds(&mut self, key: Key) -> Bounds {
        let own = self.state(key).and_then(|state| state.own);
        let limits = own.and_then(|own| self.throttles.get(own));
        let limits =
            limits.map(|throttle| (throttle.limits.connections, throttle.limits.slow_start));
        let (connections, slow_start) = limits.unwrap_or_default();
        let default = u32::try_from(self.capacity.per_destination).unwrap_or(u32::MAX);
        let most = connections.map_or(default, std::num::NonZeroU32::get);
        Bounds {
            first: if slow_start.unwrap_or(true) { 1 } else { most },
            most,
            pause: self.capacity.pause,
        }
    }

    /// Frees a destination that has no job and nothing worth remembering; else looks again when that is over.
    pub(super) fn rest_if_idle(&mut self, key: Key, now: Timestamp) {
        let first = self.bounds(key).first;
        let shown_only = self.resting.len() >= MAX_REMEMBERED;
        let Some(state) = self.state(key) else { return };
        if !state.is_idle() {
            return;
        }
        state.window = first;
        let down = state.down.as_ref().map(|down| down.until);
        let memory = if shown_only {
            down
        } else {
            state.remembered_until()
        };
        let own = state.own;
        let owed = own.and_then(|own| self.throttles.get(own)?.remembered_until(now));
        let until = memory.max(owed).filter(|until| *until > now);
        let Some(state) = self.state(key) else { return };
        match until {
            Some(until) => {
                if state.rests_until.is_none() {
                    state.rests_until = Some(until);
                    self.resting.push(Reverse((until, key)));
                }
            }
            // It is still to be popped: then.
            None if state.rests_until.is_some() => {}
            None => self.forget(key),
        }
    }

    fn forget(&mut self, key: Key) {
        let Some(state) = self.slot(key).and_then(Option::take) else {
            return;
        };
        self.keys.remove(&state.destination);
        if let Some(own) = state.own {
            self.throttles.remove(own);
        }
        self.free.push(key);
    }
}
