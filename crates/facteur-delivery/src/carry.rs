//! Where a message goes and how it gets there: by the router's word, by DNS, over the wire or into a mailbox.

use std::path::PathBuf;
use std::sync::Arc;

use facteur_mail::event::{RouteRule, RouteTaken};
use facteur_mail::text::escaped;
use facteur_mail::{
    Attempt, BodyType, Delivery, Domain, Host, QueueId, Recipient, Said, Stage, Timestamp,
};
use facteur_replies::Reply;
use facteur_route::{Deliver, Destination, NextHop, Plan, Route, Router, route_taken};
use facteur_smtp::client::Dialect;
use facteur_spool::{Leased, SpoolError};

use crate::index::{Allowance, Job, Kind};
use crate::mailbox::Letter;
use crate::remote::{Carried, Load, Way};
use crate::verdict::Outcome;
use crate::work::Shared;

/// What came of a job.
pub(crate) struct Errand {
    /// None where a limit keeps it back: nothing was tried.
    pub(crate) trip: Option<Trip>,
    /// The destination's mail servers, where they matter and were not known.
    pub(crate) hosts: Option<Arc<[Domain]>>,
}

/// What came of a message at a destination, and by which way.
pub(crate) struct Trip {
    pub(crate) carried: Carried,
    /// None where nothing was tried.
    pub(crate) route: Option<RouteTaken>,
    /// Whether a server was spoken to, or a mailbox written.
    pub(crate) sent: bool,
}

/// Delivers, or finds out why not.
pub(crate) async fn carry(
    shared: &Shared,
    leased: &Leased,
    job: &Job,
    places: &[usize],
) -> Result<Errand, SpoolError> {
    let allowed = match &job.kind {
        Kind::Wait(attempt) => {
            let attempt = Attempt::clone(attempt);
            return Ok(Errand::made(Trip {
                carried: all(places, &Outcome::Waits { attempt }),
                route: None,
                sent: false,
            }));
        }
        Kind::Try(allowed) => allowed,
    };
    if let Destination::Maildir(domain) = &*job.destination {
        shared.spool.attempt_begins(leased.message.id, places)?;
        let rule = rule(shared, leased, places);
        return Ok(Errand::made(Trip {
            carried: store_all(shared, leased, domain, places).await,
            route: Some(RouteTaken::without_dns(rule, "mailbox")),
            sent: true,
        }));
    }
    send(shared, leased, &job.destination, allowed, places).await
}

impl Errand {
    const fn made(trip: Trip) -> Self {
        Self {
            trip: Some(trip),
            hosts: None,
        }
    }
}

fn all(places: &[usize], outcome: &Outcome) -> Carried {
    Carried::new(places.iter().map(|_| outcome.clone()).collect())
}

/// Sends to other servers, if the limits of these allow it.
async fn send(
    shared: &Shared,
    leased: &Leased,
    destination: &Destination,
    allowed: &Allowance,
    places: &[usize],
) -> Result<Errand, SpoolError> {
    let began = shared.clock.now();
    let rule = rule(shared, leased, places);
    let (route, way) = find_way(shared, leased.message.id, rule, destination).await;
    let way = match way {
        Ok(way) => way,
        Err(reply) => {
            let attempt = ours(shared, began, Stage::Route, reply);
            return Ok(Errand::made(Trip {
                carried: all(places, &Outcome::NotTaken { attempt }),
                route: Some(route),
                sent: false,
            }));
        }
    };
    let hosts = allowed.unsited.is_some().then(|| hosts_of(&way));
    let concerned = concerned(allowed, hosts.as_deref().unwrap_or_default());
    if concerned || !allowed.may_connect && !shared.remote.is_warm(&way) {
        return Ok(Errand { trip: None, hosts });
    }
    shared.spool.attempt_begins(leased.message.id, places)?;
    let load = Load {
        message: leased,
        recipients: places,
        way: &way,
        messages_per_connection: allowed.messages_per_connection,
    };
    let trip = Trip {
        carried: shared.remote.deliver(load).await,
        route: Some(route),
        sent: true,
    };
    Ok(Errand {
        trip: Some(trip),
        hosts,
    })
}

/// Whether one of these servers has limits under which the job was not started.
fn concerned(allowed: &Allowance, hosts: &[Domain]) -> bool {
    let patterns = allowed.unsited.as_deref().unwrap_or_default();
    let limited = |host| patterns.iter().any(|pattern| pattern.matches(host));
    hosts.iter().any(limited)
}

/// The names of the servers of a way.
fn hosts_of(way: &Way) -> Arc<[Domain]> {
    let Way::Hosts { hosts, .. } = way else {
        return Arc::default();
    };
    let names = hosts.iter().filter_map(|host| match &host.name {
        Host::Domain(name) => Some(name.clone()),
        Host::Literal(_) => None,
    });
    names.collect()
}

/// The servers that may take a message, or what to say when there are none; and how that was found.
async fn find_way(
    shared: &Shared,
    id: QueueId,
    rule: RouteRule,
    destination: &Destination,
) -> (RouteTaken, Result<Way, Reply>) {
    let port = shared.config.port;
    match destination {
        Destination::Mx(domain) => {
            let (plan, mx) = shared.planner.reasoned(domain).await;
            let route = route_taken(rule, &plan, Some(&mx));
            (route, by_plan(id, plan, domain, port, Dialect::Smtp))
        }
        Destination::Literal(ip) => {
            let plan = shared.planner.literal(*ip);
            let route = route_taken(rule, &plan, None);
            let host = Host::Literal(*ip);
            (route, by_plan(id, plan, &host, port, Dialect::Smtp))
        }
        Destination::Relay(hop) => by_hop(shared, id, rule, hop, Dialect::Smtp).await,
        Destination::Lmtp(hop) => by_hop(shared, id, rule, hop, Dialect::Lmtp).await,
        // A mailbox is no server.
        Destination::Maildir(_) => {
            let route = RouteTaken::without_dns(rule, "mailbox");
            (route, Err(Reply::local_error()))
        }
    }
}

/// What of the configuration led these recipients here.
fn rule(shared: &Shared, leased: &Leased, places: &[usize]) -> RouteRule {
    let recipients = &leased.message.envelope.recipients;
    let first = places.first().and_then(|place| recipients.get(*place));
    match first {
        Some(recipient) => shared.router.rule_of(recipient.address.host()),
        // Nobody asks for the way of nobody.
        None => RouteRule::Mx("".into()),
    }
}

async fn by_hop(
    shared: &Shared,
    id: QueueId,
    rule: RouteRule,
    hop: &NextHop,
    dialect: Dialect,
) -> (RouteTaken, Result<Way, Reply>) {
    match hop {
        NextHop::Unix(path) => {
            let path = PathBuf::clone(path);
            let way = Way::Socket { path, dialect };
            (RouteTaken::without_dns(rule, "socket"), Ok(way))
        }
        NextHop::Tcp { host, port } => {
            let plan = shared.planner.next_hop(host).await;
            let route = route_taken(rule, &plan, None);
            (route, by_plan(id, plan, host, *port, dialect))
        }
    }
}

/// The hosts of a plan, or what to say when there are none.
fn by_plan(
    id: QueueId,
    plan: Plan,
    to: &impl std::fmt::Display,
    port: u16,
    dialect: Dialect,
) -> Result<Way, Reply> {
    for finding in plan.findings() {
        tracing::info!(%id, destination = %to, finding = finding.name(), "the domain's records");
    }
    let refusal = plan.refusal(to);
    match (plan, refusal) {
        (_, Some(reply)) => Err(reply),
        (Plan::Hosts { hosts, .. }, None) => Ok(Way::Hosts {
            hosts,
            port,
            dialect,
        }),
        // A plan without hosts has its refusal.
        (
            Plan::NullMx { .. }
            | Plan::NoSuchDomain
            | Plan::Unroutable { .. }
            | Plan::RoutesToUs { .. }
            | Plan::TryLater(_),
            None,
        ) => Err(Reply::local_error()),
    }
}

/// A try whose words are ours.
fn ours(shared: &Shared, began: Timestamp, stage: Stage, reply: Reply) -> Attempt {
    Attempt {
        at: began,
        took: shared.clock.now().since(began),
        host: None,
        stage,
        said: Said::ByUs(reply),
    }
}

async fn store_all(shared: &Shared, leased: &Leased, domain: &Domain, places: &[usize]) -> Carried {
    let mut outcomes = Vec::with_capacity(places.len());
    for place in places {
        let began = shared.clock.now();
        let recipient = leased.message.envelope.recipients.get(*place);
        let stored = match recipient {
            Some(recipient) => store(shared, leased, domain, *place, recipient).await,
            None => Err(Reply::local_error()),
        };
        outcomes.push(match stored {
            Ok(reply) => Outcome::Taken {
                attempt: ours(shared, began, Stage::Mailbox, reply),
                delivery: Delivery::Mailbox,
            },
            Err(reply) => Outcome::NotTaken {
                attempt: ours(shared, began, Stage::Mailbox, reply),
            },
        });
    }
    Carried::new(outcomes)
}

/// Puts the message into one mailbox.
async fn store(
    shared: &Shared,
    leased: &Leased,
    domain: &Domain,
    place: usize,
    recipient: &Recipient,
) -> Result<Reply, Reply> {
    let address = &recipient.address;
    let maildir = maildir(&shared.router, domain, recipient)?;
    let body = leased.body().map_err(|error| {
        tracing::error!(id = %leased.message.id, %error, "content cannot be read");
        if let SpoolError::Damaged { id, .. } = error {
            Reply::spool_damaged(id)
        } else {
            Reply::mailbox_unavailable(address, "stored copy unreadable")
        }
    })?;
    let envelope = &leased.message.envelope;
    let letter = Letter {
        id: leased.message.id,
        place,
        arrived: envelope.arrived,
        sender: envelope.sender.clone(),
        recipient: address.clone(),
        body,
        unix_lines: envelope.body != BodyType::BinaryMime,
    };
    match shared.mailboxes.store(&maildir, letter).await {
        Ok(()) => Ok(Reply::delivered_to_mailbox(address)),
        Err(error) => {
            let path = escaped(&error.to_string()).to_string();
            tracing::warn!(id = %leased.message.id, error = path, "mailbox cannot be written");
            Err(error.reply(address))
        }
    }
}

/// The Maildir of a recipient of a local domain.
fn maildir(router: &Router, domain: &Domain, recipient: &Recipient) -> Result<PathBuf, Reply> {
    let address = &recipient.address;
    let targets = router
        .expand(address)
        .map_err(|_| Reply::alias_loop(address))?;
    targets
        .into_iter()
        .find_map(|target| match target.route {
            Route::Mailbox {
                user,
                deliver: Deliver::Maildir(template),
                ..
            } => template.path(domain, &user),
            Route::Mailbox { .. }
            | Route::Alias(_)
            | Route::UnknownMailbox
            | Route::NextHop(_)
            | Route::ByMx(_)
            | Route::Literal(_) => None,
        })
        .ok_or_else(|| Reply::mailbox_unknown(address))
}
