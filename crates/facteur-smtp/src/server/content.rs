//! The content of a message, by DATA or by BDAT, from its first octet to the reply at its end.

use facteur_mail::{BodyType, Receipt};
use facteur_replies::Reply;

use super::action::{Expecting, Question};
use super::config::{BareNewlines, Role};
use super::session::{Session, Step};
use super::state::{Asked, ChunkData, Chunks, Content, Data, Mail, Phase, State};
use crate::syntax::command::Chunk;
use crate::wire::dot::{Decoded, DotDecoder};
use crate::wire::newlines::{Checked, Newline, Newlines};

/// The octets of CRLF.
const CRLF: usize = 2;

/// What a piece of the content is to the message.
enum Verdict {
    /// It is handed over.
    Take,
    /// It is thrown away: the message is refused already.
    Drop,
    /// It is why the message is refused.
    Refuse,
}

impl Session {
    /// The answer to DATA: 354, or why not.
    pub(super) fn data_decided(&mut self, mail: Mail, verdict: Result<(), Reply>) {
        if let Err(reply) = verdict {
            self.abandon();
            self.reply(Phase::Ready(mail.hello), reply);
            return;
        }
        self.say(Reply::start_mail_input());
        self.state = State::Data(Data {
            mail,
            dots: DotDecoder::default(),
            content: Content::default(),
        });
    }

    /// What becomes of the first BDAT, which nobody answers before its octets have come.
    pub(super) fn first_chunk_decided(
        &mut self,
        mail: Mail,
        chunk: Chunk,
        verdict: Result<(), Reply>,
    ) {
        let mut content = Content::default();
        if let Err(reply) = verdict {
            content.fault = Some(reply);
            self.abandon();
        }
        self.begin_chunk(mail, Newlines::default(), content, chunk);
    }

    pub(super) fn read_data(&mut self, mut data: Data) -> Step {
        loop {
            let (step, verdict) = match data.dots.next(self.input.pending()) {
                Decoded::Content(octets) => {
                    let range = self.input.take(octets);
                    let verdict = self.admit(&mut data.content, range.len());
                    (Step::Content(range), verdict)
                }
                Decoded::Stuffing => {
                    let _ = self.input.take(1);
                    continue;
                }
                Decoded::Bare(newline) => {
                    let _ = self.input.take(1);
                    (Step::LineBreak, self.bare(&mut data.content, newline))
                }
                Decoded::End(octets) => {
                    let _ = self.input.take(octets);
                    return self.end_of_message(data.mail, data.content);
                }
                Decoded::Undecided => {
                    self.state = State::Data(data);
                    return Step::Read(Expecting::Content);
                }
            };
            if let Some(step) = self.hand_over(step, &verdict) {
                self.state = State::Data(data);
                return step;
            }
        }
    }

    /// Starts to read a chunk, as part of a message that is refused already if `content` says so.
    pub(super) fn begin_chunk(
        &mut self,
        mail: Mail,
        newlines: Newlines,
        mut content: Content,
        chunk: Chunk,
    ) {
        let limit = self.config.max_message_octets;
        if content.fault.is_none() && content.octets.saturating_add(chunk.octets) > limit {
            content.fault = Some(Reply::message_too_big(limit));
            self.abandon();
        }
        self.state = State::Chunk(ChunkData {
            mail,
            newlines,
            content,
            chunk,
            remaining: chunk.octets,
        });
    }

    pub(super) fn read_chunk(&mut self, mut data: ChunkData) -> Step {
        loop {
            let pending = self.input.pending();
            let here = usize::try_from(data.remaining)
                .map_or(pending.len(), |remaining| remaining.min(pending.len()));
            let front = pending.get(..here).unwrap_or_default();
            let checked = if front.is_empty() || data.mail.body != BodyType::BinaryMime {
                data.newlines.next(front)
            } else {
                Checked::Content(here)
            };
            let (octets, piece) = match checked {
                Checked::Content(octets) => (octets, Piece::Content),
                Checked::Held => (1, Piece::Nothing),
                Checked::HeldCrLf => (1, Piece::LineBreak),
                Checked::HeldCr => (0, Piece::Bare(Newline::Cr)),
                Checked::Bare(newline) => (1, Piece::Bare(newline)),
                Checked::Empty if data.remaining == 0 => return self.end_of_chunk(data),
                Checked::Empty => {
                    self.state = State::Chunk(data);
                    return Step::Read(Expecting::Content);
                }
            };
            let range = self.input.take(octets);
            data.remaining -= octets_of(octets);
            let (step, verdict) = match piece {
                Piece::Nothing => continue,
                Piece::Content => {
                    let verdict = self.admit(&mut data.content, octets);
                    (Step::Content(range), verdict)
                }
                Piece::LineBreak => {
                    let verdict = self.admit(&mut data.content, CRLF);
                    (Step::LineBreak, verdict)
                }
                Piece::Bare(newline) => (Step::LineBreak, self.bare(&mut data.content, newline)),
            };
            if let Some(step) = self.hand_over(step, &verdict) {
                self.state = State::Chunk(data);
                return step;
            }
        }
    }

    fn end_of_chunk(&mut self, mut data: ChunkData) -> Step {
        if data.chunk.last && data.newlines.ends_with_bare_cr() {
            data.newlines = Newlines::default();
            let verdict = self.bare(&mut data.content, Newline::Cr);
            if let Some(step) = self.hand_over(Step::LineBreak, &verdict) {
                self.state = State::Chunk(data);
                return step;
            }
        }
        if data.chunk.last {
            return self.end_of_message(data.mail, data.content);
        }
        match data.content.fault {
            Some(reply) => self.reply(Phase::ChunkRefused(data.mail.hello), reply),
            None => {
                let chunks = Chunks {
                    mail: data.mail,
                    newlines: data.newlines,
                    octets: data.content.octets,
                };
                let reply = Reply::chunk_ok(data.chunk.octets);
                self.reply(Phase::Chunks(chunks), reply)
            }
        }
    }

    fn end_of_message(&mut self, mail: Mail, content: Content) -> Step {
        if let Some(reply) = content.fault {
            self.message_refused(mail, &reply);
            return Step::Again;
        }
        self.state = State::Asked(Asked::Commit(mail));
        Step::Ask(Question::Commit)
    }

    /// The 250 after the content; by LMTP one for each recipient. (RFC 2033 §4.2)
    pub(super) fn message_taken(&mut self, mail: Mail, receipt: &Receipt) {
        self.fruitless = 0;
        match self.config.role {
            Role::Smtp => self.say(Reply::queued(receipt.id())),
            Role::Lmtp => {
                for recipient in &mail.recipients.names {
                    self.say(Reply::queued_for(recipient, receipt.id()));
                }
            }
        }
        self.await_command(Phase::Ready(mail.hello));
    }

    /// The refusal after the content; by LMTP once for each recipient.
    pub(super) fn message_refused(&mut self, mail: Mail, reply: &Reply) {
        let replies = match self.config.role {
            Role::Smtp => 1,
            Role::Lmtp => mail.recipients.accepted,
        };
        for _ in 0..replies {
            self.say(reply.clone());
        }
        self.await_command(Phase::Ready(mail.hello));
    }

    /// Whether so many octets more are still within the limit of size.
    fn admit(&self, content: &mut Content, octets: usize) -> Verdict {
        if content.fault.is_some() {
            return Verdict::Drop;
        }
        let limit = self.config.max_message_octets;
        let total = content.octets.saturating_add(octets_of(octets));
        if total > limit {
            content.fault = Some(Reply::message_too_big(limit));
            return Verdict::Refuse;
        }
        content.octets = total;
        Verdict::Take
    }

    /// What a CR or LF on its own is to the message. (RFC 5321 §2.3.8)
    fn bare(&self, content: &mut Content, newline: Newline) -> Verdict {
        match self.config.bare_newlines {
            BareNewlines::Normalise => self.admit(content, CRLF),
            BareNewlines::Refuse if content.fault.is_some() => Verdict::Drop,
            BareNewlines::Refuse => {
                content.fault = Some(Reply::bare_newline(newline));
                Verdict::Refuse
            }
        }
    }

    /// The step that a piece leads to; none if it is thrown away.
    fn hand_over(&mut self, step: Step, verdict: &Verdict) -> Option<Step> {
        match verdict {
            Verdict::Take => Some(step),
            Verdict::Drop => None,
            Verdict::Refuse => {
                self.abandon();
                Some(Step::Again)
            }
        }
    }
}

/// What the front of a chunk holds.
enum Piece {
    Content,
    LineBreak,
    Nothing,
    Bare(Newline),
}

fn octets_of(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}
