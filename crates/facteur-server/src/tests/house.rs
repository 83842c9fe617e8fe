//! What the tests share: a server without sockets, and clients of it.

use std::collections::BTreeSet;
use std::future::{pending, ready};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facteur_mail::{Address, Domain, Event, Observer, QueueId};
use facteur_route::{
    Answer, Deliver, Exchange, LocalDomain, Lookup, MaildirTemplate, MxRecord, Network, Pattern,
    Planner, Resolver, Router,
};
use facteur_smtp::server as smtp;
use facteur_spool::{MemorySpool, Queued, Spool};
use facteur_testkit::{ManualClock, SeededRandom};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Parts;
use crate::census::Census;
use crate::config::{Config, Limits};
use crate::connection::{self, Services, Stopping};
use crate::envelopes::Envelopes;
use crate::intake::Intake;
use crate::lookups::Lookups;
use crate::policy::Policy;
use crate::sources::Sources;
use crate::timer::Timer;

/// A client that may relay.
pub(super) const CLIENT: &str = "192.0.2.1";

/// A client that may not.
pub(super) const STRANGER: &str = "198.51.100.1";

/// A server without sockets.
pub(super) struct House {
    pub(super) clock: ManualClock,
    pub(super) spool: Arc<MemorySpool>,
    pub(super) config: Config,
    pub(super) session: smtp::Config,
    pub(super) census: Arc<Census>,
    sources: Arc<Sources>,
    pub(super) stopping: watch::Sender<Stopping>,
    pub(super) witness: Arc<Witness>,
    services: Option<Services>,
}

/// Writes down what happens, a line for each event.
#[derive(Debug, Default)]
pub(super) struct Witness(pub(super) Mutex<Vec<String>>);

impl Observer for Witness {
    fn observe(&self, event: &Event<'_>) {
        let line = match event {
            Event::Accepted(accepted) => {
                let to = accepted.envelope.recipients.len();
                let message_id = accepted.message_id.unwrap_or_default();
                format!("accepted for {to}: {message_id}")
            }
            Event::Refused(refused) => {
                let stage = refused.stage.map_or("none", |stage| stage.name());
                let code = refused.reply.code();
                let sender = refused.sender.map(ToString::to_string).unwrap_or_default();
                let recipient = refused.recipient.map(ToString::to_string);
                let recipient = recipient.unwrap_or_default();
                format!("refused {stage} {code} <{sender}> <{recipient}>")
            }
            Event::Tried(_)
            | Event::Reported(_)
            | Event::NotReported(_)
            | Event::Operated(_)
            | Event::Ended { .. }
            | _ => format!("{event:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

/// A client of it.
pub(super) struct Guest {
    stream: DuplexStream,
    heard: Vec<u8>,
    served: JoinHandle<()>,
}

impl House {
    pub(super) fn new() -> Self {
        let hostname = domain("mx.example.org");
        Self {
            clock: ManualClock::new(),
            spool: Arc::new(MemorySpool::new()),
            config: Config::new(hostname.clone()),
            session: smtp::Config::new(hostname, smtp::Role::Smtp),
            census: Census::new(Limits::default(), domain("mx.example.org")),
            sources: Arc::default(),
            stopping: watch::channel(Stopping::No).0,
            witness: Arc::default(),
            services: None,
        }
    }

    pub(super) fn parts(&self) -> Parts {
        let mut routes = facteur_route::Config::new(domain("mx.example.org"));
        let maildir = MaildirTemplate::parse("/var/mail/{user}").unwrap();
        let mut local = LocalDomain::new(Deliver::Maildir(maildir));
        local.users = Some(["user", "other"].map(str::to_owned).into());
        let team = ["user@example.org", "other@example.org", "far@open.test"];
        local
            .aliases
            .insert("team".to_owned(), team.map(address).into());
        local
            .aliases
            .insert("loop".to_owned(), vec![address("pool@example.org")]);
        local
            .aliases
            .insert("pool".to_owned(), vec![address("loop@example.org")]);
        routes.domains.insert(domain("example.org"), local);
        routes.addresses = BTreeSet::from(["203.0.113.25".parse().unwrap()]);
        routes.relay_networks = vec![Network::parse("192.0.2.0/24").unwrap()];
        routes.relay_domains = vec![Pattern::parse("backup.test").unwrap()];
        Parts {
            spool: Arc::clone(&self.spool) as Arc<dyn Spool>,
            router: Arc::new(Router::new(routes)),
            planner: Planner::new(
                Arc::new(Names),
                Arc::new(SeededRandom::new(1)),
                facteur_route::Policy::default(),
            ),
            clock: Arc::new(self.clock.clone()),
            observer: self.witness.clone(),
        }
    }

    /// Connects a client.
    pub(super) fn connect(&mut self, ip: &str) -> Guest {
        let services = self.services.clone().unwrap_or_else(|| self.services());
        self.services = Some(services.clone());
        let (near, far) = duplex(256 * 1024);
        let timer = Timer::new(Arc::new(self.clock.clone()));
        let ip: Option<IpAddr> = ip.parse().ok();
        Guest {
            stream: near,
            heard: Vec::new(),
            served: tokio::spawn(connection::serve(far, ip, 1, services, timer)),
        }
    }

    /// How many octets the future of a session holds, streams apart.
    pub(super) fn size_of_a_session(&self) -> usize {
        let timer = Timer::new(Arc::new(self.clock.clone()));
        let (_, far) = duplex(1);
        size_of_val(&connection::serve(far, None, 1, self.services(), timer))
    }

    fn services(&self) -> Services {
        let config = Arc::new(self.config.clone());
        let parts = self.parts();
        let lookups = Lookups::new(parts.planner, config.patience.lookup);
        Services {
            session: Arc::new(self.session.clone()),
            policy: Arc::new(Policy::new(parts.router, lookups)),
            intake: Intake::new(
                parts.spool,
                Arc::clone(&config),
                Envelopes::new(config.max_envelope_octets),
            ),
            census: Arc::clone(&self.census),
            sources: Arc::clone(&self.sources),
            observer: parts.observer,
            stopping: self.stopping.subscribe(),
            config,
        }
    }

    /// The only message in the spool, and its content.
    pub(super) fn message(&self) -> (Queued, String) {
        let mut ids: Vec<QueueId> = Vec::new();
        self.spool.waiting(&mut |waiting| ids.push(waiting.id));
        assert_eq!(ids.len(), 1);
        let content = self.spool.content(ids[0]).unwrap();
        (
            self.spool.show(ids[0]).unwrap(),
            String::from_utf8(content.to_vec()).unwrap(),
        )
    }
}

impl Guest {
    /// Sends, without waiting for an answer.
    pub(super) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next line.
    pub(super) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.heard.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return String::from_utf8(line).unwrap().trim_end().to_owned();
            }
            if self.stream.read_buf(&mut self.heard).await.unwrap() == 0 {
                return "closed".to_owned();
            }
        }
    }

    /// The next reply, the last one of its lines.
    pub(super) async fn reply(&mut self) -> String {
        loop {
            let line = self.line().await;
            if line.get(3..4) != Some("-") {
                return line;
            }
        }
    }

    /// Says a command and hears its reply.
    pub(super) async fn say(&mut self, command: &str) -> String {
        self.send(&format!("{command}\r\n")).await;
        self.reply().await
    }

    /// Greets, and opens a transaction.
    pub(super) async fn open(&mut self) {
        assert!(self.reply().await.starts_with("220 "));
        assert_eq!(self.say("EHLO client.test").await, "250 HELP");
        let reply = self.say("MAIL FROM:<a@open.test>").await;
        assert!(reply.starts_with("250 "), "{reply}");
    }

    /// Comes as far as 354.
    pub(super) async fn open_data(&mut self) {
        self.open().await;
        let reply = self.say("RCPT TO:<user@example.org>").await;
        assert!(reply.starts_with("250 "), "{reply}");
        let reply = self.say("DATA").await;
        assert!(reply.starts_with("354 "), "{reply}");
    }

    /// Whether the server has closed, once it has done what it can.
    pub(super) async fn is_given_up(&self) -> bool {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.served.is_finished()
    }

    /// Closes, and waits until the server has noticed.
    pub(super) async fn leave(self) {
        drop(self.stream);
        self.served.await.unwrap();
    }
}

/// The names that the tests use.
struct Names;

impl Resolver for Names {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Lookup<'a, MxRecord> {
        let exchange = match domain.as_str() {
            "silent.test" | "mute.test" => return Box::pin(pending()),
            "servfail.test" => {
                let failure = facteur_route::DnsFailure::ServFail;
                return Box::pin(ready(Answer::Failed(failure)));
            }
            "gone.test" => return Box::pin(ready(Answer::NoSuchDomain)),
            "implicit.test" => return Box::pin(ready(Answer::NoRecords)),
            "nullmx.test" => Exchange::Root,
            _ => Exchange::Host(self::domain("mx.open.test")),
        };
        let record = MxRecord {
            preference: 0,
            exchange,
        };
        let answer = Answer::found(vec![record], None, Duration::from_secs(60));
        Box::pin(ready(answer))
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Lookup<'a, IpAddr> {
        panic!("nobody asks for {host} while a client waits")
    }
}

pub(super) fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}
