//! What can be asked and what can be answered: each line is one JSON object.
//!
//! A request is `{"version":1,"language":"en","request":{"verb":"status"}}`. Answers are objects with the member `answer`;
//! `done` and `refused` are the last of a request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::diff::Change;
use crate::process::Limits;

use crate::destinations::{DestinationsRequest, OrderFault, Overview, Seen};
use crate::process::Confinement;
use crate::queue::{Acted, QueueRequest};

/// The version of the protocol. The client is the same program, but perhaps of another day than the server.
pub(crate) const VERSION: u32 = 1;

/// The longest request, in octets, its line end included: ten thousand queue ids fit.
pub(crate) const MAX_REQUEST: usize = 256 << 10;

/// The longest answer that a client takes, in octets.
pub(crate) const MAX_ANSWER: u64 = 1 << 20;

/// What a line of the client holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Frame<R> {
    /// The version that the client speaks.
    pub(crate) version: u32,
    /// The reader's language, for what the server says in words.
    pub(crate) language: String,
    /// What is asked.
    pub(crate) request: R,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How is it?
    Status,
    /// Read the configuration again.
    Reload,
    /// What is the configuration in force?
    Configuration,
    /// Something to do to queued messages.
    Queue(Box<QueueRequest>),
    /// Something about destinations.
    Destinations(Box<DestinationsRequest>),
}

/// What can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Reload`]: a key that has changed, or whose change waits for a restart.
    Changed(Change),
    /// To [`Request::Reload`]: the configuration in force stays as it was.
    NotReloaded {
        /// Where something is wrong, lines ready to print.
        details: String,
        /// What is wrong.
        message: String,
        /// What to do.
        hints: Vec<String>,
    },
    /// To [`Request::Configuration`]: the next piece of a JSON object of every key.
    Configuration {
        /// The piece.
        piece: String,
    },
    /// To [`Request::Configuration`]: what no configuration can change before the server starts again.
    Limits(Box<Limits>),
    /// To [`Request::Queue`]: what was done to a message.
    Message(Box<Acted>),
    /// To [`Request::Destinations`]: one of those that it is about.
    Destination(Box<Seen>),
    /// To [`Request::Destinations`]: what there is besides.
    Destinations(Box<Overview>),
    /// Nothing to tell yet; the work goes on.
    Working,
    /// The last answer: all is done.
    Done,
    /// The last answer: it was not done, or not all of it.
    Refused(Refusal),
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The program's version.
    pub(crate) version: String,
    /// The name of this server.
    pub(crate) hostname: String,
    /// The process.
    pub(crate) pid: u32,
    /// The number of its user.
    pub(crate) user: u32,
    /// What the kernel holds it to.
    pub(crate) confinement: Confinement,
    /// When it started, in milliseconds since 1970.
    pub(crate) started: u64,
    /// How many messages are queued.
    pub(crate) queued: u64,
    /// How many clients are connected.
    pub(crate) sessions: u64,
    /// Whether the spool can write.
    pub(crate) spool: SpoolState,
}

/// Whether the spool can write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(crate) enum SpoolState {
    /// It can.
    Well,
    /// It cannot; new mail is put off until it can again.
    Refusing {
        /// What could not be written.
        path: String,
        /// The system's words.
        words: String,
    },
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub(crate) enum Refusal {
    /// The peer is neither root nor the server's user.
    NotYours {
        /// The peer's user.
        uid: u32,
    },
    /// As many connections as may be are open.
    Busy,
    /// The request is longer than may be.
    TooLong {
        /// How many octets it may have.
        limit: u64,
    },
    /// The line is no request.
    Malformed,
    /// The client speaks another version.
    Version {
        /// The server's.
        ours: u32,
    },
    /// A request that this server does not know.
    Unknown,
    /// The request did not come in time.
    Late,
    /// The connection has made as many requests as may be.
    TooMany,
    /// The server stops.
    Stopping,
    /// An order for destinations is not given.
    Order {
        /// Why.
        fault: OrderFault,
    },
    /// The spool cannot be written; what was reported as done is done.
    SpoolFailed,
}

impl Answer {
    /// Whether nothing follows.
    pub(crate) const fn is_last(&self) -> bool {
        matches!(self, Self::Done | Self::Refused(_))
    }
}

impl Frame<Request> {
    /// The request as a line.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        to_line(self)
    }

    /// Reads a line, without its end.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Refusal> {
        // The version decides whether the rest can be understood.
        let Frame {
            version,
            language,
            request,
        } = serde_json::from_slice::<Frame<Value>>(line).map_err(|_| Refusal::Malformed)?;
        if version != VERSION {
            return Err(Refusal::Version { ours: VERSION });
        }
        let request = serde_json::from_value(request).map_err(|_| Refusal::Unknown)?;
        Ok(Self {
            version,
            language,
            request,
        })
    }
}

/// A value as one line. JSON escapes what would break it.
pub(super) fn to_line<T: Serialize>(value: &T) -> Vec<u8> {
    // Only maps whose keys are no texts cannot be written, and there are none.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}
