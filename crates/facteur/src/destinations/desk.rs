//! Looks at destinations for operators, and keeps and gives their orders.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use facteur_delivery::{MAX_ORDERS, Order, Steering, Target, Wanted, What};
use facteur_mail::text::escaped;
use facteur_mail::{Clock, Domain, Host, IsoDate};
use facteur_replies::Language;
use tokio::sync::Mutex;

use super::orders;
use super::request::{DestinationsAct, DestinationsRequest, OrderFault, OrderSpec, Overview};
use super::seen::Seen;
use crate::config::read_limits;
use crate::control::protocol::{Answer, Refusal};
use crate::control::{Answers, Peer, Stop};

/// How many destinations one answer has at most.
const MAX_SHOWN: u64 = 10_000;

/// How long an order can last.
const MAX_FOR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Where orders come together.
pub(crate) struct Desk {
    steering: Steering,
    clock: Arc<dyn Clock>,
    file: PathBuf,
    orders: Mutex<Vec<Order>>,
}

impl Desk {
    /// A desk with the orders that are in force already.
    pub(crate) fn new(
        steering: Steering,
        clock: Arc<dyn Clock>,
        file: PathBuf,
        orders: Vec<Order>,
    ) -> Self {
        Self {
            steering,
            clock,
            file,
            orders: Mutex::new(orders),
        }
    }

    /// Does what is asked, and tells how the destinations are that it concerns.
    pub(crate) async fn perform(
        &self,
        request: DestinationsRequest,
        peer: &Peer,
        language: Language,
        answers: &Answers,
    ) -> Result<(), Stop> {
        let wanted = wanted(&request).map_err(refused)?;
        if let Some(change) = self.change(&request, peer, language).map_err(refused)? {
            self.order(change).await.map_err(refused)?;
        }
        let most = usize::try_from(request.most.min(MAX_SHOWN)).unwrap_or(usize::MAX);
        let survey = self.steering.survey(wanted, most).await;
        for view in &survey.destinations {
            let seen = Seen::of(view);
            answers.give(Answer::Destination(Box::new(seen))).await?;
        }
        let overview = Overview {
            total: u64::try_from(survey.total).unwrap_or(u64::MAX),
            orders: self.in_force().await.iter().map(OrderSpec::of).collect(),
        };
        answers.give(Answer::Destinations(Box::new(overview))).await
    }

    /// What the request changes; `None` if it only looks.
    fn change(
        &self,
        request: &DestinationsRequest,
        peer: &Peer,
        language: Language,
    ) -> Result<Option<Change>, OrderFault> {
        let what = match &request.act {
            DestinationsAct::Look | DestinationsAct::LookFor(_) => return Ok(None),
            DestinationsAct::Resume => return Ok(Some(Change::End(target(request)?, Kind::Pause))),
            DestinationsAct::Reset => return Ok(Some(Change::End(target(request)?, Kind::Limit))),
            DestinationsAct::Pause => What::Pause,
            DestinationsAct::Limit(keys) => {
                let target = request.target.as_deref().unwrap_or_default();
                let limits = read_limits(target, keys, language);
                What::Limit(limits.map_err(|words| OrderFault::BadLimits { words })?)
            }
        };
        let now = self.clock.now();
        let lasts = request.for_seconds.map(Duration::from_secs);
        Ok(Some(Change::Give(Order {
            target: target(request)?,
            what,
            reason: request.reason.clone().unwrap_or_default(),
            by: peer.to_string(),
            since: now,
            until: lasts.map(|lasts| now.after(lasts.min(MAX_FOR))),
        })))
    }

    /// Changes the orders: on disk first, then in force.
    async fn order(&self, change: Change) -> Result<(), OrderFault> {
        let mut orders = self.orders.lock().await;
        let now = self.clock.now();
        let mut next = orders.clone();
        next.retain(|order| order.until.is_none_or(|until| until > now));
        let replaced = next.len();
        match &change {
            Change::Give(given) => {
                next.retain(|order| {
                    !(order.target == given.target && Kind::of(order) == Kind::of(given))
                });
                next.push(given.clone());
            }
            Change::End(target, kind) => {
                next.retain(|order| !(order.target == *target && Kind::of(order) == *kind));
                if next.len() == replaced {
                    return Err(OrderFault::NoneThere {
                        target: target.to_string(),
                    });
                }
            }
        }
        if next.len() > MAX_ORDERS {
            return Err(OrderFault::TooMany {
                limit: u64::try_from(MAX_ORDERS).unwrap_or(u64::MAX),
            });
        }
        let (file, kept) = (self.file.clone(), next.clone());
        let written = tokio::task::spawn_blocking(move || orders::keep(&file, &kept)).await;
        // A writer that panics has kept nothing.
        let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        written.map_err(|error| OrderFault::NotKept {
            path: self.file.display().to_string(),
            words: error.to_string(),
        })?;
        say(&change);
        orders.clone_from(&next);
        self.steering.obey(next).await;
        Ok(())
    }

    /// The orders that have not ended.
    async fn in_force(&self) -> Vec<Order> {
        let now = self.clock.now();
        let mut orders = self.orders.lock().await.clone();
        orders.retain(|order| order.until.is_none_or(|until| until > now));
        orders
    }
}

/// A change of the orders.
enum Change {
    /// This one is given, in place of one of its kind for the same destinations.
    Give(Order),
    /// The one of this kind ends.
    End(Target, Kind),
}

/// Of each kind there is one order for the same destinations.
#[derive(PartialEq, Eq)]
enum Kind {
    Pause,
    Limit,
}

impl Kind {
    const fn of(order: &Order) -> Self {
        match order.what {
            What::Pause => Self::Pause,
            What::Limit(_) => Self::Limit,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Limit => "limit",
        }
    }
}

fn refused(fault: OrderFault) -> Stop {
    Refusal::Order { fault }.into()
}

fn target(request: &DestinationsRequest) -> Result<Target, OrderFault> {
    let text = request.target.clone().unwrap_or_default();
    Target::parse(&text).ok_or(OrderFault::BadTarget { target: text })
}

/// Which destinations the request is about.
fn wanted(request: &DestinationsRequest) -> Result<Wanted, OrderFault> {
    if let DestinationsAct::LookFor(hosts) = &request.act {
        let hosts = hosts.iter().filter_map(|host| parse_host(host)).collect();
        return Ok(Wanted::Hosts(hosts));
    }
    match request.target {
        None => Ok(Wanted::All),
        Some(_) => target(request).map(Wanted::Target),
    }
}

/// A domain, or an address literal without what surrounds it.
fn parse_host(text: &str) -> Option<Host> {
    let literal = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    match literal {
        Some(ip) => {
            let ip = ip.strip_prefix("IPv6:").unwrap_or(ip);
            ip.parse().ok().map(Host::Literal)
        }
        None => Domain::parse(text).ok().map(Host::Domain),
    }
}

/// An order is given or ends: the log says who did it, and why.
fn say(change: &Change) {
    match change {
        Change::Give(order) => tracing::info!(
            destination = %order.target,
            order = Kind::of(order).name(),
            by = %order.by,
            reason = %escaped(&order.reason),
            until = order.until.map(|until| IsoDate(until).to_string()),
            "an operator's order for a destination"
        ),
        Change::End(target, kind) => tracing::info!(
            destination = %target,
            order = kind.name(),
            "an operator's order for a destination ends"
        ),
    }
}
