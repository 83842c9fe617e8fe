//! The server's side: what a client may say when, and what it is answered.
//!
//! [`Session`] is the way in; [`Action`] and [`Question`] are what comes out.
//!
//! The states are in `state.rs`. A question is a state of its own, a pause, so that pipelined commands cannot
//! overtake it. STARTTLS and AUTH will be such pauses; until then both are answered with 502.

mod action;
mod commands;
mod config;
mod content;
mod session;
mod state;

pub use action::{Action, Expecting, Question, Transaction};
pub use config::{BareNewlines, Config, Role};
pub use session::Session;
