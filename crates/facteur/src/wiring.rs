//! Hands each crate its part of the configuration.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use facteur_delivery::{Announcer, Backoff, SenderConfig, Steering};
use facteur_mail::{Host, Timestamp};
use facteur_route::{DnsConfig, Policy, RouteRule};
use facteur_server::{Limits, ListenAddress, ListenerConfig, Patience, Rates, SourceRates};
use facteur_smtp::server::{self as smtp, BareNewlines};
use facteur_spool::Waiting;

use crate::config::{Config, DestinationKeys, Endpoint, Listener, Role, SourceKeys};
use crate::queue::{Announced, Dispatch};

/// For the router, at this moment: a route that is over does not apply.
pub(crate) fn route(config: &Config, now: Timestamp) -> facteur_route::Config {
    let relay = &config.relay;
    facteur_route::Config {
        hostname: config.hostname.clone(),
        addresses: own_addresses(config),
        postmaster: config.postmaster.clone(),
        domains: config
            .domains
            .iter()
            .map(|(name, keys)| (name.clone(), keys.local(name)))
            .collect(),
        relay_domains: relay
            .domains
            .iter()
            .map(|domain| domain.0.clone())
            .collect(),
        relay_networks: relay.networks.iter().map(|network| network.0).collect(),
        routes: config
            .route
            .iter()
            .filter(|keys| !keys.is_over(now))
            .map(|keys| RouteRule {
                pattern: keys.r#match.clone(),
                next_hop: keys.next_hop.clone(),
            })
            .collect(),
    }
}

/// For the MX plan: which hosts are ourselves.
pub(crate) fn policy(config: &Config) -> Policy {
    Policy {
        own_names: BTreeSet::from([config.hostname.clone()]),
        own_addresses: own_addresses(config),
        allow_loopback_mx: config.delivery.allow_loopback_mx,
    }
}

/// For the resolver.
pub(crate) fn dns(config: &Config) -> DnsConfig {
    DnsConfig {
        servers: config.dns.servers.iter().map(|server| server.0).collect(),
        question_timeout: config.dns.timeout,
        ..DnsConfig::default()
    }
}

/// The descriptors that the process needs besides those of connections and deliveries: listeners, the spool's
/// segments, DNS, the log.
const OWN_DESCRIPTORS: u64 = 128;

/// How many connections are held however few descriptors there are.
const LEAST_CONNECTIONS: u64 = 10;

/// How many connections the server may hold where the process may have so many `descriptors`: as many as are
/// configured, unless they and their large messages, a file each, would leave too few for the spool and for
/// deliveries.
pub(crate) fn connections(config: &Config, descriptors: u64) -> u64 {
    let deliveries = config.delivery.connections.saturating_mul(2);
    let left = descriptors.saturating_sub(OWN_DESCRIPTORS.saturating_add(deliveries));
    let affordable = (left / 2).max(LEAST_CONNECTIONS);
    config.limits.connections.min(affordable)
}

/// For the server, which may hold so many `connections`.
pub(crate) fn server(config: &Config, connections: u64) -> facteur_server::Config {
    let limits = &config.limits;
    let defaults = facteur_server::Config::new(config.hostname.clone());
    facteur_server::Config {
        listeners: config
            .listen
            .iter()
            .map(|listener| self::listener(config, listener))
            .collect(),
        limits: Limits {
            connections: count(connections),
            // Kept in proportion where the total is another.
            reserved: count(connections / 10),
            per_network: count((connections / 2).max(1)),
            per_address: count(limits.connections_per_address),
        },
        sources: SourceRates {
            strangers: Rates {
                messages_per_minute: limits.messages_per_minute,
                recipients_per_minute: limits.recipients_per_minute,
            },
            networks: config.source.iter().map(SourceKeys::rates).collect(),
        },
        patience: Patience {
            command: limits.command_timeout,
            data_block: limits.data_timeout,
            message: limits.message_timeout,
            session: limits.session_timeout,
            ..Patience::default()
        },
        // What RCPT may add one by one must fit without aliases.
        max_expanded_recipients: defaults
            .max_expanded_recipients
            .max(count(limits.recipients)),
        ..defaults
    }
}

fn listener(config: &Config, listener: &Listener) -> ListenerConfig {
    let limits = &config.limits;
    let role = match listener.role {
        Role::Mx => smtp::Role::Smtp,
        Role::Lmtp => smtp::Role::Lmtp,
    };
    let session = smtp::Config {
        max_message_octets: limits.message_size,
        max_recipients: small(limits.recipients),
        max_messages: small(limits.messages_per_session),
        max_errors: small(limits.errors),
        bare_newlines: if listener.normalise_newlines {
            BareNewlines::Normalise
        } else {
            BareNewlines::Refuse
        },
        ..smtp::Config::new(config.hostname.clone(), role)
    };
    ListenerConfig {
        address: place(listener),
        session: Arc::new(session),
    }
}

/// Where the server listens.
pub(crate) fn places(config: &Config) -> Vec<ListenAddress> {
    config.listen.iter().map(place).collect()
}

fn place(listener: &Listener) -> ListenAddress {
    match &listener.address {
        Endpoint::Tcp(address) => ListenAddress::Tcp(*address),
        Endpoint::Unix(path) => ListenAddress::Unix(path.clone()),
    }
}

/// For the spool.
pub(crate) fn spool(config: &Config) -> facteur_spool_local::Config {
    facteur_spool_local::Config {
        message_limit: config.limits.message_size,
        ..facteur_spool_local::Config::new(spool_directory(config))
    }
}

/// Where the spool of an instance is.
pub(crate) fn spool_directory(config: &Config) -> PathBuf {
    config.data_dir.join("spool")
}

/// For the history; `None` if none is kept.
pub(crate) fn history(config: &Config) -> Option<facteur_history::Config> {
    let keys = &config.history;
    keys.enabled.then(|| facteur_history::Config {
        keep: keys.keep,
        max_octets: keys.max_size,
        ..facteur_history::Config::new(history_directory(config))
    })
}

/// Where the history of an instance is.
pub(crate) fn history_directory(config: &Config) -> PathBuf {
    config.data_dir.join("history")
}

/// For delivery.
pub(crate) fn delivery(config: &Config) -> facteur_delivery::Config {
    let keys = &config.delivery;
    let defaults = facteur_delivery::Config::new(config.hostname.to_string());
    let retry = Backoff::new(&keys.retry).unwrap_or_default();
    facteur_delivery::Config {
        // Over before the first wait is, whatever its jitter: else a short wait would never end in a try.
        destination_pause: defaults.destination_pause.min(retry.first() * 4 / 5),
        language: config.language,
        languages: config
            .domains
            .iter()
            .filter_map(|(name, keys)| Some((name.clone(), keys.language?)))
            .collect(),
        retry,
        give_up_after: keys.give_up_after,
        delay_notice_after: keys.delay_notice_after,
        port: keys.port,
        max_running: count(keys.connections),
        max_per_destination: count(keys.connections_per_destination),
        shutdown_grace: config.limits.shutdown_grace,
        rules: config
            .destination
            .iter()
            .map(DestinationKeys::rule)
            .collect(),
        ..defaults
    }
}

/// Tells delivery of the messages that an operator has changed.
pub(crate) struct Dispatcher {
    /// Tells of messages.
    pub(crate) announcer: Announcer,
    /// Ends pauses.
    pub(crate) steering: Steering,
}

impl Dispatch for Dispatcher {
    fn announce(&self, waiting: Waiting, now: Vec<Host>) -> Announced<'_> {
        Box::pin(async move {
            if !now.is_empty() {
                self.steering.forgive(now).await;
            }
            self.announcer.announce(waiting);
        })
    }
}

/// For the client side of SMTP.
pub(crate) fn sender(config: &Config) -> SenderConfig {
    SenderConfig {
        chunking: config.delivery.chunking,
        ..SenderConfig::new(config.hostname.to_string())
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The addresses at which strangers find this server: those of its listeners, and all of the machine's for a
/// listener on every address.
fn own_addresses(config: &Config) -> BTreeSet<IpAddr> {
    let mut own = BTreeSet::new();
    for listener in &config.listen {
        if let Endpoint::Tcp(address) = &listener.address {
            if address.ip().is_unspecified() {
                own.extend(machine_addresses());
            } else {
                own.insert(address.ip());
            }
        }
    }
    own
}

/// Every address of every interface; none if the system does not say.
fn machine_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else {
        return Vec::new();
    };
    interfaces
        .filter_map(|interface| interface.address)
        .filter_map(|address| {
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Instance;

    fn config() -> Config {
        Config::of(
            &Instance::default(),
            facteur_replies::Language::default(),
            false,
        )
        .unwrap()
    }

    #[test]
    fn few_descriptors_mean_few_connections() {
        let config = config();
        assert_eq!(connections(&config, 524_288), config.limits.connections);
        assert_eq!(connections(&config, 4_096), (4_096 - 128 - 400) / 2);
        assert_eq!(connections(&config, 200), LEAST_CONNECTIONS);
    }

    #[test]
    fn one_connection_is_for_anybody() {
        let limits = server(&config(), 1).limits;
        assert_eq!((limits.connections, limits.reserved), (1, 0));
        assert_eq!(limits.per_network, 1);
    }

    #[test]
    fn as_many_recipients_as_are_offered_fit() {
        let mut config = config();
        config.limits.recipients = 100_000;
        assert_eq!(server(&config, 1).max_expanded_recipients, 100_000);
    }

    /// Compared as they are shown: not every part can be compared itself.
    fn same(ours: &impl std::fmt::Debug, theirs: &impl std::fmt::Debug) {
        assert_eq!(format!("{ours:#?}"), format!("{theirs:#?}"));
    }

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_crates() {
        let config = config();
        let name = config.hostname.clone();
        same(
            &delivery(&config),
            &facteur_delivery::Config::new(name.to_string()),
        );
        same(&sender(&config), &SenderConfig::new(name.to_string()));
        same(&dns(&config), &DnsConfig::default());
        let spool_defaults = facteur_spool_local::Config::new(spool_directory(&config));
        same(&spool(&config), &spool_defaults);
        let mut ours = server(&config, config.limits.connections);
        for listener in std::mem::take(&mut ours.listeners) {
            let session = smtp::Config::new(name.clone(), smtp::Role::Smtp);
            same(&listener.session, &Arc::new(session));
        }
        same(&ours, &facteur_server::Config::new(name));
    }
}
