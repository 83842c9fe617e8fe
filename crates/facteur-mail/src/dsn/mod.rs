//! Delivery status notifications: built from facts ([`Report`]), and read back ([`parse`]).
//!
//! A report has three parts (RFC 6522 §3): an explanation for people in the sender's language and in English, the
//! exact facts for programs (RFC 3464), and what is returned of the message. No clock and no I/O: the moment is
//! a field, the content goes to a closure piece by piece.

mod build;
mod human;
mod machine;
mod original;
mod parse;

#[cfg(test)]
mod tests;

use facteur_replies::{EnhancedCode, Language, Reply};

use crate::address::Address;
use crate::attempt::{Attempt, Said};
use crate::envelope::{Envelope, Recipient};
use crate::environment::Timestamp;
use crate::progress::Delivery;
use crate::queue_id::QueueId;

pub use original::{MAX_RETURNED, Original};
pub use parse::{MAX_PARSED, NotAReport, ParsedRecipient, ParsedReport, parse};

/// The most recipients that the part for people describes; the part for programs names each.
pub const MAX_DESCRIBED: usize = 20;

/// A report about one message, to the address it came from. There is none for `<>`.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Where it goes.
    pub to: &'a Address,
    /// This server's name: `Reporting-MTA`, and the domain of `From:` and `Message-ID:`.
    pub hostname: &'a str,
    /// The language of the first explanation; English follows if it is another.
    pub language: Language,
    /// The report's own name.
    pub id: QueueId,
    /// When it is written.
    pub now: Timestamp,
    /// The name of the message it is about.
    pub about: QueueId,
    /// That message's size.
    pub octets: u64,
    /// That message's envelope.
    pub envelope: &'a Envelope,
    /// The news, recipient by recipient; never empty.
    pub recipients: Vec<Told<'a>>,
}

/// The news of one recipient.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// Whom the message was for.
    pub recipient: &'a Recipient,
    /// The try that the news comes from.
    pub attempt: &'a Attempt,
    /// What became of it.
    pub news: News,
}

/// What became of a message for one recipient: `Action:`. (RFC 3464 §2.3.3)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Given up at this try.
    Refused,
    /// Given up after the last of many tries; our own reply says so.
    Expired(Reply),
    /// Not yet delivered.
    Delayed {
        /// The next try.
        next_at: Timestamp,
        /// When it will be given up.
        until: Timestamp,
    },
    /// Delivered, or handed on.
    Done(Delivery),
    /// Sent on to the members of an alias or a list.
    Expanded,
}

/// The value of `Action:`. (RFC 3464 §2.3.3)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Not delivered, given up.
    Failed,
    /// Not delivered yet.
    Delayed,
    /// Delivered to the mailbox.
    Delivered,
    /// Handed on to a server that sends no reports.
    Relayed,
    /// Sent on to several addresses.
    Expanded,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [
        Self::Failed,
        Self::Delayed,
        Self::Delivered,
        Self::Relayed,
        Self::Expanded,
    ];

    /// The word of RFC 3464 §2.3.3.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }

    /// The action of a word, whatever its case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|action| action.name().eq_ignore_ascii_case(name))
    }

    /// The class of its status code.
    const fn status_class(self) -> u8 {
        match self {
            Self::Failed => 5,
            Self::Delayed => 4,
            Self::Delivered | Self::Relayed | Self::Expanded => 2,
        }
    }
}

impl News {
    /// The action it is reported as.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Refused | Self::Expired(_) => Action::Failed,
            Self::Delayed { .. } => Action::Delayed,
            Self::Done(Delivery::Mailbox) => Action::Delivered,
            Self::Done(Delivery::HandedOn | Delivery::Relayed) => Action::Relayed,
            Self::Expanded => Action::Expanded,
        }
    }
}

impl Told<'_> {
    /// The enhanced code that was said; `5.0.0`, `4.0.0` or `2.0.0` only when none was, or when the one that was said
    /// turns a failure into a success. (RFC 3464 §2.3.4)
    fn status(&self) -> String {
        let class = self.news.action().status_class();
        let said = match &self.news {
            News::Expired(reply) => reply.enhanced(),
            News::Refused | News::Delayed { .. } | News::Done(_) | News::Expanded => {
                self.attempt.said.enhanced()
            }
        };
        said.filter(|code: &EnhancedCode| (code.class() == 2) == (class == 2))
            .map_or_else(|| format!("{class}.0.0"), |code| code.to_string())
    }

    /// Whether another server spoke.
    const fn peer_spoke(&self) -> bool {
        matches!(self.attempt.said, Said::ByPeer(_))
    }
}
