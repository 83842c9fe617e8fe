//! Where each recipient of one message stands, worked out from the records of its progress.

use std::collections::BTreeSet;

use facteur_mail::{Progress, RecipientState, RetryReason, Timestamp};

use crate::record::ProgressRecord;
use crate::spool::Change;

/// The state of every recipient, and who is being tried at this moment.
///
/// For spools: a message's first state and its progress records in their order make this value, and only it
/// knows what they mean together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    progress: Progress,
    attempting: BTreeSet<usize>,
    first_try: Timestamp,
}

impl Standing {
    /// A message that has just been accepted.
    #[must_use]
    pub fn new(recipients: usize, first_try: Timestamp) -> Self {
        Self {
            progress: vec![RecipientState::new(first_try); recipients],
            attempting: BTreeSet::new(),
            first_try,
        }
    }

    /// What has become of each recipient.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.progress.iter().all(RecipientState::is_settled)
    }

    /// Adds a record's news. Recipients that the message does not have are passed over.
    pub fn apply(&mut self, record: ProgressRecord) {
        if record.whole {
            *self = Self::new(self.progress.len(), self.first_try);
        }
        self.change(record.changes);
        self.begin(&record.attempting);
    }

    /// Sets new states; their attempts are over.
    pub fn change(&mut self, changes: Vec<Change>) {
        for Change { recipient, state } in changes {
            if let Some(place) = self.progress.get_mut(recipient) {
                *place = state;
                self.attempting.remove(&recipient);
            }
        }
    }

    /// Notes that attempts for these recipients begin.
    pub fn begin(&mut self, recipients: &[usize]) {
        let known = self.progress.len();
        self.attempting
            .extend(recipients.iter().filter(|index| **index < known));
    }

    /// What is true when the records have been read and nobody works on the message: an attempt that
    /// began and has no outcome was interrupted, and may have delivered the message.
    #[must_use]
    pub fn interrupted(mut self) -> Self {
        for index in std::mem::take(&mut self.attempting) {
            if let Some(state) = self.progress.get_mut(index) {
                interrupt(state);
            }
        }
        self
    }

    /// Takes every recipient that is not settled for one that was being tried: a record of it was lost.
    pub fn doubt_all(&mut self) {
        let unsettled = self.progress.iter().enumerate();
        self.attempting.extend(
            unsettled
                .filter(|(_, state)| !state.is_settled())
                .map(|(index, _)| index),
        );
    }

    /// All of it as one record, which can stand for every record before it.
    #[must_use]
    pub fn whole(&self) -> ProgressRecord {
        let states = self.progress.iter().cloned().enumerate();
        ProgressRecord {
            whole: true,
            changes: states
                .map(|(recipient, state)| Change { recipient, state })
                .collect(),
            attempting: self.attempting.iter().copied().collect(),
        }
    }
}

/// What an attempt that has no outcome leaves. A held recipient is only tried once its hold is over; one that is held
/// for good stays so, whatever record of it was lost.
fn interrupt(state: &mut RecipientState) {
    match state {
        RecipientState::Waiting { reason, .. } => *reason = RetryReason::Interrupted,
        RecipientState::Held {
            hold,
            attempts,
            last,
            delay_reported,
        } => {
            if let Some(until) = hold.until {
                *state = RecipientState::Waiting {
                    next_at: until,
                    attempts: *attempts,
                    reason: RetryReason::Interrupted,
                    last: last.take(),
                    delay_reported: *delay_reported,
                };
            }
        }
        RecipientState::Delivered { .. } | RecipientState::Failed { .. } => {}
    }
}
