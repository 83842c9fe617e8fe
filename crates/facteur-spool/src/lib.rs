//! The spool: where an accepted message lives until it has reached its end.
//!
//! This crate is the contract: the [`Spool`] trait, the states a message passes through (`STATES.md`), the
//! record formats shared by every spool ([`record`], [`Standing`]), an in-memory fake ([`MemorySpool`]), and the
//! [`battery`] of tests that each implementation must pass.

pub mod battery;
mod error;
mod memory;
pub mod record;
mod spool;
mod standing;

pub use error::{SpoolError, Unsafe};
pub use memory::{MemorySpool, Refusal};
pub use spool::{
    Body, Change, Draft, Leased, Queued, Settled, Spool, SpoolFuture, Waiting, WaitingRecipient,
};
pub use standing::Standing;
