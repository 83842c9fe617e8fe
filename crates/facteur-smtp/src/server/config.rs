//! What a listener offers and how much of it.

use facteur_mail::Domain;

use crate::extensions;
use crate::limits::MAX_SPARE_COMMANDS;

/// The settings of every session of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The server's name: in the greeting, in 221 and 421, and the domain of `<postmaster>`.
    pub hostname: Domain,
    /// SMTP or LMTP.
    pub role: Role,
    /// The largest message, in octets with dot-stuffing undone. Default: 50 MiB. (RFC 1870)
    pub max_message_octets: u64,
    /// The most recipients of a message. Default: 1,000; RFC 5321 §4.5.3.1.8 asks for 100 at least.
    pub max_recipients: u32,
    /// The most transactions of a session. Default: 1,000.
    pub max_messages: u32,
    /// The most commands of a session that may be refused for good; one more is answered with 421.
    /// Default: 20.
    pub max_errors: u32,
    /// What becomes of a CR or LF on its own in a message. Default: refused.
    pub bare_newlines: BareNewlines,
}

/// Which protocol a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// SMTP. (RFC 5321)
    Smtp,
    /// LMTP: a reply for each recipient after the content. (RFC 2033)
    Lmtp,
}

/// What becomes of a CR or LF on its own in a message. It never ends a line of the protocol in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BareNewlines {
    /// The message is refused with 550 5.6.11.
    Refuse,
    /// It becomes CRLF before anything else sees it.
    Normalise,
}

impl Config {
    /// The defaults, for a server of this name.
    #[must_use]
    pub const fn new(hostname: Domain, role: Role) -> Self {
        Self {
            hostname,
            role,
            max_message_octets: 50 * 1024 * 1024,
            max_recipients: 1_000,
            max_messages: 1_000,
            max_errors: 20,
            bare_newlines: BareNewlines::Refuse,
        }
    }

    /// The most commands from one message to the next; one more is answered with 421. A client that has too many
    /// recipients, each of which is refused for now, stays far below.
    pub(super) const fn max_commands(&self) -> u32 {
        let recipients = self.max_recipients.saturating_mul(2);
        recipients.saturating_add(MAX_SPARE_COMMANDS)
    }

    /// The lines of the answer to EHLO or LHLO after the first one.
    pub(super) fn keywords(&self) -> [String; 10] {
        [
            extensions::PIPELINING.to_owned(),
            format!("{} {}", extensions::SIZE, self.max_message_octets),
            extensions::EIGHT_BIT_MIME.to_owned(),
            extensions::SMTPUTF8.to_owned(),
            extensions::DSN.to_owned(),
            extensions::ENHANCED_STATUS_CODES.to_owned(),
            extensions::CHUNKING.to_owned(),
            extensions::BINARY_MIME.to_owned(),
            format!(
                "{} RCPTMAX={} MAILMAX={}",
                extensions::LIMITS,
                self.max_recipients,
                self.max_messages
            ),
            extensions::HELP.to_owned(),
        ]
    }
}
