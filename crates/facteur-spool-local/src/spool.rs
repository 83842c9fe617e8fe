//! [`LocalSpool`]: the embedded spool as everybody sees it.

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use facteur_mail::{Clock, QueueId, RecipientState, Timestamp};
use facteur_spool::record::{ProgressRecord, encode_progress};
use facteur_spool::{
    Change, Draft, Leased, Queued, Settled, Spool, SpoolError, SpoolFuture, Waiting,
};

use crate::config::Config;
use crate::disk::{Disk, RealDisk, wide};
use crate::draft::LocalDraft;
use crate::failure::Failure;
use crate::format::{Kind, RECORD_HEADER};
use crate::index::Entry;
use crate::queue::{Effect, Pending, Ticket};
use crate::recover;
use crate::report::{Health, RecoveryReport};
use crate::store::{Listener, Store, lock};

/// How many octets of progress may be added before all of it is written anew, at least.
const LEAST_WHOLE: u32 = 4_096;

/// A spool in a directory of this machine. One process owns it.
pub struct LocalSpool {
    store: Arc<Store>,
    /// [`Config::message_limit`], which may change.
    message_limit: AtomicU64,
}

impl LocalSpool {
    /// Opens the spool, creating it if it is absent, and says what was found.
    ///
    /// # Errors
    /// [`SpoolError::Owned`], [`SpoolError::Unsafe`], [`SpoolError::Version`], [`SpoolError::Read`],
    /// [`SpoolError::Write`].
    pub fn open(
        config: Config,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Self>, RecoveryReport), SpoolError> {
        Self::open_on(Arc::new(RealDisk), config, clock)
    }

    /// As [`LocalSpool::open`], on another disk than the system's.
    ///
    /// # Errors
    /// As [`LocalSpool::open`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        config: Config,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Self>, RecoveryReport), SpoolError> {
        let message_limit = AtomicU64::new(config.message_limit);
        let (store, report) = recover::open(disk, config, clock)?;
        let spool = Self {
            store,
            message_limit,
        };
        Ok((Arc::new(spool), report))
    }

    /// Another [`Config::message_limit`] from now on.
    pub fn set_message_limit(&self, octets: u64) {
        self.message_limit.store(octets, Ordering::Relaxed);
    }

    /// Whether it can write. If it cannot, it tries again, at most once a second.
    #[must_use]
    pub fn health(&self) -> Health {
        self.try_again();
        match self.store.refusing() {
            None => Health::Well,
            Some(Failure::Write { path, error }) => Health::Refusing {
                path,
                error: error.text().to_owned(),
            },
            Some(failure @ (Failure::Full { .. } | Failure::Closed)) => Health::Refusing {
                path: self.store.paths.root().to_owned(),
                error: SpoolError::from(failure).to_string(),
            },
        }
    }

    /// For a watchdog: the number of the batch that is being written, if one is. The same number for long means that the
    /// disk, or whoever leads, is stuck.
    #[must_use]
    pub fn batch_under_way(&self) -> Option<u64> {
        self.store.batch_under_way()
    }

    /// After a failure: makes a new segment if the disk lets us. Returns why it does not.
    fn try_again(&self) -> Option<Failure> {
        self.store.refusing()?;
        if self.store.take_lead() {
            let made = self.store.with_writer(|writer| writer.ensure(&self.store));
            self.store.lead();
            return made.err();
        }
        self.store.refusing()
    }

    fn may_write(&self) -> Result<(), SpoolError> {
        if self.store.is_closed() {
            return Err(SpoolError::Closed);
        }
        self.try_again()
            .map_or(Ok(()), |failure| Err(failure.into()))
    }

    fn lease_now(&self, id: QueueId) -> Result<Leased, SpoolError> {
        if self.store.is_closed() {
            return Err(SpoolError::Closed);
        }
        {
            let mut index = lock(&self.store.index);
            let entry = index.get_mut(id).filter(|entry| !entry.leaving);
            let entry = entry.ok_or(SpoolError::Gone { id })?;
            if std::mem::replace(&mut entry.leased, true) {
                return Err(SpoolError::Leased { id });
            }
        }
        let store = Arc::clone(&self.store);
        let give_back = Box::new(move || give_back(&store, id));
        let message = match self.take_up(id) {
            Ok(message) => message,
            Err(error) => {
                give_back();
                return Err(error);
            }
        };
        let store = Arc::clone(&self.store);
        let open = Box::new(move || store.open_body(id));
        Ok(Leased::new(message, open, give_back))
    }

    /// Reads a message and keeps in memory where its recipients stand.
    fn take_up(&self, id: QueueId) -> Result<Queued, SpoolError> {
        let (envelope, standing, octets) = self.store.load(id)?;
        let mut index = lock(&self.store.index);
        let entry = index.get_mut(id).ok_or(SpoolError::Gone { id })?;
        // What is in flight is known to the work in memory and not yet to the log.
        let work = entry
            .work
            .get_or_insert_with(|| Box::new(standing.interrupted()));
        Ok(Queued {
            id,
            octets,
            envelope,
            progress: work.progress().clone(),
        })
    }

    /// Hands news of a message to the log, and says what the message is after it.
    fn advance(
        &self,
        id: QueueId,
        news: ProgressRecord,
    ) -> Result<(Submitted, Settled), SpoolError> {
        let waited = news.attempting.is_empty();
        let ends = news.changes.iter().any(|change| match change.state {
            RecipientState::Delivered { .. } | RecipientState::Failed { .. } => true,
            RecipientState::Waiting { .. } | RecipientState::Held { .. } => false,
        });
        let effect = if waited {
            Effect::Progress { id, ends }
        } else {
            Effect::Begins(id)
        };
        let mut delta = vec![0; RECORD_HEADER];
        encode_progress(&news, &mut delta)?;
        loop {
            let mut index = lock(&self.store.index);
            let entry = index.get_mut(id).filter(|entry| !entry.leaving);
            let entry = entry.ok_or(SpoolError::Gone { id })?;
            let Some(work) = &mut entry.work else {
                drop(index);
                self.take_up(id)?;
                continue;
            };
            work.change(news.changes);
            work.begin(&news.attempting);
            let settled = waited && work.is_settled();
            let pending = next_record(id, entry, delta, settled, effect);
            entry.leaving = settled;
            entry.version = entry.version.wrapping_add(1);
            entry.in_flight += 1;
            let submitted = if waited {
                self.store.submit(pending).map(Submitted::Waited)
            } else {
                self.store.submit_unwaited(pending).map(Submitted::Unwaited)
            };
            if submitted.is_err() {
                entry.leaving = false;
                entry.in_flight -= 1;
                entry.work = None;
            }
            let settled = if settled {
                Settled::Gone
            } else {
                Settled::Queued
            };
            return submitted.map(|submitted| (submitted, settled));
        }
    }

    async fn settle(&self, id: QueueId, changes: Vec<Change>) -> Result<Settled, SpoolError> {
        let news = ProgressRecord {
            whole: false,
            changes,
            attempting: Vec::new(),
        };
        let (submitted, settled) = self.advance(id, news)?;
        if let Submitted::Waited(ticket) = submitted {
            self.store.write_soon();
            ticket.await?;
        }
        if self.store.compact() {
            self.store.lead();
        }
        Ok(settled)
    }

    async fn close(&self) -> Result<(), SpoolError> {
        let none = QueueId::from_number(0);
        let closed = || Pending::bare(Kind::Closed, none, Effect::Note);
        match self.store.submit_last(closed(), true) {
            Ok(ticket) => ticket.await?,
            Err(_) => return Ok(()),
        }
        // A second one says that the first, and all before it, was flushed: damage there is known for damage.
        let store = &self.store;
        let flushed = store.with_writer(|writer| {
            let last = writer.make_room(store, vec![closed()]);
            writer.write(store, last);
            writer.flush_now(store)
        });
        flushed.map_err(Into::into)
    }
}

/// How a record was handed to the log.
enum Submitted {
    Waited(Ticket),
    /// True if the caller must lead.
    Unwaited(bool),
}

/// The record for news of a message: only them, all that is known, or that it has gone.
fn next_record(
    id: QueueId,
    entry: &Entry,
    delta: Vec<u8>,
    settled: bool,
    effect: Effect,
) -> Pending {
    if settled {
        return Pending::bare(Kind::Gone, id, Effect::Gone(id));
    }
    let added = u32::try_from(delta.len()).unwrap_or(u32::MAX);
    let long = entry.since.saturating_add(added) > entry.whole.max(LEAST_WHOLE);
    if matches!(effect, Effect::Progress { .. })
        && long
        && let Some(work) = &entry.work
    {
        let mut whole = vec![0; RECORD_HEADER];
        if encode_progress(&work.whole(), &mut whole).is_ok() {
            return Pending::new(Kind::Progress, id, whole, 1, effect);
        }
    }
    Pending::new(Kind::Progress, id, delta, 0, effect)
}

fn give_back(store: &Store, id: QueueId) {
    let mut index = lock(&store.index);
    if let Some(entry) = index.get_mut(id) {
        entry.leased = false;
        if entry.in_flight == 0 {
            entry.work = None;
        }
    }
}

impl Spool for LocalSpool {
    fn admit(&self, octets: u64) -> Result<(), SpoolError> {
        self.may_write()?;
        let expected = if octets == 0 {
            self.message_limit.load(Ordering::Relaxed)
        } else {
            octets
        };
        let in_memory = self.store.in_memory.load(Ordering::Relaxed);
        let wanted = expected.saturating_add(expected / 2);
        self.store
            .check_space(wanted.saturating_add(wide(in_memory)))
    }

    fn begin(&self, now: Timestamp) -> Result<Box<dyn Draft>, SpoolError> {
        self.admit(0)?;
        let id = self.store.next_id(now);
        Ok(Box::new(LocalDraft::new(Arc::clone(&self.store), id)))
    }

    fn waiting(&self, visit: &mut dyn FnMut(Waiting)) {
        // In the order of the log, so that the disk is read from front to back.
        let mut all: Vec<_> = {
            let index = lock(&self.store.index);
            let entries = index.from(QueueId::from_number(0));
            entries
                .map(|(id, entry)| (entry.message.serial, entry.message.offset, id))
                .collect()
        };
        all.sort_unstable();
        for (_, _, id) in all {
            match self.store.queued(id) {
                Ok(queued) => visit(queued.waiting()),
                Err(SpoolError::Gone { .. }) => {}
                Err(error) => {
                    tracing::error!(%id, %error, "a queued message cannot be read");
                }
            }
        }
    }

    fn announce_to(&self, listener: Box<dyn Fn(Waiting) + Send + Sync>) {
        let listener: Listener = listener.into();
        *lock(&self.store.listener) = Some(listener);
    }

    fn lease(&self, id: QueueId) -> SpoolFuture<'_, Leased> {
        Box::pin(ready(self.lease_now(id)))
    }

    fn attempt_begins(&self, id: QueueId, recipients: &[usize]) -> Result<(), SpoolError> {
        self.may_write()?;
        let news = ProgressRecord {
            whole: false,
            changes: Vec::new(),
            attempting: recipients.to_vec(),
        };
        if recipients.is_empty() {
            return Ok(());
        }
        match self.advance(id, news)? {
            (Submitted::Unwaited(true), _) => self.store.lead(),
            (Submitted::Unwaited(false) | Submitted::Waited(_), _) => self.store.write_soon(),
        }
        Ok(())
    }

    fn settle(&self, id: QueueId, changes: Vec<Change>) -> SpoolFuture<'_, Settled> {
        Box::pin(self.settle(id, changes))
    }

    fn show(&self, id: QueueId) -> Result<Queued, SpoolError> {
        self.store.queued(id)
    }

    fn names_after(&self, after: Option<QueueId>, limit: usize) -> Vec<QueueId> {
        let Some(first) = after.map_or(Some(0), |id| id.number().checked_add(1)) else {
            return Vec::new();
        };
        let index = lock(&self.store.index);
        let names = index.from(QueueId::from_number(first));
        names
            .filter(|(_, entry)| !entry.leaving)
            .map(|(id, _)| id)
            .take(limit)
            .collect()
    }

    fn newest(&self) -> Option<QueueId> {
        lock(&self.store.index).newest()
    }

    fn len(&self) -> usize {
        lock(&self.store.index).len()
    }

    fn close(&self) -> SpoolFuture<'_, ()> {
        Box::pin(self.close())
    }
}

impl fmt::Debug for LocalSpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSpool")
            .field("directory", &self.store.config.directory)
            .field("messages", &self.len())
            .finish_non_exhaustive()
    }
}
