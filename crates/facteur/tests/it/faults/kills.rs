//! `kill -9` at any moment under load: what was answered with 250 arrives, and next to nothing arrives twice.

use facteur_testkit::Script;

use crate::instance::{Instance, Lab, Setup, until};
use crate::load::{Books, Load, Sent, ZONE, drained, rounds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_lose_nothing_and_repeat_at_most_two_messages_each() {
    let rounds = rounds(12);
    assert!(repeated_by_kills("connections_per_destination = 2", 4, rounds).await <= 2 * rounds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_over_many_connections_lose_nothing() {
    let rounds = rounds(12);
    // At most one for each of the 20 connections that there are by default; how many it is, the line tells.
    assert!(repeated_by_kills("", 20, rounds).await <= 20 * rounds);
}

/// Kills a server again and again while it takes mail, and looks for every acknowledged message in a Maildir and at
/// the next server. Returns how many came to the next server twice; into the Maildir none does.
async fn repeated_by_kills(delivery: &'static str, sessions: u32, rounds: u32) -> u32 {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let delivery = format!("retry = [\"1s\"]\n{delivery}").leak();
    let setup = Setup {
        delivery,
        ..Setup::default()
    };
    let mut server = Instance::start(&lab, &setup).await;
    let mut sent = Sent::default();
    for round in 0..rounds {
        let load = Load::start(server.address(), &format!("r{round}"), sessions);
        // Differently each time, so that the kill falls into every phase of the traffic.
        let enough = (5 + round * 7 % 31) * sessions / 4;
        until("enough mail", || (load.taken() >= enough).then_some(()));
        server.kill();
        sent.add(load.end().await);
        if round % 3 == 0 {
            // Somewhere in the recovery.
            let mut early = server.spawn();
            early.kill().unwrap();
            early.wait().unwrap();
        }
        server.launch().await;
    }
    drained(&server);
    assert_eq!(server.run(&["spool", "check"]).code, 0);
    let books = Books::of(&server, &peer, &sent.acknowledged);
    println!(
        "kill -9: {rounds} under load of {sessions} sessions, {} acknowledged, {} lost, {} damaged, {} repeated ({:.1} a kill)",
        sent.acknowledged.len(),
        books.lost.len(),
        books.damaged.len(),
        books.repeated,
        f64::from(books.repeated) / f64::from(rounds)
    );
    books.assert_whole();
    assert_eq!(sent.refusals, [""; 0]);
    assert_eq!(books.repeated_in_mailbox, 0);
    books.repeated
}
