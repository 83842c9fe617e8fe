//! The log: text for people or JSON for machines on standard error, or the journal of systemd.

use std::fmt;
use std::io::Stderr;

use tracing_subscriber::fmt::format::{DefaultFields, FmtSpan, Format, Full};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, reload};

use crate::config::{LogFormat, LogKeys};

/// The variable that overrides `[log] level`, part by part: `FACTEUR_LOG=facteur_server=debug`.
const FILTER: &str = "FACTEUR_LOG";

/// Changes the level of the log while it is written.
pub(crate) struct Level(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl Level {
    /// From now on as `keys` say, unless the environment overrides them.
    pub(crate) fn set(&self, keys: &LogKeys) {
        (self.0)(filter(keys));
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Level")
    }
}

/// What the journal's fields begin with that are ours: `FACTEUR_ID`, `FACTEUR_EXPLAIN`.
const JOURNAL_PREFIX: &str = "FACTEUR";

/// Starts to log.
pub(crate) fn start(keys: &LogKeys, color: bool) -> Level {
    match keys.format {
        LogFormat::Text => text(keys, color),
        LogFormat::Json => {
            let log = on_standard_error(keys).json().flatten_event(true);
            let log = log.with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            level(handle)
        }
        LogFormat::Journald => match tracing_journald::layer() {
            Ok(journal) => {
                let journal = journal
                    .with_field_prefix(Some(JOURNAL_PREFIX.to_owned()))
                    .with_syslog_identifier("facteur".to_owned());
                let (filter, handle) = reload::Layer::new(filter(keys));
                tracing_subscriber::registry()
                    .with(filter)
                    .with(journal)
                    .init();
                level(handle)
            }
            Err(error) => {
                let level = text(keys, color);
                tracing::warn!(%error, "there is no journal here: the log is written to standard error");
                level
            }
        },
    }
}

type OnStandardError = tracing_subscriber::fmt::SubscriberBuilder<
    DefaultFields,
    Format<Full>,
    EnvFilter,
    fn() -> Stderr,
>;

fn on_standard_error(keys: &LogKeys) -> OnStandardError {
    tracing_subscriber::fmt()
        .with_env_filter(filter(keys))
        .with_writer(std::io::stderr as fn() -> Stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
}

fn text(keys: &LogKeys, color: bool) -> Level {
    let log = on_standard_error(keys)
        .with_ansi(color)
        .with_filter_reloading();
    let handle = log.reload_handle();
    log.init();
    level(handle)
}

fn level<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> Level {
    // It fails only where nobody logs any more.
    Level(Box::new(move |filter| {
        handle.reload(filter).unwrap_or_default();
    }))
}

/// What is said of us from the level up; what a dependency says, from `warn` up.
fn filter(keys: &LogKeys) -> EnvFilter {
    let ours = keys.level.to_string().to_lowercase();
    let default = format!(
        "warn,facteur={ours},facteur_server={ours},facteur_delivery={ours},facteur_spool_local={ours},facteur_route={ours}"
    );
    std::env::var(FILTER)
        .ok()
        .and_then(|filter| EnvFilter::try_new(filter).ok())
        .unwrap_or_else(|| EnvFilter::new(default))
}
