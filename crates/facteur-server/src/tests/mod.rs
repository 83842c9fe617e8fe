//! Whole connections over streams in memory, with a spool in memory, a resolver that knows a few names, and a
//! clock that a test moves.

mod connections;
mod events;
mod house;
mod patience;
mod reload;
mod rules;
mod sockets;
