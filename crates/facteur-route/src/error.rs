//! What can go wrong with the configuration of routes and of the resolver.

use std::fmt;

/// A route, a network or the resolver cannot be set up.
#[derive(Debug)]
#[non_exhaustive]
pub enum RouteError {
    /// Not an address, or `address/prefix` with the prefix in range.
    BadNetwork {
        /// What was given.
        text: String,
    },
    /// Bits behind the prefix are set: `10.0.0.1/8` is either the host or the network.
    NetworkHasHostBits {
        /// What was given.
        text: String,
    },
    /// Not `HOST`, `HOST:PORT`, `[IPV6]:PORT` or an absolute path.
    BadNextHop {
        /// What was given.
        text: String,
    },
    /// Not `*`, a domain or `*.` and a domain.
    BadPattern {
        /// What was given.
        text: String,
    },
    /// A Maildir path without `{user}`, or with another placeholder, or with `..`.
    BadMaildir {
        /// What was given.
        text: String,
    },
    /// The system's resolver configuration cannot be used.
    SystemResolver {
        /// The file read.
        path: String,
        /// Why.
        cause: SystemResolverError,
    },
    /// The resolver could not be made.
    Resolver {
        /// Why.
        cause: hickory_resolver::net::NetError,
    },
}

/// Why the system's resolver configuration cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum SystemResolverError {
    /// It cannot be read.
    Unreadable(std::io::Error),
    /// It names no server, or cannot be parsed.
    Unusable(hickory_resolver::net::NetError),
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadNetwork { text } => {
                write!(
                    f,
                    "`{text}` is neither an IP address nor a network such as 10.0.0.0/8"
                )
            }
            Self::NetworkHasHostBits { text } => write!(
                f,
                "`{text}` has bits set behind its prefix: write the network's first address, or the host without a prefix"
            ),
            Self::BadNextHop { text } => write!(
                f,
                "`{text}` is no next hop: write HOST:PORT, [IPV6]:PORT or the absolute path of a socket"
            ),
            Self::BadPattern { text } => {
                write!(
                    f,
                    "`{text}` matches no domain: write *, example.org or *.example.org"
                )
            }
            Self::BadMaildir { text } => write!(
                f,
                "`{text}` is no place for Maildirs: it needs {{user}} as a part of the path, may have {{domain}}, and no `..`"
            ),
            Self::SystemResolver { path, cause } => match cause {
                SystemResolverError::Unreadable(_) => write!(f, "{path} cannot be read"),
                SystemResolverError::Unusable(_) => write!(f, "{path} names no usable DNS server"),
            },
            Self::Resolver { .. } => f.write_str("the DNS resolver could not be started"),
        }
    }
}

impl std::error::Error for RouteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Resolver { cause } => Some(cause),
            Self::SystemResolver { cause, .. } => match cause {
                SystemResolverError::Unreadable(cause) => Some(cause),
                SystemResolverError::Unusable(cause) => Some(cause),
            },
            Self::BadNetwork { .. }
            | Self::NetworkHasHostBits { .. }
            | Self::BadNextHop { .. }
            | Self::BadPattern { .. }
            | Self::BadMaildir { .. } => None,
        }
    }
}
