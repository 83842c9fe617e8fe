//! The disk as a FUSE file system: each request is one call of [`crate::disk`], and nothing is kept here.
//!
//! The kernel caches neither names nor attributes, and writes through its page cache at once, so that what programs
//! see is what is on the disk, and so that `mmap` works.

use std::ffi::OsStr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::disk::{CAPACITY, Disk, INODES, Look};
use crate::image::{Content, Kind, Names};

/// Nothing is remembered by the kernel.
const NEVER: Duration = Duration::ZERO;

/// What `statfs` counts in, in octets.
const BLOCK: u32 = 4_096;

/// The bits of a mode that say what it is of. (`S_IFMT`, `S_IFSOCK`, `S_IFREG`)
const TYPE: u32 = 0o170_000;
const SOCKET: u32 = 0o140_000;
const REGULAR: u32 = 0o100_000;

/// The disk, served.
pub(crate) struct Served(Arc<Disk>);

impl Served {
    pub(crate) const fn new(disk: Arc<Disk>) -> Self {
        Self(disk)
    }
}

fn attributes(look: Look) -> FileAttr {
    FileAttr {
        ino: INodeNo(look.number),
        size: look.octets,
        blocks: look.octets.div_ceil(512),
        atime: look.modified,
        mtime: look.modified,
        ctime: look.modified,
        crtime: look.modified,
        kind: look.shape,
        perm: look.mode,
        nlink: if look.shape == FileType::Directory {
            2
        } else {
            1
        },
        uid: look.owner.0,
        gid: look.owner.1,
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

/// The permission bits of a mode.
fn permissions(mode: u32) -> u16 {
    u16::try_from(mode & 0o7777).unwrap_or_default()
}

fn answer(reply: ReplyEmpty, done: Result<(), Errno>) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn entry(reply: ReplyEntry, found: Result<Look, Errno>) {
    match found {
        Ok(look) => reply.entry(&NEVER, &attributes(look), Generation(0)),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(reply, self.0.state().find(parent.0, name));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.0.state().look(ino.0) {
            Ok(look) => reply.attr(&NEVER, &attributes(look)),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut state = self.0.state();
        let changed = size
            .map_or(Ok(()), |size| state.resize(ino.0, size))
            .and_then(|()| state.change(ino.0, mode.map(permissions), (uid, gid)))
            .and_then(|()| state.look(ino.0));
        match changed {
            Ok(look) => reply.attr(&NEVER, &attributes(look)),
            Err(error) => reply.error(error),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let kind = match mode & TYPE {
            SOCKET => Kind::Socket,
            REGULAR => Kind::File(Content::default()),
            _ => return reply.error(Errno::EPERM),
        };
        let owner = (request.uid(), request.gid());
        let mode = permissions(mode & !umask);
        let made = self.0.state().create(parent.0, name, kind, mode, owner);
        entry(reply, made);
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let owner = (request.uid(), request.gid());
        let mode = permissions(mode & !umask);
        let made = self.0.state().create(
            parent.0,
            name,
            Kind::Directory(Names::default()),
            mode,
            owner,
        );
        entry(reply, made);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.0.state().remove(parent.0, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.0.state().remove(parent.0, name));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut state = self.0.state();
        let taken = state.find(newparent.0, newname).is_ok();
        let done = if flags.contains(RenameFlags::RENAME_NOREPLACE) && taken {
            Err(Errno::EEXIST)
        } else {
            state.rename((parent.0, name), (newparent.0, newname))
        };
        answer(reply, done);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let owner = (request.uid(), request.gid());
        let mode = permissions(mode & !umask);
        let mut state = self.0.state();
        let made = state
            .create(parent.0, name, Kind::File(Content::default()), mode, owner)
            .and_then(|look| state.opened(look.number).map(|()| look));
        match made {
            Ok(look) => reply.created(
                &NEVER,
                &attributes(look),
                Generation(0),
                FileHandle(0),
                FopenFlags::empty(),
            ),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.0.state().opened(ino.0) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.0.state().closed(ino.0);
        reply.ok();
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        match self.0.state().read(ino.0, offset, size) {
            Ok(octets) => reply.data(octets),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.0.state().write(ino.0, offset, data) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(error) => reply.error(error),
        }
    }

    fn fallocate(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let mut state = self.0.state();
        let end = offset.saturating_add(length);
        let done = match (mode, state.look(ino.0)) {
            (0, Ok(look)) if end > look.octets => state.resize(ino.0, end),
            (0, Ok(_)) => Ok(()),
            (0, Err(error)) => Err(error),
            (_, _) => Err(Errno::EOPNOTSUPP),
        };
        answer(reply, done);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // At each close(2); it flushes nothing, as on any disk.
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let slow = self.0.slowness();
        if !slow.is_zero() {
            thread::sleep(slow);
        }
        // fdatasync(2) covers a new length as well, as without it the data could not be read.
        answer(reply, self.0.state().flush(ino.0));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(reply, self.0.state().flush_directory(ino.0));
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = match self.0.state().list(ino.0) {
            Ok(listed) => listed,
            Err(error) => return reply.error(error),
        };
        let dots = [".", ".."].map(|dot| (dot.into(), ino, FileType::Directory));
        let names = listed
            .into_iter()
            .map(|(name, look)| (name, INodeNo(look.number), look.shape));
        // The n-th name answers to offset n: the programs under test read a directory in one go.
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        for (next, (name, number, kind)) in
            (offset + 1..).zip(dots.into_iter().chain(names).skip(skip))
        {
            if reply.add(number, next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let space = self.0.state().space();
        let blocks = |octets: u64| octets / u64::from(BLOCK);
        let free = blocks(space.free);
        reply.statfs(
            blocks(CAPACITY),
            free,
            free,
            INODES,
            space.inodes,
            BLOCK,
            255,
            BLOCK,
        );
    }
}
