//! Scripted peers and clients, DNS zones in the process, a disk that crashes, a manual clock and seeded randomness: for
//! tests only.

mod client;
mod clock;
pub mod dialogue;
mod disk;
mod dns_server;
pub mod hostile;
mod peer;
mod random;
mod script;
mod zone;

pub use client::{Client, ClientReply};
pub use clock::ManualClock;
pub use disk::{DiskFault, SimDisk};
pub use dns_server::DnsServer;
pub use peer::{Peer, Received};
pub use random::SeededRandom;
pub use script::{Act, Script};
pub use zone::{DEFAULT_TTL, Fault, Kind, NEGATIVE_TTL, Zone};
