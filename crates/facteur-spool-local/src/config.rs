//! What the embedded spool can be told.

use std::path::PathBuf;

/// The settings of a [`crate::LocalSpool`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it keeps its files. Created if absent, with mode 0700; its parent must exist.
    pub directory: PathBuf,
    /// When a segment is full, in octets; at most [`Config::MAX_SEGMENT`].
    pub segment_size: u64,
    /// By how much a new segment grows at a time, in octets, zero-filled. A flush behind such a step writes no metadata.
    pub segment_step: u64,
    /// The largest content kept in the log itself, in octets; larger ones get a file of their own.
    pub inline_limit: usize,
    /// How much content all open drafts together hold in memory, in octets; beyond, they use files at once.
    pub inline_budget: usize,
    /// The largest message that may come in, in octets: half as much again must be free at MAIL.
    pub message_limit: u64,
    /// The part of the file system that is left free, in percent …
    pub reserve_percent: u64,
    /// … but not more than this many octets.
    pub reserve_most: u64,
}

impl Config {
    /// The largest [`Config::segment_size`], in octets.
    pub const MAX_SEGMENT: u64 = 1 << 30;

    /// The defaults, for a directory.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            segment_size: 64 << 20,
            segment_step: 4 << 20,
            inline_limit: 256 << 10,
            inline_budget: 64 << 20,
            message_limit: 50 << 20,
            reserve_percent: 5,
            reserve_most: 1 << 30,
        }
    }
}
