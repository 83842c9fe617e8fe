//! How many messages a second become durable: `cargo run --release --example commit_rate [DIRECTORY]`.
//!
//! Tasks commit one message after the other; each waits for its receipt. Then all are settled.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for developers"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use facteur_mail::environment::Sleep;
use facteur_mail::{Clock, Timestamp};
use facteur_spool::Spool;
use facteur_spool::battery::{delivered, envelope};
use facteur_spool_local::{Config, LocalSpool};

const CELL: Duration = Duration::from_secs(3);

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp::from_millis(u64::try_from(since.unwrap_or_default().as_millis()).unwrap())
    }

    fn sleep_until(&self, _: Timestamp) -> Sleep {
        Box::pin(std::future::ready(()))
    }
}

fn main() {
    let scratch = tempfile::tempdir().unwrap();
    let parent = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = parent
        .unwrap_or_else(|| scratch.path().to_owned())
        .join("spool");
    let workers: usize = std::env::args().nth(2).map_or(2, |n| n.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap();
    let began = Instant::now();
    let (spool, report) = LocalSpool::open(Config::new(directory), Arc::new(WallClock)).unwrap();
    println!("open: {:?}, {report:?}", began.elapsed());
    for octets in [1 << 10, 10 << 10, 1 << 20] {
        for tasks in [1, 20, 100] {
            let (rate, p99) = runtime.block_on(commit(&spool, tasks, octets));
            let settled = runtime.block_on(settle_all(&spool));
            println!(
                "{octets:>8} octets, {tasks:>3} tasks: {rate:>8.0} committed/s (p99 {p99:?}), {settled:>8.0} settled/s"
            );
        }
    }
    runtime.block_on(spool.close()).unwrap();
}

async fn commit(spool: &Arc<LocalSpool>, tasks: usize, octets: usize) -> (f64, Duration) {
    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (spool, stop, count) = (Arc::clone(spool), Arc::clone(&stop), Arc::clone(&count));
            tokio::spawn(async move {
                let content = vec![b'x'; octets];
                let mut took = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let mut draft = spool.begin(WallClock.now()).unwrap();
                    content
                        .chunks(16 << 10)
                        .for_each(|chunk| draft.write(chunk).unwrap());
                    let commit = draft.commit(envelope(&["bob@example.net"]), WallClock.now());
                    commit.await.unwrap();
                    took.push(began.elapsed());
                    count.fetch_add(1, Ordering::Relaxed);
                }
                took
            })
        })
        .collect();
    tokio::time::sleep(CELL).await;
    stop.store(true, Ordering::Relaxed);
    let mut took = Vec::new();
    for task in running {
        took.append(&mut task.await.unwrap());
    }
    let elapsed = began.elapsed();
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    (per_second(count.load(Ordering::Relaxed), elapsed), p99)
}

async fn settle_all(spool: &Arc<LocalSpool>) -> f64 {
    let mut ids = Vec::new();
    spool.waiting(&mut |waiting| ids.push(waiting.id));
    let total = u64::try_from(ids.len()).unwrap();
    let began = Instant::now();
    let running: Vec<_> = ids
        .chunks(ids.len() / 100 + 1)
        .map(|ids| {
            let (spool, ids) = (Arc::clone(spool), ids.to_vec());
            tokio::spawn(async move {
                for id in ids {
                    spool.settle(id, vec![delivered(0)]).await.unwrap();
                }
            })
        })
        .collect();
    for task in running {
        task.await.unwrap();
    }
    per_second(total, began.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
