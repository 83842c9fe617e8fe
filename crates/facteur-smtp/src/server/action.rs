//! What a server session asks its driver to do. Actions are values; performing them is the driver's work.

use facteur_mail::{BodyType, Client, EnvId, Recipient, Ret, ReversePath};
use facteur_replies::Reply;

/// The next thing to do, in order. A question pauses the session until it is answered, so that pipelined
/// commands cannot overtake each other.
#[derive(Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Append the reply to the output; written at the latest before the next read.
    Reply(Reply),
    /// Answer the question with the method that its variant names.
    Ask(Question),
    /// Message content, dot-stuffing undone: hand it to the draft.
    Content(&'a [u8]),
    /// The transaction is over without a message: drop the draft, if there is one.
    Abandon,
    /// Write what is pending, then read from the client.
    Read(Expecting),
    /// Write what is pending, then close. A transaction that is open ends without a message.
    Close,
}

/// What the session wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// May this sender open a transaction? Answered by `Session::answer`.
    Sender(Transaction),
    /// May this recipient be added to it? Answered by `Session::answer`.
    Recipient(Recipient),
    /// Open a draft: content follows. Answered by `Session::answer`; a refusal is said instead of 354.
    Begin,
    /// All content has been handed over: make it durable. Answered by `Session::committed`.
    Commit,
}

/// What MAIL said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The reverse-path.
    pub sender: ReversePath,
    /// SIZE, as declared. (RFC 1870 §6)
    pub size: Option<u64>,
    /// BODY. (RFC 6152 §2)
    pub body: BodyType,
    /// SMTPUTF8. (RFC 6531 §3.4)
    pub smtputf8: bool,
    /// RET. (RFC 3461 §4.3)
    pub ret: Option<Ret>,
    /// ENVID. (RFC 3461 §4.4)
    pub envid: Option<EnvId>,
    /// Who says so: its address, its name for itself, its protocol.
    pub client: Client,
}

/// What the session waits for: it decides how long the driver is patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expecting {
    /// A command line. (RFC 5321 §4.5.3.2.7)
    Command,
    /// Message content.
    Content,
}
