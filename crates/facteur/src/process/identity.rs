//! Who the process is: it takes the user that the configuration names, for good, and keeps no privilege.

use caps::{CapSet, Capability, CapsHashSet};
use nix::unistd::{Gid, Group, Uid, User, getresgid, getresuid, setgroups, setresgid, setresuid};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::config::ProcessKeys;
use crate::error::{CliError, Kind};
use crate::ui::{Screen, shown};

/// What root keeps when no user is named: to write into Maildirs that belong to others, and to listen below port 1024
/// after a reload.
const KEPT_BY_ROOT: [Capability; 4] = [
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_FOWNER,
    Capability::CAP_NET_BIND_SERVICE,
];

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// Its name, for messages.
    pub(super) fn name(&self) -> String {
        shown(&self.name)
    }

    /// The user's number.
    pub(super) const fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// The number of its group.
    pub(super) const fn gid(&self) -> u32 {
        self.gid.as_raw()
    }
}

/// Who the process is, and who it becomes.
#[derive(Debug)]
pub(super) enum Identity {
    /// Root, who becomes this user.
    Becomes(Account),
    /// Root, and nobody has said whom to become.
    StaysRoot,
    /// A user already.
    Remains,
}

impl Identity {
    /// Who it is to be.
    ///
    /// # Errors
    /// The user does not exist, or cannot be taken from where the process starts.
    pub(super) fn of(keys: &ProcessKeys, screen: &Screen) -> Result<Self, CliError> {
        let we = Uid::effective();
        if let (None, Some(group)) = (&keys.user, &keys.group) {
            let name = shown(&group.0);
            let args = [("name", (&name).into())];
            let error = screen.text("process-group-alone", &args);
            return Err(CliError::new(Kind::Config, error)
                .hint(screen.text("process-group-alone-hint", &args)));
        }
        let wanted = keys
            .user
            .as_ref()
            .map(|user| {
                account(
                    &user.0,
                    keys.group.as_ref().map(|group| group.0.as_str()),
                    screen,
                )
            })
            .transpose()?;
        match wanted {
            Some(account) if we.is_root() && !account.uid.is_root() => Ok(Self::Becomes(account)),
            Some(account) if account.uid != we => {
                let name = account.name();
                let we = we.to_string();
                let args = [("user", (&name).into()), ("uid", (&we).into())];
                let error = CliError::new(Kind::System, screen.text("process-not-root", &args));
                Err(error.hint(screen.text("process-not-root-hint", &args)))
            }
            Some(_) | None if we.is_root() => Ok(Self::StaysRoot),
            Some(_) | None => Ok(Self::Remains),
        }
    }

    /// Whom files must be given to that this process makes before it becomes somebody else.
    pub(super) const fn account(&self) -> Option<&Account> {
        match self {
            Self::Becomes(account) => Some(account),
            Self::StaysRoot | Self::Remains => None,
        }
    }

    /// Whether ports below 1024 can be opened now and never again.
    pub(super) fn gives_up_low_ports(&self) -> bool {
        match self {
            Self::Becomes(_) => true,
            Self::StaysRoot => false,
            Self::Remains => {
                caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_BIND_SERVICE)
                    .unwrap_or(false)
            }
        }
    }

    /// Takes the identity and gives up the rest, for this thread and those that it starts. There is no way back.
    ///
    /// # Errors
    /// Something could not be given up: then nobody may be served.
    pub(super) fn assume(&self, screen: &Screen) -> Result<(), CliError> {
        let failed = |words: String| {
            let words = shown(&words);
            let args = [("words", (&words).into())];
            CliError::new(Kind::System, screen.text("process-cannot-drop", &args))
                .hint(screen.text("process-cannot-drop-hint", &[]))
        };
        match self {
            Self::Becomes(account) => become_user(account).map_err(failed)?,
            Self::StaysRoot => {
                keep(&CapsHashSet::from(KEPT_BY_ROOT))
                    .map_err(|error| failed(error.to_string()))?;
                tracing::warn!(
                    "the server runs as root: name a user in [process] user, whom it becomes once it listens"
                );
            }
            Self::Remains => {
                keep(&CapsHashSet::new()).map_err(|error| failed(error.to_string()))?;
            }
        }
        rustix::thread::set_no_new_privs(true).map_err(|error| failed(error.to_string()))?;
        forbid_core_dumps().map_err(|error| failed(error.to_string()))
    }
}

/// All three numbers of user and group, no other group, no capability; checked afterwards.
fn become_user(account: &Account) -> Result<(), String> {
    let words = |error: nix::Error| error.to_string();
    empty_bounding_set();
    setgroups(&[]).map_err(words)?;
    setresgid(account.gid, account.gid, account.gid).map_err(words)?;
    setresuid(account.uid, account.uid, account.uid).map_err(words)?;
    keep(&CapsHashSet::new()).map_err(|error| error.to_string())?;
    let users = getresuid().map_err(words)?;
    let groups = getresgid().map_err(words)?;
    let all = [users.real, users.effective, users.saved]
        .iter()
        .all(|uid| *uid == account.uid)
        && [groups.real, groups.effective, groups.saved]
            .iter()
            .all(|gid| *gid == account.gid);
    let back = setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok();
    if !all || back {
        return Err(format!("{users:?}, {groups:?}"));
    }
    tracing::info!(user = %account.name(), uid = account.uid(), gid = account.gid(), "root is given up");
    Ok(())
}

/// What a program could get back by being started. Nothing depends on it, as none is: where root may not do this, as in
/// some containers, it stays.
fn empty_bounding_set() {
    for capability in caps::all() {
        if caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false) {
            drop(caps::drop(None, CapSet::Bounding, capability));
        }
    }
}

/// Keeps of the capabilities there are only these. What is not there is not asked to go: a service manager may forbid
/// to ask.
fn keep(wanted: &CapsHashSet) -> Result<(), caps::errors::CapsError> {
    // In this order: what is in effect must be permitted. What can be passed on goes by itself.
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        let held = caps::read(None, set)?;
        let kept: CapsHashSet = match set {
            CapSet::Inheritable | CapSet::Ambient | CapSet::Bounding => CapsHashSet::new(),
            CapSet::Effective | CapSet::Permitted => held.intersection(wanted).copied().collect(),
        };
        if kept != held {
            caps::set(None, set, &kept)?;
        }
    }
    Ok(())
}

/// Mail and secrets are in this memory: nobody gets to see it, neither in a file nor by tracing the process.
fn forbid_core_dumps() -> rustix::io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

fn account(user: &str, group: Option<&str>, screen: &Screen) -> Result<Account, CliError> {
    let unknown = |id: &str, name: &str| {
        let name = shown(name);
        let args = [("name", (&name).into())];
        let error = CliError::new(Kind::Config, screen.text(id, &args));
        error.hint(screen.text(&format!("{id}-hint"), &args))
    };
    let number = |text: &str| text.parse::<u32>().ok();
    let found = match number(user) {
        Some(uid) => User::from_uid(Uid::from_raw(uid)),
        None => User::from_name(user),
    };
    let found = found.ok().flatten();
    let gid = match group.map(|name| (name, number(name))) {
        Some((_, Some(gid))) => Gid::from_raw(gid),
        Some((name, None)) => {
            let found = Group::from_name(name).ok().flatten();
            found.ok_or_else(|| unknown("process-no-group", name))?.gid
        }
        None => {
            let found = found.as_ref();
            found.ok_or_else(|| unknown("process-no-user", user))?.gid
        }
    };
    // A number needs no entry in the list of users, once its group is known: containers have none.
    let uid = found
        .map(|user| user.uid)
        .or_else(|| number(user).map(Uid::from_raw))
        .ok_or_else(|| unknown("process-no-user", user))?;
    Ok(Account {
        name: user.to_owned(),
        uid,
        gid,
    })
}
