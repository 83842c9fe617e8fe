//! What an operator can do to deliveries while they run, and what there is to see.

use facteur_mail::Host;
use tokio::sync::{mpsc, oneshot};

use crate::index::Survey;
use crate::limits::{Order, Target};

/// How many commands wait for the scheduler; who gives one more waits.
pub(crate) const COMMANDS: usize = 16;

/// Moves the scheduler. Clones move the same one; once delivery has stopped, nothing happens any more.
#[derive(Debug, Clone)]
pub struct Steering {
    commands: mpsc::Sender<Command>,
}

/// Which destinations are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All.
    All,
    /// Those that fit.
    Target(Target),
    /// Those to which mail for these hosts goes.
    Hosts(Vec<Host>),
}

/// What the scheduler is told.
#[derive(Debug)]
pub(crate) enum Command {
    /// These orders are in force from now on, and no others.
    Obey(Vec<Order>),
    /// What did not answer for these hosts is tried again at once.
    Forgive(Vec<Host>),
    /// Is it alive?
    Answer(oneshot::Sender<()>),
    /// How are they?
    Survey {
        wanted: Wanted,
        most: usize,
        answer: oneshot::Sender<Survey>,
    },
}

impl Steering {
    pub(crate) const fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { commands }
    }

    /// Puts these orders in force, and no others. Keeping them is the caller's: delivery forgets them when it stops.
    pub async fn obey(&self, orders: Vec<Order>) {
        self.give(Command::Obey(orders)).await;
    }

    /// Forgets that destinations did not answer: what is due for these hosts is tried at once. To be called before the
    /// messages are announced whose times an operator has changed.
    pub async fn forgive(&self, hosts: Vec<Host>) {
        self.give(Command::Forgive(hosts)).await;
    }

    /// How destinations are, `most` of them at most; nothing once delivery has stopped.
    pub async fn survey(&self, wanted: Wanted, most: usize) -> Survey {
        let (answer, answered) = oneshot::channel();
        self.give(Command::Survey {
            wanted,
            most,
            answer,
        })
        .await;
        answered.await.unwrap_or_default()
    }

    /// For a watchdog: completes when the scheduler's loop has come round, with `false` once it has ended. While the loop is
    /// stuck, it does not.
    pub async fn beat(&self) -> bool {
        let (answer, answered) = oneshot::channel();
        self.give(Command::Answer(answer)).await;
        answered.await.is_ok()
    }

    async fn give(&self, command: Command) {
        // Nobody listens once delivery has stopped.
        drop(self.commands.send(command).await);
    }
}
