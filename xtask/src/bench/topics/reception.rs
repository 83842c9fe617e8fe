//! Reception into the queue: messages a second that are acknowledged while nothing is delivered, and the CPU time that
//! each costs.

use crate::bench::house::{House, MANY_PROCESSES, Next, ONE_CLIENT, Plan, Server};
use crate::bench::lab::{Lab, Load};
use crate::bench::topics::{Findings, enough, rate};
use crate::failure::Failure;

/// Name, octets of a message, sessions at once, and the most messages that are sent.
const CASES: [(&str, u32, u32, u32); 10] = [
    ("1KiB-1", 1_024, 1, 40_000),
    ("1KiB-20", 1_024, 20, 60_000),
    ("1KiB-100", 1_024, 100, 60_000),
    ("1KiB-500", 1_024, 500, 60_000),
    ("10KiB-1", 10_240, 1, 40_000),
    ("10KiB-20", 10_240, 20, 60_000),
    ("10KiB-100", 10_240, 100, 60_000),
    ("10KiB-500", 10_240, 500, 60_000),
    ("1MiB-20", 1_048_576, 20, 3_000),
    ("1MiB-100", 1_048_576, 100, 3_000),
];

/// How long each measurement takes, about: seconds.
const REAL: f64 = 2.5;
const QUICK: f64 = 0.6;

/// What part of that is long enough.
const LONG_ENOUGH: f64 = 0.6;

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    for round in 1..=lab.rounds {
        for case in CASES {
            for server in Server::in_turn(round) {
                one(lab, found, round, case, server)?;
            }
        }
    }
    Ok(())
}

/// A server without any delivery, ready for one client with many sessions.
pub(super) fn held(lab: &Lab, server: Server) -> Result<House<'_>, Failure> {
    let more = match server {
        Server::Facteur => ONE_CLIENT,
        Server::Postfix => MANY_PROCESSES,
    };
    House::build(
        lab,
        &Plan {
            server,
            next: Next::Held,
            more,
        },
    )
}

/// A fresh server with an empty queue; a short load first, which also tells how long the real one must be.
fn one(
    lab: &Lab,
    found: &mut Findings,
    round: u32,
    (case, octets, sessions, most): (&str, u32, u32, u32),
    server: Server,
) -> Result<(), Failure> {
    let house = held(lab, server)?;
    let running = house.launch()?;
    let load = |messages| Load {
        port: house.port,
        sessions,
        messages,
        octets,
    };
    let mut messages = (sessions * 2).max(100).min(most);
    // The first load may have to start hundreds of processes. Then each tells how long the next one must be.
    lab.send(load(messages))?;
    let seconds = lab.or_quick(REAL, QUICK);
    let (took, spent) = loop {
        let before = running.family().cpu();
        let took = lab.send(load(messages))?;
        let spent = running.family().cpu() - before;
        let next = enough(rate(messages, took), seconds, messages, most);
        if took.as_secs_f64() >= seconds * LONG_ENOUGH || next == messages {
            break (took, spent);
        }
        messages = next;
    };
    found.put(case, server, "messages/s", round, rate(messages, took));
    let each = spent / f64::from(messages) * 1_000.0;
    found.put(case, server, "cpu", round, each);
    running.stop();
    Ok(())
}
