//! The file, as its one writer sees it: the tables, a batch in a transaction, what is too old taken out in small steps.
//!
//! Rows come in the order of time and go in the order of time. Names are looked for within buckets of ten minutes: the
//! index grows at its end, and the oldest of it is one piece.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use facteur_mail::{QueueId, Timestamp};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use crate::Config;
use crate::entry::Gap;
use crate::error::HistoryError;
use crate::note::Name;

/// The version of the tables.
pub(crate) const VERSION: i64 = 1;

/// The number that marks the file as ours: `FACT`.
pub(crate) const APPLICATION: i64 = 0x4641_4354;

/// How much time a bucket of names is.
const BUCKET: Duration = Duration::from_secs(600);

/// The name of a message, and of a refusal, in the index.
pub(crate) const OF_MESSAGE: i64 = 0;
pub(crate) const OF_REFUSAL: i64 = 1;

/// How long another process may hold the lock.
const BUSY: Duration = Duration::from_secs(2);

/// The free pages that are kept for what comes next: more are given back to the system.
const SPARE_PAGES: i64 = 2_560;

/// How many pages are given back in one step.
const VACUUM_STEP: i64 = 1_000;

/// How many names are taken out for each row.
const NAMES_PER_ROW: i64 = 3;

const TABLES: &str = "
    CREATE TABLE origin (began INTEGER NOT NULL);
    CREATE TABLE story (n INTEGER PRIMARY KEY, id INTEGER NOT NULL, at INTEGER NOT NULL, entries BLOB NOT NULL);
    CREATE INDEX story_id ON story (id);
    CREATE TABLE refusal (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, entry BLOB NOT NULL);
    CREATE TABLE name (bucket INTEGER NOT NULL, hash INTEGER NOT NULL, what INTEGER NOT NULL, id INTEGER NOT NULL,
        PRIMARY KEY (bucket, hash, what, id)) WITHOUT ROWID;
    CREATE TABLE gap (n INTEGER PRIMARY KEY, begun INTEGER NOT NULL, ended INTEGER NOT NULL, events INTEGER NOT NULL,
        why TEXT NOT NULL);
";

/// What is written in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What happened to each message, in order, encoded.
    pub(crate) stories: Vec<Part>,
    pub(crate) refusals: Vec<Refused>,
    pub(crate) gaps: Vec<Gap>,
}

/// What happened to one message.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) id: QueueId,
    pub(crate) at: Timestamp,
    pub(crate) names: Vec<Name>,
    pub(crate) entries: Vec<u8>,
}

/// One refusal.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) at: Timestamp,
    pub(crate) names: Vec<Name>,
    pub(crate) entry: Vec<u8>,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Connection,
    /// Device and inode: a file that was put in its place is another.
    identity: (u64, u64),
}

/// The bucket that a moment belongs to.
pub(crate) fn bucket(at: Timestamp) -> i64 {
    millis(at) / i64::try_from(BUCKET.as_millis()).unwrap_or(i64::MAX)
}

/// A moment as it is stored.
pub(crate) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

/// A stored moment.
pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}

impl Database {
    /// Opens the file, and makes it if there is none.
    pub(crate) fn open(config: &Config, now: Timestamp) -> Result<Self, HistoryError> {
        let directory = &config.directory;
        let of_directory = |error| HistoryError::Io {
            path: directory.clone(),
            error,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(of_directory)?;
        let path = config.file();
        let of_file = |error| HistoryError::Io {
            path: path.clone(),
            error,
        };
        // SQLite gives its other files the mode of this one.
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(of_file)?;
        let identity = identity(&path).map_err(of_file)?;
        let opened = connect(&path, now).map_err(|error| HistoryError::Database {
            path: path.clone(),
            error,
        })?;
        match opened {
            Ok(connection) => Ok(Self {
                path,
                connection,
                identity,
            }),
            Err(found) => Err(HistoryError::Version { path, found }),
        }
    }

    /// Whether the file is still the one that was opened.
    pub(crate) fn is_in_place(&self) -> bool {
        identity(&self.path).is_ok_and(|found| found == self.identity)
    }

    /// Makes a batch part of the file, whole or not at all. After a loss of power the last moments may be missing;
    /// nothing is half there.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<(), HistoryError> {
        self.try_write(batch).map_err(|error| self.failed(error))
    }

    fn try_write(&mut self, batch: &Batch) -> Result<(), rusqlite::Error> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        {
            let mut story = transaction
                .prepare_cached("INSERT INTO story (id, at, entries) VALUES (?1, ?2, ?3)")?;
            let mut refusal =
                transaction.prepare_cached("INSERT INTO refusal (at, entry) VALUES (?1, ?2)")?;
            let mut name = transaction.prepare_cached(
                "INSERT OR IGNORE INTO name (bucket, hash, what, id) VALUES (?1, ?2, ?3, ?4)",
            )?;
            let mut gap = transaction.prepare_cached(
                "INSERT INTO gap (begun, ended, events, why) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for part in &batch.stories {
                let id = part.id.number().cast_signed();
                story.execute(params![id, millis(part.at), part.entries])?;
                for it in &part.names {
                    name.execute(params![bucket(part.at), it.0.cast_signed(), OF_MESSAGE, id])?;
                }
            }
            for refused in &batch.refusals {
                let n = refusal.insert(params![millis(refused.at), refused.entry])?;
                for it in &refused.names {
                    let hash = it.0.cast_signed();
                    name.execute(params![bucket(refused.at), hash, OF_REFUSAL, n])?;
                }
            }
            for it in &batch.gaps {
                let events = i64::try_from(it.events).unwrap_or(i64::MAX);
                gap.execute(params![
                    millis(it.from),
                    millis(it.to),
                    events,
                    it.why.name()
                ])?;
            }
        }
        transaction.commit()
    }

    /// Takes out what is too old, and the oldest of what is too much: at most so many rows, so that nobody waits
    /// long. Returns whether there is more to take out.
    pub(crate) fn prune(
        &mut self,
        config: &Config,
        now: Timestamp,
        rows: usize,
    ) -> Result<bool, HistoryError> {
        let keep = u64::try_from(config.keep.as_millis()).unwrap_or(u64::MAX);
        let cutoff = now.as_millis().saturating_sub(keep);
        let cutoff = millis(Timestamp::from_millis(cutoff));
        let pruned = || {
            let too_much = self.octets()? > config.max_octets;
            let mut more = false;
            if too_much || self.begins()?.is_some_and(|begins| begins < cutoff) {
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                more = self.take_out(cutoff, too_much, rows)?;
            }
            let spare = self.give_back()?;
            Ok(more || spare)
        };
        pruned().map_err(|error| self.failed(error))
    }

    /// When the oldest row was told.
    fn begins(&self) -> Result<Option<i64>, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT MIN(at) FROM (SELECT (SELECT at FROM story ORDER BY n LIMIT 1) AS at
             UNION ALL SELECT (SELECT at FROM refusal ORDER BY n LIMIT 1))",
        )?;
        statement.query_row([], |row| row.get(0))
    }

    fn take_out(&self, cutoff: i64, too_much: bool, rows: i64) -> Result<bool, rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let delete = |statement: &str| {
            let mut statement = self.connection.prepare_cached(statement)?;
            statement.execute(params![rows, cutoff, too_much])
        };
        let stories = delete(
            "DELETE FROM story WHERE n IN (SELECT n FROM story ORDER BY n LIMIT ?1) AND (at < ?2 OR ?3)",
        )?;
        let refusals = delete(
            "DELETE FROM refusal WHERE n IN (SELECT n FROM refusal ORDER BY n LIMIT ?1) AND (at < ?2 OR ?3)",
        )?;
        let begins = self.begins()?.unwrap_or(cutoff);
        // One bucket stays: rows that were written together need not be of one time.
        let stale = bucket(moment(begins)) - 1;
        let names = self
            .connection
            .prepare_cached(
                "DELETE FROM name WHERE (bucket, hash, what, id) IN
                 (SELECT bucket, hash, what, id FROM name WHERE bucket < ?2 ORDER BY bucket LIMIT ?1)",
            )?
            .execute(params![rows.saturating_mul(NAMES_PER_ROW), stale])?;
        self.connection
            .prepare_cached("UPDATE origin SET began = MAX(began, ?1)")?
            .execute([begins])?;
        self.connection
            .prepare_cached("DELETE FROM gap WHERE ended < ?1")?
            .execute([cutoff])?;
        transaction.commit()?;
        let full = |taken: usize, limit: i64| i64::try_from(taken).is_ok_and(|it| it >= limit);
        Ok(full(stories, rows)
            || full(refusals, rows)
            || full(names, rows.saturating_mul(NAMES_PER_ROW)))
    }

    /// Gives free pages back to the system, some of them; whether there are more.
    fn give_back(&self) -> Result<bool, rusqlite::Error> {
        let free = self.pragma("freelist_count")?;
        if free <= SPARE_PAGES {
            return Ok(false);
        }
        let pages = VACUUM_STEP.min(free - SPARE_PAGES);
        // Each step frees one page: it is to be run as a query to its end.
        let mut vacuum = self
            .connection
            .prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(free - SPARE_PAGES > pages)
    }

    /// What the file holds, free pages not counted.
    pub(crate) fn octets(&self) -> Result<u64, rusqlite::Error> {
        let used = self.pragma("page_count")? - self.pragma("freelist_count")?;
        let octets = used.saturating_mul(self.pragma("page_size")?);
        Ok(u64::try_from(octets).unwrap_or_default())
    }

    fn pragma(&self, name: &str) -> Result<i64, rusqlite::Error> {
        self.connection
            .pragma_query_value(None, name, |row| row.get(0))
    }

    fn failed(&self, error: rusqlite::Error) -> HistoryError {
        HistoryError::Database {
            path: self.path.clone(),
            error,
        }
    }
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// A connection whose tables are ours, or the version of tables that are not.
fn connect(path: &Path, now: Timestamp) -> Result<Result<Connection, i64>, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let is_new = connection.query_row("SELECT COUNT(*) = 0 FROM sqlite_schema", [], |row| {
        row.get::<_, bool>(0)
    })?;
    if is_new {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Nothing is promised of the last moments before a loss of power, but that the file is whole.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -8_192)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
    if is_new {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES}"))?;
        connection.execute("INSERT INTO origin (began) VALUES (?1)", [millis(now)])?;
        connection.pragma_update(None, "application_id", APPLICATION)?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch("COMMIT")?;
        return Ok(Ok(connection));
    }
    Ok(version(&connection)?.map_or(Ok(connection), Err))
}

/// The version of the tables, if it is another than ours; a file of somebody else is of version 0.
pub(crate) fn version(connection: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    Ok(if application != APPLICATION {
        Some(0)
    } else if version == VERSION {
        None
    } else {
        Some(version)
    })
}
