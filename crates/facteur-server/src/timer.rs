//! Deadlines that cost nothing while they are kept: a timer is made only when there is something to wait for, and
//! one that was made for an earlier deadline is used again for a later one.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use facteur_mail::environment::Sleep;
use facteur_mail::{Clock, Timestamp};

/// The timer of one connection.
pub(crate) struct Timer {
    clock: Arc<dyn Clock>,
    armed: Option<(Timestamp, Sleep)>,
}

impl Timer {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, armed: None }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ready once `deadline` has come.
    pub(crate) fn poll_expired(&mut self, deadline: Timestamp, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.armed {
                Some((moment, sleep)) if *moment <= deadline => {
                    ready!(sleep.as_mut().poll(cx));
                    let reached = *moment == deadline;
                    self.armed = None;
                    if reached {
                        return Poll::Ready(());
                    }
                }
                _ => self.armed = Some((deadline, self.clock.sleep_until(deadline))),
            }
        }
    }

    /// What `work` comes to; `None` if it is not done by `deadline`.
    pub(crate) async fn until<F: Future>(
        &mut self,
        deadline: Timestamp,
        work: F,
    ) -> Option<F::Output> {
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll_expired(deadline, cx).map(|()| None),
        })
        .await
    }
}
