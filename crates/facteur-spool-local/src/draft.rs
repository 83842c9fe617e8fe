//! A message that is coming in: small ones in memory, as the record they will be, large ones in a file.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use facteur_mail::{Envelope, QueueId, Receipt, RecipientState, Timestamp};
use facteur_spool::record::encode_envelope;
use facteur_spool::{Draft, Queued, SpoolError, SpoolFuture};

use crate::body::BodyWriter;
use crate::disk::wide;
use crate::format::{Kind, RECORD_HEADER};
use crate::queue::{Effect, Pending};
use crate::store::Store;

/// The room a new draft takes at once: most messages fit after a doubling or two.
const FIRST_ROOM: usize = 4 << 10;

/// After how much content in a file the free space is looked at again.
const LOOK_AGAIN: u64 = 1 << 20;

pub(crate) struct LocalDraft {
    store: Arc<Store>,
    id: QueueId,
    octets: u64,
    content: Content,
    /// What this draft holds of the memory that all share.
    held: usize,
}

enum Content {
    /// The record as it will be written: room for its header, then the content.
    Memory(Vec<u8>),
    File(Box<BodyWriter>),
}

impl LocalDraft {
    pub(crate) fn new(store: Arc<Store>, id: QueueId) -> Self {
        let mut record = Vec::with_capacity(FIRST_ROOM);
        record.resize(RECORD_HEADER, 0);
        Self {
            store,
            id,
            octets: 0,
            content: Content::Memory(record),
            held: 0,
        }
    }

    /// Takes memory for more content; false if there is none to be had.
    fn hold(&mut self, octets: usize) -> bool {
        let before = self.store.in_memory.fetch_add(octets, Ordering::Relaxed);
        self.held += octets;
        before.saturating_add(octets) <= self.store.config.inline_budget
    }

    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.store.in_memory.fetch_sub(held, Ordering::Relaxed);
    }

    /// Goes on in a file.
    fn spill(&mut self) -> Result<(), SpoolError> {
        if let Content::Memory(record) = &mut self.content {
            let mut file = BodyWriter::create(&self.store.disk, &self.store.paths, self.id)?;
            file.write(record.get(RECORD_HEADER..).unwrap_or_default())?;
            self.content = Content::File(Box::new(file));
            self.release();
        }
        Ok(())
    }

    /// Adds the envelope, with a checksum of its own so that it can be read without the content.
    fn record(
        &self,
        kind: Kind,
        mut record: Vec<u8>,
        envelope: Envelope,
        first_try: Timestamp,
    ) -> Result<Pending, SpoolError> {
        let start = record.len();
        encode_envelope(&envelope, first_try, &mut record)?;
        let crc = crc32c::crc32c(record.get(start..).unwrap_or_default());
        record.extend_from_slice(&crc.to_le_bytes());
        let meta = u32::try_from(record.len() - start).unwrap_or(u32::MAX);
        let waiting = Queued {
            id: self.id,
            octets: self.octets,
            progress: vec![RecipientState::new(first_try); envelope.recipients.len()],
            envelope,
        }
        .waiting();
        let mut pending = Pending::new(kind, self.id, record, meta, Effect::Insert(waiting));
        pending.header.octets = self.octets;
        Ok(pending)
    }

    async fn commit(
        mut self,
        envelope: Envelope,
        first_try: Timestamp,
    ) -> Result<Receipt, SpoolError> {
        if self.store.is_closed() {
            return Err(SpoolError::Closed);
        }
        let pending = match std::mem::replace(&mut self.content, Content::Memory(Vec::new())) {
            Content::Memory(record) => self.record(Kind::Message, record, envelope, first_try)?,
            Content::File(file) => {
                let mut record = vec![0; RECORD_HEADER];
                let crc = if self.store.disk.is_slow() {
                    finish(file).await?
                } else {
                    file.finish()?
                };
                record.extend_from_slice(&crc.to_le_bytes());
                self.record(Kind::Large, record, envelope, first_try)?
            }
        };
        self.store.submit(pending)?.await?;
        Ok(Receipt::mint(self.id))
    }
}

/// Flushes a content in a thread of its own: it may take long, and many are flushed at once.
async fn finish(file: Box<BodyWriter>) -> Result<u32, SpoolError> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            let done = runtime.spawn_blocking(move || file.finish()).await;
            done.unwrap_or(Err(SpoolError::Closed))
        }
        Err(_) => file.finish(),
    }
}

impl Draft for LocalDraft {
    fn id(&self) -> QueueId {
        self.id
    }

    fn write(&mut self, content: &[u8]) -> Result<(), SpoolError> {
        let before = self.octets;
        let limit = wide(self.store.config.inline_limit);
        let small = before.saturating_add(wide(content.len())) <= limit;
        if matches!(self.content, Content::Memory(_)) && !(small && self.hold(content.len())) {
            self.spill()?;
        }
        match &mut self.content {
            Content::Memory(record) => record.extend_from_slice(content),
            Content::File(file) => {
                if before / LOOK_AGAIN != before.saturating_add(wide(content.len())) / LOOK_AGAIN {
                    self.store.check_space(0)?;
                }
                file.write(content)?;
            }
        }
        self.octets = before.saturating_add(wide(content.len()));
        Ok(())
    }

    fn octets(&self) -> u64 {
        self.octets
    }

    fn commit<'a>(
        self: Box<Self>,
        envelope: Envelope,
        first_try: Timestamp,
    ) -> SpoolFuture<'a, Receipt>
    where
        Self: 'a,
    {
        Box::pin((*self).commit(envelope, first_try))
    }
}

impl Drop for LocalDraft {
    fn drop(&mut self) {
        self.release();
    }
}
