//! Nothing that happens to the file stops whoever tells, and what is missing is said.

use std::fs;
use std::time::Duration;

use facteur_history::{Config, GapReason, History, HistoryError, MAX_WAITING, Reader};
use facteur_mail::{Clock as _, Event, Observer as _, Timestamp};
use facteur_testkit::ManualClock;

use crate::support::{Archive, PATIENCE, Post, files, id};

fn post(archive: &Archive, number: u64) -> Post {
    let now = archive.clock.now();
    Post::new(id(now, number), now, &format!("u{number}@far.test"))
}

#[test]
fn a_file_that_was_deleted_is_begun_anew() {
    let archive = Archive::open();
    let lost = post(&archive, 1);
    archive.live(&lost);
    archive.settle(3);
    for name in files(&archive.config.directory) {
        fs::remove_file(archive.config.directory.join(name)).unwrap();
    }
    let kept = post(&archive, 2);
    archive.live(&kept);
    archive.settle(6);
    let reader = archive.read();
    assert!(reader.story(kept.id).unwrap().is_some());
    assert_eq!(reader.story(lost.id).unwrap(), None);
}

#[test]
fn a_file_deleted_without_its_log_is_begun_anew() {
    let archive = Archive::open();
    archive.live(&post(&archive, 1));
    archive.settle(3);
    fs::remove_file(archive.config.file()).unwrap();
    let kept = post(&archive, 2);
    archive.live(&kept);
    archive.settle(6);
    let archive = archive.again();
    let later = post(&archive, 3);
    archive.live(&later);
    let reader = archive.read();
    for id in [kept.id, later.id] {
        assert!(reader.story(id).unwrap().is_some());
    }
}

#[test]
fn a_file_that_is_no_database_is_set_aside_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(directory.path().join("history"));
    fs::create_dir(&config.directory).unwrap();
    fs::write(
        config.file(),
        "this is no database, and never was one. ".repeat(200),
    )
    .unwrap();
    let clock = ManualClock::new();
    let history = History::start(config.clone(), std::sync::Arc::new(clock.clone())).unwrap();
    let now = clock.now();
    let post = Post::new(id(now, 1), now, "u@far.test");
    history.observe(&Event::Accepted(post.accepted()));
    assert!(history.close(PATIENCE));
    let reader = Reader::open(&config.directory).unwrap();
    assert!(reader.story(post.id).unwrap().is_some());
    assert!(files(&config.directory).contains(&"history.damaged".to_owned()));
}

#[test]
fn a_file_that_is_overwritten_while_it_is_open_is_set_aside_in_the_end() {
    let archive = Archive::open();
    archive.live(&post(&archive, 1));
    archive.settle(3);
    for name in files(&archive.config.directory) {
        let path = archive.config.directory.join(name);
        let octets = fs::read(&path).unwrap().len();
        fs::write(&path, vec![0x55; octets.max(4_096)]).unwrap();
    }
    // A page that the writer remembers is not read again: it need not notice at once, but it never stops anybody.
    archive.live(&post(&archive, 2));
    archive.settle(6);
    let archive = archive.again();
    let kept = post(&archive, 3);
    archive.live(&kept);
    let reader = archive.read();
    assert!(reader.story(kept.id).unwrap().is_some());
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let archive = Archive::open();
    archive.live(&post(&archive, 1));
    assert!(archive.history.close(PATIENCE));
    let connection = rusqlite_of(&archive);
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let archive = archive.again();
    archive.live(&post(&archive, 2));
    archive.settle(3);
    assert!(archive.history.health().failing);
    assert_eq!(archive.history.health().written, 0);
    let opened = Reader::open(&archive.config.directory);
    assert!(matches!(
        opened,
        Err(HistoryError::Version { found: 99, .. })
    ));
}

#[test]
fn a_lock_that_somebody_holds_costs_what_happens_meanwhile_and_no_more() {
    let archive = Archive::open();
    assert!(archive.history.close(PATIENCE));
    let connection = rusqlite_of(&archive);
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let archive = archive.again();
    let lost = post(&archive, 1);
    archive.live(&lost);
    archive.settle(3);
    assert!(archive.history.health().failing);
    connection.execute_batch("COMMIT").unwrap();
    let archive = archive.again();
    let kept = post(&archive, 2);
    archive.live(&kept);
    let reader = archive.read();
    assert!(reader.story(kept.id).unwrap().is_some());
    assert_eq!(reader.story(lost.id).unwrap(), None);
}

#[test]
fn a_directory_that_cannot_be_made_stops_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let clock = ManualClock::new();
    let config = Config::new(file.join("history"));
    let history = History::start(config, std::sync::Arc::new(clock.clone())).unwrap();
    let now = clock.now();
    let post = Post::new(id(now, 1), now, "u@far.test");
    history.observe(&Event::Accepted(post.accepted()));
    assert!(history.close(PATIENCE));
    let health = history.health();
    assert_eq!(
        (health.written, health.missing, health.failing),
        (0, 1, true)
    );
}

#[test]
fn a_disk_that_is_nearly_full_is_left_to_mail() {
    let archive = Archive::with(|config| {
        (config.leave_percent, config.leave_most) = (100, u64::MAX);
    });
    archive.live(&post(&archive, 1));
    archive.settle(3);
    let health = archive.history.health();
    assert_eq!(
        (health.written, health.missing, health.failing),
        (0, 3, true)
    );
    assert!(archive.history.close(PATIENCE));
}

#[test]
fn more_than_can_be_taken_is_dropped_and_the_gap_is_kept() {
    let archive = Archive::open();
    assert!(archive.history.close(PATIENCE));
    let connection = rusqlite_of(&archive);
    // The writer waits for the lock, and what is told meanwhile piles up.
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let archive = archive.again();
    let at = Timestamp::from_millis(1_000);
    let flood = 3 * u64::try_from(MAX_WAITING).unwrap();
    for number in 0..flood {
        archive.history.observe(&Event::Ended {
            id: id(at, number),
            at,
        });
    }
    connection.execute_batch("COMMIT").unwrap();
    let reader = archive.read();
    let health = archive.history.health();
    assert_eq!(health.written + health.missing, flood);
    assert!(health.missing > 0);
    let gaps = reader.gaps(at, archive.clock.now().after(Duration::from_secs(1)));
    let gaps = gaps.unwrap();
    let dropped = gaps.iter().filter(|gap| gap.why == GapReason::TooMuch);
    assert!(dropped.map(|gap| gap.events).sum::<u64>() > 0, "{gaps:?}");
}

/// The file, as another process sees it.
fn rusqlite_of(archive: &Archive) -> rusqlite::Connection {
    rusqlite::Connection::open(archive.config.file()).unwrap()
}
