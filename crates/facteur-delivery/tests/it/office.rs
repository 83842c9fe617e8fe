//! A whole delivery in memory.

use std::collections::HashMap;
use std::future::ready;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facteur_delivery::{
    Carried, Config, Delivery, Handle, Letter, Load, MailboxError, Mailboxes, Outcome, Remote,
    RemoteFuture, Storing, Terms, Way,
};
use facteur_mail::{
    Address, Attempt, BodyType, Client, Clock, Delivery as Kind, Domain, Envelope, Event, Notify,
    Observer, Protocol, QueueId, Recipient, RemoteHost, ReversePath, Said, Stage, Timestamp,
};
use facteur_replies::{RemoteReply, Reply, ReplyCode};
use facteur_route::{
    Config as RouterConfig, Deliver, LocalDomain, MaildirTemplate, NextHop, Pattern, Planner,
    Policy, RouteRule, Router,
};
use facteur_spool::{MemorySpool, Refusal, Spool};
use facteur_testkit::{ManualClock, SeededRandom, Zone};
use tokio::sync::Notify as Notified;

/// How often tasks are polled before they are taken to have nothing left to do.
const POLLS: usize = 60;

/// What a scripted host answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// To the final dot.
    Taken(&'static str),
    /// To RCPT.
    Rcpt(u16, &'static str),
    /// As greeting.
    Greeting(u16, &'static str),
    /// Nobody answers at once.
    Silence,
    /// Nobody answers, ever.
    Hangs,
    /// To RCPT, a 450 once this is told.
    Late(Arc<Notified>),
}

/// A remote that answers by the name of the host.
#[derive(Debug, Default)]
pub(crate) struct FakeRemote {
    answers: Mutex<HashMap<String, Answer>>,
    /// Host, queue id, recipient of each delivery.
    pub(crate) calls: Mutex<Vec<(String, QueueId, String)>>,
    /// When each host was spoken to.
    pub(crate) moments: Mutex<Vec<(String, Timestamp)>>,
    /// The contents of what was taken.
    pub(crate) taken: Mutex<Vec<(QueueId, String, Vec<u8>)>>,
    pub(crate) clock: Option<ManualClock>,
    watched: Mutex<Option<Arc<MemorySpool>>>,
    /// For each hold that was dropped: whether its message was gone from the watched spool by then.
    pub(crate) released: Arc<Mutex<Vec<bool>>>,
    /// Whether the watched spool breaks while a message is sent.
    pub(crate) breaks_spool: Mutex<bool>,
}

/// What a delivery holds until its outcomes are on disk.
struct Hold {
    id: QueueId,
    spool: Arc<MemorySpool>,
    released: Arc<Mutex<Vec<bool>>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let settled = self.spool.show(self.id).is_err();
        self.released.lock().unwrap().push(settled);
    }
}

impl FakeRemote {
    /// From now on deliveries hold something, and see what becomes of this spool.
    pub(crate) fn watch(&self, spool: &Arc<MemorySpool>) {
        *self.watched.lock().unwrap() = Some(Arc::clone(spool));
    }

    fn hold(&self, id: QueueId) -> Option<Box<dyn std::any::Any + Send>> {
        let spool = Arc::clone(self.watched.lock().unwrap().as_ref()?);
        if *self.breaks_spool.lock().unwrap() {
            spool.refuse(Some(Refusal::Broken));
        }
        let released = Arc::clone(&self.released);
        Some(Box::new(Hold {
            id,
            spool,
            released,
        }))
    }

    pub(crate) fn answer(&self, host: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(host.to_owned(), answer);
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// When this host was spoken to, in milliseconds since `start`.
    pub(crate) fn moments(&self, host: &str, start: Timestamp) -> Vec<u128> {
        let moments = self.moments.lock().unwrap();
        let its = moments.iter().filter(|(name, _)| name == host);
        its.map(|(_, moment)| moment.since(start).as_millis())
            .collect()
    }

    pub(crate) fn taken(&self) -> Vec<(String, String)> {
        let taken = self.taken.lock().unwrap().clone();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        taken
            .into_iter()
            .map(|(_, to, bytes)| (to, text(bytes)))
            .collect()
    }

    /// Who took which message.
    pub(crate) fn taken_by_id(&self) -> Vec<(QueueId, String)> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|(id, to, _)| (*id, to.clone())).collect()
    }

    fn outcome(&self, host: &str, answer: &Answer) -> Outcome {
        let (stage, said) = match answer {
            Answer::Taken(line) => (Stage::EndOfData, remote(250, line)),
            Answer::Rcpt(code, line) => (Stage::Rcpt, remote(*code, line)),
            Answer::Late(_) => (Stage::Rcpt, remote(450, "4.2.1 later")),
            Answer::Greeting(code, line) => (Stage::Greeting, remote(*code, line)),
            Answer::Silence | Answer::Hangs => {
                let reply = Reply::no_answer(host, "connection refused");
                (Stage::Connect, Said::ByUs(reply))
            }
        };
        let attempt = Attempt {
            at: self.clock.as_ref().map(Clock::now).unwrap_or_default(),
            took: Duration::from_millis(5),
            host: Some(RemoteHost {
                name: host.into(),
                address: None,
            }),
            stage,
            said,
        };
        match answer {
            Answer::Taken(_) => Outcome::Taken {
                attempt,
                delivery: Kind::Relayed,
            },
            Answer::Rcpt(..)
            | Answer::Greeting(..)
            | Answer::Silence
            | Answer::Hangs
            | Answer::Late(_) => Outcome::NotTaken { attempt },
        }
    }
}

fn remote(code: u16, line: &str) -> Said {
    let code = ReplyCode::new(code).unwrap();
    Said::ByPeer(RemoteReply::new(code, vec![line.to_owned()]))
}

impl Remote for FakeRemote {
    fn deliver<'a>(&'a self, load: Load<'a>) -> RemoteFuture<'a> {
        Box::pin(async move {
            let host = match load.way {
                Way::Hosts { hosts, .. } => hosts[0].name.to_string(),
                Way::Socket { path, .. } => path.display().to_string(),
            };
            let answer = self.answers.lock().unwrap().get(&host).cloned();
            let answer = answer.unwrap_or(Answer::Taken("2.0.0 thanks"));
            let now = self.clock.as_ref().map(Clock::now).unwrap_or_default();
            self.moments.lock().unwrap().push((host.clone(), now));
            let recipients = &load.message.message.envelope.recipients;
            for place in load.recipients {
                let recipient = recipients[*place].address.to_string();
                let id = load.message.message.id;
                self.calls
                    .lock()
                    .unwrap()
                    .push((host.clone(), id, recipient.clone()));
                if matches!(answer, Answer::Taken(_)) {
                    let mut content = Vec::new();
                    load.message
                        .body()
                        .unwrap()
                        .read_to_end(&mut content)
                        .unwrap();
                    self.taken.lock().unwrap().push((id, recipient, content));
                }
            }
            if matches!(answer, Answer::Hangs) {
                std::future::pending::<()>().await;
            }
            if let Answer::Late(told) = &answer {
                told.notified().await;
            }
            let outcome = self.outcome(&host, &answer);
            Carried {
                outcomes: vec![outcome; load.recipients.len()],
                hold: self.hold(load.message.message.id),
                ..Carried::new(Vec::new())
            }
        })
    }
}

/// Mailboxes in memory.
#[derive(Debug, Default)]
pub(crate) struct FakeMailboxes {
    pub(crate) stored: Mutex<Vec<(PathBuf, String)>>,
    pub(crate) full: Mutex<bool>,
}

impl Mailboxes for FakeMailboxes {
    fn store<'a>(&'a self, maildir: &'a Path, mut letter: Letter) -> Storing<'a> {
        if *self.full.lock().unwrap() {
            return Box::pin(ready(Err(MailboxError::Full {
                path: maildir.to_owned(),
            })));
        }
        let mut content = String::new();
        letter.body.read_to_string(&mut content).unwrap();
        self.stored
            .lock()
            .unwrap()
            .push((maildir.to_owned(), content));
        Box::pin(ready(Ok(())))
    }
}

/// Writes down what happens, a line for each event.
#[derive(Debug, Default)]
pub(crate) struct Witness(pub(crate) Mutex<Vec<String>>);

impl Observer for Witness {
    fn observe(&self, event: &Event<'_>) {
        let line = match event {
            Event::Tried(tried) => {
                let outcomes: Vec<String> = tried
                    .recipients
                    .iter()
                    .map(|it| format!("{} {}", it.recipient.address, it.decision.name()))
                    .collect();
                let plan = tried.route.map_or("untried", |route| &*route.plan);
                format!("tried {plan}: {}", outcomes.join(", "))
            }
            Event::Accepted(accepted) => {
                format!("accepted for {}", accepted.envelope.recipients[0].address)
            }
            Event::Reported(reported) => format!("reported to {}", reported.to),
            Event::NotReported(it) => format!("not reported: {}", it.why.name()),
            Event::Ended { .. } => "ended".to_owned(),
            Event::Refused(_) | Event::Operated(_) | _ => format!("{event:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

/// A delivery and everything around it.
pub(crate) struct Office {
    pub(crate) spool: Arc<MemorySpool>,
    pub(crate) zone: Zone,
    pub(crate) remote: Arc<FakeRemote>,
    pub(crate) mailboxes: Arc<FakeMailboxes>,
    pub(crate) clock: ManualClock,
    pub(crate) config: Config,
    pub(crate) handle: Option<Handle>,
    pub(crate) witness: Arc<Witness>,
}

impl Office {
    /// A started delivery over this zone; `here.test` is a local domain.
    pub(crate) fn open(zone: &str) -> Self {
        let mut office = Self::closed(zone);
        office.start();
        office
    }

    /// The same, not started.
    pub(crate) fn closed(zone: &str) -> Self {
        let clock = ManualClock::new();
        let remote = FakeRemote {
            clock: Some(clock.clone()),
            ..FakeRemote::default()
        };
        Self {
            spool: Arc::new(MemorySpool::new()),
            zone: Zone::new(zone),
            remote: Arc::new(remote),
            mailboxes: Arc::default(),
            clock,
            config: Config::new("mail.here.test"),
            handle: None,
            witness: Arc::default(),
        }
    }

    pub(crate) fn start(&mut self) {
        self.start_with(self.remote.clone(), self.witness.clone());
    }

    /// Starts with another remote, which another witness watches.
    pub(crate) fn start_with(&mut self, remote: Arc<dyn Remote>, observer: Arc<dyn Observer>) {
        let random = Arc::new(SeededRandom::new(1));
        let zone = Arc::new(self.zone.clone());
        let delivery = Delivery {
            config: self.config.clone(),
            spool: self.spool.clone(),
            router: Arc::new(router()),
            planner: Planner::new(zone, random.clone(), Policy::default()),
            remote,
            mailboxes: self.mailboxes.clone(),
            clock: Arc::new(self.clock.clone()),
            random,
            observer,
        };
        self.handle = Some(delivery.start());
    }

    /// Puts a message into the queue.
    pub(crate) async fn accept(&self, from: &str, to: &[&str]) -> QueueId {
        self.accept_with(from, to, |_| {}).await
    }

    pub(crate) async fn accept_with(
        &self,
        from: &str,
        to: &[&str],
        change: impl FnOnce(&mut Envelope),
    ) -> QueueId {
        let mut envelope = envelope(from, to, self.clock.now());
        change(&mut envelope);
        let mut draft = self.spool.begin(self.clock.now()).unwrap();
        draft
            .write(b"Message-ID: <1@here.test>\r\nSubject: Hi\r\n\r\nBody\r\n")
            .unwrap();
        let receipt = draft.commit(envelope, self.clock.now()).await.unwrap();
        receipt.id()
    }

    /// Lets every task run until it waits for the clock.
    pub(crate) async fn quiet(&self) {
        for _ in 0..POLLS {
            tokio::task::yield_now().await;
        }
    }

    /// Moves the clock from one sleeper to the next until this much time has passed.
    pub(crate) async fn pass(&self, time: Duration) {
        let end = self.clock.now().after(time);
        self.quiet().await;
        while self.clock.next_wake().is_some_and(|wake| wake <= end) {
            self.clock.advance_to_next();
            self.quiet().await;
        }
        self.clock.set(end);
        self.quiet().await;
    }

    /// Other routes from now on: patterns and next hops.
    pub(crate) fn reroute(&self, routes: &[(&str, &str)]) {
        let mut config = router_config();
        config.routes = routes
            .iter()
            .map(|(pattern, hop)| RouteRule {
                pattern: Pattern::parse(pattern).unwrap(),
                next_hop: NextHop::parse(hop, 25).unwrap(),
            })
            .collect();
        let random = Arc::new(SeededRandom::new(1));
        let zone = Arc::new(self.zone.clone());
        self.handle.as_ref().unwrap().reload(Terms {
            config: self.config.clone(),
            router: Arc::new(Router::new(config)),
            planner: Planner::new(zone, random, Policy::default()),
            remote: self.remote.clone(),
            mailboxes: self.mailboxes.clone(),
        });
    }

    /// Lets tasks and threads run until something is true.
    pub(crate) async fn until(&self, what: &str, mut is_true: impl FnMut() -> bool) {
        for _ in 0..100_000 {
            if is_true() {
                return;
            }
            std::thread::yield_now();
            self.quiet().await;
        }
        panic!("waited in vain: {what}");
    }

    pub(crate) async fn shutdown(&mut self) {
        self.handle.take().unwrap().shutdown().await;
    }

    /// A crash and a restart, not yet delivering.
    pub(crate) fn crash(&mut self) {
        self.handle = None;
        self.spool = Arc::new(self.spool.reopened());
    }
}

fn router() -> Router {
    Router::new(router_config())
}

fn router_config() -> RouterConfig {
    let domain = LocalDomain {
        deliver: Deliver::Maildir(MaildirTemplate::parse("/mail/{domain}/{user}").unwrap()),
        users: None,
        aliases: Default::default(),
        catch_all: None,
        tag_delimiter: Some('+'),
    };
    RouterConfig {
        hostname: Domain::parse("mail.here.test").unwrap(),
        addresses: [IpAddr::from([192, 0, 2, 1])].into(),
        postmaster: None,
        domains: [(Domain::parse("here.test").unwrap(), domain)].into(),
        relay_domains: Vec::new(),
        relay_networks: Vec::new(),
        routes: Vec::new(),
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn envelope(from: &str, to: &[&str], arrived: Timestamp) -> Envelope {
    let recipient = |to: &&str| Recipient {
        address: address(to),
        orcpt: None,
        notify: Notify::Default,
    };
    Envelope {
        sender: if from.is_empty() {
            ReversePath::Null
        } else {
            ReversePath::Address(address(from))
        },
        recipients: to.iter().map(recipient).collect(),
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        arrived,
        client: Client {
            ip: None,
            helo: "client.test".into(),
            protocol: Protocol::Esmtp,
        },
    }
}

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
