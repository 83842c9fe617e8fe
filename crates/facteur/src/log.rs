//! The log: text for people or JSON for machines, on standard error.

use std::fmt;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

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

/// Starts to log.
pub(crate) fn start(keys: &LogKeys, color: bool) -> Level {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(keys))
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false);
    match keys.format {
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            // It fails only where nobody logs any more.
            Level(Box::new(move |filter| {
                handle.reload(filter).unwrap_or_default();
            }))
        }
        LogFormat::Text => {
            let log = log.with_ansi(color).with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            Level(Box::new(move |filter| {
                handle.reload(filter).unwrap_or_default();
            }))
        }
    }
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
