//! Makes message content fit for DATA: dots doubled, lines ended with CRLF, the final dot.

use memchr::memchr2;

/// Dot-stuffing, a piece of content at a time. (RFC 5321 §4.5.2)
///
/// Nothing but CRLF ends a line on the wire: a bare CR or a bare LF in the content becomes CRLF, so that no server
/// can see an end of data where another sees text. Content that came in through our own listener has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stuffing {
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    LineStart,
    InLine,
    /// Behind a CR that is not written yet: what follows decides what it is.
    AfterCr,
}

impl Stuffing {
    /// Appends a piece of content to `out` as it goes over the wire.
    pub fn push(&mut self, content: &[u8], out: &mut Vec<u8>) {
        out.reserve(content.len() + content.len() / 64 + 4);
        let mut rest = content;
        if self.place == Place::AfterCr
            && let Some(first) = rest.first()
        {
            out.extend_from_slice(b"\r\n");
            self.place = Place::LineStart;
            if *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        // What is clean goes over in one piece: `clean` counts the octets of `rest` that need no change.
        let mut clean = 0;
        while let Some(line) = rest.get(clean..).filter(|line| !line.is_empty()) {
            if self.place == Place::LineStart && line.first() == Some(&b'.') {
                rest = flush(rest, clean, 0, out);
                clean = 0;
                out.push(b'.');
                self.place = Place::InLine;
                continue;
            }
            let Some(at) = memchr2(b'\r', b'\n', line) else {
                clean += line.len();
                self.place = Place::InLine;
                break;
            };
            self.place = Place::LineStart;
            match (line.get(at), line.get(at + 1)) {
                (Some(b'\r'), Some(b'\n')) => clean += at + 2,
                (Some(b'\r'), None) => {
                    rest = flush(rest, clean + at, 1, out);
                    clean = 0;
                    self.place = Place::AfterCr;
                }
                (Some(_), _) | (None, _) => {
                    rest = flush(rest, clean + at, 1, out);
                    clean = 0;
                    out.extend_from_slice(b"\r\n");
                }
            }
        }
        flush(rest, clean, 0, out);
    }

    /// Appends what ends the data: a CRLF where the last line has none, and the lone dot. (RFC 5321 §4.1.1.4)
    pub fn finish(self, out: &mut Vec<u8>) {
        if self.place != Place::LineStart {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

/// Appends the first `keep` octets, skips `drop` more, returns the rest.
fn flush<'a>(bytes: &'a [u8], keep: usize, drop: usize, out: &mut Vec<u8>) -> &'a [u8] {
    out.extend_from_slice(bytes.get(..keep).unwrap_or(bytes));
    bytes.get(keep + drop..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut stuffing = Stuffing::default();
        for piece in pieces {
            stuffing.push(piece, &mut out);
        }
        stuffing.finish(&mut out);
        out
    }

    /// What a server makes of it; panics where the end of data is not exactly at the end.
    fn unstuffed(wire: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut lines = wire.split_inclusive(|b| *b == b'\n').peekable();
        while let Some(line) = lines.next() {
            assert!(line.ends_with(b"\r\n"), "only CRLF ends a line");
            assert!(!line[..line.len() - 2].contains(&b'\r'), "no bare CR");
            if line == b".\r\n" {
                assert!(lines.peek().is_none(), "the end of data is at the end");
                return out;
            }
            out.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        panic!("no end of data");
    }

    /// Bare CR and LF as CRLF, and a CRLF at the end: what the content means.
    fn normalised(content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, byte) in content.iter().enumerate() {
            match byte {
                b'\n' if i > 0 && content[i - 1] == b'\r' => {}
                b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
                other => out.push(*other),
            }
        }
        if !out.is_empty() && !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
        out
    }

    #[test]
    fn every_line_that_starts_with_a_dot_gets_another() {
        for (content, wire) in [
            (&b""[..], &b".\r\n"[..]),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b"..x\r\n.y\r\n", b"...x\r\n..y\r\n.\r\n"),
            (b"a.b\r\n.\r\nc", b"a.b\r\n..\r\nc\r\n.\r\n"),
            (b"\r\n\r\n", b"\r\n\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(&[content]), wire, "{}", content.escape_ascii());
        }
    }

    #[test]
    fn a_bare_newline_leaves_as_crlf() {
        for (content, wire) in [
            (&b"a\nb"[..], &b"a\r\nb\r\n.\r\n"[..]),
            (b"a\rb", b"a\r\nb\r\n.\r\n"),
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\r\n", b"a\r\n\r\n.\r\n"),
            (b"a\r", b"a\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(&[content]), wire, "{}", content.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn prop_unstuffing_gives_the_content_back(
            content in prop::collection::vec(prop_oneof![
                Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'x'), any::<u8>(),
            ], 0..300),
            size in 1_usize..40,
        ) {
            let pieces: Vec<&[u8]> = content.chunks(size).collect();
            let wire = stuffed(&pieces);
            prop_assert_eq!(unstuffed(&wire), normalised(&content));
            prop_assert_eq!(wire, stuffed(&[&content]));
        }
    }
}
