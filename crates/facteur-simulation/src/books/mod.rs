//! What was seen of each message, by everybody: clients, the spool's counter, other servers. The laws are checked here, as
//! things happen.

mod end;
mod intake;
mod progress;
mod remote;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use facteur_mail::{Envelope, QueueId, RecipientState, Timestamp};
use facteur_spool::Change;

pub(crate) use remote::Copy;

use crate::laws::{Law, Violation};
use crate::settings::Settings;
use crate::world::World;

/// A try to send a letter: which one, and the how-manieth try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) letter: u32,
    pub(crate) attempt: u32,
}

/// The books.
#[derive(Debug)]
pub(crate) struct Books {
    settings: Settings,
    /// What clients have sent: content and who was accepted at RCPT.
    sent: BTreeMap<Name, Sent>,
    messages: BTreeMap<QueueId, Message>,
    /// Domains with a null MX, and since when.
    null: BTreeMap<String, Timestamp>,
    /// Domains that had one, and until when.
    null_until: BTreeMap<String, Timestamp>,
    destinations: BTreeMap<String, Destination>,
    /// How many things keep the server from its work, since when, and for how long they did in all before.
    hindrances: u32,
    down_since: Timestamp,
    down: Duration,
    violations: Vec<Violation>,
}

#[derive(Debug)]
struct Sent {
    content: Vec<u8>,
    recipients: Vec<String>,
}

/// A message as the spool's counter saw it.
#[derive(Debug)]
struct Message {
    envelope: Envelope,
    content: Vec<u8>,
    /// The spool has said that it is durable.
    durable: bool,
    /// A client was told so.
    acknowledged: bool,
    gone: bool,
    recipients: Vec<Recipient>,
    /// Settlements under way.
    settling: Vec<Vec<Change>>,
    /// What a crash cut off: it may be on disk.
    doubtful: Vec<Change>,
    /// What it reports: queue id, recipient, what.
    reports: Vec<(QueueId, String, facteur_mail::dsn::Action)>,
}

#[derive(Debug)]
struct Recipient {
    address: String,
    /// As it was written down last.
    state: RecipientState,
    taken: Vec<Copy>,
    /// A refusal for good that our side has read, in which life.
    refused: Vec<Copy>,
    /// Reports that were durable, by what they say.
    told: BTreeMap<&'static str, Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    count: u32,
    life: u64,
}

/// Where messages go: who is tried there, and until when nobody may be.
#[derive(Debug, Default)]
struct Destination {
    active: BTreeSet<(QueueId, Vec<usize>)>,
    /// Since when it is left alone, and until when.
    down: Option<(Timestamp, Timestamp)>,
}

impl Books {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            sent: BTreeMap::new(),
            messages: BTreeMap::new(),
            null: BTreeMap::new(),
            null_until: BTreeMap::new(),
            destinations: BTreeMap::new(),
            hindrances: 0,
            down_since: Timestamp::default(),
            down: Duration::ZERO,
            violations: Vec::new(),
        }
    }

    /// The laws that were broken so far.
    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// A law was broken.
    pub(crate) fn broken(&mut self, world: &World, law: Law, what: String, about: Vec<String>) {
        world.note(format_args!("VIOLATION {law:?}: {what}"));
        self.violations.push(Violation {
            law,
            seed: world.seed,
            step: world.steps(),
            at: world.now(),
            what,
            about,
        });
    }

    /// A law about a queued message was broken.
    fn broken_by(&mut self, world: &World, law: Law, id: QueueId, what: &str) {
        let mut about = vec![id.to_string()];
        if let Some(message) = self.messages.get(&id) {
            about.extend(message.recipients.iter().map(|it| it.address.clone()));
        }
        self.broken(world, law, format!("{id}: {what}"), about);
    }

    /// DNS says from now on that a domain takes no mail, or no longer.
    pub(crate) fn null_mx(&mut self, domain: &str, is_null: bool, now: Timestamp) {
        if is_null {
            self.null.entry(domain.to_owned()).or_insert(now);
        } else if self.null.remove(domain).is_some() {
            self.null_until.insert(domain.to_owned(), now);
        }
    }

    /// Whether a domain has had a null MX for so long that nobody can have heard anything else.
    fn is_null_for(&self, domain: &str, time: Duration, now: Timestamp) -> bool {
        let since = self.null.get(domain);
        domain == crate::settings::NULL || since.is_some_and(|since| now.since(*since) > time)
    }

    /// One thing more, or less, keeps the server from its work.
    pub(crate) fn hindered(&mut self, hindered: bool, now: Timestamp) {
        if self.hindrances > 0 {
            self.down += now.since(self.down_since);
        }
        self.down_since = now;
        self.hindrances = if hindered {
            self.hindrances + 1
        } else {
            self.hindrances.saturating_sub(1)
        };
    }

    fn hindered_in_all(&self, now: Timestamp) -> Duration {
        let present = if self.hindrances > 0 {
            now.since(self.down_since)
        } else {
            Duration::ZERO
        };
        self.down + present
    }

    fn recipient(&mut self, id: QueueId, address: &str) -> Option<&mut Recipient> {
        let message = self.messages.get_mut(&id)?;
        message
            .recipients
            .iter_mut()
            .find(|it| it.address == address)
    }
}

impl Name {
    /// `l17t2`, as it stands in addresses and contents.
    pub(crate) fn text(self) -> String {
        format!("l{}t{}", self.letter, self.attempt)
    }

    /// From the end of the local part of an address.
    pub(crate) fn of_address(address: &str) -> Option<Self> {
        let (local, _) = address.split_once('@')?;
        let (_, name) = local.split_once('l')?;
        let (letter, attempt) = name.split_once('t')?;
        Some(Self {
            letter: letter.parse().ok()?,
            attempt: attempt.parse().ok()?,
        })
    }
}
