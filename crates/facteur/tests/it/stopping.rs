//! SIGTERM, and who owns the data.

use std::time::{Duration, Instant};

use facteur_testkit::{Act, Script};

use crate::instance::{Instance, Lab, Setup, accepted, arrive, is_listening, queue_id, until};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sigterm_ends_idle_sessions_with_421_lets_a_message_finish_and_loses_nothing() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    let waiting = server
        .send("a@client.test", &["x@far.test"], "Subject: waits\n\n")
        .await;
    let mut idle = server.talk().await;
    let mut open = server.talk().await;
    open.expect("MAIL FROM:<a@client.test>", "250 ").await;
    let mut busy = server.talk().await;
    busy.open_data("a@client.test", &["x@far.test"]).await;
    busy.send(b"Subject: half\r\n\r\n").await;

    server.terminate();
    for talk in [&mut idle, &mut open] {
        let last = talk.reply().await;
        assert!(last.starts_with("421 4.3.2 "), "{last}");
        assert_eq!(talk.rest().await, "");
    }
    busy.send(b"the other half\r\n.\r\n").await;
    let last = busy.reply().await;
    let mut expected = vec![waiting];
    if last.starts_with("421 ") {
        assert!(last.starts_with("421 4.3.2 "), "{last}");
    } else {
        expected.push(queue_id(&last));
    }
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    assert!(!is_listening(server.address()));

    let ids = |server: &Instance| -> Vec<String> {
        let id = |message: &serde_json::Value| message["queue_id"].as_str().unwrap().to_owned();
        server.queue().iter().map(id).collect()
    };
    assert_eq!(
        ids(&server),
        expected,
        "the queue can be read while nobody runs"
    );
    peer.set_script(Script::accept_all());
    server.launch().await;
    arrive(&peer, expected.len());
    server.queue_is_empty();
    assert_eq!(accepted(&peer).len(), expected.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_that_never_ends_does_not_hold_up_the_stop() {
    let lab = Lab::new("").await;
    let setup = Setup {
        limits: "shutdown_grace = \"1s\"",
        ..Setup::default()
    };
    let mut server = Instance::start(&lab, &setup).await;
    let mut busy = server.talk().await;
    busy.open_data("a@client.test", &["anne@here.test"]).await;
    busy.send(b"Subject: half\r\n").await;
    let told = Instant::now();
    server.terminate();
    let last = busy.reply().await;
    assert!(last.starts_with("421 4.3.2 "), "{last}");
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "{:?}",
        told.elapsed()
    );
    server.launch().await;
    assert!(server.queue().is_empty());
    assert!(server.mailboxes().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_delivery_under_way_may_end_before_the_stop() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().once(Script::END, Act::Silence))
        .await;
    let setup = Setup {
        limits: "shutdown_grace = \"1s\"",
        ..Setup::default()
    };
    let mut server = Instance::start(&lab, &setup).await;
    server
        .send("a@client.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    server.terminate();
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    server.launch().await;
    arrive(&peer, 2);
    server.queue_is_empty();
    assert_eq!(accepted(&peer).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_second_server_on_the_same_data_is_refused_and_disturbs_nothing() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let answer = server.run(&["serve"]);
    assert_eq!(answer.code, 5, "{answer:?}");
    let data = server.path("data").display().to_string();
    assert!(answer.err.contains(&data), "it names the data: {answer:?}");
    server
        .send("a@client.test", &["anne@here.test"], "Subject: x\n\n")
        .await;
    server.letter("anne");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_that_is_taken_is_named_with_an_exit_code_of_its_own() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut other = Instance::prepare(&lab, &Setup::default());
    let answer = other.run(&["serve"]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let address = server.address().to_string();
    assert!(answer.err.contains(&address), "{answer:?}");
    drop(server);
    until("the address is free", || {
        (!is_listening(other.address())).then_some(())
    });
    other.launch().await;
}
