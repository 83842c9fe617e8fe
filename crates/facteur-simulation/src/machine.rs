//! One life of the server: the same parts that `facteur serve` puts together, on a simulated machine.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use facteur_delivery::{
    Backoff, CacheLimits, Config as DeliveryConfig, Delivery, Handle, Sender, SenderConfig,
};
use facteur_mail::event::Observers;
use facteur_mail::{Clock, Domain, Random};
use facteur_route::{
    Config as RouteConfig, Deliver, LocalDomain, MaildirTemplate, Network, Planner, Policy, Router,
};
use facteur_server::{Config as ServerConfig, Listener, Parts, Server};
use facteur_smtp::server as smtp;
use facteur_spool::{Spool, SpoolError};
use facteur_spool_local::LocalSpool;
use facteur_testkit::SeededRandom;

use crate::counter::Counter;
use crate::laws::Law;
use crate::mailboxes::Boxes;
use crate::names::Names;
use crate::net::Net;
use crate::settings::{HOSTNAME, LOCAL, Settings};
use crate::storage::{Readable, Storage};
use crate::wire::Wire;
use crate::world::{Life, World};

/// How long sessions may go on at an orderly stop.
const GRACE: Duration = Duration::from_secs(10);

/// A server that runs.
pub(crate) struct Machine {
    spool: Arc<dyn Spool>,
    server: Server,
    delivery: Handle,
}

impl Machine {
    /// Starts the server as `facteur serve` does: the spool, delivery, the listener.
    ///
    /// # Errors
    /// Why the spool cannot be opened.
    pub(crate) fn start(life: &Life, readable: &Readable) -> Result<Self, SpoolError> {
        let world = &life.world;
        let clock: Arc<dyn Clock> = Arc::new(world.clock.clone());
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(world.seed ^ life.number << 32));
        let storage = Storage::new(life.clone(), Arc::clone(readable));
        let (opened, report) = LocalSpool::open_on(
            Arc::new(storage),
            world.settings.spool(),
            Arc::clone(&clock),
        )?;
        if let Some(damage) = report.damaged.first() {
            let what = format!("a crash left damage: {damage:?}");
            world
                .books()
                .broken(world, Law::OpensAgain, what, Vec::new());
        }
        world.books().opened(world, &*opened);
        let spool: Arc<dyn Spool> = Arc::new(Counter::new(opened, life.clone()));
        let router = Arc::new(Router::new(routes()));
        let names = Arc::new(Names::new(world, life.number));
        let planner = Planner::new(names, Arc::clone(&random), Policy::default());
        let mut sender = SenderConfig::new(HOSTNAME);
        sender.cache = CacheLimits {
            connections: world.settings.idle_connections,
            ..CacheLimits::default()
        };
        let remote = Sender::new(sender, Arc::new(Net(life.clone())), Arc::clone(&clock));
        let delivery = Delivery {
            config: delivery(&world.settings),
            spool: Arc::clone(&spool),
            router: Arc::clone(&router),
            planner: planner.clone(),
            remote: Arc::new(remote),
            mailboxes: Arc::new(Boxes::new(life.clone())),
            clock: Arc::clone(&clock),
            random,
            observer: Arc::new(Observers::default()),
        }
        .start();
        let parts = Parts {
            spool: Arc::clone(&spool),
            router,
            planner,
            clock,
            observer: Arc::new(Observers::default()),
        };
        let door = Door(life.clone());
        let session = Arc::new(smtp::Config::new(domain(HOSTNAME), smtp::Role::Smtp));
        let server = Server::start_with(
            ServerConfig::new(domain(HOSTNAME)),
            parts,
            [(door, session)],
        );
        world.open_door();
        Ok(Self {
            spool,
            server,
            delivery,
        })
    }

    /// Ends it in the order of `facteur serve`, and sets `stopped`.
    pub(crate) async fn stop(self, life: Life, stopped: Arc<AtomicBool>) {
        life.world.close_door();
        self.server.shutdown(GRACE).await;
        self.delivery.shutdown().await;
        if let Err(error) = self.spool.close().await {
            life.world
                .note(format_args!("the spool cannot be closed: {error}"));
        }
        stopped.store(true, Ordering::SeqCst);
    }

    /// How many messages are queued.
    pub(crate) fn queued(&self) -> usize {
        self.spool.len()
    }
}

fn routes() -> RouteConfig {
    let mut routes = RouteConfig::new(domain(HOSTNAME));
    if let Ok(maildir) = MaildirTemplate::parse("/mail/{user}") {
        let local = LocalDomain::new(Deliver::Maildir(maildir));
        routes.domains.insert(domain(LOCAL), local);
    }
    routes.relay_networks = Network::parse("192.0.2.0/24").into_iter().collect();
    routes
}

fn delivery(settings: &Settings) -> DeliveryConfig {
    let mut config = DeliveryConfig::new(HOSTNAME);
    if let Some(retry) = Backoff::new(&settings.waits) {
        config.retry = retry;
    }
    config.give_up_after = settings.give_up_after;
    config.destination_pause = settings.destination_pause;
    config.delay_notice_after = settings.delay_notice_after;
    config
}

#[expect(clippy::expect_used, reason = "the names of this simulation are names")]
fn domain(name: &str) -> Domain {
    Domain::parse(name).expect("a name")
}

/// Where clients knock.
struct Door(Life);

impl Listener for Door {
    type Stream = Wire;

    async fn accept(&self) -> io::Result<(Wire, Option<IpAddr>)> {
        let world: &Arc<World> = &self.0.world;
        let (wire, ip) = poll_fn(|cx| world.poll_visitor(cx.waker())).await;
        Ok((wire, Some(ip)))
    }

    fn say_and_close(_: Wire, _: &[u8]) {}
}
