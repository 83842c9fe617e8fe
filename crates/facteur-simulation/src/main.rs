//! `cargo xtask simulate`: histories of the server by their seeds.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks on its standard streams"
)]

use std::process::ExitCode;
use std::time::Instant;

use facteur_simulation::{History, Violation, play, play_all};

const USAGE: &str = "usage: cargo xtask simulate [--seeds N] [--from SEED]
       cargo xtask simulate --seed SEED [--verbose]

  Plays N histories of the whole server, 10,000 unless it is said, from SEED on: each with its own mail, crashes,
  losses of power and faults. A seed always makes the same history. --seed plays one, and --verbose tells it.
";

/// How many histories a night has.
const SEEDS: u64 = 10_000;

/// After how many histories there is a line of progress.
const PROGRESS: u64 = 1_000;

/// How many lines of a message's story are shown.
const STORY: usize = 40;

/// Of how many violations the story is told.
const TOLD: usize = 3;

struct Options {
    from: u64,
    seeds: u64,
    one: Option<u64>,
    verbose: bool,
}

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let held = match options.one {
        Some(seed) => one(seed, options.verbose),
        None => many(&options),
    };
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        from: 0,
        seeds: SEEDS,
        one: None,
        verbose: false,
    };
    while let Some(word) = words.next() {
        let mut number = || words.next()?.parse().ok();
        match word.as_str() {
            "--seeds" => options.seeds = number()?,
            "--from" => options.from = number()?,
            "--seed" => options.one = Some(number()?),
            "--verbose" => options.verbose = true,
            _ => return None,
        }
    }
    Some(options)
}

/// One history, told if that is asked for; whether all laws held.
fn one(seed: u64, verbose: bool) -> bool {
    let history = play(seed, verbose);
    for line in &history.lines {
        println!("{line}");
    }
    for violation in &history.violations {
        println!("{violation}");
    }
    println!("trace {:016x}", history.trace);
    println!("{}", history.tally);
    history.violations.is_empty()
}

/// Many histories; whether all laws held.
fn many(options: &Options) -> bool {
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let seeds = options.from..options.from.saturating_add(options.seeds);
    let (tally, violations) = play_all(seeds, threads, |done, so_far| {
        if done % PROGRESS == 0 {
            println!("{:6.0} s  {so_far}", began.elapsed().as_secs_f64());
        }
    });
    let mut seeds: Vec<u64> = violations.iter().map(|violation| violation.seed).collect();
    seeds.dedup();
    for violation in &violations {
        println!("{violation}");
    }
    for seed in seeds.iter().take(TOLD) {
        let first = violations.iter().find(|violation| violation.seed == *seed);
        if let Some(first) = first {
            tell(first);
        }
    }
    println!("{tally}");
    violations.is_empty()
}

/// The story of the message that a violation is about. The history is played once more: it is the same.
fn tell(violation: &Violation) {
    let History { lines, .. } = play(violation.seed, true);
    println!("\n{violation}");
    let until = lines.iter().position(|line| line.contains("VIOLATION"));
    let before = lines.get(..=until.unwrap_or_default()).unwrap_or_default();
    let concerns = |line: &&String| {
        let about = violation
            .about
            .iter()
            .any(|word| line.contains(word.as_str()));
        about
            || ["!!", "weather: ", "the server "]
                .iter()
                .any(|mark| line.contains(mark))
    };
    let story: Vec<&String> = before.iter().filter(concerns).collect();
    for line in story.iter().skip(story.len().saturating_sub(STORY)) {
        println!("  {line}");
    }
    println!(
        "replay: cargo xtask simulate --seed {} --verbose\n",
        violation.seed
    );
}
