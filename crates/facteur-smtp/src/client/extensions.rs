//! What the remote offers: the keywords of its answer to EHLO or LHLO. (RFC 5321 §4.1.1.1)

use facteur_replies::RemoteReply;

use crate::extensions;

/// The extensions that change what we say; all others are ignored. What is not offered is never used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extensions {
    /// Several commands at once. (RFC 2920 §3.1)
    pub pipelining: bool,
    /// SIZE on MAIL. (RFC 1870 §4)
    pub size: bool,
    /// The largest message taken, in octets, where it was said. (RFC 1870 §4)
    pub size_limit: Option<u64>,
    /// BODY=8BITMIME. (RFC 6152 §3)
    pub eight_bit_mime: bool,
    /// Addresses and headers in UTF-8. (RFC 6531 §3.1)
    pub smtputf8: bool,
    /// RET, ENVID, NOTIFY and ORCPT. (RFC 3461 §4)
    pub dsn: bool,
    /// BDAT. (RFC 3030 §2)
    pub chunking: bool,
    /// BODY=BINARYMIME, of use only with BDAT. (RFC 3030 §3)
    pub binary_mime: bool,
    /// Replies carry enhanced codes. (RFC 2034 §3)
    pub enhanced_status_codes: bool,
    /// STARTTLS. (RFC 3207 §4)
    pub starttls: bool,
    /// The most recipients a transaction may have, where it was said. (RFC 9422)
    pub max_recipients: Option<usize>,
    /// The most transactions a session may have, where it was said. (RFC 9422)
    pub max_messages: Option<usize>,
}

impl Extensions {
    /// Reads the lines of a positive answer; the first one greets and is skipped.
    #[must_use]
    pub fn of(reply: &RemoteReply) -> Self {
        let mut offered = Self::default();
        for line in reply.lines.iter().skip(1) {
            offered.add(line);
        }
        offered
    }

    fn add(&mut self, line: &str) {
        // Some servers write `SIZE=n`, as drafts of RFC 1870 did.
        let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        let Some(keyword) = words.next() else {
            return;
        };
        match keyword.to_ascii_uppercase().as_str() {
            extensions::PIPELINING => self.pipelining = true,
            extensions::SIZE => {
                self.size = true;
                self.size_limit = words
                    .next()
                    .and_then(|limit| limit.parse().ok())
                    .filter(|limit| *limit > 0);
            }
            extensions::EIGHT_BIT_MIME => self.eight_bit_mime = true,
            extensions::SMTPUTF8 => self.smtputf8 = true,
            extensions::DSN => self.dsn = true,
            extensions::CHUNKING => self.chunking = true,
            extensions::BINARY_MIME => self.binary_mime = true,
            extensions::ENHANCED_STATUS_CODES => self.enhanced_status_codes = true,
            "STARTTLS" => self.starttls = true,
            extensions::LIMITS => self.add_limits(line),
            _ => {}
        }
    }

    fn add_limits(&mut self, line: &str) {
        for limit in line.split([' ', '\t']).skip(1) {
            let Some((name, value)) = limit.split_once('=') else {
                continue;
            };
            // A limit of zero would allow nothing; RFC 9422 has no such value.
            let value = value.parse().ok().filter(|limit| *limit > 0);
            if name.eq_ignore_ascii_case("RCPTMAX") {
                self.max_recipients = value;
            } else if name.eq_ignore_ascii_case("MAILMAX") {
                self.max_messages = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use facteur_replies::ReplyCode;

    use super::*;

    fn offered(lines: &[&str]) -> Extensions {
        let lines = std::iter::once("mx.example.org PIPELINING")
            .chain(lines.iter().copied())
            .map(str::to_owned);
        Extensions::of(&RemoteReply::new(
            ReplyCode::new(250).unwrap(),
            lines.collect(),
        ))
    }

    #[test]
    fn keywords_are_read_without_regard_to_case_and_the_greeting_is_none() {
        assert_eq!(offered(&[]), Extensions::default());
        let all = offered(&[
            "pipelining",
            "SIZE 1000",
            "8bitMIME",
            "SMTPUTF8",
            "DSN",
            "X-UNKNOWN a b",
            "LIMITS RCPTMAX=50 MAILMAX=3 OTHER",
        ]);
        assert!(all.pipelining && all.eight_bit_mime && all.smtputf8 && all.dsn);
        assert_eq!(all.size_limit, Some(1000));
        assert_eq!((all.max_recipients, all.max_messages), (Some(50), Some(3)));
        assert!(!all.chunking && !all.starttls);
    }

    #[test]
    fn a_size_without_a_sensible_number_is_no_limit() {
        for line in [
            "SIZE",
            "SIZE 0",
            "SIZE many",
            "SIZE 99999999999999999999999",
        ] {
            let offered = offered(&[line]);
            assert!(offered.size, "{line}");
            assert_eq!(offered.size_limit, None, "{line}");
        }
        assert_eq!(offered(&["SIZE=7"]).size_limit, Some(7));
        assert_eq!(offered(&["LIMITS RCPTMAX=0"]).max_recipients, None);
    }
}
