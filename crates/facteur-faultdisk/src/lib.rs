//! A disk for tests of the real program: a file system in memory, mounted through FUSE, that forgets what was not
//! flushed when its power is cut, and fails, fills and slows down as a test says.
//!
//! It promises what POSIX promises and nothing more. A write, a new length or a new name is seen at once by
//! everybody; what a cut leaves of it is decided by `fsync` of the file and of the directory alone. What was not
//! flushed may still be there afterwards, sector by sector and name by name, as a seed decides. A flush that failed
//! has lost its data: the next one reports success, as on Linux.
//!
//! Mounting needs Linux, `/dev/fuse` and root.

mod disk;
mod fate;
mod faults;
mod fs;
mod image;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fuser::{BackgroundSession, Config, MountOption, SessionACL};

use crate::disk::Disk;
pub use crate::fate::Left;
pub use crate::faults::{Call, Counts, When};
use crate::fs::Served;

/// How many requests are served at once: a slow flush must not keep a write waiting.
const THREADS: usize = 4;

/// A mounted disk. Dropped, it is unmounted, and everything on it is gone.
#[derive(Debug)]
pub struct FaultDisk {
    disk: Arc<Disk>,
    path: PathBuf,
    // Behind an option to be taken when it is dropped.
    session: Option<BackgroundSession>,
}

impl FaultDisk {
    /// Mounts an empty disk on a directory.
    ///
    /// # Errors
    /// The system's: no `/dev/fuse`, no right to mount.
    pub fn mount(path: &Path) -> io::Result<Self> {
        let disk = Arc::new(Disk::new());
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::FSName("faultdisk".to_owned()),
            MountOption::DefaultPermissions,
        ];
        config.acl = SessionACL::All;
        config.n_threads = Some(THREADS);
        let session = fuser::spawn_mount(Served::new(Arc::clone(&disk)), path, &config)?;
        Ok(Self {
            disk,
            path: path.to_owned(),
            session: Some(session),
        })
    }

    /// As [`FaultDisk::mount`], for a test that can do nothing without: where mounting is not possible it says so,
    /// and the test is skipped. With `CI` set nothing is skipped.
    ///
    /// # Panics
    /// If the disk cannot be mounted and `CI` is set.
    #[must_use]
    #[expect(clippy::panic, clippy::print_stderr, reason = "for tests only")]
    pub fn mount_or_skip(path: &Path) -> Option<Self> {
        match Self::mount(path) {
            Ok(disk) => Some(disk),
            Err(error) if std::env::var_os("CI").is_some() => {
                panic!("no fault disk at {}: {error}", path.display());
            }
            Err(error) => {
                eprintln!("SKIPPED: no fault disk can be mounted here ({error})");
                None
            }
        }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes calls of a kind fail with `EIO`.
    pub fn fail(&self, call: Call, when: When) {
        self.disk.faults().fail(call, when);
    }

    /// Takes back all faults but the shortage of room. What a failed flush has lost stays lost.
    pub fn mend(&self) {
        self.disk.faults().mend();
    }

    /// Lets somebody else fill the disk until this many octets are free. What is removed makes room again.
    pub fn leave_free(&self, octets: u64) {
        self.disk.leave_free(octets);
    }

    /// Takes back [`FaultDisk::leave_free`].
    pub fn make_room(&self) {
        self.disk.make_room();
    }

    /// Lets this many more files and directories be created, or any number.
    pub fn leave_inodes(&self, count: Option<u64>) {
        self.disk.faults().leave_inodes(count);
    }

    /// Refuses everything that changes something with `EROFS`, as a file system does that met an error, or no longer.
    pub fn set_read_only(&self, read_only: bool) {
        self.disk.faults().set_read_only(read_only);
    }

    /// Makes every flush take this long.
    pub fn slow_flushes(&self, each: Duration) {
        self.disk.faults().slow_flushes(each);
    }

    /// Cuts the power: from now on everything fails, and nothing reaches the disk. The process that worked on it
    /// must be killed before [`FaultDisk::power_on`].
    pub fn cut(&self) {
        self.disk.cut();
    }

    /// Power comes back, to what is left. All faults but a shortage of room are gone.
    pub fn power_on(&self, left: Left) {
        self.disk.power_on(left);
    }

    /// What was asked of it so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.disk.faults().counts()
    }
}

impl Drop for FaultDisk {
    fn drop(&mut self) {
        // Nothing may hang on a disk without power.
        self.mend();
        if let Some(session) = self.session.take()
            && let Err(error) = session.umount_and_join()
        {
            // A test's directory that stays mounted is a nuisance, and no reason to fail another test.
            log_unmount(&self.path, &error);
        }
    }
}

#[expect(clippy::print_stderr, reason = "for whoever runs the tests")]
fn log_unmount(path: &Path, error: &io::Error) {
    eprintln!("{} stays mounted: {error}", path.display());
}
