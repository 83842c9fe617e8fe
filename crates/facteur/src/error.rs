//! Errors of the command line: a kind that decides the exit code, a sentence, and what to do about it.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// What went wrong, for the exit code. The numbers are a contract: see the manual, "Exit codes".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The question was answered, and the answer is no: a refused message, a domain that takes no mail.
    Negative,
    /// The command line makes no sense. The number is clap's.
    Usage,
    /// The configuration cannot be used.
    Config,
    /// The system said no: a file, a socket, a name server.
    System,
    /// The spool is owned by another process, damaged, or cannot be read.
    Spool,
    /// No such message, code or key.
    NotFound,
    /// No server runs, or it does not answer as one should.
    NotRunning,
    /// The reader of our output went away (`facteur … | head`): no error at all.
    ReaderGone,
}

impl Kind {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::System => 4,
            Self::Spool => 5,
            Self::NotFound => 6,
            Self::NotRunning => 7,
            Self::ReaderGone => 0,
        }
    }
}

/// An error as the user meets it.
#[derive(Debug)]
pub(crate) struct CliError {
    /// Decides the exit code.
    pub(crate) kind: Kind,
    /// One sentence in the user's language; empty if everything has been said already, or nobody listens.
    pub(crate) message: String,
    /// What to do, a sentence each.
    pub(crate) hints: Vec<String>,
    /// Lines to show before the sentence, ready to print: the places in a file.
    pub(crate) details: String,
}

impl CliError {
    /// An error with its sentence.
    pub(crate) const fn new(kind: Kind, message: String) -> Self {
        Self {
            kind,
            message,
            hints: Vec::new(),
            details: String::new(),
        }
    }

    /// An error whose words have already been shown.
    pub(crate) const fn said(kind: Kind) -> Self {
        Self::new(kind, String::new())
    }

    /// Adds what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: String) -> Self {
        self.hints.push(hint);
        self
    }

    /// Adds lines to show before the sentence.
    #[must_use]
    pub(crate) fn before(mut self, details: String) -> Self {
        self.details = details;
        self
    }

    /// The exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.code())
    }
}

/// For writing the answer: the only I/O whose errors need no path to be understood.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::said(Kind::ReaderGone);
        }
        Self::new(Kind::System, error.to_string())
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}
