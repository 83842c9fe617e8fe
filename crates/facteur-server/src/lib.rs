//! Receives mail: listeners, connection driver, policy, intake.
//!
//! The way of a message: `listener` accepts under the limits of `census`; `connection` performs what the session
//! of `facteur_smtp` asks for; `policy` answers MAIL and RCPT; `intake` puts `Received:` in front, streams the
//! content to the spool and brings back the receipt; `refusal` turns a failure of the spool into a reply;
//! `turned_away` logs connections that were over a limit.

mod bound;
mod census;
mod config;
mod connection;
mod envelopes;
mod error;
mod intake;
mod listener;
mod lookups;
mod policy;
mod refusal;
mod timer;
mod turned_away;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use facteur_mail::{Clock, Observer};
use facteur_route::{Planner, Router};
use facteur_spool::Spool;
use tokio::sync::{mpsc, watch};
use tracing::info;

pub use bound::Bound;
pub use config::{Config, Limits, ListenAddress, ListenerConfig, Patience};
pub use error::ServerError;
pub use listener::Listener;

use bound::Listening;
use census::Census;
use connection::{Services, Stopping};
use envelopes::Envelopes;
use intake::Intake;
use listener::Reception;
use lookups::Lookups;
use policy::Policy;
use timer::Timer;
use turned_away::TurnedAway;

/// What the server works with.
#[derive(Clone)]
pub struct Parts {
    /// Where messages go.
    pub spool: Arc<dyn Spool>,
    /// What is local, and who may relay.
    pub router: Arc<Router>,
    /// What DNS says of a domain.
    pub planner: Planner,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

/// Who is connected at this moment.
#[derive(Clone)]
pub struct Visitors(Arc<Census>);

impl Visitors {
    /// How many connections are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count()
    }
}

impl fmt::Debug for Visitors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Visitors").field(&self.count()).finish()
    }
}

/// A server that runs. Dropped, it stops at once.
pub struct Server {
    visitors: Visitors,
    addresses: Vec<ListenAddress>,
    stopping: watch::Sender<Stopping>,
    alive: mpsc::Receiver<()>,
    timer: Timer,
}

/// What the sessions of a listener offer.
type Offer = Arc<facteur_smtp::server::Config>;

impl Server {
    /// Listens on every place of the configuration, and serves whoever comes. To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError::Listen`] names the first place that cannot be listened on; then none is.
    pub fn start(config: Config, parts: Parts) -> Result<Self, ServerError> {
        Self::start_on(Vec::new(), config, parts)
    }

    /// As [`Server::start`], with places that are listened on already, each taken by the listener of its address. The
    /// others are closed.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_on(
        mut open: Vec<Bound>,
        config: Config,
        parts: Parts,
    ) -> Result<Self, ServerError> {
        let mut listening = Vec::with_capacity(config.listeners.len());
        let mut addresses = Vec::with_capacity(config.listeners.len());
        for listener in &config.listeners {
            let failed = |error| ServerError::Listen {
                address: listener.address.clone(),
                error,
            };
            let place = open
                .iter()
                .position(|bound| *bound.address() == listener.address);
            let bound = match place {
                Some(place) => open.swap_remove(place),
                None => Bound::open(&listener.address)?,
            };
            let socket = bound.serve().map_err(failed)?;
            addresses.push(socket.address().map_err(failed)?);
            listening.push((socket, Arc::clone(&listener.session)));
        }
        drop(open);
        let (mut server, reception) = Self::assemble(config, parts);
        for (socket, session) in listening {
            match socket {
                Listening::Tcp(listener) => drop(tokio::spawn(reception(session).run(listener))),
                Listening::Unix(listener) => drop(tokio::spawn(reception(session).run(listener))),
            }
        }
        for address in &addresses {
            info!(%address, "listening");
        }
        server.addresses = addresses;
        Ok(server)
    }

    /// A server on other listeners than the system's sockets; those of the configuration are not opened.
    pub fn start_with<L: Listener>(
        config: Config,
        parts: Parts,
        listeners: impl IntoIterator<Item = (L, Offer)>,
    ) -> Self {
        let (server, reception) = Self::assemble(config, parts);
        for (listener, session) in listeners {
            drop(tokio::spawn(reception(session).run(listener)));
        }
        server
    }

    /// A server that listens nowhere yet, and how to make what its accept loops need.
    fn assemble(config: Config, parts: Parts) -> (Self, impl Fn(Offer) -> Reception) {
        let (stopping, stops) = watch::channel(Stopping::No);
        let (alive, all_gone) = mpsc::channel(1);
        let config = Arc::new(config);
        let lookups = Lookups::new(parts.planner, config.patience.lookup);
        let policy = Arc::new(Policy::new(parts.router, lookups));
        let census = Census::new(config.limits.clone(), config.hostname.clone());
        let envelopes = Envelopes::new(config.max_envelope_octets);
        let sessions = Arc::new(AtomicU64::new(1));
        let turned_away = Arc::new(TurnedAway::default());
        let server = Self {
            visitors: Visitors(Arc::clone(&census)),
            addresses: Vec::new(),
            stopping,
            alive: all_gone,
            timer: Timer::new(Arc::clone(&parts.clock)),
        };
        let reception = move |session| Reception {
            services: Services {
                session,
                config: Arc::clone(&config),
                policy: Arc::clone(&policy),
                intake: Intake::new(
                    Arc::clone(&parts.spool),
                    Arc::clone(&config),
                    Arc::clone(&envelopes),
                ),
                census: Arc::clone(&census),
                observer: Arc::clone(&parts.observer),
                stopping: stops.clone(),
            },
            clock: Arc::clone(&parts.clock),
            sessions: Arc::clone(&sessions),
            turned_away: Arc::clone(&turned_away),
            alive: alive.clone(),
        };
        (server, reception)
    }

    /// Where the server listens, in the order of the configuration, with the ports that the system chose.
    #[must_use]
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Who is connected.
    #[must_use]
    pub fn visitors(&self) -> Visitors {
        self.visitors.clone()
    }

    /// Stops: no connection is accepted any more, sessions that wait get 421, a message under way may come to its
    /// end within `grace`. Returns when every session is over.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stopping.send_replace(Stopping::Soon);
        let deadline = self.timer.now().after(grace);
        let all_gone = self.timer.until(deadline, self.alive.recv()).await;
        if all_gone.is_none() {
            info!("messages under way are given up");
            self.stopping.send_replace(Stopping::Now);
            // Nobody sends: it ends when the last session has.
            let _ = self.alive.recv().await;
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
