//! A domain name as mail uses it: ASCII, lower case, without the final dot.

use std::fmt;

/// The longest domain name, in octets. (RFC 5321 §4.5.3.1.2)
pub const MAX_DOMAIN: usize = 255;

/// The longest label, in octets. (RFC 1035 §2.3.4)
const MAX_LABEL: usize = 63;

/// A domain name in its canonical form: A-labels, lower case, no final dot.
///
/// Internationalised names are converted on the way in, so that two spellings of a name are equal and the
/// domain never needs SMTPUTF8. (RFC 5890 §2.3.2.1)
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Box<str>);

/// Why a text is not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DomainError {
    /// Nothing at all, or an empty label.
    Empty,
    /// More than [`MAX_DOMAIN`] octets, or a label of more than 63.
    TooLong,
    /// A character that no host name has.
    BadCharacter,
    /// A label that IDNA does not allow.
    BadInternationalName,
}

impl Domain {
    /// Reads a domain name; letters of any script, one final dot allowed.
    ///
    /// # Errors
    /// [`DomainError`] for what is not a host name. An underscore is let through, as it is found in the wild.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DomainError::Empty);
        }
        if text.len() > MAX_DOMAIN * 4 {
            return Err(DomainError::TooLong);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| DomainError::BadInternationalName)?
        };
        if ascii.len() > MAX_DOMAIN {
            return Err(DomainError::TooLong);
        }
        for label in ascii.split('.') {
            check_label(label)?;
        }
        Ok(Self(ascii.into_boxed_str()))
    }

    /// The name, without a final dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name is `parent` or below it.
    #[must_use]
    pub fn is_within(&self, parent: &Self) -> bool {
        self.0
            .strip_suffix(parent.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

fn check_label(label: &str) -> Result<(), DomainError> {
    if label.is_empty() {
        return Err(DomainError::Empty);
    }
    if label.len() > MAX_LABEL {
        return Err(DomainError::TooLong);
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !label.bytes().all(legal) || label.starts_with('-') || label.ends_with('-') {
        return Err(DomainError::BadCharacter);
    }
    Ok(())
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the domain or one of its labels is empty",
            Self::TooLong => "the domain or one of its labels is too long",
            Self::BadCharacter => "the domain holds a character that no host name has",
            Self::BadInternationalName => "the domain is not a valid internationalised name",
        })
    }
}

impl std::error::Error for DomainError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        let name = Domain::parse("Exämple.ORG.").unwrap();
        assert_eq!(name.as_str(), "xn--exmple-cua.org");
        assert_eq!(name, Domain::parse("XN--EXMPLE-CUA.org").unwrap());
    }

    #[test]
    fn what_is_no_host_name_is_refused() {
        for (text, error) in [
            ("", DomainError::Empty),
            (".", DomainError::Empty),
            ("a..b", DomainError::Empty),
            ("a b.test", DomainError::BadCharacter),
            ("-a.test", DomainError::BadCharacter),
            ("a\r\n.test", DomainError::BadCharacter),
        ] {
            assert_eq!(Domain::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(Domain::parse(&"a".repeat(64)), Err(DomainError::TooLong));
        assert_eq!(Domain::parse(&"a.".repeat(200)), Err(DomainError::TooLong));
    }

    #[test]
    fn a_name_is_within_its_parents_only() {
        let parent = Domain::parse("example.org").unwrap();
        assert!(parent.is_within(&parent));
        assert!(Domain::parse("mx.example.org").unwrap().is_within(&parent));
        assert!(!Domain::parse("badexample.org").unwrap().is_within(&parent));
    }
}
