//! On a real disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facteur_mail::QueueId;
use facteur_spool::battery::{self, Harness, content, delivered, store, wait};
use facteur_spool::{Spool, SpoolError};
use facteur_spool_local::{Config, LocalSpool, Reader, RecoveryReport};

use crate::support::TestClock;

fn open(directory: &Path) -> Result<(Arc<LocalSpool>, RecoveryReport), SpoolError> {
    LocalSpool::open(Config::new(directory), Arc::new(TestClock::new()))
}

struct OnDisk {
    directory: tempfile::TempDir,
}

impl OnDisk {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("spool")
    }
}

impl Harness for OnDisk {
    fn open(&mut self) -> Arc<dyn Spool> {
        open(&self.path()).unwrap().0
    }

    fn damage(&mut self, id: QueueId) -> bool {
        flip(&self.path(), id)
    }
}

/// Flips a bit in the stored content of a message.
fn flip(spool: &Path, id: QueueId) -> bool {
    for directory in fs::read_dir(spool.join("bodies")).unwrap() {
        let body = directory.unwrap().path().join(id.to_string());
        if let Ok(mut octets) = fs::read(&body) {
            let middle = octets.len() / 2;
            octets[middle] ^= 4;
            fs::write(&body, octets).unwrap();
            return true;
        }
    }
    for segment in fs::read_dir(spool.join("log")).unwrap() {
        let path = segment.unwrap().path();
        let mut octets = fs::read(&path).unwrap();
        let found = (4_096..octets.len() - 64).step_by(8).find(|at| {
            octets[at + 40..at + 48] == id.number().to_le_bytes() && octets[at + 13] == 1
        });
        if let Some(at) = found {
            octets[at + 64 + 10] ^= 4;
            fs::write(&path, octets).unwrap();
            return true;
        }
    }
    false
}

#[test]
fn the_embedded_spool_passes_the_battery() {
    battery::run(OnDisk::new);
}

#[test]
fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let disk = OnDisk::new();
    let (first, _) = open(&disk.path()).unwrap();
    let second = open(&disk.path()).map(drop);
    let us = std::process::id();
    assert!(
        matches!(second, Err(SpoolError::Owned { pid: Some(pid), .. }) if pid == us),
        "{second:?}"
    );
    drop(first);
    drop(open(&disk.path()).unwrap());
}

#[test]
fn a_directory_that_others_can_write_into_is_refused() {
    let disk = OnDisk::new();
    fs::create_dir(disk.path()).unwrap();
    for mode in [0o770, 0o707] {
        fs::set_permissions(disk.path(), fs::Permissions::from_mode(mode)).unwrap();
        let refused = open(&disk.path()).map(drop);
        assert!(
            matches!(refused, Err(SpoolError::Unsafe { .. })),
            "{refused:?}"
        );
    }
    fs::remove_dir(disk.path()).unwrap();
    drop(open(&disk.path()).unwrap());
    let mode = fs::metadata(disk.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "a new one is for us alone");
}

#[test]
fn a_start_after_a_clean_stop_says_so_and_one_after_a_crash_too() {
    let disk = OnDisk::new();
    let (spool, report) = open(&disk.path()).unwrap();
    assert!(report.closed_before, "a new spool has not been cut off");
    store(&*spool, &["bob@example.net"], b"x");
    drop(spool);
    let (spool, report) = open(&disk.path()).unwrap();
    assert!(!report.closed_before);
    assert_eq!((report.messages, report.torn_tail), (1, 0));
    wait(spool.close()).unwrap();
    drop(spool);
    let (_, report) = open(&disk.path()).unwrap();
    assert!(report.closed_before);
    assert!(report.damaged.is_empty(), "{:?}", report.damaged);
}

#[test]
fn a_content_without_a_message_is_removed_at_the_next_start() {
    let disk = OnDisk::new();
    let (spool, _) = open(&disk.path()).unwrap();
    let kept = store(&*spool, &["bob@example.net"], &[b'x'; 300_000]);
    drop(spool);
    let orphan = disk.path().join("bodies/00/0000000000000");
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, b"left behind").unwrap();
    let (spool, report) = open(&disk.path()).unwrap();
    assert_eq!(report.orphans, 1);
    assert!(!orphan.exists());
    let lease = wait(spool.lease(kept)).unwrap();
    assert_eq!(content(&lease).len(), 300_000);
    wait(spool.settle(kept, vec![delivered(0)])).unwrap();
    let left: usize = fs::read_dir(disk.path().join("bodies"))
        .unwrap()
        .map(|directory| fs::read_dir(directory.unwrap().path()).unwrap().count())
        .sum();
    assert_eq!(left, 0, "a delivered content leaves no file");
}

#[test]
fn the_queue_can_be_looked_at_and_exported_while_the_server_runs() {
    let disk = OnDisk::new();
    let (spool, _) = open(&disk.path()).unwrap();
    let small = store(
        &*spool,
        &["bob@example.net", "eve@example.com"],
        b"small\r\n",
    );
    let large = store(&*spool, &["bob@example.net"], &[b'x'; 300_000]);
    wait(spool.settle(small, vec![delivered(1)])).unwrap();
    let reader = Reader::open(disk.path(), Arc::new(TestClock::new())).unwrap();
    assert_eq!(reader.ids(), [small, large]);
    let shown: Vec<_> = reader.queued().map(Result::unwrap).collect();
    assert_eq!(shown[0], spool.show(small).unwrap());
    assert!(reader.check().is_empty());
    let into = disk.directory.path().join("export");
    fs::create_dir(&into).unwrap();
    let done = reader.export(&into).unwrap();
    assert_eq!((done.messages, done.damaged.len()), (2, 0));
    assert_eq!(
        fs::read(into.join(format!("{small}.eml"))).unwrap(),
        b"small\r\n"
    );
    let meta = fs::read_to_string(into.join(format!("{small}.json"))).unwrap();
    for part in [
        "\"alice@example.org\"",
        "\"delivered\"",
        "\"250 2.1.5 delivered to mailbox bob\"",
    ] {
        assert!(meta.contains(part), "{part} in {meta}");
    }
    let again = reader.export(&into);
    assert!(
        matches!(again, Err(SpoolError::Write { .. })),
        "existing files stay: {again:?}"
    );
    // What went after the reader looked is gone, not damaged; what rots is damaged, and stays for its owner.
    wait(spool.settle(small, vec![delivered(0)])).unwrap();
    assert!(flip(&disk.path(), large));
    let damaged = reader.check();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].0, large);
    assert_eq!(spool.len(), 1);
}

/// Where the process that is to end itself finds the spool.
const DIES_ON: &str = "FACTEUR_TEST_DIES_ON";

#[test]
fn a_bug_while_the_log_is_led_ends_the_process_and_what_was_acknowledged_is_on_disk() {
    use std::os::unix::process::ExitStatusExt as _;
    if let Some(directory) = std::env::var_os(DIES_ON) {
        let (spool, _) = open(Path::new(&directory)).unwrap();
        store(&*spool, &["bob@example.net"], b"acknowledged");
        spool.announce_to(Box::new(|_| panic!("a bug")));
        store(&*spool, &["bob@example.net"], b"never acknowledged");
        unreachable!("whoever leads must not go on");
    }
    let disk = OnDisk::new();
    let this =
        "real::a_bug_while_the_log_is_led_ends_the_process_and_what_was_acknowledged_is_on_disk";
    let died = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this])
        .env(DIES_ON, disk.path())
        .output()
        .unwrap();
    assert_eq!(died.status.signal(), Some(6), "aborted: {died:?}");
    let (spool, report) = open(&disk.path()).unwrap();
    assert_eq!(report.damaged, []);
    let mut ids = Vec::new();
    spool.waiting(&mut |waiting| ids.push(waiting.id));
    let first = *ids.iter().min().unwrap();
    assert_eq!(content(&wait(spool.lease(first)).unwrap()), b"acknowledged");
}
