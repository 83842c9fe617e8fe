//! `facteur selftest`: shows on the operator's machine, with their limits, what the project promises of every one.
//!
//! Each check tries a thing from outside, in a scratch folder beside the spool and on loopback; nothing of the operator's
//! is touched, nobody else is asked. A line a check, in words; the exit code is 1 if one failed.

mod confined;
mod dns;
mod durability;
mod house;
mod relaying;
mod replies;
mod report;
mod scratch;
mod smuggling;
mod talk;

use crate::args::Instance;
use crate::cli::selftest::report::Report;
use crate::cli::selftest::scratch::Scratch;
use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone};

/// Checks everything.
pub(crate) fn run(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    let scratch = Scratch::beside(&config.data_dir, screen)?;
    let mut report = Report::new(screen);
    replies::check(&mut report)?;
    dns::check(&config, &scratch, &mut report)?;
    smuggling::check(&config, &scratch, &mut report)?;
    relaying::check(&config, &scratch, &mut report)?;
    durability::check(&scratch, &mut report)?;
    // Last: should a program be started after all, it takes the place of this one.
    confined::check(&scratch, &mut report)?;
    report.end()
}

/// What this program does if [`confined`] could start it: it says so.
pub(crate) fn started(screen: &mut Screen) -> Result<(), CliError> {
    let words = screen.text("selftest-started", &[]);
    screen.line(Tone::Bad, &words)?;
    Err(CliError::said(Kind::Negative))
}
