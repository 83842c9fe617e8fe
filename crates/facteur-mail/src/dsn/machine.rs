//! The part of a report for programs: the fields of RFC 3464 §2, exact and in US-ASCII; the addresses in UTF-8 where
//! RFC 6533 §4 allows it.

use std::fmt::Write as _;

use facteur_replies::RemoteReply;

use super::{News, Report, Told};
use crate::address::Address;
use crate::attempt::Said;
use crate::date::MailDate;
use crate::text::MAX_SHOWN;

/// Where lines are folded, in octets, if there is a space. (RFC 5322 §2.1.1)
const FOLD_AT: usize = 76;

/// The longest line that is never exceeded, space or not, in octets. (RFC 5322 §2.1.1)
const LINE: usize = 900;

/// Whether addresses may stand as UTF-8, or must be ASCII. (RFC 6533 §3)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// `message/delivery-status`.
    Ascii,
    /// `message/global-delivery-status`.
    Utf8,
}

/// The fields about the message. (RFC 3464 §2.2)
pub(super) fn message_fields(report: &Report<'_>) -> String {
    let mut out = String::with_capacity(256);
    field(
        &mut out,
        "Reporting-MTA",
        &format!("dns; {}", ascii(report.hostname)),
    );
    if let Some(envid) = &report.envelope.envid {
        field(&mut out, "Original-Envelope-Id", &ascii(&envid.0));
    }
    let arrived = MailDate(report.envelope.arrived);
    field(&mut out, "Arrival-Date", &arrived.to_string());
    out
}

/// The fields about one recipient, behind an empty line; a program takes one at the end for one more recipient.
/// (RFC 3464 §2.1, §2.3)
pub(super) fn recipient_fields(report: &Report<'_>, told: &Told<'_>, charset: Charset) -> String {
    let mut out = String::with_capacity(512);
    out.push_str("\r\n");
    if let Some(orcpt) = &told.recipient.orcpt {
        let address = typed_address(&orcpt.kind, &orcpt.address, charset);
        field(&mut out, "Original-Recipient", &address);
    }
    field(
        &mut out,
        "Final-Recipient",
        &final_recipient(&told.recipient.address, charset),
    );
    field(&mut out, "Action", told.news.action().name());
    field(&mut out, "Status", &told.status());
    if told.peer_spoke()
        && let Some(host) = &told.attempt.host
    {
        let kind = if host.name.starts_with('/') {
            "x-unix"
        } else {
            "dns"
        };
        field(
            &mut out,
            "Remote-MTA",
            &format!("{kind}; {}", ascii(&host.name)),
        );
    }
    field(
        &mut out,
        "Diagnostic-Code",
        &format!("smtp; {}", diagnostic(told)),
    );
    let at = MailDate(told.attempt.at);
    field(&mut out, "Last-Attempt-Date", &at.to_string());
    field(&mut out, "Final-Log-ID", &report.about.to_string());
    if let News::Delayed { until, .. } = told.news {
        field(&mut out, "Will-Retry-Until", &MailDate(until).to_string());
    }
    out
}

fn final_recipient(address: &Address, charset: Charset) -> String {
    let kind = if address.is_ascii() {
        "rfc822"
    } else {
        "utf-8"
    };
    typed_address(kind, &address.to_string(), charset)
}

/// `rfc822; a@b`, with `utf-8` addresses in the form that the charset allows. (RFC 6533 §3)
fn typed_address(kind: &str, address: &str, charset: Charset) -> String {
    let kind = ascii(kind);
    let is_utf8 = kind.eq_ignore_ascii_case("utf-8");
    let address = match charset {
        Charset::Utf8 if is_utf8 => shown(address, crate::text::is_harmless),
        Charset::Ascii if is_utf8 => shown(address, |c| {
            c.is_ascii_graphic() && !matches!(c, '+' | '=' | '\\')
        }),
        Charset::Utf8 | Charset::Ascii => ascii(address),
    };
    format!("{kind}; {address}")
}

/// The reply as it stood on the wire, its lines joined by a space; at most [`MAX_SHOWN`] characters of a
/// stranger's text. (RFC 3464 §2.3.6)
fn diagnostic(told: &Told<'_>) -> String {
    match &told.attempt.said {
        Said::ByUs(reply) => ascii(&reply.to_line()),
        Said::ByPeer(reply) => remote_words(reply),
    }
}

fn remote_words(reply: &RemoteReply) -> String {
    let mut words = String::new();
    for line in reply.wire_lines() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&line);
        if words.len() > MAX_SHOWN * 4 {
            break;
        }
    }
    if reply.lines.is_empty() {
        words = reply.to_line();
    }
    let cut: String = words.chars().take(MAX_SHOWN).collect();
    let mark = if cut.len() < words.len() {
        " [...]"
    } else {
        ""
    };
    format!("{}{mark}", ascii(&cut))
}

/// A text in printable US-ASCII, everything else as `\x{1F600}`.
pub(super) fn ascii(text: &str) -> String {
    shown(text, |c| matches!(c, ' '..='~'))
}

/// A text with every character that is not `plain` as `\x{1F600}`, the form of RFC 6533 §3.
fn shown(text: &str, plain: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if plain(c) {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            write!(out, "\\x{{{:X}}}", u32::from(c)).unwrap_or_default();
        }
    }
    out
}

/// Appends a field, folded; unfolding gives the value back. (RFC 5322 §2.2.3)
pub(super) fn field(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push(':');
    let mut column = name.len() + 1;
    for word in value.split(' ') {
        if column + 1 + word.len() > FOLD_AT && column > name.len() + 1 && !word.is_empty() {
            out.push_str("\r\n");
            column = 0;
        }
        out.push(' ');
        column += 1;
        for c in word.chars() {
            if column + c.len_utf8() > LINE {
                out.push_str("\r\n ");
                column = 1;
            }
            out.push(c);
            column += c.len_utf8();
        }
    }
    out.push_str("\r\n");
}
