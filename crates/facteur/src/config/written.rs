//! Values that a configuration writes as text, each with how it is read and shown again.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use facteur_mail::{Address, Domain, MachineDate, Timestamp};
use facteur_replies::Language;
use facteur_webhooks::Topic;

use crate::config::problem::{Expected, Fault};

/// A type that the file writes as a text.
pub(crate) trait Written: Sized {
    /// What the text must be, for the reader of an error and of the schema.
    const EXPECTED: Expected;

    /// The only texts there are; empty where any that fits will do.
    const CHOICES: &'static [&'static str] = &[];

    /// Reads it.
    fn parse(text: &str) -> Option<Self>;

    /// The text that reads as this value.
    fn show(&self) -> String;

    /// What is wrong with a text that [`Written::parse`] does not take.
    fn fault(text: &str) -> Fault {
        let value = text.to_owned();
        let expected = Self::EXPECTED;
        Fault::BadValue { value, expected }
    }
}

impl Written for Domain {
    const EXPECTED: Expected = Expected::Domain;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Written for Address {
    const EXPECTED: Expected = Expected::Address;

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Written for PathBuf {
    const EXPECTED: Expected = Expected::Path;

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('\0')).then(|| Self::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

/// A user or a group of this machine, by name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account(pub(crate) String);

impl Written for Account {
    const EXPECTED: Expected = Expected::Account;

    fn parse(text: &str) -> Option<Self> {
        let fits =
            !text.is_empty() && !text.contains([':', '/']) && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

impl Written for Language {
    const EXPECTED: Expected = Expected::Language;
    const CHOICES: &'static [&'static str] = &["en", "fr"];

    fn parse(text: &str) -> Option<Self> {
        Self::negotiate(text)
    }

    fn show(&self) -> String {
        self.tag().to_owned()
    }
}

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Written for Endpoint {
    const EXPECTED: Expected = Expected::Endpoint;

    fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return PathBuf::parse(text).map(Self::Unix);
        }
        text.parse().ok().map(Self::Tcp)
    }

    fn show(&self) -> String {
        match self {
            Self::Tcp(address) => address.to_string(),
            Self::Unix(path) => path.show(),
        }
    }
}

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// SMTP from anybody.
    Mx,
    /// LMTP from a trusted neighbour.
    Lmtp,
}

impl Written for Role {
    const EXPECTED: Expected = Expected::Role;
    const CHOICES: &'static [&'static str] = &["mx", "lmtp"];

    fn parse(text: &str) -> Option<Self> {
        match text {
            "mx" => Some(Self::Mx),
            "lmtp" => Some(Self::Lmtp),
            _ => None,
        }
    }

    fn show(&self) -> String {
        let name = match self {
            Self::Mx => "mx",
            Self::Lmtp => "lmtp",
        };
        name.to_owned()
    }

    fn fault(text: &str) -> Fault {
        let value = text.to_owned();
        match text {
            "submission" | "submissions" => Fault::RoleNotAvailable { role: value },
            _ => Fault::BadValue {
                value,
                expected: Self::EXPECTED,
            },
        }
    }
}

/// A name server: an address with a port, or an address alone for port 53.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameServer(pub(crate) SocketAddr);

impl Written for NameServer {
    const EXPECTED: Expected = Expected::Endpoint;

    fn parse(text: &str) -> Option<Self> {
        let with_port = text.parse::<SocketAddr>().ok();
        let alone = || Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 53));
        with_port.or_else(alone).map(Self)
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// To systemd's journal, field by field.
    Journald,
}

impl Written for LogFormat {
    const EXPECTED: Expected = Expected::LogFormat;
    const CHOICES: &'static [&'static str] = &["text", "json", "journald"];

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            "journald" => Some(Self::Journald),
            _ => None,
        }
    }

    fn show(&self) -> String {
        let name = match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Journald => "journald",
        };
        name.to_owned()
    }
}

/// Where the console listens, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConsoleAddress(pub(crate) Option<SocketAddr>);

/// What switches the console off.
const OFF: &str = "off";

impl Written for ConsoleAddress {
    const EXPECTED: Expected = Expected::ConsoleAddress;

    fn parse(text: &str) -> Option<Self> {
        if text == OFF {
            return Some(Self(None));
        }
        text.parse().ok().map(|address| Self(Some(address)))
    }

    fn show(&self) -> String {
        self.0
            .map_or_else(|| OFF.to_owned(), |address| address.to_string())
    }
}

/// A short name of the operator's own, fit for a log and a trace field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) String);

/// The longest name, in octets.
const MAX_LABEL: usize = 60;

impl Written for Label {
    const EXPECTED: Expected = Expected::Label;

    fn parse(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let well_formed = !text.is_empty() && text.len() <= MAX_LABEL && text.bytes().all(fits);
        well_formed.then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// Where a webhook is: `https://…`, or `http://…` to this machine alone, as nobody else on the way may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookUrl(pub(crate) String);

impl WebhookUrl {
    /// The port that is connected to.
    pub(crate) fn port(&self) -> u16 {
        let default = if self.is_secure() { 443 } else { 80 };
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        port_of(rest.split(['/', '?', '#']).next().unwrap_or_default()).unwrap_or(default)
    }

    /// Whether it needs TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl Written for WebhookUrl {
    const EXPECTED: Expected = Expected::WebhookUrl;

    fn parse(text: &str) -> Option<Self> {
        let well_formed = text.is_ascii() && text.bytes().all(|b| b.is_ascii_graphic());
        let (scheme, rest) = text.split_once("://").filter(|_| well_formed)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let allowed = match scheme {
            "https" => true,
            "http" => is_this_machine(authority),
            _ => false,
        };
        // Whoever reads the configuration would read a password in it.
        let fits = allowed && !authority.is_empty() && !authority.contains('@');
        fits.then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// The port behind the host of a URL, if there is one.
fn port_of(authority: &str) -> Option<u16> {
    let (host, port) = authority.rsplit_once(':')?;
    // A bare IPv6 address has no port.
    let whole = !host.contains(':') || host.ends_with(']');
    port.parse().ok().filter(|_| whole)
}

/// Whether the host of a URL, with its port if there is one, is on this machine.
fn is_this_machine(authority: &str) -> bool {
    let address = authority.parse::<SocketAddr>().map(|socket| socket.ip());
    let ip = address.or_else(|_| authority.trim_matches(['[', ']']).parse::<IpAddr>());
    ip.map_or_else(
        |_| authority.split(':').next() == Some("localhost"),
        |ip| ip.is_loopback(),
    )
}

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WebhookEvent(pub(crate) Topic);

impl WebhookEvent {
    /// What becomes of messages.
    pub(crate) fn outcomes() -> Vec<Self> {
        [
            Topic::Delivered,
            Topic::Deferred,
            Topic::Bounced,
            Topic::Expired,
        ]
        .map(Self)
        .to_vec()
    }
}

impl Written for WebhookEvent {
    const EXPECTED: Expected = Expected::WebhookEvent;
    const CHOICES: &'static [&'static str] =
        &["accepted", "delivered", "deferred", "bounced", "expired"];

    fn parse(text: &str) -> Option<Self> {
        Topic::from_name(text).map(Self)
    }

    fn show(&self) -> String {
        self.0.name().to_owned()
    }
}

impl Written for tracing::Level {
    const EXPECTED: Expected = Expected::LogLevel;
    const CHOICES: &'static [&'static str] = &["error", "warn", "info", "debug", "trace"];

    fn parse(text: &str) -> Option<Self> {
        Self::CHOICES.contains(&text).then(|| text.parse().ok())?
    }

    fn show(&self) -> String {
        self.to_string().to_lowercase()
    }
}

/// A moment: `2026-12-01T00:00:00Z`, or with an offset. (RFC 3339 §5.6)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Written for Moment {
    const EXPECTED: Expected = Expected::Moment;

    fn parse(text: &str) -> Option<Self> {
        let moment: toml::value::Datetime = text.parse().ok()?;
        let (date, time) = (moment.date?, moment.time?);
        let days = days_since_1970(date)?;
        let offset = match moment.offset? {
            toml::value::Offset::Z => 0,
            toml::value::Offset::Custom { minutes } => i64::from(minutes),
        };
        let minutes = days * 24 * 60 + i64::from(time.hour) * 60 + i64::from(time.minute) - offset;
        let seconds = minutes * 60 + i64::from(time.second.unwrap_or_default());
        let millis = u64::try_from(seconds).ok()?.checked_mul(1_000)?;
        Some(Self(Timestamp::from_millis(millis)))
    }

    fn show(&self) -> String {
        // To the second, as it was read.
        let shown = MachineDate(self.0).to_string();
        shown
            .split_once('.')
            .map_or_else(|| shown.clone(), |(seconds, _)| format!("{seconds}Z"))
    }
}

/// Days are counted from 1 March of the year 0, so that a leap day ends a year.
fn days_since_1970(date: toml::value::Date) -> Option<i64> {
    let (year, month, day) = (
        i64::from(date.year),
        i64::from(date.month),
        i64::from(date.day),
    );
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    (days >= 0).then_some(days)
}

/// The longest reason, in octets.
const MAX_REASON: usize = 200;

/// Why the operator wants something: one line for those who wonder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason(pub(crate) String);

impl Written for Reason {
    const EXPECTED: Expected = Expected::Reason;

    fn parse(text: &str) -> Option<Self> {
        let fits = !text.trim().is_empty() && text.len() <= MAX_REASON;
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That every choice is read, and shown as it was written.
    fn all_are_read<T: Written>() {
        for choice in T::CHOICES {
            let read = T::parse(choice).map(|value| value.show());
            assert_eq!(read.as_deref(), Some(*choice));
        }
    }

    #[test]
    fn a_webhook_in_clear_text_is_on_this_machine() {
        for fine in [
            "https://shop.test/mail?x=1",
            "http://127.0.0.1:8080/x",
            "http://localhost:80",
            "http://[::1]/",
        ] {
            assert!(WebhookUrl::parse(fine).is_some(), "{fine}");
        }
        for refused in [
            "http://shop.test/",
            "http://localhost.evil.test/",
            "http://127.0.0.1.evil.test/",
            "https://user:secret@shop.test/",
            "https://",
            "ftp://shop.test/",
            "https://shop.test/\r\nx",
        ] {
            assert!(WebhookUrl::parse(refused).is_none(), "{refused}");
        }
    }

    #[test]
    fn a_webhook_has_the_port_that_it_names_or_that_of_its_scheme() {
        for (url, port) in [
            ("https://shop.test/a:1", 443),
            ("http://127.0.0.1/", 80),
            ("https://shop.test:8443?x", 8443),
            ("http://[::1]:8080/", 8080),
            ("http://[::1]/", 80),
        ] {
            assert_eq!(WebhookUrl::parse(url).unwrap().port(), port, "{url}");
        }
    }

    #[test]
    fn the_choices_of_the_schema_are_those_of_the_reader() {
        all_are_read::<Language>();
        all_are_read::<Role>();
        all_are_read::<LogFormat>();
        all_are_read::<tracing::Level>();
        all_are_read::<WebhookEvent>();
        assert_eq!(WebhookEvent::CHOICES.len(), Topic::ALL.len());
        assert_eq!(Language::CHOICES.len(), Language::ALL.len());
    }

    #[test]
    fn a_moment_is_read_with_its_offset_and_shown_in_utc() {
        for (text, shown) in [
            ("2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-01T01:30:00+01:30", "2026-12-01T00:00:00Z"),
            ("2028-02-29T23:59:59-01:00", "2028-03-01T00:59:59Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            let read = Moment::parse(text).map(|moment| moment.show());
            assert_eq!(read.as_deref(), Some(shown), "{text}");
        }
        for wrong in [
            "",
            "2026-12-01",
            "2026-12-01T00:00:00",
            "tomorrow",
            "1969-12-31T00:00:00Z",
        ] {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
    }
}
