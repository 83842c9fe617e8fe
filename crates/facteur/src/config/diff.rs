//! What is different between two configurations, key by key, and when a change takes effect.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::Config;
use crate::config::takes::{Effect, Key, Keys as _, Shape};
use crate::config::words::key_name;

/// A key with another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Its path: `delivery.retry`, `domains."example.org".deliver`.
    pub(crate) key: String,
    /// What it was; null if it was not there.
    pub(crate) old: Value,
    /// What it is; null if it is gone.
    pub(crate) new: Value,
    /// When the change takes effect.
    pub(crate) effect: Effect,
}

/// What changes from one configuration to another, each as [`Config::in_force`] has it.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let keys = Config::keys();
    table("", &keys, Effect::Reload, old, new, &mut changes);
    changes
}

fn table(
    path: &str,
    keys: &[Key],
    effect: Effect,
    old: &Value,
    new: &Value,
    changes: &mut Vec<Change>,
) {
    for key in keys {
        let path = joined(path, key.name);
        let (old, new) = (member(old, key.name), member(new, key.name));
        let effect = effect.of_part(key.form.effect);
        value(&path, &key.form.shape, effect, old, new, changes);
    }
}

fn value(
    path: &str,
    shape: &Shape,
    effect: Effect,
    old: &Value,
    new: &Value,
    changes: &mut Vec<Change>,
) {
    if old == new {
        return;
    }
    match shape {
        Shape::Table(keys) if old.is_object() && new.is_object() => {
            table(path, keys, effect, old, new, changes);
        }
        Shape::Tables { unique, keys } => {
            let (old, new) = (by_name(old, unique), by_name(new, unique));
            entries(
                path,
                &Shape::Table(keys.clone()),
                effect,
                &old,
                &new,
                changes,
            );
        }
        Shape::Entries { entry, .. } => {
            let (old, new) = (named(old), named(new));
            entries(path, entry, effect, &old, &new, changes);
        }
        Shape::Table(_)
        | Shape::Text { .. }
        | Shape::Count { .. }
        | Shape::Size { .. }
        | Shape::Duration { .. }
        | Shape::Boolean
        | Shape::List(_) => changes.push(Change {
            key: path.to_owned(),
            old: old.clone(),
            new: new.clone(),
            effect,
        }),
    }
}

/// Values with names: first those that were there, then those that are new.
fn entries(
    path: &str,
    entry: &Shape,
    effect: Effect,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    let come = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(come) {
        let (old, new) = (old.get(name), new.get(name));
        let null = &Value::Null;
        let path = joined(path, name);
        value(
            &path,
            entry,
            effect,
            old.unwrap_or(null),
            new.unwrap_or(null),
            changes,
        );
    }
}

fn member<'a>(table: &'a Value, name: &str) -> &'a Value {
    table.get(name).unwrap_or(&Value::Null)
}

fn named(entries: &Value) -> Map<String, Value> {
    entries.as_object().cloned().unwrap_or_default()
}

/// The tables of an array by what tells them from each other.
fn by_name(tables: &Value, unique: &str) -> Map<String, Value> {
    let tables = tables.as_array().into_iter().flatten();
    let named = tables.map(|table| {
        let name = member(table, unique);
        let name = name
            .as_str()
            .map_or_else(|| name.to_string(), str::to_owned);
        (name, table.clone())
    });
    named.collect()
}

fn joined(path: &str, name: &str) -> String {
    let name = key_name(name);
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn in_force(source: &str) -> Value {
        Config::read(source).unwrap().in_force()
    }

    fn lines(old: &str, new: &str) -> Vec<String> {
        changes(&in_force(old), &in_force(new))
            .iter()
            .map(|it| format!("{} {} {} {:?}", it.key, it.old, it.new, it.effect))
            .collect()
    }

    #[test]
    fn equal_configurations_have_no_difference() {
        assert_eq!(lines("", "[delivery]\nport = 25"), Vec::<String>::new());
    }

    #[test]
    fn a_change_is_named_by_its_key_with_both_values_and_its_effect() {
        let new = "data_dir = \"/new\"\n[delivery]\nretry = \"1m\"\nport = 2525";
        let found = lines("[delivery]\nretry = \"5m\"", new);
        let expected = [
            r#"data_dir "facteur-data" "/new" Restart"#,
            "delivery.port 25 2525 Reload",
            r#"delivery.retry ["5m"] ["1m"] Reload"#,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn tables_and_entries_are_known_by_their_names_whatever_their_order() {
        let listen = |address: &str, role: &str| {
            format!("[[listen]]\naddress = \"{address}\"\nrole = \"{role}\"\n")
        };
        let old = listen("127.0.0.1:25", "mx") + &listen("127.0.0.1:24", "lmtp");
        let new = listen("127.0.0.1:24", "mx") + &listen("127.0.0.1:25", "mx");
        let old = old + "[domains.\"a.test\"]\ndeliver = \"maildir:/m/{user}\"\naliases.a = \"b\"";
        let new = new + "[domains.\"a.test\"]\ndeliver = \"maildir:/m/{user}\"\naliases.a = \"c\"";
        let expected = [
            r#"listen."127.0.0.1:24".role "lmtp" "mx" Reload"#,
            r#"domains."a.test".aliases.a ["b"] ["c"] Reload"#,
        ];
        assert_eq!(lines(&old, &new), expected);
    }

    #[test]
    fn what_comes_and_goes_is_shown_whole() {
        let route = "[[route]]\nmatch = \"*.a.test\"\nnext_hop = \"10.0.0.1:25\"\n";
        let found = changes(&in_force(route), &in_force(""));
        let [gone] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(gone.key, "route.\"*.a.test\"");
        assert_eq!(gone.old["next_hop"], json!("10.0.0.1:25"));
        assert_eq!(gone.new, Value::Null);
    }
}
