//! Every dialogue file of `facteur-smtp`, played over TCP against the real server, as far as a configuration and a
//! DNS zone can bring about what the file is about.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;

use facteur_testkit::dialogue::{Conversation, Dialogue, DialogueOption};

use crate::instance::{Instance, LMTP_PORT, Lab, PATIENCE, Setup, until};

/// The dialogues that no configuration can bring about, and why.
const OUT_OF_REACH: [(&str, &str); 13] = [
    ("421-from-policy", "no policy answers MAIL with 421"),
    ("421-idle", "the silence lasts 300 seconds"),
    ("451-commit-failed", "the disk would have to fail"),
    (
        "451-dns-failure",
        "the server queues the message instead: DNS may answer later",
    ),
    ("452-storage-full", "the disk would have to be full"),
    ("452-too-many-recipients", "the limit is never below 100"),
    ("552-size-declared", "the limit is never below 64 KiB"),
    ("552-size-read", "the limit is never below 64 KiB"),
    (
        "554-too-many-hops",
        "the file's message is no loop: its driver refuses any content",
    ),
    ("bdat-draft-refused", "the disk would have to be full"),
    ("bdat-too-big", "the limit is never below 64 KiB"),
    ("bdat-too-big-in-all", "the limit is never below 64 KiB"),
    ("lmtp-commit-failed", "the disk would have to fail"),
];

const ZONE: &str =
    "client.test A @9\nnullmx.test MX 0 .\nelsewhere.test A @9\nxn--exmple-cua.org A @9";

const TABLES: &str = "[domains.\"example.org\"]\ndeliver = \"maildir:MAIL/{user}\"\n";

fn dialogues() -> BTreeMap<String, Dialogue> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../facteur-smtp/tests/dialogues");
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(path).unwrap();
            (name, Dialogue::parse(&text).unwrap())
        })
        .collect()
}

/// A configuration as a dialogue wants it; none if that cannot be said.
fn setup(dialogue: &Dialogue) -> Option<(Setup, u16)> {
    let mut setup = Setup {
        top: "hostname = \"mx.example.org\"\npostmaster = \"user@example.org\"",
        listen: "[[listen]]\naddress = \"@1:2524\"\nrole = \"lmtp\"",
        tables: TABLES,
        ..Setup::default()
    };
    let mut port = crate::instance::PORT;
    for DialogueOption { name, values } in &dialogue.options {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        match (name.as_str(), &values[..]) {
            ("role", ["lmtp"]) => port = LMTP_PORT,
            ("normalise-bare-newlines", []) => setup.listener = "normalise_newlines = true",
            ("max-errors", ["2"]) => setup.limits = "errors = 2",
            ("max-messages", ["1"]) => setup.limits = "messages_per_session = 1",
            ("refuse-mail", ["user@nullmx.test", "sender_null_mx", _])
            | ("refuse-rcpt", ["user@nullmx.test", "null_mx", _]) => {}
            ("refuse-rcpt", ["gone@example.org", "mailbox_unknown", _]) => {
                setup.tables = "[domains.\"example.org\"]\ndeliver = \"maildir:MAIL/{user}\"
users = [\"user\", \"a\", \"b\"]";
            }
            ("refuse-rcpt", ["x@elsewhere.test", "relay_denied", _]) => {
                setup.relay = "networks = [\"192.0.2.0/24\"]";
            }
            _ => return None,
        }
    }
    Some((setup, port))
}

/// Whether something from outside that a dialogue asks for can be brought about.
fn needs_interruption(name: &str) -> bool {
    ["421-idle", "421-session-too-long", "421-shutdown-in-data"].contains(&name)
}

/// Plays all dialogues of `names`, in the order of the names, on one server.
async fn play(setup: &Setup, names: &[(&String, &Dialogue, u16)]) -> Vec<String> {
    let lab = Lab::new(ZONE).await;
    let server = Instance::start(&lab, setup).await;
    let mut faults = Vec::new();
    for (name, dialogue, port) in names {
        let address = (lab.ip(1), *port).into();
        let mut wire = Wire::connect(&server, address);
        if let Err(difference) = dialogue.play(&mut wire) {
            faults.push(format!("{name}: {difference}"));
        }
    }
    faults
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_dialogue_goes_as_its_file_says() {
    let mut groups: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let dialogues = dialogues();
    let mut setups = BTreeMap::new();
    let within_reach = |name: &str| OUT_OF_REACH.iter().all(|(other, _)| *other != name);
    for (name, dialogue) in dialogues.iter().filter(|(name, _)| within_reach(name)) {
        if needs_interruption(name) {
            continue;
        }
        let (setup, port) = setup(dialogue).unwrap_or_else(|| panic!("{name} cannot be set up"));
        let key = [setup.listener, setup.relay, setup.tables, setup.limits].join("\n");
        groups
            .entry(key.clone())
            .or_default()
            .push((name, dialogue, port));
        setups.insert(key, setup);
    }
    let mut faults = Vec::new();
    let mut played = 0;
    for (key, group) in groups {
        played += group.len();
        faults.extend(play(&setups[&key], &group).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(played >= 55, "only {played}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_that_takes_too_long_goes_as_its_dialogue_says() {
    let setup = Setup {
        top: "hostname = \"mx.example.org\"",
        limits: "session_timeout = \"10s\"",
        ..Setup::default()
    };
    let dialogues = dialogues();
    let (name, dialogue) = dialogues.get_key_value("421-session-too-long").unwrap();
    let faults = play(&setup, &[(name, dialogue, crate::instance::PORT)]).await;
    assert!(faults.is_empty(), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stop_within_a_message_goes_as_its_dialogue_says() {
    let setup = Setup {
        top: "hostname = \"mx.example.org\"",
        tables: TABLES,
        limits: "shutdown_grace = \"1s\"",
        ..Setup::default()
    };
    let dialogues = dialogues();
    let (name, dialogue) = dialogues.get_key_value("421-shutdown-in-data").unwrap();
    let faults = play(&setup, &[(name, dialogue, crate::instance::PORT)]).await;
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn the_list_of_dialogues_out_of_reach_is_exact() {
    let dialogues = dialogues();
    for (name, _) in OUT_OF_REACH {
        assert!(
            dialogues.contains_key(name),
            "{name} is no dialogue any more"
        );
    }
    for (name, dialogue) in &dialogues {
        let listed = OUT_OF_REACH.iter().any(|(other, _)| other == name);
        let reachable = setup(dialogue).is_some() && name != "421-idle";
        assert_eq!(listed, !reachable, "{name}: listed {listed}");
    }
}

/// A client's end of a TCP connection to a server.
struct Wire<'a> {
    server: &'a Instance,
    stream: BufReader<TcpStream>,
    /// The letters in the Maildirs that belong to messages already seen.
    seen: Vec<String>,
}

impl<'a> Wire<'a> {
    fn connect(server: &'a Instance, address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut wire = Self {
            server,
            stream: BufReader::new(stream),
            seen: Vec::new(),
        };
        wire.seen = wire.letters().into_iter().map(|(id, _)| id).collect();
        wire
    }

    /// The queue id and the content of each letter.
    fn letters(&self) -> Vec<(String, Vec<u8>)> {
        let names = self.server.mailboxes();
        let letters = names.iter().flat_map(|name| self.server.mailbox(name));
        letters
            .map(|letter| (letter.id(), letter.content().to_vec()))
            .collect()
    }
}

impl Conversation for Wire<'_> {
    fn send(&mut self, octets: &[u8]) {
        // A server that has said 421 may have closed already; what it says next is compared.
        drop(self.stream.get_mut().write_all(octets));
    }

    fn hear(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).ok()?;
        let line = line.strip_suffix(b"\r\n")?;
        Some(String::from_utf8_lossy(line).into_owned())
    }

    fn hang_up(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Both).unwrap();
    }

    fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_until(b'\n', &mut rest) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// A letter that has just come into a Maildir. There lines end with LF, but for binary messages.
    fn message(&mut self, expected: &[u8]) -> Option<Vec<u8>> {
        let (id, content) = until("the message in a Maildir", || {
            let letters = self.letters();
            letters.into_iter().find(|(id, _)| !self.seen.contains(id))
        });
        self.seen.push(id);
        if content == expected {
            return Some(content);
        }
        let mut wire = Vec::new();
        for octet in content {
            if octet == b'\n' {
                wire.push(b'\r');
            }
            wire.push(octet);
        }
        Some(wire)
    }

    fn interrupt(&mut self, reply: &[String]) {
        match reply[0].as_str() {
            "shutting_down" => self.server.terminate(),
            // It comes by itself.
            "session_too_long" => {}
            other => panic!("{other} cannot be brought about"),
        }
    }
}
