//! What was found when a spool was opened, or looked at.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use facteur_mail::QueueId;

use crate::disk::Filesystem;

/// What [`crate::LocalSpool::open`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Messages in the queue.
    pub messages: usize,
    /// Records that could not be read. Nothing of them was delivered; what could be copied lies in `damaged/`.
    pub damaged: Vec<Damage>,
    /// Octets of a last write that a crash cut off. Nobody had been told that it was safe.
    pub torn_tail: u64,
    /// Files of contents whose messages were never accepted or have gone; removed.
    pub orphans: usize,
    /// Whether the spool had been closed before, and not cut off.
    pub closed_before: bool,
    /// What the spool lies on.
    pub filesystem: Filesystem,
    /// Segments read.
    pub segments: usize,
    /// Octets of the log read.
    pub octets: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// A record, or a stretch of a file, that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Where in it, in octets.
    pub offset: u64,
    /// How long the stretch is, in octets.
    pub octets: u64,
    /// The message, if its name could be read.
    pub id: Option<QueueId>,
    /// What is wrong.
    pub reason: DamageReason,
    /// The copy in `damaged/`, if there is one.
    pub copy: Option<PathBuf>,
}

/// What is wrong with a damaged record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageReason {
    /// Its checksum does not match.
    Checksum,
    /// No record begins where one must.
    NoRecord,
    /// The envelope has a sound checksum and cannot be understood.
    Envelope,
    /// The disk could not read it.
    Unreadable,
    /// The file of a large content is missing, or is shorter or longer than it was.
    BodyMissing,
    /// The checksum of a large content does not match.
    BodyChecksum,
    /// A whole segment is missing.
    SegmentMissing,
}

impl DamageReason {
    /// The stable name, for JSON and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::NoRecord => "no-record",
            Self::Envelope => "envelope",
            Self::Unreadable => "unreadable",
            Self::BodyMissing => "body-missing",
            Self::BodyChecksum => "body-checksum",
            Self::SegmentMissing => "segment-missing",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            DamageReason::Checksum => "the checksum of the record does not match",
            DamageReason::NoRecord => "no record begins where one must",
            DamageReason::Envelope => "the envelope cannot be understood",
            DamageReason::Unreadable => "the disk cannot read it",
            DamageReason::BodyMissing => "the file of the content is missing or has another length",
            DamageReason::BodyChecksum => "the checksum of the content does not match",
            DamageReason::SegmentMissing => "the segment is missing",
        };
        write!(f, "{}:{}: {what}", self.path.display(), self.offset)?;
        if let Some(id) = self.id {
            write!(f, " (message {id})")?;
        }
        if let Some(copy) = &self.copy {
            write!(f, ", set aside as {}", copy.display())?;
        }
        Ok(())
    }
}

/// Whether the spool can write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It can.
    Well,
    /// A write or a flush failed and no new segment could be made: nothing is accepted, and nothing should be
    /// delivered, as its outcome could not be written down. It recovers by itself when the disk does.
    Refusing {
        /// The file that failed.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
}
