//! The loop that starts deliveries: one task for each that runs, none for those that wait.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::text::escaped;
use facteur_mail::{Domain, IsoDate, QueueId, Timestamp};
use facteur_replies::{Language, explain};
use facteur_route::{Destination, Router};
use facteur_spool::{SpoolError, Waiting};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};

use crate::Terms;
use crate::config::Config;
use crate::index::{Capacity, Ended, Health, Index, Job, Receipt, SlowedView, Survey, Traffic};
use crate::message::Message;
use crate::rules::Rules;
use crate::steering::{Command, Wanted};
use crate::work::{self, Done, Shared};

/// How often a spool that could not write is asked whether it can again.
const SPOOL_CHECK: Duration = Duration::from_secs(1);

/// After a bug in a delivery, its message is tried again this much later.
const AFTER_PANIC: Duration = Duration::from_secs(300);

/// How many announcements are taken in at once before deliveries are started.
const BATCH: usize = 1_024;

/// The scheduler's state; it lives in one task.
pub(crate) struct Scheduler {
    shared: Arc<Shared>,
    index: Index,
    ears: Ears,
    announce: mpsc::WeakUnboundedSender<Waiting>,
    tasks: JoinSet<Done>,
    /// What each running task works on.
    running: HashMap<Id, Running>,
    /// The messages that are being worked on.
    messages: HashMap<QueueId, Busy>,
    /// The spool cannot write: nothing is started before this moment.
    paused_until: Option<Timestamp>,
}

/// What the scheduler hears.
pub(crate) struct Ears {
    /// Messages that wait from now on.
    pub(crate) announced: mpsc::UnboundedReceiver<Waiting>,
    /// An operator's words.
    pub(crate) commands: mpsc::Receiver<Command>,
}

/// What a running task works on.
struct Running {
    receipt: Receipt,
    destination: Arc<Destination>,
    message: QueueId,
    since: Timestamp,
}

/// A message that is being worked on.
struct Busy {
    message: Arc<Message>,
    /// By how many tasks.
    tasks: usize,
    /// Where its recipients were said to go when the first of them started.
    router: Arc<Router>,
}

type Joined = Option<Result<(Id, Done), JoinError>>;

impl Scheduler {
    pub(crate) fn new(
        shared: Arc<Shared>,
        ears: Ears,
        announce: mpsc::WeakUnboundedSender<Waiting>,
    ) -> Self {
        let config = &shared.config;
        let orders = config.orders.as_slice().into();
        let rules = Rules::new(config.rules.as_slice().into(), orders, shared.clock.now());
        let mut index = Index::new(capacity(config), rules);
        let router = Arc::clone(&shared.router);
        shared
            .spool
            .waiting(&mut |waiting| insert(&mut index, &router, &waiting));
        Self {
            shared,
            index,
            ears,
            announce,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            messages: HashMap::new(),
            paused_until: None,
        }
    }

    /// Runs until `stopped` is sent or dropped, or the spool is closed.
    pub(crate) async fn run(
        mut self,
        mut terms: watch::Receiver<Terms>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let now = self.shared.clock.now();
            let wake_at = self.start_what_is_due(now);
            let clock = Arc::clone(&self.shared.clock);
            let sleep = async move {
                match wake_at {
                    Some(moment) => clock.sleep_until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                Some(command) = self.ears.commands.recv() => self.perform(command),
                joined = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => {
                    self.task_ended(joined);
                    while let Some(joined) = self.tasks.try_join_next_with_id() {
                        self.task_ended(Some(joined));
                    }
                }
                count = self.ears.announced.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    for waiting in batch.drain(..) {
                        insert(&mut self.index, &self.shared.router, &waiting);
                    }
                }
                Ok(()) = terms.changed() => {
                    let next = terms.borrow_and_update().clone();
                    self.go_on_under(next);
                }
                () = sleep => {}
            }
        }
        self.wind_down().await;
    }

    /// Goes on under other terms. Jobs stand where the old router sent them: where the new one may say otherwise, every
    /// message is announced again. A job that finds nobody to deliver to ends, so that it does not matter which
    /// ones are there twice.
    fn go_on_under(&mut self, terms: Terms) {
        let before = Arc::clone(&self.shared.router);
        let now = self.shared.clock.now();
        let rules = terms.config.rules.clone();
        let rules = self.index.rules().configured(rules, now);
        self.index.go_on_under(capacity(&terms.config), rules, now);
        self.shared = Arc::new(self.shared.under(terms));
        if *before == *self.shared.router {
            return;
        }
        let spool = Arc::clone(&self.shared.spool);
        let announce = self.announce.clone();
        // It reads every message from the disk; what is due goes on meanwhile.
        drop(tokio::task::spawn_blocking(move || {
            spool.waiting(&mut |waiting| {
                if let Some(announce) = announce.upgrade() {
                    // Nobody listens once delivery has stopped.
                    drop(announce.send(waiting));
                }
            });
        }));
    }

    /// Starts as much as the limits allow; returns when to look again if nothing happens before.
    fn start_what_is_due(&mut self, now: Timestamp) -> Option<Timestamp> {
        if let Some(until) = self.still_paused(now) {
            return Some(until);
        }
        while let Some((job, receipt)) = self.index.take(now) {
            self.start(job, receipt);
        }
        // Jobs that are due now wait for a running one to end; a sleep would end at once.
        self.index.next_event().filter(|event| *event > now)
    }

    fn still_paused(&mut self, now: Timestamp) -> Option<Timestamp> {
        let until = self.paused_until?;
        if now < until {
            return Some(until);
        }
        match self.shared.spool.admit(0) {
            Err(SpoolError::Write { .. } | SpoolError::Closed) => {
                self.paused_until = Some(now.after(SPOOL_CHECK));
            }
            Ok(()) | Err(_) => {
                tracing::info!("the spool can write again, delivery goes on");
                self.paused_until = None;
            }
        }
        self.paused_until
    }

    fn start(&mut self, job: Job, receipt: Receipt) {
        let busy = self.messages.entry(job.message).or_insert_with(|| Busy {
            message: Arc::new(Message::new(job.message)),
            tasks: 0,
            router: Arc::clone(&self.shared.router),
        });
        busy.tasks += 1;
        busy.message.job_starts();
        let running = Running {
            receipt,
            destination: Arc::clone(&job.destination),
            message: job.message,
            since: self.shared.clock.now(),
        };
        let task = work::run(Arc::clone(&self.shared), Arc::clone(&busy.message), job);
        let id = self.tasks.spawn(task).id();
        self.running.insert(id, running);
    }

    fn task_ended(&mut self, joined: Joined) {
        let now = self.shared.clock.now();
        let (id, done) = match joined {
            Some(Ok((id, done))) => (id, done),
            Some(Err(error)) => {
                let message = self.running.get(&error.id());
                let id = message.map(|running| running.message.to_string());
                tracing::error!(id, %error, "a delivery ended by a bug; its message stays queued");
                let done = Done {
                    again: BTreeMap::from([(now.after(AFTER_PANIC), 1)]),
                    // Nobody knows how far it came.
                    traffic: Some(Traffic::default()),
                    ..Done::default()
                };
                (error.id(), done)
            }
            None => return,
        };
        let Some(task) = self.running.remove(&id) else {
            return;
        };
        for (due, recipients) in done.again {
            let destination = Destination::clone(&task.destination);
            self.index
                .insert(task.message, destination, recipients, due);
        }
        self.one_task_less(task.message);
        let ended = Ended {
            health: done.health.unwrap_or(Health::Unknown),
            took: now.since(task.since),
            traffic: done.traffic,
            seen: done.seen,
            rate_limited: done.rate_limited,
            hosts: done.hosts,
            left: done.left,
        };
        let slowed = self.index.finished(task.message, &task.receipt, ended, now);
        if let Some(slowed) = slowed {
            say_slowed(&task.destination, &slowed);
        }
        if done.spool_fails && self.paused_until.is_none() {
            tracing::error!("the spool cannot write, delivery pauses");
            self.paused_until = Some(now.after(SPOOL_CHECK));
        }
    }

    /// The last task of a message that was begun under another router looks where its recipients go now.
    fn one_task_less(&mut self, message: QueueId) {
        let Entry::Occupied(mut busy) = self.messages.entry(message) else {
            return;
        };
        busy.get_mut().tasks -= 1;
        if busy.get().tasks > 0 {
            return;
        }
        let busy = busy.remove();
        let router = &self.shared.router;
        if *busy.router != **router
            && let Ok(queued) = self.shared.spool.show(message)
        {
            insert(&mut self.index, router, &queued.waiting());
        }
    }

    fn perform(&mut self, command: Command) {
        let now = self.shared.clock.now();
        match command {
            Command::Obey(orders) => {
                let rules = self.index.rules().ordered(orders, now);
                self.index.obey(rules, now);
            }
            Command::Forgive(hosts) => {
                for host in hosts {
                    let destination = self.shared.router.destination(&host);
                    self.index.forgive(&destination);
                }
            }
            // Whoever asked may have gone, here and below.
            Command::Answer(answer) => drop(answer.send(())),
            Command::Survey {
                wanted,
                most,
                answer,
            } => {
                let survey = self.survey(&wanted, most, now);
                drop(answer.send(survey));
            }
        }
    }

    fn survey(&mut self, wanted: &Wanted, most: usize, now: Timestamp) -> Survey {
        match wanted {
            Wanted::All => self.index.survey(|_, _| true, most, now),
            Wanted::Target(target) => {
                let fits = |it: &Destination, hosts: &[Domain]| {
                    target.fits(it) || target.fits_hosts(hosts)
                };
                self.index.survey(fits, most, now)
            }
            Wanted::Hosts(hosts) => {
                let router = &self.shared.router;
                let wanted: BTreeSet<Destination> =
                    hosts.iter().map(|host| router.destination(host)).collect();
                self.index.survey(|it, _| wanted.contains(it), most, now)
            }
        }
    }

    /// Lets running deliveries end, for as long as the configuration allows.
    async fn wind_down(mut self) {
        self.shared.stop();
        let running = self.index.running();
        if running > 0 {
            tracing::info!(running, "delivery stops, waiting for what runs");
        }
        let deadline = self
            .shared
            .clock
            .now()
            .after(self.shared.config.shutdown_grace);
        let mut grace = self.shared.clock.sleep_until(deadline);
        while !self.tasks.is_empty() {
            tokio::select! {
                biased;
                joined = self.tasks.join_next_with_id() => self.task_ended(joined),
                () = &mut grace => break,
            }
        }
        // What still runs is dropped: its recipients are known to be uncertain.
        self.tasks.shutdown().await;
        self.shared.remote.close().await;
    }
}

fn capacity(config: &Config) -> Capacity {
    Capacity {
        running: config.max_running.max(1),
        per_destination: config.max_per_destination.max(1),
        pause: config.destination_pause,
    }
}

/// One job for each destination of a message and each time at which recipients of it are due there.
fn insert(index: &mut Index, router: &Router, waiting: &Waiting) {
    if let [only] = waiting.recipients.as_slice() {
        return index.insert(waiting.id, router.destination(&only.host), 1, only.due);
    }
    let mut jobs: BTreeMap<(Destination, Timestamp), u32> = BTreeMap::new();
    for recipient in &waiting.recipients {
        let job = (router.destination(&recipient.host), recipient.due);
        *jobs.entry(job).or_default() += 1;
    }
    for ((destination, due), recipients) in jobs {
        index.insert(waiting.id, destination, recipients, due);
    }
}

/// A policy acts: that is never done in silence.
fn say_slowed(destination: &Destination, slowed: &SlowedView) {
    let (said, host) = (&slowed.attempt.said, slowed.attempt.host.as_ref());
    let reply = said.to_line();
    tracing::warn!(
        %destination,
        host = host.map(|host| escaped(&host.name).to_string()),
        policy = slowed.policy().name(),
        provider = slowed.wording.map(|wording| wording.provider),
        reply = escaped(&reply).to_string(),
        explain = explain(Some(said.code()), said.enhanced(), Language::English).key,
        halved = slowed.level,
        messages_per_minute = slowed.messages.get(),
        connections = slowed.connections.get(),
        until = %IsoDate(slowed.until),
        "the destination asks for less mail and gets it"
    );
}
