//! Questions to DNS, and answers whose every kind is a variant: no outcome is told by a text.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::time::Duration;

use facteur_mail::Domain;

/// The most records of one answer that are looked at; the rest is cut.
pub const MAX_RECORDS: usize = 100;

/// A question under way.
pub type Lookup<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;

/// Asks DNS. Bounded in time and size by the implementation, which also caches for as long as the TTL says.
pub trait Resolver: Send + Sync + 'static {
    /// The MX records of a domain: one question.
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, MxRecord>;

    /// The A and AAAA records of a host, A first: two questions, joined by [`Answer::either`].
    fn addresses<'a>(&'a self, host: &'a Domain) -> Lookup<'a, IpAddr>;
}

/// What DNS says to a question. (RFC 5321 §5.1 treats each of the four differently.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// Records of the type asked for; never empty.
    Found(Found<T>),
    /// The name exists, without records of this type (NODATA).
    NoRecords,
    /// The name does not exist (NXDOMAIN).
    NoSuchDomain,
    /// No answer to rely on; another time may bring one.
    Failed(DnsFailure),
}

/// The records of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The records, in the order in which they came, at most [`MAX_RECORDS`].
    pub records: Vec<T>,
    /// The name at the end of the CNAME chain, if the name asked for is an alias.
    pub alias_of: Option<Domain>,
    /// For how much longer the records hold.
    pub ttl: Duration,
}

/// Why there is no answer to rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DnsFailure {
    /// The server answered SERVFAIL.
    ServFail,
    /// The server answered REFUSED.
    Refused,
    /// The server answered with another error; its number. (RFC 6895 §2.3)
    ErrorCode(u16),
    /// No answer in time.
    Timeout,
    /// No server could be reached.
    Unreachable,
    /// DNSSEC validation failed.
    Bogus,
    /// What came is not DNS, or a CNAME chain does not end.
    Malformed,
    /// The server answered with a referral: it does not resolve for us.
    NotRecursive,
    /// The resolver has too many questions under way.
    Overloaded,
    /// The configured next hop has no address: the operator's to repair, so mail waits.
    NextHopUnknown,
}

/// One MX record. (RFC 1035 §3.3.9)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxRecord {
    /// Lower is better.
    pub preference: u16,
    /// The host.
    pub exchange: Exchange,
}

/// What an MX record points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// The root, written `.`: alone, it says that the domain takes no mail. (RFC 7505 §3)
    Root,
    /// A host.
    Host(Domain),
    /// An IP address written as a name: a common mistake that leads nowhere. (RFC 5321 §5.1)
    Address(Ipv4Addr),
    /// A name that no host has; a stranger's text.
    Unusable(Box<str>),
}

impl Exchange {
    /// Reads an exchange from its text, with or without the final dot.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.is_empty() {
            return Self::Root;
        }
        // An empty label at its end: without it the name would be another one, or an address.
        if name.ends_with('.') {
            return Self::Unusable(name.into());
        }
        if let Ok(ip) = name.parse() {
            return Self::Address(ip);
        }
        Domain::parse(name).map_or_else(|_| Self::Unusable(name.into()), Self::Host)
    }
}

impl fmt::Display for Exchange {
    /// As in a master file; an unusable name is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("."),
            Self::Host(host) => host.fmt(f),
            Self::Address(ip) => ip.fmt(f),
            Self::Unusable(text) => facteur_mail::text::escaped(text).fmt(f),
        }
    }
}

impl<T> Answer<T> {
    /// An answer with these records, at most [`MAX_RECORDS`]; [`Answer::NoRecords`] if there are none.
    #[must_use]
    pub fn found(mut records: Vec<T>, alias_of: Option<Domain>, ttl: Duration) -> Self {
        if records.is_empty() {
            return Self::NoRecords;
        }
        records.truncate(MAX_RECORDS);
        Self::Found(Found {
            records,
            alias_of,
            ttl,
        })
    }

    /// Joins the answers to two questions about one name, the records of `self` first: what was found counts,
    /// then a failure, since it may hide records, then that the name exists.
    #[must_use]
    pub fn either(self, other: Self) -> Self {
        match (self, other) {
            (Self::Found(mut found), Self::Found(more)) => {
                found.records.extend(more.records);
                found.records.truncate(MAX_RECORDS);
                found.ttl = found.ttl.min(more.ttl);
                found.alias_of = found.alias_of.or(more.alias_of);
                Self::Found(found)
            }
            (Self::Found(found), _) | (_, Self::Found(found)) => Self::Found(found),
            (Self::Failed(failure), _) | (_, Self::Failed(failure)) => Self::Failed(failure),
            (Self::NoRecords, _) | (_, Self::NoRecords) => Self::NoRecords,
            (Self::NoSuchDomain, Self::NoSuchDomain) => Self::NoSuchDomain,
        }
    }
}

impl DnsFailure {
    /// The stable name, for logs and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServFail => "servfail",
            Self::Refused => "refused",
            Self::ErrorCode(_) => "error-code",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Bogus => "bogus",
            Self::Malformed => "malformed",
            Self::NotRecursive => "not-recursive",
            Self::Overloaded => "overloaded",
            Self::NextHopUnknown => "next-hop-unknown",
        }
    }
}

impl fmt::Display for DnsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServFail => f.write_str("the name server answered SERVFAIL"),
            Self::Refused => f.write_str("the name server refused the question"),
            Self::ErrorCode(code) => write!(f, "the name server answered with error {code}"),
            Self::Timeout => f.write_str("no name server answered in time"),
            Self::Unreachable => f.write_str("no name server could be reached"),
            Self::Bogus => f.write_str("the answer failed DNSSEC validation"),
            Self::Malformed => f.write_str("the answer was malformed"),
            Self::NotRecursive => {
                f.write_str("the name server only refers to others and does not resolve")
            }
            Self::Overloaded => f.write_str("the resolver has too many questions under way"),
            Self::NextHopUnknown => f.write_str("the configured next hop has no address"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(records: &[u8]) -> Answer<u8> {
        Answer::found(records.to_vec(), None, Duration::from_secs(60))
    }

    #[test]
    fn a_dot_is_the_root_and_an_address_is_no_host() {
        let host = Domain::parse("mx.example.org").unwrap();
        for (text, exchange) in [
            (".", Exchange::Root),
            ("", Exchange::Root),
            ("mx.example.org.", Exchange::Host(host.clone())),
            ("MX.Example.ORG", Exchange::Host(host)),
            ("192.0.2.1.", Exchange::Address(Ipv4Addr::new(192, 0, 2, 1))),
            ("a b.test.", Exchange::Unusable("a b.test".into())),
            ("192.0.2.1..", Exchange::Unusable("192.0.2.1.".into())),
            ("a..test", Exchange::Unusable("a..test".into())),
        ] {
            assert_eq!(Exchange::parse(text), exchange, "{text:?}");
        }
    }

    #[test]
    fn two_questions_about_one_name_have_one_answer() {
        let failed = Answer::Failed(DnsFailure::ServFail);
        assert_eq!(found(&[1]).either(found(&[2])), found(&[1, 2]));
        assert_eq!(failed.clone().either(found(&[2])), found(&[2]));
        assert_eq!(Answer::<u8>::NoRecords.either(failed.clone()), failed);
        assert_eq!(
            Answer::<u8>::NoSuchDomain.either(Answer::NoRecords),
            Answer::NoRecords
        );
        assert_eq!(
            Answer::<u8>::NoSuchDomain.either(Answer::NoSuchDomain),
            Answer::NoSuchDomain
        );
    }

    #[test]
    fn an_endless_answer_is_cut_and_an_empty_one_is_no_records() {
        let Answer::Found(many) = found(&[7; 1_000]).either(found(&[8; 1_000])) else {
            panic!("records were given");
        };
        assert_eq!(many.records.len(), MAX_RECORDS);
        assert_eq!(found(&[]), Answer::NoRecords);
    }
}
