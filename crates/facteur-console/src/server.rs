//! The ports through which the console sees the server it stands beside. The binary implements them; the console
//! knows neither spool nor delivery.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use facteur_mail::{QueueId, Recipient, ReversePath};
use facteur_replies::Reply;

/// How the server is: what keeps it from working, and its levels at this moment.
pub trait Pulse: Send + Sync + 'static {
    /// What keeps the server from taking and sending mail; nothing when it is ready.
    fn troubles(&self) -> Vec<Trouble>;

    /// The levels, for the metrics.
    fn levels(&self) -> Levels;
}

/// What keeps a server from working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The disk is short of room: new mail is answered with 452.
    SpoolFull,
    /// The spool cannot write: new mail is answered with 451, and delivery pauses.
    SpoolCannotWrite,
    /// The server was told to stop.
    Stopping,
}

impl Trouble {
    /// The stable name, for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SpoolFull => "spool-full",
            Self::SpoolCannotWrite => "spool-cannot-write",
            Self::Stopping => "stopping",
        }
    }
}

/// The levels of a server at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels {
    /// Messages in the queue.
    pub queued: u64,
    /// Connections of clients that are open.
    pub connections: u64,
    /// Octets free for the spool, where known.
    pub free_octets: Option<u64>,
}

/// Takes messages, as SMTP submission would: the same policy, the same receipt.
pub trait Mailroom: Send + Sync + 'static {
    /// Opens a transaction: MAIL and every RCPT. Who may not be written to is refused, each with the reply that SMTP
    /// would have given.
    fn open(&self, envelope: NewEnvelope) -> MailroomFuture<'_, Opened>;

    /// Whether a message of this name is, or was, on disk; `None` where nobody knows any more.
    fn was_accepted(&self, id: QueueId) -> Option<bool>;
}

/// Who sends what to whom.
#[derive(Debug, Clone)]
pub struct NewEnvelope {
    /// MAIL FROM.
    pub sender: ReversePath,
    /// RCPT TO, in order.
    pub recipients: Vec<Recipient>,
    /// Octets of the content, as far as known.
    pub octets: Option<u64>,
    /// Whether an address is not ASCII.
    pub smtputf8: bool,
    /// Where the request came from.
    pub ip: IpAddr,
    /// The name of the token that was shown.
    pub token: String,
}

/// An open transaction.
pub struct Opened {
    /// The verdict on each recipient, in order.
    pub verdicts: Vec<Result<(), Reply>>,
    /// For the content; `None` where no recipient was taken.
    pub letter: Option<Box<dyn Letter>>,
}

/// A message on its way in. Dropped, it leaves nothing behind.
pub trait Letter: Send {
    /// The name it will have.
    fn id(&self) -> QueueId;

    /// Adds content, whose lines end with CRLF.
    ///
    /// # Errors
    /// The reply that SMTP would have given: too large, no room.
    fn write(&mut self, octets: &[u8]) -> Result<(), Reply>;

    /// Makes it durable: when this has completed, it is on disk.
    fn commit<'a>(self: Box<Self>) -> MailroomFuture<'a, QueueId>
    where
        Self: 'a;
}

/// What the mailroom's work returns.
pub type MailroomFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Reply>> + Send + 'a>>;
