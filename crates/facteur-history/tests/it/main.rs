//! The history over a real file: what is told is read back, what is old goes, and nothing that happens to the file
//! stops whoever tells.

#[cfg(test)]
mod failing;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod octets;
#[cfg(test)]
mod support;
