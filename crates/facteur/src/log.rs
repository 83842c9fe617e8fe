//! The log: text for people or JSON for machines, on standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{LogFormat, LogKeys};

/// The variable that overrides `[log] level`, part by part: `FACTEUR_LOG=facteur_server=debug`.
const FILTER: &str = "FACTEUR_LOG";

/// Starts to log. What a dependency says is shown from `warn` up.
pub(crate) fn start(keys: &LogKeys, color: bool) {
    let ours = keys.level.to_string().to_lowercase();
    let default = format!(
        "warn,facteur={ours},facteur_server={ours},facteur_delivery={ours},facteur_spool_local={ours},facteur_route={ours}"
    );
    let filter = std::env::var(FILTER)
        .ok()
        .and_then(|filter| EnvFilter::try_new(filter).ok())
        .unwrap_or_else(|| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_target(false);
    match keys.format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => log.with_ansi(color).init(),
    }
}
