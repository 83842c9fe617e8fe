//! `facteur config`: is it right, and what is in force.

use facteur_route::{Deliver, Router};
use serde_json::{Value, json};

use crate::args::Instance;
use crate::config::{Config, Endpoint, Role, show_duration};
use crate::error::{CliError, Kind};
use crate::ui::{Screen, Tone, shown};
use crate::wiring;

/// Reads the configuration and says that it can be used; the problems are the error otherwise.
pub(crate) fn check(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    check_routes(&Router::new(wiring::route(&config)), screen)?;
    let words = match &instance.config {
        Some(path) => {
            let path = path.display().to_string();
            screen.text("config-fine", &[("path", (&path).into())])
        }
        None => screen.text("config-fine-default", &[]),
    };
    if screen.json {
        return Ok(screen.json(&json!({"usable": true}))?);
    }
    Ok(screen.line(Tone::Good, &words)?)
}

/// What no single key shows: aliases that do not end, and a server without a postmaster.
fn check_routes(router: &Router, screen: &Screen) -> Result<(), CliError> {
    for address in router.aliases() {
        if router.expand(&address).is_err() {
            let address = shown(&address.to_string());
            let words = screen.text("config-alias-loop", &[("address", (&address).into())]);
            return Err(CliError::new(Kind::Config, words));
        }
    }
    if !router.has_postmaster() {
        let error = CliError::new(Kind::Config, screen.text("config-no-postmaster", &[]));
        return Err(error.hint(screen.text("config-no-postmaster-hint", &[])));
    }
    Ok(())
}

/// Shows every key with the value in force: TOML that can be read again, or JSON.
pub(crate) fn show(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let value = in_force(&Config::of(instance, screen.language, screen.color)?);
    if screen.json {
        return Ok(screen.json(&value)?);
    }
    let written = toml::to_string(&without_nulls(value));
    let written = written.map_err(|error| CliError::new(Kind::Config, error.to_string()))?;
    Ok(screen.raw(&written)?)
}

/// TOML has no null: what is not set is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let set = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                set.map(|(key, value)| (key, without_nulls(value)))
                    .collect(),
            )
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_nulls).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn in_force(config: &Config) -> Value {
    let delivery = &config.delivery;
    let limits = &config.limits;
    json!({
        "hostname": config.hostname.to_string(),
        "data_dir": config.data_dir.display().to_string(),
        "language": config.language.tag(),
        "postmaster": config.postmaster.as_ref().map(ToString::to_string),
        "listen": config.listeners.iter().map(|listener| json!({
            "address": match &listener.endpoint {
                Endpoint::Tcp(address) => address.to_string(),
                Endpoint::Unix(path) => path.display().to_string(),
            },
            "role": match listener.role { Role::Mx => "mx", Role::Lmtp => "lmtp" },
            "normalise_newlines": listener.normalise_newlines,
        })).collect::<Vec<_>>(),
        "relay": {
            "networks": texts(&config.relay_networks),
            "domains": texts(&config.relay_domains),
        },
        "domains": config.domains.iter().map(|(name, domain)| (name.to_string(), json!({
            "deliver": match &domain.deliver {
                Deliver::Maildir(template) => format!("maildir:{template}"),
                Deliver::Lmtp(hop) => format!("lmtp:{hop}"),
                Deliver::Relay(hop) => format!("relay:{hop}"),
            },
            "users": domain.users.as_ref().map(|users| users.iter().cloned().collect::<Vec<_>>()),
            "language": config.report_languages.get(name).map(|language| language.tag()),
            "catch_all": domain.catch_all.as_ref().map(ToString::to_string),
            "tag_delimiter": domain.tag_delimiter.map(String::from).unwrap_or_default(),
            "aliases": domain.aliases.iter().map(|(name, to)| (name.clone(), json!(texts(to)))).collect::<serde_json::Map<_, _>>(),
        }))).collect::<serde_json::Map<_, _>>(),
        "route": config.routes.iter().map(|rule| json!({
            "match": rule.pattern.to_string(),
            "next_hop": rule.next_hop.to_string(),
        })).collect::<Vec<_>>(),
        "dns": {
            "servers": texts(&config.dns_servers),
            "timeout": show_duration(config.dns_timeout),
        },
        "delivery": {
            "port": delivery.port,
            "retry": delivery.retry.iter().map(|wait| show_duration(*wait)).collect::<Vec<_>>(),
            "give_up_after": show_duration(delivery.give_up_after),
            "delay_notice_after": show_duration(delivery.delay_notice_after.unwrap_or_default()),
            "allow_loopback_mx": delivery.allow_loopback_mx,
            "connections": delivery.connections,
            "connections_per_destination": delivery.connections_per_destination,
            "chunking": delivery.chunking,
        },
        "limits": {
            "message_size": limits.message_size,
            "recipients": limits.recipients,
            "errors": limits.errors,
            "messages_per_session": limits.messages_per_session,
            "connections": limits.connections,
            "connections_per_address": limits.connections_per_address,
            "command_timeout": show_duration(limits.command_timeout),
            "data_timeout": show_duration(limits.data_timeout),
            "message_timeout": show_duration(limits.message_timeout),
            "session_timeout": show_duration(limits.session_timeout),
            "shutdown_grace": show_duration(limits.shutdown_grace),
        },
        "log": {
            "format": if config.log.json { "json" } else { "text" },
            "level": config.log.level.to_string().to_lowercase(),
        },
    })
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
