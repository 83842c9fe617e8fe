//! Acting on the queue of a running server, and of one that does not run: hold, release, retry, bounce, delete.

use facteur_testkit::{Act, Script};
use serde_json::Value;

use crate::instance::{Answer, Instance, Lab, Setup, accepted, arrive, messages, until};
use crate::letter::field;

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2\nother.test MX 10 mx.other.test\nmx.other.test A @3";

/// A server whose first try fails and whose next one is an hour away.
const PATIENT: &str = "retry = [\"1h\"]";

fn patient() -> Setup {
    Setup {
        delivery: PATIENT,
        ..Setup::default()
    }
}

/// What is said of each message, and the total.
fn done(answer: &Answer, code: i32) -> (Vec<Value>, Value) {
    assert_eq!(answer.code, code, "{answer:?}");
    let mut lines = answer.json();
    let total = lines.pop().unwrap();
    (lines, total["total"].clone())
}

/// Waits until a message has been tried this often.
fn tried(server: &Instance, count: u64) {
    until("a try that failed", || {
        let queue = server.queue();
        let recipients = queue
            .iter()
            .flat_map(|it| it["recipients"].as_array().unwrap());
        let mut tries = recipients.map(|it| it["attempts"].as_u64().unwrap_or_default());
        tries.all(|it| it >= count).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_held_is_not_sent_until_it_is_released() {
    let lab = Lab::new(ZONE).await;
    let script = Script::accept_all().once(Script::END, Act::Reply("450 4.2.1 later".to_owned()));
    let peer = lab.peer(2, script).await;
    let mut server = Instance::start(&lab, &patient()).await;
    let id = server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    tried(&server, 1);
    let reason = ["--reason", "the list \u{1b}[31m goes out twice"];
    let answer = server.run(&["queue", "hold", &id, reason[0], reason[1]]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer.out.contains("held until it is released"),
        "{answer:?}"
    );
    let shown = server.run(&["queue", "show", &id]);
    assert!(shown.out.contains("Held by"), "{shown:?}");
    assert!(
        shown.out.contains("the list \\u{1b}[31m goes out twice"),
        "{shown:?}"
    );
    let queue = server.queue();
    let hold = &queue[0]["recipients"][0]["hold"];
    assert_eq!(hold["reason"], reason[1]);
    assert_eq!(hold["until"], Value::Null);
    if rustix::process::geteuid().is_root() {
        assert_eq!(hold["by"], "root", "the name, also behind the walls");
    }
    // The destination answers: another message goes out, this one does not.
    server
        .send("anne@here.test", &["y@far.test"], "Subject: y\n\n")
        .await;
    arrive(&peer, 2);
    server.kill();
    server.launch().await;
    assert_eq!(
        server.queue()[0]["recipients"][0]["state"],
        "held",
        "it survives kill -9"
    );
    assert_eq!(messages(&peer).len(), 2);
    let retried = server.run(&["queue", "retry", "--all"]);
    assert!(retried.out.contains("release it first"), "{retried:?}");
    let (lines, total) = done(&server.run(&["queue", "release", "--held", "--json"]), 0);
    assert_eq!(lines[0]["queue_id"], *id);
    assert_eq!(lines[0]["recipients"][0]["deed"], "released");
    assert_eq!(
        (&total["messages"], &total["recipients"]),
        (&1.into(), &1.into())
    );
    arrive(&peer, 3);
    server.queue_is_empty();
    assert_eq!(accepted(&peer).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hold_with_an_end_ends_by_itself() {
    let lab = Lab::new(ZONE).await;
    let script = Script::accept_all().once(Script::END, Act::Reply("450 4.2.1 later".to_owned()));
    let peer = lab.peer(2, script).await;
    let server = Instance::start(&lab, &patient()).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    tried(&server, 1);
    let answer = server.run(&["queue", "hold", "--all", "--for", "1s", "--lang", "fr"]);
    assert!(answer.out.contains("retenu jusqu’au"), "{answer:?}");
    arrive(&peer, 2);
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_retry_tries_at_once_also_a_destination_that_has_just_not_answered() {
    let lab = Lab::new(ZONE).await;
    let server = Instance::start(&lab, &patient()).await;
    let mut ids = Vec::new();
    for to in ["x@far.test", "y@far.test"] {
        ids.push(server.send("anne@here.test", &[to], "Subject: x\n\n").await);
    }
    tried(&server, 1);
    // Nobody listened there: the destination is in its pause. Now somebody does.
    let peer = lab.peer(2, Script::accept_all()).await;
    let (lines, total) = done(
        &server.run(&["queue", "retry", "--domain", "far.test", "--json"]),
        0,
    );
    assert_eq!(lines.len(), 2);
    assert_eq!(total["messages"], 2);
    arrive(&peer, 2);
    server.queue_is_empty();
    for id in ids {
        let gone = server.run(&["queue", "retry", &id]);
        assert_eq!(gone.code, 6, "{gone:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dry_run_shows_each_message_and_a_bounce_tells_the_sender_why() {
    let lab = Lab::new(ZONE).await;
    let server = Instance::start(&lab, &patient()).await;
    let to = ["x@far.test", "y@other.test"];
    let id = server
        .send("anne@here.test", &to, "Subject: hello\n\n")
        .await;
    server
        .send("jean@here.test", &["z@other.test"], "Subject: x\n\n")
        .await;
    tried(&server, 1);
    let before = server.queue();
    let why = ["--reason", "far.test has moved"];
    let bounce = ["queue", "bounce", "--domain", "far.test", why[0], why[1]];
    let dry = server.run(&[&bounce[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.out.contains(&id), "{dry:?}");
    assert!(
        dry.out
            .contains("x@far.test: would be given up; the sender would get a report"),
        "{dry:?}"
    );
    assert!(
        dry.out
            .contains("One message would be changed. This was a dry run"),
        "{dry:?}"
    );
    assert!(!dry.out.contains("other.test"), "{dry:?}");
    assert_eq!(server.queue(), before);

    let answer = server.run(&bounce);
    assert_eq!(answer.code, 0, "{answer:?}");
    let report = server.letter("anne");
    let machine = report.machine();
    assert_eq!(
        field(&machine, "final-recipient").unwrap(),
        "rfc822; x@far.test"
    );
    assert_eq!(field(&machine, "status").unwrap(), "5.3.0");
    assert_eq!(field(&machine, "remote-mta"), None);
    let diagnostic = field(&machine, "diagnostic-code").unwrap();
    assert!(
        diagnostic.contains("given up by an operator of this server: far.test has moved"),
        "{diagnostic}"
    );
    let human = report.human();
    assert!(
        human.contains("A person decided"),
        "it is explained: {human}"
    );
    let states: Vec<_> = server.queue()[0]["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert_eq!(states, ["failed", "waiting"]);

    let (lines, _) = done(
        &server.run(&["queue", "delete", "--domain", "other.test", "--json"]),
        0,
    );
    assert_eq!(lines.len(), 2);
    server.queue_is_empty();
    assert_eq!(
        server.mailbox("anne").len(),
        1,
        "nobody is told of a deletion"
    );
    assert!(server.mailbox("jean").is_empty());
    let log = server.log();
    assert!(log.contains("verb=\"bounce\""), "{log}");
    assert!(log.contains("reason=\"far.test has moved\""), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_that_is_being_delivered_is_left_alone() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().once(Script::END, Act::Silence))
        .await;
    let server = Instance::start(&lab, &patient()).await;
    let id = server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    arrive(&peer, 1);
    let busy = server.run(&["queue", "delete", &id]);
    assert_eq!(busy.code, 1, "{busy:?}");
    assert!(
        busy.out.contains("is being delivered at this moment"),
        "{busy:?}"
    );
    assert_eq!(server.queue().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_reported_as_done_survives_kill_9() {
    let lab = Lab::new(ZONE).await;
    let mut server = Instance::start(&lab, &patient()).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        let to = format!("u{number}@far.test");
        ids.push(
            server
                .send("anne@here.test", &[&to], "Subject: x\n\n")
                .await,
        );
    }
    tried(&server, 1);
    let (held, _) = done(&server.run(&["queue", "hold", "--all", "--json"]), 0);
    assert_eq!(held.len(), 40);
    let (gone, _) = done(
        &server.run(&["queue", "delete", &ids[0], &ids[1], "--json"]),
        0,
    );
    assert_eq!(gone.len(), 2);
    server.kill();
    let queue = server.queue();
    assert_eq!(queue.len(), 38);
    for message in queue {
        assert_eq!(message["recipients"][0]["state"], "held", "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_server_the_spool_itself_is_changed() {
    let lab = Lab::new(ZONE).await;
    let mut server = Instance::start(&lab, &patient()).await;
    let id = server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    server
        .send("anne@here.test", &["y@other.test"], "Subject: y\n\n")
        .await;
    tried(&server, 1);
    server.terminate();
    server.ended();
    let answer = server.run(&["queue", "bounce", "--domain", "other.test"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer.out.contains("No server runs: acting on the spool"),
        "{answer:?}"
    );
    let answer = server.run(&["queue", "retry", &id]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        server.mailbox("anne").is_empty(),
        "the report waits for the server"
    );
    let peer = lab.peer(2, Script::accept_all()).await;
    server.launch().await;
    arrive(&peer, 1);
    let machine = server.letter("anne").machine();
    assert!(machine.contains("y@other.test"), "{machine}");
    server.queue_is_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_command_that_would_touch_everything_by_mistake_is_refused() {
    let lab = Lab::new(ZONE).await;
    let server = Instance::start(&lab, &patient()).await;
    server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    let nothing = "0000000000001";
    for (words, code) in [
        (&["queue", "delete"][..], 2),
        (&["queue", "delete", "nonsense"], 2),
        (&["queue", "delete", "--reply", "nonsense"], 2),
        (&["queue", "delete", "--category", "nonsense"], 2),
        (&["queue", "delete", "--older", "5 minutes"], 2),
        (&["queue", "delete", "--for", "5m", "--all"], 2),
        (&["queue", "delete", "--all", nothing], 2),
        (&["queue", "delete", nothing], 6),
        (
            &["queue", "delete", "--sender", "nobody@", "--older", "5d"],
            0,
        ),
    ] {
        let answer = server.run(words);
        assert_eq!(answer.code, code, "{words:?}: {answer:?}");
    }
    assert_eq!(server.queue().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_list_takes_the_same_filters_and_a_limit() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("452 4.2.2 mailbox full"))
        .await;
    let server = Instance::start(&lab, &patient()).await;
    let full = server
        .send("anne@here.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    let dead = server
        .send("jean@here.test", &["y@other.test"], "Subject: y\n\n")
        .await;
    tried(&server, 1);
    let ids = |words: &[&str]| -> Vec<String> {
        let words = [&["queue", "list", "--json"], words].concat();
        let id = |it: &Value| it["queue_id"].as_str().unwrap().to_owned();
        server.run(&words).json().iter().map(id).collect()
    };
    let both = [full.clone(), dead.clone()];
    assert_eq!(ids(&[]), both);
    assert_eq!(ids(&["--limit", "1"]), both[..1]);
    assert_eq!(ids(&["--host", "far.test"]), both[..1]);
    assert_eq!(ids(&["--reply", "452"]), both[..1]);
    assert_eq!(ids(&["--reply", "4.2.2"]), both[..1]);
    assert_eq!(ids(&["--category", "mailbox-full"]), both[..1]);
    assert_eq!(ids(&["--category", "routing"]), both[1..]);
    assert_eq!(ids(&["--reply", "4.4.1", "--sender", "anne"]), both[..0]);
    assert_eq!(ids(&["--smaller", "1MiB", "--younger", "1h"]), both);
    assert_eq!(ids(&["--older", "1h"]), both[..0]);
    let counted = server.run(&["queue", "summary"]);
    assert!(counted.out.contains("452 4.2.2"), "{counted:?}");
    let counted = server
        .run(&["queue", "summary", "--json", "--domain", "far.test"])
        .json();
    assert_eq!(counted.len(), 2, "{counted:?}");
    assert_eq!(counted[0]["domain"], "far.test");
    assert_eq!(counted[0]["younger_than_5_minutes"], 1);
    assert_eq!(counted[1]["reply"]["category"], "mailbox-full");
    server.run(&["queue", "hold", &dead]);
    assert_eq!(ids(&["--held"]), both[1..]);
    let first = server.run(&["queue", "list", "--limit", "1"]);
    assert!(
        first.out.contains("This is the first one; there are more."),
        "{first:?}"
    );
}
