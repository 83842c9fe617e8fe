//! Opening a spool: read the log, set aside what is damaged, remove what nobody needs, begin a new segment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use facteur_mail::{Clock, QueueId};
use facteur_spool::SpoolError;

use crate::body;
use crate::compact::Compaction;
use crate::config::Config;
use crate::disk::{Disk, DiskFile, Filesystem, wide};
use crate::failure::Failure;
use crate::format::FIRST_RECORD;
use crate::paths::Paths;
use crate::queue::Queue;
use crate::report::{Damage, DamageReason, RecoveryReport};
use crate::scan::{Found, Scan, scan};
use crate::store::{Segment, Store};
use crate::writer::{Previous, Writer};

/// How much is written again at once, in octets.
const PIECE: u64 = 1 << 20;

/// The most that is copied of one damaged stretch, in octets.
const MAX_COPY: u64 = 64 << 20;

/// Opens the spool as its owner.
pub(crate) fn open(
    disk: Arc<dyn Disk>,
    mut config: Config,
    clock: Arc<dyn Clock>,
) -> Result<(Arc<Store>, RecoveryReport), SpoolError> {
    config.segment_size = config
        .segment_size
        .clamp(FIRST_RECORD * 2, Config::MAX_SEGMENT);
    let began = clock.now();
    let paths = Paths::new(&config.directory);
    disk.prepare(paths.root())?;
    let filesystem = lies_on(&*disk, &paths)?;
    let guard = disk.lock(&paths.lock())?;
    prepare(&*disk, &paths)?;
    let mut scan = scan(&*disk, &paths, true)?;
    drop_unfinished(&*disk, &paths, &scan)?;
    drop_unwritten(&*disk, &paths, &mut scan);
    for damage in &mut scan.damaged {
        set_aside(&*disk, &paths, &scan.segments, damage);
    }
    // What was read is on the disk before anything is removed because of it.
    harden(&scan)?;
    let orphans = settle_bodies(&*disk, &paths, &mut scan)?;
    let mut report = report(&scan, filesystem);
    report.orphans = orphans;
    let mark = match scan.mark {
        Some(mark) => mark,
        None => disk.entropy().map_err(write_failed(paths.root()))?.max(1),
    };
    let store = Arc::new(build(disk, config, paths, clock, mark, scan, guard));
    begin(&store)?;
    store.reclaim();
    report.elapsed = store.clock.now().since(began);
    Ok((store, report))
}

/// Begins a segment to write to. A full disk is no reason not to open: what is queued can be seen, and the spool tries
/// again.
fn begin(store: &Store) -> Result<(), SpoolError> {
    match store.with_writer(|writer| writer.ensure(store)) {
        Err(failure) if failure.is_no_room() => {
            tracing::error!(
                "there is no room for a segment: nothing is taken or delivered until there is"
            );
            Ok(())
        }
        begun => begun.map_err(Into::into),
    }
}

/// Opens the spool to look at it while another process may own it. Nothing is changed.
pub(crate) fn look(
    disk: Arc<dyn Disk>,
    config: Config,
    clock: Arc<dyn Clock>,
) -> Result<(Arc<Store>, RecoveryReport), SpoolError> {
    /// How often the log is read again because the owner used a segment again meanwhile.
    const TRIES: usize = 5;
    let began = clock.now();
    let paths = Paths::new(&config.directory);
    let listing = || -> Result<BTreeSet<u64>, SpoolError> {
        let names = disk.list(&paths.log()).map_err(|error| SpoolError::Read {
            path: paths.log(),
            error,
        })?;
        Ok(names
            .iter()
            .filter_map(|name| Paths::serial(name))
            .collect())
    };
    let mut before = listing()?;
    let mut scanned = scan(&*disk, &paths, false)?;
    for _ in 1..TRIES {
        let after = listing()?;
        if after == before {
            break;
        }
        before = after;
        scanned = scan(&*disk, &paths, false)?;
    }
    let mut report = report(&scanned, lies_on(&*disk, &paths)?);
    let mark = scanned.mark.unwrap_or_default();
    let mut store = build(disk, config, paths, clock, mark, scanned, Box::new(()));
    store.read_only = true;
    report.elapsed = store.clock.now().since(began);
    Ok((Arc::new(store), report))
}

fn lies_on(disk: &dyn Disk, paths: &Paths) -> Result<Filesystem, SpoolError> {
    disk.filesystem(paths.root())
        .map_err(|error| SpoolError::Read {
            path: paths.root().to_owned(),
            error,
        })
}

fn prepare(disk: &dyn Disk, paths: &Paths) -> Result<(), SpoolError> {
    for directory in [paths.log(), paths.bodies(), paths.damaged()] {
        disk.make_directory(&directory)
            .map_err(write_failed(&directory))?;
    }
    disk.sync_directory(paths.root())
        .map_err(write_failed(paths.root()))
}

fn write_failed(path: &std::path::Path) -> impl FnOnce(io::Error) -> SpoolError {
    let path = path.to_owned();
    move |error| SpoolError::Write { path, error }
}

/// Files that were being used again when a crash came. Their names must be gone before the next use: after a loss of
/// power one file may have two.
fn drop_unfinished(disk: &dyn Disk, paths: &Paths, scan: &Scan) -> Result<(), SpoolError> {
    for path in &scan.unfinished {
        disk.remove(path).map_err(write_failed(path))?;
    }
    disk.sync_directory(&paths.log())
        .map_err(write_failed(&paths.log()))
}

/// Files that were created for a segment and cut off before they had a header; and, if no segment tells the spool's
/// mark, those that cannot be understood at all, which are set aside whole.
fn drop_unwritten(disk: &dyn Disk, paths: &Paths, scan: &mut Scan) {
    if scan.mark.is_some() {
        return;
    }
    for (serial, found) in std::mem::take(&mut scan.segments) {
        let mut start = vec![0; 4_096];
        let blank = matches!(found.file.read_at(&mut start, 0), Ok(read)
            if start.iter().take(read).all(|octet| *octet == 0));
        if blank {
            if let Err(error) = disk.remove(&found.path) {
                tracing::warn!(segment = %found.path.display(), %error, "a half-made segment stays");
            }
            continue;
        }
        let aside = paths.damaged().join(format!("{serial:016x}.log"));
        let moved = disk.rename(&found.path, &aside);
        scan.damaged.push(Damage {
            path: found.path,
            offset: 0,
            octets: found.octets,
            id: None,
            reason: DamageReason::NoRecord,
            copy: moved.is_ok().then_some(aside),
        });
    }
}

fn set_aside(disk: &dyn Disk, paths: &Paths, segments: &BTreeMap<u64, Found>, damage: &mut Damage) {
    let found = segments.iter().find(|(_, found)| found.path == damage.path);
    let Some((serial, found)) = found.filter(|_| damage.copy.is_none()) else {
        return;
    };
    let octets = usize::try_from(damage.octets.min(MAX_COPY)).unwrap_or_default();
    let mut copy = vec![0; octets];
    // What cannot be read cannot be kept.
    if let Ok(read) = found.file.read_at(&mut copy, damage.offset) {
        copy.truncate(read);
        damage.copy = body::keep_copy(disk, paths, *serial, damage.offset, &copy);
    }
}

/// Compares the files of large contents with the messages that have them: messages without a file are damaged, files
/// without a message are removed, unless damage in the log may be what their messages were lost to.
fn settle_bodies(disk: &dyn Disk, paths: &Paths, scan: &mut Scan) -> Result<usize, SpoolError> {
    let unreadable = |path: PathBuf| move |error| SpoolError::Read { path, error };
    let mut found = BTreeSet::new();
    let directories = disk
        .list(&paths.bodies())
        .map_err(unreadable(paths.bodies()))?;
    for name in directories {
        let path = paths.bodies().join(name);
        let names = disk.list(&path).map_err(unreadable(path))?;
        found.extend(names.iter().filter_map(|name| QueueId::parse(name)));
    }
    let large = |entry: &crate::index::Entry| entry.large;
    let wanted: BTreeSet<QueueId> = scan
        .index
        .from(QueueId::from_number(0))
        .filter(|(_, entry)| large(entry))
        .map(|(id, _)| id)
        .collect();
    for id in wanted.difference(&found) {
        scan.index.remove(*id);
        scan.damaged.push(Damage {
            path: paths.body(*id),
            offset: 0,
            octets: 0,
            id: Some(*id),
            reason: DamageReason::BodyMissing,
            copy: None,
        });
    }
    let mut orphans = 0;
    for id in found.difference(&wanted) {
        if !scan.damaged.is_empty() {
            body::move_aside(disk, paths, *id);
            continue;
        }
        match disk.remove(&paths.body(*id)) {
            Ok(()) => orphans += 1,
            Err(error) => {
                tracing::warn!(%id, %error, "a content nobody needs cannot be removed");
            }
        }
    }
    Ok(orphans)
}

/// What was read back is about to be called durable by the next segment's header. A flush alone does not make it so:
/// where one failed before the process died, the kernel shows what was written, counts it as clean and reports success.
/// So the header and what no flush is known to have covered are written once more.
///
/// That is the last segment; and one before it, where the process died while it made the next one.
fn harden(scan: &Scan) -> Result<(), SpoolError> {
    for found in scan.segments.values().filter(|found| !found.sealed) {
        let tail = found.durable.min(found.end)..found.end;
        [0..FIRST_RECORD, tail]
            .into_iter()
            .try_for_each(|range| write_again(&*found.file, range))
            .and_then(|()| found.file.sync())
            .map_err(write_failed(&found.path))?;
    }
    Ok(())
}

fn write_again(file: &dyn DiskFile, range: Range<u64>) -> io::Result<()> {
    let mut at = range.start;
    let mut piece = Vec::new();
    while at < range.end {
        let octets = (range.end - at).min(PIECE);
        piece.resize(usize::try_from(octets).unwrap_or_default(), 0);
        let read = file.read_at(&mut piece, at)?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        file.write_at(&mut [IoSlice::new(&piece)], at)?;
        at += wide(read);
    }
    Ok(())
}

fn report(scan: &Scan, filesystem: Filesystem) -> RecoveryReport {
    RecoveryReport {
        messages: scan.index.len(),
        damaged: scan.damaged.clone(),
        torn_tail: scan.torn,
        orphans: 0,
        closed_before: scan.closed,
        filesystem,
        segments: scan.segments.len(),
        octets: scan.segments.values().map(|found| found.octets).sum(),
        elapsed: std::time::Duration::ZERO,
    }
}

fn build(
    disk: Arc<dyn Disk>,
    config: Config,
    paths: Paths,
    clock: Arc<dyn Clock>,
    mark: u64,
    scan: Scan,
    guard: Box<dyn Send + Sync>,
) -> Store {
    let last = scan.segments.iter().next_back();
    let (serial, durable, end) = last.map_or((0, 0, 0), |(serial, found)| {
        (*serial, found.torn_at.unwrap_or(found.end), found.end)
    });
    let previous = Previous {
        serial,
        durable,
        end,
    };
    let open = |found: Found| Segment {
        file: found.file,
        octets: found.octets,
    };
    Store {
        paths,
        disk,
        clock,
        mark,
        writer: Mutex::new(Writer::new(scan.last_serial + 1, scan.sequence, previous)),
        index: Mutex::new(scan.index),
        queue: Mutex::new(Queue::default()),
        segments: Mutex::new(
            scan.segments
                .into_iter()
                .map(|(serial, found)| (serial, open(found)))
                .collect(),
        ),
        last_id: Mutex::new(scan.last_id),
        compaction: Mutex::new(Compaction::default()),
        space: Mutex::new(None),
        refusal: Mutex::new(None::<Failure>),
        listener: Mutex::new(None),
        in_memory: AtomicUsize::new(0),
        read_only: false,
        config,
        _lock: guard,
    }
}
