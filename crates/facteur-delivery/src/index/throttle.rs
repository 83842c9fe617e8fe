//! What one destination, or all that share a mail server, may be sent now: limits, their use, and what a remote that
//! asked for less has made of them. Without clock: time is a parameter.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Attempt, Pace, Tally, Timestamp};
use facteur_replies::Wording;

use super::Key;
use crate::limits::{Limits, RATE_LIMIT_PAUSE};

/// Each reply that asks for less halves what is sent, so many times at most.
const MAX_LEVEL: u32 = 10;

/// The longest pause after such a reply.
const MAX_PAUSE: Duration = Duration::from_secs(30 * 60);

/// After so many pauses' lengths without such a reply, twice as much is sent.
const RECOVERY: u32 = 5;

/// A reply that asks for less mail.
#[derive(Debug, Clone)]
pub(crate) struct RateLimited {
    /// The try that got it.
    pub(crate) attempt: Arc<Attempt>,
    /// The words by which it was recognised, where the codes did not say it.
    pub(crate) wording: Option<Wording>,
}

/// Limits in use.
#[derive(Debug)]
pub(crate) struct Throttle {
    pub(super) limits: Limits,
    messages: Option<Pace>,
    connections: Option<Pace>,
    recipients: Option<Pace>,
    pub(super) slowed: Option<Box<Slowed>>,
    pub(super) used: Used,
    /// Jobs under way.
    pub(super) active: u32,
    /// Connections that wait for their next message, as far as is known.
    idle: u32,
    /// Destinations that have something to start and wait for this.
    pub(super) held: VecDeque<Key>,
    /// The next moment at which somebody looks again.
    pub(super) wakes_at: Option<Timestamp>,
}

/// What was sent lately.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub(super) messages: Tally,
    pub(super) connections: Tally,
    pub(super) recipients: Tally,
}

/// What a remote that asked for less has come to.
#[derive(Debug)]
pub(super) struct Slowed {
    /// How often what is sent was halved.
    pub(super) level: u32,
    /// Messages a minute before the first time.
    messages: NonZeroU32,
    /// Connections at a time before the first time.
    connections: NonZeroU32,
    pace: Pace,
    /// Nothing starts before.
    pub(super) until: Timestamp,
    /// When twice as much is sent again.
    pub(super) eases_at: Timestamp,
    pub(super) said: RateLimited,
}

/// Why nothing may start now, and when it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) why: Why,
    /// `None`: when something that runs ends.
    pub(crate) until: Option<Timestamp>,
}

/// The limit that holds something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// So many connections at a time.
    Connections(NonZeroU32),
    /// So many messages a minute.
    MessagesPerMinute(NonZeroU32),
    /// So many new connections a minute.
    ConnectionsPerMinute(NonZeroU32),
    /// So many recipients a minute.
    RecipientsPerMinute(NonZeroU32),
    /// The remote asked for less: nothing is sent for a while.
    RateLimitPause,
    /// The remote asked for less: so many messages a minute.
    SlowedMessages(NonZeroU32),
    /// The remote asked for less: so many connections at a time.
    SlowedConnections(NonZeroU32),
}

/// What a job did that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    /// New connections.
    pub(crate) connections: u32,
    /// Whether a connection waits for the next message now.
    pub(crate) kept: bool,
}

/// What a started job was charged, so that it can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Charge {
    pub(crate) recipients: u32,
    /// Whether a new connection is paid for.
    pub(crate) connection: bool,
}

impl Throttle {
    pub(super) fn new(limits: Limits) -> Self {
        let pace = |limit: Option<NonZeroU32>| limit.map(Pace::even);
        Self {
            messages: pace(limits.messages_per_minute),
            connections: pace(limits.connections_per_minute),
            recipients: pace(limits.recipients_per_minute),
            limits,
            slowed: None,
            used: Used::default(),
            active: 0,
            idle: 0,
            held: VecDeque::new(),
            wakes_at: None,
        }
    }

    /// Other limits; what was used under the old ones counts.
    pub(super) fn set_limits(&mut self, limits: Limits, now: Timestamp) {
        let change = |pace: &mut Option<Pace>, limit: Option<NonZeroU32>| match (&mut *pace, limit)
        {
            (Some(pace), Some(limit)) => pace.change(limit, now),
            (_, limit) => *pace = limit.map(Pace::even),
        };
        change(&mut self.messages, limits.messages_per_minute);
        change(&mut self.connections, limits.connections_per_minute);
        change(&mut self.recipients, limits.recipients_per_minute);
        self.limits = limits;
    }

    /// Whether a job may start now.
    pub(super) fn check(&mut self, now: Timestamp) -> Result<(), Held> {
        self.ease(now);
        let held = |why, until| Err(Held { why, until });
        if let Some(slowed) = &self.slowed {
            if now < slowed.until {
                return held(Why::RateLimitPause, Some(slowed.until));
            }
            if self.active >= slowed.most_connections().get() {
                return held(Why::SlowedConnections(slowed.most_connections()), None);
            }
            let free = slowed.pace.free_at(now);
            if free > now {
                let why = Why::SlowedMessages(slowed.pace.per_minute());
                return held(why, Some(free.min(slowed.eases_at)));
            }
        }
        if let Some(most) = self.limits.connections
            && self.active >= most.get()
        {
            return held(Why::Connections(most), None);
        }
        let pace = |pace: &'_ Option<Pace>, why: fn(NonZeroU32) -> Why| {
            let pace = pace.as_ref()?;
            Some((pace.free_at(now), why(pace.per_minute())))
        };
        // Whatever is idle needs no new connection.
        let connections = Some(&self.connections).filter(|_| self.idle == 0);
        let paces = [
            pace(&self.messages, Why::MessagesPerMinute),
            pace(&self.recipients, Why::RecipientsPerMinute),
            connections.and_then(|it| pace(it, Why::ConnectionsPerMinute)),
        ];
        let late = paces.into_iter().flatten().find(|(free, _)| *free > now);
        if let Some((free, why)) = late {
            return held(why, Some(free));
        }
        Ok(())
    }

    /// The most recipients that one job may take: what a minute holds, so that a large message goes in parts.
    pub(super) fn most_recipients(&self) -> u32 {
        let limit = self.limits.recipients_per_minute;
        limit.map_or(u32::MAX, NonZeroU32::get)
    }

    /// Whether a job that starts now may open a connection.
    pub(super) fn may_connect(&self, now: Timestamp) -> bool {
        self.connections
            .as_ref()
            .is_none_or(|pace| pace.is_free(now))
    }

    /// Counts a job that starts.
    pub(super) fn start(&mut self, charge: Charge, now: Timestamp) {
        self.active += 1;
        self.idle = self.idle.saturating_sub(1);
        let spend = |pace: &mut Option<Pace>, events| {
            if let Some(pace) = pace {
                pace.spend(events, now);
            }
        };
        spend(&mut self.messages, 1);
        spend(&mut self.recipients, charge.recipients);
        spend(&mut self.connections, u32::from(charge.connection));
        if let Some(slowed) = &mut self.slowed {
            slowed.pace.spend(1, now);
        }
        self.used.messages.count(1, now);
        self.used.recipients.count(charge.recipients, now);
    }

    /// Counts the end of a job. `traffic` is `None` if nothing was sent: then it costs nothing.
    pub(super) fn end(&mut self, charge: Charge, traffic: Option<Traffic>, now: Timestamp) {
        self.active = self.active.saturating_sub(1);
        let opened = traffic.map_or(0, |traffic| traffic.connections);
        if let Some(pace) = &mut self.connections {
            let paid = u32::from(charge.connection);
            pace.spend(opened.saturating_sub(paid), now);
            pace.give_back(paid.saturating_sub(opened));
        }
        self.used.connections.count(opened, now);
        match traffic {
            Some(traffic) => self.idle = self.idle.saturating_add(u32::from(traffic.kept)),
            None => {
                if !charge.connection {
                    // It would have taken an idle connection, had there been one.
                    self.idle = 0;
                }
                self.give_back(charge);
            }
        }
    }

    fn give_back(&mut self, charge: Charge) {
        let give_back = |pace: &mut Option<Pace>, events| {
            if let Some(pace) = pace {
                pace.give_back(events);
            }
        };
        give_back(&mut self.messages, 1);
        give_back(&mut self.recipients, charge.recipients);
        if let Some(slowed) = &mut self.slowed {
            slowed.pace.give_back(1);
        }
        self.used.messages.take_back(1);
        self.used.recipients.take_back(charge.recipients);
    }

    /// The remote asks for less. Several jobs hear it at once: it counts once for each pause. Says whether it counted.
    pub(super) fn slow_down(&mut self, said: RateLimited, running: u32, now: Timestamp) -> bool {
        self.ease(now);
        if self
            .slowed
            .as_ref()
            .is_some_and(|slowed| now < slowed.until)
        {
            return false;
        }
        let level = self
            .slowed
            .as_ref()
            .map_or(1, |slowed| (slowed.level + 1).min(MAX_LEVEL));
        let (messages, connections) = match &self.slowed {
            Some(slowed) => (slowed.messages, slowed.connections),
            None => {
                let sent = self.used.messages.in_last_minute(now);
                let messages = self
                    .limits
                    .messages_per_minute
                    .map_or(sent, |limit| sent.min(limit.get()));
                (at_least_one(messages), at_least_one(running))
            }
        };
        let first = self.limits.rate_limit_pause.unwrap_or(RATE_LIMIT_PAUSE);
        let pause = first
            .saturating_mul(1 << (level - 1))
            .min(MAX_PAUSE.max(first));
        let until = now.after(pause);
        self.slowed = Some(Box::new(Slowed {
            level,
            messages,
            connections,
            pace: Pace::even(share(messages, level)),
            until,
            eases_at: until.after(first * RECOVERY),
            said,
        }));
        true
    }

    /// Undoes one halving for each time that has passed without another reply of that kind.
    fn ease(&mut self, now: Timestamp) {
        let step = self.limits.rate_limit_pause.unwrap_or(RATE_LIMIT_PAUSE) * RECOVERY;
        while let Some(slowed) = &mut self.slowed
            && now >= slowed.eases_at
        {
            slowed.level -= 1;
            if slowed.level == 0 {
                self.slowed = None;
                return;
            }
            slowed.eases_at = slowed.eases_at.after(step.max(Duration::from_secs(1)));
            slowed
                .pace
                .change(share(slowed.messages, slowed.level), now);
        }
    }

    /// Until when something is to be remembered of what was sent and heard; `None` for nothing.
    pub(super) fn remembered_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.ease(now);
        let owed = [&self.messages, &self.connections, &self.recipients];
        let owed = owed.into_iter().flatten().map(|pace| pace.free_at(now));
        let slowed = self.slowed.as_ref().map(|slowed| slowed.eases_at);
        owed.chain(slowed).filter(|moment| *moment > now).max()
    }
}

impl Slowed {
    /// Connections at a time.
    pub(super) fn most_connections(&self) -> NonZeroU32 {
        share(self.connections, self.level)
    }

    /// Messages a minute.
    pub(super) const fn most_messages(&self) -> NonZeroU32 {
        self.pace.per_minute()
    }
}

/// What is left of a number that was halved so often: one at least.
fn share(number: NonZeroU32, level: u32) -> NonZeroU32 {
    at_least_one(number.get().checked_shr(level).unwrap_or_default())
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests;
