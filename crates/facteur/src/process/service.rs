//! What a service manager is told (`NOTIFY_SOCKET`): ready, reloading, stopping, how things are; and, where it wants it,
//! that the server is alive.
//!
//! Alive means that the scheduler's loop comes round and that the spool writes what waits to be written. A process that
//! still runs, but does neither, is not kept from being started anew.

use std::sync::Arc;
use std::time::Duration;

use facteur_delivery::Steering;
use facteur_mail::{Clock, Domain};
use facteur_replies::{Language, text};
use facteur_server::Visitors;
use facteur_spool::Spool as _;
use facteur_spool_local::LocalSpool;
use sd_notify::NotifyState;
use tokio::task::JoinHandle;

/// How often the service manager hears how things are, where it sets no watchdog.
const STATUS_EVERY: Duration = Duration::from_secs(15);

/// How many looks in a row may find the same batch of the spool being written. A disk may be slow; one that takes a
/// minute, as this is with `WatchdogSec=30`, is stuck.
const PATIENT_LOOKS: u32 = 4;

/// Says that the server listens, and where.
pub(crate) fn ready(hostname: &Domain, places: &[String], language: Language) {
    let (hostname, places) = (hostname.to_string(), places.join(", "));
    let args = [
        ("hostname", (&hostname).into()),
        ("places", (&places).into()),
    ];
    let words = text(language, "service-ready", &args);
    tell(&[NotifyState::Ready, NotifyState::Status(&words)]);
}

/// Says that the configuration is read again; [`ready`] says that it has been.
pub(crate) fn reloading() {
    let now = NotifyState::monotonic_usec_now();
    let since = now.ok();
    let states = [Some(NotifyState::Reloading), since];
    tell(&states.into_iter().flatten().collect::<Vec<_>>());
}

/// Without a service manager nobody listens; one that does not is no reason to stop.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// What the watchdog looks at.
pub(crate) struct Vitals {
    /// The scheduler.
    pub(crate) scheduler: Steering,
    /// The spool.
    pub(crate) spool: Arc<LocalSpool>,
    /// Who is connected.
    pub(crate) visitors: Visitors,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Of the words for the service manager.
    pub(crate) language: Language,
}

/// A watchdog at work.
pub(crate) struct Watchdog {
    task: JoinHandle<()>,
    language: Language,
}

impl Watchdog {
    /// Says that the server ends, and no more after that.
    pub(crate) fn stop(self) {
        self.task.abort();
        let words = text(self.language, "service-stopping", &[]);
        tell(&[NotifyState::Stopping, NotifyState::Status(&words)]);
    }
}

impl Vitals {
    /// Watches from now on.
    pub(crate) fn watch(self) -> Watchdog {
        let language = self.language;
        let task = tokio::spawn(self.report());
        Watchdog { task, language }
    }

    /// Tells the service manager again and again that the server is alive, for as long as it is, and how it is.
    async fn report(self) {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return;
        }
        let wanted = sd_notify::watchdog_enabled();
        // Twice in the time within which one word must come.
        let every = wanted.map_or(STATUS_EVERY, |within| within / 2);
        let mut writer = Writer::default();
        loop {
            self.clock.sleep_until(self.clock.now().after(every)).await;
            let beat = tokio::time::timeout(every / 2, self.scheduler.beat()).await;
            let writes = writer.look(self.spool.batch_under_way());
            match (beat, writes) {
                // Delivery has ended; whoever waits for that speaks.
                (Ok(false), _) => return,
                (Ok(true), true) => self.well(wanted.is_some()),
                (Err(_), _) => {
                    tracing::error!("the scheduler is stuck; the service manager hears nothing");
                }
                (Ok(true), false) => {
                    tracing::error!(
                        "the spool's writer is stuck; the service manager hears nothing"
                    );
                }
            }
        }
    }

    fn well(&self, watchdog: bool) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let queued = count(self.spool.len());
        let sessions = count(self.visitors.count());
        let args = [("queued", queued.into()), ("sessions", sessions.into())];
        let words = text(self.language, "service-status", &args);
        let status = NotifyState::Status(&words);
        if watchdog {
            tell(&[NotifyState::Watchdog, status]);
        } else {
            tell(&[status]);
        }
    }
}

/// Whether the spool's writer comes on.
#[derive(Debug, Default)]
struct Writer {
    batch: Option<u64>,
    same: u32,
}

impl Writer {
    /// Takes the batch under way; false once it has been the same for [`PATIENT_LOOKS`].
    fn look(&mut self, batch: Option<u64>) -> bool {
        self.same = if batch.is_some() && batch == self.batch {
            self.same.saturating_add(1)
        } else {
            0
        };
        self.batch = batch;
        self.same < PATIENT_LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_stays_at_one_batch_is_stuck_and_recovers_with_it() {
        let mut writer = Writer::default();
        let looks: Vec<bool> = (0..6).map(|_| writer.look(Some(7))).collect();
        assert_eq!(looks, [true, true, true, true, false, false]);
        assert!(writer.look(Some(8)));
    }

    #[test]
    fn a_writer_that_comes_on_or_has_nothing_to_do_is_alive() {
        let mut writer = Writer::default();
        for batch in 0..20 {
            assert!(writer.look(Some(batch)));
        }
        for _ in 0..20 {
            assert!(writer.look(None));
        }
    }
}
