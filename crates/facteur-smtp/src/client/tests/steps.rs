//! What only a driver sees: pieces of content, writes that fail, groups, the number of a reply; and any server at all.

use facteur_mail::Stage;
use proptest::prelude::*;

use super::*;

#[test]
fn a_thousand_recipients_go_in_groups() {
    let names: Vec<String> = (0..1_000).map(|i| format!("r{i}@t.test")).collect();
    let mail = mail(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut session = session_at_idle(b"250-mx.test\r\n250 PIPELINING\r\n");
    let recipients: Vec<&Recipient> = mail.recipients.iter().collect();
    session.send(&mail.with(&recipients));
    let (mut writes, mut commands) = (0, 0);
    let outcome = loop {
        match session.next_action() {
            Action::Write { bytes, .. } => {
                writes += 1;
                assert!(bytes.len() <= MAX_GROUP_OCTETS);
                commands = bytes.iter().filter(|b| **b == b'\n').count();
                assert!(commands <= MAX_GROUP + 1);
            }
            Action::Read { waiting, .. } => {
                let (oks, data) = if waiting == Waiting::EndOfData {
                    (1, "")
                } else if writes == 16 {
                    (commands - 1, "354 go\r\n")
                } else {
                    (commands, "")
                };
                session.receive(("250 ok\r\n".repeat(oks) + data).as_bytes());
            }
            Action::NeedContent => session.content_ends(),
            Action::Outcome(outcome) if outcome.index == 999 => break outcome,
            Action::Outcome(outcome) => assert_eq!(outcome.about, About::Message),
            other @ (Action::Failed { .. }
            | Action::Unusual { .. }
            | Action::Idle
            | Action::Close) => {
                panic!("{other:?}")
            }
        }
    };
    assert_eq!(outcome.said.to_line(), "250 ok");
    assert_eq!(writes, 17, "1,001 commands by 64, and the content");
}

fn session_at_idle(hello: &[u8]) -> Session {
    let mut session = Session::new(Config {
        dialect: Dialect::Smtp,
        our_name: "us.test".into(),
        host: "mx.test".into(),
    });
    session.receive(b"220 mx.test\r\n");
    assert!(matches!(session.next_action(), Action::Write { .. }));
    session.receive(hello);
    assert_eq!(session.next_action(), Action::Idle);
    session
}

/// A session that has 354 and has handed over its content's first piece.
fn session_in_content() -> Session {
    let mail = mail(&["x@t.test"]);
    let mut session = session_at_idle(b"250-mx.test\r\n250 PIPELINING\r\n");
    session.send(&mail.with(&[&mail.recipients[0]]));
    assert!(matches!(session.next_action(), Action::Write { .. }));
    session.receive(b"250 ok\r\n250 ok\r\n354 go on\r\n");
    assert_eq!(session.next_action(), Action::NeedContent);
    session.content(&mail.content);
    assert!(matches!(session.next_action(), Action::Write { .. }));
    assert_eq!(session.next_action(), Action::NeedContent);
    session
}

fn verdict(session: &mut Session) -> String {
    let Action::Outcome(outcome) = session.next_action() else {
        panic!("no outcome");
    };
    assert_eq!(session.next_action(), Action::Close);
    format!("{:?} {}", outcome.about, outcome.said.to_line())
}

#[test]
fn a_refusal_in_the_middle_of_the_content_is_the_verdict() {
    let mut session = session_in_content();
    session.write_failed();
    session.receive(b"552 5.3.4 too big\r\n");
    session.lost(Lost::Closed);
    assert_eq!(verdict(&mut session), "Message 552 5.3.4 too big");
}

#[test]
fn a_success_before_the_final_dot_delivers_nothing() {
    let mut early = session_in_content();
    early.receive(b"250 taken\r\n");
    let unasked = "Connection 451 4.5.0 mx.test broke the protocol: it sent a reply that no command asked for";
    assert_eq!(verdict(&mut early), unasked);

    let mut unfinished = session_in_content();
    unfinished.content_ends();
    assert!(matches!(unfinished.next_action(), Action::Write { .. }));
    unfinished.write_failed();
    unfinished.receive(b"250 taken\r\n");
    assert_eq!(verdict(&mut unfinished), unasked);
}

#[test]
fn a_refusal_in_the_middle_of_the_content_may_come_in_pieces() {
    let mut dripped = session_in_content();
    dripped.write_failed();
    for octet in b"552 5.3.4 too big\r\n" {
        dripped.receive(&[*octet]);
    }
    assert_eq!(verdict(&mut dripped), "Message 552 5.3.4 too big");

    let complete_after_the_dot = |words: &[u8]| {
        let mut session = session_in_content();
        session.receive(&words[..2]);
        session.content_ends();
        assert!(matches!(session.next_action(), Action::Write { .. }));
        session.receive(&words[2..]);
        verdict(&mut session)
    };
    assert_eq!(complete_after_the_dot(b"552 no\r\n"), "Message 552 no");
    let success = complete_after_the_dot(b"250 taken\r\n");
    assert!(success.ends_with("no command asked for"), "{success}");
}

#[test]
fn a_reply_that_comes_with_too_many_others_still_counts() {
    let mail = mail(&["x@t.test"]);
    let mut session = session_at_idle(b"250-mx.test\r\n250 PIPELINING\r\n");
    session.send(&mail.with(&[&mail.recipients[0]]));
    assert!(matches!(session.next_action(), Action::Write { .. }));
    let endless = "250 ok\r\n550 5.1.1 nobody\r\n".to_owned() + &"503 \r\n".repeat(20_000);
    session.receive(endless.as_bytes());
    assert_eq!(verdict(&mut session), "Recipient 550 5.1.1 nobody");
}

#[test]
fn the_replies_to_one_message_have_an_end_together() {
    let mail = mail(&["x@t.test", "y@t.test"]);
    let recipients: Vec<&Recipient> = mail.recipients.iter().collect();
    let mut session = session_at_idle(b"250 mx.test\r\n");
    session.send(&mail.with(&recipients));
    let mut heard = 0;
    let outcome = loop {
        match session.next_action() {
            Action::Outcome(outcome) => break outcome,
            Action::Read { .. } => {
                let long = "250-ok\r\n".repeat(500) + &format!("250 {}\r\n", "x".repeat(50_000));
                session.receive(long.as_bytes());
                heard += 1;
            }
            Action::Write { .. } | Action::Unusual { .. } => {}
            Action::NeedContent | Action::Failed { .. } | Action::Idle | Action::Close => {
                panic!("no outcome")
            }
        }
    };
    assert_eq!((heard, outcome.about), (2, About::Connection));
    let words = outcome.said.to_line();
    assert!(
        words.ends_with("its replies to one message are too long"),
        "{words}"
    );
}

#[test]
fn what_the_disk_cannot_give_is_never_completed() {
    let mut session = session_in_content();
    session.abort(facteur_replies::Reply::spool_damaged("X"));
    session.receive(b"250 taken\r\n");
    assert!(verdict(&mut session).starts_with("Message 554 5.3.0"));
}

#[test]
fn a_server_that_speaks_before_the_first_message_gets_none() {
    for words in [&b"421 idle too long\r\n"[..], b"250 hello?\r\n"] {
        let mut session = session_at_idle(b"250 mx.test\r\n");
        session.receive(words);
        let Action::Failed { stage, said } = session.next_action() else {
            panic!("the connection is of no use");
        };
        assert_eq!(stage, Stage::Hello);
        assert_ne!(said.class(), facteur_replies::Class::Permanent);
        assert_eq!(session.next_action(), Action::Close);
    }
}

#[test]
fn a_server_that_speaks_between_messages_is_left() {
    for words in [&b"421 idle too long\r\n"[..], b"250 hello?\r\n", b"25"] {
        let mut session = session_at_idle(b"250 mx.test\r\n");
        let mail = mail(&["x@t.test"]);
        session.send(&mail.with(&[&mail.recipients[0]]));
        session.next_action();
        session.next_action();
        session.receive(b"550 no\r\n");
        assert!(matches!(session.next_action(), Action::Outcome(_)));
        assert_eq!(session.next_action(), Action::Idle);
        session.receive(words);
        assert_eq!(session.next_action(), Action::Close);
    }
}

#[test]
fn the_time_for_a_reply_runs_on_while_it_drips() {
    let mut session = session_at_idle(b"250 mx.test\r\n");
    let mail = mail(&["x@t.test"]);
    session.send(&mail.with(&[&mail.recipients[0]]));
    assert!(matches!(session.next_action(), Action::Write { .. }));
    let Action::Read { reply: first, .. } = session.next_action() else {
        panic!("reads")
    };
    session.receive(b"250-ok\r\n25");
    let waiting = Waiting::Mail;
    assert_eq!(
        session.next_action(),
        Action::Read {
            waiting,
            reply: first
        }
    );
    session.receive(b"0 ok\r\n");
    assert!(matches!(session.next_action(), Action::Write { .. }));
    let waiting = Waiting::Rcpt;
    let reply = first + 1;
    assert_eq!(session.next_action(), Action::Read { waiting, reply });
}

proptest! {
    /// Whatever the server says, each recipient has at most one verdict, at least one once its message was sent and the
    /// session is over, and the chunking of the replies changes none.
    #[test]
    fn prop_any_server_and_any_chunking_give_one_verdict_each(
        replies in prop::collection::vec(prop::sample::select(vec![
            "250 ok", "250-a\r\n250 b", "354 go", "421 bye", "450 x", "452 4.5.3 x", "550", "552 x", "999 x", "junk",
        ]), 0..14),
        pipelining: bool,
        lmtp: bool,
        size in 1_usize..9,
    ) {
        let dialect = if lmtp { Dialect::Lmtp } else { Dialect::Smtp };
        let hello = if pipelining { "S: 250-mx\nS: 250 PIPELINING\n-\n" } else { "S: 250 mx\n-\n" };
        let mut script = format!("S: 220 mx\n-\n{hello}");
        for reply in &replies {
            for line in reply.split("\r\n") {
                writeln!(script, "S: {line}").unwrap();
            }
            script.push_str("-\n");
        }
        let mails = [mail(&["x@t.test", "y@t.test", "z@t.test"])];
        let whole = Run::new(dialect, &mails, &script, usize::MAX).log();
        let pieces = Run::new(dialect, &mails, &script, size).log();
        prop_assert_eq!(&whole, &pieces);
        for index in 0..3 {
            let mark = format!("= {index} ");
            let verdicts = whole.lines().filter(|line| line.starts_with(&mark)).count();
            prop_assert_eq!(verdicts, 1, "{}", whole);
        }
        let delivered = whole.lines().any(|l| l.starts_with("= ") && l.contains(" end-of-data 250"));
        let dotted = whole.contains("C: .\n");
        prop_assert!(!delivered || dotted);
    }
}
