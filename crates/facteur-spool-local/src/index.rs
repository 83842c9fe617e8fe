//! What is queued and where its records lie: the only thing that grows with the queue in memory, about 150 octets
//! a message. Envelopes and contents stay on disk.

use std::collections::BTreeMap;

use facteur_mail::QueueId;
use facteur_spool::Standing;

/// A record's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) serial: u64,
    pub(crate) offset: u32,
    /// The whole record, header and padding included.
    pub(crate) octets: u32,
}

/// One queued message.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: Place,
    /// Octets of its envelope in the record.
    pub(crate) meta: u32,
    /// Whether its content is in a file of its own.
    pub(crate) large: bool,
    /// Octets of its content.
    pub(crate) octets: u64,
    /// Its progress records, oldest first: the first may be a whole one, the others add to it.
    pub(crate) chain: Vec<Place>,
    /// Octets of the last whole progress record, and of those written since.
    pub(crate) whole: u32,
    pub(crate) since: u32,
    /// Counts the progress records that were handed to the log.
    pub(crate) version: u32,
    /// How many of them the log has not written yet.
    pub(crate) in_flight: u32,
    pub(crate) leased: bool,
    /// Its last record has been handed to the log.
    pub(crate) leaving: bool,
    /// A record of its progress was lost: it may have been delivered to any recipient.
    pub(crate) doubtful: bool,
    /// Where its recipients stand, records in flight included; only while it is worked on.
    pub(crate) work: Option<Box<Standing>>,
}

impl Entry {
    pub(crate) const fn new(message: Place, meta: u32, large: bool, octets: u64) -> Self {
        Self {
            message,
            meta,
            large,
            octets,
            chain: Vec::new(),
            whole: 0,
            since: 0,
            version: 0,
            in_flight: 0,
            leased: false,
            leaving: false,
            doubtful: false,
            work: None,
        }
    }

    /// Octets of content in the record itself.
    pub(crate) const fn inline(&self) -> u64 {
        if self.large {
            LARGE_PREFIX
        } else {
            self.octets
        }
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.message).chain(&self.chain)
    }
}

/// What stands before the envelope in the record of a large message: the checksum of its file.
pub(crate) const LARGE_PREFIX: u64 = 4;

/// Every queued message, and how many octets of each segment are still needed.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: BTreeMap<QueueId, Entry>,
    live: BTreeMap<u64, u64>,
}

impl Index {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The last of them.
    pub(crate) fn newest(&self) -> Option<QueueId> {
        self.entries.last_key_value().map(|(id, _)| *id)
    }

    pub(crate) fn get(&self, id: QueueId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: QueueId) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    /// The queued messages from an id on.
    pub(crate) fn from(&self, id: QueueId) -> impl Iterator<Item = (QueueId, &Entry)> {
        self.entries.range(id..).map(|(id, entry)| (*id, entry))
    }

    /// A message, new or copied to another place; a copy keeps its progress.
    pub(crate) fn insert(&mut self, id: QueueId, new: Entry) {
        self.add(new.message);
        if let Some(entry) = self.entries.get_mut(&id) {
            let old = std::mem::replace(&mut entry.message, new.message);
            entry.meta = new.meta;
            self.subtract(old);
        } else {
            self.entries.insert(id, new);
        }
    }

    /// A progress record that has been written. Without its message it is of no use.
    pub(crate) fn progress(&mut self, id: QueueId, place: Place, whole: bool) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.in_flight = entry.in_flight.saturating_sub(1);
        let dropped = if whole {
            entry.whole = place.octets;
            entry.since = 0;
            entry.doubtful = false;
            std::mem::take(&mut entry.chain)
        } else {
            entry.since = entry.since.saturating_add(place.octets);
            Vec::new()
        };
        entry.chain.push(place);
        if entry.in_flight == 0 && !entry.leased {
            entry.work = None;
        }
        self.add(place);
        for old in dropped {
            self.subtract(old);
        }
    }

    /// A record of progress that was not written, as there was no room. If `forget`, what it said is not known either.
    pub(crate) fn not_written(&mut self, id: QueueId, forget: bool) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.in_flight = entry.in_flight.saturating_sub(1);
        if entry.in_flight == 0 && (forget || !entry.leased) {
            entry.work = None;
        }
    }

    /// A record of a message's progress was lost, if `lost`.
    pub(crate) fn doubt(&mut self, id: QueueId, lost: bool) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.doubtful |= lost;
        }
    }

    /// Takes a message out.
    pub(crate) fn remove(&mut self, id: QueueId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        for place in entry.places() {
            self.subtract(*place);
        }
        Some(entry)
    }

    /// Forgets progress records that a failed segment may not hold.
    pub(crate) fn forget(&mut self, id: QueueId, place: Place) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if let Some(at) = entry.chain.iter().position(|found| *found == place) {
            entry.chain.remove(at);
            self.subtract(place);
        }
    }

    /// Octets of a segment that are still needed.
    pub(crate) fn live_in(&self, serial: u64) -> u64 {
        self.live.get(&serial).copied().unwrap_or_default()
    }

    /// Octets of the log that are still needed.
    pub(crate) fn live(&self) -> u64 {
        self.live.values().sum()
    }

    fn add(&mut self, place: Place) {
        *self.live.entry(place.serial).or_default() += u64::from(place.octets);
    }

    fn subtract(&mut self, place: Place) {
        if let Some(live) = self.live.get_mut(&place.serial) {
            *live = live.saturating_sub(u64::from(place.octets));
            if *live == 0 {
                self.live.remove(&place.serial);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queued_message_takes_less_than_two_hundred_octets() {
        // The map's nodes are two thirds full, or better.
        let each = size_of::<QueueId>() + size_of::<Entry>();
        assert!(each * 3 / 2 <= 200, "{each}");
    }

    #[test]
    fn what_is_needed_of_a_segment_follows_every_move() {
        let place = |serial, octets| Place {
            serial,
            offset: 4_096,
            octets,
        };
        let id = QueueId::from_number(1);
        let mut index = Index::default();
        index.insert(id, Entry::new(place(1, 1_000), 200, false, 700));
        index.progress(id, place(1, 100), false);
        index.progress(id, place(2, 100), false);
        assert_eq!((index.live_in(1), index.live_in(2)), (1_100, 100));
        index.progress(id, place(2, 150), true);
        assert_eq!((index.live_in(1), index.live_in(2)), (1_000, 150));
        index.insert(id, Entry::new(place(3, 1_000), 200, false, 700));
        assert_eq!((index.live_in(1), index.live_in(3)), (0, 1_000));
        assert!(index.remove(id).is_some());
        assert_eq!(index.live(), 0);
    }
}
