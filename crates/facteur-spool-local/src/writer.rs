//! The end of the log: the segment that is written, how it grows, and what follows it when it is full or has failed.
//!
//! A segment is zero-filled ahead of its records, so that a flush need not write metadata, and a full one
//! whose messages have all gone is used again. After a failed write or flush the file is never flushed again:
//! the kernel may have dropped the pages and would report success. The next segment's header says up to
//! where the failed one counts, so that nothing of what was not acknowledged is believed after a restart.

use std::io::{self, IoSlice};
use std::sync::Arc;

use facteur_mail::{QueueId, Timestamp};

use crate::disk::{DiskFile, wide};
use crate::failure::{Failure, is_no_room};
use crate::format::{FIRST_RECORD, RECORD_HEADER, SegmentHeader};
use crate::index::Place;
use crate::queue::{Effect, Pending};
use crate::store::{Segment, Store, lock};

/// How long a spool that cannot write waits before it tries again, in milliseconds.
const RETRY: u64 = 1_000;

/// Room that is kept for settlements when new mail no longer fits, in octets: a full disk must not stop the queue
/// from shrinking. Never more than an eighth of a segment.
const SETTLEMENT_ROOM: u64 = 256 << 10;

/// Zeros are written from this, many times in one call.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Who writes. One thread at a time, behind a lock that nothing but writing needs.
pub(crate) struct Writer {
    current: Option<Current>,
    next_serial: u64,
    sequence: u64,
    /// The segment before the next one.
    previous: Previous,
    /// Records in the index that no flush has covered: marks of attempts.
    unflushed: Vec<(QueueId, Place)>,
    retry_at: Timestamp,
}

struct Current {
    serial: u64,
    file: Arc<dyn DiskFile>,
    /// Where the next record goes.
    end: u64,
    /// Everything before this has been flushed.
    durable: u64,
    /// Up to here the file is zero-filled or was used before.
    allocated: u64,
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

/// What became of a batch.
pub(crate) struct Appended {
    /// Where each record of the batch lies.
    pub(crate) places: Vec<Place>,
    /// What was taken out of the batch, and why.
    pub(crate) refused: Vec<(Pending, Failure)>,
    /// Whether the rest is durable.
    pub(crate) result: Result<(), Failure>,
}

/// What there is room for.
enum Room {
    Everything,
    /// The last of it: for what makes the queue smaller, and why.
    Settlements(Failure),
}

impl Writer {
    /// A writer behind what a scan found; it has no segment yet.
    pub(crate) const fn new(next_serial: u64, sequence: u64, previous: Previous) -> Self {
        Self {
            current: None,
            next_serial,
            sequence,
            previous,
            unflushed: Vec::new(),
            retry_at: Timestamp::from_millis(0),
        }
    }

    /// The serial number of the segment that is written.
    pub(crate) fn serial(&self) -> Option<u64> {
        self.current.as_ref().map(|current| current.serial)
    }

    /// Makes sure that there is a segment to write to.
    pub(crate) fn ensure(&mut self, store: &Store) -> Result<(), Failure> {
        if self.current.is_some() {
            return Ok(());
        }
        let now = store.clock.now();
        if let Some(failure) = store.refusing().filter(|_| now < self.retry_at) {
            return Err(failure);
        }
        match self.next_segment(store) {
            Ok(()) => {
                store.recovered();
                Ok(())
            }
            Err(failure) => {
                self.retry_at = Timestamp::from_millis(now.as_millis().saturating_add(RETRY));
                store.refuse(&failure);
                Err(failure)
            }
        }
    }

    /// Writes a batch, and flushes it unless all of it may be lost. Mail for which there is no room is taken out.
    pub(crate) fn append(&mut self, store: &Store, batch: &mut Vec<Pending>) -> Appended {
        let mut refused = Vec::new();
        let places = match self.make_room(store, batch, &mut refused) {
            Ok(()) => self.place(store, batch),
            Err(failure) => {
                return Appended {
                    places: Vec::new(),
                    refused,
                    result: Err(failure),
                };
            }
        };
        let lazy = batch.iter().all(Pending::is_lazy);
        let written = self.write(batch, lazy);
        let result = written.map_err(|error| self.fail(store, &error));
        if result.is_ok() {
            let marks = batch.iter().zip(&places);
            if lazy {
                let marks = marks.map(|(pending, place)| (pending.header.id, *place));
                self.unflushed.extend(marks);
            } else {
                self.unflushed.clear();
            }
        }
        Appended {
            places,
            refused,
            result,
        }
    }

    fn make_room(
        &mut self,
        store: &Store,
        batch: &mut Vec<Pending>,
        refused: &mut Vec<(Pending, Failure)>,
    ) -> Result<(), Failure> {
        self.ensure(store)?;
        let why = match self.reserve(store, octets(batch)) {
            Ok(Room::Everything) => return Ok(()),
            Ok(Room::Settlements(why)) => why,
            Err(why) if self.current.is_some() => why,
            Err(why) => return Err(why),
        };
        let all = std::mem::take(batch);
        let (mail, rest): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|pending| matches!(pending.effect, Effect::Insert(_) | Effect::Copy(_)));
        *batch = rest;
        let wanted = octets(&mail);
        let why = if why.is_no_room() {
            Failure::Full { free: 0, wanted }
        } else {
            why
        };
        refused.extend(mail.into_iter().map(|pending| (pending, why.clone())));
        self.reserve(store, octets(batch)).map(|_| ())
    }

    /// Makes room for `octets` more, in this segment or the next one.
    fn reserve(&mut self, store: &Store, octets: u64) -> Result<Room, Failure> {
        let size = store.config.segment_size;
        let margin = SETTLEMENT_ROOM.min(size / 8);
        let full = self.current.as_ref().is_some_and(|current| {
            current.end > FIRST_RECORD && current.end + octets + margin > size
        });
        let grown = if full {
            self.next_segment(store)
                .and_then(|()| self.grow(store, octets, margin))
        } else {
            self.grow(store, octets, margin)
        };
        let fits = self
            .current
            .as_ref()
            .is_some_and(|current| current.end + octets <= current.allocated);
        match grown {
            Ok(()) => Ok(Room::Everything),
            Err(failure) if fits => Ok(Room::Settlements(failure)),
            Err(failure) => Err(failure),
        }
    }

    /// Zero-fills the current segment ahead of what is to be written.
    fn grow(&mut self, store: &Store, octets: u64, margin: u64) -> Result<(), Failure> {
        let Some(current) = &mut self.current else {
            return Err(Failure::Closed);
        };
        let needed = current.end + octets + margin;
        if needed <= current.allocated {
            return Ok(());
        }
        let step = store.config.segment_step.max(FIRST_RECORD);
        let target = needed.next_multiple_of(step);
        if let Err(error) = zero_fill(&*current.file, current.allocated, target) {
            let failure = Failure::write(store.paths.segment(current.serial), &error);
            if is_no_room(error.kind()) {
                return Err(failure);
            }
            return Err(self.fail(store, &error));
        }
        current.allocated = target;
        store.segment_grew(current.serial, target);
        Ok(())
    }

    /// Gives each record its place and fills in its header.
    fn place(&mut self, store: &Store, batch: &mut [Pending]) -> Vec<Place> {
        let Some(current) = &mut self.current else {
            return Vec::new();
        };
        let mut offset = current.end;
        let mut places = Vec::with_capacity(batch.len());
        for pending in batch {
            self.sequence += 1;
            pending.header.serial = current.serial;
            pending.header.sequence = self.sequence;
            pending.header.durable = u32::try_from(current.durable).unwrap_or_default();
            let header = pending.header.encode(store.mark);
            if let Some(place) = pending.record.get_mut(..RECORD_HEADER) {
                place.copy_from_slice(&header);
            }
            places.push(Place {
                serial: current.serial,
                offset: u32::try_from(offset).unwrap_or(u32::MAX),
                octets: pending.header.whole(),
            });
            offset += wide(pending.record.len());
        }
        places
    }

    /// One write and, unless lazy, one flush.
    fn write(&mut self, batch: &[Pending], lazy: bool) -> io::Result<()> {
        let Some(current) = &mut self.current else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let mut parts: Vec<IoSlice<'_>> = batch
            .iter()
            .map(|pending| IoSlice::new(&pending.record))
            .collect();
        current.file.write_at(&mut parts, current.end)?;
        current.end += octets(batch);
        if !lazy {
            current.file.sync()?;
            current.durable = current.end;
        }
        Ok(())
    }

    /// Gives the current segment up for good.
    fn fail(&mut self, store: &Store, error: &io::Error) -> Failure {
        let Some(current) = self.current.take() else {
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
        let mut index = lock(&store.index);
        for (id, place) in self.unflushed.drain(..) {
            index.forget(id, place);
        }
        drop(index);
        let failure = Failure::write(path, error);
        store.refuse(&failure);
        failure
    }

    /// Begins the next segment, in an old file if one is no longer needed.
    fn next_segment(&mut self, store: &Store) -> Result<(), Failure> {
        // What the header calls the end of the segment before must have been flushed.
        if let Some(current) = &self.current
            && current.durable < current.end
            && let Err(error) = current.file.sync()
        {
            return Err(self.fail(store, &error));
        }
        let previous = self
            .current
            .as_ref()
            .map_or(self.previous, |current| Previous {
                serial: current.serial,
                durable: current.end,
                end: current.end,
            });
        let serial = self.next_serial;
        self.next_serial += 1;
        let header = SegmentHeader {
            mark: store.mark,
            serial,
            previous: previous.serial,
            previous_durable: previous.durable,
            previous_end: previous.end,
            last_id: lock(&store.last_id).map_or(0, QueueId::number),
        };
        let prepared = prepare_segment(store, serial, self.serial())?;
        if let Err(failure) = begin_segment(store, &header, &prepared) {
            // Its header may be on disk and say where the segment before it ends: that one must not grow. The file
            // holds nothing and takes its place among those to be used again.
            store.put_back(serial, prepared);
            self.current = None;
            self.previous = previous;
            store.refuse(&failure);
            return Err(failure);
        }
        self.unflushed.clear();
        self.previous = previous;
        self.current = Some(Current {
            serial,
            file: prepared.file,
            end: FIRST_RECORD,
            durable: FIRST_RECORD,
            allocated: prepared.octets,
        });
        Ok(())
    }
}

fn octets(batch: &[Pending]) -> u64 {
    batch.iter().map(|pending| wide(pending.record.len())).sum()
}

/// A file for a segment: the oldest one if all its messages have gone, or a new one. Its content says nothing yet.
fn prepare_segment(store: &Store, serial: u64, current: Option<u64>) -> Result<Segment, Failure> {
    let path = store.paths.segment(serial);
    if let Some((old, segment)) = store.take_spare(current) {
        // Older ones that were removed must not come back when this one is gone.
        let settled = store.disk.sync_directory(&store.paths.log());
        let renamed = settled.and_then(|()| store.disk.rename(&store.paths.segment(old), &path));
        return match renamed {
            Ok(()) => Ok(segment),
            Err(error) => {
                store.put_back(old, segment);
                Err(Failure::write(path, &error))
            }
        };
    }
    let octets = store.config.segment_step.max(FIRST_RECORD);
    let made = store.disk.create(&path).and_then(|file| {
        zero_fill(&*file, 0, octets)?;
        file.sync()?;
        Ok(Segment { file, octets })
    });
    made.map_err(|error| {
        // A file without a header is passed over by a scan; removing it is a courtesy.
        if store.disk.remove(&path).is_err() {
            tracing::debug!(segment = %path.display(), "a half-made segment stays");
        }
        Failure::write(path, &error)
    })
}

/// Writes the header that makes the file a segment; durable, name and all.
fn begin_segment(store: &Store, header: &SegmentHeader, segment: &Segment) -> Result<(), Failure> {
    let start = header.encode();
    let begun = segment
        .file
        .write_at(&mut [IoSlice::new(&start)], 0)
        .and_then(|()| segment.file.sync())
        .and_then(|()| store.disk.sync_directory(&store.paths.log()));
    begun.map_err(|error| Failure::write(store.paths.segment(header.serial), &error))?;
    lock(&store.segments).insert(header.serial, segment.clone());
    Ok(())
}

fn zero_fill(file: &dyn DiskFile, from: u64, to: u64) -> io::Result<()> {
    let mut left = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
    let mut parts = Vec::with_capacity(left / ZEROS.len() + 1);
    while left > 0 {
        let some = ZEROS.get(..left).unwrap_or(&ZEROS);
        parts.push(IoSlice::new(some));
        left -= some.len();
    }
    file.write_at(&mut parts, from)
}
