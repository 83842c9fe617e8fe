//! The client's side of SMTP and LMTP, without I/O: bytes in, actions out.
//!
//! ```text
//! loop {
//!     match session.next_action() {
//!         Action::Write { bytes, waiting } => write all of it, or session.write_failed(), read on, session.lost(…)
//!         Action::Read { waiting, reply } => session.receive(bytes), or session.lost(…)
//!         Action::NeedContent => session.content(piece), and session.content_ends() with the last one
//!         Action::Outcome(outcome) => keep it
//!         Action::Failed { .. } => try another host
//!         Action::Unusual { .. } => log it
//!         Action::Idle => session.send(&message), or park the connection, or session.quit()
//!         Action::Close => break
//!     }
//! }
//! ```
//!
//! What the remote did not offer is never sent. A message that needs it gets its verdict here, before MAIL, in our own
//! words; [`Session::wants_facts`] tells whether reading the content could show that it is not needed after all, or
//! that it may go by BDAT.
//!
//! Replies are counted, never matched by their text, and only the first digit decides (RFC 5321 §4.2), with two
//! exceptions that the RFC makes: 421 concerns the connection (§3.8), and "too many recipients" the transaction
//! (§4.5.3.1.10). The message itself leaves only after 354, or as a BDAT chunk after an accepted RCPT. Until the reply to
//! the final dot has come, nothing is delivered: a connection that ends before counts as 451.

mod action;
mod config;
mod extensions;
mod facts;
mod limits;
mod message;
mod session;
mod state;
mod stuffing;
#[cfg(test)]
mod tests;

pub use action::{About, Action, RecipientOutcome};
pub use config::{Config, Dialect, Lost};
pub use extensions::Extensions;
pub use facts::{Facts, Inspection, MAX_TEXT_LINE};
pub use limits::{
    MAX_GROUP, MAX_GROUP_OCTETS, MAX_HEARD, MAX_HEARD_PER_RECIPIENT, Timeouts, Waiting,
};
pub use message::Message;
pub use session::Session;
pub use stuffing::Stuffing;
