//! Starts the webhooks of a configuration.

use std::sync::Arc;

use facteur_mail::Clock;
use facteur_replies::Language;
use facteur_webhooks::{Courier, Hook, Web, WebhookError, Webhooks};

use crate::config::Config;
use crate::error::{CliError, Kind};
use crate::ui::{Screen, shown};

/// What the key of a webhook begins with where it is base64, by the Standard Webhooks specification.
const ENCODED: &[u8] = b"whsec_";

/// The webhooks of a configuration, with their keys.
///
/// # Errors
/// A key that cannot be read, or that others can.
pub(crate) fn hooks(config: &Config, language: Language) -> Result<Vec<Hook>, CliError> {
    let hooks = config.webhook.iter().map(|keys| {
        let secret = keys.secret_file.read(language)?;
        Ok(Hook {
            name: keys.name.0.clone(),
            url: keys.url.0.clone(),
            secret: key(secret.expose()),
            topics: keys.events.iter().map(|event| event.0).collect(),
            language: keys.language.unwrap_or(config.language),
        })
    });
    hooks.collect()
}

/// Starts to tell them; `None` if there are none.
///
/// # Errors
/// A file that cannot be opened; no certificate authorities for `https`.
pub(crate) fn start(
    hooks: Vec<Hook>,
    config: &Config,
    clock: Arc<dyn Clock>,
    screen: &Screen,
) -> Result<Option<Webhooks>, CliError> {
    if hooks.is_empty() {
        return Ok(None);
    }
    let secure = config.webhook.iter().any(|keys| keys.url.is_secure());
    let web = if secure {
        Web::new()
    } else {
        Web::without_tls()
    };
    let started = web.and_then(|web| {
        let courier: Arc<dyn Courier> = Arc::new(web);
        Webhooks::start(hooks, &config.data_dir, courier, clock)
    });
    started.map(Some).map_err(|error| explained(&error, screen))
}

/// The octets of a key.
fn key(secret: &[u8]) -> Vec<u8> {
    let encoded = secret.strip_prefix(ENCODED);
    encoded
        .and_then(|encoded| data_encoding::BASE64.decode(encoded).ok())
        .unwrap_or_else(|| secret.to_vec())
}

fn explained(error: &WebhookError, screen: &Screen) -> CliError {
    let words = shown(&error.to_string());
    let args = [("words", (&words).into())];
    let id = match error {
        WebhookError::NoAuthorities { .. } => "serve-no-authorities",
        WebhookError::Outbox { .. } | WebhookError::Tls { .. } | WebhookError::Stopped | _ => {
            "serve-no-database"
        }
    };
    CliError::new(Kind::System, screen.text(id, &args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_base64() {
        assert_eq!(key(b"whsec_aHVudGVyMg=="), b"hunter2");
        assert_eq!(key(b"hunter2"), b"hunter2");
    }
}
