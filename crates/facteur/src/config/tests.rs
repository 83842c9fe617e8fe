//! What configurations mean, and what is said about wrong ones.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use facteur_replies::Language;

use super::file::{MAX_FILE, read_file};
use super::takes::{Effect, Shape};
use super::*;
use crate::args::Instance;

fn faults(source: &str) -> Vec<Fault> {
    let problems = Config::read(source).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.fault).collect()
}

#[test]
fn without_a_file_the_server_is_local_and_works() {
    let config = Config::of(&Instance::default(), Language::English, false).unwrap();
    assert_eq!(config.listen.len(), 1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 2525));
    assert_eq!(config.listen[0].address, Endpoint::Tcp(address));
    assert!(config.domains.contains_key(&localhost()));
    assert_eq!(config.data_dir, Path::new("facteur-data"));
    assert!(
        config
            .relay
            .networks
            .iter()
            .any(|network| network.0.contains(address.ip()))
    );
    assert!(!config.delivery.allow_loopback_mx);
}

#[test]
fn a_file_over_the_limit_is_refused_and_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facteur.toml");
    for (over, refused) in [(0, false), (1, true)] {
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(MAX_FILE + over).unwrap();
        assert_eq!(read_file(&path).is_err(), refused, "{over}");
    }
}

#[test]
fn the_empty_file_has_no_problem() {
    assert_eq!(faults(""), []);
}

#[test]
fn the_example_of_the_manual_is_read_whole() {
    let source = include_str!("../../../../docs/facteur.example.toml");
    let config = Config::read(source).unwrap();
    assert_eq!(config.hostname.as_str(), "mx.example.org");
    assert_eq!(config.delivery.retry.len(), 6);
    assert_eq!(config.route.len(), 1);
}

#[test]
fn an_unknown_key_is_refused_with_the_key_probably_meant() {
    let found = faults("hostnme = \"mx.example.org\"\n");
    assert!(
        matches!(&found[..], [Fault::UnknownKey { key, nearest: Some(nearest), .. }]
            if key == "hostnme" && nearest == "hostname"),
        "{found:?}"
    );
}

#[test]
fn an_open_relay_is_refused_whatever_it_is_called() {
    for network in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3"] {
        let found = faults(&format!("[relay]\nnetworks = [\"{network}\"]\n"));
        assert!(
            matches!(&found[..], [Fault::OpenRelay { .. }]),
            "{network}: {found:?}"
        );
    }
    assert_eq!(
        faults("[relay]\nnetworks = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n"),
        []
    );
    let found = faults("[relay]\ndomains = [\"*\"]\n");
    assert!(
        matches!(&found[..], [Fault::OpenRelayDomain { .. }]),
        "{found:?}"
    );
}

#[test]
fn every_problem_is_shown_at_once_with_its_line() {
    let source = "hostname = 5\n[delivery]\nretry = [\"5w\"]\nport = 70000\n[[listen]]\nrole = \"submission\"\n";
    let problems = Config::read(source).unwrap_err();
    let shown = problem::render(
        Path::new("facteur.toml"),
        source,
        &problems,
        Language::English,
        false,
    );
    for line in [
        "facteur.toml:1:",
        "facteur.toml:3:",
        "facteur.toml:4:",
        "facteur.toml:6:",
    ] {
        assert!(shown.contains(line), "{line} in\n{shown}");
    }
    let french = problem::render(
        Path::new("facteur.toml"),
        source,
        &problems,
        Language::French,
        false,
    );
    assert_ne!(shown, french);
}

#[test]
fn a_syntax_error_is_the_only_thing_said() {
    let found = faults("hostname = \"a\nfoo = 1\n");
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|fault| matches!(fault, Fault::Syntax { .. })),
        "{found:?}"
    );
}

#[test]
fn a_missing_address_is_asked_for() {
    let found = faults("[[listen]]\nrole = \"mx\"\n");
    assert!(
        matches!(&found[..], [Fault::Missing { key }] if key == "address"),
        "{found:?}"
    );
}

#[test]
fn what_ehlo_announces_has_six_digits_at_most() {
    assert!(faults("[limits]\nmessages_per_session = 999999").is_empty());
    let found = faults("[limits]\nmessages_per_session = 1000000");
    assert!(
        matches!(found.as_slice(), [Fault::OutOfRange { .. }]),
        "{found:?}"
    );
}

#[test]
fn the_reader_takes_the_keys_of_the_schema_and_no_others() {
    let schema = schema::schema(Language::English);
    let properties = |schema: &Value| -> Vec<String> {
        schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let known = |source: &str| match &faults(source)[..] {
        [.., Fault::UnknownKey { known, .. }] => known.split(", ").map(str::to_owned).collect(),
        other => panic!("{source}: {other:?}"),
    };
    let top: Vec<String> = known("zzz = 1");
    assert_eq!(top, properties(&schema));
    let mut tables = 0;
    for name in top {
        let key = &schema["properties"][&name];
        let (table, head) = match (key["type"].as_str(), key.get("properties")) {
            (Some("object"), Some(_)) => (key, format!("[{name}]")),
            (Some("object"), None) => (
                &key["additionalProperties"],
                format!("[{name}.\"a.example\"]"),
            ),
            (Some("array"), _) => (&key["items"], format!("[[{name}]]")),
            _ => continue,
        };
        let mut source = format!("{head}\nzzz = 1\n");
        for required in table["required"].as_array().into_iter().flatten() {
            // Whatever it is: the unknown key is what is looked at, and it comes first.
            source = format!("{source}{} = \"x\"\n", required.as_str().unwrap());
        }
        let unknown = |fault| {
            let Fault::UnknownKey { known, .. } = fault else {
                return None;
            };
            Some(known.split(", ").map(str::to_owned).collect::<Vec<_>>())
        };
        let found = faults(&source).into_iter().find_map(unknown).unwrap();
        assert_eq!(found, properties(table), "{name}");
        tables += 1;
    }
    assert!(tables >= 8, "{tables}");
}

#[test]
fn the_example_fits_the_schema_and_has_every_key() {
    let source = include_str!("../../../../docs/facteur.example.toml");
    let example: Value = toml::from_str(source).unwrap();
    let schema = schema::schema(Language::English);
    assert_eq!(misfits("", &example, &schema), Vec::<String>::new());
    assert_eq!(left_out("", &example, &schema), Vec::<String>::new());

    let wrong: Value =
        toml::from_str("[limits]\nerrors = 0\n[log]\nlevel = \"loud\"\nx = 1").unwrap();
    assert_eq!(misfits("", &wrong, &schema).len(), 3);
}

#[test]
fn what_is_in_force_without_a_file_are_the_defaults_of_the_schema() {
    let shown = Config::read("").unwrap().in_force();
    let schema = schema::schema(Language::English);
    for table in ["relay", "dns", "delivery", "limits", "log"] {
        let properties = schema["properties"][table]["properties"].as_object();
        for (name, key) in properties.unwrap() {
            let size = |value: &Value| value.as_str().and_then(values::size).map(Value::from);
            let default = &key["default"];
            let value = &shown[table][name];
            let equal = value == default || Some(value) == size(default).as_ref();
            assert!(equal, "{table}.{name}: {value} is not {default}");
        }
    }
}

#[test]
fn every_key_has_words_in_every_language_and_a_default() {
    let [english, french] = Language::ALL.map(words::tables);
    assert_eq!(english.len(), french.len());
    for (table, in_french) in english.iter().zip(&french) {
        assert_ne!(table.about, in_french.about);
        for (key, in_french) in table.keys.iter().zip(&in_french.keys) {
            assert!(!key.default.is_empty(), "{}", key.name);
            assert_ne!(key.meaning, in_french.meaning, "{}", key.name);
        }
    }
}

/// Where a value does not fit its schema: the keywords that ours uses, patterns apart.
fn misfits(path: &str, value: &Value, schema: &Value) -> Vec<String> {
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|one| misfits(path, value, one).is_empty());
        return if fits {
            Vec::new()
        } else {
            vec![path.to_owned()]
        };
    }
    let kind = match value {
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    };
    let number = value.as_u64().unwrap_or_default();
    let bad = schema["type"] != kind
        || schema["enum"]
            .as_array()
            .is_some_and(|choices| !choices.contains(value))
        || schema["minimum"]
            .as_u64()
            .is_some_and(|least| number < least)
        || schema["maximum"].as_u64().is_some_and(|most| number > most);
    if bad {
        return vec![path.to_owned()];
    }
    let mut misfits_below = Vec::new();
    for item in value.as_array().into_iter().flatten() {
        misfits_below.extend(misfits(path, item, &schema["items"]));
    }
    for (name, item) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => misfits_below.push(path),
            (Value::Null, other) => misfits_below.extend(misfits(&path, item, other)),
            (known, _) => misfits_below.extend(misfits(&path, item, known)),
        }
    }
    misfits_below
}

/// The keys of the schema that a value does not have.
fn left_out(path: &str, value: &Value, schema: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, key) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let inner = &value[name];
        let items = inner.as_array().filter(|_| key["items"].is_object());
        let entries = inner
            .as_object()
            .filter(|_| key["additionalProperties"].is_object());
        if inner.is_null() {
            missing.push(path);
        } else if let Some(items) = items {
            missing.extend(
                items
                    .iter()
                    .flat_map(|item| left_out(&path, item, &key["items"])),
            );
        } else if let Some(entries) = entries {
            let entry = &key["additionalProperties"];
            missing.extend(
                entries
                    .values()
                    .flat_map(|item| left_out(&path, item, entry)),
            );
        } else {
            missing.extend(left_out(&path, inner, key));
        }
    }
    missing
}

#[test]
fn what_waits_for_a_restart_is_kept_from_the_running_configuration() {
    let running = Config::read("data_dir = \"/old\"\n[log]\nformat = \"json\"").unwrap();
    let mut next = Config::read("data_dir = \"/new\"\n[log]\nlevel = \"debug\"").unwrap();
    next.keep(&running);
    assert_eq!(next.data_dir, Path::new("/old"));
    assert_eq!(next.log.format, LogFormat::Json);
    assert_eq!(next.log.level, tracing::Level::DEBUG);
    let waiting = |keys: &[takes::Key]| keys.iter().any(|key| key.form.effect == Effect::Restart);
    for key in Config::keys() {
        // `keep` does not look into those.
        let tables = matches!(key.form.shape, Shape::Tables { .. } | Shape::Entries { .. });
        let inner = words::inner(&key.form.shape).unwrap_or_default();
        assert!(
            !tables || !waiting(inner),
            "{}: mark the table itself",
            key.name
        );
    }
}
