//! The file of an instance, at the start and again while the server runs.

use std::io;
use std::path::{Path, PathBuf};

use facteur_mail::text::escaped;
use facteur_replies::{Language, text};

use crate::args::Instance;
use crate::config::diff::{Change, changes};
use crate::config::domains::DomainKeys;
use crate::config::problem::{self, Problem};
use crate::config::takes::Keys as _;
use crate::config::{Config, localhost};
use crate::error::{CliError, Kind};
use crate::ui::shown;

/// The largest configuration file, in octets.
pub(super) const MAX_FILE: u64 = 4 << 20;

/// Why a configuration cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is wrong.
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is in it.
        source: String,
        /// What is wrong with that.
        problems: Vec<Problem>,
    },
}

impl Config {
    /// The configuration of an instance: its file, or the working local server when there is none.
    pub(crate) fn of(
        instance: &Instance,
        language: Language,
        color: bool,
    ) -> Result<Self, CliError> {
        let config = Self::written(instance);
        let config = config.map_err(|unusable| unusable.explained(language, color))?;
        Ok(config.completed())
    }

    /// The configuration of an instance whose server runs by `self`, and what is different. What cannot change before the
    /// server starts again is different, and stays as it is.
    pub(crate) fn next(&self, instance: &Instance) -> Result<(Self, Vec<Change>), Unusable> {
        let mut next = Self::written(instance)?;
        let wanted = next.clone().completed();
        let changes = changes(&self.in_force(), &wanted.in_force());
        next.keep(self);
        Ok((next.completed(), changes))
    }

    fn written(instance: &Instance) -> Result<Self, Unusable> {
        let mut config = match &instance.config {
            Some(path) => Self::load(path)?,
            None => Self::local(),
        };
        if let Some(data_dir) = &instance.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        Ok(config)
    }

    /// With the domain that there is where none is named.
    fn completed(mut self) -> Self {
        if self.domains.is_empty() {
            let local = DomainKeys::below(&self.data_dir);
            self.domains.extend(local.map(|local| (localhost(), local)));
        }
        self
    }

    fn load(path: &Path) -> Result<Self, Unusable> {
        let path = path.to_owned();
        let source = match read_file(&path) {
            Ok(source) => source,
            Err(error) => return Err(Unusable::Unreadable { path, error }),
        };
        Self::read(&source).map_err(|problems| Unusable::Wrong {
            path,
            source,
            problems,
        })
    }
}

impl Unusable {
    /// Everything that is wrong, each at its place.
    pub(crate) fn explained(&self, language: Language, color: bool) -> CliError {
        match self {
            Self::Unreadable { path, error } => {
                let path = shown(&path.display().to_string());
                let words = shown(&error.to_string());
                let args = [("path", (&path).into()), ("words", (&words).into())];
                CliError::new(Kind::Config, text(language, "config-cannot-read", &args))
            }
            Self::Wrong {
                path,
                source,
                problems,
            } => {
                let count = u64::try_from(problems.len()).unwrap_or(u64::MAX);
                let details = problem::render(path, source, problems, language, color);
                let path = shown(&path.display().to_string());
                let args = [("path", (&path).into()), ("count", count.into())];
                let error = CliError::new(Kind::Config, text(language, "config-problems", &args));
                error.before(details)
            }
        }
    }

    /// Says in the log what is wrong, a line for each.
    pub(crate) fn log(&self) {
        match self {
            Self::Unreadable { path, error } => {
                let file = escaped(&path.display().to_string()).to_string();
                tracing::error!(file, %error, "the configuration cannot be read");
            }
            Self::Wrong {
                path,
                source,
                problems,
            } => {
                let file = escaped(&path.display().to_string()).to_string();
                for problem in problems {
                    let (what, hint) = problem.fault.words(Language::English);
                    tracing::error!(
                        file,
                        line = problem.line(source),
                        what = %escaped(&what),
                        hint = %escaped(&hint),
                        "the configuration is wrong"
                    );
                }
            }
        }
    }
}

pub(super) fn read_file(path: &Path) -> io::Result<String> {
    use std::io::Read as _;
    let mut source = String::new();
    let read = std::fs::File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut source)?;
    // Half a file would be another configuration.
    if u64::try_from(read).is_ok_and(|read| read <= MAX_FILE) {
        Ok(source)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}
