//! What becomes of each recipient: tries, what was written down of them, what a restart finds.

use std::collections::BTreeSet;
use std::time::Duration;

use facteur_mail::{
    QueueId, RecipientState, Report, RetryReason, ReversePath, Said, Stage, Timestamp,
};
use facteur_replies::Class;
use facteur_spool::{Change, Settled, Spool};

use super::{Books, Message};
use crate::laws::Law;
use crate::world::World;

/// Recipients that are due this soon may go along with one that is due.
const SOON: Duration = Duration::from_secs(1);

/// The longest between the start of a job and that of its attempt, which asks DNS first.
const LONGEST_PLAN: Duration = Duration::from_secs(45);

/// About the longest that one try takes. A destination that is slow serves one message after the other.
const LONGEST_TRY: Duration = Duration::from_secs(30 * 60);

impl Books {
    /// An attempt for these recipients begins.
    pub(crate) fn attempt_begins(&mut self, world: &World, id: QueueId, places: &[usize]) {
        let now = world.now();
        world.note(format_args!("{id} attempt begins, recipients {places:?}"));
        let Some(message) = self.messages.get(&id) else {
            return self.broken_by(
                world,
                Law::RecordedIsKept,
                id,
                "an attempt of an unknown message",
            );
        };
        let early = places.iter().find_map(|place| {
            let recipient = message.recipients.get(*place)?;
            match &recipient.state {
                RecipientState::Waiting { next_at, .. } if *next_at <= now.after(SOON) => None,
                RecipientState::Waiting { next_at, .. } => {
                    let soon = next_at.since(now).as_secs();
                    Some((
                        Law::WaitsAsConfigured,
                        format!("recipient {place} is tried {soon} s too early"),
                    ))
                }
                RecipientState::Held { .. } => Some((
                    Law::WaitsAsConfigured,
                    format!("recipient {place} is held and tried"),
                )),
                RecipientState::Delivered { .. } | RecipientState::Failed { .. } => Some((
                    Law::RecordedIsKept,
                    format!("recipient {place} is settled and tried again"),
                )),
            }
        });
        let destination = destination(message, places);
        if let Some((law, what)) = early {
            self.broken_by(world, law, id, &what);
        }
        let state = self.destinations.entry(destination.clone()).or_default();
        let planned_before = |since: Timestamp| now <= since.after(LONGEST_PLAN);
        if state.down.is_some_and(|(since, _)| planned_before(since)) {
            state.down = None;
        }
        let paused = state.down.is_some_and(|(_, until)| now < until);
        state.active.insert((id, places.to_vec()));
        if paused {
            let what = format!("{destination} did not answer a moment ago and is tried");
            self.broken_by(world, Law::PauseIsKept, id, &what);
        }
    }

    /// New states are about to be written down; perhaps once more, after a failure.
    pub(crate) fn settles(&mut self, world: &World, id: QueueId, changes: &[Change]) {
        let now = world.now();
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        if message.settling.iter().any(|before| before == changes) {
            return;
        }
        message.settling.push(changes.to_vec());
        for change in changes {
            if let Some((law, what)) = self.judge(id, change, now) {
                let what = format!("recipient {}: {what}", change.recipient);
                self.broken_by(world, law, id, &what);
            }
        }
    }

    fn judge(&self, id: QueueId, change: &Change, now: Timestamp) -> Option<(Law, String)> {
        let message = self.messages.get(&id)?;
        let recipient = message.recipients.get(change.recipient)?;
        let arrived = message.envelope.arrived;
        let expires = arrived.after(self.settings.give_up_after);
        match (&recipient.state, &change.state) {
            (
                RecipientState::Waiting {
                    attempts: before, ..
                },
                RecipientState::Waiting {
                    next_at, attempts, ..
                },
            ) => {
                let wait = self.settings.wait(*attempts);
                let (least, most) = (now.after(wait / 10 * 9), now.after(wait / 10 * 11));
                let right =
                    (least..=most).contains(next_at) || *next_at == expires && expires <= most;
                let wrong = *attempts != before + 1 || !right || *next_at > expires;
                wrong.then(|| {
                    let wait = next_at.since(now).as_secs();
                    (
                        Law::WaitsAsConfigured,
                        format!("try {attempts} after {before}, next in {wait} s"),
                    )
                })
            }
            // An operator's work.
            (RecipientState::Waiting { .. }, RecipientState::Held { .. })
            | (RecipientState::Held { .. }, _) => None,
            (_, RecipientState::Waiting { .. } | RecipientState::Held { .. }) => Some((
                Law::RecordedIsKept,
                "was settled and waits again".to_owned(),
            )),
            (RecipientState::Waiting { .. }, RecipientState::Delivered { .. }) => {
                let taken = recipient.taken.iter().any(super::Copy::is_heard);
                (!taken).then(|| {
                    (
                        Law::DeliveredMeansTaken,
                        "counts as served, and nobody took it".to_owned(),
                    )
                })
            }
            (RecipientState::Waiting { .. }, RecipientState::Failed { report, .. }) => {
                let letters = u32::try_from(self.settings.letters).unwrap_or_default();
                let slack = LONGEST_TRY * letters + self.settings.longest_wait() / 10 * 11;
                let latest = expires.after(slack + self.hindered_in_all(now));
                let wanted = recipient_wants_failure(message, change.recipient);
                if now > latest {
                    let late = now.since(expires).as_secs();
                    Some((Law::EndsInTime, format!("given up {late} s after its time")))
                } else if wanted != (*report == Report::Owed) {
                    Some((
                        Law::ToldAtAll,
                        format!("a report is wanted: {wanted}, and it is {report:?}"),
                    ))
                } else {
                    None
                }
            }
            (
                RecipientState::Delivered { report: before, .. }
                | RecipientState::Failed { report: before, .. },
                RecipientState::Delivered { report, .. } | RecipientState::Failed { report, .. },
            ) => self.judge_report(message, change.recipient, *before, *report, now),
        }
    }

    fn judge_report(
        &self,
        message: &Message,
        place: usize,
        before: Report,
        after: Report,
        now: Timestamp,
    ) -> Option<(Law, String)> {
        let recipient = message.recipients.get(place)?;
        let sender = message.envelope.sender.address()?.to_string();
        let domain = sender.split_once('@').map_or("", |(_, domain)| domain);
        match (before, after) {
            (Report::Owed, Report::Sent) => {
                let told = recipient.told.keys().any(|action| *action != "delayed");
                (!told).then(|| {
                    (
                        Law::ToldAtAll,
                        "counts as reported, and no report is queued".to_owned(),
                    )
                })
            }
            (Report::Owed, Report::NotWanted) => {
                let null =
                    self.is_null_for(domain, Duration::ZERO, now) || self.was_null(domain, now);
                (!null).then(|| {
                    (
                        Law::ToldAtAll,
                        "its report was dropped, and the sender takes mail".to_owned(),
                    )
                })
            }
            (Report::Owed | Report::Sent | Report::NotWanted, _) => Some((
                Law::RecordedIsKept,
                format!("its report was {before:?} and becomes {after:?}"),
            )),
        }
    }

    /// What came of writing them down.
    pub(crate) fn settled(
        &mut self,
        world: &World,
        id: QueueId,
        places: &[usize],
        result: Result<Settled, bool>,
    ) {
        match result {
            Ok(settled) => self.written(world, id, places, settled),
            // It is tried again: the outcome is still known.
            Err(true) => return,
            Err(false) => {
                if let Some(message) = self.messages.get_mut(&id) {
                    message
                        .settling
                        .retain(|changes| !is_about(changes, places));
                }
            }
        }
        if let Some(message) = self.messages.get(&id) {
            let destination = destination(message, places);
            if let Some(state) = self.destinations.get_mut(&destination) {
                state.active.remove(&(id, places.to_vec()));
            }
            if result.is_ok() {
                self.learn(id, &destination, places, world.now());
            }
        }
    }

    fn written(&mut self, world: &World, id: QueueId, places: &[usize], settled: Settled) {
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        let mut settling = message.settling.iter();
        let Some(at) = settling.position(|changes| is_about(changes, places)) else {
            return;
        };
        let changes = message.settling.swap_remove(at);
        for Change { recipient, state } in changes {
            world.note(format_args!(
                "{id} recipient {recipient}: {}",
                shown(&state)
            ));
            if let Some(place) = message.recipients.get_mut(recipient) {
                place.state = state;
            }
        }
        let done = message.recipients.iter().all(|it| it.state.is_settled());
        message.gone = settled == Settled::Gone;
        if done != message.gone {
            self.broken_by(
                world,
                Law::RecordedIsKept,
                id,
                "gone before its time, or kept beyond it",
            );
        }
    }

    /// A destination that gave no answer, while nothing else was tried there, is down. A job that writes reports as well
    /// ends later than its outcome: of those nothing is concluded.
    fn learn(&mut self, id: QueueId, destination: &str, places: &[usize], now: Timestamp) {
        let Some(message) = self.messages.get(&id) else {
            return;
        };
        let states = places
            .iter()
            .filter_map(|place| message.recipients.get(*place));
        let silent = states.clone().count() > 0 && states.clone().all(|it| is_silent(&it.state));
        let told = states.clone().any(|it| {
            matches!(
                it.state,
                RecipientState::Waiting {
                    delay_reported: true,
                    ..
                }
            )
        });
        let waits = states.clone().any(|it| {
            let down = RetryReason::DestinationDown;
            matches!(it.state, RecipientState::Waiting { reason, .. } if reason == down)
        });
        // A report that cannot be written is tried again by a job of its destination, which no record shows.
        let others_owe = self.messages.values().any(|message| {
            message.recipients.iter().any(|it| {
                let owed = Report::Owed;
                matches!(it.state, RecipientState::Delivered { report, .. } | RecipientState::Failed { report, .. } if report == owed)
            })
        });
        let pause = self.settings.destination_pause;
        let Some(state) = self.destinations.get_mut(destination) else {
            return;
        };
        if waits {
            return;
        }
        let alone = state.active.is_empty();
        let down = silent && !told && !others_owe && alone;
        state.down = down.then(|| (now, now.after(pause)));
    }

    /// The server has crashed or stopped.
    pub(crate) fn life_ends(&mut self) {
        self.destinations.clear();
        for message in self.messages.values_mut() {
            message
                .doubtful
                .extend(message.settling.drain(..).flatten());
        }
    }

    /// The spool was opened again: what it knows must be what was written down.
    pub(crate) fn opened(&mut self, world: &World, spool: &dyn Spool) {
        let mut found = BTreeSet::new();
        spool.waiting(&mut |waiting| {
            found.insert(waiting.id);
        });
        let ids: Vec<QueueId> = self.messages.keys().copied().collect();
        if let Some(id) = found.iter().find(|id| !self.messages.contains_key(id)) {
            self.broken_by(
                world,
                Law::RecordedIsKept,
                *id,
                "is in the spool, and nobody put it there",
            );
        }
        for id in ids {
            if let Some((law, what)) = self.compare(id, found.contains(&id), spool) {
                self.broken_by(world, law, id, &what);
            }
        }
    }

    fn compare(&mut self, id: QueueId, is_there: bool, spool: &dyn Spool) -> Option<(Law, String)> {
        let message = self.messages.get_mut(&id)?;
        let doubtful = std::mem::take(&mut message.doubtful);
        if !is_there {
            let was_there = message.durable && !message.gone;
            message.gone = true;
            for Change { recipient, state } in doubtful {
                if let Some(place) = message.recipients.get_mut(recipient) {
                    place.state = state;
                }
            }
            let may_be_gone = message.recipients.iter().all(|it| it.state.is_settled());
            return (was_there && !may_be_gone).then(|| {
                let law = Law::AcknowledgedIsKept;
                (
                    law,
                    "was durable and is not in the spool any more".to_owned(),
                )
            });
        }
        if message.gone {
            return Some((Law::RecordedIsKept, "had gone and is back".to_owned()));
        }
        message.durable = true;
        // A disk that cannot be read now is asked at the next start.
        let queued = spool.show(id).ok()?;
        if queued.envelope != message.envelope {
            return Some((Law::ContentIsIntact, "has another envelope".to_owned()));
        }
        for (place, (recipient, state)) in message
            .recipients
            .iter_mut()
            .zip(queued.progress)
            .enumerate()
        {
            let change = doubtful.iter().find(|change| change.recipient == place);
            let known = is_same(&recipient.state, &state)
                || change.is_some_and(|it| is_same(&it.state, &state));
            if !known {
                let what = format!(
                    "recipient {place} was {} and is {}",
                    shown(&recipient.state),
                    shown(&state)
                );
                return Some((Law::RecordedIsKept, what));
            }
            recipient.state = state;
        }
        None
    }
}

fn is_about(changes: &[Change], places: &[usize]) -> bool {
    let about = changes.iter().map(|change| change.recipient);
    about.eq(places.iter().copied())
}

/// Where these recipients are tried: the domain of the first one.
fn destination(message: &Message, places: &[usize]) -> String {
    let first = places
        .first()
        .and_then(|place| message.recipients.get(*place));
    let domain = first.and_then(|it| it.address.split_once('@'));
    domain
        .map(|(_, domain)| domain.to_owned())
        .unwrap_or_default()
}

fn recipient_wants_failure(message: &Message, place: usize) -> bool {
    let recipient = message.envelope.recipients.get(place);
    let wants = recipient.is_some_and(|it| it.notify.wants_failure());
    wants && message.envelope.sender != ReversePath::Null
}

/// Whether nobody answered: what the scheduler takes for silence.
fn is_silent(state: &RecipientState) -> bool {
    let RecipientState::Waiting {
        last: Some(last),
        reason: RetryReason::Backoff,
        ..
    } = state
    else {
        return false;
    };
    let early = matches!(
        last.stage,
        Stage::Route | Stage::Connect | Stage::Greeting | Stage::Hello | Stage::StartTls
    );
    let asks_for_less = match &last.said {
        Said::ByPeer(reply) => reply.asks_to_slow_down(),
        Said::ByUs(_) => false,
    };
    early && last.said.class() != Class::Permanent && !asks_for_less
}

/// The same state, but for what a restart adds: that the outcome is uncertain.
fn is_same(known: &RecipientState, found: &RecipientState) -> bool {
    match (known, found) {
        (
            RecipientState::Waiting {
                next_at: a,
                attempts: b,
                ..
            },
            RecipientState::Waiting {
                next_at: c,
                attempts: d,
                ..
            },
        ) => (a, b) == (c, d),
        (
            RecipientState::Delivered { report: a, .. },
            RecipientState::Delivered { report: b, .. },
        )
        | (RecipientState::Failed { report: a, .. }, RecipientState::Failed { report: b, .. }) => {
            a == b
        }
        (RecipientState::Held { hold: a, .. }, RecipientState::Held { hold: b, .. }) => a == b,
        (
            RecipientState::Waiting { .. }
            | RecipientState::Held { .. }
            | RecipientState::Delivered { .. }
            | RecipientState::Failed { .. },
            _,
        ) => false,
    }
}

pub(super) fn shown(state: &RecipientState) -> String {
    match state {
        RecipientState::Waiting {
            next_at,
            attempts,
            reason,
            ..
        } => {
            format!(
                "waits after {attempts} tries until {} ({reason:?})",
                facteur_mail::IsoDate(*next_at)
            )
        }
        RecipientState::Held { attempts, .. } => format!("held after {attempts} tries"),
        RecipientState::Delivered { report, .. } => format!("delivered, report {report:?}"),
        RecipientState::Failed { attempt, report } => {
            format!("failed at {}, report {report:?}", attempt.stage.name())
        }
    }
}
