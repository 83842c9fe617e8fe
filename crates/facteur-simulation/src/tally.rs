//! What there was, counted.

use std::fmt;
use std::ops::AddAssign;

/// The counts of one seed, or of many.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Seeds that were played.
    pub seeds: u64,
    /// Simulated time, in milliseconds.
    pub millis: u64,
    /// Steps of the server: polls of its tasks, and what it did to disk and sockets.
    pub steps: u64,
    /// Messages that were acknowledged to a client.
    pub acknowledged: u64,
    /// Copies that a server or a mailbox took.
    pub taken: u64,
    /// Reports that were queued.
    pub reports: u64,
    /// Kills of the process.
    pub crashes: u64,
    /// Losses of power.
    pub power_cuts: u64,
    /// Stops in good order.
    pub stops: u64,
    /// Failures of the disk that were made.
    pub disk_faults: u64,
    /// What other servers did wrong.
    pub remote_faults: u64,
    /// Copies that arrived twice, where a crash or a lost connection lay between.
    pub twice: u64,
    /// Laws that were broken.
    pub violations: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.millis += other.millis;
        self.steps += other.steps;
        self.acknowledged += other.acknowledged;
        self.taken += other.taken;
        self.reports += other.reports;
        self.crashes += other.crashes;
        self.power_cuts += other.power_cuts;
        self.stops += other.stops;
        self.disk_faults += other.disk_faults;
        self.remote_faults += other.remote_faults;
        self.twice += other.twice;
        self.violations += other.violations;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} seeds, {} days, {} messages acknowledged, {} copies taken, {} reports, {} kills, {} power cuts, \
             {} stops, {} disk faults, {} remote faults, {} copies twice, {} violations",
            self.seeds,
            self.millis / 86_400_000,
            self.acknowledged,
            self.taken,
            self.reports,
            self.crashes,
            self.power_cuts,
            self.stops,
            self.disk_faults,
            self.remote_faults,
            self.twice,
            self.violations
        )
    }
}
