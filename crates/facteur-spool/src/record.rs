//! How envelopes and states are written down: explicit, versioned, every length bounded.
//!
//! Numbers are little-endian, texts and lists carry their length in front. What is read back is untrusted: decoding
//! never panics, never allocates more than its input allows, takes time linear in it, and passes every name
//! and address through the same check as one that comes over the wire. A stranger's reply is length-prefixed
//! octets here and nothing else; nothing in it can end a field.
//!
//! A version may add fields at the end of a new format version and rows to the table of replies. A reply whose
//! row this version lacks is restored as one of the `recorded_*` rows: same speaker, same class, its line as text.

mod decode;
mod encode;

pub use decode::{RecordError, decode_envelope, decode_progress};
pub use encode::{encode_envelope, encode_progress};

use crate::spool::Change;

/// The newest format version, the first octet of each encoding. What older versions can read is written as of the
/// first one: only progress with a hold needs the second.
pub const VERSION: u8 = 2;

/// The first format version.
const FIRST_VERSION: u8 = 1;

/// The most recipients of one message.
pub const MAX_RECIPIENTS: usize = 65_536;

/// The most octets of an encoded envelope or progress.
pub const MAX_RECORD: usize = 16 << 20;

/// The most octets of one text of an envelope.
pub const MAX_TEXT: usize = 4_096;

/// The most octets kept of a remote's reply; the rest is cut off.
pub const MAX_REPLY_TEXT: usize = 4_096;

/// The most lines kept of a remote's reply.
pub const MAX_REPLY_LINES: usize = 512;

/// The most octets kept of one argument of our own replies.
pub const MAX_REPLY_ARGUMENT: usize = 1_024;

/// The most arguments of a reply.
const MAX_REPLY_ARGUMENTS: usize = 16;

/// News about some recipients of a message: a step from one state of it to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgressRecord {
    /// Whether this replaces everything known before (a recipient that is not named is new again), or adds to it.
    pub whole: bool,
    /// The new states. A recipient named here is no longer being tried.
    pub changes: Vec<Change>,
    /// Recipients for whom an attempt has begun, after `changes`.
    pub attempting: Vec<usize>,
}

/// Stable numbers of the enums' variants. Never reuse one.
mod tag {
    pub(super) const HOST_DOMAIN: u8 = 0;
    pub(super) const HOST_IPV4: u8 = 1;
    pub(super) const HOST_IPV6: u8 = 2;

    pub(super) const NOTIFY_DEFAULT: u8 = 0;
    pub(super) const NOTIFY_NEVER: u8 = 1;
    pub(super) const NOTIFY_ON: u8 = 8;
    pub(super) const NOTIFY_SUCCESS: u8 = 1;
    pub(super) const NOTIFY_FAILURE: u8 = 2;
    pub(super) const NOTIFY_DELAY: u8 = 4;

    pub(super) const STATE_WAITING: u8 = 0;
    pub(super) const STATE_DELIVERED: u8 = 1;
    pub(super) const STATE_FAILED: u8 = 2;
    /// Since version 2.
    pub(super) const STATE_HELD: u8 = 3;

    pub(super) const SAID_BY_US: u8 = 0;
    pub(super) const SAID_BY_PEER: u8 = 1;
}

#[cfg(test)]
mod tests;
