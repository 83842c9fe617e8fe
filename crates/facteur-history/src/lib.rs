//! What happened to each message, in SQLite beside the spool: kept off the critical path, for a time.
//!
//! [`History`] is an observer: it encodes an event where it happens and hands it to one thread, which writes in
//! batches. Mail never waits for it. What cannot be kept is dropped and counted, and the gap is kept in its
//! place; a database that fails is left alone and opened anew. [`Reader`] reads beside a server that writes.

mod database;
mod decode;
mod encode;
mod entry;
mod error;
mod history;
mod note;
mod reader;
mod wire;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use decode::{entries as decode_entries, refusal as decode_refusal};
pub use entry::{
    Accepted, Deed, Entry, Gap, GapReason, Refusal, Reported, Story, Tried, TriedRecipient,
};
pub use error::HistoryError;
pub use history::{Health, History, MAX_WAITING, MAX_WAITING_OCTETS};
pub use note::MAX_NAMES;
pub use reader::{Found, MAX_ENTRIES, Reader};
pub use wire::Malformed;

/// The file's name.
const FILE: &str = "history.sqlite";

/// Where the history is, and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The directory of its files; it is made if there is none, for us alone.
    pub directory: PathBuf,
    /// How long what happened is kept.
    pub keep: Duration,
    /// How large the file may become, in octets: the oldest goes first.
    pub max_octets: u64,
    /// The part of the file system that is left free, in percent …
    pub leave_percent: u64,
    /// … but not more than this many octets. The spool stops later: what is left is for mail.
    pub leave_most: u64,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            keep: Duration::from_secs(30 * 24 * 3_600),
            max_octets: 1 << 30,
            leave_percent: 6,
            leave_most: 1_280 << 20,
        }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        file_in(&self.directory)
    }
}

fn file_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}
