//! Where a message goes and how it gets there: by the router's word, by DNS, over the wire or into a mailbox.

use std::path::PathBuf;

use facteur_mail::text::escaped;
use facteur_mail::{
    Attempt, BodyType, Delivery, Domain, QueueId, Recipient, Said, Stage, Timestamp,
};
use facteur_replies::Reply;
use facteur_route::{Deliver, Destination, NextHop, Plan, Route, Router};
use facteur_smtp::client::Dialect;
use facteur_spool::{Leased, SpoolError};

use crate::index::{Job, Kind};
use crate::mailbox::Letter;
use crate::remote::{Carried, Load, Way};
use crate::verdict::Outcome;
use crate::work::Shared;

/// Delivers, or finds out why not.
pub(crate) async fn carry(
    shared: &Shared,
    leased: &Leased,
    job: &Job,
    places: &[usize],
) -> Result<Carried, SpoolError> {
    match &job.kind {
        Kind::Wait(attempt) => {
            let attempt = Attempt::clone(attempt);
            Ok(all(places, &Outcome::Waits { attempt }))
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
    }
}

async fn try_destination(
    shared: &Shared,
    leased: &Leased,
    destination: &Destination,
    places: &[usize],
) -> Carried {
    let began = shared.clock.now();
    let way = match destination {
        Destination::Maildir(domain) => return store_all(shared, leased, domain, places).await,
        Destination::Mx(domain) => {
            let plan = shared.planner.domain(domain).await;
            by_plan(
                leased.message.id,
                plan,
                domain,
                shared.config.port,
                Dialect::Smtp,
            )
        }
        Destination::Literal(ip) => {
            let host = facteur_mail::Host::Literal(*ip);
            let plan = shared.planner.literal(*ip);
            by_plan(
                leased.message.id,
                plan,
                &host,
                shared.config.port,
                Dialect::Smtp,
            )
        }
        Destination::Relay(hop) => by_hop(shared, leased.message.id, hop, Dialect::Smtp).await,
        Destination::Lmtp(hop) => by_hop(shared, leased.message.id, hop, Dialect::Lmtp).await,
    };
    match way {
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
    }
}

async fn by_hop(
    shared: &Shared,
    id: QueueId,
    hop: &NextHop,
    dialect: Dialect,
) -> Result<Way, Reply> {
    match hop {
        NextHop::Unix(path) => Ok(Way::Socket {
            path: PathBuf::clone(path),
            dialect,
        }),
        NextHop::Tcp { host, port } => by_plan(
            id,
            shared.planner.next_hop(host).await,
            host,
            *port,
            dialect,
        ),
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
