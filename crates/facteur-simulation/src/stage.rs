//! The executor: one thread, in which either a task of the server or one of the others is polled, one after the other, and
//! the clock moves on when nobody has anything to do.
//!
//! The server's tasks are tokio's, as it spawns them. Between any two polls of them the stage has its turn. It finds
//! out that none is ready by a task that is always ready, the sentinel: if it is polled twice in a row, no other is.
//! Nothing here depends on real time, on addresses in memory or on the order of a hash table, so that a seed always
//! makes the same history. Where tokio throws dice of its own, at the watch channel that tells sessions to stop, at most one
//! listens: an orderly stop waits for a moment with no more than one client.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use facteur_mail::Timestamp;
use facteur_spool::SpoolError;
use tokio::runtime::Builder;

use crate::laws::Law;
use crate::machine::Machine;
use crate::storage::Readable;
use crate::world::{Life, Pulse, Step, World};

/// How a life ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The process is dead.
    Crashed,
    /// In good order.
    Stopped,
    /// The spool could not be opened.
    NotOpened(SpoolError),
    /// Everything is done.
    Done,
}

/// When a history that does not end is given up: in its time, and in steps of the server.
pub(crate) struct Bounds {
    pub(crate) until: Timestamp,
    pub(crate) steps: u64,
}

/// Lives one life of the server.
pub(crate) fn live(world: &Arc<World>, readable: &Readable, bounds: &Bounds) -> End {
    let Ok(runtime) = Builder::new_current_thread().event_interval(1).build() else {
        return End::Crashed;
    };
    let life = world.begin_life();
    world.note(format_args!("the server starts, life {}", life.number));
    let end = runtime.block_on(async {
        let machine = match Machine::start(&life, readable) {
            _ if life.is_over() => return End::Crashed,
            Ok(machine) => machine,
            Err(error) => return End::NotOpened(error),
        };
        let mut stage = Stage {
            life: life.clone(),
            machine: Some(machine),
            stopped: Arc::default(),
            stopping: false,
            idle: Idle::start(),
        };
        poll_fn(|cx| stage.turn(bounds, cx)).await
    });
    // Destructors run when the machine is off: they change nothing any more.
    let over = life.is_over();
    drop(runtime);
    if over { End::Crashed } else { end }
}

struct Stage {
    life: Life,
    machine: Option<Machine>,
    stopped: Arc<AtomicBool>,
    stopping: bool,
    idle: Idle,
}

impl Stage {
    fn turn(&mut self, bounds: &Bounds, cx: &mut Context<'_>) -> Poll<End> {
        let world = Arc::clone(&self.life.world);
        if self.life.step(Step::Poll) != Pulse::Beats {
            return Poll::Ready(End::Crashed);
        }
        if self.stopped.load(Ordering::SeqCst) {
            return Poll::Ready(End::Stopped);
        }
        cx.waker().wake_by_ref();
        self.stop_if_asked(&world);
        if world.cast.play_one() {
            self.idle.is_busy();
            return Poll::Pending;
        }
        if !self.idle.is_idle() {
            return Poll::Pending;
        }
        if self.is_done(&world) {
            return Poll::Ready(End::Done);
        }
        let moved = world.clock.advance_to_next();
        self.idle.is_busy();
        if moved.is_none_or(|now| now > bounds.until) || world.steps() > bounds.steps {
            let what = format!(
                "{} messages are queued, {} others are at work, and nothing will ever happen",
                self.machine.as_ref().map_or(0, Machine::queued),
                world.cast.len()
            );
            world
                .books()
                .broken(&world, Law::NothingIsLeft, what, Vec::new());
            return Poll::Ready(End::Done);
        }
        Poll::Pending
    }

    /// All clients have gone, the weather is over, and the queue is empty.
    fn is_done(&self, world: &World) -> bool {
        world.cast.len() == 0
            && self
                .machine
                .as_ref()
                .is_some_and(|machine| machine.queued() == 0)
    }

    fn stop_if_asked(&mut self, world: &World) {
        self.stopping |= world.must_stop();
        if self.stopping
            && world.inside() <= 1
            && let Some(machine) = self.machine.take()
        {
            self.idle.is_busy();
            let stop = machine.stop(self.life.clone(), Arc::clone(&self.stopped));
            drop(tokio::spawn(stop));
        }
    }
}

/// Knows when the runtime has nothing to do but to ask.
struct Idle {
    /// Turns since the sentinel was polled last.
    turns: Arc<AtomicU64>,
    /// Whether nothing else was polled between two polls of the sentinel.
    idle: Arc<AtomicBool>,
}

impl Idle {
    fn start() -> Self {
        let (turns, idle) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (since, alone) = (Arc::clone(&turns), Arc::clone(&idle));
        drop(tokio::spawn(poll_fn(move |cx| {
            if since.swap(0, Ordering::SeqCst) == 1 {
                alone.store(true, Ordering::SeqCst);
            }
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })));
        Self { turns, idle }
    }

    /// Something was woken, perhaps.
    fn is_busy(&self) {
        self.turns.store(2, Ordering::SeqCst);
        self.idle.store(false, Ordering::SeqCst);
    }

    /// To be asked in each turn.
    fn is_idle(&self) -> bool {
        self.turns.fetch_add(1, Ordering::SeqCst);
        self.idle.swap(false, Ordering::SeqCst)
    }
}
