//! Idle connections, kept for a moment: the next message to the same server needs no new one.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use facteur_mail::{Clock, Timestamp};
use facteur_smtp::client::Dialect;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::Handle;

use crate::dialogue::{self, Connection};
use crate::transport::Endpoint;

/// How long a connection is kept beyond [`CacheLimits::per_server`]: deliveries that were written down together end
/// together, and the next ones to the same server come at once.
const BRIEF: Duration = Duration::from_secs(1);

/// How many connections are kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheLimits {
    /// Idle connections in all; with none, every message has a connection of its own.
    pub connections: usize,
    /// Idle connections to one server that are kept for longer than a second.
    pub per_server: usize,
    /// How long one waits for the next message.
    pub idle: Duration,
    /// How long one lives.
    pub age: Duration,
    /// How many messages one carries.
    pub messages: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            connections: 200,
            per_server: 4,
            idle: Duration::from_secs(15),
            age: Duration::from_secs(5 * 60),
            messages: 100,
        }
    }
}

/// Which server a connection leads to. Two names of one address are two servers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) name: Box<str>,
    pub(crate) endpoint: Endpoint,
    pub(crate) dialect: Dialect,
}

/// The idle connections.
pub(crate) struct Connections {
    limits: CacheLimits,
    clock: Arc<dyn Clock>,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    parked: Vec<Parked>,
    /// A task looks after those whose time is over.
    attended: bool,
    closed: bool,
}

struct Parked {
    server: Server,
    connection: Connection,
    until: Timestamp,
}

impl Connections {
    pub(crate) fn new(limits: CacheLimits, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            clock,
            shelf: Mutex::default(),
        })
    }

    /// An idle connection to `server` that was alive a moment ago, the latest one first.
    pub(crate) async fn take(&self, server: &Server) -> Option<Connection> {
        loop {
            let mut connection = {
                let mut shelf = self.shelf();
                let at = shelf.parked.iter().rposition(|it| it.server == *server)?;
                shelf.parked.remove(at).connection
            };
            // It was alive when it was parked: if it can be read now, the remote has closed it, or says that it will.
            if is_quiet(&mut connection).await {
                return Some(connection);
            }
        }
    }

    /// Whether there is an idle connection to `server`.
    pub(crate) fn has(&self, server: &Server) -> bool {
        self.shelf().parked.iter().any(|it| it.server == *server)
    }

    /// Whether another message may go over an idle connection.
    pub(crate) fn may_carry_more(&self, connection: &Connection) -> bool {
        let session = &connection.session;
        let announced = session.extensions().max_messages.unwrap_or(usize::MAX);
        let most = connection.messages.unwrap_or(usize::MAX);
        let most = self.limits.messages.min(announced).min(most);
        session.is_idle() && session.messages() < most
    }

    /// Keeps a connection for the next message, if it is idle and may carry one more; else says QUIT on it. Neither
    /// is waited for.
    pub(crate) fn park(self: &Arc<Self>, server: Server, connection: Connection) {
        let now = self.clock.now();
        let dies = connection.opened.after(self.limits.age);
        let mut shelf = self.shelf();
        let siblings = shelf.parked.iter().filter(|it| it.server == server).count();
        let idle = if siblings < self.limits.per_server {
            self.limits.idle
        } else {
            self.limits.idle.min(BRIEF)
        };
        let until = now.after(idle).min(dies);
        let kept = !shelf.closed
            && self.may_carry_more(&connection)
            && until > now
            && shelf.parked.len() < self.limits.connections;
        if !kept {
            drop(shelf);
            say_goodbye(connection, &self.clock);
            return;
        }
        shelf.parked.push(Parked {
            server,
            connection,
            until,
        });
        if !std::mem::replace(&mut shelf.attended, true) {
            spawn(attend(Arc::downgrade(self), Arc::clone(&self.clock)));
        }
    }

    /// Says QUIT on every idle connection and keeps none any more.
    pub(crate) async fn close(&self) {
        let parked = {
            let mut shelf = self.shelf();
            shelf.closed = true;
            std::mem::take(&mut shelf.parked)
        };
        let goodbyes: Vec<_> = parked
            .into_iter()
            .map(|it| tokio::spawn(dialogue::quit(it.connection, Arc::clone(&self.clock))))
            .collect();
        for goodbye in goodbyes {
            // A goodbye that fails is a goodbye.
            goodbye.await.unwrap_or_default();
        }
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.shelf().parked.len()
    }

    /// Removes those whose time is over; says when the next one's is, or that nobody is left to attend to.
    fn overdue(&self, now: Timestamp) -> (Vec<Parked>, Option<Timestamp>) {
        let mut shelf = self.shelf();
        let overdue = shelf.parked.extract_if(.., |it| it.until <= now).collect();
        let next = shelf.parked.iter().map(|it| it.until).min();
        shelf.attended = next.is_some();
        (overdue, next)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says QUIT on connections whose time is over, as long as there are any.
async fn attend(connections: Weak<Connections>, clock: Arc<dyn Clock>) {
    loop {
        let (overdue, next) = match connections.upgrade() {
            Some(connections) => connections.overdue(clock.now()),
            None => return,
        };
        for it in overdue {
            say_goodbye(it.connection, &clock);
        }
        match next {
            // One that is kept briefly may come meanwhile.
            Some(moment) => {
                let look = moment.min(clock.now().after(BRIEF));
                clock.sleep_until(look).await;
            }
            None => return,
        }
    }
}

fn say_goodbye(connection: Connection, clock: &Arc<dyn Clock>) {
    if connection.session.is_idle() {
        spawn(dialogue::quit(connection, Arc::clone(clock)));
    }
}

/// Runs a task that nobody waits for. A connection may be dropped when the runtime is gone already: then it closes.
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}

/// Whether nothing has come, not even the end.
async fn is_quiet(connection: &mut Connection) -> bool {
    let mut octet = [0];
    poll_fn(|context| {
        let mut buffer = ReadBuf::new(&mut octet);
        let read = Pin::new(&mut connection.stream).poll_read(context, &mut buffer);
        Poll::Ready(read.is_pending())
    })
    .await
}
