//! What a client session is told from outside: who speaks to whom, and how a connection ended.

use std::fmt;
use std::io;
use std::time::Duration;

use super::limits::Waiting;

/// Who speaks to whom, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// SMTP or LMTP.
    pub dialect: Dialect,
    /// Our name, for EHLO. (RFC 5321 §4.1.1.1)
    pub our_name: Box<str>,
    /// The remote's name, for our own words about it.
    pub host: Box<str>,
}

/// The protocol spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SMTP. (RFC 5321)
    Smtp,
    /// LMTP: LHLO, and a verdict for each recipient after the content. (RFC 2033)
    Lmtp,
}

/// How a connection ended that should not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The remote closed it.
    Closed,
    /// Something did not come, or was not taken, in time.
    TimedOut {
        /// What.
        waiting: Waiting,
        /// The time it had.
        after: Duration,
    },
    /// The system reported an error.
    Broken(io::ErrorKind),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the remote"),
            Self::TimedOut { waiting, after } => {
                write!(f, "{} within {} seconds", waiting.what(), after.as_secs())
            }
            Self::Broken(kind) => kind.fmt(f),
        }
    }
}
