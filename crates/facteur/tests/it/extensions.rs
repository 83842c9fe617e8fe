//! What peers offer and do not offer: pipelining, 8BITMIME, SMTPUTF8, DSN, SIZE.

use facteur_testkit::Script;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::instance::{Instance, Lab, PEER_PORT, Setup, accepted, arrive, messages, queue_id};
use crate::letter::field;
use crate::talk::{in_time, stuffed};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn peers_with_and_without_pipelining_and_those_that_know_only_helo_get_their_mail() {
    let zone = "a.test MX 10 mx.a.test\nmx.a.test A @2\nb.test MX 10 mx.b.test\nmx.b.test A @3
c.test MX 10 mx.c.test\nmx.c.test A @4";
    let lab = Lab::new(zone).await;
    let peers = [
        lab.peer(2, Script::accept_all()).await,
        lab.peer(3, Script::accept_all().on_ehlo(&["SIZE"])).await,
        lab.peer(4, Script::accept_all().on("EHLO", "502 5.5.1 what?"))
            .await,
    ];
    let server = Instance::start(&lab, &Setup::default()).await;
    let to = ["x@a.test", "x@b.test", "x@c.test", "y@a.test"];
    server
        .send("a@client.test", &to, "Subject: x\n\nbody\n")
        .await;
    server.queue_is_empty();
    for peer in &peers {
        assert_eq!(accepted(peer).len(), 1);
        assert!(
            accepted(peer)[0]
                .content
                .ends_with(b"Subject: x\r\n\r\nbody\r\n")
        );
    }
    assert_eq!(accepted(&peers[0])[0].rcpts.len(), 2);
}

/// Answers to MAIL, RCPT and DATA only once all of them are there.
async fn answer_groups_only(listener: TcpListener) -> std::io::Result<Vec<String>> {
    let (stream, _) = listener.accept().await?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 peer.test\r\n").await?;
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(lines);
        }
        lines.push(line.trim_end().to_owned());
        let replies = match lines.last().map(String::as_str) {
            Some("DATA") => "250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.1.5 ok\r\n354 go\r\n",
            Some(".") => "250 2.0.0 taken\r\n",
            Some(hello) if hello.starts_with("EHLO") => "250-peer.test\r\n250 PIPELINING\r\n",
            _ => continue,
        };
        stream.write_all(replies.as_bytes()).await?;
        if replies.ends_with("taken\r\n") {
            return Ok(lines);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_peer_that_offers_pipelining_gets_its_commands_in_one_group() {
    let lab = Lab::new(ZONE).await;
    let listener = TcpListener::bind((lab.ip(2), PEER_PORT)).await.unwrap();
    let peer = tokio::spawn(answer_groups_only(listener));
    let server = Instance::start(&lab, &Setup::default()).await;
    let to = ["x@far.test", "y@far.test"];
    server.send("a@client.test", &to, "Subject: x\n\n").await;
    let lines = in_time(peer).await.unwrap().unwrap();
    let group = [
        "MAIL FROM:<a@client.test>",
        "RCPT TO:<x@far.test>",
        "RCPT TO:<y@far.test>",
    ];
    assert_eq!(lines[1..4], group);
    server.queue_is_empty();
}

async fn bounced(offered: &[&str], mail: &str, rcpt: &str, message: &[u8], code: &str, says: &str) {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all().on_ehlo(offered)).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect(mail, "250 ").await;
    talk.expect(rcpt, "250 ").await;
    talk.expect("DATA", "354 ").await;
    talk.send(&stuffed(message)).await;
    queue_id(&talk.reply().await);

    let report = server.letter("anne");
    let machine = report.machine();
    assert_eq!(field(&machine, "status").unwrap(), code);
    assert_eq!(field(&machine, "action").unwrap(), "failed");
    assert!(report.human().contains(says), "{}", report.human());
    server.queue_is_empty();
    assert!(messages(&peer).is_empty(), "nothing was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn eight_bit_content_is_not_sent_to_a_peer_without_8bitmime() {
    let mail = "MAIL FROM:<anne@here.test> BODY=8BITMIME";
    let message = "Subject: x\r\n\r\nd\u{e9}j\u{e0}\r\n".as_bytes();
    let to = "RCPT TO:<x@far.test>";
    bounced(&["PIPELINING"], mail, to, message, "5.6.3", "8BITMIME").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_international_address_is_not_sent_to_a_peer_without_smtputf8() {
    let mail = "MAIL FROM:<anne@here.test> SMTPUTF8";
    let to = "RCPT TO:<r\u{e9}mi@far.test>";
    let message = b"Subject: x\r\n\r\n";
    bounced(
        &["PIPELINING", "8BITMIME"],
        mail,
        to,
        message,
        "5.6.7",
        "SMTPUTF8",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_is_not_sent_to_a_peer_that_announced_a_smaller_size() {
    let message = b"0123456789abcd\r\n".repeat(100);
    let to = "RCPT TO:<x@far.test>";
    let mail = "MAIL FROM:<anne@here.test>";
    bounced(&["SIZE 1000"], mail, to, &message, "5.3.4", "1000").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn seven_bit_mail_goes_to_the_plainest_peer_even_if_declared_eight_bit() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all().on_ehlo(&[])).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<anne@here.test> BODY=8BITMIME", "250 ")
        .await;
    talk.rcpts(&["x@far.test"]).await;
    talk.expect("DATA", "354 ").await;
    talk.expect("Subject: plain\r\n\r\nplain\r\n.", "250 ")
        .await;
    let received = arrive(&peer, 1);
    assert_eq!(received[0].mail, "MAIL FROM:<anne@here.test>");
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn international_mail_goes_to_a_peer_that_takes_it() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect(
        "MAIL FROM:<ren\u{e9}e@here.test> SMTPUTF8 BODY=8BITMIME",
        "250 ",
    )
    .await;
    talk.rcpts(&["r\u{e9}mi@far.test"]).await;
    talk.expect("DATA", "354 ").await;
    talk.expect("Subject: d\u{e9}j\u{e0}\r\n\r\n\u{2709}\r\n.", "250 ")
        .await;
    let received = arrive(&peer, 1);
    assert!(
        received[0].mail.contains("SMTPUTF8"),
        "{}",
        received[0].mail
    );
    assert_eq!(received[0].rcpts, ["RCPT TO:<r\u{e9}mi@far.test>"]);
    server.queue_is_empty();
}
