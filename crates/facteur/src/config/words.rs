//! The words of each key in the reader's language: what it is for, its default, its bounds. The schema, the manual's
//! tables and the man page show these and no others.

use facteur_replies::{Language, has_text, text};
use serde_json::Value;

use crate::config::keys::Config;
use crate::config::takes::{Absent, Effect, Key, Keys as _, Shape};
use crate::config::values::{show_duration, show_size};

/// A table of the file with the words of its keys.
pub(crate) struct TableWords {
    /// Its name, as `console.token`; empty for the keys of the file itself.
    pub(crate) name: String,
    /// As it stands in the file: `[relay]`, `[[listen]]`; empty for the file itself.
    pub(crate) heading: String,
    /// What it is for.
    pub(crate) about: String,
    /// Its keys but for those that are tables with keys of ours.
    pub(crate) keys: Vec<KeyWords>,
}

/// The words of a key. They are Markdown: names and values stand in backquotes.
pub(crate) struct KeyWords {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is for, and whether a change of it waits for a restart.
    pub(crate) meaning: String,
    /// What holds where it is not written.
    pub(crate) default: String,
    /// The least and the most that it takes; empty where there are none.
    pub(crate) bounds: String,
}

/// The words of every table, in the order of the file.
pub(crate) fn tables(language: Language) -> Vec<TableWords> {
    let keys = Config::keys();
    let mut tables = vec![TableWords {
        name: String::new(),
        heading: String::new(),
        about: text(language, "config-file", &[]),
        keys: rows("", &keys, Effect::Reload, language),
    }];
    below("", "", &keys, Effect::Reload, language, &mut tables);
    tables
}

/// The tables among these keys, each before those that are in it.
fn below(
    path: &str,
    place: &str,
    keys: &[Key],
    effect: Effect,
    language: Language,
    tables: &mut Vec<TableWords>,
) {
    for key in keys {
        let Some(inner) = inner(&key.form.shape) else {
            continue;
        };
        let effect = effect.of_part(key.form.effect);
        let path = self::path(path, key.name);
        let place = format!("{place}{}", key.name);
        let heading = if matches!(key.form.shape, Shape::Tables { .. }) {
            format!("[[{place}]]")
        } else if matches!(key.form.shape, Shape::Entries { .. }) {
            let name = text(language, "config-placeholder-name", &[]);
            format!("[{place}.\"{name}\"]")
        } else {
            format!("[{place}]")
        };
        tables.push(TableWords {
            about: text(language, &format!("config-key-{path}"), &[]),
            keys: rows(&path, inner, effect, language),
            name: place.clone(),
            heading,
        });
        below(&path, &format!("{place}."), inner, effect, language, tables);
    }
}

fn rows(table: &str, keys: &[Key], effect: Effect, language: Language) -> Vec<KeyWords> {
    let plain = keys.iter().filter(|key| inner(&key.form.shape).is_none());
    plain
        .map(|key| {
            let path = path(table, key.name);
            KeyWords {
                name: key.name,
                meaning: meaning(&path, effect.of_part(key.form.effect), language),
                default: default(&path, key, language),
                bounds: bounds(&key.form.shape, language).unwrap_or_default(),
            }
        })
        .collect()
}

/// The keys of a table, of tables, or of the operator's own tables.
pub(super) fn inner(shape: &Shape) -> Option<&[Key]> {
    match shape {
        Shape::Table(keys) | Shape::Tables { keys, .. } => Some(keys),
        Shape::Entries { entry, .. } => inner(entry),
        Shape::Text { .. }
        | Shape::Count { .. }
        | Shape::Size { .. }
        | Shape::Duration { .. }
        | Shape::Boolean
        | Shape::List(_) => None,
    }
}

/// The path of a key for the ids of its texts: `delivery-port`.
pub(super) fn path(table: &str, key: &str) -> String {
    if table.is_empty() {
        key.to_owned()
    } else {
        format!("{table}-{key}")
    }
}

/// What a key is for, and whether a change of it waits for a restart.
pub(super) fn meaning(path: &str, effect: Effect, language: Language) -> String {
    let meaning = text(language, &format!("config-key-{path}"), &[]);
    match effect {
        Effect::Reload => meaning,
        Effect::Restart => text(
            language,
            "config-key-restart",
            &[("meaning", (&meaning).into())],
        ),
    }
}

/// What holds where a key is not written; words where the value alone would not say it.
pub(super) fn default(path: &str, key: &Key, language: Language) -> String {
    let id = format!("config-default-{path}");
    match &key.form.default {
        Absent::Refused => text(language, "config-default-none", &[]),
        Absent::Is(value) if !has_text(&id) => format!("`{}`", written(value)),
        Absent::Is(_) | Absent::InWords => text(language, &id, &[]),
    }
}

/// The bounds of a value in words.
pub(super) fn bounds(shape: &Shape, language: Language) -> Option<String> {
    let between = |id: &str, least: &str, most: &str| {
        Some(text(
            language,
            id,
            &[("least", least.into()), ("most", most.into())],
        ))
    };
    match shape {
        Shape::Count { least, most } => {
            between("config-bounds", &least.to_string(), &most.to_string())
        }
        Shape::Size { least, most } => {
            between("config-bounds", &show_size(*least), &show_size(*most))
        }
        Shape::Duration { least, most } => between(
            "config-bounds",
            &show_duration(*least),
            &show_duration(*most),
        ),
        Shape::List(item) => {
            let Shape::Duration { least, most } = &**item else {
                return None;
            };
            let [least, most] = [least, most].map(|bound| show_duration(*bound));
            between("config-bounds-each", &least, &most)
        }
        Shape::Text { .. }
        | Shape::Boolean
        | Shape::Table(_)
        | Shape::Tables { .. }
        | Shape::Entries { .. } => None,
    }
}

/// A value as TOML writes it, on one line.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(keys) => {
            let keys = keys.iter().filter(|(_, value)| !value.is_null());
            let keys: Vec<_> = keys
                .map(|(name, value)| format!("{} = {}", key_name(name), written(value)))
                .collect();
            format!("{{ {} }}", keys.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A key as TOML writes it: in quotes where it must be.
pub(crate) fn key_name(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}
