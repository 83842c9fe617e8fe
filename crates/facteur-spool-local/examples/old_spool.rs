//! Makes a small spool for `tests/fixtures/`, before the format changes: `cargo run --example old_spool DIRECTORY`.
//!
//! `tests/it/upgrade.rs` says what must be found in it. It ends as after `kill -9`: nothing is closed.

#![expect(clippy::unwrap_used, reason = "a tool for developers")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::environment::Sleep;
use facteur_mail::{
    Attempt, Clock, RecipientState, RemoteHost, Report, RetryReason, Said, Stage, Timestamp,
};
use facteur_replies::{RemoteReply, ReplyCode};
use facteur_spool::battery::{NOON, delivered, store, wait};
use facteur_spool::{Change, Spool};
use facteur_spool_local::{Config, LocalSpool};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        NOON
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        Box::pin(std::future::ready(()))
    }
}

fn main() {
    let directory = std::env::args_os().nth(1).map(PathBuf::from).unwrap();
    let config = Config {
        segment_size: 16 << 10,
        segment_step: 4 << 10,
        inline_limit: 2_000,
        ..Config::new(directory)
    };
    let (spool, _) = LocalSpool::open(config, Arc::new(Noon)).unwrap();
    store(
        &*spool,
        &["bob@example.net"],
        b"Subject: new\r\n\r\nhello\r\n",
    );
    let half = store(
        &*spool,
        &["bob@example.net", "eve@example.com"],
        b"Subject: half\r\n\r\nhello\r\n",
    );
    wait(Spool::settle(
        &*spool,
        half,
        vec![delivered(0), deferred(1)],
    ))
    .unwrap();
    let large = store(
        &*spool,
        &["bob@example.net", "eve@example.com"],
        &b"large\r\n".repeat(1_000),
    );
    wait(Spool::settle(&*spool, large, vec![failed(0)])).unwrap();
    let trying = store(&*spool, &["bob@example.net"], b"Subject: trying\r\n\r\n");
    spool.attempt_begins(trying, &[0]).unwrap();
    let gone = store(&*spool, &["bob@example.net"], b"Subject: gone\r\n\r\n");
    wait(Spool::settle(&*spool, gone, vec![delivered(0)])).unwrap();
}

fn deferred(recipient: usize) -> Change {
    Change {
        recipient,
        state: RecipientState::Waiting {
            next_at: NOON.after(Duration::from_secs(300)),
            attempts: 3,
            reason: RetryReason::Backoff,
            last: Some(Box::new(attempt(450, "4.2.1 not now"))),
            delay_reported: true,
        },
    }
}

fn failed(recipient: usize) -> Change {
    Change {
        recipient,
        state: RecipientState::Failed {
            attempt: Box::new(attempt(550, "5.1.1 nobody here")),
            report: Report::Owed,
        },
    }
}

fn attempt(code: u16, line: &str) -> Attempt {
    Attempt {
        at: NOON,
        took: Duration::from_millis(12),
        host: Some(RemoteHost {
            name: "mx.example.com".into(),
            address: Some(([192, 0, 2, 1], 25).into()),
        }),
        stage: Stage::Rcpt,
        said: Said::ByPeer(RemoteReply::new(
            ReplyCode::new(code).unwrap(),
            vec![line.to_owned()],
        )),
    }
}
