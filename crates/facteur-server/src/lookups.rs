//! What DNS says of a domain while a client waits: asked with little patience, remembered for a minute.
//!
//! A resolver that does not answer must not bring reception to a crawl: after a question without an answer, the
//! next ones are given less time for a while. Nothing is refused for want of an answer; the queue asks again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use facteur_mail::{Domain, Timestamp};
use facteur_route::{Plan, Planner};

use crate::timer::Timer;

/// How long an answer is remembered. The resolver keeps the records for as long as they live; this only spares
/// asking it for each message of a stream.
const MEMORY: Duration = Duration::from_secs(60);

/// The most domains remembered.
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
    answers: HashMap<Domain, Remembered>,
    short_until: Timestamp,
}

struct Remembered {
    until: Timestamp,
    plan: Option<Plan>,
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
            match memory.answers.get(domain) {
                Some(remembered) if now < remembered.until => return remembered.plan.clone(),
                Some(_) | None if now < memory.short_until => self.patience / SHORTENED,
                Some(_) | None => self.patience,
            }
        };
        let question = self.planner.by_mx_alone(domain);
        let answer = timer.until(now.after(patience), question).await;
        let now = timer.now();
        let mut memory = self.memory();
        if answer.is_none() {
            memory.short_until = now.after(SHORT_FOR);
        }
        if memory.answers.len() >= MAX_REMEMBERED {
            memory.answers.clear();
        }
        let plan = answer.flatten();
        let remembered = Remembered {
            until: now.after(MEMORY),
            plan: plan.clone(),
        };
        memory.answers.insert(domain.clone(), remembered);
        plan
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
