//! The session: what was received goes in, actions come out.

use std::collections::VecDeque;
use std::mem;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::Receipt;
use facteur_replies::{Class, Reply, ReplyId};

use super::action::{Action, Expecting, Question};
use super::config::{Config, Role};
use super::state::{Asked, ChunkData, Data, Discard, Phase, State};
use crate::limits::MAX_IDLE_INPUT;
use crate::syntax::Command;
use crate::wire::input::Input;
use crate::wire::lines::{Line, Lines};

/// A server's session with one client, without I/O.
///
/// The driver's loop: perform [`Session::next_action`] until it is [`Action::Close`]; at [`Action::Read`] hand
/// what arrives to [`Session::receive`], at [`Action::Ask`] answer with the method that the question names.
/// Every command gets exactly one reply, in order. (RFC 5321 §4.2)
///
/// While it waits for a command it holds at most [`MAX_IDLE_INPUT`] octets of input, unless a longer command is
/// under way ([`crate::limits::MAX_COMMAND_LINE`]).
#[derive(Debug)]
pub struct Session {
    pub(super) config: Arc<Config>,
    pub(super) ip: Option<IpAddr>,
    pub(super) input: Input,
    pub(super) state: State,
    /// Transactions opened so far.
    pub(super) messages: u32,
    lines: Lines,
    output: VecDeque<Output>,
    errors: u32,
    /// Commands answered since the last message was taken.
    pub(super) fruitless: u32,
}

/// What is to be done before the state is asked for more.
#[derive(Debug)]
enum Output {
    Reply(Reply),
    Abandon,
}

/// What a step of the state machine came to.
#[derive(Debug)]
pub(super) enum Step {
    /// Look at the output, then at the state again.
    Again,
    /// Content, taken from the input.
    Content(Range<usize>),
    /// Content: a line break in the place of a lone CR or LF, or of a CRLF that was cut in two.
    LineBreak,
    Ask(Question),
    Read(Expecting),
    Close,
}

impl Session {
    /// A session with a client at `ip`; `None` for one that came over a Unix socket.
    #[must_use]
    pub fn new(config: Arc<Config>, ip: Option<IpAddr>) -> Self {
        Self {
            config,
            ip,
            input: Input::default(),
            state: State::Connected,
            messages: 0,
            lines: Lines::default(),
            output: VecDeque::new(),
            errors: 0,
            fruitless: 0,
        }
    }

    /// Takes what the client sent. To be called at [`Action::Read`], with at most a buffer full: what is not
    /// understood yet is kept.
    pub fn receive(&mut self, bytes: &[u8]) {
        if !matches!(self.state, State::Closed) {
            self.input.receive(bytes);
        }
    }

    /// The next thing to do. After [`Action::Read`] it says so again until something is received.
    pub fn next_action(&mut self) -> Action<'_> {
        loop {
            match self.output.pop_front() {
                Some(Output::Reply(reply)) => return Action::Reply(reply),
                Some(Output::Abandon) => return Action::Abandon,
                None => {}
            }
            match self.step() {
                Step::Again => {}
                Step::Content(range) => return Action::Content(self.input.taken(range)),
                Step::LineBreak => return Action::Content(b"\r\n"),
                Step::Ask(question) => return Action::Ask(question),
                Step::Read(expecting) => {
                    self.input.release(MAX_IDLE_INPUT);
                    return Action::Read(expecting);
                }
                Step::Close => return Action::Close,
            }
        }
    }

    /// Answers [`Question::Sender`], [`Question::Recipient`] or [`Question::Begin`]; a refusal is said to the
    /// client as it is. Without such a question, as after [`Session::interrupt`], it does nothing.
    pub fn answer(&mut self, verdict: Result<(), Reply>) {
        match self.question() {
            Some(Asked::Sender { mail, sender }) => self.sender_decided(mail, &sender, verdict),
            Some(Asked::Recipient { mail, recipient }) => {
                self.recipient_decided(mail, recipient, verdict);
            }
            Some(Asked::Begin { mail, chunk: None }) => self.data_decided(mail, verdict),
            Some(Asked::Begin {
                mail,
                chunk: Some(chunk),
            }) => self.first_chunk_decided(mail, chunk, verdict),
            Some(Asked::Commit(_)) => unreachable!("a commit is answered by `committed`"),
            None => {}
        }
    }

    /// Answers [`Question::Commit`]. Only a receipt makes the 250 after the content.
    pub fn committed(&mut self, outcome: Result<Receipt, Reply>) {
        match (self.question(), outcome) {
            (Some(Asked::Commit(mail)), Ok(receipt)) => self.message_taken(mail, &receipt),
            (Some(Asked::Commit(mail)), Err(reply)) => self.message_refused(mail, &reply),
            (Some(asked), _) => unreachable!("not answered by `committed`: {asked:?}"),
            (None, _) => {}
        }
    }

    /// The message that is coming in cannot be taken: what remains of it is read and thrown away, and `reply` is
    /// said at its end. Without a message it does nothing.
    pub fn refuse_message(&mut self, reply: Reply) {
        let content = match &mut self.state {
            State::Data(Data { content, .. }) | State::Chunk(ChunkData { content, .. }) => content,
            State::Connected
            | State::Command(_)
            | State::Asked(_)
            | State::Discard(_)
            | State::Closed => return,
        };
        if content.fault.is_none() {
            content.fault = Some(reply);
            self.output.push_back(Output::Abandon);
        }
    }

    /// Ends the session now: `reply`, a 421, is said and the connection closed. Never while
    /// [`Question::Commit`] is open, for its answer is the client's due.
    pub fn interrupt(&mut self, reply: Reply) {
        if !matches!(self.leave(), State::Closed) {
            self.say(reply);
        }
    }

    /// Ends the session because the client said nothing for so long.
    pub fn timed_out(&mut self, waited: Duration) {
        let reply = Reply::idle_too_long(&self.config.hostname, waited.as_secs());
        self.interrupt(reply);
    }

    /// The client has closed the connection: there is nobody to say anything to.
    pub fn disconnected(&mut self) {
        self.output.clear();
        self.state = State::Closed;
    }

    /// Whether a message is coming in or being made durable: a server that stops may want to wait for it.
    #[must_use]
    pub const fn has_message_under_way(&self) -> bool {
        match &self.state {
            State::Data(_) | State::Chunk(_) | State::Command(Phase::Chunks(_)) => true,
            State::Asked(asked) => matches!(asked, Asked::Begin { .. } | Asked::Commit(_)),
            State::Connected | State::Command(_) | State::Discard(_) | State::Closed => false,
        }
    }

    /// The memory held for input, in octets.
    #[must_use]
    pub fn input_capacity(&self) -> usize {
        self.input.capacity()
    }

    /// Takes the state out; whoever does puts the next one in. Until then the session is closed.
    fn leave(&mut self) -> State {
        mem::replace(&mut self.state, State::Closed)
    }

    /// Takes the open question out, if there is one.
    fn question(&mut self) -> Option<Asked> {
        if !matches!(self.state, State::Asked(_)) {
            return None;
        }
        if let State::Asked(asked) = self.leave() {
            Some(asked)
        } else {
            None
        }
    }

    fn step(&mut self) -> Step {
        match self.leave() {
            State::Connected => {
                let hostname = &self.config.hostname;
                let greeting = match self.config.role {
                    Role::Smtp => Reply::greeting(hostname),
                    Role::Lmtp => Reply::lmtp_greeting(hostname),
                };
                self.say(greeting);
                self.await_command(Phase::Unnamed)
            }
            State::Command(phase) => self.read_command(phase),
            State::Data(data) => self.read_data(data),
            State::Chunk(chunk) => self.read_chunk(chunk),
            State::Discard(discard) => self.discard(discard),
            State::Asked(asked) => unreachable!("the driver left a question open: {asked:?}"),
            State::Closed => Step::Close,
        }
    }

    fn read_command(&mut self, phase: Phase) -> Step {
        match self.lines.next(&mut self.input) {
            Line::Partial => {
                self.state = State::Command(phase);
                Step::Read(Expecting::Command)
            }
            Line::Text(range) => {
                let command = Command::parse(self.input.taken(range));
                self.obey(phase, command)
            }
            Line::TooLong => self.too_long(phase),
            Line::BareLf => self.reply(phase, Reply::bad_character()),
        }
    }

    fn discard(&mut self, mut discard: Discard) -> Step {
        let here = self.input.pending().len();
        let octets =
            usize::try_from(discard.remaining).map_or(here, |remaining| remaining.min(here));
        let _ = self.input.take(octets);
        discard.remaining -= u64::try_from(octets).unwrap_or(u64::MAX);
        if discard.remaining == 0 {
            return self.reply(discard.phase, discard.reply);
        }
        self.state = State::Discard(discard);
        Step::Read(Expecting::Content)
    }

    /// Waits for a command.
    pub(super) fn await_command(&mut self, phase: Phase) -> Step {
        self.state = State::Command(phase);
        Step::Again
    }

    /// Answers a command and waits for the next one; or closes, if the answer is 421 or there have been too many
    /// errors, or too many commands that led to no message.
    pub(super) fn reply(&mut self, phase: Phase, reply: Reply) -> Step {
        self.fruitless = self.fruitless.saturating_add(1);
        if self.fruitless > self.config.max_commands() {
            return self.close(Reply::too_many_commands(&self.config.hostname));
        }
        if reply.code().class() == Class::Permanent {
            self.errors += 1;
            if self.errors > self.config.max_errors {
                return self.close(Reply::too_many_errors(&self.config.hostname));
            }
        }
        if reply.code() == ReplyId::ShuttingDown.row().code {
            return self.close(reply);
        }
        self.say(reply);
        self.await_command(phase)
    }

    /// Says a last reply.
    pub(super) fn close(&mut self, reply: Reply) -> Step {
        self.say(reply);
        self.state = State::Closed;
        Step::Again
    }

    pub(super) fn say(&mut self, reply: Reply) {
        self.output.push_back(Output::Reply(reply));
    }

    pub(super) fn abandon(&mut self) {
        self.output.push_back(Output::Abandon);
    }
}
