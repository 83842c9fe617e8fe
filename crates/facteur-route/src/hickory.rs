//! The real resolver: hickory, over UDP and TCP, to the configured servers or the system's.
//!
//! Its cache keeps answers for as long as their TTL, and negative ones for as long as their SOA says
//! (RFC 2308 §5); failures are not cached.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "hickory's enums are long and grow; the kinds not named here all mean the same"
)]

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use facteur_mail::Domain;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;

use crate::error::{RouteError, SystemResolverError};
use crate::resolver::{Answer, DnsFailure, Exchange, Lookup, MxRecord, Resolver};

/// The system's resolver configuration.
const SYSTEM: &str = "/etc/resolv.conf";

/// The longest that a negative answer is kept. (RFC 2308 §5 advises one to three hours)
const NEGATIVE_TTL_LIMIT: Duration = Duration::from_hours(1);

/// How DNS is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsConfig {
    /// The servers, asked over UDP and, where that fails, TCP; the system's if empty.
    pub servers: Vec<SocketAddr>,
    /// How long one server may take for one try.
    pub try_timeout: Duration,
    /// How many times a question is asked again after the first try has failed.
    pub retries: usize,
    /// How long a question may take in all, over every try, server and CNAME.
    pub question_timeout: Duration,
    /// How many answers are kept.
    pub cache_size: u64,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            try_timeout: Duration::from_secs(3),
            retries: 2,
            question_timeout: Duration::from_secs(15),
            cache_size: 10_000,
        }
    }
}

/// [`Resolver`] by hickory.
#[derive(Clone)]
pub struct HickoryResolver {
    inner: TokioResolver,
    question_timeout: Duration,
}

impl HickoryResolver {
    /// A resolver. Reads `/etc/resolv.conf` if no server is configured.
    ///
    /// # Errors
    /// [`RouteError::SystemResolver`] and [`RouteError::Resolver`].
    pub fn new(config: &DnsConfig) -> Result<Self, RouteError> {
        let servers = if config.servers.is_empty() {
            system_servers(SYSTEM)?
        } else {
            config.servers.iter().copied().map(server).collect()
        };
        let servers = ResolverConfig::from_name_servers(servers);
        let inner = TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default())
            .with_options(options(config))
            .build()
            .map_err(|cause| RouteError::Resolver { cause })?;
        Ok(Self {
            inner,
            question_timeout: config.question_timeout,
        })
    }

    /// Asks one question; `pick` takes the records of the type asked for.
    async fn ask<T>(
        &self,
        domain: &Domain,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Answer<T> {
        // With its final dot the name is whole: no search list applies.
        let Ok(name) = Name::from_ascii(format!("{domain}.")) else {
            // Longer on the wire than DNS allows: nobody can have registered it.
            return Answer::NoSuchDomain;
        };
        let question = self.inner.lookup(name, kind);
        let lookup = match tokio::time::timeout(self.question_timeout, question).await {
            Ok(Ok(lookup)) => lookup,
            Ok(Err(error)) => return negative(&error),
            Err(_) => return Answer::Failed(DnsFailure::Timeout),
        };
        let mut records = Vec::new();
        let mut alias_of = None;
        for record in lookup.answers() {
            if let Some(value) = pick(&record.data) {
                records.push(value);
                let owner = Domain::parse(&text(&record.name)).ok();
                alias_of = owner.filter(|owner| owner != domain).or(alias_of);
            }
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the cache tells ends, not times left"
        )]
        let ttl = lookup
            .valid_until()
            .saturating_duration_since(Instant::now());
        Answer::found(records, alias_of, ttl)
    }
}

impl Resolver for HickoryResolver {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, MxRecord> {
        Box::pin(self.ask(domain, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(MxRecord {
                preference: mx.preference,
                exchange: exchange(&mx.exchange),
            }),
            _ => None,
        }))
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Lookup<'a, IpAddr> {
        Box::pin(async move {
            let v4 = self.ask(host, RecordType::A, |data| match data {
                RData::A(ip) => Some(IpAddr::V4(ip.0)),
                _ => None,
            });
            let v6 = self.ask(host, RecordType::AAAA, |data| match data {
                RData::AAAA(ip) => Some(IpAddr::V6(ip.0)),
                _ => None,
            });
            let (v4, v6) = tokio::join!(v4, v6);
            v4.either(v6)
        })
    }
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver")
            .field("question_timeout", &self.question_timeout)
            .finish_non_exhaustive()
    }
}

fn exchange(name: &Name) -> Exchange {
    if name.is_root() {
        Exchange::Root
    } else {
        Exchange::parse(&text(name))
    }
}

/// A name as a master file has it, other octets than a host name's as `\DDD`. (RFC 1035 §5.1; hickory's own
/// text counts in octal)
fn text(name: &Name) -> String {
    let mut text = String::new();
    for label in name.iter() {
        for octet in label {
            if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_') {
                text.push(char::from(*octet));
            } else {
                text.push_str(&format!("\\{octet:03}"));
            }
        }
        text.push('.');
    }
    text
}

/// What an error says; the variant decides, never its text.
fn negative<T>(error: &NetError) -> Answer<T> {
    let failure = match error {
        NetError::Dns(DnsError::NoRecordsFound(no_records)) => return no_records_found(no_records),
        NetError::Dns(DnsError::ResponseCode(code)) => by_code(*code),
        NetError::Dns(DnsError::DnssecBogus) => DnsFailure::Bogus,
        NetError::Timeout => DnsFailure::Timeout,
        NetError::Busy => DnsFailure::Overloaded,
        NetError::NoConnections | NetError::Io(_) => DnsFailure::Unreachable,
        _ => DnsFailure::Malformed,
    };
    Answer::Failed(failure)
}

fn no_records_found<T>(no_records: &NoRecords) -> Answer<T> {
    match no_records.response_code {
        ResponseCode::NXDomain => Answer::NoSuchDomain,
        // A referral is no answer: the server does not resolve for us.
        ResponseCode::NoError if no_records.soa.is_none() && no_records.ns.is_some() => {
            Answer::Failed(DnsFailure::NotRecursive)
        }
        ResponseCode::NoError => Answer::NoRecords,
        code => Answer::Failed(by_code(code)),
    }
}

fn by_code(code: ResponseCode) -> DnsFailure {
    match code {
        ResponseCode::ServFail => DnsFailure::ServFail,
        ResponseCode::Refused => DnsFailure::Refused,
        code => DnsFailure::ErrorCode(code.into()),
    }
}

fn options(config: &DnsConfig) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.ndots = 0;
    options.timeout = config.try_timeout;
    options.attempts = config.retries;
    options.edns0 = true;
    options.cache_size = config.cache_size;
    options.use_hosts_file = ResolveHosts::Never;
    options.negative_max_ttl = Some(NEGATIVE_TTL_LIMIT);
    options.try_tcp_on_error = true;
    options.case_randomization = true;
    options
}

fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.into_iter().map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.collect())
}

/// The servers named in a `resolv.conf`. Its search list, time-outs and options are for programs that
/// complete short names; mail knows whole names only.
fn system_servers(path: &str) -> Result<Vec<NameServerConfig>, RouteError> {
    let failed = |cause| RouteError::SystemResolver {
        path: path.to_owned(),
        cause,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the system's servers are in a file"
    )]
    let text =
        std::fs::read(path).map_err(|error| failed(SystemResolverError::Unreadable(error)))?;
    let (config, _) =
        parse_resolv_conf(text).map_err(|error| failed(SystemResolverError::Unusable(error)))?;
    Ok(config.name_servers().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_servers_is_told_from_one_without_the_file() {
        let cause = |path| match system_servers(path) {
            Err(RouteError::SystemResolver { cause, .. }) => cause,
            other => panic!("{other:?}"),
        };
        assert!(matches!(
            cause("/dev/null"),
            SystemResolverError::Unusable(_)
        ));
        assert!(matches!(
            cause("/dev/null/resolv.conf"),
            SystemResolverError::Unreadable(_)
        ));
    }

    #[test]
    fn strange_octets_of_a_name_are_escaped_in_decimal() {
        let labels: [&[u8]; 2] = [b"a.b c\xff", b"Test_-9"];
        let name = Name::from_labels(labels).unwrap();
        assert_eq!(text(&name), "a\\046b\\032c\\255.Test_-9.");
        assert_eq!(exchange(&Name::root()), Exchange::Root);
    }
}
