//! The commands, one file each. A command gets what was typed and a [`crate::ui::Screen`], and nothing else.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod config;
pub(crate) mod describe;
pub(crate) mod destinations;
pub(crate) mod explain;
pub(crate) mod message;
pub(crate) mod queue;
pub(crate) mod reconfigure;
pub(crate) mod selftest;
pub(crate) mod send;
pub(crate) mod server;
pub(crate) mod spool;
pub(crate) mod status;
pub(crate) mod trace;
