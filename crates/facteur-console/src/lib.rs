//! The HTTP side of Facteur: is it well (`/healthz`, `/readyz`), how much does it do (`/metrics`), and a way to hand it
//! a message without SMTP (`POST /api/v1/messages`).
//!
//! The console stands beside the server and sees it through three ports that the binary implements: [`Pulse`] and
//! [`Mailroom`] are asked, and what happens is told to [`Metrics`] as events. It never touches the spool.

mod config;
mod error;
mod guard;
mod health;
mod http;
mod metrics;
mod problem;
mod process;
mod server;
mod submission;
pub mod view;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use facteur_mail::Clock;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub use config::{Config, Token};
pub use error::ConsoleError;
pub use metrics::Metrics;
pub use server::{Letter, Levels, Mailroom, MailroomFuture, NewEnvelope, Opened, Pulse, Trouble};
pub use submission::{Once, OnceError};

/// What the console works with.
#[derive(Clone)]
pub struct Parts {
    /// How the server is.
    pub pulse: Arc<dyn Pulse>,
    /// Who takes messages.
    pub mailroom: Arc<dyn Mailroom>,
    /// What has happened so far.
    pub metrics: Arc<Metrics>,
    /// Which requests were already answered.
    pub once: Arc<Once>,
    /// This server's name.
    pub hostname: facteur_mail::Domain,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The console while it runs. Dropped, it stops at once.
#[derive(Debug)]
pub struct Console {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// What every handler sees.
#[derive(Clone)]
struct State {
    parts: Parts,
    config: Arc<Config>,
    /// A permit for each KiB of content in memory.
    memory: Arc<Semaphore>,
}

impl Console {
    /// Listens, and answers whoever asks. To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`ConsoleError::Listen`].
    pub fn start(config: Config, parts: Parts) -> Result<Self, ConsoleError> {
        let failed = |error| ConsoleError::Listen {
            address: config.address,
            error,
        };
        let listener = http::listen(config.address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let config = Arc::new(config);
        let (stop, stopped) = watch::channel(false);
        let permits = usize::try_from(config.max_octets_in_flight / 1024)
            .unwrap_or(1)
            .max(1);
        let state = State {
            parts,
            config: Arc::clone(&config),
            memory: Arc::new(Semaphore::new(permits)),
        };
        let serving = tokio::spawn(http::serve(listener, routes(state), config, stopped));
        tracing::info!(%address, "the console listens");
        Ok(Self {
            address,
            stop,
            serving,
        })
    }

    /// Where it listens, with the port that the system chose.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new request; those under way may come to their end within `grace`.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.send_replace(true);
        if tokio::time::timeout(grace, &mut self.serving)
            .await
            .is_err()
        {
            self.serving.abort();
        }
    }
}

/// The routes, behind the guard.
fn routes(state: State) -> Router {
    let guard = axum::middleware::from_fn_with_state(state.clone(), guard::check);
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::scrape))
        .route("/api/v1/messages", post(submission::submit))
        .fallback(guard::nothing_here)
        .method_not_allowed_fallback(guard::not_this_way)
        .layer(guard)
        .with_state(state)
}

#[cfg(test)]
mod tests;
