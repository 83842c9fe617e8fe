//! What stays while configurations come and go: who is connected, what is counted, and the places that are listened on.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use facteur_mail::{Clock, Observer};
use facteur_route::{Planner, Router};
use facteur_spool::Spool;
use tokio::sync::{mpsc, watch};

use crate::Parts;
use crate::bound::{Bound, Listening};
use crate::census::Census;
use crate::config::{Config, ListenAddress};
use crate::connection::{Services, Stopping};
use crate::envelopes::Envelopes;
use crate::error::ServerError;
use crate::intake::Intake;
use crate::listener::{Listener, Reception};
use crate::lookups::Lookups;
use crate::policy::Policy;
use crate::sources::Sources;
use crate::submission::{Desk, Submissions};
use crate::turned_away::TurnedAway;

/// What the sessions of a listener offer.
pub(crate) type Offer = Arc<facteur_smtp::server::Config>;

/// What every configuration of a server has in common.
pub(crate) struct Premises {
    spool: Arc<dyn Spool>,
    pub(crate) clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    pub(crate) census: Arc<Census>,
    envelopes: Arc<Envelopes>,
    sessions: Arc<AtomicU64>,
    turned_away: Arc<TurnedAway>,
    sources: Arc<Sources>,
    /// By what submissions are taken; nothing before the first configuration.
    desk: watch::Sender<Option<Arc<Desk>>>,
    stops: watch::Receiver<Stopping>,
    /// Held by everything that runs.
    alive: mpsc::Sender<()>,
}

/// A place that is listened on.
pub(crate) struct Place {
    pub(crate) name: Option<PlaceName>,
    /// By what its next connections are served; dropped, the place is closed.
    services: watch::Sender<Services>,
}

/// A place of the system's.
pub(crate) struct PlaceName {
    /// As the configuration has it.
    pub(crate) asked: ListenAddress,
    /// With the port that the system chose.
    pub(crate) address: ListenAddress,
}

/// A place that is open and serves nobody yet.
pub(crate) struct Opened {
    name: PlaceName,
    socket: Listening,
}

impl Opened {
    /// Gets ready to accept; within a runtime.
    pub(crate) fn new(bound: Bound) -> Result<Self, ServerError> {
        let asked = bound.address().clone();
        let failed = |error| ServerError::Listen {
            address: asked.clone(),
            error,
        };
        let socket = bound.serve().map_err(failed)?;
        let address = socket.address().map_err(failed)?;
        let name = PlaceName { asked, address };
        Ok(Self { name, socket })
    }

    /// Where it really is.
    pub(crate) const fn address(&self) -> &ListenAddress {
        &self.name.address
    }
}

impl Premises {
    pub(crate) fn new(
        config: &Config,
        parts: &Parts,
        stops: watch::Receiver<Stopping>,
        alive: mpsc::Sender<()>,
    ) -> Self {
        Self {
            spool: Arc::clone(&parts.spool),
            clock: Arc::clone(&parts.clock),
            observer: Arc::clone(&parts.observer),
            census: Census::new(config.limits.clone(), config.hostname.clone()),
            envelopes: Envelopes::new(config.max_envelope_octets),
            sessions: Arc::new(AtomicU64::new(1)),
            turned_away: Arc::default(),
            sources: Arc::default(),
            desk: watch::Sender::new(None),
            stops,
            alive,
        }
    }

    /// What serves the connections of a place, by what its sessions offer.
    pub(crate) fn services(
        &self,
        config: Config,
        router: Arc<Router>,
        planner: Planner,
    ) -> impl Fn(Offer) -> Services {
        let config = Arc::new(config);
        let lookups = Lookups::new(planner, config.patience.lookup);
        let policy = Arc::new(Policy::new(router, lookups));
        let intake = Intake::new(
            Arc::clone(&self.spool),
            Arc::clone(&config),
            Arc::clone(&self.envelopes),
        );
        let desk = Desk {
            policy: Arc::clone(&policy),
            intake: intake.clone(),
            observer: Arc::clone(&self.observer),
            clock: Arc::clone(&self.clock),
        };
        drop(self.desk.send_replace(Some(Arc::new(desk))));
        move |session| Services {
            session,
            config: Arc::clone(&config),
            policy: Arc::clone(&policy),
            intake: intake.clone(),
            census: Arc::clone(&self.census),
            sources: Arc::clone(&self.sources),
            observer: Arc::clone(&self.observer),
            stopping: self.stops.clone(),
        }
    }

    /// A way in for messages that do not come by SMTP.
    pub(crate) fn submissions(&self) -> Submissions {
        Submissions::new(self.desk.subscribe())
    }

    /// Serves whoever connects there.
    pub(crate) fn serve(&self, opened: Opened, services: Services) -> Place {
        let Opened { name, socket } = opened;
        match socket {
            Listening::Tcp(listener) => self.serve_on(Some(name), listener, services),
            Listening::Unix(listener) => self.serve_on(Some(name), listener, services),
        }
    }

    /// Serves whoever such a listener accepts.
    pub(crate) fn serve_on<L: Listener>(
        &self,
        name: Option<PlaceName>,
        listener: L,
        services: Services,
    ) -> Place {
        let (services, next) = watch::channel(services);
        let reception = Reception {
            services: next,
            stopping: self.stops.clone(),
            clock: Arc::clone(&self.clock),
            sessions: Arc::clone(&self.sessions),
            turned_away: Arc::clone(&self.turned_away),
            alive: self.alive.clone(),
        };
        drop(tokio::spawn(reception.run(listener)));
        Place { name, services }
    }
}

impl Place {
    /// Whether this is the place that the configuration names so.
    pub(crate) fn is(&self, address: &ListenAddress) -> bool {
        let name = self.name.as_ref();
        name.is_some_and(|name| name.asked == *address)
    }

    /// Its next connections are served by these.
    pub(crate) fn serve_by(&self, services: Services) {
        drop(self.services.send_replace(services));
    }
}
