//! A network in memory for the tests of attempts: scripted servers behind the [`Transport`] trait, no sockets.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use facteur_mail::Clock;
use facteur_testkit::ManualClock;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

use crate::transport::{Connecting, Endpoint, Stream, Transport};

/// How much a connection buffers, in octets: little, so that whoever does not read stops the other one.
const BUFFER: usize = 8 * 1024;

/// Servers by address. Where there is none, connections are refused.
#[derive(Clone, Default)]
pub(super) struct Net(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    servers: HashMap<SocketAddr, Script>,
    log: Vec<String>,
    contents: Vec<String>,
    connections: usize,
}

/// What a server says, by the first word of what it hears. Several answers to one word are given in turn, the last one
/// for ever. `!close` closes, `!silent` says nothing more, `!drip` says `250-` an octet a minute, `!endless` repeats a
/// line for ever; `!stop` reads no content, says `552` and closes.
#[derive(Clone, Default)]
pub(super) struct Script {
    answers: HashMap<&'static str, Vec<&'static str>>,
    lmtp: bool,
    deaf: bool,
    /// It knows BDAT.
    chunks: bool,
}

/// A server that takes everything, with PIPELINING.
pub(super) fn server() -> Script {
    Script::default()
        .on("<greeting>", &["220 mx.test"])
        .on("EHLO", &["250-mx.test\r\n250 PIPELINING"])
        .on("LHLO", &["250-mx.test\r\n250 PIPELINING"])
        .on("MAIL", &["250 sender ok"])
        .on("RCPT", &["250 recipient ok"])
        .on("DATA", &["354 go on"])
        .on(".", &["250 taken"])
        .on("RSET", &["250 reset"])
        .on("QUIT", &["221 bye"])
}

/// A server that never answers a connection.
pub(super) fn deaf() -> Script {
    Script {
        deaf: true,
        ..Script::default()
    }
}

impl Script {
    pub(super) fn on(mut self, word: &'static str, answers: &[&'static str]) -> Self {
        self.answers.insert(word, answers.to_vec());
        self
    }

    /// It offers CHUNKING and knows BDAT, to which it answers as to the final dot.
    pub(super) fn chunking(mut self) -> Self {
        self.chunks = true;
        self.offers_chunking()
    }

    /// It offers CHUNKING; a chunk it takes for commands.
    pub(super) fn offers_chunking(self) -> Self {
        self.on("EHLO", &["250-mx.test\r\n250-PIPELINING\r\n250 CHUNKING"])
    }

    pub(super) fn lmtp(mut self) -> Self {
        self.lmtp = true;
        self
    }

    fn answer(&mut self, word: &str) -> &'static str {
        let answers = self.answers.get_mut(word);
        answers.map_or("500 what", |answers| match answers.as_slice() {
            [only] => only,
            _ => answers.remove(0),
        })
    }
}

impl Net {
    pub(super) fn serve(&self, address: &str, script: Script) {
        let mut state = self.0.lock().unwrap();
        state.servers.insert(address.parse().unwrap(), script);
    }

    /// What the servers heard, `N WORD…` for connection number N; content is left out.
    pub(super) fn log(&self) -> Vec<String> {
        self.0.lock().unwrap().log.clone()
    }

    /// How often a line that starts with `word` was heard.
    pub(super) fn count(&self, word: &str) -> usize {
        let heard = |line: &&String| line.split_once(' ').unwrap().1.starts_with(word);
        self.log().iter().filter(heard).count()
    }

    /// Content that came to its end, dots still stuffed.
    pub(super) fn contents(&self) -> Vec<String> {
        self.0.lock().unwrap().contents.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.0.lock().unwrap().connections
    }
}

/// The network as a sender uses it.
pub(super) struct Wires(pub(super) Net, pub(super) ManualClock);

impl Transport for Wires {
    fn connect<'a>(&'a self, to: &'a Endpoint) -> Connecting<'a> {
        let Endpoint::Tcp(address) = to else {
            panic!("the tests have no Unix sockets");
        };
        let mut state = self.0.0.lock().unwrap();
        state.connections += 1;
        let number = state.connections;
        let Some(script) = state.servers.get(address) else {
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        };
        if script.deaf {
            return Box::pin(std::future::pending());
        }
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        let session = Session {
            net: self.0.clone(),
            clock: self.1.clone(),
            address: *address,
            number,
            accepted: 0,
            stream: BufReader::new(theirs),
        };
        tokio::spawn(session.run());
        Box::pin(async move { Ok(Box::new(ours) as Stream) })
    }
}

struct Session {
    net: Net,
    clock: ManualClock,
    address: SocketAddr,
    number: usize,
    accepted: usize,
    stream: BufReader<DuplexStream>,
}

impl Session {
    async fn run(mut self) {
        let mut word = "<greeting>".to_owned();
        loop {
            let chunk = word
                .strip_prefix("BDAT ")
                .and_then(|size| size.parse().ok());
            if let Some(size) = chunk {
                if self.chunk(size).await.is_none() || self.hear(&mut word).await.is_none() {
                    return;
                }
                continue;
            }
            let answer = self.script(|script| script.answer(&word));
            if self.say(answer).await.is_none() || word == "QUIT" {
                return;
            }
            match word.as_str() {
                "MAIL" => self.accepted = 0,
                "RCPT" if answer.starts_with('2') => self.accepted += 1,
                "DATA" if answer.starts_with('3') && self.content().await.is_none() => return,
                _ => {}
            }
            if self.hear(&mut word).await.is_none() {
                return;
            }
        }
    }

    /// The next command; of a BDAT that is known, its size too.
    async fn hear(&mut self, word: &mut String) -> Option<()> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        let known = line.starts_with("BDAT ") && self.script(|script| script.chunks);
        let words = if known { 2 } else { 1 };
        *word = line.split(' ').take(words).collect::<Vec<_>>().join(" ");
        let mut state = self.net.0.lock().unwrap();
        state.log.push(format!("{} {line}", self.number));
        Some(())
    }

    /// Reads the only chunk of a message and answers.
    async fn chunk(&mut self, size: usize) -> Option<()> {
        let mut content = vec![0; size];
        self.stream.read_exact(&mut content).await.ok()?;
        self.end(&content).await
    }

    /// Reads to the final dot and answers; with LMTP once for each accepted recipient.
    async fn content(&mut self) -> Option<()> {
        let mut content = Vec::new();
        while !(content == b".\r\n" || content.ends_with(b"\r\n.\r\n")) {
            if self
                .stream
                .read_until(b'\n', &mut content)
                .await
                .unwrap_or(0)
                == 0
            {
                return None;
            }
        }
        content.truncate(content.len() - 3);
        self.end(&content).await
    }

    async fn end(&mut self, content: &[u8]) -> Option<()> {
        let lmtp = self.script(|script| script.lmtp);
        let text = String::from_utf8_lossy(content).into_owned();
        self.net.0.lock().unwrap().contents.push(text);
        for _ in 0..if lmtp { self.accepted } else { 1 } {
            let answer = self.script(|script| script.answer("."));
            self.say(answer).await?;
        }
        Some(())
    }

    /// Says it; `None` when nothing more is to be said.
    async fn say(&mut self, answer: &str) -> Option<()> {
        match answer {
            "!close" => return None,
            "!silent" => {
                // Until the other side goes away.
                self.stream.read_to_end(&mut Vec::new()).await.ok()?;
                return None;
            }
            "!drip" => loop {
                for octet in b"250-drop by drop\r\n" {
                    let minute = self.clock.now().after(Duration::from_secs(60));
                    self.clock.sleep_until(minute).await;
                    self.stream.write_all(&[*octet]).await.ok()?;
                }
            },
            "!endless" => loop {
                self.stream.write_all(b"250-and so on\r\n").await.ok()?;
            },
            "!stop" => {
                self.stream.write_all(b"354 go on\r\n").await.ok()?;
                self.stream.write_all(b"552 5.3.4 too big\r\n").await.ok()?;
                return None;
            }
            text => self
                .stream
                .write_all(format!("{text}\r\n").as_bytes())
                .await
                .ok()?,
        }
        // As 421 does.
        (!answer.starts_with("421")).then_some(())
    }

    fn script<T>(&self, ask: impl FnOnce(&mut Script) -> T) -> T {
        ask(self
            .net
            .0
            .lock()
            .unwrap()
            .servers
            .get_mut(&self.address)
            .unwrap())
    }
}
