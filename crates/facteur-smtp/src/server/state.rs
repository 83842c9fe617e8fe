//! The states of a session. Each owns what it needs and nothing else.

use facteur_mail::{BodyType, Protocol};
use facteur_replies::Reply;

use super::config::Role;
use crate::syntax::command::Chunk;
use crate::wire::dot::DotDecoder;
use crate::wire::newlines::Newlines;

/// Where a session stands.
#[derive(Debug)]
pub(super) enum State {
    /// Connected; the greeting is to be said.
    Connected,
    /// A command is awaited.
    Command(Phase),
    /// A question was asked; nothing happens until it is answered.
    Asked(Asked),
    /// Between 354 and CRLF.CRLF.
    Data(Data),
    /// In the octets of a BDAT.
    Chunk(ChunkData),
    /// In the octets of a BDAT that is refused.
    Discard(Discard),
    /// Over.
    Closed,
}

/// What has been agreed on when a command is awaited: it decides which commands are in order.
#[derive(Debug)]
pub(super) enum Phase {
    /// No EHLO, HELO or LHLO yet.
    Unnamed,
    /// No transaction.
    Ready(Hello),
    /// Between MAIL and the content.
    Open(Mail),
    /// Between two BDAT of a message.
    Chunks(Chunks),
    /// After a refused BDAT: only RSET leads on. (RFC 3030 §2)
    ChunkRefused(Hello),
}

impl Phase {
    /// The greeting, and whether a transaction ends if it is said again.
    pub(super) fn into_hello(self) -> (Option<Hello>, bool) {
        match self {
            Self::Unnamed => (None, false),
            Self::Ready(hello) | Self::ChunkRefused(hello) => (Some(hello), false),
            Self::Open(mail) => (Some(mail.hello), true),
            Self::Chunks(chunks) => (Some(chunks.mail.hello), true),
        }
    }
}

/// The questions, each with what its answer needs.
#[derive(Debug)]
pub(super) enum Asked {
    /// `Question::Sender`.
    Sender {
        mail: Mail,
        /// The address, for the reply.
        sender: String,
    },
    /// `Question::Recipient`.
    Recipient {
        mail: Mail,
        /// The address, for the reply.
        recipient: String,
    },
    /// `Question::Begin`, from DATA or from the first BDAT.
    Begin { mail: Mail, chunk: Option<Chunk> },
    /// `Question::Commit`.
    Commit(Mail),
}

/// What the client said of itself.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) name: Box<str>,
    /// Whether it said EHLO rather than HELO.
    pub(super) extended: bool,
}

impl Hello {
    /// The `with` of `Received:`. (RFC 6531 §4.3)
    pub(super) const fn protocol(&self, role: Role, smtputf8: bool) -> Protocol {
        match (role, smtputf8, self.extended) {
            (Role::Lmtp, true, _) => Protocol::Utf8Lmtp,
            (Role::Lmtp, false, _) => Protocol::Lmtp,
            (Role::Smtp, true, _) => Protocol::Utf8Smtp,
            (Role::Smtp, false, true) => Protocol::Esmtp,
            (Role::Smtp, false, false) => Protocol::Smtp,
        }
    }
}

/// An open transaction.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) hello: Hello,
    pub(super) body: BodyType,
    pub(super) smtputf8: bool,
    pub(super) recipients: Recipients,
}

/// What became of RCPT.
#[derive(Debug, Default)]
pub(super) struct Recipients {
    /// How many were accepted.
    pub(super) accepted: u32,
    /// Whether any was refused.
    pub(super) refused: bool,
    /// LMTP: the accepted ones, each of which gets a reply of its own.
    pub(super) names: Vec<Box<str>>,
}

/// Reading after 354.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) mail: Mail,
    pub(super) dots: DotDecoder,
    pub(super) content: Content,
}

/// A message that comes by BDAT, after its first chunk.
#[derive(Debug)]
pub(super) struct Chunks {
    pub(super) mail: Mail,
    pub(super) newlines: Newlines,
    /// Octets handed over.
    pub(super) octets: u64,
}

/// Reading a chunk.
#[derive(Debug)]
pub(super) struct ChunkData {
    pub(super) mail: Mail,
    pub(super) newlines: Newlines,
    pub(super) content: Content,
    pub(super) chunk: Chunk,
    /// Octets of the chunk that are to come.
    pub(super) remaining: u64,
}

/// Reading a chunk for nothing.
#[derive(Debug)]
pub(super) struct Discard {
    /// Octets that are to come.
    pub(super) remaining: u64,
    /// What is said then.
    pub(super) reply: Reply,
    /// What follows.
    pub(super) phase: Phase,
}

/// How the content fares.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Octets handed over.
    pub(super) octets: u64,
    /// Why the message will be refused at its end; what is still to come is thrown away.
    pub(super) fault: Option<Reply>,
}
