//! Finds the `Message-ID:` of a message whose content comes in pieces.

use crate::event::MAX_MESSAGE_ID;

/// The field's name in lower case, with its colon. (RFC 5322 §3.6.4)
const NAME: &[u8] = b"message-id:";

/// Reads a header section for what stands between the angle brackets of its first `Message-ID:`.
#[derive(Debug, Clone)]
pub struct MessageIdFinder {
    place: Place,
    found: Vec<u8>,
}

/// Where the next octet stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// So many octets into a line that may begin the field.
    Name(usize),
    /// In a line that does not.
    Line,
    /// After CR at the start of a line.
    EmptyLine,
    /// In the field, before `<`; whether a line has just begun.
    Before { line_start: bool },
    /// Between the brackets.
    Within,
    /// Found, or past the header section.
    Done,
}

impl MessageIdFinder {
    /// A finder for a message of which nothing has come yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            place: Place::Name(0),
            found: Vec::new(),
        }
    }

    /// Takes the next piece of the content.
    pub fn read(&mut self, mut content: &[u8]) {
        while let Some((first, rest)) = content.split_first() {
            match self.place {
                Place::Done => return,
                // Most of a header section is other fields: their lines are skipped whole.
                Place::Line => {
                    let Some(end) = content.iter().position(|octet| *octet == b'\n') else {
                        return;
                    };
                    content = content.get(end + 1..).unwrap_or_default();
                    self.place = Place::Name(0);
                    continue;
                }
                Place::Name(_) | Place::EmptyLine | Place::Before { .. } | Place::Within => {
                    self.step(*first);
                }
            }
            content = rest;
        }
    }

    fn step(&mut self, octet: u8) {
        self.place = match (self.place, octet) {
            (Place::EmptyLine, b'\n') => Place::Done,
            (Place::Name(0), b'\r') => Place::EmptyLine,
            (Place::Name(_) | Place::Line, b'\n') => Place::Name(0),
            (Place::Name(at), octet) if NAME.get(at) == Some(&octet.to_ascii_lowercase()) => {
                if at + 1 == NAME.len() {
                    Place::Before { line_start: false }
                } else {
                    Place::Name(at + 1)
                }
            }
            (Place::Name(_) | Place::EmptyLine | Place::Line, _) => Place::Line,
            (Place::Before { .. }, b'<') => Place::Within,
            (Place::Before { .. }, b'\n') => Place::Before { line_start: true },
            // A line that does not go on with a space is another field, and this one has no brackets.
            (Place::Before { line_start: true }, octet) if !matches!(octet, b' ' | b'\t') => {
                Place::Done
            }
            (Place::Before { .. }, _) => Place::Before { line_start: false },
            (Place::Within, b'>') => Place::Done,
            (Place::Within, b'\r' | b'\n' | b'<') => self.give_up(),
            (Place::Within, _) if self.found.len() == MAX_MESSAGE_ID => self.give_up(),
            (Place::Within, octet) => {
                self.found.push(octet);
                Place::Within
            }
            (Place::Done, _) => Place::Done,
        };
    }

    fn give_up(&mut self) -> Place {
        self.found.clear();
        Place::Done
    }

    /// What was found, without the angle brackets; `None` if there was none, or none that can be kept.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        let whole = matches!(self.place, Place::Done) && !self.found.is_empty();
        whole
            .then(|| std::str::from_utf8(&self.found).ok())
            .flatten()
    }
}

impl Default for MessageIdFinder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(content: &[u8]) -> Option<String> {
        let mut finder = MessageIdFinder::new();
        finder.read(content);
        finder.found().map(str::to_owned)
    }

    #[test]
    fn a_message_id_is_found_folded_and_whatever_its_case() {
        let folded = b"Received: by mx\r\n id 1\r\nMESSAGE-id:\r\n <a.b@c.test>\r\n\r\nMessage-ID: <no@no>\r\n";
        assert_eq!(found(folded).as_deref(), Some("a.b@c.test"));
        let plain = b"Subject: x\r\nMessage-ID: <1@c.test>\r\nMessage-ID: <2@c.test>\r\n";
        assert_eq!(found(plain).as_deref(), Some("1@c.test"));
    }

    #[test]
    fn what_is_no_message_id_is_none() {
        for content in [
            &b"Subject: x\r\n\r\nMessage-ID: <body@c.test>\r\n"[..],
            b"X-Message-ID: <x@c.test>\r\n\r\n",
            b"Message-ID: none\r\nTo: <a@b.test>\r\n\r\n",
            b"Message-ID: <broken\r\n line@c.test>\r\n\r\n",
            b"Message-ID: <>\r\n\r\n",
            b"Message-ID: <\xff@c.test>\r\n\r\n",
            b"Message-ID: <never ends",
        ] {
            assert_eq!(found(content), None, "{}", content.escape_ascii());
        }
        let long = format!("Message-ID: <{}>\r\n\r\n", "x".repeat(MAX_MESSAGE_ID + 1));
        assert_eq!(found(long.as_bytes()), None);
        let longest = format!("Message-ID: <{}>\r\n\r\n", "x".repeat(MAX_MESSAGE_ID));
        assert!(found(longest.as_bytes()).is_some());
    }

    proptest! {
        #[test]
        fn prop_any_split_finds_the_same(content in "([MmX]essage-[Ii][Dd]: ?<?[a@]{0,3}>?|[ a:<>]{0,4}|\r|\n|\r\n| ){0,20}", at in 0_usize..200) {
            let content = content.as_bytes();
            let (one, other) = content.split_at(at.min(content.len()));
            let mut finder = MessageIdFinder::new();
            finder.read(one);
            finder.read(other);
            let by_octet = content.iter().fold(MessageIdFinder::new(), |mut finder, octet| {
                finder.read(std::slice::from_ref(octet));
                finder
            });
            prop_assert_eq!(finder.found().map(str::to_owned), found(content));
            prop_assert_eq!(by_octet.found().map(str::to_owned), found(content));
        }
    }
}
