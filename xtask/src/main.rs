//! `cargo xtask tidy | ci | interop | test | faults | simulate | bench`: the project's own commands, the same for people and for CI.
//!
//! `tidy` checks what the compiler cannot (the arrows between crates, replies, citations). `ci` adds
//! format, lints, tests and documentation. `interop` holds the conversations with real mail programs, and
//! fetches what those need. `test` is all of it. `faults` breaks disks under the real program, `bench` measures it beside
//! Postfix. Nothing but the standard library is used, so that this builds in a second.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks on its standard streams"
)]

mod bench;
mod failure;
mod faults;
mod interop;
mod provision;
mod simulate;
mod steps;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::bench::Options;
use crate::failure::Failure;
use crate::provision::Tools;
use crate::steps::Run;

const USAGE: &str = "usage: cargo xtask COMMAND

  tidy     what the compiler cannot check: arrows between crates, replies, citations
  ci       fmt, tidy, clippy, test, doc
  interop  the conversations with swaks, msmtp, curl, Python, Postfix and Exim
           (Debian, as root: fetches what is missing; elsewhere says loudly what it skips;
           with CI set nothing is skipped)
  test     ci, then interop: everything
  faults   [ROUNDS]  kills, power cuts and failing disks under the real program, 100 times each;
           `test` plays a few of them (Linux, as root: mounts a disk of its own through FUSE)
  simulate [--seeds N] [--from SEED]  histories of the whole server, each by its seed: 10,000 a night;
           `test` plays 300. --seed SEED [--verbose]  one of them, told
  bench    Facteur beside Postfix, in turn (Debian, as root; a quarter of an hour):
           [--quick] [--rounds N] [--only TOPIC,…]
           topics: reception relay idle large start backlog flood bad-destination
           --quick  short measurements that are printed and not kept
           --render measures nothing: writes tables and chart anew from docs/bench.tsv
";

type Task = Box<dyn FnOnce(&mut Run) -> Result<(), Failure>>;

fn main() -> ExitCode {
    let task = match task(std::env::args().skip(1)) {
        Ok(Some(task)) => task,
        Ok(None) => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
        Err(failure) => {
            eprintln!("error: {failure}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut run = Run::start(root());
    let outcome = task(&mut run);
    run.summary();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What the words ask for; nothing if they ask for nothing that there is.
fn task(mut words: impl Iterator<Item = String>) -> Result<Option<Task>, Failure> {
    let first = words.next();
    if first.as_deref() == Some("simulate") {
        let words: Vec<String> = words.collect();
        return Ok(Some(Box::new(move |run| simulate::play(run, &words))));
    }
    if first.as_deref() == Some("bench") {
        let options = Options::parse(words)?;
        return Ok(Some(Box::new(move |run| bench::bench(run, &options))));
    }
    Ok(Some(match (first.as_deref(), words.next()) {
        (Some("tidy"), None) => Box::new(|run| tidy::check(run.root())),
        (Some("ci"), None) => Box::new(checks),
        (Some("interop"), None) => Box::new(interop),
        (Some("test"), None) => Box::new(test),
        (Some("faults"), rounds) => Box::new(move |run| faults::play(run, rounds.as_deref())),
        _ => return Ok(None),
    }))
}

/// Everything. What must be fetched is fetched first, so that a missing tool is known at once.
fn test(run: &mut Run) -> Result<(), Failure> {
    let tools = tools(run)?;
    checks(run)?;
    conversations(run, &tools)
}

fn interop(run: &mut Run) -> Result<(), Failure> {
    let tools = tools(run)?;
    conversations(run, &tools)
}

fn tools(run: &mut Run) -> Result<Tools, Failure> {
    let mut tools = Tools::none(run.root());
    run.section("tools", || tools.provide(strict()))?;
    Ok(tools)
}

fn conversations(run: &mut Run, tools: &Tools) -> Result<(), Failure> {
    run.cargo(
        "build the binary",
        &["build", "--locked", "--bin", "facteur"],
    )?;
    for scenario in interop::scenarios(run.root())? {
        run.section(&scenario.title(), || scenario.play(tools, strict()))?;
    }
    Ok(())
}

/// Whether nothing may be skipped.
fn strict() -> bool {
    std::env::var_os("CI").is_some()
}

/// The cheap checks first, so that a slip costs seconds.
fn checks(run: &mut Run) -> Result<(), Failure> {
    run.cargo("fmt", &["fmt", "--all", "--check"])?;
    let root = run.root().to_owned();
    run.section("tidy", || tidy::check(&root))?;
    run.cargo(
        "clippy",
        &[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    run.cargo("test", &["test", "--locked", "--workspace"])?;
    run.cargo("doc", &["doc", "--locked", "--workspace", "--no-deps"])
}

/// The repository, wherever the command was called.
fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .map_or_else(|| manifest.clone(), PathBuf::from)
}
