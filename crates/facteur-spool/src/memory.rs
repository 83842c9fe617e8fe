//! A spool in memory, for the tests of other crates. It keeps every promise but durability.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::future::ready;
use std::io::{self, Cursor};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use facteur_mail::{Envelope, QueueId, Receipt, Timestamp};

use crate::error::SpoolError;
use crate::record::ProgressRecord;
use crate::spool::{Body, Change, Draft, Leased, Queued, Settled, Spool, SpoolFuture, Waiting};
use crate::standing::Standing;

/// A spool in memory. [`MemorySpool::reopened`] stands for a restart after a crash.
pub struct MemorySpool {
    state: Arc<Mutex<State>>,
    listener: Arc<Mutex<Option<Listener>>>,
}

type Listener = Box<dyn Fn(Waiting) + Send + Sync>;

#[derive(Default)]
struct State {
    stored: BTreeMap<QueueId, Stored>,
    leased: HashSet<QueueId>,
    last: Option<QueueId>,
    refusal: Option<Refusal>,
}

struct Stored {
    envelope: Envelope,
    standing: Standing,
    content: Arc<[u8]>,
    rotten: bool,
}

/// What a test makes the spool refuse with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// New mail: [`SpoolError::Full`]. Settling still works.
    Full,
    /// Everything that writes: [`SpoolError::Write`].
    Broken,
    /// Everything: [`SpoolError::Closed`].
    Closed,
}

impl Default for MemorySpool {
    fn default() -> Self {
        Self::new()
    }
}

impl MemorySpool {
    /// An empty spool.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Arc::default(),
            listener: Arc::default(),
        }
    }

    /// The same messages as after a crash and a restart: leases and drafts are gone, attempts that had begun
    /// are interrupted, nobody listens.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let mut old = lock(&self.state);
        let stored = std::mem::take(&mut old.stored)
            .into_iter()
            .map(|(id, mut stored)| {
                stored.standing = stored.standing.interrupted();
                (id, stored)
            })
            .collect();
        let state = State {
            stored,
            leased: HashSet::new(),
            last: old.last,
            refusal: None,
        };
        old.refusal = Some(Refusal::Closed);
        drop(old);
        Self {
            state: Arc::new(Mutex::new(state)),
            listener: Arc::default(),
        }
    }

    /// Makes the spool refuse, or work again with `None`.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        lock(&self.state).refusal = refusal;
    }

    /// Makes the stored copy of a message unreadable; false if there is none.
    #[must_use]
    pub fn damage(&self, id: QueueId) -> bool {
        let mut state = lock(&self.state);
        let stored = state.stored.get_mut(&id);
        stored.map(|stored| stored.rotten = true).is_some()
    }

    /// The content of a queued message.
    #[must_use]
    pub fn content(&self, id: QueueId) -> Option<Arc<[u8]>> {
        let state = lock(&self.state);
        state
            .stored
            .get(&id)
            .map(|stored| Arc::clone(&stored.content))
    }
}

impl State {
    fn may_write(&self) -> Result<(), SpoolError> {
        match self.refusal {
            None | Some(Refusal::Full) => Ok(()),
            Some(Refusal::Broken) => Err(SpoolError::Write {
                path: PathBuf::from("memory"),
                error: io::Error::other("made to fail"),
            }),
            Some(Refusal::Closed) => Err(SpoolError::Closed),
        }
    }

    fn may_grow(&self, wanted: u64) -> Result<(), SpoolError> {
        match self.refusal {
            Some(Refusal::Full) => Err(SpoolError::Full { free: 0, wanted }),
            None | Some(Refusal::Broken | Refusal::Closed) => self.may_write(),
        }
    }

    /// The message, unless it is rotten: then it leaves the queue.
    fn sound(&mut self, id: QueueId) -> Result<Queued, SpoolError> {
        let stored = self.stored.get(&id).ok_or(SpoolError::Gone { id })?;
        if stored.rotten {
            self.stored.remove(&id);
            return Err(SpoolError::Damaged {
                id,
                path: PathBuf::from("memory"),
                offset: 0,
            });
        }
        Ok(stored.queued(id))
    }

    fn settle(&mut self, id: QueueId, changes: Vec<Change>) -> Result<Settled, SpoolError> {
        self.may_write()?;
        let stored = self.stored.get_mut(&id).ok_or(SpoolError::Gone { id })?;
        stored.standing.apply(ProgressRecord {
            whole: false,
            changes,
            attempting: Vec::new(),
        });
        if !stored.standing.is_settled() {
            return Ok(Settled::Queued);
        }
        self.stored.remove(&id);
        Ok(Settled::Gone)
    }
}

impl Stored {
    fn queued(&self, id: QueueId) -> Queued {
        Queued {
            id,
            octets: wide(self.content.len()),
            envelope: self.envelope.clone(),
            progress: self.standing.progress().clone(),
        }
    }
}

impl Spool for MemorySpool {
    fn admit(&self, octets: u64) -> Result<(), SpoolError> {
        lock(&self.state).may_grow(octets)
    }

    fn begin(&self, now: Timestamp) -> Result<Box<dyn Draft>, SpoolError> {
        let mut state = lock(&self.state);
        state.may_grow(0)?;
        let id = QueueId::next(now, state.last);
        state.last = Some(id);
        Ok(Box::new(MemoryDraft {
            id,
            content: Vec::new(),
            state: Arc::clone(&self.state),
            listener: Arc::clone(&self.listener),
        }))
    }

    fn waiting(&self, visit: &mut dyn FnMut(Waiting)) {
        let all = {
            let state = lock(&self.state);
            let queued = state.stored.iter();
            queued
                .map(|(id, stored)| stored.queued(*id).waiting())
                .collect::<Vec<_>>()
        };
        all.into_iter().for_each(visit);
    }

    fn announce_to(&self, listener: Listener) {
        *lock(&self.listener) = Some(listener);
    }

    fn lease(&self, id: QueueId) -> SpoolFuture<'_, Leased> {
        let mut state = lock(&self.state);
        if state.refusal == Some(Refusal::Closed) {
            return Box::pin(ready(Err(SpoolError::Closed)));
        }
        if state.leased.contains(&id) {
            return Box::pin(ready(Err(SpoolError::Leased { id })));
        }
        let message = match state.sound(id) {
            Ok(message) => message,
            Err(error) => return Box::pin(ready(Err(error))),
        };
        state.leased.insert(id);
        drop(state);
        let (for_body, for_return) = (Arc::clone(&self.state), Arc::clone(&self.state));
        Box::pin(ready(Ok(Leased::new(
            message,
            Box::new(move || {
                let mut state = lock(&for_body);
                state.sound(id)?;
                let stored = state.stored.get(&id).ok_or(SpoolError::Gone { id })?;
                let body: Body = Box::new(Cursor::new(Arc::clone(&stored.content)));
                Ok(body)
            }),
            Box::new(move || {
                lock(&for_return).leased.remove(&id);
            }),
        ))))
    }

    fn attempt_begins(&self, id: QueueId, recipients: &[usize]) -> Result<(), SpoolError> {
        let mut state = lock(&self.state);
        state.may_write()?;
        let stored = state.stored.get_mut(&id).ok_or(SpoolError::Gone { id })?;
        stored.standing.begin(recipients);
        Ok(())
    }

    fn settle(&self, id: QueueId, changes: Vec<Change>) -> SpoolFuture<'_, Settled> {
        Box::pin(ready(lock(&self.state).settle(id, changes)))
    }

    fn show(&self, id: QueueId) -> Result<Queued, SpoolError> {
        lock(&self.state).sound(id)
    }

    fn names_after(&self, after: Option<QueueId>, limit: usize) -> Vec<QueueId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = lock(&self.state);
        let names = state.stored.range((from, Bound::Unbounded));
        names.map(|(id, _)| *id).take(limit).collect()
    }

    fn newest(&self) -> Option<QueueId> {
        lock(&self.state).stored.last_key_value().map(|(id, _)| *id)
    }

    fn len(&self) -> usize {
        lock(&self.state).stored.len()
    }

    fn close(&self) -> SpoolFuture<'_, ()> {
        lock(&self.state).refusal = Some(Refusal::Closed);
        Box::pin(ready(Ok(())))
    }
}

impl fmt::Debug for MemorySpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySpool")
            .field("messages", &self.len())
            .finish_non_exhaustive()
    }
}

struct MemoryDraft {
    id: QueueId,
    content: Vec<u8>,
    state: Arc<Mutex<State>>,
    listener: Arc<Mutex<Option<Listener>>>,
}

impl Draft for MemoryDraft {
    fn id(&self) -> QueueId {
        self.id
    }

    fn write(&mut self, content: &[u8]) -> Result<(), SpoolError> {
        lock(&self.state).may_grow(wide(content.len()))?;
        self.content.extend_from_slice(content);
        Ok(())
    }

    fn octets(&self) -> u64 {
        wide(self.content.len())
    }

    fn commit<'a>(
        self: Box<Self>,
        envelope: Envelope,
        first_try: Timestamp,
    ) -> SpoolFuture<'a, Receipt>
    where
        Self: 'a,
    {
        let id = self.id;
        let stored = Stored {
            standing: Standing::new(envelope.recipients.len(), first_try),
            envelope,
            content: self.content.into(),
            rotten: false,
        };
        let waiting = stored.queued(id).waiting();
        let mut state = lock(&self.state);
        if let Err(error) = state.may_grow(waiting.octets) {
            return Box::pin(ready(Err(error)));
        }
        state.stored.insert(id, stored);
        drop(state);
        if let Some(listener) = &*lock(&self.listener) {
            listener(waiting);
        }
        Box::pin(ready(Ok(Receipt::mint(id))))
    }
}

/// No code runs under these locks that could panic half way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::battery::{self, Harness};

    struct Memory(Option<Arc<MemorySpool>>);

    impl Harness for Memory {
        fn open(&mut self) -> Arc<dyn Spool> {
            let spool = self
                .0
                .take()
                .map_or_else(MemorySpool::new, |old| old.reopened());
            let spool = Arc::new(spool);
            self.0 = Some(Arc::clone(&spool));
            spool
        }

        fn damage(&mut self, id: QueueId) -> bool {
            self.0.as_ref().is_some_and(|spool| spool.damage(id))
        }

        fn fill(&mut self, full: bool) -> bool {
            let refusal = full.then_some(Refusal::Full);
            if let Some(spool) = &self.0 {
                spool.refuse(refusal);
            }
            true
        }
    }

    #[test]
    fn the_spool_in_memory_passes_the_battery() {
        battery::run(|| Memory(None));
    }
}
