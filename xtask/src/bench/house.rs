//! A server of a measurement's own: its folder, its configuration, and the program while it runs.
//!
//! Both are configured to do the same work: no DNS, no checks of the client, a log line for each message into a file. Postfix
//! gets what its documentation advises for speed: more processes, no throttle, no reverse lookups.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::bench::lab::Lab;
use crate::bench::process::{Group, Process};
use crate::bench::procfs::Family;
use crate::bench::smtp::{free_port, wait_for_banner};
use crate::failure::Failure;

/// How long a server may take to greet, a million messages in its queue.
const START_LIMIT: Duration = Duration::from_secs(240);

/// The user and the group of the unpacked Postfix, as `interop/etc` names them.
const POSTFIX_USER: u32 = 31_001;
const POSTDROP_GROUP: u32 = 31_003;

/// The folders of Postfix's queue.
const QUEUE_FOLDERS: [&str; 14] = [
    "pid", "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming",
    "private", "saved", "trace", "maildrop", "public",
];

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Server {
    Facteur,
    Postfix,
}

impl Server {
    /// Its name in the data.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Facteur => "facteur",
            Self::Postfix => "postfix",
        }
    }

    /// The server of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Facteur, Self::Postfix]
            .into_iter()
            .find(|server| server.name() == name)
    }

    /// Both, in the order of this round: A B, then B A.
    pub(super) const fn in_turn(round: u32) -> [Self; 2] {
        if round % 2 == 1 {
            [Self::Postfix, Self::Facteur]
        } else {
            [Self::Facteur, Self::Postfix]
        }
    }
}

/// Where accepted mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nowhere: Postfix holds it; Facteur waits for the greeting of a next server that says nothing, and nothing is
    /// tried meanwhile.
    Held,
    /// To this port of 127.0.0.1.
    Port(u16),
    /// As the additions say.
    Other,
}

/// What a server is like.
pub(super) struct Plan<'a> {
    pub(super) server: Server,
    pub(super) next: Next,
    /// More configuration: TOML for Facteur, `main.cf` for Postfix.
    pub(super) more: &'a str,
}

/// Facteur's limits where one client sends everything: as many messages in a session as it likes, and large ones.
pub(super) const ONE_CLIENT: &str =
    "[limits]\nmessages_per_session = 999999\nmessage_size = \"64 MiB\"\n";

/// Postfix with more processes than it would have.
pub(super) const MANY_PROCESSES: &str = "default_process_limit = 600\nin_flow_delay = 0\n";

/// A server's folder and configuration. Dropped, the folder is removed.
pub(super) struct House<'a> {
    lab: &'a Lab,
    server: Server,
    pub(super) port: u16,
    pub(super) folder: PathBuf,
    /// The next server that says nothing.
    _silent: Option<TcpListener>,
}

/// A server that runs.
pub(super) struct Running {
    process: Process,
    /// From the start of the program to its first banner.
    pub(super) greeted_after: Duration,
}

impl Running {
    /// The server's first process.
    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// All its processes.
    pub(super) fn family(&self) -> Family {
        Family::of(self.process.pid())
    }

    /// Stops it in order; returns how long that took.
    pub(super) fn stop(self) -> Duration {
        let began = Instant::now();
        self.process.stop();
        began.elapsed()
    }
}

impl<'a> House<'a> {
    /// Prepares a server that does not run yet.
    pub(super) fn build(lab: &'a Lab, plan: &Plan<'_>) -> Result<Self, Failure> {
        static HOUSES: AtomicU32 = AtomicU32::new(0);
        let number = HOUSES.fetch_add(1, Ordering::Relaxed);
        let folder = lab
            .folder()
            .join(format!("{}-{number}", plan.server.name()));
        let failed = |source| Failure::File {
            path: folder.clone(),
            source,
        };
        let silent = match plan.next {
            Next::Held => Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?),
            Next::Port(_) | Next::Other => None,
        };
        let next = match (&silent, plan.next) {
            (Some(silent), _) => Some(silent.local_addr().map_err(failed)?.port()),
            (None, Next::Port(port)) => Some(port),
            (None, Next::Held | Next::Other) => None,
        };
        let port = free_port().map_err(failed)?;
        fs::create_dir(&folder).map_err(failed)?;
        match plan.server {
            Server::Facteur => free_port()
                .and_then(|console| furnish_facteur(&folder, [port, console], next, plan.more)),
            Server::Postfix => {
                let hold = plan.next == Next::Held;
                furnish_postfix(
                    lab,
                    &folder,
                    port,
                    if hold { None } else { next },
                    hold,
                    plan.more,
                )
            }
        }
        .map_err(failed)?;
        Ok(Self {
            lab,
            server: plan.server,
            port,
            folder: folder.clone(),
            _silent: silent,
        })
    }

    /// Starts it and waits for its banner.
    pub(super) fn launch(&self) -> Result<Running, Failure> {
        self.launch_under(&[])
    }

    /// Starts it behind the words of another program, which becomes it.
    pub(super) fn launch_under(&self, words: &[String]) -> Result<Running, Failure> {
        let (program, arguments) = match self.server {
            Server::Facteur => (
                self.lab.facteur(),
                [
                    "serve".into(),
                    "--config".into(),
                    self.folder.join("facteur.toml"),
                ]
                .to_vec(),
            ),
            Server::Postfix => (
                self.lab.postfix("usr/lib/postfix/sbin/master"),
                ["-c".into(), self.folder.join("etc")].to_vec(),
            ),
        };
        let mut command = match words {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        command.args(arguments).stdin(Stdio::null());
        let log = File::create(self.folder.join("stderr.log"))
            .and_then(|log| Ok((log.try_clone()?, log)));
        let (out, err) = log.map_err(|source| Failure::File {
            path: self.folder.clone(),
            source,
        })?;
        command.stdout(out).stderr(err);
        if self.server == Server::Postfix {
            self.with_libraries(&mut command);
        }
        let group = match self.server {
            Server::Facteur => Group::Ours,
            Server::Postfix => Group::Its,
        };
        let began = Instant::now();
        let process = Process::start(&self.lab.undertaker, &mut command, group)?;
        wait_for_banner(self.port, START_LIMIT)?;
        Ok(Running {
            process,
            greeted_after: began.elapsed(),
        })
    }

    /// The unpacked Postfix finds its own libraries, and users that this machine does not have.
    fn with_libraries(&self, command: &mut Command) {
        let wrapper = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
            .map(|triple| {
                self.lab
                    .postfix(&format!("usr/lib/{triple}/libnss_wrapper.so"))
            })
            .into_iter()
            .find(|path| path.exists());
        let folder = wrapper.as_deref().and_then(Path::parent);
        let libraries = format!(
            "{}:{}",
            self.lab.postfix("usr/lib/postfix").display(),
            folder.map_or_else(String::new, |folder| folder.display().to_string())
        );
        command
            .env("LD_LIBRARY_PATH", libraries)
            .env("LD_PRELOAD", wrapper.unwrap_or_default())
            .env("NSS_WRAPPER_PASSWD", self.folder.join("passwd"))
            .env("NSS_WRAPPER_GROUP", self.folder.join("group"));
    }
}

impl Drop for House<'_> {
    fn drop(&mut self) {
        // The undertaker removes what is left.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn furnish_facteur(
    folder: &Path,
    [port, console]: [u16; 2],
    next: Option<u16>,
    more: &str,
) -> io::Result<()> {
    let mut config = format!(
        "hostname = \"facteur.test\"\ndata_dir = \"{}\"\n\n[[listen]]\naddress = \"127.0.0.1:{port}\"\nrole = \"mx\"\n\n\
         [console]\naddress = \"127.0.0.1:{console}\"\n\n",
        folder.join("data").display()
    );
    if let Some(next) = next {
        let route =
            format!("[[route]]\nmatch = \"sink.test\"\nnext_hop = \"127.0.0.1:{next}\"\n\n");
        config.push_str(&route);
    }
    config.push_str(more);
    fs::write(folder.join("facteur.toml"), config)
}

fn furnish_postfix(
    lab: &Lab,
    folder: &Path,
    port: u16,
    next: Option<u16>,
    hold: bool,
    more: &str,
) -> io::Result<()> {
    for name in ["etc", "queue", "data"] {
        fs::create_dir(folder.join(name))?;
    }
    let user = Some(POSTFIX_USER);
    chown(folder.join("data"), user, user)?;
    for name in QUEUE_FOLDERS {
        let path = folder.join("queue").join(name);
        fs::create_dir(&path)?;
        let (group, mode) = match name {
            "maildrop" => (Some(POSTDROP_GROUP), 0o730),
            "public" => (Some(POSTDROP_GROUP), 0o710),
            "pid" => (None, 0o755),
            _ => (None, 0o700),
        };
        chown(&path, user.filter(|_| name != "pid"), group)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    let etc = [
        ("passwd", include_str!("../../../interop/etc/passwd")),
        ("group", include_str!("../../../interop/etc/group")),
    ];
    for (name, text) in etc {
        fs::write(folder.join(name), text)?;
    }
    let master = include_str!("../../../interop/etc/postfix-master.cf");
    fs::write(
        folder.join("etc/master.cf"),
        master.replace("@PORT@", &port.to_string()),
    )?;
    let mut main = MAIN_CF
        .replace("@FOLDER@", &folder.display().to_string())
        .replace("@POSTFIX@", &lab.postfix("usr").display().to_string());
    if let Some(next) = next {
        // A string takes whatever is written to it.
        main.push_str(&format!("relayhost = [127.0.0.1]:{next}\n"));
    }
    if hold {
        main.push_str("smtpd_client_restrictions = check_client_access static:HOLD\n");
    }
    main.push_str(more);
    fs::write(folder.join("etc/main.cf"), main)
}

const MAIN_CF: &str = "compatibility_level = 3.6
queue_directory = @FOLDER@/queue
data_directory = @FOLDER@/data
daemon_directory = @POSTFIX@/lib/postfix/sbin
command_directory = @POSTFIX@/sbin
shlib_directory = @POSTFIX@/lib/postfix
meta_directory = @FOLDER@/etc
maillog_file = @FOLDER@/postfix.log
maillog_file_prefixes = @FOLDER@
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
myhostname = postfix.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
message_size_limit = 100000000
";
