//! A transaction from MAIL to the receipt: the envelope as it grows, and the draft once content comes.

use std::collections::HashSet;
use std::sync::Arc;

use facteur_mail::event::{self, Event, Observer};
use facteur_mail::text::escaped;
use facteur_mail::{
    Address, Envelope, Hops, MessageIdFinder, QueueId, Receipt, Received, Recipient, Timestamp,
};
use facteur_replies::Reply;
use facteur_smtp::server::Transaction;
use facteur_spool::{Draft, Spool, SpoolError};
use tracing::{info, warn};

use crate::config::Config;
use crate::envelopes::{Envelopes, Held};
use crate::refusal;

/// Opens transactions.
#[derive(Clone)]
pub(crate) struct Intake {
    spool: Arc<dyn Spool>,
    config: Arc<Config>,
    envelopes: Arc<Envelopes>,
}

/// An open transaction.
pub(crate) struct Incoming {
    pub(crate) envelope: Envelope,
    /// The addresses in the envelope, which has each of them once.
    known: HashSet<Address>,
    /// What RCPT said, if it was said once.
    only_recipient: Option<Address>,
    /// The memory that the recipients take.
    held: Held,
    content: Option<Content>,
}

/// Content on its way to the spool.
struct Content {
    draft: Box<dyn Draft>,
    hops: Hops,
    message_id: MessageIdFinder,
}

/// A message that the spool holds.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) receipt: Receipt,
    pub(crate) octets: u64,
    pub(crate) envelope: Envelope,
    message_id: MessageIdFinder,
}

impl Accepted {
    /// Says that it is here, in the log and to whom it concerns.
    pub(crate) fn tell(&self, observer: &dyn Observer, session: Option<u64>, now: Timestamp) {
        info!(
            session,
            id = %self.receipt.id(),
            client = self.envelope.client.ip.map(display),
            sender = %format_args!("<{}>", escaped(&self.envelope.sender.to_string())),
            octets = self.octets,
            recipients = self.envelope.recipients.len(),
            "message accepted"
        );
        observer.observe(&Event::Accepted(event::Accepted {
            id: self.receipt.id(),
            at: now,
            octets: self.octets,
            envelope: &self.envelope,
            message_id: self.message_id.found(),
            session,
        }));
    }
}

impl Intake {
    pub(crate) const fn new(
        spool: Arc<dyn Spool>,
        config: Arc<Config>,
        envelopes: Arc<Envelopes>,
    ) -> Self {
        Self {
            spool,
            config,
            envelopes,
        }
    }

    /// Whether open transactions take so much memory that strangers must hurry.
    pub(crate) fn is_crowded(&self) -> bool {
        self.envelopes.are_crowded()
    }

    /// Whether there is room for a message.
    pub(crate) fn has_room(&self, octets: Option<u64>) -> Result<(), Reply> {
        self.spool
            .admit(octets.unwrap_or_default())
            .map_err(refused)
    }

    /// Opens a transaction, of a stranger or of a client that may relay.
    pub(crate) fn open(
        &self,
        transaction: Transaction,
        stranger: bool,
        now: Timestamp,
    ) -> Incoming {
        Incoming {
            envelope: Envelope {
                sender: transaction.sender,
                recipients: Vec::new(),
                body: transaction.body,
                smtputf8: transaction.smtputf8,
                ret: transaction.ret,
                envid: transaction.envid,
                arrived: now,
                client: transaction.client,
            },
            known: HashSet::new(),
            only_recipient: None,
            held: self.envelopes.open(stranger),
            content: None,
        }
    }

    /// Adds what an accepted RCPT stands for.
    pub(crate) fn add(
        &self,
        incoming: &mut Incoming,
        said: Address,
        recipients: Vec<Recipient>,
    ) -> Result<(), Reply> {
        let limit = self.config.max_expanded_recipients;
        if incoming.envelope.recipients.len() + recipients.len() > limit {
            return Err(Reply::too_many_recipients(limit));
        }
        let new = recipients
            .iter()
            .filter(|recipient| !incoming.known.contains(&recipient.address));
        if !incoming.held.hold(new) {
            return Err(Reply::storage_full());
        }
        let first = incoming.known.is_empty();
        incoming.only_recipient = first.then_some(said);
        for recipient in recipients {
            if incoming.known.insert(recipient.address.clone()) {
                incoming.envelope.recipients.push(recipient);
            }
        }
        Ok(())
    }

    /// Opens a draft, which begins with our `Received:`.
    pub(crate) fn begin(&self, incoming: &mut Incoming, now: Timestamp) -> Result<QueueId, Reply> {
        let mut draft = self.spool.begin(now).map_err(refused)?;
        let id = draft.id();
        let received = Received {
            client: &incoming.envelope.client,
            by: &self.config.hostname,
            id,
            only_recipient: incoming.only_recipient.as_ref(),
            at: now,
        };
        let received = received.to_string();
        draft.write(received.as_bytes()).map_err(refused)?;
        incoming.content = Some(Content {
            draft,
            hops: Hops::new(),
            message_id: MessageIdFinder::new(),
        });
        Ok(id)
    }

    /// Adds content.
    pub(crate) fn write(&self, incoming: &mut Incoming, octets: &[u8]) -> Result<(), Reply> {
        let Some(content) = &mut incoming.content else {
            return Err(Reply::local_error());
        };
        content.hops.read(octets);
        content.message_id.read(octets);
        let limit = self.config.max_hops;
        if content.hops.count() > limit {
            return Err(Reply::too_many_hops(limit));
        }
        content.draft.write(octets).map_err(refused)
    }

    /// Makes the message durable.
    pub(crate) async fn commit(incoming: Incoming, now: Timestamp) -> Result<Accepted, Reply> {
        let Some(content) = incoming.content else {
            return Err(Reply::local_error());
        };
        let octets = content.draft.octets();
        // The spool keeps the envelope; whoever is told of the message sees another.
        let envelope = incoming.envelope.clone();
        let committed = content.draft.commit(incoming.envelope, now).await;
        Ok(Accepted {
            receipt: committed.map_err(refused)?,
            octets,
            envelope,
            message_id: content.message_id,
        })
    }
}

/// The reply to a failure, which the operator must hear of.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(error: SpoolError) -> Reply {
    warn!(%error, "the spool refuses new mail");
    refusal::of_spool(&error)
}
