//! `[relay]`, `[domains]` and `[[route]]`: who may send anywhere, where mail ends here, and where it goes instead of MX.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use facteur_mail::{Address, Domain, Host, LocalPart, Timestamp};
use facteur_replies::Language;
use facteur_route::{
    DEFAULT_LMTP_PORT, DEFAULT_SMTP_PORT, Deliver, LocalDomain, MaildirTemplate, Network, NextHop,
    Pattern,
};

use crate::config::problem::{Expected, Fault};
use crate::config::takes::{keys, list, lists, optional, optional_list, required, text};
use crate::config::written::{Moment, Reason, Written};

/// The widest IPv4 network that may relay, as a prefix length: wider ones are strangers.
const WIDEST_V4: u32 = 8;

/// The widest IPv6 network that may relay, as a prefix length.
const WIDEST_V6: u32 = 16;

keys! {
    /// `[relay]`.
    pub(crate) struct RelayKeys {
        /// Who may send anywhere.
        networks: Vec<RelayNetwork> = list(loopback);
        /// Domains relayed for everybody.
        domains: Vec<RelayDomain> = list(Vec::new);
    }
}

keys! {
    /// One `[domains."NAME"]`.
    pub(crate) struct DomainKeys {
        /// How its mail is delivered.
        deliver: Deliver = required();
        /// Its mailboxes; `None` if every name is one.
        users: Option<Vec<User>> = optional_list();
        /// Who gets the rest.
        catch_all: Option<Target> = optional();
        /// What separates a tag.
        tag_delimiter: TagDelimiter = text(|| TagDelimiter(Some('+')));
        /// The language of reports to its senders.
        language: Option<Language> = optional();
        /// Names that stand for other addresses.
        aliases: BTreeMap<User, Vec<Target>> = lists();
    }
}

keys! {
    /// One `[[route]]`.
    pub(crate) struct RouteKeys {
        /// For which domains.
        r#match: Pattern = required();
        /// Where their mail goes.
        next_hop: NextHop = required();
        /// When it no longer applies.
        until: Option<Moment> = optional();
        /// What it is for.
        reason: Option<Reason> = optional();
    }
}

impl RouteKeys {
    /// Whether it no longer applies.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until.0 <= now)
    }
}

impl DomainKeys {
    /// The domain of the configuration without a file: `localhost`, in Maildirs below the data directory.
    pub(super) fn below(data_dir: &Path) -> Option<Self> {
        let template = data_dir.join("mail").join("{user}");
        Some(Self {
            deliver: Deliver::Maildir(MaildirTemplate::parse(template.to_str()?).ok()?),
            users: None,
            catch_all: None,
            tag_delimiter: TagDelimiter(Some('+')),
            language: None,
            aliases: BTreeMap::new(),
        })
    }

    /// What the router knows of this domain.
    pub(crate) fn local(&self, domain: &Domain) -> LocalDomain {
        let user = |user: &User| user.0.clone();
        let users = self.users.as_ref();
        let targets = |targets: &[Target]| targets.iter().map(|to| to.of(domain)).collect();
        LocalDomain {
            deliver: self.deliver.clone(),
            users: users.map(|users| users.iter().map(user).collect()),
            aliases: self
                .aliases
                .iter()
                .map(|(name, to)| (user(name), targets(to)))
                .collect(),
            catch_all: self.catch_all.as_ref().map(|to| to.of(domain)),
            tag_delimiter: self.tag_delimiter.0,
        }
    }
}

fn loopback() -> Vec<RelayNetwork> {
    ["127.0.0.0/8", "::1"]
        .into_iter()
        .filter_map(RelayNetwork::parse)
        .collect()
}

/// A network whose clients may send anywhere: never everybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayNetwork(pub(crate) Network);

impl Written for RelayNetwork {
    const EXPECTED: Expected = Expected::Network;

    fn parse(text: &str) -> Option<Self> {
        let network = Network::parse(text).ok()?;
        (!is_everybody(&network)).then_some(Self(network))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }

    fn fault(text: &str) -> Fault {
        match Network::parse(text) {
            Ok(network) => Fault::OpenRelay {
                network: network.to_string(),
            },
            Err(_) => Fault::BadValue {
                value: text.to_owned(),
                expected: Self::EXPECTED,
            },
        }
    }
}

/// Whether a network is so wide that relaying for it is relaying for everybody.
const fn is_everybody(network: &Network) -> bool {
    match network.address() {
        IpAddr::V4(_) => network.prefix() < WIDEST_V4,
        IpAddr::V6(_) => network.prefix() < WIDEST_V6,
    }
}

/// A domain relayed for everybody, or `*.domain`; `*` alone would be an open relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelayDomain(pub(crate) Pattern);

impl Written for RelayDomain {
    const EXPECTED: Expected = Expected::Pattern;

    fn parse(text: &str) -> Option<Self> {
        match Pattern::parse(text).ok()? {
            Pattern::Any => None,
            pattern @ (Pattern::Below(_) | Pattern::Exactly(_)) => Some(Self(pattern)),
        }
    }

    fn show(&self) -> String {
        self.0.to_string()
    }

    fn fault(text: &str) -> Fault {
        match Pattern::parse(text) {
            Ok(Pattern::Any) => Fault::OpenRelayDomain {
                domain: text.to_owned(),
            },
            Ok(Pattern::Below(_) | Pattern::Exactly(_)) | Err(_) => Fault::BadValue {
                value: text.to_owned(),
                expected: Self::EXPECTED,
            },
        }
    }
}

impl Written for Pattern {
    const EXPECTED: Expected = Expected::Pattern;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Written for NextHop {
    const EXPECTED: Expected = Expected::NextHop;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text, DEFAULT_SMTP_PORT).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// `maildir:PATH`, `lmtp:HOST:PORT`, `lmtp:/path`, `relay:HOST:PORT`.
impl Written for Deliver {
    const EXPECTED: Expected = Expected::Deliver;

    fn parse(text: &str) -> Option<Self> {
        let (how, place) = text.split_once(':')?;
        match how {
            "maildir" => MaildirTemplate::parse(place).ok().map(Self::Maildir),
            "lmtp" => NextHop::parse(place, DEFAULT_LMTP_PORT)
                .ok()
                .map(Self::Lmtp),
            "relay" => NextHop::parse(place, DEFAULT_SMTP_PORT)
                .ok()
                .map(Self::Relay),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Maildir(template) => format!("maildir:{template}"),
            Self::Lmtp(hop) => format!("lmtp:{hop}"),
            Self::Relay(hop) => format!("relay:{hop}"),
        }
    }
}

/// A mailbox or an alias of a domain, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct User(String);

impl Written for User {
    const EXPECTED: Expected = Expected::User;

    fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && !text.contains('@') && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_lowercase()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// Who gets mail for a name: an address, or another name of the same domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Of the domain itself.
    Here(LocalPart),
    /// Wherever it is.
    There(Address),
}

impl Target {
    fn of(&self, domain: &Domain) -> Address {
        match self {
            Self::Here(local) => Address::new(local.clone(), Host::Domain(domain.clone())),
            Self::There(address) => address.clone(),
        }
    }
}

impl Written for Target {
    const EXPECTED: Expected = Expected::Address;

    fn parse(text: &str) -> Option<Self> {
        if text.contains('@') {
            return Address::parse(text).ok().map(Self::There);
        }
        LocalPart::new(text).ok().map(Self::Here)
    }

    fn show(&self) -> String {
        match self {
            Self::Here(local) => local.as_str().to_owned(),
            Self::There(address) => address.to_string(),
        }
    }
}

/// One character; an empty text switches tags off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TagDelimiter(pub(crate) Option<char>);

impl Written for TagDelimiter {
    const EXPECTED: Expected = Expected::Delimiter;

    fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (None, _) => Some(Self(None)),
            (Some(c), None) if c.is_ascii_punctuation() && c != '@' => Some(Self(Some(c))),
            (Some(_), _) => None,
        }
    }

    fn show(&self) -> String {
        self.0.map(String::from).unwrap_or_default()
    }
}
