//! What can go wrong with the history. None of it stops mail.

use std::fmt;
use std::io;
use std::path::PathBuf;

use facteur_mail::QueueId;

use crate::wire::Malformed;

/// A failure of the history.
#[derive(Debug)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no history: it is off, or nothing was ever kept.
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// The directory cannot be made, or the file not looked at.
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is none of ours, or of a version that this one does not know.
    Version {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        found: i64,
    },
    /// The database says no: locked, damaged, full.
    Database {
        /// The file.
        path: PathBuf,
        /// Its words.
        error: rusqlite::Error,
    },
    /// What is kept of a message cannot be read.
    Damaged {
        /// The message; none for a refusal.
        id: Option<QueueId>,
        /// How.
        how: Malformed,
    },
}

impl HistoryError {
    /// Whether the file is beyond use: nothing that is tried again will read it.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Database { error, .. } => error.sqlite_error_code().is_some_and(|code| {
                matches!(
                    code,
                    rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase
                )
            }),
            Self::Version { .. }
            | Self::Missing { .. }
            | Self::Io { .. }
            | Self::Damaged { .. } => false,
        }
    }
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "there is no history at {}", path.display()),
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Version { path, found } => {
                write!(
                    f,
                    "{} is of version {found}, which is unknown",
                    path.display()
                )
            }
            Self::Database { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Damaged { id: Some(id), how } => {
                write!(f, "what is kept of message {id} cannot be read: {how}")
            }
            Self::Damaged { id: None, how } => {
                write!(f, "what is kept of a refusal cannot be read: {how}")
            }
        }
    }
}

impl std::error::Error for HistoryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Database { error, .. } => Some(error),
            Self::Damaged { how, .. } => Some(how),
            Self::Missing { .. } | Self::Version { .. } => None,
        }
    }
}
