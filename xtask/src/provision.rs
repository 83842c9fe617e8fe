//! What the conversations need besides us: clients from the system, and Postfix and Exim unpacked into
//! `target/interop`, since no machine can have both installed and none should have them because of a test.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::steps::{run, target};

/// Program and the Debian package that has it: installed by apt if missing.
const CLIENTS: &[(&str, &str)] = &[
    ("swaks", "swaks"),
    ("msmtp", "msmtp"),
    ("curl", "curl"),
    ("mutt", "mutt"),
    ("strace", "strace"),
    ("python3", "python3"),
    ("systemd-analyze", "systemd"),
];

/// A name, Debian packages, and a file that shows they are unpacked.
type Server = (&'static str, &'static [&'static str], &'static str);

/// Debian packages that are only unpacked, each server with its missing libraries in a folder of its own.
/// `libnss-wrapper` gives them throw-away users.
const SERVERS: &[Server] = &[
    (
        "postfix",
        &["postfix", "libnss-wrapper"],
        "usr/lib/postfix/sbin/master",
    ),
    (
        "exim",
        &["exim4-daemon-light", "libnss-wrapper"],
        "usr/sbin/exim4",
    ),
];

/// Which tools are missing, and where the servers are.
pub(crate) struct Tools {
    folder: PathBuf,
    missing: Vec<String>,
}

impl Tools {
    /// Before [`Self::provide`] has looked.
    pub(crate) fn none(root: &Path) -> Self {
        Self {
            folder: target(root).join("interop"),
            missing: Vec::new(),
        }
    }

    /// The one of these tools that is missing, if any.
    pub(crate) fn lacks<'a>(&self, needed: &'a [String]) -> Option<&'a str> {
        needed
            .iter()
            .find(|tool| self.missing.contains(tool))
            .map(String::as_str)
    }

    /// Where the servers are unpacked, below it one folder each.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Fetches what is missing where that is possible (Debian, root), and says what still is.
    pub(crate) fn provide(&mut self, strict: bool) -> Result<(), Failure> {
        if is_root() && on_path("apt-get") {
            self.fetch()?;
        }
        let clients = absent_clients().map(|(program, _)| *program);
        let servers = self.absent_servers().map(|(name, ..)| *name);
        self.missing = clients.chain(servers).map(str::to_owned).collect();
        if self.missing.is_empty() {
            println!("everything is there");
        } else if strict {
            let tools = self.missing.clone();
            return Err(Failure::Missing { tools });
        } else {
            println!("missing: {}", self.missing.join(", "));
        }
        Ok(())
    }

    fn fetch(&self) -> Result<(), Failure> {
        let clients: Vec<_> = absent_clients().map(|(_, package)| *package).collect();
        let servers: Vec<_> = self.absent_servers().collect();
        if clients.is_empty() && servers.is_empty() {
            return Ok(());
        }
        // One unreachable archive among several is no reason to stop: what matters is what follows.
        if let Err(failure) = run(apt().args(["-q", "update"])) {
            println!("{failure}; going on with the lists that are there");
        }
        if !clients.is_empty() {
            run(apt()
                .args(["-q", "-y", "--no-install-recommends", "install"])
                .args(clients))?;
        }
        for (name, packages, _) in servers {
            unpack(&self.folder, name, packages)?;
        }
        Ok(())
    }

    fn absent_servers(&self) -> impl Iterator<Item = &'static Server> {
        SERVERS
            .iter()
            .filter(|(name, _, proof)| !self.folder.join(name).join(proof).exists())
    }
}

fn absent_clients() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    CLIENTS.iter().filter(|(program, _)| !on_path(program))
}

/// Downloads packages with every library this machine lacks, and unpacks them; nothing gets installed.
fn unpack(tools: &Path, name: &str, packages: &[&str]) -> Result<(), Failure> {
    let (folder, archives) = (tools.join(name), tools.join("archives").join(name));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File { path, source }
    };
    fs::create_dir_all(archives.join("partial")).map_err(failed(&archives))?;
    let mut cache = OsString::from("Dir::Cache::archives=");
    cache.push(&archives);
    // --reinstall: what is installed already must be downloaded too, else nothing would be unpacked.
    run(apt()
        .args([
            "-q",
            "-y",
            "--no-install-recommends",
            "--download-only",
            "--reinstall",
            "-o",
        ])
        .arg(cache)
        .arg("install")
        .args(packages))?;
    for entry in fs::read_dir(&archives).map_err(failed(&archives))? {
        let path = entry.map_err(failed(&archives))?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(&path).arg(&folder))?;
        }
    }
    Ok(())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// As `id -u` says it: the standard library cannot tell.
fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Also looks where Debian keeps system programs, which a user's PATH may lack.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_name_and_an_unknown_one_is_not() {
        assert!(on_path("sh"));
        assert!(!on_path("no-such-program-anywhere"));
    }

    #[test]
    fn the_missing_tool_is_named() {
        let mut tools = Tools::none(Path::new("."));
        tools.missing.push("exim".to_owned());
        assert_eq!(
            tools.lacks(&["swaks".to_owned(), "exim".to_owned()]),
            Some("exim")
        );
        assert_eq!(tools.lacks(&["swaks".to_owned()]), None);
    }
}
