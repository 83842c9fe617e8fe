//! Who a message is from and for: the envelope that the request wishes.

use axum::http::{HeaderMap, StatusCode};
use facteur_mail::text::escaped;
use facteur_mail::{Address, Notify, Recipient, ReversePath};
use facteur_replies::Language;
use ring::digest::Context;

use crate::problem::Problem;

/// The most recipients of one request. (SMTP's limit of a message applies as well.)
pub(crate) const MAX_RECIPIENTS: usize = 1_000;

/// The field that names the sender of a ready message; `<>` for none.
const MAIL_FROM: &str = "mail-from";

/// The field that names the recipients of a ready message, separated by commas.
const RCPT_TO: &str = "rcpt-to";

/// MAIL FROM and RCPT TO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) sender: ReversePath,
    pub(crate) recipients: Vec<Recipient>,
}

/// What is wrong with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not the JSON that is wanted.
    Json { words: String },
    /// A text that should be an address is none.
    Address { field: &'static str, text: String },
    /// A key that must be there is not.
    Missing { field: &'static str },
    /// More recipients than one request may have.
    TooManyRecipients,
    /// A header field that may not be set, or cannot be.
    Header { name: String },
    /// An attachment that is not base64.
    Attachment { name: String },
}

impl Wishes {
    /// Whether an address needs SMTPUTF8. (RFC 6531 §3.2)
    pub(crate) fn smtputf8(&self) -> bool {
        let sender = self.sender.address().is_none_or(Address::is_ascii);
        let recipients = &self.recipients;
        !(sender && recipients.iter().all(|to| to.address.is_ascii()))
    }

    /// Adds the envelope to what a repeated request must have in common with the first.
    pub(crate) fn digest(&self, hash: &mut Context) {
        let mut add = |text: String| {
            hash.update(&text.len().to_le_bytes());
            hash.update(text.as_bytes());
        };
        add(self.sender.to_string());
        for recipient in &self.recipients {
            add(recipient.address.to_string());
        }
    }
}

impl Fault {
    /// The answer.
    pub(crate) fn problem(&self, language: Language) -> Problem {
        let problem = |name| Problem::new(StatusCode::BAD_REQUEST, name, language);
        match self {
            Self::Json { words } => problem("bad-json").with("words", escaped(words)),
            Self::Address { field, text } => problem("bad-address")
                .with("field", field)
                .with("text", escaped(text)),
            Self::Missing { field } => problem("missing").with("field", field),
            Self::TooManyRecipients => problem("too-many-recipients").with("limit", MAX_RECIPIENTS),
            Self::Header { name } => problem("bad-header").with("name", escaped(name)),
            Self::Attachment { name } => problem("bad-attachment").with("name", escaped(name)),
        }
    }
}

/// The envelope of a ready message, from the fields `Mail-From` and `Rcpt-To` of the request.
pub(crate) fn of_headers(headers: &HeaderMap) -> Result<Wishes, Fault> {
    let text =
        |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let sender = headers.get(MAIL_FROM).map(text);
    let sender = sender.ok_or(Fault::Missing { field: "Mail-From" })?;
    let mut recipients = Vec::new();
    for value in headers.get_all(RCPT_TO) {
        for address in text(value).split(',') {
            recipients.push(address_of("Rcpt-To", address)?);
        }
    }
    wishes(path(&sender)?, recipients, Notify::Default, "Rcpt-To")
}

/// An envelope whose recipients are each named once.
pub(crate) fn wishes(
    sender: ReversePath,
    addresses: Vec<Address>,
    notify: Notify,
    field: &'static str,
) -> Result<Wishes, Fault> {
    if addresses.is_empty() {
        return Err(Fault::Missing { field });
    }
    if addresses.len() > MAX_RECIPIENTS {
        return Err(Fault::TooManyRecipients);
    }
    let mut recipients: Vec<Recipient> = Vec::with_capacity(addresses.len());
    for address in addresses {
        if recipients.iter().all(|known| known.address != address) {
            recipients.push(Recipient {
                address,
                orcpt: None,
                notify,
            });
        }
    }
    Ok(Wishes { sender, recipients })
}

/// A reverse-path: an address, or `<>`.
pub(crate) fn path(text: &str) -> Result<ReversePath, Fault> {
    if text.trim() == "<>" {
        return Ok(ReversePath::Null);
    }
    address_of("Mail-From", text).map(ReversePath::Address)
}

/// An address with or without angle brackets.
pub(crate) fn address_of(field: &'static str, text: &str) -> Result<Address, Fault> {
    let bare = text.trim();
    let bare = bare
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(bare);
    Address::parse(bare).map_err(|_| Fault::Address {
        field,
        text: text.to_owned(),
    })
}
