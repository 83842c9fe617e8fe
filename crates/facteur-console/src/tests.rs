//! The console from outside: real requests over a real socket, a mailroom that remembers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facteur_mail::{Clock, Domain, QueueId, Timestamp};
use facteur_replies::Reply;
use facteur_testkit::ManualClock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// How long anything may take: far more than it does.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that takes what is for `good.test`, and refuses the rest.
#[derive(Default)]
struct House {
    taken: Mutex<Vec<(NewEnvelope, Vec<u8>)>>,
    next: AtomicU64,
    full: AtomicBool,
}

struct Incoming {
    house: Arc<House>,
    envelope: NewEnvelope,
    content: Vec<u8>,
    id: QueueId,
}

struct Rooms(Arc<House>);

impl Mailroom for Rooms {
    fn open(&self, envelope: NewEnvelope) -> MailroomFuture<'_, Opened> {
        let house = Arc::clone(&self.0);
        Box::pin(async move {
            if house.full.load(Ordering::Relaxed) {
                return Err(Reply::storage_full());
            }
            let verdict = |to: &facteur_mail::Recipient| match to.address.domain() {
                Some(domain) if domain.as_str() == "good.test" => Ok(()),
                _ => Err(Reply::relay_denied(&to.address)),
            };
            let verdicts: Vec<_> = envelope.recipients.iter().map(verdict).collect();
            let any = verdicts.iter().any(Result::is_ok);
            let id = QueueId::from_number(house.next.fetch_add(1, Ordering::Relaxed) + 1);
            let letter = any.then(|| -> Box<dyn Letter> {
                Box::new(Incoming {
                    house,
                    envelope,
                    content: Vec::new(),
                    id,
                })
            });
            Ok(Opened { verdicts, letter })
        })
    }

    fn was_accepted(&self, _: QueueId) -> Option<bool> {
        None
    }
}

impl Letter for Incoming {
    fn id(&self) -> QueueId {
        self.id
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Reply> {
        self.content.extend_from_slice(octets);
        Ok(())
    }

    fn commit<'a>(self: Box<Self>) -> MailroomFuture<'a, QueueId> {
        Box::pin(async move {
            self.house
                .taken
                .lock()
                .unwrap()
                .push((self.envelope, self.content));
            Ok(self.id)
        })
    }
}

impl Pulse for House {
    fn troubles(&self) -> Vec<Trouble> {
        let full = self.full.load(Ordering::Relaxed);
        full.then_some(Trouble::SpoolFull).into_iter().collect()
    }

    fn levels(&self) -> Levels {
        Levels {
            queued: 7,
            connections: 3,
            free_octets: Some(1_000),
        }
    }
}

struct Lab {
    house: Arc<House>,
    console: Console,
    _directory: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let house = Arc::new(House::default());
        let directory = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> =
            Arc::new(ManualClock::at(Timestamp::from_millis(1_790_000_000_000)));
        let parts = Parts {
            pulse: Arc::<House>::clone(&house),
            mailroom: Arc::new(Rooms(Arc::clone(&house))),
            metrics: Arc::new(Metrics::new("0.0.0")),
            once: Arc::new(Once::open(&directory.path().join("once")).unwrap()),
            hostname: Domain::parse("mx.example.org").unwrap(),
            clock,
        };
        let mut config = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.tokens = vec![Token {
            name: "shop".to_owned(),
            secret: b"hunter2".to_vec(),
        }];
        change(&mut config);
        let console = Console::start(config, parts).unwrap();
        Self {
            house,
            console,
            _directory: directory,
        }
    }

    /// Says `request` and reads the whole answer: status, head, body.
    async fn ask(&self, request: &str) -> (u16, String, String) {
        let talk = async {
            let mut stream = TcpStream::connect(self.console.address()).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            String::from_utf8(answer).unwrap()
        };
        let answer = tokio::time::timeout(PATIENCE, talk).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    async fn get(&self, path: &str, more: &str) -> (u16, String, String) {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n"
        ))
        .await
    }

    /// Posts a message with the token.
    async fn post(&self, kind: &str, more: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let (status, _, body) = self
            .ask(&format!(
                "POST /api/v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer hunter2\r\n\
                 Content-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
            ))
            .await;
        (status, serde_json::from_str(&body).unwrap())
    }

    fn taken(&self) -> Vec<String> {
        let taken = self.house.taken.lock().unwrap();
        taken
            .iter()
            .map(|(_, content)| String::from_utf8(content.clone()).unwrap())
            .collect()
    }
}

const MESSAGE: &str = r#"{"from": "anne@example.org", "to": ["jean@good.test", "zoe@bad.test"], "subject": "Hi", "text": "Hello"}"#;

#[tokio::test]
async fn it_says_whether_the_server_lives_and_is_ready() {
    let lab = Lab::new();
    assert_eq!(lab.get("/healthz", "").await.2, "ok\n");
    assert_eq!(lab.get("/readyz", "").await.0, 200);
    lab.house.full.store(true, Ordering::Relaxed);
    let (status, _, body) = lab
        .get("/readyz", "Accept-Language: de, fr-CA;q=0.8\r\n")
        .await;
    assert_eq!(status, 503);
    assert!(
        body.contains("spool-full") && body.contains("disque"),
        "{body}"
    );
    assert_eq!(
        lab.get("/healthz", "").await.0,
        200,
        "a full disk is no reason to restart"
    );
}

#[tokio::test]
async fn metrics_have_the_levels_and_end_as_the_format_wants() {
    let lab = Lab::new();
    let (status, head, body) = lab.get("/metrics", "").await;
    assert_eq!(status, 200);
    assert!(head.contains("application/openmetrics-text"), "{head}");
    for line in [
        "facteur_queue_messages 7",
        "facteur_connections 3",
        "facteur_ready 1",
    ] {
        assert!(body.lines().any(|found| found == line), "{line}: {body}");
    }
    assert!(body.contains("\nprocess_resident_memory_bytes "), "{body}");
    assert!(body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_message_is_taken_and_each_recipient_has_its_verdict() {
    let lab = Lab::new();
    let (status, answer) = lab.post("application/json", "", MESSAGE).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(answer["queue_id"], QueueId::from_number(1).to_string());
    assert_eq!(
        answer["recipients"][0],
        json!({"address": "jean@good.test", "accepted": true})
    );
    let refused = &answer["recipients"][1];
    assert_eq!(refused["explain"]["code"], 550);
    let [content] = lab.taken().try_into().unwrap();
    assert!(
        content.contains("Subject: Hi\r\n") && content.ends_with("Hello"),
        "{content}"
    );
}

#[tokio::test]
async fn a_ready_message_keeps_its_octets_but_for_line_ends() {
    let lab = Lab::new();
    let fields = "Mail-From: <>\r\nRcpt-To: <jean@good.test>\r\n";
    let (status, answer) = lab
        .post("message/rfc822", fields, "Subject: x\n\n.\n..\ny")
        .await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(lab.taken(), ["Subject: x\r\n\r\n.\r\n..\r\ny\r\n"]);
}

#[tokio::test]
async fn nobody_submits_without_the_token() {
    let lab = Lab::new();
    for field in [
        "",
        "Authorization: Bearer hunter\r\n",
        "Authorization: Basic hunter2\r\n",
    ] {
        let request = format!(
            "POST /api/v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{field}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{MESSAGE}",
            MESSAGE.len()
        );
        let (status, head, _) = lab.ask(&request).await;
        assert_eq!(status, 401, "{field}");
        assert!(head.contains("www-authenticate"), "{head}");
    }
    assert!(lab.taken().is_empty());
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let lab = Lab::new();
    let key = "Idempotency-Key: 42\r\n";
    let (_, first) = lab.post("application/json", key, MESSAGE).await;
    let (status, second) = lab.post("application/json", key, MESSAGE).await;
    assert_eq!((status, second), (202, first));
    assert_eq!(lab.taken().len(), 1);
    let other = MESSAGE.replace("Hello", "Bye");
    let (status, answer) = lab.post("application/json", key, &other).await;
    assert_eq!(
        (status, &answer["type"]),
        (422, &json!("urn:facteur:problem:key-reused"))
    );
    assert_eq!(lab.taken().len(), 1);
}

#[tokio::test]
async fn when_nobody_can_be_written_to_the_reason_is_explained() {
    let lab = Lab::new();
    let message = MESSAGE.replace("good.test", "bad.test");
    let (status, answer) = lab
        .post("application/json", "Accept-Language: fr\r\n", &message)
        .await;
    assert_eq!(status, 422, "{answer}");
    assert_eq!(answer["recipients"][0]["explain"]["language"], "fr");
    lab.house.full.store(true, Ordering::Relaxed);
    let (status, answer) = lab.post("application/json", "", MESSAGE).await;
    assert_eq!((status, &answer["explain"]["code"]), (503, &json!(452)));
}

#[tokio::test]
async fn too_much_is_refused_before_it_is_read() {
    let lab = Lab::with(|config| config.max_message_octets = 100);
    let (status, _) = lab
        .post(
            "message/rfc822",
            "Mail-From: a@b.test\r\nRcpt-To: c@good.test\r\n",
            &"x".repeat(101),
        )
        .await;
    assert_eq!(status, 413);
    let claimed = "POST /api/v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer hunter2\r\n\
                   Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{";
    assert_eq!(lab.ask(claimed).await.0, 413);
    assert!(lab.taken().is_empty());
}

#[tokio::test]
async fn foreign_pages_are_turned_away() {
    let lab = Lab::new();
    let rebound = "GET /metrics HTTP/1.1\r\nHost: evil.test:8025\r\nConnection: close\r\n\r\n";
    let (status, head, body) = lab.ask(rebound).await;
    assert_eq!(status, 421, "{body}");
    assert!(
        head.contains("content-security-policy: default-src 'none'"),
        "{head}"
    );
    assert_eq!(
        lab.get("/metrics", "Origin: https://evil.test\r\n").await.0,
        403
    );
    assert_eq!(
        lab.get("/metrics", "Origin: http://localhost\r\n").await.0,
        200
    );
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let lab = Lab::new();
    assert_eq!(lab.get("/nothing", "").await.0, 404);
    assert_eq!(lab.get("/api/v1/messages", "").await.0, 405);
    assert_eq!(lab.ask("nonsense\r\n\r\n").await.0, 400);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_closed_and_costs_nobody_else() {
    let lab = Lab::with(|config| {
        config.header_timeout = Duration::from_millis(100);
        config.max_connections = 4;
    });
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(lab.console.address()).await.unwrap();
        stream.write_all(b"GET /hea").await.unwrap();
        idle.push(stream);
    }
    assert_eq!(lab.get("/healthz", "").await.0, 200);
}

#[tokio::test]
async fn it_stops_when_told_also_with_idle_connections() {
    let lab = Lab::new();
    let _idle = TcpStream::connect(lab.console.address()).await.unwrap();
    let stopped = tokio::time::timeout(PATIENCE, lab.console.shutdown(Duration::from_secs(5)));
    stopped.await.unwrap();
}
