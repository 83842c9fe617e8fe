//! Group commit: everybody who waits shares one flush, and most of them one write.
//!
//! There is no flushing thread. Whoever comes first leads: it writes what has gathered and flushes it in its own
//! thread, blocking it. A thread that slept until there was work would have to be woken, and on a busy
//! machine each wake-up costs 2 to 3 ms where the flush costs 0.1; a flush through a thread pool pays twice.
//! What came in meanwhile is the next batch, led by one of those who wait for it.
//!
//! One thing does not wait for its turn: what happened outside. A remote server's 250 is written at once, also while a
//! flush is under way, and only its flush is shared; a process that is killed in between leaves it to the system,
//! and the message is not sent again. Only who leads makes room, begins segments and flushes, so that no file is
//! ever flushed twice at a time: the kernel tells an error to one of the two only.

use facteur_mail::QueueId;
use facteur_spool::Waiting;

use crate::failure::Failure;
use crate::queue::{Lead, Pending};
use crate::store::{Store, lock, try_lock};
use crate::writer::Writer;

/// What came to its end while the writer was locked, to be told when it no longer is.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) told: Vec<(Pending, Result<(), Failure>)>,
    /// Messages that are queued now.
    pub(crate) news: Vec<Waiting>,
    /// Messages that have gone and whose contents had files of their own.
    pub(crate) gone: Vec<QueueId>,
}

impl Ended {
    fn tell(self, store: &Store) {
        for id in self.gone {
            store.remove_body(id);
        }
        for waiting in self.news {
            store.announce(waiting);
        }
        for (pending, result) in self.told {
            pending.tell(result);
        }
    }
}

impl Store {
    /// Writes one batch and flushes it with what was written before, then hands the lead to one of those who queued
    /// meanwhile. What nobody waits for is written too. Blocks for a write and a flush.
    pub(crate) fn lead(&self) {
        let _whole = WholeOrNothing::begin();
        loop {
            self.with_writer(|writer| {
                let batch = lock(&self.queue).take_batch();
                if !batch.is_empty() {
                    let batch = writer.make_room(self, batch);
                    writer.write(self, batch);
                }
            });
            if let Some(flush) = self.with_writer(|writer| writer.begin_flush()) {
                let result = flush.file.sync();
                self.with_writer(|writer| writer.end_flush(self, &flush, &result));
            }
            self.reclaim();
            if self.hand_over() {
                return;
            }
        }
    }

    /// Writes what must not wait for the flush under way, and what is queued before it, if it fits as things are. Who
    /// holds the writer looks again when it gives it back; what does not fit is for who leads.
    pub(crate) fn write_soon(&self) {
        let _whole = WholeOrNothing::begin();
        while lock(&self.queue).urgent {
            let Some(mut writer) = try_lock(&self.writer) else {
                return;
            };
            let batch = lock(&self.queue).take(writer.room_at_hand());
            if batch.is_empty() {
                return;
            }
            writer.write(self, batch);
            let ended = std::mem::take(&mut writer.ended);
            drop(writer);
            ended.tell(self);
        }
    }

    /// Does something with the writer. What came to its end is told when nobody has to wait for that.
    pub(crate) fn with_writer<T>(&self, work: impl FnOnce(&mut Writer) -> T) -> T {
        let mut writer = lock(&self.writer);
        let done = work(&mut writer);
        let ended = std::mem::take(&mut writer.ended);
        drop(writer);
        ended.tell(self);
        self.write_soon();
        done
    }

    /// Gives up the lead, if nothing is left to do or somebody else has it now.
    fn hand_over(&self) -> bool {
        let (idle, lead) = {
            let writer = lock(&self.writer);
            let mut queue = lock(&self.queue);
            let idle = queue.pending.is_empty() && !writer.has_written();
            queue.leading = !idle;
            queue.batches = queue.batches.wrapping_add(1);
            let lead = writer
                .written()
                .chain(&queue.pending)
                .find_map(Pending::give_lead);
            (idle, lead)
        };
        self.write_soon();
        let given = lead.map(Lead::wake).is_some();
        idle || given
    }
}

/// Held by whoever writes. A bug there leaves memory in doubt, and a lead that nobody gives back: all who wait would
/// wait for ever. So the process ends; what was acknowledged is on disk, and the next start reads it.
struct WholeOrNothing {
    /// A lead that is given back while a connection panics is none of the bugs meant here.
    panicking: bool,
}

impl WholeOrNothing {
    fn begin() -> Self {
        Self {
            panicking: std::thread::panicking(),
        }
    }
}

impl Drop for WholeOrNothing {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.panicking {
            std::process::abort();
        }
    }
}
