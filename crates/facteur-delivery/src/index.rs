//! What is due when, and for where: the scheduler's memory, without clock or task.
//!
//! A job is a message and a destination. Jobs wait in one heap by the time when they are due: 24 octets each, so that
//! a million fit. Due jobs stand in a queue for each destination; destinations take turns, and none runs more jobs
//! than it has earned, so that none delays another: one at first, twice as many after each quick answer, one again
//! after a slow one. A destination that does not answer is left alone for a while: then its due jobs are told so
//! instead of being tried.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Attempt, QueueId, Timestamp};
use facteur_route::Destination;

/// A destination goes down when this many tries in a row found no answer, or the only one that ran.
const SILENT_IN_A_ROW: u32 = 2;

/// A job that takes longer shows a slow destination: it gets no more than one at a time, until it is quick again.
const SLOW: Duration = Duration::from_secs(20);

/// The handle of a destination while it has jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(u32);

/// A job to start.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) message: QueueId,
    pub(crate) key: Key,
    pub(crate) destination: Arc<Destination>,
    pub(crate) kind: Kind,
}

/// What to do with a job.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Deliver.
    Try,
    /// Let it wait: this try, of another message, found the destination not answering.
    Wait(Arc<Attempt>),
}

/// What a job found out about its destination.
#[derive(Debug)]
pub(crate) enum Health {
    /// It answers.
    Answers,
    /// It does not answer.
    Silent(Arc<Attempt>),
    /// The job did not ask.
    Unknown,
}

/// Limits of the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) running: usize,
    pub(crate) per_destination: usize,
    pub(crate) pause: Duration,
}

/// The waiting jobs.
#[derive(Debug)]
pub(crate) struct Index {
    limits: Limits,
    waiting: BinaryHeap<Reverse<Entry>>,
    keys: HashMap<Arc<Destination>, Key>,
    states: Vec<Option<State>>,
    free: Vec<Key>,
    /// Destinations that may have something to start, each once.
    turns: VecDeque<Key>,
    /// Silent destinations that may have no job left, by the end of their pause: to be forgotten then.
    resting: VecDeque<(Timestamp, Key)>,
    running: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    due: Timestamp,
    message: QueueId,
    key: Key,
}

#[derive(Debug)]
struct State {
    destination: Arc<Destination>,
    /// Entries in the heap.
    waiting: u32,
    due: VecDeque<QueueId>,
    active: u32,
    /// How many jobs may run at once.
    window: u32,
    in_turns: bool,
    silent_in_a_row: u32,
    down: Option<Down>,
}

#[derive(Debug)]
struct Down {
    until: Timestamp,
    attempt: Arc<Attempt>,
}

impl Index {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: BinaryHeap::new(),
            keys: HashMap::new(),
            states: Vec::new(),
            free: Vec::new(),
            turns: VecDeque::new(),
            resting: VecDeque::new(),
            running: 0,
        }
    }

    /// Other limits, for what starts from now on.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        let most = u32::try_from(limits.per_destination).unwrap_or(u32::MAX);
        for state in self.states.iter_mut().flatten() {
            state.window = state.window.min(most);
        }
    }

    /// Adds a job.
    pub(crate) fn insert(&mut self, message: QueueId, destination: Destination, due: Timestamp) {
        let key = self.intern(destination);
        if let Some(state) = self.state(key) {
            state.waiting += 1;
        }
        self.waiting.push(Reverse(Entry { due, message, key }));
    }

    /// When the next job becomes due.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        self.waiting.peek().map(|Reverse(entry)| entry.due)
    }

    /// How many deliveries run.
    pub(crate) const fn running(&self) -> usize {
        self.running
    }

    /// The next job to start at `now`, if the limits allow one: the next destination's, in turn.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<Job> {
        self.wake(now);
        while self.running < self.limits.running {
            let key = self.turns.pop_front()?;
            let Some(state) = self.state(key) else {
                continue;
            };
            state.in_turns = false;
            let kind = state.next_kind(now);
            let Some((kind, message)) = kind.and_then(|kind| Some((kind, state.due.pop_front()?)))
            else {
                continue;
            };
            state.active += 1;
            let destination = Arc::clone(&state.destination);
            self.running += 1;
            self.offer_turn(key);
            return Some(Job {
                message,
                key,
                destination,
                kind,
            });
        }
        None
    }

    /// A job that was started has ended, after `took`.
    pub(crate) fn finished(&mut self, key: Key, health: Health, took: Duration, now: Timestamp) {
        let limits = self.limits;
        self.running = self.running.saturating_sub(1);
        let mut rests = None;
        if let Some(state) = self.state(key) {
            state.active = state.active.saturating_sub(1);
            state.learn(health, took, now, &limits);
            rests = state.down.as_ref().map(|down| down.until);
        }
        self.resting.extend(rests.map(|until| (until, key)));
        self.offer_turn(key);
        self.forget_if_idle(key, now);
    }

    /// Moves what is due to the queues of the destinations, and forgets those that are of no interest any more.
    fn wake(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.resting.pop_front_if(|(until, _)| *until <= now) {
            self.forget_if_idle(key, now);
        }
        while let Some(Reverse(entry)) = self.waiting.peek() {
            if entry.due > now {
                break;
            }
            let Some(Reverse(Entry { message, key, .. })) = self.waiting.pop() else {
                break;
            };
            if let Some(state) = self.state(key) {
                state.waiting = state.waiting.saturating_sub(1);
                state.due.push_back(message);
            }
            self.offer_turn(key);
        }
    }

    fn offer_turn(&mut self, key: Key) {
        if let Some(state) = self.state(key)
            && state.active < state.window
            && !state.in_turns
            && !state.due.is_empty()
        {
            state.in_turns = true;
            self.turns.push_back(key);
        }
    }

    fn intern(&mut self, destination: Destination) -> Key {
        if let Some(key) = self.keys.get(&destination) {
            return *key;
        }
        let destination = Arc::new(destination);
        let state = State {
            destination: Arc::clone(&destination),
            waiting: 0,
            due: VecDeque::new(),
            active: 0,
            window: 1,
            in_turns: false,
            silent_in_a_row: 0,
            down: None,
        };
        let key = self.free.pop().unwrap_or_else(|| {
            self.states.push(None);
            Key(u32::try_from(self.states.len() - 1).unwrap_or(u32::MAX))
        });
        if let Some(slot) = self.slot(key) {
            *slot = Some(state);
        }
        self.keys.insert(destination, key);
        key
    }

    /// Frees a destination that has no job and nothing worth remembering.
    fn forget_if_idle(&mut self, key: Key, now: Timestamp) {
        let Some(state) = self.state(key) else {
            return;
        };
        let remembered = state.down.as_ref().is_some_and(|down| down.until > now);
        let idle = state.active == 0 && state.waiting == 0 && state.due.is_empty();
        if idle && !remembered {
            let destination = Arc::clone(&state.destination);
            self.keys.remove(&destination);
            if let Some(slot) = self.slot(key) {
                *slot = None;
            }
            self.free.push(key);
        }
    }

    fn slot(&mut self, key: Key) -> Option<&mut Option<State>> {
        self.states.get_mut(usize::try_from(key.0).ok()?)
    }

    fn state(&mut self, key: Key) -> Option<&mut State> {
        self.slot(key)?.as_mut()
    }
}

impl State {
    /// What may be started now: while it is down, jobs are told to wait; when the pause is over, one job tries.
    fn next_kind(&self, now: Timestamp) -> Option<Kind> {
        if self.active >= self.window {
            return None;
        }
        match &self.down {
            None => Some(Kind::Try),
            Some(down) if now < down.until => Some(Kind::Wait(Arc::clone(&down.attempt))),
            Some(_) => (self.active == 0).then_some(Kind::Try),
        }
    }

    fn learn(&mut self, health: Health, took: Duration, now: Timestamp, limits: &Limits) {
        let most = u32::try_from(limits.per_destination).unwrap_or(u32::MAX);
        match health {
            Health::Unknown => self.window = self.window.saturating_mul(2).min(most),
            Health::Answers => {
                self.silent_in_a_row = 0;
                self.down = None;
                let wider = self.window.saturating_mul(2).min(most);
                self.window = if took < SLOW { wider } else { 1 };
            }
            Health::Silent(attempt) => {
                self.window = 1;
                self.silent_in_a_row = self.silent_in_a_row.saturating_add(1);
                if self.active == 0 || self.silent_in_a_row >= SILENT_IN_A_ROW {
                    let until = now.after(limits.pause);
                    self.down = Some(Down { until, attempt });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use facteur_mail::{Domain, Said, Stage};
    use facteur_replies::Reply;

    use super::*;

    const LIMITS: Limits = Limits {
        running: 10,
        per_destination: 2,
        pause: Duration::from_secs(60),
    };

    const QUICK: Duration = Duration::from_millis(50);

    fn to(name: &str) -> Destination {
        Destination::Mx(Domain::parse(name).unwrap())
    }

    fn id(number: u64) -> QueueId {
        QueueId::from_number(number)
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn silence() -> Health {
        Health::Silent(Arc::new(Attempt {
            at: at(0),
            took: Duration::ZERO,
            host: None,
            stage: Stage::Connect,
            said: Said::ByUs(Reply::no_answer("mx", "refused")),
        }))
    }

    fn taken(index: &mut Index, now: Timestamp) -> Vec<Job> {
        std::iter::from_fn(|| index.take(now)).collect()
    }

    fn numbers(jobs: &[Job]) -> Vec<u64> {
        jobs.iter().map(|job| job.message.number()).collect()
    }

    #[test]
    fn destinations_take_turns_and_none_takes_more_than_it_has_earned() {
        let mut index = Index::new(LIMITS);
        for number in 0..9 {
            index.insert(id(number), to("busy.test"), at(0));
        }
        index.insert(id(10), to("quiet.test"), at(0));
        let jobs = taken(&mut index, at(0));
        assert_eq!(numbers(&jobs), [0, 10]);
        let busy = jobs[0].key;
        index.finished(busy, Health::Answers, QUICK, at(0));
        assert_eq!(numbers(&taken(&mut index, at(0))), [1, 2]);
        index.finished(busy, Health::Answers, QUICK, at(0));
        assert_eq!(numbers(&taken(&mut index, at(0))), [3], "two is the limit");
        index.finished(busy, Health::Answers, SLOW, at(20));
        assert!(
            taken(&mut index, at(20)).is_empty(),
            "it was slow: one at a time"
        );
        index.finished(busy, Health::Answers, QUICK, at(20));
        assert_eq!(numbers(&taken(&mut index, at(20))), [4, 5]);
    }

    #[test]
    fn no_more_jobs_run_than_allowed_in_all() {
        let mut index = Index::new(LIMITS);
        for number in 0..50 {
            index.insert(id(number), to(&format!("d{number}.test")), at(0));
        }
        assert_eq!(taken(&mut index, at(0)).len(), LIMITS.running);
        assert_eq!(index.running(), LIMITS.running);
    }

    #[test]
    fn other_limits_hold_for_what_starts_next() {
        let mut index = Index::new(LIMITS);
        for number in 0..9 {
            index.insert(id(number), to("a.test"), at(0));
        }
        let key = taken(&mut index, at(0))[0].key;
        index.finished(key, Health::Answers, QUICK, at(0));
        assert_eq!(taken(&mut index, at(0)).len(), 2);
        index.set_limits(Limits {
            per_destination: 1,
            ..LIMITS
        });
        index.finished(key, Health::Answers, QUICK, at(0));
        assert!(taken(&mut index, at(0)).is_empty(), "one still runs");
        index.finished(key, Health::Answers, QUICK, at(0));
        assert_eq!(taken(&mut index, at(0)).len(), 1);
        index.set_limits(LIMITS);
        index.finished(key, Health::Answers, QUICK, at(0));
        assert_eq!(taken(&mut index, at(0)).len(), 2);
    }

    #[test]
    fn a_job_waits_until_it_is_due() {
        let mut index = Index::new(LIMITS);
        index.insert(id(1), to("a.test"), at(20));
        index.insert(id(2), to("a.test"), at(10));
        assert_eq!(index.next_event(), Some(at(10)));
        assert!(taken(&mut index, at(9)).is_empty());
        assert_eq!(numbers(&taken(&mut index, at(10))), [2]);
        assert_eq!(index.next_event(), Some(at(20)));
    }

    #[test]
    fn a_silent_destination_is_left_alone_and_then_tried_by_one() {
        let mut index = Index::new(LIMITS);
        index.insert(id(1), to("dead.test"), at(0));
        let key = taken(&mut index, at(0))[0].key;
        index.finished(key, silence(), QUICK, at(0));
        for number in 2..9 {
            index.insert(id(number), to("dead.test"), at(1));
        }
        let mut told = 0;
        while let Some(job) = index.take(at(1)) {
            assert!(matches!(job.kind, Kind::Wait(_)));
            index.finished(job.key, Health::Unknown, QUICK, at(1));
            told += 1;
        }
        assert_eq!(told, 7);
        for number in 10..13 {
            index.insert(id(number), to("dead.test"), at(60));
        }
        let probe = taken(&mut index, at(60));
        assert_eq!(
            numbers(&probe),
            [10],
            "one tries, the others wait for what it finds"
        );
        assert!(matches!(probe[0].kind, Kind::Try));
        index.finished(key, Health::Answers, QUICK, at(61));
        let open = taken(&mut index, at(61));
        assert_eq!(numbers(&open), [11, 12]);
        assert!(open.iter().all(|job| matches!(job.kind, Kind::Try)));
    }

    #[test]
    fn one_silence_among_answers_is_not_a_silent_destination() {
        let mut index = Index::new(LIMITS);
        for number in 0..5 {
            index.insert(id(number), to("a.test"), at(0));
        }
        let key = taken(&mut index, at(0))[0].key;
        index.finished(key, Health::Answers, QUICK, at(0));
        assert_eq!(taken(&mut index, at(0)).len(), 2);
        index.finished(key, silence(), QUICK, at(0));
        index.finished(key, Health::Answers, QUICK, at(0));
        let next = taken(&mut index, at(0));
        assert!(next.iter().all(|job| matches!(job.kind, Kind::Try)));
        assert_eq!(next.len(), 2);
    }

    #[test]
    fn a_destination_without_jobs_is_forgotten_when_its_pause_is_over() {
        let mut index = Index::new(LIMITS);
        for number in 0..100 {
            index.insert(id(number), to(&format!("d{number}.test")), at(0));
            let [job] = taken(&mut index, at(0)).try_into().unwrap();
            let health = if number % 2 == 0 {
                silence()
            } else {
                Health::Answers
            };
            index.finished(job.key, health, QUICK, at(0));
        }
        assert_eq!(index.keys.len(), 50);
        assert!(index.take(at(61)).is_none());
        assert_eq!((index.keys.len(), index.resting.len()), (0, 0));
        assert_eq!(index.free.len(), index.states.len());
    }

    #[test]
    fn a_waiting_job_costs_a_few_octets() {
        assert!(size_of::<Entry>() <= 24);
        assert!(size_of::<State>() <= 104);
    }
}
