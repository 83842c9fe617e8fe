//! Sends mail: decides what is tried when, tries it, judges what came of it, and tells the sender.
//!
//! [`Delivery::start`] is the whole of it. A message is leased, its recipients go to their destinations, each outcome is
//! judged by [`judge`] and written down before anything follows from it, and what the sender must know leaves as a
//! new message from `<>`.

mod attempt;
mod backoff;
mod bounce;
mod carry;
mod config;
mod connections;
mod dialogue;
mod health;
mod index;
mod limits;
mod mailbox;
mod message;
mod remote;
mod rules;
mod scheduler;
mod steering;
mod transport;
mod verdict;
mod work;

use std::sync::Arc;

use facteur_mail::{Clock, Observer, Random};
use facteur_route::{Planner, Router};
use facteur_spool::{Spool, Waiting};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::scheduler::{Ears, Scheduler};
use crate::steering::COMMANDS;
use crate::work::Shared;

pub use attempt::{MAX_ADDRESSES, MAX_HOSTS, Sender, SenderConfig};
pub use backoff::Backoff;
pub use config::Config;
pub use connections::CacheLimits;
pub use facteur_smtp::client::Dialect;
pub use index::{DestinationView, HeldView, LimitsView, SlowedView, Survey, Why};
pub use limits::{Limits, MAX_ORDERS, OnRateLimit, Order, RATE_LIMIT_PAUSE, Rule, Target, What};
pub use mailbox::{DiskMailboxes, Letter, MailboxError, Mailboxes, Storing};
pub use remote::{Carried, Closing, Load, Remote, RemoteFuture, Way};
pub use steering::{Steering, Wanted};
pub use transport::{Connecting, Duplex, Endpoint, Sockets, Stream, Transport};
pub use verdict::{Grounds, Outcome, Past, Policy, Verdict, judge};

/// What delivery works with.
#[derive(Clone)]
pub struct Delivery {
    /// Times, limits, language.
    pub config: Config,
    /// Where the messages are.
    pub spool: Arc<dyn Spool>,
    /// Where addresses go, by the configuration.
    pub router: Arc<Router>,
    /// Where domains take their mail, by DNS.
    pub planner: Planner,
    /// What speaks to other servers.
    pub remote: Arc<dyn Remote>,
    /// What writes to local mailboxes.
    pub mailboxes: Arc<dyn Mailboxes>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness for jitter.
    pub random: Arc<dyn Random>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// The part of a configuration that can be another one while delivery runs.
#[derive(Clone)]
pub struct Terms {
    /// Times, limits, language.
    pub config: Config,
    /// Where addresses go, by the configuration.
    pub router: Arc<Router>,
    /// Where domains take their mail, by DNS.
    pub planner: Planner,
    /// What speaks to other servers.
    pub remote: Arc<dyn Remote>,
    /// What writes to local mailboxes.
    pub mailboxes: Arc<dyn Mailboxes>,
}

/// Delivery while it runs.
#[derive(Debug)]
pub struct Handle {
    announce: Announcer,
    terms: watch::Sender<Terms>,
    steering: Steering,
    stop: oneshot::Sender<()>,
    scheduler: JoinHandle<()>,
}

/// Tells the scheduler of messages whose times somebody else has changed. Clones tell the same one.
#[derive(Debug, Clone)]
pub struct Announcer(mpsc::UnboundedSender<Waiting>);

impl Announcer {
    /// Tells the scheduler that an operator has settled new times for a message.
    pub fn announce(&self, waiting: Waiting) {
        // Nobody listens once delivery has stopped; the message stays on disk.
        drop(self.0.send(waiting));
    }
}

impl Delivery {
    /// Starts to deliver what is queued and what is committed from now on. Must be called within a tokio runtime, before
    /// the first message is received.
    #[must_use]
    pub fn start(self) -> Handle {
        // The spool's own intake bounds this channel: an announcement is a message on disk.
        let (announce, announced) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let for_spool = announce.clone();
        self.spool.announce_to(Box::new(move |waiting| {
            // Nobody listens once delivery has stopped; the message stays on disk.
            drop(for_spool.send(waiting));
        }));
        let (terms, next) = watch::channel(self.terms());
        let for_scheduler = announce.downgrade();
        let (give, commands) = mpsc::channel(COMMANDS);
        let ears = Ears {
            announced,
            commands,
        };
        let scheduler = Scheduler::new(Arc::new(Shared::new(self)), ears, for_scheduler);
        Handle {
            announce: Announcer(announce),
            terms,
            steering: Steering::new(give),
            stop,
            scheduler: tokio::spawn(scheduler.run(next, stopped)),
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            config: self.config.clone(),
            router: Arc::clone(&self.router),
            planner: self.planner.clone(),
            remote: Arc::clone(&self.remote),
            mailboxes: Arc::clone(&self.mailboxes),
        }
    }
}

impl Handle {
    /// What tells the scheduler of messages that an operator has changed.
    #[must_use]
    pub fn announcer(&self) -> Announcer {
        self.announce.clone()
    }

    /// What an operator can do.
    #[must_use]
    pub fn steering(&self) -> Steering {
        self.steering.clone()
    }

    /// Delivers by other terms, from the next job on; those under way go on as they began. Whatever waits goes where the
    /// new router says.
    pub fn reload(&self, terms: Terms) {
        drop(self.terms.send_replace(terms));
    }

    /// Stops: starts nothing more, lets running deliveries go on for [`Config::shutdown_grace`], then drops them. What
    /// is not settled stays queued.
    ///
    /// # Panics
    /// If the scheduler has panicked.
    pub async fn shutdown(self) {
        drop(self.stop);
        resume(self.scheduler.await);
    }

    /// Completes when delivery has ended by itself, which it never should.
    ///
    /// # Panics
    /// If the scheduler has panicked: the process must end.
    pub async fn ended(&mut self) {
        resume((&mut self.scheduler).await);
    }
}

/// A bug in the scheduler is a bug of the whole process.
fn resume(result: Result<(), tokio::task::JoinError>) {
    if let Err(error) = result
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
