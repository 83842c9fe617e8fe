//! Delivery from the spool to the last report, with a spool in memory, a zone of DNS, a scripted remote and a clock
//! that stands still.

#[cfg(test)]
mod events;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod office;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod trouble;
