//! `facteur trace`: the story of a message beside a running server and after it, also when the message has gone, and what
//! becomes of it when something happens to the history.

use std::fs;

use facteur_testkit::Script;
use serde_json::Value;

use crate::instance::{Answer, Instance, Lab, Setup, arrive, until};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2\n\
    away.test MX 5 mx1.away.test\naway.test MX 10 mx2.away.test\nmx1.away.test A @8\nmx2.away.test A @2\n\
    null.test MX 0 .\nclient.test MX 10 mx.client.test\nmx.client.test A @2";

/// Tells the story until it says this.
fn told(server: &Instance, words: &[&str], part: &str) -> Answer {
    until(&format!("{words:?} to tell {part:?}"), || {
        let answer = server.run(&[&["trace"], words].concat());
        answer.out.contains(part).then_some(answer)
    })
}

/// The story as JSON, once it has this event.
fn events(server: &Instance, id: &str, wanted: &str) -> Value {
    until(&format!("{wanted} in the story of {id}"), || {
        let answer = server.run(&["trace", id, "--json"]);
        let story = answer.json().into_iter().next()?;
        let events = story["events"].as_array()?;
        let has = events.iter().any(|event| event["event"] == wanted);
        has.then_some(story)
    })
}

/// One line, whatever the width of the screen.
fn flat(text: &str) -> String {
    text.split([' ', '\n'])
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    let text = flat(text);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

async fn send(server: &Instance, from: &str, to: &str) -> String {
    let content = "Message-ID: <hello.1@client.test>\nSubject: x\n\ntext\n";
    server.send(from, &[to], content).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_delivered_message_is_told_after_it_has_gone_and_after_a_restart() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    let id = send(&server, "ann@client.test", "bob@away.test").await;
    arrive(&peer, 1);
    server.queue_is_empty();
    let story = told(&server, &[&id], "left the queue");
    has(
        &story.out,
        &[
            "Sender: ann@client.test",
            "Message-ID: <hello.1@client.test>",
            "accepted, for one recipient",
            "tried at away.test",
            "its MX records decide",
            "MX 5 mx1.away.test",
            "MX 10 mx2.away.test",
            "To try, in this order: mx1.away.test",
            "=== Connecting to mx1.away.test",
            "*** 451 4.4.1",
            "=== Connecting to mx2.away.test",
            "-> MAIL FROM:<ann@client.test>",
            "-> BDAT",
            "octets of content",
            "bob@away.test: handed on to mx2.away.test",
            "to the final dot: 250",
        ],
    );
    assert!(!story.out.contains("text\r"), "no content: {}", story.out);
    let brief = server.run(&["trace", &id, "--brief"]);
    assert!(!brief.out.contains("-> MAIL"), "{}", brief.out);
    has(&brief.out, &["handed on to mx2.away.test"]);
    for name in ["bob@away.test", "ANN@client.test", "<hello.1@client.test>"] {
        let answer = server.run(&["trace", name]);
        assert!(answer.out.contains(&id), "{name}: {answer:?}");
    }
    server.terminate();
    assert!(server.ended().success());
    has(
        &server.run(&["trace", "bob@away.test"]).out,
        &[&id, "left the queue"],
    );
    has(
        &server.run(&["trace", &id, "--lang", "fr"]).out,
        &[
            "accepté, pour un destinataire",
            "Le DNS a répondu (valable encore",
            "À essayer, dans cet ordre\u{a0}:",
            "bob@away.test\u{a0}: confié à mx2.away.test",
            "sorti de la file d’attente",
        ],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deferred_message_is_told_with_its_reason_and_its_next_try() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 try tomorrow"))
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let id = send(&server, "ann@client.test", "bob@far.test").await;
    let story = told(&server, &[&id], "next try at");
    has(
        &story.out,
        &[
            "bob@far.test: next try at",
            "because what was said is not final (try 1)",
            "mx.far.test",
            "answered, to RCPT: 450 4.2.1 try tomorrow",
            "<** 450 4.2.1 try tomorrow",
            "Does trying again help?",
            "Now, in the queue:",
            "waits; next try in",
        ],
    );
    let french = server.run(&["trace", &id, "--lang", "fr"]);
    has(
        &french.out,
        &[
            "bob@far.test\u{a0}: nouvel essai à",
            "car ce qui a été dit n’est pas définitif",
            "En ce moment, dans la file d’attente\u{a0}:",
        ],
    );
    let story = events(&server, &id, "tried");
    let tried = &story["events"][1];
    assert_eq!(tried["recipients"][0]["decision"], "retry");
    assert_eq!(tried["recipients"][0]["reason"], "backoff");
    assert_eq!(
        tried["route"]["mx"]["records"][0]["exchange"],
        "mx.far.test"
    );
    assert_eq!(
        (&story["queued"], &story["ended"]),
        (&true.into(), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bounced_message_and_its_report_lead_to_each_other() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(
            2,
            Script::accept_all().on("RCPT TO:<bob@far.test>", "550 5.1.1 no such user"),
        )
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let id = send(&server, "ann@client.test", "bob@far.test").await;
    arrive(&peer, 1);
    let story = events(&server, &id, "ended");
    let reported = story["events"].as_array().unwrap().iter();
    let reported = reported.clone().find(|event| event["event"] == "reported");
    let report = reported.unwrap()["report"].as_str().unwrap().to_owned();
    let text = server.run(&["trace", &id]).out;
    has(
        &text,
        &[
            "bob@far.test: given up, because what was said is final (try 1)",
            "550 5.1.1 no such user",
            &format!("report {report} queued, to ann@client.test"),
            "bob@far.test: could not be delivered",
        ],
    );
    let about = told(&server, &[&report], "left the queue");
    has(
        &about.out,
        &[&format!("a report about message {id}"), "Sender: <>"],
    );
    let french = server.run(&["trace", &id, "--lang", "fr"]);
    has(
        &french.out,
        &[
            "abandonné, car ce qui a été dit est définitif",
            "la remise a échoué",
        ],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_null_mx_is_told_with_the_answer_of_dns() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut talk = server.talk().await;
    talk.expect("MAIL FROM:<ann@client.test>", "250 ").await;
    talk.expect("RCPT TO:<bob@null.test>", "556 5.1.10 ").await;
    // Nothing was queued, and it is told all the same.
    let refusal = told(&server, &["bob@null.test"], "was refused");
    has(
        &refusal.out,
        &[
            "at RCPT",
            "Sender: ann@client.test",
            "556 5.1.10",
            "null MX",
        ],
    );
    let french = server.run(&["trace", "bob@null.test", "--lang", "fr"]);
    has(
        &french.out,
        &["a essuyé un refus, à l’étape «\u{a0}RCPT\u{a0}»"],
    );
    assert_eq!(
        server.run(&["trace", "bob@null.test", "--json"]).json()[0]["event"],
        "refused"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_null_mx_that_comes_later_is_told_with_the_answer_of_dns() {
    let lab = Lab::new("late.test 0 MX 10 mx.late.test\nmx.late.test 0 A @2").await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let id = send(&server, "ann@here.test", "bob@late.test").await;
    until("a first try", || (peer.connections() > 0).then_some(()));
    lab.zone.replace("late.test MX 0 .");
    let story = told(&server, &[&id], "left the queue");
    has(
        &story.out,
        &[
            "because what was said is not final (try 1)",
            "MX 0 .",
            "takes no mail, and says so in DNS (null MX)",
            "bob@late.test: given up, because what was said is final",
            "556 5.1.10",
            "queued, to ann@here.test",
        ],
    );
    let french = server.run(&["trace", &id, "--lang", "fr"]);
    has(
        &french.out,
        &["(MX nul)", "car ce qui a été dit est définitif"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_kill_the_story_goes_on() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().once("RCPT", "450 4.2.1 later"))
        .await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    let id = send(&server, "ann@client.test", "bob@far.test").await;
    told(&server, &[&id], "next try at");
    server.kill();
    has(
        &server.run(&["trace", &id]).out,
        &["accepted", "450 4.2.1 later", "Now, in the queue:"],
    );
    server.launch().await;
    arrive(&peer, 1);
    let story = told(&server, &[&id], "left the queue");
    has(
        &story.out,
        &["450 4.2.1 later", "handed on to mx.far.test", "(try 1)"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_older_than_the_history_is_told_from_the_queue() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 later"))
        .await;
    let setup = Setup {
        tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\n[history]\nenabled = false",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let id = send(&server, "ann@client.test", "bob@far.test").await;
    let story = told(&server, &["bob@far.test"], "450 4.2.1 later");
    has(
        &story.out,
        &[
            "No history is kept here",
            &id,
            "waits; next try",
            "answered, to RCPT",
        ],
    );
    assert!(!server.path("data/history").exists());
    let found = server.run(&["trace", "hello.1@client.test"]);
    assert!(found.out.contains(&id), "{found:?}");
    let unknown = server.run(&["trace", "nobody@far.test"]);
    assert_eq!(unknown.code, 6, "{unknown:?}");
    has(
        &unknown.err,
        &[
            "nothing is known of “nobody@far.test”",
            "No history is kept here",
        ],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn mail_goes_on_when_the_history_is_deleted_and_is_kept_anew() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let lost = send(&server, "ann@client.test", "bob@far.test").await;
    told(&server, &[&lost], "left the queue");
    fs::remove_dir_all(server.path("data/history")).unwrap();
    let kept = send(&server, "ann@client.test", "carol@far.test").await;
    arrive(&peer, 2);
    server.queue_is_empty();
    told(&server, &[&kept], "left the queue");
    assert_eq!(server.run(&["trace", &lost]).code, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn mail_goes_on_when_the_history_is_damaged_and_the_next_start_sets_it_aside() {
    let lab = Lab::new(ZONE).await;
    let peer = lab.peer(2, Script::accept_all()).await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    let first = send(&server, "ann@client.test", "bob@far.test").await;
    told(&server, &[&first], "left the queue");
    for name in ["history.sqlite", "history.sqlite-wal", "history.sqlite-shm"] {
        let path = server.path("data/history").join(name);
        if path.exists() {
            fs::write(path, vec![0x55; 65_536]).unwrap();
        }
    }
    let second = send(&server, "ann@client.test", "carol@far.test").await;
    arrive(&peer, 2);
    server.queue_is_empty();
    let told_of_it = server.run(&["trace", &second]);
    assert!(matches!(told_of_it.code, 0 | 6), "{told_of_it:?}");
    server.kill();
    server.launch().await;
    let third = send(&server, "ann@client.test", "dave@far.test").await;
    arrive(&peer, 3);
    told(&server, &[&third], "left the queue");
    assert!(server.path("data/history/history.damaged").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_operators_did_is_told_with_who_and_why() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 later"))
        .await;
    let setup = Setup {
        delivery: "retry = [\"1h\"]",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let id = send(&server, "ann@client.test", "bob@far.test").await;
    told(&server, &[&id], "next try at");
    for words in [
        ["hold", &id, "--reason", "goes\u{1b}[2J out twice"],
        ["delete", &id, "--reason", "it did"],
    ] {
        let answer = server.run(&[&["queue"], &words[..]].concat());
        assert_eq!(answer.code, 0, "{answer:?}");
    }
    let story = told(&server, &[&id], "left the queue");
    has(
        &story.out,
        &[
            "450 4.2.1 later",
            ": held by",
            "Why: goes\\u{1b}[2J out twice",
            ": deleted by",
            "nobody is told",
            "Why: it did",
        ],
    );
    let french = server.run(&["trace", &id, "--lang", "fr"]);
    has(&french.out, &["\u{a0}: retenu par", "Raison\u{a0}: it did"]);
}
