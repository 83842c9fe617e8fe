//! A history in a directory of its own, and messages to tell it of.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use facteur_history::{Config, History, Reader, Story};
use facteur_mail::event::{
    Accepted, Decision, MxAnswer, Refused, RouteFinding, RouteHost, RouteRule, RouteTaken, Tried,
    TriedRecipient,
};
use facteur_mail::{
    Address, Attempt, BodyType, Client, Delivery, Envelope, Event, Notify, Observer as _, Orcpt,
    Protocol, QueueId, Recipient, RemoteHost, ReversePath, Said, Stage, Timestamp, Transcript,
};
use facteur_replies::{RemoteReply, Reply, ReplyCode};
use facteur_testkit::ManualClock;
use tempfile::TempDir;

/// How long a test waits for the writer at most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A history that runs.
pub(crate) struct Archive {
    /// Removed with its files.
    _directory: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) config: Config,
    pub(crate) history: History,
}

impl Archive {
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::new(directory.path().join("history"));
        change(&mut config);
        let clock = ManualClock::new();
        let history = History::start(config.clone(), Arc::new(clock.clone())).unwrap();
        Self {
            _directory: directory,
            clock,
            config,
            history,
        }
    }

    /// Another one over the same files, after the first one has ended.
    pub(crate) fn again(self) -> Self {
        assert!(self.history.close(PATIENCE));
        let history = History::start(self.config.clone(), Arc::new(self.clock.clone())).unwrap();
        Self { history, ..self }
    }

    /// Writes what waits, and reads.
    pub(crate) fn read(&self) -> Reader {
        assert!(self.history.close(PATIENCE));
        Reader::open(&self.config.directory).unwrap()
    }

    pub(crate) fn story(&self, id: QueueId) -> Option<Story> {
        self.read().story(id).unwrap()
    }

    /// Waits until so many events were written or given up.
    pub(crate) fn settle(&self, events: u64) {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            let health = self.history.health();
            if health.written + health.missing >= events {
                return;
            }
            assert!(std::time::Instant::now() < until, "{health:?}");
            std::thread::yield_now();
        }
    }

    /// A whole life of a message: accepted, tried, delivered, ended.
    pub(crate) fn live(&self, post: &Post) {
        self.history.observe(&Event::Accepted(post.accepted()));
        self.deliver(post);
        let (id, at) = (post.id, post.at);
        self.history.observe(&Event::Ended { id, at });
    }

    pub(crate) fn deliver(&self, post: &Post) {
        let attempt = post.attempt();
        let recipients = post.tried_recipients(&attempt, Decision::Delivered(Delivery::Relayed));
        let (route, transcript) = (route(), transcript());
        self.history
            .observe(&Event::Tried(post.tried(&route, &transcript, &recipients)));
    }
}

/// The name of the `number`th message of a moment.
pub(crate) fn id(at: Timestamp, number: u64) -> QueueId {
    QueueId::from_number(QueueId::next(at, None).number() + number)
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// A message.
pub(crate) struct Post {
    pub(crate) id: QueueId,
    pub(crate) at: Timestamp,
    pub(crate) message_id: String,
    pub(crate) envelope: Envelope,
}

impl Post {
    pub(crate) fn new(id: QueueId, at: Timestamp, to: &str) -> Self {
        let recipient = Recipient {
            address: address(to),
            orcpt: Some(Orcpt {
                kind: "rfc822".into(),
                address: "alias@client.test".into(),
            }),
            notify: Notify::On {
                success: true,
                failure: false,
                delay: true,
            },
        };
        Self {
            id,
            at,
            message_id: format!("{id}@client.test"),
            envelope: Envelope {
                sender: ReversePath::Address(address("Ann@client.test")),
                recipients: vec![recipient],
                body: BodyType::EightBitMime,
                smtputf8: false,
                ret: None,
                envid: None,
                arrived: at,
                client: Client {
                    ip: Some("192.0.2.1".parse().unwrap()),
                    helo: "client.test".into(),
                    protocol: Protocol::Esmtp,
                },
            },
        }
    }

    pub(crate) fn accepted(&self) -> Accepted<'_> {
        Accepted {
            id: self.id,
            at: self.at,
            octets: 10_240,
            envelope: &self.envelope,
            message_id: Some(&self.message_id),
            session: Some(1),
        }
    }

    pub(crate) fn attempt(&self) -> Attempt {
        Attempt {
            at: self.at,
            took: Duration::from_millis(12),
            host: Some(host()),
            stage: Stage::EndOfData,
            said: Said::ByPeer(reply(250, "2.0.0 queued as 123")),
        }
    }

    pub(crate) fn tried_recipients<'a>(
        &'a self,
        attempt: &'a Attempt,
        decision: Decision,
    ) -> Vec<TriedRecipient<'a>> {
        let recipients = self.envelope.recipients.iter().enumerate();
        recipients
            .map(|(place, recipient)| TriedRecipient {
                place,
                recipient,
                attempts: 1,
                attempt,
                decision,
            })
            .collect()
    }

    pub(crate) fn tried<'a>(
        &'a self,
        route: &'a RouteTaken,
        transcript: &'a Transcript,
        recipients: &'a [TriedRecipient<'a>],
    ) -> Tried<'a> {
        Tried {
            id: self.id,
            at: self.at,
            envelope: &self.envelope,
            octets: 10_240,
            destination: "far.test",
            route: Some(route),
            transcript,
            recipients,
        }
    }

    /// A try that was none: the destination did not answer others.
    pub(crate) fn tried_without<'a>(&'a self, recipients: &'a [TriedRecipient<'a>]) -> Tried<'a> {
        static NOTHING: LazyLock<Transcript> = LazyLock::new(Transcript::default);
        Tried {
            route: None,
            ..self.tried(&ROUTE, &NOTHING, recipients)
        }
    }
}

static ROUTE: LazyLock<RouteTaken> = LazyLock::new(route);

pub(crate) fn refused(
    reply: &Reply,
    sender: &ReversePath,
    recipient: &Address,
    at: Timestamp,
    tell: impl FnOnce(&Event<'_>),
) {
    tell(&Event::Refused(Refused {
        at,
        reply,
        stage: Some(Stage::Rcpt),
        client: Some("198.51.100.7".parse().unwrap()),
        helo: Some("stranger\u{1b}[2J"),
        sender: Some(sender),
        recipient: Some(recipient),
        session: Some(2),
    }));
}

pub(crate) fn host() -> RemoteHost {
    RemoteHost {
        name: "mx.far.test".into(),
        address: Some("192.0.2.25:25".parse().unwrap()),
    }
}

pub(crate) fn reply(code: u16, text: &str) -> RemoteReply {
    RemoteReply::new(ReplyCode::new(code).unwrap(), vec![text.to_owned()])
}

pub(crate) fn route() -> RouteTaken {
    RouteTaken {
        by: RouteRule::Mx("far.test".into()),
        mx: Some(MxAnswer::Found {
            records: vec![(10, "mx.far.test".into()), (20, ".".into())],
            ttl: Duration::from_secs(300),
        }),
        plan: Cow::Borrowed("hosts"),
        hosts: vec![RouteHost {
            name: "mx.far.test".into(),
            preference: 10,
            implicit: false,
            addresses: vec!["192.0.2.25".parse().unwrap()],
        }],
        findings: vec![RouteFinding {
            name: Cow::Borrowed("malformed-null-mx"),
            host: "".into(),
            value: "".into(),
        }],
    }
}

pub(crate) fn transcript() -> Transcript {
    let mut transcript = Transcript::default();
    transcript.server(host(), false);
    transcript.heard(Stage::Greeting, &reply(220, "mx.far.test ESMTP"));
    transcript.sent(Stage::Hello, b"EHLO us.test\r\n");
    transcript.heard(Stage::Hello, &reply(250, "mx.far.test"));
    transcript.sent(Stage::Mail, b"MAIL FROM:<ann@client.test>\r\n");
    transcript.heard(Stage::Mail, &reply(250, "2.1.0 ok"));
    transcript.sent(Stage::Rcpt, b"RCPT TO:<u@far.test>\r\n");
    transcript.heard(Stage::Rcpt, &reply(250, "2.1.5 ok"));
    transcript.sent(Stage::Data, b"DATA\r\n");
    transcript.heard(Stage::Data, &reply(354, "go"));
    transcript.content(10_240);
    transcript.heard(Stage::EndOfData, &reply(250, "2.0.0 queued as 123"));
    transcript
}

/// The files of a history.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}
