//! Peers that mean no good, or know no better: servers that a delivery may meet, and clients that a listener may get. Each has a
//! name that says what it does, and what a good implementation makes of it.

mod clients;
mod remotes;

pub use clients::{End, HostileClient, Step, clients};
pub use remotes::{Fate, HostileRemote, remotes};
