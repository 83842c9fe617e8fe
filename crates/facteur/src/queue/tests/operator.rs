//! What becomes of messages, and how a queue is gone through.

use std::collections::BTreeMap;
use std::time::Duration;

use facteur_mail::{
    Clock as _, Notify, QueueId, RecipientState, Report, RetryReason, ReversePath, Said, Stage,
};
use facteur_replies::{Language, Reply};
use facteur_spool::Spool as _;
use facteur_spool::battery::{NOON, content, wait};

use super::{HOUR, Lab, deeds, request};
use crate::control::protocol::{Answer, Refusal};
use crate::control::{Answers, Peer, Stop};
use crate::queue::request::MAX_SHOWN;
use crate::queue::{Act, FilterSpec, Outcome, QueueRequest, RecipientDeed};

#[tokio::test]
async fn what_is_held_is_never_due_and_what_is_released_is_due_now() {
    let lab = Lab::new();
    let id = lab.queue(&["bob@one.test"]);
    lab.tried(id, 0, "mx.one.test", 450, "4.2.1 later");
    let hold = QueueRequest {
        reason: Some("the list goes out twice".to_owned()),
        ..request(Act::Hold)
    };
    let acted = lab.act(hold).await.unwrap();
    assert_eq!(acted[0].outcome, Outcome::Done);
    assert_eq!(deeds(&acted[0]), [RecipientDeed::Held]);
    let state = lab.shown(id).progress.remove(0);
    let RecipientState::Held {
        hold,
        attempts,
        last,
        ..
    } = &state
    else {
        panic!("{:?}", lab.shown(id))
    };
    assert_eq!((hold.since, hold.until), (NOON, None));
    assert_eq!(
        (&*hold.by, &*hold.reason),
        ("root", "the list goes out twice")
    );
    assert_eq!((*attempts, last.is_some()), (1, true), "its past is kept");
    assert!(lab.shown(id).waiting().recipients.is_empty());

    let retried = lab.act(request(Act::Retry)).await.unwrap();
    assert_eq!(deeds(&retried[0]), [RecipientDeed::StillHeld]);
    assert_eq!(retried[0].outcome, Outcome::Unchanged);

    lab.clock.advance(Duration::from_secs(5));
    let released = lab.act(request(Act::Release)).await.unwrap();
    assert_eq!(deeds(&released[0]), [RecipientDeed::Released]);
    let later = lab.clock.now();
    assert!(matches!(
        lab.shown(id).progress[0],
        RecipientState::Waiting { next_at, reason: RetryReason::Operator, attempts: 1, .. }
            if next_at == later
    ));
    let (waiting, now) = lab.told.announced.lock().unwrap().pop().unwrap();
    assert_eq!(waiting.recipients[0].due, later);
    assert_eq!(now.len(), 1, "its destination is tried at once");
    assert!(lab.act(request(Act::Release)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_hold_for_a_time_is_due_when_it_is_over_and_the_scheduler_knows() {
    let lab = Lab::new();
    lab.queue(&["bob@one.test"]);
    let hold = QueueRequest {
        for_seconds: Some(2 * HOUR),
        ..request(Act::Hold)
    };
    let end = NOON.after(Duration::from_secs(2 * HOUR));
    let acted = lab.act(hold).await.unwrap();
    let until = end.as_millis();
    assert_eq!(deeds(&acted[0]), [RecipientDeed::HeldUntil { until }]);
    let announced = lab.told.announced.lock().unwrap();
    assert_eq!(announced[0].0.recipients[0].due, end);
    assert!(announced[0].1.is_empty(), "nothing is hurried");
    assert_eq!(lab.told.deeds.lock().unwrap()[0].until, Some(end));
}

#[tokio::test]
async fn a_bounce_owes_a_report_where_one_is_wanted_and_a_deletion_never() {
    let lab = Lab::new();
    let ids = [
        lab.queue(&["bob@one.test", "carol@two.test"]),
        lab.queue_with(&["bob@one.test"], |it| it.sender = ReversePath::Null),
        lab.queue_with(&["bob@one.test"], |it| {
            it.recipients[0].notify = Notify::Never;
        }),
    ];
    let bounce = QueueRequest {
        filter: FilterSpec {
            domain: Some("one.test".to_owned()),
            ..FilterSpec::default()
        },
        all: false,
        reason: Some("é trop tard".to_owned()),
        ..request(Act::Bounce)
    };
    let acted = lab.act(bounce).await.unwrap();
    assert_eq!(deeds(&acted[0]), [RecipientDeed::Bounced]);
    assert_eq!(deeds(&acted[1]), [RecipientDeed::BouncedUnreported]);
    assert_eq!(deeds(&acted[2]), [RecipientDeed::BouncedUnreported]);
    assert_eq!(*lab.told.ended.lock().unwrap(), ids[1..]);
    let first = lab.shown(ids[0]);
    let [
        RecipientState::Failed { attempt, report },
        RecipientState::Waiting { .. },
    ] = first.progress.as_slice()
    else {
        panic!("only the recipient that was meant is given up")
    };
    assert_eq!(*report, Report::Owed);
    assert_eq!(attempt.stage, Stage::Queue);
    assert_eq!(
        attempt.said,
        Said::ByUs(Reply::bounced_by_operator("é trop tard"))
    );

    let deleted = lab.act(request(Act::Delete)).await.unwrap();
    assert_eq!(deleted.len(), 1);
    assert_eq!(deeds(&deleted[0]), [RecipientDeed::Deleted]);
    let states = lab.shown(ids[0]).progress;
    assert!(matches!(
        states[0],
        RecipientState::Failed {
            report: Report::Owed,
            ..
        }
    ));
    assert!(matches!(
        states[1],
        RecipientState::Failed {
            report: Report::NotWanted,
            ..
        }
    ));
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let lab = Lab::new();
    let ids: Vec<_> = (0..3).map(|_| lab.queue(&["bob@one.test"])).collect();
    let before: Vec<_> = ids.iter().map(|id| lab.shown(*id)).collect();
    for act in [Act::Hold, Act::Retry, Act::Bounce, Act::Delete] {
        let dry = QueueRequest {
            dry_run: true,
            ..request(act)
        };
        let would = lab.act(dry).await.unwrap();
        assert!(would.iter().all(|it| it.outcome == Outcome::Would));
        let after: Vec<_> = ids.iter().map(|id| lab.shown(*id)).collect();
        assert_eq!(before, after, "{act:?}");
        let other = Lab::new();
        for _ in 0..3 {
            other.queue(&["bob@one.test"]);
        }
        let mut done = other.act(request(act)).await.unwrap();
        for acted in &mut done {
            acted.outcome = Outcome::Would;
        }
        assert_eq!(would, done);
    }
    assert!(lab.told.announced.lock().unwrap().is_empty());
    assert!(lab.told.deeds.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_is_being_delivered_is_waited_for_and_then_left_alone() {
    let lab = Lab::new();
    let id = lab.queue(&["bob@one.test"]);
    let lease = wait(lab.spool.lease(id)).unwrap();
    let (acted, ()) = tokio::join!(lab.act(request(Act::Delete)), async {
        lab.clock.until_sleeping(1).await;
        lab.clock.advance(Duration::from_secs(3));
    });
    assert_eq!(acted.unwrap()[0].outcome, Outcome::Busy);
    assert_eq!(content(&lease), b"Subject: x\r\n\r\n");
    let (acted, ()) = tokio::join!(lab.act(request(Act::Delete)), async {
        lab.clock.until_sleeping(1).await;
        drop(lease);
        lab.clock.advance(Duration::from_secs(1));
    });
    assert_eq!(acted.unwrap()[0].outcome, Outcome::Done);
    assert!(lab.spool.is_empty());
}

#[tokio::test]
async fn named_messages_get_a_line_each_whatever_became_of_them() {
    let lab = Lab::new();
    let there = lab.queue(&["bob@one.test"]);
    let gone = QueueId::from_number(7);
    let release = QueueRequest {
        ids: vec![gone.to_string(), there.to_string()],
        all: false,
        ..request(Act::Release)
    };
    let acted = lab.act(release).await.unwrap();
    assert_eq!(acted[0].outcome, Outcome::Gone);
    assert_eq!(acted[1].outcome, Outcome::Unchanged);
    assert_eq!(deeds(&acted[1]), [RecipientDeed::NotHeld]);
}

#[tokio::test]
async fn many_messages_are_gone_through_in_their_order_and_new_ones_are_not_meant() {
    let lab = Lab::new();
    let ids: Vec<_> = (0..1_500).map(|_| lab.queue(&["bob@one.test"])).collect();
    let peer = Peer { uid: 7, name: None };
    let (answers, mut given) = Answers::new();
    let operator = lab.operator.clone();
    let work = tokio::spawn(async move {
        let bounce = request(Act::Bounce);
        operator
            .act(bounce, &peer, Language::English, &answers)
            .await
    });
    let mut seen = Vec::new();
    let mut late = None;
    while let Some(answer) = given.recv().await {
        // A report, for instance.
        late.get_or_insert_with(|| lab.queue(&["alice@example.org"]));
        if let Answer::Message(acted) = answer {
            seen.push(acted.id);
        }
    }
    work.await.unwrap().unwrap();
    let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(seen, names);
    let late = lab.shown(late.unwrap());
    assert!(matches!(late.progress[0], RecipientState::Waiting { .. }));
    let who = lab.told.deeds.lock().unwrap()[0].who.clone();
    assert_eq!(who, "7", "a user without a name is a number");
}

#[tokio::test]
async fn when_nobody_listens_the_work_ends_and_what_was_begun_is_announced() {
    let lab = Lab::new();
    for _ in 0..2_000 {
        lab.queue(&["bob@one.test"]);
    }
    let peer = Peer { uid: 0, name: None };
    let (answers, given) = Answers::new();
    drop(given);
    let hold = QueueRequest {
        for_seconds: Some(HOUR),
        ..request(Act::Hold)
    };
    let ended = lab
        .operator
        .act(hold, &peer, Language::English, &answers)
        .await;
    assert_eq!(ended, Err(Stop::Deaf));
    let held = |id: &QueueId| matches!(lab.shown(*id).progress[0], RecipientState::Held { .. });
    let held = lab
        .spool
        .names_after(None, 9_999)
        .iter()
        .filter(|id| held(id))
        .count();
    assert!(held < 2_000);
    assert_eq!(lab.told.announced.lock().unwrap().len(), held);
}

#[tokio::test]
async fn a_message_with_a_thousand_recipients_names_the_first_and_counts_the_rest() {
    let lab = Lab::new();
    let to: Vec<String> = (0..1_000).map(|i| format!("u{i}@one.test")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    lab.queue(&to);
    let acted = lab.act(request(Act::Hold)).await.unwrap();
    assert_eq!(acted[0].recipients.len(), MAX_SHOWN);
    assert_eq!(acted[0].changed, 1_000);
    assert_eq!(acted[0].more, 1_000 - u64::try_from(MAX_SHOWN).unwrap());
}

#[tokio::test]
async fn what_would_touch_everything_by_mistake_is_refused() {
    let lab = Lab::new();
    lab.queue(&["bob@one.test"]);
    let careless = QueueRequest {
        all: false,
        ..request(Act::Delete)
    };
    let wrong = QueueRequest {
        ids: vec!["nonsense".to_owned()],
        ..careless.clone()
    };
    for request in [careless, wrong] {
        let refused = lab.act(request).await;
        assert_eq!(refused, Err(Stop::Refused(Refusal::Unknown)));
    }
    assert_eq!(lab.spool.len(), 1);
}

#[tokio::test]
async fn a_spool_that_cannot_write_ends_the_work_and_nothing_counts_as_done() {
    let lab = Lab::new();
    for _ in 0..600 {
        lab.queue(&["bob@one.test"]);
    }
    lab.spool.refuse(Some(facteur_spool::Refusal::Broken));
    let peer = Peer { uid: 0, name: None };
    let (answers, mut given) = Answers::new();
    let operator = lab.operator.clone();
    let work = tokio::spawn(async move {
        let hold = request(Act::Hold);
        operator.act(hold, &peer, Language::English, &answers).await
    });
    let mut outcomes = BTreeMap::new();
    while let Some(Answer::Message(acted)) = given.recv().await {
        *outcomes.entry(acted.outcome.name()).or_insert(0) += 1;
    }
    assert_eq!(outcomes, BTreeMap::from([("failed", 256)]));
    let ended = work.await.unwrap();
    assert_eq!(ended, Err(Stop::Refused(Refusal::SpoolFailed)));
    assert!(lab.told.announced.lock().unwrap().is_empty());
    assert!(lab.told.deeds.lock().unwrap().is_empty());
}
