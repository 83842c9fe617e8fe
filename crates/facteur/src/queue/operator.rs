//! Goes through the queue and does what was asked, message by message.
//!
//! The queue is read in pieces, so that memory stays bounded however long it is; the messages of a piece are settled
//! together, so that they share their flushes. A message is leased before it is touched: one that is being delivered
//! is waited for briefly and else left alone. What is reported as done is on disk.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::event::{Deed as Told, Event};
use facteur_mail::text::escaped;
use facteur_mail::{Clock, Host, MAX_REASON, Observer, QueueId};
use facteur_replies::Language;
use facteur_spool::{Queued, Settled, Spool, SpoolError, Waiting};
use tokio::task::JoinSet;

use super::deed::{Deed, Plan};
use super::filter::Filter;
use super::request::{Act, Acted, ActedRecipient, MAX_IDS, MAX_SHOWN, Outcome, QueueRequest};
use crate::control::protocol::{Answer, Refusal};
use crate::control::{Answers, Peer, Stop};
use crate::failure;

/// How many messages are settled together.
const BATCH: usize = 256;

/// How many names are read from the spool's index at once.
const NAMES: usize = 1_024;

/// How many messages are looked at before the next answers may go out.
const LOOKS: usize = 8_192;

/// How long a message that is being delivered is waited for.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// The pause between two tries to lease it.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// The scheduler, where one runs.
pub(crate) trait Dispatch: Send + Sync + 'static {
    /// A message has new times. `now` has the hosts that are to be tried at once, whatever is known of them.
    fn announce(&self, waiting: Waiting, now: Vec<Host>) -> Announced<'_>;
}

/// Completes when the scheduler has been told.
pub(crate) type Announced<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Does what is asked of the queue.
#[derive(Clone)]
pub(crate) struct Operator {
    /// The queue.
    pub(crate) spool: Arc<dyn Spool>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Who is told what was done.
    pub(crate) observer: Arc<dyn Observer>,
    /// Who tries what is due; `None` where no server runs.
    pub(crate) dispatch: Option<Arc<dyn Dispatch>>,
}

/// Where the names of the messages come from.
enum Source {
    /// These.
    Named(VecDeque<QueueId>),
    /// All that were queued at the beginning, after this one.
    All {
        after: Option<QueueId>,
        last: Option<QueueId>,
    },
}

/// One request, understood.
struct Task {
    operator: Operator,
    deed: Deed,
    filter: Filter,
    /// The messages were named one by one: each gets its line.
    named: bool,
    dry_run: bool,
    language: Language,
}

/// Messages that fit, as they were when they were looked at.
#[derive(Default)]
struct Piece {
    found: Vec<(QueueId, Acted)>,
    over: bool,
}

impl Operator {
    /// Does it, and tells of each message.
    pub(crate) async fn act(
        &self,
        request: QueueRequest,
        peer: &Peer,
        language: Language,
        answers: &Answers,
    ) -> Result<(), Stop> {
        let mut source = self.source(&request)?;
        let task = Arc::new(self.task(request, peer, language)?);
        loop {
            let (piece, rest) = task.look(source).await?;
            source = rest;
            let acted = if task.dry_run {
                piece
                    .found
                    .into_iter()
                    .map(|(_, acted)| acted)
                    .collect::<Vec<_>>()
            } else {
                // A task of its own: once begun, a piece is settled and announced also if nobody listens any more.
                let names = piece.found.iter().map(|(id, _)| *id).collect();
                let done = tokio::spawn(Arc::clone(&task).settle_all(names)).await;
                done.map_err(|_| Stop::Deaf)?
            };
            for acted in acted {
                answers.give(Answer::Message(Box::new(acted))).await?;
            }
            if piece.over {
                return Ok(());
            }
            if !task.dry_run && self.is_broken() {
                return Err(Refusal::SpoolFailed.into());
            }
        }
    }

    /// Whether the spool cannot write: then no message could be settled.
    fn is_broken(&self) -> bool {
        matches!(
            self.spool.admit(0),
            Err(SpoolError::Write { .. } | SpoolError::Closed)
        )
    }

    fn source(&self, request: &QueueRequest) -> Result<Source, Refusal> {
        if request.ids.is_empty() {
            if !request.all && request.filter.is_empty() {
                return Err(Refusal::Unknown);
            }
            return Ok(Source::All {
                after: None,
                // What an act itself puts into the queue, a report, is not meant.
                last: self.spool.newest(),
            });
        }
        if request.ids.len() > MAX_IDS {
            return Err(Refusal::Unknown);
        }
        let ids = request.ids.iter().map(|id| QueueId::parse(id));
        let ids: Option<VecDeque<_>> = ids.collect();
        ids.map(Source::Named).ok_or(Refusal::Unknown)
    }

    fn task(
        &self,
        request: QueueRequest,
        peer: &Peer,
        language: Language,
    ) -> Result<Task, Refusal> {
        let now = self.clock.now();
        let reason = request.reason.filter(|reason| !reason.trim().is_empty());
        if reason.as_ref().is_some_and(|it| it.len() > MAX_REASON) {
            return Err(Refusal::Unknown);
        }
        let held_for = request.for_seconds.map(Duration::from_secs);
        let deed = Deed {
            act: request.act,
            now,
            until: held_for.map(|duration| now.after(duration)),
            by: peer.to_string(),
            reason,
        };
        Ok(Task {
            operator: self.clone(),
            deed,
            filter: Filter::of(&request.filter).map_err(|_| Refusal::Unknown)?,
            named: !request.ids.is_empty(),
            dry_run: request.dry_run,
            language,
        })
    }
}

impl Source {
    /// The next names, at most `limit`.
    fn next(&mut self, spool: &dyn Spool, limit: usize) -> Vec<QueueId> {
        match self {
            Self::Named(names) => names.drain(..names.len().min(limit)).collect(),
            Self::All { after, last } => {
                let mut names = spool.names_after(*after, limit);
                names.retain(|name| Some(*name) <= *last);
                *after = names.last().copied().or(*after);
                names
            }
        }
    }

    /// Gives back names that were not needed.
    fn give_back(&mut self, unused: Vec<QueueId>, used: Option<QueueId>) {
        match self {
            Self::Named(names) => {
                for name in unused.into_iter().rev() {
                    names.push_front(name);
                }
            }
            Self::All { after, .. } => *after = used.or(*after),
        }
    }
}

impl Task {
    /// The next messages that fit. Reads the disk, so not on a thread that serves others.
    async fn look(self: &Arc<Self>, mut source: Source) -> Result<(Piece, Source), Stop> {
        let task = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            let piece = task.look_now(&mut source);
            (piece, source)
        });
        looked.await.map_err(|_| Stop::Deaf)
    }

    fn look_now(&self, source: &mut Source) -> Piece {
        let mut piece = Piece::default();
        let mut looks = 0;
        while piece.found.len() < BATCH && looks < LOOKS {
            let names = source.next(&*self.operator.spool, NAMES);
            if names.is_empty() {
                piece.over = true;
                break;
            }
            let mut names = names.into_iter();
            let mut used = None;
            for name in names.by_ref() {
                looks += 1;
                used = Some(name);
                piece
                    .found
                    .extend(self.look_at(name).map(|acted| (name, acted)));
                if piece.found.len() == BATCH {
                    break;
                }
            }
            source.give_back(names.collect(), used);
        }
        piece
    }

    /// What would be done to a message; `None` if it is not meant.
    fn look_at(&self, id: QueueId) -> Option<Acted> {
        match self.operator.spool.show(id) {
            Ok(queued) => {
                let plan = self.plan(&queued)?;
                let outcome = if plan.changes.is_empty() {
                    Outcome::Unchanged
                } else {
                    Outcome::Would
                };
                Some(acted(&queued, &plan, outcome))
            }
            Err(error) => self.trouble(id, &error),
        }
    }

    /// What is to be done to a message; `None` if it is not meant, or nothing is to be said of it.
    fn plan(&self, queued: &Queued) -> Option<Plan> {
        let places = self.filter.select(queued, self.deed.now);
        if places.is_empty() && !self.named {
            return None;
        }
        let plan = self.deed.plan(queued, &places);
        let tells = self.named || !plan.changes.is_empty() || plan.meets_a_hold();
        tells.then_some(plan)
    }

    /// Acts on all of these at once; what came of each, in their order.
    async fn settle_all(self: Arc<Self>, names: Vec<QueueId>) -> Vec<Acted> {
        let mut tasks = JoinSet::new();
        for (place, name) in names.into_iter().enumerate() {
            let task = Arc::clone(&self);
            tasks.spawn(async move { (place, task.settle(name).await) });
        }
        let mut acted = tasks.join_all().await;
        acted.sort_unstable_by_key(|(place, _)| *place);
        acted.into_iter().filter_map(|(_, acted)| acted).collect()
    }

    /// Acts on one message; `None` if it is not meant any more.
    async fn settle(&self, id: QueueId) -> Option<Acted> {
        let spool = &self.operator.spool;
        let leased = match self.lease(id).await {
            Ok(leased) => leased,
            Err(error) => return self.trouble(id, &error),
        };
        let queued = &leased.message;
        let plan = self.plan(queued)?;
        if plan.changes.is_empty() {
            return Some(acted(queued, &plan, Outcome::Unchanged));
        }
        let settled = match spool.settle(id, plan.changes.clone()).await {
            Ok(settled) => settled,
            Err(error) => return self.trouble(id, &error),
        };
        let acted = acted(queued, &plan, Outcome::Done);
        let mut queued = queued.clone();
        drop(leased);
        self.tell(id, &acted, settled);
        for change in plan.changes {
            if let Some(state) = queued.progress.get_mut(change.recipient) {
                *state = change.state;
            }
        }
        self.announce(&queued).await;
        Some(acted)
    }

    async fn lease(&self, id: QueueId) -> Result<facteur_spool::Leased, SpoolError> {
        let clock = &self.operator.clock;
        let patience = clock.now().after(BUSY_WAIT);
        loop {
            match self.operator.spool.lease(id).await {
                Err(SpoolError::Leased { .. }) if clock.now() < patience => {
                    clock.sleep_until(clock.now().after(BUSY_PAUSE)).await;
                }
                other => return other,
            }
        }
    }

    /// Tells log and history.
    fn tell(&self, id: QueueId, acted: &Acted, settled: Settled) {
        let Deed {
            act,
            now,
            until,
            by,
            reason,
        } = &self.deed;
        let verb = act.verb();
        tracing::info!(
            %id,
            verb = verb.name(),
            by,
            recipients = acted.changed,
            reason = reason.as_ref().map(|reason| escaped(reason).to_string()),
            "queue"
        );
        let observer = &self.operator.observer;
        observer.observe(&Event::Operated(Told {
            id,
            at: *now,
            verb,
            who: by,
            why: reason.as_deref(),
            until: *until,
        }));
        if settled == Settled::Gone {
            observer.observe(&Event::Ended { id, at: *now });
        }
    }

    async fn announce(&self, queued: &Queued) {
        let Some(dispatch) = &self.operator.dispatch else {
            return;
        };
        let waiting = queued.waiting();
        let at_once = matches!(self.deed.act, Act::Retry | Act::Release);
        let due = waiting
            .recipients
            .iter()
            .filter(|it| it.due <= self.deed.now);
        let mut now: Vec<Host> = due
            .filter(|_| at_once)
            .map(|recipient| recipient.host.clone())
            .collect();
        now.sort_unstable();
        now.dedup();
        dispatch.announce(waiting, now).await;
    }

    /// What is said of a message that could not be touched; `None` if it has gone and nobody asked for it.
    fn trouble(&self, id: QueueId, error: &SpoolError) -> Option<Acted> {
        let gone = matches!(error, SpoolError::Gone { .. });
        let outcome = if gone && !self.named {
            return None;
        } else if gone {
            Outcome::Gone
        } else if matches!(error, SpoolError::Leased { .. }) {
            Outcome::Busy
        } else {
            Outcome::Failed {
                words: failure::spool(error, self.language),
            }
        };
        Some(Acted {
            id: id.to_string(),
            octets: 0,
            arrived: 0,
            sender: String::new(),
            outcome,
            recipients: Vec::new(),
            changed: 0,
            more: 0,
        })
    }
}

fn acted(queued: &Queued, plan: &Plan, outcome: Outcome) -> Acted {
    let address = |place: usize| {
        let recipient = queued.envelope.recipients.get(place);
        recipient.map_or_else(String::new, |recipient| recipient.address.to_string())
    };
    let shown = plan.said.iter().take(MAX_SHOWN);
    Acted {
        id: queued.id.to_string(),
        octets: queued.octets,
        arrived: queued.envelope.arrived.as_millis(),
        sender: queued.envelope.sender.to_string(),
        outcome,
        recipients: shown
            .map(|(place, deed)| ActedRecipient {
                address: address(*place),
                deed: *deed,
            })
            .collect(),
        changed: wide(plan.changes.len()),
        more: wide(plan.said.len().saturating_sub(MAX_SHOWN)),
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
