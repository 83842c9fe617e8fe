//! The real server among clients and servers that mean no good, all at once: each gets what it deserves, memory stays
//! bounded, and whoever behaves does not notice.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use facteur_testkit::hostile::{End, Fate, HostileClient, HostileRemote, Step, clients, remotes};
use facteur_testkit::{Peer, Script};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::instance::{Instance, Lab, Setup, until};
use crate::talk::in_time;

/// How long a hostile client is waited for: longer than every patience of the server.
const PATIENCE: Duration = Duration::from_secs(60);

/// The gap between octets that come slowly.
const GAP: Duration = Duration::from_millis(200);

/// What the server's memory may grow by, in octets. (Promise G8)
const MAX_GROWTH: u64 = 64 << 20;

/// The largest message here, in octets.
const MAX_MESSAGE: u64 = 64 << 10;

/// A client under way.
struct Conversation {
    stream: TcpStream,
    /// What the server has said and nobody has read yet.
    heard: Vec<u8>,
    last: u16,
}

impl Conversation {
    async fn open(server: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(server).await.unwrap(),
            heard: Vec::new(),
            last: 0,
        }
    }

    /// Plays a client to its end: what ended it, in words, if that is not what should have.
    async fn play(mut self, client: &HostileClient) -> Option<String> {
        for step in &client.steps {
            if !self.step(step).await {
                break;
            }
        }
        let ended = match client.end {
            End::Reply(_) => self.reply().await.is_some(),
            End::Closed(_) | End::Gone => self.drain().await,
        };
        let (wanted, fine) = match client.end {
            End::Reply(code) => (code, ended && self.last == code),
            End::Closed(code) => (code, ended && self.last == code),
            End::Gone => (0, ended),
        };
        (!fine).then(|| {
            format!(
                "{}: {} (ended: {ended}), not {wanted}",
                client.name, self.last
            )
        })
    }

    /// Does one thing; false when the server has closed.
    async fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Write(octets) => self.stream.write_all(octets).await.is_ok(),
            Step::Expect(code) => {
                while let Some(found) = self.reply().await {
                    if found == *code {
                        return true;
                    }
                }
                false
            }
            Step::Flood(octets, times) => {
                for _ in 0..*times {
                    if self.stream.write_all(octets).await.is_err() || !self.listen() {
                        return false;
                    }
                }
                true
            }
            Step::FloodDeaf(octets, times) => {
                for _ in 0..*times {
                    let written = tokio::time::timeout(PATIENCE / 2, self.stream.write_all(octets));
                    if !matches!(written.await, Ok(Ok(()))) {
                        return false;
                    }
                }
                true
            }
            Step::Drip(octets) => loop {
                for octet in octets {
                    if self.stream.write_all(&[*octet]).await.is_err() || !self.listen() {
                        return false;
                    }
                    tokio::time::sleep(GAP).await;
                }
            },
            Step::CloseWriting => self.stream.shutdown().await.is_ok(),
        }
    }

    /// Takes in what the server has said by now; false when it has closed.
    fn listen(&mut self) -> bool {
        let mut block = [0; 4096];
        loop {
            match self.stream.try_read(&mut block) {
                Ok(0) => return false,
                Ok(octets) => self.heard.extend_from_slice(&block[..octets]),
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    }

    /// The next reply's code.
    async fn reply(&mut self) -> Option<u16> {
        loop {
            while let Some(end) = self.heard.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line).into_owned();
                if text.as_bytes().get(3) != Some(&b'-') {
                    self.last = text
                        .get(..3)
                        .and_then(|code| code.parse().ok())
                        .unwrap_or(0);
                    return Some(self.last);
                }
            }
            if !self.read().await {
                return None;
            }
        }
    }

    async fn read(&mut self) -> bool {
        let mut block = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut block)).await;
        match read {
            Ok(Ok(octets @ 1..)) => self.heard.extend_from_slice(&block[..octets]),
            Ok(Ok(0) | Err(_)) | Err(_) => return false,
        }
        true
    }

    /// Reads until the server closes; whether it did.
    async fn drain(&mut self) -> bool {
        let reading = async { while self.reply().await.is_some() {} };
        tokio::time::timeout(PATIENCE, reading).await.is_ok()
    }
}

/// The memory of a process in use, in octets.
fn memory(server: &Instance) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// That the log has no control character but the ends of its lines.
fn assert_clean(log: &str) {
    let raw = log.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(raw, None, "a raw control character in the log");
    assert!(
        !log.contains(['\u{202e}', '\u{2028}']),
        "a raw mark in the log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_clients_get_what_they_deserve_and_disturb_nobody() {
    let lab = Lab::new("").await;
    let setup = Setup {
        relay: "networks = []",
        tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\nusers = [\"anne\", \"good\"]",
        limits: "command_timeout = \"2s\"\ndata_timeout = \"2s\"\nmessage_timeout = \"10s\"\nsession_timeout = \"20s\"\n\
                 message_size = \"64 KiB\"\nconnections_per_address = 1000",
        ..Setup::default()
    };
    let server = Arc::new(Instance::start(&lab, &setup).await);
    let before = memory(&server);
    let hostile = clients("anne@here.test", MAX_MESSAGE);
    let count = hostile.len();
    let playing: Vec<_> = hostile
        .into_iter()
        .map(|client| {
            let address = server.address();
            tokio::spawn(async move { Conversation::open(address).await.play(&client).await })
        })
        .collect();
    let over = Arc::new(AtomicBool::new(false));
    let good = tokio::spawn({
        let (server, over) = (Arc::clone(&server), Arc::clone(&over));
        async move {
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) || sent < 20 {
                server
                    .send(
                        "a@client.test",
                        &["good@here.test"],
                        "Subject: good\n\nmail\n",
                    )
                    .await;
                sent += 1;
            }
            sent
        }
    });
    let mut wrong = Vec::new();
    for playing in playing {
        wrong.extend(
            tokio::time::timeout(2 * PATIENCE, playing)
                .await
                .unwrap()
                .unwrap(),
        );
    }
    over.store(true, Ordering::Relaxed);
    let sent = in_time(good).await.unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    server.letters("good", sent);
    assert!(
        server.mailbox("anne").is_empty(),
        "nothing hostile was taken"
    );
    let grown = memory(&server).saturating_sub(before);
    assert!(grown <= MAX_GROWTH, "{} KiB", grown >> 10);
    assert_clean(&server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_get_the_verdicts_they_deserve_and_disturb_nobody() {
    let lab = Lab::new("").await;
    let all: Vec<HostileRemote> = remotes();
    let mut peers = Vec::new();
    let mut routes = String::new();
    for (number, remote) in all.iter().enumerate() {
        let peer = Peer::start(remote.script.clone()).await.unwrap();
        routes += &format!(
            "[[route]]\nmatch = \"d{number}.test\"\nnext_hop = \"{}\"\n",
            peer.address()
        );
        peers.push(peer);
    }
    let good = Peer::start(Script::accept_all()).await.unwrap();
    routes += &format!(
        "[[route]]\nmatch = \"good.test\"\nnext_hop = \"{}\"\n",
        good.address()
    );
    let setup = Setup {
        delivery: "retry = [\"1h\"]",
        ..Setup::default()
    };
    let mut server = Instance::prepare(&lab, &setup);
    let config = fs::read_to_string(server.config()).unwrap();
    fs::write(server.config(), format!("{config}{routes}")).unwrap();
    server.launch().await;
    let before = memory(&server);
    for number in 0..all.len() {
        let to = format!("x@d{number}.test");
        server
            .send("anne@here.test", &[&to], "Subject: x\n\ny\n")
            .await;
        if number % 4 == 0 {
            server
                .send(
                    "anne@here.test",
                    &["y@good.test"],
                    "Subject: good\n\nmail\n",
                )
                .await;
        }
    }
    let goods = all.len().div_ceil(4);
    in_time(good.wait_for(goods)).await;
    let of = |fate| {
        all.iter()
            .enumerate()
            .filter(move |(_, remote)| remote.fate == fate)
    };
    let reports = server.letters("anne", of(Fate::Bounced).count());
    until("the delivered have left the queue", || {
        (server.queue().len() <= of(Fate::Deferred).count()).then_some(())
    });
    let queue = format!("{:?}", server.queue());
    let told: String = reports.iter().map(crate::letter::Letter::machine).collect();
    for (number, remote) in all.iter().enumerate() {
        let address = format!("x@d{number}.test");
        let fate = match (queue.contains(&address), told.contains(&address)) {
            (true, false) => Fate::Deferred,
            (false, true) => Fate::Bounced,
            (false, false) => Fate::Delivered,
            (true, true) => panic!("{}: bounced and still queued", remote.name),
        };
        assert_eq!(fate, remote.fate, "{}", remote.name);
    }
    let grown = memory(&server).saturating_sub(before);
    assert!(grown <= MAX_GROWTH, "{} KiB", grown >> 10);
    assert_clean(&server.log());
    for report in &reports {
        let raw = report
            .text()
            .chars()
            .find(|c| c.is_control() && !"\r\n\t".contains(*c));
        assert_eq!(raw, None, "a raw control character in a report");
    }
}
