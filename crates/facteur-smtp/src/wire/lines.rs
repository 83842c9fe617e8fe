//! Command lines. Only CRLF ends one; whatever else looks like an end is an error, and nothing of such a line is
//! ever obeyed. (RFC 5321 §2.3.8)

use std::ops::Range;

use memchr::memchr;

use super::input::Input;
use crate::limits::MAX_COMMAND_LINE;

/// What stands at the front of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// No end of line yet.
    Partial,
    /// A line without its CRLF, taken from the input.
    Text(Range<usize>),
    /// More than [`MAX_COMMAND_LINE`] octets; the rest is skipped up to CRLF.
    TooLong,
    /// LF without CR. Reported at once, since a client that ends its lines so would wait for ever; the rest is
    /// skipped up to CRLF.
    BareLf,
}

/// Reads command lines with memory bounded by [`MAX_COMMAND_LINE`].
#[derive(Debug, Default)]
pub(crate) struct Lines {
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// In a line whose first `searched` octets hold no LF.
    InLine { searched: usize },
    /// In a line that was refused; whether the octet before the input was CR.
    Skipping { after_cr: bool },
}

impl Default for Place {
    fn default() -> Self {
        Self::InLine { searched: 0 }
    }
}

impl Lines {
    /// The next line.
    pub(crate) fn next(&mut self, input: &mut Input) -> Line {
        loop {
            let found = match self.place {
                Place::InLine { searched } => Some(self.read(searched, input)),
                Place::Skipping { after_cr } => self.skip(after_cr, input),
            };
            if let Some(line) = found {
                return line;
            }
        }
    }

    fn read(&mut self, searched: usize, input: &mut Input) -> Line {
        let pending = input.pending();
        let unsearched = pending.get(searched..).unwrap_or_default();
        let Some(lf) = memchr(b'\n', unsearched).map(|at| at + searched) else {
            if pending.len() >= MAX_COMMAND_LINE {
                self.place = Place::Skipping { after_cr: false };
                return Line::TooLong;
            }
            self.place = Place::InLine {
                searched: pending.len(),
            };
            return Line::Partial;
        };
        if lf >= MAX_COMMAND_LINE {
            self.place = Place::Skipping { after_cr: false };
            return Line::TooLong;
        }
        if lf == 0 || pending.get(lf - 1) != Some(&b'\r') {
            let _ = input.take(lf + 1);
            self.place = Place::Skipping { after_cr: false };
            return Line::BareLf;
        }
        let line = input.take(lf + 1);
        self.place = Place::default();
        Line::Text(line.start..line.end - 2)
    }

    /// Skips to CRLF; `None` when it was found.
    fn skip(&mut self, after_cr: bool, input: &mut Input) -> Option<Line> {
        let pending = input.pending();
        let Some(lf) = memchr(b'\n', pending) else {
            let after_cr = pending.last().map_or(after_cr, |last| *last == b'\r');
            let all = pending.len();
            let _ = input.take(all);
            self.place = Place::Skipping { after_cr };
            return Some(Line::Partial);
        };
        let complete = match lf.checked_sub(1) {
            None => after_cr,
            Some(before) => pending.get(before) == Some(&b'\r'),
        };
        let _ = input.take(lf + 1);
        if complete {
            self.place = Place::default();
            return None;
        }
        self.place = Place::Skipping { after_cr: false };
        Some(Line::BareLf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut input = Input::default();
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            input.receive(piece);
            loop {
                match lines.next(&mut input) {
                    Line::Partial => break,
                    Line::Text(range) => {
                        found.push(String::from_utf8_lossy(input.taken(range)).into_owned());
                    }
                    Line::TooLong => found.push("too long".to_owned()),
                    Line::BareLf => found.push("bare LF".to_owned()),
                }
            }
            assert!(input.pending().len() < MAX_COMMAND_LINE);
        }
        found
    }

    #[test]
    fn a_line_ends_with_crlf_however_it_arrives() {
        assert_eq!(read(&[b"NOOP\r\nQUIT\r\n"]), ["NOOP", "QUIT"]);
        assert_eq!(read(&[b"NO", b"OP\r", b"\nQUIT\r\n"]), ["NOOP", "QUIT"]);
        assert_eq!(read(&[b"a\rb\r\r\n"]), ["a\rb\r"]);
    }

    #[test]
    fn a_bare_lf_is_reported_at_once_and_nothing_behind_it_is_read() {
        assert_eq!(read(&[b"NOOP\n"]), ["bare LF"]);
        assert_eq!(
            read(&[b"a\nMAIL FROM:<x@y>\r\nNOOP\r\n"]),
            ["bare LF", "NOOP"]
        );
        assert_eq!(
            read(&[b"a\nb\n", b"c\r", b"\nNOOP\r\n"]),
            ["bare LF", "bare LF", "NOOP"]
        );
    }

    #[test]
    fn a_long_line_is_skipped_with_bounded_memory() {
        let long = vec![b'x'; 3 * MAX_COMMAND_LINE];
        assert_eq!(
            read(&[&long, &long, b"\r", b"\nNOOP\r\n"]),
            ["too long", "NOOP"]
        );
        let mut exact = vec![b'x'; MAX_COMMAND_LINE - 2];
        exact.extend_from_slice(b"\r\n");
        assert_eq!(read(&[&exact])[0].len(), MAX_COMMAND_LINE - 2);
        exact.insert(0, b'x');
        assert_eq!(read(&[&exact, b"NOOP\r\n"]), ["too long", "NOOP"]);
    }
}
