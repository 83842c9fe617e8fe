//! The states of a client session, each with the data it owns.

use std::collections::VecDeque;
use std::fmt;

use facteur_mail::{Said, Stage};
use facteur_replies::ReplyCode;

use super::action::{About, RecipientOutcome};
use super::limits::{MAX_GROUP, MAX_GROUP_OCTETS, Waiting};
use super::message::Carriage;
use super::stuffing::Stuffing;
use crate::syntax::reply::ReplyError;

/// Where the dialogue is.
#[derive(Debug)]
pub(super) enum State {
    /// The greeting is to come.
    Greeting,
    /// The reply to EHLO or LHLO, or to HELO after EHLO was unknown, is to come.
    Hello { plain: bool },
    /// Between messages.
    Idle,
    /// MAIL, RCPT, DATA: commands are out, replies are to come.
    Envelope(Transfer),
    /// The remote takes content.
    Content(Transfer, Encoding),
    /// All content is out; the reply to it is to come, with LMTP one for each accepted recipient.
    Verdict(Transfer),
    /// A lone dot is out because nobody was accepted; its reply means nothing.
    LoneDot,
    /// RSET is out.
    Resetting,
    /// QUIT is out.
    Quitting,
    /// Nothing more is to be done.
    Closed,
}

/// How content travels.
#[derive(Debug)]
pub(super) enum Encoding {
    /// After DATA.
    Dots(Stuffing),
    /// In one BDAT chunk.
    Chunk(Chunk),
}

/// A BDAT chunk of known size. Its command goes out together with its first octets. (RFC 3030 §2)
#[derive(Debug)]
pub(super) struct Chunk {
    /// Octets still to come.
    left: u64,
    announced: bool,
}

impl Chunk {
    pub(super) const fn new(octets: u64) -> Self {
        Self {
            left: octets,
            announced: false,
        }
    }

    /// The command, as long as none of the chunk is out.
    pub(super) fn command(&self) -> String {
        format!("BDAT {} LAST\r\n", self.left)
    }

    /// Appends a piece of content, as it is; whether there was room for it in the chunk.
    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> bool {
        let octets = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let Some(rest) = self.left.checked_sub(octets) else {
            return false;
        };
        if !std::mem::replace(&mut self.announced, true) {
            out.extend_from_slice(self.command().as_bytes());
        }
        out.extend_from_slice(piece);
        self.left = rest;
        true
    }

    /// Whether the chunk is complete, its command included.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        self.left == 0 && self.push(b"", out)
    }
}

/// A message under way.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    /// MAIL and each RCPT, one after the other.
    pub(super) commands: Vec<u8>,
    /// Where each of them ends.
    pub(super) ends: Vec<usize>,
    /// The recipient of each RCPT command.
    pub(super) rcpts: Vec<usize>,
    /// How many commands are out; DATA is one more than `ends` has.
    pub(super) sent: usize,
    /// How many of them have their reply.
    pub(super) answered: usize,
    /// Whether MAIL was accepted.
    pub(super) open: bool,
    /// The recipients accepted and without verdict.
    pub(super) accepted: VecDeque<usize>,
    /// Which recipients have no verdict yet.
    pub(super) unsettled: Vec<bool>,
    /// The reply that said that there are too many recipients.
    pub(super) full: Option<Said>,
    /// Octets of content.
    pub(super) octets: u64,
    /// How they go.
    pub(super) carriage: Carriage,
    /// Whether a verdict on the content has come.
    pub(super) judged: bool,
}

/// What a reply is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Mail,
    Rcpt(usize),
    Data,
}

impl Transfer {
    /// The command whose reply comes next.
    pub(super) fn awaited(&self) -> Command {
        match self.answered.checked_sub(1) {
            None => Command::Mail,
            Some(rcpt) => self
                .rcpts
                .get(rcpt)
                .map_or(Command::Data, |index| Command::Rcpt(*index)),
        }
    }

    /// The commands that may go out together now: how many, and their octets.
    pub(super) fn next_group(&self, pipelining: bool) -> (usize, &[u8]) {
        let from = match self.sent.checked_sub(1) {
            None => 0,
            Some(last) => self.ends.get(last).copied().unwrap_or_default(),
        };
        let most = if pipelining { MAX_GROUP } else { 1 };
        let ends = self.ends.iter().skip(self.sent).take(most);
        let fitting = ends
            .enumerate()
            .take_while(|(i, end)| *i == 0 || **end - from <= MAX_GROUP_OCTETS);
        let (count, to) = fitting.fold((0, from), |(count, _), (_, end)| (count + 1, *end));
        (count, self.commands.get(from..to).unwrap_or_default())
    }

    /// Whether every RCPT is out.
    pub(super) const fn all_sent(&self) -> bool {
        self.sent >= self.ends.len()
    }

    /// What a refusal of the content is about. A code of syntax is for BDAT, not for the message: the server offered
    /// CHUNKING and does not know it. (RFC 5321 §4.2.1, x0z)
    pub(super) fn refusal_is_about(&self, code: ReplyCode) -> About {
        let unknown = !self.judged && matches!(code.number(), 500..=504);
        match self.carriage {
            Carriage::Chunk if unknown => About::Chunking,
            Carriage::Chunk | Carriage::Data | Carriage::BinaryChunk => About::Message,
        }
    }

    /// The verdict on a recipient, unless it has one.
    pub(super) fn settle(
        &mut self,
        index: usize,
        stage: Stage,
        said: &Said,
        about: About,
    ) -> Option<RecipientOutcome> {
        let unsettled = self.unsettled.get_mut(index)?;
        std::mem::take(unsettled).then(|| RecipientOutcome {
            index,
            stage,
            said: said.clone(),
            about,
        })
    }

    /// The same verdict on everybody who has none.
    pub(super) fn settle_rest(
        &mut self,
        stage: Stage,
        said: &Said,
        about: About,
    ) -> Vec<RecipientOutcome> {
        (0..self.unsettled.len())
            .filter_map(|index| self.settle(index, stage, said, about))
            .collect()
    }
}

impl State {
    /// The step that a reply or a failure now belongs to.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Greeting => Stage::Greeting,
            Self::Hello { .. } => Stage::Hello,
            Self::Envelope(transfer) => match transfer.awaited() {
                Command::Mail => Stage::Mail,
                Command::Rcpt(_) => Stage::Rcpt,
                Command::Data => Stage::Data,
            },
            Self::Content(..) | Self::Verdict(_) | Self::LoneDot => Stage::EndOfData,
            Self::Idle | Self::Resetting | Self::Quitting | Self::Closed => Stage::Mail,
        }
    }

    /// What the driver waits for.
    pub(super) fn waiting(&self) -> Waiting {
        match self {
            Self::Greeting => Waiting::Greeting,
            Self::Hello { .. } => Waiting::Hello,
            Self::Envelope(transfer) => match transfer.awaited() {
                Command::Mail => Waiting::Mail,
                Command::Rcpt(_) => Waiting::Rcpt,
                Command::Data => Waiting::Data,
            },
            Self::Content(..) => Waiting::Block,
            Self::Verdict(_) | Self::LoneDot => Waiting::EndOfData,
            Self::Idle | Self::Resetting => Waiting::Reset,
            Self::Quitting | Self::Closed => Waiting::Quit,
        }
    }
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    /// The driver has it; it is written when it asks for the next action.
    pub(super) handed_over: bool,
}

impl Output {
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn forget_written(&mut self) {
        if std::mem::take(&mut self.handed_over) {
            self.bytes.clear();
        }
    }

    /// An idle session holds little memory.
    pub(super) fn give_back(&mut self) {
        self.bytes.shrink_to(MAX_GROUP_OCTETS);
    }
}

/// How a remote left the protocol. Nothing it says afterwards can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misbehaviour {
    /// It sent what is no reply.
    NotAReply(ReplyError),
    /// It spoke without having been asked.
    Unasked,
    /// Its replies to one message are longer than all of them together may be.
    TooTalkative,
    /// Its code is none that this command can have.
    OutOfOrder { code: ReplyCode, to: Stage },
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAReply(error) => error.fmt(f),
            Self::Unasked => f.write_str("it sent a reply that no command asked for"),
            Self::TooTalkative => f.write_str("its replies to one message are too long"),
            Self::OutOfOrder { code, to } => {
                write!(f, "{code} is no reply to this step ({})", to.name())
            }
        }
    }
}
