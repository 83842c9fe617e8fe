//! What a client session asks its driver to do. Actions are values; performing them is the driver's work.

use facteur_mail::{Said, Stage};

use super::limits::Waiting;
use crate::syntax::reply::Finding;

/// The next thing to do, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Write all of it, within the time of `waiting`.
    Write {
        /// What to write.
        bytes: &'a [u8],
        /// What the time for it is called.
        waiting: Waiting,
    },
    /// Read, and hand over what came with `Session::receive`.
    Read {
        /// What the reply is to: it decides how long the driver is patient.
        waiting: Waiting,
        /// The number of the reply in this connection. While it stays the same, the time runs on.
        reply: u64,
    },
    /// Hand over the next piece of content with `Session::content`, or `Session::content_ends`.
    NeedContent,
    /// The verdict on one recipient of the message.
    Outcome(RecipientOutcome),
    /// The connection is of no use, and no message was under way: what the remote said, or what became of it.
    Failed {
        /// The step.
        stage: Stage,
        /// The words.
        said: Said,
    },
    /// A reply had something no reply should have; it counts all the same.
    Unusual {
        /// The step.
        stage: Stage,
        /// What it was.
        finding: Finding,
    },
    /// No message is under way: `Session::send` the next one, or `Session::quit`.
    Idle,
    /// Close the connection.
    Close,
}

/// What became of one recipient in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientOutcome {
    /// Its place in `Message::recipients`.
    pub index: usize,
    /// The step that decided.
    pub stage: Stage,
    /// The words that decided.
    pub said: Said,
    /// What the words are about.
    pub about: About,
}

/// What a verdict is about: it tells where another try makes sense, never whether.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// This recipient.
    Recipient,
    /// The message, or its sender.
    Message,
    /// BDAT: the server offered CHUNKING and does not know it. The message is to be sent again without, over another
    /// connection: the server may have read this content as commands.
    Chunking,
    /// The connection: 421, lost, or out of order. Nothing was said about the recipient.
    Connection,
    /// The number of recipients: this one is to be sent in another transaction, whatever the class of the code.
    /// (RFC 5321 §4.5.3.1.10)
    Transaction,
}
