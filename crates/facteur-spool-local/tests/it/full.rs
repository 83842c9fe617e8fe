//! On a disk without room: what can wait is refused, what has happened is written.

use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{RecipientState, RetryReason};
use facteur_spool::battery::{NOON, delivered, envelope, store, wait};
use facteur_spool::{Change, Settled, Spool, SpoolError};
use facteur_spool_local::{Config, Health, LocalSpool};
use facteur_testkit::SimDisk;

use crate::support::TestClock;

const TO: &[&str] = &["bob@example.net", "eve@example.com"];

/// A spool that looks for room again whenever the clock moves.
fn open(disk: &SimDisk, config: Config) -> (Arc<LocalSpool>, Arc<TestClock>) {
    let clock = Arc::new(TestClock::new());
    let on = Arc::new(disk.clone());
    let dyn_clock = Arc::clone(&clock);
    let (spool, report) = LocalSpool::open_on(on, config, dyn_clock).unwrap();
    assert_eq!(report.damaged, []);
    (spool, clock)
}

fn deferred(recipient: usize) -> Change {
    Change {
        recipient,
        state: RecipientState::Waiting {
            next_at: NOON.after(Duration::from_secs(300)),
            attempts: 1,
            reason: RetryReason::Backoff,
            last: None,
            delay_reported: false,
        },
    }
}

#[test]
fn deferrals_leave_the_last_room_to_outcomes() {
    let disk = SimDisk::new();
    let (spool, clock) = open(&disk, Config::new("/spool"));
    let ids: Vec<_> = (0..2_000).map(|_| store(&*spool, TO, &[1; 500])).collect();
    disk.set_free(0);
    clock.advance(2_000);
    let refused = (0..100_000).find_map(|at| {
        let id = ids[at % ids.len()];
        spool.attempt_begins(id, &[1]).unwrap();
        wait(spool.settle(id, vec![deferred(1)])).err()
    });
    assert!(
        matches!(refused, Some(SpoolError::Full { .. })),
        "{refused:?}"
    );
    assert!(matches!(spool.admit(100), Err(SpoolError::Full { .. })));
    for id in &ids {
        // Attempts may begin, and go by unrecorded where there is no room for their mark.
        spool.attempt_begins(*id, &[0]).unwrap();
        let one = wait(spool.settle(*id, vec![delivered(0)]));
        assert_eq!(one.unwrap(), Settled::Queued);
    }
    let again = wait(spool.settle(ids[0], vec![deferred(1)]));
    assert!(matches!(again, Err(SpoolError::Full { .. })), "{again:?}");
    for id in &ids {
        assert_eq!(
            spool.show(*id).unwrap().waiting().recipients.len(),
            1,
            "what was delivered stays so"
        );
        let all = wait(spool.settle(*id, vec![delivered(1)]));
        assert_eq!(all.unwrap(), Settled::Gone);
    }
    assert!(spool.is_empty());
    drop(spool);
    disk.power_cycle(0);
    disk.set_free(100 << 30);
    let (spool, _) = open(&disk, Config::new("/spool"));
    assert!(spool.is_empty(), "nothing that has gone comes back");
}

#[test]
fn a_used_up_segment_is_room_on_a_full_disk() {
    let tiny = Config {
        segment_size: 32 << 10,
        segment_step: 4 << 10,
        reserve_percent: 0,
        message_limit: 0,
        ..Config::new("/spool")
    };
    let disk = SimDisk::new();
    let (spool, clock) = open(&disk, tiny);
    let mut ids: Vec<_> = (0..40).map(|_| store(&*spool, TO, &[1; 2_000])).collect();
    disk.set_free(0);
    let full = loop {
        let mut draft = spool.begin(NOON).unwrap();
        draft.write(&[1; 2_000]).unwrap();
        let id = draft.id();
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
    clock.advance(2_000);
    // Not one octet was freed on the disk, and there is room again.
    for _ in 0..20 {
        store(&*spool, TO, &[1; 2_000]);
    }
}

#[test]
fn a_spool_on_a_full_disk_opens_and_goes_on_when_there_is_room() {
    let disk = SimDisk::new();
    let (spool, _) = open(&disk, Config::new("/spool"));
    let id = store(&*spool, TO, b"x");
    drop(spool);
    disk.kill();
    disk.set_free(0);
    let (spool, clock) = open(&disk, Config::new("/spool"));
    assert_eq!(spool.len(), 1);
    assert!(matches!(spool.health(), Health::Refusing { .. }));
    assert!(spool.admit(10).is_err());
    assert!(wait(spool.settle(id, vec![delivered(0)])).is_err());
    disk.set_free(100 << 30);
    clock.advance(2_000);
    assert_eq!(spool.health(), Health::Well);
    let done = wait(spool.settle(id, vec![delivered(0), delivered(1)]));
    assert_eq!(done.unwrap(), Settled::Gone);
}
