//! What the process may do: before anybody is served it opens what needs a privilege, gives up every privilege, and has
//! the kernel hold it to the paths and ports that its configuration names.
//!
//! All of it happens in the first thread, before the runtime starts others: to the kernel, capabilities, `no_new_privs` and
//! Landlock belong to a thread and pass to those it starts later.

mod folders;
mod identity;
mod inherited;
mod needs;
pub(crate) mod service;
pub(crate) mod trial;
mod walls;

use std::os::unix::fs::chown;
use std::path::Path;

use facteur_server::{Bound, ListenAddress};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::process::identity::{Account, Identity};
use crate::process::needs::Needs;
use crate::ui::{Screen, shown};
use crate::{failure, wiring};

pub(crate) use crate::process::needs::Beyond;
pub(crate) use crate::process::walls::Confinement;

/// How the process stands once it has settled.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Places that are listened on already.
    pub(crate) open: Vec<Bound>,
    /// What the kernel holds it to.
    pub(crate) confinement: Confinement,
    /// What it may do as long as it runs.
    pub(crate) limits: Limits,
}

/// What the process may do as long as it runs, whatever its configuration becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    granted: Needs,
    confinement: Confinement,
}

impl Limits {
    /// What another configuration would need beyond them.
    pub(crate) fn beyond(&self, config: &Config, file: Option<&Path>) -> Vec<Beyond> {
        match self.confinement {
            Confinement::Landlock { .. } => {
                let needs = Needs::of(config, file);
                needs.beyond(&self.granted, self.confinement.ports())
            }
            Confinement::Unsupported | Confinement::SwitchedOff => Vec::new(),
        }
    }
}

/// Opens, gives up, confines; `file` is the configuration's own.
///
/// # Errors
/// Nothing is served with more than was meant: what cannot be given up is an error.
pub(crate) fn settle(
    config: &Config,
    file: Option<&Path>,
    screen: &Screen,
) -> Result<Settled, CliError> {
    let identity = Identity::of(&config.process, screen)?;
    let places: Vec<ListenAddress> = wiring::places(config);
    let mut open = inherited::places(&places);
    if identity.gives_up_low_ports() {
        open_the_rest(&places, &mut open, screen)?;
    }
    let account = identity.account();
    let needs = Needs::of(config, file);
    folders::make_data_directory(&config.data_dir, account, screen)?;
    if config.process.confine || account.is_some() {
        folders::make_mail_folders(config, account, screen)?;
    }
    hand_over_sockets(&open, account, screen)?;
    identity.assume(screen)?;
    folders::check_mail_folders(config);
    let confinement = if config.process.confine {
        walls::raise(&needs, screen)?
    } else {
        Confinement::SwitchedOff
    };
    confinement.say();
    let limits = Limits {
        granted: needs,
        confinement,
    };
    Ok(Settled {
        open,
        confinement,
        limits,
    })
}

fn open_the_rest(
    places: &[ListenAddress],
    open: &mut Vec<Bound>,
    screen: &Screen,
) -> Result<(), CliError> {
    for place in places {
        if open.iter().all(|bound| bound.address() != place) {
            let bound = Bound::open(place).map_err(|error| {
                CliError::new(Kind::System, failure::server(&error, screen.language))
            })?;
            open.push(bound);
        }
    }
    Ok(())
}

/// Who connects to a Unix socket must be allowed to write to its file: that is its owner, and it must be the server's
/// to be replaced.
fn hand_over_sockets(
    open: &[Bound],
    account: Option<&Account>,
    screen: &Screen,
) -> Result<(), CliError> {
    let Some(account) = account else {
        return Ok(());
    };
    for bound in open {
        if let ListenAddress::Unix(path) = bound.address() {
            chown(path, Some(account.uid()), Some(account.gid())).map_err(|error| {
                let path = shown(&path.display().to_string());
                let words = shown(&error.to_string());
                let args = [("path", (&path).into()), ("words", (&words).into())];
                CliError::new(Kind::System, screen.text("process-cannot-chown", &args))
            })?;
        }
    }
    Ok(())
}
