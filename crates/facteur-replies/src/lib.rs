//! The reply catalogue: what Facteur says, what it hears, and what both mean.
//!
//! [`Reply`] is what we say: a row of one table. [`RemoteReply`] is what we hear. No I/O, no clock.

mod catalogue;
mod code;
mod compare;
mod explain;
mod lang;
mod replies;
mod reply;
mod text;
mod topic;
mod vocabulary;

pub use catalogue::PairText;
pub use code::{Class, Detail, EnhancedCode, ReplyCode};
pub use compare::{Comparison, compare};
pub use explain::{Basis, Explanation, entry, explain, keys};
pub use lang::Language;
pub use replies::{ReplyId, Row};
pub use reply::{MAX_ARGUMENT, MAX_REPLY_LINE, RemoteReply, Reply};
pub use text::{Value, has_text, isolated_text, text};
pub use topic::Topic;
pub use vocabulary::{Actor, Category, Retry, Speaker, Stage};
