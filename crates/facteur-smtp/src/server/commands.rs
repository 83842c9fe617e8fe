//! The commands, one method each: is it in order, and what is the answer. (RFC 5321 §4.1.4)

use facteur_mail::{Address, BodyType, Client, Host, LocalPart, Recipient};
use facteur_replies::Reply;

use super::action::{Question, Transaction};
use super::config::Role;
use super::session::{Session, Step};
use super::state::{Asked, Chunks, Content, Discard, Hello, Mail, Phase, Recipients, State};
use crate::limits::MAX_COMMAND_LINE;
use crate::syntax::command::{Chunk, Command, Forward, Greeting, MailFrom, RcptTo};

/// The lines of HELP.
const HELP: [&str; 3] = [
    "Commands: EHLO HELO LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT",
    "What a reply means, and who must do what: facteur explain 556",
    "End each line with CRLF, and the message with a dot on a line of its own",
];

impl Session {
    /// Obeys a command, or says why not.
    pub(super) fn obey(&mut self, phase: Phase, command: Command) -> Step {
        match command {
            Command::Hello(greeting, name) => self.hello(phase, greeting, name),
            Command::Mail(mail) => self.mail(phase, mail),
            Command::Rcpt(rcpt) => self.rcpt(phase, rcpt),
            Command::Data(syntax) => self.data(phase, syntax),
            Command::Bdat(Ok(chunk)) => self.bdat(phase, chunk),
            Command::Rset(Ok(())) => self.rset(phase),
            Command::Noop => self.reply(phase, Reply::noop_ok()),
            Command::Vrfy(Ok(())) => self.reply(phase, Reply::cannot_verify()),
            Command::Help => {
                let lines = HELP.map(str::to_owned);
                self.reply(phase, Reply::help().with_lines(lines))
            }
            Command::Quit(Ok(())) => self.close(Reply::bye(&self.config.hostname)),
            Command::Bdat(Err(reply))
            | Command::Rset(Err(reply))
            | Command::Vrfy(Err(reply))
            | Command::Quit(Err(reply)) => self.reply(phase, reply),
            Command::NotOffered(name) => self.reply(phase, Reply::not_implemented(name)),
            Command::Http => self.close(Reply::not_http(&self.config.hostname)),
            Command::Unknown => self.reply(phase, Reply::unknown_command()),
            Command::BadCharacter => self.reply(phase, Reply::bad_character()),
        }
    }

    pub(super) fn too_long(&mut self, phase: Phase) -> Step {
        self.reply(phase, Reply::line_too_long(MAX_COMMAND_LINE))
    }

    fn hello(&mut self, phase: Phase, greeting: Greeting, name: Result<Box<str>, Reply>) -> Step {
        let expected = match (self.config.role, greeting) {
            (Role::Smtp, Greeting::Lhlo) => Some("EHLO"),
            (Role::Lmtp, Greeting::Helo | Greeting::Ehlo) => Some("LHLO"),
            (Role::Smtp, Greeting::Helo | Greeting::Ehlo) | (Role::Lmtp, Greeting::Lhlo) => None,
        };
        let name = match (expected, name) {
            (Some(expected), _) => return self.reply(phase, Reply::wrong_hello(expected)),
            (None, Err(reply)) => return self.reply(phase, reply),
            (None, Ok(name)) => name,
        };
        if phase.into_hello().1 {
            self.abandon();
        }
        let extended = greeting != Greeting::Helo;
        let reply = if extended {
            Reply::extended_hello(&self.config.hostname).with_lines(self.config.keywords())
        } else {
            Reply::hello(&self.config.hostname)
        };
        self.reply(Phase::Ready(Hello { name, extended }), reply)
    }

    fn mail(&mut self, phase: Phase, mail: Result<MailFrom, Reply>) -> Step {
        let hello = match phase {
            Phase::Ready(hello) => hello,
            Phase::Unnamed => return self.hello_first(),
            Phase::Open(_) => return self.reply(phase, Reply::nested_mail()),
            Phase::Chunks(_) => return self.reply(phase, Reply::chunks_under_way()),
            Phase::ChunkRefused(_) => return self.reply(phase, Reply::chunk_refused_before()),
        };
        if self.messages >= self.config.max_messages {
            return self.close(Reply::too_many_messages(&self.config.hostname));
        }
        let limit = self.config.max_message_octets;
        let mail = match mail {
            Ok(mail) if !mail.ascii && !mail.smtputf8 => Err(Reply::needs_smtputf8()),
            Ok(mail) if mail.size > Some(limit) => Err(Reply::message_too_big(limit)),
            other => other,
        };
        let mail = match mail {
            Ok(mail) => mail,
            Err(reply) => return self.reply(Phase::Ready(hello), reply),
        };
        let client = Client {
            ip: self.ip,
            helo: hello.name.clone(),
            protocol: hello.protocol(self.config.role, mail.smtputf8),
        };
        self.state = State::Asked(Asked::Sender {
            sender: mail.sender.to_string(),
            mail: Mail {
                hello,
                body: mail.body,
                smtputf8: mail.smtputf8,
                recipients: Recipients::default(),
            },
        });
        Step::Ask(Question::Sender(Transaction {
            sender: mail.sender,
            size: mail.size,
            body: mail.body,
            smtputf8: mail.smtputf8,
            ret: mail.ret,
            envid: mail.envid,
            client,
        }))
    }

    pub(super) fn sender_decided(&mut self, mail: Mail, sender: &str, verdict: Result<(), Reply>) {
        match verdict {
            Ok(()) => {
                self.messages += 1;
                self.reply(Phase::Open(mail), Reply::sender_ok(sender))
            }
            Err(reply) => self.reply(Phase::Ready(mail.hello), reply),
        };
    }

    fn rcpt(&mut self, phase: Phase, rcpt: Result<RcptTo, Reply>) -> Step {
        let mut mail = match phase {
            Phase::Open(mail) => mail,
            Phase::Unnamed => return self.hello_first(),
            Phase::Ready(_) => return self.reply(phase, Reply::mail_first()),
            Phase::Chunks(_) => return self.reply(phase, Reply::chunks_under_way()),
            Phase::ChunkRefused(_) => return self.reply(phase, Reply::chunk_refused_before()),
        };
        let limit = self.config.max_recipients;
        let rcpt = match rcpt {
            Ok(rcpt) if !rcpt.ascii && !mail.smtputf8 => Err(Reply::needs_smtputf8()),
            Ok(_) if mail.recipients.accepted >= limit => Err(Reply::too_many_recipients(limit)),
            other => other,
        };
        let recipient = match rcpt {
            Ok(rcpt) => self.recipient(rcpt),
            Err(reply) => {
                mail.recipients.refused = true;
                return self.reply(Phase::Open(mail), reply);
            }
        };
        self.state = State::Asked(Asked::Recipient {
            mail,
            recipient: recipient.address.to_string(),
        });
        Step::Ask(Question::Recipient(recipient))
    }

    /// The recipient with its address, `<postmaster>` being ours.
    fn recipient(&self, rcpt: RcptTo) -> Recipient {
        let address = match rcpt.to {
            Forward::Address(address) => address,
            Forward::Postmaster => Address::new(
                LocalPart::postmaster(),
                Host::Domain(self.config.hostname.clone()),
            ),
        };
        Recipient {
            address,
            orcpt: rcpt.orcpt,
            notify: rcpt.notify,
        }
    }

    pub(super) fn recipient_decided(
        &mut self,
        mut mail: Mail,
        recipient: String,
        verdict: Result<(), Reply>,
    ) {
        let reply = match verdict {
            Ok(()) => {
                let reply = Reply::recipient_ok(&recipient);
                mail.recipients.accepted += 1;
                if self.config.role == Role::Lmtp {
                    mail.recipients.names.push(recipient.into());
                }
                reply
            }
            Err(reply) => {
                mail.recipients.refused = true;
                reply
            }
        };
        self.reply(Phase::Open(mail), reply);
    }

    fn data(&mut self, phase: Phase, syntax: Result<(), Reply>) -> Step {
        let mail = match (phase, syntax) {
            (phase, Err(reply)) => return self.reply(phase, reply),
            (Phase::Open(mail), Ok(())) => mail,
            (Phase::Unnamed, Ok(())) => return self.hello_first(),
            (phase @ Phase::Ready(_), Ok(())) => return self.reply(phase, Reply::mail_first()),
            (phase @ Phase::Chunks(_), Ok(())) => {
                return self.reply(phase, Reply::chunks_under_way());
            }
            (phase @ Phase::ChunkRefused(_), Ok(())) => {
                return self.reply(phase, Reply::chunk_refused_before());
            }
        };
        if mail.body == BodyType::BinaryMime {
            return self.reply(Phase::Open(mail), Reply::binary_needs_chunks());
        }
        if let Some(reply) = no_recipients(&mail) {
            return self.reply(Phase::Open(mail), reply);
        }
        self.state = State::Asked(Asked::Begin { mail, chunk: None });
        Step::Ask(Question::Begin)
    }

    /// A BDAT out of order is read to its end all the same: its octets are no commands.
    fn bdat(&mut self, phase: Phase, chunk: Chunk) -> Step {
        let reply = match phase {
            Phase::Open(mail) => match no_recipients(&mail) {
                None => {
                    self.state = State::Asked(Asked::Begin {
                        mail,
                        chunk: Some(chunk),
                    });
                    return Step::Ask(Question::Begin);
                }
                Some(reply) => return self.discard_chunk(Phase::Open(mail), chunk, reply),
            },
            Phase::Chunks(Chunks {
                mail,
                newlines,
                octets,
            }) => {
                let fault = None;
                self.begin_chunk(mail, newlines, Content { octets, fault }, chunk);
                return Step::Again;
            }
            Phase::Unnamed => self.hello_first_reply(),
            Phase::Ready(_) => Reply::mail_first(),
            Phase::ChunkRefused(_) => Reply::chunk_refused_before(),
        };
        self.discard_chunk(phase, chunk, reply)
    }

    fn discard_chunk(&mut self, phase: Phase, chunk: Chunk, reply: Reply) -> Step {
        self.state = State::Discard(Discard {
            remaining: chunk.octets,
            reply,
            phase,
        });
        Step::Again
    }

    fn rset(&mut self, phase: Phase) -> Step {
        let (hello, open) = phase.into_hello();
        if open {
            self.abandon();
        }
        self.reply(
            hello.map_or(Phase::Unnamed, Phase::Ready),
            Reply::reset_ok(),
        )
    }

    fn hello_first(&mut self) -> Step {
        let reply = self.hello_first_reply();
        self.reply(Phase::Unnamed, reply)
    }

    fn hello_first_reply(&self) -> Reply {
        match self.config.role {
            Role::Smtp => Reply::hello_first(),
            Role::Lmtp => Reply::lhlo_first(),
        }
    }
}

/// The reply to DATA or BDAT in a transaction without recipients. (RFC 5321 §3.3)
fn no_recipients(mail: &Mail) -> Option<Reply> {
    match &mail.recipients {
        Recipients { accepted: 1.., .. } => None,
        Recipients { refused: true, .. } => Some(Reply::no_valid_recipients()),
        Recipients { .. } => Some(Reply::recipient_first()),
    }
}
