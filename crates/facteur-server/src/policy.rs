//! Who may send what to whom: the answers to MAIL and RCPT.
//!
//! A local address must exist. Any other is relayed for clients of the relay networks and to the relay domains, and
//! for nobody else, whatever the form of the address.

use std::net::IpAddr;
use std::sync::Arc;

use facteur_mail::{Address, Host, Orcpt, Recipient, ReversePath};
use facteur_replies::Reply;
use facteur_route::{Plan, Route, Router, Target};
use tracing::warn;

use crate::lookups::Lookups;
use crate::timer::Timer;

/// What decides.
pub(crate) struct Policy {
    router: Arc<Router>,
    lookups: Lookups,
}

impl Policy {
    pub(crate) const fn new(router: Arc<Router>, lookups: Lookups) -> Self {
        Self { router, lookups }
    }

    /// Whether a client may send anywhere.
    pub(crate) fn may_relay(&self, client: Option<IpAddr>) -> bool {
        client.is_some_and(|ip| self.router.may_relay(ip))
    }

    /// The answer to MAIL: an answer to the message must be able to arrive. (RFC 7505 §4.2)
    ///
    /// Asks DNS at most one question; without an answer the sender is fine.
    pub(crate) async fn sender(
        &self,
        sender: &ReversePath,
        timer: &mut Timer,
    ) -> Result<(), Reply> {
        let Some(domain) = sender.address().and_then(Address::domain) else {
            return Ok(());
        };
        if self.router.is_local(&Host::Domain(domain.clone())) {
            return Ok(());
        }
        if let Some(Plan::NullMx { .. }) = self.lookups.by_mx_alone(domain, timer).await {
            return Err(Reply::sender_null_mx(domain));
        }
        Ok(())
    }

    /// The answer to RCPT: the recipients that this one stands for, aliases followed. One that stands for itself must
    /// not be known to be out of reach.
    pub(crate) async fn reachable(
        &self,
        may_relay: bool,
        recipient: Recipient,
        timer: &mut Timer,
    ) -> Result<Vec<Recipient>, Reply> {
        let said = recipient.address.clone();
        let recipients = self.recipient(may_relay, recipient)?;
        if let [recipient] = recipients.as_slice()
            && recipient.address == said
            && let Some(reply) = self.unreachable(recipient, timer).await
        {
            return Err(reply);
        }
        Ok(recipients)
    }

    /// The answer to RCPT as far as the configuration goes.
    fn recipient(&self, may_relay: bool, recipient: Recipient) -> Result<Vec<Recipient>, Reply> {
        let address = &recipient.address;
        if !may_relay && !self.is_open_to_strangers(address) {
            return Err(Reply::relay_denied(address));
        }
        let targets = match self.router.expand(address) {
            Ok(targets) => targets,
            Err(error) => {
                warn!(recipient = %facteur_mail::text::escaped(&address.to_string()), %error, "alias loop");
                return Err(Reply::alias_loop(address));
            }
        };
        if targets
            .iter()
            .all(|target| target.route == Route::UnknownMailbox)
        {
            return Err(Reply::mailbox_unknown(address));
        }
        Ok(followed(recipient, targets))
    }

    /// Whether DNS says that a recipient can never be reached: null MX, no such domain. It is asked for
    /// mail that would be relayed by MX only. Without an answer the queue will decide.
    async fn unreachable(&self, recipient: &Recipient, timer: &mut Timer) -> Option<Reply> {
        let Route::ByMx(domain) = self.router.route(&recipient.address) else {
            return None;
        };
        match self.lookups.by_mx_alone(&domain, timer).await {
            None | Some(Plan::TryLater(_)) => None,
            Some(plan) => plan.refusal(&domain),
        }
    }

    /// Whether anybody may send to an address: it is local, or in a relay domain, and holds no second
    /// address that a server behind us could send on to.
    fn is_open_to_strangers(&self, address: &Address) -> bool {
        let host = address.host();
        let ours = self.router.is_local(host)
            || address
                .domain()
                .is_some_and(|domain| self.router.is_relay_domain(domain));
        ours && !address.local().as_str().contains(['%', '!', '@'])
    }
}

/// The recipients that an alias stands for. The sender's wishes stay with each, and the report names the address
/// that the sender knows. (RFC 3461 §5.2.7)
fn followed(recipient: Recipient, targets: Vec<Target>) -> Vec<Recipient> {
    let known_as = recipient.orcpt.clone().or_else(|| {
        Some(Orcpt {
            kind: if recipient.address.is_ascii() {
                "rfc822"
            } else {
                "utf-8"
            }
            .into(),
            address: recipient.address.to_string().into(),
        })
    });
    let orcpt = |address: &Address| {
        if *address == recipient.address {
            recipient.orcpt.clone()
        } else {
            known_as.clone()
        }
    };
    targets
        .into_iter()
        .map(|target| Recipient {
            orcpt: orcpt(&target.address),
            address: target.address,
            notify: recipient.notify,
        })
        .collect()
}
