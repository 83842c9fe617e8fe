//! What happened to which message: the one account that history, log, metrics and webhooks are views of.
//!
//! Whoever receives and delivers tells an [`Observer`]. An event borrows what it speaks of: an observer that keeps
//! something copies it, and one that only counts costs nothing. Nothing waits for an observer, and nothing is decided by one.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use facteur_replies::Reply;

use crate::address::Address;
use crate::attempt::{Attempt, Stage};
use crate::dsn::Told;
use crate::envelope::{Envelope, Recipient, ReversePath};
use crate::environment::Timestamp;
use crate::progress::{Delivery, RetryReason};
use crate::queue_id::QueueId;
use crate::transcript::Transcript;

/// The most octets of a Message-ID that anybody keeps; a longer one counts as none.
pub const MAX_MESSAGE_ID: usize = 250;

/// Is told what happens.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of an event. Called in the middle of receiving and delivering, thousands of times a second and from
    /// any thread: it must not block, nor wait for a disk, and what it cannot keep it drops.
    ///
    /// Events of one message may come in another order than they happened: a message may be tried before the one
    /// who accepted it has said so.
    fn observe(&self, event: &Event<'_>);
}

/// Tells several observers, in order; with none, nobody.
#[derive(Clone, Default)]
pub struct Observers(Vec<Arc<dyn Observer>>);

/// Something that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A message is on disk, and ours.
    Accepted(Accepted<'a>),
    /// A client got a 4yz or a 5yz.
    Refused(Refused<'a>),
    /// A message was tried at a destination; the outcome is on disk.
    Tried(Tried<'a>),
    /// A report about a message is in the queue.
    Reported(Reported<'a>),
    /// No report is sent about a message.
    NotReported(NotReported),
    /// An operator did something to a message.
    Operated(Deed<'a>),
    /// Nothing is left to do for a message: it has left the queue.
    Ended {
        /// The message.
        id: QueueId,
        /// When.
        at: Timestamp,
    },
}

/// A message is on disk, and ours.
#[derive(Debug, Clone)]
pub struct Accepted<'a> {
    /// Its name.
    pub id: QueueId,
    /// When it was on disk; [`Envelope::arrived`] is when MAIL was accepted.
    pub at: Timestamp,
    /// Its size, our `Received:` included.
    pub octets: u64,
    /// Who sent it to whom, and who gave it to us.
    pub envelope: &'a Envelope,
    /// What stands in its `Message-ID:` between the angle brackets, if that is at most [`MAX_MESSAGE_ID`] octets of
    /// UTF-8: a stranger's text.
    pub message_id: Option<&'a str>,
    /// The number of the connection, for the log; none for a report of ours.
    pub session: Option<u64>,
}

/// A client got a 4yz or a 5yz: at MAIL, RCPT or DATA, or because of what it did before.
#[derive(Debug, Clone)]
pub struct Refused<'a> {
    /// When.
    pub at: Timestamp,
    /// What it was told.
    pub reply: &'a Reply,
    /// What was refused: the connection ([`Stage::Greeting`]), the sender, a recipient, the message. `None` for a
    /// command that makes no sense or breaks a limit of the session.
    pub stage: Option<Stage>,
    /// Where the client is; `None` over a Unix socket.
    pub client: Option<IpAddr>,
    /// Its name for itself, as far as a transaction was open: a stranger's text.
    pub helo: Option<&'a str>,
    /// The sender, as far as a transaction was open.
    pub sender: Option<&'a ReversePath>,
    /// The recipient that was refused.
    pub recipient: Option<&'a Address>,
    /// The number of the connection, for the log; none for one that was turned away.
    pub session: Option<u64>,
}

/// A message was tried at a destination, or waited with others for it.
#[derive(Debug, Clone)]
pub struct Tried<'a> {
    /// The message.
    pub id: QueueId,
    /// When the outcome was judged; [`Attempt::at`] is when the try began.
    pub at: Timestamp,
    /// The message's envelope.
    pub envelope: &'a Envelope,
    /// The message's size.
    pub octets: u64,
    /// The destination, as the scheduler calls it: `example.org`, `relay:10.0.0.1:25`.
    pub destination: &'a str,
    /// How the way was found; `None` where nothing was tried, because the destination did not answer others.
    pub route: Option<&'a RouteTaken>,
    /// What was said, over all connections of this try.
    pub transcript: &'a Transcript,
    /// What it came to.
    pub recipients: &'a [TriedRecipient<'a>],
}

/// What a try came to for one recipient.
#[derive(Debug, Clone)]
pub struct TriedRecipient<'a> {
    /// Its place in the envelope.
    pub place: usize,
    /// Whom the message is for.
    pub recipient: &'a Recipient,
    /// How many tries there were, this one included.
    pub attempts: u32,
    /// The try, with the words that decided.
    pub attempt: &'a Attempt,
    /// What follows.
    pub decision: Decision,
}

/// What follows from a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is delivered.
    Delivered(Delivery),
    /// It is tried again.
    RetryAt {
        /// When.
        when: Timestamp,
        /// Why then.
        why: RetryReason,
    },
    /// It is given up: the words were final.
    Bounced,
    /// It is given up: it was tried for as long as configured.
    Expired,
}

/// A report about a message is in the queue, as a message of its own.
#[derive(Debug, Clone)]
pub struct Reported<'a> {
    /// The report's own name.
    pub id: QueueId,
    /// The message that it is about.
    pub about: QueueId,
    /// When.
    pub at: Timestamp,
    /// Where it goes.
    pub to: &'a Address,
    /// What it says of which recipients.
    pub told: &'a [Told<'a>],
}

/// No report is sent about a message that its sender should have heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotReported {
    /// The message.
    pub about: QueueId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: NoReport,
}

/// Why no report is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoReport {
    /// The sender's domain has a null MX. (RFC 7505 §4.1)
    NullMx,
}

/// An operator did something to a message.
#[derive(Debug, Clone)]
pub struct Deed<'a> {
    /// The message.
    pub id: QueueId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub verb: Verb,
    /// Who: the name or number of a user of this machine, or a token's name.
    pub who: &'a str,
    /// Why, in the operator's words.
    pub why: Option<&'a str>,
    /// Until when it holds.
    pub until: Option<Timestamp>,
}

/// What an operator can do to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// It is not tried until it is released.
    Hold,
    /// It is tried again as before.
    Release,
    /// It is tried now.
    Retry,
    /// It is given up, and its sender told.
    Bounce,
    /// It is removed, and nobody told.
    Delete,
    /// It goes another way.
    Reroute,
}

/// How the way of a message was found: by the configuration, and by what DNS answered at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTaken {
    /// By what.
    pub by: RouteRule,
    /// What DNS answered to the question for MX; `None` where it was not asked.
    pub mx: Option<MxAnswer>,
    /// The stable name of what was concluded: `hosts`, `null-mx`, `no-such-domain`, `unroutable`, `routes-to-us`,
    /// `try-later`; `mailbox` and `socket` where DNS has no part.
    pub plan: Cow<'static, str>,
    /// The hosts to try, in order.
    pub hosts: Vec<RouteHost>,
    /// What is wrong with the domain's records, or kept a host from being used.
    pub findings: Vec<RouteFinding>,
}

/// What decided the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteRule {
    /// The MX records of this domain.
    Mx(Box<str>),
    /// The address literal of the recipient.
    Literal(Box<str>),
    /// A `[[route]]` with this pattern, to this next hop.
    Route {
        /// The pattern.
        pattern: Box<str>,
        /// The next hop.
        hop: Box<str>,
    },
    /// `deliver` of this local domain, to this next hop.
    Deliver {
        /// The domain.
        domain: Box<str>,
        /// The next hop.
        hop: Box<str>,
    },
    /// The Maildirs of this local domain.
    Maildir(Box<str>),
}

/// What DNS answered to the question for MX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MxAnswer {
    /// Records: each with its preference and its exchange as in a master file, `.` for the root; an exchange that is no
    /// host name is a stranger's text.
    Found {
        /// In the order in which they came.
        records: Vec<(u16, Box<str>)>,
        /// For how much longer they hold.
        ttl: Duration,
    },
    /// The name exists, without MX records.
    NoRecords,
    /// The name does not exist.
    NoSuchDomain,
    /// No answer; the stable name of the failure.
    Failed(Cow<'static, str>),
}

/// One host to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteHost {
    /// Its name, or the address literal that named it.
    pub name: Box<str>,
    /// The preference of its MX record; 0 where there is none.
    pub preference: u16,
    /// Whether it is the domain itself, which has no MX record. (RFC 5321 §5.1)
    pub implicit: bool,
    /// Its addresses, in the order to try.
    pub addresses: Vec<IpAddr>,
}

/// Something that is wrong with a domain's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFinding {
    /// Its stable name.
    pub name: Cow<'static, str>,
    /// The host that it is about, or nothing: a stranger's text.
    pub host: Box<str>,
    /// The value that its sentence needs, or nothing: a stranger's text.
    pub value: Box<str>,
}

impl Observers {
    /// Tells these.
    #[must_use]
    pub fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self(observers)
    }

    /// Tells nobody.
    #[must_use]
    pub fn nobody() -> Arc<dyn Observer> {
        Arc::new(Self::default())
    }
}

impl Observer for Observers {
    fn observe(&self, event: &Event<'_>) {
        for observer in &self.0 {
            observer.observe(event);
        }
    }
}

impl std::fmt::Debug for Observers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Observers({})", self.0.len())
    }
}

impl RouteTaken {
    /// A way that no name server has to be asked for: `mailbox` or `socket`.
    #[must_use]
    pub const fn without_dns(by: RouteRule, plan: &'static str) -> Self {
        Self {
            by,
            mx: None,
            plan: Cow::Borrowed(plan),
            hosts: Vec::new(),
            findings: Vec::new(),
        }
    }
}

impl Decision {
    /// The stable name, for storage and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::RetryAt { .. } => "retry",
            Self::Bounced => "bounced",
            Self::Expired => "expired",
        }
    }
}

impl NoReport {
    /// The stable name, for storage and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NullMx => "null-mx",
        }
    }
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 6] = [
        Self::Hold,
        Self::Release,
        Self::Retry,
        Self::Bounce,
        Self::Delete,
        Self::Reroute,
    ];

    /// The stable name, for storage and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Retry => "retry",
            Self::Bounce => "bounce",
            Self::Delete => "delete",
            Self::Reroute => "reroute",
        }
    }

    /// The verb of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Ids(Mutex<Vec<QueueId>>);

    impl Observer for Ids {
        fn observe(&self, event: &Event<'_>) {
            if let Event::Ended { id, .. } = event {
                self.0.lock().unwrap().push(*id);
            }
        }
    }

    #[test]
    fn every_observer_is_told() {
        let (one, other) = (Arc::new(Ids::default()), Arc::new(Ids::default()));
        let all = Observers::new(vec![one.clone(), other.clone()]);
        let id = QueueId::from_number(7);
        let at = Timestamp::default();
        all.observe(&Event::Ended { id, at });
        Observers::nobody().observe(&Event::Ended { id, at });
        assert_eq!(*one.0.lock().unwrap(), [id]);
        assert_eq!(*other.0.lock().unwrap(), [id]);
    }

    #[test]
    fn a_verb_is_found_by_its_name() {
        for verb in Verb::ALL {
            assert_eq!(Verb::from_name(verb.name()), Some(verb));
        }
        assert_eq!(Verb::from_name("explode"), None);
    }
}
