//! One bad destination of a hundred: how long the others' messages take from the 250 that they got to the next server,
//! without it and with one that is silent, endless or resets.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::house::{House, Next, ONE_CLIENT, Plan, Server};
use crate::bench::lab::Lab;
use crate::bench::smtp::{Arrival, Client, Manner, free_port, serve};
use crate::bench::topics::{Findings, percentile};
use crate::failure::Failure;

/// Destinations, the first of which is the bad one.
const DESTINATIONS: u8 = 100;

/// From one message to the next.
const PACE: Duration = Duration::from_millis(4);

/// How long the last good message may take.
const LAST: Duration = Duration::from_secs(20);

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    let manners = [
        ("good", Manner::Good),
        ("silent", Manner::Silent),
        ("endless", Manner::Endless),
        ("resetting", Manner::Resetting),
    ];
    for round in 1..=lab.rounds {
        let mut with_good = None;
        for (case, manner) in manners {
            let mut latencies = one(lab, manner)?;
            let arrived = u32::try_from(latencies.len()).unwrap_or(u32::MAX);
            let missing = f64::from(timed(lab)) - f64::from(arrived);
            found.put(case, Server::Facteur, "missing", round, missing);
            let Some(p99) = percentile(&mut latencies, 0.99) else {
                continue;
            };
            found.put(case, Server::Facteur, "p99", round, p99);
            let good = *with_good.get_or_insert(p99);
            if manner != Manner::Good {
                found.put(case, Server::Facteur, "moved", round, p99 - good);
            }
        }
    }
    Ok(())
}

/// Messages for the other destinations.
fn timed(lab: &Lab) -> u32 {
    sent(lab) / u32::from(DESTINATIONS) * u32::from(DESTINATIONS - 1)
}

/// Messages in all, a multiple of the destinations.
fn sent(lab: &Lab) -> u32 {
    u32::from(DESTINATIONS) * lab.or_quick(25, 5)
}

/// The address of a destination; each run has a network of its own, as its servers stay until the end.
fn address(network: u8, destination: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 30, network, destination + 1)
}

fn one(lab: &Lab, manner: Manner) -> Result<Vec<f64>, Failure> {
    static NETWORKS: AtomicU8 = AtomicU8::new(0);
    let network = NETWORKS.fetch_add(1, Ordering::Relaxed);
    let failed = |source| Failure::File {
        path: lab.folder().to_owned(),
        source,
    };
    let port = free_port().map_err(failed)?;
    let (sender, arrivals) = mpsc::channel();
    let mut routes = ONE_CLIENT.to_owned();
    for destination in 0..DESTINATIONS {
        let manner = if destination == 0 {
            manner
        } else {
            Manner::Good
        };
        let address = address(network, destination);
        serve((address, port).into(), manner, sender.clone()).map_err(failed)?;
        let route = format!(
            "\n[[route]]\nmatch = \"d{destination}.test\"\nnext_hop = \"{address}:{port}\"\n"
        );
        routes.push_str(&route);
    }
    drop(sender);
    let plan = Plan {
        server: Server::Facteur,
        next: Next::Other,
        more: &routes,
    };
    let house = House::build(lab, &plan)?;
    let running = house.launch()?;
    let count = sent(lab);
    let began = Instant::now();
    pour(house.port, count, began).map_err(failed)?;
    let latencies = gather(&arrivals, timed(lab), began);
    running.stop();
    Ok(latencies)
}

/// Sends the messages to the destinations in turn, each with the time at which it was sent.
fn pour(port: u16, count: u32, began: Instant) -> std::io::Result<()> {
    let mut client = Client::connect(port)?;
    client.say("EHLO bench.test", b'2')?;
    for number in 0..count {
        let due = PACE * number;
        thread::sleep(due.saturating_sub(began.elapsed()));
        let destination = number % u32::from(DESTINATIONS);
        let recipient = format!("someone@d{destination}.test");
        let now = began.elapsed().as_micros();
        // The first destination's messages are not the ones that are timed.
        let mark = if destination == 0 {
            String::new()
        } else {
            format!("X-Sent: {now}\r\n")
        };
        client.send(
            &recipient,
            &format!("{mark}Subject: bench\r\n\r\n{}", "x".repeat(1_000)),
        )?;
    }
    Ok(())
}

/// Seconds from sending to arrival, of as many messages as come in time.
fn gather(arrivals: &Receiver<Arrival>, expected: u32, began: Instant) -> Vec<f64> {
    let deadline = Instant::now() + LAST;
    let mut latencies = Vec::new();
    for _ in 0..expected {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok((when, sent)) = arrivals.recv_timeout(left) else {
            break;
        };
        let arrived = when.duration_since(began);
        latencies.push(
            arrived
                .saturating_sub(Duration::from_micros(sent))
                .as_secs_f64(),
        );
    }
    latencies
}
