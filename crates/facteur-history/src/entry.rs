//! What is kept of an event, as it is read back.

use std::net::IpAddr;

use facteur_mail::event::{Decision, NoReport, RouteTaken, Verb};
use facteur_mail::{
    Address, Attempt, Envelope, QueueId, ReversePath, Stage, Timestamp, Transcript,
};
use facteur_replies::Reply;

/// The story of one message, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The message.
    pub id: QueueId,
    /// What happened to it, in the order of time.
    pub entries: Vec<Entry>,
    /// Whether more is kept than was read: so many entries are [`crate::MAX_ENTRIES`].
    pub cut: bool,
}

/// Something that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// It was accepted.
    Accepted(Box<Accepted>),
    /// It was tried, or waited with others.
    Tried(Box<Tried>),
    /// A report about it was queued.
    Reported(Reported),
    /// It is a report about another message.
    ReportAbout {
        /// The other message.
        about: QueueId,
        /// When it was queued.
        at: Timestamp,
    },
    /// No report about it is sent.
    NotReported {
        /// When that was decided.
        at: Timestamp,
        /// Why.
        why: NoReport,
    },
    /// An operator did something to it.
    Operated(Deed),
    /// It left the queue.
    Ended {
        /// When.
        at: Timestamp,
    },
}

/// A message was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// When it was on disk.
    pub at: Timestamp,
    /// Its size.
    pub octets: u64,
    /// Its envelope.
    pub envelope: Envelope,
    /// Its `Message-ID:`, without angle brackets: a stranger's text.
    pub message_id: Option<Box<str>>,
}

/// A message was tried at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// When the outcome was judged.
    pub at: Timestamp,
    /// The destination, as the scheduler calls it.
    pub destination: Box<str>,
    /// How the way was found; `None` where nothing was tried.
    pub route: Option<RouteTaken>,
    /// What was said.
    pub transcript: Transcript,
    /// What it came to.
    pub recipients: Vec<TriedRecipient>,
}

/// What a try came to for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedRecipient {
    /// Its place in the envelope.
    pub place: usize,
    /// Its address.
    pub address: Address,
    /// How many tries there were, this one included.
    pub attempts: u32,
    /// The try.
    pub attempt: Attempt,
    /// What follows.
    pub decision: Decision,
}

/// A report was queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The report's own name.
    pub id: QueueId,
    /// When.
    pub at: Timestamp,
    /// Where it goes.
    pub to: Address,
    /// The recipients it speaks of, and what it says of each: the word of `Action:`.
    pub told: Vec<(Address, Box<str>)>,
}

/// An operator did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub verb: Verb,
    /// Who.
    pub who: Box<str>,
    /// Why.
    pub why: Option<Box<str>>,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// A client was refused something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// What it was told.
    pub reply: Reply,
    /// What was refused.
    pub stage: Option<Stage>,
    /// Where the client is.
    pub client: Option<IpAddr>,
    /// Its name for itself: a stranger's text.
    pub helo: Option<Box<str>>,
    /// The sender.
    pub sender: Option<ReversePath>,
    /// The recipient that was refused.
    pub recipient: Option<Address>,
}

/// A time of which not everything is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// How many events are missing.
    pub events: u64,
    /// Why.
    pub why: GapReason,
}

/// Why events are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapReason {
    /// More happened than could be written.
    TooMuch,
    /// The database could not be written.
    Failure,
    /// The disk is nearly full, and what is left is for mail.
    DiskLow,
    /// Refusals alone: only so many are kept of one second.
    Refusals,
}

impl Entry {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Accepted(accepted) => accepted.at,
            Self::Tried(tried) => tried.at,
            Self::Reported(reported) => reported.at,
            Self::ReportAbout { at, .. } | Self::NotReported { at, .. } | Self::Ended { at } => *at,
            Self::Operated(deed) => deed.at,
        }
    }

    /// The order among entries of one moment: what must have come before.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::Accepted(_) => 0,
            Self::ReportAbout { .. } => 1,
            Self::Operated(_) => 2,
            Self::Tried(_) => 3,
            Self::Reported(_) | Self::NotReported { .. } => 4,
            Self::Ended { .. } => 5,
        }
    }
}

impl GapReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::TooMuch, Self::Failure, Self::DiskLow, Self::Refusals];

    /// The stable name, for storage and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooMuch => "too-much",
            Self::Failure => "failure",
            Self::DiskLow => "disk-low",
            Self::Refusals => "refusals",
        }
    }

    /// The reason of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl Story {
    /// How the message came in.
    #[must_use]
    pub fn accepted(&self) -> Option<&Accepted> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Accepted(accepted) => Some(&**accepted),
            Entry::Tried(_)
            | Entry::Reported(_)
            | Entry::ReportAbout { .. }
            | Entry::NotReported { .. }
            | Entry::Operated(_)
            | Entry::Ended { .. } => None,
        })
    }

    /// When it left the queue.
    #[must_use]
    pub fn ended(&self) -> Option<Timestamp> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Ended { at } => Some(*at),
            Entry::Accepted(_)
            | Entry::Tried(_)
            | Entry::Reported(_)
            | Entry::ReportAbout { .. }
            | Entry::NotReported { .. }
            | Entry::Operated(_) => None,
        })
    }
}
