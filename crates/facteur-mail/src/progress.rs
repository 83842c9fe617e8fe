//! What has become of each recipient of a queued message.

use crate::attempt::Attempt;
use crate::environment::Timestamp;

/// The state of every recipient, in the order of [`crate::Envelope::recipients`].
pub type Progress = Vec<RecipientState>;

/// What has become of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientState {
    /// Not delivered yet.
    Waiting {
        /// When to try (again).
        next_at: Timestamp,
        /// How many tries there were.
        attempts: u32,
        /// Why the next try is when it is.
        reason: RetryReason,
        /// The last try, if there was one.
        last: Option<Box<Attempt>>,
        /// Whether the sender was told that it is late.
        delay_reported: bool,
    },
    /// Kept back by an operator: not tried, and never too old, until the hold ends.
    Held {
        /// Who keeps it back, why, and until when.
        hold: Box<Hold>,
        /// How many tries there were.
        attempts: u32,
        /// The last try, if there was one.
        last: Option<Box<Attempt>>,
        /// Whether the sender was told that it is late.
        delay_reported: bool,
    },
    /// Delivered, or handed on with a 250.
    Delivered {
        /// The try that succeeded.
        attempt: Box<Attempt>,
        /// What the delivery was.
        delivery: Delivery,
        /// Whether the sender is to be told.
        report: Report,
    },
    /// Given up.
    Failed {
        /// The try that decided, or the last one before it expired.
        attempt: Box<Attempt>,
        /// Whether the sender is to be told.
        report: Report,
    },
}

/// The most octets of the name and of the reason in a [`Hold`].
pub const MAX_REASON: usize = 500;

/// Why a recipient is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself, and the recipient is due; `None`: when somebody ends it.
    pub until: Option<Timestamp>,
    /// Who holds it, as people call them.
    pub by: Box<str>,
    /// Why; empty if nobody said.
    pub reason: Box<str>,
}

/// What a successful delivery was: the `Action:` of its report. (RFC 3464 §2.3.3)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Into a mailbox, or to an LMTP server: the end of the way.
    Mailbox,
    /// To a server that reports by itself (it offers DSN).
    HandedOn,
    /// To a server that does not offer DSN: the report is ours. (RFC 3461 §5.2.2)
    Relayed,
}

/// Whether a report is owed to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// None is wanted, or none may be sent.
    NotWanted,
    /// To be sent; the state is on disk before it goes out.
    Owed,
    /// In the queue.
    Sent,
}

/// Why the next try is when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryReason {
    /// The message is new.
    New,
    /// The configured wait after this many failed tries.
    Backoff,
    /// Another message found the destination not answering; this one waits with it.
    DestinationDown,
    /// The server stopped while it was being tried; it may arrive twice.
    Interrupted,
    /// An operator asked for it.
    Operator,
}

impl RecipientState {
    /// A recipient that has just been accepted.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self::Waiting {
            next_at: now,
            attempts: 0,
            reason: RetryReason::New,
            last: None,
            delay_reported: false,
        }
    }

    /// Whether nothing is left to do for this recipient.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        match self {
            Self::Waiting { .. } | Self::Held { .. } => false,
            Self::Delivered { report, .. } | Self::Failed { report, .. } => {
                !matches!(report, Report::Owed)
            }
        }
    }

    /// When something is to be done for this recipient: a try, or a report that is owed, which is due at once.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting { next_at, .. } => Some(*next_at),
            Self::Held { hold, .. } => hold.until,
            Self::Delivered { .. } | Self::Failed { .. } => {
                (!self.is_settled()).then(Timestamp::default)
            }
        }
    }

    /// Whether it is to be tried at `now`.
    #[must_use]
    pub fn may_be_tried(&self, now: Timestamp) -> bool {
        match self {
            Self::Waiting { .. } | Self::Held { .. } => self.due().is_some_and(|due| due <= now),
            Self::Delivered { .. } | Self::Failed { .. } => false,
        }
    }

    /// How many tries without success there were.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        match self {
            Self::Waiting { attempts, .. } | Self::Held { attempts, .. } => *attempts,
            Self::Delivered { .. } | Self::Failed { .. } => 0,
        }
    }

    /// Whether the sender was told that it is late.
    #[must_use]
    pub const fn delay_reported(&self) -> bool {
        match self {
            Self::Waiting { delay_reported, .. } | Self::Held { delay_reported, .. } => {
                *delay_reported
            }
            Self::Delivered { .. } | Self::Failed { .. } => false,
        }
    }

    /// The last try, if there was one.
    #[must_use]
    pub fn last_attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Waiting { last, .. } | Self::Held { last, .. } => last.as_deref(),
            Self::Delivered { attempt, .. } | Self::Failed { attempt, .. } => Some(attempt),
        }
    }
}
