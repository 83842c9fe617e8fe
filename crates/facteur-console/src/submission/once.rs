//! Requests with an idempotency key: each is done once, also when the client, the connection or the server breaks.
//!
//! Before a message is committed, its queue id is written down under the key; after it, the answer. A request that comes
//! again finds the answer, or learns from the queue id whether its message was taken.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use facteur_mail::{QueueId, Timestamp};
use ring::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension as _, params};

/// How long an answer is kept.
const KEEP: Duration = Duration::from_secs(24 * 3_600);

/// How long a request waits for another process that reads the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// The keys and their answers.
pub struct Once {
    path: PathBuf,
    connection: Arc<Mutex<Connection>>,
    /// Keys whose request is under way.
    busy: Arc<Mutex<HashSet<(String, String)>>>,
}

/// What identifies a request besides its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest(Vec<u8>);

/// A key that belongs to a request until this is dropped.
pub(crate) struct Claim {
    token: String,
    key: String,
    busy: Arc<Mutex<HashSet<(String, String)>>>,
}

/// What becomes of a request with a key.
pub(crate) enum Claimed {
    /// It is the first: go on.
    New(Claim),
    /// It was answered so.
    Answered(String),
    /// Its message was taken under this name; the answer was not kept.
    Accepted(QueueId),
    /// The key belongs to another request.
    AnotherRequest,
    /// The first one is under way.
    UnderWay,
}

/// Keys cannot be kept.
#[derive(Debug)]
#[non_exhaustive]
pub enum OnceError {
    /// The file cannot be opened, read or written.
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// The server stops.
    Stopped,
}

/// SHA-256, for texts whose comparison must not tell where they differ.
pub(crate) fn digest(octets: &[u8]) -> Vec<u8> {
    ring::digest::digest(&SHA256, octets).as_ref().to_vec()
}

impl Digest {
    /// The end of a hash.
    pub(crate) fn of(hash: Context) -> Self {
        Self(hash.finish().as_ref().to_vec())
    }
}

impl Once {
    /// Opens the file, or makes it. Its directory must be there.
    ///
    /// # Errors
    /// [`OnceError::Database`].
    pub fn open(path: &Path) -> Result<Self, OnceError> {
        let failed = |error| OnceError::Database {
            path: path.to_owned(),
            error,
        };
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 CREATE TABLE IF NOT EXISTS once (
                     token TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, queue_id INTEGER NOT NULL,
                     at INTEGER NOT NULL, answer TEXT,
                     PRIMARY KEY (token, key)
                 ) WITHOUT ROWID;
                 CREATE INDEX IF NOT EXISTS once_at ON once (at);",
            )
            .map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            connection: Arc::new(Mutex::new(connection)),
            busy: Arc::default(),
        })
    }

    /// Takes a key for a request whose message will have the name `id`. When this is [`Claimed::New`], that is on disk.
    /// `accepted` knows whether a message was taken.
    pub(crate) async fn claim(
        &self,
        token: String,
        key: String,
        digest: Digest,
        id: QueueId,
        now: Timestamp,
        accepted: impl Fn(QueueId) -> Option<bool> + Send + 'static,
    ) -> Result<Claimed, OnceError> {
        let claim = Claim {
            busy: Arc::clone(&self.busy),
            token: token.clone(),
            key: key.clone(),
        };
        if !lock(&self.busy).insert((token.clone(), key.clone())) {
            // It is the other's: not given back by us.
            std::mem::forget(claim);
            return Ok(Claimed::UnderWay);
        }
        let known = self
            .with(move |connection| {
                let kept = find(connection, &token, &key)?;
                let Some(kept) = kept.filter(|kept| now.since(kept.at) < KEEP) else {
                    insert(connection, &token, &key, &digest, id, now)?;
                    return Ok(None);
                };
                if kept.digest != digest.0 {
                    return Ok(Some(Claimed::AnotherRequest));
                }
                match kept.answer {
                    Some(answer) => Ok(Some(Claimed::Answered(answer))),
                    None if accepted(kept.id) == Some(true) => Ok(Some(Claimed::Accepted(kept.id))),
                    None => {
                        insert(connection, &token, &key, &digest, id, now)?;
                        Ok(None)
                    }
                }
            })
            .await?;
        Ok(known.unwrap_or(Claimed::New(claim)))
    }

    /// Keeps the answer.
    pub(crate) async fn done(&self, claim: Claim, answer: String) -> Result<(), OnceError> {
        self.with(move |connection| {
            connection
                .prepare_cached("UPDATE once SET answer = ?3 WHERE token = ?1 AND key = ?2")?
                .execute(params![claim.token, claim.key, answer])?;
            Ok(())
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, OnceError> {
        let connection = Arc::clone(&self.connection);
        let worked = tokio::task::spawn_blocking(move || work(&lock(&connection))).await;
        match worked {
            Ok(done) => done.map_err(|error| OnceError::Database {
                path: self.path.clone(),
                error,
            }),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(OnceError::Stopped),
            },
        }
    }
}

/// A key that was used before.
struct Kept {
    digest: Vec<u8>,
    id: QueueId,
    at: Timestamp,
    answer: Option<String>,
}

fn find(connection: &Connection, token: &str, key: &str) -> Result<Option<Kept>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT digest, queue_id, at, answer FROM once WHERE token = ?1 AND key = ?2",
        )?
        .query_row(params![token, key], |row| {
            Ok(Kept {
                digest: row.get(0)?,
                id: QueueId::from_number(row.get::<_, i64>(1)?.cast_unsigned()),
                at: Timestamp::from_millis(row.get::<_, i64>(2)?.cast_unsigned()),
                answer: row.get(3)?,
            })
        })
        .optional()
}

/// Writes a key down, in place of what stood there; forgets a few that are too old.
fn insert(
    connection: &Connection,
    token: &str,
    key: &str,
    digest: &Digest,
    id: QueueId,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    let now = now.as_millis().cast_signed();
    let keep = i64::try_from(KEEP.as_millis()).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "DELETE FROM once WHERE (token, key) IN (SELECT token, key FROM once WHERE at < ?1 ORDER BY at LIMIT 10)",
        )?
        .execute(params![now.saturating_sub(keep)])?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO once (token, key, digest, queue_id, at, answer) VALUES (?1, ?2, ?3, ?4, ?5, NULL)",
        )?
        .execute(params![token, key, digest.0, id.number().cast_signed(), now])?;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.busy).remove(&(
            std::mem::take(&mut self.token),
            std::mem::take(&mut self.key),
        ));
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for OnceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Stopped => f.write_str("the server stops"),
        }
    }
}

impl std::error::Error for OnceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database { error, .. } => Some(error),
            Self::Stopped => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Digest {
        Digest(digest(text.as_bytes()))
    }

    async fn claim(once: &Once, text: &str, id: u64, hour: u64, accepted: Option<bool>) -> Claimed {
        let now = Timestamp::from_millis(hour * 3_600_000);
        let (token, key) = ("shop".to_owned(), "k1".to_owned());
        once.claim(
            token,
            key,
            request(text),
            QueueId::from_number(id),
            now,
            move |_| accepted,
        )
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn a_request_is_answered_once_and_then_as_before() {
        let directory = tempfile::tempdir().unwrap();
        let once = Once::open(&directory.path().join("once")).unwrap();
        let Claimed::New(first) = claim(&once, "a", 1, 1, None).await else {
            panic!("the first is new")
        };
        assert!(matches!(
            claim(&once, "a", 2, 1, None).await,
            Claimed::UnderWay
        ));
        once.done(first, "answer".to_owned()).await.unwrap();
        assert!(
            matches!(claim(&once, "a", 3, 2, None).await, Claimed::Answered(kept) if kept == "answer")
        );
        assert!(matches!(
            claim(&once, "b", 3, 2, None).await,
            Claimed::AnotherRequest
        ));
        assert!(
            matches!(claim(&once, "b", 4, 30, None).await, Claimed::New(_)),
            "kept for a day"
        );
    }

    #[tokio::test]
    async fn after_a_crash_the_queue_id_tells_whether_the_message_was_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("once");
        drop(claim(&Once::open(&path).unwrap(), "a", 7, 1, None).await);
        let once = Once::open(&path).unwrap();
        let known = claim(&once, "a", 8, 1, Some(true)).await;
        assert!(matches!(known, Claimed::Accepted(id) if id == QueueId::from_number(7)));
        assert!(matches!(
            claim(&once, "a", 9, 1, Some(false)).await,
            Claimed::New(_)
        ));
    }
}
