//! Every key of the file: its table, its type, its default, its bounds. The reader, `config show`, the schema, the
//! manual and `config diff` all come from these rows; the words are the interface texts `config-key-…`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use facteur_mail::{Address, Domain};
use facteur_replies::Language;

use crate::config::destinations::DestinationKeys;
use crate::config::domains::{DomainKeys, RelayKeys, RouteKeys};
use crate::config::secret::SecretFile;
use crate::config::sources::SourceKeys;
use crate::config::takes::{
    count, duration, durations, entries, flag, keys, list, optional, optional_count, required,
    restart, size, table, tables, text, text_or,
};
use crate::config::written::{
    Account, ConsoleAddress, Endpoint, Label, LogFormat, NameServer, Role, WebhookEvent, WebhookUrl,
};
use crate::config::{localhost, system_hostname};

/// The largest message limit that can be set, in octets: 2 GiB.
const MAX_MESSAGE: u64 = 2 << 30;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Where the console listens.
const CONSOLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8025);

/// The waits between tries.
const RETRY: [Duration; 6] = [
    seconds(5 * MINUTE),
    seconds(15 * MINUTE),
    seconds(30 * MINUTE),
    seconds(HOUR),
    seconds(2 * HOUR),
    seconds(4 * HOUR),
];

keys! {
    /// What the file means.
    pub(crate) struct Config {
        /// The name this server gives itself: greeting, EHLO, `Received:`.
        hostname: Domain = text_or(own_name);
        /// Where the spool is, and the Maildirs of the default configuration.
        data_dir: PathBuf = restart(text(|| PathBuf::from("facteur-data")));
        /// The language of reports to senders of domains that name none.
        language: Language = text(Language::default);
        /// Who gets mail for postmaster where nothing else says so.
        postmaster: Option<Address> = optional();
        /// Where mail comes in.
        listen: Vec<Listener> = tables("address");
        /// Who may send anywhere.
        relay: RelayKeys = table();
        /// Local domains: mail ends here.
        domains: BTreeMap<Domain, DomainKeys> = entries();
        /// Instead of MX.
        route: Vec<RouteKeys> = tables("match");
        /// What destinations are sent at most.
        destination: Vec<DestinationKeys> = tables("match");
        /// Whom DNS is asked.
        dns: DnsKeys = table();
        /// How mail goes out.
        delivery: DeliveryKeys = table();
        /// What comes in is bounded by these.
        limits: LimitKeys = table();
        /// What happened to each message.
        history: HistoryKeys = table();
        /// Health, metrics and submission over HTTP.
        console: ConsoleKeys = table();
        /// Programs that are told what becomes of messages.
        webhook: Vec<WebhookKeys> = restart(tables("name"));
        /// How much the clients of a network may send.
        source: Vec<SourceKeys> = tables("match");
        /// How the log is written.
        log: LogKeys = table();
        /// What the process may do.
        process: ProcessKeys = table();
    }
}

keys! {
    /// One `[[listen]]`.
    pub(crate) struct Listener {
        /// Where.
        address: Endpoint = required();
        /// What for.
        role: Role = text(|| Role::Mx);
        /// Bare CR and LF are turned into CRLF instead of being refused.
        normalise_newlines: bool = flag(false);
    }
}

keys! {
    /// `[dns]`.
    pub(crate) struct DnsKeys {
        /// Name servers; empty for the system's.
        servers: Vec<NameServer> = list(Vec::new);
        /// How long one question may take in all.
        timeout: Duration = duration(seconds(15), seconds(1)..=seconds(MINUTE));
    }
}

keys! {
    /// `[delivery]`.
    pub(crate) struct DeliveryKeys {
        /// The port of MX hosts.
        port: u16 = count(25, 1..=u16::MAX);
        /// The wait after each failed try; the last one repeats.
        retry: Vec<Duration> = durations(&RETRY, seconds(1)..=seconds(DAY));
        /// When a message that cannot be delivered goes back.
        give_up_after: Duration = duration(seconds(5 * DAY), seconds(MINUTE)..=seconds(30 * DAY));
        /// When the sender is told that a message is late; `None` for never.
        delay_notice_after: Option<Duration> =
            duration(seconds(4 * HOUR), seconds(0)..=seconds(30 * DAY));
        /// Whether an MX may lead to this machine.
        allow_loopback_mx: bool = flag(false);
        /// Connections at a time, in all.
        connections: u64 = count(200, 1..=10_000);
        /// Connections at a time to one destination.
        connections_per_destination: u64 = count(20, 1..=1_000);
        /// Whether text goes by BDAT where CHUNKING is offered.
        chunking: bool = flag(true);
    }
}

keys! {
    /// `[limits]`.
    pub(crate) struct LimitKeys {
        /// Octets of a message.
        message_size: u64 = size(50 << 20, 64 << 10..=MAX_MESSAGE);
        /// Recipients of a message. RFC 5321 §4.5.3.1.8 asks for 100 at least.
        recipients: u64 = count(1_000, 100..=100_000);
        /// Failed commands in a session.
        errors: u64 = count(20, 1..=10_000);
        /// Messages in a session. EHLO announces it as MAILMAX, which has six digits at most. (RFC 9422)
        messages_per_session: u64 = count(1_000, 1..=999_999);
        /// Connections at a time, in all.
        connections: u64 = count(10_000, 1..=1_000_000);
        /// Connections at a time from one stranger's address (IPv6: one /64); clients that may relay are not counted.
        connections_per_address: u64 = count(50, 1..=1_000_000);
        /// Messages a minute from one stranger.
        messages_per_minute: Option<NonZeroU32> = optional_count(1..=1_000_000);
        /// Recipients a minute from one stranger.
        recipients_per_minute: Option<NonZeroU32> = optional_count(1..=1_000_000);
        /// Patience for a command.
        command_timeout: Duration = duration(seconds(5 * MINUTE), seconds(1)..=seconds(HOUR));
        /// Patience for a block of content.
        data_timeout: Duration = duration(seconds(3 * MINUTE), seconds(1)..=seconds(HOUR));
        /// Patience for a whole message.
        message_timeout: Duration = duration(seconds(HOUR), seconds(10)..=seconds(DAY));
        /// Patience for a whole session.
        session_timeout: Duration = duration(seconds(6 * HOUR), seconds(10)..=seconds(DAY));
        /// How long sessions and deliveries in flight may finish at shutdown.
        shutdown_grace: Duration = duration(seconds(10), seconds(0)..=seconds(HOUR));
    }
}

keys! {
    /// `[history]`.
    pub(crate) struct HistoryKeys {
        /// Whether it is kept.
        enabled: bool = restart(flag(true));
        /// For how long.
        keep: Duration = restart(duration(seconds(30 * DAY), seconds(HOUR)..=seconds(3_650 * DAY)));
        /// How large its file may become.
        max_size: u64 = restart(size(1 << 30, 16 << 20..=1 << 40));
    }
}

keys! {
    /// `[console]`.
    pub(crate) struct ConsoleKeys {
        /// Where.
        address: ConsoleAddress = restart(text(|| ConsoleAddress(Some(CONSOLE))));
        /// The names it is asked for by, beside `localhost` and addresses.
        hosts: Vec<Domain> = restart(list(Vec::new));
        /// Who may submit messages.
        token: Vec<TokenKeys> = restart(tables("name"));
    }
}

keys! {
    /// One `[[console.token]]`.
    pub(crate) struct TokenKeys {
        /// What it is called in the log and in `Received:`.
        name: Label = required();
        /// Where the token stands.
        secret_file: SecretFile = required();
    }
}

keys! {
    /// One `[[webhook]]`.
    pub(crate) struct WebhookKeys {
        /// What it is called in the log.
        name: Label = required();
        /// Where the program is.
        url: WebhookUrl = required();
        /// What its requests are signed with.
        secret_file: SecretFile = required();
        /// What it is told of.
        events: Vec<WebhookEvent> = list(WebhookEvent::outcomes);
        /// The language of the explanations.
        language: Option<Language> = optional();
    }
}

keys! {
    /// `[log]`.
    pub(crate) struct LogKeys {
        /// For people or for programs.
        format: LogFormat = restart(text(|| LogFormat::Text));
        /// `error`, `warn`, `info`, `debug` or `trace`.
        level: tracing::Level = text(|| tracing::Level::INFO);
    }
}

keys! {
    /// `[process]`.
    pub(crate) struct ProcessKeys {
        /// The user that a server started by root becomes, by name or number.
        user: Option<Account> = restart(optional());
        /// Its group; without one, the user's own.
        group: Option<Account> = restart(optional());
        /// Whether the kernel holds the process to the folders and ports of the configuration.
        confine: bool = restart(flag(true));
    }
}

impl Listener {
    /// The listener of the configuration without a file.
    pub(super) fn local() -> Self {
        Self {
            address: Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 2525))),
            role: Role::Mx,
            normalise_newlines: false,
        }
    }
}

/// The machine's name, where it is a domain.
fn own_name() -> Domain {
    system_hostname().unwrap_or_else(localhost)
}
