//! What is still to be told, on disk: a bounded table, written many rows at a time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use facteur_mail::Timestamp;
use rusqlite::{Connection, params};
use tokio::sync::{Notify, mpsc};

use crate::error::WebhookError;
use crate::notice::Notice;

/// How many notices are kept for one webhook; beyond that the oldest give way.
pub(crate) const MAX_KEPT: u32 = 100_000;

/// How many notices are written with one flush.
const BATCH: usize = 1_000;

/// How long a statement waits for another process that reads the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// The table.
pub(crate) struct Outbox {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// A notice to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) row: i64,
    pub(crate) at: Timestamp,
    pub(crate) attempts: u32,
    pub(crate) body: String,
}

/// What becomes of a notice that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Taken, or given up.
    Gone,
    /// Again then.
    Again(Timestamp),
}

impl Outbox {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, WebhookError> {
        let failed = |error| WebhookError::Outbox {
            path: path.to_owned(),
            error,
        };
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = NORMAL;
                 CREATE TABLE IF NOT EXISTS notice (
                     row INTEGER PRIMARY KEY AUTOINCREMENT, hook TEXT NOT NULL, at INTEGER NOT NULL,
                     due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL
                 );
                 CREATE INDEX IF NOT EXISTS notice_due ON notice (hook, due, row);",
            )
            .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            connection: Mutex::new(connection),
        })
    }

    /// Forgets what is kept for webhooks that are not configured any more.
    pub(crate) fn keep_only(&self, hooks: &[String]) -> Result<(), WebhookError> {
        self.with(|connection| {
            let mut kept = connection.prepare("SELECT DISTINCT hook FROM notice")?;
            let kept: Vec<String> = kept
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for hook in kept.iter().filter(|hook| !hooks.contains(hook)) {
                let forgotten =
                    connection.execute("DELETE FROM notice WHERE hook = ?1", params![hook])?;
                tracing::warn!(
                    webhook = hook,
                    notices = forgotten,
                    "a webhook is configured no more"
                );
            }
            Ok(())
        })
    }

    /// Writes notices down, all of them or none.
    pub(crate) fn put(&self, notices: &[Notice]) -> Result<(), WebhookError> {
        self.with(|connection| {
            let transaction = connection.unchecked_transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO notice (hook, at, due, body) VALUES (?1, ?2, ?2, ?3)",
                )?;
                for notice in notices {
                    insert.execute(params![notice.hook, moment(notice.at), notice.body])?;
                }
            }
            let mut hooks: Vec<_> = notices.iter().map(|notice| notice.hook.as_str()).collect();
            hooks.sort_unstable();
            hooks.dedup();
            for hook in hooks {
                trim(&transaction, hook)?;
            }
            transaction.commit()
        })
    }

    /// The next notices that are due, the oldest first.
    pub(crate) fn due(
        &self,
        hook: &str,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<Pending>, WebhookError> {
        self.with(|connection| {
            let mut found = connection.prepare_cached(
                "SELECT row, at, attempts, body FROM notice WHERE hook = ?1 AND due <= ?2 ORDER BY due, row LIMIT ?3",
            )?;
            let found = found.query_map(params![hook, moment(now), most], |row| {
                Ok(Pending {
                    row: row.get(0)?,
                    at: Timestamp::from_millis(row.get::<_, i64>(1)?.cast_unsigned()),
                    attempts: row.get(2)?,
                    body: row.get(3)?,
                })
            })?;
            found.collect()
        })
    }

    /// When the next notice becomes due.
    pub(crate) fn next_due(&self, hook: &str) -> Result<Option<Timestamp>, WebhookError> {
        self.with(|connection| {
            let due: Option<i64> = connection
                .prepare_cached("SELECT min(due) FROM notice WHERE hook = ?1")?
                .query_row(params![hook], |row| row.get(0))?;
            Ok(due.map(|due| Timestamp::from_millis(due.cast_unsigned())))
        })
    }

    /// Writes down what came of notices.
    pub(crate) fn settle(&self, fates: &[(i64, Fate)]) -> Result<(), WebhookError> {
        self.with(|connection| {
            let transaction = connection.unchecked_transaction()?;
            for (row, fate) in fates {
                match fate {
                    Fate::Gone => transaction
                        .prepare_cached("DELETE FROM notice WHERE row = ?1")?
                        .execute(params![row])?,
                    Fate::Again(due) => transaction
                        .prepare_cached(
                            "UPDATE notice SET due = ?2, attempts = attempts + 1 WHERE row = ?1",
                        )?
                        .execute(params![row, moment(*due)])?,
                };
            }
            transaction.commit()
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, WebhookError> {
        work(&self.connection()).map_err(|error| WebhookError::Outbox {
            path: self.path.clone(),
            error,
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the oldest notices of a webhook give way.
fn trim(connection: &Connection, hook: &str) -> Result<(), rusqlite::Error> {
    let kept: i64 = connection
        .prepare_cached("SELECT count(*) FROM notice WHERE hook = ?1")?
        .query_row(params![hook], |row| row.get(0))?;
    let over = kept - i64::from(MAX_KEPT);
    if over <= 0 {
        return Ok(());
    }
    let gone = connection
        .prepare_cached(
            "DELETE FROM notice WHERE row IN (SELECT row FROM notice WHERE hook = ?1 ORDER BY row LIMIT ?2)",
        )?
        .execute(params![hook, over])?;
    tracing::warn!(
        webhook = hook,
        notices = gone,
        "a webhook takes too little: its oldest notices are given up"
    );
    Ok(())
}

fn moment(at: Timestamp) -> i64 {
    at.as_millis().cast_signed()
}

/// Writes what comes until nobody can say more. Blocks: for a thread of its own.
pub(crate) fn write(outbox: &Outbox, mut notices: mpsc::Receiver<Notice>, news: &Notify) {
    let mut batch = Vec::with_capacity(BATCH);
    while notices.blocking_recv_many(&mut batch, BATCH) > 0 {
        if let Err(error) = outbox.put(&batch) {
            tracing::error!(%error, notices = batch.len(), "notices for webhooks are lost: they cannot be written");
        }
        batch.clear();
        news.notify_waiters();
    }
}
