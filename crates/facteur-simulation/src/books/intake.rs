//! What comes in: what clients send, and what the spool says of it.

use facteur_mail::dsn::{self, Action};
use facteur_mail::{Envelope, QueueId, RecipientState, ReversePath, Timestamp};

use super::{Books, Message, Name, Recipient, Sent, Told};
use crate::laws::Law;
use crate::world::World;

/// How long an answer of DNS may be on its way to whoever acts on it.
const STALE: std::time::Duration = std::time::Duration::from_secs(120);

impl Books {
    /// A client is about to say the end of a message.
    pub(crate) fn sends(&mut self, name: Name, content: Vec<u8>, recipients: Vec<String>) {
        self.sent.insert(
            name,
            Sent {
                content,
                recipients,
            },
        );
    }

    /// A message is handed to the spool: its envelope and all of its content.
    pub(crate) fn commits(
        &mut self,
        world: &World,
        id: QueueId,
        envelope: &Envelope,
        content: Vec<u8>,
        first_try: Timestamp,
    ) {
        let recipients = envelope.recipients.iter();
        let message = Message {
            envelope: envelope.clone(),
            durable: false,
            acknowledged: false,
            gone: false,
            recipients: recipients
                .map(|recipient| Recipient {
                    address: recipient.address.to_string(),
                    state: RecipientState::new(first_try),
                    taken: Vec::new(),
                    refused: Vec::new(),
                    told: std::collections::BTreeMap::new(),
                })
                .collect(),
            settling: Vec::new(),
            doubtful: Vec::new(),
            reports: reports(envelope, &content),
            content,
        };
        let is_report = is_report(envelope);
        let about: Vec<QueueId> = message.reports.iter().map(|(id, ..)| *id).collect();
        let name = message
            .recipients
            .first()
            .and_then(|it| Name::of_address(&it.address));
        if self.messages.insert(id, message).is_some() {
            self.broken_by(
                world,
                Law::ContentIsIntact,
                id,
                "the queue id is given twice",
            );
        }
        if is_report {
            self.check_report(world, id, &about);
        } else {
            self.check_intake(world, id, name);
        }
    }

    fn check_report(&mut self, world: &World, id: QueueId, about: &[QueueId]) {
        for original in about {
            let from = self.messages.get(original).map(|it| &it.envelope.sender);
            if from.is_none_or(|sender| *sender == ReversePath::Null) {
                let what = format!("a report about {original}, which is from <> or unknown");
                self.broken_by(world, Law::NoBounceOfABounce, id, &what);
            }
        }
        if about.is_empty() {
            self.broken_by(
                world,
                Law::ContentIsIntact,
                id,
                "a report that says nothing",
            );
        }
        let to = self.messages.get(&id).and_then(|it| it.recipients.first());
        let domain = to.and_then(|to| to.address.split_once('@'));
        let domain = domain
            .map(|(_, domain)| domain.to_owned())
            .unwrap_or_default();
        if self.is_null_for(&domain, STALE, world.now()) {
            self.broken_by(world, Law::NoReportToANullMx, id, "a report to a null MX");
        }
    }

    fn check_intake(&mut self, world: &World, id: QueueId, name: Option<Name>) {
        let Some(sent) = name.and_then(|name| self.sent.get(&name)) else {
            return self.broken_by(world, Law::ContentIsIntact, id, "nobody has sent this");
        };
        let Some(message) = self.messages.get(&id) else {
            return;
        };
        let rest = after_received(&message.content);
        let to: Vec<_> = message
            .recipients
            .iter()
            .map(|it| it.address.clone())
            .collect();
        if rest != Some(&sent.content) {
            let what = "what is stored is not what was sent";
            self.broken_by(world, Law::ContentIsIntact, id, what);
        } else if to != sent.recipients {
            let what = format!("sent to {:?}, stored for {to:?}", sent.recipients);
            self.broken_by(world, Law::ContentIsIntact, id, &what);
        }
    }

    /// The spool says that a message is durable.
    pub(crate) fn durable(&mut self, world: &World, id: QueueId) {
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        message.durable = true;
        let reports = message.reports.clone();
        if is_report(&message.envelope) {
            world.tally().reports += 1;
        }
        world.note(format_args!("{id} is durable"));
        let life = world.life();
        for (about, address, action) in reports {
            let Some(recipient) = self.recipient(about, &address) else {
                continue;
            };
            let told = recipient
                .told
                .entry(action.name())
                .or_insert(Told { count: 0, life });
            told.count += 1;
            let again_in_one_life = told.count > 1 && told.life == life;
            told.life = life;
            let done = is_told(&recipient.state);
            if again_in_one_life || (told.count > 1 && (done || action == Action::Delayed)) {
                let what = format!("{} is reported again, by {id}", action.name());
                self.broken_by(world, Law::ToldOnce, about, &what);
            }
        }
    }

    /// The server says 250 to the end of a message, at this moment.
    pub(crate) fn says_250(&mut self, world: &World, text: &str) {
        let id = text.split_whitespace().last().and_then(QueueId::parse);
        let Some((id, message)) = id.and_then(|id| Some((id, self.messages.get(&id)?))) else {
            let what = format!("250 for a message that is not in the spool: {text}");
            return self.broken(world, Law::FlushedBeforeThe250, what, Vec::new());
        };
        let content = &message.content;
        let start = content.get(..content.len().min(200)).unwrap_or_default();
        let end = content
            .get(content.len().saturating_sub(40)..)
            .unwrap_or_default();
        let kept = [start, end].iter().all(|part| world.disk.would_keep(part));
        if !kept || !message.durable {
            let what = "250 is said and a loss of power now would lose the message";
            self.broken_by(world, Law::FlushedBeforeThe250, id, what);
        }
    }

    /// A client has heard 250.
    pub(crate) fn acknowledged(&mut self, world: &World, name: Name, id: QueueId) {
        world.tally().acknowledged += 1;
        let known = self.messages.get_mut(&id);
        let right = known.is_some_and(|message| {
            message.acknowledged = true;
            let first = message.recipients.first();
            first.and_then(|it| Name::of_address(&it.address)) == Some(name)
        });
        if !right {
            let what = format!("{} was acknowledged as another message", name.text());
            self.broken_by(world, Law::AcknowledgedIsKept, id, &what);
        }
    }
}

/// Whether the sender counts as told, as the spool knows it.
pub(super) const fn is_told(state: &RecipientState) -> bool {
    use facteur_mail::Report::Sent;
    matches!(
        state,
        RecipientState::Delivered { report: Sent, .. }
            | RecipientState::Failed { report: Sent, .. }
    )
}

fn is_report(envelope: &Envelope) -> bool {
    envelope.client.protocol == facteur_mail::Protocol::Local
}

fn reports(envelope: &Envelope, content: &[u8]) -> Vec<(QueueId, String, Action)> {
    if !is_report(envelope) {
        return Vec::new();
    }
    let parsed = dsn::parse(content).map(|report| report.recipients);
    let recipients = parsed.unwrap_or_default().into_iter();
    recipients
        .filter_map(|it| Some((QueueId::parse(&it.log_id?)?, it.recipient?, it.action?)))
        .collect()
}

/// What stands behind our `Received:`.
fn after_received(content: &[u8]) -> Option<&[u8]> {
    let mut rest = content.strip_prefix(b"Received: ")?;
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        rest = rest.get(end + 2..)?;
        if !rest.starts_with(b"\t") {
            return Some(rest);
        }
    }
}
