//! The console from outside: health, metrics, submission, webhooks, with a real server behind them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use facteur_testkit::Script;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::instance::{Instance, Lab, Setup, until};
use crate::talk::in_time;

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2\nnothing.test MX 0 .";

/// Asks the console; the status and the body.
async fn ask(server: &Instance, head: &str, body: &str) -> (u16, String) {
    let talk = async {
        // The console comes up right after the listeners.
        let mut stream = loop {
            match TcpStream::connect(server.console()).await {
                Ok(stream) => break stream,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let length = body.len();
        let request = format!(
            "{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = in_time(talk).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn get(server: &Instance, path: &str) -> (u16, String) {
    ask(server, &format!("GET {path} HTTP/1.1"), "").await
}

/// Submits a message with the token.
async fn submit(server: &Instance, fields: &str, message: &Value) -> (u16, Value) {
    let head = format!(
        "POST /api/v1/messages HTTP/1.1\r\nAuthorization: Bearer hunter2\r\nContent-Type: application/json{fields}"
    );
    let (status, body) = ask(server, &head, &message.to_string()).await;
    (status, serde_json::from_str(&body).unwrap())
}

/// A server whose configuration goes on with `tables`, in which `SECRET` is the path of a secret.
async fn server(lab: &Lab, tables: &'static str) -> Instance {
    let mut server = Instance::prepare(lab, &Setup::default());
    let secret = secret(&server.path("token"));
    let config = fs::read_to_string(server.config()).unwrap();
    let tables = tables.replace("SECRET", &secret.display().to_string());
    fs::write(server.config(), format!("{config}{tables}")).unwrap();
    server.launch().await;
    server
}

fn secret(path: &Path) -> PathBuf {
    fs::write(path, "hunter2\n").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

const TOKEN: &str = "[[console.token]]\nname = \"shop\"\nsecret_file = \"SECRET\"\n";

fn message(to: &str) -> Value {
    json!({"from": "Shop <shop@here.test>", "to": to, "subject": "Order 42", "text": "Thank you."})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_metrics_count_what_the_server_does() {
    let lab = Lab::new(ZONE).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    assert_eq!(get(&server, "/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get(&server, "/readyz").await.0, 200);
    server
        .send("a@client.test", &["anne@here.test"], "Subject: x\n\ny\n")
        .await;
    server.letter("anne");
    server.queue_is_empty();
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<a@client.test>", "250").await;
    talk.expect("RCPT TO:<x@nothing.test>", "556 5.1.10").await;

    let metrics = get(&server, "/metrics").await.1;
    for line in [
        "facteur_messages_accepted_total{protocol=\"esmtp\"} 1",
        "facteur_refused_total{stage=\"rcpt\",reply=\"null_mx\",code=\"556\"} 1",
        "facteur_tries_total{decision=\"delivered\",stage=\"mailbox\",speaker=\"us\",code=\"250\",category=",
        "facteur_messages_ended_total 1",
        "facteur_queue_messages 0",
        "facteur_connections 1",
    ] {
        assert!(
            metrics.lines().any(|found| found.starts_with(line)),
            "{line}\n{metrics}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_submitted_over_http_arrives_once_whatever_breaks() {
    let lab = Lab::new(ZONE).await;
    let mut server = server(&lab, TOKEN).await;
    let key = "\r\nIdempotency-Key: order-42";
    let (status, first) = submit(&server, key, &message("anne@here.test")).await;
    assert_eq!(status, 202, "{first}");
    let letter = server.letter("anne");
    assert_eq!(first["queue_id"], letter.id());
    assert_eq!(letter.field("subject").unwrap(), "Order 42");
    assert!(
        letter.field("received").unwrap().contains("from shop"),
        "{}",
        letter.text()
    );
    assert!(
        letter.field("received").unwrap().contains("with HTTP"),
        "{}",
        letter.text()
    );
    server.queue_is_empty();

    server.kill();
    server.launch().await;
    let again = submit(&server, key, &message("anne@here.test")).await;
    assert_eq!(again, (202, first));
    assert_eq!(server.letters("anne", 1).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn submission_has_the_policy_of_smtp_and_explains_it() {
    let lab = Lab::new(ZONE).await;
    let server = server(&lab, TOKEN).await;
    let (status, answer) = submit(
        &server,
        "\r\nAccept-Language: fr",
        &message("x@nothing.test"),
    )
    .await;
    assert_eq!(status, 422, "{answer}");
    let refused = &answer["recipients"][0]["explain"];
    assert_eq!(
        (&refused["code"], &refused["enhanced"]),
        (&json!(556), &json!("5.1.10"))
    );
    assert_eq!(refused["language"], "fr");
    assert_eq!(
        ask(
            &server,
            "POST /api/v1/messages HTTP/1.1\r\nContent-Type: application/json",
            "{}"
        )
        .await
        .0,
        401
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_secret_that_others_can_read_keeps_the_server_from_starting() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &Setup::default());
    let token = secret(&server.path("token"));
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let config = fs::read_to_string(server.config()).unwrap();
    let tables = TOKEN.replace("SECRET", &token.display().to_string());
    fs::write(server.config(), format!("{config}{tables}")).unwrap();
    let answer = server.run(&["serve"]);
    assert_ne!(answer.code, 0);
    assert!(answer.err.contains("chmod 600"), "{}", answer.err);
    assert!(!answer.err.contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bounce_is_told_to_a_webhook_that_was_away_and_comes_back_after_a_kill() {
    let lab = Lab::new(ZONE).await;
    let _far = lab
        .peer(2, Script::accept_all().on_rcpt("550 5.1.1 no such user"))
        .await;
    // The place is taken later: until then nobody is there.
    let hook = std::net::SocketAddr::new(lab.ip(3), 8080);
    let mut server = Instance::prepare(&lab, &Setup::default());
    let key = secret(&server.path("key"));
    let config = fs::read_to_string(server.config()).unwrap();
    let tables = format!(
        "[[webhook]]\nname = \"shop\"\nurl = \"http://{hook}/mail\"\nsecret_file = \"{}\"\nevents = [\"bounced\"]\n",
        key.display()
    );
    fs::write(server.config(), format!("{config}{tables}")).unwrap();
    server.launch().await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\ny\n")
        .await;
    server.letter("anne");
    until("a notice that was not taken", || {
        server.log().contains("did not take a notice").then_some(())
    });
    server.kill();

    let listener = TcpListener::bind(hook).await.unwrap();
    server.launch().await;
    let heard = in_time(async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut said = Vec::new();
        loop {
            let mut block = [0; 4096];
            let octets = stream.read(&mut block).await.unwrap();
            said.extend_from_slice(&block[..octets]);
            let text = String::from_utf8_lossy(&said).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && let Ok(body) = serde_json::from_str::<Value>(body)
            {
                stream
                    .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                    .await
                    .unwrap();
                break (head.to_lowercase(), body);
            }
        }
    })
    .await;
    assert!(heard.0.contains("webhook-signature: v1,"), "{}", heard.0);
    assert_eq!(heard.1["type"], "message.bounced");
    assert_eq!(heard.1["data"]["recipient"], "x@far.test");
    assert_eq!(heard.1["data"]["last_attempt"]["explain"]["key"], "x.1.1");
}
