//! Octets: the input buffer, command lines, and the two ways in which content travels.

pub(crate) mod dot;
pub(crate) mod input;
pub(crate) mod lines;
pub(crate) mod newlines;
