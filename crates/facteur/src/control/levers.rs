//! What the requests can move: the parts of the running server, and who does which request.

use std::sync::Arc;

use facteur_mail::Timestamp;
use facteur_replies::Language;
use facteur_server::Visitors;
use facteur_spool::Spool as _;
use facteur_spool_local::{Health, LocalSpool};
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Config;
use crate::process::Limits;
use crate::reload::Wish;

use super::answers::{Answers, Stop};
use super::peer::Peer;
use super::protocol::{Answer, Refusal, Request, SpoolState, Status};
use super::server::Perform;
use crate::destinations::Desk;
use crate::process::Confinement;
use crate::queue::Operator;

/// How much of a configuration one answer holds, in octets. Written into it, each may take six.
const PIECE: usize = 128 << 10;

/// The parts of the server that requests ask or move.
pub(crate) struct Levers {
    /// The configuration in force.
    pub(crate) configuration: watch::Receiver<Arc<Config>>,
    /// Where a wish for another one goes.
    pub(crate) reloads: mpsc::Sender<Wish>,
    /// When it started.
    pub(crate) started: Timestamp,
    /// Where the messages are.
    pub(crate) spool: Arc<LocalSpool>,
    /// What the process may do.
    pub(crate) limits: Arc<Limits>,
    /// Who acts on them.
    pub(crate) operator: Operator,
    /// What is asked and ordered of destinations.
    pub(crate) destinations: Desk,
    /// Who is connected.
    pub(crate) visitors: Visitors,
    /// What the kernel holds it to.
    pub(crate) confinement: Confinement,
}

impl Perform for Levers {
    async fn perform(
        &self,
        request: Request,
        peer: &Peer,
        language: Language,
        answers: Answers,
    ) -> Result<(), Stop> {
        tracing::debug!(user = %peer, ?request, "asked at the control socket");
        match request {
            Request::Status => answers.give(Answer::Status(Box::new(self.status()))).await,
            Request::Reload => self.reload(language, &answers).await,
            Request::Configuration => self.tell_configuration(&answers).await,
            Request::Destinations(request) => {
                let desk = &self.destinations;
                desk.perform(*request, peer, language, &answers).await
            }
            Request::Queue(request) => self.operator.act(*request, peer, language, &answers).await,
        }
    }
}

impl Levers {
    async fn reload(&self, language: Language, answers: &Answers) -> Result<(), Stop> {
        let (wish, done) = oneshot::channel();
        let wished = self.reloads.send(wish).await;
        wished.map_err(|_| Stop::Refused(Refusal::Stopping))?;
        let done = done.await.map_err(|_| Stop::Refused(Refusal::Stopping))?;
        match done {
            Ok(changes) => {
                for change in changes {
                    answers.give(Answer::Changed(change)).await?;
                }
                Ok(())
            }
            Err(error) => {
                let error = error.explained(language);
                let told = Answer::NotReloaded {
                    details: error.details,
                    message: error.message,
                    hints: error.hints,
                };
                answers.give(told).await
            }
        }
    }

    /// Tells the configuration in force, in pieces that fit into an answer.
    async fn tell_configuration(&self, answers: &Answers) -> Result<(), Stop> {
        let configuration = self.configuration.borrow().in_force().to_string();
        let mut rest = configuration.as_str();
        while !rest.is_empty() {
            let (text, more) = rest.split_at(rest.floor_char_boundary(PIECE));
            answers
                .give(Answer::Configuration {
                    piece: text.to_owned(),
                })
                .await?;
            rest = more;
        }
        let limits = Box::new((*self.limits).clone());
        answers.give(Answer::Limits(limits)).await
    }

    fn status(&self) -> Status {
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: self.configuration.borrow().hostname.to_string(),
            pid: std::process::id(),
            user: rustix::process::geteuid().as_raw(),
            confinement: self.confinement,
            started: self.started.as_millis(),
            queued: wide(self.spool.len()),
            sessions: wide(self.visitors.count()),
            spool: match self.spool.health() {
                Health::Well => SpoolState::Well,
                Health::Refusing { path, error } => SpoolState::Refusing {
                    path: path.display().to_string(),
                    words: error,
                },
                other => SpoolState::Refusing {
                    path: String::new(),
                    words: format!("{other:?}"),
                },
            },
        }
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
