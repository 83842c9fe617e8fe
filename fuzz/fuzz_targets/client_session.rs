//! A client session with a server that says anything, at any step, cut anywhere.
//!
//! The input is four octets of options and then what the server says, a NUL between what it says at one time and at
//! the next. A turn that starts with 1 comes in the middle of the content, one with 2 when a write has failed. However a
//! turn is cut, the session does the same, and each recipient gets exactly one verdict.

#![no_main]

use std::time::Duration;

use facteur_mail::{Address, BodyType, EnvId, Notify, Orcpt, Recipient, Ret, ReversePath};
use facteur_smtp::client::{Action, Config, Dialect, Inspection, Lost, Message, Session, Waiting};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((options, said)) = data.split_first_chunk() else {
        return;
    };
    let run = |piece| Driver::new(*options, said, piece).converse();
    let whole = run(usize::MAX);
    assert_eq!(
        whole,
        run(usize::from(options[3]) + 1),
        "any cut gives the same"
    );
    assert_eq!(whole, run(1), "octet by octet");
});

const CONTENT: &[u8] = b"A: b\r\n\r\n.text\r\n";

struct Driver<'a> {
    session: Session,
    options: [u8; 4],
    turns: std::iter::Peekable<std::vec::IntoIter<&'a [u8]>>,
    piece: usize,
    /// How many messages are still to go.
    messages: u8,
    /// How many recipients have no verdict yet.
    awaited: usize,
    log: Vec<String>,
}

impl<'a> Driver<'a> {
    fn new(options: [u8; 4], said: &'a [u8], piece: usize) -> Self {
        let dialect = if options[0] & 1 == 0 {
            Dialect::Smtp
        } else {
            Dialect::Lmtp
        };
        let turns: Vec<&[u8]> = said.split(|byte| *byte == 0).collect();
        Self {
            session: Session::new(Config {
                dialect,
                our_name: "us.test".into(),
                host: "mx.test".into(),
            }),
            options,
            turns: turns.into_iter().peekable(),
            piece,
            messages: 1 + (options[0] >> 1 & 1),
            awaited: 0,
            log: Vec::new(),
        }
    }

    fn converse(mut self) -> Vec<String> {
        while self.step() {}
        assert_eq!(self.awaited, 0, "everybody has a verdict: {:#?}", self.log);
        self.log
    }

    fn step(&mut self) -> bool {
        match self.session.next_action() {
            Action::Write { bytes, .. } => {
                assert!(!bytes.is_empty());
                self.log.push(format!("C: {}", bytes.escape_ascii()));
                if self.turn_starts(2) {
                    self.session.write_failed();
                    self.server_speaks();
                    self.session
                        .lost(Lost::Broken(std::io::ErrorKind::BrokenPipe));
                }
            }
            Action::Read { waiting, .. } => {
                if self.turns.peek().is_none() {
                    self.hang_up(waiting);
                } else {
                    self.server_speaks();
                }
            }
            Action::NeedContent => {
                self.session.content(&CONTENT[..4]);
                if self.turn_starts(1) {
                    self.server_speaks();
                }
                self.session.content(&CONTENT[4..]);
                self.session.content_ends();
            }
            Action::Outcome(outcome) => {
                self.awaited = self.awaited.checked_sub(1).expect("one verdict for each");
                self.log.push(format!("{outcome:?}"));
            }
            Action::Failed { stage, said } => self.log.push(format!("{stage:?} {said:?}")),
            Action::Unusual { stage, finding } => self.log.push(format!("{stage:?} {finding:?}")),
            Action::Idle => self.next_message(),
            Action::Close => return false,
        }
        true
    }

    fn turn_starts(&mut self, with: u8) -> bool {
        self.turns
            .peek()
            .is_some_and(|turn| turn.first() == Some(&with))
    }

    /// All of a turn arrives before the session is asked what to do.
    fn server_speaks(&mut self) {
        let turn = self.turns.next().unwrap_or_default();
        let said = match turn {
            [1 | 2, said @ ..] => said,
            said => said,
        };
        for piece in said.chunks(self.piece) {
            self.session.receive(piece);
        }
    }

    fn hang_up(&mut self, waiting: Waiting) {
        self.session.lost(if self.options[0] & 4 == 0 {
            Lost::Closed
        } else {
            let after = Duration::from_secs(300);
            Lost::TimedOut { waiting, after }
        });
    }

    fn next_message(&mut self) {
        assert_eq!(
            self.awaited, 0,
            "idle with everybody settled: {:#?}",
            self.log
        );
        let Some(left) = self.messages.checked_sub(1) else {
            return self.session.quit();
        };
        self.messages = left;
        let sender = sender(self.options[1]);
        let envid = EnvId("a+b =".into());
        let recipients = recipients(self.options[2]);
        let recipients: Vec<&Recipient> = recipients.iter().collect();
        let mut message = Message {
            sender: &sender,
            recipients: &recipients,
            octets: CONTENT.len() as u64 + u64::from(self.options[0] & 8),
            body: match self.options[1] >> 4 & 3 {
                0 => BodyType::SevenBit,
                1 => BodyType::BinaryMime,
                _ => BodyType::EightBitMime,
            },
            smtputf8: self.options[0] & 16 != 0,
            ret: (self.options[0] & 32 != 0).then_some(Ret::Headers),
            envid: (self.options[0] & 64 != 0).then_some(&envid),
            facts: None,
            chunking: self.options[0] & 128 != 0,
        };
        if self.session.wants_facts(&message) {
            let mut inspection = Inspection::default();
            inspection.push(CONTENT);
            message.facts = Some(inspection.finish());
        }
        self.awaited = recipients.len();
        self.session.send(&message);
    }
}

fn sender(options: u8) -> ReversePath {
    match options & 3 {
        0 => ReversePath::Null,
        1 => ReversePath::Address(Address::parse("é@us.test").unwrap()),
        _ => ReversePath::Address(Address::parse(r#""a b"@us.test"#).unwrap()),
    }
}

/// One to four recipients, or enough for more than one group of commands.
fn recipients(options: u8) -> Vec<Recipient> {
    let count = if options & 128 == 0 {
        1 + (options & 3)
    } else {
        70
    };
    let recipient = |index: u8| Recipient {
        address: if options & 4 != 0 && index == 1 {
            Address::parse("ü@them.test").unwrap()
        } else {
            Address::parse(&format!("r{index}@them.test")).unwrap()
        },
        orcpt: (options & 8 != 0).then(|| Orcpt {
            kind: "utf-8".into(),
            address: "ü+\\@them.test".into(),
        }),
        notify: if options & 16 == 0 {
            Notify::Default
        } else {
            Notify::On {
                success: true,
                failure: options & 32 != 0,
                delay: options & 64 != 0,
            }
        },
    };
    (0..count).map(recipient).collect()
}
