//! Crowds of strangers of one network, idle or slow, and what is left for others: a stranger of another network and
//! a client of ours, who bring a message each time and time it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bench::house::{House, Next, Plan, Server};
use crate::bench::lab::Lab;
use crate::bench::process::{Group, Process};
use crate::bench::procfs::open_files;
use crate::bench::topics::{Findings, percentile};
use crate::failure::Failure;

/// Only this machine's main address may relay: everybody else is a stranger.
const CONFIG: &str = "[relay]\nnetworks = [\"127.0.0.1/32\"]\n";

/// Where the crowd comes from, and the visitors.
const CROWD: &str = "127.10.0";
const STRANGER: &str = "127.20.0.1";
const CLIENT: &str = "127.0.0.1";

/// Longer than the visits are and the crowd needs to come.
const LIMIT: Duration = Duration::from_secs(120);

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    let idle = lab.or_quick(10_000, 500);
    let slow = lab.or_quick(2_000, 200);
    for (case, crowd) in [
        ("nobody", None),
        ("idle", Some(("idle", idle))),
        ("slow", Some(("slow", slow))),
    ] {
        one(lab, found, case, crowd)?;
    }
    Ok(())
}

fn one(
    lab: &Lab,
    found: &mut Findings,
    case: &str,
    crowd: Option<(&str, u32)>,
) -> Result<(), Failure> {
    let plan = Plan {
        server: Server::Facteur,
        next: Next::Other,
        more: CONFIG,
    };
    let house = House::build(lab, &plan)?;
    let running = house.launch()?;
    let crowd = crowd
        .map(|(manner, count)| gather(lab, house.port, manner, count))
        .transpose()?;
    let seconds = lab.or_quick(20, 3).to_string();
    let stranger = visitor(lab, house.port, &seconds, STRANGER)?;
    let client = visitor(lab, house.port, &seconds, CLIENT)?;
    for (who, visitor) in [("stranger", stranger), ("client", client)] {
        let visits = visits(visitor);
        let mut served: Vec<f64> = visits.iter().flatten().copied().collect();
        let share = share(served.len(), visits.len());
        found.put(case, Server::Facteur, &format!("share {who}"), 1, share);
        if let Some(p99) = percentile(&mut served, 0.99) {
            found.put(
                case,
                Server::Facteur,
                &format!("p99 {who}"),
                1,
                p99 / 1_000.0,
            );
        }
    }
    let connections = open_files(running.pid());
    found.put(case, Server::Facteur, "open files", 1, connections);
    found.put(
        case,
        Server::Facteur,
        "memory",
        1,
        running.family().memory(),
    );
    drop(crowd);
    running.stop();
    Ok(())
}

/// A crowd at the door; it goes when this is dropped.
fn gather(lab: &Lab, port: u16, manner: &str, count: u32) -> Result<Process, Failure> {
    let mut crowd = start(lab, port, manner, &count.to_string(), CROWD, Stdio::piped())?;
    let ready = crowd.child().stdout.take().map(|output| {
        let mut line = String::new();
        BufReader::new(output.take(100)).read_line(&mut line)
    });
    match ready {
        Some(Ok(1..)) => Ok(crowd),
        _ => Err(Failure::Program {
            line: format!("crowd {manner}"),
        }),
    }
}

fn visitor(lab: &Lab, port: u16, seconds: &str, source: &str) -> Result<Process, Failure> {
    start(lab, port, "visit", seconds, source, Stdio::null())
}

fn start(
    lab: &Lab,
    port: u16,
    manner: &str,
    number: &str,
    place: &str,
    input: Stdio,
) -> Result<Process, Failure> {
    let mut command = Command::new(lab.crowd());
    command
        .args([&format!("127.0.0.1:{port}"), manner, number, place])
        .stdin(input)
        .stdout(Stdio::piped());
    Process::start(&lab.undertaker, &mut command, Group::Ours)
}

/// Each visit: how many milliseconds it took, or that it failed.
fn visits(mut visitor: Process) -> Vec<Option<f64>> {
    let output = visitor.child().stdout.take();
    let lines = output
        .into_iter()
        .flat_map(|output| BufReader::new(output).lines());
    let visits = lines
        .map_while(Result::ok)
        .map(|line| line.parse().ok())
        .collect();
    visitor.wait(LIMIT);
    visits
}

fn share(part: usize, whole: usize) -> f64 {
    let count = |length| f64::from(u32::try_from(length).unwrap_or(u32::MAX));
    count(part) / count(whole.max(1))
}
