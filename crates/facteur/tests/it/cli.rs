//! The command line from outside: exit codes, errors in the configuration, JSON.

use std::fs;

use facteur_testkit::Script;
use serde_json::Value;

use crate::instance::{Answer, Instance, Lab, Setup, run_in, until};

#[test]
fn the_schema_and_the_words_of_the_keys_are_in_the_readers_language() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| run_in(folder.path(), words);
    let [english, french] = ["en", "fr"].map(|lang| {
        let answer = run(&["config", "schema", "--json", "--lang", lang]);
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.json().remove(0)
    });
    let port = |schema: &Value| schema["properties"]["delivery"]["properties"]["port"].clone();
    assert_eq!(port(&english)["maximum"], 65_535);
    assert_eq!(port(&english)["default"], 25);
    assert_ne!(port(&english)["description"], port(&french)["description"]);

    let answer = run(&["config", "explain", "delivery.port"]);
    assert!(answer.out.contains("1 to 65535"), "{answer:?}");
    let answer = run(&["config", "explain", "delivery.prot"]);
    assert_eq!(answer.code, 6, "{answer:?}");
}

/// Runs `config check` on this file.
fn check(source: &str, more: &[&str]) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facteur.toml"), source).unwrap();
    let words = ["config", "check", "--config", "facteur.toml"];
    run_in(folder.path(), &[&words[..], more].concat())
}

#[test]
fn a_wrong_configuration_is_shown_with_file_line_and_caret_and_exit_code_3() {
    for (source, line, column_mark, says) in [
        ("hostnme = \"a.test\"\n", 1, "^^^^^^^", "hostname"),
        (
            "hostname = \"a.test\"\n[relay]\nnetworks = [\"0.0.0.0/0\"]\n",
            3,
            "^^^^^^^^^^^",
            "0.0.0.0/0",
        ),
        ("\n\n[delivery]\nretry = [\"soon\"]\n", 4, "^^^^^^", "soon"),
        ("[limits]\nrecipients = 5\n", 2, "^", "100"),
        ("hostname = \n", 1, "^", "TOML"),
    ] {
        let answer = check(source, &[]);
        assert_eq!(answer.code, 3, "{source}: {answer:?}");
        assert!(
            answer.err.contains(&format!("facteur.toml:{line}:")),
            "{}",
            answer.err
        );
        assert!(answer.err.contains(column_mark), "{}", answer.err);
        assert!(answer.err.contains(says), "{}", answer.err);
        assert!(answer.out.is_empty(), "{answer:?}");
    }
}

#[test]
fn a_wrong_configuration_is_explained_in_french_and_stops_every_command() {
    let wrong = "hostnme = \"a.test\"\n";
    let answer = check(wrong, &["--lang", "fr"]);
    assert_eq!(answer.code, 3);
    assert!(answer.err.contains("erreur"), "{}", answer.err);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("facteur.toml"), wrong).unwrap();
    for words in [
        &["serve"][..],
        &["queue", "list"],
        &["spool", "check"],
        &["config", "show"],
        &["check", "a.test"],
    ] {
        let answer = run_in(
            folder.path(),
            &[words, &["--config", "facteur.toml"]].concat(),
        );
        assert_eq!(answer.code, 3, "{words:?}: {answer:?}");
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing was created"
    );
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let answer = run_in(folder.path(), &["serve", "--config", "none.toml"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains("none.toml"), "{answer:?}");
}

#[test]
fn what_config_show_says_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let shown = run_in(folder.path(), &["config", "show"]);
    assert_eq!(shown.code, 0);
    let answer = check(&shown.out, &[]);
    assert_eq!(answer.code, 0, "{answer:?}");
}

#[test]
fn exit_codes_tell_wrong_commands_from_negative_answers() {
    let folder = tempfile::tempdir().unwrap();
    for (words, code) in [
        (&["explain", "354"][..], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["bogus"], 2),
        (&["explain"], 2),
        (&["explain", "354", "--lnag", "fr"], 2),
        (&["explain", "no code here"], 6),
        (&["send", "--to", "a@b.test", "--server", "127.0.0.1:1"], 4),
    ] {
        let answer = run_in(folder.path(), words);
        assert_eq!(answer.code, code, "{words:?}: {answer:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The keys of an object.
fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// Compares keys without regard to their order.
fn assert_keys(value: &Value, expected: &str) {
    let mut found = keys(value);
    let mut expected: Vec<_> = expected.split(' ').collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

const EXPLANATION: &str =
    "reply code enhanced key basis language title meaning when fix retry who_acts stages speakers";

#[test]
fn explanations_and_comparisons_have_stable_json_keys() {
    let folder = tempfile::tempdir().unwrap();
    for lang in ["en", "fr"] {
        let words = [
            "explain",
            "556 5.1.10 no mail here",
            "--json",
            "--lang",
            lang,
        ];
        let json = run_in(folder.path(), &words).json();
        assert!(keys(&json[0]).len() >= EXPLANATION.split(' ').count());
        for key in EXPLANATION.split(' ') {
            assert!(json[0].get(key).is_some(), "{key}");
        }
        assert_eq!(json[0]["code"], 556);
        assert_eq!(json[0]["enhanced"], "5.1.10");
        assert_eq!(json[0]["language"], lang);
    }
    let json = run_in(folder.path(), &["compare", "550", "556", "--json"]).json();
    let expected = "title left right same_command differences which confusion at_a_glance";
    assert_keys(&json[0], expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_queue_has_stable_json_keys() {
    let lab = Lab::new("far.test MX 10 mx.far.test\nmx.far.test A @2").await;
    let _peer = lab
        .peer(2, Script::accept_all().on_rcpt("450 4.2.1 not now"))
        .await;
    let setup = Setup {
        delivery: "retry = [\"1h\"]",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    server
        .send("a@client.test", &["x@far.test"], "Subject: x\n\n")
        .await;
    let queue = until("a first try", || {
        let queue = server.queue();
        (queue[0]["recipients"][0]["attempts"] == 1).then_some(queue)
    });
    let message = &queue[0];
    assert_keys(
        message,
        "queue_name queue_id arrival_time message_size forced_expire sender client recipients",
    );
    assert_keys(&message["client"], "address helo");
    assert_eq!(message["queue_name"], "deferred");
    assert!(message["arrival_time"].is_u64(), "as Postfix writes it");
    let recipient = &message["recipients"][0];
    assert_eq!(recipient["delay_reason"], "450 4.2.1 not now");
    let expected = "address delay_reason state delivery next_try attempts reason hold last_attempt";
    assert_keys(recipient, expected);
    let expected = "time host host_address stage speaker reply explain";
    assert_keys(&recipient["last_attempt"], expected);
    let explained = &recipient["last_attempt"]["explain"];
    for key in EXPLANATION.split(' ') {
        assert!(explained.get(key).is_some(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn check_and_config_have_stable_json_keys() {
    let lab = Lab::new("far.test MX 10 mx.far.test\nmx.far.test A @2").await;
    let server = Instance::prepare(&lab, &Setup::default());
    let checked = server.run(&["check", "far.test", "--json"]);
    let json = checked.json().remove(0);
    assert_keys(&json, "subject plan hosts findings reply explanation route");
    assert_keys(&json["hosts"][0], "name preference implicit addresses");
    let usable = server.run(&["config", "check", "--json"]).json().remove(0);
    assert_eq!(
        usable,
        serde_json::json!({"usable": true, "expired_routes": []})
    );
    let shown = server.run(&["config", "show", "--json"]).json().remove(0);
    for key in
        "hostname data_dir language listen relay domains route dns delivery limits log".split(' ')
    {
        assert!(shown.get(key).is_some(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_json_log_is_one_object_a_line_and_knows_every_message() {
    let lab = Lab::new("").await;
    let setup = Setup {
        tables: "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\n[log]\nformat = \"json\"",
        ..Setup::default()
    };
    let mut server = Instance::start(&lab, &setup).await;
    let id = server
        .send("a@client.test", &["anne@here.test"], "Subject: x\n\n")
        .await;
    server.letter("anne");
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    let log = server.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let about = lines
        .iter()
        .filter(|line| line.to_string().contains(&id))
        .count();
    assert!(about >= 2, "accepted and delivered: {log}");
}
