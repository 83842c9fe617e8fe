//! Which messages and recipients are meant: the filters of `facteur queue`. All that are given must fit.

use std::net::IpAddr;
use std::time::Duration;

use facteur_mail::{Domain, Recipient, RecipientState, RemoteHost, Timestamp};
use facteur_replies::{Category, EnhancedCode, ReplyCode};
use facteur_spool::Queued;
use serde::{Deserialize, Serialize};

/// The filters as they are typed and sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FilterSpec {
    /// Part of the sender's address.
    pub(crate) sender: Option<String>,
    /// Part of a recipient's address.
    pub(crate) recipient: Option<String>,
    /// A recipient's domain.
    pub(crate) domain: Option<String>,
    /// The host last tried: its name, a domain that it is in, or its address.
    pub(crate) host: Option<String>,
    /// At least so old, in seconds.
    pub(crate) older: Option<u64>,
    /// Younger than that, in seconds.
    pub(crate) younger: Option<u64>,
    /// More octets.
    pub(crate) larger: Option<u64>,
    /// Fewer octets.
    pub(crate) smaller: Option<u64>,
    /// The basic or the enhanced code of the last reply.
    pub(crate) reply: Option<String>,
    /// What the last reply was about.
    pub(crate) category: Option<String>,
    /// Only what is held.
    pub(crate) held: bool,
}

/// Filters that can be applied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    sender: Option<String>,
    recipient: Option<String>,
    domain: Option<Domain>,
    host: Option<Place>,
    older: Option<Duration>,
    younger: Option<Duration>,
    larger: Option<u64>,
    smaller: Option<u64>,
    reply: Option<Code>,
    category: Option<Category>,
    held: bool,
}

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadFilter {
    /// This is no domain.
    Domain(String),
    /// This is no code of a reply.
    Reply(String),
    /// This is no category.
    Category(String),
}

/// A host last tried.
#[derive(Debug, Clone)]
enum Place {
    Address(IpAddr),
    /// In lower case.
    Name(String),
}

#[derive(Debug, Clone, Copy)]
enum Code {
    Basic(ReplyCode),
    Enhanced(EnhancedCode),
}

impl FilterSpec {
    /// Whether everything fits.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Filter {
    /// Reads what was typed.
    pub(crate) fn of(spec: &FilterSpec) -> Result<Self, BadFilter> {
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        let seconds = |count: Option<u64>| count.map(Duration::from_secs);
        let domain = spec
            .domain
            .as_ref()
            .map(|text| Domain::parse(text).map_err(|_| BadFilter::Domain(text.clone())));
        let reply = spec
            .reply
            .as_ref()
            .map(|text| code(text).ok_or_else(|| BadFilter::Reply(text.clone())));
        let category = spec
            .category
            .as_ref()
            .map(|name| Category::from_name(name).ok_or_else(|| BadFilter::Category(name.clone())));
        Ok(Self {
            sender: lower(&spec.sender),
            recipient: lower(&spec.recipient),
            domain: domain.transpose()?,
            host: spec.host.as_deref().map(place),
            older: seconds(spec.older),
            younger: seconds(spec.younger),
            larger: spec.larger,
            smaller: spec.smaller,
            reply: reply.transpose()?,
            category: category.transpose()?,
            held: spec.held,
        })
    }

    /// Whether a message fits: it does, and so does one of its recipients, whatever has become of that one.
    pub(crate) fn fits(&self, queued: &Queued, now: Timestamp) -> bool {
        self.fits_message(queued, now)
            && recipients(queued).any(|(_, recipient, state)| self.fits_recipient(recipient, state))
    }

    /// The recipients that fit and for whom the message still waits, by their places; none if the message does not fit.
    pub(crate) fn select(&self, queued: &Queued, now: Timestamp) -> Vec<usize> {
        if !self.fits_message(queued, now) {
            return Vec::new();
        }
        recipients(queued)
            .filter(|(_, recipient, state)| {
                let waits = matches!(
                    state,
                    RecipientState::Waiting { .. } | RecipientState::Held { .. }
                );
                waits && self.fits_recipient(recipient, state)
            })
            .map(|(place, _, _)| place)
            .collect()
    }

    fn fits_message(&self, queued: &Queued, now: Timestamp) -> bool {
        let age = now.since(queued.envelope.arrived);
        let sender = |part: &String| within(part, &queued.envelope.sender.to_string());
        self.sender.as_ref().is_none_or(sender)
            && self.older.is_none_or(|limit| age >= limit)
            && self.younger.is_none_or(|limit| age < limit)
            && self.larger.is_none_or(|limit| queued.octets > limit)
            && self.smaller.is_none_or(|limit| queued.octets < limit)
    }

    fn fits_recipient(&self, recipient: &Recipient, state: &RecipientState) -> bool {
        let address = |part: &String| within(part, &recipient.address.to_string());
        let domain = |domain: &Domain| recipient.address.domain() == Some(domain);
        self.recipient.as_ref().is_none_or(address)
            && self.domain.as_ref().is_none_or(domain)
            && (!self.held || matches!(state, RecipientState::Held { .. }))
            && self.fits_last_attempt(state)
    }

    fn fits_last_attempt(&self, state: &RecipientState) -> bool {
        if self.host.is_none() && self.reply.is_none() && self.category.is_none() {
            return true;
        }
        let Some(attempt) = state.last_attempt() else {
            return false;
        };
        let (code, enhanced) = (attempt.said.code(), attempt.said.enhanced());
        let host = |place: &Place| attempt.host.as_ref().is_some_and(|host| place.fits(host));
        let reply = |wanted| match wanted {
            Code::Basic(wanted) => code == wanted,
            Code::Enhanced(wanted) => enhanced == Some(wanted),
        };
        self.host.as_ref().is_none_or(host)
            && self.reply.is_none_or(reply)
            && self
                .category
                .is_none_or(|wanted| Category::of(code, enhanced) == wanted)
    }
}

impl Place {
    fn fits(&self, host: &RemoteHost) -> bool {
        match self {
            Self::Address(ip) => host.address.is_some_and(|address| address.ip() == *ip),
            Self::Name(wanted) => {
                let name = host.name.to_lowercase();
                let domain = name.strip_suffix(wanted.as_str());
                domain.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

fn recipients(queued: &Queued) -> impl Iterator<Item = (usize, &Recipient, &RecipientState)> {
    let both = queued.envelope.recipients.iter().zip(&queued.progress);
    both.enumerate()
        .map(|(place, (recipient, state))| (place, recipient, state))
}

fn within(part: &str, text: &str) -> bool {
    text.to_lowercase().contains(part)
}

fn place(text: &str) -> Place {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().map_or_else(
        |_| Place::Name(text.trim_end_matches('.').to_lowercase()),
        Place::Address,
    )
}

fn code(text: &str) -> Option<Code> {
    let basic = || text.parse().ok().and_then(ReplyCode::new);
    EnhancedCode::parse(text)
        .map(Code::Enhanced)
        .or_else(|| basic().map(Code::Basic))
}
