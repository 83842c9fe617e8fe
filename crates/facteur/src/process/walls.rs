//! Landlock: the kernel refuses whatever is not among the [`Needs`], whoever asks for it in this process. No file can be
//! executed at all, so that no program is ever started.
//!
//! Each part is taken where the kernel has it: files since Linux 5.13, ports since 6.7, signals and abstract sockets since
//! 6.12.

use std::fmt;
use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus,
    NetPort, PathBeneath, PathFd, PathFdError, Ruleset, RulesetAttr as _, RulesetCreated,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, make_bitflags,
};

use serde::{Deserialize, Serialize};

use crate::error::{CliError, Kind};
use crate::process::needs::Needs;
use crate::ui::{Screen, shown};

/// The newest version whose rights we refuse. A newer kernel knows more, which nobody here has tried.
const NEWEST: ABI = ABI::V7;

/// What the kernel holds the process to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(crate) enum Confinement {
    /// To the folders and ports of its configuration, as far as this version of Landlock goes.
    Landlock {
        /// The version.
        version: u32,
    },
    /// To nothing: it has no Landlock, or not for us.
    Unsupported,
    /// To nothing, as the configuration wants it.
    SwitchedOff,
}

impl Confinement {
    /// Whether ports are confined as well as files.
    pub(crate) const fn ports(self) -> bool {
        matches!(self, Self::Landlock { version: 4.. })
    }

    /// Whether signals and abstract sockets are confined as well.
    const fn signals(self) -> bool {
        matches!(self, Self::Landlock { version: 6.. })
    }

    /// Says it in the log.
    pub(super) fn say(self) {
        match self {
            Self::Landlock { version } => tracing::info!(
                landlock = version,
                ports = self.ports(),
                signals = self.signals(),
                "confined to the folders and ports of the configuration"
            ),
            Self::Unsupported => tracing::warn!(
                "not confined: this kernel has no Landlock, or it is switched off (lsm=)"
            ),
            Self::SwitchedOff => tracing::warn!("not confined: [process] confine is false"),
        }
    }
}

/// Why there are no walls.
#[derive(Debug)]
pub(super) enum Unconfined {
    /// A folder that is needed cannot be opened.
    Folder(PathBuf, PathFdError),
    /// The kernel failed.
    Kernel(RulesetError),
}

impl fmt::Display for Unconfined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Kernel(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unconfined {}

/// Confines this thread and those it starts. There is no way back.
///
/// # Errors
/// A folder that is needed is not there, or the kernel fails.
pub(super) fn raise(needs: &Needs, screen: &Screen) -> Result<Confinement, CliError> {
    confine(needs).map_err(|unconfined| match unconfined {
        Unconfined::Folder(path, error) => {
            let path = shown(&path.display().to_string());
            let words = shown(&error.to_string());
            let args = [("path", (&path).into()), ("words", (&words).into())];
            CliError::new(Kind::System, screen.text("process-cannot-read", &args))
        }
        Unconfined::Kernel(error) => {
            let words = shown(&error.to_string());
            let args = [("words", (&words).into())];
            CliError::new(Kind::System, screen.text("process-cannot-confine", &args))
                .hint(screen.text("process-cannot-confine-hint", &[]))
        }
    })
}

/// As [`raise`], without words.
pub(super) fn confine(needs: &Needs) -> Result<Confinement, Unconfined> {
    let mut folders = Vec::new();
    for (paths, rights) in [(&needs.writes, owned()), (&needs.sockets, for_sockets())] {
        for path in paths {
            let open =
                PathFd::new(path).map_err(|error| Unconfined::Folder(path.clone(), error))?;
            folders.push((open, rights));
        }
    }
    for path in &needs.reads {
        let Ok(open) = PathFd::new(path) else {
            continue;
        };
        let rights = if path.is_dir() {
            AccessFs::ReadFile | AccessFs::ReadDir
        } else {
            AccessFs::ReadFile.into()
        };
        folders.push((open, rights));
    }
    restrict(folders, needs).map_err(Unconfined::Kernel)
}

/// In folders of ours: all but to execute, and to make devices, pipes and links.
fn owned() -> BitFlags<AccessFs> {
    make_bitflags!(AccessFs::{
        ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | MakeSock | RemoveFile | RemoveDir | Refer
    })
}

/// In the folders of sockets.
fn for_sockets() -> BitFlags<AccessFs> {
    make_bitflags!(AccessFs::{ReadDir | MakeSock | RemoveFile})
}

fn restrict(
    folders: Vec<(PathFd, BitFlags<AccessFs>)>,
    needs: &Needs,
) -> Result<Confinement, RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let rules = folders
        .into_iter()
        .try_fold(rules, |rules, (open, rights)| {
            rules.add_rule(PathBeneath::new(open, rights))
        })?;
    let rules = ports(rules, needs)?;
    let status = rules.restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (
            RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
            LandlockStatus::Available { effective_abi, .. },
        ) => Confinement::Landlock {
            version: (effective_abi as u32).min(NEWEST as u32),
        },
        (
            _,
            LandlockStatus::Available { .. }
            | LandlockStatus::NotEnabled
            | LandlockStatus::NotImplemented,
        ) => Confinement::Unsupported,
    })
}

fn ports(mut rules: RulesetCreated, needs: &Needs) -> Result<RulesetCreated, RulesetError> {
    for port in &needs.binds {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    for port in &needs.connects {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(rules)
}
