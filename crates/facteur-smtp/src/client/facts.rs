//! What a message's content really holds, found by reading it: asked for only when the next server lacks an
//! extension that the message was declared to need, or takes content by BDAT.

use facteur_mail::BodyType;
use memchr::memchr;

/// The longest line that is not binary content, in octets, CRLF excluded. (RFC 5321 §4.5.3.1.6)
pub const MAX_TEXT_LINE: usize = 998;

/// What content needs of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// An octet above 127 in the header section: SMTPUTF8.
    pub eight_bit_header: bool,
    /// An octet above 127 anywhere: 8BITMIME.
    pub eight_bit: bool,
    /// NUL, a bare CR or LF, or a line longer than [`MAX_TEXT_LINE`]: BINARYMIME.
    pub binary: bool,
    /// Only CRLF ends a line, the last one included: it arrives the same, octet for octet, by DATA and by BDAT.
    pub clean: bool,
}

impl Facts {
    /// What must be assumed of content that was not read.
    #[must_use]
    pub fn declared(body: BodyType, smtputf8: bool) -> Self {
        Self {
            eight_bit_header: smtputf8,
            eight_bit: body != BodyType::SevenBit,
            binary: body == BodyType::BinaryMime,
            clean: false,
        }
    }
}

/// Reads content a piece at a time, keeping nothing of it.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    facts: Facts,
    /// A bare CR or LF was seen.
    bare: bool,
    begun: bool,
    line: usize,
    after_cr: bool,
    in_body: bool,
}

impl Inspection {
    /// Reads the next piece.
    pub fn push(&mut self, content: &[u8]) {
        self.facts.binary |= memchr(0, content).is_some();
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            self.part_of_line(line);
        }
    }

    /// What was found.
    #[must_use]
    pub const fn finish(mut self) -> Facts {
        self.bare |= self.after_cr;
        self.facts.binary |= self.bare;
        self.facts.clean = self.begun && !self.bare && self.line == 0;
        self.facts
    }

    /// A line or a part of it; an LF can only be its last octet.
    fn part_of_line(&mut self, part: &[u8]) {
        self.begun = true;
        let eight_bit = !part.is_ascii();
        self.facts.eight_bit |= eight_bit;
        self.facts.eight_bit_header |= eight_bit && !self.in_body;

        let text = part.strip_suffix(b"\n").unwrap_or(part);
        let ended = text.len() < part.len();
        let (text, cr) = match text.strip_suffix(b"\r") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let broken_before = self.after_cr && !part.starts_with(b"\n");
        let proper_end = cr || (self.after_cr && part == b"\n");
        self.bare |= broken_before || memchr(b'\r', text).is_some() || (ended && !proper_end);
        self.line += text.len() + usize::from(broken_before);
        self.facts.binary |= self.line > MAX_TEXT_LINE;
        self.after_cr = cr && !ended;
        if ended {
            self.in_body |= self.line == 0;
            self.line = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(content: &[u8], size: usize) -> Facts {
        let mut inspection = Inspection::default();
        content
            .chunks(size)
            .for_each(|piece| inspection.push(piece));
        inspection.finish()
    }

    #[test]
    fn content_is_what_its_octets_are() {
        let long = format!("A: b\r\n\r\n{}\r\n", "x".repeat(999));
        for (content, header, eight_bit, binary, clean) in [
            (&b"A: b\r\n\r\ntext\r\n"[..], false, false, false, true),
            ("A: é\r\n\r\ntext\r\n".as_bytes(), true, true, false, true),
            ("A: b\r\n\r\nté\r\n".as_bytes(), false, true, false, true),
            (b"A: b\r\n\r\n\0\r\n", false, false, true, true),
            (b"A: b\r\n\r\na\nb\r\n", false, false, true, false),
            (b"A: b\r\n\r\na\rb\r\n", false, false, true, false),
            (b"A: b\r\n\r\na\r", false, false, true, false),
            (b"A: b\r\n\r\na\n", false, false, true, false),
            (b"A: b\r\n\r\n\n", false, false, true, false),
            (b"A: b\r\n\r\na", false, false, false, false),
            (b"\r\n", false, false, false, true),
            (b"", false, false, false, false),
            (long.as_bytes(), false, false, true, true),
        ] {
            let expected = Facts {
                eight_bit_header: header,
                eight_bit,
                binary,
                clean,
            };
            for size in [1_000, 1] {
                let facts = facts(content, size);
                assert_eq!(facts, expected, "{}", content.escape_ascii());
            }
        }
    }

    proptest! {
        #[test]
        fn prop_any_chunking_finds_the_same(
            content in prop::collection::vec(prop_oneof![
                Just(b"\r\n".to_vec()), Just(b"\r".to_vec()), Just(b"\n".to_vec()), Just(b"abc".to_vec()),
                Just(vec![b'x'; 500]), Just(vec![0]), Just(vec![0xe9]),
            ], 0..30),
            size in 1_usize..20,
        ) {
            let content = content.concat();
            prop_assert_eq!(facts(&content, size), facts(&content, content.len().max(1)));
        }
    }
}
