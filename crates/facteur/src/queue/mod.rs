//! Acting on the queue: which messages, what is done to them, and how a million of them are gone through without
//! disturbing anybody.
//!
//! The same code works for the server that runs, asked through the control socket, and for a command that has the spool
//! to itself because none runs.

mod deed;
mod filter;
mod operator;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use filter::{BadFilter, Filter, FilterSpec};
pub(crate) use operator::{Announced, Dispatch, Operator};
pub(crate) use request::{
    Act, Acted, ActedRecipient, MAX_IDS, Outcome, QueueRequest, RecipientDeed,
};
