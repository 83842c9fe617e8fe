//! A client: sends its letters, is cut off at times, and comes again after a 4yz or a lost connection.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Clock as _, QueueId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::chance::Chance;
use crate::laws::Law;
use crate::letter::{Letter, stuffed};
use crate::wire::Line;
use crate::world::World;

/// How often a letter is sent before the client gives up.
const MOST_ATTEMPTS: u32 = 12;

/// How long a client waits for a reply.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A client with letters to send.
pub(crate) struct Client {
    world: Arc<World>,
    ip: IpAddr,
    chance: Chance,
    letters: VecDeque<Letter>,
    /// How many of a thousand steps end the connection.
    clumsy: u64,
}

/// What became of a letter in a session.
enum Fate {
    /// Acknowledged, or refused for good: it is done with.
    Done,
    /// To be sent again.
    Again,
    /// To be sent again, and the connection is gone.
    Lost,
}

impl Client {
    pub(crate) fn new(
        world: &Arc<World>,
        number: u64,
        stranger: bool,
        letters: Vec<Letter>,
    ) -> Self {
        let place = u8::try_from(number % 80).unwrap_or_default();
        let ip = if stranger {
            Ipv4Addr::new(203, 0, 113, place)
        } else {
            Ipv4Addr::new(192, 0, 2, place)
        };
        let chance = world.chance(20_000 + number);
        Self {
            ip: ip.into(),
            clumsy: *chance.pick(&[0, 0, 10, 100]).unwrap_or(&0),
            chance,
            world: Arc::clone(world),
            letters: letters.into(),
        }
    }

    pub(crate) async fn run(mut self) {
        while !self.letters.is_empty() {
            if let Some((stream, line)) = self.world.knock(self.ip, &self.chance) {
                let mut session = Session {
                    world: Arc::clone(&self.world),
                    line,
                    stream,
                    heard: Vec::new(),
                };
                self.session(&mut session).await;
            }
            let wait = self.chance.seconds(5, 600);
            self.world.pass(wait).await;
        }
    }

    /// Sends as many letters as go over one connection.
    async fn session(&mut self, session: &mut Session) {
        let welcomed = session.reply().await.is_some_and(|(code, _)| code == 220);
        if !welcomed || session.say("EHLO client.test").await.is_none() {
            return;
        }
        if session.reply().await.is_none_or(|(code, _)| code != 250) {
            return;
        }
        for _ in 0..self.letters.len() {
            let Some(mut letter) = self.letters.pop_front() else {
                break;
            };
            letter.attempt += 1;
            let last = letter.attempt >= MOST_ATTEMPTS;
            let fate = self.send(session, &letter).await.unwrap_or(Fate::Lost);
            let lost = matches!(fate, Fate::Lost);
            if !matches!(fate, Fate::Done) && !last {
                self.letters.push_back(letter);
            }
            if lost {
                return;
            }
        }
        if session.say("QUIT").await.is_some() {
            session.reply().await;
        }
    }

    /// One transaction; `None` if the connection ends.
    async fn send(&self, session: &mut Session, letter: &Letter) -> Option<Fate> {
        self.stumble()?;
        session.say(&letter.mail()).await?;
        match session.reply().await? {
            (250, _) => {}
            (code, text) => return self.refused(session, letter, code, &text),
        }
        let mut accepted = Vec::new();
        let mut again = false;
        for (address, command) in letter.rcpts() {
            self.stumble()?;
            session.say(&command).await?;
            match session.reply().await? {
                (250, _) => accepted.push(address),
                (code, text) => {
                    again |= matches!(self.refused(session, letter, code, &text)?, Fate::Again);
                }
            }
        }
        if accepted.is_empty() {
            session.say("RSET").await?;
            session.reply().await?;
            return Some(if again { Fate::Again } else { Fate::Done });
        }
        self.stumble()?;
        session.say("DATA").await?;
        match session.reply().await? {
            (354, _) => {}
            (code, text) => return self.refused(session, letter, code, &text),
        }
        self.content(session, letter, accepted).await
    }

    async fn content(
        &self,
        session: &mut Session,
        letter: &Letter,
        accepted: Vec<String>,
    ) -> Option<Fate> {
        let content = letter.content(self.world.seed);
        let wire = stuffed(&content);
        self.world.books().sends(letter.name(), content, accepted);
        if self.chance.per_mille(self.clumsy) {
            let some = usize::try_from(self.chance.below(wire.len() as u64)).unwrap_or_default();
            session.put(wire.get(..some)?).await?;
            return None;
        }
        if self.chance.per_mille(100) {
            let half = wire.len() / 2;
            session.put(wire.get(..half)?).await?;
            self.world.pass(self.chance.seconds(1, 30)).await;
            session.line.set_awaits(true);
            session.put(wire.get(half..)?).await?;
        } else {
            session.line.set_awaits(true);
            session.put(&wire).await?;
        }
        self.stumble()?;
        let (code, text) = session.reply().await?;
        session.line.set_awaits(false);
        if code != 250 {
            return self.refused(session, letter, code, &text);
        }
        let id = text.split_whitespace().last().and_then(QueueId::parse);
        let name = letter.name();
        self.world.note(format_args!(
            "client: {} is acknowledged: {text}",
            name.text()
        ));
        self.world
            .books()
            .acknowledged(&self.world, name, id.unwrap_or(QueueId::from_number(0)));
        Some(Fate::Done)
    }

    /// What a reply that is no yes means. For good it must be about DNS, as nothing else is wrong with a letter.
    fn refused(&self, session: &Session, letter: &Letter, code: u16, text: &str) -> Option<Fate> {
        let name = letter.name().text();
        self.world.note(format_args!(
            "client: {name} #{} is refused: {code} {text}",
            session.line.number
        ));
        match code {
            421 => None,
            400..=499 => Some(Fate::Again),
            _ => {
                let of_dns = ["5.1.10", "5.1.2", "5.7.27"]
                    .iter()
                    .any(|known| text.starts_with(known));
                if !of_dns {
                    let what = format!("{name} is refused for good: {code} {text}");
                    let world = &self.world;
                    world
                        .books()
                        .broken(world, Law::ShortageIsNotFinal, what, vec![name]);
                }
                Some(Fate::Done)
            }
        }
    }

    /// Ends the connection, at times.
    fn stumble(&self) -> Option<()> {
        (!self.chance.per_mille(self.clumsy)).then_some(())
    }
}

/// A connection to the server, seen from the client.
struct Session {
    world: Arc<World>,
    line: Arc<Line>,
    stream: DuplexStream,
    heard: Vec<u8>,
}

impl Session {
    async fn say(&mut self, command: &str) -> Option<()> {
        self.put(format!("{command}\r\n").as_bytes()).await
    }

    async fn put(&mut self, octets: &[u8]) -> Option<()> {
        self.stream.write_all(octets).await.ok()
    }

    /// The next reply: its code and the text of its last line.
    async fn reply(&mut self) -> Option<(u16, String)> {
        loop {
            let line = self.line().await?;
            if line.get(3..4) != Some("-") {
                let code = line.get(..3)?.parse().ok()?;
                return Some((code, line.get(4..).unwrap_or_default().to_owned()));
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut give_up = self
            .world
            .clock
            .sleep_until(self.world.now().after(PATIENCE));
        loop {
            if let Some(end) = self.heard.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.heard.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let mut some = [0; 1_024];
            let read = tokio::select! {
                biased;
                read = self.stream.read(&mut some) => read.ok()?,
                () = &mut give_up => return None,
            };
            self.heard.extend_from_slice(some.get(..read)?);
            if read == 0 {
                return None;
            }
        }
    }
}
