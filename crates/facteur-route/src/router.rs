//! Where a recipient goes, by the configuration alone: mailboxes, aliases, next hops, MX.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use facteur_mail::event::RouteRule as RouteTakenBy;
use facteur_mail::{Address, Domain, Host, LocalPart};

use crate::hop::{Destination, MaildirTemplate, NextHop, Pattern};
use crate::network::Network;

/// The most recipients that one address may become.
pub const MAX_EXPANSION: usize = 1_000;

/// The longest chain of aliases.
pub const MAX_ALIAS_DEPTH: usize = 50;

/// The mailbox that every domain has. (RFC 5321 §4.5.1)
const POSTMASTER: &str = "postmaster";

/// What the router knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// This server's name.
    pub hostname: Domain,
    /// This server's addresses: `user@[address]` is `user@hostname`. (RFC 5321 §4.1.3)
    pub addresses: BTreeSet<IpAddr>,
    /// Who gets mail for the postmaster of a local domain or of the hostname, where the domain has neither an
    /// alias nor a mailbox of that name.
    pub postmaster: Option<Address>,
    /// The domains whose mail ends here.
    pub domains: BTreeMap<Domain, LocalDomain>,
    /// The domains relayed for everybody.
    pub relay_domains: Vec<Pattern>,
    /// Who may send anywhere.
    pub relay_networks: Vec<Network>,
    /// Next hops instead of MX. The most exact pattern wins; `*` is a smarthost.
    pub routes: Vec<RouteRule>,
}

/// One `[[route]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRule {
    /// For which domains.
    pub pattern: Pattern,
    /// Where their mail goes.
    pub next_hop: NextHop,
}

/// A domain whose mail ends here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalDomain {
    /// How its mail is delivered.
    pub deliver: Deliver,
    /// Its mailboxes, in lower case; `None` if every name is one, and the next server or the file system
    /// decides.
    pub users: Option<BTreeSet<String>>,
    /// Names, in lower case, that stand for other addresses. An alias that names itself means its mailbox.
    pub aliases: BTreeMap<String, Vec<Address>>,
    /// Who gets mail for names that are neither; without effect if every name is a mailbox.
    pub catch_all: Option<Address>,
    /// What separates a user from a tag: `user+tag`. `None` if nothing does.
    pub tag_delimiter: Option<char>,
}

/// How mail for a local domain is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deliver {
    /// Into a Maildir of this machine.
    Maildir(MaildirTemplate),
    /// To an LMTP server. (RFC 2033)
    Lmtp(NextHop),
    /// To an SMTP server that has the mailboxes.
    Relay(NextHop),
}

/// Where one address goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Into a mailbox of a local domain.
    Mailbox {
        /// The domain.
        domain: Domain,
        /// The mailbox: lower case, the tag removed.
        user: Box<str>,
        /// How.
        deliver: Deliver,
    },
    /// To other addresses; [`Router::expand`] follows them.
    Alias(Vec<Address>),
    /// Nowhere: a local domain without this mailbox.
    UnknownMailbox,
    /// To a configured server.
    NextHop(NextHop),
    /// To the MX hosts of a domain.
    ByMx(Domain),
    /// To the host at this address.
    Literal(IpAddr),
}

/// One address that an address stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub address: Address,
    /// Where it goes: never [`Route::Alias`]. [`Route::UnknownMailbox`] where an alias leads to none.
    pub route: Route,
}

/// An alias that does not come to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AliasLoop {
    /// An alias leads back to itself by way of another.
    Circle {
        /// The address met twice.
        address: Address,
    },
    /// An alias stands for more than [`MAX_EXPANSION`] addresses, or through a chain of more than
    /// [`MAX_ALIAS_DEPTH`] aliases.
    TooBig {
        /// The address that was expanded.
        address: Address,
    },
}

/// Answers where mail goes. Two are equal if they give the same answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Router {
    config: Config,
}

impl Router {
    /// A router.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        config
            .routes
            .sort_by_key(|rule| std::cmp::Reverse(rule.pattern.weight()));
        Self { config }
    }

    /// Whether mail for `host` ends here: a local domain, the hostname, or an address of ours.
    #[must_use]
    pub fn is_local(&self, host: &Host) -> bool {
        self.local_domain(host).is_some()
    }

    /// Whether this client may send anywhere.
    #[must_use]
    pub fn may_relay(&self, client: IpAddr) -> bool {
        let networks = &self.config.relay_networks;
        networks.iter().any(|network| network.contains(client))
    }

    /// Whether mail for this domain is relayed for everybody.
    #[must_use]
    pub fn is_relay_domain(&self, domain: &Domain) -> bool {
        let patterns = &self.config.relay_domains;
        patterns.iter().any(|pattern| pattern.matches(domain))
    }

    /// Whether mail for the postmaster of this server reaches somebody; RFC 5321 §4.5.1 wants it.
    #[must_use]
    pub fn has_postmaster(&self) -> bool {
        let Ok(local) = LocalPart::new(POSTMASTER) else {
            return false;
        };
        let address = Address::new(local, Host::Domain(self.config.hostname.clone()));
        let reached = |target: &Target| target.route != Route::UnknownMailbox;
        self.expand(&address)
            .is_ok_and(|targets| targets.iter().any(reached))
    }

    /// Every alias, as an address, to be checked with [`Router::expand`] when the configuration is read.
    pub fn aliases(&self) -> impl Iterator<Item = Address> + '_ {
        self.config.domains.iter().flat_map(|(domain, local)| {
            local.aliases.keys().filter_map(|name| {
                let local = LocalPart::new(name).ok()?;
                Some(Address::new(local, Host::Domain(domain.clone())))
            })
        })
    }

    /// Where an address goes, one step.
    #[must_use]
    pub fn route(&self, address: &Address) -> Route {
        match self.local_domain(address.host()) {
            Some(domain) => self.route_local(domain, address.local().as_str()),
            None => self.route_elsewhere(address.host()),
        }
    }

    /// The addresses that `address` stands for, aliases followed to their end, each once; itself if it is no
    /// alias.
    ///
    /// # Errors
    /// [`AliasLoop`].
    pub fn expand(&self, address: &Address) -> Result<Vec<Target>, AliasLoop> {
        let mut expansion = Expansion {
            router: self,
            seen: BTreeSet::new(),
            path: Vec::new(),
            targets: Vec::new(),
        };
        expansion.visit(address)?;
        Ok(expansion.targets)
    }

    /// The queue in which mail for `host` waits. Recipients of a local domain are delivered by the domain's
    /// way, so the host alone decides.
    #[must_use]
    pub fn destination(&self, host: &Host) -> Destination {
        let Some(domain) = self.local_domain(host) else {
            return match (self.rule(host), host) {
                (Some(hop), _) => Destination::Relay(hop.clone()),
                (None, Host::Literal(ip)) => Destination::Literal(*ip),
                (None, Host::Domain(domain)) => Destination::Mx(domain.clone()),
            };
        };
        let local = self.config.domains.get(domain);
        match local.map(|local| &local.deliver) {
            Some(Deliver::Lmtp(hop)) => Destination::Lmtp(hop.clone()),
            Some(Deliver::Relay(hop)) => Destination::Relay(hop.clone()),
            Some(Deliver::Maildir(_)) | None => Destination::Maildir(domain.clone()),
        }
    }

    /// What of the configuration decides where mail for `host` goes, for whoever asks why.
    #[must_use]
    pub fn rule_of(&self, host: &Host) -> RouteTakenBy {
        let Some(domain) = self.local_domain(host) else {
            return match (self.matching(host), host) {
                (Some(rule), _) => RouteTakenBy::Route {
                    pattern: rule.pattern.to_string().into(),
                    hop: rule.next_hop.to_string().into(),
                },
                (None, Host::Literal(_)) => RouteTakenBy::Literal(host.to_string().into()),
                (None, Host::Domain(domain)) => RouteTakenBy::Mx(domain.as_str().into()),
            };
        };
        let local = self.config.domains.get(domain);
        match local.map(|local| &local.deliver) {
            Some(Deliver::Lmtp(hop) | Deliver::Relay(hop)) => RouteTakenBy::Deliver {
                domain: domain.as_str().into(),
                hop: hop.to_string().into(),
            },
            Some(Deliver::Maildir(_)) | None => RouteTakenBy::Maildir(domain.as_str().into()),
        }
    }

    /// The local domain that `host` means, if it is one.
    fn local_domain<'a>(&'a self, host: &'a Host) -> Option<&'a Domain> {
        let hostname = &self.config.hostname;
        match host {
            Host::Domain(domain) => {
                let local = domain == hostname || self.config.domains.contains_key(domain);
                local.then_some(domain)
            }
            Host::Literal(ip) => {
                let ip = ip.to_canonical();
                let mut own = self.config.addresses.iter();
                own.any(|own| own.to_canonical() == ip).then_some(hostname)
            }
        }
    }

    fn route_elsewhere(&self, host: &Host) -> Route {
        match (self.rule(host), host) {
            (Some(hop), _) => Route::NextHop(hop.clone()),
            (None, Host::Literal(ip)) => Route::Literal(*ip),
            (None, Host::Domain(domain)) => Route::ByMx(domain.clone()),
        }
    }

    /// The configured next hop for `host`.
    fn rule(&self, host: &Host) -> Option<&NextHop> {
        self.matching(host).map(|rule| &rule.next_hop)
    }

    /// The rule for `host`: rules are sorted, the most exact pattern first. Only `*` is for address literals.
    fn matching(&self, host: &Host) -> Option<&RouteRule> {
        let mut rules = self.config.routes.iter();
        rules.find(|rule| match host {
            Host::Domain(domain) => rule.pattern.matches(domain),
            Host::Literal(_) => rule.pattern == Pattern::Any,
        })
    }

    fn route_local(&self, domain: &Domain, local_part: &str) -> Route {
        let name = local_part.to_lowercase();
        let Some(local) = self.config.domains.get(domain) else {
            // The hostname, without mailboxes of its own.
            return if name == POSTMASTER {
                self.postmaster_of_hostname()
            } else {
                Route::UnknownMailbox
            };
        };
        let base = local.without_tag(&name);
        for name in [name.as_str(), base] {
            if let Some(addresses) = local.aliases.get(name) {
                return Route::Alias(addresses.clone());
            }
            if local
                .users
                .as_ref()
                .is_some_and(|users| users.contains(name))
            {
                return local.mailbox(domain, name);
            }
        }
        if base == POSTMASTER {
            return match &self.config.postmaster {
                Some(address) if !is_address(address, POSTMASTER, domain) => {
                    Route::Alias(vec![address.clone()])
                }
                Some(_) | None => local.mailbox(domain, POSTMASTER),
            };
        }
        match (&local.users, &local.catch_all) {
            (None, _) => local.mailbox(domain, base),
            (Some(_), Some(address)) => Route::Alias(vec![address.clone()]),
            (Some(_), None) => Route::UnknownMailbox,
        }
    }

    /// The configured postmaster, or that of the first local domain.
    fn postmaster_of_hostname(&self) -> Route {
        let of_first_domain = || {
            let domain = self.config.domains.keys().next()?;
            let local = LocalPart::new(POSTMASTER).ok()?;
            Some(Address::new(local, Host::Domain(domain.clone())))
        };
        match self.config.postmaster.clone().or_else(of_first_domain) {
            Some(address) => Route::Alias(vec![address]),
            None => Route::UnknownMailbox,
        }
    }

    /// The mailbox behind an alias that names itself.
    fn mailbox_behind(&self, address: &Address) -> Option<Route> {
        let domain = self.local_domain(address.host())?;
        let local = self.config.domains.get(domain)?;
        let name = address.local().as_str().to_lowercase();
        let exists = local
            .users
            .as_ref()
            .is_none_or(|users| users.contains(&name));
        exists.then(|| local.mailbox(domain, &name))
    }

    /// One form for every spelling of an address: a local part of ours in lower case, at a domain of ours.
    fn canonical(&self, address: &Address) -> Address {
        let Some(domain) = self.local_domain(address.host()) else {
            return address.clone();
        };
        let lower = LocalPart::new(&address.local().as_str().to_lowercase());
        let local = lower.unwrap_or_else(|_| address.local().clone());
        Address::new(local, Host::Domain(domain.clone()))
    }
}

impl LocalDomain {
    /// A domain with this delivery, where every name is a mailbox and `+` separates a tag.
    #[must_use]
    pub const fn new(deliver: Deliver) -> Self {
        Self {
            deliver,
            users: None,
            aliases: BTreeMap::new(),
            catch_all: None,
            tag_delimiter: Some('+'),
        }
    }

    fn without_tag<'a>(&self, name: &'a str) -> &'a str {
        let split = self.tag_delimiter.and_then(|mark| name.split_once(mark));
        match split {
            Some((base, _)) if !base.is_empty() => base,
            Some(_) | None => name,
        }
    }

    fn mailbox(&self, domain: &Domain, user: &str) -> Route {
        let exists = match &self.deliver {
            Deliver::Maildir(template) => template.path(domain, user).is_some(),
            Deliver::Lmtp(_) | Deliver::Relay(_) => true,
        };
        if !exists {
            return Route::UnknownMailbox;
        }
        Route::Mailbox {
            domain: domain.clone(),
            user: user.into(),
            deliver: self.deliver.clone(),
        }
    }
}

impl Config {
    /// A server of this name, without local domains, that relays for nobody.
    #[must_use]
    pub const fn new(hostname: Domain) -> Self {
        Self {
            hostname,
            addresses: BTreeSet::new(),
            postmaster: None,
            domains: BTreeMap::new(),
            relay_domains: Vec::new(),
            relay_networks: Vec::new(),
            routes: Vec::new(),
        }
    }
}

fn is_address(address: &Address, local: &str, domain: &Domain) -> bool {
    address.domain() == Some(domain) && address.local().as_str().eq_ignore_ascii_case(local)
}

/// One run of [`Router::expand`].
struct Expansion<'a> {
    router: &'a Router,
    seen: BTreeSet<Address>,
    path: Vec<Address>,
    targets: Vec<Target>,
}

impl Expansion<'_> {
    fn visit(&mut self, address: &Address) -> Result<(), AliasLoop> {
        let key = self.router.canonical(address);
        if self.path.last() == Some(&key) {
            return match self.router.mailbox_behind(&key) {
                Some(route) => self.add(address, route),
                None => Err(self.circle(address)),
            };
        }
        if self.path.contains(&key) {
            return Err(self.circle(address));
        }
        if !self.seen.insert(key.clone()) {
            return Ok(());
        }
        match self.router.route(address) {
            Route::Alias(addresses) => {
                if self.path.len() == MAX_ALIAS_DEPTH {
                    return Err(self.too_big(address));
                }
                self.path.push(key);
                for next in &addresses {
                    self.visit(next)?;
                }
                self.path.pop();
                Ok(())
            }
            route @ (Route::Mailbox { .. }
            | Route::UnknownMailbox
            | Route::NextHop(_)
            | Route::ByMx(_)
            | Route::Literal(_)) => self.add(address, route),
        }
    }

    fn add(&mut self, address: &Address, route: Route) -> Result<(), AliasLoop> {
        if self.targets.len() == MAX_EXPANSION {
            return Err(self.too_big(address));
        }
        let address = address.clone();
        self.targets.push(Target { address, route });
        Ok(())
    }

    fn circle(&self, address: &Address) -> AliasLoop {
        AliasLoop::Circle {
            address: address.clone(),
        }
    }

    fn too_big(&self, address: &Address) -> AliasLoop {
        AliasLoop::TooBig {
            address: self.path.first().unwrap_or(address).clone(),
        }
    }
}

impl fmt::Display for AliasLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle { address } => write!(f, "the alias {address} leads back to itself"),
            Self::TooBig { address } => write!(
                f,
                "the alias {address} stands for more than {MAX_EXPANSION} addresses, or through more than {MAX_ALIAS_DEPTH} others"
            ),
        }
    }
}

impl std::error::Error for AliasLoop {}

#[cfg(test)]
mod tests;
