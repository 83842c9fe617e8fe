//! What can be asked of the queue, and what is said of each message: the values that cross the control socket.

use facteur_mail::event::Verb;
use serde::{Deserialize, Serialize};

use super::filter::FilterSpec;

/// The most queue ids that one request may name.
pub(crate) const MAX_IDS: usize = 10_000;

/// How many recipients of a message are named in an answer; the others are counted.
pub(crate) const MAX_SHOWN: usize = 100;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    /// Keep it back.
    Hold,
    /// End holds.
    Release,
    /// Try now.
    Retry,
    /// Give it up and tell the sender.
    Bounce,
    /// Give it up and tell nobody.
    Delete,
}

/// Something to do to some messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueRequest {
    /// What.
    pub(crate) act: Act,
    /// To these messages; to any, if none is named.
    pub(crate) ids: Vec<String>,
    /// And only where this fits.
    pub(crate) filter: FilterSpec,
    /// Without a name and without a filter: really to all.
    pub(crate) all: bool,
    /// Only say what would be done.
    pub(crate) dry_run: bool,
    /// Why.
    pub(crate) reason: Option<String>,
    /// How long a hold lasts, in seconds.
    pub(crate) for_seconds: Option<u64>,
}

/// What was done to one message, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acted {
    /// The message.
    pub(crate) id: String,
    /// Its size; 0 if it is not there.
    pub(crate) octets: u64,
    /// When it arrived, in milliseconds since 1970; 0 if it is not there.
    pub(crate) arrived: u64,
    /// Its sender, empty for `<>`.
    pub(crate) sender: String,
    /// How it went.
    pub(crate) outcome: Outcome,
    /// The recipients that were meant, the first ones.
    pub(crate) recipients: Vec<ActedRecipient>,
    /// How many recipients were changed, or would be.
    pub(crate) changed: u64,
    /// How many recipients were meant beyond those that are named.
    pub(crate) more: u64,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Done, and on disk.
    Done,
    /// It would be done.
    Would,
    /// There is nothing to do: it is so already.
    Unchanged,
    /// It is being delivered at this moment; it was left alone.
    Busy,
    /// It is not in the queue.
    Gone,
    /// It was not done.
    Failed {
        /// Why, in the reader's language.
        words: String,
    },
}

/// What was done to one recipient, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActedRecipient {
    /// Its address.
    pub(crate) address: String,
    /// What.
    #[serde(flatten)]
    pub(crate) deed: RecipientDeed,
}

/// What becomes of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "kebab-case")]
pub(crate) enum RecipientDeed {
    /// Held until somebody releases it.
    Held,
    /// Held until then.
    HeldUntil {
        /// In milliseconds since 1970.
        until: u64,
    },
    /// Its hold is over; it is tried now.
    Released,
    /// It is tried now.
    Due,
    /// Given up; the sender is told.
    Bounced,
    /// Given up; nobody is told, as the sender wants no report or is `<>`.
    BouncedUnreported,
    /// Given up; nobody is told.
    Deleted,
    /// Nothing: it is not held.
    NotHeld,
    /// Nothing: it is held, and must be released first.
    StillHeld,
}

impl Act {
    /// As history calls it.
    pub(crate) const fn verb(self) -> Verb {
        match self {
            Self::Hold => Verb::Hold,
            Self::Release => Verb::Release,
            Self::Retry => Verb::Retry,
            Self::Bounce => Verb::Bounce,
            Self::Delete => Verb::Delete,
        }
    }
}

impl RecipientDeed {
    /// Whether it changes anything.
    pub(crate) const fn changes(self) -> bool {
        !matches!(self, Self::NotHeld | Self::StillHeld)
    }

    /// The stable name, for JSON and for the texts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::HeldUntil { .. } => "held-until",
            Self::Released => "released",
            Self::Due => "due",
            Self::Bounced => "bounced",
            Self::BouncedUnreported => "bounced-unreported",
            Self::Deleted => "deleted",
            Self::NotHeld => "not-held",
            Self::StillHeld => "still-held",
        }
    }
}

impl Outcome {
    /// The stable name, for JSON.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Would => "would",
            Self::Unchanged => "unchanged",
            Self::Busy => "busy",
            Self::Gone => "gone",
            Self::Failed { .. } => "failed",
        }
    }
}
