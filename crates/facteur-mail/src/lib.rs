//! The nouns of mail: addresses and domains, envelopes, queue ids, attempts, what became of each recipient, and what
//! happened to a message.
//!
//! Plain values without I/O. Everything that parses hostile text does so here or in `facteur-smtp`, once.

mod address;
mod attempt;
mod date;
mod domain;
pub mod dsn;
mod envelope;
pub mod environment;
pub mod event;
mod message_id;
mod pace;
mod progress;
mod queue_id;
mod receipt;
mod received;
pub mod text;
pub mod transcript;

pub use address::{Address, AddressError, Host, LocalPart, MAX_LOCAL_PART, MAX_PATH};
pub use attempt::{Attempt, RemoteHost, Said, Stage};
pub use date::{IsoDate, MachineDate, MailDate};
pub use domain::{Domain, DomainError, MAX_DOMAIN};
pub use envelope::{
    BodyType, Client, EnvId, Envelope, Notify, Orcpt, Protocol, Recipient, Ret, ReversePath,
};
pub use environment::{Clock, Random, Timestamp};
pub use event::{Event, Observer, Observers};
pub use message_id::MessageIdFinder;
pub use pace::{Pace, Tally};
pub use progress::{Delivery, Hold, MAX_REASON, Progress, RecipientState, Report, RetryReason};
pub use queue_id::QueueId;
pub use receipt::Receipt;
pub use received::{Hops, Received};
pub use transcript::Transcript;
