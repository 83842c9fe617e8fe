//! The trace field that each server puts in front of a message, and the count of those that stand there already.
//! (RFC 5321 §4.4)

use std::fmt;

use crate::address::Address;
use crate::date::MailDate;
use crate::domain::Domain;
use crate::envelope::{Client, Protocol};
use crate::environment::Timestamp;
use crate::queue_id::QueueId;

/// The field's name, in lower case, with its colon.
const NAME: &[u8] = b"received:";

/// The `Received:` field of a message; displayed with its CRLF.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Who gave us the message.
    pub client: &'a Client,
    /// Our name.
    pub by: &'a Domain,
    /// The message's name here.
    pub id: QueueId,
    /// The recipient, if there is only one: with several, none learns of the others.
    pub only_recipient: Option<&'a Address>,
    /// When it came.
    pub at: Timestamp,
}

impl fmt::Display for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Received: ")?;
        if self.client.protocol != Protocol::Local {
            write!(f, "from {} ", Token(&self.client.helo))?;
            match self.client.ip.map(|ip| ip.to_canonical()) {
                Some(ip) if ip.is_ipv6() => write!(f, "([IPv6:{ip}])\r\n\t")?,
                Some(ip) => write!(f, "([{ip}])\r\n\t")?,
                None => f.write_str("(local socket)\r\n\t")?,
            }
        }
        let with = protocol_name(self.client.protocol);
        write!(
            f,
            "by {} (Facteur) with {with}\r\n\tid {}",
            self.by, self.id
        )?;
        if let Some(recipient) = self.only_recipient {
            write!(f, "\r\n\tfor <{recipient}>")?;
        }
        write!(f, ";\r\n\t{}\r\n", MailDate(self.at))
    }
}

/// The registered name of how a message came. (RFC 3848, RFC 6531 §4.3)
const fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Smtp => "SMTP",
        Protocol::Esmtp => "ESMTP",
        Protocol::Lmtp => "LMTP",
        Protocol::Utf8Smtp => "UTF8SMTP",
        Protocol::Utf8Lmtp => "UTF8LMTP",
        Protocol::Local => "local",
        Protocol::Http => "HTTP",
    }
}

/// A client's name for itself, of which only what a host name or an address literal holds is shown.
struct Token<'a>(&'a str);

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("unknown");
        }
        for c in self.0.chars() {
            let harmless =
                c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
            write!(f, "{}", if harmless { c } else { '?' })?;
        }
        Ok(())
    }
}

/// Counts the `Received:` fields of a message whose content comes in pieces.
#[derive(Debug, Clone)]
pub struct Hops {
    count: u32,
    place: Place,
}

/// Where in the header section the next octet stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// So many octets into a line that may be one to count.
    Name(usize),
    /// In a line that is counted or not.
    Line,
    /// After CR at the start of a line.
    EmptyLine,
    /// Past the header section.
    Body,
}

impl Hops {
    /// A count for a message of which nothing has come yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            count: 0,
            place: Place::Name(0),
        }
    }

    /// Takes the next piece of the content.
    pub fn read(&mut self, content: &[u8]) {
        for byte in content {
            self.place = match (self.place, byte) {
                (Place::Body, _) | (Place::EmptyLine, b'\n') => {
                    self.place = Place::Body;
                    return;
                }
                (Place::Name(0), b'\r') => Place::EmptyLine,
                (_, b'\n') => Place::Name(0),
                (Place::Name(at), byte) if NAME.get(at) == Some(&byte.to_ascii_lowercase()) => {
                    if at + 1 == NAME.len() {
                        self.count += 1;
                        Place::Line
                    } else {
                        Place::Name(at + 1)
                    }
                }
                (Place::Name(_) | Place::Line | Place::EmptyLine, _) => Place::Line,
            };
        }
    }

    /// How many fields there have been so far.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }
}

impl Default for Hops {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(ip: Option<&str>, helo: &str, protocol: Protocol) -> Client {
        Client {
            ip: ip.map(|ip| ip.parse().unwrap()),
            helo: helo.into(),
            protocol,
        }
    }

    fn field(client: &Client, only_recipient: Option<&str>) -> String {
        let address = only_recipient.map(|text| Address::parse(text).unwrap());
        Received {
            client,
            by: &Domain::parse("mx.example.org").unwrap(),
            id: QueueId::from_number(1),
            only_recipient: address.as_ref(),
            at: Timestamp::from_millis(1_767_571_200_000),
        }
        .to_string()
    }

    #[test]
    fn the_field_says_from_by_with_id_for_and_when() {
        assert_eq!(
            field(
                &client(Some("192.0.2.1"), "a.test", Protocol::Esmtp),
                Some("u@b.test")
            ),
            "Received: from a.test ([192.0.2.1])\r\n\tby mx.example.org (Facteur) with ESMTP\r\n\t\
             id 0000000000001\r\n\tfor <u@b.test>;\r\n\tMon, 5 Jan 2026 00:00:00 +0000\r\n"
        );
        assert!(
            field(&client(Some("2001:db8::1"), "a", Protocol::Utf8Smtp), None)
                .starts_with("Received: from a ([IPv6:2001:db8::1])\r\n\tby mx.example.org (Facteur) with UTF8SMTP")
        );
        assert!(
            field(&client(None, "", Protocol::Local), None)
                .starts_with("Received: by mx.example.org (Facteur) with local\r\n\tid ")
        );
    }

    #[test]
    fn a_hostile_name_breaks_nothing() {
        let text = field(
            &client(None, "a\r\nBcc:(;<x>\u{202e}", Protocol::Smtp),
            None,
        );
        assert!(
            text.starts_with("Received: from a??Bcc:???x?? (local socket)\r\n"),
            "{text}"
        );
        assert!(!text.contains("\r\nBcc"));
    }

    #[test]
    fn hops_are_counted_in_the_header_alone() {
        let message = b"Received: a\r\n received: folded\r\nrEcEiVeD: b\r\nReceived-SPF: no\r\nX: Received:\r\n\r\nReceived: body\r\n";
        for piece in [1, 2, 3, 7, message.len()] {
            let mut hops = Hops::new();
            message.chunks(piece).for_each(|chunk| hops.read(chunk));
            assert_eq!(hops.count(), 2, "in pieces of {piece}");
        }
    }
}
