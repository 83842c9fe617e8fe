//! What a destination is sent at most, and whom a rule is for.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use facteur_mail::{Domain, Host, Timestamp};
use facteur_route::{DEFAULT_LMTP_PORT, DEFAULT_SMTP_PORT, Destination, NextHop, Pattern};

/// The most orders of an operator that are in force at once.
pub const MAX_ORDERS: usize = 1_000;

/// The pause after a reply that asks for less mail, where nothing else is configured.
pub const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(60);

/// Limits of one destination, or of all that share a mail server. What is `None` a wider rule says, or nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub connections: Option<NonZeroU32>,
    /// Messages a minute, spread evenly over it.
    pub messages_per_minute: Option<NonZeroU32>,
    /// New connections a minute, spread evenly over it.
    pub connections_per_minute: Option<NonZeroU32>,
    /// Recipients a minute, spread evenly over it.
    pub recipients_per_minute: Option<NonZeroU32>,
    /// Messages that one connection carries.
    pub messages_per_connection: Option<NonZeroU32>,
    /// Whether a destination starts with one connection and earns more by quick answers.
    pub slow_start: Option<bool>,
    /// What follows from a reply that asks for less mail.
    pub on_rate_limit: Option<OnRateLimit>,
    /// How long nothing is sent after such a reply; twice as long after each that follows.
    pub rate_limit_pause: Option<Duration>,
}

/// The policies for replies that ask for less mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnRateLimit {
    /// A 4yz whose codes are about the sending rate slows the destination down.
    #[default]
    SlowDown,
    /// So does any failure in whose words a provider's rate limit is recognised, whatever its codes.
    SlowDownByWords,
    /// Nothing follows but the retry of the message.
    Ignore,
}

impl OnRateLimit {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::SlowDown, Self::SlowDownByWords, Self::Ignore];

    /// The stable name, for configuration, log and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowDown => "slow-down",
            Self::SlowDownByWords => "slow-down-by-words",
            Self::Ignore => "ignore",
        }
    }

    /// The policy of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

impl Limits {
    /// These limits, and where they say nothing, those of a wider rule.
    #[must_use]
    pub fn within(self, wider: &Self) -> Self {
        Self {
            connections: self.connections.or(wider.connections),
            messages_per_minute: self.messages_per_minute.or(wider.messages_per_minute),
            connections_per_minute: self.connections_per_minute.or(wider.connections_per_minute),
            recipients_per_minute: self.recipients_per_minute.or(wider.recipients_per_minute),
            messages_per_connection: self
                .messages_per_connection
                .or(wider.messages_per_connection),
            slow_start: self.slow_start.or(wider.slow_start),
            on_rate_limit: self.on_rate_limit.or(wider.on_rate_limit),
            rate_limit_pause: self.rate_limit_pause.or(wider.rate_limit_pause),
        }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whom a rule is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// Each destination whose domain fits, for itself: a domain that is sent to by MX, or the host of a configured next
    /// hop. `*` is every destination but the local mailboxes.
    Domain(Pattern),
    /// All destinations together, one of whose mail servers has a name that fits.
    Mx(Pattern),
    /// This destination, by its own name.
    Exactly(Destination),
}

/// One rule of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whom it is for.
    pub target: Target,
    /// What it allows.
    pub limits: Limits,
}

/// What an operator has ordered while the server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whom it is for.
    pub target: Target,
    /// What.
    pub what: What,
    /// Why, in the operator's words; at most [`facteur_mail::MAX_REASON`] octets.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When it was given.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// What an order is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Nothing is sent.
    Pause,
    /// Other limits than the configuration's, key by key.
    Limit(Limits),
}

impl Target {
    /// Reads `gmail.com`, `*.example`, `*`, `mx:*.google.com`, and the names of destinations that are no domains:
    /// `[192.0.2.1]`, `relay:10.0.0.1:25`, `lmtp:/run/lmtp`, `maildir:example.org`. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let exactly = |destination| Some(Self::Exactly(destination));
        if let Some(literal) = text.strip_prefix('[') {
            let ip = literal.strip_suffix(']')?;
            // As an address has it. (RFC 5321 §4.1.3)
            let ip = ip.strip_prefix("IPv6:").unwrap_or(ip);
            return exactly(Destination::Literal(ip.parse().ok()?));
        }
        match text.split_once(':') {
            None => Pattern::parse(text).ok().map(Self::Domain),
            Some(("mx", pattern)) => Pattern::parse(pattern).ok().map(Self::Mx),
            Some(("relay", hop)) => NextHop::parse(hop, DEFAULT_SMTP_PORT)
                .ok()
                .and_then(|hop| exactly(Destination::Relay(hop))),
            Some(("lmtp", hop)) => NextHop::parse(hop, DEFAULT_LMTP_PORT)
                .ok()
                .and_then(|hop| exactly(Destination::Lmtp(hop))),
            Some(("maildir", domain)) => Domain::parse(domain)
                .ok()
                .and_then(|domain| exactly(Destination::Maildir(domain))),
            Some(_) => None,
        }
    }

    /// Whether the rule is for this destination, as far as its name says it.
    #[must_use]
    pub fn fits(&self, destination: &Destination) -> bool {
        match self {
            Self::Exactly(it) => it == destination,
            Self::Mx(_) => false,
            Self::Domain(pattern) => match (pattern, destination) {
                (pattern, Destination::Mx(domain)) => pattern.matches(domain),
                (Pattern::Exactly(name), Destination::Maildir(domain)) => name == domain,
                (_, Destination::Maildir(_)) => false,
                (Pattern::Any, _) => true,
                (pattern, _) => {
                    hop_domain(destination).is_some_and(|domain| pattern.matches(domain))
                }
            },
        }
    }

    /// Whether the rule is for destinations that have these mail servers.
    #[must_use]
    pub fn fits_hosts(&self, hosts: &[Domain]) -> bool {
        match self {
            Self::Mx(pattern) => hosts.iter().any(|host| pattern.matches(host)),
            Self::Domain(_) | Self::Exactly(_) => false,
        }
    }

    /// How exact it is: of two that fit, the greater one goes first.
    pub(crate) fn exactness(&self) -> (bool, usize) {
        match self {
            Self::Exactly(_) => (true, usize::MAX),
            Self::Domain(pattern) | Self::Mx(pattern) => match pattern {
                Pattern::Any => (false, 0),
                Pattern::Below(parent) => (false, parent.as_str().len()),
                Pattern::Exactly(_) => (true, 0),
            },
        }
    }
}

/// The host of a configured next hop, if it is a name.
pub(crate) fn hop_domain(destination: &Destination) -> Option<&Domain> {
    match destination {
        Destination::Relay(hop) | Destination::Lmtp(hop) => match hop {
            NextHop::Tcp {
                host: Host::Domain(domain),
                ..
            } => Some(domain),
            NextHop::Tcp {
                host: Host::Literal(_),
                ..
            }
            | NextHop::Unix(_) => None,
        },
        Destination::Mx(_) | Destination::Literal(_) | Destination::Maildir(_) => None,
    }
}

impl fmt::Display for Target {
    /// As [`Target::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(pattern) => pattern.fmt(f),
            Self::Mx(pattern) => write!(f, "mx:{pattern}"),
            Self::Exactly(destination) => destination.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mx(name: &str) -> Destination {
        Destination::Mx(Domain::parse(name).unwrap())
    }

    #[test]
    fn a_target_is_printed_as_it_is_read() {
        for text in [
            "gmail.com",
            "*.example",
            "*",
            "mx:*.google.com",
            "mx:mx.far.test",
            "[192.0.2.1]",
            "[IPv6:2001:db8::1]",
            "relay:10.0.0.1:25",
            "relay:smtp.example.org:587",
            "lmtp:/run/lmtp",
            "maildir:example.org",
        ] {
            let target = Target::parse(text).map(|target| target.to_string());
            assert_eq!(target.as_deref(), Some(text));
        }
        for wrong in ["", "a b", "mx:", "[x]", "[192.0.2.1", "smtp:a.test", "*a"] {
            assert_eq!(Target::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_rule_is_for_whom_it_names() {
        let relay = Target::parse("relay:smtp.example.org:587").unwrap();
        let Target::Exactly(relay) = relay else {
            panic!("it is exact");
        };
        let local = Destination::Maildir(Domain::parse("here.test").unwrap());
        for (target, destination, fits) in [
            ("gmail.com", mx("gmail.com"), true),
            ("gmail.com", mx("a.gmail.com"), false),
            ("*.example", mx("a.example"), true),
            ("*", mx("a.example"), true),
            ("*", local.clone(), false),
            ("here.test", local.clone(), true),
            ("*.test", local, false),
            ("*", relay.clone(), true),
            ("smtp.example.org", relay.clone(), true),
            ("relay:smtp.example.org:587", relay.clone(), true),
            ("relay:smtp.example.org:25", relay, false),
            ("mx:*.google.com", mx("gmail.com"), false),
        ] {
            let target = Target::parse(target).unwrap();
            assert_eq!(target.fits(&destination), fits, "{target} {destination}");
        }
    }

    #[test]
    fn a_narrow_rule_leaves_open_what_a_wider_one_says() {
        let many = NonZeroU32::new;
        let narrow = Limits {
            messages_per_minute: many(20),
            ..Limits::default()
        };
        let wide = Limits {
            messages_per_minute: many(100),
            connections: many(5),
            ..Limits::default()
        };
        let both = narrow.within(&wide);
        assert_eq!(both.messages_per_minute, many(20));
        assert_eq!(both.connections, many(5));
        assert!(!both.is_empty() && Limits::default().is_empty());
    }
}
