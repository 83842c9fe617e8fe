//! `facteur trace`: the story of a message, as far as the spool knows it: reception, where each recipient
//! stands, the last try, the next one.

use std::io::Read as _;

use facteur_mail::QueueId;
use facteur_spool::Queued;

use crate::args::Instance;
use crate::cli::{message, queue, spool};
use crate::error::CliError;
use crate::ui::Screen;

/// The most of a message's header section that is searched for its Message-ID, in octets.
const MAX_HEADER: u64 = 64 << 10;

/// Tells the story of each queued message that `subject` means: a queue id, a Message-ID or an address.
pub(crate) fn run(subject: &str, instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let found = find(subject, instance, screen)?;
    if found.is_empty() {
        return Err(queue::not_queued(subject, screen));
    }
    for (i, queued) in found.iter().enumerate() {
        if screen.json {
            screen.json(&message::to_json(queued, screen))?;
            continue;
        }
        if i > 0 {
            screen.blank()?;
        }
        message::show(queued, screen)?;
    }
    Ok(())
}

fn find(subject: &str, instance: &Instance, screen: &Screen) -> Result<Vec<Queued>, CliError> {
    if let Some(id) = QueueId::parse(subject) {
        return Ok(spool::message(id, instance, screen)?.into_iter().collect());
    }
    let wanted = subject
        .trim_start_matches('<')
        .trim_end_matches('>')
        .to_lowercase();
    let reader = spool::open(instance, screen)?;
    let mut found = spool::messages(instance, screen)?;
    found.retain(|queued| {
        let envelope = &queued.envelope;
        let is_wanted = |address: String| address.to_lowercase() == wanted;
        is_wanted(envelope.sender.to_string())
            || envelope
                .recipients
                .iter()
                .any(|to| is_wanted(to.address.to_string()))
            || reader
                .body(queued.id)
                .is_ok_and(|body| message_id(body).is_some_and(|id| id.to_lowercase() == wanted))
    });
    Ok(found)
}

/// The Message-ID of a message, without its angle brackets.
fn message_id(body: facteur_spool::Body) -> Option<String> {
    let mut head = Vec::new();
    body.take(MAX_HEADER).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let (fields, _) = head.split_once("\r\n\r\n").unwrap_or((&head, ""));
    let unfolded = fields.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let value = value.trim().strip_prefix('<')?.split('>').next()?;
        name.trim()
            .eq_ignore_ascii_case("message-id")
            .then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_found_folded_and_whatever_its_case() {
        let head = "Received: by mx\r\n id 1\r\nMESSAGE-id:\r\n <a.b@c.test>\r\n\r\nMessage-ID: <no@no>\r\n";
        let body: facteur_spool::Body = Box::new(head.as_bytes());
        assert_eq!(message_id(body).as_deref(), Some("a.b@c.test"));
        let none: facteur_spool::Body = Box::new(&b"Subject: x\r\n\r\n"[..]);
        assert_eq!(message_id(none), None);
    }
}
