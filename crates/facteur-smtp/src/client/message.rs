//! A message as the client session takes it, and the commands it becomes.

use std::fmt::Write as _;

use facteur_mail::{BodyType, EnvId, Notify, Orcpt, Recipient, Ret, ReversePath};

use super::extensions::Extensions;
use super::facts::Facts;
use crate::syntax::encode_xtext;

/// One transaction: what MAIL and RCPT say, and what is known of the content.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The reverse-path.
    pub sender: &'a ReversePath,
    /// The recipients, in the order of their RCPT commands.
    pub recipients: &'a [&'a Recipient],
    /// Octets of content, exactly.
    pub octets: u64,
    /// What the content was declared to be.
    pub body: BodyType,
    /// Whether SMTPUTF8 was asked for. (RFC 6531 §3.4)
    pub smtputf8: bool,
    /// RET. (RFC 3461 §4.3)
    pub ret: Option<Ret>,
    /// ENVID. (RFC 3461 §4.4)
    pub envid: Option<&'a EnvId>,
    /// What the content really holds, where it was read; else what was declared is believed.
    pub facts: Option<Facts>,
    /// Whether content that is [`Facts::clean`] goes by BDAT where the server takes it; binary content always does.
    pub chunking: bool,
}

/// How the message goes to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) body: BodyType,
    pub(super) smtputf8: bool,
    pub(super) carriage: Carriage,
}

/// How the content goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Carriage {
    /// By DATA.
    #[default]
    Data,
    /// By BDAT, though DATA would do.
    Chunk,
    /// By BDAT, because nothing else would do.
    BinaryChunk,
}

/// What the message needs and the server does not offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    EightBitMime,
    BinaryMime,
    SmtpUtf8,
    Room { limit: u64 },
}

impl Message<'_> {
    /// The form that this server takes, or why there is none.
    pub(super) fn form(&self, offered: &Extensions) -> Result<Form, Lacking> {
        if let Some(limit) = offered.size_limit.filter(|limit| self.octets > *limit) {
            return Err(Lacking::Room { limit });
        }
        let facts = self
            .facts
            .unwrap_or_else(|| Facts::declared(self.body, self.smtputf8));
        let sender_is_ascii = self.sender.address().is_none_or(|a| a.is_ascii());
        if !offered.smtputf8 && ((self.smtputf8 && facts.eight_bit_header) || !sender_is_ascii) {
            return Err(Lacking::SmtpUtf8);
        }
        let ascii = sender_is_ascii && self.recipients.iter().all(|r| r.address.is_ascii());
        let body = self.body_form(offered, facts)?;
        Ok(Form {
            body,
            smtputf8: offered.smtputf8 && (self.smtputf8 || !ascii),
            carriage: if body == BodyType::BinaryMime {
                Carriage::BinaryChunk
            } else if self.chunking && offered.chunking && facts.clean {
                Carriage::Chunk
            } else {
                Carriage::Data
            },
        })
    }

    /// The strongest declaration offered that is not stronger than the message's own.
    fn body_form(&self, offered: &Extensions, facts: Facts) -> Result<BodyType, Lacking> {
        let binary_taken = offered.binary_mime && offered.chunking;
        match self.body {
            BodyType::SevenBit => Ok(BodyType::SevenBit),
            BodyType::BinaryMime if binary_taken => Ok(BodyType::BinaryMime),
            BodyType::BinaryMime if facts.binary => Err(Lacking::BinaryMime),
            BodyType::BinaryMime | BodyType::EightBitMime if offered.eight_bit_mime => {
                Ok(BodyType::EightBitMime)
            }
            BodyType::BinaryMime | BodyType::EightBitMime if facts.eight_bit => {
                Err(Lacking::EightBitMime)
            }
            BodyType::BinaryMime | BodyType::EightBitMime => Ok(BodyType::SevenBit),
        }
    }

    /// Appends the MAIL command.
    pub(super) fn write_mail(&self, form: Form, offered: &Extensions, out: &mut Vec<u8>) {
        let mut line = format!("MAIL FROM:<{}>", self.sender);
        if offered.size {
            push(&mut line, format_args!(" SIZE={}", self.octets));
        }
        match form.body {
            BodyType::SevenBit => {}
            BodyType::EightBitMime => line.push_str(" BODY=8BITMIME"),
            BodyType::BinaryMime => line.push_str(" BODY=BINARYMIME"),
        }
        if form.smtputf8 {
            line.push_str(" SMTPUTF8");
        }
        if offered.dsn {
            match self.ret {
                None => {}
                Some(Ret::Full) => line.push_str(" RET=FULL"),
                Some(Ret::Headers) => line.push_str(" RET=HDRS"),
            }
            if let Some(envid) = self.envid {
                line.push_str(" ENVID=");
                line.push_str(&encode_xtext(&envid.0));
            }
        }
        line.push_str("\r\n");
        out.extend_from_slice(line.as_bytes());
    }
}

/// Appends the RCPT command.
pub(super) fn write_rcpt(recipient: &Recipient, offered: &Extensions, out: &mut Vec<u8>) {
    let mut line = format!("RCPT TO:<{}>", recipient.address);
    if offered.dsn {
        push_notify(&mut line, recipient.notify);
        if let Some(orcpt) = &recipient.orcpt {
            push_orcpt(&mut line, orcpt);
        }
    }
    line.push_str("\r\n");
    out.extend_from_slice(line.as_bytes());
}

fn push_notify(line: &mut String, notify: Notify) {
    let (success, failure, delay) = match notify {
        Notify::Default => return,
        Notify::Never => {
            line.push_str(" NOTIFY=NEVER");
            return;
        }
        Notify::On {
            success,
            failure,
            delay,
        } => (success, failure, delay),
    };
    let words = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
    let mut mark = " NOTIFY=";
    for (_, word) in words.into_iter().filter(|(wanted, _)| *wanted) {
        push(line, format_args!("{mark}{word}"));
        mark = ",";
    }
}

/// `utf-8` addresses travel in the form that is legal with and without SMTPUTF8. (RFC 6533 §3)
fn push_orcpt(line: &mut String, orcpt: &Orcpt) {
    // The type is an atom by its definition; whatever else it holds does not become part of a command.
    if !orcpt
        .kind
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        return;
    }
    push(line, format_args!(" ORCPT={};", orcpt.kind));
    if !orcpt.kind.eq_ignore_ascii_case("utf-8") {
        line.push_str(&encode_xtext(&orcpt.address));
        return;
    }
    for c in orcpt.address.chars() {
        if matches!(c, '!'..='~') && !matches!(c, '+' | '=' | '\\') {
            line.push(c);
        } else {
            push(line, format_args!("\\x{{{:X}}}", u32::from(c)));
        }
    }
}

fn push(line: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    line.write_fmt(text).unwrap_or_default();
}
