//! Why a batch was not written, in a form that can be told to everybody who waited for it.

use std::io;
use std::path::PathBuf;

use facteur_spool::SpoolError;

/// [`SpoolError`] that can be copied: [`io::Error`] cannot.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    Write { path: PathBuf, error: Cause },
    Full { free: u64, wanted: u64 },
    Closed,
}

/// An [`io::Error`] that can be copied.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    number: Option<i32>,
    kind: io::ErrorKind,
    text: String,
}

impl Failure {
    pub(crate) fn write(path: PathBuf, error: &io::Error) -> Self {
        Self::Write {
            path,
            error: Cause {
                number: error.raw_os_error(),
                kind: error.kind(),
                text: error.to_string(),
            },
        }
    }

    /// Whether there was no room, as opposed to a disk that fails.
    pub(crate) const fn is_no_room(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Write { error, .. } => is_no_room(error.kind),
            Self::Closed => false,
        }
    }
}

/// Whether the system says that there is no room.
pub(crate) const fn is_no_room(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl Cause {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl From<Failure> for SpoolError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Write { path, error } => Self::Write {
                path,
                error: error.number.map_or_else(
                    || io::Error::new(error.kind, error.text),
                    io::Error::from_raw_os_error,
                ),
            },
            Failure::Full { free, wanted } => Self::Full { free, wanted },
            Failure::Closed => Self::Closed,
        }
    }
}
