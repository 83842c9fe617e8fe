//! The disk as one life of the server sees it: each step is written down, may be the one in which a crash strikes, and
//! does nothing when that life is over.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use facteur_spool::SpoolError;
use facteur_spool_local::{Disk, DiskFile, Filesystem, Space};
use facteur_testkit::{DiskFault, SimDisk};

use crate::trace::Event;
use crate::world::{Life, Pulse, Step};

/// Whether the disk can be read: set by the weather.
pub(crate) type Readable = Arc<AtomicBool>;

/// The disk.
#[derive(Clone)]
pub(crate) struct Storage {
    disk: SimDisk,
    life: Life,
    readable: Readable,
}

impl Storage {
    pub(crate) fn new(life: Life, readable: Readable) -> Self {
        Self {
            disk: life.world.disk.clone(),
            life,
            readable,
        }
    }

    /// One step that changes something.
    fn changes(&self, what: &'static str, path: &Path, octets: usize) -> io::Result<()> {
        match self.life.step(Step::Disk) {
            Pulse::Dead => return Err(broken()),
            // The disk itself goes off in this step, perhaps half way through it.
            Pulse::Stops => self.disk.fail(0, DiskFault::Off),
            Pulse::Beats => {}
        }
        self.life.world.event(Event::Disk { what, path, octets });
        Ok(())
    }

    /// One step that only looks.
    fn looks(&self) -> io::Result<()> {
        if self.life.is_over() || !self.readable.load(Ordering::SeqCst) {
            return Err(broken());
        }
        Ok(())
    }

    fn file(&self, file: Arc<dyn DiskFile>, path: &Path) -> Arc<dyn DiskFile> {
        Arc::new(StorageFile {
            storage: self.clone(),
            file,
            path: path.to_owned(),
        })
    }
}

/// EIO.
fn broken() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl Disk for Storage {
    fn prepare(&self, directory: &Path) -> Result<(), SpoolError> {
        self.disk.prepare(directory)
    }

    fn filesystem(&self, directory: &Path) -> io::Result<Filesystem> {
        self.looks()?;
        self.disk.filesystem(directory)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn Send + Sync>, SpoolError> {
        self.disk.lock(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.changes("create", path, 0)?;
        Ok(self.file(self.disk.create(path)?, path))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        self.looks()?;
        Ok(self.file(self.disk.open(path, write)?, path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.changes("rename to", to, 0)?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.changes("remove", path, 0)?;
        self.disk.remove(path)
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.changes("make directory", path, 0)?;
        self.disk.make_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.changes("flush directory", path, 0)?;
        self.disk.sync_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.looks()?;
        self.disk.list(path)
    }

    fn space(&self, directory: &Path) -> io::Result<Space> {
        self.looks()?;
        self.disk.space(directory)
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn entropy(&self) -> io::Result<u64> {
        self.disk.entropy()
    }
}

struct StorageFile {
    storage: Storage,
    file: Arc<dyn DiskFile>,
    path: PathBuf,
}

impl DiskFile for StorageFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.storage.looks()?;
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let octets = parts.iter().map(|part| part.len()).sum();
        self.storage.changes("write", &self.path, octets)?;
        self.file.write_at(parts, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.storage.changes("flush", &self.path, 0)?;
        self.file.sync()
    }

    fn octets(&self) -> io::Result<u64> {
        self.storage.looks()?;
        self.file.octets()
    }
}
