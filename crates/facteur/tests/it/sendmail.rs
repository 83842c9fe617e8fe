//! Called by the names that other programs know: sendmail, mailq.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use facteur_testkit::Script;

use crate::instance::{Instance, Lab, Setup, until};

struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Calls the program by another name, with the configuration at `config` and a message on standard input.
fn call(name: &str, config: &Path, words: &[&str], message: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_facteur"));
    command.arg0(name).args(words);
    command.env("FACTEUR_CONFIG", config).env("LC_ALL", "C");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read all of it.
    drop(child.stdin.take().unwrap().write_all(message.as_bytes()));
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

const USERS: &str =
    "[domains.\"here.test\"]\ndeliver = \"maildir:MAIL/{user}\"\nusers = [\"anne\", \"jean\"]";

fn setup() -> Setup {
    Setup {
        tables: USERS,
        ..Setup::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_to_whom_its_header_names_and_bcc_is_seen_by_nobody() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &setup()).await;
    let message = "To: Anne <anne@here.test>\nBcc: jean\nSubject: Hi\n\nbody\n.\nmore\n";
    let words = ["-t", "-i", "-f", "cron@here.test", "-F", "Cron Daemon"];
    let said = call("sendmail", &server.config(), &words, message);
    assert_eq!(said.code, 0, "{}", said.err);
    for user in ["anne", "jean"] {
        let text = server.letter(user).text();
        assert!(
            text.contains("From: Cron Daemon <cron@here.test>\n"),
            "{text}"
        );
        assert!(
            text.contains("\nDate: ") && text.contains("\nMessage-ID: <"),
            "{text}"
        );
        assert!(text.ends_with("\nbody\n.\nmore\n"), "{text}");
        assert!(!text.contains("Bcc"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_explained_has_the_number_callers_know_and_nobody_gets_the_message() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &setup()).await;
    let words = ["anne@here.test", "nobody@here.test"];
    let said = call("sendmail", &server.config(), &words, "Subject: x\n\n");
    assert_eq!(said.code, 67, "{}", said.err);
    assert!(said.err.contains("550 5.1.1"), "{}", said.err);
    assert!(said.err.contains("sent to nobody"), "{}", said.err);
    assert!(server.queue().is_empty() && server.mailboxes().is_empty());
    let none = call("sendmail", &server.config(), &["-t"], "Subject: x\n\n");
    assert_eq!(none.code, 64, "{}", none.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_caller_is_told_to_try_again() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &setup());
    let said = call("sendmail", &server.config(), &["anne"], "Subject: x\n\n");
    assert_eq!(said.code, 75, "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_is_spoken_over_standard_input() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &setup()).await;
    let said = call("sendmail", &server.config(), &["-bs"], "NOOP\r\nQUIT\r\n");
    assert_eq!(said.code, 0, "{}", said.err);
    let replies: Vec<&str> = said
        .out
        .lines()
        .map(|line| line.get(..3).unwrap())
        .collect();
    assert_eq!(replies, ["220", "250", "221"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_shown_as_scripts_know_it() {
    let lab = Lab::new("far.test MX 10 mx.far.test\nmx.far.test A @2\n").await;
    let later = Script::accept_all().on_rcpt("450 4.2.1 later");
    let peer = lab.peer(2, later).await;
    let mut lasting = setup();
    lasting.delivery = "retry = [\"1h\"]";
    let server = Instance::start(&lab, &lasting).await;
    let empty = call("mailq", &server.config(), &[], "");
    assert_eq!(
        (empty.code, empty.out.as_str()),
        (0, "Mail queue is empty\n")
    );
    let id = server
        .send("a@client.test", &["u@far.test"], "Subject: x\n\n")
        .await;
    let shown = until("the reason", || {
        let shown = call("mailq", &server.config(), &[], "");
        shown.out.contains("later").then_some(shown.out)
    });
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("-Queue ID-"), "{shown}");
    assert!(
        lines[1].starts_with(&id) && lines[1].ends_with(" a@client.test"),
        "{shown}"
    );
    assert!(
        lines[2]
            .trim_start()
            .starts_with("(host mx.far.test said: 450 4.2.1"),
        "{shown}"
    );
    assert_eq!(lines[3].trim(), "u@far.test");
    assert_eq!(*lines.last().unwrap(), "-- 1 Kbytes in 1 Request.");
    let ours = call("mailq", &server.config(), &["--json"], "");
    assert!(ours.out.starts_with('{'), "{}", ours.out);

    peer.set_script(Script::accept_all());
    let flushed = call("sendmail", &server.config(), &["-q"], "");
    assert_eq!(
        (flushed.code, flushed.out.as_str()),
        (0, ""),
        "{}",
        flushed.err
    );
    server.queue_is_empty();
    assert_eq!(peer.accepted().len(), 1);
}
