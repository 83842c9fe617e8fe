//! The doubles behave as they say: tests rest on them.

#[cfg(test)]
mod conversations;
