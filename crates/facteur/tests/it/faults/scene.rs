//! A server on a disk that fails as told, the next server, and the books at the end.

use std::time::{Duration, Instant};

use facteur_faultdisk::{FaultDisk, Left};
use facteur_testkit::{Peer, Script};

use crate::instance::{Instance, Lab, Setup, until};
use crate::load::{Books, Load, Sent, ZONE, drained};

/// How many sessions send at once.
pub(super) const SESSIONS: u32 = 8;

/// How long the server may take to serve again when what was short is there again.
const SERVES_AGAIN: Duration = Duration::from_secs(60);

/// The scene.
pub(super) struct Scene {
    pub(super) peer: Peer,
    pub(super) server: Instance,
    _lab: Lab,
}

impl Scene {
    /// A running server. `None` where there can be no such disk.
    pub(super) async fn new(setup: &Setup) -> Option<Self> {
        let lab = Lab::new(ZONE).await;
        let peer = lab.peer(2, Script::accept_all()).await;
        let mut server = Instance::prepare_on_fault_disk(&lab, setup)?;
        server.launch().await;
        Some(Self {
            peer,
            server,
            _lab: lab,
        })
    }

    pub(super) const fn disk(&self) -> &FaultDisk {
        self.server.disk()
    }

    /// Sessions that have sent so much.
    pub(super) fn load(&self, name: &str, enough: u32) -> Load {
        let load = Load::start(self.server.address(), name, SESSIONS);
        until("mail", || (load.taken() >= enough).then_some(()));
        load
    }

    /// Waits until so many more messages were refused.
    pub(super) fn refuses(&self, load: &Load, more: u32) {
        let enough = load.refused() + more;
        until("refusals", || (load.refused() >= enough).then_some(()));
    }

    /// Waits until mail is taken again, which must be soon.
    pub(super) fn serves_again(&self, load: &Load) {
        let (began, before) = (Instant::now(), load.taken());
        until("mail again", || (load.taken() >= before + 30).then_some(()));
        assert!(began.elapsed() < SERVES_AGAIN);
    }

    /// Cuts the power so that nothing is left of what was not flushed, starts again, and keeps the books: every refusal
    /// was for now, nothing that was acknowledged is lost, and nothing that was delivered is damaged.
    pub(super) async fn balance(mut self, sent: &Sent) -> Books {
        for refusal in &sent.refusals {
            assert!(
                refusal.starts_with("451 4.3.0") || refusal.starts_with("452 4.3.1"),
                "{refusal}"
            );
        }
        self.disk().cut();
        self.server.kill();
        self.disk().power_on(Left::Nothing);
        self.server.launch().await;
        drained(&self.server);
        assert_eq!(self.server.run(&["spool", "check"]).code, 0);
        let books = Books::of(&self.server, &self.peer, &sent.acknowledged);
        books.assert_whole();
        books
    }
}
