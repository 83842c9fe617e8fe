//! Accept loops: one for each place that is listened on, the same for TCP and for Unix sockets.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use facteur_mail::{Clock, Timestamp};
use facteur_replies::Reply;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tracing::warn;

use crate::config::ListenAddress;
use crate::connection::{self, Services, Stopping};
use crate::timer::Timer;
use crate::turned_away::TurnedAway;

/// How many connections the system may hold for us before they are accepted.
const BACKLOG: u32 = 4_096;

/// How long accepting pauses when the system has no descriptor or no memory left.
const PAUSE: Duration = Duration::from_millis(100);

/// How often the log says so while it lasts.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// Something that accepts connections.
pub(crate) trait Listener: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection, and where it comes from.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Option<IpAddr>)>> + Send;

    /// Says a last thing without waiting; if there is no room for it, it is not said.
    fn say_and_close(stream: Self::Stream, text: &[u8]);
}

/// A listener of either kind.
pub(crate) enum Bound {
    Tcp(TcpListener),
    Unix(Socket),
}

/// A Unix socket whose file goes with it.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Bound {
    /// Listens. A Unix socket that nobody serves any more is replaced.
    pub(crate) fn listen(address: &ListenAddress) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => {
                let socket = match address {
                    SocketAddr::V4(_) => TcpSocket::new_v4()?,
                    SocketAddr::V6(_) => TcpSocket::new_v6()?,
                };
                if address.is_ipv6() {
                    SockRef::from(&socket).set_only_v6(true)?;
                }
                socket.set_reuseaddr(true)?;
                socket.bind(*address)?;
                socket.listen(BACKLOG).map(Self::Tcp)
            }
            ListenAddress::Unix(path) => {
                let listener = listen_unix(path)?;
                let path = path.clone();
                Ok(Self::Unix(Socket { listener, path }))
            }
        }
    }

    /// Where it really listens: the port that the system chose.
    pub(crate) fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(socket) => Ok(ListenAddress::Unix(socket.path.clone())),
        }
    }
}

fn listen_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        // Anything else than a socket is somebody's, and was put into the configuration by mistake.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_socket(path) => {
            let served = StdUnixStream::connect(path);
            if served.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
                std::fs::remove_file(path)?;
                return UnixListener::bind(path);
            }
            Err(error)
        }
        other => other,
    }
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Left behind, it is replaced at the next start.
        std::fs::remove_file(&self.path).unwrap_or_default();
    }
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

impl Listener for Socket {
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
#[derive(Clone)]
pub(crate) struct Reception {
    pub(crate) services: Services,
    pub(crate) clock: Arc<dyn Clock>,
    /// The number of the next session.
    pub(crate) sessions: Arc<AtomicU64>,
    pub(crate) turned_away: Arc<TurnedAway>,
    /// Held by everything that runs; the server has stopped when nobody holds it.
    pub(crate) alive: mpsc::Sender<()>,
}

impl Reception {
    /// Accepts until the server stops.
    pub(crate) async fn run<L: Listener>(mut self, listener: L) {
        let mut stopping = self.services.stopping.clone();
        let mut warn_again = Timestamp::default();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping > Stopping::No) => return,
                accepted = listener.accept() => accepted,
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

    fn welcome<L: Listener>(&mut self, stream: L::Stream, ip: Option<IpAddr>) {
        let stranger = ip.filter(|_| !self.services.policy.may_relay(ip));
        let ticket = match self.services.census.admit(stranger) {
            Ok(ticket) => ticket,
            Err(reply) => {
                self.turned_away.log(ip, &reply, &self.clock);
                return refuse::<L>(stream, &reply);
            }
        };
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let services = self.services.clone();
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
