//! A driver in memory: it answers a session's questions as the options of a dialogue say, and keeps what was said.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Domain, QueueId, Receipt};
use facteur_replies::Reply;
use facteur_smtp::server::{Action, BareNewlines, Config, Question, Role, Session};
use facteur_testkit::dialogue::{Conversation, Dialogue};

/// A server in memory.
pub(crate) struct Driver {
    session: Session,
    verdicts: Vec<Verdict>,
    /// How many octets are received at once.
    piece: usize,
    /// What was said and not heard yet.
    output: VecDeque<String>,
    draft: Option<Vec<u8>>,
    messages: VecDeque<Vec<u8>>,
    taken: u64,
    closed: bool,
    /// Every action, reads apart, content joined.
    pub(crate) log: Vec<String>,
    /// How many octets of input the session held when it waited for a command.
    pub(crate) idle_input: usize,
}

/// An answer that a dialogue asks for.
struct Verdict {
    /// `refuse-mail`, `refuse-rcpt`, …
    at: String,
    /// The address, where there is one.
    about: Option<String>,
    reply: Reply,
}

impl Driver {
    /// A server as a dialogue wants it, which receives at most `piece` octets at once.
    pub(crate) fn new(dialogue: &Dialogue, piece: usize) -> Self {
        let hostname = Domain::parse("mx.example.org").unwrap();
        let mut config = Config::new(hostname, Role::Smtp);
        let mut verdicts = Vec::new();
        for option in &dialogue.options {
            let number = || option.values[0].parse().unwrap();
            match option.name.as_str() {
                "role" if option.values[0] == "lmtp" => config.role = Role::Lmtp,
                "normalise-bare-newlines" => config.bare_newlines = BareNewlines::Normalise,
                "max-message-octets" => {
                    config.max_message_octets = option.values[0].parse().unwrap();
                }
                "max-recipients" => config.max_recipients = number(),
                "max-messages" => config.max_messages = number(),
                "max-errors" => config.max_errors = number(),
                "refuse-mail" | "refuse-rcpt" => verdicts.push(Verdict {
                    at: option.name.clone(),
                    about: Some(option.values[0].clone()),
                    reply: reply(&option.values[1..]),
                }),
                "refuse-begin" | "refuse-content" | "refuse-commit" => verdicts.push(Verdict {
                    at: option.name.clone(),
                    about: None,
                    reply: reply(&option.values),
                }),
                other => panic!("unknown option {other}"),
            }
        }
        Self::with_config(config, verdicts, piece)
    }

    /// A server with the defaults, which takes everything.
    pub(crate) fn plain(role: Role, piece: usize) -> Self {
        let hostname = Domain::parse("mx.example.org").unwrap();
        let mut config = Config::new(hostname, role);
        config.max_errors = u32::MAX;
        Self::with_config(config, Vec::new(), piece)
    }

    fn with_config(config: Config, verdicts: Vec<Verdict>, piece: usize) -> Self {
        let ip = "192.0.2.1".parse().unwrap();
        let mut driver = Self {
            session: Session::new(Arc::new(config), Some(ip)),
            verdicts,
            piece,
            output: VecDeque::new(),
            draft: None,
            messages: VecDeque::new(),
            taken: 0,
            closed: false,
            log: Vec::new(),
            idle_input: 0,
        };
        driver.perform();
        driver
    }

    /// Performs actions until the session wants to read or to close.
    fn perform(&mut self) {
        loop {
            match self.session.next_action() {
                Action::Reply(reply) => {
                    let mut wire = Vec::new();
                    reply.write_to(&mut wire);
                    let wire = String::from_utf8(wire).unwrap();
                    self.log.push(format!("reply {wire}"));
                    self.output.extend(wire.lines().map(str::to_owned));
                }
                Action::Ask(question) => {
                    self.log.push(format!("ask {question:?}"));
                    self.decide(question);
                }
                Action::Content(content) => {
                    assert!(!content.is_empty());
                    self.draft.as_mut().unwrap().extend_from_slice(content);
                    if let Some(reply) = self.verdict("refuse-content", None) {
                        self.session.refuse_message(reply);
                    }
                }
                Action::Abandon => {
                    self.draft = None;
                    self.log.push("abandon".to_owned());
                }
                Action::Read(_) => {
                    self.idle_input = self.session.input_capacity();
                    return;
                }
                Action::Close => {
                    self.closed = true;
                    self.draft = None;
                    return;
                }
            }
        }
    }

    fn decide(&mut self, question: Question) {
        let refusal = match &question {
            Question::Sender(mail) => self.verdict("refuse-mail", Some(mail.sender.to_string())),
            Question::Recipient(rcpt) => {
                self.verdict("refuse-rcpt", Some(rcpt.address.to_string()))
            }
            Question::Begin => self.verdict("refuse-begin", None),
            Question::Commit => self.verdict("refuse-commit", None),
        };
        let verdict = refusal.map_or(Ok(()), Err);
        match question {
            Question::Sender(_) | Question::Recipient(_) => self.session.answer(verdict),
            Question::Begin => {
                assert!(self.draft.is_none(), "one draft at a time");
                self.draft = verdict.is_ok().then(Vec::new);
                self.session.answer(verdict);
            }
            Question::Commit => {
                let content = self.draft.take().unwrap();
                self.taken += 1;
                let receipt = Receipt::mint(QueueId::from_number(self.taken));
                if verdict.is_ok() {
                    self.log.push(format!("took {}", content.escape_ascii()));
                    self.messages.push_back(content);
                }
                self.session.committed(verdict.map(|()| receipt));
            }
        }
    }

    fn verdict(&self, at: &str, about: Option<String>) -> Option<Reply> {
        let found = self
            .verdicts
            .iter()
            .find(|v| v.at == at && v.about == about)?;
        Some(found.reply.clone())
    }
}

fn reply(words: &[String]) -> Reply {
    Reply::restore(&words[0], words[1..].to_vec())
        .unwrap_or_else(|| panic!("the table has no reply {words:?}"))
}

impl Conversation for Driver {
    fn send(&mut self, octets: &[u8]) {
        for piece in octets.chunks(self.piece) {
            if self.closed {
                return;
            }
            self.session.receive(piece);
            self.perform();
        }
    }

    fn hear(&mut self) -> Option<String> {
        self.output.pop_front()
    }

    fn hang_up(&mut self) {
        self.session.disconnected();
        self.perform();
    }

    fn is_closed(&mut self) -> bool {
        self.closed && self.output.is_empty()
    }

    fn unheard(&mut self) -> Option<String> {
        self.output.front().cloned()
    }

    fn message(&mut self, _: &[u8]) -> Option<Vec<u8>> {
        self.messages.pop_front()
    }

    fn interrupt(&mut self, words: &[String]) {
        match words {
            [name, _, seconds] if name == "idle_too_long" => {
                let waited = Duration::from_secs(seconds.parse().unwrap());
                self.session.timed_out(waited);
            }
            words => self.session.interrupt(reply(words)),
        }
        self.perform();
    }
}
