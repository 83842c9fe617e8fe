//! The spool's counter: everything that the server hands in or takes out is written down before and after.

use std::fmt;
use std::sync::Arc;

use facteur_mail::{Envelope, QueueId, Receipt, Timestamp};
use facteur_spool::{
    Change, Draft, Leased, Queued, Settled, Spool, SpoolError, SpoolFuture, Waiting,
};

use crate::world::Life;

/// A spool whose users are watched.
pub(crate) struct Counter {
    spool: Arc<dyn Spool>,
    life: Life,
}

impl Counter {
    pub(crate) fn new(spool: Arc<dyn Spool>, life: Life) -> Self {
        Self { spool, life }
    }
}

impl Spool for Counter {
    fn admit(&self, octets: u64) -> Result<(), SpoolError> {
        self.spool.admit(octets)
    }

    fn begin(&self, now: Timestamp) -> Result<Box<dyn Draft>, SpoolError> {
        let draft = self.spool.begin(now)?;
        Ok(Box::new(WatchedDraft {
            draft,
            content: Vec::new(),
            life: self.life.clone(),
        }))
    }

    fn waiting(&self, visit: &mut dyn FnMut(Waiting)) {
        self.spool.waiting(visit);
    }

    fn announce_to(&self, listener: Box<dyn Fn(Waiting) + Send + Sync>) {
        self.spool.announce_to(listener);
    }

    fn lease(&self, id: QueueId) -> SpoolFuture<'_, Leased> {
        self.spool.lease(id)
    }

    fn attempt_begins(&self, id: QueueId, recipients: &[usize]) -> Result<(), SpoolError> {
        self.spool.attempt_begins(id, recipients)?;
        if !self.life.is_over() {
            let world = &self.life.world;
            world.books().attempt_begins(world, id, recipients);
        }
        Ok(())
    }

    fn settle(&self, id: QueueId, changes: Vec<Change>) -> SpoolFuture<'_, Settled> {
        let world = Arc::clone(&self.life.world);
        let places: Vec<usize> = changes.iter().map(|change| change.recipient).collect();
        if !self.life.is_over() {
            world.books().settles(&world, id, &changes);
        }
        Box::pin(async move {
            let settled = self.spool.settle(id, changes).await;
            if !self.life.is_over() {
                let result = match &settled {
                    Ok(settled) => Ok(*settled),
                    Err(error) => {
                        world.note(format_args!("{id} cannot be settled: {error}"));
                        Err(matches!(
                            error,
                            SpoolError::Write { .. } | SpoolError::Read { .. }
                        ))
                    }
                };
                world.books().settled(&world, id, &places, result);
            }
            settled
        })
    }

    fn show(&self, id: QueueId) -> Result<Queued, SpoolError> {
        self.spool.show(id)
    }

    fn names_after(&self, after: Option<QueueId>, limit: usize) -> Vec<QueueId> {
        self.spool.names_after(after, limit)
    }

    fn newest(&self) -> Option<QueueId> {
        self.spool.newest()
    }

    fn len(&self) -> usize {
        self.spool.len()
    }

    fn close(&self) -> SpoolFuture<'_, ()> {
        self.spool.close()
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").finish_non_exhaustive()
    }
}

struct WatchedDraft {
    draft: Box<dyn Draft>,
    content: Vec<u8>,
    life: Life,
}

impl Draft for WatchedDraft {
    fn id(&self) -> QueueId {
        self.draft.id()
    }

    fn write(&mut self, content: &[u8]) -> Result<(), SpoolError> {
        self.draft.write(content)?;
        self.content.extend_from_slice(content);
        Ok(())
    }

    fn octets(&self) -> u64 {
        self.draft.octets()
    }

    fn commit<'a>(
        self: Box<Self>,
        envelope: Envelope,
        first_try: Timestamp,
    ) -> SpoolFuture<'a, Receipt>
    where
        Self: 'a,
    {
        let Self {
            draft,
            content,
            life,
        } = *self;
        Box::pin(async move {
            let (world, id) = (Arc::clone(&life.world), draft.id());
            if !life.is_over() {
                world
                    .books()
                    .commits(&world, id, &envelope, content, first_try);
            }
            let receipt = draft.commit(envelope, first_try).await?;
            if !life.is_over() {
                world.books().durable(&world, id);
            }
            Ok(receipt)
        })
    }
}
