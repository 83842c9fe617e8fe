//! `facteur status`: how the server that runs is.

use facteur_mail::{Clock as _, IsoDate, MachineDate, Timestamp};
use nix::unistd::{Uid, User};
use serde_json::json;

use crate::args::Instance;
use crate::cli::{message, server};
use crate::control::protocol::{Answer, Request, SpoolState, Status};
use crate::error::{CliError, Kind};
use crate::process::Confinement;
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};

/// Shows how it is; a spool that cannot write is a negative answer.
pub(crate) fn run(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    server::ask(Request::Status, instance, screen, |answer, screen| {
        let Answer::Status(status) = answer else {
            return Err(server::foreign(screen));
        };
        show(&status, screen)
    })
}

fn show(status: &Status, screen: &mut Screen) -> Result<(), CliError> {
    if screen.json {
        screen.json(&to_json(status))?;
    } else {
        show_fields(status, screen)?;
    }
    match status.spool {
        SpoolState::Well => Ok(()),
        SpoolState::Refusing { .. } => Err(CliError::said(Kind::Negative)),
    }
}

fn show_fields(status: &Status, screen: &mut Screen) -> Result<(), CliError> {
    let hostname = shown(&status.hostname);
    let title = screen.text("status-title", &[("hostname", (&hostname).into())]);
    screen.line(Tone::Strong, &title)?;
    let started = Timestamp::from_millis(status.started);
    let uptime = message::in_words(SystemClock.now().since(started), screen);
    let date = IsoDate(started).to_string();
    let since = screen.text(
        "status-since",
        &[("date", (&date).into()), ("uptime", (&uptime).into())],
    );
    let spool = match &status.spool {
        SpoolState::Well => screen.text("status-spool-well", &[]),
        SpoolState::Refusing { path, words } => {
            let (path, words) = (shown(path), shown(words));
            let args = [("path", (&path).into()), ("words", (&words).into())];
            screen.text("status-spool-refusing", &args)
        }
    };
    let (pid, user) = (status.pid.to_string(), account(status.user));
    let args = [("pid", (&pid).into()), ("user", (&user).into())];
    let process = screen.text("status-process-user", &args);
    for (label, value) in [
        ("status-version", shown(&status.version)),
        ("status-process", process),
        (
            "status-confinement",
            confinement(status.confinement, screen),
        ),
        ("status-started", since),
        ("status-queued", status.queued.to_string()),
        ("status-sessions", status.sessions.to_string()),
        ("status-spool", spool),
    ] {
        let label = screen.text(label, &[]);
        screen.field(&label, &value)?;
    }
    Ok(())
}

/// The user's name, or its number where it has none.
fn account(uid: u32) -> String {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| uid.to_string(), |user| shown(&user.name))
}

fn confinement(confinement: Confinement, screen: &Screen) -> String {
    match confinement {
        Confinement::Landlock { version } => {
            let id = if confinement.ports() {
                "status-confined"
            } else {
                "status-confined-to-folders"
            };
            screen.text(id, &[("version", u64::from(version).into())])
        }
        Confinement::Unsupported => screen.text("status-confinement-unsupported", &[]),
        Confinement::SwitchedOff => screen.text("status-confinement-off", &[]),
    }
}

fn to_json(status: &Status) -> serde_json::Value {
    let started = Timestamp::from_millis(status.started);
    let (spool, trouble) = match &status.spool {
        SpoolState::Well => ("well", None),
        SpoolState::Refusing { path, words } => {
            ("refusing", Some(json!({"path": path, "words": words})))
        }
    };
    json!({
        "version": status.version,
        "hostname": status.hostname,
        "pid": status.pid,
        "user": account(status.user),
        "confinement": status.confinement,
        "started": MachineDate(started).to_string(),
        "uptime_seconds": SystemClock.now().since(started).as_secs(),
        "queued": status.queued,
        "sessions": status.sessions,
        "spool": spool,
        "spool_trouble": trouble,
    })
}
