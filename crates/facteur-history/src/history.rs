//! The history as the server sees it: an observer that never waits.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use facteur_mail::{Clock, Event, Observer};

use crate::Config;
use crate::note::Note;
use crate::writer::Writer;

/// The most events that wait to be written; what comes beyond is dropped and counted.
pub const MAX_WAITING: usize = 16_384;

/// The most octets that they may take.
pub const MAX_WAITING_OCTETS: usize = 32 << 20;

/// Keeps what happens.
pub struct History {
    shared: Arc<Shared>,
    notes: SyncSender<Note>,
    /// Hears when the writer has ended.
    ended: Mutex<mpsc::Receiver<()>>,
}

/// What the observer and the writer share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The memory of what waits.
    waiting: AtomicUsize,
    /// Events dropped and not yet written down as missing.
    pub(crate) dropped: AtomicU64,
    /// Events written since the start.
    pub(crate) written: AtomicU64,
    /// Events missing since the start.
    pub(crate) missing: AtomicU64,
    /// The last thing that was tried failed.
    pub(crate) failing: AtomicBool,
    pub(crate) stopping: AtomicBool,
}

/// How the history fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Events written since the start.
    pub written: u64,
    /// Events that are missing since the start.
    pub missing: u64,
    /// Whether the database cannot be written now.
    pub failing: bool,
}

impl History {
    /// Starts the writer, in a thread of its own. A database that cannot be opened is tried again later: nothing
    /// waits for it, not even this.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn start(config: Config, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let (notes, received) = mpsc::sync_channel(MAX_WAITING);
        let (ends, ended) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let writer = Writer::new(config, clock, received, Arc::clone(&shared));
        std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                writer.run();
                drop(ends);
            })?;
        Ok(Self {
            shared,
            notes,
            ended: Mutex::new(ended),
        })
    }

    /// How it fares.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            written: self.shared.written.load(Ordering::Relaxed),
            missing: self.shared.missing.load(Ordering::Relaxed)
                + self.shared.dropped.load(Ordering::Relaxed),
            failing: self.shared.failing.load(Ordering::Relaxed),
        }
    }

    /// Writes what waits, for so long at most; whether all of it was written. What happens afterwards is not kept.
    pub fn close(&self, patience: Duration) -> bool {
        self.shared.stopping.store(true, Ordering::Release);
        // A full channel wakes the writer as well.
        self.notes.try_send(Note::Wake).unwrap_or_default();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(
            ended.recv_timeout(patience),
            Err(mpsc::RecvTimeoutError::Disconnected)
        )
    }
}

impl Observer for History {
    fn observe(&self, event: &Event<'_>) {
        Note::each(event, |note| self.shared.admit(note, &self.notes));
    }
}

impl Shared {
    fn admit(&self, note: Note, notes: &SyncSender<Note>) {
        let octets = note.octets();
        let before = self.waiting.fetch_add(octets, Ordering::Relaxed);
        if before > MAX_WAITING_OCTETS || notes.try_send(note).is_err() {
            self.waiting.fetch_sub(octets, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A note waits no more.
    pub(crate) fn forget(&self, note: &Note) {
        if !matches!(note, Note::Wake) {
            self.waiting.fetch_sub(note.octets(), Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History")
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
