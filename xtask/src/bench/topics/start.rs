//! From the start of the program to its first banner, with an empty queue. Of Postfix the `master` program alone is
//! started, without the checks that `postfix start` makes first.

use crate::bench::house::Server;
use crate::bench::lab::Lab;
use crate::bench::topics::Findings;
use crate::bench::topics::reception::held;
use crate::failure::Failure;

/// Starts a round.
const STARTS: u32 = 3;

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    for server in [Server::Facteur, Server::Postfix] {
        let house = held(lab, server)?;
        // The first start makes the files.
        house.launch()?.stop();
        for round in 1..=lab.rounds * STARTS {
            let running = house.launch()?;
            let took = running.greeted_after.as_secs_f64();
            found.put("empty", server, "seconds", round, took);
            running.stop();
        }
    }
    Ok(())
}
