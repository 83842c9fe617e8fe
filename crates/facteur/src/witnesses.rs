//! Who is told what happens to messages, from the start to the end of the server: the metrics and the webhooks.

use std::sync::Arc;

use facteur_console::Metrics;
use facteur_mail::{Clock, Observer, Observers};
use facteur_webhooks::{Hook, Webhooks};

use crate::config::Config;
use crate::error::CliError;
use crate::ui::Screen;
use crate::webhooks;

/// The witnesses while they listen.
pub(crate) struct Witnesses {
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
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
            webhooks: webhooks::start(hooks, config, clock, screen)?,
        })
    }

    /// Whom to tell.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        let mut witnesses: Vec<Arc<dyn Observer>> = vec![Arc::<Metrics>::clone(&self.metrics)];
        witnesses.extend(self.webhooks.as_ref().map(Webhooks::observer));
        Arc::new(Observers::new(witnesses))
    }

    /// Lets them write down what they have heard; whoever tells them must be gone.
    pub(crate) async fn shutdown(self) {
        if let Some(webhooks) = self.webhooks {
            webhooks.shutdown().await;
        }
    }
}
