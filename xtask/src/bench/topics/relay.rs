//! Relay: mail comes in and goes out to `smtp-sink` at the same time; the clock stops when that has the last message.

use std::time::{Duration, Instant};

use crate::bench::house::{House, MANY_PROCESSES, Next, ONE_CLIENT, Plan, Server};
use crate::bench::lab::{Lab, Load};
use crate::bench::smtp::free_port;
use crate::bench::topics::{Findings, enough, rate};
use crate::failure::Failure;

/// How long each measurement takes, about: seconds.
const REAL: f64 = 5.0;
const QUICK: f64 = 1.0;

/// Before anything is known: messages a second.
const GUESS: f64 = 400.0;

/// Messages that make the connections and processes that then are there.
const FIRST: u32 = 200;

/// How long the last message may take.
const LIMIT: Duration = Duration::from_secs(120);

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    let cases = [("10KiB-20", 20), ("10KiB-100", 100)];
    for round in 1..=lab.rounds {
        for (case, sessions) in cases {
            for server in Server::in_turn(round) {
                one(lab, found, round, (case, sessions), server)?;
            }
        }
    }
    Ok(())
}

fn one(
    lab: &Lab,
    found: &mut Findings,
    round: u32,
    (case, sessions): (&str, u32),
    server: Server,
) -> Result<(), Failure> {
    let port = free_port().map_err(|source| Failure::File {
        path: lab.folder().to_owned(),
        source,
    })?;
    let more = match server {
        Server::Facteur => ONE_CLIENT,
        Server::Postfix => MANY_PROCESSES,
    };
    let next = Next::Port(port);
    let house = House::build(lab, &Plan { server, next, more })?;
    let running = house.launch()?;
    let relay = |messages| -> Result<(Duration, Duration), Failure> {
        let mut sink = lab.sink(port, messages)?;
        let began = Instant::now();
        let accepted = lab.send(Load {
            port: house.port,
            sessions,
            messages,
            octets: 10_240,
        })?;
        if sink.wait(LIMIT) {
            Ok((accepted, began.elapsed()))
        } else {
            Err(Failure::Undelivered {
                server: server.name(),
            })
        }
    };
    let (_, warm) = relay(FIRST)?;
    let known = rate(FIRST, warm).max(GUESS);
    let messages = enough(known, lab.or_quick(REAL, QUICK), FIRST, 40_000);
    let before = running.family().cpu();
    let (accepted, delivered) = relay(messages)?;
    let spent = running.family().cpu() - before;
    found.put(case, server, "messages/s", round, rate(messages, delivered));
    found.put(case, server, "accepted/s", round, rate(messages, accepted));
    let each = spent / f64::from(messages) * 1_000.0;
    found.put(case, server, "cpu", round, each);
    running.stop();
    Ok(())
}
