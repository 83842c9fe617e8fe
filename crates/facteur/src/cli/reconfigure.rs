//! `facteur config reload` and `diff`: a new configuration for the server that runs, and what it would change.

use serde_json::{Value, json};

use crate::args::{Against, Instance};
use crate::cli::server;
use crate::config::diff::{Change, changes};
use crate::config::words::written;
use crate::config::{Config, Effect};
use crate::control::protocol::{Answer, Request};
use crate::error::{CliError, Kind};
use crate::process::Limits;
use crate::reload::beyond_words;
use crate::ui::{Screen, Tone, shown};

/// Has the server read its configuration again.
pub(crate) fn reload(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let stays = screen.text("config-not-reloaded", &[]);
    // What is wrong with the file is seen here as well as there.
    let read = Config::of(instance, screen.language, screen.color);
    read.map_err(|error| error.hint(stays.clone()))?;
    let mut changes = Vec::new();
    server::ask(Request::Reload, instance, screen, |answer, screen| {
        if let Answer::NotReloaded {
            details,
            message,
            hints,
        } = answer
        {
            let mut error = CliError::new(Kind::Config, message).before(details);
            error.hints = hints;
            return Err(error.hint(stays.clone()));
        }
        let Answer::Changed(change) = answer else {
            return Err(server::foreign(screen));
        };
        changes.push(change);
        Ok(())
    })?;
    let (done, waiting): (Vec<_>, Vec<_>) = changes
        .iter()
        .partition(|change| change.effect == Effect::Reload);
    if screen.json {
        return Ok(screen.json(&json!({"changed": done, "waiting": waiting}))?);
    }
    show(&changes, screen)?;
    let counted = |id: &str, changes: &[&Change], screen: &Screen| {
        let count = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        screen.text(id, &[("count", count.into())])
    };
    let words = counted("config-reloaded", &done, screen);
    screen.paragraph(Tone::Good, 0, &words)?;
    if !waiting.is_empty() {
        let words = counted("config-reloaded-waiting", &waiting, screen);
        screen.paragraph(Tone::Warning, 0, &words)?;
    }
    Ok(())
}

/// Shows what would change if a configuration came into force.
pub(crate) fn diff(
    against: &Against,
    instance: &Instance,
    screen: &mut Screen,
) -> Result<(), CliError> {
    let new = Config::of(instance, screen.language, screen.color)?;
    let (old, limits) = match against {
        Against::File(path) => {
            let other = Instance {
                config: Some(path.clone()),
                data_dir: instance.data_dir.clone(),
            };
            let old = Config::of(&other, screen.language, screen.color)?;
            (old.in_force(), None)
        }
        Against::Running => running(instance, screen)?,
    };
    let changes = changes(&old, &new.in_force());
    let file = instance.config.as_deref();
    let beyond = limits.map_or_else(Vec::new, |limits| limits.beyond(&new, file));
    let beyond: Vec<String> = beyond
        .iter()
        .map(|it| beyond_words(it, screen.language))
        .collect();
    if screen.json {
        return Ok(screen.json(&json!({"changes": changes, "beyond": beyond}))?);
    }
    if changes.is_empty() {
        let words = screen.text("config-diff-none", &[]);
        return Ok(screen.line(Tone::Good, &words)?);
    }
    show(&changes, screen)?;
    if !beyond.is_empty() {
        let words = screen.text("config-diff-beyond", &[]);
        screen.paragraph(Tone::Warning, 0, &words)?;
        for words in beyond {
            screen.paragraph(Tone::Plain, 2, &words)?;
        }
    }
    Ok(())
}

/// What the running server goes by, and what it may do.
fn running(instance: &Instance, screen: &mut Screen) -> Result<(Value, Option<Limits>), CliError> {
    let mut text = String::new();
    let mut limits = None;
    server::ask(
        Request::Configuration,
        instance,
        screen,
        |answer, screen| {
            if let Answer::Configuration { piece } = answer {
                text.push_str(&piece);
            } else if let Answer::Limits(told) = answer {
                limits = Some(*told);
            } else {
                return Err(server::foreign(screen));
            }
            Ok(())
        },
    )?;
    let configuration = serde_json::from_str(&text).map_err(|_| server::foreign(screen))?;
    Ok((configuration, limits))
}

fn show(changes: &[Change], screen: &mut Screen) -> Result<(), CliError> {
    for change in changes {
        let effect = match change.effect {
            Effect::Reload => "config-diff-reload",
            Effect::Restart => "config-diff-restart",
        };
        let effect = screen.text(effect, &[]);
        screen.line(Tone::Strong, &shown(&change.key))?;
        for (mark, tone, value) in [
            ("-", Tone::Bad, &change.old),
            ("+", Tone::Good, &change.new),
        ] {
            let value = if value.is_null() {
                screen.text("config-diff-unset", &[])
            } else {
                shown(&written(value))
            };
            screen.line(tone, &format!("  {mark} {value}"))?;
        }
        screen.paragraph(Tone::Quiet, 2, &effect)?;
    }
    Ok(())
}
