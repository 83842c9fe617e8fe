//! Why a command of ours stopped. Each says what to look at; nothing is retried.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The first thing that went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A program ran and said no; its own output stands above.
    Program {
        /// As one would type it.
        line: String,
    },
    /// A program could not be started.
    Start {
        /// As one would type it.
        line: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder could not be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `tidy` found something; the findings stand above.
    Untidy {
        /// How many.
        findings: usize,
    },
    /// Tools for the conversations are missing, and may not be.
    Missing {
        /// Their names.
        tools: Vec<String>,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { line } => write!(f, "`{line}` failed"),
            Self::Start { line, source } => write!(f, "`{line}` cannot be started: {source}"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Untidy { findings } => write!(f, "tidy: {findings} to mend"),
            Self::Missing { tools } => write!(
                f,
                "missing: {}\nhint: run as root on Debian, or install them; with CI set nothing is skipped",
                tools.join(", ")
            ),
        }
    }
}
