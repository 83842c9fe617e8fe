//! What waits to be written, and who waits for it. (`commit` writes and flushes it.)
//!
//! Nothing that receiving or delivering needs is locked while the disk works.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use facteur_mail::QueueId;
use facteur_spool::{SpoolError, Waiting};

use crate::failure::Failure;
use crate::format::{Kind, RECORD_HEADER, RecordHeader, padded};
use crate::store::{Store, lock};

/// The most octets of one batch, unless a single record is larger.
const MAX_BATCH: usize = 8 << 20;

/// The most records of one batch: what one write can gather.
const MAX_RECORDS: usize = 1_024;

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) pending: VecDeque<Pending>,
    /// Somebody leads: writes and flushes, or has been told to. As long as anything is queued, or written and not
    /// flushed, there is somebody.
    pub(crate) leading: bool,
    /// How many batches have been led to their end.
    pub(crate) batches: u64,
    /// Something in it should be written before the flush under way has ended.
    pub(crate) urgent: bool,
    closed: bool,
}

/// A record to be written.
pub(crate) struct Pending {
    pub(crate) header: RecordHeader,
    /// Header, payload and padding; the header's octets are filled in when it is placed.
    pub(crate) record: Vec<u8>,
    pub(crate) effect: Effect,
    /// Who waits for it.
    pub(crate) waiter: Option<Arc<Waiter>>,
}

/// What becomes true when the record is durable.
pub(crate) enum Effect {
    /// A message is queued; who listens is told.
    Insert(Waiting),
    /// A queued message lies at another place.
    Copy(QueueId),
    /// Some of its recipients have news.
    Progress {
        id: QueueId,
        /// Whether some of them have reached their end.
        ends: bool,
    },
    /// An attempt begins. May be lost.
    Begins(QueueId),
    /// It has gone.
    Gone(QueueId),
    /// Nothing that matters here. May be lost if nobody waits.
    Note,
}

impl Pending {
    /// A record of this payload, which stands in `record` behind room for the header.
    pub(crate) fn new(
        kind: Kind,
        id: QueueId,
        mut record: Vec<u8>,
        meta: u32,
        effect: Effect,
    ) -> Self {
        record.resize(record.len().max(RECORD_HEADER), 0);
        let payload = record.get(RECORD_HEADER..).unwrap_or_default();
        let crc = crc32c::crc32c(payload);
        let payload = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        record.resize(padded(record.len()), 0);
        Self {
            header: RecordHeader {
                kind,
                payload,
                meta,
                serial: 0,
                sequence: 0,
                id,
                durable: 0,
                crc,
                octets: 0,
            },
            record,
            effect,
            waiter: None,
        }
    }

    /// A record without a payload.
    pub(crate) fn bare(kind: Kind, id: QueueId, effect: Effect) -> Self {
        Self::new(kind, id, Vec::with_capacity(RECORD_HEADER), 0, effect)
    }

    /// Whether it need not be flushed.
    pub(crate) const fn is_lazy(&self) -> bool {
        match self.effect {
            Effect::Begins(_) => true,
            Effect::Note => self.waiter.is_none(),
            Effect::Insert(_) | Effect::Copy(_) | Effect::Progress { .. } | Effect::Gone(_) => {
                false
            }
        }
    }

    /// Whether it says what happened outside: a process that is killed must not take it along, so it is written at
    /// once, and only its flush is waited for.
    const fn is_urgent(&self) -> bool {
        match self.effect {
            Effect::Progress { .. } | Effect::Begins(_) | Effect::Gone(_) => true,
            Effect::Insert(_) | Effect::Copy(_) | Effect::Note => false,
        }
    }

    /// Whether it is written even with the last room: what brings messages nearer to their end, so that room
    /// comes of it. All else can wait until there is some.
    pub(crate) const fn is_outcome(&self) -> bool {
        match self.effect {
            Effect::Progress { ends, .. } => ends,
            Effect::Gone(_) | Effect::Note => true,
            Effect::Insert(_) | Effect::Copy(_) | Effect::Begins(_) => false,
        }
    }

    /// Tells whoever waits for it.
    pub(crate) fn tell(self, result: Result<(), Failure>) {
        if let Some(waiter) = self.waiter {
            waiter.set(State::Done(result));
        }
    }

    /// Gives the lead to whoever waits for it, if somebody still does.
    pub(crate) fn give_lead(&self) -> Option<Lead> {
        let waiter = self.waiter.as_ref()?;
        // Whoever gave up waiting holds no other reference.
        if Arc::strong_count(waiter) < 2 {
            return None;
        }
        let mut inner = lock(&waiter.0);
        if !matches!(inner.0, State::Waits) {
            return None;
        }
        inner.0 = State::Leads;
        Some(Lead(inner.1.take()))
    }
}

/// A lead that was given to somebody, who is to be woken.
pub(crate) struct Lead(Option<Waker>);

impl Lead {
    pub(crate) fn wake(self) {
        if let Some(waker) = self.0 {
            waker.wake();
        }
    }
}

impl Queue {
    /// Takes records from the head, up to so many octets.
    pub(crate) fn take(&mut self, octets: usize) -> Vec<Pending> {
        let mut sum = 0_usize;
        let fits = self.pending.iter().take(MAX_RECORDS).take_while(|pending| {
            sum = sum.saturating_add(pending.record.len());
            sum <= octets
        });
        let count = fits.count();
        let taken = self.pending.drain(..count).collect();
        self.urgent = self.pending.iter().any(Pending::is_urgent);
        taken
    }

    /// Takes a batch from the head: as much as one write should carry, and something if there is anything.
    pub(crate) fn take_batch(&mut self) -> Vec<Pending> {
        let first = self.pending.front();
        let first = first.map_or(0, |pending| pending.record.len());
        self.take(MAX_BATCH.max(first))
    }

    fn push(&mut self, pending: Pending) {
        self.urgent |= pending.is_urgent();
        self.pending.push_back(pending);
    }
}

/// Somebody who waits for a record.
#[derive(Default)]
pub(crate) struct Waiter(Mutex<(State, Option<Waker>)>);

#[derive(Default)]
enum State {
    #[default]
    Waits,
    /// It is its turn to write.
    Leads,
    Done(Result<(), Failure>),
    /// It is its turn, and its own record has failed meanwhile: somebody else met a disk that does not write.
    FailedInTheLead(Failure),
    /// The result was taken.
    Over,
}

impl Waiter {
    fn set(&self, state: State) {
        let mut inner = lock(&self.0);
        // The turn must not be lost with its record.
        inner.0 = match (&inner.0, state) {
            (State::Leads, State::Done(Err(failure))) => State::FailedInTheLead(failure),
            (_, state) => state,
        };
        let waker = inner.1.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A record on its way. Completes when it is durable, or is known not to be.
///
/// Dropped before that, the record is written all the same.
pub(crate) struct Ticket {
    store: Arc<Store>,
    waiter: Arc<Waiter>,
    gathered: bool,
}

impl Future for Ticket {
    type Output = Result<(), SpoolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = lock(&self.waiter.0);
        match std::mem::replace(&mut inner.0, State::Over) {
            State::Waits => {
                inner.0 = State::Waits;
                inner.1 = Some(cx.waker().clone());
                return Poll::Pending;
            }
            State::Leads if !self.gathered => {
                // Everything else that is ready to run comes first, and what the sockets hold: some of it will join
                // this batch. A task that wakes itself instead is handed to another thread.
                inner.0 = State::Leads;
                drop(inner);
                self.gathered = true;
                if pin!(tokio::task::yield_now()).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                inner = lock(&self.waiter.0);
                inner.0 = State::Over;
            }
            State::Leads => {}
            State::Done(result) => return Poll::Ready(result.map_err(Into::into)),
            State::FailedInTheLead(failure) => {
                drop(inner);
                self.store.lead();
                return Poll::Ready(Err(failure.into()));
            }
            State::Over => return Poll::Ready(Err(SpoolError::Closed)),
        }
        drop(inner);
        self.store.lead();
        let mut inner = lock(&self.waiter.0);
        match std::mem::replace(&mut inner.0, State::Over) {
            State::Done(result) => Poll::Ready(result.map_err(Into::into)),
            // A batch begins with its leader, so this does not happen; waiting on is right all the same.
            other @ (State::Waits | State::Leads | State::FailedInTheLead(_) | State::Over) => {
                inner.0 = other;
                inner.1 = Some(cx.waker().clone());
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut lock(&self.waiter.0).0, State::Over);
        match state {
            // The turn must not be lost with whoever had it: what is queued is written now.
            State::Leads | State::FailedInTheLead(_) => self.store.lead(),
            State::Waits | State::Done(_) | State::Over => {}
        }
    }
}

impl Store {
    /// Queues a record and returns how to wait for it.
    pub(crate) fn submit(self: &Arc<Self>, pending: Pending) -> Result<Ticket, SpoolError> {
        self.submit_last(pending, false)
    }

    /// As [`Store::submit`]; if `last`, nothing can be queued behind it.
    pub(crate) fn submit_last(
        self: &Arc<Self>,
        mut pending: Pending,
        last: bool,
    ) -> Result<Ticket, SpoolError> {
        let waiter = Arc::new(Waiter::default());
        pending.waiter = Some(Arc::clone(&waiter));
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(SpoolError::Closed);
        }
        queue.closed = last;
        queue.push(pending);
        if !queue.leading {
            queue.leading = true;
            lock(&waiter.0).0 = State::Leads;
        }
        drop(queue);
        Ok(Ticket {
            store: Arc::clone(self),
            waiter,
            gathered: false,
        })
    }

    /// Queues a record that nobody waits for. True if the caller must call [`Store::lead`], outside all locks.
    pub(crate) fn submit_unwaited(&self, pending: Pending) -> Result<bool, SpoolError> {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(SpoolError::Closed);
        }
        queue.push(pending);
        Ok(!std::mem::replace(&mut queue.leading, true))
    }

    /// Takes the lead if nobody has it; then [`Store::lead`] must follow.
    pub(crate) fn take_lead(&self) -> bool {
        !std::mem::replace(&mut lock(&self.queue).leading, true)
    }

    /// The batch that is under way; `None` if nothing waits to be written.
    pub(crate) fn batch_under_way(&self) -> Option<u64> {
        let queue = lock(&self.queue);
        queue.leading.then_some(queue.batches)
    }

    /// Whether everything has been refused from now on.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.queue).closed
    }
}
