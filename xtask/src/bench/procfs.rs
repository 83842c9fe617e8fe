//! What a server costs, as the kernel counts it: CPU time and memory of all its processes.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Ticks of the kernel's clock a second, where nobody says otherwise.
const TICKS: f64 = 100.0;

/// A server's processes: the first one, and all of the session that it leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    first: u32,
}

impl Family {
    /// The family that this process is the head of.
    pub(super) const fn of(first: u32) -> Self {
        Self { first }
    }

    /// CPU seconds so far, in user and kernel mode; those of children that have ended included.
    pub(super) fn cpu(self) -> f64 {
        let ticks: u64 = self.members().map(|(_, stat)| stat.ticks).sum();
        precise(ticks) / ticks_a_second()
    }

    /// Memory in octets: what is shared among processes is shared out among them (PSS).
    pub(super) fn memory(self) -> f64 {
        let files = self
            .members()
            .filter_map(|(pid, _)| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok());
        files.map(|text| field(&text, "Pss:")).sum()
    }

    /// How many processes there are.
    pub(super) fn count(self) -> usize {
        self.members().count()
    }

    fn members(self) -> impl Iterator<Item = (u32, Stat)> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(move |entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = Stat::parse(&fs::read_to_string(entry.path().join("stat")).ok()?)?;
            (pid == self.first || stat.session == self.first).then_some((pid, stat))
        })
    }
}

/// Sets the mark of the most memory that a process had to what it has now.
pub(super) fn forget_peak(pid: u32) -> bool {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
}

/// Resident memory of one process in octets: now, and the most since the last [`forget_peak`].
pub(super) fn resident(pid: u32) -> (f64, f64) {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    (field(&text, "VmRSS:"), field(&text, "VmHWM:"))
}

/// How many files a process has open, connections among them.
pub(super) fn open_files(pid: u32) -> f64 {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count);
    precise(entries.map_or(0, |count| u64::try_from(count).unwrap_or(u64::MAX)))
}

/// A line `Name:   123 kB`, in octets.
fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|number| number.parse::<f64>().ok())
        .unwrap_or_default()
        * 1_024.0
}

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    session: u32,
    ticks: u64,
}

impl Stat {
    /// The name of the program may hold blanks and brackets; what follows the last bracket does not.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        // From the third field on: state, parent, group, session, …; 14 to 17 are the times.
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<u64>());
        Some(Self {
            session: fields.get(3)?.parse().ok()?,
            ticks: ticks.sum::<Result<u64, _>>().ok()?,
        })
    }
}

fn ticks_a_second() -> f64 {
    said(Command::new("getconf").arg("CLK_TCK"))
        .parse()
        .unwrap_or(TICKS)
}

/// The machine in a few words: cores, processor, memory, file system below `folder`, kernel, system.
pub(super) fn machine(folder: &Path) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = field(&read("/proc/meminfo"), "MemTotal:") / f64::from(1 << 30);
    let filesystem = said(
        Command::new("findmnt")
            .args(["-n", "-o", "FSTYPE", "-T"])
            .arg(folder),
    );
    let kernel = said(Command::new("uname").arg("-r"));
    let system = read("/etc/os-release");
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or("", |name| name.trim_matches('"'));
    format!("{cores} cores ({model}), {memory:.0} GiB, {filesystem}, Linux {kernel}, {system}")
}

/// What a program prints, without the line end; nothing if it cannot be asked.
pub(super) fn said(command: &mut Command) -> String {
    command.output().map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(super) fn precise(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let text = "42 (a) b (c)) S 1 42 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 5 6 7";
        let stat = Stat::parse(text);
        assert_eq!(
            stat,
            Some(Stat {
                session: 7,
                ticks: 110
            })
        );
    }

    #[test]
    fn our_own_memory_and_time_are_counted() {
        let family = Family::of(std::process::id());
        assert!(family.memory() > 100_000.0);
        assert!(family.count() >= 1);
        assert!(family.cpu() >= 0.0);
        let (now, most) = resident(std::process::id());
        assert!(now > 0.0 && most >= now / 2.0);
    }
}
