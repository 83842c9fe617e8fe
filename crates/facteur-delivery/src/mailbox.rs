//! Delivery into a Maildir of this machine.
//!
//! A message is written and flushed below `tmp/`, renamed to `new/`, and `new/` is flushed: only then is it delivered. Its
//! name comes from its queue id, so that a delivery repeated after a crash replaces the first copy instead of adding
//! another one.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use facteur_mail::{Address, QueueId, ReversePath, Timestamp};
use facteur_replies::Reply;
use facteur_spool::Body;

/// How much of a message is in memory while it is copied, in octets.
const CHUNK: usize = 64 * 1024;

/// What goes into a mailbox.
pub struct Letter {
    /// The message's name.
    pub id: QueueId,
    /// Its recipient's place in the envelope.
    pub place: usize,
    /// When it was accepted.
    pub arrived: Timestamp,
    /// `Return-Path:`.
    pub sender: ReversePath,
    /// `Delivered-To:`.
    pub recipient: Address,
    /// The content; lines end with CRLF.
    pub body: Body,
    /// Whether CRLF becomes LF, as the programs that read Maildirs want it; not for BINARYMIME.
    pub unix_lines: bool,
}

/// The disk with the Maildirs.
pub trait Mailboxes: Send + Sync + 'static {
    /// Makes a letter durable in a Maildir, which is created if need be. A disk that blocks does its work outside the
    /// event loop.
    ///
    /// # Errors
    /// [`MailboxError`]: then the letter is not in the mailbox.
    fn store<'a>(&'a self, maildir: &'a Path, letter: Letter) -> Storing<'a>;
}

/// What [`Mailboxes::store`] returns.
pub type Storing<'a> = Pin<Box<dyn Future<Output = Result<(), MailboxError>> + Send + 'a>>;

/// Why a letter is not in its mailbox.
#[derive(Debug)]
#[non_exhaustive]
pub enum MailboxError {
    /// No room, on the disk or in the quota.
    Full {
        /// The file or directory.
        path: PathBuf,
    },
    /// The mailbox cannot be written.
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The spooled content cannot be read.
    Content {
        /// What the spool said.
        error: io::Error,
    },
}

impl MailboxError {
    fn new(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        let no_room = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if no_room.contains(&error.kind()) {
            Self::Full { path }
        } else {
            Self::Write { path, error }
        }
    }

    /// What to say of it; the sender learns no path.
    #[must_use]
    pub fn reply(&self, mailbox: &Address) -> Reply {
        match self {
            Self::Full { .. } => Reply::mailbox_full(mailbox),
            Self::Write { error, .. } => Reply::mailbox_unavailable(mailbox, error.kind()),
            Self::Content { .. } => Reply::mailbox_unavailable(mailbox, "stored copy unreadable"),
        }
    }
}

impl fmt::Display for MailboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { path } => write!(f, "no room for {}", path.display()),
            Self::Write { path, error } => write!(f, "cannot write {}: {error}", path.display()),
            Self::Content { error } => write!(f, "cannot read the stored copy: {error}"),
        }
    }
}

impl std::error::Error for MailboxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full { .. } => None,
            Self::Write { error, .. } | Self::Content { error } => Some(error),
        }
    }
}

/// The real disk.
#[derive(Debug, Clone)]
pub struct DiskMailboxes {
    hostname: String,
    /// Maildirs whose own names this process knows to be flushed.
    known: Arc<Mutex<HashSet<PathBuf>>>,
}

/// The most Maildirs that are known at once; beyond, all are looked at again.
const MAX_KNOWN: usize = 10_000;

impl DiskMailboxes {
    /// Maildirs whose file names end with this server's name.
    #[must_use]
    pub fn new(hostname: &str) -> Self {
        Self {
            hostname: hostname.replace('/', "\\057").replace(':', "\\072"),
            known: Arc::default(),
        }
    }

    /// `1795518621.Q1M86KZSA80000R0.mx.example.org`
    fn file_name(&self, letter: &Letter) -> String {
        let seconds = letter.arrived.as_millis() / 1_000;
        let (id, place, hostname) = (letter.id, letter.place, &self.hostname);
        format!("{seconds}.Q{id}R{place}.{hostname}")
    }

    /// Creates what is missing of a Maildir, every name flushed. One at a time: nobody may take a folder for durable
    /// that somebody else has just made.
    fn make_maildir(&self, maildir: &Path) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let folders = ["tmp", "new", "cur"].map(|folder| maildir.join(folder));
        if known.contains(maildir) && folders.iter().all(|folder| folder.is_dir()) {
            return Ok(());
        }
        for folder in &folders {
            make_folder(folder)?;
        }
        // Whoever made them in an earlier life may have been killed before it flushed them.
        sync_folder(maildir)?;
        match maildir.parent().map(sync_folder) {
            // Others' folders need not be ours to read; then they need not be ours to make durable.
            Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Some(synced) => synced?,
            None => {}
        }
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(maildir.to_owned());
        Ok(())
    }

    /// Makes a letter durable; blocks.
    fn deposit(&self, maildir: &Path, letter: Letter) -> Result<(), MailboxError> {
        let name = self.file_name(&letter);
        let (tmp, new) = (maildir.join("tmp"), maildir.join("new"));
        self.make_maildir(maildir)
            .map_err(|error| MailboxError::new(maildir, error))?;
        let (draft, done) = (tmp.join(&name), new.join(&name));
        let stored = write_file(&draft, letter).and_then(|()| {
            fs::rename(&draft, &done).map_err(|error| MailboxError::new(&done, error))?;
            sync_folder(&new).map_err(|error| MailboxError::new(&new, error))
        });
        if stored.is_err() {
            // What is left in tmp/ is nobody's mail; the error that led here is the one to report.
            drop(fs::remove_file(&draft));
        }
        stored
    }
}

impl Mailboxes for DiskMailboxes {
    fn store<'a>(&'a self, maildir: &'a Path, letter: Letter) -> Storing<'a> {
        let (disk, maildir) = (self.clone(), maildir.to_owned());
        Box::pin(async move {
            let path = maildir.clone();
            let stored = tokio::task::spawn_blocking(move || disk.deposit(&maildir, letter)).await;
            stored.unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime stops; the message stays queued.
                Err(_) => Err(MailboxError::Write {
                    path,
                    error: io::ErrorKind::Interrupted.into(),
                }),
            })
        })
    }
}

/// Creates what is missing of a path, each folder for its owner alone and flushed into its parent.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        make_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let here = folder.as_os_str().is_empty();
    File::open(if here { Path::new(".") } else { folder })?.sync_all()
}

fn write_file(path: &Path, mut letter: Letter) -> Result<(), MailboxError> {
    let on_disk = |error| MailboxError::new(path, error);
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(on_disk(error)),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(on_disk)?;
    let head = format!(
        "Return-Path: <{}>\r\nDelivered-To: {}\r\n",
        letter.sender, letter.recipient
    );
    let mut lines = UnixLines::new(letter.unix_lines);
    let mut out = Vec::with_capacity(CHUNK + head.len());
    lines.push(head.as_bytes(), &mut out);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match letter.body.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(MailboxError::Content { error }),
        };
        lines.push(chunk.get(..read).unwrap_or_default(), &mut out);
        file.write_all(&out).map_err(on_disk)?;
        out.clear();
    }
    lines.finish(&mut out);
    file.write_all(&out).map_err(on_disk)?;
    file.sync_all().map_err(on_disk)
}

/// Turns CRLF into LF, also when a chunk ends between the two.
struct UnixLines {
    wanted: bool,
    held_cr: bool,
}

impl UnixLines {
    const fn new(wanted: bool) -> Self {
        Self {
            wanted,
            held_cr: false,
        }
    }

    fn push(&mut self, content: &[u8], out: &mut Vec<u8>) {
        if !self.wanted {
            out.extend_from_slice(content);
            return;
        }
        for byte in content {
            if self.held_cr && *byte != b'\n' {
                out.push(b'\r');
            }
            self.held_cr = *byte == b'\r';
            if !self.held_cr {
                out.push(*byte);
            }
        }
    }

    fn finish(self, out: &mut Vec<u8>) {
        if self.held_cr {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn letter(body: &[u8]) -> Letter {
        Letter {
            id: QueueId::from_number(7),
            place: 2,
            arrived: Timestamp::from_millis(1_795_518_621_000),
            sender: ReversePath::Null,
            recipient: Address::parse("user@here.test").unwrap(),
            body: Box::new(Cursor::new(body.to_vec())),
            unix_lines: true,
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_letter_is_in_new_with_its_envelope_on_top() {
        let root = tempfile::tempdir().unwrap();
        let maildir = root.path().join("deep/user");
        let disk = DiskMailboxes::new("mx.test");
        disk.deposit(&maildir, letter(b"Subject: x\r\n\r\nHi\rthere\r\n\r"))
            .unwrap();
        let [file] = files(&maildir.join("new")).try_into().unwrap();
        assert_eq!(
            fs::read(&file).unwrap(),
            b"Return-Path: <>\nDelivered-To: user@here.test\nSubject: x\n\nHi\rthere\n\r"
        );
        assert_eq!(files(&maildir.join("tmp")), Vec::<PathBuf>::new());
        assert!(maildir.join("cur").is_dir());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&maildir), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn a_delivery_repeated_after_a_crash_adds_no_copy() {
        let root = tempfile::tempdir().unwrap();
        let disk = DiskMailboxes::new("mx.test");
        disk.deposit(root.path(), letter(b"one\r\n")).unwrap();
        disk.deposit(root.path(), letter(b"one\r\n")).unwrap();
        assert_eq!(files(&root.path().join("new")).len(), 1);
    }

    #[test]
    fn a_message_longer_than_a_chunk_keeps_its_lines() {
        let root = tempfile::tempdir().unwrap();
        let body = b"0123456789\r\n".repeat(20_000);
        DiskMailboxes::new("a/b:c")
            .deposit(root.path(), letter(&body))
            .unwrap();
        let [file] = files(&root.path().join("new")).try_into().unwrap();
        assert!(file.to_str().unwrap().ends_with("R2.a\\057b\\072c"));
        assert!(
            fs::read(file)
                .unwrap()
                .ends_with(&b"0123456789\n".repeat(20_000))
        );
    }

    #[test]
    fn a_mailbox_that_cannot_be_written_says_what_kind_of_trouble_it_is() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let user = Address::parse("user@here.test").unwrap();
        let error = DiskMailboxes::new("mx")
            .deposit(&file, letter(b""))
            .unwrap_err();
        let reply = error.reply(&user).to_line();
        assert!(
            reply.starts_with("451 4.3.0 mailbox user@here.test cannot be written: "),
            "{reply}"
        );
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = MailboxError::new(&file, kind.into());
            let reply = error.reply(&user).to_line();
            assert_eq!(reply, "452 4.2.2 mailbox user@here.test is full");
        }
    }
}
