//! The configuration: one TOML file, every key with a default, every problem shown with line and caret.
//!
//! [`Config`] is what the file means, in typed values; `wiring` hands each crate its part. What keys there are stands in
//! `keys` and, for domains and routes, in `domains`.

mod destinations;
pub(crate) mod diff;
mod domains;
mod file;
mod keys;
mod problem;
pub(crate) mod schema;
pub(crate) mod secret;
mod section;
mod sources;
pub(crate) mod takes;
pub(crate) mod values;
pub(crate) mod words;
mod written;

use facteur_mail::Domain;
use serde_json::Value;
use toml::de::DeTable;

use crate::config::problem::{Fault, Problem};
use crate::config::section::Section;
use crate::config::takes::Keys;

pub(crate) use crate::config::destinations::{DestinationKeys, limits_json, read_limits};
pub(crate) use crate::config::domains::RouteKeys;
pub(crate) use crate::config::file::Unusable;
pub(crate) use crate::config::keys::{Config, Listener, LogKeys, ProcessKeys};
pub(crate) use crate::config::sources::SourceKeys;
pub(crate) use crate::config::takes::Effect;
pub(crate) use crate::config::written::{Endpoint, LogFormat, Role};

impl Config {
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
