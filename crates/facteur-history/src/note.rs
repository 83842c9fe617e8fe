//! An event on its way to the database: encoded where it happened, so that the writer only writes.

use facteur_mail::event::Accepted;
use facteur_mail::{Event, QueueId, Timestamp};

use crate::encode;

/// The most recipients of one message by whose addresses it can be found.
pub const MAX_NAMES: usize = 2_000;

/// What the writer is given.
#[derive(Debug)]
pub(crate) enum Note {
    /// Something that happened to a message.
    Entry {
        id: QueueId,
        at: Timestamp,
        names: Vec<Name>,
        entry: Vec<u8>,
    },
    /// A refusal.
    Refusal {
        at: Timestamp,
        names: Vec<Name>,
        entry: Vec<u8>,
    },
    /// Nothing: the writer is to look up.
    Wake,
}

/// A name by which something can be found: an address or a Message-ID, whatever its case, as a number. Two names may
/// have one number; what is found is compared with what was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(pub(crate) u64);

impl Name {
    /// FNV-1a over the lower case: the same on every machine and in every version.
    pub(crate) fn of(text: &str) -> Self {
        let mut number: u64 = 0xcbf2_9ce4_8422_2325;
        let mut add = |octet: u8| {
            number = (number ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        };
        let mut buffer = [0; 4];
        for c in text.chars().flat_map(char::to_lowercase) {
            c.encode_utf8(&mut buffer).bytes().for_each(&mut add);
        }
        Self(number)
    }
}

impl Note {
    /// The notes of an event: none, one, or one for each message that it is about.
    pub(crate) fn each(event: &Event<'_>, mut take: impl FnMut(Self)) {
        let mut entry = |id, at, names, entry| {
            take(Self::Entry {
                id,
                at,
                names,
                entry,
            });
        };
        match event {
            Event::Accepted(it) => entry(it.id, it.at, names_of(it), encode::accepted(it)),
            Event::Tried(it) => entry(it.id, it.at, Vec::new(), encode::tried(it)),
            Event::Reported(it) => {
                entry(it.about, it.at, Vec::new(), encode::reported(it));
                let about = encode::report_about(it.about, it.at);
                entry(it.id, it.at, Vec::new(), about);
            }
            Event::NotReported(it) => {
                entry(it.about, it.at, Vec::new(), encode::not_reported(it));
            }
            Event::Operated(it) => entry(it.id, it.at, Vec::new(), encode::operated(it)),
            Event::Ended { id, at } => entry(*id, *at, Vec::new(), encode::ended(*at)),
            Event::Refused(it) => {
                let sender = it.sender.and_then(|sender| sender.address());
                let addresses = sender.into_iter().chain(it.recipient);
                take(Self::Refusal {
                    at: it.at,
                    names: addresses
                        .map(|address| Name::of(&address.to_string()))
                        .collect(),
                    entry: encode::refused(it),
                });
            }
            _ => {}
        }
    }

    /// The memory that it takes, about.
    pub(crate) const fn octets(&self) -> usize {
        match self {
            Self::Entry { names, entry, .. } | Self::Refusal { names, entry, .. } => {
                size_of::<Self>() + entry.capacity() + names.capacity() * size_of::<Name>()
            }
            Self::Wake => size_of::<Self>(),
        }
    }
}

/// The names by which a message is found, each once.
fn names_of(accepted: &Accepted<'_>) -> Vec<Name> {
    let envelope = accepted.envelope;
    let mut names = Vec::with_capacity(envelope.recipients.len().min(MAX_NAMES) + 2);
    names.extend(accepted.message_id.map(Name::of));
    let sender = envelope.sender.address();
    names.extend(sender.map(|sender| Name::of(&sender.to_string())));
    for recipient in envelope.recipients.iter().take(MAX_NAMES) {
        names.push(Name::of(&recipient.address.to_string()));
        // Who writes to an alias looks for the alias.
        let known_as = recipient.orcpt.as_ref();
        names.extend(known_as.map(|orcpt| Name::of(&orcpt.address)));
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_whatever_its_case_and_for_ever() {
        assert_eq!(Name::of("Bob@Example.ORG"), Name::of("bob@example.org"));
        assert_eq!(Name::of("É@x.test"), Name::of("é@x.test"));
        assert_ne!(Name::of("bob@example.org"), Name::of("bob@example.com"));
        assert_eq!(Name::of("a"), Name(0xaf63_dc4c_8601_ec8c));
    }
}
