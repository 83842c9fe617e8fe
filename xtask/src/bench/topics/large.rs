//! One message of 50 MiB: how fast it comes in, and by how much that makes the server grow.

use crate::bench::house::Server;
use crate::bench::lab::{Lab, Load};
use crate::bench::procfs::{forget_peak, resident};
use crate::bench::topics::Findings;
use crate::bench::topics::reception::held;
use crate::failure::Failure;

const OCTETS: u32 = 50 << 20;

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    for round in 1..=lab.rounds {
        for server in Server::in_turn(round) {
            let house = held(lab, server)?;
            let running = house.launch()?;
            let load = |octets| Load {
                port: house.port,
                sessions: 1,
                messages: 1,
                octets,
            };
            // The programs are in memory then.
            lab.send(load(10_240))?;
            let (before, _) = resident(running.pid());
            let watched = forget_peak(running.pid());
            let took = lab.send(load(OCTETS))?;
            let (_, most) = resident(running.pid());
            found.put("50MiB", server, "MiB/s", round, 50.0 / took.as_secs_f64());
            // Postfix is many processes; the one that we could watch does nothing here.
            if watched && server == Server::Facteur {
                found.put("50MiB", server, "growth", round, most - before);
            }
            running.stop();
        }
    }
    Ok(())
}
