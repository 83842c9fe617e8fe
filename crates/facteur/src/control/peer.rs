//! Who is at the other end of the socket: the kernel says.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use tokio::net::UnixStream;

use super::protocol::Refusal;

/// The most octets of the system's list of users that are read.
const MAX_PASSWD: u64 = 1 << 20;

/// Root's user id.
const ROOT: u32 = 0;

/// Whoever asks, for the log and the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The user.
    pub(crate) uid: u32,
    /// The user's name, if the system's list of users has it.
    pub(crate) name: Option<String>,
}

impl Peer {
    /// The user at the other end.
    pub(super) fn of(stream: &UnixStream) -> io::Result<Self> {
        stream.peer_cred().map(|peer| Self::user(peer.uid()))
    }

    /// The user as whom this process runs.
    pub(crate) fn ourselves() -> Self {
        Self::user(rustix::process::geteuid().as_raw())
    }

    fn user(uid: u32) -> Self {
        let listed = || passwd().and_then(|passwd| name_of(uid, &passwd));
        // A confined server cannot read the list; that name is the same everywhere.
        let name = if uid == ROOT {
            Some("root".to_owned())
        } else {
            listed()
        };
        Self { uid, name }
    }

    /// Root may ask, and the user as whom the server runs.
    pub(super) fn may_ask(&self) -> Result<(), Refusal> {
        if self.uid == ROOT || self.uid == rustix::process::geteuid().as_raw() {
            Ok(())
        } else {
            Err(Refusal::NotYours { uid: self.uid })
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.uid),
        }
    }
}

/// The system's own list of users. Services that know more of them may wait for a network; we do not.
fn passwd() -> Option<String> {
    let mut text = String::new();
    let file = File::open("/etc/passwd").ok()?;
    file.take(MAX_PASSWD).read_to_string(&mut text).ok()?;
    Some(text)
}

fn name_of(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_of_the_systems_list_or_none() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n# odd\n\nmail:x:8:8::/var/mail:\n";
        assert_eq!(name_of(8, passwd).as_deref(), Some("mail"));
        assert_eq!(name_of(0, passwd).as_deref(), Some("root"));
        assert_eq!(name_of(9, passwd), None);
    }

    #[test]
    fn root_and_the_servers_user_may_ask_and_nobody_else() {
        let own = rustix::process::geteuid().as_raw();
        let user = |uid| Peer { uid, name: None };
        assert_eq!(user(0).may_ask(), Ok(()));
        assert_eq!(user(own).may_ask(), Ok(()));
        let uid = own + 1;
        assert_eq!(user(uid).may_ask(), Err(Refusal::NotYours { uid }));
    }
}
