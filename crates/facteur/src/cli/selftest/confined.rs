//! Confinement: a thread that is held to one folder tries what the server could never do.

use crate::cli::selftest::report::Report;
use crate::cli::selftest::scratch::Scratch;
use crate::error::CliError;
use crate::process::trial::{self, Trial, Words};

/// The option with which this program would be started.
pub(super) const STARTED: &str = "--program-was-started";

pub(super) fn check(scratch: &Scratch, report: &mut Report<'_>) -> Result<(), CliError> {
    let inside = scratch.folder("inside")?;
    let outside = scratch.folder("outside")?;
    let words = Words {
        unsupported: report.screen().text("selftest-no-landlock", &[]),
        possible: report.screen().text("selftest-possible", &[]),
    };
    let Trial {
        write,
        connect,
        listen,
        execute,
    } = trial::run(&inside, &outside, &["facteur", "selftest", STARTED], &words);
    report.note("confined:write", "selftest-confined-write", &[], write)?;
    report.note(
        "confined:connect",
        "selftest-confined-connect",
        &[],
        connect,
    )?;
    report.note("confined:listen", "selftest-confined-listen", &[], listen)?;
    report.note(
        "confined:execute",
        "selftest-confined-execute",
        &[],
        execute,
    )
}
