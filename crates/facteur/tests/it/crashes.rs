//! `kill -9` at chosen moments: what was answered with 250 arrives. (`faults/kills.rs` kills under load.)

use facteur_testkit::{Peer, Script};

use crate::instance::{Instance, Lab, Setup, accepted, arrive, queue_id, until};
use crate::letter::Letter;
use crate::load::ZONE;
use crate::talk::stuffed;

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
