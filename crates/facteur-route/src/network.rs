//! A network in CIDR notation: who may relay.

use std::fmt;
use std::net::IpAddr;

use crate::error::RouteError;

/// An IPv4 or IPv6 network; an address without a prefix is a network of one. (RFC 4632 §3.1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `127.0.0.0/8`, `::1`, `2001:db8::/32`.
    ///
    /// # Errors
    /// [`RouteError::BadNetwork`], and [`RouteError::NetworkHasHostBits`] for `10.0.0.1/8`.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let bad = || RouteError::BadNetwork {
            text: text.to_owned(),
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| bad())?;
        let width = width(first);
        let prefix = match prefix {
            // `parse` takes a sign, a prefix has none.
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| bad())?
            }
            Some(_) => return Err(bad()),
            None => width,
        };
        if prefix > width {
            return Err(bad());
        }
        if leading(first, prefix) != bits(first) {
            return Err(RouteError::NetworkHasHostBits {
                text: text.to_owned(),
            });
        }
        Ok(Self { first, prefix })
    }

    /// Whether `ip` lies in the network. An IPv4 client of an IPv6 socket (`::ffff:a.b.c.d`) counts as IPv4.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.first.is_ipv4() && leading(ip, self.prefix) == bits(self.first)
    }

    /// The first address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.first
    }

    /// The length of the prefix, in bits.
    #[must_use]
    pub const fn prefix(&self) -> u32 {
        self.prefix
    }

    /// Whether the network holds every address of its family: as a relay network, an open relay.
    #[must_use]
    pub const fn is_everybody(&self) -> bool {
        self.prefix == 0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

const fn width(ip: IpAddr) -> u32 {
    match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address as a number, at the top of 128 bits in either family.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The first `prefix` bits, the others zero.
fn leading(ip: IpAddr, prefix: u32) -> u128 {
    let mask = u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0);
    bits(ip) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).unwrap()
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        for (text, ip, within) in [
            ("127.0.0.0/8", "127.255.0.1", true),
            ("127.0.0.0/8", "128.0.0.1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("::1", "::1", true),
            ("::1", "::2", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "203.0.113.9", false),
        ] {
            assert_eq!(
                network(text).contains(ip.parse().unwrap()),
                within,
                "{text} {ip}"
            );
        }
    }

    #[test]
    fn a_mistaken_network_is_refused() {
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10/8",
            "10.0.0.0/",
            "::/129",
            "x/8",
        ] {
            assert!(
                matches!(Network::parse(wrong), Err(RouteError::BadNetwork { .. })),
                "{wrong:?}"
            );
        }
        assert!(matches!(
            Network::parse("10.0.0.1/8"),
            Err(RouteError::NetworkHasHostBits { .. })
        ));
        assert!(network("0.0.0.0/0").is_everybody() && !network("::1").is_everybody());
    }
}
