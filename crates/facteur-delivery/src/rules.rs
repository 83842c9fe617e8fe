//! Which limits hold for a destination, and whether it is paused: the configuration's rules and the operator's orders,
//! looked up without going through all of them.

use std::collections::HashMap;
use std::sync::Arc;

use facteur_mail::{Domain, Timestamp};
use facteur_route::{Destination, Pattern};

use crate::limits::{Limits, Order, Rule, Target, What, hop_domain};

/// What is in force.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    configured: Arc<[Rule]>,
    orders: Arc<[Order]>,
    limits: HashMap<Target, Limits>,
    pauses: HashMap<Target, Arc<Order>>,
    /// The names of mail servers that rules and orders are about.
    servers: Option<Arc<[Pattern]>>,
    /// When the next order ends.
    expires: Option<Timestamp>,
}

impl Rules {
    /// The configuration's rules, and those orders that have not ended.
    pub(crate) fn new(configured: Arc<[Rule]>, orders: Arc<[Order]>, now: Timestamp) -> Self {
        let mut limits: HashMap<Target, Limits> = HashMap::new();
        for rule in &*configured {
            limits.insert(rule.target.clone(), rule.limits.clone());
        }
        let mut pauses = HashMap::new();
        let mut expires = None;
        for order in &*orders {
            if order.until.is_some_and(|until| until <= now) {
                continue;
            }
            expires = [expires, order.until].into_iter().flatten().min();
            match &order.what {
                What::Pause => {
                    pauses.insert(order.target.clone(), Arc::new(order.clone()));
                }
                What::Limit(ordered) => {
                    let configured = limits.entry(order.target.clone()).or_default();
                    *configured = ordered.clone().within(configured);
                }
            }
        }
        let named = limits.keys().chain(pauses.keys());
        let servers: Vec<Pattern> = named
            .filter_map(|target| match target {
                Target::Mx(pattern) => Some(pattern.clone()),
                Target::Domain(_) | Target::Exactly(_) => None,
            })
            .collect();
        Self {
            limits,
            pauses,
            servers: (!servers.is_empty()).then(|| servers.into()),
            expires,
            configured,
            orders,
        }
    }

    /// The same without the orders that have ended by now.
    pub(crate) fn without_ended(&self, now: Timestamp) -> Self {
        Self::new(Arc::clone(&self.configured), Arc::clone(&self.orders), now)
    }

    /// The same orders under another configuration.
    pub(crate) fn configured(&self, configured: Vec<Rule>, now: Timestamp) -> Self {
        Self::new(configured.into(), Arc::clone(&self.orders), now)
    }

    /// The same configuration under other orders.
    pub(crate) fn ordered(&self, orders: Vec<Order>, now: Timestamp) -> Self {
        Self::new(Arc::clone(&self.configured), orders.into(), now)
    }

    /// When the next order ends.
    pub(crate) const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The names of mail servers that matter: whoever plans a delivery must say which of them it leads to.
    pub(crate) fn servers(&self) -> Option<Arc<[Pattern]>> {
        self.servers.clone()
    }

    /// The limits of one destination for itself.
    pub(crate) fn limits_of(&self, destination: &Destination) -> Limits {
        if self.limits.is_empty() {
            return Limits::default();
        }
        self.fold(names_of(destination))
    }

    /// The rule for all destinations that share one of these mail servers: the most exact one that fits.
    pub(crate) fn site_of(&self, hosts: &[Domain]) -> Option<Target> {
        self.servers.as_ref()?;
        let mut names = names_of_servers(hosts).into_iter();
        names.find(|name| self.limits.contains_key(name))
    }

    /// The limits of such a rule, and where it says nothing, those of the wider ones.
    pub(crate) fn limits_of_site(&self, site: &Target) -> Limits {
        let Target::Mx(pattern) = site else {
            return Limits::default();
        };
        let wider = match pattern {
            Pattern::Any => Vec::new(),
            Pattern::Exactly(name) | Pattern::Below(name) => patterns(name).skip(1).collect(),
        };
        let mut names = vec![site.clone()];
        names.extend(wider.into_iter().map(Target::Mx));
        names.push(Target::Mx(Pattern::Any));
        self.fold(names)
    }

    /// The order that pauses a destination: the most exact one that fits.
    pub(crate) fn pause_of(
        &self,
        destination: &Destination,
        hosts: &[Domain],
    ) -> Option<&Arc<Order>> {
        if self.pauses.is_empty() {
            return None;
        }
        let names = names_of(destination)
            .into_iter()
            .chain(names_of_servers(hosts));
        names
            .filter_map(|name| self.pauses.get(&name))
            .max_by_key(|order| order.target.exactness())
    }

    /// The limits under these names, each within the next.
    fn fold(&self, names: Vec<Target>) -> Limits {
        let found = names.iter().filter_map(|name| self.limits.get(name));
        found.fold(Limits::default(), Limits::within)
    }
}

/// Every target that fits a destination by its name, the most exact one first.
fn names_of(destination: &Destination) -> Vec<Target> {
    let mut names = vec![Target::Exactly(destination.clone())];
    match destination {
        Destination::Mx(domain) => names.extend(patterns(domain).map(Target::Domain)),
        Destination::Maildir(domain) => {
            names.push(Target::Domain(Pattern::Exactly(domain.clone())));
            return names;
        }
        Destination::Literal(_) | Destination::Relay(_) | Destination::Lmtp(_) => {
            let domain = hop_domain(destination);
            names.extend(domain.into_iter().flat_map(patterns).map(Target::Domain));
        }
    }
    names.push(Target::Domain(Pattern::Any));
    names
}

/// Every target that fits one of these mail servers, the most exact one first.
fn names_of_servers(hosts: &[Domain]) -> Vec<Target> {
    let mut names: Vec<Target> = hosts.iter().flat_map(patterns).map(Target::Mx).collect();
    names.push(Target::Mx(Pattern::Any));
    names.sort_by_key(|name| std::cmp::Reverse(name.exactness()));
    names.dedup();
    names
}

/// `a.b.test`, `*.b.test`, `*.test`.
fn patterns(domain: &Domain) -> impl Iterator<Item = Pattern> {
    let name = domain.as_str();
    let parents = name
        .match_indices('.')
        .filter_map(|(dot, _)| Domain::parse(name.get(dot + 1..)?).ok());
    std::iter::once(Pattern::Exactly(domain.clone())).chain(parents.map(Pattern::Below))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn mx(name: &str) -> Destination {
        Destination::Mx(domain(name))
    }

    fn messages(number: u32) -> Limits {
        Limits {
            messages_per_minute: NonZeroU32::new(number),
            ..Limits::default()
        }
    }

    fn rule(target: &str, limits: Limits) -> Rule {
        Rule {
            target: Target::parse(target).unwrap(),
            limits,
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().after(Duration::from_secs(seconds))
    }

    fn rules(configured: &[Rule], orders: &[Order], seconds: u64) -> Rules {
        Rules::new(configured.into(), orders.into(), at(seconds))
    }

    fn order(target: &str, what: What, until: Option<u64>) -> Order {
        Order {
            target: Target::parse(target).unwrap(),
            what,
            reason: "because".to_owned(),
            by: "root".to_owned(),
            since: Timestamp::default(),
            until: until.map(at),
        }
    }

    #[test]
    fn the_most_exact_rule_goes_first_key_by_key() {
        let connections = Limits {
            connections: NonZeroU32::new(7),
            ..messages(100)
        };
        let in_force = rules(
            &[
                rule("*", connections),
                rule("*.example", messages(10)),
                rule("a.example", messages(5)),
            ],
            &[],
            0,
        );
        for (name, number) in [
            ("a.example", 5),
            ("b.example", 10),
            ("c.b.example", 10),
            ("far.test", 100),
        ] {
            let limits = in_force.limits_of(&mx(name));
            assert_eq!(
                limits.messages_per_minute,
                NonZeroU32::new(number),
                "{name}"
            );
            assert_eq!(limits.connections, NonZeroU32::new(7), "{name}");
        }
        let local = in_force.limits_of(&Destination::Maildir(domain("x.example")));
        assert!(local.is_empty(), "mailboxes are only meant by their name");
    }

    #[test]
    fn a_mail_server_is_a_site_of_its_own() {
        let in_force = rules(
            &[
                rule("mx:*.google.com", messages(10)),
                rule(
                    "mx:*",
                    Limits {
                        connections: NonZeroU32::new(3),
                        ..messages(99)
                    },
                ),
            ],
            &[],
            0,
        );
        let site = |name: &str| {
            let target = in_force
                .site_of(&[domain("mx.other.test"), domain(name)])
                .unwrap();
            let limits = in_force.limits_of_site(&target);
            (
                target.to_string(),
                limits.messages_per_minute.unwrap().get(),
            )
        };
        assert_eq!(
            site("aspmx.l.google.com"),
            ("mx:*.google.com".to_owned(), 10)
        );
        assert_eq!(site("mx.far.test"), ("mx:*".to_owned(), 99));
        let google = Target::parse("mx:*.google.com").unwrap();
        assert_eq!(
            in_force.limits_of_site(&google).connections,
            NonZeroU32::new(3)
        );
        assert!(in_force.limits_of(&mx("aspmx.l.google.com")).is_empty());
    }

    #[test]
    fn an_order_goes_before_the_configuration_until_it_ends() {
        let configured = [rule("far.test", messages(100))];
        let orders = [
            order("far.test", What::Limit(messages(1)), Some(60)),
            order("*.test", What::Pause, Some(30)),
        ];
        let in_force = rules(&configured, &orders, 0);
        assert_eq!(in_force.limits_of(&mx("far.test")), messages(1));
        assert!(in_force.pause_of(&mx("far.test"), &[]).is_some());
        assert!(in_force.pause_of(&mx("far.example"), &[]).is_none());
        assert_eq!(in_force.expires(), Some(at(30)));
        let in_force = rules(&configured, &orders, 30);
        assert!(in_force.pause_of(&mx("far.test"), &[]).is_none());
        assert_eq!(in_force.expires(), Some(at(60)));
        let in_force = rules(&configured, &orders, 60);
        assert_eq!(in_force.limits_of(&mx("far.test")), messages(100));
    }

    #[test]
    fn a_pause_can_name_the_mail_server() {
        let orders = [order("mx:*.google.com", What::Pause, None)];
        let in_force = rules(&[], &orders, 0);
        let hosts = [domain("aspmx.l.google.com")];
        assert!(in_force.pause_of(&mx("a.test"), &hosts).is_some());
        assert!(in_force.pause_of(&mx("a.test"), &[]).is_none());
        assert!(in_force.site_of(&hosts).is_none(), "no limits are shared");
    }
}
