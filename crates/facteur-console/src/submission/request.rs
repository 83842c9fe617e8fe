//! The JSON of a message.

use std::collections::BTreeMap;

use facteur_mail::{Address, Notify, ReversePath};
use serde::Deserialize;

use crate::submission::envelope::{Fault, address_of, path};

/// A message as a program writes it. Unknown keys are refused: a misspelt one would be a message that says less than meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) from: Mailbox,
    #[serde(default)]
    pub(crate) to: Mailboxes,
    #[serde(default)]
    pub(crate) cc: Mailboxes,
    #[serde(default)]
    pub(crate) bcc: Mailboxes,
    #[serde(default)]
    pub(crate) reply_to: Mailboxes,
    #[serde(default)]
    pub(crate) subject: String,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) attachments: Vec<Attachment>,
    envelope_from: Option<String>,
    #[serde(default)]
    notify: Option<Vec<Report>>,
}

/// Somebody: `anne@example.org`, or an object with a name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Mailbox {
    Address(String),
    Named(Named),
}

/// Somebody with a name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    name: Option<String>,
    address: String,
}

/// One, or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Mailboxes {
    Many(Vec<Mailbox>),
    One(Mailbox),
}

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    #[serde(rename = "type", default = "octet_stream")]
    pub(crate) kind: String,
    /// Base64.
    pub(crate) content: String,
}

/// A report that the sender wants. (RFC 3461 §4.1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Report {
    Never,
    Success,
    Failure,
    Delay,
}

fn octet_stream() -> String {
    "application/octet-stream".to_owned()
}

/// Reads a message.
pub(crate) fn parse(bytes: &[u8]) -> Result<Message, Fault> {
    serde_json::from_slice(bytes).map_err(|error| Fault::Json {
        words: error.to_string(),
    })
}

impl Default for Mailboxes {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Mailboxes {
    /// Each.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Mailbox> {
        match self {
            Self::Many(many) => many.iter(),
            Self::One(one) => std::slice::from_ref(one).iter(),
        }
    }
}

impl Mailbox {
    /// Name and address; a bare text may be `Anne <anne@example.org>`.
    pub(crate) fn parts(&self, field: &'static str) -> Result<(Option<String>, Address), Fault> {
        match self {
            Self::Named(Named { name, address }) => Ok((name.clone(), address_of(field, address)?)),
            Self::Address(text) => match text
                .trim()
                .strip_suffix('>')
                .and_then(|t| t.rsplit_once('<'))
            {
                Some((name, address)) => {
                    let name = name.trim().trim_matches('"');
                    let name = (!name.is_empty()).then(|| name.to_owned());
                    Ok((name, address_of(field, address)?))
                }
                None => Ok((None, address_of(field, text)?)),
            },
        }
    }
}

impl Message {
    /// MAIL FROM: as wished, or the author.
    pub(crate) fn sender(&self, author: &Address) -> Result<ReversePath, Fault> {
        match &self.envelope_from {
            Some(text) => path(text),
            None => Ok(ReversePath::Address(author.clone())),
        }
    }

    /// NOTIFY.
    pub(crate) fn notify(&self) -> Notify {
        let Some(wanted) = &self.notify else {
            return Notify::Default;
        };
        let has = |report| wanted.contains(&report);
        let (success, failure, delay) = (
            has(Report::Success),
            has(Report::Failure),
            has(Report::Delay),
        );
        if has(Report::Never) || !(success || failure || delay) {
            return Notify::Never;
        }
        Notify::On {
            success,
            failure,
            delay,
        }
    }
}
