//! What a confined thread fails to do: for `facteur selftest`, which shows that the walls stand.

use std::ffi::CString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use nix::errno::Errno;
use nix::unistd::execve;

use crate::process::needs::Needs;
use crate::process::walls::{self, Confinement};

/// This program, as the kernel knows it.
const OURSELVES: &str = "/proc/self/exe";

/// What was tried: each must have been refused, or the words say what happened instead.
#[derive(Debug)]
pub(crate) struct Trial {
    /// To make a file outside.
    pub(crate) write: Result<(), String>,
    /// To connect to a port that is not needed.
    pub(crate) connect: Result<(), String>,
    /// To listen on one.
    pub(crate) listen: Result<(), String>,
    /// To start a program.
    pub(crate) execute: Result<(), String>,
}

impl Trial {
    fn failed(words: &str) -> Self {
        let failed = || Err(words.to_owned());
        Self {
            write: failed(),
            connect: failed(),
            listen: failed(),
            execute: failed(),
        }
    }
}

/// What is said of what was not refused.
#[derive(Debug)]
pub(crate) struct Words {
    /// The kernel cannot refuse it.
    pub(crate) unsupported: String,
    /// It was possible.
    pub(crate) possible: String,
}

/// Confines a thread to `inside` and lets it try. If a program can be started after all, this one is replaced by itself,
/// with `arguments`.
pub(crate) fn run(inside: &Path, outside: &Path, arguments: &[&str], words: &Words) -> Trial {
    let Words {
        unsupported,
        possible,
    } = words;
    let needs = Needs {
        writes: [inside.to_owned()].into(),
        ..Needs::default()
    };
    let attempt = || {
        // Opened before: it is what the thread would connect to.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let confinement = walls::confine(&needs).map_err(io::Error::other)?;
        if confinement == Confinement::Unsupported {
            return Ok(Trial::failed(unsupported));
        }
        fs::write(inside.join("file"), "x")?;
        let listen = if confinement.ports() {
            refused(TcpListener::bind((Ipv4Addr::LOCALHOST, port)), possible)
        } else {
            Err(unsupported.clone())
        };
        let connect = if confinement.ports() {
            refused(TcpStream::connect((Ipv4Addr::LOCALHOST, port)), possible)
        } else {
            Err(unsupported.clone())
        };
        Ok(Trial {
            write: refused(fs::write(outside.join("file"), "x"), possible),
            connect,
            listen,
            execute: start(arguments),
        })
    };
    thread::scope(|scope| scope.spawn(attempt).join())
        .unwrap_or_else(|_| Err(io::Error::other("panic")))
        .unwrap_or_else(|error: io::Error| Trial::failed(&error.to_string()))
}

/// Passed if the system said that it is not permitted.
fn refused<T>(tried: io::Result<T>, possible: &str) -> Result<(), String> {
    match tried {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err(possible.to_owned()),
    }
}

/// Does not return if it succeeds.
fn start(arguments: &[&str]) -> Result<(), String> {
    let words = |error: std::ffi::NulError| error.to_string();
    let program = CString::new(OURSELVES).map_err(words)?;
    let arguments: Result<Vec<CString>, _> =
        arguments.iter().map(|word| CString::new(*word)).collect();
    let nothing: [CString; 0] = [];
    match execve(&program, &arguments.map_err(words)?, &nothing) {
        Err(Errno::EACCES | Errno::EPERM) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
