//! The control socket of a running server: who may use it, and what it withstands.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;

use crate::instance::{Answer, Instance, Lab, PATIENCE, Setup};

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn status_says_how_the_server_is() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let _talk = server.talk().await;
    let answer = server.run(&["status"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.out.starts_with("mx.here.test runs\n"), "{answer:?}");
    let french = server.run(&["status", "--lang", "fr"]);
    assert!(
        french.out.contains("Sessions ouvertes\u{a0}: 1"),
        "{french:?}"
    );
    let json = server.run(&["status", "--json"]).json();
    let [status] = json.as_slice() else {
        panic!("{json:?}")
    };
    assert_eq!(status["hostname"], "mx.here.test");
    assert_eq!(status["sessions"], 1);
    assert_eq!(status["queued"], 0);
    assert_eq!(status["spool"], "well");
    assert_eq!(status["confinement"]["state"], "landlock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_server_the_answer_is_an_error_of_its_own_also_after_a_crash() {
    let lab = Lab::new("").await;
    let mut server = Instance::prepare(&lab, &Setup::default());
    let nobody = |server: &Instance| {
        let answer = server.run(&["status"]);
        assert_eq!(answer.code, 7, "{answer:?}");
        assert!(answer.err.contains("no server runs here"), "{answer:?}");
        assert!(answer.err.contains("hint: "), "{answer:?}");
    };
    nobody(&server);
    server.launch().await;
    assert_eq!(server.run(&["status"]).code, 0);
    server.kill();
    nobody(&server);
    server.launch().await;
    assert_eq!(
        server.run(&["status"]).code,
        0,
        "the dead one's socket is replaced"
    );
    server.terminate();
    server.ended();
    assert!(!server.path("data/control.sock").exists());
    nobody(&server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn something_else_with_the_name_of_the_socket_stops_the_start_and_is_left_alone() {
    let lab = Lab::new("").await;
    let server = Instance::prepare(&lab, &Setup::default());
    fs::create_dir(server.path("data")).unwrap();
    fs::set_permissions(server.path("data"), Permissions::from_mode(0o700)).unwrap();
    fs::write(server.path("data/control.sock"), "precious").unwrap();
    let answer = server.run(&["serve"]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert!(answer.err.contains("data/control.sock"), "{answer:?}");
    let kept = fs::read_to_string(server.path("data/control.sock")).unwrap();
    assert_eq!(kept, "precious");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn another_user_is_refused_by_the_file_and_by_the_server() {
    if !rustix::process::geteuid().is_root() {
        // Only root can be somebody else; whom the server serves has a test of its own.
        return;
    }
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let open = |name: &str, mode: u32| {
        fs::set_permissions(server.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let ask = || {
        let mut command = server.command(&["status"]);
        Answer::new(command.uid(NOBODY).gid(NOBODY).output().unwrap())
    };
    open("", 0o711);
    open("facteur.toml", 0o644);
    open("data", 0o711);
    let answer = ask();
    assert_eq!(answer.code, 4, "{answer:?}");
    assert!(answer.err.contains("not yours to use"), "{answer:?}");
    open("data/control.sock", 0o666);
    let answer = ask();
    assert_eq!(answer.code, 4, "{answer:?}");
    assert!(
        answer.err.contains("does nothing for the user 65534"),
        "{answer:?}"
    );
    open("data", 0o700);
    assert!(server.log().contains("refused at the control socket"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn garbage_floods_and_silence_disturb_neither_mail_nor_other_commands() {
    let lab = Lab::new("").await;
    let server = Instance::start(&lab, &Setup::default()).await;
    let socket = server.path("data/control.sock");
    let mut silent = Vec::new();
    for round in 0..200_u32 {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut noise = round.to_le_bytes().repeat(100_000);
        noise.push(b'\n');
        if round % 20 == 0 {
            silent.push(stream);
        } else {
            // It is refused before all of it is read.
            drop(stream.write_all(&noise));
            let mut text = Vec::new();
            drop(stream.read_to_end(&mut text));
        }
    }
    let answer = server.run(&["status"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    server
        .send("a@client.test", &["anne@here.test"], "Subject: x\n\n")
        .await;
    server.letter("anne");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
