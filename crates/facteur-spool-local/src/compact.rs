//! Copying forward: a few old messages that wait for days must not keep whole segments that are otherwise used up.
//!
//! Segments go oldest first, so the log is a ring: when it is longer than twice what is needed and
//! [`SLACK`] segments, the messages left in the oldest segment are copied to the end, a few at a time, each step on
//! the back of a settlement. So every octet is copied at most about once for each octet that comes in.

use std::sync::Arc;

use facteur_mail::QueueId;
use facteur_spool::record::encode_progress;

use crate::disk::wide;
use crate::format::{Kind, RECORD_HEADER};
use crate::queue::{Effect, Pending};
use crate::store::{Store, lock};

/// How many segments the log may be longer than twice what is needed.
const SLACK: u64 = 4;

/// The most messages looked at in one step.
const STEP_MESSAGES: usize = 256;

/// The most octets copied in one step, unless a single message is larger.
const STEP_OCTETS: u64 = 1 << 20;

/// How far copying has come.
#[derive(Default)]
pub(crate) struct Compaction {
    /// The segment that is being emptied.
    victim: Option<u64>,
    /// Messages before this one have been looked at.
    next: u64,
}

impl Store {
    /// Copies a few messages out of the oldest segment if the log has grown too long. True if the caller must call
    /// [`Store::lead`].
    pub(crate) fn compact(self: &Arc<Self>) -> bool {
        let Ok(mut state) = self.compaction.try_lock() else {
            return false;
        };
        let Some(victim) = self.victim() else {
            *state = Compaction::default();
            return false;
        };
        if state.victim != Some(victim) {
            *state = Compaction {
                victim: Some(victim),
                next: 0,
            };
        }
        let (ids, next) = self.in_segment(victim, state.next);
        state.next = next;
        let mut octets = 0;
        let mut lead = false;
        for id in ids {
            match self.copy_forward(id) {
                Some((copied, must_lead)) => {
                    octets += copied;
                    lead |= must_lead;
                }
                None => continue,
            }
            if octets >= STEP_OCTETS {
                state.next = id.number() + 1;
                break;
            }
        }
        lead
    }

    /// The oldest segment, if the log is too long.
    fn victim(&self) -> Option<u64> {
        let total = self.log_octets();
        let live = lock(&self.index).live();
        if total <= live * 2 + SLACK * self.config.segment_size {
            return None;
        }
        lock(&self.segments).keys().next().copied()
    }

    /// Some messages from `from` on that have a record in a segment, and where to go on.
    fn in_segment(&self, serial: u64, from: u64) -> (Vec<QueueId>, u64) {
        let index = lock(&self.index);
        let mut ids = Vec::new();
        let mut looked = 0;
        for (id, entry) in index.from(QueueId::from_number(from)) {
            looked += 1;
            if looked > STEP_MESSAGES {
                return (ids, id.number());
            }
            let here = entry.message.serial == serial
                || entry.chain.iter().any(|place| place.serial == serial);
            if here && !entry.leased && !entry.leaving && entry.in_flight == 0 {
                ids.push(id);
            }
        }
        // Those that were being worked on are looked at again.
        (ids, 0)
    }

    /// Queues a copy of a message and of its progress; returns its octets and whether to lead.
    fn copy_forward(self: &Arc<Self>, id: QueueId) -> Option<(u64, bool)> {
        let (version, place, chain) = {
            let index = lock(&self.index);
            let entry = index.get(id)?;
            (entry.version, entry.message, !entry.chain.is_empty())
        };
        // What cannot be read is found, and set aside, when the message is due.
        let (header, mut payload) = self.read_record(place).ok()?;
        let mut record = vec![0; RECORD_HEADER];
        record.append(&mut payload);
        let mut copy = Pending::new(header.kind, id, record, header.meta, Effect::Copy(id));
        copy.header.octets = header.octets;
        let mut octets = wide(copy.record.len());
        let progress = if chain {
            Some(self.whole_progress(id)?)
        } else {
            None
        };
        let mut index = lock(&self.index);
        let entry = index.get_mut(id)?;
        if entry.version != version || entry.in_flight > 0 || entry.leased || entry.leaving {
            return None;
        }
        let mut lead = self.submit_unwaited(copy).ok()?;
        if let Some(progress) = progress {
            octets += wide(progress.record.len());
            entry.version = entry.version.wrapping_add(1);
            entry.in_flight += 1;
            match self.submit_unwaited(progress) {
                Ok(must_lead) => lead |= must_lead,
                Err(_) => entry.in_flight -= 1,
            }
        }
        Some((octets, lead))
    }

    fn whole_progress(self: &Arc<Self>, id: QueueId) -> Option<Pending> {
        let (_, standing, _) = self.load(id).ok()?;
        let mut record = vec![0; RECORD_HEADER];
        encode_progress(&standing.whole(), &mut record).ok()?;
        Some(Pending::new(
            Kind::Progress,
            id,
            record,
            1,
            Effect::Progress { id, ends: false },
        ))
    }
}
