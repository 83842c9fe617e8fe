//! A job: what it is given, and what it gives back.

use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Attempt, Domain, QueueId};
use facteur_route::{Destination, Pattern};

use super::state::Seen;
use super::throttle::{Charge, RateLimited, Traffic};
use super::{Key, ThrottleKey};
use crate::limits::{Limits, OnRateLimit};

/// A job to start.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) message: QueueId,
    pub(crate) destination: Arc<Destination>,
    pub(crate) kind: Kind,
}

/// What to do with a job.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Deliver.
    Try(Allowance),
    /// Let it wait: this try, of another message, found the destination not answering.
    Wait(Arc<Attempt>),
}

/// Under which limits a job delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// The most recipients that it may take.
    pub(crate) recipients: usize,
    /// Whether it may open a connection; else it needs one that is idle.
    pub(crate) may_connect: bool,
    /// The most messages that one connection carries.
    pub(crate) messages_per_connection: Option<usize>,
    /// What follows from a reply that asks for less mail.
    pub(crate) on_rate_limit: OnRateLimit,
    /// The names of mail servers that have limits, as long as it is not known whether the destination has one of them. If
    /// it has, the job ends before anything is sent, and starts again under their limits.
    pub(crate) unsited: Option<Arc<[Pattern]>>,
}

/// What a job found out about its destination.
#[derive(Debug)]
pub(crate) enum Health {
    /// It answers.
    Answers,
    /// It answers, and asks for less mail.
    AsksForLess,
    /// It does not answer.
    Silent(Arc<Attempt>),
    /// The job did not ask.
    Unknown,
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) health: Health,
    pub(crate) took: Duration,
    /// What it sent; `None` if it did not come to that.
    pub(crate) traffic: Option<Traffic>,
    /// What it saw.
    pub(crate) seen: Option<Seen>,
    /// The reply that asked for less mail.
    pub(crate) rate_limited: Option<RateLimited>,
    /// The destination's mail servers, where they were not known and matter.
    pub(crate) hosts: Option<Arc<[Domain]>>,
    /// How many recipients it left behind that are due now.
    pub(crate) left: u32,
}

/// How much runs at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    pub(crate) running: usize,
    pub(crate) per_destination: usize,
    /// How long a destination that does not answer is left alone.
    pub(crate) pause: Duration,
}

/// What a started job must give back at its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receipt {
    pub(super) key: Key,
    pub(super) charge: Charge,
    pub(super) throttles: [Option<ThrottleKey>; 2],
}

impl Allowance {
    /// What a rule says; the rule of a shared mail server comes last and goes before the destination's own.
    pub(super) fn narrow(&mut self, limits: &Limits) {
        let most = limits.messages_per_connection;
        let most = most.map(|most| usize::try_from(most.get()).unwrap_or(usize::MAX));
        self.messages_per_connection = most.or(self.messages_per_connection);
        self.on_rate_limit = limits.on_rate_limit.unwrap_or(self.on_rate_limit);
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            recipients: usize::MAX,
            may_connect: true,
            messages_per_connection: None,
            on_rate_limit: OnRateLimit::default(),
            unsited: None,
        }
    }
}
