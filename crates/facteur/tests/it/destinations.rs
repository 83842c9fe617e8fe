//! What destinations are sent at most, and what happens when one asks for less.

use std::time::{Duration, Instant};

use facteur_testkit::{Act, Script};

use crate::instance::{Instance, Lab, Setup, accepted, arrive, until};
use crate::letter::words;

const ZONE: &str = "far.test MX 10 mx.far.test\nnear.test MX 10 mx.far.test\nmx.far.test A @2";

/// A configuration with these destinations.
fn setup(destinations: &str) -> Setup {
    let local = "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\n";
    Setup {
        tables: format!("{local}{destinations}").leak(),
        ..Setup::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_says_rate_limited_is_left_in_peace_and_gets_everything_in_the_end() {
    let lab = Lab::new(ZONE).await;
    let busy = || Act::ReplyThenClose("421 4.7.28 rate limited".to_owned());
    let script = Script::accept_all()
        .once(Script::GREETING, busy())
        .once(Script::GREETING, busy());
    let peer = lab.peer(2, script).await;
    let rule = "[[destination]]\nmatch = \"far.test\"\nrate_limit_pause = \"1s\"\n";
    let server = Instance::start(&lab, &setup(rule)).await;
    for _ in 0..5 {
        server
            .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
            .await;
    }
    arrive(&peer, 5);
    server.queue_is_empty();
    assert_eq!(accepted(&peer).len(), 5);
    let log = server.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("the destination asks for less mail and gets it"));
    let slowed: Vec<&str> = lines.collect();
    assert!(!slowed.is_empty() && slowed.len() <= 2, "{log}");
    for part in ["slow-down", "far.test", "421 4.7.28 rate limited"] {
        assert!(slowed[0].contains(part), "{part} is not in {}", slowed[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn domains_with_one_mail_server_share_its_limit() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let limit = "[[destination]]\nmatch = \"mx:*.far.test\"\nmessages_per_minute = 120\n";
    let server = Instance::start(&lab, &setup(limit)).await;
    let began = Instant::now();
    for to in ["a@far.test", "b@near.test", "c@far.test", "d@near.test"] {
        server.send("anne@here.test", &[to], "Subject: x\n\n").await;
    }
    arrive(&peer, 4);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_500), "{took:?}");
    server.queue_is_empty();
}

/// No line is wider than what is assumed where there is no terminal.
fn assert_narrow(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line:?} in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_pause_says_who_and_why_survives_a_restart_and_ends_when_it_is_told_to() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let mut server = Instance::start(&lab, &setup("")).await;
    let paused = server.run(&[
        "destinations",
        "pause",
        "far.test",
        "--reason",
        "their network is down",
        "--for",
        "2h",
    ]);
    assert_eq!(paused.code, 0, "{paused:?}");
    let to = ["x@far.test", "y@near.test"];
    for to in to {
        server.send("anne@here.test", &[to], "Subject: x\n\n").await;
    }
    arrive(&peer, 1);
    server.terminate();
    assert!(server.ended().success());
    server.launch().await;
    for (language, parts) in [
        (
            "en",
            ["Paused by", "until 20", "their network is down", "1 due"],
        ),
        (
            "fr",
            [
                "Suspendue par",
                "jusqu’à 20",
                "their network is down",
                "1 à échéance",
            ],
        ),
    ] {
        for verb in ["list", "show"] {
            let answer = server.run(&["destinations", verb, "far.test", "--lang", language]);
            let text = words(&answer.out);
            for part in parts {
                assert!(text.contains(part), "{part:?} is not in {text}");
            }
            assert_narrow(&answer.out);
        }
    }
    let json = server.run(&["destinations", "--json"]).json();
    let [far, .., overview] = json.as_slice() else {
        panic!("{json:?}");
    };
    assert_eq!(far["destination"], "far.test");
    assert_eq!(far["state"], "paused");
    assert_eq!(overview["orders"][0]["order"], "pause");
    assert_eq!(peer.accepted().len(), 1, "nothing went there meanwhile");

    let resumed = server.run(&["destinations", "resume", "far.test"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    arrive(&peer, 2);
    server.queue_is_empty();
    let again = server.run(&["destinations", "resume", "far.test"]);
    assert_eq!(again.code, 6, "{again:?}");
    let log = server.log();
    assert!(
        log.contains("an operator's order for a destination ends"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_limit_given_at_run_time_holds_at_once_and_says_what_waits_for_it() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &setup("")).await;
    for (wrong, part) in [
        ("messages_per_minute=0", "0"),
        ("messages=1", "messages"),
        ("connections", "connections"),
    ] {
        let answer = server.run(&["destinations", "limit", "far.test", wrong]);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.err.contains(part), "{answer:?}");
    }
    let limit = ["destinations", "limit", "far.test", "messages_per_minute=1"];
    let answer = server.run(&limit);
    assert_eq!(answer.code, 0, "{answer:?}");
    let mut id = String::new();
    for _ in 0..3 {
        id = server
            .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
            .await;
    }
    arrive(&peer, 1);
    let message = until("why the message waits", || {
        let answer = server.run(&["queue", "show", &id]);
        let text = words(&answer.out);
        text.contains("because of the limit").then_some(answer)
    });
    assert_eq!(message.code, 0, "{message:?}");
    let shown = until("what waits", || {
        let answer = server.run(&["destinations", "show", "far.test"]);
        answer.out.contains("2 due").then_some(answer.out)
    });
    assert_narrow(&shown);
    let shown = words(&shown);
    assert!(
        shown.contains("because of the limit on messages a minute (1)"),
        "{shown}"
    );
    assert!(shown.contains("1 in the last minute; 1 at most"), "{shown}");
    let reset = server.run(&["destinations", "limit", "far.test", "--reset"]);
    assert_eq!(reset.code, 0, "{reset:?}");
    arrive(&peer, 3);
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_destination_that_asks_for_less_says_why_it_is_slow_in_both_languages() {
    let lab = Lab::new(ZONE).await;
    let busy = Act::ReplyThenClose("421 4.7.28 rate limited".to_owned());
    let script = Script::accept_all().on_greeting(busy);
    let _peer = lab.peer(2, script).await;
    let server = Instance::start(&lab, &setup("")).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    for (language, parts) in [
        (
            "en",
            [
                "It has asked for less mail",
                "slow-down",
                "Why it gets less",
                "Too much mail",
            ],
        ),
        (
            "fr",
            [
                "Elle a demandé moins de courrier",
                "slow-down",
                "Pourquoi elle reçoit moins",
                "Trop de courrier",
            ],
        ),
    ] {
        let shown = until("it is slowed down", || {
            let answer = server.run(&["destinations", "show", "far.test", "--lang", language]);
            answer.out.contains("slow-down").then_some(answer.out)
        });
        assert_narrow(&shown);
        let text = words(&shown);
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        assert!(text.contains("421 4.7.28 rate limited"), "{text}");
    }
    let nobody = server.run(&["destinations", "show", "nowhere.test"]);
    assert_eq!(nobody.code, 6, "{nobody:?}");
}
