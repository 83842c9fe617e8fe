//! How mail is sent: times, limits, language.

use std::collections::BTreeMap;
use std::time::Duration;

use facteur_mail::{Address, Domain};
use facteur_replies::Language;

use crate::backoff::Backoff;
use crate::limits::{Order, Rule};
use crate::verdict::Policy;

/// What delivery must know; `facteur` fills it from `[delivery]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// This server's name, in reports and at EHLO.
    pub hostname: String,
    /// The language of reports, English after it.
    pub language: Language,
    /// The language of reports to senders of a domain, where it is another one.
    pub languages: BTreeMap<Domain, Language>,
    /// The waits between tries; the last one repeats.
    pub retry: Backoff,
    /// How long after its acceptance a message is given up. (RFC 5321 §4.5.4.1: four to five days)
    pub give_up_after: Duration,
    /// After how long the sender is told, once, that a message is late; `None`: never.
    pub delay_notice_after: Option<Duration>,
    /// The port of servers found by MX or named by an address literal.
    pub port: u16,
    /// How many deliveries run at once; each to a server that does not answer costs a task and a socket.
    pub max_running: usize,
    /// How many of them go to one destination, at most: a destination starts with one, and earns more by quick answers.
    pub max_per_destination: usize,
    /// How long a destination that did not answer is left alone; shorter than the first wait, so that a message that
    /// found the silence is the one that tries again.
    pub destination_pause: Duration,
    /// How long running deliveries may go on when the server stops.
    pub shutdown_grace: Duration,
    /// Limits of destinations.
    pub rules: Vec<Rule>,
    /// What an operator ordered before this start; another configuration changes nothing of it.
    pub orders: Vec<Order>,
}

impl Config {
    /// The defaults for a server of this name.
    #[must_use]
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            language: Language::English,
            languages: BTreeMap::new(),
            retry: Backoff::default(),
            give_up_after: Duration::from_secs(5 * 24 * 3_600),
            delay_notice_after: Some(Duration::from_secs(4 * 3_600)),
            port: 25,
            max_running: 200,
            max_per_destination: 20,
            destination_pause: Duration::from_secs(4 * 60),
            shutdown_grace: Duration::from_secs(10),
            rules: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// The language in which `sender` is written to.
    pub(crate) fn language_of(&self, sender: &Address) -> Language {
        let configured = sender
            .domain()
            .and_then(|domain| self.languages.get(domain));
        configured.copied().unwrap_or(self.language)
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            backoff: self.retry.clone(),
            give_up_after: self.give_up_after,
        }
    }
}
