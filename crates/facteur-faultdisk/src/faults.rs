//! Which calls fail, how often, and how slow they are.

use std::time::Duration;

use fuser::Errno;

/// What a program asks of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `write`, `pwritev`, `fallocate`, `ftruncate`.
    Write,
    /// `fsync`, `fdatasync` of a file.
    Flush,
    /// `fsync` of a directory.
    FlushDirectory,
    /// Creating, renaming and removing.
    Name,
    /// `read`, `pread`.
    Read,
}

/// When calls of a kind fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Never.
    Never,
    /// Once, after so many that succeed.
    OnceAfter(u64),
    /// Each of them.
    Always,
}

/// How many calls there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of the kind [`Call::Write`], as the kernel splits them.
    pub writes: u64,
    /// Flushes of files.
    pub flushes: u64,
    /// Flushes of directories.
    pub directory_flushes: u64,
    /// Creations, renamings, removals.
    pub names: u64,
}

/// What is wrong with the disk at present.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<(Call, When)>,
    counts: Counts,
    inodes: Option<u64>,
    read_only: bool,
    slow: Duration,
    off: bool,
}

impl Faults {
    pub(crate) const fn none() -> Self {
        Self {
            rules: Vec::new(),
            counts: Counts {
                writes: 0,
                flushes: 0,
                directory_flushes: 0,
                names: 0,
            },
            inodes: None,
            read_only: false,
            slow: Duration::ZERO,
            off: false,
        }
    }

    pub(crate) fn fail(&mut self, call: Call, when: When) {
        self.rules.retain(|(other, _)| *other != call);
        self.rules.push((call, when));
    }

    pub(crate) fn mend(&mut self) {
        self.rules.clear();
        self.inodes = None;
        self.read_only = false;
        self.slow = Duration::ZERO;
    }

    pub(crate) const fn leave_inodes(&mut self, count: Option<u64>) {
        self.inodes = count;
    }

    pub(crate) const fn inodes(&self) -> Option<u64> {
        self.inodes
    }

    pub(crate) const fn set_read_only(&mut self, read_only: bool) {
        self.read_only = read_only;
    }

    pub(crate) const fn slow_flushes(&mut self, each: Duration) {
        self.slow = each;
    }

    pub(crate) const fn slowness(&self) -> Duration {
        self.slow
    }

    pub(crate) const fn set_off(&mut self, off: bool) {
        self.off = off;
    }

    pub(crate) const fn is_off(&self) -> bool {
        self.off
    }

    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Counts a call and says whether it fails.
    pub(crate) fn meet(&mut self, call: Call) -> Result<(), Errno> {
        match call {
            Call::Write => self.counts.writes += 1,
            Call::Flush => self.counts.flushes += 1,
            Call::FlushDirectory => self.counts.directory_flushes += 1,
            Call::Name => self.counts.names += 1,
            Call::Read => {}
        }
        if self.off {
            return Err(Errno::EIO);
        }
        if self.read_only && matches!(call, Call::Write | Call::Name) {
            return Err(Errno::EROFS);
        }
        for (of, when) in &mut self.rules {
            if *of != call {
                continue;
            }
            match when {
                When::Never => {}
                When::Always => return Err(Errno::EIO),
                When::OnceAfter(0) => {
                    *when = When::Never;
                    return Err(Errno::EIO);
                }
                When::OnceAfter(left) => *left -= 1,
            }
        }
        Ok(())
    }

    /// Takes one of the inodes that are left.
    pub(crate) const fn take_inode(&mut self) -> Result<(), Errno> {
        match &mut self.inodes {
            Some(0) => Err(Errno::ENOSPC),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_that_was_named_fails_once_and_no_other() {
        let mut faults = Faults::none();
        faults.fail(Call::Flush, When::OnceAfter(2));
        let fails = |faults: &mut Faults, call| faults.meet(call).is_err();
        assert!(!fails(&mut faults, Call::Write));
        let flushes = [0; 4].map(|_| fails(&mut faults, Call::Flush));
        assert_eq!(flushes, [false, false, true, false]);
        assert_eq!(faults.counts().flushes, 4);
    }
}
