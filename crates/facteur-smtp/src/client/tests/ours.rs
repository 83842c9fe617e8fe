//! Our client and our server, face to face: what one sends is what the other takes.

use std::sync::Arc;

use facteur_mail::{Domain, QueueId, Receipt};
use proptest::prelude::*;

use super::*;
use crate::server;

/// A server that takes everything.
struct Ours {
    session: server::Session,
    says: Vec<u8>,
    transaction: Option<server::Transaction>,
    recipients: Vec<Recipient>,
    content: Vec<u8>,
    taken: usize,
}

impl Ours {
    fn new(role: server::Role) -> Self {
        let config = server::Config::new(Domain::parse("mx.test").unwrap(), role);
        let mut ours = Self {
            session: server::Session::new(Arc::new(config), None),
            says: Vec::new(),
            transaction: None,
            recipients: Vec::new(),
            content: Vec::new(),
            taken: 0,
        };
        ours.perform();
        ours
    }

    fn hear(&mut self, bytes: &[u8], size: usize) {
        for piece in bytes.chunks(size) {
            self.session.receive(piece);
            self.perform();
        }
    }

    fn perform(&mut self) {
        use server::{Action, Question};
        loop {
            match self.session.next_action() {
                Action::Reply(reply) => reply.write_to(&mut self.says),
                Action::Ask(Question::Commit) => {
                    self.taken += 1;
                    let id = QueueId::from_number(1);
                    self.session.committed(Ok(Receipt::mint(id)));
                }
                Action::Ask(question) => {
                    match question {
                        Question::Sender(transaction) => self.transaction = Some(transaction),
                        Question::Recipient(recipient) => self.recipients.push(recipient),
                        Question::Begin | Question::Commit => {}
                    }
                    self.session.answer(Ok(()));
                }
                Action::Content(content) => self.content.extend_from_slice(content),
                Action::Abandon => {}
                Action::Read(_) | Action::Close => return,
            }
        }
    }
}

/// Sends one message; the words for each recipient.
fn send(mail: &Mail, ours: &mut Ours, dialect: Dialect, size: usize) -> Vec<String> {
    let mut session = Session::new(Config {
        dialect,
        our_name: "us.test".into(),
        host: "mx.test".into(),
    });
    let recipients: Vec<&Recipient> = mail.recipients.iter().collect();
    let mut pieces = mail.content.chunks(size).peekable();
    let mut words = Vec::new();
    let mut sent = false;
    loop {
        match session.next_action() {
            Action::Write { bytes, .. } => ours.hear(bytes, size),
            Action::Read { .. } => {
                let says = std::mem::take(&mut ours.says);
                assert!(!says.is_empty(), "the server has an answer to everything");
                says.chunks(size).for_each(|piece| session.receive(piece));
            }
            Action::NeedContent => {
                session.content(pieces.next().unwrap_or_default());
                if pieces.peek().is_none() {
                    session.content_ends();
                }
            }
            Action::Outcome(outcome) => words.push(outcome.said.to_line()),
            Action::Idle if !sent => {
                let mut message = mail.with(&recipients);
                if session.wants_facts(&message) {
                    let mut inspection = Inspection::default();
                    inspection.push(&mail.content);
                    message.facts = Some(inspection.finish());
                }
                session.send(&message);
                sent = true;
            }
            Action::Idle => session.quit(),
            Action::Close => return words,
            Action::Failed { said, .. } => panic!("{said:?}"),
            Action::Unusual { finding, .. } => panic!("our replies are usual: {finding:?}"),
        }
    }
}

#[test]
fn every_parameter_arrives_as_it_was() {
    let mut mail = mail(&["x@t.test", "é@t.test"]);
    mail.sender = ReversePath::Address(Address::parse("\"a b\"@us.test").unwrap());
    mail.body = BodyType::BinaryMime;
    mail.smtputf8 = true;
    mail.ret = Some(Ret::Headers);
    mail.envid = Some(EnvId("a+b = c".into()));
    mail.recipients[0].notify = Notify::Never;
    mail.recipients[1].notify = Notify::On {
        success: true,
        failure: true,
        delay: false,
    };
    mail.recipients[1].orcpt = Some(Orcpt {
        kind: "utf-8".into(),
        address: "ö+\\=@t.test".into(),
    });
    mail.content = b"A: b\r\n\r\n\0\n.\r.\r\n.\r\n".to_vec();
    let mut ours = Ours::new(server::Role::Smtp);
    let words = send(&mail, &mut ours, Dialect::Smtp, usize::MAX);
    assert!(
        words.iter().all(|words| words.starts_with("250 2.0.0")),
        "{words:?}"
    );
    let heard = ours.transaction.unwrap();
    assert_eq!((heard.sender, heard.envid), (mail.sender, mail.envid));
    assert_eq!(
        (heard.size, heard.body),
        (Some(mail.content.len() as u64), mail.body)
    );
    assert_eq!((heard.smtputf8, heard.ret), (true, mail.ret));
    assert_eq!(ours.recipients, mail.recipients);
    assert_eq!(ours.content, mail.content);
}

proptest! {
    #[test]
    fn prop_our_server_takes_what_our_client_sends(
        lines in prop::collection::vec("[.a-zé ]{0,12}", 0..20),
        recipients in 1_usize..150,
        lmtp: bool,
        chunking: bool,
        size in 1_usize..2_000,
    ) {
        let names: Vec<String> = (0..recipients).map(|i| format!("r{i}@t.test")).collect();
        let mut mail = mail(&names.iter().map(String::as_str).collect::<Vec<_>>());
        mail.content = lines.iter().fold(String::new(), |all, line| all + line + "\r\n").into_bytes();
        mail.body = BodyType::EightBitMime;
        mail.chunking = chunking;
        let (role, dialect) = if lmtp {
            (server::Role::Lmtp, Dialect::Lmtp)
        } else {
            (server::Role::Smtp, Dialect::Smtp)
        };
        let mut ours = Ours::new(role);
        let words = send(&mail, &mut ours, dialect, size);
        prop_assert_eq!(words.len(), recipients);
        prop_assert!(words.iter().all(|words| words.starts_with("250 ")));
        prop_assert_eq!(ours.taken, 1);
        prop_assert_eq!(ours.content, mail.content);
        prop_assert_eq!(ours.recipients, mail.recipients);
    }
}
