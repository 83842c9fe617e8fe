//! Ends every line with CRLF, whatever the sender's system ends lines with.

/// Turns a CR or LF on its own into CRLF, in content that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Newlines {
    /// The last octet was a CR, which has been written as CRLF.
    after_cr: bool,
    /// Something stands in the last line.
    open: bool,
}

impl Newlines {
    /// The next piece.
    pub(crate) fn crlf(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + piece.len() / 32);
        for byte in piece {
            match byte {
                b'\r' => out.extend_from_slice(b"\r\n"),
                b'\n' if self.after_cr => {}
                b'\n' => out.extend_from_slice(b"\r\n"),
                _ => out.push(*byte),
            }
            self.after_cr = *byte == b'\r';
            self.open = !matches!(byte, b'\r' | b'\n');
        }
        out
    }

    /// What ends the last line, if it is open.
    pub(crate) const fn end(&self) -> &'static [u8] {
        if self.open { b"\r\n" } else { b"" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_crlf_wherever_the_content_is_cut() {
        let content = b"a\nb\r\nc\rd\n\n\r\r\ne";
        let expected = b"a\r\nb\r\nc\r\nd\r\n\r\n\r\n\r\ne\r\n";
        for cut in 0..=content.len() {
            let mut newlines = Newlines::default();
            let (head, tail) = content.split_at(cut);
            let mut out = newlines.crlf(head);
            out.extend(newlines.crlf(tail));
            out.extend(newlines.end());
            assert_eq!(out, expected, "cut at {cut}");
        }
    }
}
