//! Reads the history, also beside the server that writes it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use facteur_mail::{QueueId, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use crate::database::{OF_MESSAGE, OF_REFUSAL, millis, moment, version};
use crate::decode;
use crate::entry::{Entry, Gap, GapReason, Refusal, Story};
use crate::error::HistoryError;
use crate::note::Name;
use crate::wire::Malformed;

/// The most entries read of one story.
pub const MAX_ENTRIES: usize = 2_000;

/// The most rows that one search looks at, however many names share a number.
const MAX_LOOKED_AT: usize = 10_000;

/// The most gaps read.
const MAX_GAPS: i64 = 100;

/// How long the writer may hold the lock.
const BUSY: Duration = Duration::from_secs(2);

/// Reads.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Connection,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// The messages, the latest first.
    pub stories: Vec<Story>,
    /// The refusals, the latest first.
    pub refusals: Vec<Refusal>,
    /// Whether there are more.
    pub more: bool,
}

impl Reader {
    /// Opens the history in `directory` for reading alone.
    ///
    /// # Errors
    /// [`HistoryError::Missing`] if there is none; [`HistoryError::Version`], [`HistoryError::Database`],
    /// [`HistoryError::Io`].
    pub fn open(directory: &Path) -> Result<Self, HistoryError> {
        let path = crate::file_in(directory);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.len() > 0 => {}
            Ok(_) => return Err(HistoryError::Missing { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(HistoryError::Missing { path });
            }
            Err(error) => return Err(HistoryError::Io { path, error }),
        }
        let failed = |error| HistoryError::Database {
            path: path.clone(),
            error,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        if let Some(found) = version(&connection).map_err(failed)? {
            return Err(HistoryError::Version { path, found });
        }
        Ok(Self { path, connection })
    }

    /// Since when everything was kept but for the [gaps](Reader::gaps).
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub fn since(&self) -> Result<Timestamp, HistoryError> {
        let began = self
            .connection
            .query_row("SELECT MAX(began) FROM origin", [], |row| {
                row.get::<_, Option<i64>>(0)
            });
        Ok(moment(
            began
                .map_err(|error| self.failed(error))?
                .unwrap_or_default(),
        ))
    }

    /// The story of a message; `None` if nothing is known of it.
    ///
    /// # Errors
    /// [`HistoryError::Database`], [`HistoryError::Damaged`].
    pub fn story(&self, id: QueueId) -> Result<Option<Story>, HistoryError> {
        let blobs = self.blobs(id).map_err(|error| self.failed(error))?;
        let mut entries = Vec::new();
        for blob in &blobs {
            let read = decode::entries(blob);
            entries.extend(read.map_err(|how| HistoryError::Damaged { id: Some(id), how })?);
        }
        if entries.is_empty() {
            return Ok(None);
        }
        // What one thread told may have been written before what another one told earlier.
        entries.sort_by_key(|entry: &Entry| (entry.at(), entry.rank()));
        let cut = entries.len() >= MAX_ENTRIES || blobs.len() >= MAX_ENTRIES;
        entries.truncate(MAX_ENTRIES);
        Ok(Some(Story { id, entries, cut }))
    }

    fn blobs(&self, id: QueueId) -> Result<Vec<Vec<u8>>, rusqlite::Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT entries FROM story WHERE id = ?1 ORDER BY n LIMIT ?2")?;
        let limit = i64::try_from(MAX_ENTRIES).unwrap_or(i64::MAX);
        let rows =
            statement.query_map(params![id.number().cast_signed(), limit], |row| row.get(0))?;
        rows.collect()
    }

    /// The stories of messages from or to an address, or with a Message-ID, and what was refused to that address or from
    /// it: at most `limit` of both together, the latest.
    ///
    /// # Errors
    /// [`HistoryError::Database`], [`HistoryError::Damaged`].
    pub fn find(&self, name: &str, limit: usize) -> Result<Found, HistoryError> {
        let wanted = name.to_lowercase();
        let mut found = Found::default();
        let mut looked_at = 0;
        let mut before = i64::MAX;
        while let Some(bucket) = self.bucket(before).map_err(|error| self.failed(error))? {
            before = bucket;
            let keys = self.keys(bucket, Name::of(name));
            for (what, key) in keys.map_err(|error| self.failed(error))? {
                looked_at += 1;
                if found.len() == limit || looked_at > MAX_LOOKED_AT {
                    found.more = true;
                    return Ok(found);
                }
                if what == OF_MESSAGE {
                    let story = self.story(QueueId::from_number(key.cast_unsigned()))?;
                    found
                        .stories
                        .extend(story.filter(|story| story.is_called(&wanted)));
                } else if what == OF_REFUSAL {
                    let refusal = self.refusal(key)?;
                    found
                        .refusals
                        .extend(refusal.filter(|it| it.is_of(&wanted)));
                }
            }
        }
        Ok(found)
    }

    /// The latest bucket of names before this one.
    fn bucket(&self, before: i64) -> Result<Option<i64>, rusqlite::Error> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT MAX(bucket) FROM name WHERE bucket < ?1")?;
        statement.query_row([before], |row| row.get(0))
    }

    fn keys(&self, bucket: i64, name: Name) -> Result<Vec<(i64, i64)>, rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT what, id FROM name WHERE bucket = ?1 AND hash = ?2 ORDER BY what, id DESC LIMIT ?3",
        )?;
        let limit = i64::try_from(MAX_LOOKED_AT).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![bucket, name.0.cast_signed(), limit], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        rows.collect()
    }

    fn refusal(&self, n: i64) -> Result<Option<Refusal>, HistoryError> {
        let blob = self
            .connection
            .prepare_cached("SELECT entry FROM refusal WHERE n = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([n], |row| row.get::<_, Vec<u8>>(0))
                    .optional()
            });
        let blob = blob.map_err(|error| self.failed(error))?;
        let read = blob.map(|blob| decode::refusal(&blob)).transpose();
        read.map_err(|how| HistoryError::Damaged { id: None, how })
    }

    /// The times between `from` and `to` of which not everything is known, the earliest first.
    ///
    /// # Errors
    /// [`HistoryError::Database`], [`HistoryError::Damaged`].
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Gap>, HistoryError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT begun, ended, events, why FROM gap WHERE ended >= ?1 AND begun <= ?2 ORDER BY n LIMIT ?3",
            )?;
            let rows = statement.query_map(params![millis(from), millis(to), MAX_GAPS], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.collect::<Result<Vec<(i64, i64, i64, String)>, rusqlite::Error>>()
        };
        let rows = read().map_err(|error| self.failed(error))?;
        rows.into_iter()
            .map(|(begun, ended, events, why)| {
                let how = Malformed::BadText;
                Ok(Gap {
                    from: moment(begun),
                    to: moment(ended),
                    events: u64::try_from(events).unwrap_or_default(),
                    why: GapReason::from_name(&why)
                        .ok_or(HistoryError::Damaged { id: None, how })?,
                })
            })
            .collect()
    }

    fn failed(&self, error: rusqlite::Error) -> HistoryError {
        HistoryError::Database {
            path: self.path.clone(),
            error,
        }
    }
}

impl Found {
    fn len(&self) -> usize {
        self.stories.len() + self.refusals.len()
    }
}

impl Story {
    /// Whether a message is from or to this address, or has this Message-ID; `wanted` is in lower case.
    fn is_called(&self, wanted: &str) -> bool {
        let is = |text: &str| text.to_lowercase() == wanted;
        self.accepted().is_some_and(|accepted| {
            let envelope = &accepted.envelope;
            accepted.message_id.as_deref().is_some_and(is)
                || is(&envelope.sender.to_string())
                || envelope.recipients.iter().any(|recipient| {
                    let known_as = recipient.orcpt.as_ref();
                    is(&recipient.address.to_string())
                        || known_as.is_some_and(|orcpt| is(&orcpt.address))
                })
        })
    }
}

impl Refusal {
    fn is_of(&self, wanted: &str) -> bool {
        let sender = self.sender.as_ref().map(ToString::to_string);
        let recipient = self.recipient.as_ref().map(ToString::to_string);
        sender
            .into_iter()
            .chain(recipient)
            .any(|text| text.to_lowercase() == wanted)
    }
}
