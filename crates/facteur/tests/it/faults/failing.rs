//! Writes and flushes that fail: nothing is acknowledged that is not durable, and work goes on with the disk.

use std::time::{Duration, Instant};

use facteur_faultdisk::{Call, Left, When};
use facteur_testkit::{Peer, Script};

use crate::instance::{Instance, Lab, Setup, accepted, until};
use crate::load::{Books, Load, Sent, ZONE, rounds};

/// How many sessions send at once.
const SESSIONS: u32 = 8;

/// How long the server may take to serve again on a disk that was repaired.
const SERVES_AGAIN: Duration = Duration::from_secs(60);

/// A server on a fault disk, and the next server.
async fn lab() -> Option<(Lab, Peer, Instance)> {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let mut server = Instance::prepare_on_fault_disk(&lab, &Setup::default())?;
    server.launch().await;
    Some((lab, peer, server))
}

/// Cuts the power so that nothing is left of what was not flushed, starts again, and keeps the books.
async fn after_a_cut(server: &mut Instance, peer: &Peer, sent: &Sent) -> Books {
    server.disk().cut();
    server.kill();
    server.disk().power_on(Left::Nothing);
    server.launch().await;
    server.queue_is_empty();
    assert_eq!(server.run(&["spool", "check"]).code, 0);
    let books = Books::of(server, peer, &sent.acknowledged);
    books.assert_whole();
    books
}

/// Every refusal is for now, and says that the fault is ours.
fn are_temporary(sent: &Sent) {
    for refusal in &sent.refusals {
        assert!(
            refusal.starts_with("451 4.3.0") || refusal.starts_with("452 4.3.1"),
            "{refusal}"
        );
    }
}

async fn a_disk_that_fails(call: Call) {
    let Some((_lab, peer, mut server)) = lab().await else {
        return;
    };
    let load = Load::start(server.address(), "x", SESSIONS);
    until("mail", || (load.taken() >= 30).then_some(()));
    server.disk().fail(call, When::Always);
    until("refusals", || (load.refused() >= SESSIONS).then_some(()));
    let taken = load.taken();
    until("more refusals", || {
        (load.refused() >= 4 * SESSIONS).then_some(())
    });
    // By now, what was on its way when the disk failed has arrived.
    let delivered = accepted(&peer).len();
    until("many refusals", || {
        (load.refused() >= 8 * SESSIONS).then_some(())
    });
    assert_eq!(load.taken(), taken, "250 on a disk that fails");
    // What cannot be recorded is not begun.
    assert_eq!(
        accepted(&peer).len(),
        delivered,
        "delivered on a disk that fails"
    );
    server.disk().mend();
    let began = Instant::now();
    until("mail again", || (load.taken() >= taken + 30).then_some(()));
    assert!(began.elapsed() < SERVES_AGAIN);
    let sent = load.end().await;
    are_temporary(&sent);
    after_a_cut(&mut server, &peer, &sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_fail_give_451_and_lose_nothing() {
    a_disk_that_fails(Call::Write).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushes_that_fail_give_451_and_lose_nothing() {
    a_disk_that_fails(Call::Flush).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_write_or_flush_that_fails_under_load_loses_nothing() {
    let Some((_lab, peer, mut server)) = lab().await else {
        return;
    };
    let mut sent = Sent::default();
    let rounds = rounds(12);
    for round in 0..rounds {
        let load = Load::start(server.address(), &format!("r{round}"), SESSIONS);
        until("mail", || (load.taken() >= 10).then_some(()));
        let call = [Call::Flush, Call::Write][usize::try_from(round % 2).unwrap()];
        server
            .disk()
            .fail(call, When::OnceAfter((round * 5 % 23).into()));
        until("mail after it", || (load.taken() >= 60).then_some(()));
        sent.add(load.end().await);
    }
    are_temporary(&sent);
    let books = after_a_cut(&mut server, &peer, &sent).await;
    println!(
        "failing writes and flushes: {rounds} under load of {SESSIONS} sessions, {} acknowledged, {} refused with 4yz, 0 lost, 0 damaged, {} repeated",
        sent.acknowledged.len(),
        sent.refusals.len(),
        books.repeated
    );
}
