//! The embedded spool against the battery, against crashes at every step, and against a rotting disk.

mod real;
mod sim;
mod simulated;
mod support;
