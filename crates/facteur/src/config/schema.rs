//! The JSON Schema (2020-12) of the file, for editors and for programs that write configurations.

use facteur_replies::{Language, text};
use serde_json::{Map, Value, json};

use crate::config::keys::Config;
use crate::config::takes::{Absent, Effect, Key, Keys as _, Shape};
use crate::config::values::show_duration;
use crate::config::words;

/// What a duration looks like.
const DURATION: &str = "^[0-9]+\\s*[smhd]$";

/// What a size looks like as a text.
const SIZE: &str = "^[0-9]+\\s*(B|KiB|MiB|GiB)?$";

/// The schema, with descriptions in `language`.
pub(crate) fn schema(language: Language) -> Value {
    let mut schema = object("", &Config::keys(), Effect::Reload, language);
    if let Some(schema) = schema.as_object_mut() {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        schema.insert("$schema".to_owned(), json!(dialect));
        schema.insert(
            "title".to_owned(),
            json!(text(language, "config-file", &[])),
        );
    }
    schema
}

/// A table: nothing but its keys, and those that it cannot do without.
fn object(table: &str, keys: &[Key], effect: Effect, language: Language) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys {
        let path = words::path(table, key.name);
        properties.insert(key.name.to_owned(), property(&path, key, effect, language));
        if key.form.default == Absent::Refused {
            required.push(key.name);
        }
    }
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Some(object), false) = (object.as_object_mut(), required.is_empty()) {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

/// A key with what it is for, its default, and when a change of it takes effect.
fn property(path: &str, key: &Key, effect: Effect, language: Language) -> Value {
    let effect = effect.of_part(key.form.effect);
    let mut property = value(path, &key.form.shape, effect, language);
    let Some(map) = property.as_object_mut() else {
        return property;
    };
    let meaning = words::meaning(path, effect, language);
    map.insert("description".to_owned(), json!(meaning));
    match &key.form.default {
        Absent::Is(default) => drop(map.insert("default".to_owned(), default.clone())),
        Absent::InWords if words::inner(&key.form.shape).is_none() => {
            let default = words::default(path, key, language);
            map.insert("x-default".to_owned(), json!(default));
        }
        Absent::InWords | Absent::Refused => {}
    }
    let effect = match effect {
        Effect::Reload => "reload",
        Effect::Restart => "restart",
    };
    map.insert("x-effect".to_owned(), json!(effect));
    property
}

fn value(path: &str, shape: &Shape, effect: Effect, language: Language) -> Value {
    match shape {
        Shape::Text {
            expected,
            choices: [],
        } => json!({
            "type": "string",
            "x-expected": expected.words(language),
        }),
        Shape::Text { choices, .. } => json!({"type": "string", "enum": choices}),
        Shape::Count { least, most } => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Shape::Size { least, most } => json!({
            "anyOf": [
                {"type": "integer", "minimum": least, "maximum": most},
                {"type": "string", "pattern": SIZE},
            ],
            "x-minimum": least,
            "x-maximum": most,
        }),
        // No keyword compares texts: the bounds are said for people and for programs that know ours.
        Shape::Duration { least, most } => json!({
            "type": "string",
            "pattern": DURATION,
            "x-minimum": show_duration(*least),
            "x-maximum": show_duration(*most),
        }),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::List(item) => {
            let item = value(path, item, effect, language);
            json!({"anyOf": [{"type": "array", "items": item}, item]})
        }
        Shape::Table(keys) => object(path, keys, effect, language),
        Shape::Tables { keys, .. } => {
            json!({"type": "array", "items": object(path, keys, effect, language)})
        }
        Shape::Entries { names, entry } => json!({
            "type": "object",
            "additionalProperties": value(path, entry, effect, language),
            "x-names": names.words(language),
        }),
    }
}
