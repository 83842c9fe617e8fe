//! The control socket: how the command line asks the server that runs to do something, and hears what came of it.
//!
//! A Unix socket in the data directory, mode 0600. Whoever connects must be root or the server's own user; then each
//! line is a request, answered by lines of which the last one says that it is the last. [`protocol`] has all that can be
//! asked and answered: a new verb is a variant there and an arm in [`levers`].
//!
//! A peer that is silent, sends garbage or does not read is left at a deadline. It costs a task and a bounded buffer, and
//! nobody else waits for it.

mod answers;
pub(crate) mod client;
pub(crate) mod levers;
mod peer;
pub(crate) mod protocol;
mod reader;
mod server;
mod socket;

use std::path::{Path, PathBuf};

pub(crate) use answers::{Answers, Stop};
pub(crate) use levers::Levers;
pub(crate) use peer::Peer;
pub(crate) use server::Control;
pub(crate) use socket::Socket;

/// Where the socket of an instance is.
pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

#[cfg(test)]
mod tests;
