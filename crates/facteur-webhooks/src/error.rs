//! What can go wrong with webhooks.

use std::fmt;
use std::path::PathBuf;

/// Webhooks cannot do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum WebhookError {
    /// The outbox cannot be opened, read or written.
    Outbox {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// No certificate authorities are known to this machine, and a webhook wants TLS.
    NoAuthorities {
        /// What the system said.
        error: std::io::Error,
    },
    /// TLS cannot be set up.
    Tls {
        /// What rustls said.
        error: rustls::Error,
    },
    /// The server stops.
    Stopped,
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbox { path, error } => write!(f, "{}: {error}", path.display()),
            Self::NoAuthorities { error } => write!(f, "no certificate authorities: {error}"),
            Self::Tls { error } => write!(f, "TLS cannot be set up: {error}"),
            Self::Stopped => f.write_str("the server stops"),
        }
    }
}

impl std::error::Error for WebhookError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Outbox { error, .. } => Some(error),
            Self::NoAuthorities { error } => Some(error),
            Self::Tls { error } => Some(error),
            Self::Stopped => None,
        }
    }
}
