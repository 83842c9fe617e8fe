//! Accept loops: one for each place that is listened on, the same for TCP and for Unix sockets.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use facteur_mail::event::Refused;
use facteur_mail::{Clock, Event, Stage, Timestamp};
use facteur_replies::Reply;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use crate::bound::UnixSocket;
use crate::connection::{self, Services, Stopping};
use crate::timer::Timer;
use crate::turned_away::TurnedAway;

/// How long accepting pauses when the system has no descriptor or no memory left.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the log says so while it lasts.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// Something that accepts connections: sockets, or what a simulation has instead of them.
pub trait Listener: Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection, and where it comes from.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Option<IpAddr>)>> + Send;

    /// Says a last thing without waiting; if there is no room for it, it is not said.
    fn say_and_close(stream: Self::Stream, text: &[u8]);
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Option<IpAddr>)> {
        let (stream, peer) = Self::accept(self).await?;
        // Replies are written whole: there is nothing for the system to gather.
        stream.set_nodelay(true).unwrap_or_default();
        Ok((stream, Some(peer.ip().to_canonical())))
    }

    fn say_and_close(stream: TcpStream, text: &[u8]) {
        stream.try_write(text).unwrap_or_default();
    }
}

impl Listener for UnixSocket {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Option<IpAddr>)> {
        let (stream, _) = self.listener.accept().await?;
        Ok((stream, None))
    }

    fn say_and_close(stream: UnixStream, text: &[u8]) {
        stream.try_write(text).unwrap_or_default();
    }
}

/// What an accept loop needs for the connections it starts.
pub(crate) struct Reception {
    /// What the next connection is served by. When nobody holds the other end, the place is closed.
    pub(crate) services: watch::Receiver<Services>,
    pub(crate) stopping: watch::Receiver<Stopping>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The number of the next session.
    pub(crate) sessions: Arc<AtomicU64>,
    pub(crate) turned_away: Arc<TurnedAway>,
    /// Held by everything that runs; the server has stopped when nobody holds it.
    pub(crate) alive: mpsc::Sender<()>,
}

impl Reception {
    /// Accepts until the server stops or the place is closed.
    pub(crate) async fn run<L: Listener>(mut self, listener: L) {
        let mut closing = self.services.clone();
        let mut warn_again = Timestamp::default();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping > Stopping::No) => return,
                // Whoever the system has let in before is served even when the place is closed.
                accepted = listener.accept() => accepted,
                _ = closing.wait_for(|_| false) => return,
            };
            match accepted {
                Ok((stream, ip)) => self.welcome::<L>(stream, ip),
                // The client has gone before we came to it.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    let now = self.clock.now();
                    if now >= warn_again {
                        warn!(%error, "cannot accept a connection");
                        warn_again = now.after(WARN_EVERY);
                    }
                    self.clock.sleep_until(now.after(PAUSE)).await;
                }
            }
        }
    }

    fn welcome<L: Listener>(&self, stream: L::Stream, ip: Option<IpAddr>) {
        let services = self.services.borrow().clone();
        let stranger = ip.filter(|_| !services.policy.may_relay(ip));
        let ticket = match services.census.admit(stranger) {
            Ok(ticket) => ticket,
            Err(reply) => {
                self.turned_away.log(ip, &reply, &self.clock);
                services.observer.observe(&Event::Refused(Refused {
                    at: self.clock.now(),
                    reply: &reply,
                    stage: Some(Stage::Greeting),
                    client: ip,
                    helo: None,
                    sender: None,
                    recipient: None,
                    session: None,
                }));
                return refuse::<L>(stream, &reply);
            }
        };
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let timer = Timer::new(Arc::clone(&self.clock));
        let alive = self.alive.clone();
        tokio::spawn(async move {
            // Both go when the session is over, also when it panics.
            let _held = (ticket, alive);
            connection::serve(stream, ip, number, services, timer).await;
        });
    }
}

fn refuse<L: Listener>(stream: L::Stream, reply: &Reply) {
    let mut text = Vec::new();
    reply.write_to(&mut text);
    L::say_and_close(stream, &text);
}
