//! What the console asks of the server it stands beside: how it is, and to take a message.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use facteur_console::{
    Console, Letter, Levels, Mailroom, MailroomFuture, Metrics, NewEnvelope, Once, Opened, Parts,
    Pulse, Token, Trouble,
};
use facteur_mail::{BodyType, Client, Clock, Protocol, QueueId};
use facteur_replies::{Language, Reply};
use facteur_server::{OpenSubmission, Server, Submissions, Visitors};
use facteur_smtp::server::Transaction;
use facteur_spool::{Spool, SpoolError};

use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::ui::{Screen, shown};
use crate::wiring;

/// How the server is.
struct ServerPulse {
    spool: Arc<dyn Spool>,
    /// The directory that the spool is in.
    directory: PathBuf,
    visitors: Visitors,
    stopping: Arc<AtomicBool>,
}

impl Pulse for ServerPulse {
    fn troubles(&self) -> Vec<Trouble> {
        let stopping = self.stopping.load(Ordering::Relaxed);
        let spool = match self.spool.admit(0) {
            Ok(()) => None,
            Err(SpoolError::Full { .. }) => Some(Trouble::SpoolFull),
            Err(SpoolError::Closed) => Some(Trouble::Stopping).filter(|_| !stopping),
            Err(_) => Some(Trouble::SpoolCannotWrite),
        };
        let stopping = stopping.then_some(Trouble::Stopping);
        stopping.into_iter().chain(spool).collect()
    }

    fn levels(&self) -> Levels {
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let room = rustix::fs::statvfs(&self.directory).ok();
        Levels {
            queued: wide(self.spool.len()),
            connections: wide(self.visitors.count()),
            free_octets: room.map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        }
    }
}

/// Takes messages as SMTP would.
struct ServerMailroom {
    submissions: Submissions,
    spool: Arc<dyn Spool>,
}

impl ServerMailroom {
    async fn take(&self, envelope: NewEnvelope) -> Result<Opened, Reply> {
        let transaction = Transaction {
            sender: envelope.sender,
            size: envelope.octets,
            // The content is looked at when it is sent; nothing is lost by saying so.
            body: BodyType::EightBitMime,
            smtputf8: envelope.smtputf8,
            ret: None,
            envid: None,
            client: Client {
                ip: Some(envelope.ip),
                helo: envelope.token.into(),
                protocol: Protocol::Http,
            },
        };
        let mut submission = self.submissions.open(transaction).await?;
        let mut verdicts = Vec::with_capacity(envelope.recipients.len());
        for recipient in envelope.recipients {
            verdicts.push(submission.recipient(recipient).await);
        }
        let letter: Option<Box<dyn Letter>> = if verdicts.iter().any(Result::is_ok) {
            Some(Box::new(Incoming(submission.begin()?)))
        } else {
            None
        };
        Ok(Opened { verdicts, letter })
    }
}

impl Mailroom for ServerMailroom {
    fn open(&self, envelope: NewEnvelope) -> MailroomFuture<'_, Opened> {
        Box::pin(self.take(envelope))
    }

    fn was_accepted(&self, id: QueueId) -> Option<bool> {
        self.spool.show(id).is_ok().then_some(true)
    }
}

/// A message on its way in.
struct Incoming(OpenSubmission);

impl Letter for Incoming {
    fn id(&self) -> QueueId {
        self.0.id()
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Reply> {
        self.0.write(octets)
    }

    fn commit<'a>(self: Box<Self>) -> MailroomFuture<'a, QueueId>
    where
        Self: 'a,
    {
        Box::pin(async move { Ok(self.0.commit().await?.id()) })
    }
}

/// The console of a server, with its tokens.
///
/// # Errors
/// A token that cannot be read, or that others can.
pub(crate) fn config(
    config: &Config,
    language: Language,
) -> Result<Option<facteur_console::Config>, CliError> {
    let Some(address) = config.console.address.0 else {
        return Ok(None);
    };
    let tokens = config.console.token.iter().map(|token| {
        Ok(Token {
            name: token.name.0.clone(),
            secret: token.secret_file.read(language)?.expose().to_vec(),
        })
    });
    Ok(Some(facteur_console::Config {
        hosts: config
            .console
            .hosts
            .iter()
            .map(ToString::to_string)
            .collect(),
        tokens: tokens.collect::<Result<_, CliError>>()?,
        max_message_octets: config.limits.message_size,
        ..facteur_console::Config::new(address)
    }))
}

/// What the console stands beside.
pub(crate) struct Surroundings<'a> {
    /// Where the messages are.
    pub(crate) spool: Arc<dyn Spool>,
    /// Who receives.
    pub(crate) server: &'a Server,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Whether the server was told to stop.
    pub(crate) stopping: Arc<AtomicBool>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Starts the console, if there is to be one. Where it cannot listen, mail goes on without: the log says so.
///
/// # Errors
/// A file of the data directory that cannot be opened.
pub(crate) fn start(
    console: Option<facteur_console::Config>,
    config: &Config,
    around: Surroundings<'_>,
    screen: &Screen,
) -> Result<Option<Console>, CliError> {
    let Some(console) = console else {
        return Ok(None);
    };
    let pulse = ServerPulse {
        spool: Arc::clone(&around.spool),
        directory: wiring::spool_directory(config),
        visitors: around.server.visitors(),
        stopping: around.stopping,
    };
    let mailroom = ServerMailroom {
        submissions: around.server.submissions(),
        spool: around.spool,
    };
    let parts = Parts {
        pulse: Arc::new(pulse),
        mailroom: Arc::new(mailroom),
        metrics: around.metrics,
        once: Arc::new(once(&config.data_dir, screen)?),
        hostname: config.hostname.clone(),
        clock: around.clock,
    };
    Ok(Console::start(console, parts)
        .inspect_err(|error| tracing::error!(%error, "there is no console"))
        .ok())
}

/// The answers to requests with an idempotency key, in the data directory.
fn once(data_dir: &Path, screen: &Screen) -> Result<Once, CliError> {
    Once::open(&data_dir.join("requests.sqlite")).map_err(|error| {
        let words = shown(&error.to_string());
        CliError::new(
            Kind::System,
            screen.text("serve-no-database", &[("words", (&words).into())]),
        )
    })
}
