//! Writes and flushes that fail: nothing is acknowledged that is not durable, and work goes on with the disk.

use facteur_faultdisk::{Call, When};

use crate::faults::scene::{SESSIONS, Scene};
use crate::instance::{Setup, accepted};
use crate::load::{Sent, rounds};

async fn a_disk_that_fails(call: Call) {
    let Some(scene) = Scene::new(&Setup::default()).await else {
        return;
    };
    let load = scene.load("x", 30);
    scene.disk().fail(call, When::Always);
    scene.refuses(&load, SESSIONS);
    let taken = load.taken();
    scene.refuses(&load, 3 * SESSIONS);
    // By now, what was on its way when the disk failed has arrived.
    let delivered = accepted(&scene.peer).len();
    scene.refuses(&load, 4 * SESSIONS);
    assert_eq!(load.taken(), taken, "250 on a disk that fails");
    // What cannot be recorded is not begun.
    assert_eq!(
        accepted(&scene.peer).len(),
        delivered,
        "delivered on a disk that fails"
    );
    scene.disk().mend();
    scene.serves_again(&load);
    scene.balance(&load.end().await).await;
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
    let Some(scene) = Scene::new(&Setup::default()).await else {
        return;
    };
    let mut sent = Sent::default();
    let rounds = rounds(12);
    for round in 0..rounds {
        let load = scene.load(&format!("r{round}"), 10);
        let call = [Call::Flush, Call::Write][usize::try_from(round % 2).unwrap()];
        let after = (round * 5 % 23).into();
        scene.disk().fail(call, When::OnceAfter(after));
        scene.serves_again(&load);
        sent.add(load.end().await);
    }
    let books = scene.balance(&sent).await;
    println!(
        "failing writes and flushes: {rounds} under load of {SESSIONS} sessions, {} acknowledged, {} refused with 4yz, 0 lost, 0 damaged, {} repeated",
        sent.acknowledged.len(),
        sent.refusals.len(),
        books.repeated
    );
}
