//! What the requests can move: the parts of the running server, and who does which request.

use std::sync::Arc;

use facteur_mail::Timestamp;
use facteur_replies::Language;
use facteur_server::Visitors;
use facteur_spool::Spool as _;
use facteur_spool_local::{Health, LocalSpool};

use super::answers::{Answers, Stop};
use super::peer::Peer;
use super::protocol::{Answer, Request, SpoolState, Status};
use super::server::Perform;
use crate::process::Confinement;

/// The parts of the server that requests ask or move.
pub(crate) struct Levers {
    /// This server's name.
    pub(crate) hostname: String,
    /// When it started.
    pub(crate) started: Timestamp,
    /// Where the messages are.
    pub(crate) spool: Arc<LocalSpool>,
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
        _language: Language,
        answers: Answers,
    ) -> Result<(), Stop> {
        tracing::debug!(user = %peer, ?request, "asked at the control socket");
        match request {
            Request::Status => answers.give(Answer::Status(Box::new(self.status()))).await,
        }
    }
}

impl Levers {
    fn status(&self) -> Status {
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: self.hostname.clone(),
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
