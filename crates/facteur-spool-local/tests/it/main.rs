//! The embedded spool against the battery, against crashes at every step, and against a rotting disk.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "helpers of tests fail by panicking, like tests"
)]

mod full;
mod meanwhile;
mod real;
mod simulated;
mod support;
mod upgrade;
