//! A server session fed with anything, by a client that cuts it anywhere.
//!
//! The input is three octets of options and then what the client sends. However it is cut, the session does the same;
//! what it says is well-formed; what it hands over has no bare newline.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{BodyType, Domain, QueueId, Receipt};
use facteur_replies::{MAX_REPLY_LINE, Reply};
use facteur_smtp::limits::{MAX_COMMAND_LINE, MAX_IDLE_INPUT};
use facteur_smtp::server::{Action, BareNewlines, Config, Expecting, Question, Role, Session};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(([options, refusals, piece], input)) = data.split_first_chunk() else {
        return;
    };
    let run = |piece| Driver::new(*options, *refusals).converse(input, piece);
    let whole = run(usize::MAX);
    assert_eq!(
        whole,
        run(usize::from(*piece) + 1),
        "any cut gives the same"
    );
    assert_eq!(whole, run(1), "octet by octet");
});

struct Driver {
    session: Session,
    options: u8,
    refusals: u8,
    body: BodyType,
    draft: Option<Vec<u8>>,
    log: Vec<String>,
}

impl Driver {
    fn new(options: u8, refusals: u8) -> Self {
        let on = |bit: u8| options & bit != 0;
        let role = if on(1) { Role::Lmtp } else { Role::Smtp };
        let mut config = Config::new(Domain::parse("mx.example.org").unwrap(), role);
        if on(2) {
            config.bare_newlines = BareNewlines::Normalise;
        }
        if on(4) {
            config.max_message_octets = 20;
        }
        if on(8) {
            config.max_recipients = 2;
        }
        if on(16) {
            config.max_messages = 2;
        }
        config.max_errors = if on(32) { 2 } else { u32::MAX };
        Self {
            session: Session::new(Arc::new(config), None),
            options,
            refusals,
            body: BodyType::SevenBit,
            draft: None,
            log: Vec::new(),
        }
    }

    fn converse(mut self, input: &[u8], piece: usize) -> Vec<String> {
        self.perform();
        for piece in input.chunks(piece) {
            self.session.receive(piece);
            self.perform();
        }
        if self.options & 64 != 0 {
            self.session.timed_out(Duration::from_secs(300));
        } else {
            self.session.disconnected();
        }
        self.perform();
        self.log
    }

    /// Performs actions until the session wants to read or to close.
    fn perform(&mut self) {
        loop {
            match self.session.next_action() {
                Action::Reply(reply) => self.log.push(wire(&reply)),
                Action::Ask(question) => self.decide(question),
                Action::Content(content) => {
                    assert!(!content.is_empty());
                    self.draft.as_mut().unwrap().extend_from_slice(content);
                    if self.refusals & 8 != 0 {
                        self.session.refuse_message(Reply::local_error());
                    }
                }
                Action::Abandon => {
                    self.draft = None;
                    self.log.push("abandon".to_owned());
                }
                Action::Read(Expecting::Command) => {
                    let held = self.session.input_capacity();
                    assert!(held <= MAX_IDLE_INPUT.max(2 * MAX_COMMAND_LINE), "{held}");
                    return;
                }
                Action::Read(Expecting::Content) => return,
                Action::Close => return self.draft = None,
            }
        }
    }

    fn decide(&mut self, question: Question) {
        self.log.push(format!("{question:?}"));
        let bit = match &question {
            Question::Sender(mail) => {
                self.body = mail.body;
                1
            }
            Question::Recipient(_) => 2,
            Question::Begin => 4,
            Question::Commit => 16,
        };
        let verdict = if self.refusals & bit == 0 {
            Ok(())
        } else {
            Err(Reply::local_error())
        };
        match question {
            Question::Sender(_) | Question::Recipient(_) => self.session.answer(verdict),
            Question::Begin => {
                assert!(self.draft.is_none(), "one draft at a time");
                self.draft = verdict.is_ok().then(Vec::new);
                self.session.answer(verdict);
            }
            Question::Commit => {
                let content = self.draft.take().unwrap();
                if self.body != BodyType::BinaryMime {
                    assert!(!has_bare_newline(&content), "{}", content.escape_ascii());
                }
                self.log.push(content.escape_ascii().to_string());
                let receipt = Receipt::mint(QueueId::from_number(1));
                self.session.committed(verdict.map(|()| receipt));
            }
        }
    }
}

/// The reply as it goes out, after a look at its form.
fn wire(reply: &Reply) -> String {
    let mut out = Vec::new();
    reply.write_to(&mut out);
    let text = String::from_utf8(out).unwrap();
    let lines = text.strip_suffix("\r\n").unwrap().split("\r\n");
    for line in lines {
        assert!(line.len() + 2 <= MAX_REPLY_LINE);
        assert!(
            line.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{line:?}"
        );
    }
    text
}

fn has_bare_newline(content: &[u8]) -> bool {
    let rest = String::from_utf8_lossy(content).replace("\r\n", "");
    rest.contains(['\r', '\n'])
}
