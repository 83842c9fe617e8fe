//! Reads a report back: ours, and what other servers send. Hostile input: every size is bounded, nothing panics, the
//! time is linear.

use std::borrow::Cow;
use std::fmt;

use facteur_replies::{EnhancedCode, RemoteReply, ReplyCode};

use super::Action;
use super::original::header_value;

/// The most octets of a message that are looked at; what comes behind is ignored.
pub const MAX_PARSED: usize = 4 * 1024 * 1024;

/// The most recipients that are read.
const MAX_RECIPIENTS: usize = 10_000;

/// How deep parts may stand in parts.
const MAX_DEPTH: usize = 4;

/// The longest field value that is kept, in octets.
const MAX_VALUE: usize = 8 * 1024;

/// What a report says. All texts are a stranger's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedReport {
    /// `Reporting-MTA`, without its type.
    pub reporting_mta: Option<String>,
    /// `Original-Envelope-Id`.
    pub envelope_id: Option<String>,
    /// `Arrival-Date`.
    pub arrival_date: Option<String>,
    /// Each recipient that has a `Final-Recipient` or an `Original-Recipient`.
    pub recipients: Vec<ParsedRecipient>,
    /// The `Message-ID` of the returned message or header section.
    pub message_id: Option<String>,
}

/// What a report says about one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedRecipient {
    /// `Original-Recipient`, without its type.
    pub original: Option<String>,
    /// `Final-Recipient`, without its type.
    pub recipient: Option<String>,
    /// `Action`, if it is one of RFC 3464 §2.3.3.
    pub action: Option<Action>,
    /// `Status`.
    pub status: Option<EnhancedCode>,
    /// `Remote-MTA`, without its type.
    pub remote_mta: Option<String>,
    /// `Diagnostic-Code`, without its type.
    pub diagnostic: Option<String>,
    /// The reply in `Diagnostic-Code`, if it is of type `smtp` and starts with a code.
    pub reply: Option<RemoteReply>,
    /// `Last-Attempt-Date`.
    pub last_attempt: Option<String>,
    /// `Will-Retry-Until`.
    pub will_retry_until: Option<String>,
    /// `Final-Log-ID`: our queue id, in a report of ours.
    pub log_id: Option<String>,
}

/// There is no `message/delivery-status` in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAReport;

impl fmt::Display for NotAReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message is no delivery report: it has no message/delivery-status part")
    }
}

impl std::error::Error for NotAReport {}

/// Reads a report from a whole message. Lines may end with CRLF or LF.
///
/// # Errors
/// [`NotAReport`] if no part holds the fields of RFC 3464.
pub fn parse(message: &[u8]) -> Result<ParsedReport, NotAReport> {
    let message = message.get(..MAX_PARSED).unwrap_or(message);
    let text = unix_lines(message);
    let mut found = Found::default();
    visit(&text, MAX_DEPTH, &mut found);
    let mut report = read_fields(&found.fields.ok_or(NotAReport)?);
    report.message_id = found
        .returned
        .and_then(|content| header_value(&content, "message-id"))
        .filter(|id| !id.is_empty());
    Ok(report)
}

#[derive(Default)]
struct Found {
    fields: Option<Vec<u8>>,
    returned: Option<Vec<u8>>,
}

/// Looks into an entity: a header section, an empty line, a body.
fn visit(entity: &[u8], depth: usize, found: &mut Found) {
    let (header, body) = split_entity(entity);
    let content_type = header_value(header, "content-type").unwrap_or_default();
    let kind = media_type(&content_type);
    match kind.as_str() {
        "message/delivery-status" | "message/global-delivery-status" if found.fields.is_none() => {
            found.fields = Some(decoded(header, body).into_owned());
        }
        "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/global-headers"
            if found.returned.is_none() =>
        {
            let content = decoded(header, body);
            let (returned, _) = split_entity(&content);
            found.returned = Some(returned.to_vec());
        }
        _ => {}
    }
    if kind.starts_with("multipart/")
        && depth > 0
        && let Some(boundary) = parameter(&content_type, "boundary")
    {
        for part in parts(body, &boundary) {
            visit(part, depth - 1, found);
        }
    }
}

/// CRLF becomes LF, so that everything below knows one kind of line.
fn unix_lines(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn split_entity(entity: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = entity.strip_prefix(b"\n") {
        return (&[], body);
    }
    let empty_line = entity.windows(2).position(|window| window == b"\n\n");
    let (header, body) = entity
        .split_at_checked(empty_line.map_or(entity.len(), |at| at + 1))
        .unwrap_or((entity, &[]));
    (header, body.strip_prefix(b"\n").unwrap_or(body))
}

/// The parts between the lines `--boundary`, up to `--boundary--` or the end.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let end = at;
        at += line.len();
        let Some(rest) = line
            .strip_prefix(b"--")
            .and_then(|rest| rest.strip_prefix(boundary.as_bytes()))
        else {
            continue;
        };
        let is_last = rest.trim_ascii() == b"--";
        if !is_last && !rest.trim_ascii().is_empty() {
            continue;
        }
        if let Some(start) = start {
            found.extend(body.get(start..end));
        }
        if is_last {
            return found;
        }
        start = Some(at);
    }
    found.extend(start.and_then(|start| body.get(start..)));
    found
}

fn media_type(content_type: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// A parameter of a `Content-Type`, quoted or not. (RFC 2045 §5.1)
fn parameter(content_type: &str, name: &str) -> Option<String> {
    let value = content_type.split(';').skip(1).find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim())
    })?;
    let value = value
        .strip_prefix('"')
        .map_or(value, |quoted| quoted.split('"').next().unwrap_or(quoted));
    (!value.is_empty() && value.len() <= 200).then(|| value.to_owned())
}

fn decoded<'a>(header: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
    let encoding = header_value(header, "content-transfer-encoding").unwrap_or_default();
    if encoding.eq_ignore_ascii_case("quoted-printable") {
        Cow::Owned(unix_lines(&from_quoted_printable(body)))
    } else if encoding.eq_ignore_ascii_case("base64") {
        Cow::Owned(unix_lines(&from_base64(body)))
    } else {
        Cow::Borrowed(body)
    }
}

/// Decodes what can be decoded; a wrong escape stays as it is. (RFC 2045 §6.7)
fn from_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let mut rest = line.strip_suffix(b"=\n").unwrap_or(line);
        while let [first, tail @ ..] = rest {
            let escape = match rest {
                [b'=', high, low, ..] => hex(*high).zip(hex(*low)),
                _ => None,
            };
            if let Some((high, low)) = escape {
                out.push(high << 4 | low);
                rest = tail.get(2..).unwrap_or_default();
            } else {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Decodes base64, passing over what is none. (RFC 2045 §6.8)
fn from_base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 & 0x00ff_ffff | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    out
}

/// Reads the groups of fields. (RFC 3464 §2.1)
fn read_fields(text: &[u8]) -> ParsedReport {
    let text = String::from_utf8_lossy(text);
    let mut report = ParsedReport::default();
    let mut current = ParsedRecipient::default();
    for line in unfolded(&text) {
        if line.trim().is_empty() {
            push_recipient(&mut report, &mut current);
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        let value = value
            .get(..value.floor_char_boundary(MAX_VALUE))
            .unwrap_or(value);
        read_field(&mut report, &mut current, name.trim(), value);
    }
    push_recipient(&mut report, &mut current);
    report
}

fn push_recipient(report: &mut ParsedReport, current: &mut ParsedRecipient) {
    let done = std::mem::take(current);
    let is_named = done.original.is_some() || done.recipient.is_some();
    if is_named && report.recipients.len() < MAX_RECIPIENTS {
        report.recipients.push(done);
    }
}

/// Lines with their continuations.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let continues = line.starts_with([' ', '\t']) && !line.trim().is_empty();
        match lines.last_mut() {
            Some(last) if continues && !last.is_empty() => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            Some(_) | None => lines.push(line.trim_end().to_owned()),
        }
    }
    lines
}

fn read_field(report: &mut ParsedReport, current: &mut ParsedRecipient, name: &str, value: &str) {
    let untyped = || {
        Some(
            value
                .split_once(';')
                .map_or(value, |(_, rest)| rest.trim())
                .to_owned(),
        )
    };
    let plain = || Some(value.to_owned());
    match name.to_ascii_lowercase().as_str() {
        "reporting-mta" => report.reporting_mta = untyped(),
        "original-envelope-id" => report.envelope_id = plain(),
        "arrival-date" => report.arrival_date = plain(),
        "original-recipient" => current.original = untyped(),
        "final-recipient" => current.recipient = untyped(),
        "action" => {
            current.action = Action::from_name(value.split([' ', '(']).next().unwrap_or(value));
        }
        "status" => {
            current.status =
                EnhancedCode::parse(value.split([' ', '\t', '(']).next().unwrap_or(value));
        }
        "remote-mta" => current.remote_mta = untyped(),
        "diagnostic-code" => {
            current.diagnostic = untyped();
            let kind = value.split(';').next().unwrap_or_default().trim();
            if kind.eq_ignore_ascii_case("smtp") {
                current.reply = current.diagnostic.as_deref().and_then(reply);
            }
        }
        "last-attempt-date" => current.last_attempt = plain(),
        "will-retry-until" => current.will_retry_until = plain(),
        "final-log-id" => current.log_id = plain(),
        _ => {}
    }
}

/// `550-5.1.1 first 550 5.1.1 last` as the lines it was.
fn reply(text: &str) -> Option<RemoteReply> {
    let digits = text.get(..3)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let code = ReplyCode::new(digits.parse().ok()?)?;
    let rest = text.get(3..)?;
    if !(rest.is_empty() || rest.starts_with([' ', '-'])) {
        return None;
    }
    let mark = format!(" {digits}");
    let rest = rest.get(1..).unwrap_or_default();
    let mut lines = Vec::new();
    let mut start = 0;
    let mut continues = text.get(3..4) == Some("-");
    for (at, _) in rest.match_indices(&mark) {
        let behind = at + mark.len();
        let separator = rest.get(behind..=behind);
        if continues && matches!(separator, Some(" " | "-")) {
            lines.push(rest.get(start..at).unwrap_or_default().to_owned());
            start = behind + 1;
            continues = separator == Some("-");
        }
    }
    lines.push(rest.get(start..).unwrap_or_default().to_owned());
    Some(RemoteReply::new(code, lines))
}
