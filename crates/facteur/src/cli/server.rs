//! How commands ask the server that runs, and what is said when it does not answer.

use std::path::Path;

use crate::args::Instance;
use crate::cli::destinations;
use crate::config::Config;
use crate::control;
use crate::control::client::{self, Unheard};
use crate::control::protocol::{Answer, Refusal, Request};
use crate::error::{CliError, Kind};
use crate::ui::{Screen, shown};

/// Asks the server of an instance, and shows each answer to `hear`.
pub(crate) fn ask(
    request: Request,
    instance: &Instance,
    screen: &mut Screen,
    mut hear: impl FnMut(Answer, &mut Screen) -> Result<(), CliError>,
) -> Result<(), CliError> {
    if ask_if_there(request, instance, screen, &mut hear)? {
        return Ok(());
    }
    let config = Config::of(instance, screen.language, screen.color)?;
    let path = control::path(&config.data_dir);
    Err(explained(&Unheard::NobodyThere, &path, screen))
}

/// As [`ask`]; false if no server runs.
pub(crate) fn ask_if_there(
    request: Request,
    instance: &Instance,
    screen: &mut Screen,
    hear: &mut impl FnMut(Answer, &mut Screen) -> Result<(), CliError>,
) -> Result<bool, CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    let path = control::path(&config.data_dir);
    let answers = match client::ask(&path, request, screen.language) {
        Ok(answers) => answers,
        Err(Unheard::NobodyThere) => return Ok(false),
        Err(unheard) => return Err(explained(&unheard, &path, screen)),
    };
    for answer in answers {
        let answer = answer.map_err(|unheard| explained(&unheard, &path, screen))?;
        hear(answer, screen)?;
    }
    Ok(true)
}

/// The error for an answer that does not belong to the request.
pub(crate) fn foreign(screen: &Screen) -> CliError {
    CliError::new(Kind::NotRunning, screen.text("control-foreign", &[]))
        .hint(screen.text("control-foreign-hint", &[]))
}

/// What is said when there is no answer.
pub(crate) fn explained(unheard: &Unheard, path: &Path, screen: &Screen) -> CliError {
    let place = shown(&path.display().to_string());
    let say = |kind, id: &str| CliError::new(kind, screen.text(id, &[("path", (&place).into())]));
    match unheard {
        Unheard::NobodyThere => say(Kind::NotRunning, "control-nobody-there")
            .hint(screen.text("control-nobody-there-hint", &[])),
        Unheard::Forbidden => {
            say(Kind::System, "control-forbidden").hint(screen.text("control-forbidden-hint", &[]))
        }
        Unheard::Refused(refusal) => refused(refusal, screen),
        Unheard::Lost => say(Kind::NotRunning, "control-lost"),
        Unheard::Silent => say(Kind::NotRunning, "control-silent"),
        Unheard::Foreign => foreign(screen),
        Unheard::System(error) => {
            let words = shown(&error.to_string());
            let args = [("path", (&place).into()), ("words", (&words).into())];
            CliError::new(Kind::System, screen.text("control-system", &args))
        }
    }
}

/// What is said of a refusal.
pub(crate) fn refused(refusal: &Refusal, screen: &Screen) -> CliError {
    let say = |kind, id: &str| CliError::new(kind, screen.text(id, &[]));
    match refusal {
        Refusal::NotYours { uid } => {
            let uid = uid.to_string();
            let text = screen.text("control-not-yours", &[("uid", (&uid).into())]);
            CliError::new(Kind::System, text).hint(screen.text("control-forbidden-hint", &[]))
        }
        Refusal::Busy => say(Kind::NotRunning, "control-busy"),
        Refusal::TooLong { limit } => {
            let text = screen.text("control-too-long", &[("limit", (*limit).into())]);
            CliError::new(Kind::Usage, text).hint(screen.text("control-too-long-hint", &[]))
        }
        Refusal::Malformed | Refusal::Unknown | Refusal::Version { .. } => foreign(screen),
        Refusal::Late | Refusal::TooMany => say(Kind::NotRunning, "control-lost"),
        Refusal::Order { fault } => destinations::not_ordered(fault, screen),
        Refusal::SpoolFailed => say(Kind::Spool, "control-spool-failed"),
        Refusal::Stopping => say(Kind::NotRunning, "control-stopping"),
    }
}
