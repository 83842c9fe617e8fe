//! One connection: a loop that performs the actions of its session, and nothing else.
//!
//! A session that waits holds no buffer: octets are read into one that each thread has once. What is said is
//! gathered and written before each read.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use facteur_mail::event::Refused;
use facteur_mail::text::escaped;
use facteur_mail::{Address, Event, Observer, Recipient, ReversePath, Stage, Timestamp};
use facteur_replies::{Class, Language, Reply};
use facteur_smtp::server::{self as smtp, Action, Expecting, Question, Session, Transaction};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tracing::{debug, info};

use crate::census::Census;
use crate::config::Config;
use crate::intake::{Incoming, Intake};
use crate::policy::Policy;
use crate::sources::{Source, Sources};
use crate::timer::Timer;

/// What is read at once, in octets.
const READ_BUFFER: usize = 64 * 1024;

/// What is said and not written yet, in octets, before it is written without waiting for the next read.
const MAX_OUTPUT: usize = 16 * 1024;

/// What a connection keeps of its output buffer while it waits, in octets.
const MAX_IDLE_OUTPUT: usize = 512;

thread_local! {
    /// The buffer that all connections of a thread read into.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// How far the server has come in stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stopping {
    /// It runs.
    No,
    /// A message under way may come to its end; nothing new begins.
    Soon,
    /// Everything ends.
    Now,
}

/// What every connection of a listener has in common.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) session: Arc<smtp::Config>,
    pub(crate) config: Arc<Config>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) intake: Intake,
    pub(crate) census: Arc<Census>,
    pub(crate) sources: Arc<Sources>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) stopping: watch::Receiver<Stopping>,
}

/// Serves a client until one of the two closes.
pub(crate) async fn serve<S>(
    stream: S,
    ip: Option<IpAddr>,
    number: u64,
    services: Services,
    timer: Timer,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let now = timer.now();
    let may_relay = services.policy.may_relay(ip);
    let rates = &services.config.sources;
    let mut connection = Connection {
        stream,
        ip,
        stranger: ip.is_some() && !may_relay,
        source: services.sources.source(ip, may_relay, rates),
        number,
        session: Session::new(Arc::clone(&services.session), ip),
        services,
        timer,
        output: Vec::new(),
        incoming: None,
        began: now,
        awaiting: None,
        content: None,
        asked: None,
        transaction: None,
    };
    debug!(session = number, client = ip.map(display), "connected");
    // A connection that breaks ends as one that is closed.
    let lost = connection.run().await.is_err();
    debug!(session = number, lost, "disconnected");
}

struct Connection<S> {
    stream: S,
    ip: Option<IpAddr>,
    /// Whether the client comes over a network and may not relay.
    stranger: bool,
    /// By whom what it sends is counted, if it is.
    source: Option<Source>,
    number: u64,
    session: Session,
    services: Services,
    timer: Timer,
    output: Vec<u8>,
    incoming: Option<Incoming>,
    /// When the client connected.
    began: Timestamp,
    /// Since when a command is awaited; its octets may come one by one, the deadline stays.
    awaiting: Option<Timestamp>,
    /// How the content comes that is coming in.
    content: Option<Flow>,
    /// What the last question was about, until its reply is said.
    asked: Option<Asked>,
    /// Who opened the last transaction: its end may be refused after it is gone.
    transaction: Option<Opened>,
}

/// What a question was about.
struct Asked {
    stage: Stage,
    recipient: Option<Address>,
}

/// What MAIL said, and who said it.
struct Opened {
    sender: ReversePath,
    helo: Box<str>,
}

/// How content comes.
#[derive(Clone, Copy)]
struct Flow {
    since: Timestamp,
    octets: u64,
}

/// What ended a wait.
enum Waited {
    /// The client said something.
    Received(usize),
    /// The client has closed.
    Closed,
    /// The deadline has come.
    Expired,
    /// The server stops.
    Stopping,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            match self.session.next_action() {
                Action::Reply(reply) => {
                    self.awaiting = None;
                    self.tell_refusal(&reply);
                    say(self.number, &reply, &mut self.output);
                }
                Action::Ask(question) => self.answer(question).await,
                Action::Content(octets) => {
                    let taken = self.incoming.as_mut().map_or_else(
                        || Err(Reply::local_error()),
                        |incoming| self.services.intake.write(incoming, octets),
                    );
                    if let Err(reply) = taken {
                        self.session.refuse_message(reply);
                    }
                }
                Action::Abandon => {
                    self.incoming = None;
                    if self.asked.is_none() {
                        self.transaction = None;
                    }
                }
                Action::Read(expecting) => {
                    self.flush().await?;
                    self.read(expecting).await;
                }
                Action::Close => {
                    self.incoming = None;
                    self.flush().await?;
                    self.linger().await;
                    return Ok(());
                }
            }
            if self.output.len() > MAX_OUTPUT {
                self.flush().await?;
            }
        }
    }

    async fn answer(&mut self, question: Question) {
        self.ask(match &question {
            Question::Sender(_) => Stage::Mail,
            Question::Recipient(_) => Stage::Rcpt,
            Question::Begin => Stage::Data,
            Question::Commit => Stage::EndOfData,
        });
        match question {
            Question::Sender(transaction) => {
                let verdict = self.sender(transaction).await;
                self.session.answer(verdict);
            }
            Question::Recipient(recipient) => {
                let verdict = self.recipient(recipient).await;
                self.session.answer(verdict);
            }
            Question::Begin => {
                let verdict = self.begin();
                self.session.answer(verdict);
            }
            Question::Commit => {
                let outcome = self.commit().await;
                self.session.committed(outcome);
            }
        }
    }

    /// The next reply is about this.
    fn ask(&mut self, stage: Stage) {
        self.asked = Some(Asked {
            stage,
            recipient: None,
        });
    }

    async fn sender(&mut self, transaction: Transaction) -> Result<(), Reply> {
        self.transaction = Some(Opened {
            sender: transaction.sender.clone(),
            helo: transaction.client.helo.clone(),
        });
        self.services.intake.has_room(transaction.size)?;
        let policy = &self.services.policy;
        policy.sender(&transaction.sender, &mut self.timer).await?;
        if let Some(source) = &self.source {
            source.message(self.timer.now())?;
        }
        let intake = &self.services.intake;
        self.incoming = Some(intake.open(transaction, self.stranger, self.timer.now()));
        Ok(())
    }

    async fn recipient(&mut self, recipient: Recipient) -> Result<(), Reply> {
        let said = recipient.address.clone();
        let added = self.add(&said, recipient).await;
        if added.is_err()
            && let Some(asked) = &mut self.asked
        {
            asked.recipient = Some(said);
        }
        added
    }

    async fn add(&mut self, said: &Address, recipient: Recipient) -> Result<(), Reply> {
        // Counted before anything is looked up: that costs as well, and guesses at names are recipients too.
        if let Some(source) = &self.source {
            source.recipient(self.timer.now())?;
        }
        let policy = &self.services.policy;
        let may_relay = policy.may_relay(self.ip);
        let found = policy.reachable(may_relay, recipient, &mut self.timer);
        let recipients = found.await?;
        let Some(incoming) = &mut self.incoming else {
            return Err(Reply::local_error());
        };
        let intake = &self.services.intake;
        intake.add(incoming, said.clone(), recipients)
    }

    fn begin(&mut self) -> Result<(), Reply> {
        let Some(incoming) = &mut self.incoming else {
            return Err(Reply::local_error());
        };
        let now = self.timer.now();
        let id = self.services.intake.begin(incoming, now)?;
        self.content = Some(Flow {
            since: now,
            octets: 0,
        });
        debug!(session = self.number, %id, "message begins");
        Ok(())
    }

    async fn commit(&mut self) -> Result<facteur_mail::Receipt, Reply> {
        self.content = None;
        let Some(incoming) = self.incoming.take() else {
            return Err(Reply::local_error());
        };
        let accepted = Intake::commit(incoming, self.timer.now()).await?;
        let observer = &*self.services.observer;
        accepted.tell(observer, Some(self.number), self.timer.now());
        self.transaction = None;
        Ok(accepted.receipt)
    }

    /// Tells whom it concerns that this reply refuses something, if it does.
    fn tell_refusal(&mut self, reply: &Reply) {
        let asked = self.asked.take();
        match reply.code().class() {
            Class::Transient | Class::Permanent => {}
            // The next reply is to the content.
            Class::Intermediate => return self.ask(Stage::EndOfData),
            Class::Success | Class::Unknown => return,
        }
        let opened = self.transaction.as_ref();
        self.services.observer.observe(&Event::Refused(Refused {
            at: self.timer.now(),
            reply,
            stage: asked.as_ref().map(|asked| asked.stage),
            client: self.ip,
            helo: opened.map(|opened| &*opened.helo),
            sender: opened.map(|opened| &opened.sender),
            recipient: asked.as_ref().and_then(|asked| asked.recipient.as_ref()),
            session: Some(self.number),
        }));
    }

    /// Waits for the client, and tells the session what came of it.
    async fn read(&mut self, expecting: Expecting) {
        let now = self.timer.now();
        let (deadline, limit) = self.deadline(expecting, now);
        let look_again = if self.stranger && expecting == Expecting::Command {
            // By then a crowd may have come, and the deadline be another.
            deadline.min(now.after(self.services.config.patience.crowded))
        } else {
            deadline
        };
        match self.wait(look_again).await {
            Waited::Expired if look_again < deadline => {}
            Waited::Received(octets) => {
                if let Some(flow) = &mut self.content {
                    flow.octets = flow
                        .octets
                        .saturating_add(u64::try_from(octets).unwrap_or_default());
                }
            }
            Waited::Closed => self.session.disconnected(),
            Waited::Stopping => {
                let reply = Reply::shutting_down(&self.services.session.hostname);
                self.session.interrupt(reply);
            }
            Waited::Expired => match limit {
                Limit::Silence(patience) => self.session.timed_out(patience),
                Limit::InAll => {
                    let reply = Reply::session_too_long(&self.services.session.hostname);
                    self.session.interrupt(reply);
                }
            },
        }
    }

    /// Until when the client may be silent, and what is said then.
    fn deadline(&mut self, expecting: Expecting, now: Timestamp) -> (Timestamp, Limit) {
        let patience = &self.services.config.patience;
        let (silence, in_all, waited) = match (expecting, self.content) {
            (Expecting::Command, _) => {
                if !self.session.has_message_under_way() {
                    self.content = None;
                }
                let since = *self.awaiting.get_or_insert(now);
                let command = self.patience_for_command();
                let in_all = self.began.after(patience.session);
                (since.after(command), in_all, command)
            }
            (Expecting::Content, flow) => {
                // What is thrown away must come as fast as what is kept.
                let flow = flow.unwrap_or(Flow {
                    since: now,
                    octets: 0,
                });
                self.content = Some(flow);
                let silence = now.after(patience.data_block);
                let enough_until = flow
                    .since
                    .after(patience.rate_grace.max(Duration::from_secs(
                        flow.octets / u64::from(patience.min_rate.max(1)),
                    )));
                let in_all = flow.since.after(patience.message).min(enough_until);
                (silence, in_all, patience.data_block)
            }
        };
        if silence <= in_all {
            (silence, Limit::Silence(waited))
        } else {
            (in_all, Limit::InAll)
        }
    }

    /// How long the client may take for a command, or to read our replies.
    fn patience_for_command(&self) -> Duration {
        let patience = &self.services.config.patience;
        let crowded = self.services.census.is_crowded() || self.services.intake.is_crowded();
        if self.stranger && crowded {
            patience.crowded
        } else {
            patience.command
        }
    }

    async fn wait(&mut self, deadline: Timestamp) -> Waited {
        let wanted = if self.session.has_message_under_way() {
            Stopping::Now
        } else {
            Stopping::Soon
        };
        if *self.services.stopping.borrow() >= wanted {
            return Waited::Stopping;
        }
        // A deadline that has passed is met by a client that never stops talking as well.
        if self.timer.now() >= deadline {
            return Waited::Expired;
        }
        let (stream, session) = (&mut self.stream, &mut self.session);
        let timer = &mut self.timer;
        // Without a server there is nobody left to say that it stops.
        let mut stopped = pin!(
            self.services
                .stopping
                .wait_for(|stopping| *stopping >= wanted)
        );
        poll_fn(|cx| {
            if let Poll::Ready(received) = poll_receive(Pin::new(&mut *stream), cx, session) {
                return Poll::Ready(match received {
                    Ok(0) | Err(_) => Waited::Closed,
                    Ok(octets) => Waited::Received(octets),
                });
            }
            if stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Waited::Stopping);
            }
            timer.poll_expired(deadline, cx).map(|()| Waited::Expired)
        })
        .await
    }

    /// Writes what has been said. A client that does not read is given up: when its time is over, or when
    /// everything ends.
    async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let deadline = self.timer.now().after(self.patience_for_command());
        let stopping = &mut self.services.stopping;
        let mut stopped = pin!(stopping.wait_for(|stopping| *stopping == Stopping::Now));
        let stream = &mut self.stream;
        let mut rest = self.output.as_slice();
        let writing = poll_fn(|cx| {
            let written = poll_write_all(Pin::new(&mut *stream), cx, &mut rest);
            if written.is_pending() && stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            written
        });
        match self.timer.until(deadline, writing).await {
            Some(written) => written?,
            None => return Err(io::ErrorKind::TimedOut.into()),
        }
        if self.output.capacity() > MAX_IDLE_OUTPUT {
            self.output = Vec::new();
        }
        self.output.clear();
        Ok(())
    }

    /// Lets the client read our last reply: a connection that is closed while octets of the client are unread
    /// is reset, and the reply lost.
    async fn linger(&mut self) {
        let deadline = self.timer.now().after(self.services.config.patience.linger);
        let (stream, session) = (&mut self.stream, &mut self.session);
        let mut room = READ_BUFFER;
        let draining = poll_fn(|cx| {
            if ready!(Pin::new(&mut *stream).poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            loop {
                // The session is closed: it takes nothing any more.
                match ready!(poll_receive(Pin::new(&mut *stream), cx, session)) {
                    Ok(octets @ 1..) if octets <= room => room -= octets,
                    Ok(_) | Err(_) => return Poll::Ready(()),
                }
            }
        });
        // Whether it came to its end or not, the connection is over.
        let _ = self.timer.until(deadline, draining).await;
    }
}

/// Which patience ends.
enum Limit {
    /// With a client that says nothing, for so long.
    Silence(Duration),
    /// With a session or a message that takes too long in all.
    InAll,
}

/// Reads into the thread's buffer, and hands what came to the session.
fn poll_receive<S: AsyncRead>(
    stream: Pin<&mut S>,
    cx: &mut Context<'_>,
    session: &mut Session,
) -> Poll<io::Result<usize>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut buffer = ReadBuf::new(buffer);
        ready!(stream.poll_read(cx, &mut buffer))?;
        session.receive(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    })
}

/// Writes `rest`, which shrinks to what is not written yet.
fn poll_write_all<S: AsyncWrite>(
    mut stream: Pin<&mut S>,
    cx: &mut Context<'_>,
    rest: &mut &[u8],
) -> Poll<io::Result<()>> {
    while !rest.is_empty() {
        let written = ready!(stream.as_mut().poll_write(cx, rest))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        *rest = rest.get(written..).unwrap_or_default();
    }
    stream.poll_flush(cx)
}

/// Appends a reply to the output. A refusal is worth a line in the log.
fn say(session: u64, reply: &Reply, output: &mut Vec<u8>) {
    let id = reply.id().row().name;
    match reply.code().class() {
        Class::Transient | Class::Permanent => {
            info!(
                session,
                reply = id,
                text = escaped(&reply.to_line()).to_string(),
                explain = reply.explain(Language::English).key,
                "refused"
            );
        }
        Class::Success | Class::Intermediate | Class::Unknown => {
            debug!(session, reply = id, "said");
        }
    }
    reply.write_to(output);
}
