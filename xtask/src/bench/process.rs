//! Programs that the benchmark starts. Each ends with its guard, and all of them end with us, however that happens:
//! an undertaker waits at a pipe that only our end closes.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::steps::line;

/// How long a program may take to stop in order.
const GRACE: Duration = Duration::from_secs(20);

/// The pause between two looks at a program that is to end.
const PAUSE: Duration = Duration::from_millis(2);

/// Kills what is still watched when its input ends, and removes the folder of the run.
const UNDERTAKER: &str = r#"
trap '' INT TERM HUP
watched=
while read -r word pid; do
    left=
    for one in $watched; do [ "$one" = "$pid" ] || left="$left $one"; done
    watched=$left
    [ "$word" = forget ] || watched="$watched $pid"
done
for pid in $watched; do kill -s KILL -- "-$pid" "$pid"; done 2>/dev/null
sleep 0.1
rm -rf -- "$1"
"#;

/// Ends what we started when we end; removes the folder of the run.
pub(super) struct Undertaker {
    folder: PathBuf,
    child: Child,
    input: Mutex<Option<ChildStdin>>,
}

impl Undertaker {
    /// Makes the folder, which servers that become another user can walk through, and waits beside it.
    pub(super) fn hire(folder: PathBuf) -> Result<Arc<Self>, Failure> {
        fs::create_dir_all(&folder).map_err(|source| Failure::File {
            path: folder.clone(),
            source,
        })?;
        let mut command = Command::new("sh");
        command.args(["-c", UNDERTAKER, "undertaker"]).arg(&folder);
        command.stdin(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|source| Failure::Start {
            line: "sh".to_owned(),
            source,
        })?;
        let input = Mutex::new(child.stdin.take());
        Ok(Arc::new(Self {
            folder,
            child,
            input,
        }))
    }

    /// Where everything of this run lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn tell(&self, word: &str, pid: u32) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = input.as_mut()
            && writeln!(pipe, "{word} {pid}").is_err()
        {
            *input = None;
        }
    }
}

impl Drop for Undertaker {
    fn drop(&mut self) {
        drop(
            self.input
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        drop(self.child.wait());
    }
}

/// A program that runs. Dropped, it is killed with all its children.
pub(super) struct Process {
    child: Child,
    undertaker: Arc<Undertaker>,
    ended: bool,
}

/// Whose group a program is in, so that its children can be ended with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// We give it one.
    Ours,
    /// It makes itself the leader of one, and refuses to start if it is that already.
    Its,
}

impl Process {
    /// Starts a program.
    pub(super) fn start(
        undertaker: &Arc<Undertaker>,
        command: &mut Command,
        group: Group,
    ) -> Result<Self, Failure> {
        if group == Group::Ours {
            command.process_group(0);
        }
        let child = command.spawn().map_err(|source| Failure::Start {
            line: line(command),
            source,
        })?;
        undertaker.tell("watch", child.id());
        Ok(Self {
            child,
            undertaker: Arc::clone(undertaker),
            ended: false,
        })
    }

    /// The system's number of it.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it says, if its output is piped.
    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Waits until it ends by itself; false if it does not within `limit`.
    pub(super) fn wait(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !self.has_ended() {
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(PAUSE);
        }
        true
    }

    /// Asks it to stop, and kills it if it does not.
    pub(super) fn stop(mut self) {
        signal("TERM", &[self.pid().to_string()]);
        self.wait(GRACE);
    }

    fn end(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        let pid = self.pid();
        signal("KILL", &[format!("-{pid}"), pid.to_string()]);
        drop(self.child.wait());
        self.undertaker.tell("forget", pid);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whoever is gone already is no failure.
fn signal(name: &str, pids: &[String]) {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, "--"]).args(pids);
    drop(kill.stdout(Stdio::null()).stderr(Stdio::null()).status());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undertaker(name: &str) -> Arc<Undertaker> {
        let name = format!("facteur-bench-test-{name}-{}", std::process::id());
        Undertaker::hire(std::env::temp_dir().join(name)).unwrap()
    }

    fn runs(pid: u32) -> bool {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    fn a_program_ends_with_its_guard_and_the_folder_with_the_run() {
        let undertaker = undertaker("guard");
        let process =
            Process::start(&undertaker, Command::new("sleep").arg("60"), Group::Ours).unwrap();
        let (pid, folder) = (process.pid(), undertaker.folder().to_owned());
        assert!(runs(pid) && folder.is_dir());
        drop(process);
        assert!(!runs(pid));
        drop(undertaker);
        assert!(!folder.exists());
    }

    #[test]
    fn what_is_still_watched_is_killed_when_the_pipe_closes() {
        let undertaker = undertaker("pipe");
        let mut process =
            Process::start(&undertaker, Command::new("sleep").arg("60"), Group::Ours).unwrap();
        drop(undertaker.input.lock().unwrap().take());
        assert!(process.wait(Duration::from_secs(20)));
    }
}
