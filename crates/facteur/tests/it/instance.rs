//! A `facteur serve` of a test's own, with everything around it: addresses, DNS, peers, Maildirs, the command line.
//!
//! Each test has its own addresses below 127.0.0.0/8 and fixed ports there, so that no port is ever picked, lost
//! and taken by somebody else; peers share one port, as the hosts of an MX do.
//!
//! What the server does by itself (start, deliver, retry, stop) is seen only from outside: [`until`] looks again
//! and again, with a short pause, until a deadline. The pause never decides whether a test passes.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use facteur_faultdisk::FaultDisk;
use facteur_testkit::{DnsServer, Peer, Received, Script, Zone};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::letter::Letter;
use crate::talk::{Talk, greets};

/// How long anything may take: much longer than it ever does on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// The port of the server, and of its LMTP listener.
pub(crate) const PORT: u16 = 2525;
pub(crate) const LMTP_PORT: u16 = 2524;

/// The port of the console.
const CONSOLE_PORT: u16 = 8025;

/// The port of the peers.
pub(crate) const PEER_PORT: u16 = 2526;

/// What lies on a server's disk, if it has one of its own.
const ON_DISK: [&str; 2] = ["data", "mail"];

/// The surroundings of one test: its addresses and its DNS.
pub(crate) struct Lab {
    network: [u8; 3],
    pub(crate) zone: Zone,
    dns: DnsServer,
}

impl Lab {
    /// A lab with this zone, in which `@2` is the address of host 2.
    pub(crate) async fn new(zone: &str) -> Self {
        static LABS: AtomicU32 = AtomicU32::new(0);
        // Tests run at once in one process, and in processes of their own.
        let number = (std::process::id() << 8) | (LABS.fetch_add(1, Ordering::Relaxed) & 0xff);
        let [_, high, middle, low] = (number << 4).to_be_bytes();
        let empty = Zone::default();
        let lab = Self {
            network: [64 | (high & 0x3f), middle, low],
            dns: DnsServer::start(&empty).await.unwrap(),
            zone: empty,
        };
        lab.zone.add(&lab.resolved(zone));
        lab
    }

    /// The address of a host: 1 is the server, 2 to 9 are for peers.
    pub(crate) fn ip(&self, host: u8) -> IpAddr {
        let [a, b, c] = self.network;
        IpAddr::V4(Ipv4Addr::new(127, a, b, c | host))
    }

    /// A peer at this host.
    pub(crate) async fn peer(&self, host: u8, script: Script) -> Peer {
        let address = SocketAddr::new(self.ip(host), PEER_PORT);
        Peer::start_at(address, script).await.unwrap()
    }

    /// `text` with addresses in place of `@1` to `@9`.
    pub(crate) fn resolved(&self, text: &str) -> String {
        (1..=9).fold(text.to_owned(), |text, host| {
            text.replace(&format!("@{host}"), &self.ip(host).to_string())
        })
    }
}

/// What a configuration says, each part as TOML. `@1` to `@9` are addresses, `MAIL` is the folder of the Maildirs.
pub(crate) struct Setup {
    /// Keys of the file itself.
    pub(crate) top: &'static str,
    /// More `[[listen]]`.
    pub(crate) listen: &'static str,
    /// Keys of the listener that every server has.
    pub(crate) listener: &'static str,
    /// `[relay]`.
    pub(crate) relay: &'static str,
    /// Whole tables.
    pub(crate) tables: &'static str,
    /// `[dns]`, the servers apart.
    pub(crate) dns: &'static str,
    /// `[delivery]`, the port and the loopback apart.
    pub(crate) delivery: &'static str,
    /// `[limits]`.
    pub(crate) limits: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            top: "hostname = \"mx.here.test\"",
            listen: "",
            listener: "",
            relay: "networks = [\"127.0.0.0/8\"]",
            tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"",
            dns: "",
            delivery: "retry = [\"1s\"]",
            limits: "",
        }
    }
}

/// A server with its folder. Dropped, it is killed and its folder removed.
pub(crate) struct Instance {
    /// Where data and mail lie, if it is not the folder; unmounted before the folder goes.
    disk: Option<FaultDisk>,
    folder: TempDir,
    address: SocketAddr,
    /// What the shell is to do before it becomes the server: `ulimit -n 64`.
    limit: Option<String>,
    child: Option<Child>,
}

impl Instance {
    /// A running server.
    pub(crate) async fn start(lab: &Lab, setup: &Setup) -> Self {
        let mut instance = Self::prepare(lab, setup);
        instance.launch().await;
        instance
    }

    /// A server that does not run yet.
    pub(crate) fn prepare(lab: &Lab, setup: &Setup) -> Self {
        Self::prepare_in(tempfile::tempdir().unwrap(), None, lab, setup)
    }

    /// A server that does not run yet, whose data and Maildirs are on a disk that fails as told. `None` where there
    /// can be no such disk.
    pub(crate) fn prepare_on_fault_disk(lab: &Lab, setup: &Setup) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = folder.path().join("disk");
        fs::create_dir(&mounted).unwrap();
        let disk = FaultDisk::mount_or_skip(&mounted)?;
        Some(Self::prepare_in(folder, Some(disk), lab, setup))
    }

    fn prepare_in(folder: TempDir, disk: Option<FaultDisk>, lab: &Lab, setup: &Setup) -> Self {
        let instance = Self {
            disk,
            folder,
            address: SocketAddr::new(lab.ip(1), PORT),
            limit: None,
            child: None,
        };
        let config = configuration(setup, instance.address, lab.dns.address())
            .replace("DATA", &instance.path("data").display().to_string())
            .replace("MAIL", &instance.path("mail").display().to_string());
        fs::write(instance.config(), lab.resolved(&config)).unwrap();
        instance
    }

    /// Starts it and waits for its banner.
    pub(crate) async fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        self.child = Some(self.spawn());
        let deadline = Instant::now() + PATIENCE;
        while !greets(self.address).await {
            let child = self.child.as_mut().unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server did not start ({status}):\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "no banner:\n{}", self.log());
            thread::sleep(PAUSE);
        }
    }

    /// Limits the servers that are started from now on, in the words of the shell: `ulimit -n 64`.
    pub(crate) fn limit(&mut self, limit: &str) {
        self.limit = Some(limit.to_owned());
    }

    /// A process beside the first one, on the same data.
    pub(crate) fn spawn(&self) -> Child {
        let mut log = File::options();
        let log = log
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut command = self.command(&["serve"]);
        if let Some(limit) = &self.limit {
            command = limited(&command, limit);
        }
        command.stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        command.spawn().unwrap()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        let child = self.child.as_ref().unwrap();
        kill_process(Pid::from_child(child), Signal::HUP).unwrap();
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let child = self.child.as_ref().unwrap();
        kill_process(Pid::from_child(child), Signal::TERM).unwrap();
    }

    /// Waits for the end of the process.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        until("the process ends", || child.try_wait().unwrap())
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its console listens.
    pub(crate) const fn console(&self) -> SocketAddr {
        SocketAddr::new(self.address.ip(), CONSOLE_PORT)
    }

    /// A session that has read the banner and said EHLO.
    pub(crate) async fn talk(&self) -> Talk {
        let mut talk = Talk::open(self.address).await;
        talk.expect("EHLO client.test", "250-").await;
        talk
    }

    /// Sends a message, CRLF for LF, and returns its queue id.
    pub(crate) async fn send(&self, from: &str, to: &[&str], message: &str) -> String {
        let mut talk = self.talk().await;
        let message = message.replace('\n', "\r\n");
        let reply = talk.deliver(from, to, message.as_bytes()).await;
        queue_id(&reply)
    }

    /// The letters in a Maildir, in the order of their arrival.
    pub(crate) fn mailbox(&self, user: &str) -> Vec<Letter> {
        let folder = self.path("mail").join(user).join("new");
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| Letter::read(path)).collect()
    }

    /// Every Maildir's name.
    pub(crate) fn mailboxes(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("mail")) else {
            return Vec::new();
        };
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    /// Waits for this many letters in a Maildir.
    pub(crate) fn letters(&self, user: &str, count: usize) -> Vec<Letter> {
        let what = format!("{count} letters for {user}");
        until(&what, || {
            let letters = self.mailbox(user);
            (letters.len() >= count).then_some(letters)
        })
    }

    /// Waits for the only letter in a Maildir.
    pub(crate) fn letter(&self, user: &str) -> Letter {
        let mut letters = self.letters(user, 1);
        assert_eq!(letters.len(), 1, "one letter for {user}");
        letters.remove(0)
    }

    /// Runs another command on this server.
    pub(crate) fn run(&self, words: &[&str]) -> Answer {
        Answer::new(self.command(words).output().unwrap())
    }

    /// The messages in the queue, as `queue list --json` shows them.
    pub(crate) fn queue(&self) -> Vec<serde_json::Value> {
        let answer = self.run(&["queue", "list", "--json"]);
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.json()
    }

    /// Waits until nothing is queued.
    pub(crate) fn queue_is_empty(&self) {
        until("an empty queue", || self.queue().is_empty().then_some(()));
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Its configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("facteur.toml")
    }

    /// A path in its folder, or on its disk.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match &self.disk {
            Some(disk) if ON_DISK.iter().any(|on| Path::new(name).starts_with(on)) => {
                disk.path().join(name)
            }
            Some(_) | None => self.folder.path().join(name),
        }
    }

    /// Its disk, where it has one of its own.
    pub(crate) const fn disk(&self) -> &FaultDisk {
        self.disk.as_ref().unwrap()
    }

    /// Another command on this server, to be run.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = facteur(words);
        command.arg("--config").arg(self.config());
        command
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
        if thread::panicking() {
            println!("--- the server's log\n{}", self.log());
        }
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output
                .status
                .code()
                .unwrap_or_else(|| panic!("{}", output.status)),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// One JSON value a line.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let value = |line| serde_json::from_str(line).unwrap();
        self.out.lines().map(value).collect()
    }
}

/// Runs a command without a configuration, in this folder.
pub(crate) fn run_in(folder: &Path, words: &[&str]) -> Answer {
    Answer::new(facteur(words).current_dir(folder).output().unwrap())
}

/// Looks until there is something to see.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(PAUSE);
    }
}

/// The messages that a peer has read to their end, whatever it answered. A lone dot after recipients that were
/// all refused ends no message.
pub(crate) fn messages(peer: &Peer) -> Vec<Received> {
    let mut received = peer.received();
    received.retain(|message| !message.rcpts.is_empty());
    received
}

/// The messages that a peer has taken.
pub(crate) fn accepted(peer: &Peer) -> Vec<Received> {
    let mut accepted = peer.accepted();
    accepted.retain(|message| !message.rcpts.is_empty());
    accepted
}

/// Waits until a peer has read this many messages.
pub(crate) fn arrive(peer: &Peer, count: usize) -> Vec<Received> {
    until("messages at the peer", || {
        let messages = messages(peer);
        (messages.len() >= count).then_some(messages)
    })
}

/// The queue id in the 250 after the dot.
pub(crate) fn queue_id(reply: &str) -> String {
    let (head, id) = reply.rsplit_once(" queued as ").expect(reply);
    assert!(head.starts_with("250 2.0.0 "), "{reply}");
    id.to_owned()
}

/// The same command, started by a shell that does something first.
fn limited(command: &Command, limit: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{limit} && exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args());
    shell.env("LC_ALL", "C").env("COLUMNS", "100");
    shell
}

/// The program, in English, on wide paper.
fn facteur(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_facteur"));
    command.args(words).env("LC_ALL", "C").env("COLUMNS", "100");
    command
}

fn configuration(setup: &Setup, address: SocketAddr, dns: SocketAddr) -> String {
    let Setup {
        top,
        listen,
        listener,
        relay,
        tables,
        dns: more_dns,
        delivery,
        limits,
    } = setup;
    let console = SocketAddr::new(address.ip(), CONSOLE_PORT);
    format!(
        "{top}
data_dir = \"DATA\"
[[listen]]
address = \"{address}\"
{listener}
{listen}
[relay]
{relay}
[dns]
servers = [\"{dns}\"]
{more_dns}
[delivery]
port = {PEER_PORT}
allow_loopback_mx = true
{delivery}
[limits]
{limits}
[console]
address = \"{console}\"
{tables}
"
    )
}

/// Whether a client can connect at once: what a second look after a refusal needs to know.
pub(crate) fn is_listening(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}
