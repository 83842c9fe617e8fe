//! What DNS says of a domain while a client waits: asked with little patience.
//!
//! Answers are kept by the resolver, for as long as their records live. Here only silence is remembered: a domain
//! whose servers do not answer is not asked again for each message of a stream, and after such a question the next
//! ones are given less time for a while. Nothing is refused for want of an answer; the queue asks again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use facteur_mail::{Domain, Timestamp};
use facteur_route::{Plan, Planner};

use crate::timer::Timer;

/// How long a domain that did not answer is not asked again.
const MEMORY: Duration = Duration::from_secs(60);

/// The most such domains remembered.
const MAX_REMEMBERED: usize = 10_000;

/// How long patience is short after a question without an answer.
const SHORT_FOR: Duration = Duration::from_secs(30);

/// The part of patience that is left then.
const SHORTENED: u32 = 10;

/// Asks and remembers.
pub(crate) struct Lookups {
    planner: Planner,
    patience: Duration,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// The domains that did not answer, and until when they are left alone.
    silent: HashMap<Domain, Timestamp>,
    short_until: Timestamp,
}

impl Lookups {
    pub(crate) fn new(planner: Planner, patience: Duration) -> Self {
        Self {
            planner,
            patience,
            memory: Mutex::default(),
        }
    }

    /// What the MX records of `domain` say by themselves; `None` where they name hosts, and where nobody
    /// answered in time.
    pub(crate) async fn by_mx_alone(&self, domain: &Domain, timer: &mut Timer) -> Option<Plan> {
        let now = timer.now();
        let patience = {
            let memory = self.memory();
            if memory.silent.get(domain).is_some_and(|until| now < *until) {
                return None;
            }
            if now < memory.short_until {
                self.patience / SHORTENED
            } else {
                self.patience
            }
        };
        let question = self.planner.by_mx_alone(domain);
        let answer = timer.until(now.after(patience), question).await;
        if matches!(answer, None | Some(Some(Plan::TryLater(_)))) {
            self.note_silence(domain, answer.is_none(), timer.now());
        }
        answer.flatten()
    }

    fn note_silence(&self, domain: &Domain, unanswered: bool, now: Timestamp) {
        let mut memory = self.memory();
        if unanswered {
            memory.short_until = now.after(SHORT_FOR);
        }
        if memory.silent.len() >= MAX_REMEMBERED {
            memory.silent.clear();
        }
        memory.silent.insert(domain.clone(), now.after(MEMORY));
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
