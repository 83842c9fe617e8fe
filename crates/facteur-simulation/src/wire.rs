//! The server's end of a connection: octets come in pieces of any size, and none passes once the server is dead.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::chance::Chance;
use crate::trace::Event;
use crate::world::{Life, Pulse, Step};

/// The most octets that are read at once.
const MOST: usize = 4_096;

/// What both ends know of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: u64,
    /// How many octets the server has read.
    read: AtomicU64,
    /// It ends by a reset, not in good order.
    reset: AtomicBool,
    /// A client has said the end of its message and waits for the verdict: this must be on disk before a 250 is.
    awaits: AtomicBool,
}

impl Line {
    pub(crate) fn new(number: u64) -> Arc<Self> {
        Arc::new(Self {
            number,
            read: AtomicU64::new(0),
            reset: AtomicBool::new(false),
            awaits: AtomicBool::new(false),
        })
    }

    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::SeqCst);
    }

    pub(crate) fn set_awaits(&self, awaits: bool) {
        self.awaits.store(awaits, Ordering::SeqCst);
    }
}

/// The server's end.
pub(crate) struct Wire {
    stream: DuplexStream,
    line: Arc<Line>,
    life: Life,
    chance: Chance,
    /// The most octets of the next read.
    piece: usize,
    /// For the connection of a client.
    _inside: Option<Inside>,
}

/// Counted among those who are inside, until it is dropped.
pub(crate) struct Inside(Arc<AtomicUsize>);

impl Inside {
    pub(crate) fn enter(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Wire {
    pub(crate) fn new(
        stream: DuplexStream,
        line: Arc<Line>,
        life: Life,
        dice: u64,
        inside: Option<Inside>,
    ) -> Self {
        Self {
            stream,
            line,
            life,
            chance: Chance::new(dice, 0),
            piece: MOST,
            _inside: inside,
        }
    }

    fn step(&self) -> io::Result<()> {
        match self.life.step(Step::Socket) {
            Pulse::Beats => Ok(()),
            Pulse::Stops | Pulse::Dead => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    fn note(&self, ours: bool, octets: &[u8]) {
        self.life.world.event(Event::Octets {
            connection: self.line.number,
            ours,
            octets,
        });
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.life.is_over() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let mut room = [0; MOST];
        let room = room.get_mut(..self.piece.min(buffer.remaining()));
        let mut some = ReadBuf::new(room.unwrap_or_default());
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut some))?;
        self.step()?;
        let read = some.filled();
        if read.is_empty() && self.line.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.note(false, read);
        let octets = u64::try_from(read.len()).unwrap_or_default();
        self.line.read.fetch_add(octets, Ordering::SeqCst);
        buffer.put_slice(read);
        self.piece = self.chance.size(1, MOST as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.step()?;
        if self.line.awaits.load(Ordering::SeqCst) && octets.starts_with(b"250 ") {
            self.line.set_awaits(false);
            let text = String::from_utf8_lossy(octets).into_owned();
            self.life.world.books().says_250(&self.life.world, &text);
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, octets));
        if let Ok(written) = &written {
            self.note(true, octets.get(..*written).unwrap_or_default());
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
