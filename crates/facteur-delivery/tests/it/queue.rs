//! What is tried when, and what never waits for anything else.

use std::collections::BTreeSet;

use facteur_mail::{Hold, RecipientState, RetryReason, Timestamp};
use facteur_spool::{Change, Spool as _};

use crate::office::{Answer, HOUR, MINUTE, Office};

const FAR: &str = "far.test MX 10 mx.far.test\nmx.far.test A 192.0.2.25\n";

#[tokio::test]
async fn a_message_is_delivered_as_soon_as_it_is_on_disk() {
    let office = Office::open(FAR);
    office
        .accept("a@sender.test", &["u@far.test", "v@far.test"])
        .await;
    office.quiet().await;
    assert_eq!(office.remote.calls(), 2);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn a_450_is_tried_again_and_says_when_and_why() {
    let office = Office::open(FAR);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(450, "4.2.1 later"));
    let id = office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    let queued = office.spool.show(id).unwrap();
    let RecipientState::Waiting {
        next_at,
        attempts: 1,
        reason,
        last: Some(last),
        ..
    } = &queued.progress[0]
    else {
        panic!("it waits: {:?}", queued.progress);
    };
    let wait = next_at.since(queued.envelope.arrived);
    assert!(wait >= MINUTE * 4 && wait <= MINUTE * 6, "{wait:?}");
    assert_eq!(*reason, RetryReason::Backoff);
    assert_eq!(last.said.to_line(), "450 4.2.1 later");

    office
        .remote
        .answer("mx.far.test", Answer::Taken("2.0.0 ok"));
    office.pass(MINUTE * 6).await;
    assert_eq!(office.remote.calls(), 2);
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn five_days_of_retries_end_in_one_report() {
    let mut office = Office::closed(&format!(
        "{FAR}sender.test MX 10 mx.sender.test\nmx.sender.test A 192.0.2.26\n"
    ));
    office.config.delay_notice_after = None;
    office.start();
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(450, "4.2.1 later"));
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.pass(HOUR * 119).await;
    let before = office.remote.calls();
    assert!((30..=40).contains(&before), "{before} tries");
    assert!(office.remote.taken().is_empty());
    office.pass(HOUR * 2).await;
    let taken = office.remote.taken();
    let [(to, report)] = taken.as_slice() else {
        panic!("one report: {taken:?}");
    };
    assert_eq!(to, "a@sender.test");
    assert!(report.contains("\r\nStatus: 5.4.7\r\n"));
    assert!(report.contains("Diagnostic-Code: smtp; 450 4.2.1 later"));
    assert!(report.contains("not delivered within 5 days"));
    assert!(office.spool.is_empty());
}

#[tokio::test]
async fn one_silent_destination_delays_none_of_a_hundred() {
    let mut zone = String::new();
    for number in 0..100 {
        zone.push_str(&format!(
            "d{number}.test MX 10 mx{number}.test\nmx{number}.test A 192.0.2.{number}\n"
        ));
    }
    let mut office = Office::closed(&zone);
    office.config.max_running = 4;
    office.start();
    office.remote.answer("mx0.test", Answer::Hangs);
    for number in 0..50 {
        office
            .accept("a@here.test", &[&format!("u{number}@d0.test")])
            .await;
    }
    for number in 1..100 {
        office
            .accept("a@here.test", &[&format!("u@d{number}.test")])
            .await;
    }
    for _ in 0..20 {
        office.quiet().await;
    }
    let delivered: BTreeSet<String> = office
        .remote
        .taken()
        .into_iter()
        .map(|(to, _)| to)
        .collect();
    assert_eq!(delivered.len(), 99);
    assert_eq!(office.spool.len(), 50);
    assert_eq!(office.remote.calls(), 99 + 1);
}

#[tokio::test]
async fn a_destination_that_does_not_answer_is_not_hammered() {
    let office = Office::open(FAR);
    office.remote.answer("mx.far.test", Answer::Silence);
    let first = office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    let mut others = Vec::new();
    for _ in 0..100 {
        others.push(office.accept("a@sender.test", &["u@far.test"]).await);
    }
    for _ in 0..20 {
        office.quiet().await;
    }
    assert_eq!(office.remote.calls(), 1);
    for (id, expected) in [
        (first, RetryReason::Backoff),
        (others[99], RetryReason::DestinationDown),
    ] {
        let queued = office.spool.show(id).unwrap();
        let RecipientState::Waiting {
            reason,
            last: Some(_),
            ..
        } = &queued.progress[0]
        else {
            panic!("it waits: {:?}", queued.progress);
        };
        assert_eq!(*reason, expected);
    }
    office
        .remote
        .answer("mx.far.test", Answer::Taken("2.0.0 ok"));
    office.pass(HOUR).await;
    assert!(office.spool.is_empty());
    assert_eq!(office.remote.calls(), 1 + 101);
}

#[tokio::test]
async fn each_destination_of_a_message_goes_its_own_way() {
    let office = Office::open(&format!(
        "{FAR}slow.test MX 10 mx.slow.test\nmx.slow.test A 192.0.2.30\n"
    ));
    office
        .remote
        .answer("mx.slow.test", Answer::Rcpt(451, "4.7.1 greylisted"));
    let id = office
        .accept(
            "a@sender.test",
            &["u@far.test", "u@slow.test", "v@slow.test"],
        )
        .await;
    office.quiet().await;
    let queued = office.spool.show(id).unwrap();
    let waits: Vec<bool> = queued
        .progress
        .iter()
        .map(|state| !state.is_settled())
        .collect();
    assert_eq!(waits, [false, true, true]);
    office
        .remote
        .answer("mx.slow.test", Answer::Taken("2.0.0 ok"));
    office.pass(MINUTE * 6).await;
    assert!(office.spool.is_empty());
    assert_eq!(office.remote.calls(), 1 + 2 + 2);
}

#[tokio::test]
async fn local_mail_ends_in_its_maildir_and_never_outside() {
    let office = Office::open("");
    let to = [
        "User+tag@here.test",
        "\"../etc\"@here.test",
        "\".hidden\"@here.test",
    ];
    office.accept("a@sender.test", &to).await;
    for _ in 0..100_000 {
        if office.spool.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(office.spool.is_empty());
    let stored = office.mailboxes.stored.lock().unwrap().clone();
    let [(maildir, content)] = stored.as_slice() else {
        panic!("one mailbox: {stored:?}");
    };
    assert_eq!(maildir.to_str(), Some("/mail/here.test/user"));
    assert!(content.ends_with("\r\n\r\nBody\r\n"));
}

#[tokio::test]
async fn a_full_mailbox_is_tried_again() {
    let office = Office::open("");
    *office.mailboxes.full.lock().unwrap() = true;
    let id = office.accept("a@sender.test", &["user@here.test"]).await;
    let mut words = None;
    for _ in 0..100_000 {
        let queued = office.spool.show(id).unwrap();
        words = queued.progress[0]
            .last_attempt()
            .map(|attempt| attempt.said.to_line());
        if words.is_some() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(
        words.as_deref(),
        Some("452 4.2.2 mailbox user@here.test is full")
    );
}

#[tokio::test]
async fn a_connection_takes_its_next_message_when_the_last_one_is_on_disk() {
    let office = Office::open(FAR);
    office.remote.watch(&office.spool);
    office.accept("a@sender.test", &["u@far.test"]).await;
    office.quiet().await;
    let released = office.remote.released.lock().unwrap().clone();
    assert_eq!(released, [true], "settled before it was released");
}

/// Holds the only recipient of a message, and tells delivery.
async fn hold(office: &Office, id: facteur_mail::QueueId, until: Option<Timestamp>) {
    let state = RecipientState::Held {
        hold: Box::new(Hold {
            since: Timestamp::default(),
            until,
            by: "root".into(),
            reason: "".into(),
        }),
        attempts: 1,
        last: None,
        delay_reported: false,
    };
    let recipient = 0;
    let settled = office.spool.settle(id, vec![Change { recipient, state }]);
    settled.await.unwrap();
    let waiting = office.spool.show(id).unwrap().waiting();
    office
        .handle
        .as_ref()
        .unwrap()
        .announcer()
        .announce(waiting);
}

#[tokio::test]
async fn a_held_message_is_neither_tried_nor_given_up_and_one_whose_hold_ends_is_tried_then() {
    let office = Office::open(FAR);
    office
        .remote
        .answer("mx.far.test", Answer::Rcpt(450, "4.2.1 later"));
    let held = office.accept("a@sender.test", &["u@far.test"]).await;
    let until = office.accept("a@sender.test", &["v@far.test"]).await;
    office.quiet().await;
    let end = office.spool.show(until).unwrap().envelope.arrived;
    hold(&office, held, None).await;
    hold(&office, until, Some(end.after(HOUR * 240))).await;
    office
        .remote
        .answer("mx.far.test", Answer::Taken("2.0.0 ok"));
    office.pass(HOUR * 239).await;
    assert!(office.remote.taken().is_empty(), "ten days, and no word");
    assert_eq!(office.spool.len(), 2);
    office.pass(HOUR * 2).await;
    let taken = office.remote.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].0, "v@far.test");
    let left = office.spool.show(held).unwrap();
    assert!(matches!(left.progress[0], RecipientState::Held { .. }));
}
