//! Content as BDAT carries it: counted, but still lines that end with CRLF, unless it is BINARYMIME.

use std::fmt;

use memchr::memchr2;

/// A line break that is none. (RFC 5321 §2.3.8)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newline {
    /// CR without LF.
    Cr,
    /// LF without CR.
    Lf,
}

impl fmt::Display for Newline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cr => "CR",
            Self::Lf => "LF",
        })
    }
}

/// What stands at the front of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// So many octets of content, at least one.
    Content(usize),
    /// One octet, a CR that ends the input: it is content if LF follows, in this chunk or the next.
    Held,
    /// One octet, the LF of a CR that was held: CRLF is content.
    HeldCrLf,
    /// The CR that was held stands alone; no octet.
    HeldCr,
    /// One octet: a CR or LF on its own.
    Bare(Newline),
    /// The input is used up.
    Empty,
}

/// Finds bare CR and LF in content that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Newlines {
    held_cr: bool,
}

impl Newlines {
    /// Checks the front of `input`.
    pub(crate) fn next(&mut self, input: &[u8]) -> Checked {
        if input.is_empty() {
            return Checked::Empty;
        }
        if std::mem::take(&mut self.held_cr) {
            return if input.first() == Some(&b'\n') {
                Checked::HeldCrLf
            } else {
                Checked::HeldCr
            };
        }
        let mut from = 0;
        loop {
            let rest = input.get(from..).unwrap_or_default();
            let Some(at) = memchr2(b'\r', b'\n', rest).map(|at| at + from) else {
                return Checked::Content(input.len());
            };
            let fault = match input.get(at..) {
                Some([b'\r', b'\n', ..]) => {
                    from = at + 2;
                    continue;
                }
                Some([b'\r']) if at == 0 => {
                    self.held_cr = true;
                    return Checked::Held;
                }
                Some([b'\r', ..]) => Newline::Cr,
                _ => Newline::Lf,
            };
            return if at > 0 {
                Checked::Content(at)
            } else {
                Checked::Bare(fault)
            };
        }
    }

    /// At the end of the message: whether a CR is left that no LF followed.
    #[must_use]
    pub(crate) const fn ends_with_bare_cr(&self) -> bool {
        self.held_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]]) -> String {
        let mut newlines = Newlines::default();
        let mut out = String::new();
        for piece in pieces {
            let mut rest = *piece;
            loop {
                let (text, octets) = match newlines.next(rest) {
                    Checked::Content(n) => (String::from_utf8(rest[..n].to_vec()).unwrap(), n),
                    Checked::Held => (String::new(), 1),
                    Checked::HeldCrLf => ("\r\n".to_owned(), 1),
                    Checked::HeldCr => ("<CR>".to_owned(), 0),
                    Checked::Bare(newline) => (format!("<{newline}>"), 1),
                    Checked::Empty => break,
                };
                out.push_str(&text);
                rest = &rest[octets..];
            }
        }
        if newlines.ends_with_bare_cr() {
            out.push_str("<CR>");
        }
        out
    }

    #[test]
    fn bare_newlines_are_found_however_the_content_is_cut() {
        for (content, shown) in [
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\rb", "a<CR>b"),
            ("a\nb", "a<LF>b"),
            ("\r\r\n\n", "<CR>\r\n<LF>"),
            ("a\r", "a<CR>"),
            ("", ""),
        ] {
            assert_eq!(check(&[content.as_bytes()]), shown, "{content:?}");
            let octets: Vec<&[u8]> = content.as_bytes().chunks(1).collect();
            assert_eq!(check(&octets), shown, "{content:?} octet by octet");
        }
    }
}
