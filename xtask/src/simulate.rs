//! Many histories of the simulated server, in an optimised build: the nightly command.

use std::process::Command;

use crate::failure::Failure;
use crate::steps::{Run, run};

/// Plays them; the words are the simulation's own.
pub(crate) fn play(all: &mut Run, words: &[String]) -> Result<(), Failure> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["run", "--locked", "--release", "--quiet"])
        .args(["--package", "facteur-simulation", "--"])
        .args(words)
        .current_dir(all.root());
    all.section("simulation", || run(&mut command))
}
