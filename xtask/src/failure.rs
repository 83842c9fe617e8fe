//! Why a command of ours stopped. Each says what to look at; nothing is retried.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

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
    /// A word behind `bench` that it does not know.
    Argument {
        /// The word, or the one that lacks a value.
        word: String,
    },
    /// A server did not greet.
    NoBanner {
        /// Where it was to listen.
        port: u16,
        /// How long it was waited for.
        limit: Duration,
    },
    /// A server did not hand on all that it was given.
    Undelivered {
        /// Its name.
        server: &'static str,
    },
    /// A line of the benchmark's data is no row.
    Row {
        /// The file.
        file: &'static str,
        /// The line.
        line: usize,
    },
    /// A page has no place for what the benchmark found.
    NoMarkers {
        /// The file.
        path: &'static str,
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
            Self::Argument { word } => write!(f, "bench does not know, or wants a value: {word}"),
            Self::NoBanner { port, limit } => {
                write!(f, "nobody greets on 127.0.0.1:{port} after {limit:?}")
            }
            Self::Undelivered { server } => write!(f, "{server} did not hand on all in time"),
            Self::Row { file, line } => write!(f, "{file}:{line}: not a row"),
            Self::NoMarkers { path } => write!(f, "{path} has no <!-- bench --> markers"),
        }
    }
}
