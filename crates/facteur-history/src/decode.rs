//! Reading entries back.

use std::borrow::Cow;
use std::time::Duration;

use facteur_mail::event::{
    Decision, MxAnswer, NoReport, RouteFinding, RouteHost, RouteRule, RouteTaken, Verb,
};
use facteur_mail::transcript::{Line, Words};
use facteur_mail::{
    Address, Attempt, BodyType, Client, Delivery, Domain, EnvId, Envelope, Host, LocalPart, Notify,
    Orcpt, Protocol, QueueId, Recipient, RemoteHost, Ret, RetryReason, ReversePath, Said, Stage,
    Timestamp, Transcript,
};
use facteur_replies::{Class, RemoteReply, Reply, ReplyCode};

use crate::encode::{STAGES, kind};
use crate::entry::{Accepted, Deed, Entry, Refusal, Reported, Tried, TriedRecipient};
use crate::wire::{Fields, Malformed};

/// Reads entries that stand one after the other; those of a kind that this version does not know are passed over.
///
/// # Errors
/// [`Malformed`], at the first entry that cannot be read.
pub fn entries(octets: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let mut fields = Fields::new(octets);
    let mut entries = Vec::new();
    while !fields.is_empty() {
        let (kind, mut entry) = fields.entry()?;
        entries.extend(entry.story_entry(kind)?);
    }
    Ok(entries)
}

/// Reads a refusal.
///
/// # Errors
/// [`Malformed`].
pub fn refusal(octets: &[u8]) -> Result<Refusal, Malformed> {
    let (kind, mut from) = Fields::new(octets).entry()?;
    if kind != kind::REFUSED {
        return Err(Malformed::Unknown(kind.into()));
    }
    Ok(Refusal {
        at: from.moment()?,
        reply: from.reply()?,
        stage: from.optional(|from| {
            let name = from.text()?;
            Stage::from_name(name).ok_or(Malformed::BadText)
        })?,
        client: from.optional(Fields::ip)?,
        helo: from.optional(Fields::boxed)?,
        sender: from.optional(Fields::reverse_path)?,
        recipient: from.optional(Fields::address)?,
    })
}

impl<'a> Fields<'a> {
    fn entry(&mut self) -> Result<(u8, Self), Malformed> {
        let kind = self.octet()?;
        let length: [u8; 4] = self.take(4)?.try_into().map_err(|_| Malformed::Truncated)?;
        let length = u32::from_le_bytes(length);
        let length = usize::try_from(length).map_err(|_| Malformed::TooLarge(length.into()))?;
        Ok((kind, Self::new(self.take(length)?)))
    }

    fn story_entry(&mut self, kind: u8) -> Result<Option<Entry>, Malformed> {
        Ok(Some(match kind {
            kind::ACCEPTED => Entry::Accepted(Box::new(Accepted {
                at: self.moment()?,
                octets: self.number()?,
                message_id: self.optional(Self::boxed)?,
                envelope: self.envelope()?,
            })),
            kind::TRIED => Entry::Tried(Box::new(Tried {
                at: self.moment()?,
                destination: self.boxed()?,
                route: self.optional(Self::route)?,
                transcript: self.transcript()?,
                recipients: self.list(Self::tried_recipient)?,
            })),
            kind::REPORTED => {
                let at = self.moment()?;
                Entry::Reported(Reported {
                    id: self.id()?,
                    at,
                    to: self.address()?,
                    told: self.list(|from| Ok((from.address()?, from.boxed()?)))?,
                })
            }
            kind::REPORT_ABOUT => {
                let at = self.moment()?;
                let about = self.id()?;
                Entry::ReportAbout { about, at }
            }
            kind::NOT_REPORTED => {
                let at = self.moment()?;
                let why = match self.text()? {
                    "null-mx" => NoReport::NullMx,
                    _ => return Err(Malformed::BadText),
                };
                Entry::NotReported { at, why }
            }
            kind::OPERATED => Entry::Operated(Deed {
                at: self.moment()?,
                verb: Verb::from_name(self.text()?).ok_or(Malformed::BadText)?,
                who: self.boxed()?,
                why: self.optional(Self::boxed)?,
                until: self.optional(Self::moment)?,
            }),
            kind::ENDED => Entry::Ended { at: self.moment()? },
            _ => return Ok(None),
        }))
    }

    fn moment(&mut self) -> Result<Timestamp, Malformed> {
        self.number().map(Timestamp::from_millis)
    }

    fn id(&mut self) -> Result<QueueId, Malformed> {
        self.number().map(QueueId::from_number)
    }

    fn envelope(&mut self) -> Result<Envelope, Malformed> {
        let arrived = self.moment()?;
        let sender = self.reverse_path()?;
        let body = match self.octet()? {
            0 => BodyType::SevenBit,
            1 => BodyType::EightBitMime,
            2 => BodyType::BinaryMime,
            other => return Err(Malformed::Unknown(other.into())),
        };
        let smtputf8 = self.flag()?;
        let ret = match self.octet()? {
            0 => None,
            1 => Some(Ret::Full),
            2 => Some(Ret::Headers),
            other => return Err(Malformed::Unknown(other.into())),
        };
        let envid = self.optional(|from| from.boxed().map(EnvId))?;
        let client = Client {
            ip: self.optional(Self::ip)?,
            helo: self.boxed()?,
            protocol: match self.octet()? {
                0 => Protocol::Smtp,
                1 => Protocol::Esmtp,
                2 => Protocol::Lmtp,
                3 => Protocol::Utf8Smtp,
                4 => Protocol::Utf8Lmtp,
                5 => Protocol::Local,
                6 => Protocol::Http,
                other => return Err(Malformed::Unknown(other.into())),
            },
        };
        Ok(Envelope {
            sender,
            recipients: self.list(Self::recipient)?,
            body,
            smtputf8,
            ret,
            envid,
            arrived,
            client,
        })
    }

    fn reverse_path(&mut self) -> Result<ReversePath, Malformed> {
        let address = self.optional(Self::address)?;
        Ok(address.map_or(ReversePath::Null, ReversePath::Address))
    }

    fn address(&mut self) -> Result<Address, Malformed> {
        let local = LocalPart::new(self.text()?).map_err(|_| Malformed::BadText)?;
        let mut ahead = *self;
        let host = if ahead.octet()? == 0 {
            *self = ahead;
            Host::Domain(Domain::parse(self.text()?).map_err(|_| Malformed::BadText)?)
        } else {
            Host::Literal(self.ip()?)
        };
        Ok(Address::new(local, host))
    }

    fn recipient(&mut self) -> Result<Recipient, Malformed> {
        Ok(Recipient {
            address: self.address()?,
            orcpt: self.optional(|from| {
                Ok(Orcpt {
                    kind: from.boxed()?,
                    address: from.boxed()?,
                })
            })?,
            notify: match self.octet()? {
                0 => Notify::Default,
                1 => Notify::Never,
                on if on & !7 == 8 => Notify::On {
                    success: on & 1 != 0,
                    failure: on & 2 != 0,
                    delay: on & 4 != 0,
                },
                other => return Err(Malformed::Unknown(other.into())),
            },
        })
    }

    fn route(&mut self) -> Result<RouteTaken, Malformed> {
        Ok(RouteTaken {
            by: self.rule()?,
            mx: self.optional(Self::mx)?,
            plan: self.owned()?,
            hosts: self.list(|from| {
                Ok(RouteHost {
                    name: from.boxed()?,
                    preference: from.small()?,
                    implicit: from.flag()?,
                    addresses: from.list(Self::ip)?,
                })
            })?,
            findings: self.list(|from| {
                Ok(RouteFinding {
                    name: from.owned()?,
                    host: from.boxed()?,
                    value: from.boxed()?,
                })
            })?,
        })
    }

    fn owned(&mut self) -> Result<Cow<'static, str>, Malformed> {
        Ok(Cow::Owned(self.text()?.to_owned()))
    }

    fn rule(&mut self) -> Result<RouteRule, Malformed> {
        let (tag, name, hop) = (self.octet()?, self.boxed()?, self.boxed()?);
        Ok(match tag {
            0 => RouteRule::Mx(name),
            1 => RouteRule::Literal(name),
            2 => RouteRule::Route { pattern: name, hop },
            3 => RouteRule::Deliver { domain: name, hop },
            4 => RouteRule::Maildir(name),
            other => return Err(Malformed::Unknown(other.into())),
        })
    }

    fn mx(&mut self) -> Result<MxAnswer, Malformed> {
        Ok(match self.octet()? {
            0 => MxAnswer::Found {
                ttl: Duration::from_secs(self.number()?),
                records: self.list(|from| Ok((from.small()?, from.boxed()?)))?,
            },
            1 => MxAnswer::NoRecords,
            2 => MxAnswer::NoSuchDomain,
            3 => MxAnswer::Failed(self.owned()?),
            other => return Err(Malformed::Unknown(other.into())),
        })
    }

    fn transcript(&mut self) -> Result<Transcript, Malformed> {
        let first = self.list(Self::line)?;
        let left_out = self.small()?;
        let last = self.list(Self::line)?;
        Ok(Transcript::restore(first, left_out, last))
    }

    fn stage(&mut self) -> Result<Stage, Malformed> {
        let number = self.octet()?;
        // A stage that a later version added: what was said is worth more than where.
        Ok(STAGES
            .get(usize::from(number))
            .copied()
            .unwrap_or(Stage::Queue))
    }

    fn line(&mut self) -> Result<Line, Malformed> {
        Ok(Line {
            stage: self.stage()?,
            words: match self.octet()? {
                0 => Words::Connecting(self.host()?),
                1 => Words::Reusing(self.host()?),
                2 => Words::Sent(self.boxed()?),
                3 => Words::Content(self.number()?),
                4 => Words::Heard(self.remote_reply()?),
                5 => Words::Noted(self.reply()?),
                other => return Err(Malformed::Unknown(other.into())),
            },
        })
    }

    fn host(&mut self) -> Result<RemoteHost, Malformed> {
        Ok(RemoteHost {
            name: self.boxed()?,
            address: self.optional(Self::socket)?,
        })
    }

    fn tried_recipient(&mut self) -> Result<TriedRecipient, Malformed> {
        Ok(TriedRecipient {
            place: self.small()?,
            address: self.address()?,
            attempts: self.small()?,
            attempt: self.attempt()?,
            decision: match self.octet()? {
                0 => Decision::Delivered(match self.octet()? {
                    0 => Delivery::Mailbox,
                    1 => Delivery::HandedOn,
                    2 => Delivery::Relayed,
                    other => return Err(Malformed::Unknown(other.into())),
                }),
                1 => Decision::RetryAt {
                    when: self.moment()?,
                    why: match self.octet()? {
                        0 => RetryReason::New,
                        1 => RetryReason::Backoff,
                        2 => RetryReason::DestinationDown,
                        3 => RetryReason::Interrupted,
                        4 => RetryReason::Operator,
                        other => return Err(Malformed::Unknown(other.into())),
                    },
                },
                2 => Decision::Bounced,
                3 => Decision::Expired,
                other => return Err(Malformed::Unknown(other.into())),
            },
        })
    }

    fn attempt(&mut self) -> Result<Attempt, Malformed> {
        Ok(Attempt {
            at: self.moment()?,
            took: Duration::from_millis(self.number()?),
            host: self.optional(Self::host)?,
            stage: self.stage()?,
            said: match self.octet()? {
                0 => Said::ByUs(self.reply()?),
                1 => Said::ByPeer(self.remote_reply()?),
                other => return Err(Malformed::Unknown(other.into())),
            },
        })
    }

    fn code(&mut self) -> Result<ReplyCode, Malformed> {
        ReplyCode::new(self.small()?).ok_or(Malformed::BadText)
    }

    /// One of our replies; one whose name this version does not know keeps its speaker, its class and its line.
    fn reply(&mut self) -> Result<Reply, Malformed> {
        let name = self.text()?;
        let code = self.code()?;
        let line = self.text()?;
        let args = self.list(|from| from.text().map(str::to_owned))?;
        Ok(
            Reply::restore(name, args).unwrap_or_else(|| match code.class() {
                Class::Success => Reply::recorded_success(line),
                Class::Permanent => Reply::recorded_failure(line),
                Class::Transient | Class::Intermediate | Class::Unknown => {
                    Reply::recorded_delay(line)
                }
            }),
        )
    }

    fn remote_reply(&mut self) -> Result<RemoteReply, Malformed> {
        let code = self.code()?;
        let lines = self.list(|from| from.text().map(str::to_owned))?;
        Ok(RemoteReply::new(code, lines))
    }
}
