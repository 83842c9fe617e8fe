//! DNS for tests: a zone from a few lines of text, that can fail in every way, asked in memory or over a
//! real socket.
//!
//! ```text
//! good.test        MX    10 mx.good.test
//! mx.good.test 60  A     127.0.0.1
//! null.test        MX    0 .
//! alias.test       CNAME good.test
//! broken.test      SERVFAIL
//! half.test        TIMEOUT AAAA
//! ```

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use facteur_mail::Domain;
use facteur_route::{Answer, DnsFailure, Exchange, Lookup, MxRecord, Resolver};

use crate::dns_server::name;

/// The TTL of a record that names none, in seconds.
pub const DEFAULT_TTL: u32 = 300;

/// The TTL of negative answers, in seconds.
pub const NEGATIVE_TTL: u32 = 60;

/// The longest CNAME chain that is followed; then it is SERVFAIL, as with a real resolver.
const MAX_CHAIN: usize = 8;

/// Names and what DNS says of them. Clones are the same zone; it may be changed while it is asked.
#[derive(Debug, Clone, Default)]
pub struct Zone(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<Domain, Vec<Entry>>,
    questions: Vec<(String, Kind)>,
}

/// A question's type, as far as zones know types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// MX.
    Mx,
    /// A.
    A,
    /// AAAA.
    Aaaa,
    /// TXT.
    Txt,
    /// Any other: there are no such records.
    Other,
}

/// How a name fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// No answer at all.
    Timeout,
    /// An answer that is not DNS.
    Garbage,
    /// An answer that refers to other servers.
    Referral,
    /// Over UDP a truncated answer; over TCP, and in memory, the whole one.
    Truncated,
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    Mx(u16, String),
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Txt(String),
    Cname(Domain),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Record {
        ttl: u32,
        data: Data,
    },
    /// For one type of question, or for all.
    Fault(Fault, Option<Kind>),
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) owner: Domain,
    pub(crate) ttl: u32,
    pub(crate) data: Data,
}

/// What a zone says to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The CNAME chain, then the records asked for.
    pub(crate) rows: Vec<Row>,
    pub(crate) end: End,
}

/// How the answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Found,
    NoRecords,
    NoSuchDomain,
    Fault(Fault),
}

impl Zone {
    /// A zone from its text: a name, perhaps a TTL, a type, its data; one record a line, `#` for comments.
    /// The types are MX, A, AAAA, TXT, CNAME, EXISTS (a name without records), and SERVFAIL, REFUSED,
    /// TIMEOUT, GARBAGE, REFERRAL, TRUNCATED with nothing or the type of question that they are for.
    ///
    /// # Panics
    /// At a line that is none of these.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let zone = Self::default();
        zone.add(text);
        zone
    }

    /// Adds the lines of `text`.
    ///
    /// # Panics
    /// As [`Zone::new`].
    #[expect(
        clippy::panic,
        reason = "a wrong zone is a bug of the test that wrote it"
    )]
    pub fn add(&self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            if line.trim().is_empty() {
                continue;
            }
            let Some((name, entry)) = parse(line) else {
                panic!("this is no line of a zone: {line}");
            };
            let mut state = self.state();
            let entries = state.names.entry(name).or_default();
            entries.extend(entry);
        }
    }

    /// Forgets a name; asked for it again, it does not exist.
    ///
    /// # Panics
    /// If it is no domain name.
    pub fn remove(&self, name: &str) {
        self.state().names.remove(&domain(name));
    }

    /// Forgets the names that `text` mentions, then adds its lines.
    ///
    /// # Panics
    /// As [`Zone::new`].
    pub fn replace(&self, text: &str) {
        for name in text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
        {
            if !name.starts_with('#') {
                self.remove(name);
            }
        }
        self.add(text);
    }

    /// Every question asked so far, in lower case.
    #[must_use]
    pub fn questions(&self) -> Vec<(String, Kind)> {
        self.state().questions.clone()
    }

    /// Forgets the questions asked so far.
    pub fn forget_questions(&self) {
        self.state().questions.clear();
    }

    /// Answers a question, and notes it.
    pub(crate) fn ask(&self, name: &str, kind: Kind) -> Said {
        let mut state = self.state();
        let shown = name.trim_end_matches('.').to_ascii_lowercase();
        state.questions.push((shown, kind));
        match Domain::parse(name) {
            Ok(name) => state.look(&name, kind),
            Err(_) => Said {
                rows: Vec::new(),
                end: End::NoSuchDomain,
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers as a [`Resolver`] does.
    fn resolve<T>(
        &self,
        name: &Domain,
        kind: Kind,
        pick: impl Fn(&Data) -> Option<T>,
    ) -> Answer<T> {
        let said = self.ask(name.as_str(), kind);
        let failure = match said.end {
            End::Found | End::Fault(Fault::Truncated) => {
                let ttl = said
                    .rows
                    .iter()
                    .map(|row| row.ttl)
                    .min()
                    .unwrap_or_default();
                let owner = said.rows.last().map(|row| row.owner.clone());
                return Answer::found(
                    said.rows.iter().filter_map(|row| pick(&row.data)).collect(),
                    owner.filter(|owner| owner != name),
                    Duration::from_secs(ttl.into()),
                );
            }
            End::NoRecords => return Answer::NoRecords,
            End::NoSuchDomain => return Answer::NoSuchDomain,
            End::Fault(Fault::ServFail) => DnsFailure::ServFail,
            End::Fault(Fault::Refused) => DnsFailure::Refused,
            End::Fault(Fault::Timeout) => DnsFailure::Timeout,
            End::Fault(Fault::Garbage) => DnsFailure::Malformed,
            End::Fault(Fault::Referral) => DnsFailure::NotRecursive,
        };
        Answer::Failed(failure)
    }
}

/// In memory, at once: a time-out is answered without waiting.
impl Resolver for Zone {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, MxRecord> {
        Box::pin(std::future::ready(self.resolve(domain, Kind::Mx, |data| {
            let Data::Mx(preference, exchange) = data else {
                return None;
            };
            Some(MxRecord {
                preference: *preference,
                exchange: Exchange::parse(exchange),
            })
        })))
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Lookup<'a, IpAddr> {
        let address = |data: &Data| match data {
            Data::A(ip) => Some(IpAddr::V4(*ip)),
            Data::Aaaa(ip) => Some(IpAddr::V6(*ip)),
            Data::Mx(..) | Data::Txt(_) | Data::Cname(_) => None,
        };
        let v4 = self.resolve(host, Kind::A, address);
        let v6 = self.resolve(host, Kind::Aaaa, address);
        Box::pin(std::future::ready(v4.either(v6)))
    }
}

impl State {
    fn look(&self, asked: &Domain, kind: Kind) -> Said {
        let mut rows = Vec::new();
        let mut name = asked.clone();
        for _ in 0..MAX_CHAIN {
            let Some(entries) = self.names.get(&name) else {
                let end = self.end_without_entries(&name);
                return Said { rows, end };
            };
            let mut next = None;
            let mut fault = None;
            let mut found = Vec::new();
            for entry in entries {
                match entry {
                    Entry::Fault(what, of) if of.is_none_or(|of| of == kind) => fault = Some(*what),
                    Entry::Record { ttl, data } => {
                        if let Data::Cname(target) = data {
                            next = Some(target.clone());
                        } else if data.kind() != kind {
                            continue;
                        }
                        found.push(Row {
                            owner: name.clone(),
                            ttl: *ttl,
                            data: data.clone(),
                        });
                    }
                    Entry::Fault(..) => {}
                }
            }
            let empty = found.is_empty();
            rows.extend(found);
            match (fault, next) {
                (Some(fault), _) => {
                    let end = End::Fault(fault);
                    return Said { rows, end };
                }
                (None, Some(next)) => name = next,
                (None, None) => {
                    let end = if empty { End::NoRecords } else { End::Found };
                    return Said { rows, end };
                }
            }
        }
        let end = End::Fault(Fault::ServFail);
        Said { rows, end }
    }

    /// A name above others exists, even without records. (RFC 8020 §2)
    fn end_without_entries(&self, name: &Domain) -> End {
        if self.names.keys().any(|other| other.is_within(name)) {
            End::NoRecords
        } else {
            End::NoSuchDomain
        }
    }
}

impl Data {
    const fn kind(&self) -> Kind {
        match self {
            Self::Mx(..) => Kind::Mx,
            Self::A(_) => Kind::A,
            Self::Aaaa(_) => Kind::Aaaa,
            Self::Txt(_) => Kind::Txt,
            Self::Cname(_) => Kind::Other,
        }
    }
}

/// A line's name and its entry; none for EXISTS.
fn parse(line: &str) -> Option<(Domain, Option<Entry>)> {
    let mut words = line.split_whitespace().peekable();
    let name = Domain::parse(words.next()?).ok()?;
    let ttl = words.peek().and_then(|word| word.parse().ok());
    if ttl.is_some() {
        words.next();
    }
    let kind = words.next()?;
    let data: Vec<&str> = words.collect();
    let entry = match fault(kind) {
        Some(fault) => Entry::Fault(fault, parse_kind(&data)?),
        None if kind == "EXISTS" => return Some((name, None)),
        None => Entry::Record {
            ttl: ttl.unwrap_or(DEFAULT_TTL),
            data: parse_data(kind, &data)?,
        },
    };
    Some((name, Some(entry)))
}

fn parse_data(kind: &str, data: &[&str]) -> Option<Data> {
    match (kind, data) {
        ("MX", [preference, exchange]) => {
            name(exchange)?;
            Some(Data::Mx(preference.parse().ok()?, (*exchange).to_owned()))
        }
        ("A", [ip]) => ip.parse().ok().map(Data::A),
        ("AAAA", [ip]) => ip.parse().ok().map(Data::Aaaa),
        ("CNAME", [target]) => Domain::parse(target).ok().map(Data::Cname),
        ("TXT", words) => Some(Data::Txt(words.join(" "))),
        _ => None,
    }
}

fn fault(word: &str) -> Option<Fault> {
    Some(match word {
        "SERVFAIL" => Fault::ServFail,
        "REFUSED" => Fault::Refused,
        "TIMEOUT" => Fault::Timeout,
        "GARBAGE" => Fault::Garbage,
        "REFERRAL" => Fault::Referral,
        "TRUNCATED" => Fault::Truncated,
        _ => return None,
    })
}

/// The type a fault is for; the outer `None` is a mistake.
fn parse_kind(data: &[&str]) -> Option<Option<Kind>> {
    match data {
        [] => Some(None),
        ["MX"] => Some(Some(Kind::Mx)),
        ["A"] => Some(Some(Kind::A)),
        ["AAAA"] => Some(Some(Kind::Aaaa)),
        ["TXT"] => Some(Some(Kind::Txt)),
        _ => None,
    }
}

#[expect(
    clippy::panic,
    reason = "a wrong name is a bug of the test that wrote it"
)]
fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}
