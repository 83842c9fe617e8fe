//! Who is connected, counted: in all, by network, by address. Strangers cannot take what is meant for clients.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use facteur_mail::Domain;
use facteur_replies::Reply;

use crate::config::Limits;

/// What counts as one network, as a prefix length of IPv4.
pub(crate) const NETWORK_V4: u32 = 24;

/// What counts as one network, as a prefix length of IPv6.
pub(crate) const NETWORK_V6: u32 = 48;

/// What counts as one address, as a prefix length of IPv6.
const ADDRESS_V6: u32 = 64;

/// The count of all connections.
pub(crate) struct Census {
    counts: Mutex<Counts>,
    crowded: AtomicBool,
}

struct Counts {
    limits: Limits,
    hostname: Domain,
    all: usize,
    strangers: usize,
    places: HashMap<Place, usize>,
}

/// Where strangers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// An IPv4 address or an IPv6 /64, by its first address.
    Address(IpAddr),
    /// An IPv4 /24 or an IPv6 /48, by its first address.
    Network(IpAddr),
}

/// A connection that is counted until this is dropped.
pub(crate) struct Ticket {
    census: Arc<Census>,
    stranger: Option<IpAddr>,
}

impl Census {
    pub(crate) fn new(limits: Limits, hostname: Domain) -> Arc<Self> {
        Arc::new(Self {
            counts: Mutex::new(Counts {
                limits,
                hostname,
                all: 0,
                strangers: 0,
                places: HashMap::new(),
            }),
            crowded: AtomicBool::new(false),
        })
    }

    /// Counts by other limits from now on; whoever is connected stays, however many they are.
    pub(crate) fn reload(&self, limits: Limits, hostname: Domain) {
        let mut counts = self.counts();
        counts.limits = limits;
        counts.hostname = hostname;
        self.note_crowd(&counts);
    }

    /// Counts a connection, or says why it is one too many. `stranger` is the address of a client that may not
    /// relay; for others only the limit in all holds.
    pub(crate) fn admit(self: &Arc<Self>, stranger: Option<IpAddr>) -> Result<Ticket, Reply> {
        let stranger = stranger.map(|ip| ip.to_canonical());
        let mut counts = self.counts();
        if let Some(ip) = stranger {
            for (place, limit) in counts.places_of(ip) {
                if counts
                    .places
                    .get(&place)
                    .is_some_and(|count| *count >= limit)
                {
                    let hostname = &counts.hostname;
                    return Err(Reply::too_many_connections_from_you(hostname, ip));
                }
            }
        }
        let full = counts.all >= counts.limits.connections
            || (stranger.is_some() && counts.strangers >= counts.for_strangers());
        if full {
            return Err(Reply::too_many_connections(&counts.hostname));
        }
        counts.all += 1;
        if let Some(ip) = stranger {
            counts.strangers += 1;
            self.note_crowd(&counts);
            for (place, _) in counts.places_of(ip) {
                *counts.places.entry(place).or_default() += 1;
            }
        }
        drop(counts);
        Ok(Ticket {
            census: Arc::clone(self),
            stranger,
        })
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.counts().all
    }

    /// Whether strangers hold four fifths of what they may: then they are given less time.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    fn note_crowd(&self, counts: &Counts) {
        let crowded = counts.strangers * 5 >= counts.for_strangers() * 4;
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    const fn for_strangers(&self) -> usize {
        self.limits.connections.saturating_sub(self.limits.reserved)
    }

    fn places_of(&self, ip: IpAddr) -> [(Place, usize); 2] {
        [
            (Place::Address(address_of(ip)), self.limits.per_address),
            (Place::Network(network_of(ip)), self.limits.per_network),
        ]
    }
}

/// What counts as one address: itself, or the first one of an IPv6 /64.
pub(crate) fn address_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => first_of_v6(v6, ADDRESS_V6),
    }
}

/// The first address of the network that an address is in.
pub(crate) fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => {
            let first = v4.to_bits() & (!0 << (32 - NETWORK_V4));
            IpAddr::V4(Ipv4Addr::from_bits(first))
        }
        IpAddr::V6(v6) => first_of_v6(v6, NETWORK_V6),
    }
}

fn first_of_v6(v6: Ipv6Addr, prefix: u32) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (!0 << (128 - prefix))))
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.all -= 1;
        let Some(ip) = self.stranger else {
            return;
        };
        counts.strangers -= 1;
        self.census.note_crowd(&counts);
        for (place, _) in counts.places_of(ip) {
            if let Some(count) = counts.places.get_mut(&place) {
                *count -= 1;
                if *count == 0 {
                    counts.places.remove(&place);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use facteur_replies::ReplyId;

    use super::*;

    fn census(
        connections: usize,
        reserved: usize,
        per_network: usize,
        per_address: usize,
    ) -> Arc<Census> {
        let limits = Limits {
            connections,
            reserved,
            per_network,
            per_address,
        };
        Census::new(limits, Domain::parse("mx.example.org").unwrap())
    }

    fn stranger(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn refused(census: &Arc<Census>, stranger: Option<IpAddr>) -> Option<ReplyId> {
        census.admit(stranger).err().map(|reply| reply.id())
    }

    #[test]
    fn one_address_and_one_network_have_their_share() {
        let census = census(100, 0, 3, 2);
        let held: Vec<_> = ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"]
            .map(|ip| census.admit(stranger(ip)).ok().unwrap())
            .into();
        let id = Some(ReplyId::TooManyConnectionsFromYou);
        assert_eq!(refused(&census, stranger("192.0.2.1")), id, "the address");
        assert_eq!(refused(&census, stranger("192.0.2.3")), id, "the network");
        assert_eq!(refused(&census, stranger("192.0.3.1")), None);
        drop(held);
        assert_eq!(refused(&census, stranger("192.0.2.1")), None);
        assert!(census.counts().places.is_empty());
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_its_48() {
        let census = census(100, 0, 2, 1);
        let _first = census.admit(stranger("2001:db8:0:1::1")).ok().unwrap();
        let _second = census.admit(stranger("2001:db8:0:2::1")).ok().unwrap();
        let id = Some(ReplyId::TooManyConnectionsFromYou);
        assert_eq!(refused(&census, stranger("2001:db8:0:1::2")), id);
        assert_eq!(refused(&census, stranger("2001:db8:0:3::1")), id);
        assert_eq!(refused(&census, stranger("2001:db8:1::1")), None);
    }

    #[test]
    fn it_is_crowded_while_strangers_hold_four_fifths_of_their_share() {
        let census = census(11, 1, 100, 100);
        let mut held: Vec<_> = (0..7)
            .map(|_| census.admit(stranger("192.0.2.1")).ok().unwrap())
            .collect();
        let _clients = [(); 3].map(|()| census.admit(None).ok().unwrap());
        assert!(!census.is_crowded());
        held.push(census.admit(stranger("192.0.2.1")).ok().unwrap());
        assert!(census.is_crowded());
        drop(held.pop());
        assert!(!census.is_crowded());
    }

    #[test]
    fn other_limits_hold_for_whoever_comes_next() {
        let census = census(2, 0, 100, 100);
        let _held = ["192.0.2.1", "192.0.2.2"].map(|ip| census.admit(stranger(ip)).ok().unwrap());
        let id = Some(ReplyId::TooManyConnections);
        assert_eq!(refused(&census, stranger("192.0.2.3")), id);
        let limits = |connections| Limits {
            connections,
            reserved: 0,
            per_network: 100,
            per_address: 100,
        };
        let hostname = Domain::parse("mx.example.org").unwrap();
        census.reload(limits(3), hostname.clone());
        let third = census.admit(stranger("192.0.2.3")).ok().unwrap();
        census.reload(limits(1), hostname);
        assert_eq!(census.count(), 3, "nobody is sent away");
        drop(third);
        assert_eq!(refused(&census, stranger("192.0.2.3")), id);
    }

    #[test]
    fn strangers_leave_room_for_clients() {
        let census = census(3, 1, 100, 100);
        let _strangers =
            ["192.0.2.1", "198.51.100.1"].map(|ip| census.admit(stranger(ip)).ok().unwrap());
        let id = Some(ReplyId::TooManyConnections);
        assert_eq!(refused(&census, stranger("203.0.113.1")), id);
        let _client = census.admit(None).ok().unwrap();
        assert_eq!(refused(&census, None), id);
    }
}
