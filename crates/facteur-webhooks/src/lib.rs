//! Tells other programs what becomes of messages: an HTTP request for each delivery, bounce or deferral that somebody
//! wants to hear of, signed, and kept on disk until it has been taken.
//!
//! Mail never waits for a webhook. What happens is handed to a bounded channel; one thread writes it to `outbox`
//! many at a time; one task for each webhook sends what is due. What cannot be told for a day is given up, with a line in
//! the log.

mod config;
mod courier;
mod error;
mod notice;
mod outbox;
mod sender;
mod signature;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use facteur_mail::Clock;
use facteur_mail::event::{Event, Observer};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use crate::notice::Notice;
use crate::outbox::Outbox;

pub use config::{Hook, Topic};
pub use courier::{Courier, CourierFuture, Post, Taken, Web};
pub use error::WebhookError;
pub use signature::sign;

/// How many notices may wait to be written; one more is dropped, and counted.
const MAX_UNWRITTEN: usize = 16_384;

/// The webhooks while they run.
pub struct Webhooks {
    observer: Arc<Witness>,
    stop: watch::Sender<bool>,
    sending: Vec<JoinHandle<()>>,
    writing: JoinHandle<()>,
}

/// Takes note of events that somebody wants to hear of.
struct Witness {
    hooks: Vec<Arc<Hook>>,
    notices: mpsc::Sender<Notice>,
    dropped: AtomicU64,
}

impl Webhooks {
    /// Opens the outbox in `directory`, which must be there, and goes on with what is left in it. To be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// [`WebhookError::Outbox`].
    pub fn start(
        hooks: Vec<Hook>,
        directory: &Path,
        courier: Arc<dyn Courier>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WebhookError> {
        let outbox = Arc::new(Outbox::open(&directory.join("outbox.sqlite"))?);
        let hooks: Vec<_> = hooks.into_iter().map(Arc::new).collect();
        let names: Vec<_> = hooks.iter().map(|hook| hook.name.clone()).collect();
        outbox.keep_only(&names)?;
        let (notices, unwritten) = mpsc::channel(MAX_UNWRITTEN);
        let (stop, stopped) = watch::channel(false);
        let news = Arc::new(Notify::new());
        let sending = hooks.iter().map(|hook| {
            let sender = sender::Sender {
                hook: Arc::clone(hook),
                outbox: Arc::clone(&outbox),
                courier: Arc::clone(&courier),
                clock: Arc::clone(&clock),
                news: Arc::clone(&news),
            };
            tokio::spawn(sender.run(stopped.clone()))
        });
        let sending = sending.collect();
        let writing = tokio::task::spawn_blocking(move || outbox::write(&outbox, unwritten, &news));
        let observer = Arc::new(Witness {
            hooks,
            notices,
            dropped: AtomicU64::new(0),
        });
        Ok(Self {
            observer,
            stop,
            sending,
            writing,
        })
    }

    /// Who must be told what happens.
    #[must_use]
    pub fn observer(&self) -> Arc<dyn Observer> {
        Arc::<Witness>::clone(&self.observer)
    }

    /// Stops: what has happened is written down once every other holder of the observer is gone; what is not told
    /// yet stays on disk.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for task in self.sending {
            // A sender that ended by a bug has said so; the others go on.
            drop(task.await);
        }
        drop(self.observer);
        drop(self.writing.await);
    }
}

impl Observer for Witness {
    fn observe(&self, event: &Event<'_>) {
        for hook in &self.hooks {
            for notice in notice::of(event, hook) {
                if self.notices.try_send(notice).is_err() {
                    let before = self.dropped.fetch_add(1, Ordering::Relaxed);
                    // Once, and then at every doubling: a flood does not flood the log.
                    if before.wrapping_add(1).is_power_of_two() {
                        tracing::warn!(
                            webhook = hook.name,
                            dropped = before + 1,
                            "webhooks are told of more than can be written down"
                        );
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhooks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
