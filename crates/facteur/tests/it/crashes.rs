//! `kill -9` at any moment: what was answered with 250 arrives, and next to nothing arrives twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use facteur_testkit::{Client, Peer, Script};

use crate::instance::{Instance, Lab, PATIENCE, Setup, accepted, arrive, queue_id, until};
use crate::letter::{Letter, field};
use crate::talk::{in_time, stuffed};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2";

/// How often the server is killed under load.
const ROUNDS: u32 = 16;

/// How many sessions send at once.
const SESSIONS: u32 = 4;

/// How many acknowledged messages a round waits for before the kill, differently each time, so that it falls
/// into every phase of the traffic.
const fn enough(round: u32) -> u32 {
    5 + round * 7 % 31
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_lose_nothing_and_repeat_at_most_two_messages_each() {
    let delivery = "retry = [\"1s\"]\nconnections_per_destination = 2";
    assert!(repeated_by_kills(delivery).await <= 2 * ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_repeat_at_most_one_message_for_each_connection() {
    let delivery = "retry = [\"1s\"]\nconnections_per_destination = 8";
    assert!(repeated_by_kills(delivery).await <= 8 * ROUNDS);
}

/// Kills a server again and again while it takes mail, and looks for every acknowledged message in a Maildir and at
/// the next server. Returns how many came to the next server twice; into the Maildir none does.
async fn repeated_by_kills(delivery: &'static str) -> u32 {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let setup = Setup {
        delivery,
        ..Setup::default()
    };
    let mut server = Instance::start(&lab, &setup).await;
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let load = Arc::new(Load::default());
        let sessions: Vec<_> = (0..SESSIONS)
            .map(|session| {
                let name = format!("r{round}s{session}");
                tokio::spawn(send_until_lost(server.address(), name, Arc::clone(&load)))
            })
            .collect();
        until("enough mail", || {
            (load.taken() >= enough(round)).then_some(())
        });
        server.kill();
        for session in sessions {
            acknowledged.extend(in_time(session).await.unwrap());
        }
        if round % 3 == 0 {
            // Somewhere in the recovery.
            let mut early = server.spawn();
            early.kill().unwrap();
            early.wait().unwrap();
        }
        server.launch().await;
    }
    server.queue_is_empty();
    assert_eq!(server.run(&["spool", "check"]).code, 0);

    let boxes = server
        .mailbox("anne")
        .into_iter()
        .map(|letter| letter.text());
    let sent = accepted(&peer).into_iter();
    let relayed = sent.map(|message| Letter::new(message.content).text());
    let (boxes, relayed) = (count(boxes), count(relayed));
    for (place, found) in [("Maildir", &boxes), ("next server", &relayed)] {
        let missing = |name: &&String| !found.contains_key(*name);
        let lost: Vec<_> = acknowledged.iter().filter(missing).collect();
        assert!(
            lost.is_empty(),
            "acknowledged, not in the {place}: {lost:?}"
        );
    }
    assert!(boxes.values().all(|times| *times == 1), "{boxes:?}");
    relayed.values().map(|times| times - 1).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_kill_after_each_step_of_a_session_keeps_what_was_acknowledged_and_nothing_else() {
    const STEPS: [&str; 7] = [
        "EHLO client.test\r\n",
        "MAIL FROM:<a@client.test>\r\n",
        "RCPT TO:<anne@here.test>\r\n",
        "DATA\r\n",
        "Subject: whole\r\n\r\nfirst\r\n",
        "second\r\n",
        ".\r\n",
    ];
    let lab = Lab::new("").await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    for steps in 0..=STEPS.len() {
        let mut talk = crate::talk::Talk::open(server.address()).await;
        for (at, step) in STEPS.iter().take(steps).enumerate() {
            talk.send(step.as_bytes()).await;
            if at < 4 || at == 6 {
                let reply = talk.reply().await;
                assert!(reply.starts_with(['2', '3']), "{reply}");
            }
        }
        server.kill();
        server.launch().await;
        if steps < STEPS.len() {
            assert!(server.mailboxes().is_empty(), "after {steps} steps");
            assert!(server.queue().is_empty(), "after {steps} steps");
        }
    }
    let letter = server.letter("anne");
    assert_eq!(letter.content(), b"Subject: whole\n\nfirst\nsecond\n");
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_kill_between_the_dot_and_its_reply_leaves_the_message_whole_or_not_at_all() {
    let lab = Lab::new("").await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    let body = format!("Subject: whole\r\n\r\n{}", "0123456789\r\n".repeat(20_000));
    let mut acknowledged = 0;
    for _ in 0..5 {
        let mut talk = server.talk().await;
        talk.open_data("a@client.test", &["anne@here.test"]).await;
        talk.send(&stuffed(body.as_bytes())).await;
        server.kill();
        if let Some(reply) = talk.reply_or_end().await {
            queue_id(&reply);
            acknowledged += 1;
        }
        server.launch().await;
    }
    server.queue_is_empty();
    let letters = server.mailbox("anne");
    assert!(
        letters.len() >= acknowledged,
        "{} of {acknowledged}",
        letters.len()
    );
    for letter in letters {
        assert!(letter.content() == body.replace("\r\n", "\n").as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_kill_while_a_message_waits_forgets_neither_it_nor_its_tries() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let setup = Setup {
        delivery: "retry = [\"1s\", \"2s\"]",
        ..Setup::default()
    };
    let mut server = Instance::start(&lab, &setup).await;
    let id = server
        .send("a@client.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    let attempts = |server: &Instance| server.queue()[0]["recipients"][0]["attempts"].as_u64();
    until("two tries", || (attempts(&server) >= Some(2)).then_some(()));
    server.kill();
    let before = attempts(&server);
    assert!(before >= Some(2));
    server.launch().await;
    assert!(attempts(&server) >= before);
    let shown = server.run(&["queue", "show", &id]);
    assert!(shown.out.contains("450 4.2.1 not now"), "{shown:?}");
    peer.set_script(Script::accept_all());
    arrive(&peer, 1);
    server.queue_is_empty();
    assert_eq!(accepted(&peer).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_kill_while_the_next_server_thinks_sends_again_under_the_same_name() {
    let lab = Lab::new(ZONE).await;
    let script = Script::accept_all().once(Script::END, facteur_testkit::Act::Silence);
    let peer: Peer = lab.peer(2, script).await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    let message = "Message-ID: <one@here.test>\nSubject: x\n\n";
    let id = server.send("a@client.test", &["x@far.test"], message).await;
    arrive(&peer, 1);
    server.kill();
    server.launch().await;
    let received = arrive(&peer, 2);
    server.queue_is_empty();
    for message in &received {
        let letter = Letter::new(message.content.clone());
        assert_eq!(letter.id(), id);
        assert_eq!(letter.field("message-id").unwrap(), "<one@here.test>");
    }
    assert_eq!(received[0].content, received[1].content);
    assert_eq!(received.len(), 2);
}

/// What the sessions of a round have in common.
#[derive(Default)]
struct Load {
    taken: AtomicU32,
}

impl Load {
    fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Sends messages until the connection is lost; returns the names of those that were answered with 250.
async fn send_until_lost(
    server: std::net::SocketAddr,
    name: String,
    load: Arc<Load>,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut client) = Client::connect(server).await else {
        return acknowledged;
    };
    if client.reply().await.is_err() || client.say("EHLO client.test").await.is_err() {
        return acknowledged;
    }
    let filling = "x".repeat(70) + "\r\n";
    for number in 0_usize.. {
        let name = format!("{name}n{number}");
        let body = filling.repeat(number * 37 % 400);
        let message = format!("Subject: {name}\r\n\r\n{body}");
        let group = "MAIL FROM:<a@client.test>\r\nRCPT TO:<anne@here.test>\r\nRCPT TO:<x@far.test>\r\nDATA\r\n";
        let content = stuffed(message.as_bytes());
        if !exchange(&mut client, group.as_bytes(), 4).await
            || !exchange(&mut client, &content, 1).await
        {
            break;
        }
        acknowledged.push(name);
        load.taken.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// Sends octets and reads replies; whether all of them came and none was a refusal.
async fn exchange(client: &mut Client<tokio::net::TcpStream>, octets: &[u8], replies: u32) -> bool {
    if client.send_raw(octets).await.is_err() {
        return false;
    }
    for _ in 0..replies {
        match tokio::time::timeout(PATIENCE, client.reply()).await {
            Ok(Ok(reply)) if reply.code < 400 => {}
            Ok(Ok(reply)) => panic!("refused: {reply}"),
            Ok(Err(_)) => return false,
            Err(_) => panic!("no reply"),
        }
    }
    true
}

/// How often each message is there.
fn count(texts: impl Iterator<Item = String>) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for text in texts {
        *found.entry(field(&text, "subject").unwrap()).or_insert(0) += 1;
    }
    found
}
