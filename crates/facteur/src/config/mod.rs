//! The configuration: one TOML file, every key with a default, every problem shown with line and caret.
//!
//! [`Config`] is what the file means, in typed values; `wiring` hands each crate its part. What keys there are stands in
//! `keys` and, for domains and routes, in `domains`.

mod destinations;
mod domains;
mod keys;
mod problem;
pub(crate) mod schema;
pub(crate) mod secret;
mod section;
mod takes;
mod values;
pub(crate) mod words;
mod written;

use std::path::Path;

use facteur_mail::Domain;
use facteur_replies::{Language, text};
use serde_json::Value;
use toml::de::DeTable;

use crate::args::Instance;
use crate::config::domains::DomainKeys;
use crate::config::problem::{Fault, Problem};
use crate::config::section::Section;
use crate::config::takes::Keys;
use crate::error::{CliError, Kind};

pub(crate) use crate::config::destinations::DestinationKeys;
pub(crate) use crate::config::keys::{Config, Listener, LogKeys, ProcessKeys};
pub(crate) use crate::config::written::{Endpoint, LogFormat, Role};

/// The largest configuration file, in octets.
const MAX_FILE: u64 = 4 << 20;

impl Config {
    /// The configuration of an instance: its file, or the working local server when there is none.
    pub(crate) fn of(
        instance: &Instance,
        language: Language,
        color: bool,
    ) -> Result<Self, CliError> {
        let mut config = match &instance.config {
            Some(path) => Self::load(path, language, color)?,
            None => Self::local(),
        };
        if let Some(data_dir) = &instance.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        if config.domains.is_empty() {
            let local = DomainKeys::below(&config.data_dir);
            config
                .domains
                .extend(local.map(|local| (localhost(), local)));
        }
        Ok(config)
    }

    /// Every key with its value; null for what is not set.
    pub(crate) fn in_force(&self) -> Value {
        Value::Object(self.show())
    }

    /// Without a file: SMTP on 127.0.0.1:2525, `localhost` in Maildirs below `./facteur-data`, and this machine
    /// may send anywhere. The empty file has no problem; its defaults are this configuration.
    #[expect(clippy::expect_used, reason = "a test reads the empty file")]
    fn local() -> Self {
        Self::read("").expect("the empty file has no problem")
    }

    fn load(path: &Path, language: Language, color: bool) -> Result<Self, CliError> {
        let source = read_file(path).map_err(|error| {
            let path = path.display().to_string();
            let words = error.to_string();
            let args = [("path", (&path).into()), ("words", (&words).into())];
            CliError::new(Kind::Config, text(language, "config-cannot-read", &args))
        })?;
        let problems = match Self::read(&source) {
            Ok(config) => return Ok(config),
            Err(problems) => problems,
        };
        let count = u64::try_from(problems.len()).unwrap_or(u64::MAX);
        let shown = problem::render(path, &source, &problems, language, color);
        let path = path.display().to_string();
        let args = [("path", (&path).into()), ("count", count.into())];
        Err(CliError::new(Kind::Config, text(language, "config-problems", &args)).before(shown))
    }

    /// What `source` means, or everything that is wrong with it.
    fn read(source: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let (table, errors) = DeTable::parse_recoverable(source);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            problems.push(Problem {
                span,
                fault: Fault::Syntax {
                    words: error.message().to_owned(),
                },
            });
        }
        let syntax_is_wrong = !problems.is_empty();
        let mut root = Section::root(&table, &mut problems);
        let config = <Self as Keys>::read(&mut root);
        root.finish();
        if syntax_is_wrong {
            // What follows a syntax error is guesswork; only the error itself is worth reading.
            problems.retain(|problem| matches!(problem.fault, Fault::Syntax { .. }));
        }
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        let Some(mut config) = config.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        if config.listen.is_empty() {
            config.listen.push(Listener::local());
        }
        Ok(config)
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut source = String::new();
    let read = std::fs::File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut source)?;
    // Half a file would be another configuration.
    if u64::try_from(read).is_ok_and(|read| read <= MAX_FILE) {
        Ok(source)
    } else {
        Err(std::io::ErrorKind::FileTooLarge.into())
    }
}

/// The machine's name, if it is a domain.
pub(crate) fn system_hostname() -> Option<Domain> {
    Domain::parse(rustix::system::uname().nodename().to_str().ok()?).ok()
}

#[expect(clippy::expect_used, reason = "a literal that a test reads")]
pub(super) fn localhost() -> Domain {
    Domain::parse("localhost").expect("localhost is a domain")
}

#[cfg(test)]
mod manual;

#[cfg(test)]
mod tests;
