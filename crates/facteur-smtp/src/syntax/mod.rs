//! What is said: commands and their parameters, and replies.

pub mod command;
mod params;
mod path;
pub mod reply;
mod xtext;

pub use command::{Command, Forward, Greeting, MailFrom, RcptTo};
pub use xtext::encode as encode_xtext;
