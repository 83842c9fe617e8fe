//! A spool that an earlier version wrote. `examples/old_spool.rs` makes one, and `fixtures/spool-1` is what it made
//! when the records had version 1: before the first release, killed and not closed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facteur_mail::{QueueId, RecipientState, Report, RetryReason, Said};
use facteur_spool::battery::{content, delivered, wait};
use facteur_spool::{Queued, Settled, Spool};
use facteur_spool_local::{Config, LocalSpool, Reader};

use crate::support::TestClock;

/// A copy of the old spool, as opening it changes it.
fn old_spool() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("spool");
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/spool-1");
    copy_all(&old, &copy);
    (folder, copy)
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &name);
        } else {
            fs::copy(entry.path(), name).unwrap();
        }
    }
}

/// The messages by the first words of their contents.
fn messages(spool: &LocalSpool) -> Vec<(QueueId, Queued)> {
    let mut ids = Vec::new();
    spool.waiting(&mut |waiting| ids.push(waiting.id));
    ids.sort_unstable();
    ids.into_iter()
        .map(|id| (id, spool.show(id).unwrap()))
        .collect()
}

/// What a recipient was told last, and whether it waits, has it, or failed.
fn last_words(state: &RecipientState) -> String {
    let (word, attempt) = match state {
        RecipientState::Waiting { last, .. } => ("waits", last.as_ref()),
        RecipientState::Held { last, .. } => ("held", last.as_ref()),
        RecipientState::Delivered { attempt, .. } => ("delivered", Some(attempt)),
        RecipientState::Failed { attempt, .. } => ("failed", Some(attempt)),
    };
    let said = attempt.map_or_else(String::new, |attempt| match &attempt.said {
        Said::ByPeer(_) => format!(", the remote: {}", attempt.said.to_line()),
        Said::ByUs(_) => format!(", we: {}", attempt.said.to_line()),
    });
    format!("{word}{said}")
}

#[test]
fn a_spool_of_version_one_is_read_to_its_last_word_and_goes_on() {
    let (_folder, directory) = old_spool();
    let (spool, report) =
        LocalSpool::open(Config::new(directory), Arc::new(TestClock::new())).unwrap();
    assert_eq!(report.damaged, []);
    assert!(!report.closed_before);
    let messages = messages(&spool);
    let words: Vec<Vec<String>> = messages
        .iter()
        .map(|(_, queued)| queued.progress.iter().map(last_words).collect())
        .collect();
    assert_eq!(
        words,
        [
            vec!["waits"],
            vec![
                "delivered, we: 250 2.1.5 delivered to mailbox bob",
                "waits, the remote: 450 4.2.1 not now"
            ],
            vec!["failed, the remote: 550 5.1.1 nobody here", "waits"],
            vec!["waits"],
        ],
        "and the one that has gone has gone"
    );
    let contents: Vec<Vec<u8>> = messages
        .iter()
        .map(|(id, _)| content(&wait(spool.lease(*id)).unwrap()))
        .collect();
    assert_eq!(contents[0], b"Subject: new\r\n\r\nhello\r\n");
    assert_eq!(contents[1], b"Subject: half\r\n\r\nhello\r\n");
    assert_eq!(contents[2], b"large\r\n".repeat(1_000));
    assert!(matches!(
        messages[1].1.progress[1],
        RecipientState::Waiting {
            attempts: 3,
            reason: RetryReason::Backoff,
            delay_reported: true,
            ..
        }
    ));
    assert!(matches!(
        messages[2].1.progress[0],
        RecipientState::Failed {
            report: Report::Owed,
            ..
        }
    ));
    assert!(
        matches!(
            messages[3].1.progress[0],
            RecipientState::Waiting {
                reason: RetryReason::Interrupted,
                ..
            }
        ),
        "the attempt that had begun is known"
    );
    let settled = wait(spool.settle(messages[1].0, vec![delivered(1)])).unwrap();
    assert_eq!(settled, Settled::Gone);
    assert_eq!(spool.len(), 3);
}

#[test]
fn a_spool_of_version_one_can_be_looked_at_and_exported() {
    let (_folder, directory) = old_spool();
    let reader = Reader::open(directory, Arc::new(TestClock::new())).unwrap();
    let out = tempfile::tempdir().unwrap();
    let exported = reader.export(out.path()).unwrap();
    assert_eq!(exported.messages, 4);
    assert!(exported.damaged.is_empty());
}
