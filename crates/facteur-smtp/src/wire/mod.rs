//! Octets: the input buffer, command lines, and the two ways in which content travels.

pub mod dot;
pub mod input;
pub mod lines;
pub mod newlines;
