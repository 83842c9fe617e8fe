//! The whole server in one thread, on a machine whose every move comes from a seed: five days of mail in a moment.
//!
//! What runs is the product: the listener loop and the sessions of `facteur-server`, the segment log of
//! `facteur-spool-local`, the scheduler and the attempts of `facteur-delivery`, the planner of `facteur-route`. What is simulated is
//! everything around it: the clock, the disk (torn and lost writes, lost renames, errors, failed flushes, no room),
//! DNS, other servers and clients, and the moment at which the process is killed or the power fails: at any await, in any
//! write to the disk, at any octet of a connection. What was not flushed is lost then, what the others have heard is not.
//!
//! [`play`] makes the history of one seed and says which [`Law`]s were broken in it; the same seed makes the same history, octet
//! for octet.

mod books;
mod cast;
mod chance;
mod client;
mod counter;
mod host;
mod laws;
mod letter;
mod log;
mod machine;
mod mailboxes;
mod many;
mod mood;
mod names;
mod net;
mod panics;
mod settings;
mod stage;
mod storage;
mod tally;
mod trace;
mod weather;
mod wire;
mod world;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::stage::{Bounds, End, live};
use crate::weather::{Weather, send_clients};
use crate::world::World;

pub use laws::{Law, Violation};
pub use many::play_all;
pub use tally::Tally;

/// The history of one seed.
#[derive(Debug)]
pub struct History {
    /// What there was.
    pub tally: Tally,
    /// The laws that were broken.
    pub violations: Vec<Violation>,
    /// One number for all that happened: the same for two histories that are the same.
    pub trace: u64,
    /// All that happened, line by line, if it was asked for.
    pub lines: Vec<String>,
}

/// The most steps of the server in one history.
const MOST_STEPS: u64 = 5_000_000;

/// How long a history may last beyond the time in which mail is sent and the time in which it is given up.
const MOST_BEYOND: Duration = Duration::from_secs(8 * 24 * 3_600);

/// Makes the history of a seed; `telling` keeps its lines.
#[must_use]
pub fn play(seed: u64, telling: bool) -> History {
    panics::watch();
    let world = World::new(seed, telling);
    let began = world.now();
    if telling {
        let log = log::into_trace(&world);
        tracing::subscriber::with_default(log, || live_on(&world));
    } else {
        live_on(&world);
    }
    if world.books().violations().is_empty() {
        world.books().end(&world);
    }
    world.cast.dismiss();
    let mut tally = *world.tally();
    let violations = world.books().violations().to_vec();
    tally.seeds = 1;
    tally.millis = u64::try_from(world.now().since(began).as_millis()).unwrap_or_default();
    tally.steps = world.steps();
    tally.violations = u64::try_from(violations.len()).unwrap_or_default();
    let trace = world.trace().hash();
    let lines = world.trace().take_lines();
    History {
        tally,
        violations,
        trace,
        lines,
    }
}

/// One life after the other, until all is done.
fn live_on(world: &Arc<World>) {
    let readable = Arc::new(AtomicBool::new(true));
    let settings = &world.settings;
    world.note(format_args!("{settings:?}"));
    let bounds = Bounds {
        until: world
            .now()
            .after(settings.lasts + settings.give_up_after * 2 + MOST_BEYOND),
        steps: MOST_STEPS,
    };
    let weather = Weather::new(world, Arc::clone(&readable));
    world.cast.enter(weather.run());
    send_clients(world);
    let chance = world.chance(4);
    loop {
        let end = live(world, &readable, &bounds);
        let power = world.end_life();
        world.books().life_ends();
        if let Some(panic) = panics::take() {
            world.books().broken(world, Law::NoPanic, panic, Vec::new());
        }
        match &end {
            End::Done => return,
            End::Crashed if power => world.disk.power_cycle(chance.number()),
            End::Crashed => world.disk.kill(),
            End::Stopped => {
                world.note(format_args!("the server has stopped"));
                world.tally().stops += 1;
                world.disk.kill();
            }
            End::NotOpened(error) => {
                world.note(format_args!("the spool cannot be opened: {error}"));
                world.disk.kill();
            }
        }
        if !world.books().violations().is_empty() {
            return;
        }
        world.books().hindered(true, world.now());
        wait(world, chance.seconds(1, 300));
        world.books().hindered(false, world.now());
        if world.now() > bounds.until {
            let what = "the spool cannot be opened any more".to_owned();
            world
                .books()
                .broken(world, Law::OpensAgain, what, Vec::new());
            return;
        }
    }
}

/// The server is down for some time; the others go on.
fn wait(world: &Arc<World>, time: Duration) {
    let until = world.now().after(time);
    loop {
        while world.cast.play_one() {}
        match world.clock.next_wake() {
            Some(moment) if moment <= until => world.clock.set(moment.max(world.now())),
            Some(_) | None => break,
        }
    }
    world.clock.set(until);
}
