//! The embedded spool: a segment log with group commit.
