//! What every spool must do, as tests that each implementation runs: [`run`].
//!
//! They need no runtime: futures are driven on the calling thread.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "this is a test: it fails by panicking"
)]

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use facteur_mail::{
    Address, Attempt, BodyType, Client, Delivery, Envelope, Hold, Notify, Protocol, QueueId,
    Recipient, RecipientState, Report, RetryReason, ReversePath, Said, Stage, Timestamp,
};
use facteur_replies::Reply;

use crate::error::SpoolError;
use crate::spool::{Change, Leased, Settled, Spool, Waiting};

/// One store under test.
pub trait Harness {
    /// Opens the store: the first time empty, then with what is in it. The spool opened before has been dropped
    /// without [`Spool::close`], as a crash leaves it, unless the test closed it.
    fn open(&mut self) -> Arc<dyn Spool>;

    /// Makes the stored copy of a message unreadable behind the spool's back; false where that cannot be done.
    fn damage(&mut self, id: QueueId) -> bool {
        let _ = id;
        false
    }

    /// Makes the store full, or gives it room again; false where that cannot be done.
    fn fill(&mut self, full: bool) -> bool {
        let _ = full;
        false
    }
}

/// Runs every test, each with a fresh store.
///
/// # Panics
/// When a promise is broken; the message says which.
pub fn run<H: Harness>(make: impl Fn() -> H) {
    a_committed_message_survives_a_crash(&mut make());
    a_message_of_any_size_comes_back_octet_for_octet(&mut make());
    a_dropped_draft_leaves_nothing(&mut make());
    ids_are_never_given_twice(&mut make());
    one_holder_at_a_time(&mut make());
    a_message_goes_when_its_last_recipient_is_settled(&mut make());
    an_owed_report_keeps_the_message(&mut make());
    many_small_steps_add_up(&mut make());
    each_message_is_shown_once_and_announced_once(&mut make());
    an_interrupted_attempt_is_known_after_a_crash(&mut make());
    a_hold_survives_a_crash_and_is_due_only_when_it_ends(&mut make());
    names_are_read_in_pieces_oldest_first(&mut make());
    a_damaged_message_is_set_aside_and_the_others_survive(&mut make());
    a_full_store_refuses_new_mail_and_settles_old(&mut make());
    a_closed_spool_refuses_and_keeps_everything(&mut make());
    commits_of_many_threads_all_survive(&mut make());
}

/// A moment for tests.
pub const NOON: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// An envelope from `alice@example.org` to these addresses.
///
/// # Panics
/// If one is no address.
#[must_use]
pub fn envelope(recipients: &[&str]) -> Envelope {
    let address = |text: &str| Address::parse(text).expect("an address");
    Envelope {
        sender: ReversePath::Address(address("alice@example.org")),
        recipients: recipients
            .iter()
            .map(|text| Recipient {
                address: address(text),
                orcpt: None,
                notify: Notify::Default,
            })
            .collect(),
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        arrived: NOON,
        client: Client {
            ip: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            helo: "client.example.org".into(),
            protocol: Protocol::Esmtp,
        },
    }
}

/// Stores a message and returns its name.
///
/// # Panics
/// If the spool refuses.
pub fn store(spool: &dyn Spool, recipients: &[&str], content: &[u8]) -> QueueId {
    let mut draft = spool.begin(NOON).expect("begin");
    let id = draft.id();
    for chunk in content.chunks(16_384) {
        draft.write(chunk).expect("write");
    }
    assert_eq!(
        draft.octets(),
        u64::try_from(content.len()).unwrap(),
        "a draft counts what it was given"
    );
    let receipt = wait(draft.commit(envelope(recipients), NOON)).expect("commit");
    assert_eq!(receipt.id(), id, "the receipt names the draft");
    id
}

/// The content of a leased message.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn content(leased: &Leased) -> Vec<u8> {
    let mut content = Vec::new();
    leased
        .body()
        .expect("body")
        .read_to_end(&mut content)
        .expect("read");
    content
}

/// A recipient that has been delivered, with nothing left to do.
#[must_use]
pub fn delivered(recipient: usize) -> Change {
    Change {
        recipient,
        state: RecipientState::Delivered {
            attempt: Box::new(attempt()),
            delivery: Delivery::Mailbox,
            report: Report::NotWanted,
        },
    }
}

/// Drives a future on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn attempt() -> Attempt {
    Attempt {
        at: NOON,
        took: Duration::from_millis(12),
        host: None,
        stage: Stage::Mailbox,
        said: Said::ByUs(Reply::delivered_to_mailbox("bob")),
    }
}

/// A recipient to be tried again at `next_at`, with a reply in its record.
fn deferred(recipient: usize, next_at: Timestamp) -> Change {
    Change {
        recipient,
        state: RecipientState::Waiting {
            next_at,
            attempts: 1,
            reason: RetryReason::Backoff,
            last: Some(Box::new(attempt())),
            delay_reported: true,
        },
    }
}

fn failed(recipient: usize, report: Report) -> Change {
    Change {
        recipient,
        state: RecipientState::Failed {
            attempt: Box::new(attempt()),
            report,
        },
    }
}

fn waiting(spool: &dyn Spool) -> Vec<Waiting> {
    let mut all = Vec::new();
    spool.waiting(&mut |waiting| all.push(waiting));
    all.sort_by_key(|waiting| waiting.id);
    all
}

/// Octets that look like nothing else and cover every value.
fn pattern(octets: usize) -> Vec<u8> {
    (0..octets)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 11).to_le_bytes()[0])
        .collect()
}

fn a_committed_message_survives_a_crash(harness: &mut dyn Harness) {
    let spool = harness.open();
    let id = store(
        &*spool,
        &["bob@example.net", "eve@example.com"],
        b"Hello\r\n",
    );
    let before = spool.show(id).expect("show");
    drop(spool);
    let spool = harness.open();
    assert_eq!(spool.len(), 1, "the message is there after the crash");
    assert_eq!(spool.show(id).expect("show"), before, "and as it was");
    let leased = wait(spool.lease(id)).expect("lease");
    assert_eq!(leased.message, before, "a lease shows the same");
    assert_eq!(content(&leased), b"Hello\r\n");
    assert_eq!(
        before.envelope,
        envelope(&["bob@example.net", "eve@example.com"])
    );
    assert_eq!(before.progress, vec![RecipientState::new(NOON); 2]);
}

fn a_message_of_any_size_comes_back_octet_for_octet(harness: &mut dyn Harness) {
    let sizes = [0, 1, 4_095, 4_097, 262_143, 262_144, 262_145, 1_000_003];
    let spool = harness.open();
    let ids = sizes.map(|size| store(&*spool, &["bob@example.net"], &pattern(size)));
    let check = |spool: &dyn Spool| {
        for (id, size) in ids.iter().zip(sizes) {
            let leased = wait(spool.lease(*id)).expect("lease");
            assert!(content(&leased) == pattern(size), "{size} octets come back");
            assert!(
                content(&leased) == pattern(size),
                "{size}: and a second time"
            );
            assert_eq!(leased.message.octets, u64::try_from(size).unwrap());
        }
    };
    check(&*spool);
    drop(spool);
    check(&*harness.open());
}

fn a_dropped_draft_leaves_nothing(harness: &mut dyn Harness) {
    let spool = harness.open();
    for size in [10, 600_000] {
        let mut draft = spool.begin(NOON).expect("begin");
        draft.write(&pattern(size)).expect("write");
        drop(draft);
    }
    let open = spool.begin(NOON).expect("begin");
    assert!(spool.is_empty(), "a draft is not queued");
    drop((open, spool));
    assert!(harness.open().is_empty(), "nor after a crash");
}

fn ids_are_never_given_twice(harness: &mut dyn Harness) {
    let spool = harness.open();
    let first = store(&*spool, &["bob@example.net"], b"1");
    let draft = spool.begin(NOON).expect("begin").id();
    let second = store(&*spool, &["bob@example.net"], b"2");
    assert!(first < draft && draft < second, "ids grow");
    drop(spool);
    let spool = harness.open();
    let long_ago = Timestamp::from_millis(0);
    let third = spool.begin(long_ago).expect("begin").id();
    assert!(
        second < third,
        "also after a restart with the clock set back"
    );
}

fn one_holder_at_a_time(harness: &mut dyn Harness) {
    let spool = harness.open();
    let id = store(&*spool, &["bob@example.net"], b"x");
    let lease = wait(spool.lease(id)).expect("lease");
    let second = wait(spool.lease(id));
    assert!(
        matches!(second, Err(SpoolError::Leased { id: found }) if found == id),
        "a second lease is refused, not {second:?}"
    );
    assert_eq!(
        spool.show(id).expect("show"),
        lease.message,
        "but it may be looked at"
    );
    drop(lease);
    drop(wait(spool.lease(id)).expect("given back, it can be leased again"));
    let nobody = QueueId::from_number(7);
    let missing = wait(spool.lease(nobody));
    assert!(
        matches!(missing, Err(SpoolError::Gone { .. })),
        "{missing:?}"
    );
    assert!(matches!(spool.show(nobody), Err(SpoolError::Gone { .. })));
}

fn a_message_goes_when_its_last_recipient_is_settled(harness: &mut dyn Harness) {
    let spool = harness.open();
    let to = ["bob@example.net", "eve@example.com"];
    for size in [100, 400_000] {
        let id = store(&*spool, &to, &pattern(size));
        let lease = wait(spool.lease(id)).expect("lease");
        let half = wait(spool.settle(id, vec![delivered(1)])).expect("settle");
        assert_eq!(half, Settled::Queued, "one recipient is left");
        let left = spool.show(id).expect("show");
        assert_eq!(left.progress[1], delivered(1).state);
        assert_eq!(left.waiting().recipients.len(), 1);
        let done = wait(spool.settle(id, vec![delivered(0)])).expect("settle");
        assert_eq!(done, Settled::Gone, "none is left");
        drop(lease);
        let again = wait(spool.settle(id, vec![delivered(0)]));
        assert!(matches!(again, Err(SpoolError::Gone { .. })), "{again:?}");
        assert!(matches!(
            wait(spool.lease(id)),
            Err(SpoolError::Gone { .. })
        ));
    }
    assert!(spool.is_empty());
    drop(spool);
    assert!(
        harness.open().is_empty(),
        "what has gone does not come back"
    );
}

fn an_owed_report_keeps_the_message(harness: &mut dyn Harness) {
    let spool = harness.open();
    let id = store(&*spool, &["bob@example.net"], b"x");
    let owed = wait(spool.settle(id, vec![failed(0, Report::Owed)])).expect("settle");
    assert_eq!(owed, Settled::Queued, "a report is owed");
    drop(spool);
    let spool = harness.open();
    assert_eq!(
        spool.show(id).expect("show").progress[0],
        failed(0, Report::Owed).state
    );
    let sent = wait(spool.settle(id, vec![failed(0, Report::Sent)])).expect("settle");
    assert_eq!(sent, Settled::Gone);
}

fn many_small_steps_add_up(harness: &mut dyn Harness) {
    let names: Vec<String> = (0..40).map(|i| format!("user{i}@example.net")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let spool = harness.open();
    let id = store(&*spool, &names, b"x");
    let lease = wait(spool.lease(id)).expect("lease");
    for step in 0..200_usize {
        let who = step % 40;
        spool.attempt_begins(id, &[who]).expect("begins");
        let when = NOON.after(Duration::from_secs(u64::try_from(step).unwrap()));
        let left = wait(spool.settle(id, vec![deferred(who, when)])).expect("settle");
        assert_eq!(left, Settled::Queued);
    }
    let before = spool.show(id).expect("show");
    drop((lease, spool));
    let spool = harness.open();
    assert_eq!(
        spool.show(id).expect("show"),
        before,
        "200 steps are remembered"
    );
    let due = waiting(&*spool)[0].recipients[3].due;
    assert_eq!(due, NOON.after(Duration::from_secs(163)));
}

fn each_message_is_shown_once_and_announced_once(harness: &mut dyn Harness) {
    let spool = harness.open();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    spool.announce_to(Box::new(move |waiting| sink.lock().unwrap().push(waiting)));
    let ids: Vec<QueueId> = (0..20)
        .map(|_| store(&*spool, &["bob@example.net", "eve@example.com"], b"x"))
        .collect();
    wait(spool.settle(ids[3], vec![delivered(0), delivered(1)])).expect("settle");
    wait(spool.settle(ids[4], vec![delivered(0)])).expect("settle");
    let announced: Vec<QueueId> = heard.lock().unwrap().iter().map(|w| w.id).collect();
    assert_eq!(announced, ids, "each commit is announced once, in order");
    assert_eq!(
        heard.lock().unwrap()[0],
        spool.show(ids[0]).unwrap().waiting()
    );
    let check = |spool: &dyn Spool| {
        let shown = waiting(spool);
        let left: Vec<QueueId> = ids.iter().copied().filter(|id| *id != ids[3]).collect();
        assert_eq!(shown.iter().map(|w| w.id).collect::<Vec<_>>(), left);
        assert_eq!(
            shown[3].recipients.len(),
            1,
            "settled recipients do not wait"
        );
        assert_eq!(shown[3].recipients[0].index, 1);
        assert_eq!(spool.len(), 19);
    };
    check(&*spool);
    drop(spool);
    check(&*harness.open());
}

fn an_interrupted_attempt_is_known_after_a_crash(harness: &mut dyn Harness) {
    let to = ["a@example.net", "b@example.net", "c@example.net"];
    let spool = harness.open();
    let id = store(&*spool, &to, b"x");
    let lease = wait(spool.lease(id)).expect("lease");
    spool.attempt_begins(id, &[0, 1]).expect("begins");
    wait(spool.settle(id, vec![deferred(0, NOON)])).expect("settle");
    drop((lease, spool));
    let spool = harness.open();
    let reasons: Vec<RetryReason> = spool
        .show(id)
        .unwrap()
        .progress
        .iter()
        .map(reason)
        .collect();
    let expected = [
        RetryReason::Backoff,
        RetryReason::Interrupted,
        RetryReason::New,
    ];
    assert_eq!(
        reasons, expected,
        "only the attempt without an outcome is uncertain"
    );
}

fn reason(state: &RecipientState) -> RetryReason {
    match state {
        RecipientState::Waiting { reason, .. } => *reason,
        RecipientState::Held { .. }
        | RecipientState::Delivered { .. }
        | RecipientState::Failed { .. } => {
            panic!("not waiting: {state:?}")
        }
    }
}

fn held(recipient: usize, until: Option<Timestamp>) -> Change {
    Change {
        recipient,
        state: RecipientState::Held {
            hold: Box::new(Hold {
                since: NOON,
                until,
                by: "root".into(),
                reason: "the list goes out twice".into(),
            }),
            attempts: 2,
            last: Some(Box::new(attempt())),
            delay_reported: true,
        },
    }
}

fn a_hold_survives_a_crash_and_is_due_only_when_it_ends(harness: &mut dyn Harness) {
    let spool = harness.open();
    let to = [
        "bob@example.net",
        "carol@example.net",
        "dave@example.net",
        "eve@example.net",
    ];
    let id = store(&*spool, &to, b"x");
    let end = NOON.after(Duration::from_secs(7_200));
    let holds = [held(0, None), held(1, Some(end)), held(2, Some(end))];
    let settled = wait(spool.settle(id, holds.to_vec())).expect("settle");
    assert_eq!(settled, Settled::Queued);
    let lease = wait(spool.lease(id)).expect("lease");
    spool.attempt_begins(id, &[2]).expect("begins");
    drop((lease, spool));
    let spool = harness.open();
    let shown = spool.show(id).expect("show");
    assert_eq!(shown.progress[0], holds[0].state);
    assert_eq!(shown.progress[1], holds[1].state);
    assert_eq!(reason(&shown.progress[2]), RetryReason::Interrupted);
    let due: Vec<_> = shown
        .waiting()
        .recipients
        .iter()
        .map(|recipient| (recipient.index, recipient.due))
        .collect();
    assert_eq!(due, [(1, end), (2, end), (3, NOON)]);
    let deed = vec![delivered(0), delivered(1), delivered(2), delivered(3)];
    let settled = wait(spool.settle(id, deed)).expect("settle");
    assert_eq!(settled, Settled::Gone, "a hold ends like any other state");
}

fn names_are_read_in_pieces_oldest_first(harness: &mut dyn Harness) {
    let spool = harness.open();
    let mut ids: Vec<_> = (0..5)
        .map(|_| store(&*spool, &["bob@example.net"], b"x"))
        .collect();
    assert_eq!(spool.newest(), Some(ids[4]));
    assert_eq!(spool.names_after(None, 3), ids[..3]);
    assert_eq!(spool.names_after(Some(ids[2]), 3), ids[3..]);
    assert_eq!(spool.names_after(Some(ids[4]), 3), []);
    wait(spool.settle(ids[3], vec![delivered(0)])).expect("settle");
    assert_eq!(spool.names_after(Some(ids[2]), 3), [ids[4]]);
    drop(spool);
    ids.remove(3);
    assert_eq!(harness.open().names_after(None, 100), ids);
}

fn a_damaged_message_is_set_aside_and_the_others_survive(harness: &mut dyn Harness) {
    for size in [2_000, 500_000] {
        let spool = harness.open();
        let ids: Vec<QueueId> = (0..5)
            .map(|_| store(&*spool, &["bob@example.net"], &pattern(size)))
            .collect();
        if !harness.damage(ids[2]) {
            return;
        }
        let verdict = wait(spool.lease(ids[2])).and_then(|leased| leased.body().map(drop));
        assert!(
            matches!(verdict, Err(SpoolError::Damaged { id, .. }) if id == ids[2]),
            "damage of {size} octets is found before the content is used: {verdict:?}"
        );
        let gone = wait(spool.lease(ids[2]));
        assert!(
            matches!(gone, Err(SpoolError::Gone { .. })),
            "set aside: {gone:?}"
        );
        drop(spool);
        let spool = harness.open();
        assert_eq!(spool.len(), 4, "the damaged one does not come back");
        for id in [ids[0], ids[1], ids[3], ids[4]] {
            let leased = wait(spool.lease(id)).expect("the others survive");
            assert!(content(&leased) == pattern(size));
            wait(spool.settle(id, vec![delivered(0)])).expect("settle");
        }
    }
}

fn a_full_store_refuses_new_mail_and_settles_old(harness: &mut dyn Harness) {
    let spool = harness.open();
    let id = store(&*spool, &["bob@example.net"], b"x");
    if !harness.fill(true) {
        return;
    }
    let refused = spool.admit(1_000);
    assert!(
        matches!(refused, Err(SpoolError::Full { .. })),
        "{refused:?}"
    );
    let refused = spool.begin(NOON).map(drop);
    assert!(
        matches!(refused, Err(SpoolError::Full { .. })),
        "{refused:?}"
    );
    let settled = wait(spool.settle(id, vec![delivered(0)]));
    assert!(matches!(settled, Ok(Settled::Gone)), "{settled:?}");
    harness.fill(false);
    spool.admit(1_000).expect("there is room again");
    store(&*spool, &["bob@example.net"], b"x");
}

fn a_closed_spool_refuses_and_keeps_everything(harness: &mut dyn Harness) {
    let spool = harness.open();
    let id = store(&*spool, &["bob@example.net"], b"x");
    let mut open = spool.begin(NOON).expect("begin");
    open.write(b"y").expect("write");
    wait(spool.close()).expect("close");
    let late = wait(open.commit(envelope(&["bob@example.net"]), NOON));
    assert!(matches!(late, Err(SpoolError::Closed)), "{late:?}");
    assert!(matches!(spool.admit(0), Err(SpoolError::Closed)));
    assert!(matches!(
        spool.begin(NOON).map(drop),
        Err(SpoolError::Closed)
    ));
    assert!(matches!(wait(spool.lease(id)), Err(SpoolError::Closed)));
    assert!(matches!(
        spool.attempt_begins(id, &[0]),
        Err(SpoolError::Closed)
    ));
    let settled = wait(spool.settle(id, vec![delivered(0)]));
    assert!(matches!(settled, Err(SpoolError::Closed)), "{settled:?}");
    drop(spool);
    let spool = harness.open();
    assert_eq!(spool.len(), 1);
    assert_eq!(content(&wait(spool.lease(id)).expect("lease")), b"x");
}

fn commits_of_many_threads_all_survive(harness: &mut dyn Harness) {
    let spool = harness.open();
    let ids = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|worker: u8| {
                let spool = &*spool;
                scope.spawn(move || {
                    let mut mine = Vec::new();
                    for i in 0..25_u8 {
                        let id = store(spool, &["bob@example.net"], &[worker, i]);
                        if i % 2 == 0 {
                            wait(spool.settle(id, vec![delivered(0)])).expect("settle");
                        } else {
                            mine.push((id, [worker, i]));
                        }
                    }
                    mine
                })
            })
            .collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.flatten().collect::<Vec<_>>()
    });
    drop(spool);
    let spool = harness.open();
    assert_eq!(spool.len(), ids.len());
    for (id, text) in ids {
        assert_eq!(content(&wait(spool.lease(id)).expect("lease")), text);
    }
}
