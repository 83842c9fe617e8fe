//! What the server needs of the machine, as its configuration says: folders and ports. What is not here, the kernel
//! refuses it.
//!
//! A feature that reads, writes, listens or connects anywhere else adds it here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf, absolute};

use facteur_route::{Deliver, NextHop};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Endpoint};
use crate::process::folders::mail_folders;

/// Files of the system that are read while the server runs, as after a reload: randomness, name servers, names, users'
/// names, the time zone, certificates. The folders are those to which `/etc/resolv.conf` is a link, or which hold what the file names.
const OF_THE_SYSTEM: &[&str] = &[
    "/dev/urandom",
    "/etc/resolv.conf",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/etc/ssl",
    "/etc/pki",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
];

/// The port of DNS.
const DNS: u16 = 53;

/// A port that the system chooses: harmless, and what a connection from a given address asks for.
const ANY_PORT: u16 = 0;

/// Folders and ports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Needs {
    /// What is read, with all below it. What does not exist is not missed.
    pub(super) reads: BTreeSet<PathBuf>,
    /// Folders in which files are read, made, changed and removed.
    pub(super) writes: BTreeSet<PathBuf>,
    /// Folders in which sockets are made and removed.
    pub(super) sockets: BTreeSet<PathBuf>,
    /// TCP ports that are listened on.
    pub(super) binds: BTreeSet<u16>,
    /// TCP ports that are connected to.
    pub(super) connects: BTreeSet<u16>,
}

impl Needs {
    /// What `config` needs; `file` is where it was read from.
    pub(crate) fn of(config: &Config, file: Option<&Path>) -> Self {
        let mut needs = Self {
            binds: BTreeSet::from([ANY_PORT]),
            connects: BTreeSet::from([config.delivery.port]),
            ..Self::default()
        };
        needs.reads.extend(OF_THE_SYSTEM.iter().map(PathBuf::from));
        // The folder, as a file that an editor has replaced is another one.
        needs.reads.extend(file.map(folder_of));
        needs.writes.insert(whole(&config.data_dir));
        needs
            .writes
            .extend(mail_folders(config).iter().map(|folder| whole(folder)));
        for listener in &config.listen {
            match &listener.address {
                Endpoint::Tcp(address) => drop(needs.binds.insert(address.port())),
                Endpoint::Unix(path) => drop(needs.sockets.insert(folder_of(path))),
            }
        }
        needs
            .binds
            .extend(config.console.address.0.map(|address| address.port()));
        let webhooks = config.webhook.iter();
        needs
            .connects
            .extend(webhooks.map(|webhook| webhook.url.port()));
        needs.connect_to_name_servers(config);
        for rule in &config.route {
            needs.connect_to(&rule.next_hop);
        }
        for domain in config.domains.values() {
            match &domain.deliver {
                Deliver::Lmtp(hop) | Deliver::Relay(hop) => needs.connect_to(hop),
                Deliver::Maildir(_) => {}
            }
        }
        needs
    }

    fn connect_to_name_servers(&mut self, config: &Config) {
        if config.dns.servers.is_empty() {
            self.connects.insert(DNS);
        }
        let ports = config.dns.servers.iter().map(|server| server.0.port());
        self.connects.extend(ports);
    }

    fn connect_to(&mut self, hop: &NextHop) {
        match hop {
            NextHop::Tcp { port, .. } => drop(self.connects.insert(*port)),
            // The kernel does not ask who connects to a socket that has a name.
            NextHop::Unix(_) => {}
        }
    }
}

/// What a configuration needs and the kernel refuses, since the server confined itself when it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// To write into a folder.
    Folder(PathBuf),
    /// To make a socket in a folder.
    Socket(PathBuf),
    /// To listen on a port.
    Listen(u16),
    /// To connect to a port.
    Connect(u16),
}

impl Needs {
    /// What of `self` goes beyond what was granted; of the ports only where the kernel confines `ports`.
    pub(super) fn beyond(&self, granted: &Self, ports: bool) -> Vec<Beyond> {
        let writes = self
            .writes
            .iter()
            .filter(|path| !granted.holds(path, false));
        let sockets = self
            .sockets
            .iter()
            .filter(|path| !granted.holds(path, true));
        let mut beyond: Vec<Beyond> = writes.cloned().map(Beyond::Folder).collect();
        beyond.extend(sockets.cloned().map(Beyond::Socket));
        if ports {
            let binds = self.binds.difference(&granted.binds);
            beyond.extend(binds.copied().map(Beyond::Listen));
            let connects = self.connects.difference(&granted.connects);
            beyond.extend(connects.copied().map(Beyond::Connect));
        }
        beyond
    }

    /// Whether files, or at least sockets, can be made at a path.
    fn holds(&self, path: &Path, socket: bool) -> bool {
        let within = |folders: &BTreeSet<PathBuf>| folders.iter().any(|it| path.starts_with(it));
        within(&self.writes) || (socket && within(&self.sockets))
    }
}

fn folder_of(path: &Path) -> PathBuf {
    whole(whole(path).parent().unwrap_or(path))
}

/// The path from the root on: the working directory is not the server's to keep.
fn whole(path: &Path) -> PathBuf {
    absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(source: &str) -> Needs {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("facteur.toml");
        std::fs::write(&file, source).unwrap();
        let instance = crate::args::Instance {
            config: Some(file),
            data_dir: None,
        };
        let english = facteur_replies::Language::English;
        let config = Config::of(&instance, english, false).unwrap();
        Needs::of(&config, Some(Path::new("/etc/facteur/facteur.toml")))
    }

    #[test]
    fn a_server_needs_what_its_configuration_names() {
        let needs = needs(
            r#"
            data_dir = "/var/lib/facteur"
            [[listen]]
            address = "0.0.0.0:25"
            [[listen]]
            address = "/run/facteur/lmtp"
            role = "lmtp"
            [domains."a.test"]
            deliver = "maildir:/var/mail/{domain}/{user}"
            [domains."b.test"]
            deliver = "lmtp:10.0.0.1:2424"
            [domains."c.test"]
            deliver = "lmtp:/run/dovecot/lmtp"
            [[route]]
            match = "*"
            next_hop = "smarthost.test:587"
            [dns]
            servers = ["10.0.0.2:5353"]
            [console]
            address = "127.0.0.1:9025"
            [[webhook]]
            name = "shop"
            url = "https://shop.test:8443/x"
            secret_file = "/etc/facteur/key"
            "#,
        );
        assert!(needs.reads.contains(Path::new("/etc/facteur")));
        let writes = ["/var/lib/facteur", "/var/mail"].map(PathBuf::from);
        assert_eq!(needs.writes, BTreeSet::from(writes));
        assert_eq!(
            needs.sockets,
            BTreeSet::from([PathBuf::from("/run/facteur")])
        );
        assert_eq!(needs.binds, BTreeSet::from([0, 25, 9025]));
        assert_eq!(needs.connects, BTreeSet::from([25, 587, 2424, 5353, 8443]));
    }

    #[test]
    fn what_goes_beyond_the_start_is_named() {
        let granted = needs(
            "data_dir = \"/var/lib/facteur\"\n[domains.\"a.test\"]\ndeliver = \"maildir:/var/mail/{user}\"",
        );
        let within = needs(
            "data_dir = \"/var/lib/facteur\"\n[domains.\"a.test\"]\ndeliver = \"maildir:/var/mail/x/{user}\"",
        );
        assert_eq!(within.beyond(&granted, true), []);
        let wider = needs(
            r#"
            data_dir = "/var/lib/facteur"
            [[listen]]
            address = "0.0.0.0:26"
            [[listen]]
            address = "/run/facteur/lmtp"
            [domains."a.test"]
            deliver = "maildir:/srv/mail/{user}"
            [[route]]
            match = "*"
            next_hop = "smarthost.test:587"
            "#,
        );
        let files = [
            Beyond::Folder(PathBuf::from("/srv/mail")),
            Beyond::Socket(PathBuf::from("/run/facteur")),
        ];
        let ports = [Beyond::Listen(26), Beyond::Connect(587)];
        assert_eq!(wider.beyond(&granted, false), files);
        assert_eq!(wider.beyond(&granted, true), [&files[..], &ports].concat());
    }

    #[test]
    fn without_name_servers_the_systems_are_asked() {
        assert_eq!(needs("").connects, BTreeSet::from([25, 53]));
    }

    #[test]
    fn a_relative_folder_is_one_below_where_the_server_starts() {
        let here = std::env::current_dir().unwrap();
        assert!(needs("").writes.contains(&here.join("facteur-data")));
    }
}
