//! What the process may do, seen from outside: in `/proc`, and by what it fails to do.
//!
//! Root alone can become somebody else. Run by another user, the tests of that show that the server says so.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use crate::instance::{Instance, Lab, PATIENCE, Setup, until};
use crate::talk::greets;

const NOBODY: u32 = 65_534;

/// A server that becomes nobody.
const BECOMES_NOBODY: &str = "[process]
user = \"nobody\"
[domains.\"here.test\"]
deliver = \"maildir:MAIL/{user}\"
";

fn tables(tables: &'static str) -> Setup {
    Setup {
        tables,
        ..Setup::default()
    }
}

/// What `/proc` says of every thread of the process.
fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap())
        .collect()
}

fn field<'a>(status: &'a str, name: &str) -> Vec<&'a str> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap().split_whitespace().collect()
}

const NO_CAPABILITIES: &str = "0000000000000000";

const CAPABILITIES: [&str; 4] = ["CapInh", "CapPrm", "CapEff", "CapAmb"];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn root_is_given_up_by_every_thread_and_for_good() {
    let lab = Lab::new("").await;
    let mut server = Instance::prepare(&lab, &tables(BECOMES_NOBODY));
    fs::set_permissions(server.path(""), Permissions::from_mode(0o755)).unwrap();
    if !geteuid().is_root() {
        let answer = server.run(&["serve"]);
        assert_eq!(answer.code, 4, "{answer:?}");
        assert!(answer.err.contains("only root can"), "{answer:?}");
        return;
    }
    server.launch().await;
    let threads = threads(server.pid());
    assert!(threads.len() > 2, "the runtime has threads of its own");
    let nobody = NOBODY.to_string();
    let nobody = [nobody.as_str(); 4];
    for status in &threads {
        assert_eq!(field(status, "Uid"), nobody);
        assert_eq!(field(status, "Groups"), [""; 0]);
        assert!(!field(status, "Gid").contains(&"0"));
        assert_eq!(field(status, "NoNewPrivs"), ["1"]);
        for set in CAPABILITIES.iter().chain(&["CapBnd"]) {
            assert_eq!(field(status, set), [NO_CAPABILITIES], "{set}");
        }
    }
    // Mail goes through, and what it leaves belongs to the user.
    server
        .send("a@client.test", &["anne@here.test"], "\n")
        .await;
    server.letter("anne");
    for path in ["data", "data/spool", "mail", "mail/anne"] {
        let found = fs::metadata(server.path(path)).unwrap();
        assert_eq!(found.uid(), NOBODY, "{path}");
    }
    let status = server.run(&["status", "--json"]).json();
    assert_eq!(status[0]["user"], "nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_data_directory_of_another_user_is_an_error_that_says_what_to_do() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &tables(BECOMES_NOBODY));
    fs::create_dir(server.path("data")).unwrap();
    let answer = server.run(&["serve"]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let says = if geteuid().is_root() {
        "hint: give it away, with all that is in it: chown -R 65534:"
    } else {
        "only root can"
    };
    assert!(answer.err.contains(says), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_cannot_be_looked_into_and_gains_nothing_by_starting_a_program() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let pid = server.pid();
    for status in threads(pid) {
        assert_eq!(field(&status, "NoNewPrivs"), ["1"]);
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let core: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(core, ["0", "0", "bytes"]);
    if geteuid().is_root() {
        assert!(server.log().contains("the server runs as root"));
    } else {
        // What belongs to root is what the process's own user may not open: it is not dumpable.
        let found = fs::metadata(format!("/proc/{pid}/environ")).unwrap();
        assert_eq!(found.uid(), 0);
        for status in threads(pid) {
            assert_eq!(field(&status, "CapPrm"), [NO_CAPABILITIES]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_maildir_that_leads_out_of_the_folders_of_the_configuration_is_not_written() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    assert!(
        server.log().contains("confined to the folders and ports"),
        "this kernel has no Landlock"
    );
    let outside = server.path("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, server.path("mail").join("anne")).unwrap();
    let id = server
        .send("a@client.test", &["anne@here.test"], "\n")
        .await;
    until("a failed delivery", || {
        let log = server.log();
        let mut lines = log.lines();
        lines.find(|line| {
            line.contains("mailbox cannot be written")
                && line.contains(&id)
                && line.contains("Permission denied")
        })?;
        Some(())
    });
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_eq!(server.queue().len(), 1, "it is tried again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn maildirs_everywhere_cannot_be_confined() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(
        &lab,
        &tables("[domains.\"here.test\"]\ndeliver = \"maildir:/{user}\"\n"),
    );
    let answer = server.run(&["serve"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains("hint: move them"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_is_not_confined_says_so() {
    let lab = Lab::new("").await;
    let setup = tables("[process]\nconfine = false\n");
    let server = Instance::start(&lab, &setup).await;
    assert!(
        server
            .log()
            .contains("not confined: [process] confine is false")
    );
    let status = server.run(&["status"]);
    assert!(status.out.contains("Confinement: none"), "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sockets_of_the_service_manager_are_served_by_their_address() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &Setup::default());
    let listener = TcpListener::bind(server.address()).unwrap();
    // The number of the process must be known before the program starts: the shell's becomes the program's.
    let script =
        "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve --config \"$1\"";
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_facteur")])
        .arg(server.config())
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stdout(Stdio::null())
        .stderr(fs::File::create(server.path("log")).unwrap())
        .spawn()
        .unwrap();
    let served = greeted(server.address()).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(served, "{}", server.log());
    let line = format!("the service manager listens address={}", server.address());
    assert!(server.log().contains(&line), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_capability_to_open_a_low_port_is_dropped_after_it_was_used() {
    let lab = Lab::new("").await;
    let (port, by) = if geteuid().is_root() {
        (25, AS_NOBODY)
    } else {
        (2_523, &["env"][..])
    };
    let setup = Setup {
        listen: "[[listen]]\naddress = \"@1:LOW\"",
        ..Setup::default()
    };
    let server = Instance::prepare(&lab, &setup);
    let config = fs::read_to_string(server.config()).unwrap();
    fs::write(server.config(), config.replace("LOW", &port.to_string())).unwrap();
    fs::set_permissions(server.path(""), Permissions::from_mode(0o777)).unwrap();
    // Where nobody may not come, as in the home of whoever builds this, he finds no program either.
    let program = server.path("facteur");
    // Copied by another process: a file that this one has open for writing cannot be started while a third process, which
    // another test starts at this moment, still holds it.
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_facteur"))
        .arg(&program)
        .status();
    assert!(copied.unwrap().success());
    let mut child = Command::new(by[0])
        .args(&by[1..])
        .arg(program)
        .args(["serve", "--config"])
        .arg(server.config())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(server.path("log")).unwrap())
        .spawn()
        .unwrap();
    let served = greeted(SocketAddr::new(lab.ip(1), port)).await;
    let threads = threads(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(served, "{}", server.log());
    for status in &threads {
        for set in CAPABILITIES {
            assert_eq!(field(status, set), [NO_CAPABILITIES], "{set}");
        }
    }
}

/// As nobody, who may open any port.
const AS_NOBODY: &[&str] = &[
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=+net_bind_service",
    "--ambient-caps=+net_bind_service",
];

/// Whether there is a banner at last.
async fn greeted(server: SocketAddr) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !greets(server).await {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}
