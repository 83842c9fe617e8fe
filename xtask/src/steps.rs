//! A run in sections: each is announced, timed, and the first failure ends it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// One run of `ci` or `test`, with what it did so far.
pub(crate) struct Run {
    root: PathBuf,
    started: Instant,
    done: Vec<(String, Duration)>,
}

impl Run {
    /// Starts the clock.
    pub(crate) fn start(root: PathBuf) -> Self {
        Self {
            root,
            started: Instant::now(),
            done: Vec::new(),
        }
    }

    /// The repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Does one thing under its title.
    pub(crate) fn section(
        &mut self,
        title: &str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("\n=== {title}");
        let started = Instant::now();
        let outcome = work();
        let took = started.elapsed();
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("=== {title}: {word} ({:.1} s)", took.as_secs_f64());
        self.done.push((title.to_owned(), took));
        outcome
    }

    /// Runs cargo under a title. Warnings of rustdoc are errors.
    pub(crate) fn cargo(&mut self, title: &str, arguments: &[&str]) -> Result<(), Failure> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(arguments)
            .env("RUSTDOCFLAGS", "-D warnings")
            .current_dir(&self.root);
        // What cargo told about ourselves: build scripts that look at it would run again, and what needs them be built
        // anew.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        self.section(title, || run(&mut command))
    }

    /// Where the time went.
    pub(crate) fn summary(&self) {
        if self.done.is_empty() {
            return;
        }
        println!();
        for (title, took) in &self.done {
            println!("{:8.1} s  {title}", took.as_secs_f64());
        }
        println!("{:8.1} s  in all", self.started.elapsed().as_secs_f64());
    }
}

/// Where cargo builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Runs a program to its end; its output is ours.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let line = line(command);
    println!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Failure::Program { line }),
        Err(source) => Err(Failure::Start { line, source }),
    }
}

/// The command as one would type it, with a bare program name.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_a_failure_that_names_it() {
        let failure = run(&mut Command::new("false")).unwrap_err();
        assert_eq!(failure.to_string(), "`false` failed");
    }

    #[test]
    fn an_unknown_program_is_a_failure_that_names_it() {
        let failure = run(Command::new("/nowhere/at-all").arg("-x")).unwrap_err();
        assert!(
            failure
                .to_string()
                .starts_with("`at-all -x` cannot be started")
        );
    }

    #[test]
    fn a_failed_section_is_kept_in_the_summary() {
        let mut run = Run::start(PathBuf::from("."));
        let outcome = run.section("x", || Err(Failure::Untidy { findings: 1 }));
        assert!(outcome.is_err());
        assert_eq!(run.done.len(), 1);
    }
}
