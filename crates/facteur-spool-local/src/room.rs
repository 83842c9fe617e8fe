//! Room for what is written: how a segment grows, what follows it when it is full, and what is still written when the
//! disk is.
//!
//! A segment is zero-filled ahead of its records, so that a flush need not write metadata, and a full one whose
//! messages have all gone is used again. A part of what is zero-filled is kept for outcomes: a full disk must not stop
//! the queue from shrinking, nor make it forget what it has delivered.

use std::io::{self, IoSlice};

use facteur_mail::{QueueId, Timestamp};

use crate::disk::DiskFile;
use crate::failure::{Failure, is_no_room};
use crate::format::{FIRST_RECORD, SegmentHeader};
use crate::queue::Pending;
use crate::store::{Segment, Store, lock};
use crate::writer::{Current, Previous, Writer, octets};

/// How long a spool that cannot write, or has no room, waits before it tries again, in milliseconds.
const RETRY: u64 = 1_000;

/// Room that is kept for outcomes when nothing else fits, in octets …
const OUTCOME_ROOM: u64 = 256 << 10;

/// … and for each message in the queue: a record that it has gone, and a few that some of its recipients have it. In
/// all not more than an eighth of a segment.
const OUTCOME_ROOM_EACH: u64 = 512;

/// Zeros are written from this, many times in one call.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// What there is room for.
enum Room {
    Everything,
    /// The last of it: for outcomes, and why.
    Outcomes(Failure),
}

impl Writer {
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

    /// Makes room for a batch. What there is no room for is taken out and told so.
    pub(crate) fn make_room(&mut self, store: &Store, batch: Vec<Pending>) -> Vec<Pending> {
        let room = self
            .ensure(store)
            .and_then(|()| self.reserve(store, octets(&batch)));
        let why = match room {
            Ok(Room::Everything) => return batch,
            Ok(Room::Outcomes(why)) => why,
            Err(why) if self.current.is_some() => why,
            Err(why) => {
                self.take_back(store, batch, &why);
                return Vec::new();
            }
        };
        // What is taken back must not rest on something whose end is not known.
        if let Err(failure) = self.flush_now(store) {
            self.take_back(store, batch, &failure);
            return Vec::new();
        }
        let (outcomes, rest): (Vec<_>, Vec<_>) = batch.into_iter().partition(Pending::is_outcome);
        let wanted = octets(&rest);
        let full = if why.is_no_room() {
            Failure::Full { free: 0, wanted }
        } else {
            why
        };
        self.refuse(store, rest, &full);
        match self.reserve(store, octets(&outcomes)) {
            Ok(_) => outcomes,
            Err(failure) => {
                self.take_back(store, outcomes, &failure);
                Vec::new()
            }
        }
    }

    /// How many octets can be written without making room.
    pub(crate) fn room_at_hand(&self) -> usize {
        let room = self.current.as_ref().map_or(0, |current| {
            current.allocated.saturating_sub(current.end + self.kept)
        });
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    /// Makes room for `octets` more, in this segment or the next one.
    fn reserve(&mut self, store: &Store, octets: u64) -> Result<Room, Failure> {
        let size = store.config.segment_size;
        let messages = u64::try_from(lock(&store.index).len()).unwrap_or(u64::MAX);
        let outcomes = messages.saturating_mul(OUTCOME_ROOM_EACH);
        self.kept = OUTCOME_ROOM.saturating_add(outcomes).min(size / 8);
        let grown = self.grow_or_go_on(store, octets, size);
        let fits = self
            .current
            .as_ref()
            .is_some_and(|current| current.end + octets <= current.allocated);
        match grown {
            Ok(()) => Ok(Room::Everything),
            Err(failure) if fits => Ok(Room::Outcomes(failure)),
            Err(failure) => Err(failure),
        }
    }

    fn grow_or_go_on(&mut self, store: &Store, octets: u64, size: u64) -> Result<(), Failure> {
        let Some(current) = &self.current else {
            return Err(Failure::Closed);
        };
        let needed = current.end + octets + self.kept;
        let full = current.end > FIRST_RECORD && needed > size;
        if !full && needed <= current.allocated {
            return Ok(());
        }
        let now = store.clock.now();
        let spare = store.has_spare(self.serial());
        match &self.short {
            // A used-up segment is room as well, and may have come up since.
            Some((failure, until)) if now < *until && !spare => return Err(failure.clone()),
            Some(_) | None => self.short = None,
        }
        let mut grown = if full {
            self.next_segment(store)
                .and_then(|()| self.grow(store, octets))
        } else {
            self.grow(store, octets)
        };
        if !full && spare && matches!(&grown, Err(failure) if failure.is_no_room()) {
            grown = self
                .next_segment(store)
                .and_then(|()| self.grow(store, octets));
        }
        if let Err(failure) = &grown
            && failure.is_no_room()
        {
            let until = Timestamp::from_millis(now.as_millis().saturating_add(RETRY));
            self.short = Some((failure.clone(), until));
        }
        grown
    }

    /// Zero-fills the current segment ahead of what is to be written.
    fn grow(&mut self, store: &Store, octets: u64) -> Result<(), Failure> {
        let Some(current) = &mut self.current else {
            return Err(Failure::Closed);
        };
        let needed = current.end + octets + self.kept;
        if needed <= current.allocated {
            return Ok(());
        }
        let step = store.config.segment_step.max(FIRST_RECORD);
        let target = needed.next_multiple_of(step);
        let filled = zero_fill(&*current.file, current.allocated, target);
        // What a full disk still gave is room.
        current.allocated = match (&filled, current.file.octets()) {
            (Ok(()), _) => target,
            (Err(_), Ok(octets)) => current.allocated.max(octets),
            (Err(_), Err(_)) => current.allocated,
        };
        store.segment_grew(current.serial, current.allocated);
        let Err(error) = filled else { return Ok(()) };
        if is_no_room(error.kind()) {
            return Err(Failure::write(store.paths.segment(current.serial), &error));
        }
        Err(self.give_up(store, &error, Vec::new()))
    }

    /// Begins the next segment, in an old file if one is no longer needed.
    pub(crate) fn next_segment(&mut self, store: &Store) -> Result<(), Failure> {
        // What the header calls the end of the segment before must have been flushed, and must count: a segment whose
        // records are not in the index yet would be taken for one that can be used again.
        self.flush_now(store)?;
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
