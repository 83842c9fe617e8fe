//! `[domains]` and `[[route]]`: where mail ends here, and where it goes instead of MX.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use facteur_mail::{Address, Domain, Host};
use facteur_replies::Language;
use facteur_route::{
    DEFAULT_LMTP_PORT, DEFAULT_SMTP_PORT, Deliver, LocalDomain, MaildirTemplate, Network, NextHop,
    Pattern, RouteRule,
};

use crate::config::problem::{Expected, Fault, Problem};
use crate::config::section::{self, Section};

/// The widest IPv4 network that may relay, as a prefix length: wider ones are strangers.
const WIDEST_V4: u32 = 8;

/// The widest IPv6 network that may relay, as a prefix length.
const WIDEST_V6: u32 = 16;

/// Whether a network is so wide that relaying for it is relaying for everybody.
pub(super) const fn is_everybody(network: &Network) -> bool {
    match network.address() {
        IpAddr::V4(_) => network.prefix() < WIDEST_V4,
        IpAddr::V6(_) => network.prefix() < WIDEST_V6,
    }
}

/// The domain of the configuration without a file: `localhost`, in Maildirs below the data directory.
pub(super) fn default_domain(data_dir: &Path) -> Option<LocalDomain> {
    let template = data_dir.join("mail").join("{user}");
    Some(LocalDomain {
        deliver: Deliver::Maildir(MaildirTemplate::parse(template.to_str()?).ok()?),
        users: None,
        aliases: BTreeMap::new(),
        catch_all: None,
        tag_delimiter: Some('+'),
    })
}

/// `[domains]`, and the language of reports to senders of each.
pub(super) fn local_domains(
    root: &mut Section<'_, '_>,
) -> (BTreeMap<Domain, LocalDomain>, BTreeMap<Domain, Language>) {
    let mut domains = BTreeMap::new();
    let mut languages = BTreeMap::new();
    root.entries("domains", |name, item, problems| {
        let Some(domain) = section::domain(name.value) else {
            let fault = Fault::BadValue {
                value: name.value.to_owned(),
                expected: Expected::Domain,
            };
            return problems.push(Problem {
                span: name.span,
                fault,
            });
        };
        Section::entry(&name, item, problems, |entry| {
            let deliver = entry.required("deliver", Expected::Deliver, deliver);
            let language = entry.parsed("language", Expected::Language, Language::negotiate);
            let local = LocalDomain {
                deliver: match deliver {
                    Some(deliver) => deliver.value,
                    // A problem has been noted: the configuration is not used.
                    None => Deliver::Relay(NextHop::Unix(std::path::PathBuf::new())),
                },
                users: users(entry),
                aliases: aliases(entry, &domain),
                catch_all: catch_all(entry, &domain),
                tag_delimiter: tag_delimiter(entry),
            };
            if let Some(language) = language {
                languages.insert(domain.clone(), language.value);
            }
            domains.insert(domain, local);
        });
    });
    (domains, languages)
}

fn users(entry: &mut Section<'_, '_>) -> Option<BTreeSet<String>> {
    let users = entry.list("users", Expected::User, |user| {
        let fits = !user.is_empty() && !user.contains('@') && !user.chars().any(char::is_control);
        fits.then(|| user.to_lowercase())
    })?;
    Some(users.into_iter().map(|at| at.value).collect())
}

fn aliases(entry: &mut Section<'_, '_>, domain: &Domain) -> BTreeMap<String, Vec<Address>> {
    let mut aliases = BTreeMap::new();
    entry.entries("aliases", |name, item, problems| {
        let targets = section::parse_list(
            item,
            name.value,
            Expected::Address,
            |text| local_or_full(text, domain),
            problems,
        );
        let targets: Vec<Address> = targets.into_iter().map(|at| at.value).collect();
        if !targets.is_empty() {
            aliases.insert(name.value.to_lowercase(), targets);
        }
    });
    aliases
}

fn catch_all(entry: &mut Section<'_, '_>, domain: &Domain) -> Option<Address> {
    entry
        .parsed("catch_all", Expected::Address, |text| {
            local_or_full(text, domain)
        })
        .map(|at| at.value)
}

/// An address, or a name of the domain itself.
fn local_or_full(text: &str, domain: &Domain) -> Option<Address> {
    if text.contains('@') {
        return section::address(text);
    }
    let local = facteur_mail::LocalPart::new(text).ok()?;
    Some(Address::new(local, Host::Domain(domain.clone())))
}

/// One character; an empty text switches tags off.
fn tag_delimiter(entry: &mut Section<'_, '_>) -> Option<char> {
    let delimiter = entry.parsed("tag_delimiter", Expected::Delimiter, |text| {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (None, _) => Some(None),
            (Some(c), None) if c.is_ascii_punctuation() && c != '@' => Some(Some(c)),
            (Some(_), _) => None,
        }
    });
    delimiter.map_or(Some('+'), |at| at.value)
}

/// `maildir:PATH`, `lmtp:HOST:PORT`, `lmtp:/path`, `relay:HOST:PORT`.
fn deliver(text: &str) -> Option<Deliver> {
    let (how, place) = text.split_once(':')?;
    match how {
        "maildir" => MaildirTemplate::parse(place).ok().map(Deliver::Maildir),
        "lmtp" => NextHop::parse(place, DEFAULT_LMTP_PORT)
            .ok()
            .map(Deliver::Lmtp),
        "relay" => NextHop::parse(place, DEFAULT_SMTP_PORT)
            .ok()
            .map(Deliver::Relay),
        _ => None,
    }
}

/// `[[route]]`.
pub(super) fn routes(root: &mut Section<'_, '_>) -> Vec<RouteRule> {
    let mut routes: Vec<RouteRule> = Vec::new();
    root.tables("route", |route| {
        let pattern = route.required("match", Expected::Pattern, |text| Pattern::parse(text).ok());
        let next_hop = route.required("next_hop", Expected::NextHop, |text| {
            NextHop::parse(text, DEFAULT_SMTP_PORT).ok()
        });
        let (Some(pattern), Some(next_hop)) = (pattern, next_hop) else {
            return;
        };
        if routes.iter().any(|known| known.pattern == pattern.value) {
            return route.problem(
                pattern.span,
                Fault::Twice {
                    what: pattern.value.to_string(),
                },
            );
        }
        routes.push(RouteRule {
            pattern: pattern.value,
            next_hop: next_hop.value,
        });
    });
    routes
}

/// For `[relay] domains`: a domain, or `*.domain`; `*` alone would be an open relay.
pub(super) fn relay_domain(text: &str) -> Result<Pattern, Fault> {
    match Pattern::parse(text) {
        Ok(Pattern::Any) => Err(Fault::OpenRelayDomain {
            domain: text.to_owned(),
        }),
        Ok(pattern @ (Pattern::Below(_) | Pattern::Exactly(_))) => Ok(pattern),
        Err(_) => Err(Fault::BadValue {
            value: text.to_owned(),
            expected: Expected::Pattern,
        }),
    }
}
