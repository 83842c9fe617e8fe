//! The seam between deciding what is sent and sending it: the scheduler's tests put a fake behind it.

use std::any::Any;
use std::path::PathBuf;
use std::pin::Pin;

use facteur_mail::Transcript;
use facteur_route::MailHost;
use facteur_smtp::client::Dialect;
use facteur_spool::Leased;

use crate::verdict::Outcome;

/// Sends messages to other servers.
pub trait Remote: Send + Sync + 'static {
    /// Tries to deliver a message once: the hosts in order until one gives a verdict on each recipient. Every outcome is
    /// [`Outcome::Taken`] or [`Outcome::NotTaken`].
    fn deliver<'a>(&'a self, load: Load<'a>) -> RemoteFuture<'a>;

    /// Whether there is an idle connection to one of the servers that may take a message.
    fn is_warm(&self, _way: &Way) -> bool {
        false
    }

    /// Closes what is kept open for the next message; nothing, unless said otherwise.
    fn close(&self) -> Closing<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// A delivery under way.
pub type RemoteFuture<'a> = Pin<Box<dyn Future<Output = Carried> + Send + 'a>>;

/// What [`Remote::close`] returns.
pub type Closing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What is to be sent, and where.
#[derive(Debug)]
pub struct Load<'a> {
    /// The message.
    pub message: &'a Leased,
    /// The places of its recipients in the envelope; never empty.
    pub recipients: &'a [usize],
    /// Where it goes.
    pub way: &'a Way,
    /// How many messages a connection may carry at most, this one included; `None` for as many as usual.
    pub messages_per_connection: Option<usize>,
}

/// The servers that may take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Hosts, in order; never empty.
    Hosts {
        /// The hosts.
        hosts: Vec<MailHost>,
        /// The port of each.
        port: u16,
        /// What they speak.
        dialect: Dialect,
    },
    /// A server behind a Unix socket.
    Socket {
        /// The socket.
        path: PathBuf,
        /// What it speaks.
        dialect: Dialect,
    },
}

/// What came of a delivery.
pub struct Carried {
    /// One outcome for each recipient, in the order of [`Load::recipients`].
    pub outcomes: Vec<Outcome>,
    /// Held until the outcomes are on disk, then dropped: the connection, which takes its next message only then.
    pub hold: Option<Box<dyn Any + Send>>,
    /// What was said, over all connections.
    pub transcript: Transcript,
    /// How many connections were opened, or tried to be.
    pub opened: u32,
    /// Whether the hold is a connection that can take another message.
    pub kept: bool,
}

impl Carried {
    /// Outcomes without a connection.
    #[must_use]
    pub fn new(outcomes: Vec<Outcome>) -> Self {
        Self {
            outcomes,
            hold: None,
            transcript: Transcript::default(),
            opened: 0,
            kept: false,
        }
    }
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carried")
            .field("outcomes", &self.outcomes)
            .field("opened", &self.opened)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}
