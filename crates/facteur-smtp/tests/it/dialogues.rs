//! Every dialogue file, played in memory: at once, octet by octet, and in pieces of several sizes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use facteur_smtp::server::{Config, Role};
use facteur_testkit::dialogue::{Conversation as _, Dialogue};

use crate::driver::Driver;

/// The sizes of the pieces in which a dialogue is received.
const PIECES: [usize; 6] = [usize::MAX, 1, 2, 3, 7, 4_096];

#[expect(clippy::disallowed_methods, reason = "the test reads its files")]
fn dialogues() -> Vec<(String, Dialogue)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert_eq!(path.extension().unwrap(), "smtp", "{name}");
            let dialogue = Dialogue::parse(&fs::read_to_string(path).unwrap())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, dialogue)
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(all.len() >= 40, "only {} dialogues", all.len());
    all
}

#[test]
fn every_dialogue_goes_as_its_file_says() {
    let mut faults = Vec::new();
    for (name, dialogue) in dialogues() {
        for piece in PIECES {
            let mut driver = Driver::new(&dialogue, piece);
            if let Err(difference) = dialogue.play(&mut driver) {
                faults.push(format!("{name} in pieces of {piece}: {difference}"));
                break;
            }
            if let Some(message) = driver.message(b"") {
                faults.push(format!("{name}: took {} as well", message.escape_ascii()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_two_dialogues_show_the_same() {
    let titles: Vec<_> = dialogues().into_iter().map(|(_, d)| d.title).collect();
    let unique: BTreeSet<_> = titles.iter().collect();
    assert_eq!(unique.len(), titles.len());
}

#[test]
fn what_is_announced_names_its_limits() {
    let hostname = facteur_mail::Domain::parse("mx.example.org").unwrap();
    let config = Config::new(hostname, Role::Smtp);
    let mut driver = Driver::plain(Role::Smtp, usize::MAX);
    driver.send(b"EHLO client.test\r\n");
    let said: Vec<_> = std::iter::from_fn(|| driver.hear()).collect();
    assert!(said.contains(&format!("250-SIZE {}", config.max_message_octets)));
    assert!(said.contains(&format!(
        "250-LIMITS RCPTMAX={} MAILMAX={}",
        config.max_recipients, config.max_messages
    )));
}

#[test]
fn a_session_that_waits_holds_next_to_no_input() {
    let mut driver = Driver::plain(Role::Smtp, usize::MAX);
    driver.send(b"HELO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n");
    driver.send(&b"line of text\r\n".repeat(4_000));
    assert!(driver.idle_input <= 512, "{}", driver.idle_input);
    driver.send(&b"NOOP\r\n".repeat(8_000));
    driver.send(b".\r\n");
    driver.send(&b"NOOP\r\n".repeat(8_000));
    assert!(driver.idle_input <= 512, "{}", driver.idle_input);
}
