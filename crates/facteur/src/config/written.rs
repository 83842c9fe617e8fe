//! Values that a configuration writes as text, each with how it is read and shown again.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use facteur_mail::{Address, Domain};
use facteur_replies::Language;

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
}

impl Written for LogFormat {
    const EXPECTED: Expected = Expected::LogFormat;
    const CHOICES: &'static [&'static str] = &["text", "json"];

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> String {
        let name = match self {
            Self::Text => "text",
            Self::Json => "json",
        };
        name.to_owned()
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
    fn the_choices_of_the_schema_are_those_of_the_reader() {
        all_are_read::<Language>();
        all_are_read::<Role>();
        all_are_read::<LogFormat>();
        all_are_read::<tracing::Level>();
        assert_eq!(Language::CHOICES.len(), Language::ALL.len());
    }
}
