//! Reading records, which may hold anything.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use facteur_mail::{
    Address, Attempt, BodyType, Client, Delivery, Domain, EnvId, Envelope, Hold, Host, LocalPart,
    Notify, Orcpt, Protocol, Recipient, RecipientState, RemoteHost, Report, Ret, RetryReason,
    ReversePath, Said, Stage, Timestamp,
};
use facteur_replies::{Class, EnhancedCode, RemoteReply, Reply, ReplyCode};

use super::{
    FIRST_VERSION, MAX_RECIPIENTS, MAX_REPLY_ARGUMENTS, MAX_REPLY_LINES, MAX_TEXT, ProgressRecord,
    VERSION, tag,
};
use crate::spool::Change;

/// Why octets are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// They end before the record does.
    Truncated,
    /// They go on after the record has ended.
    Trailing,
    /// A format version that this version cannot read.
    Version(u8),
    /// A list or text longer than may be.
    TooLong,
    /// A text that is no UTF-8, or no address where one must stand.
    BadText,
    /// A number without a meaning.
    Unknown(u8),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the record ends too early"),
            Self::Trailing => f.write_str("something follows the record"),
            Self::Version(found) => write!(f, "record version {found} is not known"),
            Self::TooLong => f.write_str("a length in the record is beyond its limit"),
            Self::BadText => f.write_str("a text in the record is malformed"),
            Self::Unknown(found) => write!(f, "the record holds {found}, which has no meaning"),
        }
    }
}

impl std::error::Error for RecordError {}

/// Reads an envelope and the moment of the first try.
///
/// # Errors
/// [`RecordError`].
pub fn decode_envelope(record: &[u8]) -> Result<(Envelope, Timestamp), RecordError> {
    let mut from = Decoder::new(record)?;
    let first_try = from.moment()?;
    let arrived = from.moment()?;
    let sender = if from.flag()? {
        ReversePath::Address(from.address()?)
    } else {
        ReversePath::Null
    };
    let body = match from.u8()? {
        0 => BodyType::SevenBit,
        1 => BodyType::EightBitMime,
        2 => BodyType::BinaryMime,
        other => return Err(RecordError::Unknown(other)),
    };
    let smtputf8 = from.flag()?;
    let ret = match from.u8()? {
        0 => None,
        1 => Some(Ret::Full),
        2 => Some(Ret::Headers),
        other => return Err(RecordError::Unknown(other)),
    };
    let envid = from.optional(|from| Ok(EnvId(from.text()?.into())))?;
    let ip = from.optional(Decoder::ip)?;
    let helo = from.text()?.into();
    let protocol = match from.u8()? {
        0 => Protocol::Smtp,
        1 => Protocol::Esmtp,
        2 => Protocol::Lmtp,
        3 => Protocol::Utf8Smtp,
        4 => Protocol::Utf8Lmtp,
        5 => Protocol::Local,
        6 => Protocol::Http,
        other => return Err(RecordError::Unknown(other)),
    };
    let recipients = from.list(MAX_RECIPIENTS, Decoder::recipient)?;
    from.end()?;
    let envelope = Envelope {
        sender,
        recipients,
        body,
        smtputf8,
        ret,
        envid,
        arrived,
        client: Client { ip, helo, protocol },
    };
    Ok((envelope, first_try))
}

/// Reads news about some recipients.
///
/// # Errors
/// [`RecordError`].
pub fn decode_progress(record: &[u8]) -> Result<ProgressRecord, RecordError> {
    let mut from = Decoder::new(record)?;
    let whole = from.flag()?;
    let changes = from.list(MAX_RECIPIENTS, |from| {
        Ok(Change {
            recipient: from.count(MAX_RECIPIENTS - 1)?,
            state: from.state()?,
        })
    })?;
    let attempting = from.list(MAX_RECIPIENTS, |from| from.count(MAX_RECIPIENTS - 1))?;
    from.end()?;
    Ok(ProgressRecord {
        whole,
        changes,
        attempting,
    })
}

/// What is left to read.
struct Decoder<'a> {
    rest: &'a [u8],
    version: u8,
}

impl<'a> Decoder<'a> {
    fn new(record: &'a [u8]) -> Result<Self, RecordError> {
        let (version, rest) = record.split_first().ok_or(RecordError::Truncated)?;
        match *version {
            version @ FIRST_VERSION..=VERSION => Ok(Self { rest, version }),
            other => Err(RecordError::Version(other)),
        }
    }

    const fn end(&self) -> Result<(), RecordError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Trailing)
        }
    }

    fn take(&mut self, octets: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(octets)
            .ok_or(RecordError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(RecordError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, RecordError> {
        self.array().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Result<bool, RecordError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(RecordError::Unknown(other)),
        }
    }

    fn u16(&mut self) -> Result<u16, RecordError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, RecordError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, RecordError> {
        self.array().map(u64::from_le_bytes)
    }

    fn moment(&mut self) -> Result<Timestamp, RecordError> {
        self.u64().map(Timestamp::from_millis)
    }

    fn count(&mut self, limit: usize) -> Result<usize, RecordError> {
        let count = usize::try_from(self.u32()?).map_err(|_| RecordError::TooLong)?;
        if count > limit {
            return Err(RecordError::TooLong);
        }
        Ok(count)
    }

    fn text(&mut self) -> Result<&'a str, RecordError> {
        let octets = self.count(MAX_TEXT)?;
        std::str::from_utf8(self.take(octets)?).map_err(|_| RecordError::BadText)
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Option<T>, RecordError> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A list, allocated as its elements come and not by the length it claims.
    fn list<T>(
        &mut self,
        limit: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Vec<T>, RecordError> {
        let count = self.count(limit)?;
        let mut list = Vec::with_capacity(count.min(8));
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }

    fn ip(&mut self) -> Result<IpAddr, RecordError> {
        let tag = self.u8()?;
        self.ip_of(tag)
    }

    fn ip_of(&mut self, tag: u8) -> Result<IpAddr, RecordError> {
        match tag {
            tag::HOST_IPV4 => Ok(Ipv4Addr::from(self.array::<4>()?).into()),
            tag::HOST_IPV6 => Ok(Ipv6Addr::from(self.array::<16>()?).into()),
            other => Err(RecordError::Unknown(other)),
        }
    }

    fn address(&mut self) -> Result<Address, RecordError> {
        let local = LocalPart::new(self.text()?).map_err(|_| RecordError::BadText)?;
        let host = match self.u8()? {
            tag::HOST_DOMAIN => {
                Host::Domain(Domain::parse(self.text()?).map_err(|_| RecordError::BadText)?)
            }
            other => Host::Literal(self.ip_of(other)?),
        };
        Ok(Address::new(local, host))
    }

    fn recipient(&mut self) -> Result<Recipient, RecordError> {
        let address = self.address()?;
        let orcpt = self.optional(|from| {
            Ok(Orcpt {
                kind: from.text()?.into(),
                address: from.text()?.into(),
            })
        })?;
        let all = tag::NOTIFY_SUCCESS | tag::NOTIFY_FAILURE | tag::NOTIFY_DELAY;
        let notify = match self.u8()? {
            tag::NOTIFY_DEFAULT => Notify::Default,
            tag::NOTIFY_NEVER => Notify::Never,
            on if on & !all == tag::NOTIFY_ON => Notify::On {
                success: on & tag::NOTIFY_SUCCESS != 0,
                failure: on & tag::NOTIFY_FAILURE != 0,
                delay: on & tag::NOTIFY_DELAY != 0,
            },
            other => return Err(RecordError::Unknown(other)),
        };
        Ok(Recipient {
            address,
            orcpt,
            notify,
        })
    }

    fn state(&mut self) -> Result<RecipientState, RecordError> {
        match self.u8()? {
            tag::STATE_WAITING => Ok(RecipientState::Waiting {
                next_at: self.moment()?,
                attempts: self.u32()?,
                reason: match self.u8()? {
                    0 => RetryReason::New,
                    1 => RetryReason::Backoff,
                    2 => RetryReason::DestinationDown,
                    3 => RetryReason::Interrupted,
                    4 => RetryReason::Operator,
                    other => return Err(RecordError::Unknown(other)),
                },
                delay_reported: self.flag()?,
                last: self.optional(|from| from.attempt().map(Box::new))?,
            }),
            tag::STATE_HELD if self.version > FIRST_VERSION => Ok(RecipientState::Held {
                hold: Box::new(Hold {
                    since: self.moment()?,
                    until: self.optional(Self::moment)?,
                    by: self.text()?.into(),
                    reason: self.text()?.into(),
                }),
                attempts: self.u32()?,
                delay_reported: self.flag()?,
                last: self.optional(|from| from.attempt().map(Box::new))?,
            }),
            tag::STATE_DELIVERED => Ok(RecipientState::Delivered {
                delivery: match self.u8()? {
                    0 => Delivery::Mailbox,
                    1 => Delivery::HandedOn,
                    2 => Delivery::Relayed,
                    other => return Err(RecordError::Unknown(other)),
                },
                report: self.report()?,
                attempt: Box::new(self.attempt()?),
            }),
            tag::STATE_FAILED => Ok(RecipientState::Failed {
                report: self.report()?,
                attempt: Box::new(self.attempt()?),
            }),
            other => Err(RecordError::Unknown(other)),
        }
    }

    fn report(&mut self) -> Result<Report, RecordError> {
        match self.u8()? {
            0 => Ok(Report::NotWanted),
            1 => Ok(Report::Owed),
            2 => Ok(Report::Sent),
            other => Err(RecordError::Unknown(other)),
        }
    }

    fn attempt(&mut self) -> Result<Attempt, RecordError> {
        Ok(Attempt {
            at: self.moment()?,
            took: Duration::from_nanos(self.u64()?),
            // A stage that a later version added: the decision is still the queue's own record.
            stage: Stage::from_name(self.text()?).unwrap_or(Stage::Queue),
            host: self.optional(|from| {
                Ok(RemoteHost {
                    name: from.text()?.into(),
                    address: from.optional(Self::socket_address)?,
                })
            })?,
            said: match self.u8()? {
                tag::SAID_BY_US => Said::ByUs(self.reply()?),
                tag::SAID_BY_PEER => Said::ByPeer(self.remote_reply()?),
                other => return Err(RecordError::Unknown(other)),
            },
        })
    }

    fn socket_address(&mut self) -> Result<SocketAddr, RecordError> {
        let ip = self.ip()?;
        let port = self.u16()?;
        Ok(match ip {
            IpAddr::V4(_) => SocketAddr::new(ip, port),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, self.u32()?, self.u32()?).into(),
        })
    }

    fn reply(&mut self) -> Result<Reply, RecordError> {
        let name = self.text()?;
        let code = self.code()?;
        let line = self.text()?;
        let args = self.list(MAX_REPLY_ARGUMENTS, |from| from.text().map(str::to_owned))?;
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

    fn code(&mut self) -> Result<ReplyCode, RecordError> {
        ReplyCode::new(self.u16()?).ok_or(RecordError::BadText)
    }

    fn remote_reply(&mut self) -> Result<RemoteReply, RecordError> {
        Ok(RemoteReply {
            code: self.code()?,
            enhanced: self.optional(|from| {
                EnhancedCode::new(from.u8()?, from.u16()?, from.u16()?).ok_or(RecordError::BadText)
            })?,
            lines: self.list(MAX_REPLY_LINES, |from| from.text().map(str::to_owned))?,
        })
    }
}
