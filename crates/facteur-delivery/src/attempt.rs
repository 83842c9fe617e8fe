//! One try to deliver a message: hosts in order, each over an idle or a new connection, until every recipient has
//! its words.
//!
//! Another host is tried only as long as nothing was said about the recipient: no answer, a greeting or an EHLO that was
//! refused, a connection that ended before its verdict. A verdict on a recipient or on the message is never taken to
//! another host, nor is a connection that was lost after the content had begun: the message may have arrived.
//!
//! A server that offers CHUNKING and does not know BDAT gets the message once more, by DATA, and is remembered for the
//! next ones. So is one that broke off in a chunk, whatever its reason: another try by BDAT could end the same.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use facteur_mail::text::escaped;
use facteur_mail::{Attempt, Clock, Delivery, RemoteHost, Said, Stage, Timestamp, Transcript};
use facteur_replies::{Class, Language, Reply, explain};
use facteur_smtp::client::{
    self, About, Dialect, Inspection, Message, RecipientOutcome, Session, Timeouts,
};
use facteur_spool::{Body, Leased, SpoolError};

use crate::connections::{CacheLimits, Connections, Server};
use crate::dialogue::{self, BLOCK, Connection, Content, Patience};
use crate::remote::{Carried, Closing, Load, Remote, RemoteFuture, Way};
use crate::transport::{Endpoint, Transport};
use crate::verdict::Outcome;

/// The most hosts that one attempt tries. (RFC 5321 §5.1 asks for two at least)
pub const MAX_HOSTS: usize = 5;

/// The most addresses that one attempt tries, of all hosts together.
pub const MAX_ADDRESSES: usize = 10;

/// The most transactions that one attempt makes with one server, where it takes few recipients at a time.
const MAX_ROUNDS: usize = 100;

/// The most servers remembered for not knowing BDAT; with one more, all are forgotten.
const MAX_UNCHUNKED: usize = 10_000;

/// How messages are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderConfig {
    /// Our name, for EHLO. (RFC 5321 §4.1.1.1)
    pub our_name: String,
    /// How long an address may take to answer a connection.
    pub connect: Duration,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// How long one transaction may take in all, however slow its steps.
    pub transaction: Duration,
    /// How long one attempt goes on to further servers: one after the other may be slow.
    pub attempt: Duration,
    /// How idle connections are kept.
    pub cache: CacheLimits,
    /// Whether text goes by BDAT where CHUNKING is offered; binary content always does. (RFC 3030 §2)
    pub chunking: bool,
}

impl SenderConfig {
    /// The defaults for a server of this name.
    #[must_use]
    pub fn new(our_name: impl Into<String>) -> Self {
        Self {
            our_name: our_name.into(),
            connect: Duration::from_secs(30),
            timeouts: Timeouts::default(),
            transaction: Duration::from_secs(3_600),
            attempt: Duration::from_secs(15 * 60),
            cache: CacheLimits::default(),
            chunking: true,
        }
    }
}

/// Sends messages to other servers.
pub struct Sender {
    config: SenderConfig,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    connections: Arc<Connections>,
    /// Servers that get their content by DATA, whatever they offer.
    unchunked: Arc<Mutex<HashSet<Endpoint>>>,
}

impl Sender {
    /// A sender without connections.
    #[must_use]
    pub fn new(config: SenderConfig, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let connections = Connections::new(config.cache.clone(), Arc::clone(&clock));
        Self {
            config,
            transport,
            clock,
            connections,
            unchunked: Arc::default(),
        }
    }

    /// A sender by another configuration, with the connections of this one and what it knows of servers. How idle
    /// connections are kept does not change.
    #[must_use]
    pub fn under(&self, config: SenderConfig) -> Self {
        Self {
            config,
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            connections: Arc::clone(&self.connections),
            unchunked: Arc::clone(&self.unchunked),
        }
    }

    fn may_chunk(&self, server: &Server) -> bool {
        let unchunked = self.unchunked.lock();
        let unchunked = unchunked.unwrap_or_else(PoisonError::into_inner);
        self.config.chunking && !unchunked.contains(&server.endpoint)
    }

    /// From now on this server gets its content by DATA.
    fn no_chunks_for(&self, server: &Server, said: &Said) {
        let unchunked = self.unchunked.lock();
        let mut unchunked = unchunked.unwrap_or_else(PoisonError::into_inner);
        if unchunked.len() >= MAX_UNCHUNKED {
            unchunked.clear();
        }
        if !unchunked.insert(server.endpoint.clone()) {
            return;
        }
        tracing::info!(
            host = escaped(&server.name).to_string(),
            address = escaped(&server.endpoint.to_string()).to_string(),
            said = escaped(&said.to_line()).to_string(),
            explain = explain(Some(said.code()), said.enhanced(), Language::English).key,
            "BDAT failed, content goes there by DATA from now on"
        );
    }

    async fn attempt(&self, load: Load<'_>) -> Carried {
        let mut job = Job {
            sender: self,
            message: load.message,
            began: self.clock.now(),
            outcomes: BTreeMap::new(),
            pending: load.recipients.to_vec(),
            facts: None,
            held: None,
            transcript: Transcript::default(),
            speaking_to: None,
            messages_per_connection: load.messages_per_connection,
            opened: 0,
        };
        for server in self.servers(load.way) {
            job.try_server(&server).await;
            let took = self.clock.now().since(job.began);
            if job.pending.is_empty() || took >= self.config.attempt {
                break;
            }
        }
        job.carried(load.recipients)
    }

    /// The servers to try, in order. Among equal hosts those with an idle connection come first.
    fn servers(&self, way: &Way) -> Vec<Server> {
        let (hosts, port, dialect) = match way {
            Way::Hosts {
                hosts,
                port,
                dialect,
            } => (hosts, *port, *dialect),
            Way::Socket { path, dialect } => {
                return vec![Server {
                    name: path.display().to_string().into(),
                    endpoint: Endpoint::Unix(path.clone()),
                    dialect: *dialect,
                }];
            }
        };
        let best = hosts.first().map(|host| host.preference);
        let mut servers = Vec::new();
        for host in hosts.iter().take(MAX_HOSTS) {
            let name = host.name.to_string();
            for ip in &host.addresses {
                let server = Server {
                    name: name.as_str().into(),
                    endpoint: Endpoint::Tcp((*ip, port).into()),
                    dialect,
                };
                let warm = Some(host.preference) == best && self.connections.has(&server);
                servers.push((!warm, server));
            }
        }
        servers.truncate(MAX_ADDRESSES);
        servers.sort_by_key(|(cold, _)| *cold);
        servers.into_iter().map(|(_, server)| server).collect()
    }

    /// Opens a connection, up to where a message can be sent.
    async fn open(
        &self,
        server: &Server,
        transcript: &mut Transcript,
    ) -> Result<Connection, (Stage, Said)> {
        let clock = &*self.clock;
        let opened = clock.now();
        let limit = self.config.connect;
        transcript.server(server.remote_host(), false);
        let connecting = self.transport.connect(&server.endpoint);
        let connected = dialogue::within(clock, opened.after(limit), connecting).await;
        let cause = match connected {
            Some(Ok(stream)) => Ok(stream),
            Some(Err(error)) => Err(error.kind().to_string()),
            None => Err(format!("no connection within {} seconds", limit.as_secs())),
        };
        let stream = cause.map_err(|cause| {
            let reply = Reply::no_answer(&server.name, cause);
            transcript.noted(Stage::Connect, reply.clone());
            (Stage::Connect, Said::ByUs(reply))
        })?;
        let session = Session::new(client::Config {
            dialect: server.dialect,
            our_name: self.config.our_name.as_str().into(),
            host: server.name.clone(),
        });
        let mut connection = Connection::new(stream, session, opened);
        let heard = connection.run(&self.patience(), None).await;
        transcript.append(connection.session.take_transcript());
        match heard.failure {
            None => Ok(connection),
            Some(failure) => Err(failure),
        }
    }

    fn patience(&self) -> Patience<'_> {
        Patience {
            clock: &*self.clock,
            timeouts: &self.config.timeouts,
            until: self.clock.now().after(self.config.transaction),
        }
    }
}

impl Remote for Sender {
    /// Dropped midway, the future drops the connection that it uses: the remote then has no end of the content.
    fn deliver<'a>(&'a self, load: Load<'a>) -> RemoteFuture<'a> {
        Box::pin(self.attempt(load))
    }

    fn is_warm(&self, way: &Way) -> bool {
        let servers = self.servers(way);
        servers.iter().any(|server| self.connections.has(server))
    }

    /// Says QUIT on every idle connection. From now on each message has a connection of its own.
    fn close(&self) -> Closing<'_> {
        Box::pin(self.connections.close())
    }
}

/// A connection whose message is not yet settled. Dropped, it becomes idle.
struct Held {
    connections: Arc<Connections>,
    connection: Option<(Server, Connection)>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((server, connection)) = self.connection.take() {
            self.connections.park(server, connection);
        }
    }
}

/// An attempt under way.
struct Job<'a> {
    sender: &'a Sender,
    message: &'a Leased,
    began: Timestamp,
    /// The words for each recipient, provisional for those that are pending.
    outcomes: BTreeMap<usize, Outcome>,
    /// Who still needs a server.
    pending: Vec<usize>,
    /// What the content holds, once it was read for that.
    facts: Option<client::Facts>,
    /// The connection that carried the last transaction, idle again.
    held: Option<(Server, Connection)>,
    /// What was said so far, and to whom it was said last.
    transcript: Transcript,
    speaking_to: Option<Server>,
    /// How many messages a connection may carry.
    messages_per_connection: Option<usize>,
    /// How many connections were opened, or tried to be.
    opened: u32,
}

/// What follows from a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing: it stands.
    Settled,
    /// Another transaction with the same server.
    AnotherRound,
    /// A new connection to the same server: this one had carried other messages before, or is spoilt.
    FreshConnection,
    /// Another server.
    Elsewhere,
}

impl Job<'_> {
    /// Tries one address of one host. Whoever needs another one stays pending.
    async fn try_server(&mut self, server: &Server) {
        let mut reuse = true;
        for _ in 0..MAX_ROUNDS {
            let idle = if reuse {
                self.idle_connection(server).await
            } else {
                None
            };
            let reused = idle.is_some();
            let mut connection = match idle {
                Some(connection) => {
                    if self.speaking_to.as_ref() != Some(server) {
                        self.transcript.server(server.remote_host(), true);
                    }
                    connection
                }
                None => {
                    self.opened = self.opened.saturating_add(1);
                    match self.sender.open(server, &mut self.transcript).await {
                        Ok(connection) => connection,
                        Err((stage, said)) => return self.nobody_served(server, stage, &said),
                    }
                }
            };
            self.speaking_to = Some(server.clone());
            connection.messages = self.messages_per_connection;
            let before = self.pending.len();
            let next = self.transact(connection, server, reused).await;
            match next {
                Next::FreshConnection => reuse = false,
                Next::AnotherRound if self.pending.len() < before => {}
                // A server that takes nobody takes nobody in another transaction either.
                Next::AnotherRound => return self.pending.clear(),
                Next::Settled | Next::Elsewhere => return,
            }
        }
        self.pending.clear();
    }

    /// The connection of the last transaction, or one of another message's.
    async fn idle_connection(&mut self, server: &Server) -> Option<Connection> {
        let connections = &self.sender.connections;
        match self.held.take() {
            Some((_, connection)) if connections.may_carry_more(&connection) => Some(connection),
            Some((server, connection)) => {
                connections.park(server, connection);
                None
            }
            None => connections.take(server).await,
        }
    }

    /// One transaction with everybody who is pending.
    async fn transact(
        &mut self,
        mut connection: Connection,
        server: &Server,
        reused: bool,
    ) -> Next {
        let asked = self.pending.clone();
        let chunking = self.sender.may_chunk(server);
        let content = match self.send(&mut connection.session, &asked, chunking).await {
            Ok(content) => content,
            Err(reply) => {
                self.held = Some((server.clone(), connection));
                self.nobody_served(server, Stage::Queue, &Said::ByUs(reply));
                self.pending.clear();
                return Next::Settled;
            }
        };
        let heard = connection.run(&self.sender.patience(), Some(content)).await;
        let said = connection.session.take_transcript();
        self.transcript.append(said);
        let taken = asked.len() - count_postponed(&heard.outcomes);
        let delivery = match server.dialect {
            Dialect::Lmtp => Delivery::Mailbox,
            Dialect::Smtp if connection.session.extensions().dsn => Delivery::HandedOn,
            Dialect::Smtp => Delivery::Relayed,
        };
        let mut next = Next::Settled;
        for outcome in heard.outcomes {
            let Some(recipient) = asked.get(outcome.index).copied() else {
                continue;
            };
            let follows = what_follows(&outcome, reused);
            next = next.or(follows);
            if connection.session.is_chunked() && breaks_chunking(&outcome) {
                self.sender.no_chunks_for(server, &outcome.said);
            }
            let said = postponed_words(outcome.said, outcome.about, taken);
            let attempt = self.attempt(server, outcome.stage, said);
            self.note(recipient, attempt, delivery);
            if follows == Next::Settled {
                self.pending.retain(|pending| *pending != recipient);
            }
        }
        if connection.session.is_idle() {
            self.held = Some((server.clone(), connection));
        }
        next
    }

    /// Starts the transaction, its content opened and verified before MAIL.
    async fn send(
        &mut self,
        session: &mut Session,
        asked: &[usize],
        chunking: bool,
    ) -> Result<Content, Reply> {
        let queued = &self.message.message;
        let envelope = &queued.envelope;
        let recipients: Vec<_> = asked
            .iter()
            .filter_map(|recipient| envelope.recipients.get(*recipient))
            .collect();
        let mut message = Message {
            sender: &envelope.sender,
            recipients: &recipients,
            octets: queued.octets,
            body: envelope.body,
            smtputf8: envelope.smtputf8,
            ret: envelope.ret,
            envid: envelope.envid.as_ref(),
            facts: self.facts,
            chunking,
        };
        let body = if session.wants_facts(&message) {
            let (facts, body) = inspect(self.message).await?;
            self.facts = Some(facts);
            message.facts = self.facts;
            body
        } else {
            open_body(self.message)?
        };
        session.send(&message);
        Ok(Content::new(queued.id, body, queued.octets))
    }

    /// The same words for everybody who is pending. What one host refuses for good is not final while another one
    /// could not be asked: words that leave hope stay.
    fn nobody_served(&mut self, server: &Server, stage: Stage, said: &Said) {
        let permanent = said.class() == Class::Permanent;
        for recipient in self.pending.clone() {
            let known = self.outcomes.get(&recipient).map(Outcome::attempt);
            let hope = known.is_some_and(|known| known.said.class() != Class::Permanent);
            if !(permanent && hope) {
                let attempt = self.attempt(server, stage, said.clone());
                self.outcomes
                    .insert(recipient, Outcome::NotTaken { attempt });
            }
        }
    }

    /// Writes down what was said for a recipient. Only a 2yz at the end of the content takes a message.
    fn note(&mut self, recipient: usize, attempt: Attempt, delivery: Delivery) {
        let taken = attempt.stage == Stage::EndOfData && attempt.said.class() == Class::Success;
        let outcome = if taken {
            Outcome::Taken { attempt, delivery }
        } else {
            Outcome::NotTaken { attempt }
        };
        self.outcomes.insert(recipient, outcome);
    }

    fn attempt(&self, server: &Server, stage: Stage, said: Said) -> Attempt {
        Attempt {
            at: self.began,
            took: self.sender.clock.now().since(self.began),
            host: Some(server.remote_host()),
            stage,
            said,
        }
    }

    /// The outcomes in the order asked for, with the connection to hold.
    fn carried(mut self, recipients: &[usize]) -> Carried {
        let (began, now) = (self.began, self.sender.clock.now());
        // Without any server to try nobody spoke; a plan has at least one.
        let nothing = || Outcome::NotTaken {
            attempt: Attempt {
                at: began,
                took: now.since(began),
                host: None,
                stage: Stage::Route,
                said: Said::ByUs(Reply::local_error()),
            },
        };
        let outcomes = recipients
            .iter()
            .map(|recipient| self.outcomes.remove(recipient).unwrap_or_else(nothing))
            .collect();
        let connections = &self.sender.connections;
        let kept = self.held.as_ref();
        let kept = kept.is_some_and(|(_, connection)| connections.may_carry_more(connection));
        let hold = self.held.take().map(|held| {
            let hold: Box<dyn Any + Send> = Box::new(Held {
                connections: Arc::clone(connections),
                connection: Some(held),
            });
            hold
        });
        Carried {
            outcomes,
            hold,
            transcript: self.transcript,
            opened: self.opened,
            kept,
        }
    }
}

impl Server {
    /// The server as a try names it.
    fn remote_host(&self) -> RemoteHost {
        RemoteHost {
            name: self.name.clone(),
            address: match &self.endpoint {
                Endpoint::Tcp(address) => Some(*address),
                Endpoint::Unix(_) => None,
            },
        }
    }
}

impl Next {
    /// What follows for the whole transaction, from what follows for two of its recipients.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Elsewhere, _) | (_, Self::Elsewhere) => Self::Elsewhere,
            (Self::FreshConnection, _) | (_, Self::FreshConnection) => Self::FreshConnection,
            (Self::AnotherRound, _) | (_, Self::AnotherRound) => Self::AnotherRound,
            (Self::Settled, Self::Settled) => Self::Settled,
        }
    }
}

fn what_follows(outcome: &RecipientOutcome, reused: bool) -> Next {
    let content_begun = outcome.stage == Stage::EndOfData;
    match outcome.about {
        About::Recipient => Next::Settled,
        About::Transaction => Next::AnotherRound,
        About::Chunking => Next::FreshConnection,
        About::Connection if content_begun => Next::Settled,
        About::Connection if reused => Next::FreshConnection,
        About::Connection => Next::Elsewhere,
        // Some servers say so when a session has carried enough messages.
        About::Message if reused && !content_begun && outcome.said.code().number() == 452 => {
            Next::FreshConnection
        }
        About::Message => Next::Settled,
    }
}

/// Whether BDAT failed, by a word of the server or by a connection that ended in it. A 421 ends connections for
/// reasons of its own.
fn breaks_chunking(outcome: &RecipientOutcome) -> bool {
    match outcome.about {
        About::Chunking => true,
        About::Connection => {
            outcome.stage == Stage::EndOfData && matches!(outcome.said, Said::ByUs(_))
        }
        About::Recipient | About::Message | About::Transaction => false,
    }
}

fn count_postponed(outcomes: &[RecipientOutcome]) -> usize {
    let postponed = outcomes.iter().filter(|it| it.about == About::Transaction);
    postponed.count()
}

/// "Too many recipients" never fails a message: where it is said with a 5yz, our words for the same stand instead.
/// (RFC 5321 §4.5.3.1.10)
fn postponed_words(said: Said, about: About, taken: usize) -> Said {
    if about == About::Transaction && said.class() == Class::Permanent {
        Said::ByUs(Reply::too_many_recipients(taken))
    } else {
        said
    }
}

/// Opens the content; what cannot be read has its words here.
fn open_body(message: &Leased) -> Result<Body, Reply> {
    message.body().map_err(|error| {
        tracing::warn!(id = %message.message.id, %error, "content cannot be opened");
        if let SpoolError::Damaged { id, .. } = error {
            Reply::spool_damaged(id)
        } else {
            Reply::local_error()
        }
    })
}

/// Reads all content, to know what it needs of a server; then it is to be read again from its first octet. What fits
/// a block is read only once. Content of another length than its message is an error of ours.
async fn inspect(message: &Leased) -> Result<(client::Facts, Body), Reply> {
    let mut body = open_body(message)?;
    let mut inspection = Inspection::default();
    let (id, mut left) = (message.message.id, message.message.octets);
    // One octet more than there should be shows whether there is more.
    let room = usize::try_from(left).unwrap_or(usize::MAX);
    let mut block = vec![0; room.saturating_add(1).min(BLOCK)];
    let mut again = false;
    loop {
        let filled = dialogue::fill(&mut body, &mut block).map_err(|error| {
            tracing::warn!(%id, error = %escaped(&error.to_string()), "content cannot be read");
            Reply::local_error()
        })?;
        let rest = left.checked_sub(u64::try_from(filled).unwrap_or(u64::MAX));
        let ended = filled < block.len();
        left = match rest {
            Some(rest) if rest == 0 || !ended => rest,
            Some(_) | None => {
                tracing::warn!(%id, "content is not as long as its message");
                return Err(Reply::local_error());
            }
        };
        inspection.push(block.get(..filled).unwrap_or_default());
        if ended && again {
            return Ok((inspection.finish(), open_body(message)?));
        }
        if ended {
            block.truncate(filled);
            return Ok((inspection.finish(), Box::new(Cursor::new(block))));
        }
        again = true;
        // Long content leaves room for the other deliveries.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests;
