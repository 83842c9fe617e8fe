//! Where measurements are made: a folder on a real disk, the two servers' programs, and the load generators that
//! come with Postfix.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bench::process::{Group, Process, Undertaker};
use crate::bench::procfs::said;
use crate::failure::Failure;
use crate::steps::target;

/// The longest that one load may take.
const LONGEST_LOAD: Duration = Duration::from_secs(400);

/// Everything a measurement needs.
pub(super) struct Lab {
    pub(super) undertaker: Arc<Undertaker>,
    /// Where Postfix is unpacked.
    postfix: PathBuf,
    /// Where cargo puts what it builds for the measurements.
    built: PathBuf,
    /// Short measurements only.
    pub(super) quick: bool,
    pub(super) rounds: u32,
}

/// A load of `smtp-source`: what it sends to 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) port: u16,
    pub(super) sessions: u32,
    pub(super) messages: u32,
    /// Octets of a message, without the header that is put in front.
    pub(super) octets: u32,
}

impl Lab {
    /// A lab with a folder of its own below `/var/tmp`, which is a disk where `/tmp` may be memory.
    pub(super) fn open(
        root: &Path,
        tools: &Path,
        quick: bool,
        rounds: u32,
    ) -> Result<Self, Failure> {
        let base = std::env::var_os("TMPDIR").map_or_else(|| "/var/tmp".into(), PathBuf::from);
        let folder = base.join(format!("facteur-bench.{}", std::process::id()));
        Ok(Self {
            undertaker: Undertaker::hire(folder)?,
            postfix: tools.join("postfix"),
            built: target(root).join("release"),
            quick,
            rounds,
        })
    }

    /// Where servers put their files.
    pub(super) fn folder(&self) -> &Path {
        self.undertaker.folder()
    }

    /// A program or library of Postfix.
    pub(super) fn postfix(&self, path: &str) -> PathBuf {
        self.postfix.join(path)
    }

    /// The program that is measured.
    pub(super) fn facteur(&self) -> PathBuf {
        self.built.join("facteur")
    }

    /// The program that makes crowds.
    pub(super) fn crowd(&self) -> PathBuf {
        self.built.join("examples/crowd")
    }

    /// The version of Postfix.
    pub(super) fn postfix_version(&self) -> String {
        let mut ask = Command::new(self.postfix("usr/sbin/postconf"));
        ask.args(["-d", "-h", "mail_version"])
            .env("LD_LIBRARY_PATH", self.postfix("usr/lib/postfix"));
        said(&mut ask)
    }

    /// One of two values: for quick measurements, or for real ones.
    pub(super) const fn or_quick<T: Copy>(&self, real: T, quick: T) -> T {
        if self.quick { quick } else { real }
    }

    /// Sends a load and returns how long it took; each message has been acknowledged.
    pub(super) fn send(&self, load: Load) -> Result<Duration, Failure> {
        let mut command = Command::new(self.postfix("usr/sbin/smtp-source"));
        command
            .args([
                "-4",
                "-d",
                "-f",
                "sender@localhost",
                "-t",
                "someone@sink.test",
            ])
            .args(["-s", &load.sessions.to_string()])
            .args(["-m", &load.messages.to_string()])
            .args(["-l", &load.octets.to_string()])
            .arg(format!("127.0.0.1:{}", load.port))
            .env("LD_LIBRARY_PATH", self.postfix("usr/lib/postfix"))
            .stdin(Stdio::null());
        let line = crate::steps::line(&command);
        let began = Instant::now();
        let mut process = Process::start(&self.undertaker, &mut command, Group::Ours)?;
        let done = process.wait(LONGEST_LOAD);
        let took = began.elapsed();
        let good = matches!(process.child().try_wait(), Ok(Some(status)) if status.success());
        if done && good {
            Ok(took)
        } else {
            Err(Failure::Program { line })
        }
    }

    /// A next server that takes so many messages and ends.
    pub(super) fn sink(&self, port: u16, messages: u32) -> Result<Process, Failure> {
        let mut command = Command::new(self.postfix("usr/sbin/smtp-sink"));
        command
            .args(["-4", "-u", "nobody", "-m", "1000"])
            .args(["-M", &messages.to_string()])
            .arg(format!("127.0.0.1:{port}"))
            .arg("1000")
            .env("LD_LIBRARY_PATH", self.postfix("usr/lib/postfix"))
            .stdin(Stdio::null());
        let process = Process::start(&self.undertaker, &mut command, Group::Ours)?;
        super::smtp::wait_for_banner(port, Duration::from_secs(10)).map(|_| process)
    }
}
