//! A visit to another server: it hears commands, answers as its mood is, and writes down what it got.

use std::sync::Arc;

use facteur_mail::QueueId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::books::Copy;
use crate::mood::{Mood, Trouble};
use crate::net::Host;
use crate::wire::Line;
use crate::world::{World, lock};

/// The longest line and the largest content that a host reads, in octets.
const MOST: usize = 1_000_000;

/// A connection, seen from the host.
pub(crate) struct Visit {
    world: Arc<World>,
    host: Arc<Host>,
    line: Arc<Line>,
    stream: DuplexStream,
    /// What was read and not looked at yet.
    read: Vec<u8>,
    /// Octets that were said.
    said: u64,
    in_transaction: bool,
    recipients: Vec<String>,
    /// What BDAT has brought.
    chunks: Vec<u8>,
    /// The message that came last.
    last: Option<QueueId>,
}

impl Visit {
    pub(crate) fn new(
        world: Arc<World>,
        host: Arc<Host>,
        line: Arc<Line>,
        stream: DuplexStream,
    ) -> Self {
        Self {
            world,
            host,
            line,
            stream,
            read: Vec::new(),
            said: 0,
            in_transaction: false,
            recipients: Vec::new(),
            chunks: Vec::new(),
            last: None,
        }
    }

    /// Until one of the two closes.
    pub(crate) async fn run(mut self) {
        let welcome = format!("220 {} ESMTP", self.host.name);
        if self.answer(&welcome).await.is_none() {
            return;
        }
        while let Some(line) = self.hear().await {
            if self.command(&line).await.is_none() {
                return;
            }
        }
    }

    /// One command; `None` when the connection is over.
    async fn command(&mut self, line: &str) -> Option<()> {
        let verb = line.split(' ').next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let offers = self.offers();
                self.answer(&offers).await?;
            }
            "HELO" | "NOOP" => {
                self.answer("250 fine").await?;
            }
            "RSET" => {
                self.reset();
                self.answer("250 fine").await?;
            }
            "MAIL" => {
                self.reset();
                self.in_transaction = self.answer("250 sender fine").await? == Answer::Yes;
            }
            "RCPT" => self.rcpt(line).await?,
            "DATA" => self.data().await?,
            "BDAT" => self.chunk(line).await?,
            "QUIT" => {
                self.say("221 bye").await?;
                return None;
            }
            _ => {
                let world = Arc::clone(&self.world);
                world.books().nonsense(&world, line);
                self.say("500 what").await?;
            }
        }
        Some(())
    }

    async fn rcpt(&mut self, line: &str) -> Option<()> {
        let address = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let world = Arc::clone(&self.world);
        world.books().is_asked(&world, &address);
        if !self.in_transaction {
            return self.say("503 5.5.1 MAIL first").await;
        }
        if self.recipients.len() >= self.mood().recipients {
            return self.say(self.too_many()).await;
        }
        match self.answer("250 recipient fine").await? {
            Answer::Yes => self.recipients.push(address),
            Answer::Never => {
                let copy = Copy::on(&self.line, Some(self.said), &world);
                world.books().refuses(&world, &address, None, copy);
            }
            Answer::Other => {}
        }
        Some(())
    }

    async fn data(&mut self) -> Option<()> {
        if self.recipients.is_empty() {
            return self.say("503 5.5.1 RCPT first").await;
        }
        if self.answer("354 go on").await? != Answer::Yes {
            return Some(());
        }
        let content = self.hear_content().await?;
        self.verdict(content).await
    }

    async fn chunk(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ').skip(1);
        let size: usize = words.next().and_then(|size| size.parse().ok())?;
        let is_last = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("LAST"));
        let chunk = self.hear_octets(size.min(MOST)).await?;
        if self.recipients.is_empty() {
            return self.say("503 5.5.1 RCPT first").await;
        }
        self.chunks.extend_from_slice(&chunk);
        if is_last {
            let content = std::mem::take(&mut self.chunks);
            self.verdict(content).await
        } else {
            self.answer("250 chunk fine").await.map(|_| ())
        }
    }

    /// All of a content is here: it is taken, or not.
    async fn verdict(&mut self, content: Vec<u8>) -> Option<()> {
        let world = Arc::clone(&self.world);
        let id = world.books().content_arrives(&world, &content);
        if let (Some(last), Some(next)) = (self.last, id) {
            world.books().next_on_line(&world, &self.line, last, next);
        }
        self.last = id;
        let recipients = std::mem::take(&mut self.recipients);
        self.in_transaction = false;
        let trouble = self.mood().trouble(&self.host.chance);
        if trouble == Some(Trouble::Forgets) {
            self.take(id, &recipients, None);
            world.tally().remote_faults += 1;
            return None;
        }
        // A content that carries no message of ours is nobody's to take.
        let answer = self.say_as(trouble, "250 2.0.0 taken").await?;
        match answer {
            Answer::Yes => self.take(id, &recipients, Some(self.said)),
            Answer::Never => {
                for address in &recipients {
                    let copy = Copy::on(&self.line, Some(self.said), &world);
                    world.books().refuses(&world, address, id, copy);
                }
            }
            Answer::Other => {}
        }
        Some(())
    }

    fn take(&self, id: Option<QueueId>, recipients: &[String], upto: Option<u64>) {
        let Some(id) = id else { return };
        for address in recipients {
            let copy = Copy::on(&self.line, upto, &self.world);
            self.world.books().takes(&self.world, id, address, copy);
        }
    }

    fn mood(&self) -> Mood {
        lock(&self.host.mood).clone()
    }

    fn offers(&self) -> String {
        let mood = self.mood();
        let mut offers = format!("250-{}", self.host.name);
        for (offered, keyword) in [
            (mood.pipelining, "PIPELINING"),
            (mood.chunking, "CHUNKING"),
            (mood.dsn, "DSN"),
        ] {
            if offered {
                offers.push_str("\r\n250-");
                offers.push_str(keyword);
            }
        }
        offers + "\r\n250 ENHANCEDSTATUSCODES"
    }

    fn reset(&mut self) {
        self.in_transaction = false;
        self.recipients.clear();
        self.chunks.clear();
    }

    fn too_many(&self) -> &'static str {
        let words = [
            "452 4.5.3 too many recipients",
            "552 5.5.3 too many recipients",
        ];
        self.host.chance.pick(&words).copied().unwrap_or_default()
    }

    /// Says yes, or whatever goes wrong.
    async fn answer(&mut self, yes: &str) -> Option<Answer> {
        let trouble = self.mood().trouble(&self.host.chance);
        self.say_as(trouble, yes).await
    }

    async fn say_as(&mut self, trouble: Option<Trouble>, yes: &str) -> Option<Answer> {
        let pause = self.mood().pause(&self.host.chance);
        self.world.pass(pause).await;
        let Some(trouble) = trouble else {
            self.say(yes).await?;
            return Some(Answer::Yes);
        };
        self.world.tally().remote_faults += 1;
        match trouble {
            Trouble::Later => self.say("450 4.2.0 later").await?,
            Trouble::Never => {
                self.say("550 5.7.1 never").await?;
                return Some(Answer::Never);
            }
            Trouble::TooMany => self.say(self.too_many()).await?,
            Trouble::Nonsense => {
                let words = [
                    "650 what",
                    "150 wait",
                    "354 go on",
                    "what?",
                    "450-one thing\r\n550 and another",
                ];
                let words = self.host.chance.pick(&words).copied().unwrap_or_default();
                self.say(words).await?;
                if words.starts_with("354") && yes.starts_with("354") {
                    return Some(Answer::Yes);
                }
            }
            Trouble::Closes => {
                self.say("421 4.3.2 closing").await?;
                return None;
            }
            Trouble::Silence => {
                let mut ignored = [0; 1_024];
                while self.stream.read(&mut ignored).await.ok()? > 0 {}
                return None;
            }
            Trouble::Resets => {
                self.line.reset();
                return None;
            }
            Trouble::Hangs | Trouble::Forgets => return None,
        }
        Some(Answer::Other)
    }

    async fn say(&mut self, text: &str) -> Option<()> {
        let octets = format!("{text}\r\n");
        self.stream.write_all(octets.as_bytes()).await.ok()?;
        self.said += u64::try_from(octets.len()).unwrap_or_default();
        Some(())
    }

    /// More octets; `None` at the end.
    async fn more(&mut self) -> Option<()> {
        let mut some = [0; 4_096];
        let octets = self.stream.read(&mut some).await.ok()?;
        self.read.extend_from_slice(some.get(..octets)?);
        (octets > 0 && self.read.len() < MOST).then_some(())
    }

    async fn hear(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                let text = String::from_utf8_lossy(&line);
                return Some(text.trim_end().to_owned());
            }
            self.more().await?;
        }
    }

    async fn hear_octets(&mut self, octets: usize) -> Option<Vec<u8>> {
        while self.read.len() < octets {
            self.more().await?;
        }
        Some(self.read.drain(..octets).collect())
    }

    /// To CRLF.CRLF, dots unstuffed.
    async fn hear_content(&mut self) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let Some(end) = self.read.windows(2).position(|two| two == b"\r\n") else {
                self.more().await?;
                continue;
            };
            let line: Vec<u8> = self.read.drain(..end + 2).collect();
            match line.strip_prefix(b".") {
                Some(b"\r\n") => return Some(content),
                Some(rest) => content.extend_from_slice(rest),
                None => content.extend_from_slice(&line),
            }
        }
    }
}

/// What a host has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    /// A 5yz that means it.
    Never,
    Other,
}
