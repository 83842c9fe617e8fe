//! What can go wrong in a spool. Each variant is a fact; `facteur-server` turns it into a reply in one place.

use std::fmt;
use std::io;
use std::path::PathBuf;

use facteur_mail::QueueId;

/// A spool could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpoolError {
    /// Too little room for another message: 452 4.3.1.
    Full {
        /// Octets free for us.
        free: u64,
        /// Octets wanted.
        wanted: u64,
    },
    /// A write or a flush failed; the file is closed for good. Nothing that waited for it is acknowledged.
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A read failed.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The record's checksum does not match; it was set aside.
    Damaged {
        /// The message, as far as it is known.
        id: QueueId,
        /// The file.
        path: PathBuf,
        /// Where in the file, in octets.
        offset: u64,
    },
    /// No such message: it has reached its end, or never was.
    Gone {
        /// The name asked for.
        id: QueueId,
    },
    /// Somebody else holds the lease.
    Leased {
        /// The message.
        id: QueueId,
    },
    /// Another process owns this spool.
    Owned {
        /// The lock file.
        path: PathBuf,
        /// The owner, if it left its number.
        pid: Option<u32>,
    },
    /// The directory is open to others, or is no directory.
    Unsafe {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        why: Unsafe,
    },
    /// The files were written by a version that this one cannot read.
    Version {
        /// The file.
        path: PathBuf,
        /// The version it carries.
        found: u32,
    },
    /// An envelope with more or longer fields than a record may hold.
    TooLarge {
        /// Octets of the encoded record.
        octets: u64,
        /// The limit.
        limit: u64,
    },
    /// The spool is closed: the server stops.
    Closed,
}

/// Why a directory cannot hold other people's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsafe {
    /// It is something else.
    NotADirectory,
    /// Its mode lets others write.
    OthersMayWrite,
    /// Another user owns it.
    AnotherOwner,
}

impl fmt::Display for Unsafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotADirectory => "it is not a directory",
            Self::OthersMayWrite => "others may write into it; its mode must be 0700",
            Self::AnotherOwner => "it belongs to another user",
        })
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { free, wanted } => {
                write!(f, "too little room: {free} octets free, {wanted} wanted")
            }
            Self::Write { path, error } => write!(f, "cannot write {}: {error}", path.display()),
            Self::Read { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            Self::Damaged { id, path, offset } => {
                write!(f, "message {id} is damaged at {}:{offset}", path.display())
            }
            Self::Gone { id } => write!(f, "no message {id} in the queue"),
            Self::Leased { id } => write!(f, "message {id} is being worked on"),
            Self::Owned {
                path,
                pid: Some(pid),
            } => {
                write!(f, "the spool belongs to process {pid} ({})", path.display())
            }
            Self::Owned { path, pid: None } => write!(
                f,
                "the spool belongs to another process ({})",
                path.display()
            ),
            Self::Unsafe { path, why } => write!(f, "{}: {why}", path.display()),
            Self::Version { path, found } => {
                write!(
                    f,
                    "{} has format version {found}, which this version cannot read",
                    path.display()
                )
            }
            Self::TooLarge { octets, limit } => {
                write!(
                    f,
                    "the envelope needs {octets} octets, at most {limit} can be stored"
                )
            }
            Self::Closed => f.write_str("the spool is closed"),
        }
    }
}

impl std::error::Error for SpoolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { error, .. } | Self::Read { error, .. } => Some(error),
            Self::Full { .. }
            | Self::Damaged { .. }
            | Self::Gone { .. }
            | Self::Leased { .. }
            | Self::Owned { .. }
            | Self::Unsafe { .. }
            | Self::Version { .. }
            | Self::TooLarge { .. }
            | Self::Closed => None,
        }
    }
}
