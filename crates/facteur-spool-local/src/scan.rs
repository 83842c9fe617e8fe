//! Reading the log: which messages are queued, and what is damaged. It changes nothing on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use facteur_mail::QueueId;
use facteur_spool::SpoolError;

use crate::disk::{Disk, DiskFile, wide};
use crate::format::{
    ALIGN, FIRST_RECORD, Kind, RECORD_HEADER, RecordHeader, SegmentHeader, SegmentStart, u64_at,
};
use crate::index::{Entry, Index, Place};
use crate::paths::Paths;
use crate::report::{Damage, DamageReason};

/// How much is read at once.
const CHUNK: usize = 1 << 20;

/// How much an unreadable stretch is taken to be, at least.
const PAGE: usize = 4_096;

/// What the log says.
pub(crate) struct Scan {
    pub(crate) index: Index,
    /// Progress of messages that were copied to a later segment, without their progress: a crash came in between, and the
    /// segment with the first copy has been used again since.
    early: BTreeMap<QueueId, Early>,
    pub(crate) damaged: Vec<Damage>,
    /// Octets behind the last sound record of an unclosed segment that are not zero-filled room.
    pub(crate) torn: u64,
    pub(crate) segments: BTreeMap<u64, Found>,
    /// Files that were being taken for a new segment: their header and their name disagree, and they hold nothing.
    pub(crate) unfinished: Vec<PathBuf>,
    /// The highest serial number given.
    pub(crate) last_serial: u64,
    /// The spool's mark, if a segment told it.
    pub(crate) mark: Option<u64>,
    pub(crate) last_id: Option<QueueId>,
    pub(crate) sequence: u64,
    pub(crate) closed: bool,
}

/// A segment on disk.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) octets: u64,
    pub(crate) start: SegmentStart,
    /// Behind its last sound record.
    pub(crate) end: u64,
    /// Whether the start of a later segment tells where it ends.
    pub(crate) sealed: bool,
    /// Up to here it is known to have been flushed.
    pub(crate) durable: u64,
    /// Where the first torn write begins, if anything sound follows it.
    pub(crate) torn_at: Option<u64>,
}

/// Reads every segment.
///
/// # Errors
/// [`SpoolError::Read`] if the directory or a file cannot be opened, [`SpoolError::Version`].
pub(crate) fn scan(disk: &dyn Disk, paths: &Paths, write: bool) -> Result<Scan, SpoolError> {
    let mut segments = find(disk, paths, write)?;
    let mut ends = BTreeMap::new();
    let mut mark = None;
    let mut last_id = None;
    let mut last_serial = 0;
    let mut unfinished = Vec::new();
    for (name, found) in &segments {
        last_serial = last_serial.max(*name);
        match found.start {
            SegmentStart::Sound(header) => {
                last_serial = last_serial.max(header.serial);
                mark = Some(header.mark);
                if header.serial == *name {
                    let ended = (header.previous_durable, header.previous_end);
                    ends.insert(header.previous, ended);
                } else {
                    unfinished.push(*name);
                }
                last_id = last_id.max(Some(QueueId::from_number(header.last_id)));
            }
            SegmentStart::Version(version) => {
                return Err(SpoolError::Version {
                    path: found.path.clone(),
                    found: version,
                });
            }
            SegmentStart::Unreadable => {}
        }
    }
    let unfinished = unfinished
        .iter()
        .filter_map(|name| segments.remove(name))
        .map(|found| found.path)
        .collect();
    let mut scan = Scan {
        index: Index::default(),
        early: BTreeMap::new(),
        damaged: Vec::new(),
        torn: 0,
        segments: BTreeMap::new(),
        mark,
        last_id,
        sequence: 0,
        closed: segments.is_empty(),
        unfinished,
        last_serial,
    };
    for (serial, mut found) in segments {
        if let Some(mark) = mark {
            scan.read(mark, serial, &mut found, ends.get(&serial).copied());
        }
        scan.segments.insert(serial, found);
    }
    scan.damaged.extend(missing(&scan, paths));
    Ok(scan)
}

fn find(disk: &dyn Disk, paths: &Paths, write: bool) -> Result<BTreeMap<u64, Found>, SpoolError> {
    let unreadable = |path: PathBuf| move |error| SpoolError::Read { path, error };
    let names = disk.list(&paths.log()).map_err(unreadable(paths.log()))?;
    let mut segments = BTreeMap::new();
    for serial in names.iter().filter_map(|name| Paths::serial(name)) {
        let path = paths.segment(serial);
        let file = match disk.open(&path, write) {
            Ok(file) => file,
            // Recycled while another process looks on.
            Err(error) if !write && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(SpoolError::Read { path, error }),
        };
        let octets = file.octets().map_err(unreadable(path.clone()))?;
        let mut start = vec![0; usize::try_from(FIRST_RECORD).unwrap_or_default()];
        // A header that cannot be read counts as a damaged one: its neighbours know the mark.
        let read = file.read_at(&mut start, 0).unwrap_or_default();
        start.truncate(read);
        let found = Found {
            path,
            file,
            octets,
            start: SegmentHeader::decode(&start),
            end: FIRST_RECORD,
            sealed: false,
            durable: FIRST_RECORD,
            torn_at: None,
        };
        segments.insert(serial, found);
    }
    Ok(segments)
}

/// Segments that others follow on and that are not there. Segments go oldest first, so none can have been removed
/// that is younger than one with something in it.
fn missing(scan: &Scan, paths: &Paths) -> Vec<Damage> {
    let mut serials = scan.segments.keys();
    let Some(oldest) = serials.find(|serial| scan.index.live_in(**serial) > 0) else {
        return Vec::new();
    };
    let previous = scan
        .segments
        .values()
        .filter_map(|found| match found.start {
            SegmentStart::Sound(header) => Some(header.previous),
            SegmentStart::Version(_) | SegmentStart::Unreadable => None,
        });
    let lost: BTreeSet<u64> = previous
        .filter(|serial| serial > oldest && !scan.segments.contains_key(serial))
        .collect();
    lost.into_iter()
        .map(|serial| Damage {
            path: paths.segment(serial),
            offset: 0,
            octets: 0,
            id: None,
            reason: DamageReason::SegmentMissing,
            copy: None,
        })
        .collect()
}

/// Progress that stands before its message.
#[derive(Default)]
struct Early {
    /// Each record, and whether it replaces those before it.
    chain: Vec<(Place, bool)>,
    /// One of them was lost.
    doubtful: bool,
}

/// A record whose payload does not match its checksum.
struct Broken {
    header: RecordHeader,
    offset: u64,
}

impl Scan {
    /// Reads one segment. `sealed` is up to where it was flushed and where it ends, if the next one knows.
    fn read(&mut self, mark: u64, serial: u64, found: &mut Found, sealed: Option<(u64, u64)>) {
        let limit = sealed.map_or(found.octets, |(_, end)| end.min(found.octets));
        let mut window = Window::new(&*found.file, limit);
        let mut offset = FIRST_RECORD;
        let mut gap: Option<u64> = None;
        let mut gaps: Vec<Range<u64>> = Vec::new();
        let mut broken: Vec<Broken> = Vec::new();
        let mut durable = sealed.map_or(0, |(durable, _)| durable);
        while let Some(octets) = window.get(offset, RECORD_HEADER) {
            let header = RecordHeader::decode(octets, mark, serial)
                .filter(|header| header.sequence > self.sequence)
                .filter(|header| offset + u64::from(header.whole()) <= limit);
            let Some(header) = header else {
                gap.get_or_insert(offset);
                match window.find(mark, offset + wide(ALIGN)) {
                    Some(next) => offset = next,
                    None => break,
                }
                continue;
            };
            gaps.extend(gap.take().map(|start| start..offset));
            self.sequence = header.sequence;
            self.last_id = self.last_id.max(Some(header.id));
            durable = durable.max(header.durable.into());
            let payload = usize::try_from(header.payload).unwrap_or(usize::MAX);
            let sound = window
                .get(offset + wide(RECORD_HEADER), payload)
                .is_some_and(|payload| crc32c::crc32c(payload) == header.crc);
            if sound {
                self.apply(&header, serial, offset);
                found.end = offset + u64::from(header.whole());
            } else {
                broken.push(Broken { header, offset });
            }
            offset += u64::from(header.whole());
        }
        found.sealed = sealed.is_some();
        found.durable = durable.max(FIRST_RECORD);
        let unreadable = std::mem::take(&mut window.unreadable);
        if sealed.is_some() {
            gaps.extend(
                gap.or_else(|| (offset < limit).then_some(offset))
                    .map(|start| start..limit),
            );
        } else if let Some(start) = gap {
            self.torn += window.torn(mark, start);
        }
        let torn = self.torn;
        self.judge(found, durable, &gaps, broken, unreadable);
        if sealed.is_some() {
            // The start that closed this segment has told.
            self.torn = torn;
        }
    }

    fn apply(&mut self, header: &RecordHeader, serial: u64, offset: u64) {
        let place = Place {
            serial,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            octets: header.whole(),
        };
        self.closed = header.kind == Kind::Closed;
        match header.kind {
            Kind::Message | Kind::Large => {
                let large = header.kind == Kind::Large;
                let entry = Entry::new(place, header.meta, large, header.octets);
                self.index.insert(header.id, entry);
                if let Some(early) = self.early.remove(&header.id) {
                    for (place, whole) in early.chain {
                        self.index.progress(header.id, place, whole);
                    }
                    self.index.doubt(header.id, early.doubtful);
                }
            }
            Kind::Progress if self.index.get(header.id).is_none() => {
                let early = self.early.entry(header.id).or_default();
                early.chain.push((place, header.meta > 0));
            }
            Kind::Progress => self.index.progress(header.id, place, header.meta > 0),
            Kind::Gone | Kind::Aside => {
                self.index.remove(header.id);
                self.early.remove(&header.id);
            }
            Kind::Closed => {}
        }
    }

    /// Tells damage from what a crash cut off: damage is what is unreadable and had been flushed.
    fn judge(
        &mut self,
        found: &mut Found,
        durable: u64,
        gaps: &[Range<u64>],
        broken: Vec<Broken>,
        unreadable: Vec<Range<u64>>,
    ) {
        let path = found.path.clone();
        let damage = |range: Range<u64>, id, reason| Damage {
            path: path.clone(),
            offset: range.start,
            octets: range.end - range.start,
            id,
            reason,
            copy: None,
        };
        for range in unreadable {
            self.damaged
                .push(damage(range, None, DamageReason::Unreadable));
        }
        for range in gaps {
            if range.start < durable {
                self.damaged
                    .push(damage(range.clone(), None, DamageReason::NoRecord));
            } else {
                self.tear(found, range.clone());
            }
        }
        for Broken { header, offset } in broken {
            let range = offset..offset + u64::from(header.whole());
            if offset >= durable {
                self.tear(found, range);
                continue;
            }
            if header.kind == Kind::Progress && self.index.get(header.id).is_some() {
                self.index.doubt(header.id, true);
            } else if header.kind == Kind::Progress {
                self.early.entry(header.id).or_default().doubtful = true;
            }
            self.damaged
                .push(damage(range, Some(header.id), DamageReason::Checksum));
        }
    }

    /// Notes a stretch that a crash cut off.
    fn tear(&mut self, found: &mut Found, range: Range<u64>) {
        self.torn += range.end - range.start;
        if range.start < found.end {
            let first = found.torn_at.map_or(range.start, |at| at.min(range.start));
            found.torn_at = Some(first);
        }
    }
}

/// A stretch of a file in memory, moved on as the reader goes.
struct Window<'a> {
    file: &'a dyn DiskFile,
    limit: u64,
    base: u64,
    buffer: Vec<u8>,
    unreadable: Vec<Range<u64>>,
}

impl<'a> Window<'a> {
    fn new(file: &'a dyn DiskFile, limit: u64) -> Self {
        Self {
            file,
            limit,
            base: 0,
            buffer: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// These octets; `None` if the file does not have them all.
    fn get(&mut self, offset: u64, octets: usize) -> Option<&[u8]> {
        if offset.checked_add(wide(octets))? > self.limit {
            return None;
        }
        let end = self.base + wide(self.buffer.len());
        if offset < self.base || offset + wide(octets) > end {
            self.fill(offset, octets.max(CHUNK));
        }
        let at = usize::try_from(offset - self.base).ok()?;
        self.buffer.get(at..at.checked_add(octets)?)
    }

    fn fill(&mut self, offset: u64, octets: usize) {
        let left = usize::try_from(self.limit - offset).unwrap_or(usize::MAX);
        self.base = offset;
        self.buffer.resize(octets.min(left), 0);
        match self.file.read_at(&mut self.buffer, offset) {
            Ok(read) => self.buffer.truncate(read),
            Err(_) => self.fill_by_pages(),
        }
    }

    /// What can be read of a stretch that cannot be read at once; the rest as zeros, and noted.
    fn fill_by_pages(&mut self) {
        let mut at = self.base;
        for page in self.buffer.chunks_mut(PAGE) {
            let end = at + wide(page.len());
            if self.file.read_at(page, at).is_err() {
                page.fill(0);
                match self.unreadable.last_mut() {
                    Some(last) if last.end >= at => last.end = last.end.max(end),
                    Some(_) | None => self.unreadable.push(at..end),
                }
            }
            at = end;
        }
    }

    /// The next place from `offset` on where the mark stands.
    fn find(&mut self, mark: u64, mut offset: u64) -> Option<u64> {
        let mark = mark.to_le_bytes();
        loop {
            let left = usize::try_from(self.limit.checked_sub(offset)?).ok()?;
            let octets = left.min(CHUNK) / ALIGN * ALIGN;
            if octets == 0 {
                return None;
            }
            let chunk = self.get(offset, octets)?;
            let found = chunk.chunks_exact(ALIGN).position(|eight| eight == mark);
            match found {
                Some(at) => return Some(offset + wide(at * ALIGN)),
                None => offset += wide(octets),
            }
        }
    }

    /// How many octets from `offset` on are a torn write: none unless a record began there. What an earlier
    /// use of the file left behind begins with a sound header of another segment.
    fn torn(&mut self, mark: u64, offset: u64) -> u64 {
        let stale = |octets: &[u8]| RecordHeader::is_sound(octets, mark);
        let begins = |octets: &[u8]| u64_at(octets, 0) == mark;
        if !self.get(offset, ALIGN).is_some_and(begins)
            || self.get(offset, RECORD_HEADER).is_some_and(stale)
        {
            return 0;
        }
        let mut end = offset;
        while self
            .get(end, ALIGN)
            .is_some_and(|eight| u64_at(eight, 0) != 0)
        {
            end += wide(ALIGN);
        }
        end - offset
    }
}
