//! Writing records.

use std::net::{IpAddr, SocketAddr};

use facteur_mail::{
    Address, Attempt, BodyType, Delivery, Envelope, Hold, Host, MAX_REASON, Notify, Protocol,
    Recipient, RecipientState, Report, Ret, RetryReason, ReversePath, Said, Timestamp,
};
use facteur_replies::{RemoteReply, Reply};

use super::{
    FIRST_VERSION, MAX_RECIPIENTS, MAX_RECORD, MAX_REPLY_ARGUMENT, MAX_REPLY_ARGUMENTS,
    MAX_REPLY_LINES, MAX_REPLY_TEXT, MAX_TEXT, ProgressRecord, VERSION, tag,
};
use crate::error::SpoolError;
use crate::spool::Change;

/// Appends an envelope and the moment of the first try.
///
/// # Errors
/// [`SpoolError::TooLarge`]; what was appended until then is of no use.
pub fn encode_envelope(
    envelope: &Envelope,
    first_try: Timestamp,
    out: &mut Vec<u8>,
) -> Result<(), SpoolError> {
    let mut to = Encoder::new(out, FIRST_VERSION);
    to.moment(first_try);
    to.moment(envelope.arrived);
    match &envelope.sender {
        ReversePath::Null => to.u8(0),
        ReversePath::Address(address) => {
            to.u8(1);
            to.address(address);
        }
    }
    to.u8(match envelope.body {
        BodyType::SevenBit => 0,
        BodyType::EightBitMime => 1,
        BodyType::BinaryMime => 2,
    });
    to.flag(envelope.smtputf8);
    to.u8(match envelope.ret {
        None => 0,
        Some(Ret::Full) => 1,
        Some(Ret::Headers) => 2,
    });
    to.flag(envelope.envid.is_some());
    if let Some(envid) = &envelope.envid {
        to.text(&envid.0);
    }
    to.flag(envelope.client.ip.is_some());
    if let Some(ip) = envelope.client.ip {
        to.ip(ip);
    }
    to.text(&envelope.client.helo);
    to.u8(match envelope.client.protocol {
        Protocol::Smtp => 0,
        Protocol::Esmtp => 1,
        Protocol::Lmtp => 2,
        Protocol::Utf8Smtp => 3,
        Protocol::Utf8Lmtp => 4,
        Protocol::Local => 5,
        Protocol::Http => 6,
    });
    to.count(envelope.recipients.len(), MAX_RECIPIENTS);
    for recipient in &envelope.recipients {
        to.recipient(recipient);
    }
    to.end()
}

/// Appends news about some recipients.
///
/// # Errors
/// [`SpoolError::TooLarge`]; what was appended until then is of no use.
pub fn encode_progress(record: &ProgressRecord, out: &mut Vec<u8>) -> Result<(), SpoolError> {
    let holds = |change: &Change| matches!(change.state, RecipientState::Held { .. });
    let version = if record.changes.iter().any(holds) {
        VERSION
    } else {
        FIRST_VERSION
    };
    let mut to = Encoder::new(out, version);
    to.flag(record.whole);
    to.count(record.changes.len(), MAX_RECIPIENTS);
    for change in &record.changes {
        to.index(change.recipient);
        to.state(&change.state);
    }
    to.count(record.attempting.len(), MAX_RECIPIENTS);
    for recipient in &record.attempting {
        to.index(*recipient);
    }
    to.end()
}

/// Appends to a buffer and remembers whether a bound was broken, so that the fields read as a plain list.
struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    broken: Option<(usize, usize)>,
}

impl<'a> Encoder<'a> {
    fn new(out: &'a mut Vec<u8>, version: u8) -> Self {
        let start = out.len();
        out.push(version);
        Self {
            out,
            start,
            broken: None,
        }
    }

    fn end(self) -> Result<(), SpoolError> {
        let octets = self.out.len() - self.start;
        let whole = (octets > MAX_RECORD).then_some((octets, MAX_RECORD));
        match self.broken.or(whole) {
            None => Ok(()),
            Some((octets, limit)) => Err(SpoolError::TooLarge {
                octets: wide(octets),
                limit: wide(limit),
            }),
        }
    }

    fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    fn flag(&mut self, value: bool) {
        self.out.push(u8::from(value));
    }

    fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn moment(&mut self, moment: Timestamp) {
        self.u64(moment.as_millis());
    }

    /// The length of a list or text that must not exceed `limit`.
    fn count(&mut self, count: usize, limit: usize) {
        if count > limit {
            self.broken.get_or_insert((count, limit));
        }
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn index(&mut self, recipient: usize) {
        self.count(recipient, MAX_RECIPIENTS - 1);
    }

    fn text(&mut self, text: &str) {
        self.count(text.len(), MAX_TEXT);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A text of which `limit` octets are enough.
    fn cut(&mut self, text: &str, limit: usize) {
        self.text(text.get(..text.floor_char_boundary(limit)).unwrap_or(text));
    }

    fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => {
                self.u8(tag::HOST_IPV4);
                self.out.extend_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                self.u8(tag::HOST_IPV6);
                self.out.extend_from_slice(&ip.octets());
            }
        }
    }

    fn address(&mut self, address: &Address) {
        self.text(address.local().as_str());
        match address.host() {
            Host::Domain(domain) => {
                self.u8(tag::HOST_DOMAIN);
                self.text(domain.as_str());
            }
            Host::Literal(ip) => self.ip(*ip),
        }
    }

    fn recipient(&mut self, recipient: &Recipient) {
        self.address(&recipient.address);
        self.flag(recipient.orcpt.is_some());
        if let Some(orcpt) = &recipient.orcpt {
            self.text(&orcpt.kind);
            self.text(&orcpt.address);
        }
        self.u8(match recipient.notify {
            Notify::Default => tag::NOTIFY_DEFAULT,
            Notify::Never => tag::NOTIFY_NEVER,
            Notify::On {
                success,
                failure,
                delay,
            } => {
                let on = |asked: bool, bit: u8| if asked { bit } else { 0 };
                tag::NOTIFY_ON
                    | on(success, tag::NOTIFY_SUCCESS)
                    | on(failure, tag::NOTIFY_FAILURE)
                    | on(delay, tag::NOTIFY_DELAY)
            }
        });
    }

    fn state(&mut self, state: &RecipientState) {
        match state {
            RecipientState::Waiting {
                next_at,
                attempts,
                reason,
                last,
                delay_reported,
            } => {
                self.u8(tag::STATE_WAITING);
                self.moment(*next_at);
                self.u32(*attempts);
                self.u8(match reason {
                    RetryReason::New => 0,
                    RetryReason::Backoff => 1,
                    RetryReason::DestinationDown => 2,
                    RetryReason::Interrupted => 3,
                    RetryReason::Operator => 4,
                });
                self.flag(*delay_reported);
                self.flag(last.is_some());
                if let Some(last) = last {
                    self.attempt(last);
                }
            }
            RecipientState::Held {
                hold,
                attempts,
                last,
                delay_reported,
            } => {
                self.u8(tag::STATE_HELD);
                self.hold(hold);
                self.u32(*attempts);
                self.flag(*delay_reported);
                self.flag(last.is_some());
                if let Some(last) = last {
                    self.attempt(last);
                }
            }
            RecipientState::Delivered {
                attempt,
                delivery,
                report,
            } => {
                self.u8(tag::STATE_DELIVERED);
                self.u8(match delivery {
                    Delivery::Mailbox => 0,
                    Delivery::HandedOn => 1,
                    Delivery::Relayed => 2,
                });
                self.report(*report);
                self.attempt(attempt);
            }
            RecipientState::Failed { attempt, report } => {
                self.u8(tag::STATE_FAILED);
                self.report(*report);
                self.attempt(attempt);
            }
        }
    }

    fn hold(&mut self, hold: &Hold) {
        self.moment(hold.since);
        self.flag(hold.until.is_some());
        if let Some(until) = hold.until {
            self.moment(until);
        }
        self.cut(&hold.by, MAX_REASON);
        self.cut(&hold.reason, MAX_REASON);
    }

    fn report(&mut self, report: Report) {
        self.u8(match report {
            Report::NotWanted => 0,
            Report::Owed => 1,
            Report::Sent => 2,
        });
    }

    fn attempt(&mut self, attempt: &Attempt) {
        self.moment(attempt.at);
        self.u64(u64::try_from(attempt.took.as_nanos()).unwrap_or(u64::MAX));
        self.text(attempt.stage.name());
        self.flag(attempt.host.is_some());
        if let Some(host) = &attempt.host {
            self.cut(&host.name, MAX_TEXT);
            self.flag(host.address.is_some());
            if let Some(address) = host.address {
                self.socket_address(address);
            }
        }
        match &attempt.said {
            Said::ByUs(reply) => {
                self.u8(tag::SAID_BY_US);
                self.reply(reply);
            }
            Said::ByPeer(reply) => {
                self.u8(tag::SAID_BY_PEER);
                self.remote_reply(reply);
            }
        }
    }

    fn socket_address(&mut self, address: SocketAddr) {
        self.ip(address.ip());
        self.u16(address.port());
        if let SocketAddr::V6(address) = address {
            self.u32(address.flowinfo());
            self.u32(address.scope_id());
        }
    }

    /// By name and arguments; the code and the line are for a version that does not know the name.
    fn reply(&mut self, reply: &Reply) {
        self.text(reply.id().row().name);
        self.u16(reply.code().number());
        self.cut(&reply.to_line(), MAX_REPLY_ARGUMENT);
        self.count(reply.args().len(), MAX_REPLY_ARGUMENTS);
        for arg in reply.args() {
            self.cut(arg, MAX_REPLY_ARGUMENT);
        }
    }

    /// The first lines, as far as [`MAX_REPLY_TEXT`] goes.
    fn remote_reply(&mut self, reply: &RemoteReply) {
        self.u16(reply.code.number());
        self.flag(reply.enhanced.is_some());
        if let Some(enhanced) = reply.enhanced {
            let detail = enhanced.detail();
            self.u8(enhanced.class());
            self.u16(detail.subject);
            self.u16(detail.detail);
        }
        let mut room = MAX_REPLY_TEXT;
        let kept = reply
            .lines
            .iter()
            .take(MAX_REPLY_LINES)
            .map_while(|line| {
                let limit = room;
                room = room.saturating_sub(line.len());
                (limit > 0).then_some((line, limit))
            })
            .collect::<Vec<_>>();
        self.count(kept.len(), MAX_REPLY_LINES);
        for (line, limit) in kept {
            self.cut(line, limit);
        }
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
