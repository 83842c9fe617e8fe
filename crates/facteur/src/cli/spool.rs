//! `facteur spool`: is it whole, and every message as a file. Also how other commands read the spool.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facteur_mail::QueueId;
use facteur_spool::{Queued, SpoolError};
use facteur_spool_local::{Damage, Reader};
use serde_json::json;

use crate::args::Instance;
use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::failure;
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};
use crate::wiring;

/// Reads the whole spool, contents included, and says what is damaged.
pub(crate) fn check(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let reader = open(instance, screen)?;
    let report = reader.report();
    let mut damage: Vec<String> = report.damaged.iter().map(Damage::to_string).collect();
    damage.extend(
        reader
            .check()
            .iter()
            .map(|(_, error)| failure::spool(error, screen.language)),
    );
    let messages = number(reader.ids().len());
    if screen.json {
        screen.json(&json!({
            "messages": messages,
            "segments": report.segments,
            "octets": report.octets,
            "torn_tail_octets": report.torn_tail,
            "damaged": damage,
        }))?;
    } else if damage.is_empty() {
        let whole = screen.text("spool-whole", &[("count", messages.into())]);
        screen.line(Tone::Good, &whole)?;
    } else {
        let title = screen.text("spool-damaged", &[("count", number(damage.len()).into())]);
        screen.line(Tone::Bad, &title)?;
        for line in &damage {
            screen.paragraph(Tone::Plain, 2, &shown(line))?;
        }
    }
    if damage.is_empty() {
        Ok(())
    } else {
        Err(CliError::said(Kind::Spool))
    }
}

/// Writes every queued message into `to`, which is made if it is not there.
pub(crate) fn export(to: &Path, instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let reader = open(instance, screen)?;
    let path = shown(&to.display().to_string());
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(to);
    made.map_err(|error| cannot_export(&path, &shown(&error.to_string()), screen))?;
    let done = reader
        .export(to)
        .map_err(|error| cannot_export(&path, &failure::spool(&error, screen.language), screen))?;
    let damaged: Vec<String> = done
        .damaged
        .iter()
        .map(|(_, error)| failure::spool(error, screen.language))
        .collect();
    if screen.json {
        screen.json(&json!({"messages": done.messages, "directory": to.display().to_string(), "damaged": damaged}))?;
    } else {
        let args = [
            ("count", number(done.messages).into()),
            ("path", (&path).into()),
        ];
        let title = screen.text("spool-exported", &args);
        screen.line(Tone::Good, &title)?;
        for line in &damaged {
            screen.paragraph(Tone::Bad, 2, &shown(line))?;
        }
    }
    if damaged.is_empty() {
        Ok(())
    } else {
        Err(CliError::said(Kind::Spool))
    }
}

/// The spool of an instance, to be read beside its owner.
pub(crate) fn open(instance: &Instance, screen: &Screen) -> Result<Reader, CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    let directory = directory(&config, screen)?;
    let path = shown(&directory.display().to_string());
    Reader::open(&directory, Arc::new(SystemClock))
        .map_err(|error| cannot_read(&path, &error, screen))
}

/// Where the spool of an instance is, if there is one.
pub(crate) fn directory(config: &Config, screen: &Screen) -> Result<PathBuf, CliError> {
    let directory = wiring::spool_directory(config);
    if directory.is_dir() {
        return Ok(directory);
    }
    let path = shown(&directory.display().to_string());
    let error = CliError::new(
        Kind::Spool,
        screen.text("spool-none", &[("path", (&path).into())]),
    );
    Err(error.hint(screen.text("spool-none-hint", &[])))
}

/// One message; `None` if it is not queued.
pub(crate) fn message(
    reader: &Reader,
    id: QueueId,
    screen: &Screen,
) -> Result<Option<Queued>, CliError> {
    match reader.show(id) {
        Ok(queued) => Ok(Some(queued)),
        Err(SpoolError::Gone { .. }) => Ok(None),
        Err(error) => Err(cannot_read(&id.to_string(), &error, screen)),
    }
}

/// What is said of a message, or a spool, that cannot be read.
pub(crate) fn cannot_read(path: &str, error: &SpoolError, screen: &Screen) -> CliError {
    let words = failure::spool(error, screen.language);
    let args = [("path", path.into()), ("words", (&words).into())];
    CliError::new(Kind::Spool, screen.text("spool-cannot-read", &args))
}

fn cannot_export(path: &str, words: &str, screen: &Screen) -> CliError {
    let args = [("path", path.into()), ("words", words.into())];
    CliError::new(Kind::System, screen.text("spool-cannot-export", &args))
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
