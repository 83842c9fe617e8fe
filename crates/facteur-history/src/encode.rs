//! Writing entries: each is its kind, its length, its fields. A version that does not know a kind passes over it.

use facteur_mail::event::{
    Accepted, Decision, Deed, MxAnswer, NotReported, Refused, Reported, RouteRule, RouteTaken,
    Tried, TriedRecipient,
};
use facteur_mail::transcript::{Line, Words};
use facteur_mail::{
    Address, Attempt, BodyType, Delivery, Envelope, Host, Notify, Protocol, QueueId, Recipient,
    RemoteHost, Ret, RetryReason, ReversePath, Said, Stage, Timestamp, Transcript,
};
use facteur_replies::{RemoteReply, Reply};

use crate::wire::Writer;

/// Kinds of entries. Never reuse one.
pub(crate) mod kind {
    pub(crate) const ACCEPTED: u8 = 1;
    pub(crate) const TRIED: u8 = 2;
    pub(crate) const REPORTED: u8 = 3;
    pub(crate) const REPORT_ABOUT: u8 = 4;
    pub(crate) const NOT_REPORTED: u8 = 5;
    pub(crate) const OPERATED: u8 = 6;
    pub(crate) const ENDED: u8 = 7;
    pub(crate) const REFUSED: u8 = 8;
}

/// Stages by their numbers. Only its end may grow.
pub(crate) const STAGES: [Stage; 12] = [
    Stage::Route,
    Stage::Connect,
    Stage::Greeting,
    Stage::Hello,
    Stage::StartTls,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::EndOfData,
    Stage::Mailbox,
    Stage::Queue,
];

/// An entry, ready to be kept. The fields of most messages need less room than is made for them here.
fn entry(kind: u8, room: usize, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer {
        octets: Vec::with_capacity(room),
    };
    writer.octets.extend_from_slice(&[kind, 0, 0, 0, 0]);
    write(&mut writer);
    let length = writer.octets.len() - 5;
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if let Some(place) = writer.octets.get_mut(1..5) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    writer.octets
}

pub(crate) fn accepted(accepted: &Accepted<'_>) -> Vec<u8> {
    entry(kind::ACCEPTED, 256, |to| {
        to.moment(accepted.at);
        to.number(accepted.octets);
        to.optional(accepted.message_id, Writer::text);
        to.envelope(accepted.envelope);
    })
}

pub(crate) fn tried(tried: &Tried<'_>) -> Vec<u8> {
    entry(kind::TRIED, 1_536, |to| {
        to.moment(tried.at);
        to.text(tried.destination);
        to.optional(tried.route, Writer::route);
        to.transcript(tried.transcript);
        to.count(tried.recipients.len());
        for recipient in tried.recipients {
            to.tried_recipient(recipient);
        }
    })
}

pub(crate) fn reported(reported: &Reported<'_>) -> Vec<u8> {
    entry(kind::REPORTED, 128, |to| {
        to.moment(reported.at);
        to.number(reported.id.number());
        to.address(reported.to);
        to.count(reported.told.len());
        for told in reported.told {
            to.address(&told.recipient.address);
            to.text(told.news.action().name());
        }
    })
}

pub(crate) fn report_about(about: QueueId, at: Timestamp) -> Vec<u8> {
    entry(kind::REPORT_ABOUT, 32, |to| {
        to.moment(at);
        to.number(about.number());
    })
}

pub(crate) fn not_reported(it: &NotReported) -> Vec<u8> {
    entry(kind::NOT_REPORTED, 32, |to| {
        to.moment(it.at);
        to.text(it.why.name());
    })
}

pub(crate) fn operated(deed: &Deed<'_>) -> Vec<u8> {
    entry(kind::OPERATED, 64, |to| {
        to.moment(deed.at);
        to.text(deed.verb.name());
        to.text(deed.who);
        to.optional(deed.why, Writer::text);
        to.optional(deed.until, Writer::moment);
    })
}

pub(crate) fn ended(at: Timestamp) -> Vec<u8> {
    entry(kind::ENDED, 16, |to| to.moment(at))
}

pub(crate) fn refused(refused: &Refused<'_>) -> Vec<u8> {
    entry(kind::REFUSED, 256, |to| {
        to.moment(refused.at);
        to.reply(refused.reply);
        to.optional(refused.stage, Writer::stage);
        to.optional(refused.client, Writer::ip);
        to.optional(refused.helo, Writer::text);
        to.optional(refused.sender, Writer::reverse_path);
        to.optional(refused.recipient, Writer::address);
    })
}

impl Writer {
    fn moment(&mut self, moment: Timestamp) {
        self.number(moment.as_millis());
    }

    fn stage(&mut self, stage: Stage) {
        self.text(stage.name());
    }

    fn envelope(&mut self, envelope: &Envelope) {
        self.moment(envelope.arrived);
        self.reverse_path(&envelope.sender);
        self.octets.push(match envelope.body {
            BodyType::SevenBit => 0,
            BodyType::EightBitMime => 1,
            BodyType::BinaryMime => 2,
        });
        self.flag(envelope.smtputf8);
        self.octets.push(match envelope.ret {
            None => 0,
            Some(Ret::Full) => 1,
            Some(Ret::Headers) => 2,
        });
        self.optional(envelope.envid.as_ref(), |to, envid| to.text(&envid.0));
        self.optional(envelope.client.ip, Self::ip);
        self.text(&envelope.client.helo);
        self.octets.push(match envelope.client.protocol {
            Protocol::Smtp => 0,
            Protocol::Esmtp => 1,
            Protocol::Lmtp => 2,
            Protocol::Utf8Smtp => 3,
            Protocol::Utf8Lmtp => 4,
            Protocol::Local => 5,
            Protocol::Http => 6,
        });
        self.count(envelope.recipients.len());
        for recipient in &envelope.recipients {
            self.recipient(recipient);
        }
    }

    fn reverse_path(&mut self, path: &ReversePath) {
        self.optional(path.address(), Self::address);
    }

    fn address(&mut self, address: &Address) {
        self.text(address.local().as_str());
        match address.host() {
            Host::Domain(domain) => {
                self.octets.push(0);
                self.text(domain.as_str());
            }
            Host::Literal(ip) => self.ip(*ip),
        }
    }

    fn recipient(&mut self, recipient: &Recipient) {
        self.address(&recipient.address);
        self.optional(recipient.orcpt.as_ref(), |to, orcpt| {
            to.text(&orcpt.kind);
            to.text(&orcpt.address);
        });
        self.octets.push(match recipient.notify {
            Notify::Default => 0,
            Notify::Never => 1,
            Notify::On {
                success,
                failure,
                delay,
            } => 8 | u8::from(success) | u8::from(failure) << 1 | u8::from(delay) << 2,
        });
    }

    fn route(&mut self, route: &RouteTaken) {
        match &route.by {
            RouteRule::Mx(domain) => self.rule(0, domain, ""),
            RouteRule::Literal(literal) => self.rule(1, literal, ""),
            RouteRule::Route { pattern, hop } => self.rule(2, pattern, hop),
            RouteRule::Deliver { domain, hop } => self.rule(3, domain, hop),
            RouteRule::Maildir(domain) => self.rule(4, domain, ""),
        }
        self.optional(route.mx.as_ref(), Self::mx);
        self.text(&route.plan);
        self.count(route.hosts.len());
        for host in &route.hosts {
            self.text(&host.name);
            self.number(u64::from(host.preference));
            self.flag(host.implicit);
            self.count(host.addresses.len());
            for address in &host.addresses {
                self.ip(*address);
            }
        }
        self.count(route.findings.len());
        for finding in &route.findings {
            self.text(&finding.name);
            self.text(&finding.host);
            self.text(&finding.value);
        }
    }

    fn rule(&mut self, tag: u8, name: &str, hop: &str) {
        self.octets.push(tag);
        self.text(name);
        self.text(hop);
    }

    fn mx(&mut self, mx: &MxAnswer) {
        match mx {
            MxAnswer::Found { records, ttl } => {
                self.octets.push(0);
                self.number(ttl.as_secs());
                self.count(records.len());
                for (preference, exchange) in records {
                    self.number(u64::from(*preference));
                    self.text(exchange);
                }
            }
            MxAnswer::NoRecords => self.octets.push(1),
            MxAnswer::NoSuchDomain => self.octets.push(2),
            MxAnswer::Failed(name) => {
                self.octets.push(3);
                self.text(name);
            }
        }
    }

    fn transcript(&mut self, transcript: &Transcript) {
        self.count(transcript.first().len());
        for line in transcript.first() {
            self.line(line);
        }
        self.number(u64::from(transcript.left_out()));
        self.count(transcript.last().len());
        for line in transcript.last() {
            self.line(line);
        }
    }

    fn line(&mut self, line: &Line) {
        self.octets.push(stage_number(line.stage));
        match &line.words {
            Words::Connecting(host) => {
                self.octets.push(0);
                self.host(host);
            }
            Words::Reusing(host) => {
                self.octets.push(1);
                self.host(host);
            }
            Words::Sent(command) => {
                self.octets.push(2);
                self.text(command);
            }
            Words::Content(octets) => {
                self.octets.push(3);
                self.number(*octets);
            }
            Words::Heard(reply) => {
                self.octets.push(4);
                self.remote_reply(reply);
            }
            Words::Noted(reply) => {
                self.octets.push(5);
                self.reply(reply);
            }
        }
    }

    fn host(&mut self, host: &RemoteHost) {
        self.text(&host.name);
        self.optional(host.address, Self::socket);
    }

    fn tried_recipient(&mut self, it: &TriedRecipient<'_>) {
        self.count(it.place);
        self.address(&it.recipient.address);
        self.number(u64::from(it.attempts));
        self.attempt(it.attempt);
        match it.decision {
            Decision::Delivered(delivery) => {
                self.octets.push(0);
                self.octets.push(match delivery {
                    Delivery::Mailbox => 0,
                    Delivery::HandedOn => 1,
                    Delivery::Relayed => 2,
                });
            }
            Decision::RetryAt { when, why } => {
                self.octets.push(1);
                self.moment(when);
                self.octets.push(match why {
                    RetryReason::New => 0,
                    RetryReason::Backoff => 1,
                    RetryReason::DestinationDown => 2,
                    RetryReason::Interrupted => 3,
                    RetryReason::Operator => 4,
                });
            }
            Decision::Bounced => self.octets.push(2),
            Decision::Expired => self.octets.push(3),
        }
    }

    fn attempt(&mut self, attempt: &Attempt) {
        self.moment(attempt.at);
        self.number(u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX));
        self.optional(attempt.host.as_ref(), Self::host);
        self.octets.push(stage_number(attempt.stage));
        match &attempt.said {
            Said::ByUs(reply) => {
                self.octets.push(0);
                self.reply(reply);
            }
            Said::ByPeer(reply) => {
                self.octets.push(1);
                self.remote_reply(reply);
            }
        }
    }

    /// By name and arguments; the code and the line are for a version that does not know the name.
    fn reply(&mut self, reply: &Reply) {
        self.text(reply.id().row().name);
        self.number(u64::from(reply.code().number()));
        self.text(&reply.to_line());
        self.count(reply.args().len());
        for arg in reply.args() {
            self.text(arg);
        }
    }

    /// The enhanced code stands in the lines, and is read from them again.
    fn remote_reply(&mut self, reply: &RemoteReply) {
        self.number(u64::from(reply.code.number()));
        self.count(reply.lines.len());
        for line in &reply.lines {
            self.text(line);
        }
    }
}

/// The number of a stage: its place in [`STAGES`].
fn stage_number(stage: Stage) -> u8 {
    let place = STAGES.iter().position(|it| *it == stage);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}
