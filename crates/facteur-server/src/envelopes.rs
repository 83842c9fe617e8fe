//! The memory that the recipients of open transactions take: counted, so that many long lists that never come to
//! their message cannot take it all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use facteur_mail::Recipient;

/// What a transaction may always hold, in octets: a few recipients. It is bounded by the number of connections.
const ALWAYS: usize = 2 * 1024;

/// What a recipient takes besides its texts, in octets, about.
const OVERHEAD: usize = 256;

/// The count of all open transactions.
pub(crate) struct Envelopes {
    limit: usize,
    held: AtomicUsize,
}

/// What one transaction holds; given back when this is dropped.
pub(crate) struct Held {
    envelopes: Arc<Envelopes>,
    limit: usize,
    octets: usize,
}

impl Envelopes {
    /// At most `limit` octets in all.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            held: AtomicUsize::new(0),
        })
    }

    /// For a transaction that holds nothing yet. A quarter of the memory is kept free of strangers.
    pub(crate) fn open(self: &Arc<Self>, stranger: bool) -> Held {
        Held {
            envelopes: Arc::clone(self),
            limit: if stranger {
                self.for_strangers()
            } else {
                self.limit
            },
            octets: 0,
        }
    }

    /// Whether strangers are near their limit: then they are given less time.
    pub(crate) fn are_crowded(&self) -> bool {
        self.held.load(Ordering::Relaxed) / 4 >= self.for_strangers() / 5
    }

    const fn for_strangers(&self) -> usize {
        self.limit / 4 * 3
    }
}

impl Held {
    /// Takes memory for these recipients; false if there is none to be had.
    pub(crate) fn hold<'a>(&mut self, recipients: impl Iterator<Item = &'a Recipient>) -> bool {
        let octets: usize = recipients.map(octets_of).sum();
        let held = &self.envelopes.held;
        let all = held.fetch_add(octets, Ordering::Relaxed) + octets;
        if all > self.limit && self.octets + octets > ALWAYS {
            held.fetch_sub(octets, Ordering::Relaxed);
            return false;
        }
        self.octets += octets;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let held = &self.envelopes.held;
        held.fetch_sub(self.octets, Ordering::Relaxed);
    }
}

/// An address is held twice: in the envelope, and among those that are known already.
fn octets_of(recipient: &Recipient) -> usize {
    let address = &recipient.address;
    let domain = address.domain().map_or(0, |domain| domain.as_str().len());
    let original = recipient.orcpt.as_ref();
    let original = original.map_or(0, |orcpt| orcpt.kind.len() + orcpt.address.len());
    2 * (address.local().as_str().len() + domain) + original + OVERHEAD
}

#[cfg(test)]
mod tests {
    use facteur_mail::{Address, Notify};

    use super::*;

    fn recipient() -> Recipient {
        let text = format!("{}@b.test", "x".repeat(250));
        Recipient {
            address: Address::parse(&text).unwrap(),
            orcpt: None,
            notify: Notify::Default,
        }
    }

    fn fill(held: &mut Held) -> usize {
        let recipient = recipient();
        std::iter::repeat(&recipient)
            .take_while(|recipient| held.hold(std::iter::once(*recipient)))
            .count()
    }

    #[test]
    fn strangers_leave_a_quarter_to_clients_and_all_is_given_back() {
        let envelopes = Envelopes::new(100_000);
        let each = octets_of(&recipient());
        let mut stranger = envelopes.open(true);
        assert!(!envelopes.are_crowded());
        assert_eq!(fill(&mut stranger), 75_000 / each);
        assert!(envelopes.are_crowded());
        let mut client = envelopes.open(false);
        assert_eq!(fill(&mut client), 100_000 / each - 75_000 / each);
        drop((stranger, client));
        assert_eq!(envelopes.held.load(Ordering::Relaxed), 0);
        assert!(!envelopes.are_crowded());
    }

    #[test]
    fn a_transaction_may_always_have_a_few_recipients() {
        let envelopes = Envelopes::new(0);
        let mut held = envelopes.open(true);
        assert_eq!(fill(&mut held), ALWAYS / octets_of(&recipient()));
    }
}
