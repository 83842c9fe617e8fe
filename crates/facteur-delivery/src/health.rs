//! What the outcomes of a job say about its destination: whether it answers, and whether it asks for less mail.

use std::sync::Arc;

use facteur_mail::{Attempt, Said, Stage};
use facteur_replies::{Class, Reply, rate_limit_in_words};

use crate::index::{Health, RateLimited, Seen, Traffic};
use crate::limits::OnRateLimit;
use crate::remote::Carried;
use crate::verdict::Outcome;
use crate::work::Done;

impl Done {
    /// Learns of the destination what the outcomes show.
    pub(crate) fn learn(&mut self, carried: &Carried, sent: bool, policy: OnRateLimit) {
        self.traffic = sent.then_some(Traffic {
            connections: carried.opened,
            kept: carried.kept,
        });
        self.rate_limited = rate_limit(&carried.outcomes, policy);
        self.health = match &self.rate_limited {
            Some(_) => Some(Health::AsksForLess),
            None => health(&carried.outcomes),
        };
        self.seen = seen(&carried.outcomes);
    }
}

/// The first failure, or that all were taken.
fn seen(outcomes: &[Outcome]) -> Option<Seen> {
    let failure = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::NotTaken { attempt } => Some(Seen::Failed(Arc::new(attempt.clone()))),
        Outcome::Taken { .. } | Outcome::Waits { .. } => None,
    });
    let taken = || {
        let taken = matches!(outcomes, [Outcome::Taken { .. }, ..]);
        taken.then_some(Seen::Taken)
    };
    failure.or_else(taken)
}

/// The reply that asks for less mail, if there is one and the policy heeds it.
fn rate_limit(outcomes: &[Outcome], policy: OnRateLimit) -> Option<RateLimited> {
    let by_words = match policy {
        OnRateLimit::Ignore => return None,
        OnRateLimit::SlowDown => false,
        OnRateLimit::SlowDownByWords => true,
    };
    outcomes.iter().find_map(|outcome| {
        let Outcome::NotTaken { attempt } = outcome else {
            return None;
        };
        let Said::ByPeer(reply) = &attempt.said else {
            return None;
        };
        let host = attempt.host.as_ref().map_or("", |host| &host.name);
        let asks = reply.asks_to_slow_down();
        let wording = (by_words && !asks)
            .then(|| rate_limit_in_words(reply, host))
            .flatten();
        (asks || wording.is_some()).then(|| RateLimited {
            attempt: Arc::new(attempt.clone()),
            wording,
        })
    })
}

/// Whether the destination answers.
fn health(outcomes: &[Outcome]) -> Option<Health> {
    let silent = |outcome: &Outcome| match outcome {
        Outcome::Taken { .. } | Outcome::Waits { .. } => false,
        Outcome::NotTaken { attempt } => {
            let early = matches!(
                attempt.stage,
                Stage::Route | Stage::Connect | Stage::Greeting | Stage::Hello | Stage::StartTls
            );
            early && attempt.said.class() != Class::Permanent
        }
    };
    match outcomes {
        [] | [Outcome::Waits { .. }, ..] => None,
        [first, ..] if outcomes.iter().all(silent) => {
            Some(Health::Silent(Arc::new(for_others(first.attempt()))))
        }
        [..] => Some(Health::Answers),
    }
}

/// A try as it concerns other messages: what a remote said to one message, it did not say to them.
fn for_others(attempt: &Attempt) -> Attempt {
    let mut attempt = attempt.clone();
    if matches!(attempt.said, Said::ByPeer(_)) {
        let host = attempt.host.as_ref().map_or("", |host| &host.name);
        attempt.said = Said::ByUs(Reply::destination_busy(host));
    }
    attempt
}
