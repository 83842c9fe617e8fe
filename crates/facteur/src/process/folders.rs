//! The folders that the server writes into: made before it gives up root, for the user that it becomes.

use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use facteur_mail::text::escaped;
use facteur_route::Deliver;
use rustix::fs::{Access, access};

use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::process::identity::Account;
use crate::ui::{Screen, shown};

/// Makes the data directory, for its owner alone: mail of others lies in it.
///
/// # Errors
/// It cannot be made, or belongs to somebody else than the server will be.
pub(super) fn make_data_directory(
    path: &Path,
    account: Option<&Account>,
    screen: &Screen,
) -> Result<(), CliError> {
    let made = make(path, 0o700, account);
    made.map_err(|error| cannot_make("serve-no-data-directory", path, &error, screen))?;
    // The spool goes by itself, as it is what an earlier start by root leaves behind.
    for path in [path.to_owned(), path.join("spool")] {
        let found = std::fs::metadata(&path);
        if let (Ok(found), Some(account)) = (found, account)
            && found.uid() != account.uid()
        {
            return Err(another_owner(&path, &found, account, screen));
        }
    }
    Ok(())
}

/// Makes the folders of the Maildirs, so that the kernel can be told of them.
///
/// # Errors
/// One cannot be made, or is the root of everything, to which nobody can be confined.
pub(super) fn make_mail_folders(
    config: &Config,
    account: Option<&Account>,
    screen: &Screen,
) -> Result<(), CliError> {
    for root in mail_folders(config) {
        if root == Path::new("/") {
            let error = CliError::new(Kind::Config, screen.text("process-mail-in-root", &[]));
            return Err(error.hint(screen.text("process-mail-in-root-hint", &[])));
        }
        make(&root, 0o755, account)
            .map_err(|error| cannot_make("process-no-mail-folder", &root, &error, screen))?;
    }
    Ok(())
}

/// Says which folders of Maildirs the server, as who it is now, cannot write into. It is no error: the Maildirs themselves
/// may be there, and belong to it.
pub(super) fn check_mail_folders(config: &Config) {
    for root in mail_folders(config) {
        if root.exists() && access(&root, Access::WRITE_OK | Access::EXEC_OK).is_err() {
            tracing::warn!(
                folder = %escaped(&root.display().to_string()),
                "no new Maildir can be made here: the folder belongs to another user"
            );
        }
    }
}

/// The folders below which all Maildirs are.
pub(super) fn mail_folders(config: &Config) -> Vec<PathBuf> {
    let templates = config
        .domains
        .values()
        .filter_map(|domain| match &domain.deliver {
            Deliver::Maildir(template) => Some(template.root().to_owned()),
            Deliver::Lmtp(_) | Deliver::Relay(_) => None,
        });
    let mut folders: Vec<PathBuf> = templates.collect();
    folders.sort();
    folders.dedup();
    folders
}

/// Makes a folder and those above it that are missing; what is made belongs to `account`. The names are flushed: a loss
/// of power must not take the folder with all that was flushed into it.
fn make(path: &Path, mode: u32, account: Option<&Account>) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        // What lies above the folder itself is not private.
        let mode = if folder == path { mode } else { 0o755 };
        match DirBuilder::new().mode(mode).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        if let Some(account) = account {
            chown(folder, Some(account.uid()), Some(account.gid()))?;
        }
        flush_name(folder)?;
    }
    if path.is_dir() {
        // Also when it was there: whoever made it may have been killed before this.
        flush_name(path)
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

fn flush_name(folder: &Path) -> io::Result<()> {
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    match File::open(parent).and_then(|parent| parent.sync_all()) {
        // Others' folders need not be ours to read, nor on a disk that can be written.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

fn cannot_make(id: &str, path: &Path, error: &io::Error, screen: &Screen) -> CliError {
    let path = shown(&path.display().to_string());
    let words = shown(&error.to_string());
    let args = [("path", (&path).into()), ("words", (&words).into())];
    CliError::new(Kind::System, screen.text(id, &args))
}

fn another_owner(path: &Path, found: &Metadata, account: &Account, screen: &Screen) -> CliError {
    let path = shown(&path.display().to_string());
    let (user, uid) = (account.name(), found.uid().to_string());
    let owner = format!("{}:{}", account.uid(), account.gid());
    let args = [
        ("path", (&path).into()),
        ("user", (&user).into()),
        ("uid", (&uid).into()),
    ];
    let error = CliError::new(Kind::System, screen.text("process-another-owner", &args));
    let args = [("path", (&path).into()), ("owner", (&owner).into())];
    error.hint(screen.text("process-another-owner-hint", &args))
}
