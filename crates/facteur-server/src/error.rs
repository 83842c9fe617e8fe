//! What can go wrong when the server starts. Once it runs, what goes wrong is one client's and ends with a reply.

use std::fmt;
use std::io;

use crate::config::ListenAddress;

/// The server could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// A place could not be listened on.
    Listen {
        /// The place.
        address: ListenAddress,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } => Some(error),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}
