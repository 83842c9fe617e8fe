//! On a disk that crashes, fails, fills and rots.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};

use facteur_mail::QueueId;
use facteur_spool::battery::{self, Harness, NOON, content, delivered, envelope, store, wait};
use facteur_spool::{Settled, Spool, SpoolError};
use facteur_spool_local::{Config, Health, LocalSpool, RecoveryReport};
use facteur_testkit::{DiskFault, SimDisk};
use proptest::prelude::*;

use crate::support::TestClock;

const TO: &[&str] = &["bob@example.net", "eve@example.com"];

/// Small segments, so that a few messages fill, recycle and compact them.
fn config() -> Config {
    Config {
        segment_size: 32 << 10,
        segment_step: 8 << 10,
        inline_limit: 3_000,
        message_limit: 1 << 20,
        ..Config::new("/spool")
    }
}

/// Segments so small that every few messages begin the next one.
fn tiny() -> Config {
    Config {
        segment_size: 8 << 10,
        segment_step: 4 << 10,
        ..config()
    }
}

fn try_open(disk: &SimDisk) -> Result<(Arc<LocalSpool>, RecoveryReport), SpoolError> {
    LocalSpool::open_on(Arc::new(disk.clone()), config(), Arc::new(TestClock::new()))
}

fn try_open_tiny(disk: &SimDisk) -> Result<(Arc<LocalSpool>, RecoveryReport), SpoolError> {
    LocalSpool::open_on(Arc::new(disk.clone()), tiny(), Arc::new(TestClock::new()))
}

fn open(disk: &SimDisk) -> (Arc<LocalSpool>, RecoveryReport) {
    try_open(disk).unwrap()
}

struct OnSim {
    disk: SimDisk,
    clock: Arc<TestClock>,
}

impl Harness for OnSim {
    fn open(&mut self) -> Arc<dyn Spool> {
        // Nothing but what was flushed is left.
        self.disk.power_cycle(0);
        let disk = Arc::new(self.disk.clone());
        let clock = Arc::clone(&self.clock);
        LocalSpool::open_on(disk, config(), clock).unwrap().0
    }

    fn fill(&mut self, full: bool) -> bool {
        self.disk.set_free(if full { 0 } else { 100 << 30 });
        self.clock.advance(2_000);
        true
    }
}

#[test]
fn the_battery_passes_on_a_disk_that_loses_what_was_not_flushed() {
    battery::run(|| OnSim {
        disk: SimDisk::new(),
        clock: Arc::new(TestClock::new()),
    });
}

/// What somebody does with the spool.
#[derive(Debug, Clone)]
enum Act {
    Store(usize),
    Discard(usize),
    /// The message at this place of the queue, one of its recipients or all.
    Settle(usize, bool),
    Begin(usize),
    Close,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..2_000_usize).prop_map(Act::Store),
        1 => (3_000..9_000_usize).prop_map(Act::Store),
        1 => (0..9_000_usize).prop_map(Act::Discard),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(at, all)| Act::Settle(at, all)),
        1 => any::<usize>().prop_map(Act::Begin),
        1 => Just(Act::Close),
    ]
}

/// What must be true, whatever the disk did.
#[derive(Debug, Default)]
struct Truth {
    /// Acknowledged and not known to have gone: must be there.
    must: BTreeMap<QueueId, usize>,
    /// Neither acknowledged nor refused by the types: may be there, whole.
    may: BTreeMap<QueueId, usize>,
}

fn pattern(id: QueueId, octets: usize) -> Vec<u8> {
    (0..octets)
        .map(|i| (id.number() as usize ^ i.wrapping_mul(31)) as u8)
        .collect()
}

impl Truth {
    fn act(&mut self, spool: &LocalSpool, act: &Act) -> Result<(), SpoolError> {
        let pick = |at: &usize| self.must.keys().nth(at % self.must.len().max(1)).copied();
        match act {
            Act::Store(octets) => {
                let mut draft = spool.begin(NOON)?;
                let id = draft.id();
                draft.write(&pattern(id, *octets))?;
                self.may.insert(id, *octets);
                wait(draft.commit(envelope(TO), NOON))?;
                self.may.remove(&id);
                self.must.insert(id, *octets);
            }
            Act::Discard(octets) => {
                let mut draft = spool.begin(NOON)?;
                draft.write(&vec![1; *octets])?;
            }
            Act::Settle(at, all) => {
                let Some(id) = pick(at) else { return Ok(()) };
                let lease = wait(spool.lease(id))?;
                assert_eq!(
                    content(&lease),
                    pattern(id, self.must[&id]),
                    "the right content"
                );
                let changes = if *all {
                    vec![delivered(0), delivered(1)]
                } else {
                    vec![delivered(0)]
                };
                let octets = self.must.remove(&id).unwrap();
                self.may.insert(id, octets);
                match wait(spool.settle(id, changes))? {
                    Settled::Gone => self.may.remove(&id),
                    Settled::Queued => self.must.insert(id, self.may.remove(&id).unwrap()),
                };
            }
            Act::Begin(at) => {
                let Some(id) = pick(at) else { return Ok(()) };
                spool.attempt_begins(id, &[1])?;
            }
            Act::Close => {}
        }
        Ok(())
    }

    /// Compares the spool with what must be true, and takes what is there for true from now on.
    fn check(&mut self, spool: &LocalSpool, report: &RecoveryReport) {
        assert_eq!(report.damaged, [], "a crash is no damage");
        let mut found = BTreeMap::new();
        spool.waiting(&mut |waiting| {
            assert!(
                found.insert(waiting.id, waiting.octets).is_none(),
                "each once"
            );
        });
        assert_eq!(found.len(), spool.len());
        for id in self.must.keys() {
            assert!(found.contains_key(id), "{id} was acknowledged and is lost");
        }
        for id in found.keys() {
            let known = self.must.get(id).or_else(|| self.may.get(id));
            let octets = *known.unwrap_or_else(|| panic!("{id} has gone and is back"));
            let lease = wait(spool.lease(*id)).unwrap();
            assert_eq!(content(&lease), pattern(*id, octets), "whole or not at all");
            assert_eq!(lease.message.envelope, envelope(TO));
            self.must.insert(*id, octets);
        }
        self.may.clear();
    }
}

proptest! {
    #[test]
    fn prop_every_acknowledged_message_survives_a_loss_of_power_at_any_step(
        rounds in proptest::collection::vec(
            (proptest::collection::vec(act(), 1..80), 1..600_u64, any::<u64>(), any::<bool>()), 1..5),
    ) {
        let disk = SimDisk::new();
        let mut truth = Truth::default();
        for (acts, step, luck, killed) in rounds {
            disk.fail(step, DiskFault::Off);
            if let Ok((spool, report)) = try_open_tiny(&disk) {
                if !disk.is_off() {
                    truth.check(&spool, &report);
                }
                for act in acts {
                    if truth.act(&spool, &act).is_err() || disk.is_off() {
                        break;
                    }
                    if matches!(act, Act::Close) {
                        let _closed = wait(spool.close()).is_ok();
                        break;
                    }
                }
            }
            // A killed process leaves its pages to the system, a loss of power does not.
            if killed { disk.kill() } else { disk.power_cycle(luck) }
            if disk.is_off() { break; }
        }
        disk.power_cycle(0);
        let (spool, report) = try_open_tiny(&disk).unwrap();
        truth.check(&spool, &report);
    }

    #[test]
    fn prop_nothing_is_acknowledged_or_lost_when_a_step_fails(
        acts in proptest::collection::vec(act(), 1..60),
        steps in proptest::collection::vec(1..100_u64, 1..6),
        luck: u64,
    ) {
        let disk = SimDisk::new();
        let mut truth = Truth::default();
        let clock = Arc::new(TestClock::new());
        let dyn_clock = Arc::clone(&clock);
        let (spool, _) = LocalSpool::open_on(Arc::new(disk.clone()), tiny(), dyn_clock).unwrap();
        let mut steps = steps.into_iter();
        for (at, act) in acts.iter().enumerate() {
            if at % 10 == 0 && let Some(step) = steps.next() {
                disk.fail(step, DiskFault::Io);
            }
            // A refused act leaves the truth as uncertain as it was.
            let _refused = truth.act(&spool, act).is_err();
            clock.advance(1_500);
        }
        disk.spare();
        prop_assert_eq!(spool.health(), Health::Well);
        truth.act(&spool, &Act::Store(100)).unwrap();
        drop(spool);
        disk.power_cycle(luck);
        let (spool, report) = try_open_tiny(&disk).unwrap();
        truth.check(&spool, &report);
    }
}

#[test]
fn a_failed_flush_acknowledges_nothing_and_the_same_file_is_never_flushed_again() {
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    let before = store(&*spool, TO, b"before");
    let segment = disk.files("log").pop().unwrap();
    disk.fail(2, DiskFault::Io); // the write succeeds, the flush does not
    let mut draft = spool.begin(NOON).unwrap();
    let lost = draft.id();
    draft.write(b"lost").unwrap();
    let refused = wait(draft.commit(envelope(TO), NOON));
    assert!(
        matches!(&refused, Err(SpoolError::Write { path, .. }) if *path == segment),
        "{refused:?}"
    );
    assert!(matches!(spool.show(lost), Err(SpoolError::Gone { .. })));
    let after = store(&*spool, TO, b"after");
    assert_eq!(disk.files("log").len(), 2, "in a new segment");
    drop(spool);
    disk.kill(); // the pages of the failed write are still in the cache, and must not be believed
    let (spool, report) = open(&disk);
    assert_eq!(report.damaged, []);
    assert_eq!(spool.len(), 2);
    for (id, text) in [(before, &b"before"[..]), (after, b"after")] {
        assert_eq!(content(&wait(spool.lease(id)).unwrap()), text);
    }
}

#[test]
fn what_a_failed_flush_left_in_memory_is_believed_only_once_it_is_on_the_disk() {
    // The process dies at once, or at any step of making the next segment.
    for step in 0..8 {
        die_after_a_failed_flush(step);
    }
}

fn die_after_a_failed_flush(step: u64) {
    let disk = SimDisk::new();
    let clock = Arc::new(TestClock::new());
    let dyn_clock = Arc::clone(&clock);
    let (spool, _) = LocalSpool::open_on(Arc::new(disk.clone()), config(), dyn_clock).unwrap();
    let stays = store(&*spool, TO, b"stays");
    let ends = store(&*spool, TO, b"ends");
    disk.fail(2, DiskFault::Io); // the flush
    wait(spool.settle(ends, vec![delivered(0), delivered(1)])).unwrap_err();
    if step > 0 {
        disk.fail(step, DiskFault::Off);
        clock.advance(1_500);
        assert!(matches!(
            spool.health(),
            Health::Refusing { .. } | Health::Well
        ));
    }
    drop(spool);
    // The next one finds the record in the system's memory.
    disk.kill();
    let (spool, report) = open(&disk);
    assert_eq!(report.damaged, []);
    let after_kill = spool.len();
    drop(spool);
    disk.power_cycle(0);
    let (spool, report) = open(&disk);
    assert_eq!(report.damaged, [], "a loss of power is no damage");
    assert_eq!(spool.len(), after_kill, "what was told once stays so");
    spool.show(stays).unwrap();
}

#[test]
fn a_dead_disk_refuses_everything_and_the_spool_recovers_with_it() {
    let disk = SimDisk::new();
    let clock = Arc::new(TestClock::new());
    let dyn_clock = Arc::clone(&clock);
    let (spool, _) = LocalSpool::open_on(Arc::new(disk.clone()), config(), dyn_clock).unwrap();
    let id = store(&*spool, TO, b"x");
    disk.break_all(true);
    let failed = wait(spool.settle(id, vec![delivered(0)]));
    assert!(
        matches!(failed, Err(SpoolError::Write { .. })),
        "{failed:?}"
    );
    clock.advance(1_500);
    assert!(matches!(spool.health(), Health::Refusing { .. }));
    assert!(matches!(spool.admit(10), Err(SpoolError::Write { .. })));
    assert!(matches!(
        spool.begin(NOON).map(drop),
        Err(SpoolError::Write { .. })
    ));
    assert!(
        matches!(
            spool.attempt_begins(id, &[0]),
            Err(SpoolError::Write { .. })
        ),
        "no attempt"
    );
    let unchanged = spool.show(id).unwrap();
    assert_eq!(
        unchanged.waiting().recipients.len(),
        2,
        "nothing of it is known"
    );
    disk.break_all(false);
    clock.advance(1_500);
    assert_eq!(spool.health(), Health::Well);
    wait(spool.settle(id, vec![delivered(0), delivered(1)])).unwrap();
    assert!(spool.is_empty());
}

#[test]
fn one_flipped_bit_costs_at_most_one_message_and_is_reported() {
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    let mut expected = BTreeMap::new();
    for i in 0..6_u8 {
        let text = vec![i; 300 + usize::from(i) * 40];
        let id = store(&*spool, TO, &text);
        expected.insert(id, text);
    }
    let gone = *expected.keys().nth(2).unwrap();
    wait(spool.settle(gone, vec![delivered(0), delivered(1)])).unwrap();
    let half = *expected.keys().nth(4).unwrap();
    wait(spool.settle(half, vec![delivered(0)])).unwrap();
    wait(spool.close()).unwrap();
    drop(spool);
    let [segment] = &disk.files("log")[..] else {
        panic!("one segment")
    };
    let octets = disk.read(segment);
    let used = octets.iter().rposition(|octet| *octet != 0).unwrap() - 128;
    for at in (0..64).chain(2_048..2_112).chain(4_096..used) {
        let rotten = disk.copy();
        rotten.alter(segment, |content| content[at] ^= 1 << (at % 8));
        let (spool, report) = open(&rotten);
        let mut missing = 0;
        for (id, text) in &expected {
            match wait(spool.lease(*id)).and_then(|lease| Ok((lease.body()?, lease))) {
                Ok((_, lease)) => assert_eq!(content(&lease), *text, "octet {at}"),
                Err(SpoolError::Gone { .. }) => missing += usize::from(*id != gone),
                Err(error) => panic!("octet {at}: {error}"),
            }
        }
        assert!(missing <= 1, "octet {at}: {missing} messages missing");
        let padding = octets[at] == 0 && missing == 0 && at >= 4_096;
        let header = at < 4_096;
        assert!(
            report.damaged.len() == 1 || header || padding,
            "octet {at}: {:?}",
            report.damaged
        );
        if missing == 1 {
            let copy = report.damaged[0].copy.as_deref();
            assert!(
                copy.is_some_and(|copy| copy.starts_with("/spool/damaged")),
                "octet {at}"
            );
        }
    }
}

#[test]
fn a_lost_settlement_makes_the_outcome_doubtful_and_not_new() {
    use facteur_mail::{RecipientState, RetryReason};
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    let id = store(&*spool, TO, b"x");
    wait(spool.settle(id, vec![delivered(0)])).unwrap();
    wait(spool.close()).unwrap();
    drop(spool);
    let segment = disk.files("log").pop().unwrap();
    disk.alter(&segment, |content| {
        let at = content
            .windows(20)
            .position(|w| w == b"delivered_to_mailbox")
            .unwrap();
        content[at] ^= 1;
    });
    let (spool, report) = open(&disk);
    assert_eq!(report.damaged.len(), 1);
    assert_eq!(report.damaged[0].id, Some(id));
    for state in spool.show(id).unwrap().progress {
        assert!(
            matches!(
                state,
                RecipientState::Waiting {
                    reason: RetryReason::Interrupted,
                    ..
                }
            ),
            "it may arrive twice, and that is known: {state:?}"
        );
    }
}

#[test]
fn a_message_that_holds_a_copy_of_the_log_is_not_read_as_one() {
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    store(&*spool, TO, b"x");
    let segment = disk.files("log").pop().unwrap();
    let log = disk.read(&segment)[4_096..6_000].to_vec();
    // Even knowing the mark: a record inside a sound record is content.
    store(&*spool, TO, &log);
    wait(spool.close()).unwrap();
    drop(spool);
    let (spool, report) = open(&disk);
    assert_eq!(spool.len(), 2);
    assert_eq!(report.damaged, []);
}

#[test]
fn used_up_segments_are_recycled_and_a_message_that_stays_does_not_pin_them() {
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    let stays = store(&*spool, TO, b"I wait for days");
    wait(spool.settle(stays, vec![delivered(1)])).unwrap();
    for round in 0..600 {
        let id = store(&*spool, TO, &[7; 2_000]);
        wait(spool.settle(id, vec![delivered(0), delivered(1)])).unwrap();
        let segments = disk.files("log").len();
        assert!(
            segments <= 8,
            "round {round}: {segments} segments for one waiting message"
        );
    }
    drop(spool);
    disk.power_cycle(7);
    let (spool, report) = open(&disk);
    assert_eq!(report.damaged, []);
    assert_eq!(spool.len(), 1, "nothing that has gone comes back");
    let lease = wait(spool.lease(stays)).unwrap();
    assert_eq!(content(&lease), b"I wait for days");
    assert_eq!(
        lease.message.waiting().recipients.len(),
        1,
        "its progress came along"
    );
}

#[test]
fn a_full_disk_gives_452_and_the_queue_can_still_shrink() {
    let disk = SimDisk::new();
    let clock = Arc::new(TestClock::new());
    let dyn_clock = Arc::clone(&clock);
    let mut config = config();
    config.reserve_percent = 0;
    config.message_limit = 0;
    let (spool, _) = LocalSpool::open_on(Arc::new(disk.clone()), config, dyn_clock).unwrap();
    disk.set_free(60_000);
    let mut ids = Vec::new();
    let full = loop {
        let mut draft = spool.begin(NOON).unwrap();
        let id = draft.id();
        draft.write(&[1; 2_000]).unwrap();
        match wait(draft.commit(envelope(TO), NOON)) {
            Ok(_) => ids.push(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, SpoolError::Full { .. }), "{full:?}");
    for id in ids {
        wait(spool.settle(id, vec![delivered(0)])).unwrap();
        wait(spool.settle(id, vec![delivered(1)])).unwrap();
    }
    assert!(spool.is_empty());
    store(&*spool, TO, &[1; 2_000]);
}

#[test]
fn many_open_drafts_go_to_files_and_not_into_memory() {
    let disk = SimDisk::new();
    let mut config = config();
    config.inline_budget = 10_000;
    let (spool, _) =
        LocalSpool::open_on(Arc::new(disk.clone()), config, Arc::new(TestClock::new())).unwrap();
    let mut drafts: Vec<_> = (0..20).map(|_| spool.begin(NOON).unwrap()).collect();
    for draft in &mut drafts {
        draft.write(&[5; 1_000]).unwrap();
    }
    assert_eq!(
        disk.files("bodies").len(),
        10,
        "beyond the budget each has a file"
    );
    let late = drafts.pop().unwrap();
    let id = late.id();
    wait(late.commit(envelope(TO), NOON)).unwrap();
    assert_eq!(content(&wait(spool.lease(id)).unwrap()), [5; 1_000]);
    drop(drafts);
    assert_eq!(
        disk.files("bodies").len(),
        1,
        "dropped drafts leave no file"
    );
    let draft = spool.begin(NOON).map(|mut draft| draft.write(&[5; 1_000]));
    draft.unwrap().unwrap();
    assert_eq!(disk.files("bodies").len(), 1, "and give their memory back");
}

#[test]
fn a_file_of_a_later_version_is_refused_by_name() {
    let disk = SimDisk::new();
    drop(open(&disk));
    let segment = disk.files("log").pop().unwrap();
    disk.alter(&segment, |content| {
        for copy in [0, 2_048] {
            content[copy + 8] = 9;
            content[copy + 12..copy + 16].fill(0);
            let crc = crc32c::crc32c(&content[copy..copy + 64]);
            content[copy + 12..copy + 16].copy_from_slice(&crc.to_le_bytes());
        }
    });
    disk.kill();
    let refused = try_open(&disk).map(drop);
    assert!(
        matches!(&refused, Err(SpoolError::Version { path, found: 9 }) if path == Path::new(&segment)),
        "{refused:?}"
    );
}

#[test]
fn a_message_costs_one_write_and_one_flush() {
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    store(&*spool, TO, b"the first one zero-fills");
    let before = disk.steps();
    store(&*spool, TO, b"one write and one flush");
    assert_eq!(disk.steps() - before, 2);
    drop(spool);
}

#[test]
fn thirty_two_sessions_share_their_flushes_on_one_thread() {
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let before = disk.flushes();
    runtime.block_on(async {
        let sessions: Vec<_> = (0..32)
            .map(|_| {
                let spool = Arc::clone(&spool);
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let mut draft = spool.begin(NOON).unwrap();
                        draft.write(b"x").unwrap();
                        draft.commit(envelope(TO), NOON).await.unwrap();
                    }
                })
            })
            .collect();
        for session in sessions {
            session.await.unwrap();
        }
    });
    let flushes = disk.flushes() - before;
    assert_eq!(spool.len(), 320);
    assert!(flushes <= 32, "{flushes} flushes for 320 messages");
}

#[test]
fn a_commit_that_nobody_waits_for_any_more_is_written_and_blocks_nobody() {
    use std::task::{Context, Waker};
    let disk = SimDisk::new();
    let (spool, _) = open(&disk);
    let mut abandoned: Vec<_> = (0..3)
        .map(|_| spool.begin(NOON).unwrap().commit(envelope(TO), NOON))
        .collect();
    for commit in &mut abandoned {
        assert!(
            commit
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    // The first of them leads, the second waits.
    drop(abandoned.remove(1));
    drop(abandoned.remove(0));
    assert_eq!(spool.len(), 3, "whoever led has written them all");
    wait(abandoned.remove(0)).unwrap();
    store(&*spool, TO, b"and life goes on");
    drop(spool);
    disk.power_cycle(0);
    assert_eq!(open(&disk).0.len(), 4);
}

#[test]
fn what_queues_behind_a_failed_batch_fails_with_it() {
    use std::task::{Context, Poll, Waker};
    let disk = SimDisk::new();
    let roomy = Config::new("/spool");
    let (spool, _) =
        LocalSpool::open_on(Arc::new(disk.clone()), roomy, Arc::new(TestClock::new())).unwrap();
    let id = store(&*spool, TO, b"x");
    let mut cx = Context::from_waker(Waker::noop());
    let mut first = spool.settle(id, vec![delivered(0)]);
    assert!(first.as_mut().poll(&mut cx).is_pending());
    // As many as one write can gather, so that what comes next is in the batch behind.
    let mut between: Vec<_> = (0..1_023)
        .map(|_| spool.begin(NOON).unwrap().commit(envelope(TO), NOON))
        .collect();
    for commit in &mut between {
        assert!(commit.as_mut().poll(&mut cx).is_pending());
    }
    let mut second = spool.settle(id, vec![delivered(1)]);
    assert!(second.as_mut().poll(&mut cx).is_pending());
    disk.fail(1, DiskFault::Io); // the flush: what is told of outside is written already
    for settling in [first.as_mut(), second.as_mut()] {
        let Poll::Ready(failed) = settling.poll(&mut cx) else {
            panic!("it is over")
        };
        assert!(
            matches!(failed, Err(SpoolError::Write { .. })),
            "{failed:?}"
        );
    }
    for commit in between {
        assert!(matches!(wait(commit), Err(SpoolError::Write { .. })));
    }
    assert_eq!(spool.len(), 1);
    assert_eq!(
        spool.show(id).unwrap().waiting().recipients.len(),
        2,
        "nothing of it is known"
    );
    assert_eq!(
        wait(spool.settle(id, vec![delivered(0), delivered(1)])).unwrap(),
        Settled::Gone
    );
}

#[test]
fn a_watchdog_sees_which_batch_is_being_written() {
    let (spool, _) = open(&SimDisk::new());
    let id = store(&*spool, TO, b"x");
    assert_eq!(spool.batch_under_way(), None);
    let mut settling = spool.settle(id, vec![delivered(0)]);
    let mut nobody = Context::from_waker(Waker::noop());
    assert!(settling.as_mut().poll(&mut nobody).is_pending());
    let first = spool.batch_under_way();
    assert!(first.is_some());
    assert_eq!(
        spool.batch_under_way(),
        first,
        "the same one while it lasts"
    );
    wait(settling).unwrap();
    assert_eq!(spool.batch_under_way(), None);
    let mut settling = spool.settle(id, vec![delivered(1)]);
    assert!(settling.as_mut().poll(&mut nobody).is_pending());
    assert_ne!(spool.batch_under_way(), first, "the next is another");
    wait(settling).unwrap();
}
