//! What is due when, and for where: the scheduler's memory, without clock or task.
//!
//! A job is a message and a destination. Jobs wait in one heap by the time when they are due: 24 octets each, so that
//! a million fit. Due jobs stand in a queue for each destination; destinations take turns, and none runs more jobs
//! than it has earned, so that none delays another: one at first, twice as many after each quick answer, one again
//! after a slow one. A destination that does not answer is left alone for a while: then its due jobs are told so
//! instead of being tried.
//!
//! Limits are kept by throttles: each destination may have one of its own, and share one with others that have the same
//! mail servers. A destination that a throttle keeps back stands in the throttle's queue, which is looked at when it may
//! let something through, and at no other time: that costs the same however many wait.

mod destinations;
mod job;
mod state;
mod throttle;
mod throttles;
mod view;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use facteur_mail::{Attempt, QueueId, Timestamp};
use facteur_route::Destination;

use self::state::{Due, Next, Place, Site, State};
use self::throttles::Throttles;
use crate::limits::Limits;
use crate::rules::Rules;

pub(crate) use self::job::{Allowance, Capacity, Ended, Health, Job, Kind, Receipt};
pub(crate) use self::state::Seen;
pub use self::throttle::Why;
pub(crate) use self::throttle::{Charge, RateLimited, Traffic};
pub(crate) use self::throttles::ThrottleKey;
pub use self::view::{DestinationView, HeldView, LimitsView, SlowedView, Survey};

/// The handle of a destination while it has jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(u32);

/// The waiting jobs.
#[derive(Debug)]
pub(crate) struct Index {
    capacity: Capacity,
    rules: Rules,
    waiting: BinaryHeap<Reverse<Entry>>,
    keys: HashMap<Arc<Destination>, Key>,
    states: Vec<Option<State>>,
    free: Vec<Key>,
    throttles: Throttles,
    /// Destinations that may have something to start, each once.
    turns: VecDeque<Key>,
    /// Destinations that may have no job left, by the time at which they may be forgotten.
    resting: BinaryHeap<Reverse<(Timestamp, Key)>>,
    running: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    due: Timestamp,
    message: QueueId,
    key: Key,
    recipients: u32,
}

impl Index {
    pub(crate) fn new(capacity: Capacity, rules: Rules) -> Self {
        Self {
            capacity,
            rules,
            waiting: BinaryHeap::new(),
            keys: HashMap::new(),
            states: Vec::new(),
            free: Vec::new(),
            throttles: Throttles::default(),
            turns: VecDeque::new(),
            resting: BinaryHeap::new(),
            running: 0,
        }
    }

    /// Other limits, for what starts from now on.
    pub(crate) fn go_on_under(&mut self, capacity: Capacity, rules: Rules, now: Timestamp) {
        self.capacity = capacity;
        self.obey(rules, now);
    }

    /// Adds a job for so many recipients.
    pub(crate) fn insert(
        &mut self,
        message: QueueId,
        destination: Destination,
        recipients: u32,
        due: Timestamp,
    ) {
        let key = self.intern(destination);
        if let Some(state) = self.state(key) {
            state.waiting += 1;
        }
        self.waiting.push(Reverse(Entry {
            due,
            message,
            key,
            recipients,
        }));
    }

    /// When there is something to do next: a job becomes due, a limit lets one through, or an order ends.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        let due = self.waiting.peek().map(|Reverse(entry)| entry.due);
        let events = [due, self.throttles.next_wake(), self.rules.expires()];
        events.into_iter().flatten().min()
    }

    /// What is in force.
    pub(crate) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How many deliveries run.
    pub(crate) const fn running(&self) -> usize {
        self.running
    }

    /// The next job to start at `now`, if the limits allow one: the next destination's, in turn.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<(Job, Receipt)> {
        self.wake(now);
        while self.running < self.capacity.running {
            let key = self.turns.pop_front()?;
            let Some(state) = self.state(key) else {
                continue;
            };
            state.place = Place::Nowhere;
            let started = match state.next(now) {
                None => None,
                Some(Next::Wait(attempt)) => self.start_waiting(key, attempt),
                Some(Next::Try) => self.start_trying(key, now),
            };
            // It was let through, or did not need to be: the next one in the queues of its throttles has its turn.
            self.let_through(key, now);
            if started.is_some() {
                self.running += 1;
                self.offer_turn(key);
                return started;
            }
        }
        None
    }

    /// Starts a job that is told to wait: it sends nothing, and no limit holds for it.
    fn start_waiting(&mut self, key: Key, attempt: Arc<Attempt>) -> Option<(Job, Receipt)> {
        let state = self.state(key)?;
        let due = state.due.pop_front()?;
        state.active += 1;
        let job = Job {
            message: due.message,
            destination: Arc::clone(&state.destination),
            kind: Kind::Wait(attempt),
        };
        let receipt = Receipt {
            key,
            charge: Charge::default(),
            throttles: [None; 2],
        };
        Some((job, receipt))
    }

    /// Starts a job that delivers, unless a throttle keeps its destination back.
    fn start_trying(&mut self, key: Key, now: Timestamp) -> Option<(Job, Receipt)> {
        let throttles: Vec<ThrottleKey> = self.state(key)?.throttles().collect();
        let mut allowed = Allowance {
            unsited: self.unsited(key),
            ..Allowance::default()
        };
        let mut most = u32::MAX;
        for throttle in &throttles {
            if self.throttles.holds(*throttle, key, now) {
                self.state(key)?.place = Place::Held;
                return None;
            }
            let it = self.throttles.get(*throttle)?;
            most = most.min(it.most_recipients());
            allowed.may_connect &= it.may_connect(now);
            allowed.narrow(&it.limits);
        }
        let state = self.state(key)?;
        let due = state.due.pop_front()?;
        let charge = Charge {
            recipients: due.recipients.min(most),
            connection: allowed.may_connect,
        };
        if due.recipients > most {
            let recipients = due.recipients - most;
            state.due.push_front(Due { recipients, ..due });
            allowed.recipients = usize::try_from(most).unwrap_or(usize::MAX);
        }
        state.active += 1;
        state.memory().messages.count(1, now);
        let job = Job {
            message: due.message,
            destination: Arc::clone(&state.destination),
            kind: Kind::Try(allowed),
        };
        let mut paid = [None; 2];
        for (slot, throttle) in paid.iter_mut().zip(&throttles) {
            self.throttles.get(*throttle)?.start(charge, now);
            *slot = Some(*throttle);
        }
        let receipt = Receipt {
            key,
            charge,
            throttles: paid,
        };
        Some((job, receipt))
    }

    /// A job that was started has ended. Says what slows its destination down from now on, if that is new.
    pub(crate) fn finished(
        &mut self,
        message: QueueId,
        receipt: &Receipt,
        ended: Ended,
        now: Timestamp,
    ) -> Option<SlowedView> {
        let key = receipt.key;
        self.running = self.running.saturating_sub(1);
        for throttle in receipt.throttles.into_iter().flatten() {
            self.throttles
                .ended(throttle, receipt.charge, ended.traffic, now);
        }
        let bounds = self.bounds(key);
        let state = self.state(key)?;
        state.active = state.active.saturating_sub(1);
        state.learn(ended.health, ended.took, now, bounds);
        let memory = state.memory();
        memory.keep(ended.seen, now);
        if receipt.charge.recipients > 0 && ended.traffic.is_none() {
            memory.messages.take_back(1);
        }
        if ended.left > 0 {
            state.due.push_front(Due {
                message,
                recipients: ended.left,
            });
        }
        if let Some(hosts) = ended.hosts {
            self.learn_hosts(key, hosts);
        }
        let slowed = ended
            .rate_limited
            .and_then(|said| self.slow_down(key, said, now));
        self.let_through(key, now);
        for throttle in receipt.throttles.into_iter().flatten() {
            self.let_next_through(throttle, now);
        }
        self.offer_turn(key);
        self.rest_if_idle(key, now);
        slowed
    }

    /// Other rules and orders hold from now on.
    pub(crate) fn obey(&mut self, rules: Rules, now: Timestamp) {
        self.rules = rules;
        let keys: Vec<Key> = self.keys.values().copied().collect();
        self.throttles.release_all();
        let rules = &self.rules;
        self.throttles
            .set_shared(|target| rules.limits_of_site(target), now);
        for key in keys {
            if let Some(state) = self.state(key)
                && state.place == Place::Held
            {
                state.place = Place::Nowhere;
            }
            self.apply_rules(key, now);
            let most = self.bounds(key).most;
            if let Some(state) = self.state(key) {
                state.window = state.window.min(most);
            }
            self.offer_turn(key);
        }
    }

    /// What did not answer is tried again at once.
    pub(crate) fn forgive(&mut self, destination: &Destination) {
        let Some(key) = self.keys.get(destination).copied() else {
            return;
        };
        if let Some(state) = self.state(key) {
            state.forgive();
        }
        self.offer_turn(key);
    }

    /// Moves what is due to the queues of the destinations, and forgets those that are of no interest any more.
    fn wake(&mut self, now: Timestamp) {
        if self.rules.expires().is_some_and(|moment| moment <= now) {
            let rules = self.rules.without_ended(now);
            self.obey(rules, now);
        }
        while self
            .resting
            .peek()
            .is_some_and(|Reverse((until, _))| *until <= now)
        {
            let Some(Reverse((_, key))) = self.resting.pop() else {
                break;
            };
            if let Some(state) = self.state(key) {
                state.rests_until = None;
            }
            self.rest_if_idle(key, now);
        }
        while let Some(throttle) = self.throttles.wake(now) {
            self.let_next_through(throttle, now);
        }
        while let Some(Reverse(entry)) = self.waiting.peek() {
            if entry.due > now {
                break;
            }
            let Some(Reverse(Entry {
                message,
                key,
                recipients,
                ..
            })) = self.waiting.pop()
            else {
                break;
            };
            if let Some(state) = self.state(key) {
                state.waiting = state.waiting.saturating_sub(1);
                state.due.push_back(Due {
                    message,
                    recipients,
                });
            }
            self.offer_turn(key);
        }
    }

    fn offer_turn(&mut self, key: Key) {
        if let Some(state) = self.state(key)
            && state.place == Place::Nowhere
            && state.may_start()
        {
            state.place = Place::InTurns;
            self.turns.push_back(key);
        }
    }

    /// Gives a turn to the next destination in the queue of each throttle of `key`.
    fn let_through(&mut self, key: Key, now: Timestamp) {
        let Some(state) = self.state(key) else { return };
        for throttle in state.throttles() {
            self.let_next_through(throttle, now);
        }
    }

    /// Gives a turn to the next destination in the queue of a throttle, if it lets one through.
    fn let_next_through(&mut self, throttle: ThrottleKey, now: Timestamp) {
        let Some(key) = self.throttles.next_through(throttle, now) else {
            return;
        };
        if let Some(state) = self.state(key) {
            state.place = Place::Nowhere;
        }
        self.offer_turn(key);
    }

    /// The remote has asked for less: the limits that it shares are meant, or else its own.
    fn slow_down(&mut self, key: Key, said: RateLimited, now: Timestamp) -> Option<SlowedView> {
        let state = self.state(key)?;
        let shared = match &state.site {
            Site::Known(_, Some(shared)) => Some(*shared),
            Site::Known(_, None) | Site::Unknown => None,
        };
        // The job that heard it has ended.
        let running = state.active + 1;
        let messages = state.memory().messages.clone();
        let known = shared.or(state.own);
        let throttle = known.unwrap_or_else(|| {
            let limits = Limits::default();
            let own = self.throttles.add(limits, messages);
            if let Some(state) = self.state(key) {
                state.own = Some(own);
            }
            own
        });
        let it = self.throttles.get(throttle)?;
        let running = running.max(it.active + 1);
        if !it.slow_down(said, running, now) {
            return None;
        }
        it.slowed.as_deref().map(view::slowed)
    }

    fn slot(&mut self, key: Key) -> Option<&mut Option<State>> {
        self.states.get_mut(usize::try_from(key.0).ok()?)
    }

    fn state(&mut self, key: Key) -> Option<&mut State> {
        self.slot(key)?.as_mut()
    }
}

#[cfg(test)]
mod tests;
