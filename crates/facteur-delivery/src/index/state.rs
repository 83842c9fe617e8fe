//! One destination: what waits for it, how much it has earned, and how it was lately.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Attempt, Domain, QueueId, Tally, Timestamp};
use facteur_route::Destination;

use super::{Health, ThrottleKey};

/// A destination goes down when this many tries in a row found no answer, or the only one that ran.
const SILENT_IN_A_ROW: u32 = 2;

/// A job that takes longer shows a slow destination: it gets no more than one at a time, until it is quick again.
pub(super) const SLOW: Duration = Duration::from_secs(20);

/// How long what was heard of a destination is remembered without a job for it.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

#[derive(Debug)]
pub(super) struct State {
    pub(super) destination: Arc<Destination>,
    /// Entries in the heap.
    pub(super) waiting: u32,
    pub(super) due: VecDeque<Due>,
    pub(super) active: u32,
    /// How many jobs may run at once.
    pub(super) window: u32,
    pub(super) place: Place,
    /// An operator has paused it.
    pub(super) paused: bool,
    silent_in_a_row: u32,
    pub(super) down: Option<Down>,
    /// Its own limits, if it has any.
    pub(super) own: Option<ThrottleKey>,
    pub(super) site: Site,
    /// The moment for which it stands among those that may be forgotten.
    pub(super) rests_until: Option<Timestamp>,
    pub(super) memory: Option<Box<Memory>>,
}

/// How many jobs of one destination may run at once, and how long it is left alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// At first, and after a time without any.
    pub(super) first: u32,
    /// At most.
    pub(super) most: u32,
    /// The pause of one that does not answer.
    pub(super) pause: Duration,
}

/// A job that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) message: QueueId,
    pub(super) recipients: u32,
}

/// Where a destination stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: it has nothing to start, or runs as much as it may.
    Nowhere,
    /// Among those whose turn comes.
    InTurns,
    /// In the queue of a throttle.
    Held,
}

/// What is known of the mail servers of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Site {
    /// No delivery was planned since they matter.
    Unknown,
    /// These hosts, and the limits that they share with other destinations.
    Known(Arc<[Domain]>, Option<ThrottleKey>),
}

/// What a destination may start.
#[derive(Debug)]
pub(super) enum Next {
    /// A job that delivers.
    Try,
    /// A job that is told that another one found no answer.
    Wait(Arc<Attempt>),
}

/// A destination that is left alone.
#[derive(Debug)]
pub(super) struct Down {
    pub(super) until: Timestamp,
    pub(super) attempt: Arc<Attempt>,
}

/// What was seen of a destination.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Messages that were started.
    pub(super) messages: Tally,
    /// The last try that failed.
    pub(super) failed: Option<Arc<Attempt>>,
    /// When a message was taken.
    pub(super) taken: Option<Timestamp>,
    /// When a job ended.
    seen: Timestamp,
}

impl State {
    pub(super) const fn new(destination: Arc<Destination>, window: u32) -> Self {
        Self {
            destination,
            waiting: 0,
            due: VecDeque::new(),
            active: 0,
            window,
            place: Place::Nowhere,
            paused: false,
            silent_in_a_row: 0,
            down: None,
            own: None,
            site: Site::Unknown,
            rests_until: None,
            memory: None,
        }
    }

    /// The throttles that it goes through: its own, and the one that it shares.
    pub(super) fn throttles(&self) -> impl Iterator<Item = ThrottleKey> + use<> {
        let shared = match &self.site {
            Site::Unknown => None,
            Site::Known(_, shared) => *shared,
        };
        [self.own, shared].into_iter().flatten()
    }

    pub(super) fn hosts(&self) -> &[Domain] {
        match &self.site {
            Site::Unknown => &[],
            Site::Known(hosts, _) => hosts,
        }
    }

    /// Whether there is something that its own window lets start.
    pub(super) fn may_start(&self) -> bool {
        self.active < self.window && !self.due.is_empty() && !self.paused
    }

    /// What may be started now: while it is down, jobs are told to wait; when the pause is over, one job tries.
    pub(super) fn next(&self, now: Timestamp) -> Option<Next> {
        if !self.may_start() {
            return None;
        }
        match &self.down {
            None => Some(Next::Try),
            Some(down) if now < down.until => Some(Next::Wait(Arc::clone(&down.attempt))),
            Some(_) => (self.active == 0).then_some(Next::Try),
        }
    }

    /// Learns from a job that has ended.
    pub(super) fn learn(&mut self, health: Health, took: Duration, now: Timestamp, bounds: Bounds) {
        let wider = self
            .window
            .saturating_mul(2)
            .max(bounds.first)
            .min(bounds.most);
        match health {
            Health::Unknown => self.window = wider,
            Health::Answers => {
                self.silent_in_a_row = 0;
                self.down = None;
                self.window = if took < SLOW { wider } else { 1 };
            }
            Health::AsksForLess => {
                self.silent_in_a_row = 0;
                self.down = None;
                self.window = (self.window / 2).max(1);
            }
            Health::Silent(attempt) => {
                self.window = 1;
                self.silent_in_a_row = self.silent_in_a_row.saturating_add(1);
                if self.active == 0 || self.silent_in_a_row >= SILENT_IN_A_ROW {
                    let until = now.after(bounds.pause);
                    self.down = Some(Down { until, attempt });
                }
            }
        }
    }

    /// It is tried at once although it did not answer.
    pub(super) fn forgive(&mut self) {
        self.down = None;
        self.silent_in_a_row = 0;
    }

    pub(super) fn memory(&mut self) -> &mut Memory {
        self.memory.get_or_insert_default()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.active == 0 && self.waiting == 0 && self.due.is_empty()
    }

    /// Until when it is worth remembering for itself.
    pub(super) fn remembered_until(&self) -> Option<Timestamp> {
        let down = self.down.as_ref().map(|down| down.until);
        let memory = self.memory.as_ref();
        down.max(memory.map(|memory| memory.seen.after(REMEMBERED)))
    }
}

impl Memory {
    /// Keeps what a job saw.
    pub(super) fn keep(&mut self, seen: Option<Seen>, now: Timestamp) {
        self.seen = now;
        match seen {
            Some(Seen::Taken) => self.taken = Some(now),
            Some(Seen::Failed(attempt)) => self.failed = Some(attempt),
            None => {}
        }
    }
}

/// What a job saw at its end.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A message was taken.
    Taken,
    /// The try failed.
    Failed(Arc<Attempt>),
}
