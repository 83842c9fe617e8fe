//! One try to deliver, and who said what at its end.

use std::net::SocketAddr;
use std::time::Duration;

use facteur_replies::{Category, Class, EnhancedCode, RemoteReply, Reply, ReplyCode};

use crate::address::Host;
use crate::environment::Timestamp;

/// One try to deliver to one recipient: when, where, how far it came, and the verdict's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The host that we spoke to or tried to; `None` when it never came to that.
    pub host: Option<RemoteHost>,
    /// The step that decided.
    pub stage: Stage,
    /// The words that decided, and whose they are.
    pub said: Said,
}

/// A server we deliver to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteHost {
    /// Its name: an MX, a configured next hop, or an address literal.
    pub name: Box<str>,
    /// The address tried; `None` for Unix sockets or before an address was known.
    pub address: Option<SocketAddr>,
}

/// How far an attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Looking up where the recipient's domain takes its mail.
    Route,
    /// Opening the connection.
    Connect,
    /// Waiting for the greeting.
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, waiting for 354.
    Data,
    /// The content and the reply to its end, or a BDAT chunk.
    EndOfData,
    /// Writing to a local mailbox.
    Mailbox,
    /// The queue's own verdict: expired, damaged.
    Queue,
}

impl RemoteHost {
    /// Whether the name is but the address, as a literal.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.address
            .is_some_and(|address| *self.name == *Host::Literal(address.ip()).to_string())
    }
}

impl Stage {
    /// Every stage, in the order of a delivery.
    pub const ALL: [Self; 12] = [
        Self::Route,
        Self::Connect,
        Self::Greeting,
        Self::Hello,
        Self::StartTls,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::EndOfData,
        Self::Mailbox,
        Self::Queue,
    ];

    /// The stable name, for storage and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Hello => "hello",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::EndOfData => "end-of-data",
            Self::Mailbox => "mailbox",
            Self::Queue => "queue",
        }
    }

    /// The stage of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// The words that decided an attempt, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Ours: nobody else spoke, or what they did is ours to name.
    ByUs(Reply),
    /// The remote server's, verbatim.
    ByPeer(RemoteReply),
}

impl Said {
    /// The basic code.
    #[must_use]
    pub fn code(&self) -> ReplyCode {
        match self {
            Self::ByUs(reply) => reply.code(),
            Self::ByPeer(reply) => reply.code,
        }
    }

    /// What the first digit says: the only thing the action is decided by. (RFC 5321 §4.2)
    #[must_use]
    pub fn class(&self) -> Class {
        self.code().class()
    }

    /// The enhanced code, if one was said.
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        match self {
            Self::ByUs(reply) => reply.enhanced(),
            Self::ByPeer(reply) => reply.enhanced,
        }
    }

    /// What it is about, by its codes alone.
    #[must_use]
    pub fn category(&self) -> Category {
        Category::of(self.code(), self.enhanced())
    }

    /// The reply on one line; a remote's is a stranger's text.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self {
            Self::ByUs(reply) => reply.to_line(),
            Self::ByPeer(reply) => reply.to_line(),
        }
    }
}
