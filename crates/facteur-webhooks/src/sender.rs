//! Sends what is due for one webhook: a few at a time, again later what was not taken, until a day has passed.

use std::sync::Arc;
use std::time::Duration;

use facteur_mail::text::escaped;
use facteur_mail::{Clock, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::config::Hook;
use crate::courier::{Courier, Post, Taken};
use crate::error::WebhookError;
use crate::outbox::{Fate, Outbox, Pending};
use crate::signature::sign;

/// How many notices are on their way to one webhook at once.
const AT_ONCE: u32 = 8;

/// The waits between tries; the last one repeats.
const WAITS: [u64; 6] = [5, 30, 120, 600, 1_800, 3_600];

/// How long a notice is tried.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// How long is waited when the outbox cannot be read or written.
const AFTER_TROUBLE: Duration = Duration::from_secs(30);

/// The sender of one webhook.
pub(crate) struct Sender {
    pub(crate) hook: Arc<Hook>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) courier: Arc<dyn Courier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) news: Arc<Notify>,
}

impl Sender {
    /// Sends until told to stop.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        loop {
            // Asked for before the look, so that nothing written in between is missed.
            let news = Arc::clone(&self.news);
            let news = news.notified();
            let wake_at = match self.send_due().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(webhook = self.hook.name, %error, "the outbox of a webhook fails");
                    Some(self.clock.now().after(AFTER_TROUBLE))
                }
            };
            let sleep = async {
                match wake_at {
                    Some(moment) => self.clock.sleep_until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = told(&mut stopped) => return,
                () = news => {}
                () = sleep => {}
            }
        }
    }

    /// Sends a round of what is due; when to look again.
    async fn send_due(&self) -> Result<Option<Timestamp>, WebhookError> {
        let now = self.clock.now();
        let hook = Arc::clone(&self.hook);
        let due = self
            .on_disk(move |outbox| outbox.due(&hook.name, now, AT_ONCE))
            .await?;
        if due.is_empty() {
            let hook = Arc::clone(&self.hook);
            return self
                .on_disk(move |outbox| outbox.next_due(&hook.name))
                .await;
        }
        let mut round = JoinSet::new();
        for pending in due {
            let post = self.post(&pending, now);
            let courier = Arc::clone(&self.courier);
            round.spawn(async move { (courier.post(post).await, pending) });
        }
        let mut fates = Vec::new();
        while let Some(sent) = round.join_next().await {
            if let Ok((taken, pending)) = sent {
                fates.push((pending.row, self.judge(&taken, &pending)));
            }
        }
        self.on_disk(move |outbox| outbox.settle(&fates)).await?;
        Ok(Some(self.clock.now()))
    }

    /// Works on the outbox, off the event loop: the disk blocks.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Outbox) -> Result<T, WebhookError> + Send + 'static,
    ) -> Result<T, WebhookError> {
        let outbox = Arc::clone(&self.outbox);
        match tokio::task::spawn_blocking(move || work(&outbox)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(WebhookError::Stopped),
            },
        }
    }

    fn post(&self, pending: &Pending, now: Timestamp) -> Post {
        let id = format!("msg_{}_{}", pending.at.as_millis(), pending.row);
        let seconds = now.as_millis() / 1_000;
        Post {
            url: self.hook.url.clone(),
            signature: sign(&self.hook.secret, &id, seconds, pending.body.as_bytes()),
            id,
            seconds,
            body: pending.body.clone(),
        }
    }

    /// What becomes of a notice: 410 says that nobody wants to hear any more.
    fn judge(&self, taken: &Taken, pending: &Pending) -> Fate {
        let now = self.clock.now();
        let words = match taken {
            Taken::Yes => return Fate::Gone,
            Taken::No(410) => {
                tracing::warn!(
                    webhook = self.hook.name,
                    "a webhook answers 410: the notice is given up"
                );
                return Fate::Gone;
            }
            Taken::No(status) => format!("status {status}"),
            Taken::Unanswered(words) => words.clone(),
        };
        let words = escaped(&words).to_string();
        if now.since(pending.at) >= GIVE_UP_AFTER {
            tracing::error!(
                webhook = self.hook.name,
                attempts = pending.attempts + 1,
                words,
                "a notice is given up: the webhook did not take it for a day"
            );
            return Fate::Gone;
        }
        let place = usize::try_from(pending.attempts).unwrap_or(usize::MAX);
        let [.., last] = WAITS;
        let wait = WAITS.get(place).copied().unwrap_or(last);
        let next = now.after(Duration::from_secs(wait));
        if pending.attempts == 0 {
            tracing::warn!(
                webhook = self.hook.name,
                words,
                seconds = wait,
                "a webhook did not take a notice"
            );
        }
        Fate::Again(next)
    }
}

/// Completes when the server stops.
async fn told(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stop| *stop).await);
}
