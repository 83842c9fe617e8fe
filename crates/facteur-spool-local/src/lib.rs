//! The embedded spool: a segment log with group commit, the files of one machine.
//!
//! A message of up to 256 KiB is one record of the log, a larger one a file and a small record. All who
//! wait for a commit at the same moment share one write and one flush. What lies where, and what a crash
//! leaves of it, is written in `STATES.md` of `facteur-spool`.

mod body;
mod commit;
mod compact;
mod config;
mod disk;
mod draft;
mod export;
mod failure;
mod format;
mod index;
mod paths;
mod queue;
mod reader;
mod recover;
mod report;
mod room;
mod scan;
mod spool;
mod store;
mod writer;

pub use config::Config;
pub use disk::{Disk, DiskFile, Filesystem, RealDisk, Space};
pub use reader::{Exported, Reader};
pub use report::{Damage, DamageReason, Health, RecoveryReport};
pub use spool::LocalSpool;
