//! The places that a configuration names: next hops, Maildirs, patterns of domains; and the key by which
//! deliveries are grouped.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use facteur_mail::{Domain, Host};

use crate::error::RouteError;

/// The port of SMTP between servers. (RFC 5321 §4.5.4.2)
pub const DEFAULT_SMTP_PORT: u16 = 25;

/// The port of LMTP when none is given: 24, "any private mail system". RFC 2033 §5 forbids 25.
pub const DEFAULT_LMTP_PORT: u16 = 24;

/// The longest user name that may become a directory, in octets: file systems end at 255.
pub const MAX_USER: usize = 200;

/// A server that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NextHop {
    /// A host and a port; a name is looked up by A and AAAA, never by MX.
    Tcp {
        /// The host.
        host: Host,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl NextHop {
    /// Reads `HOST`, `HOST:PORT`, `IP`, `IPV4:PORT`, `[IPV6]:PORT` or an absolute path.
    ///
    /// # Errors
    /// [`RouteError::BadNextHop`].
    pub fn parse(text: &str, default_port: u16) -> Result<Self, RouteError> {
        let bad = || RouteError::BadNextHop {
            text: text.to_owned(),
        };
        if text.starts_with('/') {
            return Ok(Self::Unix(PathBuf::from(text)));
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Self::tcp(Host::Literal(socket.ip()), socket.port()).ok_or_else(bad);
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Self::tcp(Host::Literal(ip), default_port).ok_or_else(bad);
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().map_err(|_| bad())?),
            None => (text, default_port),
        };
        let host = Domain::parse(name).map_err(|_| bad())?;
        // `10.0.0.1.` would be a name that no DNS has.
        if host.as_str().parse::<IpAddr>().is_ok() {
            return Err(bad());
        }
        Self::tcp(Host::Domain(host), port).ok_or_else(bad)
    }

    fn tcp(host: Host, port: u16) -> Option<Self> {
        (port != 0).then_some(Self::Tcp { host, port })
    }
}

impl fmt::Display for NextHop {
    /// As [`NextHop::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp {
                host: Host::Domain(name),
                port,
            } => write!(f, "{name}:{port}"),
            Self::Tcp {
                host: Host::Literal(ip),
                port,
            } => SocketAddr::new(*ip, *port).fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// Which domains a rule is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern {
    /// `*`: every domain.
    Any,
    /// `*.example.org`: every domain below, not `example.org` itself.
    Below(Domain),
    /// `example.org`: this domain alone.
    Exactly(Domain),
}

impl Pattern {
    /// Reads `*`, `*.domain` or `domain`.
    ///
    /// # Errors
    /// [`RouteError::BadPattern`].
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let domain = |name: &str| {
            Domain::parse(name).map_err(|_| RouteError::BadPattern {
                text: text.to_owned(),
            })
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.strip_prefix("*.") {
            Some(parent) => domain(parent).map(Self::Below),
            None => domain(text).map(Self::Exactly),
        }
    }

    /// Whether the pattern holds for `domain`.
    #[must_use]
    pub fn matches(&self, domain: &Domain) -> bool {
        match self {
            Self::Any => true,
            Self::Below(parent) => domain != parent && domain.is_within(parent),
            Self::Exactly(name) => name == domain,
        }
    }

    /// How much the pattern says: the greatest wins among those that match.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Any => 0,
            Self::Below(parent) => parent.as_str().len(),
            Self::Exactly(_) => usize::MAX,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Below(parent) => write!(f, "*.{parent}"),
            Self::Exactly(name) => name.fmt(f),
        }
    }
}

/// Where the Maildirs of a domain are: an absolute or relative path with `{user}` and, if wanted, `{domain}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaildirTemplate(Box<str>);

impl MaildirTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// [`RouteError::BadMaildir`] without `{user}`, with another placeholder, or with a `..` component.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let rest = text.replace("{user}", "").replace("{domain}", "");
        let legal = text.contains("{user}")
            && !rest.contains(['{', '}', '\0'])
            && text.split('/').all(|part| part != "..");
        legal
            .then(|| Self(text.into()))
            .ok_or_else(|| RouteError::BadMaildir {
                text: text.to_owned(),
            })
    }

    /// The Maildir of a user; `None` if the name cannot be one path component: it holds `/` or a control
    /// character, starts with a dot, or is longer than [`MAX_USER`].
    #[must_use]
    pub fn path(&self, domain: &Domain, user: &str) -> Option<PathBuf> {
        let safe = !user.is_empty()
            && user.len() <= MAX_USER
            && !user.starts_with('.')
            && !user.chars().any(|c| c == '/' || c.is_control());
        // One pass over the template: a user named `{domain}` stays what it is.
        safe.then(|| {
            let with_user: Vec<String> = self
                .0
                .split("{user}")
                .map(|part| part.replace("{domain}", domain.as_str()))
                .collect();
            PathBuf::from(with_user.join(user))
        })
    }

    /// The folder below which all Maildirs of this template are, whatever the domain and the user are called.
    #[must_use]
    pub fn root(&self) -> &Path {
        let fixed = self.0.split('{').next().unwrap_or_default();
        match fixed.rsplit_once('/') {
            Some(("", _)) => Path::new("/"),
            Some((folder, _)) => Path::new(folder),
            None => Path::new("."),
        }
    }
}

impl fmt::Display for MaildirTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What deliveries have in common that go together: the key of the scheduler's queues.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// The MX hosts of a domain.
    Mx(Domain),
    /// The host of an address literal.
    Literal(IpAddr),
    /// A configured server that speaks SMTP.
    Relay(NextHop),
    /// A configured server that speaks LMTP.
    Lmtp(NextHop),
    /// The Maildirs of a local domain.
    Maildir(Domain),
}

impl fmt::Display for Destination {
    /// One word: `example.org`, `[192.0.2.1]`, `relay:10.0.0.1:25`, `lmtp:/run/lmtp`, `maildir:example.org`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mx(domain) => domain.fmt(f),
            Self::Literal(ip) => Host::Literal(*ip).fmt(f),
            Self::Relay(hop) => write!(f, "relay:{hop}"),
            Self::Lmtp(hop) => write!(f, "lmtp:{hop}"),
            Self::Maildir(domain) => write!(f, "maildir:{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    #[test]
    fn all_maildirs_of_a_template_are_below_its_root() {
        for (template, root) in [
            ("/var/mail/{user}", "/var/mail"),
            ("/var/mail/{domain}/{user}/Maildir", "/var/mail"),
            ("/srv/mail-{domain}/{user}", "/srv"),
            ("/home/{user}/Maildir", "/home"),
            ("mail/{user}", "mail"),
            ("{user}", "."),
            ("box-{user}", "."),
            ("/{user}", "/"),
        ] {
            let template = MaildirTemplate::parse(template).unwrap();
            assert_eq!(template.root(), Path::new(root), "{template}");
            let maildir = template.path(&domain("example.org"), "anne").unwrap();
            assert!(root == "." || maildir.starts_with(root), "{maildir:?}");
        }
    }

    #[test]
    fn a_next_hop_is_printed_as_it_is_read() {
        for (text, shown) in [
            ("10.0.0.1:2525", "10.0.0.1:2525"),
            ("10.0.0.1", "10.0.0.1:25"),
            ("[2001:db8::1]:24", "[2001:db8::1]:24"),
            ("2001:db8::1", "[2001:db8::1]:25"),
            ("[2001:db8::1]", "[2001:db8::1]:25"),
            ("Relay.Example.org", "relay.example.org:25"),
            ("relay.example.org:587", "relay.example.org:587"),
            ("/run/dovecot/lmtp", "/run/dovecot/lmtp"),
        ] {
            let hop = NextHop::parse(text, DEFAULT_SMTP_PORT).unwrap();
            assert_eq!(hop.to_string(), shown);
            assert_eq!(NextHop::parse(shown, 1).unwrap(), hop, "{shown}");
        }
        for wrong in [
            "",
            ":25",
            "host:",
            "host:0",
            "host:99999",
            "a b",
            "run/socket",
            "10.0.0.1:0",
            "10.0.0.1.",
            "10.0.0.1.:25",
        ] {
            assert!(NextHop::parse(wrong, 25).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_star_matches_below_a_domain_only() {
        let below = Pattern::parse("*.internal").unwrap();
        assert!(below.matches(&domain("a.internal")));
        assert!(below.matches(&domain("b.a.internal")));
        assert!(!below.matches(&domain("internal")));
        assert!(!below.matches(&domain("xinternal")));
        assert!(Pattern::parse("*").unwrap().matches(&domain("internal")));
        for wrong in ["", "*.", "*a.test", "a.*.test", "**"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_users_name_cannot_leave_the_maildirs() {
        let template = MaildirTemplate::parse("/var/mail/{domain}/{user}").unwrap();
        let path = |user| template.path(&domain("example.org"), user);
        assert_eq!(
            path("jérôme"),
            Some(PathBuf::from("/var/mail/example.org/jérôme"))
        );
        assert_eq!(
            path("{domain}{user}"),
            Some(PathBuf::from("/var/mail/example.org/{domain}{user}"))
        );
        let long = "x".repeat(MAX_USER + 1);
        for wrong in [
            "", "..", ".", ".hidden", "a/b", "../b", "a\0b", "a\nb", &long,
        ] {
            assert_eq!(path(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_maildir_template_needs_the_user() {
        for wrong in ["/var/mail", "/var/mail/{usr}", "/var/../{user}", "{user}{"] {
            assert!(MaildirTemplate::parse(wrong).is_err(), "{wrong}");
        }
    }
}
