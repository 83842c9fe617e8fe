//! The envelope: what MAIL and RCPT said, and how the message reached us.

use std::net::IpAddr;

use crate::address::Address;
use crate::environment::Timestamp;

/// Everything about a message but its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL FROM.
    pub sender: ReversePath,
    /// RCPT TO, after aliases: never empty in the queue.
    pub recipients: Vec<Recipient>,
    /// What the content may hold.
    pub body: BodyType,
    /// Whether MAIL asked for SMTPUTF8. (RFC 6531 §3.4)
    pub smtputf8: bool,
    /// How much of the message a failure report returns. (RFC 3461 §4.3)
    pub ret: Option<Ret>,
    /// The sender's name for this transaction. (RFC 3461 §4.4)
    pub envid: Option<EnvId>,
    /// When the first byte of MAIL's transaction was accepted.
    pub arrived: Timestamp,
    /// Who gave us the message.
    pub client: Client,
}

/// The path that reports go back to. (RFC 5321 §4.1.1.2)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: reports about this message go nowhere. (RFC 5321 §4.5.5)
    Null,
    /// An address.
    Address(Address),
}

impl ReversePath {
    /// The address, unless it is `<>`.
    #[must_use]
    pub const fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl std::fmt::Display for ReversePath {
    /// Without angle brackets; empty for `<>`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where the message goes.
    pub address: Address,
    /// The original recipient, as the sender knows it. (RFC 3461 §4.2)
    pub orcpt: Option<Orcpt>,
    /// Which reports the sender asked for.
    pub notify: Notify,
}

/// Which reports are wanted for a recipient. (RFC 3461 §4.1)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notify {
    /// NOTIFY was not given: failures, and delays as this server is configured.
    Default,
    /// NOTIFY=NEVER.
    Never,
    /// Any of SUCCESS, FAILURE, DELAY; at least one is true.
    On {
        /// When it was delivered.
        success: bool,
        /// When it cannot be delivered.
        failure: bool,
        /// When it is late.
        delay: bool,
    },
}

impl Notify {
    /// Whether a report of success is wanted.
    #[must_use]
    pub const fn wants_success(self) -> bool {
        matches!(self, Self::On { success: true, .. })
    }

    /// Whether a report of failure is wanted.
    #[must_use]
    pub const fn wants_failure(self) -> bool {
        matches!(self, Self::Default | Self::On { failure: true, .. })
    }

    /// Whether a report of delay is wanted.
    #[must_use]
    pub const fn wants_delay(self) -> bool {
        matches!(self, Self::Default | Self::On { delay: true, .. })
    }
}

/// ORCPT: an address type and the decoded xtext. (RFC 3461 §4.2)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orcpt {
    /// `rfc822`, `utf-8`, or another registered type.
    pub kind: Box<str>,
    /// The address, decoded.
    pub address: Box<str>,
}

/// ENVID, decoded. (RFC 3461 §4.4)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvId(pub Box<str>);

/// RET. (RFC 3461 §4.3)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// The whole message.
    Full,
    /// The header section only.
    Headers,
}

/// BODY. (RFC 6152 §2, RFC 3030 §3)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyType {
    /// 7BIT, or not said.
    #[default]
    SevenBit,
    /// 8BITMIME.
    EightBitMime,
    /// BINARYMIME: any octets, lines need not end.
    BinaryMime,
}

/// How a message came in: the `with` of `Received:`. (RFC 5321 §4.4, RFC 6531 §4.3)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HELO.
    Smtp,
    /// EHLO.
    Esmtp,
    /// LHLO.
    Lmtp,
    /// EHLO, and SMTPUTF8 on MAIL.
    Utf8Smtp,
    /// LHLO, and SMTPUTF8 on MAIL.
    Utf8Lmtp,
    /// Made by this server: a report.
    Local,
    /// Submitted over HTTP: [`Client::helo`] is the name of the token that was shown.
    Http,
}

/// Who gave us the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The address it connected from; `None` for our own reports and Unix sockets.
    pub ip: Option<IpAddr>,
    /// What it said at EHLO, HELO or LHLO: a stranger's text.
    pub helo: Box<str>,
    /// How.
    pub protocol: Protocol,
}
