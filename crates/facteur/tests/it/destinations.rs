//! What destinations are sent at most, and what happens when one asks for less.

use std::time::{Duration, Instant};

use facteur_testkit::{Act, Script};

use crate::instance::{Instance, Lab, Setup, accepted, arrive};

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
