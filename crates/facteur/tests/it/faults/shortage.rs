//! Descriptors and memory that run short: whoever is too many is told to come again, or nothing at all; the server lives.

use std::fs;

use facteur_testkit::{Client, Script};

use crate::instance::{Instance, Lab, Setup, until};
use crate::load::{Books, Load, ZONE};
use crate::talk::in_time;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_descriptors_connections_get_421_and_those_that_are_there_are_served() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let mut server = Instance::prepare(&lab, &Setup::default());
    // Not for a tenth of the connections that the configuration allows.
    server.limit("ulimit -n 600");
    server.launch().await;
    assert!(server.log().contains("fewer connections than configured"));
    let load = Load::start(server.address(), "x", 4);
    until("mail", || (load.taken() >= 20).then_some(()));
    let mut crowd = Vec::new();
    let mut turned_away = 0;
    for _ in 0..400 {
        let mut client = in_time(Client::connect(server.address())).await.unwrap();
        match in_time(client.reply()).await {
            Ok(reply) if reply.code == 220 => crowd.push(client),
            Ok(reply) => {
                assert_eq!(reply.code, 421, "{reply}");
                turned_away += 1;
            }
            Err(_) => turned_away += 1,
        }
    }
    assert!(turned_away > 100, "{turned_away} of 400");
    let before = load.taken();
    until("mail in a crowd", || {
        (load.taken() >= before + 20).then_some(())
    });
    drop(crowd);
    let sent = load.end().await;
    assert_eq!(sent.refusals, [""; 0]);
    server.queue_is_empty();
    Books::of(&server, &peer, &sent.acknowledged).assert_whole();
}

/// The most memory that the server has had, in octets.
fn peak(server: &Instance) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_large_messages_at_once_go_to_the_disk_and_not_into_memory() {
    const AT_ONCE: usize = 12;
    let lab = Lab::new(ZONE).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    // The first time brings the program itself into memory.
    send_side_by_side(&server, AT_ONCE, 10).await;
    let before = peak(&server);
    // 3.6 MB in each, 43 MB in all.
    send_side_by_side(&server, AT_ONCE, 30).await;
    let grown = peak(&server).saturating_sub(before);
    assert!(
        grown < 16 << 20,
        "{grown} octets more for {AT_ONCE} messages"
    );
    assert_eq!(server.letters("anne", 2 * AT_ONCE).len(), 2 * AT_ONCE);
}

/// Sends so many messages at once, each in so many pieces of 120 kB, a piece of each in turn.
async fn send_side_by_side(server: &Instance, messages: usize, pieces: usize) {
    let piece = "0123456789\r\n".repeat(10_000);
    let mut talks = Vec::new();
    for _ in 0..messages {
        let mut talk = server.talk().await;
        talk.open_data("a@client.test", &["anne@here.test"]).await;
        talks.push(talk);
    }
    for _ in 0..pieces {
        for talk in &mut talks {
            talk.send(piece.as_bytes()).await;
        }
    }
    for talk in &mut talks {
        talk.send(b".\r\n").await;
        let reply = talk.reply().await;
        assert!(reply.starts_with("250 "), "{reply}");
    }
}
