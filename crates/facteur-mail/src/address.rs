//! A mailbox address of the envelope: local part, and a domain or an address literal.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::{Domain, DomainError};

/// The longest local part we take, in octets. RFC 5321 §4.5.3.1.1 asks for 64 at least; addresses that carry
/// another address inside (VERP, SRS) are longer.
pub const MAX_LOCAL_PART: usize = 255;

/// The longest address we take, in octets. RFC 5321 §4.5.3.1.3 asks for 256 at least.
pub const MAX_PATH: usize = 512;

/// An address as the envelope carries it. (RFC 5321 §4.1.2)
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local: LocalPart,
    host: Host,
}

/// The local part, without the quotes it may have travelled in: `"a b"` and `"a\ b"` are equal.
///
/// Its case is kept; only the host that owns it may compare without regard to case. (RFC 5321 §2.4)
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalPart(Box<str>);

/// What stands behind the `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A domain name.
    Domain(Domain),
    /// An address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`. (RFC 5321 §4.1.3)
    Literal(IpAddr),
}

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// No `@` outside quotes, or nothing before it.
    NoLocalPart,
    /// The local part holds a character that needs quotes, or an empty atom.
    BadLocalPart,
    /// A quoted local part that does not end, or text behind the closing quote.
    BadQuoting,
    /// A local part of more than [`MAX_LOCAL_PART`] octets or an address of more than [`MAX_PATH`].
    TooLong,
    /// An address literal that is neither IPv4 nor `IPv6:`.
    BadLiteral,
    /// The domain is none.
    Domain(DomainError),
}

impl Address {
    /// An address from its parts.
    #[must_use]
    pub const fn new(local: LocalPart, host: Host) -> Self {
        Self { local, host }
    }

    /// Reads `local@host`, without angle brackets; quoted local parts, address literals and UTF-8 allowed.
    ///
    /// # Errors
    /// [`AddressError`] names what is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_PATH {
            return Err(AddressError::TooLong);
        }
        let (local, host) = LocalPart::take(text)?;
        let host = Host::parse(host)?;
        let address = Self { local, host };
        // Written out, an internationalised domain is longer than it was given.
        if !text.is_ascii() && address.to_string().len() > MAX_PATH {
            return Err(AddressError::TooLong);
        }
        Ok(address)
    }

    /// The local part.
    #[must_use]
    pub const fn local(&self) -> &LocalPart {
        &self.local
    }

    /// What stands behind the `@`.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The domain, if it is not an address literal.
    #[must_use]
    pub const fn domain(&self) -> Option<&Domain> {
        match &self.host {
            Host::Domain(domain) => Some(domain),
            Host::Literal(_) => None,
        }
    }

    /// Whether the address needs SMTPUTF8: the domain is always ASCII, so the local part decides.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.local.0.is_ascii()
    }
}

impl LocalPart {
    /// A local part from its content, without quotes.
    ///
    /// # Errors
    /// [`AddressError`] when it is empty, too long, or holds a control character.
    pub fn new(content: &str) -> Result<Self, AddressError> {
        if content.is_empty() {
            return Err(AddressError::NoLocalPart);
        }
        if content.len() > MAX_LOCAL_PART {
            return Err(AddressError::TooLong);
        }
        if content.chars().any(char::is_control) {
            return Err(AddressError::BadLocalPart);
        }
        Ok(Self(content.into()))
    }

    /// `postmaster`, which every server has. (RFC 5321 §4.5.1)
    #[must_use]
    pub fn postmaster() -> Self {
        Self("postmaster".into())
    }

    /// The content, without quotes or escapes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Splits `local@host` at the `@` that ends the local part.
    fn take(text: &str) -> Result<(Self, &str), AddressError> {
        if let Some(quoted) = text.strip_prefix('"') {
            return Self::take_quoted(quoted);
        }
        let (local, host) = text.rsplit_once('@').ok_or(AddressError::NoLocalPart)?;
        if local.is_empty() {
            return Err(AddressError::NoLocalPart);
        }
        if !is_dot_string(local) {
            return Err(AddressError::BadLocalPart);
        }
        Ok((Self::new(local)?, host))
    }

    fn take_quoted(quoted: &str) -> Result<(Self, &str), AddressError> {
        let mut content = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    let rest = quoted.get(at + 1..).unwrap_or_default();
                    let host = rest.strip_prefix('@').ok_or(AddressError::BadQuoting)?;
                    return Ok((Self::new(&content)?, host));
                }
                '\\' => content.push(chars.next().ok_or(AddressError::BadQuoting)?.1),
                c => content.push(c),
            }
        }
        Err(AddressError::BadQuoting)
    }
}

/// Atoms of RFC 5322 §3.2.3 with single dots between them; UTF-8 as RFC 6531 §3.3 adds it.
fn is_dot_string(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !c.is_control())
}

impl Host {
    /// Reads a domain name or an address literal in brackets.
    ///
    /// # Errors
    /// [`AddressError::BadLiteral`] or [`AddressError::Domain`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let Some(literal) = text.strip_prefix('[') else {
            return Domain::parse(text)
                .map(Self::Domain)
                .map_err(AddressError::Domain);
        };
        let literal = literal.strip_suffix(']').ok_or(AddressError::BadLiteral)?;
        let tag = literal.get(..5).unwrap_or_default();
        let ip = if tag.eq_ignore_ascii_case("IPv6:") {
            literal
                .get(5..)
                .unwrap_or_default()
                .parse::<Ipv6Addr>()
                .map(IpAddr::V6)
                .ok()
        } else {
            literal.parse::<Ipv4Addr>().map(IpAddr::V4).ok()
        };
        ip.map(Self::Literal).ok_or(AddressError::BadLiteral)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.host)
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Literal(IpAddr::V4(ip)) => write!(f, "[{ip}]"),
            Self::Literal(IpAddr::V6(ip)) => write!(f, "[IPv6:{ip}]"),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLocalPart => f.write_str("there is nothing before an @"),
            Self::BadLocalPart => f.write_str("the part before the @ needs quotes or is malformed"),
            Self::BadQuoting => {
                f.write_str("the quotes of the local part are not closed before the @")
            }
            Self::TooLong => f.write_str("the address is too long"),
            Self::BadLiteral => f.write_str("the address literal in brackets is not an IP address"),
            Self::Domain(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        Address::parse(text).map_or_else(
            |error| format!("! {error:?}"),
            |address| address.to_string(),
        )
    }

    #[test]
    fn an_address_is_printed_as_it_must_travel() {
        for (text, shown) in [
            ("User.Name+tag@Example.ORG", "User.Name+tag@example.org"),
            (r#""a b"@example.org"#, r#""a b"@example.org"#),
            (r#""plain"@example.org"#, "plain@example.org"),
            (r#""a\"b\\c"@example.org"#, r#""a\"b\\c"@example.org"#),
            (r#""a@b"@example.org"#, r#""a@b"@example.org"#),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
            ("a@[ipv6:2001:DB8::1]", "a@[IPv6:2001:db8::1]"),
            ("jérôme@exämple.org", "jérôme@xn--exmple-cua.org"),
        ] {
            assert_eq!(parsed(text), shown, "{text}");
            assert_eq!(parsed(shown), shown, "{shown}: printing and reading agree");
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        for (text, error) in [
            ("", "! NoLocalPart"),
            ("user", "! NoLocalPart"),
            ("@example.org", "! NoLocalPart"),
            ("a..b@example.org", "! BadLocalPart"),
            ("a b@example.org", "! BadLocalPart"),
            ("a@b@example.org", "! BadLocalPart"),
            (r#""a@example.org"#, "! BadQuoting"),
            (r#""a"b@example.org"#, "! BadQuoting"),
            ("a@[300.1.1.1]", "! BadLiteral"),
            ("a@[192.0.2.1", "! BadLiteral"),
            ("a@", "! Domain(Empty)"),
            ("\"a\r\nb\"@example.org", "! BadLocalPart"),
        ] {
            assert_eq!(parsed(text), error, "{text:?}");
        }
    }

    #[test]
    fn an_address_that_is_too_long_once_written_out_is_refused() {
        let local = format!("\"{}\"", "\\\"".repeat(200));
        let short = format!("{local}@{}test", "é.".repeat(5));
        assert_eq!(parsed(&parsed(&short)), parsed(&short));
        let long = format!("{local}@{}test", "é.".repeat(30));
        assert!(long.len() <= MAX_PATH);
        assert_eq!(parsed(&long), "! TooLong");
    }

    #[test]
    fn only_the_local_part_needs_smtputf8() {
        assert!(Address::parse("a@exämple.org").unwrap().is_ascii());
        assert!(!Address::parse("é@example.org").unwrap().is_ascii());
    }
}
