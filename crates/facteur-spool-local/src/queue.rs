//! Group commit: everybody who waits shares one write and one flush.
//!
//! There is no flushing thread. Whoever comes first leads: it writes what has gathered and flushes it in its own
//! thread, blocking it. A thread that slept until there was work would have to be woken, and on a busy
//! machine each wake-up costs 2 to 3 ms where the flush costs 0.1; a flush through a thread pool pays twice.
//! What came in meanwhile is the next batch, led by one of those who wait for it. Nothing that receiving
//! or delivering needs is locked during the flush.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use facteur_mail::QueueId;
use facteur_spool::{SpoolError, Waiting};

use crate::failure::Failure;
use crate::format::{Kind, RECORD_HEADER, RecordHeader, padded};
use crate::index::{Entry, Index, Place};
use crate::store::{Store, lock};
use crate::writer::Appended;

/// The most octets of one batch, unless a single record is larger.
const MAX_BATCH: usize = 8 << 20;

/// The most records of one batch: what one write can gather.
const MAX_RECORDS: usize = 1_024;

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Queue {
    pending: VecDeque<Pending>,
    /// Somebody writes, or has been told to.
    leading: bool,
    /// How many batches have been led to their end.
    batches: u64,
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
    Progress(QueueId),
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
            Effect::Insert(_) | Effect::Copy(_) | Effect::Progress(_) | Effect::Gone(_) => false,
        }
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
    /// The result was taken.
    Over,
}

impl Waiter {
    fn set(&self, state: State) {
        let mut inner = lock(&self.0);
        inner.0 = state;
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
            State::Over => return Poll::Ready(Err(SpoolError::Closed)),
        }
        drop(inner);
        self.store.lead();
        let mut inner = lock(&self.waiter.0);
        match std::mem::replace(&mut inner.0, State::Over) {
            State::Done(result) => Poll::Ready(result.map_err(Into::into)),
            // A batch begins with its leader, so this does not happen; waiting on is right all the same.
            other @ (State::Waits | State::Leads | State::Over) => {
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
            State::Leads => self.store.lead(),
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
        queue.pending.push_back(pending);
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
        queue.pending.push_back(pending);
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

    /// Writes one batch, then hands the lead to one of those who queued meanwhile. What nobody waits for is
    /// written too. Blocks for a write and a flush.
    pub(crate) fn lead(&self) {
        let _whole = WholeOrNothing::begin();
        loop {
            let batch = self.next_batch();
            if !batch.is_empty() {
                self.write_batch(batch);
            }
            self.reclaim();
            let mut queue = lock(&self.queue);
            queue.batches = queue.batches.wrapping_add(1);
            if queue.pending.is_empty() {
                queue.leading = false;
                return;
            }
            let next = queue.pending.iter().find_map(|pending| {
                let waiter = pending.waiter.as_ref()?;
                // Whoever gave up waiting holds no other reference.
                (Arc::strong_count(waiter) > 1).then(|| Arc::clone(waiter))
            });
            if let Some(next) = next {
                let mut inner = lock(&next.0);
                if matches!(inner.0, State::Waits) {
                    inner.0 = State::Leads;
                    let waker = inner.1.take();
                    drop(inner);
                    drop(queue);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                    return;
                }
            }
        }
    }

    /// The records at the head of the queue, up to the bounds of a batch.
    fn next_batch(&self) -> Vec<Pending> {
        let mut queue = lock(&self.queue);
        let mut octets = 0_usize;
        let fits = queue
            .pending
            .iter()
            .take(MAX_RECORDS)
            .take_while(|pending| {
                let first = octets == 0;
                octets = octets.saturating_add(pending.record.len());
                first || octets <= MAX_BATCH
            });
        let count = fits.count();
        queue.pending.drain(..count).collect()
    }

    fn write_batch(&self, mut batch: Vec<Pending>) {
        let Appended {
            places,
            refused,
            result,
        } = lock(&self.writer).append(self, &mut batch);
        if let Err(failure) = &result {
            // Whatever was queued behind it may rest on what has just failed. Nothing new is queued meanwhile, as
            // that needs the index.
            let mut index = lock(&self.index);
            batch.extend(lock(&self.queue).pending.drain(..));
            undo(&mut index, &batch);
            drop(index);
            for pending in batch {
                pending.tell(Err(failure.clone()));
            }
        } else {
            let news = self.done(&mut batch, &places);
            for (pending, waiting) in batch.into_iter().zip(news) {
                if let Some(waiting) = waiting {
                    self.announce(waiting);
                }
                pending.tell(Ok(()));
            }
        }
        for (pending, failure) in refused {
            pending.tell(Err(failure));
        }
    }

    /// Makes the effects of a durable batch true, and returns what is to be announced for each record.
    fn done(&self, batch: &mut [Pending], places: &[Place]) -> Vec<Option<Waiting>> {
        let mut gone = Vec::new();
        let mut news = Vec::with_capacity(batch.len());
        let mut index = lock(&self.index);
        for (pending, place) in batch.iter_mut().zip(places) {
            let header = &pending.header;
            let entry = || {
                Entry::new(
                    *place,
                    header.meta,
                    header.kind == Kind::Large,
                    header.octets,
                )
            };
            let mut waiting = None;
            match std::mem::replace(&mut pending.effect, Effect::Note) {
                Effect::Insert(new) => {
                    index.insert(header.id, entry());
                    waiting = Some(new);
                }
                Effect::Copy(id) => {
                    if index.get(id).is_some() {
                        index.insert(id, entry());
                    }
                }
                Effect::Progress(id) | Effect::Begins(id) => {
                    index.progress(id, *place, header.meta > 0);
                }
                Effect::Gone(id) => {
                    let entry = index.remove(id);
                    gone.extend(entry.filter(|entry| entry.large).map(|_| id));
                }
                Effect::Note => {}
            }
            news.push(waiting);
        }
        drop(index);
        for id in gone {
            self.remove_body(id);
        }
        news
    }
}

/// Held by whoever leads. A bug there leaves memory in doubt, and a lead that nobody gives back: all who wait would
/// wait for ever. So the process ends; what was acknowledged is on disk, and the next start reads it.
struct WholeOrNothing {
    /// A lead that is given back while a connection panics is none of the bugs meant here.
    panicking: bool,
}

impl WholeOrNothing {
    fn begin() -> Self {
        Self {
            panicking: std::thread::panicking(),
        }
    }
}

impl Drop for WholeOrNothing {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.panicking {
            std::process::abort();
        }
    }
}

/// Takes back what was assumed when the records were queued.
fn undo(index: &mut Index, batch: &[Pending]) {
    for pending in batch {
        let (Effect::Progress(id) | Effect::Begins(id) | Effect::Gone(id)) = &pending.effect else {
            continue;
        };
        if let Some(entry) = index.get_mut(*id) {
            entry.leaving = false;
            entry.in_flight = entry.in_flight.saturating_sub(1);
            entry.work = None;
        }
    }
}

impl Pending {
    fn tell(self, result: Result<(), Failure>) {
        if let Some(waiter) = self.waiter {
            waiter.set(State::Done(result));
        }
    }
}
