//! Looking at a spool that another process may own: listing, checking, exporting. Nothing is changed.
//!
//! While the owner works, messages come, move and go under the reader's eyes. What it cannot read it looks for
//! again in the log as it then is, before it says that anything is damaged.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facteur_mail::{Clock, QueueId};
use facteur_spool::{Body, Queued, SpoolError};

use crate::config::Config;
use crate::disk::{Disk, RealDisk};
use crate::export;
use crate::recover;
use crate::report::RecoveryReport;
use crate::store::{Store, lock};

/// A spool as it stood when it was looked at.
pub struct Reader {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    store: Arc<Store>,
    report: RecoveryReport,
}

/// What [`Reader::export`] did.
#[derive(Debug)]
pub struct Exported {
    /// How many messages were written.
    pub messages: usize,
    /// Which could not be, and why.
    pub damaged: Vec<(QueueId, SpoolError)>,
}

impl Reader {
    /// Reads the log of a spool, without its lock. The directory must exist.
    ///
    /// # Errors
    /// [`SpoolError::Read`], [`SpoolError::Version`].
    pub fn open(directory: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, SpoolError> {
        Self::open_on(Arc::new(RealDisk), directory.into(), clock)
    }

    /// As [`Reader::open`], on another disk than the system's.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SpoolError> {
        let config = Config::new(directory);
        let (store, report) = recover::look(Arc::clone(&disk), config, Arc::clone(&clock))?;
        Ok(Self {
            disk,
            clock,
            store,
            report,
        })
    }

    /// What was found in the log. The contents of large messages have not been read: [`Reader::check`] does.
    #[must_use]
    pub const fn report(&self) -> &RecoveryReport {
        &self.report
    }

    /// The names of all queued messages, oldest first.
    #[must_use]
    pub fn ids(&self) -> Vec<QueueId> {
        let index = lock(&self.store.index);
        index
            .from(QueueId::from_number(0))
            .map(|(id, _)| id)
            .collect()
    }

    /// Each queued message, oldest first; those that went meanwhile are passed over.
    pub fn queued(&self) -> impl Iterator<Item = Result<Queued, SpoolError>> + '_ {
        let shown = self.ids().into_iter().map(|id| self.show(id));
        shown.filter(|shown| !matches!(shown, Err(SpoolError::Gone { .. })))
    }

    /// One message.
    ///
    /// # Errors
    /// [`SpoolError::Gone`], [`SpoolError::Damaged`], [`SpoolError::Read`].
    pub fn show(&self, id: QueueId) -> Result<Queued, SpoolError> {
        self.surely(|store| store.queued(id))
    }

    /// The content of a message, verified.
    ///
    /// # Errors
    /// As [`Reader::show`].
    pub fn body(&self, id: QueueId) -> Result<Body, SpoolError> {
        self.surely(|store| store.open_body(id))
    }

    /// Reads every envelope and every content, and returns what is damaged beside what [`Reader::report`] says.
    #[must_use]
    pub fn check(&self) -> Vec<(QueueId, SpoolError)> {
        let verdicts = self.ids().into_iter().map(|id| {
            let verdict = self.show(id).and_then(|_| self.body(id).map(drop));
            (id, verdict)
        });
        verdicts.filter_map(real_trouble).collect()
    }

    /// Writes each message into a directory, its content as `ID.eml` and all else as `ID.json`. Existing files are
    /// never replaced.
    ///
    /// # Errors
    /// [`SpoolError::Write`] if a file cannot be written, [`SpoolError::Read`] if the queue cannot be read any more.
    pub fn export(&self, into: &Path) -> Result<Exported, SpoolError> {
        let mut done = Exported {
            messages: 0,
            damaged: Vec::new(),
        };
        for id in self.ids() {
            let found = self
                .show(id)
                .and_then(|queued| Ok((queued, self.body(id)?)));
            match found {
                Ok((queued, body)) => {
                    export_one(into, &queued, body)?;
                    done.messages += 1;
                }
                Err(error) => done.damaged.extend(real_trouble((id, Err(error)))),
            }
        }
        Ok(done)
    }

    /// Reads; if that fails, once more in the log as it is now.
    fn surely<T>(
        &self,
        read: impl Fn(&Arc<Store>) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        match read(&self.store) {
            Err(SpoolError::Damaged { .. } | SpoolError::Read { .. }) => {
                let config = self.store.config.clone();
                let (disk, clock) = (Arc::clone(&self.disk), Arc::clone(&self.clock));
                read(&recover::look(disk, config, clock)?.0)
            }
            other => other,
        }
    }
}

fn real_trouble((id, verdict): (QueueId, Result<(), SpoolError>)) -> Option<(QueueId, SpoolError)> {
    match verdict {
        Ok(()) | Err(SpoolError::Gone { .. }) => None,
        Err(error) => Some((id, error)),
    }
}

fn export_one(into: &Path, queued: &Queued, mut body: Body) -> Result<(), SpoolError> {
    let content = into.join(format!("{}.eml", queued.id));
    let meta = into.join(format!("{}.json", queued.id));
    let text = format!("{:#}\n", export::describe(queued));
    create(&content)
        .and_then(|mut file| {
            io::copy(&mut body, &mut file)?;
            file.sync_all()
        })
        .map_err(|error| SpoolError::Write {
            path: content,
            error,
        })?;
    create(&meta)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| SpoolError::Write { path: meta, error })
}

fn create(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
