//! `facteur spool`, `facteur queue` and `facteur trace` beside a running server and without one.

use std::fs;

use facteur_testkit::Script;

use crate::instance::{Instance, Lab, Setup, until};

const ZONE: &str = "far.test MX 10 mx.far.test\nmx.far.test A @2\nfar2.test MX 10 mx.far.test";

/// A server with two messages that wait.
async fn with_two_waiting(lab: &Lab) -> (Instance, Vec<String>) {
    let setup = Setup {
        delivery: "retry = [\"1h\"]",
        ..Setup::default()
    };
    let server = Instance::start(lab, &setup).await;
    let mut ids = Vec::new();
    for (from, to) in [
        ("a@client.test", "x@far.test"),
        ("b@client.test", "y@far2.test"),
    ] {
        let message = format!("Message-ID: <{to}>\nSubject: to {to}\n\n.dot\n");
        ids.push(server.send(from, &[to], &message).await);
    }
    until("both were tried", || {
        let tried = |message: &serde_json::Value| message["recipients"][0]["attempts"] == 1;
        server.queue().iter().all(tried).then_some(())
    });
    (server, ids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_spool_is_whole_beside_a_running_server_and_after_it() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let (mut server, _) = with_two_waiting(&lab).await;
    for lang in ["en", "fr"] {
        let answer = server.run(&["spool", "check", "--lang", lang]);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(answer.out.contains('2'), "{answer:?}");
    }
    server.kill();
    let answer = server.run(&["spool", "check", "--json"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.json().len(), 1, "{answer:?}");
    assert_eq!(server.run(&["spool", "check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_spool_with_a_rotten_octet_is_told_from_a_whole_one_and_the_rest_goes_out() {
    let lab = Lab::new(ZONE).await;
    let peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let (mut server, ids) = with_two_waiting(&lab).await;
    server.kill();
    rot(&server, b"Subject: to x@far.test");
    let answer = server.run(&["spool", "check"]);
    assert_eq!(answer.code, 5, "{answer:?}");
    peer.set_script(Script::accept_all());
    server.launch().await;
    // The messages wait for an hour: those that can still be read are shown.
    let queue = server.queue();
    let left: Vec<_> = queue
        .iter()
        .map(|m| m["queue_id"].as_str().unwrap())
        .collect();
    assert!(
        left.contains(&ids[1].as_str()),
        "{left:?} without {}",
        ids[1]
    );
    assert!(server.log().contains("damaged"), "the log names it");
}

/// Changes one octet of a message at rest.
fn rot(server: &Instance, place: &[u8]) {
    let mut changed = 0;
    let mut folders = vec![server.path("data/spool")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut octets = fs::read(&path).unwrap();
            let found = octets
                .windows(place.len())
                .position(|window| window == place);
            if let Some(at) = found {
                octets[at] ^= 0x20;
                fs::write(&path, octets).unwrap();
                changed += 1;
            }
        }
    }
    assert_eq!(changed, 1, "the message lies in one file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_queued_message_can_be_taken_out_as_a_file() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let (mut server, ids) = with_two_waiting(&lab).await;
    server.kill();
    let target = server.path("out");
    let answer = server.run(&["spool", "export", &target.display().to_string()]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let mut files: Vec<_> = fs::read_dir(&target)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    for (id, to) in ids.iter().zip(["x@far.test", "y@far2.test"]) {
        let text = files
            .iter()
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with(id.as_str())
            })
            .map(|path| fs::read_to_string(path).unwrap())
            .find(|text| text.contains(&format!("Subject: to {to}")))
            .unwrap_or_else(|| panic!("{id} is not in {files:?}"));
        assert!(text.ends_with("\r\n.dot\r\n"), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_queue_is_filtered_and_a_message_is_found_by_any_of_its_names() {
    let lab = Lab::new(ZONE).await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let (server, ids) = with_two_waiting(&lab).await;
    let listed = |filter: &[&str]| -> Vec<String> {
        let answer = server.run(&[&["queue", "list", "--json"], filter].concat());
        let id = |message: &serde_json::Value| message["queue_id"].as_str().unwrap().to_owned();
        answer.json().iter().map(id).collect()
    };
    assert_eq!(listed(&[]), ids);
    assert_eq!(listed(&["--sender", "a@cli"]), ids[..1]);
    assert_eq!(listed(&["--recipient", "Y@FAR2"]), ids[1..]);
    assert_eq!(listed(&["--domain", "far.test"]), ids[..1]);
    assert_eq!(
        listed(&["--domain", "far.test", "--sender", "b@"]),
        ids[..0]
    );
    for name in [&ids[0], "x@far.test", "a@client.test", "<x@far.test>"] {
        let answer = server.run(&["trace", name, "--json"]);
        assert_eq!(answer.json()[0]["queue_id"], ids[0].as_str(), "{name}");
    }
    for words in [
        ["queue", "show", "0000000000000"],
        ["trace", "nobody@far.test", "--brief"],
    ] {
        let answer = server.run(&words);
        assert_eq!(answer.code, 6, "{words:?}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_spool_that_is_not_there_is_said_to_be_so() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &Setup::default());
    for words in [&["spool", "check"][..], &["queue", "list"]] {
        let answer = server.run(words);
        assert_ne!(answer.code, 0, "{answer:?}");
        let data = server.path("data").display().to_string();
        assert!(answer.err.contains(&data), "{answer:?}");
    }
    assert!(!server.path("data").exists(), "looking creates nothing");
}
