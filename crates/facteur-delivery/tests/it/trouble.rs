//! Crashes, a spool that cannot write, a stop.

use facteur_mail::{RecipientState, Report, RetryReason};
use facteur_spool::{Refusal, Spool as _};

use crate::office::{Answer, HOUR, MINUTE, Office};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A 192.0.2.25\n\
    sender.test MX 10 mx.sender.test\nmx.sender.test A 192.0.2.26\n";

#[tokio::test]
async fn a_crash_between_the_verdict_and_its_report_loses_no_report() {
    let mut office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(550, "5.1.1 no such user"));
    // Full: verdicts are written, new messages such as reports are not.
    let id = office.accept("a@sender.test", &["u@far.test"]).await;
    office.spool.refuse(Some(Refusal::Full));
    office.quiet().await;
    let queued = office.spool.show(id).unwrap();
    assert!(
        matches!(
            queued.progress[0],
            RecipientState::Failed {
                report: Report::Owed,
                ..
            }
        ),
        "{:?}",
        queued.progress
    );
    office.crash();
    office.start();
    office.pass(MINUTE).await;
    let taken = office.remote.taken();
    assert_eq!(taken.len(), 1);
    assert!(
        taken[0]
            .1
            .contains("Diagnostic-Code: smtp; 550 5.1.1 no such user")
    );
    let far = office
        .remote
        .calls
        .lock()
        .unwrap()
        .iter()
        .filter(|(host, ..)| host == "mx.far.test")
        .count();
    assert_eq!(far, 1, "what was refused is not tried again");
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn a_report_waits_while_there_is_no_room_for_it() {
    let office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(550, "5.1.1 no such user"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.spool.refuse(Some(Refusal::Full));
    office.pass(MINUTE * 3).await;
    assert!(office.remote.taken().is_empty());
    office.spool.refuse(None);
    office.pass(MINUTE * 2).await;
    assert_eq!(office.remote.taken().len(), 1);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn nothing_is_sent_while_the_spool_cannot_write_it_down() {
    let office = Office::open(ZONE);
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.spool.refuse(Some(Refusal::Broken));
    office.pass(HOUR).await;
    assert_eq!(office.remote.calls(), 0);
    office.spool.refuse(None);
    office.pass(MINUTE).await;
    assert_eq!(office.remote.calls(), 1);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn what_runs_at_a_stop_is_dropped_after_its_grace_and_known_to_be_uncertain() {
    let mut office = Office::open(ZONE);
    office.remote.answer("mx.far.test", Answer::Hangs);
    let id = office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    let handle = office.handle.take().unwrap();
    let stopping = tokio::spawn(handle.shutdown());
    office.quiet().await;
    assert!(!stopping.is_finished(), "it has its grace");
    office.clock.advance(office.config.shutdown_grace);
    stopping.await.unwrap();
    office.crash();
    let queued = office.spool.show(id).unwrap();
    assert!(
        matches!(
            queued.progress[0],
            RecipientState::Waiting {
                reason: RetryReason::Interrupted,
                ..
            }
        ),
        "{:?}",
        queued.progress
    );
    office
        .remote
        .answer("mx.far.test", Answer::Taken("2.0.0 ok"));
    office.start();
    office.quiet().await;
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn a_stop_with_nothing_running_is_at_once() {
    let mut office = Office::open(ZONE);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(450, "4.2.1 later"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    office.shutdown().await;
    assert_eq!(office.spool.len(), 1);
}

#[tokio::test]
async fn a_damaged_message_does_not_stop_the_others() {
    let mut office = Office::closed(ZONE);
    let rotten = office.accept("a@sender.test", &["u@far.test"]).await;
    office.accept("a@sender.test", &["v@far.test"]).await;
    assert!(office.spool.damage(rotten));
    office.start();
    office.pass(HOUR).await;
    let taken = office.remote.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].0, "v@far.test");
}

#[tokio::test]
async fn what_was_taken_while_the_spool_failed_is_not_sent_again() {
    let office = Office::open(ZONE);
    office.remote.watch(&office.spool);
    *office.remote.breaks_spool.lock().unwrap() = true;
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.pass(MINUTE).await;
    assert_eq!((office.remote.calls(), office.spool.len()), (1, 1));
    office.spool.refuse(None);
    office.pass(HOUR).await;
    assert_eq!((office.remote.calls(), office.spool.len()), (1, 0));
}

#[tokio::test]
async fn the_scheduler_answers_who_asks_whether_it_is_alive_until_it_has_ended() {
    let mut office = Office::open(ZONE);
    office.start();
    let steering = office.handle.as_ref().unwrap().steering();
    assert!(steering.beat().await, "with nothing to do");
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(450, "4.2.1 later"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    assert!(steering.beat().await, "with something to do");
    office.quiet().await;
    assert!(steering.beat().await, "with something to wait for");
    office.shutdown().await;
    assert!(!steering.beat().await);
}
