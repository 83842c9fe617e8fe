//! What other servers and the mailboxes saw.

use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{QueueId, RecipientState, Timestamp};

use super::Books;
use crate::laws::Law;
use crate::wire::Line;
use crate::world::World;

/// For how long an attempt may act on what DNS said when it began: two hosts, as slow as may be.
const LONGEST_PLAN: Duration = Duration::from_secs(3 * 3_600);

/// A reply about a copy of a message.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    line: Option<Arc<Line>>,
    /// The reply is complete when our side has read so many octets; never, if it was not said.
    upto: Option<u64>,
    life: u64,
}

impl Copy {
    /// Said on a connection, up to this octet; or not said at all.
    pub(crate) fn on(line: &Arc<Line>, upto: Option<u64>, world: &World) -> Self {
        Self {
            line: Some(Arc::clone(line)),
            upto,
            life: world.life(),
        }
    }

    /// By a mailbox.
    pub(crate) fn in_mailbox(world: &World) -> Self {
        Self {
            line: None,
            upto: Some(0),
            life: world.life(),
        }
    }

    /// Whether our side has read the reply.
    pub(crate) fn is_heard(&self) -> bool {
        let read = self.line.as_ref().map_or(0, |line| line.read());
        self.upto.is_some_and(|upto| read >= upto)
    }
}

impl Books {
    /// Somebody connects to a host of a domain.
    pub(crate) fn connects(&mut self, world: &World, domain: &str) {
        if self.is_null_for(domain, LONGEST_PLAN, world.now()) {
            let what = format!("a connection to {domain}, which has a null MX");
            self.broken(world, Law::NullMxIsLeftAlone, what, vec![domain.to_owned()]);
        }
    }

    /// A host has got all of a content: which message it is, and whether it is whole.
    pub(crate) fn content_arrives(&mut self, world: &World, content: &[u8]) -> Option<QueueId> {
        let id = queue_id(content);
        let Some((id, message)) = id.and_then(|id| Some((id, self.messages.get(&id)?))) else {
            let start = String::from_utf8_lossy(content.get(..200).unwrap_or(content)).into_owned();
            let what = format!("a content that nobody has sent: {start:?}");
            self.broken(world, Law::ContentIsIntact, what, Vec::new());
            return None;
        };
        if message.content != content {
            let what = format!(
                "{} octets arrive, {} were stored",
                content.len(),
                message.content.len()
            );
            self.broken_by(world, Law::ContentIsIntact, id, &what);
        } else if !message.durable {
            self.broken_by(
                world,
                Law::AcknowledgedIsKept,
                id,
                "is sent before it is durable",
            );
        }
        Some(id)
    }

    /// On a connection that carried `before`, the content of `next` has come.
    pub(crate) fn next_on_line(
        &mut self,
        world: &World,
        line: &Line,
        before: QueueId,
        next: QueueId,
    ) {
        if before == next {
            return;
        }
        let on_line = |copy: &Copy| {
            let same = copy
                .line
                .as_ref()
                .is_some_and(|it| it.number == line.number);
            same && copy.is_heard()
        };
        let unsettled = self.messages.get(&before).is_some_and(|message| {
            message.recipients.iter().any(|it| {
                let waits = matches!(it.state, RecipientState::Waiting { .. });
                waits && it.taken.iter().any(on_line)
            })
        });
        if unsettled {
            let what =
                format!("the connection carries {next} before its own outcome is on the disk");
            self.broken_by(world, Law::RecordedBeforeTheNext, before, &what);
        }
    }

    /// A host takes a message for a recipient, and says so, or not.
    pub(crate) fn takes(&mut self, world: &World, id: QueueId, address: &str, copy: Copy) {
        world.tally().taken += 1;
        world.note(format_args!("{id} is taken for {address}"));
        let in_mailbox = copy.line.is_none();
        let Some(recipient) = self.recipient(id, address) else {
            return self.broken_by(
                world,
                Law::ContentIsIntact,
                id,
                &format!("is taken for {address}, not its recipient"),
            );
        };
        let recorded = !matches!(recipient.state, RecipientState::Waiting { .. });
        let heard_in_this_life = |it: &Copy| it.is_heard() && it.life == copy.life;
        let known = recipient.taken.iter().any(heard_in_this_life);
        let again = !recipient.taken.is_empty();
        let refused = recipient.refused.iter().any(heard_in_this_life);
        recipient.taken.push(copy);
        if again && (recorded || known) && !in_mailbox {
            let what = format!(
                "{address} gets it twice, and the first copy was {}",
                if recorded { "recorded" } else { "known" }
            );
            self.broken_by(world, Law::TakenOnce, id, &what);
        } else if again && !in_mailbox {
            world.tally().twice += 1;
        } else if refused {
            self.broken_by(
                world,
                Law::RefusalIsFinal,
                id,
                &format!("{address} refused it for good, and takes it"),
            );
        }
    }

    /// A host refuses a message for good for a recipient.
    pub(crate) fn refuses(
        &mut self,
        world: &World,
        address: &str,
        id: Option<QueueId>,
        copy: Copy,
    ) {
        let Some(id) = id.or_else(|| self.id_of(address)) else {
            return;
        };
        world.note(format_args!("{id} is refused for good for {address}"));
        if let Some(recipient) = self.recipient(id, address) {
            recipient.refused.push(copy);
        }
    }

    /// A host is asked whether it takes mail for this recipient.
    pub(crate) fn is_asked(&mut self, world: &World, address: &str) {
        let Some(id) = self.id_of(address) else {
            return;
        };
        let life = world.life();
        let Some(recipient) = self.recipient(id, address) else {
            return;
        };
        let refused = recipient
            .refused
            .iter()
            .any(|it| it.is_heard() && it.life == life);
        if refused {
            self.broken_by(
                world,
                Law::RefusalIsFinal,
                id,
                &format!("{address} refused it for good, and is asked again"),
            );
        }
    }

    /// To a host something was said that is no command.
    pub(crate) fn nonsense(&mut self, world: &World, line: &str) {
        let what = format!("said where a command is expected: {line:?}");
        self.broken(world, Law::NothingButCommands, what, Vec::new());
    }

    /// The message for this recipient, where only one is: addresses are used once, but for those of reports.
    fn id_of(&self, address: &str) -> Option<QueueId> {
        let mut all = self.messages.iter().filter(|(_, message)| {
            let named = message.recipients.iter().any(|it| it.address == address);
            named && !message.gone
        });
        let (id, _) = all.next()?;
        all.next().is_none().then_some(*id)
    }

    /// Whether a domain had a null MX a moment ago.
    pub(super) fn was_null(&self, domain: &str, now: Timestamp) -> bool {
        let until = self.null_until.get(domain);
        until.is_some_and(|until| now.since(*until) < LONGEST_PLAN)
    }
}

/// The queue id in a content: in our `Received:`, or in the Message-ID of a report.
fn queue_id(content: &[u8]) -> Option<QueueId> {
    let head = content.get(..content.len().min(2_000))?;
    let text = String::from_utf8_lossy(head);
    let (start, end) = if text.starts_with("Received: ") {
        ("\r\n\tid ", [';', '\r'])
    } else {
        ("\r\nMessage-ID: <", ['@', '>'])
    };
    let (_, rest) = text.split_once(start)?;
    QueueId::parse(rest.split(end).next()?)
}
