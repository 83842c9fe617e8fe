//! What is written while a flush is under way: an outcome does not wait for it, and shares the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use facteur_mail::{QueueId, RecipientState};
use facteur_spool::battery::{NOON, content, delivered, envelope, store, wait};
use facteur_spool::{Settled, Spool, SpoolError};
use facteur_spool_local::{Config, LocalSpool};
use facteur_testkit::{DiskFault, SimDisk};
use proptest::prelude::*;

use crate::support::TestClock;

const TO: &[&str] = &["bob@example.net", "eve@example.com"];

/// Segments so small that every few messages begin the next one.
fn tiny() -> Config {
    Config {
        segment_size: 8 << 10,
        segment_step: 4 << 10,
        inline_limit: 3_000,
        message_limit: 1 << 20,
        ..Config::new("/spool")
    }
}

fn open(disk: &SimDisk, config: Config) -> Result<Arc<LocalSpool>, SpoolError> {
    let disk = Arc::new(disk.clone());
    LocalSpool::open_on(disk, config, Arc::new(TestClock::new())).map(|(spool, report)| {
        assert_eq!(report.damaged, [], "a crash is no damage");
        spool
    })
}

/// Something that was begun and has not ended.
type Begun = Pin<Box<dyn Future<Output = Result<Settled, SpoolError>> + Send>>;

/// Hands an outcome to the spool, and does not wait for it.
fn begin_settling(spool: &Arc<LocalSpool>, id: QueueId, recipients: &[usize]) -> Begun {
    let (spool, changes) = (
        Arc::clone(spool),
        recipients.iter().map(|at| delivered(*at)).collect(),
    );
    let mut settling: Begun = Box::pin(async move { Spool::settle(&*spool, id, changes).await });
    let first = settling
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    match first {
        Poll::Pending => settling,
        Poll::Ready(done) => Box::pin(std::future::ready(done)),
    }
}

/// Two messages, of which the first is being settled, and what happens to the second one during its flush.
struct Pair {
    disk: SimDisk,
    spool: Arc<LocalSpool>,
    ids: [QueueId; 2],
}

impl Pair {
    fn new() -> Self {
        let disk = SimDisk::new();
        let spool = open(&disk, Config::new("/spool")).unwrap();
        let ids = [&b"one"[..], b"two"].map(|text| store(&*spool, TO, text));
        Self { disk, spool, ids }
    }

    /// Settles both, the second during the flush of the first; `then` sees the disk before that flush ends.
    fn settle(
        &self,
        fault: Option<(u64, DiskFault)>,
        then: impl FnOnce(&SimDisk) + Send + 'static,
    ) -> [Result<Settled, SpoolError>; 2] {
        let [one, two] = self.ids;
        let first = begin_settling(&self.spool, one, &[0, 1]);
        let slot = Arc::new(Mutex::new(None));
        let (spool, disk, inner) = (
            Arc::clone(&self.spool),
            self.disk.clone(),
            Arc::clone(&slot),
        );
        self.disk.during_next_flush(move || {
            *inner.lock().unwrap() = Some(begin_settling(&spool, two, &[0, 1]));
            then(&disk);
        });
        if let Some((after, fault)) = fault {
            self.disk.fail(after, fault);
        }
        let first = wait(first);
        let second = slot.lock().unwrap().take().unwrap();
        [first, wait(second)]
    }
}

#[test]
fn an_outcome_survives_a_kill_during_the_flush_it_did_not_wait_for() {
    let pair = Pair::new();
    let killed = Arc::new(Mutex::new(None));
    let copy = Arc::clone(&killed);
    let done = pair.settle(None, move |disk| *copy.lock().unwrap() = Some(disk.copy()));
    assert!(done.iter().all(|done| matches!(done, Ok(Settled::Gone))));
    let killed = killed.lock().unwrap().take().unwrap();
    let after = open(&killed, Config::new("/spool")).unwrap();
    assert!(
        after.is_empty(),
        "both outcomes were written before the flush had ended"
    );
}

#[test]
fn an_outcome_that_was_written_meanwhile_takes_one_flush_more_and_no_other_write() {
    let pair = Pair::new();
    let (steps, flushes) = (pair.disk.steps(), pair.disk.flushes());
    let done = pair.settle(None, |_| {});
    assert!(done.iter().all(Result::is_ok));
    assert_eq!(pair.disk.flushes() - flushes, 2);
    assert_eq!(pair.disk.steps() - steps, 4);
}

#[test]
fn a_flush_that_fails_fails_what_was_written_meanwhile() {
    let pair = Pair::new();
    // One step is the write during the flush, the next one the flush itself.
    let done = pair.settle(Some((2, DiskFault::Io)), |_| {});
    for done in done {
        assert!(matches!(done, Err(SpoolError::Write { .. })), "{done:?}");
    }
    all_are_whole_and_go_on(&pair);
}

#[test]
fn a_write_that_fails_during_a_flush_fails_what_the_flush_covers() {
    let pair = Pair::new();
    let done = pair.settle(Some((1, DiskFault::Io)), |_| {});
    for done in done {
        assert!(
            matches!(done, Err(SpoolError::Write { .. })),
            "the next segment's header says that nothing of it counts: {done:?}"
        );
    }
    all_are_whole_and_go_on(&pair);
}

/// Nothing is known of an outcome that was refused, and it can be written in the next segment.
fn all_are_whole_and_go_on(pair: &Pair) {
    assert_eq!(
        pair.disk.files("log").len(),
        1,
        "given up, and not begun anew yet"
    );
    for id in pair.ids {
        assert_eq!(pair.spool.show(id).unwrap().waiting().recipients.len(), 2);
        let done = wait(begin_settling(&pair.spool, id, &[0]));
        assert_eq!(done.unwrap(), Settled::Queued);
    }
    assert_eq!(pair.disk.files("log").len(), 2);
    pair.disk.power_cycle(0);
    let after = open(&pair.disk, Config::new("/spool")).unwrap();
    for id in pair.ids {
        assert_eq!(after.show(id).unwrap().waiting().recipients.len(), 1);
    }
}

/// Something to do, and what is done during its flush.
#[derive(Debug, Clone)]
struct Step {
    act: Act,
    meanwhile: Option<Act>,
}

#[derive(Debug, Clone)]
enum Act {
    Store(usize),
    /// The message at this place of the queue, and which of its recipients.
    Settle(usize, &'static [usize]),
}

fn act() -> impl Strategy<Value = Act> {
    let recipients = prop::sample::select(vec![&[0_usize][..], &[1], &[0, 1]]);
    prop_oneof![
        2 => (0..1_500_usize).prop_map(Act::Store),
        3 => (any::<usize>(), recipients).prop_map(|(at, recipients)| Act::Settle(at, recipients)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (act(), proptest::option::weighted(0.7, act()))
        .prop_map(|(act, meanwhile)| Step { act, meanwhile })
}

/// What was told to those who waited.
#[derive(Debug, Default, Clone)]
struct Truth {
    /// Acknowledged messages, and the recipients whose outcomes were. Both recipients: it must have gone.
    must: BTreeMap<QueueId, BTreeSet<usize>>,
    /// Messages of which something else may be on the disk as well.
    may: BTreeSet<QueueId>,
}

/// What is begun: the message, and the recipients whose outcome it is; none, if it is to be stored.
struct Doing {
    id: QueueId,
    recipients: &'static [usize],
    begun: Begun,
}

impl Truth {
    fn begin(&mut self, spool: &Arc<LocalSpool>, act: &Act) -> Option<Doing> {
        match act {
            Act::Store(octets) => {
                let mut draft = spool.begin(NOON).ok()?;
                let id = draft.id();
                draft.write(&vec![7; *octets]).ok()?;
                self.may.insert(id);
                let commit = draft.commit(envelope(TO), NOON);
                let mut begun: Begun =
                    Box::pin(async move { commit.await.map(|_| Settled::Queued) });
                let first = begun.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                if let Poll::Ready(done) = first {
                    begun = Box::pin(std::future::ready(done));
                }
                Some(Doing {
                    id,
                    recipients: &[],
                    begun,
                })
            }
            Act::Settle(at, recipients) => {
                let open = self.must.iter().filter(|(_, settled)| settled.len() < 2);
                let open: Vec<_> = open.map(|(id, _)| *id).collect();
                let id = *open.get(at % open.len().max(1))?;
                self.may.insert(id);
                let begun = begin_settling(spool, id, recipients);
                Some(Doing {
                    id,
                    recipients,
                    begun,
                })
            }
        }
    }

    /// Waits for what was begun. Whether it was done.
    fn end(&mut self, doing: Doing) -> bool {
        let Ok(_) = wait(doing.begun) else {
            return false;
        };
        let settled = self.must.entry(doing.id).or_default();
        settled.extend(doing.recipients);
        true
    }

    fn check(&mut self, spool: &LocalSpool) {
        let mut found = BTreeMap::new();
        spool.waiting(&mut |waiting| {
            found.insert(waiting.id, waiting.octets);
        });
        for (id, settled) in &self.must {
            let Ok(queued) = spool.show(*id) else {
                let gone = settled.len() == 2 || self.may.contains(id);
                assert!(gone, "{id} was acknowledged and is lost");
                continue;
            };
            assert!(settled.len() < 2, "{id} has gone and is back");
            for at in settled {
                let state = &queued.progress[*at];
                assert!(
                    matches!(state, RecipientState::Delivered { .. }),
                    "{id} was delivered to recipient {at}, and would be again: {state:?}"
                );
            }
        }
        for id in found.keys() {
            assert!(self.must.contains_key(id) || self.may.contains(id), "{id}");
            let lease = wait(spool.lease(*id)).unwrap();
            assert!(content(&lease).iter().all(|octet| *octet == 7));
        }
        // What is there is true from now on.
        self.must.clear();
        self.may.clear();
        for id in found.keys() {
            let progress = spool.show(*id).unwrap().progress;
            let done = |at: &usize| matches!(progress[*at], RecipientState::Delivered { .. });
            self.must
                .insert(*id, [0, 1].into_iter().filter(done).collect());
        }
    }
}

/// Does a step, with the other one during its flush. Whether to go on.
fn play(spool: &Arc<LocalSpool>, disk: &SimDisk, truth: &Arc<Mutex<Truth>>, step: &Step) -> bool {
    let doing = truth.lock().unwrap().begin(spool, &step.act);
    let Some(doing) = doing else { return true };
    let slot = Arc::new(Mutex::new(None));
    if let Some(act) = step.meanwhile.clone() {
        let (spool, truth, slot) = (Arc::clone(spool), Arc::clone(truth), Arc::clone(&slot));
        disk.during_next_flush(move || {
            *slot.lock().unwrap() = truth.lock().unwrap().begin(&spool, &act);
        });
    }
    let done = wait_apart(truth, doing);
    disk.during_next_flush(|| {});
    let other = slot.lock().unwrap().take();
    let other = other.is_none_or(|other| wait_apart(truth, other));
    done && other
}

/// Waits without holding the truth: what happens meanwhile needs it.
fn wait_apart(truth: &Mutex<Truth>, doing: Doing) -> bool {
    let Doing {
        id,
        recipients,
        begun,
    } = doing;
    let begun: Begun = Box::pin(std::future::ready(wait(begun)));
    truth.lock().unwrap().end(Doing {
        id,
        recipients,
        begun,
    })
}

proptest! {
    #[test]
    fn prop_what_was_told_is_true_after_a_crash_at_any_step_of_overlapping_commits(
        rounds in proptest::collection::vec(
            (proptest::collection::vec(step(), 1..40), 1..300_u64, any::<u64>(), any::<bool>()), 1..5),
    ) {
        let disk = SimDisk::new();
        let truth = Arc::new(Mutex::new(Truth::default()));
        for (steps, at, luck, killed) in rounds {
            disk.fail(at, DiskFault::Off);
            if let Ok(spool) = open(&disk, tiny()) {
                if !disk.is_off() {
                    truth.lock().unwrap().check(&spool);
                }
                for step in steps {
                    if !play(&spool, &disk, &truth, &step) || disk.is_off() {
                        break;
                    }
                }
            }
            if killed { disk.kill() } else { disk.power_cycle(luck) }
            if disk.is_off() { break; }
        }
        disk.power_cycle(0);
        let spool = open(&disk, tiny()).unwrap();
        truth.lock().unwrap().check(&spool);
    }

    #[test]
    fn prop_what_was_told_is_true_when_steps_of_overlapping_commits_fail(
        steps in proptest::collection::vec(step(), 1..40),
        faults in proptest::collection::vec(1..30_u64, 1..6),
        luck: u64,
    ) {
        let disk = SimDisk::new();
        let clock = Arc::new(TestClock::new());
        let dyn_clock = Arc::clone(&clock);
        let on: Arc<SimDisk> = Arc::new(disk.clone());
        let (spool, _) = LocalSpool::open_on(on, tiny(), dyn_clock).unwrap();
        let truth = Arc::new(Mutex::new(Truth::default()));
        let mut faults = faults.into_iter();
        for (at, step) in steps.iter().enumerate() {
            if at % 6 == 0 && let Some(fault) = faults.next() {
                disk.fail(fault, DiskFault::Io);
            }
            // What failed leaves the truth as uncertain as it was.
            let _done = play(&spool, &disk, &truth, step);
            clock.advance(1_500);
        }
        disk.spare();
        clock.advance(1_500);
        let _well = spool.health();
        store(&*spool, TO, b"\x07");
        truth.lock().unwrap().may.extend(all(&spool));
        drop(spool);
        disk.power_cycle(luck);
        let spool = open(&disk, tiny()).unwrap();
        truth.lock().unwrap().check(&spool);
    }
}

fn all(spool: &LocalSpool) -> Vec<QueueId> {
    let mut ids = Vec::new();
    spool.waiting(&mut |waiting| ids.push(waiting.id));
    ids
}
