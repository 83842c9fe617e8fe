//! Where a message goes and how it gets there: by the router's word, by DNS, over the wire or into a mailbox.

use std::path::PathBuf;

use facteur_mail::event::{RouteRule, RouteTaken};
use facteur_mail::text::escaped;
use facteur_mail::{
    Attempt, BodyType, Delivery, Domain, Host, QueueId, Recipient, Said, Stage, Timestamp,
    Transcript,
};
use facteur_replies::Reply;
use facteur_route::{Deliver, Destination, NextHop, Plan, Route, Router, route_taken};
use facteur_smtp::client::Dialect;
use facteur_spool::{Leased, SpoolError};

use crate::index::{Job, Kind};
use crate::mailbox::Letter;
use crate::remote::{Carried, Load, Way};
use crate::verdict::Outcome;
use crate::work::Shared;

/// What came of a message at a destination, and by which way.
pub(crate) struct Trip {
    pub(crate) carried: Carried,
    /// None where nothing was tried.
    pub(crate) route: Option<RouteTaken>,
}

/// Delivers, or finds out why not.
pub(crate) async fn carry(
    shared: &Shared,
    leased: &Leased,
    job: &Job,
    places: &[usize],
) -> Result<Trip, SpoolError> {
    match &job.kind {
        Kind::Wait(attempt) => {
            let attempt = Attempt::clone(attempt);
            Ok(Trip {
                carried: all(places, &Outcome::Waits { attempt }),
                route: None,
            })
        }
        Kind::Try => {
            shared.spool.attempt_begins(leased.message.id, places)?;
            Ok(try_destination(shared, leased, &job.destination, places).await)
        }
    }
}

fn all(places: &[usize], outcome: &Outcome) -> Carried {
    Carried {
        outcomes: places.iter().map(|_| outcome.clone()).collect(),
        hold: None,
        transcript: Transcript::default(),
    }
}

async fn try_destination(
    shared: &Shared,
    leased: &Leased,
    destination: &Destination,
    places: &[usize],
) -> Trip {
    let began = shared.clock.now();
    let (id, port) = (leased.message.id, shared.config.port);
    let rule = rule(shared, leased, places);
    let (route, way) = match destination {
        Destination::Maildir(domain) => {
            return Trip {
                carried: store_all(shared, leased, domain, places).await,
                route: Some(RouteTaken::without_dns(rule, "mailbox")),
            };
        }
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
    };
    let carried = match way {
        Ok(way) => {
            let load = Load {
                message: leased,
                recipients: places,
                way: &way,
            };
            shared.remote.deliver(load).await
        }
        Err(reply) => {
            let attempt = ours(shared, began, Stage::Route, reply);
            all(places, &Outcome::NotTaken { attempt })
        }
    };
    Trip {
        carried,
        route: Some(route),
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
    Carried {
        outcomes,
        hold: None,
        transcript: Transcript::default(),
    }
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
