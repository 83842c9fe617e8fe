//! The real `facteur` from outside: a process, sockets, a disk, a DNS zone and scripted peers around it.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod confinement;
#[cfg(test)]
mod content;
#[cfg(test)]
mod control;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod destinations;
#[cfg(test)]
mod dialogues;
#[cfg(test)]
mod extensions;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http;
#[cfg(test)]
mod instance;
#[cfg(test)]
mod letter;
#[cfg(test)]
mod lmtp;
#[cfg(test)]
mod load;
#[cfg(test)]
mod mailboxes;
#[cfg(test)]
mod null_mx;
#[cfg(test)]
mod queue_verbs;
#[cfg(test)]
mod relaying;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod selftest;
#[cfg(test)]
mod sendmail;
#[cfg(test)]
mod service;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod spool;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod trace;
