//! The Spool trait, the states of a queued message, and the battery every spool must pass.
