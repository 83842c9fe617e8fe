//! What the server listens on, and how much it takes from whom.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::Domain;
use facteur_route::Network;
use facteur_smtp::server as smtp;

/// The settings of the server.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's name, as in the greeting and in `Received:`.
    pub hostname: Domain,
    /// Where it listens.
    pub listeners: Vec<ListenerConfig>,
    /// How many connections it holds.
    pub limits: Limits,
    /// How much each client may send.
    pub sources: SourceRates,
    /// How long it waits.
    pub patience: Patience,
    /// The most `Received:` fields of a message; one with more loops. Default: 50. RFC 5321 §6.3 asks for a
    /// large number, 100 at least; no honest message comes near either.
    pub max_hops: u32,
    /// The most recipients of a message once aliases stand for their members. Default: 10,000.
    pub max_expanded_recipients: usize,
    /// The memory for the recipients of all open transactions, in octets, about; a quarter of it is kept for
    /// clients that may relay. What does not fit is answered with 452. Default: 128 MiB.
    pub max_envelope_octets: usize,
}

/// A place to listen on, and what is spoken there.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    /// The place.
    pub address: ListenAddress,
    /// What sessions offer and how much of it.
    pub session: Arc<smtp::Config>,
}

/// A place to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A TCP address; port 0 for one that the system chooses. `[::]` serves IPv6 alone: for both, listen on
    /// `0.0.0.0` as well.
    Tcp(SocketAddr),
    /// The path of a Unix socket. Its clients are local and count as trusted for the limits, never for relaying.
    Unix(PathBuf),
}

/// How many connections are held at once. A client over a limit is told so with 421 at once.
#[derive(Debug, Clone)]
pub struct Limits {
    /// In all. Default: 10,000.
    pub connections: usize,
    /// Of `connections`, so many are kept free of strangers, for clients that may relay. Default: 1,000.
    pub reserved: usize,
    /// From one network of strangers, an IPv4 /24 or an IPv6 /48. Default: half of `connections`.
    pub per_network: usize,
    /// From one stranger, an IPv4 address or an IPv6 /64. Default: 50.
    pub per_address: usize,
}

/// How much each client may send, by its address: an IPv4 address or an IPv6 /64. Default: without limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRates {
    /// Clients that may not relay and are in none of the networks.
    pub strangers: Rates,
    /// Clients of these networks, each for itself; of two that fit, the narrower one goes first.
    pub networks: Vec<(Network, Rates)>,
}

/// How much one client may send. A minute's worth may come at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Messages a minute, counted at MAIL; `None` for any number.
    pub messages_per_minute: Option<NonZeroU32>,
    /// Recipients a minute, counted at RCPT; `None` for any number.
    pub recipients_per_minute: Option<NonZeroU32>,
}

/// How long the server waits for a client, and for DNS.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For a command, from the reply before it to its CRLF. Default: 5 minutes. (RFC 5321 §4.5.3.2.7)
    pub command: Duration,
    /// For a command of a stranger while strangers hold four fifths of the connections they may have.
    /// Default: 10 seconds.
    pub crowded: Duration,
    /// For each piece of content. Default: 3 minutes. (RFC 5321 §4.5.3.2.5)
    pub data_block: Duration,
    /// For one message, from DATA to its end. Default: 1 hour.
    pub message: Duration,
    /// For a session, after which no new command is taken. Default: 6 hours.
    pub session: Duration,
    /// The least octets a second, on average, at which content must come once `rate_grace` has passed.
    /// Default: 128.
    pub min_rate: u32,
    /// How long content may come as slowly as it likes. Default: 60 seconds.
    pub rate_grace: Duration,
    /// For DNS at MAIL and at RCPT; then the address is taken and the queue decides. Default: 5 seconds.
    pub lookup: Duration,
    /// For the client to close after our last reply. Default: 1 second.
    pub linger: Duration,
}

impl Config {
    /// The defaults, for a server of this name that listens nowhere yet.
    #[must_use]
    pub fn new(hostname: Domain) -> Self {
        Self {
            hostname,
            listeners: Vec::new(),
            limits: Limits::default(),
            sources: SourceRates::default(),
            patience: Patience::default(),
            max_hops: 50,
            max_expanded_recipients: 10_000,
            max_envelope_octets: 128 * 1024 * 1024,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            reserved: 1_000,
            per_network: 5_000,
            per_address: 50,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            command: Duration::from_secs(5 * 60),
            crowded: Duration::from_secs(10),
            data_block: Duration::from_secs(3 * 60),
            message: Duration::from_secs(60 * 60),
            session: Duration::from_secs(6 * 60 * 60),
            min_rate: 128,
            rate_grace: Duration::from_secs(60),
            lookup: Duration::from_secs(5),
            linger: Duration::from_secs(1),
        }
    }
}
