//! A server for the checks: the operator's limits, a spool of its own, a port of loopback, and DNS with the answers that
//! are to be checked.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Clock as _, Domain, Observers};
use facteur_route::{
    Answer, Deliver, Exchange, LocalDomain, Lookup, MaildirTemplate, MxRecord, Network, Planner,
    Resolver, Router,
};
use facteur_server::{ListenAddress, ListenerConfig, Parts, Server};
use facteur_smtp::server::{self as smtp, BareNewlines};
use facteur_spool_local::LocalSpool;
use tokio::runtime::Runtime;

use crate::cli::selftest::scratch::Scratch;
use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::system::{SystemClock, SystemRandom};
use crate::ui::Screen;
use crate::{failure, wiring};

/// A local domain of the checks, with one user.
pub(super) const LOCAL: &str = "selftest.invalid";

/// A domain of somebody else, to which mail could be sent.
pub(super) const ELSEWHERE: &str = "elsewhere.invalid";

/// Where hosts of the checks are: in a network that is there for documentation.
pub(super) const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 25));

/// What a domain of the checks says of itself.
struct Says {
    domain: &'static str,
    /// Preferences and exchanges.
    mx: &'static [(u16, &'static str)],
    /// Whether the domain itself has an address.
    address: bool,
}

const fn says(domain: &'static str, mx: &'static [(u16, &'static str)], address: bool) -> Says {
    Says {
        domain,
        mx,
        address,
    }
}

const ZONE: &[Says] = &[
    says(ELSEWHERE, &[(10, "mx.elsewhere.invalid")], false),
    says("null.invalid", &[(0, ".")], false),
    says("null-with-address.invalid", &[(0, ".")], true),
    says("null-ten.invalid", &[(10, ".")], false),
    says(
        "null-before.invalid",
        &[(0, "."), (10, "mx.invalid")],
        false,
    ),
    says(
        "null-behind.invalid",
        &[(5, "mx.invalid"), (10, ".")],
        false,
    ),
    says("loopback.invalid", &[(0, "localhost")], false),
];

/// DNS with answers made up for the checks; nobody is asked.
struct Canned;

impl Resolver for Canned {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, MxRecord> {
        let known = ZONE.iter().find(|says| says.domain == domain.as_str());
        let records = known.map(|says| {
            let record = |(preference, exchange): &(u16, &str)| MxRecord {
                preference: *preference,
                exchange: Exchange::parse(exchange),
            };
            says.mx.iter().map(record).collect()
        });
        Box::pin(ready(match records {
            Some(records) => Answer::found(records, None, Duration::from_secs(60)),
            None => Answer::NoRecords,
        }))
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Lookup<'a, IpAddr> {
        let without = ZONE
            .iter()
            .any(|says| says.domain == host.as_str() && !says.address);
        let records = match host.as_str() {
            "localhost" => vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            _ if without => Vec::new(),
            _ => vec![HOST],
        };
        Box::pin(ready(Answer::found(records, None, Duration::from_secs(60))))
    }
}

/// What decides by these answers where mail goes.
pub(super) fn planner(config: &Config) -> Planner {
    Planner::new(
        Arc::new(Canned),
        Arc::new(SystemRandom),
        wiring::policy(config),
    )
}

/// Who the clients of the server are to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clients {
    /// They may send anywhere.
    Trusted,
    /// They may not.
    Strangers,
}

/// A server that runs until it is dropped.
pub(super) struct House {
    address: SocketAddr,
    /// Ends with the server.
    _server: Server,
    _runtime: Runtime,
}

impl House {
    /// Starts one for these clients, in a folder of this name.
    pub(super) fn open(
        name: &str,
        config: &Config,
        clients: Clients,
        newlines: BareNewlines,
        scratch: &Scratch,
        screen: &Screen,
    ) -> Result<Self, CliError> {
        let system = |words: String| {
            let args = [("words", (&words).into())];
            CliError::new(Kind::System, screen.text("selftest-no-server", &args))
        };
        let folder = scratch
            .folder(name)
            .map_err(|error| system(error.to_string()))?;
        let runtime = Runtime::new().map_err(|error| system(error.to_string()))?;
        let _within = runtime.enter();
        let spool = facteur_spool_local::Config {
            directory: folder.join("spool"),
            ..wiring::spool(config)
        };
        let (spool, _) = LocalSpool::open(spool, Arc::new(SystemClock))
            .map_err(|error| system(failure::spool(&error, screen.language)))?;
        let parts = Parts {
            spool,
            router: Arc::new(Router::new(routes(config, clients, &folder))),
            planner: planner(config),
            clock: Arc::new(SystemClock),
            observer: Observers::nobody(),
        };
        let server = Server::start(server(config, newlines), parts)
            .map_err(|error| system(failure::server(&error, screen.language)))?;
        let address = match server.addresses().first() {
            Some(ListenAddress::Tcp(address)) => *address,
            Some(ListenAddress::Unix(_)) | None => return Err(system(String::new())),
        };
        Ok(Self {
            address,
            _server: server,
            _runtime: runtime,
        })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The operator's limits, on a port that the system chooses.
fn server(config: &Config, newlines: BareNewlines) -> facteur_server::Config {
    let wired = wiring::server(config, config.limits.connections);
    let session = wired
        .listeners
        .first()
        .map(|listener| smtp::Config {
            role: smtp::Role::Smtp,
            bare_newlines: newlines,
            ..(*listener.session).clone()
        })
        .unwrap_or_else(|| smtp::Config::new(config.hostname.clone(), smtp::Role::Smtp));
    facteur_server::Config {
        listeners: vec![ListenerConfig {
            address: ListenAddress::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            session: Arc::new(session),
        }],
        ..wired
    }
}

/// The operator's domains and one more. Loopback, from which the checks come, is made a stranger or not; routes would
/// say where mail goes before DNS does.
fn routes(config: &Config, clients: Clients, folder: &Path) -> facteur_route::Config {
    let mut routes = wiring::route(config, SystemClock.now());
    routes.routes.clear();
    routes.relay_networks = match clients {
        Clients::Trusted => Network::parse("127.0.0.0/8").into_iter().collect(),
        Clients::Strangers => Vec::new(),
    };
    let template = folder.join("mail").join("{user}");
    let template = MaildirTemplate::parse(&template.display().to_string());
    if let (Ok(local), Ok(template)) = (Domain::parse(LOCAL), template) {
        let users = BTreeSet::from(["anne".to_owned(), "postmaster".to_owned()]);
        let domain = LocalDomain {
            deliver: Deliver::Maildir(template),
            users: Some(users),
            aliases: BTreeMap::new(),
            catch_all: None,
            tag_delimiter: Some('+'),
        };
        routes.domains.insert(local, domain);
    }
    routes
}
