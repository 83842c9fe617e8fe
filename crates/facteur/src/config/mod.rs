//! The configuration: one TOML file, every key with a default, every problem shown with line and caret.
//!
//! [`Config`] is what the file means, in typed values; `wiring` hands each crate its part.

mod domains;
mod problem;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "for the tokens and keys of the console")
)]
pub(crate) mod secret;
mod section;
mod values;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use facteur_mail::{Address, Domain};
use facteur_replies::{Language, text};
use facteur_route::{LocalDomain, Network, Pattern, RouteRule};
use toml::de::DeTable;

use crate::args::Instance;
use crate::config::problem::{Expected, Fault, Problem};
use crate::config::section::Section;
use crate::error::{CliError, Kind};

pub(crate) use crate::config::values::show_duration;

/// The largest configuration file, in octets.
const MAX_FILE: u64 = 4 << 20;

/// The largest message limit that can be set, in octets: 2 GiB.
const MAX_MESSAGE: u64 = 2 << 30;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What the file means.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The name this server gives itself: greeting, EHLO, `Received:`.
    pub(crate) hostname: Domain,
    /// Where the spool is, and the Maildirs of the default configuration.
    pub(crate) data_dir: PathBuf,
    /// The language of reports to senders of domains that `report_languages` does not name.
    pub(crate) language: Language,
    /// Where mail comes in.
    pub(crate) listeners: Vec<Listener>,
    /// Who may send anywhere.
    pub(crate) relay_networks: Vec<Network>,
    /// Domains relayed for everybody.
    pub(crate) relay_domains: Vec<Pattern>,
    /// Local domains: mail ends here.
    pub(crate) domains: BTreeMap<Domain, LocalDomain>,
    /// The language of reports to senders of a domain.
    pub(crate) report_languages: BTreeMap<Domain, Language>,
    /// Instead of MX.
    pub(crate) routes: Vec<RouteRule>,
    /// Who gets mail for postmaster where nothing else says so.
    pub(crate) postmaster: Option<Address>,
    /// Name servers; empty for the system's.
    pub(crate) dns_servers: Vec<SocketAddr>,
    /// How long one question to DNS may take in all.
    pub(crate) dns_timeout: Duration,
    /// How mail goes out.
    pub(crate) delivery: DeliveryKeys,
    /// What comes in is bounded by these.
    pub(crate) limits: LimitKeys,
    /// How the log is written.
    pub(crate) log: LogKeys,
}

/// One `[[listen]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    /// Where.
    pub(crate) endpoint: Endpoint,
    /// What for.
    pub(crate) role: Role,
    /// Bare CR and LF are turned into CRLF instead of being refused.
    pub(crate) normalise_newlines: bool,
}

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// SMTP from anybody.
    Mx,
    /// LMTP from a trusted neighbour.
    Lmtp,
}

/// `[delivery]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryKeys {
    /// The port of MX hosts.
    pub(crate) port: u16,
    /// The wait after each failed try; the last one repeats.
    pub(crate) retry: Vec<Duration>,
    /// When a message that cannot be delivered goes back.
    pub(crate) give_up_after: Duration,
    /// When the sender is told that a message is late; `None` for never.
    pub(crate) delay_notice_after: Option<Duration>,
    /// Whether an MX may lead to this machine.
    pub(crate) allow_loopback_mx: bool,
    /// Connections at a time, in all.
    pub(crate) connections: u64,
    /// Connections at a time to one destination.
    pub(crate) connections_per_destination: u64,
    /// Whether text goes by BDAT where CHUNKING is offered.
    pub(crate) chunking: bool,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitKeys {
    /// Octets of a message.
    pub(crate) message_size: u64,
    /// Recipients of a message.
    pub(crate) recipients: u64,
    /// Failed commands in a session.
    pub(crate) errors: u64,
    /// Messages in a session.
    pub(crate) messages_per_session: u64,
    /// Connections at a time, in all.
    pub(crate) connections: u64,
    /// Connections at a time from one stranger's address (IPv6: one /64); clients that may relay are not counted.
    pub(crate) connections_per_address: u64,
    /// Patience for a command.
    pub(crate) command_timeout: Duration,
    /// Patience for a block of content.
    pub(crate) data_timeout: Duration,
    /// Patience for a whole message.
    pub(crate) message_timeout: Duration,
    /// Patience for a whole session.
    pub(crate) session_timeout: Duration,
    /// How long sessions and deliveries in flight may finish at shutdown.
    pub(crate) shutdown_grace: Duration,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogKeys {
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub(crate) level: tracing::Level,
}

impl Config {
    /// The configuration of an instance: its file, or the working local server when there is none.
    pub(crate) fn of(
        instance: &Instance,
        language: Language,
        color: bool,
    ) -> Result<Self, CliError> {
        let mut config = match &instance.config {
            Some(path) => Self::load(path, language, color)?,
            None => Self::local(),
        };
        if let Some(data_dir) = &instance.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        if config.domains.is_empty() {
            let local = domains::default_domain(&config.data_dir);
            config
                .domains
                .extend(local.map(|local| (localhost(), local)));
        }
        Ok(config)
    }

    /// Without a file: SMTP on 127.0.0.1:2525, `localhost` in Maildirs below `./facteur-data`, and this machine
    /// may send anywhere. The empty file has no problem; its defaults are this configuration.
    fn local() -> Self {
        Self::read("").0
    }

    fn load(path: &Path, language: Language, color: bool) -> Result<Self, CliError> {
        let source = read_file(path).map_err(|error| {
            let path = path.display().to_string();
            let words = error.to_string();
            let args = [("path", (&path).into()), ("words", (&words).into())];
            CliError::new(Kind::Config, text(language, "config-cannot-read", &args))
        })?;
        let (config, problems) = Self::read(&source);
        if problems.is_empty() {
            return Ok(config);
        }
        let count = u64::try_from(problems.len()).unwrap_or(u64::MAX);
        let shown = problem::render(path, &source, &problems, language, color);
        let path = path.display().to_string();
        let args = [("path", (&path).into()), ("count", count.into())];
        Err(CliError::new(Kind::Config, text(language, "config-problems", &args)).before(shown))
    }

    /// What `source` means, with everything that is wrong with it.
    fn read(source: &str) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let (table, errors) = DeTable::parse_recoverable(source);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            problems.push(Problem {
                span,
                fault: Fault::Syntax {
                    words: error.message().to_owned(),
                },
            });
        }
        let syntax_is_wrong = !problems.is_empty();
        let mut root = Section::root(&table, &mut problems);
        let config = read_root(&mut root);
        root.finish();
        if syntax_is_wrong {
            // What follows a syntax error is guesswork; only the error itself is worth reading.
            problems.retain(|problem| matches!(problem.fault, Fault::Syntax { .. }));
        }
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        (config, problems)
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut source = String::new();
    let read = std::fs::File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut source)?;
    // Half a file would be another configuration.
    if u64::try_from(read).is_ok_and(|read| read <= MAX_FILE) {
        Ok(source)
    } else {
        Err(std::io::ErrorKind::FileTooLarge.into())
    }
}

fn read_root(root: &mut Section<'_, '_>) -> Config {
    let hostname = root
        .parsed("hostname", Expected::Domain, section::domain)
        .map(|at| at.value);
    let hostname = hostname.or_else(system_hostname).unwrap_or_else(localhost);
    let data_dir = root
        .parsed("data_dir", Expected::Path, path)
        .map(|at| at.value);
    let data_dir = data_dir.unwrap_or_else(|| PathBuf::from("facteur-data"));
    let language = root
        .parsed("language", Expected::Language, Language::negotiate)
        .map(|at| at.value);
    let postmaster = root
        .parsed("postmaster", Expected::Address, section::address)
        .map(|at| at.value);
    let listeners = listeners(root);
    let (relay_networks, relay_domains) = relay(root);
    let (domains, report_languages) = domains::local_domains(root);
    let routes = domains::routes(root);
    let mut dns_servers = Vec::new();
    let mut dns_timeout = seconds(15);
    root.table("dns", |dns| {
        let servers = dns
            .list("servers", Expected::Endpoint, name_server)
            .unwrap_or_default();
        dns_servers = servers.into_iter().map(|at| at.value).collect();
        dns_timeout = dns.duration("timeout", dns_timeout, seconds(1)..=seconds(MINUTE));
    });
    Config {
        hostname,
        data_dir,
        language: language.unwrap_or_default(),
        listeners,
        relay_networks,
        relay_domains,
        domains,
        report_languages,
        routes,
        postmaster,
        dns_servers,
        dns_timeout,
        delivery: delivery(root),
        limits: limits(root),
        log: log(root),
    }
}

fn listeners(root: &mut Section<'_, '_>) -> Vec<Listener> {
    let mut listeners: Vec<Listener> = Vec::new();
    root.tables("listen", |listen| {
        let endpoint = listen.required("address", Expected::Endpoint, endpoint);
        let role = listen.parsed("role", Expected::Role, |role| Some(role.to_owned()));
        let normalise_newlines = listen.boolean("normalise_newlines", false);
        let role = match role {
            None => Role::Mx,
            Some(role) => match role.value.as_str() {
                "mx" => Role::Mx,
                "lmtp" => Role::Lmtp,
                "submission" | "submissions" => {
                    return listen.problem(role.span, Fault::RoleNotAvailable { role: role.value });
                }
                _ => {
                    let fault = Fault::BadValue {
                        value: role.value,
                        expected: Expected::Role,
                    };
                    return listen.problem(role.span, fault);
                }
            },
        };
        let Some(endpoint) = endpoint else { return };
        if listeners
            .iter()
            .any(|known| known.endpoint == endpoint.value)
        {
            let what = match &endpoint.value {
                Endpoint::Tcp(address) => address.to_string(),
                Endpoint::Unix(path) => path.display().to_string(),
            };
            return listen.problem(endpoint.span, Fault::Twice { what });
        }
        listeners.push(Listener {
            endpoint: endpoint.value,
            role,
            normalise_newlines,
        });
    });
    if listeners.is_empty() {
        listeners.push(Listener {
            endpoint: Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 2525))),
            role: Role::Mx,
            normalise_newlines: false,
        });
    }
    listeners
}

/// `[relay]`; a network or a domain that is everybody makes an open relay and is refused.
fn relay(root: &mut Section<'_, '_>) -> (Vec<Network>, Vec<Pattern>) {
    let loopback = ["127.0.0.0/8", "::1"]
        .into_iter()
        .filter_map(network)
        .collect();
    let mut networks = None;
    let mut patterns = Vec::new();
    root.table("relay", |relay| {
        networks = relay
            .list("networks", Expected::Network, network)
            .map(|list| {
                list.into_iter()
                    .filter_map(|at| {
                        if domains::is_everybody(&at.value) {
                            let network = at.value.to_string();
                            relay.problem(at.span, Fault::OpenRelay { network });
                            return None;
                        }
                        Some(at.value)
                    })
                    .collect()
            });
        let listed = relay.list("domains", Expected::Pattern, |text| Some(text.to_owned()));
        for at in listed.unwrap_or_default() {
            match domains::relay_domain(&at.value) {
                Ok(pattern) => patterns.push(pattern),
                Err(fault) => relay.problem(at.span, fault),
            }
        }
    });
    (networks.unwrap_or(loopback), patterns)
}

fn delivery(root: &mut Section<'_, '_>) -> DeliveryKeys {
    let mut keys = DeliveryKeys {
        port: 25,
        retry: [
            5 * MINUTE,
            15 * MINUTE,
            30 * MINUTE,
            HOUR,
            2 * HOUR,
            4 * HOUR,
        ]
        .map(seconds)
        .to_vec(),
        give_up_after: seconds(5 * DAY),
        delay_notice_after: Some(seconds(4 * HOUR)),
        allow_loopback_mx: false,
        connections: 200,
        connections_per_destination: 20,
        chunking: true,
    };
    root.table("delivery", |delivery| {
        let port = delivery.count("port", keys.port.into(), 1..=u16::MAX.into());
        keys.port = u16::try_from(port).unwrap_or(keys.port);
        if let Some(retry) = delivery.list("retry", Expected::Duration, values::duration) {
            let bounds = seconds(1)..=seconds(DAY);
            let retry: Vec<_> = retry
                .into_iter()
                .filter_map(|at| delivery.within(at.value, at.span, &bounds, |d| show_duration(*d)))
                .collect();
            if !retry.is_empty() {
                keys.retry = retry;
            }
        }
        keys.give_up_after = delivery.duration(
            "give_up_after",
            keys.give_up_after,
            seconds(MINUTE)..=seconds(30 * DAY),
        );
        let notice = delivery.duration(
            "delay_notice_after",
            seconds(4 * HOUR),
            seconds(0)..=seconds(30 * DAY),
        );
        keys.delay_notice_after = (!notice.is_zero()).then_some(notice);
        keys.allow_loopback_mx = delivery.boolean("allow_loopback_mx", false);
        keys.connections = delivery.count("connections", keys.connections, 1..=10_000);
        keys.connections_per_destination = delivery.count(
            "connections_per_destination",
            keys.connections_per_destination,
            1..=1_000,
        );
        keys.chunking = delivery.boolean("chunking", keys.chunking);
    });
    keys
}

fn limits(root: &mut Section<'_, '_>) -> LimitKeys {
    let mut keys = LimitKeys {
        message_size: 50 << 20,
        recipients: 1_000,
        errors: 20,
        messages_per_session: 1_000,
        connections: 10_000,
        connections_per_address: 50,
        command_timeout: seconds(5 * MINUTE),
        data_timeout: seconds(3 * MINUTE),
        message_timeout: seconds(HOUR),
        session_timeout: seconds(6 * HOUR),
        shutdown_grace: seconds(10),
    };
    root.table("limits", |limits| {
        keys.message_size = limits.size("message_size", keys.message_size, 64 << 10..=MAX_MESSAGE);
        // RFC 5321 §4.5.3.1.8 asks for 100 at least.
        keys.recipients = limits.count("recipients", keys.recipients, 100..=100_000);
        keys.errors = limits.count("errors", keys.errors, 1..=10_000);
        // EHLO announces it as MAILMAX, which has six digits at most. (RFC 9422)
        keys.messages_per_session = limits.count(
            "messages_per_session",
            keys.messages_per_session,
            1..=999_999,
        );
        keys.connections = limits.count("connections", keys.connections, 1..=1_000_000);
        keys.connections_per_address = limits.count(
            "connections_per_address",
            keys.connections_per_address,
            1..=1_000_000,
        );
        keys.command_timeout = limits.duration(
            "command_timeout",
            keys.command_timeout,
            seconds(1)..=seconds(HOUR),
        );
        keys.data_timeout = limits.duration(
            "data_timeout",
            keys.data_timeout,
            seconds(1)..=seconds(HOUR),
        );
        keys.message_timeout = limits.duration(
            "message_timeout",
            keys.message_timeout,
            seconds(10)..=seconds(DAY),
        );
        keys.session_timeout = limits.duration(
            "session_timeout",
            keys.session_timeout,
            seconds(10)..=seconds(DAY),
        );
        keys.shutdown_grace = limits.duration(
            "shutdown_grace",
            keys.shutdown_grace,
            seconds(0)..=seconds(HOUR),
        );
    });
    keys
}

fn log(root: &mut Section<'_, '_>) -> LogKeys {
    let mut keys = LogKeys {
        json: false,
        level: tracing::Level::INFO,
    };
    root.table("log", |log| {
        let format = log.parsed("format", Expected::LogFormat, |format| match format {
            "text" => Some(false),
            "json" => Some(true),
            _ => None,
        });
        keys.json = format.is_some_and(|at| at.value);
        if let Some(level) = log.parsed("level", Expected::LogLevel, |level| level.parse().ok()) {
            keys.level = level.value;
        }
    });
    keys
}

/// The machine's name, if it is a domain.
pub(crate) fn system_hostname() -> Option<Domain> {
    Domain::parse(rustix::system::uname().nodename().to_str().ok()?).ok()
}

#[expect(clippy::expect_used, reason = "a literal that a test reads")]
pub(super) fn localhost() -> Domain {
    Domain::parse("localhost").expect("localhost is a domain")
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
}

fn endpoint(text: &str) -> Option<Endpoint> {
    if text.starts_with('/') {
        return Some(Endpoint::Unix(PathBuf::from(text)));
    }
    section::socket_address(text).map(Endpoint::Tcp)
}

fn network(text: &str) -> Option<Network> {
    Network::parse(text).ok()
}

/// An address with a port, or an address alone for port 53.
fn name_server(text: &str) -> Option<SocketAddr> {
    section::socket_address(text).or_else(|| {
        text.parse::<IpAddr>()
            .ok()
            .map(|ip| SocketAddr::new(ip, 53))
    })
}

#[cfg(test)]
mod tests;
