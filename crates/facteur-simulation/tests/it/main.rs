//! Histories of the whole server.

mod histories;
