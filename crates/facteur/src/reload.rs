//! Another configuration for the server that runs, at SIGHUP or by `facteur config reload`: read whole, then handed to
//! each part. Sessions and deliveries under way go on as they began; whatever begins afterwards sees the new one.
//!
//! First comes all that can fail; then nothing can any more, so that a configuration is in force whole or not at all.

use std::sync::Arc;

use facteur_delivery::{DiskMailboxes, Handle, Sender, Terms};
use facteur_mail::text::escaped;
use facteur_mail::{Clock as _, IsoDate, Random, Timestamp};
use facteur_replies::{Language, text};
use facteur_route::{HickoryResolver, Planner, Resolver, RouteError, Router};
use facteur_server::{Server, ServerError};
use facteur_spool_local::LocalSpool;
use tokio::sync::{mpsc, oneshot, watch};

use crate::args::Instance;
use crate::config::diff::Change;
use crate::config::words::written;
use crate::config::{Config, Effect, Unusable};
use crate::error::{CliError, Kind};
use crate::process::{Beyond, Limits};
use crate::system::SystemClock;
use crate::ui::shown;
use crate::{failure, log, wiring};

/// How many may wait for their reload: each is quick.
const WAITING: usize = 8;

/// Asks the server to read its configuration again.
pub(crate) type Wish = oneshot::Sender<Result<Vec<Change>, NotReloaded>>;

/// Why the configuration in force is the one that it was.
#[derive(Debug)]
pub(crate) enum NotReloaded {
    /// The new one cannot be used.
    Unusable(Unusable),
    /// It needs what the process has given up.
    Beyond(Vec<Beyond>),
    /// No resolver can be made.
    Resolver(RouteError),
    /// A place cannot be listened on.
    Server(ServerError),
}

/// What a new configuration needs besides the server and delivery to come into force.
pub(crate) struct Reloader {
    pub(crate) instance: Instance,
    pub(crate) limits: Arc<Limits>,
    /// How many files may be open.
    pub(crate) descriptors: u64,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) sender: Arc<Sender>,
    pub(crate) spool: Arc<LocalSpool>,
    pub(crate) level: log::Level,
    pub(crate) in_force: watch::Sender<Arc<Config>>,
    /// The moment as of which routes are in force.
    pub(crate) routes_at: Timestamp,
}

/// Says which routes of a configuration are over.
fn log_ended(config: &Config, now: Timestamp) {
    for route in config.route.iter().filter(|route| route.is_over(now)) {
        let (pattern, hop) = (&route.r#match, &route.next_hop);
        let reason = route.reason.as_ref().map(|it| escaped(&it.0).to_string());
        let until = route.until.map(|until| IsoDate(until.0).to_string());
        tracing::warn!(
            route = %escaped(&pattern.to_string()),
            next_hop = %escaped(&hop.to_string()),
            until,
            reason,
            "a route is over and does not apply"
        );
    }
}

/// A way to wish for a reload, and its other end.
pub(crate) fn wishes() -> (mpsc::Sender<Wish>, mpsc::Receiver<Wish>) {
    mpsc::channel(WAITING)
}

impl Reloader {
    /// The configuration in force.
    pub(crate) fn in_force(&self) -> Arc<Config> {
        Arc::clone(&self.in_force.borrow())
    }

    /// Reads the configuration again and puts it into force; says both what came of it and what waits in the log.
    ///
    /// # Errors
    /// [`NotReloaded`]: then nothing has changed.
    pub(crate) fn reload(
        &mut self,
        server: &mut Server,
        delivery: &Handle,
    ) -> Result<Vec<Change>, NotReloaded> {
        let done = self.try_reload(server, delivery);
        match &done {
            Ok(changes) => log_changes(changes),
            Err(error) => {
                error.log();
                tracing::error!("not reloaded: the configuration in force stays as it was");
            }
        }
        done
    }

    fn try_reload(
        &mut self,
        server: &mut Server,
        delivery: &Handle,
    ) -> Result<Vec<Change>, NotReloaded> {
        let running = self.in_force();
        let (config, changes) = running.next(&self.instance)?;
        let beyond = self.limits.beyond(&config, self.instance.config.as_deref());
        if !beyond.is_empty() {
            return Err(NotReloaded::Beyond(beyond));
        }
        self.put_into_force(config, &running, server, delivery)?;
        self.log_ended();
        Ok(changes)
    }

    /// Says which routes are over.
    pub(crate) fn log_ended(&self) {
        log_ended(&self.in_force(), self.routes_at);
    }

    /// The next moment at which a route of the configuration in force is over.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        let config = self.in_force();
        let ends = config.route.iter().filter_map(|route| route.until);
        let ends = ends.map(|until| until.0);
        ends.filter(|end| *end > self.routes_at).min()
    }

    /// Takes routes that are over out of force; the configuration stays the same.
    pub(crate) fn end_routes(&mut self, server: &mut Server, delivery: &Handle) {
        let config = self.in_force();
        match self.put_into_force(Config::clone(&config), &config, server, delivery) {
            Ok(()) => self.log_ended(),
            // It was in force until now: only the system's name servers can be at fault.
            Err(error) => error.log(),
        }
    }

    fn put_into_force(
        &mut self,
        config: Config,
        running: &Config,
        server: &mut Server,
        delivery: &Handle,
    ) -> Result<(), NotReloaded> {
        // The system's servers may be others, though the configuration is the same.
        let resolver: Arc<dyn Resolver> =
            if config.dns == running.dns && !config.dns.servers.is_empty() {
                Arc::clone(&self.resolver)
            } else {
                Arc::new(HickoryResolver::new(&wiring::dns(&config))?)
            };
        let random = Arc::clone(&self.random);
        let planner = Planner::new(Arc::clone(&resolver), random, wiring::policy(&config));
        let now = SystemClock.now();
        let router = Arc::new(Router::new(wiring::route(&config, now)));
        let connections = wiring::connections(&config, self.descriptors);
        let for_server = wiring::server(&config, connections);
        server.reload(for_server, Arc::clone(&router), planner.clone())?;
        // From here on nothing fails.
        self.routes_at = now;
        self.resolver = resolver;
        self.sender = Arc::new(self.sender.under(wiring::sender(&config)));
        delivery.reload(Terms {
            config: wiring::delivery(&config),
            router,
            planner,
            remote: Arc::clone(&self.sender) as _,
            mailboxes: Arc::new(DiskMailboxes::new(config.hostname.as_str())),
        });
        self.spool.set_message_limit(config.limits.message_size);
        self.level.set(&config.log);
        drop(self.in_force.send_replace(Arc::new(config)));
        Ok(())
    }
}

fn log_changes(changes: &[Change]) {
    for change in changes {
        let (key, old, new) = (&change.key, written(&change.old), written(&change.new));
        let (key, old, new) = (escaped(key), escaped(&old), escaped(&new));
        match change.effect {
            Effect::Reload => tracing::info!(%key, %old, %new, "configuration changed"),
            Effect::Restart => tracing::warn!(
                %key, %old, %new,
                "not changed: this key waits for a restart"
            ),
        }
    }
    let changed = changes.iter().filter(|it| it.effect == Effect::Reload);
    tracing::info!(changed = changed.count(), "configuration reloaded");
}

impl NotReloaded {
    /// What is wrong, in the reader's language.
    pub(crate) fn explained(&self, language: Language) -> CliError {
        match self {
            Self::Unusable(unusable) => unusable.explained(language, false),
            Self::Beyond(beyond) => {
                let details: Vec<String> =
                    beyond.iter().map(|it| beyond_words(it, language)).collect();
                let error = CliError::new(Kind::Config, text(language, "reload-beyond", &[]));
                error.before(details.join("\n") + "\n").hint(text(
                    language,
                    "reload-beyond-hint",
                    &[],
                ))
            }
            Self::Resolver(error) => {
                CliError::new(Kind::System, failure::resolver(error, language))
            }
            Self::Server(error) => CliError::new(Kind::System, failure::server(error, language))
                .hint(text(language, "reload-cannot-listen-hint", &[])),
        }
    }

    fn log(&self) {
        let english = Language::English;
        match self {
            Self::Unusable(unusable) => unusable.log(),
            Self::Beyond(beyond) => {
                for beyond in beyond {
                    let what = beyond_words(beyond, english);
                    tracing::error!(%what, "confined since the start: this needs a restart");
                }
            }
            Self::Resolver(error) => {
                let what = failure::resolver(error, english);
                tracing::error!(%what, "DNS cannot be asked as configured");
            }
            Self::Server(error) => {
                let what = failure::server(error, english);
                tracing::error!(%what, "a listener cannot be opened");
            }
        }
    }
}

/// What goes beyond what the process may do, in words.
pub(crate) fn beyond_words(beyond: &Beyond, language: Language) -> String {
    let path = |id: &str, path: &std::path::Path| {
        let path = shown(&path.display().to_string());
        text(language, id, &[("path", (&path).into())])
    };
    let port = |id: &str, port: u16| {
        let port = port.to_string();
        text(language, id, &[("port", (&port).into())])
    };
    match beyond {
        Beyond::Folder(folder) => path("reload-beyond-folder", folder),
        Beyond::Socket(folder) => path("reload-beyond-socket", folder),
        Beyond::Listen(number) => port("reload-beyond-listen", *number),
        Beyond::Connect(number) => port("reload-beyond-connect", *number),
    }
}

impl From<Unusable> for NotReloaded {
    fn from(unusable: Unusable) -> Self {
        Self::Unusable(unusable)
    }
}

impl From<RouteError> for NotReloaded {
    fn from(error: RouteError) -> Self {
        Self::Resolver(error)
    }
}

impl From<ServerError> for NotReloaded {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}
