//! Files and directories twice: as programs see them, and as a loss of power would leave them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::time::SystemTime;

use crate::fate::Fate;

/// What a disk writes whole or not at all, in octets.
pub(crate) const SECTOR: usize = 512;

/// What room is counted in, in octets.
const BLOCK: u64 = 4_096;

/// A file, a directory or a socket.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) mode: u16,
    pub(crate) owner: (u32, u32),
    pub(crate) modified: SystemTime,
    /// How many open files it has: it stays as long as there are any.
    pub(crate) open: u64,
    /// Whether a name of it has gone: then it may have none left.
    pub(crate) lost_a_name: bool,
    pub(crate) kind: Kind,
}

impl Node {
    /// The room it takes, in octets.
    pub(crate) fn room(&self) -> u64 {
        match &self.kind {
            Kind::File(content) => content.room(),
            Kind::Directory(_) | Kind::Socket => 0,
        }
    }
}

/// Which of these it is.
#[derive(Debug)]
pub(crate) enum Kind {
    File(Content),
    Directory(Names),
    /// A name to connect to; the kernel keeps the rest.
    Socket,
}

/// The octets of a file.
#[derive(Debug, Default)]
pub(crate) struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that no flush has covered, and the moment of the last write to each.
    dirty: BTreeMap<usize, u64>,
    /// Whether it has become shorter since the last flush.
    cut: bool,
}

/// The names in a directory.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) seen: BTreeMap<OsString, u64>,
    pub(crate) durable: BTreeMap<OsString, u64>,
    /// Names that have changed since the last flush.
    changed: BTreeSet<OsString>,
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    /// The room it takes, in octets.
    pub(crate) fn room(&self) -> u64 {
        room(self.len())
    }

    pub(crate) fn read(&self, offset: u64, octets: usize) -> &[u8] {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.seen.len());
        let end = start.saturating_add(octets).min(self.seen.len());
        self.seen.get(start..end).unwrap_or_default()
    }

    pub(crate) fn write(&mut self, offset: u64, octets: &[u8], moment: u64) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(octets.len());
        if end > self.seen.len() {
            self.resize(end, moment);
        }
        if let Some(place) = self.seen.get_mut(start..end) {
            place.copy_from_slice(octets);
        }
        self.soil(start, end, moment);
    }

    pub(crate) fn resize(&mut self, len: usize, moment: u64) {
        let before = self.seen.len();
        self.seen.resize(len, 0);
        if len < before {
            self.cut = true;
            self.dirty.split_off(&len.div_ceil(SECTOR));
        } else {
            self.soil(before, len, moment);
        }
    }

    fn soil(&mut self, start: usize, end: usize, moment: u64) {
        let sectors = start / SECTOR..end.div_ceil(SECTOR);
        self.dirty.extend(sectors.map(|sector| (sector, moment)));
    }

    /// Makes all of it durable.
    pub(crate) fn flush(&mut self) {
        for sector in std::mem::take(&mut self.dirty).into_keys() {
            self.harden(sector);
        }
        self.durable.resize(self.seen.len(), 0);
        self.cut = false;
    }

    /// A flush that failed: what it should have written counts as written, and is not.
    pub(crate) fn lose(&mut self) {
        self.dirty.clear();
    }

    fn harden(&mut self, sector: usize) {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(self.seen.len());
        let Some(octets) = self.seen.get(start..end) else {
            return;
        };
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        if let Some(place) = self.durable.get_mut(start..end) {
            place.copy_from_slice(octets);
        }
    }

    /// The moments of the writes that no flush has covered.
    pub(crate) fn moments(&self) -> impl Iterator<Item = u64> + '_ {
        self.dirty.values().copied()
    }

    /// What is left of it after a loss of power.
    pub(crate) fn forget(&mut self, node: u64, fate: &Fate) {
        for (sector, moment) in std::mem::take(&mut self.dirty) {
            let at = u64::try_from(sector).unwrap_or(u64::MAX);
            if fate.keeps_sector(node, at, moment) {
                self.harden(sector);
            }
        }
        if std::mem::take(&mut self.cut) && fate.keeps_entry(node, b"length") {
            self.durable.truncate(self.seen.len());
        }
        self.seen.clone_from(&self.durable);
    }
}

/// The room that so many octets take.
pub(crate) const fn room(octets: u64) -> u64 {
    octets.div_ceil(BLOCK) * BLOCK
}

impl Names {
    pub(crate) fn get(&self, name: &OsStr) -> Option<u64> {
        self.seen.get(name).copied()
    }

    pub(crate) fn insert(&mut self, name: &OsStr, number: u64) {
        self.changed.insert(name.to_owned());
        self.seen.insert(name.to_owned(), number);
    }

    pub(crate) fn remove(&mut self, name: &OsStr) {
        self.changed.insert(name.to_owned());
        self.seen.remove(name);
    }

    /// Makes the names durable. Returns the numbers that lost one by it.
    pub(crate) fn flush(&mut self) -> Vec<u64> {
        let changed = std::mem::take(&mut self.changed);
        let lost = changed.into_iter().map(|name| self.harden(name));
        lost.flatten().collect()
    }

    /// What is left of them after a loss of power: each change by itself.
    pub(crate) fn forget(&mut self, node: u64, fate: &Fate) {
        for name in std::mem::take(&mut self.changed) {
            if fate.keeps_entry(node, name.as_bytes()) {
                self.harden(name);
            }
        }
        self.seen.clone_from(&self.durable);
    }

    fn harden(&mut self, name: OsString) -> Option<u64> {
        match self.seen.get(&name) {
            Some(to) => self.durable.insert(name, *to),
            None => self.durable.remove(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fate::Left;

    fn after_a_cut(content: &mut Content) -> Vec<u8> {
        content.forget(5, &Fate::new(Left::Nothing, 0..1));
        content.read(0, 10_000).to_vec()
    }

    #[test]
    fn only_what_was_flushed_survives() {
        let mut content = Content::default();
        content.write(0, b"old", 0);
        content.flush();
        content.write(1, b"ew and longer", 0);
        assert_eq!(content.read(0, 100), b"oew and longer");
        assert_eq!(after_a_cut(&mut content), b"old");
    }

    #[test]
    fn a_failed_flush_loses_its_data_and_the_next_one_does_not_bring_them_back() {
        let mut content = Content::default();
        content.write(0, b"old", 0);
        content.flush();
        content.write(0, b"new", 0);
        content.lose();
        content.flush();
        assert_eq!(content.read(0, 3), b"new", "as long as the power is on");
        assert_eq!(after_a_cut(&mut content), b"old");
    }

    #[test]
    fn a_flush_covers_a_new_length_either_way() {
        let mut content = Content::default();
        content.write(0, &[7; 2_000], 0);
        content.flush();
        content.resize(700, 0);
        content.flush();
        assert_eq!(after_a_cut(&mut content), [7; 700]);
        content.resize(900, 0);
        content.flush();
        assert_eq!(after_a_cut(&mut content)[700..], [0; 200]);
    }

    #[test]
    fn a_name_without_a_flush_of_its_directory_may_be_gone_or_back() {
        let mut names = Names::default();
        names.insert(OsStr::new("kept"), 2);
        assert!(names.flush().is_empty());
        names.insert(OsStr::new("new"), 3);
        names.remove(OsStr::new("kept"));
        let fate = Fate::new(Left::Nothing, 0..1);
        names.forget(1, &fate);
        assert_eq!(names.get(OsStr::new("kept")), Some(2));
        assert_eq!(names.get(OsStr::new("new")), None);
    }
}
