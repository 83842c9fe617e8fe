//! Facteur, the mail server that explains itself.
fn main() {}
