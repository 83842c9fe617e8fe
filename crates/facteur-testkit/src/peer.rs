//! A scripted SMTP or LMTP server: answers as a test says, misbehaves as a test says, keeps what it got.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use facteur_mail::Clock as _;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream,
};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::ManualClock;
use crate::script::{Act, Script};

/// The longest line and the largest message that a peer takes, in octets: a test that goes wrong must end.
const MAX_LINE: u64 = 65_536;
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// How much a connection in memory buffers, in octets: little, so that whoever does not read stops the other one.
const BUFFER: usize = 8 * 1024;

/// How slowly octets drip by the real clock, and by a manual one.
const DRIP: Duration = Duration::from_millis(50);
const MANUAL_DRIP: Duration = Duration::from_secs(60);

/// A server on loopback, or in memory. Dropped, it stops listening and drops its connections.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    state: Arc<State>,
    listener: Option<JoinHandle<()>>,
}

/// A message that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What EHLO, HELO or LHLO said.
    pub helo: String,
    /// The MAIL command's line.
    pub mail: String,
    /// The lines of the RCPT commands that were accepted.
    pub rcpts: Vec<String>,
    /// The octets between 354 and the final `.`, as they came, dots stuffed; with BDAT, the chunks.
    pub wire: Vec<u8>,
    /// The message, dot-stuffing undone.
    pub content: Vec<u8>,
    /// What the peer answered to its end: one reply, or with LMTP one for each recipient.
    pub answers: Vec<String>,
}

#[derive(Debug)]
struct State {
    script: Mutex<Script>,
    /// By what octets drip, where it is not the real clock.
    clock: Option<ManualClock>,
    record: Mutex<Record>,
    /// Counts the messages that came to their end, for those who wait for them.
    ended: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Record {
    received: Vec<Received>,
    /// The lines of each connection, commands only.
    sessions: Vec<Vec<String>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Peer {
    /// A server on 127.0.0.1, at a port of the system's choice.
    ///
    /// # Errors
    /// As [`TcpListener::bind`].
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_at(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), script).await
    }

    /// A server at this address: several peers share a port on 127.0.0.1, 127.0.0.2, …
    ///
    /// # Errors
    /// As [`TcpListener::bind`].
    pub async fn start_at(address: SocketAddr, script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(script, None));
        let listener = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            listener: Some(listener),
        })
    }

    /// A server that is reached by [`Peer::connect`] alone, whose slowness is the clock's.
    #[must_use]
    pub fn in_memory(script: Script, clock: ManualClock) -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            state: Arc::new(State::new(script, Some(clock))),
            listener: None,
        }
    }

    /// A connection in memory. To be called within a tokio runtime.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        converse(theirs, &self.state);
        ours
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what it does from the next command on.
    pub fn set_script(&self, script: Script) {
        *lock(&self.state.script) = script;
    }

    /// Every message that came to its end, refused ones included.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state.record).received.clone()
    }

    /// The messages that at least one 2yz answered.
    #[must_use]
    pub fn accepted(&self) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|message| message.answers.iter().any(|answer| answer.starts_with('2')));
        received
    }

    /// The command lines of each connection, in the order of the connections.
    #[must_use]
    pub fn sessions(&self) -> Vec<Vec<String>> {
        lock(&self.state.record).sessions.clone()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.state.record).sessions.len()
    }

    /// Waits until `count` messages have come to their end, refused ones included, and returns them.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut ended = self.state.ended.subscribe();
        // The sender lives in `self.state`: this cannot fail.
        let _ended = ended.wait_for(|ended| *ended >= count).await;
        self.received()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
        for task in &lock(&self.state.record).tasks {
            task.abort();
        }
    }
}

impl State {
    fn new(script: Script, clock: Option<ManualClock>) -> Self {
        Self {
            script: Mutex::new(script),
            clock,
            record: Mutex::default(),
            ended: watch::Sender::new(0),
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Only slower without.
        drop(stream.set_nodelay(true));
        converse(stream, &state);
    }
}

/// Serves a connection in a task of its own.
fn converse<S>(stream: S, state: &Arc<State>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let session = {
        let mut record = lock(&state.record);
        record.sessions.push(Vec::new());
        record.sessions.len() - 1
    };
    let connection = Connection {
        stream: BufReader::new(stream),
        state: Arc::clone(state),
        session,
        transaction: Transaction::default(),
        helo: String::new(),
    };
    let task = tokio::spawn(async move {
        // A client that goes away is what many tests are about.
        let _ended: io::Result<()> = connection.run().await;
    });
    lock(&state.record).tasks.push(task);
}

struct Connection<S> {
    stream: BufReader<S>,
    state: Arc<State>,
    session: usize,
    transaction: Transaction,
    helo: String,
}

#[derive(Default)]
struct Transaction {
    mail: String,
    rcpts: Vec<String>,
    /// What BDAT has brought so far.
    chunks: Vec<u8>,
}

/// Whether the connection goes on.
enum Flow {
    Next,
    End,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Connection<S> {
    async fn run(mut self) -> io::Result<()> {
        let greeting = self.act(Script::GREETING);
        if let (Flow::End, _) = self.perform(greeting).await? {
            return Ok(());
        }
        while let Some(line) = self.line().await? {
            if let Flow::End = self.command(line).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn command(&mut self, line: String) -> io::Result<Flow> {
        if let Some(lines) = lock(&self.state.record).sessions.get_mut(self.session) {
            lines.push(line.clone());
        }
        let verb = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        if verb == "BDAT" && lock(&self.state.script).knows_bdat() {
            return self.bdat(&line).await;
        }
        let act = self.act(&line);
        let (flow, reply) = self.perform(act).await?;
        if let Flow::End = flow {
            return Ok(Flow::End);
        }
        let accepted = reply.starts_with('2');
        match verb.as_str() {
            "EHLO" | "HELO" | "LHLO" => {
                self.helo = line
                    .split_once(' ')
                    .map_or("", |(_, name)| name)
                    .trim()
                    .to_owned();
                self.transaction = Transaction::default();
            }
            "RSET" => self.transaction = Transaction::default(),
            "MAIL" if accepted => self.transaction.mail = line,
            "RCPT" if accepted => self.transaction.rcpts.push(line),
            "DATA" if reply.starts_with('3') => return self.data().await,
            "QUIT" if accepted => return Ok(Flow::End),
            _ => {}
        }
        Ok(Flow::Next)
    }

    /// Reads to CRLF.CRLF and answers.
    async fn data(&mut self) -> io::Result<Flow> {
        if let Flow::End = self.content_begins().await? {
            return Ok(Flow::End);
        }
        let mut wire = Vec::new();
        let mut content = Vec::new();
        loop {
            let start = wire.len();
            let limit = u64::try_from(MAX_MESSAGE).unwrap_or(u64::MAX);
            let mut part = (&mut self.stream).take(limit);
            if part.read_until(b'\n', &mut wire).await? == 0 || wire.len() > MAX_MESSAGE {
                return Ok(Flow::End);
            }
            let after_crlf = start == 0 || wire.get(..start).is_some_and(|w| w.ends_with(b"\r\n"));
            let line = wire.get(start..).unwrap_or_default();
            if after_crlf && line == b".\r\n" {
                wire.truncate(start);
                return self.end(wire, content).await;
            }
            let stuffed = after_crlf && line.starts_with(b".");
            content.extend_from_slice(line.get(usize::from(stuffed)..).unwrap_or_default());
        }
    }

    async fn content_begins(&mut self) -> io::Result<Flow> {
        let act = lock(&self.state.script).content_act();
        match act {
            Some(act) => Ok(self.perform(act).await?.0),
            None => Ok(Flow::Next),
        }
    }

    /// Reads a chunk and answers. (RFC 3030 §2)
    async fn bdat(&mut self, line: &str) -> io::Result<Flow> {
        if let Flow::End = self.content_begins().await? {
            return Ok(Flow::End);
        }
        let mut words = line.split(' ').skip(1);
        let size: u64 = words.next().and_then(|size| size.parse().ok()).unwrap_or(0);
        let last = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("LAST"));
        let mut chunk = (&mut self.stream).take(size);
        chunk.read_to_end(&mut self.transaction.chunks).await?;
        if last {
            let content = std::mem::take(&mut self.transaction.chunks);
            return self.end(content.clone(), content).await;
        }
        let act = self.act(line);
        Ok(self.perform(act).await?.0)
    }

    /// Answers to a message's end, once, or with LMTP once for each recipient, then records it.
    async fn end(&mut self, wire: Vec<u8>, content: Vec<u8>) -> io::Result<Flow> {
        let transaction = std::mem::take(&mut self.transaction);
        let lmtp = lock(&self.state.script).is_lmtp();
        let count = if lmtp { transaction.rcpts.len() } else { 1 };
        let acts: Vec<Act> = (0..count).map(|_| self.act(Script::END)).collect();
        // Recorded before it is answered: who has seen the answer finds the message.
        let answers = acts.iter().map(|act| act.reply().to_owned()).collect();
        lock(&self.state.record).received.push(Received {
            helo: self.helo.clone(),
            mail: transaction.mail,
            rcpts: transaction.rcpts,
            wire,
            content,
            answers,
        });
        self.state.ended.send_modify(|ended| *ended += 1);
        for act in acts {
            if let (Flow::End, _) = self.perform(act).await? {
                return Ok(Flow::End);
            }
        }
        Ok(Flow::Next)
    }

    fn act(&self, line: &str) -> Act {
        lock(&self.state.script).act(line)
    }

    /// Performs an act and returns what was replied.
    async fn perform(&mut self, act: Act) -> io::Result<(Flow, String)> {
        match act {
            Act::Reply(text) => {
                self.write(wire_form(&text).as_bytes()).await?;
                Ok((Flow::Next, text))
            }
            Act::ReplyThenClose(text) => {
                self.write(wire_form(&text).as_bytes()).await?;
                self.stream.get_mut().shutdown().await?;
                self.drain().await?;
                Ok((Flow::End, text))
            }
            Act::Close => Ok((Flow::End, String::new())),
            Act::Silence => {
                self.drain().await?;
                Ok((Flow::End, String::new()))
            }
            Act::Raw(octets) => {
                self.write(&octets).await?;
                Ok((Flow::Next, String::new()))
            }
            Act::Endless(line) => {
                let line = format!("{line}\r\n").repeat(100);
                loop {
                    self.write(line.as_bytes()).await?;
                }
            }
            Act::Flood(octet) => {
                let octets = [octet; 4096];
                loop {
                    self.write(&octets).await?;
                }
            }
            Act::Drip(text) => loop {
                for octet in text.as_bytes() {
                    self.pause().await;
                    self.write(&[*octet]).await?;
                }
            },
            Act::Deaf => std::future::pending().await,
        }
    }

    /// The time between two drops.
    async fn pause(&mut self) {
        match &self.state.clock {
            Some(clock) => clock.sleep_until(clock.now().after(MANUAL_DRIP)).await,
            None => tokio::time::sleep(DRIP).await,
        }
    }

    async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(octets).await
    }

    /// Reads until the client closes: an earlier close would reset what it has not read yet.
    async fn drain(&mut self) -> io::Result<()> {
        let mut void = [0; 8192];
        while self.stream.read(&mut void).await? > 0 {}
        Ok(())
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        (&mut self.stream)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .await?;
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// Lines as they go out, each with its CRLF.
fn wire_form(text: &str) -> String {
    text.lines().map(|line| format!("{line}\r\n")).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
