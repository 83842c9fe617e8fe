//! How many flushes an acknowledged message costs, and that each 250 comes after one: by `strace`, in runs of their own
//! whose speed means nothing.

use std::fs;

use crate::bench::house::Server;
use crate::bench::lab::{Lab, Load};
use crate::bench::topics::Findings;
use crate::bench::topics::reception::held;
use crate::failure::Failure;

/// The calls that flush.
const FLUSHES: [&str; 4] = ["fdatasync", "fsync", "sync_file_range", "msync"];

/// The calls that write to a client.
const WRITES: [&str; 5] = ["write", "writev", "sendto", "sendmsg", "pwrite64"];

pub(super) fn measure(lab: &Lab, found: &mut Findings) -> Result<(), Failure> {
    let messages = lab.or_quick(5_000, 500);
    for server in [Server::Facteur, Server::Postfix] {
        for (case, sessions) in [("10KiB-1", 1), ("10KiB-20", 20), ("10KiB-100", 100)] {
            let messages = if sessions == 1 {
                messages / 10
            } else {
                messages
            };
            let trace = traced(lab, server, &FLUSHES, sessions, messages)?;
            let flushes = trace.lines().filter(|line| completes(line)).count();
            let flushes = u32::try_from(flushes).unwrap_or(u32::MAX);
            let each = f64::from(flushes) / f64::from(messages);
            found.put(case, server, "flushes", 1, each);
        }
        let calls: Vec<&str> = FLUSHES.iter().chain(&WRITES).copied().collect();
        let trace = traced(lab, server, &calls, 1, ORDERED)?;
        let (acknowledged, flushed) = order(&trace);
        found.put("order", server, "acknowledged", 1, f64::from(acknowledged));
        found.put("order", server, "flushed before", 1, f64::from(flushed));
    }
    Ok(())
}

/// How many messages are looked at one by one.
const ORDERED: u32 = 20;

/// What a server calls while it takes so many messages of 10 KiB.
fn traced(
    lab: &Lab,
    server: Server,
    calls: &[&str],
    sessions: u32,
    messages: u32,
) -> Result<String, Failure> {
    let house = held(lab, server)?;
    let path = house.folder.join("strace.log");
    let words = [
        "strace",
        "-D",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-s",
        "16",
        "-e",
        &format!("trace={}", calls.join(",")),
        "-o",
        &path.display().to_string(),
    ];
    let running = house.launch_under(&words.map(str::to_owned))?;
    let read = || {
        fs::read_to_string(&path).map_err(|source| Failure::File {
            path: path.clone(),
            source,
        })
    };
    let before = read()?.len();
    lab.send(Load {
        port: house.port,
        sessions,
        messages,
        octets: 10_240,
    })?;
    running.stop();
    let all = read()?;
    // What the start cost is not the messages' fault.
    Ok(all.get(before..).unwrap_or_default().to_owned())
}

/// Whether a line says that a flush has come to its end, well.
fn completes(line: &str) -> bool {
    let flush = FLUSHES.iter().any(|call| {
        line.contains(&format!("{call}(")) || line.contains(&format!("<... {call} resumed>"))
    });
    flush && line.trim_end().ends_with("= 0")
}

/// How many messages were acknowledged, one after the other, and how many of these after a flush that had begun
/// since their 354.
fn order(trace: &str) -> (u32, u32) {
    let (mut acknowledged, mut flushed, mut since) = (0, 0, None);
    for line in trace.lines() {
        let writes = WRITES.iter().any(|call| line.contains(&format!("{call}(")));
        if writes && line.contains("\"354 ") {
            since = Some(false);
        } else if completes(line) {
            since = since.map(|_| true);
        } else if writes
            && line.contains("\"250 2.0.0 ")
            && let Some(durable) = since.take()
        {
            acknowledged += 1;
            flushed += u32::from(durable);
        }
    }
    (acknowledged, flushed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_counts_when_it_has_ended_well() {
        assert!(completes("7 fdatasync(5)      = 0"));
        assert!(completes("7 <... fsync resumed>)   = 0"));
        assert!(!completes("7 fsync(5 <unfinished ...>"));
        assert!(!completes("7 fsync(5) = -1 EIO (Input/output error)"));
        assert!(!completes("7 write(5, \"x\", 1) = 0"));
    }

    #[test]
    fn a_250_must_follow_a_flush_of_its_message() {
        let good = "1 sendto(9, \"354 End data with\"..., 37) = 37\n2 fsync(4 <unfinished ...>\n\
            2 <... fsync resumed>) = 0\n1 write(9, \"250 2.0.0 Ok: que\"..., 38) = 38\n";
        assert_eq!(order(good), (1, 1));
        let late = "1 write(9, \"354 go on\", 9) = 9\n1 write(9, \"250 2.0.0 message\"..., 38) = 38\n\
            1 fdatasync(4) = 0\n";
        assert_eq!(order(late), (1, 0));
        assert_eq!(order(&format!("{good}{late}")), (2, 1));
    }
}
