//! `facteur selftest` on this machine.

use std::fs;

use crate::instance::{Instance, Lab, Setup, run_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_check_passes_with_the_operators_configuration_and_leaves_nothing_behind() {
    let lab = Lab::new("").await;
    let setup = Setup {
        listener: "normalise_newlines = true",
        limits: "errors = 1\nrecipients = 100\ncommand_timeout = \"5s\"",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let before = names(&server);
    let answer = server.run(&["selftest"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let lines: Vec<&str> = answer.out.lines().collect();
    let (last, checks) = lines.split_last().unwrap();
    assert!(checks.iter().all(|line| line.starts_with("passed  ")));
    assert_eq!(*last, format!("{} checks, all passed.", checks.len()));
    assert_eq!(names(&server), before);
    // The server beside it was not touched.
    server.queue_is_empty();
}

#[test]
fn a_program_can_read_what_was_checked_and_the_keys_are_unique() {
    let folder = tempfile::tempdir().unwrap();
    let answer = run_in(folder.path(), &["selftest", "--json", "--lang", "fr"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let checks = answer.json();
    let mut keys: Vec<&str> = checks
        .iter()
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    assert!(keys.contains(&"confined:execute"));
    assert!(keys.contains(&"smuggling:CRLF . LF"));
    assert!(keys.contains(&"mx:5 mx + 10 ."));
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
    for check in &checks {
        assert_eq!(check["passed"], true);
        assert!(check["got"].is_null());
        assert!(check["words"].as_str().unwrap().len() > 10);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_program_that_is_started_after_all_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let answer = run_in(folder.path(), &["selftest", "--program-was-started"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.out.starts_with("FAILED  "), "{answer:?}");
    let help = run_in(folder.path(), &["selftest", "--help"]);
    assert!(!help.out.contains("program-was-started"), "{help:?}");
}

/// What is in the data directory.
/// What lies in the data directory, but for what the server itself makes there after it has begun to serve.
fn names(server: &Instance) -> Vec<String> {
    let entries = fs::read_dir(server.path("data")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "history" && !name.contains(".sqlite"))
        .collect();
    names.sort();
    names
}
