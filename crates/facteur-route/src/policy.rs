//! Which addresses mail is never sent to, and which hosts are ourselves.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use facteur_mail::Domain;

/// What the plan must know of this server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The names under which this server is an MX: its hostname, and what else it answers to.
    pub own_names: BTreeSet<Domain>,
    /// The addresses on which this server listens for mail of strangers; unspecified ones mean nothing here.
    pub own_addresses: BTreeSet<IpAddr>,
    /// Whether an MX may lead to this machine's loopback, for tests and labs; then no loopback address counts
    /// as our own.
    pub allow_loopback_mx: bool,
}

/// Why mail is never sent to an address that DNS gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// This server itself.
    Ourselves,
    /// 127.0.0.0/8, `::1`, or a name below `localhost`.
    Loopback,
    /// 0.0.0.0/8 or `::`: on most systems another name of loopback.
    Unspecified,
    /// 169.254.0.0/16 or fe80::/10.
    LinkLocal,
    /// 224.0.0.0/4 or ff00::/8.
    Multicast,
    /// 240.0.0.0/4, broadcast included: nobody's.
    Reserved,
}

impl Policy {
    /// Why mail is never sent to `ip`, or `None` if it may be. An IPv4 address inside an IPv6 one counts as
    /// IPv4.
    #[must_use]
    pub fn refuses(&self, ip: IpAddr) -> Option<Refused> {
        let ip = canonical(ip);
        let refused = match ip {
            IpAddr::V4(ip) => refused_v4(ip),
            IpAddr::V6(ip) => refused_v6(ip),
        };
        match refused {
            Some(Refused::Loopback) if self.allow_loopback_mx => None,
            Some(refused) => Some(refused),
            None if self.own_addresses.iter().any(|own| canonical(*own) == ip) => {
                Some(Refused::Ourselves)
            }
            None => None,
        }
    }

    /// Why mail is never sent to a host of this name, whatever its addresses; `None` if they decide.
    #[must_use]
    pub fn refuses_name(&self, host: &Domain) -> Option<Refused> {
        if self.own_names.contains(host) {
            return Some(Refused::Ourselves);
        }
        let name = host.as_str();
        let local = name == "localhost" || name.ends_with(".localhost");
        (local && !self.allow_loopback_mx).then_some(Refused::Loopback)
    }
}

impl Refused {
    /// The stable name, for logs and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ourselves => "ourselves",
            Self::Loopback => "loopback",
            Self::Unspecified => "unspecified",
            Self::LinkLocal => "link-local",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
        }
    }

    /// Whether sending there would come back to this machine.
    #[must_use]
    pub const fn is_this_machine(self) -> bool {
        matches!(self, Self::Ourselves | Self::Loopback | Self::Unspecified)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The IPv4 address inside an IPv4-mapped (`::ffff:a.b.c.d`) or an IPv4-compatible (`::a.b.c.d`) one.
fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => match v6.to_ipv4() {
            Some(v4) if !v6.is_loopback() && !v6.is_unspecified() => IpAddr::V4(v4),
            Some(_) | None => ip,
        },
    }
}

const fn refused_v4(ip: Ipv4Addr) -> Option<Refused> {
    match ip.octets() {
        [0, ..] => Some(Refused::Unspecified),
        [127, ..] => Some(Refused::Loopback),
        [169, 254, ..] => Some(Refused::LinkLocal),
        [224..=239, ..] => Some(Refused::Multicast),
        [240..=255, ..] => Some(Refused::Reserved),
        _ => None,
    }
}

const fn refused_v6(ip: Ipv6Addr) -> Option<Refused> {
    if ip.is_loopback() {
        Some(Refused::Loopback)
    } else if ip.is_unspecified() {
        Some(Refused::Unspecified)
    } else if ip.is_unicast_link_local() {
        Some(Refused::LinkLocal)
    } else if ip.is_multicast() {
        Some(Refused::Multicast)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_that_are_nobodys_or_ours_are_refused() {
        let policy = Policy {
            own_addresses: BTreeSet::from([ip("192.0.2.7")]),
            ..Policy::default()
        };
        for (text, refused) in [
            ("0.0.0.0", Some(Refused::Unspecified)),
            ("0.1.2.3", Some(Refused::Unspecified)),
            ("127.0.0.1", Some(Refused::Loopback)),
            ("127.255.255.255", Some(Refused::Loopback)),
            ("169.254.1.1", Some(Refused::LinkLocal)),
            ("224.0.0.1", Some(Refused::Multicast)),
            ("255.255.255.255", Some(Refused::Reserved)),
            ("::", Some(Refused::Unspecified)),
            ("::1", Some(Refused::Loopback)),
            ("::ffff:127.0.0.1", Some(Refused::Loopback)),
            ("::127.0.0.1", Some(Refused::Loopback)),
            ("fe80::1", Some(Refused::LinkLocal)),
            ("ff02::1", Some(Refused::Multicast)),
            ("192.0.2.7", Some(Refused::Ourselves)),
            ("::ffff:192.0.2.7", Some(Refused::Ourselves)),
            ("192.0.2.8", None),
            ("10.0.0.1", None),
            ("2001:db8::1", None),
        ] {
            assert_eq!(policy.refuses(ip(text)), refused, "{text}");
        }
    }

    #[test]
    fn a_lab_may_send_to_loopback_even_where_it_listens_itself() {
        let lab = Policy {
            own_addresses: BTreeSet::from([ip("127.0.0.1")]),
            allow_loopback_mx: true,
            ..Policy::default()
        };
        assert_eq!(lab.refuses(ip("127.0.0.1")), None);
        assert_eq!(lab.refuses(ip("::1")), None);
        assert_eq!(lab.refuses(ip("0.0.0.0")), Some(Refused::Unspecified));
    }
}
