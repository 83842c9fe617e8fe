//! The disk as the spool sees it, behind a trait so that a test can crash it at every write and every flush.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;
use std::sync::Arc;

use facteur_spool::{SpoolError, Unsafe};

/// Files and directories. Paths are the spool's own; nothing in them comes from a stranger.
pub trait Disk: Send + Sync + 'static {
    /// Creates the spool's directory (0700) if it is absent, and checks that it is ours alone.
    ///
    /// # Errors
    /// [`SpoolError::Unsafe`] if others could write into it; [`SpoolError::Write`].
    fn prepare(&self, directory: &Path) -> Result<(), SpoolError>;

    /// What a directory lies on.
    ///
    /// # Errors
    /// The system's.
    fn filesystem(&self, directory: &Path) -> io::Result<Filesystem>;

    /// Takes the lock that keeps a second process out; dropping it gives it back.
    ///
    /// # Errors
    /// [`SpoolError::Owned`] or [`SpoolError::Write`].
    fn lock(&self, path: &Path) -> Result<Box<dyn Send + Sync>, SpoolError>;

    /// Creates a file that must not exist, for reading and writing, mode 0600.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file, for writing too if `write`.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path, write: bool) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file, replacing what has that name.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Creates a directory (0700); it may exist.
    ///
    /// # Errors
    /// The system's.
    fn make_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// The system's.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory; none if it is absent.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// How much room there is.
    ///
    /// # Errors
    /// The system's.
    fn space(&self, directory: &Path) -> io::Result<Space>;

    /// Whether a flush takes so long that large contents are flushed in threads of their own.
    fn is_slow(&self) -> bool {
        true
    }

    /// Sixty-four bits that nobody can guess.
    ///
    /// # Errors
    /// The system's.
    fn entropy(&self) -> io::Result<u64>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Reads at an offset; fewer octets than asked only at the end of the file.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all parts one behind the other at an offset, in as few system calls as can be.
    ///
    /// # Errors
    /// The system's; then any part may have been written.
    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Makes the content durable, and the metadata needed to read it. (`fdatasync`)
    ///
    /// # Errors
    /// The system's; then nothing written since the last success may be trusted.
    fn sync(&self) -> io::Result<()>;

    /// The length of the file in octets.
    ///
    /// # Errors
    /// The system's.
    fn octets(&self) -> io::Result<u64>;
}

/// The room on a file system, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Free for us.
    pub free: u64,
    /// In all.
    pub total: u64,
}

/// What the spool lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filesystem {
    /// A local file system from which a flush reaches the device.
    Local,
    /// Memory: this spool does not survive a loss of power, nor a restart of the machine.
    Memory,
    /// Over the network: what a flush means is the server's decision.
    Network,
    /// Layers over another file system, usually thrown away with a container.
    Overlay,
}

impl Filesystem {
    /// The stable name, for logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Memory => "memory",
            Self::Network => "network",
            Self::Overlay => "overlay",
        }
    }

    /// Whether a flushed message survives a loss of power, as far as the file system's kind tells.
    #[must_use]
    pub const fn survives_power_loss(self) -> bool {
        matches!(self, Self::Local)
    }

    /// From the magic number of statfs(2).
    const fn from_magic(magic: u64) -> Self {
        match magic {
            0x0102_1994 | 0x8584_58f6 => Self::Memory, // tmpfs, ramfs
            0x6969 | 0xff53_4d42 | 0xfe53_4d42 | 0x517b | 0x0102_1997 | 0x00c3_6400 => {
                Self::Network // NFS, CIFS, SMB2, SMB, 9P, Ceph
            }
            0x794c_7630 => Self::Overlay,
            _ => Self::Local,
        }
    }
}

/// The system's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

/// Permission bits that let others write.
const OTHERS_WRITE: u32 = 0o022;

impl Disk for RealDisk {
    fn prepare(&self, directory: &Path) -> Result<(), SpoolError> {
        let failed = |error| SpoolError::Write {
            path: directory.to_owned(),
            error,
        };
        let refuse = |why| SpoolError::Unsafe {
            path: directory.to_owned(),
            why,
        };
        self.make_directory(directory).map_err(failed)?;
        if let Some(parent) = directory.parent().filter(|p| !p.as_os_str().is_empty()) {
            self.sync_directory(parent).map_err(failed)?;
        }
        let found = fs::metadata(directory).map_err(failed)?;
        if !found.is_dir() {
            return Err(refuse(Unsafe::NotADirectory));
        }
        if found.permissions().mode() & OTHERS_WRITE != 0 {
            return Err(refuse(Unsafe::OthersMayWrite));
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refuse(Unsafe::AnotherOwner));
        }
        Ok(())
    }

    fn filesystem(&self, directory: &Path) -> io::Result<Filesystem> {
        let found = rustix::fs::statfs(directory)?;
        Ok(Filesystem::from_magic(
            u64::try_from(found.f_type).unwrap_or_default(),
        ))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn Send + Sync>, SpoolError> {
        let failed = |error| SpoolError::Write {
            path: path.to_owned(),
            error,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok();
                return Err(SpoolError::Owned {
                    path: path.to_owned(),
                    pid: pid.and_then(|_| text.trim().parse().ok()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Box::new(file))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(write).open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn space(&self, directory: &Path) -> io::Result<Space> {
        let found = rustix::fs::statvfs(directory)?;
        Ok(Space {
            free: found.f_bavail.saturating_mul(found.f_frsize),
            total: found.f_blocks.saturating_mul(found.f_frsize),
        })
    }

    fn entropy(&self) -> io::Result<u64> {
        let mut octets = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut octets)?;
        Ok(u64::from_le_bytes(octets))
    }
}

struct RealFile(File);

/// The most parts of one pwritev(2). (IOV_MAX)
const MAX_PARTS: usize = 1_024;

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset.saturating_add(wide(done))) {
                Ok(0) => break,
                Ok(octets) => done += octets,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, mut parts: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            let some = parts.get(..MAX_PARTS).unwrap_or(parts);
            match rustix::io::pwritev(&self.0, some, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(octets) => {
                    offset = offset.saturating_add(wide(octets));
                    IoSlice::advance_slices(&mut parts, octets);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn octets(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

/// A length as files count.
pub(crate) fn wide(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_network_and_overlay_are_told_from_a_disk() {
        let kinds = [0x0102_1994, 0x6969, 0x794c_7630, 0xef53].map(Filesystem::from_magic);
        let expected = [
            Filesystem::Memory,
            Filesystem::Network,
            Filesystem::Overlay,
            Filesystem::Local,
        ];
        assert_eq!(kinds, expected);
        assert_eq!(
            kinds.map(Filesystem::survives_power_loss),
            [false, false, false, true]
        );
    }
}
