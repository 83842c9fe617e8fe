//! The spool: where an accepted message lives until it has reached its end.
//!
//! This crate is the contract: the [`Spool`] trait, the states a message passes through (`STATES.md`), the
//! record formats shared by every spool, an in-memory fake, and the battery of tests that each
//! implementation must pass.

mod error;
mod spool;

pub use error::SpoolError;
pub use spool::{
    Body, Change, Draft, Leased, Queued, Settled, Spool, SpoolFuture, Waiting, WaitingRecipient,
};
