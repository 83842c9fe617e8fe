//! Performs the actions of a client session on a connection, and nothing else.

use std::future::{Future, poll_fn};
use std::io::{self, Read as _};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use facteur_mail::text::escaped;
use facteur_mail::{Clock, QueueId, Said, Stage, Timestamp};
use facteur_replies::Reply;
use facteur_smtp::client::{Action, Lost, RecipientOutcome, Session, Timeouts, Waiting};
use facteur_spool::Body;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::transport::Stream;

/// How much content is read and written at once, in octets.
pub(crate) const BLOCK: usize = 64 * 1024;

/// How much is read from a remote at once, in octets.
const READ: usize = 4 * 1024;

/// How long a remote that takes no more may say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// An open connection and its session.
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) session: Session,
    pub(crate) opened: Timestamp,
    /// How many messages it may carry, where its destination has a limit.
    pub(crate) messages: Option<usize>,
    input: Vec<u8>,
}

/// How patient a dialogue is.
pub(crate) struct Patience<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) timeouts: &'a Timeouts,
    /// The end of the whole dialogue, whatever a single step may take.
    pub(crate) until: Timestamp,
}

/// What a dialogue came to when the session is idle or closed.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The verdicts on the recipients.
    pub(crate) outcomes: Vec<RecipientOutcome>,
    /// Why the connection is of no use, where no message was under way.
    pub(crate) failure: Option<(Stage, Said)>,
}

/// The content of a message, to be sent once.
pub(crate) struct Content {
    /// Whose it is.
    id: QueueId,
    body: Body,
    left: u64,
    block: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(stream: Stream, session: Session, opened: Timestamp) -> Self {
        Self {
            stream,
            session,
            opened,
            messages: None,
            input: Vec::new(),
        }
    }

    /// Performs actions until the session is idle or over.
    pub(crate) async fn run(
        &mut self,
        patience: &Patience<'_>,
        mut content: Option<Content>,
    ) -> Heard {
        let mut heard = Heard::default();
        let mut deadline = Deadline::default();
        loop {
            match self.session.next_action() {
                Action::Write { bytes, waiting } => {
                    let (limit, after) = patience.limit(waiting);
                    let written = within(patience.clock, limit, self.stream.write_all(bytes)).await;
                    if let Some(lost) = lost(written, waiting, after) {
                        self.session.write_failed();
                        self.last_words(patience).await;
                        self.session.lost(lost);
                    }
                }
                // A server that refuses us need not say goodbye: the next one waits for its turn.
                Action::Read { .. } if heard.failure.is_some() => return heard,
                Action::Read { waiting, reply } => {
                    let (limit, after) = deadline.of(reply, waiting, patience);
                    self.input.resize(READ, 0);
                    let read = self.stream.read(&mut self.input);
                    let read = within(patience.clock, limit, read).await;
                    self.take(read, waiting, after);
                }
                Action::NeedContent => match &mut content {
                    Some(content) => content.hand_over(&mut self.session),
                    None => self.session.abort(Reply::local_error()),
                },
                Action::Outcome(outcome) => heard.outcomes.push(outcome),
                Action::Failed { stage, said } => heard.failure = Some((stage, said)),
                Action::Unusual { stage, finding } => {
                    tracing::debug!(stage = stage.name(), ?finding, "unusual reply");
                }
                Action::Idle | Action::Close => return heard,
            }
        }
    }

    fn take(&mut self, read: Option<io::Result<usize>>, waiting: Waiting, after: Duration) {
        match &read {
            Some(Ok(octets)) if *octets > 0 => {
                let input = self.input.get(..*octets).unwrap_or_default();
                self.session.receive(input);
            }
            Some(Ok(_)) => self.session.lost(Lost::Closed),
            Some(Err(_)) | None => {
                if let Some(lost) = lost(read, waiting, after) {
                    self.session.lost(lost);
                }
            }
        }
    }

    /// What the remote said before it stopped taking: often the reason.
    async fn last_words(&mut self, patience: &Patience<'_>) {
        let until = patience.clock.now().after(LAST_WORDS);
        self.input.resize(READ, 0);
        while !self.session.is_closed() {
            let read = within(patience.clock, until, self.stream.read(&mut self.input)).await;
            match read {
                Some(Ok(octets)) if octets > 0 => {
                    let input = self.input.get(..octets).unwrap_or_default();
                    self.session.receive(input);
                }
                Some(Ok(_) | Err(_)) | None => return,
            }
        }
    }
}

/// Says QUIT on an idle connection and closes it.
pub(crate) async fn quit(mut connection: Connection, clock: Arc<dyn Clock>) {
    let timeouts = Timeouts::default();
    let patience = Patience {
        clock: &*clock,
        timeouts: &timeouts,
        until: clock.now().after(timeouts.quit),
    };
    connection.session.quit();
    connection.run(&patience, None).await;
    // Whether the remote hears the end of the connection is its affair.
    connection.stream.shutdown().await.unwrap_or_default();
}

/// Completes with the future, or with `None` at `deadline`.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    deadline: Timestamp,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    // Much is ready at once, and then no timer is made.
    let first = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
    if let Poll::Ready(value) = first {
        return Some(value);
    }
    tokio::select! {
        biased;
        value = future => Some(value),
        () = clock.sleep_until(deadline) => None,
    }
}

fn lost<T>(done: Option<io::Result<T>>, waiting: Waiting, after: Duration) -> Option<Lost> {
    match done {
        Some(Ok(_)) => None,
        Some(Err(error)) => Some(Lost::Broken(error.kind())),
        None => Some(Lost::TimedOut { waiting, after }),
    }
}

/// When the reply that is waited for must be complete.
#[derive(Default)]
struct Deadline {
    reply: Option<u64>,
    at: Timestamp,
    after: Duration,
}

impl Deadline {
    /// A new reply starts the time anew; more octets of the same one do not.
    fn of(
        &mut self,
        reply: u64,
        waiting: Waiting,
        patience: &Patience<'_>,
    ) -> (Timestamp, Duration) {
        if self.reply != Some(reply) {
            self.reply = Some(reply);
            (self.at, self.after) = patience.limit(waiting);
        }
        (self.at, self.after)
    }
}

impl Patience<'_> {
    fn limit(&self, waiting: Waiting) -> (Timestamp, Duration) {
        let now = self.clock.now();
        let after = self.timeouts.of(waiting).min(self.until.since(now));
        (now.after(after), after)
    }
}

impl Content {
    /// Content of exactly `octets`.
    pub(crate) fn new(id: QueueId, body: Body, octets: u64) -> Self {
        Self {
            id,
            body,
            left: octets,
            block: Vec::new(),
        }
    }

    /// Hands the next block to the session; with the last one, the end. Content that is shorter or longer than it
    /// was when it was accepted is never sent to its end.
    fn hand_over(&mut self, session: &mut Session) {
        // One octet more than there should be shows whether there is more.
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let room = left.saturating_add(1).min(BLOCK);
        self.block.resize(room, 0);
        let filled = match fill(&mut self.body, &mut self.block) {
            Ok(filled) => filled,
            Err(error) => {
                tracing::warn!(id = %self.id, error = %escaped(&error.to_string()), "content cannot be read");
                return session.abort(Reply::local_error());
            }
        };
        if filled != left.min(BLOCK) {
            tracing::warn!(id = %self.id, "content is not as long as its message");
            return session.abort(Reply::local_error());
        }
        self.left -= u64::try_from(filled).unwrap_or(self.left);
        session.content(self.block.get(..filled).unwrap_or_default());
        if filled < room {
            session.content_ends();
        }
    }
}

/// Reads until the block is full or the body ends.
pub(crate) fn fill(body: &mut Body, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
        match body.read(room) {
            Ok(0) => break,
            Ok(octets) => filled += octets,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
