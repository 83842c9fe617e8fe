//! What outlives a crash of the server: the clock, the disk, DNS, the other servers, the clients, and what was written
//! down about all of them.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use facteur_mail::{Clock as _, Timestamp};
use facteur_testkit::{ManualClock, SimDisk, Zone};
use tokio::io::DuplexStream;

use crate::books::Books;
use crate::cast::Cast;
use crate::chance::Chance;
use crate::net::Hosts;
use crate::settings::Settings;
use crate::tally::Tally;
use crate::trace::{Event, Trace};
use crate::wire::{Inside, Line, Wire};

/// At which kind of step a crash strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A task is polled: the crash is at an await.
    Poll,
    /// The disk writes, flushes or renames: the crash is in it, and may leave half of it.
    Disk,
    /// A socket is read or written.
    Socket,
}

/// A crash to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sentence {
    /// What is counted.
    pub(crate) at: Step,
    /// How many more of it there will be.
    pub(crate) left: u64,
    /// Whether the power fails: what was not flushed is lost.
    pub(crate) power: bool,
}

/// What a step of the server's finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// The server lives.
    Beats,
    /// It dies in this step.
    Stops,
    /// It is dead; only its destructors run.
    Dead,
}

#[derive(Debug, Default)]
struct Fate {
    steps: u64,
    /// The number of the present or last life.
    life: u64,
    alive: bool,
    sentence: Option<Sentence>,
    /// How the last life ended: true if the power failed.
    power: bool,
    /// The weather asks for an orderly stop.
    stop: bool,
}

/// The door of the server: who has knocked and was not let in yet.
#[derive(Default)]
struct Door {
    open: bool,
    waiting: VecDeque<(Wire, IpAddr)>,
    doorman: Option<Waker>,
    /// Connections so far, in either direction.
    connections: u64,
}

/// The world.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    pub(crate) clock: ManualClock,
    pub(crate) disk: SimDisk,
    pub(crate) zone: Zone,
    pub(crate) hosts: Hosts,
    pub(crate) cast: Cast,
    /// How many clients are connected.
    inside: Arc<AtomicUsize>,
    fate: Mutex<Fate>,
    door: Mutex<Door>,
    trace: Mutex<Trace>,
    books: Mutex<Books>,
    tally: Mutex<Tally>,
}

impl World {
    pub(crate) fn new(seed: u64, telling: bool) -> Arc<Self> {
        let settings = Settings::of(seed);
        let clock = ManualClock::new();
        Arc::new(Self {
            seed,
            zone: Zone::new(&settings.zone()),
            hosts: Hosts::new(seed, &settings),
            books: Mutex::new(Books::new(&settings)),
            settings,
            clock,
            disk: SimDisk::new(),
            cast: Cast::default(),
            inside: Arc::default(),
            fate: Mutex::default(),
            door: Mutex::default(),
            trace: Mutex::new(Trace::new(telling)),
            tally: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.sleep_until(self.now().after(time)).await;
    }

    /// Dice for somebody.
    pub(crate) fn chance(&self, who: u64) -> Chance {
        Chance::new(self.seed, who)
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.books)
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    pub(crate) fn trace(&self) -> MutexGuard<'_, Trace> {
        lock(&self.trace)
    }

    pub(crate) fn event(&self, event: Event<'_>) {
        let step = self.steps();
        self.trace().event(self.now(), step, event);
    }

    /// Writes something down that happens seldom.
    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        let step = self.steps();
        self.trace().note(self.now(), step, what);
    }

    /// A line of the server's log.
    pub(crate) fn log(&self, line: &str) {
        let step = self.steps();
        self.trace().log(self.now(), step, line);
    }

    pub(crate) fn steps(&self) -> u64 {
        lock(&self.fate).steps
    }

    /// The number of the present or last life of the server.
    pub(crate) fn life(&self) -> u64 {
        lock(&self.fate).life
    }

    /// A new life of the server begins.
    pub(crate) fn begin_life(self: &Arc<Self>) -> Life {
        let mut fate = lock(&self.fate);
        fate.life += 1;
        fate.alive = true;
        fate.stop = false;
        Life {
            number: fate.life,
            world: Arc::clone(self),
        }
    }

    /// A life is over, struck by its sentence or come to its end: nothing of it does anything any more. Returns whether
    /// the power failed.
    pub(crate) fn end_life(&self) -> bool {
        let mut fate = lock(&self.fate);
        fate.alive = false;
        let power = std::mem::take(&mut fate.power);
        drop(fate);
        self.close_door();
        power
    }

    /// Nobody is let in any more; who knocked is turned away.
    pub(crate) fn close_door(&self) {
        let mut door = lock(&self.door);
        door.open = false;
        door.waiting.clear();
        door.doorman = None;
    }

    /// Decides on the next crash, if none is decided yet.
    pub(crate) fn sentence(&self, sentence: Sentence) {
        lock(&self.fate).sentence.get_or_insert(sentence);
    }

    /// Asks for an orderly stop.
    pub(crate) fn ask_to_stop(&self) {
        lock(&self.fate).stop = true;
    }

    /// Whether the server is to stop in good order, asked once.
    pub(crate) fn must_stop(&self) -> bool {
        std::mem::take(&mut lock(&self.fate).stop)
    }

    /// The server accepts connections.
    pub(crate) fn open_door(&self) {
        lock(&self.door).open = true;
    }

    /// Connects a client to the server; `None` if none listens.
    pub(crate) fn knock(
        self: &Arc<Self>,
        ip: IpAddr,
        chance: &Chance,
    ) -> Option<(DuplexStream, Arc<Line>)> {
        let life = self.present_life()?;
        let mut door = lock(&self.door);
        if !door.open {
            return None;
        }
        door.connections += 1;
        let line = Line::new(door.connections);
        let (theirs, ours) = tokio::io::duplex(chance.size(64, 65_536));
        let wire = Wire::new(
            ours,
            Arc::clone(&line),
            life,
            chance.number(),
            Some(Inside::enter(&self.inside)),
        );
        door.waiting.push_back((wire, ip));
        let doorman = door.doorman.take();
        drop(door);
        if let Some(doorman) = doorman {
            doorman.wake();
        }
        Some((theirs, line))
    }

    /// How many clients are connected.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::SeqCst)
    }

    /// The next one who knocked.
    pub(crate) fn poll_visitor(&self, waker: &Waker) -> Poll<(Wire, IpAddr)> {
        let mut door = lock(&self.door);
        match door.waiting.pop_front() {
            Some(visitor) => Poll::Ready(visitor),
            None => {
                door.doorman = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    /// The number of a new connection.
    pub(crate) fn next_connection(&self) -> u64 {
        let mut door = lock(&self.door);
        door.connections += 1;
        door.connections
    }

    fn present_life(self: &Arc<Self>) -> Option<Life> {
        let fate = lock(&self.fate);
        fate.alive.then(|| Life {
            number: fate.life,
            world: Arc::clone(self),
        })
    }
}

/// One life of the server, from its start to its stop or crash.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) number: u64,
    pub(crate) world: Arc<World>,
}

impl Life {
    /// The server does something.
    pub(crate) fn step(&self, kind: Step) -> Pulse {
        let mut fate = lock(&self.world.fate);
        if fate.life != self.number || !fate.alive {
            return Pulse::Dead;
        }
        fate.steps += 1;
        let Some(sentence) = &mut fate.sentence else {
            return Pulse::Beats;
        };
        if sentence.at != kind {
            return Pulse::Beats;
        }
        if sentence.left > 0 {
            sentence.left -= 1;
            return Pulse::Beats;
        }
        let power = sentence.power;
        fate.sentence = None;
        fate.power = power;
        fate.alive = false;
        drop(fate);
        let how = if power {
            "the power fails"
        } else {
            "the process is killed"
        };
        self.world
            .note(format_args!("!! {how}, at a step of kind {kind:?}"));
        let mut tally = self.world.tally();
        if power {
            tally.power_cuts += 1;
        } else {
            tally.crashes += 1;
        }
        Pulse::Stops
    }

    pub(crate) fn is_over(&self) -> bool {
        let fate = lock(&self.world.fate);
        fate.life != self.number || !fate.alive
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
