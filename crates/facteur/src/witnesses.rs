//! Who is told what happens to messages, from the start to the end of the server: the history, the metrics and the
//! webhooks.

use std::sync::Arc;
use std::time::Duration;

use facteur_console::Metrics;
use facteur_history::History;
use facteur_mail::{Clock, Observer, Observers};
use facteur_webhooks::{Hook, Webhooks};

use crate::config::Config;
use crate::error::CliError;
use crate::ui::Screen;
use crate::{webhooks, wiring};

/// How long what has happened may still be written down at the end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The witnesses while they listen.
pub(crate) struct Witnesses {
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    history: Option<Arc<History>>,
    webhooks: Option<Webhooks>,
}

impl Witnesses {
    /// Lets them listen.
    ///
    /// # Errors
    /// As [`webhooks::start`].
    pub(crate) fn start(
        hooks: Vec<Hook>,
        config: &Config,
        clock: Arc<dyn Clock>,
        screen: &Screen,
    ) -> Result<Self, CliError> {
        Ok(Self {
            metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))),
            history: history(config, Arc::clone(&clock)),
            webhooks: webhooks::start(hooks, config, clock, screen)?,
        })
    }

    /// Whom to tell.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        let mut witnesses: Vec<Arc<dyn Observer>> = vec![Arc::<Metrics>::clone(&self.metrics)];
        let history = self.history.as_ref();
        witnesses.extend(history.map(|history| Arc::clone(history) as Arc<dyn Observer>));
        witnesses.extend(self.webhooks.as_ref().map(Webhooks::observer));
        Arc::new(Observers::new(witnesses))
    }

    /// Lets them write down what they have heard; whoever tells them must be gone.
    pub(crate) async fn shutdown(self) {
        if let Some(webhooks) = self.webhooks {
            webhooks.shutdown().await;
        }
        if let Some(history) = self.history {
            let closed = tokio::task::spawn_blocking(move || history.close(PATIENCE)).await;
            if !closed.unwrap_or_default() {
                tracing::warn!("the last that happened is not in the history");
            }
        }
    }
}

/// Starts to keep the history, where one is kept. Mail does not depend on it.
pub(crate) fn history(config: &Config, clock: Arc<dyn Clock>) -> Option<Arc<History>> {
    let started = History::start(wiring::history(config)?, clock);
    started
        .inspect_err(|error| tracing::error!(%error, "no history is kept"))
        .ok()
        .map(Arc::new)
}
