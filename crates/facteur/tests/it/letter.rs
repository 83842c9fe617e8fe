//! A message as it lies in a Maildir.

use std::fs;
use std::path::Path;

/// The fields that Facteur puts in front.
const TRACE: [&str; 3] = ["return-path", "delivered-to", "received"];

/// A message. Its lines end with LF, unless it is binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    octets: Vec<u8>,
}

impl Letter {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Self {
        Self {
            octets: fs::read(path).unwrap(),
        }
    }

    /// A message from its octets.
    pub(crate) const fn new(octets: Vec<u8>) -> Self {
        Self { octets }
    }

    /// The file.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The message as text, octets that are not UTF-8 replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).replace("\r\n", "\n")
    }

    /// The value of the first field of this name, unfolded.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        field(&self.text(), name)
    }

    /// The queue id in the topmost `Received:`.
    pub(crate) fn id(&self) -> String {
        let received = self.field("received").unwrap();
        let (_, id) = received.split_once(" id ").expect(&received);
        id.split([' ', ';']).next().unwrap().to_owned()
    }

    /// What the sender sent: everything behind the trace fields that Facteur put in front.
    pub(crate) fn content(&self) -> &[u8] {
        let mut rest = &self.octets[..];
        let mut in_trace = false;
        for line in self.octets.split_inclusive(|octet| *octet == b'\n') {
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            in_trace = (in_trace && folded) || is_trace(line);
            if !in_trace {
                break;
            }
            rest = &rest[line.len()..];
        }
        rest
    }

    /// A report's human part, decoded, its lines joined where they were wrapped.
    pub(crate) fn human(&self) -> String {
        let text = self.text();
        let part = part(&text, "text/plain").expect("a report has a human part");
        quoted_printable(part)
    }

    /// A report's machine part, unfolded. (RFC 3464, RFC 6533)
    pub(crate) fn machine(&self) -> String {
        let text = self.text();
        let part = part(&text, "message/delivery-status");
        let part = part.or_else(|| self::part(&text, "message/global-delivery-status"));
        let part = part.expect("a report has a machine part");
        part.replace("\n ", " ")
    }
}

/// The value of a field in unfolded or folded text.
pub(crate) fn field(text: &str, name: &str) -> Option<String> {
    let text = text.replace("\n\t", " ").replace("\n ", " ");
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        let value = value.trim().to_owned();
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// Text as people see it: white space of any length is one space.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_trace(line: &[u8]) -> bool {
    let name = line.split(|octet| *octet == b':').next().unwrap();
    TRACE
        .iter()
        .any(|trace| name.eq_ignore_ascii_case(trace.as_bytes()))
}

/// The body of the first part of this type.
fn part<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
    let (_, part) = text.split_once(&format!("\nContent-Type: {kind}"))?;
    let (_, body) = part.split_once("\n\n")?;
    body.split("\n--").next()
}

fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| str::from_utf8(hex).ok());
        let octet = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, octet) {
            (b'=', Some(octet)) => {
                octets.push(octet);
                rest = &tail[2..];
            }
            _ => {
                octets.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(octets).unwrap()
}
