//! How much each client may send: messages and recipients a minute, counted by its address while it has something to
//! be counted for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use facteur_mail::{Pace, Timestamp};
use facteur_replies::Reply;

use crate::census::address_of;
use crate::config::{Rates, SourceRates};

/// The most clients that are counted at once; further ones are not held to a limit.
const MAX_SOURCES: usize = 100_000;

/// What clients have sent.
#[derive(Default)]
pub(crate) struct Sources {
    counts: Mutex<HashMap<IpAddr, Counts>>,
}

/// What one client has sent.
#[derive(Default)]
struct Counts {
    messages: Option<Pace>,
    recipients: Option<Pace>,
}

/// A client that is counted.
pub(crate) struct Source {
    sources: Arc<Sources>,
    /// An IPv4 address, or the first address of an IPv6 /64.
    client: IpAddr,
    rates: Rates,
}

impl Sources {
    /// Who is counted at this address; nobody where no limit holds.
    pub(crate) fn source(
        self: &Arc<Self>,
        ip: Option<IpAddr>,
        may_relay: bool,
        config: &SourceRates,
    ) -> Option<Source> {
        let ip = ip?.to_canonical();
        let rates = config.of(ip, may_relay);
        (rates != Rates::default()).then(|| Source {
            sources: Arc::clone(self),
            client: address_of(ip),
            rates,
        })
    }
}

impl Source {
    /// Counts a message, or says that it is one too many.
    pub(crate) fn message(&self, now: Timestamp) -> Result<(), Reply> {
        let Some(limit) = self.rates.messages_per_minute else {
            return Ok(());
        };
        let counted = self.count(limit, now, |counts| &mut counts.messages);
        counted
            .then_some(())
            .ok_or_else(|| Reply::too_many_messages_a_minute(self.client, limit))
    }

    /// Counts a recipient, or says that it is one too many.
    pub(crate) fn recipient(&self, now: Timestamp) -> Result<(), Reply> {
        let Some(limit) = self.rates.recipients_per_minute else {
            return Ok(());
        };
        let counted = self.count(limit, now, |counts| &mut counts.recipients);
        counted
            .then_some(())
            .ok_or_else(|| Reply::too_many_recipients_a_minute(self.client, limit))
    }

    /// Counts one; false if it is too much.
    fn count(
        &self,
        limit: NonZeroU32,
        now: Timestamp,
        of: impl Fn(&mut Counts) -> &mut Option<Pace>,
    ) -> bool {
        let counts = self.sources.counts.lock();
        let mut counts = counts.unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_SOURCES && !counts.contains_key(&self.client) {
            counts.retain(|_, counts| !counts.is_rested(now));
            if counts.len() >= MAX_SOURCES {
                return true;
            }
        }
        let counts = counts.entry(self.client).or_default();
        let pace = of(counts).get_or_insert_with(|| Pace::bucket(limit));
        if pace.per_minute() != limit {
            pace.change(limit, now);
        }
        let free = pace.is_free(now);
        if free {
            pace.spend(1, now);
        }
        free
    }
}

impl Counts {
    fn is_rested(&self, now: Timestamp) -> bool {
        let paces = [&self.messages, &self.recipients];
        paces.into_iter().flatten().all(|pace| pace.is_rested(now))
    }
}

impl SourceRates {
    /// The limits of a client: those of the narrowest network that it is in, else of strangers.
    fn of(&self, ip: IpAddr, may_relay: bool) -> Rates {
        let fitting = self
            .networks
            .iter()
            .filter(|(network, _)| network.contains(ip));
        match fitting.max_by_key(|(network, _)| network.prefix()) {
            Some((_, rates)) => *rates,
            None if may_relay => Rates::default(),
            None => self.strangers,
        }
    }
}

#[cfg(test)]
mod tests {
    use facteur_route::Network;

    use super::*;

    fn rates(messages: u32, recipients: u32) -> Rates {
        Rates {
            messages_per_minute: NonZeroU32::new(messages),
            recipients_per_minute: NonZeroU32::new(recipients),
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_767_571_200_000 + seconds * 1_000)
    }

    fn config() -> SourceRates {
        let network = |text| Network::parse(text).unwrap();
        SourceRates {
            strangers: rates(2, 0),
            networks: vec![
                (network("192.0.2.0/24"), rates(5, 0)),
                (network("192.0.2.128/25"), Rates::default()),
            ],
        }
    }

    /// How many messages a client at `ip` may send at once.
    fn messages(
        sources: &Arc<Sources>,
        ip: &str,
        may_relay: bool,
        now: Timestamp,
    ) -> Option<usize> {
        let source = sources.source(ip.parse().ok(), may_relay, &config())?;
        Some((0..100).take_while(|_| source.message(now).is_ok()).count())
    }

    #[test]
    fn each_client_is_counted_for_itself_and_gets_its_minute_back() {
        let sources = Arc::default();
        assert_eq!(messages(&sources, "203.0.113.1", false, at(0)), Some(2));
        assert_eq!(messages(&sources, "203.0.113.1", false, at(0)), Some(0));
        assert_eq!(
            messages(&sources, "::ffff:203.0.113.1", false, at(0)),
            Some(0)
        );
        assert_eq!(messages(&sources, "203.0.113.2", false, at(0)), Some(2));
        assert_eq!(messages(&sources, "203.0.113.1", false, at(30)), Some(1));
        assert_eq!(messages(&sources, "203.0.113.1", false, at(120)), Some(2));
    }

    #[test]
    fn an_ipv6_client_is_its_whole_64() {
        let sources = Arc::default();
        assert_eq!(messages(&sources, "2001:db8::1", false, at(0)), Some(2));
        assert_eq!(messages(&sources, "2001:db8::2", false, at(0)), Some(0));
        assert_eq!(messages(&sources, "2001:db8:0:1::1", false, at(0)), Some(2));
    }

    #[test]
    fn the_narrowest_network_says_how_much_and_clients_have_no_limit_of_strangers() {
        let sources = Arc::default();
        assert_eq!(messages(&sources, "192.0.2.1", true, at(0)), Some(5));
        assert_eq!(messages(&sources, "192.0.2.200", false, at(0)), None);
        assert_eq!(messages(&sources, "10.0.0.1", true, at(0)), None);
        assert!(
            sources.source(None, false, &config()).is_none(),
            "a Unix socket"
        );
    }

    #[test]
    fn clients_that_owe_nothing_are_forgotten_when_there_are_too_many() {
        let sources = Arc::<Sources>::default();
        for number in 0..=MAX_SOURCES {
            let ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap());
            let source = sources.source(Some(ip.into()), false, &config()).unwrap();
            assert!(source.message(at(0)).is_ok());
        }
        assert_eq!(sources.counts.lock().unwrap().len(), MAX_SOURCES);
        assert_eq!(messages(&sources, "203.0.113.1", false, at(60)), Some(2));
        assert_eq!(sources.counts.lock().unwrap().len(), 1);
    }

    #[test]
    fn recipients_are_counted_apart_from_messages() {
        let sources = Arc::<Sources>::default();
        let config = SourceRates {
            strangers: rates(0, 3),
            networks: Vec::new(),
        };
        let ip = "203.0.113.1".parse().ok();
        let source = sources.source(ip, false, &config).unwrap();
        for _ in 0..10 {
            assert!(source.message(at(0)).is_ok());
        }
        assert_eq!(
            (0..9)
                .take_while(|_| source.recipient(at(0)).is_ok())
                .count(),
            3
        );
        assert_eq!(
            source.recipient(at(0)).unwrap_err().to_string(),
            "451 4.7.28 too many recipients from 203.0.113.1, at most 3 a minute; try again later"
        );
    }
}
