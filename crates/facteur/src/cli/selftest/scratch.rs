//! A folder for the checks, on the file system of the data directory, and gone with them.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf, absolute};

use crate::error::{CliError, Kind};
use crate::ui::{Screen, shown};

/// The folder; dropped, it is removed with all that is in it.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder in the data directory, or in the nearest folder above it that exists.
    pub(super) fn beside(data_dir: &Path, screen: &Screen) -> Result<Self, CliError> {
        let whole = absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        let there = whole.ancestors().find(|folder| folder.is_dir());
        let folder = there.unwrap_or_else(|| Path::new("/"));
        let path = folder.join(format!(".facteur-selftest-{}", std::process::id()));
        match make(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => {
                let folder = shown(&folder.display().to_string());
                let words = shown(&error.to_string());
                let args = [("folder", (&folder).into()), ("words", (&words).into())];
                let error = CliError::new(Kind::System, screen.text("selftest-no-folder", &args));
                Err(error.hint(screen.text("selftest-no-folder-hint", &[])))
            }
        }
    }

    /// A new folder in it.
    pub(super) fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        make(&path)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left has a name that says what it was.
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}
