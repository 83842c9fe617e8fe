//! The trait every spool implements, and the values that cross it.
//!
//! The way of a message: [`Spool::begin`] → [`Draft`] → [`Draft::commit`] → [`Receipt`] → [`Waiting`] (announced)
//! → [`Spool::lease`] → [`Leased`] → [`Spool::settle`] … → [`Settled::Gone`].

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use facteur_mail::{Envelope, Host, Progress, QueueId, Receipt, RecipientState, Timestamp};

use crate::error::SpoolError;

/// What a spool's asynchronous work returns.
pub type SpoolFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SpoolError>> + Send + 'a>>;

/// Where accepted messages live.
pub trait Spool: Send + Sync + 'static {
    /// Whether there is room for one more message of `octets` (0 if unknown), asked at MAIL and while reading.
    ///
    /// # Errors
    /// [`SpoolError::Full`], or [`SpoolError::Closed`] / [`SpoolError::Write`] while the spool cannot write.
    fn admit(&self, octets: u64) -> Result<(), SpoolError>;

    /// Opens a draft and gives it its name.
    ///
    /// # Errors
    /// As [`Spool::admit`].
    fn begin(&self, now: Timestamp) -> Result<Box<dyn Draft>, SpoolError>;

    /// Shows every queued message once, in no order; at start, before anything is delivered.
    fn waiting(&self, visit: &mut dyn FnMut(Waiting));

    /// Sets who is told of each newly committed message, from inside the commit: it must not block.
    fn announce_to(&self, listener: Box<dyn Fn(Waiting) + Send + Sync>);

    /// Takes a message to work on it. One holder at a time; dropping the [`Leased`] gives it back.
    ///
    /// # Errors
    /// [`SpoolError::Gone`], [`SpoolError::Leased`], [`SpoolError::Damaged`] (it has been set aside and is
    /// no longer queued), [`SpoolError::Read`].
    fn lease(&self, id: QueueId) -> SpoolFuture<'_, Leased>;

    /// Writes down that an attempt for these recipients begins, without waiting for the disk: after a crash
    /// they are known to be uncertain ([`facteur_mail::RetryReason::Interrupted`]).
    ///
    /// # Errors
    /// [`SpoolError::Write`]: then no attempt may be made.
    fn attempt_begins(&self, id: QueueId, recipients: &[usize]) -> Result<(), SpoolError>;

    /// Makes new states of some recipients durable. When all are settled
    /// ([`RecipientState::is_settled`]) the message is removed, in the same record.
    ///
    /// # Errors
    /// [`SpoolError::Write`]: nothing of it may be taken for known.
    fn settle(&self, id: QueueId, changes: Vec<Change>) -> SpoolFuture<'_, Settled>;

    /// The message as it stands, without a lease.
    ///
    /// # Errors
    /// As [`Spool::lease`], but never [`SpoolError::Leased`].
    fn show(&self, id: QueueId) -> Result<Queued, SpoolError>;

    /// The names of queued messages, oldest first: at most `limit`, those after `after`. What is queued meanwhile
    /// comes at the end.
    fn names_after(&self, after: Option<QueueId>, limit: usize) -> Vec<QueueId>;

    /// The name of the message that was queued last, of those that still are.
    fn newest(&self) -> Option<QueueId>;

    /// How many messages are queued.
    fn len(&self) -> usize;

    /// Whether nothing is queued.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes everything durable and refuses all further work with [`SpoolError::Closed`].
    fn close(&self) -> SpoolFuture<'_, ()>;
}

/// A message that is coming in. Dropped without commit, it leaves nothing behind.
pub trait Draft: Send {
    /// The name it will have.
    fn id(&self) -> QueueId;

    /// Adds content. Never blocks longer than a write to the page cache; memory stays bounded.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Write`].
    fn write(&mut self, content: &[u8]) -> Result<(), SpoolError>;

    /// Octets written so far.
    fn octets(&self) -> u64;

    /// Makes the message durable, together with everybody who waits at this moment, and announces it.
    /// `first_try` is when its recipients become due.
    fn commit<'a>(
        self: Box<Self>,
        envelope: Envelope,
        first_try: Timestamp,
    ) -> SpoolFuture<'a, Receipt>
    where
        Self: 'a;
}

/// A queued message as the scheduler sees it: who waits, for which host, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The message.
    pub id: QueueId,
    /// Its size in octets.
    pub octets: u64,
    /// Each recipient for whom something is to be done at some time: not the settled ones, nor those held for good.
    pub recipients: Vec<WaitingRecipient>,
}

/// One recipient of a [`Waiting`] message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingRecipient {
    /// Its place in the envelope.
    pub index: usize,
    /// The host of its address.
    pub host: Host,
    /// When it is due; for one that only owes a report, at once.
    pub due: Timestamp,
}

/// A message taken for work.
pub struct Leased {
    /// The message as it stands.
    pub message: Queued,
    /// Behind a lock only so that a lease can be shared between tasks.
    give_back: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    open: Box<dyn Fn() -> Result<Body, SpoolError> + Send + Sync>,
}

impl Leased {
    /// For spools: the message, how to open its content, and what to do when the lease ends.
    #[must_use]
    pub fn new(
        message: Queued,
        open: Box<dyn Fn() -> Result<Body, SpoolError> + Send + Sync>,
        give_back: Box<dyn FnOnce() + Send>,
    ) -> Self {
        Self {
            message,
            give_back: Mutex::new(Some(give_back)),
            open,
        }
    }

    /// Opens the content, verified: a reader from its first octet. May be called once per delivery.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`] or [`SpoolError::Read`].
    pub fn body(&self) -> Result<Body, SpoolError> {
        (self.open)()
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let give_back = self.give_back.get_mut();
        if let Some(give_back) = give_back.unwrap_or_else(PoisonError::into_inner).take() {
            give_back();
        }
    }
}

impl fmt::Debug for Leased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leased")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// The content of a message, read from its first octet. Reads come from memory or the page cache.
pub type Body = Box<dyn io::Read + Send>;

/// A queued message as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its name.
    pub id: QueueId,
    /// Its size in octets.
    pub octets: u64,
    /// What MAIL and RCPT said.
    pub envelope: Envelope,
    /// What has become of each recipient.
    pub progress: Progress,
}

/// The new state of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place in the envelope.
    pub recipient: usize,
    /// What has become of it.
    pub state: RecipientState,
}

/// What a message is after [`Spool::settle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Something is left to do.
    Queued,
    /// Every recipient is settled; the message has been removed.
    Gone,
}

impl Queued {
    /// What the scheduler must know of this message.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let recipients = self
            .envelope
            .recipients
            .iter()
            .zip(&self.progress)
            .enumerate();
        Waiting {
            id: self.id,
            octets: self.octets,
            recipients: recipients
                .filter_map(|(index, (recipient, state))| {
                    Some(WaitingRecipient {
                        index,
                        host: recipient.address.host().clone(),
                        due: state.due()?,
                    })
                })
                .collect(),
        }
    }
}
