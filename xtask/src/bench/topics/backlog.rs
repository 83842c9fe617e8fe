//! Many messages that wait, for a destination that refuses connections: what they cost in memory, how fast mail comes
//! in beside them, and how long the server takes to be whole again after a stop.

use std::time::{Duration, Instant};

use crate::bench::house::{House, MANY_PROCESSES, Next, ONE_CLIENT, Plan, Running, Server};
use crate::bench::lab::{Lab, Load};
use crate::bench::smtp::free_port;
use crate::bench::topics::{Findings, enough, rate};
use crate::failure::Failure;

/// Messages are sent in loads of so many, so that the time can be watched.
const LOAD: u32 = 50_000;

/// The longest that a queue may take to fill.
const FILL_LIMIT: Duration = Duration::from_secs(420);

/// How long the speed is measured, about: seconds.
const REAL: f64 = 3.0;
const QUICK: f64 = 0.5;

/// Restarts of a full queue.
const RESTARTS: u32 = 3;

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    let many = lab.or_quick(50_000, 2_000);
    one(lab, found, ("50000", many), Server::Facteur)?;
    one(lab, found, ("50000", many), Server::Postfix)?;
    // Postfix would take a quarter of an hour to be given a million.
    let million = lab.or_quick(1_000_000, 20_000);
    one(lab, found, ("1000000", million), Server::Facteur)
}

fn one(
    lab: &Lab,
    found: &mut Findings,
    (case, wanted): (&str, u32),
    server: Server,
) -> Result<(), Failure> {
    let house = refusing(lab, server)?;
    let running = house.launch()?;
    let empty = running.family().memory();
    let queued = fill(lab, &house, wanted)?;
    found.put(case, server, "queued", 1, f64::from(queued));
    settle(&running);
    found.put(case, server, "memory", 1, running.family().memory());
    found.put(case, server, "stop", 1, running.stop().as_secs_f64());
    for round in 1..=RESTARTS {
        let running = house.launch()?;
        let greeted = running.greeted_after.as_secs_f64();
        found.put(case, server, "seconds", round, greeted);
        let memory = running.family().memory();
        found.put(case, server, "memory after", round, memory);
        let each = (memory - empty) / f64::from(queued);
        found.put(case, server, "memory each", round, each);
        running.stop();
    }
    let running = house.launch()?;
    for round in 1..=lab.rounds {
        settle(&running);
        let before = fresh(lab, server)?;
        let beside = speed(lab, &house)?;
        found.put(case, server, "messages/s empty", round, before);
        found.put(case, server, "messages/s beside", round, beside);
        found.put(case, server, "ratio beside", round, beside / before);
    }
    running.stop();
    Ok(())
}

/// A server whose next server refuses connections. What waits is not tried again meanwhile.
fn refusing(lab: &Lab, server: Server) -> Result<House<'_>, Failure> {
    let nobody = free_port().map_err(|source| Failure::File {
        path: lab.folder().to_owned(),
        source,
    })?;
    let more = match server {
        Server::Facteur => format!("{ONE_CLIENT}[delivery]\nretry = [\"1h\"]\n"),
        Server::Postfix => {
            format!("{MANY_PROCESSES}minimal_backoff_time = 1h\nqueue_run_delay = 1h\n")
        }
    };
    let plan = Plan {
        server,
        next: Next::Port(nobody),
        more: &more,
    };
    House::build(lab, &plan)
}

/// Messages a second into a server with an empty queue, the full one standing by.
fn fresh(lab: &Lab, server: Server) -> Result<f64, Failure> {
    let house = refusing(lab, server)?;
    let running = house.launch()?;
    let speed = speed(lab, &house)?;
    running.stop();
    Ok(speed)
}

/// Messages a second now, 1 KiB in 20 sessions.
fn speed(lab: &Lab, house: &House<'_>) -> Result<f64, Failure> {
    let load = |messages| Load {
        port: house.port,
        sessions: 20,
        messages,
        octets: 1_024,
    };
    let first = 500;
    lab.send(load(first))?;
    let warm = rate(first, lab.send(load(first))?);
    let messages = enough(warm, lab.or_quick(REAL, QUICK), first, LOAD);
    let took = lab.send(load(messages))?;
    Ok(rate(messages, took))
}

/// Queues so many messages, or as many as the time allows.
fn fill(lab: &Lab, house: &House<'_>, wanted: u32) -> Result<u32, Failure> {
    let began = Instant::now();
    let mut queued = 0;
    while queued < wanted && began.elapsed() < FILL_LIMIT {
        let messages = LOAD.min(wanted - queued);
        lab.send(Load {
            port: house.port,
            sessions: 100,
            messages,
            octets: 1_024,
        })?;
        queued += messages;
    }
    Ok(queued)
}

/// Waits until the server has nothing to do with what it has, or half a minute.
fn settle(running: &Running) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut before = running.family().cpu();
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_secs(1));
        let now = running.family().cpu();
        if now - before < 0.05 {
            return;
        }
        before = now;
    }
}
