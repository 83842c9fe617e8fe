//! Dialogues with a scripted server. A script is the whole transcript: `S:` lines are what the server says when we
//! read, everything else must come from the session, line by line.
//!
//! `C:` a line that we write, `S:` a line of the server, `S! lost` and `S! silent` the ends of a connection, `=` an outcome
//! (`= recipient about stage words`), `* failed`, `* unusual`, `* idle`, `* close`.

use std::fmt::Write as _;
use std::time::Duration;

use super::*;
use facteur_mail::{Address, BodyType, EnvId, Notify, Orcpt, Recipient, Ret, ReversePath};

mod chunking;
mod dialogues;
mod forms;
mod lmtp;
mod ours;
mod steps;
mod transcript;

/// A message with its content, as the tests write it.
struct Mail {
    sender: ReversePath,
    recipients: Vec<Recipient>,
    content: Vec<u8>,
    body: BodyType,
    smtputf8: bool,
    ret: Option<Ret>,
    envid: Option<EnvId>,
    octets: Option<u64>,
    chunking: bool,
}

fn mail(recipients: &[&str]) -> Mail {
    let recipient = |text: &&str| Recipient {
        address: Address::parse(text).unwrap(),
        orcpt: None,
        notify: Notify::Default,
    };
    Mail {
        sender: ReversePath::Address(Address::parse("a@us.test").unwrap()),
        recipients: recipients.iter().map(recipient).collect(),
        content: b"A: b\r\n\r\n.text\r\n".to_vec(),
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        octets: None,
        chunking: false,
    }
}

impl Mail {
    fn with<'a>(&'a self, recipients: &'a [&'a Recipient]) -> Message<'a> {
        Message {
            sender: &self.sender,
            recipients,
            octets: self.octets.unwrap_or(self.content.len() as u64),
            body: self.body,
            smtputf8: self.smtputf8,
            ret: self.ret,
            envid: self.envid.as_ref(),
            facts: None,
            chunking: self.chunking,
        }
    }
}

/// Performs a session's actions against a script and writes down what happens.
struct Run<'a> {
    session: Session,
    mails: std::slice::Iter<'a, Mail>,
    content: &'a [u8],
    server: Vec<String>,
    chunk: usize,
    log: String,
}

impl<'a> Run<'a> {
    fn new(dialect: Dialect, mails: &'a [Mail], script: &str, chunk: usize) -> Self {
        let config = Config {
            dialect,
            our_name: "us.test".into(),
            host: "mx.test".into(),
        };
        // What the server says at once, in the script's order: groups of neighbouring `S` lines.
        let mut server: Vec<String> = Vec::new();
        let mut open = false;
        for line in script.lines() {
            match line.strip_prefix("S: ").map(|said| format!("{said}\r\n")) {
                Some(said) if open => server.last_mut().unwrap().push_str(&said),
                Some(said) => server.push(said),
                None if line.starts_with("S!") => server.push(line.to_owned()),
                None => {}
            }
            open = line.starts_with("S: ");
        }
        server.reverse();
        Self {
            session: Session::new(config),
            mails: mails.iter(),
            content: b"",
            server,
            chunk,
            log: String::new(),
        }
    }

    fn log(mut self) -> String {
        while self.step() {}
        self.log
    }

    fn step(&mut self) -> bool {
        let log = &mut self.log;
        match self.session.next_action() {
            Action::Write { bytes, .. } => {
                for line in String::from_utf8_lossy(bytes).split_terminator("\r\n") {
                    writeln!(log, "C: {line}").unwrap();
                }
            }
            Action::Read { waiting, .. } => self.server_speaks(waiting),
            Action::NeedContent => {
                self.session.content(self.content);
                self.session.content_ends();
            }
            Action::Outcome(it) => {
                let (about, stage) = (it.about, it.stage.name());
                writeln!(
                    log,
                    "= {} {about:?} {stage} {}",
                    it.index,
                    it.said.to_line()
                )
                .unwrap();
            }
            Action::Failed { stage, said } => {
                writeln!(log, "* failed {} {}", stage.name(), said.to_line()).unwrap();
            }
            Action::Unusual { stage, finding } => {
                writeln!(log, "* unusual {} {finding:?}", stage.name()).unwrap();
            }
            Action::Idle => match self.mails.next() {
                Some(mail) => self.send(mail),
                None => self.session.quit(),
            },
            Action::Close => {
                writeln!(log, "* close").unwrap();
                return false;
            }
        }
        true
    }

    fn send(&mut self, mail: &'a Mail) {
        writeln!(self.log, "* idle").unwrap();
        self.content = &mail.content;
        let recipients: Vec<&Recipient> = mail.recipients.iter().collect();
        let mut message = mail.with(&recipients);
        if self.session.wants_facts(&message) {
            let mut inspection = Inspection::default();
            inspection.push(&mail.content);
            message.facts = Some(inspection.finish());
        }
        self.session.send(&message);
    }

    fn server_speaks(&mut self, waiting: Waiting) {
        let said = self.server.pop().unwrap_or_else(|| "S! silent".to_owned());
        match said.as_str() {
            "S! lost" => {
                self.log.push_str("S! lost\n");
                self.session.lost(Lost::Closed);
            }
            "S! silent" => {
                self.log.push_str("S! silent\n");
                let after = Duration::from_secs(300);
                self.session.lost(Lost::TimedOut { waiting, after });
            }
            said => {
                for line in said.split_terminator("\r\n") {
                    writeln!(self.log, "S: {line}").unwrap();
                }
                for chunk in said.as_bytes().chunks(self.chunk) {
                    self.session.receive(chunk);
                }
            }
        }
    }
}

/// The content of [`mail`] on the wire.
const CONTENT: &str = "C: A: b\nC: \nC: ..text\nC: .";

/// How a session with nothing left to do ends.
const QUIT: &str = "C: QUIT\nS: 221 bye\n* close";

#[track_caller]
fn check_as(dialect: Dialect, mails: &[Mail], script: &str) {
    let script = script
        .replace("C: <content>", CONTENT)
        .replace("<quit>", QUIT);
    let lines = script.lines().map(str::trim_start);
    let expected: String = lines
        .filter(|line| !line.is_empty())
        .fold(String::new(), |all, line| all + line + "\n");
    for size in [usize::MAX, 1, 7] {
        let log = Run::new(dialect, mails, &expected, size).log();
        assert_eq!(log, expected, "in pieces of {size}");
    }
}

#[track_caller]
fn check(mails: &[Mail], script: &str) {
    check_as(Dialect::Smtp, mails, script);
}

/// The dialogue up to the first message, with these keywords.
fn open(keywords: &[&str]) -> String {
    let mut script = "S: 220 mx.test\nC: EHLO us.test\n".to_owned();
    let lines: Vec<&str> = std::iter::once("mx.test")
        .chain(keywords.iter().copied())
        .collect();
    for (i, line) in lines.iter().enumerate() {
        let mark = if i + 1 == lines.len() { ' ' } else { '-' };
        writeln!(script, "S: 250{mark}{line}").unwrap();
    }
    script + "* idle\n"
}

#[track_caller]
fn check_after(keywords: &[&str], mails: &[Mail], script: &str) {
    check(mails, &(open(keywords) + script));
}
