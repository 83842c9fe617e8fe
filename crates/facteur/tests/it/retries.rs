//! What remotes answer, and what Facteur makes of it: later, elsewhere, or never.

use facteur_testkit::{Act, Script};

use crate::instance::{Instance, Lab, Setup, accepted, arrive, messages, until};
use crate::letter::{field, words};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_450_is_tried_again_until_it_is_taken() {
    let lab = Lab::new(ZONE).await;
    let script = Script::accept_all()
        .once("RCPT", "450 4.2.1 greylisted")
        .once("RCPT", "450 4.2.1 greylisted");
    let peer = lab.peer(2, script).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: again\n\n")
        .await;
    arrive(&peer, 1);
    server.queue_is_empty();
    assert_eq!(accepted(&peer).len(), 1);
    assert!(server.mailbox("anne").is_empty(), "nothing was reported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_queue_says_in_both_languages_why_a_message_waits_and_until_when() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 try tomorrow"))
        .await;
    let setup = Setup {
        delivery: "retry = [\"1s\", \"1h\"]",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let id = server
        .send("a@client.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    let shown = until("two tries", || {
        let answer = server.run(&["queue", "show", &id, "--json"]);
        let message = answer.json().pop()?;
        (message["recipients"][0]["attempts"] == 2).then_some(message)
    });
    assert!(peer.connections() >= 1);
    let recipient = &shown["recipients"][0];
    assert_eq!(recipient["state"], "waiting");
    assert_eq!(recipient["reason"], "backoff");
    let attempt = &recipient["last_attempt"];
    assert_eq!(attempt["speaker"], "peer");
    assert_eq!(attempt["stage"], "rcpt");
    assert_eq!(attempt["host"], "mx.far.test");
    assert_eq!(attempt["reply"], "450 4.2.1 try tomorrow");
    let next = recipient["next_try"].as_str().unwrap();
    assert!(attempt["time"].as_str().unwrap() < next, "{next} is later");

    let english = words(&server.run(&["queue", "show", &id]).out);
    let french = words(&server.run(&["queue", "show", &id, "--lang", "fr"]).out);
    for (text, parts) in [
        (
            &english,
            [
                "waits; next try in",
                ", at 20",
                "2 tries so far",
                "answered, to RCPT",
            ],
        ),
        (
            &french,
            [
                "prochaine tentative dans",
                ", à 20",
                "2 tentatives jusqu’ici",
                "a répondu",
            ],
        ),
    ] {
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        assert!(text.contains("450 4.2.1 try tomorrow"), "{text}");
        assert!(text.contains("mx.far.test"), "{text}");
    }
    let listed = words(&server.run(&["queue", "list"]).out);
    assert!(
        listed.contains(&id) && listed.contains("450 4.2.1"),
        "{listed}"
    );
    let traced = server.run(&["trace", "x@far.test"]);
    assert!(traced.out.contains(&id), "{traced:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_host_that_is_down_leaves_the_mail_to_the_next_one() {
    let zone = "far.test MX 10 mx1.far.test\nfar.test MX 20 mx2.far.test
mx1.far.test A @8\nmx2.far.test A @2";
    let lab = Lab::new(zone).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("a@client.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_host_that_is_busy_leaves_the_mail_to_the_next_one_but_a_refusal_is_for_all() {
    let zone = "far.test MX 10 mx1.far.test\nfar.test MX 20 mx2.far.test
mx1.far.test A @2\nmx2.far.test A @3";
    let lab = Lab::new(zone).await;
    let first = lab
        .peer(
            2,
            Script::accept_all()
                .once(
                    Script::GREETING,
                    Act::ReplyThenClose("421 4.3.2 busy".to_owned()),
                )
                .on_rcpt("550 5.1.1 no"),
        )
        .await;
    let second = lab.peer(3, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("a@client.test", &["x@far.test"], "Subject: one\n\n")
        .await;
    arrive(&second, 1);
    server.queue_is_empty();

    server
        .send("anne@here.test", &["x@far.test"], "Subject: two\n\n")
        .await;
    server.letter("anne");
    server.queue_is_empty();
    assert_eq!(messages(&second).len(), 1, "a 550 is not shopped around");
    assert!(messages(&first).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_421_at_any_step_is_tried_again() {
    let steps = [
        Script::GREETING,
        "EHLO",
        "MAIL",
        "RCPT",
        "DATA",
        Script::END,
    ];
    let zone: String = (2..)
        .zip(steps)
        .map(|(host, _)| format!("d{host}.test MX 10 mx{host}.test\nmx{host}.test A @{host}\n"))
        .collect();
    let lab = Lab::new(&zone).await;
    let mut peers = Vec::new();
    for (host, step) in (2..).zip(steps) {
        let act = Act::ReplyThenClose("421 4.3.2 closing".to_owned());
        peers.push(lab.peer(host, by_data().once(step, act)).await);
    }
    let server = Instance::start(&lab, &Setup::default()).await;
    let to: Vec<_> = (2..8).map(|host| format!("x@d{host}.test")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    server.send("anne@here.test", &to, "Subject: x\n\n").await;
    server.queue_is_empty();
    for (peer, step) in peers.iter().zip(steps) {
        assert_eq!(accepted(peer).len(), 1, "421 to {step}");
        assert!(peer.connections() >= 2, "421 to {step}");
    }
    assert!(server.mailbox("anne").is_empty(), "nothing was reported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_lost_at_any_step_is_tried_again() {
    let steps = [
        Script::GREETING,
        "EHLO",
        "MAIL",
        "RCPT",
        "DATA",
        Script::END,
    ];
    let zone: String = (2..)
        .zip(steps)
        .map(|(host, _)| format!("d{host}.test MX 10 mx{host}.test\nmx{host}.test A @{host}\n"))
        .collect();
    let lab = Lab::new(&zone).await;
    let mut peers = Vec::new();
    for (host, step) in (2..).zip(steps) {
        peers.push(lab.peer(host, by_data().once(step, Act::Close)).await);
    }
    let server = Instance::start(&lab, &Setup::default()).await;
    let to: Vec<_> = (2..8).map(|host| format!("x@d{host}.test")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    server.send("anne@here.test", &to, "Subject: x\n\n").await;
    server.queue_is_empty();
    for (peer, step) in peers.iter().zip(steps) {
        assert_eq!(accepted(peer).len(), 1, "lost at {step}");
    }
    assert!(server.mailbox("anne").is_empty(), "nothing was reported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_lost_after_354_is_tried_again() {
    let lab = Lab::new(ZONE).await;
    let act = Act::ReplyThenClose("354 go ahead, I am off".to_owned());
    let peer = lab.peer(2, Script::accept_all().once("DATA", act)).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    server.queue_is_empty();
    assert_eq!(accepted(&peer).len(), 1);
    assert!(server.mailbox("anne").is_empty(), "nothing was reported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_354_without_any_recipient_gets_a_lone_dot_and_no_message() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("550 5.1.1 no"))
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let to = ["x@far.test", "y@far.test"];
    server
        .send("anne@here.test", &to, "Subject: x\n\nsecret\n")
        .await;
    let reports = server.letters("anne", 1);
    server.queue_is_empty();
    let machine: String = server
        .mailbox("anne")
        .iter()
        .map(|report| report.machine())
        .collect();
    assert!(
        machine.contains("x@far.test") && machine.contains("y@far.test"),
        "{machine}"
    );
    assert!(!reports.is_empty());
    for message in peer.received() {
        assert!(message.wire.is_empty(), "{}", message.wire.escape_ascii());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn recipients_at_one_place_share_a_transaction_and_each_gets_its_own_outcome() {
    let lab = Lab::new(ZONE).await;
    let script = Script::accept_all()
        .on("RCPT TO:<gone@far.test>", "550 5.1.1 gone away")
        .once("RCPT TO:<later@far.test>", "450 4.2.1 later");
    let peer = lab.peer(2, script).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let to = [
        "one@far.test",
        "two@far.test",
        "gone@far.test",
        "later@far.test",
    ];
    server.send("anne@here.test", &to, "Subject: x\n\n").await;
    let received = arrive(&peer, 2);
    server.queue_is_empty();
    let rcpts = |at: usize| received[at].rcpts.clone();
    assert_eq!(
        rcpts(0),
        ["RCPT TO:<one@far.test>", "RCPT TO:<two@far.test>"]
    );
    assert_eq!(rcpts(1), ["RCPT TO:<later@far.test>"]);
    let report = server.letter("anne").machine();
    assert!(report.contains("gone@far.test"), "{report}");
    assert!(!report.contains(" one@far.test"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_peer_that_speaks_nonsense_keeps_its_mail_waiting() {
    let lab = Lab::new(ZONE).await;
    let nonsense = Act::Raw(b"\x00\x1b[31m this is no reply\r\n".to_vec());
    let peer = lab
        .peer(2, Script::accept_all().once(Script::GREETING, nonsense))
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    server.queue_is_empty();
    let log = server.log();
    assert!(!log.contains('\u{1b}') && !log.contains('\0'), "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_in_brackets_is_where_the_mail_goes() {
    let lab = Lab::new("").await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let to = format!("x@[{}]", lab.ip(2));
    server.send("a@client.test", &[&to], "Subject: x\n\n").await;
    arrive(&peer, 1);
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_domain_whose_mx_is_this_server_loops_nowhere() {
    let lab = Lab::new("loop.test MX 10 mx.here.test\nmx.here.test A @1").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    server
        .send("anne@here.test", &["x@loop.test"], "Subject: x\n\n")
        .await;
    let machine = server.letter("anne").machine();
    assert_eq!(field(&machine, "status").unwrap(), "5.4.6");
    assert_eq!(field(&machine, "remote-mta"), None);
    server.queue_is_empty();
}

/// A peer that takes everything and does not offer CHUNKING: every step of a message has its command.
fn by_data() -> Script {
    Script::accept_all().on_ehlo(&["PIPELINING", "8BITMIME"])
}
