//! The proof that a message is durable.

use crate::queue_id::QueueId;

/// A message is on disk, flushed. Only a spool makes one, and only this value makes the 250 after the dot.
///
/// It is neither `Clone` nor `Copy`: one message, one receipt.
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    id: QueueId,
}

impl Receipt {
    /// For spools alone, after the flush has succeeded; `cargo xtask tidy` finds any other caller.
    #[must_use]
    pub const fn mint(id: QueueId) -> Self {
        Self { id }
    }

    /// The message's name.
    #[must_use]
    pub const fn id(&self) -> QueueId {
        self.id
    }
}
