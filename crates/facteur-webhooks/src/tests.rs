//! Webhooks from outside: events in, requests out, restarts in between.

use std::sync::Mutex;
use std::time::Duration;

use facteur_mail::event::{Accepted, Decision, Tried, TriedRecipient};
use facteur_mail::{
    Address, Attempt, BodyType, Client, Delivery, Envelope, Notify as Reports, Protocol, QueueId,
    Recipient, ReversePath, Said, Stage, Timestamp,
};
use facteur_replies::{Language, Reply};
use facteur_testkit::ManualClock;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// How long anything may take: far more than it does.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that takes or refuses, and remembers.
struct Program {
    posts: Mutex<Vec<Post>>,
    answer: Mutex<Taken>,
    posted: Notify,
}

impl Program {
    fn that(answer: Taken) -> Arc<Self> {
        Arc::new(Self {
            posts: Mutex::default(),
            answer: Mutex::new(answer),
            posted: Notify::new(),
        })
    }

    /// Waits until so many posts have come in all.
    async fn has(&self, count: usize) -> Vec<Post> {
        let wait = async {
            loop {
                let posted = self.posted.notified();
                let posts = self.posts.lock().unwrap().clone();
                if posts.len() >= count {
                    return posts;
                }
                posted.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap()
    }
}

impl Courier for Program {
    fn post(&self, post: Post) -> CourierFuture<'_> {
        self.posts.lock().unwrap().push(post);
        self.posted.notify_waiters();
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(std::future::ready(answer))
    }
}

fn hook(topics: &[Topic]) -> Hook {
    Hook {
        name: "shop".to_owned(),
        url: "https://shop.test/mail".to_owned(),
        secret: b"hunter2".to_vec(),
        topics: topics.to_vec(),
        language: Language::French,
    }
}

fn envelope() -> Envelope {
    let address = |text| Address::parse(text).unwrap();
    Envelope {
        sender: ReversePath::Address(address("anne@example.org")),
        recipients: vec![Recipient {
            address: address("jean@far.test"),
            orcpt: None,
            notify: Reports::Default,
        }],
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        arrived: Timestamp::from_millis(1_790_000_000_000),
        client: Client {
            ip: None,
            helo: "".into(),
            protocol: Protocol::Esmtp,
        },
    }
}

/// Tells of a try that came to `decision` with `reply`.
fn tell(observer: &dyn Observer, reply: Reply, decision: Decision) {
    let envelope = envelope();
    let attempt = Attempt {
        at: envelope.arrived,
        took: Duration::from_millis(30),
        host: None,
        stage: Stage::Rcpt,
        said: Said::ByUs(reply),
    };
    let recipients = [TriedRecipient {
        place: 0,
        recipient: &envelope.recipients[0],
        attempts: 1,
        attempt: &attempt,
        decision,
    }];
    observer.observe(&Event::Tried(Tried {
        id: QueueId::from_number(7),
        at: envelope.arrived,
        envelope: &envelope,
        octets: 100,
        destination: "far.test",
        route: None,
        transcript: &facteur_mail::Transcript::default(),
        recipients: &recipients,
    }));
}

fn start(
    directory: &tempfile::TempDir,
    program: &Arc<Program>,
    clock: &ManualClock,
    topics: &[Topic],
) -> Webhooks {
    let courier: Arc<dyn Courier> = Arc::<Program>::clone(program);
    Webhooks::start(
        vec![hook(topics)],
        directory.path(),
        courier,
        Arc::new(clock.clone()),
    )
    .unwrap()
}

#[tokio::test]
async fn a_bounce_is_told_explained_and_signed() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp::from_millis(1_790_000_000_000));
    let program = Program::that(Taken::Yes);
    let webhooks = start(&directory, &program, &clock, &[Topic::Bounced]);
    let observer = webhooks.observer();
    tell(
        &*observer,
        Reply::null_mx("far.test"),
        Decision::Delivered(Delivery::Relayed),
    );
    tell(&*observer, Reply::null_mx("far.test"), Decision::Bounced);
    let [post] = program.has(1).await.try_into().unwrap();
    let body: Value = serde_json::from_str(&post.body).unwrap();
    assert_eq!(body["type"], "message.bounced");
    assert_eq!(body["data"]["recipient"], "jean@far.test");
    let attempt = &body["data"]["last_attempt"];
    assert_eq!(
        (&attempt["code"], &attempt["enhanced"]),
        (&556.into(), &"5.1.10".into())
    );
    assert_eq!(attempt["explain"]["language"], "fr");
    assert_eq!(
        post.signature,
        sign(b"hunter2", &post.id, post.seconds, post.body.as_bytes())
    );
    drop(observer);
    webhooks.shutdown().await;
    assert_eq!(program.has(1).await.len(), 1, "told once");
}

#[tokio::test]
async fn what_is_not_taken_is_told_again_also_after_a_restart_and_given_up_after_a_day() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp::from_millis(1_790_000_000_000));
    let program = Program::that(Taken::No(500));
    let webhooks = start(&directory, &program, &clock, &[Topic::Deferred]);
    let observer = webhooks.observer();
    let later = Decision::RetryAt {
        when: Timestamp::from_millis(1_790_000_300_000),
        why: facteur_mail::RetryReason::Backoff,
    };
    tell(&*observer, Reply::no_answer("mx", "refused"), later);
    let first = program.has(1).await;
    drop(observer);
    webhooks.shutdown().await;

    clock.advance(Duration::from_secs(6));
    let webhooks = start(&directory, &program, &clock, &[Topic::Deferred]);
    let second = program.has(2).await;
    assert_eq!(
        (&first[0].id, &first[0].body),
        (&second[1].id, &second[1].body)
    );
    clock.advance(Duration::from_secs(24 * 3_600));
    program.has(3).await;
    webhooks.shutdown().await;
    let outbox = Outbox::open(&directory.path().join("outbox.sqlite")).unwrap();
    assert_eq!(outbox.next_due("shop").unwrap(), None, "given up");
}

#[tokio::test]
async fn acceptance_is_told_to_those_who_ask_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let program = Program::that(Taken::Yes);
    let webhooks = start(&directory, &program, &clock, &[Topic::Accepted]);
    webhooks.observer().observe(&Event::Accepted(Accepted {
        id: QueueId::from_number(9),
        at: clock.now(),
        octets: 10,
        envelope: &envelope(),
        message_id: Some("a@b"),
        session: None,
    }));
    let [post] = program.has(1).await.try_into().unwrap();
    let body: Value = serde_json::from_str(&post.body).unwrap();
    assert_eq!(
        (&body["type"], &body["data"]["message_id"]),
        (&"message.accepted".into(), &"a@b".into())
    );
    webhooks.shutdown().await;
}

#[tokio::test]
async fn a_real_request_has_the_fields_of_standard_webhooks() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut said = Vec::new();
        while !said.ends_with(b"{}") {
            let mut block = [0; 1024];
            let octets = stream.read(&mut block).await.unwrap();
            assert!(octets > 0, "{}", String::from_utf8_lossy(&said));
            said.extend_from_slice(&block[..octets]);
        }
        stream
            .write_all(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        String::from_utf8(said).unwrap().to_lowercase()
    });
    let post = Post {
        url,
        id: "msg_1".to_owned(),
        seconds: 5,
        signature: "v1,xyz=".to_owned(),
        body: "{}".to_owned(),
    };
    let taken = Web::without_tls().unwrap().post(post).await;
    assert_eq!(taken, Taken::No(302), "a redirect is not followed");
    let said = server.await.unwrap();
    for field in [
        "post /hook",
        "webhook-id: msg_1",
        "webhook-timestamp: 5",
        "webhook-signature: v1,xyz=",
    ] {
        assert!(said.contains(field), "{field}: {said}");
    }
}

#[test]
fn the_outbox_is_bounded_and_the_oldest_give_way() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&directory.path().join("outbox")).unwrap();
    let notices: Vec<_> = (0..u64::from(outbox::MAX_KEPT) + 5)
        .map(|number| Notice {
            hook: "shop".to_owned(),
            at: Timestamp::from_millis(number),
            body: String::new(),
        })
        .collect();
    outbox.put(&notices).unwrap();
    let first = outbox
        .due("shop", Timestamp::from_millis(u64::MAX >> 1), 1)
        .unwrap();
    assert_eq!(first[0].at, Timestamp::from_millis(5));
}
