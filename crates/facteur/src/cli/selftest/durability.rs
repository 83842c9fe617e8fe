//! What 250 after the content means: the flush comes first. Shown on the file system of the operator's data, through a disk
//! that notes what was written and is not flushed yet.

use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use facteur_mail::{
    Address, BodyType, Client, Clock as _, Envelope, Notify, Protocol, Recipient, ReversePath,
};
use facteur_spool::{Spool as _, SpoolError};
use facteur_spool_local::{Config, Disk, DiskFile, Filesystem, LocalSpool, RealDisk, Space};

use crate::cli::selftest::report::{Found, Report};
use crate::cli::selftest::scratch::Scratch;
use crate::error::CliError;
use crate::failure;
use crate::system::SystemClock;

/// A message that fits into the log, and one that has a file of its own.
const SIZES: [(&str, &str, usize); 2] = [("size-kib", "2", 2 << 10), ("size-mib", "1", 1 << 20)];

pub(super) fn check(scratch: &Scratch, report: &mut Report<'_>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for (unit, number, octets) in SIZES {
        let size = report.screen().text(unit, &[("number", number.into())]);
        let folder = scratch.folder(&format!("durability-{octets}"))?;
        let found = runtime.block_on(receipt_after_flush(&folder, octets));
        let found = found.unwrap_or_else(|error| {
            let language = report.screen().language;
            Err(failure::spool(&error, language))
        });
        let key = format!("durability:{octets}");
        report.note(
            &key,
            "selftest-durability",
            &[("size", (&size).into())],
            found,
        )?;
    }
    Ok(())
}

/// Stores a message; when the receipt is there, nothing may be left to be flushed.
async fn receipt_after_flush(folder: &Path, octets: usize) -> Result<Found, SpoolError> {
    let ledger = Ledger::default();
    let disk = Arc::new(Watched(ledger.clone()));
    let clock = Arc::new(SystemClock);
    let (spool, _) = LocalSpool::open_on(disk, Config::new(folder.join("spool")), clock)?;
    ledger.forget();
    let mut draft = spool.begin(SystemClock.now())?;
    let line = [b'x'; 62];
    for _ in 0..octets.div_ceil(64) {
        draft.write(&line)?;
        draft.write(b"\r\n")?;
    }
    let Ok(recipient) = Address::parse("anne@selftest.invalid") else {
        return Ok(Err("anne@selftest.invalid".to_owned()));
    };
    let receipt = draft.commit(envelope(recipient), SystemClock.now()).await;
    // Now, before anything else can happen.
    let (written, left) = ledger.written_and_left();
    receipt?;
    spool.close().await?;
    // A disk to which nothing was written shows nothing.
    Ok(if !written {
        Err(folder.display().to_string())
    } else if left.is_empty() {
        Ok(())
    } else {
        Err(left.join(", "))
    })
}

fn envelope(recipient: Address) -> Envelope {
    Envelope {
        sender: ReversePath::Null,
        recipients: vec![Recipient {
            address: recipient,
            orcpt: None,
            notify: Notify::Default,
        }],
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        arrived: SystemClock.now(),
        client: Client {
            ip: None,
            helo: "selftest.invalid".into(),
            protocol: Protocol::Esmtp,
        },
    }
}

/// What has been written, and what of it has not been flushed: files by their content, folders by their names.
#[derive(Debug, Clone, Default)]
struct Ledger(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    written: bool,
    dirty: BTreeSet<PathBuf>,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self) {
        *self.entries() = Entries::default();
    }

    fn wrote(&self, path: &Path) {
        let mut entries = self.entries();
        entries.written = true;
        entries.dirty.insert(path.to_owned());
    }

    fn named(&self, path: &Path) {
        let folder = path.parent().unwrap_or(path).to_owned();
        self.entries().dirty.insert(folder);
    }

    fn flushed(&self, path: &Path) {
        self.entries().dirty.remove(path);
    }

    fn written_and_left(&self) -> (bool, Vec<String>) {
        let entries = self.entries();
        let left = entries.dirty.iter().map(|path| path.display().to_string());
        (entries.written, left.collect())
    }
}

/// The system's disk, with a ledger.
struct Watched(Ledger);

struct WatchedFile {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    ledger: Ledger,
}

impl Watched {
    fn file(&self, path: &Path, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(WatchedFile {
            file,
            path: path.to_owned(),
            ledger: self.0.clone(),
        })
    }
}

impl Disk for Watched {
    fn prepare(&self, directory: &Path) -> Result<(), SpoolError> {
        RealDisk.prepare(directory)
    }

    fn filesystem(&self, directory: &Path) -> io::Result<Filesystem> {
        RealDisk.filesystem(directory)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn Send + Sync>, SpoolError> {
        RealDisk.lock(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = RealDisk.create(path)?;
        self.0.named(path);
        Ok(self.file(path, file))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(path, RealDisk.open(path, write)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)?;
        self.0.named(to);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_directory(path)?;
        self.0.named(path);
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)?;
        self.0.flushed(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(path)
    }

    fn space(&self, directory: &Path) -> io::Result<Space> {
        RealDisk.space(directory)
    }

    fn entropy(&self) -> io::Result<u64> {
        RealDisk.entropy()
    }
}

impl DiskFile for WatchedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        // Noted first: what fails may have been written as well.
        self.ledger.wrote(&self.path);
        self.file.write_at(parts, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()?;
        self.ledger.flushed(&self.path);
        Ok(())
    }

    fn octets(&self) -> io::Result<u64> {
        self.file.octets()
    }
}
