//! The server's end: accepts, reads requests, has them performed, writes the answers.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use facteur_mail::{Clock, Timestamp};
use facteur_replies::Language;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc, watch};

use super::answers::{Answers, Stop};
use super::peer::Peer;
use super::protocol::{Answer, Frame, Refusal, Request, to_line};
use super::reader::RequestReader;
use super::socket::Socket;

/// How many connections there may be at once.
const MAX_CONNECTIONS: usize = 16;

/// How many requests one connection may make.
const MAX_REQUESTS: usize = 100;

/// How long a request may be under way, counted from its first octet or the end of the last one's answers.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long answers may wait for their reader.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// After this long without an answer, the peer is told that the work goes on.
const STILL_WORKING: Duration = Duration::from_secs(10);

/// How long accepting pauses when the system has no descriptor or no memory left.
const PAUSE: Duration = Duration::from_millis(100);

/// How many octets are read at once.
const PIECE: usize = 4 << 10;

/// The control socket while it is served.
#[derive(Debug)]
pub(crate) struct Control {
    stop: watch::Sender<bool>,
    alive: mpsc::Receiver<()>,
}

/// What does what is asked.
pub(crate) trait Perform: Send + Sync + 'static {
    /// Performs a request of `peer`, and gives answers as they come.
    fn perform(
        &self,
        request: Request,
        peer: &Peer,
        language: Language,
        answers: Answers,
    ) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// What every connection needs.
struct Service<P> {
    performer: Arc<P>,
    clock: Arc<dyn Clock>,
    stopping: watch::Receiver<bool>,
    /// Held by everything that runs; all has stopped when nobody holds it.
    alive: mpsc::Sender<()>,
}

impl Control {
    /// Serves whoever may ask at the socket. To be called within a tokio runtime.
    pub(crate) fn start(socket: Socket, performer: impl Perform, clock: Arc<dyn Clock>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let (hold, alive) = mpsc::channel(1);
        let service = Service {
            performer: Arc::new(performer),
            clock,
            stopping,
            alive: hold,
        };
        drop(tokio::spawn(service.accept(socket)));
        Self { stop, alive }
    }

    /// Stops: what is being performed ends between two steps. Returns when nobody is served any more.
    pub(crate) async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // Nobody sends: it ends when the last connection has.
        let _ = self.alive.recv().await;
    }
}

impl<P: Perform> Service<P> {
    async fn accept(self, socket: Socket) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut stopping = self.stopping.clone();
        loop {
            let accepted = tokio::select! {
                biased;
                () = told(&mut stopping) => return,
                accepted = socket.accept() => accepted,
            };
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to the control socket");
                    let now = self.clock.now();
                    self.clock.sleep_until(now.after(PAUSE)).await;
                    continue;
                }
            };
            let Ok(peer) = Peer::of(&stream) else {
                continue;
            };
            if let Err(refusal) = peer.may_ask() {
                tracing::warn!(user = %peer, "refused at the control socket: neither root nor the server's user");
                turn_away(&stream, refusal);
                continue;
            }
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                turn_away(&stream, Refusal::Busy);
                continue;
            };
            let service = Self {
                performer: Arc::clone(&self.performer),
                clock: Arc::clone(&self.clock),
                stopping: self.stopping.clone(),
                alive: self.alive.clone(),
            };
            tokio::spawn(async move {
                // Both go when the connection is over, also when it panics.
                let _held = (place, service.alive.clone());
                service.serve(stream, &peer).await;
            });
        }
    }

    /// Serves one connection to its end.
    async fn serve(self, mut stream: UnixStream, peer: &Peer) {
        let mut reader = RequestReader::default();
        for _ in 0..MAX_REQUESTS {
            let ended = match self.request(&mut stream, &mut reader).await {
                Ok(Some(frame)) => self.answer(&mut stream, peer, frame).await,
                Ok(None) => return,
                Err(refusal) => Err(Stop::Refused(refusal)),
            };
            match ended {
                Ok(()) => {}
                Err(Stop::Deaf) => return,
                Err(Stop::Refused(refusal)) => return turn_away(&stream, refusal),
            }
        }
        turn_away(&stream, Refusal::TooMany);
    }

    /// The next request; `None` if the peer has gone.
    async fn request(
        &self,
        stream: &mut UnixStream,
        reader: &mut RequestReader,
    ) -> Result<Option<Frame<Request>>, Refusal> {
        let mut stopping = self.stopping.clone();
        let whole = async {
            let mut piece = [0; PIECE];
            loop {
                if let Some(frame) = reader.next()? {
                    return Ok(Some(frame));
                }
                match stream.read(&mut piece).await {
                    Ok(0) | Err(_) => return Ok(None),
                    Ok(count) => reader.feed(piece.get(..count).unwrap_or_default()),
                }
            }
        };
        let deadline = self.clock.now().after(REQUEST_TIMEOUT);
        tokio::select! {
            biased;
            () = told(&mut stopping) => Err(Refusal::Stopping),
            frame = whole => frame,
            () = self.clock.sleep_until(deadline) => Err(Refusal::Late),
        }
    }

    /// Has a request performed and writes what comes of it. A refusal for the request alone is an answer; an error ends
    /// the connection.
    async fn answer(
        &self,
        stream: &mut UnixStream,
        peer: &Peer,
        frame: Frame<Request>,
    ) -> Result<(), Stop> {
        let language = Language::negotiate(&frame.language).unwrap_or_default();
        let (answers, mut given) = Answers::new();
        let mut stopping = self.stopping.clone();
        let mut work = pin!(
            self.performer
                .perform(frame.request, peer, language, answers)
        );
        let mut ended = None;
        loop {
            let still_working = self.clock.now().after(STILL_WORKING);
            tokio::select! {
                biased;
                () = told(&mut stopping), if ended.is_none() => {
                    return Err(Stop::Refused(Refusal::Stopping));
                }
                done = &mut work, if ended.is_none() => ended = Some(done),
                answer = given.recv() => match answer {
                    Some(answer) => {
                        let mut lines = to_line(&answer);
                        // What is ready goes out together.
                        while let Ok(answer) = given.try_recv() {
                            lines.extend_from_slice(&to_line(&answer));
                        }
                        self.write(stream, &lines).await?;
                    }
                    None => {
                        if ended.is_none() {
                            ended = Some(work.await);
                        }
                        break;
                    }
                },
                () = self.clock.sleep_until(still_working) => {
                    self.write(stream, &to_line(&Answer::Working)).await?;
                }
            }
        }
        let last = match ended {
            Some(Err(Stop::Refused(refusal))) => Answer::Refused(refusal),
            Some(Err(Stop::Deaf)) => return Err(Stop::Deaf),
            Some(Ok(())) | None => Answer::Done,
        };
        self.write(stream, &to_line(&last)).await
    }

    async fn write(&self, stream: &mut UnixStream, lines: &[u8]) -> Result<(), Stop> {
        let deadline = self.clock.now().after(WRITE_TIMEOUT);
        let written = within(&*self.clock, deadline, stream.write_all(lines)).await;
        match written {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(Stop::Deaf),
        }
    }
}

/// Completes when the server stops.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone stops as well.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// Says a last thing without waiting; if there is no room for it, it is not said.
fn turn_away(stream: &UnixStream, refusal: Refusal) {
    let line = to_line(&Answer::Refused(refusal));
    stream.try_write(&line).unwrap_or_default();
}

/// What a future comes to, if it does before the deadline.
async fn within<T>(
    clock: &dyn Clock,
    deadline: Timestamp,
    future: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = clock.sleep_until(deadline) => None,
    }
}
