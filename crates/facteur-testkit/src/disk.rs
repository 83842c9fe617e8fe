//! A disk in memory that can be cut off at any step, loses what was not flushed, fails and runs full.
//!
//! What a flush has not covered may be lost sector by sector; names that a directory flush has not covered may be
//! lost one by one. After a failed flush the written pages count as clean, as on Linux: a second flush reports
//! success and the data is gone.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is not where this disk put it is a bug of this disk, and fails its test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use facteur_spool::SpoolError;
use facteur_spool_local::{Disk, DiskFile, Filesystem, Space};
use memchr::memmem;

const SECTOR: usize = 512;

/// What happens at one of the disk's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// Everything from here on fails: the machine is off.
    Off,
    /// This step alone fails with EIO.
    Io,
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Machine>>);

type Meanwhile = Box<dyn FnOnce() + Send>;

struct Machine {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    /// What a loss of power leaves of the names.
    durable: BTreeMap<PathBuf, usize>,
    directories: BTreeSet<PathBuf>,
    owned: bool,
    steps: u64,
    flushes: u64,
    fault: Option<(u64, DiskFault)>,
    off: bool,
    /// Everything that writes fails with EIO.
    broken: bool,
    /// What somebody else does during the next flush of a file.
    meanwhile: Option<Meanwhile>,
    /// Octets that may still be taken by files.
    free: u64,
    entropy: u64,
}

#[derive(Default, Clone)]
struct Inode {
    content: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// An empty disk with 100 GiB.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Machine {
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            directories: BTreeSet::new(),
            owned: false,
            steps: 0,
            flushes: 0,
            fault: None,
            off: false,
            broken: false,
            meanwhile: None,
            free: 100 << 30,
            entropy: 0x9e37_79b9_7f4a_7c15,
        })))
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap()
    }

    /// How many writes, flushes and changes of names there have been.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.machine().steps
    }

    /// How many flushes of files there have been.
    #[must_use]
    pub fn flushes(&self) -> u64 {
        self.machine().flushes
    }

    /// Makes a step fail, counted from now.
    pub fn fail(&self, after: u64, fault: DiskFault) {
        let mut machine = self.machine();
        machine.fault = Some((machine.steps + after, fault));
    }

    /// Takes back a fault that has not come.
    pub fn spare(&self) {
        self.machine().fault = None;
    }

    /// Lets somebody else do something during the next flush of a file: what is written then, it does not cover.
    pub fn during_next_flush(&self, meanwhile: impl FnOnce() + Send + 'static) {
        self.machine().meanwhile = Some(Box::new(meanwhile));
    }

    /// Makes every write fail, or none.
    pub fn break_all(&self, broken: bool) {
        self.machine().broken = broken;
    }

    /// How many octets are free from now on.
    pub fn set_free(&self, octets: u64) {
        self.machine().free = octets;
    }

    /// Whether the machine went off at the chosen step.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.machine().off
    }

    /// Power comes back. `luck` decides for each sector and name that was not flushed whether it was written.
    pub fn power_cycle(&self, mut luck: u64) {
        let mut machine = self.machine();
        let mut lucky = move || {
            luck = luck
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            luck >> 40 & 3 != 0
        };
        let live: BTreeSet<PathBuf> = machine
            .names
            .keys()
            .chain(machine.durable.keys())
            .cloned()
            .collect();
        for path in live {
            let (new, old) = (
                machine.names.get(&path).copied(),
                machine.durable.get(&path).copied(),
            );
            if new != old && lucky() {
                match new {
                    Some(inode) => machine.durable.insert(path, inode),
                    None => machine.durable.remove(&path),
                };
            }
        }
        machine.names = machine.durable.clone();
        for inode in &mut machine.inodes {
            for sector in std::mem::take(&mut inode.dirty) {
                if lucky() {
                    inode.harden(sector);
                }
            }
            inode.content = inode.durable.clone();
        }
        machine.off = false;
        machine.fault = None;
        machine.owned = false;
    }

    /// The process dies; what it wrote stays.
    pub fn kill(&self) {
        let mut machine = self.machine();
        machine.owned = false;
        machine.off = false;
        machine.fault = None;
    }

    /// The files below a directory.
    #[must_use]
    pub fn files(&self, below: &str) -> Vec<PathBuf> {
        let machine = self.machine();
        let all = machine.names.keys();
        all.filter(|path| path.starts_with(Path::new("/spool").join(below)))
            .cloned()
            .collect()
    }

    /// What a file holds, flushed or not.
    ///
    /// # Panics
    /// If there is none of this name.
    #[must_use]
    pub fn read(&self, path: &Path) -> Vec<u8> {
        let machine = self.machine();
        machine.inodes[machine.names[path]].content.clone()
    }

    /// Whether these octets would be found in some file if the power failed now.
    #[must_use]
    pub fn would_keep(&self, octets: &[u8]) -> bool {
        let machine = self.machine();
        let mut files = machine.durable.values();
        files.any(|inode| memmem::find(&machine.inodes[*inode].durable, octets).is_some())
    }

    /// Changes a file behind its owner's back.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn alter(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut machine = self.machine();
        let inode = machine.names[path];
        change(&mut machine.inodes[inode].content);
        machine.inodes[inode].durable = machine.inodes[inode].content.clone();
    }

    /// The same disk again, apart from this one.
    #[must_use]
    pub fn copy(&self) -> Self {
        let machine = self.machine();
        Self(Arc::new(Mutex::new(Machine {
            inodes: machine.inodes.clone(),
            names: machine.names.clone(),
            durable: machine.durable.clone(),
            directories: machine.directories.clone(),
            owned: false,
            steps: 0,
            flushes: 0,
            fault: None,
            off: false,
            broken: false,
            meanwhile: None,
            free: machine.free,
            entropy: machine.entropy,
        })))
    }
}

impl Inode {
    /// What a flush that begins now covers.
    fn begin_flush(&mut self) -> BTreeMap<usize, Vec<u8>> {
        let sectors = std::mem::take(&mut self.dirty).into_iter();
        sectors
            .map(|sector| (sector, self.content[self.range(sector)].to_vec()))
            .collect()
    }

    fn end_flush(&mut self, covered: BTreeMap<usize, Vec<u8>>) {
        for (sector, octets) in covered {
            let start = sector * SECTOR;
            let end = start + octets.len();
            if self.durable.len() < end {
                self.durable.resize(end, 0);
            }
            self.durable[start..end].copy_from_slice(&octets);
        }
    }

    fn range(&self, sector: usize) -> std::ops::Range<usize> {
        let start = (sector * SECTOR).min(self.content.len());
        start..(start + SECTOR).min(self.content.len())
    }

    fn harden(&mut self, sector: usize) {
        let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.content.len());
        if self.durable.len() < range.end {
            self.durable.resize(range.end, 0);
        }
        self.durable[range.clone()].copy_from_slice(&self.content[range]);
    }
}

impl Machine {
    /// One step that changes something.
    fn step(&mut self) -> io::Result<()> {
        self.steps += 1;
        if let Some((at, fault)) = self.fault
            && self.steps >= at
        {
            match fault {
                DiskFault::Off => self.off = true,
                DiskFault::Io => {
                    self.fault = None;
                    return Err(io::Error::from_raw_os_error(5));
                }
            }
        }
        if self.off || self.broken {
            return Err(io::Error::from_raw_os_error(5));
        }
        Ok(())
    }
}

impl Disk for SimDisk {
    fn prepare(&self, directory: &Path) -> Result<(), SpoolError> {
        self.machine().directories.insert(directory.to_owned());
        Ok(())
    }

    fn filesystem(&self, _: &Path) -> io::Result<Filesystem> {
        Ok(Filesystem::Local)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn Send + Sync>, SpoolError> {
        let mut machine = self.machine();
        if machine.owned {
            return Err(SpoolError::Owned {
                path: path.to_owned(),
                pid: None,
            });
        }
        machine.owned = true;
        drop(machine);
        Ok(Box::new(Guard(self.clone())))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut machine = self.machine();
        machine.step()?;
        if !machine.directories.contains(path.parent().unwrap()) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if machine.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = machine.inodes.len();
        machine.inodes.push(Inode::default());
        machine.names.insert(path.to_owned(), inode);
        drop(machine);
        Ok(Arc::new(SimFile(self.clone(), inode)))
    }

    fn open(&self, path: &Path, _: bool) -> io::Result<Arc<dyn DiskFile>> {
        let machine = self.machine();
        let inode = machine.names.get(path).copied();
        let inode = inode.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile(self.clone(), inode)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.step()?;
        let inode = machine.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        machine.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.step()?;
        let inode = machine.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        machine.free += machine.inodes[inode].content.len() as u64;
        Ok(())
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.step()?;
        machine.directories.insert(path.to_owned());
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.step()?;
        let here = |found: &Path| found.parent() == Some(path);
        machine.durable.retain(|found, _| !here(found));
        let fresh: Vec<_> = machine
            .names
            .iter()
            .filter(|(found, _)| here(found))
            .map(|(found, inode)| (found.clone(), *inode))
            .collect();
        machine.durable.extend(fresh);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let machine = self.machine();
        let all = machine.names.keys().chain(&machine.directories);
        let here = all.filter(|found| found.parent() == Some(path));
        Ok(here
            .map(|found| found.file_name().unwrap().to_str().unwrap().to_owned())
            .collect())
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        Ok(Space {
            free: self.machine().free,
            total: 100 << 30,
        })
    }

    fn entropy(&self) -> io::Result<u64> {
        Ok(self.machine().entropy)
    }
}

struct Guard(SimDisk);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.machine().owned = false;
    }
}

struct SimFile(SimDisk, usize);

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let machine = self.0.machine();
        let content = &machine.inodes[self.1].content;
        let start = usize::try_from(offset).unwrap().min(content.len());
        let octets = buffer.len().min(content.len() - start);
        buffer[..octets].copy_from_slice(&content[start..start + octets]);
        Ok(octets)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut machine = self.0.machine();
        let result = machine.step();
        let at = usize::try_from(offset).unwrap();
        let all: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        // A write that the loss of power cut short.
        let written = if result.is_err() && machine.off {
            all.len() / 2
        } else {
            all.len()
        };
        if result.is_err() && !machine.off {
            return result;
        }
        let grows = (at + written).saturating_sub(machine.inodes[self.1].content.len()) as u64;
        if grows > machine.free {
            return Err(io::ErrorKind::StorageFull.into());
        }
        machine.free -= grows;
        let inode = &mut machine.inodes[self.1];
        if inode.content.len() < at + written {
            inode.content.resize(at + written, 0);
        }
        inode.content[at..at + written].copy_from_slice(&all[..written]);
        inode
            .dirty
            .extend(at / SECTOR..(at + written).div_ceil(SECTOR));
        result
    }

    fn sync(&self) -> io::Result<()> {
        // What is written from here on, this flush does not cover.
        let (covered, meanwhile) = {
            let mut machine = self.0.machine();
            let covered = machine.inodes[self.1].begin_flush();
            (covered, machine.meanwhile.take())
        };
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let mut machine = self.0.machine();
        let result = machine.step();
        machine.flushes += 1;
        let off = machine.off;
        let inode = &mut machine.inodes[self.1];
        match result {
            Ok(()) => inode.end_flush(covered),
            Err(_) if off => inode.dirty.extend(covered.into_keys()),
            // The pages are clean now, and were not written.
            Err(_) => {}
        }
        result
    }

    fn octets(&self) -> io::Result<u64> {
        Ok(self.0.machine().inodes[self.1].content.len() as u64)
    }
}
