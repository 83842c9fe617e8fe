//! `facteur serve`: opens the spool, starts delivery and the listeners, listens to signals, and ends all of it in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use facteur_console::Console;
use facteur_delivery::{Delivery, DiskMailboxes, Handle, Order, Sender, Sockets};
use facteur_mail::text::escaped;
use facteur_mail::{Clock, Observer, Random, Timestamp};
use facteur_replies::Language;
use facteur_route::{HickoryResolver, Planner, Resolver, Router};
use facteur_server::{Parts, Server, ServerError};
use facteur_spool::{Spool, SpoolError};
use facteur_spool_local::{LocalSpool, RecoveryReport};
use facteur_webhooks::Hook;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{mpsc, watch};

use crate::args::Instance;
use crate::config::Config;
use crate::config::diff::Change;
use crate::console::{self, Surroundings};
use crate::control::{self, Control, Levers, Socket};
use crate::destinations::{self, Desk, OrdersError};
use crate::error::{CliError, Kind};
use crate::process::service::{self, Vitals, Watchdog};
use crate::process::{self, Settled};
use crate::queue::Operator;
use crate::reload::{self, NotReloaded, Reloader, Wish};
use crate::signals::{Signals, Told};
use crate::system::{SystemClock, SystemRandom};
use crate::ui::{Screen, shown};
use crate::witnesses::Witnesses;
use crate::{failure, log, ui, webhooks, wiring};

/// Runs the server until it is told to stop.
pub(crate) fn run(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    let level = log::start(&config.log, ui::log_color(screen.color_choice));
    let descriptors = raise_descriptor_limit();
    // Root may read what the server's user may not.
    let secrets = Secrets {
        console: console::config(&config, screen.language)?,
        hooks: webhooks::hooks(&config, screen.language)?,
    };
    let settled = process::settle(&config, instance.config.as_deref(), screen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads())
        .enable_all()
        .build()
        .map_err(|error| {
            let words = shown(&error.to_string());
            CliError::new(
                Kind::System,
                screen.text("serve-no-runtime", &[("words", (&words).into())]),
            )
        })?;
    let start = Start {
        instance: instance.clone(),
        config,
        secrets,
        settled,
        descriptors,
        level,
    };
    runtime.block_on(async {
        let signals = Signals::listen();
        let mut running = Running::start(start, screen)?;
        running.serve(signals).await;
        running.stop(screen).await
    })
}

/// One more than there are cores: whoever leads a group commit blocks its thread while the disk works.
fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get) + 1
}

/// What holds secrets, read before privileges are given up.
struct Secrets {
    console: Option<facteur_console::Config>,
    hooks: Vec<Hook>,
}

/// What a server starts with.
struct Start {
    instance: Instance,
    config: Config,
    secrets: Secrets,
    settled: Settled,
    descriptors: u64,
    level: log::Level,
}

/// A server that serves.
struct Running {
    server: Server,
    delivery: Handle,
    control: Control,
    console: Option<Console>,
    witnesses: Witnesses,
    spool: Arc<dyn Spool>,
    stopping: Arc<AtomicBool>,
    watchdog: Watchdog,
    /// Of the words for the service manager.
    language: Language,
    reloader: Reloader,
    wishes: mpsc::Receiver<Wish>,
}

impl Running {
    fn start(start: Start, screen: &Screen) -> Result<Self, CliError> {
        let config = &start.config;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let started = clock.now();
        let local = open_spool(config, &clock, screen)?;
        let spool: Arc<dyn Spool> = Arc::clone(&local) as _;
        let resolver = resolver(config, screen)?;
        let planner = planner(config, &resolver, &random);
        let router = Arc::new(Router::new(wiring::route(config, started)));
        let sender = sender(config, &clock);
        let hooks = start.secrets.hooks;
        let witnesses = Witnesses::start(hooks, config, Arc::clone(&clock), screen)?;
        let parts = Parts {
            spool: Arc::clone(&spool),
            router,
            planner,
            clock: Arc::clone(&clock),
            observer: witnesses.observer(),
        };
        let (delivery, desk) = delivery(config, &parts, &sender, &random, screen)?;
        let socket = control_socket(config, screen)?;
        let settings = wiring::server(config, affordable_connections(config, start.descriptors));
        let server = Server::start_on(start.settled.open, settings, parts)
            .map_err(|error| no_server(&error, screen))?;
        let vitals = Vitals {
            scheduler: delivery.steering(),
            spool: Arc::clone(&local),
            visitors: server.visitors(),
            clock: Arc::clone(&clock),
            language: screen.language,
        };
        let stopping = Arc::new(AtomicBool::new(false));
        let surroundings = Surroundings {
            spool: Arc::clone(&spool),
            server: &server,
            metrics: Arc::clone(&witnesses.metrics),
            stopping: Arc::clone(&stopping),
            clock: Arc::clone(&clock),
        };
        let console = console::start(start.secrets.console, config, surroundings, screen)?;
        say_ready(config, &server, screen.language);
        let (in_force, configuration) = watch::channel(Arc::new(start.config));
        let (reloads, wishes) = reload::wishes();
        let limits = Arc::new(start.settled.limits);
        let levers = Levers {
            limits: Arc::clone(&limits),
            configuration,
            reloads,
            started,
            spool: Arc::clone(&local),
            operator: operator(&spool, &clock, witnesses.observer(), &delivery),
            destinations: desk,
            visitors: server.visitors(),
            confinement: start.settled.confinement,
        };
        let reloader = Reloader {
            instance: start.instance,
            limits,
            descriptors: start.descriptors,
            random,
            resolver,
            sender,
            spool: local,
            level: start.level,
            in_force,
            routes_at: started,
        };
        Ok(Self {
            server,
            delivery,
            control: Control::start(socket, levers, clock),
            console,
            witnesses,
            spool,
            stopping,
            watchdog: vitals.watch(),
            language: screen.language,
            reloader,
            wishes,
        })
    }

    /// Serves until it is told to stop.
    async fn serve(&mut self, mut signals: Signals) {
        self.reloader.log_ended();
        loop {
            let over = end_of(self.reloader.next_end());
            let told = tokio::select! {
                told = signals.next() => told,
                () = over => {
                    self.reloader.end_routes(&mut self.server, &self.delivery);
                    continue;
                }
                Some(wish) = self.wishes.recv() => {
                    let done = self.reload();
                    // Whoever wished for it may have gone.
                    drop(wish.send(done));
                    continue;
                }
                // A scheduler that ends by itself is a bug; `ended` hands its panic on.
                () = self.delivery.ended() => {
                    return tracing::error!("delivery has ended by itself");
                }
            };
            match told {
                Told::Stop => break,
                Told::Reload => drop(self.reload()),
            }
        }
        tracing::info!("told to stop: sessions and deliveries under way may end");
    }

    fn reload(&mut self) -> Result<Vec<Change>, NotReloaded> {
        service::reloading();
        let done = self.reloader.reload(&mut self.server, &self.delivery);
        tell_ready(&self.reloader.in_force(), &self.server, self.language);
        done
    }

    async fn stop(self, screen: &Screen) -> Result<(), CliError> {
        // Whoever wished for a reload hears that there is none.
        drop(self.wishes);
        let grace = self.reloader.in_force().limits.shutdown_grace;
        self.stopping.store(true, Ordering::Relaxed);
        self.watchdog.stop();
        self.control.shutdown().await;
        if let Some(console) = self.console {
            console.shutdown(grace).await;
        }
        self.server.shutdown(grace).await;
        self.delivery.shutdown().await;
        self.witnesses.shutdown().await;
        let closed = self.spool.close().await;
        closed.map_err(|error| no_spool(&error, screen))?;
        tracing::info!("stopped");
        Ok(())
    }
}

fn no_server(error: &ServerError, screen: &Screen) -> CliError {
    CliError::new(Kind::System, failure::server(error, screen.language))
}

/// What speaks to other servers.
fn sender(config: &Config, clock: &Arc<dyn Clock>) -> Arc<Sender> {
    let sockets = Arc::new(Sockets::default());
    Arc::new(Sender::new(
        wiring::sender(config),
        sockets,
        Arc::clone(clock),
    ))
}

/// Delivery, with what it has in common with the server, and where orders for it come together.
fn delivery(
    config: &Config,
    parts: &Parts,
    sender: &Arc<Sender>,
    random: &Arc<dyn Random>,
    screen: &Screen,
) -> Result<(Handle, Desk), CliError> {
    let clock = &parts.clock;
    let orders = orders(config, clock, screen)?;
    let delivery = Delivery {
        config: facteur_delivery::Config {
            orders: orders.clone(),
            ..wiring::delivery(config)
        },
        spool: Arc::clone(&parts.spool),
        router: Arc::clone(&parts.router),
        planner: parts.planner.clone(),
        remote: Arc::clone(sender) as _,
        mailboxes: Arc::new(DiskMailboxes::new(config.hostname.as_str())),
        clock: Arc::clone(clock),
        random: Arc::clone(random),
        observer: Arc::clone(&parts.observer),
    }
    .start();
    let file = destinations::file(&config.data_dir);
    let desk = Desk::new(delivery.steering(), Arc::clone(clock), file, orders);
    Ok((delivery, desk))
}

fn resolver(config: &Config, screen: &Screen) -> Result<Arc<dyn Resolver>, CliError> {
    let resolver = HickoryResolver::new(&wiring::dns(config))
        .map_err(|error| CliError::new(Kind::System, failure::resolver(&error, screen.language)))?;
    Ok(Arc::new(resolver))
}

/// Who acts on the queue for operators.
fn operator(
    spool: &Arc<dyn Spool>,
    clock: &Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    delivery: &Handle,
) -> Operator {
    Operator {
        spool: Arc::clone(spool),
        clock: Arc::clone(clock),
        observer,
        dispatch: Some(Arc::new(wiring::Dispatcher {
            announcer: delivery.announcer(),
            steering: delivery.steering(),
        })),
    }
}

/// What an operator ordered before this start.
fn orders(
    config: &Config,
    clock: &Arc<dyn Clock>,
    screen: &Screen,
) -> Result<Vec<Order>, CliError> {
    let path = destinations::file(&config.data_dir);
    destinations::load(&path, clock.now()).map_err(|error| {
        let path = shown(&path.display().to_string());
        match error {
            OrdersError::Damaged => {
                let text = screen.text("serve-bad-orders", &[("path", (&path).into())]);
                CliError::new(Kind::System, text).hint(screen.text("serve-bad-orders-hint", &[]))
            }
            OrdersError::System(error) => {
                let words = shown(&error.to_string());
                let args = [("path", (&path).into()), ("words", (&words).into())];
                CliError::new(Kind::System, screen.text("serve-no-orders", &args))
            }
        }
    })
}

/// What asks DNS for the way.
fn planner(config: &Config, resolver: &Arc<dyn Resolver>, random: &Arc<dyn Random>) -> Planner {
    let policy = wiring::policy(config);
    Planner::new(Arc::clone(resolver), Arc::clone(random), policy)
}

/// When a route is over.
async fn end_of(route: Option<Timestamp>) {
    match route {
        Some(end) => SystemClock.sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn open_spool(
    config: &Config,
    clock: &Arc<dyn Clock>,
    screen: &Screen,
) -> Result<Arc<LocalSpool>, CliError> {
    let (spool, report) = LocalSpool::open(wiring::spool(config), Arc::clone(clock))
        .map_err(|error| no_spool(&error, screen))?;
    say_recovered(&report);
    Ok(spool)
}

fn say_ready(config: &Config, server: &Server, language: Language) {
    tracing::info!(
        hostname = %config.hostname,
        data = %config.data_dir.display(),
        version = env!("CARGO_PKG_VERSION"),
        "facteur serves"
    );
    tell_ready(config, server, language);
}

fn tell_ready(config: &Config, server: &Server, language: Language) {
    let places: Vec<String> = server.addresses().iter().map(ToString::to_string).collect();
    service::ready(&config.hostname, &places, language);
}

/// Made before the first banner, so that whoever sees that can ask.
fn control_socket(config: &Config, screen: &Screen) -> Result<Socket, CliError> {
    let path = control::path(&config.data_dir);
    Socket::listen(&path).map_err(|error| {
        let path = shown(&path.display().to_string());
        let words = shown(&error.to_string());
        let args = [("path", (&path).into()), ("words", (&words).into())];
        CliError::new(Kind::System, screen.text("serve-no-control", &args))
            .hint(screen.text("serve-no-control-hint", &[]))
    })
}

fn say_recovered(report: &RecoveryReport) {
    tracing::info!(
        messages = report.messages,
        segments = report.segments,
        torn = report.torn_tail,
        orphans = report.orphans,
        millis = report.elapsed.as_millis(),
        clean = report.closed_before,
        "spool opened"
    );
    for damage in &report.damaged {
        tracing::error!(
            file = %escaped(&damage.path.display().to_string()),
            offset = damage.offset,
            id = damage.id.map(|id| id.to_string()),
            reason = damage.reason.name(),
            copy = damage.copy.as_ref().map(|copy| copy.display().to_string()),
            "damaged record set aside"
        );
    }
    if !report.filesystem.survives_power_loss() {
        tracing::warn!(
            filesystem = report.filesystem.name(),
            "the spool does not survive a loss of power"
        );
    }
}

/// How many connections there may be, with a word where these are not as many as were asked for.
fn affordable_connections(config: &Config, descriptors: u64) -> u64 {
    let connections = wiring::connections(config, descriptors);
    if connections < config.limits.connections {
        tracing::warn!(
            connections,
            configured = config.limits.connections,
            open_files = descriptors,
            "fewer connections than configured: the system's limit of open files allows no more"
        );
    }
    connections
}

/// Connections cost descriptors: take as many as the system lets us. Returns how many these are.
fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    if let Err(error) = raised {
        tracing::warn!(%error, current = limit.current, "the limit of open files could not be raised");
        return limit.current.unwrap_or(u64::MAX);
    }
    limit.maximum.unwrap_or(u64::MAX)
}

fn no_spool(error: &SpoolError, screen: &Screen) -> CliError {
    let words = failure::spool(error, screen.language);
    CliError::new(
        Kind::Spool,
        screen.text("serve-no-spool", &[("words", (&words).into())]),
    )
}
