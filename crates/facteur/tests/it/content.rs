//! The message itself: what comes out is what came in, whatever its lines look like.

use std::fmt::Write as _;

use facteur_testkit::Script;

use crate::instance::{Instance, Lab, Setup, arrive, messages, queue_id, until};
use crate::letter::Letter;
use crate::talk::stuffed;

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2";

/// Bodies that a careless server would change or cut, with CRLF.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        "\r\n",
        "no header at all\r\n",
        ".\r\n",
        "..\r\n",
        ".x\r\n",
        "...\r\n.\r\n..\r\n",
        "Subject: dots\r\n\r\n.\r\n",
        "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\nmiddle\r\n..\r\n.x\r\n.\r\n",
        "Subject: space\r\n\r\n . \r\n. \r\n.\t\r\n \r\n\r\n\r\n",
        "Subject: commands\r\n\r\nQUIT\r\nRSET\r\n.QUIT\r\nMAIL FROM:<a@b.test>\r\n",
        "Return-Path: <mine@client.test>\r\nSubject: mine\r\n\r\nx\r\n",
    ]
    .map(|body| body.as_bytes().to_vec())
    .to_vec();
    bodies.push(b"Subject: octets\r\n\r\n\x80\xff\x00\x1a\x7f\r\n".to_vec());
    bodies.push(
        [
            b"X: long\r\n\r\n".to_vec(),
            b"y".repeat(5_000),
            b"\r\n".to_vec(),
        ]
        .concat(),
    );
    bodies
}

/// 1 MiB of periods: on one line, one a line, and in lines of 77.
fn periods() -> Vec<Vec<u8>> {
    let size = 1 << 20;
    let mut lines = ".".repeat(77) + "\r\n";
    lines = lines.repeat(size / 79);
    [".".repeat(size) + "\r\n", ".\r\n".repeat(size / 3), lines]
        .map(|body| format!("Subject: periods\r\n\r\n{body}").into_bytes())
        .to_vec()
}

/// Sends bodies, in two chunks or by DATA, to a Maildir and to the next server, which must both get them as they are.
async fn arrives_unchanged(bodies: Vec<Vec<u8>>, chunks: bool) {
    let lab = Lab::new(ZONE).await;
    let script = if chunks {
        Script::accept_all()
    } else {
        Script::accept_all().on_ehlo(&["PIPELINING", "8BITMIME"])
    };
    let peer = lab.peer(2, script).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    let to = ["anne@here.test", "x@far.test"];
    for (number, body) in bodies.iter().enumerate() {
        talk.expect("MAIL FROM:<a@client.test> BODY=8BITMIME", "250 ")
            .await;
        talk.rcpts(&to).await;
        let reply = if chunks {
            let (first, second) = body.split_at(body.len() / 2);
            talk.send(&[format!("BDAT {}\r\n", first.len()).as_bytes(), first].concat())
                .await;
            talk.reply().await;
            let last = format!("BDAT {} LAST\r\n", second.len());
            talk.send(&[last.as_bytes(), second].concat()).await;
            talk.reply().await
        } else {
            talk.expect("DATA", "354 ").await;
            talk.send(&stuffed(body)).await;
            talk.reply().await
        };
        let id = queue_id(&reply);
        let shown = body[..body.len().min(200)].escape_ascii().to_string();

        let remote = arrive(&peer, number + 1).pop().unwrap();
        assert_is_behind_trace_fields(body, &remote.content, &shown);
        if !chunks {
            let wire = [&remote.wire[..], b".\r\n"].concat();
            assert!(wire == stuffed(&remote.content), "{shown}");
        }

        let letter = until("the letter", || {
            let mut letters = server.mailbox("anne").into_iter();
            letters.find(|letter| letter.id() == id)
        });
        assert_is_behind_trace_fields(&unix(body), letter.octets(), &shown);
    }
    assert_eq!(messages(&peer).len(), bodies.len());
}

/// Whether a message holds this body, behind nothing but what Facteur puts in front.
fn assert_is_behind_trace_fields(body: &[u8], message: &[u8], shown: &str) {
    let (trace, found) = message.split_at(message.len() - body.len());
    assert!(found == body, "{shown}");
    let trace = Letter::new(trace.to_vec());
    assert_eq!(trace.content(), b"", "{shown}");
}

/// CRLF becomes LF, and nothing else changes.
fn unix(body: &[u8]) -> Vec<u8> {
    let mut octets = body.to_vec();
    let mut at = 0;
    octets.retain(|_| {
        at += 1;
        !body[at - 1..].starts_with(b"\r\n")
    });
    octets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dots_and_odd_lines_arrive_octet_for_octet() {
    arrives_unchanged(bodies(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn chunks_arrive_octet_for_octet() {
    arrives_unchanged(bodies(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mebibyte_of_periods_arrives_octet_for_octet() {
    arrives_unchanged(periods(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bare_cr_or_lf_is_refused_and_goes_nowhere() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    let to = ["anne@here.test", "x@far.test"];
    for bad in [
        "Subject: x\n\r\nbody\r\n.\r\n",
        "Subject: x\r\n\r\na\rb\r\n.\r\n",
        "Subject: x\r\n\r\na\n.\n\r\n.\r\n",
        "Subject: x\r\n\r\na\n.\r\nb\r\n.\r\n",
        "Subject: x\r\n\r\na\r.\r\nb\r\n.\r\n",
    ] {
        talk.open_data("a@client.test", &to).await;
        talk.send(bad.as_bytes()).await;
        let reply = talk.reply().await;
        assert!(reply.starts_with("550 5.6.11 "), "{bad:?} got {reply}");
    }
    let reply = talk
        .deliver("a@client.test", &to, b"Subject: good\r\n\r\n")
        .await;
    queue_id(&reply);
    arrive(&peer, 1);
    server.queue_is_empty();
    assert_eq!(messages(&peer).len(), 1, "only the good one");
    assert!(server.letter("anne").text().contains("Subject: good"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_that_has_been_everywhere_is_refused_as_a_loop() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut message = String::new();
    for hop in 0..60 {
        write!(message, "Received: from a{hop}.test by b{hop}.test; x\r\n").unwrap();
    }
    message.push_str("Subject: round\r\n\r\n");
    let mut talk = server.talk().await;
    let to = ["anne@here.test"];
    let reply = talk.deliver("a@client.test", &to, message.as_bytes()).await;
    assert!(reply.starts_with("554 5.4.6 "), "{reply}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_over_the_limit_is_refused_at_mail_and_at_its_end() {
    let lab = Lab::new("").await;
    let setup = Setup {
        limits: "message_size = \"64 KiB\"",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let mut talk = server.talk().await;
    let declared = "MAIL FROM:<a@client.test> SIZE=65537";
    talk.expect(declared, "552 5.3.4 ").await;
    let to = ["anne@here.test"];
    let big = "0123456789abcd\r\n".repeat(4_097);
    let reply = talk.deliver("a@client.test", &to, big.as_bytes()).await;
    assert!(reply.starts_with("552 5.3.4 "), "{reply}");
    let fits = "0123456789abcd\r\n".repeat(4_000);
    let reply = talk.deliver("a@client.test", &to, fits.as_bytes()).await;
    queue_id(&reply);
    server.letter("anne");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn text_goes_by_bdat_where_that_is_offered_known_and_wanted() {
    let liar = Script::accept_all().without_bdat();
    for (script, delivery, verbs) in [
        (Script::accept_all(), "", &["BDAT"][..]),
        (Script::accept_all(), "chunking = false", &["DATA"]),
        (Script::accept_all().on_ehlo(&["PIPELINING"]), "", &["DATA"]),
        (liar, "retry = [\"1d\"]", &["BDAT", "DATA", "DATA"]),
    ] {
        let lab = Lab::new(ZONE).await;
        let peer = lab.peer(2, script).await;
        let setup = Setup {
            delivery,
            ..Setup::default()
        };
        let server = Instance::start(&lab, &setup).await;
        for number in 1..=2 {
            let text = format!("Subject: {number}\n\n.\nQUIT\n");
            server.send("a@client.test", &["x@far.test"], &text).await;
            let content = arrive(&peer, number).pop().unwrap().content;
            assert!(content.ends_with(b"\r\n\r\n.\r\nQUIT\r\n"));
        }
        server.queue_is_empty();
        let lines = peer.sessions().concat();
        let mut found: Vec<_> = lines
            .iter()
            .filter_map(|line| line.get(..4).filter(|verb| ["BDAT", "DATA"].contains(verb)))
            .collect();
        found.dedup_by(|a, b| a == b && verbs.len() == 1);
        assert_eq!(found, verbs, "{lines:?}");
    }
}
