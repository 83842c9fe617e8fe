//! What all parts of an open spool share, and how a message is read back.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use facteur_mail::{Clock, Envelope, QueueId, Timestamp};
use facteur_spool::record::{ProgressRecord, decode_envelope, decode_progress};
use facteur_spool::{Body, Queued, SpoolError, Standing, Waiting};

use crate::body;
use crate::compact::Compaction;
use crate::config::Config;
use crate::disk::{Disk, DiskFile, Space, wide};
use crate::failure::Failure;
use crate::format::{Kind, RECORD_HEADER, RecordHeader};
use crate::index::{Entry, Index, Place};
use crate::paths::Paths;
use crate::queue::Queue;
use crate::report::DamageReason;
use crate::writer::Writer;

/// How long a look at the free space holds, in milliseconds.
const SPACE_HOLDS: u64 = 1_000;

/// An open spool. Locks are taken in the order of the fields, each for a moment; `writer` for a write, or for as long as
/// it takes to begin a segment, and nothing but writing takes it.
pub(crate) struct Store {
    pub(crate) config: Config,
    pub(crate) paths: Paths,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What every record begins with.
    pub(crate) mark: u64,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) index: Mutex<Index>,
    pub(crate) queue: Mutex<Queue>,
    /// The open segments by serial number.
    pub(crate) segments: Mutex<BTreeMap<u64, Segment>>,
    pub(crate) last_id: Mutex<Option<QueueId>>,
    pub(crate) compaction: Mutex<Compaction>,
    pub(crate) space: Mutex<Option<(Timestamp, Space)>>,
    /// Why nothing can be written, if so.
    pub(crate) refusal: Mutex<Option<Failure>>,
    pub(crate) listener: Mutex<Option<Listener>>,
    /// Octets of content that open drafts hold in memory.
    pub(crate) in_memory: AtomicUsize,
    /// Whether another process owns the files.
    pub(crate) read_only: bool,
    /// Keeps other processes out.
    pub(crate) _lock: Box<dyn Send + Sync>,
}

pub(crate) type Listener = Arc<dyn Fn(Waiting) + Send + Sync>;

/// An open segment.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) file: Arc<dyn DiskFile>,
    /// The length of its file.
    pub(crate) octets: u64,
}

/// Why a stored record is of no use.
pub(crate) enum Fault {
    Damaged(PathBuf, u64, DamageReason),
    Read(PathBuf, io::Error),
}

/// Where a message lies at one moment; if it has been moved meanwhile, reading begins anew.
#[derive(Clone, PartialEq, Eq)]
struct Whereabouts {
    message: Place,
    meta: u32,
    large: bool,
    octets: u64,
    inline: u64,
    chain: Vec<Place>,
    doubtful: bool,
}

impl From<&Entry> for Whereabouts {
    fn from(entry: &Entry) -> Self {
        Self {
            message: entry.message,
            meta: entry.meta,
            large: entry.large,
            octets: entry.octets,
            inline: entry.inline(),
            chain: entry.chain.clone(),
            doubtful: entry.doubtful,
        }
    }
}

impl Store {
    /// The envelope of a message and where its recipients stand, as the log tells it.
    pub(crate) fn load(
        self: &Arc<Self>,
        id: QueueId,
    ) -> Result<(Envelope, Standing, u64), SpoolError> {
        self.reading(id, |at| {
            let (envelope, first_try) = self.read_meta(at)?;
            let mut standing = Standing::new(envelope.recipients.len(), first_try);
            for place in &at.chain {
                standing.apply(self.read_progress(*place)?);
            }
            if at.doubtful {
                standing.doubt_all();
            }
            Ok((envelope, standing, at.octets))
        })
    }

    /// A message as anybody may see it.
    pub(crate) fn queued(self: &Arc<Self>, id: QueueId) -> Result<Queued, SpoolError> {
        let (envelope, standing, octets) = self.load(id)?;
        let working = {
            let index = lock(&self.index);
            let entry = index.get(id).ok_or(SpoolError::Gone { id })?;
            entry.work.as_ref().map(|work| work.progress().clone())
        };
        Ok(Queued {
            id,
            octets,
            envelope,
            progress: working.unwrap_or_else(|| standing.interrupted().progress().clone()),
        })
    }

    /// The content of a message, its checksum verified.
    pub(crate) fn open_body(self: &Arc<Self>, id: QueueId) -> Result<Body, SpoolError> {
        self.reading(id, |at| {
            let (header, payload) = self.read_record(at.message)?;
            if !at.large {
                let mut content = payload;
                content.truncate(usize::try_from(header.octets).unwrap_or(usize::MAX));
                return Ok(Box::new(Cursor::new(content)) as Body);
            }
            let crc = crate::format::u32_at(&payload, 0);
            body::open(&*self.disk, &self.paths.body(id), at.octets, crc)
        })
    }

    /// Runs `read` on where a message lies; again if it was moved meanwhile. Damage takes it out of the queue.
    fn reading<T>(
        self: &Arc<Self>,
        id: QueueId,
        read: impl Fn(&Whereabouts) -> Result<T, Fault>,
    ) -> Result<T, SpoolError> {
        loop {
            let at = self.whereabouts(id)?;
            let fault = match read(&at) {
                Ok(found) => return Ok(found),
                Err(fault) => fault,
            };
            if self.whereabouts(id)? != at {
                continue;
            }
            return Err(match fault {
                Fault::Read(path, error) => SpoolError::Read { path, error },
                Fault::Damaged(path, offset, reason) => {
                    self.set_aside(id, at.message, reason);
                    SpoolError::Damaged { id, path, offset }
                }
            });
        }
    }

    fn whereabouts(&self, id: QueueId) -> Result<Whereabouts, SpoolError> {
        let index = lock(&self.index);
        let entry = index.get(id).filter(|entry| !entry.leaving);
        entry.map(Into::into).ok_or(SpoolError::Gone { id })
    }

    fn read_meta(&self, at: &Whereabouts) -> Result<(Envelope, Timestamp), Fault> {
        let offset = u64::from(at.message.offset) + wide(RECORD_HEADER) + at.inline;
        let octets = self.read(at.message, offset, at.meta)?;
        let damaged = |reason| self.damaged(at.message, reason);
        let (meta, crc) = octets
            .split_last_chunk()
            .ok_or_else(|| damaged(DamageReason::Checksum))?;
        if crc32c::crc32c(meta) != u32::from_le_bytes(*crc) {
            return Err(damaged(DamageReason::Checksum));
        }
        decode_envelope(meta).map_err(|_| damaged(DamageReason::Envelope))
    }

    fn read_progress(&self, place: Place) -> Result<ProgressRecord, Fault> {
        let (_, payload) = self.read_record(place)?;
        decode_progress(&payload).map_err(|_| self.damaged(place, DamageReason::Envelope))
    }

    /// A whole record: its header and its payload, verified.
    pub(crate) fn read_record(&self, place: Place) -> Result<(RecordHeader, Vec<u8>), Fault> {
        let mut octets = self.read(place, place.offset.into(), place.octets)?;
        let header = RecordHeader::decode(&octets, self.mark, place.serial)
            .ok_or_else(|| self.damaged(place, DamageReason::NoRecord))?;
        octets.drain(..RECORD_HEADER);
        octets.truncate(usize::try_from(header.payload).unwrap_or(usize::MAX));
        if crc32c::crc32c(&octets) != header.crc {
            return Err(self.damaged(place, DamageReason::Checksum));
        }
        Ok((header, octets))
    }

    fn read(&self, place: Place, offset: u64, octets: u32) -> Result<Vec<u8>, Fault> {
        let path = || self.paths.segment(place.serial);
        let file = lock(&self.segments)
            .get(&place.serial)
            .map(|segment| Arc::clone(&segment.file));
        let Some(file) = file else {
            return Err(self.damaged(place, DamageReason::SegmentMissing));
        };
        let mut buffer = vec![0; usize::try_from(octets).unwrap_or_default()];
        match file.read_at(&mut buffer, offset) {
            Ok(read) if read == buffer.len() => Ok(buffer),
            Ok(_) => Err(self.damaged(place, DamageReason::NoRecord)),
            Err(error) => Err(Fault::Read(path(), error)),
        }
    }

    fn damaged(&self, place: Place, reason: DamageReason) -> Fault {
        Fault::Damaged(
            self.paths.segment(place.serial),
            place.offset.into(),
            reason,
        )
    }

    /// Takes a damaged message out of the queue and keeps what is left of it.
    fn set_aside(self: &Arc<Self>, id: QueueId, place: Place, reason: DamageReason) {
        if self.read_only {
            return;
        }
        tracing::error!(%id, reason = reason.name(), "a stored message is damaged and was set aside");
        let Some(entry) = lock(&self.index).remove(id) else {
            return;
        };
        if let Ok(octets) = self.read(place, place.offset.into(), place.octets) {
            body::keep_copy(
                &*self.disk,
                &self.paths,
                place.serial,
                place.offset.into(),
                &octets,
            );
        }
        let aside = crate::queue::Pending::bare(Kind::Aside, id, crate::queue::Effect::Note);
        // If it is not written, the damage is found again at the next start.
        if let Ok(true) = self.submit_unwaited(aside) {
            self.lead();
        }
        if entry.large {
            body::move_aside(&*self.disk, &self.paths, id);
        }
    }

    /// The next queue id.
    pub(crate) fn next_id(&self, now: Timestamp) -> QueueId {
        let mut last = lock(&self.last_id);
        let id = QueueId::next(now, *last);
        *last = Some(id);
        id
    }

    pub(crate) fn announce(&self, waiting: Waiting) {
        let listener = lock(&self.listener).clone();
        if let Some(listener) = listener {
            listener(waiting);
        }
    }

    /// Why nothing can be written, if so.
    pub(crate) fn refusing(&self) -> Option<Failure> {
        lock(&self.refusal).clone()
    }

    pub(crate) fn refuse(&self, failure: &Failure) {
        *lock(&self.refusal) = Some(failure.clone());
    }

    pub(crate) fn recovered(&self) {
        if lock(&self.refusal).take().is_some() {
            tracing::info!("the spool can write again");
        }
    }

    /// The free space, looked up at most once a second.
    pub(crate) fn space(&self) -> io::Result<Space> {
        let now = self.clock.now();
        let mut known = lock(&self.space);
        if let Some((at, space)) = *known
            && now.since(at).as_millis() < u128::from(SPACE_HOLDS)
        {
            return Ok(space);
        }
        let space = self.disk.space(self.paths.root())?;
        *known = Some((now, space));
        Ok(space)
    }

    /// Refuses when what would be left is less than the reserve, or less than `wanted`.
    pub(crate) fn check_space(&self, wanted: u64) -> Result<(), SpoolError> {
        let space = self.space().map_err(|error| SpoolError::Write {
            path: self.paths.root().to_owned(),
            error,
        })?;
        let percent = space.total / 100 * self.config.reserve_percent;
        let wanted = wanted.max(percent.min(self.config.reserve_most));
        if space.free < wanted {
            return Err(SpoolError::Full {
                free: space.free,
                wanted,
            });
        }
        Ok(())
    }

    pub(crate) fn segment_grew(&self, serial: u64, octets: u64) {
        if let Some(segment) = lock(&self.segments).get_mut(&serial) {
            segment.octets = octets;
        }
    }

    /// The oldest segment, if nothing in it is needed any more. Older records are only ever needed together with
    /// younger ones, never the other way round: a message comes before its end. So segments go oldest first.
    pub(crate) fn take_spare(&self, current: Option<u64>) -> Option<(u64, Segment)> {
        let index = lock(&self.index);
        let mut segments = lock(&self.segments);
        let oldest = *segments.keys().next()?;
        if Some(oldest) == current || index.live_in(oldest) > 0 {
            return None;
        }
        segments.remove(&oldest).map(|segment| (oldest, segment))
    }

    /// Whether there is anything for [`Store::take_spare`].
    pub(crate) fn has_spare(&self, current: Option<u64>) -> bool {
        let index = lock(&self.index);
        let oldest = lock(&self.segments).keys().next().copied();
        oldest.is_some_and(|serial| Some(serial) != current && index.live_in(serial) == 0)
    }

    /// Gives back what [`Store::take_spare`] took: its file is still there, so no younger one may go.
    pub(crate) fn put_back(&self, serial: u64, segment: Segment) {
        lock(&self.segments).insert(serial, segment);
    }

    /// Removes segments that are no longer needed, but for one to use again. For whoever leads.
    pub(crate) fn reclaim(&self) {
        let current = lock(&self.writer).serial();
        while self.has_two_spares(current) {
            let Some((serial, segment)) = self.take_spare(current) else {
                return;
            };
            let path = self.paths.segment(serial);
            // An older one must not come back when this one is gone for good.
            let settled = self.disk.sync_directory(&self.paths.log());
            if let Err(error) = settled.and_then(|()| self.disk.remove(&path)) {
                tracing::warn!(segment = %path.display(), %error, "a used-up segment cannot be removed");
                self.put_back(serial, segment);
                return;
            }
        }
    }

    fn has_two_spares(&self, current: Option<u64>) -> bool {
        let index = lock(&self.index);
        let segments = lock(&self.segments);
        let mut oldest = segments.keys().take(2);
        let spare = |serial: &u64| Some(*serial) != current && index.live_in(*serial) == 0;
        oldest.len() == 2 && oldest.all(spare)
    }

    /// Octets of all segments.
    pub(crate) fn log_octets(&self) -> u64 {
        lock(&self.segments)
            .values()
            .map(|segment| segment.octets)
            .sum()
    }

    pub(crate) fn remove_body(&self, id: QueueId) {
        let path = self.paths.body(id);
        if let Err(error) = self.disk.remove(&path) {
            tracing::warn!(file = %path.display(), %error, "a delivered content cannot be removed");
        }
    }
}

/// As [`lock`], if nobody has it.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Nothing under these locks panics half way through a change; after a panic of somebody else the data is whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
