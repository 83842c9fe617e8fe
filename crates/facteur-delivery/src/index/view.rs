//! What can be seen of destinations: for operators, who ask seldom. It goes through all of them.

use std::num::NonZeroU32;
use std::sync::Arc;

use facteur_mail::{Attempt, Timestamp};
use facteur_replies::Wording;
use facteur_route::Destination;

use super::state::{Site, State};
use super::throttle::{Slowed, Throttle, Why};
use super::{Index, Key};
use crate::limits::{Limits, OnRateLimit, Order, Target};

/// What was asked for, and how many there are besides.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The destinations, those with the most to do first.
    pub destinations: Vec<DestinationView>,
    /// How many fit in all.
    pub total: usize,
}

/// How one destination is.
#[derive(Debug, Clone)]
pub struct DestinationView {
    /// Which.
    pub destination: Destination,
    /// Jobs that are not due yet.
    pub waiting: usize,
    /// Jobs that are due and have not started.
    pub due: usize,
    /// Jobs under way.
    pub running: u32,
    /// How many may be under way at once: what it has earned.
    pub window: u32,
    /// How many that may become.
    pub most: u32,
    /// Until when it is left alone because it does not answer, and the try that showed it.
    pub down: Option<(Timestamp, Arc<Attempt>)>,
    /// The order that pauses it.
    pub paused: Option<Arc<Order>>,
    /// The limit that keeps it back now.
    pub held: Option<HeldView>,
    /// Its own limits.
    pub own: LimitsView,
    /// The limits that it shares with others that have the same mail servers, and the rule that says so.
    pub shared: Option<(Target, LimitsView)>,
    /// Its mail servers, where rules ask for them.
    pub hosts: Vec<String>,
    /// The last try that failed.
    pub failed: Option<Arc<Attempt>>,
    /// When a message was taken.
    pub taken: Option<Timestamp>,
}

/// A limit that keeps something back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldView {
    /// Which limit.
    pub why: Why,
    /// When it lets something through; `None`: when something that runs ends.
    pub until: Option<Timestamp>,
    /// The rule whose limit it is, if it is shared.
    pub shared: Option<Target>,
}

/// Limits and their use.
#[derive(Debug, Clone, Default)]
pub struct LimitsView {
    /// The limits.
    pub limits: Limits,
    /// Messages in the last minute.
    pub messages: u32,
    /// New connections in the last minute.
    pub connections: u32,
    /// Recipients in the last minute.
    pub recipients: u32,
    /// What a remote that asked for less has made of them.
    pub slowed: Option<SlowedView>,
}

/// What a remote that asked for less has come to.
#[derive(Debug, Clone)]
pub struct SlowedView {
    /// How often what is sent was halved.
    pub level: u32,
    /// Messages a minute from now on.
    pub messages: NonZeroU32,
    /// Connections at a time from now on.
    pub connections: NonZeroU32,
    /// Nothing is sent before.
    pub until: Timestamp,
    /// When twice as much is sent again.
    pub eases_at: Timestamp,
    /// The try that got the reply.
    pub attempt: Arc<Attempt>,
    /// The words by which it was recognised, where the codes did not say it.
    pub wording: Option<Wording>,
}

impl SlowedView {
    /// The policy that acts.
    #[must_use]
    pub const fn policy(&self) -> OnRateLimit {
        match self.wording {
            None => OnRateLimit::SlowDown,
            Some(_) => OnRateLimit::SlowDownByWords,
        }
    }
}

impl Index {
    /// How those destinations are that fit, `most` of them at most.
    pub(crate) fn survey(
        &mut self,
        fits: impl Fn(&Destination, &[facteur_mail::Domain]) -> bool,
        most: usize,
        now: Timestamp,
    ) -> Survey {
        let mut found: Vec<(Busy, Key)> = self
            .keys
            .values()
            .filter_map(|key| {
                let at = usize::try_from(key.0).ok()?;
                let state = self.states.get(at)?.as_ref()?;
                fits(&state.destination, state.hosts()).then(|| (Busy::of(state), *key))
            })
            .collect();
        let total = found.len();
        found.sort_by(|(a, _), (b, _)| b.cmp(a));
        found.truncate(most);
        let destinations = found.into_iter().filter_map(|(_, key)| self.view(key, now));
        Survey {
            destinations: destinations.collect(),
            total,
        }
    }

    fn view(&mut self, key: Key, now: Timestamp) -> Option<DestinationView> {
        let most = self.bounds(key).most;
        let state = self.state(key)?;
        let throttles: Vec<_> = state.throttles().collect();
        let hosts: Vec<String> = state.hosts().iter().map(ToString::to_string).collect();
        let shared = match &state.site {
            Site::Known(_, shared) => *shared,
            Site::Unknown => None,
        };
        let memory = state.memory.as_deref();
        let mut view = DestinationView {
            destination: Destination::clone(&state.destination),
            waiting: usize::try_from(state.waiting).unwrap_or(usize::MAX),
            due: state.due.len(),
            running: state.active,
            window: state.window,
            most,
            down: state
                .down
                .as_ref()
                .filter(|down| down.until > now)
                .map(|down| (down.until, Arc::clone(&down.attempt))),
            paused: None,
            held: None,
            own: LimitsView {
                messages: memory.map_or(0, |memory| memory.messages.in_last_minute(now)),
                ..LimitsView::default()
            },
            shared: None,
            hosts,
            failed: memory.and_then(|memory| memory.failed.clone()),
            taken: memory.and_then(|memory| memory.taken),
        };
        let hosts = state.hosts().to_vec();
        view.paused = self.rules.pause_of(&view.destination, &hosts).cloned();
        for throttle in throttles {
            let target = self.throttles.target(throttle).cloned();
            let Some(it) = self.throttles.get(throttle) else {
                continue;
            };
            if let (None, Err(held)) = (&view.held, it.check(now)) {
                view.held = Some(HeldView {
                    why: held.why,
                    until: held.until,
                    shared: target.clone(),
                });
            }
            match target {
                Some(target) if shared == Some(throttle) => {
                    view.shared = Some((target, limits(it, now)));
                }
                Some(_) | None => view.own = limits(it, now),
            }
        }
        Some(view)
    }
}

/// By which destinations are put in order: what is under way, then what waits, then the name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Busy {
    jobs: usize,
    name: std::cmp::Reverse<String>,
}

impl Busy {
    fn of(state: &State) -> Self {
        let jobs = [state.waiting, state.active].into_iter().sum::<u32>();
        Self {
            jobs: state.due.len() + usize::try_from(jobs).unwrap_or(usize::MAX),
            name: std::cmp::Reverse(state.destination.to_string()),
        }
    }
}

fn limits(throttle: &Throttle, now: Timestamp) -> LimitsView {
    LimitsView {
        limits: throttle.limits.clone(),
        messages: throttle.used.messages.in_last_minute(now),
        connections: throttle.used.connections.in_last_minute(now),
        recipients: throttle.used.recipients.in_last_minute(now),
        slowed: throttle.slowed.as_deref().map(slowed),
    }
}

pub(super) fn slowed(slowed: &Slowed) -> SlowedView {
    SlowedView {
        level: slowed.level,
        messages: slowed.most_messages(),
        connections: slowed.most_connections(),
        until: slowed.until,
        eases_at: slowed.eases_at,
        attempt: Arc::clone(&slowed.said.attempt),
        wording: slowed.said.wording,
    }
}
