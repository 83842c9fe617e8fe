//! Reports to senders: what they hold, and when none goes out. (RFC 3461, RFC 3464)

use facteur_testkit::{Peer, Script};

use crate::instance::{Instance, Lab, Setup, arrive, messages, until};
use crate::letter::{field, words};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2";

const SEVERAL_LINES: &str = "550-5.1.1 <x@far.test>: no such user\n550-5.1.1   see https://far.test/help\n550 5.1.1 or ring";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refusal_comes_back_word_for_word_with_the_name_of_who_said_it() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt(SEVERAL_LINES))
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let message = "Message-ID: <m1@here.test>\nSubject: hello\n\nbody\n";
    let id = server
        .send("anne@here.test", &["x@far.test"], message)
        .await;
    let report = server.letter("anne");

    assert_eq!(report.field("return-path").unwrap(), "<>");
    assert_eq!(report.field("to").unwrap(), "<anne@here.test>");
    assert_eq!(report.field("auto-submitted").unwrap(), "auto-replied");
    assert_eq!(report.field("in-reply-to").unwrap(), "<m1@here.test>");
    let machine = report.machine();
    assert_eq!(field(&machine, "action").unwrap(), "failed");
    assert_eq!(field(&machine, "status").unwrap(), "5.1.1");
    assert_eq!(field(&machine, "remote-mta").unwrap(), "dns; mx.far.test");
    assert_eq!(field(&machine, "final-log-id").unwrap(), id);
    let diagnostic = field(&machine, "diagnostic-code").unwrap();
    let spoken = words(&format!("smtp; {SEVERAL_LINES}"));
    assert_eq!(words(&diagnostic), spoken);
    let human = report.human();
    for line in SEVERAL_LINES.lines() {
        assert!(
            words(&human).contains(&words(line)),
            "{line:?} is not in {human}"
        );
    }
    assert!(
        report.text().contains("Subject: hello"),
        "the original's head"
    );
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refusal_after_the_dot_is_reported_and_not_tried_again() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_end("554 5.7.1 spam"))
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send(
            "anne@here.test",
            &["x@far.test", "y@far.test"],
            "Subject: x\n\n",
        )
        .await;
    let machine = server.letter("anne").machine();
    assert_eq!(machine.matches("Status: 5.7.1").count(), 2, "{machine}");
    server.queue_is_empty();
    assert_eq!(messages(&peer).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn success_is_reported_to_those_who_ask_for_it() {
    let lab = Lab::new("far.test MX 10 mx.far.test\nmx.far.test A @2\nknows.test MX 10 mx.knows.test\nmx.knows.test A @3").await;
    let without = lab
        .peer(2, Script::accept_all().on_ehlo(&["PIPELINING"]))
        .await;
    let with = lab.peer(3, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<anne@here.test> RET=HDRS ENVID=e+2B1", "250 ")
        .await;
    for rcpt in [
        "RCPT TO:<jean@here.test> NOTIFY=SUCCESS ORCPT=rfc822;jean+2B@else.test",
        "RCPT TO:<x@far.test> NOTIFY=SUCCESS,FAILURE",
        "RCPT TO:<x@knows.test> NOTIFY=SUCCESS",
        "RCPT TO:<never@far.test> NOTIFY=NEVER",
    ] {
        talk.expect(rcpt, "250 ").await;
    }
    talk.expect("DATA", "354 ").await;
    talk.expect("Subject: x\r\n\r\n.", "250 ").await;
    server.letter("jean");
    arrive(&without, 1);
    let known = arrive(&with, 1).remove(0);
    server.queue_is_empty();

    let reports = server.mailbox("anne");
    let machines: String = reports.iter().map(|report| report.machine()).collect();
    assert!(machines.contains("Action: delivered"), "{machines}");
    assert!(machines.contains("Action: relayed"), "{machines}");
    assert!(machines.contains("Original-Envelope-Id: e+1"), "{machines}");
    assert!(
        machines.contains("Original-Recipient: rfc822; jean+@else.test")
            || machines.contains("Original-Recipient: rfc822;jean+@else.test"),
        "{machines}"
    );
    assert!(
        !machines.contains("x@knows.test"),
        "the next server reports: {machines}"
    );
    assert!(!machines.contains("never@far.test"), "{machines}");
    assert!(
        known.rcpts[0].contains("NOTIFY=SUCCESS"),
        "{:?}",
        known.rcpts
    );
    assert!(known.mail.contains("ENVID=e+2B1"), "{}", known.mail);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_is_told_who_does_not_want_to_be_or_cannot_be() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("550 5.1.1 no"))
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    for (mail, rcpt) in [
        (
            "MAIL FROM:<anne@here.test>",
            "RCPT TO:<never@far.test> NOTIFY=NEVER",
        ),
        (
            "MAIL FROM:<anne@here.test>",
            "RCPT TO:<delay@far.test> NOTIFY=DELAY",
        ),
        (
            "MAIL FROM:<>",
            "RCPT TO:<null@far.test> NOTIFY=SUCCESS,FAILURE",
        ),
    ] {
        talk.expect(mail, "250 ").await;
        talk.expect(rcpt, "250 ").await;
        talk.expect("DATA", "354 ").await;
        talk.expect("Subject: x\r\n\r\n.", "250 ").await;
    }
    server.queue_is_empty();
    let asked = peer.sessions().concat();
    for name in ["never", "delay", "null"] {
        let tried = asked
            .iter()
            .any(|line| line.starts_with(&format!("RCPT TO:<{name}@")));
        assert!(tried, "{name} was tried");
    }
    assert!(server.mailboxes().is_empty(), "{:?}", server.mailboxes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn hostile_words_of_a_peer_are_shown_harmless_in_report_log_and_queue() {
    let lab = Lab::new(ZONE).await;
    let nasty = "550 5.1.1 \u{1b}[2J\u{202e}evil\u{7}";
    let _peer = lab.peer(2, Script::accept_all().on_rcpt(nasty)).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    let report = server.letter("anne");
    server.queue_is_empty();
    for (place, text) in [
        ("report", report.text()),
        ("human part", report.human()),
        ("log", server.log()),
    ] {
        assert!(text.contains("evil"), "{place}: {text}");
        let bad = ['\u{1b}', '\u{202e}', '\u{7}', '\0'];
        assert!(!text.contains(bad), "{place}: {text:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sender_is_told_once_that_a_message_is_late() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let setup = Setup {
        delivery: "retry = [\"1s\"]\ndelay_notice_after = \"1s\"",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    let machine = server.letter("anne").machine();
    assert_eq!(field(&machine, "action").unwrap(), "delayed");
    assert_eq!(field(&machine, "status").unwrap(), "4.2.1");
    assert_eq!(field(&machine, "remote-mta").unwrap(), "dns; mx.far.test");
    assert!(field(&machine, "will-retry-until").is_some(), "{machine}");

    let tries = |peer: &Peer| {
        let lines = peer.sessions().concat();
        lines.iter().filter(|line| line.starts_with("RCPT")).count()
    };
    let before = tries(&peer);
    until("two more tries", || {
        (tries(&peer) >= before + 2).then_some(())
    });
    assert_eq!(server.mailbox("anne").len(), 1, "one notice");
    peer.set_script(Script::accept_all());
    arrive(&peer, 1);
    server.queue_is_empty();
    assert_eq!(server.mailbox("anne").len(), 1, "success was not asked for");
}
