//! What a service manager hears.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::instance::{Instance, Lab, PATIENCE, Setup};

/// A service manager: hears what the server says.
struct Manager(UnixDatagram);

impl Manager {
    fn start(server: &Instance, watchdog_micros: &str) -> (Self, Child) {
        let path = server.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command: Command = server.command(&["serve"]);
        command
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", watchdog_micros)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(server.path("log")).unwrap());
        (Self(socket), command.spawn().unwrap())
    }

    /// The lines of the next message.
    fn hears(&self) -> Vec<String> {
        let mut octets = [0; 4_096];
        let length = self.0.recv(&mut octets).unwrap();
        let text = std::str::from_utf8(&octets[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_service_manager_hears_ready_alive_and_stopping() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &Setup::default());
    let (manager, mut child) = Manager::start(&server, "100000");
    let place = server.address();
    assert_eq!(
        manager.hears(),
        [
            "READY=1".to_owned(),
            format!("STATUS=mx.here.test serves on {place}"),
        ]
    );
    // It listens by then.
    let _talk = server.talk().await;
    for _ in 0..3 {
        let lines = manager.hears();
        assert_eq!(lines[0], "WATCHDOG=1", "{lines:?}");
        assert!(
            lines[1].starts_with("STATUS=queued: 0, sessions: "),
            "{lines:?}"
        );
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let last = loop {
        let lines = manager.hears();
        if lines[0] != "WATCHDOG=1" {
            break lines;
        }
    };
    assert_eq!(last[0], "STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_service_manager_that_does_not_listen_is_no_reason_to_stop() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &Setup::default());
    let (manager, mut child) = Manager::start(&server, "100000");
    assert_eq!(manager.hears()[0], "READY=1");
    drop(manager);
    fs::remove_file(server.path("notify")).unwrap();
    crate::instance::until("a word about it", || {
        let log = server.log();
        log.contains("the service manager cannot be told")
            .then_some(())
    });
    let _talk = server.talk().await;
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_journal_the_log_goes_where_it_always_did() {
    let lab = Lab::new("").await;
    let setup = Setup {
        tables: "[log]\nformat = \"journald\"\n",
        ..Setup::default()
    };
    let server = Instance::start(&lab, &setup).await;
    let journal = std::path::Path::new("/run/systemd/journal/socket").exists();
    let says = "there is no journal here: the log is written to standard error";
    assert_eq!(server.log().contains(says), !journal, "{}", server.log());
    assert_eq!(server.log().contains("spool opened"), !journal);
}
