//! Places that are listened on before anybody is served. Opening one may need a privilege that the process then gives
//! up, or may be somebody else's work: it needs no runtime, and can be handed over.

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Type};
use tokio::net::{TcpListener, UnixListener};

use crate::config::ListenAddress;
use crate::error::ServerError;

/// How many connections the system may hold for us before they are accepted.
const BACKLOG: i32 = 4_096;

/// A place that is listened on; whoever connects waits until [`crate::Server::start_on`] serves it.
#[derive(Debug)]
pub struct Bound {
    /// What was asked for: a port 0 stays one.
    address: ListenAddress,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(StdTcpListener),
    Unix(StdUnixListener, Option<SocketFile>),
}

/// The file of a Unix socket that we made; it goes with the socket.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Left behind, it is replaced at the next start.
        std::fs::remove_file(&self.0).unwrap_or_default();
    }
}

impl Bound {
    /// Listens. A Unix socket that nobody serves any more is replaced.
    ///
    /// # Errors
    /// [`ServerError::Listen`].
    pub fn open(address: &ListenAddress) -> Result<Self, ServerError> {
        let socket = match address {
            ListenAddress::Tcp(address) => listen_tcp(&(*address).into()).map(Socket::Tcp),
            ListenAddress::Unix(path) => listen_unix(path)
                .map(|listener| Socket::Unix(listener, Some(SocketFile(path.clone())))),
        };
        let failed = |error| ServerError::Listen {
            address: address.clone(),
            error,
        };
        Ok(Self {
            address: address.clone(),
            socket: socket.map_err(failed)?,
        })
    }

    /// Takes over a TCP socket that somebody else, a service manager, has opened and listens on.
    ///
    /// # Errors
    /// The system's, if it is none.
    pub fn adopt_tcp(listener: StdTcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self {
            address: ListenAddress::Tcp(listener.local_addr()?),
            socket: Socket::Tcp(listener),
        })
    }

    /// Takes over a Unix socket that somebody else has opened and listens on; its file stays when it is closed.
    ///
    /// # Errors
    /// The system's, if it is none, or has no name.
    pub fn adopt_unix(listener: StdUnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let path = address
            .as_pathname()
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self {
            address: ListenAddress::Unix(path.to_owned()),
            socket: Socket::Unix(listener, None),
        })
    }

    /// The place, as it was asked for.
    #[must_use]
    pub const fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Gets ready to accept; within a runtime.
    pub(crate) fn serve(self) -> io::Result<Listening> {
        match self.socket {
            Socket::Tcp(listener) => TcpListener::from_std(listener).map(Listening::Tcp),
            Socket::Unix(listener, file) => Ok(Listening::Unix(UnixSocket {
                listener: UnixListener::from_std(listener)?,
                address: self.address,
                _file: file,
            })),
        }
    }
}

/// A listener of either kind.
pub(crate) enum Listening {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

/// A Unix socket whose file goes with it, if it is ours.
pub(crate) struct UnixSocket {
    pub(crate) listener: UnixListener,
    address: ListenAddress,
    _file: Option<SocketFile>,
}

impl Listening {
    /// Where it really listens: the port that the system chose.
    pub(crate) fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(socket) => Ok(socket.address.clone()),
        }
    }
}

fn listen_tcp(address: &SockAddr) -> io::Result<StdTcpListener> {
    let socket = socket2::Socket::new(address.domain(), Type::STREAM.nonblocking(), None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn listen_unix(path: &Path) -> io::Result<StdUnixListener> {
    match bind_unix(path) {
        // Anything else than a socket is somebody's, and was put into the configuration by mistake.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_socket(path) => {
            let served = StdUnixStream::connect(path);
            if served.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
                std::fs::remove_file(path)?;
                return bind_unix(path);
            }
            Err(error)
        }
        other => other,
    }
}

fn bind_unix(path: &Path) -> io::Result<StdUnixListener> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}
