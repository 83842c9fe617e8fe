//! `cargo xtask tidy | ci | test`: the project's own commands, the same for people and for CI.
//!
//! `tidy` checks what the compiler cannot (the arrows between crates, the catalogue, citations). `ci` adds
//! format, lints, tests and documentation. `test` adds the conversations with real mail programs, and
//! fetches what those need. Nothing but the standard library is used, so that this builds in a second.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks on its standard streams"
)]

mod failure;
mod interop;
mod provision;
mod steps;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::steps::Run;

const USAGE: &str = "usage: cargo xtask COMMAND

  tidy   what the compiler cannot check: arrows between crates, replies, catalogue, citations
  ci     fmt, tidy, clippy, test, doc
  test   ci, then the conversations with swaks, msmtp, curl, Python, Postfix and Exim
         (Debian, as root: fetches what is missing; elsewhere says loudly what it skips;
         with CI set nothing is skipped)
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match (arguments.next().as_deref(), arguments.next()) {
        (Some("tidy"), None) => tidy::check(&root()),
        (Some("ci"), None) => ci(&mut Run::start(root())),
        (Some("test"), None) => test(&mut Run::start(root())),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The cheap checks first, so that a slip costs seconds.
fn ci(run: &mut Run) -> Result<(), Failure> {
    checks(run)?;
    run.summary();
    Ok(())
}

fn test(run: &mut Run) -> Result<(), Failure> {
    let strict = std::env::var_os("CI").is_some();
    let root = run.root().to_owned();
    let mut tools = provision::Tools::none(&root);
    run.section("tools", || {
        tools = provision::provide(&root, strict)?;
        Ok(())
    })?;
    checks(run)?;
    run.cargo(
        "build the binary",
        &["build", "--locked", "--bin", "facteur"],
    )?;
    for scenario in interop::scenarios(&root)? {
        run.section(&scenario.title(), || scenario.play(&tools, strict))?;
    }
    run.summary();
    Ok(())
}

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
