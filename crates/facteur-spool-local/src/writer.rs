//! The end of the log: what is written to the current segment, what a flush of it covers, and what becomes of it all
//! when either fails. (`room` makes the room for it.)
//!
//! After a failed write or flush the file is never flushed again: the kernel may have dropped the pages and would
//! report success. Everything in it that no flush has covered has failed, whoever wrote it. The next segment's
//! header says up to where the failed one counts, so that nothing of what was not acknowledged is believed after a
//! restart.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;

use facteur_mail::{QueueId, Timestamp};

use crate::commit::Ended;
use crate::disk::{DiskFile, wide};
use crate::failure::Failure;
use crate::format::{Kind, RECORD_HEADER};
use crate::index::{Entry, Index, Place};
use crate::queue::{Effect, Pending};
use crate::store::{Store, lock};

/// Who writes. One thread at a time, behind a lock that is never held during a flush that others wait for, except to
/// begin a segment.
pub(crate) struct Writer {
    pub(crate) current: Option<Current>,
    pub(crate) next_serial: u64,
    sequence: u64,
    /// The segment before the next one.
    pub(crate) previous: Previous,
    /// What is written to the current segment and not flushed, in the order of the log.
    written: VecDeque<Written>,
    /// How many of these, from the first on, the flush under way covers.
    flushing: usize,
    /// Records in the index that no flush has covered: marks of attempts.
    pub(crate) unflushed: Vec<(QueueId, Place)>,
    /// When a spool that cannot write tries again.
    pub(crate) retry_at: Timestamp,
    /// There was no room, and when it is looked for again.
    pub(crate) short: Option<(Failure, Timestamp)>,
    /// How much room is kept for outcomes, in octets.
    pub(crate) kept: u64,
    /// What is to be told.
    pub(crate) ended: Ended,
}

/// The segment that is written.
pub(crate) struct Current {
    pub(crate) serial: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    /// Where the next record goes.
    pub(crate) end: u64,
    /// Everything before this has been flushed.
    pub(crate) durable: u64,
    /// Up to here the file is zero-filled or was used before.
    pub(crate) allocated: u64,
}

/// A segment that is no longer written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Previous {
    pub(crate) serial: u64,
    /// Everything before this has been flushed.
    pub(crate) durable: u64,
    /// Nothing behind this counts.
    pub(crate) end: u64,
}

/// A record in the current segment.
struct Written {
    pending: Pending,
    place: Place,
}

/// A flush under way.
pub(crate) struct Flush {
    pub(crate) file: Arc<dyn DiskFile>,
    serial: u64,
    /// It covers everything before this.
    end: u64,
}

impl Writer {
    /// A writer behind what a scan found; it has no segment yet.
    pub(crate) fn new(next_serial: u64, sequence: u64, previous: Previous) -> Self {
        Self {
            current: None,
            next_serial,
            sequence,
            previous,
            written: VecDeque::new(),
            flushing: 0,
            unflushed: Vec::new(),
            retry_at: Timestamp::from_millis(0),
            short: None,
            kept: 0,
            ended: Ended::default(),
        }
    }

    /// The serial number of the segment that is written.
    pub(crate) fn serial(&self) -> Option<u64> {
        self.current.as_ref().map(|current| current.serial)
    }

    /// Whether anything waits for a flush, or to be told that it needs none.
    pub(crate) fn has_written(&self) -> bool {
        !self.written.is_empty()
    }

    /// What is written and waits for a flush.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Pending> {
        self.written.iter().map(|written| &written.pending)
    }

    /// Writes a batch for which there is room.
    pub(crate) fn write(&mut self, store: &Store, mut batch: Vec<Pending>) {
        if batch.is_empty() {
            return;
        }
        let Some(current) = &self.current else {
            return self.take_back(store, batch, &Failure::Closed);
        };
        let (serial, start, durable) = (current.serial, current.end, current.durable);
        let file = Arc::clone(&current.file);
        let places = self.place(store, &mut batch, serial, start, durable);
        let mut parts: Vec<IoSlice<'_>> = batch
            .iter()
            .map(|pending| IoSlice::new(&pending.record))
            .collect();
        if let Err(error) = file.write_at(&mut parts, start) {
            self.give_up(store, &error, batch);
            return;
        }
        if let Some(current) = &mut self.current {
            current.end += octets(&batch);
        }
        let records = batch.into_iter().zip(places);
        self.written
            .extend(records.map(|(pending, place)| Written { pending, place }));
        self.pass_lazy(store);
    }

    /// Gives each record its place and fills in its header.
    fn place(
        &mut self,
        store: &Store,
        batch: &mut [Pending],
        serial: u64,
        mut offset: u64,
        durable: u64,
    ) -> Vec<Place> {
        let mut places = Vec::with_capacity(batch.len());
        for pending in batch {
            self.sequence += 1;
            pending.header.serial = serial;
            pending.header.sequence = self.sequence;
            pending.header.durable = u32::try_from(durable).unwrap_or_default();
            let header = pending.header.encode(store.mark);
            if let Some(place) = pending.record.get_mut(..RECORD_HEADER) {
                place.copy_from_slice(&header);
            }
            places.push(Place {
                serial,
                offset: u32::try_from(offset).unwrap_or(u32::MAX),
                octets: pending.header.whole(),
            });
            offset += wide(pending.record.len());
        }
        places
    }

    /// If nothing that is written needs a flush, it counts at once. Behind something that needs one it waits with it:
    /// what becomes true becomes true in the order of the log.
    fn pass_lazy(&mut self, store: &Store) {
        if self.flushing == 0 && self.written().all(Pending::is_lazy) {
            let passed = std::mem::take(&mut self.written);
            let marks = passed
                .iter()
                .map(|written| (written.pending.header.id, written.place));
            self.unflushed.extend(marks);
            self.count(store, passed);
        }
    }

    /// Begins a flush of everything that is written, if there is anything. The file must be flushed and
    /// [`Writer::end_flush`] called.
    pub(crate) fn begin_flush(&mut self) -> Option<Flush> {
        let current = self.current.as_ref().filter(|_| self.has_written())?;
        self.flushing = self.written.len();
        Some(Flush {
            file: Arc::clone(&current.file),
            serial: current.serial,
            end: current.end,
        })
    }

    /// What the flush covered has happened; or nothing has that was written to its file since the last one.
    pub(crate) fn end_flush(&mut self, store: &Store, flush: &Flush, result: &io::Result<()>) {
        let current = self.current.as_mut();
        // If a write has failed meanwhile, the file was given up and everybody told: nothing of it may count now.
        let Some(current) = current.filter(|current| current.serial == flush.serial) else {
            return;
        };
        if let Err(error) = result {
            self.give_up(store, error, Vec::new());
            return;
        }
        current.durable = flush.end;
        self.unflushed
            .retain(|(_, place)| u64::from(place.offset) >= flush.end);
        let covered = self.written.drain(..self.flushing).collect();
        self.flushing = 0;
        self.count(store, covered);
        self.pass_lazy(store);
    }

    /// Flushes while the writer is locked. Only for who leads, who has no flush under way.
    pub(crate) fn flush_now(&mut self, store: &Store) -> Result<(), Failure> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        if current.durable < current.end {
            if let Err(error) = current.file.sync() {
                return Err(self.give_up(store, &error, Vec::new()));
            }
            current.durable = current.end;
        }
        self.unflushed.clear();
        let covered = std::mem::take(&mut self.written);
        self.count(store, covered);
        Ok(())
    }

    /// Makes the effects of records true.
    fn count(&mut self, store: &Store, records: VecDeque<Written>) {
        let mut index = lock(&store.index);
        for Written { mut pending, place } in records {
            match std::mem::replace(&mut pending.effect, Effect::Note) {
                Effect::Insert(new) => {
                    index.insert(pending.header.id, entry(&pending, place));
                    self.ended.news.push(new);
                }
                Effect::Copy(id) => {
                    if index.get(id).is_some() {
                        index.insert(id, entry(&pending, place));
                    }
                }
                Effect::Progress { id, .. } | Effect::Begins(id) => {
                    index.progress(id, place, pending.header.meta > 0);
                }
                Effect::Gone(id) => {
                    let entry = index.remove(id).filter(|entry| entry.large);
                    self.ended.gone.extend(entry.map(|_| id));
                }
                Effect::Note => {}
            }
            self.ended.told.push((pending, Ok(())));
        }
    }

    /// Gives the current segment up for good, with everything in it that no flush has covered, and with `batch`.
    pub(crate) fn give_up(
        &mut self,
        store: &Store,
        error: &io::Error,
        batch: Vec<Pending>,
    ) -> Failure {
        let Some(current) = self.current.take() else {
            self.take_back(store, batch, &Failure::Closed);
            return Failure::Closed;
        };
        let path = store.paths.segment(current.serial);
        tracing::error!(
            segment = %path.display(), %error, durable = current.durable,
            "writing failed; the segment is closed and nothing that waited is acknowledged"
        );
        self.previous = Previous {
            serial: current.serial,
            durable: current.durable,
            end: current.durable,
        };
        let failure = Failure::write(path, error);
        store.refuse(&failure);
        let mut index = lock(&store.index);
        for (id, place) in self.unflushed.drain(..) {
            index.forget(id, place);
        }
        drop(index);
        self.flushing = 0;
        let written = std::mem::take(&mut self.written);
        let records = written.into_iter().map(|written| written.pending);
        self.take_back(store, records.chain(batch).collect(), &failure);
        failure
    }

    /// Records that were not written, or do not count. Whatever is queued behind them may rest on them, and fails with
    /// them; nothing new is queued meanwhile, as that needs the index.
    pub(crate) fn take_back(&mut self, store: &Store, mut records: Vec<Pending>, why: &Failure) {
        let mut index = lock(&store.index);
        let mut queue = lock(&store.queue);
        records.extend(queue.pending.drain(..));
        queue.urgent = false;
        drop(queue);
        undo(&mut index, &records);
        drop(index);
        let told = records.into_iter().map(|record| (record, Err(why.clone())));
        self.ended.told.extend(told);
    }

    /// Records for which there is no room, and which can wait until there is.
    pub(crate) fn refuse(&mut self, store: &Store, records: Vec<Pending>, why: &Failure) {
        let mut index = lock(&store.index);
        for pending in records {
            match pending.effect {
                Effect::Progress { id, .. } => index.not_written(id, true),
                // What memory knows of it stays true: the attempt goes on, and only a crash will not know of it.
                Effect::Begins(id) => index.not_written(id, false),
                Effect::Insert(_) | Effect::Copy(_) | Effect::Gone(_) | Effect::Note => {}
            }
            self.ended.told.push((pending, Err(why.clone())));
        }
    }
}

fn entry(pending: &Pending, place: Place) -> Entry {
    let header = &pending.header;
    Entry::new(
        place,
        header.meta,
        header.kind == Kind::Large,
        header.octets,
    )
}

/// Takes back what was assumed when the records were queued.
fn undo(index: &mut Index, records: &[Pending]) {
    for pending in records {
        let (Effect::Progress { id, .. } | Effect::Begins(id) | Effect::Gone(id)) = &pending.effect
        else {
            continue;
        };
        if let Some(entry) = index.get_mut(*id) {
            entry.leaving = false;
            entry.in_flight = entry.in_flight.saturating_sub(1);
            entry.work = None;
        }
    }
}

/// The octets of a batch in the log.
pub(crate) fn octets(batch: &[Pending]) -> u64 {
    batch.iter().map(|pending| wide(pending.record.len())).sum()
}
