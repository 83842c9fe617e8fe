//! Filters, deeds, and going through a queue: with a spool in memory and a clock that stands still.

mod filter;
mod operator;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use facteur_mail::event::Event;
use facteur_mail::{
    Attempt, Clock, Host, Observer, QueueId, RecipientState, RemoteHost, RetryReason, Said, Stage,
    Timestamp,
};
use facteur_replies::{Language, RemoteReply, ReplyCode};
use facteur_spool::battery::{NOON, envelope, wait};
use facteur_spool::{Change, MemorySpool, Queued, Spool, Waiting};
use facteur_testkit::ManualClock;

use super::{Act, Acted, Announced, Dispatch, FilterSpec, Operator, QueueRequest, RecipientDeed};
use crate::control::protocol::Answer;
use crate::control::{Answers, Peer, Stop};

const HOUR: u64 = 3_600;

/// What the scheduler and the history were told.
#[derive(Default)]
struct Told {
    announced: Mutex<Vec<(Waiting, Vec<Host>)>>,
    deeds: Mutex<Vec<ToldDeed>>,
    ended: Mutex<Vec<QueueId>>,
}

/// A deed as the history hears of it.
struct ToldDeed {
    who: String,
    until: Option<Timestamp>,
}

impl Dispatch for Told {
    fn announce(&self, waiting: Waiting, now: Vec<Host>) -> Announced<'_> {
        self.announced.lock().unwrap().push((waiting, now));
        Box::pin(std::future::ready(()))
    }
}

impl Observer for Told {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Operated(deed) = event {
            self.deeds.lock().unwrap().push(ToldDeed {
                who: deed.who.to_owned(),
                until: deed.until,
            });
        }
        if let Event::Ended { id, .. } = event {
            self.ended.lock().unwrap().push(*id);
        }
    }
}

struct Lab {
    spool: Arc<MemorySpool>,
    clock: ManualClock,
    told: Arc<Told>,
    operator: Operator,
}

impl Lab {
    fn new() -> Self {
        let spool = Arc::new(MemorySpool::new());
        let clock = ManualClock::at(NOON);
        let told = Arc::new(Told::default());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let operator = Operator {
            spool: Arc::clone(&spool) as Arc<dyn Spool>,
            clock: shared,
            observer: Arc::clone(&told) as Arc<dyn Observer>,
            dispatch: Some(Arc::clone(&told) as Arc<dyn Dispatch>),
        };
        Self {
            spool,
            clock,
            told,
            operator,
        }
    }

    /// Queues a message from `alice@example.org`.
    fn queue(&self, to: &[&str]) -> QueueId {
        self.queue_with(to, |_| {})
    }

    fn queue_with(&self, to: &[&str], change: impl FnOnce(&mut facteur_mail::Envelope)) -> QueueId {
        let mut envelope = envelope(to);
        change(&mut envelope);
        let mut draft = self.spool.begin(NOON).unwrap();
        draft.write(b"Subject: x\r\n\r\n").unwrap();
        wait(draft.commit(envelope, NOON)).unwrap().id()
    }

    /// One recipient was tried and is to be tried again in an hour.
    fn tried(&self, id: QueueId, recipient: usize, host: &str, code: u16, text: &str) {
        let reply = RemoteReply::new(ReplyCode::new(code).unwrap(), vec![text.to_owned()]);
        let state = RecipientState::Waiting {
            next_at: NOON.after(Duration::from_secs(HOUR)),
            attempts: 1,
            reason: RetryReason::Backoff,
            last: Some(Box::new(Attempt {
                at: NOON,
                took: Duration::ZERO,
                host: Some(RemoteHost {
                    name: host.into(),
                    address: "192.0.2.7:25".parse().ok(),
                }),
                stage: Stage::Rcpt,
                said: Said::ByPeer(reply),
            })),
            delay_reported: false,
        };
        wait(self.spool.settle(id, vec![Change { recipient, state }])).unwrap();
    }

    fn shown(&self, id: QueueId) -> Queued {
        self.spool.show(id).unwrap()
    }

    async fn act(&self, request: QueueRequest) -> Result<Vec<Acted>, Stop> {
        let peer = Peer {
            uid: 0,
            name: Some("root".to_owned()),
        };
        let (answers, mut given) = Answers::new();
        let operator = self.operator.clone();
        let work = tokio::spawn(async move {
            operator
                .act(request, &peer, Language::English, &answers)
                .await
        });
        let mut acted = Vec::new();
        while let Some(answer) = given.recv().await {
            let Answer::Message(message) = answer else {
                panic!("{answer:?}")
            };
            acted.push(*message);
        }
        work.await.unwrap().map(|()| acted)
    }
}

fn request(act: Act) -> QueueRequest {
    QueueRequest {
        act,
        ids: Vec::new(),
        filter: FilterSpec::default(),
        all: true,
        dry_run: false,
        reason: None,
        for_seconds: None,
    }
}

fn deeds(acted: &Acted) -> Vec<RecipientDeed> {
    acted.recipients.iter().map(|it| it.deed).collect()
}
