//! Content as DATA carries it: dot-stuffed, ended by CRLF.CRLF and by nothing else. (RFC 5321 §4.5.2)

use memchr::memchr2;

use super::newlines::Newline;

/// What stands at the front of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// So many octets of content, at least one.
    Content(usize),
    /// One octet that is no content: the dot that the client put before a dot.
    Stuffing,
    /// One octet: a CR or LF on its own. It ends no line.
    Bare(Newline),
    /// So many octets that end the data.
    End(usize),
    /// Not decided yet, at most three octets: more input is needed.
    Undecided,
}

/// Undoes dot-stuffing. The caller takes from its input what each [`Decoded`] names; undecided octets stay there.
#[derive(Debug)]
pub(crate) struct DotDecoder {
    at_line_start: bool,
}

impl Default for DotDecoder {
    /// At the first line, where a lone dot ends an empty message.
    fn default() -> Self {
        Self {
            at_line_start: true,
        }
    }
}

impl DotDecoder {
    /// Decodes the front of `input`. Content comes in runs as long as the input allows.
    pub(crate) fn next(&mut self, input: &[u8]) -> Decoded {
        if self.at_line_start && input.first() == Some(&b'.') {
            return match input {
                [b'.'] | [b'.', b'\r'] => Decoded::Undecided,
                [b'.', b'\r', b'\n', ..] => Decoded::End(3),
                _ => {
                    self.at_line_start = false;
                    Decoded::Stuffing
                }
            };
        }
        let mut from = 0;
        loop {
            let rest = input.get(from..).unwrap_or_default();
            let Some(at) = memchr2(b'\r', b'\n', rest).map(|at| at + from) else {
                return self.run(
                    input.len(),
                    from == input.len() && from > 0,
                    Decoded::Undecided,
                );
            };
            match input.get(at..) {
                Some([b'\r', b'\n', b'.', ..]) => {
                    return self.run(at + 2, true, Decoded::Undecided);
                }
                Some([b'\r', b'\n', ..]) => from = at + 2,
                Some([b'\r']) => return self.run(at, false, Decoded::Undecided),
                Some([b'\r', ..]) => return self.run(at, false, Decoded::Bare(Newline::Cr)),
                _ => return self.run(at, false, Decoded::Bare(Newline::Lf)),
            }
        }
    }

    /// A run of content, or `otherwise` if it is empty. An octet that ends no line has been seen either way,
    /// unless the input was empty.
    fn run(&mut self, octets: usize, ends_line: bool, otherwise: Decoded) -> Decoded {
        if octets > 0 {
            self.at_line_start = ends_line;
            return Decoded::Content(octets);
        }
        if matches!(otherwise, Decoded::Bare(_)) {
            self.at_line_start = false;
        }
        otherwise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes pieces as they arrive; bare newlines as `<CR>` and `<LF>`, the end as `<END>` and the rest.
    fn decode(pieces: &[&[u8]]) -> String {
        let mut decoder = DotDecoder::default();
        let mut input: Vec<u8> = Vec::new();
        let mut out = Vec::new();
        for piece in pieces {
            input.extend_from_slice(piece);
            loop {
                match decoder.next(&input) {
                    Decoded::Content(n) => {
                        assert!(n > 0);
                        out.extend(input.drain(..n));
                    }
                    Decoded::Stuffing => drop(input.remove(0)),
                    Decoded::Bare(newline) => {
                        input.remove(0);
                        out.extend_from_slice(format!("<{newline}>").as_bytes());
                    }
                    Decoded::End(n) => {
                        input.drain(..n);
                        out.extend_from_slice(b"<END>");
                        out.append(&mut input);
                        return String::from_utf8(out).unwrap();
                    }
                    Decoded::Undecided => {
                        assert!(input.len() <= 3, "{input:?}");
                        break;
                    }
                }
            }
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_crlf_dot_crlf_ends_the_data() {
        for (wire, content) in [
            (".\r\nNOOP\r\n", "<END>NOOP\r\n"),
            ("a\r\n.\r\nb", "a\r\n<END>b"),
            ("a\n.\r\nb", "a<LF>.\r\nb"),
            ("a\n.\nb", "a<LF>.<LF>b"),
            ("a\r\n.\nb", "a\r\n<LF>b"),
            ("a\r\n.\rb", "a\r\n<CR>b"),
            ("a\r\n.\r\r\nb", "a\r\n<CR>\r\nb"),
            ("a\r.\rb", "a<CR>.<CR>b"),
            ("a\r.\r\nb", "a<CR>.\r\nb"),
            ("\n.\r\nb", "<LF>.\r\nb"),
            ("a\r\n\n.\r\nb", "a\r\n<LF>.\r\nb"),
            ("a\r\n.\0\r\nb", "a\r\n\0\r\nb"),
            ("a.\r\nb", "a.\r\nb"),
        ] {
            assert_eq!(decode(&[wire.as_bytes()]), content, "{wire:?}");
            let bytes: Vec<&[u8]> = wire.as_bytes().chunks(1).collect();
            let ended = content.contains("<END>");
            let whole = if ended {
                content.split_inclusive("<END>").next().unwrap()
            } else {
                content
            };
            assert_eq!(decode(&bytes), whole, "{wire:?} octet by octet");
        }
    }

    #[test]
    fn one_dot_is_taken_off_each_line_that_starts_with_one() {
        assert_eq!(
            decode(&[b"..\r\n...x\r\n.y\r\na.b..\r\n.\r\n"]),
            ".\r\n..x\r\ny\r\na.b..\r\n<END>"
        );
    }

    #[test]
    fn a_long_text_without_dots_is_one_run() {
        let text = "line\r\n".repeat(1_000);
        assert_eq!(
            DotDecoder::default().next(text.as_bytes()),
            Decoded::Content(text.len())
        );
    }
}
