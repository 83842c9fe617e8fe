//! Reads the replies of a remote server, whatever it sends, at a bounded cost.
//!
//! Any text is a reply as long as each of its lines starts with three digits and then ends or goes on with a
//! space, a tab or a hyphen. What is unusual about it is a [`Finding`]; what cannot be a reply is a
//! [`ReplyError`], and the connection is of no further use.

use std::fmt;

use facteur_replies::{MAX_REPLY_LINE, RemoteReply, ReplyCode};
use memchr::memchr;

/// The most octets of one reply that are read, line ends included.
pub const MAX_REPLY_OCTETS: usize = 64 * 1024;

/// The most lines of one reply that are read.
pub const MAX_REPLY_LINES: usize = 512;

/// The most octets of text of one reply that are kept; the rest is read and dropped.
pub const MAX_REPLY_KEPT: usize = 4 * 1024;

/// Reads replies out of a stream of bytes, one after the other.
#[derive(Debug, Default)]
pub struct ReplyReader {
    line: Vec<u8>,
    line_octets: usize,
    octets: usize,
    lines: usize,
    kept: usize,
    reply: Option<(ReplyCode, Vec<String>)>,
    findings: Vec<Finding>,
}

/// A complete reply, and what was unusual about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The reply.
    pub reply: RemoteReply,
    /// What no reply should have, each once.
    pub findings: Vec<Finding>,
}

/// Something that no reply should have and that does not keep us from reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Its lines carry different codes; the last one counts. (RFC 5321 §4.2.1)
    MixedCodes,
    /// A line that ends with a bare LF.
    BareNewline,
    /// A line longer than [`MAX_REPLY_LINE`]. (RFC 5321 §4.5.3.1.5)
    LongLine,
    /// Bytes that are not UTF-8, kept as `\xNN`.
    NotText,
    /// More text than [`MAX_REPLY_KEPT`]; the rest was dropped.
    Cut,
}

/// Why what the remote sends is not a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// A line that does not start with a reply code.
    NotAReply,
    /// More than [`MAX_REPLY_OCTETS`] in one reply.
    TooLong,
    /// More than [`MAX_REPLY_LINES`] in one reply.
    TooManyLines,
}

impl ReplyReader {
    /// Takes bytes up to the end of one reply: how many it took, and the reply if it is complete.
    ///
    /// # Errors
    /// [`ReplyError`]: nothing sensible can follow on this connection.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(usize, Option<Heard>), ReplyError> {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let end = memchr(b'\n', rest).map(|at| at + 1);
            let (part, _) = rest.split_at(end.unwrap_or(rest.len()));
            taken += part.len();
            self.add(part)?;
            if end.is_some()
                && let Some(heard) = self.end_line()?
            {
                return Ok((taken, Some(heard)));
            }
        }
        Ok((taken, None))
    }

    /// Whether a reply has begun and not ended.
    #[must_use]
    pub const fn is_midway(&self) -> bool {
        self.octets > 0
    }

    /// Adds a part of a line; what is over the limit of kept text is counted only.
    fn add(&mut self, part: &[u8]) -> Result<(), ReplyError> {
        self.octets += part.len();
        self.line_octets += part.len();
        let room = (MAX_REPLY_KEPT + 6).saturating_sub(self.line.len());
        self.line
            .extend_from_slice(part.get(..room).unwrap_or(part));
        // A remote that speaks another protocol, such as TLS, may wait for us instead of ending its line.
        if !self.line.iter().take(3).all(u8::is_ascii_digit) {
            return Err(ReplyError::NotAReply);
        }
        if self.octets > MAX_REPLY_OCTETS {
            return Err(ReplyError::TooLong);
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Heard>, ReplyError> {
        self.lines += 1;
        if self.lines > MAX_REPLY_LINES {
            return Err(ReplyError::TooManyLines);
        }
        if self.line_octets > MAX_REPLY_LINE {
            self.find(Finding::LongLine);
        }
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            } else {
                self.find(Finding::BareNewline);
            }
        }
        let (code, goes_on, text) = split_line(&line).ok_or(ReplyError::NotAReply)?;
        self.keep(code, text);
        line.clear();
        self.line = line;
        self.line_octets = 0;
        if goes_on {
            return Ok(None);
        }
        Ok(self.finish())
    }

    fn keep(&mut self, code: ReplyCode, text: &[u8]) {
        let room = MAX_REPLY_KEPT - self.kept;
        if text.len() > room {
            self.find(Finding::Cut);
        }
        let text = text.get(..room).unwrap_or(text);
        let cut = room == 0 && self.kept > 0;
        self.kept += text.len();
        let (text, clean) = readable(text);
        if !clean {
            self.find(Finding::NotText);
        }
        let known = self.reply.get_or_insert_with(|| (code, Vec::new()));
        let mixed = known.0 != code;
        known.0 = code;
        if !cut {
            known.1.push(text);
        }
        if mixed {
            self.find(Finding::MixedCodes);
        }
    }

    fn finish(&mut self) -> Option<Heard> {
        let line = std::mem::take(&mut self.line);
        let done = std::mem::replace(
            self,
            Self {
                line,
                ..Self::default()
            },
        );
        let (code, lines) = done.reply?;
        Some(Heard {
            reply: RemoteReply::new(code, lines),
            findings: done.findings,
        })
    }

    fn find(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// The code, whether another line follows, and the text.
fn split_line(line: &[u8]) -> Option<(ReplyCode, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let code = ReplyCode::new(number)?;
    match rest.split_first() {
        None => Some((code, false, rest)),
        Some((b' ' | b'\t', text)) => Some((code, false, text)),
        Some((b'-', text)) => Some((code, true, text)),
        Some(_) => None,
    }
}

/// The text, with bytes that are not UTF-8 as `\xNN`; and whether there were none.
fn readable(text: &[u8]) -> (String, bool) {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    let mut clean = true;
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            clean = false;
            // Writing to a String cannot fail.
            write!(out, "\\x{byte:02X}").unwrap_or_default();
        }
    }
    (out, clean)
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAReply => f.write_str("a line does not start with a reply code"),
            Self::TooLong => write!(f, "a reply is longer than {MAX_REPLY_OCTETS} octets"),
            Self::TooManyLines => write!(f, "a reply has more than {MAX_REPLY_LINES} lines"),
        }
    }
}

impl std::error::Error for ReplyError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Heard, ReplyError> {
        let (taken, heard) = ReplyReader::default().read(bytes)?;
        assert_eq!(taken, bytes.len(), "the whole reply is taken");
        Ok(heard.expect("a complete reply"))
    }

    #[test]
    fn any_text_and_none_is_a_reply() {
        for (wire, line) in [
            ("250 ok\r\n", "250 ok"),
            ("550\r\n", "550"),
            ("550 \r\n", "550"),
            ("250-a\r\n250-\r\n250 c\r\n", "250 a  c"),
            ("250\tok\r\n", "250 ok"),
            ("550 5.1.1 <é@x> nö\r\n", "550 5.1.1 <é@x> nö"),
            ("999 what\r\n", "999 what"),
            ("421 \u{1b}[31m\0\r\n", "421 \u{1b}[31m\0"),
        ] {
            let heard = read(wire.as_bytes()).unwrap();
            assert_eq!(heard.reply.to_line(), line, "{wire:?}");
            assert_eq!(heard.findings, [], "{wire:?}");
        }
    }

    #[test]
    fn what_is_unusual_is_found_and_read_all_the_same() {
        let long = format!("250 {}\r\n", "x".repeat(600));
        let cut = "250-a\r\n".to_owned()
            + &format!("250-{}\r\n", "y".repeat(500)).repeat(9)
            + "250 z\r\n";
        for (wire, finding) in [
            (&b"250-a\r\n550 b\r\n"[..], Finding::MixedCodes),
            (b"250 a\n", Finding::BareNewline),
            (long.as_bytes(), Finding::LongLine),
            (b"250 \xff\r\n", Finding::NotText),
            (cut.as_bytes(), Finding::Cut),
        ] {
            assert_eq!(read(wire).unwrap().findings, [finding]);
        }
        assert_eq!(
            read(b"250-a\r\n550 b\r\n").unwrap().reply.code.number(),
            550
        );
        assert_eq!(read(b"250 a\xffb\r\n").unwrap().reply.lines, ["a\\xFFb"]);
    }

    #[test]
    fn what_cannot_be_a_reply_is_an_error() {
        for wire in [
            "HTTP/1.1 400\r\n",
            "\r\n",
            "25 ok\r\n",
            "250ok\r\n",
            "099 x\r\n",
            "2é0 \r\n",
        ] {
            assert_eq!(
                read(wire.as_bytes()),
                Err(ReplyError::NotAReply),
                "{wire:?}"
            );
        }
        let endless = vec![b'2'; MAX_REPLY_OCTETS + 1];
        assert_eq!(
            ReplyReader::default().read(&endless),
            Err(ReplyError::TooLong)
        );
        let lines = "250-\r\n".repeat(MAX_REPLY_LINES + 1);
        assert_eq!(read(lines.as_bytes()), Err(ReplyError::TooManyLines));
    }

    #[test]
    fn another_protocol_is_known_by_its_first_octets() {
        for wire in [
            &b"\x15\x03\x01\0\x02\x02\x46"[..],
            b"SSH-2.0-",
            b"-ERR",
            b"2x",
        ] {
            let error = Err(ReplyError::NotAReply);
            assert_eq!(ReplyReader::default().read(wire), error);
            let mut reader = ReplyReader::default();
            assert_eq!(reader.read(b"250-a\r\n"), Ok((7, None)));
            assert_eq!(reader.read(wire), error, "in its second line too");
        }
    }

    #[test]
    fn a_long_reply_keeps_its_first_octets_and_its_last_code() {
        let line = format!("250-{}\r\n", "x".repeat(1_000));
        let wire = line.repeat(60) + "451 end\r\n";
        let heard = read(wire.as_bytes()).unwrap();
        let kept: usize = heard.reply.lines.iter().map(String::len).sum();
        assert_eq!(kept, MAX_REPLY_KEPT);
        assert_eq!(heard.reply.code.number(), 451);
    }

    #[test]
    fn the_next_reply_is_left_alone() {
        let mut reader = ReplyReader::default();
        let wire = b"250 a\r\n550 b\r\n";
        let (taken, heard) = reader.read(wire).unwrap();
        assert_eq!(
            (taken, heard.unwrap().reply.to_line().as_str()),
            (7, "250 a")
        );
        let (taken, heard) = reader.read(&wire[taken..]).unwrap();
        assert_eq!(
            (taken, heard.unwrap().reply.to_line().as_str()),
            (7, "550 b")
        );
        assert!(!reader.is_midway());
    }

    proptest! {
        #[test]
        fn prop_any_chunking_reads_the_same(
            wire in prop::collection::vec(prop_oneof![
                Just(b"250-".to_vec()), Just(b"250 ".to_vec()), Just(b"550 ".to_vec()), Just(b"\r\n".to_vec()),
                Just(b"\n".to_vec()), prop::collection::vec(any::<u8>(), 0..40),
            ], 0..40),
            size in 1_usize..20,
        ) {
            let wire = wire.concat();
            prop_assert_eq!(all(&wire, wire.len().max(1)), all(&wire, size));
        }
    }

    fn all(wire: &[u8], size: usize) -> Vec<Result<Heard, ReplyError>> {
        let mut reader = ReplyReader::default();
        let mut out = Vec::new();
        for mut chunk in wire.chunks(size) {
            while !chunk.is_empty() {
                match reader.read(chunk) {
                    Ok((taken, heard)) => {
                        chunk = &chunk[taken..];
                        out.extend(heard.map(Ok));
                    }
                    Err(error) => {
                        out.push(Err(error));
                        return out;
                    }
                }
            }
        }
        out
    }
}
