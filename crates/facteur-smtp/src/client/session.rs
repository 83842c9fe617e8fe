//! The client session: one connection, any number of messages.

use std::collections::VecDeque;

use facteur_mail::{Said, Stage, Transcript};
use facteur_replies::{Class, Detail, RemoteReply, Reply};

use super::action::{About, Action, RecipientOutcome};
use super::config::{Config, Dialect, Lost};
use super::extensions::Extensions;
use super::limits::{MAX_HEARD, MAX_HEARD_PER_RECIPIENT, Waiting};
use super::message::{Carriage, Form, Lacking, Message, write_rcpt};
use super::state::{Chunk, Command, Encoding, Misbehaviour, Output, State, Transfer};
use super::stuffing::Stuffing;
use crate::syntax::reply::{Finding, MAX_REPLY_OCTETS, ReplyReader};

/// The enhanced code of "too many recipients". (RFC 3463 §3.6)
const TOO_MANY_RECIPIENTS: Detail = Detail {
    subject: 5,
    detail: 3,
};

/// One connection.
#[derive(Debug)]
pub struct Session {
    config: Config,
    extensions: Extensions,
    state: State,
    reader: ReplyReader,
    /// Whether the reply that is being read was asked for when it began.
    is_reply_asked: bool,
    events: VecDeque<Event>,
    output: Output,
    replies: u64,
    messages: usize,
    /// The last message goes, or went, by BDAT though DATA would do.
    chunked: bool,
    /// Octets of replies that the remote may still send before the next message.
    hearing: usize,
    /// What was said since somebody took it.
    transcript: Transcript,
}

/// What the driver is told before the dialogue goes on.
#[derive(Debug)]
enum Event {
    Outcome(RecipientOutcome),
    Failed { stage: Stage, said: Said },
    Unusual { stage: Stage, finding: Finding },
}

impl Session {
    /// A session on a connection that has just been opened.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            extensions: Extensions::default(),
            state: State::Greeting,
            reader: ReplyReader::default(),
            is_reply_asked: true,
            events: VecDeque::new(),
            output: Output::default(),
            replies: 0,
            messages: 0,
            chunked: false,
            // The greeting and the answer to EHLO, each bounded by itself.
            hearing: 2 * MAX_REPLY_OCTETS,
            transcript: Transcript::default(),
        }
    }

    /// What to do next. Asking again says that the last action was done.
    pub fn next_action(&mut self) -> Action<'_> {
        self.output.forget_written();
        if matches!(self.state, State::Idle) && self.reader.is_midway() {
            self.misbehaved(Misbehaviour::Unasked);
        }
        if let Some(event) = self.events.pop_front() {
            return match event {
                Event::Outcome(outcome) => Action::Outcome(outcome),
                Event::Failed { stage, said } => Action::Failed { stage, said },
                Event::Unusual { stage, finding } => Action::Unusual { stage, finding },
            };
        }
        let waiting = self.state.waiting();
        if self.is_closed() {
            return Action::Close;
        }
        if !self.output.bytes.is_empty() {
            self.output.handed_over = true;
            let last = matches!(self.state, State::Verdict(_));
            return Action::Write {
                bytes: &self.output.bytes,
                waiting: if last { Waiting::Block } else { waiting },
            };
        }
        match &self.state {
            State::Idle => {
                self.output.give_back();
                Action::Idle
            }
            State::Content(..) => Action::NeedContent,
            State::Closed => Action::Close,
            State::Greeting
            | State::Hello { .. }
            | State::Envelope(_)
            | State::Verdict(_)
            | State::LoneDot
            | State::Resetting
            | State::Quitting => Action::Read {
                waiting,
                reply: self.replies,
            },
        }
    }

    /// Takes what the remote sent. However it is cut into pieces, it means the same.
    pub fn receive(&mut self, bytes: &[u8]) {
        let within = bytes.len().min(self.hearing);
        self.hearing -= within;
        let (bytes, beyond) = bytes.split_at_checked(within).unwrap_or((bytes, &[]));
        self.hear(bytes);
        if !beyond.is_empty() {
            self.misbehaved(Misbehaviour::TooTalkative);
        }
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_closed() {
            if !self.reader.is_midway() {
                self.is_reply_asked = self.is_asked();
            }
            let heard = match self.reader.read(bytes) {
                Ok((taken, heard)) => {
                    bytes = bytes.get(taken..).unwrap_or_default();
                    heard
                }
                Err(error) => return self.misbehaved(Misbehaviour::NotAReply(error)),
            };
            let Some(heard) = heard else {
                return;
            };
            self.replies += 1;
            let stage = self.state.stage();
            self.transcript.heard(stage, &heard.reply);
            let findings = heard.findings.into_iter();
            self.events
                .extend(findings.map(|finding| Event::Unusual { stage, finding }));
            if heard.reply.code.number() == 421 {
                self.fail(&Said::ByPeer(heard.reply), About::Connection);
            } else if self.is_reply_asked {
                self.answered(heard.reply);
            } else {
                self.unasked(heard.reply);
            }
        }
    }

    /// The connection ended. After [`Action::Close`] this means nothing.
    pub fn lost(&mut self, how: Lost) {
        let said = Said::ByUs(Reply::connection_lost(&self.config.host, how));
        self.fail(&said, About::Connection);
    }

    /// Not all of the last [`Action::Write`] could be written. The remote may have said why: the driver reads once
    /// more, as far as something is there, and then calls [`Session::lost`].
    pub fn write_failed(&mut self) {
        // The end of the content did not get out, so that no reply can be to it.
        if let State::Verdict(transfer) = &mut self.state {
            let encoding = Encoding::Dots(Stuffing::default());
            self.state = State::Content(std::mem::take(transfer), encoding);
        }
    }

    /// We cannot go on: every recipient without verdict gets `why`, and the connection is to be closed. The end of
    /// the content is never sent.
    pub fn abort(&mut self, why: Reply) {
        self.fail(&Said::ByUs(why), About::Message);
    }

    /// Whether the content should be read for [`Message::facts`] before [`Session::send`]: as declared it could not
    /// go to this server, as it really is it may; or it could go by BDAT, if it is clean.
    #[must_use]
    pub fn wants_facts(&self, message: &Message<'_>) -> bool {
        message.facts.is_none()
            && match message.form(&self.extensions) {
                Ok(form) => {
                    let binary = form.carriage == Carriage::BinaryChunk;
                    message.chunking && self.extensions.chunking && !binary
                }
                Err(Lacking::Room { .. }) => false,
                Err(Lacking::SmtpUtf8) => message.sender.address().is_none_or(|a| a.is_ascii()),
                Err(Lacking::EightBitMime | Lacking::BinaryMime) => true,
            }
    }

    /// Starts a transaction. Every recipient gets exactly one [`Action::Outcome`].
    ///
    /// # Panics
    /// When a message is under way, or the connection is not ready: only [`Action::Idle`] asks for a message.
    pub fn send(&mut self, message: &Message<'_>) {
        assert!(
            self.is_idle(),
            "a message is sent only when the session is idle"
        );
        self.messages += 1;
        self.hearing = MAX_HEARD + message.recipients.len() * MAX_HEARD_PER_RECIPIENT;
        let mut transfer = Transfer {
            unsettled: vec![true; message.recipients.len()],
            octets: message.octets,
            ..Transfer::default()
        };
        self.chunked = false;
        match message.form(&self.extensions) {
            Ok(form) => self.prepare(&mut transfer, message, form),
            Err(lacking) => {
                let refusal = self.refusal(lacking);
                self.transcript.noted(Stage::Mail, refusal.clone());
                let said = Said::ByUs(refusal);
                self.tell(transfer.settle_rest(Stage::Mail, &said, About::Message));
            }
        }
        if !transfer.rcpts.is_empty() {
            self.go_on(transfer);
        }
    }

    /// Hands over the next piece of content. Anything up to a few hundred KiB; it is encoded at once.
    pub fn content(&mut self, piece: &[u8]) {
        match &mut self.state {
            State::Content(_, Encoding::Dots(stuffing)) => {
                stuffing.push(piece, &mut self.output.bytes);
            }
            State::Content(_, Encoding::Chunk(chunk)) => {
                if !chunk.push(piece, &mut self.output.bytes) {
                    self.abort(Reply::local_error());
                }
            }
            State::Greeting
            | State::Hello { .. }
            | State::Idle
            | State::Envelope(_)
            | State::Verdict(_)
            | State::LoneDot
            | State::Resetting
            | State::Quitting
            | State::Closed => {}
        }
    }

    /// There is no more content. May follow the last [`Session::content`] at once, so that both go out in one write.
    pub fn content_ends(&mut self) {
        if let State::Content(transfer, encoding) = &mut self.state {
            let complete = match encoding {
                Encoding::Dots(stuffing) => {
                    stuffing.finish(&mut self.output.bytes);
                    true
                }
                Encoding::Chunk(chunk) => chunk.finish(&mut self.output.bytes),
            };
            if !complete {
                return self.abort(Reply::local_error());
            }
            self.transcript.content(transfer.octets);
            self.state = State::Verdict(std::mem::take(transfer));
        }
    }

    /// Says QUIT, when idle; in any other state the connection is just to be closed.
    pub fn quit(&mut self) {
        if self.is_idle() {
            self.say_quit();
        } else {
            self.state = State::Closed;
        }
    }

    /// Whether a message can be sent now.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.output.is_empty() && !self.reader.is_midway()
    }

    /// Whether nothing is left to say or to hear: [`Action::Close`] comes next, or after the last outcomes.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// What the remote offers; nothing before its answer to EHLO.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// How many messages this connection was given.
    #[must_use]
    pub const fn messages(&self) -> usize {
        self.messages
    }

    /// What was said since this was last asked. Content is only counted.
    #[must_use]
    pub fn take_transcript(&mut self) -> Transcript {
        std::mem::take(&mut self.transcript)
    }

    /// Whether the last message was one that goes by BDAT though DATA would do.
    #[must_use]
    pub const fn is_chunked(&self) -> bool {
        self.chunked
    }

    /// Whether the remote waits for something that we have sent, so that it may speak.
    const fn is_asked(&self) -> bool {
        match self.state {
            State::Idle | State::Content(..) | State::Closed => false,
            State::Greeting
            | State::Hello { .. }
            | State::Envelope(_)
            | State::Verdict(_)
            | State::LoneDot
            | State::Resetting
            | State::Quitting => self.output.is_empty() || self.output.handed_over,
        }
    }

    /// A reply to what was asked, 421 excepted.
    fn answered(&mut self, reply: RemoteReply) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Greeting => self.greeted(reply),
            State::Hello { plain } => self.hello_answered(plain, reply),
            State::Envelope(transfer) => self.envelope_answered(transfer, reply),
            State::Verdict(transfer) => self.judged(transfer, reply),
            State::LoneDot => match reply.class() {
                // Nobody was accepted, so that nothing was delivered, whatever it says. (RFC 2920 §3.1)
                Class::Success | Class::Transient | Class::Permanent => self.state = State::Idle,
                Class::Intermediate | Class::Unknown => {}
            },
            State::Resetting => match reply.class() {
                Class::Success => self.state = State::Idle,
                Class::Transient | Class::Permanent => self.say_quit(),
                Class::Intermediate | Class::Unknown => {}
            },
            State::Quitting | State::Idle | State::Content(..) | State::Closed => {}
        }
    }

    /// A reply, 421 excepted, that nothing asked for. In the middle of the content a refusal is the verdict on it:
    /// the remote does not want the rest, even if that went out before the reply was complete. A success there is none.
    fn unasked(&mut self, reply: RemoteReply) {
        match (&self.state, reply.class()) {
            (
                State::Content(transfer, _) | State::Verdict(transfer),
                Class::Transient | Class::Permanent,
            ) => {
                let about = transfer.refusal_is_about(reply.code);
                self.fail(&Said::ByPeer(reply), about);
            }
            _ => self.misbehaved(Misbehaviour::Unasked),
        }
    }

    fn greeted(&mut self, reply: RemoteReply) {
        match reply.class() {
            Class::Success => {
                let word = match self.config.dialect {
                    Dialect::Smtp => "EHLO",
                    Dialect::Lmtp => "LHLO",
                };
                self.say_hello(word, false);
            }
            Class::Transient | Class::Permanent => self.refused(Stage::Greeting, reply),
            Class::Intermediate | Class::Unknown => self.out_of_order(State::Greeting, &reply),
        }
    }

    fn hello_answered(&mut self, plain: bool, reply: RemoteReply) {
        match reply.class() {
            Class::Success => {
                if !plain {
                    self.extensions = Extensions::of(&reply);
                }
                self.state = State::Idle;
            }
            Class::Transient | Class::Permanent => {
                // The codes with which servers without extensions meet EHLO. (RFC 5321 §3.2, §4.2.4)
                let unknown = matches!(reply.code.number(), 500 | 501 | 502 | 504);
                if unknown && !plain && self.config.dialect == Dialect::Smtp {
                    self.say_hello("HELO", true);
                } else {
                    self.refused(Stage::Hello, reply);
                }
            }
            Class::Intermediate | Class::Unknown => {
                self.out_of_order(State::Hello { plain }, &reply);
            }
        }
    }

    fn envelope_answered(&mut self, mut transfer: Transfer, reply: RemoteReply) {
        let command = transfer.awaited();
        let class = reply.class();
        let fits = match command {
            Command::Mail | Command::Rcpt(_) => class != Class::Intermediate,
            Command::Data => class != Class::Success,
        };
        if !fits || class == Class::Unknown {
            return self.out_of_order(State::Envelope(transfer), &reply);
        }
        transfer.answered += 1;
        match command {
            Command::Mail if class == Class::Success => transfer.open = true,
            Command::Mail => {
                let said = Said::ByPeer(reply);
                self.tell(transfer.settle_rest(Stage::Mail, &said, About::Message));
            }
            // Without MAIL its reply is a consequence, not a verdict.
            Command::Rcpt(_) if !transfer.open => {}
            Command::Rcpt(index) => self.rcpt_answered(&mut transfer, index, reply),
            Command::Data => return self.data_answered(transfer, reply),
        }
        if transfer.answered < transfer.sent {
            self.state = State::Envelope(transfer);
        } else {
            self.go_on(transfer);
        }
    }

    fn rcpt_answered(&mut self, transfer: &mut Transfer, index: usize, reply: RemoteReply) {
        if reply.class() == Class::Success {
            transfer.accepted.push_back(index);
            return;
        }
        let too_many = is_too_many_recipients(&reply, !transfer.accepted.is_empty());
        let about = if too_many {
            About::Transaction
        } else {
            About::Recipient
        };
        let said = Said::ByPeer(reply);
        self.tell(transfer.settle(index, Stage::Rcpt, &said, about));
        if too_many {
            transfer.full = Some(said);
        }
    }

    fn data_answered(&mut self, mut transfer: Transfer, reply: RemoteReply) {
        let nobody = transfer.accepted.is_empty();
        if reply.class() == Class::Intermediate {
            if !nobody {
                self.state = State::Content(transfer, Encoding::Dots(Stuffing::default()));
            } else if self.config.dialect == Dialect::Smtp {
                self.write(Stage::EndOfData, b".\r\n");
                self.state = State::LoneDot;
            }
            // An LMTP server answers a dot once for each accepted recipient, here never: the connection is closed.
            return;
        }
        // Where nobody was accepted this is a consequence: everybody has a verdict already.
        let said = Said::ByPeer(reply);
        self.tell(transfer.settle_rest(Stage::Data, &said, About::Message));
        self.leave(&transfer);
    }

    /// All commands that are out have their reply, or none is out yet.
    fn go_on(&mut self, mut transfer: Transfer) {
        if transfer.answered > 0 && !transfer.open {
            self.state = State::Idle;
            return;
        }
        if let Some(said) = transfer.full.clone() {
            self.postpone_unsent(&mut transfer, &said);
        }
        let pipelining = self.extensions.pipelining;
        if !transfer.all_sent() {
            let (count, commands) = transfer.next_group(pipelining);
            for command in commands.split_inclusive(|octet| *octet == b'\n') {
                let stage = if command.starts_with(b"MAIL") {
                    Stage::Mail
                } else {
                    Stage::Rcpt
                };
                self.write(stage, command);
            }
            transfer.sent += count;
            if pipelining && transfer.all_sent() && transfer.carriage == Carriage::Data {
                self.write(Stage::Data, b"DATA\r\n");
                transfer.sent += 1;
            }
        } else if transfer.accepted.is_empty() {
            return self.leave(&transfer);
        } else if transfer.carriage != Carriage::Data {
            let chunk = Chunk::new(transfer.octets);
            self.transcript
                .sent(Stage::EndOfData, chunk.command().as_bytes());
            self.state = State::Content(transfer, Encoding::Chunk(chunk));
            return;
        } else {
            self.write(Stage::Data, b"DATA\r\n");
            transfer.sent += 1;
        }
        self.state = State::Envelope(transfer);
    }

    /// The recipients whose RCPT is not out wait for another transaction.
    fn postpone_unsent(&mut self, transfer: &mut Transfer, said: &Said) {
        let sent = transfer.sent;
        for index in transfer
            .rcpts
            .split_off(sent.saturating_sub(1).min(transfer.rcpts.len()))
        {
            self.tell(transfer.settle(index, Stage::Rcpt, said, About::Transaction));
        }
        transfer.ends.truncate(sent);
    }

    /// The reply to the content.
    fn judged(&mut self, mut transfer: Transfer, reply: RemoteReply) {
        if matches!(reply.class(), Class::Intermediate | Class::Unknown) {
            return self.out_of_order(State::Verdict(transfer), &reply);
        }
        let about = transfer.refusal_is_about(reply.code);
        let said = Said::ByPeer(reply);
        if about == About::Chunking {
            // The connection is closed without QUIT: the server may be in the middle of what it takes for commands.
            return self.tell(transfer.settle_rest(Stage::EndOfData, &said, about));
        }
        transfer.judged = true;
        match self.config.dialect {
            Dialect::Smtp => {
                self.tell(transfer.settle_rest(Stage::EndOfData, &said, About::Message));
                transfer.accepted.clear();
            }
            Dialect::Lmtp => {
                if let Some(index) = transfer.accepted.pop_front() {
                    let about = About::Recipient;
                    self.tell(transfer.settle(index, Stage::EndOfData, &said, about));
                }
            }
        }
        self.state = if transfer.accepted.is_empty() {
            State::Idle
        } else {
            State::Verdict(transfer)
        };
    }

    /// Writes the commands of a transaction, and settles who cannot be part of it.
    fn prepare(&mut self, transfer: &mut Transfer, message: &Message<'_>, form: Form) {
        let out = &mut transfer.commands;
        message.write_mail(form, &self.extensions, out);
        transfer.ends.push(out.len());
        transfer.carriage = form.carriage;
        self.chunked = form.carriage == Carriage::Chunk;
        let limit = self.extensions.max_recipients.unwrap_or(usize::MAX);
        for (index, recipient) in message.recipients.iter().enumerate() {
            if !form.smtputf8 && !recipient.address.is_ascii() {
                let said = Said::ByUs(self.refusal(Lacking::SmtpUtf8));
                self.tell(transfer.settle(index, Stage::Rcpt, &said, About::Recipient));
            } else if transfer.rcpts.len() >= limit {
                let said = Said::ByUs(Reply::too_many_recipients(limit));
                self.tell(transfer.settle(index, Stage::Rcpt, &said, About::Transaction));
            } else {
                write_rcpt(recipient, &self.extensions, &mut transfer.commands);
                transfer.ends.push(transfer.commands.len());
                transfer.rcpts.push(index);
            }
        }
    }

    /// Ends a transaction that came to nothing.
    fn leave(&mut self, transfer: &Transfer) {
        if transfer.open {
            self.write(Stage::Mail, b"RSET\r\n");
            self.state = State::Resetting;
        } else {
            self.state = State::Idle;
        }
    }

    fn say_hello(&mut self, word: &str, plain: bool) {
        let line = format!("{word} {}\r\n", self.config.our_name);
        self.write(Stage::Hello, line.as_bytes());
        self.state = State::Hello { plain };
    }

    fn say_quit(&mut self) {
        self.write(Stage::Mail, b"QUIT\r\n");
        self.state = State::Quitting;
    }

    /// Says a command.
    fn write(&mut self, stage: Stage, command: &[u8]) {
        self.transcript.sent(stage, command);
        self.output.bytes.extend_from_slice(command);
    }

    /// The server does not want this connection.
    fn refused(&mut self, stage: Stage, reply: RemoteReply) {
        let said = Said::ByPeer(reply);
        self.events.push_back(Event::Failed { stage, said });
        self.say_quit();
    }

    fn out_of_order(&mut self, state: State, reply: &RemoteReply) {
        let code = reply.code;
        let to = state.stage();
        self.state = state;
        self.misbehaved(Misbehaviour::OutOfOrder { code, to });
    }

    fn misbehaved(&mut self, how: Misbehaviour) {
        let said = Said::ByUs(Reply::remote_misbehaved(&self.config.host, how));
        self.fail(&said, About::Connection);
    }

    /// The connection is over: everybody without verdict gets this one.
    fn fail(&mut self, said: &Said, about: About) {
        let stage = self.state.stage();
        if let Said::ByUs(reply) = said
            && self.is_amiss()
        {
            self.transcript.noted(stage, reply.clone());
        }
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Greeting | State::Hello { .. } => {
                let said = said.clone();
                self.events.push_back(Event::Failed { stage, said });
            }
            State::Envelope(mut transfer)
            | State::Content(mut transfer, _)
            | State::Verdict(mut transfer) => {
                self.tell(transfer.settle_rest(stage, said, about));
            }
            // Spoilt before its first message; later the driver sees a session that is idle no more.
            State::Idle if self.messages == 0 => {
                let (stage, said) = (Stage::Hello, said.clone());
                self.events.push_back(Event::Failed { stage, said });
            }
            State::Idle | State::LoneDot | State::Resetting | State::Quitting | State::Closed => {}
        }
    }

    /// Whether an end now is one that somebody must hear of.
    const fn is_amiss(&self) -> bool {
        match self.state {
            State::Idle => self.messages == 0,
            State::Greeting
            | State::Hello { .. }
            | State::Envelope(_)
            | State::Content(..)
            | State::Verdict(_) => true,
            State::LoneDot | State::Resetting | State::Quitting | State::Closed => false,
        }
    }

    fn tell(&mut self, outcomes: impl IntoIterator<Item = RecipientOutcome>) {
        self.events.extend(outcomes.into_iter().map(Event::Outcome));
    }

    fn refusal(&self, lacking: Lacking) -> Reply {
        let host = &self.config.host;
        match lacking {
            Lacking::SmtpUtf8 => Reply::next_hop_without_smtputf8(host),
            Lacking::EightBitMime => Reply::conversion_not_supported(host, "8BITMIME"),
            Lacking::BinaryMime => Reply::conversion_not_supported(host, "BINARYMIME"),
            Lacking::Room { limit } => Reply::too_big_for_next_hop(host, limit),
        }
    }
}

/// 452, or 552 as older servers say it, where it can mean the number of recipients: its enhanced code says so, or it
/// has none and recipients were accepted before. (RFC 5321 §4.5.3.1.10)
fn is_too_many_recipients(reply: &RemoteReply, some_accepted: bool) -> bool {
    matches!(reply.code.number(), 452 | 552)
        && reply.enhanced.map_or(some_accepted, |enhanced| {
            enhanced.detail() == TOO_MANY_RECIPIENTS
        })
}
