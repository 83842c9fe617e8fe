//! One job: lease, deliver, judge, write down. Each recipient's outcome is on disk before anything follows
//! from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use facteur_mail::event::{Decision, RouteTaken, Tried, TriedRecipient};
use facteur_mail::text::escaped;
use facteur_mail::{
    Attempt, Clock, Delivery, Domain, Event, IsoDate, Observer, QueueId, Random, Recipient,
    RecipientState, Report, RetryReason, ReversePath, Timestamp, Transcript,
};
use facteur_replies::{Language, explain};
use facteur_route::{Planner, Router};
use facteur_spool::{Change, Leased, Settled, Spool, SpoolError};
use tokio::sync::Notify;

use crate::carry::{Errand, Trip, carry};
use crate::config::Config;
use crate::index::{Health, Job, Kind, RateLimited, Seen, Traffic};
use crate::limits::OnRateLimit;
use crate::mailbox::Mailboxes;
use crate::message::Message;
use crate::remote::Remote;
use crate::verdict::{Grounds, Outcome, Past, Policy, Verdict, judge};
use crate::{Delivery as Parts, Terms, bounce};

/// A message that somebody else holds is asked for again this much later.
const LEASED_ELSEWHERE: Duration = Duration::from_secs(5);

/// A message that cannot be read, and a report that cannot be written, are tried again this much later.
const AFTER_TROUBLE: Duration = Duration::from_secs(60);

/// How often an outcome that could not be written down is written again.
const SETTLE_AGAIN: Duration = Duration::from_secs(1);

/// Recipients due this soon go along with one that is due now.
const DUE_SOON: Duration = Duration::from_secs(1);

/// What every job needs.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) policy: Policy,
    pub(crate) spool: Arc<dyn Spool>,
    pub(crate) router: Arc<Router>,
    pub(crate) planner: Planner,
    pub(crate) remote: Arc<dyn Remote>,
    pub(crate) mailboxes: Arc<dyn Mailboxes>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    random: Arc<dyn Random>,
    stopping: Arc<Stopping>,
}

/// Whether the server stops; the same under all terms.
#[derive(Default)]
struct Stopping {
    now: AtomicBool,
    told: Notify,
}

/// What a job came to, for the scheduler.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// When the message has something due at this destination again, and for how many recipients.
    pub(crate) again: BTreeMap<Timestamp, u32>,
    /// How many recipients it leaves that are due now, because a limit keeps them back.
    pub(crate) left: u32,
    /// What was learnt of the destination.
    pub(crate) health: Option<Health>,
    /// What was sent; `None` if it did not come to that.
    pub(crate) traffic: Option<Traffic>,
    /// What was seen of the destination.
    pub(crate) seen: Option<Seen>,
    /// The reply that asked for less mail.
    pub(crate) rate_limited: Option<RateLimited>,
    /// The destination's mail servers, where they matter and were not known.
    pub(crate) hosts: Option<Arc<[Domain]>>,
    /// The spool could not write.
    pub(crate) spool_fails: bool,
}

impl Done {
    /// One more recipient is due at `moment`.
    pub(crate) fn again_at(&mut self, moment: Timestamp) {
        *self.again.entry(moment).or_default() += 1;
    }
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            policy: parts.config.policy(),
            config: parts.config,
            spool: parts.spool,
            router: parts.router,
            planner: parts.planner,
            remote: parts.remote,
            mailboxes: parts.mailboxes,
            clock: parts.clock,
            observer: parts.observer,
            random: parts.random,
            stopping: Arc::default(),
        }
    }

    /// The same under other terms.
    pub(crate) fn under(&self, terms: Terms) -> Self {
        Self {
            policy: terms.config.policy(),
            config: terms.config,
            spool: Arc::clone(&self.spool),
            router: terms.router,
            planner: terms.planner,
            remote: terms.remote,
            mailboxes: terms.mailboxes,
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&self.observer),
            random: Arc::clone(&self.random),
            stopping: Arc::clone(&self.stopping),
        }
    }

    /// Tells the jobs that the server stops: none waits for the spool any more.
    pub(crate) fn stop(&self) {
        self.stopping.now.store(true, Ordering::SeqCst);
        self.stopping.told.notify_waiters();
    }

    /// Makes changes durable. While the spool cannot write, it is tried again: what is known here is known nowhere else.
    pub(crate) async fn settle(
        &self,
        message: &Message,
        changes: &[Change],
        done: &mut Done,
    ) -> Result<Settled, SpoolError> {
        loop {
            // Made before the question, so that it hears whatever is said after it.
            let told = self.stopping.told.notified();
            let stopping = self.stopping.now.load(Ordering::SeqCst);
            let settled = self.spool.settle(message.id, changes.to_vec()).await;
            match settled {
                Err(SpoolError::Write { .. } | SpoolError::Read { .. }) if !stopping => {
                    done.spool_fails = true;
                    tokio::select! {
                        biased;
                        () = self.clock.sleep_until(self.clock.now().after(SETTLE_AGAIN)) => {}
                        () = told => {}
                    }
                }
                Ok(settled) => {
                    message.apply(changes);
                    return Ok(settled);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells that a message has left the queue.
    pub(crate) fn ended(&self, id: QueueId) {
        let at = self.clock.now();
        self.observer.observe(&Event::Ended { id, at });
    }
}

/// Runs one job to its end.
pub(crate) async fn run(shared: Arc<Shared>, message: Arc<Message>, job: Job) -> Done {
    let mut done = Done::default();
    let worked = work(&shared, &message, &job, &mut done).await;
    if let Err(error) = worked {
        note_trouble(&shared, message.id, &error, &mut done);
    }
    if let Some(news) = message.job_ends()
        && let Ok(leased) = message.lease(&*shared.spool, &shared.router).await
        && let Err(error) = bounce::tell(&shared, &message, leased, &news, &mut done).await
    {
        message.not_told(&news);
        note_trouble(&shared, message.id, &error, &mut done);
    }
    done
}

/// What a failure of the spool means for a message.
fn note_trouble(shared: &Shared, id: QueueId, error: &SpoolError, done: &mut Done) {
    let now = shared.clock.now();
    match error {
        SpoolError::Gone { .. } | SpoolError::Closed => {}
        SpoolError::Leased { .. } => done.again_at(now.after(LEASED_ELSEWHERE)),
        SpoolError::Damaged { .. } => {
            tracing::error!(%id, %error, "message is damaged and was set aside");
        }
        SpoolError::Write { .. } => {
            done.spool_fails = true;
            done.again_at(now);
        }
        // The last room is for outcomes: until there is more, only memory knows when a recipient is due again.
        SpoolError::Full { .. } if !done.again.is_empty() => {
            tracing::warn!(%id, "no room to write down when the message is tried again");
        }
        SpoolError::Full { .. }
        | SpoolError::Read { .. }
        | SpoolError::Owned { .. }
        | SpoolError::Unsafe { .. }
        | SpoolError::Version { .. }
        | SpoolError::TooLarge { .. }
        | _ => {
            tracing::error!(%id, %error, "message waits for the spool");
            done.again_at(now.after(AFTER_TROUBLE));
        }
    }
}

async fn work(
    shared: &Shared,
    message: &Message,
    job: &Job,
    done: &mut Done,
) -> Result<(), SpoolError> {
    let leased = message.lease(&*shared.spool, &shared.router).await?;
    let soon = shared.clock.now().after(DUE_SOON);
    let (most, policy) = match &job.kind {
        Kind::Try(allowed) => (allowed.recipients, allowed.on_rate_limit),
        Kind::Wait(_) => (usize::MAX, OnRateLimit::Ignore),
    };
    let claimed = message.claim(&job.destination, soon, most);
    if claimed.is_empty() {
        return Ok(());
    }
    let places: Vec<usize> = claimed.iter().map(|(place, _)| *place).collect();
    let errand = carry(shared, leased, job, &places).await;
    let result = match errand {
        Ok(Errand { trip: None, hosts }) => {
            done.hosts = hosts;
            done.left = u32::try_from(places.len()).unwrap_or(u32::MAX);
            Ok(())
        }
        Ok(Errand {
            trip: Some(trip),
            hosts,
        }) => {
            done.hosts = hosts;
            done.learn(&trip.carried, trip.sent, policy);
            let work = Work {
                shared,
                message,
                leased,
                job,
            };
            work.write_down(&claimed, trip, done).await
        }
        Err(error) => Err(error),
    };
    message.release(&places);
    result
}

/// A job under way.
struct Work<'a> {
    shared: &'a Shared,
    message: &'a Message,
    leased: &'a Leased,
    job: &'a Job,
}

impl Work<'_> {
    /// Judges the outcomes, makes the verdicts durable, and says them in the log and to whom it concerns.
    async fn write_down(
        &self,
        claimed: &[(usize, RecipientState)],
        trip: Trip,
        done: &mut Done,
    ) -> Result<(), SpoolError> {
        let shared = self.shared;
        let now = shared.clock.now();
        let Trip { carried, route, .. } = trip;
        let mut changes = Vec::with_capacity(claimed.len());
        let mut tries = Vec::with_capacity(claimed.len());
        let mut late = Vec::new();
        let dice = shared.random.next();
        for ((place, before), outcome) in claimed.iter().zip(carried.outcomes) {
            let Some(recipient) = self.leased.message.envelope.recipients.get(*place) else {
                continue;
            };
            let case = Case {
                shared,
                leased: self.leased,
                recipient,
                before,
                now,
            };
            let past = case.past(dice);
            let verdict = judge(&outcome, &past, &shared.policy, now);
            log(self.message.id, recipient, outcome.attempt(), verdict);
            let (state, is_late) = case.state(outcome, verdict, past.attempts);
            if let RecipientState::Waiting { next_at, .. } = &state {
                done.again_at(*next_at);
                if is_late {
                    late.push((*place, *next_at));
                }
            }
            tries.push((recipient, past.attempts, decision(verdict)));
            changes.push(Change {
                recipient: *place,
                state,
            });
        }
        let settled = shared.settle(self.message, &changes, done).await;
        // Only now may the connection take its next message: its 250 is on disk.
        drop(carried.hold);
        let settled = settled?;
        self.tell(&changes, &tries, route.as_ref(), &carried.transcript, now);
        match settled {
            Settled::Queued => {
                for (place, next_at) in late {
                    self.message.is_late(place, next_at);
                }
            }
            Settled::Gone => shared.ended(self.message.id),
        }
        Ok(())
    }

    /// Tells what was tried, once it is on disk.
    fn tell(
        &self,
        changes: &[Change],
        tries: &[(&Recipient, u32, Decision)],
        route: Option<&RouteTaken>,
        transcript: &Transcript,
        at: Timestamp,
    ) {
        let recipients: Vec<TriedRecipient<'_>> = changes
            .iter()
            .zip(tries)
            .filter_map(|(change, (recipient, attempts, decision))| {
                Some(TriedRecipient {
                    place: change.recipient,
                    recipient,
                    attempts: *attempts,
                    attempt: change.state.last_attempt()?,
                    decision: *decision,
                })
            })
            .collect();
        let message = &self.leased.message;
        self.shared.observer.observe(&Event::Tried(Tried {
            id: message.id,
            at,
            envelope: &message.envelope,
            octets: message.octets,
            destination: &self.job.destination.to_string(),
            route,
            transcript,
            recipients: &recipients,
        }));
    }
}

/// A verdict as others are told of it.
const fn decision(verdict: Verdict) -> Decision {
    match verdict {
        Verdict::Delivered(delivery) => Decision::Delivered(delivery),
        Verdict::RetryAt { when, why } => Decision::RetryAt { when, why },
        Verdict::Bounce(Grounds::Refused) => Decision::Bounced,
        Verdict::Bounce(Grounds::Expired) => Decision::Expired,
    }
}

/// One recipient's case: everything its new state depends on.
struct Case<'a> {
    shared: &'a Shared,
    leased: &'a Leased,
    recipient: &'a Recipient,
    before: &'a RecipientState,
    now: Timestamp,
}

impl Case<'_> {
    fn past(&self, dice: u64) -> Past {
        Past {
            attempts: self.before.attempts().saturating_add(1),
            arrived: self.leased.message.envelope.arrived,
            dice,
        }
    }

    /// The new state, and whether the sender is to be told now that it is late.
    fn state(&self, outcome: Outcome, verdict: Verdict, attempts: u32) -> (RecipientState, bool) {
        let waits = matches!(outcome, Outcome::Waits { .. });
        let attempt = Box::new(outcome.into_attempt());
        let notify = self.recipient.notify;
        match verdict {
            Verdict::Delivered(delivery) => {
                let wanted = notify.wants_success() && delivery != Delivery::HandedOn;
                let report = self.report(wanted);
                let state = RecipientState::Delivered {
                    attempt,
                    delivery,
                    report,
                };
                (state, false)
            }
            Verdict::Bounce(_) => {
                let report = self.report(notify.wants_failure());
                let attempt = match self.before {
                    // What was said to this message tells more than what others met.
                    RecipientState::Waiting {
                        last: Some(own), ..
                    }
                    | RecipientState::Held {
                        last: Some(own), ..
                    } if waits => own.clone(),
                    RecipientState::Waiting { .. }
                    | RecipientState::Held { .. }
                    | RecipientState::Delivered { .. }
                    | RecipientState::Failed { .. } => attempt,
                };
                (RecipientState::Failed { attempt, report }, false)
            }
            Verdict::RetryAt { when, why } => {
                let reported = self.before.delay_reported();
                let is_late = !reported && self.owes_delay_notice();
                let state = RecipientState::Waiting {
                    next_at: when,
                    attempts,
                    reason: why,
                    last: Some(attempt),
                    delay_reported: reported || is_late,
                };
                (state, is_late)
            }
        }
    }

    /// Nobody is told about a message from `<>`. (RFC 5321 §4.5.5)
    fn report(&self, wanted: bool) -> Report {
        let has_sender = self.leased.message.envelope.sender != ReversePath::Null;
        if wanted && has_sender {
            Report::Owed
        } else {
            Report::NotWanted
        }
    }

    fn owes_delay_notice(&self) -> bool {
        let arrived = self.leased.message.envelope.arrived;
        let after = self.shared.config.delay_notice_after;
        after.is_some_and(|after| self.now >= arrived.after(after))
            && self.report(self.recipient.notify.wants_delay()) == Report::Owed
    }
}

/// One line for each outcome; every text of a stranger escaped.
fn log(id: QueueId, recipient: &Recipient, attempt: &Attempt, verdict: Verdict) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let (said, host) = (attempt.said.to_line(), attempt.host.as_ref());
    let (verdict, next) = match verdict {
        Verdict::Delivered(_) => ("delivered", None),
        Verdict::Bounce(Grounds::Refused) => ("bounced", None),
        Verdict::Bounce(Grounds::Expired) => ("expired", None),
        Verdict::RetryAt { when, why } => {
            let name = match why {
                RetryReason::DestinationDown => "destination-down",
                RetryReason::New
                | RetryReason::Backoff
                | RetryReason::Interrupted
                | RetryReason::Operator => "deferred",
            };
            (name, Some(IsoDate(when).to_string()))
        }
    };
    let key = explain(
        Some(attempt.said.code()),
        attempt.said.enhanced(),
        Language::English,
    )
    .key;
    tracing::info!(
        %id,
        recipient = %escaped(&recipient.address.to_string()),
        host = host.map(|host| escaped(&host.name).to_string()),
        address = host.and_then(|host| host.address).map(|address| address.to_string()),
        stage = attempt.stage.name(),
        reply = escaped(&said).to_string(),
        verdict,
        next,
        explain = key,
        "delivery"
    );
}
