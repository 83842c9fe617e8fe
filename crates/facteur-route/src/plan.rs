//! The MX plan: which hosts take a domain's mail, in which order, or why none does. Pure functions over DNS
//! answers; RFC 5321 §5.1 and RFC 7505 are decided here and nowhere else.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};

use facteur_mail::{Domain, Host, Random};
use facteur_replies::Reply;

use crate::policy::{Policy, Refused};
use crate::resolver::{Answer, DnsFailure, Exchange, Found, MxRecord};

/// The most hosts of a plan.
pub const MAX_HOSTS: usize = 5;

/// The most MX hosts whose addresses are asked for: with two questions each and one for MX, a plan costs 19
/// questions at most.
pub const MAX_LOOKUPS: usize = 9;

/// The most addresses of one host.
pub const MAX_ADDRESSES_PER_HOST: usize = 8;

/// Where a domain's mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// To these hosts, the first one first; never empty.
    Hosts {
        /// At most [`MAX_HOSTS`], by preference, in random order among equals.
        hosts: Vec<MailHost>,
        /// What is wrong with the records nevertheless.
        findings: Vec<Finding>,
    },
    /// Nowhere: the domain says that it takes no mail. (RFC 7505 §3)
    NullMx {
        /// How the null MX departs from the standard, if it does.
        findings: Vec<Finding>,
    },
    /// Nowhere: the domain does not exist.
    NoSuchDomain,
    /// Nowhere: nothing that DNS gives can be used.
    Unroutable {
        /// Why, host by host.
        findings: Vec<Finding>,
    },
    /// Back to this server, which has no mailboxes for the domain.
    RoutesToUs {
        /// By which host.
        findings: Vec<Finding>,
    },
    /// Not known: DNS gave no answer to rely on.
    TryLater(DnsFailure),
}

/// One host of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailHost {
    /// Its name, or the address literal that named it.
    pub name: Host,
    /// The preference of its MX record; 0 where there is none.
    pub preference: u16,
    /// Its addresses, in the order to try; never empty, at most [`MAX_ADDRESSES_PER_HOST`].
    pub addresses: Vec<IpAddr>,
    /// Whether it is the domain itself, which has no MX record. (RFC 5321 §5.1)
    pub implicit: bool,
}

/// Something that is wrong with a domain's records, or that kept a host from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A null MX is not the only MX record: it is ignored where a real host stands beside it. (RFC 7505 §3)
    MalformedNullMx,
    /// A null MX with a preference other than 0. (RFC 7505 §3)
    NullMxPreference(u16),
    /// An MX points to an IP address, not to a name.
    MxIsAddress(Ipv4Addr),
    /// An MX points to what no host is called; a stranger's text.
    UnusableMx(Box<str>),
    /// An MX points to an alias. (RFC 2181 §10.3)
    MxIsAlias {
        /// The name in the MX record.
        host: Domain,
        /// What it is an alias of.
        alias_of: Domain,
    },
    /// An MX points to a name that does not exist.
    MxDoesNotExist(Domain),
    /// An MX points to a name without an address.
    MxWithoutAddress(Domain),
    /// The addresses of an MX could not be learnt.
    MxLookupFailed {
        /// The host.
        host: Domain,
        /// Why.
        failure: DnsFailure,
    },
    /// An MX is never used because of its name.
    MxNameRefused {
        /// The host.
        host: Domain,
        /// Why.
        why: Refused,
    },
    /// An address of an MX is never used.
    MxAddressRefused {
        /// The host.
        host: Domain,
        /// The address.
        address: IpAddr,
        /// Why.
        why: Refused,
    },
    /// There are more MX hosts than are tried; so many are left out.
    TooManyMx(usize),
}

/// Everything DNS was asked for one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The MX records of the domain.
    pub mx: Answer<MxRecord>,
    /// The addresses of the hosts asked for. A missing host counts as [`DnsFailure::Overloaded`].
    pub addresses: BTreeMap<Domain, Answer<IpAddr>>,
}

/// Decides where mail for `domain` goes. `random` orders hosts of equal preference. (RFC 5321 §5.1)
#[must_use]
pub fn decide(domain: &Domain, answers: &Answers, policy: &Policy, random: &dyn Random) -> Plan {
    match Candidates::read(domain, &answers.mx, policy, random) {
        Ok(candidates) => candidates.decide(&answers.addresses, policy),
        Err(plan) => plan,
    }
}

impl Plan {
    /// What to say of mail that has nowhere to go, or not now; `None` if there are hosts. `to` is the domain
    /// or the address literal.
    #[must_use]
    pub fn refusal(&self, to: &impl Display) -> Option<Reply> {
        match self {
            Self::Hosts { .. } => None,
            Self::NullMx { .. } => Some(Reply::null_mx(to)),
            Self::NoSuchDomain => Some(Reply::domain_unknown(to)),
            Self::Unroutable { .. } => Some(Reply::unroutable(to)),
            Self::RoutesToUs { .. } => Some(Reply::routes_to_us(to)),
            Self::TryLater(_) => Some(Reply::dns_failure(to)),
        }
    }

    /// What is wrong with the domain's records.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Hosts { findings, .. }
            | Self::NullMx { findings }
            | Self::Unroutable { findings }
            | Self::RoutesToUs { findings } => findings,
            Self::NoSuchDomain | Self::TryLater(_) => &[],
        }
    }

    /// The stable name, for logs and JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hosts { .. } => "hosts",
            Self::NullMx { .. } => "null-mx",
            Self::NoSuchDomain => "no-such-domain",
            Self::Unroutable { .. } => "unroutable",
            Self::RoutesToUs { .. } => "routes-to-us",
            Self::TryLater(_) => "try-later",
        }
    }

    /// A plan for an address literal. (RFC 5321 §4.1.3)
    pub(crate) fn of_literal(ip: IpAddr, policy: &Policy) -> Self {
        match policy.refuses(ip) {
            None => Self::of_configured_literal(ip),
            Some(why) if why.is_this_machine() => Self::RoutesToUs {
                findings: Vec::new(),
            },
            Some(_) => Self::Unroutable {
                findings: Vec::new(),
            },
        }
    }

    /// A plan for an address that the operator wrote: no policy applies.
    pub(crate) fn of_configured_literal(ip: IpAddr) -> Self {
        Self::single(Host::Literal(ip), vec![ip])
    }

    /// A plan for a host that the operator wrote: no policy applies, and mail waits for it.
    pub(crate) fn of_configured_host(name: &Domain, addresses: &Answer<IpAddr>) -> Self {
        match addresses {
            Answer::Found(found) => {
                Self::single(Host::Domain(name.clone()), in_order(&found.records))
            }
            Answer::NoRecords | Answer::NoSuchDomain => Self::TryLater(DnsFailure::NextHopUnknown),
            Answer::Failed(failure) => Self::TryLater(*failure),
        }
    }

    fn single(name: Host, addresses: Vec<IpAddr>) -> Self {
        Self::Hosts {
            hosts: vec![MailHost {
                name,
                preference: 0,
                addresses,
                implicit: false,
            }],
            findings: Vec::new(),
        }
    }
}

impl Finding {
    /// The stable name, for logs, history and explanations.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MalformedNullMx => "malformed-null-mx",
            Self::NullMxPreference(_) => "null-mx-preference",
            Self::MxIsAddress(_) => "mx-is-address",
            Self::UnusableMx(_) => "unusable-mx",
            Self::MxIsAlias { .. } => "mx-is-alias",
            Self::MxDoesNotExist(_) => "mx-does-not-exist",
            Self::MxWithoutAddress(_) => "mx-without-address",
            Self::MxLookupFailed { .. } => "mx-lookup-failed",
            Self::MxNameRefused { .. } => "mx-name-refused",
            Self::MxAddressRefused { .. } => "mx-address-refused",
            Self::TooManyMx(_) => "too-many-mx",
        }
    }

    /// The host and the value that a sentence about it needs, empty where it needs none; a stranger's texts.
    #[must_use]
    pub fn subject(&self) -> (String, String) {
        let none = String::new;
        match self {
            Self::MalformedNullMx => (none(), none()),
            Self::NullMxPreference(preference) => (none(), preference.to_string()),
            Self::MxIsAddress(ip) => (ip.to_string(), none()),
            Self::UnusableMx(name) => (name.to_string(), none()),
            Self::MxIsAlias { host, alias_of } => (host.to_string(), alias_of.to_string()),
            Self::MxDoesNotExist(host) | Self::MxWithoutAddress(host) => (host.to_string(), none()),
            Self::MxLookupFailed { host, failure } => (host.to_string(), failure.name().to_owned()),
            Self::MxNameRefused { host, why } => (host.to_string(), why.name().to_owned()),
            Self::MxAddressRefused { host, address, .. } => (host.to_string(), address.to_string()),
            Self::TooManyMx(count) => (none(), count.to_string()),
        }
    }
}

/// The hosts that may be in the plan, in order, before their addresses are known.
#[derive(Debug)]
pub(crate) struct Candidates {
    hosts: Vec<Candidate>,
    implicit: bool,
    /// Hosts that lead to this machine by their names.
    turned_back: usize,
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Candidate {
    preference: u16,
    host: Domain,
}

impl Candidates {
    /// Reads the answer for MX; an error is a plan that needs no more questions.
    pub(crate) fn read(
        domain: &Domain,
        mx: &Answer<MxRecord>,
        policy: &Policy,
        random: &dyn Random,
    ) -> Result<Self, Plan> {
        let mut candidates = match mx {
            Answer::Found(found) => Self::of_records(found, random)?,
            Answer::NoRecords => Self::implicit(domain),
            Answer::NoSuchDomain => return Err(Plan::NoSuchDomain),
            Answer::Failed(failure) => return Err(Plan::TryLater(*failure)),
        };
        candidates.turn_back_names(policy);
        let left_out = candidates.hosts.len().saturating_sub(MAX_LOOKUPS);
        if left_out > 0 {
            candidates.hosts.truncate(MAX_LOOKUPS);
            candidates.findings.push(Finding::TooManyMx(left_out));
        }
        Ok(candidates)
    }

    /// The hosts whose addresses are needed, each once.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &Domain> {
        self.hosts.iter().map(|candidate| &candidate.host)
    }

    fn implicit(domain: &Domain) -> Self {
        Self {
            hosts: vec![Candidate {
                preference: 0,
                host: domain.clone(),
            }],
            implicit: true,
            turned_back: 0,
            findings: Vec::new(),
        }
    }

    fn of_records(found: &Found<MxRecord>, random: &dyn Random) -> Result<Self, Plan> {
        let mut findings = Vec::new();
        let mut hosts = Vec::new();
        let mut roots = Vec::new();
        for MxRecord {
            preference,
            exchange,
        } in &found.records
        {
            let preference = *preference;
            match exchange {
                Exchange::Root => roots.push(preference),
                Exchange::Host(host) => hosts.push(Candidate {
                    preference,
                    host: host.clone(),
                }),
                Exchange::Address(ip) => findings.push(Finding::MxIsAddress(*ip)),
                Exchange::Unusable(text) => findings.push(Finding::UnusableMx(text.clone())),
            }
        }
        if !roots.is_empty() && found.records.len() > 1 {
            findings.push(Finding::MalformedNullMx);
        }
        if !roots.is_empty() && hosts.is_empty() {
            let odd = roots.into_iter().filter(|preference| *preference != 0);
            findings.extend(odd.map(Finding::NullMxPreference));
            return Err(Plan::NullMx { findings });
        }
        Ok(Self {
            hosts: ordered(hosts, random),
            implicit: false,
            turned_back: 0,
            findings,
        })
    }

    /// Leaves out the hosts whose names are refused. If this server is one of them, every host of equal or
    /// worse preference goes too: mail moves closer to its end or not at all. (RFC 5321 §5.1)
    fn turn_back_names(&mut self, policy: &Policy) {
        let mut limit = None;
        let mut kept = Vec::new();
        for candidate in std::mem::take(&mut self.hosts) {
            let Some(why) = policy.refuses_name(&candidate.host) else {
                kept.push(candidate);
                continue;
            };
            if why == Refused::Ourselves {
                limit = limit.or(Some(candidate.preference));
            }
            self.turned_back += 1;
            self.findings.push(Finding::MxNameRefused {
                host: candidate.host,
                why,
            });
        }
        kept.retain(|candidate| limit.is_none_or(|limit| candidate.preference < limit));
        self.hosts = kept;
    }

    /// The plan, with the addresses of [`Candidates::hosts`].
    pub(crate) fn decide(
        self,
        addresses: &BTreeMap<Domain, Answer<IpAddr>>,
        policy: &Policy,
    ) -> Plan {
        let unasked = Answer::Failed(DnsFailure::Overloaded);
        let mut weighed = Vec::new();
        for candidate in self.hosts {
            let answer = addresses.get(&candidate.host).unwrap_or(&unasked);
            if self.implicit && *answer == Answer::NoSuchDomain {
                return Plan::NoSuchDomain;
            }
            weighed.push(Weighed::new(candidate, answer, policy));
        }
        turn_back_addresses(&mut weighed);

        let mut findings = self.findings;
        let mut hosts = Vec::new();
        let mut this_machine = self.turned_back > 0;
        let mut elsewhere = false;
        let mut failure = None;
        for host in weighed {
            findings.extend(host.findings);
            match host.fate {
                Fate::Usable(addresses) => hosts.push(MailHost {
                    name: Host::Domain(host.candidate.host),
                    preference: host.candidate.preference,
                    addresses,
                    implicit: self.implicit,
                }),
                Fate::Ourselves | Fate::ThisMachine => this_machine = true,
                Fate::Nowhere => elsewhere = true,
                Fate::Unknown(why) => failure = failure.or(Some(why)),
            }
        }
        let left_out = hosts.len().saturating_sub(MAX_HOSTS);
        if left_out > 0 {
            hosts.truncate(MAX_HOSTS);
            findings.push(Finding::TooManyMx(left_out));
        }
        match failure {
            _ if !hosts.is_empty() => Plan::Hosts { hosts, findings },
            Some(failure) => Plan::TryLater(failure),
            None if this_machine && !elsewhere => Plan::RoutesToUs { findings },
            None => Plan::Unroutable { findings },
        }
    }
}

/// As [`Candidates::turn_back_names`], now that the addresses are known.
fn turn_back_addresses(weighed: &mut Vec<Weighed>) {
    let own = weighed.iter().filter(|host| host.fate == Fate::Ourselves);
    let Some(limit) = own.map(|host| host.candidate.preference).min() else {
        return;
    };
    weighed.retain(|host| host.candidate.preference < limit || host.fate == Fate::Ourselves);
}

/// A candidate with what its addresses make of it.
struct Weighed {
    candidate: Candidate,
    fate: Fate,
    findings: Vec<Finding>,
}

#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// Some addresses may be used.
    Usable(Vec<IpAddr>),
    /// One of its addresses is ours.
    Ourselves,
    /// Its addresses lead to this machine.
    ThisMachine,
    /// It has no address, or nobody's.
    Nowhere,
    /// Its addresses are not known.
    Unknown(DnsFailure),
}

impl Weighed {
    fn new(candidate: Candidate, answer: &Answer<IpAddr>, policy: &Policy) -> Self {
        let mut findings = Vec::new();
        let host = &candidate.host;
        let fate = match answer {
            Answer::Found(found) => {
                if let Some(alias_of) = &found.alias_of {
                    findings.push(Finding::MxIsAlias {
                        host: host.clone(),
                        alias_of: alias_of.clone(),
                    });
                }
                Self::weigh(host, &found.records, policy, &mut findings)
            }
            Answer::NoRecords => {
                findings.push(Finding::MxWithoutAddress(host.clone()));
                Fate::Nowhere
            }
            Answer::NoSuchDomain => {
                findings.push(Finding::MxDoesNotExist(host.clone()));
                Fate::Nowhere
            }
            Answer::Failed(failure) => {
                findings.push(Finding::MxLookupFailed {
                    host: host.clone(),
                    failure: *failure,
                });
                Fate::Unknown(*failure)
            }
        };
        Self {
            candidate,
            fate,
            findings,
        }
    }

    fn weigh(
        host: &Domain,
        records: &[IpAddr],
        policy: &Policy,
        findings: &mut Vec<Finding>,
    ) -> Fate {
        let mut usable = Vec::new();
        let mut reasons = Vec::new();
        for ip in records {
            let Some(why) = policy.refuses(*ip) else {
                usable.push(*ip);
                continue;
            };
            reasons.push(why);
            findings.push(Finding::MxAddressRefused {
                host: host.clone(),
                address: *ip,
                why,
            });
        }
        if reasons.contains(&Refused::Ourselves) {
            Fate::Ourselves
        } else if !usable.is_empty() {
            Fate::Usable(in_order(&usable))
        } else if reasons.into_iter().any(Refused::is_this_machine) {
            Fate::ThisMachine
        } else {
            Fate::Nowhere
        }
    }
}

/// By preference, in random order among equals, each host once with its best preference.
fn ordered(mut hosts: Vec<Candidate>, random: &dyn Random) -> Vec<Candidate> {
    for last in (1..hosts.len()).rev() {
        let bound = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let other = usize::try_from(random.below(bound)).unwrap_or(last);
        hosts.swap(other.min(last), last);
    }
    hosts.sort_by_key(|candidate| candidate.preference);
    let mut seen = std::collections::BTreeSet::new();
    hosts.retain(|candidate| seen.insert(candidate.host.clone()));
    hosts
}

/// Addresses in the order to try: IPv4 and IPv6 in turn, each family in the resolver's order, each address
/// once. IPv4 first, since many servers refuse IPv6 clients for good over a missing PTR record.
fn in_order(records: &[IpAddr]) -> Vec<IpAddr> {
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = records
        .iter()
        .map(IpAddr::to_canonical)
        .partition(IpAddr::is_ipv4);
    let mut order = Vec::new();
    for place in 0..v4.len().max(v6.len()) {
        for ip in [v4.get(place), v6.get(place)].into_iter().flatten() {
            if !order.contains(ip) {
                order.push(*ip);
            }
        }
    }
    order.truncate(MAX_ADDRESSES_PER_HOST);
    order
}

#[cfg(test)]
mod tests;
