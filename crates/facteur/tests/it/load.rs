//! Mail under which a server is killed, cut off and starved, and the books that are kept of it: every message can be
//! told from every other by its name, and its content follows from its name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use facteur_testkit::{Client, Peer};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::instance::{Instance, PATIENCE, accepted, until};
use crate::letter::Letter;
use crate::talk::{in_time, stuffed};

/// The zone for it: one recipient has a Maildir here, the other is at the next server.
pub(crate) const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2";

/// The commands before a content. What may be refused comes by itself: behind it, the others would be errors.
const MAIL: &str = "MAIL FROM:<a@client.test>\r\n";
const GROUP: &str = "RCPT TO:<anne@here.test>\r\nRCPT TO:<x@far.test>\r\nDATA\r\n";

/// One message in so many is larger than what the log itself takes.
const LARGE: u32 = 40;

/// The pause of a session that was refused.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// Waits until everything has been delivered, however much it is: only a queue that no longer gets shorter is waited for
/// in vain.
pub(crate) fn drained(server: &Instance) {
    let mut shortest = usize::MAX;
    while shortest > 0 {
        shortest = until("a shorter queue", || {
            let left = server.queue().len();
            (left < shortest).then_some(left)
        });
    }
}

/// How many rounds to play: few in every run of the tests, as many as were asked for by `cargo xtask faults`.
pub(crate) fn rounds(few: u32) -> u32 {
    let asked = std::env::var("FACTEUR_FAULT_ROUNDS").ok();
    asked.and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// Sessions that send one message after the other.
pub(crate) struct Load {
    shared: Arc<Shared>,
    sessions: Vec<JoinHandle<Sent>>,
}

#[derive(Default)]
struct Shared {
    taken: AtomicU32,
    refused: AtomicU32,
    stop: AtomicBool,
}

/// What sessions have seen.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// The names of the messages that were answered with 250.
    pub(crate) acknowledged: Vec<String>,
    /// Replies that were refusals.
    pub(crate) refusals: Vec<String>,
}

impl Sent {
    /// Adds what others have seen.
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.refusals.extend(other.refusals);
    }
}

impl Load {
    /// Starts so many sessions; `name` tells their messages from all others.
    pub(crate) fn start(server: SocketAddr, name: &str, sessions: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let sessions = (0..sessions)
            .map(|session| {
                let name = format!("{name}s{session}");
                tokio::spawn(send(server, name, Arc::clone(&shared)))
            })
            .collect();
        Self { shared, sessions }
    }

    /// How many messages were answered with 250 so far.
    pub(crate) fn taken(&self) -> u32 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// How many refusals there were so far.
    pub(crate) fn refused(&self) -> u32 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Lets the sessions end after the message they are at, or when they have lost their connection.
    pub(crate) async fn end(self) -> Sent {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut sent = Sent::default();
        for session in self.sessions {
            sent.add(in_time(session).await.unwrap());
        }
        sent
    }
}

/// Why a session does not go on.
struct Lost;

async fn send(server: SocketAddr, name: String, shared: Arc<Shared>) -> Sent {
    let mut sent = Sent::default();
    let Ok(mut client) = Client::connect(server).await else {
        return sent;
    };
    if client.reply().await.is_err() || client.say("EHLO client.test").await.is_err() {
        return sent;
    }
    for number in 0_u32.. {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("{name}n{number}");
        match transaction(&mut client, &name).await {
            Ok(None) => {
                sent.acknowledged.push(name);
                shared.taken.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Some(refusal)) => {
                sent.refusals.push(refusal);
                shared.refused.fetch_add(1, Ordering::Relaxed);
                sleep(AFTER_REFUSAL).await;
                if exchange(&mut client, b"RSET\r\n", 1).await.is_err() {
                    break;
                }
            }
            Err(Lost) => break,
        }
    }
    sent
}

/// Sends one message; returns the first refusal, if there is one.
async fn transaction(client: &mut Client<TcpStream>, name: &str) -> Result<Option<String>, Lost> {
    for (commands, replies) in [(MAIL, 1), (GROUP, 3)] {
        let refusal = exchange(client, commands.as_bytes(), replies).await?;
        if refusal.is_some() {
            return Ok(refusal);
        }
    }
    exchange(client, &stuffed(message(name).as_bytes()), 1).await
}

/// Sends octets and reads so many replies; returns the first refusal among them.
async fn exchange(
    client: &mut Client<TcpStream>,
    octets: &[u8],
    replies: u32,
) -> Result<Option<String>, Lost> {
    client.send_raw(octets).await.map_err(|_| Lost)?;
    let mut refusal = None;
    for _ in 0..replies {
        let reply = timeout(PATIENCE, client.reply()).await.expect("no reply");
        let reply = reply.map_err(|_| Lost)?;
        if reply.code == 421 {
            return Err(Lost);
        }
        if reply.code >= 400 {
            refusal.get_or_insert_with(|| reply.to_string());
        }
    }
    Ok(refusal)
}

/// The message of this name, as it is sent.
fn message(name: &str) -> String {
    let number = name.rsplit('n').next().unwrap();
    let number: u32 = number.parse().unwrap();
    let lines = if number % LARGE == LARGE - 1 {
        5_000
    } else {
        number * 37 % 400
    };
    let line = format!("{:x<70}\r\n", format!("{name} "));
    format!(
        "Subject: {name}\r\n\r\n{}",
        line.repeat(usize::try_from(lines).unwrap())
    )
}

/// What arrived, beside what was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Acknowledged, and missing in the Maildir or at the next server.
    pub(crate) lost: Vec<String>,
    /// Arrived, and not as it was sent.
    pub(crate) damaged: Vec<String>,
    /// How often messages came to the next server again.
    pub(crate) repeated: u32,
    /// How often messages came into the Maildir again.
    pub(crate) repeated_in_mailbox: u32,
}

impl Books {
    /// Compares when everything has been delivered.
    pub(crate) fn of(server: &Instance, peer: &Peer, acknowledged: &[String]) -> Self {
        let mut books = Self::default();
        let boxes = books.count(server.mailbox("anne").into_iter());
        let sent = accepted(peer).into_iter();
        let relayed = books.count(sent.map(|message| Letter::new(message.content)));
        let lost: BTreeSet<&String> = acknowledged
            .iter()
            .filter(|name| !boxes.contains_key(*name) || !relayed.contains_key(*name))
            .collect();
        books.lost = lost.into_iter().cloned().collect();
        books.repeated = relayed.values().map(|times| times - 1).sum();
        books.repeated_in_mailbox = boxes.values().map(|times| times - 1).sum();
        books
    }

    /// Whether no acknowledged message is missing, and each came as it was sent.
    pub(crate) fn assert_whole(&self) {
        assert_eq!(self.lost, [""; 0], "acknowledged and lost");
        assert_eq!(self.damaged, [""; 0], "damaged and delivered");
    }

    /// How often each message is there.
    fn count(&mut self, letters: impl Iterator<Item = Letter>) -> BTreeMap<String, u32> {
        let mut found = BTreeMap::new();
        for letter in letters {
            let name = letter.field("subject").unwrap_or_default();
            let is_whole = name.contains('n') && {
                let text = String::from_utf8_lossy(letter.content()).replace("\r\n", "\n");
                text == message(&name).replace("\r\n", "\n")
            };
            if !is_whole {
                self.damaged.push(name.clone());
            }
            *found.entry(name).or_insert(0) += 1;
        }
        found
    }
}
