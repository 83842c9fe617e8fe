//! Loss of power at any moment: what was not flushed is gone, or half of it.

use std::time::{Duration, Instant};

use facteur_faultdisk::Left;
use facteur_testkit::Script;

use crate::instance::{Instance, Lab, Setup, until};
use crate::load::{Books, Load, Sent, ZONE, drained, rounds};

/// How many sessions send at once.
const SESSIONS: u32 = 8;

/// To how many connections the next server is spoken to at once: as many messages may be in doubt at a cut.
const CONNECTIONS: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_of_power_under_load_lose_nothing_and_damage_nothing() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let Some(mut server) = Instance::prepare_on_fault_disk(&lab, &Setup::default()) else {
        return;
    };
    server.launch().await;
    let rounds = rounds(20);
    let mut sent = Sent::default();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let load = Load::start(server.address(), &format!("r{round}"), SESSIONS);
        let enough = 10 + round * 13 % 67;
        until("enough mail", || (load.taken() >= enough).then_some(()));
        server.disk().cut();
        server.kill();
        sent.add(load.end().await);
        server.disk().power_on(Left::BySeed(round.into()));
        if round % 4 == 0 {
            // Again, somewhere in the recovery.
            let mut early = server.spawn();
            std::thread::sleep(Duration::from_millis((round * 3 % 40).into()));
            server.disk().cut();
            early.kill().unwrap();
            early.wait().unwrap();
            server.disk().power_on(Left::BySeed((round + 1_000).into()));
        }
        let began = Instant::now();
        server.launch().await;
        slowest = slowest.max(began.elapsed());
    }
    drained(&server);
    assert_eq!(server.run(&["spool", "check"]).code, 0);
    let books = Books::of(&server, &peer, &sent.acknowledged);
    println!(
        "power cuts: {rounds} under load of {SESSIONS} sessions, {} acknowledged, {} lost, {} damaged, {} repeated ({:.1} a cut), up again in {slowest:.1?} at most",
        sent.acknowledged.len(),
        books.lost.len(),
        books.damaged.len(),
        books.repeated,
        f64::from(books.repeated) / f64::from(rounds)
    );
    books.assert_whole();
    assert!(books.repeated <= CONNECTIONS * rounds);
}
