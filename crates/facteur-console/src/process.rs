//! What the system says of this process, by the names that every Prometheus dashboard knows. Linux alone says it.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The size of a page of memory, in octets: Linux counts `statm` in pages.
const PAGE: i64 = 4_096;

/// Levels of the process.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    resident: Gauge,
    descriptors: Gauge,
    threads: Gauge,
}

impl Gauges {
    /// Makes them known.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "process_resident_memory_bytes",
            "Memory of the process that is in use",
            self.resident.clone(),
        );
        registry.register(
            "process_open_fds",
            "Descriptors in use",
            self.descriptors.clone(),
        );
        registry.register("process_threads", "Threads", self.threads.clone());
    }

    /// Brings them up to date.
    pub(crate) fn update(&self) {
        if let Some(pages) = field("/proc/self/statm", 1) {
            self.resident.set(pages.saturating_mul(PAGE));
        }
        if let Some(threads) = field("/proc/self/stat", 19) {
            self.threads.set(threads);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            self.descriptors
                .set(i64::try_from(open.count()).unwrap_or(i64::MAX));
        }
    }
}

/// A number in a file of words.
fn field(path: &str, place: usize) -> Option<i64> {
    let text = std::fs::read_to_string(path).ok()?;
    text.split_ascii_whitespace().nth(place)?.parse().ok()
}
