//! Secrets: keys and tokens that stand in a file of their own, which nobody but the server may read.
//!
//! The configuration holds the path ([`SecretFile`]) and that is what `config show` prints. The value is read when it is
//! needed, by whoever needs it, so that commands of people who may not read it work all the same.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use facteur_replies::{Language, Value, text};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::config::problem::Expected;
use crate::config::written::Written;
use crate::error::{CliError, Kind};
use crate::ui::shown;

/// The largest secret, in octets. A token has some forty.
const MAX_SECRET: usize = 4_096;

/// What systemd calls the folder of the credentials that it hands to a service (`LoadCredential=`).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Permission bits of the group and of others.
const NOT_THE_OWNER: u32 = 0o077;

/// A value that nobody gets to see: not in the log, not in an error, and not in memory once it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The value, for the one place that needs it.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretFile(PathBuf);

/// Why a file is not taken for a secret.
#[derive(Debug)]
enum Refused {
    /// It cannot be opened or read.
    Unreadable(io::Error),
    /// A folder, a device, a pipe.
    NotAFile,
    /// Its group or others may read, change or run it: these are its permissions.
    Exposed { mode: u32 },
    /// Somebody else's, who could change it: the owner's number.
    AnotherOwner { uid: u32 },
    /// Longer than [`MAX_SECRET`].
    TooLarge,
    /// Nothing in it but the end of a line.
    Empty,
}

/// An absolute path: a relative one would be another file in another folder.
impl Written for SecretFile {
    const EXPECTED: Expected = Expected::SecretFile;

    fn parse(text: &str) -> Option<Self> {
        (text.starts_with('/') && !text.contains('\0')).then(|| Self(PathBuf::from(text)))
    }

    fn show(&self) -> String {
        self.0.display().to_string()
    }
}

impl SecretFile {
    /// The path, which is no secret.
    #[cfg(test)]
    fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the secret, without the end of its line.
    ///
    /// # Errors
    /// The file cannot be read, is not the server's own, or others may read it as well; with what to do.
    pub(crate) fn read(&self, language: Language) -> Result<Secret, CliError> {
        let handed_over = std::env::var_os(CREDENTIALS).map(PathBuf::from);
        read(&self.0, handed_over.as_deref())
            .map_err(|refused| explained(&self.0, &refused, language))
    }
}

fn read(path: &Path, handed_over: Option<&Path>) -> Result<Secret, Refused> {
    // A pipe without a writer must not hold up the start; what is opened is what is looked at.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(Refused::Unreadable)?;
    let found = file.metadata().map_err(Refused::Unreadable)?;
    if !found.is_file() {
        return Err(Refused::NotAFile);
    }
    // systemd lets the service's user in by an access list, which looks like a permission of the group.
    if !handed_over.is_some_and(|folder| path.starts_with(folder)) {
        ours_alone(&found)?;
    }
    value(&mut file)
}

fn ours_alone(found: &Metadata) -> Result<(), Refused> {
    let us = rustix::process::geteuid().as_raw();
    let uid = found.uid();
    if uid != us && uid != 0 {
        return Err(Refused::AnotherOwner { uid });
    }
    let mode = found.permissions().mode() & 0o7777;
    if mode & NOT_THE_OWNER != 0 {
        return Err(Refused::Exposed { mode });
    }
    Ok(())
}

fn value(file: &mut File) -> Result<Secret, Refused> {
    // Room for all of it at once: growing would leave copies behind.
    let mut octets = Zeroizing::new(vec![0; MAX_SECRET + 1]);
    let mut filled = 0;
    loop {
        let room = octets.get_mut(filled..).unwrap_or_default();
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Refused::Unreadable(error)),
        }
    }
    if filled > MAX_SECRET {
        return Err(Refused::TooLarge);
    }
    octets.truncate(filled);
    let line = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let length = line.strip_suffix(b"\r").unwrap_or(line).len();
    octets.truncate(length);
    if octets.is_empty() {
        return Err(Refused::Empty);
    }
    Ok(Secret(octets))
}

fn explained(path: &Path, refused: &Refused, language: Language) -> CliError {
    let path = shown(&path.display().to_string());
    let say = |id: &str, more: &[(&str, Value<'_>)]| {
        let mut args = vec![("path", (&path).into())];
        args.extend_from_slice(more);
        text(language, id, &args)
    };
    let (error, hint) = match refused {
        Refused::Unreadable(error) => {
            let words = shown(&error.to_string());
            let error = say("secret-unreadable", &[("words", (&words).into())]);
            (error, "secret-unreadable-hint")
        }
        Refused::NotAFile => (say("secret-not-a-file", &[]), "secret-not-a-file-hint"),
        Refused::Exposed { mode } => {
            let mode = format!("{mode:04o}");
            let error = say("secret-exposed", &[("mode", (&mode).into())]);
            (error, "secret-exposed-hint")
        }
        Refused::AnotherOwner { uid } => {
            let uid = uid.to_string();
            let error = say("secret-another-owner", &[("uid", (&uid).into())]);
            (error, "secret-another-owner-hint")
        }
        Refused::TooLarge => {
            let limit = u64::try_from(MAX_SECRET).unwrap_or(u64::MAX);
            let error = say("secret-too-large", &[("limit", limit.into())]);
            (error, "secret-not-a-file-hint")
        }
        Refused::Empty => (say("secret-empty", &[]), "secret-empty-hint"),
    };
    CliError::new(Kind::Config, error).hint(say(hint, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(name: &str, content: &[u8], mode: u32) -> (tempfile::TempDir, SecretFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, SecretFile(path))
    }

    fn refused(file: &SecretFile) -> String {
        let error = file.read(Language::English).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert_eq!(error.hints.len(), 1);
        error.message
    }

    #[test]
    fn a_secret_is_the_line_in_its_file() {
        for content in [&b"s3cr\xe9t"[..], b"s3cr\xe9t\n", b"s3cr\xe9t\r\n"] {
            let (_folder, file) = file("token", content, 0o600);
            assert_eq!(file.read(Language::English).unwrap().expose(), b"s3cr\xe9t");
        }
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused_with_what_to_do() {
        for mode in [0o640, 0o604, 0o620, 0o777] {
            let (_folder, file) = file("token", b"s3cret", mode);
            let error = file.read(Language::English).unwrap_err();
            assert!(error.message.contains(&format!("{mode:04o}")), "{error}");
            let chmod = format!("chmod 600 {}", file.path().display());
            assert!(error.hints[0].contains(&chmod), "{:?}", error.hints);
            assert!(!error.message.contains("s3cret"));
        }
    }

    #[test]
    fn a_credential_of_systemd_may_look_open_to_its_group() {
        let (folder, file) = file("token", b"s3cret\n", 0o440);
        let secret = read(file.path(), Some(folder.path())).unwrap();
        assert_eq!(secret.expose(), b"s3cret");
        let elsewhere = read(file.path(), Some(Path::new("/run/credentials/other")));
        assert!(matches!(elsewhere, Err(Refused::Exposed { mode: 0o440 })));
    }

    #[test]
    fn somebody_elses_file_is_no_secret_of_ours() {
        let (_folder, file) = file("token", b"s3cret", 0o600);
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(file.path(), Some(65_534), None).unwrap();
            assert!(refused(&file).contains("65534"));
        } else {
            // Only root can give a file away; root's own is taken, if it can be read.
            let found = fs::metadata(file.path()).unwrap();
            assert!(ours_alone(&found).is_ok());
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused() {
        let (folder, _) = file("token", b"", 0o600);
        assert!(refused(&SecretFile(folder.path().to_owned())).contains("not a file"));
        let missing = SecretFile(folder.path().join("missing"));
        assert!(refused(&missing).contains("cannot be read"));
        for (content, says) in [
            (&b""[..], "empty"),
            (b"\r\n", "empty"),
            (&[b'x'; MAX_SECRET + 1], "4096"),
        ] {
            let (_folder, file) = file("token", content, 0o600);
            let said = refused(&file);
            assert!(said.contains(says), "{said}");
        }
        let (_folder, file) = file("token", &[b'x'; MAX_SECRET], 0o600);
        assert!(file.read(Language::English).is_ok());
    }

    #[test]
    fn a_pipe_does_not_hold_up_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(refused(&SecretFile(path)).contains("not a file"));
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let (_folder, file) = file("token", b"s3cret", 0o600);
        let secret = file.read(Language::English).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!(format!("{:?}", Some(&secret)), "Some(Secret)");
    }

    #[test]
    fn a_secret_has_an_absolute_path() {
        assert!(SecretFile::parse("/etc/facteur/token").is_some());
        for wrong in ["", "token", "./token", "/etc/\0"] {
            assert!(SecretFile::parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
