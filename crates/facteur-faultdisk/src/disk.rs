//! The disk: its files and directories, its room, its power.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{Errno, FileType};

use crate::fate::{Fate, Left};
use crate::faults::{Call, Faults};
use crate::image::{Content, Kind, Names, Node, room};

/// The number of the root directory, as FUSE has it.
pub(crate) const ROOT: u64 = 1;

/// How large the disk is, in octets.
pub(crate) const CAPACITY: u64 = 16 << 30;

/// How many files it can hold, unless there are to be fewer.
pub(crate) const INODES: u64 = 1 << 20;

/// A disk, for all threads that serve it.
#[derive(Debug)]
pub(crate) struct Disk {
    state: Mutex<State>,
}

/// What is on it.
#[derive(Debug)]
pub(crate) struct State {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    /// Counts changes, for the order of the writes.
    moment: u64,
    /// Octets that somebody else takes.
    taken: u64,
    /// Octets that files take, at most: what was removed meanwhile is still in it.
    filled: u64,
    faults: Faults,
}

/// What a program sees of a file or directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) number: u64,
    pub(crate) octets: u64,
    pub(crate) mode: u16,
    pub(crate) owner: (u32, u32),
    pub(crate) modified: SystemTime,
    pub(crate) shape: FileType,
}

/// The room on the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) inodes: u64,
}

/// The faults, locked.
pub(crate) struct FaultsGuard<'a>(MutexGuard<'a, State>);

impl std::ops::Deref for FaultsGuard<'_> {
    type Target = Faults;

    fn deref(&self) -> &Faults {
        &self.0.faults
    }
}

impl std::ops::DerefMut for FaultsGuard<'_> {
    fn deref_mut(&mut self) -> &mut Faults {
        &mut self.0.faults
    }
}

impl Disk {
    pub(crate) fn new() -> Self {
        let root = node(Kind::Directory(Names::default()), 0o755, (0, 0));
        Self {
            state: Mutex::new(State {
                nodes: BTreeMap::from([(ROOT, root)]),
                next: ROOT + 1,
                moment: 0,
                taken: 0,
                filled: 0,
                faults: Faults::none(),
            }),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> FaultsGuard<'_> {
        FaultsGuard(self.state())
    }

    pub(crate) fn leave_free(&self, octets: u64) {
        let mut state = self.state();
        state.taken = 0;
        state.taken = state.space().free.saturating_sub(octets);
    }

    pub(crate) fn make_room(&self) {
        self.state().taken = 0;
    }

    pub(crate) fn cut(&self) {
        self.state().faults.set_off(true);
    }

    pub(crate) fn power_on(&self, left: Left) {
        self.state().power_on(left);
    }

    /// How long a flush takes at present.
    pub(crate) fn slowness(&self) -> Duration {
        self.state().faults.slowness()
    }
}

fn node(kind: Kind, mode: u16, owner: (u32, u32)) -> Node {
    Node {
        mode,
        owner,
        modified: SystemTime::now(),
        open: 0,
        lost_a_name: false,
        kind,
    }
}

impl State {
    pub(crate) fn look(&self, number: u64) -> Result<Look, Errno> {
        let node = self.nodes.get(&number).ok_or(Errno::ENOENT)?;
        let (octets, shape) = match &node.kind {
            Kind::File(content) => (content.len(), FileType::RegularFile),
            Kind::Directory(_) => (0, FileType::Directory),
            Kind::Socket => (0, FileType::Socket),
        };
        Ok(Look {
            number,
            octets,
            mode: node.mode,
            owner: node.owner,
            modified: node.modified,
            shape,
        })
    }

    pub(crate) fn find(&self, directory: u64, name: &OsStr) -> Result<Look, Errno> {
        let number = self.names(directory)?.get(name).ok_or(Errno::ENOENT)?;
        self.look(number)
    }

    /// The names in a directory, with what they are.
    pub(crate) fn list(&self, directory: u64) -> Result<Vec<(OsString, Look)>, Errno> {
        let names = self.names(directory)?;
        let look = |(name, number): (&OsString, &u64)| Ok((name.clone(), self.look(*number)?));
        names.seen.iter().map(look).collect()
    }

    fn names(&self, directory: u64) -> Result<&Names, Errno> {
        match self.nodes.get(&directory).map(|node| &node.kind) {
            Some(Kind::Directory(names)) => Ok(names),
            Some(Kind::File(_) | Kind::Socket) => Err(Errno::ENOTDIR),
            None => Err(Errno::ENOENT),
        }
    }

    fn names_mut(&mut self, directory: u64) -> Result<&mut Names, Errno> {
        let node = self.nodes.get_mut(&directory).ok_or(Errno::ENOENT)?;
        node.modified = SystemTime::now();
        match &mut node.kind {
            Kind::Directory(names) => Ok(names),
            Kind::File(_) | Kind::Socket => Err(Errno::ENOTDIR),
        }
    }

    fn content(&self, number: u64) -> Result<&Content, Errno> {
        match self.nodes.get(&number).map(|node| &node.kind) {
            Some(Kind::File(content)) => Ok(content),
            Some(Kind::Directory(_)) => Err(Errno::EISDIR),
            Some(Kind::Socket) => Err(Errno::ENXIO),
            None => Err(Errno::ENOENT),
        }
    }

    fn content_mut(&mut self, number: u64) -> Result<&mut Content, Errno> {
        let node = self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?;
        node.modified = SystemTime::now();
        match &mut node.kind {
            Kind::File(content) => Ok(content),
            Kind::Directory(_) => Err(Errno::EISDIR),
            Kind::Socket => Err(Errno::ENXIO),
        }
    }

    pub(crate) fn create(
        &mut self,
        directory: u64,
        name: &OsStr,
        kind: Kind,
        mode: u16,
        owner: (u32, u32),
    ) -> Result<Look, Errno> {
        self.faults.meet(Call::Name)?;
        if self.names(directory)?.get(name).is_some() {
            return Err(Errno::EEXIST);
        }
        self.faults.take_inode()?;
        let number = self.next;
        self.next += 1;
        self.nodes.insert(number, node(kind, mode, owner));
        self.names_mut(directory)?.insert(name, number);
        self.look(number)
    }

    pub(crate) fn remove(&mut self, directory: u64, name: &OsStr) -> Result<(), Errno> {
        self.faults.meet(Call::Name)?;
        let number = self.names(directory)?.get(name).ok_or(Errno::ENOENT)?;
        if self.names(number).is_ok_and(|names| !names.seen.is_empty()) {
            return Err(Errno::ENOTEMPTY);
        }
        self.names_mut(directory)?.remove(name);
        self.drop_if_nameless(number);
        Ok(())
    }

    pub(crate) fn rename(
        &mut self,
        (from, old): (u64, &OsStr),
        (to, new): (u64, &OsStr),
    ) -> Result<(), Errno> {
        self.faults.meet(Call::Name)?;
        let number = self.names(from)?.get(old).ok_or(Errno::ENOENT)?;
        let replaced = self.names(to)?.get(new);
        self.names_mut(from)?.remove(old);
        self.names_mut(to)?.insert(new, number);
        if let Some(replaced) = replaced {
            self.drop_if_nameless(replaced);
        }
        Ok(())
    }

    pub(crate) fn read(&mut self, number: u64, offset: u64, octets: usize) -> Result<&[u8], Errno> {
        self.faults.meet(Call::Read)?;
        Ok(self.content(number)?.read(offset, octets))
    }

    pub(crate) fn write(&mut self, number: u64, offset: u64, octets: &[u8]) -> Result<(), Errno> {
        self.faults.meet(Call::Write)?;
        let len = u64::try_from(octets.len()).unwrap_or(u64::MAX);
        self.make_room_for(number, offset.saturating_add(len))?;
        self.moment += 1;
        let moment = self.moment;
        self.content_mut(number)?.write(offset, octets, moment);
        Ok(())
    }

    pub(crate) fn resize(&mut self, number: u64, octets: u64) -> Result<(), Errno> {
        self.faults.meet(Call::Write)?;
        self.make_room_for(number, octets)?;
        self.moment += 1;
        let moment = self.moment;
        let octets = usize::try_from(octets).map_err(|_| Errno::EFBIG)?;
        self.content_mut(number)?.resize(octets, moment);
        Ok(())
    }

    /// Whether a file may grow to so many octets.
    fn make_room_for(&mut self, number: u64, octets: u64) -> Result<(), Errno> {
        let content = self.content(number)?;
        let grows = room(octets.max(content.len())) - content.room();
        // Far from full there is no need to count.
        let plenty = CAPACITY
            .saturating_sub(self.taken)
            .saturating_sub(self.filled);
        if grows > plenty && grows > self.space().free {
            return Err(Errno::ENOSPC);
        }
        self.filled += grows;
        Ok(())
    }

    pub(crate) fn change(
        &mut self,
        number: u64,
        mode: Option<u16>,
        owner: (Option<u32>, Option<u32>),
    ) -> Result<(), Errno> {
        let node = self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?;
        node.mode = mode.unwrap_or(node.mode);
        node.owner.0 = owner.0.unwrap_or(node.owner.0);
        node.owner.1 = owner.1.unwrap_or(node.owner.1);
        Ok(())
    }

    /// Flushes a file. When it fails, what it should have written is lost.
    pub(crate) fn flush(&mut self, number: u64) -> Result<(), Errno> {
        let met = self.faults.meet(Call::Flush);
        let is_off = self.faults.is_off();
        let content = self.content_mut(number)?;
        match met {
            Ok(()) => content.flush(),
            Err(_) if is_off => {}
            Err(_) => content.lose(),
        }
        met
    }

    pub(crate) fn flush_directory(&mut self, number: u64) -> Result<(), Errno> {
        self.faults.meet(Call::FlushDirectory)?;
        for number in self.names_mut(number)?.flush() {
            self.drop_if_nameless(number);
        }
        Ok(())
    }

    pub(crate) fn opened(&mut self, number: u64) -> Result<(), Errno> {
        let node = self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?;
        node.open += 1;
        Ok(())
    }

    pub(crate) fn closed(&mut self, number: u64) {
        let Some(node) = self.nodes.get_mut(&number) else {
            return;
        };
        node.open = node.open.saturating_sub(1);
        if node.lost_a_name && node.open == 0 {
            self.drop_if_nameless(number);
        }
    }

    /// The room, as `statfs` tells it: what is only kept in case the power fails counts as free.
    pub(crate) fn space(&self) -> Space {
        let seen = self.reachable(|names| &names.seen);
        let used: u64 = self
            .nodes
            .iter()
            .filter(|(number, node)| node.open > 0 || seen.contains(number))
            .map(|(_, node)| node.room())
            .sum();
        let files = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        Space {
            free: CAPACITY.saturating_sub(used).saturating_sub(self.taken),
            inodes: self
                .faults
                .inodes()
                .unwrap_or_else(|| INODES.saturating_sub(files)),
        }
    }

    /// What can be reached from the root by one kind of names.
    fn reachable(&self, names: impl Fn(&Names) -> &BTreeMap<OsString, u64>) -> BTreeSet<u64> {
        let mut found = BTreeSet::from([ROOT]);
        let mut next = vec![ROOT];
        while let Some(number) = next.pop() {
            if let Some(Kind::Directory(here)) = self.nodes.get(&number).map(|node| &node.kind) {
                let new = names(here).values().filter(|to| found.insert(**to));
                next.extend(new);
            }
        }
        found
    }

    /// Drops a file that has lost a name, if it has no other, neither now nor after a loss of power, and is not open.
    fn drop_if_nameless(&mut self, number: u64) {
        let named = self.nodes.values().any(|node| match &node.kind {
            Kind::Directory(names) => {
                let mut all = names.seen.values().chain(names.durable.values());
                all.any(|to| *to == number)
            }
            Kind::File(_) | Kind::Socket => false,
        });
        let Some(node) = self.nodes.get_mut(&number) else {
            return;
        };
        node.lost_a_name = true;
        if node.open == 0 && !named {
            self.nodes.remove(&number);
        }
    }

    /// Drops what cannot be reached.
    fn sweep(&mut self) {
        let named = self.reachable(|names| &names.seen);
        self.nodes.retain(|number, _| named.contains(number));
        self.filled = self.nodes.values().map(Node::room).sum();
    }

    fn power_on(&mut self, left: Left) {
        let mut moments = Vec::new();
        for node in self.nodes.values() {
            if let Kind::File(content) = &node.kind {
                moments.extend(content.moments());
            }
        }
        let first = moments.iter().copied().min().unwrap_or(self.moment);
        let fate = Fate::new(left, first..self.moment + 1);
        for (number, node) in &mut self.nodes {
            node.open = 0;
            match &mut node.kind {
                Kind::File(content) => content.forget(*number, &fate),
                Kind::Directory(names) => names.forget(*number, &fate),
                Kind::Socket => {}
            }
        }
        self.sweep();
        self.faults.set_off(false);
        self.faults.mend();
    }
}
