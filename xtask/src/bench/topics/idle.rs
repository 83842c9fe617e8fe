//! Connections that have greeted and then say nothing: how many are served at default settings, and what each costs.

use std::time::Duration;

use crate::bench::house::{House, MANY_PROCESSES, Next, Plan, Running, Server};
use crate::bench::lab::Lab;
use crate::bench::procfs::precise;
use crate::bench::smtp::Client;
use crate::bench::topics::Findings;
use crate::failure::Failure;

/// How long a server may take to greet when it has room.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that stay unanswered one after the other before no more are tried.
const GIVE_UP: u32 = 5;

/// At default settings: to Facteur, and to Postfix, whose default is 100 processes.
const DEFAULT: u32 = 5_000;
const DEFAULT_POSTFIX: u32 = 120;

/// With more processes than Postfix has by default: what one costs.
const MANY: u32 = 400;

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    let wanted = lab.or_quick(DEFAULT, 500);
    one(lab, found, ("default", wanted), Server::Facteur, "")?;
    one(
        lab,
        found,
        ("default", DEFAULT_POSTFIX),
        Server::Postfix,
        "",
    )?;
    let many = lab.or_quick(MANY, 50);
    one(lab, found, ("400", many), Server::Facteur, "")?;
    one(lab, found, ("400", many), Server::Postfix, MANY_PROCESSES)
}

fn one(
    lab: &Lab,
    found: &mut Findings,
    (case, wanted): (&str, u32),
    server: Server,
    more: &str,
) -> Result<(), Failure> {
    let next = Next::Other;
    let house = House::build(lab, &Plan { server, next, more })?;
    let running = house.launch()?;
    let before = running.family().memory();
    let (held, served) = hold(&house, wanted);
    let all = running.family().memory();
    found.put(case, server, "wanted", 1, f64::from(wanted));
    found.put(case, server, "served", 1, f64::from(served));
    found.put(case, server, "memory", 1, all);
    let each = (all - before) / f64::from(served.max(1));
    found.put(case, server, "memory each", 1, each);
    found.put(case, server, "processes", 1, processes(&running));
    drop(held);
    running.stop();
    Ok(())
}

fn processes(running: &Running) -> f64 {
    precise(u64::try_from(running.family().count()).unwrap_or(u64::MAX))
}

/// Opens connections that say EHLO and stay; all that were opened, and how many were answered.
fn hold(house: &House<'_>, wanted: u32) -> (Vec<Client>, u32) {
    let mut held = Vec::new();
    let mut silent = 0;
    for _ in 0..wanted {
        let answered = Client::connect_within(house.port, PATIENCE)
            .and_then(|mut client| client.say("EHLO idle.test", b'2').map(|()| client));
        match answered {
            Ok(client) => {
                silent = 0;
                held.push(client);
            }
            Err(_) if silent + 1 >= GIVE_UP => break,
            Err(_) => silent += 1,
        }
    }
    let served = u32::try_from(held.len()).unwrap_or(u32::MAX);
    (held, served)
}
