//! The message on standard input: its header section and its body, and what a submission server adds.
//! (RFC 6409 §8)

use std::io::{self, BufRead, Read as _};

use facteur_mail::{Clock as _, Domain, MailDate, Random as _, ReversePath};
use facteur_replies::{Language, text};

use super::flags::Flags;
use super::{Exit, Failure, quoted};
use crate::system::{SystemClock, SystemRandom};

/// The largest message read, in octets.
const MAX_MESSAGE: u64 = 256 << 20;

/// Fields that are for us and not for those who read the message. (RFC 5322 §3.6.3)
const NOT_SENT: [&str; 3] = ["bcc", "resent-bcc", "return-path"];

/// A message as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) fields: Vec<Field>,
    body: Vec<u8>,
}

/// A header field with its continuation lines, without the last line end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field(Vec<u8>);

impl Field {
    /// Its name.
    fn name(&self) -> Option<&str> {
        let colon = self.0.iter().position(|octet| *octet == b':')?;
        let name = std::str::from_utf8(self.0.get(..colon)?).ok()?.trim_end();
        let fits = |c: char| c.is_ascii_graphic();
        (!name.is_empty() && name.chars().all(fits)).then_some(name)
    }

    /// Whether it has this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name()
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// What stands behind the name.
    pub(super) fn value(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let (_, value) = text.split_once(':').unwrap_or_default();
        value.replace(['\r', '\n'], " ")
    }
}

/// Reads it, up to its end or, unless the flags say no, up to a line with only a dot.
pub(super) fn read(
    input: &mut impl BufRead,
    flags: &Flags,
    language: Language,
) -> Result<Letter, Failure> {
    let failed = |error: io::Error| {
        let words = quoted(&error.to_string());
        Failure::new(
            Exit::Io,
            text(
                language,
                "sendmail-cannot-read",
                &[("words", (&words).into())],
            ),
        )
    };
    let mut input = input.take(MAX_MESSAGE + 1);
    let mut letter = Letter::default();
    let mut in_header = true;
    let mut octets = 0_u64;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).map_err(failed)?;
        octets = octets.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if octets > MAX_MESSAGE {
            let limit = facteur_mail::text::size(MAX_MESSAGE, language);
            let words = text(
                language,
                "sendmail-too-large",
                &[("limit", (&limit).into())],
            );
            return Err(Failure::new(Exit::Data, words));
        }
        let bare = line.strip_suffix(b"\n").unwrap_or(&line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        if read == 0 || (flags.dot_ends && bare == b".") {
            return Ok(letter);
        }
        if in_header {
            in_header = letter.takes_field(bare);
            if in_header {
                continue;
            }
            if bare.is_empty() {
                continue;
            }
        }
        letter.body.extend_from_slice(bare);
        letter.body.extend_from_slice(b"\r\n");
    }
}

impl Letter {
    /// Takes a line of the header section; false where that has ended.
    fn takes_field(&mut self, line: &[u8]) -> bool {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            let Some(last) = self.fields.last_mut() else {
                return false;
            };
            last.0.extend_from_slice(b"\r\n");
            last.0.extend_from_slice(line);
            return true;
        }
        // How a mailbox file begins a message.
        if self.fields.is_empty() && line.starts_with(b"From ") {
            return true;
        }
        let field = Field(line.to_vec());
        let is_field = field.name().is_some();
        if is_field {
            self.fields.push(field);
        }
        is_field
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.is(name))
    }

    /// The message for the wire: with the fields that every message has, and without those that are not sent.
    pub(super) fn completed(
        mut self,
        from: &ReversePath,
        user: &str,
        full_name: &str,
        origin: &Domain,
    ) -> Vec<u8> {
        let now = SystemClock.now();
        self.fields
            .retain(|field| !NOT_SENT.iter().any(|name| field.is(name)));
        let mut made = Vec::new();
        if !self.has("From") {
            let address = match from {
                ReversePath::Address(address) => address.to_string(),
                ReversePath::Null => format!("{user}@{origin}"),
            };
            made.push(format!("From: {}", mailbox(full_name, &address)));
        }
        if !self.has("Date") {
            made.push(format!("Date: {}", MailDate(now)));
        }
        if !self.has("Message-ID") {
            let (millis, random) = (now.as_millis(), SystemRandom.next());
            made.push(format!("Message-ID: <{millis:x}.{random:016x}@{origin}>"));
        }
        let mut content = Vec::with_capacity(self.body.len() + 1_024);
        for field in self.fields.iter().map(|field| field.0.as_slice()) {
            content.extend_from_slice(field);
            content.extend_from_slice(b"\r\n");
        }
        for field in made {
            content.extend_from_slice(field.as_bytes());
            content.extend_from_slice(b"\r\n");
        }
        content.extend_from_slice(b"\r\n");
        content.append(&mut self.body);
        content
    }
}

/// A name and an address as a header field has them; a name that is not ASCII is left out. (RFC 5322 §3.4)
fn mailbox(full_name: &str, address: &str) -> String {
    let name = full_name.trim();
    if name.is_empty() || !name.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return address.to_owned();
    }
    let atoms =
        |c: char| c == ' ' || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if name.chars().all(atoms) {
        return format!("{name} <{address}>");
    }
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{name}\" <{address}>")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use facteur_mail::Address;

    use super::super::Face;
    use super::*;

    fn letter(text: &str, flags: &[&str]) -> Letter {
        let flags: Vec<OsString> = flags.iter().map(OsString::from).collect();
        let flags = Flags::parse(Face::Sendmail, &flags, Language::English).unwrap();
        read(&mut text.as_bytes(), &flags, Language::English).unwrap()
    }

    fn completed(text: &str, flags: &[&str]) -> String {
        let from = ReversePath::Address(Address::parse("anne@here.test").unwrap());
        let origin = Domain::parse("here.test").unwrap();
        let content = letter(text, flags).completed(&from, "anne", "Anne, of Here", &origin);
        String::from_utf8(content).unwrap()
    }

    #[test]
    fn what_a_message_lacks_is_added_and_what_it_has_stays() {
        let bare = completed("Subject: x\n\nbody\n", &["bob"]);
        assert!(
            bare.starts_with("Subject: x\r\nFrom: \"Anne, of Here\" <anne@here.test>\r\nDate: ")
        );
        assert!(bare.contains("\r\nMessage-ID: <"));
        assert!(bare.ends_with("@here.test>\r\n\r\nbody\r\n"));
        let whole = "From: a\r\nDate: b\r\nMessage-ID: <c>\r\n\r\nbody\r\n";
        assert_eq!(completed(whole, &["bob"]), whole);
    }

    #[test]
    fn bcc_is_read_and_not_sent() {
        let text = "To: a\nBcc: b,\n c\nFrom: x\nDate: y\nMessage-ID: <z>\n\nbody\n";
        let read = letter(text, &["-t"]);
        assert_eq!(read.fields[1].value().split_whitespace().count(), 2);
        let sent = completed(text, &["-t"]);
        assert_eq!(
            sent,
            "To: a\r\nFrom: x\r\nDate: y\r\nMessage-ID: <z>\r\n\r\nbody\r\n"
        );
    }

    #[test]
    fn a_lone_dot_ends_the_message_unless_it_is_said_not_to() {
        let text = "A: b\n\none\n.\ntwo\n";
        assert_eq!(letter(text, &["bob"]).body, b"one\r\n");
        assert_eq!(letter(text, &["-i", "bob"]).body, b"one\r\n.\r\ntwo\r\n");
        assert_eq!(letter(text, &["-oi", "bob"]).body, b"one\r\n.\r\ntwo\r\n");
    }

    #[test]
    fn a_message_without_header_is_a_body() {
        let read = letter("Hello there,\nthis: is text\n", &["bob"]);
        assert_eq!(read.fields, []);
        assert_eq!(read.body, b"Hello there,\r\nthis: is text\r\n");
        let mbox = letter("From anne Sun Nov 29\nA: b\n\nbody", &["bob"]);
        assert_eq!(mbox.fields.len(), 1);
        assert_eq!(mbox.body, b"body\r\n");
    }
}
