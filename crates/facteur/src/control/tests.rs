//! The socket from outside: who is served, who is left at which deadline, and what a stop does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Clock, Timestamp};
use facteur_replies::Language;
use facteur_testkit::ManualClock;
use tempfile::TempDir;

use super::answers::{Answers, Stop};
use super::client::{self, Unheard};
use super::peer::Peer;
use super::protocol::{Answer, Refusal, Request, SpoolState, Status};
use super::server::{Control, Perform};
use super::socket::Socket;
use crate::process::Confinement;

const ASK: &[u8] = b"{\"version\":1,\"language\":\"en\",\"request\":{\"verb\":\"status\"}}\n";

/// What a request comes to.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// An answer.
    Answer,
    /// Answers for as long as somebody reads.
    Endless,
    /// Nothing, ever.
    Hang,
    /// A bug.
    Panic,
}

impl Perform for Act {
    async fn perform(
        &self,
        _: Request,
        _: &Peer,
        _: Language,
        answers: Answers,
    ) -> Result<(), Stop> {
        match self {
            Self::Answer => answers.give(answer()).await,
            Self::Endless => loop {
                answers.give(answer()).await?;
            },
            Self::Hang => std::future::pending().await,
            Self::Panic => panic!("a bug, on purpose"),
        }
    }
}

fn answer() -> Answer {
    Answer::Status(Box::new(Status {
        version: "1".to_owned(),
        hostname: "mx.test".to_owned(),
        pid: 1,
        user: 6,
        confinement: Confinement::Landlock { version: 7 },
        started: 2,
        queued: 3,
        sessions: 4,
        spool: SpoolState::Well,
    }))
}

struct Lab {
    _folder: TempDir,
    path: PathBuf,
    clock: ManualClock,
    control: Control,
}

impl Lab {
    fn new(act: Act) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let clock = ManualClock::at(Timestamp::from_millis(1_000));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let control = Control::start(Socket::listen(&path).unwrap(), act, shared);
        Self {
            _folder: folder,
            path,
            clock,
            control,
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.path).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    async fn ask(&self) -> Result<Vec<Answer>, Unheard> {
        ask(&self.path).await
    }
}

/// Asks on a thread of its own, as another process would.
async fn ask(path: &Path) -> Result<Vec<Answer>, Unheard> {
    let path = path.to_owned();
    blocking(move || client::ask(&path, Request::Status, Language::English)?.collect()).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn last_line(stream: UnixStream) -> String {
    let lines = blocking(move || {
        let lines = BufReader::new(stream).lines();
        lines.map_while(Result::ok).collect::<Vec<_>>()
    });
    lines.await.pop().unwrap_or_default()
}

fn refused(refusal: &str) -> String {
    format!(r#"{{"answer":"refused","why":"{refusal}"}}"#)
}

#[tokio::test]
async fn who_asks_gets_the_answer_and_one_connection_may_ask_again() {
    let lab = Lab::new(Act::Answer);
    assert_eq!(lab.ask().await.unwrap(), [answer()]);
    let mut stream = lab.connect();
    stream.write_all(&[ASK, ASK].concat()).unwrap();
    let mut reader = BufReader::new(stream);
    let lines = blocking(move || {
        let mut lines = Vec::new();
        for _ in 0..4 {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            lines.push(line);
        }
        lines
    });
    let lines = lines.await;
    assert!(lines[0].contains("mx.test") && lines[2].contains("mx.test"));
    assert_eq!(lines[1], "{\"answer\":\"done\"}\n");
    assert_eq!(lines[3], "{\"answer\":\"done\"}\n");
}

#[tokio::test]
async fn garbage_is_refused_and_the_next_one_is_served() {
    let lab = Lab::new(Act::Answer);
    for garbage in [&b"\0\xff\n"[..], b"EHLO x\r\n", &[b'['; 300_000]] {
        let mut stream = lab.connect();
        // It may be refused before all of it is written.
        let garbage = garbage.to_vec();
        let line = blocking(move || {
            drop(stream.write_all(&garbage));
            let mut text = String::new();
            drop(stream.read_to_string(&mut text));
            text
        });
        let line = line.await;
        assert!(line.starts_with(r#"{"answer":"refused""#), "{line}");
    }
    assert_eq!(lab.ask().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_silent_peer_is_left_at_the_deadline_and_nobody_waits_for_it() {
    let lab = Lab::new(Act::Answer);
    let mut half = lab.connect();
    half.write_all(b"{\"version\":").unwrap();
    let silent = lab.connect();
    lab.clock.until_sleeping(2).await;
    assert_eq!(lab.ask().await.unwrap().len(), 1);
    lab.clock.advance(Duration::from_secs(10));
    assert_eq!(last_line(silent).await, refused("late"));
    assert_eq!(last_line(half).await, refused("late"));
}

#[tokio::test]
async fn a_peer_that_never_reads_is_left_at_the_deadline_and_the_work_ends() {
    let lab = Lab::new(Act::Endless);
    let mut deaf = lab.connect();
    deaf.write_all(ASK).unwrap();
    let mut waited = Duration::ZERO;
    // Its socket is full once only the write's deadline sleeps, for longer than the one of a request.
    let left = loop {
        lab.clock.until_sleeping(1).await;
        let wake = lab.clock.next_wake().unwrap();
        if wake.since(lab.clock.now()) > Duration::from_secs(30) {
            break wake;
        }
        tokio::task::yield_now().await;
        waited += Duration::from_millis(1);
        assert!(waited < Duration::from_secs(1_000), "never full");
    };
    lab.clock.set(left);
    let text = blocking(move || {
        let mut text = Vec::new();
        drop(deaf.read_to_end(&mut text));
        text
    });
    let text = text.await;
    assert!(text.len() > 1_000 && !text.ends_with(b"done\"}\n"));
    lab.control.shutdown().await;
}

#[tokio::test]
async fn work_without_answers_says_that_it_goes_on() {
    let lab = Lab::new(Act::Hang);
    let mut stream = lab.connect();
    stream.write_all(ASK).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..3 {
        // The request is under way once its own wait is the one that sleeps.
        lab.clock.until_sleeping(1).await;
        lab.clock.advance(Duration::from_secs(10));
    }
    let line = blocking(move || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line
    });
    assert_eq!(line.await, "{\"answer\":\"working\"}\n");
}

#[tokio::test]
async fn there_are_only_so_many_connections_at_once_and_places_are_given_back() {
    let lab = Lab::new(Act::Answer);
    let mut idle: Vec<_> = (0..16).map(|_| lab.connect()).collect();
    lab.clock.until_sleeping(16).await;
    assert_eq!(last_line(lab.connect()).await, refused("busy"));
    drop(idle.pop());
    while matches!(lab.ask().await, Err(Unheard::Refused(Refusal::Busy))) {
        tokio::task::yield_now().await;
    }
    assert_eq!(lab.ask().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_bug_in_one_request_ends_its_connection_alone() {
    let lab = Lab::new(Act::Panic);
    for _ in 0..20 {
        assert!(matches!(lab.ask().await, Err(Unheard::Lost)));
    }
}

#[tokio::test]
async fn a_stop_ends_what_is_under_way_and_removes_the_socket() {
    let lab = Lab::new(Act::Hang);
    let idle = lab.connect();
    let mut busy = lab.connect();
    busy.write_all(ASK).unwrap();
    lab.clock.until_sleeping(2).await;
    lab.control.shutdown().await;
    assert_eq!(last_line(idle).await, refused("stopping"));
    assert_eq!(last_line(busy).await, refused("stopping"));
    assert!(!lab.path.exists());
    let nobody = ask(&lab.path).await;
    assert!(matches!(nobody, Err(Unheard::NobodyThere)), "{nobody:?}");
}
