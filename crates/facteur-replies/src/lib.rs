//! The reply catalogue: what Facteur says, what it hears, and what both mean.
//!
//! [`Reply`] is what we say: a row of one table. [`RemoteReply`] is what we hear. Both can be explained in
//! every shipped language, [`explain`] does it for any codes, and [`compare`] puts two side by side. The
//! texts are files that a writer can edit (`catalogue/`). No I/O, no clock.
//!
//! ```
//! use facteur_replies::{Language, Reply, Retry, Topic, compare};
//!
//! let reply = Reply::null_mx("example.org");
//! assert_eq!(reply.to_string(), "556 5.1.10 domain example.org does not accept mail (null MX)");
//! let explanation = reply.explain(Language::French);
//! assert_eq!(explanation.title, "Le domaine n’accepte pas de courrier");
//! assert_eq!(explanation.retry, Retry::No);
//!
//! let topics = Topic::parse("354").zip(Topic::parse("556"));
//! let comparison = topics.map(|(a, b)| compare(&a, &b, Language::English));
//! assert!(comparison.is_some_and(|comparison| !comparison.same_command));
//! ```

mod catalogue;
mod category;
mod code;
mod compare;
mod explain;
mod lang;
mod replies;
mod reply;
mod text;
mod topic;
mod vocabulary;
mod wording;

pub use catalogue::PairText;
pub use code::{Class, Detail, EnhancedCode, ReplyCode};
pub use compare::{Comparison, compare};
pub use explain::{Basis, Explanation, entry, explain, keys};
pub use lang::Language;
pub use replies::{ReplyId, Row};
pub use reply::{MAX_ARGUMENT, MAX_REPLY_LINE, RemoteReply, Reply};
pub use text::{Value, has_text, text};
pub use topic::Topic;
pub use vocabulary::{Actor, Category, Retry, Speaker, Stage};
pub use wording::{Wording, rate_limit_in_words};
