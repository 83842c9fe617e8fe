//! The reply catalogue: what Facteur says, what it hears, and what both mean.
//!
//! [`Reply`] is what we say: a row of one table. [`RemoteReply`] is what we hear. No I/O, no clock.

mod code;
mod lang;
mod replies;
mod reply;

pub use code::{Class, Detail, EnhancedCode, ReplyCode};
pub use lang::Language;
pub use replies::{ReplyId, Row};
pub use reply::{MAX_ARGUMENT, MAX_REPLY_LINE, RemoteReply, Reply};
