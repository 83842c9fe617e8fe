//! Who said what at which stage of an attempt, in order: typed, bounded, and never a word of the content.
//!
//! What a remote said is kept as the reply that it was, what we said as the command that it was, what we did or met as a
//! value. Nothing is formatted before somebody looks.

use std::collections::VecDeque;

use facteur_replies::{RemoteReply, Reply};

use crate::attempt::{RemoteHost, Stage};

/// The most lines that a transcript keeps from its beginning.
pub const MAX_FIRST_LINES: usize = 400;

/// The most lines that it keeps from its end, once the beginning is full: there stands what decided.
pub const MAX_LAST_LINES: usize = 20;

/// The most octets of text kept from the beginning.
pub const MAX_FIRST_OCTETS: usize = 16 * 1024;

/// The most octets kept of one command or of one reply; with [`MAX_LAST_LINES`] this bounds the end.
pub const MAX_SAID_OCTETS: usize = 2 * 1024;

/// The most lines kept of one reply.
pub const MAX_REPLY_LINES: usize = 64;

/// A new transcript has room for so many lines: a message to one recipient over a new connection.
const USUAL: usize = 16;

/// What was said and done in one attempt, over any number of connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    first: Vec<Line>,
    octets: usize,
    last: VecDeque<Line>,
    left_out: u32,
}

/// One thing that was said or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The step.
    pub stage: Stage,
    /// What.
    pub words: Words,
}

/// What was said or done, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// We connect to this server; what follows is said there.
    Connecting(RemoteHost),
    /// We go on over a connection that carried other messages before.
    Reusing(RemoteHost),
    /// We sent a command; without its CRLF.
    Sent(Box<str>),
    /// We sent so many octets of content; never which.
    Content(u64),
    /// The remote replied.
    Heard(RemoteReply),
    /// What became of the dialogue, in our words: no answer, a connection lost, a reply that is none.
    Noted(Reply),
}

impl Transcript {
    /// A transcript as it was kept: the lines of the beginning, how many are missing, the lines of the end.
    #[must_use]
    pub fn restore(first: Vec<Line>, left_out: u32, last: Vec<Line>) -> Self {
        Self {
            octets: first.iter().map(Line::octets).sum(),
            first,
            last: last.into(),
            left_out,
        }
    }

    /// Whether nothing was said or done.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The lines from the beginning.
    #[must_use]
    pub fn first(&self) -> &[Line] {
        &self.first
    }

    /// How many lines are missing after the beginning.
    #[must_use]
    pub const fn left_out(&self) -> u32 {
        self.left_out
    }

    /// The lines from the end; none while everything fits the beginning.
    #[must_use]
    pub fn last(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.last.iter()
    }

    /// We connect to a server, or go on with a connection to it.
    pub fn server(&mut self, host: RemoteHost, reused: bool) {
        let words = if reused {
            Words::Reusing(host)
        } else {
            Words::Connecting(host)
        };
        self.push(Stage::Connect, words);
    }

    /// We sent a command, with or without its line end. Of AUTH only the command and its mechanism are kept, of the
    /// lines that follow it nothing.
    pub fn sent(&mut self, stage: Stage, command: &[u8]) {
        let command = command.strip_suffix(b"\r\n").unwrap_or(command);
        let kept = match stage {
            Stage::Auth => without_secret(command),
            Stage::Route
            | Stage::Connect
            | Stage::Greeting
            | Stage::Hello
            | Stage::StartTls
            | Stage::Mail
            | Stage::Rcpt
            | Stage::Data
            | Stage::EndOfData
            | Stage::Mailbox
            | Stage::Queue => command.get(..MAX_SAID_OCTETS).unwrap_or(command),
        };
        let text = String::from_utf8_lossy(kept);
        self.push(stage, Words::Sent(text.into()));
    }

    /// We sent so many octets of content.
    pub fn content(&mut self, octets: u64) {
        self.push(Stage::EndOfData, Words::Content(octets));
    }

    /// The remote replied.
    pub fn heard(&mut self, stage: Stage, reply: &RemoteReply) {
        self.push(stage, Words::Heard(cut(reply)));
    }

    /// What became of the dialogue, in our words.
    pub fn noted(&mut self, stage: Stage, reply: Reply) {
        self.push(stage, Words::Noted(reply));
    }

    /// Adds what was said over another connection, or later.
    pub fn append(&mut self, later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        for line in later.first {
            self.push(line.stage, line.words);
        }
        self.left_out = self.left_out.saturating_add(later.left_out);
        for line in later.last {
            self.push(line.stage, line.words);
        }
    }

    fn push(&mut self, stage: Stage, words: Words) {
        let line = Line { stage, words };
        let octets = self.octets + line.octets();
        let is_last = self.left_out > 0 || !self.last.is_empty();
        if !is_last && self.first.len() < MAX_FIRST_LINES && octets <= MAX_FIRST_OCTETS {
            if self.first.is_empty() {
                self.first.reserve(USUAL);
            }
            self.octets = octets;
            self.first.push(line);
            return;
        }
        if self.last.len() == MAX_LAST_LINES {
            self.last.pop_front();
            self.left_out = self.left_out.saturating_add(1);
        }
        self.last.push_back(line);
    }
}

impl Line {
    fn octets(&self) -> usize {
        match &self.words {
            Words::Connecting(host) | Words::Reusing(host) => host.name.len(),
            Words::Sent(command) => command.len(),
            Words::Content(_) => 0,
            Words::Heard(reply) => reply.lines.iter().map(String::len).sum(),
            Words::Noted(reply) => reply.args().iter().map(String::len).sum(),
        }
    }
}

/// `AUTH MECHANISM`, and of any other line nothing.
fn without_secret(command: &[u8]) -> &[u8] {
    if !command
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"AUTH "))
    {
        return b"";
    }
    let end = command.iter().skip(5).position(|octet| *octet == b' ');
    command
        .get(..end.map_or(command.len(), |end| 5 + end))
        .unwrap_or(command)
}

/// As much of a reply as is kept.
fn cut(reply: &RemoteReply) -> RemoteReply {
    let mut room = MAX_SAID_OCTETS;
    let mut lines = Vec::with_capacity(reply.lines.len().min(MAX_REPLY_LINES));
    for line in reply.lines.iter().take(MAX_REPLY_LINES) {
        let kept = line.get(..line.floor_char_boundary(room)).unwrap_or(line);
        lines.push(kept.to_owned());
        room -= kept.len();
        if kept.len() < line.len() {
            break;
        }
    }
    RemoteReply {
        code: reply.code,
        enhanced: reply.enhanced,
        lines,
    }
}

#[cfg(test)]
mod tests {
    use facteur_replies::ReplyCode;

    use super::*;

    fn reply(lines: Vec<String>) -> RemoteReply {
        RemoteReply::new(ReplyCode::new(250).unwrap(), lines)
    }

    fn words(transcript: &Transcript) -> Vec<Words> {
        let lines = transcript.first().iter().chain(transcript.last());
        lines.map(|line| line.words.clone()).collect()
    }

    #[test]
    fn what_is_said_stays_in_order_over_several_connections() {
        let mut transcript = Transcript::default();
        transcript.sent(Stage::Mail, b"MAIL FROM:<a@b.test>\r\n");
        let mut later = Transcript::default();
        later.heard(Stage::Mail, &reply(vec!["2.1.0 ok".to_owned()]));
        later.content(12);
        transcript.append(later);
        let expected = [
            Words::Sent("MAIL FROM:<a@b.test>".into()),
            Words::Heard(reply(vec!["2.1.0 ok".to_owned()])),
            Words::Content(12),
        ];
        assert_eq!(words(&transcript), expected);
        assert_eq!(transcript.left_out(), 0);
    }

    #[test]
    fn an_endless_dialogue_keeps_its_beginning_and_its_end() {
        let mut transcript = Transcript::default();
        for number in 0..100_000 {
            transcript.sent(Stage::Rcpt, format!("RCPT {number}").as_bytes());
        }
        let words = words(&transcript);
        assert_eq!(words.len(), MAX_FIRST_LINES + MAX_LAST_LINES);
        assert_eq!(words.first(), Some(&Words::Sent("RCPT 0".into())));
        assert_eq!(words.last(), Some(&Words::Sent("RCPT 99999".into())));
        let missing = 100_000 - words.len();
        assert_eq!(usize::try_from(transcript.left_out()), Ok(missing));
    }

    #[test]
    fn a_talkative_remote_fills_no_memory() {
        let mut transcript = Transcript::default();
        let endless = reply(vec!["é".repeat(400); 1_000]);
        for _ in 0..1_000 {
            transcript.heard(Stage::Hello, &endless);
        }
        let lines = transcript.first().iter().chain(transcript.last());
        let octets: usize = lines.map(Line::octets).sum();
        assert!(octets <= MAX_FIRST_OCTETS + MAX_LAST_LINES * MAX_SAID_OCTETS);
        let short = reply(vec![String::new(); 10_000]);
        transcript.heard(Stage::Hello, &short);
        let Some(Words::Heard(kept)) = transcript.last().last().map(|line| &line.words) else {
            panic!("the last word is kept");
        };
        assert_eq!(kept.lines.len(), MAX_REPLY_LINES);
    }

    #[test]
    fn a_secret_is_never_kept() {
        let mut transcript = Transcript::default();
        for line in ["AUTH PLAIN AGEAYg==\r\n", "auth login\r\n", "c2VjcmV0\r\n"] {
            transcript.sent(Stage::Auth, line.as_bytes());
        }
        let expected = ["AUTH PLAIN", "auth login", ""];
        assert_eq!(
            words(&transcript),
            expected.map(|it| Words::Sent(it.into()))
        );
    }
}
