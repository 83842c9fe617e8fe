//! `facteur config`: is it right, what is in force, and what keys there are.

use facteur_mail::{Clock as _, IsoDate};
use facteur_route::Router;
use serde_json::{Value, json};

use crate::args::Instance;
use crate::config::words::{self, KeyWords};
use crate::config::{Config, RouteKeys, schema};
use crate::error::{CliError, Kind};
use crate::system::SystemClock;
use crate::ui::{Screen, Tone, shown};
use crate::wiring;

/// Reads the configuration and says that it can be used; the problems are the error otherwise.
pub(crate) fn check(instance: &Instance, screen: &mut Screen) -> Result<(), CliError> {
    let config = Config::of(instance, screen.language, screen.color)?;
    let now = SystemClock.now();
    check_routes(&Router::new(wiring::route(&config, now)), screen)?;
    let over: Vec<_> = config.route.iter().filter(|it| it.is_over(now)).collect();
    let words = match &instance.config {
        Some(path) => {
            let path = path.display().to_string();
            screen.text("config-fine", &[("path", (&path).into())])
        }
        None => screen.text("config-fine-default", &[]),
    };
    if screen.json {
        let over: Vec<_> = over.iter().map(|it| it.r#match.to_string()).collect();
        return Ok(screen.json(&json!({"usable": true, "expired_routes": over}))?);
    }
    screen.line(Tone::Good, &words)?;
    for route in over {
        let words = route_words("config-route-over", route, screen);
        screen.paragraph(Tone::Warning, 0, &words)?;
    }
    Ok(())
}

/// A route in words, with its end and its reason where it has them.
pub(crate) fn route_words(id: &str, route: &RouteKeys, screen: &Screen) -> String {
    let pattern = shown(&route.r#match.to_string());
    let hop = shown(&route.next_hop.to_string());
    let until = route.until.map(|until| IsoDate(until.0).to_string());
    let until = until.unwrap_or_default();
    let reason = route.reason.as_ref().map(|reason| shown(&reason.0));
    let reason = reason.unwrap_or_default();
    let args = [
        ("pattern", (&pattern).into()),
        ("hop", (&hop).into()),
        ("until", (&until).into()),
        ("reason", (&reason).into()),
        ("has_until", u64::from(route.until.is_some()).into()),
        ("has_reason", u64::from(route.reason.is_some()).into()),
    ];
    screen.text(id, &args)
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
    let value = Config::of(instance, screen.language, screen.color)?.in_force();
    if screen.json {
        return Ok(screen.json(&value)?);
    }
    let written = toml::to_string(&without_nulls(value));
    let written = written.map_err(|error| CliError::new(Kind::Config, error.to_string()))?;
    Ok(screen.raw(&written)?)
}

/// The JSON Schema of the file: every key with its type, default, bounds and what it is for.
pub(crate) fn schema(screen: &mut Screen) -> Result<(), CliError> {
    let schema = schema::schema(screen.language);
    if screen.json {
        return Ok(screen.json(&schema)?);
    }
    Ok(screen.raw(&format!("{schema:#}\n"))?)
}

/// Says what keys are for, with defaults and bounds: all of them, or those that `wanted` names.
pub(crate) fn explain(wanted: Option<&str>, screen: &mut Screen) -> Result<(), CliError> {
    let mut tables = words::tables(screen.language);
    if let Some(wanted) = wanted {
        for table in &mut tables {
            let name = table.name.clone();
            table.keys.retain(|key| is_meant(&name, key.name, wanted));
        }
        tables.retain(|table| !table.keys.is_empty());
        if tables.is_empty() {
            let key = shown(wanted);
            let words = screen.text("config-no-such-key", &[("key", (&key).into())]);
            let error = CliError::new(Kind::NotFound, words);
            return Err(error.hint(screen.text("config-no-such-key-hint", &[])));
        }
    }
    if screen.json {
        let keys = tables.iter().flat_map(|table| {
            table.keys.iter().map(|key| {
                json!({
                    "table": table.name,
                    "key": key.name,
                    "meaning": key.meaning,
                    "default": key.default,
                    "bounds": key.bounds,
                })
            })
        });
        return Ok(screen.json(&keys.collect())?);
    }
    for (i, table) in tables.iter().enumerate() {
        if i > 0 {
            screen.blank()?;
        }
        if !table.heading.is_empty() {
            screen.line(Tone::Strong, &table.heading)?;
            screen.paragraph(Tone::Quiet, 0, &table.about)?;
        }
        for key in &table.keys {
            explain_key(key, screen)?;
        }
    }
    Ok(())
}

fn explain_key(key: &KeyWords, screen: &mut Screen) -> Result<(), CliError> {
    screen.line(Tone::Strong, &format!("  {}", key.name))?;
    screen.paragraph(Tone::Plain, 4, &key.meaning)?;
    let id = if key.bounds.is_empty() {
        "config-explain-default"
    } else {
        "config-explain-default-bounds"
    };
    let mut args = vec![("default", (&key.default).into())];
    if !key.bounds.is_empty() {
        args.push(("bounds", (&key.bounds).into()));
    }
    let words = screen.text(id, &args);
    Ok(screen.paragraph(Tone::Plain, 4, &words)?)
}

/// Whether `wanted` is the key, its table, or both as `delivery.port`.
fn is_meant(table: &str, key: &str, wanted: &str) -> bool {
    match wanted.rsplit_once('.') {
        Some((t, k)) => t == table && k == key,
        None => wanted == key || wanted == table,
    }
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
