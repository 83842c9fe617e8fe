//! Another configuration while the server runs: SIGHUP, `config reload`, `config diff`.

use std::fs;

use facteur_testkit::Script;

use crate::instance::{Answer, Instance, Lab, PORT, Setup, until};
use crate::talk::Talk;

/// Changes the configuration file of a server.
fn rewrite(server: &Instance, from: &str, to: &str) {
    let source = fs::read_to_string(server.config()).unwrap();
    assert!(source.contains(from), "{from} in\n{source}");
    fs::write(server.config(), source.replace(from, to)).unwrap();
}

fn reload(server: &Instance) -> Answer {
    server.run(&["config", "reload", "--json"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_over_a_reload_and_the_next_one_sees_what_is_new() {
    let lab = Lab::new("").await;
    let mut server = Instance::start(&lab, &Setup::default()).await;
    let mut before = server.talk().await;
    before.expect("MAIL FROM:<a@client.test>", "250").await;
    rewrite(&server, "mx.here.test", "mx.new.test");
    server.hang_up();
    until("the reload", || {
        server
            .log()
            .contains("configuration reloaded")
            .then_some(())
    });
    let mut after = Talk::open(server.address()).await;
    let greeting = after.expect("EHLO client.test", "250-").await;
    assert!(greeting.contains("mx.new.test"), "{greeting}");
    before.expect("RCPT TO:<anne@here.test>", "250").await;
    before.expect("DATA", "354").await;
    let reply = before.expect("Subject: x\r\n\r\n.", "250").await;
    assert!(reply.contains("queued as"), "{reply}");
    let letter = server.letter("anne");
    assert!(letter.text().contains("by mx.here.test"), "as it began");
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_changes_nothing_and_is_shown_with_its_line() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    rewrite(
        &server,
        "hostname = \"mx.here.test\"",
        "hostname = 5\ncolour = \"red\"",
    );
    server.hang_up();
    until("the log's word", || {
        server.log().contains("not reloaded").then_some(())
    });
    let answer = reload(&server);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains("facteur.toml:1:"), "{answer:?}");
    assert!(answer.err.contains("facteur.toml:2:"), "{answer:?}");
    assert!(answer.err.contains("stays as it was"), "{answer:?}");
    let log = server.log();
    assert!(log.contains("line=1") && log.contains("line=2"), "{log}");
    let mut talk = Talk::open(server.address()).await;
    let greeting = talk.expect("EHLO client.test", "250-").await;
    assert!(greeting.contains("mx.here.test"), "{greeting}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_difference_is_shown_before_and_told_after() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let diff = || {
        let answer = server.run(&["config", "diff", "--json"]);
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.json().remove(0)
    };
    assert_eq!(diff()["changes"].as_array().unwrap().len(), 0);
    rewrite(&server, "retry = [\"1s\"]", "retry = [\"2s\"]");
    rewrite(
        &server,
        "[limits]\n",
        "[limits]\nerrors = 7\n[log]\nformat = \"json\"\n",
    );
    let expected = serde_json::json!([
        {"key": "delivery.retry", "old": ["1s"], "new": ["2s"], "effect": "reload"},
        {"key": "limits.errors", "old": 20, "new": 7, "effect": "reload"},
        {"key": "log.format", "old": "text", "new": "json", "effect": "restart"},
    ]);
    assert_eq!(diff()["changes"], expected);
    let words = server.run(&["config", "diff", "--lang", "fr"]);
    assert!(words.out.contains("redémarrage"), "{words:?}");

    let answer = reload(&server).json().remove(0);
    let keys = |list: &serde_json::Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|it| it["key"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        keys(&answer["changed"]),
        ["delivery.retry", "limits.errors"]
    );
    assert_eq!(keys(&answer["waiting"]), ["log.format"]);
    assert_eq!(keys(&diff()["changes"]), ["log.format"], "it still waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_takes_the_way_of_the_new_configuration() {
    let lab = Lab::new("far.test MX 10 mx.far.test\nmx.far.test A @2\n").await;
    let first = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 later"))
        .await;
    let second = lab.peer(3, Script::accept_all()).await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let id = server
        .send("a@client.test", &["u@far.test"], "Subject: x\n\n")
        .await;
    until("the first try", || {
        let queue = server.queue();
        (queue.len() == 1 && queue[0].to_string().contains("later")).then_some(())
    });
    let route = lab.resolved("[[route]]\nmatch = \"far.test\"\nnext_hop = \"@3:2526\"\n");
    let source = fs::read_to_string(server.config()).unwrap();
    fs::write(server.config(), format!("{source}\n{route}")).unwrap();
    assert_eq!(reload(&server).code, 0);
    until("the message at its new place", || {
        (second.accepted().len() == 1).then_some(())
    });
    server.queue_is_empty();
    assert!(first.accepted().is_empty());
    assert!(!id.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_comes_and_another_goes() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let mut before = server.talk().await;
    let new = std::net::SocketAddr::new(lab.ip(9), PORT);
    rewrite(&server, &server.address().to_string(), &new.to_string());
    assert_eq!(reload(&server).code, 0);
    let mut talk = Talk::open(new).await;
    talk.expect("EHLO client.test", "250-").await;
    until("the old place is closed", || {
        (!crate::instance::is_listening(server.address())).then_some(())
    });
    before.expect("NOOP", "250").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_ends_at_its_moment_without_anybody() {
    let lab = Lab::new("far.test MX 10 mx.far.test\nmx.far.test A @2\n").await;
    let by_mx = lab.peer(2, Script::accept_all()).await;
    let by_route = lab
        .peer(3, Script::accept_all().on_rcpt("450 4.2.1 later"))
        .await;
    let mut server = Instance::prepare(&lab, &Setup::default());
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(4);
    let soon = soon
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let soon = facteur_mail::Timestamp::from_millis(u64::try_from(soon).unwrap());
    let end = facteur_mail::MachineDate(soon).to_string();
    let route = format!(
        "[[route]]\nmatch = \"far.test\"\nnext_hop = \"@3:2526\"\nuntil = \"{end}\"\nreason = \"the move\"\n"
    );
    let source = fs::read_to_string(server.config()).unwrap();
    fs::write(
        server.config(),
        format!("{source}\n{}", lab.resolved(&route)),
    )
    .unwrap();
    let check = server.run(&["check", "far.test"]);
    assert!(check.out.contains("the move"), "{check:?}");
    server.launch().await;
    server
        .send("a@client.test", &["u@far.test"], "Subject: x\n\n")
        .await;
    until("the message by MX", || {
        (by_mx.accepted().len() == 1).then_some(())
    });
    assert!(by_route.connections() > 0, "it went by the route before");
    let log = server.log();
    assert!(
        log.contains("a route is over") && log.contains("the move"),
        "{log}"
    );
    let check = server.run(&["config", "check", "--json"]).json().remove(0);
    assert_eq!(check["expired_routes"], serde_json::json!(["far.test"]));
}
