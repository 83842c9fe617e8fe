//! The SMTP protocol without I/O: syntax, server session, client session.
//!
//! A session is fed with what was received and says, action by action, what to do next. It has no socket and no
//! clock: a driver (`facteur-server`, `facteur-delivery`) performs the actions.

pub mod client;
pub mod extensions;
pub mod limits;
pub mod server;
pub mod syntax;
mod wire;
