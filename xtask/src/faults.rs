//! Kills, power cuts and failing disks under the real program, as often as asked for. The tests of the workspace play a
//! few rounds of the same; here they are many, of an optimised build, and each prints its figures in a line.

use std::process::Command;

use crate::failure::Failure;
use crate::steps::{Run, run};

/// How many rounds are played unless it is said.
const ROUNDS: &str = "100";

/// Plays so many rounds of each.
pub(crate) fn play(all: &mut Run, rounds: Option<&str>) -> Result<(), Failure> {
    let rounds = rounds.unwrap_or(ROUNDS);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([
            "test",
            "--locked",
            "--release",
            "--package",
            "facteur",
            "--test",
            "it",
            "--",
        ])
        // One after the other: each wants the machine for itself.
        .args(["--nocapture", "--test-threads", "1", "faults::"])
        .env("FACTEUR_FAULT_ROUNDS", rounds)
        // Nothing is skipped: who asks for faults wants them.
        .env("CI", "1")
        .current_dir(all.root());
    all.section(&format!("faults, {rounds} rounds of each"), || {
        run(&mut command)
    })
}
