//! A message while jobs work on it: one lease, shared; what each recipient has come to; what the sender must be told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use facteur_mail::{Progress, QueueId, RecipientState, Report, Timestamp};
use facteur_route::{Destination, Router};
use facteur_spool::{Change, Leased, Spool, SpoolError};
use tokio::sync::OnceCell;

/// A message that at least one job works on.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: QueueId,
    lease: OnceCell<Lease>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Lease {
    leased: Leased,
    /// Where each recipient goes, found once for all jobs.
    destinations: Vec<Destination>,
}

#[derive(Debug, Default)]
struct State {
    /// As in the spool, kept up with every change that was settled.
    progress: Progress,
    /// Recipients that a job works on.
    busy: BTreeSet<usize>,
    /// Recipients whose delay the sender is to be told of, and the next try.
    late: BTreeMap<usize, Timestamp>,
    /// Recipients whose report is being written.
    reporting: BTreeSet<usize>,
    /// Jobs that have been started and have not ended.
    jobs: usize,
}

/// What the sender must be told, taken by whoever tells it.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Recipients with a final state.
    pub(crate) settled: BTreeMap<usize, RecipientState>,
    /// Recipients that are late: their state and the next try.
    pub(crate) late: BTreeMap<usize, (RecipientState, Timestamp)>,
}

impl Message {
    pub(crate) fn new(id: QueueId) -> Self {
        Self {
            id,
            lease: OnceCell::new(),
            state: Mutex::default(),
        }
    }

    /// The lease: the first job takes it, the others share it; it ends with the last of them.
    pub(crate) async fn lease(
        &self,
        spool: &dyn Spool,
        router: &Router,
    ) -> Result<&Leased, SpoolError> {
        let take = || async {
            let leased = spool.lease(self.id).await?;
            self.state().progress.clone_from(&leased.message.progress);
            let recipients = leased.message.envelope.recipients.iter();
            let destinations = recipients
                .map(|recipient| router.destination(recipient.address.host()))
                .collect();
            Ok::<_, SpoolError>(Lease {
                leased,
                destinations,
            })
        };
        let lease = self.lease.get_or_try_init(take).await?;
        Ok(&lease.leased)
    }

    pub(crate) fn job_starts(&self) {
        self.state().jobs += 1;
    }

    /// Ends a job; if no other one runs, its caller tells the news that is owed.
    pub(crate) fn job_ends(&self) -> Option<News> {
        let mut state = self.state();
        state.jobs = state.jobs.saturating_sub(1);
        if state.jobs > 0 {
            return None;
        }
        let news = state.take_news();
        (!news.settled.is_empty() || !news.late.is_empty()).then_some(news)
    }

    /// Takes those recipients at `destination` that wait and are due, and that no other job works on: `most` of them
    /// at most.
    pub(crate) fn claim(
        &self,
        destination: &Destination,
        now: Timestamp,
        most: usize,
    ) -> Vec<(usize, RecipientState)> {
        let Some(lease) = self.lease.get() else {
            return Vec::new();
        };
        let mut state = self.state();
        let mut claimed = Vec::new();
        for (place, _) in lease
            .destinations
            .iter()
            .enumerate()
            .filter(|(_, it)| *it == destination)
        {
            let Some(recipient) = state.progress.get(place) else {
                continue;
            };
            if claimed.len() < most && recipient.may_be_tried(now) && !state.busy.contains(&place) {
                claimed.push((place, recipient.clone()));
                state.busy.insert(place);
            }
        }
        claimed
    }

    pub(crate) fn release(&self, places: &[usize]) {
        let mut state = self.state();
        for place in places {
            state.busy.remove(place);
        }
    }

    /// What was settled is known from now on.
    pub(crate) fn apply(&self, changes: &[Change]) {
        let mut state = self.state();
        for change in changes {
            if let Some(recipient) = state.progress.get_mut(change.recipient) {
                recipient.clone_from(&change.state);
            }
        }
    }

    /// The sender is to be told that this recipient's copy is late.
    pub(crate) fn is_late(&self, place: usize, next_at: Timestamp) {
        self.state().late.insert(place, next_at);
    }

    /// The news could not be told now: it stays owed. Notices of delay are given up.
    pub(crate) fn not_told(&self, news: &News) {
        let mut state = self.state();
        for place in news.settled.keys() {
            state.reporting.remove(place);
        }
    }

    /// No code panics half way through a change under this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_news(&mut self) -> News {
        let mut news = News::default();
        for (place, recipient) in self.progress.iter().enumerate() {
            let owed = matches!(
                recipient,
                RecipientState::Delivered {
                    report: Report::Owed,
                    ..
                } | RecipientState::Failed {
                    report: Report::Owed,
                    ..
                }
            );
            if owed && self.reporting.insert(place) {
                news.settled.insert(place, recipient.clone());
            }
        }
        for (place, next_at) in std::mem::take(&mut self.late) {
            if let Some(recipient) = self.progress.get(place) {
                news.late.insert(place, (recipient.clone(), next_at));
            }
        }
        news
    }
}
