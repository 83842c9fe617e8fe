//! Puts a report together: header, text, fields, returned content. (RFC 6522 §3)

use mail_builder::encoders::quoted_printable::QuotedPrintableEncoder;
use mail_builder::headers::Header as _;
use mail_builder::headers::text::Text;

use super::machine::{self, Charset, ascii, field};
use super::{Original, Report, human};
use crate::date::MailDate;
use crate::envelope::{BodyType, Client, Envelope, Notify, Protocol, Recipient, ReversePath};

/// The longest line of a part that travels unencoded, in octets: well below 998. (RFC 5322 §2.1.1)
const MAX_PLAIN_LINE: usize = 900;

/// How a part travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    SevenBit,
    EightBit,
    QuotedPrintable,
}

impl Report<'_> {
    /// The envelope it travels in: from `<>`, to the sender of the message, with no report about itself.
    /// (RFC 3464 §2, RFC 3461 §5.2)
    #[must_use]
    pub fn envelope(&self, original: &Original) -> Envelope {
        let eight_bit = self.is_utf8() || self.returned_encoding(original) == Encoding::EightBit;
        Envelope {
            sender: ReversePath::Null,
            recipients: vec![Recipient {
                address: self.to.clone(),
                orcpt: None,
                notify: Notify::Never,
            }],
            body: if eight_bit {
                BodyType::EightBitMime
            } else {
                BodyType::SevenBit
            },
            smtputf8: self.is_utf8(),
            ret: None,
            envid: None,
            arrived: self.now,
            client: Client {
                ip: None,
                helo: self.hostname.into(),
                protocol: Protocol::Local,
            },
        }
    }

    /// Writes the report, piece by piece: the header and the text for people, the fields of each recipient, what is
    /// returned. Every line ends with CRLF. Each piece is far below 256 KiB.
    ///
    /// # Errors
    /// Whatever `put` refuses with; nothing more is written then.
    pub fn write<E>(
        &self,
        original: &Original,
        mut put: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let boundary = self.boundary(original);
        let mut head = self.header(original, &boundary);
        self.write_text(original, &boundary, &mut head);
        put(&head)?;
        self.write_fields(&boundary, &mut put)?;
        let mut tail = self.returned_part(original, &boundary);
        tail.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        put(&tail)
    }

    /// Whether the report itself needs SMTPUTF8: where it goes decides. (RFC 6533 §4)
    fn is_utf8(&self) -> bool {
        !self.to.is_ascii()
    }

    /// A line that the returned content does not hold.
    fn boundary(&self, original: &Original) -> String {
        let mut boundary = format!("report-{}", self.id);
        while contains(original.content(), boundary.as_bytes()) {
            boundary.push('=');
        }
        boundary
    }

    fn header(&self, original: &Original, boundary: &str) -> Vec<u8> {
        let host = ascii(self.hostname);
        let mut out = String::with_capacity(1_024);
        let from = format!("Mail Delivery System <postmaster@{host}>");
        field(&mut out, "From", &from);
        field(&mut out, "To", &format!("<{}>", self.to));
        let mut out = out.into_bytes();
        out.extend_from_slice(b"Subject: ");
        let subject = human::subject(self, self.language);
        if self.is_utf8() {
            out.extend_from_slice(subject.as_bytes());
            out.extend_from_slice(b"\r\n");
        } else {
            Text::new(subject).write_header(&mut out, "Subject: ".len());
        }
        let mut rest = String::with_capacity(512);
        field(&mut rest, "Date", &MailDate(self.now).to_string());
        field(&mut rest, "Message-ID", &format!("<{}@{host}>", self.id));
        if let Some(message_id) = original.message_id() {
            field(&mut rest, "In-Reply-To", &message_id);
            field(&mut rest, "References", &message_id);
        }
        field(&mut rest, "Auto-Submitted", "auto-replied");
        field(&mut rest, "MIME-Version", "1.0");
        let content_type =
            format!("multipart/report; report-type=delivery-status; boundary=\"{boundary}\"");
        field(&mut rest, "Content-Type", &content_type);
        out.extend_from_slice(rest.as_bytes());
        out.extend_from_slice(b"\r\n");
        out
    }

    fn write_text(&self, original: &Original, boundary: &str, out: &mut Vec<u8>) {
        let text = human::body(self, original);
        let encoding = if text.lines().any(|line| line.len() > MAX_PLAIN_LINE) {
            Encoding::QuotedPrintable
        } else if text.is_ascii() {
            Encoding::SevenBit
        } else if self.is_utf8() {
            Encoding::EightBit
        } else {
            Encoding::QuotedPrintable
        };
        part_header(out, boundary, "text/plain; charset=utf-8", encoding);
        let text = text.replace('\n', "\r\n");
        encode(out, text.as_bytes(), encoding);
    }

    fn write_fields<E>(
        &self,
        boundary: &str,
        put: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (charset, encoding) = self.fields_form();
        let content_type = match charset {
            Charset::Ascii => "message/delivery-status",
            Charset::Utf8 => "message/global-delivery-status",
        };
        let mut piece = Vec::with_capacity(1_024);
        piece.extend_from_slice(b"\r\n");
        part_header(&mut piece, boundary, content_type, encoding);
        encode(
            &mut piece,
            machine::message_fields(self).as_bytes(),
            encoding,
        );
        put(&piece)?;
        for told in &self.recipients {
            piece.clear();
            let fields = machine::recipient_fields(self, told, charset);
            encode(&mut piece, fields.as_bytes(), encoding);
            put(&piece)?;
        }
        Ok(())
    }

    /// UTF-8 fields only for a message that asked for SMTPUTF8 and only if an address needs them. (RFC 6533 §4)
    fn fields_form(&self) -> (Charset, Encoding) {
        let needed = self.recipients.iter().any(|told| {
            let orcpt = told.recipient.orcpt.as_ref();
            !told.recipient.address.is_ascii() || orcpt.is_some_and(|o| !o.address.is_ascii())
        });
        match (needed && self.envelope.smtputf8, self.is_utf8()) {
            (false, _) => (Charset::Ascii, Encoding::SevenBit),
            (true, true) => (Charset::Utf8, Encoding::EightBit),
            (true, false) => (Charset::Utf8, Encoding::QuotedPrintable),
        }
    }

    fn returned_part(&self, original: &Original, boundary: &str) -> Vec<u8> {
        let encoding = self.returned_encoding(original);
        let global = self.envelope.smtputf8 && !original.is_ascii() && original.is_utf8();
        let content_type = match (original.is_whole(), global) {
            (true, true) if self.is_utf8() => "message/global",
            (true, _) => "message/rfc822",
            (false, true) => "message/global-headers",
            (false, false) => "text/rfc822-headers",
        };
        let mut out = Vec::with_capacity(original.content().len() + 256);
        out.extend_from_slice(b"\r\n");
        part_header(&mut out, boundary, content_type, encoding);
        encode(&mut out, original.content(), encoding);
        out
    }

    /// A whole message is never encoded (RFC 2046 §5.2.1); header lines are, if they must. (RFC 6522 §4)
    fn returned_encoding(&self, original: &Original) -> Encoding {
        if original.is_whole() {
            if original.is_ascii() {
                Encoding::SevenBit
            } else {
                Encoding::EightBit
            }
        } else if !original.travels_unencoded() {
            Encoding::QuotedPrintable
        } else if original.is_ascii() {
            Encoding::SevenBit
        } else if self.is_utf8() {
            Encoding::EightBit
        } else {
            Encoding::QuotedPrintable
        }
    }
}

fn part_header(out: &mut Vec<u8>, boundary: &str, content_type: &str, encoding: Encoding) {
    let name = match encoding {
        Encoding::SevenBit => "7bit",
        Encoding::EightBit => "8bit",
        Encoding::QuotedPrintable => "quoted-printable",
    };
    let header = format!(
        "--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {name}\r\n\r\n"
    );
    out.extend_from_slice(header.as_bytes());
}

fn encode(out: &mut Vec<u8>, content: &[u8], encoding: Encoding) {
    match encoding {
        Encoding::SevenBit | Encoding::EightBit => out.extend_from_slice(content),
        Encoding::QuotedPrintable => {
            QuotedPrintableEncoder::new()
                .preserve_line_breaks()
                .encode_into(content, out);
        }
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
