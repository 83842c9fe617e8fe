//! What the failures of the other crates are called in the reader's language. Only what the system itself says
//! stays as it is.

use std::fmt::Display;
use std::path::Path;

use facteur_history::HistoryError;
use facteur_replies::{Language, Value, text};
use facteur_route::{RouteError, SystemResolverError};
use facteur_server::ServerError;
use facteur_spool::{SpoolError, Unsafe};

use crate::ui::shown;

/// A failure of the history, in one sentence.
pub(crate) fn history(error: &HistoryError, language: Language) -> String {
    let say = |id: &str, args: &[(&str, Value<'_>)]| text(language, id, args);
    match error {
        HistoryError::Database { path, error } => {
            with_path("history-error-file", path, error, language)
        }
        HistoryError::Io { path, error } => with_path("history-error-file", path, error, language),
        HistoryError::Version { path, found } => {
            let path = shown(&path.display().to_string());
            let found = found.to_string();
            let args = [("path", (&path).into()), ("found", (&found).into())];
            say("history-error-version", &args)
        }
        HistoryError::Damaged { id: Some(id), .. } => {
            let id = id.to_string();
            say("history-error-damaged", &[("id", (&id).into())])
        }
        HistoryError::Missing { .. } | HistoryError::Damaged { id: None, .. } | _ => {
            shown(&error.to_string())
        }
    }
}

/// A failure of the spool, in one sentence.
pub(crate) fn spool(error: &SpoolError, language: Language) -> String {
    let say = |id: &str, args: &[(&str, Value<'_>)]| text(language, id, args);
    match error {
        SpoolError::Full { free, wanted } => say(
            "spool-error-full",
            &[("free", (*free).into()), ("wanted", (*wanted).into())],
        ),
        SpoolError::Write { path, error } => with_path("spool-error-write", path, error, language),
        SpoolError::Read { path, error } => with_path("spool-error-read", path, error, language),
        SpoolError::Damaged { id, path, offset } => {
            let id = id.to_string();
            let path = shown(&path.display().to_string());
            let args = [
                ("id", (&id).into()),
                ("path", (&path).into()),
                ("offset", (*offset).into()),
            ];
            say("spool-error-damaged", &args)
        }
        SpoolError::Gone { id } => say("spool-error-gone", &[("id", (&id.to_string()).into())]),
        SpoolError::Leased { id } => say("spool-error-leased", &[("id", (&id.to_string()).into())]),
        SpoolError::Owned { path, pid } => {
            let path = shown(&path.display().to_string());
            match pid {
                Some(pid) => {
                    let pid = pid.to_string();
                    say(
                        "spool-error-owned-by",
                        &[("path", (&path).into()), ("pid", (&pid).into())],
                    )
                }
                None => say("spool-error-owned", &[("path", (&path).into())]),
            }
        }
        SpoolError::Unsafe { path, why } => {
            let id = match why {
                Unsafe::NotADirectory => "spool-error-not-a-directory",
                Unsafe::OthersMayWrite => "spool-error-others-may-write",
                Unsafe::AnotherOwner => "spool-error-another-owner",
                _ => return shown(&error.to_string()),
            };
            say(
                id,
                &[("path", (&shown(&path.display().to_string())).into())],
            )
        }
        SpoolError::Version { path, found } => {
            let path = shown(&path.display().to_string());
            let found = found.to_string();
            say(
                "spool-error-version",
                &[("path", (&path).into()), ("found", (&found).into())],
            )
        }
        SpoolError::TooLarge { octets, limit } => say(
            "spool-error-too-large",
            &[("octets", (*octets).into()), ("limit", (*limit).into())],
        ),
        SpoolError::Closed => say("spool-error-closed", &[]),
        _ => shown(&error.to_string()),
    }
}

/// A server that could not start, in one sentence.
pub(crate) fn server(error: &ServerError, language: Language) -> String {
    match error {
        ServerError::Listen { address, error } => {
            let address = shown(&address.to_string());
            let words = shown(&error.to_string());
            text(
                language,
                "serve-cannot-listen",
                &[("address", (&address).into()), ("words", (&words).into())],
            )
        }
        _ => shown(&error.to_string()),
    }
}

/// A resolver that could not be made, in one sentence.
pub(crate) fn resolver(error: &RouteError, language: Language) -> String {
    let words = match error {
        RouteError::SystemResolver {
            path,
            cause: SystemResolverError::Unreadable(error),
        } => with_path(
            "resolver-error-unreadable",
            Path::new(path),
            error,
            language,
        ),
        RouteError::SystemResolver { path, .. } => {
            let path = shown(path);
            text(
                language,
                "resolver-error-no-servers",
                &[("path", (&path).into())],
            )
        }
        RouteError::Resolver { .. }
        | RouteError::BadNetwork { .. }
        | RouteError::NetworkHasHostBits { .. }
        | RouteError::BadNextHop { .. }
        | RouteError::BadPattern { .. }
        | RouteError::BadMaildir { .. }
        | _ => shown(&error.to_string()),
    };
    text(language, "check-no-resolver", &[("words", (&words).into())])
}

fn with_path(id: &str, path: &Path, error: &dyn Display, language: Language) -> String {
    let path = shown(&path.display().to_string());
    let words = shown(&error.to_string());
    text(
        language,
        id,
        &[("path", (&path).into()), ("words", (&words).into())],
    )
}
