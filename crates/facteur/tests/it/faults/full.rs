//! A disk without room, without inodes, that can no longer be written, or that is slow: mail is refused for now, what
//! is queued goes on, and all is well when the disk is.

use std::time::Duration;

use facteur_testkit::Script;

use crate::faults::scene::{SESSIONS, Scene};
use crate::instance::{Setup, accepted, until};
use crate::load::drained;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_no_free_octet_mail_gets_452_and_the_queue_still_goes_out() {
    let Some(scene) = Scene::new(&Setup::default()).await else {
        return;
    };
    scene
        .peer
        .set_script(Script::accept_all().on_rcpt("450 4.2.1 not now"));
    let load = scene.load("x", 200);
    scene.disk().leave_free(0);
    scene.refuses(&load, 2 * SESSIONS);
    let sent = load.end().await;
    assert!(
        sent.refusals
            .iter()
            .any(|reply| reply.starts_with("452 4.3.1"))
    );
    // The next server takes mail again, and there is not one octet to record it but what was kept.
    assert!(accepted(&scene.peer).is_empty());
    scene.peer.set_script(Script::accept_all());
    until("everything at the next server", || {
        (accepted(&scene.peer).len() >= sent.acknowledged.len()).then_some(())
    });
    let talk = scene
        .server
        .talk()
        .await
        .say("MAIL FROM:<a@client.test>")
        .await;
    assert!(talk.starts_with("452 4.3.1"), "{talk}");
    scene.disk().make_room();
    let load = scene.load("y", 30);
    let mut sent = sent;
    sent.add(load.end().await);
    // Nothing is under way at the cut: a message that comes again was not recorded.
    drained(&scene.server);
    let books = scene.balance(&sent).await;
    println!(
        "full disk: {} acknowledged, {} refused with 4yz, all delivered at 0 octets free, {} repeated",
        sent.acknowledged.len(),
        sent.refusals.len(),
        books.repeated
    );
    assert_eq!(
        books.repeated, 0,
        "what was delivered without room was recorded"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_while_a_message_comes_in_gives_452_after_the_dot() {
    let Some(scene) = Scene::new(&Setup::default()).await else {
        return;
    };
    let mut talk = scene.server.talk().await;
    talk.open_data("a@client.test", &["anne@here.test"]).await;
    let piece = "0123456789\r\n".repeat(100_000);
    talk.send(piece.as_bytes()).await;
    scene.disk().leave_free(100_000);
    for _ in 0..3 {
        talk.send(piece.as_bytes()).await;
    }
    talk.send(b".\r\n").await;
    let reply = talk.reply().await;
    assert!(reply.starts_with("452 4.3.1"), "{reply}");
    scene.disk().make_room();
    // Beyond the second for which a look at the free space holds.
    let load = until("room", || {
        let again = std::fs::read_dir(scene.server.path("data/spool/bodies")).ok()?;
        let files = again.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        (files.count() == 0).then(|| scene.load("x", 30))
    });
    scene.balance(&load.end().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_inodes_large_mail_gets_452_and_nothing_is_lost() {
    let Some(scene) = Scene::new(&Setup::default()).await else {
        return;
    };
    let load = scene.load("x", 30);
    scene.disk().leave_inodes(Some(0));
    // One message in 40 is so large that it needs a file.
    scene.refuses(&load, 2);
    scene.disk().leave_inodes(None);
    scene.serves_again(&load);
    scene.balance(&load.end().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_became_read_only_gives_451_until_it_is_not() {
    let Some(scene) = Scene::new(&Setup::default()).await else {
        return;
    };
    let load = scene.load("x", 30);
    scene.disk().set_read_only(true);
    scene.refuses(&load, 5 * SESSIONS);
    scene.disk().set_read_only(false);
    scene.serves_again(&load);
    scene.balance(&load.end().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_disk_refuses_nothing() {
    let Some(scene) = Scene::new(&Setup::default()).await else {
        return;
    };
    scene.disk().slow_flushes(Duration::from_millis(200));
    let load = scene.load("x", 40);
    let sent = load.end().await;
    assert_eq!(sent.refusals, [""; 0]);
    scene.disk().mend();
    scene.balance(&sent).await;
}
