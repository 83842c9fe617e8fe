//! Where the spool keeps what, below its directory.

use std::path::{Path, PathBuf};

use facteur_mail::QueueId;

/// The spool's directory.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    root: PathBuf,
}

impl Paths {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Held by the process that owns the spool.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The segments.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// A segment.
    pub(crate) fn segment(&self, serial: u64) -> PathBuf {
        self.log().join(format!("{serial:016x}.log"))
    }

    /// The serial number of a segment's name.
    pub(crate) fn serial(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(".log").filter(|d| d.len() == 16)?;
        u64::from_str_radix(digits, 16).ok()
    }

    /// The contents that have files of their own.
    pub(crate) fn bodies(&self) -> PathBuf {
        self.root.join("bodies")
    }

    /// One of the 256 directories of bodies.
    pub(crate) fn body_directory(&self, id: QueueId) -> PathBuf {
        // The low bits count within a millisecond and are mostly zero; the milliseconds spread well.
        let spread = (id.number() ^ (id.number() >> 20)) & 0xff;
        self.bodies().join(format!("{spread:02x}"))
    }

    /// The file of a large content.
    pub(crate) fn body(&self, id: QueueId) -> PathBuf {
        self.body_directory(id).join(id.to_string())
    }

    /// What was found damaged.
    pub(crate) fn damaged(&self) -> PathBuf {
        self.root.join("damaged")
    }
}
