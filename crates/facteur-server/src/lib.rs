//! Receives mail: listeners, connection driver, policy, intake.
//!
//! The way of a message: `listener` accepts under the limits of `census`; `connection` performs what the session
//! of `facteur_smtp` asks for; `policy` answers MAIL and RCPT; `intake` puts `Received:` in front, streams the
//! content to the spool and brings back the receipt; `refusal` turns a failure of the spool into a reply;
//! `turned_away` logs connections that were over a limit; `premises` is what a new configuration leaves as it is.

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
mod premises;
mod refusal;
mod sources;
mod submission;
mod timer;
mod turned_away;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Clock, Observer};
use facteur_route::{Planner, Router};
use facteur_spool::Spool;
use tokio::sync::{mpsc, watch};
use tracing::info;

pub use bound::Bound;
pub use config::{Config, Limits, ListenAddress, ListenerConfig, Patience, Rates, SourceRates};
pub use error::ServerError;
pub use listener::Listener;
pub use submission::{OpenSubmission, Submission, Submissions};

use census::Census;
use connection::Stopping;
use premises::{Offer, Opened, Place, Premises};
use timer::Timer;

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
    premises: Premises,
    places: Vec<Place>,
    stopping: watch::Sender<Stopping>,
    all_gone: mpsc::Receiver<()>,
}

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
        let mut opened = Vec::with_capacity(config.listeners.len());
        for listener in &config.listeners {
            let place = open
                .iter()
                .position(|bound| *bound.address() == listener.address);
            let bound = match place {
                Some(place) => open.swap_remove(place),
                None => Bound::open(&listener.address)?,
            };
            opened.push((Opened::new(bound)?, Arc::clone(&listener.session)));
        }
        drop(open);
        let mut server = Self::nowhere(&config, &parts);
        let premises = &server.premises;
        let services = premises.services(config, parts.router, parts.planner);
        let serve = |(opened, session)| premises.serve(opened, services(session));
        let places: Vec<_> = opened.into_iter().map(serve).collect();
        drop(services);
        server.places = places;
        for address in server.addresses() {
            info!(%address, "listening");
        }
        Ok(server)
    }

    /// A server on other listeners than the system's sockets; those of the configuration are not opened.
    pub fn start_with<L: Listener>(
        config: Config,
        parts: Parts,
        listeners: impl IntoIterator<Item = (L, Offer)>,
    ) -> Self {
        let mut server = Self::nowhere(&config, &parts);
        let premises = &server.premises;
        let services = premises.services(config, parts.router, parts.planner);
        let serve = |(listener, session)| premises.serve_on(None, listener, services(session));
        let places: Vec<_> = listeners.into_iter().map(serve).collect();
        drop(services);
        server.places = places;
        server
    }

    /// A server that listens nowhere yet.
    fn nowhere(config: &Config, parts: &Parts) -> Self {
        let (stopping, stops) = watch::channel(Stopping::No);
        let (alive, all_gone) = mpsc::channel(1);
        Self {
            premises: Premises::new(config, parts, stops, alive),
            places: Vec::new(),
            stopping,
            all_gone,
        }
    }

    /// Serves by another configuration, from the next connection on; sessions under way keep what they began with. Places
    /// that are new are opened, those that are gone are closed, the others stay open all the time. A place that has its
    /// port in common with one that goes cannot be opened beside it.
    ///
    /// # Errors
    /// As [`Server::start`]: then nothing has changed.
    pub fn reload(
        &mut self,
        config: Config,
        router: Arc<Router>,
        planner: Planner,
    ) -> Result<(), ServerError> {
        let mut opened = Vec::new();
        for listener in &config.listeners {
            let address = &listener.address;
            let known = self.places.iter().any(|place| place.is(address));
            let new = (!known).then(|| Bound::open(address).and_then(Opened::new));
            opened.push(new.transpose()?);
        }
        let premises = &self.premises;
        let (limits, hostname) = (config.limits.clone(), config.hostname.clone());
        premises.census.reload(limits, hostname);
        let listeners = config.listeners.clone();
        let services = premises.services(config, router, planner);
        // What is no socket of the system's was not in the configuration, and stays as it is.
        let (mut places, mut before): (Vec<_>, Vec<_>) = std::mem::take(&mut self.places)
            .into_iter()
            .partition(|place| place.name.is_none());
        for (listener, opened) in listeners.into_iter().zip(opened) {
            let services = services(listener.session);
            if let Some(opened) = opened {
                let address = opened.address().clone();
                info!(%address, "listening");
                places.push(premises.serve(opened, services));
            } else if let Some(known) = before.iter().position(|place| place.is(&listener.address))
            {
                let place = before.swap_remove(known);
                place.serve_by(services);
                places.push(place);
            }
        }
        for name in before.iter().filter_map(|place| place.name.as_ref()) {
            info!(address = %name.address, "no longer listening");
        }
        drop(services);
        self.places = places;
        Ok(())
    }

    /// A way in for messages that do not come by SMTP, under the same policy.
    #[must_use]
    pub fn submissions(&self) -> Submissions {
        self.premises.submissions()
    }

    /// Where the server listens, in the order of the configuration, with the ports that the system chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<ListenAddress> {
        let names = self.places.iter().filter_map(|place| place.name.as_ref());
        names.map(|name| name.address.clone()).collect()
    }

    /// Who is connected.
    #[must_use]
    pub fn visitors(&self) -> Visitors {
        Visitors(Arc::clone(&self.premises.census))
    }

    /// Stops: no connection is accepted any more, sessions that wait get 421, a message under way may come to its
    /// end within `grace`. Returns when every session is over.
    pub async fn shutdown(self, grace: Duration) {
        let Self {
            premises,
            places,
            stopping,
            mut all_gone,
        } = self;
        stopping.send_replace(Stopping::Soon);
        let mut timer = Timer::new(Arc::clone(&premises.clock));
        // Only who runs may hold it.
        drop((premises, places));
        let deadline = timer.now().after(grace);
        if timer.until(deadline, all_gone.recv()).await.is_none() {
            info!("messages under way are given up");
            stopping.send_replace(Stopping::Now);
            // Nobody sends: it ends when the last session has.
            let _ = all_gone.recv().await;
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
