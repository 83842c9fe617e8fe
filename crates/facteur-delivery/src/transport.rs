//! Connections to other servers, behind a trait: the rest of this crate has no sockets.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, UnixStream};

/// Opens connections.
pub trait Transport: Send + Sync + 'static {
    /// Opens a connection. It waits for as long as the system does: the caller keeps the time, and drops the
    /// future when it is over.
    fn connect<'a>(&'a self, to: &'a Endpoint) -> Connecting<'a>;
}

/// What [`Transport::connect`] returns.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + 'a>>;

/// An open connection.
pub type Stream = Box<dyn Duplex>;

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The system's sockets.
#[derive(Debug, Clone, Default)]
pub struct Sockets {
    /// The IPv4 address that connections come from; the system chooses if there is none.
    pub from_v4: Option<Ipv4Addr>,
    /// The IPv6 address that connections come from; the system chooses if there is none.
    pub from_v6: Option<Ipv6Addr>,
}

impl Transport for Sockets {
    fn connect<'a>(&'a self, to: &'a Endpoint) -> Connecting<'a> {
        Box::pin(async move {
            let stream: Stream = match to {
                Endpoint::Tcp(address) => Box::new(self.tcp(*address).await?),
                Endpoint::Unix(path) => Box::new(UnixStream::connect(path).await?),
            };
            Ok(stream)
        })
    }
}

impl Sockets {
    async fn tcp(&self, address: SocketAddr) -> io::Result<tokio::net::TcpStream> {
        let (socket, from) = match address {
            SocketAddr::V4(_) => (
                TcpSocket::new_v4()?,
                self.from_v4.map(|ip| SocketAddr::from((ip, 0))),
            ),
            SocketAddr::V6(_) => (
                TcpSocket::new_v6()?,
                self.from_v6.map(|ip| SocketAddr::from((ip, 0))),
            ),
        };
        if let Some(from) = from {
            socket.bind(from)?;
        }
        let stream = socket.connect(address).await?;
        // Each write is a whole step of the dialogue: waiting for more would only delay it.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use facteur_testkit::{Peer, Script};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::{TcpListener, UnixListener};

    use super::*;

    #[tokio::test]
    async fn a_server_is_reached_over_tcp() {
        let peer = Peer::start(Script::accept_all()).await.unwrap();
        let endpoint = Endpoint::Tcp(peer.address());
        let mut stream = Sockets::default().connect(&endpoint).await.unwrap();
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"220 ");
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_configured_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::Tcp(listener.local_addr().unwrap());
        let from = Ipv4Addr::new(127, 0, 0, 2);
        let sockets = Sockets {
            from_v4: Some(from),
            from_v6: None,
        };
        let (stream, accepted) = tokio::join!(sockets.connect(&endpoint), listener.accept());
        drop(stream.unwrap());
        assert_eq!(accepted.unwrap().1.ip(), from);
    }

    #[tokio::test]
    async fn a_server_is_reached_over_a_unix_socket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lmtp");
        let listener = UnixListener::bind(&path).unwrap();
        let endpoint = Endpoint::Unix(path);
        let sockets = Sockets::default();
        let (stream, accepted) = tokio::join!(sockets.connect(&endpoint), listener.accept());
        drop(accepted.unwrap());
        let read = stream.unwrap().read(&mut [0]).await.unwrap();
        assert_eq!(read, 0, "the other side is the listener's");
    }

    #[tokio::test]
    async fn where_nobody_listens_the_connection_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::Tcp(listener.local_addr().unwrap());
        drop(listener);
        let error = Sockets::default().connect(&endpoint).await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
