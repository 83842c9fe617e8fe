//! `facteur trace`: the story of a message, as far as the spool knows it: reception, where each recipient
//! stands, the last try, the next one.

use std::io::Read as _;

use facteur_mail::QueueId;
use facteur_spool::Queued;
use facteur_spool_local::Reader;

use crate::args::Instance;
use crate::cli::{message, queue, spool};
use crate::error::CliError;
use crate::ui::{Screen, shown};

/// The most of a message's header section that is searched for its Message-ID, in octets.
const MAX_HEADER: u64 = 64 << 10;

/// Tells the story of each queued message that `subject` means: a queue id, a Message-ID or an address.
pub(crate) fn run(subject: &str, instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let reader = spool::open(instance, screen)?;
    let told = match QueueId::parse(subject) {
        Some(id) => {
            spool::message(&reader, id, screen)?.map_or(Ok(0), |queued| tell(&queued, 0, screen))?
        }
        None => by_name(subject, &reader, screen)?,
    };
    if told == 0 {
        return Err(queue::not_queued(subject, screen));
    }
    Ok(())
}

/// Tells of every message with this Message-ID, sender or recipient; how many there were.
fn by_name(subject: &str, reader: &Reader, screen: &mut Screen) -> Result<u64, CliError> {
    let wanted = subject
        .trim_start_matches('<')
        .trim_end_matches('>')
        .to_lowercase();
    let is_wanted = |address: String| address.to_lowercase() == wanted;
    let mut told = 0;
    for queued in reader.queued() {
        let queued = queued.map_err(|error| spool::cannot_read(&shown(subject), &error, screen))?;
        let envelope = &queued.envelope;
        let has_id = || {
            reader
                .body(queued.id)
                .is_ok_and(|body| message_id(body).is_some_and(is_wanted))
        };
        if is_wanted(envelope.sender.to_string())
            || envelope
                .recipients
                .iter()
                .any(|to| is_wanted(to.address.to_string()))
            || has_id()
        {
            told = tell(&queued, told, screen)?;
        }
    }
    Ok(told)
}

/// Tells one story; `before` were told already.
fn tell(queued: &Queued, before: u64, screen: &mut Screen) -> Result<u64, CliError> {
    if screen.json {
        screen.json(&message::to_json(queued, screen))?;
    } else {
        if before > 0 {
            screen.blank()?;
        }
        message::show(queued, screen)?;
    }
    Ok(before + 1)
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
