//! Writes a message from its JSON: the header fields, the texts, the attachments.

use data_encoding::BASE64_MIME_PERMISSIVE;
use facteur_mail::{Address, Domain, Timestamp};
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Mailbox;
use mail_builder::headers::text::Text;

use crate::submission::envelope::{Fault, Wishes, wishes};
use crate::submission::once;
use crate::submission::request::{Mailboxes, Message};

/// Fields that have a key of their own, that MIME needs, or that only servers write.
const RESERVED: [&str; 14] = [
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "sender",
    "received",
    "return-path",
    "mime-version",
    "dkim-signature",
    "delivered-to",
];

/// The longest value of a header field that may be set, in octets.
const MAX_VALUE: usize = 8 * 1024;

/// A message ready to be sent.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) wishes: Wishes,
    pub(crate) content: Vec<u8>,
    pub(crate) message_id: String,
}

/// Writes a message; Bcc stands in the envelope only. (RFC 5322 §3.6.3)
pub(crate) fn compose(
    message: Message,
    hostname: &Domain,
    now: Timestamp,
) -> Result<Composed, Fault> {
    let (name, author) = message.from.parts("from")?;
    let sender = message.sender(&author)?;
    let notify = message.notify();
    let mut recipients = Vec::new();
    let from = mailbox(name, &author);
    let to = list(&message.to, "to", &mut recipients)?;
    let cc = list(&message.cc, "cc", &mut recipients)?;
    list(&message.bcc, "bcc", &mut recipients)?;
    let reply_to = list(&message.reply_to, "reply_to", &mut Vec::new())?;
    let wishes = wishes(sender, recipients, notify, "to")?;
    let message_id = message_id(&author, hostname, now);
    let seconds = i64::try_from(now.as_millis() / 1_000).unwrap_or(i64::MAX);
    let mut builder = MessageBuilder::new()
        .message_id(message_id.clone())
        .date(seconds)
        .from(from)
        .subject(one_line("subject", message.subject)?);
    for (field, mailboxes) in [("To", to), ("Cc", cc), ("Reply-To", reply_to)] {
        if !mailboxes.is_empty() {
            builder = builder.header(field, Mailbox::new_list(mailboxes));
        }
    }
    for (name, value) in message.headers {
        may_be_set(&name)?;
        let value = one_line(&name, value)?;
        builder = builder.header(name, Text::new(value));
    }
    if let Some(html) = message.html {
        builder = builder.html_body(html);
    }
    // A message has a body, be it empty.
    builder = builder.text_body(message.text.unwrap_or_default());
    for attachment in message.attachments {
        let content = BASE64_MIME_PERMISSIVE.decode(attachment.content.as_bytes());
        let name = one_line("attachments", attachment.name)?;
        let kind = one_line("attachments", attachment.kind)?;
        let content = content.map_err(|_| Fault::Attachment { name: name.clone() })?;
        builder = builder.attachment(kind, name, content);
    }
    let content = builder.write_to_vec().map_err(|error| Fault::Json {
        words: error.to_string(),
    })?;
    Ok(Composed {
        wishes,
        content,
        message_id,
    })
}

fn mailbox(name: Option<String>, address: &Address) -> Mailbox<'static> {
    Mailbox::new_address(name, address.to_string())
}

/// The mailboxes of a field; their addresses become recipients.
fn list(
    mailboxes: &Mailboxes,
    field: &'static str,
    recipients: &mut Vec<Address>,
) -> Result<Vec<Mailbox<'static>>, Fault> {
    mailboxes
        .iter()
        .map(|one| {
            let (name, address) = one.parts(field)?;
            let name = name.map(|name| one_line(field, name)).transpose()?;
            let shown = mailbox(name, &address);
            recipients.push(address);
            Ok(shown)
        })
        .collect()
}

/// A Message-ID that nobody else makes: time, chance, and the author's domain. (RFC 5322 §3.6.4)
fn message_id(author: &Address, hostname: &Domain, now: Timestamp) -> String {
    let mut chance = [0; 10];
    // The system's randomness; without it, the author and the time must do.
    if ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut chance).is_err() {
        let author = once::digest(author.to_string().as_bytes());
        chance
            .iter_mut()
            .zip(author)
            .for_each(|(place, octet)| *place = octet);
    }
    let chance = data_encoding::BASE32_NOPAD
        .encode(&chance)
        .to_ascii_lowercase();
    let domain = author.domain().unwrap_or(hostname);
    format!("{:x}.{chance}@{domain}", now.as_millis())
}

/// A text that stays on its line: no header can be smuggled into another.
fn one_line(name: &str, value: String) -> Result<String, Fault> {
    if value.len() > MAX_VALUE || value.chars().any(char::is_control) {
        return Err(Fault::Header {
            name: name.to_owned(),
        });
    }
    Ok(value)
}

/// Whether a header field may be set by hand. (RFC 5322 §2.2: printable ASCII but the colon)
fn may_be_set(name: &str) -> Result<(), Fault> {
    let lower = name.to_ascii_lowercase();
    let well_formed = !name.is_empty()
        && name.len() <= 70
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if !well_formed
        || RESERVED.contains(&lower.as_str())
        || lower.starts_with("content-")
        || lower.starts_with("resent-")
        || lower.starts_with("arc-")
    {
        return Err(Fault::Header {
            name: name.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::request;

    fn composed(json: &str) -> Result<Composed, Fault> {
        let hostname = Domain::parse("mx.example.org").unwrap();
        compose(
            request::parse(json.as_bytes())?,
            &hostname,
            Timestamp::from_millis(1_790_000_000_000),
        )
    }

    #[test]
    fn a_message_has_its_fields_and_hides_its_bcc() {
        let done = composed(
            r#"{"from": "Anne <anne@example.org>", "to": ["jean@example.net", {"name": "Zoé", "address": "zoe@example.net"}],
                "bcc": "secret@example.net", "subject": "Été", "text": "Bonjour", "headers": {"X-Order": "42"}}"#,
        )
        .unwrap();
        let text = String::from_utf8(done.content).unwrap();
        assert!(text.contains("X-Order: 42\r\n"), "{text}");
        assert!(text.contains("Subject: =?utf-8?"), "{text}");
        assert!(!text.contains("secret"), "{text}");
        assert!(text.is_ascii());
        let to: Vec<_> = done
            .wishes
            .recipients
            .iter()
            .map(|to| to.address.to_string())
            .collect();
        assert_eq!(
            to,
            ["jean@example.net", "zoe@example.net", "secret@example.net"]
        );
        assert_eq!(done.wishes.sender.to_string(), "anne@example.org");
        assert!(done.message_id.ends_with("@example.org"));
    }

    #[test]
    fn a_header_cannot_be_smuggled() {
        for json in [
            r#"{"from": "a@b.test", "to": "c@d.test", "subject": "x\r\nBcc: e@f.test"}"#,
            r#"{"from": "a@b.test", "to": "c@d.test", "headers": {"X-A": "b\nX-C: d"}}"#,
            r#"{"from": "a@b.test", "to": "c@d.test", "headers": {"X-A:": "b"}}"#,
            r#"{"from": "a@b.test", "to": "c@d.test", "headers": {"Received": "b"}}"#,
            r#"{"from": "a@b.test", "to": "c@d.test", "headers": {"Content-Type": "text/html"}}"#,
            r#"{"from": "a@b.test", "to": {"name": "x\r\ny", "address": "c@d.test"}}"#,
        ] {
            assert!(
                matches!(composed(json), Err(Fault::Header { .. })),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_request_is_named() {
        assert!(matches!(composed("{"), Err(Fault::Json { .. })));
        assert!(matches!(
            composed(r#"{"from": "a@b.test", "to": "c@d.test", "subjcet": "x"}"#),
            Err(Fault::Json { words }) if words.contains("subjcet")
        ));
        assert!(matches!(
            composed(r#"{"from": "a@b.test"}"#),
            Err(Fault::Missing { field: "to" })
        ));
        assert!(matches!(
            composed(r#"{"from": "a@b.test", "to": "nobody"}"#),
            Err(Fault::Address { field: "to", .. })
        ));
        assert!(matches!(
            composed(
                r#"{"from": "a@b.test", "to": "c@d.test", "attachments": [{"name": "x", "content": "?"}]}"#
            ),
            Err(Fault::Attachment { .. })
        ));
    }
}
