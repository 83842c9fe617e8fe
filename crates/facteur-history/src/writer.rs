//! The thread that writes: notes come over a bounded channel, go into the file in batches, and are given up rather than
//! waited for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use facteur_mail::text::escaped;
use facteur_mail::{Clock, QueueId, Timestamp};

use crate::Config;
use crate::database::{Batch, Database, Part, Refused};
use crate::entry::{Gap, GapReason};
use crate::error::HistoryError;
use crate::history::Shared;
use crate::note::Note;

/// How long notes are gathered before they are written.
const GATHER: Duration = Duration::from_millis(250);

/// The most notes written in one transaction.
const MAX_BATCH: usize = 4_096;

/// The most refusals kept of one second: a flood of them must not push out the stories of messages.
pub(crate) const MAX_REFUSALS: usize = 100;

/// How long the database is left alone after it has failed.
const PAUSE: Duration = Duration::from_secs(5);

/// How often the writer looks around when nothing happens.
const IDLE: Duration = Duration::from_secs(60);

/// What is taken out at least in one step, in rows, when there is something to take out.
const PRUNE_ROWS: usize = 500;

/// Writes until it is told to stop, and then what is left.
pub(crate) struct Writer {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notes: Receiver<Note>,
    pub(crate) shared: Arc<Shared>,
    state: State,
    /// Since when events are missing, and how many.
    missing: HashMap<GapReason, (Timestamp, u64)>,
    /// How many refusals were kept of the second that began then.
    refusals: (Timestamp, usize),
}

enum State {
    /// Nothing was opened yet, or another file is in its place.
    Closed,
    Open(Database),
    /// It failed; until then it is left alone.
    Failed(Instant),
}

impl Writer {
    pub(crate) fn new(
        config: Config,
        clock: Arc<dyn Clock>,
        notes: Receiver<Note>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            config,
            clock,
            notes,
            shared,
            state: State::Closed,
            missing: HashMap::new(),
            refusals: (Timestamp::default(), 0),
        }
    }

    pub(crate) fn run(mut self) {
        self.open();
        let mut more = false;
        loop {
            let stops = self.shared.stopping.load(Ordering::Acquire);
            let wait = match (stops, more) {
                (true, _) => Duration::ZERO,
                (false, true) => GATHER,
                (false, false) => IDLE,
            };
            let first = match self.notes.recv_timeout(wait) {
                Ok(note) => Some(note),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (batch, count) = self.gather(first);
            self.note_what_was_dropped();
            self.write(batch, count);
            more = self.prune(count);
            if stops && count == 0 {
                return;
            }
        }
    }

    /// What comes within [`GATHER`]; what is there already if the server stops.
    fn gather(&mut self, first: Option<Note>) -> (Batch, usize) {
        let mut batch = Batch::default();
        let mut places = HashMap::new();
        let mut count = 0;
        let until = Instant::now() + GATHER;
        let mut next = first;
        while let Some(note) = next {
            self.shared.forget(&note);
            count += self.add(note, &mut batch, &mut places);
            if count >= MAX_BATCH {
                break;
            }
            let left = if self.shared.stopping.load(Ordering::Acquire) {
                Duration::ZERO
            } else {
                until.saturating_duration_since(Instant::now())
            };
            next = self.notes.recv_timeout(left).ok();
        }
        (batch, count)
    }

    /// Adds a note to the batch: what happens to one message stands together.
    fn add(
        &mut self,
        note: Note,
        batch: &mut Batch,
        places: &mut HashMap<QueueId, usize>,
    ) -> usize {
        match note {
            Note::Entry {
                id,
                at,
                mut names,
                entry,
            } => {
                let place = places
                    .get(&id)
                    .and_then(|place| batch.stories.get_mut(*place));
                if let Some(part) = place {
                    part.names.append(&mut names);
                    part.entries.extend_from_slice(&entry);
                    // A name is looked for in the bucket of the acceptance.
                    part.at = part.at.min(at);
                } else {
                    places.insert(id, batch.stories.len());
                    batch.stories.push(Part {
                        id,
                        at,
                        names,
                        entries: entry,
                    });
                }
                1
            }
            Note::Refusal { at, names, entry } => {
                if at.since(self.refusals.0) >= Duration::from_secs(1) {
                    self.refusals = (at, 0);
                }
                if self.refusals.1 == MAX_REFUSALS {
                    self.is_missing(GapReason::Refusals, at, 1);
                } else {
                    self.refusals.1 += 1;
                    batch.refusals.push(Refused { at, names, entry });
                }
                1
            }
            Note::Wake => 0,
        }
    }

    fn note_what_was_dropped(&mut self) {
        let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(events = dropped, "more happens than the history can take");
            self.is_missing(GapReason::TooMuch, self.clock.now(), dropped);
        }
    }

    fn is_missing(&mut self, why: GapReason, at: Timestamp, events: u64) {
        let missing = self.missing.entry(why).or_insert((at, 0));
        missing.1 = missing.1.saturating_add(events);
        self.shared.missing.fetch_add(events, Ordering::Relaxed);
    }

    fn write(&mut self, mut batch: Batch, count: usize) {
        if count == 0 && self.missing.is_empty() {
            return;
        }
        let events = u64::try_from(count).unwrap_or(u64::MAX);
        let now = self.clock.now();
        if !has_room(&self.config) {
            self.shared.failing.store(true, Ordering::Relaxed);
            if !self.missing.contains_key(&GapReason::DiskLow) {
                tracing::warn!("the disk is nearly full: the history is not written");
            }
            return self.is_missing(GapReason::DiskLow, now, events);
        }
        self.open();
        let State::Open(database) = &mut self.state else {
            return self.is_missing(GapReason::Failure, now, events);
        };
        batch.gaps = self
            .missing
            .iter()
            .map(|(why, (from, events))| Gap {
                from: *from,
                to: now,
                events: *events,
                why: *why,
            })
            .collect();
        match database.write(&batch) {
            Ok(()) => {
                self.missing.clear();
                self.shared.written.fetch_add(events, Ordering::Relaxed);
                self.shared.failing.store(false, Ordering::Relaxed);
            }
            Err(error) => {
                self.fail(&error);
                self.is_missing(GapReason::Failure, now, events);
            }
        }
    }

    /// Opens the file, unless it is open and in its place, or has failed a moment ago.
    fn open(&mut self) {
        match &self.state {
            State::Open(database) if database.is_in_place() => return,
            State::Failed(until) if Instant::now() < *until => return,
            State::Open(_) => {
                tracing::warn!("the history's file is gone: a new one is begun");
                // Closing removes files by their names: before the new ones are there.
                self.state = State::Closed;
            }
            State::Closed | State::Failed(_) => {}
        }
        match Database::open(&self.config, self.clock.now()) {
            Ok(database) => {
                if matches!(self.state, State::Failed(_)) {
                    tracing::info!("the history is written again");
                }
                self.state = State::Open(database);
            }
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &HistoryError) {
        // Said once: what goes on failing has been said.
        if !self.shared.failing.swap(true, Ordering::Relaxed) {
            let words = escaped(&error.to_string()).to_string();
            tracing::error!(error = words, "the history cannot be written; mail goes on");
        }
        self.state = State::Failed(Instant::now() + PAUSE);
        if error.is_damage() {
            self.set_aside();
        }
    }

    /// Puts a damaged file out of the way, in place of the last one that was: the next try begins a new one.
    fn set_aside(&mut self) {
        let file = self.config.file();
        let aside = file.with_extension("damaged");
        let moved = std::fs::rename(&file, &aside);
        for suffix in ["-wal", "-shm"] {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            // What is not there need not be removed.
            std::fs::remove_file(name).unwrap_or_default();
        }
        match moved {
            Ok(()) => {
                let aside = escaped(&aside.display().to_string()).to_string();
                tracing::error!(
                    aside,
                    "the history is damaged and was set aside; a new one is begun"
                );
                self.state = State::Closed;
            }
            Err(error) => tracing::error!(%error, "the damaged history cannot be set aside"),
        }
    }

    /// Takes out what is too old or too much; whether there is more of it.
    fn prune(&mut self, written: usize) -> bool {
        let now = self.clock.now();
        let State::Open(database) = &mut self.state else {
            return false;
        };
        // More than comes in, so that it ends.
        let rows = PRUNE_ROWS.max(written * 2);
        match database.prune(&self.config, now, rows) {
            Ok(more) => more,
            Err(error) => {
                self.fail(&error);
                false
            }
        }
    }
}

/// Whether the disk has more than what is left for mail. A disk that does not say has.
fn has_room(config: &Config) -> bool {
    rustix::fs::statvfs(&config.directory).map_or(true, |disk| {
        let octets = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        let part = (octets(disk.f_blocks) / 100).saturating_mul(config.leave_percent);
        disk.f_blocks == 0 || octets(disk.f_bavail) > part.min(config.leave_most)
    })
}
