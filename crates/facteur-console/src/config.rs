//! Where the console listens, whom it answers, and how much it takes.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What the console must know; `facteur` fills it from `[console]`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub address: SocketAddr,
    /// The names by which it may be asked for, in lower case and without port, beside `localhost` and IP addresses:
    /// a page of another name that resolves to us is turned away (DNS rebinding).
    pub hosts: Vec<String>,
    /// Who may submit messages; nobody if empty.
    pub tokens: Vec<Token>,
    /// The largest message, in octets.
    pub max_message_octets: u64,
    /// How much of what comes in is held in memory at once by all requests together, in octets. Default: 128 MiB.
    pub max_octets_in_flight: u32,
    /// How many connections are held. Default: 256.
    pub max_connections: usize,
    /// How long a client may take to say what it wants. Default: 10 seconds.
    pub header_timeout: Duration,
    /// How long a request may take in all. Default: 5 minutes.
    pub request_timeout: Duration,
}

/// A secret that lets its holder submit messages, as AUTH would.
#[derive(Clone)]
pub struct Token {
    /// What it is called in the log and in `Received:`.
    pub name: String,
    /// What the holder shows. Never logged, never shown.
    pub secret: Vec<u8>,
}

impl Config {
    /// The defaults, at this address, for nobody to submit.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            hosts: Vec::new(),
            tokens: Vec::new(),
            max_message_octets: 50 * 1024 * 1024,
            max_octets_in_flight: 128 * 1024 * 1024,
            max_connections: 256,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(5 * 60),
        }
    }

    /// Whether a request for `host`, as its Host field names it, is meant for us. (RFC 9110 §7.2)
    pub(crate) fn serves(&self, host: &str) -> bool {
        let name = without_port(host);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<IpAddr>().is_ok() {
            // Nobody else's page has an address for its name.
            return true;
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name == "localhost" || self.hosts.contains(&name)
    }
}

/// A Host field without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => {
            // `[::1]:80` and `name:80`, but not `::1`.
            if name.contains(':') && !name.ends_with(']') {
                host
            } else {
                name
            }
        }
        _ => host,
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_to_its_names_and_to_addresses_alone() {
        let mut config = Config::new(SocketAddr::from(([127, 0, 0, 1], 8025)));
        config.hosts = vec!["mail.example.org".to_owned()];
        for ours in [
            "localhost:8025",
            "LOCALHOST",
            "127.0.0.1:8025",
            "[::1]:8025",
            "::1",
            "mail.example.org",
            "Mail.Example.Org.:8025",
        ] {
            assert!(config.serves(ours), "{ours}");
        }
        for foreign in [
            "",
            "evil.test",
            "localhost.evil.test:8025",
            "127.0.0.1.evil.test",
        ] {
            assert!(!config.serves(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_token_never_shows_its_secret() {
        let token = Token {
            name: "shop".to_owned(),
            secret: b"hunter2".to_vec(),
        };
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}
