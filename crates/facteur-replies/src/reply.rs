//! Replies as values: [`Reply`] is what we say, always a row of the table; [`RemoteReply`] is what we hear,
//! whatever it is.

use std::fmt::{self, Write as _};

use crate::code::{Class, EnhancedCode, ReplyCode};
use crate::replies::{ReplyId, Row};

/// The longest reply line we send, in octets, code and CRLF included. (RFC 5321 §4.5.3.1.5)
pub const MAX_REPLY_LINE: usize = 512;

/// The most octets of one argument that reach the wire; the rest is cut and marked with `...`.
pub const MAX_ARGUMENT: usize = 256;

/// A reply that we give: a row of the table and the values of its placeholders.
///
/// There is no constructor from a number and a string. The constructors are generated with the table
/// ([`ReplyId`]); [`Reply::restore`] reads back what [`Reply::id`] and [`Reply::args`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    id: ReplyId,
    args: Vec<String>,
    more: Vec<String>,
}

impl Reply {
    pub(crate) const fn from_row(id: ReplyId, args: Vec<String>) -> Self {
        Self {
            id,
            args,
            more: Vec::new(),
        }
    }

    /// Adds lines after the first one, each shown as it is: the keywords of EHLO, the text of HELP.
    #[must_use]
    pub fn with_lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.more.extend(lines);
        self
    }

    /// A reply that was stored: the row's name and its arguments. `None` if this version has no such row or
    /// the number of arguments differs.
    #[must_use]
    pub fn restore(name: &str, args: Vec<String>) -> Option<Self> {
        let id = ReplyId::from_name(name)?;
        (id.row().params.len() == args.len()).then_some(Self::from_row(id, args))
    }

    /// Which row of the table this is.
    #[must_use]
    pub const fn id(&self) -> ReplyId {
        self.id
    }

    /// The values of the row's placeholders, in the row's order, unescaped.
    #[must_use]
    pub fn args(&self) -> &[String] {
        &self.args
    }

    fn row(&self) -> &'static Row {
        self.id.row()
    }

    /// The basic code.
    #[must_use]
    pub fn code(&self) -> ReplyCode {
        self.row().code
    }

    /// The enhanced code, its class taken from the basic code; none for greetings, EHLO and 3yz.
    /// (RFC 2034 §4)
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.row().enhanced()
    }

    /// The text of the first line, with arguments made harmless, without the codes.
    #[must_use]
    pub fn text(&self) -> String {
        let row = self.row();
        let mut out = String::with_capacity(row.text.len() + 32);
        let mut rest = row.text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                break;
            };
            let value = row
                .params
                .iter()
                .position(|p| *p == name)
                .and_then(|i| self.args.get(i));
            if let Some(value) = value {
                push_harmless(&mut out, value, MAX_ARGUMENT);
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// Appends the reply as it goes over the wire, every line with its CRLF and at most
    /// [`MAX_REPLY_LINE`] octets.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let code = self.code();
        let enhanced = self.enhanced();
        let last = self.more.len();
        let first = self.text();
        for (i, line) in std::iter::once(&first).chain(&self.more).enumerate() {
            let start = out.len();
            let mut text = String::with_capacity(line.len() + 16);
            let mark = if i == last { ' ' } else { '-' };
            // Writing to a String cannot fail.
            match enhanced {
                Some(enhanced) => write!(text, "{code}{mark}{enhanced} "),
                None => write!(text, "{code}{mark}"),
            }
            .unwrap_or_default();
            push_harmless(&mut text, line, MAX_REPLY_LINE);
            out.extend_from_slice(text.as_bytes());
            out.truncate(start + MAX_REPLY_LINE - 2);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The reply on one line, as logs and DSNs quote it: `556 5.1.10 <text>`.
    #[must_use]
    pub fn to_line(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.enhanced() {
            Some(enhanced) => write!(f, "{} {} {}", self.code(), enhanced, self.text()),
            None => write!(f, "{} {}", self.code(), self.text()),
        }
    }
}

/// Appends `value` with everything but printable US-ASCII escaped as `\xNN`, at most `limit` octets.
fn push_harmless(out: &mut String, value: &str, limit: usize) {
    let mut room = limit;
    for byte in value.bytes() {
        let cost = if matches!(byte, b' '..=b'~') { 1 } else { 4 };
        if room < cost + 3 {
            out.push_str("...");
            return;
        }
        room -= cost;
        if cost == 1 {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(out, "\\x{byte:02X}").unwrap_or_default();
        }
    }
}

/// A reply that a remote server gave, as it came. Anything is accepted: the reader of the wire bounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteReply {
    /// The code of the last line.
    pub code: ReplyCode,
    /// The enhanced code, if the text carries one where RFC 2034 puts it.
    pub enhanced: Option<EnhancedCode>,
    /// The text of each line: no code, no CRLF, the enhanced code left in place. Hostile data.
    pub lines: Vec<String>,
}

impl RemoteReply {
    /// A reply from its code and the text of its lines; the enhanced code is read from the first line that
    /// starts with one.
    #[must_use]
    pub fn new(code: ReplyCode, lines: Vec<String>) -> Self {
        let enhanced = lines
            .iter()
            .find_map(|line| EnhancedCode::parse(line.split([' ', '\t']).next().unwrap_or(line)));
        Self {
            code,
            enhanced,
            lines,
        }
    }

    /// What the client may act on. (RFC 5321 §4.2.1)
    #[must_use]
    pub const fn class(&self) -> Class {
        self.code.class()
    }

    /// The reply on one line, as it came, the lines joined by a space.
    #[must_use]
    pub fn to_line(&self) -> String {
        let text = self.lines.join(" ");
        if text.is_empty() {
            self.code.to_string()
        } else {
            format!("{} {text}", self.code)
        }
    }

    /// The lines as they stood on the wire, without CRLF: `550-first`, `550 last`.
    pub fn wire_lines(&self) -> impl Iterator<Item = String> + '_ {
        let last = self.lines.len().saturating_sub(1);
        self.lines.iter().enumerate().map(move |(i, line)| {
            format!("{}{}{line}", self.code, if i == last { ' ' } else { '-' })
        })
    }
}
