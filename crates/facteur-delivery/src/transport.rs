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
