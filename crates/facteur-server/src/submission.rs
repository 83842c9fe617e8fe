//! Mail from within the process, for interfaces other than SMTP: the policy of MAIL and RCPT, the same way into the
//! spool, and no session.
//!
//! Whoever opens a submission has made sure of the client: it may send anywhere, as one that may relay.

use std::sync::Arc;

use facteur_mail::event::Refused;
use facteur_mail::text::escaped;
use facteur_mail::{
    Address, Client, Clock, Event, Observer, QueueId, Receipt, Recipient, ReversePath, Stage,
};
use facteur_replies::{Language, Reply};
use facteur_smtp::server::Transaction;
use tokio::sync::watch;
use tracing::info;

use crate::intake::{Incoming, Intake};
use crate::policy::Policy;
use crate::timer::Timer;

/// Opens submissions, each by the configuration that is in force at that moment. Clones are the same.
#[derive(Clone)]
pub struct Submissions(watch::Receiver<Option<Arc<Desk>>>);

/// What takes submissions while a configuration is in force.
pub(crate) struct Desk {
    pub(crate) policy: Arc<Policy>,
    pub(crate) intake: Intake,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A message on its way in. Dropped, it leaves nothing behind.
pub struct Submission {
    desk: Arc<Desk>,
    timer: Timer,
    client: Client,
    sender: ReversePath,
    incoming: Incoming,
}

/// A submission that has its recipients, and takes content.
pub struct OpenSubmission {
    id: QueueId,
    desk: Arc<Desk>,
    incoming: Incoming,
}

impl Submissions {
    pub(crate) const fn new(desk: watch::Receiver<Option<Arc<Desk>>>) -> Self {
        Self(desk)
    }

    /// MAIL.
    ///
    /// # Errors
    /// The reply that SMTP would have given.
    pub async fn open(&self, transaction: Transaction) -> Result<Submission, Reply> {
        let desk = self.0.borrow().clone().ok_or_else(Reply::local_error)?;
        let mut timer = Timer::new(Arc::clone(&desk.clock));
        let (client, sender) = (transaction.client.clone(), transaction.sender.clone());
        let mut opened = desk.intake.has_room(transaction.size);
        if opened.is_ok() {
            opened = desk.policy.sender(&sender, &mut timer).await;
        }
        if let Err(reply) = opened {
            desk.tell_refusal(&reply, Stage::Mail, &client, &sender, None);
            return Err(reply);
        }
        Ok(Submission {
            desk: Arc::clone(&desk),
            client,
            sender,
            incoming: desk.intake.open(transaction, false, timer.now()),
            timer,
        })
    }
}

impl Submission {
    /// RCPT.
    ///
    /// # Errors
    /// The reply that SMTP would have given.
    pub async fn recipient(&mut self, recipient: Recipient) -> Result<(), Reply> {
        let said = recipient.address.clone();
        let desk = &self.desk;
        let found = desk.policy.reachable(true, recipient, &mut self.timer);
        let added = match found.await {
            Ok(found) => desk.intake.add(&mut self.incoming, said.clone(), found),
            Err(reply) => Err(reply),
        };
        if let Err(reply) = &added {
            desk.tell_refusal(reply, Stage::Rcpt, &self.client, &self.sender, Some(&said));
        }
        added
    }

    /// DATA: the name that the message will have, and where its content goes.
    ///
    /// # Errors
    /// The reply that SMTP would have given.
    pub fn begin(mut self) -> Result<OpenSubmission, Reply> {
        let now = self.desk.clock.now();
        let id = self.desk.intake.begin(&mut self.incoming, now)?;
        Ok(OpenSubmission {
            id,
            desk: self.desk,
            incoming: self.incoming,
        })
    }
}

impl OpenSubmission {
    /// The name of the message.
    #[must_use]
    pub const fn id(&self) -> QueueId {
        self.id
    }

    /// Adds content, whose lines end with CRLF.
    ///
    /// # Errors
    /// The reply that SMTP would have given.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), Reply> {
        self.desk.intake.write(&mut self.incoming, octets)
    }

    /// Makes the message durable.
    ///
    /// # Errors
    /// The reply that SMTP would have given.
    pub async fn commit(self) -> Result<Receipt, Reply> {
        let desk = self.desk;
        let accepted = Intake::commit(self.incoming, desk.clock.now()).await?;
        accepted.tell(&*desk.observer, None, desk.clock.now());
        Ok(accepted.receipt)
    }
}

impl Desk {
    /// Says that a reply refuses something, in the log and to whom it concerns.
    fn tell_refusal(
        &self,
        reply: &Reply,
        stage: Stage,
        client: &Client,
        sender: &ReversePath,
        recipient: Option<&Address>,
    ) {
        info!(
            reply = reply.id().row().name,
            text = escaped(&reply.to_line()).to_string(),
            explain = reply.explain(Language::English).key,
            "refused"
        );
        self.observer.observe(&Event::Refused(Refused {
            at: self.clock.now(),
            reply,
            stage: Some(stage),
            client: client.ip,
            helo: Some(&client.helo),
            sender: Some(sender),
            recipient,
            session: None,
        }));
    }
}

impl std::fmt::Debug for Submissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submissions").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submission").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OpenSubmission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSubmission")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
