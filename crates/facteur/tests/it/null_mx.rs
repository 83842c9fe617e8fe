//! Null MX and what resembles it, from the client's RCPT to the report. (RFC 7505)

use facteur_testkit::Script;

use crate::instance::{Instance, Lab, Setup, arrive, messages, until};
use crate::letter::{field, words};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_null_mx_recipient_is_refused_at_rcpt_and_its_address_is_never_connected() {
    let zone = "null.test MX 0 .\nnull.test A @2\nten.test MX 10 .\nten.test A @2
far.test MX 10 mx.far.test\nmx.far.test A @3";
    let lab = Lab::new(zone).await;
    let trap = lab.peer(2, Script::accept_all()).await;
    let peer = lab.peer(3, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
    talk.expect("RCPT TO:<x@null.test>", "556 5.1.10 ").await;
    talk.expect("RCPT TO:<x@NULL.test>", "556 5.1.10 ").await;
    talk.expect("RCPT TO:<x@ten.test>", "556 5.1.10 ").await;
    talk.expect("RCPT TO:<x@far.test>", "250 ").await;
    talk.expect("DATA", "354 ").await;
    talk.expect("Subject: x\r\n\r\n.", "250 ").await;

    arrive(&peer, 1);
    server.queue_is_empty();
    assert_eq!(trap.connections(), 0);
    assert_eq!(messages(&peer)[0].rcpts, ["RCPT TO:<x@far.test>"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_null_mx_that_appears_after_queueing_is_reported_at_once_in_both_languages() {
    let zone = "late.test 0 MX 10 mx.late.test\nmx.late.test 0 A @2";
    let lab = Lab::new(zone).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let trap = lab.peer(3, Script::accept_all()).await;
    let setup = Setup {
        tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\nlanguage = \"fr\"",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let id = server
        .send("anne@here.test", &["x@late.test"], "Subject: x\n\nbody\n")
        .await;
    until("a first try", || (peer.connections() > 0).then_some(()));
    lab.zone
        .replace(&lab.resolved("late.test MX 0 .\nlate.test A @3"));

    let report = server.letter("anne");
    assert_eq!(report.field("return-path").unwrap(), "<>");
    let machine = report.machine();
    assert_eq!(
        field(&machine, "reporting-mta").unwrap(),
        "dns; mx.here.test"
    );
    assert_eq!(
        field(&machine, "final-recipient").unwrap(),
        "rfc822; x@late.test"
    );
    assert_eq!(field(&machine, "action").unwrap(), "failed");
    assert_eq!(field(&machine, "status").unwrap(), "5.1.10");
    let diagnostic = field(&machine, "diagnostic-code").unwrap();
    assert!(diagnostic.starts_with("smtp; 556 5.1.10 "), "{diagnostic}");
    assert_eq!(field(&machine, "remote-mta"), None, "nobody but us spoke");
    assert_eq!(field(&machine, "final-log-id").unwrap(), id);

    let human = words(&report.human());
    let french = human.find("Il n’a pas pu être remis à").expect("French");
    let english = human.find("It could not be delivered to").expect("English");
    assert!(french < english, "the sender's language first");
    server.queue_is_empty();
    assert_eq!(trap.connections(), 0);
    assert_eq!(server.mailbox("anne").len(), 1, "one report");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sender_who_could_never_be_answered_is_refused_at_mail() {
    let lab = Lab::new("null.test MX 0 .\nnull.test A @2").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<a@null.test>", "550 5.7.27 ").await;
    talk.expect("MAIL FROM:<>", "250 ").await;
    talk.expect("RCPT TO:<anne@here.test>", "250 ").await;
    talk.expect("DATA", "354 ").await;
    talk.expect("Subject: x\r\n\r\n.", "250 ").await;
    let letter = server.letter("anne");
    assert_eq!(letter.field("return-path").unwrap(), "<>");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_domain_that_does_not_exist_is_refused_with_its_own_code() {
    let lab = Lab::new("here-is.test A @2").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<a@client.test>", "250 ").await;
    talk.expect("RCPT TO:<x@nowhere.test>", "550 5.1.2 ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn mail_waits_for_a_dns_that_does_not_answer() {
    let zone = "broken.test SERVFAIL\nslow.test TIMEOUT";
    let lab = Lab::new(zone).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let setup = Setup {
        dns: "timeout = \"1s\"",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let to = ["x@broken.test", "x@slow.test"];
    server
        .send("anne@here.test", &to, "Subject: patience\n\n")
        .await;
    until("a first try of both", || {
        let queue = server.queue();
        let said = |place: usize| queue[0]["recipients"][place]["last_attempt"]["reply"].as_str();
        let waits = |place| said(place).is_some_and(|reply| reply.starts_with("451 4.4.3 "));
        (waits(0) && waits(1)).then_some(())
    });

    let good = "broken.test MX 10 mx.good.test\nslow.test A @2\nmx.good.test A @2";
    lab.zone.replace(&lab.resolved(good));
    arrive(&peer, 2);
    server.queue_is_empty();
    assert!(server.mailbox("anne").is_empty(), "nothing was reported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_malformed_null_mx_is_ignored_and_found_out() {
    let lab = Lab::new("odd.test MX 0 .\nodd.test MX 10 mx.odd.test\nmx.odd.test A @2").await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("a@client.test", &["x@odd.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    assert!(
        server.log().contains("malformed-null-mx"),
        "the log names it"
    );
    let checked = server.run(&["check", "odd.test", "--json"]);
    assert_eq!(
        checked.json()[0]["findings"][0]["finding"],
        "malformed-null-mx"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_report_goes_to_a_domain_that_takes_no_mail() {
    let zone = "far.test MX 10 mx.far.test\nmx.far.test A @2
soon.test 0 MX 10 mx.far.test";
    let lab = Lab::new(zone).await;
    let refusing = Script::accept_all()
        .once("RCPT", "450 4.2.1 not now")
        .on_rcpt("550 5.1.1 no");
    let peer = lab.peer(2, refusing).await;
    let trap = lab.peer(3, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("a@soon.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    until("a first try", || (peer.connections() > 0).then_some(()));
    lab.zone
        .replace(&lab.resolved("soon.test MX 0 .\nsoon.test A @3"));
    server.queue_is_empty();
    assert_eq!(trap.connections(), 0);
    let mails = peer.sessions().concat();
    assert!(
        !mails.iter().any(|line| line.starts_with("MAIL FROM:<>")),
        "{mails:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_null_mx_can_be_told_from_a_domain_without_mx_by_the_command_check() {
    let lab = Lab::new("null.test MX 0 .\nplain.test A @2").await;
    let server = Instance::prepare(&lab, &Setup::default());
    let null = server.run(&["check", "null.test", "--json"]);
    assert_eq!((null.code, &null.json()[0]["plan"]), (1, &"null-mx".into()));
    let reply = null.json()[0]["reply"].as_str().unwrap().to_owned();
    assert!(reply.starts_with("556 5.1.10 "), "{reply}");
    let plain = server.run(&["check", "plain.test", "--json"]);
    assert_eq!(plain.code, 0, "{plain:?}");
    assert_eq!(plain.json()[0]["hosts"][0]["implicit"], true);
}
