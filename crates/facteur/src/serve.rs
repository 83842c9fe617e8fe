//! `facteur serve`: opens the spool, starts delivery and the listeners, and ends all of it in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use facteur_delivery::{Delivery, DiskMailboxes, Sender, Sockets};
use facteur_mail::text::escaped;
use facteur_mail::{Clock, Random};
use facteur_route::{HickoryResolver, Planner, Router};
use facteur_server::{Parts, Server};
use facteur_spool::{Spool, SpoolError};
use facteur_spool_local::{LocalSpool, RecoveryReport};
use facteur_webhooks::Hook;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Instance;
use crate::config::Config;
use crate::console::{self, Surroundings};
use crate::control::{self, Control, Levers, Socket};
use crate::error::{CliError, Kind};
use crate::process::service::{self, Vitals};
use crate::process::{self, Settled};
use crate::system::{SystemClock, SystemRandom};
use crate::ui::{Screen, shown};
use crate::witnesses::Witnesses;
use crate::{failure, log, ui, webhooks, wiring};

/// Runs the server until it is told to stop.
pub(crate) fn run(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    log::start(&config.log, ui::log_color(screen.color_choice));
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
    runtime.block_on(serve(&config, secrets, settled, descriptors, screen))
}

/// What holds secrets, read before privileges are given up.
struct Secrets {
    console: Option<facteur_console::Config>,
    hooks: Vec<Hook>,
}

/// One more than there are cores: whoever leads a group commit blocks its thread while the disk works.
fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get) + 1
}

async fn serve(
    config: &Config,
    secrets: Secrets,
    settled: Settled,
    descriptors: u64,
    screen: &Screen,
) -> Result<(), CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let started = clock.now();
    let local = open_spool(config, &clock, screen)?;
    let spool: Arc<dyn Spool> = Arc::clone(&local) as Arc<dyn Spool>;

    let planner = planner(config, Arc::clone(&random), screen)?;
    let router = Arc::new(Router::new(wiring::route(config)));
    let sender = Sender::new(
        wiring::sender(config),
        Arc::new(Sockets::default()),
        Arc::clone(&clock),
    );
    let witnesses = Witnesses::start(secrets.hooks, config, Arc::clone(&clock), screen)?;
    let observer = witnesses.observer();
    let mut delivery = Delivery {
        config: wiring::delivery(config),
        spool: Arc::clone(&spool),
        router: Arc::clone(&router),
        planner: planner.clone(),
        remote: Arc::new(sender),
        mailboxes: Arc::new(DiskMailboxes::new(config.hostname.as_str())),
        clock: Arc::clone(&clock),
        random,
        observer: Arc::clone(&observer),
    }
    .start();
    let parts = Parts {
        spool: Arc::clone(&spool),
        router,
        planner,
        clock: Arc::clone(&clock),
        observer,
    };
    let connections = affordable_connections(config, descriptors);
    let socket = control_socket(config, screen)?;
    let server = Server::start_on(settled.open, wiring::server(config, connections), parts)
        .map_err(|error| CliError::new(Kind::System, failure::server(&error, screen.language)))?;
    let watchdog = Vitals {
        scheduler: delivery.steering(),
        spool: Arc::clone(&local),
        visitors: server.visitors(),
        clock: Arc::clone(&clock),
        language: screen.language,
    }
    .watch();
    let levers = Levers {
        hostname: config.hostname.to_string(),
        started,
        spool: local,
        visitors: server.visitors(),
        confinement: settled.confinement,
    };
    let stopping = Arc::new(AtomicBool::new(false));
    let surroundings = Surroundings {
        spool: Arc::clone(&spool),
        server: &server,
        metrics: Arc::clone(&witnesses.metrics),
        stopping: Arc::clone(&stopping),
        clock: Arc::clone(&clock),
    };
    let console = console::start(secrets.console, config, surroundings, screen)?;
    let control = Control::start(socket, levers, clock);
    say_ready(config, &server, screen);

    end_has_come(&mut delivery).await;
    stopping.store(true, Ordering::Relaxed);
    watchdog.stop();
    control.shutdown().await;
    if let Some(console) = console {
        console.shutdown(config.limits.shutdown_grace).await;
    }
    server.shutdown(config.limits.shutdown_grace).await;
    delivery.shutdown().await;
    witnesses.shutdown().await;
    let closed = spool.close().await;
    closed.map_err(|error| no_spool(&error, screen))?;
    tracing::info!("stopped");
    Ok(())
}

/// What asks DNS.
fn planner(config: &Config, random: Arc<dyn Random>, screen: &Screen) -> Result<Planner, CliError> {
    let resolver = HickoryResolver::new(&wiring::dns(config))
        .map_err(|error| CliError::new(Kind::System, failure::resolver(&error, screen.language)))?;
    let policy = wiring::policy(config);
    Ok(Planner::new(Arc::new(resolver), random, policy))
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

/// Somebody says so, or delivery has ended, without which there is no server.
async fn end_has_come(delivery: &mut facteur_delivery::Handle) {
    tokio::select! {
        () = told_to_stop() => tracing::info!("told to stop: sessions and deliveries under way may end"),
        // A scheduler that ends by itself is a bug; `ended` hands its panic on.
        () = delivery.ended() => tracing::error!("delivery has ended by itself"),
    }
}

/// SIGTERM or SIGINT.
async fn told_to_stop() {
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
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

fn say_ready(config: &Config, server: &Server, screen: &Screen) {
    tracing::info!(
        hostname = %config.hostname,
        data = %config.data_dir.display(),
        version = env!("CARGO_PKG_VERSION"),
        "facteur serves"
    );
    let places: Vec<String> = server.addresses().iter().map(ToString::to_string).collect();
    service::ready(&config.hostname, &places, screen.language);
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
