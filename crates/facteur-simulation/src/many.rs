//! Many histories, side by side.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::laws::Violation;
use crate::play;
use crate::tally::Tally;
use crate::world::lock;

/// Plays every seed of a range in so many threads, each history in one. `progress` hears of each that has ended: how many
/// have, and what there was in all.
pub fn play_all(
    seeds: Range<u64>,
    threads: usize,
    progress: impl Fn(u64, &Tally) + Sync,
) -> (Tally, Vec<Violation>) {
    let next = AtomicU64::new(seeds.start);
    let all: Mutex<(Tally, Vec<Violation>)> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let history = play(seed, false);
                    let mut all = lock(&all);
                    all.0 += history.tally;
                    all.1.extend(history.violations);
                    progress(all.0.seeds, &all.0);
                }
            });
        }
    });
    let (tally, mut violations) = all.into_inner().unwrap_or_default();
    violations.sort_by_key(|violation| (violation.seed, violation.step));
    (tally, violations)
}
