//! When all is done: has everybody got what is theirs?

use facteur_mail::{QueueId, RecipientState, Report};

use super::Books;
use crate::laws::Law;
use crate::world::World;

impl Books {
    /// Nothing happens any more.
    pub(crate) fn end(&mut self, world: &World) {
        let ids: Vec<QueueId> = self.messages.keys().copied().collect();
        for id in ids {
            if let Some((law, what)) = self.unserved(id) {
                self.broken_by(world, law, id, &what);
            }
        }
    }

    fn unserved(&self, id: QueueId) -> Option<(Law, String)> {
        let message = self.messages.get(&id)?;
        if !message.durable {
            return message.acknowledged.then(|| {
                (
                    Law::AcknowledgedIsKept,
                    "was acknowledged and never durable".to_owned(),
                )
            });
        }
        if !message.gone {
            return Some((Law::NothingIsLeft, "is still queued".to_owned()));
        }
        message.recipients.iter().find_map(|recipient| {
            let address = &recipient.address;
            match &recipient.state {
                RecipientState::Delivered { .. }
                    if recipient.taken.iter().any(super::Copy::is_heard) =>
                {
                    None
                }
                RecipientState::Failed {
                    report: Report::NotWanted,
                    ..
                } => None,
                RecipientState::Failed { .. } if recipient.told.contains_key("failed") => None,
                RecipientState::Waiting { .. }
                | RecipientState::Held { .. }
                | RecipientState::Delivered { .. }
                | RecipientState::Failed { .. } => {
                    let state = super::progress::shown(&recipient.state);
                    Some((
                        Law::AcknowledgedIsKept,
                        format!("{address} was neither served nor told of: {state}"),
                    ))
                }
            }
        })
    }
}
