//! Contents that have files of their own, and what is kept of damaged ones.

use std::io::{self, IoSlice, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facteur_mail::QueueId;
use facteur_spool::{Body, SpoolError};

use crate::disk::{Disk, DiskFile, wide};
use crate::failure::is_no_room;
use crate::paths::Paths;
use crate::report::DamageReason;
use crate::store::Fault;

/// How much is gathered before it is written.
const GATHER: usize = 128 << 10;

/// A content that is being written. Dropped without [`BodyWriter::finish`], it leaves no file.
pub(crate) struct BodyWriter {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    directory: PathBuf,
    file: Arc<dyn DiskFile>,
    gathered: Vec<u8>,
    written: u64,
    crc: u32,
    keep: bool,
}

impl BodyWriter {
    /// Creates the file for a message.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Write`].
    pub(crate) fn create(
        disk: &Arc<dyn Disk>,
        paths: &Paths,
        id: QueueId,
    ) -> Result<Self, SpoolError> {
        let path = paths.body(id);
        let directory = paths.body_directory(id);
        let file = match disk.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk
                .make_directory(&directory)
                .and_then(|()| disk.sync_directory(&paths.bodies()))
                .and_then(|()| disk.create(&path)),
            other => other,
        };
        let file = file.map_err(|error| failed(&path, error))?;
        Ok(Self {
            disk: Arc::clone(disk),
            path,
            directory,
            file,
            gathered: Vec::new(),
            written: 0,
            crc: 0,
            keep: false,
        })
    }

    /// Adds content.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Write`].
    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), SpoolError> {
        self.crc = crc32c::crc32c_append(self.crc, content);
        if self.gathered.len() + content.len() < GATHER {
            self.gathered.extend_from_slice(content);
            return Ok(());
        }
        self.put(content)
    }

    fn put(&mut self, content: &[u8]) -> Result<(), SpoolError> {
        let octets = wide(self.gathered.len() + content.len());
        let mut parts = [IoSlice::new(&self.gathered), IoSlice::new(content)];
        let written = self.file.write_at(&mut parts, self.written);
        written.map_err(|error| failed(&self.path, error))?;
        self.written += octets;
        self.gathered.clear();
        Ok(())
    }

    /// Makes content and name durable, and returns the checksum. The file stays if this succeeds: then its record
    /// must be written, or it is an orphan for the next start.
    ///
    /// # Errors
    /// [`SpoolError::Full`] or [`SpoolError::Write`].
    pub(crate) fn finish(mut self) -> Result<u32, SpoolError> {
        self.put(&[])?;
        let synced = self.file.sync();
        synced
            .and_then(|()| self.disk.sync_directory(&self.directory))
            .map_err(|error| failed(&self.path, error))?;
        self.keep = true;
        Ok(self.crc)
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = self.disk.remove(&self.path)
        {
            tracing::warn!(file = %self.path.display(), %error, "a discarded content stays until the next start");
        }
    }
}

fn failed(path: &Path, error: io::Error) -> SpoolError {
    if is_no_room(error.kind()) {
        SpoolError::Full { free: 0, wanted: 0 }
    } else {
        SpoolError::Write {
            path: path.to_owned(),
            error,
        }
    }
}

/// Opens a stored content after reading all of it once against its checksum: what a damaged disk gives back must
/// not leave this machine, not even its first half.
pub(crate) fn open(disk: &dyn Disk, path: &Path, octets: u64, crc: u32) -> Result<Body, Fault> {
    let damaged = |reason| Fault::Damaged(path.to_owned(), 0, reason);
    let file = match disk.open(path, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(damaged(DamageReason::BodyMissing));
        }
        Err(error) => return Err(Fault::Read(path.to_owned(), error)),
    };
    let unreadable = |error| Fault::Read(path.to_owned(), error);
    if file.octets().map_err(unreadable)? != octets {
        return Err(damaged(DamageReason::BodyMissing));
    }
    let mut reader = BodyReader { file, at: 0 };
    let mut buffer = vec![0; GATHER];
    let mut found = 0;
    loop {
        match reader.read(&mut buffer).map_err(unreadable)? {
            0 => break,
            read => found = crc32c::crc32c_append(found, buffer.get(..read).unwrap_or_default()),
        }
    }
    if found != crc {
        return Err(damaged(DamageReason::BodyChecksum));
    }
    reader.at = 0;
    Ok(Box::new(reader))
}

struct BodyReader {
    file: Arc<dyn DiskFile>,
    at: u64,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += wide(read);
        Ok(read)
    }
}

/// Copies a damaged stretch of the log to `damaged/`; returns where, if that could be done.
pub(crate) fn keep_copy(
    disk: &dyn Disk,
    paths: &Paths,
    serial: u64,
    offset: u64,
    octets: &[u8],
) -> Option<PathBuf> {
    let path = paths
        .damaged()
        .join(format!("{serial:016x}-{offset}.record"));
    let copied = match disk.create(&path) {
        // Found at an earlier start.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(file) => file
            .write_at(&mut [IoSlice::new(octets)], 0)
            .and_then(|()| file.sync()),
    };
    kept(copied, path)
}

/// Moves a content to `damaged/`; returns where, if that could be done.
pub(crate) fn move_aside(disk: &dyn Disk, paths: &Paths, id: QueueId) -> Option<PathBuf> {
    let path = paths.damaged().join(format!("{id}.body"));
    match disk.rename(&paths.body(id), &path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => kept(other, path),
    }
}

fn kept(done: io::Result<()>, path: PathBuf) -> Option<PathBuf> {
    match done {
        Ok(()) => Some(path),
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "what was damaged cannot be set aside");
            None
        }
    }
}
